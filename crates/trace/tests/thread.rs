//! What the thread keeps, drops and sends on.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

mod support;

use std::net::UdpSocket;
use support::{PATIENCE, config, invite, message, wait_for};
use trace::{Trace, Way, hep};

#[test]
fn messages_are_found_by_their_call_with_their_secrets_covered() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Trace::start(config(folder.path())).unwrap();
    let secret = "Authorization: Digest username=\"anna\", response=\"0123456789abcdef\"\r\n";
    trace.saw(message("a", 0, Way::In, &invite(secret)));
    trace.saw(message("b", 1, Way::In, &invite("")));
    trace.saw(message("a", 2, Way::Out, "SIP/2.0 100 Trying\r\n\r\n"));
    let found = wait_for(|| Some(trace.read("a").unwrap()).filter(|found| found.messages.len() == 2));
    assert_eq!((found.messages[0].way, found.messages[1].way), (Way::In, Way::Out));
    trace.close();
    assert_eq!(trace.counts().stored, 3);
    let written: Vec<u8> = std::fs::read_dir(folder.path())
        .unwrap()
        .flat_map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .collect();
    let written = String::from_utf8_lossy(&written).into_owned();
    assert!(written.contains("response=***") && !written.contains("0123456789abcdef"), "{written}");
}

#[test]
fn all_that_was_handed_over_is_on_disk_when_it_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Trace::start(config(folder.path())).unwrap();
    for at in 0..2000 {
        trace.saw(message("a", at, Way::In, "BYE sip:x SIP/2.0\r\n\r\n"));
    }
    trace.close();
    assert_eq!(trace.read("a").unwrap().messages.len(), 2000);
    trace.saw(message("a", 0, Way::In, "after the end"));
    assert_eq!((trace.counts().stored, trace.counts().dropped), (2000, 1));
}

#[test]
fn a_disk_that_fails_costs_messages_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("taken");
    std::fs::write(&taken, "a file where the folder should be").unwrap();
    let trace = Trace::start(config(&taken)).unwrap();
    for at in 0..10 {
        trace.saw(message("a", at, Way::In, "BYE sip:x SIP/2.0\r\n\r\n"));
    }
    wait_for(|| (trace.counts().dropped == 10).then_some(()));
    trace.close();
    assert_eq!(trace.counts().stored, 0);
}

/// A HEP3 packet's chunks of the vendor 0: their types and values.
fn chunks(packet: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let word = |at: usize| u16::from_be_bytes([packet[at], packet[at + 1]]);
    assert_eq!(&packet[..4], b"HEP3");
    assert_eq!(usize::from(word(4)), packet.len());
    let (mut at, mut chunks) = (6, Vec::new());
    while at < packet.len() {
        assert_eq!(word(at), 0, "the vendor");
        let length = usize::from(word(at + 4));
        chunks.push((word(at + 2), packet[at + 6..at + length].to_vec()));
        at += length;
    }
    chunks
}

#[test]
fn homer_gets_each_message_with_its_addresses_its_time_and_its_call() {
    let homer = UdpSocket::bind("127.0.0.1:0").unwrap();
    homer.set_read_timeout(Some(PATIENCE)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let identity = hep::Identity { id: 2001, password: "hep-secret".into() };
    let hep = Some((homer.local_addr().unwrap(), identity));
    let trace = Trace::start(trace::Config { hep, ..config(folder.path()) }).unwrap();
    trace.saw(message("rm1-1", 7, Way::Out, &invite("Authorization: Digest response=\"00\"\r\n")));
    let mut buffer = [0; 4096];
    let (length, _) = homer.recv_from(&mut buffer).unwrap();
    let payload = invite("Authorization: Digest response=***\r\n").into_bytes();
    let expected: Vec<(u16, Vec<u8>)> = vec![
        (1, vec![2]),
        (2, vec![17]),
        (3, vec![192, 0, 2, 1]),
        (4, vec![192, 0, 2, 2]),
        (7, 5060_u16.to_be_bytes().to_vec()),
        (8, 40000_u16.to_be_bytes().to_vec()),
        (9, 1_700_000_000_u32.to_be_bytes().to_vec()),
        (10, 7000_u32.to_be_bytes().to_vec()),
        (11, vec![1]),
        (12, 2001_u32.to_be_bytes().to_vec()),
        (14, b"hep-secret".to_vec()),
        (17, b"rm1-1".to_vec()),
        (15, payload),
    ];
    assert_eq!(chunks(&buffer[..length]), expected);
    trace.close();
    assert_eq!(trace.counts().exported, 1);
}

#[test]
fn homer_gets_ipv6_and_streams_as_what_they_are() {
    let mut message = message("rm1-1", 0, Way::In, &invite(""));
    message.flow.transport = sip::ua::Transport::Tls;
    message.flow.local = "[2001:db8::1]:5061".parse().unwrap();
    message.flow.remote = "[2001:db8::2]:40000".parse().unwrap();
    let packet = hep::encode(&message, &hep::Identity::default()).unwrap();
    let chunks = chunks(&packet);
    let value = |kind: u16| chunks.iter().find(|(found, _)| *found == kind).map(|(_, value)| value.clone());
    assert_eq!((value(1), value(2)), (Some(vec![10]), Some(vec![6])));
    assert_eq!(value(5).unwrap()[15], 2);
    assert_eq!(value(6).unwrap()[15], 1);
    assert_eq!((value(3), value(14)), (None, None));
    message.bytes = vec![b'x'; 70_000];
    assert_eq!(hep::encode(&message, &hep::Identity::default()), None);
}

#[test]
fn a_homer_that_is_not_there_delays_nothing() {
    let gone = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let hep = Some((gone, hep::Identity::default()));
    let trace = Trace::start(trace::Config { hep, ..config(folder.path()) }).unwrap();
    for at in 0..100 {
        trace.saw(message("a", at, Way::In, &invite("")));
    }
    trace.close();
    let counts = trace.counts();
    assert_eq!((counts.stored, counts.exported + counts.unexported), (100, 100));
}
