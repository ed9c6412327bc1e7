//! An INVITE that takes the place of one of the call's sessions (RFC 3891): the same account from another device,
//! or the same trunk. The other party hears nothing of it.

use super::{Call, Stage};
use crate::context::{Context, Owner};
use crate::leg::{Leg, family_of};
use crate::media_terms::Reach;
use facts::{Cause, End, Side};
use sip::ua::{Do, Flow, Invite, Peer, SessionId};
use std::net::SocketAddr;

/// A leg that is about to take the place of another.
pub(crate) struct Replacing {
    old: u32,
    new: u32,
    offer: Vec<u8>,
    peer: Flow,
}

impl Call {
    /// Takes the place of this leg, or refuses: who is not the party itself, a call in which nobody talks, and an
    /// INVITE without an offer.
    pub(crate) fn replace(&mut self, ctx: &mut Context, old: u32, session: SessionId, invite: Invite) {
        match self.may_replace(old, invite) {
            Ok((offer, peer, party)) => self.open_in_place_of(ctx, old, session, (offer, peer), party),
            Err(status) => ctx.sip(Do::Refuse { session, status, q850: None, warning: None }),
        }
    }

    fn may_replace(&self, old: u32, invite: Invite) -> Result<(Vec<u8>, Flow, Peer), u16> {
        let leg = self.legs.iter().find(|leg| leg.number == old).ok_or(481u16)?;
        let same = match &invite.peer {
            Peer::Account(user) => leg.agent.as_ref() == Some(user),
            Peer::Trunk(name) => leg.trunk.as_ref() == Some(name),
            Peer::Open => false,
        };
        if !same {
            return Err(403);
        }
        if !self.is_in_talk(old) || self.end.is_some() || self.replacing.is_some() {
            return Err(480);
        }
        Ok((invite.sdp.ok_or(488u16)?, invite.flow, invite.peer))
    }

    fn open_in_place_of(
        &mut self,
        ctx: &mut Context,
        old: u32,
        session: SessionId,
        (offer, peer): (Vec<u8>, Flow),
        party: Peer,
    ) {
        let Some(known) = self.legs.iter().find(|leg| leg.number == old) else { return };
        let (identity, beside) = ((known.role, known.address.clone()), known.media);
        self.last_leg += 1;
        let owner = Owner { call: self.key, leg: self.last_leg };
        let mut leg = Leg::new(ctx, &mut self.log, owner, identity, session);
        let codecs = ctx.config.codecs.of(&party).to_vec();
        leg.open_media(ctx, owner, codecs, (family_of(Some(&offer), Some(peer.remote)), Some(beside)));
        match party {
            Peer::Trunk(trunk) => leg.goes_by(ctx, trunk),
            Peer::Account(agent) => leg.belongs_to(ctx, agent),
            Peer::Open => {}
        }
        leg.secure(ctx, Reach::by(peer.transport));
        self.legs.push(leg);
        self.replacing = Some(Replacing { old, new: owner.leg, offer, peer });
    }

    /// This leg is over before it took another's place: the next may.
    pub(super) fn replacement_over(&mut self, number: u32) {
        self.replacing.take_if(|replacing| replacing.new == number);
    }

    /// The new leg has ports: it is answered, and the old one ends. False if it is another leg that has.
    pub(super) fn replacement_opened(&mut self, ctx: &mut Context, number: u32, local: SocketAddr) -> bool {
        let Some(replacing) = self.replacing.take_if(|replacing| replacing.new == number) else {
            return false;
        };
        let still = self.is_in_talk(replacing.old);
        let other = self.codec_beside(replacing.old);
        self.ask_as_beside(number, replacing.old);
        let Some((leg, log)) = self.leg_and_log(number) else { return true };
        leg.opened(ctx, local, Some(replacing.peer.remote));
        let answer = if still { leg.answer(ctx, &replacing.offer, other).ok() } else { None };
        let Some(sdp) = answer else {
            leg.refuse(ctx, if still { 488 } else { 481 }, None, None);
            return true;
        };
        ctx.sip(Do::Accept { session: leg.session, sdp });
        leg.connect(ctx, log);
        match self.guests.is_there(replacing.old) {
            true => self.guest_goes_on_by(ctx, replacing.old, number),
            false => self.one_of_two_goes_on_by(ctx, replacing.old, number),
        }
        true
    }

    /// One of the two who talk does so by the new leg from now on.
    fn one_of_two_goes_on_by(&mut self, ctx: &mut Context, old: u32, new: u32) {
        // Who waits for a page that was lost goes on hearing music until the new one has its keys.
        let was_lost = self.takes_back(ctx, old, new);
        if self.is_conference() {
            self.leaves_room(ctx, old);
        } else if !was_lost {
            self.part(ctx);
        }
        match self.stage {
            Stage::Talking { ref mut other } if *other == old => *other = new,
            _ => self.caller = new,
        }
        self.hands_on(ctx, old, new);
        match was_lost {
            true if self.lost.has(new) => {}
            true => self.is_heard_again(ctx),
            false => self.talk(ctx),
        }
    }

    /// Ends the old leg. What is known of its party holds for the new one: what it may spend, and whether it is heard.
    pub(super) fn hands_on(&mut self, ctx: &mut Context, old: u32, new: u32) {
        let end = End::new(Side::Callee, Cause::Transferred).place(self.place());
        let mut charge = None;
        if let Some(old) = self.leg(old) {
            charge = old.gives_charge();
            old.dismiss(ctx, end);
        }
        if let Some(new) = self.leg(new) {
            new.takes_charge(charge);
        }
        self.mute_goes_along(ctx, old, new);
    }
}
