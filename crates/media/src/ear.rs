//! What one party says, as others are to hear it: in order and in time, made up for where it is lost, at the rate of
//! samples that they want.

use std::time::Duration;

use audio::comfort_noise::{Background, Generator};
use audio::{Decoder, Pace, Resampler, Stretcher};
use base::Seed;
use base::Time;
use media_api::Codec;

use crate::jitter::{Advice, Arrived, JitterBuffer, Taken};

/// A frame is 20 ms.
const FRAMES_PER_SECOND: u32 = 50;

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

#[derive(Debug)]
pub(crate) struct Ear {
    codec: Codec,
    sample_rate: u32,
    jitter: JitterBuffer,
    decoder: Decoder,
    stretcher: Stretcher,
    resampler: Resampler,
    /// How the party's silence sounds, once it has said so.
    background: Option<Generator>,
    seed: Seed,
    decoded: Vec<i16>,
    paced: Vec<i16>,
    /// Decoded and not yet heard.
    held: Vec<i16>,
}

impl Ear {
    /// Hears this codec and gives so many samples a second: 8 000, 16 000 or 48 000.
    pub(crate) fn new(codec: Codec, sample_rate: u32, seed: Seed) -> Ear {
        let mut jitter = JitterBuffer::new(codec.clock_rate());
        jitter.expect_recovery(codec == Codec::Opus);
        let decoder = Decoder::at(codec, sample_rate);
        Ear {
            codec,
            sample_rate,
            jitter,
            stretcher: Stretcher::new(decoder.sample_rate()),
            resampler: Resampler::new(decoder.sample_rate(), sample_rate),
            decoder,
            background: None,
            seed,
            decoded: Vec::new(),
            paced: Vec::new(),
            held: Vec::new(),
        }
    }

    pub(crate) fn codec(&self) -> Codec {
        self.codec
    }

    /// Gives so many samples a second from now on. What was decoded and not yet heard is lost.
    pub(crate) fn set_sample_rate(&mut self, sample_rate: u32) {
        self.decoder = Decoder::at(self.codec, sample_rate);
        self.stretcher = Stretcher::new(self.decoder.sample_rate());
        self.resampler = Resampler::new(self.decoder.sample_rate(), sample_rate);
        self.held.clear();
        self.sample_rate = sample_rate;
    }

    /// Takes a packet of the party, of whatever content.
    pub(crate) fn hear(&mut self, now: Time, arrived: &Arrived<'_>) {
        self.jitter.insert(now, arrived);
    }

    /// Fills `frame` with the next 20 ms.
    pub(crate) fn take(&mut self, now: Time, frame: &mut Vec<i16>) -> Said {
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
        match (is_said, &self.background) {
            (true, _) => Said::Speech,
            (false, Some(_)) => Said::Noise,
            (false, None) => Said::Nothing,
        }
    }

    /// Decodes the next packet, or what stands for a lost one. Nothing if the party is silent.
    fn take_packet(&mut self, now: Time) -> Option<()> {
        let held = Duration::from_micros(self.held.len() as u64 * 1_000_000 / u64::from(self.sample_rate));
        let rate = self.decoder.sample_rate();
        self.decoded.clear();
        match self.jitter.take(now, held) {
            Taken::Speech { payload, begins, .. } => {
                if begins {
                    self.decoder = Decoder::at(self.codec, self.sample_rate);
                }
                self.background = None;
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
                if let Some(background) = Background::read(payload) {
                    let seed = &self.seed;
                    self.background.get_or_insert_with(|| Generator::new(seed.rng())).set(background);
                }
                return None;
            }
            Taken::Silence | Taken::Filling => return None,
        }
        let pace = match self.jitter.advice() {
            Advice::Normal => Pace::Normal,
            Advice::Faster => Pace::Faster,
            Advice::Slower => Pace::Slower,
        };
        self.paced.clear();
        self.stretcher.process(pace, &self.decoded, &mut self.paced);
        self.resampler.process(&self.paced, &mut self.held);
        Some(())
    }

    fn fill_silence(&mut self, missing: usize, frame: &mut Vec<i16>) {
        match &mut self.background {
            Some(background) if missing > 0 => background.fill(missing, frame),
            _ => frame.resize(frame.len() + missing, 0),
        }
    }
}
