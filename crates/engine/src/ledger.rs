//! Facts get their numbers here and nowhere else.

use crate::Output;
use base::{Rng, Time, Wall};
use facts::{Fact, FactKind, name_in};
use std::collections::VecDeque;
use std::time::Duration;

/// The next number, the time of day, and the way out.
#[derive(Debug)]
pub(crate) struct Ledger {
    next: u64,
    wall_at_zero: Wall,
    rng: Rng,
}

/// A call's own place in the log.
#[derive(Debug, Clone)]
pub(crate) struct CallLog {
    pub(crate) id: String,
    /// The body whose service has the call.
    pub(crate) body: Option<String>,
    pub(crate) callseq: u32,
}

impl CallLog {
    /// What the body's own `name` is called outside of it.
    pub(crate) fn name_of(&self, name: &str) -> String {
        name_in(self.body.as_deref(), name)
    }
}

impl Ledger {
    pub(crate) fn new(head: Option<u64>, rng: Rng) -> Ledger {
        Ledger { next: head.unwrap_or(0) + 1, wall_at_zero: Wall::default(), rng }
    }

    /// From now on, `now` is `wall` o'clock.
    pub(crate) fn set_wall(&mut self, now: Time, wall: Wall) {
        self.wall_at_zero = Wall::from_unix_micros(wall.unix_micros().saturating_sub(micros(now)));
    }

    pub(crate) fn wall(&self, now: Time) -> Wall {
        self.wall_at_zero + Duration::from_micros(now.micros())
    }

    /// The number of the last fact.
    pub(crate) fn head(&self) -> u64 {
        self.next - 1
    }

    /// A fact of no call: of a body, if it is.
    pub(crate) fn note(
        &mut self,
        now: Time,
        body: Option<String>,
        kind: FactKind,
        out: &mut VecDeque<Output>,
    ) {
        self.push(now, (None, 0), body, kind, out);
    }

    /// A fact of a call.
    pub(crate) fn note_call(
        &mut self,
        now: Time,
        log: &mut CallLog,
        kind: FactKind,
        out: &mut VecDeque<Output>,
    ) {
        log.callseq += 1;
        self.push(now, (Some(log.id.clone()), log.callseq), log.body.clone(), kind, out);
    }

    fn push(
        &mut self,
        now: Time,
        (call, callseq): (Option<String>, u32),
        body: Option<String>,
        kind: FactKind,
        out: &mut VecDeque<Output>,
    ) {
        let fact = Fact { number: self.next, at: self.wall(now), call, callseq, body, kind };
        self.next += 1;
        out.push_back(Output::Fact(fact));
    }

    /// The log of a new call, of a body if it is one's. Its id: the node, then a ULID, so that ids sort by time and no two nodes give the same.
    pub(crate) fn open_call(&mut self, now: Time, node: &str, body: Option<String>) -> CallLog {
        const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let millis = (self.wall(now).unix_micros() / 1000) as u128 & 0xffff_ffff_ffff;
        let chance = u128::from(self.rng.next_u64()) << 16 | u128::from(self.rng.next_u32() & 0xffff);
        let bits = millis << 80 | chance;
        let ulid: String =
            (0..26).rev().map(|at| char::from(CROCKFORD[(bits >> (5 * at)) as usize & 31])).collect();
        CallLog { id: format!("{node}-{ulid}"), body, callseq: 0 }
    }
}

fn micros(now: Time) -> i64 {
    i64::try_from(now.micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Seed;

    #[test]
    fn numbers_go_on_where_the_log_ended() {
        let mut ledger = Ledger::new(Some(41), Seed::from_number(1).rng());
        let mut out = VecDeque::new();
        ledger.set_wall(Time::from_millis(5), Wall::from_unix_micros(1_000_000));
        ledger.note(Time::from_millis(7), None, FactKind::SystemStopping { calls: 0 }, &mut out);
        let Some(Output::Fact(fact)) = out.pop_front() else { panic!("a fact was noted") };
        assert_eq!((fact.number, fact.at), (42, Wall::from_unix_micros(1_002_000)));
        assert_eq!(ledger.head(), 42);
    }

    #[test]
    fn call_ids_are_unique_and_sort_by_time() {
        let mut ledger = Ledger::new(None, Seed::from_number(1).rng());
        ledger.set_wall(Time::ZERO, Wall::from_unix_micros(1_700_000_000_000_000));
        let first = ledger.open_call(Time::from_millis(1), "rm1", None).id;
        let second = ledger.open_call(Time::from_millis(2), "rm1", None).id;
        assert!(first < second, "{first} {second}");
        assert_eq!(first.len(), "rm1-".len() + 26);
    }
}
