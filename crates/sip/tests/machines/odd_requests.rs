//! Requests that are unknown, malformed, forbidden or late, and what RFC 3261 has them answered with.

use crate::world::*;
use sip::ua::*;

/// One request from a stranger, and the answer.
fn asked(world: &mut World, text: &str) -> Option<String> {
    world.inject(address(7), ALICE, text);
    world.run_for(20);
    world.take(address(7)).pop()
}

fn request(method: &str, more: &str) -> String {
    invite(address(7), "odd", more).replace("INVITE", method)
}

fn status(answer: &Option<String>) -> u16 {
    answer.as_deref().map_or(0, |answer| answer[8..11].parse().unwrap())
}

fn alice() -> World {
    World::of(vec![open_config(ALICE)], 1)
}

#[test]
fn each_odd_request_gets_its_status() {
    let mangled = |what: &str, by: &str| request("INVITE", "").replace(what, by);
    let cases = [
        (request("BYE", ""), 481),
        (request("INFO", ""), 481),
        (request("UPDATE", ""), 481),
        (request("PRACK", ""), 481),
        (request("SUBSCRIBE", ""), 403),
        (request("MESSAGE", ""), 403),
        (request("REFER", ""), 403),
        (request("DANCE", ""), 501),
        (request("ACK", ""), 0),
        (mangled("Max-Forwards: 70", "Max-Forwards: 0"), 483),
        (mangled("Max-Forwards: 70", "Max-Forwards: 300"), 400),
        (mangled("INVITE sip:help@", "INVITE mailto:help@"), 416),
        (mangled("10.0.0.1 SIP/2.0", "10.0.0.1 SIP/7.0"), 505),
        (mangled("CSeq: 1 INVITE", "CSeq: 1 BYE"), 400),
        (mangled("CSeq: 1 INVITE", "CSeq: 99999999999 INVITE"), 400),
        (mangled("Contact: <sip:x@10.0.0.8:5060>\n", ""), 400),
        (mangled("Content-Length: 0", "Content-Length: 10"), 400),
        (mangled("To: <sip:help@10.0.0.1>", "To: <sip:help@10.0.0.1>;tag=unknown"), 481),
        (request("INVITE", "Require: 100rel, sec-agree, precondition\n"), 420),
        (request("INVITE", "Content-Type: text/plain\n").replace("Length: 0\n\n", "Length: 2\n\nhi"), 415),
        (request("INVITE", "Content-Encoding: gzip\n"), 415),
    ];
    for (text, expected) in cases {
        let mut world = alice();
        let answer = asked(&mut world, &text);
        let answer = if expected == 0 { answer } else { Some(answer.unwrap_or_else(|| panic!("{text}"))) };
        assert_eq!(status(&answer), expected, "{text}\n{answer:?}");
        assert!(!world.has(ALICE, |e| matches!(e, Event::Incoming { .. })), "{text}");
        if let Some(answer) = answer {
            assert!(header(&answer, "To").unwrap().contains(";tag="), "{answer}");
            assert_eq!(header(&answer, "Allow").is_some(), matches!(expected, 405 | 501), "{answer}");
        }
        world.run_for(40_000);
        world.assert_idle();
    }
}

#[test]
fn a_420_names_what_is_not_supported_and_a_415_what_is() {
    let mut world = alice();
    let answer = asked(&mut world, &request("INVITE", "Require: 100rel, sec-agree, precondition\n")).unwrap();
    assert_eq!(header(&answer, "Unsupported"), Some("sec-agree, precondition"));
    let text = request("INVITE", "Content-Type: text/plain\n").replace("Length: 0\n\n", "Length: 2\n\nhi");
    assert_eq!(header(&asked(&mut alice(), &text).unwrap(), "Accept"), Some("application/sdp"));
}

#[test]
fn options_are_answered_even_by_the_last_hop() {
    let mut world = alice();
    let answer = asked(&mut world, &request("OPTIONS", "").replace("Forwards: 70", "Forwards: 0")).unwrap();
    assert!(answer.starts_with("SIP/2.0 200"));
    assert!(header(&answer, "Allow").unwrap().contains("UPDATE"));
    assert!(header(&answer, "Accept").unwrap().contains("application/sdp"));
    assert!(header(&answer, "Supported").unwrap().contains("replaces"));
}

#[test]
fn garbage_is_met_with_silence() {
    for garbage in ["\r\n\r\n", "", "GET / HTTP/1.1\n\n", "\0\0\0\0", "SIP/2.0 200 OK\n\n", "INVITE\n\n"] {
        let mut world = alice();
        assert_eq!(asked(&mut world, garbage), None, "{garbage:?}");
        world.assert_idle();
    }
}

#[test]
fn garbage_is_counted_but_keep_alives_are_not() {
    let mut world = alice();
    asked(&mut world, "\r\n\r\n");
    assert_eq!(world.agents[ALICE].events.len(), 0);
    asked(&mut world, "nonsense\n\n");
    assert!(world.has(ALICE, |e| matches!(e, Event::Blocked { rule: "malformed", .. })));
}

#[test]
fn a_message_that_is_too_large_gets_513() {
    let mut config = open_config(ALICE);
    config.limits.message = 2_000;
    let mut world = World::of(vec![config], 1);
    let answer = asked(&mut world, &request("INVITE", &format!("Subject: {}\n", "x".repeat(3_000))));
    assert_eq!(status(&answer), 513);
    assert!(world.has(ALICE, |e| matches!(e, Event::Blocked { rule: "too_large", .. })));
}

#[test]
fn a_request_that_comes_by_two_ways_is_merged() {
    let mut world = alice();
    assert_eq!(status(&asked(&mut world, &request("INVITE", ""))), 100);
    let other_way = request("INVITE", "").replace("branch=z9hG4bKodd", "branch=z9hG4bKother");
    assert_eq!(status(&asked(&mut world, &other_way)), 482);
    assert_eq!(world.count(ALICE, |e| matches!(e, Event::Incoming { .. })), 1);
}

#[test]
fn a_repeated_invite_gets_its_100_again_and_makes_no_second_call() {
    for branch in ["z9hG4bKodd", "rfc2543"] {
        let mut world = alice();
        let text = request("INVITE", "").replace("z9hG4bKodd", branch);
        assert_eq!(status(&asked(&mut world, &text)), 100);
        assert_eq!(status(&asked(&mut world, &text)), 100);
        assert_eq!(world.count(ALICE, |e| matches!(e, Event::Incoming { .. })), 1, "{branch}");
    }
}

#[test]
fn an_answer_goes_to_the_source_port_if_rport_asks_and_to_that_of_the_via_otherwise() {
    let mut world = alice();
    let natted = std::net::SocketAddr::from(([10, 0, 0, 9], 40_000));
    world.inject(natted, ALICE, &request("OPTIONS", "").replace(";branch", ";rport;branch"));
    world.run_for(20);
    let via = world.take(natted).pop().unwrap();
    assert!(header(&via, "Via").unwrap().contains("received=10.0.0.9;rport=40000"));
    world.inject(natted, ALICE, &request("OPTIONS", ""));
    world.run_for(20);
    assert_eq!(world.take(std::net::SocketAddr::from(([10, 0, 0, 9], 5060))).len(), 1);
    assert!(world.take(natted).is_empty());
}

#[test]
fn within_a_dialog_every_request_gets_a_final_answer() {
    let mut world = alice();
    let peer = address(7);
    world.inject(peer, ALICE, &request("INVITE", ""));
    let session = world.incoming(ALICE);
    world.act(ALICE, Do::Accept { session, sdp: ANSWER.to_vec() });
    world.run_for(20);
    let ok = world.take(peer).pop().unwrap();
    let to = format!("To: {}", header(&ok, "To").unwrap());
    let mut cseq = 1;
    let mut say = |world: &mut World, method: &str, more: &str, body: &str| {
        cseq += 1;
        let text = request(method, more)
            .replace("To: <sip:help@10.0.0.1>", &to)
            .replace("CSeq: 1 ", &format!("CSeq: {cseq} "))
            .replace("z9hG4bKodd", &format!("z9hG4bK{cseq}"))
            .replace("Length: 0\n\n", &format!("Length: {}\n\n{body}", body.len()));
        world.inject(peer, ALICE, &text);
        world.run_for(20);
        let answers = world.take(peer);
        answers
            .iter()
            .filter(|m| header(m, "CSeq").unwrap().starts_with(&cseq.to_string()))
            .map(|m| m[8..11].to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(say(&mut world, "OPTIONS", "", ""), ["200"]);
    assert_eq!(say(&mut world, "INFO", "", ""), ["200"]);
    assert_eq!(
        say(&mut world, "INFO", "Content-Type: application/dtmf-relay\n", "Signal=5\nDuration=250\n"),
        ["200"]
    );
    assert_eq!(say(&mut world, "INFO", "Content-Type: application/dtmf\n", "#"), ["200"]);
    assert_eq!(say(&mut world, "INFO", "Content-Type: application/dtmf-relay\n", "Signal=10\n"), ["200"]);
    assert_eq!(say(&mut world, "INFO", "Content-Type: application/dtmf-relay\n", "Signal=x\n"), ["400"]);
    assert_eq!(say(&mut world, "INFO", "Content-Type: text/plain\n", "hi"), ["415"]);
    assert_eq!(say(&mut world, "NOTIFY", "", ""), ["481"]);
    assert_eq!(say(&mut world, "PUBLISH", "", ""), ["405"]);
    assert_eq!(say(&mut world, "DANCE", "", ""), ["501"]);
    assert_eq!(say(&mut world, "INFO", "Require: magic\n", ""), ["420"]);
    let digits: Vec<(char, u128)> = world.agents[ALICE]
        .events
        .iter()
        .filter_map(|(_, e)| {
            if let Event::InfoDigit { digit, held, .. } = e { Some((*digit, held.as_millis())) } else { None }
        })
        .collect();
    assert_eq!(digits, [('5', 250), ('#', 160), ('*', 160)]);
}

#[test]
fn a_cseq_lower_than_seen_gets_500() {
    let mut world = alice();
    let peer = address(7);
    world.inject(peer, ALICE, &request("INVITE", "").replace("CSeq: 1 ", "CSeq: 50 "));
    let session = world.incoming(ALICE);
    world.act(ALICE, Do::Accept { session, sdp: ANSWER.to_vec() });
    world.run_for(20);
    let ok = world.take(peer).pop().unwrap();
    let to = format!("To: {}", header(&ok, "To").unwrap());
    let late = request("INFO", "").replace("To: <sip:help@10.0.0.1>", &to).replace("CSeq: 1 ", "CSeq: 49 ");
    assert_eq!(status(&asked(&mut world, &late)), 500);
    // Of another sender, who saw the To tag only: not this dialog.
    let other = late.replace("tag=f", "tag=g").replace("z9hG4bKodd", "z9hG4bKg");
    assert_eq!(status(&asked(&mut world, &other)), 481);
    assert!(world.endings(ALICE, session).is_empty());
}

#[test]
fn a_full_transaction_table_answers_503_and_holds_no_more() {
    let mut config = open_config(ALICE);
    config.limits.transactions = 3;
    let mut world = World::of(vec![config], 1);
    for number in 0..10 {
        let text = invite(address(7), &format!("call{number}"), "");
        let answer = asked(&mut world, &text);
        assert_eq!(status(&answer), if number < 3 { 100 } else { 503 });
        if number >= 3 {
            assert!(header(&answer.unwrap(), "Retry-After").is_some());
        }
    }
    let load = world.agents[ALICE].ua.load();
    assert_eq!((load.transactions, load.sessions), (3, 3));
}

#[test]
fn ten_thousand_strangers_cost_no_memory() {
    let mut config = open_config(ALICE);
    config.open_to = vec![];
    config.accounts = vec![account("maria")];
    let mut world = World::of(vec![config], 1);
    for number in 0..10_000 {
        world.inject(address(7), ALICE, &invite(address(7), &format!("scan{number}"), ""));
    }
    world.assert_idle();
    world.run_for(20);
    assert!(world.take(address(7)).iter().all(|answer| answer.starts_with("SIP/2.0 401")));
}

#[test]
fn who_calls_anonymously_stays_anonymous() {
    let named = "P-Asserted-Identity: \"Ada\" <tel:+39061234>\n";
    let hidden = "P-Asserted-Identity: <sip:+39061234@op>\nPrivacy: id\n";
    let cases = [
        (named, true, "+39061234", Some("Ada")),
        (named, false, "x", None),
        (hidden, true, "anonymous", None),
        ("", true, "x", None),
    ];
    for (more, trunk, from, display) in cases {
        let mut config = open_config(ALICE);
        if trunk {
            config.trunks = vec![Trunk {
                name: "operator".into(),
                targets: vec![place(7, Transport::Udp)],
                addresses: vec!["10.0.0.8/32".parse().unwrap()],
                domain: None,
                credentials: None,
                register: false,
                prack: None,
                p_early_media: false,
                identity: sip::identity::Policy::TRUSTED,
                probe: std::time::Duration::ZERO,
                progress_within: None,
            }];
        }
        let mut world = World::of(vec![config], 1);
        world.inject(address(7), ALICE, &request("INVITE", more));
        let Some((_, Event::Incoming { invite, .. })) = world.agents[ALICE].events.first() else { panic!() };
        let shown = invite.identity.shown();
        let user = shown.map_or("anonymous", |party| party.user.as_str());
        assert_eq!((user, shown.and_then(|party| party.display.as_deref())), (from, display), "{more}");
        assert_eq!(invite.peer, if trunk { Peer::Trunk("operator".into()) } else { Peer::Open });
    }
}

#[test]
fn no_unspecified_address_is_ever_written() {
    let any = std::net::SocketAddr::from(([0, 0, 0, 0], 5060));
    let public: std::net::IpAddr = "203.0.113.7".parse().unwrap();
    // (the peer, the public address, our local networks) and what Via and Contact show.
    let cases: [(&str, Option<std::net::IpAddr>, &str, &str); 4] = [
        ("127.0.0.1:5070", None, "10.0.0.0/8", "127.0.0.1:5060"),
        ("198.51.100.1:5060", Some(public), "10.0.0.0/8", "203.0.113.7:5060"),
        ("10.1.1.1:5060", Some(public), "10.0.0.0/8", "203.0.113.7:5060"),
        ("198.51.100.1:5060", None, "10.0.0.0/8", "unknown.invalid:5060"),
    ];
    for (peer, public_address, near, shown) in cases {
        let mut config = open_config(ALICE);
        config.listen = vec![(Transport::Udp, any)];
        (config.public_address, config.local_nets) = (public_address, vec![near.parse().unwrap()]);
        let mut world = World::of(vec![config], 1);
        let flow = Flow { transport: Transport::Udp, local: any, remote: peer.parse().unwrap() };
        world.call_as(ALICE, flow, None);
        let invite = world.seen("INVITE").pop().unwrap();
        assert!(header(&invite, "Via").unwrap().starts_with(&format!("SIP/2.0/UDP {shown};")), "{invite}");
        assert_eq!(header(&invite, "Contact").unwrap(), format!("<sip:caller@{shown}>"));
        assert!(!invite.replace("10.0.0.", "").contains("0.0.0.0"), "{invite}");
    }
}

#[test]
fn the_public_address_is_shown_outside_of_our_networks_and_the_own_one_inside() {
    let mut config = open_config(ALICE);
    config.public_address = Some("203.0.113.7".parse().unwrap());
    let own = address(ALICE).to_string();
    for (peer, local, shown) in [
        ("198.51.100.1:5060", own.as_str(), "203.0.113.7:5060"),
        ("10.0.0.2:5060", &own, "10.0.0.1:5060"),
        // Who speaks IPv6 could not answer to an IPv4 address.
        ("[2001:db8::9]:5060", "[2001:db8::1]:5060", "[2001:db8::1]:5060"),
    ] {
        let mut world = World::of(vec![config.clone()], 1);
        let (local, remote) = (local.parse().unwrap(), peer.parse().unwrap());
        let flow = Flow { transport: Transport::Udp, local, remote };
        world.call_as(ALICE, flow, None);
        let invite = world.seen("INVITE").pop().unwrap();
        assert_eq!(header(&invite, "Contact").unwrap(), format!("<sip:caller@{shown}>"));
    }
}
