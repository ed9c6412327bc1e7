//! What devices, exchanges and operators offer, and what they are answered: one file each in `descriptions/`, the offer,
//! a line `answer:` or `refusal:`, and what it says.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test may fail it")]

use base::Seed;
use media_api::{CertificateHash, Codec, Fingerprint};
use sip::negotiation::{Abilities, Handshaking, Negotiation};
use std::net::SocketAddr;
use std::path::Path;

const CODECS: [Codec; 4] = [Codec::Pcma, Codec::Pcmu, Codec::G722, Codec::Opus];

/// What is answered to an offer, and what we understood.
fn answered(offer: &str) -> String {
    let is_v6 = offer.contains("c=IN IP6");
    let local: SocketAddr = if is_v6 { "[2001:db8::1]:16384" } else { "203.0.113.1:16384" }.parse().unwrap();
    let fingerprint = Fingerprint::new(CertificateHash::Sha256, &[0xab; 32]).unwrap();
    let handshaking = Some(Handshaking { fingerprint, seed: Seed::from_number(1), offers: false });
    let mut ours = Negotiation::new(77, Abilities { handshaking, ..Abilities::of(CODECS.to_vec()) });
    match ours.answer(offer.replace('\n', "\r\n").as_bytes(), local) {
        Ok((answer, stream)) => {
            let opus =
                if stream.codec == Codec::Opus { format!(", {:?}", stream.opus) } else { String::new() };
            let understood = format!(
                "{} by {}, digits {:?}{opus}, {:?}, to {} and {}",
                stream.codec.encoding(),
                stream.payload_type,
                stream.digits.map(|digits| (digits.payload_type, digits.clock_rate)),
                stream.packet_time,
                stream.remote,
                stream.remote_rtcp,
            );
            format!(
                "answer:\n{}understood:\n{understood}\n",
                String::from_utf8(answer).unwrap().replace('\r', "")
            )
        }
        Err(refusal) => format!("refusal:\n{} {}\n", refusal.status, refusal.why),
    }
}

#[test]
fn every_known_offer_is_answered_as_it_stands() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/descriptions");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 16, "{files:?}");
    let mut wrong = String::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let at = text.find("answer:\n").or(text.find("refusal:\n")).unwrap_or(text.len());
        let (offer, expected) = text.split_at(at);
        let found = answered(offer);
        if found != expected {
            wrong.push_str(&format!("== {}\n{found}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
