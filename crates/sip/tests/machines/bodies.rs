//! Bodies of several parts (RFC 5621): SIP-I and IMS put other things beside the session's description.

use crate::world::*;
use sip::ua::*;

const ISUP: &str = "Content-Type: application/ISUP;version=itu-t92+;base=itu-t92+\n";
const XML: &str = "Content-Type: application/vnd.3gpp.ims+xml\n";
const SIGNAL: &str = "Content-Disposition: signal;handling=optional\n";

/// A message with this body of this type.
fn with(message: &str, kind: &str, body: &str) -> String {
    let body = body.replace('\n', "\r\n");
    let head = format!("Content-Type: {kind}\nContent-Length: {}\n\n", body.len());
    message.replace("Content-Length: 0\n\n", &head) + &body
}

fn sdp() -> String {
    let text = String::from_utf8(OFFER.to_vec()).unwrap().replace("\r\n", "\n");
    format!("--b\nContent-Type: application/sdp\n\n{text}\n")
}

/// What the engine is told of an INVITE with this body: its SDP, or how it is refused.
fn invited(kind: &str, body: &str) -> Result<Option<Vec<u8>>, String> {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    world.inject(address(7), ALICE, &with(&invite(address(7), "parts", ""), kind, body));
    world.run_for(20);
    let told = world.agents[ALICE].events.iter().find_map(|(_, event)| match event {
        Event::Incoming { invite, .. } => Some(invite.sdp.clone()),
        _ => None,
    });
    told.ok_or_else(|| world.take(address(7)).pop().unwrap()[8..11].to_owned())
}

#[test]
fn sdp_is_found_among_the_parts_of_an_invite() {
    let (mixed, sdp) = ("multipart/mixed;boundary=b", sdp());
    let nested = "--b\nContent-Type: multipart/alternative; boundary=\"in ner\"\n\n--in ner\n\ntext\n\
                  --in ner\nContent-Type: application/sdp\n\nSDP\n--in ner--\n--b--\n";
    let bodies = [
        (mixed, format!("{sdp}--b--\n")),
        (mixed, format!("A preamble.\n{sdp}--b--\nAn epilogue.\n--b\n\nx\n--b--\n")),
        (mixed, sdp.clone()),
        (mixed, format!("{sdp}--b\n{ISUP}{SIGNAL}\n\u{1}\u{2}--b\u{3}\n--bb\n--b--\n")),
        (mixed, format!("--b\n{ISUP}{SIGNAL}\n\u{1}\n{sdp}--b--\n")),
        (mixed, format!("--b\n{XML}Content-Disposition: x;\n handling=OPTIONAL\n\n<a/>\n{sdp}--b--\n")),
        ("Multipart/Related; type=\"application/sdp\"; boundary=\"b\"", format!("{sdp}--b--  \n")),
        (
            mixed,
            format!("{sdp}--b--\n").replace("Content-Type:", "c :").replace("application", "APPLICATION"),
        ),
        (mixed, nested.replace("SDP", sdp.split_once("\n\n").unwrap().1.trim_end())),
    ];
    for (kind, body) in bodies {
        let found = invited(kind, &body).unwrap_or_else(|status| panic!("{status}: {body}")).expect("SDP");
        assert_eq!(String::from_utf8_lossy(&found).trim_end(), String::from_utf8_lossy(OFFER).trim_end());
    }
}

#[test]
fn what_is_to_be_understood_and_is_not_is_refused() {
    let (mixed, sdp) = ("multipart/mixed;boundary=b", sdp());
    let required = SIGNAL.replace("optional", "required");
    let bodies = [
        (mixed, format!("{sdp}--b\n{ISUP}{required}\n\u{1}\n--b--\n")),
        (mixed, format!("{sdp}--b\n{ISUP}\n\u{1}\n--b--\n")),
        (mixed, format!("{sdp}--b\n\nno type is text\n--b--\n")),
        (mixed, format!("{sdp}{}--b--\n", format!("--b\n{XML}{SIGNAL}\nx\n").repeat(8))),
        (mixed, "no part at all\n".to_owned()),
        ("multipart/mixed", sdp.clone()),
        (mixed, sdp.replace("\n\n", "\nContent-Transfer-Encoding: base64\n\n")),
        (mixed, sdp.replace("\n\n", "\nContent-Disposition: early-session\n\n")),
        ("application/isup", "\u{1}".to_owned()),
    ];
    for (kind, body) in bodies {
        assert_eq!(invited(kind, &body), Err("415".to_owned()), "{kind}\n{body}");
    }
}

#[test]
fn an_optional_body_alone_is_as_if_it_were_not_there() {
    for (kind, body) in [
        ("application/isup\nContent-Disposition: signal;handling=optional", "x".to_owned()),
        ("multipart/mixed;boundary=b", format!("--b\n{XML}{SIGNAL}\nx\n--b--\n")),
    ] {
        assert_eq!(invited(kind, &body), Ok(None), "{body}");
    }
}

#[test]
fn answers_of_several_parts_are_read_and_never_refused() {
    let mut world = World::of(vec![open_config(ALICE)], 1);
    let flow = world.flow(ALICE, 7);
    let session = world.call_as(ALICE, flow, None);
    world.run_for(20);
    let sent = world.take(address(7)).pop().unwrap();
    let (body, contact) = (format!("{}--b\n{ISUP}\nacm\n--b--\n", sdp()), "Contact: <sip:x@10.0.0.8:5060>\n");
    let answer = |status: &str| with(&answer_to(&sent, status, contact), "multipart/mixed;boundary=b", &body);
    world.inject(address(7), ALICE, &answer("183 Session Progress"));
    assert!(world.has(ALICE, |e| matches!(e, Event::Progress { sdp: Some(_), .. })));
    world.inject(address(7), ALICE, &answer("200 OK"));
    world.run_for(20);
    assert!(world.has(ALICE, |e| matches!(e, Event::Answered { sdp: Some(sdp), .. } if !sdp.is_empty())));
    world.act(ALICE, Do::HangUp { session, q850: None });
}

/// Nothing of it is long enough to matter: a body is as large as a message may be, and is read in one pass.
#[test]
fn a_body_of_nothing_but_boundaries_is_refused() {
    for line in ["--b\n", "--b\n\n", "--", "\n", "--b", "--b\nContent-Type: multipart/mixed;boundary=b\n\n"] {
        let body = line.repeat(25_000 / line.len());
        let found = invited("multipart/mixed;boundary=b", &body);
        assert!(matches!(&found, Err(status) if status == "415"), "{line:?}: {found:?}");
    }
}
