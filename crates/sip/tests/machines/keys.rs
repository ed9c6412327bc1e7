//! Keys to a peer by INFO (RFC 6086): in order, one at a time, as long as it takes them.

use crate::world::*;
use sip::ua::*;

const PEER: usize = 7;

/// A call of ours that the peer has answered; it allows these methods.
fn answered(allow: &str) -> (World, SessionId) {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let flow = world.flow(ALICE, PEER);
    let session = world.call_as(ALICE, flow, Some(account("line1")));
    world.run_for(20);
    let invite = world.take(address(PEER)).pop().unwrap();
    let more = format!("Contact: <sip:x@{}>\n{allow}", address(PEER));
    world.inject(address(PEER), ALICE, &with_body(&answer_to(&invite, "200 OK", &more), ANSWER));
    world.run_for(20);
    assert!(world.take(address(PEER)).pop().unwrap().starts_with("ACK "));
    (world, session)
}

const ALLOW: &str = "Allow: INVITE, ACK, BYE, CANCEL, INFO\n";

fn press(world: &mut World, session: SessionId, keys: &str) {
    for key in keys.chars() {
        world.act(ALICE, Do::SendKey { session, key });
    }
}

/// The INFO that has come, if exactly one has.
fn info(world: &mut World) -> Option<String> {
    world.run_for(20);
    let mut taken = world.take(address(PEER));
    assert!(taken.len() <= 1, "one at a time: {taken:#?}");
    taken.pop().inspect(|info| assert!(info.starts_with("INFO "), "{info}"))
}

/// What is pressed by INFOs that are all answered so.
fn heard(world: &mut World, status: &str) -> String {
    let mut keys = String::new();
    while let Some(sent) = info(world) {
        assert_eq!(header(&sent, "Content-Type"), Some("application/dtmf-relay"));
        let signal = sent.lines().find_map(|line| line.strip_prefix("Signal=")).unwrap();
        keys.push_str(signal);
        world.inject(address(PEER), ALICE, &answer_to(&sent, status, ""));
    }
    keys
}

#[test]
fn keys_go_one_after_the_other_and_in_order() {
    let (mut world, session) = answered(ALLOW);
    press(&mut world, session, "19*0#Dx");
    assert_eq!(heard(&mut world, "200 OK"), "19*0#D");
    press(&mut world, session, "5");
    assert_eq!(heard(&mut world, "200 OK"), "5");
    press(&mut world, session, &"7".repeat(100));
    assert_eq!(heard(&mut world, "200 OK").len(), 64, "no more than anybody presses wait");
}

#[test]
fn who_does_not_take_info_gets_none_and_who_refuses_one_gets_no_other() {
    for allow in ["", "Allow: INVITE, ACK, BYE\n"] {
        let (mut world, session) = answered(allow);
        press(&mut world, session, "12");
        assert_eq!(heard(&mut world, "200 OK"), "", "{allow}");
    }
    for status in ["405 Method Not Allowed", "415 Unsupported Media Type", "469 Bad Info Package"] {
        let (mut world, session) = answered(ALLOW);
        press(&mut world, session, "12");
        assert_eq!(heard(&mut world, status), "1", "{status}");
        let refused = |event: &Event| matches!(event, Event::KeysRefused { keys, .. } if keys == "12");
        assert!(world.has(ALICE, refused), "{status}");
        press(&mut world, session, "3");
        assert_eq!(heard(&mut world, status), "", "{status}");
        assert!(world.endings(ALICE, session).is_empty());
    }
    let (mut world, session) = answered(ALLOW);
    press(&mut world, session, "12");
    assert_eq!(heard(&mut world, "500 Oops"), "12", "a fault of the moment stops nothing");
    assert!(world.endings(ALICE, session).is_empty());
}

#[test]
fn a_challenged_key_is_sent_again_with_credentials() {
    let (mut world, session) = answered(ALLOW);
    press(&mut world, session, "1");
    let first = info(&mut world).unwrap();
    let challenge = "Proxy-Authenticate: Digest realm=\"op\", nonce=\"n\", qop=\"auth\"\n";
    world.inject(address(PEER), ALICE, &answer_to(&first, "407 Proxy Authentication Required", challenge));
    let again = info(&mut world).unwrap();
    assert!(header(&again, "Proxy-Authorization").is_some() && again.contains("Signal=1"), "{again}");
    world.inject(address(PEER), ALICE, &answer_to(&again, "200 OK", ""));
    assert_eq!(info(&mut world), None);
}

#[test]
fn a_key_that_says_that_the_session_is_gone_ends_it_and_one_that_is_lost_does_not() {
    let (mut world, session) = answered(ALLOW);
    press(&mut world, session, "12");
    let sent = info(&mut world).unwrap();
    world.inject(address(PEER), ALICE, &answer_to(&sent, "481 Call/Transaction Does Not Exist", ""));
    assert_eq!(world.ending(ALICE, session).status, Some(481));
    let (mut world, session) = answered(ALLOW);
    press(&mut world, session, "12");
    world.run_for(33_000);
    world.take(address(PEER));
    assert!(world.endings(ALICE, session).is_empty());
    press(&mut world, session, "3");
    assert_eq!(heard(&mut world, "200 OK"), "3", "what would come too late is forgotten");
    world.act(ALICE, Do::HangUp { session, q850: None });
    press(&mut world, session, "4");
    world.run_to_rest();
    world.assert_idle();
}
