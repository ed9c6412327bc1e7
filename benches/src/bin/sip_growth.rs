//! Whether what a message costs to read grows with its size alone: shapes that an attacker would choose, each at a
//! quarter of the largest size that is taken and at that size. CPU time in picoseconds a byte, the least of rounds
//! that take turns.

use benches::{args::Args, cpu};
use sip::message::{Message, ParseError, ParseLimits};
use sip::sdp::Sdp;
use std::error::Error;
use std::hint::black_box;

/// Bytes that are all of one kind, so many.
struct Shape {
    name: &'static str,
    most: usize,
    make: fn(usize) -> Vec<u8>,
}

/// A whole message's bytes, and one header field's.
const WHOLE: usize = 65_000;
const FIELD: usize = 8_000;
/// Bytes that are read in one measured stretch, so that small and large take equally long.
const STRETCH: usize = 4 << 20;

const SHAPES: [Shape; 14] = [
    Shape { name: "body", most: WHOLE, make: |size| with_body("text/plain", &"x".repeat(size)) },
    Shape { name: "lines of SDP", most: WHOLE, make: |size| with_sdp("a=x\r\n", size) },
    Shape { name: "formats of SDP", most: WHOLE, make: |size| with_sdp("a=rtpmap:8 PCMA/8000\r\n", size) },
    Shape { name: "media lines of SDP", most: WHOLE, make: |size| with_sdp("m=audio 9 RTP/AVP 0\r\n", size) },
    Shape { name: "parts of a body", most: WHOLE, make: |size| with_parts(size) },
    Shape { name: "header fields", most: WHOLE, make: |size| with_fields("X-Padding", 200, size) },
    Shape { name: "Via fields", most: WHOLE, make: |size| with_fields("Via", 200, size) },
    Shape {
        name: "blank lines",
        most: WHOLE,
        make: |size| ["\r\n".repeat(size / 2).into_bytes(), request("")].concat(),
    },
    Shape { name: "a list of Via", most: FIELD, make: |size| listed("Via", "SIP/2.0/UDP a;branch=b", size) },
    Shape { name: "a list of Contact", most: FIELD, make: |size| listed("Contact", "<sip:a@b>", size) },
    Shape { name: "parameters", most: FIELD, make: |size| repeated("Contact: <sip:a@b>", ";a", "", size) },
    Shape {
        name: "parameters of a URI",
        most: FIELD,
        make: |size| repeated("Contact: <sip:a@b", ";a", ">", size),
    },
    Shape {
        name: "escapes in quotes",
        most: FIELD,
        make: |size| repeated("Contact: \"", "\\\"", "\" <sip:a@b>", size),
    },
    Shape { name: "folded lines", most: FIELD, make: |size| repeated("Subject: a", "\r\n b", "", size) },
];

fn main() -> Result<(), Box<dyn Error>> {
    let rounds: usize = Args::read(&["rounds"])?.get("rounds", 5)?;
    for Shape { name, most, make } in SHAPES {
        let sizes = [make(most / 4), make(most)];
        let mut least = [u64::MAX; 2];
        for _ in 0..rounds.max(1) {
            for (least, bytes) in least.iter_mut().zip(&sizes) {
                *least = (*least).min(picoseconds_a_byte(bytes));
            }
        }
        let [small, large] = least;
        println!(r#"{{"shape":"{name}","bytes":{most},"quarter_ps":{small},"whole_ps":{large}}}"#);
    }
    Ok(())
}

fn picoseconds_a_byte(bytes: &[u8]) -> u64 {
    let times = (STRETCH / bytes.len()).max(1);
    let before = cpu::of_thread();
    for _ in 0..times {
        read(black_box(bytes));
    }
    1_000 * (cpu::of_thread() - before) / (times * bytes.len()) as u64
}

/// What the exchange asks of a message before it knows whose it is, and what it asks of an offer.
fn read(bytes: &[u8]) {
    let message = match Message::parse(bytes.to_vec(), &ParseLimits::default()) {
        Ok(message) => message,
        Err(ParseError::BadRequest { request, .. }) => *request,
        Err(_) => return,
    };
    let _ = black_box((message.check(), message.cseq(), message.call_id(), message.from(), message.to()));
    for via in message.vias().flatten() {
        black_box((via.branch(), via.rport(), via.received(), via.params.are_well_formed()));
    }
    for address in message.contacts().flatten() {
        black_box((address.display(), address.tag(), address.params.are_well_formed()));
        let _ = black_box(address.parse_uri().map(|uri| uri.user_decoded()));
    }
    black_box((message.routes().count(), message.record_routes().count()));
    black_box(message.description());
    let _ = black_box(Sdp::parse(message.body()));
}

fn request(fields: &str) -> Vec<u8> {
    format!(
        "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKa\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@b>\r\n\
         Call-ID: a\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n{fields}\r\n"
    )
    .into_bytes()
}

fn with_body(kind: &str, body: &str) -> Vec<u8> {
    [request(&format!("Content-Type: {kind}\r\nContent-Length: {}\r\n", body.len())), body.into()].concat()
}

fn with_sdp(line: &str, size: usize) -> Vec<u8> {
    let head =
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\n";
    with_body("application/sdp", &format!("{head}{}", line.repeat(size / line.len())))
}

fn with_parts(size: usize) -> Vec<u8> {
    let part = "--a\r\nContent-Type: text/plain\r\n\r\nx\r\n";
    with_body("multipart/mixed;boundary=a", &format!("{}--a--\r\n", part.repeat(size / part.len())))
}

/// So many fields that together they have this size.
fn with_fields(name: &str, count: usize, size: usize) -> Vec<u8> {
    let value = format!("SIP/2.0/UDP a;branch=z9hG4bKa;p={}", "x".repeat((size / count).saturating_sub(45)));
    request(&format!("{name}: {value}\r\n").repeat(count))
}

fn listed(name: &str, value: &str, size: usize) -> Vec<u8> {
    request(&format!("{name}: {value}{}\r\n", format!(", {value}").repeat(size / (value.len() + 2) - 1)))
}

fn repeated(start: &str, middle: &str, end: &str, size: usize) -> Vec<u8> {
    request(&format!("{start}{}{end}\r\n", middle.repeat(size / middle.len() - 16)))
}
