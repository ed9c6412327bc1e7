//! What the folds say of calls whose facts are written down here.

// A helper of a test may panic: that is how the test fails.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use base::Wall;
use facts::{
    AgentState, CallData, CallPhase, Cause, End, Fact, FactKind, LegRole, OfferEnd, QueueLeft, Side, Snapshot,
};
use journal::fold::{Cdr, CdrFold, HEADER, IvrFold, NodeCounts, SnapshotFold, csv_row, why};
use std::collections::BTreeMap;
use std::time::Duration;

/// 2026-03-29T00:59:50Z: ten seconds before summer time begins in Rome.
const SPRING: i64 = 1_774_745_990;

/// A log that is written second by second.
#[derive(Default)]
struct Log {
    facts: Vec<Fact>,
    seconds: i64,
}

impl Log {
    fn at(mut self, seconds: i64) -> Log {
        self.seconds = seconds;
        self
    }

    fn desk(mut self, kind: FactKind) -> Log {
        self.push(None, 0, kind);
        self
    }

    fn call(mut self, kind: FactKind) -> Log {
        self.push(Some("c1".into()), 1, kind);
        self
    }

    /// Facts of another call.
    fn of<const N: usize>(mut self, call: &str, kinds: [FactKind; N]) -> Log {
        kinds.into_iter().for_each(|kind| self.push(Some(call.to_owned()), 1, kind));
        self
    }

    fn push(&mut self, call: Option<String>, step: u32, kind: FactKind) {
        let before = self.facts.iter().filter(|fact| fact.call.is_some()).count() as u32;
        let callseq = (before + 1) * step;
        let at = Wall::from_unix_micros((SPRING + self.seconds) * 1_000_000);
        self.facts.push(Fact { number: self.facts.len() as u64 + 1, at, call, callseq, body: None, kind });
    }

    fn snapshot(&self) -> Snapshot {
        self.fold().snapshot().clone()
    }

    fn fold(&self) -> SnapshotFold {
        let mut fold = SnapshotFold::default();
        self.facts.iter().for_each(|fact| fold.apply(fact));
        fold
    }

    fn cdr(&self) -> Cdr {
        let mut fold = CdrFold::default();
        let mut records: Vec<Cdr> = self.facts.iter().filter_map(|fact| fold.apply(fact)).collect();
        assert_eq!((records.len(), fold.open()), (1, 0), "one call, one record, nothing held");
        records.pop().unwrap()
    }
}

fn arrived(from: &str) -> FactKind {
    FactKind::CallArrived {
        from: from.into(),
        to: "800100".into(),
        service: "piu".into(),
        trunk: "tim".into(),
        sip_call_id: "a@b".into(),
    }
}

fn leg(leg: u32, role: LegRole, address: &str) -> FactKind {
    FactKind::LegCreated { leg, role, address: address.into(), sip_call_id: None }
}

fn connected(leg: u32) -> FactKind {
    FactKind::LegConnected { leg, codec: "PCMA".into(), csrc: leg }
}

fn classified(key: &str, value: &str) -> FactKind {
    FactKind::CallClassified { key: key.into(), value: value.into(), by: "ivr".into() }
}

fn entered(queue: &str) -> FactKind {
    FactKind::QueueEntered {
        queue: queue.into(),
        position: 1,
        language: "it".into(),
        topic: "work".into(),
        priority: 0,
    }
}

fn left(queue: &str, reason: QueueLeft) -> FactKind {
    FactKind::QueueLeft { queue: queue.into(), reason, waited_ms: 9_000 }
}

fn agent(name: &str, state: AgentState, reason: Option<&str>) -> FactKind {
    FactKind::AgentState { agent: name.into(), state, reason: reason.map(Into::into), by: "engine".into() }
}

fn leg_ended(leg: u32, by: Side, cause: Cause) -> FactKind {
    FactKind::LegEnded { leg, end: End::new(by, cause) }
}

fn call_ended(end: End) -> FactKind {
    FactKind::CallEnded { end, data: CallData::default() }
}

fn in_queue() -> Log {
    Log::default()
        .call(arrived("+393331234567"))
        .call(leg(1, LegRole::Caller, "sip:+393331234567@tim"))
        .at(1)
        .call(connected(1))
        .call(FactKind::IvrEntered { script: "piu".into(), node: "language".into(), language: "it".into() })
        .at(11)
        .call(classified("language", "ro"))
        .call(classified("topic", "work"))
        .call(FactKind::IvrLeft { node: "topic".into(), to: "queue".into() })
        .call(entered("help"))
}

fn talking() -> Log {
    in_queue()
        .at(16)
        .call(FactKind::OfferMade {
            offer: 1,
            agent: "anna".into(),
            deadline_ms: 15_000,
            role: LegRole::Agent,
        })
        .call(leg(2, LegRole::Agent, "sip:anna@10.0.0.7"))
        .at(20)
        .call(FactKind::OfferAccepted { offer: 1, agent: "anna".into(), role: LegRole::Agent })
        .call(left("help", QueueLeft::Answered))
        .call(connected(2))
        .call(FactKind::CallConnected { a: 1, b: 2 })
}

fn whole() -> Log {
    talking()
        .at(80)
        .call(leg_ended(1, Side::Caller, Cause::HungUp))
        .call(leg_ended(2, Side::Caller, Cause::OtherSideLeft))
        .at(81)
        .call(call_ended(End::new(Side::Caller, Cause::HungUp).sip(200).q850(Some(16))))
}

#[test]
fn a_call_goes_through_its_phases_and_is_gone_when_it_ended() {
    let phase = |log: Log| log.snapshot().calls["c1"].phase.clone();
    assert_eq!(phase(Log::default().call(arrived("x"))), CallPhase::Arriving);
    assert_eq!(phase(in_queue()), CallPhase::Queued { queue: "help".into() });
    assert_eq!(in_queue().snapshot().queues["help"].waiting, ["c1"]);
    assert_eq!(phase(talking()), CallPhase::Connected);
    assert!(talking().snapshot().queues.is_empty(), "a queue in which nobody waits is not shown");
    let to = FactKind::TransferStarted { to: "+3906".into(), by: None };
    assert_eq!(phase(in_queue().call(to)), CallPhase::Transferring { to: "+3906".into() });
    let end = whole().snapshot();
    assert_eq!(end, Snapshot { as_of: whole().facts.len() as u64, ..Snapshot::default() });
}

#[test]
fn a_call_shows_what_is_known_of_it_and_its_open_legs() {
    let log = talking().call(FactKind::LegHeld { leg: 2 }).call(classified("topic", "health"));
    let now = log.snapshot().calls["c1"].clone();
    assert_eq!(now.classified["topic"], "health");
    assert_eq!(now.callseq, log.facts.last().unwrap().callseq);
    assert_eq!((now.legs[&1].held, now.legs[&2].held, now.legs[&2].connected), (false, true, true));
    let now =
        log.call(FactKind::LegResumed { leg: 2 }).call(leg_ended(1, Side::Caller, Cause::HungUp)).snapshot();
    assert_eq!(now.calls["c1"].legs.keys().copied().collect::<Vec<_>>(), [2]);
    assert!(!now.calls["c1"].legs[&2].held);
}

#[test]
fn an_overflow_alone_moves_nobody_for_the_call_leaves_and_enters() {
    let log = in_queue().call(FactKind::QueueOverflowed { queue: "help".into(), waited_ms: 9_000 });
    assert_eq!(log.snapshot().queues["help"].waiting, ["c1"]);
    let log = log.call(left("help", QueueLeft::Timeout)).call(entered("all"));
    assert_eq!(log.snapshot().queues.keys().collect::<Vec<_>>(), ["all"]);
}

#[test]
fn a_start_clears_agents_and_trunks_but_not_calls_and_pauses() {
    let log = in_queue()
        .desk(FactKind::TrunkUp { trunk: "tim".into() })
        .desk(agent("anna", AgentState::Paused, Some("lunch")))
        .desk(agent("bruno", AgentState::Ready, None));
    assert!(log.snapshot().trunks["tim"].up);
    assert_eq!(log.snapshot().agents["anna"].reason.as_deref(), Some("lunch"));
    let log = log.desk(FactKind::SystemStarted { version: "1".into(), previous_head: Some(9) });
    let now = log.snapshot();
    assert!(now.agents.is_empty() && now.trunks.is_empty());
    assert_eq!(now.calls.len(), 1);
    assert_eq!(log.fold().paused(), [("anna".to_owned(), "lunch".to_owned())]);
    let log = log.desk(agent("anna", AgentState::LoggedOff, None));
    assert_eq!(log.fold().paused().len(), 1, "who goes home paused comes back paused");
    assert_eq!(log.desk(agent("anna", AgentState::Ready, None)).fold().paused(), []);
}

#[test]
fn a_call_that_a_crash_broke_is_found_open_and_its_end_takes_it_out_of_the_queue() {
    let open = in_queue().fold().open_calls();
    assert_eq!((open.len(), open[0].call.as_str(), open[0].legs.as_slice()), (1, "c1", &[1][..]));
    assert_eq!(open[0].arrived, Some(Wall::from_unix_micros(SPRING * 1_000_000)));
    let log = in_queue().call(call_ended(End::new(Side::Engine, Cause::EngineRestarted)));
    assert!(log.snapshot().queues.is_empty());
    assert_eq!(log.fold().open_calls(), []);
}

#[test]
fn a_fold_that_was_stored_goes_on_as_if_it_had_not_been() {
    let log = whole();
    for cut in 0..log.facts.len() {
        let mut fold = SnapshotFold::default();
        log.facts[..cut].iter().for_each(|fact| fold.apply(fact));
        let stored = serde_json::to_vec(&fold).unwrap();
        let mut fold: SnapshotFold = serde_json::from_slice(&stored).unwrap();
        log.facts[cut..].iter().for_each(|fact| fold.apply(fact));
        assert_eq!(fold, log.fold(), "cut at {cut}");
    }
}

#[test]
fn calls_outside_count_for_a_day_for_what_they_cost_and_then_no_more() {
    let allowed = |who: &str| FactKind::OutboundAllowed {
        who: who.into(),
        to: "+390612345678".into(),
        rule: "italy".into(),
        millicents: 20_000,
    };
    let settled = FactKind::OutboundSettled {
        allowed: 1,
        who: "anna".into(),
        rule: "italy".into(),
        seconds: 61,
        millicents: 2_034,
    };
    let day = 24 * 3600;
    let log = Log::default().at(0).desk(allowed("anna")).at(10).desk(allowed("bruno")).at(61).desk(settled);
    let costs = |log: &Log| -> Vec<(u64, String, u64)> {
        let charges = log.fold().charges().into_iter();
        charges.map(|(number, charge)| (number, charge.who, charge.millicents)).collect()
    };
    assert_eq!(costs(&log), [(1, "anna".to_owned(), 2_034), (2, "bruno".to_owned(), 20_000)]);
    let stored: SnapshotFold = serde_json::from_str(&serde_json::to_string(&log.fold()).unwrap()).unwrap();
    assert_eq!(stored.charges(), log.fold().charges());
    let log = log.at(day + 5).desk(allowed("carla"));
    assert_eq!(costs(&log), [(2, "bruno".to_owned(), 20_000), (4, "carla".to_owned(), 20_000)]);
}

#[test]
fn the_record_of_a_whole_call_has_every_part_of_its_time() {
    let cdr = whole().cdr();
    let seconds = Duration::from_secs;
    assert_eq!((cdr.total, cdr.ivr, cdr.queued), (seconds(81), seconds(10), seconds(9)));
    assert_eq!((cdr.talk, cdr.other), (seconds(60), seconds(2)));
    assert_eq!((cdr.language.as_str(), cdr.topic.as_str(), cdr.queue.as_str()), ("ro", "work", "help"));
    assert_eq!(cdr.answered, Some(Wall::from_unix_micros((SPRING + 1) * 1_000_000)));
    assert_eq!(cdr.legs.len(), 2);
    assert_eq!((cdr.legs[1].party.as_str(), cdr.legs[1].talk), ("anna", seconds(60)));
    assert_eq!(cdr.legs[1].end.cause, Cause::OtherSideLeft);
}

#[test]
fn a_call_that_changes_agents_counts_each_talk_once() {
    let cdr = talking()
        .at(50)
        .call(FactKind::OfferAccepted { offer: 2, agent: "bruno".into(), role: LegRole::Agent })
        .call(leg(3, LegRole::Agent, "sip:bruno@10.0.0.8"))
        .call(connected(3))
        .call(FactKind::CallConnected { a: 1, b: 3 })
        .call(leg_ended(2, Side::Callee, Cause::HungUp))
        .at(65)
        .call(call_ended(End::new(Side::Caller, Cause::HungUp)))
        .cdr();
    let talks: Vec<u64> = cdr.legs.iter().map(|leg| leg.talk.as_secs()).collect();
    assert_eq!(talks, [45, 30, 15]);
    assert_eq!(cdr.talk, Duration::from_secs(45));
    assert_eq!(cdr.legs[2].party, "bruno");
    assert_eq!(cdr.legs[2].end, cdr.end, "a leg that the log does not end ends with the call");
}

#[test]
fn a_clock_that_is_set_back_takes_no_time_away() {
    let cdr = in_queue().at(-3600).call(left("help", QueueLeft::Abandoned)).at(-3590);
    let cdr = cdr.call(call_ended(End::new(Side::Caller, Cause::Cancelled))).cdr();
    assert_eq!((cdr.queued, cdr.other), (Duration::ZERO, Duration::from_secs(11)));
}

#[test]
fn a_measurement_after_the_end_leaves_nothing_open() {
    let late = FactKind::LegQuality {
        leg: 1,
        received: 1,
        sent: 1,
        lost: 0,
        rejected: 0,
        jitter_us: 0,
        round_trip_us: None,
        mos: None,
        remote_mos: None,
        remote_lost: None,
        heard: None,
    };
    whole().call(late).cdr();
}

#[test]
fn a_csv_line_has_the_columns_of_the_header_and_the_time_of_rome() {
    let row = csv_row(&whole().cdr());
    assert_eq!(
        row,
        "c1,2026-03-29T01:59:50.000+01:00,2026-03-29T01:59:51.000+01:00,2026-03-29T03:01:11.000+02:00,\
         +393331234567,800100,piu,tim,ro,work,help,9000,anna:60000,caller,hung_up,200,16,81000,10000,60000,2000,,,a@b,,,,false,,"
    );
    assert_eq!(row.split(',').count(), HEADER.split(',').count());
}

#[test]
fn a_record_names_the_recordings_of_its_call() {
    let started = |number: u32| FactKind::RecordingStarted {
        recording: format!("c1-{number}"),
        of: "call".into(),
        basis: "verbale".into(),
        by: "crm".into(),
        language: "it".into(),
    };
    let failed = FactKind::RecordingFailed {
        recording: "c1-1".into(),
        why: "the disk is full".into(),
        length_ms: 4000,
        lost_ms: 0,
    };
    let end = || call_ended(End::new(Side::Caller, Cause::HungUp));
    let log = || Log::default().call(arrived("101")).call(started(1)).call(failed.clone()).call(started(2));
    let row = csv_row(&log().call(end()).cdr());
    assert!(row.ends_with(",c1-1;c1-2"), "{row}");
}

#[test]
fn hostile_texts_are_quoted_and_run_in_no_spreadsheet() {
    let cases = [
        ("plain", "plain"),
        ("+39021234", "+39021234"),
        ("Rossi, Mario", "\"Rossi, Mario\""),
        ("a \"b\"", "\"a \"\"b\"\"\""),
        ("two\r\nlines", "\"two\r\nlines\""),
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+39+cmd", "'+39+cmd"),
        ("-1+1", "'-1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
    ];
    for (from, cell) in cases {
        let end = End::new(Side::Caller, Cause::HungUp);
        let row = csv_row(&Log::default().call(arrived(from)).call(call_ended(end)).cdr());
        assert!(row.contains(&format!(",{cell},800100,")), "{from:?}: {row}");
    }
}

#[test]
fn an_end_is_explained_in_both_languages_with_codes_evidence_and_what_to_do() {
    let end = End::new(Side::Network, Cause::NotAcknowledged)
        .sip(200)
        .q850(Some(102))
        .place("language")
        .detail("Contact sent 10.0.0.1:5060, peer's source 203.0.113.9:5060");
    let explained = why(&in_queue().at(43).call(call_ended(end)).facts).unwrap();
    for part in [
        "+393331234567 a 800100",
        "0 min 43 s",
        "L'ha conclusa la rete",
        "mai stata confermata",
        "language",
        "SIP 200, Q.850 102",
        "203.0.113.9",
        "public_address",
    ] {
        assert!(explained.it.contains(part), "{part}: {}", explained.it);
    }
    for part in [
        "It was ended by the network",
        "never acknowledged",
        "Codes: SIP 200, Q.850 102",
        "What to do: check NAT",
    ] {
        assert!(explained.en.contains(part), "{part}: {}", explained.en);
    }
}

#[test]
fn the_steps_tell_what_led_to_the_end() {
    let refused =
        FactKind::OfferEnded { offer: 1, agent: "anna".into(), reason: OfferEnd::Rejected, sip: Some(486) };
    let log = in_queue()
        .at(16)
        .call(FactKind::OfferMade { offer: 1, agent: "anna".into(), deadline_ms: 1, role: LegRole::Agent })
        .call(refused);
    let explained = why(&log.facts).unwrap();
    let steps: Vec<&str> = explained.steps.iter().map(|step| step.en.as_str()).collect();
    assert_eq!(
        steps,
        [
            "came by tim for piu",
            "menu: language",
            "in queue help, place 1",
            "rings at anna",
            "anna does not take it (rejected, SIP 486)",
        ]
    );
    assert!(explained.it.ends_with("Non è ancora terminata."));
    assert!(why(&[]).is_none());
}

#[test]
fn the_steps_tell_what_the_network_said_and_what_had_to_be_transcoded() {
    let heard = FactKind::LegProgressHeard { leg: 2, tone: "congestion".into() };
    let (codec_a, codec_b) = ("PCMA".to_owned(), "G722".to_owned());
    let log = in_queue().call(heard).call(FactKind::CallTranscoded { a: 1, b: 2, codec_a, codec_b });
    let explained = why(&log.facts).unwrap();
    let last: Vec<(&str, &str)> =
        explained.steps.iter().skip(3).map(|step| (step.it.as_str(), step.en.as_str())).collect();
    assert_eq!(
        last,
        [
            ("parte 2: dalla rete viene il tono di congestione", "leg 2: the network's tone says congestion"),
            ("il suono si converte fra PCMA e G722", "their sound is transcoded between PCMA and G722"),
        ]
    );
}

fn origin(operator: &str, kind: &str, withheld: bool) -> FactKind {
    FactKind::CallOrigin {
        source: "pai".into(),
        withheld,
        kind: kind.into(),
        country: "IT".into(),
        operator: operator.into(),
        place: String::new(),
        certainty: if operator == "Lycamobile" { "assumed" } else { "assigned" }.into(),
    }
}

fn silent(leg: u32) -> FactKind {
    let evidence = facts::SilenceEvidence {
        expected: "192.0.2.1:4000".into(),
        last_source: None,
        silent_ms: 5000,
        received: 0,
        rejected: 0,
        rtcp_alive: false,
    };
    FactKind::MediaSilent { leg, evidence }
}

/// The fold of calls, each the facts between its arrival and its end.
fn reachability(calls: Vec<Vec<FactKind>>) -> journal::fold::ReachabilityFold {
    let mut fold = journal::fold::ReachabilityFold::expecting(["Lycamobile".to_owned(), "Iliad".to_owned()]);
    let mut number = 0;
    for (call, kinds) in (0..).zip(calls) {
        for (callseq, kind) in (1..).zip(kinds) {
            number += 1;
            let at = Wall::from_unix_micros((SPRING + number as i64 * 3600) * 1_000_000);
            fold.apply(&Fact { number, at, call: Some(format!("c{call}")), callseq, body: None, kind });
        }
    }
    fold
}

#[test]
fn reachability_tells_for_each_operator_who_reached_whom_and_who_was_heard() {
    let caller = || leg(1, LegRole::Caller, "x");
    let connected = || FactKind::LegConnected { leg: 1, codec: "PCMA".into(), csrc: 1 };
    let person = || FactKind::CallConnected { a: 1, b: 2 };
    let fold = reachability(vec![
        vec![
            arrived("a"),
            origin("TIM", "mobile", false),
            caller(),
            connected(),
            person(),
            call_ended(End::new(Side::Engine, Cause::HungUp)),
        ],
        vec![
            arrived("b"),
            origin("TIM", "mobile", true),
            caller(),
            connected(),
            silent(1),
            call_ended(End::new(Side::Engine, Cause::HungUp)),
        ],
        vec![
            arrived("c"),
            origin("TIM", "mobile", false),
            caller(),
            connected(),
            silent(1),
            FactKind::MediaRestored { leg: 1, after_ms: 9 },
            call_ended(End::new(Side::Engine, Cause::HungUp)),
        ],
        vec![
            arrived("d"),
            origin("Lycamobile", "mobile", false),
            call_ended(End::new(Side::Engine, Cause::NotFound)),
        ],
        vec![
            arrived("e"),
            origin("", "fixed", false),
            caller(),
            call_ended(End::new(Side::Engine, Cause::Cancelled)),
        ],
        vec![arrived("f"), origin("", "anonymous", true), caller()],
    ]);
    let told: Vec<_> = fold
        .origins()
        .iter()
        .map(|(name, reach)| {
            let refused: u64 = reach.refused.values().sum();
            (
                name.as_str(),
                reach.arrived,
                reach.withheld,
                reach.answered,
                refused,
                reach.reached_person,
                reach.heard,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("Iliad", 0, 0, 0, 0, 0, 0),
            ("Lycamobile", 1, 0, 0, 1, 0, 0),
            ("TIM", 3, 1, 3, 0, 1, 2),
            ("fixed lines", 1, 0, 0, 0, 0, 0),
            ("withheld", 1, 1, 0, 0, 0, 0),
        ]
    );
    let rows = fold.csv_rows();
    assert_eq!(rows[0], "Iliad,0,0,0,0,0,,0,0,,,", "an operator from which nothing comes is told too");
    assert!(rows[1].starts_with("Lycamobile,1,0,1,0,1,not_found:1,0,0,2026-"), "{}", rows[1]);
    assert!(rows[2].ends_with(",15"), "fifteen hours are quiet after it: {}", rows[2]);
    assert_eq!(fold.json_rows()[1]["refused_why"]["not_found"], 1);
    assert_eq!(rows[0].split(',').count(), journal::fold::REACHABILITY_HEADER.split(',').count());
}

fn in_node(node: &str) -> FactKind {
    FactKind::IvrEntered { script: "helpdesk".into(), node: node.into(), language: "it".into() }
}

fn given_to(to: &str) -> FactKind {
    FactKind::IvrLeft { node: "any".into(), to: to.into() }
}

fn over(by: Side) -> FactKind {
    FactKind::CallEnded { end: End::new(by, Cause::HungUp), data: CallData::default() }
}

#[test]
fn callers_are_counted_where_they_are_and_where_they_leave() {
    let log = Log::default()
        .at(0)
        .of("a", [in_node("greeting"), in_node("topic"), in_node("wait"), given_to("queue")])
        .of("b", [in_node("greeting"), over(Side::Caller)])
        .of("c", [in_node("greeting"), in_node("closed"), given_to("hang_up"), over(Side::Service)])
        .of("d", [in_node("wait"), given_to("queue"), over(Side::Caller)])
        .of(
            "e",
            [in_node("wait"), given_to("queue"), FactKind::CallConnected { a: 1, b: 2 }, over(Side::Callee)],
        );
    let mut fold = IvrFold::new(jiff::tz::TimeZone::UTC);
    log.facts.iter().for_each(|fact| fold.apply(fact));
    let now = Wall::from_unix_micros(SPRING * 1_000_000);
    let told = |counts: BTreeMap<String, NodeCounts>| -> Vec<String> {
        let line = |(node, counts): (String, NodeCounts)| {
            let left: Vec<String> = counts.left.iter().map(|(how, n)| format!("{how}={n}")).collect();
            format!("{node} {} {} {}", counts.here, counts.entered, left.join(" ")).trim().to_owned()
        };
        counts.into_iter().map(line).collect()
    };
    assert_eq!(
        told(fold.counts("helpdesk", now)),
        ["closed 0 1 hang_up=1", "greeting 0 3 hung_up=1", "topic 0 1", "wait 1 3 hung_up=1 queue=3"]
    );
    assert_eq!(fold.counts("statistics", now), BTreeMap::new());
    let tomorrow = now + Duration::from_secs(24 * 3600);
    assert_eq!(
        told(fold.counts("helpdesk", tomorrow)),
        ["wait 1 0"],
        "who waits over midnight is still there"
    );
}
