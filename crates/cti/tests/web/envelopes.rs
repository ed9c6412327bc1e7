//! What the envelope says of each kind of fact, and that the integrator's page says the same.

use crate::support::samples::{NUMBER, agent, arrived, ended, every_kind};
use base::Wall;
use cti::Envelopes;
use facts::{Fact, FactKind};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const PAGE: &str = include_str!("../../../../docs/cti.md");
const CATALOGUE: &str = include_str!("../../../facts/src/fact.rs");
const MARCH: i64 = 1_774_746_000_123_456;

fn envelopes() -> Envelopes {
    Envelopes::new("/ente/istat/node/rm1/epoch/7", "Europe/Rome").unwrap()
}

fn fact(number: u64, call: Option<&str>, kind: FactKind) -> Fact {
    Fact {
        number,
        at: Wall::from_unix_micros(MARCH),
        call: call.map(str::to_owned),
        callseq: 3,
        body: None,
        kind,
    }
}

fn event(call: Option<&str>, kind: FactKind, clear: bool) -> Value {
    serde_json::to_value(envelopes().wrap(fact(18_442_107, call, kind), clear)).unwrap()
}

#[test]
fn an_arrival_has_the_whole_envelope() {
    let mut event = event(Some("c1"), arrived(), true);
    let id = event["id"].take();
    assert_eq!(
        event,
        json!({
            "specversion": "1.0",
            "id": null,
            "source": "/ente/istat/node/rm1/epoch/7",
            "type": "cti.call.arrived.v1",
            "subject": "call/c1",
            "time": "2026-03-29T03:00:00.123456+02:00",
            "sequence": "00000000000018442107",
            "datacontenttype": "application/json",
            "partitionkey": "c1",
            "callseq": 3,
            "correlationid": "c1",
            "dataclassification": "confidential",
            "dataregulation": "GDPR",
            "data": {
                "from": NUMBER,
                "to": "800123456",
                "service": "supporto",
                "trunk": "operatore",
                "sip_call_id": "a84b4c76e66710",
            },
        })
    );
    assert_eq!(id.as_str().map(str::len), Some(26));
}

#[test]
fn the_offset_is_that_of_the_instant_on_both_sides_of_the_change() {
    let time = |micros| envelopes().time(Wall::from_unix_micros(micros));
    assert_eq!(time(MARCH - 1_000_000), "2026-03-29T01:59:59.123456+01:00");
    assert_eq!(time(MARCH), "2026-03-29T03:00:00.123456+02:00");
    assert_eq!(time(i64::MAX), "1970-01-01T01:00:00.000000+01:00");
    assert!(Envelopes::new("/", "Europe/Roma").is_none());
}

#[test]
fn an_id_hangs_on_the_source_and_the_number_and_sorts_by_time() {
    let id = |source: &str, number, micros| {
        let at = Wall::from_unix_micros(micros);
        let fact = Fact { at, ..fact(number, None, agent("anna", facts::AgentState::Ready)) };
        Envelopes::new(source, "Europe/Rome").unwrap().wrap(fact, true).id
    };
    assert_eq!(id("/a", 1, MARCH), id("/a", 1, MARCH));
    assert_ne!(id("/a", 1, MARCH), id("/a", 2, MARCH));
    assert_ne!(id("/a", 1, MARCH), id("/b", 1, MARCH));
    assert!(id("/a", 9, MARCH) < id("/a", 1, MARCH + 1000));
}

#[test]
fn the_subject_names_the_narrowest_thing() {
    for (call, kind, subject, key) in [
        (Some("c1"), FactKind::LegHeld { leg: 2 }, "call/c1/leg/2", "c1"),
        (Some("c1"), FactKind::CallConnected { a: 1, b: 2 }, "call/c1", "c1"),
        (None, agent("anna", facts::AgentState::Ready), "agent/anna", "agent/anna"),
        (Some("c1"), agent("anna", facts::AgentState::Talking), "agent/anna", "c1"),
        (None, FactKind::TrunkUp { trunk: "t".into() }, "trunk/t", "trunk/t"),
        (None, FactKind::SystemStopping { calls: 0 }, "system", "system"),
    ] {
        let event = event(call, kind, true);
        assert_eq!((&event["subject"], &event["partitionkey"]), (&json!(subject), &json!(key)));
        assert_eq!(event["correlationid"].as_str(), call);
        assert_eq!(event.get("callseq").is_some(), call.is_some());
    }
}

#[test]
fn the_end_of_a_call_has_its_sentences_and_its_durations() {
    let data = event(Some("c1"), ended(), true)["data"].take();
    assert_eq!(data["sentence_it"], "Il chiamante ha riagganciato (lavoro).");
    assert_eq!(data["sentence_en"], "The caller hung up (lavoro).");
    assert_eq!(
        data["durations"],
        json!({"total_ms": 5000, "ivr_ms": 1000, "queue_ms": 1500, "talk_ms": 2500})
    );
    assert_eq!(data["end"]["sip"], 200);
    assert!(data.get("data").is_none());
}

#[test]
fn without_the_scope_no_kind_gives_a_number_or_a_contact_away() {
    for kind in every_kind() {
        let clear = event(Some("c1"), kind.clone(), true);
        let masked = event(Some("c1"), kind, false);
        let text = masked.to_string();
        assert!(!text.contains("1234567") && !text.contains("anna@"), "{text}");
        let hidden = clear != masked;
        assert!(!hidden || masked["dataregulation"] == "GDPR", "{text}");
        assert_eq!(clear["id"], masked["id"]);
    }
    assert_eq!(event(Some("c1"), arrived(), false)["data"]["from"], "+393*******67");
}

#[test]
fn every_kind_is_sampled_here_and_told_on_the_integrators_page() {
    let sampled: BTreeSet<String> = every_kind().iter().map(tag).collect();
    let catalogue: BTreeSet<String> = CATALOGUE
        .lines()
        .filter_map(|line| line.trim().strip_prefix("#[serde(rename = \"")?.strip_suffix("\")]"))
        .map(str::to_owned)
        .collect();
    assert_eq!(sampled, catalogue);
    let rows: Vec<&str> = PAGE.lines().filter(|line| line.starts_with("| `")).collect();
    for kind in every_kind() {
        let tag = tag(&kind);
        let row = rows.iter().find(|row| row.starts_with(&format!("| `{tag}` |")));
        let row = row.unwrap_or_else(|| panic!("docs/cti.md has no row for {tag}"));
        let event = event(Some("c1"), kind, true);
        assert_eq!(event["type"], format!("cti.{tag}.v1"));
        let told: BTreeSet<&str> = row.split('`').skip(3).step_by(2).collect();
        for field in event["data"].as_object().unwrap().keys() {
            assert!(told.contains(field.as_str()), "docs/cti.md does not tell {field} of {tag}");
        }
    }
}

fn tag(kind: &FactKind) -> String {
    serde_json::to_value(kind).unwrap()["type"].as_str().unwrap().to_owned()
}
