//! Guests of a conversation whose devices change: a page that is loaded anew, a phone that hands on to another one, and the
//! two beside them.

use crate::support::desk::*;
use crate::support::hall::Heard::{self, Music, Party};
use crate::support::hall::{Hall, Weather, assert_ears};
use crate::support::page::{closes, keyed, page, speaking_with_browsers};
use crate::support::stage::*;
use engine::{Input, Past};
use facts::{Cause, Command, End, FactKind, Side, SupervisionMode};
use media_api::{Command as Media, LegId, Seat};
use std::time::Duration;

const CARLA: u8 = 52;
const ONE: Heard = Party(1);
const TWO: Heard = Party(2);
const THREE: Heard = Party(3);
const FOUR: Heard = Party(4);

fn command(stage: &mut Stage, command: impl FnOnce(String) -> Command) {
    let call = stage.facts.iter().find_map(|fact| fact.call.clone()).unwrap();
    stage.input(Input::Command { id: 7, by: "crm".to_owned(), command: command(call) });
    let (_, result) = stage.replies.pop().unwrap();
    assert!(result.is_ok(), "{result:?}");
}

fn supervise(stage: &mut Stage, mode: SupervisionMode) {
    let (supervisor, basis) = ("carla".to_owned(), "training".to_owned());
    command(stage, |call| Command::Supervise { call, supervisor, mode, basis });
}

fn add(stage: &mut Stage, to: &str) {
    command(stage, |call| Command::AddParty { call, to: to.to_owned() });
}

fn mute(stage: &mut Stage, leg: u32, muted: bool) {
    command(stage, |call| Command::MuteParty { call, leg, muted });
}

fn transfer(stage: &mut Stage, to: &str) {
    command(stage, |call| Command::Transfer { call, to: to.to_owned() });
}

/// A caller (leg 1) talks with anna (leg 2), in sound; carla and bruno are there.
fn in_sound() -> (Stage, Line, Line) {
    let mut stage = Stage::with(with_trunk(), Past::default());
    stage.hall = Some(Hall::new(stage.now, Weather { seed: 1, lost_permille: 0, delay_max: Duration::ZERO }));
    register(&mut stage, "anna", address(ANNA));
    let caller = caller_in_queue(&mut stage, address(9), 1);
    let anna = agent_answers(&mut stage, address(ANNA));
    register(&mut stage, "carla", address(CARLA));
    register(&mut stage, "bruno", address(BRUNO));
    (stage, caller, anna)
}

/// A caller talks with anna; carla and bruno are pages.
fn beside_pages() -> (Stage, Line, Line) {
    let mut stage = Stage::with(speaking_with_browsers(with_trunk()), Past::default());
    register(&mut stage, "anna", address(ANNA));
    let caller = caller_in_queue(&mut stage, address(9), 1);
    let anna = agent_answers(&mut stage, address(ANNA));
    register(&mut stage, "carla", by_websocket(CARLA));
    register(&mut stage, "bruno", by_websocket(BRUNO));
    (stage, caller, anna)
}

/// A page that is rung answers, and its keys come.
fn page_answers(stage: &mut Stage, at: u8, leg: u64) -> Line {
    let phone = by_websocket(at);
    let (mut line, invite) = Line::called(stage, phone);
    line.answer(stage, &invite, "200 OK", &page("active", "EsAw"));
    stage.expect(phone, "ACK");
    line.starts_counting();
    keyed(stage, leg);
    line
}

/// The page is loaded anew, and takes the leg of the one that it was.
fn loads_anew(stage: &mut Stage, user: &str, at: u8, was: &Line) -> Line {
    let there = by_websocket(at);
    register(stage, user, there);
    let offer = page("actpass", "NeWw");
    Line::ask_as(stage, (user, there), ("INVITE", user), (&was.in_replaces(), &offer))
}

/// The same account takes the leg from one of its phones to another one.
fn changes_device(stage: &mut Stage, user: &str, from: &Line, at: u8, direction: &str) -> Line {
    let there = (user, address(at));
    let offer = sdp(address(at), direction);
    let mut second = Line::ask_as(stage, there, ("INVITE", user), (&from.in_replaces(), &offer));
    second.connect(stage);
    assert_folded(stage);
    hung_up_on(stage, from);
    second
}

fn assert_folded(stage: &Stage) {
    let mut fold = journal::fold::SnapshotFold::default();
    stage.facts.iter().for_each(|fact| fold.apply(fact));
    assert_eq!(*fold.snapshot(), stage.engine.snapshot());
}

/// The seat that a leg has been given last.
fn seat(stage: &Stage, of: u64) -> Option<Seat> {
    stage.commands.iter().rev().find_map(|command| match command {
        Media::Join { leg, seat, .. } if leg.0 == of => Some(Some(seat.clone())),
        Media::Unbridge { leg } if leg.0 == of => Some(None),
        _ => None,
    })?
}

fn taken_back(stage: &Stage) -> Vec<(u32, u32)> {
    let pick = |kind: &FactKind| match kind {
        FactKind::LegTakenBack { leg, was, .. } => Some((*leg, *was)),
        _ => None,
    };
    stage.kinds().into_iter().filter_map(pick).collect()
}

fn end_of(stage: &Stage, number: u32) -> End {
    stage.fact(|kind| match kind {
        FactKind::LegEnded { leg, end } if *leg == number => Some(end.clone()),
        _ => None,
    })
}

/// What the two are told by media from here on: nothing, if they are not disturbed.
fn told_to_the_two(stage: &Stage, from: usize) -> Vec<&Media> {
    let is_new = |command: &&Media| {
        !matches!(command, Media::Join { seat, .. } if *seat == Seat::OPEN)
            && command.leg().is_some_and(|leg| leg.0 < 3)
    };
    stage.commands.iter().skip(from).filter(is_new).collect()
}

#[test]
fn the_page_of_a_supervisor_or_a_third_party_that_is_loaded_anew_takes_its_leg_back_and_nobody_is_disturbed()
{
    for is_supervisor in [true, false] {
        let (mut stage, mut caller, anna) = beside_pages();
        let (who, at) = if is_supervisor { ("carla", CARLA) } else { ("bruno", BRUNO) };
        match is_supervisor {
            true => supervise(&mut stage, SupervisionMode::Whisper),
            false => add(&mut stage, "bruno"),
        }
        let guest = page_answers(&mut stage, at, 3);
        let before = seat(&stage, 3);
        let from = stage.commands.len();
        closes(&mut stage, at, 3);
        assert_eq!(stage.count(|kind| matches!(kind, FactKind::LegLost { leg: 3, waits_ms: 15_000 })), 1);
        stage.wait(seconds(10));
        let mut again = loads_anew(&mut stage, who, 61, &guest);
        again.connect(&mut stage);
        keyed(&mut stage, 4);
        assert_eq!(taken_back(&stage), [(4, 3)]);
        assert_eq!((seat(&stage, 3), seat(&stage, 4)), (None, before));
        assert_eq!(end_of(&stage, 3).cause, Cause::Transferred);
        assert_eq!(told_to_the_two(&stage, from), [] as [&Media; 0]);
        assert_folded(&stage);
        let now = stage.engine.snapshot();
        let supervision = now.calls.values().next().unwrap().legs[&4].supervision;
        assert_eq!(supervision.is_some(), is_supervisor);
        stage.wait(seconds(20));
        assert_eq!(stage.engine.calls(), 1);
        // It can be taken back again, and is dismissed with the call.
        closes(&mut stage, 61, 4);
        let mut third = loads_anew(&mut stage, who, 62, &again);
        third.connect(&mut stage);
        keyed(&mut stage, 5);
        assert_eq!(taken_back(&stage), [(4, 3), (5, 4)]);
        hangs_up(&mut stage, &mut caller);
        hung_up_on(&mut stage, &anna);
        hung_up_on(&mut stage, &third);
        stage.assert_all_is_over();
    }
}

#[test]
fn a_guests_page_that_comes_back_before_anybody_has_missed_it_takes_its_leg_back_too() {
    let (mut stage, mut caller, anna) = beside_pages();
    supervise(&mut stage, SupervisionMode::Listen);
    let guest = page_answers(&mut stage, CARLA, 3);
    let mut again = loads_anew(&mut stage, "carla", 61, &guest);
    again.connect(&mut stage);
    keyed(&mut stage, 4);
    assert_eq!(taken_back(&stage), []);
    assert_eq!((seat(&stage, 3), seat(&stage, 4)), (None, Some(Seat::LISTENING)));
    assert_folded(&stage);
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &anna);
    hung_up_on(&mut stage, &again);
    stage.assert_all_is_over();
}

#[test]
fn a_guests_page_that_does_not_come_back_is_out_after_fifteen_seconds_and_the_two_talk_on() {
    let (mut stage, mut caller, anna) = beside_pages();
    add(&mut stage, "bruno");
    let guest = page_answers(&mut stage, BRUNO, 3);
    supervise(&mut stage, SupervisionMode::Listen);
    page_answers(&mut stage, CARLA, 4);
    let from = stage.commands.len();
    closes(&mut stage, BRUNO, 3);
    stage.wait(seconds(5));
    closes(&mut stage, CARLA, 4);
    stage.wait(Duration::from_millis(9_900));
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::ConferenceLeft { .. })), 0);
    stage.wait(Duration::from_millis(200));
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::ConferenceLeft { leg: 3 })), 1);
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::SupervisionEnded { .. })), 0);
    stage.wait(seconds(5));
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::SupervisionEnded { leg: 4, .. })), 1);
    for leg in [3, 4] {
        let end = end_of(&stage, leg);
        assert_eq!((end.by, end.cause), (Side::Network, Cause::Unreachable));
        assert!(end.detail.contains("did not come back within 15 s"), "{}", end.detail);
    }
    assert_eq!(told_to_the_two(&stage, from), [] as [&Media; 0]);
    assert_folded(&stage);
    // Too late: what it names is over.
    loads_anew(&mut stage, "bruno", 61, &guest);
    stage.expect(by_websocket(61), "SIP/2.0 603");
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &anna);
    stage.assert_all_is_over();
}

#[test]
fn a_guests_page_whose_network_was_away_for_a_moment_goes_on_by_itself() {
    let (mut stage, mut caller, anna) = beside_pages();
    add(&mut stage, "bruno");
    let guest = page_answers(&mut stage, BRUNO, 3);
    closes(&mut stage, BRUNO, 3);
    stage.wait(seconds(5));
    stage.input(Input::Media(media_api::Event::Restored { leg: LegId(3), after: seconds(5) }));
    assert_eq!(taken_back(&stage), [(3, 3)]);
    stage.wait(seconds(30));
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::ConferenceLeft { .. })), 0);
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &anna);
    hung_up_on(&mut stage, &guest);
    stage.assert_all_is_over();
}

#[test]
fn who_takes_the_call_from_a_page_that_was_lost_is_heard_and_not_given_up_with_it() {
    let mut stage = Stage::with(speaking_with_browsers(with_trunk()), Past::default());
    register(&mut stage, "anna", by_websocket(ANNA));
    let mut caller = caller_in_queue(&mut stage, address(9), 1);
    stage.wait(seconds(1));
    let anna = page_answers(&mut stage, ANNA, 2);
    register(&mut stage, "bruno", address(BRUNO));
    closes(&mut stage, ANNA, 2);
    transfer(&mut stage, "bruno");
    let bruno = answers(&mut stage, address(BRUNO));
    hung_up_on(&mut stage, &anna);
    let last = stage
        .commands
        .iter()
        .rev()
        .find(|command| matches!(command, Media::Bridge { .. } | Media::Play { .. }));
    assert!(matches!(last, Some(Media::Bridge { .. })), "{last:?}");
    stage.wait(seconds(30));
    assert_eq!(stage.engine.calls(), 1);
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &bruno);
    stage.assert_all_is_over();
}

#[test]
fn beside_a_supervisor_the_caller_is_asked_to_wait_for_the_agents_page_as_without_one() {
    let mut stage = Stage::with(speaking_with_browsers(with_trunk()), Past::default());
    register(&mut stage, "anna", by_websocket(ANNA));
    let mut caller = caller_in_queue(&mut stage, address(9), 1);
    stage.wait(seconds(1));
    let anna = page_answers(&mut stage, ANNA, 2);
    register(&mut stage, "carla", address(CARLA));
    supervise(&mut stage, SupervisionMode::Listen);
    let carla = answers(&mut stage, address(CARLA));
    closes(&mut stage, ANNA, 2);
    assert_eq!(plays(&stage, 1), Some("it/please_wait".to_owned()));
    let mut again = loads_anew(&mut stage, "anna", 61, &anna);
    again.connect(&mut stage);
    // Who joins meanwhile changes nothing of it.
    mute(&mut stage, 1, true);
    assert_eq!(plays(&stage, 1), Some("it/please_wait".to_owned()), "until the keys are there");
    mute(&mut stage, 1, false);
    keyed(&mut stage, 4);
    assert_eq!(plays(&stage, 1), None);
    assert_eq!(seat(&stage, 4), Some(Seat::OPEN));
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &again);
    hung_up_on(&mut stage, &carla);
    stage.assert_all_is_over();
}

/// What a leg is played, over and over.
fn plays(stage: &Stage, of: u64) -> Option<String> {
    stage.commands.iter().rev().find_map(|command| match command {
        Media::Play { leg, sounds, repeat: true, .. } if leg.0 == of => Some(Some(sounds[0][0].to_string())),
        Media::Stop { leg } if leg.0 == of => Some(None),
        _ => None,
    })?
}

#[test]
fn who_changes_devices_in_a_held_conference_leaves_the_other_its_music() {
    let (mut stage, mut caller, mut anna) = in_sound();
    supervise(&mut stage, SupervisionMode::Listen);
    let carla = answers(&mut stage, address(CARLA));
    hold(&mut stage, &mut anna);
    assert_ears(&mut stage, &[(1, &[Music]), (3, &[])]);
    // The device that she takes the call on holds from the beginning.
    let mut second = changes_device(&mut stage, "anna", &anna, 54, "sendonly");
    assert_ears(&mut stage, &[(1, &[Music]), (3, &[]), (4, &[])]);
    reoffers(&mut stage, &mut second, SENDRECV);
    assert_ears(&mut stage, &[(1, &[FOUR]), (3, &[ONE, FOUR]), (4, &[ONE])]);
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &second);
    hung_up_on(&mut stage, &carla);
}

#[test]
fn a_guest_who_changes_devices_keeps_its_seat_and_the_others_hear_each_other_all_the_while() {
    let (mut stage, mut caller, anna) = in_sound();
    add(&mut stage, "bruno");
    let bruno = answers(&mut stage, address(BRUNO));
    mute(&mut stage, 3, true);
    assert_ears(&mut stage, &[(1, &[TWO]), (2, &[ONE]), (3, &[ONE, TWO])]);
    let from = stage.commands.len();
    let second = changes_device(&mut stage, "bruno", &bruno, 54, SENDRECV);
    assert_eq!(told_to_the_two(&stage, from), [] as [&Media; 0]);
    assert_ears(&mut stage, &[(1, &[TWO]), (2, &[ONE]), (4, &[ONE, TWO])]);
    mute(&mut stage, 4, false);
    assert_ears(&mut stage, &[(1, &[TWO, FOUR]), (2, &[ONE, FOUR]), (4, &[ONE, TWO])]);
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &anna);
    hung_up_on(&mut stage, &second);
}

#[test]
fn one_of_the_two_who_changes_devices_does_not_part_the_other_from_a_third_party() {
    let (mut stage, mut caller, anna) = in_sound();
    add(&mut stage, "bruno");
    let bruno = answers(&mut stage, address(BRUNO));
    assert_ears(&mut stage, &[(1, &[TWO, THREE]), (3, &[ONE, TWO])]);
    let from = stage.commands.len();
    let second = changes_device(&mut stage, "anna", &anna, 54, SENDRECV);
    let leaves = |command: &Media| {
        matches!(command, Media::Unbridge { leg: LegId(1 | 3) } | Media::Stop { leg: LegId(1 | 3) })
    };
    assert!(!stage.commands.iter().skip(from).any(leaves), "{:?}", &stage.commands[from..]);
    assert_ears(&mut stage, &[(1, &[THREE, FOUR]), (3, &[ONE, FOUR]), (4, &[ONE, THREE])]);
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &second);
    hung_up_on(&mut stage, &bruno);
}

#[test]
fn where_a_third_party_holds_too_the_one_who_is_left_has_music() {
    let (mut stage, mut caller, mut anna) = in_sound();
    add(&mut stage, "bruno");
    let mut bruno = answers(&mut stage, address(BRUNO));
    hold(&mut stage, &mut anna);
    assert_ears(&mut stage, &[(1, &[THREE])]);
    hold(&mut stage, &mut bruno);
    assert_ears(&mut stage, &[(1, &[Music])]);
    reoffers(&mut stage, &mut bruno, SENDRECV);
    assert_ears(&mut stage, &[(1, &[THREE]), (3, &[ONE])]);
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &anna);
    hung_up_on(&mut stage, &bruno);
}
