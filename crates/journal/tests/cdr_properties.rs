//! Random call histories: however wild, no time is lost or counted twice, and each leg ends once.

// A helper of a test may panic: that is how the test fails.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use base::Wall;
use facts::{CallData, Cause, End, Fact, FactKind, LegRole, QueueLeft, Side};
use journal::fold::{Cdr, CdrFold, SnapshotFold};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What one call may do next, by the number of one of its legs.
#[derive(Clone, Copy, Debug)]
enum Step {
    Ivr,
    Enqueue,
    LeaveQueue,
    NewLeg(bool),
    Answer(u32),
    Accept,
    Connect(u32),
    EndLeg(u32),
    EndCall,
}

fn step() -> impl Strategy<Value = (usize, u64, Step)> {
    let step = prop_oneof![
        Just(Step::Ivr),
        Just(Step::Enqueue),
        Just(Step::LeaveQueue),
        any::<bool>().prop_map(Step::NewLeg),
        (1u32..5).prop_map(Step::Answer),
        Just(Step::Accept),
        (2u32..5).prop_map(Step::Connect),
        (1u32..5).prop_map(Step::EndLeg),
        Just(Step::EndCall),
    ];
    (0usize..3, 0u64..5_000_000, step)
}

/// Turns steps into facts, leaving out what no engine would tell, and counts for itself.
#[derive(Default)]
struct Town {
    facts: Vec<Fact>,
    now: i64,
    calls: BTreeMap<String, Model>,
    done: Vec<(String, Model)>,
    born: usize,
    slots: [Option<String>; 3],
}

#[derive(Clone, Debug, Default)]
struct Model {
    callseq: u32,
    legs: BTreeMap<u32, bool>,
    queue: bool,
    bridge: Option<u32>,
    talk: BTreeMap<u32, i64>,
    began: i64,
    ended: i64,
}

impl Town {
    fn tell(&mut self, call: &str, kind: FactKind) {
        let model = self.calls.get_mut(call).expect("an open call");
        model.callseq += 1;
        let (number, callseq) = (self.facts.len() as u64 + 1, model.callseq);
        let at = Wall::from_unix_micros(self.now);
        self.facts.push(Fact { number, at, call: Some(call.into()), callseq, body: None, kind });
    }

    fn pass(&mut self, micros: u64) {
        self.now += micros as i64;
        for model in self.calls.values_mut() {
            if let Some(other) = model.bridge {
                for leg in [1, other] {
                    *model.talk.entry(leg).or_default() += micros as i64;
                }
            }
        }
    }

    fn call(&mut self, slot: usize) -> String {
        if let Some(call) = &self.slots[slot] {
            return call.clone();
        }
        self.born += 1;
        let call = format!("c{}", self.born);
        self.slots[slot] = Some(call.clone());
        let model = Model { began: self.now, legs: BTreeMap::from([(1, true)]), ..Model::default() };
        self.calls.insert(call.clone(), model);
        let text = String::new;
        self.tell(
            &call,
            FactKind::CallArrived {
                from: text(),
                to: text(),
                service: text(),
                trunk: text(),
                sip_call_id: text(),
            },
        );
        self.tell(
            &call,
            FactKind::LegCreated {
                leg: 1,
                role: LegRole::Caller,
                address: "caller".into(),
                sip_call_id: None,
            },
        );
        call
    }

    fn run(&mut self, slot: usize, micros: u64, step: Step) {
        self.pass(micros);
        let call = self.call(slot);
        let model = self.calls[&call].clone();
        let open = |leg: u32| model.legs.get(&leg).copied().unwrap_or(false);
        let text = String::new;
        match step {
            Step::Ivr if model.bridge.is_none() && !model.queue => {
                self.tell(&call, FactKind::IvrEntered { script: text(), node: "n".into(), language: text() });
            }
            Step::Enqueue if model.bridge.is_none() && !model.queue => {
                self.calls.get_mut(&call).unwrap().queue = true;
                self.tell(
                    &call,
                    FactKind::QueueEntered {
                        queue: "q".into(),
                        position: 1,
                        language: text(),
                        topic: text(),
                        priority: 0,
                    },
                );
            }
            Step::LeaveQueue if model.queue => self.leave_queue(&call),
            Step::NewLeg(agent) => {
                let leg = model.legs.len() as u32 + 1;
                self.calls.get_mut(&call).unwrap().legs.insert(leg, true);
                let role = if agent { LegRole::Agent } else { LegRole::External };
                self.tell(
                    &call,
                    FactKind::LegCreated { leg, role, address: format!("party{leg}"), sip_call_id: None },
                );
            }
            Step::Answer(leg) if open(leg) => {
                self.tell(&call, FactKind::LegConnected { leg, codec: "PCMA".into(), csrc: leg })
            }
            Step::Accept => self.tell(
                &call,
                FactKind::OfferAccepted { offer: 1, agent: "anna".into(), role: LegRole::Agent },
            ),
            Step::Connect(leg) if open(leg) && open(1) => {
                if model.queue {
                    self.leave_queue(&call);
                }
                self.calls.get_mut(&call).unwrap().bridge = Some(leg);
                self.tell(&call, FactKind::CallConnected { a: 1, b: leg });
            }
            Step::EndLeg(leg) if open(leg) => {
                let open = self.calls.get_mut(&call).unwrap();
                open.legs.insert(leg, false);
                open.bridge = open.bridge.filter(|other| leg != 1 && *other != leg);
                self.tell(
                    &call,
                    FactKind::LegEnded {
                        leg,
                        end: End::new(Side::Callee, Cause::HungUp).detail(leg.to_string()),
                    },
                );
            }
            Step::EndCall => self.end(slot),
            _ => {}
        }
    }

    fn leave_queue(&mut self, call: &str) {
        self.calls.get_mut(call).unwrap().queue = false;
        self.tell(call, FactKind::QueueLeft { queue: "q".into(), reason: QueueLeft::Ended, waited_ms: 0 });
    }

    fn end(&mut self, slot: usize) {
        let Some(call) = self.slots[slot].take() else { return };
        let end = End::new(Side::Caller, Cause::HungUp).detail("call");
        self.tell(&call, FactKind::CallEnded { end, data: CallData::default() });
        let mut model = self.calls.remove(&call).unwrap();
        model.ended = self.now;
        self.done.push((call, model));
    }
}

fn check(cdr: &Cdr, model: &Model) {
    let span = |micros: i64| Duration::from_micros(micros as u64);
    assert_eq!(cdr.total, span(model.ended - model.began));
    assert_eq!(cdr.total, cdr.ivr + cdr.queued + cdr.talk + cdr.other, "every moment counts once");
    let numbers: Vec<u32> = cdr.legs.iter().map(|leg| leg.leg).collect();
    assert_eq!(numbers, model.legs.keys().copied().collect::<Vec<_>>(), "each leg is there once");
    for leg in &cdr.legs {
        assert_eq!(leg.talk, span(model.talk.get(&leg.leg).copied().unwrap_or(0)), "leg {}", leg.leg);
        let ended_by = if model.legs[&leg.leg] { "call".to_owned() } else { leg.leg.to_string() };
        assert_eq!(leg.end.detail, ended_by);
    }
    let others: Duration = cdr.legs.iter().filter(|leg| leg.leg != 1).map(|leg| leg.talk).sum();
    assert_eq!((cdr.legs[0].talk, others), (cdr.talk, cdr.talk), "the caller talks to one at a time");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn talk_is_conserved_and_each_leg_ends_once(steps in prop::collection::vec(step(), 1..150)) {
        let mut town = Town::default();
        for (slot, micros, step) in steps {
            town.run(slot, micros, step);
        }
        (0..3).for_each(|slot| town.end(slot));
        let mut fold = CdrFold::default();
        let mut records: BTreeMap<String, Cdr> = BTreeMap::new();
        let mut now = SnapshotFold::default();
        for fact in &town.facts {
            now.apply(fact);
            if let Some(cdr) = fold.apply(fact) {
                prop_assert!(records.insert(cdr.call.clone(), cdr).is_none(), "one record a call");
            }
        }
        prop_assert_eq!(fold.open(), 0);
        prop_assert!(now.snapshot().calls.is_empty() && now.snapshot().queues.is_empty(), "drained to nothing");
        let ended: BTreeSet<&String> = town.done.iter().map(|(call, _)| call).collect();
        prop_assert_eq!(records.keys().collect::<BTreeSet<_>>(), ended);
        for (call, model) in &town.done {
            check(&records[call], model);
        }
    }
}
