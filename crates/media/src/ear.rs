//! What one party says, as others are to hear it: in order and in time, made up for where it is lost, at the rate of
//! samples that they want.

use std::time::Duration;

use audio::comfort_noise::{Background, Generator};
use audio::{Decoder, Pace, Resampler, Stretcher};
use base::Seed;
use base::Time;
use media_api::Codec;

use crate::jitter::{Advice, Arrived, Content, JitterBuffer, Taken};
use crate::quality::{Heard, Waits};
use crate::spans::span_of;

/// A frame is 20 ms.
const FRAMES_PER_SECOND: u32 = 50;

/// What was heard by another way is drawn out for so many frames, at which a voice has faded.
const DRAWN_OUT_MAX: u8 = 4;

/// What a party speaks may change so often: a new ear costs more than a hundred packets.
pub(crate) const CHANGE_MIN: Duration = Duration::from_millis(100);

/// One party, whatever it speaks: an ear for the codec that it speaks now. Who changes with every packet is not followed.
#[derive(Debug)]
pub(crate) struct Hearing {
    seed: Seed,
    ear: Option<Box<Ear>>,
    since: Time,
}

impl Hearing {
    pub(crate) fn new(seed: Seed) -> Hearing {
        Hearing { seed, ear: None, since: Time::ZERO }
    }

    /// Takes a packet: of speech, then in this codec and wanted at so many samples a second; or of anything else. It is
    /// passed over if it is in another codec or wanted at another rate too soon after the last change.
    pub(crate) fn hear(&mut self, now: Time, speech: Option<(Codec, u32)>, arrived: &Arrived<'_>) {
        if let Some((codec, sample_rate)) = speech
            && self.ear.as_ref().is_none_or(|ear| (ear.codec, ear.sample_rate) != (codec, sample_rate))
        {
            if !self.may_change(now) {
                return;
            }
            self.ear = Some(Box::new(Ear::new(codec, sample_rate, self.seed)));
            self.since = now;
        }
        if let Some(ear) = &mut self.ear {
            ear.hear(now, arrived);
        }
    }

    /// Takes speech that its hearers had by another way: what comes next follows on it.
    pub(crate) fn follow(&mut self, now: Time, (codec, sample_rate): (Codec, u32), speech: &[u8]) {
        if self.ear.as_ref().is_none_or(|ear| (ear.codec, ear.sample_rate) != (codec, sample_rate)) {
            self.ear = Some(Box::new(Ear::new(codec, sample_rate, self.seed)));
            self.since = now;
        }
        self.ear.iter_mut().for_each(|ear| ear.follow(speech));
    }

    /// Whether another codec would be followed now.
    pub(crate) fn may_change(&self, now: Time) -> bool {
        self.ear.is_none() || now.since(self.since) >= CHANGE_MIN
    }

    /// Samples a second of what is taken; `None` before the first speech.
    pub(crate) fn sample_rate(&self) -> Option<u32> {
        self.ear.as_ref().map(|ear| ear.sample_rate)
    }

    /// Gives so many samples a second from now on. What was decoded and not yet heard is lost.
    pub(crate) fn set_sample_rate(&mut self, sample_rate: u32) {
        self.ear.iter_mut().for_each(|ear| ear.set_sample_rate(sample_rate));
    }

    /// How the party was heard since this was asked last; `None` before the first speech.
    pub(crate) fn heard(&mut self) -> Option<Heard> {
        self.ear.as_mut().map(|ear| ear.heard())
    }

    /// Fills `frame` with the next 20 ms; leaves it empty before the first speech.
    pub(crate) fn take(&mut self, now: Time, frame: &mut Vec<i16>) -> Said {
        frame.clear();
        self.ear.as_mut().map_or(Said::Nothing, |ear| ear.take(now, frame))
    }

    /// Goes on by 20 ms that nobody is to hear: they are not decoded, and what is heard afterwards is neither late nor early.
    pub(crate) fn pass(&mut self, now: Time) {
        self.ear.iter_mut().for_each(|ear| ear.pass(now));
    }

    /// Nothing is made up for what does not come any more.
    pub(crate) fn forget(&mut self) {
        self.ear = None;
    }
}

/// What there is in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Speech, or what stands for a piece of it that was lost.
    Speech,
    /// How the party's silence sounds, as it has said itself (RFC 3389).
    Noise,
    /// Nothing: all samples are 0.
    Nothing,
}

impl Content {
    /// What a packet of a codec holds.
    pub(crate) fn of(codec: Codec, payload: &[u8]) -> Content {
        if Decoder::is_pause(codec, payload) { Content::Noise } else { Content::Speech }
    }
}

/// How a party's silence sounds.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a box would be allocated within a tick, and each ear has one of these"
)]
enum Silence {
    /// As it was described (RFC 3389).
    Described(Generator),
    /// As the decoder makes it (Opus).
    Decoded,
}

#[derive(Debug)]
struct Ear {
    codec: Codec,
    sample_rate: u32,
    jitter: JitterBuffer,
    decoder: Decoder,
    stretcher: Stretcher,
    resampler: Resampler,
    /// How the party's silence sounds, once it has said so.
    silence: Option<Silence>,
    seed: Seed,
    /// For so many frames what is heard is drawn out until more comes.
    drawn_out: u8,
    decoded: Vec<i16>,
    paced: Vec<i16>,
    /// Decoded and not yet heard.
    held: Vec<i16>,
    stretched: Duration,
    /// What was told last of what was concealed and stretched.
    told: (Duration, Duration),
}

impl Ear {
    /// Hears this codec and gives so many samples a second: 8 000, 16 000 or 48 000.
    fn new(codec: Codec, sample_rate: u32, seed: Seed) -> Ear {
        let mut jitter = JitterBuffer::new(codec.clock_rate());
        let decoder = Decoder::at(codec, sample_rate);
        jitter.expect_recovery(decoder.recovers());
        Ear {
            codec,
            sample_rate,
            jitter,
            stretcher: Stretcher::new(decoder.sample_rate()),
            resampler: Resampler::new(decoder.sample_rate(), sample_rate),
            decoder,
            silence: None,
            seed,
            drawn_out: 0,
            decoded: Vec::new(),
            paced: Vec::new(),
            held: Vec::new(),
            stretched: Duration::ZERO,
            told: Default::default(),
        }
    }

    /// Gives so many samples a second from now on. What was decoded and not yet heard is lost.
    fn set_sample_rate(&mut self, sample_rate: u32) {
        self.decoder = Decoder::at(self.codec, sample_rate);
        self.stretcher = Stretcher::new(self.decoder.sample_rate());
        self.resampler = Resampler::new(self.decoder.sample_rate(), sample_rate);
        self.held.clear();
        self.sample_rate = sample_rate;
    }

    /// Takes a packet of the party, of whatever content.
    fn hear(&mut self, now: Time, arrived: &Arrived<'_>) {
        self.jitter.insert(now, arrived);
    }

    /// Only tells the decoder of this speech: it is heard already.
    fn follow(&mut self, speech: &[u8]) {
        self.decoded.clear();
        if self.decoder.decode(speech, &mut self.decoded).is_ok() {
            self.drawn_out = DRAWN_OUT_MAX;
        }
    }

    /// How it has heard since this was asked last.
    fn heard(&mut self) -> Heard {
        let all = (self.jitter.figures().concealed, self.stretched);
        let told = std::mem::replace(&mut self.told, all);
        let longest = self.jitter.longest_wait();
        Heard {
            discarded: self.jitter.discarded(),
            concealed: all.0 - told.0,
            stretched: all.1 - told.1,
            waits: self.jitter.wait().map(|now| Waits { now, longest }),
        }
    }

    /// Fills `frame` with the next 20 ms.
    fn take(&mut self, now: Time, frame: &mut Vec<i16>) -> Said {
        let wanted = (self.sample_rate / FRAMES_PER_SECOND) as usize;
        frame.clear();
        let mut is_said = !self.held.is_empty();
        while self.held.len() < wanted {
            match self.take_packet(now) {
                Some(()) => is_said = true,
                None => break,
            }
        }
        let ready = self.held.len().min(wanted);
        frame.extend(self.held.drain(..ready));
        self.fill_silence(wanted - ready, frame);
        match (is_said, &self.silence) {
            (true, _) => Said::Speech,
            (false, Some(_)) => Said::Noise,
            (false, None) => Said::Nothing,
        }
    }

    fn pass(&mut self, now: Time) {
        let wanted = (self.sample_rate / FRAMES_PER_SECOND) as usize;
        while self.held.len() < wanted {
            let held = self.held_for();
            let span = match self.jitter.take(now, held) {
                Taken::Speech { payload, .. } => {
                    let ticks = u64::from(span_of(self.codec, payload)) * u64::from(self.sample_rate);
                    (ticks / u64::from(self.codec.clock_rate())) as usize
                }
                Taken::Lost { span, .. } => {
                    (span.as_micros() as u64 * u64::from(self.sample_rate) / 1_000_000) as usize
                }
                Taken::Noise { .. } | Taken::Silence | Taken::Filling => break,
            };
            let span = match self.jitter.advice() {
                Advice::Normal => span,
                Advice::Faster => span - span / 4,
                Advice::Slower => span + span / 4,
            };
            self.held.resize(self.held.len() + span, 0);
        }
        self.held.drain(..self.held.len().min(wanted));
    }

    fn held_for(&self) -> Duration {
        Duration::from_micros(self.held.len() as u64 * 1_000_000 / u64::from(self.sample_rate))
    }

    /// Decodes the next packet, or what stands for a lost one. Nothing if the party is silent.
    fn take_packet(&mut self, now: Time) -> Option<()> {
        let held = self.held_for();
        let rate = self.decoder.sample_rate();
        self.decoded.clear();
        match self.jitter.take(now, held) {
            Taken::Speech { payload, begins, .. } => {
                if begins && self.drawn_out == 0 {
                    self.decoder = Decoder::at(self.codec, self.sample_rate);
                }
                (self.silence, self.drawn_out) = (None, 0);
                if self.decoder.decode(payload, &mut self.decoded).is_err() {
                    self.decoder.conceal((rate / FRAMES_PER_SECOND) as usize, &mut self.decoded);
                }
            }
            Taken::Lost { span, next } => {
                let span = (span.as_micros() as u64 * u64::from(rate) / 1_000_000) as usize;
                match next {
                    Some(next) => self.decoder.recover(next, span, &mut self.decoded),
                    None => self.decoder.conceal(span, &mut self.decoded),
                }
            }
            Taken::Noise { payload, .. } => {
                self.silence = match self.silence.take() {
                    _ if Decoder::is_pause(self.codec, payload) => {
                        // It is heard as long as nothing else comes; its own samples are as those that are concealed.
                        self.decoder.decode(payload, &mut self.decoded).ok();
                        Some(Silence::Decoded)
                    }
                    Some(Silence::Described(mut generator)) => {
                        Background::read(payload).into_iter().for_each(|told| generator.set(told));
                        Some(Silence::Described(generator))
                    }
                    Some(Silence::Decoded) | None => Background::read(payload).map(|told| {
                        let mut generator = Generator::new(self.seed.rng());
                        generator.set(told);
                        Silence::Described(generator)
                    }),
                };
                return None;
            }
            Taken::Silence | Taken::Filling => {
                self.drawn_out = self.drawn_out.checked_sub(1)?;
                self.decoder.conceal((rate / FRAMES_PER_SECOND) as usize, &mut self.decoded);
            }
        }
        let pace = match self.jitter.advice() {
            Advice::Normal => Pace::Normal,
            Advice::Faster => Pace::Faster,
            Advice::Slower => Pace::Slower,
        };
        self.paced.clear();
        let gained = self.stretcher.process(pace, &self.decoded, &mut self.paced);
        self.stretched +=
            Duration::from_micros(u64::from(gained.unsigned_abs()) * 1_000_000 / u64::from(rate));
        self.resampler.process(&self.paced, &mut self.held);
        Some(())
    }

    fn fill_silence(&mut self, missing: usize, frame: &mut Vec<i16>) {
        match &mut self.silence {
            Some(Silence::Described(generator)) if missing > 0 => generator.fill(missing, frame),
            Some(Silence::Decoded) if missing > 0 => self.decoder.conceal(missing, frame),
            _ => frame.resize(frame.len() + missing, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jitter::Content;

    #[test]
    fn a_party_that_changes_its_codec_with_every_packet_costs_an_ear_in_100_ms() {
        let mut hearing = Hearing::new(Seed::from_number(1));
        let mut ears = Vec::new();
        for packet in 0..50_u16 {
            let now = Time::from_millis(u64::from(packet) * 20);
            let codec = if packet % 2 == 0 { Codec::Opus } else { Codec::G722 };
            let arrived = Arrived {
                ssrc: 1,
                sequence: packet,
                timestamp: u32::from(packet) * 160,
                marker: false,
                payload_type: 9,
                content: Content::Speech,
                payload: &[0; 160],
            };
            hearing.hear(now, Some((codec, 8000)), &arrived);
            let heard = hearing.ear.as_ref().map(|ear| ear.codec);
            if ears.last() != Some(&heard) {
                ears.push(heard);
            }
        }
        assert_eq!(ears.len(), 10, "{ears:?}");
    }
}
