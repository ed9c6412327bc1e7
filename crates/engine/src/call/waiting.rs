//! While the call waits for an agent: its place, and its music.

use super::ending::Phase;
use super::{Call, Playing, Stage};
use crate::Service;
use crate::context::Context;
use acd::{Entry, EntryId, NotEntered};
use base::Time;
use facts::{
    CallPhase, Cause, End, FactKind, NoInterpreter, QueueLeft, QueueRefusal, QueueWidened, Side, millis,
};
use ivr::{Input, QueueEnd, Wait};
use media_api::Sound;
use std::time::Duration;

/// A wait.
pub(crate) struct Queued {
    pub(super) entry: EntryId,
    pub(super) wait: Wait,
    /// The distributor has it; `queue.entered` has been written.
    pub(super) entered: bool,
    since: Time,
    /// Since when it has had its place: longer, if an agent was lost before the two talked.
    pub(super) arrived: Time,
}

impl Queued {
    pub(super) fn new(entry: EntryId, wait: Wait, since: Time) -> Queued {
        Queued { entry, wait, entered: false, since, arrived: since }
    }
}

impl Call {
    pub(super) fn enqueue(&mut self, ctx: &mut Context, wait: Wait) {
        let (arrived, patience) = (ctx.now, wait.interpreter.as_ref().map(|wanted| wanted.after));
        self.enqueue_at(ctx, wait, arrived, patience);
    }

    /// It waits on at the place that it had: agents without its language may be asked at once.
    pub(super) fn enqueue_again(&mut self, ctx: &mut Context, wait: Wait, arrived: Time) {
        let waited = ctx.now.since(arrived);
        let overflow_after = wait.overflow_after.map(|after| after.saturating_sub(waited));
        self.enqueue_at(ctx, Wait { overflow_after, ..wait }, arrived, Some(Duration::ZERO));
    }

    fn enqueue_at(&mut self, ctx: &mut Context, wait: Wait, arrived: Time, patience: Option<Duration>) {
        let entry = ctx.new_entry(self.key);
        ctx.acd(acd::Input::Enqueue(Entry {
            id: entry,
            queue: wait.queue.clone(),
            language: wait.language.clone(),
            topic: wait.topic.clone(),
            priority: wait.priority,
            arrived,
            is_callback: false,
            any_language_after: patience.filter(|_| wait.interpreter.is_some()),
            overflow_after: wait.overflow_after,
            position_every: wait.position_every,
        }));
        self.phases.enter(ctx.now, Phase::Queue);
        self.last_queue = Some(wait.queue.clone());
        self.queued_since = Some(arrived);
        self.stage = Stage::Queued(Queued { arrived, ..Queued::new(entry, wait, ctx.now) });
    }

    /// The distributor has the call.
    pub(crate) fn queue_entered(&mut self, ctx: &mut Context, entry: EntryId, position: usize) {
        if self.is_interpreters(entry) {
            return;
        }
        let Stage::Queued(queued) = &mut self.stage else { return };
        queued.entered = true;
        let wait = queued.wait.clone();
        self.phase = CallPhase::Queued { queue: wait.queue.clone() };
        let Wait { queue, language, topic, priority, .. } = wait;
        self.note(ctx, FactKind::QueueEntered { queue, position, language, topic, priority });
        self.play_music(ctx);
    }

    /// Agents without its language are asked too.
    pub(crate) fn widened(&mut self, ctx: &mut Context) {
        let Stage::Queued(queued) = &self.stage else { return };
        let (queue, language) = (queued.wait.queue.clone(), queued.wait.language.clone());
        self.note(ctx, FactKind::QueueWidened(QueueWidened { queue, language }));
    }

    /// The distributor cannot take it.
    pub(crate) fn queue_refused(&mut self, ctx: &mut Context, entry: EntryId, why: NotEntered) {
        if self.is_interpreters(entry) {
            return self.no_interpreter(ctx, why);
        }
        let Stage::Queued(queued) = &self.stage else { return };
        ctx.entries.remove(&queued.entry);
        let queue = queued.wait.queue.clone();
        let (reason, end) = match why {
            NotEntered::Full => (QueueRefusal::Full, QueueEnd::Full),
            NotEntered::NoSuchQueue | NotEntered::NobodyThere => {
                (QueueRefusal::NobodyThere, QueueEnd::NobodyThere)
            }
        };
        self.note(ctx, FactKind::QueueRefused { queue, reason });
        self.back_to_script(ctx, Input::QueueEnded(end));
    }

    /// The caller is to be told the place.
    pub(crate) fn announce(&mut self, ctx: &mut Context, position: usize) {
        let Stage::Queued(queued) = &self.stage else { return };
        let queue = queued.wait.queue.clone();
        let (Some(media), Some(sounds)) = (self.caller_media(), self.position_sounds(position)) else {
            return;
        };
        let play = ctx.play(media, sounds, false);
        self.playing = Some((play, Playing::Announcement));
        self.note(ctx, FactKind::QueuePosition { queue, position });
    }

    fn position_sounds(&self, position: usize) -> Option<Vec<Sound>> {
        let Service::Script { script, .. } = &self.service else { return None };
        Some(script.position(self.script.as_ref()?.language(), position))
    }

    /// Music until something else is to be heard.
    pub(super) fn play_music(&mut self, ctx: &mut Context) {
        let music = match &self.stage {
            Stage::Queued(queued) => queued.wait.music.clone(),
            _ => ctx.config.hold_music.clone(),
        };
        let (Some(media), Some(music)) = (self.caller_media(), music) else { return };
        let play = ctx.play(media, vec![music], true);
        self.playing = Some((play, Playing::Music));
    }

    /// It has waited as long as it should.
    pub(crate) fn overflowed(&mut self, ctx: &mut Context, entry: EntryId, waited: Duration) {
        if self.is_interpreters(entry) {
            return self.go_on_without(ctx, NoInterpreter::NoAnswer);
        }
        let Stage::Queued(queued) = &self.stage else { return };
        let queue = queued.wait.queue.clone();
        self.note(ctx, FactKind::QueueOverflowed { queue, waited_ms: millis(waited) });
        self.leave_queue(ctx, QueueLeft::Timeout, End::new(Side::Service, Cause::NoAnswer));
        self.back_to_script(ctx, Input::QueueEnded(QueueEnd::Overflow));
    }

    /// The wait is over. The offer that was being made, if any, is over with it, for the reason `end`.
    pub(super) fn leave_queue(&mut self, ctx: &mut Context, reason: QueueLeft, end: End) {
        let Stage::Queued(queued) = &mut self.stage else { return };
        ctx.entries.remove(&queued.entry);
        let (entry, entered, waited) = (queued.entry, queued.entered, ctx.now.since(queued.since));
        let queue = queued.wait.queue.clone();
        let asked = self.withdraw_asking(ctx, end);
        if matches!(reason, QueueLeft::Abandoned | QueueLeft::Ended) {
            match (self.calls_back, asked) {
                (None, _) => ctx.acd(acd::Input::Withdraw(entry)),
                // It waits on: the call was only for that offer.
                (Some(_), Some(offer)) => ctx.acd(acd::Input::Refused(offer)),
                (Some(_), None) => {}
            }
        }
        if let Stage::Queued(queued) = &mut self.stage {
            queued.entered = false;
        }
        if entered {
            self.note(ctx, FactKind::QueueLeft { queue, reason, waited_ms: millis(waited) });
        }
    }
}
