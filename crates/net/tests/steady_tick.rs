//! A media thread that relays asks for no memory: with its sockets, epoll and channels, not only the shard.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

use base::Seed;
use media_api::{Codec, Command, Event, Family, LegId, Stream};
use net::{Clock, MediaConfig, MediaThreads, SoundStore};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// What a first packet sets up has been set up by then.
const WARMING: u16 = 20;
const MEASURED: u16 = 20;
const STRETCHES: u16 = 4;

fn open(media: &mut MediaThreads, leg: LegId, peer: &UdpSocket) -> SocketAddr {
    let Event::Opened { local, .. } = media.open(leg, Family::V4, None) else { panic!("no ports") };
    let remote = peer.local_addr().unwrap();
    let stream = Stream::plain(remote, Codec::Pcma, 8).with_digits(101);
    media.command(Command::Configure { leg, stream });
    local
}

/// One packet in, the same out. A lost one is sent again by the next call.
fn exchange(sequence: u16, from: &UdpSocket, local: SocketAddr, to: &UdpSocket) -> bool {
    let (mut packet, mut buffer) = ([0xd5; 172], [0; 200]);
    let ([s0, s1], [t0, t1, t2, t3]) = (sequence.to_be_bytes(), (u32::from(sequence) * 160).to_be_bytes());
    packet[..12].copy_from_slice(&[0x80, 8, s0, s1, t0, t1, t2, t3, 0, 0, 0, 1]);
    from.send_to(&packet, local).unwrap();
    to.recv_from(&mut buffer).is_ok()
}

#[test]
fn a_relaying_thread_asks_for_no_memory() {
    let config = MediaConfig {
        threads: 1,
        ports: 24_100..=24_119,
        addresses: LOCALHOST.into(),
        legs: 10,
        sounds: SoundStore::new(Vec::new(), None, 0).unwrap(),
        seed: Seed::from_number(1),
        clock: Clock::start(),
        tap: net::Tap::default(),
        recordings: net::Recordings::default(),
        certificate: net::MediaCertificate::draw().unwrap(),
    };
    let mut media = MediaThreads::start(config, |_| None).unwrap();
    let (from, to) = (UdpSocket::bind((LOCALHOST, 0)).unwrap(), UdpSocket::bind((LOCALHOST, 0)).unwrap());
    to.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let local = open(&mut media, LegId(1), &from);
    open(&mut media, LegId(2), &to);
    media.command(Command::Bridge { a: LegId(1), b: LegId(2) });
    let warm = (0..WARMING).filter(|at| exchange(*at, &from, local, &to)).count();
    assert!(warm > 0, "nothing was relayed");
    // The harness's own thread may allocate at any moment; a tick that did would do so in every stretch.
    let least = (0..STRETCHES).map(|stretch| {
        let begin = WARMING + stretch * MEASURED;
        let region = Region::new(ALLOCATOR);
        let relayed = (begin..begin + MEASURED).filter(|at| exchange(*at, &from, local, &to)).count();
        let change = region.change();
        assert!(relayed > usize::from(MEASURED) / 2, "only {relayed} packets were relayed");
        change.allocations + change.reallocations
    });
    assert_eq!(least.min(), Some(0));
}
