//! While an agent is asked to take the call: their device is called, beside whatever the caller hears, and the distributor
//! decides whether they have it.

use super::{Call, LANGUAGE_HEADER, Stage};
use crate::codecs::ordered_for;
use crate::context::{Context, Errand, Owner};
use crate::leg::{Leg, family_of};
use crate::media_terms::Reach;
use acd::{EntryId, OfferId, Retracted};
use base::Time;
use facts::{Cause, End, FactKind, LegRole, OfferEnd, QueueLeft, Side, millis};
use ivr::{TransferEnd, Wait};
use sip::ua::{Do, Elsewhere, Peer, SessionId};
use std::net::SocketAddr;

/// The agent who is being asked.
pub(crate) struct Asking {
    offer: OfferId,
    /// The offer's name in the log: the number of its `offer.made`, so that none is ever given twice.
    name: u64,
    agent: String,
    /// Nothing if there is no device to ring.
    leg: Option<u32>,
    /// What they are asked to be.
    role: LegRole,
}

impl Asking {
    pub(super) fn is_for(&self, role: LegRole) -> bool {
        self.role == role
    }

    /// Who it is, and on which leg.
    pub(super) fn into_agent_and_leg(self) -> (String, Option<u32>) {
        (self.agent, self.leg)
    }
}

impl Call {
    /// An agent is to be asked: their device is called, beside the caller's music.
    pub(crate) fn offer(
        &mut self,
        ctx: &mut Context,
        (entry, offer): (EntryId, OfferId),
        agent: String,
        deadline: Time,
    ) {
        let role = if self.is_interpreters(entry) { LegRole::Interpreter } else { LegRole::Agent };
        let deadline_ms = millis(deadline.since(ctx.now));
        let name = ctx.ledger.head() + 1;
        self.note(ctx, FactKind::OfferMade { offer: name, agent: agent.clone(), deadline_ms, role });
        ctx.offers.insert(offer, self.key);
        if matches!(self.stage, Stage::ByName(_)) {
            self.play_music(ctx);
        }
        let session = if ctx.sip.contacts(&agent).is_empty() { None } else { ctx.sip.reserve() };
        let leg = session.map(|_| self.last_leg + 1);
        self.asking = Some(Asking { offer, name, agent: agent.clone(), leg, role });
        match session {
            Some(session) => self.ring_agent(ctx, (role, agent), session),
            None => ctx.errands.push_back(Errand::OfferFailed { call: self.key, offer }),
        }
    }

    /// The agent cannot be rung. Told when all else that was decided with the offer is done, or another call would be
    /// offered while this one seems to wait.
    pub(crate) fn offer_failed(&mut self, ctx: &mut Context, offer: OfferId) {
        if let Some(asking) = self.take_asking(offer) {
            let role = asking.role;
            self.note_offer_end(ctx, asking, OfferEnd::Failed, None);
            ctx.acd(acd::Input::Refused(offer));
            self.not_taken(ctx, role, TransferEnd::Unreachable, End::new(Side::Engine, Cause::Unreachable));
        }
    }

    fn ring_agent(&mut self, ctx: &mut Context, (role, agent): (LegRole, String), session: SessionId) {
        self.last_leg += 1;
        let device = ctx.sip.contacts(&agent).last().map(|contact| contact.flow.remote);
        let party = Peer::Account(agent.clone());
        self.create_other(ctx, session, (role, agent), (&party, device));
    }

    /// Creates the leg numbered `last_leg`, in the shard of the caller's, for the family of `peer`, to whom its INVITE
    /// will go. It offers first what the caller speaks, or could be answered with, and asks for Opus as the caller wants it.
    pub(super) fn create_other(
        &mut self,
        ctx: &mut Context,
        session: SessionId,
        identity: (LegRole, String),
        (party, peer): (&Peer, Option<SocketAddr>),
    ) {
        let owner = Owner { call: self.key, leg: self.last_leg };
        let caller = self.legs.iter().find(|leg| leg.number == self.caller);
        let wished = caller.map(|leg| leg.speaks(self.offer.as_deref())).unwrap_or_default();
        let codecs = ordered_for(&wished, ctx.config.codecs.of(party));
        let interprets = self.asking.as_ref().is_some_and(|asking| asking.is_for(LegRole::Interpreter));
        let in_room = interprets || self.guests.dialled_on(owner.leg).is_some();
        let opus = caller.filter(|_| !in_room).and_then(|leg| leg.wants_opus(self.offer.as_deref()));
        let mut leg = Leg::new(ctx, &mut self.log, owner, identity, session);
        leg.open_media(ctx, owner, codecs, (family_of(None, peer), self.caller_media()));
        leg.negotiation.ask_for_opus(opus);
        self.legs.push(leg);
    }

    /// The agent's leg has ports: call the device.
    pub(super) fn call_agent(&mut self, ctx: &mut Context, number: u32, local: SocketAddr) {
        let asked = self.asking.as_ref().filter(|asking| asking.leg == Some(number));
        let Some((agent, role)) = asked.map(|asking| (asking.agent.clone(), asking.role)) else { return };
        // The one that was refreshed last: a device that came back on another port is not rung at the old.
        let Some(contact) = ctx.sip.contacts(&agent).last().cloned() else {
            return self.nowhere_to_call(ctx, number);
        };
        let mut headers = vec![
            ("X-Cornetta-Call".to_owned(), self.log.id.clone()),
            (LANGUAGE_HEADER.to_owned(), self.language_for(role).to_owned()),
            ("X-Cornetta-Trust".to_owned(), self.trust.header()),
        ];
        if let Some(part) = self.part_in_interpreting(ctx, &agent, role) {
            headers.push(("X-Cornetta-Interpreter".to_owned(), part.to_owned()));
        }
        if self.calls_back.is_some() {
            headers.push(("X-Cornetta-Callback".to_owned(), self.from.clone()));
        }
        headers.extend(contact.path.iter().map(|hop| ("Route".to_owned(), hop.clone())));
        let (from_user, from_display) = (self.from.clone(), self.from_display.clone());
        let (max_forwards, towards) = (self.way.hops_left(), ctx.sip.towards(&agent, &contact));
        let reach = Reach::towards(ctx, &towards, None);
        let Some(leg) = self.leg(number) else { return };
        leg.opened(ctx, local, Some(contact.flow.remote));
        if !leg.secure(ctx, reach) {
            return self.keys_cannot_be_told(ctx, number);
        }
        let call = sip::ua::Call {
            towards,
            uri: contact.uri,
            to: None,
            from_user,
            from_display,
            sdp: leg.first_offer(),
            credentials: None,
            headers,
            elsewhere: Elsewhere::Nowhere,
            urgent: false,
            max_forwards,
        };
        ctx.sip(Do::Call { session: leg.session, call });
    }

    /// Whether the agent who is rung is to interpret, or will be helped by somebody who does.
    fn part_in_interpreting(&self, ctx: &Context, agent: &str, role: LegRole) -> Option<&'static str> {
        match (&self.stage, role) {
            (_, LegRole::Interpreter) => Some("you"),
            (Stage::Queued(queued), _) if needs_interpreter(ctx, &queued.wait, agent) => Some("follows"),
            _ => None,
        }
    }

    /// The call's language; to whoever is to interpret, that which they are to speak.
    fn language_for(&self, role: LegRole) -> &str {
        let sought = self.language_sought().filter(|_| role == LegRole::Interpreter);
        sought.unwrap_or_else(|| self.language())
    }

    /// The agent's device answered, or has its keys: the distributor decides whether it was in time. A page that cannot be
    /// heard yet, and perhaps never will be, takes no caller out of the queue.
    pub(super) fn agent_answered(&mut self, ctx: &mut Context, number: u32) {
        let is_heard = self.leg(number).is_some_and(|leg| leg.connected && !leg.waits_for_keys());
        let asked = self.asking.as_ref().filter(|asking| asking.leg == Some(number) && is_heard);
        if let Some(offer) = asked.map(|asking| asking.offer) {
            ctx.acd(acd::Input::Answered(offer));
        }
    }

    /// The distributor gives the call to the agent who was asked.
    pub(crate) fn won(&mut self, ctx: &mut Context, offer: OfferId) {
        let Some(asking) = self.take_asking(offer) else { return };
        let Some(leg) = asking.leg else { return };
        ctx.offers.remove(&offer);
        let (offer, agent, role) = (asking.name, asking.agent.clone(), asking.role);
        self.note(ctx, FactKind::OfferAccepted { offer, agent: agent.clone(), role });
        if role == LegRole::Interpreter {
            return self.interpreter_answered(ctx, asking);
        }
        let interpreted = match &self.stage {
            Stage::Queued(queued) if needs_interpreter(ctx, &queued.wait, &agent) => {
                Some((queued.wait.clone(), queued.arrived))
            }
            _ => None,
        };
        self.script_follows = matches!(&self.stage, Stage::Queued(queued) if queued.wait.follows);
        self.leave_queue(ctx, QueueLeft::Answered, End::new(Side::Service, Cause::TakenElsewhere));
        self.taken_by_name(ctx);
        self.queued_since = None;
        if self.calls_back.is_some() {
            return self.call_back(ctx, leg, agent);
        }
        self.stage = Stage::Talking { other: leg };
        if let Some(leg) = self.leg(leg) {
            leg.belongs_to(ctx, agent);
        }
        match interpreted {
            Some(wait) => self.interpret(ctx, wait),
            None => self.talk(ctx),
        }
    }

    /// The distributor asks the agent no longer.
    pub(crate) fn retracted(&mut self, ctx: &mut Context, offer: OfferId, why: Retracted) {
        let Some(asking) = self.take_asking(offer) else { return };
        let answered = asking.leg.and_then(|leg| self.leg(leg)).is_some_and(|leg| leg.connected);
        let (reason, cause, why) = match why {
            // It had no keys.
            Retracted::Expired if answered => (OfferEnd::Failed, Cause::NotSecured, TransferEnd::Unreachable),
            Retracted::Expired => (OfferEnd::Expired, Cause::NoAnswer, TransferEnd::NoAnswer),
            Retracted::Withdrawn => (OfferEnd::Withdrawn, Cause::OtherSideLeft, TransferEnd::NoAnswer),
            Retracted::LoggedOff => (OfferEnd::Failed, Cause::Unreachable, TransferEnd::LoggedOff),
            Retracted::Engaged => (OfferEnd::Rejected, Cause::Busy, TransferEnd::Busy),
        };
        let (leg, role) = (asking.leg, asking.role);
        self.note_offer_end(ctx, asking, reason, None);
        let end = End::new(Side::Service, cause);
        self.dismiss(ctx, leg, end.clone());
        self.not_taken(ctx, role, why, end);
    }

    /// An answer came after the offer had ended.
    pub(crate) fn too_late(&mut self, ctx: &mut Context, offer: OfferId) {
        if let Some(asking) = self.take_asking(offer) {
            let end = End::new(Side::Service, Cause::TakenElsewhere);
            self.dismiss(ctx, asking.leg, end.clone());
            self.not_taken(ctx, asking.role, TransferEnd::NoAnswer, end);
        }
    }

    /// The agent's device refused, failed or went away before it won the call.
    pub(super) fn agent_refused(&mut self, ctx: &mut Context, number: u32, end: &End) {
        let Some(asking) = self.asking.take_if(|asking| asking.leg == Some(number)) else { return };
        let reason = match end.cause {
            Cause::Busy | Cause::Declined => OfferEnd::Rejected,
            Cause::NoAnswer if end.sip == Some(480) => OfferEnd::Rejected,
            _ => OfferEnd::Failed,
        };
        let (offer, role) = (asking.offer, asking.role);
        self.note_offer_end(ctx, asking, reason, end.sip);
        ctx.acd(match end.cause {
            Cause::NotSecured => acd::Input::Unheard(offer),
            _ => acd::Input::Refused(offer),
        });
        let why = if end.sip == Some(480) { TransferEnd::Declined } else { transfer_end(end) };
        self.not_taken(ctx, role, why, end.clone());
    }

    /// The agent who was asked did not take it. Whoever else interprets is asked by the distributor.
    fn not_taken(&mut self, ctx: &mut Context, role: LegRole, why: TransferEnd, end: End) {
        match &self.stage {
            _ if role == LegRole::Interpreter => {}
            Stage::ByName(_) => self.not_taken_by_name(ctx, why, end.sip),
            _ => self.not_taken_back(ctx, end),
        }
    }

    /// Nobody is asked any more, for this reason. Gives the offer that was open.
    pub(super) fn withdraw_asking(&mut self, ctx: &mut Context, end: End) -> Option<OfferId> {
        let asking = self.asking.take()?;
        let (leg, offer) = (asking.leg, asking.offer);
        self.note_offer_end(ctx, asking, OfferEnd::Withdrawn, None);
        self.dismiss(ctx, leg, end);
        Some(offer)
    }

    fn take_asking(&mut self, offer: OfferId) -> Option<Asking> {
        self.asking.take_if(|asking| asking.offer == offer)
    }

    fn dismiss(&mut self, ctx: &mut Context, number: Option<u32>, end: End) {
        if let Some(leg) = number.and_then(|number| self.leg(number)) {
            leg.dismiss(ctx, end);
        }
    }

    fn note_offer_end(&mut self, ctx: &mut Context, asking: Asking, reason: OfferEnd, sip: Option<u16>) {
        ctx.offers.remove(&asking.offer);
        let Asking { name: offer, agent, .. } = asking;
        self.note(ctx, FactKind::OfferEnded { offer, agent, reason, sip });
    }
}

/// Whether the agent does not speak the language of the call that waits so, and somebody is to interpret.
fn needs_interpreter(ctx: &Context, wait: &Wait, agent: &str) -> bool {
    let mut known = ctx.config.acd.agents.iter().filter(|known| known.name == agent);
    wait.interpreter.is_some() && known.all(|known| !known.languages.contains(&wait.language))
}

/// Why somebody who was rung did not take a call, for scripts.
pub(super) fn transfer_end(end: &End) -> TransferEnd {
    match end.cause {
        Cause::Busy => TransferEnd::Busy,
        Cause::NoAnswer => TransferEnd::NoAnswer,
        Cause::Declined => TransferEnd::Declined,
        Cause::NotFound => TransferEnd::Unknown,
        _ => TransferEnd::Unreachable,
    }
}
