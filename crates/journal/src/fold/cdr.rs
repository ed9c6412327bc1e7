use base::Wall;
use facts::{CallbackOffer, End, Fact, FactKind, LegRole};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// One record of one call, complete when the call has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cdr {
    /// The call's id.
    pub call: String,
    /// When it arrived; `None` if the log no longer goes back so far.
    pub arrived: Option<Wall>,
    /// When the caller's leg was answered.
    pub answered: Option<Wall>,
    /// When it ended.
    pub ended: Wall,
    /// The caller.
    pub from: String,
    /// What was dialled.
    pub to: String,
    /// The service that answered for it.
    pub service: String,
    /// The trunk, or the peer, that it came by.
    pub trunk: String,
    /// The SIP Call-ID of the caller's leg.
    pub sip_call_id: String,
    /// Where the caller is from.
    pub origin: Origin,
    /// By whom the call was sent here, the first one first.
    pub diverted_by: Vec<String>,
    /// Its language at the end.
    pub language: String,
    /// Its topic at the end.
    pub topic: String,
    /// The last queue in which it waited; empty if in none.
    pub queue: String,
    /// The ids of its recordings, the first one first, whether or not all could be written.
    pub recordings: Vec<String>,
    /// Every leg, by number.
    pub legs: Vec<LegRecord>,
    /// Who, where and why.
    pub end: End,
    /// From arrival to end: the sum of the four below.
    pub total: Duration,
    /// In scripts.
    pub ivr: Duration,
    /// In queues.
    pub queued: Duration,
    /// The caller and another party hear each other.
    pub talk: Duration,
    /// Being decided, rung, transferred, taken down.
    pub other: Duration,
}

/// Where a caller is from, as far as their number tells; what is not known is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// ISO 3166.
    pub country: String,
    /// To which the number was assigned or ported.
    pub operator: String,
    /// `mobile`, `fixed` …
    pub kind: String,
    /// The caller did not want to be known.
    pub withheld: bool,
}

/// One party's connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegRecord {
    /// From 1.
    pub leg: u32,
    /// Whose.
    pub role: LegRole,
    /// The agent's name, else the address.
    pub party: String,
    /// When it was begun.
    pub created: Wall,
    /// When it was answered.
    pub connected: Option<Wall>,
    /// When it ended.
    pub ended: Wall,
    /// Who, where and why. Of a leg that the log does not end, the call's end.
    pub end: End,
    /// How long it and another leg heard each other; of who listened in, how long it heard them.
    pub talk: Duration,
}

/// Makes call records from facts. Holds the calls that have not ended.
///
/// Every moment of a call counts to exactly one of its parts, and talk counts to both legs that hear each
/// other and to the call. Durations come from the facts' wall clock; where that was set back, the step
/// counts as no time.
#[derive(Clone, Debug, Default)]
pub struct CdrFold {
    open: BTreeMap<String, OpenCdr>,
}

#[derive(Clone, Debug)]
struct OpenCdr {
    cdr: Cdr,
    legs: BTreeMap<u32, OpenLeg>,
    part: Part,
    /// Up to when time has been counted.
    counted: Wall,
    /// The legs that hear each other.
    bridge: Option<(u32, u32)>,
    /// Those that hear them, too.
    guests: BTreeSet<u32>,
    /// Who took the last offer, until a leg is theirs.
    winner: Option<String>,
}

#[derive(Clone, Debug)]
struct OpenLeg {
    record: LegRecord,
    ended: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Ivr,
    Queue,
    Talk,
    Other,
}

impl CdrFold {
    /// Takes the next fact; gives the call's record if it is the call's last.
    pub fn apply(&mut self, fact: &Fact) -> Option<Cdr> {
        let id = fact.call.as_ref()?;
        if !self.open.contains_key(id) && begins(&fact.kind) {
            self.open.insert(id.clone(), OpenCdr::new(id, fact.at));
        }
        let open = self.open.get_mut(id)?;
        open.count(fact.at);
        if let FactKind::CallEnded { end, .. } = &fact.kind {
            return self.open.remove(id).map(|open| open.finish(end.clone(), fact.at));
        }
        open.apply(fact);
        None
    }

    /// How many calls have not ended.
    pub fn open(&self) -> usize {
        self.open.len()
    }
}

/// What may be the first that the log still has of a call. Measurements may also come after its end.
fn begins(kind: &FactKind) -> bool {
    matches!(
        kind,
        FactKind::CallArrived { .. }
            | FactKind::LegCreated { .. }
            | FactKind::IvrEntered { .. }
            | FactKind::QueueEntered { .. }
            | FactKind::CallConnected { .. }
            | FactKind::CallEnded { .. }
    )
}

impl OpenCdr {
    fn new(call: &str, at: Wall) -> OpenCdr {
        let end = End::new(facts::Side::Engine, facts::Cause::EngineRestarted);
        let zero = Duration::ZERO;
        let text = String::new;
        let cdr = Cdr {
            call: call.to_owned(),
            arrived: None,
            answered: None,
            ended: at,
            from: text(),
            to: text(),
            service: text(),
            trunk: text(),
            sip_call_id: text(),
            origin: Origin::default(),
            diverted_by: Vec::new(),
            language: text(),
            topic: text(),
            queue: text(),
            recordings: Vec::new(),
            legs: Vec::new(),
            end,
            total: zero,
            ivr: zero,
            queued: zero,
            talk: zero,
            other: zero,
        };
        OpenCdr {
            cdr,
            legs: BTreeMap::new(),
            part: Part::Other,
            counted: at,
            bridge: None,
            guests: BTreeSet::new(),
            winner: None,
        }
    }

    /// Gives the time since the last fact to the part in which the call was.
    fn count(&mut self, now: Wall) {
        let micros = now.unix_micros().saturating_sub(self.counted.unix_micros());
        let span = Duration::from_micros(u64::try_from(micros).unwrap_or(0));
        self.counted = now;
        self.cdr.total += span;
        match self.part {
            Part::Ivr => self.cdr.ivr += span,
            Part::Queue => self.cdr.queued += span,
            Part::Talk => self.cdr.talk += span,
            Part::Other => self.cdr.other += span,
        }
        if let Some((a, b)) = self.bridge {
            for leg in [a, b].into_iter().chain(self.guests.iter().copied()) {
                if let Some(leg) = self.legs.get_mut(&leg) {
                    leg.record.talk += span;
                }
            }
        }
    }

    fn apply(&mut self, fact: &Fact) {
        let cdr = &mut self.cdr;
        match &fact.kind {
            FactKind::CallArrived { from, to, service, trunk, sip_call_id } => {
                cdr.arrived = Some(fact.at);
                (cdr.from, cdr.to) = (from.clone(), to.clone());
                (cdr.service, cdr.trunk) = (service.clone(), trunk.clone());
                cdr.sip_call_id = sip_call_id.clone();
            }
            FactKind::CallOrigin { withheld, kind, country, operator, .. } => {
                cdr.origin = Origin {
                    country: country.clone(),
                    operator: operator.clone(),
                    kind: kind.clone(),
                    withheld: *withheld,
                };
            }
            FactKind::CallDiverted { by, .. } => cdr.diverted_by.push(by.clone()),
            FactKind::CallClassified { key, value, .. } if key == "language" => cdr.language = value.clone(),
            FactKind::CallClassified { key, value, .. } if key == "topic" => cdr.topic = value.clone(),
            FactKind::IvrEntered { .. } => self.part = Part::Ivr,
            FactKind::IvrLeft { .. } => self.part = Part::Other,
            // Whoever is transferred hears the other party no longer.
            FactKind::TransferStarted { .. } => (self.part, self.bridge) = (Part::Other, None),
            FactKind::QueueEntered { queue, .. } => {
                cdr.queue = queue.clone();
                self.part = Part::Queue;
            }
            FactKind::QueueLeft { .. } => self.part = Part::Other,
            FactKind::RecordingStarted { recording, .. } => cdr.recordings.push(recording.clone()),
            FactKind::OfferAccepted { agent, role: LegRole::Agent, .. } => self.winner = Some(agent.clone()),
            _ => self.apply_to_legs(fact),
        }
    }

    fn apply_to_legs(&mut self, fact: &Fact) {
        match &fact.kind {
            FactKind::LegCreated { leg, role, address, .. } => {
                self.legs.entry(*leg).or_insert_with(|| OpenLeg::new(*leg, *role, address, fact.at));
            }
            FactKind::LegConnected { leg, .. } => self.connected(*leg, fact.at),
            FactKind::CallConnected { a, b } => self.bridged(*a, *b),
            FactKind::CallbackOffered(CallbackOffer { queue, .. }) => self.cdr.queue.clone_from(queue),
            FactKind::ConferenceJoined { leg, .. } | FactKind::SupervisionStarted { leg, .. } => {
                self.guests.insert(*leg);
            }
            FactKind::ConferenceLeft { leg } | FactKind::SupervisionEnded { leg, .. } => {
                self.guests.remove(leg);
            }
            FactKind::LegEnded { leg, end } => self.leg_ended(*leg, end, fact.at),
            _ => {}
        }
    }

    fn connected(&mut self, leg: u32, at: Wall) {
        let Some(leg) = self.legs.get_mut(&leg) else { return };
        leg.record.connected.get_or_insert(at);
        if leg.record.role == LegRole::Caller {
            self.cdr.answered.get_or_insert(at);
        }
    }

    fn bridged(&mut self, a: u32, b: u32) {
        self.bridge = Some((a, b));
        self.part = Part::Talk;
        for leg in [a, b] {
            let Some(leg) = self.legs.get_mut(&leg) else { continue };
            if leg.record.role == LegRole::Agent
                && let Some(winner) = self.winner.take()
            {
                leg.record.party = winner;
            }
        }
    }

    fn leg_ended(&mut self, number: u32, end: &End, at: Wall) {
        if let Some(leg) = self.legs.get_mut(&number).filter(|leg| !leg.ended) {
            leg.ended = true;
            (leg.record.end, leg.record.ended) = (end.clone(), at);
        }
        if self.bridge.is_some_and(|(a, b)| a == number || b == number) {
            self.bridge = None;
            self.part = Part::Other;
        }
    }

    fn finish(mut self, end: End, at: Wall) -> Cdr {
        let legs = self.legs.into_values().map(|leg| {
            let mut record = leg.record;
            if !leg.ended {
                (record.end, record.ended) = (end.clone(), at);
            }
            record
        });
        self.cdr.legs = legs.collect();
        self.cdr.ended = at;
        self.cdr.end = end;
        self.cdr
    }
}

impl OpenLeg {
    fn new(leg: u32, role: LegRole, address: &str, at: Wall) -> OpenLeg {
        let record = LegRecord {
            leg,
            role,
            party: address.to_owned(),
            created: at,
            connected: None,
            ended: at,
            end: End::new(facts::Side::Engine, facts::Cause::EngineRestarted),
            talk: Duration::ZERO,
        };
        OpenLeg { record, ended: false }
    }
}
