//! Who is kept out: as facts, over a restart, and when a person asks for it.

use crate::support::stage::*;
use engine::{CommandRefused, Input, Past};
use facts::Command as Ask;
use facts::{FactKind, Snapshot};
use journal::fold::SnapshotFold;
use std::net::SocketAddr;
use std::time::Duration;

fn stranger() -> SocketAddr {
    SocketAddr::from(([203, 0, 113, 9], 5060))
}

fn options(from: SocketAddr, agent: &str) -> String {
    format!(
        "OPTIONS sip:100@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bKo\r\nFrom: <sip:a@b>;tag=1\r\n\
         To: <sip:100@10.0.0.1>\r\nCall-ID: o\r\nCSeq: 1 OPTIONS\r\nUser-Agent: {agent}\r\nContent-Length: 0\r\n\r\n"
    )
}

fn folded(stage: &Stage) -> Snapshot {
    let mut fold = SnapshotFold::default();
    stage.facts.iter().for_each(|fact| fold.apply(fact));
    fold.snapshot().clone()
}

fn banned(stage: &Stage) -> Vec<String> {
    assert_eq!(folded(stage).bans, stage.engine.snapshot().bans);
    stage.engine.snapshot().bans.into_keys().collect()
}

#[test]
fn a_scanner_is_a_fact_until_its_time_is_over() {
    let mut stage = Stage::new();
    stage.send(stranger(), &options(stranger(), "friendly-scanner"));
    let ban = stage.fact(|kind| match kind {
        FactKind::SecurityBanned(ban) => Some(ban.clone()),
        _ => None,
    });
    assert_eq!((ban.source.as_str(), ban.rule.as_str(), ban.seconds), ("203.0.113.9/32", "scanner", 600));
    assert_eq!(
        ban.sentence_en(),
        "It used a tool that looks for exchanges to break into (friendly-scanner)."
    );
    assert_eq!(banned(&stage), ["203.0.113.9/32"]);
    stage.wait(Duration::from_secs(601));
    assert_eq!(banned(&stage), Vec::<String>::new());
    let expired =
        |kind: &FactKind| matches!(kind, FactKind::SecurityUnbanned { why, .. } if why == "expired");
    assert_eq!(stage.count(expired), 1);
}

#[test]
fn a_restart_goes_on_with_the_bans_whose_time_is_not_over() {
    let mut stage = Stage::new();
    stage.send(stranger(), &options(stranger(), "sipcli"));
    let other = "198.51.100.0/24".parse().unwrap();
    let ask = Ask::Ban { source: other, length: Duration::from_secs(3600), reason: "fraud".into() };
    stage.input(Input::Command { id: 1, by: "crm".to_owned(), command: ask });
    assert_eq!(banned(&stage).len(), 2);
    let mut bans: Vec<_> = stage.engine.snapshot().bans.into_values().collect();
    // The process was down for so long that the shorter one is over.
    bans.iter_mut().for_each(|ban| ban.since -= 601_000_000);
    let mut stage = Stage::with(config(), Past { bans, ..Past::default() });
    assert_eq!(stage.engine.snapshot().bans.into_keys().collect::<Vec<_>>(), ["198.51.100.0/24"]);
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::SecurityUnbanned { .. })), 1);
    let before = stage.facts.len();
    let kept_out = SocketAddr::from(([198, 51, 100, 7], 5060));
    stage.send(kept_out, &options(kept_out, "friendly-scanner"));
    assert!(stage.facts[before..].iter().all(|fact| !matches!(fact.kind, FactKind::SecurityBanned(_))));
    stage.wait(Duration::from_secs(3600));
    assert!(stage.engine.snapshot().bans.is_empty());
}

#[test]
fn a_person_keeps_out_who_is_known_and_lets_them_in() {
    let mut stage = Stage::new();
    let (phone, source) = (address(20), "10.0.0.20/32".parse().unwrap());
    let ask =
        |stage: &mut Stage, id, command| stage.input(Input::Command { id, by: "crm".to_owned(), command });
    ask(&mut stage, 1, Ask::LiftBan { source });
    assert_eq!(stage.replies, [(1, Err(CommandRefused::NotFound))]);
    ask(&mut stage, 2, Ask::Ban { source, length: Duration::from_secs(60), reason: "test".into() });
    let by = stage.fact(|kind| match kind {
        FactKind::SecurityBanned(ban) => Some(ban.by.clone()),
        _ => None,
    });
    assert_eq!(by, "crm", "whoever asked is written down");
    stage.send(phone, &options(phone, "phone"));
    assert_eq!(
        stage.count(|kind| matches!(kind, FactKind::SecurityBlocked { rule, .. } if rule == "banned")),
        1
    );
    ask(&mut stage, 3, Ask::LiftBan { source });
    let lifted = stage.facts.last().unwrap();
    assert!(
        matches!(&lifted.kind, FactKind::SecurityUnbanned { why, by, .. } if why == "lifted" && by == "crm")
    );
    assert_eq!(stage.replies.last(), Some(&(3, Ok(lifted.number))));
    stage.send(phone, &options(phone, "phone"));
    stage.expect(phone, "SIP/2.0 200");
    assert_eq!(banned(&stage), Vec::<String>::new());
}
