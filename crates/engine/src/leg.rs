//! One party's connection: a SIP session and a media leg, and what they agreed.

use crate::call::q850_of;
use crate::charges::{self, Charge};
use crate::context::{Context, Owner};
use crate::ledger::CallLog;
use crate::media_terms::{Reach, key_facts};
use crate::quality;
use crate::seeking::Seeking;
use base::Time;
use facts::{End, FactKind, LegRole};
use media_api::{Codec, Command, Direction, Family, KeyTerms, LegId, Opus, Security, Stats, Stream};
use sip::negotiation::{self, Abilities, Handshaking, Keying, Negotiation, Refusal};
use sip::ua::{Do, Flow, SessionId, Warning};
use std::net::SocketAddr;
use std::time::Duration;

/// A leg of a call, from its creation until both its session and its media are over.
pub(crate) struct Leg {
    /// From 1 within the call.
    pub(crate) number: u32,
    pub(crate) role: LegRole,
    /// The party's number or URI.
    pub(crate) address: String,
    /// The account that it keeps busy, until the leg is over.
    pub(crate) agent: Option<String>,
    /// The trunk that it came or goes by.
    pub(crate) trunk: Option<String>,
    pub(crate) session: SessionId,
    pub(crate) media: LegId,
    pub(crate) negotiation: Negotiation,
    /// What was offered with the call: any fork of it may answer that, whatever another has said since.
    called: Option<Box<Negotiation>>,
    /// Our answer to the call's offer, if it was given before the call was answered.
    pub(crate) early_answer: Option<Vec<u8>>,
    /// Our RTP address as the peer is to see it; nothing until media has opened it.
    pub(crate) local: Option<SocketAddr>,
    /// Media flows: 200 and SDP have crossed.
    pub(crate) connected: bool,
    /// How its media is encrypted, as far as that was told.
    secured: Option<KeyTerms>,
    /// The peer asked us to be silent, or is silent itself, on purpose.
    pub(crate) held: bool,
    /// Since when the watchdog hears nothing of a party that should be heard.
    pub(crate) silent_since: Option<Time>,
    seeking: Seeking,
    /// Its handshake has given keys.
    keyed: bool,
    /// The connection of its SIP broke, and nothing has come by another one since.
    pub(crate) way_broke: bool,
    /// Its media finds no way here any more.
    pub(crate) path_lost: bool,
    /// Where it was found last, which is to say that it has looked for us.
    pub(crate) found_at: Option<SocketAddr>,
    /// The time of its handshake began before the call was answered.
    shakes_early: bool,
    /// The last proof that the party is there: an answer, an offer, speech after silence.
    alive_at: Time,
    /// `leg.ringing` has been written.
    rung: bool,
    /// What the conversation with a number outside is counted for.
    charge: Option<Charge>,
    /// Why we ended it, if we did while the call went on.
    pub(crate) dismissed: Option<End>,
    session_over: bool,
    media_over: bool,
}

impl Leg {
    /// A leg whose session exists. It has no media until ports are asked for.
    pub(crate) fn new(
        ctx: &mut Context,
        log: &mut CallLog,
        owner: Owner,
        identity: (LegRole, String),
        session: SessionId,
    ) -> Leg {
        let (role, address) = identity;
        ctx.sessions.insert(session, owner);
        let sip_call_id = ctx.sip.call_id(session);
        let leg = owner.leg;
        ctx.note_call(log, FactKind::LegCreated { leg, role, address: address.clone(), sip_call_id });
        Leg {
            number: owner.leg,
            role,
            address,
            agent: None,
            trunk: None,
            session,
            media: LegId(0),
            negotiation: Negotiation::new(0, Abilities::of(Vec::new())),
            called: None,
            early_answer: None,
            local: None,
            connected: false,
            secured: None,
            held: false,
            silent_since: None,
            seeking: Seeking::default(),
            keyed: false,
            way_broke: false,
            path_lost: false,
            found_at: None,
            shakes_early: false,
            alive_at: ctx.now,
            rung: false,
            charge: None,
            dismissed: None,
            session_over: false,
            media_over: true,
        }
    }

    /// Belongs to an account from now on, which is busy until the leg is over.
    pub(crate) fn belongs_to(&mut self, ctx: &mut Context, agent: String) {
        ctx.occupy(&agent, self.media);
        self.agent = Some(agent);
    }

    /// The number outside answered: what it costs is counted from now on, until the leg is over.
    pub(crate) fn is_charged(&mut self, ctx: &mut Context, mut charge: Option<Charge>) {
        if let Some(charge) = &mut charge {
            charges::answered(ctx, charge);
        }
        self.charge = charge;
    }

    /// Why the conversation ends now, if it may not go on.
    pub(crate) fn is_broken_off(&mut self, ctx: &mut Context) -> Option<End> {
        charges::broken_off(ctx, self.charge.as_mut()?)
    }

    /// Whether it is counted against a ceiling of spending.
    pub(crate) fn has_ceiling(&self, ctx: &Context) -> bool {
        self.charge.as_ref().is_some_and(|charge| charges::has_ceiling(ctx, charge))
    }

    /// When that is to be asked.
    pub(crate) fn limit_at(&self) -> Option<Time> {
        self.charge.as_ref().and_then(Charge::poll_timeout)
    }

    /// Another leg goes on with the conversation that is counted.
    pub(crate) fn gives_charge(&mut self) -> Option<Charge> {
        self.charge.take()
    }

    /// Goes on with the conversation of another leg.
    pub(crate) fn takes_charge(&mut self, charge: Option<Charge>) {
        self.charge = charge;
    }

    /// Comes or goes by a trunk, and takes one of its channels until it is over.
    pub(crate) fn goes_by(&mut self, ctx: &mut Context, trunk: String) {
        ctx.lines.carry(&trunk, self.session);
        self.trunk = Some(trunk);
    }

    /// Another call has it from now on, under this number.
    pub(crate) fn adopted(&mut self, ctx: &mut Context, log: &mut CallLog, owner: Owner) {
        self.number = owner.leg;
        ctx.sessions.insert(self.session, owner);
        ctx.media.insert(self.media, owner);
        ctx.media(Command::Capture { leg: self.media, capture: ctx.captures.of(owner.call) });
        let (leg, role, address) = (owner.leg, self.role, self.address.clone());
        let sip_call_id = ctx.sip.call_id(self.session);
        ctx.note_call(log, FactKind::LegCreated { leg, role, address, sip_call_id });
        // The other call was told.
        let secured = self.secured.take();
        self.connect(ctx, log);
        self.secured_by(ctx, log, secured);
        if let Some(at) = self.found_at {
            ctx.note_call(log, FactKind::MediaPathFound { leg, at: at.to_string() });
        }
    }

    /// Asks for ports of a family, in the shard of `beside`. The leg speaks these codecs, the best first.
    pub(crate) fn open_media(
        &mut self,
        ctx: &mut Context,
        owner: Owner,
        codecs: Vec<Codec>,
        (family, beside): (Family, Option<LegId>),
    ) {
        self.media = ctx.open_media(owner, family, beside);
        self.media_over = false;
        let number = ctx.seed.named("sdp").numbered(self.media.0).rng().next_u32();
        self.negotiation = Negotiation::new(u64::from(number), Abilities::of(codecs));
    }

    /// Encrypts its media as is configured for its agent or its trunk, and as browsers do if it is one. False if no offer can
    /// be made to it so.
    pub(crate) fn secure(&mut self, ctx: &Context, reach: Reach) -> bool {
        // Who is rung for a queue has no other name.
        let rung = || (self.role == LegRole::Agent).then_some(self.address.as_str());
        let terms = ctx.config.media_terms.of(self.agent.as_deref().or_else(rung), self.trunk.as_deref());
        self.negotiation.set_keying(Keying {
            policy: terms.security,
            may_tell: reach.confidential || terms.keys_in_clear,
            seed: ctx.seed.named("srtp").numbered(self.media.0),
        });
        self.negotiation.set_handshaking(ctx.config.media_certificate.clone().map(|fingerprint| {
            let seed = ctx.seed.named("ice").numbered(self.media.0);
            Handshaking { fingerprint, seed, offers: reach.browser }
        }));
        self.negotiation.can_offer()
    }

    /// The ports are there. Gives the address to write into SDP.
    pub(crate) fn opened(
        &mut self,
        ctx: &Context,
        local: SocketAddr,
        peer: Option<SocketAddr>,
    ) -> SocketAddr {
        let shown = shown_address(ctx, local, peer);
        // SIP may come by a server that is near while the browser is far.
        let other = match shown == local {
            true => ctx.config.media_public.of(Family::of(local.ip())),
            false => Some(local.ip()),
        };
        self.negotiation.reach_also_at(other);
        self.local = Some(shown);
        shown
    }

    /// Answers an offer, with the codec `prefer` or what is near to it if it is in it, and puts the agreement in force.
    pub(crate) fn answer(
        &mut self,
        ctx: &mut Context,
        offer: &[u8],
        prefer: Option<Codec>,
    ) -> Result<Vec<u8>, Refusal> {
        let local = self.local.unwrap_or_else(unspecified);
        let (sdp, stream) = match prefer {
            Some(codec) => self.negotiation.answer_preferring(offer, local, codec)?,
            None => self.negotiation.answer(offer, local)?,
        };
        self.agree(ctx, stream);
        Ok(sdp)
    }

    /// Answers an offer before the call is answered, with this codec if it is in it. The answer stays the same.
    pub(crate) fn answer_early(
        &mut self,
        ctx: &mut Context,
        offer: &[u8],
        codec: Option<Codec>,
    ) -> Option<Vec<u8>> {
        if self.early_answer.is_none() {
            self.early_answer = self.answer(ctx, offer, codec).ok();
            self.shakes_early = self.early_answer.is_some();
        }
        self.early_answer.clone()
    }

    /// Makes an offer to send and receive.
    pub(crate) fn offer(&mut self) -> Vec<u8> {
        let local = self.local.unwrap_or_else(unspecified);
        self.negotiation.offer(local, Direction::SendRecv)
    }

    /// Makes the offer of a call.
    pub(crate) fn first_offer(&mut self) -> Vec<u8> {
        let sdp = self.offer();
        self.called = Some(Box::new(self.negotiation.clone()));
        sdp
    }

    /// Takes an answer to the call's offer, early or final, and puts the agreement in force.
    pub(crate) fn first_answered(&mut self, ctx: &mut Context, answer: &[u8]) -> Result<(), Refusal> {
        let mut negotiation = self.called.as_deref().unwrap_or(&self.negotiation).clone();
        let stream = negotiation.answered(answer)?;
        self.negotiation = negotiation;
        self.agree(ctx, stream);
        Ok(())
    }

    /// The call is answered: with this, or by what was agreed before.
    pub(crate) fn answered_finally(
        &mut self,
        ctx: &mut Context,
        answer: Option<&[u8]>,
    ) -> Result<(), Refusal> {
        match answer {
            Some(answer) => self.first_answered(ctx, answer),
            None if self.negotiation.stream().is_some() => Ok(()),
            None => Err(Refusal::malformed("what was agreed before the answer could not be taken")),
        }
    }

    /// Whether an answer to this offer could be made.
    pub(crate) fn can_answer(&self, offer: &[u8]) -> Result<(), Refusal> {
        let local = self.local.unwrap_or_else(unspecified);
        self.negotiation.clone().answer(offer, local)?;
        Ok(())
    }

    /// The party has shown that it is there.
    pub(crate) fn is_alive(&mut self, now: Time) {
        self.alive_at = now;
    }

    /// When a party that says nothing, or is not to be heard by agreement, is to be asked whether it is still there.
    pub(crate) fn probe_at(&self, patience: Duration) -> Option<Time> {
        let talks = self.negotiation.stream().is_some_and(|stream| stream.direction == Direction::SendRecv);
        let quiet = !talks || self.silent_since.is_some();
        (self.connected && quiet).then(|| self.alive_at + patience)
    }

    /// Asks the party whether it is still there, by offering what is in force, unless it is being asked.
    pub(crate) fn probe(&mut self, ctx: &mut Context) {
        self.alive_at = ctx.now;
        if !self.seeking.may_ask() {
            return;
        }
        let direction = self.negotiation.stream().map_or(Direction::SendRecv, |stream| stream.direction);
        let local = self.local.unwrap_or_else(unspecified);
        let sdp = self.negotiation.offer(local, direction);
        ctx.sip(Do::Reoffer { session: self.session, sdp });
    }

    /// Its media comes by a way that it looks for itself.
    pub(crate) fn is_browser(&self) -> bool {
        matches!(self.negotiation.stream().map(|stream| &stream.security), Some(Security::Handshake(_)))
    }

    /// Nobody is to be left alone with it: it holds, or is a browser that is not heard. Browsers send what is silent, too.
    pub(crate) fn is_away(&self) -> bool {
        self.held || (self.silent_since.is_some() && self.is_browser())
    }

    /// Asks a browser to look for us anew; what it hears and says goes on meanwhile, if it does.
    pub(crate) fn seek_anew(&mut self, ctx: &mut Context) {
        if self.connected && self.is_browser() && self.seeking.may_begin() {
            self.negotiation.restart();
            self.probe(ctx);
        }
    }

    /// Whether the party is this account. Who is rung for a queue has no other name than its address.
    pub(crate) fn is_of(&self, user: &str) -> bool {
        let rung = self.role == LegRole::Agent && self.address == user;
        rung || self.agent.as_deref() == Some(user)
    }

    /// Its account has registered by this way.
    pub(crate) fn shows_itself(&mut self, ctx: &mut Context, flow: Flow) {
        if ctx.sip.way_of(self.session) != Some(flow) {
            return;
        }
        self.seeking.shows_itself(ctx.now);
        if self.silent_since.is_some() {
            self.seek_anew(ctx);
        }
    }

    /// The watchdog hears nothing of it.
    pub(crate) fn falls_silent(&mut self, ctx: &mut Context) {
        self.silent_since = Some(ctx.now);
        self.alive_at = ctx.now;
        if self.seeking.has_shown_itself(ctx.now) {
            self.seek_anew(ctx);
        }
    }

    /// An offer of ours in mid-call was answered or refused.
    pub(crate) fn offer_is_over(&mut self, ctx: &mut Context) {
        if self.seeking.is_answered() {
            self.seek_anew(ctx);
        }
    }

    /// The party's device rings. False if it did before.
    pub(crate) fn rings(&mut self) -> bool {
        !std::mem::replace(&mut self.rung, true)
    }

    /// Whether its device rang.
    pub(crate) fn has_rung(&self) -> bool {
        self.rung
    }

    /// Takes the peer's answer to our offer and puts the agreement in force.
    pub(crate) fn answered(&mut self, ctx: &mut Context, answer: &[u8]) -> Result<(), Refusal> {
        let stream = self.negotiation.answered(answer)?;
        self.agree(ctx, stream);
        Ok(())
    }

    /// The party and Cornetta can hear each other from now on.
    pub(crate) fn connect(&mut self, ctx: &mut Context, log: &mut CallLog) {
        self.connected = true;
        self.alive_at = ctx.now;
        let codec = self.codec().map(Codec::encoding).unwrap_or_default().to_owned();
        ctx.note_call(log, FactKind::LegConnected { leg: self.number, codec, csrc: self.media.source() });
        self.tell_security(ctx, log);
        self.held = self.wants_silence();
        if self.held {
            ctx.note_call(log, FactKind::LegHeld { leg: self.number });
        }
    }

    /// Says how the media is encrypted, if it is and that is not said yet.
    pub(crate) fn tell_security(&mut self, ctx: &mut Context, log: &mut CallLog) {
        let terms = match self.negotiation.stream().map(|stream| &stream.security) {
            Some(Security::Keyed(keys)) => Some(keys.terms()),
            // Said when it has given its keys.
            Some(Security::Handshake(_)) => return,
            Some(Security::Plain) | None => None,
        };
        self.secured_by(ctx, log, terms);
    }

    /// This is how its media is encrypted from now on: says so, if it is not said yet.
    pub(crate) fn secured_by(&mut self, ctx: &mut Context, log: &mut CallLog, terms: Option<KeyTerms>) {
        if let Some(terms) = terms.filter(|terms| self.secured != Some(*terms)) {
            ctx.note_call(log, FactKind::MediaSecured { leg: self.number, keys: key_facts(terms) });
        }
        self.secured = terms;
    }

    /// Its handshake has given keys, or came to nothing.
    pub(crate) fn has_keys(&mut self, keyed: bool) {
        self.keyed = keyed;
    }

    /// Its handshake came to nothing: begins it anew, if the party may not have known of it. Who is described to before the
    /// answer may look for us only after it (RFC 3261 §13.2.1); then its time counts from the answer, once. False if it knew.
    pub(crate) fn shakes_anew(&mut self, ctx: &mut Context) -> bool {
        let may_not_know = self.shakes_early && self.found_at.is_none();
        let Some(stream) = self.negotiation.stream().filter(|_| may_not_know).cloned() else { return false };
        self.shakes_early = !self.connected;
        self.agree(ctx, stream);
        true
    }

    /// Its keys are still to come: until then it neither hears nor is heard.
    pub(crate) fn waits_for_keys(&self) -> bool {
        self.is_browser() && !self.keyed
    }

    /// A page that is gone: its SIP broke off and nothing is heard of it either.
    pub(crate) fn is_gone(&self) -> bool {
        self.is_browser() && self.way_broke && (self.path_lost || self.silent_since.is_some())
    }

    /// What it can speak without another agreement or, before there is one, by this offer: the best first.
    pub(crate) fn speaks(&self, offer: Option<&[u8]>) -> Vec<Codec> {
        match (self.codec(), offer) {
            (Some(codec), _) => vec![codec],
            (None, Some(offer)) => self.negotiation.common_codecs(offer),
            (None, None) => Vec::new(),
        }
    }

    /// How it wants to be sent Opus, if it speaks that or, before there is an agreement, could by this offer.
    pub(crate) fn wants_opus(&self, offer: Option<&[u8]>) -> Option<Opus> {
        match (self.codec(), offer) {
            (None, Some(offer)) => self.negotiation.offered_opus(offer),
            _ => self.negotiation.opus(),
        }
    }

    /// The codec in force.
    pub(crate) fn codec(&self) -> Option<Codec> {
        self.negotiation.stream().map(|stream| stream.codec)
    }

    /// The peer holds: it does not want to hear us, whatever it sends itself.
    pub(crate) fn wants_silence(&self) -> bool {
        self.negotiation
            .stream()
            .is_some_and(|stream| matches!(stream.direction, Direction::RecvOnly | Direction::Inactive))
    }

    /// By agreement it may say something.
    pub(crate) fn is_to_be_heard(&self) -> bool {
        self.negotiation.stream().is_some_and(Stream::may_receive)
    }

    /// Ends the session while the call goes on, for this reason.
    pub(crate) fn dismiss(&mut self, ctx: &mut Context, mut end: End) {
        let q850 = Some(q850_of(&end));
        end.q850 = q850;
        self.dismissed = Some(end);
        self.hang_up(ctx, q850);
    }

    /// Ends the session, unless it is over.
    pub(crate) fn hang_up(&mut self, ctx: &mut Context, q850: Option<u8>) {
        if !self.session_over {
            ctx.sip(Do::HangUp { session: self.session, q850 });
        }
    }

    /// Refuses an incoming session, unless it is over.
    pub(crate) fn refuse(
        &mut self,
        ctx: &mut Context,
        status: u16,
        q850: Option<u8>,
        warning: Option<Warning>,
    ) {
        if !self.session_over {
            ctx.sip(Do::Refuse { session: self.session, status, q850, warning });
        }
    }

    /// The session is over: says so and gives the ports back.
    pub(crate) fn session_over(&mut self, ctx: &mut Context, log: &mut CallLog, end: End) {
        self.session_over = true;
        self.connected = false;
        ctx.sessions.remove(&self.session);
        if let Some(agent) = self.agent.take() {
            ctx.vacate(&agent, self.media);
        }
        if let Some(trunk) = &self.trunk {
            ctx.lines.release(trunk, self.session);
        }
        ctx.note_call(log, FactKind::LegEnded { leg: self.number, end });
        if let Some(charge) = self.charge.take() {
            charges::settle(ctx, charge);
        }
        if !self.media_over {
            ctx.media(Command::Close { leg: self.media });
        }
    }

    /// The ports are given back.
    pub(crate) fn media_closed(&mut self, ctx: &mut Context, log: &mut CallLog, stats: &Stats) {
        self.media_gone(ctx);
        ctx.note_call(log, quality::of_the_whole(self.number, stats));
    }

    /// There are no ports, and nothing was sent or received.
    pub(crate) fn media_gone(&mut self, ctx: &mut Context) {
        self.media_over = true;
        ctx.media.remove(&self.media);
        ctx.rooms.leave(self.media);
    }

    /// Nothing more can come of this leg.
    pub(crate) fn is_over(&self) -> bool {
        self.session_over && self.media_over
    }

    pub(crate) fn media_is_over(&self) -> bool {
        self.media_over
    }

    pub(crate) fn session_is_over(&self) -> bool {
        self.session_over
    }

    fn agree(&mut self, ctx: &mut Context, stream: Stream) {
        ctx.media(Command::Configure { leg: self.media, stream });
    }
}

/// The family that a party who offers wants to be spoken to by; without an offer, that of the way its SIP takes.
/// IPv4 as long as neither is known.
pub(crate) fn family_of(offer: Option<&[u8]>, peer: Option<SocketAddr>) -> Family {
    let by_sip = || peer.map_or(Family::V4, |peer| Family::of(peer.ip()));
    offer.and_then(negotiation::offered_family).unwrap_or_else(by_sip)
}

fn shown_address(ctx: &Context, local: SocketAddr, peer: Option<SocketAddr>) -> SocketAddr {
    let Some(public) = ctx.config.media_public.of(Family::of(local.ip())) else { return local };
    let near = peer.is_some_and(|peer| ctx.config.local_nets.iter().any(|net| net.contains(&peer.ip())));
    if near { local } else { SocketAddr::new(public, local.port()) }
}

/// Written only if media never opened, in which case the session is being refused anyway.
fn unspecified() -> SocketAddr {
    SocketAddr::from(([0, 0, 0, 0], 0))
}
