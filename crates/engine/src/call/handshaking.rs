//! A browser's media: its keys come by a handshake of its own, some time after SIP has agreed.

use super::{Call, Stage};
use crate::context::Context;
use crate::leg::Leg;
use facts::{Cause, End, FactKind, Side, millis};
use media_api::KeyTerms;
use sip::ua::Flow;
use std::net::SocketAddr;
use std::time::Duration;

/// How long two who are to be together wait for the keys of one of them.
const WARMING_MAX: Duration = Duration::from_secs(3);
/// How long a page that was dialled and has answered may take to get its keys.
const KEYS_MAX: Duration = Duration::from_secs(15);

impl Call {
    /// A browser's media has found a way here, or another one than before.
    pub(crate) fn path_found(&mut self, ctx: &mut Context, number: u32, at: SocketAddr) {
        if let Some(leg) = self.leg(number) {
            leg.is_alive(ctx.now);
            (leg.path_lost, leg.found_at) = (false, Some(at));
        }
        self.note(ctx, FactKind::MediaPathFound { leg: number, at: at.to_string() });
        self.is_back(ctx, number);
    }

    /// It has lost it, or never found one. Who was there is asked to look anew; and if it does not answer, its session ends.
    pub(crate) fn path_lost(
        &mut self,
        ctx: &mut Context,
        number: u32,
        at: Option<SocketAddr>,
        silent_for: Duration,
    ) {
        let (at, silent_ms) = (at.map(|at| at.to_string()), millis(silent_for));
        let was_found = at.is_some();
        self.note(ctx, FactKind::MediaPathLost { leg: number, at, silent_ms });
        if let Some(leg) = self.leg(number) {
            leg.path_lost = true;
            if was_found {
                leg.seek_anew(ctx);
            }
        }
        self.is_lost(ctx, number);
    }

    /// Whether a browser of this account is in the call.
    pub(crate) fn has_browser_of(&self, user: &str) -> bool {
        self.legs.iter().any(|leg| leg.is_browser() && leg.is_of(user))
    }

    /// A device of this account has registered by this way.
    pub(crate) fn device_shows_itself(&mut self, ctx: &mut Context, user: &str, flow: Flow) {
        for leg in self.legs.iter_mut().filter(|leg| leg.is_of(user)) {
            leg.shows_itself(ctx, flow);
        }
    }

    /// The handshake has given its keys: the party can be heard and spoken to.
    pub(crate) fn secured(&mut self, ctx: &mut Context, number: u32, keys: KeyTerms) {
        let Some((leg, log)) = self.leg_and_log(number) else { return };
        leg.secured_by(ctx, log, Some(keys));
        leg.has_keys(true);
        self.is_back_with_keys(ctx, number);
        self.agent_answered(ctx, number);
        self.dialled_secured(ctx, number);
        self.warm_enough(ctx);
    }

    /// The party that is being dialled has answered: the two are put together if it can be heard. A page that cannot be heard
    /// yet, and perhaps never will be, takes nobody over: whoever it fails can still go back.
    pub(super) fn dialled_answered(&mut self, ctx: &mut Context, number: u32) {
        if !self.leg(number).is_some_and(|leg| leg.waits_for_keys()) {
            return self.put_through(ctx);
        }
        if let Stage::Dialling(dialling) = &mut self.stage {
            dialling.until = ctx.now + KEYS_MAX;
        }
    }

    /// A party has its keys: if it was dialled and has answered, the two are put together.
    fn dialled_secured(&mut self, ctx: &mut Context, number: u32) {
        let is_dialled = matches!(&self.stage, Stage::Dialling(dialling) if dialling.leg == number);
        if is_dialled && self.leg(number).is_some_and(|leg| leg.connected && leg.dismissed.is_none()) {
            self.put_through(ctx);
        }
    }

    /// Why a page that was dialled and has answered is given up. Nothing if that is not what is waited for.
    pub(super) fn has_no_keys_yet(&mut self, number: u32) -> Option<End> {
        self.leg(number).filter(|leg| leg.connected && leg.waits_for_keys())?;
        let why = format!(
            "the page has answered, and its handshake came to no end within {} s: look for media.path_found, and at the \
             firewall before the media ports",
            KEYS_MAX.as_secs()
        );
        Some(self.unheard(why))
    }

    /// The end of a party that cannot be heard. For a caller who is not answered, another than they is not there.
    fn unheard(&self, why: String) -> End {
        let end = End::new(Side::Network, Cause::NotSecured).detail(why).place(self.place());
        if matches!(self.stage, Stage::Dialling(_)) { end.sip(480) } else { end }
    }

    /// The two are to be together, and one of them waits for its keys: what is heard goes on until they are there, so that
    /// nothing of the first word is cut off. Not for longer than a while. False if nobody waits.
    pub(super) fn is_warming(&mut self, ctx: &mut Context) -> bool {
        if self.warming.is_none() && self.waits_for_keys() {
            self.warming = Some(ctx.now + WARMING_MAX);
        }
        self.warming.is_some()
    }

    /// Keys are there: the two may talk if nobody else waits.
    fn warm_enough(&mut self, ctx: &mut Context) {
        if !self.waits_for_keys() && self.warming.take().is_some() {
            self.end_comfort(ctx);
            self.talk_now(ctx);
        }
    }

    /// Whoever has no keys by now does not keep the two waiting.
    pub(super) fn warming_timeout(&mut self, ctx: &mut Context) {
        if self.warming.take_if(|until| *until <= ctx.now).is_some() {
            self.end_comfort(ctx);
            self.talk_now(ctx);
        }
    }

    fn waits_for_keys(&self) -> bool {
        let Some((a, b)) = self.pair_numbers() else { return false };
        let mut pair = self.legs.iter().filter(|leg| leg.number == a || leg.number == b);
        pair.any(Leg::waits_for_keys)
    }

    /// The handshake came to nothing: nobody can hear the party, or be heard by it.
    pub(crate) fn handshake_failed(&mut self, ctx: &mut Context, number: u32, why: String) {
        if number == self.caller && self.leg(number).is_some_and(|leg| leg.shakes_anew(ctx)) {
            return;
        }
        self.note(ctx, FactKind::MediaHandshakeFailed { leg: number, why: why.clone() });
        if let Some(leg) = self.leg(number) {
            leg.has_keys(false);
        }
        // A page that has come back so may come back once more.
        if self.lost.has(number) {
            return;
        }
        let talks = matches!(self.stage, Stage::Talking { other } if other == number);
        if talks || number == self.caller {
            let end = End::new(Side::Network, Cause::NotSecured).detail(why).place(self.place());
            if !self.loses_agent(ctx, number, &end) {
                self.finish(ctx, end);
            }
            return;
        }
        let end = self.unheard(why);
        let Some(leg) = self.leg(number).filter(|leg| leg.dismissed.is_none()) else { return };
        leg.dismiss(ctx, end.clone());
        self.other_over(ctx, number, end);
    }
}
