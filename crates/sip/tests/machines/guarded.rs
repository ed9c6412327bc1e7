//! The guard at the door of a user agent: what strangers hear, and what who is known keeps.

use crate::world::*;
use sip::guard::{ADMINISTRATOR, Ban, Evidence};
use sip::locate::{Kind, Place, Query};
use sip::ua::*;
use std::net::SocketAddr;
use std::time::Duration;

/// Accounts of maria and paolo, a trunk at 10.0.0.10, open to nobody.
fn guarded() -> World {
    let mut config = open_config(ALICE);
    config.open_to = vec![];
    config.accounts = vec![account("maria"), account("paolo")];
    config.trunks = vec![trunk()];
    World::of(vec![config], 1)
}

fn trunk() -> Trunk {
    Trunk { addresses: vec!["10.0.0.10/32".parse().unwrap()], ..crate::world::trunk("operator", 9) }
}

/// The same, but the trunk is at a name, and what name servers say of that is the test's to tell.
fn named_trunk() -> World {
    let mut world = guarded();
    let mut config = open_config(ALICE);
    config.open_to = vec![];
    config.accounts = vec![account("maria")];
    config.trunks = vec![Trunk {
        targets: vec![Place::parse("sip.operator.example:5060").unwrap()],
        addresses: vec![],
        ..trunk()
    }];
    world.act(ALICE, Do::Reconfigure { config: Box::new(config) });
    world
}

fn somewhere(number: u32) -> SocketAddr {
    SocketAddr::from((std::net::Ipv4Addr::from(0x6440_0000 + number * 256), 5060))
}

fn request(method: &str, from: SocketAddr, id: &str, user: &str, more: &str) -> String {
    format!(
        "{method} sip:{user}@help.example SIP/2.0\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{method}{id}\n\
         From: <sip:{user}@help.example>;tag=f{id}\nTo: <sip:{user}@help.example>\nCall-ID: {id}\n\
         CSeq: 1 {method}\n{more}Max-Forwards: 70\nContact: <sip:x@{from}>\nContent-Length: 0\n\n"
    )
}

fn hears(world: &mut World, from: SocketAddr, text: &str) -> Option<String> {
    world.inject(from, ALICE, text);
    world.run_for(20);
    world.take(from).pop()
}

fn authorization(challenge: &str, user: &str, password: &str) -> String {
    let wanted = header(challenge, "WWW-Authenticate").unwrap();
    let asking = sip::digest::Asking {
        method: "REGISTER",
        uri: "sip:help.example",
        user,
        password,
        cnonce: "c",
        nonce_count: 1,
    };
    format!("Authorization: {}\n", sip::digest::respond(&[wanted], &asking).unwrap())
}

fn guess(world: &mut World, from: SocketAddr, id: u32, challenge: &str, password: &str) -> Option<String> {
    let proof = authorization(challenge, "maria", password);
    hears(world, from, &request("REGISTER", from, &format!("g{id}"), "maria", &proof))
}

fn bans(world: &World) -> Vec<Ban> {
    let bans = world.agents[ALICE].events.iter().filter_map(|(_, event)| match event {
        Event::Banned { ban } => Some((**ban).clone()),
        _ => None,
    });
    bans.collect()
}

fn span_of(ban: &Ban) -> u64 {
    ban.until.since(ban.since).as_secs()
}

/// What an answer says, without what no two answers share.
fn shape(answer: &str) -> String {
    let lines = answer.lines().map(|line| match line.split_once(':') {
        Some((name @ ("Via" | "From" | "To" | "Call-ID"), _)) => name.to_owned(),
        Some(("WWW-Authenticate", value)) => {
            value.split(',').filter(|part| !part.contains("nonce=")).collect::<Vec<_>>().join(",")
        }
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn an_account_that_is_there_is_answered_like_one_that_is_not() {
    for method in ["REGISTER", "INVITE"] {
        let mut world = guarded();
        let answers: Vec<String> = ["maria", "nobody", "100", "paolo"]
            .into_iter()
            .enumerate()
            .map(|(number, user)| {
                let from = somewhere(number as u32);
                hears(&mut world, from, &request(method, from, user, user, "")).unwrap()
            })
            .collect();
        assert!(answers[0].starts_with("SIP/2.0 401"), "{}", answers[0]);
        for answer in &answers {
            assert_eq!(shape(answer), shape(&answers[0]), "{method}");
        }
    }
}

#[test]
fn a_wrong_password_is_answered_like_an_unknown_account() {
    let mut world = guarded();
    let from = somewhere(1);
    let first = hears(&mut world, from, &request("REGISTER", from, "1", "maria", "")).unwrap();
    let known = guess(&mut world, from, 1, &first, "guess").unwrap();
    let proof = authorization(&first, "nobody", "guess");
    let unknown = hears(&mut world, from, &request("REGISTER", from, "2", "nobody", &proof)).unwrap();
    assert_eq!(shape(&known), shape(&unknown));
}

#[test]
fn strangers_hear_a_challenge_or_nothing_and_a_trunk_hears_it_all() {
    let methods = ["OPTIONS", "BYE", "INFO", "UPDATE", "REFER", "NOTIFY", "PING", "CANCEL"];
    let mut world = guarded();
    for (number, method) in methods.into_iter().enumerate() {
        let from = somewhere(number as u32);
        assert_eq!(hears(&mut world, from, &request(method, from, method, "100", "")), None, "{method}");
        let from = address(9);
        let answer = hears(&mut world, from, &request(method, from, method, "100", ""));
        assert!(answer.is_some(), "{method} of a trunk");
    }
    for method in ["SUBSCRIBE", "MESSAGE"] {
        let answer = hears(&mut world, somewhere(90), &request(method, somewhere(90), method, "100", ""));
        assert!(answer.is_some_and(|answer| answer.starts_with("SIP/2.0 401")), "{method} is for accounts");
    }
    let from = somewhere(99);
    let odd = request("INVITE", from, "odd", "100", "Require: nothing-we-know\n");
    assert_eq!(hears(&mut world, from, &odd), None);
    let malformed = request("INVITE", from, "bad", "100", "").replace("CSeq: 1", "CSeq: x");
    assert_eq!(hears(&mut world, from, &malformed), None);
    assert!(world.has(ALICE, |event| matches!(event, Event::Blocked { rule: "malformed", .. })));
    world.assert_idle();
}

#[test]
fn a_scanner_hears_nothing_and_is_kept_out_for_ten_minutes() {
    let mut world = guarded();
    let from = somewhere(1);
    let scan = request("OPTIONS", from, "s", "100", "User-Agent: friendly-scanner\n");
    assert_eq!(hears(&mut world, from, &scan), None);
    let ban = bans(&world).pop().unwrap();
    assert_eq!((ban.rule.as_str(), ban.source.addr(), span_of(&ban)), ("scanner", from.ip(), 600));
    assert_eq!((ban.evidence.method.as_str(), ban.evidence.detail.as_str()), ("OPTIONS", "friendly-scanner"));
    let plain = request("INVITE", from, "r", "maria", "");
    assert_eq!(hears(&mut world, from, &plain), None, "banned");
    let neighbour = SocketAddr::from((std::net::Ipv4Addr::new(100, 64, 1, 1), 5060));
    assert!(hears(&mut world, neighbour, &request("REGISTER", neighbour, "n", "maria", "")).is_some());
    world.run_for(600_000);
    assert!(world.has(ALICE, |event| matches!(event, Event::Unbanned { why: "expired", .. })));
    assert!(hears(&mut world, from, &request("REGISTER", from, "again", "maria", "")).is_some());
}

#[test]
fn a_guesser_is_slowed_then_kept_out_for_longer_each_time() {
    let mut world = guarded();
    let from = somewhere(1);
    for (round, span) in [(1, 600), (2, 3600), (3, 24 * 3600), (4, 24 * 3600)] {
        let challenge =
            hears(&mut world, from, &request("REGISTER", from, &format!("{round}"), "maria", "")).unwrap();
        let answered: Vec<bool> = (0..25)
            .map(|number| guess(&mut world, from, round * 100 + number, &challenge, "guess").is_some())
            .collect();
        assert_eq!(answered.iter().filter(|heard| **heard).count(), 5, "round {round}");
        let all = bans(&world);
        assert_eq!(all.len() as u32, round);
        let ban = all.last().unwrap();
        assert_eq!((ban.rule.as_str(), span_of(ban), u32::from(ban.level)), ("guessing", span, round));
        assert_eq!((ban.evidence.user.as_str(), ban.evidence.method.as_str()), ("maria", "REGISTER"));
        world.run_for(span * 1000 + 1000);
    }
}

#[test]
fn a_right_password_that_comes_too_fast_is_not_told_from_a_wrong_one() {
    let mut world = guarded();
    let from = somewhere(1);
    let challenge = hears(&mut world, from, &request("REGISTER", from, "1", "maria", "")).unwrap();
    for number in 0..5 {
        assert!(guess(&mut world, from, number, &challenge, "guess").unwrap().starts_with("SIP/2.0 401"));
    }
    let right = account("maria").password;
    assert_eq!(guess(&mut world, from, 9, &challenge, &right), None);
    // Nor by an old nonce, whose right answer would be called stale.
    world.run_for(301_000);
    for number in 10..15 {
        guess(&mut world, from, number, &challenge, "guess");
    }
    assert_eq!(guess(&mut world, from, 15, &challenge, &right), None);
}

#[test]
fn a_phone_with_an_old_password_that_tries_once_a_minute_is_never_kept_out() {
    let mut world = guarded();
    let from = somewhere(1);
    for number in 0..240 {
        let id = format!("r{number}");
        let challenge = hears(&mut world, from, &request("REGISTER", from, &id, "maria", "")).unwrap();
        assert!(guess(&mut world, from, number, &challenge, "of last year").is_some(), "minute {number}");
        world.run_for(60_000);
    }
    assert_eq!(bans(&world), []);
}

#[test]
fn what_a_forger_does_in_anothers_name_is_not_held_against_them() {
    let mut world = guarded();
    let (forger, victim) = (somewhere(1), somewhere(2));
    for round in 1..4 {
        let challenge =
            hears(&mut world, forger, &request("REGISTER", forger, &format!("{round}"), "maria", ""))
                .unwrap();
        for number in 0..25 {
            guess(&mut world, victim, round * 100 + number, &challenge, "guess");
        }
        let ban = bans(&world).pop().unwrap();
        assert_eq!((ban.source.addr(), span_of(&ban), ban.level), (victim.ip(), 600, 0));
        world.run_for(601_000);
    }
}

#[test]
fn guessing_from_everywhere_does_not_lock_the_account_of_a_device_that_is_there() {
    let mut world = guarded();
    let device = somewhere(5000);
    let right = account("maria").password;
    let challenge = hears(&mut world, device, &request("REGISTER", device, "d", "maria", "")).unwrap();
    assert!(guess(&mut world, device, 1, &challenge, &right).unwrap().starts_with("SIP/2.0 200"));
    for number in 0..1000 {
        let from = somewhere(number);
        let challenge =
            hears(&mut world, from, &request("REGISTER", from, &format!("x{number}"), "maria", ""));
        guess(&mut world, from, 10_000 + number, &challenge.unwrap(), "guess");
    }
    // A stranger that knows the password gets in only as fast as guesses are looked at,
    let (late, mut tries) = (somewhere(6000), 0);
    let heard = loop {
        let id = format!("late{tries}");
        let challenge = hears(&mut world, late, &request("REGISTER", late, &id, "maria", "")).unwrap();
        let answer = guess(&mut world, late, 20_000 + tries, &challenge, &right).unwrap();
        if answer.starts_with("SIP/2.0 200") {
            break tries;
        }
        tries += 1;
        world.run_for(6_000);
    };
    assert!((1..5).contains(&heard), "{heard}");
    // and the device that is there goes on as ever.
    let challenge = hears(&mut world, device, &request("REGISTER", device, "e", "maria", "")).unwrap();
    assert!(guess(&mut world, device, 2, &challenge, &right).unwrap().starts_with("SIP/2.0 200"));
    assert_eq!(bans(&world), [], "one guess of each");
}

#[test]
fn guesses_with_forged_sources_do_not_slow_who_comes_with_the_right_password() {
    let mut world = guarded();
    let (forger, device) = (somewhere(5000), somewhere(6000));
    let challenge = hears(&mut world, forger, &request("REGISTER", forger, "f", "maria", "")).unwrap();
    for number in 0..100 {
        guess(&mut world, somewhere(number), number, &challenge, "guess");
    }
    let challenge = hears(&mut world, device, &request("REGISTER", device, "d", "maria", "")).unwrap();
    let answer = guess(&mut world, device, 1000, &challenge, &account("maria").password).unwrap();
    assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
}

#[test]
fn a_nonce_that_was_not_given_there_is_to_be_renewed_whether_the_password_is_right_or_not() {
    let mut world = guarded();
    let right = account("maria").password;
    let old = hears(&mut world, somewhere(1), &request("REGISTER", somewhere(1), "o", "maria", "")).unwrap();
    for (number, wait) in [(10, 0), (20, 301_000)] {
        world.run_for(wait);
        let known = guess(&mut world, somewhere(number), number, &old, &right).unwrap();
        let unknown = guess(&mut world, somewhere(number + 1), number + 1, &old, "guess").unwrap();
        assert!(known.starts_with("SIP/2.0 401") && known.contains("stale=true"), "{known}");
        assert_eq!(shape(&known), shape(&unknown), "after {wait} ms");
        // A device that has moved, or waited, gets in by the nonce that it is given now.
        let answer = guess(&mut world, somewhere(number), number + 2, &known, &right).unwrap();
        assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
    }
}

#[test]
fn a_name_server_that_names_new_addresses_gives_no_new_guesses() {
    let mut world = named_trunk();
    for number in 0..25 {
        let from = somewhere(number);
        let challenge =
            hears(&mut world, from, &request("REGISTER", from, &format!("x{number}"), "maria", ""));
        guess(&mut world, from, 100 + number, &challenge.unwrap(), "guess");
    }
    let is_for_ipv4 = |query: &Query| query.kind == Kind::A;
    let asked = std::mem::take(&mut world.asked);
    let query = asked.into_iter().find(is_for_ipv4).expect("the trunk's address is asked for");
    let local = Some(address(ALICE).ip());
    let record = sip::locate::Record::Address { ip: address(9).ip(), local };
    let ttl = Duration::from_secs(60);
    let answer = sip::locate::Answer::Found { records: vec![record], ttl };
    world.agents[ALICE].ua.handle(world.now, Input::Resolved { query, answer });
    world.drain(ALICE);
    let late = somewhere(6000);
    let challenge = hears(&mut world, late, &request("REGISTER", late, "late", "maria", "")).unwrap();
    let answer = guess(&mut world, late, 2000, &challenge, &account("maria").password).unwrap();
    assert!(answer.starts_with("SIP/2.0 401"), "{answer}");
    assert!(hears(&mut world, address(9), &request("OPTIONS", address(9), "t", "100", "")).is_some());
}

#[test]
fn who_asks_for_many_accounts_and_proves_none_is_kept_out() {
    let mut world = guarded();
    let from = somewhere(1);
    let heard = (100..400).filter(|user| {
        let user = user.to_string();
        hears(&mut world, from, &request("REGISTER", from, &user, &user, "")).is_some()
    });
    assert!((60..75).contains(&heard.count()));
    let ban = bans(&world).pop().unwrap();
    assert_eq!((ban.rule.as_str(), ban.evidence.user.as_str()), ("enumeration", "sip:160@help.example"));
}

#[test]
fn whatever_proves_nothing_is_counted_although_it_hears_nothing() {
    let unknown = "Require: nothing-we-know\n";
    for (method, more) in
        [("INVITE", unknown), ("INVITE", ""), ("REGISTER", ""), ("OPTIONS", ""), ("BYE", ""), ("PING", "")]
    {
        let mut world = guarded();
        let from = somewhere(1);
        for number in 0..200 {
            let text = request(method, from, &number.to_string(), "100", more);
            let used_up = more.is_empty() && method != "OPTIONS";
            let text = if used_up { text.replace("Max-Forwards: 70", "Max-Forwards: 0") } else { text };
            assert_eq!(hears(&mut world, from, &text), None, "{method} {more}");
        }
        let told = bans(&world);
        let told: Vec<_> = told.iter().map(|ban| (ban.rule.as_str(), ban.evidence.method.as_str())).collect();
        assert_eq!(told, [("enumeration", method)]);
    }
}

#[test]
fn a_device_that_pings_before_it_registers_is_not_kept_out() {
    let mut world = guarded();
    let from = somewhere(1);
    for number in 0..400 {
        hears(&mut world, from, &request("OPTIONS", from, &number.to_string(), "100", ""));
        world.run_for(15_000);
    }
    assert!(bans(&world).is_empty());
}

#[test]
fn repetitions_of_what_hears_nothing_are_one_offence() {
    let mut world = guarded();
    let from = somewhere(1);
    for number in 0..100 {
        let text = request("OPTIONS", from, &number.to_string(), "100", "");
        for _ in 0..11 {
            hears(&mut world, from, &text);
            world.run_for(2_700);
        }
    }
    assert!(bans(&world).is_empty());
}

#[test]
fn an_office_whose_calls_we_have_forgotten_is_not_kept_out_for_ending_them() {
    let mut world = guarded();
    let office = somewhere(1);
    for number in 0..200 {
        let bye = request("BYE", office, &number.to_string(), "100", "");
        let to = bye.lines().find(|line| line.starts_with("To: ")).unwrap().to_owned();
        hears(&mut world, office, &bye.replace(&to, &format!("{to};tag=old{number}")));
    }
    assert!(bans(&world).is_empty());
}

#[test]
fn a_flood_of_strangers_hurts_neither_the_trunk_nor_a_device_that_is_there() {
    let mut world = guarded();
    let device = somewhere(60_000);
    let challenge = hears(&mut world, device, &request("REGISTER", device, "d", "maria", "")).unwrap();
    assert!(guess(&mut world, device, 1, &challenge, &account("maria").password).is_some());
    for number in 0..20_000 {
        let from = somewhere(number);
        world.inject(from, ALICE, &request("INVITE", from, &format!("f{number}"), "100", ""));
    }
    assert!(world.has(ALICE, |event| matches!(event, Event::Blocked { rule: "strangers_rate", .. })));
    let trunk = address(9);
    world.inject(trunk, ALICE, &invite(trunk, "from-trunk", ""));
    assert!(world.has(ALICE, |event| matches!(event, Event::Incoming { .. })));
    let challenge = hears(&mut world, device, &request("REGISTER", device, "e", "maria", "")).unwrap();
    assert!(guess(&mut world, device, 2, &challenge, &account("maria").password).is_some());
}

#[test]
fn a_person_keeps_out_even_who_is_known_and_lets_them_in_again() {
    let mut world = guarded();
    let trunk = address(9);
    let options = |id: &str| request("OPTIONS", trunk, id, "100", "");
    assert!(hears(&mut world, trunk, &options("1")).is_some());
    let ban = Ban {
        source: "10.0.0.10/32".parse().unwrap(),
        since: world.now,
        until: world.now + std::time::Duration::from_secs(60),
        rule: ADMINISTRATOR.to_owned(),
        level: 0,
        evidence: Evidence::default(),
    };
    let source = ban.source;
    world.act(ALICE, Do::Ban { ban: Box::new(ban) });
    assert_eq!(hears(&mut world, trunk, &options("2")), None);
    world.act(ALICE, Do::LiftBan { source });
    assert!(hears(&mut world, trunk, &options("3")).is_some());
}

#[test]
fn a_strangers_message_may_be_no_larger_than_a_first_request_is() {
    let mut world = guarded();
    for (number, (more, heard)) in [
        ("Subject: x\n".repeat(40), true),
        ("Subject: x\n".repeat(64), false),
        (format!("Subject: {}\n", "x".repeat(8192)), false),
    ]
    .into_iter()
    .enumerate()
    {
        let from = somewhere(number as u32);
        let text = request("REGISTER", from, "l", "maria", &more);
        assert_eq!(hears(&mut world, from, &text).is_some(), heard, "{number}");
    }
}

/// Proves, or tries to prove, to be `user`, from where somebody is known already.
fn prove(world: &mut World, from: SocketAddr, id: &str, user: &str, password: &str) -> Option<String> {
    let asked = hears(world, from, &request("REGISTER", from, &format!("c{id}"), user, ""));
    let proof = authorization(&asked.expect("a challenge"), user, password);
    hears(world, from, &request("REGISTER", from, &format!("p{id}"), user, &proof))
}

#[test]
fn who_guesses_from_where_another_is_known_is_paced_and_the_others_there_go_on() {
    let mut world = guarded();
    // One address of an office: its NAT tells them apart by ports.
    let at = |port| SocketAddr::new(somewhere(1).ip(), port);
    let (maria, guesser, paolo) = (at(5060), at(6060), at(7060));
    let is_ok = |answer: Option<String>| answer.is_some_and(|answer| answer.starts_with("SIP/2.0 200"));
    assert!(is_ok(prove(&mut world, maria, "1", "maria", &account("maria").password)));
    let mut challenge = String::new();
    let heard = (0..5000).filter(|number| {
        if number % 1000 == 0 {
            let id = format!("c{number}");
            challenge = hears(&mut world, guesser, &request("REGISTER", guesser, &id, "paolo", "")).unwrap();
        }
        let proof = authorization(&challenge, "paolo", &format!("guess {number}"));
        let text = request("REGISTER", guesser, &format!("g{number}"), "paolo", &proof);
        hears(&mut world, guesser, &text).is_some()
    });
    assert_eq!(heard.count(), 13, "ten at once, and three in a hundred seconds");
    let right = account("paolo").password;
    assert_eq!(prove(&mut world, guesser, "right", "paolo", &right), None, "not told from a wrong one");
    // Another account guessed at does not slow hers, wherever in the office she is now.
    assert!(is_ok(prove(&mut world, maria, "2", "maria", &account("maria").password)));
    assert!(is_ok(prove(&mut world, at(8060), "3", "maria", &account("maria").password)));
    // Paolo comes in elsewhere, and, once he is registered, nobody slows him here either.
    assert!(is_ok(prove(&mut world, somewhere(9), "4", "paolo", &right)));
    world.run_for(60_000);
    assert!(is_ok(prove(&mut world, paolo, "5", "paolo", &right)));
    for number in 0..20 {
        prove(&mut world, guesser, &format!("more{number}"), "paolo", "guess");
    }
    assert!(is_ok(prove(&mut world, paolo, "6", "paolo", &right)));
    assert_eq!(bans(&world), []);
}

#[test]
fn a_host_that_a_dialog_is_sent_to_is_not_known_for_that() {
    let mut world = guarded();
    let (trunk, elsewhere) = (address(9), somewhere(7));
    let text = invite(trunk, "a", "").replace(&format!("sip:x@{trunk}"), &format!("sip:x@{elsewhere}"));
    world.inject(trunk, ALICE, &with_body(&text, OFFER));
    let session = world.incoming(ALICE);
    world.act(ALICE, Do::Accept { session, sdp: ANSWER.to_vec() });
    // The acknowledgement never comes.
    world.run_for(60_000);
    let ended = world.take(elsewhere);
    assert!(ended.iter().any(|text| text.starts_with("BYE ")), "{ended:?}");
    assert_eq!(hears(&mut world, elsewhere, &request("OPTIONS", elsewhere, "o", "100", "")), None);
}

#[test]
fn a_forged_datagram_does_not_keep_out_the_device_whose_address_it_bears() {
    let mut world = guarded();
    let device = somewhere(1);
    let forge = |world: &mut World, id: &str| {
        let scan = request("OPTIONS", device, id, "100", "User-Agent: friendly-scanner\n");
        assert_eq!(hears(world, device, &scan), None);
    };
    forge(&mut world, "s");
    assert_eq!(bans(&world).len(), 1);
    assert_eq!(hears(&mut world, device, &request("INVITE", device, "i", "100", "")), None, "kept out");
    // A wrong password lifts nothing, and no crowd of requests is challenged; nor does another forged one add to it.
    assert!(prove(&mut world, device, "w", "maria", "guess").is_some_and(|answer| answer.contains(" 401 ")));
    forge(&mut world, "t");
    let asks = |world: &mut World, id: u32| {
        hears(world, device, &request("REGISTER", device, &format!("q{id}"), "maria", "")).is_some()
    };
    assert_eq!((0..50).filter(|id| asks(&mut world, *id)).count(), 3);
    assert_eq!(bans(&world).len(), 1);
    world.run_for(60_000);
    let answer = prove(&mut world, device, "r", "maria", &account("maria").password);
    assert!(answer.is_some_and(|answer| answer.starts_with("SIP/2.0 200")));
    assert!(world.has(ALICE, |event| matches!(event, Event::Unbanned { why: "proved", .. })));
    // Who is known is not kept out by the next one either.
    let scan = request("OPTIONS", device, "u", "100", "User-Agent: friendly-scanner\n");
    assert!(hears(&mut world, device, &scan).is_some());
}
