//! STUN on the SIP port: the samples of RFC 5769, and whatever else may come.

#![allow(clippy::unwrap_used, reason = "a helper of a test may fail it")]

use proptest::prelude::*;
use std::net::SocketAddr;
use stun::{answer, binding_request, is_stun, mapped_address};

/// The id of the samples of RFC 5769 §2.
const ID: [u8; 12] = [0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae];

/// XOR-MAPPED-ADDRESS as in RFC 5769 §2.2 (192.0.2.1:32853) and §2.3 (2001:db8:1234:5678:11:2233:4455:6677).
const SAMPLES: [(&str, &str); 2] = [
    ("192.0.2.1:32853", "002000080001a147e112a643"),
    ("[2001:db8:1234:5678:11:2233:4455:6677]:32853", "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"),
];

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn with_attributes(attributes: &[u8]) -> Vec<u8> {
    let mut request = binding_request(&ID);
    request[3] = attributes.len() as u8;
    request.extend(attributes);
    request
}

#[test]
fn a_binding_request_is_told_its_source_as_in_the_samples_of_rfc_5769() {
    for (source, attribute) in SAMPLES {
        let source: SocketAddr = source.parse().unwrap();
        let answer = answer(&binding_request(&ID), source).unwrap();
        assert_eq!(answer[..2], [1, 1]);
        assert_eq!(answer[8..20], ID);
        assert_eq!(answer[20..], bytes(attribute));
        assert_eq!(mapped_address(&answer, &ID), Some(source));
        assert_eq!(mapped_address(&answer, &[0; 12]), None, "of another request");
    }
}

#[test]
fn the_plain_address_of_an_old_server_is_read_too() {
    let mut old = with_attributes(&bytes("000100080001 8055c0000201".replace(' ', "").as_str()));
    old[0] = 1;
    assert_eq!(mapped_address(&old, &ID), Some("192.0.2.1:32853".parse().unwrap()));
}

#[test]
fn only_sound_and_small_binding_requests_are_answered() {
    let source: SocketAddr = "192.0.2.1:5060".parse().unwrap();
    let indication = [&[0, 0x11], &binding_request(&ID)[2..]].concat();
    let own_answer = answer(&binding_request(&ID), source).unwrap();
    let table = [
        ("with a SOFTWARE of 3 bytes", with_attributes(&bytes("8022000361626300")), true),
        ("with a FINGERPRINT", with_attributes(&bytes("8028000400000000")), true),
        (
            "with a USERNAME, which would have to be understood",
            with_attributes(&bytes("0006000461626364")),
            false,
        ),
        ("an attribute longer than the message", with_attributes(&bytes("8022000861626300")), false),
        ("an attribute that is cut", with_attributes(&bytes("80220001")), false),
        ("half an attribute", with_attributes(&bytes("8022")), false),
        ("a length of more than there is", binding_request(&ID)[..19].to_vec(), false),
        ("an indication", indication, false),
        ("an answer, so that no two servers talk for ever", own_answer, false),
        ("too long", with_attributes(&[bytes("802200f8"), vec![0; 248]].concat()), false),
        ("nothing", vec![], false),
    ];
    for (what, datagram, answered) in table {
        assert_eq!(answer(&datagram, source).is_some(), answered, "{what}");
    }
    assert!(!is_stun(b"INVITE sip:a@b SIP/2.0\r\n"));
    assert!(!is_stun(b"\r\n\r\n"));
}

proptest! {
    #[test]
    fn whatever_comes_makes_no_panic_and_at_most_one_small_datagram(
        mut datagram in proptest::collection::vec(any::<u8>(), 0..300),
        shaped in any::<bool>(),
        source in any::<SocketAddr>(),
    ) {
        if shaped && datagram.len() >= 20 {
            let length = (datagram.len() - 20) as u16;
            datagram[..2].copy_from_slice(&[0, 1]);
            datagram[2..4].copy_from_slice(&length.to_be_bytes());
            datagram[4..8].copy_from_slice(&0x2112_A442_u32.to_be_bytes());
        }
        let _ = mapped_address(&datagram, &ID);
        if let Some(told) = answer(&datagram, source) {
            prop_assert!(told.len() <= datagram.len() + 24);
            let id = datagram[8..20].try_into().unwrap();
            let same = SocketAddr::new(source.ip(), source.port());
            prop_assert_eq!(mapped_address(&told, &id), Some(same));
            prop_assert!(answer(&told, source).is_none());
        }
    }
}
