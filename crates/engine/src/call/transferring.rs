//! Handing a call over: a party asks for it by REFER or an integrator by a command, and the remaining party is
//! brought together with somebody else. The remaining party's phone never hears of it.

use super::asking::transfer_end;
use super::dialling::{Purpose, address};
use super::ending::{Phase, refusal_for};
use super::{Call, Stage};
use crate::charges::Charge;
use crate::context::{Context, Errand, Owner};
use crate::destinations::{Meant, resolve, user_of};
use crate::leg::Leg;
use crate::outbound::Who;
use crate::{Service, Target};
use facts::{CallPhase, Cause, End, FactKind, LegRole, Side, body_of};
use media_api::Command;
use sip::ua::{Do, How, Referral, SessionId};
use std::time::Duration;

/// How long the target of a transfer may ring.
const RING: Duration = Duration::from_secs(60);
/// How long whoever transferred and hung up is rung when nobody took the call.
const RECALL: Duration = Duration::from_secs(30);

/// A transfer that is being tried.
#[derive(Clone, Debug)]
pub(crate) struct Transfer {
    /// The leg of whoever transfers.
    by: u32,
    /// Where its progress is told, if it was asked for by REFER.
    told: Option<(SessionId, u32)>,
    /// The account that transfers: the call comes back to it.
    agent: Option<String>,
    /// It is the transferor who is being called back.
    recalls: bool,
}

impl Transfer {
    /// Tells whoever asked for it by REFER how far it is.
    pub(super) fn tell(&self, ctx: &mut Context, status: u16) {
        if let Some((session, refer)) = self.told {
            ctx.sip(Do::ReferProgress { session, refer, status });
        }
    }

    /// The account that transfers.
    pub(super) fn by_agent(&self) -> Option<&str> {
        self.agent.as_deref()
    }
}

/// What is left of a consultation when its agent steps out.
pub(crate) struct Given {
    leg: Leg,
}

/// What a call that is to be replaced or joined is good for.
pub(crate) enum Consultation {
    /// Its two parties talk.
    Talking,
    /// Somebody or something was dialled, by right, and is not there yet: what was dialled, and what it means.
    Calling(String, Service),
}

impl Call {
    /// A party asks that the other one be transferred.
    pub(crate) fn referred(&mut self, ctx: &mut Context, number: u32, referral: Referral) {
        let Some(leg) = self.legs.iter().find(|leg| leg.number == number) else { return };
        let (session, refer) = (leg.session, referral.refer);
        let done = self.may_transfer(ctx, number).and_then(|()| match &referral.to.replaces {
            None => self.transfer_blind(ctx, number, &referral.to.uri, Some((session, refer))),
            Some(replaces) => {
                let other = ctx.sip.replaced(replaces).and_then(|other| ctx.sessions.get(&other)).copied();
                let other = other.filter(|other| other.call != self.key).ok_or(404u16)?;
                let into = Owner { call: self.key, leg: number };
                ctx.errands.push_back(Errand::Join { into, from: other, told: (session, refer) });
                Ok(())
            }
        });
        if let Err(status) = done {
            ctx.sip(Do::AnswerRefer { session, refer, status });
        }
    }

    /// An integrator asks that the agent of this call hand it over. False if that cannot be now.
    pub(crate) fn transfer_by_command(&mut self, ctx: &mut Context, to: &str) -> Result<(), u16> {
        let by = self.agent_in_talk().map(|leg| leg.number).ok_or(491u16)?;
        self.may_transfer(ctx, by)?;
        self.transfer_blind(ctx, by, to, None)
    }

    /// Whether this leg may transfer now: it talks, and is an account's or a trunk's that may.
    pub(crate) fn may_transfer(&self, ctx: &Context, number: u32) -> Result<(), u16> {
        let leg = self.legs.iter().find(|leg| leg.number == number).ok_or(404u16)?;
        let trusted = leg.trunk.as_ref().is_some_and(|trunk| ctx.config.referring_trunks.contains(trunk));
        if leg.agent.is_none() && !trusted {
            return Err(603);
        }
        let talks = self.pair_numbers().is_some_and(|(a, b)| a == number || b == number);
        if talks && self.end.is_none() { Ok(()) } else { Err(491) }
    }

    /// The numbers of the two connected legs that are together.
    pub(crate) fn pair_numbers(&self) -> Option<(u32, u32)> {
        let Stage::Talking { other } = self.stage else { return None };
        let connected = |number| self.legs.iter().any(|leg| leg.number == number && leg.connected);
        (connected(self.caller) && connected(other)).then_some((self.caller, other))
    }

    /// The party that remains when this one steps out.
    fn remaining(&self, by: u32) -> Option<u32> {
        let (a, b) = self.pair_numbers()?;
        Some(if a == by { b } else { a })
    }

    /// Transfers without asking the target first. An error is the status for the REFER.
    pub(crate) fn transfer_blind(
        &mut self,
        ctx: &mut Context,
        by: u32,
        to: &str,
        told: Option<(SessionId, u32)>,
    ) -> Result<(), u16> {
        self.remaining(by).ok_or(491u16)?;
        let leg = self.legs.iter().find(|leg| leg.number == by).ok_or(404u16)?;
        let who = match (&leg.agent, &leg.trunk) {
            (Some(agent), _) => Who::Agent(agent),
            (None, Some(trunk)) => Who::Trunk(trunk),
            (None, None) => return Err(603),
        };
        // Who asks by the phone names those of their own body, also in another's call.
        let own = leg.agent.as_deref().filter(|_| told.is_some()).and_then(body_of).map(str::to_owned);
        let body = own.or_else(|| self.names_in(leg.agent.as_deref()));
        let meant = resolve(ctx, who, body.as_deref(), to)?;
        let to = match &meant.service {
            Service::Dial(target) if target.agent().is_some() => address(target),
            _ => user_of(to).unwrap_or_default(),
        };
        self.transfer_to(ctx, by, (to, meant), told)
    }

    /// The same, to what may be called.
    pub(crate) fn transfer_to(
        &mut self,
        ctx: &mut Context,
        by: u32,
        (to, Meant { service, number, charge }): (String, Meant),
        told: Option<(SessionId, u32)>,
    ) -> Result<(), u16> {
        self.charge = charge;
        let Some(remaining) = self.remaining(by) else {
            self.settle_unanswered(ctx);
            return Err(491);
        };
        let transfer = Transfer { by, told, agent: self.agent_of(by).cloned(), recalls: false };
        if let Some((session, refer)) = told {
            ctx.sip(Do::AnswerRefer { session, refer, status: 202 });
        }
        self.note(ctx, FactKind::TransferStarted { to: to.clone(), by: Some(by) });
        self.phase = CallPhase::Transferring { to: to.clone() };
        self.part(ctx);
        self.hand_on_conference(ctx);
        self.caller = remaining;
        match service {
            Service::Dial(target) => self.dial(ctx, target, to, RING, Purpose::Transfer(transfer)),
            service => self.hand_to_service(ctx, (service, number), to, &transfer),
        }
        Ok(())
    }

    /// The body in which an agent of this call names others.
    pub(super) fn names_in(&self, agent: Option<&str>) -> Option<String> {
        self.log.body.clone().or_else(|| agent.and_then(body_of).map(str::to_owned))
    }

    /// The remaining party goes to a service of ours, which is always there.
    fn hand_to_service(
        &mut self,
        ctx: &mut Context,
        (service, number): (Service, Option<String>),
        to: String,
        transfer: &Transfer,
    ) {
        self.part_from_guests(ctx);
        if let Some(number) = number.filter(|number| self.is_elsewhere(ctx, number)) {
            self.stage = Stage::Arriving;
            self.step_out(ctx, transfer, 200);
            return self.leave_body(ctx, to, number);
        }
        self.note(ctx, FactKind::TransferCompleted { to });
        if let (Service::Room { name, .. }, Some(leg)) = (&service, self.caller_media()) {
            ctx.rooms.enter(name, leg);
        }
        self.phases.enter(ctx.now, Phase::Other);
        self.service = service;
        self.stage = Stage::Arriving;
        self.step_out(ctx, transfer, 200);
        self.begin(ctx);
    }

    /// The two who were together no longer hear each other, or what was played to them.
    pub(super) fn part(&mut self, ctx: &mut Context) {
        let Some((a, b)) = self.pair_numbers() else { return };
        self.playing = None;
        self.guests.forget_music();
        let pair = self.legs.iter().filter(|leg| leg.number == a || leg.number == b);
        let media: Vec<_> = pair.map(|leg| leg.media).collect();
        // Who leaves a bridge leaves it for both; a room each leaves alone.
        let leaving = if self.guests.has_room() { media.len() } else { 1 };
        for leg in media.iter().take(leaving) {
            ctx.media(Command::Unbridge { leg: *leg });
        }
        media.into_iter().for_each(|leg| ctx.media(Command::Stop { leg }));
    }

    /// The transfer is done: whoever asked for it is told so, and leaves.
    pub(super) fn step_out(&mut self, ctx: &mut Context, transfer: &Transfer, status: u16) {
        transfer.tell(ctx, status);
        let end = End::new(Side::Callee, Cause::Transferred).place(self.place());
        if let Some(leg) = self.leg(transfer.by).filter(|leg| !leg.session_is_over()) {
            leg.dismiss(ctx, end);
        }
    }

    /// The target's device rings.
    pub(super) fn transfer_rings(&mut self, ctx: &mut Context, number: u32) {
        if let Stage::Dialling(dialling) = &self.stage
            && dialling.leg == number
            && let Purpose::Transfer(transfer) = &dialling.purpose
        {
            transfer.clone().tell(ctx, 180);
        }
    }

    /// The target answered: the remaining party talks with it.
    pub(super) fn transfer_answered(&mut self, ctx: &mut Context, to: String, transfer: &Transfer) {
        self.note(ctx, FactKind::TransferCompleted { to });
        self.step_out(ctx, transfer, 200);
        self.keep_for_queue(ctx);
        self.talk(ctx);
    }

    /// The target did not take the call: it goes back to whoever transferred it.
    pub(super) fn transfer_refused(&mut self, ctx: &mut Context, to: String, end: End, transfer: Transfer) {
        let reason = transfer_end(&end).as_str().to_owned();
        self.note(ctx, FactKind::TransferFailed { to, sip: end.sip, reason });
        transfer.tell(ctx, refusal_for(&end));
        let there = self.legs.iter().any(|leg| leg.number == transfer.by && leg.connected);
        if there {
            self.stage = Stage::Talking { other: transfer.by };
            return self.talk(ctx);
        }
        match transfer.agent.clone().filter(|_| !transfer.recalls) {
            Some(agent) => self.recall(ctx, agent, transfer),
            None => {
                // It has failed: there is nothing left to be cancelled.
                self.stage = Stage::Arriving;
                self.finish(ctx, End::new(Side::Callee, Cause::TransferFailed).place("dialling"));
            }
        }
    }

    /// Whoever transferred has hung up meanwhile: they are rung.
    fn recall(&mut self, ctx: &mut Context, agent: String, transfer: Transfer) {
        self.note(ctx, FactKind::TransferStarted { to: agent.clone(), by: None });
        self.phase = CallPhase::Transferring { to: agent.clone() };
        let transfer = Transfer { told: None, recalls: true, ..transfer };
        self.dial(ctx, Target::Agent(agent.clone()), agent, RECALL, Purpose::Transfer(transfer));
    }

    /// The call ends while a transfer is being tried: whoever asked for it is told that it is off.
    pub(super) fn cancel_transfer(&mut self, ctx: &mut Context) {
        let (to, purpose) = match &self.stage {
            Stage::Dialling(dialling) => (dialling.to.clone(), dialling.purpose.clone()),
            Stage::Leaving(leaving) => (leaving.to.clone(), leaving.purpose.clone()),
            _ => return,
        };
        let Purpose::Transfer(transfer) = purpose else { return };
        self.note(ctx, FactKind::TransferCancelled { to });
        transfer.tell(ctx, 487);
    }

    /// Whether this leg's party hung up on a call that it has just transferred: no other end of it is meant.
    pub(super) fn hangs_up_transferred(&self, number: u32, how: How) -> bool {
        let purpose = match &self.stage {
            Stage::Dialling(dialling) => Some(&dialling.purpose),
            Stage::Leaving(leaving) => Some(&leaving.purpose),
            _ => None,
        };
        let by = match purpose {
            Some(Purpose::Transfer(transfer)) => Some(transfer.by),
            _ => None,
        };
        how == How::PeerHungUp && by == Some(number)
    }

    /// An agent to whom a call of a queue was handed writes it up like one of the queue.
    fn keep_for_queue(&mut self, ctx: &mut Context) {
        let Stage::Talking { other } = self.stage else { return };
        let agent = self.legs.iter().find(|leg| leg.number == other).and_then(|leg| leg.agent.clone());
        if let Some(agent) = agent {
            ctx.acd(acd::Input::Engaged { agent, queue: self.last_queue.clone() });
        }
    }
}

/// Attended: two calls of one agent become one.
impl Call {
    /// Whether this agent's leg may hand this call to another of the agent's.
    pub(crate) fn as_consultation(&self, number: u32, agent: Option<&String>) -> Result<Consultation, u16> {
        let leg = self.legs.iter().find(|leg| leg.number == number).ok_or(404u16)?;
        if leg.agent.is_none() || leg.agent.as_ref() != agent || self.end.is_some() {
            return Err(403);
        }
        match self.pair_numbers() {
            Some((a, b)) if a == number || b == number => Ok(Consultation::Talking),
            Some(_) => Err(404),
            None => Ok(Consultation::Calling(self.to.clone(), self.service.clone())),
        }
    }

    /// Whether this leg is that of the call's first party.
    pub(crate) fn is_callers(&self, number: u32) -> bool {
        self.caller == number
    }

    /// The agent of a leg.
    pub(crate) fn agent_of(&self, number: u32) -> Option<&String> {
        self.legs.iter().find(|leg| leg.number == number)?.agent.as_ref()
    }

    /// Gives the party that talks with this leg away, and ends.
    pub(crate) fn give_away(&mut self, ctx: &mut Context, by: u32) -> Option<Given> {
        let number = self.remaining(by)?;
        self.part(ctx);
        let at = self.legs.iter().position(|leg| leg.number == number)?;
        let leg = self.legs.remove(at);
        let end = End::new(Side::Callee, Cause::Transferred).place(self.place());
        self.note(ctx, FactKind::LegEnded { leg: number, end: end.clone() });
        self.consults_for = None;
        if let Some(leg) = self.leg(by) {
            leg.dismiss(ctx, end.clone());
        }
        self.finish(ctx, end);
        Some(Given { leg })
    }

    /// Its agent transfers before there is anybody to talk with: it ends, and whom it rang is called anew.
    /// The right to do so goes along.
    pub(crate) fn give_up_consultation(&mut self, ctx: &mut Context, by: u32) -> Option<Charge> {
        let charge = self.charge.take();
        let end = End::new(Side::Callee, Cause::Transferred).place(self.place());
        self.consults_for = None;
        if let Some(leg) = self.leg(by) {
            leg.dismiss(ctx, end.clone());
        }
        self.finish(ctx, end);
        charge
    }

    /// Takes a party of another call in, in the place of this leg.
    pub(crate) fn take_over(&mut self, ctx: &mut Context, by: u32, given: Given) {
        let Some(remaining) = self.remaining(by) else { return };
        let mut leg = given.leg;
        let to = leg.address.clone();
        self.note(ctx, FactKind::TransferStarted { to: to.clone(), by: Some(by) });
        self.phase = CallPhase::Transferring { to: to.clone() };
        self.part(ctx);
        self.hand_on_conference(ctx);
        self.last_leg += 1;
        let number = self.last_leg;
        if leg.role == LegRole::Caller {
            leg.role = if leg.agent.is_some() { LegRole::Agent } else { LegRole::External };
        }
        leg.adopted(ctx, &mut self.log, Owner { call: self.key, leg: number });
        self.legs.push(leg);
        self.caller = remaining;
        self.stage = Stage::Talking { other: number };
        let transfer = Transfer { by, told: None, agent: None, recalls: false };
        self.transfer_answered(ctx, to, &transfer);
    }

    /// An agent of this call makes another one.
    pub(crate) fn consulting(&mut self, ctx: &mut Context, to: String, consultation: String) {
        self.note(ctx, FactKind::TransferConsulting { to, consultation });
    }

    /// The agent's other call ended, and nothing was transferred.
    pub(crate) fn consulted(&mut self, ctx: &mut Context, to: String) {
        if self.end.is_none() {
            self.note(ctx, FactKind::TransferCancelled { to });
        }
    }
}
