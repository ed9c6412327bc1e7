//! How much of each trunk is in use: the calls that it carries, and those that were begun within the last second.

use crate::Line;
use base::Time;
use sip::ua::SessionId;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// The trunks in use.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// The sessions that each trunk carries, of both directions.
    carried: BTreeMap<String, BTreeSet<SessionId>>,
    /// When the last calls by each trunk that counts them were begun.
    begun: BTreeMap<String, VecDeque<Time>>,
}

/// Why no call can be begun by a trunk now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// It carries as many as it can.
    Channels,
    /// As many as may be were begun within the last second.
    CallsPerSecond,
}

impl Lines {
    /// Whether one more call finds no room, from outside or by us.
    pub(crate) fn is_full(&self, trunk: &str, line: Option<&Line>) -> bool {
        let carried = self.carried.get(trunk).map_or(0, BTreeSet::len);
        line.and_then(|line| line.channels).is_some_and(|channels| carried >= channels as usize)
    }

    /// Why no call can be begun by us now; nothing if one can.
    pub(crate) fn full(&self, now: Time, trunk: &str, line: Option<&Line>) -> Option<Full> {
        if self.is_full(trunk, line) {
            return Some(Full::Channels);
        }
        let limit = line.and_then(|line| line.calls_per_second)? as usize;
        let begun = self.begun.get(trunk).into_iter().flatten();
        let lately = begun.filter(|at| now.since(**at) < SECOND).count();
        (lately >= limit).then_some(Full::CallsPerSecond)
    }

    /// We begin a call by this trunk.
    pub(crate) fn begin(&mut self, now: Time, trunk: &str, line: Option<&Line>) {
        if line.and_then(|line| line.calls_per_second).is_none() {
            self.begun.remove(trunk);
            return;
        }
        let begun = self.begun.entry(trunk.to_owned()).or_default();
        begun.retain(|at| now.since(*at) < SECOND);
        begun.push_back(now);
    }

    /// A trunk carries this session until it is released.
    pub(crate) fn carry(&mut self, trunk: &str, session: SessionId) {
        self.carried.entry(trunk.to_owned()).or_default().insert(session);
    }

    /// The session is over.
    pub(crate) fn release(&mut self, trunk: &str, session: SessionId) {
        let Some(carried) = self.carried.get_mut(trunk) else { return };
        carried.remove(&session);
        if carried.is_empty() {
            self.carried.remove(trunk);
        }
    }

    /// Whether no trunk carries anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.carried.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(channels: u32, calls_per_second: u32) -> Line {
        let (channels, calls_per_second) = (Some(channels), Some(calls_per_second));
        Line { channels, calls_per_second, ..Line::default() }
    }

    #[test]
    fn within_no_second_more_calls_are_begun_than_the_limit() {
        let (mut lines, line) = (Lines::default(), limited(1000, 5));
        let mut begun: Vec<u64> = Vec::new();
        for millis in (0..10_000).step_by(7) {
            let now = Time::from_millis(millis);
            match lines.full(now, "a", Some(&line)) {
                None => {
                    lines.begin(now, "a", Some(&line));
                    begun.push(millis);
                }
                why => assert_eq!(why, Some(Full::CallsPerSecond)),
            }
        }
        assert_eq!(begun.len(), 50, "{begun:?}");
        assert!(begun.windows(6).all(|six| six[5] - six[0] >= 1_000), "{begun:?}");
        assert!(lines.begun["a"].len() <= 5, "no more is remembered than is needed");
    }

    #[test]
    fn what_a_trunk_carries_is_given_back_once() {
        let (mut lines, line) = (Lines::default(), limited(2, 100));
        let mut sessions: base::Slots<sip::ua::Session> = base::Slots::new(4);
        let ids: Vec<SessionId> = (0..2).filter_map(|_| sessions.insert_with(|_| sip::ua::Session)).collect();
        let [first, second] = ids[..] else { panic!("two places") };
        lines.carry("a", first);
        lines.carry("a", first);
        assert!(!lines.is_full("a", Some(&line)), "the same session counts once");
        lines.carry("a", second);
        assert!(lines.is_full("a", Some(&line)) && !lines.is_full("b", Some(&line)));
        assert!(!lines.is_full("a", None), "a limit that was taken out holds nobody up");
        lines.release("a", first);
        lines.release("a", first);
        assert!(!lines.is_full("a", Some(&line)));
        lines.release("a", second);
        assert!(lines.is_empty());
    }
}
