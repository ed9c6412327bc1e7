//! A phone that is called: an agent's, which registers, or that of a party outside.

use super::abilities::{Abilities, borrowed};
use super::manners::{CalleeManners, between, one_of};
use super::operator::Mood;
use super::registering::Registration;
use super::ringing::Progress;
use super::stack::{Dialog, LIFETIME, Stack};
use super::text::Message;
use super::timer::{Due, SessionTimer};
use super::transferring::{Handover, Placed, Refer};
use base::Time;
use std::time::Duration;

pub(crate) struct Callee {
    /// The password, of those who register.
    pub(super) account: Option<String>,
    bad: bool,
    /// Registers once and is unplugged at the first call that finds bad manners.
    pub(super) registration: Registration,
    pub(super) legs: Vec<Leg>,
    pub(super) agenda: Vec<(Time, String, Act)>,
    pub(super) calls: u32,
    /// What stands between the phone and the exchange.
    pub(super) path: Option<String>,
    /// Of an operator's server.
    pub(super) mood: Option<Mood>,
    /// Whether nothing between the exchange and this phone is lost: then it must never be called twice.
    pub(crate) sure: bool,
}

pub(super) struct Leg {
    pub(super) dialog: Dialog,
    pub(super) manners: CalleeManners,
    pub(super) abilities: Abilities,
    pub(super) timer: SessionTimer,
    pub(super) progress: Progress,
    /// Of the last reliable provisional answer.
    pub(super) rseq: u32,
    pub(super) invite: Vec<u8>,
    pub(super) state: State,
    pub(super) talk: Duration,
    pub(super) holds: bool,
    pub(super) version: u32,
    /// A new offer or a refresh that waits for its answer.
    pub(super) offer: Option<String>,
    /// The second fork's tag, and whether its BYE came.
    pub(super) fork: Option<(String, bool)>,
    /// What the agent means to do with the call.
    pub(super) handover: Option<Handover>,
    pub(super) refer: Option<Refer>,
    /// The phone made this call.
    pub(super) placed: Option<Placed>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It calls, or has taken that back.
    Calling,
    Cancelled,
    Ringing,
    /// 200 sent; `true` after the ACK.
    Up(bool),
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Register,
    Ring,
    Decide,
    HangUp,
    Hold(bool),
    CheckFork,
    HandOver,
    Complete,
    CheckRefer,
    Mood,
    PlugIn,
    Tires,
    Forget,
}

impl Callee {
    /// A phone that registers from `first` on, every half of `expires`; or one that only waits.
    pub(crate) fn new(
        stack: &Stack,
        account: Option<String>,
        bad: bool,
        first: Time,
        expires: Duration,
    ) -> Callee {
        let identity = format!("<sip:{}@{}>", stack.user, stack.server.ip());
        let dialog = Dialog {
            call_id: format!("r-{}", stack.me.ip()),
            local: identity.clone(),
            local_tag: "r".to_owned(),
            remote: identity,
            target: format!("sip:{}", stack.server),
            ..Dialog::default()
        };
        let mut callee = Callee {
            account,
            bad,
            registration: Registration::new(dialog, expires),
            legs: Vec::new(),
            agenda: Vec::new(),
            calls: 0,
            path: None,
            mood: None,
            sure: false,
        };
        if callee.account.is_some() {
            callee.plan(first, "", Act::Register);
        }
        callee
    }

    pub(super) fn plan(&mut self, at: Time, call_id: &str, act: Act) {
        self.agenda.push((at, call_id.to_owned(), act));
    }

    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        let up = self.legs.iter().filter(|leg| leg.state == State::Up(true));
        let timers = up.filter_map(|leg| leg.timer.poll_timeout());
        self.agenda.iter().map(|(at, _, _)| *at).chain(timers).min()
    }

    pub(super) fn drop_moods(&mut self) {
        self.agenda.retain(|(_, _, act)| *act != Act::Mood);
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.legs.iter().any(|leg| leg.state != State::Over)
    }

    pub(crate) fn handle_timeout(&mut self, stack: &mut Stack) {
        while let Some(at) = self.agenda.iter().position(|(at, _, _)| *at <= stack.now) {
            let (_, call_id, act) = self.agenda.remove(at);
            self.act(stack, &call_id, act);
        }
        for at in 0..self.legs.len() {
            self.session_timer(stack, at);
        }
    }

    fn session_timer(&mut self, stack: &mut Stack, at: usize) {
        let Some(leg) = self.legs.get_mut(at).filter(|leg| leg.state == State::Up(true)) else { return };
        match leg.timer.due(stack.now) {
            Due::Nothing => {}
            Due::Refresh => leg.refresh(stack),
            Due::Over { mine, since } => {
                if stack.strict_from <= since && !stack.vanished && leg.manners == CalleeManners::Answers {
                    let whose = if mine { "ended" } else { "refreshed" };
                    let call_id = &leg.dialog.call_id;
                    stack.complaints.push(format!("the session {call_id} was not {whose} in time"));
                }
                self.hang_up(stack, at);
            }
        }
    }

    /// A request of ours was never answered.
    pub(crate) fn unanswered(&mut self, stack: &mut Stack, method: &str, branch: &str) {
        if method == "INVITE" {
            return self.unanswered_call(stack, branch);
        }
        if method == "REGISTER" {
            self.not_registered(stack);
        }
    }

    pub(crate) fn response(&mut self, stack: &mut Stack, message: &Message<'_>) {
        let Some(answer) = stack.response(message) else {
            let again = message.status() == Some(200) && message.cseq().1 == "INVITE";
            if again && let Some(leg) = self.legs.iter().find(|leg| leg.dialog.call_id == message.call_id()) {
                stack.acknowledge(&leg.dialog, message.cseq().0, "");
            }
            return;
        };
        if self.handover_response(stack, &answer, message) {
            return;
        }
        match (answer.method, answer.status) {
            ("REGISTER", 200..) => self.registered(stack, message, answer.status),
            ("INVITE" | "UPDATE", 200..) => {
                let known = |leg: &&mut Leg| leg.offer.as_deref() == Some(answer.branch.as_str());
                if let Some(leg) = self.legs.iter_mut().find(known) {
                    leg.offer = None;
                    match answer.status {
                        200..300 => drop(leg.timer.answered(stack.now, message)),
                        _ => leg.timer.again(stack.now),
                    }
                    if answer.status < 300 && answer.method == "INVITE" {
                        stack.acknowledge(&leg.dialog, message.cseq().0, "");
                    }
                }
            }
            _ => {}
        }
    }

    /// A request of the exchange.
    pub(crate) fn request(&mut self, stack: &mut Stack, request: &Message<'_>) {
        let method = request.method().unwrap_or("");
        if method == "ACK" {
            if stack.acknowledged(request) {
                self.confirmed(stack, request.call_id());
            }
            return;
        }
        if stack.is_repeated(request) {
            return;
        }
        let known = self.legs.iter().position(|leg| leg.dialog.call_id == request.call_id());
        if known.is_none() && self.served(stack, request) {
            return;
        }
        match (method, known) {
            ("INVITE", None) if request.tag_of_to().is_empty() => self.called(stack, request),
            ("INVITE", None) => stack.reply(request, 481, "", &[], ""),
            ("INVITE" | "UPDATE", Some(at)) => self.reoffered(stack, at, request, method == "INVITE"),
            ("PRACK", Some(at)) => self.pracked(stack, at, request),
            ("NOTIFY", Some(at)) => self.notified(stack, at, request),
            ("CANCEL", Some(at)) => self.cancelled(stack, at, request),
            ("BYE", Some(at)) => self.hung_up(stack, at, request),
            ("BYE" | "CANCEL", None) => stack.reply(request, 481, "x", &[], ""),
            _ => stack.reply(request, 200, "x", &[], ""),
        }
    }

    fn called(&mut self, stack: &mut Stack, request: &Message<'_>) {
        self.calls += 1;
        // No other phone's (RFC 3261 §19.3): two servers may answer one call.
        let tag = format!("{}-{}", stack.me.ip(), self.calls);
        if self.account.is_some() && self.is_busy() {
            let sure = self.sure && stack.now >= stack.strict_from;
            if sure && self.legs.iter().any(|leg| leg.state == State::Up(true) && leg.is_well_kept()) {
                let call = request.header("X-Cornetta-Call").to_owned();
                stack.complaints.push(format!("{} is called for {call} while in another call", stack.user));
            }
            return stack.reply(request, 486, &tag, &[], "");
        }
        let hasty =
            request.header("Session-Expires").split(';').next().and_then(|value| value.parse::<u32>().ok());
        if self.bad && hasty.is_some_and(|seconds| seconds < 300) && stack.rng.chance_permille(60) {
            stack.met("422 of a callee");
            return stack.reply(request, 422, &tag, &[("Min-SE", "300")], "");
        }
        if let Some(path) = &self.path {
            stack.met("call by Path");
            if request.header("Route") != path {
                let found = request.header("Route");
                stack.complaints.push(format!("the INVITE says `{found}` for Route, not {path}"));
            }
        }
        let manners = CalleeManners::draw(&mut stack.rng, self.bad);
        if manners == CalleeManners::RepeatsEverything {
            stack.met("callee repeats everything");
            stack.echoes = 1 + stack.rng.below(3) as u32;
        } else {
            stack.echoes = 0;
        }
        let to = request.header("To");
        let from = request.header("From");
        let dialog = Dialog {
            call_id: request.call_id().to_owned(),
            local: to.to_owned(),
            local_tag: tag,
            remote: from.split(";tag=").next().unwrap_or("").to_owned(),
            remote_tag: request.tag_of_from().to_owned(),
            target: request.contact().to_owned(),
            cseq: stack.rng.below(100) as u32,
            ..Dialog::default()
        };
        let call_id = dialog.call_id.clone();
        let mut leg = Leg::new(dialog, manners, stack, self.bad);
        leg.invite = raw(request);
        leg.handover = Handover::draw(&mut stack.rng).filter(|_| self.account.is_some());
        self.add(stack, leg);
        let soon = between(&mut stack.rng, 10, 200);
        self.plan(stack.now + soon, &call_id, Act::Ring);
        let thought = between(&mut stack.rng, 300, 9_000);
        self.plan(stack.now + soon + thought, &call_id, Act::Decide);
    }

    fn act(&mut self, stack: &mut Stack, call_id: &str, act: Act) {
        match act {
            Act::Register => return self.register(stack, None),
            Act::Mood => return self.change_mood(stack),
            Act::PlugIn => {
                stack.vanished = false;
                // What was asked of it meanwhile it heard too late.
                stack.strict_from = stack.strict_from.max(stack.now + LIFETIME);
            }
            _ => {}
        }
        let Some(at) = self.legs.iter().position(|leg| leg.dialog.call_id == call_id) else { return };
        match act {
            Act::Ring => self.ring(stack, at),
            Act::Decide => self.decide(stack, at),
            Act::HangUp => self.hang_up(stack, at),
            Act::Hold(on) => self.hold(stack, at, on),
            Act::CheckFork => self.check_fork(stack, at),
            Act::HandOver => self.hand_over(stack, at),
            Act::Complete => self.complete(stack, at),
            Act::CheckRefer => self.check_refer(stack, at),
            Act::Tires => self.tires(stack, at),
            Act::Forget => drop(self.legs.remove(at)),
            Act::Register | Act::PlugIn | Act::Mood => {}
        }
    }

    fn decide(&mut self, stack: &mut Stack, at: usize) {
        let Some(leg) = self.legs.get(at).filter(|leg| leg.state == State::Ringing) else { return };
        match leg.manners {
            CalleeManners::Refuses(status) => {
                stack.met("callee refuses");
                if let Some(invite) = Message::read(&leg.invite) {
                    stack.reply(&invite, status, &leg.dialog.local_tag, &[], "");
                }
                self.end(stack, at);
            }
            CalleeManners::Forwards => {
                stack.met("callee forwards");
                let contact = one_of(
                    &mut stack.rng,
                    &["<sip:agent01@10.0.0.1>", "<sip:nobody@10.99.0.1>", "<tel:+39021234>", "where?", ""],
                );
                if let Some(invite) = Message::read(&leg.invite) {
                    stack.reply(&invite, 302, &leg.dialog.local_tag, &[("Contact", contact)], "");
                }
                self.end(stack, at);
            }
            CalleeManners::LetsItRing
            | CalleeManners::AnswersTheCancel
            | CalleeManners::RingsForEver
            | CalleeManners::VanishesRinging => {}
            _ => {
                if self.may_answer(stack, at) {
                    self.answer(stack, at);
                }
            }
        }
    }

    fn answer(&mut self, stack: &mut Stack, at: usize) {
        let Some(leg) = self.legs.get_mut(at) else { return };
        leg.state = State::Up(false);
        let bytes = leg.invite.clone();
        let Some(invite) = Message::read(&bytes) else { return };
        let body = match leg.manners {
            CalleeManners::AnswersNonsense => {
                stack.met("nonsense for an answer");
                "v=0\r\nthis is no description\r\n".to_owned()
            }
            CalleeManners::AnswersWithoutMedia => {
                stack.met("2xx without an answer");
                String::new()
            }
            // The answer was in the 183 (RFC 3262 §5): to say it again is allowed as long as it is the same.
            _ if leg.progress == Progress::EarlyMediaReliably
                && (leg.version > 1 || stack.rng.chance_permille(500)) =>
            {
                String::new()
            }
            _ => stack.sessions.describe(&leg.dialog.call_id, leg.version, "sendrecv"),
        };
        let (tag, call_id) = (leg.dialog.local_tag.clone(), leg.dialog.call_id.clone());
        let extra = leg.timer_headers(stack, &invite);
        stack.accept(&invite, &tag, &borrowed(&extra), &body);
        match leg.manners {
            CalleeManners::AnswersTwice => {
                stack.met("2xx from two forks");
                let fork = format!("{tag}fork");
                leg.fork = Some((fork.clone(), false));
                let contact = stack.contact();
                stack.send(super::text::answer(&invite, 200, &fork, &[("Contact", &contact)], &body));
                self.plan(stack.now + Duration::from_secs(45), &call_id, Act::CheckFork);
            }
            CalleeManners::HangsUpAtOnce => {
                stack.met("BYE right after the answer");
                self.hang_up(stack, at);
            }
            _ => {}
        }
    }

    fn check_fork(&mut self, stack: &mut Stack, at: usize) {
        let Some(leg) = self.legs.get(at) else { return };
        if leg.fork.as_ref().is_some_and(|(_, ended)| !ended)
            && self.sure
            && !stack.stream
            && stack.now >= stack.strict_from
        {
            stack.complaints.push(format!("the second fork of {} was never ended", leg.dialog.call_id));
        }
    }

    fn confirmed(&mut self, stack: &mut Stack, call_id: &str) {
        let Some(leg) = self.legs.iter_mut().find(|leg| leg.dialog.call_id == call_id) else { return };
        if leg.state != State::Up(false) {
            return;
        }
        leg.state = State::Up(true);
        let (talk, holds, handover) = (leg.talk, leg.holds, leg.handover);
        self.plan(stack.now + talk, call_id, Act::HangUp);
        if handover.is_some() {
            let pause = between(&mut stack.rng, 300, 15_000);
            self.plan(stack.now + pause, call_id, Act::HandOver);
        } else if holds {
            let pause = between(&mut stack.rng, 300, 10_000);
            self.plan(stack.now + pause, call_id, Act::Hold(true));
            let length = between(&mut stack.rng, 100, 10_000);
            self.plan(stack.now + pause + length, call_id, Act::Hold(false));
        }
    }

    pub(super) fn hang_up(&mut self, stack: &mut Stack, at: usize) {
        if self.legs.get(at).is_some_and(|leg| leg.state == State::Calling) {
            return self.cancel_placed(stack, at);
        }
        let Some(leg) = self.legs.get_mut(at).filter(|leg| matches!(leg.state, State::Up(_))) else { return };
        stack.request(&mut leg.dialog, "BYE", &[], "");
        self.end(stack, at);
    }

    pub(super) fn hold(&mut self, stack: &mut Stack, at: usize, on: bool) {
        let Some(leg) = self.legs.get_mut(at).filter(|leg| leg.state == State::Up(true)) else { return };
        if leg.offer.is_some() {
            // One offer at a time (RFC 3261 §14.1).
            let call_id = leg.dialog.call_id.clone();
            return self.plan(stack.now + Duration::from_millis(700), &call_id, Act::Hold(on));
        }
        stack.met(if on { "callee holds" } else { "callee resumes" });
        leg.version += 1;
        let direction = if on { "sendonly" } else { "sendrecv" };
        let body = stack.sessions.describe(&leg.dialog.call_id, leg.version, direction);
        leg.offer = Some(stack.request(&mut leg.dialog, "INVITE", &[], &body));
    }

    fn reoffered(&mut self, stack: &mut Stack, at: usize, request: &Message<'_>, invite: bool) {
        let Some(leg) = self.legs.get_mut(at) else { return };
        let up = matches!(leg.state, State::Up(_)) && request.tag_of_to() == leg.dialog.local_tag;
        match leg.manners {
            _ if request.tag_of_to().is_empty() => stack.reply(request, 482, "", &[], ""),
            CalleeManners::NeverAnswersRequests => stack.met("callee answers no request"),
            _ if !up => stack.reply(request, 481, "", &[], ""),
            _ if leg.offer.is_some() => {
                stack.met("re-INVITE glare");
                stack.reply(request, 491, "", &[], "");
            }
            _ if !invite && request.body.is_empty() => {
                stack.met("UPDATE of the exchange's");
                let extra = leg.timer_headers(stack, request);
                stack.reply(request, 200, "", &borrowed(&extra), "");
            }
            _ => {
                leg.version += 1;
                let body = stack.sessions.describe(&leg.dialog.call_id, leg.version, "sendrecv");
                let extra = leg.timer_headers(stack, request);
                match invite {
                    true => stack.accept(request, "", &borrowed(&extra), &body),
                    false => stack.reply(request, 200, "", &borrowed(&extra), &body),
                }
            }
        }
    }

    fn cancelled(&mut self, stack: &mut Stack, at: usize, request: &Message<'_>) {
        let Some(leg) = self.legs.get(at) else { return };
        if leg.manners == CalleeManners::RingsForEver && leg.state == State::Ringing {
            stack.met("deaf to CANCEL");
            // Deaf: it neither answers the CANCEL nor the INVITE, and rings on until somebody leaves it.
            let ten_minutes = stack.now + Duration::from_secs(600);
            let call_id = leg.dialog.call_id.clone();
            self.end(stack, at);
            return self.plan(ten_minutes, &call_id, Act::Forget);
        }
        stack.reply(request, 200, &leg.dialog.local_tag, &[], "");
        if leg.state != State::Ringing {
            return;
        }
        if leg.manners == CalleeManners::LetsItRing {
            stack.met("rings until it is left");
        }
        if leg.manners == CalleeManners::AnswersTheCancel {
            stack.met("2xx crosses CANCEL");
            return self.answer(stack, at);
        }
        if let Some(invite) = Message::read(&leg.invite) {
            stack.reply(&invite, 487, &leg.dialog.local_tag, &[], "");
        }
        self.end(stack, at);
    }

    fn hung_up(&mut self, stack: &mut Stack, at: usize, request: &Message<'_>) {
        let Some(leg) = self.legs.get_mut(at) else { return };
        if let Some((fork, ended)) = leg.fork.as_mut().filter(|(fork, _)| fork == request.tag_of_to()) {
            let _ = fork;
            *ended = true;
            return stack.reply(request, 200, "", &[], "");
        }
        match leg.manners {
            CalleeManners::NeverAnswersRequests => {
                stack.met("callee answers no request");
                return self.end(stack, at);
            }
            CalleeManners::HangsUpAcross if leg.state != State::Over => {
                stack.met("BYE crosses BYE");
                stack.request(&mut leg.dialog, "BYE", &[], "");
            }
            _ => {}
        }
        stack.reply(request, 200, "", &[], "");
        self.end(stack, at);
    }

    pub(super) fn end(&mut self, stack: &mut Stack, at: usize) {
        let Some(leg) = self.legs.get_mut(at).filter(|leg| leg.state != State::Over) else { return };
        leg.state = State::Over;
        stack.falls_silent = true;
        let call_id = leg.dialog.call_id.clone();
        stack.sessions.ends(&call_id);
        stack.forget_pracks(&call_id);
        self.drop_consultations(stack, &call_id);
        self.plan(stack.now + Duration::from_secs(75), &call_id, Act::Forget);
    }
}

impl Leg {
    /// What a 2xx says of the session timer, and of what the phone can do.
    fn timer_headers(&mut self, stack: &Stack, request: &Message<'_>) -> Vec<(&'static str, String)> {
        let agreed = self.timer.replies(stack.now, request);
        let mut headers = vec![("Allow", self.abilities.allowed().to_owned())];
        if let Some(agreed) = agreed {
            if agreed.ends_with("uac") {
                headers.push(("Require", "timer".to_owned()));
            }
            headers.push(("Session-Expires", agreed));
        }
        headers
    }

    fn described_again(&self, stack: &mut Stack) -> String {
        stack.sessions.describe(&self.dialog.call_id, self.version, "sendrecv")
    }

    /// Says that the session lives (RFC 4028 §7.4).
    fn refresh(&mut self, stack: &mut Stack) {
        if self.offer.is_some() {
            return self.timer.again(stack.now);
        }
        let by_update = self.timer.by_update && self.abilities.updates;
        let (method, body) = match by_update {
            true => ("UPDATE", String::new()),
            false => ("INVITE", self.described_again(stack)),
        };
        stack.met(if by_update { "refresh by UPDATE" } else { "refresh by re-INVITE" });
        let headers = self.abilities.headers(&self.timer);
        self.offer = Some(stack.request(&mut self.dialog, method, &borrowed(&headers), &body));
    }

    /// The phone does nothing that would explain that the exchange thinks it free. Who has handed a call over is free
    /// when the other side has it, a moment before the BYE.
    fn is_well_kept(&self) -> bool {
        self.handover.is_none()
            && matches!(
                self.manners,
                CalleeManners::Answers | CalleeManners::LetsItRing | CalleeManners::Refuses(_)
            )
    }
}

/// The text of a request, to be answered later.
fn raw(request: &Message<'_>) -> Vec<u8> {
    let mut text = format!("{}\r\n", request.first);
    let kept =
        ["Via", "From", "To", "Call-ID", "CSeq", "Supported", "Require", "Session-Expires", "P-Early-Media"];
    for name in kept {
        for value in request.headers(name) {
            super::text::push(&mut text, name, value);
        }
    }
    text.push_str("\r\n");
    text.into_bytes()
}
