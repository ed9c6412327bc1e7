//! A party whose keys come from a handshake on the media's own path.

// What is no test itself counts as production code for the lints.
#![allow(clippy::unwrap_used)]

mod world;

use media::srtp::{Opener, Sealer};
use media::{HandshakeAct, HandshakeTold, ShardInput};
use media_api::{
    CertificateHash, Command, Event, Fingerprint, Handshake, IceCredentials, KeyExchange, Keys, MasterKey,
    Offerer, PlayId, Security, Stream, Suite,
};
use world::*;

const SUITE: Suite = Suite::AesCm128HmacSha1Tag80;

fn names(ufrag: &str) -> IceCredentials {
    IceCredentials::new(ufrag, "a password of ICE".replace(' ', "+").repeat(2).as_str()).unwrap()
}

fn agreed(tls_id: &str) -> Stream {
    let handshake = Handshake {
        ours: names("ours"),
        theirs: names("theirs"),
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

/// A party with these keys.
struct Browser {
    sealer: Sealer,
    opener: Opener,
}

impl Browser {
    fn with(keys: &Keys) -> Browser {
        Browser { sealer: Sealer::new(&keys.theirs).unwrap(), opener: Opener::new(&keys.ours, None).unwrap() }
    }

    fn say(&mut self, world: &mut World, n: u16) {
        let mut bytes = Rtp::speech(n, u32::from(n) * 160, 77).bytes();
        self.sealer.seal(&mut bytes, 0).unwrap();
        world.raw(A, media::PacketKind::Rtp, party(A), &bytes);
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

fn talking() -> (World, Browser) {
    let mut world = World::new();
    world.open(A, agreed("one"));
    world.open(B, stream(B));
    world.command(Command::Bridge { a: A, b: B });
    told(&mut world, 1, HandshakeTold::Keys(Box::new(keys(1))));
    (world, Browser::with(&keys(1)))
}

fn speak(world: &mut World, n: u16) {
    world.say(B, &Rtp::speech(n, u32::from(n) * 160, 88));
}

#[test]
fn before_its_keys_a_party_is_neither_heard_nor_spoken_to_and_from_then_on_both() {
    let mut world = World::new();
    world.open(A, agreed("one"));
    world.open(B, stream(B));
    world.command(Command::Bridge { a: A, b: B });
    let begun = world.handshakes.clone();
    assert!(matches!(&begun[..], [(A, 1, HandshakeAct::Begin(peer))] if peer.fingerprints.len() == 1));
    let mut browser = Browser::with(&keys(1));
    world.say(A, &Rtp::speech(0, 0, 77));
    browser.say(&mut world, 0);
    speak(&mut world, 0);
    world.pass(8000);
    assert!(world.sent.is_empty());
    assert!(world.reports.iter().all(|(_, leg, ..)| *leg == B));
    told(&mut world, 1, HandshakeTold::Keys(Box::new(keys(1))));
    assert!(world.told().contains(&Event::Secured { leg: A, keys: keys(1).terms() }));
    browser.say(&mut world, 1);
    speak(&mut world, 1);
    assert_eq!(world.to(B).len(), 1);
    assert_eq!(browser.heard(&world, 0).len(), 1);
}

#[test]
fn a_greeting_waits_for_the_keys_and_is_heard_from_its_beginning() {
    let mut world = World::new();
    world.sounds.insert("it/welcome".into(), Some(clip(1, 20)));
    world.open(A, agreed("one"));
    world.play(1, &[&["it/welcome"]], false);
    world.pass(3000);
    assert_eq!(world.told().iter().filter(|event| matches!(event, Event::PlayEnded { .. })).count(), 0);
    told(&mut world, 1, HandshakeTold::Keys(Box::new(keys(1))));
    world.pass(1000);
    let heard = Browser::with(&keys(1)).heard(&world, 0);
    assert!(heard.first().is_some_and(|first| *first == [1; 160]), "{heard:?}");
    assert_eq!(heard.len(), 20);
    assert!(world.told().contains(&Event::PlayEnded { leg: A, play: PlayId(1), complete: true }));
}

#[test]
fn a_new_agreement_of_the_same_handshake_keeps_its_keys_and_counts() {
    let (mut world, mut browser) = talking();
    for n in 0..10 {
        browser.say(&mut world, n);
        speak(&mut world, n);
    }
    world.command(Command::Configure { leg: A, stream: agreed("one") });
    browser.say(&mut world, 10);
    speak(&mut world, 10);
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
    world.command(Command::Configure { leg: A, stream: agreed("two") });
    assert!(matches!(world.handshakes[..], [_, (A, 2, HandshakeAct::Begin(_))]));
    speak(&mut world, 1);
    browser.say(&mut world, 0);
    told(&mut world, 1, HandshakeTold::Failed("too late to count".to_owned()));
    assert_eq!(browser.heard(&world, 0).len(), 8);
    let first = world.sent.len();
    told(&mut world, 2, HandshakeTold::Keys(Box::new(keys(11))));
    let mut anew = Browser::with(&keys(11));
    anew.say(&mut world, 1);
    speak(&mut world, 2);
    assert_eq!(anew.heard(&world, first).len(), 1, "by a roll-over counter of 0");
    assert_eq!(world.to(B).len(), 2);
}

#[test]
fn a_handshake_that_fails_or_is_closed_leaves_silence_and_the_next_agreement_asks_for_another() {
    for (is_failure, end) in
        [(true, HandshakeTold::Failed("wrong hash".to_owned())), (false, HandshakeTold::Closed)]
    {
        let (mut world, mut browser) = talking();
        told(&mut world, 1, end);
        let failure = Event::HandshakeFailed { leg: A, why: "wrong hash".to_owned() };
        assert_eq!(world.told().contains(&failure), is_failure);
        let first = world.sent.len();
        browser.say(&mut world, 0);
        speak(&mut world, 0);
        assert_eq!(world.sent.len(), first);
        world.command(Command::Configure { leg: A, stream: agreed("one") });
        assert!(matches!(world.handshakes[..], [_, (A, 2, HandshakeAct::Begin(_))]));
        told(&mut world, 2, HandshakeTold::Keys(Box::new(keys(21))));
        speak(&mut world, 1);
        assert_eq!(Browser::with(&keys(21)).heard(&world, first).len(), 1);
    }
}

#[test]
fn a_handshake_ends_with_its_leg_and_with_its_agreement() {
    let (mut world, _) = talking();
    world.command(Command::Configure { leg: A, stream: stream(A) });
    assert_eq!(world.handshakes.last(), Some(&(A, 1, HandshakeAct::End)));
    let (mut world, _) = talking();
    world.command(Command::Close { leg: A });
    assert_eq!(world.handshakes.last(), Some(&(A, 1, HandshakeAct::End)));
}
