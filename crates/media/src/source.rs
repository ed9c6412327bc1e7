//! From which address a party is heard, and to which it is spoken to: symmetric RTP (RFC 4961) that a
//! stranger's packets cannot move.
//!
//! * The negotiated address is believed at once as long as nobody else has been.
//! * A packet that continues the accepted stream (same SSRC, sequence in range) moves it: the party's
//!   NAT has given it another port.
//! * Otherwise an address must send five consecutive packets within a second. The negotiated one may
//!   always win so; a stranger only while the party is not heard from where it was.

use std::net::SocketAddr;
use std::time::Duration;

use base::Time;

const PROBATION_PACKETS: u8 = 5;
const PROBATION_SPAN: Duration = Duration::from_secs(1);

/// A party that was heard this lately is not moved by a stranger: longer than the pauses of one that sends
/// nothing while it is not speaking, shorter than what makes it `Silent`.
const ALIVE_SPAN: Duration = Duration::from_secs(2);

/// So many addresses are under probation at a time. Another one takes the place of the one that has got
/// least far, so that a stranger's changing addresses do not push the party out.
const CANDIDATES_MAX: usize = 4;

#[derive(Debug)]
pub(crate) struct Source {
    negotiated: SocketAddr,
    learned: Option<SocketAddr>,
    heard_at: Time,
    candidates: [Option<Candidate>; CANDIDATES_MAX],
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    from: SocketAddr,
    ssrc: u32,
    next: u16,
    count: u8,
    since: Time,
}

impl Source {
    pub(crate) fn new(negotiated: SocketAddr) -> Source {
        Source { negotiated, learned: None, heard_at: Time::ZERO, candidates: [None; CANDIDATES_MAX] }
    }

    /// A new agreement. If the address is another one, what was learned of the old one is void.
    pub(crate) fn negotiate(&mut self, negotiated: SocketAddr) {
        if self.negotiated != negotiated {
            *self = Source::new(negotiated);
        }
    }

    /// Where to send.
    pub(crate) fn target(&self) -> SocketAddr {
        self.learned.unwrap_or(self.negotiated)
    }

    /// Where valid packets came from last, if any did.
    pub(crate) fn learned(&self) -> Option<SocketAddr> {
        self.learned
    }

    /// Whether a packet from there is the party's. `continues` says that it fits the stream that was
    /// accepted before.
    pub(crate) fn accept(
        &mut self,
        now: Time,
        from: SocketAddr,
        ssrc: u32,
        sequence: u16,
        continues: bool,
    ) -> bool {
        let is_believed = match self.learned {
            Some(learned) => same(learned, from),
            None => same(self.negotiated, from),
        };
        if !is_believed && !continues && !self.passes_probation(now, from, ssrc, sequence) {
            return false;
        }
        if !is_believed {
            self.candidates = [None; CANDIDATES_MAX];
        }
        self.learned = Some(from);
        self.heard_at = now;
        true
    }

    fn passes_probation(&mut self, now: Time, from: SocketAddr, ssrc: u32, sequence: u16) -> bool {
        let is_alive = self.learned.is_some() && now - self.heard_at < ALIVE_SPAN;
        if is_alive && !same(from, self.negotiated) {
            return false;
        }
        let fresh = Candidate { from, ssrc, next: sequence.wrapping_add(1), count: 1, since: now };
        let known = self.candidates.iter_mut().flatten().find(|known| same(known.from, from));
        let Some(candidate) = known else {
            self.admit(fresh);
            return false;
        };
        if candidate.ssrc != ssrc || candidate.next != sequence || now - candidate.since > PROBATION_SPAN {
            *candidate = fresh;
            return false;
        }
        candidate.next = fresh.next;
        candidate.count += 1;
        candidate.count >= PROBATION_PACKETS
    }

    fn admit(&mut self, candidate: Candidate) {
        let now = candidate.since;
        let worth = |place: &&mut Option<Candidate>| {
            let known = place.filter(|known| now - known.since <= PROBATION_SPAN);
            known.map(|known| (known.count, known.since))
        };
        if let Some(place) = self.candidates.iter_mut().min_by_key(worth) {
            *place = Some(candidate);
        }
    }
}

/// The same address and port. Scope and flow of IPv6 are the kernel's, and SDP does not tell them.
pub(crate) fn same(a: SocketAddr, b: SocketAddr) -> bool {
    a.port() == b.port() && a.ip().to_canonical() == b.ip().to_canonical()
}
