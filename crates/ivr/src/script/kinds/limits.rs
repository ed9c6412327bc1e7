//! What holds for a node that does not say, and the most that it can say: for those who read it and for its schema.

use std::time::Duration;

/// How long a key is waited for after the last word.
pub(in crate::script) const TIMEOUT: Duration = Duration::from_secs(5);

/// How often a question is heard in all.
pub(in crate::script) const TRIES: u32 = 3;
pub(in crate::script) const TRIES_MAX: i64 = 10;

/// From one digit to the next.
pub(in crate::script) const BETWEEN: Duration = Duration::from_secs(3);

/// The longest number that anybody types.
pub(in crate::script) const DIGITS_MAX: usize = 30;

/// How long the party rings that a call is put through to.
pub(in crate::script) const RING: Duration = Duration::from_secs(30);

/// The longest message, and the silence that ends one.
pub(in crate::script) const LONGEST: Duration = Duration::from_secs(120);
pub(in crate::script) const SILENCE: Duration = Duration::from_secs(5);

/// How often somebody is called back, and how long after the last time.
pub(in crate::script) const CALLBACK_TRIES: u32 = 3;
pub(in crate::script) const CALLBACK_TRIES_MAX: i64 = 10;
pub(in crate::script) const PAUSE: Duration = Duration::from_secs(600);

/// How long only agents with the caller's language are sought, how long an interpreter is, and what the caller hears meanwhile.
pub(in crate::script) const AFTER: Duration = Duration::from_secs(30);
pub(in crate::script) const WITHIN: Duration = Duration::from_secs(60);
pub(in crate::script) const MEANWHILE: &str = "please_wait";
