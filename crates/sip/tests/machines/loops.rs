//! Requests that go in circles (RFC 3261 §16.3, RFC 5393, RFC 7332).

use crate::world::*;
use sip::ua::*;

fn invited(world: &World) -> Invite {
    let found = world.agents[ALICE].events.iter().rev().find_map(|(_, event)| match event {
        Event::Incoming { invite, .. } => Some((**invite).clone()),
        _ => None,
    });
    found.expect("an incoming call")
}

#[test]
fn the_hops_that_an_invite_may_still_take_are_told_and_none_left_is_483() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let at = address(7);
    for (written, told) in [("Max-Forwards: 70\n", 70), ("Max-Forwards: 1\n", 1), ("", 70)] {
        let text =
            invite(at, &format!("hops{told}{}", written.len()), "").replace("Max-Forwards: 70\n", written);
        world.inject(at, ALICE, &text);
        assert_eq!(invited(&world).max_forwards, told);
    }
    world.run_for(20);
    world.take(at);
    world.inject(at, ALICE, &invite(at, "none", "").replace("Max-Forwards: 70", "Max-Forwards: 0"));
    world.run_for(20);
    assert!(world.take(at).pop().unwrap().starts_with("SIP/2.0 483"));
}

#[test]
fn an_invite_of_ours_takes_as_many_hops_as_it_is_given_and_what_follows_takes_them_all() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let session = world.agents[ALICE].ua.reserve().unwrap();
    let call = Call {
        credentials: Some(account("line1")),
        max_forwards: 12,
        ..plain_call(world.flow(ALICE, 7).into(), "sip:help@10.0.0.8")
    };
    world.act(ALICE, Do::Call { session, call });
    world.run_for(20);
    let sent = world.take(address(7)).pop().unwrap();
    assert_eq!(header(&sent, "Max-Forwards"), Some("12"));
    let challenge = "Proxy-Authenticate: Digest realm=\"op\", nonce=\"n\", qop=\"auth\"\n";
    world.inject(address(7), ALICE, &answer_to(&sent, "407 Proxy Authentication Required", challenge));
    world.run_for(20);
    let again = world.take(address(7)).pop().unwrap();
    assert_eq!((header(&again, "Max-Forwards"), again.starts_with("INVITE")), (Some("12"), true));
    world.inject(address(7), ALICE, &answer_to(&again, "200 OK", "Contact: <sip:x@10.0.0.8>\n"));
    world.act(ALICE, Do::HangUp { session, q850: None });
    world.run_for(20);
    let bye = world.take(address(7)).pop().unwrap();
    assert_eq!((header(&bye, "Max-Forwards"), bye.starts_with("BYE")), (Some("70"), true));
}

#[test]
fn an_invite_of_ours_that_proxies_send_back_is_known_and_neither_call_is_taken_for_the_other() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let ours = world.call(ALICE, 7);
    world.run_for(20);
    let sent = world.take(address(7)).pop().unwrap();
    // The proxy puts itself on the way, and lowers Max-Forwards.
    let via = "Via: SIP/2.0/UDP 10.0.0.8:5060;branch=z9hG4bKproxied\r\nVia: ";
    let back = sent.replacen("Via: ", via, 1).replace("Max-Forwards: 70", "Max-Forwards: 69");
    world.inject(address(7), ALICE, &back);
    let told = invited(&world);
    assert_eq!((told.came_back, told.max_forwards), (Some(ours), 69));
    let theirs = world.incoming(ALICE);
    world.act(ALICE, Do::Refuse { session: theirs, status: 482, q850: None, warning: None });
    world.run_for(20);
    let refused = world.take(address(7)).into_iter().find(|text| text.starts_with("SIP/2.0 482")).unwrap();
    let top = "Via: SIP/2.0/UDP 10.0.0.8:5060;branch=z9hG4bKproxied\r\n";
    world.inject(address(7), ALICE, &refused.replacen(top, "", 1));
    assert_eq!(world.ending(ALICE, ours).status, Some(482));
    world.inject(address(7), ALICE, &back.replace("INVITE", "ACK"));
    world.run_to_rest();
    world.assert_idle();
    // Another's call with the same Call-ID is none of ours.
    world.inject(address(7), ALICE, &invite(address(7), header(&sent, "Call-ID").unwrap(), ""));
    assert_eq!(invited(&world).came_back, None);
}
