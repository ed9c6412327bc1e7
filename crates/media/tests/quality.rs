//! How well a leg is heard: told in time, and exchanged by extended reports.

// A helper of a test may fail it.
#![allow(clippy::unwrap_used)]

mod world;

use std::time::Duration;

use media::PacketKind;
use media_api::{Codec, Command, Payload, Quality, RoomId, Seat, Stream, Tapping};
use world::*;

const RTCP: &str = "192.0.2.1:4003";

fn told(world: &World) -> Vec<(u64, Quality)> {
    let of_a = world.quality.iter().filter(|(_, leg, _)| *leg == A);
    of_a.map(|(at, _, quality)| (at.micros() / 1_000_000, *quality)).collect()
}

/// Party A talks, and so many of a hundred packets get lost.
fn talk_with_loss(world: &mut World, packets: std::ops::Range<u32>, percent: u32) {
    for n in packets {
        if n.wrapping_mul(2_654_435_761) >> 16 & 0xffff >= percent * 655 {
            world.say(A, &Rtp::speech(n as u16, n * 160, 77));
        }
        world.pass(20);
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn half(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes(bytes[at..at + 2].try_into().unwrap())
}

/// A receiver report and an extended one with these blocks.
fn extended(ssrc: u32, about: Option<(u32, u32)>, blocks: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80 | u8::from(about.is_some()), 201, 0, if about.is_some() { 7 } else { 1 }];
    bytes.extend(ssrc.to_be_bytes());
    if let Some((own, jitter)) = about {
        [own, 0, 0, jitter, 0, 0].iter().for_each(|word| bytes.extend(word.to_be_bytes()));
    }
    bytes.extend([0x80, 207, 0, 1 + blocks.len() as u8 / 4]);
    bytes.extend(ssrc.to_be_bytes());
    bytes.extend(blocks);
    bytes
}

/// The blocks of the extended report of A's last compound packet, by kind.
fn blocks(world: &World) -> Vec<(u8, Vec<u8>)> {
    let mut bytes = &world.reports.iter().rev().find(|report| report.1 == A).unwrap().3[..];
    while bytes[1] != 207 {
        bytes = &bytes[4 + 4 * usize::from(half(bytes, 2))..];
    }
    let mut rest = &bytes[8..4 + 4 * usize::from(half(bytes, 2))];
    let mut found = Vec::new();
    while !rest.is_empty() {
        let length = 4 + 4 * usize::from(half(rest, 2));
        found.push((rest[0], rest[4..length].to_vec()));
        rest = &rest[length..];
    }
    found
}

fn block(world: &World, kind: u8) -> Vec<u8> {
    blocks(world).into_iter().find(|block| block.0 == kind).unwrap().1
}

#[test]
fn a_faultless_call_is_told_after_ten_seconds_and_then_once_a_minute() {
    let mut world = World::alone();
    talk_with_loss(&mut world, 0..9_500, 0);
    let told = told(&world);
    assert_eq!(
        told.iter().map(|(at, quality)| (*at, quality.spans)).collect::<Vec<_>>(),
        [(10, 1), (70, 6), (130, 6), (190, 6)]
    );
    for (_, quality) in told {
        let here = quality.here.unwrap();
        assert!((435..=441).contains(&here.mos), "{here:?}");
        assert_eq!((here.lost, here.discarded, quality.there), (0, 0, None));
    }
}

#[test]
fn loss_is_told_at_the_end_of_its_ten_seconds_and_so_is_its_end() {
    let mut world = World::alone();
    talk_with_loss(&mut world, 0..1500, 0);
    talk_with_loss(&mut world, 1500..2500, 10);
    talk_with_loss(&mut world, 2500..4500, 0);
    let told = told(&world);
    let times: Vec<u64> = told.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [10, 40, 50, 60, 70].into_iter().filter(|at| times.contains(at)).collect::<Vec<_>>());
    let worst = told.iter().map(|(_, quality)| quality.here.unwrap()).min_by_key(|here| here.mos).unwrap();
    // A tenth lost by chance: R is 93 less 27 and the delay.
    assert!((310..=365).contains(&worst.mos), "{worst:?}");
    assert!((35..=65).contains(&worst.lost), "{worst:?}");
    assert!(told.last().unwrap().1.here.unwrap().mos >= 430, "{told:?}");
}

#[test]
fn a_leg_on_which_nothing_comes_tells_nothing() {
    let mut world = World::alone();
    world.pass(120_000);
    assert_eq!(told(&world), []);
}

#[test]
fn the_whole_call_is_scored_at_its_end() {
    let mut world = World::alone();
    talk_with_loss(&mut world, 0..1000, 5);
    let stats = world.stats(A);
    let here = stats.here.unwrap();
    assert!((370..=410).contains(&here.mos), "{here:?}");
    assert!((30..=70).contains(&here.lost), "{here:?}");
    assert_eq!(stats.there, None);
}

#[test]
fn an_extended_report_says_what_rfc_3611_asks_of_a_voice_call() {
    let mut world = World::alone();
    talk_with_loss(&mut world, 0..2000, 10);
    let metrics = block(&world, 7);
    assert_eq!((metrics.len(), word(&metrics, 0)), (32, 77));
    assert!((18..=34).contains(&metrics[4]), "lost, in 256ths: {}", metrics[4]);
    assert_eq!(metrics[5], 0, "discarded");
    assert!(metrics[6] > metrics[7], "a burst is denser than a gap: {metrics:?}");
    assert!(half(&metrics, 8) > 0 && half(&metrics, 10) > 0);
    assert_eq!(half(&metrics, 12), 0, "no round trip is known");
    assert_eq!((&metrics[16..19], metrics[19]), (&[127, 127, 127][..], 16));
    assert!((55..=75).contains(&metrics[20]), "R: {}", metrics[20]);
    assert_eq!(metrics[21], 127);
    assert!((30..=39).contains(&metrics[22]) && metrics[23] <= metrics[22], "{metrics:?}");
}

#[test]
fn who_sends_nothing_learns_the_round_trip_and_answers_who_does() {
    let mut world = World::alone();
    world.talk(A, 77, 0, 400);
    let ours = block(&world, 4);
    let (at, _, _, report) = world.reports.last().unwrap().clone();
    let own = word(&report, 4);
    // The peer had it for 500 ms, the way there and back took 60.
    world.now = at + Duration::from_millis(560);
    let middle = word(&ours, 0) << 16 | word(&ours, 4) >> 16;
    let mut answer = vec![5, 0, 0, 3];
    [own, middle, 32_768].iter().for_each(|word| answer.extend(word.to_be_bytes()));
    answer.extend([4, 0, 0, 2, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33, 0x44, 0x44]);
    world.raw(A, PacketKind::Rtcp, address(RTCP), &extended(77, None, &answer));
    world.talk(A, 77, 400, 400);
    let asked: Vec<Vec<u8>> = world
        .reports
        .iter()
        .filter(|report| report.0 > at)
        .filter(|report| report.3.windows(8).any(|part| part == [0, 0, 0, 77, 0x22, 0x22, 0x33, 0x33]))
        .map(|report| report.3.clone())
        .collect();
    assert_eq!(asked.len(), 1, "answered once");
    let round_trip = world.stats(A).round_trip.unwrap();
    assert!((Duration::from_millis(59)..=Duration::from_millis(61)).contains(&round_trip), "{round_trip:?}");
}

#[test]
fn what_the_peer_says_it_hears_is_scored_too() {
    let mut world = World::bridged();
    world.talk(B, 5, 0, 400);
    let own = world.to(A)[0].ssrc;
    world.talk(A, 77, 0, 5);
    // A quarter was too late there; 40 ms of jitter.
    reports(&mut world, own, 64);
    world.talk(B, 5, 400, 200);
    let there = told(&world).last().unwrap().1.there.unwrap();
    assert_eq!((there.discarded, there.jitter), (there.packets / 4, Duration::from_millis(40)));
    assert!(there.mos < 300, "{there:?}");
}

/// The peer reports of what it hears: nothing lost, and such a share of all so far discarded, in 256ths.
fn reports(world: &mut World, own: u32, discarded: u8) {
    let mut metrics = vec![7, 0, 0, 8];
    metrics.extend(own.to_be_bytes());
    metrics.extend([0, discarded, 0, 0]);
    metrics.resize(36, 0);
    world.raw(A, PacketKind::Rtcp, address(RTCP), &extended(77, Some((own, 320)), &metrics));
}

#[test]
fn a_peer_that_reports_no_more_is_not_said_to_hear_well() {
    let mut world = World::bridged();
    world.talk(B, 5, 0, 400);
    let own = world.to(A)[0].ssrc;
    world.talk(A, 77, 0, 5);
    reports(&mut world, own, 0);
    world.talk(B, 5, 400, 4000);
    let there: Vec<bool> = told(&world).into_iter().map(|(_, quality)| quality.there.is_some()).collect();
    assert_eq!(there.first(), Some(&true), "{there:?}");
    assert!(there.len() > 1 && there.iter().skip(1).all(|is_told| !is_told), "{there:?}");
}

#[test]
fn what_the_peer_discarded_once_is_not_told_again_and_again() {
    let mut world = World::bridged();
    world.talk(B, 5, 0, 400);
    let own = world.to(A)[0].ssrc;
    world.talk(A, 77, 0, 5);
    reports(&mut world, own, 64);
    // The share of all so far falls as more is sent of which nothing is discarded.
    for span in 1..6u32 {
        world.talk(B, 5, 400 + (span as u16 - 1) * 500, 500);
        reports(&mut world, own, (64 * 400 / (400 + span * 500)) as u8);
    }
    let there: Vec<u32> =
        told(&world).into_iter().filter_map(|(_, quality)| Some(quality.there?.discarded)).collect();
    assert!(there[0] > 0, "{there:?}");
    assert!(there.len() > 1 && there[1..].iter().all(|discarded| *discarded == 0), "{there:?}");
}

#[test]
fn what_was_lost_at_the_very_end_is_in_the_final_score() {
    let mut world = World::alone();
    talk_with_loss(&mut world, 0..40, 25);
    let stats = world.stats(A);
    let here = stats.here.unwrap();
    assert!(stats.lost >= 8, "{stats:?}");
    assert_eq!(u64::from(here.lost), stats.lost);
    assert!(here.mos < 350, "{here:?}");
}

#[test]
fn another_codec_that_the_party_may_speak_has_a_clock_of_its_own() {
    let mut world = World::new();
    let also = vec![(8, Payload::Speech(Codec::Pcma))];
    world.open(A, Stream { also, ..Stream::plain(party(A), Codec::Opus, 111) });
    world.talk(A, 77, 0, 200);
    assert_eq!(world.stats(A).jitter, Duration::ZERO);
}

#[test]
fn malformed_extended_reports_are_dropped_and_counted() {
    let cases: [&[u8]; 6] = [
        &[7, 0, 0, 8],
        &[7, 0, 0, 0],
        &[4, 0, 0, 1, 0, 0, 0, 0],
        &[255, 0, 255, 255],
        &[7, 0, 0, 1, 0, 0, 0, 1, 4, 0, 0, 9],
        &[5, 0, 0x10, 0],
    ];
    for case in cases {
        let mut world = World::bridged();
        world.talk(A, 77, 0, 5);
        world.raw(A, PacketKind::Rtcp, address(RTCP), &extended(77, None, case));
        assert_eq!(world.stats(A).rejected, 1, "{case:?}");
    }
    let mut world = World::alone();
    world.talk(A, 77, 0, 5);
    world.raw(A, PacketKind::Rtcp, address(RTCP), &extended(77, None, &[200, 0, 0, 1, 9, 9, 9, 9]));
    assert_eq!(world.stats(A).rejected, 0, "blocks that are not known are passed over");
}

/// A and B speak by codecs of different kinds: what A says is decoded.
fn translated() -> World {
    let mut world = World::new();
    world.open(A, stream(A));
    world.open(B, Stream::plain(party(B), Codec::G722, 9));
    world.command(Command::Bridge { a: A, b: B });
    world
}

/// A talks for ten seconds; ten packets are lost, and two come far too late.
fn talk_with_late_packets(world: &mut World) {
    let mut late = None;
    for n in 0..500u32 {
        let packet = Rtp::speech(n as u16, n * 160, 77);
        match n {
            190 | 390 => late = Some(packet),
            195 | 395 => {
                world.say(A, &packet);
                world.say(A, &late.take().unwrap());
            }
            n if n % 45 == 5 && n < 450 => {}
            _ => world.say(A, &packet),
        }
        world.pass(20);
    }
}

/// How A is heard: by another party with another codec, in a room, by a tap.
fn hearers() -> [(&'static str, World); 3] {
    let mut room = World::bridged();
    for leg in [A, B] {
        room.command(Command::Join { leg, room: RoomId(1), seat: Seat::OPEN, chime: false });
    }
    let mut tapped = World::bridged();
    tapped.command(Command::Tap { leg: A, tapping: Some(Tapping::at(8000)) });
    [("translated", translated()), ("in a room", room), ("tapped", tapped)]
}

#[test]
fn what_its_hearers_discard_and_conceal_is_a_legs_quality() {
    for (how, mut world) in hearers() {
        talk_with_late_packets(&mut world);
        world.talk(A, 77, 500, 100);
        let (_, quality) = told(&world)[0];
        let (here, heard) = (quality.here.unwrap(), quality.heard.unwrap());
        assert_eq!((here.packets, here.lost, here.discarded), (500, 10, 2), "{how}: {here:?}");
        // What is missing is made up for once, lost or late.
        assert_eq!(heard.concealed, Duration::from_millis(240), "{how}");
        assert!(
            (Duration::from_millis(20)..Duration::from_millis(120)).contains(&heard.longest_wait),
            "{how}"
        );
        let stats = world.stats(A);
        let (here, heard) = (stats.here.unwrap(), stats.heard.unwrap());
        assert_eq!((here.packets, here.lost, here.discarded), (600, 10, 2), "{how}: {here:?}");
        assert_eq!(heard.concealed, Duration::from_millis(240), "{how}");
    }
}

#[test]
fn what_is_passed_on_as_it_comes_has_no_hearer_here() {
    let mut world = World::bridged();
    talk_with_late_packets(&mut world);
    world.talk(A, 77, 500, 100);
    let (_, quality) = told(&world)[0];
    assert_eq!((quality.heard, quality.here.unwrap().discarded), (None, 0));
    assert_eq!(world.stats(A).heard, None);
}

#[test]
fn what_a_tap_hears_beside_another_hearer_is_counted_once() {
    let mut world = translated();
    world.command(Command::Tap { leg: A, tapping: Some(Tapping::at(8000)) });
    talk_with_late_packets(&mut world);
    world.talk(A, 77, 500, 100);
    let heard = told(&world)[0].1.heard.unwrap();
    assert_eq!(heard.concealed, Duration::from_millis(240));
}

#[test]
fn what_follows_a_clock_is_stretched() {
    let mut world = translated();
    // A clock that is quick by a hundredth.
    for n in 0..2000u32 {
        world.say(A, &Rtp::speech(n as u16, n * 160, 77));
        world.pass(if n % 5 == 4 { 19 } else { 20 });
    }
    let heard = world.stats(A).heard.unwrap();
    // 400 ms too many in 40 s.
    let stretched = heard.stretched.as_millis();
    assert!((320..=480).contains(&stretched), "{heard:?}");
}

#[test]
fn an_extended_report_says_what_was_discarded_and_how_long_speech_waits() {
    for (how, mut world) in hearers() {
        // 64 packets come at once, of which only the newest can be held.
        world.talk(A, 77, 0, 300);
        (300..364).for_each(|n| world.say(A, &Rtp::speech(n, u32::from(n) * 160, 77)));
        world.talk(A, 77, 364, 400);
        let metrics = block(&world, 7);
        assert_eq!(metrics[4], 0, "{how}: nothing is lost: {metrics:?}");
        assert!((12..=24).contains(&metrics[5]), "{how}: 32 of 664 or of some fewer, in 256ths: {metrics:?}");
        assert!(metrics[6] > 200, "{how}: the burst: {metrics:?}");
        assert_eq!(metrics[24], 0b1111_0000, "{how}: it is made up for, the buffer is adaptive");
        let (nominal, longest, absolute) = (half(&metrics, 26), half(&metrics, 28), half(&metrics, 30));
        assert!((10..=60).contains(&nominal), "{how}: {nominal}");
        assert_eq!(half(&metrics, 14), nominal + 20, "{how}: with the packet itself");
        assert!((220..=260).contains(&longest), "{how}: {longest}");
        assert_eq!(absolute, 400, "{how}");
    }
    let mut world = World::bridged();
    world.talk(A, 77, 0, 700);
    let metrics = block(&world, 7);
    assert_eq!((metrics[24], &metrics[26..]), (0, &[0; 6][..]), "nobody decodes it here");
}
