//! Provisional answers of ours that are repeated until their PRACK comes (RFC 3262 §3).

use super::terms::{RELIABLE, names};
use super::{Asked, Phase, Session, sdp_of};
use crate::message::{HeaderName, Message};
use crate::ua::wire::{Wire, reply_flow};
use crate::ua::{EarlyMedia, Flow, How, Prack};
use base::Time;
use std::collections::VecDeque;
use std::time::Duration;

/// The most that are on their way at a time, and that wait to be sent.
const AT_A_TIME: usize = 8;
/// RSeq begins below this (§3: below 2^31, and it only rises).
const FIRST_BELOW: u64 = 1 << 16;

/// What a provisional answer says.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    pub(super) status: u16,
    pub(super) sdp: Option<Vec<u8>>,
    pub(super) early_media: Option<EarlyMedia>,
}

/// The reliable provisional answers to one INVITE.
#[derive(Debug)]
pub(super) struct Reliable {
    next: u32,
    /// The first has been acknowledged: from then on several may be on their way.
    begun: bool,
    sent: Vec<Sent>,
    waiting: VecDeque<Progress>,
    answered: bool,
}

#[derive(Debug)]
struct Sent {
    rseq: u32,
    bytes: Vec<u8>,
    flow: Flow,
    again: Time,
    interval: Duration,
    until: Time,
    described: bool,
}

/// Whether provisional answers to this INVITE are sent reliably. A final status if it cannot be spoken with:
/// 420 if it requires what is off, 421 if it lacks what is required.
pub(super) fn agreed(prack: Prack, invite: &Message) -> Result<bool, u16> {
    let required = names(invite, HeaderName::Require, RELIABLE);
    let known = required || names(invite, HeaderName::Supported, RELIABLE);
    match prack {
        Prack::Off if required => Err(420),
        Prack::Off => Ok(false),
        Prack::Required if !known => Err(421),
        Prack::Supported | Prack::Required => Ok(known),
    }
}

impl Reliable {
    pub(super) fn new(wire: &mut Wire) -> Reliable {
        let next = 1 + wire.rng.below(FIRST_BELOW) as u32;
        Reliable { next, begun: false, sent: Vec::new(), waiting: VecDeque::new(), answered: false }
    }

    /// Whether the answer to the INVITE's offer is in one that was sent.
    pub(super) fn is_answered(&self) -> bool {
        self.answered
    }

    /// Whether one that described the session has no PRACK yet: no 2xx before that (§3).
    pub(super) fn holds_success_back(&self) -> bool {
        self.sent.iter().any(|sent| sent.described)
    }

    /// A final answer is sent: nothing more is repeated, but a PRACK is still taken.
    pub(super) fn silence(&mut self) {
        self.waiting.clear();
        for sent in &mut self.sent {
            (sent.again, sent.until) = (Time::FAR, Time::FAR);
        }
    }

    pub(super) fn deadline(&self) -> Time {
        self.sent.iter().map(|sent| sent.again.min(sent.until)).min().unwrap_or(Time::FAR)
    }

    /// Whether the next one can go now. It is kept if not.
    fn admits(&mut self, progress: &Progress) -> bool {
        let free = if self.begun { self.sent.len() < AT_A_TIME } else { self.sent.is_empty() };
        if !free && (self.waiting.len() < AT_A_TIME || progress.sdp.is_some()) {
            self.waiting.truncate(AT_A_TIME);
            self.waiting.push_back(progress.clone());
        }
        free
    }

    /// The number of the next one, which describes the session or not.
    fn number(&mut self) -> u32 {
        let number = self.next;
        self.next += 1;
        number
    }

    /// Takes the one that a PRACK is about off. False if there is none.
    fn acknowledged(&mut self, rack: Option<(u32, u32)>, invite: u32) -> bool {
        let Some((rseq, _)) = rack.filter(|(_, cseq)| *cseq == invite) else { return false };
        let before = self.sent.len();
        self.sent.retain(|sent| sent.rseq != rseq);
        self.begun |= self.sent.len() < before;
        self.sent.len() < before
    }
}

impl Session {
    /// Sends a provisional answer reliably, or keeps it until it may be sent.
    pub(super) fn progress_reliably(&mut self, wire: &mut Wire, now: Time, mut progress: Progress) {
        let (Phase::Invited(invited), Some(reliable)) = (&self.phase, &mut self.reliable) else { return };
        if reliable.answered {
            progress.sdp = None;
        }
        if !reliable.admits(&progress) {
            return;
        }
        let rseq = reliable.number();
        let described = progress.sdp.is_some();
        reliable.answered |= described;
        let Asked { transaction, request, flow } = &invited.asked;
        let (status, flow) = (progress.status, reply_flow(request, *flow));
        let writer = self.provisional(wire, invited, progress).header("Require", RELIABLE);
        let bytes = writer.header("RSeq", rseq).finish();
        wire.transactions.reply(now, *transaction, status, bytes.clone(), &mut wire.out);
        let t1 = wire.config.timers.t1;
        let sent = Sent { rseq, bytes, flow, again: now + t1, interval: t1, until: now + t1 * 64, described };
        if let Some(reliable) = &mut self.reliable {
            reliable.sent.push(sent);
        }
    }

    /// The peer's PRACK: 200 if it is about one of ours, 481 if not (§3). An offer in it is the engine's to
    /// answer.
    pub(super) fn pracked(&mut self, wire: &mut Wire, now: Time, asked: Asked) {
        let rack = rack_of(&asked.request);
        let invite = self.invite_cseq;
        if !self.reliable.as_mut().is_some_and(|reliable| reliable.acknowledged(rack, invite)) {
            return self.reply(wire, now, &asked, 481);
        }
        match sdp_of(&asked.request) {
            Some(sdp) => self.offered_by_prack(wire, now, asked, sdp),
            None => self.reply(wire, now, &asked, 200),
        }
        self.progress_that_waited(wire, now);
        self.accept_that_waited(wire, now);
    }

    pub(super) fn reliable_timeout(&mut self, wire: &mut Wire, now: Time) {
        let Some(reliable) = &mut self.reliable else { return };
        if let Some(late) = reliable.sent.iter().find(|sent| sent.until <= now) {
            let seconds = (wire.config.timers.t1 * 64).as_secs();
            let remote = late.flow.remote;
            let detail = format!("a reliable provisional answer to {remote} got no PRACK in {seconds} s");
            return self.refuse_as(wire, now, (504, None, None), How::NotAcknowledged, detail);
        }
        for sent in reliable.sent.iter_mut().filter(|sent| sent.again <= now) {
            sent.interval *= 2;
            sent.again = now + sent.interval;
            wire.send(sent.flow, sent.bytes.clone());
        }
    }

    fn progress_that_waited(&mut self, wire: &mut Wire, now: Time) {
        let waiting = self.reliable.as_mut().map(|reliable| std::mem::take(&mut reliable.waiting));
        for progress in waiting.into_iter().flatten() {
            self.progress_reliably(wire, now, progress);
        }
    }
}

/// RSeq and CSeq of a PRACK's RAck, if that is about an INVITE (RFC 3262 §7.2).
fn rack_of(prack: &Message) -> Option<(u32, u32)> {
    let mut words = prack.header(HeaderName::Rack)?.split_ascii_whitespace();
    let (rseq, cseq) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    words.next().is_some_and(|method| method == "INVITE").then_some((rseq, cseq))
}
