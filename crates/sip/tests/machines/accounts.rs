//! Accounts of ours: who may register and call, and where they are reached (RFC 3261 §10.3, §22).

use crate::world::*;
use sip::ua::*;
use std::net::SocketAddr;
use std::time::Duration;

/// A registrar for maria and paolo, open to nobody else.
pub(crate) fn registrar() -> World {
    World::of(vec![closed()], 1)
}

fn closed() -> Config {
    let mut config = open_config(ALICE);
    config.open_to = vec![];
    config.accounts = vec![account("maria"), account("paolo")];
    config.limits.contacts = 2;
    config
}

/// A device of the test's own: its address, Call-ID and CSeq.
pub(crate) struct Device {
    pub(crate) at: SocketAddr,
    pub(crate) call_id: &'static str,
    pub(crate) cseq: u32,
    pub(crate) user: &'static str,
    password: String,
}

pub(crate) fn device(number: usize, user: &'static str) -> Device {
    let call_id = ["a", "b", "c", "d"][number % 4];
    Device { at: address(number), call_id, cseq: 0, user, password: account(user).password }
}

impl Device {
    /// It proves itself by this from now on.
    pub(crate) fn knows(&mut self, password: &str) {
        self.password = password.to_owned();
    }

    fn register(&mut self, more: &str, authorization: &str) -> String {
        self.cseq += 1;
        let Device { at, call_id, cseq, user, .. } = self;
        format!(
            "REGISTER sip:help.example SIP/2.0\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{call_id}{cseq}\n\
             From: <sip:{user}@help.example>;tag=f\nTo: <sip:{user}@help.example>\nCall-ID: {call_id}\n\
             CSeq: {cseq} REGISTER\nUser-Agent: Desk phone\n{more}{authorization}Max-Forwards: 70\nContent-Length: 0\n\n"
        )
    }

    pub(crate) fn contact(&self, params: &str) -> String {
        format!("Contact: <sip:{}@{}>{params}\n", self.user, self.at)
    }

    /// Registers with the challenge answered; gives the final answer.
    pub(crate) fn registers(&mut self, world: &mut World, more: &str) -> String {
        let challenge = self.says(world, more, "");
        assert!(challenge.starts_with("SIP/2.0 401"), "{challenge}");
        let answer = self.authorization(&challenge, "REGISTER");
        self.says(world, more, &answer)
    }

    fn says(&mut self, world: &mut World, more: &str, authorization: &str) -> String {
        let text = self.register(more, authorization);
        world.inject(self.at, ALICE, &text);
        world.run_for(20);
        world.take(self.at).pop().expect("an answer")
    }

    pub(crate) fn authorization(&self, challenge: &str, method: &str) -> String {
        let challenges: Vec<&str> =
            challenge.lines().filter_map(|line| line.strip_prefix("WWW-Authenticate: ")).collect();
        let uri = "sip:help.example";
        let asking = sip::digest::Asking {
            method,
            uri,
            user: self.user,
            password: &self.password,
            cnonce: "0a4f113b",
            nonce_count: 1,
        };
        format!("Authorization: {}\n", sip::digest::respond(&challenges, &asking).unwrap())
    }
}

fn contacts(world: &World, user: &str) -> Vec<String> {
    world.agents[ALICE].ua.contacts(user).iter().map(|contact| contact.uri.clone()).collect()
}

fn gone(world: &World) -> Vec<Gone> {
    let events = world.agents[ALICE].events.iter();
    events
        .filter_map(|(_, e)| if let Event::Unregistered { why, .. } = e { Some(*why) } else { None })
        .collect()
}

#[test]
fn a_device_registers_after_a_challenge_refreshes_and_runs_out() {
    let mut world = registrar();
    let mut phone = device(7, "maria");
    let contact = phone.contact(";expires=600");
    let ok = phone.registers(&mut world, &contact);
    assert!(ok.starts_with("SIP/2.0 200"));
    assert_eq!(header(&ok, "Contact"), Some("<sip:maria@10.0.0.8:5060>;expires=600"));
    let kept = world.agents[ALICE].ua.contacts("maria")[0].clone();
    assert_eq!((kept.flow.remote, kept.user_agent.as_str()), (phone.at, "Desk phone"));
    world.run_for(300_000);
    phone.registers(&mut world, &contact);
    let news: Vec<bool> = world.agents[ALICE]
        .events
        .iter()
        .filter_map(|(_, e)| if let Event::Registered { new, .. } = e { Some(*new) } else { None })
        .collect();
    assert_eq!(news, [true, false]);
    world.run_for(599_000);
    assert_eq!(contacts(&world, "maria").len(), 1);
    world.run_for(1_100);
    assert_eq!((contacts(&world, "maria").len(), gone(&world)), (0, vec![Gone::Expired]));
    world.assert_idle();
}

#[test]
fn a_challenge_offers_sha_256_before_md5() {
    let mut world = registrar();
    let challenge = device(7, "maria").says(&mut world, "", "");
    let offered: Vec<&str> = challenge.lines().filter(|line| line.starts_with("WWW-Authenticate")).collect();
    assert!(offered[0].contains("SHA-256") && offered[1].contains("MD5"), "{challenge}");
}

#[test]
fn a_wrong_password_an_unknown_user_and_a_foreign_address_are_blocked() {
    let mut world = registrar();
    let mut phone = device(7, "maria");
    phone.password = "guess".into();
    assert!(phone.registers(&mut world, "").starts_with("SIP/2.0 401"));
    assert!(world.has(ALICE, |e| matches!(e, Event::Blocked { rule: "bad_credentials", .. })));
    let mut stranger = device(8, "maria");
    stranger.user = "nobody";
    assert!(stranger.registers(&mut world, "").starts_with("SIP/2.0 401"));
    assert_eq!(world.count(ALICE, |e| matches!(e, Event::Blocked { rule: "bad_credentials", .. })), 2);
    // Paolo with his own password may not say where Maria is.
    let mut paolo = device(9, "paolo");
    let challenge = paolo.says(&mut world, "", "");
    let answer = paolo.authorization(&challenge, "REGISTER");
    let text = paolo.register("", &answer).replace("To: <sip:paolo", "To: <sip:maria");
    world.inject(paolo.at, ALICE, &text);
    world.run_for(20);
    assert!(world.take(paolo.at)[0].starts_with("SIP/2.0 403"));
}

#[test]
fn a_repeated_register_gets_its_answer_again_but_a_replayed_one_is_blocked() {
    let mut world = registrar();
    let mut phone = device(7, "maria");
    let challenge = phone.says(&mut world, "", "");
    let answer = phone.authorization(&challenge, "REGISTER");
    let text = phone.register("", &answer);
    for _ in 0..2 {
        world.inject(phone.at, ALICE, &text);
        world.run_for(20);
        assert!(world.take(phone.at)[0].starts_with("SIP/2.0 200"));
    }
    let replayed = phone.says(&mut world, "", &answer);
    assert!(replayed.starts_with("SIP/2.0 401") && replayed.contains("stale=true"), "{replayed}");
    assert!(world.has(ALICE, |e| matches!(e, Event::Blocked { rule: "replayed_nonce", .. })));
}

#[test]
fn an_old_nonce_is_stale_and_nobody_is_blocked() {
    let mut world = registrar();
    let mut phone = device(7, "maria");
    let challenge = phone.says(&mut world, "", "");
    let answer = phone.authorization(&challenge, "REGISTER");
    world.run_for(301_000);
    let stale = phone.says(&mut world, "", &answer);
    assert!(stale.starts_with("SIP/2.0 401") && stale.contains("stale=true"), "{stale}");
    assert!(!world.has(ALICE, |e| matches!(e, Event::Blocked { .. })));
}

#[test]
fn too_brief_is_423_and_too_long_is_cut() {
    let mut world = registrar();
    let mut phone = device(7, "maria");
    let brief = phone.contact(";expires=59");
    let refused = phone.registers(&mut world, &brief);
    assert!(refused.starts_with("SIP/2.0 423"));
    assert_eq!(header(&refused, "Min-Expires"), Some("60"));
    let long = format!("{}Expires: 999999\n", phone.contact(""));
    assert!(header(&phone.registers(&mut world, &long), "Contact").unwrap().ends_with(";expires=7200"));
    let usual = phone.contact("");
    assert!(header(&phone.registers(&mut world, &usual), "Contact").unwrap().ends_with(";expires=3600"));
}

#[test]
fn a_device_takes_one_contact_back_or_all() {
    let mut world = registrar();
    let (mut desk, mut mobile) = (device(7, "maria"), device(8, "maria"));
    let there = desk.contact(";expires=600");
    desk.registers(&mut world, &there);
    let there = mobile.contact(";expires=600");
    let listed = mobile.registers(&mut world, &there);
    assert_eq!(listed.lines().filter(|line| line.starts_with("Contact")).count(), 2);
    let away = desk.contact(";expires=0");
    desk.registers(&mut world, &away);
    assert_eq!(contacts(&world, "maria"), ["sip:maria@10.0.0.9:5060"]);
    assert!(gone(&world).is_empty());
    desk.registers(&mut world, "Contact: *\nExpires: 0\n");
    assert_eq!((contacts(&world, "maria").len(), gone(&world)), (0, vec![Gone::ByDevice]));
}

#[test]
fn a_star_needs_expires_0_and_stands_alone() {
    let mut world = registrar();
    let mut phone = device(7, "maria");
    assert!(phone.registers(&mut world, "Contact: *\n").starts_with("SIP/2.0 400"));
    assert!(phone.registers(&mut world, "Contact: *\nExpires: 60\n").starts_with("SIP/2.0 400"));
    let both = format!("Contact: *\nExpires: 0\n{}", phone.contact(""));
    assert!(phone.registers(&mut world, &both).starts_with("SIP/2.0 400"));
}

#[test]
fn a_third_contact_of_two_is_503_and_changes_nothing() {
    let mut world = registrar();
    let mut phones = [device(7, "maria"), device(8, "maria"), device(9, "maria")];
    for phone in phones.iter_mut().take(2) {
        let there = phone.contact(";expires=600");
        phone.registers(&mut world, &there);
    }
    let there = phones[2].contact(";expires=600");
    assert!(phones[2].registers(&mut world, &there).starts_with("SIP/2.0 503"));
    assert_eq!(contacts(&world, "maria"), ["sip:maria@10.0.0.8:5060", "sip:maria@10.0.0.9:5060"]);
    assert!(world.has(ALICE, |e| matches!(e, Event::Blocked { rule: "capacity", .. })));
}

#[test]
fn a_device_that_moved_takes_the_place_of_its_old_contact() {
    let mut world = registrar();
    let mut phone = device(7, "maria");
    let there = phone.contact(";+sip.instance=\"<urn:uuid:1>\"");
    phone.registers(&mut world, &there);
    phone.at = address(8);
    let there = phone.contact(";+sip.instance=\"<urn:uuid:1>\"");
    phone.registers(&mut world, &there);
    assert_eq!(contacts(&world, "maria"), ["sip:maria@10.0.0.9:5060"]);
}

#[test]
fn an_older_register_of_the_same_device_is_refused_whole() {
    let mut world = registrar();
    let mut phone = device(7, "maria");
    phone.cseq = 50;
    let there = phone.contact(";expires=600");
    phone.registers(&mut world, &there);
    phone.cseq = 10;
    let away = phone.contact(";expires=0");
    assert!(phone.registers(&mut world, &away).starts_with("SIP/2.0 500"));
    assert!(phone.registers(&mut world, "Contact: *\nExpires: 0\n").starts_with("SIP/2.0 500"));
    assert_eq!(contacts(&world, "maria").len(), 1);
}

#[test]
fn a_broken_stream_takes_its_contacts_with_it() {
    let mut world = registrar();
    world.transport = Transport::Tcp;
    let mut phone = device(7, "maria");
    let there = phone.contact(";expires=600");
    phone.registers(&mut world, &there);
    let flow = world.flow(ALICE, 7);
    assert_eq!(world.agents[ALICE].ua.contacts("maria")[0].flow, flow);
    world.agents[ALICE].ua.handle(world.now, Input::FlowFailed { flow });
    world.drain(ALICE);
    assert_eq!((contacts(&world, "maria").len(), gone(&world)), (0, vec![Gone::FlowLost]));
}

#[test]
fn an_account_that_is_removed_loses_its_contacts() {
    let mut world = registrar();
    let mut phone = device(7, "maria");
    let there = phone.contact(";expires=600");
    phone.registers(&mut world, &there);
    let mut config = closed();
    config.accounts = vec![account("paolo")];
    world.act(ALICE, Do::Reconfigure { config: Box::new(config) });
    assert_eq!((contacts(&world, "maria").len(), gone(&world).len()), (0, 1));
    assert!(phone.registers(&mut world, "").starts_with("SIP/2.0 401"));
}

#[test]
fn an_account_calls_with_its_password_and_is_known_by_it() {
    let mut world = World::of(vec![closed(), open_config(BOB)], 1);
    let flow = world.flow(BOB, ALICE);
    world.call_as(BOB, flow, Some(account("paolo")));
    world.run_for(100);
    assert!(world.has(
        ALICE,
        |e| matches!(e, Event::Incoming { invite, .. } if invite.peer == Peer::Account("paolo".into()))
    ));
    assert!(!world.has(ALICE, |e| matches!(e, Event::Blocked { .. })));
    // 401 is acknowledged, and the second INVITE is a new request of the same call.
    let invites = world.seen("INVITE");
    assert_eq!(invites.len(), 2);
    assert_eq!(header(&invites[0], "Call-ID"), header(&invites[1], "Call-ID"));
    assert_ne!(header(&invites[0], "CSeq"), header(&invites[1], "CSeq"));
}

#[test]
fn a_call_with_a_wrong_password_is_tried_once_and_refused() {
    let mut world = World::of(vec![closed(), open_config(BOB)], 1);
    let flow = world.flow(BOB, ALICE);
    let wrong = Account { user: "paolo".into(), password: "guess".into() };
    let session = world.call_as(BOB, flow, Some(wrong));
    world.run_for(1_000);
    let ending = world.ending(BOB, session);
    assert_eq!((ending.how, ending.status), (How::PeerRefused, Some(401)));
    assert_eq!(world.sent_by(BOB, "INVITE"), 2);
    assert!(world.has(ALICE, |e| matches!(e, Event::Blocked { rule: "bad_credentials", .. })));
}

#[test]
fn who_has_no_account_hears_nothing_where_there_are_none() {
    let mut config = closed();
    config.accounts = vec![];
    let mut world = World::of(vec![config, open_config(BOB)], 1);
    let session = world.call(BOB, ALICE);
    world.run_for(33_000);
    assert_eq!(world.ending(BOB, session).how, How::PeerTimeout);
    assert!(world.has(ALICE, |e| matches!(e, Event::Blocked { rule: "unknown_source", .. })));
}

#[test]
fn a_call_goes_where_its_flow_leads_and_not_where_its_uri_points() {
    let mut world = World::pair();
    let operator = address(7);
    let flow = Flow { remote: operator, ..world.flow(ALICE, BOB) };
    let session = world.agents[ALICE].ua.reserve().unwrap();
    // A number at an address without a port, which is not the operator's server.
    let uri = format!("sip:0612345@{}", address(8).ip());
    let call = Call { from_user: "800123".into(), ..plain_call(flow.into(), &uri) };
    world.act(ALICE, Do::Call { session, call });
    world.run_for(20);
    let invite = world.take(operator).pop().unwrap();
    assert!(invite.starts_with(&format!("INVITE {uri} SIP/2.0")), "{invite}");
}

#[test]
fn a_registered_device_is_called_by_the_way_that_it_came() {
    let mut world = registrar();
    let mut phone = device(7, "maria");
    // Behind a NAT: what it writes is not where it is.
    let there = "Contact: <sip:maria@192.168.7.7:5060>;expires=600\n";
    phone.registers(&mut world, there);
    let contact = world.agents[ALICE].ua.contacts("maria")[0].clone();
    let session = world.agents[ALICE].ua.reserve().unwrap();
    let call = Call {
        to: Some("sip:maria@help.example".into()),
        from_user: "+39061234".into(),
        ..plain_call(contact.flow.into(), &contact.uri)
    };
    world.act(ALICE, Do::Call { session, call });
    world.run_for(20);
    let invite = world.take(phone.at).pop().unwrap();
    assert!(invite.starts_with("INVITE sip:maria@192.168.7.7:5060 SIP/2.0"), "{invite}");
    let ok = answer_to(&invite, "200 OK", "Contact: <sip:maria@192.168.7.7:5060>\n");
    world.inject(phone.at, ALICE, &ok);
    // A second fork behind the same NAT is acknowledged and ended there, too.
    world.run_for(20);
    let heard = world.take(phone.at);
    assert!(heard[0].starts_with("ACK sip:maria@192.168.7.7"), "{heard:#?}");
    world.inject(phone.at, ALICE, &ok.replace(";tag=peer", ";tag=other"));
    world.run_for(20);
    let heard = world.take(phone.at);
    let methods: Vec<&str> = heard.iter().filter_map(|message| message.split(' ').next()).collect();
    assert_eq!(methods, ["ACK", "BYE"]);
    world.act(ALICE, Do::HangUp { session, q850: None });
    world.run_for(Duration::from_millis(20).as_millis() as u64);
    let heard = world.take(phone.at);
    assert!(heard[0].starts_with("BYE"), "{heard:#?}");
}

#[test]
fn a_name_in_the_open_network_is_proved_if_its_password_is_right_and_open_otherwise() {
    let mut config = closed();
    config.open_to = vec!["10.0.0.0/8".parse().unwrap()];
    let mut world = World::of(vec![config], 1);
    world.inject(address(7), ALICE, &invite(address(7), "open", ""));
    assert!(world.has(ALICE, |e| matches!(e, Event::Incoming { invite, .. } if invite.peer == Peer::Open)));
    let mut paolo = device(7, "paolo");
    let challenge = paolo.says(&mut world, "", "");
    let proof = paolo.authorization(&challenge, "INVITE");
    world.inject(address(7), ALICE, &invite(address(7), "proved", &proof));
    let proved = |e: &Event| matches!(e, Event::Incoming { invite, .. } if invite.peer == Peer::Account("paolo".into()));
    assert!(world.has(ALICE, proved));
}

/// When a device was asked OPTIONS. It never answers, so each comes several times.
fn asked(world: &World) -> Vec<Duration> {
    let mut seen = std::collections::BTreeSet::new();
    let options = world.sent.iter().filter(|packet| packet.bytes.starts_with(b"OPTIONS "));
    let firsts = options.filter(|packet| {
        let text = String::from_utf8_lossy(&packet.bytes).into_owned();
        seen.insert(header(&text, "Call-ID").unwrap().to_owned())
    });
    firsts.map(|packet| packet.at.since(base::Time::ZERO)).collect()
}

#[test]
fn a_device_behind_a_nat_is_asked_at_least_every_25_s_for_as_long_as_it_is_registered() {
    let mut world = registrar();
    let mut maria = device(3, "maria");
    maria.registers(&mut world, "Contact: <sip:maria@192.168.1.9:5060>;expires=120\n");
    world.run_for(300_000);
    let times = asked(&world);
    assert!((5..=6).contains(&times.len()), "{times:?}");
    for pair in times.windows(2) {
        let pause = pair[1] - pair[0];
        assert!((Duration::from_secs(20)..=Duration::from_secs(25)).contains(&pause), "{times:?}");
    }
    let request = world.take(maria.at).into_iter().find(|text| text.starts_with("OPTIONS ")).unwrap();
    assert!(request.starts_with("OPTIONS sip:maria@192.168.1.9:5060 SIP/2.0"), "{request}");
}

#[test]
fn a_device_that_is_where_it_says_is_left_in_peace_and_so_is_one_that_left() {
    let mut world = registrar();
    let mut near = device(2, "paolo");
    let contact = near.contact("");
    near.registers(&mut world, &contact);
    world.run_for(300_000);
    assert_eq!(asked(&world), []);
    let mut maria = device(3, "maria");
    maria.registers(&mut world, "Contact: <sip:maria@x7k2.invalid>\n");
    world.run_for(1_000);
    assert_eq!(asked(&world).len(), 1);
    maria.registers(&mut world, "Contact: *\nExpires: 0\n");
    world.run_for(300_000);
    assert!(!asked(&world).is_empty());
    assert!(asked(&world).last().unwrap() < &Duration::from_secs(335), "{:?}", asked(&world));
}

#[test]
fn a_large_call_to_a_device_that_registered_by_udp_stays_on_its_flow() {
    let mut world = registrar();
    let mut maria = device(3, "maria");
    let contact = maria.contact("");
    maria.registers(&mut world, &contact);
    let session = world.agents[ALICE].ua.reserve().unwrap();
    let call = Call {
        headers: vec![("X-More".into(), "x".repeat(1_300))],
        ..plain_call(
            Flow { transport: Transport::Udp, local: address(ALICE), remote: maria.at }.into(),
            &format!("sip:maria@{}", maria.at),
        )
    };
    world.act(ALICE, Do::Call { session, call });
    let invite = world.sent.iter().find(|packet| packet.bytes.starts_with(b"INVITE ")).unwrap();
    assert_eq!(invite.transport, Transport::Udp);
}
