use super::memories::{self, Memories};
use base::Wall;
use facts::{
    AgentNow, AgentState, BanNow, CallNow, CallPhase, ChargeNow, EmergencyNow, Fact, FactKind,
    InterpreterNow, InterpreterWish, LegNow, LegRole, MemoryNow, OpenCall, QueueNow, RecordingNow, Snapshot,
    TrunkNow,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// What is going on, by what the facts say. The engine's own state must equal it after every fact.
///
/// `system.started` clears agents and trunks, for devices and trunks say anew that they are there; calls
/// stay until their `call.ended`. A call's phase changes with `ivr.entered`, `queue.entered`,
/// `transfer.started` and `call.connected` only. Facts of calls that are not known are passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotFold {
    snapshot: Snapshot,
    /// When the open calls arrived, in microseconds since the Unix epoch.
    arrived: BTreeMap<String, i64>,
    /// The queues that open calls entered and did not leave, and when, in microseconds.
    waiting: BTreeMap<String, BTreeMap<String, i64>>,
    /// Offers of open calls that nothing ended, by number.
    offers: BTreeMap<String, BTreeMap<u64, String>>,
    /// Since when open calls seek an interpreter, in microseconds.
    #[serde(default)]
    seeking: BTreeMap<String, i64>,
    /// Pauses that nothing ended, whether the device is there or not, over any restart.
    paused: BTreeMap<String, String>,
    /// Calls outside of the last day that were let through, by the number of the fact.
    #[serde(default)]
    charges: BTreeMap<u64, ChargeNow>,
    /// What is remembered of callers.
    #[serde(default)]
    memories: Memories,
}

/// How long a call outside counts for the limits of its rule.
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Calls outside that are remembered.
const CHARGES_MAX: usize = 100_000;

impl SnapshotFold {
    /// The state after the last fact that was applied.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Calls that have not ended, by id.
    pub fn open_calls(&self) -> Vec<OpenCall> {
        let open = self.snapshot.calls.iter().map(|(call, now)| OpenCall {
            call: call.clone(),
            body: now.body.clone(),
            callseq: now.callseq,
            legs: now.legs.keys().copied().collect(),
            arrived: self.arrived.get(call).copied().map(Wall::from_unix_micros),
            waiting: self.waiting_of(call),
            offers: self.offers.get(call).into_iter().flatten().map(|(n, a)| (*n, a.clone())).collect(),
            interpreter: now.interpreter.as_ref().map(|now| (now.language.clone(), self.seeking_since(call))),
            recording: now.recording.as_ref().map(|now| now.recording.clone()),
        });
        open.collect()
    }

    fn waiting_of(&self, call: &str) -> Vec<(String, Wall)> {
        let queues = self.waiting.get(call).into_iter().flatten();
        queues.map(|(queue, since)| (queue.clone(), Wall::from_unix_micros(*since))).collect()
    }

    fn seeking_since(&self, call: &str) -> Wall {
        Wall::from_unix_micros(self.seeking.get(call).copied().unwrap_or_default())
    }

    /// Agents who were paused and have not been ready since: name and reason.
    pub fn paused(&self) -> Vec<(String, String)> {
        self.paused.iter().map(|(agent, reason)| (agent.clone(), reason.clone())).collect()
    }

    /// Calls outside of the last day that were let through, by the number of the fact.
    pub fn charges(&self) -> Vec<(u64, ChargeNow)> {
        self.charges.iter().map(|(allowed, charge)| (*allowed, charge.clone())).collect()
    }

    /// What is remembered of callers: number, script and what it knows.
    pub fn memories(&self) -> Vec<(String, String, MemoryNow)> {
        let each = self.memories.iter().flat_map(|(number, scripts)| {
            scripts.iter().map(move |(script, now)| (number.clone(), script.clone(), now.clone()))
        });
        each.collect()
    }

    fn charged(&mut self, fact: &Fact, (who, rule, millicents): (&str, &str, u64)) {
        while let Some(first) = self.charges.first_entry()
            && (first.get().at + DAY <= fact.at || self.charges.len() >= CHARGES_MAX)
        {
            self.charges.pop_first();
        }
        let (who, rule) = (who.to_owned(), rule.to_owned());
        self.charges.insert(fact.number, ChargeNow { at: fact.at, who, rule, millicents });
    }

    /// Takes the next fact. Numbers must rise.
    pub fn apply(&mut self, fact: &Fact) {
        self.snapshot.as_of = fact.number;
        match &fact.call {
            Some(call) => self.apply_to_call(call, fact),
            None => self.apply_to_desk(fact),
        }
        super::callbacks::apply(&mut self.snapshot.callbacks, fact);
        memories::apply(&mut self.memories, fact);
        // The engine tells an agent's state beside the call that changed it, or alone.
        if let FactKind::AgentState { agent, state, reason, .. } = &fact.kind {
            self.agent_state(agent, *state, reason.as_ref());
        }
    }

    fn apply_to_desk(&mut self, fact: &Fact) {
        match &fact.kind {
            FactKind::SystemStarted { .. } => {
                self.snapshot.agents.clear();
                self.snapshot.trunks.clear();
            }
            FactKind::TrunkUp { trunk } | FactKind::TrunkDegraded { trunk, .. } => self.trunk(trunk, true),
            FactKind::TrunkRegistrationFailed { trunk, .. } | FactKind::TrunkDown { trunk, .. } => {
                self.trunk(trunk, false);
            }
            FactKind::TrunkRemoved { trunk } => {
                self.snapshot.trunks.remove(trunk);
            }
            FactKind::OutboundAllowed { who, rule, millicents, .. } => {
                self.charged(fact, (who, rule, *millicents));
            }
            FactKind::OutboundSettled { allowed, millicents, .. } => {
                if let Some(charge) = self.charges.get_mut(allowed) {
                    charge.millicents = *millicents;
                }
            }
            FactKind::SecurityBanned(ban) => {
                self.snapshot.bans.insert(ban.source.clone(), BanNow::new(fact.at, ban.clone()));
            }
            FactKind::SecurityUnbanned { source, .. } => {
                self.snapshot.bans.remove(source);
            }
            FactKind::EmergencyClosed(closed) => {
                let now = EmergencyNow::new(fact.at, closed.clone(), fact.body.clone());
                self.snapshot.emergencies.insert(closed.scope.clone(), now);
            }
            FactKind::EmergencyOpened { scope, .. } => {
                self.snapshot.emergencies.remove(scope);
            }
            _ => {}
        }
    }

    fn trunk(&mut self, trunk: &str, up: bool) {
        self.snapshot.trunks.insert(trunk.to_owned(), TrunkNow { up });
    }

    fn agent_state(&mut self, agent: &str, state: AgentState, reason: Option<&String>) {
        match (state, reason) {
            // A reason in a call is that of a pause to come: it holds over a restart too.
            (_, Some(reason)) => {
                self.paused.insert(agent.to_owned(), reason.clone());
            }
            (AgentState::LoggedOff, None) => {}
            (_, None) => {
                self.paused.remove(agent);
            }
        }
        self.snapshot.agents.insert(agent.to_owned(), AgentNow { state, reason: reason.cloned() });
    }

    fn apply_to_call(&mut self, id: &str, fact: &Fact) {
        match &fact.kind {
            FactKind::CallArrived { from, to, service, .. } => {
                let call = CallNow { body: fact.body.clone(), ..arriving(from, to, service) };
                self.snapshot.calls.insert(id.to_owned(), call);
                self.arrived.insert(id.to_owned(), fact.at.unix_micros());
            }
            FactKind::CallEnded { .. } => {
                self.snapshot.calls.remove(id);
                self.arrived.remove(id);
                self.waiting.remove(id);
                self.offers.remove(id);
                self.seeking.remove(id);
                self.leave_queues(id);
            }
            FactKind::QueueEntered { queue, .. } => {
                let line = &mut self.snapshot.queues.entry(queue.clone()).or_default().waiting;
                if !line.iter().any(|waiting| waiting == id) {
                    line.push(id.to_owned());
                }
                let since = fact.at.unix_micros();
                self.waiting.entry(id.to_owned()).or_default().insert(queue.clone(), since);
            }
            FactKind::InterpreterWanted(_) => {
                self.seeking.insert(id.to_owned(), fact.at.unix_micros());
            }
            FactKind::OfferMade { offer, agent, .. } => {
                self.offers.entry(id.to_owned()).or_default().insert(*offer, agent.clone());
            }
            FactKind::OfferAccepted { offer, .. } | FactKind::OfferEnded { offer, .. } => {
                if let Some(offers) = self.offers.get_mut(id) {
                    offers.remove(offer);
                }
            }
            FactKind::QueueLeft { queue, .. } => {
                self.leave_queue(id, queue);
                if let Some(waiting) = self.waiting.get_mut(id) {
                    waiting.remove(queue);
                }
            }
            _ => {}
        }
        if let Some(call) = self.snapshot.calls.get_mut(id) {
            call.callseq = fact.callseq;
            apply_phase(call, &fact.kind);
            apply_leg(call, &fact.kind);
            apply_recording(call, &fact.kind);
            apply_interpreter(call, &fact.kind);
        }
    }

    fn leave_queue(&mut self, id: &str, queue: &str) {
        let Some(QueueNow { waiting }) = self.snapshot.queues.get_mut(queue) else { return };
        waiting.retain(|waiting| waiting != id);
        if waiting.is_empty() {
            self.snapshot.queues.remove(queue);
        }
    }

    /// A call that a crash broke never left its queue.
    fn leave_queues(&mut self, id: &str) {
        let queues = &mut self.snapshot.queues;
        queues.values_mut().for_each(|queue| queue.waiting.retain(|waiting| waiting != id));
        queues.retain(|_, queue| !queue.waiting.is_empty());
    }
}

fn arriving(from: &str, to: &str, service: &str) -> CallNow {
    CallNow {
        from: from.to_owned(),
        to: to.to_owned(),
        service: service.to_owned(),
        body: None,
        phase: CallPhase::Arriving,
        classified: BTreeMap::new(),
        callseq: 0,
        legs: BTreeMap::new(),
        recording: None,
        interpreter: None,
    }
}

fn apply_phase(call: &mut CallNow, kind: &FactKind) {
    match kind {
        FactKind::CallClassified { key, value, .. } => {
            call.classified.insert(key.clone(), value.clone());
        }
        FactKind::IvrEntered { node, .. } => call.phase = CallPhase::Ivr { node: node.clone() },
        FactKind::QueueEntered { queue, .. } => call.phase = CallPhase::Queued { queue: queue.clone() },
        FactKind::TransferStarted { to, .. } => call.phase = CallPhase::Transferring { to: to.clone() },
        FactKind::CallConnected { .. } => call.phase = CallPhase::Connected,
        _ => {}
    }
}

fn apply_leg(call: &mut CallNow, kind: &FactKind) {
    match kind {
        FactKind::LegCreated { leg, role, address, .. } => {
            call.legs.insert(*leg, created(*role, address));
        }
        FactKind::LegConnected { leg, csrc, .. } => change(call, *leg, |now| {
            (now.connected, now.csrc) = (true, Some(*csrc));
        }),
        FactKind::LegHeld { leg } => change(call, *leg, |now| now.held = true),
        FactKind::LegResumed { leg } => change(call, *leg, |now| now.held = false),
        FactKind::LegEnded { leg, .. } => {
            call.legs.remove(leg);
        }
        FactKind::ConferenceMuted { leg, muted, .. } => change(call, *leg, |now| now.muted = *muted),
        FactKind::ConferenceJoined { leg, .. } => change(call, *leg, |now| now.guest = true),
        FactKind::ConferenceLeft { leg } => change(call, *leg, |now| (now.guest, now.muted) = (false, false)),
        FactKind::SupervisionStarted { leg, mode, .. }
        | FactKind::SupervisionModeChanged { leg, mode, .. } => {
            change(call, *leg, |now| (now.guest, now.supervision) = (true, Some(*mode)));
        }
        FactKind::SupervisionEnded { leg, .. } => {
            change(call, *leg, |now| (now.guest, now.supervision) = (false, None));
        }
        _ => {}
    }
}

fn apply_recording(call: &mut CallNow, kind: &FactKind) {
    match kind {
        FactKind::RecordingStarted { recording, .. } => {
            call.recording = Some(RecordingNow { recording: recording.clone(), paused: false });
        }
        FactKind::RecordingPaused { .. } | FactKind::RecordingResumed { .. } => {
            if let Some(now) = &mut call.recording {
                now.paused = matches!(kind, FactKind::RecordingPaused { .. });
            }
        }
        FactKind::RecordingStopped { .. } | FactKind::RecordingFailed { .. } => call.recording = None,
        _ => {}
    }
}

fn apply_interpreter(call: &mut CallNow, kind: &FactKind) {
    match kind {
        FactKind::InterpreterWanted(InterpreterWish { language, queue, parted, .. }) => {
            let (language, queue, parted) = (language.clone(), queue.clone(), *parted);
            call.interpreter = Some(InterpreterNow { language, queue, parted });
        }
        FactKind::InterpreterMissed(_) | FactKind::OfferAccepted { role: LegRole::Interpreter, .. } => {
            call.interpreter = None
        }
        _ => {}
    }
}

fn created(role: LegRole, address: &str) -> LegNow {
    LegNow {
        role,
        address: address.to_owned(),
        connected: false,
        held: false,
        guest: false,
        muted: false,
        supervision: None,
        csrc: None,
    }
}

fn change(call: &mut CallNow, leg: u32, change: impl FnOnce(&mut LegNow)) {
    if let Some(now) = call.legs.get_mut(&leg) {
        change(now);
    }
}
