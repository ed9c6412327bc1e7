//! While another party outside is being called for the caller: a transfer, or a service that only puts
//! through.

use super::asking::transfer_end;
use super::early::Told;
use super::ending::Phase;
use super::hunting::{Hunt, congested, is_elsewhere};
use super::transferring::Transfer;
use super::{Call, Playing, Stage};
use crate::Target;
use crate::context::Context;
use crate::media_terms::Reach;
use base::Time;
use facts::{CallPhase, Cause, End, FactKind, LegRole, PassedOver, Side};
use ivr::{Input, TransferEnd};
use sip::ua::{Contact, Do, Elsewhere, MAX_FORWARDS, Peer, SessionId, Towards};
use std::net::SocketAddr;
use std::time::Duration;

/// How long a service that only puts through lets the other party ring.
const RING: Duration = Duration::from_secs(120);

/// Another party being called.
pub(crate) struct Dialling {
    /// Of a number outside: by the trunk that is being tried.
    target: Target,
    /// The trunks that are left for it.
    hunt: Option<Hunt>,
    /// As facts name it.
    pub(super) to: String,
    pub(super) leg: u32,
    pub(super) purpose: Purpose,
    /// What the caller was told before an answer.
    pub(super) early: Told,
    /// How long it may ring.
    ring: Duration,
    /// It has rung long enough then.
    pub(super) until: Time,
}

impl Dialling {
    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// Whether the caller has not been answered yet.
    pub(super) fn is_arrival(&self) -> bool {
        matches!(self.purpose, Purpose::Arrival)
    }
}

/// What it is for.
#[derive(Clone, Debug)]
pub(crate) enum Purpose {
    /// The caller is answered when the other party answers.
    Arrival,
    /// A script asked for it, and has the call back if it fails.
    Script,
    /// A party handed the call over.
    Transfer(Transfer),
    /// An agent is there to call somebody back.
    Callback,
    /// One more is to be in the conversation: the guest of this number.
    Guest(u32),
}

impl Call {
    /// The script wants the call put through.
    pub(super) fn transfer(&mut self, ctx: &mut Context, to: String, ring: Duration) {
        self.note(ctx, FactKind::TransferStarted { to: to.clone(), by: None });
        self.phase = CallPhase::Transferring { to: to.clone() };
        match resolve(ctx, &to) {
            Some(target) => self.dial(ctx, target, to, ring, Purpose::Script),
            None => self.script_transfer_failed(ctx, to, None, TransferEnd::Unknown),
        }
    }

    /// The service is another party: the caller is answered when that party answers.
    pub(super) fn dial_before_answer(&mut self, ctx: &mut Context, target: Target) {
        let to = address(&target);
        self.dial(ctx, target, to, RING, Purpose::Arrival);
    }

    /// Calls another party, with music for whoever has been answered.
    pub(super) fn dial(
        &mut self,
        ctx: &mut Context,
        target: Target,
        to: String,
        ring: Duration,
        purpose: Purpose,
    ) {
        if let Some(end) = self.way.refuses(&target) {
            return self.dial_failed(ctx, to, purpose, end.place("dialling"));
        }
        match self.leaves_by(ctx, &target, &purpose) {
            Some(trunk) => self.leave(ctx, trunk, (target, to), (ring, purpose)),
            None => self.dial_ourselves(ctx, target, to, ring, purpose),
        }
    }

    /// The same, and never by asking an operator.
    pub(super) fn dial_ourselves(
        &mut self,
        ctx: &mut Context,
        target: Target,
        to: String,
        ring: Duration,
        purpose: Purpose,
    ) {
        if !matches!(purpose, Purpose::Guest(_)) {
            self.phases.enter(ctx.now, Phase::Other);
        }
        let (hunt, early) = (Hunt::of(ctx, &target), Told::default());
        let (leg, until) = (self.last_leg, ctx.now);
        self.attempt(ctx, Dialling { target, hunt, to, leg, purpose, early, ring, until }, None);
    }

    /// One attempt: at the party, or by the next trunk that has room. `before` is how the last one failed.
    fn attempt(&mut self, ctx: &mut Context, mut dialling: Dialling, before: Option<End>) {
        let session = match vacancy(ctx, &dialling.target) {
            Ok(session) => session,
            Err(end) => return self.dial_failed(ctx, dialling.to, dialling.purpose, end),
        };
        let chosen = match dialling.hunt.as_mut().map(|hunt| hunt.next(ctx)).transpose() {
            Ok(chosen) => chosen,
            Err(passed_over) => {
                ctx.sip(Do::HangUp { session, q850: None });
                return self.no_trunk(ctx, dialling, passed_over, before);
            }
        };
        self.last_leg += 1;
        (dialling.leg, dialling.until) = (self.last_leg, ctx.now + dialling.ring);
        if let Some(chosen) = &chosen {
            dialling.target = chosen.target.clone();
        }
        let (target, to, arrives) = (dialling.target.clone(), dialling.to.clone(), dialling.is_arrival());
        let way = route(ctx, &target).and_then(|route| ctx.sip.way_to(ctx.now, &route.towards));
        let route = dialling.hunt.as_ref().map(|hunt| hunt.route.clone()).unwrap_or_default();
        let role = self.role_of(&dialling.purpose, &target);
        match dialling.purpose {
            Purpose::Guest(guest) => self.guest_is_dialled(guest, dialling),
            _ => {
                self.stage = Stage::Dialling(dialling);
                if !arrives && !matches!(self.playing, Some((_, Playing::Music))) {
                    self.play_music(ctx);
                }
            }
        }
        let party = match (target.agent(), &chosen) {
            (Some(agent), _) => Peer::Account(agent.to_owned()),
            (None, Some(chosen)) => Peer::Trunk(chosen.trunk.clone()),
            (None, None) => Peer::Open,
        };
        self.create_other(ctx, session, (role, to), (&party, way.map(|flow| flow.remote)));
        let Some(leg) = self.leg(self.last_leg) else { return };
        match party {
            Peer::Account(agent) => leg.belongs_to(ctx, agent),
            Peer::Trunk(trunk) => {
                leg.goes_by(ctx, trunk.clone());
                let passed_over = chosen.map(|chosen| chosen.passed_over).unwrap_or_default();
                self.note(ctx, FactKind::LegRouted { leg: self.last_leg, trunk, route, passed_over });
            }
            Peer::Open => {}
        }
    }

    fn role_of(&self, purpose: &Purpose, target: &Target) -> LegRole {
        match purpose {
            Purpose::Guest(guest) if self.guests.is_supervisor(*guest) => LegRole::Supervisor,
            _ if target.agent().is_some() => LegRole::Agent,
            _ => LegRole::External,
        }
    }

    /// What is being dialled on this leg.
    fn dialled_on(&self, number: u32) -> Option<&Dialling> {
        match &self.stage {
            Stage::Dialling(dialling) if dialling.leg == number => Some(dialling),
            _ => self.guests.dialled_on(number),
        }
    }

    /// No trunk that is left has room. How the last one failed says more than that, if one was tried.
    fn no_trunk(
        &mut self,
        ctx: &mut Context,
        dialling: Dialling,
        passed_over: Vec<PassedOver>,
        before: Option<End>,
    ) {
        let Dialling { hunt, to, purpose, .. } = dialling;
        let end = before.unwrap_or_else(|| congested(&passed_over));
        if !passed_over.is_empty() {
            let route = hunt.map(|hunt| hunt.route).unwrap_or_default();
            self.note(ctx, FactKind::CallCongested { to: to.clone(), route, passed_over });
        }
        self.dial_failed(ctx, to, purpose, end);
    }

    /// The other party's leg has ports: call it.
    pub(super) fn other_opened(&mut self, ctx: &mut Context, number: u32, local: SocketAddr) {
        let Some(dialling) = self.dialled_on(number) else { return self.call_agent(ctx, number, local) };
        let Some(route) = route(ctx, &dialling.target) else {
            return self.nowhere_to_call(ctx, number);
        };
        let elsewhere = dialling.hunt.as_ref().map_or(Elsewhere::Nowhere, |hunt| hunt.elsewhere(ctx));
        let urgent = dialling.hunt.as_ref().is_some_and(|hunt| hunt.emergency);
        let first = ctx.sip.way_to(ctx.now, &route.towards);
        let shown = self.shown_to(ctx, &dialling.target);
        let mut headers = route.headers.clone();
        headers.extend(shown.headers);
        if dialling.target.agent().is_some() {
            headers.push(("X-Cornetta-Call".to_owned(), self.log.id.clone()));
            headers.push((super::LANGUAGE_HEADER.to_owned(), self.language().to_owned()));
        }
        let max_forwards = self.way.hops_left();
        let reach = Reach::towards(ctx, &route.towards, first);
        let Some(leg) = self.leg(number) else { return };
        leg.opened(ctx, local, first.map(|flow| flow.remote));
        if !leg.secure(ctx, reach) {
            return self.keys_cannot_be_told(ctx, number);
        }
        let (from_user, sdp) = (shown.user, leg.first_offer());
        let call = sip::ua::Call { from_user, headers, sdp, elsewhere, urgent, max_forwards, ..route };
        ctx.sip(Do::Call { session: leg.session, call });
    }

    /// There is no way to the other party any more: its leg ends before it was called.
    pub(super) fn nowhere_to_call(&mut self, ctx: &mut Context, number: u32) {
        self.not_called(ctx, number, End::new(Side::Engine, Cause::Unreachable));
    }

    /// Its media must be encrypted, and the keys would be read on the way: its leg ends before it was called.
    pub(super) fn keys_cannot_be_told(&mut self, ctx: &mut Context, number: u32) {
        let why =
            "media_security is required, and others can read the keys on the way: reach the party by TLS";
        self.not_called(ctx, number, End::new(Side::Engine, Cause::NoCommonMedia).detail(why));
    }

    fn not_called(&mut self, ctx: &mut Context, number: u32, end: End) {
        let end = end.place(self.place());
        if let Some(leg) = self.leg(number) {
            leg.dismiss(ctx, end.clone());
        }
        self.other_over(ctx, number, end);
    }

    pub(super) fn other_failed_to_open(&mut self, ctx: &mut Context, number: u32, why: &str) {
        let end = End::new(Side::Engine, Cause::Capacity).sip(503).detail(why).place(self.place());
        if let Some((leg, log)) = self.leg_and_log(number).filter(|(leg, _)| !leg.session_is_over()) {
            let session = leg.session;
            leg.session_over(ctx, log, end.clone());
            // Nobody was called yet: only its place is given back.
            ctx.sip(Do::HangUp { session, q850: None });
        }
        self.other_over(ctx, number, end);
    }

    /// One way to the other party failed; the next is being tried.
    pub(crate) fn went_on(
        &mut self,
        ctx: &mut Context,
        number: u32,
        from: SocketAddr,
        to: SocketAddr,
        status: Option<u16>,
    ) {
        let (from, to) = (from.to_string(), to.to_string());
        self.note(ctx, FactKind::LegRerouted { leg: number, from, to, sip: status });
    }

    /// The other party answered.
    pub(crate) fn answered(&mut self, ctx: &mut Context, number: u32, sdp: Option<&[u8]>) {
        let Some((leg, log)) = self.leg_and_log(number) else { return };
        if leg.dismissed.is_some() {
            return;
        }
        if let Err(refusal) = leg.answered_finally(ctx, sdp) {
            let end = End::new(Side::Engine, Cause::NoCommonMedia).sip(refusal.status).detail(refusal.why);
            leg.dismiss(ctx, end.clone());
            return self.other_over(ctx, number, end);
        }
        leg.connect(ctx, log);
        if self.guest_answered(ctx, number) {
            return;
        }
        self.end_progress(ctx);
        match &self.stage {
            Stage::Dialling(dialling) if dialling.leg == number => self.dialled_answered(ctx, number),
            _ => self.agent_answered(ctx, number),
        }
    }

    pub(super) fn put_through(&mut self, ctx: &mut Context) {
        let Stage::Dialling(dialling) = &self.stage else { return };
        let (to, other, purpose) = (dialling.to.clone(), dialling.leg, dialling.purpose.clone());
        let charge = self.charge.take();
        if let Some(leg) = self.leg(other) {
            leg.is_charged(ctx, charge);
        }
        self.stage = Stage::Talking { other };
        match purpose {
            Purpose::Arrival => self.answer_caller(ctx),
            Purpose::Callback => self.called_back(ctx, other),
            Purpose::Script => {
                self.note(ctx, FactKind::TransferCompleted { to });
                self.talk(ctx);
            }
            Purpose::Transfer(transfer) => self.transfer_answered(ctx, to, &transfer),
            Purpose::Guest(_) => {}
        }
    }

    pub(super) fn dialling_timeout(&mut self, ctx: &mut Context) {
        let staged = match &self.stage {
            Stage::Dialling(dialling) => Some(dialling),
            _ => None,
        };
        let dialled: Vec<&Dialling> = staged.into_iter().chain(self.guests.dialled()).collect();
        let late =
            dialled.into_iter().filter(|dialling| dialling.until <= ctx.now).map(|dialling| dialling.leg);
        for number in late.collect::<Vec<u32>>() {
            self.rang_in_vain(ctx, number);
        }
    }

    fn rang_in_vain(&mut self, ctx: &mut Context, number: u32) {
        let end = End::new(Side::Callee, Cause::NoAnswer).place(self.place());
        let end = self.has_no_keys_yet(number).unwrap_or(end);
        if let Some(leg) = self.leg(number) {
            leg.dismiss(ctx, end.clone());
        }
        self.other_over(ctx, number, end);
    }

    /// The other party's leg came to this end, or never began, before the two were together.
    pub(super) fn other_over(&mut self, ctx: &mut Context, number: u32, end: End) {
        self.replacement_over(number);
        if self.guest_over(ctx, number, &end) {
            return;
        }
        if matches!(&self.stage, Stage::Dialling(dialling) if dialling.leg == number) {
            self.end_early(ctx);
        }
        match &self.stage {
            Stage::Dialling(dialling) if dialling.leg == number => self.dialled_in_vain(ctx, end),
            _ => self.agent_refused(ctx, number, &end),
        }
    }

    /// Nobody outside has rung yet, and another trunk might carry the call: it is tried. Nobody hears of it.
    fn dialled_in_vain(&mut self, ctx: &mut Context, end: End) {
        let Stage::Dialling(dialling) = std::mem::replace(&mut self.stage, Stage::Arriving) else { return };
        self.dial_on(ctx, dialling, end);
    }

    /// By another trunk, if one is left that might carry the call; else it has failed.
    pub(super) fn dial_on(&mut self, ctx: &mut Context, dialling: Dialling, end: End) {
        let rung = self.leg(dialling.leg).is_some_and(|leg| leg.has_rung());
        if !rung && is_elsewhere(&end) && dialling.hunt.as_ref().is_some_and(Hunt::goes_on) {
            return self.attempt(ctx, dialling, Some(end));
        }
        self.dial_failed(ctx, dialling.to, dialling.purpose, end);
    }

    fn dial_failed(&mut self, ctx: &mut Context, to: String, purpose: Purpose, end: End) {
        if let Purpose::Guest(guest) = purpose {
            return self.guest_failed(ctx, guest);
        }
        self.settle_unanswered(ctx);
        match purpose {
            Purpose::Arrival | Purpose::Callback => self.finish(ctx, end),
            Purpose::Script => self.script_transfer_failed(ctx, to, end.sip, transfer_end(&end)),
            Purpose::Transfer(transfer) => self.transfer_refused(ctx, to, end, transfer),
            Purpose::Guest(_) => {}
        }
    }

    pub(super) fn script_transfer_failed(
        &mut self,
        ctx: &mut Context,
        to: String,
        sip: Option<u16>,
        why: TransferEnd,
    ) {
        self.note(ctx, FactKind::TransferFailed { to, sip, reason: why.as_str().to_owned() });
        self.back_to_script(ctx, Input::TransferFailed(why));
    }
}

/// A session for a call to this target; or why none is made: an agent who is in a call is not rung.
fn vacancy(ctx: &mut Context, target: &Target) -> Result<SessionId, End> {
    if let Some(agent) = target.agent() {
        if ctx.is_busy(agent) {
            return Err(End::new(Side::Callee, Cause::Busy).sip(486).detail(format!("{agent} is in a call")));
        }
        if contact(ctx, target).is_none() {
            let why = match target {
                Target::Device(_) => format!("that device of {agent} is registered no more"),
                _ => format!("no device of {agent} is registered"),
            };
            return Err(End::new(Side::Callee, Cause::Unreachable).sip(480).detail(why));
        }
    }
    ctx.sip.reserve().ok_or_else(|| End::new(Side::Engine, Cause::Capacity).sip(503))
}

/// Where an account's device is, or the one that is named.
fn contact<'a>(ctx: &'a Context, target: &Target) -> Option<&'a Contact> {
    match target {
        Target::Agent(agent) => ctx.sip.contacts(agent).last(),
        Target::Device(device) => ctx.sip.contact_of(device),
        Target::Uri { .. } | Target::Number { .. } | Target::Trunk { .. } => None,
    }
}

pub(super) fn address(target: &Target) -> String {
    match target {
        Target::Agent(agent) => agent.clone(),
        Target::Device(device) => device.user.clone(),
        Target::Uri { uri } => uri.clone(),
        Target::Number { number } | Target::Trunk { number, .. } => number.clone(),
    }
}

/// What a script wrote as a destination: a SIP or SIPS URI, or a number outside.
fn resolve(ctx: &Context, to: &str) -> Option<Target> {
    if !to.starts_with("sip:") && !to.starts_with("sips:") {
        let number = to.to_owned();
        return (!ctx.config.sip.trunks.is_empty()).then_some(Target::Number { number });
    }
    crate::place_of(to)?;
    Some(Target::Uri { uri: to.to_owned() })
}

/// A call to this target, with the caller's name and the offer still to be filled in.
pub(super) fn route(ctx: &Context, target: &Target) -> Option<sip::ua::Call> {
    let mut headers = Vec::new();
    let (towards, uri, credentials) = match target {
        Target::Agent(_) | Target::Device(_) => {
            let contact = contact(ctx, target)?;
            headers.extend(contact.path.iter().map(|hop| ("Route".to_owned(), hop.clone())));
            let towards = ctx.sip.towards(target.agent().unwrap_or_default(), contact);
            (towards, contact.uri.clone(), None)
        }
        Target::Uri { uri } => (Towards::Places(vec![crate::place_of(uri)?]), uri.clone(), None),
        Target::Trunk { trunk, number } => {
            let trunk = ctx.config.sip.trunk(trunk)?;
            let number = ctx.config.numbering.for_trunk(&trunk.name, number);
            let uri = format!("sip:{number}@{}", trunk.domain());
            (Towards::Trunk(trunk.name.clone()), uri, trunk.credentials.clone())
        }
        // Its trunk has been chosen before it is called.
        Target::Number { .. } => return None,
    };
    Some(sip::ua::Call {
        towards,
        uri,
        to: None,
        from_user: String::new(),
        from_display: None,
        sdp: Vec::new(),
        credentials,
        headers,
        elsewhere: Elsewhere::Nowhere,
        urgent: false,
        max_forwards: MAX_FORWARDS,
    })
}
