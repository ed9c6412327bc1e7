//! Checks as ICE makes them: the samples of RFC 5769, and what we write read again.

#![allow(clippy::unwrap_used, reason = "a helper of a test may fail it")]

use proptest::prelude::*;
use std::net::SocketAddr;
use stun::{Error, Key, Kind, Message, Role, TransactionId, Writer};

/// RFC 5769 §2: of all samples with a short-term password.
const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";
const ID: TransactionId = [0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae];

/// RFC 5769 §2.1.
const REQUEST: &str = "\
    00010058 2112a442 b7e7a701 bc34d686 fa87dfae \
    80220010 5354554e 20746573 7420636c 69656e74 \
    00240004 6e0001ff \
    80290008 932ff9b1 51263b36 \
    00060009 6576746a 3a683676 59202020 \
    00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2 \
    80280004 e57a3bcf";

/// RFC 5769 §2.2.
const ANSWER_V4: &str = "\
    0101003c 2112a442 b7e7a701 bc34d686 fa87dfae \
    8022000b 74657374 20766563 746f7220 \
    00200008 0001a147 e112a643 \
    00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7 \
    80280004 c07d4c96";

/// RFC 5769 §2.3.
const ANSWER_V6: &str = "\
    01010048 2112a442 b7e7a701 bc34d686 fa87dfae \
    8022000b 74657374 20766563 746f7220 \
    00200014 0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9 \
    00080014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41 \
    80280004 c8fb0b4c";

fn bytes(hex: &str) -> Vec<u8> {
    let hex: String = hex.split_whitespace().collect();
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn the_request_of_rfc_5769_is_read_and_its_signature_holds() {
    let request = bytes(REQUEST);
    let message = Message::parse(&request).unwrap();
    assert_eq!((message.kind(), *message.id()), (Kind::Request, ID));
    assert_eq!(message.username(), Some(&b"evtj:h6vY"[..]));
    assert_eq!(message.priority(), Some(0x6e00_01ff));
    assert_eq!(message.role(), Some(Role::Controlled(0x932f_f9b1_5126_3b36)));
    assert!(!message.nominates());
    assert_eq!(message.unknown().count(), 0);
    assert!(message.is_signed_by(&Key::of(PASSWORD)));
    assert!(!message.is_signed_by(&Key::of("VOkJxbRl1RmTxUk/WvJxBu")));
    assert!(message.has_fingerprint());
}

#[test]
fn the_answers_of_rfc_5769_are_read_and_their_signatures_hold() {
    for (answer, address) in
        [(ANSWER_V4, "192.0.2.1:32853"), (ANSWER_V6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853")]
    {
        let answer = bytes(answer);
        let message = Message::parse(&answer).unwrap();
        assert_eq!(message.kind(), Kind::Success);
        assert_eq!(message.mapped_address(), Some(address.parse().unwrap()));
        assert!(message.is_signed_by(&Key::of(PASSWORD)));
        assert!(message.has_fingerprint());
    }
}

#[test]
fn a_bit_that_was_changed_on_the_way_is_seen() {
    for sample in [REQUEST, ANSWER_V4, ANSWER_V6] {
        let sound = bytes(sample);
        for bit in 0..sound.len() * 8 {
            let mut changed = sound.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let Some(message) = Message::parse(&changed) else { continue };
            let in_the_sum = bit / 8 >= changed.len() - 8;
            assert_eq!(message.is_signed_by(&Key::of(PASSWORD)), in_the_sum, "bit {bit}");
            assert!(!message.has_fingerprint(), "bit {bit}");
        }
    }
}

#[test]
fn what_stands_behind_the_signature_is_not_believed() {
    let mut request = Vec::new();
    let key = Key::of(PASSWORD);
    let _ = Writer::new(&mut request, Kind::Request, &ID).priority(7).sign(&key).nominating();
    let message = Message::parse(&request).unwrap();
    assert!(message.is_signed_by(&key));
    assert_eq!((message.priority(), message.nominates()), (Some(7), false));
}

#[test]
fn an_attribute_that_must_be_understood_and_is_not_known_is_named() {
    let request = bytes("00010010 2112a442 b7e7a701 bc34d686 fa87dfae 7e570000 80220000 00250000 001c0000");
    let message = Message::parse(&request).unwrap();
    assert_eq!(message.unknown().collect::<Vec<_>>(), [0x7e57, 0x001c]);
    let mut answer = Vec::new();
    Writer::new(&mut answer, Kind::Error, message.id())
        .error(Error::UnknownAttribute)
        .unknown(message.unknown())
        .fingerprint();
    assert_eq!(answer[20..36], bytes("00090004 00000414 000a0004 7e57001c"));
}

#[test]
fn every_error_is_read_as_it_was_written() {
    for error in [Error::BadRequest, Error::Unauthenticated, Error::UnknownAttribute, Error::RoleConflict] {
        let mut answer = Vec::new();
        Writer::new(&mut answer, Kind::Error, &ID).error(error).fingerprint();
        let message = Message::parse(&answer).unwrap();
        assert_eq!((message.kind(), message.error()), (Kind::Error, Some(error.code())));
        assert!(message.has_fingerprint());
    }
}

#[test]
fn messages_of_other_methods_are_none_of_ours() {
    for kind in [0x0003u16, 0x0103, 0x0000, 0x0002, 0x3fff] {
        let mut request = stun::binding_request(&ID);
        request[..2].copy_from_slice(&kind.to_be_bytes());
        assert!(Message::parse(&request).is_none(), "{kind:04x}");
    }
}

fn role() -> impl Strategy<Value = Role> {
    (any::<u64>(), any::<bool>())
        .prop_map(|(tie, controls)| if controls { Role::Controlling(tie) } else { Role::Controlled(tie) })
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        before in proptest::collection::vec(any::<u8>(), 0..9),
        id in any::<TransactionId>(),
        name in "[a-z+/:]{0,40}",
        (priority, nominates, role) in (any::<u32>(), any::<bool>(), role()),
        address in any::<SocketAddr>(),
        password in "[A-Za-z+/]{0,80}",
    ) {
        let (mut buffer, key) = (before.clone(), Key::of(&password));
        let writer = Writer::new(&mut buffer, Kind::Request, &id).username(&name).priority(priority).role(role);
        let writer = if nominates { writer.nominating() } else { writer };
        writer.mapped_address(address).sign(&key).fingerprint();
        let message = Message::parse(&buffer[before.len()..]).unwrap();
        prop_assert_eq!((message.kind(), *message.id()), (Kind::Request, id));
        prop_assert_eq!(message.username(), Some(name.as_bytes()));
        prop_assert_eq!((message.priority(), message.role()), (Some(priority), Some(role)));
        prop_assert_eq!(message.nominates(), nominates);
        prop_assert_eq!(message.mapped_address(), Some(SocketAddr::new(address.ip(), address.port())));
        prop_assert!(message.is_signed_by(&key) && message.has_fingerprint());
        prop_assert!(!message.is_signed_by(&Key::of("another one")));
    }

    #[test]
    fn whatever_comes_is_read_without_panic(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..200),
        shaped in any::<bool>(),
    ) {
        if shaped && bytes.len() >= 20 {
            let length = (bytes.len() - 20) as u16;
            bytes[..2].copy_from_slice(&[0, 1]);
            bytes[2..4].copy_from_slice(&length.to_be_bytes());
            bytes[4..8].copy_from_slice(&0x2112_A442_u32.to_be_bytes());
        }
        if let Some(message) = Message::parse(&bytes) {
            let _ = (message.username(), message.priority(), message.role(), message.error());
            let _ = (message.mapped_address(), message.unknown().count(), message.has_fingerprint());
            prop_assert!(!message.is_signed_by(&Key::of(PASSWORD)));
        }
    }
}
