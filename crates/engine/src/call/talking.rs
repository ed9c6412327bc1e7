//! While two parties are together: hearing each other, holding, and being asked whether they are there.

use super::ending::Phase;
use super::{Call, Stage};
use crate::Service;
use crate::context::Context;
use crate::leg::Leg;
use crate::media_terms::key_facts;
use facts::{CallPhase, FactKind, SilenceEvidence, millis};
use media_api::{Codec, Command, Evidence, KeyTerms, LegId, Seat};
use sip::ua::Do;
use std::net::SocketAddr;
use std::time::Duration;

impl Call {
    /// The caller and the other party hear each other from now on.
    pub(super) fn talk(&mut self, ctx: &mut Context) {
        if self.is_parted() {
            return self.comfort_parted(ctx);
        }
        if !self.is_warming(ctx) {
            self.talk_now(ctx);
        }
    }

    /// The same, whether or not they have their keys.
    pub(super) fn talk_now(&mut self, ctx: &mut Context) {
        let Stage::Talking { other } = self.stage else { return };
        self.stop_playing(ctx);
        self.phases.enter(ctx.now, Phase::Talk);
        self.phase = CallPhase::Connected;
        self.note(ctx, FactKind::CallConnected { a: self.caller, b: other });
        self.tell_transcoding(ctx);
        self.join(ctx);
    }

    /// Lets the two hear each other; but if one of them holds, or is a browser that has lost its way, the other hears music.
    fn join(&mut self, ctx: &mut Context) {
        if self.is_parted() {
            return self.comfort_parted(ctx);
        }
        if self.is_conference() {
            return self.take_seats(ctx);
        }
        self.ask_for_each_other();
        self.guests.close_room();
        if self.comfort(ctx) {
            return;
        }
        let Some((a, b)) = self.pair() else { return };
        let holds = |media| self.legs.iter().any(|leg| leg.is_away() && leg.media == media);
        let music = ctx.config.hold_music.clone();
        match (holds(a), holds(b)) {
            (false, false) => {
                ctx.media(Command::Bridge { a, b });
                self.expect_keys(ctx);
            }
            (true, true) => {}
            (a_holds, _) => {
                let waits = if a_holds { b } else { a };
                if let Some(music) = music {
                    ctx.play(waits, vec![music], true);
                }
            }
        }
    }

    /// The two that are together. A caller who was not made an offer has yet to say where they are.
    pub(super) fn pair(&self) -> Option<(LegId, LegId)> {
        let Stage::Talking { other } = self.stage else { return None };
        let media = |number| {
            let leg = self.legs.iter().find(|leg| leg.number == number && leg.connected)?;
            Some(leg.media)
        };
        Some((media(self.caller)?, media(other)?))
    }

    /// The codec of the party that the caller is being joined with.
    pub(super) fn other_codec(&self) -> Option<Codec> {
        self.codec_beside(self.caller)
    }

    /// The codec of the party that this one is together with.
    pub(super) fn codec_beside(&self, number: u32) -> Option<Codec> {
        self.beside(number)?.codec()
    }

    fn beside(&self, number: u32) -> Option<&Leg> {
        let Stage::Talking { other } = self.stage else { return None };
        let beside = if number == other { self.caller } else { other };
        self.legs.iter().find(|leg| leg.number == beside)
    }

    /// Whoever is together with another one asks, from the next description on, for Opus as that one wants it: it is passed on as
    /// it comes. In a room it is we who listen.
    pub(super) fn ask_for_each_other(&mut self) {
        let Some((a, b)) = self.pair_numbers() else { return };
        self.ask_as_beside(a, a);
        self.ask_as_beside(b, b);
    }

    /// The same for one leg, which is or will be in the place of this one.
    pub(super) fn ask_as_beside(&mut self, leg: u32, place: u32) {
        let beside = self.beside(place).filter(|_| !self.is_conference());
        let opus = beside.and_then(|beside| beside.wants_opus(None));
        self.leg(leg).into_iter().for_each(|leg| leg.negotiation.ask_for_opus(opus));
    }

    /// The two that are together speak codecs that have to be made of each other.
    fn tell_transcoding(&mut self, ctx: &mut Context) {
        let Some((a, b)) = self.pair_numbers() else { return };
        let codec = |number| self.legs.iter().find(|leg| leg.number == number).and_then(|leg| leg.codec());
        let (Some(codec_a), Some(codec_b)) = (codec(a), codec(b)) else { return };
        if codec_a.is_transcoded_to(codec_b) {
            let (codec_a, codec_b) = (codec_a.encoding().to_owned(), codec_b.encoding().to_owned());
            self.note(ctx, FactKind::CallTranscoded { a, b, codec_a, codec_b });
        }
    }

    /// A new agreement with a party is in force, which spoke this codec before.
    fn follow_codec(&mut self, ctx: &mut Context, number: u32, before: Option<Codec>) {
        let now = self.leg(number).filter(|leg| leg.connected).and_then(|leg| leg.codec());
        let Some(codec) = now.filter(|now| before.is_some_and(|before| before != *now)) else { return };
        self.note(ctx, FactKind::LegCodec { leg: number, codec: codec.encoding().to_owned() });
        if self.pair_numbers().is_some_and(|(a, b)| a == number || b == number) {
            self.tell_transcoding(ctx);
        }
    }

    /// A party offers anew: hold, resume, another address or codec. Always answered: with the codec of whom it talks with,
    /// or else with the one that it has, as far as it still offers that.
    pub(crate) fn reoffered(&mut self, ctx: &mut Context, number: u32, sdp: Option<&[u8]>) {
        let beside = self.codec_beside(number);
        self.ask_as_beside(number, number);
        let Some(leg) = self.leg(number) else { return };
        let (session, before) = (leg.session, leg.codec());
        let act = match sdp {
            None => Do::AcceptReoffer { session, sdp: leg.offer() },
            Some(offer) => match leg.answer(ctx, offer, beside.or(before)) {
                Ok(sdp) => Do::AcceptReoffer { session, sdp },
                Err(refusal) => {
                    let (status, warning) = (refusal.status, Some(refusal.warning()));
                    Do::RefuseReoffer { session, status, warning }
                }
            },
        };
        leg.is_alive(ctx.now);
        ctx.sip(act);
        self.way_mended(ctx, number);
        self.follow_codec(ctx, number, before);
        self.follow_agreement(ctx, number);
    }

    /// A party answered an offer of ours in mid-call: it is there.
    pub(crate) fn reanswered(&mut self, ctx: &mut Context, number: u32, sdp: &[u8]) {
        let Some(leg) = self.leg(number) else { return };
        leg.is_alive(ctx.now);
        leg.way_broke = false;
        let before = leg.codec();
        let is_agreed = leg.answered(ctx, sdp).is_ok();
        leg.offer_is_over(ctx);
        if is_agreed {
            self.follow_codec(ctx, number, before);
            self.follow_agreement(ctx, number);
        }
        self.is_back(ctx, number);
    }

    /// It refused one: all goes on as it was.
    pub(crate) fn reoffer_refused(&mut self, ctx: &mut Context, number: u32) {
        if let Some(leg) = self.leg(number) {
            leg.offer_is_over(ctx);
        }
    }

    /// A party's session is to be refreshed by what is in force (RFC 4028).
    pub(crate) fn refresh_due(&mut self, ctx: &mut Context, number: u32) {
        if let Some(leg) = self.leg(number) {
            leg.probe(ctx);
        }
    }

    /// A refresh of a party's session failed.
    pub(crate) fn refresh_failed(
        &mut self,
        ctx: &mut Context,
        number: u32,
        sip: Option<u16>,
        ends_in: Duration,
    ) {
        let ends_in_ms = millis(ends_in);
        self.note(ctx, FactKind::LegRefreshFailed { leg: number, sip, ends_in_ms });
    }

    /// Does what a new agreement in mid-call asks for.
    fn follow_agreement(&mut self, ctx: &mut Context, number: u32) {
        if let Some((leg, log)) = self.leg_and_log(number).filter(|(leg, _)| leg.connected) {
            leg.tell_security(ctx, log);
        }
        self.ask_for_each_other();
        self.follow_hold(ctx, number);
    }

    /// Does what a changed direction asks for.
    pub(super) fn follow_hold(&mut self, ctx: &mut Context, number: u32) {
        let Some(leg) = self.leg(number) else { return };
        let (was, is) = (leg.held, leg.wants_silence());
        leg.held = is;
        let watch_ends = is || !leg.is_to_be_heard();
        let was_silent = watch_ends && self.end_silence(ctx, number);
        match (was, is) {
            (false, true) => self.note(ctx, FactKind::LegHeld { leg: number }),
            (true, false) => self.note(ctx, FactKind::LegResumed { leg: number }),
            _ if was_silent => {}
            _ => return,
        }
        self.join_anew(ctx);
    }

    /// A hold, or the silence of a browser, began or ended while the two were together.
    pub(super) fn join_anew(&mut self, ctx: &mut Context) {
        if let Service::Room { chime, .. } = self.service {
            return self.take_seat(ctx, chime);
        }
        if self.is_conference() {
            return self.take_seats(ctx);
        }
        if self.pair().is_some() {
            self.part(ctx);
            self.join(ctx);
        }
    }

    /// The caller is in the room of this service. Whoever holds has music of their own, which is not for the others.
    pub(super) fn take_seat(&mut self, ctx: &mut Context, chime: bool) {
        let Some(caller) = self.legs.iter().find(|leg| leg.number == self.caller) else { return };
        let (leg, seat) = (caller.media, if caller.held { Seat::LISTENING } else { Seat::OPEN });
        if let Some(room) = ctx.rooms.of(leg) {
            ctx.media(Command::Join { leg, room, seat, chime });
        }
    }

    /// A party that holds, or is not to be heard by agreement, is not watched: its silence is over. False if it was not
    /// silent.
    fn end_silence(&mut self, ctx: &mut Context, number: u32) -> bool {
        let Some(since) = self.leg(number).and_then(|leg| leg.silent_since.take()) else { return false };
        let after_ms = millis(ctx.now.since(since));
        self.note(ctx, FactKind::MediaRestored { leg: number, after_ms });
        true
    }

    /// The watchdog hears nothing of a party that should be heard.
    pub(crate) fn silent(&mut self, ctx: &mut Context, number: u32, evidence: &Evidence) {
        // What was seen before another direction was agreed says nothing of after it.
        let Some(leg) = self.leg(number).filter(|leg| !leg.held && leg.is_to_be_heard()) else { return };
        leg.falls_silent(ctx);
        let is_browser = leg.is_browser();
        let evidence = SilenceEvidence {
            expected: evidence.expected.to_string(),
            last_source: evidence.last_source.map(|source| source.to_string()),
            silent_ms: millis(evidence.silent_for),
            received: evidence.received,
            rejected: evidence.rejected,
            rtcp_alive: evidence.rtcp_alive,
        };
        self.note(ctx, FactKind::MediaSilent { leg: number, evidence });
        if !self.is_lost(ctx, number) && is_browser {
            self.join_anew(ctx);
        }
    }

    /// A silent party is heard again.
    pub(crate) fn restored(&mut self, ctx: &mut Context, number: u32, after: Duration) {
        let Some(leg) = self.leg(number) else { return };
        leg.silent_since = None;
        leg.is_alive(ctx.now);
        let is_browser = leg.is_browser();
        self.note(ctx, FactKind::MediaRestored { leg: number, after_ms: millis(after) });
        if !self.is_back(ctx, number) && is_browser {
            self.join_anew(ctx);
        }
    }

    /// Packets of a secured party were not made with its key, and reached nobody.
    pub(crate) fn unauthenticated(
        &mut self,
        ctx: &mut Context,
        number: u32,
        (from, rtcp, packets): (SocketAddr, bool, u64),
        keys: KeyTerms,
    ) {
        let (from, keys) = (from.to_string(), key_facts(keys));
        self.note(ctx, FactKind::MediaUnauthenticated { leg: number, from, packets, rtcp, keys });
    }

    /// Whoever has been silent, or has held, for too long is asked by a re-INVITE; a device that is gone does
    /// not answer, and its session ends by the RFC's own timers.
    pub(super) fn probe_the_quiet(&mut self, ctx: &mut Context) {
        let (now, patience) = (ctx.now, ctx.config.silence_probe);
        for leg in &mut self.legs {
            if leg.probe_at(patience).is_some_and(|at| at <= now) {
                leg.probe(ctx);
            }
        }
    }

    pub(super) fn next_probe(&self, ctx: &Context) -> Option<base::Time> {
        self.legs.iter().filter_map(|leg| leg.probe_at(ctx.config.silence_probe)).min()
    }
}
