//! A browser: it looks for us (ICE), and its keys come from a handshake on the media's own path.

// What is no test itself counts as production code for the lints.
#![allow(clippy::unwrap_used)]

mod world;

use std::net::SocketAddr;

use aws_lc_rs::hmac;
use media::srtp::{Opener, Sealer};
use media::{HandshakeAct, HandshakeTold, PacketKind, ShardConfig, ShardInput};
use media_api::{
    CertificateHash, Command, Direction, Event, Fingerprint, Handshake, IceCredentials, KeyExchange, Keys,
    MasterKey, Offerer, PlayId, Security, Stream, Suite,
};
use proptest::prelude::*;
use stun::{Error, Key, Kind, Message, Role, Writer};
use world::*;

const SUITE: Suite = Suite::AesCm128HmacSha1Tag80;
const NAT: &str = "203.0.113.5:40000";
const OTHER_NAT: &str = "198.51.100.77:50000";
const STRANGER: &str = "203.0.113.66:6666";
/// A ClientHello begins so.
const HELLO: [u8; 30] = [22; 30];

fn password(round: u8) -> String {
    format!("the+password+of+round+{round}")
}

/// Both sides' names in a round: each begins with other ones.
fn names(round: u8) -> [IceCredentials; 2] {
    [format!("ours{round}"), format!("theirs{round}")]
        .map(|ufrag| IceCredentials::new(&ufrag, &password(round)).unwrap())
}

fn agreed(round: u8, tls_id: &str) -> Stream {
    let [ours, theirs] = names(round);
    let handshake = Handshake {
        ours,
        theirs,
        fingerprints: vec![Fingerprint::new(CertificateHash::Sha256, &[7; 32]).unwrap()],
        tls_id: Some(tls_id.to_owned()),
        offerer: Offerer::Peer,
    };
    Stream { rtcp_mux: true, security: Security::Handshake(Box::new(handshake)), ..stream(A) }
}

fn keys(fill: u8) -> Keys {
    let key = |fill| MasterKey::from_bytes(SUITE, &vec![fill; SUITE.master_length()]).unwrap();
    Keys {
        ours: key(fill),
        theirs: key(fill + 1),
        their_name: None,
        exchange: KeyExchange::Dtls,
        offerer: Offerer::Peer,
    }
}

/// A check as browsers send it.
#[derive(Clone)]
struct Check {
    round: u8,
    username: String,
    password: String,
    priority: Option<u32>,
    role: Option<Role>,
    nominates: bool,
}

impl Check {
    fn of(round: u8) -> Check {
        Check {
            round,
            username: format!("ours{round}:theirs{round}"),
            password: password(round),
            priority: Some(1_845_501_695),
            role: Some(Role::Controlling(7)),
            nominates: false,
        }
    }

    fn nominating(round: u8) -> Check {
        Check { nominates: true, ..Check::of(round) }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, Kind::Request, &[self.round; 12]).username(&self.username);
        if let Some(priority) = self.priority {
            writer = writer.priority(priority);
        }
        if let Some(role) = self.role {
            writer = writer.role(role);
        }
        if self.nominates {
            writer = writer.nominating();
        }
        writer.sign(&Key::of(&self.password)).fingerprint();
        bytes
    }

    /// What is answered, and where to, if anything is. Never more than what was sent.
    fn send(&self, world: &mut World, from: &str) -> Option<Vec<u8>> {
        send(world, from, &self.bytes())
    }
}

fn send(world: &mut World, from: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let before = world.answers.len();
    world.raw(A, PacketKind::Rtp, address(from), bytes);
    let answers = &world.answers[before..];
    assert!(
        answers.iter().all(|(leg, to, sent)| (*leg, *to) == (A, address(from)) && sent.len() <= bytes.len())
    );
    assert!(answers.len() <= 1);
    answers.first().map(|(_, _, answer)| answer.clone())
}

fn error_of(answer: Option<Vec<u8>>) -> Option<u16> {
    Message::parse(&answer?).unwrap().error()
}

/// What a browser does with its keys.
struct Browser {
    sealer: Sealer,
    opener: Opener,
}

impl Browser {
    fn with(keys: &Keys) -> Browser {
        Browser { sealer: Sealer::new(&keys.theirs).unwrap(), opener: Opener::new(&keys.ours, None).unwrap() }
    }

    fn say(&mut self, world: &mut World, from: &str, n: u16) {
        let mut bytes = Rtp::speech(n, u32::from(n) * 160, 77).bytes();
        self.sealer.seal(&mut bytes, 0).unwrap();
        world.raw(A, PacketKind::Rtp, address(from), &bytes);
    }

    /// The payloads of all that the leg sent since `first`.
    fn heard(&mut self, world: &World, first: usize) -> Vec<Vec<u8>> {
        let sent = world.sent[first..].iter().filter(|sent| sent.leg == A);
        sent.map(|sent| {
            let mut bytes = sent.rtp.bytes();
            let length = self.opener.open(&mut bytes).unwrap();
            Rtp::read(&bytes[..length]).payload
        })
        .collect()
    }
}

fn told(world: &mut World, number: u32, told: HandshakeTold<'_>) {
    world.input(ShardInput::Handshake { leg: A, number, told });
}

fn secure(world: &mut World, number: u32, fill: u8) {
    told(world, number, HandshakeTold::Keys(Box::new(keys(fill))));
}

/// A browser is awaited that is to talk with B.
fn awaited() -> World {
    let mut world = World::new();
    world.open(A, agreed(1, "one"));
    world.open(B, stream(B));
    world.command(Command::Bridge { a: A, b: B });
    world
}

/// It is found behind its NAT, and has its keys.
fn talking() -> (World, Browser) {
    let mut world = awaited();
    Check::nominating(1).send(&mut world, NAT);
    secure(&mut world, 1, 1);
    (world, Browser::with(&keys(1)))
}

fn speak(world: &mut World, n: u16) {
    world.say(B, &Rtp::speech(n, u32::from(n) * 160, 88));
}

/// Where the leg speaks to now.
fn spoken_to(world: &mut World, n: u16) -> Option<SocketAddr> {
    let before = world.sent.len();
    speak(world, n);
    world.sent[before..].iter().find(|sent| sent.leg == A).map(|sent| sent.to)
}

fn lost(world: &World) -> Vec<Option<SocketAddr>> {
    let lost = |event: &Event| if let Event::PathLost { at, .. } = event { Some(*at) } else { None };
    world.told().iter().filter_map(lost).collect()
}

fn found(world: &World) -> Vec<SocketAddr> {
    let found = |event: &Event| if let Event::PathFound { at, .. } = event { Some(*at) } else { None };
    world.told().iter().filter_map(found).collect()
}

// Keys.

#[test]
fn before_its_keys_a_party_is_neither_heard_nor_spoken_to_and_from_then_on_both() {
    let mut world = awaited();
    let begun = world.handshakes.clone();
    assert!(matches!(&begun[..], [(A, 1, HandshakeAct::Begin(peer))] if peer.fingerprints.len() == 1));
    Check::nominating(1).send(&mut world, NAT);
    let mut browser = Browser::with(&keys(1));
    world.from(A, address(NAT), &Rtp::speech(0, 0, 77));
    browser.say(&mut world, NAT, 0);
    speak(&mut world, 0);
    world.pass(8000);
    assert!(world.sent.is_empty());
    assert!(world.reports.iter().all(|(_, leg, ..)| *leg == B));
    secure(&mut world, 1, 1);
    assert!(world.told().contains(&Event::Secured { leg: A, keys: keys(1).terms() }));
    browser.say(&mut world, NAT, 1);
    assert_eq!(spoken_to(&mut world, 1), Some(address(NAT)));
    assert_eq!(world.to(B).len(), 1);
    assert_eq!(browser.heard(&world, 0).len(), 1);
}

#[test]
fn a_greeting_waits_for_way_and_keys_and_is_heard_from_its_beginning() {
    for keys_first in [false, true] {
        let mut world = World::new();
        world.sounds.insert("it/welcome".into(), Some(clip(1, 20)));
        world.open(A, agreed(1, "one"));
        world.play(1, &[&["it/welcome"]], false);
        world.pass(3000);
        let steps: [fn(&mut World); 2] =
            [|world| assert!(Check::nominating(1).send(world, NAT).is_some()), |world| secure(world, 1, 1)];
        steps[usize::from(keys_first)](&mut world);
        world.pass(3000);
        assert!(world.sent.is_empty());
        assert!(!world.told().iter().any(|event| matches!(event, Event::PlayEnded { .. })));
        steps[usize::from(!keys_first)](&mut world);
        world.pass(1000);
        let heard = Browser::with(&keys(1)).heard(&world, 0);
        assert_eq!(heard.len(), 20);
        assert_eq!(heard.first(), Some(&vec![1; 160]));
        assert!(world.told().contains(&Event::PlayEnded { leg: A, play: PlayId(1), complete: true }));
    }
}

#[test]
fn reports_begin_with_the_keys_and_go_where_speech_goes() {
    let mut world = awaited();
    world.pass(20_000);
    Check::nominating(1).send(&mut world, NAT);
    secure(&mut world, 1, 1);
    let mut browser = Browser::with(&keys(1));
    for n in 0..400 {
        browser.say(&mut world, NAT, n);
        speak(&mut world, n);
        world.pass(20);
    }
    let reports: Vec<_> = world.reports.iter().filter(|(_, leg, ..)| *leg == A).cloned().collect();
    assert!(!reports.is_empty());
    for (_, _, to, mut bytes) in reports {
        assert_eq!(to, address(NAT));
        assert!(browser.opener.open_report(&mut bytes).is_ok());
    }
    assert_eq!(world.stats(A).rejected, 0);
}

#[test]
fn a_new_agreement_of_the_same_handshake_keeps_its_keys_and_counts() {
    let (mut world, mut browser) = talking();
    for n in 0..10 {
        browser.say(&mut world, NAT, n);
        speak(&mut world, n);
    }
    let held = Stream { direction: Direction::Inactive, ..agreed(1, "one") };
    world.command(Command::Configure { leg: A, stream: held });
    assert_eq!(spoken_to(&mut world, 10), None);
    world.command(Command::Configure { leg: A, stream: agreed(1, "one") });
    browser.say(&mut world, NAT, 10);
    speak(&mut world, 11);
    assert_eq!(world.handshakes.len(), 1);
    assert_eq!(world.to(B).len(), 11);
    assert_eq!(browser.heard(&world, 0).len(), 11);
}

#[test]
fn another_handshake_counts_anew_and_the_old_keys_hold_until_it_has_given_its_own() {
    let (mut world, mut browser) = talking();
    for n in 65_530..=65_535 {
        speak(&mut world, n);
    }
    speak(&mut world, 0);
    world.command(Command::Configure { leg: A, stream: agreed(1, "two") });
    assert!(matches!(world.handshakes[..], [_, (A, 2, HandshakeAct::Begin(_))]));
    speak(&mut world, 1);
    browser.say(&mut world, NAT, 0);
    told(&mut world, 1, HandshakeTold::Failed("too late to count".to_owned()));
    assert_eq!(browser.heard(&world, 0).len(), 8);
    let first = world.sent.len();
    secure(&mut world, 2, 11);
    let mut anew = Browser::with(&keys(11));
    anew.say(&mut world, NAT, 1);
    speak(&mut world, 2);
    assert_eq!(anew.heard(&world, first).len(), 1, "by a roll-over counter of 0");
    assert_eq!(world.to(B).len(), 2);
}

#[test]
fn keys_that_are_told_again_change_nothing() {
    let (mut world, mut browser) = talking();
    speak(&mut world, 0);
    secure(&mut world, 1, 1);
    speak(&mut world, 1);
    assert_eq!(browser.heard(&world, 0).len(), 2);
    let secured = world.told().iter().filter(|event| matches!(event, Event::Secured { .. })).count();
    assert_eq!(secured, 1);
}

#[test]
fn a_handshake_that_fails_or_is_closed_leaves_silence_and_the_next_agreement_asks_for_another() {
    let failure = Event::HandshakeFailed { leg: A, why: "wrong hash".to_owned() };
    for (is_failure, end) in
        [(true, HandshakeTold::Failed("wrong hash".to_owned())), (false, HandshakeTold::Closed)]
    {
        let (mut world, mut browser) = talking();
        told(&mut world, 1, end);
        assert_eq!(world.told().contains(&failure), is_failure);
        let first = world.sent.len();
        browser.say(&mut world, NAT, 0);
        assert_eq!(spoken_to(&mut world, 0), None);
        assert!(world.to(B).is_empty());
        world.command(Command::Configure { leg: A, stream: agreed(1, "one") });
        assert!(matches!(world.handshakes[..], [_, (A, 2, HandshakeAct::Begin(_))]));
        secure(&mut world, 2, 21);
        speak(&mut world, 1);
        assert_eq!(Browser::with(&keys(21)).heard(&world, first).len(), 1);
    }
}

#[test]
fn a_greeting_to_whom_no_handshake_succeeds_ends_all_the_same() {
    let mut world = World::new();
    world.sounds.insert("it/welcome".into(), Some(clip(1, 20)));
    world.open(A, agreed(1, "one"));
    world.play(1, &[&["it/welcome"]], false);
    Check::nominating(1).send(&mut world, NAT);
    told(&mut world, 1, HandshakeTold::Failed("wrong hash".to_owned()));
    world.pass(1000);
    assert!(world.sent.is_empty());
    assert!(world.told().contains(&Event::PlayEnded { leg: A, play: PlayId(1), complete: true }));
}

#[test]
fn a_handshake_ends_with_its_leg_and_with_its_agreement() {
    let (mut world, _) = talking();
    world.command(Command::Configure { leg: A, stream: stream(A) });
    assert_eq!(world.handshakes.last(), Some(&(A, 1, HandshakeAct::End)));
    assert_eq!(Check::of(1).send(&mut world, NAT), None, "nothing else of it is answered");
    let (mut world, _) = talking();
    world.command(Command::Close { leg: A });
    assert_eq!(world.handshakes.last(), Some(&(A, 1, HandshakeAct::End)));
}

#[test]
fn datagrams_of_a_handshake_pass_by_a_way_that_was_checked_and_no_other() {
    let mut world = awaited();
    send(&mut world, NAT, &HELLO);
    told(&mut world, 1, HandshakeTold::Datagram(&HELLO));
    assert_eq!((world.handshakes.len(), world.answers.len()), (1, 0));
    // Before a way is nominated, the handshake may begin: by the way that it comes by.
    Check::of(1).send(&mut world, OTHER_NAT);
    Check::of(1).send(&mut world, NAT);
    send(&mut world, NAT, &HELLO);
    send(&mut world, STRANGER, &HELLO);
    assert!(matches!(world.handshakes[..], [_, (A, 1, HandshakeAct::Datagram(_))]));
    told(&mut world, 1, HandshakeTold::Datagram(&HELLO));
    assert_eq!(world.answers.last(), Some(&(A, address(NAT), HELLO.to_vec())));
    Check::nominating(1).send(&mut world, OTHER_NAT);
    told(&mut world, 1, HandshakeTold::Datagram(&HELLO));
    assert_eq!(world.answers.last(), Some(&(A, address(OTHER_NAT), HELLO.to_vec())));
}

#[test]
fn a_flood_of_handshake_datagrams_reaches_the_handshake_as_a_trickle() {
    let (mut world, _) = talking();
    for _ in 0..10_000 {
        send(&mut world, NAT, &HELLO);
    }
    let passed = |world: &World| {
        world.handshakes.iter().filter(|(.., act)| matches!(act, HandshakeAct::Datagram(_))).count()
    };
    assert_eq!(passed(&world), 64);
    world.pass(1000);
    send(&mut world, NAT, &HELLO);
    assert_eq!(passed(&world), 65);
}

// Ways.

#[test]
fn a_check_is_answered_with_where_it_came_from_and_signed() {
    for from in [NAT, "[2001:db8::7]:4000"] {
        let mut world = awaited();
        let answer = Check::of(1).send(&mut world, from).unwrap();
        let message = Message::parse(&answer).unwrap();
        assert_eq!((message.kind(), message.id()), (Kind::Success, &[1; 12]));
        assert_eq!(message.mapped_address(), Some(address(from)));
        assert!(message.is_signed_by(&Key::of(&password(1))) && message.has_fingerprint());
    }
}

#[test]
fn only_what_the_party_signed_to_us_is_a_check() {
    let sound = Check::of(1);
    let unsigned = |bytes: &mut Vec<u8>| {
        *bytes = Vec::new();
        Writer::new(bytes, Kind::Request, &[1; 12]).username("ours1:theirs1").priority(1).fingerprint();
    };
    let table: [(&str, Check, Option<u16>); 7] = [
        ("another password", Check { password: password(2), ..sound.clone() }, Some(401)),
        ("another's name", Check { username: "ours1:others".to_owned(), ..sound.clone() }, Some(401)),
        ("not to us", Check { username: "others:theirs1".to_owned(), ..sound.clone() }, Some(401)),
        ("the wrong way round", Check { username: "theirs1:ours1".to_owned(), ..sound.clone() }, Some(401)),
        ("without a priority", Check { priority: None, ..sound.clone() }, Some(400)),
        ("without a role", Check { role: None, ..sound.clone() }, Some(400)),
        ("that is controlled, too", Check { role: Some(Role::Controlled(u64::MAX)), ..sound }, Some(487)),
    ];
    for (what, mut check, code) in table {
        let mut world = awaited();
        check.nominates = true;
        let answer = check.send(&mut world, NAT);
        let is_signed =
            Message::parse(answer.as_deref().unwrap()).unwrap().is_signed_by(&Key::of(&password(1)));
        assert_eq!(is_signed, code != Some(401), "{what}");
        assert_eq!(error_of(answer), code, "{what}");
        secure(&mut world, 1, 1);
        assert_eq!(spoken_to(&mut world, 0), None, "{what}");
    }
    let mut world = awaited();
    let mut bytes = Vec::new();
    unsigned(&mut bytes);
    assert_eq!(error_of(send(&mut world, NAT, &bytes)), Some(Error::BadRequest.code()));
    let mut summed_wrongly = Check::of(1).bytes();
    *summed_wrongly.last_mut().unwrap() ^= 1;
    assert_eq!(send(&mut world, NAT, &summed_wrongly), None);
    assert_eq!(send(&mut world, NAT, &stun::binding_request(&[1; 12])), None, "its error would be longer");
    assert_eq!(world.stats(A).rejected, 3);
}

#[test]
fn a_check_with_what_is_not_understood_is_told_what() {
    let mut world = awaited();
    let mut bytes = Check::of(1).bytes();
    let priority = bytes.windows(4).position(|head| head == [0, 0x24, 0, 4]).unwrap();
    bytes[priority..priority + 2].copy_from_slice(&[0x7e, 0x57]);
    bytes.truncate(bytes.len() - 24 - 8);
    let resigned = signed(bytes, &password(1));
    let answer = send(&mut world, NAT, &resigned);
    assert_eq!(error_of(answer), Some(420));
}

/// A message of these attributes, signed.
fn signed(mut message: Vec<u8>, password: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
    let counts_in = |message: &mut [u8], more: usize| {
        let length = (message.len() + more - 20) as u16;
        message[2..4].copy_from_slice(&length.to_be_bytes());
    };
    counts_in(&mut message, 24);
    let tag = hmac::sign(&key, &message);
    message.extend([0, 0x08, 0, 20]);
    message.extend(tag.as_ref());
    counts_in(&mut message, 8);
    let sum = crc32(&message) ^ 0x5354_554e;
    message.extend([0x80, 0x28, 0, 4]);
    message.extend(sum.to_be_bytes());
    message
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |sum, byte| {
        (0..8)
            .fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (0u32.wrapping_sub(sum & 1))))
    })
}

#[test]
fn strangers_are_told_of_their_errors_ten_times_a_second_and_the_party_is_answered_always() {
    let (mut world, _) = talking();
    let wrong = Check { password: password(2), ..Check::nominating(1) };
    let refused = (0..1000).filter(|_| wrong.send(&mut world, STRANGER).is_some()).count();
    assert_eq!(refused, 10);
    assert!((0..1000).all(|_| Check::nominating(1).send(&mut world, NAT).is_some()));
    world.pass(1000);
    assert!(wrong.send(&mut world, STRANGER).is_some());
    assert_eq!(spoken_to(&mut world, 0), Some(address(NAT)));
}

#[test]
fn a_stranger_moves_nothing_whatever_it_sends() {
    let (mut world, mut browser) = talking();
    let (mut forger, mut twin) = (Browser::with(&keys(50)), Browser::with(&keys(1)));
    for n in 0..50 {
        browser.say(&mut world, NAT, n);
        forger.say(&mut world, STRANGER, n);
        // Even with the party's own keys: what comes by no way that was checked is not taken.
        twin.say(&mut world, STRANGER, 1000 + n);
        send(&mut world, STRANGER, &HELLO);
        Check { password: password(9), ..Check::nominating(1) }.send(&mut world, STRANGER);
        world.pass(20);
    }
    assert_eq!(world.to(B).len(), 50);
    assert_eq!(spoken_to(&mut world, 0), Some(address(NAT)));
    let stats = world.stats(A);
    assert_eq!((stats.rejected, stats.unauthenticated), (200, 0));
}

#[test]
fn media_are_spoken_by_the_nominated_way_and_heard_by_any_that_was_checked() {
    let mut world = awaited();
    secure(&mut world, 1, 1);
    let mut browser = Browser::with(&keys(1));
    Check::of(1).send(&mut world, NAT);
    assert_eq!(spoken_to(&mut world, 0), None, "it has not chosen yet");
    Check::nominating(1).send(&mut world, OTHER_NAT);
    assert_eq!(spoken_to(&mut world, 1), Some(address(OTHER_NAT)));
    browser.say(&mut world, NAT, 0);
    browser.say(&mut world, OTHER_NAT, 1);
    assert_eq!(world.to(B).len(), 2);
    assert_eq!(spoken_to(&mut world, 2), Some(address(OTHER_NAT)), "speech moves nothing");
}

#[test]
fn a_party_that_changes_its_network_in_mid_call_is_followed_without_a_gap() {
    let (mut world, mut browser) = talking();
    for n in 0..100u16 {
        let at = if n < 50 { NAT } else { OTHER_NAT };
        if n % 25 == 0 {
            Check::nominating(1).send(&mut world, at);
        }
        browser.say(&mut world, at, n);
        speak(&mut world, n);
        world.pass(20);
    }
    assert_eq!(world.to(B).len(), 100);
    assert_eq!(browser.heard(&world, 0).len(), 100);
    assert_eq!(spoken_to(&mut world, 100), Some(address(OTHER_NAT)));
    assert_eq!(found(&world), [NAT, OTHER_NAT].map(address));
    assert!(!world.told().iter().any(|event| matches!(event, Event::Silent { leg: A, .. })));
}

/// RFC 5245 knew agents that nominate every way that they try; some still do.
#[test]
fn of_ways_that_are_nominated_in_one_burst_the_best_is_taken() {
    let nominating = |priority| Check { priority: Some(priority), ..Check::nominating(1) };
    for order in [[NAT, OTHER_NAT], [OTHER_NAT, NAT]] {
        let mut world = awaited();
        for from in order {
            nominating(if from == NAT { 200 } else { 100 }).send(&mut world, from);
            world.pass(50);
        }
        secure(&mut world, 1, 1);
        assert_eq!(spoken_to(&mut world, 0), Some(address(NAT)));
        world.pass(2500);
        nominating(100).send(&mut world, OTHER_NAT);
        assert_eq!(spoken_to(&mut world, 1), Some(address(OTHER_NAT)), "it has changed its mind");
    }
}

#[test]
fn a_restart_finds_the_party_anew_while_it_goes_on_talking() {
    let (mut world, mut browser) = talking();
    world.command(Command::Configure { leg: A, stream: agreed(2, "one") });
    assert_eq!(spoken_to(&mut world, 0), Some(address(NAT)));
    browser.say(&mut world, NAT, 0);
    assert!(
        Check::nominating(1).send(&mut world, NAT).is_some(),
        "by the old names until there is a way by the new"
    );
    assert!(Check::of(2).send(&mut world, OTHER_NAT).is_some());
    assert!(Check::of(2).send(&mut world, NAT).is_some());
    assert!(Check::of(1).send(&mut world, NAT).is_some(), "it has not chosen by the new ones");
    assert_eq!(spoken_to(&mut world, 1), Some(address(NAT)));
    Check::nominating(2).send(&mut world, OTHER_NAT);
    assert_eq!(spoken_to(&mut world, 2), Some(address(OTHER_NAT)));
    assert_eq!(error_of(Check::nominating(1).send(&mut world, NAT)), Some(401));
    browser.say(&mut world, NAT, 1);
    browser.say(&mut world, OTHER_NAT, 2);
    assert_eq!(world.to(B).len(), 3, "what was on its way arrives, too");
    assert_eq!(world.handshakes.len(), 1, "the keys stay (RFC 8842)");
}

#[test]
fn restart_upon_restart_keeps_the_way_that_is_in_use() {
    let (mut world, _) = talking();
    for round in 2..6 {
        world.command(Command::Configure { leg: A, stream: agreed(round, "one") });
        assert!(Check::nominating(1).send(&mut world, NAT).is_some());
    }
    assert_eq!(error_of(Check::nominating(4).send(&mut world, NAT)), Some(401));
    Check::nominating(5).send(&mut world, NAT);
    assert_eq!(spoken_to(&mut world, 0), Some(address(NAT)));
    assert_eq!(error_of(Check::nominating(1).send(&mut world, NAT)), Some(401));
}

#[test]
fn who_is_not_asked_for_anything_for_thirty_seconds_is_sent_nothing_more_until_it_looks_again() {
    let (mut world, mut browser) = talking();
    for n in 0..10u16 {
        world.pass(25_000);
        Check::nominating(1).send(&mut world, NAT);
        assert_eq!(spoken_to(&mut world, n), Some(address(NAT)));
    }
    assert_eq!(lost(&world), []);
    world.pass(29_990);
    assert_eq!(spoken_to(&mut world, 10), Some(address(NAT)));
    world.pass(20);
    assert_eq!(lost(&world), [Some(address(NAT))]);
    assert_eq!(spoken_to(&mut world, 11), None);
    browser.say(&mut world, NAT, 0);
    assert!(world.to(B).is_empty());
    world.pass(120_000);
    Check::nominating(1).send(&mut world, NAT);
    assert_eq!(spoken_to(&mut world, 12), Some(address(NAT)));
    assert_eq!(found(&world), [NAT, NAT].map(address));
    assert_eq!(lost(&world), [Some(address(NAT))]);
}

#[test]
fn when_the_way_in_use_dies_another_that_was_nominated_takes_its_place() {
    let (mut world, _) = talking();
    Check::nominating(1).send(&mut world, OTHER_NAT);
    for _ in 0..10 {
        world.pass(5000);
        Check::of(1).send(&mut world, NAT);
    }
    assert_eq!(spoken_to(&mut world, 0), Some(address(NAT)));
    assert_eq!(lost(&world), []);
}

#[test]
fn a_party_that_never_finds_us_is_told_of_and_no_greeting_waits_for_it() {
    let mut world = World::new();
    world.sounds.insert("it/welcome".into(), Some(clip(1, 20)));
    world.open(A, agreed(1, "one"));
    secure(&mut world, 1, 1);
    world.play(1, &[&["it/welcome"]], false);
    world.pass(29_000);
    assert_eq!(lost(&world), []);
    world.pass(2000);
    assert_eq!(lost(&world), [None]);
    assert!(world.told().contains(&Event::PlayEnded { leg: A, play: PlayId(1), complete: true }));
    assert!(world.sent.is_empty());
}

#[test]
fn a_way_that_changes_all_the_time_is_told_of_once_a_second() {
    let (mut world, _) = talking();
    for n in 0..2000u32 {
        let from = format!("203.0.113.5:{}", 1000 + n % 100);
        Check::nominating(1).send(&mut world, &from);
        world.pass(5);
    }
    let told = found(&world).len();
    assert!((2..=12).contains(&told), "{told}");
}

#[test]
fn a_party_of_many_addresses_is_known_by_the_latest_and_the_one_in_use() {
    let (mut world, mut browser) = talking();
    for n in 0..1000u32 {
        Check::of(1).send(&mut world, &format!("203.0.113.5:{}", 1000 + n));
        world.pass(5);
    }
    assert_eq!(spoken_to(&mut world, 0), Some(address(NAT)));
    browser.say(&mut world, NAT, 0);
    browser.say(&mut world, "203.0.113.5:1999", 1);
    browser.say(&mut world, "203.0.113.5:1000", 2);
    assert_eq!(world.to(B).len(), 2);
}

#[test]
fn what_shares_the_socket_and_was_not_agreed_reaches_nobody() {
    for first in [4u8, 19, 64, 79, 80, 127, 192, 255] {
        let (mut world, _) = talking();
        send(&mut world, NAT, &[first; 60]);
        assert_eq!((world.handshakes.len(), world.stats(A).rejected), (1, 1), "{first}");
    }
    let (mut world, mut browser) = talking();
    let mut bytes = Rtp::speech(0, 0, 77).bytes();
    browser.sealer.seal(&mut bytes, 0).unwrap();
    world.raw(A, PacketKind::Rtcp, address(NAT), &bytes);
    world.raw(A, PacketKind::Rtcp, address(NAT), &Check::nominating(1).bytes());
    world.raw(A, PacketKind::Rtp, address(NAT), &[]);
    assert_eq!(world.stats(A).rejected, 3, "by the socket that is not used, or empty");
}

#[test]
fn a_party_without_a_handshake_is_no_browser() {
    let mut world = World::bridged();
    assert_eq!(send(&mut world, NAT, &Check::nominating(1).bytes()), None);
    assert_eq!(send(&mut world, NAT, &HELLO), None);
    assert!(world.handshakes.is_empty());
}

#[test]
fn a_browser_that_goes_on_in_another_shard_keeps_its_way_its_names_and_its_keys() {
    let (mut before, mut browser) = talking();
    for n in 0..10 {
        browser.say(&mut before, NAT, n);
        speak(&mut before, n);
    }
    assert_eq!(browser.heard(&before, 0).len(), 10);
    let moving = before.shard.release(A).unwrap();
    let mut after = World::new();
    after.open(B, stream(B));
    after.shard.adopt(after.now, moving);
    after.command(Command::Bridge { a: A, b: B });
    browser.say(&mut after, NAT, 10);
    assert_eq!(spoken_to(&mut after, 10), Some(address(NAT)));
    assert_eq!((after.to(B).len(), browser.heard(&after, 0).len()), (1, 1));
    assert!(Check::nominating(1).send(&mut after, OTHER_NAT).is_some());
    assert_eq!(spoken_to(&mut after, 11), Some(address(OTHER_NAT)));
    secure(&mut after, 1, 11);
    after.pass(31_000);
    assert_eq!(lost(&after), [Some(address(OTHER_NAT))]);
    after.command(Command::Close { leg: A });
    assert_eq!(after.handshakes.last(), Some(&(A, 1, HandshakeAct::End)));
}

#[test]
fn a_browser_for_which_the_other_shard_has_no_room_leaves_no_handshake_behind() {
    let (mut before, _) = talking();
    let moving = before.shard.release(A).unwrap();
    let mut after = World::with(ShardConfig { legs_max: 1, ..ShardConfig::default() });
    after.open(B, stream(B));
    after.shard.adopt(after.now, moving);
    after.tick();
    assert!(after.told().iter().any(|event| matches!(event, Event::OpenFailed { leg: A, .. })));
    assert_eq!(after.handshakes, [(A, 1, HandshakeAct::End)]);
}

#[test]
fn keys_that_a_browser_presses_and_is_sent_are_sealed_like_its_speech() {
    let (mut world, mut browser) = talking();
    let mut bytes = Rtp::key(0, 160, 77, 5, false, 160).bytes();
    browser.sealer.seal(&mut bytes, 0).unwrap();
    world.raw(A, PacketKind::Rtp, address(NAT), &bytes);
    assert_eq!(world.digits(), "5");
    world.command(Command::SendDigits { leg: A, digits: "7".to_owned() });
    world.pass(500);
    assert!(browser.heard(&world, 0).iter().any(|payload| payload.len() == 4 && payload[0] == 7));
}

#[test]
fn a_silent_browser_is_told_of_with_where_it_is() {
    let (mut world, mut browser) = talking();
    browser.say(&mut world, NAT, 0);
    world.pass(4000);
    let evidence = world.told().into_iter().find_map(|event| match event {
        Event::Silent { leg: A, evidence } => Some(evidence),
        _ => None,
    });
    let evidence = evidence.unwrap();
    assert_eq!((evidence.expected, evidence.last_source), (address(NAT), Some(address(NAT))));
}

proptest! {
    #[test]
    fn a_check_that_was_changed_on_its_way_shows_no_way_and_is_no_amplifier(
        changes in prop::collection::vec((0usize..112, 1u8..=255), 1..4),
        cut in 0usize..112,
        is_cut in any::<bool>(),
    ) {
        let mut world = awaited();
        secure(&mut world, 1, 1);
        let sound = Check::nominating(1).bytes();
        let mut bytes = sound.clone();
        if is_cut {
            bytes.truncate(cut.min(bytes.len() - 1));
        } else {
            changes.iter().filter(|(at, _)| *at < sound.len()).for_each(|(at, change)| bytes[*at] ^= change);
        }
        prop_assume!(bytes != sound);
        // Longer than what was sent, `send` does not let it be.
        let answer = send(&mut world, NAT, &bytes);
        prop_assert!(answer.is_none_or(|answer| Message::parse(&answer).unwrap().error().is_some()));
        prop_assert_eq!(spoken_to(&mut world, 0), None);
    }

    #[test]
    fn whatever_comes_in_whatever_order_the_party_is_spoken_to_where_it_has_nominated(
        steps in prop::collection::vec((0usize..12, any::<bool>(), 0u64..40_000, 0u8..6, 0u8..3), 1..80),
    ) {
        let (mut world, _) = talking();
        let lasts = std::time::Duration::from_secs(30);
        // Where it is and by which names, as long as its last check says so; what is left then, another test says.
        let mut at = Some((address(NAT), world.now, 1));
        // The names that are answered.
        let (mut current, mut before) = (1, None);
        for (n, (port, nominates, millis, what, age)) in steps.into_iter().enumerate() {
            world.pass(millis / 4);
            at = at.filter(|(_, seen_at, _)| world.now - *seen_at < lasts);
            let from = format!("203.0.113.5:{}", 1000 + port);
            match what {
                0..=2 => {
                    let round = u8::saturating_sub(current, age);
                    let is_answered = round == current || Some(round) == before;
                    let answer = Check { nominates, ..Check::of(round) }.send(&mut world, &from);
                    let kind = answer.map(|answer| Message::parse(&answer).unwrap().kind());
                    prop_assert_eq!(kind == Some(Kind::Success), is_answered);
                    let is_there = at.filter(|(last, ..)| *last == address(&from));
                    if is_answered && nominates {
                        at = Some((address(&from), world.now, round));
                        before = before.filter(|_| round != current);
                    } else if let (true, Some((last, _, round))) = (is_answered, is_there) {
                        at = Some((last, world.now, round));
                    }
                    // Slowly enough that each nomination is another decision.
                    world.pass(500);
                }
                3 => {
                    // Where it is not known any more which names are in use, nothing is said of those before.
                    let Some((_, _, in_use)) = at else { continue };
                    before = before.filter(|round| in_use == *round).or(Some(current));
                    current += 1;
                    world.command(Command::Configure { leg: A, stream: agreed(current, "one") });
                }
                4 => {
                    drop(Check { password: password(99), ..Check::nominating(1) }.send(&mut world, &from));
                    drop(send(&mut world, &from, &HELLO));
                }
                _ => world.from(A, address(&from), &Rtp::speech(n as u16, 0, 7)),
            }
            at = at.filter(|(_, seen_at, _)| world.now - *seen_at < lasts);
            if let Some((last, ..)) = at {
                prop_assert_eq!(spoken_to(&mut world, n as u16), Some(last));
            }
        }
    }
}
