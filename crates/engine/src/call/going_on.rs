//! A call that goes on in a service that answers another number of the house, without leaving it. Within a body it stays
//! what it is. In another body, or in none, it is another call, of that body, and of the first one nothing goes along but who calls and
//! what is known by names that all agree on: neither's log tells what happened at the other's.

use super::ending::Phase;
use super::{CALLER, Call, Stage, Way};
use crate::Service;
use crate::bodies::HOPS_MAX;
use crate::context::{CallKey, Context, Errand, Owner};
use crate::engine::Engine;
use crate::leg::Leg;
use crate::trust::Trust;
use facts::{CallPhase, Cause, End, FactKind, Side};
use ivr::TransferEnd;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// What goes along, beside the language.
const BROUGHT: [&str; 2] = ["topic", "priority"];
/// RFC 5806: why a call came from the number that was dialled first.
const DEFLECTION: &str = "deflection";

/// A party on its way to another call.
pub(super) struct Onward {
    leg: Leg,
    from: String,
    /// What was dialled before.
    sent_by: String,
    trunk: String,
    by_account: bool,
    from_display: Option<String>,
    trust: Trust,
    origin: Option<FactKind>,
    peer: SocketAddr,
    way: Way,
    hops: u32,
    language: Option<String>,
    brought: BTreeMap<String, String>,
    consults_for: Option<CallKey>,
}

impl Call {
    /// The script sends its caller on: `service:NUMBER` or `body:NAME`.
    pub(super) fn send_on(&mut self, ctx: &mut Context, to: String) {
        self.note(ctx, FactKind::TransferStarted { to: to.clone(), by: None });
        self.phase = CallPhase::Transferring { to: to.clone() };
        let found = ctx.config.sent_to(self.log.body.as_deref(), &to).filter(|_| self.hops < HOPS_MAX);
        let Some((service, number)) = found else {
            return self.script_transfer_failed(ctx, to, None, TransferEnd::Unknown);
        };
        if self.is_elsewhere(ctx, &number) {
            return self.leave_body(ctx, to, number);
        }
        self.note(ctx, FactKind::TransferCompleted { to });
        self.hops += 1;
        self.language = self.script.as_ref().map(|script| script.language().to_owned());
        self.brought = self.brought_along();
        (self.service, self.answers_at) = (service, number);
        self.stage = Stage::Arriving;
        self.begin(ctx);
    }

    /// Whether a number is not this call's body's.
    pub(super) fn is_elsewhere(&self, ctx: &Context, number: &str) -> bool {
        ctx.config.bodies.of_number(number) != self.log.body.as_deref()
    }

    /// Its party goes on in another call, as soon as this one is at rest.
    pub(super) fn leave_body(&mut self, ctx: &mut Context, to: String, number: String) {
        ctx.errands.push_back(Errand::GoOn { call: self.key, to, number });
    }

    /// There is no room for another call: the script has this one back, or it ends.
    fn stay(&mut self, ctx: &mut Context, to: String) {
        if matches!(self.stage, Stage::Scripted) {
            return self.script_transfer_failed(ctx, to, None, TransferEnd::Unreachable);
        }
        let reason = TransferEnd::Unreachable.as_str().to_owned();
        self.note(ctx, FactKind::TransferFailed { to, sip: None, reason });
        self.finish(ctx, End::new(Side::Engine, Cause::Capacity).sip(503));
    }

    /// Gives its party away and ends. Nothing if the party is gone, or the call is ending.
    fn give_on(&mut self, ctx: &mut Context, to: String) -> Option<Onward> {
        if self.end.is_some() {
            return None;
        }
        self.stop_playing(ctx);
        let there = |leg: &Leg| leg.number == self.caller && leg.connected && !leg.session_is_over();
        let at = self.legs.iter().position(there)?;
        let leg = self.legs.remove(at);
        self.note(ctx, FactKind::TransferCompleted { to });
        let end = End::new(Side::Service, Cause::Transferred).place(self.place());
        self.note(ctx, FactKind::LegEnded { leg: self.caller, end: end.clone() });
        let onward = Onward {
            leg,
            from: self.from.clone(),
            sent_by: self.to.clone(),
            trunk: self.trunk.clone(),
            by_account: self.by_account,
            from_display: self.from_display.clone(),
            trust: std::mem::replace(&mut self.trust, Trust::unknown()),
            origin: self.origin.clone(),
            peer: self.peer,
            way: std::mem::replace(&mut self.way, Way::from_here()),
            hops: self.hops + 1,
            language: self.script.as_ref().map(|script| script.language().to_owned()),
            brought: self.brought_along(),
            consults_for: self.consults_for.take(),
        };
        self.finish(ctx, end);
        Some(onward)
    }

    fn brought_along(&self) -> BTreeMap<String, String> {
        let known = BROUGHT.iter().filter_map(|name| self.classified.get_key_value(*name));
        known.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// A party of another body's call has come: as if it had called this number, and been sent here by the other one.
    fn arrive_from(
        ctx: &mut Context,
        key: CallKey,
        (service, number): (Service, String),
        onward: Onward,
    ) -> Call {
        let mut log = ctx.begin_log(ctx.config.bodies.of_number(&number).map(str::to_owned));
        let (from, name) = (onward.from.clone(), service.name().to_owned());
        let arrived = FactKind::CallArrived {
            from: from.clone(),
            to: number.clone(),
            service: name.clone(),
            trunk: onward.trunk.clone(),
            sip_call_id: ctx.sip.call_id(onward.leg.session).unwrap_or_default(),
        };
        let (by, reason) = (onward.sent_by, DEFLECTION.to_owned());
        let sent = FactKind::CallDiverted { by, reason, count: 1 };
        let told = [Some(arrived), onward.origin.clone(), Some(sent), Some(onward.trust.fact())];
        for fact in told.into_iter().flatten() {
            ctx.note_call(&mut log, fact);
        }
        let mut call = Call {
            by_account: onward.by_account,
            from_display: onward.from_display,
            trust: onward.trust,
            origin: onward.origin,
            trunk: onward.trunk,
            peer: onward.peer,
            way: onward.way,
            caller: CALLER,
            last_leg: CALLER,
            hops: onward.hops,
            language: onward.language,
            brought: onward.brought,
            consults_for: onward.consults_for,
            ..Call::without_legs(ctx, (key, log), (from, number), name, service)
        };
        let mut leg = onward.leg;
        leg.adopted(ctx, &mut call.log, Owner { call: key, leg: CALLER });
        if let Service::Room { name, .. } = &call.service {
            ctx.rooms.enter(name, leg.media);
        }
        call.legs.push(leg);
        call.phases.enter(ctx.now, Phase::Other);
        call
    }
}

impl Engine {
    /// A party leaves a call for one of another body. The two calls are at rest.
    pub(crate) fn go_on(&mut self, from: CallKey, to: String, number: &str) {
        let service = self.ctx.config.services.get(number).cloned().filter(|_| self.has_room());
        let Some(service) = service else {
            return self.with_call(from, |call, ctx| call.stay(ctx, to));
        };
        let mut onward = None;
        self.with_call(from, |call, ctx| onward = call.give_on(ctx, to));
        let Some(onward) = onward else { return };
        let place = (service, number.to_owned());
        let key = self.calls.insert_with(|key| Call::arrive_from(&mut self.ctx, key, place, onward));
        if let Some(key) = key {
            self.with_call(key, Call::begin);
        }
    }
}
