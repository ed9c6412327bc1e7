//! G.711 against its definition: a table of intervals, searched, with the middle of each as its value.

use audio::g711::{decode_sample, encode_sample, recode, silence};
use media_api::Codec::{self, Pcma, Pcmu};

/// The interval of magnitudes that a code of 7 bits stands for, in the law's own units.
fn interval(codec: Codec, code: i32) -> (i32, i32) {
    let (segment, step) = (code / 16, code % 16);
    match (codec, segment) {
        (Pcma, 0) => (step, step + 1),
        (Pcma, _) => ((16 + step) << (segment - 1), (17 + step) << (segment - 1)),
        (Pcmu, _) => ((16 + step) << (segment + 1), (17 + step) << (segment + 1)),
    }
}

fn reference_encode(codec: Codec, sample: i16) -> Option<u8> {
    let magnitude = i32::from(if sample < 0 { !sample } else { sample });
    let units = match codec {
        Pcma => magnitude / 16,
        Pcmu => (magnitude / 4 + 33).min(8191),
    };
    let code = (0..128).find(|code| (interval(codec, *code).0..interval(codec, *code).1).contains(&units));
    let code = code? as u8;
    let sign = if sample < 0 { 0 } else { 0x80 };
    Some(match codec {
        Pcma => (code | sign) ^ 0x55,
        Pcmu => (code ^ 0x7f) | sign,
    })
}

fn reference_decode(codec: Codec, byte: u8) -> i16 {
    let code = match codec {
        Pcma => byte ^ 0x55,
        Pcmu => byte ^ 0x7f,
    };
    let (low, high) = interval(codec, i32::from(code & 0x7f));
    let magnitude = match codec {
        Pcma => (low + high) * 8,
        Pcmu => (low + high) * 2 - 33 * 4,
    };
    (if code & 0x80 == 0 { -magnitude } else { magnitude }) as i16
}

#[test]
fn all_65_536_samples_are_written_as_the_law_says() {
    for codec in [Pcma, Pcmu] {
        for sample in i16::MIN..=i16::MAX {
            let (ours, theirs) = (Some(encode_sample(codec, sample)), reference_encode(codec, sample));
            assert_eq!(ours, theirs, "{codec:?} {sample}");
        }
    }
}

#[test]
fn all_256_bytes_are_read_as_the_law_says() {
    for codec in [Pcma, Pcmu] {
        for byte in 0..=255 {
            assert_eq!(decode_sample(codec, byte), reference_decode(codec, byte), "{codec:?} {byte:#x}");
        }
    }
}

#[test]
fn the_well_known_values_are_right() {
    for (codec, byte, sample) in [
        (Pcma, 0xd5, 8),
        (Pcma, 0x55, -8),
        (Pcma, 0xaa, 32_256),
        (Pcma, 0x2a, -32_256),
        (Pcmu, 0xff, 0),
        (Pcmu, 0x7f, 0),
        (Pcmu, 0x80, 32_124),
        (Pcmu, 0x00, -32_124),
    ] {
        assert_eq!(decode_sample(codec, byte), sample, "{codec:?} {byte:#x}");
    }
    assert_eq!((silence(Pcma), silence(Pcmu)), (encode_sample(Pcma, 0), encode_sample(Pcmu, 0)));
}

#[test]
fn what_is_read_is_written_back_but_for_the_negative_nothing_of_mu_law() {
    for codec in [Pcma, Pcmu] {
        for byte in 0..=255 {
            let again = encode_sample(codec, decode_sample(codec, byte));
            let expected = if (codec, byte) == (Pcmu, 0x7f) { 0xff } else { byte };
            assert_eq!(again, expected, "{codec:?}");
        }
    }
}

#[test]
fn one_law_becomes_the_other_as_by_way_of_samples() {
    for (from, to) in [(Pcma, Pcmu), (Pcmu, Pcma)] {
        let mut bytes: Vec<u8> = (0..=255).collect();
        recode(from, to, &mut bytes);
        let expected: Vec<u8> = (0..=255).map(|byte| encode_sample(to, decode_sample(from, byte))).collect();
        assert_eq!(bytes, expected);
        recode(to, to, &mut bytes);
        assert_eq!(bytes, expected, "the same law changes nothing");
    }
}
