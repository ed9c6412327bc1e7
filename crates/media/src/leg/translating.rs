//! What another party says in a codec that this one does not speak: heard by an ear of its own, and said again.

use audio::g711::Law;
use base::{Seed, Time};
use media_api::Codec;

use super::{Leg, Received, Spoken};
use crate::cadence::{CATCH_UP_MAX, Cadence};
use crate::ear::{CHANGE_MIN, Hearing, Said};
use crate::line::Talker;
use crate::outbox::Outbox;
use crate::quality::Heard;
use crate::voice::{Format, Voice};

/// So many frames without a word, and nothing is due until the other party says something.
const SILENT_FRAMES_MAX: u32 = 50;

#[derive(Debug)]
pub(super) struct Translation {
    hearing: Hearing,
    voice: Voice,
    cadence: Cadence,
    silent_frames: u32,
    frame: Vec<i16>,
    /// When the pause began that it fills with noise, in a talk that is passed on as it is otherwise.
    fills_since: Option<Time>,
}

impl Translation {
    fn new((spoken, to): (Codec, Format), cadence: Cadence, seed: Seed) -> Translation {
        let voice = Voice::new(to, rate_between(spoken, to));
        Translation {
            hearing: Hearing::new(seed),
            voice,
            cadence,
            silent_frames: 0,
            frame: Vec::new(),
            fills_since: None,
        }
    }

    /// When the next frame is due.
    pub(super) fn due(&self) -> Option<Time> {
        self.cadence.due()
    }

    /// Takes a packet of the other party, of speech in this codec or of anything else, to say it again in `to`.
    fn hear(&mut self, now: Time, codec: Option<Codec>, to: Format, received: &Received<'_>) {
        let speech = codec.map(|codec| (codec, rate_between(codec, to)));
        self.hearing.hear(now, speech, &received.arrived());
        let sample_rate = self.hearing.sample_rate().unwrap_or(self.voice.sample_rate());
        if (self.voice.format(), self.voice.sample_rate()) != (to, sample_rate) {
            self.voice = Voice::new(to, sample_rate);
        }
        if self.due().is_none() {
            self.silent_frames = 0;
            self.cadence.start(now);
        }
    }
}

impl Leg {
    /// Takes what another party has said if it is to be said again in this one's codec, when its time comes. False if it
    /// can be passed on as it is. A key by another clock is pressed anew.
    pub(super) fn is_translated(&mut self, now: Time, received: &Received<'_>) -> bool {
        let Some(own) = self.format() else { return false };
        let codec = if let Spoken::Speech(codec) = received.spoken { Some(codec) } else { None };
        match (codec, &self.translation) {
            (Some(codec), Some(known)) if can_be_relayed(codec, own.codec) => {
                if known.fills_since.is_none() && !known.hearing.may_change(now) {
                    return true;
                }
                self.filled_at = known.fills_since.or(self.filled_at);
                self.hear_anew();
            }
            (None, None) if received.spoken == Spoken::ComfortNoise && self.may_fill(now) => {
                self.fill_pause(now, own, received);
            }
            (Some(codec), None) if !can_be_relayed(codec, own.codec) => {
                self.relay.forget();
                let seed = Seed::from_number(u64::from(self.line.ssrc()));
                let translation = Translation::new((codec, own), Cadence::new(self.phase), seed);
                self.translation = Some(Box::new(translation));
            }
            _ => {}
        }
        let is_foreign_key = match received.spoken {
            Spoken::Key(key) => key.rate() != self.digits_rate(),
            Spoken::Speech(_) | Spoken::Tones | Spoken::ComfortNoise => false,
        };
        if let Some(translation) = &mut self.translation {
            translation.hear(now, codec, own, received);
        } else if is_foreign_key {
            self.relay.pass_over(received.from, &received.packet);
        } else {
            return false;
        }
        if let Some(key) = received.pressed.filter(|_| self.takes_events()) {
            self.push_keys(now, key.encode_utf8(&mut [0; 4]));
        }
        true
    }

    /// Whether speech can be passed on to the party without being said again.
    pub(crate) fn takes_as_it_is(&self, received: &Received<'_>) -> bool {
        let own = self.format().map(|format| format.codec);
        let spoken = if let Spoken::Speech(codec) = received.spoken { Some(codec) } else { None };
        spoken.zip(own).is_some_and(|(spoken, own)| can_be_relayed(spoken, own))
    }

    /// Whether a pause may be filled: who pauses with every packet is not followed.
    fn may_fill(&self, now: Time) -> bool {
        self.filled_at.is_none_or(|filled_at| now.since(filled_at) >= CHANGE_MIN)
    }

    /// The other party pauses, and says how its silence sounds (RFC 3389), which was not agreed to: it is made here.
    fn fill_pause(&mut self, now: Time, own: Format, received: &Received<'_>) {
        self.relay.forget();
        let seed = Seed::from_number(u64::from(self.line.ssrc()));
        let mut translation = Translation::new((own.codec, own), Cadence::new(self.phase), seed);
        translation.fills_since = Some(now);
        translation.hear(now, Some(own.codec), own, received);
        self.translation = Some(Box::new(translation));
    }

    /// How this party has heard the other one, if it has an ear for it.
    pub(crate) fn heard(&mut self) -> Option<Heard> {
        self.translation.as_mut()?.hearing.heard()
    }

    /// What is said again, and keys that are pressed anew, are due at times of their own.
    pub(crate) fn has_times_of_its_own(&self) -> bool {
        self.translation.is_some() || self.keys.are_sending()
    }

    /// Says again what is due.
    pub(super) fn translate_on(&mut self, now: Time, out: &mut Outbox) {
        let Some(mut translation) = self.translation.take() else { return };
        for _ in 0..CATCH_UP_MAX {
            let Some(nominal) = translation.cadence.next(now) else { break };
            let said = translation.hearing.take(now, &mut translation.frame);
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

/// What the other party cannot say, this one need not be able to hear.
fn rate_between(spoken: Codec, to: Format) -> u32 {
    to.rate_for(spoken.sample_rate())
}

/// Whether packets of one codec are packets of the other, or become it by a table.
fn can_be_relayed(spoken: Codec, own: Codec) -> bool {
    spoken == own || Law::of(spoken).zip(Law::of(own)).is_some()
}
