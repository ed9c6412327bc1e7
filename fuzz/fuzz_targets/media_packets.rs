#![no_main]
//! RTP, RTCP, checks of ICE and handshakes, sound and broken, into two legs that hear each other: nothing panics, every turn
//! ends, and what is sent on is never longer than what came. In every other run one of the legs is a browser's.

use std::net::SocketAddr;
use std::time::Duration;

use base::{Seed, Time};
use libfuzzer_sys::fuzz_target;
use media::{HandshakeAct, HandshakeTold, PacketKind, Shard, ShardConfig, ShardInput, ShardOutput};
use media_api::{
    Codec, Command, Handshake, IceCredentials, KeyExchange, Keys, LegId, MasterKey, Offerer, Security, Stream,
    Suite,
};
use stun::{Key, Kind, Role, Writer};

const LEGS: [LegId; 2] = [LegId(1), LegId(2)];
const PASSWORD: &str = "a+password+of+ICE+itself";

fn party(leg: LegId) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, leg.0 as u8], 4000))
}

fn browser() -> Stream {
    let [ours, theirs] = ["ours", "theirs"].map(|ufrag| IceCredentials::new(ufrag, PASSWORD).expect("names"));
    let handshake = Handshake { ours, theirs, fingerprints: Vec::new(), tls_id: None, offerer: Offerer::Peer };
    let plain = Stream::plain(party(LEGS[0]), Codec::Pcma, 8).with_digits(101);
    Stream { rtcp_mux: true, security: Security::Handshake(Box::new(handshake)), ..plain }
}

fn keys() -> HandshakeTold<'static> {
    let suite = Suite::AesCm128HmacSha1Tag80;
    let [ours, theirs] =
        [1, 2].map(|fill| MasterKey::from_bytes(suite, &[fill; 30]).expect("as long as its suite's"));
    let (exchange, offerer) = (KeyExchange::Dtls, Offerer::Peer);
    HandshakeTold::Keys(Box::new(Keys { ours, theirs, their_name: None, exchange, offerer }))
}

/// What a fuzzer cannot guess: a check that is signed. The bytes say the rest of it.
fn signed(bytes: &[u8]) -> Vec<u8> {
    let (mut check, id) = (Vec::new(), [bytes.first().copied().unwrap_or(0); 12]);
    let writer = Writer::new(&mut check, Kind::Request, &id).username("ours:theirs");
    let writer = match bytes {
        [_, 0, ..] => writer,
        [_, priority, tie, ..] => writer.priority(u32::from(*priority)).role(Role::Controlling(u64::from(*tie))),
        _ => writer.priority(1).role(Role::Controlled(1)),
    };
    let writer = if bytes.len() % 2 == 0 { writer.nominating() } else { writer };
    writer.sign(&Key::of(PASSWORD)).fingerprint();
    check
}

// The first byte says whether there is a browser. Then packets: which leg, socket, sender and whether it is a check to be
// signed, milliseconds to the one before, a length of two bytes, and so many bytes.
fuzz_target!(|bytes: &[u8]| {
    let mut shard = Shard::new(ShardConfig::default(), Seed::from_number(1), Time::ZERO);
    let mut now = Time::from_millis(1000);
    let Some((first, mut rest)) = bytes.split_first() else { return };
    for leg in LEGS {
        let local = SocketAddr::from(([198, 51, 100, 1], 16_384 + leg.0 as u16 * 2));
        shard.handle(now, ShardInput::Opened { leg, local });
        let plain = Stream::plain(party(leg), Codec::Pcma, 8).with_digits(101);
        let stream = if leg == LEGS[0] && first % 2 == 1 { browser() } else { plain };
        shard.handle(now, ShardInput::Command(Command::Configure { leg, stream }));
    }
    shard.handle(now, ShardInput::Command(Command::Bridge { a: LEGS[0], b: LEGS[1] }));
    if first & 2 != 0 {
        shard.handle(now, ShardInput::Handshake { leg: LEGS[0], number: 1, told: keys() });
    }
    while let Some(([way, millis, l0, l1], after)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([*l0, *l1]) % 1600);
        let (packet, after) = after.split_at(length.min(after.len()));
        rest = after;
        now = now + Duration::from_millis(u64::from(*millis));
        let leg = LEGS[usize::from(way % 2)];
        let kind = if way & 2 == 0 { PacketKind::Rtp } else { PacketKind::Rtcp };
        let from = if way & 4 == 0 { party(leg) } else { SocketAddr::from(([203, 0, 113, 9], 9)) };
        let check = (way & 8 != 0).then(|| signed(packet));
        let packet = check.as_deref().unwrap_or(packet);
        shard.handle(now, ShardInput::Packet { leg, kind, from, bytes: packet });
        shard.handle_timeout(now);
        for turn in 0.. {
            assert!(turn < 10_000, "a turn ends");
            match shard.poll_output() {
                Some(ShardOutput::Send { packet: sent, .. }) => {
                    let sent = shard.packet(sent);
                    let is_answer = sent.first().is_some_and(|first| *first < 64);
                    // What is sealed has a tag more.
                    let longest = if is_answer { packet.len() } else { packet.len().max(400) + 10 };
                    assert!(sent.len() <= longest, "{} of {}", sent.len(), packet.len());
                }
                Some(ShardOutput::Handshake { leg, act: HandshakeAct::Datagram(datagram), .. }) => {
                    assert!(leg == LEGS[0] && shard.packet(datagram) == packet);
                }
                Some(_) => {}
                None => break,
            }
        }
    }
});
