//! An interpreter is sought for a call: a wait of its own in the queue of those who interpret, beside whatever the call does.
//! Whoever answers is a third party of the conversation.
//!
//! Where a script's caller is taken by an agent who does not speak their language, the two are not put together before the
//! interpreter is there: the caller hears in their own language that they are to wait, and music, rather than somebody whom
//! they do not understand. If none comes in time they are put together all the same.

use super::asking::Asking;
use super::guests::Kind;
use super::{Call, Playing, Stage};
use crate::CommandRefused;
use crate::context::Context;
use acd::{Entry, EntryId, NotEntered};
use base::Time;
use facts::{
    Cause, End, FactKind, InterpreterMiss, InterpreterNow, InterpreterWish, LegRole, NoInterpreter, Side,
    millis,
};
use ivr::{Interpreting, Wait};
use media_api::Command;
use std::time::Duration;

/// How long an interpreter is sought whom a command wants.
const WITHIN: Duration = Duration::from_secs(60);
/// Who wants one, in facts, where it is no token.
const SCRIPT: &str = "script";

/// An interpreter who is sought.
pub(crate) struct Seeking {
    entry: EntryId,
    language: String,
    queue: String,
    /// Their place among the guests of the conversation.
    guest: u32,
    by: String,
    since: Time,
    parted: Option<Parted>,
}

/// The two are not together yet.
struct Parted {
    /// In which the caller waits on if the agent goes.
    wait: Wait,
    waited_since: Time,
}

/// Of whom, and among whom.
struct Wanted {
    language: String,
    queue: String,
    within: Duration,
    by: String,
}

impl Seeking {
    /// As [`facts::Snapshot`] shows it.
    pub(super) fn now(&self) -> InterpreterNow {
        let (language, queue) = (self.language.clone(), self.queue.clone());
        InterpreterNow { language, queue, parted: self.parted.is_some() }
    }
}

impl Call {
    /// An agent who does not speak the caller's language has the call.
    pub(super) fn interpret(&mut self, ctx: &mut Context, (wait, waited_since): (Wait, Time)) {
        let Some(Interpreting { queue, within, say, .. }) = wait.interpreter.clone() else {
            return self.talk(ctx);
        };
        let wanted = Wanted { language: wait.language.clone(), queue, within, by: SCRIPT.to_owned() };
        let priority = wait.priority;
        if !self.seek(ctx, wanted, priority, Some(Parted { wait, waited_since })) {
            return self.talk(ctx);
        }
        if let Some(media) = self.caller_media().filter(|_| !say.is_empty()) {
            let play = ctx.play(media, say, false);
            self.playing = Some((play, Playing::Announcement));
        }
        self.comfort_parted(ctx);
    }

    /// An integrator wants an interpreter for the two who talk.
    pub(crate) fn add_interpreter(
        &mut self,
        ctx: &mut Context,
        (language, queue): (String, String),
        by: String,
    ) -> Result<(), CommandRefused> {
        if ctx.config.acd.queues.iter().all(|known| known.name != queue) {
            return Err(CommandRefused::NotFound);
        }
        if self.is_ending() || self.seeking.is_some() || self.agent_in_talk().is_none() {
            return Err(CommandRefused::InvalidState);
        }
        let wanted = Wanted { language, queue, within: WITHIN, by };
        if self.seek(ctx, wanted, 0, None) { Ok(()) } else { Err(CommandRefused::InvalidState) }
    }

    /// Nobody is to be sought any more.
    pub(crate) fn cancel_interpreter(&mut self, ctx: &mut Context) -> Result<(), CommandRefused> {
        if self.seeking.is_none() {
            return Err(CommandRefused::NotFound);
        }
        self.go_on_without(ctx, NoInterpreter::Cancelled);
        Ok(())
    }

    /// False if there are too many in the conversation.
    fn seek(&mut self, ctx: &mut Context, wanted: Wanted, priority: u8, parted: Option<Parted>) -> bool {
        let Wanted { language, queue, within, by } = wanted;
        let Ok(guest) = self.guests.expect(Kind::Party, by.clone(), None) else { return false };
        let entry = ctx.new_entry(self.key);
        let wish = InterpreterWish {
            language: language.clone(),
            queue: queue.clone(),
            within_ms: millis(within),
            parted: parted.is_some(),
            by: by.clone(),
        };
        self.note(ctx, FactKind::InterpreterWanted(wish));
        ctx.acd(acd::Input::Enqueue(Entry {
            id: entry,
            queue: queue.clone(),
            language: language.clone(),
            // Who interprets need not know what it is about.
            topic: String::new(),
            priority,
            arrived: ctx.now,
            is_callback: false,
            any_language_after: None,
            overflow_after: Some(within),
            position_every: None,
        }));
        self.seeking = Some(Seeking { entry, language, queue, guest, by, since: ctx.now, parted });
        true
    }

    /// Whether this wait is that for the interpreter.
    pub(super) fn is_interpreters(&self, entry: EntryId) -> bool {
        self.seeking.as_ref().is_some_and(|seeking| seeking.entry == entry)
    }

    /// The two hear each other only when the interpreter is there.
    pub(super) fn is_parted(&self) -> bool {
        self.seeking.as_ref().is_some_and(|seeking| seeking.parted.is_some())
    }

    /// Whether this is the leg of the agent who waits with the caller for the interpreter.
    pub(super) fn waits_for_interpreter(&self, leg: u32) -> bool {
        let talks = matches!(self.stage, Stage::Talking { other } if other == leg);
        self.is_parted() && talks && self.end.is_none() && self.agent_of(leg).is_some()
    }

    /// That agent cannot be heard any more: their leg ends, and the caller waits on. False if this is not their leg.
    pub(super) fn loses_agent(&mut self, ctx: &mut Context, number: u32, end: &End) -> bool {
        let is_theirs = self.waits_for_interpreter(number);
        if is_theirs {
            if let Some(leg) = self.leg(number) {
                leg.dismiss(ctx, end.clone());
            }
            self.wait_on(ctx);
        }
        is_theirs
    }

    /// The language that whoever interprets is to speak.
    pub(super) fn language_sought(&self) -> Option<&str> {
        self.seeking.as_ref().map(|seeking| seeking.language.as_str())
    }

    /// Both who wait for the interpreter have music, and the caller perhaps words before it.
    pub(super) fn comfort_parted(&mut self, ctx: &mut Context) {
        let Some((_, other)) = self.pair() else { return };
        if self.playing.is_none() {
            self.play_music(ctx);
        }
        let is_away = self.legs.iter().any(|leg| leg.media == other && leg.is_away());
        if let Some(music) = ctx.config.hold_music.clone().filter(|_| !is_away) {
            ctx.play(other, vec![music], true);
        }
    }

    /// An agent has answered who interprets.
    pub(super) fn interpreter_answered(&mut self, ctx: &mut Context, asking: Asking) {
        let (agent, Some(number)) = asking.into_agent_and_leg() else { return };
        let Some(seeking) = self.seeking.take() else { return };
        ctx.entries.remove(&seeking.entry);
        if let Some(leg) = self.leg(number) {
            leg.belongs_to(ctx, agent);
        }
        self.guests.arrives(seeking.guest, number);
        if seeking.parted.is_some() {
            self.end_comfort_of_parted(ctx);
            self.talk(ctx);
        }
        let by = seeking.by;
        self.note(ctx, FactKind::ConferenceJoined { leg: number, role: LegRole::Interpreter, by });
        if matches!(self.stage, Stage::Talking { .. }) {
            self.take_seats(ctx);
        }
    }

    /// The queue of those who interpret cannot take the wait.
    pub(super) fn no_interpreter(&mut self, ctx: &mut Context, why: NotEntered) {
        let why = match why {
            NotEntered::Full => NoInterpreter::Full,
            NotEntered::NoSuchQueue | NotEntered::NobodyThere => NoInterpreter::NobodyThere,
        };
        self.go_on_without(ctx, why);
    }

    /// None has come in time, or can: the two go on without.
    pub(super) fn go_on_without(&mut self, ctx: &mut Context, why: NoInterpreter) {
        let parted = self.is_parted();
        self.stop_seeking(ctx, why);
        if parted {
            self.talk(ctx);
        }
    }

    /// Nobody is sought any more, for this reason.
    pub(super) fn stop_seeking(&mut self, ctx: &mut Context, why: NoInterpreter) {
        let Some(seeking) = self.seeking.take() else { return };
        if self.asking.as_ref().is_some_and(|asking| asking.is_for(LegRole::Interpreter)) {
            self.withdraw_asking(ctx, End::new(Side::Service, Cause::OtherSideLeft).place(self.place()));
        }
        ctx.entries.remove(&seeking.entry);
        ctx.acd(acd::Input::Withdraw(seeking.entry));
        self.guest_failed(ctx, seeking.guest);
        let waited_ms = millis(ctx.now.since(seeking.since));
        let miss = InterpreterMiss { language: seeking.language, reason: why, waited_ms };
        self.note(ctx, FactKind::InterpreterMissed(miss));
        if seeking.parted.is_some() {
            self.end_comfort_of_parted(ctx);
        }
    }

    fn end_comfort_of_parted(&mut self, ctx: &mut Context) {
        if let Some((_, other)) = self.pair() {
            ctx.media(Command::Stop { leg: other });
        }
    }

    /// The agent is gone before the interpreter came: the caller, who has heard nobody yet, waits on where they were.
    pub(super) fn wait_on(&mut self, ctx: &mut Context) {
        let parted = self.seeking.as_mut().and_then(|seeking| seeking.parted.take());
        let Some(Parted { wait, waited_since, .. }) = parted else { return };
        self.stop_seeking(ctx, NoInterpreter::TooLate);
        self.leave_talk(ctx);
        self.stop_playing(ctx);
        self.enqueue_again(ctx, wait, waited_since);
    }
}
