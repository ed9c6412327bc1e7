//! Whole calls: the basic flows of RFC 3665 §3, on datagrams and on streams.

use crate::world::*;
use sip::ua::*;

#[test]
fn a_call_is_made_answered_and_hung_up_by_the_caller() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut world = World::pair();
        world.transport = transport;
        let (ours, theirs) = world.established();
        world.act(ALICE, Do::HangUp { session: ours, q850: Some(16) });
        world.run_for(50);
        assert_eq!(world.ending(ALICE, ours).how, How::Ours);
        let ending = world.ending(BOB, theirs);
        assert_eq!((ending.how, ending.q850), (How::PeerHungUp, Some(16)));
        world.run_to_rest();
        world.assert_idle();
        // INVITE, ACK, BYE and 100, 200, 200: nothing is sent twice when nothing is lost.
        assert_eq!(world.sent.len(), 6, "{:#?}", world.sent);
    }
}

#[test]
fn the_callee_hangs_up() {
    let mut world = World::pair();
    let (ours, theirs) = world.established();
    world.act(BOB, Do::HangUp { session: theirs, q850: None });
    world.run_for(50);
    assert_eq!(world.ending(BOB, theirs).how, How::Ours);
    assert_eq!(world.ending(ALICE, ours).how, How::PeerHungUp);
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn an_incoming_call_tells_who_calls_whom_with_which_offer() {
    let mut world = World::pair();
    world.call(ALICE, BOB);
    world.run_for(20);
    let Some((_, Event::Incoming { invite, .. })) = world.agents[BOB].events.first() else { panic!() };
    assert_eq!(invite.peer, Peer::Open);
    assert_eq!((invite.dialled.as_str(), invite.identity.shown().unwrap().user.as_str()), ("help", "caller"));
    assert_eq!(invite.identity.shown().unwrap().display.as_deref(), Some("A \"caller\""));
    assert_eq!(invite.sdp.as_deref(), Some(OFFER));
    assert_eq!(invite.flow.remote, address(ALICE));
    assert_eq!(header(&world.seen("INVITE")[0], "X-Cornetta-Call"), Some("7"));
}

#[test]
fn the_caller_hears_of_the_ringing_and_of_the_answer() {
    let mut world = World::pair();
    let ours = world.call(ALICE, BOB);
    world.run_for(50);
    let theirs = world.incoming(BOB);
    world.act(BOB, Do::ring(theirs));
    world.run_for(50);
    assert!(
        world.has(ALICE, |e| matches!(e, Event::Progress { status: 180, session, .. } if *session == ours))
    );
    world.act(BOB, Do::Accept { session: theirs, sdp: ANSWER.to_vec() });
    world.run_for(50);
    assert!(world.has(ALICE, |e| matches!(e, Event::Answered { sdp: Some(sdp), .. } if sdp == ANSWER)));
    assert!(world.has(BOB, |e| matches!(e, Event::Confirmed { sdp: None, .. })));
}

#[test]
fn a_callee_that_rings_for_minutes_says_so_every_minute() {
    let mut world = World::pair();
    world.call(ALICE, BOB);
    world.run_for(50);
    let theirs = world.incoming(BOB);
    world.act(BOB, Do::ring(theirs));
    world.run_for(185_000);
    assert_eq!(world.sent_by(BOB, "SIP/2.0 180"), 4);
    world.act(BOB, Do::Accept { session: theirs, sdp: ANSWER.to_vec() });
    world.run_for(50);
    assert!(world.has(BOB, |e| matches!(e, Event::Confirmed { .. })));
}

#[test]
fn a_refusal_carries_its_status_and_its_cause() {
    let mut world = World::pair();
    let ours = world.call(ALICE, BOB);
    world.run_for(50);
    let theirs = world.incoming(BOB);
    world.act(BOB, Do::Refuse { session: theirs, status: 486, q850: Some(17), warning: None });
    world.run_for(50);
    let ending = world.ending(ALICE, ours);
    assert_eq!((ending.how, ending.status, ending.q850), (How::PeerRefused, Some(486), Some(17)));
    assert_eq!(ending.detail, "486 Busy Here");
    let ending = world.ending(BOB, theirs);
    assert_eq!((ending.how, ending.status), (How::Ours, Some(486)));
    assert_eq!(world.sent_by(ALICE, "ACK"), 1);
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn a_refusal_by_408_means_that_nobody_answered() {
    let mut world = World::pair();
    let ours = world.call(ALICE, BOB);
    world.run_for(50);
    let theirs = world.incoming(BOB);
    world.act(BOB, Do::Refuse { session: theirs, status: 408, q850: None, warning: None });
    world.run_for(50);
    assert_eq!(world.ending(ALICE, ours).how, How::NoAnswer);
}

#[test]
fn a_callee_that_is_not_there_times_out_after_64_t1() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let ours = world.call(ALICE, BOB);
    world.run_for(31_990);
    assert!(world.endings(ALICE, ours).is_empty());
    world.run_for(20);
    assert_eq!(world.ending(ALICE, ours).how, How::PeerTimeout);
    // RFC 3261 §17.1.1.2: at 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s.
    assert_eq!(world.sent_by(ALICE, "INVITE"), 7);
    world.run_for(32_000);
    world.assert_idle();
}

#[test]
fn a_connection_that_cannot_be_opened_ends_the_call_at_once() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    world.transport = Transport::Tcp;
    let ours = world.call(ALICE, BOB);
    let flow = world.flow(ALICE, BOB);
    world.agents[ALICE].ua.handle(world.now, Input::FlowFailed { flow });
    world.drain(ALICE);
    assert_eq!(world.ending(ALICE, ours).how, How::FlowFailed);
    world.assert_idle();
}

#[test]
fn a_caller_whose_connection_breaks_before_the_answer_is_gone() {
    let mut world = World::pair();
    world.transport = Transport::Tcp;
    world.call(ALICE, BOB);
    world.run_for(50);
    let theirs = world.incoming(BOB);
    let flow = world.flow(BOB, ALICE);
    world.agents[BOB].ua.handle(world.now, Input::FlowFailed { flow });
    world.drain(BOB);
    assert_eq!(world.ending(BOB, theirs).how, How::FlowFailed);
    assert!(world.agents[BOB].ua.is_idle());
}

#[test]
fn an_offerless_invite_is_answered_with_an_offer_and_the_ack_holds_the_answer() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let peer = address(7);
    world.inject(peer, ALICE, &invite(peer, "offerless", ""));
    let session = world.incoming(ALICE);
    assert!(world.has(ALICE, |e| matches!(e, Event::Incoming { invite, .. } if invite.sdp.is_none())));
    world.act(ALICE, Do::Accept { session, sdp: OFFER.to_vec() });
    world.run_for(20);
    let ok = world.take(peer).pop().unwrap();
    assert!(ok.starts_with("SIP/2.0 200") && ok.ends_with("RTP/AVP 8\r\n"), "{ok}");
    let body = String::from_utf8(ANSWER.to_vec()).unwrap();
    let ack = format!(
        "ACK sip:help@10.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP {peer};branch=z9hG4bKack\nFrom: <sip:x@y>;tag=f\n\
         To: {}\nCall-ID: offerless\nCSeq: 1 ACK\nContent-Type: application/sdp\nContent-Length: {}\n\n{body}",
        header(&ok, "To").unwrap(),
        body.len()
    );
    world.inject(peer, ALICE, &ack);
    assert!(world.has(ALICE, |e| matches!(e, Event::Confirmed { sdp: Some(sdp), .. } if sdp == ANSWER)));
}

#[test]
fn record_routes_are_followed_by_the_callee_in_order_and_loosely() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let (proxy, other) = (address(7), address(8));
    let routes = format!("Record-Route: <sip:{proxy};lr>, <sip:{other};lr>\n");
    world.inject(proxy, ALICE, &invite(proxy, "routed", &routes));
    let session = world.incoming(ALICE);
    world.act(ALICE, Do::Accept { session, sdp: ANSWER.to_vec() });
    world.run_for(20);
    let ok = world.take(proxy).pop().unwrap();
    assert_eq!(header(&ok, "Record-Route").unwrap(), routes.trim_end().trim_start_matches("Record-Route: "));
    let ack = format!(
        "ACK sip:help@10.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP {proxy};branch=z9hG4bKack\nFrom: <sip:x@y>;tag=f\n\
         To: {}\nCall-ID: routed\nCSeq: 1 ACK\nContent-Length: 0\n\n",
        header(&ok, "To").unwrap()
    );
    world.inject(proxy, ALICE, &ack);
    world.act(ALICE, Do::HangUp { session, q850: None });
    world.run_for(20);
    let bye = world.take(proxy).pop().unwrap();
    assert!(bye.starts_with(&format!("BYE sip:x@{proxy} SIP/2.0")), "{bye}");
    let routes: Vec<&str> = bye.lines().filter(|line| line.starts_with("Route: ")).collect();
    assert_eq!(routes, [format!("Route: <sip:{proxy};lr>"), format!("Route: <sip:{other};lr>")]);
}

#[test]
fn a_strict_router_stands_in_the_request_uri() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let proxy = address(7);
    world.inject(proxy, ALICE, &invite(proxy, "strict", &format!("Record-Route: <sip:{proxy}>\n")));
    let session = world.incoming(ALICE);
    world.act(ALICE, Do::Accept { session, sdp: ANSWER.to_vec() });
    world.run_for(33_000);
    let bye = world.take(proxy).into_iter().rfind(|message| message.starts_with("BYE")).unwrap();
    assert!(bye.starts_with(&format!("BYE sip:{proxy} SIP/2.0")), "{bye}");
    assert_eq!(header(&bye, "Route"), Some(format!("<sip:x@{proxy}>").as_str()));
}

#[test]
fn a_ring_that_lasts_too_long_is_cancelled() {
    let mut world = World::pair();
    let ours = world.call(ALICE, BOB);
    world.run_for(50);
    let theirs = world.incoming(BOB);
    world.act(BOB, Do::ring(theirs));
    world.run_for(601_000);
    assert_eq!(world.ending(ALICE, ours).how, How::NoAnswer);
    assert_eq!(world.ending(BOB, theirs).how, How::PeerCancelled);
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn as_many_calls_as_allowed_and_the_next_gets_503() {
    let mut config = open_config(BOB);
    config.limits.sessions = 2;
    let mut world = World::of(vec![open_config(ALICE), config], 1);
    let calls = [world.call(ALICE, BOB), world.call(ALICE, BOB), world.call(ALICE, BOB)];
    world.run_for(50);
    let ending = world.ending(ALICE, calls[2]);
    assert_eq!((ending.how, ending.status), (How::PeerRefused, Some(503)));
    assert!(world.has(BOB, |e| matches!(e, Event::Blocked { rule: "capacity", .. })));
    assert_eq!(world.agents[BOB].ua.reserve(), None);
    assert_eq!(world.agents[BOB].ua.load().sessions, 2);
}

#[test]
fn a_call_without_room_for_its_transaction_ends_for_capacity() {
    let mut config = open_config(ALICE);
    config.limits.transactions = 0;
    let mut world = World::of(vec![config], 1);
    let ours = world.call(ALICE, BOB);
    assert_eq!(world.ending(ALICE, ours).how, How::Capacity);
    assert!(world.agents[ALICE].ua.is_idle());
}

#[test]
fn a_reserved_place_is_given_back_by_hanging_up() {
    let mut world = World::pair();
    let session = world.agents[ALICE].ua.reserve().unwrap();
    world.act(ALICE, Do::HangUp { session, q850: None });
    assert_eq!(world.ending(ALICE, session).how, How::Ours);
    world.assert_idle();
}

#[test]
fn a_caller_follows_record_routes_in_reverse_and_keeps_early_media() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let session = world.call(ALICE, BOB);
    world.run_for(20);
    let sent = world.take(address(BOB)).pop().unwrap();
    let (near, far) = (address(7), address(8));
    let early = answer_to(&sent, "183 Session Progress", "Content-Type: application/sdp\n");
    world.inject(address(BOB), ALICE, &early.replace("Content-Length: 0\n\n", "Content-Length: 4\n\nv=0\n"));
    assert!(world.has(ALICE, |e| matches!(e, Event::Progress { status: 183, sdp: Some(_), .. })));
    let routes =
        format!("Contact: <sip:x@{far}>\nRecord-Route: <sip:{far};lr>\nRecord-Route: <sip:{near};lr>\n");
    world.inject(address(BOB), ALICE, &answer_to(&sent, "200 OK", &routes));
    assert!(
        world.has(ALICE, |e| matches!(e, Event::Answered { sdp: Some(sdp), .. } if sdp.starts_with(b"v=0")))
    );
    world.act(ALICE, Do::HangUp { session, q850: None });
    world.run_for(20);
    let followed = world.take(near);
    assert_eq!(followed.len(), 2, "ACK and BYE go to the nearest proxy");
    for message in followed {
        let routes: Vec<&str> = message.lines().filter(|line| line.starts_with("Route: ")).collect();
        assert_eq!(
            routes,
            [format!("Route: <sip:{near};lr>"), format!("Route: <sip:{far};lr>")],
            "{message}"
        );
    }
    assert_eq!((world.sent_by(ALICE, "ACK"), world.sent_by(ALICE, "BYE")), (1, 1));
}

#[test]
fn challenges_are_answered_within_a_dialog_too() {
    let challenge = "Proxy-Authenticate: Digest realm=\"op\", nonce=\"n\", qop=\"auth\"\n";
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let flow = world.flow(ALICE, BOB);
    let session = world.call_as(ALICE, flow, Some(account("line1")));
    let answered = |world: &mut World, status: &str, more: &str| {
        world.run_for(20);
        let sent = world.take(address(BOB)).pop().unwrap();
        world.inject(address(BOB), ALICE, &answer_to(&sent, status, more));
        sent
    };
    let contact = "Contact: <sip:x@10.0.0.2>\n";
    answered(&mut world, "407 Proxy Authentication Required", challenge);
    answered(&mut world, "200 OK", contact);
    world.act(ALICE, Do::Reoffer { session, sdp: OFFER.to_vec() });
    answered(&mut world, "407 Proxy Authentication Required", challenge);
    let again = answered(&mut world, "488 Not Acceptable Here", "");
    assert!(again.starts_with("INVITE") && header(&again, "Proxy-Authorization").is_some(), "{again}");
    assert!(world.has(ALICE, |e| matches!(e, Event::ReofferRefused { status: 488, .. })));
    world.act(ALICE, Do::Reoffer { session, sdp: OFFER.to_vec() });
    answered(&mut world, "407 Proxy Authentication Required", challenge);
    let again = answered(&mut world, "200 OK", contact);
    world.run_for(20);
    let ack = world.take(address(BOB)).pop().unwrap();
    assert!(ack.starts_with("ACK"), "{ack}");
    assert_eq!(
        header(&ack, "Proxy-Authorization"),
        header(&again, "Proxy-Authorization"),
        "RFC 3261 §13.2.2.4"
    );
    world.act(ALICE, Do::HangUp { session, q850: None });
    let bye = answered(&mut world, "407 Proxy Authentication Required", challenge);
    assert!(bye.starts_with("BYE") && header(&bye, "Proxy-Authorization").is_none(), "{bye}");
    let again = answered(&mut world, "200 OK", "");
    assert!(again.starts_with("BYE") && header(&again, "Proxy-Authorization").is_some(), "{again}");
    assert_eq!(world.agents[ALICE].ua.load().sessions, 0);
}

#[test]
fn the_call_id_of_a_call_is_known_before_it_is_made_and_on_both_sides() {
    let mut world = World::pair();
    let reserved = world.agents[ALICE].ua.reserve().unwrap();
    let told = world.agents[ALICE].ua.call_id(reserved).unwrap();
    world.act(ALICE, Do::HangUp { session: reserved, q850: None });
    assert_eq!(world.agents[ALICE].ua.call_id(reserved), None);
    let (ours, theirs) = world.established();
    let call_id = header(&world.seen("INVITE")[0], "Call-ID").map(str::to_owned);
    assert_eq!(world.agents[ALICE].ua.call_id(ours), call_id);
    assert_eq!(world.agents[BOB].ua.call_id(theirs), call_id);
    assert_ne!(call_id, Some(told), "a place that is used again gives another Call-ID");
}

/// RFC 3261 §12.1.1: by the request URI, or the nearest proxy, or the caller's Contact where there is no proxy.
#[test]
fn a_call_that_is_to_go_by_tls_gets_a_sips_contact() {
    let plain = invite(address(7), "tls", "");
    let routed = |scheme: &str| {
        plain.replace("Contact: <sip:", &format!("Record-Route: <{scheme}:10.0.0.8;lr>\nContact: <sips:"))
    };
    let cases = [
        (plain.clone(), "<sip:"),
        (plain.replace("INVITE sip:", "INVITE sips:"), "<sips:"),
        (plain.replace("Contact: <sip:", "Contact: <SIPS:"), "<sips:"),
        (routed("sips"), "<sips:"),
        (routed("sip"), "<sip:"),
    ];
    for (text, begins) in cases {
        let mut world = World::of(vec![open_config(ALICE)], 1);
        world.inject(address(7), ALICE, &text);
        let session = world.incoming(ALICE);
        world.act(ALICE, Do::ring(session));
        world.act(ALICE, Do::Accept { session, sdp: ANSWER.to_vec() });
        world.run_for(20);
        for answer in world.take(address(7)).iter().filter(|answer| !answer.starts_with("SIP/2.0 100")) {
            assert!(header(answer, "Contact").unwrap().starts_with(begins), "{text}{answer}");
        }
    }
}

#[test]
fn an_invite_that_expires_before_its_answer_gets_487() {
    let begin = |expires: &str| {
        let mut world = World::of(vec![open_config(ALICE)], 1);
        world.inject(address(7), ALICE, &invite(address(7), "expires", &format!("Expires: {expires}\n")));
        let session = world.incoming(ALICE);
        world.act(ALICE, Do::ring(session));
        (world, session)
    };
    let (mut world, session) = begin("90");
    world.run_for(89_900);
    assert!(!world.take(address(7)).iter().any(|sent| sent.starts_with("SIP/2.0 4")));
    world.run_for(200);
    let last = world.take(address(7)).remove(0);
    assert!(last.starts_with("SIP/2.0 487"), "{last}");
    let ending = world.ending(ALICE, session);
    assert_eq!((ending.how, ending.status), (How::PeerCancelled, Some(487)));
    assert!(ending.detail.contains("90 s"), "{}", ending.detail);

    let (mut world, session) = begin("2");
    world.act(ALICE, Do::Accept { session, sdp: ANSWER.to_vec() });
    world.run_for(5_000);
    assert!(
        !world.take(address(7)).iter().any(|sent| sent.starts_with("SIP/2.0 4")),
        "it was answered in time"
    );
    let (mut world, session) = begin("4294967296");
    world.run_for(170_000);
    assert!(!world.has(ALICE, |e| matches!(e, Event::Ended { .. })));
    world.act(ALICE, Do::HangUp { session, q850: None });
}
