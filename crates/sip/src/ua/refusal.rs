//! Refusals before there is a session: mostly without a transaction (RFC 3261 §8.2.7); the headers that each status
//! asks for, and the sentence that says what is wrong.

use super::receive::beginnings;
use super::wire::{ACCEPT, ALLOW, ALLOW_EVENTS, SUPPORTED};
use super::{Event, Flow, Peer, UserAgent, WarnCode, Warning};
use crate::cause;
use crate::message::{HeaderName, Message, Method};
use crate::transaction::{Found, User};
use crate::write::{Writer, reason_phrase};
use base::Time;

/// When somebody may try again who met a full house.
const RETRY_AFTER: u32 = 10;

impl UserAgent {
    /// Refuses a request and forgets it. A stranger hears nothing: it would learn what answers here.
    pub(super) fn refuse(&mut self, now: Time, request: &Message, flow: Flow, status: u16) {
        self.refuse_saying(now, request, flow, status, None);
    }

    /// The same, with a sentence of what is wrong.
    pub(super) fn refuse_saying(
        &mut self,
        now: Time,
        request: &Message,
        flow: Flow,
        status: u16,
        why: Option<&str>,
    ) {
        if self.wire.is_stranger(flow.remote) {
            return self.pass_over(now, request, flow);
        }
        let answer = self.refusal(request, flow, status, why);
        self.wire.reply_statelessly(request, flow, answer);
    }

    /// Says nothing to a stranger. The guard counts that it has proved nothing, as it counts a challenge: but not what
    /// is of a call that we do not know, for after a restart of ours everybody's are.
    fn pass_over(&mut self, now: Time, request: &Message, flow: Flow) {
        self.wire.block(flow.remote, "unknown_source");
        let method = request.method().map_or("", |method| method.as_str());
        let (user, tag) = request.to().map_or(("", None), |to| (to.uri, to.tag()));
        let id = request.top_via().ok().and_then(|via| via.branch()).unwrap_or("");
        if tag.is_none() {
            self.wire.guard.heard_nothing(now, flow, method, user, id);
        }
    }

    /// Refuses an INVITE before there is a session for it. If it is a new call of somebody known, that is told; its
    /// transaction is kept, so that its repetitions are not told again.
    pub(super) fn refuse_call(
        &mut self,
        now: Time,
        flow: Flow,
        request: &Message,
        peer: Option<Peer>,
        (status, why): (u16, &str),
    ) {
        let is_call =
            request.method() == Some(Method::Invite) && request.to().is_ok_and(|to| to.tag().is_none());
        let Some(peer) = peer.or_else(|| self.sender(flow, request)).filter(|_| is_call) else {
            return self.refuse_saying(now, request, flow, status, Some(why));
        };
        match self.wire.transactions.find(now, request, &mut self.wire.out) {
            Found::Absorbed => return,
            // The call is there already, by another way: it is no other one.
            Found::Merged => return self.refuse_saying(now, request, flow, status, Some(why)),
            Found::New => {}
        }
        let answer = self.refusal(request, flow, status, Some(why));
        match self.serve(request, flow, User::Nobody) {
            Some(transaction) => self.wire.reply(now, transaction, status, answer),
            None => self.wire.reply_statelessly(request, flow, answer),
        }
        let invite = Box::new(beginnings(request, flow, peer, &self.wire.config));
        self.wire.tell(Event::Refused { invite, status, why: why.to_owned() });
    }

    /// A refusal with the headers that its status asks for. 420 and 421 are about reliable provisional answers, unless
    /// Require names something else.
    pub(super) fn refusal(&self, request: &Message, flow: Flow, status: u16, why: Option<&str>) -> Writer {
        let tag = self.wire.tag_for(request);
        let answer = self.wire.answer(request, flow, status, &tag);
        let mut answer = match status {
            405 | 501 => answer.header("Allow", ALLOW),
            415 => answer.header("Accept", "application/sdp").header("Accept-Encoding", "identity"),
            489 => answer.header("Allow-Events", ALLOW_EVENTS),
            420 => answer.header("Unsupported", unsupported(request).unwrap_or_else(|| "100rel".to_owned())),
            421 => answer.header("Require", "100rel"),
            422 => answer.header("Min-SE", self.wire.config.extensions.session_min.as_secs().max(90)),
            503 => answer.header("Retry-After", RETRY_AFTER),
            _ => answer,
        };
        if request.method() == Some(Method::Invite) {
            answer = answer.header("Reason", cause::reason(cause::of_status(status)));
        }
        match why {
            Some(why) => {
                let warning = Warning::new(WarnCode::Other, why);
                answer.header("Warning", warning.value(&self.wire.address(flow)))
            }
            None => answer,
        }
    }

    /// Who sent an INVITE by its address alone: trunks, and what is opened by name. Anybody can write that they are
    /// an account.
    fn sender(&self, flow: Flow, request: &Message) -> Option<Peer> {
        match self.wire.trunk_at(flow) {
            Some(trunk) => Some(Peer::Trunk(trunk.name.clone())),
            None => self.is_open_to(flow, request).then_some(Peer::Open),
        }
    }

    /// Refuses because a limit is reached.
    pub(super) fn refuse_for_capacity(&mut self, now: Time, request: &Message, flow: Flow) {
        self.wire.block(flow.remote, "capacity");
        self.refuse(now, request, flow, 503);
    }

    /// Refuses a request that requires what we do not understand (RFC 3261 §8.2.2.3). False if it does not.
    pub(super) fn refuse_extensions(&mut self, now: Time, request: &Message, flow: Flow) -> bool {
        let requires = unsupported(request).is_some();
        if requires {
            self.refuse_call(now, flow, request, None, (420, &why(request, 420)));
        }
        requires
    }

    /// Says what we can (RFC 3261 §11.2). Strangers are not told that anybody is here.
    pub(super) fn answer_options(&mut self, now: Time, request: &Message, flow: Flow) {
        if self.wire.is_stranger(flow.remote) {
            return self.pass_over(now, request, flow);
        }
        let tag = self.wire.tag_for(request);
        let answer = self
            .wire
            .answer(request, flow, 200, &tag)
            .header("Allow", ALLOW)
            .header("Accept", ACCEPT)
            .header("Accept-Encoding", "identity")
            .header("Supported", SUPPORTED)
            .header("Allow-Events", ALLOW_EVENTS);
        self.wire.reply_statelessly(request, flow, answer);
    }
}

/// What is wrong with an INVITE that this status refuses, for people.
pub(super) fn why(request: &Message, status: u16) -> String {
    // What a peer wrote is shown, but not at any length.
    let shown = |text: &str| text.chars().take(80).collect::<String>();
    match status {
        400 => "Replaces cannot be read, or stands there twice".to_owned(),
        406 => "Accept leaves out application/sdp, which is what an INVITE is answered with".to_owned(),
        415 => {
            let kind = request.header(HeaderName::ContentType).unwrap_or("unknown type");
            format!(
                "a body of {} has nothing for us but what must be understood: send application/sdp",
                shown(kind)
            )
        }
        420 => {
            let wanted = unsupported(request).unwrap_or_else(|| "100rel".to_owned());
            format!("Require names what is not spoken here: {}", shown(&wanted))
        }
        421 => "Supported must name 100rel: provisional answers to this peer are reliable only".to_owned(),
        422 => "Session-Expires is shorter than the Min-SE of this answer".to_owned(),
        481 => "Replaces names a call that is not here".to_owned(),
        482 => "the same INVITE came by another way already".to_owned(),
        483 => "Max-Forwards is used up: the call has gone through too many servers".to_owned(),
        486 => "the call that Replaces names is answered, and only a ringing one was meant".to_owned(),
        603 => "the call that Replaces names is over".to_owned(),
        _ => reason_phrase(status).to_owned(),
    }
}

/// What a request requires and we do not understand.
fn unsupported(request: &Message) -> Option<String> {
    let known = |wanted: &str| SUPPORTED.split(", ").any(|tag| tag.eq_ignore_ascii_case(wanted));
    let unsupported: Vec<&str> = request.list(HeaderName::Require).filter(|tag| !known(tag)).collect();
    (!unsupported.is_empty()).then(|| unsupported.join(", "))
}
