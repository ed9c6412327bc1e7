//! A softphone that a program speaks with: it registers, calls, answers, sends keys, plays a tone or a file,
//! and says what it heard. It stands on the same `sip`, `audio` and `media` crates as the exchange, and on
//! `net`'s sockets. Every wait has a limit.

mod call;
mod calls;
mod config;
mod ear;
mod error;
mod line;
mod phone;
pub mod script;
#[cfg(feature = "soundcard")]
pub mod soundcard;
mod voice;
mod worker;

pub use call::{Call, CallState, Phase};
pub use config::PhoneConfig;
pub use error::PhoneError;
pub use line::{FRAME, Frame, Line};
pub use phone::{IncomingCall, Phone};
