//! The torture messages of RFC 4475 and RFC 5118 through a whole user agent: which layer objects to each, and
//! what goes out on the wire.

#![allow(clippy::unwrap_used, reason = "a helper of a test may fail it")]

use base::{Seed, Time};
use serde_json::Value;
use sip::message::{Message, ParseError, ParseLimits};
use sip::ua::{Account, Config, Event, Flow, Input, Output, Transport, UserAgent};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

/// Who decides what a message gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layer {
    /// `Message::parse`: where the parts of a message stand.
    Parse,
    /// `Message::check`: what every message must have.
    Check,
    /// The user agent: methods, extensions, bodies, dialogs, who somebody is.
    Agent,
    /// A call is offered to the engine.
    Session,
}
use Layer::{Agent, Check, Parse, Session};

/// Nothing goes out.
const SILENCE: u16 = 0;

const TABLE: &[(&str, Layer, u16)] = &[
    ("wsinv.dat", Agent, 481),
    ("intmeth.dat", Agent, 501),
    ("esc01.dat", Session, 100),
    ("escnull.dat", Agent, 401),
    ("esc02.dat", Agent, 501),
    ("lwsdisp.dat", Agent, 200),
    ("longreq.dat", Session, 100),
    ("dblreq.dat", Agent, 401),
    ("semiuri.dat", Agent, 200),
    ("transports.dat", Agent, 200),
    ("mpart01.dat", Agent, 403),
    ("unreason.dat", Agent, 0),
    ("noreason.dat", Agent, 0),
    ("badinv01.dat", Check, 400),
    ("clerr.dat", Parse, 400),
    ("ncl.dat", Check, 400),
    ("scalar02.dat", Check, 400),
    ("scalarlg.dat", Check, 0),
    ("quotbal.dat", Check, 400),
    ("ltgtruri.dat", Check, 400),
    ("lwsruri.dat", Parse, 400),
    ("lwsstart.dat", Parse, 400),
    ("trws.dat", Parse, 400),
    ("escruri.dat", Check, 400),
    ("baddate.dat", Session, 100),
    ("regbadct.dat", Check, 400),
    ("badaspec.dat", Agent, 200),
    ("baddn.dat", Parse, 400),
    ("badvers.dat", Check, 505),
    ("mismatch01.dat", Check, 400),
    ("mismatch02.dat", Check, 501),
    ("bigcode.dat", Parse, 0),
    ("badbranch.dat", Agent, 200),
    ("insuf.dat", Check, 0),
    ("unkscm.dat", Check, 416),
    ("novelsc.dat", Check, 416),
    ("unksm2.dat", Agent, 401),
    ("bext01.dat", Agent, 420),
    ("invut.dat", Agent, 415),
    ("regaut01.dat", Agent, 401),
    ("multi01.dat", Check, 400),
    ("mcl01.dat", Check, 400),
    ("bcast.dat", Agent, 0),
    ("zeromf.dat", Agent, 200),
    ("cparam01.dat", Agent, 401),
    ("cparam02.dat", Agent, 401),
    ("regescrt.dat", Agent, 401),
    ("sdp01.dat", Agent, 406),
    ("inv2543.dat", Agent, 400),
    ("v6-ipv6-good.dat", Agent, 401),
    ("v6-ipv6-bad.dat", Check, 400),
    ("v6-port-ambiguous.dat", Agent, 401),
    ("v6-port-unambiguous.dat", Agent, 401),
    ("v6-via-received-param-with-delim.dat", Agent, 481),
    ("v6-via-received-param-no-delim.dat", Agent, 200),
    ("v6-ipv6-in-sdp.dat", Session, 100),
    ("v6-mult-ip-in-header.dat", Agent, 481),
    ("v6-mult-ip-in-sdp.dat", Session, 100),
    ("v6-ipv4-mapped-ipv6.dat", Session, 100),
    ("v6-ipv6-bug-abnf-3-colons.dat", Agent, 200),
    ("v6-ipv6-correct-abnf-2-colons.dat", Agent, 200),
];

/// The last status that went out, or silence, and the layer that decided so.
fn judge(bytes: Vec<u8>) -> (Layer, u16) {
    let source: SocketAddr = "192.0.2.77:5060".parse().unwrap();
    let local: SocketAddr = "198.51.100.1:5060".parse().unwrap();
    let mut agent = UserAgent::new(open_to_all(local), Seed::from_number(1), Time::from_millis(1));
    let flow = Flow { transport: Transport::Udp, local, remote: source };
    let below = match Message::parse(bytes.clone(), &ParseLimits::default()) {
        Ok(message) if message.check().is_err() => Some(Check),
        Ok(_) => None,
        Err(ParseError::BadRequest { .. } | ParseError::Unanswerable { .. }) => Some(Parse),
        Err(ParseError::KeepAlive) => unreachable!("no torture message is empty"),
    };
    agent.handle(Time::from_millis(2), Input::Received { flow, bytes });
    let (mut status, mut incoming) = (SILENCE, false);
    while let Some(output) = agent.poll_output() {
        match output {
            Output::Send { flow, bytes } => {
                assert_eq!(flow.remote.ip(), source.ip(), "answers go where the request came from");
                let answer = Message::parse(bytes, &ParseLimits::default()).unwrap();
                // What was broken in the request stands in its answer, too.
                assert!(below.is_some() || answer.check().is_ok(), "{answer:?}");
                status = answer.status().unwrap();
            }
            Output::Event(Event::Incoming { .. }) => incoming = true,
            Output::Event(_) | Output::Door(_) | Output::Resolve { .. } | Output::Expect { .. } => {}
        }
    }
    (below.unwrap_or(if incoming { Session } else { Agent }), status)
}

/// A user agent with an account, to whom everybody may send everything.
fn open_to_all(local: SocketAddr) -> Config {
    Config {
        listen: vec![(Transport::Udp, local)],
        accounts: vec![Account { user: "anna".into(), password: "secret".into() }],
        open_to: vec!["0.0.0.0/0".parse().unwrap()],
        ..Config::default()
    }
}

/// Whether the RFC's verdict, as the manifest has it, allows this.
fn allowed(entry: &Value, layer: Layer, status: u16) -> bool {
    let class = entry["class"].as_str().unwrap_or("");
    let names = |what: &Value| {
        ["ok", "also_ok"].iter().any(|list| entry[list].as_array().is_some_and(|list| list.contains(what)))
    };
    let accepts = matches!(class, "accept" | "400-or-accept") || names(&"accept".into());
    match status {
        SILENCE => matches!(class, "discard" | "response-accept") || names(&"none".into()),
        _ if names(&status.into()) => true,
        // What is well formed may be refused for any reason but its form.
        400 | 505 | 513 | 416 | 420 => false,
        _ => accepts && !matches!(layer, Parse | Check),
    }
}

#[test]
fn each_torture_message_gets_what_the_table_says_and_the_rfc_allows() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/torture");
    let manifest = std::fs::read_to_string(folder.join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let table: BTreeMap<&str, (Layer, u16)> =
        TABLE.iter().map(|(file, layer, status)| (*file, (*layer, *status))).collect();
    let mut faults = Vec::new();
    for entry in manifest["messages"].as_array().unwrap() {
        let file = entry["file"].as_str().unwrap();
        let (layer, status) = judge(std::fs::read(folder.join(file)).unwrap());
        if table.get(file) != Some(&(layer, status)) {
            faults.push(format!("(\"{file}\", {layer:?}, {status}), the table says {:?}", table.get(file)));
        }
        if !allowed(entry, layer, status) {
            faults.push(format!("{file}: {layer:?} {status}; RFC: {} {}", entry["class"], entry["notes"]));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(manifest["messages"].as_array().map(Vec::len), Some(TABLE.len()));
}
