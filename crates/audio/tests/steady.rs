//! Once warm, nothing in the path of speech allocates. One test in one program: the counter counts all threads.

use std::alloc::System;

use audio::comfort_noise::{Background, Generator};
use audio::{Decoder, Encoder, EncoderSettings, Pace, Resampler, Stretcher};
use base::Seed;
use media_api::Codec;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn a_steady_tick_of_any_codec_allocates_nothing() {
    for codec in Codec::ALL {
        let rate = codec.sample_rate();
        let frame: Vec<i16> = (0..rate / 50).map(|n| (n * 97 % 8000) as i16).collect();
        let mut encoder = Encoder::new(codec, &EncoderSettings::default());
        let mut decoder = Decoder::new(codec);
        let mut stretcher = Stretcher::new(rate);
        let mut resamplers = [8000, 16_000, 48_000].map(|to| Resampler::new(rate, to));
        let mut generator = Generator::new(Seed::from_number(1).rng());
        let (mut bytes, mut heard, mut out) = (Vec::new(), Vec::new(), Vec::new());
        let mut tick = |n: usize| {
            for buffer in [&mut heard, &mut out] {
                buffer.clear();
            }
            bytes.clear();
            encoder.encode(&frame, &mut bytes);
            match n % 5 {
                0 => decoder.conceal(frame.len(), &mut heard),
                1 => decoder.recover(&bytes, frame.len(), &mut heard),
                _ => decoder.decode(&bytes, &mut heard).map(|_| ()).expect("a good packet"),
            }
            let pace = [Pace::Normal, Pace::Faster, Pace::Slower][n % 3];
            stretcher.process(pace, &heard, &mut out);
            for resampler in &mut resamplers {
                out.clear();
                resampler.process(&heard, &mut out);
            }
            bytes.clear();
            Background::of(&heard).write(&mut bytes);
            generator.set(Background::of(&heard));
            generator.fill(frame.len(), &mut heard);
        };
        (0..40).for_each(&mut tick);
        let region = Region::new(ALLOCATOR);
        (0..120).for_each(&mut tick);
        let change = region.change();
        assert_eq!((change.allocations, change.reallocations), (0, 0), "{codec:?}");
    }
}
