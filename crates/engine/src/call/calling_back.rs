//! A call that begins with us: somebody asked to be called back, an agent is asked first, and the number is called when
//! the agent is there.

use super::dialling::Purpose;
use super::{Call, Queued, Stage};
use crate::callbacks::{attempted, completed, failed, offered};
use crate::context::{CallKey, Context};
use crate::outbound::{Who, may_dial};
use crate::{Service, Target};
use acd::{EntryId, OfferId};
use base::Time;
use facts::{CallbackNow, Cause, End, FactKind, Side, body_of};
use ivr::{CallBack, Wait};
use std::time::Duration;

/// How long the number may ring.
const RING: Duration = Duration::from_secs(45);
/// The service of such calls, in facts.
const SERVICE: &str = "callback";

impl Call {
    /// A call in which nobody is yet.
    pub(crate) fn calling_back(
        ctx: &mut Context,
        key: CallKey,
        (id, now): (u64, CallbackNow),
        entry: EntryId,
    ) -> Call {
        let mut log = ctx.begin_log(body_of(&now.queue).map(str::to_owned));
        let arrived = FactKind::CallArrived {
            from: now.number.clone(),
            to: now.dialled.clone(),
            service: SERVICE.to_owned(),
            trunk: String::new(),
            sip_call_id: String::new(),
        };
        ctx.note_call(&mut log, arrived);
        let service = Service::Dial(Target::Number { number: now.number.clone() });
        let mut call =
            Call::without_legs(ctx, (key, log), (now.number, now.dialled), SERVICE.to_owned(), service);
        // Nobody puts it through.
        call.by_account = true;
        for (what, value) in [("language", &now.language), ("topic", &now.topic)] {
            if !value.is_empty() {
                call.classify(ctx, what, value, "callback");
            }
        }
        let wait = Wait {
            queue: now.queue.clone(),
            language: now.language,
            topic: now.topic,
            priority: now.priority,
            overflow_after: None,
            position_every: None,
            music: None,
            follows: false,
            interpreter: None,
        };
        call.last_queue = Some(now.queue);
        call.stage = Stage::Queued(Queued::new(entry, wait, ctx.now));
        call.calls_back = Some(id);
        call
    }

    /// The script's caller wants to be called back. False if that cannot be.
    pub(super) fn wants_callback(&mut self, ctx: &mut Context, wish: CallBack) -> bool {
        let waited = self.queued_since.filter(|_| self.last_queue.as_ref() == Some(&wish.queue));
        let asked = crate::callbacks::request(ctx, wish, &self.to, waited.unwrap_or(ctx.now));
        let accepted = asked.is_some();
        if let Some(fact) = asked {
            self.note(ctx, fact);
        }
        accepted
    }

    /// An agent is asked.
    pub(crate) fn offer_back(
        &mut self,
        ctx: &mut Context,
        offer: (EntryId, OfferId),
        agent: String,
        deadline: Time,
    ) {
        if let Some(fact) = self.calls_back.and_then(|id| offered(ctx, id, &agent)) {
            self.note(ctx, fact);
        }
        self.offer(ctx, offer, agent, deadline);
    }

    /// The agent of this leg is there: the number is called, by the rules for what that agent may call.
    pub(super) fn call_back(&mut self, ctx: &mut Context, leg: u32, agent: String) {
        // Its wait is over.
        self.stage = Stage::Arriving;
        self.caller = leg;
        if let Some(leg) = self.leg(leg) {
            leg.belongs_to(ctx, agent.clone());
        }
        let Some(fact) = self.calls_back.and_then(|id| attempted(ctx, id, &agent)) else {
            return self.finish(ctx, End::new(Side::Service, Cause::HungUp));
        };
        self.note(ctx, fact);
        let number = self.from.clone();
        let normal = ctx.config.numbering.home.normal(&number);
        match may_dial(ctx, Who::Agent(&agent), &normal) {
            Ok(charge) => {
                self.charge = charge;
                self.dial(ctx, Target::Number { number: number.clone() }, number, RING, Purpose::Callback);
            }
            Err(status) => {
                let why = format!("no [[outbound]] rule lets {agent} call this number now");
                self.finish(ctx, End::new(Side::Engine, Cause::Declined).sip(status).detail(why));
            }
        }
    }

    /// The number has answered on this leg: the call is about that party, as if it had called.
    pub(super) fn called_back(&mut self, ctx: &mut Context, other: u32) {
        self.stop_playing(ctx);
        let agent = std::mem::replace(&mut self.caller, other);
        self.stage = Stage::Talking { other: agent };
        self.by_account = false;
        let name = self.agent_of(agent).cloned().unwrap_or_default();
        if let Some(fact) = self.calls_back.take().and_then(|id| completed(ctx, id, name)) {
            self.note(ctx, fact);
        }
        self.talk(ctx);
    }

    /// The call ends: if the number was being called, that has failed.
    pub(super) fn give_up_callback(&mut self, ctx: &mut Context, end: &End) {
        if matches!(self.stage, Stage::Queued(_)) {
            return;
        }
        if let Some(fact) = self.calls_back.take().and_then(|id| failed(ctx, id, end)) {
            self.note(ctx, fact);
        }
    }

    /// The agent who was asked did not take it: it waits on, and is offered in another call.
    pub(super) fn not_taken_back(&mut self, ctx: &mut Context, end: End) {
        if self.calls_back.is_some() && matches!(self.stage, Stage::Queued(_)) {
            self.finish(ctx, end);
        }
    }
}
