//! What a leg says and what it is told, decoded side by side for whoever records it or listens to it outside of the shard.

use base::{Seed, Time};
use media_api::{Codec, Event, LegId, MessageEnd, Part, Tapping};

use super::Leg;
use super::message::Message;
use crate::cadence::{CATCH_UP_MAX, Cadence};
use crate::ear::{Hearing, Said};
use crate::jitter::{Arrived, Content};
use crate::outbox::Outbox;
use crate::quality::Heard;
use crate::rtp::Header;

/// Two channels of one clock.
#[derive(Debug)]
pub(super) struct Tap {
    sample_rate: u32,
    cadence: Cadence,
    /// Of the next frame.
    number: u64,
    part: Option<Part>,
    /// It ends by itself.
    message: Option<Message>,
    said: Channel,
    told: Channel,
}

#[derive(Debug)]
struct Channel {
    hearing: Hearing,
    frame: Vec<i16>,
}

impl Channel {
    fn new(seed: Seed) -> Channel {
        Channel { hearing: Hearing::new(seed), frame: Vec::new() }
    }

    /// Takes a packet; of speech in this codec, or of something else that only has its place.
    fn hear(&mut self, now: Time, codec: Option<Codec>, arrived: &Arrived<'_>, sample_rate: u32) {
        self.hearing.hear(now, codec.map(|codec| (codec, sample_rate)), arrived);
    }

    /// Makes the next frame. False if it is silence.
    fn take(&mut self, now: Time, length: usize) -> bool {
        let is_said = self.hearing.take(now, &mut self.frame) != Said::Nothing;
        self.frame.resize(length, 0);
        is_said
    }
}

impl Tap {
    fn new(now: Time, tapping: &Tapping, mut cadence: Cadence, seed: &Seed) -> Tap {
        cadence.start(now);
        let [said, told] = ["said", "told"].map(|name| Channel::new(seed.named(name)));
        Tap {
            sample_rate: tapping.sample_rate,
            cadence,
            number: tapping.part.map_or(0, |part| part.first),
            part: tapping.part,
            message: tapping.message.map(Message::new),
            said,
            told,
        }
    }

    /// Hands up the next frame; says why it was the last, if it was.
    fn hand_up(&mut self, now: Time, leg: LegId, out: &mut Outbox) -> Option<MessageEnd> {
        let length = (self.sample_rate / 50) as usize;
        let is_said = self.said.take(now, length);
        let is_told = self.told.take(now, length);
        let what = (self.part, self.number, is_said, is_told);
        self.number += 1;
        out.heard(leg, what, &self.said.frame, &self.told.frame);
        self.message.as_mut().and_then(|message| message.take(&self.said.frame))
    }

    /// When the next frame is due.
    pub(super) fn due(&self) -> Option<Time> {
        self.cadence.due()
    }

    /// The party has said this.
    pub(super) fn hear(&mut self, now: Time, codec: Option<Codec>, arrived: &Arrived<'_>) {
        self.said.hear(now, codec, arrived, self.sample_rate);
    }

    /// How it has heard the party since this was asked last.
    pub(super) fn heard(&mut self) -> Option<Heard> {
        self.said.hearing.heard()
    }

    /// The party is not to be heard any more: nothing is made up for what does not come.
    pub(super) fn hears_no_more(&mut self) {
        self.said.hearing.forget();
    }

    /// The party is told this.
    pub(super) fn is_told(&mut self, now: Time, codec: Option<Codec>, header: &Header, payload: &[u8]) {
        let arrived = Arrived {
            ssrc: header.ssrc,
            sequence: header.sequence,
            timestamp: header.timestamp,
            marker: header.marker,
            payload_type: header.payload_type,
            content: codec.map_or(Content::Other, |codec| Content::of(codec, payload)),
            payload,
        };
        self.told.hear(now, codec, &arrived, self.sample_rate);
    }
}

impl Leg {
    /// What it says and what it is told is handed up from now on in this manner, or no longer.
    pub(crate) fn tap(&mut self, now: Time, tapping: Option<&Tapping>) {
        let (cadence, seed) = (Cadence::new(self.phase), Seed::from_number(u64::from(self.line.ssrc())));
        self.tap = tapping.map(|tapping| Box::new(Tap::new(now, tapping, cadence, &seed)));
    }

    /// Hands up what is due.
    pub(super) fn tap_on(&mut self, now: Time, out: &mut Outbox) {
        let Some(tap) = &mut self.tap else { return };
        for _ in 0..CATCH_UP_MAX {
            if tap.cadence.next(now).is_none() {
                return;
            }
            if let Some(why) = tap.hand_up(now, self.id, out) {
                return self.end_message(why, out);
            }
        }
        tap.number += tap.cadence.skip(now);
    }

    fn end_message(&mut self, why: MessageEnd, out: &mut Outbox) {
        let Some(tap) = self.tap.take() else { return };
        if let Some(part) = tap.part {
            out.event(Event::MessageEnded { leg: self.id, recording: part.recording, why });
        }
    }
}
