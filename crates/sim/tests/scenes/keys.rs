//! Keys between two parties who talk: each gets them by what it can, RTP or INFO.

use crate::support::desk::*;
use crate::support::stage::*;
use engine::Input;
use media_api::{Command, Event, KeysBy, LegId};
use std::net::SocketAddr;
use std::time::Duration;

/// A caller and the party outside that `bridge` puts through to; each knows keys by RTP or only INFO.
fn talking(caller_by_rtp: bool, party_by_rtp: bool) -> (Stage, Line, Line) {
    let describes = |phone: SocketAddr, by_rtp: bool| match by_rtp {
        true => sdp(phone, SENDRECV),
        false => sdp_without_keys(phone),
    };
    let mut stage = Stage::new();
    let mut caller = Line::dial(&mut stage, address(9), "bridge", &describes(address(9), caller_by_rtp));
    let (mut party, invite) = Line::called(&mut stage, address(OUTSIDE));
    let allows = "200 OK\r\nAllow: INVITE, ACK, BYE, INFO";
    party.answer(&mut stage, &invite, allows, &describes(address(OUTSIDE), party_by_rtp));
    stage.expect(address(OUTSIDE), "ACK");
    party.starts_counting();
    caller.connect(&mut stage);
    (stage, caller, party)
}

/// The keys that media was told to send to this leg.
fn by_rtp(stage: &Stage, to: u64) -> String {
    let sent = stage.commands.iter().filter_map(|command| match command {
        Command::SendDigits { leg: LegId(leg), digits } if *leg == to => Some(digits.as_str()),
        _ => None,
    });
    sent.collect()
}

/// The keys that a phone gets by INFO.
fn by_info(stage: &mut Stage, line: &Line) -> String {
    let mut keys = String::new();
    loop {
        let text = stage.next(line.phone);
        if text == "nothing" {
            return keys;
        }
        if text.starts_with("INFO ") {
            keys.push_str(text.lines().find_map(|line| line.strip_prefix("Signal=")).unwrap());
            line.answer(stage, &text, "200 OK", "");
        }
    }
}

/// Whether media was told to listen for this leg's keys as tones wherever it talks, and to keep them from the other.
fn is_listened_to(stage: &Stage, leg: u64, kept: bool) -> bool {
    stage.commands.contains(&Command::HearKeys { leg: LegId(leg), kept })
}

fn sends_info(stage: &mut Stage, line: &mut Line, key: char) {
    line.request(stage, "INFO", &format!("Signal={key}\r\nDuration=160\r\n"));
    stage.expect(line.phone, "SIP/2.0 200");
}

/// Media has heard the caller's tones.
fn presses_as_tones(stage: &mut Stage, digit: char) {
    let held = Duration::from_millis(32);
    stage.input(Input::Media(Event::Digit { leg: LegId(1), digit, held, by: KeysBy::Tones }));
}

fn ends(mut stage: Stage, mut caller: Line, party: &Line) {
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, party);
    stage.assert_all_is_over();
}

#[test]
fn keys_by_rtp_reach_a_party_that_knows_only_info() {
    let (mut stage, caller, party) = talking(true, false);
    let mut heard = String::new();
    for key in "15#".chars() {
        stage.press(1, key);
        heard += &by_info(&mut stage, &party);
        stage.wait(seconds(1));
    }
    assert_eq!(heard, "15#");
    assert_eq!(by_rtp(&stage, 2), "");
    ends(stage, caller, &party);
}

#[test]
fn keys_by_info_reach_a_party_that_knows_them_by_rtp_and_the_other_way_round() {
    let (mut stage, mut caller, mut party) = talking(false, true);
    for key in "15*".chars() {
        sends_info(&mut stage, &mut caller, key);
        stage.wait(seconds(1));
    }
    assert_eq!((by_rtp(&stage, 2).as_str(), by_info(&mut stage, &party).as_str()), ("15*", ""));
    sends_info(&mut stage, &mut party, '7');
    let by_info = by_info(&mut stage, &caller);
    assert_eq!((by_rtp(&stage, 1).as_str(), by_info.as_str()), ("7", ""), "the caller takes only tones");
    ends(stage, caller, &party);
}

#[test]
fn a_key_that_a_party_refuses_by_info_is_pressed_as_tones() {
    let (mut stage, mut caller, party) = talking(false, false);
    for key in "46".chars() {
        sends_info(&mut stage, &mut caller, key);
        stage.wait(Duration::from_millis(100));
        let text = stage.next(party.phone);
        match key {
            '4' => {
                assert!(text.starts_with("INFO "), "{text}");
                party.answer(&mut stage, &text, "415 Unsupported Media Type", "");
            }
            _ => assert_eq!(text, "nothing"),
        }
        stage.wait(seconds(1));
    }
    assert_eq!(by_rtp(&stage, 2), "46");
    ends(stage, caller, &party);
}

#[test]
fn keys_as_tones_are_pressed_on_for_who_has_events_and_left_in_the_speech_for_others() {
    for (party_by_rtp, pressed_on) in [(true, "2"), (false, "")] {
        let (mut stage, mut caller, party) = talking(false, party_by_rtp);
        assert!(is_listened_to(&stage, 1, false), "or media would not tell of it");
        presses_as_tones(&mut stage, '2');
        assert_eq!((by_rtp(&stage, 2).as_str(), by_info(&mut stage, &party).as_str()), (pressed_on, ""));
        // The device also sends it by INFO, when the key is let go.
        stage.wait(Duration::from_millis(100));
        sends_info(&mut stage, &mut caller, '2');
        assert_eq!((by_rtp(&stage, 2).as_str(), by_info(&mut stage, &party).as_str()), (pressed_on, ""));
        ends(stage, caller, &party);
    }
}

/// INFO overtakes the tones, or is lost once, or comes when the next key is pressed: whatever comes first is the press.
#[test]
fn keys_by_info_and_as_tones_are_one_each_in_whatever_order_they_come() {
    for order in ["t1 i1 t2 i2 t2 i2", "i1 t1 i2 t2 i2 t2", "t1 t2 i1 i2 t2 i2", "i1 i2 t1 t2 i2 t2"] {
        for party_by_rtp in [true, false] {
            let (mut stage, mut caller, party) = talking(false, party_by_rtp);
            let (mut pressed, mut got) = (String::new(), String::new());
            for word in order.split(' ') {
                let digit = word.chars().last().unwrap();
                match word.starts_with('i') {
                    true => sends_info(&mut stage, &mut caller, digit),
                    false => presses_as_tones(&mut stage, digit),
                }
                // Tones that the party hears are not pressed on.
                if word.starts_with(&order[..1]) && (order.starts_with('i') || party_by_rtp) {
                    pressed.push(digit);
                }
                got += &by_info(&mut stage, &party);
                stage.wait(Duration::from_millis(120));
            }
            assert_eq!(by_rtp(&stage, 2) + &got, pressed, "{order} {party_by_rtp}");
            assert!(
                !order.starts_with('i') || is_listened_to(&stage, 1, true),
                "the tones that follow are kept"
            );
            ends(stage, caller, &party);
        }
    }
}

/// In a room no key goes with the speech, so that whoever has it by its tones has it by no other way.
#[test]
fn in_a_room_keys_by_info_and_as_tones_are_one_each_and_pressed_on_for_everybody() {
    for order in ["t1 i1 t2 i2", "i1 t1 i2 t2"] {
        for party_by_rtp in [true, false] {
            let (mut stage, mut caller, party) = talking(false, party_by_rtp);
            let call = stage.facts.iter().find_map(|fact| fact.call.clone()).unwrap();
            let command = facts::Command::MuteParty { call, leg: 2, muted: true };
            stage.input(Input::Command { id: 7, by: "crm".to_owned(), command });
            let mut got = String::new();
            for word in order.split(' ') {
                let digit = word.chars().last().unwrap();
                match word.starts_with('i') {
                    true => sends_info(&mut stage, &mut caller, digit),
                    false => presses_as_tones(&mut stage, digit),
                }
                got += &by_info(&mut stage, &party);
                stage.wait(Duration::from_millis(120));
            }
            assert_eq!(by_rtp(&stage, 2) + &got, "12", "{order} {party_by_rtp}");
            ends(stage, caller, &party);
        }
    }
}

#[test]
fn keys_that_a_stalled_network_delivers_together_are_all_heard() {
    let (mut stage, caller, party) = talking(true, false);
    let mut heard = String::new();
    for key in "0651".chars() {
        stage.press(1, key);
        heard += &by_info(&mut stage, &party);
    }
    stage.wait(seconds(1));
    heard += &by_info(&mut stage, &party);
    assert_eq!(heard, "0651");
    ends(stage, caller, &party);
}

#[test]
fn keys_by_info_stay_info_where_both_know_nothing_else() {
    let (mut stage, mut caller, party) = talking(false, false);
    sends_info(&mut stage, &mut caller, '3');
    assert_eq!((by_rtp(&stage, 2).as_str(), by_info(&mut stage, &party).as_str()), ("", "3"));
    ends(stage, caller, &party);
}

#[test]
fn keys_that_media_carries_itself_are_not_sent_twice_and_none_go_to_who_holds() {
    let (mut stage, caller, mut party) = talking(true, true);
    stage.press(1, '1');
    assert_eq!((by_rtp(&stage, 2).as_str(), by_info(&mut stage, &party).as_str()), ("", ""));
    hold(&mut stage, &mut party);
    let (mut stage_of_hold, mut held_caller, mut holder) = talking(false, false);
    hold(&mut stage_of_hold, &mut holder);
    sends_info(&mut stage_of_hold, &mut held_caller, '1');
    assert_eq!(by_info(&mut stage_of_hold, &holder), "");
    ends(stage_of_hold, held_caller, &holder);
    ends(stage, caller, &party);
}
