use media_api::{KeyName, MasterKey, Suite};
use proptest::prelude::*;

use super::cipher::{Cipher, Tag};
use super::derivation::{apply, counter_mode, session_key};
use super::{ENCRYPTED, Flaw, Opener, SENDERS_MAX, Sealer};

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn master(suite: Suite, fill: u8) -> MasterKey {
    let bytes: Vec<u8> = (0..suite.master_length() as u8).map(|n| n ^ fill).collect();
    MasterKey::from_bytes(suite, &bytes).unwrap()
}

fn pair(suite: Suite) -> (Sealer, Opener) {
    let key = master(suite, 7);
    (Sealer::new(&key).unwrap(), Opener::new(&key, None).unwrap())
}

fn packet(sequence: u16, ssrc: u32) -> Vec<u8> {
    let mut bytes = vec![0x80, 8];
    bytes.extend(sequence.to_be_bytes());
    bytes.extend([0, 0, 0, 160]);
    bytes.extend(ssrc.to_be_bytes());
    bytes.extend([sequence as u8; 160]);
    bytes
}

fn report(ssrc: u32) -> Vec<u8> {
    let mut bytes = vec![0x80, 201, 0, 1];
    bytes.extend(ssrc.to_be_bytes());
    bytes.extend([0x81, 202, 0, 2, 1, 2, 3, 4, 1, 1, 65, 0]);
    bytes
}

fn sealed(sealer: &mut Sealer, plain: &[u8]) -> Vec<u8> {
    let mut bytes = plain.to_vec();
    sealer.seal(&mut bytes, 0).unwrap();
    bytes
}

fn opened(opener: &mut Opener, sealed: &[u8]) -> Result<Vec<u8>, Flaw> {
    let mut bytes = sealed.to_vec();
    let length = opener.open(&mut bytes)?;
    bytes.truncate(length);
    Ok(bytes)
}

/// RFC 3711 §B.2 and RFC 6188 §7.1.
#[test]
fn the_key_stream_is_that_of_the_standards() {
    for (key, stream) in [
        (
            "2b7e151628aed2a6abf7158809cf4f3c",
            "e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab41e95b3bb0a2e8dd477901e4fca894c0",
        ),
        (
            "57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98",
            "92bdd28a93c3f52511c677d08b5515a49da71b2378a854f67050756ded165bac63c4868b7096d88421b563b8c94c9a31",
        ),
    ] {
        let mut bytes = vec![0; 48];
        let iv: [u8; 16] = hex("f0f1f2f3f4f5f6f7f8f9fafbfcfd0000").try_into().unwrap();
        apply(&counter_mode(&hex(key)).unwrap(), iv, &mut bytes).unwrap();
        assert_eq!(bytes, hex(stream));
    }
}

/// RFC 3711 §B.3 and RFC 6188 §7.2.
#[test]
fn session_keys_are_those_of_the_standards() {
    for (key, salt, cipher, session_salt, auth) in [
        (
            "e1f97a0d3e018be0d64fa32c06de4139",
            "0ec675ad498afeebb6960b3aabe6",
            "c61e7a93744f39ee10734afe3ff7a087",
            "30cbbc08863d8c85d49db34a9ae1",
            "cebe321f6ff7716b6fd4ab49af256a156d38baa4",
        ),
        (
            "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6",
            "3b04803de51ee7c96423ab5b78d2",
            "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4",
            "fa31791685ca444a9e07c6c64e93",
            "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05",
        ),
    ] {
        let source = counter_mode(&hex(key)).unwrap();
        for (label, expected) in [(0, cipher), (2, session_salt), (1, auth)] {
            let mut out = vec![0; expected.len() / 2];
            session_key(&source, &hex(salt), label, &mut out).unwrap();
            assert_eq!(out, hex(expected), "label {label}");
        }
    }
}

/// A packet that libsrtp seals and checks itself against, by the master key of RFC 3711 §B.3.
#[test]
fn a_packet_is_sealed_as_others_seal_it() {
    let bytes = hex("e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6");
    let key = MasterKey::from_bytes(Suite::AesCm128HmacSha1Tag80, &bytes).unwrap();
    let plain = hex("800f1234decafbadcafebabeabababababababababababababababab");
    let expected = hex("800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb");
    assert_eq!(sealed(&mut Sealer::new(&key).unwrap(), &plain), expected);
    assert_eq!(opened(&mut Opener::new(&key, None).unwrap(), &expected), Ok(plain));
}

const SALT: &str = "517569642070726f2071756f";
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// RFC 7714 §16.1.1 and §16.2.1.
#[test]
fn gcm_seals_rtp_as_the_standard_does() {
    let plain = hex(
        "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573",
    );
    for (length, expected) in [
        (
            32,
            "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce",
        ),
        (
            64,
            "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13",
        ),
    ] {
        let cipher = Cipher::gcm(&hex(&KEY[..length]), &hex(SALT)).unwrap();
        let mut bytes = plain.clone();
        let tag = cipher.seal_rtp(&mut bytes, 12, 0x5501_a0b2, 0xf17b).unwrap();
        assert_eq!([&bytes[12..], tag.bytes()].concat(), hex(expected));
        assert!(cipher.open_rtp(&mut bytes, 12, 0x5501_a0b2, 0xf17b, &tag));
        assert_eq!(bytes, plain);
    }
}

/// RFC 7714 §17.1 and §17.2.
#[test]
fn gcm_seals_rtcp_as_the_standard_does() {
    let plain = hex(
        "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
    );
    for (length, expected) in [
        (
            32,
            "63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade",
        ),
        (
            64,
            "d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be",
        ),
    ] {
        let cipher = Cipher::gcm(&hex(&KEY[..length]), &hex(SALT)).unwrap();
        let mut bytes = plain.clone();
        let tag = cipher.seal_rtcp(&mut bytes, 8, 0x4d61_7273, ENCRYPTED | 0x5d4).unwrap();
        assert_eq!([&bytes[8..], tag.bytes()].concat(), hex(expected));
        assert!(cipher.open_rtcp(&mut bytes, 8, 0x4d61_7273, ENCRYPTED | 0x5d4, &tag));
        assert_eq!(bytes, plain);
    }
}

#[test]
fn what_one_seals_the_other_opens_by_every_suite() {
    for suite in Suite::ALL {
        let (mut sealer, mut opener) = pair(suite);
        for sequence in [5, 6, 9, 8, 7] {
            let plain = packet(sequence, 77);
            let bytes = sealed(&mut sealer, &plain);
            assert_ne!(bytes[12..172], plain[12..], "{suite:?}");
            assert_eq!(opened(&mut opener, &bytes), Ok(plain), "{suite:?}");
        }
        for _ in 0..3 {
            let mut bytes = report(77);
            sealer.seal_report(&mut bytes, 0).unwrap();
            assert_ne!(bytes[8..20], report(77)[8..]);
            let length = opener.open_report(&mut bytes).unwrap();
            assert_eq!(bytes[..length], report(77), "{suite:?}");
        }
    }
}

#[test]
fn a_packet_behind_others_in_a_buffer_is_sealed_and_those_are_left_alone() {
    let (mut sealer, mut opener) = pair(Suite::AesCm128HmacSha1Tag80);
    let mut bytes = b"before".to_vec();
    bytes.extend(packet(1, 2));
    sealer.seal(&mut bytes, 6).unwrap();
    assert_eq!(&bytes[..6], b"before");
    assert_eq!(opened(&mut opener, &bytes[6..]), Ok(packet(1, 2)));
    assert_eq!(sealer.seal(&mut b"no rtp".to_vec(), 0), Err(Flaw::Malformed));
    assert_eq!(sealer.seal(&mut Vec::new(), 9), Err(Flaw::Malformed));
}

#[test]
fn the_count_rolls_over_at_both_ends_whatever_comes_in_between() {
    for suite in [Suite::AesCm128HmacSha1Tag32, Suite::AesGcm128] {
        let (mut sealer, mut opener) = pair(suite);
        let mut last = Vec::new();
        for number in 65_000u32..200_000 {
            // One near each wrap is late, and sealed after its followers, as a relay does.
            let number = match number % 65_536 {
                65_534 => continue,
                3 => number - 5,
                _ => number,
            };
            let bytes = sealed(&mut sealer, &packet(number as u16, 5));
            if number % 97 == 0 || number % 65_536 > 65_500 || number % 65_536 < 20 {
                let outcome = opened(&mut opener, &bytes);
                assert!(outcome.is_ok(), "{number} {outcome:?}");
                last = bytes;
            }
        }
        assert_eq!(opened(&mut opener, &last), Err(Flaw::Replayed));
    }
}

/// RFC 3711 §9.1: one key stream for two texts tells both.
#[test]
fn a_number_is_sealed_once_and_one_that_may_have_been_is_not() {
    let (mut sealer, mut opener) = pair(Suite::AesGcm128);
    for (sequence, outcome) in [
        (10u16, Ok(())),
        (10, Err(Flaw::Replayed)),
        (12, Ok(())),
        (11, Ok(())),
        (11, Err(Flaw::Replayed)),
        (300, Ok(())),
        (172, Err(Flaw::Replayed)),
        (173, Ok(())),
        // From before the first.
        (65_500, Err(Flaw::Replayed)),
        (301, Ok(())),
    ] {
        let mut bytes = packet(sequence, 1);
        assert_eq!(sealer.seal(&mut bytes, 0), outcome, "{sequence}");
        assert!(outcome.is_err() || opened(&mut opener, &bytes).is_ok(), "{sequence}");
    }
    assert_eq!(sealer.seal(&mut packet(302, 2), 0), Err(Flaw::Malformed), "another source");
    assert_eq!(sealer.seal(&mut packet(302, 1), 0), Ok(()));
}

#[test]
fn what_came_before_or_is_too_old_never_passes() {
    let (mut sealer, mut opener) = pair(Suite::AesCm128HmacSha1Tag80);
    let packets: Vec<_> = (0..300u16).map(|n| sealed(&mut sealer, &packet(n, 1))).collect();
    assert!(opened(&mut opener, &packets[200]).is_ok());
    for (n, outcome) in [(200, false), (72, false), (73, true), (73, false), (299, true), (171, false)] {
        let got = opened(&mut opener, &packets[n]);
        assert_eq!(got.is_ok(), outcome, "{n}");
        assert!(outcome || got == Err(Flaw::Replayed));
    }
    let mut bytes = report(1);
    sealer.seal_report(&mut bytes, 0).unwrap();
    assert!(opener.open_report(&mut bytes.clone()).is_ok());
    assert_eq!(opener.open_report(&mut bytes), Err(Flaw::Replayed));
}

#[test]
fn a_name_of_the_key_must_be_there_if_it_was_announced_and_not_otherwise() {
    for suite in [Suite::AesCm128HmacSha1Tag80, Suite::AesGcm128] {
        let key = master(suite, 1);
        let (mut sealer, name) = (Sealer::new(&key).unwrap(), KeyName::new(0x0102, 2));
        let mut named = Opener::new(&key, name).unwrap();
        let plain = sealed(&mut sealer, &packet(1, 1));
        let tag = if suite == Suite::AesGcm128 { 0 } else { 10 };
        let with = |name: [u8; 2]| {
            let (body, tag) = plain.split_at(plain.len() - tag);
            [body, &name, tag].concat()
        };
        assert!(opened(&mut named, &plain).is_err(), "{suite:?}");
        assert_eq!(opened(&mut named, &with([1, 3])), Err(Flaw::Unauthenticated));
        assert_eq!(opened(&mut named, &with([1, 2])), Ok(packet(1, 1)));
        let mut unnamed = Opener::new(&key, None).unwrap();
        assert_eq!(opened(&mut unnamed, &with([1, 2])), Err(Flaw::Unauthenticated));
        assert!(opened(&mut unnamed, &plain).is_ok());
        let mut report = report(1);
        sealer.seal_report(&mut report, 0).unwrap();
        let at = if suite == Suite::AesGcm128 { report.len() } else { report.len() - 10 };
        let mut named_report = report.clone();
        named_report.splice(at..at, [1, 2]);
        assert!(named.open_report(&mut report).is_err());
        assert!(named.open_report(&mut named_report).is_ok());
    }
}

#[test]
fn several_sources_are_told_apart_and_more_than_that_push_out_the_oldest() {
    let (mut newest, mut opener) = pair(Suite::AesGcm128);
    let mut sealers: Vec<_> = (0..SENDERS_MAX).map(|_| pair(Suite::AesGcm128).0).collect();
    for round in 0..3u16 {
        for (sealer, ssrc) in sealers.iter_mut().zip(0..) {
            let bytes = sealed(sealer, &packet(round, ssrc));
            assert!(opened(&mut opener, &bytes).is_ok());
            assert_eq!(opened(&mut opener, &bytes), Err(Flaw::Replayed));
        }
    }
    let newcomer = sealed(&mut newest, &packet(0, 99));
    assert!(opened(&mut opener, &newcomer).is_ok());
    assert_eq!(opened(&mut opener, &newcomer), Err(Flaw::Replayed));
    assert_eq!(opener.senders.iter().flatten().filter(|sender| sender.ssrc == 0).count(), 0);
}

#[test]
fn what_nobody_authenticated_takes_no_place_and_moves_no_count() {
    let (mut sealer, mut opener) = pair(Suite::AesCm128HmacSha1Tag80);
    assert!(opened(&mut opener, &sealed(&mut sealer, &packet(100, 1))).is_ok());
    for n in 0..1000u16 {
        let mut stranger = Sealer::new(&master(Suite::AesCm128HmacSha1Tag80, 9)).unwrap();
        let forged = sealed(&mut stranger, &packet(40_000 + n, u32::from(n % 50)));
        assert_eq!(opened(&mut opener, &forged), Err(Flaw::Unauthenticated));
    }
    assert_eq!(opener.senders.iter().flatten().count(), 1);
    assert_eq!(opened(&mut opener, &sealed(&mut sealer, &packet(101, 1))), Ok(packet(101, 1)));
}

#[test]
fn a_report_that_is_not_encrypted_is_refused() {
    let key = master(Suite::AesCm128HmacSha1Tag80, 7);
    let sealer = Sealer::new(&key).unwrap();
    let mut bytes = report(1);
    let mut body = bytes.clone();
    let tag: Tag = sealer.rtcp.seal_rtcp(&mut body, 20, 1, 4).unwrap();
    bytes.extend(4u32.to_be_bytes());
    bytes.extend(tag.bytes());
    assert_eq!(Opener::new(&key, None).unwrap().open_report(&mut bytes), Err(Flaw::Unauthenticated));
}

/// RFC 3711 §3.3.1: who was not heard from the beginning may have wrapped meanwhile.
#[test]
fn a_peer_whose_first_packets_were_lost_around_a_wrap_is_heard() {
    for suite in
        [Suite::AesCm128HmacSha1Tag80, Suite::AesCm128HmacSha1Tag32, Suite::AesGcm128, Suite::AesGcm256]
    {
        let (mut sealer, mut opener) = pair(suite);
        for number in 65_000u32..70_000 {
            let bytes = sealed(&mut sealer, &packet(number as u16, 5));
            if number >= 65_536 + 10 {
                assert_eq!(opened(&mut opener, &bytes), Ok(packet(number as u16, 5)), "{suite:?} {number}");
                assert_eq!(opened(&mut opener, &bytes), Err(Flaw::Replayed));
            }
        }
    }
}

proptest! {
    #[test]
    fn whatever_comes_nothing_panics_and_nothing_passes(bytes in prop::collection::vec(any::<u8>(), 0..300), suite in 0usize..6) {
        let mut bytes = bytes;
        if let Some(first) = bytes.first_mut() {
            *first = 0x80 | *first & 0x3f;
        }
        for name in [None, KeyName::new(1, 1)] {
            let mut opener = Opener::new(&master(Suite::ALL[suite], 3), name).unwrap();
            prop_assert!(opener.open(&mut bytes.clone()).is_err());
            prop_assert!(opener.open_report(&mut bytes.clone()).is_err());
        }
    }

    #[test]
    fn one_bit_that_was_changed_is_noticed(suite in 0usize..6, bit in 0usize..182 * 8) {
        let (mut sealer, mut opener) = pair(Suite::ALL[suite]);
        let mut bytes = sealed(&mut sealer, &packet(1, 1));
        let bit = bit % (bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(opened(&mut opener, &bytes).is_err());
    }
}
