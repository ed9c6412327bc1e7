//! A circuit breaker: a source that keeps failing is left alone for a while, so that callers do not wait for what
//! will not come and the source can recover. Then one question tries it.

use base::Time;
use std::time::Duration;

/// So many failures in a row open it.
const IN_A_ROW: u32 = 5;
/// So do more failures than half of so many questions.
const WINDOW: u32 = 20;
/// How long it stays open at first; twice as long after each trial that fails.
const OPEN: Duration = Duration::from_secs(10);
const OPEN_MAX: Duration = Duration::from_secs(60);
/// A trial of which nothing was heard for so long is none: nobody waits so long for an answer.
const TRIAL_MAX: Duration = Duration::from_secs(60);

/// One source's.
#[derive(Debug)]
pub(crate) struct Breaker {
    state: State,
    /// How often the state has changed.
    epoch: u64,
    in_a_row: u32,
    /// The last questions, the newest in the lowest bit: 1 is a failure.
    window: u32,
    asked: u32,
    open_for: Duration,
}

#[derive(Debug)]
enum State {
    Closed,
    Open { until: Time },
    Trying { since: Time },
}

/// The leave to ask, which has to be given back with what came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leave {
    epoch: u64,
}

/// What a result has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The source is left alone for so long.
    Opened(Duration),
    /// It is asked again.
    Closed,
}

impl Default for Breaker {
    fn default() -> Breaker {
        Breaker { state: State::Closed, epoch: 0, in_a_row: 0, window: 0, asked: 0, open_for: OPEN }
    }
}

impl Breaker {
    /// Whether the source may be asked now.
    pub(crate) fn may_ask(&mut self, now: Time) -> Option<Leave> {
        let is_trial_due = match self.state {
            State::Closed => return Some(Leave { epoch: self.epoch }),
            State::Open { until } => until <= now,
            State::Trying { since } => now.since(since) > TRIAL_MAX,
        };
        is_trial_due.then(|| {
            self.change(State::Trying { since: now });
            Leave { epoch: self.epoch }
        })
    }

    /// What came of a question. One that was asked before the last change says nothing any more.
    pub(crate) fn told(&mut self, now: Time, leave: Leave, worked: bool) -> Option<Change> {
        if leave.epoch != self.epoch {
            return None;
        }
        match (&self.state, worked) {
            (State::Closed, _) => {
                self.count(worked);
                self.is_too_bad().then(|| self.open(now))
            }
            (_, true) => {
                *self = Breaker { epoch: self.epoch + 1, ..Breaker::default() };
                Some(Change::Closed)
            }
            (_, false) => {
                self.open_for = (self.open_for * 2).min(OPEN_MAX);
                Some(self.open(now))
            }
        }
    }

    fn count(&mut self, worked: bool) {
        self.in_a_row = if worked { 0 } else { self.in_a_row.saturating_add(1) };
        self.window = (self.window << 1 | u32::from(!worked)) & ((1 << WINDOW) - 1);
        self.asked = (self.asked + 1).min(WINDOW);
    }

    fn is_too_bad(&self) -> bool {
        self.in_a_row >= IN_A_ROW || (self.asked == WINDOW && self.window.count_ones() > WINDOW / 2)
    }

    fn open(&mut self, now: Time) -> Change {
        self.change(State::Open { until: now + self.open_for });
        Change::Opened(self.open_for)
    }

    fn change(&mut self, state: State) {
        self.state = state;
        self.epoch += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::from_millis(seconds * 1000)
    }

    /// Asks at that second; nothing if that is not allowed.
    fn ask(breaker: &mut Breaker, second: u64, worked: bool) -> Option<Option<Change>> {
        let leave = breaker.may_ask(at(second))?;
        Some(breaker.told(at(second), leave, worked))
    }

    fn opened() -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 1..IN_A_ROW {
            assert_eq!(ask(&mut breaker, 0, false), Some(None));
        }
        assert_eq!(ask(&mut breaker, 0, false), Some(Some(Change::Opened(OPEN))));
        breaker
    }

    #[test]
    fn five_failures_in_a_row_open_it_and_four_do_not() {
        let mut breaker = Breaker::default();
        for round in 0..20 {
            let worked = round % 5 == 4;
            // Four of five fail: never five in a row, but after twenty more than half of them.
            let change = ask(&mut breaker, round, worked);
            let expected = if round < 19 { None } else { Some(Change::Opened(OPEN)) };
            assert_eq!(change, Some(expected), "question {round}");
        }
        opened();
    }

    #[test]
    fn half_of_the_last_twenty_may_fail() {
        let mut breaker = Breaker::default();
        for round in 0..200 {
            assert_eq!(ask(&mut breaker, round, round % 2 == 0), Some(None));
        }
        assert_eq!(ask(&mut breaker, 200, true), Some(None));
        // Only the last twenty count.
        assert_eq!(ask(&mut breaker, 200, false), Some(None));
        assert!(matches!(ask(&mut breaker, 200, false), Some(Some(Change::Opened(_)))), "eleven of twenty");
    }

    #[test]
    fn while_it_is_open_nobody_asks_and_then_one_tries() {
        let mut breaker = opened();
        assert!(breaker.may_ask(at(9)).is_none());
        let trial = breaker.may_ask(at(10)).unwrap();
        assert!(breaker.may_ask(at(10)).is_none(), "one at a time");
        assert_eq!(breaker.told(at(11), trial, true), Some(Change::Closed));
        assert_eq!(ask(&mut breaker, 11, false), Some(None), "the count begins anew");
    }

    #[test]
    fn a_trial_that_fails_doubles_the_time_up_to_a_minute() {
        let mut breaker = opened();
        let mut now = 10;
        for seconds in [20, 40, 60, 60] {
            let change = ask(&mut breaker, now, false);
            assert_eq!(change, Some(Some(Change::Opened(Duration::from_secs(seconds)))));
            assert!(breaker.may_ask(at(now + seconds - 1)).is_none());
            now += seconds;
        }
        assert_eq!(ask(&mut breaker, now, true), Some(Some(Change::Closed)));
    }

    #[test]
    fn what_was_asked_before_it_opened_neither_closes_it_nor_ends_a_trial() {
        let mut breaker = Breaker::default();
        let early = breaker.may_ask(at(0)).unwrap();
        for _ in 0..IN_A_ROW {
            ask(&mut breaker, 0, false);
        }
        assert_eq!(breaker.told(at(1), early, true), None);
        assert!(breaker.may_ask(at(2)).is_none());
        let trial = breaker.may_ask(at(10)).unwrap();
        assert_eq!(breaker.told(at(10), early, false), None);
        assert_eq!(breaker.told(at(10), trial, true), Some(Change::Closed));
    }

    #[test]
    fn a_trial_that_is_never_told_of_is_followed_by_another() {
        let mut breaker = opened();
        breaker.may_ask(at(10)).unwrap();
        assert!(breaker.may_ask(at(70)).is_none());
        assert!(breaker.may_ask(at(71)).is_some());
    }
}
