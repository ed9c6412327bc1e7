//! Texts between accounts (RFC 3428): taken, handed on, answered as the device answers, in whatever network.

use crate::accounts::*;
use crate::world::*;
use sip::ua::*;

fn message(phone: &mut Device, to: &str, kind: &str, body: &str, more: &str) -> String {
    phone.cseq += 1;
    let Device { at, call_id, cseq, user, .. } = phone;
    format!(
        "MESSAGE sip:{to}@help.example SIP/2.0\nVia: SIP/2.0/UDP {at};branch=z9hG4bKm{call_id}{cseq}\n\
         From: <sip:{user}@help.example>;tag=f\nTo: <sip:{to}@help.example>\nCall-ID: m{call_id}\n\
         CSeq: {cseq} MESSAGE\n{kind}{more}Max-Forwards: 70\nContent-Length: {}\n\n{body}",
        body.len()
    )
}

const PLAIN: &str = "Content-Type: text/plain;charset=utf-8\n";

/// Sends with the challenge answered; gives the answer, if any came yet.
fn sends(world: &mut World, phone: &mut Device, to: &str, kind: &str, body: &str) -> Option<String> {
    let text = message(phone, to, kind, body, "");
    world.inject(phone.at, ALICE, &text);
    world.run_for(20);
    let challenge = world.take(phone.at).pop().expect("a challenge");
    let proof = phone.authorization(&challenge, "MESSAGE");
    let text = message(phone, to, kind, body, &proof);
    world.inject(phone.at, ALICE, &text);
    world.run_for(20);
    world.take(phone.at).pop()
}

fn arrived(world: &World) -> (TextId, Text) {
    let found = world.agents[ALICE].events.iter().rev().find_map(|(_, event)| match event {
        Event::TextArrived { text, told } => Some((*text, (**told).clone())),
        _ => None,
    });
    found.expect("a text")
}

/// Maria writes to paolo, whose device is at 10.0.0.9.
fn handed_on() -> (World, Device, String) {
    let mut world = registrar();
    let mut paolo = device(8, "paolo");
    let contact = paolo.contact("") + "Path: <sip:edge.example;lr>\n";
    paolo.registers(&mut world, &contact);
    let mut maria = device(7, "maria");
    assert_eq!(sends(&mut world, &mut maria, "paolo", PLAIN, "pausa alle 11?"), None);
    let (text, told) = arrived(&world);
    assert_eq!((told.from.as_str(), told.to.as_str(), told.bytes), ("maria", "paolo", 14));
    let to = Box::new(world.agents[ALICE].ua.contacts("paolo")[0].clone());
    world.act(ALICE, Do::ForwardText { text, from: "maria".into(), to });
    world.run_for(20);
    let sent = world.take(paolo.at).pop().expect("the text");
    (world, maria, sent)
}

#[test]
fn a_text_reaches_the_device_and_the_devices_answer_reaches_the_sender() {
    let (mut world, maria, sent) = handed_on();
    assert!(sent.starts_with("MESSAGE sip:paolo@10.0.0.9:5060 SIP/2.0"), "{sent}");
    assert!(sent.ends_with("\r\n\r\npausa alle 11?"), "{sent}");
    assert_eq!(header(&sent, "Route"), Some("<sip:edge.example;lr>"));
    assert_eq!(header(&sent, "Content-Type"), Some("text/plain;charset=utf-8"));
    assert!(header(&sent, "From").unwrap().starts_with("<sip:maria@help.example>;tag="));
    world.inject(address(8), ALICE, &answer_to(&sent, "200 OK", ""));
    world.run_for(20);
    assert!(world.take(maria.at)[0].starts_with("SIP/2.0 200"));
    assert!(world.has(ALICE, |event| matches!(event, Event::TextOver { status: 200, .. })));
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn a_device_that_says_nothing_or_no_is_told_of() {
    let (mut world, maria, sent) = handed_on();
    world.inject(address(8), ALICE, &answer_to(&sent, "486 Busy Here", ""));
    world.run_for(20);
    assert!(world.take(maria.at)[0].starts_with("SIP/2.0 486"));
    let (mut world, maria, _) = handed_on();
    world.run_for(40_000);
    assert!(world.take(maria.at)[0].starts_with("SIP/2.0 408"));
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn a_text_that_nobody_decides_about_is_answered() {
    let mut world = registrar();
    let mut maria = device(7, "maria");
    assert_eq!(sends(&mut world, &mut maria, "paolo", PLAIN, "?"), None);
    world.run_for(11_000);
    assert!(world.take(maria.at)[0].starts_with("SIP/2.0 500"));
    world.run_to_rest();
    world.assert_idle();
}

#[test]
fn what_is_no_text_or_too_long_is_refused() {
    let long = "x".repeat(1_301);
    let rows = [
        ("Content-Type: image/png\n", "x", "415"),
        ("", "x", "415"),
        ("Content-Type: text/plain\nContent-Encoding: gzip\n", "x", "415"),
        (PLAIN, long.as_str(), "413"),
    ];
    for (kind, body, status) in rows {
        let mut world = registrar();
        let mut maria = device(7, "maria");
        let answer = sends(&mut world, &mut maria, "paolo", kind, body).expect("an answer");
        assert!(answer.starts_with(&format!("SIP/2.0 {status}")), "{kind}: {answer}");
        assert!(status != "415" || header(&answer, "Accept") == Some("text/plain, text/*"));
        assert!(!world.has(ALICE, |event| matches!(event, Event::TextArrived { .. })));
    }
}

#[test]
fn a_repeated_text_is_handed_on_once() {
    let mut world = registrar();
    let mut maria = device(7, "maria");
    sends(&mut world, &mut maria, "paolo", PLAIN, "ciao");
    let last = world.agents[ALICE].events.len();
    let again = message(&mut maria, "paolo", PLAIN, "ciao", "");
    // The same branch and CSeq as before: a retransmission.
    let again = again.replace("CSeq: 3 ", "CSeq: 2 ").replace("z9hG4bKmd3", "z9hG4bKmd2");
    world.inject(maria.at, ALICE, &again);
    world.run_for(20);
    let texts = world.count(ALICE, |event| matches!(event, Event::TextArrived { .. }));
    assert_eq!(texts, 1, "{:?}", &world.agents[ALICE].events[last..]);
}

#[test]
fn strangers_send_no_texts() {
    let mut world = World::pair();
    let mut phone = device(7, "maria");
    let text = message(&mut phone, "paolo", PLAIN, "buy!", "");
    world.inject(phone.at, ALICE, &text);
    world.run_for(20);
    assert!(world.take(phone.at)[0].starts_with("SIP/2.0 403"));
}
