//! Browsers, by SIP over WebSockets: their media is agreed with ICE and DTLS-SRTP, and the facts say what comes of it.

use crate::support::desk::{OUTSIDE, hold, hung_up_on, is_cancelled, seconds, state_of, with_trunk};
use crate::support::page::{keyed, page, speaking_with_browsers, terms};
use crate::support::stage::*;
use engine::{Input, Past, Service, Target};
use facts::{AgentState, Cause, FactKind, OfferEnd, Side};
use media_api::{Command, Event, Evidence, LegId, Offerer, Security};
use std::time::Duration;

fn waits_for_a_handshake(stage: &Stage, leg: u64) -> bool {
    matches!(stage.streams[&LegId(leg)].security, Security::Handshake(_))
}

#[test]
fn a_page_that_calls_is_answered_with_our_certificate_and_its_keys_are_told_when_they_are_there() {
    let mut stage = Stage::with(speaking_with_browsers(config()), Past::default());
    let mut caller = Line::dial(&mut stage, by_websocket(9), "echo", &page("actpass", "EsAw"));
    let answer = caller.connect(&mut stage);
    assert!(answer.contains("a=fingerprint:sha-256 07:07:"), "{answer}");
    assert!(answer.contains("a=setup:passive") && answer.contains("a=ice-lite"), "{answer}");
    assert!(waits_for_a_handshake(&stage, 1));
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::MediaSecured { .. })), 0);
    let leg = LegId(1);
    stage.input(Input::Media(Event::PathFound { leg, at: address(77) }));
    stage.input(Input::Media(Event::Secured { leg, keys: terms(Offerer::Peer) }));
    stage.input(Input::Media(Event::PathLost { leg, at: None, silent_for: seconds(30) }));
    stage.fact(|kind| match kind {
        FactKind::MediaPathFound { leg: 1, at } => (*at == address(77).to_string()).then_some(()),
        _ => None,
    });
    let keys = stage.fact(|kind| match kind {
        FactKind::MediaSecured { leg: 1, keys } => Some(keys.clone()),
        _ => None,
    });
    assert_eq!((keys.exchange.as_str(), keys.suite.as_str()), ("dtls", "AEAD_AES_128_GCM"));
    assert_eq!(
        stage.fact(|kind| match kind {
            FactKind::MediaPathLost { silent_ms, .. } => Some(*silent_ms),
            _ => None,
        }),
        30_000
    );
    // A hold is no other handshake: nothing is told again.
    caller.request(&mut stage, "INVITE", &page("actpass", "EsAw").replace("sendrecv", "sendonly"));
    caller.connect(&mut stage);
    stage.input(Input::Media(Event::Secured { leg, keys: terms(Offerer::Peer) }));
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::MediaSecured { .. })), 1);
    caller.request(&mut stage, "BYE", "");
    stage.assert_all_is_over();
}

#[test]
fn who_registered_by_a_websocket_is_offered_a_browsers_line_and_others_are_not() {
    for (phone, is_browser) in [(by_websocket(50), true), (address(50), false)] {
        let mut stage = Stage::with(speaking_with_browsers(config()), Past::default());
        register(&mut stage, "anna", phone);
        let _caller = caller_in_queue(&mut stage, address(9), 1);
        stage.wait(seconds(1));
        let (agent, invite) = Line::called(&mut stage, phone);
        assert_eq!(invite.contains("UDP/TLS/RTP/SAVPF") && invite.contains("a=setup:actpass"), is_browser);
        let answer = if is_browser { page("active", "EsAw") } else { sdp(phone, SENDRECV) };
        agent.answer(&mut stage, &invite, "200 OK", &answer);
        stage.expect(phone, "ACK");
        assert_eq!(waits_for_a_handshake(&stage, 2), is_browser);
    }
}

/// A caller of the queue and an agent's page are put together. The page's keys are not there yet.
fn answered_by_a_page() -> (Stage, Line, Line) {
    let mut stage = Stage::with(speaking_with_browsers(config()), Past::default());
    register(&mut stage, "anna", by_websocket(50));
    let caller = caller_in_queue(&mut stage, address(9), 1);
    stage.wait(seconds(1));
    let (mut agent, invite) = Line::called(&mut stage, by_websocket(50));
    agent.answer(&mut stage, &invite, "200 OK", &page("active", "EsAw"));
    stage.expect(by_websocket(50), "ACK");
    agent.starts_counting();
    (stage, caller, agent)
}

fn are_bridged(stage: &Stage) -> bool {
    let last = stage
        .commands
        .iter()
        .rev()
        .find(|command| matches!(command, Command::Bridge { .. } | Command::Unbridge { .. }));
    matches!(last, Some(Command::Bridge { .. }))
}

fn count_connected(stage: &Stage) -> usize {
    stage.count(|kind| matches!(kind, FactKind::CallConnected { .. }))
}

/// The page is closed: its WebSocket breaks, and then nothing is heard of it.
fn close_the_page(stage: &mut Stage, leg: u64) {
    stage.input(Input::FlowFailed { flow: flow(by_websocket(50)) });
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::LegLost { .. })), 0, "its media may well go on");
    let evidence = Evidence {
        expected: address(50),
        last_source: None,
        silent_for: seconds(3),
        received: 100,
        rejected: 0,
        rtcp_alive: false,
    };
    stage.input(Input::Media(Event::Silent { leg: LegId(leg), evidence }));
}

fn hears_that_it_should_wait(stage: &Stage, leg: u64) -> bool {
    let last = stage.commands.iter().rev().find_map(|command| match command {
        Command::Play { leg: of, sounds, repeat: true, .. } if *of == LegId(leg) => Some(sounds.clone()),
        Command::Stop { leg: of } if *of == LegId(leg) => Some(Vec::new()),
        _ => None,
    });
    last.is_some_and(|sounds| sounds.first().is_some_and(|first| &*first[0] == "it/please_wait"))
}

#[test]
fn the_callers_music_goes_on_until_the_page_has_its_keys() {
    let (mut stage, _caller, _agent) = answered_by_a_page();
    assert_eq!((count_connected(&stage), are_bridged(&stage)), (0, false));
    stage.wait(seconds(1));
    keyed(&mut stage, 2);
    assert_eq!((count_connected(&stage), are_bridged(&stage)), (1, true));
    stage.wait(seconds(5));
    assert_eq!(count_connected(&stage), 1);
}

#[test]
fn a_page_whose_keys_were_there_before_it_answered_talks_at_once_and_one_without_any_after_three_seconds() {
    let mut stage = Stage::with(speaking_with_browsers(config()), Past::default());
    register(&mut stage, "anna", by_websocket(50));
    let _caller = caller_in_queue(&mut stage, address(9), 1);
    stage.wait(seconds(1));
    let (agent, invite) = Line::called(&mut stage, by_websocket(50));
    agent.answer(&mut stage, &invite, "183 Session Progress", &page("active", "EsAw"));
    keyed(&mut stage, 2);
    agent.answer(&mut stage, &invite, "200 OK", &page("active", "EsAw"));
    assert_eq!((count_connected(&stage), are_bridged(&stage)), (1, true));
    let (mut stage, _page) = calls_the_queue_as_a_page();
    agent_answers(&mut stage, address(50));
    stage.wait(seconds(2));
    assert_eq!(count_connected(&stage), 0);
    stage.wait(seconds(2));
    assert_eq!((count_connected(&stage), are_bridged(&stage)), (1, true));
}

/// A page waits in the queue, and anna's phone rings. Its keys are not there yet.
fn calls_the_queue_as_a_page() -> (Stage, Line) {
    let mut stage = Stage::with(speaking_with_browsers(config()), Past::default());
    register(&mut stage, "anna", address(50));
    let mut caller = Line::dial(&mut stage, by_websocket(9), "demo", &page("actpass", "EsAw"));
    caller.connect(&mut stage);
    for (menu, key) in [("language", '1'), ("topic", '0')] {
        until(&mut stage, menu, entered(menu));
        stage.press(1, key);
    }
    until(&mut stage, "the queue", |kind| matches!(kind, FactKind::QueueEntered { .. }));
    (stage, caller)
}

fn offer_ends(stage: &Stage) -> Vec<OfferEnd> {
    let end = |kind: &FactKind| match kind {
        FactKind::OfferEnded { reason, .. } => Some(*reason),
        _ => None,
    };
    stage.facts.iter().filter_map(|fact| end(&fact.kind)).collect()
}

#[test]
fn an_agents_page_that_gets_no_keys_takes_no_caller_out_of_the_queue_and_the_next_agent_is_rung() {
    let (mut stage, mut caller, agent) = answered_by_a_page();
    register(&mut stage, "bruno", address(51));
    stage.input(Input::Media(Event::HandshakeFailed { leg: LegId(2), why: "nothing came".to_owned() }));
    let bye = stage.expect(by_websocket(50), "BYE");
    agent.answer(&mut stage, &bye, "200 OK", "");
    assert_eq!(offer_ends(&stage), [OfferEnd::Failed]);
    assert_eq!(state_of(&stage, "anna"), AgentState::Paused);
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::QueueLeft { .. })), 0);
    let mut bruno = agent_answers(&mut stage, address(51));
    assert!(are_bridged(&stage) && stage.call_ends().is_empty());
    stage.wait(seconds(30));
    assert_eq!(stage.next(by_websocket(50)), "nothing", "the next call is not hers either");
    caller.request(&mut stage, "BYE", "");
    hung_up_on(&mut stage, &bruno);
    bruno.starts_counting();
    stage.assert_all_is_over();
}

#[test]
fn an_agents_page_whose_keys_do_not_come_before_the_offers_deadline_has_failed() {
    let (mut stage, _caller, agent) = answered_by_a_page();
    stage.wait(seconds(14));
    assert_eq!(count_connected(&stage), 0);
    stage.wait(seconds(2));
    hung_up_on(&mut stage, &agent);
    assert_eq!(offer_ends(&stage), [OfferEnd::Failed]);
    let leg_end = stage.fact(|kind| match kind {
        FactKind::LegEnded { leg: 2, end } => Some(end.cause),
        _ => None,
    });
    assert_eq!(leg_end, Cause::NotSecured);
    assert!(stage.call_ends().is_empty());
    // Keys that come too late win nothing.
    keyed(&mut stage, 2);
    assert_eq!(count_connected(&stage), 0);
}

#[test]
fn a_page_that_is_loaded_anew_takes_its_leg_back_once_while_the_caller_is_asked_to_wait() {
    let (mut stage, mut caller, agent) = answered_by_a_page();
    keyed(&mut stage, 2);
    close_the_page(&mut stage, 2);
    assert!(hears_that_it_should_wait(&stage, 1) && !are_bridged(&stage));
    stage.wait(seconds(10));
    assert_eq!(stage.call_ends().len(), 0);
    register(&mut stage, "anna", by_websocket(51));
    let ticket = agent.in_replaces();
    let there = ("anna", by_websocket(51));
    let mut again = Line::ask_as(&mut stage, there, ("INVITE", "anna"), (&ticket, &page("actpass", "NeWw")));
    again.connect(&mut stage);
    assert!(hears_that_it_should_wait(&stage, 1), "until the keys are there");
    keyed(&mut stage, 3);
    assert!(are_bridged(&stage) && !hears_that_it_should_wait(&stage, 1));
    let (leg, was) = stage.fact(|kind| match kind {
        FactKind::LegTakenBack { leg, was, .. } => Some((*leg, *was)),
        _ => None,
    });
    assert_eq!((leg, was), (3, 2));
    let mut thief = Line::ask_as(&mut stage, there, ("INVITE", "anna"), (&ticket, &page("actpass", "OtHr")));
    // RFC 3891 §3: what it names is over.
    stage.expect(by_websocket(51), "SIP/2.0 603");
    thief.ack(&mut stage, "");
    stage.wait(seconds(20));
    assert_eq!(stage.engine.calls(), 1, "theirs goes on");
    caller.request(&mut stage, "BYE", "");
    let bye = stage.expect(by_websocket(51), "BYE");
    again.answer(&mut stage, &bye, "200 OK", "");
    stage.assert_all_is_over();
}

#[test]
fn a_page_that_does_not_come_back_is_given_up_after_fifteen_seconds() {
    let (mut stage, caller, _agent) = answered_by_a_page();
    keyed(&mut stage, 2);
    close_the_page(&mut stage, 2);
    stage.wait(Duration::from_millis(14_900));
    assert_eq!(stage.call_ends().len(), 0);
    stage.wait(Duration::from_millis(200));
    let bye = stage.expect(address(9), "BYE");
    caller.answer(&mut stage, &bye, "200 OK", "");
    stage.assert_all_is_over();
    let end = stage.call_ends().remove(0);
    assert_eq!((end.by, end.cause), (Side::Network, Cause::Unreachable));
    assert!(end.detail.contains("did not come back within 15 s"), "{}", end.detail);
}

/// The page of anna's leg is there again, at another port, and takes its place.
fn comes_back(stage: &mut Stage, ticket: &str, at: u8, ufrag: &str) -> Line {
    register(stage, "anna", by_websocket(at));
    let there = ("anna", by_websocket(at));
    let mut again = Line::ask_as(stage, there, ("INVITE", "anna"), (ticket, &page("actpass", ufrag)));
    again.connect(stage);
    again
}

fn handshake_fails(stage: &mut Stage, leg: u64) {
    let why = "no packet came".to_owned();
    stage.input(Input::Media(Event::HandshakeFailed { leg: LegId(leg), why }));
}

#[test]
fn a_page_that_comes_back_and_gets_no_keys_may_come_back_once_more_while_the_caller_waits() {
    let (mut stage, mut caller, agent) = answered_by_a_page();
    keyed(&mut stage, 2);
    close_the_page(&mut stage, 2);
    stage.wait(seconds(4));
    let deaf = comes_back(&mut stage, &agent.in_replaces(), 51, "NeWw");
    stage.wait(seconds(2));
    handshake_fails(&mut stage, 3);
    stage.wait(seconds(4));
    assert!(hears_that_it_should_wait(&stage, 1) && !are_bridged(&stage));
    let again = comes_back(&mut stage, &deaf.in_replaces(), 52, "OtHr");
    assert!(hears_that_it_should_wait(&stage, 1), "until the keys are there");
    keyed(&mut stage, 4);
    assert!(are_bridged(&stage) && !hears_that_it_should_wait(&stage, 1));
    stage.wait(seconds(30));
    assert!(stage.call_ends().is_empty());
    caller.request(&mut stage, "BYE", "");
    let bye = stage.expect(by_websocket(52), "BYE");
    again.answer(&mut stage, &bye, "200 OK", "");
    stage.assert_all_is_over();
}

#[test]
fn a_page_that_comes_back_without_keys_is_given_up_when_its_time_is_over_and_not_before_three_seconds() {
    for (comes_after, fails, ends_after) in [(4, true, 15_000), (4, false, 15_000), (14, true, 17_000)] {
        let (mut stage, caller, agent) = answered_by_a_page();
        keyed(&mut stage, 2);
        close_the_page(&mut stage, 2);
        stage.wait(seconds(comes_after));
        let deaf = comes_back(&mut stage, &agent.in_replaces(), 51, "NeWw");
        if fails {
            handshake_fails(&mut stage, 3);
        }
        stage.wait(Duration::from_millis(ends_after - comes_after * 1000 - 100));
        assert_eq!(stage.call_ends().len(), 0);
        assert!(hears_that_it_should_wait(&stage, 1));
        stage.wait(Duration::from_millis(200));
        let bye = stage.expect(address(9), "BYE");
        caller.answer(&mut stage, &bye, "200 OK", "");
        let bye = stage.expect(by_websocket(51), "BYE");
        deaf.answer(&mut stage, &bye, "200 OK", "");
        stage.assert_all_is_over();
        let end = stage.call_ends().remove(0);
        assert_eq!((end.by, end.cause), (Side::Network, Cause::NotSecured));
        assert!(end.detail.contains("came back, but got no keys in time"), "{}", end.detail);
    }
}

#[test]
fn a_page_whose_network_was_away_for_a_moment_goes_on_by_itself() {
    let (mut stage, mut caller, _agent) = answered_by_a_page();
    keyed(&mut stage, 2);
    close_the_page(&mut stage, 2);
    stage.wait(seconds(5));
    stage.input(Input::Media(Event::Restored { leg: LegId(2), after: seconds(5) }));
    assert!(are_bridged(&stage) && !hears_that_it_should_wait(&stage, 1));
    assert_eq!(
        stage.count(|kind| matches!(kind, FactKind::LegTakenBack { leg: 2, was: 2, after_ms: 5000 })),
        1
    );
    stage.wait(seconds(30));
    assert_eq!(stage.call_ends().len(), 0);
    caller.request(&mut stage, "BYE", "");
    stage.assert_all_is_over();
}

/// The page offers its session anew in this direction.
fn reoffers_page(stage: &mut Stage, line: &mut Line, direction: &str) {
    line.request(stage, "INVITE", &page("actpass", "EsAw").replace("sendrecv", direction));
    stage.expect(line.phone, "SIP/2.0 200");
    line.ack(stage, "");
}

#[test]
fn a_page_that_is_silent_and_then_says_nothing_by_agreement_is_not_covered_with_music_for_ever() {
    let (mut stage, _caller, mut agent) = answered_by_a_page();
    keyed(&mut stage, 2);
    let evidence = Evidence {
        expected: address(50),
        last_source: None,
        silent_for: seconds(3),
        received: 100,
        rejected: 0,
        rtcp_alive: true,
    };
    let silent = Input::Media(Event::Silent { leg: LegId(2), evidence });
    stage.input(silent.clone());
    assert_eq!(caller_hears(&stage), "music");
    reoffers_page(&mut stage, &mut agent, "recvonly");
    assert_eq!(caller_hears(&stage), "the agent");
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::MediaRestored { leg: 2, .. })), 1);
    // What the watchdog saw before says nothing of now.
    stage.input(silent);
    reoffers_page(&mut stage, &mut agent, "sendrecv");
    assert_eq!(caller_hears(&stage), "the agent");
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::MediaSilent { .. })), 1);
}

fn count_configured(stage: &Stage, leg: u64) -> usize {
    let of = |command: &&Command| matches!(command, Command::Configure { leg: of, .. } if of.0 == leg);
    stage.commands.iter().filter(of).count()
}

/// A page has called somebody outside, whose operator says something before the answer.
fn hears_an_operator_as_a_page() -> (Stage, Line, Line, String) {
    let mut config = speaking_with_browsers(with_trunk());
    let to = Target::Trunk { trunk: "tim".into(), number: "0612345678".into() };
    config.services.insert("boss".into(), Service::Dial(to));
    let mut stage = Stage::with(config, Past::default());
    let caller = Line::dial(&mut stage, by_websocket(9), "boss", &page("actpass", "EsAw"));
    let (party, invite) = Line::called(&mut stage, address(OUTSIDE));
    party.answer(&mut stage, &invite, "183 Session Progress", &sdp(address(OUTSIDE), SENDRECV));
    let told = stage.expect(by_websocket(9), "SIP/2.0 183");
    assert!(told.contains("a=fingerprint"), "{told}");
    (stage, caller, party, invite)
}

fn no_keys(stage: &mut Stage) {
    stage.input(Input::Media(Event::HandshakeFailed { leg: LegId(1), why: "nothing came".to_owned() }));
}

/// RFC 3261 §13.2.1: a page may take our description from the 200 only, and looks for us from then on.
#[test]
fn the_time_of_a_callers_handshake_counts_from_the_answer_where_it_has_not_looked_for_us_before() {
    let (mut stage, mut caller, party, invite) = hears_an_operator_as_a_page();
    stage.wait(seconds(30));
    no_keys(&mut stage);
    assert!(stage.call_ends().is_empty() && stage.next(address(OUTSIDE)) == "nothing");
    assert_eq!(count_configured(&stage, 1), 2, "its handshake begins anew");
    stage.wait(seconds(28));
    party.answer(&mut stage, &invite, "200 OK", &sdp(address(OUTSIDE), SENDRECV));
    stage.expect(address(OUTSIDE), "ACK");
    caller.connect(&mut stage);
    stage.wait(seconds(2));
    no_keys(&mut stage);
    assert_eq!((stage.call_ends().len(), count_configured(&stage, 1)), (0, 3));
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::MediaHandshakeFailed { .. })), 0);
    stage.wait(seconds(30));
    no_keys(&mut stage);
    hung_up_on(&mut stage, &caller);
    hung_up_on(&mut stage, &party);
    stage.assert_all_is_over();
    assert_eq!(stage.call_ends().remove(0).cause, Cause::NotSecured);
}

#[test]
fn a_caller_who_has_looked_for_us_before_the_answer_and_gets_no_keys_is_refused() {
    let (mut stage, mut caller, party, invite) = hears_an_operator_as_a_page();
    stage.input(Input::Media(Event::PathFound { leg: LegId(1), at: address(77) }));
    no_keys(&mut stage);
    stage.expect(by_websocket(9), "SIP/2.0 488");
    caller.ack(&mut stage, "");
    is_cancelled(&mut stage, &party, &invite);
    stage.assert_all_is_over();
    assert_eq!(stage.call_ends().remove(0).cause, Cause::NotSecured);
}

#[test]
fn a_call_that_takes_a_page_over_tells_how_its_media_is_encrypted_and_where_it_is() {
    let mut stage = Stage::with(speaking_with_browsers(config()), Past::default());
    register(&mut stage, "anna", address(50));
    let _caller = caller_in_queue(&mut stage, address(9), 1);
    let mut anna = agent_answers(&mut stage, address(50));
    register(&mut stage, "bruno", by_websocket(51));
    hold(&mut stage, &mut anna);
    let mut second = Line::dial_as(&mut stage, "anna", address(50), "bruno");
    let (bruno, invite) = Line::called(&mut stage, by_websocket(51));
    bruno.answer(&mut stage, &invite, "200 OK", &page("active", "EsAw"));
    stage.expect(by_websocket(51), "ACK");
    stage.input(Input::Media(Event::PathFound { leg: LegId(4), at: address(77) }));
    keyed(&mut stage, 4);
    second.connect(&mut stage);
    let to = format!("sip:bruno@10.0.0.1?{}", second.as_replaces());
    assert_eq!(anna.refer(&mut stage, &to), "SIP/2.0 202 Accepted");
    let secured = |kind: &FactKind| match kind {
        FactKind::MediaSecured { leg, keys } => Some((*leg, keys.exchange.clone())),
        _ => None,
    };
    let told: Vec<_> = stage.facts.iter().filter_map(|fact| secured(&fact.kind)).collect();
    assert_eq!(told, [(2, "dtls".to_owned()), (3, "dtls".to_owned())]);
    let found = |leg| {
        stage.count(|kind| matches!(kind, FactKind::MediaPathFound { leg: of, at } if *of == leg && *at == address(77).to_string()))
    };
    assert_eq!((found(2), found(3)), (1, 1));
}

#[test]
fn a_handshake_that_fails_ends_the_conversation_and_says_why() {
    let mut stage = Stage::with(speaking_with_browsers(config()), Past::default());
    let mut caller = Line::dial(&mut stage, by_websocket(9), "echo", &page("actpass", "EsAw"));
    caller.connect(&mut stage);
    let why = "the certificate is another one".to_owned();
    stage.input(Input::Media(Event::HandshakeFailed { leg: LegId(1), why: why.clone() }));
    let bye = stage.expect(by_websocket(9), "BYE");
    caller.answer(&mut stage, &bye, "200 OK", "");
    stage.assert_all_is_over();
    let end = stage.call_ends().remove(0);
    assert_eq!((end.by, end.cause, end.detail), (Side::Network, Cause::NotSecured, why.clone()));
    let told = stage.fact(|kind| match kind {
        FactKind::MediaHandshakeFailed { leg: 1, why } => Some(why.clone()),
        _ => None,
    });
    assert_eq!(told, why);
}

#[test]
fn without_a_certificate_a_page_is_refused() {
    let mut stage = Stage::new();
    let mut caller = Line::dial(&mut stage, by_websocket(9), "echo", &page("actpass", "EsAw"));
    let refusal = stage.expect(by_websocket(9), "SIP/2.0 488");
    assert!(header(&refusal, "Warning").contains("not spoken here"), "{refusal}");
    caller.ack(&mut stage, "");
    stage.assert_all_is_over();
}

fn ufrag(description: &str) -> &str {
    description.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).unwrap()
}

/// By which names we are looked for on a leg.
fn our_name(stage: &Stage, leg: u64) -> (String, String) {
    let Security::Handshake(agreed) = &stage.streams[&LegId(leg)].security else { panic!("no browser") };
    (agreed.ours.ufrag().to_owned(), agreed.theirs.ufrag().to_owned())
}

#[test]
fn a_page_that_has_lost_its_way_is_asked_to_look_for_us_by_new_names() {
    let mut stage = Stage::with(speaking_with_browsers(config()), Past::default());
    let mut caller = Line::dial(&mut stage, by_websocket(9), "echo", &page("actpass", "EsAw"));
    let before = ufrag(&caller.connect(&mut stage)).to_owned();
    let lost = Event::PathLost { leg: LegId(1), at: Some(address(77)), silent_for: seconds(30) };
    stage.input(Input::Media(lost.clone()));
    let asked = stage.expect(by_websocket(9), "INVITE");
    assert_ne!(ufrag(&asked), before);
    assert!(asked.contains("a=setup:actpass") && asked.contains("a=sendrecv"), "{asked}");
    // Lost again before it has answered: it is asked again, but not at the same time, or who answered what?
    stage.input(Input::Media(lost));
    assert_eq!(stage.next(by_websocket(9)), "nothing");
    caller.answer(&mut stage, &asked, "200 OK", &page("active", "NeWw"));
    assert_eq!(our_name(&stage, 1), (ufrag(&asked).to_owned(), "NeWw".to_owned()));
    stage.expect(by_websocket(9), "ACK");
    let again = stage.expect(by_websocket(9), "INVITE");
    assert_ne!(ufrag(&again), ufrag(&asked));
    caller.answer(&mut stage, &again, "488 Not Acceptable Here", "");
    stage.expect(by_websocket(9), "ACK");
    assert_eq!(our_name(&stage, 1).0, ufrag(&asked), "what was refused changes nothing");
    caller.request(&mut stage, "BYE", "");
    stage.assert_all_is_over();
}

/// The page of an agent's: it names its device, so that it is found by whatever way it has registered last.
fn registers_page(stage: &mut Stage, at: u8) -> String {
    registers_page_as(stage, at, 1)
}

fn registers_page_as(stage: &mut Stage, at: u8, instance: u8) -> String {
    let params = format!(";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-00000000000{instance}>\"");
    let call_id = format!("register-anna-{instance}");
    let ok = register_with(stage, "anna", by_websocket(at), (&call_id, &params), "Supported: gruu\r\n");
    let gruu = ok.split("pub-gruu=\"").nth(1).unwrap();
    gruu.split('"').next().unwrap().to_owned()
}

fn answers_as(stage: &mut Stage, request: &str, (phone, contact): (u8, &str), body: &str) {
    let copied =
        ["Via", "From", "Call-ID", "CSeq"].map(|name| format!("{name}: {}\r\n", header(request, name)));
    let to = header(request, "To");
    let tag = if to.contains(";tag=") { "" } else { ";tag=theirs" };
    let text = format!(
        "SIP/2.0 200 OK\r\n{}To: {to}{tag}\r\nContact: <{contact}>\r\nContent-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{body}",
        copied.concat(),
        body.len(),
    );
    stage.send(by_websocket(phone), &text);
}

/// What the caller was last told to hear.
fn caller_hears(stage: &Stage) -> &'static str {
    let hears = |command: &Command| match command {
        Command::Bridge { .. } => Some("the agent"),
        Command::Play { leg: LegId(1), repeat: true, .. } => Some("music"),
        _ => None,
    };
    stage.commands.iter().rev().find_map(hears).unwrap()
}

#[test]
fn an_agent_whose_network_changes_keeps_the_call_and_the_caller_hears_music_meanwhile() {
    // The device shows itself by its new way before or after it is missed.
    for is_missed_first in [true, false] {
        let mut stage = Stage::with(speaking_with_browsers(config()), Past::default());
        let gruu = registers_page(&mut stage, 50);
        let _caller = caller_in_queue(&mut stage, address(9), 1);
        stage.wait(seconds(1));
        let invite = stage.expect(by_websocket(50), "INVITE");
        answers_as(&mut stage, &invite, (50, &gruu), &page("active", "EsAw"));
        stage.expect(by_websocket(50), "ACK");
        keyed(&mut stage, 2);
        stage.wait(seconds(1));
        assert_eq!(caller_hears(&stage), "the agent");
        let evidence = media_api::Evidence {
            expected: address(77),
            last_source: Some(address(77)),
            silent_for: seconds(2),
            received: 50,
            rejected: 0,
            rtcp_alive: false,
        };
        let missed = Input::Media(Event::Silent { leg: LegId(2), evidence });
        if is_missed_first {
            stage.input(missed.clone());
            assert_eq!(caller_hears(&stage), "music");
        }
        stage.input(Input::FlowFailed { flow: flow(by_websocket(50)) });
        registers_page(&mut stage, 51);
        if !is_missed_first {
            stage.input(missed);
            assert_eq!(caller_hears(&stage), "music");
        }
        let asked = stage.expect(by_websocket(51), "INVITE");
        assert_ne!(ufrag(&asked), ufrag(&invite));
        answers_as(&mut stage, &asked, (51, &gruu), &page("active", "NeWw"));
        stage.expect(by_websocket(51), "ACK");
        assert_eq!(our_name(&stage, 2), (ufrag(&asked).to_owned(), "NeWw".to_owned()));
        assert_eq!(caller_hears(&stage), "music");
        stage.input(Input::Media(Event::PathFound { leg: LegId(2), at: address(78) }));
        stage.input(Input::Media(Event::Restored { leg: LegId(2), after: seconds(4) }));
        assert_eq!(caller_hears(&stage), "the agent");
        // Heard and registered again, it is asked for nothing.
        registers_page(&mut stage, 51);
        stage.wait(seconds(20));
        assert_eq!(stage.next(by_websocket(51)), "nothing");
        assert!(stage.call_ends().is_empty());
    }
}

#[test]
fn a_phone_that_falls_silent_is_no_browser_and_is_not_covered_with_music() {
    let mut stage = Stage::with(speaking_with_browsers(config()), Past::default());
    register(&mut stage, "anna", address(50));
    let _caller = caller_in_queue(&mut stage, address(9), 1);
    stage.wait(seconds(1));
    agent_answers(&mut stage, address(50));
    stage.wait(seconds(1));
    let evidence = media_api::Evidence {
        expected: address(77),
        last_source: None,
        silent_for: seconds(2),
        received: 0,
        rejected: 0,
        rtcp_alive: true,
    };
    stage.input(Input::Media(Event::Silent { leg: LegId(2), evidence }));
    assert_eq!(caller_hears(&stage), "the agent");
}

#[test]
fn a_page_that_is_loaded_anew_takes_its_call_back() {
    let mut stage = Stage::with(speaking_with_browsers(config()), Past::default());
    let gruu = registers_page(&mut stage, 50);
    let mut caller = caller_in_queue(&mut stage, address(9), 1);
    stage.wait(seconds(1));
    let (before, invite) = Line::called(&mut stage, by_websocket(50));
    answers_as(&mut stage, &invite, (50, &gruu), &page("active", "EsAw"));
    stage.expect(by_websocket(50), "ACK");
    keyed(&mut stage, 2);
    stage.input(Input::FlowFailed { flow: flow(by_websocket(50)) });
    let evidence = media_api::Evidence {
        expected: address(77),
        last_source: Some(address(77)),
        silent_for: seconds(2),
        received: 50,
        rejected: 0,
        rtcp_alive: false,
    };
    stage.input(Input::Media(Event::Silent { leg: LegId(2), evidence }));
    assert_eq!(caller_hears(&stage), "music");
    // It is another device now, as far as the page knows, and has kept the name of its dialog.
    stage.wait(seconds(12));
    registers_page_as(&mut stage, 51, 2);
    let more = before.in_replaces();
    let offer = page("actpass", "LoAd");
    let mut again = Line::ask_as(&mut stage, ("anna", by_websocket(51)), ("INVITE", "demo"), (&more, &offer));
    let answer = again.connect(&mut stage);
    assert!(answer.contains("a=setup:passive"), "{answer}");
    assert_eq!(our_name(&stage, 3).1, "LoAd");
    keyed(&mut stage, 3);
    assert_eq!(caller_hears(&stage), "the agent");
    let (a, b) = (LegId(1), LegId(3));
    let is_joined = |command: &Command| matches!(command, Command::Bridge { a: one, b: other } if [(a, b), (b, a)].contains(&(*one, *other)));
    assert!(stage.commands.iter().any(is_joined), "{:?}", stage.commands);
    assert!(stage.call_ends().is_empty());
    caller.request(&mut stage, "BYE", "");
    let bye = stage.expect(by_websocket(51), "BYE");
    again.answer(&mut stage, &bye, "200 OK", "");
    stage.wait(seconds(40));
    stage.assert_all_is_over();
    assert_eq!(stage.call_ends().len(), 1);
}
