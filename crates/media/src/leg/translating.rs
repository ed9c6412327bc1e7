//! What another party says in a codec that this one does not speak: heard by an ear of its own, and said again.

use std::time::Duration;

use audio::g711::Law;
use base::{Key, Seed, Time};
use media_api::Codec;

use super::{Leg, Received, Spoken};
use crate::cadence::{CATCH_UP_MAX, Cadence};
use crate::ear::{Ear, Said};
use crate::line::Talker;
use crate::outbox::Outbox;
use crate::voice::{Format, Voice};

/// What a party speaks may change so often: a new ear and a new encoder cost more than a hundred packets.
pub(crate) const CHANGE_MIN: Duration = Duration::from_millis(100);

/// So many frames without a word, and nothing is due until the other party says something.
const SILENT_FRAMES_MAX: u32 = 50;

#[derive(Debug)]
pub(super) struct Translation {
    began: Time,
    from: Key<Leg>,
    ear: Ear,
    voice: Voice,
    cadence: Cadence,
    silent_frames: u32,
    frame: Vec<i16>,
}

impl Translation {
    fn new(
        began: Time,
        (from, spoken): (Key<Leg>, Codec),
        to: Format,
        cadence: Cadence,
        seed: Seed,
    ) -> Translation {
        // What the other party cannot say, this one need not be able to hear.
        let sample_rate = to.rate_for(spoken.sample_rate());
        let (ear, voice) = (Ear::new(spoken, sample_rate, seed), Voice::new(to, sample_rate));
        Translation { began, from, ear, voice, cadence, silent_frames: 0, frame: Vec::new() }
    }

    /// Whose words these are, in what they come, and in what they are said again.
    fn what(&self) -> (Key<Leg>, Codec, Format) {
        (self.from, self.ear.codec(), self.voice.format())
    }

    /// When the next frame is due.
    pub(super) fn due(&self) -> Option<Time> {
        self.cadence.due()
    }
}

impl Leg {
    /// Takes what another party has said if it is to be said again in this one's codec, when its time comes. False if it
    /// can be passed on as it is. A key by another clock is pressed anew.
    pub(super) fn is_translated(&mut self, now: Time, received: &Received<'_>) -> bool {
        let Some(own) = self.format() else { return false };
        if let Spoken::Speech(codec) = received.spoken {
            let wanted = (!can_be_relayed(codec, own.codec)).then_some((received.from, codec, own));
            if self.translation.as_deref().map(Translation::what) != wanted {
                if self.translation.as_deref().is_some_and(|known| now.since(known.began) < CHANGE_MIN) {
                    return true;
                }
                self.begin_translation(now, wanted);
            }
        }
        let is_foreign_key = match received.spoken {
            Spoken::Key(key) => key.rate() != self.digits_rate(),
            Spoken::Speech(_) | Spoken::ComfortNoise => false,
        };
        if let Some(translation) = &mut self.translation {
            translation.ear.hear(now, &received.arrived());
            if translation.due().is_none() {
                translation.silent_frames = 0;
                translation.cadence.start(now);
            }
        } else if is_foreign_key {
            self.relay.pass_over(received.from, &received.packet);
        } else {
            return false;
        }
        if let Some(key) = received.pressed {
            self.push_keys(now, key.encode_utf8(&mut [0; 4]));
        }
        true
    }

    /// What is said again, and keys that are pressed anew, are due at times of their own.
    pub(crate) fn has_times_of_its_own(&self) -> bool {
        self.translation.is_some() || self.keys.are_sending()
    }

    /// From now on this is translated; or nothing is, and what comes can be passed on. Both begin anew on the line.
    fn begin_translation(&mut self, now: Time, wanted: Option<(Key<Leg>, Codec, Format)>) {
        self.relay.forget();
        let (cadence, seed) = (Cadence::new(self.phase), Seed::from_number(u64::from(self.line.ssrc())));
        self.translation = wanted
            .map(|(from, spoken, own)| Box::new(Translation::new(now, (from, spoken), own, cadence, seed)));
    }

    /// Says again what is due.
    pub(super) fn translate_on(&mut self, now: Time, out: &mut Outbox) {
        let Some(mut translation) = self.translation.take() else { return };
        for _ in 0..CATCH_UP_MAX {
            let Some(nominal) = translation.cadence.next(now) else { break };
            let said = translation.ear.take(now, &mut translation.frame);
            if said == Said::Nothing {
                translation.silent_frames += 1;
                self.line.fall_silent(Talker::Translation);
                continue;
            }
            translation.silent_frames = 0;
            translation.voice.adapt(self.loss_there());
            self.say(nominal, Talker::Translation, translation.voice.write(&translation.frame), out);
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

/// Whether packets of one codec are packets of the other, or become it by a table.
fn can_be_relayed(spoken: Codec, own: Codec) -> bool {
    spoken == own || Law::of(spoken).zip(Law::of(own)).is_some()
}
