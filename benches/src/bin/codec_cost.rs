//! What 20 ms of speech cost: CPU time in microseconds to encode, decode, conceal, resample and stretch, the median of
//! rounds.

use std::error::Error;
use std::hint::black_box;

use audio::comfort_noise::{Background, Generator};
use audio::{Decoder, Encoder, EncoderSettings, Pace, Resampler, Stretcher};
use base::Seed;
use benches::{args::Args, cpu};
use media_api::Codec;

const RATES: [u32; 3] = [8000, 16_000, 48_000];

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::read(&["rounds"])?;
    let rounds = args.get("rounds", 5)?;
    for codec in Codec::ALL {
        for rate in RATES {
            if codec == Codec::Opus || rate == codec.sample_rate() {
                codec_at(codec, rate, rounds);
            }
        }
    }
    for from in RATES {
        for to in RATES {
            if from != to {
                let mut resampler = Resampler::new(from, to);
                tell(&format!("resample {from} to {to}"), rounds, from, |frame, out| {
                    resampler.process(frame, out);
                });
            }
        }
    }
    for rate in RATES {
        for pace in [Pace::Normal, Pace::Faster, Pace::Slower] {
            let mut stretcher = Stretcher::new(rate);
            tell(&format!("stretch {pace:?} at {rate}"), rounds, rate, |frame, out| {
                stretcher.process(pace, frame, out);
            });
        }
        let mut generator = Generator::new(Seed::from_number(1).rng());
        generator.set(Background::read(&[50, 90, 130]).ok_or("a background")?);
        tell(&format!("comfort noise at {rate}"), rounds, rate, |frame, out| {
            generator.fill(frame.len(), out)
        });
    }
    Ok(())
}

fn codec_at(codec: Codec, rate: u32, rounds: usize) {
    let name = codec.encoding();
    let settings = EncoderSettings { playback_rate: rate, ..EncoderSettings::default() };
    let mut encoder = Encoder::at(codec, rate, &settings);
    let mut bytes = Vec::new();
    tell(&format!("{name} encode at {rate}"), rounds, rate, |frame, _| {
        bytes.clear();
        encoder.encode(frame, &mut bytes);
    });
    let mut encoder = Encoder::at(codec, rate, &settings);
    let packets: Vec<Vec<u8>> = speech(rate)
        .chunks_exact(rate as usize / 50)
        .map(|frame| {
            let mut packet = Vec::new();
            encoder.encode(frame, &mut packet);
            packet
        })
        .collect();
    let mut decoder = Decoder::at(codec, rate);
    let mut at = 0;
    let mut next = || {
        at = (at + 1) % packets.len();
        packets.get(at).map_or(&[][..], Vec::as_slice)
    };
    tell(&format!("{name} decode at {rate}"), rounds, rate, |_, out| {
        let _ = decoder.decode(next(), out);
    });
    tell(&format!("{name} conceal and return at {rate}"), rounds, rate, |frame, out| {
        decoder.conceal(frame.len(), out);
        let _ = decoder.decode(next(), out);
    });
}

/// Ten seconds of a voice that slides, with pauses.
fn speech(rate: u32) -> Vec<i16> {
    let mut turn = 0.0f64;
    let sample = |n: u32| {
        let time = f64::from(n) / f64::from(rate);
        turn += (120.0 + 40.0 * (time * 3.0).sin()) / f64::from(rate) * std::f64::consts::TAU;
        let loudness = if (time * 1.3).fract() < 0.7 { 2500.0 } else { 40.0 };
        let voice: f64 =
            (1..8).map(|overtone| (turn * f64::from(overtone)).sin() / f64::from(overtone)).sum();
        (voice * loudness) as i16
    };
    (0..rate * 10).map(sample).collect()
}

fn tell(what: &str, rounds: usize, rate: u32, mut step: impl FnMut(&[i16], &mut Vec<i16>)) {
    let speech = speech(rate);
    let mut out = Vec::new();
    let mut taken: Vec<f64> = (0..rounds.max(1))
        .map(|_| {
            let frames = speech.chunks_exact(rate as usize / 50);
            let count = frames.len();
            let began = cpu::of_thread();
            for frame in frames {
                out.clear();
                step(black_box(frame), &mut out);
                black_box(&out);
            }
            (cpu::of_thread() - began) as f64 / count as f64 / 1000.0
        })
        .collect();
    taken.sort_by(f64::total_cmp);
    println!("{what:36} {:8.2} µs", taken.get(taken.len() / 2).copied().unwrap_or_default());
}
