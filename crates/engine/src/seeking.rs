//! A browser that is not heard is asked to look for us anew (an ICE restart), as soon as it can be asked: its network has
//! changed, and it has registered by the new one.

use base::Time;
use std::time::Duration;

/// A device that has registered so lately is there, whatever is heard of it.
const LATELY: Duration = Duration::from_secs(10);

/// What is known of a browser's way here, and what it was asked.
#[derive(Debug, Default)]
pub(crate) struct Seeking {
    /// An offer of ours is on its way: there can be no other one.
    is_asked: bool,
    /// It is to be asked once that is answered.
    is_wanted: bool,
    /// When its device has registered last, by the way that its session goes.
    shown_at: Option<Time>,
}

impl Seeking {
    /// Whether an offer may be made now; then it is on its way.
    pub(crate) fn may_ask(&mut self) -> bool {
        !std::mem::replace(&mut self.is_asked, true)
    }

    /// Whether the browser may be asked to look anew now. If not, it is to be later.
    pub(crate) fn may_begin(&mut self) -> bool {
        self.is_wanted = self.is_asked;
        !self.is_asked
    }

    /// Our offer was answered or refused. Whether the browser is to be asked to look anew now.
    pub(crate) fn is_answered(&mut self) -> bool {
        self.is_asked = false;
        std::mem::take(&mut self.is_wanted)
    }

    /// Its device has registered.
    pub(crate) fn shows_itself(&mut self, now: Time) {
        self.shown_at = Some(now);
    }

    /// Whether it has done so lately.
    pub(crate) fn has_shown_itself(&self, now: Time) -> bool {
        self.shown_at.is_some_and(|at| now.since(at) < LATELY)
    }
}
