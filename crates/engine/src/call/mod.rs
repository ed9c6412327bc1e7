//! A call: the caller's whole experience. This file holds what a call is and sends what happens to it to
//! the file of that concern.

mod arrival;
mod asking;
mod by_name;
mod calling_back;
mod dialling;
mod digits;
mod early;
mod ending;
mod going_on;
mod guests;
mod handshaking;
mod hunting;
mod interpreting;
mod inviting;
mod leaving;
mod loops;
mod losing;
mod parties;
mod recording;
mod replacing;
mod scripted;
mod shown;
mod talking;
mod told;
mod transferring;
mod turned_away;
mod waiting;

use asking::Asking;
use by_name::ByName;
pub(crate) use dialling::Dialling;
use digits::Presses;
pub(crate) use digits::Source;
use ending::Phases;
pub(crate) use ending::q850_of;
use guests::Guests;
pub(crate) use hunting::has_line;
use interpreting::Seeking;
use leaving::{Leaving, Shortcut};
pub(crate) use loops::Way;
use losing::Losses;
pub(crate) use parties::Parties;
pub(crate) use recording::Recordings;
pub(crate) use transferring::Consultation;
pub(crate) use turned_away::turned_away;
pub(crate) use waiting::Queued;

use crate::charges::{Charge, settle};
use crate::context::{CallKey, Context};
use crate::ledger::CallLog;
use crate::leg::Leg;
use crate::trust::Trust;
use crate::{Service, Why};
use base::Time;
use facts::{CallNow, CallPhase, End, FactKind, LegNow};
use ivr::Interpreter;
use media_api::{LegId, PlayId};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// By which an agent's device is told the caller's language.
const LANGUAGE_HEADER: &str = "X-Cornetta-Language";

/// The number of the leg that a call begins with.
const CALLER: u32 = 1;
/// No leg has it.
const NOBODY: u32 = 0;

pub(crate) struct Call {
    pub(crate) key: CallKey,
    pub(crate) log: CallLog,
    from: String,
    to: String,
    /// An account of ours began it.
    by_account: bool,
    /// The number that `service` answers, in its normal form: what was dialled, until a script sends the caller on.
    answers_at: String,
    /// By which its caller came, in facts.
    trunk: String,
    /// Where its caller is from, as it was told.
    origin: Option<FactKind>,
    /// How often its caller was sent on by scripts.
    hops: u32,
    /// The language in which its caller was sent on.
    language: Option<String>,
    /// What is known of who was sent on, by names that all services agree on.
    brought: BTreeMap<String, String>,
    /// The service's name in facts; empty if nothing answers the number.
    service_name: String,
    service: Service,
    /// The caller's side of the signalling, to choose the address shown in SDP.
    peer: SocketAddr,
    /// How it has come here.
    way: Way,
    /// The caller's offer, until it is answered.
    offer: Option<Vec<u8>>,
    pub(crate) stage: Stage,
    /// The agent who is being asked to come.
    asking: Option<Asking>,
    /// An interpreter is sought.
    seeking: Option<Seeking>,
    phase: CallPhase,
    classified: BTreeMap<String, String>,
    /// Those that are not over. The caller's is there until the call is.
    legs: Vec<Leg>,
    /// The leg of the party that the call is about: the one that it began with, until that one transfers the other.
    caller: u32,
    last_leg: u32,
    script: Option<Interpreter>,
    playing: Option<(PlayId, Playing)>,
    presses: Presses,
    phases: Phases,
    /// The caller's display name.
    from_display: Option<String>,
    /// How far the caller's number can be believed.
    trust: Trust,
    /// The script goes on with the caller when the agent who took the call hangs up.
    script_follows: bool,
    /// The callback that it is for, until the two talk.
    calls_back: Option<u64>,
    /// Since when it has waited in `last_queue`, if no agent has taken it since.
    queued_since: Option<Time>,
    /// The queue in which it waited last.
    last_queue: Option<String>,
    /// For the number outside that is being called; as soon as it answers, its leg has it.
    charge: Option<Charge>,
    /// A session that is about to take the place of another.
    replacing: Option<replacing::Replacing>,
    /// Pages that talked and are waited for.
    lost: Losses,
    /// Two are to be together as soon as both have their keys, or then.
    warming: Option<Time>,
    /// While its two parties talk, their operator is asked to connect them without us.
    shortcut: Option<Shortcut>,
    /// Who is in the conversation beside its two.
    guests: Guests,
    /// It is recorded, or its recording is being ended.
    recording: Option<recording::Recording>,
    /// How many there were.
    recordings: u32,
    /// The call that its caller, an agent, is in at the same time.
    consults_for: Option<CallKey>,
    /// Why the call ends, as soon as it does.
    end: Option<End>,
    /// `call.ended` has been written.
    ended: bool,
    /// When it is next to be woken; kept in step with the engine's table.
    pub(crate) deadline: Option<Time>,
}

/// Where a call is.
pub(crate) enum Stage {
    /// Ports are being opened, or the caller has not acknowledged our offer.
    Arriving,
    /// The interpreter has it.
    Scripted,
    /// It waits for an agent.
    Queued(Queued),
    /// One agent, and nobody else, is asked to take it.
    ByName(ByName),
    /// Another party is being called for it.
    Dialling(Dialling),
    /// An operator is asked to connect it with another party.
    Leaving(Leaving),
    /// The caller and the leg of this number are together.
    Talking { other: u32 },
    /// One of the measuring services has it.
    Measured,
    /// Its legs are being ended; by then they are, whatever has not answered.
    Over { until: Time },
}

/// What plays to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Playing {
    /// The script's prompts: it is told of their end.
    Script,
    /// The place in the queue: music follows.
    Announcement,
    /// Music, for ever.
    Music,
}

impl Call {
    /// A call without anybody: whoever makes it says what it is.
    fn without_legs(
        ctx: &Context,
        (key, log): (CallKey, CallLog),
        (from, to): (String, String),
        service_name: String,
        service: Service,
    ) -> Call {
        Call {
            key,
            log,
            from,
            answers_at: to.clone(),
            to,
            trunk: String::new(),
            origin: None,
            hops: 0,
            language: None,
            brought: BTreeMap::new(),
            by_account: false,
            from_display: None,
            trust: Trust::unknown(),
            service_name,
            service,
            peer: SocketAddr::from(([0, 0, 0, 0], 0)),
            way: Way::from_here(),
            offer: None,
            stage: Stage::Arriving,
            asking: None,
            seeking: None,
            phase: CallPhase::Arriving,
            classified: BTreeMap::new(),
            legs: Vec::new(),
            caller: NOBODY,
            last_leg: NOBODY,
            script: None,
            playing: None,
            presses: Presses::default(),
            phases: Phases::new(ctx.now),
            script_follows: false,
            calls_back: None,
            queued_since: None,
            last_queue: None,
            charge: None,
            replacing: None,
            lost: Losses::default(),
            warming: None,
            shortcut: None,
            guests: Guests::default(),
            recording: None,
            recordings: 0,
            consults_for: None,
            end: None,
            ended: false,
            deadline: None,
        }
    }

    /// The leg of this number.
    pub(crate) fn leg(&mut self, number: u32) -> Option<&mut Leg> {
        self.legs.iter_mut().find(|leg| leg.number == number)
    }

    /// A leg together with the call's log, to change the one and write in the other.
    fn leg_and_log(&mut self, number: u32) -> Option<(&mut Leg, &mut CallLog)> {
        let leg = self.legs.iter_mut().find(|leg| leg.number == number)?;
        Some((leg, &mut self.log))
    }

    fn caller_media(&self) -> Option<LegId> {
        let leg = self.legs.iter().find(|leg| leg.number == self.caller);
        // Nothing is ordered for ports that have been given back.
        leg.filter(|leg| !leg.session_is_over()).map(|leg| leg.media)
    }

    /// The caller's number and the one that was dialled, as facts write them.
    pub(crate) fn numbers(&self) -> [&str; 2] {
        [&self.from, &self.to]
    }

    /// The media of its legs that have any.
    pub(crate) fn media_legs(&self) -> impl Iterator<Item = LegId> {
        self.legs.iter().filter(|leg| !leg.media_is_over()).map(|leg| leg.media)
    }

    /// The number outside that was being called did not answer.
    fn settle_unanswered(&mut self, ctx: &mut Context) {
        if let Some(charge) = self.charge.take() {
            settle(ctx, charge);
        }
    }

    pub(crate) fn note(&mut self, ctx: &mut Context, kind: FactKind) {
        ctx.note_call(&mut self.log, kind);
    }

    /// Something about the call is known or has changed.
    fn classify(&mut self, ctx: &mut Context, key: &str, value: &str, by: &str) {
        self.classified.insert(key.to_owned(), value.to_owned());
        let (key, value, by) = (key.to_owned(), value.to_owned(), by.to_owned());
        self.note(ctx, FactKind::CallClassified { key, value, by });
    }

    /// The caller's language, as far as it is known; otherwise empty.
    fn language(&self) -> &str {
        let known = || self.classified.get("language").map_or("", String::as_str);
        self.script.as_ref().map_or_else(known, Interpreter::language)
    }

    /// Media has ports for a leg.
    pub(crate) fn media_opened(&mut self, ctx: &mut Context, number: u32, local: SocketAddr) {
        if self.end.is_some() {
            return;
        }
        if self.replacement_opened(ctx, number, local) {
            return;
        }
        if number == self.caller {
            self.caller_opened(ctx, local);
        } else {
            self.other_opened(ctx, number, local);
        }
    }

    /// Media has no ports for a leg.
    pub(crate) fn media_failed(&mut self, ctx: &mut Context, number: u32, why: &str) {
        if let Some(leg) = self.leg(number) {
            leg.media_gone(ctx);
        }
        if number == self.caller {
            self.no_ports(ctx, why);
        } else {
            self.other_failed_to_open(ctx, number, why);
        }
        self.bury(ctx);
    }

    /// What went over a leg is known, and its ports are given back.
    pub(crate) fn media_closed(&mut self, ctx: &mut Context, number: u32, stats: &media_api::Stats) {
        if let Some((leg, log)) = self.leg_and_log(number) {
            leg.media_closed(ctx, log, stats);
        }
        self.bury(ctx);
    }

    /// What played to a leg has ended.
    pub(crate) fn play_ended(&mut self, ctx: &mut Context, play: PlayId, complete: bool) {
        let Some((_, what)) = self.playing.take_if(|(current, _)| *current == play) else { return };
        match what {
            Playing::Script => self.script_input(ctx, ivr::Input::Played { complete }),
            Playing::Announcement => self.play_music(ctx),
            Playing::Music => {}
        }
    }

    /// The time that was asked for has come.
    pub(crate) fn handle_timeout(&mut self, ctx: &mut Context) {
        self.script_timeout(ctx);
        self.dialling_timeout(ctx);
        self.leaving_timeout(ctx);
        self.probe_the_quiet(ctx);
        self.warming_timeout(ctx);
        self.losing_timeout(ctx);
        self.break_off(ctx);
        self.over_timeout(ctx);
    }

    /// The next time at which something is to be done.
    pub(crate) fn poll_timeout(&self, ctx: &Context) -> Option<(Time, Why)> {
        let script = match self.stage {
            Stage::Scripted => self.script.as_ref().and_then(Interpreter::poll_timeout).map(|(at, _)| at),
            _ => None,
        };
        let stage = match &self.stage {
            Stage::Dialling(dialling) => Some(dialling.until),
            Stage::Leaving(leaving) => Some(leaving.until),
            Stage::Over { until } => Some(*until),
            _ => None,
        };
        let guest = self.guests.dialled().map(|dialling| dialling.until).min();
        let limit = self.legs.iter().filter_map(Leg::limit_at).min().filter(|_| self.end.is_none());
        let browser = self.lost.next().into_iter().chain(self.warming).min();
        let earliest =
            [script, stage, guest, self.next_probe(ctx), limit, browser].into_iter().flatten().min();
        earliest.map(|at| (at, Why::Call))
    }

    /// Nothing more can come of it; `call.ended` has been written.
    pub(crate) fn is_over(&self) -> bool {
        self.ended
    }

    /// It has its reason to end, and its legs are being ended.
    pub(crate) fn is_ending(&self) -> bool {
        self.end.is_some()
    }

    /// As [`facts::Snapshot`] shows it.
    pub(crate) fn now(&self) -> CallNow {
        let legs = self.legs.iter().filter(|leg| !leg.session_is_over()).map(|leg| {
            let now = LegNow {
                role: leg.role,
                address: leg.address.clone(),
                connected: leg.connected,
                held: leg.held,
                guest: self.guests.is_there(leg.number),
                muted: self.guests.is_muted(leg.number),
                supervision: self.guests.supervision(leg.number),
                csrc: leg.connected.then(|| leg.media.source()),
            };
            (leg.number, now)
        });
        CallNow {
            from: self.from.clone(),
            to: self.to.clone(),
            service: self.service_name.clone(),
            body: self.log.body.clone(),
            phase: self.phase.clone(),
            classified: self.classified.clone(),
            callseq: self.log.callseq,
            legs: legs.collect(),
            recording: self.recording.as_ref().map(recording::Recording::now),
            interpreter: self.seeking.as_ref().map(Seeking::now),
        }
    }

    /// The queue in which it waits, and its place in the order of arrival there.
    pub(crate) fn queue(&self) -> Option<(&str, acd::EntryId)> {
        match &self.stage {
            Stage::Queued(queued) if queued.entered => Some((&queued.wait.queue, queued.entry)),
            _ => None,
        }
    }
}
