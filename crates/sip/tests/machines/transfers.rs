//! REFER and Replaces between two user agents, with loss and duplicates (RFC 3515, 3891, 3892, 4488, 5589).

use crate::world::*;
use sip::referral::{ReferTo, Replaces};
use sip::ua::*;

fn to(uri: &str) -> Refer {
    let to = ReferTo { uri: uri.into(), replaces: None };
    Refer { to, referred_by: Some("sip:anna@help.example".into()) }
}

/// The last REFER that an agent was told of.
fn referral(world: &World, agent: usize) -> Referral {
    let found = world.agents[agent].events.iter().rev().find_map(|(_, event)| match event {
        Event::Referred { referral, .. } => Some((**referral).clone()),
        _ => None,
    });
    found.expect("a REFER")
}

/// What an agent was told of its own REFER.
fn progress(world: &World, agent: usize) -> Vec<(u16, bool)> {
    let told = world.agents[agent].events.iter().filter_map(|(_, event)| match event {
        Event::ReferProgress { status, over, .. } => Some((*status, *over)),
        _ => None,
    });
    told.collect()
}

/// Alice asks Bob to call Carla; Bob has said yes.
fn accepted(world: &mut World) -> (SessionId, SessionId, u32) {
    let (ours, theirs) = world.established();
    world.act(ALICE, Do::Refer { session: ours, refer: to("sip:carla@help.example") });
    world.run_for(50);
    let refer = referral(world, BOB).refer;
    world.act(BOB, Do::AnswerRefer { session: theirs, refer, status: 202 });
    world.run_for(50);
    (ours, theirs, refer)
}

#[test]
fn a_refer_that_is_accepted_is_told_of_until_its_final_status() {
    let mut world = World::pair();
    let (ours, theirs, refer) = accepted(&mut world);
    let asked = referral(&world, BOB);
    assert_eq!((asked.to.uri.as_str(), asked.to.replaces), ("sip:carla@help.example", None));
    assert_eq!(asked.referred_by.as_deref(), Some("sip:anna@help.example"));
    world.act(BOB, Do::ReferProgress { session: theirs, refer, status: 180 });
    world.run_for(50);
    world.act(BOB, Do::ReferProgress { session: theirs, refer, status: 200 });
    world.run_for(50);
    // 100 once for the 202 and once for the first NOTIFY.
    assert_eq!(progress(&world, ALICE), [(100, false), (100, false), (180, false), (200, true)]);
    let notifies = world.seen("NOTIFY");
    assert_eq!(notifies.len(), 3);
    assert_eq!(header(&notifies[0], "Subscription-State"), Some("active;expires=180"));
    assert_eq!(header(&notifies[2], "Subscription-State"), Some("terminated;reason=noresource"));
    assert_eq!(header(&notifies[2], "Content-Type"), Some("message/sipfrag;version=2.0"));
    assert!(notifies[2].ends_with("SIP/2.0 200 OK\r\n"));
    assert!(world.seen("REFER")[0].contains("Refer-To: <sip:carla@help.example>\r\n"));
    world.act(ALICE, Do::HangUp { session: ours, q850: None });
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn a_refer_that_is_refused_leaves_the_session_as_it_was() {
    let mut world = World::pair();
    let (ours, theirs) = world.established();
    world.act(ALICE, Do::Refer { session: ours, refer: to("sip:carla@help.example") });
    world.run_for(50);
    let refer = referral(&world, BOB).refer;
    world.act(BOB, Do::AnswerRefer { session: theirs, refer, status: 603 });
    world.run_for(50);
    assert_eq!(progress(&world, ALICE), [(603, true)]);
    assert_eq!(world.seen("NOTIFY").len(), 0);
    assert_eq!(world.endings(ALICE, ours).len(), 0);
    world.act(BOB, Do::HangUp { session: theirs, q850: None });
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn a_refer_that_nobody_decides_about_is_answered_all_the_same() {
    let mut world = World::pair();
    let (ours, _) = world.established();
    world.act(ALICE, Do::Refer { session: ours, refer: to("sip:carla@help.example") });
    world.run_for(11_000);
    assert_eq!(progress(&world, ALICE), [(500, true)]);
}

#[test]
fn the_final_status_reaches_whoever_hung_up_before_it() {
    let mut world = World::pair();
    let (ours, theirs, refer) = accepted(&mut world);
    world.act(BOB, Do::ReferProgress { session: theirs, refer, status: 180 });
    world.run_for(50);
    let bye = Do::HangUp { session: ours, q850: None };
    world.act(ALICE, bye);
    world.run_for(50);
    assert_eq!(world.ending(BOB, theirs).how, How::PeerHungUp);
    world.act(BOB, Do::ReferProgress { session: theirs, refer, status: 486 });
    world.run_for(50);
    assert!(world.seen("NOTIFY").last().unwrap().ends_with("SIP/2.0 486 Busy Here\r\n"));
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn a_transfer_that_is_never_heard_of_again_ends_with_its_subscription() {
    let mut world = World::pair();
    let (ours, theirs, _) = accepted(&mut world);
    world.run_for(200_000);
    assert_eq!(progress(&world, ALICE).last(), Some(&(408, true)));
    let last = world.seen("NOTIFY").pop().unwrap();
    assert_eq!(header(&last, "Subscription-State"), Some("terminated;reason=timeout"));
    assert_eq!(world.endings(BOB, theirs).len(), 0, "the session itself goes on");
    world.act(ALICE, Do::HangUp { session: ours, q850: None });
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn a_second_refer_of_ours_waits_for_nobody() {
    let mut world = World::pair();
    let (ours, ..) = accepted(&mut world);
    world.act(ALICE, Do::Refer { session: ours, refer: to("sip:dora@help.example") });
    assert_eq!(progress(&world, ALICE).last(), Some(&(491, true)));
}

#[test]
fn transfers_come_through_loss_and_duplicates_with_one_final_status() {
    for seed in 0..40 {
        let mut world = World::of(vec![open_config(ALICE), open_config(BOB)], seed);
        let (ours, theirs) = world.established();
        world.link.loss_permille = 300;
        world.link.duplicate_permille = 200;
        world.act(ALICE, Do::Refer { session: ours, refer: to("sip:carla@help.example") });
        world.run_for(9_000);
        if !world.has(BOB, |event| matches!(event, Event::Referred { .. })) {
            continue;
        }
        let refer = referral(&world, BOB).refer;
        assert_eq!(world.count(BOB, |event| matches!(event, Event::Referred { .. })), 1);
        world.act(BOB, Do::AnswerRefer { session: theirs, refer, status: 202 });
        for status in [180, 180, 603] {
            world.act(BOB, Do::ReferProgress { session: theirs, refer, status });
            world.run_for(8_000);
        }
        world.run_for(200_000);
        let finals = progress(&world, ALICE).iter().filter(|(_, over)| *over).count();
        assert_eq!(finals, 1, "seed {seed}: {:?}", progress(&world, ALICE));
        world.act(ALICE, Do::HangUp { session: ours, q850: None });
        world.run_to_rest();
        world.assert_idle();
    }
}

/// A call of the test's own to Alice, which she has answered: the session, her tag, and the test's phone.
fn called_by_hand(world: &mut World) -> (SessionId, String) {
    world.inject(address(7), ALICE, &invite(address(7), "hand", ""));
    world.run_for(20);
    let session = world.incoming(ALICE);
    world.act(ALICE, Do::Accept { session, sdp: OFFER.to_vec() });
    world.run_for(20);
    let ok = world.take(address(7)).pop().unwrap();
    let tag = header(&ok, "To").unwrap().split(";tag=").nth(1).unwrap().to_owned();
    world.inject(address(7), ALICE, &within("ACK", &tag, 1, ""));
    world.run_for(20);
    (session, tag)
}

fn within(method: &str, tag: &str, cseq: u32, more: &str) -> String {
    let at = address(7);
    let (more, body) = more.split_once("\n\n").unwrap_or((more, ""));
    let more = if more.is_empty() || more.ends_with('\n') { more.to_owned() } else { format!("{more}\n") };
    format!(
        "{method} sip:help@10.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{method}{cseq}\nFrom: <sip:x@y>;tag=f\n\
         To: <sip:help@10.0.0.1>;tag={tag}\nCall-ID: hand\nCSeq: {cseq} {method}\nContact: <sip:x@{at}>\n{more}\
         Max-Forwards: 70\nContent-Length: {}\n\n{body}",
        body.replace('\n', "\r\n").len()
    )
}

fn answered(world: &mut World, text: &str) -> String {
    world.inject(address(7), ALICE, text);
    world.run_for(20);
    world.take(address(7)).pop().unwrap_or_default()
}

#[test]
fn each_wrong_refer_has_its_status() {
    let mut world = World::pair();
    let (_, tag) = called_by_hand(&mut world);
    let rows = [
        ("", "400"),
        ("Refer-To: <sip:a@b>\nRefer-To: <sip:c@d>", "400"),
        ("Refer-To: <sip:a@b;method=BYE>", "400"),
        ("Refer-To: <sip:a@b?Replaces=x>", "400"),
        ("Refer-To: <sip:a@b>\nRequire: siphon", "420"),
    ];
    for (number, (more, status)) in rows.iter().enumerate() {
        let answer = answered(&mut world, &within("REFER", &tag, 10 + number as u32, more));
        assert!(answer.starts_with(&format!("SIP/2.0 {status}")), "{more}: {answer}");
    }
    assert!(!world.has(ALICE, |event| matches!(event, Event::Referred { .. })));
    let stray = answered(&mut world, &within("NOTIFY", &tag, 30, "Event: refer\nSubscription-State: active"));
    assert!(stray.starts_with("SIP/2.0 481"), "{stray}");
    let foreign = answered(&mut world, &within("SUBSCRIBE", &tag, 31, "Event: conference"));
    assert!(foreign.starts_with("SIP/2.0 489"), "{foreign}");
    assert!(foreign.contains("Allow-Events: "));
}

#[test]
fn whoever_wants_no_notify_gets_none() {
    let mut world = World::pair();
    let (session, tag) = called_by_hand(&mut world);
    let more = "Refer-To: <sip:a@b>\nRefer-Sub: false\nRequire: norefersub";
    world.inject(address(7), ALICE, &within("REFER", &tag, 10, more));
    let refer = referral(&world, ALICE).refer;
    world.act(ALICE, Do::AnswerRefer { session, refer, status: 202 });
    world.act(ALICE, Do::ReferProgress { session, refer, status: 200 });
    world.run_for(20);
    let answer = world.take(address(7)).pop().unwrap();
    assert!(answer.starts_with("SIP/2.0 202") && answer.contains("Refer-Sub: false"), "{answer}");
    assert_eq!(world.seen("NOTIFY").len(), 0);
}

#[test]
fn several_refers_of_a_peer_are_told_apart_and_each_can_be_ended_by_it() {
    let mut world = World::pair();
    let (session, tag) = called_by_hand(&mut world);
    for cseq in [10, 11] {
        world.inject(address(7), ALICE, &within("REFER", &tag, cseq, "Refer-To: <sip:a@b>"));
        world.act(ALICE, Do::AnswerRefer { session, refer: cseq, status: 202 });
    }
    world.run_for(20);
    let told = world.take(address(7));
    let notifies: Vec<&String> = told.iter().filter(|text| text.starts_with("NOTIFY")).collect();
    assert_eq!(notifies.len(), 2);
    for notify in notifies {
        world.inject(address(7), ALICE, &answer_to(notify, "200 OK", ""));
    }
    let events: Vec<&str> = told.iter().filter_map(|text| header(text, "Event")).collect();
    assert_eq!(events, ["refer;id=10", "refer;id=11"]);
    let gone = answered(&mut world, &within("SUBSCRIBE", &tag, 12, "Event: refer;id=10\nExpires: 0"));
    assert!(gone.contains("Subscription-State: terminated;reason=timeout"), "{gone}");
    world.inject(address(7), ALICE, &answer_to(&gone, "481 Gone", ""));
    let again = answered(&mut world, &within("SUBSCRIBE", &tag, 13, "Event: refer;id=10\nExpires: 60"));
    assert!(again.starts_with("SIP/2.0 481"), "{again}");
    world.act(ALICE, Do::ReferProgress { session, refer: 11, status: 503 });
    world.run_for(20);
    assert!(world.take(address(7)).pop().unwrap().contains("SIP/2.0 503 Service Unavailable"));
}

#[test]
fn a_refer_outside_of_a_call_is_refused() {
    let mut world = World::pair();
    let text = within("REFER", "", 1, "Refer-To: <sip:a@b>").replace(";tag=\n", "\n");
    let answer = answered(&mut world, &text);
    assert!(answer.starts_with("SIP/2.0 403"), "{answer}");
}

#[test]
fn an_invite_takes_the_place_of_a_session_by_the_rules_of_rfc_3891() {
    let mut world = World::pair();
    let (session, tag) = called_by_hand(&mut world);
    let replaces = |text: &str| format!("Replaces: {text}\n");
    let good = format!("hand;to-tag={tag};from-tag=f");
    let rows = [
        (format!("{good};early-only"), "486"),
        (format!("other;to-tag={tag};from-tag=f"), "481"),
        (format!("hand;to-tag={tag};from-tag=g"), "481"),
        (format!("hand;to-tag={tag}"), "400"),
        (format!("{good}\nReplaces: {good}"), "400"),
    ];
    for (number, (text, status)) in rows.iter().enumerate() {
        let call_id = format!("taker{number}");
        world.inject(address(8), ALICE, &invite(address(8), &call_id, &replaces(text)));
        world.run_for(20);
        let answer = world.take(address(8)).pop().unwrap();
        assert!(answer.starts_with(&format!("SIP/2.0 {status}")), "{text}: {answer}");
    }
    let more = replaces(&good) + "Require: replaces\nReferred-By: <sip:anna@help.example>\n";
    world.inject(address(8), ALICE, &invite(address(8), "taker", &more));
    world.run_for(20);
    let told = world.agents[ALICE].events.iter().rev().find_map(|(_, event)| match event {
        Event::Incoming { invite, .. } => Some((invite.replaces, invite.referred_by.clone())),
        _ => None,
    });
    assert_eq!(told, Some((Some(session), Some("sip:anna@help.example".into()))));
}

#[test]
fn a_session_is_named_as_its_peer_knows_it() {
    let mut world = World::pair();
    let (ours, theirs) = world.established();
    let name: Replaces = world.agents[ALICE].ua.name_of(ours).expect("a name");
    assert_eq!(world.agents[BOB].ua.replaced(&name), Some(theirs));
    assert_eq!(world.agents[ALICE].ua.replaced(&name), Some(ours), "also the wrong way round");
}

#[test]
fn a_challenged_refer_and_a_challenged_notify_are_sent_again_with_credentials() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let peer = address(7);
    let session = world.call_as(ALICE, world.flow(ALICE, 7), Some(account("maria")));
    world.run_for(20);
    let call = world.take(peer).pop().unwrap();
    world.inject(peer, ALICE, &fork(&call, "peer", peer));
    world.run_for(20);
    world.act(ALICE, Do::Refer { session, refer: to("sip:carla@help.example") });
    world.run_for(20);
    let refer = world.take(peer).pop().unwrap();
    let challenge = "WWW-Authenticate: Digest realm=\"pbx\", nonce=\"n1\", qop=\"auth\", algorithm=MD5\n";
    world.inject(peer, ALICE, &answer_to(&refer, "401 Unauthorized", challenge));
    world.run_for(20);
    let again = world.take(peer).pop().unwrap();
    assert!(
        again.starts_with("REFER") && again.contains("Authorization: Digest username=\"maria\""),
        "{again}"
    );
    world.inject(peer, ALICE, &answer_to(&again, "401 Unauthorized", challenge));
    world.run_for(20);
    assert_eq!(progress(&world, ALICE), [(401, true)], "a wrong password is not tried for ever");
}
