//! GRUUs (RFC 5627): what a device is told, whom each names and for how long, and dialogs with who has one as Contact.

use crate::accounts::*;
use crate::subscriptions::subscribe;
use crate::world::*;
use sip::ua::*;

/// The lasting names of two devices.
const DESK: &str = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
const SOFT: &str = "urn:uuid:00000000-0000-1000-8000-000a95a0e128";

/// Registers as this device; gives the answer.
fn registers(world: &mut World, phone: &mut Device, instance: &str, more: &str) -> String {
    let contact = phone.contact(&format!(";+sip.instance=\"<{instance}>\""));
    phone.registers(world, &format!("{contact}Supported: gruu\n{more}"))
}

/// The last of this kind that an answer tells.
fn told(answer: &str, kind: &str) -> String {
    let begins = format!("{kind}=\"");
    answer
        .rsplit_once(&begins)
        .unwrap_or_else(|| panic!("no {kind} in {answer}"))
        .1
        .split('"')
        .next()
        .unwrap()
        .into()
}

/// Where the device is that this URI names, or why it is nowhere; nothing if it is no GRUU of ours.
fn reached(world: &World, uri: &str) -> Option<Result<String, u16>> {
    let ua = &world.agents[ALICE].ua;
    Some(ua.device(uri)?.map(|device| ua.contact_of(&device).unwrap().flow.remote.to_string()))
}

fn at(phone: &Device) -> Option<Result<String, u16>> {
    Some(Ok(phone.at.to_string()))
}

#[test]
fn each_device_of_an_account_is_reached_by_its_own_two_and_by_no_other() {
    let mut world = registrar();
    let (mut desk, mut soft) = (device(7, "maria"), device(8, "maria"));
    let first = registers(&mut world, &mut desk, DESK, "");
    let second = registers(&mut world, &mut soft, SOFT, "");
    assert_eq!(told(&first, "pub-gruu"), format!("sip:maria@help.example;gr={DESK}"));
    let temporary = told(&first, "temp-gruu");
    assert!(temporary.starts_with("sip:tgruu.") && temporary.ends_with("@help.example;gr"), "{temporary}");
    for (answer, phone) in [(&first, &desk), (&second, &soft)] {
        for kind in ["pub-gruu", "temp-gruu"] {
            assert_eq!(reached(&world, &told(answer, kind)), at(phone), "{kind}");
        }
    }
    let written_otherwise = format!("sip:maria@10.0.0.1;gr={}", SOFT.to_uppercase());
    assert_eq!(reached(&world, &written_otherwise), at(&soft), "the host is whatever they know us by");
}

#[test]
fn a_temporary_one_is_new_each_time_and_tells_nothing_of_whose_it_is() {
    let mut world = registrar();
    let (mut maria, mut paolo) = (device(7, "maria"), device(8, "paolo"));
    let mut seen: Vec<String> = Vec::new();
    for _ in 0..5 {
        seen.push(told(&registers(&mut world, &mut maria, DESK, ""), "temp-gruu"));
        seen.push(told(&registers(&mut world, &mut paolo, SOFT, ""), "temp-gruu"));
    }
    for (number, one) in seen.iter().enumerate() {
        assert!(!one.contains("maria") && !one.contains("paolo") && one.len() == seen[0].len(), "{one}");
        assert!(!seen[..number].contains(one), "{one} twice");
        let owner = if number % 2 == 0 { &maria } else { &paolo };
        assert_eq!(reached(&world, one), at(owner), "all of one registration hold");
    }
}

#[test]
fn a_new_call_id_takes_all_earlier_temporary_ones_and_leaves_the_public_one() {
    let mut world = registrar();
    let mut phone = device(7, "maria");
    let first = registers(&mut world, &mut phone, DESK, "");
    let refreshed = registers(&mut world, &mut phone, DESK, "");
    phone.call_id = "after-the-start";
    let anew = registers(&mut world, &mut phone, DESK, "");
    for answer in [&first, &refreshed] {
        assert_eq!(reached(&world, &told(answer, "temp-gruu")), Some(Err(404)));
    }
    assert_eq!(reached(&world, &told(&anew, "temp-gruu")), at(&phone));
    assert_eq!(reached(&world, &told(&first, "pub-gruu")), at(&phone));
}

#[test]
fn a_device_that_is_gone_is_not_registered_by_its_public_one_and_unknown_by_its_temporary_ones() {
    let mut world = registrar();
    let mut phone = device(7, "maria");
    let ok = registers(&mut world, &mut phone, DESK, "Expires: 60\n");
    let (public, temporary) = (told(&ok, "pub-gruu"), told(&ok, "temp-gruu"));
    world.run_for(61_000);
    assert_eq!(reached(&world, &public), Some(Err(480)));
    assert_eq!(reached(&world, &temporary), Some(Err(404)));
    let again = registers(&mut world, &mut phone, DESK, "");
    assert_eq!(reached(&world, &public), at(&phone), "the public one is for ever");
    assert_eq!(
        reached(&world, &temporary),
        Some(Err(404)),
        "its registration had ended, whatever the Call-ID"
    );
    assert_eq!(reached(&world, &told(&again, "temp-gruu")), at(&phone));
    phone.registers(&mut world, "Contact: *\nExpires: 0\n");
    assert_eq!(reached(&world, &told(&again, "temp-gruu")), Some(Err(404)));
}

#[test]
fn what_never_was_a_gruu_of_ours_is_404_and_what_is_no_business_of_ours_is_none() {
    let mut world = registrar();
    let mut phone = device(7, "maria");
    let ok = registers(&mut world, &mut phone, DESK, "");
    let temporary = told(&ok, "temp-gruu");
    let sealed = temporary.split(['.', '@']).nth(1).unwrap();
    for (uri, reaches) in [
        (format!("sip:maria@help.example;gr={SOFT}"), Some(Err(480))),
        ("sip:maria@help.example;gr".to_owned(), Some(Err(404))),
        (format!("sip:nobody@help.example;gr={DESK}"), Some(Err(404))),
        (format!("sip:nobody@elsewhere.example;gr={DESK}"), None),
        ("sip:maria@help.example".to_owned(), None),
        ("sip:tgruu.@help.example;gr".to_owned(), Some(Err(404))),
        (format!("sip:tgruu.{}@help.example;gr", sealed.to_uppercase()), Some(Err(404))),
        (format!("sip:tgruu.{sealed}{sealed}@help.example;gr"), Some(Err(404))),
        (format!("sip:tgruu.{}@help.example;gr", "A".repeat(60_000)), Some(Err(404))),
        (format!("sip:tgruu.{sealed}@help.example"), None),
        ("maria".to_owned(), None),
    ] {
        assert_eq!(reached(&world, &uri), reaches, "{uri}");
    }
}

#[test]
fn of_several_flows_of_one_device_the_newest_is_taken_and_all_must_end_before_a_temporary_one_does() {
    let mut world = registrar();
    world.transport = Transport::Tcp;
    let flow = |phone: &Device, reg_id: u32| {
        let instance = format!(";+sip.instance=\"<{DESK}>\";reg-id={reg_id}");
        phone.contact(&instance) + "Supported: gruu, outbound, path\n"
    };
    let (mut first, mut second) = (device(7, "maria"), device(8, "maria"));
    second.call_id = first.call_id;
    let (one, two) = (flow(&first, 1), flow(&second, 2));
    let early = told(&first.registers(&mut world, &one), "temp-gruu");
    second.cseq = 10;
    second.registers(&mut world, &two);
    let public = format!("sip:maria@help.example;gr={DESK}");
    assert_eq!((reached(&world, &public), reached(&world, &early)), (at(&second), at(&second)));
    let fails = |world: &mut World, number: usize| {
        let flow = world.flow(ALICE, number);
        world.agents[ALICE].ua.handle(world.now, Input::FlowFailed { flow });
        world.drain(ALICE);
    };
    fails(&mut world, 8);
    assert_eq!((reached(&world, &public), reached(&world, &early)), (at(&first), at(&first)));
    fails(&mut world, 7);
    assert_eq!((reached(&world, &public), reached(&world, &early)), (Some(Err(480)), Some(Err(404))));
}

#[test]
fn who_does_not_know_of_gruus_or_has_no_name_to_be_made_one_of_is_told_none() {
    let long = format!(";+sip.instance=\"<{}>\"", "a".repeat(200));
    let named = format!(";+sip.instance=\"<{DESK}>\"");
    let knows = "Supported: gruu\n";
    for (params, more) in
        [(named.as_str(), ""), ("", knows), (&long, knows), (";+sip.instance=\"<>\"", knows)]
    {
        let mut world = registrar();
        let mut phone = device(7, "maria");
        let contact = phone.contact(params);
        let ok = phone.registers(&mut world, &format!("{contact}{more}"));
        assert!(ok.starts_with("SIP/2.0 200") && !ok.contains("gruu=\""), "{ok}");
    }
}

#[test]
fn a_contact_that_is_ours_for_whoever_registers_it_is_refused_with_403() {
    let mut world = registrar();
    let mut phone = device(7, "maria");
    let ok = registers(&mut world, &mut phone, DESK, "");
    for uri in [told(&ok, "pub-gruu"), told(&ok, "temp-gruu"), "sip:maria@help.example".to_owned()] {
        let refused = phone.registers(&mut world, &format!("Contact: <{uri}>\nSupported: gruu\n"));
        assert!(refused.starts_with("SIP/2.0 403"), "{uri}: {refused}");
    }
    assert_eq!(world.agents[ALICE].ua.contacts("maria").len(), 1);
}

#[test]
fn a_secure_contact_has_secure_gruus() {
    let mut world = registrar();
    let mut phone = device(7, "maria");
    let contact =
        format!("Contact: <sips:maria@10.0.0.8:5060>;+sip.instance=\"<{DESK}>\"\nSupported: gruu\n");
    let ok = phone.registers(&mut world, &contact);
    assert!(told(&ok, "pub-gruu").starts_with("sips:maria@help.example;gr=urn:uuid:"), "{ok}");
    assert!(told(&ok, "temp-gruu").starts_with("sips:tgruu."), "{ok}");
    assert_eq!(reached(&world, &told(&ok, "temp-gruu")), at(&phone));
}

/// The exchange calls the device, which answers with this Contact; the messages of that are taken away.
fn talking_with(world: &mut World, phone: &Device, contact: &str) -> (SessionId, String) {
    let session = world.agents[ALICE].ua.reserve().unwrap();
    let there = world.agents[ALICE].ua.contacts(phone.user).last().unwrap().clone();
    world.act(ALICE, Do::Call { session, call: plain_call(there.flow.into(), &there.uri) });
    world.run_for(20);
    let invite = world.take(phone.at).pop().unwrap();
    let ok = answer_to(&invite, "200 OK", &format!("Contact: <{contact}>\n"));
    world.inject(phone.at, ALICE, &ok);
    world.run_for(20);
    let ack = world.take(phone.at).pop().unwrap();
    (session, ack)
}

#[test]
fn requests_to_a_device_that_has_its_gruu_as_contact_reach_it_where_it_is_by_then() {
    for kind in ["pub-gruu", "temp-gruu"] {
        let mut world = registrar();
        let mut phone = device(7, "maria");
        let gruu = told(&registers(&mut world, &mut phone, DESK, ""), kind);
        let (session, ack) = talking_with(&mut world, &phone, &gruu);
        assert!(ack.starts_with("ACK sip:maria@10.0.0.8:5060 SIP/2.0"), "{ack}");
        // It came back on another network, with a start anew.
        phone.at = address(5);
        registers(&mut world, &mut phone, DESK, "");
        world.act(ALICE, Do::HangUp { session, q850: None });
        world.run_for(20);
        assert!(world.take_nothing(address(7)));
        let bye = world.take(phone.at).pop().unwrap();
        assert!(bye.starts_with("BYE sip:maria@10.0.0.6:5060 SIP/2.0"), "{bye}");
    }
}

#[test]
fn requests_to_a_device_that_is_gone_go_where_it_was() {
    let mut world = registrar();
    let mut phone = device(7, "maria");
    let gruu = told(&registers(&mut world, &mut phone, DESK, "Expires: 60\n"), "pub-gruu");
    let (session, _) = talking_with(&mut world, &phone, &gruu);
    world.run_for(61_000);
    world.act(ALICE, Do::HangUp { session, q850: None });
    world.run_for(20);
    let bye = world.take(phone.at).pop().unwrap();
    assert!(bye.starts_with("BYE sip:maria@10.0.0.8:5060 SIP/2.0"), "{bye}");
}

#[test]
fn whoever_names_the_gruu_of_another_as_contact_does_not_send_us_there() {
    let mut world = registrar();
    let (mut maria, mut paolo) = (device(7, "maria"), device(8, "paolo"));
    let gruu = told(&registers(&mut world, &mut maria, DESK, ""), "pub-gruu");
    registers(&mut world, &mut paolo, SOFT, "");
    let (session, ack) = talking_with(&mut world, &paolo, &gruu);
    assert!(ack.starts_with(&format!("ACK {gruu} SIP/2.0")), "{ack}");
    world.act(ALICE, Do::HangUp { session, q850: None });
    world.run_for(20);
    assert!(world.take_nothing(maria.at));
    assert!(world.take(paolo.at).pop().unwrap().starts_with(&format!("BYE {gruu} ")));
}

#[test]
fn a_call_of_a_device_that_has_its_gruu_as_contact_is_ended_at_its_flow() {
    let mut world = registrar();
    let mut phone = device(7, "maria");
    let gruu = told(&registers(&mut world, &mut phone, DESK, ""), "temp-gruu");
    let says = |world: &mut World, more: &str, id: &str| {
        let contact = format!("Contact: <sip:x@{}>", address(7));
        let invite = invite(address(7), id, more).replace(&contact, &format!("Contact: <{gruu}>"));
        assert!(invite.contains("tgruu."), "{invite}");
        world.inject(address(7), ALICE, &invite);
        world.run_for(20);
        world.take(address(7))
    };
    let challenge = says(&mut world, "", "first").pop().unwrap();
    let proof = phone.authorization(&challenge, "INVITE");
    says(&mut world, &proof, "second");
    let session = world.incoming(ALICE);
    world.act(ALICE, Do::Accept { session, sdp: ANSWER.to_vec() });
    world.run_for(20);
    let ok = world.take(phone.at).pop().unwrap();
    world.inject(phone.at, ALICE, &request_in(&ok, "ACK", 1, ""));
    phone.at = address(5);
    registers(&mut world, &mut phone, DESK, "");
    world.act(ALICE, Do::HangUp { session, q850: None });
    world.run_for(20);
    let bye = world.take(phone.at).pop().unwrap();
    assert!(bye.starts_with("BYE sip:maria@10.0.0.6:5060 SIP/2.0"), "{bye}");
}

#[test]
fn whoever_watches_by_a_gruu_is_told_where_it_is_by_then_and_forgotten_when_that_stream_breaks() {
    let mut world = registrar();
    world.transport = Transport::Tcp;
    let mut phone = device(7, "maria");
    let gruu = told(&registers(&mut world, &mut phone, DESK, ""), "pub-gruu");
    let contact = format!("Contact: <sip:maria@{}>", phone.at);
    let watches = |world: &mut World, phone: &mut Device, proof: &str| {
        let text = subscribe(phone, "paolo", "", "Event: dialog\n", proof);
        assert!(text.contains(&contact), "{text}");
        world.inject(phone.at, ALICE, &text.replace(&contact, &format!("Contact: <{gruu}>")));
        world.run_for(20);
        world.take(phone.at)
    };
    let challenge = watches(&mut world, &mut phone, "").pop().unwrap();
    let proof = phone.authorization(&challenge, "SUBSCRIBE");
    let first = watches(&mut world, &mut phone, &proof).pop().unwrap();
    assert!(first.starts_with("NOTIFY sip:maria@10.0.0.8:5060 "), "{first}");
    world.inject(phone.at, ALICE, &answer_to(&first, "200 OK", ""));
    phone.at = address(5);
    registers(&mut world, &mut phone, DESK, "");
    world.act(ALICE, Do::Occupation { user: "paolo".into(), occupation: Occupation::Talking });
    world.run_for(20);
    let next = world.take(phone.at).pop().unwrap();
    assert!(next.starts_with("NOTIFY sip:maria@10.0.0.6:5060 "), "{next}");
    for (number, left) in [(7, 1), (5, 0)] {
        let flow = world.flow(ALICE, number);
        world.agents[ALICE].ua.handle(world.now, Input::FlowFailed { flow });
        world.drain(ALICE);
        assert_eq!(world.agents[ALICE].ua.load().subscriptions, left, "{number}");
    }
}

/// What a registrar should know of one contact: the device, its flow, the Call-ID, and which registration that is.
struct Bound {
    device: &'static str,
    flow: u64,
    call_id: &'static str,
    registration: usize,
}

/// A device, flow by flow, registers, comes back with another Call-ID, and leaves, in any order.
#[test]
fn a_temporary_one_holds_exactly_as_long_as_its_registration_has_a_contact() {
    for seed in 0..20 {
        let mut rng = base::Seed::from_number(seed).rng();
        let mut config = open_config(ALICE);
        (config.open_to, config.accounts) = (vec![], vec![account("maria")]);
        let mut world = World::of(vec![config], seed);
        let mut phone = device(7, "maria");
        let (mut bound, mut given): (Vec<Bound>, Vec<(String, usize, &str)>) = (Vec::new(), Vec::new());
        for step in 0..40 {
            let name = [DESK, SOFT][rng.below(2) as usize];
            // Without flows of its own, and two of them.
            let flow = rng.below(3);
            phone.call_id = ["one", "two"][rng.below(2) as usize];
            phone.at = address(2 + flow as usize);
            let leaves = rng.below(4) == 0;
            let reg_id = if flow > 0 { format!(";reg-id={flow}") } else { String::new() };
            let contact = format!(
                "Contact: <sip:{}@{}>;+sip.instance=\"<{name}>\"{reg_id};expires={}\nSupported: gruu, outbound\n",
                &name[9..17],
                phone.at,
                if leaves { 0 } else { 3_600 }
            );
            let ok = phone.registers(&mut world, &contact);
            assert!(ok.starts_with("SIP/2.0 200"), "{ok}");
            let before = bound.iter().position(|it| it.device == name && it.flow == flow);
            let before = before.map(|at| bound.remove(at));
            if !leaves {
                let same = |it: &&Bound| it.device == name && it.call_id == phone.call_id;
                let kept = before.as_ref().filter(same).or_else(|| bound.iter().find(same));
                let registration = kept.map_or(1_000 * seed as usize + step, |it| it.registration);
                bound.push(Bound { device: name, flow, call_id: phone.call_id, registration });
                let own = ok.lines().find(|line| line.contains(name) && line.contains(&phone.at.to_string()));
                given.push((told(own.unwrap(), "temp-gruu"), registration, name));
            }
            for (temporary, registration, name) in &given {
                let holds = bound.iter().any(|it| it.registration == *registration);
                let found = world.agents[ALICE].ua.device(temporary).unwrap();
                let expected = if holds { Ok(format!("<{name}>")) } else { Err(404) };
                assert_eq!(found.map(|device| device.instance), expected, "seed {seed}, step {step}");
            }
        }
        assert!(given.len() > 20, "seed {seed}");
    }
}

#[test]
fn a_device_that_does_not_answer_by_one_of_its_flows_is_called_by_the_other() {
    let mut world = registrar();
    let flow = |reg_id: u32| {
        let params = format!(";+sip.instance=\"<{DESK}>\";reg-id={reg_id}");
        format!("Contact: <sip:maria@10.0.0.8:5060>{params}\nSupported: gruu, outbound\n")
    };
    let (mut first, mut second) = (device(7, "maria"), device(8, "maria"));
    first.registers(&mut world, &flow(1));
    second.registers(&mut world, &flow(2));
    let gruu = format!("sip:maria@help.example;gr={DESK}");
    let ua = &mut world.agents[ALICE].ua;
    let contact = ua.contact_of(&ua.device(&gruu).unwrap().unwrap()).unwrap().clone();
    let towards = ua.towards("maria", &contact);
    let session = ua.reserve().unwrap();
    world.act(ALICE, Do::Call { session, call: plain_call(towards, &contact.uri) });
    world.run_for(3_900);
    assert!(world.take(second.at).iter().any(|text| text.starts_with("INVITE ")), "the newest first");
    assert!(!world.take(first.at).iter().any(|text| text.starts_with("INVITE ")));
    world.run_for(200);
    let invite = world.take(first.at).pop().unwrap();
    assert!(invite.starts_with("INVITE sip:maria@10.0.0.8:5060 "), "{invite}");
    let ok = answer_to(&invite, "200 OK", &format!("Contact: <{gruu}>\n"));
    world.inject(first.at, ALICE, &ok);
    world.run_for(20);
    let ack = world.take(first.at).pop().unwrap();
    assert!(ack.starts_with("ACK sip:maria@10.0.0.8:5060 "), "by the flow that works: {ack}");
    world.act(ALICE, Do::HangUp { session, q850: None });
    world.run_for(20);
    assert!(world.take(first.at).pop().unwrap().starts_with("BYE sip:maria@10.0.0.8:5060 "));
}

#[test]
fn a_colleagues_device_at_the_same_address_is_no_flow_of_this_one() {
    let mut world = registrar();
    let (mut desk, mut soft) = (device(7, "maria"), device(8, "maria"));
    for (phone, name) in [(&mut desk, DESK), (&mut soft, SOFT)] {
        let params = format!(";+sip.instance=\"<{name}>\";reg-id=1");
        phone.registers(
            &mut world,
            &format!("Contact: <sip:maria@10.0.0.8:5060>{params}\nSupported: outbound\n"),
        );
    }
    let ua = &world.agents[ALICE].ua;
    for contact in ua.contacts("maria") {
        assert_eq!(ua.towards("maria", contact), Towards::Flows(vec![contact.flow]));
    }
    assert_eq!(ua.contacts("maria").len(), 2);
}
