//! A person who calls for help, and their phone. Each makes one call.

use super::abilities::{Abilities, Reliable, borrowed};
use super::manners::{CallerManners, between, one_of};
use super::stack::{Dialog, LIFETIME, Stack};
use super::text::Message;
use super::timer::SessionTimer;
use base::Time;
use std::net::SocketAddr;
use std::time::Duration;

pub(crate) struct Caller {
    pub(super) manners: CallerManners,
    pub(super) abilities: Abilities,
    pub(super) timer: SessionTimer,
    pub(super) dialled: &'static str,
    pub(super) patience: Duration,
    pub(super) talk: Duration,
    pub(super) holds: bool,
    pub(super) dialog: Dialog,
    pub(super) invited: (String, u32),
    /// The offer or answer that the exchange made last.
    pub(super) media: Option<SocketAddr>,
    pub(super) state: State,
    pub(super) agenda: Vec<(Time, Act)>,
    /// How many offers of its own were made.
    pub(super) version: u32,
    /// Re-INVITEs that wait for their answer: branch.
    pub(super) offers: Vec<String>,
    /// Whether it was answered, and whether it heard a person.
    pub(crate) answered: bool,
    pub(crate) talked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Calling,
    Cancelled,
    Up,
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    GiveUp,
    Acknowledge(u32),
    Press(char),
    Rebind,
    Refer,
    Hold(bool),
    Garbage,
    Strange,
    Backwards,
    Vanish,
    AfterTheEnd,
    Forget,
}

impl Caller {
    /// Dials at once.
    pub(crate) fn dial(stack: &mut Stack, dialled: &'static str, bad: bool, number: usize) -> Caller {
        let manners = CallerManners::draw(&mut stack.rng, bad);
        let patience = match stack.rng.below(10) {
            0 => between(&mut stack.rng, 0, 8_000),
            1..4 => between(&mut stack.rng, 5_000, 60_000),
            4 => between(&mut stack.rng, 300_000, 2_000_000),
            _ => between(&mut stack.rng, 30_000, 600_000),
        };
        let dialog = Dialog {
            call_id: format!("c{number}@{}", stack.me.ip()),
            local: format!("<sip:{}@{}>", stack.user, stack.me.ip()),
            local_tag: format!("t{number}"),
            remote: format!("<sip:{dialled}@{}>", stack.server.ip()),
            remote_tag: String::new(),
            target: format!("sip:{dialled}@{}", stack.server),
            cseq: stack.rng.below(1000) as u32,
            ..Dialog::default()
        };
        let abilities = Abilities::draw(&mut stack.rng, bad);
        let timer = SessionTimer::draw(&mut stack.rng, bad);
        let mut caller = Caller {
            manners,
            abilities,
            timer,
            dialled,
            patience,
            talk: between(&mut stack.rng, 1_000, 120_000),
            holds: stack.rng.chance_permille(150),
            dialog,
            invited: (String::new(), 0),
            media: None,
            state: State::Calling,
            agenda: Vec::new(),
            version: 1,
            offers: Vec::new(),
            answered: false,
            talked: false,
        };
        caller.begin(stack);
        caller
    }

    fn begin(&mut self, stack: &mut Stack) {
        if self.manners == CallerManners::RepeatsEverything {
            stack.met("caller repeats everything");
            stack.echoes = 1 + stack.rng.below(3) as u32;
        }
        let body = match self.manners {
            CallerManners::OffersNothing => {
                stack.met("offerless INVITE");
                String::new()
            }
            _ => self.description(stack, "sendrecv"),
        };
        if !stack.stream && stack.rng.chance_permille(80) {
            self.abilities.behind_a_proxy(stack);
        }
        self.invite(stack, &body);
        if self.abilities.wordy {
            stack.met("oversized INVITE");
        }
        let now = stack.now;
        match self.manners {
            CallerManners::Cancels => {
                let soon = between(&mut stack.rng, 0, 300);
                self.plan(now + soon, Act::GiveUp);
            }
            CallerManners::Vanishes => {
                let soon = between(&mut stack.rng, 0, 90_000);
                self.plan(now + soon, Act::Vanish);
            }
            // In a stream it would be the beginning of the next message.
            CallerManners::SendsGarbage if !stack.stream => {
                self.plan(now + Duration::from_millis(500), Act::Garbage)
            }
            _ => {}
        }
        self.plan(now + self.patience, Act::GiveUp);
    }

    fn invite(&mut self, stack: &mut Stack, body: &str) {
        let headers = self.abilities.headers(&self.timer);
        let branch = stack.request(&mut self.dialog, "INVITE", &borrowed(&headers), body);
        self.invited = (branch, self.dialog.cseq);
    }

    pub(super) fn description(&self, stack: &mut Stack, direction: &'static str) -> String {
        stack.sessions.describe(&self.dialog.call_id, self.version, direction)
    }

    fn plan(&mut self, at: Time, act: Act) {
        self.agenda.push((at, act));
    }

    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Over && self.agenda.is_empty()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        let timer = self.timer.poll_timeout().filter(|_| self.state == State::Up);
        self.agenda.iter().map(|(at, _)| *at).chain(timer).min()
    }

    /// A person is to be heard now.
    pub(crate) fn voice(&mut self, stack: &mut Stack) {
        if self.talked || self.state != State::Up {
            return;
        }
        self.talked = true;
        let now = stack.now;
        self.agenda.retain(|(_, act)| *act != Act::GiveUp);
        self.plan(now + self.talk, Act::GiveUp);
        if crate::town::is_by_line(stack.me.ip()) && stack.rng.chance_permille(200) {
            let pause = between(&mut stack.rng, 500, 20_000);
            self.plan(now + pause, Act::Refer);
        }
        if self.holds {
            let pause = between(&mut stack.rng, 500, 20_000);
            self.plan(now + pause, Act::Hold(true));
            let length = between(&mut stack.rng, 200, 20_000);
            self.plan(now + pause + length, Act::Hold(false));
        }
    }

    pub(crate) fn handle_timeout(&mut self, stack: &mut Stack) {
        while let Some(at) = self.agenda.iter().position(|(at, _)| *at <= stack.now) {
            let (_, act) = self.agenda.remove(at);
            self.act(stack, act);
        }
        if self.state == State::Up {
            self.session_timer(stack);
        }
    }

    /// A request of ours was never answered.
    pub(crate) fn unanswered(&mut self, stack: &mut Stack, method: &str, branch: &str) {
        if method == "INVITE"
            && branch == self.invited.0
            && matches!(self.state, State::Calling | State::Cancelled)
        {
            self.end(stack);
        }
    }

    fn act(&mut self, stack: &mut Stack, act: Act) {
        match act {
            Act::Vanish => {
                stack.met("caller vanishes");
                stack.vanished = true;
                self.end(stack);
            }
            Act::Forget => {}
            Act::GiveUp => self.give_up(stack),
            Act::Acknowledge(cseq) => self.acknowledge(stack, cseq),
            Act::AfterTheEnd => {
                stack.met("request after the end");
                stack.request(&mut self.dialog, "INFO", &[("Content-Type", "application/dtmf")], "1");
            }
            Act::Garbage => self.garbage(stack),
            _ if self.state != State::Up => {}
            Act::Press(key) => self.press(stack, key),
            Act::Rebind => self.rebind(stack),
            Act::Refer => {
                stack.met("REFER of a caller");
                let to = one_of(&mut stack.rng, &["agent03", "0612345678", "demo", "nobody"]);
                let value = format!("<sip:{to}@{}>", stack.server.ip());
                stack.request(&mut self.dialog, "REFER", &[("Refer-To", &value)], "");
            }
            Act::Hold(on) => self.hold(stack, on),
            Act::Strange => {
                let method =
                    one_of(&mut stack.rng, &["OPTIONS", "REFER", "MESSAGE", "UPDATE", "INFO", "PRACK"]);
                stack.met("strange request");
                stack.request(&mut self.dialog, method, &[], "");
            }
            Act::Backwards => {
                stack.met("CSeq backwards");
                let old = self.dialog.cseq.saturating_sub(3);
                stack.request_numbered(&self.dialog, ("INFO", old), &[], "");
            }
        }
    }

    fn give_up(&mut self, stack: &mut Stack) {
        match self.state {
            State::Calling if self.manners == CallerManners::HangsUpUnanswered => {
                stack.met("BYE before the answer");
                stack.request(&mut self.dialog, "BYE", &[], "");
                stack.cancel(&self.dialog, &self.invited.0, self.invited.1);
                self.state = State::Cancelled;
            }
            State::Calling => {
                stack.met("CANCEL");
                stack.cancel(&self.dialog, &self.invited.0, self.invited.1);
                self.state = State::Cancelled;
            }
            State::Up => self.hang_up(stack),
            State::Cancelled | State::Over => {}
        }
    }

    pub(super) fn hang_up(&mut self, stack: &mut Stack) {
        let method = "BYE";
        stack.request(&mut self.dialog, method, &[("Reason", "Q.850;cause=16")], "");
        if self.manners == CallerManners::HangsUpTwice {
            stack.met("BYE twice");
            stack.request(&mut self.dialog, method, &[], "");
        }
        self.end(stack);
    }

    fn end(&mut self, stack: &mut Stack) {
        if self.state == State::Over {
            return;
        }
        self.state = State::Over;
        stack.falls_silent = true;
        stack.sessions.ends(&self.dialog.call_id);
        self.agenda.clear();
        // Whoever never acknowledged has no dialog by its own books; the others may speak once more.
        if self.manners == CallerManners::SpeaksAfterTheEnd {
            let pause = between(&mut stack.rng, 0, 3_000);
            self.plan(stack.now + pause, Act::AfterTheEnd);
        }
        self.plan(stack.now + LIFETIME * 2 + Duration::from_secs(10), Act::Forget);
    }

    fn garbage(&mut self, stack: &mut Stack) {
        stack.met("garbage");
        let length = 1 + stack.rng.below(400) as usize;
        let bytes: Vec<u8> = match stack.rng.below(4) {
            0 => (0..length).map(|_| stack.rng.next_u32() as u8).collect(),
            1 => b"INVITE sip:x SIP/2.0\r\nVia: \r\n\r\n".to_vec(),
            2 => b"\r\n\r\n".to_vec(),
            _ => {
                let branch = stack.branch();
                let mut bytes = stack.write(&self.dialog, ("INFO", &branch, 0), &[], "");
                bytes.truncate(length.min(bytes.len()));
                bytes
            }
        };
        stack.send(bytes);
        if self.state != State::Over {
            let pause = between(&mut stack.rng, 500, 20_000);
            self.plan(stack.now + pause, Act::Garbage);
        }
    }

    fn press(&mut self, stack: &mut Stack, key: char) {
        let Some(media) = self.media else { return };
        stack.digits.push((media, key));
        if self.manners == CallerManners::PressesTwice {
            stack.met("key by RTP and INFO");
            let body = format!("Signal={key}\r\nDuration=160\r\n");
            stack.request(&mut self.dialog, "INFO", &[("Content-Type", "application/dtmf-relay")], &body);
        }
    }

    pub(crate) fn response(&mut self, stack: &mut Stack, message: &Message<'_>) {
        let (cseq, method) = message.cseq();
        let Some(answer) = stack.response(message) else {
            let accepted = message.status().is_some_and(|status| (200..300).contains(&status));
            if accepted && method == "INVITE" {
                self.repeated_2xx(stack, cseq);
            }
            return;
        };
        if answer.branch == self.invited.0 && answer.method == "INVITE" {
            match answer.status {
                200.. => self.final_answer(stack, message, answer.status),
                _ => self.provisional_answer(stack, message),
            }
        } else if answer.status >= 200 && self.offers.contains(&answer.branch) {
            self.offers.retain(|branch| *branch != answer.branch);
            self.offer_answered(stack, message, answer.status, answer.method == "INVITE");
        }
    }

    fn provisional_answer(&mut self, stack: &mut Stack, message: &Message<'_>) {
        if message.media().is_some() {
            stack.met("early media for a caller");
        }
        if self.manners == CallerManners::NeverAcknowledges {
            return;
        }
        let described = self.abilities.provisional(stack, &mut self.dialog, message);
        if described && self.abilities.updates && self.state == State::Calling {
            stack.met("UPDATE in the early dialog");
            self.version += 1;
            let body = self.description(stack, "sendrecv");
            let branch = stack.request(&mut self.dialog, "UPDATE", &[], &body);
            self.offers.push(branch);
        }
    }

    fn final_answer(&mut self, stack: &mut Stack, message: &Message<'_>, status: u16) {
        if status == 422 && self.state == State::Calling && self.timer.refused(message) {
            stack.met("422, and asked again");
            let body = self.description(stack, "sendrecv");
            return self.invite(stack, &body);
        }
        if status >= 300 {
            match status {
                420 => stack.met("100rel refused with 420"),
                421 => stack.met("100rel asked for with 421"),
                504 if self.abilities.reliable == Reliable::Never => stack.met("504 without a PRACK"),
                _ => {}
            }
            return self.end(stack);
        }
        if self.state == State::Over {
            return;
        }
        self.dialog.remote_tag = message.tag_of_to().to_owned();
        self.dialog.target = message.contact().to_owned();
        self.media = message.media().or(self.media);
        if !self.timer.answered(stack.now, message) {
            stack
                .complaints
                .push(format!("{} was given a longer session than it asked for", self.dialog.call_id));
        }
        self.note_timer(stack, message);
        self.abilities.check_answer(stack, message);
        let was_cancelled = self.state == State::Cancelled;
        self.answered = true;
        self.state = State::Up;
        if was_cancelled {
            stack.met("2xx after CANCEL");
        }
        let cseq = message.cseq().0;
        match self.manners {
            // Whoever is not hung up on tires all the same.
            CallerManners::NeverAcknowledges => {
                stack.met("never an ACK");
                return self.plan(stack.now + LIFETIME * 2, Act::GiveUp);
            }
            CallerManners::AcknowledgesLate => {
                stack.met("late ACK");
                let late = between(&mut stack.rng, 200, 28_000);
                self.plan(stack.now + late, Act::Acknowledge(cseq));
            }
            _ => self.acknowledge(stack, cseq),
        }
        if was_cancelled {
            return self.hang_up(stack);
        }
        self.plan_keys(stack);
    }

    fn acknowledge(&mut self, stack: &mut Stack, cseq: u32) {
        let offered = self.manners == CallerManners::OffersNothing;
        let body = if offered { self.description(stack, "sendrecv") } else { String::new() };
        stack.acknowledge(&self.dialog, cseq, &body);
    }

    fn repeated_2xx(&mut self, stack: &mut Stack, cseq: u32) {
        let late = self.agenda.iter().any(|(_, act)| matches!(act, Act::Acknowledge(_)));
        if self.manners == CallerManners::NeverAcknowledges || late || self.dialog.remote_tag.is_empty() {
            return;
        }
        if cseq == self.invited.1 {
            self.acknowledge(stack, cseq);
        } else {
            stack.acknowledge(&self.dialog, cseq, "");
        }
    }

    /// The way through the menus, and what bad manners add to it.
    fn plan_keys(&mut self, stack: &mut Stack) {
        if self.dialled == "sig" || self.dialled == "bridge" {
            return self.plan_extras(stack);
        }
        let mut at = stack.now;
        let keys = match stack.rng.below(10) {
            0 => "",
            1 => "97",
            2 => "88888",
            3 => "9917",
            _ => one_of(&mut stack.rng, &["1", "2", "3", "4", "5", "6", "7", "91", "92", "94", "95", "97"]),
        };
        for key in keys.chars() {
            at = at + between(&mut stack.rng, 800, 9_000);
            self.plan(at, Act::Press(key));
        }
        let topic = one_of(&mut stack.rng, &['0', '1', '2', '3', '4', '7', '#', '*']);
        let pause = between(&mut stack.rng, 2_000, 12_000);
        self.plan(at + pause, Act::Press(topic));
        self.plan_extras(stack);
    }

    fn plan_extras(&mut self, stack: &mut Stack) {
        let pause = between(&mut stack.rng, 100, 40_000);
        let act = match self.manners {
            CallerManners::AsksStrangeThings => Act::Strange,
            CallerManners::CountsBackwards => Act::Backwards,
            CallerManners::HoldsByZero | CallerManners::OffersAcross => Act::Hold(true),
            CallerManners::RefusesOffers => Act::Hold(true),
            CallerManners::ChangesItsPort => Act::Rebind,
            _ => return,
        };
        self.plan(stack.now + pause, act);
    }

    /// A request of the exchange that is new.
    pub(crate) fn request(&mut self, stack: &mut Stack, request: &Message<'_>) {
        let tag = self.dialog.local_tag.clone();
        let method = request.method().unwrap_or("");
        if method == "ACK" {
            stack.acknowledged(request);
            return;
        }
        if stack.is_repeated(request) {
            return;
        }
        if self.manners == CallerManners::NeverAnswersRequests {
            return stack.met("caller answers no request");
        }
        let mine = request.call_id() == self.dialog.call_id && request.tag_of_to() == tag;
        if mine {
            self.abilities.check_request(stack, request);
        }
        match method {
            _ if !mine => stack.reply(request, 481, "", &[], ""),
            "BYE" if self.state == State::Over => {
                stack.met("BYE crosses BYE");
                stack.reply(request, 481, "", &[], "");
            }
            "BYE" => {
                stack.reply(request, 200, "", &[], "");
                self.end(stack);
            }
            "INVITE" if self.state == State::Over => stack.reply(request, 481, "", &[], ""),
            "INVITE" | "UPDATE" => self.reoffered(stack, request, method == "INVITE"),
            "CANCEL" => stack.reply(request, 481, "", &[], ""),
            _ => stack.reply(request, 200, "", &[], ""),
        }
    }
}
