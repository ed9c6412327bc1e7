//! Pages of browsers that are dialled: handed a caller, or called by name. One that cannot be heard takes nobody over.

use crate::support::desk::*;
use crate::support::handing::*;
use crate::support::page::{keyed, page, speaking_with_browsers};
use crate::support::stage::*;
use engine::{Input, Past, Service, Target};
use facts::{Cause, End, FactKind};
use media_api::{Command, Event, LegId};

/// How a page comes to have no keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keyless {
    /// Its handshake failed.
    Failed,
    /// It came to no end.
    Late,
}

/// A caller talks with anna, who hands them to bruno's page; it has answered, and its keys are not there yet.
fn handed_to_a_page() -> (Stage, Line, Line, Line) {
    let mut stage = Stage::with(speaking_with_browsers(config()), Past::default());
    register(&mut stage, "anna", address(ANNA));
    let caller = caller_in_queue(&mut stage, address(9), 1);
    let mut anna = agent_answers(&mut stage, address(ANNA));
    register(&mut stage, "bruno", by_websocket(BRUNO));
    assert_eq!(anna.refer(&mut stage, "sip:bruno@pbx.example"), "SIP/2.0 202 Accepted");
    assert_eq!(anna.told(&mut stage), "SIP/2.0 100 Trying");
    let bruno = page_answers(&mut stage);
    (stage, caller, anna, bruno)
}

/// Bruno's page answers what calls it.
fn page_answers(stage: &mut Stage) -> Line {
    let (mut bruno, invite) = Line::called(stage, by_websocket(BRUNO));
    bruno.answer(stage, &invite, "200 OK", &page("active", "EsAw"));
    stage.expect(by_websocket(BRUNO), "ACK");
    bruno.starts_counting();
    bruno
}

/// The page's leg has no keys, and ends.
fn stays_keyless(stage: &mut Stage, (leg, how): (u64, Keyless), bruno: &Line) {
    match how {
        Keyless::Failed => {
            let why = "nothing came".to_owned();
            stage.input(Input::Media(Event::HandshakeFailed { leg: LegId(leg), why }));
        }
        Keyless::Late => stage.wait(seconds(16)),
    }
    hung_up_on(stage, bruno);
}

fn hears_music(stage: &Stage, leg: u64) -> bool {
    let of = |command: &Command| match command {
        Command::Play { leg: of, repeat: true, .. } if of.0 == leg => Some(true),
        Command::Stop { leg: of } if of.0 == leg => Some(false),
        Command::Bridge { a, b } if [*a, *b].contains(&LegId(leg)) => Some(false),
        _ => None,
    };
    stage.commands.iter().rev().find_map(of) == Some(true)
}

#[test]
fn a_caller_who_is_handed_to_a_page_hears_music_until_it_has_its_keys_and_only_then_the_agent_is_free() {
    let (mut stage, mut caller, anna, bruno) = handed_to_a_page();
    stage.wait(seconds(5));
    assert!(hears_music(&stage, 1));
    assert_eq!(stage.next(address(ANNA)), "nothing");
    assert_eq!(transfers(&stage), ["started bruno"]);
    keyed(&mut stage, 3);
    assert_eq!(anna.told(&mut stage), "SIP/2.0 200 OK");
    hung_up_on(&mut stage, &anna);
    assert_eq!(transfers(&stage), ["started bruno", "completed bruno"]);
    assert_eq!(stage.count(|kind| *kind == FactKind::CallConnected { a: 1, b: 3 }), 1);
    stage.wait(seconds(20));
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &bruno);
    assert_all_is_well(&mut stage);
}

#[test]
fn a_page_without_keys_gives_the_caller_back_to_whoever_transferred() {
    for how in [Keyless::Failed, Keyless::Late] {
        let (mut stage, mut caller, anna, bruno) = handed_to_a_page();
        stays_keyless(&mut stage, (3, how), &bruno);
        assert!(anna.told(&mut stage).starts_with("SIP/2.0 480"), "{how:?}");
        assert_eq!(stage.count(|kind| *kind == FactKind::CallConnected { a: 1, b: 2 }), 2, "together again");
        assert_eq!(transfers(&stage), ["started bruno", "failed bruno"]);
        assert_eq!(leg_end(&stage, 3).1, Cause::NotSecured);
        stage.wait(seconds(40));
        assert!(stage.call_ends().is_empty());
        hangs_up(&mut stage, &mut caller);
        hung_up_on(&mut stage, &anna);
        assert_all_is_well(&mut stage);
    }
}

#[test]
fn a_page_without_keys_gives_the_caller_back_to_whoever_transferred_and_hung_up() {
    let (mut stage, mut caller, mut anna, bruno) = handed_to_a_page();
    hangs_up(&mut stage, &mut anna);
    assert!(hears_music(&stage, 1));
    stays_keyless(&mut stage, (3, Keyless::Failed), &bruno);
    let again = answers(&mut stage, address(ANNA));
    assert_eq!(transfers(&stage), ["started bruno", "failed bruno", "started anna", "completed anna"]);
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &again);
    assert_all_is_well(&mut stage);
}

#[test]
fn a_page_that_hangs_up_before_it_has_its_keys_gives_the_caller_back() {
    let (mut stage, mut caller, anna, mut bruno) = handed_to_a_page();
    hangs_up(&mut stage, &mut bruno);
    anna.told(&mut stage);
    assert_eq!(transfers(&stage), ["started bruno", "failed bruno"]);
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &anna);
    assert_all_is_well(&mut stage);
}

/// A phone has called bruno's page by his name, and the page has answered.
fn called_by_name() -> (Stage, Line, Line) {
    let mut config = speaking_with_browsers(config());
    config.services.insert("200".to_owned(), Service::Dial(Target::Agent("bruno".to_owned())));
    let mut stage = Stage::with(config, Past::default());
    register(&mut stage, "bruno", by_websocket(BRUNO));
    let caller = Line::dial(&mut stage, address(9), "200", &sdp(address(9), SENDRECV));
    let bruno = page_answers(&mut stage);
    (stage, caller, bruno)
}

#[test]
fn who_calls_a_page_by_name_is_answered_when_it_has_its_keys() {
    let (mut stage, mut caller, bruno) = called_by_name();
    stage.wait(seconds(2));
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::LegConnected { leg: 1, .. })), 0);
    keyed(&mut stage, 2);
    caller.connect(&mut stage);
    assert_eq!(stage.count(|kind| *kind == FactKind::CallConnected { a: 1, b: 2 }), 1);
    stage.wait(seconds(20));
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &bruno);
    stage.assert_all_is_over();
}

#[test]
fn who_calls_a_page_without_keys_by_name_is_refused_and_the_reason_is_in_the_log() {
    for (how, why) in
        [(Keyless::Failed, "nothing came"), (Keyless::Late, "its handshake came to no end within 15 s")]
    {
        let (mut stage, mut caller, bruno) = called_by_name();
        stays_keyless(&mut stage, (2, how), &bruno);
        stage.expect(address(9), "SIP/2.0 480");
        caller.ack(&mut stage, "");
        stage.assert_all_is_over();
        let End { cause, detail, .. } = stage.call_ends().remove(0);
        assert_eq!(cause, Cause::NotSecured, "{how:?}");
        assert!(detail.contains(why), "{detail}");
    }
}

#[test]
fn who_gives_up_while_a_page_waits_for_its_keys_leaves_nothing_behind() {
    let (mut stage, caller, bruno) = called_by_name();
    caller.cancel(&mut stage);
    hung_up_on(&mut stage, &bruno);
    stage.expect(address(9), "SIP/2.0 200");
    stage.expect(address(9), "SIP/2.0 487");
    let mut caller = caller;
    caller.ack(&mut stage, "");
    stage.assert_all_is_over();
    assert_eq!(stage.call_ends().remove(0).cause, Cause::Cancelled);
}
