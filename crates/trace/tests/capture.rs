//! Captures, read back by a reader of pcapng of the test's own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

mod support;

use base::Wall;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use support::{config, invite, message, wait_for};
use trace::{Capture, CaptureLimits, MediaPacket, Trace, Way};

const LIMITS: CaptureLimits =
    CaptureLimits { wait: Duration::from_secs(60), length: Duration::from_secs(60), bytes: 1_000_000 };

#[derive(Debug, Default)]
struct File {
    packets: Vec<Packet>,
    /// Of the last block, if it is the count.
    dropped: Option<u64>,
}

#[derive(Debug, PartialEq)]
struct Packet {
    at: i64,
    from: SocketAddr,
    to: SocketAddr,
    inbound: bool,
    payload: Vec<u8>,
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn read(file: &[u8]) -> File {
    assert_eq!(word(file, 0), 0x0A0D_0D0A, "a section begins the file");
    let (mut at, mut read, mut kinds) = (0, File::default(), Vec::new());
    while at < file.len() {
        let (kind, length) = (word(file, at), word(file, at + 4) as usize);
        assert_eq!(length % 4, 0);
        assert_eq!(word(file, at + length - 4) as usize, length, "a block ends with its length");
        let body = &file[at + 8..at + length - 4];
        match kind {
            0x0A0D_0D0A => assert_eq!(word(body, 0), 0x1A2B_3C4D),
            1 => assert_eq!(u16::from_le_bytes([body[0], body[1]]), 101, "packets begin with IP"),
            6 => read.packets.push(packet(body)),
            5 => read.dropped = Some(u64::from_le_bytes(body[16..24].try_into().unwrap())),
            other => panic!("block {other}"),
        }
        kinds.push(kind);
        at += length;
    }
    assert_eq!(kinds[1], 1, "an interface follows");
    read
}

fn packet(body: &[u8]) -> Packet {
    let at = (i64::from(word(body, 4)) << 32) | i64::from(word(body, 8));
    let length = word(body, 12) as usize;
    assert_eq!(word(body, 16) as usize, length);
    let ip = &body[20..20 + length];
    let options = &body[20 + length.next_multiple_of(4)..];
    assert_eq!(&options[..4], [2, 0, 4, 0], "the direction");
    let be = |at: usize| u16::from_be_bytes([ip[at], ip[at + 1]]);
    let (from, to, udp): (IpAddr, IpAddr, usize) = match ip[0] >> 4 {
        4 => {
            assert_eq!((usize::from(be(2)), ip[9], sum(&[&ip[..20]])), (ip.len(), 17, 0xffff));
            let octets = |at: usize| <[u8; 4]>::try_from(&ip[at..at + 4]).unwrap().into();
            (octets(12), octets(16), 20)
        }
        6 => {
            assert_eq!((usize::from(be(4)), ip[6]), (ip.len() - 40, 17));
            let octets = |at: usize| <[u8; 16]>::try_from(&ip[at..at + 16]).unwrap().into();
            (octets(8), octets(24), 40)
        }
        other => panic!("IP version {other}"),
    };
    assert_eq!(usize::from(be(udp + 4)), ip.len() - udp);
    let addresses = if udp == 20 { &ip[12..20] } else { &ip[8..40] };
    assert_eq!(sum(&[addresses, &[0, 17], &ip[udp + 4..udp + 6], &ip[udp..]]), 0xffff, "the UDP checksum");
    Packet {
        at,
        from: SocketAddr::new(from, be(udp)),
        to: SocketAddr::new(to, be(udp + 2)),
        inbound: word(options, 4) == 1,
        payload: ip[udp + 8..].to_vec(),
    }
}

/// The ones' complement sum of 16-bit words (RFC 1071): all ones over what holds its own checksum.
fn sum(parts: &[&[u8]]) -> u32 {
    let mut sum = 0;
    for pair in parts.iter().flat_map(|part| part.chunks(2)) {
        sum += u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum
}

fn all_of(mut capture: Capture) -> Vec<u8> {
    let mut file = Vec::new();
    while let Some(piece) = capture.blocking_next() {
        file.extend(piece);
    }
    file
}

fn speech(capture: u64, millis: i64, way: Way) -> MediaPacket {
    let (ours, theirs) = ("192.0.2.1:20000".parse().unwrap(), "192.0.2.2:30000".parse().unwrap());
    let (from, to) = if way == Way::In { (theirs, ours) } else { (ours, theirs) };
    let at = Wall::from_unix_micros(1_700_000_000_000_000 + millis * 1000);
    MediaPacket { capture, at, from, to, way, bytes: vec![0x80; 173].into() }
}

fn trace(folder: &tempfile::TempDir) -> Trace {
    Trace::start(config(folder.path())).unwrap()
}

#[test]
fn a_capture_holds_what_went_by_before_it_and_what_comes_until_the_end_of_its_call() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(&folder);
    trace.saw(message("a", 1, Way::In, &invite("Authorization: Digest response=\"00\"\r\n")));
    trace.saw(message("b", 2, Way::In, &invite("")));
    let capture = trace.begin_capture(LIMITS).unwrap();
    let id = capture.id;
    trace.captures(id, "a");
    trace.saw(message("a", 3, Way::Out, "SIP/2.0 200 OK\r\n\r\n"));
    trace.saw(message("b", 4, Way::Out, "SIP/2.0 200 OK\r\n\r\n"));
    wait_for(|| (trace.counts().stored == 4).then_some(()));
    trace.saw_media(speech(id, 5, Way::In));
    trace.saw_media(speech(id, 6, Way::Out));
    trace.saw_media(speech(id + 1, 7, Way::In));
    trace.call_ended("a");
    trace.saw(message("a", 8, Way::In, "BYE sip:x SIP/2.0\r\n\r\n"));
    let file = read(&all_of(capture));
    let millis: Vec<i64> = file.packets.iter().map(|packet| packet.at / 1000 - 1_700_000_000_000).collect();
    let mut sorted = millis.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, [1, 3, 5, 6, 8]);
    let first = &file.packets[0];
    assert_eq!(first.payload, invite("Authorization: Digest response=***\r\n").into_bytes());
    assert_eq!((first.from.to_string(), first.inbound), ("192.0.2.2:40000".to_owned(), true));
    let spoken = file.packets.iter().find(|packet| packet.at / 1000 == 1_700_000_000_006).unwrap();
    assert_eq!((spoken.from.to_string(), spoken.inbound), ("192.0.2.1:20000".to_owned(), false));
    assert_eq!((spoken.payload.len(), file.dropped), (173, Some(0)));
}

#[test]
fn a_capture_ends_at_its_size() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(&folder);
    let capture = trace.begin_capture(CaptureLimits { bytes: 5000, ..LIMITS }).unwrap();
    let id = capture.id;
    trace.captures(id, "a");
    trace.saw(message("a", 0, Way::In, &invite("")));
    wait_for(|| (trace.counts().stored == 1).then_some(()));
    for at in 1..=100 {
        trace.saw_media(speech(id, at, Way::In));
    }
    let bytes = all_of(capture);
    assert!((5000..5400).contains(&bytes.len()), "{}", bytes.len());
    let file = read(&bytes);
    assert!(file.packets.len() > 10, "{file:?}");
}

#[test]
fn of_a_capture_that_nobody_takes_only_so_many_bytes_wait() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(&folder);
    let capture = trace.begin_capture(CaptureLimits { bytes: 1 << 40, ..LIMITS }).unwrap();
    trace.captures(capture.id, "a");
    let sent = 200_u32;
    for at in 0..sent {
        trace.saw(message("a", i64::from(at), Way::In, &"x".repeat(60_000)));
    }
    wait_for(|| (trace.counts().stored == sent.into()).then_some(()));
    trace.close();
    let bytes = all_of(capture);
    assert!((4_000_000..4_300_000).contains(&bytes.len()), "{}", bytes.len());
    let file = read(&bytes);
    assert_eq!(file.packets.len() as u64 + file.dropped.unwrap(), u64::from(sent));
}

#[test]
fn a_capture_ends_with_its_time_with_its_wait_and_with_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(&folder);
    let short = Duration::from_millis(1);
    let waited = trace.begin_capture(CaptureLimits { wait: short, ..LIMITS }).unwrap();
    assert_eq!(read(&all_of(waited)).packets, []);
    let timed = trace.begin_capture(CaptureLimits { length: short, ..LIMITS }).unwrap();
    trace.captures(timed.id, "a");
    assert_eq!(read(&all_of(timed)).dropped, Some(0));
    let last = trace.begin_capture(LIMITS).unwrap();
    trace.close();
    assert_eq!(read(&all_of(last)).dropped, Some(0));
}

#[test]
fn there_are_so_many_captures_and_one_that_nobody_takes_gives_its_place_back() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(&folder);
    let mut captures: Vec<Capture> = std::iter::from_fn(|| trace.begin_capture(LIMITS)).take(10).collect();
    assert_eq!(captures.len(), 4);
    drop(captures.pop());
    let again = wait_for(|| trace.begin_capture(LIMITS));
    assert!(!captures.iter().any(|capture| capture.id == again.id));
}

#[test]
fn a_message_that_came_by_ipv6_or_tls_is_written_as_udp() {
    let (from, to) = ("[2001:db8::2]:40000".parse().unwrap(), "[2001:db8::1]:5061".parse().unwrap());
    let at = Wall::from_unix_micros(1_700_000_000_123_456);
    let mut file = trace::pcapng::begin("Cornetta 0", "remark");
    for payload in [b"odd".as_slice(), b"even", &[7; 1500]] {
        file.extend(trace::pcapng::packet(at, from, to, true, payload));
    }
    file.extend(trace::pcapng::packet(at, to, from, false, &[b'x'; 70_000]));
    let read = read(&file);
    assert_eq!((read.packets[0].from, read.packets[0].to, read.packets[0].at), (from, to, at.unix_micros()));
    assert_eq!((read.packets[2].payload.len(), read.packets[3].payload.len()), (1500, 65_487));
}
