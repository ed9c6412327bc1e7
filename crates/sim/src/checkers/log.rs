//! The log: numbers without gaps, and for every call one beginning, one end, and legs that end once.

use crate::reference::Reference;
use base::Time;
use facts::{Fact, FactKind, LegRole};
use journal::fold::SnapshotFold;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub(crate) struct LogChecker {
    last: u64,
    open: BTreeMap<String, OpenCall>,
    fold: SnapshotFold,
    pub(crate) arrived: u32,
    /// The log takes nothing new: no call may begin.
    pub(crate) full: bool,
    pub(crate) complaints: Vec<String>,
}

#[derive(Default)]
struct OpenCall {
    callseq: u32,
    body: Option<String>,
    /// Agents by leg; others have none.
    legs: BTreeMap<u32, Option<String>>,
    offers: BTreeSet<u64>,
    connected: BTreeSet<u32>,
}

impl LogChecker {
    pub(crate) fn fold(&self) -> &SnapshotFold {
        &self.fold
    }

    pub(crate) fn facts(&self) -> u64 {
        self.last
    }

    /// Takes the next fact, and tells the reference model of it.
    pub(crate) fn apply(&mut self, now: Time, fact: &Fact, reference: &mut Reference) {
        if fact.number != self.last + 1 {
            self.complaints.push(format!("fact {} follows {}", fact.number, self.last));
        }
        self.last = fact.number;
        self.fold.apply(fact);
        reference.apply(now, fact);
        if let Some(id) = &fact.call {
            self.apply_to_call(id, fact, reference);
        }
    }

    fn apply_to_call(&mut self, id: &str, fact: &Fact, reference: &mut Reference) {
        if matches!(fact.kind, FactKind::CallArrived { .. }) {
            self.arrived += 1;
            if self.full {
                self.complaints.push(format!("{id} arrived while the log was full"));
            }
            let call = OpenCall { body: fact.body.clone(), ..OpenCall::default() };
            if self.open.insert(id.to_owned(), call).is_some() {
                self.complaints.push(format!("{id} arrived twice"));
            }
        }
        let Some(call) = self.open.get_mut(id) else {
            return self.complaints.push(format!("{:?} of {id}, which is not going on", fact.kind));
        };
        if fact.callseq != call.callseq + 1 {
            self.complaints.push(format!("{id}: {} follows {}", fact.callseq, call.callseq));
        }
        call.callseq = fact.callseq;
        if fact.body != call.body {
            self.complaints.push(format!("{id} is of {:?}, and a fact of it of {:?}", call.body, fact.body));
        }
        if let Some(wrong) = call.apply(id, &fact.kind, reference) {
            self.complaints.push(format!("{id}: {wrong}"));
        }
        if matches!(fact.kind, FactKind::CallEnded { .. }) {
            self.open.remove(id);
        }
    }
}

impl OpenCall {
    /// What is wrong with the call's next fact, if anything.
    fn apply(&mut self, id: &str, kind: &FactKind, reference: &mut Reference) -> Option<String> {
        match kind {
            FactKind::LegCreated { leg, role, address, .. } => {
                let is_agents = matches!(role, LegRole::Agent | LegRole::Interpreter);
                let agent = is_agents.then(|| address.clone());
                let again = self.legs.insert(*leg, agent).is_some();
                again.then(|| format!("leg {leg} was created twice"))
            }
            FactKind::LegConnected { leg, .. } => {
                let wrong = !self.legs.contains_key(leg) || !self.connected.insert(*leg);
                wrong.then(|| format!("leg {leg} was connected twice or after its end"))
            }
            FactKind::LegCodec { leg, .. }
            | FactKind::LegHeld { leg }
            | FactKind::LegResumed { leg }
            | FactKind::LegRerouted { leg, .. }
            | FactKind::LegRouted { leg, .. }
            | FactKind::LegRinging { leg }
            | FactKind::LegEarlyMedia { leg }
            | FactKind::LegRefreshFailed { leg, .. } => {
                let wrong = !self.legs.contains_key(leg);
                wrong.then(|| format!("{kind:?}, but the leg is over"))
            }
            FactKind::CallConnected { a, b } => {
                let wrong = !self.connected.contains(a) || !self.connected.contains(b);
                wrong.then(|| format!("legs {a} and {b} hear each other, but are not connected"))
            }
            FactKind::LegEnded { leg, .. } => match self.legs.remove(leg) {
                None => Some(format!("leg {leg} ended but was not there")),
                Some(agent) => {
                    if let Some(agent) = agent {
                        reference.leg_ended(id, &agent);
                    }
                    None
                }
            },
            FactKind::OfferMade { offer, .. } => {
                let again = !self.offers.insert(*offer) || self.offers.len() > 1;
                again.then(|| format!("offer {offer} was made beside another"))
            }
            FactKind::OfferAccepted { offer, .. } | FactKind::OfferEnded { offer, .. } => {
                let wrong = !self.offers.remove(offer);
                wrong.then(|| format!("offer {offer} ended, but was not open"))
            }
            FactKind::CallEnded { data, .. } => {
                let parts = data.ivr_ms + data.queue_ms + data.talk_ms;
                if !self.legs.is_empty() {
                    Some(format!("it ended before its legs {:?}", self.legs.keys()))
                } else if parts > data.total_ms + 3 {
                    Some(format!("its parts are longer than it was: {data:?}"))
                } else {
                    (!self.offers.is_empty()).then(|| "it ended with an open offer".to_owned())
                }
            }
            _ => None,
        }
    }
}
