//! A phone's session timer (RFC 4028), by its own reading of the RFC: who refreshes, and what a phone does that
//! forgets to.

use super::manners::one_of;
use super::text::Message;
use base::{Rng, Time};
use std::time::Duration;

/// After the end of a session: whoever did not hang up by then never will.
const LATE: Duration = Duration::from_secs(3);
/// Between two tries to refresh.
const AGAIN: Duration = Duration::from_secs(3);

/// What a phone has of session timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    /// It does not know them.
    Unknown,
    /// It asks to refresh, and does.
    Refreshes,
    /// It leaves that to the exchange.
    Waits,
    /// It asks to refresh, and does not.
    Neglects,
    /// It asks for a shorter time than anybody takes, learns from the 422, and refreshes.
    Hurries,
}

/// The timer of one session.
#[derive(Clone, Debug)]
pub(crate) struct SessionTimer {
    pub(crate) habit: Habit,
    /// Refreshes are UPDATEs, not re-INVITEs.
    pub(crate) by_update: bool,
    /// Seconds to ask for.
    asks: u32,
    least: Option<u32>,
    agreed: Option<Agreed>,
}

#[derive(Clone, Copy, Debug)]
struct Agreed {
    interval: Duration,
    mine: bool,
    since: Time,
    /// When something is to be done about it.
    due: Time,
}

/// What is to be done about the timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    Refresh,
    /// It was not refreshed in time, and lives: who should have refreshed it?
    Over {
        mine: bool,
        since: Time,
    },
}

impl SessionTimer {
    pub(crate) fn draw(rng: &mut Rng, bad: bool) -> SessionTimer {
        let habit = match rng.below(10) {
            0 | 1 => Habit::Refreshes,
            2 => Habit::Waits,
            3 if bad => Habit::Neglects,
            4 if bad => Habit::Hurries,
            _ => Habit::Unknown,
        };
        let asks = if habit == Habit::Hurries { 30 } else { one_of(rng, &[90, 100, 120]) };
        SessionTimer { habit, by_update: rng.chance_permille(500), asks, least: None, agreed: None }
    }

    /// The value of Session-Expires in a request of the phone's that begins or refreshes the session.
    pub(crate) fn asked(&self) -> Option<String> {
        let refresher = match (self.habit, self.agreed) {
            (Habit::Unknown, _) => return None,
            (_, Some(Agreed { mine, .. })) => [";refresher=uas", ";refresher=uac"][usize::from(mine)],
            (Habit::Waits, None) => ";refresher=uas",
            _ => ";refresher=uac",
        };
        let agreed = self.agreed.map(|agreed| agreed.interval.as_secs());
        let seconds = agreed.unwrap_or(u64::from(self.asks.max(self.least.unwrap_or(0))));
        Some(format!("{seconds}{refresher}"))
    }

    /// The value of Min-SE, once it was learned.
    pub(crate) fn least(&self) -> Option<String> {
        self.least.map(|least| least.to_string())
    }

    /// A 422: whether it taught something.
    pub(crate) fn refused(&mut self, answer: &Message<'_>) -> bool {
        let least = answer.header("Min-SE").parse().ok();
        let news = least > self.least;
        self.least = least.max(self.least);
        news
    }

    /// A 2xx to a request of the phone's that began or refreshed the session. False if the exchange agreed to
    /// what it may not: more than was asked for.
    pub(crate) fn answered(&mut self, now: Time, answer: &Message<'_>) -> bool {
        if self.habit == Habit::Unknown {
            return true;
        }
        let value = answer.header("Session-Expires");
        let Some(seconds) = seconds_of(value) else {
            if let Some(Agreed { interval, mine, .. }) = self.agreed {
                self.agree(now, interval, mine);
            }
            return true;
        };
        let asked = u64::from(self.asks.max(self.least.unwrap_or(0)));
        let fits = self.agreed.is_some() || seconds <= asked.max(90);
        let mine = !value.contains("refresher=uas");
        self.agree(now, Duration::from_secs(seconds), mine);
        fits
    }

    /// A request of the exchange's that begins or refreshes the session: the value of Session-Expires in the
    /// phone's 2xx, if there is to be one.
    pub(crate) fn replies(&mut self, now: Time, request: &Message<'_>) -> Option<String> {
        let value = request.header("Session-Expires");
        let seconds = seconds_of(value).filter(|_| self.habit != Habit::Unknown)?;
        let mine = match (value.contains("refresher=uac"), value.contains("refresher=uas")) {
            (true, _) => false,
            (_, true) => true,
            _ => self.habit != Habit::Waits,
        };
        self.agree(now, Duration::from_secs(seconds), mine);
        Some(format!("{seconds};refresher={}", if mine { "uas" } else { "uac" }))
    }

    fn agree(&mut self, since: Time, interval: Duration, mine: bool) {
        let refreshes = mine && self.habit != Habit::Neglects;
        let due = since + if refreshes { interval / 2 } else { interval + LATE };
        self.agreed = Some(Agreed { interval, mine, since, due });
    }

    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        self.agreed.map(|agreed| agreed.due).filter(|due| *due < Time::FAR)
    }

    /// What is to be done now; it is told once.
    pub(crate) fn due(&mut self, now: Time) -> Due {
        let neglects = self.habit == Habit::Neglects;
        let Some(agreed) = self.agreed.as_mut().filter(|agreed| agreed.due <= now) else {
            return Due::Nothing;
        };
        agreed.due = Time::FAR;
        if agreed.mine && !neglects {
            return Due::Refresh;
        }
        Due::Over { mine: agreed.mine, since: agreed.since }
    }

    /// The refresh did not succeed: once more.
    pub(crate) fn again(&mut self, now: Time) {
        if let Some(agreed) = &mut self.agreed {
            agreed.due = now + AGAIN;
        }
    }
}

fn seconds_of(value: &str) -> Option<u64> {
    value.split(';').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timer(habit: Habit) -> SessionTimer {
        SessionTimer { habit, by_update: false, asks: 90, least: None, agreed: None }
    }

    fn ok(value: &str) -> String {
        format!("SIP/2.0 200 OK\r\nSession-Expires: {value}\r\n\r\n")
    }

    #[test]
    fn who_refreshes_does_so_at_half_time() {
        let mut timer = timer(Habit::Refreshes);
        assert_eq!(timer.asked().as_deref(), Some("90;refresher=uac"));
        let ok = ok("90;refresher=uac");
        assert!(timer.answered(Time::from_millis(0), &Message::read(ok.as_bytes()).unwrap()));
        assert_eq!(timer.due(Time::from_millis(44_999)), Due::Nothing);
        assert_eq!(timer.due(Time::from_millis(45_000)), Due::Refresh);
    }

    #[test]
    fn who_waits_sees_that_nobody_came() {
        let mut timer = timer(Habit::Waits);
        let ok = ok("90;refresher=uas");
        assert!(timer.answered(Time::from_millis(0), &Message::read(ok.as_bytes()).unwrap()));
        assert_eq!(timer.due(Time::from_millis(90_000)), Due::Nothing);
        let over = Due::Over { mine: false, since: Time::from_millis(0) };
        assert_eq!(timer.due(Time::from_millis(93_000)), over);
    }

    #[test]
    fn a_422_teaches_once() {
        let mut timer = timer(Habit::Hurries);
        let refusal = b"SIP/2.0 422 Session Interval Too Small\r\nMin-SE: 110\r\n\r\n";
        let refusal = Message::read(refusal).unwrap();
        assert!(timer.refused(&refusal));
        assert_eq!(timer.asked().as_deref(), Some("110;refresher=uac"));
        assert!(!timer.refused(&refusal));
    }
}
