//! While another party outside is being called for the caller: a transfer, or a service that only puts
//! through.

use super::early::Told;
use super::ending::Phase;
use super::transferring::Transfer;
use super::{Call, Stage};
use crate::Target;
use crate::context::Context;
use base::Time;
use facts::{CallPhase, Cause, End, FactKind, LegRole, Side};
use ivr::Input;
use sip::ua::{Do, SessionId, Towards};
use std::net::SocketAddr;
use std::time::Duration;

/// How long a service that only puts through lets the other party ring.
const RING: Duration = Duration::from_secs(120);

/// Another party being called.
pub(crate) struct Dialling {
    target: Target,
    /// As facts name it.
    pub(super) to: String,
    pub(super) leg: u32,
    pub(super) purpose: Purpose,
    /// What the caller was told before an answer.
    pub(super) early: Told,
    /// It has rung long enough then.
    pub(super) until: Time,
}

impl Dialling {
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
}

impl Call {
    /// The script wants the call put through.
    pub(super) fn transfer(&mut self, ctx: &mut Context, to: String, ring: Duration) {
        self.note(ctx, FactKind::TransferStarted { to: to.clone(), by: None });
        self.phase = CallPhase::Transferring { to: to.clone() };
        match resolve(ctx, &to) {
            Some(target) => self.dial(ctx, target, to, ring, Purpose::Script),
            None => self.script_transfer_failed(ctx, to, None),
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
        let session = match vacancy(ctx, &target) {
            Ok(session) => session,
            Err(end) => return self.dial_failed(ctx, to, purpose, end),
        };
        self.last_leg += 1;
        let (leg, until) = (self.last_leg, ctx.now + ring);
        self.phases.enter(ctx.now, Phase::Other);
        let arrives = matches!(purpose, Purpose::Arrival);
        self.stage = Stage::Dialling(Dialling {
            target: target.clone(),
            to: to.clone(),
            leg,
            purpose,
            early: Told::default(),
            until,
        });
        if !arrives {
            self.play_music(ctx);
        }
        let role = if matches!(target, Target::Agent(_)) { LegRole::Agent } else { LegRole::External };
        self.create_other(ctx, session, (role, to));
        let Some(leg) = self.leg(leg) else { return };
        match target {
            Target::Agent(agent) => leg.belongs_to(ctx, agent),
            Target::Trunk { trunk, .. } => leg.trunk = Some(trunk),
            Target::Uri { .. } => {}
        }
    }

    /// The other party's leg has ports: call it.
    pub(super) fn other_opened(&mut self, ctx: &mut Context, number: u32, local: SocketAddr) {
        let Stage::Dialling(dialling) = &self.stage else { return self.call_agent(ctx, number, local) };
        if dialling.leg != number {
            return;
        }
        let Some(route) = route(ctx, &dialling.target) else {
            return self.nowhere_to_call(ctx, number);
        };
        let first = ctx.sip.way_to(ctx.now, &route.towards);
        let shown = self.shown_to(ctx, &dialling.target);
        let mut headers = route.headers.clone();
        headers.extend(shown.headers);
        if matches!(dialling.target, Target::Agent(_)) {
            headers.push(("X-Cornetta-Call".to_owned(), self.log.id.clone()));
        }
        let Some(leg) = self.leg(number) else { return };
        leg.opened(ctx, local, first.map(|flow| flow.remote));
        let call = sip::ua::Call { from_user: shown.user, headers, sdp: leg.first_offer(), ..route };
        ctx.sip(Do::Call { session: leg.session, call });
    }

    /// There is no way to the other party any more: its leg ends before it was called.
    pub(super) fn nowhere_to_call(&mut self, ctx: &mut Context, number: u32) {
        let end = End::new(Side::Engine, Cause::Unreachable).place(self.place());
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
        match &self.stage {
            Stage::Dialling(dialling) if dialling.leg == number => self.put_through(ctx),
            _ => self.agent_answered(ctx, number),
        }
    }

    fn put_through(&mut self, ctx: &mut Context) {
        let Stage::Dialling(dialling) = &self.stage else { return };
        let (to, other, purpose) = (dialling.to.clone(), dialling.leg, dialling.purpose.clone());
        self.stage = Stage::Talking { other };
        match purpose {
            Purpose::Arrival => self.answer_caller(ctx),
            Purpose::Script => {
                self.note(ctx, FactKind::TransferCompleted { to });
                self.talk(ctx);
            }
            Purpose::Transfer(transfer) => self.transfer_answered(ctx, to, &transfer),
        }
    }

    pub(super) fn dialling_timeout(&mut self, ctx: &mut Context) {
        let Stage::Dialling(dialling) = &self.stage else { return };
        if dialling.until > ctx.now {
            return;
        }
        let number = dialling.leg;
        let end = End::new(Side::Callee, Cause::NoAnswer).place(self.place());
        if let Some(leg) = self.leg(number) {
            leg.dismiss(ctx, end.clone());
        }
        self.other_over(ctx, number, end);
    }

    /// The other party's leg came to this end, or never began, before the two were together.
    pub(super) fn other_over(&mut self, ctx: &mut Context, number: u32, end: End) {
        self.replacement_over(number);
        if matches!(&self.stage, Stage::Dialling(dialling) if dialling.leg == number) {
            self.end_early(ctx);
        }
        match &self.stage {
            Stage::Dialling(dialling) if dialling.leg == number => {
                let (to, purpose) = (dialling.to.clone(), dialling.purpose.clone());
                self.dial_failed(ctx, to, purpose, end);
            }
            Stage::Queued(_) => self.agent_refused(ctx, number, &end),
            _ => {}
        }
    }

    fn dial_failed(&mut self, ctx: &mut Context, to: String, purpose: Purpose, end: End) {
        match purpose {
            Purpose::Arrival => self.finish(ctx, end),
            Purpose::Script => self.script_transfer_failed(ctx, to, end.sip),
            Purpose::Transfer(transfer) => self.transfer_refused(ctx, to, end, transfer),
        }
    }

    fn script_transfer_failed(&mut self, ctx: &mut Context, to: String, sip: Option<u16>) {
        self.note(ctx, FactKind::TransferFailed { to, sip });
        self.back_to_script(ctx, Input::TransferFailed);
    }
}

/// A session for a call to this target; or why none is made: an agent who is in a call is not rung.
fn vacancy(ctx: &mut Context, target: &Target) -> Result<SessionId, End> {
    if let Target::Agent(agent) = target {
        if ctx.is_busy(agent) {
            return Err(End::new(Side::Callee, Cause::Busy).sip(486).detail(format!("{agent} is in a call")));
        }
        if ctx.sip.contacts(agent).is_empty() {
            let why = format!("no device of {agent} is registered");
            return Err(End::new(Side::Callee, Cause::Unreachable).sip(480).detail(why));
        }
    }
    ctx.sip.reserve().ok_or_else(|| End::new(Side::Engine, Cause::Capacity).sip(503))
}

fn address(target: &Target) -> String {
    match target {
        Target::Agent(agent) => agent.clone(),
        Target::Uri { uri } => uri.clone(),
        Target::Trunk { number, .. } => number.clone(),
    }
}

/// What a script wrote as a destination: a SIP URI, or a number for the first trunk.
fn resolve(ctx: &Context, to: &str) -> Option<Target> {
    if !to.starts_with("sip:") {
        let trunk = ctx.config.sip.trunks.first()?;
        return Some(Target::Trunk { trunk: trunk.name.clone(), number: to.to_owned() });
    }
    crate::place_of(to)?;
    Some(Target::Uri { uri: to.to_owned() })
}

/// A call to this target, with the caller's name and the offer still to be filled in.
fn route(ctx: &Context, target: &Target) -> Option<sip::ua::Call> {
    let mut headers = Vec::new();
    let (towards, uri, credentials) = match target {
        Target::Agent(agent) => {
            let contact = ctx.sip.contacts(agent).last()?;
            headers.extend(contact.path.iter().map(|hop| ("Route".to_owned(), hop.clone())));
            (contact.flow.into(), contact.uri.clone(), None)
        }
        Target::Uri { uri } => (Towards::Places(vec![crate::place_of(uri)?]), uri.clone(), None),
        Target::Trunk { trunk, number } => {
            let trunk = ctx.config.sip.trunk(trunk)?;
            let number = ctx.config.numbering.for_trunk(&trunk.name, number);
            let uri = format!("sip:{number}@{}", trunk.domain());
            (Towards::Trunk(trunk.name.clone()), uri, trunk.credentials.clone())
        }
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
    })
}
