//! Reliable provisional answers in both roles (RFC 3262), with loss, repetition and disorder.

use crate::world::*;
use base::Time;
use sip::ua::*;
use std::collections::BTreeSet;
use std::time::Duration;

const KNOWS: &str = "Supported: 100rel\nAllow: INVITE, ACK, CANCEL, BYE, PRACK, UPDATE\n";
const WANTS: &str = "Require: 100rel\n";

fn with_prack(prack: Prack) -> Config {
    let mut config = open_config(ALICE);
    config.extensions.prack = prack;
    config
}

/// Alice alone, called by the test with an offer and these header fields.
fn called(more: &str) -> (World, SessionId) {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    world.inject(address(7), ALICE, &with_body(&invite(address(7), "reliable", more), OFFER));
    world.run_for(20);
    world.take(address(7));
    let session = world.incoming(ALICE);
    (world, session)
}

fn progress(session: SessionId, status: u16, sdp: Option<&[u8]>) -> Do {
    Do::Progress { session, status, sdp: sdp.map(<[u8]>::to_vec), early_media: None }
}

fn rseq(answer: &str) -> u32 {
    header(answer, "RSeq").expect("an RSeq").parse().unwrap()
}

fn prack(answer: &str, cseq: u32) -> String {
    request_in(answer, "PRACK", cseq, &format!("RAck: {} 1 INVITE\n", rseq(answer)))
}

/// What Alice has sent to the test since it last looked.
fn heard(world: &mut World) -> Vec<String> {
    world.run_for(20);
    world.take(address(7))
}

#[test]
fn a_caller_that_knows_100rel_is_rung_reliably_and_one_that_does_not_is_not() {
    let (mut world, session) = called(KNOWS);
    world.act(ALICE, Do::ring(session));
    let ringing = heard(&mut world).pop().unwrap();
    assert!(ringing.starts_with("SIP/2.0 180"));
    assert_eq!(header(&ringing, "Require"), Some("100rel"));
    assert!((1..1 << 31).contains(&rseq(&ringing)));
    let (mut world, session) = called("");
    world.act(ALICE, Do::ring(session));
    let ringing = heard(&mut world).pop().unwrap();
    assert_eq!((header(&ringing, "Require"), header(&ringing, "RSeq")), (None, None));
}

#[test]
fn a_reliable_answer_is_repeated_ever_more_slowly_until_its_prack_comes() {
    let (mut world, session) = called(KNOWS);
    let began = world.now;
    world.act(ALICE, Do::ring(session));
    world.run_for(8_000);
    let ringing = world.take(address(7));
    let at: Vec<u128> = world
        .sent
        .iter()
        .filter(|p| p.bytes.starts_with(b"SIP/2.0 180"))
        .map(|p| p.at.since(began).as_millis())
        .collect();
    assert_eq!(at, [0, 500, 1_500, 3_500, 7_500]);
    assert_eq!(ringing.iter().map(|answer| rseq(answer)).collect::<BTreeSet<_>>().len(), 1);
    world.inject(address(7), ALICE, &prack(&ringing[0], 2));
    assert!(heard(&mut world)[0].starts_with("SIP/2.0 200"));
    world.run_for(25_000);
    assert_eq!(world.take(address(7)), Vec::<String>::new());
    assert!(world.endings(ALICE, session).is_empty());
}

#[test]
fn without_any_prack_the_call_is_refused_with_504_after_64_t1() {
    let (mut world, session) = called(KNOWS);
    world.act(ALICE, Do::ring(session));
    world.run_for(32_500);
    let last = world.take(address(7)).into_iter().find(|answer| answer.starts_with("SIP/2.0 504")).unwrap();
    assert_eq!(header(&last, "Reason"), Some("Q.850;cause=102;text=\"Recovery on timer expiry\""));
    let ending = world.ending(ALICE, session);
    assert_eq!((ending.how, ending.status), (How::NotAcknowledged, Some(504)));
    assert!(ending.detail.contains("no PRACK"), "{}", ending.detail);
}

#[test]
fn a_prack_of_nothing_gets_481() {
    let (mut world, session) = called(KNOWS);
    world.act(ALICE, Do::ring(session));
    let ringing = heard(&mut world).pop().unwrap();
    for (cseq, rack) in [(2, "1 1 INVITE"), (3, "nonsense"), (4, "")] {
        let other = request_in(&ringing, "PRACK", cseq, &format!("RAck: {rack}\n"));
        world.inject(address(7), ALICE, &other);
        assert!(heard(&mut world)[0].starts_with("SIP/2.0 481"), "{rack}");
    }
    let wrong = request_in(&ringing, "PRACK", 5, &format!("RAck: {} 9 INVITE\n", rseq(&ringing)));
    world.inject(address(7), ALICE, &wrong);
    assert!(heard(&mut world)[0].starts_with("SIP/2.0 481"));
    world.inject(address(7), ALICE, &prack(&ringing, 6));
    assert!(heard(&mut world)[0].starts_with("SIP/2.0 200"));
    world.inject(address(7), ALICE, &prack(&ringing, 7));
    assert!(heard(&mut world)[0].starts_with("SIP/2.0 481"), "it has been acknowledged already");
}

#[test]
fn the_second_waits_for_the_prack_of_the_first_and_the_others_do_not_wait() {
    let (mut world, session) = called(KNOWS);
    for status in [183, 180, 182] {
        world.act(ALICE, progress(session, status, None));
    }
    let first = heard(&mut world);
    assert_eq!(first.len(), 1);
    assert!(first[0].starts_with("SIP/2.0 183"));
    world.inject(address(7), ALICE, &prack(&first[0], 2));
    let after: Vec<String> = heard(&mut world).into_iter().filter(|m| m.starts_with("SIP/2.0 18")).collect();
    assert_eq!(after.len(), 2, "{after:?}");
    assert_eq!([rseq(&after[0]), rseq(&after[1])], [rseq(&first[0]) + 1, rseq(&first[0]) + 2]);
    // In whatever order: a PRACK is about what it names.
    for (answer, cseq) in [(&after[1], 4), (&after[0], 3)] {
        world.inject(address(7), ALICE, &prack(answer, cseq));
        assert!(heard(&mut world)[0].starts_with("SIP/2.0 200"));
    }
}

#[test]
fn a_2xx_waits_for_the_prack_of_what_described_the_session_and_repeats_no_answer() {
    let (mut world, session) = called(KNOWS);
    world.act(ALICE, progress(session, 183, Some(ANSWER)));
    world.act(ALICE, Do::Accept { session, sdp: ANSWER.to_vec() });
    let early = heard(&mut world);
    assert!(early.iter().all(|answer| answer.starts_with("SIP/2.0 183")), "{early:?}");
    assert!(early[0].ends_with(&String::from_utf8_lossy(ANSWER).into_owned()));
    world.inject(address(7), ALICE, &prack(&early[0], 2));
    let finals: Vec<String> = heard(&mut world);
    let invite_ok = finals.iter().find(|answer| header(answer, "CSeq") == Some("1 INVITE")).unwrap();
    assert!(invite_ok.starts_with("SIP/2.0 200"));
    assert_eq!(header(invite_ok, "Content-Length"), Some("0"), "the answer was given once, reliably");
    world.inject(address(7), ALICE, &request_in(invite_ok, "ACK", 1, ""));
    assert!(world.has(ALICE, |e| matches!(e, Event::Confirmed { .. })));
}

#[test]
fn a_2xx_does_not_wait_for_mere_ringing_and_a_late_prack_is_still_answered() {
    let (mut world, session) = called(KNOWS);
    world.act(ALICE, Do::ring(session));
    world.act(ALICE, Do::Accept { session, sdp: ANSWER.to_vec() });
    let told = heard(&mut world);
    let kinds: Vec<&str> = told.iter().map(|answer| &answer[8..11]).collect();
    assert_eq!(kinds, ["180", "200"]);
    world.inject(address(7), ALICE, &prack(&told[0], 2));
    let answers = heard(&mut world);
    assert!(answers.iter().any(|a| a.starts_with("SIP/2.0 200") && a.contains("2 PRACK")), "{answers:?}");
    world.run_for(3_000);
    assert!(!world.take(address(7)).iter().any(|answer| answer.starts_with("SIP/2.0 180")));
}

#[test]
fn while_the_200_waits_for_a_prack_nothing_is_due_again_and_again() {
    let (mut world, session) = called(KNOWS);
    world.act(ALICE, Do::ring(session));
    world.act(ALICE, progress(session, 183, Some(ANSWER)));
    world.run_for(31_000);
    world.inject(address(7), ALICE, &prack(&world.seen("SIP/2.0 180")[0], 2));
    world.act(ALICE, Do::Accept { session, sdp: ANSWER.to_vec() });
    // The minute after which the ringing is told again ends before the 183 has waited in vain.
    world.run_for(31_500);
    assert!(world.endings(ALICE, session).is_empty());
    world.run_for(1_000);
    assert_eq!(world.ending(ALICE, session).how, How::NotAcknowledged);
}

#[test]
fn an_offer_in_a_prack_is_answered_in_its_200() {
    let (mut world, session) = called(KNOWS);
    world.act(ALICE, progress(session, 183, Some(ANSWER)));
    let early = heard(&mut world).pop().unwrap();
    world.inject(address(7), ALICE, &with_body(&prack(&early, 2), OFFER));
    world.run_for(20);
    assert!(world.has(ALICE, |e| matches!(e, Event::Reoffered { sdp: Some(sdp), .. } if sdp == OFFER)));
    world.act(ALICE, Do::AcceptReoffer { session, sdp: ANSWER.to_vec() });
    let ok = heard(&mut world).into_iter().find(|m| m.contains("2 PRACK")).unwrap();
    assert!(ok.starts_with("SIP/2.0 200") && ok.ends_with("RTP/AVP 8\r\n"), "{ok}");
}

#[test]
fn a_caller_that_requires_100rel_gets_nothing_that_is_not_reliable() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    world.inject(address(7), ALICE, &invite(address(7), "offerless", WANTS));
    let session = world.incoming(ALICE);
    world.act(ALICE, Do::ring(session));
    let told = heard(&mut world);
    assert!(told.iter().all(|answer| answer.starts_with("SIP/2.0 100")), "{told:?}");
    world.act(ALICE, Do::Accept { session, sdp: OFFER.to_vec() });
    assert!(heard(&mut world)[0].starts_with("SIP/2.0 200"));
}

#[test]
fn where_100rel_is_off_who_requires_it_gets_420_and_where_it_is_required_who_lacks_it_gets_421() {
    for (prack, more, status, names) in [
        (Prack::Off, WANTS, "420", ("Unsupported", "100rel")),
        (Prack::Required, "", "421", ("Require", "100rel")),
    ] {
        let mut world = World::of(vec![with_prack(prack)], 1);
        world.inject(address(7), ALICE, &invite(address(7), "terms", more));
        let answer = heard(&mut world).pop().unwrap();
        assert_eq!(&answer[8..11], status);
        assert_eq!(header(&answer, names.0), Some(names.1));
    }
    let mut world = World::of(vec![with_prack(Prack::Off)], 1);
    world.inject(address(7), ALICE, &with_body(&invite(address(7), "off", KNOWS), OFFER));
    let session = world.incoming(ALICE);
    world.act(ALICE, Do::ring(session));
    let ringing = heard(&mut world).pop().unwrap();
    assert_eq!((&ringing[8..11], header(&ringing, "RSeq")), ("180", None));
}

/// Alice calls the test; her INVITE.
fn calling(config: Config) -> (World, SessionId, String) {
    let mut world = World::of(vec![config], 1);
    let session = world.call(ALICE, BOB);
    world.run_for(20);
    let invite = world.take(address(BOB)).pop().unwrap();
    (world, session, invite)
}

fn reliably(invite: &str, status: &str, rseq: u32) -> String {
    let more = format!("Require: 100rel\nRSeq: {rseq}\nContact: <sip:bob@{}>\n", address(BOB));
    answer_to(invite, status, &more)
}

/// The RAcks of the PRACKs that came since the test last looked.
fn racks(world: &mut World) -> Vec<String> {
    world.run_for(20);
    let taken = world.take(address(BOB));
    let pracks = taken.iter().filter(|message| message.starts_with("PRACK"));
    pracks.map(|prack| header(prack, "RAck").unwrap().to_owned()).collect()
}

#[test]
fn a_call_says_what_it_knows_of_100rel() {
    for (prack, supported, required) in
        [(Prack::Off, false, None), (Prack::Supported, true, None), (Prack::Required, true, Some("100rel"))]
    {
        let (_, _, invite) = calling(with_prack(prack));
        assert_eq!(header(&invite, "Supported").unwrap().contains("100rel"), supported);
        assert_eq!(header(&invite, "Require"), required);
    }
}

#[test]
fn each_reliable_answer_is_acknowledged_once_and_in_order() {
    let (mut world, _, invite) = calling(open_config(ALICE));
    let cseq = header(&invite, "CSeq").unwrap().to_owned();
    let expected = |rseq: u32| vec![format!("{rseq} {cseq}")];
    world.inject(address(BOB), ALICE, &reliably(&invite, "183 Session Progress", 70));
    assert_eq!(racks(&mut world), expected(70));
    world.inject(address(BOB), ALICE, &reliably(&invite, "183 Session Progress", 70));
    assert_eq!(racks(&mut world), Vec::<String>::new(), "a repetition");
    world.inject(address(BOB), ALICE, &reliably(&invite, "180 Ringing", 72));
    assert_eq!(racks(&mut world), Vec::<String>::new(), "71 has not come yet");
    world.inject(address(BOB), ALICE, &reliably(&invite, "182 Queued", 71));
    assert_eq!(racks(&mut world), expected(71));
    world.inject(address(BOB), ALICE, &reliably(&invite, "180 Ringing", 72));
    assert_eq!(racks(&mut world), expected(72));
    let statuses: Vec<u16> = world.agents[ALICE]
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Progress { status, .. } => Some(*status),
            _ => None,
        })
        .collect();
    assert_eq!(statuses, [183, 182, 180]);
}

#[test]
fn the_answer_in_a_reliable_183_is_the_answer() {
    let (mut world, session, invite) = calling(open_config(ALICE));
    world.inject(address(BOB), ALICE, &with_body(&reliably(&invite, "183 Session Progress", 1), ANSWER));
    assert!(world.has(ALICE, |e| matches!(e, Event::Progress { sdp: Some(sdp), .. } if sdp == ANSWER)));
    world.inject(address(BOB), ALICE, &with_body(&reliably(&invite, "180 Ringing", 2), OFFER));
    assert!(world.has(ALICE, |e| matches!(e, Event::Progress { status: 180, sdp: None, .. })));
    world.inject(
        address(BOB),
        ALICE,
        &with_body(&answer_to(&invite, "200 OK", &format!("Contact: <sip:bob@{}>\n", address(BOB))), OFFER),
    );
    assert!(world.has(ALICE, |e| matches!(e, Event::Answered { session: s, sdp: None } if *s == session)));
}

#[test]
fn a_challenged_prack_is_sent_again_with_the_credentials() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let flow = world.flow(ALICE, BOB);
    world.call_as(ALICE, flow, Some(account("alice")));
    world.run_for(20);
    let invite = world.take(address(BOB)).pop().unwrap();
    world.inject(address(BOB), ALICE, &reliably(&invite, "180 Ringing", 5));
    world.run_for(20);
    let first = world.take(address(BOB)).into_iter().find(|m| m.starts_with("PRACK")).unwrap();
    let challenge = "WWW-Authenticate: Digest realm=\"x\", nonce=\"n\", algorithm=MD5\n";
    world.inject(address(BOB), ALICE, &answer_to(&first, "401 Unauthorized", challenge));
    world.run_for(20);
    let second = world.take(address(BOB)).into_iter().find(|m| m.starts_with("PRACK")).unwrap();
    assert_eq!(header(&second, "RAck"), header(&first, "RAck"));
    assert!(header(&second, "Authorization").unwrap().contains("alice"));
}

#[test]
fn over_a_link_that_loses_doubles_and_reorders_every_call_is_rung_and_answered_once() {
    for seed in 0..60 {
        let mut world = World::of(vec![open_config(ALICE), open_config(BOB)], seed);
        world.link = Link {
            delay: Duration::from_millis(10),
            jitter: Duration::from_millis(400),
            loss_permille: 300,
            duplicate_permille: 200,
        };
        let ours = world.call(ALICE, BOB);
        let until = world.now + Duration::from_secs(20);
        while !world.has(BOB, |e| matches!(e, Event::Incoming { .. })) && world.now < until {
            world.run_for(100);
        }
        let theirs = world.incoming(BOB);
        world.act(BOB, progress(theirs, 183, Some(ANSWER)));
        world.act(BOB, progress(theirs, 180, None));
        world.act(BOB, progress(theirs, 182, None));
        world.run_for(3_000);
        world.act(BOB, Do::Accept { session: theirs, sdp: ANSWER.to_vec() });
        world.run_for(31_000);
        let answered = |e: &Event| matches!(e, Event::Answered { session, .. } if *session == ours);
        assert_eq!(world.count(ALICE, answered), 1, "seed {seed}");
        let agreed = |e: &Event| matches!(e, Event::Progress { sdp: Some(sdp), .. } if sdp == ANSWER);
        assert_eq!(world.count(ALICE, agreed), 1, "seed {seed}: one answer");
        world.act(ALICE, Do::HangUp { session: ours, q850: None });
        world.run_until(Time::from_millis(1_000) + Duration::from_secs(300));
        world.assert_idle();
    }
}
