//! While two parties are together: hearing each other, holding, and being asked whether they are there.

use super::ending::Phase;
use super::{CALLER, Call, Stage};
use crate::context::Context;
use facts::{CallPhase, FactKind, SilenceEvidence};
use media_api::{Codec, Command, Evidence, LegId};
use sip::ua::Do;
use std::time::Duration;

impl Call {
    /// The caller and the other party hear each other from now on.
    pub(super) fn talk(&mut self, ctx: &mut Context) {
        let Stage::Talking { other } = self.stage else { return };
        self.stop_playing(ctx);
        self.phases.enter(ctx.now, Phase::Talk);
        self.phase = CallPhase::Connected;
        self.note(ctx, FactKind::CallConnected { a: CALLER, b: other });
        self.join(ctx);
    }

    /// Joins the two, unless one of them holds: then the other hears music.
    fn join(&mut self, ctx: &mut Context) {
        let Some((a, b)) = self.pair() else { return };
        match self.legs.iter().find(|leg| leg.held && (leg.media == a || leg.media == b)) {
            Some(holder) => self.part(ctx, holder.number),
            None => ctx.media(Command::Bridge { a, b }),
        }
    }

    /// The two that are together. A caller who was not made an offer has yet to say where they are.
    fn pair(&self) -> Option<(LegId, LegId)> {
        let Stage::Talking { other } = self.stage else { return None };
        let media = |number| {
            let leg = self.legs.iter().find(|leg| leg.number == number && leg.connected)?;
            Some(leg.media)
        };
        Some((media(CALLER)?, media(other)?))
    }

    /// The codec of the party that the caller is being joined with.
    pub(super) fn other_codec(&self) -> Option<Codec> {
        let Stage::Talking { other } = self.stage else { return None };
        self.legs.iter().find(|leg| leg.number == other)?.codec()
    }

    /// A party offers anew: hold, resume, or another address. Always answered.
    pub(crate) fn reoffered(&mut self, ctx: &mut Context, number: u32, sdp: Option<&[u8]>) {
        let Some(leg) = self.leg(number) else { return };
        let session = leg.session;
        let act = match sdp {
            None => Do::AcceptReoffer { session, sdp: leg.offer() },
            Some(offer) => match leg.answer(ctx, offer) {
                Ok(sdp) => Do::AcceptReoffer { session, sdp },
                Err(refusal) => Do::RefuseReoffer { session, status: refusal.status },
            },
        };
        ctx.sip(act);
        self.follow_hold(ctx, number);
    }

    /// A party answered an offer of ours in mid-call: it is there.
    pub(crate) fn reanswered(&mut self, ctx: &mut Context, number: u32, sdp: &[u8]) {
        if let Some(leg) = self.leg(number)
            && leg.answered(ctx, sdp).is_ok()
        {
            self.follow_hold(ctx, number);
        }
    }

    /// Does what a changed direction asks for.
    pub(super) fn follow_hold(&mut self, ctx: &mut Context, number: u32) {
        let Some(leg) = self.leg(number) else { return };
        let (was, is) = (leg.held, leg.wants_silence());
        if was == is {
            return;
        }
        leg.held = is;
        if is {
            self.note(ctx, FactKind::LegHeld { leg: number });
            self.part(ctx, number);
        } else {
            self.note(ctx, FactKind::LegResumed { leg: number });
            self.rejoin(ctx);
        }
    }

    /// One party holds: the other hears music.
    fn part(&mut self, ctx: &mut Context, holder: u32) {
        let Some((a, b)) = self.pair() else { return };
        ctx.media(Command::Unbridge { leg: a });
        let waits = if holder == CALLER { b } else { a };
        if let Some(music) = ctx.config.hold_music.clone() {
            ctx.play(waits, vec![music], true);
        }
    }

    fn rejoin(&mut self, ctx: &mut Context) {
        let Some((a, b)) = self.pair() else { return };
        let still_held = self.legs.iter().any(|leg| leg.held && (leg.media == a || leg.media == b));
        if !still_held {
            ctx.media(Command::Stop { leg: a });
            ctx.media(Command::Stop { leg: b });
            ctx.media(Command::Bridge { a, b });
        }
    }

    /// The watchdog hears nothing of a party that should be heard.
    pub(crate) fn silent(&mut self, ctx: &mut Context, number: u32, evidence: &Evidence) {
        let Some(leg) = self.leg(number) else { return };
        leg.silent_since = Some(ctx.now);
        let evidence = SilenceEvidence {
            expected: evidence.expected.to_string(),
            last_source: evidence.last_source.map(|source| source.to_string()),
            silent_ms: super::waiting::millis(evidence.silent_for),
            received: evidence.received,
            rejected: evidence.rejected,
            rtcp_alive: evidence.rtcp_alive,
        };
        self.note(ctx, FactKind::MediaSilent { leg: number, evidence });
    }

    /// A silent party is heard again.
    pub(crate) fn restored(&mut self, ctx: &mut Context, number: u32, after: Duration) {
        let Some(leg) = self.leg(number) else { return };
        leg.silent_since = None;
        self.note(ctx, FactKind::MediaRestored { leg: number, after_ms: super::waiting::millis(after) });
    }

    /// Whoever has been silent for too long is asked by a re-INVITE; a device that is gone does not answer,
    /// and its session ends by the RFC's own timers.
    pub(super) fn probe_the_silent(&mut self, ctx: &mut Context) {
        let (now, patience) = (ctx.now, ctx.config.silence_probe);
        for leg in &mut self.legs {
            let due = leg.silent_since.is_some_and(|since| since + patience <= now);
            if due && leg.connected && !leg.held {
                leg.probe(ctx);
            }
        }
    }

    pub(super) fn next_probe(&self, ctx: &Context) -> Option<base::Time> {
        let silent = self.legs.iter().filter(|leg| leg.connected && !leg.held);
        silent.filter_map(|leg| leg.silent_since).map(|since| since + ctx.config.silence_probe).min()
    }
}
