//! A sign of life for who is sent nothing, because nothing plays and the other party is silent: NATs and firewalls on the
//! way forget a stream that stands (RFC 6263), and devices and operators hang up on it.

use std::time::Duration;

use audio::EncoderSettings;
use base::Time;

use super::Leg;
use crate::cadence::FRAME_MILLIS;
use crate::line::{Entry, Talker};
use crate::outbox::Outbox;
use crate::voice::{Format, Voice};

/// Of the devices that hang up for want of packets hardly any does so before 20 s.
const IDLE_MAX: Duration = Duration::from_secs(10);

/// Any rate will do.
const SAMPLE_RATE: u32 = 8000;

/// What was sent for want of anything else.
#[derive(Debug)]
pub(super) struct Idling {
    at: Time,
    /// Goes on from packet to packet: a codec with a memory would click otherwise.
    voice: Option<Box<Voice>>,
}

impl Idling {
    pub(super) fn new(now: Time) -> Idling {
        Idling { at: now, voice: None }
    }
}

impl Leg {
    /// When it has been sent nothing for too long. Who was never sent anything is not: it may still ring, and would take
    /// silence for the tones that its network lets it hear.
    pub(super) fn idle_due(&self) -> Option<Time> {
        let newest = self.line.newest_at().filter(|_| self.target().is_some())?;
        Some(newest.max(self.idling.at) + IDLE_MAX)
    }

    /// Sends 20 ms of silence if they are due.
    pub(super) fn break_silence(&mut self, now: Time, out: &mut Outbox) {
        if self.idle_due().is_none_or(|due| due > now) {
            return;
        }
        self.idling.at = now;
        let (Some(to), Some(format), Some(agreed)) = (self.target(), self.format(), &self.agreed) else {
            return;
        };
        let settings = EncoderSettings { pauses: false, ..format.settings };
        let format = Format { settings, ..format };
        let goes_on = self.line.talker() == Some(Talker::Idle);
        let known = self.idling.voice.take().filter(|voice| goes_on && voice.format() == format);
        let mut voice = known.unwrap_or_else(|| Box::new(Voice::new(format, SAMPLE_RATE)));
        let payload = voice.write(&[0; SAMPLE_RATE as usize / 50]);
        if payload.is_empty() {
            return;
        }
        let (position, span) = (self.line.resume(now), self.line.rate().millis(FRAME_MILLIS));
        let payload_type = agreed.stream.payload_type;
        self.relay.forget();
        let entry = Entry { talker: Talker::Idle, position, span, payload_type, marker: true };
        self.send(now, to, entry, payload, out);
        self.idling.voice = Some(voice);
    }
}
