//! A browser's media: its keys come by a handshake of its own, some time after SIP has agreed.

use super::{Call, Stage};
use crate::context::Context;
use facts::{Cause, End, FactKind, Side};
use media_api::KeyTerms;
use sip::ua::Flow;
use std::net::SocketAddr;
use std::time::Duration;

impl Call {
    /// A browser's media has found a way here, or another one than before.
    pub(crate) fn path_found(&mut self, ctx: &mut Context, number: u32, at: SocketAddr) {
        if let Some(leg) = self.leg(number) {
            leg.is_alive(ctx.now);
        }
        self.note(ctx, FactKind::MediaPathFound { leg: number, at: at.to_string() });
    }

    /// It has lost it, or never found one. Who was there is asked to look anew; and if it does not answer, its session ends.
    pub(crate) fn path_lost(
        &mut self,
        ctx: &mut Context,
        number: u32,
        at: Option<SocketAddr>,
        silent_for: Duration,
    ) {
        let (at, silent_ms) = (at.map(|at| at.to_string()), super::waiting::millis(silent_for));
        let was_found = at.is_some();
        self.note(ctx, FactKind::MediaPathLost { leg: number, at, silent_ms });
        if let Some(leg) = self.leg(number).filter(|_| was_found) {
            leg.seek_anew(ctx);
        }
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
    }

    /// The handshake came to nothing: nobody can hear the party, or be heard by it.
    pub(crate) fn handshake_failed(&mut self, ctx: &mut Context, number: u32, why: String) {
        self.note(ctx, FactKind::MediaHandshakeFailed { leg: number, why: why.clone() });
        let end = End::new(Side::Network, Cause::NotSecured).detail(why).place(self.place());
        let talks = matches!(self.stage, Stage::Talking { other } if other == number);
        if talks || number == self.caller {
            return self.finish(ctx, end);
        }
        let Some(leg) = self.leg(number).filter(|leg| leg.dismissed.is_none()) else { return };
        leg.dismiss(ctx, end.clone());
        self.other_over(ctx, number, end);
    }
}
