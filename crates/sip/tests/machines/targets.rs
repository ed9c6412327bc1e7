//! Where requests in a dialog go after its peer has said so anew: target refresh by re-INVITE and UPDATE, asked and
//! answered, and by reliable provisional answers (RFC 3261 §12.2, RFC 3311 §5.1, RFC 3262 §4).

use crate::world::*;
use sip::ua::*;

const PEER: usize = 6;
const MOVED: usize = 7;
const NEWER: &[u8] =
    b"v=0\r\no=- 1 2 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4002 RTP/AVP 8\r\n";

/// A Contact at the peer's other address.
fn moved() -> String {
    format!("Contact: <sip:moved@{}>\n", address(MOVED))
}

/// A message of the peer with that Contact and no other.
fn from_elsewhere(message: &str) -> String {
    let others = message.split_inclusive('\n').filter(|line| !line.starts_with("Contact:"));
    let (first, rest): (Vec<&str>, Vec<&str>) = others.partition({
        let mut first = true;
        move |_| std::mem::take(&mut first)
    });
    format!("{}{}{}", first.concat(), moved(), rest.concat())
}

/// The next request of Alice with this method is at the peer's other address, under its new URI.
fn goes_there(world: &mut World, method: &str) {
    world.run_for(20);
    let sent = world.take(address(MOVED));
    let to = format!("{method} sip:moved@{} SIP/2.0", address(MOVED));
    assert!(sent.iter().any(|request| request.starts_with(&to)), "no {to} in {sent:?}");
}

/// What the peer has got last that begins so.
fn got(world: &mut World, beginning: &str) -> String {
    world.run_for(20);
    let mut sent = world.take(address(PEER)).into_iter();
    sent.rfind(|message| message.starts_with(beginning)).unwrap_or_else(|| panic!("no {beginning}"))
}

/// The peer has called Alice; who has answered early and reliably, or finally. What the peer has got last.
fn called(finally: bool) -> (World, SessionId, String) {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let allow = "Supported: 100rel\nAllow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE\n";
    world.inject(address(PEER), ALICE, &with_body(&invite(address(PEER), "moving", allow), OFFER));
    let session = world.incoming(ALICE);
    if finally {
        world.act(ALICE, Do::Accept { session, sdp: ANSWER.to_vec() });
        let ok = got(&mut world, "SIP/2.0 200");
        world.inject(address(PEER), ALICE, &request_in(&ok, "ACK", 1, ""));
        return (world, session, ok);
    }
    let early = Do::Progress { session, status: 183, sdp: Some(ANSWER.to_vec()), early_media: None };
    world.act(ALICE, early);
    let progress = got(&mut world, "SIP/2.0 183");
    let rack = format!("RAck: {} 1 INVITE\n", header(&progress, "RSeq").unwrap());
    world.inject(address(PEER), ALICE, &request_in(&progress, "PRACK", 2, &rack));
    world.run_for(20);
    (world, session, progress)
}

fn hangs_up(world: &mut World, session: SessionId) {
    world.act(ALICE, Do::HangUp { session, q850: None });
}

#[test]
fn a_2xx_to_our_early_update_moves_the_peer_that_called_us() {
    let (mut world, session, _) = called(false);
    world.act(ALICE, Do::Reoffer { session, sdp: NEWER.to_vec() });
    let update = got(&mut world, "UPDATE ");
    let ok = from_elsewhere(&answer_to(&update, "200 OK", ""));
    world.inject(address(PEER), ALICE, &with_body(&ok, ANSWER));
    world.act(ALICE, Do::Reoffer { session, sdp: OFFER.to_vec() });
    goes_there(&mut world, "UPDATE");
}

#[test]
fn a_2xx_to_our_early_update_and_a_reliable_answer_move_the_peer_that_we_called() {
    for by_update in [true, false] {
        let mut world = World::of(vec![open_config(ALICE)], 1);
        let flow = world.flow(ALICE, PEER);
        let session = world.call_as(ALICE, flow, None);
        let sent = got(&mut world, "INVITE ");
        let more = "Require: 100rel\nRSeq: 7\nAllow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE\n";
        let progress = fork(&sent, "early", address(PEER)).replace("200 OK", "183 Session Progress");
        let progress = progress.replacen("\n", &format!("\n{more}"), 1);
        world.inject(address(PEER), ALICE, &with_body(&progress, ANSWER));
        got(&mut world, "PRACK ");
        if by_update {
            world.act(ALICE, Do::Reoffer { session, sdp: NEWER.to_vec() });
            let update = got(&mut world, "UPDATE ");
            let ok = from_elsewhere(&answer_to(&update, "200 OK", ""));
            world.inject(address(PEER), ALICE, &with_body(&ok, ANSWER));
            world.act(ALICE, Do::Reoffer { session, sdp: OFFER.to_vec() });
            goes_there(&mut world, "UPDATE");
        } else {
            let next = from_elsewhere(&progress).replace("RSeq: 7", "RSeq: 8");
            world.inject(address(PEER), ALICE, &next);
            goes_there(&mut world, "PRACK");
        }
    }
}

#[test]
fn an_update_of_the_peer_moves_it_with_and_without_an_offer_early_and_late() {
    for (finally, offers) in [(false, false), (false, true), (true, false), (true, true)] {
        let (mut world, session, answer) = called(finally);
        let update = from_elsewhere(&request_in(&answer, "UPDATE", 3, ""));
        let update = if offers { with_body(&update, NEWER) } else { update };
        world.inject(address(PEER), ALICE, &update);
        if offers {
            world.act(ALICE, Do::AcceptReoffer { session, sdp: ANSWER.to_vec() });
        }
        got(&mut world, "SIP/2.0 200");
        if finally {
            hangs_up(&mut world, session);
            goes_there(&mut world, "BYE");
        } else {
            world.act(ALICE, Do::Reoffer { session, sdp: OFFER.to_vec() });
            goes_there(&mut world, "UPDATE");
        }
    }
}

#[test]
fn a_reinvite_of_the_peer_moves_it_if_we_take_it_and_only_then() {
    for takes in [true, false] {
        let (mut world, session, answer) = called(true);
        let again = from_elsewhere(&request_in(&answer, "INVITE", 3, ""));
        world.inject(address(PEER), ALICE, &with_body(&again, NEWER));
        if takes {
            world.act(ALICE, Do::AcceptReoffer { session, sdp: ANSWER.to_vec() });
            let ok = got(&mut world, "SIP/2.0 200");
            world.inject(address(PEER), ALICE, &request_in(&ok, "ACK", 3, ""));
            hangs_up(&mut world, session);
            goes_there(&mut world, "BYE");
        } else {
            world.act(ALICE, Do::RefuseReoffer { session, status: 488, warning: None });
            hangs_up(&mut world, session);
            got(&mut world, "BYE ");
        }
    }
}

#[test]
fn a_2xx_to_our_reinvite_moves_the_peer() {
    let (mut world, session, _) = called(true);
    world.act(ALICE, Do::Reoffer { session, sdp: NEWER.to_vec() });
    let again = got(&mut world, "INVITE ");
    let ok = from_elsewhere(&answer_to(&again, "200 OK", ""));
    world.inject(address(PEER), ALICE, &with_body(&ok, ANSWER));
    goes_there(&mut world, "ACK");
    hangs_up(&mut world, session);
    goes_there(&mut world, "BYE");
}

#[test]
fn a_2xx_to_our_refresh_by_update_moves_the_peer() {
    let mut config = open_config(ALICE);
    config.extensions.session_expires = std::time::Duration::from_secs(90);
    let mut world = World::of(vec![config], 1);
    let allow =
        "Supported: timer\nSession-Expires: 90;refresher=uas\nAllow: INVITE, ACK, BYE, CANCEL, UPDATE\n";
    world.inject(address(PEER), ALICE, &with_body(&invite(address(PEER), "moving", allow), OFFER));
    let session = world.incoming(ALICE);
    world.act(ALICE, Do::Accept { session, sdp: ANSWER.to_vec() });
    let ok = got(&mut world, "SIP/2.0 200");
    world.inject(address(PEER), ALICE, &request_in(&ok, "ACK", 1, ""));
    world.run_for(46_000);
    let update = got(&mut world, "UPDATE ");
    world.inject(address(PEER), ALICE, &from_elsewhere(&answer_to(&update, "200 OK", "")));
    hangs_up(&mut world, session);
    goes_there(&mut world, "BYE");
}
