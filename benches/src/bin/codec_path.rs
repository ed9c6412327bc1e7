//! Speech through a codec and a line that loses packets: raw samples of 16 bits at `--rate` come from standard input
//! and go, as heard, to standard output. `benches/sound.py` measures what became of them.

use std::error::Error;
use std::io::{Read, Write};

use audio::{Decoder, Encoder, EncoderSettings, Resampler};
use base::Seed;
use benches::args::Args;
use media_api::Codec;

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::read(&["codec", "rate", "loss", "fill", "seed", "bits", "expected", "ptime"])?;
    let name: String = args.get("codec", "PCMA".to_owned())?;
    let codec = Codec::ALL.into_iter().find(|codec| codec.encoding() == name).ok_or("--codec: unknown")?;
    let (rate, loss): (u32, u32) = (args.get("rate", 8000)?, args.get("loss", 0)?);
    let usual = EncoderSettings::default();
    let settings = EncoderSettings {
        bit_rate: args.get("bits", usual.bit_rate)?,
        expected_loss: args.get("expected", usual.expected_loss)?,
        ..usual
    };
    let fill: String = args.get("fill", "conceal".to_owned())?;
    let ptime: u32 = args.get("ptime", 20)?;
    let seed = Seed::from_number(args.get("seed", 1)?).named("loss");

    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    let samples: Vec<i16> = bytes.as_chunks::<2>().0.iter().map(|bytes| i16::from_le_bytes(*bytes)).collect();
    let packets = packets(codec, (rate, ptime), &samples, &settings);
    let lost: Vec<bool> = {
        let mut rng = seed.rng();
        packets.iter().map(|_| rng.chance_permille(loss * 10)).collect()
    };
    let heard = heard(codec, (rate, ptime), &packets, &lost, &fill);
    let bytes: Vec<u8> = heard.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    std::io::stdout().write_all(&bytes)?;
    Ok(())
}

fn packets(
    codec: Codec,
    (rate, ptime): (u32, u32),
    samples: &[i16],
    settings: &EncoderSettings,
) -> Vec<Vec<u8>> {
    let mut resampler = Resampler::new(rate, codec.sample_rate());
    let mut encoder = Encoder::new(codec, settings);
    let frames = samples.chunks_exact((rate / 1000 * ptime) as usize);
    frames
        .map(|frame| {
            let (mut at_rate, mut packet) = (Vec::new(), Vec::new());
            resampler.process(frame, &mut at_rate);
            encoder.encode(&at_rate, &mut packet);
            packet
        })
        .collect()
}

fn heard(
    codec: Codec,
    (rate, ptime): (u32, u32),
    packets: &[Vec<u8>],
    lost: &[bool],
    fill: &str,
) -> Vec<i16> {
    let mut decoder = Decoder::new(codec);
    let mut resampler = Resampler::new(codec.sample_rate(), rate);
    let frame = (codec.sample_rate() / 1000 * ptime) as usize;
    let mut heard = Vec::new();
    for (at, packet) in packets.iter().enumerate() {
        let next = packets.get(at + 1).filter(|_| lost.get(at + 1) == Some(&false));
        let mut said = Vec::new();
        match (lost.get(at) == Some(&true), fill, next) {
            (false, ..) => {
                let _ = decoder.decode(packet, &mut said);
            }
            (true, "recover", Some(next)) => decoder.recover(next, frame, &mut said),
            (true, "silence", _) => said.resize(frame, 0),
            (true, ..) => decoder.conceal(frame, &mut said),
        }
        resampler.process(&said, &mut heard);
    }
    heard
}
