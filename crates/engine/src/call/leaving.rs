//! Transfers that leave the exchange: the operator whose caller is handed over is asked by REFER (RFC 3515, RFC 5589)
//! to connect the two without us, where its trunk says so and the number would be called by the same trunk. If it does
//! not, the exchange does, and nobody has lost anything but a moment.
//!
//! What may not be called may not be asked for either: a number has passed the rules of `[[outbound]]` before it comes
//! here. Where its rule has a ceiling of spending, or it is a call for help, it does not leave: what is out of our hands
//! cannot be broken off, and is not to wait for an operator's refusal.

use super::dialling::{Purpose, route};
use super::ending::Phase;
use super::hunting::Hunt;
use super::{Call, Playing, Stage};
use crate::Target;
use crate::charges;
use crate::context::Context;
use crate::leg::Leg;
use crate::outbound::is_emergency;
use base::Time;
use facts::{Cause, End, FactKind, Side};
use sip::referral::ReferTo;
use sip::ua::{Do, How, Refer};
use std::time::Duration;

/// An operator's time to answer the REFER: as long as SIP repeats it (timer F), and a little.
const ANSWERED_WITHIN: Duration = Duration::from_secs(35);
/// Its time from then to the first NOTIFY, which is due at once (RFC 3515 §2.4.4).
const TOLD_WITHIN: Duration = Duration::from_secs(10);

/// Its time from the last that it told to the BYE of the dialog that is replaced.
const REPLACED_WITHIN: Duration = Duration::from_secs(32);

/// A transfer that an operator has been asked for, in place of a call of our own.
pub(crate) struct Leaving {
    target: Target,
    /// As facts name it.
    pub(super) to: String,
    ring: Duration,
    pub(super) purpose: Purpose,
    trunk: String,
    heard: Heard,
    /// Then we connect the two ourselves.
    pub(super) until: Time,
}

/// What the operator has said.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Heard {
    Nothing,
    /// That it will.
    Accepted,
    /// How far it has come.
    Progress,
    /// That it will, and that it is going to tell nothing more (RFC 4488): it hangs up when it has.
    Silence,
}

/// Two who talk through us while their operator is asked to connect them without us.
pub(crate) struct Shortcut {
    /// The leg that was asked, and the one whose dialog is to be replaced (RFC 3891).
    asked: u32,
    replaced: u32,
    to: String,
    trunk: String,
    /// It has said that it will: whoever hangs up until then has been connected without us.
    hangs_up_until: Option<Time>,
}

/// A number outside that is to be called for the caller.
impl Call {
    /// The trunk whose operator is asked instead of calling this number.
    pub(super) fn leaves_by(&self, ctx: &Context, target: &Target, purpose: &Purpose) -> Option<String> {
        let caller = self.legs.iter().find(|leg| leg.number == self.caller && leg.connected)?;
        // Who was called may be what is paid for, or the help.
        if caller.has_ceiling(ctx) || is_help(ctx, caller) {
            return None;
        }
        let trunk = caller.trunk.as_ref().filter(|trunk| ctx.config.referred_trunks.contains(*trunk))?;
        let bounded = self.charge.as_ref().is_some_and(|charge| charges::has_ceiling(ctx, charge));
        let hunt = Hunt::of(ctx, target).filter(|hunt| !hunt.emergency && hunt.first() == Some(trunk))?;
        // Who is in the conversation with us would be left behind.
        let may = !matches!(purpose, Purpose::Arrival) && !bounded && !self.is_conference();
        may.then(|| hunt.first().cloned()).flatten()
    }

    /// Asks the operator. The caller hears music meanwhile.
    pub(super) fn leave(
        &mut self,
        ctx: &mut Context,
        trunk: String,
        (target, to): (Target, String),
        (ring, purpose): (Duration, Purpose),
    ) {
        let by_trunk = match &target {
            Target::Number { number } => Target::Trunk { trunk: trunk.clone(), number: number.clone() },
            target => target.clone(),
        };
        let uri = route(ctx, &by_trunk).map(|route| route.uri);
        let session = self.legs.iter().find(|leg| leg.number == self.caller).map(|leg| leg.session);
        let (Some(uri), Some(session)) = (uri, session) else {
            return self.dial_ourselves(ctx, target, to, ring, purpose);
        };
        self.phases.enter(ctx.now, Phase::Other);
        self.note(ctx, FactKind::TransferReferred { to: to.clone(), trunk: trunk.clone() });
        let by = match &purpose {
            Purpose::Transfer(transfer) => transfer.by_agent(),
            Purpose::Script | Purpose::Arrival | Purpose::Callback | Purpose::Guest(_) => None,
        };
        let referred_by = self.referrer(ctx, &trunk, by);
        let (heard, until) = (Heard::Nothing, ctx.now + ANSWERED_WITHIN);
        self.stage = Stage::Leaving(Leaving { target, to, ring, purpose, trunk, heard, until });
        if !matches!(self.playing, Some((_, Playing::Music))) {
            self.play_music(ctx);
        }
        let refer = Refer { to: ReferTo { uri, replaces: None }, referred_by };
        ctx.sip(Do::Refer { session, refer });
    }

    /// What an operator says of a REFER of ours: of one that connects, or of one that shortens.
    pub(crate) fn refer_progress(&mut self, ctx: &mut Context, number: u32, status: u16, over: bool) {
        match &mut self.stage {
            Stage::Leaving(leaving) if number == self.caller => match (over, status) {
                (true, 200..=299) => self.left(ctx),
                (true, 200..) => self.stays(ctx, Some(status)),
                (true, _) => {
                    (leaving.heard, leaving.until) = (Heard::Silence, ctx.now + leaving.ring);
                }
                (false, _) => self.hears(ctx, status),
            },
            Stage::Talking { .. } => self.shortcut_progress(ctx, number, status, over),
            _ => {}
        }
    }

    fn hears(&mut self, ctx: &mut Context, status: u16) {
        let Stage::Leaving(leaving) = &mut self.stage else { return };
        match leaving.heard {
            Heard::Nothing => (leaving.heard, leaving.until) = (Heard::Accepted, ctx.now + TOLD_WITHIN),
            Heard::Accepted => (leaving.heard, leaving.until) = (Heard::Progress, ctx.now + leaving.ring),
            Heard::Progress | Heard::Silence => {}
        }
        if let Purpose::Transfer(transfer) = &leaving.purpose
            && status >= 180
        {
            transfer.tell(ctx, 180);
        }
    }

    /// The operator has told nothing in time.
    pub(super) fn leaving_timeout(&mut self, ctx: &mut Context) {
        if matches!(&self.stage, Stage::Leaving(leaving) if leaving.until <= ctx.now) {
            self.stays(ctx, None);
        }
    }

    /// The operator does not: we call the number.
    fn stays(&mut self, ctx: &mut Context, sip: Option<u16>) {
        let Stage::Leaving(leaving) = std::mem::replace(&mut self.stage, Stage::Arriving) else { return };
        let Leaving { target, to, ring, purpose, trunk, .. } = leaving;
        self.note(ctx, FactKind::TransferKept { to: to.clone(), trunk, sip });
        self.dial_ourselves(ctx, target, to, ring, purpose);
    }

    /// The operator has connected the two: our legs end.
    fn left(&mut self, ctx: &mut Context) {
        let end = self.left_end(ctx);
        let caller = self.caller;
        if let Some(leg) = self.leg(caller) {
            leg.dismiss(ctx, end.clone());
        }
        self.finish(ctx, end);
    }

    /// The same of an operator that hangs up instead of telling so; nothing if this is another end of a leg.
    pub(super) fn leaves_with(&mut self, ctx: &mut Context, number: u32, how: How) -> Option<End> {
        if how != How::PeerHungUp {
            return None;
        }
        match &self.stage {
            Stage::Leaving(leaving) if leaving.heard == Heard::Silence && number == self.caller => {
                Some(self.left_end(ctx))
            }
            Stage::Talking { .. } => {
                self.shortcut.as_ref().filter(|it| {
                    it.replaced == number && it.hangs_up_until.is_some_and(|until| ctx.now <= until)
                })?;
                Some(self.shortcut_end(ctx))
            }
            _ => None,
        }
    }

    /// Whoever transferred is told, and what the call costs is what was thought: its end is out of our sight.
    fn left_end(&mut self, ctx: &mut Context) -> End {
        let end = End::new(Side::Service, Cause::TransferredOutwards).place(self.place());
        let Stage::Leaving(leaving) = std::mem::replace(&mut self.stage, Stage::Arriving) else { return end };
        self.note(ctx, FactKind::TransferCompleted { to: leaving.to });
        if let Purpose::Transfer(transfer) = &leaving.purpose {
            self.step_out(ctx, transfer, 200);
        }
        let caller = self.caller;
        let was_called = self.leg(caller).and_then(Leg::gives_charge);
        for charge in self.charge.take().into_iter().chain(was_called) {
            charges::leave(ctx, charge);
        }
        end
    }

    /// Who refers: the number of ours that the operator knows, its account, or the agent. Nobody where ours is withheld.
    fn referrer(&self, ctx: &Context, trunk: &str, agent: Option<&str>) -> Option<String> {
        let config = &ctx.config;
        let line = config.sip.trunk(trunk);
        let host = line.map_or_else(|| config.sip.realm.clone(), sip::ua::Trunk::domain);
        let presentation = config.numbering.presentation(trunk);
        if presentation.withholds {
            return None;
        }
        let own = self.own_number(ctx, &presentation.numbers);
        let own = own.map(|own| config.numbering.trunk(trunk).write(&own));
        let account = || line.and_then(|line| Some(line.credentials.as_ref()?.user.clone()));
        let user = own.or_else(account).or(agent.map(str::to_owned)).unwrap_or_else(|| self.to.clone());
        Some(format!("sip:{}@{host}", sip::ua::escaped_user(&user)))
    }
}

/// Two parties who talk through us, and are both at one operator.
impl Call {
    /// Asks their operator to connect them without us. They talk meanwhile, and go on if it does not.
    pub(crate) fn shorten(&mut self, ctx: &mut Context) {
        let Some((asked, replaced)) = self.pair_numbers() else { return };
        let found = |number| self.legs.iter().find(|leg| leg.number == number);
        let (Some(one), Some(two)) = (found(asked), found(replaced)) else { return };
        let Some(trunk) = one.trunk.clone().filter(|trunk| ctx.config.referred_trunks.contains(trunk)) else {
            return;
        };
        let bound = [one, two].iter().any(|leg| leg.has_ceiling(ctx) || is_help(ctx, leg));
        if two.trunk.as_ref() != Some(&trunk) || bound || self.is_conference() {
            return;
        }
        let (session, to) = (one.session, two.address.clone());
        let uri = ctx.sip.peer_uri(two.session).map(str::to_owned);
        let (Some(uri), replaces @ Some(_)) = (uri, ctx.sip.name_of(two.session)) else { return };
        self.note(ctx, FactKind::TransferReferred { to: to.clone(), trunk: trunk.clone() });
        let referred_by = self.referrer(ctx, &trunk, None);
        self.shortcut = Some(Shortcut { asked, replaced, to, trunk, hangs_up_until: None });
        ctx.sip(Do::Refer { session, refer: Refer { to: ReferTo { uri, replaces }, referred_by } });
    }

    fn shortcut_progress(&mut self, ctx: &mut Context, number: u32, status: u16, over: bool) {
        let Some(shortcut) = self.shortcut.as_mut().filter(|shortcut| shortcut.asked == number) else {
            return;
        };
        match (over, status) {
            (false, _) | (true, ..200) => shortcut.hangs_up_until = Some(ctx.now + REPLACED_WITHIN),
            (true, 200..=299) => {
                let end = self.shortcut_end(ctx);
                self.legs.iter_mut().for_each(|leg| leg.dismiss(ctx, end.clone()));
                self.finish(ctx, end);
            }
            (true, _) => {
                let Some(Shortcut { to, trunk, .. }) = self.shortcut.take() else { return };
                self.note(ctx, FactKind::TransferKept { to, trunk, sip: Some(status) });
            }
        }
    }

    fn shortcut_end(&mut self, ctx: &mut Context) -> End {
        self.shortcut = None;
        for charge in self.legs.iter_mut().filter_map(|leg| leg.gives_charge()) {
            charges::leave(ctx, charge);
        }
        End::new(Side::Service, Cause::TransferredOutwards).place(self.place())
    }
}

/// Whether a leg is a call for help.
fn is_help(ctx: &Context, leg: &Leg) -> bool {
    is_emergency(&ctx.config.numbering.home.normal(&leg.address))
}
