//! Calls that are recorded: what is told to media and to whoever writes the files, and what is written down of it.

use crate::support::desk::*;
use crate::support::stage::*;
use engine::{CommandRefused, Input, Past};
use facts::{Command as Ask, FactKind, Recorded, RecordingEnd};
use media_api::{Command, Event, LegId, MessageEnd, RecordingId, RecordingOrder, RecordingTold, Tapping};
use std::time::Duration;

const FIRST: RecordingId = RecordingId(1);
const MESSAGE: Recorded =
    Recorded::Message { silence: Duration::from_secs(3), longest: Duration::from_secs(60), key: Some('#') };

fn id(stage: &Stage) -> String {
    stage.facts.iter().find_map(|fact| fact.call.clone()).unwrap()
}

fn ask(stage: &mut Stage, command: Ask) -> Result<u64, CommandRefused> {
    stage.input(Input::Command { id: 7, by: "crm".to_owned(), command });
    stage.replies.pop().unwrap().1
}

fn record(stage: &mut Stage, what: Recorded) -> Result<u64, CommandRefused> {
    let call = id(stage);
    ask(stage, Ask::Record { call, what, basis: "verbale".to_owned() })
}

fn pause(stage: &mut Stage, paused: bool) -> Result<u64, CommandRefused> {
    let call = id(stage);
    ask(stage, Ask::PauseRecording { call, paused })
}

fn stop(stage: &mut Stage) -> Result<u64, CommandRefused> {
    let call = id(stage);
    ask(stage, Ask::StopRecording { call })
}

/// Every tap that media was asked for: whose, and how.
fn taps(stage: &Stage) -> Vec<(u64, Option<Tapping>)> {
    let taps = stage.commands.iter().filter_map(|command| match command {
        Command::Tap { leg, tapping } => Some((leg.0, tapping.clone())),
        _ => None,
    });
    taps.collect()
}

/// The same, as part and first frame.
fn parts(stage: &Stage) -> Vec<(u64, Option<(u32, u64)>)> {
    let part = |tapping: Tapping| tapping.part.map(|part| (part.number, part.first));
    taps(stage).into_iter().map(|(leg, tapping)| (leg, tapping.and_then(part))).collect()
}

/// The file is closed.
fn closed(stage: &mut Stage, recording: RecordingId, millis: u64) {
    let (length, lost) = (Duration::from_millis(millis), Duration::from_millis(20));
    stage.input(Input::Recorded(RecordingTold::Ended { recording, length, lost }));
}

fn failed(stage: &mut Stage, recording: RecordingId) {
    let (length, lost) = (Duration::from_secs(2), Duration::ZERO);
    let why = "the disk is full".to_owned();
    stage.input(Input::Recorded(RecordingTold::Failed { recording, length, lost, why }));
}

fn end_of(stage: &Stage) -> (RecordingEnd, String, u64, u64) {
    stage.fact(|kind| match kind {
        FactKind::RecordingStopped { why, by, length_ms, lost_ms, .. } => {
            Some((*why, by.clone(), *length_ms, *lost_ms))
        }
        _ => None,
    })
}

/// The snapshot and its fold are one, as after every fact.
fn assert_folded(stage: &Stage) {
    let mut fold = journal::fold::SnapshotFold::default();
    stage.facts.iter().for_each(|fact| fold.apply(fact));
    assert_eq!(*fold.snapshot(), stage.engine.snapshot());
}

fn ends(mut stage: Stage, caller: &mut Line, agent: &Line) {
    hangs_up(&mut stage, caller);
    hung_up_on(&mut stage, agent);
    stage.assert_all_is_over();
}

#[test]
fn a_recording_has_its_calls_name_and_is_told_before_its_calls_end() {
    let (mut stage, mut caller, anna) = talking();
    assert!(record(&mut stage, Recorded::Call).is_ok());
    assert_folded(&stage);
    let name = format!("{}-1", id(&stage));
    let begin =
        RecordingOrder::Begin { recording: FIRST, name: name.clone(), sample_rate: 8000, only_said: false };
    assert_eq!(stage.orders, [begin]);
    assert_eq!(parts(&stage), [(1, Some((0, 0)))], "the caller's leg hears all that the caller hears");
    let started = FactKind::RecordingStarted {
        recording: name.clone(),
        of: "call".into(),
        basis: "verbale".into(),
        by: "crm".into(),
        language: "it".into(),
    };
    assert_eq!(stage.count(|kind| *kind == started), 1);
    assert_eq!(
        record(&mut stage, Recorded::Call),
        Err(CommandRefused::InvalidState),
        "it is recorded already"
    );
    stage.wait(seconds(10));
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &anna);
    stage.wait(seconds(1));
    assert_eq!(stage.orders.last(), Some(&RecordingOrder::End { recording: FIRST, frames: 0, keep: true }));
    assert!(stage.call_ends().is_empty(), "the call's record waits for the recording's end");
    closed(&mut stage, FIRST, 10_000);
    assert_eq!(end_of(&stage), (RecordingEnd::CallEnded, String::new(), 10_000, 20));
    assert_eq!(stage.call_ends().len(), 1);
    let mut fold = journal::fold::CdrFold::default();
    let records: Vec<_> = stage.facts.iter().filter_map(|fact| fold.apply(fact)).collect();
    assert_eq!(records[0].recordings, [name]);
    stage.assert_all_is_over();
}

#[test]
fn a_pause_is_not_tapped_and_the_clock_goes_on() {
    let (mut stage, mut caller, anna) = talking();
    assert_eq!(pause(&mut stage, true), Err(CommandRefused::InvalidState), "it is not recorded");
    record(&mut stage, Recorded::Call).unwrap();
    stage.wait(seconds(3));
    assert!(pause(&mut stage, true).is_ok());
    assert_folded(&stage);
    assert_eq!(pause(&mut stage, true), Err(CommandRefused::InvalidState));
    // Whatever happens to the call meanwhile, nothing of it is recorded.
    let mut anna = anna;
    hold(&mut stage, &mut anna);
    stage.wait(seconds(2));
    assert_eq!(parts(&stage), [(1, Some((0, 0))), (1, None)]);
    assert!(pause(&mut stage, false).is_ok());
    assert_folded(&stage);
    assert_eq!(parts(&stage).last(), Some(&(1, Some((1, 250)))));
    stage.wait(seconds(1));
    pause(&mut stage, true).unwrap();
    stage.wait(seconds(4));
    assert!(stop(&mut stage).is_ok());
    assert_eq!(stop(&mut stage), Err(CommandRefused::InvalidState));
    let end = RecordingOrder::End { recording: FIRST, frames: 500, keep: true };
    assert_eq!(stage.orders.last(), Some(&end), "the pause at its end is a part of it");
    closed(&mut stage, FIRST, 10_000);
    assert_eq!(end_of(&stage), (RecordingEnd::Asked, "crm".to_owned(), 10_000, 20));
    assert_folded(&stage);
    record(&mut stage, Recorded::Call).unwrap();
    let again = format!("{}-2", id(&stage));
    assert!(
        stage
            .orders
            .iter()
            .any(|order| matches!(order, RecordingOrder::Begin { name, .. } if *name == again))
    );
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &anna);
    closed(&mut stage, RecordingId(2), 0);
    stage.assert_all_is_over();
}

#[test]
fn a_recording_goes_along_through_hold_transfer_and_conference() {
    let (mut stage, mut caller, mut anna) = talking();
    record(&mut stage, Recorded::Call).unwrap();
    hold(&mut stage, &mut anna);
    reoffers(&mut stage, &mut anna, SENDRECV);
    let call = id(&stage);
    ask(&mut stage, Ask::AddParty { call: call.clone(), to: "bruno".to_owned() }).unwrap();
    let bruno = answers(&mut stage, address(BRUNO));
    ask(&mut stage, Ask::DropParty { call: call.clone(), leg: 3 }).unwrap();
    hung_up_on(&mut stage, &bruno);
    let outside = puts_through_outside(&mut stage, &mut anna);
    assert_eq!(parts(&stage), [(1, Some((0, 0)))], "the caller is there all the time");
    closed(&mut stage, FIRST, 1);
    ends(stage, &mut caller, &outside);
}

#[test]
fn a_recording_follows_the_party_that_the_call_is_about() {
    let mut stage = Stage::with(with_trunk(), Past::default());
    register(&mut stage, "anna", address(ANNA));
    register(&mut stage, "bruno", address(BRUNO));
    let mut anna = Line::dial_as(&mut stage, "anna", address(ANNA), "bruno");
    let mut bruno = answers(&mut stage, address(BRUNO));
    anna.connect(&mut stage);
    record(&mut stage, Recorded::Call).unwrap();
    stage.wait(seconds(2));
    // Another device of hers.
    let name = anna.in_replaces();
    let mut second = Line::dial_with(&mut stage, "anna", address(52), "anna", &name);
    second.connect(&mut stage);
    hung_up_on(&mut stage, &anna);
    let moved = parts(&stage);
    let [(1, Some((0, 0))), .., (device, Some((1, 100)))] = moved[..] else { panic!("{moved:?}") };
    assert!(device > 2);
    // She puts bruno through, and he remains.
    stage.wait(seconds(3));
    let outside = puts_through_outside(&mut stage, &mut second);
    let moved = parts(&stage);
    assert_eq!(moved.last(), Some(&(2, Some((2, 250)))), "{moved:?}");
    assert!(moved.contains(&(device, None)), "{moved:?}");
    hangs_up(&mut stage, &mut bruno);
    hung_up_on(&mut stage, &outside);
    closed(&mut stage, FIRST, 1);
    stage.assert_all_is_over();
}

#[test]
fn a_recording_that_fails_leaves_the_call_as_it_is() {
    let (mut stage, mut caller, anna) = talking();
    record(&mut stage, Recorded::Call).unwrap();
    failed(&mut stage, FIRST);
    assert_folded(&stage);
    assert_eq!(parts(&stage), [(1, Some((0, 0))), (1, None)]);
    let failed = |kind: &FactKind| matches!(kind, FactKind::RecordingFailed { why, length_ms: 2000, .. } if why == "the disk is full");
    assert_eq!(stage.count(failed), 1);
    stage.wait(seconds(1));
    assert_eq!(stage.engine.calls(), 1);
    closed(&mut stage, FIRST, 1);
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::RecordingStopped { .. })), 0, "it is told once");
    ends(stage, &mut caller, &anna);
}

#[test]
fn a_disk_that_never_answers_does_not_keep_a_call() {
    let (mut stage, mut caller, anna) = talking();
    record(&mut stage, Recorded::Call).unwrap();
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &anna);
    stage.wait(seconds(6));
    assert_eq!((stage.engine.calls(), stage.call_ends().len()), (0, 1));
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::RecordingFailed { .. })), 1);
    closed(&mut stage, FIRST, 1);
    stage.assert_all_is_over();
}

#[test]
fn a_recording_that_a_crash_broke_off_is_told_at_the_next_start_before_its_calls_end() {
    let (mut stage, _caller, _anna) = talking();
    record(&mut stage, Recorded::Call).unwrap();
    pause(&mut stage, true).unwrap();
    let mut fold = journal::fold::SnapshotFold::default();
    stage.facts.iter().for_each(|fact| fold.apply(fact));
    let past = Past { head: Some(fold.snapshot().as_of), broken: fold.open_calls(), ..Past::default() };
    let name = format!("{}-1", id(&stage));
    let after = Stage::with(with_trunk(), past);
    let last = after.kinds();
    let [.., FactKind::RecordingFailed { recording, why, length_ms: 0, .. }, FactKind::CallEnded { end, .. }] =
        &last[..]
    else {
        panic!("{last:#?}")
    };
    assert_eq!((recording, end.cause), (&name, facts::Cause::EngineRestarted));
    assert!(why.contains("program stopped"), "{why}");
    after.facts.iter().for_each(|fact| fold.apply(fact));
    assert_eq!(fold.open_calls(), []);

    let (mut stage, mut caller, anna) = talking();
    record(&mut stage, Recorded::Call).unwrap();
    stop(&mut stage).unwrap();
    closed(&mut stage, FIRST, 1_000);
    let mut fold = journal::fold::SnapshotFold::default();
    stage.facts.iter().for_each(|fact| fold.apply(fact));
    assert_eq!(fold.open_calls()[0].recording, None, "that one is told already");
    ends(stage, &mut caller, &anna);
}

#[test]
fn nothing_is_recorded_of_who_is_not_there() {
    let mut stage = Stage::with(with_trunk(), Past::default());
    register(&mut stage, "anna", address(ANNA));
    register(&mut stage, "bruno", address(BRUNO));
    let anna = Line::dial_as(&mut stage, "anna", address(ANNA), "bruno");
    assert_eq!(record(&mut stage, Recorded::Call), Err(CommandRefused::InvalidState), "it rings");
    let nobodys = Ask::Record { call: "x".to_owned(), what: Recorded::Call, basis: "x".to_owned() };
    assert_eq!(ask(&mut stage, nobodys), Err(CommandRefused::NotFound));
    assert!(stage.orders.is_empty() && taps(&stage).is_empty());
    anna.cancel(&mut stage);
}

#[test]
fn a_message_ends_by_silence_or_by_its_key_and_the_call_goes_on() {
    let (mut stage, mut caller, anna) = talking();
    record(&mut stage, MESSAGE).unwrap();
    assert!(matches!(stage.orders[0], RecordingOrder::Begin { only_said: true, .. }));
    let limits = taps(&stage)[0].1.as_ref().and_then(|tapping| tapping.message).unwrap();
    assert_eq!((limits.silence, limits.longest), (seconds(3), seconds(60)));
    let over = Event::MessageEnded { leg: LegId(1), recording: FIRST, why: MessageEnd::Silence };
    stage.input(Input::Media(over));
    assert_eq!(taps(&stage).len(), 1, "media has ended it");
    closed(&mut stage, FIRST, 9_000);
    assert_eq!(end_of(&stage), (RecordingEnd::Silence, String::new(), 9_000, 20));

    record(&mut stage, MESSAGE).unwrap();
    stage.press(2, '#');
    stage.press(1, '5');
    assert_eq!(stage.orders.len(), 3, "neither another party nor another key ends it");
    stage.press(1, '#');
    assert_eq!(stage.orders.len(), 4);
    assert_eq!(taps(&stage).last(), Some(&(1, None)));
    closed(&mut stage, RecordingId(2), 4_000);
    let by_key = |kind: &FactKind| matches!(kind, FactKind::RecordingStopped { why: RecordingEnd::Key, .. });
    assert_eq!(stage.count(by_key), 1);
    assert_folded(&stage);
    assert_eq!(stage.engine.calls(), 1);
    ends(stage, &mut caller, &anna);
}

#[test]
fn a_message_that_was_paused_is_kept_and_takes_no_longer_than_it_may() {
    let (mut stage, mut caller, anna) = talking();
    record(&mut stage, MESSAGE).unwrap();
    stage.wait(seconds(10));
    pause(&mut stage, true).unwrap();
    stage.wait(seconds(5));
    pause(&mut stage, false).unwrap();
    let limits = |stage: &Stage| taps(stage).pop().unwrap().1.unwrap().message.unwrap();
    assert_eq!((limits(&stage).silence, limits(&stage).longest), (seconds(3), seconds(45)));
    let over = Event::MessageEnded { leg: LegId(1), recording: FIRST, why: MessageEnd::NothingSaid };
    stage.input(Input::Media(over));
    let end = RecordingOrder::End { recording: FIRST, frames: 0, keep: true };
    assert_eq!(stage.orders.last(), Some(&end), "what was said before the pause is there");
    closed(&mut stage, FIRST, 18_000);
    assert_eq!(end_of(&stage).0, RecordingEnd::Silence);

    record(&mut stage, MESSAGE).unwrap();
    pause(&mut stage, true).unwrap();
    stage.wait(seconds(70));
    pause(&mut stage, false).unwrap();
    assert_eq!(limits(&stage).longest, seconds(0), "it is over with its next frame");
    stop(&mut stage).unwrap();
    closed(&mut stage, RecordingId(2), 70_000);
    ends(stage, &mut caller, &anna);
}

/// Whoever calls `leave` is asked for a message, and then hung up on for the reason of what came of it.
fn with_message() -> engine::Config {
    let flow = "title = \"Message\"\nlanguages = [\"it\"]\nstart = \"say\"\n[say]\nmessage = \"desk\"\n\
                longest = \"1m\"\nsilence = \"4s\"\nnext = \"kept\"\non.empty = \"none\"\non.failed = \"broken\"\n\
                [kept]\nhang_up = \"kept\"\n[none]\nhang_up = \"none\"\n[broken]\nhang_up = \"broken\"\n";
    let files = ivr::ScriptFiles {
        name: "message".to_owned(),
        flow: ("flow.toml".to_owned(), flow.to_owned()),
        phrases: vec![("it".to_owned(), "it.toml".to_owned(), String::new())],
        calendars: Vec::new(),
        look_ups: Vec::new(),
        voices: Default::default(),
        parts: Vec::new(),
        sounds: ivr::SoundInventory::default(),
    };
    let script = std::sync::Arc::new(ivr::Script::check(&files).unwrap());
    let mut config = config();
    config.services.insert("leave".to_owned(), engine::Service::Script { script, language: None });
    config
}

#[test]
fn a_script_takes_a_message_and_goes_on_by_what_came_of_it() {
    let over = |why| Event::MessageEnded { leg: LegId(1), recording: FIRST, why };
    for (why, reason, kept) in [
        (Some(MessageEnd::Silence), "kept", true),
        (Some(MessageEnd::Longest), "kept", true),
        (Some(MessageEnd::NothingSaid), "none", false),
        (None, "kept", true),
    ] {
        let mut stage = Stage::with(with_message(), Past::default());
        let mut caller = Line::dial(&mut stage, address(9), "leave", &sdp(address(9), SENDRECV));
        caller.connect(&mut stage);
        let limits = taps(&stage)[0].1.as_ref().and_then(|tapping| tapping.message).unwrap();
        assert_eq!((limits.silence, limits.longest), (seconds(4), seconds(60)));
        match why {
            Some(why) => stage.input(Input::Media(over(why))),
            None => stage.press(1, '#'),
        }
        let end = RecordingOrder::End { recording: FIRST, frames: 0, keep: kept };
        assert_eq!(stage.orders.last(), Some(&end));
        assert_eq!(stage.engine.calls(), 1, "the script waits until the file is closed");
        closed(&mut stage, FIRST, 9_000);
        hung_up_on(&mut stage, &caller);
        stage.assert_all_is_over();
        assert_eq!(stage.call_ends()[0].place, reason);
    }
}

#[test]
fn a_message_that_cannot_be_written_is_told_to_the_script() {
    let mut stage = Stage::with(with_message(), Past::default());
    let mut caller = Line::dial(&mut stage, address(9), "leave", &sdp(address(9), SENDRECV));
    caller.connect(&mut stage);
    failed(&mut stage, FIRST);
    hung_up_on(&mut stage, &caller);
    stage.assert_all_is_over();
    assert_eq!(stage.call_ends()[0].place, "broken");
}
