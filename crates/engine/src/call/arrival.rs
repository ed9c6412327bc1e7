//! From an INVITE to the moment at which the caller can hear.

use super::hunting::congested;
use super::told::{judged, told};
use super::{CALLER, Call, Parties, Playing, Stage, Way};
use crate::Service;
use crate::context::{CallKey, Context, Errand, Owner};
use crate::destinations::Meant;
use crate::leg::{Leg, family_of};
use crate::media_terms::Reach;
use crate::trust::Trust;
use facts::{Cause, End, FactKind, LegRole, PassedOver, Side};
use media_api::{Command, LegId};
use sip::negotiation::Refusal;
use sip::ua::{Do, Invite, Peer, SessionId};
use std::net::SocketAddr;

/// A session that begins, with what its INVITE says.
pub(crate) type Arriving = (SessionId, Invite, Parties, Way);

impl Call {
    /// A call that this service will answer. Ports are asked for; the rest follows when they are there.
    pub(crate) fn arrive(
        ctx: &mut Context,
        key: CallKey,
        (session, invite, parties, way): Arriving,
        Meant { service, charge, .. }: Meant,
    ) -> Call {
        let name = service.name().to_owned();
        let (peer, reach) = (invite.peer.clone(), Reach::by(invite.flow.transport));
        let mut call = Call::new(ctx, key, (session, invite, parties, way), name, service);
        call.charge = charge;
        let owner = Owner { call: key, leg: CALLER };
        // Beside the call that an agent is in: the two may become one.
        let first = if let Peer::Account(user) = &peer { ctx.leg_of(user) } else { None };
        if let Some(first) = first {
            call.consults(ctx, first);
        }
        let room = if let Service::Room { name, .. } = &call.service { Some(name.clone()) } else { None };
        let beside = room.as_ref().map_or(first, |room| ctx.rooms.beside(room));
        let family = family_of(call.offer.as_deref(), Some(call.peer));
        let codecs = ctx.config.codecs.of(&peer).to_vec();
        let Some(caller) = call.leg(CALLER) else { return call };
        caller.open_media(ctx, owner, codecs, (family, beside));
        if let Some(room) = &room {
            ctx.rooms.enter(room, caller.media);
        }
        match peer {
            Peer::Account(user) => caller.belongs_to(ctx, user),
            Peer::Trunk(name) => caller.goes_by(ctx, name),
            Peer::Open => {}
        }
        caller.secure(ctx, reach);
        call
    }

    /// Its caller is in another call, which is told of this one.
    fn consults(&mut self, ctx: &mut Context, beside: LegId) {
        let Some(Owner { call, .. }) = ctx.media.get(&beside).copied() else { return };
        self.consults_for = Some(call);
        let (to, consultation) = (self.to.clone(), self.log.id.clone());
        ctx.errands.push_back(Errand::Consulting { call, to, consultation });
    }

    /// A call to nobody, or at the wrong time: it is refused, and leaves a record all the same.
    pub(crate) fn refused(
        ctx: &mut Context,
        key: CallKey,
        (session, invite, parties, way): Arriving,
        service: &str,
        end: End,
    ) -> Call {
        let mut call =
            Call::new(ctx, key, (session, invite, parties, way), service.to_owned(), Service::Silence);
        call.finish(ctx, end);
        call
    }

    /// A call by a trunk that carries as many as it can.
    pub(crate) fn without_channel(
        ctx: &mut Context,
        key: CallKey,
        (session, invite, parties, way): Arriving,
        trunk: String,
    ) -> Call {
        let mut call = Call::new(ctx, key, (session, invite, parties, way), String::new(), Service::Silence);
        let passed_over = vec![PassedOver { trunk, why: "channels".to_owned() }];
        let end = congested(&passed_over);
        let to = call.to.clone();
        call.note(ctx, FactKind::CallCongested { to, route: String::new(), passed_over });
        call.finish(ctx, end);
        call
    }

    fn new(
        ctx: &mut Context,
        key: CallKey,
        (session, invite, parties, way): Arriving,
        service_name: String,
        service: Service,
    ) -> Call {
        let body = ctx.config.bodies.of_call(parties.dialled.as_str(), &invite.peer);
        let mut log = ctx.begin_log(body);
        let (from, to) = (parties.caller.to_string(), parties.dialled.to_string());
        let mut told = told(&parties, &invite, &ctx.config.numbering.origins);
        let (config, times) = (ctx.config.clone(), (ctx.now, ctx.wall()));
        let mut trust = Trust::of(&parties, &invite, &config.numbering, &mut ctx.velocity, times);
        told.push(judged(ctx, &mut trust));
        let (trunk, origin) = (peer_name(&invite.peer), told.first().cloned());
        let arrived = FactKind::CallArrived {
            from: from.clone(),
            to: to.clone(),
            service: service_name.clone(),
            trunk: trunk.clone(),
            sip_call_id: invite.call_id,
        };
        ctx.note_call(&mut log, arrived);
        for fact in told {
            ctx.note_call(&mut log, fact);
        }
        let owner = Owner { call: key, leg: CALLER };
        let identity = (LegRole::Caller, from.clone());
        let caller = Leg::new(ctx, &mut log, owner, identity, session);
        Call {
            by_account: matches!(invite.peer, Peer::Account(_)),
            trunk,
            origin,
            from_display: parties.display,
            trust,
            peer: invite.flow.remote,
            way,
            offer: invite.sdp,
            legs: vec![caller],
            caller: CALLER,
            last_leg: CALLER,
            ..Call::without_legs(ctx, (key, log), (from, to), service_name, service)
        }
    }

    pub(super) fn caller_opened(&mut self, ctx: &mut Context, local: SocketAddr) {
        let peer = self.peer;
        if let Some(leg) = self.leg(self.caller) {
            leg.opened(ctx, local, Some(peer));
        }
        match self.service.clone() {
            Service::Dial(target) => match self.check_offer() {
                Ok(()) => self.dial_before_answer(ctx, target),
                Err(refusal) => self.refuse_media(ctx, refusal),
            },
            _ => self.answer_caller(ctx),
        }
    }

    /// Nobody is rung for a caller who could not be spoken with.
    fn check_offer(&mut self) -> Result<(), Refusal> {
        let offer = self.offer.take();
        let answerable = match (self.leg(self.caller), &offer) {
            (Some(caller), Some(offer)) => caller.can_answer(offer),
            _ => Ok(()),
        };
        self.offer = offer;
        answerable
    }

    pub(super) fn no_ports(&mut self, ctx: &mut Context, why: &str) {
        self.finish(ctx, End::new(Side::Engine, Cause::Capacity).sip(503).detail(why));
    }

    /// Answers, with an answer to the caller's offer or with an offer of our own (RFC 3261 §13.2.1).
    pub(super) fn answer_caller(&mut self, ctx: &mut Context) {
        match self.offer.take() {
            Some(offer) => match self.answer_offer(ctx, &offer) {
                Ok(()) => self.begin(ctx),
                Err(refusal) => self.refuse_media(ctx, refusal),
            },
            None => {
                let Some(leg) = self.leg(self.caller) else { return };
                let (session, sdp) = (leg.session, leg.offer());
                ctx.sip(Do::Accept { session, sdp });
            }
        }
    }

    fn answer_offer(&mut self, ctx: &mut Context, offer: &[u8]) -> Result<(), Refusal> {
        let other = self.other_codec();
        self.ask_as_beside(self.caller, self.caller);
        let Some((leg, log)) = self.leg_and_log(self.caller) else { return Ok(()) };
        let sdp = match leg.early_answer.take() {
            Some(sdp) => sdp,
            None => leg.answer(ctx, offer, other)?,
        };
        ctx.sip(Do::Accept { session: leg.session, sdp });
        leg.connect(ctx, log);
        Ok(())
    }

    /// The caller acknowledged; if our 200 held the offer, this is the answer.
    pub(crate) fn confirmed(&mut self, ctx: &mut Context, number: u32, sdp: Option<Vec<u8>>) {
        let Some((leg, log)) = self.leg_and_log(number) else { return };
        let first = !leg.connected;
        let Some(sdp) = sdp else {
            if first {
                let why = "the ACK held no answer to our offer";
                self.refuse_media(ctx, Refusal::malformed(why));
            }
            return;
        };
        match leg.answered(ctx, &sdp) {
            Ok(()) if first => {
                leg.connect(ctx, log);
                self.begin(ctx);
            }
            Ok(()) => self.follow_hold(ctx, number),
            Err(refusal) if first => self.refuse_media(ctx, refusal),
            Err(_) => {}
        }
    }

    fn refuse_media(&mut self, ctx: &mut Context, refusal: Refusal) {
        if let Some(caller) = self.leg(self.caller).filter(|caller| !caller.connected) {
            caller.refuse(ctx, refusal.status, None, Some(refusal.warning()));
        }
        let cause = if refusal.status == 488 { Cause::NoCommonMedia } else { Cause::BadMedia };
        self.finish(ctx, End::new(Side::Engine, cause).sip(refusal.status).detail(refusal.why));
    }

    /// The caller can hear.
    pub(crate) fn begin(&mut self, ctx: &mut Context) {
        let Some(media) = self.caller_media() else { return };
        match self.service.clone() {
            Service::Script { script, language } => self.start_script(ctx, script, language),
            Service::Silence => self.stage = Stage::Measured,
            Service::Play(sound) => {
                self.stage = Stage::Measured;
                let play = ctx.play(media, vec![sound], true);
                self.playing = Some((play, Playing::Music));
            }
            Service::Echo => {
                self.stage = Stage::Measured;
                ctx.media(Command::Echo { leg: media });
            }
            Service::Room { chime, announce, .. } => {
                self.stage = Stage::Measured;
                self.take_seat(ctx, chime);
                if let Some(room) = ctx.rooms.of(media).filter(|_| !announce.is_empty()) {
                    ctx.announce(room, media, announce);
                }
            }
            Service::Dial(_) => self.talk(ctx),
        }
    }
}

pub(super) fn peer_name(peer: &Peer) -> String {
    match peer {
        Peer::Trunk(name) => name.clone(),
        Peer::Account(user) => format!("account:{user}"),
        Peer::Open => "open".to_owned(),
    }
}
