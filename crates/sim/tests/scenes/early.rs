//! What is heard before the answer, and new offers of ours that are refused.

use crate::support::desk::*;
use crate::support::stage::*;
use engine::{Input, Past, Service, Target};
use facts::FactKind;
use media_api::{Command, Event, Evidence, LegId};
use sip::ua::Trunk;

const CALLER: LegId = LegId(1);
const PARTY: LegId = LegId(2);

/// What media was told last of who hears whom.
fn hearing(stage: &Stage) -> Option<Command> {
    let those = |command: &&Command| {
        matches!(command, Command::Bridge { .. } | Command::Listen { .. } | Command::Unbridge { .. })
    };
    stage.commands.iter().rev().find(those).cloned()
}

fn listens() -> Option<Command> {
    Some(Command::Listen { leg: CALLER, to: PARTY })
}

fn talks() -> Option<Command> {
    Some(Command::Bridge { a: CALLER, b: PARTY })
}

/// A number that is put through by a trunk, which knows of P-Early-Media or does not.
fn desk(p_early_media: bool) -> Stage {
    let mut config = config();
    config.sip.trunks.push(Trunk { p_early_media, ..trunk("tim", OUTSIDE) });
    let to = Target::Trunk { trunk: "tim".into(), number: "0612345678".into() };
    config.services.insert("boss".into(), Service::Dial(to));
    Stage::with(config, Past::default())
}

/// A caller of that number; the party outside has its INVITE.
fn ringing(stage: &mut Stage) -> (Line, Line, String) {
    let caller = Line::dial(stage, address(9), "boss", &sdp(address(9), SENDRECV));
    let (party, invite) = Line::called(stage, address(OUTSIDE));
    (caller, party, invite)
}

/// A 183 that says this of early media.
fn says(stage: &mut Stage, party: &Line, invite: &str, early_media: &str) {
    let status = match early_media {
        "" => "183 Session Progress".to_owned(),
        words => format!("183 Session Progress\r\nP-Early-Media: {words}"),
    };
    party.answer(stage, invite, &status, &sdp(party.phone, SENDRECV));
}

#[test]
fn a_caller_hears_the_announcement_before_the_answer_and_is_not_heard() {
    let mut stage = desk(false);
    let (mut caller, party, invite) = ringing(&mut stage);
    says(&mut stage, &party, &invite, "");
    let told = stage.expect(address(9), "SIP/2.0 183");
    assert!(told.contains("m=audio"), "{told}");
    assert_eq!(hearing(&stage), listens());
    says(&mut stage, &party, &invite, "sendrecv");
    assert_eq!(hearing(&stage), listens(), "a trunk that is not trusted with it is not believed");
    party.answer(&mut stage, &invite, "200 OK", &sdp(address(OUTSIDE), SENDRECV));
    stage.expect(address(OUTSIDE), "ACK");
    caller.connect(&mut stage);
    assert_eq!(hearing(&stage), talks());
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::LegEarlyMedia { .. })), 1);
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &party);
    stage.assert_all_is_over();
}

#[test]
fn keys_of_a_caller_who_may_talk_before_the_answer_reach_the_network_by_what_it_can() {
    let mut stage = desk(true);
    let mut caller = Line::dial(&mut stage, address(9), "boss", &sdp_without_keys(address(9)));
    let (party, invite) = Line::called(&mut stage, address(OUTSIDE));
    let tone = |digit| {
        let held = std::time::Duration::from_millis(32);
        Input::Media(Event::Digit { leg: CALLER, digit, held, by: media_api::KeysBy::Tones })
    };
    says(&mut stage, &party, &invite, "sendonly");
    stage.input(tone('1'));
    stage.wait(seconds(1));
    says(&mut stage, &party, &invite, "sendrecv");
    assert_eq!(hearing(&stage), talks());
    let listened_to = Command::HearKeys { leg: CALLER, kept: false };
    assert!(stage.commands.contains(&listened_to), "or what it also sends by INFO were another press");
    stage.input(tone('5'));
    stage.wait(std::time::Duration::from_millis(100));
    caller.request(&mut stage, "INFO", "Signal=5\r\nDuration=160\r\n");
    stage.expect(caller.phone, "SIP/2.0 ");
    let sent: Vec<&Command> =
        stage.commands.iter().filter(|command| matches!(command, Command::SendDigits { .. })).collect();
    assert_eq!(sent, [&Command::SendDigits { leg: PARTY, digits: "5".to_owned() }]);
    party.answer(&mut stage, &invite, "200 OK", &sdp(address(OUTSIDE), SENDRECV));
    stage.expect(address(OUTSIDE), "ACK");
    caller.connect(&mut stage);
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &party);
    stage.assert_all_is_over();
}

#[test]
fn a_network_that_is_believed_says_who_hears_whom_before_the_answer_and_may_change_its_mind() {
    let mut stage = desk(true);
    let (mut caller, party, invite) = ringing(&mut stage);
    says(&mut stage, &party, &invite, "inactive");
    assert_eq!(hearing(&stage), None);
    for (words, heard) in [
        ("sendonly", listens()),
        ("sendrecv", talks()),
        ("", talks()),
        ("sendonly", listens()),
        ("inactive", Some(Command::Unbridge { leg: CALLER })),
        ("sendrecv", talks()),
    ] {
        says(&mut stage, &party, &invite, words);
        assert_eq!(hearing(&stage), heard, "{words}");
    }
    assert_eq!(
        stage.count(|kind| matches!(kind, FactKind::LegEarlyMedia { .. })),
        2,
        "heard, and heard again"
    );
    party.answer(&mut stage, &invite, "486 Busy Here", "");
    assert_eq!(hearing(&stage), Some(Command::Unbridge { leg: CALLER }));
    stage.expect(address(9), "SIP/2.0 486");
    caller.ack(&mut stage, "");
    stage.assert_all_is_over();
}

/// A caller and an agent who talk; nothing is heard of the caller until we ask for it.
fn asked(stage: &mut Stage, caller: &Line) -> String {
    let evidence = Evidence {
        expected: address(9),
        last_source: None,
        silent_for: seconds(10),
        received: 0,
        rejected: 0,
        rtcp_alive: false,
    };
    stage.input(Input::Media(Event::Silent { leg: CALLER, evidence }));
    stage.wait(seconds(301));
    stage.expect(caller.phone, "INVITE")
}

#[test]
fn a_re_invite_of_ours_that_is_refused_leaves_the_session_as_it_was() {
    for (status, tries) in [("488 Not Acceptable Here", 1), ("491 Request Pending", 5), ("500 Oops", 1)] {
        let (mut stage, mut caller, anna) = talking();
        let before = (stage.streams.clone(), hearing(&stage));
        let mut invite = asked(&mut stage, &caller);
        for tried in 1..=tries {
            caller.answer(&mut stage, &invite, status, "");
            assert!(stage.expect(caller.phone, "ACK").contains(" ACK\r\n"));
            if tried < tries {
                stage.wait(seconds(5));
                invite = stage.expect(caller.phone, "INVITE");
            }
        }
        stage.wait(seconds(5));
        assert_eq!(stage.next(caller.phone), "nothing", "{status}");
        assert_eq!((stage.streams.clone(), hearing(&stage)), before, "{status}");
        assert_eq!(stage.engine.calls(), 1);
        // What is offered next is a later version of what was said, and is taken.
        let ok = reoffers(&mut stage, &mut caller, "sendonly");
        let version = |text: &str| -> u64 {
            let origin = text.lines().find_map(|line| line.strip_prefix("o=")).unwrap();
            origin.split(' ').nth(2).unwrap().parse().unwrap()
        };
        assert!(version(&ok) > version(&invite), "{status}");
        hangs_up(&mut stage, &mut caller);
        hung_up_on(&mut stage, &anna);
        stage.assert_all_is_over();
    }
}

#[test]
fn a_re_invite_of_ours_that_nobody_answers_ends_the_session_as_rfc_3261_wants() {
    let (mut stage, caller, anna) = talking();
    asked(&mut stage, &caller);
    stage.wait(seconds(33));
    hung_up_on(&mut stage, &anna);
    stage.wait(seconds(33));
    stage.assert_all_is_over();
    assert_eq!(stage.call_ends()[0].cause, facts::Cause::PeerTimeout);
}
