//! Two phones that call each other over loopback, without any exchange between them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails panics")]

use audio::tone;
use media_api::Codec;
use phone::{Call, FRAME, IncomingCall, Phase, Phone, PhoneConfig, PhoneError};
use sip::ua::{How, Transport};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(8);
const ENOUGH: Duration = Duration::from_secs(1);

fn phone(user: &str, transport: Transport, codecs: &[Codec]) -> Phone {
    let config =
        PhoneConfig { user: user.to_owned(), transport, codecs: codecs.to_vec(), ..PhoneConfig::default() };
    Phone::start(config).unwrap()
}

fn udp_phone(user: &str) -> Phone {
    phone(user, Transport::Udp, &[Codec::Pcma, Codec::Pcmu])
}

async fn ringing(caller: &Phone, callee: &Phone) -> (Call, IncomingCall) {
    let call = caller.call(callee.uri()).await.unwrap();
    let incoming = callee.incoming(SOON).await.unwrap();
    (call, incoming)
}

async fn connected(caller: &Phone, callee: &Phone) -> (Call, Call) {
    let (call, incoming) = ringing(caller, callee).await;
    let answered = incoming.answer().await.unwrap();
    call.wait_answered(SOON).await.unwrap();
    (call, answered)
}

#[tokio::test]
async fn each_hears_the_tone_of_the_other_and_not_its_own() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let anna = phone("anna", transport, &[Codec::Pcma, Codec::Pcmu]);
        let bruno = phone("bruno", transport, &[Codec::Pcmu]);
        let (call, incoming) = ringing(&anna, &bruno).await;
        assert_eq!((incoming.from.as_str(), incoming.dialled.as_str()), ("anna", "bruno"));
        let answered = incoming.answer().await.unwrap();
        call.wait_answered(SOON).await.unwrap();
        call.play_tone(440).await.unwrap();
        answered.play_tone(880).await.unwrap();
        answered.expect_tone(440.0, SOON).await.unwrap();
        call.expect_tone(880.0, SOON).await.unwrap();
        let levels = call.heard_levels(&[440.0, 880.0]);
        assert!(levels[0] < 0.01 && (levels[1] - 8000.0 / 32768.0).abs() < 0.03, "{levels:?}");
        call.hang_up().await.unwrap();
        assert_eq!(call.wait_ended(SOON).await.unwrap().how, How::Ours);
        assert_eq!(answered.wait_ended(SOON).await.unwrap().how, How::PeerHungUp);
    }
}

#[tokio::test]
async fn keys_arrive_once_each_and_in_their_order() {
    let (anna, bruno) = (udp_phone("anna"), udp_phone("bruno"));
    let (call, answered) = connected(&anna, &bruno).await;
    call.play_tone(440).await.unwrap();
    call.send_digits("1#").await.unwrap();
    call.send_digits("22").await.unwrap();
    assert_eq!(answered.expect_digits("1#22", SOON).await.unwrap(), "1#22");
    answered.expect_tone(440.0, SOON).await.unwrap();
}

#[tokio::test]
async fn a_clip_ends_and_is_recorded_by_the_other() {
    let (anna, bruno) = (udp_phone("anna"), udp_phone("bruno"));
    let (call, answered) = connected(&anna, &bruno).await;
    answered.record();
    let samples = tone::Tone::new(600.0, 8000).take(4000);
    let before = call.state().plays_ended;
    call.play_clip(Arc::from(samples.as_slice())).await.unwrap();
    call.wait_played(before, SOON).await.unwrap();
    call.play_tone(1000).await.unwrap();
    answered.expect_tone(1000.0, SOON).await.unwrap();
    let recording = answered.take_recording();
    let loud: Vec<&[i16]> =
        recording.chunks_exact(FRAME).filter(|frame| tone::level(frame, 600.0) > 0.1).collect();
    assert!((23..=26).contains(&loud.len()), "{} frames of the clip's 25 were heard", loud.len());
}

#[tokio::test]
async fn a_call_that_is_rejected_says_with_what_status() {
    let (anna, bruno) = (udp_phone("anna"), udp_phone("bruno"));
    let (call, incoming) = ringing(&anna, &bruno).await;
    incoming.reject(486).await.unwrap();
    let Err(PhoneError::Ended(ending)) = call.wait_answered(SOON).await else { panic!("it was answered") };
    assert_eq!((ending.how, ending.status), (How::PeerRefused, Some(486)));
}

#[tokio::test]
async fn a_caller_who_gives_up_ends_the_ringing() {
    let (anna, bruno) = (udp_phone("anna"), udp_phone("bruno"));
    let (call, incoming) = ringing(&anna, &bruno).await;
    call.hang_up().await.unwrap();
    assert_eq!(incoming.call().wait_ended(SOON).await.unwrap().how, How::PeerCancelled);
    let late = incoming.answer().await.unwrap_err();
    assert!(matches!(late, PhoneError::Ended(_)), "{late}");
}

#[tokio::test]
async fn a_party_on_hold_hears_nothing_and_hears_again_when_taken_back() {
    let (anna, bruno) = (udp_phone("anna"), udp_phone("bruno"));
    let (call, answered) = connected(&anna, &bruno).await;
    answered.play_tone(880).await.unwrap();
    call.expect_tone(880.0, SOON).await.unwrap();
    call.hold().await.unwrap();
    assert!(answered.state().held_by_peer);
    let heard = call.expect_tone(880.0, ENOUGH).await;
    assert!(matches!(heard, Err(PhoneError::TimedOut { .. })), "{heard:?}");
    call.resume().await.unwrap();
    assert!(!answered.state().held_by_peer);
    call.expect_tone(880.0, SOON).await.unwrap();
}

#[tokio::test]
async fn a_live_line_speaks_and_hears() {
    let (anna, bruno) = (udp_phone("anna"), udp_phone("bruno"));
    let (call, answered) = connected(&anna, &bruno).await;
    answered.play_tone(880).await.unwrap();
    let mut line = call.line().await.unwrap();
    let speak = line.speak.clone();
    let microphone = tokio::spawn(async move {
        let mut tone = tone::Tone::new(440.0, 8000);
        let mut frames = tokio::time::interval(Duration::from_millis(20));
        loop {
            frames.tick().await;
            let mut frame = [0; FRAME];
            tone.fill(&mut frame);
            let _ = speak.try_send(frame);
        }
    });
    answered.expect_tone(440.0, SOON).await.unwrap();
    let mut heard = Vec::new();
    while heard.len() < 1600 {
        heard.extend(tokio::time::timeout(SOON, line.heard.recv()).await.unwrap().unwrap());
    }
    assert_eq!(tone::heard(&heard[800..], &[440.0, 880.0]), [880.0]);
    microphone.abort();
}

#[tokio::test]
async fn closing_a_phone_hangs_up() {
    let (anna, bruno) = (udp_phone("anna"), udp_phone("bruno"));
    let (call, answered) = connected(&anna, &bruno).await;
    anna.close().await;
    assert_eq!(answered.wait_ended(SOON).await.unwrap().how, How::PeerHungUp);
    assert!(matches!(call.state().phase, Phase::Ended(_)));
    assert_eq!(call.send_digits("1").await, Err(PhoneError::Closed));
}

#[tokio::test]
async fn a_phone_that_is_dropped_hangs_up_too() {
    let (anna, bruno) = (udp_phone("anna"), udp_phone("bruno"));
    let (call, answered) = connected(&anna, &bruno).await;
    drop((anna, call));
    assert_eq!(answered.wait_ended(SOON).await.unwrap().how, How::PeerHungUp);
}

#[tokio::test]
async fn ipv6_carries_a_call_too() {
    let config = |user: &str| PhoneConfig {
        user: user.to_owned(),
        bind: IpAddr::V6(Ipv6Addr::LOCALHOST),
        ..PhoneConfig::default()
    };
    let (anna, bruno) = (Phone::start(config("anna")).unwrap(), Phone::start(config("bruno")).unwrap());
    let (call, answered) = connected(&anna, &bruno).await;
    answered.play_tone(880).await.unwrap();
    call.expect_tone(880.0, SOON).await.unwrap();
}

#[tokio::test]
async fn a_number_without_a_server_is_no_address() {
    let anna = udp_phone("anna");
    let error = anna.call("1510").await.unwrap_err();
    assert_eq!(error, PhoneError::NoServer("1510".to_owned()));
    assert_eq!(anna.register().await, Err(PhoneError::NoCredentials));
}
