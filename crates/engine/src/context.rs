//! What every call works with: the one SIP user agent, the one distributor, the log and the way out.
//!
//! The calls themselves are not in here, so that a call can change itself and act at the same time.

use crate::capturing::Captures;
use crate::ledger::{CallLog, Ledger};
use crate::trust::Velocity;
use crate::{Config, Output};
use acd::{Acd, EntryId, OfferId};
use base::{Key, Seed, Time, Wall};
use facts::FactKind;
use media_api::{Command, LegId, PlayId, Sound};
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

pub(crate) struct Context {
    pub(crate) now: Time,
    pub(crate) config: Arc<Config>,
    pub(crate) sip: UserAgent,
    pub(crate) acd: Acd,
    pub(crate) ledger: Ledger,
    pub(crate) out: VecDeque<Output>,
    pub(crate) seed: Seed,
    pub(crate) sessions: BTreeMap<SessionId, Owner>,
    pub(crate) media: BTreeMap<LegId, Owner>,
    pub(crate) entries: BTreeMap<EntryId, CallKey>,
    pub(crate) offers: BTreeMap<OfferId, CallKey>,
    /// How often each number has called of late.
    pub(crate) velocity: Velocity,
    pub(crate) deadlines: BTreeSet<(Time, CallKey)>,
    pub(crate) captures: Captures,
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
            deadlines: BTreeSet::new(),
            captures: Captures::default(),
            last_leg: 0,
            last_play: 0,
            last_entry: 0,
        }
    }

    pub(crate) fn wall(&self) -> Wall {
        self.ledger.wall(self.now)
    }

    /// A fact of no call.
    pub(crate) fn note(&mut self, kind: FactKind) {
        self.ledger.note(self.now, kind, &mut self.out);
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

    pub(crate) fn media(&mut self, command: Command) {
        self.out.push_back(Output::Media { command, beside: None });
    }

    /// Asks for ports for a new leg, in the shard of `beside`.
    pub(crate) fn open_media(&mut self, owner: Owner, beside: Option<LegId>) -> LegId {
        self.last_leg += 1;
        let leg = LegId(self.last_leg);
        self.media.insert(leg, owner);
        self.out.push_back(Output::Media { command: Command::Open { leg }, beside });
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

    pub(crate) fn new_entry(&mut self, call: CallKey) -> EntryId {
        self.last_entry += 1;
        let entry = EntryId(self.last_entry);
        self.entries.insert(entry, call);
        entry
    }
}
