//! From which address a party is heard, and to which it is spoken to: symmetric RTP (RFC 4961) that a
//! stranger's packets cannot move.
//!
//! * The negotiated address is believed at once as long as nobody else has been.
//! * A packet that continues the accepted stream (same SSRC, sequence in range) moves it: the party's
//!   NAT has given it another port.
//! * Otherwise an address must send five packets of one source within a second, whose numbers lie near each other, in
//!   whatever order a network that delays each of them anew delivers them. The negotiated one may
//!   always win so; a stranger only while the party is not heard from where it was.

use std::net::SocketAddr;
use std::time::Duration;

use base::Time;

use crate::rtp::ahead;

const PROBATION_PACKETS: u32 = 5;
const PROBATION_SPAN: Duration = Duration::from_secs(1);

/// So far behind the first packet of a probation, and nearly so far ahead of it, others belong to it.
const PROBATION_REACH: i16 = 32;

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
    first: u16,
    /// The numbers that came: a bit for each from `PROBATION_REACH` before the first on.
    seen: u64,
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
        let fresh = Candidate { from, ssrc, first: sequence, seen: bit(0).unwrap_or(0), since: now };
        let known = self.candidates.iter_mut().flatten().find(|known| same(known.from, from));
        let Some(candidate) = known else {
            self.admit(fresh);
            return false;
        };
        let place = bit(ahead(sequence, candidate.first));
        match place.filter(|_| candidate.ssrc == ssrc && now - candidate.since <= PROBATION_SPAN) {
            Some(place) => candidate.seen |= place,
            None => *candidate = fresh,
        }
        candidate.count() >= PROBATION_PACKETS
    }

    fn admit(&mut self, candidate: Candidate) {
        let now = candidate.since;
        let worth = |place: &&mut Option<Candidate>| {
            let known = place.filter(|known| now - known.since <= PROBATION_SPAN);
            known.map(|known| (known.count(), known.since))
        };
        if let Some(place) = self.candidates.iter_mut().min_by_key(worth) {
            *place = Some(candidate);
        }
    }
}

impl Candidate {
    fn count(&self) -> u32 {
        self.seen.count_ones()
    }
}

fn bit(ahead: i16) -> Option<u64> {
    let place = u32::try_from(ahead.checked_add(PROBATION_REACH)?).ok()?;
    1u64.checked_shl(place)
}

/// The same address and port. Scope and flow of IPv6 are the kernel's, and SDP does not tell them.
pub(crate) fn same(a: SocketAddr, b: SocketAddr) -> bool {
    a.port() == b.port() && a.ip().to_canonical() == b.ip().to_canonical()
}
