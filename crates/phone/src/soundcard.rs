//! A call on the sound card: its default microphone speaks, its default loudspeaker is heard.

use crate::line::{FRAME, Frame, Line};
use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{Device, FromSample, Sample, SampleFormat, SizedSample, Stream, SupportedStreamConfig};
use std::collections::VecDeque;
use tokio::sync::mpsc;

/// Samples a second on the telephone.
const RATE: u32 = 8000;
/// What the loudspeaker may lag behind: 200 ms. What is older is left out.
const WAITING: usize = 1600;

/// The running sound card; it falls silent when this is dropped.
pub struct SoundCard {
    _microphone: Stream,
    _loudspeaker: Stream,
}

/// Joins the line to the sound card until the returned value is dropped.
///
/// # Errors
/// There is no microphone or no loudspeaker, or it is busy.
pub fn join(line: Line) -> Result<SoundCard, String> {
    let host = cpal::default_host();
    let microphone = host.default_input_device().ok_or("there is no microphone")?;
    let loudspeaker = host.default_output_device().ok_or("there is no loudspeaker")?;
    let wrong = |what: &str, error: cpal::Error| format!("the {what} cannot be used: {error}");
    let input = microphone.default_input_config().map_err(|error| wrong("microphone", error))?;
    let output = loudspeaker.default_output_config().map_err(|error| wrong("loudspeaker", error))?;
    let listening = match input.sample_format() {
        SampleFormat::I16 => listen::<i16>(&microphone, &input, line.speak),
        SampleFormat::I32 => listen::<i32>(&microphone, &input, line.speak),
        _ => listen::<f32>(&microphone, &input, line.speak),
    };
    let speaking = match output.sample_format() {
        SampleFormat::I16 => speak::<i16>(&loudspeaker, &output, line.heard),
        SampleFormat::I32 => speak::<i32>(&loudspeaker, &output, line.heard),
        _ => speak::<f32>(&loudspeaker, &output, line.heard),
    };
    let card = SoundCard {
        _microphone: listening.map_err(|error| wrong("microphone", error))?,
        _loudspeaker: speaking.map_err(|error| wrong("loudspeaker", error))?,
    };
    card._microphone.play().map_err(|error| wrong("microphone", error))?;
    card._loudspeaker.play().map_err(|error| wrong("loudspeaker", error))?;
    Ok(card)
}

fn listen<T>(
    device: &Device,
    config: &SupportedStreamConfig,
    line: mpsc::Sender<Frame>,
) -> Result<Stream, cpal::Error>
where
    T: SizedSample,
    f32: FromSample<T>,
{
    let channels = usize::from(config.channels().max(1));
    let mut down = Down::new(config.sample_rate());
    let heard = move |samples: &[T], _: &cpal::InputCallbackInfo| {
        for frame in samples.chunks_exact(channels) {
            let first = frame.first().map_or(0.0, |sample| f32::from_sample(*sample));
            if let Some(frame) = down.take(first) {
                // The call is behind or over: this frame is not spoken.
                let _ = line.try_send(frame);
            }
        }
    };
    device.build_input_stream(config.config(), heard, tell, None)
}

fn speak<T>(
    device: &Device,
    config: &SupportedStreamConfig,
    line: mpsc::Receiver<Frame>,
) -> Result<Stream, cpal::Error>
where
    T: SizedSample + FromSample<f32>,
{
    let channels = usize::from(config.channels().max(1));
    let mut up = Up::new(config.sample_rate(), line);
    let wanted = move |samples: &mut [T], _: &cpal::OutputCallbackInfo| {
        for frame in samples.chunks_mut(channels) {
            frame.fill(T::from_sample(up.next()));
        }
    };
    device.build_output_stream(config.config(), wanted, tell, None)
}

fn tell(error: cpal::Error) {
    tracing::warn!(%error, "the sound card has trouble");
}

/// From the card's rate to the telephone's: each sample is the mean of those that fall into it, which also
/// softens what is too high for the telephone.
struct Down {
    rate: u32,
    position: u32,
    sum: f32,
    count: f32,
    frame: Frame,
    filled: usize,
}

impl Down {
    fn new(rate: u32) -> Down {
        Down { rate: rate.max(RATE), position: 0, sum: 0.0, count: 0.0, frame: [0; FRAME], filled: 0 }
    }

    fn take(&mut self, sample: f32) -> Option<Frame> {
        self.sum += sample;
        self.count += 1.0;
        self.position += RATE;
        if self.position < self.rate {
            return None;
        }
        self.position -= self.rate;
        if let Some(place) = self.frame.get_mut(self.filled) {
            // `as` clips what is beyond full scale.
            *place = (self.sum / self.count * 32_767.0) as i16;
        }
        (self.sum, self.count) = (0.0, 0.0);
        self.filled += 1;
        if self.filled < FRAME {
            return None;
        }
        self.filled = 0;
        Some(self.frame)
    }
}

/// From the telephone's rate to the card's, in straight lines from sample to sample.
struct Up {
    rate: u32,
    position: u32,
    before: f32,
    after: f32,
    line: mpsc::Receiver<Frame>,
    waiting: VecDeque<i16>,
}

impl Up {
    fn new(rate: u32, line: mpsc::Receiver<Frame>) -> Up {
        Up { rate: rate.max(RATE), position: 0, before: 0.0, after: 0.0, line, waiting: VecDeque::new() }
    }

    fn next(&mut self) -> f32 {
        self.position += RATE;
        if self.position >= self.rate {
            self.position -= self.rate;
            self.before = self.after;
            self.after = self.next_sample();
        }
        self.before + (self.after - self.before) * (self.position as f32 / self.rate as f32)
    }

    fn next_sample(&mut self) -> f32 {
        while let Ok(frame) = self.line.try_recv() {
            self.waiting.extend(frame);
        }
        let late = self.waiting.len().saturating_sub(WAITING);
        self.waiting.drain(..late);
        f32::from(self.waiting.pop_front().unwrap_or(0)) / 32_768.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use audio::tone::{self, Tone};

    #[test]
    fn a_tone_comes_through_at_every_usual_rate_both_ways() {
        for rate in [8000, 16_000, 44_100, 48_000] {
            let (sender, line) = mpsc::channel(100);
            let mut tone = Tone::new(440.0, 8000);
            for _ in 0..10 {
                let mut frame = [0; FRAME];
                tone.fill(&mut frame);
                sender.try_send(frame).unwrap();
            }
            let (mut up, mut down) = (Up::new(rate, line), Down::new(rate));
            let frames: Vec<Frame> = (0..rate / 5).filter_map(|_| down.take(up.next())).collect();
            assert_eq!(frames.len(), 10, "{rate}");
            let level = tone::level(&frames.concat()[160..1440], 440.0);
            assert!((level - 8000.0 / 32768.0).abs() < 0.02, "{rate}: {level}");
        }
    }
}
