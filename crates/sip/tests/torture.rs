//! The torture messages of RFC 4475 and RFC 5118 through `parse` and `check`: which of them our layer
//! objects to, with which status, and which it leaves to the machines above it.

#![allow(clippy::unwrap_used, reason = "a helper of a test may fail it")]

use serde_json::Value;
use sip::message::{Message, ParseError, ParseLimits};
use std::collections::BTreeMap;
use std::path::Path;

/// What our layer says to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Well formed; the machines go on with it.
    Fine,
    /// Well formed as words; the machines have to answer this status.
    Above(u16),
    /// A well-formed response that no transaction waits for; the machines drop it.
    Stray,
    /// This layer names the status, and the request can be answered.
    Answer(u16),
    /// Nothing is sent: a broken response, or a request that cannot be answered.
    Silence,
}
use Verdict::{Above, Answer, Fine, Silence, Stray};

const TABLE: &[(&str, Verdict)] = &[
    ("wsinv.dat", Fine),
    ("intmeth.dat", Above(501)),
    ("esc01.dat", Fine),
    ("escnull.dat", Fine),
    ("esc02.dat", Above(501)),
    ("lwsdisp.dat", Fine),
    ("longreq.dat", Fine),
    ("dblreq.dat", Fine),
    ("semiuri.dat", Fine),
    ("transports.dat", Fine),
    ("mpart01.dat", Fine),
    ("unreason.dat", Stray),
    ("noreason.dat", Stray),
    ("badinv01.dat", Answer(400)),
    ("clerr.dat", Answer(400)),
    ("ncl.dat", Answer(400)),
    ("scalar02.dat", Answer(400)),
    ("scalarlg.dat", Silence),
    ("quotbal.dat", Answer(400)),
    ("ltgtruri.dat", Answer(400)),
    ("lwsruri.dat", Answer(400)),
    ("lwsstart.dat", Answer(400)),
    ("trws.dat", Answer(400)),
    ("escruri.dat", Answer(400)),
    // Nobody here reads Date.
    ("baddate.dat", Fine),
    ("regbadct.dat", Answer(400)),
    ("badaspec.dat", Fine),
    ("baddn.dat", Answer(400)),
    ("badvers.dat", Answer(505)),
    ("mismatch01.dat", Answer(400)),
    ("mismatch02.dat", Answer(501)),
    ("bigcode.dat", Silence),
    ("badbranch.dat", Fine),
    // Without Call-ID, From and To an answer would find nobody.
    ("insuf.dat", Silence),
    ("unkscm.dat", Answer(416)),
    ("novelsc.dat", Answer(416)),
    // The registrar objects to a To that is not SIP.
    ("unksm2.dat", Above(400)),
    ("bext01.dat", Above(420)),
    ("invut.dat", Above(415)),
    ("regaut01.dat", Above(401)),
    ("multi01.dat", Answer(400)),
    ("mcl01.dat", Answer(400)),
    ("bcast.dat", Stray),
    ("zeromf.dat", Fine),
    ("cparam01.dat", Fine),
    ("cparam02.dat", Fine),
    ("regescrt.dat", Fine),
    ("sdp01.dat", Above(406)),
    ("inv2543.dat", Fine),
    ("v6-ipv6-good.dat", Fine),
    ("v6-ipv6-bad.dat", Answer(400)),
    ("v6-port-ambiguous.dat", Fine),
    ("v6-port-unambiguous.dat", Fine),
    ("v6-via-received-param-with-delim.dat", Fine),
    ("v6-via-received-param-no-delim.dat", Fine),
    ("v6-ipv6-in-sdp.dat", Fine),
    ("v6-mult-ip-in-header.dat", Fine),
    ("v6-mult-ip-in-sdp.dat", Fine),
    ("v6-ipv4-mapped-ipv6.dat", Fine),
    ("v6-ipv6-bug-abnf-3-colons.dat", Fine),
    ("v6-ipv6-correct-abnf-2-colons.dat", Fine),
];

fn judge(bytes: Vec<u8>) -> Verdict {
    match Message::parse(bytes, &ParseLimits::default()) {
        Ok(message) => match message.check() {
            Ok(()) if message.is_request() => Fine,
            Ok(()) => Stray,
            Err(fault) if message.is_answerable() => Answer(fault.status),
            Err(_) => Silence,
        },
        Err(ParseError::BadRequest { fault, request }) => {
            assert!(request.is_answerable());
            Answer(fault.status)
        }
        Err(_) => Silence,
    }
}

/// Whether the RFC's verdict, as the manifest has it, allows ours.
fn allowed(entry: &Value, verdict: Verdict) -> bool {
    let class = entry["class"].as_str().unwrap_or("");
    let names = |what: &Value| {
        ["ok", "also_ok"].iter().any(|list| entry[list].as_array().is_some_and(|list| list.contains(what)))
    };
    match verdict {
        Fine => matches!(class, "accept" | "400-or-accept") || names(&"accept".into()),
        Stray => entry["valid"] == true && matches!(class, "response-accept" | "discard"),
        Above(status) => entry["valid"] == true && names(&status.into()),
        Answer(status) => names(&status.into()),
        Silence => class == "discard" || names(&"none".into()),
    }
}

#[test]
fn each_torture_message_gets_what_the_table_says_and_the_rfc_allows() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/testdata/torture"));
    let Ok(manifest) = std::fs::read_to_string(folder.join("manifest.json")) else {
        println!("skipped: {} is not there; fetch the corpus to run this", folder.display());
        return;
    };
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let table: BTreeMap<&str, Verdict> = TABLE.iter().copied().collect();
    let mut faults = Vec::new();
    for entry in manifest["messages"].as_array().unwrap() {
        let file = entry["file"].as_str().unwrap();
        let verdict = judge(std::fs::read(folder.join(file)).unwrap());
        let expected = table.get(file).copied();
        let said = match expected {
            Some(Above(_)) => Some(Fine),
            other => other,
        };
        if said != Some(verdict) || !expected.is_some_and(|expected| allowed(entry, expected)) {
            faults.push(format!("{file}: said {verdict:?}, table {expected:?}, RFC {}", entry["class"]));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(manifest["messages"].as_array().map(Vec::len), Some(TABLE.len()));
}
