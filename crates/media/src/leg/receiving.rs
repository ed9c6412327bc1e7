//! What comes in from the party.

use std::net::SocketAddr;

use base::{Key, Time};
use media_api::{Codec, Event, KeysBy, Payload};

use super::{Agreed, Leg, Route};
use crate::jitter::{Arrived, Content};
use crate::outbox::Outbox;
use crate::presses::KeyPacket;
use crate::reception::Arrival;
use crate::rtp::{self, Packet, TickRate};
use crate::source;

/// The packet types of RTCP, which with rtcp-mux no payload type may look like (RFC 5761 §4).
const RTCP_TYPES: std::ops::RangeInclusive<u8> = 192..=223;

/// Something that the party has said and that another one may hear.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Received<'a> {
    pub(crate) from: Key<Leg>,
    pub(crate) to: Route,
    pub(crate) spoken: Spoken,
    /// The sender counts anew from here.
    pub(crate) restarted: bool,
    /// A key that is pressed from here on.
    pub(crate) pressed: Option<char>,
    /// How many decibels below the loudest it is, as the sender says (RFC 6464).
    pub(crate) level: Option<u8>,
    pub(crate) packet: Packet<'a>,
}

/// What kind of packet it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spoken {
    Speech(Codec),
    Key(KeyPacket),
    /// A key in tones, in place of speech, that the other party gets by another way.
    Tones,
    /// RFC 3389: a sign of life in place of speech.
    ComfortNoise,
}

impl<'a> Received<'a> {
    /// As an ear takes it.
    pub(crate) fn arrived(&self) -> Arrived<'a> {
        Arrived {
            ssrc: self.packet.ssrc,
            sequence: self.packet.sequence,
            timestamp: self.packet.timestamp,
            marker: self.packet.marker,
            payload_type: self.packet.payload_type,
            content: match self.spoken {
                Spoken::Speech(codec) => Content::of(codec, self.packet.payload),
                Spoken::ComfortNoise => Content::Noise,
                Spoken::Key(_) | Spoken::Tones => Content::Other,
            },
            payload: self.packet.payload,
        }
    }
}

impl Leg {
    /// The packet as the party wrote it, if it is the party's: itself, or what comes out of it in `room`.
    pub(crate) fn open<'p>(
        &mut self,
        now: Time,
        is_report: bool,
        from: SocketAddr,
        bytes: &'p [u8],
        room: &'p mut Vec<u8>,
        out: &mut Outbox,
    ) -> Option<&'p [u8]> {
        let opened = self.protection.open(now, is_report, bytes, room);
        if opened.is_err() {
            self.rejected += 1;
            self.protection.complain(now, self.id, (is_report, from), out);
        }
        opened.ok()
    }

    /// Takes an RTP packet, and gives it back if someone is to hear it. Keys in tones are told, and kept from whom it talks
    /// with, if they are pressed on there.
    pub(crate) fn receive<'a>(
        &mut self,
        now: Time,
        (own, are_pressed_on): (Key<Leg>, bool),
        from: SocketAddr,
        bytes: &'a [u8],
        out: &mut Outbox,
    ) -> Option<Received<'a>> {
        let Some((packet, spoken, restarted)) = self.admit(now, from, bytes) else {
            self.rejected += 1;
            return None;
        };
        if let Some(after) = self.watchdog.heard(now) {
            out.event(Event::Restored { leg: self.id, after });
        }
        let is_heard = self.agreed.as_ref().is_some_and(|agreed| agreed.stream.may_receive());
        if !is_heard {
            return None;
        }
        let (mut pressed, mut passed_on) = (None, spoken);
        match spoken {
            Spoken::Key(key) => pressed = self.press(now, &key, out),
            Spoken::Speech(codec) => {
                if self.listen(now, (codec, packet.payload), are_pressed_on, out) {
                    passed_on = Spoken::Tones;
                }
            }
            Spoken::Tones | Spoken::ComfortNoise => {}
        }
        // A party that listens to a prompt speaks to nobody.
        let to = if self.player.is_some() { Route::Nobody } else { self.route };
        let numbered = self.agreed.as_ref().and_then(|agreed| agreed.stream.audio_level);
        let level = numbered.and_then(|number| rtp::audio_level(bytes, number));
        let received = Received { from: own, to, spoken, restarted, pressed, level, packet };
        if let Some(tap) = &mut self.tap {
            let codec = if let Spoken::Speech(codec) = spoken { Some(codec) } else { None };
            tap.hear(now, codec, &received.arrived());
        }
        self.is_heard_by_tap();
        (to != Route::Nobody).then_some(Received { spoken: passed_on, ..received })
    }

    /// Whether what came by the socket of RTP is a report: by agreement, and then by its packet type (RFC 5761 §4).
    pub(crate) fn is_report(&self, bytes: &[u8]) -> bool {
        let is_agreed = self.agreed.as_ref().is_some_and(|agreed| agreed.stream.rtcp_mux);
        is_agreed && bytes.get(1).is_some_and(|kind| RTCP_TYPES.contains(kind))
    }

    /// Takes an RTCP packet.
    pub(crate) fn receive_report(&mut self, now: Time, from: SocketAddr, bytes: &[u8]) {
        let is_found = self.ice.is_some();
        let is_sound = self.agreed.as_ref().is_some_and(|agreed| {
            // Before the speaker's SSRC is known, and while it is still only listening, the host must do.
            let is_expected = is_found
                || [agreed.stream.remote_rtcp, agreed.source.target()]
                    .iter()
                    .any(|known| known.ip().to_canonical() == from.ip().to_canonical());
            self.reports.take(now, from, bytes, &self.line, self.reception.ssrc(), is_expected)
        });
        if !is_sound {
            self.rejected += 1;
        }
    }

    /// Every check that a packet must pass before it means anything.
    fn admit<'a>(
        &mut self,
        now: Time,
        from: SocketAddr,
        bytes: &'a [u8],
    ) -> Option<(Packet<'a>, Spoken, bool)> {
        let agreed = self.agreed.as_mut()?;
        let packet = rtp::parse(bytes)?;
        let spoken = what_is_spoken(agreed, &packet)?;
        // A loop: the peer was told our own address as its own.
        if source::same(from, self.local) {
            return None;
        }
        let continues = self.reception.continues(packet.ssrc, packet.sequence);
        match &mut self.ice {
            // Who looks for us is where its checks come from.
            Some(ice) => ice.hear(from),
            None if agreed.source.accept(now, from, packet.ssrc, packet.sequence, continues) => {}
            None => return None,
        }
        if let Spoken::Speech(codec) = spoken {
            self.reception.set_rate(TickRate::of(codec));
        }
        let is_timed = !matches!(spoken, Spoken::Key(_));
        let arrival = self.reception.take(now, packet.ssrc, packet.sequence, packet.timestamp, is_timed);
        (arrival != Arrival::Doubtful).then_some((packet, spoken, arrival == Arrival::Restarted))
    }

    /// Gives the key if its press begins with this packet.
    fn press(&mut self, now: Time, packet: &KeyPacket, out: &mut Outbox) -> Option<char> {
        let digit = self.presses.take(now, packet)?;
        self.digits += 1;
        out.event(Event::Digit { leg: self.id, digit, held: packet.held(), by: KeysBy::Events });
        Some(digit)
    }
}

fn what_is_spoken(agreed: &Agreed, packet: &Packet<'_>) -> Option<Spoken> {
    match agreed.stream.payload(packet.payload_type)? {
        Payload::Speech(codec) => (!packet.payload.is_empty()).then_some(Spoken::Speech(codec)),
        Payload::Digits { clock_rate } => {
            let rate = TickRate::hz(clock_rate);
            KeyPacket::parse(packet.marker, packet.timestamp, packet.payload, rate).map(Spoken::Key)
        }
        Payload::ComfortNoise => Some(Spoken::ComfortNoise),
    }
}
