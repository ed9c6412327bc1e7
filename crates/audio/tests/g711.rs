//! G.711 against its definition: a table of intervals, searched, with the middle of each as its value.

use audio::g711::Law::{self, A, Mu};

/// The interval of magnitudes that a code of 7 bits stands for, in the law's own units.
fn interval(law: Law, code: i32) -> (i32, i32) {
    let (segment, step) = (code / 16, code % 16);
    match (law, segment) {
        (A, 0) => (step, step + 1),
        (A, _) => ((16 + step) << (segment - 1), (17 + step) << (segment - 1)),
        (Mu, _) => ((16 + step) << (segment + 1), (17 + step) << (segment + 1)),
    }
}

fn reference_encode(law: Law, sample: i16) -> Option<u8> {
    let magnitude = i32::from(if sample < 0 { !sample } else { sample });
    let units = match law {
        A => magnitude / 16,
        Mu => (magnitude / 4 + 33).min(8191),
    };
    let code = (0..128).find(|code| (interval(law, *code).0..interval(law, *code).1).contains(&units));
    let code = code? as u8;
    let sign = if sample < 0 { 0 } else { 0x80 };
    Some(match law {
        A => (code | sign) ^ 0x55,
        Mu => (code ^ 0x7f) | sign,
    })
}

fn reference_decode(law: Law, byte: u8) -> i16 {
    let code = match law {
        A => byte ^ 0x55,
        Mu => byte ^ 0x7f,
    };
    let (low, high) = interval(law, i32::from(code & 0x7f));
    let magnitude = match law {
        A => (low + high) * 8,
        Mu => (low + high) * 2 - 33 * 4,
    };
    (if code & 0x80 == 0 { -magnitude } else { magnitude }) as i16
}

#[test]
fn all_65_536_samples_are_written_as_the_law_says() {
    for law in [A, Mu] {
        for sample in i16::MIN..=i16::MAX {
            let (ours, theirs) = (Some(law.encode_sample(sample)), reference_encode(law, sample));
            assert_eq!(ours, theirs, "{law:?} {sample}");
        }
    }
}

#[test]
fn all_256_bytes_are_read_as_the_law_says() {
    for law in [A, Mu] {
        for byte in 0..=255 {
            assert_eq!(law.decode_sample(byte), reference_decode(law, byte), "{law:?} {byte:#x}");
        }
    }
}

#[test]
fn the_well_known_values_are_right() {
    for (law, byte, sample) in [
        (A, 0xd5, 8),
        (A, 0x55, -8),
        (A, 0xaa, 32_256),
        (A, 0x2a, -32_256),
        (Mu, 0xff, 0),
        (Mu, 0x7f, 0),
        (Mu, 0x80, 32_124),
        (Mu, 0x00, -32_124),
    ] {
        assert_eq!(law.decode_sample(byte), sample, "{law:?} {byte:#x}");
    }
    assert_eq!((A.silence(), Mu.silence()), (A.encode_sample(0), Mu.encode_sample(0)));
}

#[test]
fn what_is_read_is_written_back_but_for_the_negative_nothing_of_mu_law() {
    for law in [A, Mu] {
        for byte in 0..=255 {
            let again = law.encode_sample(law.decode_sample(byte));
            let expected = if (law, byte) == (Mu, 0x7f) { 0xff } else { byte };
            assert_eq!(again, expected, "{law:?}");
        }
    }
}

#[test]
fn one_law_becomes_the_other_as_by_way_of_samples() {
    for (from, to) in [(A, Mu), (Mu, A)] {
        let mut bytes: Vec<u8> = (0..=255).collect();
        from.recode(to, &mut bytes);
        let expected: Vec<u8> = (0..=255).map(|byte| to.encode_sample(from.decode_sample(byte))).collect();
        assert_eq!(bytes, expected);
        to.recode(to, &mut bytes);
        assert_eq!(bytes, expected, "the same law changes nothing");
    }
}
