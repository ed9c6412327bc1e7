//! RTCP, out and in.

mod world;

use std::time::Duration;

use media::PacketKind;
use media_api::{Command, Stream};
use world::*;

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// The parts of a compound packet, by kind.
fn parts(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut parts = Vec::new();
    while !bytes.is_empty() {
        assert_eq!(bytes[0] & 0xe0, 0x80);
        let length = 4 * (usize::from(bytes[2]) << 8 | usize::from(bytes[3])) + 4;
        parts.push((bytes[1], bytes[..length].to_vec()));
        bytes = &bytes[length..];
    }
    parts
}

fn report(kind: u8, ssrc: u32, ntp: u64, about: Option<(u32, i32, u32, u32)>) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(ssrc.to_be_bytes());
    if kind == 200 {
        body.extend(ntp.to_be_bytes());
        body.extend([0; 12]);
    }
    if let Some((ssrc, lost, last, since)) = about {
        for word in [ssrc, lost as u32 & 0xff_ffff, 0, 0, last, since] {
            body.extend(word.to_be_bytes());
        }
    }
    let words = body.len() as u16 / 4;
    let mut bytes = vec![0x80 | u8::from(about.is_some()), kind];
    bytes.extend(words.to_be_bytes());
    bytes.extend(body);
    bytes
}

#[test]
fn a_leg_that_speaks_sends_sender_reports_about_every_five_seconds() {
    let mut world = World::bridged();
    world.talk(B, 5, 0, 3000);
    let reports: Vec<_> = world.reports.iter().filter(|report| report.1 == A).collect();
    assert!((8..=20).contains(&reports.len()), "{} in a minute", reports.len());
    let mut gaps: Vec<Duration> = reports.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    gaps.sort();
    assert!(gaps[0] >= Duration::from_millis(2500) && gaps[gaps.len() - 1] <= Duration::from_millis(7510));
    assert!(gaps[gaps.len() - 1] - gaps[0] > Duration::from_millis(500), "by chance: {gaps:?}");
    assert!(reports.iter().all(|report| report.2 == address("192.0.2.1:4003")));

    let (at, _, _, bytes) = reports[3];
    let parts = parts(bytes);
    assert_eq!(parts.iter().map(|part| part.0).collect::<Vec<_>>(), [200, 202]);
    let sender = &parts[0].1;
    let line: Vec<&Sent> = world.sent.iter().filter(|sent| sent.leg == A && sent.at <= *at).collect();
    let last = line[line.len() - 1];
    assert_eq!(word(sender, 4), last.rtp.ssrc);
    let unix = u64::from(word(sender, 8)) - 2_208_988_800;
    assert_eq!(unix, 1_795_305_600 + at.micros() / 1_000_000);
    let ahead = word(sender, 16).wrapping_sub(last.rtp.timestamp);
    assert_eq!(u64::from(ahead), (*at - last.at).as_micros() as u64 * 8 / 1000);
    assert_eq!(word(sender, 20) as usize, line.len());
    assert_eq!(word(sender, 24) as usize, line.len() * 160);
    assert_eq!(parts[1].1[8], 1, "CNAME");
}

#[test]
fn a_leg_that_only_listens_sends_receiver_reports_with_what_it_lost() {
    let mut world = World::alone();
    for n in (0..1000u16).filter(|n| n % 10 != 9) {
        world.say(A, &Rtp::speech(n, u32::from(n) * 160, 77));
        world.pass(if n % 10 == 8 { 40 } else { 20 });
    }
    let parts = parts(&world.reports[world.reports.len() - 1].3);
    assert_eq!(parts.iter().map(|part| part.0).collect::<Vec<_>>(), [201, 202, 207]);
    let block = &parts[0].1[8..];
    assert_eq!((parts[0].1.len(), word(block, 0)), (32, 77));
    assert!((23..=28).contains(&block[4]), "a tenth of 256: {}", block[4]);
    let stats = world.stats(A);
    assert_eq!((stats.received, stats.lost), (900, 99));
    assert!(stats.jitter < Duration::from_millis(1), "{:?}", stats.jitter);
}

#[test]
fn a_report_refers_to_the_peers_last_one_and_the_round_trip_is_measured() {
    let mut world = World::bridged();
    world.talk(A, 77, 0, 5);
    world.raw(A, PacketKind::Rtcp, address("192.0.2.1:4003"), &report(200, 77, 0x1111_2222_3333_4444, None));
    world.talk(B, 5, 0, 600);
    let (sent_at, _, _, bytes) = world.reports.iter().rev().find(|report| report.1 == A).unwrap().clone();
    let ours = parts(&bytes).remove(0).1;
    let block = &ours[28..];
    assert_eq!(word(block, 16), 0x2222_3333);
    let since = Duration::from_micros((u64::from(word(block, 20)) * 1_000_000) >> 16);
    let passed = sent_at - base::Time::from_millis(100);
    assert!(passed - since < Duration::from_millis(1), "{since:?} {passed:?}");

    // The peer answers: it had our report for 500 ms, the way there and back took 80.
    world.now = sent_at + Duration::from_millis(580);
    let last = word(&ours, 8) << 16 | word(&ours, 12) >> 16;
    let answer = report(201, 77, 0, Some((word(&ours, 4), 3, last, 32768)));
    world.raw(A, PacketKind::Rtcp, address("192.0.2.1:4003"), &answer);
    let stats = world.stats(A);
    let round_trip = stats.round_trip.unwrap();
    assert!((Duration::from_millis(79)..=Duration::from_millis(81)).contains(&round_trip), "{round_trip:?}");
    assert_eq!(stats.remote_lost, Some(3));
}

#[test]
fn a_peer_behind_a_nat_gets_its_reports_where_it_sends_its_own_from() {
    let mut world = World::alone();
    world.talk(A, 77, 0, 5);
    let nat = address("203.0.113.5:55556");
    world.raw(A, PacketKind::Rtcp, address("203.0.113.66:1"), &report(201, 666, 0, None));
    world.raw(A, PacketKind::Rtcp, nat, &report(201, 77, 0, None));
    world.raw(A, PacketKind::Rtcp, address("203.0.113.66:1"), &report(201, 666, 0, None));
    world.pass(8000);
    assert_eq!(world.reports[0].2, nat);
    assert_eq!(world.stats(A).rejected, 2);
}

#[test]
fn reports_share_the_socket_of_speech_where_that_is_agreed_and_only_there() {
    for (rtcp_mux, taken) in [(true, Some(3)), (false, None)] {
        let mut world = World::new();
        world.open(A, Stream { rtcp_mux, ..stream(A) });
        let nat = address("203.0.113.5:55556");
        for n in 0..6u16 {
            world.raw(A, PacketKind::Rtp, nat, &Rtp::speech(n, u32::from(n) * 160, 77).bytes());
            world.pass(20);
        }
        world.pass(8000);
        let ours = world.reports[0].clone();
        let target = if rtcp_mux { nat } else { address("192.0.2.1:4003") };
        assert_eq!(ours.2, target, "where speech comes from, or the port that was said");
        let about = (word(&ours.3, 4), 3, 0, 0);
        world.raw(A, PacketKind::Rtp, nat, &report(201, 77, 0, Some(about)));
        let stats = world.stats(A);
        assert_eq!(stats.remote_lost, taken);
        assert_eq!(stats.received, 2, "the fifth of a stranger's is the first that is believed");
    }
}

#[test]
fn a_close_says_bye_and_gives_the_figures_last() {
    let mut world = World::alone();
    world.pass(8000);
    world.command(Command::Close { leg: A });
    let (_, _, _, bytes) = world.reports.last().unwrap();
    assert_eq!(parts(bytes).iter().map(|part| part.0).collect::<Vec<_>>(), [201, 202, 207, 203]);
    let mut quiet = World::alone();
    quiet.command(Command::Close { leg: A });
    assert!(quiet.reports.is_empty(), "nobody is said goodbye to who never got a report");
}

#[test]
fn malformed_reports_are_dropped_and_counted() {
    let sound = report(201, 77, 0, Some((1, 0, 0, 0)));
    let mut long = sound.clone();
    long.resize(1504, 0);
    let cases: [(&str, Vec<u8>); 8] = [
        ("nothing", vec![]),
        ("a piece", sound[..3].to_vec()),
        ("cut off", sound[..20].to_vec()),
        ("too long", long),
        ("another version", [&[0x40], &sound[1..]].concat()),
        ("no report first", vec![0x80, 202, 0, 0]),
        ("more blocks than bytes", [&[0x9f], &sound[1..]].concat()),
        ("padding in the middle", [&[0xa1], &sound[1..], &sound[..]].concat()),
    ];
    for (what, bytes) in cases {
        let mut world = World::alone();
        world.talk(A, 77, 0, 5);
        world.raw(A, PacketKind::Rtcp, address("192.0.2.1:4003"), &bytes);
        let stats = world.stats(A);
        assert_eq!((stats.rejected, stats.remote_lost), (1, None), "{what}");
    }
}
