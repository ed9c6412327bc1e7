use super::shard_thread::ToShard;
use crate::handshakes::{Answer, Ask, Asking};
use crossbeam_channel::Sender;
use media::HandshakePeer;
use media_api::LegId;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// Datagrams of one tick: more than all flights that peers send at once, and few enough that who floods leaves room.
const DATAGRAMS_A_TICK: u32 = 128;

/// Which handshake is to begin, and with whom, or is to end.
pub(super) type Word = (u32, Option<Arc<HandshakePeer>>);

/// A shard's way to the thread of handshakes, on which it never waits.
pub(super) struct Shaking {
    asking: Asking,
    answer: Answer,
    /// What found the thread's queue full: the last word of each leg.
    waiting: BTreeMap<LegId, Word>,
    /// Legs that came from another shard and whose handshakes are to be told here.
    come: BTreeSet<LegId>,
    datagrams: u32,
}

impl Shaking {
    /// `shard` gets what comes of it. Its queue is emptied in every tick, so that the thread may wait for it.
    pub(super) fn new(asking: Asking, shard: &Sender<ToShard>) -> Shaking {
        let shard = shard.clone();
        let answer: Answer = Arc::new(move |leg, number, told| {
            // The shard has ended: nobody waits for it.
            let _ = shard.send(ToShard::Handshake { leg, number, told });
        });
        Shaking { asking, answer, waiting: BTreeMap::new(), come: BTreeSet::new(), datagrams: 0 }
    }

    /// There is to be a handshake.
    pub(super) fn begin(&mut self, leg: LegId, number: u32, peer: Arc<HandshakePeer>) {
        self.waiting.insert(leg, (number, Some(peer)));
        self.flush_waiting();
    }

    /// There is to be none any more.
    pub(super) fn end(&mut self, leg: LegId, number: u32) {
        self.waiting.insert(leg, (number, None));
        self.flush_waiting();
    }

    /// The peer has sent this. It may be lost, and then the peer sends it again.
    pub(super) fn datagram(&mut self, leg: LegId, number: u32, bytes: &[u8]) {
        self.datagrams += 1;
        let overtakes = self.waiting.contains_key(&leg) || self.come.contains(&leg);
        if self.datagrams <= DATAGRAMS_A_TICK && !overtakes {
            let _ = self.asking.ask(Ask::Datagram { leg, number, bytes: bytes.into() });
        }
    }

    /// The leg goes to another shard, and so does what waits here for it: told from here, it would be answered here.
    pub(super) fn goes_on_elsewhere(&mut self, leg: LegId) -> Option<Word> {
        self.come.remove(&leg);
        self.waiting.remove(&leg)
    }

    /// The leg came from another shard, where this waited: what becomes of its handshake is to be told here.
    pub(super) fn goes_on_here(&mut self, leg: LegId, word: Option<Word>) {
        self.come.insert(leg);
        self.waiting.extend(word.map(|word| (leg, word)));
        self.flush_waiting();
    }

    /// A tick is over.
    pub(super) fn flush(&mut self) {
        self.datagrams = 0;
        self.flush_waiting();
    }

    /// Whether nothing waits for the next tick.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.come.is_empty()
    }

    fn flush_waiting(&mut self) {
        while let Some(leg) = self.come.pop_first() {
            if self.asking.ask(Ask::Tell { leg, answer: Arc::clone(&self.answer) }).is_err() {
                self.come.insert(leg);
                return;
            }
        }
        while let Some((leg, (number, peer))) = self.waiting.pop_first() {
            let ask = match peer.clone() {
                Some(peer) => Ask::Begin { leg, number, peer, answer: Arc::clone(&self.answer) },
                None => Ask::End { leg, number },
            };
            if self.asking.ask(ask).is_err() {
                self.waiting.insert(leg, (number, peer));
                return;
            }
        }
    }
}

impl fmt::Debug for Shaking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shaking({} waiting)", self.waiting.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handshakes::Told;
    use crossbeam_channel::{Receiver, unbounded};
    use media_api::Offerer;

    const LEG: LegId = LegId(1);

    /// Two shards and what both ask, of which one thing may wait. It is something of no matter here.
    fn shards() -> ([(Shaking, Receiver<ToShard>); 2], Receiver<Ask>) {
        let (asking, asked) = Asking::new(1);
        let mut shards = [(); 2].map(|()| {
            let (shard, told) = unbounded();
            (Shaking::new(asking.clone(), &shard), told)
        });
        shards[0].0.end(LegId(99), 1);
        (shards, asked)
    }

    #[test]
    fn what_waits_for_the_thread_goes_along_with_its_leg_and_is_answered_where_it_is() {
        let ([(mut one, told_one), (mut other, told_other)], asked) = shards();
        let peer = HandshakePeer { fingerprints: Vec::new(), offerer: Offerer::Peer };
        one.begin(LEG, 1, Arc::new(peer));
        let word = one.goes_on_elsewhere(LEG);
        assert!(one.is_idle());
        other.goes_on_here(LEG, word);
        let mut asks = Vec::new();
        while let Ok(ask) = asked.try_recv() {
            asks.push(ask);
            one.flush();
            other.flush();
        }
        let [_, Ask::Tell { leg: LEG, .. }, Ask::Begin { leg: LEG, number: 1, answer, .. }] = &asks[..]
        else {
            panic!("{} asked", asks.len())
        };
        answer(LEG, 1, Told::Closed);
        assert_eq!((told_one.len(), told_other.len()), (0, 1));
    }

    #[test]
    fn no_datagram_is_passed_on_before_the_thread_knows_where_the_leg_is() {
        let ([_, (mut other, _told)], asked) = shards();
        other.goes_on_here(LEG, None);
        assert!(asked.try_recv().is_ok());
        other.datagram(LEG, 1, &[22]);
        other.flush();
        assert!(matches!(asked.try_recv(), Ok(Ask::Tell { leg: LEG, .. })));
        other.datagram(LEG, 1, &[22]);
        assert!(matches!(asked.try_recv(), Ok(Ask::Datagram { leg: LEG, .. })));
    }

    #[test]
    fn a_shard_that_handed_a_leg_on_asks_for_it_no_more() {
        let ([(mut one, _one), (mut other, told_other)], asked) = shards();
        one.goes_on_here(LEG, None);
        let word = one.goes_on_elsewhere(LEG);
        other.goes_on_here(LEG, word);
        assert!(asked.try_recv().is_ok());
        one.flush();
        assert!(asked.try_recv().is_err());
        other.flush();
        let Ok(Ask::Tell { answer, .. }) = asked.try_recv() else { panic!("not told of") };
        answer(LEG, 1, Told::Closed);
        assert_eq!(told_other.len(), 1);
    }
}
