//! What a caller says about a call that goes on: new offers, hold, refreshes, and its answers to the exchange's.

use super::abilities::borrowed;
use super::caller::Caller;
use super::manners::{CallerManners, one_of};
use super::stack::{LIFETIME, Stack};
use super::text::Message;
use super::timer::{Due, Habit};

impl Caller {
    pub(super) fn session_timer(&mut self, stack: &mut Stack) {
        match self.timer.due(stack.now) {
            Due::Nothing => {}
            Due::Refresh => self.refresh(stack),
            Due::Over { mine, since } => {
                let strict = stack.strict_from <= since && self.manners == CallerManners::Good;
                if strict {
                    let whose = if mine { "ended" } else { "refreshed" };
                    stack
                        .complaints
                        .push(format!("the session {} was not {whose} in time", self.dialog.call_id));
                }
                self.hang_up(stack);
            }
        }
    }

    /// Says that the session lives (RFC 4028 §7.4).
    pub(super) fn refresh(&mut self, stack: &mut Stack) {
        let headers = self.abilities.headers(&self.timer);
        let by_update = self.timer.by_update && self.abilities.updates;
        let (method, body) = match by_update {
            true => ("UPDATE", String::new()),
            false => ("INVITE", self.description(stack, "sendrecv")),
        };
        stack.met(if by_update { "refresh by UPDATE" } else { "refresh by re-INVITE" });
        let branch = stack.request(&mut self.dialog, method, &borrowed(&headers), &body);
        self.offers.push(branch);
    }

    pub(super) fn hold(&mut self, stack: &mut Stack, on: bool) {
        self.version += 1;
        let (direction, zero) = match (on, self.manners) {
            (true, CallerManners::HoldsByZero) => ("sendrecv", true),
            (true, _) => (one_of(&mut stack.rng, &["sendonly", "inactive"]), false),
            (false, _) => ("sendrecv", false),
        };
        let mut body = self.description(stack, direction);
        stack.met(if on { "caller holds" } else { "caller resumes" });
        if zero {
            stack.met("hold by 0.0.0.0");
            body = changed(&body, "c=IN IP4 ", "0.0.0.0");
        }
        if self.manners == CallerManners::RefusesOffers {
            // G.729 and nothing else.
            body = changed(&body, "m=audio ", "40000 RTP/AVP 18");
        }
        let by_update = self.abilities.updates && stack.rng.chance_permille(500);
        if by_update {
            stack.met("hold by UPDATE");
        }
        let method = if by_update { "UPDATE" } else { "INVITE" };
        let branch = stack.request(&mut self.dialog, method, &[], &body);
        self.offers.push(branch);
        if self.manners == CallerManners::OffersAcross {
            stack.met("two offers at once");
            let branch = stack.request(&mut self.dialog, "INVITE", &[], &body);
            self.offers.push(branch);
        }
    }

    /// Is somewhere else from now on, and says so at once.
    pub(super) fn rebind(&mut self, stack: &mut Stack) {
        stack.met("port changes");
        stack.me.set_port(stack.me.port() + 1);
        stack.sessions.rebind();
        // What was on its way to the old one is lost.
        stack.strict_from = stack.strict_from.max(stack.now + LIFETIME);
        self.refresh(stack);
    }

    /// What the exchange says to a new offer or a refresh.
    pub(super) fn offer_answered(
        &mut self,
        stack: &mut Stack,
        message: &Message<'_>,
        status: u16,
        invite: bool,
    ) {
        let cseq = message.cseq().0;
        match status {
            200..300 => {
                self.timer.answered(stack.now, message);
                self.media = message.media().or(self.media);
                if invite {
                    stack.acknowledge(&self.dialog, cseq, "");
                }
                return;
            }
            491 => stack.met("offer got 491"),
            488 => stack.met("offer was refused"),
            _ => {}
        }
        self.timer.again(stack.now);
    }

    pub(super) fn note_timer(&self, stack: &mut Stack, message: &Message<'_>) {
        match (self.timer.habit, message.header("Session-Expires").contains("refresher=uac")) {
            (Habit::Unknown, _) => {}
            (Habit::Neglects, _) => stack.met("refresh neglected"),
            (_, true) => stack.met("refresher is the phone"),
            (_, false) => stack.met("refresher is the exchange"),
        }
    }

    pub(super) fn reoffered(&mut self, stack: &mut Stack, request: &Message<'_>, invite: bool) {
        match self.manners {
            _ if !invite && request.body.is_empty() => {
                stack.met("UPDATE of the exchange's");
                let extra = self.timer_headers(stack, request);
                stack.reply(request, 200, "", &borrowed(&extra), "");
            }
            _ if !self.offers.is_empty() => {
                stack.met("re-INVITE glare");
                stack.reply(request, 491, "", &[], "");
            }
            CallerManners::OffersAcross => {
                stack.met("re-INVITE glare");
                stack.reply(request, 491, "", &[], "");
                self.hold(stack, false);
            }
            CallerManners::RefusesOffers => {
                stack.met("caller refuses a re-INVITE");
                stack.reply(request, 488, "", &[], "");
            }
            _ => {
                self.media = request.media().or(self.media);
                self.version += 1;
                let body = self.description(stack, "sendrecv");
                let extra = self.timer_headers(stack, request);
                match invite {
                    true => stack.accept(request, "", &borrowed(&extra), &body),
                    false => stack.reply(request, 200, "", &borrowed(&extra), &body),
                }
            }
        }
    }

    /// What a 2xx says of the session timer.
    pub(super) fn timer_headers(
        &mut self,
        stack: &Stack,
        request: &Message<'_>,
    ) -> Vec<(&'static str, String)> {
        let agreed = self.timer.replies(stack.now, request);
        let mut headers: Vec<_> = agreed.into_iter().map(|agreed| ("Session-Expires", agreed)).collect();
        headers.push(("Allow", self.abilities.allowed().to_owned()));
        headers
    }
}

/// The same description with something else in the line that begins so.
fn changed(body: &str, beginning: &str, rest: &str) -> String {
    let line = |line: &str| match line.starts_with(beginning) {
        true => format!("{beginning}{rest}\r\n"),
        false => format!("{line}\r\n"),
    };
    body.lines().map(line).collect()
}
