//! Phones that do what a case says, and nothing else: the caller's, the agents', and one outside.

use super::desk::PASSWORD;
use super::given::Does;
use crate::Depth;
use crate::phones::{Dialog, Message, Sessions, Stack, authorization};
use crate::town;
use base::{Rng, Time};
use std::net::SocketAddr;
use std::time::Duration;

/// How long a phone rings before its person does something.
const RINGS: Duration = Duration::from_secs(2);
/// How long people talk.
const TALKS: Duration = Duration::from_secs(20);
const BUSY: u16 = 486;
/// Longer than any case.
const REGISTERED_FOR: &str = "86400";

/// What a phone has in mind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Answers, refuses, or lets it ring.
    Decide,
    HangUp,
}

/// What has come of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    Nothing,
    /// The phone is to do this, after so long.
    Later(Duration, Act),
    /// The call that it made was answered.
    Answered,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Ringing,
    Up,
}

pub(super) struct Led {
    stack: Stack,
    does: Does,
    state: State,
    dialog: Dialog,
    /// The INVITE that rings, as it came.
    invite: Vec<u8>,
    registration: Dialog,
    /// Where the exchange hears its keys.
    media: Option<SocketAddr>,
}

impl Led {
    pub(super) fn new(number: usize, user: &str, does: Does, rng: Rng) -> Led {
        let (me, server) = (town::address_of(number), town::exchange());
        let sessions = Sessions::new(Depth::Signalling, me.ip(), rng.clone());
        let registration = Dialog {
            call_id: format!("r{number}@{}", me.ip()),
            local: format!("<sip:{user}@{}>", server.ip()),
            local_tag: "r".to_owned(),
            remote: format!("<sip:{user}@{}>", server.ip()),
            target: format!("sip:{}", server.ip()),
            ..Dialog::default()
        };
        Led {
            stack: Stack::new(rng, me, server, user.to_owned(), sessions),
            does,
            state: State::Idle,
            dialog: Dialog::default(),
            invite: Vec::new(),
            registration,
            media: None,
        }
    }

    pub(super) fn register(&mut self) {
        self.stack.request(&mut self.registration, "REGISTER", &[("Expires", REGISTERED_FOR)], "");
    }

    pub(super) fn dial(&mut self, dialled: &str, from: &str) {
        let server = self.stack.server;
        let at =
            if from == "anonymous" { "anonymous.invalid".to_owned() } else { self.stack.me.ip().to_string() };
        self.dialog = Dialog {
            call_id: format!("c@{}", self.stack.me.ip()),
            local: format!("<sip:{from}@{at}>"),
            local_tag: "c".to_owned(),
            remote: format!("<sip:{dialled}@{}>", server.ip()),
            target: format!("sip:{dialled}@{server}"),
            ..Dialog::default()
        };
        let offer = self.description();
        self.stack.request(&mut self.dialog, "INVITE", &[], &offer);
    }

    /// A message came.
    pub(super) fn handle(&mut self, now: Time, bytes: &[u8]) -> News {
        self.stack.now = now;
        let Some(message) = Message::read(bytes) else { return News::Nothing };
        match message.method() {
            None => self.response(&message),
            Some(method) => self.request(method, &message, bytes),
        }
    }

    /// Does what it has in mind.
    pub(super) fn act(&mut self, now: Time, act: Act) {
        self.stack.now = now;
        match act {
            Act::Decide if self.state == State::Ringing => self.decide(),
            Act::HangUp if self.state == State::Up => {
                self.state = State::Idle;
                self.stack.request(&mut self.dialog, "BYE", &[], "");
            }
            _ => {}
        }
    }

    /// Messages to be sent.
    pub(super) fn take_out(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.stack.out)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.stack.me
    }

    pub(super) fn media(&self) -> Option<SocketAddr> {
        self.media
    }

    fn description(&mut self) -> String {
        self.stack.sessions.describe(&self.dialog.call_id, 1, "sendrecv")
    }

    fn response(&mut self, message: &Message<'_>) -> News {
        let Some(answer) = self.stack.response(message) else { return News::Nothing };
        match (answer.method, answer.status) {
            ("REGISTER", 401) => self.prove(message),
            ("INVITE", 200..300) => {
                self.dialog.remote_tag = message.tag_of_to().to_owned();
                self.dialog.target = message.contact().to_owned();
                self.media = message.media();
                let number = message.cseq().0;
                self.stack.acknowledge(&self.dialog, number, "");
                self.state = State::Up;
                return News::Answered;
            }
            _ => {}
        }
        News::Nothing
    }

    fn prove(&mut self, refusal: &Message<'_>) {
        let (user, uri) = (self.stack.user.clone(), self.registration.target.clone());
        let value = authorization(refusal, (&user, PASSWORD), ("REGISTER", &uri), "c", true);
        let value = value.unwrap_or_default();
        let headers = [("Expires", REGISTERED_FOR), ("Authorization", value.as_str())];
        self.stack.request(&mut self.registration, "REGISTER", &headers, "");
    }

    fn request(&mut self, method: &str, request: &Message<'_>, bytes: &[u8]) -> News {
        if method == "ACK" {
            let first = self.stack.acknowledged(request) && !self.invite.is_empty();
            self.invite.clear();
            return if first { News::Later(TALKS, Act::HangUp) } else { News::Nothing };
        }
        if self.stack.is_repeated(request) {
            return News::Nothing;
        }
        match method {
            "INVITE" if request.tag_of_to().is_empty() => return self.rings(request, bytes),
            "INVITE" => {
                let answer = self.description();
                self.stack.accept(request, "", &[], &answer);
            }
            "CANCEL" => self.cancelled(request),
            "BYE" => {
                self.state = State::Idle;
                self.stack.reply(request, 200, "", &[], "");
            }
            _ => self.stack.reply(request, 200, "", &[], ""),
        }
        News::Nothing
    }

    fn rings(&mut self, request: &Message<'_>, bytes: &[u8]) -> News {
        let tag = format!("a{}", request.branch());
        self.dialog = Dialog {
            call_id: request.call_id().to_owned(),
            local: request.header("To").to_owned(),
            local_tag: tag.clone(),
            remote: request.header("From").split(";tag=").next().unwrap_or("").to_owned(),
            remote_tag: request.tag_of_from().to_owned(),
            target: request.contact().to_owned(),
            ..Dialog::default()
        };
        self.invite = bytes.to_vec();
        self.state = State::Ringing;
        let contact = self.stack.contact();
        self.stack.reply(request, 180, &tag, &[("Contact", &contact)], "");
        News::Later(RINGS, Act::Decide)
    }

    fn decide(&mut self) {
        let (bytes, tag) = (self.invite.clone(), self.dialog.local_tag.clone());
        let Some(invite) = Message::read(&bytes) else { return };
        match self.does {
            Does::Answers => {
                self.state = State::Up;
                let answer = self.description();
                self.stack.accept(&invite, &tag, &[], &answer);
            }
            Does::Refuses => {
                self.state = State::Idle;
                self.stack.reply(&invite, BUSY, &tag, &[], "");
            }
            Does::Rings => {}
        }
    }

    fn cancelled(&mut self, cancel: &Message<'_>) {
        let (bytes, tag) = (std::mem::take(&mut self.invite), self.dialog.local_tag.clone());
        self.stack.reply(cancel, 200, &tag, &[], "");
        if let Some(invite) = Message::read(&bytes)
            && self.state == State::Ringing
        {
            self.state = State::Idle;
            self.stack.reply(&invite, 487, &tag, &[], "");
        }
    }
}
