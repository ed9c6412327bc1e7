//! What another party says in a codec that this one does not speak: heard by an ear of its own, and said again.

use audio::Encoder;
use audio::g711::Law;
use base::{Key, Seed, Time};
use media_api::Codec;

use super::{Leg, Received, Spoken};
use crate::cadence::{CATCH_UP_MAX, Cadence};
use crate::ear::Ear;
use crate::line::Talker;
use crate::outbox::Outbox;
use crate::room::Format;

/// So many frames without a word, and nothing is due until the other party says something.
const SILENT_FRAMES_MAX: u32 = 50;

#[derive(Debug)]
pub(super) struct Translation {
    from: Key<Leg>,
    to: Format,
    ear: Ear,
    encoder: Encoder,
    cadence: Cadence,
    silent_frames: u32,
    frame: Vec<i16>,
    payload: Vec<u8>,
}

impl Translation {
    fn new(from: (Key<Leg>, Codec), to: Format, cadence: Cadence, seed: Seed) -> Translation {
        let (from, spoken) = from;
        // What the other party cannot say, this one need not be able to hear.
        let encoder = Encoder::at(to.codec, spoken.sample_rate(), &to.settings);
        let ear = Ear::new(spoken, encoder.sample_rate(), seed);
        Translation {
            from,
            to,
            ear,
            encoder,
            cadence,
            silent_frames: 0,
            frame: Vec::new(),
            payload: Vec::new(),
        }
    }

    /// When the next frame is due.
    pub(super) fn due(&self) -> Option<Time> {
        self.cadence.due()
    }
}

impl Leg {
    /// Takes what another party has said if it is to be said again in this one's codec, when its time comes. False if it
    /// can be passed on as it is.
    pub(super) fn is_translated(&mut self, now: Time, received: &Received<'_>) -> bool {
        let Some(own) = self.format() else { return false };
        match received.spoken {
            Spoken::Speech(codec)
                if codec == own.codec || Law::of(codec).zip(Law::of(own.codec)).is_some() =>
            {
                self.translation = None;
                return false;
            }
            Spoken::Speech(codec) => self.begin_translation(now, received.from, codec, own),
            Spoken::Key(_) | Spoken::ComfortNoise => {}
        }
        let Some(translation) = &mut self.translation else { return false };
        translation.ear.hear(now, &received.arrived());
        if let Some(key) = received.pressed {
            self.push_keys(now, key.encode_utf8(&mut [0; 4]));
        }
        true
    }

    /// What is said again is due at times of its own.
    pub(crate) fn translates(&self) -> bool {
        self.translation.is_some()
    }

    fn begin_translation(&mut self, now: Time, from: Key<Leg>, spoken: Codec, own: Format) {
        let translation = self
            .translation
            .take()
            .filter(|known| (known.from, known.ear.codec(), known.to) == (from, spoken, own));
        let mut translation = translation.unwrap_or_else(|| {
            let seed = Seed::from_number(u64::from(self.line.ssrc()));
            Box::new(Translation::new((from, spoken), own, Cadence::new(self.phase), seed))
        });
        if translation.due().is_none() {
            translation.silent_frames = 0;
            translation.cadence.start(now);
        }
        self.translation = Some(translation);
    }

    /// Says again what is due.
    pub(super) fn translate_on(&mut self, now: Time, out: &mut Outbox) {
        let Some(mut translation) = self.translation.take() else { return };
        for _ in 0..CATCH_UP_MAX {
            let Some(nominal) = translation.cadence.next(now) else { break };
            let is_said = translation.ear.take(now, &mut translation.frame);
            translation.silent_frames = if is_said { 0 } else { translation.silent_frames + 1 };
            translation.payload.clear();
            if is_said {
                translation.encoder.encode(&translation.frame, &mut translation.payload);
            }
            self.say(nominal, Talker::Translation, &translation.payload, out);
        }
        if translation.cadence.skip(now) > 0 {
            self.line.fall_silent(Talker::Translation);
        }
        if translation.silent_frames >= SILENT_FRAMES_MAX {
            translation.cadence.rest();
        }
        self.translation = Some(translation);
    }
}
