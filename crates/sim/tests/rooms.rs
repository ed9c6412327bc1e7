//! Callers who meet in a room.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails says where")]

mod support;

use engine::{Past, Service};
use media_api::{Command, LegId, RoomId, Seat};
use support::desk::*;
use support::stage::*;

fn meeting() -> Stage {
    let mut config = config();
    for (number, name) in [("meeting", "one"), ("meeting-too", "one"), ("other", "two")] {
        config.services.insert(number.to_owned(), Service::Room { name: name.to_owned(), chime: true });
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

#[test]
fn nobody_is_transferred_into_a_room_where_they_would_hear_nothing() {
    let mut config = with_trunk();
    config.services.insert("meeting".to_owned(), Service::Room { name: "one".to_owned(), chime: true });
    let mut stage = Stage::with(config, Past::default());
    register(&mut stage, "anna", address(ANNA));
    caller_in_queue(&mut stage, address(9), 1);
    let mut anna = agent_answers(&mut stage, address(ANNA));
    let answer = anna.refer(&mut stage, "sip:meeting@10.0.0.1");
    assert!(answer.starts_with("SIP/2.0 488"), "{answer}");
    assert_eq!(state_of(&stage, "anna"), facts::AgentState::Talking);
}
