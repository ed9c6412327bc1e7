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

/// A shard's way to the thread of handshakes, on which it never waits.
pub(super) struct Shaking {
    asking: Asking,
    answer: Answer,
    /// What found the thread's queue full: the last word of each leg, beginning or end.
    waiting: BTreeMap<LegId, (u32, Option<Arc<HandshakePeer>>)>,
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
        if self.datagrams <= DATAGRAMS_A_TICK && !self.waiting.contains_key(&leg) {
            let _ = self.asking.ask(Ask::Datagram { leg, number, bytes: bytes.into() });
        }
    }

    /// The leg came from another shard: what becomes of its handshake is to be told here.
    pub(super) fn goes_on_here(&mut self, leg: LegId) {
        self.come.insert(leg);
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
