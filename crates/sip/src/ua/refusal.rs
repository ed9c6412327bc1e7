//! Answers without a transaction (RFC 3261 §8.2.7), and the headers that each status asks for.

use super::wire::{ACCEPT, ALLOW, ALLOW_EVENTS, SUPPORTED};
use super::{Flow, UserAgent};
use crate::cause;
use crate::message::{HeaderName, Message, Method};

/// When somebody may try again who met a full house.
const RETRY_AFTER: u32 = 10;

impl UserAgent {
    /// Refuses a request and forgets it. 420 and 421 are about reliable provisional answers here. A stranger
    /// hears nothing: it would learn what answers here.
    pub(super) fn refuse(&mut self, request: &Message, flow: Flow, status: u16) {
        if self.wire.is_stranger(flow.remote) {
            return self.wire.block(flow.remote, "unknown_source");
        }
        let tag = self.wire.tag_for(request);
        let answer = self.wire.answer(request, flow, status, &tag);
        let answer = match status {
            405 | 501 => answer.header("Allow", ALLOW),
            415 => answer.header("Accept", "application/sdp").header("Accept-Encoding", "identity"),
            489 => answer.header("Allow-Events", ALLOW_EVENTS),
            420 => answer.header("Unsupported", "100rel"),
            421 => answer.header("Require", "100rel"),
            422 => answer.header("Min-SE", self.wire.config.extensions.session_min.as_secs().max(90)),
            503 => answer.header("Retry-After", RETRY_AFTER),
            _ => answer,
        };
        let invite = request.method() == Some(Method::Invite);
        let answer = match invite {
            true => answer.header("Reason", cause::reason(cause::of_status(status))),
            false => answer,
        };
        self.wire.reply_statelessly(request, flow, answer);
    }

    /// Refuses because a limit is reached.
    pub(super) fn refuse_for_capacity(&mut self, request: &Message, flow: Flow) {
        self.wire.block(flow.remote, "capacity");
        self.refuse(request, flow, 503);
    }

    /// Refuses a request that requires what we do not understand (RFC 3261 §8.2.2.3). False if it does not.
    pub(super) fn refuse_extensions(&mut self, request: &Message, flow: Flow) -> bool {
        let known = |wanted: &str| SUPPORTED.split(", ").any(|tag| tag.eq_ignore_ascii_case(wanted));
        let unsupported: Vec<&str> = request.list(HeaderName::Require).filter(|tag| !known(tag)).collect();
        if unsupported.is_empty() {
            return false;
        }
        if self.wire.is_stranger(flow.remote) {
            self.wire.block(flow.remote, "unknown_source");
            return true;
        }
        let tag = self.wire.tag_for(request);
        let answer = self.wire.answer(request, flow, 420, &tag).header("Unsupported", unsupported.join(", "));
        self.wire.reply_statelessly(request, flow, answer);
        true
    }

    /// Says what we can (RFC 3261 §11.2). Strangers are not told that anybody is here.
    pub(super) fn answer_options(&mut self, request: &Message, flow: Flow) {
        if self.wire.is_stranger(flow.remote) {
            return self.wire.block(flow.remote, "unknown_source");
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
