//! A page that talks and is gone, because it is loaded anew or its network broke: for a while it can take its place again, by
//! itself or by an INVITE with Replaces (RFC 3891). If it is one of the two, the other is asked to wait.

use super::Call;
use crate::context::Context;
use base::Time;
use facts::{Cause, End, FactKind, Side, millis};
use media_api::{Command, Sound};
use std::iter;
use std::sync::Arc;
use std::time::Duration;

/// How long a page is waited for.
const COMES_BACK_WITHIN: Duration = Duration::from_secs(15);
/// One that comes back in the last moment has so long for its handshake all the same.
const KEYS_WITHIN: Duration = Duration::from_secs(3);
/// The prompt for whoever waits, in each language that sounds are there in.
const WAIT: &str = "please_wait";
/// The language of whoever has chosen none.
const LANGUAGE: &str = "it";

/// The pages that are waited for: each is a leg of the call, so that there are no more than those.
#[derive(Default)]
pub(crate) struct Losses {
    list: Vec<Lost>,
}

struct Lost {
    leg: u32,
    since: Time,
    until: Time,
    /// It has taken its place, and its keys are still to come.
    is_back: bool,
}

impl Losses {
    pub(super) fn has(&self, leg: u32) -> bool {
        self.list.iter().any(|lost| lost.leg == leg)
    }

    /// When the next one is given up.
    pub(super) fn next(&self) -> Option<Time> {
        self.list.iter().map(|lost| lost.until).min()
    }

    /// This leg is over.
    pub(super) fn forget(&mut self, leg: u32) {
        self.list.retain(|lost| lost.leg != leg);
    }

    pub(super) fn clear(&mut self) {
        self.list.clear();
    }

    fn take(&mut self, found: impl Fn(&Lost) -> bool) -> Option<Lost> {
        let at = self.list.iter().position(found)?;
        Some(self.list.remove(at))
    }
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

    /// Waits for this party, if it is a page, is in the conversation and is gone. False if it is not.
    pub(super) fn is_lost(&mut self, ctx: &mut Context, number: u32) -> bool {
        let gone = self.leg(number).is_some_and(|leg| leg.is_gone());
        if !gone || !self.is_in_talk(number) || self.lost.has(number) || self.end.is_some() {
            return false;
        }
        let waits_ms = millis(COMES_BACK_WITHIN);
        let until = ctx.now + COMES_BACK_WITHIN;
        self.lost.list.push(Lost { leg: number, since: ctx.now, until, is_back: false });
        self.note(ctx, FactKind::LegLost { leg: number, waits_ms });
        self.join_anew(ctx);
        true
    }

    /// Goes on with the conversation if this party was waited for and is there. False if it was not.
    pub(super) fn is_back(&mut self, ctx: &mut Context, number: u32) -> bool {
        let is_there = self.leg(number).is_some_and(|leg| !leg.is_gone() && !leg.waits_for_keys());
        let was_lost = is_there && self.takes_back(ctx, number, number);
        if was_lost {
            self.join_anew(ctx);
        }
        was_lost
    }

    /// The party whose leg was `was` goes on by this one, and is waited for until it has its keys: a page may come back and not
    /// be heard, and then come back once more. False if it was not waited for.
    pub(super) fn takes_back(&mut self, ctx: &mut Context, was: u32, leg: u32) -> bool {
        let Some(lost) = self.lost.take(|lost| lost.leg == was) else { return false };
        let after_ms = millis(ctx.now.since(lost.since));
        self.note(ctx, FactKind::LegTakenBack { leg, was, after_ms });
        if self.leg(leg).is_some_and(|leg| leg.waits_for_keys()) {
            let until = lost.until.max(ctx.now + KEYS_WITHIN);
            self.lost.list.push(Lost { leg, until, is_back: true, ..lost });
        }
        true
    }

    /// A page that has come back has its keys: it is heard.
    pub(super) fn is_back_with_keys(&mut self, ctx: &mut Context, number: u32) {
        if self.lost.take(|lost| lost.leg == number && lost.is_back).is_none() {
            self.is_back(ctx, number);
            return;
        }
        match self.guests.is_there(number) {
            true => self.take_seats(ctx),
            false => self.is_heard_again(ctx),
        }
    }

    /// One of the two is there again by another leg: the other one waits no longer.
    pub(super) fn is_heard_again(&mut self, ctx: &mut Context) {
        self.end_comfort(ctx);
        self.talk(ctx);
    }

    /// What whoever is left hears while a page is waited for. False if none is.
    pub(super) fn comfort(&mut self, ctx: &mut Context) -> bool {
        let Some((a, b)) = self.pair_numbers() else { return false };
        let waits = match (self.lost.has(a), self.lost.has(b)) {
            (false, false) => return false,
            (false, true) => a,
            (true, false) => b,
            (true, true) => return true,
        };
        if let Some(leg) = self.legs.iter().find(|leg| leg.number == waits && !leg.held) {
            ctx.play(leg.media, self.comforting(ctx), true);
        }
        true
    }

    /// That a page is waited for, and music.
    pub(super) fn comforting(&self, ctx: &Context) -> Vec<Sound> {
        iter::once(self.please_wait()).chain(ctx.config.hold_music.clone()).collect()
    }

    fn please_wait(&self) -> Sound {
        let language = self.script.as_ref().map_or(LANGUAGE, ivr::Interpreter::language);
        let sources = [language, LANGUAGE].map(|language| Arc::from(format!("{language}/{WAIT}")));
        Arc::from(sources)
    }

    /// Nobody waits for ever.
    pub(super) fn losing_timeout(&mut self, ctx: &mut Context) {
        while let Some(Lost { leg, is_back, .. }) = self.lost.take(|lost| lost.until <= ctx.now) {
            let within = COMES_BACK_WITHIN.as_secs();
            let (cause, what) = match is_back {
                false => (Cause::Unreachable, format!("did not come back within {within} s")),
                true => (Cause::NotSecured, "came back, but got no keys in time".to_owned()),
            };
            let why = format!("the page of leg {leg} was closed or lost its network, and {what}");
            let end = End::new(Side::Network, cause).detail(why);
            if self.guests.is_there(leg) {
                self.dismiss_guest(ctx, leg, end.place(self.place()));
            } else if self.is_in_talk(leg) && !self.loses_agent(ctx, leg, &end) {
                self.finish(ctx, end);
            }
        }
    }

    /// Whoever was left hears no more that it should wait.
    pub(super) fn end_comfort(&mut self, ctx: &mut Context) {
        let Some((a, b)) = self.pair() else { return };
        self.playing = None;
        self.guests.forget_music();
        ctx.media(Command::Stop { leg: a });
        ctx.media(Command::Stop { leg: b });
    }
}
