//! Secured legs: what is not made with the party's key reaches nobody and moves nothing.

// What is no test itself counts as production code for the lints.
#![allow(clippy::unwrap_used)]

mod world;

use std::time::Duration;

use media::PacketKind;
use media::srtp::{Count, Opener, Sealer};
use media_api::{
    Command, Direction, Event, KeyExchange, KeyName, KeyTerms, Keys, LegId, MasterKey, Offerer, Security,
    Stream, Suite,
};
use world::*;

const SUITE: Suite = Suite::AesCm128HmacSha1Tag80;
const STRANGER: &str = "203.0.113.66:6666";

fn key(suite: Suite, fill: u8) -> MasterKey {
    let bytes: Vec<u8> = (0..suite.master_length() as u8).map(|n| n.wrapping_mul(fill)).collect();
    MasterKey::from_bytes(suite, &bytes).unwrap()
}

fn keys(ours: u8, theirs: u8) -> Keys {
    Keys {
        ours: key(SUITE, ours),
        theirs: key(SUITE, theirs),
        their_name: None,
        exchange: KeyExchange::Sdes,
        offerer: Offerer::Peer,
    }
}

fn secured(leg: LegId, keys: Keys) -> Stream {
    Stream { security: Security::Keyed(Box::new(keys)), ..stream(leg) }
}

/// A phone with keys.
struct Phone {
    sealer: Sealer,
    opener: Opener,
}

impl Phone {
    /// The other end of a leg with these keys.
    fn of(keys: &Keys) -> Phone {
        Phone { sealer: Sealer::new(&keys.theirs).unwrap(), opener: Opener::new(&keys.ours, None).unwrap() }
    }

    fn seal(&mut self, rtp: &Rtp) -> Vec<u8> {
        let mut bytes = rtp.bytes();
        self.sealer.seal(&mut bytes, 0).unwrap();
        bytes
    }

    fn say(&mut self, world: &mut World, leg: LegId, rtp: &Rtp) {
        let bytes = self.seal(rtp);
        world.raw(leg, PacketKind::Rtp, party(leg), &bytes);
    }

    /// What the leg sent to it, opened. Everything must be openable.
    fn heard(&mut self, world: &World, leg: LegId) -> Vec<Rtp> {
        let sent = world.sent.iter().filter(|sent| sent.leg == leg);
        sent.map(|sent| {
            let mut bytes = sent.rtp.bytes();
            let length = self.opener.open(&mut bytes).unwrap();
            Rtp::read(&bytes[..length])
        })
        .collect()
    }
}

fn speech(n: u16) -> Rtp {
    Rtp::speech(n, u32::from(n) * 160, 77)
}

/// A is secured, B is not.
fn bridged() -> (World, Phone) {
    let mut world = World::new();
    let keys = keys(3, 5);
    let phone = Phone::of(&keys);
    world.open(A, secured(A, keys));
    world.open(B, stream(B));
    world.command(Command::Bridge { a: A, b: B });
    (world, phone)
}

fn complaints(world: &World) -> Vec<(u64, bool)> {
    let complaint = |event: &Event| match event {
        Event::Unauthenticated { packets, report, .. } => Some((*packets, *report)),
        _ => None,
    };
    world.told().iter().filter_map(complaint).collect()
}

#[test]
fn a_secured_and_a_plain_party_hear_each_other() {
    let (mut world, mut phone) = bridged();
    for n in 0..50 {
        phone.say(&mut world, A, &speech(n));
        world.say(B, &Rtp::speech(n, u32::from(n) * 160, 88));
        world.pass(20);
    }
    let at_b = world.to(B);
    assert_eq!(at_b.len(), 50);
    assert!(at_b.iter().zip(0..).all(|(rtp, n)| rtp.payload == speech(n).payload));
    let at_a = phone.heard(&world, A);
    assert_eq!(at_a.len(), 50);
    assert!(at_a.iter().zip(0..).all(|(rtp, n)| rtp.payload == speech(n).payload));
    assert!(world.to(A).iter().zip(0..).all(|(rtp, n)| rtp.payload[..160] != speech(n).payload));
    assert_eq!(world.stats(A).rejected, 0);
}

#[test]
fn keys_and_prompts_pass_sealed_as_speech_does() {
    let (mut world, mut phone) = bridged();
    phone.say(&mut world, A, &speech(0));
    phone.say(&mut world, A, &Rtp::key(1, 160, 77, 5, false, 160));
    assert_eq!(world.digits(), "5");
    world.sounds.insert("it/welcome".into(), Some(clip(1, 20)));
    world.play(1, &[&["it/welcome"]], false);
    world.pass(500);
    world.command(Command::SendDigits { leg: A, digits: "7".to_owned() });
    world.pass(500);
    let heard = phone.heard(&world, A);
    assert!(heard.iter().any(|rtp| rtp.payload == [1; 160]));
    assert!(heard.iter().any(|rtp| rtp.payload_type == KEYS && rtp.payload[0] == 7));
}

#[test]
fn a_packet_in_the_clear_reaches_nobody_and_moves_nothing() {
    let (mut world, mut phone) = bridged();
    for n in 0..20 {
        world.from(A, address(STRANGER), &speech(n));
        world.from(A, party(A), &speech(n));
        world.from(A, address(STRANGER), &Rtp::key(n, 160, 77, 5, false, 160));
        world.pass(20);
    }
    assert!(world.to(B).is_empty());
    assert_eq!(world.digits(), "");
    phone.say(&mut world, A, &speech(3));
    world.say(B, &speech(0));
    assert_eq!(world.sent.last().map(|sent| sent.to), Some(party(A)));
    assert_eq!(complaints(&world), [(1, false)], "once a minute");
    let stats = world.stats(A);
    assert_eq!((stats.rejected, stats.unauthenticated, stats.received), (60, 60, 1));
}

/// Injection and bleed: neither a party that has not spoken yet nor one that is silent is moved by a stranger, and one that
/// moves itself is followed.
#[test]
fn a_stranger_never_moves_the_source_and_the_party_does() {
    let (mut world, mut phone) = bridged();
    let mut forger = Phone::of(&keys(8, 9));
    let nat = address("203.0.113.5:55555");
    for round in 0..3u16 {
        for n in 0..30 {
            let forged = forger.seal(&speech(1000 + round * 100 + n));
            world.raw(A, PacketKind::Rtp, address(STRANGER), &forged);
            world.pass(20);
        }
        world.pass(2500);
        world.say(B, &speech(round));
        let to = world.sent.iter().rev().find(|sent| sent.leg == A).map(|sent| sent.to);
        assert_eq!(to, Some(if round == 0 { party(A) } else { nat }), "{round}");
        for n in 0..6 {
            let bytes = phone.seal(&speech(round * 10 + n));
            world.raw(A, PacketKind::Rtp, nat, &bytes);
            world.pass(20);
        }
    }
}

#[test]
fn what_a_stranger_recorded_and_plays_again_reaches_nobody() {
    let (mut world, mut phone) = bridged();
    let recorded: Vec<_> = (0..50).map(|n| phone.seal(&speech(n))).collect();
    for bytes in &recorded {
        world.raw(A, PacketKind::Rtp, party(A), bytes);
        world.pass(20);
    }
    world.pass(3000);
    for bytes in &recorded {
        world.raw(A, PacketKind::Rtp, address(STRANGER), bytes);
    }
    assert_eq!(world.to(B).len(), 50);
    world.say(B, &speech(0));
    assert_eq!(world.sent.last().map(|sent| sent.to), Some(party(A)));
    assert_eq!(complaints(&world), [], "a packet that comes twice is authentic");
}

#[test]
fn failures_are_told_of_once_a_minute_with_their_number() {
    let (mut world, _) = bridged();
    for n in 0..130u16 {
        world.say(A, &speech(n));
        world.pass(1000);
    }
    assert_eq!(complaints(&world), [(1, false), (60, false), (60, false)]);
    let terms = KeyTerms { suite: SUITE, exchange: KeyExchange::Sdes, offerer: Offerer::Peer };
    assert!(world.told().iter().any(
        |event| matches!(event, Event::Unauthenticated { keys, from, .. } if *keys == terms && *from == party(A))
    ));
}

#[test]
fn reports_are_sealed_and_only_sealed_ones_are_believed() {
    let (mut world, mut phone) = bridged();
    for n in 0..50 {
        phone.say(&mut world, A, &speech(n));
        world.say(B, &Rtp::speech(n, u32::from(n) * 160, 88));
        world.pass(200);
    }
    let reports: Vec<_> = world.reports.iter().filter(|(_, leg, ..)| *leg == A).cloned().collect();
    assert!(!reports.is_empty());
    for (_, _, _, bytes) in reports {
        let mut bytes = bytes;
        let length = phone.opener.open_report(&mut bytes).unwrap();
        assert_eq!(bytes[1], 200);
        assert_eq!(bytes[length - 1], 0, "the end of the CNAME");
    }
    let ssrc = world.to(A)[0].ssrc;
    let mut report = vec![0x81, 201, 0, 7, 0, 0, 0, 77];
    report.extend(ssrc.to_be_bytes());
    report.extend([0, 0, 0, 9]);
    report.extend([0; 16]);
    let rtcp = stream(A).remote_rtcp;
    world.raw(A, PacketKind::Rtcp, rtcp, &report);
    assert_eq!(complaints(&world), [(1, true)]);
    phone.sealer.seal_report(&mut report, 0).unwrap();
    world.raw(A, PacketKind::Rtcp, rtcp, &report);
    assert_eq!(world.stats(A).remote_lost, Some(9));
}

#[test]
fn a_new_key_takes_the_place_of_the_old_which_is_believed_for_a_moment() {
    let (mut world, mut old) = bridged();
    old.say(&mut world, A, &speech(0));
    let new_keys = keys(11, 13);
    let mut new = Phone::of(&new_keys);
    world.command(Command::Configure { leg: A, stream: secured(A, new_keys) });
    old.say(&mut world, A, &speech(1));
    new.say(&mut world, A, &speech(2));
    old.say(&mut world, A, &speech(3));
    assert_eq!(world.to(B).len(), 4);
    world.pass(6000);
    old.say(&mut world, A, &speech(4));
    new.say(&mut world, A, &speech(5));
    assert_eq!(world.to(B).len(), 5);
    world.sent.clear();
    world.say(B, &speech(0));
    assert_eq!(new.heard(&world, A).len(), 1);
}

/// RFC 3711 §3.3.2, across keys: who recorded what was said by a key waits for it to come back.
#[test]
fn what_was_recorded_by_a_key_that_comes_back_reaches_nobody_and_what_is_new_does() {
    let (mut world, mut phone) = bridged();
    let recorded: Vec<_> = (0..200).map(|n| phone.seal(&speech(n))).collect();
    let mut report = vec![0x80, 201, 0, 1, 0, 0, 0, 77];
    phone.sealer.seal_report(&mut report, 0).unwrap();
    recorded.iter().for_each(|bytes| world.raw(A, PacketKind::Rtp, party(A), bytes));
    world.raw(A, PacketKind::Rtcp, stream(A).remote_rtcp, &report);
    let mut numbers = 200..;
    for between in [vec![11], vec![12, 11], (20..26).collect()] {
        for other in &between {
            let other_keys = keys(*other, other + 60);
            let mut other_phone = Phone::of(&other_keys);
            world.command(Command::Configure { leg: A, stream: secured(A, other_keys) });
            numbers.by_ref().take(5).for_each(|n| other_phone.say(&mut world, A, &speech(n)));
            world.pass(6000);
        }
        world.command(Command::Configure { leg: A, stream: secured(A, keys(3, 5)) });
        let heard = world.to(B).len();
        recorded.iter().for_each(|bytes| world.raw(A, PacketKind::Rtp, address(STRANGER), bytes));
        world.raw(A, PacketKind::Rtcp, stream(A).remote_rtcp, &report);
        assert_eq!(world.to(B).len(), heard, "{between:?}");
        numbers.by_ref().take(10).for_each(|n| phone.say(&mut world, A, &speech(n)));
        assert_eq!(world.to(B).len(), heard + 10, "{between:?}");
    }
    let stats = world.stats(A);
    assert_eq!(
        (stats.rejected, stats.unauthenticated),
        (3 * 201, 0),
        "all that came again, and nothing else"
    );
}

/// By the key between two rounds of 65 536 packets went by, and the counter with them, or without.
#[test]
fn a_key_that_comes_back_is_heard_wherever_its_count_goes_on() {
    for goes_on in [true, false] {
        let (mut world, mut phone) = bridged();
        (0..50).for_each(|n| phone.say(&mut world, A, &speech(n)));
        let between = keys(11, 13);
        let mut other = match goes_on {
            true => Phone { sealer: phone.sealer.rekeyed(&between.theirs, Count::GoesOn).unwrap(), ..phone },
            false => Phone::of(&between),
        };
        world.command(Command::Configure { leg: A, stream: secured(A, between) });
        for n in 50..140_000u32 {
            other.say(&mut world, A, &Rtp::speech(n as u16, n * 160, 77));
        }
        let mut phone = match goes_on {
            true => {
                Phone { sealer: other.sealer.rekeyed(&keys(3, 5).theirs, Count::GoesOn).unwrap(), ..other }
            }
            false => Phone::of(&keys(3, 5)),
        };
        world.command(Command::Configure { leg: A, stream: secured(A, keys(3, 5)) });
        world.sent.clear();
        for n in 140_000..140_050u32 {
            phone.say(&mut world, A, &Rtp::speech(n as u16, n * 160, 77));
        }
        assert_eq!((world.to(B).len(), world.stats(A).unauthenticated), (50, 0), "{goes_on}");
    }
}

/// RFC 3711 §3.3.1: pjsip lets its counter go on by a new key. Others begin anew, as in another session.
#[test]
fn a_new_key_after_a_long_talk_is_heard_wherever_its_count_begins() {
    for count in [Count::GoesOn, Count::BeginsAnew] {
        let (mut world, mut phone) = bridged();
        for n in 0..140_000u32 {
            phone.say(&mut world, A, &Rtp::speech(n as u16, n * 160, 77));
        }
        let new_keys = keys(11, 13);
        phone.sealer = phone.sealer.rekeyed(&new_keys.theirs, count).unwrap();
        world.command(Command::Configure { leg: A, stream: secured(A, new_keys) });
        world.sent.clear();
        for n in 140_000..140_050u32 {
            phone.say(&mut world, A, &Rtp::speech(n as u16, n * 160, 77));
        }
        assert_eq!((world.to(B).len(), world.stats(A).unauthenticated), (50, 0), "{count:?}");
    }
}

/// RFC 3711 §3.3.1, RFC 4568 §7.1.4.
#[test]
fn our_own_count_goes_on_by_a_new_key_unless_the_peer_is_elsewhere() {
    for (remote, goes_on) in [(party(A), true), (address("192.0.2.77:7000"), false)] {
        let (mut world, mut phone) = bridged();
        for n in 0..140_000u32 {
            world.say(B, &Rtp::speech(n as u16, n * 160, 88));
        }
        assert_eq!(phone.heard(&world, A).len(), 140_000);
        let new_keys = keys(11, 13);
        let mut anew = Phone::of(&new_keys);
        phone.opener = phone.opener.rekeyed(&new_keys.ours, None).unwrap();
        world.command(Command::Configure { leg: A, stream: Stream { remote, ..secured(A, new_keys) } });
        world.sent.clear();
        world.say(B, &Rtp::speech(140_000u32 as u16, 140_000 * 160, 88));
        let mut bytes = world.to(A)[0].bytes();
        assert_eq!(anew.opener.open(&mut bytes.clone()).is_ok(), !goes_on, "{remote}");
        assert!(phone.opener.open(&mut bytes).is_ok(), "{remote}");
    }
}

#[test]
fn hold_and_resume_by_the_same_keys_keep_the_count() {
    let (mut world, mut phone) = bridged();
    for n in 65_500..=65_535 {
        phone.say(&mut world, A, &speech(n));
    }
    phone.say(&mut world, A, &speech(0));
    let held = Stream { direction: Direction::Inactive, ..secured(A, keys(3, 5)) };
    world.command(Command::Configure { leg: A, stream: held });
    world.say(B, &speech(0));
    world.command(Command::Configure { leg: A, stream: secured(A, keys(3, 5)) });
    phone.say(&mut world, A, &speech(1));
    world.say(B, &speech(1));
    assert_eq!(world.to(B).len(), 38);
    assert_eq!(phone.heard(&world, A).len(), 1, "and nothing while it was held");
    assert_eq!(world.stats(A).unauthenticated, 0);
}

/// RFC 3711 §9.1: one key stream for two texts tells both.
#[test]
fn a_number_that_comes_twice_with_another_text_is_sealed_once() {
    let (mut world, mut phone) = bridged();
    for n in 0..5 {
        world.say(B, &speech(n));
    }
    for n in [4, 2, 0] {
        world.say(B, &Rtp { payload: vec![0x2a; 160], ..speech(n) });
    }
    assert_eq!(phone.heard(&world, A).len(), 5);
}

/// What the leg sent is opened by openers that live as long as the test: they take no number twice.
#[test]
fn keys_that_come_back_never_seal_a_number_twice() {
    let agreements = [Some(3), Some(11), Some(3), None, Some(3), None, Some(11), Some(3)];
    let mut world = World::new();
    world.open(A, secured(A, keys(3, 5)));
    world.open(B, stream(B));
    world.command(Command::Bridge { a: A, b: B });
    let mut phones = [3, 11].map(|ours| (ours, Phone::of(&keys(ours, 5))));
    let mut n = 0;
    for ours in agreements {
        let stream = ours.map_or(stream(A), |ours| secured(A, keys(ours, 5)));
        world.command(Command::Configure { leg: A, stream });
        let (speeches, reports) = (world.sent.len(), world.reports.len());
        for _ in 0..500 {
            world.say(B, &speech(n));
            n += 1;
            world.pass(20);
        }
        let Some((_, phone)) = phones.iter_mut().find(|(key, _)| Some(*key) == ours) else { continue };
        for sent in world.sent[speeches..].iter().filter(|sent| sent.leg == A) {
            assert!(phone.opener.open(&mut sent.rtp.bytes()).is_ok(), "{ours:?} {n}");
        }
        let sealed = world.reports[reports..].iter().filter(|(_, leg, ..)| *leg == A);
        let opened = sealed.map(|(.., bytes)| phone.opener.open_report(&mut bytes.clone()));
        let opened: Vec<_> = opened.collect();
        assert!(!opened.is_empty() && opened.iter().all(Result::is_ok), "{ours:?} {n} {opened:?}");
    }
}

#[test]
fn another_source_by_the_same_key_is_heard_anew() {
    let (mut world, mut phone) = bridged();
    for n in 0..10 {
        phone.say(&mut world, A, &speech(n));
    }
    phone.sealer = Phone::of(&keys(3, 5)).sealer;
    for n in 30_000..30_010 {
        phone.say(&mut world, A, &Rtp { ssrc: 78, ..speech(n) });
    }
    assert_eq!(world.to(B).len(), 20);
    assert_eq!(world.stats(A).rejected, 0);
}

#[test]
fn what_becomes_plain_by_agreement_is_plain() {
    let (mut world, _) = bridged();
    world.command(Command::Configure { leg: A, stream: stream(A) });
    world.say(A, &speech(0));
    world.say(B, &speech(0));
    assert_eq!((world.to(A).len(), world.to(B).len()), (1, 1));
    assert_eq!(world.to(A)[0].payload, speech(0).payload);
}

#[test]
fn a_named_key_must_be_named() {
    let mut world = World::new();
    let mut keys = keys(3, 5);
    keys.their_name = KeyName::new(1, 4);
    let mut phone = Phone::of(&keys);
    world.open(A, secured(A, keys));
    world.open(B, stream(B));
    world.command(Command::Bridge { a: A, b: B });
    phone.say(&mut world, A, &speech(0));
    let mut named = phone.seal(&speech(1));
    let at = named.len() - 10;
    named.splice(at..at, [0, 0, 0, 1]);
    world.raw(A, PacketKind::Rtp, party(A), &named);
    assert_eq!(world.to(B).len(), 1);
}

#[test]
fn a_packet_longer_than_any_is_dropped() {
    let (mut world, _) = bridged();
    let long = Rtp { payload: vec![1; 60_000], ..speech(0) };
    world.say(A, &long);
    world.raw(A, PacketKind::Rtcp, party(A), &[0x80; 60_000]);
    assert_eq!(world.stats(A).rejected, 2);
    assert_eq!(world.now.since(base::Time::ZERO), Duration::ZERO);
}
