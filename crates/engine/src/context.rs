//! What every call works with: the one SIP user agent, the one distributor, the log and the way out.
//!
//! The calls themselves are not in here, so that a call can change itself and act at the same time.

use crate::call::Recordings;
use crate::callbacks::Callbacks;
use crate::capturing::Captures;
use crate::certificates::Certificates;
use crate::destinations::Meant;
use crate::emergencies::Emergencies;
use crate::ledger::{CallLog, Ledger};
use crate::lines::Lines;
use crate::memories::Memories;
use crate::outbound::Outbound;
use crate::rooms::Rooms;
use crate::trust::Velocity;
use crate::{Config, Output};
use acd::{Acd, EntryId, OfferId};
use base::{Key, Seed, Time, Wall};
use facts::FactKind;
use media_api::{Command, Family, LegId, PlayId, RoomId, Sound};
use sip::ua::{Do, Input, SessionId, UserAgent};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// The key of a call in the engine.
pub(crate) type CallKey = Key<crate::call::Call>;

/// Whose a session or a media leg is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) call: CallKey,
    /// The leg's number within the call.
    pub(crate) leg: u32,
}

/// What concerns two calls and is done when each of them is at rest.
pub(crate) enum Errand {
    /// A leg asks to be replaced by the party of another call of the same agent.
    Join {
        /// The leg that asks.
        into: Owner,
        /// The agent's leg in the other call.
        from: Owner,
        /// Where its progress is told: session and REFER.
        told: (SessionId, u32),
    },
    /// The same, with a target that has yet to be called anew.
    Blind {
        /// The leg that asks.
        into: Owner,
        /// Whom it named.
        to: String,
        /// What that means: the agent's other call was let through to it, and is not counted again.
        meant: Meant,
        /// Where its progress is told: session and REFER.
        told: (SessionId, u32),
    },
    /// An agent of this call makes another one.
    Consulting {
        /// The first call.
        call: CallKey,
        /// Whom they call.
        to: String,
        /// The other call's id.
        consultation: String,
    },
    /// That other call is over, and nobody was transferred.
    Consulted {
        /// The first call.
        call: CallKey,
        /// Whom they called.
        to: String,
    },
    /// The party that a call is about goes on in another body's service: in a call of that body.
    GoOn {
        /// The call that it leaves.
        call: CallKey,
        /// As it was asked for.
        to: String,
        /// The number that the service answers, in its normal form.
        number: String,
    },
    /// An agent who is to be asked cannot be rung.
    OfferFailed {
        /// The call that is offered.
        call: CallKey,
        /// The offer.
        offer: OfferId,
    },
}

pub(crate) struct Context {
    pub(crate) now: Time,
    pub(crate) config: Arc<Config>,
    pub(crate) sip: UserAgent,
    pub(crate) acd: Acd,
    pub(crate) ledger: Ledger,
    pub(crate) out: VecDeque<Output>,
    pub(crate) rooms: Rooms,
    pub(crate) seed: Seed,
    pub(crate) sessions: BTreeMap<SessionId, Owner>,
    pub(crate) media: BTreeMap<LegId, Owner>,
    pub(crate) entries: BTreeMap<EntryId, CallKey>,
    pub(crate) offers: BTreeMap<OfferId, CallKey>,
    /// How often each number has called of late.
    pub(crate) velocity: Velocity,
    /// Certificates of operators that were fetched.
    pub(crate) certificates: Certificates,
    pub(crate) deadlines: BTreeSet<(Time, CallKey)>,
    pub(crate) outbound: Outbound,
    /// How much of each trunk is in use.
    pub(crate) lines: Lines,
    pub(crate) captures: Captures,
    pub(crate) emergencies: Emergencies,
    pub(crate) recordings: Recordings,
    pub(crate) errands: VecDeque<Errand>,
    pub(crate) callbacks: Callbacks,
    pub(crate) memories: Memories,
    /// The legs of each account that has any, the oldest first: whoever has one is not rung.
    busy: BTreeMap<String, Vec<LegId>>,
    last_leg: u64,
    last_play: u64,
    last_entry: u64,
}

impl Context {
    pub(crate) fn new(
        now: Time,
        config: Arc<Config>,
        sip: UserAgent,
        acd: Acd,
        ledger: Ledger,
        seed: Seed,
    ) -> Context {
        let outbound = Outbound::new(config.outbound.clone());
        Context {
            now,
            config,
            sip,
            acd,
            ledger,
            out: VecDeque::new(),
            seed,
            sessions: BTreeMap::new(),
            media: BTreeMap::new(),
            entries: BTreeMap::new(),
            offers: BTreeMap::new(),
            velocity: Velocity::default(),
            certificates: Certificates::default(),
            deadlines: BTreeSet::new(),
            outbound,
            lines: Lines::default(),
            captures: Captures::default(),
            emergencies: Emergencies::default(),
            recordings: Recordings::default(),
            errands: VecDeque::new(),
            callbacks: Callbacks::default(),
            memories: Memories::default(),
            busy: BTreeMap::new(),
            last_leg: 0,
            rooms: Rooms::default(),
            last_play: 0,
            last_entry: 0,
        }
    }

    pub(crate) fn wall(&self) -> Wall {
        self.ledger.wall(self.now)
    }

    /// A fact of no call, of the body that the names in it say.
    pub(crate) fn note(&mut self, kind: FactKind) {
        let body = kind.body().map(str::to_owned);
        self.note_of(body, kind);
    }

    /// A fact of no call, of this body.
    pub(crate) fn note_of(&mut self, body: Option<String>, kind: FactKind) {
        self.ledger.note(self.now, body, kind, &mut self.out);
    }

    /// The log of a new call: one of a body, if it is.
    pub(crate) fn begin_log(&mut self, body: Option<String>) -> CallLog {
        self.ledger.open_call(self.now, &self.config.node, body)
    }

    /// A fact of a call.
    pub(crate) fn note_call(&mut self, log: &mut CallLog, kind: FactKind) {
        self.ledger.note_call(self.now, log, kind, &mut self.out);
    }

    pub(crate) fn sip(&mut self, act: Do) {
        self.sip.handle(self.now, Input::Do(act));
    }

    pub(crate) fn acd(&mut self, input: acd::Input) {
        self.acd.handle(self.now, input);
    }

    /// An account has a leg of a call. The distributor is told, unless it gave the call itself.
    pub(crate) fn occupy(&mut self, agent: &str, leg: LegId) {
        let legs = self.busy.entry(agent.to_owned()).or_default();
        legs.push(leg);
        if legs.len() == 1 && self.acd.state(agent) != Some(acd::State::Talking) {
            self.acd(acd::Input::Engaged { agent: agent.to_owned(), queue: None });
        }
    }

    /// An account's leg is over; with the last one the account is free.
    pub(crate) fn vacate(&mut self, agent: &str, leg: LegId) {
        let Some(legs) = self.busy.get_mut(agent) else { return };
        legs.retain(|known| *known != leg);
        if legs.is_empty() {
            self.busy.remove(agent);
            self.acd(acd::Input::Released(agent.to_owned()));
        }
    }

    /// The first leg that an account has, if any.
    pub(crate) fn leg_of(&self, agent: &str) -> Option<LegId> {
        self.busy.get(agent).and_then(|legs| legs.first()).copied()
    }

    /// Whether an account is in a call, or is being asked to take one.
    pub(crate) fn is_busy(&self, agent: &str) -> bool {
        let asked = matches!(self.acd.state(agent), Some(acd::State::Offered | acd::State::Talking));
        asked || self.busy.contains_key(agent)
    }

    /// Whether no account, no trunk and no room has a leg, and no errand and no recording is left.
    pub(crate) fn is_at_rest(&self) -> bool {
        let no_leg = self.busy.is_empty() && self.lines.is_empty() && self.rooms.is_empty();
        no_leg && self.errands.is_empty() && self.recordings.is_empty()
    }

    pub(crate) fn media(&mut self, command: Command) {
        self.out.push_back(Output::Media { command, beside: None });
    }

    /// Asks for ports for a new leg whose peer speaks this family, in the shard of `beside`.
    pub(crate) fn open_media(&mut self, owner: Owner, family: Family, beside: Option<LegId>) -> LegId {
        self.last_leg += 1;
        let leg = LegId(self.last_leg);
        self.media.insert(leg, owner);
        self.out.push_back(Output::Media { command: Command::Open { leg, family }, beside });
        if let Some(capture) = self.captures.of(owner.call) {
            self.media(Command::Capture { leg, capture: Some(capture) });
        }
        leg
    }

    /// Plays towards a leg and says under which name.
    pub(crate) fn play(&mut self, leg: LegId, sounds: Vec<Sound>, repeat: bool) -> PlayId {
        self.last_play += 1;
        let play = PlayId(self.last_play);
        self.media(Command::Play { leg, play, sounds, repeat });
        play
    }

    /// Plays to one of a room, beside what is said there.
    pub(crate) fn announce(&mut self, room: RoomId, to: LegId, sounds: Vec<Sound>) {
        self.last_play += 1;
        let (play, to) = (PlayId(self.last_play), Some(to));
        self.media(Command::Announce { room, play, sounds, to, alone: false });
    }

    pub(crate) fn new_entry(&mut self, call: CallKey) -> EntryId {
        let entry = self.next_entry();
        self.entries.insert(entry, call);
        entry
    }

    pub(crate) fn next_entry(&mut self) -> EntryId {
        self.last_entry += 1;
        EntryId(self.last_entry)
    }
}
