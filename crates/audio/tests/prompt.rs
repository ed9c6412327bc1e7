//! Prompts from files, whole and broken.

// What makes the files is no test itself and counts as production code for the lints.
#![allow(clippy::unwrap_used)]

use std::io::Cursor;
use std::path::Path;
use std::time::Duration;

use audio::prompt::{self, PromptError};
use audio::tone::{Tone, heard, level};
use audio::{Clip, Decoder, wav};
use media_api::Codec;

use proptest::prelude::*;

fn read(file: &[u8]) -> Result<Clip, PromptError> {
    prompt::read(file, Codec::Pcma)
}

fn read_samples(file: &[u8]) -> Result<Vec<i16>, PromptError> {
    prompt::read_samples(file, 8000)
}

/// All that is in a clip.
fn bytes(clip: &Clip) -> Vec<u8> {
    let mut bytes = Vec::new();
    clip.copy(0, clip.len(), &mut bytes);
    bytes
}

const TONES: [f64; 5] = [300.0, 440.0, 700.0, 1000.0, 2000.0];

fn sine(hertz: f64, rate: u32, count: usize, amplitude: f64) -> Vec<i16> {
    let step = std::f64::consts::TAU * hertz / f64::from(rate);
    (0..count).map(|n| (amplitude * (n as f64 * step).sin()) as i16).collect()
}

/// An Ogg Opus file of this many samples at 48 kHz, as RFC 7845 has it written.
fn opus_file(samples: &[i16], rate: u32, channels: opus::Channels, gain: i16, tail: &[u8]) -> Vec<u8> {
    let mut encoder = opus::Encoder::new(rate, channels, opus::Application::Audio).unwrap();
    let count = channels as usize;
    let skip = encoder.get_lookahead().unwrap() as usize;
    let clock = 48_000 / rate as usize;
    let mut head = b"OpusHead".to_vec();
    head.extend([1, count as u8]);
    head.extend(((skip * clock) as u16).to_le_bytes());
    head.extend(rate.to_le_bytes());
    head.extend(gain.to_le_bytes());
    head.push(0);
    let mut file = Vec::new();
    let mut writer = ogg::PacketWriter::new(&mut file);
    use ogg::PacketWriteEndInfo::{EndPage, EndStream, NormalPacket};
    writer.write_packet(head, 7, EndPage, 0).unwrap();
    writer.write_packet(b"OpusTags\0\0\0\0\0\0\0\0".to_vec(), 7, EndPage, 0).unwrap();
    let frame = rate as usize / 50;
    let mut padded = samples.to_vec();
    padded.resize((samples.len() / count + skip).div_ceil(frame) * frame * count, 0);
    let frames: Vec<&[i16]> = padded.chunks(frame * count).collect();
    for (n, samples_of_frame) in frames.iter().enumerate() {
        let packet = encoder.encode_vec(samples_of_frame, 1500).unwrap();
        let is_last = n + 1 == frames.len();
        let end = (samples.len() / count + skip) * clock;
        let granule = if is_last { end } else { (n + 1) * frame * clock };
        let info = if is_last { EndStream } else { NormalPacket };
        writer.write_packet(packet, 7, info, granule as u64).unwrap();
    }
    file.extend_from_slice(tail);
    file
}

fn wav_file(samples: &[i16], rate: u32, channels: u16) -> Vec<u8> {
    let format = hound::SampleFormat::Int;
    let spec = hound::WavSpec { channels, sample_rate: rate, bits_per_sample: 16, sample_format: format };
    let mut file = Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut file, spec).unwrap();
    for sample in samples {
        for _ in 0..channels {
            writer.write_sample(*sample).unwrap();
        }
    }
    writer.finalize().unwrap();
    file.into_inner()
}

/// A WAV file by hand, for what `hound` does not write.
fn raw_wav(tag: u16, channels: u16, rate: u32, bits: u16, data: &[u8]) -> Vec<u8> {
    let mut file = b"RIFF\0\0\0\0WAVEJUNK\x03\0\0\0abc\0fmt ".to_vec();
    file.extend(16u32.to_le_bytes());
    file.extend(tag.to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend((rate * u32::from(channels) * u32::from(bits) / 8).to_le_bytes());
    file.extend((channels * bits / 8).to_le_bytes());
    file.extend(bits.to_le_bytes());
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

#[test]
fn an_opus_file_has_exactly_its_length_and_its_tone() {
    for (rate, channels) in
        [(16_000, opus::Channels::Mono), (48_000, opus::Channels::Mono), (48_000, opus::Channels::Stereo)]
    {
        // 1.2345 s ends within a packet.
        let count = rate as usize * 12_345 / 10_000;
        let mono = sine(440.0, rate, count, 12_000.0);
        let samples: Vec<i16> = mono.iter().flat_map(|sample| vec![*sample; channels as usize]).collect();
        let read = read_samples(&opus_file(&samples, rate, channels, 0, &[])).unwrap();
        assert_eq!(read.len(), 9876, "{rate} {channels:?}");
        assert_eq!(heard(&read[800..1600], &TONES), [440.0]);
        let level = level(&read[800..8800], 440.0);
        assert!((level - 12_000.0 / 32_768.0).abs() < 0.02, "{rate} {channels:?} {level}");
    }
}

#[test]
fn the_gain_in_an_opus_header_is_applied() {
    let samples = sine(440.0, 48_000, 48_000, 4000.0);
    let plain = read_samples(&opus_file(&samples, 48_000, opus::Channels::Mono, 0, &[])).unwrap();
    let louder = read_samples(&opus_file(&samples, 48_000, opus::Channels::Mono, 1541, &[])).unwrap();
    let ratio = level(&louder, 440.0) / level(&plain, 440.0);
    assert!((ratio - 2.0).abs() < 0.02, "6.02 dB in steps of 1/256: {ratio}");
}

#[test]
fn a_wav_file_of_any_usual_rate_comes_out_at_8_khz() {
    for rate in [8000u32, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000] {
        for channels in [1, 2] {
            let samples = sine(1000.0, rate, rate as usize * 2, 10_000.0);
            let read = read_samples(&wav_file(&samples, rate, channels)).unwrap();
            assert!((15_999..=16_001).contains(&read.len()), "{rate}: {}", read.len());
            assert_eq!(heard(&read[4000..4400], &TONES), [1000.0], "{rate}");
            let level = level(&read[1600..14_400], 1000.0);
            assert!((level - 10_000.0 / 32_768.0).abs() < 0.003, "{rate} {level}");
        }
    }
}

#[test]
fn what_lies_above_4_khz_does_not_fold_down() {
    let samples = sine(7000.0, 48_000, 48_000, 10_000.0);
    let read = read_samples(&wav_file(&samples, 48_000, 1)).unwrap();
    assert!(audio::tone::loudness(&read[400..7600]) < 0.002);
}

#[test]
fn a_loud_wav_is_clipped_and_does_not_wrap() {
    let square: Vec<i16> = (0..48_000).map(|n| if n / 50 % 2 == 0 { i16::MAX } else { i16::MIN }).collect();
    let read = read_samples(&wav_file(&square, 48_000, 1)).unwrap();
    let steps = read[400..7600].windows(2).filter(|pair| i32::from(pair[0]) - i32::from(pair[1]) > 65_000);
    assert_eq!(steps.count(), 0);
}

#[test]
fn a_wav_file_in_g711_is_taken_byte_by_byte() {
    let all: Vec<u8> = (0..=255).collect();
    for (tag, codec) in [(6, Codec::Pcma), (7, Codec::Pcmu)] {
        let clip = prompt::read(&raw_wav(tag, 1, 8000, 8, &all), codec).unwrap();
        let expected = all.iter().map(|byte| if (tag, *byte) == (7, 0x7f) { 0xff } else { *byte });
        assert_eq!(bytes(&clip), expected.collect::<Vec<u8>>());
    }
}

#[test]
fn a_file_of_any_kind_has_its_tone_at_every_rate() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files");
    for name in ["tone.flac", "tone.mp3", "tone.ogg"] {
        let file = std::fs::read(folder.join(name)).unwrap();
        for rate in [8000, 16_000, 48_000] {
            let samples = prompt::read_samples(&file, rate).unwrap();
            let second = rate as usize;
            assert!((second..second + second / 10).contains(&samples.len()), "{name}: {}", samples.len());
            let every = second / 8000;
            let narrow: Vec<i16> = samples.into_iter().step_by(every).collect();
            assert_eq!(heard(&narrow[4000..4800], &TONES), [440.0], "{name} at {rate}");
        }
        for end in [0, 3, 10, 100, 500, file.len() / 2, file.len() - 7] {
            match read(&file[..end]) {
                Ok(clip) => assert!(clip.len() <= 8800, "{name} torn off at {end}"),
                Err(error) => assert!(error.to_string().contains("it"), "{name} torn off at {end}: {error}"),
            }
        }
    }
}

#[test]
fn what_a_phone_writes_others_read() {
    let samples: Vec<i16> = (0..1000).map(|n| (n * 61) as i16).collect();
    let file = wav::write(&samples);
    let mut reader = hound::WavReader::new(Cursor::new(&file)).unwrap();
    let spec = reader.spec();
    assert_eq!((spec.channels, spec.sample_rate, spec.bits_per_sample), (1, 8000, 16));
    assert_eq!(reader.samples::<i16>().map(Result::unwrap).collect::<Vec<_>>(), samples);
    assert_eq!(read_samples(&file).unwrap(), samples);
    assert_eq!(read_samples(&wav::write(&[])).unwrap(), []);
}

#[test]
fn a_clip_of_g711_is_one_byte_a_sample_and_ends_where_the_sound_ends() {
    let samples = [0, 8, -8, 32_767, -32_768];
    let (pcma, pcmu) = (Clip::new(Codec::Pcma, &samples, 8000), Clip::new(Codec::Pcmu, &samples, 8000));
    assert_eq!(bytes(&pcma), [0xd5, 0xd5, 0x55, 0xaa, 0x2a]);
    assert_eq!(bytes(&pcmu), [0xff, 0xfe, 0x7e, 0x80, 0x00]);
    assert_eq!((pcma.len(), pcma.size(), pcma.is_empty()), (5, 5, false));
    assert!(Clip::new(Codec::Opus, &[], 48_000).is_empty());
}

#[test]
fn a_clip_of_any_codec_is_as_long_as_its_sound_and_sounds_like_it() {
    // 1.03 s: the last frame of the two codecs with state is filled up.
    let samples = sine(700.0, 44_100, 45_423, 9000.0);
    for (codec, ticks) in [
        (Codec::Pcma, 8240),
        (Codec::Pcmu, 8240),
        (Codec::G722, 8640),
        (Codec::Opus, 8320),
        (Codec::L16, 8240),
    ] {
        let clip = Clip::new(codec, &samples, 44_100);
        assert_eq!((clip.codec(), clip.len()), (codec, ticks));
        let mut decoder = Decoder::at(codec, 8000);
        let (mut frame, mut heard, mut at) = (Vec::new(), Vec::new(), 0);
        while at < clip.len() {
            frame.clear();
            let taken = clip.copy(at, 160, &mut frame);
            assert!(taken > 0 && taken <= 160);
            at += taken;
            decoder.decode(&frame, &mut heard).unwrap();
        }
        assert_eq!(clip.copy(at, 160, &mut frame), 0, "at the end there is nothing");
        let own = heard.len();
        let narrow =
            if decoder.sample_rate() == 8000 { heard } else { heard.into_iter().step_by(2).collect() };
        assert!(own > 8000 && audio::tone::heard(&narrow[1600..2400], &TONES) == [700.0], "{codec:?}");
    }
}

#[test]
fn a_packet_of_opus_is_taken_whole_or_not_at_all() {
    let clip = Clip::new(Codec::Opus, &sine(700.0, 48_000, 9600, 9000.0), 48_000);
    let (mut whole, mut within, mut none) = (Vec::new(), Vec::new(), Vec::new());
    assert_eq!(clip.copy(320, 160, &mut whole), 160);
    assert_eq!(clip.copy(333, 160, &mut within), 160);
    assert_eq!(whole, within);
    assert_eq!(clip.copy(320, 159, &mut none), 0);
    assert_eq!(none, []);
}

#[test]
fn a_file_that_is_no_prompt_is_told_with_the_next_step() {
    let tone = Tone::new(440.0, 8000).take(800);
    let good = opus_file(&tone, 8000, opus::Channels::Mono, 0, &[]);
    let mut torn = good.clone();
    torn.truncate(good.len() - 40);
    let mut flipped = good.clone();
    let middle = good.len() - 60;
    flipped[middle] ^= 0xff;
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("nothing", vec![], "none of"),
        ("text", b"hello, I am no sound".to_vec(), "none of"),
        ("the word Ogg alone", b"OggS".to_vec(), "damaged"),
        ("an Opus file torn off", torn, "damaged"),
        ("an Opus file with a wrong byte", flipped, "damaged"),
        ("RIFF that is no WAV", b"RIFF\0\0\0\0AVI abcdefgh".to_vec(), "none of"),
        ("a WAV without data", b"RIFF\0\0\0\0WAVE".to_vec(), "has no data"),
        ("a WAV without format", b"RIFF\0\0\0\0WAVEdata\0\0\0\0".to_vec(), "before their format"),
        ("a WAV of 24 bits", raw_wav(1, 1, 8000, 24, &[0; 24]), "24 bits"),
        ("a WAV in MP3", raw_wav(85, 1, 8000, 0, &[0; 24]), "format 85"),
        ("a WAV of six channels", raw_wav(1, 6, 8000, 16, &[0; 24]), "6 channels"),
        ("a WAV of no channels", raw_wav(1, 0, 8000, 16, &[0; 24]), "0 channels"),
        ("a WAV at 11 kHz", raw_wav(1, 1, 11_025, 16, &[0; 24]), "11025 Hz"),
        ("a WAV at 0 Hz", raw_wav(1, 1, 0, 16, &[0; 24]), "0 Hz"),
        ("a FLAC of nothing", b"fLaC".to_vec(), "damaged"),
        ("an MP3 of nothing", b"ID3\x04\0\0\0\0\0\0".to_vec(), "convert it"),
        ("more than ten minutes", raw_wav(6, 1, 8000, 8, &vec![0xd5; 4_800_001]), "ten minutes"),
    ];
    for (what, file, why) in cases {
        let error = read(&file).expect_err(what);
        assert!(error.to_string().contains(why), "{what}: {error}");
    }
    assert_eq!(read(&raw_wav(6, 1, 8000, 8, &vec![0xd5; 4_800_000])).unwrap().len(), 4_800_000);
}

#[test]
fn an_opus_file_that_claims_hours_in_few_bytes_is_cut_off() {
    // Packets of two bytes for 120 ms each (RFC 6716 §3.2.5): 48 frames of 2.5 ms, no bytes for any.
    let mut file = Vec::new();
    let mut writer = ogg::PacketWriter::new(&mut file);
    let head = b"OpusHead\x01\x01\x00\x00\x40\x1f\x00\x00\x00\x00\x00".to_vec();
    use ogg::PacketWriteEndInfo::{EndPage, NormalPacket};
    writer.write_packet(head, 7, EndPage, 0).unwrap();
    writer.write_packet(b"OpusTags".to_vec(), 7, EndPage, 0).unwrap();
    for n in 0..6000u64 {
        writer.write_packet(vec![0x83, 48], 7, NormalPacket, n).unwrap();
    }
    writer.write_packet(vec![0x83, 48], 7, EndPage, 0).unwrap();
    assert!(file.len() < 30_000);
    assert_eq!(read(&file), Err(PromptError::TooLong));
}

proptest! {
    #[test]
    fn no_bytes_break_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..2000), kind in 0usize..6) {
        let start: &[u8] =
            [&b""[..], b"RIFF\0\0\0\0WAVE", b"OggS\0\x02", b"fLaC", b"ID3\x04", b"\xff\xfb\x90"][kind];
        let _ = read(&[start, &bytes].concat());
    }

    #[test]
    fn no_change_of_a_good_file_breaks_the_reader(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
        is_wav in any::<bool>(),
    ) {
        let tone = Tone::new(440.0, 8000).take(1600);
        let mut file = if is_wav {
            raw_wav(1, 2, 16_000, 16, &[1; 3000])
        } else {
            opus_file(&tone, 8000, opus::Channels::Mono, 0, b"tail")
        };
        for (at, byte) in changes {
            let at = at.index(file.len().min(200));
            file[at] = byte;
        }
        file.truncate(cut.index(file.len()) + file.len() / 2);
        if let Ok(clip) = read(&file) {
            prop_assert!(clip.len() <= 2 * 3000);
        }
    }
}

#[test]
fn the_recorded_prompts_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/sounds/it");
    let Ok(files) = std::fs::read_dir(&folder) else {
        println!("skipped: no recordings at {}", folder.display());
        return;
    };
    let mut count = 0;
    for file in
        files.map(|file| file.unwrap().path()).filter(|file| file.extension() == Some("opus".as_ref()))
    {
        let samples = read_samples(&std::fs::read(&file).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let loudness = audio::tone::loudness(&samples);
        assert!(samples.len() > 2000 && loudness > 0.01, "{}: {} {loudness}", file.display(), samples.len());
        count += 1;
    }
    assert!(count > 0, "no recordings in {}", folder.display());
}

#[test]
fn the_length_of_a_file_is_told_without_decoding_it() {
    let samples = sine(440.0, 48_000, 48_000, 8000.0);
    let opus = opus_file(&samples, 48_000, opus::Channels::Mono, 0, b"");
    let decoded = read_samples(&opus).unwrap().len() as f64 / 8000.0;
    assert!((prompt::length(&opus).unwrap().as_secs_f64() - decoded).abs() < 0.01);
    let wav = wav::write(&sine(440.0, 8000, 12_000, 8000.0));
    assert_eq!(prompt::length(&wav).unwrap().as_millis(), 1500);
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sounds/it/welcome.opus");
    let shipped = std::fs::read(shipped).unwrap();
    let decoded = read_samples(&shipped).unwrap().len() as f64 / 8000.0;
    assert!((prompt::length(&shipped).unwrap().as_secs_f64() - decoded).abs() < 0.01);
    let flac = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files/tone.flac")).unwrap();
    assert_eq!(prompt::length(&flac), None, "only decoding would tell");
}

/// What a check finds before a call is what a call would find.
#[test]
fn a_length_is_told_of_those_files_that_can_be_heard_and_of_no_others() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files");
    let file = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let opus = opus_file(&sine(440.0, 48_000, 24_000, 8000.0), 48_000, opus::Channels::Mono, 0, b"");
    let wav = wav_file(&sine(440.0, 16_000, 8_000, 8000.0), 16_000, 2);
    let of_24_bits = raw_wav(1, 1, 8000, 24, &[0; 2400]);
    let at_11_khz = raw_wav(1, 1, 11_025, 16, &[0; 2400]);
    let too_long = raw_wav(6, 1, 8000, 8, &vec![0xd5; 4_800_001]);
    for whole in
        [opus, wav, of_24_bits, at_11_khz, too_long, file("tone.flac"), file("tone.mp3"), file("tone.ogg")]
    {
        let kind = String::from_utf8_lossy(&whole[..4]).into_owned();
        let is_begun =
            kind != "OggS" && kind != "RIFF" || whole.get(28..36) != Some(b"OpusHead") && kind == "OggS";
        for end in [0, 3, 20, 44, 200, 1000, whole.len() / 3, whole.len() / 2, whole.len() - 1, whole.len()] {
            let torn = &whole[..end.min(whole.len())];
            let is_heard = read(torn).is_ok_and(|clip| !clip.is_empty());
            let length = prompt::length(torn);
            // Of what has to be decoded, the first sound alone is tried.
            let fits = is_heard == (length != Some(Duration::ZERO)) || (is_begun && length.is_none());
            assert!(fits, "{kind} torn off at {end}: {is_heard} {length:?}");
        }
    }
}

#[test]
fn nothing_can_be_heard_of_an_empty_file_or_of_a_head_alone() {
    let opus = opus_file(&sine(440.0, 48_000, 48_000, 8000.0), 48_000, opus::Channels::Mono, 0, b"");
    for file in [&b""[..], b"hello", &opus[..40], b"RIFF", &wav::write(&[])] {
        assert!(prompt::length(file).unwrap().is_zero(), "{} bytes", file.len());
    }
}
