#![no_main]
//! Packets of one stream of any codec, lost ones between them, and comfort noise: whatever comes, no more than 120 ms is said.

use audio::comfort_noise::{Background, Generator};
use audio::{Decoder, Pace, Stretcher};
use base::Seed;
use libfuzzer_sys::fuzz_target;
use media_api::Codec;

// The first byte says which codec and rate; then come packets: what is to be done, a length, and so many bytes.
fuzz_target!(|bytes: &[u8]| {
    let Some((kind, mut rest)) = bytes.split_first() else { return };
    let codec = Codec::ALL[usize::from(kind % 5)];
    let mut decoder = Decoder::at(codec, [8000, 16_000, 48_000][usize::from(kind / 5 % 3)]);
    let most = decoder.sample_rate() as usize * 120 / 1000;
    let mut stretcher = Stretcher::new(decoder.sample_rate());
    let mut generator = Generator::new(Seed::from_number(1).rng());
    let (mut said, mut heard) = (Vec::new(), Vec::new());
    while let Some(([act, length], after)) = rest.split_first_chunk() {
        let (payload, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        said.clear();
        heard.clear();
        let span = usize::from(*length) * 8;
        match act % 4 {
            0 => decoder.conceal(span, &mut said),
            1 => decoder.recover(payload, span, &mut said),
            2 => {
                let count = decoder.decode(payload, &mut said).unwrap_or(0);
                assert_eq!(count, said.len());
            }
            _ => {
                if let Some(background) = Background::read(payload) {
                    generator.set(background);
                }
                generator.fill(span.min(most), &mut said);
            }
        }
        assert!(said.len() <= most, "{} samples", said.len());
        let pace = [Pace::Normal, Pace::Faster, Pace::Slower][usize::from(act / 4 % 3)];
        let gained = stretcher.process(pace, &said, &mut heard);
        assert_eq!(heard.len() as i32, said.len() as i32 + gained);
    }
});
