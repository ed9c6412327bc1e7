//! The call flows of RFC 3665, each by its section; the peers' messages are written here by hand.
//!
//! Our user agent takes the part of Bob where a call comes in and that of Alice where one goes out. Where proxies
//! stand between, the test plays them. What the RFC has a proxy do among its own hops is no concern of ours.

use crate::accounts::{device, registrar};
use crate::world::*;
use sip::ua::*;

/// The nearest proxy, the one behind it, and the other party.
const NEAR: usize = 6;
const FAR: usize = 7;
const PARTY: usize = 8;

/// What the other party's side sends to us, hop by hop from the nearest: its top lines, and what else it says.
struct Hops {
    vias: String,
    routes: String,
}

fn direct() -> Hops {
    hops(&[PARTY], false)
}

fn proxied() -> Hops {
    hops(&[NEAR, FAR, PARTY], true)
}

fn hops(those: &[usize], record_route: bool) -> Hops {
    let via = |at: &usize| format!("Via: SIP/2.0/UDP {};branch=z9hG4bKBRANCH{at}\n", address(*at));
    let route = |at: &usize| format!("Record-Route: <sip:{};lr>\n", address(*at));
    let recorded = those.iter().filter(|at| record_route && **at != PARTY);
    Hops { vias: those.iter().map(via).collect(), routes: recorded.map(route).collect() }
}

impl Hops {
    fn invite(&self, more: &str) -> String {
        format!(
            "INVITE sip:help@10.0.0.1 SIP/2.0\n{}{}Max-Forwards: 69\nFrom: Alice <sip:alice@atlanta.example>;tag=9fxced\n\
             To: <sip:help@10.0.0.1>\nCall-ID: flow\nCSeq: 1 INVITE\nContact: <sip:alice@{}>\n{more}Content-Length: 0\n\n",
            self.vias.replace("BRANCH", "invite"),
            self.routes,
            address(PARTY),
        )
    }

    /// A request in the dialog, or about the INVITE, that this answer of ours belongs to.
    fn request(&self, answer: &str, method: &str, cseq: u32) -> String {
        let branch = if method == "CANCEL" { "invite".to_owned() } else { format!("{method}{cseq}") };
        let to = if method == "CANCEL" { "<sip:help@10.0.0.1>" } else { header(answer, "To").unwrap() };
        format!(
            "{method} sip:help@10.0.0.1 SIP/2.0\n{}Max-Forwards: 69\nFrom: Alice <sip:alice@atlanta.example>;tag=9fxced\n\
             To: {to}\nCall-ID: flow\nCSeq: {cseq} {method}\nContact: <sip:alice@{}>\nContent-Length: 0\n\n",
            self.vias.replace("BRANCH", &branch),
            address(PARTY),
        )
    }

    /// The ACK of a refusal goes hop by hop: from the nearest, in the INVITE's transaction.
    fn ack_of_refusal(&self, answer: &str) -> String {
        self.request(answer, "ACK", 1).replace("z9hG4bKACK1", "z9hG4bKinvite")
    }
}

/// Our user agent as Bob.
fn bob() -> World {
    World::of(vec![open_config(ALICE)], 1)
}

/// Our user agent as Alice, who has called by `at`: her INVITE, as it arrived there.
fn alice_calls(at: usize) -> (World, SessionId, String) {
    let mut world = bob();
    let flow = world.flow(ALICE, at);
    let session = world.call_as(ALICE, flow, Some(account("alice")));
    let invite = sent_to(&mut world, at);
    (world, session, invite)
}

/// The last message that came to this place.
fn sent_to(world: &mut World, at: usize) -> String {
    world.run_for(20);
    world.take(address(at)).pop().expect("a message")
}

fn says(world: &mut World, at: usize, text: &str) {
    world.inject(address(at), ALICE, text);
}

fn lines<'a>(message: &'a str, name: &str) -> Vec<&'a str> {
    message.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).collect()
}

fn first_line(message: &str) -> &str {
    message.lines().next().unwrap_or_default()
}

/// Nothing is left, and the call ended so on our side.
fn ends(world: &mut World, session: SessionId, how: How, status: Option<u16>) {
    let ending = world.ending(ALICE, session);
    assert_eq!((ending.how, ending.status), (how, status));
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn section_2_1_a_new_registration_is_challenged_and_then_taken() {
    let mut world = registrar();
    let mut bob = device(7, "maria");
    let contact = bob.contact("");
    let ok = bob.registers(&mut world, &contact);
    assert_eq!(first_line(&ok), "SIP/2.0 200 OK");
    assert_eq!(header(&ok, "Contact"), Some("<sip:maria@10.0.0.8:5060>;expires=3600"));
    assert!(header(&ok, "To").unwrap().contains(";tag="), "{ok}");
}

#[test]
fn section_2_2_an_update_of_the_contact_list_is_told_with_the_whole_list() {
    let mut world = registrar();
    let mut bob = device(7, "maria");
    let first = bob.contact("");
    bob.registers(&mut world, &first);
    let ok = bob.registers(&mut world, "Contact: <sip:desk@10.0.0.8:5060>;expires=1800\n");
    let told = lines(&ok, "Contact");
    assert_eq!(told.len(), 2, "{ok}");
    assert!(told.contains(&"<sip:desk@10.0.0.8:5060>;expires=1800"), "{ok}");
}

#[test]
fn section_2_3_a_request_for_the_current_contact_list_changes_nothing() {
    let mut world = registrar();
    let mut bob = device(7, "maria");
    let contact = bob.contact("");
    bob.registers(&mut world, &contact);
    world.run_for(1_000_000);
    let ok = bob.registers(&mut world, "");
    assert_eq!(lines(&ok, "Contact"), ["<sip:maria@10.0.0.8:5060>;expires=2600"], "the time that is left");
}

#[test]
fn section_2_4_a_cancelled_registration_leaves_no_contact() {
    let mut world = registrar();
    let mut bob = device(7, "maria");
    let contact = bob.contact("");
    bob.registers(&mut world, &contact);
    let ok = bob.registers(&mut world, "Contact: *\nExpires: 0\n");
    assert_eq!((first_line(&ok), lines(&ok, "Contact").len()), ("SIP/2.0 200 OK", 0));
    assert!(world.has(ALICE, |e| matches!(e, Event::Unregistered { why: Gone::ByDevice, .. })));
}

#[test]
fn section_2_5_a_registration_with_wrong_credentials_is_challenged_again() {
    let mut world = registrar();
    let mut bob = device(7, "maria");
    bob.knows("a wrong password");
    let contact = bob.contact("");
    let refused = bob.registers(&mut world, &contact);
    assert_eq!(first_line(&refused), "SIP/2.0 401 Unauthorized");
    assert!(header(&refused, "WWW-Authenticate").is_some());
    assert!(world.agents[ALICE].ua.contacts("maria").is_empty());
}

#[test]
fn section_3_1_a_session_is_established_and_ended_by_either_side() {
    for (hops, we_end) in [(direct(), true), (direct(), false)] {
        let mut world = bob();
        says(&mut world, PARTY, &with_body(&hops.invite(""), OFFER));
        let session = world.incoming(ALICE);
        assert_eq!(first_line(&sent_to(&mut world, PARTY)), "SIP/2.0 100 Trying");
        world.act(ALICE, Do::ring(session));
        assert_eq!(first_line(&sent_to(&mut world, PARTY)), "SIP/2.0 180 Ringing");
        world.act(ALICE, Do::Accept { session, sdp: ANSWER.to_vec() });
        let ok = sent_to(&mut world, PARTY);
        says(&mut world, PARTY, &hops.request(&ok, "ACK", 1));
        assert!(world.has(ALICE, |e| matches!(e, Event::Confirmed { .. })));
        if we_end {
            world.act(ALICE, Do::HangUp { session, q850: None });
            let bye = sent_to(&mut world, PARTY);
            assert_eq!(first_line(&bye), "BYE sip:alice@10.0.0.9:5060 SIP/2.0");
            says(&mut world, PARTY, &answer_to(&bye, "200 OK", ""));
            ends(&mut world, session, How::Ours, None);
        } else {
            says(&mut world, PARTY, &hops.request(&ok, "BYE", 2));
            assert_eq!(first_line(&sent_to(&mut world, PARTY)), "SIP/2.0 200 OK");
            ends(&mut world, session, How::PeerHungUp, None);
        }
    }
}

#[test]
fn section_3_2_a_call_that_comes_through_two_proxies_is_answered_and_ended_through_them() {
    let (mut world, hops) = (bob(), proxied());
    says(&mut world, NEAR, &with_body(&hops.invite(""), OFFER));
    let session = world.incoming(ALICE);
    world.act(ALICE, Do::ring(session));
    world.act(ALICE, Do::Accept { session, sdp: ANSWER.to_vec() });
    world.run_for(20);
    let answers = world.take(address(NEAR));
    assert_eq!(
        answers.iter().map(|a| first_line(a)).collect::<Vec<_>>(),
        ["SIP/2.0 100 Trying", "SIP/2.0 180 Ringing", "SIP/2.0 200 OK"]
    );
    for answer in &answers[1..] {
        assert_eq!(lines(answer, "Via").len(), 3, "{answer}");
        assert!(lines(answer, "Via")[2].contains("10.0.0.9:5060"), "in their order: {answer}");
        assert_eq!(lines(answer, "Record-Route"), ["<sip:10.0.0.7:5060;lr>", "<sip:10.0.0.8:5060;lr>"]);
    }
    says(&mut world, NEAR, &hops.request(&answers[2], "ACK", 1));
    world.act(ALICE, Do::HangUp { session, q850: None });
    let bye = sent_to(&mut world, NEAR);
    assert_eq!(first_line(&bye), "BYE sip:alice@10.0.0.9:5060 SIP/2.0");
    assert_eq!(lines(&bye, "Route"), ["<sip:10.0.0.7:5060;lr>", "<sip:10.0.0.8:5060;lr>"]);
    says(&mut world, NEAR, &answer_to(&bye, "200 OK", ""));
    ends(&mut world, session, How::Ours, None);
}

#[test]
fn section_3_2_a_call_that_goes_through_two_proxies_is_acknowledged_and_ended_through_them() {
    let (mut world, session, invite) = alice_calls(NEAR);
    let path =
        "Record-Route: <sip:10.0.0.8:5060;lr>, <sip:10.0.0.7:5060;lr>\nContact: <sip:bob@10.0.0.9:5060>\n";
    says(&mut world, NEAR, &answer_to(&invite, "180 Ringing", path));
    says(&mut world, NEAR, &with_body(&answer_to(&invite, "200 OK", path), ANSWER));
    let ack = sent_to(&mut world, NEAR);
    world.act(ALICE, Do::HangUp { session, q850: None });
    let bye = sent_to(&mut world, NEAR);
    for (message, method) in [(&ack, "ACK"), (&bye, "BYE")] {
        assert_eq!(first_line(message), format!("{method} sip:bob@10.0.0.9:5060 SIP/2.0"));
        assert_eq!(lines(message, "Route"), ["<sip:10.0.0.7:5060;lr>", "<sip:10.0.0.8:5060;lr>"]);
    }
    says(&mut world, NEAR, &answer_to(&bye, "200 OK", ""));
    ends(&mut world, session, How::Ours, None);
}

fn challenge(realm: &str) -> String {
    format!(
        "Proxy-Authenticate: Digest realm=\"{realm}\", qop=\"auth\", nonce=\"of {realm}\", algorithm=MD5\n"
    )
}

#[test]
fn section_3_3_each_proxy_on_the_way_is_answered_its_own_challenge() {
    let (mut world, session, first) = alice_calls(NEAR);
    says(&mut world, NEAR, &answer_to(&first, "407 Proxy Authorization Required", &challenge("atlanta")));
    let second = sent_to(&mut world, NEAR);
    assert_eq!(lines(&second, "Proxy-Authorization").len(), 1, "{second}");
    says(&mut world, NEAR, &answer_to(&second, "407 Proxy Authorization Required", &challenge("biloxi")));
    let third = sent_to(&mut world, NEAR);
    assert!(third.starts_with("INVITE "), "the second proxy is another one than the first: {third}");
    let proofs = lines(&third, "Proxy-Authorization");
    assert_eq!(proofs.len(), 2, "{third}");
    assert!(proofs[0].contains("realm=\"atlanta\"") && proofs[1].contains("realm=\"biloxi\""), "{third}");
    assert_eq!(header(&third, "Call-ID"), header(&first, "Call-ID"));
    says(&mut world, NEAR, &with_body(&answer_to(&third, "200 OK", "Contact: <sip:bob@10.0.0.9>\n"), ANSWER));
    assert!(world.has(ALICE, |e| matches!(e, Event::Answered { .. })));
    let ack = sent_to(&mut world, PARTY);
    assert!(ack.starts_with("ACK "), "{ack}");
    assert_eq!(
        lines(&ack, "Proxy-Authorization"),
        proofs,
        "RFC 3261 §13.2.2.4: the ACK has the INVITE's proofs"
    );
    world.act(ALICE, Do::HangUp { session, q850: None });
    let bye = world.sent.last().map(|packet| String::from_utf8_lossy(&packet.bytes).into_owned()).unwrap();
    says(&mut world, PARTY, &answer_to(&bye, "200 OK", ""));
    ends(&mut world, session, How::Ours, None);
}

#[test]
fn section_3_3_two_challenges_in_one_answer_are_both_answered() {
    let (mut world, _, first) = alice_calls(NEAR);
    let both = challenge("atlanta") + &challenge("biloxi") + &challenge("biloxi").replace("MD5", "SHA-256");
    says(&mut world, NEAR, &answer_to(&first, "407 Proxy Authorization Required", &both));
    let second = sent_to(&mut world, NEAR);
    let proofs = lines(&second, "Proxy-Authorization");
    assert_eq!(proofs.len(), 2, "one for each realm: {second}");
    assert!(proofs[0].contains("realm=\"atlanta\"") && proofs[1].contains("algorithm=SHA-256"), "{second}");
}

#[test]
fn section_3_3_a_proxy_that_refuses_the_proof_is_not_asked_for_ever() {
    let (mut world, session, first) = alice_calls(NEAR);
    let refusals = ["atlanta", "biloxi", "atlanta"];
    let mut sent = first;
    for realm in refusals {
        says(&mut world, NEAR, &answer_to(&sent, "407 Proxy Authorization Required", &challenge(realm)));
        sent = sent_to(&mut world, NEAR);
    }
    assert!(sent.starts_with("ACK "), "{sent}");
    ends(&mut world, session, How::PeerRefused, Some(407));
}

#[test]
fn section_3_4_where_the_first_proxy_is_silent_the_call_goes_through_the_second() {
    let mut world = bob();
    let places = [NEAR, FAR].map(|at| place(at, Transport::Udp));
    let session = world.call_towards(ALICE, Towards::Places(places.into()), "biloxi.example", None);
    world.run_for(4_100);
    assert!(world.take(address(NEAR)).iter().all(|sent| sent.starts_with("INVITE ")));
    let invite = sent_to(&mut world, FAR);
    says(&mut world, FAR, &with_body(&answer_to(&invite, "200 OK", "Contact: <sip:bob@10.0.0.9>\n"), ANSWER));
    assert!(world.has(ALICE, |e| matches!(e, Event::WentOn { status: None, .. })));
    assert!(world.has(ALICE, |e| matches!(e, Event::Answered { .. })));
    world.act(ALICE, Do::HangUp { session, q850: None });
    let bye = sent_to(&mut world, PARTY);
    says(&mut world, PARTY, &answer_to(&bye, "200 OK", ""));
    ends(&mut world, session, How::Ours, None);
}

#[test]
fn section_3_5_a_caller_behind_an_alg_is_answered_and_ended_through_it() {
    // The gateway has put itself into Via, Record-Route, Contact and SDP; the caller's own address is behind it.
    let mut world = bob();
    let alg = hops(&[NEAR, PARTY], true);
    let invite =
        alg.invite("").replace("Contact: <sip:alice@10.0.0.9:5060>", "Contact: <sip:alice@10.0.0.7:5060>");
    let invite = invite.replace("UDP 10.0.0.9:5060", "UDP 192.168.1.9:5060;received=192.168.1.9");
    says(&mut world, NEAR, &with_body(&invite, OFFER));
    let session = world.incoming(ALICE);
    world.act(ALICE, Do::Accept { session, sdp: ANSWER.to_vec() });
    let ok = sent_to(&mut world, NEAR);
    assert!(lines(&ok, "Via")[1].contains("received=192.168.1.9"), "{ok}");
    says(&mut world, NEAR, &alg.request(&ok, "ACK", 1));
    world.act(ALICE, Do::HangUp { session, q850: None });
    let bye = sent_to(&mut world, NEAR);
    assert_eq!(first_line(&bye), "BYE sip:alice@10.0.0.7:5060 SIP/2.0");
    says(&mut world, NEAR, &answer_to(&bye, "200 OK", ""));
    ends(&mut world, session, How::Ours, None);
}

#[test]
fn section_3_6_a_call_whose_sdp_comes_in_the_ack_gets_our_offer_in_the_200() {
    let (mut world, hops) = (bob(), proxied());
    says(&mut world, NEAR, &hops.invite(""));
    let session = world.incoming(ALICE);
    world.act(ALICE, Do::ring(session));
    world.act(ALICE, Do::Accept { session, sdp: OFFER.to_vec() });
    let ok = sent_to(&mut world, NEAR);
    assert_eq!(header(&ok, "Content-Type"), Some("application/sdp"));
    says(&mut world, NEAR, &with_body(&hops.request(&ok, "ACK", 1), ANSWER));
    assert!(world.has(ALICE, |e| matches!(e, Event::Confirmed { sdp: Some(sdp), .. } if sdp == ANSWER)));
    says(&mut world, NEAR, &hops.request(&ok, "BYE", 2));
    assert_eq!(first_line(&sent_to(&mut world, NEAR)), "SIP/2.0 200 OK");
    ends(&mut world, session, How::PeerHungUp, None);
}

#[test]
fn section_3_6_a_redirection_is_acknowledged_and_told_and_not_followed() {
    let (mut world, session, invite) = alice_calls(NEAR);
    let elsewhere = "Contact: <sip:bob@10.0.0.9>\n";
    says(&mut world, NEAR, &answer_to(&invite, "302 Moved Temporarily", elsewhere));
    assert!(sent_to(&mut world, NEAR).starts_with("ACK "));
    assert!(world.take_nothing(address(PARTY)), "where calls go is for the configuration to say");
    ends(&mut world, session, How::PeerRefused, Some(302));
}

#[test]
fn section_3_7_a_caller_that_moves_takes_its_call_along_by_re_invite() {
    let (mut world, hops) = (bob(), direct());
    says(&mut world, PARTY, &with_body(&hops.invite(""), OFFER));
    let session = world.incoming(ALICE);
    world.act(ALICE, Do::Accept { session, sdp: ANSWER.to_vec() });
    let ok = sent_to(&mut world, PARTY);
    says(&mut world, PARTY, &hops.request(&ok, "ACK", 1));
    // From its new address, which Via, Contact and SDP name.
    let moved = |text: String| text.replace("10.0.0.9:", "10.0.0.7:");
    let new: &[u8] =
        b"v=0\r\no=- 1 2 IN IP4 10.0.0.7\r\ns=-\r\nc=IN IP4 10.0.0.7\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";
    says(&mut world, NEAR, &moved(with_body(&hops.request(&ok, "INVITE", 2), new)));
    assert!(world.has(ALICE, |e| matches!(e, Event::Reoffered { sdp: Some(sdp), .. } if sdp == new)));
    world.act(ALICE, Do::AcceptReoffer { session, sdp: ANSWER.to_vec() });
    let again = sent_to(&mut world, NEAR);
    assert_eq!((first_line(&again), header(&again, "CSeq")), ("SIP/2.0 200 OK", Some("2 INVITE")));
    says(&mut world, NEAR, &moved(hops.request(&ok, "ACK", 2)));
    world.act(ALICE, Do::HangUp { session, q850: None });
    let bye = sent_to(&mut world, NEAR);
    assert_eq!(first_line(&bye), "BYE sip:alice@10.0.0.7:5060 SIP/2.0");
    says(&mut world, NEAR, &answer_to(&bye, "200 OK", ""));
    ends(&mut world, session, How::Ours, None);
}

#[test]
fn section_3_8_a_caller_who_gives_up_cancels_through_the_proxies() {
    let (mut world, hops) = (bob(), proxied());
    says(&mut world, NEAR, &with_body(&hops.invite(""), OFFER));
    let session = world.incoming(ALICE);
    world.act(ALICE, Do::ring(session));
    let ringing = sent_to(&mut world, NEAR);
    says(&mut world, NEAR, &hops.request(&ringing, "CANCEL", 1));
    world.run_for(20);
    let answers = world.take(address(NEAR));
    let told: Vec<_> = answers.iter().map(|a| (first_line(a), header(a, "CSeq").unwrap())).collect();
    assert_eq!(told, [("SIP/2.0 200 OK", "1 CANCEL"), ("SIP/2.0 487 Request Terminated", "1 INVITE")]);
    says(&mut world, NEAR, &hops.ack_of_refusal(&answers[1]));
    ends(&mut world, session, How::PeerCancelled, Some(487));
}

#[test]
fn section_3_8_a_call_of_ours_that_nobody_answers_is_cancelled() {
    let (mut world, session, invite) = alice_calls(NEAR);
    says(&mut world, NEAR, &answer_to(&invite, "180 Ringing", "Contact: <sip:bob@10.0.0.9>\n"));
    world.act(ALICE, Do::HangUp { session, q850: None });
    let cancel = sent_to(&mut world, NEAR);
    assert!(cancel.starts_with("CANCEL sip:help@"), "{cancel}");
    assert_eq!(header(&cancel, "Via"), header(&invite, "Via"), "it is about that transaction");
    let number = |message: &str| header(message, "CSeq").unwrap().split(' ').next().unwrap().to_owned();
    assert_eq!(number(&cancel), number(&invite));
    says(&mut world, NEAR, &answer_to(&cancel, "200 OK", ""));
    says(&mut world, NEAR, &answer_to(&invite, "487 Request Terminated", ""));
    assert!(sent_to(&mut world, NEAR).starts_with("ACK "));
    ends(&mut world, session, How::Ours, None);
}

/// A refusal of ours, through two proxies; and the same of the other party's.
fn is_refused(status: u16, words: &str, how: How) {
    let (mut world, hops) = (bob(), proxied());
    says(&mut world, NEAR, &with_body(&hops.invite(""), OFFER));
    let session = world.incoming(ALICE);
    world.act(ALICE, Do::Refuse { session, status, q850: None, warning: None });
    let refusal = sent_to(&mut world, NEAR);
    assert_eq!(first_line(&refusal), format!("SIP/2.0 {status} {words}"));
    assert_eq!(lines(&refusal, "Via").len(), 3);
    says(&mut world, NEAR, &hops.ack_of_refusal(&refusal));
    world.run_for(5_000);
    assert_eq!(world.sent_by(ALICE, "SIP/2.0 4"), 1, "it is acknowledged, so it is not said again");
    ends(&mut world, session, How::Ours, Some(status));

    let (mut world, session, invite) = alice_calls(NEAR);
    says(&mut world, NEAR, &answer_to(&invite, "100 Trying", ""));
    says(&mut world, NEAR, &answer_to(&invite, &format!("{status} {words}"), ""));
    let ack = sent_to(&mut world, NEAR);
    assert!(ack.starts_with("ACK "), "{ack}");
    assert_eq!(header(&ack, "Via"), header(&invite, "Via"), "hop by hop, in the INVITE's transaction");
    ends(&mut world, session, how, Some(status));
}

#[test]
fn section_3_9_a_busy_party_is_told_as_such_both_ways() {
    is_refused(486, "Busy Here", How::PeerRefused);
}

#[test]
fn section_3_10_a_party_that_does_not_respond_is_given_up_by_the_proxy_and_by_us() {
    is_refused(480, "Temporarily Unavailable", How::PeerRefused);
    is_refused(408, "Request Timeout", How::NoAnswer);
    // Without a proxy there is nobody else to tell: timer B.
    let (mut world, session, _) = alice_calls(PARTY);
    world.run_for(32_000);
    assert!(world.take(address(PARTY)).iter().all(|sent| sent.starts_with("INVITE ")));
    ends(&mut world, session, How::PeerTimeout, None);
}

#[test]
fn section_3_11_a_party_that_is_unavailable_for_now_rings_first_and_then_says_480() {
    let (mut world, session, invite) = alice_calls(NEAR);
    says(&mut world, NEAR, &answer_to(&invite, "180 Ringing", "Contact: <sip:bob@10.0.0.9>\n"));
    says(&mut world, NEAR, &answer_to(&invite, "480 Temporarily Unavailable", ""));
    assert!(sent_to(&mut world, NEAR).starts_with("ACK "));
    assert!(world.has(ALICE, |e| matches!(e, Event::Progress { status: 180, .. })));
    ends(&mut world, session, How::PeerRefused, Some(480));
}
