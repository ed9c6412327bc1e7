//! Requests in a dialog whose next hop is a name: to where name servers say that it is, without waiting for them
//! (RFC 3263 §4, RFC 3261 §12.2.1.1).

use crate::world::*;
use sip::locate::{Answer, Query, Record};
use sip::ua::*;
use std::net::SocketAddr;
use std::time::Duration;

const PEER: usize = 6;
const THERE: usize = 7;
const OTHER: usize = 8;

/// What name servers say: of all else, that there is nothing.
type Zone<'a> = &'a [(&'a str, Vec<Record>)];

fn at(numbers: &[usize]) -> Vec<Record> {
    numbers.iter().map(|number| Record::Address { ip: address(*number).ip(), local: None }).collect()
}

fn srv(target: &str, port: u16) -> Vec<Record> {
    vec![Record::Srv { priority: 0, weight: 0, port, target: target.to_owned() }]
}

/// Answers all that is asked, and what is asked for that. Gives the questions.
fn answers(world: &mut World, zone: Zone<'_>) -> Vec<String> {
    let mut asked = Vec::new();
    while let Some(query) = world.asked.pop() {
        asked.push(query.to_string());
        let records =
            zone.iter().find(|(name, _)| *name == query.to_string()).map(|(_, found)| found.clone());
        let ttl = Duration::from_secs(600);
        let answer = records.map_or(Answer::Nothing { ttl }, |records| Answer::Found { records, ttl });
        resolved(world, query, answer);
    }
    asked
}

fn resolved(world: &mut World, query: Query, answer: Answer) {
    world.agents[ALICE].ua.handle(world.now, Input::Resolved { query, answer });
    world.drain(ALICE);
}

/// The peer's INVITE with this Contact, and more.
fn invite_with(contact: &str, more: &str) -> String {
    let invite = invite(address(PEER), "named", more);
    let own = format!("Contact: <sip:x@{}>", address(PEER));
    with_body(&invite.replace(&own, &format!("Contact: <{contact}>")), OFFER)
}

/// The peer has called with this Contact, and more; the call is answered.
fn called(contact: &str, more: &str, zone: Zone<'_>) -> (World, SessionId) {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    world.inject(address(PEER), ALICE, &invite_with(contact, more));
    answers(&mut world, zone);
    let session = world.incoming(ALICE);
    answered(&mut world, session);
    (world, session)
}

fn answered(world: &mut World, session: SessionId) {
    world.act(ALICE, Do::Accept { session, sdp: ANSWER.to_vec() });
    world.run_for(20);
    let ok = world.take(address(PEER)).pop().unwrap();
    assert!(ok.starts_with("SIP/2.0 200"), "{ok}");
    world.inject(address(PEER), ALICE, &request_in(&ok, "ACK", 1, ""));
    world.run_for(20);
}

/// We hang up; where BYE goes, and to which request URI.
fn bye(world: &mut World, session: SessionId) -> (SocketAddr, Transport, String) {
    world.act(ALICE, Do::HangUp { session, q850: None });
    world.run_for(20);
    let sent = world.sent.iter().rev().find(|packet| packet.bytes.starts_with(b"BYE ")).unwrap();
    let text = String::from_utf8_lossy(&sent.bytes);
    (sent.to, sent.transport, text.split(' ').nth(1).unwrap().to_owned())
}

#[test]
fn a_contact_that_is_a_name_is_located_and_the_request_uri_stays_the_name() {
    let zone = [("A gw.peer.example", at(&[THERE]))];
    let (mut world, session) = called("sip:x@gw.peer.example:5070", "", &zone);
    let to = SocketAddr::new(address(THERE).ip(), 5070);
    assert_eq!(bye(&mut world, session), (to, Transport::Udp, "sip:x@gw.peer.example:5070".to_owned()));
}

#[test]
fn a_name_is_asked_for_step_by_step_while_nothing_else_happens() {
    let zone =
        [("SRV _sip._tcp.peer.example", srv("a.peer.example", 5090)), ("A a.peer.example", at(&[THERE]))];
    let (mut world, session) = called("sip:x@peer.example;transport=tcp", "", &zone);
    let to = SocketAddr::new(address(THERE).ip(), 5090);
    assert_eq!(bye(&mut world, session), (to, Transport::Tcp, "sip:x@peer.example;transport=tcp".to_owned()));
}

#[test]
fn the_first_route_goes_before_the_contact() {
    let route = "Record-Route: <sip:proxy.example:5060;lr>\n";
    let zone = [("A proxy.example", at(&[OTHER])), ("A gw.peer.example", at(&[THERE]))];
    let (mut world, session) = called("sip:x@gw.peer.example:5070", route, &zone);
    let sent = bye(&mut world, session);
    assert_eq!(sent, (address(OTHER), Transport::Udp, "sip:x@gw.peer.example:5070".to_owned()));
}

#[test]
fn of_several_servers_the_one_that_called_goes_on() {
    for seed in 0..8 {
        let zone = [("A gw.peer.example", at(&[THERE, PEER, OTHER]))];
        let mut world = World::of(vec![open_config(ALICE)], seed);
        world.inject(address(PEER), ALICE, &invite_with("sip:x@gw.peer.example:5060", ""));
        answers(&mut world, &zone);
        let session = world.incoming(ALICE);
        answered(&mut world, session);
        assert_eq!(bye(&mut world, session).0, address(PEER));
    }
}

#[test]
fn all_requests_of_a_dialog_go_to_one_server_of_a_name() {
    for seed in 0..16 {
        let zone = [("A gw.peer.example", at(&[THERE, OTHER]))];
        let mut world = World::of(vec![open_config(ALICE)], seed);
        world.inject(address(PEER), ALICE, &invite_with("sip:x@gw.peer.example:5060", ""));
        answers(&mut world, &zone);
        let session = world.incoming(ALICE);
        answered(&mut world, session);
        world.act(ALICE, Do::Reoffer { session, sdp: OFFER.to_vec() });
        world.run_for(20);
        let first = world.sent.iter().rev().find(|packet| packet.bytes.starts_with(b"INVITE ")).unwrap().to;
        assert_eq!(bye(&mut world, session).0, first);
    }
}

#[test]
fn without_an_answer_in_time_requests_go_to_where_the_calls_messages_come_from() {
    let contact = "sip:x@gw.peer.example:5070";
    let mut world = World::of(vec![open_config(ALICE)], 1);
    world.inject(address(PEER), ALICE, &invite_with(contact, ""));
    assert_eq!(world.asked.len(), 1, "{:?}", world.asked);
    let session = world.incoming(ALICE);
    answered(&mut world, session);
    assert_eq!(bye(&mut world, session).0, address(PEER), "while nobody has answered");

    for answer in [Answer::Failed, Answer::Nothing { ttl: Duration::from_secs(60) }] {
        let mut world = World::of(vec![open_config(ALICE)], 1);
        world.inject(address(PEER), ALICE, &invite_with(contact, ""));
        let query = world.asked.pop().unwrap();
        resolved(&mut world, query, answer);
        let session = world.incoming(ALICE);
        answered(&mut world, session);
        assert_eq!(bye(&mut world, session).0, address(PEER), "nobody knows the name");
    }
}

#[test]
fn who_is_behind_a_nat_is_not_looked_for_elsewhere() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let inside = format!("Via: SIP/2.0/UDP {}", address(PEER));
    let text = invite_with("sip:x@gw.peer.example:5070", "")
        .replace(&inside, "Via: SIP/2.0/UDP 192.168.1.5:5060;rport");
    world.inject(address(PEER), ALICE, &text);
    assert_eq!(answers(&mut world, &[("A gw.peer.example", at(&[THERE]))]), Vec::<String>::new());
    let session = world.incoming(ALICE);
    answered(&mut world, session);
    assert_eq!(bye(&mut world, session).0, address(PEER));
}

#[test]
fn a_name_that_leads_to_the_wrong_side_of_a_nat_is_not_followed() {
    let mut config = open_config(ALICE);
    config.open_to.push("203.0.113.0/24".parse().unwrap());
    let mut world = World::of(vec![config], 1);
    let public = SocketAddr::from(([203, 0, 113, 5], 5060));
    let text = invite_with("sip:x@gw.peer.example:5070", "")
        .replace(&address(PEER).to_string(), &public.to_string());
    world.inject(public, ALICE, &text);
    answers(&mut world, &[("A gw.peer.example", at(&[THERE]))]);
    let session = world.incoming(ALICE);
    world.act(ALICE, Do::Accept { session, sdp: ANSWER.to_vec() });
    world.run_for(20);
    let ok = world.take(public).pop().unwrap();
    world.inject(public, ALICE, &request_in(&ok, "ACK", 1, ""));
    assert_eq!(bye(&mut world, session).0, public);
}

#[test]
fn a_name_is_looked_for_when_the_peers_connection_breaks_and_not_before() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let text =
        invite_with("sip:x@gw.peer.example:5070;transport=tcp", "").replace("SIP/2.0/UDP", "SIP/2.0/TCP");
    let flow = Flow { transport: Transport::Tcp, local: address(ALICE), remote: address(PEER) };
    let zone = [("A gw.peer.example", at(&[THERE]))];
    world.agents[ALICE]
        .ua
        .handle(world.now, Input::Received { flow, bytes: text.replace('\n', "\r\n").into_bytes() });
    world.drain(ALICE);
    let session = world.incoming(ALICE);
    world.act(ALICE, Do::Accept { session, sdp: ANSWER.to_vec() });
    world.run_for(20);
    let ok = world.take(address(PEER)).pop().unwrap();
    let ack = request_in(&ok, "ACK", 1, "").replace('\n', "\r\n").into_bytes();
    world.agents[ALICE].ua.handle(world.now, Input::Received { flow, bytes: ack });
    world.drain(ALICE);
    assert_eq!(answers(&mut world, &zone), Vec::<String>::new());
    world.agents[ALICE].ua.handle(world.now, Input::FlowFailed { flow });
    world.drain(ALICE);
    assert_eq!(answers(&mut world, &zone), ["A gw.peer.example"]);
    let to = SocketAddr::new(address(THERE).ip(), 5070);
    let (sent, transport, _) = bye(&mut world, session);
    assert_eq!((sent, transport), (to, Transport::Tcp));
}

#[test]
fn whom_we_call_is_located_by_the_contact_of_its_answer() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let flow = world.flow(ALICE, PEER);
    let session = world.call_as(ALICE, flow, None);
    world.run_for(20);
    let sent = world.take(address(PEER)).pop().unwrap();
    let ok = answer_to(&sent, "200 OK", "Contact: <sip:x@gw.peer.example:5070>\n");
    world.inject(address(PEER), ALICE, &with_body(&ok, ANSWER));
    answers(&mut world, &[("A gw.peer.example", at(&[THERE]))]);
    let to = SocketAddr::new(address(THERE).ip(), 5070);
    assert_eq!(bye(&mut world, session).0, to);
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn a_peers_name_says_nothing_of_whose_certificate_is_asked_for() {
    for contact in ["sip:x@gw.peer.example:5061;transport=tls", "sips:x@gw.peer.example:5061"] {
        let zone = [("A gw.peer.example", at(&[THERE]))];
        let (mut world, session) = called(contact, "", &zone);
        assert_eq!(bye(&mut world, session).0, address(PEER));
        assert!(world.expected.is_empty(), "{:?}", world.expected);
    }
}

#[test]
fn where_a_name_leads_to_nobody_requests_go_back_to_where_messages_come_from() {
    let zone = [("A gw.peer.example", at(&[THERE]))];
    let (mut world, session) = called("sip:x@gw.peer.example:5070", "", &zone);
    world.act(ALICE, Do::Reoffer { session, sdp: OFFER.to_vec() });
    world.run_for(40_000);
    let told = world.take(address(PEER));
    let offer = told.iter().find(|message| message.starts_with("INVITE ")).expect("the offer once more");
    world.inject(address(PEER), ALICE, &with_body(&answer_to(offer, "200 OK", ""), ANSWER));
    world.run_for(20);
    assert!(world.has(ALICE, |event| matches!(event, Event::Reanswered { .. })), "the call goes on");
    assert_eq!(bye(&mut world, session).0, address(PEER), "and the name is given up");

    let (mut world, session) = called("sip:x@gw.peer.example:5070", "", &zone);
    assert_ne!(bye(&mut world, session).0, address(PEER));
    world.run_for(33_000);
    let told = world.take(address(PEER));
    let bye = told.iter().find(|message| message.starts_with("BYE ")).expect("a BYE where the peer is");
    world.inject(address(PEER), ALICE, &answer_to(bye, "200 OK", ""));
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn who_spoke_by_tls_is_not_looked_for_in_the_clear() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let text = invite_with("sip:x@gw.peer.example:5070", "").replace("SIP/2.0/UDP", "SIP/2.0/TLS");
    let flow = Flow { transport: Transport::Tls, local: address(ALICE), remote: address(PEER) };
    let receive = |world: &mut World, text: &str| {
        let bytes = text.replace('\n', "\r\n").into_bytes();
        world.agents[ALICE].ua.handle(world.now, Input::Received { flow, bytes });
        world.drain(ALICE);
    };
    receive(&mut world, &text);
    let session = world.incoming(ALICE);
    world.act(ALICE, Do::Accept { session, sdp: ANSWER.to_vec() });
    world.run_for(20);
    let ok = world.take(address(PEER)).pop().unwrap();
    receive(&mut world, &request_in(&ok, "ACK", 1, ""));
    world.agents[ALICE].ua.handle(world.now, Input::FlowFailed { flow });
    world.drain(ALICE);
    assert_eq!(answers(&mut world, &[("A gw.peer.example", at(&[THERE]))]), Vec::<String>::new());
    let (to, transport, _) = bye(&mut world, session);
    assert_eq!((to, transport), (address(PEER), Transport::Tls));
}
