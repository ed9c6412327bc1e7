//! Media shards on real threads and sockets. The order of things comes from waiting for packets and events,
//! each with a limit.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails panics")]

use audio::wav;
use base::Seed;
use media_api::{
    Addresses, Codec, Command, Event, Family, LegId, Part, PlayId, RecordingId, RecordingOrder,
    RecordingTold, Stream, Tapping,
};
use net::{Clock, MediaConfig, MediaThreads, SoundStore};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(5);
const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn config(ports: RangeInclusive<u16>, threads: usize, sounds: Vec<PathBuf>) -> MediaConfig {
    MediaConfig {
        threads,
        ports,
        addresses: LOCALHOST.into(),
        legs: 100,
        sounds: SoundStore::new(sounds, None, 12 << 20).unwrap(),
        seed: Seed::from_number(1),
        clock: Clock::start(),
        tap: net::Tap::default(),
        recordings: net::Recordings::default(),
        certificate: net::MediaCertificate::draw().unwrap(),
    }
}

fn start(config: MediaConfig) -> (MediaThreads, Receiver<Event>) {
    let (sender, events) = channel();
    let media = MediaThreads::start(config, move |event| {
        let _ = sender.send(event);
        None
    });
    (media.unwrap(), events)
}

fn opened(event: Event) -> SocketAddr {
    match event {
        Event::Opened { local, .. } => local,
        other => panic!("{other:?}"),
    }
}

fn peer() -> UdpSocket {
    let socket = UdpSocket::bind((LOCALHOST, 0)).unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    socket
}

fn configure(leg: LegId, peer: &UdpSocket) -> Command {
    let remote = peer.local_addr().unwrap();
    let stream = Stream::plain(remote, Codec::Pcma, 8).with_digits(101);
    Command::Configure { leg, stream }
}

fn rtp(sequence: u16, payload: &[u8; 160]) -> Vec<u8> {
    let timestamp = u32::from(sequence) * 160;
    let head = [&[0x80, 8][..], &sequence.to_be_bytes(), &timestamp.to_be_bytes(), &[1, 2, 3, 4]].concat();
    [&head[..], payload].concat()
}

fn receive(socket: &UdpSocket) -> Vec<u8> {
    let mut buffer = [0; 2048];
    let (length, _) = socket.recv_from(&mut buffer).expect("no packet came in time");
    buffer[..length].to_vec()
}

/// Speaks until it is heard: what comes before the shard has taken the commands is rejected.
fn relayed(from: &UdpSocket, local: SocketAddr, to: &UdpSocket, payload: &[u8; 160]) -> Vec<u8> {
    to.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let mut buffer = [0; 2048];
    for sequence in 0..250 {
        from.send_to(&rtp(sequence, payload), local).unwrap();
        if let Ok((length, _)) = to.recv_from(&mut buffer) {
            return buffer[..length].to_vec();
        }
    }
    panic!("nothing was relayed in time");
}

#[test]
fn a_leg_gets_an_even_port_at_once_and_gives_it_back() {
    let (mut media, events) = start(config(24_000..=24_003, 1, Vec::new()));
    let first = opened(media.open(LegId(1), Family::V4, None));
    assert_eq!((first.ip(), first.port() % 2), (LOCALHOST, 0));
    opened(media.command(Command::Open { leg: LegId(2), family: Family::V4 }).unwrap());
    let Event::OpenFailed { leg, why } = media.open(LegId(3), Family::V4, None) else {
        panic!("a third pair in four ports")
    };
    assert_eq!(leg, LegId(3));
    assert!(why.contains("port range"), "{why}");
    assert_eq!(media.command(Command::Close { leg: LegId(1) }), None);
    let Event::Closed { leg, .. } = events.recv_timeout(SOON).unwrap() else { panic!("not closed") };
    assert_eq!((leg, media.legs()), (LegId(1), 1));
    assert_eq!(opened(media.open(LegId(4), Family::V4, None)), first);
}

#[test]
fn a_prompt_is_read_from_disk_and_played_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("it")).unwrap();
    std::fs::write(folder.path().join("it/welcome.wav"), wav::write(&[1000; 5 * 160])).unwrap();
    let (mut media, events) = start(config(24_010..=24_019, 1, vec![folder.path().to_owned()]));
    let (leg, peer) = (LegId(1), peer());
    opened(media.open(leg, Family::V4, None));
    media.command(configure(leg, &peer));
    let sounds = vec![Arc::from([Arc::from("fr/welcome"), Arc::from("it/welcome")])];
    media.command(Command::Play { leg, play: PlayId(7), sounds, repeat: false });
    let expected = [audio::g711::Law::A.encode_sample(1000); 160];
    for _ in 0..5 {
        let packet = receive(&peer);
        assert_eq!((packet[1] & 0x7f, &packet[12..]), (8, &expected[..]));
    }
    assert_eq!(events.recv_timeout(SOON), Ok(Event::PlayEnded { leg, play: PlayId(7), complete: true }));
    assert_eq!(media.counter().counts().sent, 5);
}

#[test]
fn legs_that_are_opened_together_are_relayed_whatever_the_number_of_threads() {
    let (mut media, events) = start(config(24_020..=24_059, 2, Vec::new()));
    let mut pairs = HashMap::new();
    for number in 0..4 {
        let (a, b) = (LegId(2 * number), LegId(2 * number + 1));
        let (from, to) = (peer(), peer());
        let local = opened(media.open(a, Family::V4, None));
        opened(media.open(b, Family::V4, Some(a)));
        media.command(configure(a, &from));
        media.command(configure(b, &to));
        media.command(Command::Bridge { a, b });
        pairs.insert(number, (local, from, to));
    }
    for (number, (local, from, to)) in &pairs {
        let payload = [*number as u8; 160];
        assert_eq!(relayed(from, *local, to, &payload)[12..], payload);
    }
    assert_eq!(media.legs(), 8);
    (0..8).for_each(|leg| assert_eq!(media.command(Command::Close { leg: LegId(leg) }), None));
    for _ in 0..8 {
        let Event::Closed { leg, stats } = events.recv_timeout(SOON).unwrap() else { panic!("not closed") };
        assert!(leg.0 % 2 == 1 || stats.received > 0, "{leg:?} {stats:?}");
    }
    assert_eq!(media.legs(), 0);
}

/// The SSRC, the sequence and the timestamp of what is heard, of the packets that bear this payload.
fn heard(from: &UdpSocket, local: SocketAddr, to: &UdpSocket, payload: &[u8; 160]) -> (u32, u16, u32) {
    let packet = relayed(from, local, to, payload);
    let number = |range: std::ops::Range<usize>| u32::from_be_bytes(packet[range].try_into().unwrap());
    (number(8..12), u16::from_be_bytes([packet[2], packet[3]]), number(4..8))
}

#[test]
fn a_leg_moves_to_the_shard_of_whom_it_is_bridged_to_and_its_party_hears_no_seam() {
    let (mut media, events) = start(config(24_080..=24_099, 2, Vec::new()));
    let legs = [LegId(1), LegId(2), LegId(3), LegId(4)];
    let peers: Vec<UdpSocket> = legs.iter().map(|_| peer()).collect();
    // Two pairs, each in a shard of its own.
    let beside = [None, Some(legs[0]), None, Some(legs[2])];
    let locals: Vec<SocketAddr> = legs
        .iter()
        .zip(beside)
        .zip(&peers)
        .map(|((leg, beside), peer)| {
            let local = opened(media.open(*leg, Family::V4, beside));
            media.command(configure(*leg, peer));
            local
        })
        .collect();
    media.command(Command::Bridge { a: legs[0], b: legs[1] });
    media.command(Command::Bridge { a: legs[2], b: legs[3] });
    let mut before = heard(&peers[1], locals[1], &peers[0], &[0x55; 160]);
    heard(&peers[3], locals[3], &peers[2], &[0x55; 160]);
    for turn in 0..6u8 {
        // Across the shards, and back to whom it came from.
        let other = [2, 1][usize::from(turn % 2)];
        media.command(Command::Bridge { a: legs[0], b: legs[other] });
        let silence: [u8; 160] = [0x40 + turn; 160];
        let after = heard(&peers[other], locals[other], &peers[0], &silence);
        assert_eq!(before.0, after.0, "one SSRC for the whole call");
        assert!(after.1.wrapping_sub(before.1) < 1000 && after.1 != before.1, "numbers go on");
        assert!(after.2.wrapping_sub(before.2) < 8000 * 60, "and so does time");
        before = after;
        let back = heard(&peers[0], locals[0], &peers[other], &silence);
        assert_ne!(back.0, before.0);
    }
    for leg in legs {
        media.command(Command::Close { leg });
        let closed = |event: &Event| matches!(event, Event::Closed { leg: over, .. } if *over == leg);
        let found = std::iter::from_fn(|| events.recv_timeout(SOON).ok()).any(|event| closed(&event));
        assert!(found, "{leg:?}");
    }
    assert_eq!(media.legs(), 0);
    // Their ports and places are free: as many as before come again.
    for leg in 11..=14 {
        opened(media.open(LegId(leg), Family::V4, None));
    }
}

#[test]
fn a_leg_arrives_however_long_the_thread_that_it_leaves_stood_still() {
    let (go_on, stands_still) = channel::<()>();
    let stands_still = Mutex::new(stands_still);
    let config = config(24_150..=24_159, 2, Vec::new());
    // The thread stands still that tells of a play's end: the first one.
    let media = MediaThreads::start(config, move |event| {
        if let Event::PlayEnded { .. } = event {
            let _ = stands_still.lock().unwrap().recv_timeout(SOON);
        }
        None
    });
    let mut media = media.unwrap();
    let legs = [LegId(1), LegId(2)];
    let peers = legs.map(|_| peer());
    let locals = [0, 1].map(|at| {
        let local = opened(media.open(legs[at], Family::V4, None));
        media.command(configure(legs[at], &peers[at]));
        local
    });
    let too_many: Vec<media_api::Sound> = vec![Arc::from([Arc::from("it/welcome")]); 1000];
    media.command(Command::Play { leg: legs[0], play: PlayId(1), sounds: too_many, repeat: false });
    media.command(Command::Bridge { a: legs[0], b: legs[1] });
    peers[0].set_read_timeout(Some(Duration::from_millis(1500))).unwrap();
    assert!(peers[0].recv_from(&mut [0; 2048]).is_err(), "its thread does not stand still");
    go_on.send(()).unwrap();
    assert_eq!(relayed(&peers[1], locals[1], &peers[0], &[0x55; 160])[12..], [0x55; 160]);
}

#[test]
fn what_a_party_says_and_is_told_is_recorded_side_by_side_also_when_its_leg_moves() {
    let folder = tempfile::tempdir().unwrap();
    let (sender, told) = channel();
    let at = net::RecordingsFolder { path: folder.path().to_owned(), free_min: 0 };
    let (mut recorder, recordings) =
        net::Recorder::start(at, 1000, move |what| drop(sender.send(what))).unwrap();
    let config = MediaConfig { recordings, ..config(24_120..=24_139, 2, Vec::new()) };
    let (mut media, _events) = start(config);
    let legs = [LegId(1), LegId(2)];
    let peers = legs.map(|_| peer());
    let locals = [0, 1].map(|at| {
        let local = opened(media.open(legs[at], Family::V4, None));
        media.command(configure(legs[at], &peers[at]));
        local
    });
    let path = folder.path().join("call.wav");
    let (recording, name) = (RecordingId(1), "call".to_owned());
    let begin = RecordingOrder::Begin { recording, name, sample_rate: 8000, only_said: false };
    assert_eq!(recorder.order(begin), None);
    let part = Some(Part { recording, number: 0, first: 0 });
    media.command(Command::Tap { leg: legs[0], tapping: Some(Tapping { part, ..Tapping::at(8000) }) });
    media.command(Command::Bridge { a: legs[0], b: legs[1] });
    let law = audio::g711::Law::A;
    let [said, heard] = [8000, 2000].map(|level| [law.encode_sample(level); 160]);
    peers[0].set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let mut buffer = [0; 2048];
    for sequence in 0..60 {
        peers[0].send_to(&rtp(sequence, &said), locals[0]).unwrap();
        peers[1].send_to(&rtp(sequence, &heard), locals[1]).unwrap();
        while peers[0].recv_from(&mut buffer).is_ok() {}
    }
    media.command(Command::Tap { leg: legs[0], tapping: None });
    assert_eq!(recorder.order(RecordingOrder::End { recording, frames: 0, keep: true }), None);
    let RecordingTold::Ended { length, .. } = told.recv_timeout(SOON).unwrap() else {
        panic!("it did not end well")
    };
    assert!(length > Duration::from_millis(1000), "{length:?}");
    let file = std::fs::read(&path).unwrap();
    let samples: Vec<i16> =
        file[44..].as_chunks::<2>().0.iter().map(|bytes| i16::from_le_bytes(*bytes)).collect();
    let together = samples
        .as_chunks::<2>()
        .0
        .iter()
        .filter(|[left, right]| *left > 6000 && (1500..3000).contains(right));
    assert!(together.count() > 8000 / 4, "both are heard at the same time, each in its own channel");
}

#[test]
fn parties_of_two_shards_meet_in_a_room() {
    let (mut media, _events) = start(config(24_100..=24_119, 2, Vec::new()));
    let legs = [LegId(1), LegId(2)];
    let peers = legs.map(|_| peer());
    let locals = [0, 1].map(|at| {
        let local = opened(media.open(legs[at], Family::V4, None));
        media.command(configure(legs[at], &peers[at]));
        local
    });
    for leg in legs {
        let (room, seat) = (media_api::RoomId(1), media_api::Seat::OPEN);
        media.command(Command::Join { leg, room, seat, chime: false });
    }
    let loud = audio::g711::Law::A.encode_sample(8000);
    peers[0].set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let (mut sequence, mut buffer) = (0, [0; 2048]);
    loop {
        peers[1].send_to(&rtp(sequence, &[loud; 160]), locals[1]).unwrap();
        sequence += 1;
        let length = peers[0].recv_from(&mut buffer).map_or(0, |(length, _)| length);
        if buffer[..length].iter().skip(12).any(|byte| *byte == loud) {
            break;
        }
        assert!(sequence < 250, "the other party is never heard");
    }
}

#[test]
fn an_announcement_into_a_room_where_nobody_is_is_answered_at_once() {
    let (mut media, _events) = start(config(24_140..=24_149, 1, Vec::new()));
    let (room, play) = (media_api::RoomId(1), PlayId(7));
    let announce = Command::Announce { room, play, sounds: Vec::new(), to: None, alone: false };
    assert_eq!(media.command(announce), Some(Event::Announced { room, play, complete: false }));
}

#[test]
fn the_unspecified_address_is_never_told_to_peers() {
    let mut config = config(24_060..=24_069, 1, Vec::new());
    config.addresses = IpAddr::V4(Ipv4Addr::UNSPECIFIED).into();
    let refused = MediaThreads::start(config.clone(), |_| None).unwrap_err();
    assert!(refused.to_string().contains("0.0.0.0"), "{refused}");
    config.addresses = Addresses::default();
    let refused = MediaThreads::start(config, |_| None).unwrap_err();
    assert!(refused.to_string().contains("no address"), "{refused}");
}

#[test]
fn a_leg_is_opened_at_the_address_of_its_family_or_at_the_one_that_there_is() {
    let six = IpAddr::V6(Ipv6Addr::LOCALHOST);
    let mut config = config(24_070..=24_079, 1, Vec::new());
    let (mut one, _events) = start(config.clone());
    assert_eq!(opened(one.open(LegId(1), Family::V6, None)).ip(), LOCALHOST);
    drop(one);
    config.addresses.put(six);
    let (mut both, _events) = start(config);
    assert_eq!(opened(both.open(LegId(1), Family::V6, None)).ip(), six);
    assert_eq!(opened(both.open(LegId(2), Family::V4, None)).ip(), LOCALHOST);
}

#[test]
fn a_party_by_ipv6_and_one_by_ipv4_hear_each_other_and_are_captured_each_with_its_own_addresses() {
    let (copies, taken) = channel();
    let mut config = config(24_090..=24_099, 1, Vec::new());
    config.addresses.put(Ipv6Addr::LOCALHOST.into());
    config.tap = net::Tap::new(move |packet| drop(copies.send(packet)));
    let (mut media, _events) = start(config);
    let (four, six) = (peer(), UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).unwrap());
    six.set_read_timeout(Some(SOON)).unwrap();
    let here = opened(media.open(LegId(1), Family::V6, None));
    let there = opened(media.open(LegId(2), Family::V4, Some(LegId(1))));
    media.command(configure(LegId(1), &six));
    media.command(configure(LegId(2), &four));
    media.command(Command::Bridge { a: LegId(1), b: LegId(2) });
    media.command(Command::Capture { leg: LegId(1), capture: Some(1) });
    assert_eq!(relayed(&six, here, &four, &[1; 160])[12..], [1; 160]);
    assert_eq!(relayed(&four, there, &six, &[2; 160])[12..], [2; 160]);
    let theirs = six.local_addr().unwrap();
    let mut copies = std::iter::from_fn(|| taken.recv_timeout(SOON).ok());
    let mut copy = |said: u8| copies.find(|copy| copy.bytes.ends_with(&[said; 160])).unwrap();
    let (came, went) = (copy(1), copy(2));
    assert_eq!((came.inbound, came.from, came.to), (true, theirs, here));
    assert_eq!((went.inbound, went.from, went.to), (false, here, theirs));
}

#[test]
fn a_captured_legs_packets_are_copied_both_ways_until_it_is_no_longer() {
    let (copies, taken) = channel();
    let mut config = config(24_080..=24_089, 1, Vec::new());
    config.tap = net::Tap::new(move |packet| drop(copies.send(packet)));
    let (mut media, _events) = start(config);
    let (leg, peer) = (LegId(1), peer());
    let local = opened(media.open(leg, Family::V4, None));
    media.command(configure(leg, &peer));
    media.command(Command::Echo { leg });
    media.command(Command::Capture { leg, capture: Some(9) });
    let heard = relayed(&peer, local, &peer, &[1; 160]);
    let theirs = peer.local_addr().unwrap();
    // What came before the shard had its commands was copied too, and not answered.
    let copies: Vec<_> = std::iter::from_fn(|| taken.recv_timeout(SOON).ok())
        .scan(true, |more, copy| std::mem::replace(more, copy.inbound).then_some(copy))
        .collect();
    let (first, last) = (&copies[0], copies.last().unwrap());
    assert_eq!((first.capture, first.inbound, first.from, first.to), (9, true, theirs, local));
    assert_eq!((last.capture, last.inbound, last.from, last.to), (9, false, local, theirs));
    assert_eq!((&first.bytes[12..], &*last.bytes), ([1; 160].as_slice(), heard.as_slice()));
    media.command(Command::Capture { leg, capture: None });
    relayed(&peer, local, &peer, &[2; 160]);
    drop(media);
    assert!(!taken.iter().any(|copy| copy.bytes.ends_with(&[2; 160])));
}
