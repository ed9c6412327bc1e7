//! Which codec each party of a call is given: what needs no transcoding, as far as anybody offers it.

use crate::support::desk::*;
use crate::support::stage::*;
use engine::{Codecs, Past, Service, Target};
use facts::FactKind;
use media_api::Codec::{self, G722, Opus, Pcma, Pcmu};
use media_api::LegId;
use std::collections::BTreeMap;
use std::net::SocketAddr;

const ALL: [Codec; 4] = [Pcma, Pcmu, G722, Opus];

/// A number that rings anna before it is answered; every party may speak all codecs, but for those with a list.
fn desk(accounts: &[(&str, &[Codec])]) -> Stage {
    let mut config = config();
    let accounts = accounts.iter().map(|(user, codecs)| ((*user).to_owned(), codecs.to_vec())).collect();
    config.codecs = Codecs { usual: ALL.to_vec(), trunks: BTreeMap::new(), accounts };
    config.services.insert("anna".into(), Service::Dial(Target::Agent("anna".into())));
    let mut stage = Stage::with(config, Past::default());
    register(&mut stage, "anna", address(ANNA));
    stage
}

/// A description of these formats; the dynamic ones are Opus and its telephone-events.
fn of(phone: SocketAddr, formats: &str) -> String {
    let sdp = sdp(phone, SENDRECV).replace("RTP/AVP 8 101", &format!("RTP/AVP {formats}"));
    let maps = "a=rtpmap:111 opus/48000/2\r\na=rtpmap:110 telephone-event/48000\r\n";
    sdp.replace("a=rtpmap:8", &format!("{maps}a=rtpmap:8"))
}

/// The formats that a message offers or answers with.
fn formats(message: &str) -> &str {
    let line = message.lines().find(|line| line.starts_with("m=audio")).unwrap();
    line.split(" RTP/AVP ").nth(1).unwrap()
}

/// The same, to be sent Opus so.
fn wanting(description: &str, parameters: &str) -> String {
    description.replace("a=rtpmap:111", &format!("a=fmtp:111 {parameters}\r\na=rtpmap:111"))
}

/// How a message asks for Opus.
fn asked(message: &str) -> &str {
    let number =
        message.lines().find_map(|line| line.strip_prefix("a=rtpmap:")?.strip_suffix(" opus/48000/2"));
    let Some(number) = number else { return "no Opus" };
    let said = message.lines().find_map(|line| line.strip_prefix(&format!("a=fmtp:{number} ")));
    said.unwrap_or("nothing")
}

fn codecs(stage: &Stage) -> (Codec, Codec) {
    (stage.streams[&LegId(1)].codec, stage.streams[&LegId(2)].codec)
}

fn transcoded(stage: &Stage) -> Vec<(String, String)> {
    let told = stage.facts.iter().filter_map(|fact| match &fact.kind {
        FactKind::CallTranscoded { codec_a, codec_b, .. } => Some((codec_a.clone(), codec_b.clone())),
        _ => None,
    });
    told.collect()
}

fn changed(stage: &Stage) -> Vec<(u32, String)> {
    let told = stage.facts.iter().filter_map(|fact| match &fact.kind {
        FactKind::LegCodec { leg, codec } => Some((*leg, codec.clone())),
        _ => None,
    });
    told.collect()
}

/// A caller who offers these and is put through to anna, who answers with those. Gives what she was offered and what
/// the caller was answered.
fn put_through(stage: &mut Stage, offered: &str, answered: &str) -> (Line, Line, [String; 2]) {
    let mut caller = Line::dial(stage, address(9), "anna", &of(address(9), offered));
    let (mut anna, invite) = Line::called(stage, address(ANNA));
    anna.answer(stage, &invite, "200 OK", &of(address(ANNA), answered));
    stage.expect(address(ANNA), "ACK");
    anna.starts_counting();
    let ok = caller.connect(stage);
    let said = [formats(&invite).to_owned(), formats(&ok).to_owned()];
    (caller, anna, said)
}

#[test]
fn the_other_party_is_offered_first_what_the_caller_offered_and_the_caller_is_answered_with_what_it_took() {
    let pair = |a: &str, b: &str| vec![(a.to_owned(), b.to_owned())];
    for (list, offered, answered, expected, formats, told) in [
        // All of the caller's first, in the caller's order.
        (&ALL[..], "0 8", "0", (Pcmu, Pcmu), ["0 8 9 96 101 110", "0"], vec![]),
        (&ALL, "111 9 8 110 101", "111", (Opus, Opus), ["96 9 8 0 110 101", "111 110"], vec![]),
        // Who was called picks another one that the caller has, too.
        (&ALL, "111 9 8 110 101", "9", (G722, G722), ["96 9 8 0 110 101", "9 101"], vec![]),
        (&ALL, "111 0 8", "8", (Pcma, Pcma), ["96 0 8 9 110 101", "8"], vec![]),
        // The two laws are nearly the same.
        (&[Pcma, Opus][..], "111 0", "8", (Pcmu, Pcma), ["96 8 110 101", "0"], vec![]),
        // One that the caller has not: it has to be transcoded, and that is told.
        (&ALL, "8 101", "111", (Pcma, Opus), ["8 0 9 96 101 110", "8 101"], pair("PCMA", "opus")),
        (&[G722][..], "8", "9", (Pcma, G722), ["9 101", "8"], pair("PCMA", "G722")),
    ] {
        let mut stage = desk(&[("anna", list)]);
        let (mut caller, anna, said) = put_through(&mut stage, offered, answered);
        assert_eq!(
            (codecs(&stage), said.each_ref().map(String::as_str)),
            (expected, formats),
            "{offered} {answered}"
        );
        assert_eq!(transcoded(&stage), told, "{offered} {answered}");
        hangs_up(&mut stage, &mut caller);
        hung_up_on(&mut stage, &anna);
        stage.assert_all_is_over();
    }
}

/// What is passed on as it comes is bounded by what its receiver says of itself (RFC 7587 §6.1).
#[test]
fn each_of_two_is_asked_for_opus_as_the_other_one_wants_it() {
    const OURS: &str = "useinbandfec=1";
    for (caller_wants, anna_wants, anna_asked, caller_asked) in [
        ("minptime=10;useinbandfec=1", "useinbandfec=1", OURS, OURS),
        (
            "maxaveragebitrate=16000; cbr=1;stereo=1;usedtx=1",
            "useinbandfec=1;maxplaybackrate=16000;maxaveragebitrate=12000",
            "usedtx=1;stereo=1;cbr=1;maxaveragebitrate=16000",
            "useinbandfec=1;maxaveragebitrate=12000;maxplaybackrate=16000",
        ),
        // What means nothing is not handed on.
        ("maxaveragebitrate=1;x=y", "maxplaybackrate=48000", "nothing", "nothing"),
    ] {
        let mut stage = desk(&[]);
        let offer = wanting(&of(address(9), "111 8 110 101"), caller_wants);
        let mut caller = Line::dial(&mut stage, address(9), "anna", &offer);
        let (mut anna, invite) = Line::called(&mut stage, address(ANNA));
        assert_eq!(asked(&invite), anna_asked);
        let answer = wanting(&of(address(ANNA), "111 110"), anna_wants);
        anna.answer(&mut stage, &invite, "200 OK", &answer);
        stage.expect(address(ANNA), "ACK");
        anna.starts_counting();
        assert_eq!(asked(&caller.connect(&mut stage)), caller_asked);
        // In another agreement as well, and after one of the other side.
        let narrow = wanting(&of(address(ANNA), "111 110"), "useinbandfec=1;maxaveragebitrate=8000");
        anna.request(&mut stage, "INVITE", &narrow);
        assert_eq!(asked(&anna.connect(&mut stage)), anna_asked);
        caller.request(&mut stage, "INVITE", &offer);
        assert_eq!(asked(&caller.connect(&mut stage)), "useinbandfec=1;maxaveragebitrate=8000");
    }
}

#[test]
fn whoever_talks_with_us_or_with_another_codec_is_asked_for_opus_as_we_want_it() {
    let wish = "maxaveragebitrate=16000";
    let mut stage = desk(&[("anna", &[Opus, Pcma])]);
    let offer = wanting(&of(address(9), "111 8 110 101"), wish);
    let mut caller = Line::dial(&mut stage, address(9), "demo", &offer);
    assert_eq!(asked(&caller.connect(&mut stage)), "useinbandfec=1", "a menu");
    chooses_queue(&mut stage, 1);
    let (mut anna, invite) = Line::called(&mut stage, address(ANNA));
    assert_eq!(asked(&invite), wish, "an agent of the queue");
    let answer = wanting(&of(address(ANNA), "8 111 110"), wish);
    anna.answer(&mut stage, &invite, "200 OK", &answer);
    stage.expect(address(ANNA), "ACK");
    anna.starts_counting();
    caller.request(&mut stage, "INVITE", &wanting(&of(address(9), "111 110"), wish));
    assert_eq!(asked(&caller.connect(&mut stage)), "useinbandfec=1", "she speaks another codec");
}

#[test]
fn an_agent_is_offered_first_what_the_waiting_caller_speaks() {
    let mut stage = desk(&[("anna", &[Opus, G722, Pcma])]);
    let _caller = caller_in_queue(&mut stage, address(9), 1);
    let (_, invite) = Line::called(&mut stage, address(ANNA));
    assert_eq!(formats(&invite), "8 96 9 101 110");
}

#[test]
fn a_call_that_no_codec_of_the_account_fits_is_refused_and_says_which_would() {
    let mut stage = desk(&[("bruno", &[G722, Opus])]);
    register(&mut stage, "bruno", address(51));
    let line = Line::dial_as(&mut stage, "bruno", address(51), "anna");
    let refusal = stage.expect(line.phone, "SIP/2.0 488");
    assert!(
        header(&refusal, "Warning").contains("none of the offered codecs is one of ours: G722, opus"),
        "{refusal}"
    );
}

#[test]
fn hold_and_resume_with_all_codecs_keep_the_one_that_needs_no_transcoding() {
    let mut stage = desk(&[]);
    let (mut caller, _anna, _) = put_through(&mut stage, "111 8 110 101", "8 101");
    for direction in ["sendonly", SENDRECV] {
        let offer = of(address(9), "111 8 110 101").replace("sendrecv", direction);
        caller.request(&mut stage, "INVITE", &offer);
        assert_eq!(formats(&caller.connect(&mut stage)), "8 101", "{direction}");
    }
    assert_eq!((codecs(&stage), changed(&stage)), ((Pcma, Pcma), vec![]));
}

#[test]
fn a_party_that_changes_its_codec_in_mid_call_is_followed_and_it_is_told() {
    let mut stage = desk(&[]);
    let (mut caller, _anna, _) = put_through(&mut stage, "111 8 110 101", "8 101");
    caller.request(&mut stage, "INVITE", &of(address(9), "111 110"));
    assert_eq!(formats(&caller.connect(&mut stage)), "111 110");
    assert_eq!(codecs(&stage), (Opus, Pcma));
    assert_eq!(changed(&stage), [(1, "opus".to_owned())]);
    assert_eq!(transcoded(&stage), [("opus".to_owned(), "PCMA".to_owned())]);
    // And back: nothing is transcoded any more.
    caller.request(&mut stage, "INVITE", &of(address(9), "8 101"));
    caller.connect(&mut stage);
    assert_eq!(changed(&stage), [(1, "opus".to_owned()), (1, "PCMA".to_owned())]);
    assert_eq!(transcoded(&stage).len(), 1);
}
