//! What the pictures of a call show.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use base::Wall;
use sip::ua::{Flow, Transport};
use std::collections::BTreeMap;
use trace::ladder::{Ladder, Note};
use trace::{Traced, Way};

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
    m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendonly\r\n";

fn at(millis: i64) -> Wall {
    Wall::from_unix_micros(1_700_000_000_000_000 + millis * 1000)
}

fn message(
    millis: i64,
    way: Way,
    remote: &str,
    start: &str,
    call_id: &str,
    more: &str,
    body: &str,
) -> Traced {
    let text = format!(
        "{start}\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n\
         Call-ID: {call_id}\r\nCSeq: 1 {}\r\n{more}Content-Length: {}\r\n\r\n{body}",
        if start.contains("BYE") { "BYE" } else { "INVITE" },
        body.len()
    );
    let local = "127.0.0.1:5060".parse().unwrap();
    let flow = Flow { transport: Transport::Udp, local, remote: remote.parse().unwrap() };
    Traced { at: at(millis), call: "rm1-1".into(), way, flow, bytes: text.into_bytes() }
}

/// A caller, a first agent who does not answer, and a second one who does.
fn ladder() -> Ladder {
    let (caller, anna, bruno) = ("192.0.2.1:5060", "192.0.2.2:5060", "[2001:db8::3]:5060");
    let invite = "INVITE sip:800@127.0.0.1 SIP/2.0";
    let messages = [
        message(0, Way::In, caller, invite, "one", "", SDP),
        message(500, Way::In, caller, invite, "one", "", SDP),
        message(501, Way::Out, anna, "INVITE sip:anna@192.0.2.2 SIP/2.0", "two", "", ""),
        message(502, Way::Out, bruno, "INVITE sip:bruno@192.0.2.3 SIP/2.0", "three", "", ""),
        message(900, Way::In, bruno, "SIP/2.0 200 OK", "three", "", ""),
        message(61_234, Way::In, anna, "BYE sip:x SIP/2.0", "two", "Reason: Q.850;cause=16\r\n", ""),
    ];
    let names = [("one", "caller +39 06"), ("two", "agent anna"), ("three", "agent <b> & \u{1b}[2J")];
    let names: BTreeMap<String, String> =
        names.map(|(call_id, name)| (call_id.to_owned(), name.to_owned())).into();
    Ladder::new(&messages, &names, &[Note { at: at(501), text: "leg.created leg=2".into() }])
}

#[test]
fn a_call_is_drawn_with_its_parties_arrows_facts_and_repetitions() {
    let drawn = ladder().text(false);
    let lines: Vec<&str> = drawn.lines().collect();
    assert_eq!(lines.len(), 9, "{drawn}");
    let heads: Vec<&str> = lines[0].split("  ").map(str::trim).filter(|head| !head.is_empty()).collect();
    assert_eq!(heads, ["caller +39 06", "Cornetta", "agent anna", "agent <b> & \u{FFFD}[2J"]);
    assert!(
        lines[1].contains("udp 127.0.0.1:5060") && lines[1].contains("udp [2001:db8::3]:5060"),
        "{drawn}"
    );
    let first = "+0.000                        │──── INVITE sip:800@127.0.0.1 ";
    assert!(lines[2].trim_start().starts_with(first.split("  ").next().unwrap()), "{drawn}");
    assert!(lines[2].ends_with("audio sendonly PCMA,telephone-event 192.0.2.1:4000"), "{drawn}");
    assert!(lines[2].contains("▶│") && !lines[2].contains("(again)"), "{drawn}");
    assert!(lines[3].contains("INVITE sip:800@127.0.0.1 (again) "), "{drawn}");
    assert!(lines[4].trim_start().starts_with("+0.501  · leg.created leg=2"), "{drawn}");
    assert!(
        lines[6].contains('┼') && lines[6].contains("─▶│"),
        "it crosses the first agent's column: {drawn}"
    );
    assert!(lines[7].contains("│◀──") && lines[7].contains("200 OK (INVITE)"), "{drawn}");
    assert!(
        lines[8].trim_start().starts_with("+61.234") && lines[8].ends_with("Reason: Q.850;cause=16"),
        "{drawn}"
    );
    let columns = |line: &str| -> Vec<usize> {
        let marks = line.chars().enumerate().filter(|(_, letter)| "│┼".contains(*letter));
        marks.map(|(at, _)| at).collect()
    };
    assert_eq!(columns(lines[2]), columns(lines[6]));
}

#[test]
fn in_full_each_message_stands_under_its_arrow() {
    let drawn = ladder().text(true);
    assert_eq!(drawn.matches("    m=audio 4000 RTP/AVP 8 101\n").count(), 2);
    assert_eq!(drawn.matches("    Call-ID: two\n").count(), 2);
}

#[test]
fn what_is_no_sip_is_shown_as_it_is_and_cannot_move_the_cursor() {
    let mut message = message(0, Way::In, "192.0.2.1:5060", "INVITE x SIP/2.0", "one", "", "");
    message.bytes = b"\x1b[31mINVITE\x07 \xff\xfe nonsense\r\n\r\n".to_vec();
    let ladder = Ladder::new(&[message], &BTreeMap::new(), &[]);
    for drawn in [ladder.text(true), ladder.svg("x")] {
        assert!(!drawn.contains(['\x1b', '\x07']), "{drawn}");
        assert!(drawn.contains("malformed: "), "{drawn}");
    }
}

#[test]
fn the_picture_is_well_formed_and_shows_the_same() {
    let svg = ladder().svg("rm1-1 <&>");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    let (mut depth, mut texts) = (0, 0);
    for tag in svg.split('<').skip(1) {
        let (inside, after) = tag.split_once('>').unwrap();
        assert_eq!(inside.matches('"').count() % 2, 0, "{inside}");
        assert!(
            !after.contains('&')
                || after.contains("&amp;")
                || after.contains("&lt;")
                || after.contains("&gt;")
        );
        match (inside.starts_with('/'), inside.ends_with('/')) {
            (true, _) => depth -= 1,
            (_, true) => {}
            _ => depth += 1,
        }
        texts += usize::from(inside.starts_with("text "));
    }
    assert_eq!(depth, 0);
    assert!(
        svg.contains("<title>rm1-1 &lt;&amp;&gt;</title>") && svg.contains("agent &lt;b&gt; &amp; "),
        "{svg}"
    );
    assert_eq!(svg.matches("<polygon").count(), 6);
    assert_eq!(svg.matches("stroke-dasharray").count(), 1);
    assert!(texts > 20, "{texts}");
}
