//! Registrar extensions: Path, GRUU, several flows of one device, q (RFC 3327, 5626, 5627).

use crate::accounts::*;
use crate::world::*;
use sip::ua::*;

fn uris(world: &World) -> Vec<String> {
    world.agents[ALICE].ua.contacts("maria").iter().map(|contact| contact.uri.clone()).collect()
}

const INSTANCE: &str = ";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\"";

#[test]
fn the_proxies_between_us_and_a_device_are_kept_and_given_back() {
    let mut world = registrar();
    let mut phone = device(7, "maria");
    let path = "Path: <sip:edge1.example;lr>, <sip:edge2.example;lr>\n";
    let more = phone.contact("") + "Supported: path\n" + path;
    let ok = phone.registers(&mut world, &more);
    assert_eq!(header(&ok, "Path"), Some("<sip:edge1.example;lr>, <sip:edge2.example;lr>"));
    let contact = world.agents[ALICE].ua.contacts("maria")[0].clone();
    assert_eq!(contact.path, ["<sip:edge1.example;lr>", "<sip:edge2.example;lr>"]);
}

#[test]
fn a_device_that_knows_of_grruus_is_told_its_own() {
    let mut world = registrar();
    let mut phone = device(7, "maria");
    let ok = phone.registers(&mut world, &(phone.contact(INSTANCE) + "Supported: gruu\n"));
    let contact = header(&ok, "Contact").unwrap();
    let gruu = "pub-gruu=\"sip:maria@help.example;gr=urn:uuid:00000000-0000-1000-8000-000A95A0E128\"";
    assert!(contact.contains(gruu), "{contact}");
    let mut other = device(8, "maria");
    let ok = other.registers(&mut world, &other.contact(INSTANCE));
    assert!(!ok.contains("gruu="), "who does not ask is told nothing: {ok}");
}

#[test]
fn one_device_may_keep_two_flows_and_loses_one_without_the_other() {
    let mut world = registrar();
    world.transport = Transport::Tcp;
    let more = |number: usize, reg_id: u32| {
        let params = format!("{INSTANCE};reg-id={reg_id}");
        format!("Contact: <sip:maria@10.0.0.8:5060>{params}\nSupported: outbound, path\nX: {number}\n")
    };
    let mut first = device(7, "maria");
    let ok = first.registers(&mut world, &more(7, 1));
    assert_eq!((header(&ok, "Require"), header(&ok, "Flow-Timer")), (Some("outbound"), Some("120")));
    assert!(header(&ok, "Contact").unwrap().contains("reg-id=1"), "{ok}");
    let mut second = device(8, "maria");
    second.registers(&mut world, &more(8, 2));
    assert_eq!(uris(&world).len(), 2, "one URI, two flows");
    let flow = Flow { transport: Transport::Tcp, local: address(ALICE), remote: second.at };
    world.agents[ALICE].ua.handle(world.now, Input::FlowFailed { flow });
    world.drain(ALICE);
    let left = world.agents[ALICE].ua.contacts("maria").to_vec();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].flow.remote, first.at, "the next flow is left");
    let mut again = device(9, "maria");
    again.registers(&mut world, &more(9, 1));
    assert_eq!(
        world.agents[ALICE].ua.contacts("maria").len(),
        1,
        "the same flow anew takes the place of the old"
    );
}

#[test]
fn a_broken_stream_takes_the_contacts_that_are_on_it_now_and_no_others() {
    let mut world = registrar();
    world.transport = Transport::Tcp;
    let (mut here, mut there) = (device(7, "maria"), device(8, "maria"));
    let mut other = device(9, "paolo");
    for phone in [&mut here, &mut there, &mut other] {
        assert!(phone.registers(&mut world, &phone.contact("")).starts_with("SIP/2.0 200"));
    }
    // The same contact by another stream: the first one is nothing to it any more.
    let contact = here.contact("");
    here.at = address(6);
    assert!(here.registers(&mut world, &contact).starts_with("SIP/2.0 200"));
    let fails = |world: &mut World, number: usize| {
        let flow = world.flow(ALICE, number);
        world.agents[ALICE].ua.handle(world.now, Input::FlowFailed { flow });
        world.drain(ALICE);
        let of = |user| world.agents[ALICE].ua.contacts(user).len();
        (of("maria"), of("paolo"))
    };
    assert_eq!(fails(&mut world, 7), (2, 1));
    assert_eq!(fails(&mut world, 8), (1, 1));
    assert_eq!(fails(&mut world, 6), (0, 1));
    assert_eq!(fails(&mut world, 9), (0, 0));
    assert_eq!(world.count(ALICE, |e| matches!(e, Event::Unregistered { why: Gone::FlowLost, .. })), 2);
}

#[test]
fn a_flow_behind_a_proxy_that_does_not_keep_it_is_refused_with_439() {
    let mut world = registrar();
    let mut phone = device(7, "maria");
    let contact = phone.contact(&format!("{INSTANCE};reg-id=1")) + "Supported: outbound, path\n";
    let via = "Via: SIP/2.0/UDP 10.0.0.99;branch=z9hG4bKedge\n";
    let refused = phone.registers(&mut world, &format!("{contact}{via}"));
    assert!(refused.starts_with("SIP/2.0 439"), "{refused}");
    let ok = phone.registers(&mut world, &format!("{contact}{via}Path: <sip:token@edge.example;lr;ob>\n"));
    assert!(ok.starts_with("SIP/2.0 200"), "{ok}");
}

#[test]
fn the_contact_with_the_highest_q_is_called_first_and_of_equals_the_newest() {
    let mut world = registrar();
    for (number, q) in [(7, ";q=0.5"), (8, ";q=0.2")] {
        let mut phone = device(number, "maria");
        let contact = phone.contact(q);
        phone.registers(&mut world, &contact);
    }
    assert_eq!(uris(&world).last().map(String::as_str), Some("sip:maria@10.0.0.8:5060"));
    let mut phone = device(8, "maria");
    phone.cseq = 10;
    let contact = phone.contact(";q=0.5");
    phone.registers(&mut world, &contact);
    assert_eq!(uris(&world).last().map(String::as_str), Some("sip:maria@10.0.0.9:5060"));
}

#[test]
fn a_register_may_require_what_we_can() {
    let mut world = registrar();
    let mut phone = device(7, "maria");
    let more = phone.contact("") + "Require: path, gruu, outbound\n";
    assert!(phone.registers(&mut world, &more).starts_with("SIP/2.0 200"));
}
