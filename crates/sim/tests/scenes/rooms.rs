//! Callers who meet in a room.

use crate::support::desk::*;
use crate::support::hall::{Hall, Heard, Weather};
use crate::support::stage::*;
use engine::{Past, Service};
use media_api::{Command, LegId, RoomId, Seat};
use std::collections::BTreeSet;
use std::time::Duration;

fn meeting() -> Stage {
    let mut config = config();
    for (number, name) in [("meeting", "one"), ("meeting-too", "one"), ("other", "two")] {
        config.services.insert(
            number.to_owned(),
            Service::Room { name: name.to_owned(), chime: true, announce: Vec::new() },
        );
    }
    Stage::with(config, Past::default())
}

fn calls(stage: &mut Stage, from: u8, number: &str) -> Line {
    let mut line = Line::dial(stage, address(from), number, &sdp(address(from), SENDRECV));
    line.connect(stage);
    line
}

fn joined(stage: &Stage) -> Vec<(LegId, RoomId)> {
    let joined = stage.commands.iter().filter_map(|command| match command {
        Command::Join { leg, room, seat, chime: true } if *seat == Seat::OPEN => Some((*leg, *room)),
        _ => None,
    });
    joined.collect()
}

#[test]
fn callers_of_one_room_meet_beside_each_other_and_others_do_not() {
    let mut stage = meeting();
    let mut lines: Vec<Line> = (8..)
        .zip(["meeting", "meeting-too", "other"])
        .map(|(from, number)| calls(&mut stage, from, number))
        .collect();
    let (one, two) = (RoomId(1), RoomId(2));
    assert_eq!(joined(&stage), [(LegId(1), one), (LegId(2), one), (LegId(3), two)]);
    assert_eq!(stage.beside, [(LegId(1), None), (LegId(2), Some(LegId(1))), (LegId(3), None)]);
    lines.iter_mut().for_each(|line| hangs_up(&mut stage, line));
    stage.assert_all_is_over();
}

#[test]
fn a_room_that_all_have_left_is_another_one_the_next_time() {
    let mut stage = meeting();
    for _ in 0..2 {
        let mut line = calls(&mut stage, 8, "meeting");
        hangs_up(&mut stage, &mut line);
        stage.wait(seconds(60));
    }
    assert_eq!(joined(&stage), [(LegId(1), RoomId(1)), (LegId(2), RoomId(2))]);
    stage.assert_all_is_over();
}

#[test]
fn who_holds_in_a_room_is_not_heard_and_is_heard_again() {
    let mut stage = meeting();
    let mut line = calls(&mut stage, 8, "meeting");
    for direction in ["sendonly", SENDRECV] {
        reoffers(&mut stage, &mut line, direction);
    }
    let seats: Vec<&Seat> = stage
        .commands
        .iter()
        .filter_map(|command| match command {
            Command::Join { seat, .. } => Some(seat),
            _ => None,
        })
        .collect();
    assert_eq!(seats, [&Seat::OPEN, &Seat::LISTENING, &Seat::OPEN]);
}

fn with_a_caller_and_a_meeting() -> (Stage, Line, Line, Line) {
    let mut config = with_trunk();
    config.services.insert(
        "meeting".to_owned(),
        Service::Room { name: "one".to_owned(), chime: false, announce: Vec::new() },
    );
    let mut stage = Stage::with(config, Past::default());
    let weather = Weather { seed: 1, lost_permille: 5, delay_max: Duration::from_millis(30) };
    stage.hall = Some(Hall::new(stage.now, weather));
    let there = calls(&mut stage, 8, "meeting");
    register(&mut stage, "anna", address(ANNA));
    let caller = caller_in_queue(&mut stage, address(9), 2);
    let anna = agent_answers(&mut stage, address(ANNA));
    (stage, there, caller, anna)
}

/// The one who was in the room (leg 1) and the caller (leg 2) hear each other.
fn meet(mut stage: Stage, mut there: Line, mut caller: Line) {
    stage.wait(seconds(1));
    for _ in 0..20 {
        stage.wait(Duration::from_millis(50));
        let hall = stage.hall.as_ref().unwrap();
        for (leg, other) in [(1, 2), (2, 1)] {
            assert_eq!(hall.heard_by(LegId(leg)), BTreeSet::from([Heard::Party(other)]), "leg {leg}");
        }
    }
    hangs_up(&mut stage, &mut caller);
    hangs_up(&mut stage, &mut there);
    stage.wait(seconds(90));
    assert!(stage.engine.is_idle());
}

#[test]
fn a_caller_is_transferred_into_a_room_and_meets_who_is_there() {
    let (mut stage, there, caller, mut anna) = with_a_caller_and_a_meeting();
    assert!(anna.refer(&mut stage, "sip:meeting@10.0.0.1").contains("202"));
    assert_eq!(anna.told(&mut stage), "SIP/2.0 100 Trying");
    assert_eq!(anna.told(&mut stage), "SIP/2.0 200 OK");
    hung_up_on(&mut stage, &anna);
    meet(stage, there, caller);
}

#[test]
fn an_agent_who_is_in_the_room_hands_the_caller_over_to_it() {
    let (mut stage, there, caller, mut anna) = with_a_caller_and_a_meeting();
    hold(&mut stage, &mut anna);
    let mut second = Line::dial_as(&mut stage, "anna", address(ANNA), "meeting");
    second.connect(&mut stage);
    stage.wait(seconds(1));
    let to = format!("sip:meeting@10.0.0.1?{}", second.as_replaces());
    assert!(anna.refer(&mut stage, &to).contains("202"));
    anna.told(&mut stage);
    anna.told(&mut stage);
    hung_up_on(&mut stage, &anna);
    meet(stage, there, caller);
}

#[test]
fn an_integrator_sends_a_caller_to_a_room() {
    let (mut stage, there, caller, anna) = with_a_caller_and_a_meeting();
    let call = stage.facts.iter().rev().find_map(|fact| fact.call.clone()).unwrap();
    let command = facts::Command::Transfer { call, to: "meeting".to_owned() };
    stage.input(engine::Input::Command { id: 1, by: "crm".to_owned(), command });
    assert!(stage.replies[0].1.is_ok());
    hung_up_on(&mut stage, &anna);
    meet(stage, there, caller);
}

#[test]
fn who_comes_hears_what_the_room_announces_and_who_is_there_does_not() {
    let mut config = config();
    let announce = vec![std::sync::Arc::from([std::sync::Arc::from("it/recorded")])];
    config
        .services
        .insert("meeting".to_owned(), Service::Room { name: "one".to_owned(), chime: false, announce });
    let mut stage = Stage::with(config, Past::default());
    stage.hall = Some(Hall::new(stage.now, Weather { seed: 1, lost_permille: 0, delay_max: Duration::ZERO }));
    let hears = |stage: &Stage, leg| stage.hall.as_ref().unwrap().heard_by(LegId(leg));
    let mut first = calls(&mut stage, 8, "meeting");
    stage.wait(Duration::from_millis(500));
    assert_eq!(hears(&stage, 1), BTreeSet::from([Heard::Prompt]));
    stage.wait(seconds(2));
    let mut second = calls(&mut stage, 9, "meeting");
    stage.wait(Duration::from_millis(600));
    assert_eq!(hears(&stage, 1), BTreeSet::from([Heard::Party(2)]));
    assert_eq!(hears(&stage, 2), BTreeSet::from([Heard::Prompt, Heard::Party(1)]));
    reoffers(&mut stage, &mut second, "sendonly");
    reoffers(&mut stage, &mut second, SENDRECV);
    stage.wait(seconds(1));
    assert_eq!(hears(&stage, 2), BTreeSet::from([Heard::Party(1)]), "said once");
    hangs_up(&mut stage, &mut first);
    hangs_up(&mut stage, &mut second);
    stage.wait(seconds(60));
    assert!(stage.engine.is_idle());
}
