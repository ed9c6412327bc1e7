//! A page that talks and is gone, because it is loaded anew or its network broke: the other party is asked to wait, and for
//! a while the page can take its place again, by itself or by an INVITE with Replaces (RFC 3891).

use super::{Call, Stage};
use crate::context::Context;
use base::Time;
use facts::{Cause, End, FactKind, Side};
use media_api::{Command, Sound};
use std::sync::Arc;
use std::time::Duration;

/// How long a page is waited for.
const COMES_BACK_WITHIN: Duration = Duration::from_secs(15);
/// The prompt for whoever waits, in each language that sounds are there in.
const WAIT: &str = "please_wait";
/// The language of whoever has chosen none.
const LANGUAGE: &str = "it";

/// A page that is waited for.
pub(crate) struct Lost {
    leg: u32,
    since: Time,
    pub(super) until: Time,
}

impl Call {
    /// The connection of a party's SIP broke.
    pub(crate) fn way_broke(&mut self, ctx: &mut Context, number: u32) {
        if let Some(leg) = self.leg(number) {
            leg.way_broke = true;
        }
        self.is_lost(ctx, number);
    }

    /// A party has shown by SIP that it is there.
    pub(super) fn way_mended(&mut self, ctx: &mut Context, number: u32) {
        if let Some(leg) = self.leg(number) {
            leg.way_broke = false;
        }
        self.is_back(ctx, number);
    }

    /// Asks the other party to wait, if this one is a page, talks with it and is gone. False if it is not.
    pub(super) fn is_lost(&mut self, ctx: &mut Context, number: u32) -> bool {
        let gone = self.leg(number).is_some_and(|leg| leg.is_gone());
        let talks = self.pair_numbers().is_some_and(|(a, b)| a == number || b == number);
        if !gone || !talks || self.lost.is_some() || self.end.is_some() {
            return false;
        }
        let waits_ms = super::waiting::millis(COMES_BACK_WITHIN);
        self.lost = Some(Lost { leg: number, since: ctx.now, until: ctx.now + COMES_BACK_WITHIN });
        self.note(ctx, FactKind::LegLost { leg: number, waits_ms });
        self.join_anew(ctx);
        true
    }

    /// Goes on with the conversation if this party was waited for and is there. False if it was not.
    pub(super) fn is_back(&mut self, ctx: &mut Context, number: u32) -> bool {
        let is_there = self.leg(number).is_some_and(|leg| !leg.is_gone());
        let was_lost = is_there && self.takes_back(ctx, number, number);
        if was_lost {
            self.join_anew(ctx);
        }
        was_lost
    }

    /// The party whose leg was `was` goes on by this one. False if it was not waited for.
    pub(super) fn takes_back(&mut self, ctx: &mut Context, was: u32, leg: u32) -> bool {
        let Some(lost) = self.lost.take_if(|lost| lost.leg == was) else { return false };
        let after_ms = super::waiting::millis(ctx.now.since(lost.since));
        self.note(ctx, FactKind::LegTakenBack { leg, was, after_ms });
        true
    }

    /// What whoever is left hears while a page is waited for. False if none is.
    pub(super) fn comfort(&mut self, ctx: &mut Context) -> bool {
        let (Some(lost), Some((a, b))) = (&self.lost, self.pair_numbers()) else { return false };
        let waits = if lost.leg == a { b } else { a };
        let Some(leg) = self.legs.iter().find(|leg| leg.number == waits) else { return true };
        if !leg.held {
            let mut sounds = vec![self.please_wait()];
            sounds.extend(ctx.config.hold_music.clone());
            ctx.play(leg.media, sounds, true);
        }
        true
    }

    fn please_wait(&self) -> Sound {
        let language = self.script.as_ref().map_or(LANGUAGE, ivr::Interpreter::language);
        let sources = [language, LANGUAGE].map(|language| Arc::from(format!("{language}/{WAIT}")));
        Arc::from(sources)
    }

    /// Nobody waits for ever.
    pub(super) fn losing_timeout(&mut self, ctx: &mut Context) {
        let Some(lost) = self.lost.take_if(|lost| lost.until <= ctx.now) else { return };
        if !matches!(self.stage, Stage::Talking { .. }) {
            return;
        }
        let why = format!(
            "the page of leg {} was closed or lost its network, and did not come back within {} s",
            lost.leg,
            COMES_BACK_WITHIN.as_secs()
        );
        self.finish(ctx, End::new(Side::Network, Cause::Unreachable).detail(why));
    }

    /// Whoever was left hears no more that it should wait.
    pub(super) fn end_comfort(&mut self, ctx: &mut Context) {
        let Some((a, b)) = self.pair() else { return };
        ctx.media(Command::Stop { leg: a });
        ctx.media(Command::Stop { leg: b });
    }
}
