//! The session timer (RFC 4028): how long a session lives without a refresh, who refreshes it, and what the
//! headers of both sides say of that. Time is told; what is sent is the work of `refresh`.
//!
//! In doubt we refresh: one refresh too many harms nobody, one that both sides leave to the other ends the call.

use super::terms::names;
use crate::message::{HeaderName, Message, Method, Params};
use crate::ua::Extensions;
use crate::write::Writer;
use base::Time;
use std::time::Duration;

/// The option tag.
pub(super) const TIMER: &str = "timer";
/// RFC 4028 §5: no shorter one is asked for or believed.
const MIN: Duration = Duration::from_secs(90);
/// One that is written longer than this is taken for this.
const MAX: Duration = Duration::from_secs(7 * 24 * 3600);
/// RFC 4028 §10: a side that waits for a refresh gives up this long before the end, or a third of the time.
const BEFORE_THE_END: Duration = Duration::from_secs(32);
/// The first new try after a refresh that failed comes after this, and so do all the others.
const AGAIN: Duration = Duration::from_secs(10);

/// What both sides agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Agreement {
    pub(super) interval: Duration,
    pub(super) we_refresh: bool,
}

/// The timer of one session.
#[derive(Clone, Debug)]
pub(super) struct SessionTimer {
    /// What we ask for.
    wanted: Duration,
    /// The least that both sides take, as far as is known.
    least: Duration,
    agreed: Option<Agreement>,
    due: Time,
    ends: Time,
}

impl SessionTimer {
    pub(super) fn new(extensions: &Extensions) -> SessionTimer {
        let least = extensions.session_min.max(MIN);
        let wanted = extensions.session_expires.max(least);
        SessionTimer { wanted, least, agreed: None, due: Time::FAR, ends: Time::FAR }
    }

    /// Adds the header fields to a request of ours that begins or refreshes a session. The first leaves it to
    /// the callee who refreshes (§7.1); a peer that has no timer is not asked again.
    pub(super) fn ask(&self, writer: Writer, first: bool) -> Writer {
        let writer = match self.agreed {
            None if !first => return writer,
            None => writer.header("Session-Expires", self.wanted.as_secs()),
            Some(Agreement { interval, we_refresh }) => {
                let refresher = if we_refresh { "uac" } else { "uas" };
                let seconds = interval.max(self.least).as_secs();
                writer.header("Session-Expires", format_args!("{seconds};refresher={refresher}"))
            }
        };
        if self.least > MIN { writer.header("Min-SE", self.least.as_secs()) } else { writer }
    }

    /// Takes the Min-SE of a 422 in. False if that is no reason to ask again.
    pub(super) fn learn_least(&mut self, refusal: &Message) -> bool {
        let Some(least) = refusal.number(HeaderName::MinSe).map(seconds) else { return false };
        let asked = self.agreed.map_or(self.wanted, |agreed| agreed.interval).max(self.least);
        if least <= asked {
            return false;
        }
        self.least = least;
        self.wanted = self.wanted.max(least);
        least < MAX
    }

    /// What a 2xx to a request of ours says.
    pub(super) fn answered(&mut self, now: Time, response: &Message, first: bool) {
        let said = session_expires(response);
        let agreement = match (said, self.agreed) {
            (Some((interval, refresher)), _) => {
                Some(Agreement { interval, we_refresh: refresher != Some(Refresher::Uas) })
            }
            (None, Some(agreed)) if !first => Some(Agreement { we_refresh: true, ..agreed }),
            (None, _) => None,
        };
        self.agree(now, agreement);
    }

    /// What we answer to a request of the peer's that begins or refreshes a session (§9, table 2).
    pub(super) fn reply(&self, request: &Message) -> Option<Agreement> {
        let known =
            names(request, HeaderName::Supported, TIMER) || names(request, HeaderName::Require, TIMER);
        let least = request.number(HeaderName::MinSe).map_or(self.least, seconds).max(self.least);
        match (session_expires(request), self.agreed) {
            (Some((asked, refresher)), _) => {
                let interval = asked.min(self.wanted).max(least.min(asked));
                let we_refresh = !(known && refresher == Some(Refresher::Uac));
                Some(Agreement { interval, we_refresh })
            }
            (None, Some(agreed)) => Some(Agreement { we_refresh: true, ..agreed }),
            (None, None) if known => Some(Agreement { interval: self.wanted.max(least), we_refresh: true }),
            (None, None) => None,
        }
    }

    /// Adds the header fields to our 2xx.
    pub(super) fn write(&self, writer: Writer, request: &Message) -> Writer {
        if !refreshes(request) {
            return writer;
        }
        let known =
            names(request, HeaderName::Supported, TIMER) || names(request, HeaderName::Require, TIMER);
        let asked = session_expires(request).is_some();
        let Some(Agreement { interval, we_refresh }) = self.reply(request).filter(|_| known || asked) else {
            return writer;
        };
        let refresher = if we_refresh { "uas" } else { "uac" };
        let value = format!("{};refresher={refresher}", interval.as_secs());
        let writer = writer.header("Session-Expires", value);
        // §9: the peer is to know that it is counted on.
        if we_refresh { writer } else { writer.header("Require", TIMER) }
    }

    /// Puts an agreement in force, from now on.
    pub(super) fn agree(&mut self, now: Time, agreement: Option<Agreement>) {
        self.agreed = agreement;
        (self.due, self.ends) = match agreement {
            None => (Time::FAR, Time::FAR),
            Some(Agreement { interval, we_refresh }) => {
                let due = if we_refresh { now + interval / 2 } else { Time::FAR };
                (due, now + (interval - BEFORE_THE_END.min(interval / 3)))
            }
        };
    }

    pub(super) fn deadline(&self) -> Time {
        self.due.min(self.ends)
    }

    /// Whether a refresh of ours is due. It will be again, should nothing come of it.
    pub(super) fn is_due(&mut self, now: Time) -> bool {
        let due = self.due <= now;
        if due {
            self.due = now + AGAIN;
        }
        due
    }

    /// A refresh is on its way: whatever comes of it sets the next.
    pub(super) fn is_under_way(&mut self) {
        self.due = Time::FAR;
    }

    /// The refresh came to nothing and is to be tried again, after this if it is said.
    pub(super) fn again(&mut self, now: Time, after: Option<Duration>) {
        if self.agreed.is_some() {
            self.due = now + after.unwrap_or(AGAIN);
        }
    }

    /// Whether the session is given up.
    pub(super) fn is_over(&self, now: Time) -> bool {
        self.ends <= now
    }

    /// When it is.
    pub(super) fn ends(&self) -> Time {
        self.ends
    }

    /// What is in force.
    pub(super) fn agreed(&self) -> Option<Agreement> {
        self.agreed
    }

    /// The Min-SE to refuse a request with that asks for too short a time and could ask again (§9).
    pub(super) fn refuses(&self, request: &Message) -> Option<u64> {
        refuses(request, self.least)
    }
}

/// As [`SessionTimer::refuses`], for a request outside of sessions.
pub(super) fn refuses(request: &Message, least: Duration) -> Option<u64> {
    let asked = request.number(HeaderName::SessionExpires).filter(|_| refreshes(request))?;
    let known = names(request, HeaderName::Supported, TIMER);
    (known && u64::from(asked) < least.as_secs()).then_some(least.as_secs())
}

/// Whether a request is one of those that begin or refresh a session (§2).
pub(super) fn refreshes(request: &Message) -> bool {
    matches!(request.method(), Some(Method::Invite | Method::Update))
}

/// The least of ours.
pub(super) fn least(extensions: &Extensions) -> Duration {
    extensions.session_min.max(MIN)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refresher {
    Uac,
    Uas,
}

fn session_expires(message: &Message) -> Option<(Duration, Option<Refresher>)> {
    let interval = seconds(message.number(HeaderName::SessionExpires)?);
    let params = message.header(HeaderName::SessionExpires)?.split_once(';').map_or("", |(_, params)| params);
    let refresher = match Params::of(params).get("refresher") {
        Some(who) if who.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
        Some(who) if who.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
        _ => None,
    };
    Some((interval, refresher))
}

fn seconds(number: u32) -> Duration {
    Duration::from_secs(number.into()).clamp(MIN, MAX)
}
