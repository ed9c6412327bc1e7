//! A call that begins with us: somebody asked to be called back, an agent is asked first, and the number is called when
//! the agent is there.

use super::dialling::Purpose;
use super::{Call, Losses, Phases, Queued, Stage, Way};
use crate::callbacks::{attempted, completed, failed, offered};
use crate::context::{CallKey, Context};
use crate::ledger::CallLog;
use crate::outbound::{Who, may_dial};
use crate::trust::Trust;
use crate::{Service, Target};
use acd::{EntryId, OfferId};
use base::Time;
use facts::{CallPhase, CallbackNow, Cause, End, FactKind, Side};
use ivr::{CallBack, Wait};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// How long the number may ring.
const RING: Duration = Duration::from_secs(45);
/// The service of such calls, in facts.
const SERVICE: &str = "callback";
/// No leg has it.
const NOBODY: u32 = 0;

impl Call {
    /// A call in which nobody is yet.
    pub(crate) fn calling_back(
        ctx: &mut Context,
        key: CallKey,
        (id, now): (u64, CallbackNow),
        entry: EntryId,
    ) -> Call {
        let mut log = CallLog { id: ctx.ledger.call_id(ctx.now, &ctx.config.node), callseq: 0 };
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
        };
        call.last_queue = Some(now.queue);
        call.stage = Stage::Queued(Queued::new(entry, wait, ctx.now));
        call.calls_back = Some(id);
        call
    }

    /// A call without anybody: whoever makes it says what it is.
    pub(super) fn without_legs(
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
            to,
            // Nobody puts it through.
            by_account: true,
            from_display: None,
            trust: Trust::unknown(),
            service_name,
            service,
            peer: SocketAddr::from(([0, 0, 0, 0], 0)),
            way: Way::from_here(),
            offer: None,
            stage: Stage::Arriving,
            phase: CallPhase::Arriving,
            classified: BTreeMap::new(),
            legs: Vec::new(),
            caller: NOBODY,
            last_leg: NOBODY,
            script: None,
            playing: None,
            presses: Default::default(),
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
            guests: super::Guests::default(),
            recording: None,
            recordings: 0,
            consults_for: None,
            end: None,
            ended: false,
            deadline: None,
        }
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
    pub(crate) fn offer_back(&mut self, ctx: &mut Context, offer: OfferId, agent: String, deadline: Time) {
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
