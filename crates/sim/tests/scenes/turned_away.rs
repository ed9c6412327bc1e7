//! Calls that are refused before they begin: each leaves a record with a sentence, and its sender reads the sentence.

use crate::support::desk::seconds;
use crate::support::stage::*;
use facts::{Cause, Fact, FactKind, Side};
use journal::fold::{Cdr, CdrFold};

/// An INVITE of somebody known, and how it is refused: status, cause, Q.850 cause, and what is said of it.
type Case = (String, u16, Cause, u8, &'static str);

fn invite(more: &str) -> String {
    format!(
        "INVITE sip:echo@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKaway;rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:+390612345678@10.0.0.9>;tag=f\r\nTo: <sip:echo@10.0.0.1>\r\nCall-ID: away\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:me@10.0.0.9>\r\n{more}Content-Length: 0\r\n\r\n"
    )
}

fn cases() -> Vec<Case> {
    use Cause::{Inadmissible, Looped};
    let with_body =
        invite("Content-Type: application/isup\r\n").replace("Length: 0\r\n\r\n", "Length: 1\r\n\r\nx");
    let hops = |count: &str| invite("").replace("Forwards: 70", &format!("Forwards: {count}"));
    let replaces = |value: &str| invite(&format!("Replaces: {value}\r\n"));
    vec![
        (with_body, 415, Inadmissible, 79, "a body of application/isup"),
        (invite("Accept: text/plain\r\n"), 406, Inadmissible, 79, "Accept leaves out application/sdp"),
        (invite("Require: precondition\r\n"), 420, Inadmissible, 127, "not spoken here: precondition"),
        (
            invite("Supported: timer\r\nSession-Expires: 30\r\n"),
            422,
            Inadmissible,
            127,
            "shorter than the Min-SE",
        ),
        (hops("0"), 483, Looped, 25, "Max-Forwards is used up"),
        (hops("lots"), 400, Inadmissible, 41, "Max-Forwards"),
        (replaces("no;to-tag=a;from-tag=b"), 481, Inadmissible, 41, "Replaces names a call that is not here"),
        (invite("").replace("Contact: <sip:me@10.0.0.9>\r\n", ""), 400, Inadmissible, 41, "no Contact"),
    ]
}

#[test]
fn a_call_that_is_refused_before_it_begins_leaves_a_record_that_says_why() {
    for (text, status, cause, q850, why) in cases() {
        let mut stage = Stage::new();
        stage.send(address(9), &text);
        let refusal = stage.expect(address(9), &format!("SIP/2.0 {status}"));
        let warning = header(&refusal, "Warning");
        assert!(warning.starts_with("399 10.0.0.1:5060 \"") && warning.contains(why), "{refusal}");
        assert!(header(&refusal, "Reason").starts_with(&format!("Q.850;cause={q850}")), "{refusal}");
        stage.send(address(9), &text);
        stage.assert_all_is_over();
        let arrived = stage.fact(|kind| match kind {
            FactKind::CallArrived { from, to, trunk, sip_call_id, .. } => {
                Some((from.clone(), to.clone(), trunk.clone(), sip_call_id.clone()))
            }
            _ => None,
        });
        assert_eq!(arrived, ("+390612345678".into(), "echo".into(), "open".into(), "away".into()));
        let ends = stage.call_ends();
        assert_eq!(ends.len(), 1, "a repetition is no second call: {text}");
        let end = ends.first().unwrap();
        assert_eq!((end.by, end.cause, end.sip, end.q850), (Side::Engine, cause, Some(status), Some(q850)));
        assert!(end.detail.contains(why), "{}", end.detail);
        let mut fold = CdrFold::default();
        let records: Vec<Cdr> = stage.facts.iter().filter_map(|fact| fold.apply(fact)).collect();
        assert_eq!(records.len(), 1, "it is a call record like any other");
        assert_eq!((records[0].to.as_str(), &records[0].end), ("echo", end));
        let facts: Vec<Fact> = stage.facts.iter().filter(|fact| fact.call.is_some()).cloned().collect();
        let explained = journal::fold::why(&facts).unwrap();
        assert!(explained.en.contains(why) && explained.it.contains(why), "{}", explained.en);
        assert_eq!(explained.steps[0].en, "came by open");
    }
}

#[test]
fn a_stranger_who_is_refused_learns_nothing_and_leaves_no_record() {
    for (text, ..) in cases() {
        let mut stage = Stage::new();
        let stranger = std::net::SocketAddr::from(([192, 0, 2, 9], 5060));
        stage.send(stranger, &text.replace("10.0.0.9", "192.0.2.9"));
        let heard = stage.next(stranger);
        assert!(heard == "nothing" || !heard.contains("Warning"), "{heard}");
        stage.wait(seconds(60));
        assert!(stage.call_ends().is_empty());
    }
}

#[test]
fn an_offer_of_nothing_but_srtp_is_refused_with_a_sentence_that_names_it() {
    for protocol in ["RTP/SAVP", "RTP/SAVPF", "UDP/TLS/RTP/SAVPF"] {
        let mut stage = Stage::new();
        let offer = sdp(address(9), SENDRECV).replace("RTP/AVP", protocol);
        let mut caller = Line::dial(&mut stage, address(9), "demo", &offer);
        let refusal = stage.expect(address(9), "SIP/2.0 488");
        let warning = header(&refusal, "Warning");
        assert!(warning.starts_with("302 ") && warning.contains("SRTP"), "{refusal}");
        caller.ack(&mut stage, "");
        stage.assert_all_is_over();
        let end = stage.call_ends().remove(0);
        assert_eq!((end.cause, end.sip), (Cause::NoCommonMedia, Some(488)));
        assert!(end.detail.contains("SRTP") && end.detail.contains("RTP/AVP"), "{}", end.detail);
    }
}
