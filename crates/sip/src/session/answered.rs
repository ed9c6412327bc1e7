//! A 200 of ours that waits for its ACK (RFC 3261 §13.3.1.4). It is repeated whatever the transport: any
//! hop on the way may be unreliable.

use super::{Asked, Phase, Session, sdp_of};
use crate::message::Message;
use crate::ua::wire::{Wire, reply_flow};
use crate::ua::{Event, Flow, How};
use base::Time;
use std::time::Duration;

/// The 200 and its timers.
#[derive(Debug)]
pub(super) struct Unacknowledged {
    cseq: u32,
    bytes: Vec<u8>,
    flow: Flow,
    again: Time,
    interval: Duration,
    until: Time,
    /// The ACK holds the answer to our offer.
    offered: bool,
    /// It answered the first INVITE, not a re-INVITE.
    first: bool,
    contact: String,
    source: Flow,
}

impl Unacknowledged {
    pub(super) fn new(
        wire: &Wire,
        now: Time,
        asked: &Asked,
        bytes: Vec<u8>,
        contact: String,
        offered: bool,
        first: bool,
    ) -> Unacknowledged {
        let t1 = wire.config.timers.t1;
        Unacknowledged {
            cseq: asked.request.cseq().map_or(0, |(number, _)| number),
            bytes,
            flow: reply_flow(&asked.request, asked.flow),
            again: now + t1,
            interval: t1,
            until: now + t1 * 64,
            offered,
            first,
            contact,
            source: asked.flow,
        }
    }

    pub(super) fn deadline(&self) -> Time {
        self.again.min(self.until)
    }

    /// Whether it answers the INVITE that made the session.
    pub(super) fn is_first(&self) -> bool {
        self.first
    }

    /// Whether the ACK holds the answer to an offer of ours.
    pub(super) fn is_offer(&self) -> bool {
        self.offered
    }

    fn evidence(&self, patience: Duration) -> String {
        let transport = self.source.transport.via_name();
        format!(
            "the 200 was not acknowledged in {} s; Contact sent was {}; the peer's source was {transport} {}",
            patience.as_secs(),
            self.contact,
            self.source.remote
        )
    }
}

impl Session {
    /// An ACK for a 2xx came. One that is known already, or of nothing, is passed over.
    pub(super) fn acknowledged(&mut self, wire: &mut Wire, now: Time, ack: &Message) {
        let Ok((cseq, _)) = ack.cseq() else { return };
        let Some(at) = self.unacknowledged.iter().position(|waiting| waiting.cseq == cseq) else { return };
        let waited = self.unacknowledged.remove(at);
        let sdp = sdp_of(ack).filter(|_| waited.offered);
        match (waited.first, sdp) {
            _ if self.told => {}
            (true, sdp) => wire.tell(Event::Confirmed { session: self.id, sdp }),
            (false, Some(sdp)) => wire.tell(Event::Reanswered { session: self.id, sdp }),
            (false, None) => {}
        }
        if self.unacknowledged.is_empty() {
            self.say_delayed_bye(wire, now);
            self.continue_reoffer(wire, now);
        }
    }

    /// Whether the first 200 waits for its ACK: no BYE of the callee before that (§15).
    pub(super) fn is_unconfirmed(&self) -> bool {
        self.unacknowledged.iter().any(|waiting| waiting.first)
    }

    pub(super) fn acknowledgement_timeout(&mut self, wire: &mut Wire, now: Time) {
        let t2 = wire.config.timers.t2;
        if let Some(late) = self.unacknowledged.iter().find(|waiting| waiting.until <= now) {
            let detail = late.evidence(wire.config.timers.t1 * 64);
            self.unacknowledged.clear();
            self.end(wire, How::NotAcknowledged, Some(200), None, detail);
            match self.phase {
                Phase::Established => self.send_bye(wire, now, None),
                _ => self.say_delayed_bye(wire, now),
            }
            return;
        }
        for waiting in self.unacknowledged.iter_mut().filter(|waiting| waiting.again <= now) {
            waiting.interval = (waiting.interval * 2).min(t2);
            waiting.again = now + waiting.interval;
            wire.send(waiting.flow, waiting.bytes.clone());
        }
    }
}
