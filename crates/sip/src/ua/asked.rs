//! What accounts ask outside of calls: to watch a colleague (SUBSCRIBE), and to have a text handed on (MESSAGE).

use super::wire::ALLOW_EVENTS;
use super::{Flow, Peer, UserAgent};
use crate::message::{HeaderName, Message, Method};
use crate::subscription::{self, EXPIRES_MIN, Package, SubscriptionId, Wanted};
use crate::texts::BYTES_MAX;
use crate::transaction::User;
use crate::uri::Uri;
use base::Time;

impl UserAgent {
    /// SUBSCRIBE outside of dialogs: accounts watch accounts of ours.
    pub(super) fn subscribe(&mut self, now: Time, flow: Flow, request: &Message) {
        let by = match self.admit(now, flow, request) {
            Ok(Peer::Account(user)) => user,
            Ok(_) => return self.refuse(now, request, flow, 403),
            Err(denial) => return self.deny(now, request, flow, denial),
        };
        let wanted = match self.wanted(request, by) {
            Ok(wanted) => wanted,
            Err(423) => return self.refuse_too_brief(request, flow),
            Err(status) => return self.refuse(now, request, flow, status),
        };
        if !self.subscriptions.has_room_for(&wanted.by) {
            return self.refuse_for_capacity(now, request, flow);
        }
        match self.serve(request, flow, User::Nobody) {
            Some(transaction) => {
                self.subscriptions.subscribe(&mut self.wire, now, (transaction, request, flow), wanted);
            }
            None => self.refuse_for_capacity(now, request, flow),
        }
    }

    fn wanted(&self, request: &Message, by: String) -> Result<Wanted, u16> {
        let package = Package::of(request).ok_or(489u16)?;
        let about = request.uri().and_then(|uri| Uri::parse(uri).ok()).and_then(|uri| uri.user_decoded());
        let is_account = |user: &str| self.passwords.contains_key(user);
        let about = base::named(base::body_of(&by), &about.unwrap_or_default(), is_account).ok_or(404u16)?;
        // How many messages wait for somebody is for nobody else to know.
        if package == Package::MessageSummary && about != by {
            return Err(403);
        }
        if !request.accepts(package.media_type()) {
            return Err(406);
        }
        let seconds = subscription::seconds_of(request).ok_or(423u16)?;
        Ok(Wanted { package, about, by, seconds })
    }

    /// A request in the dialog of a subscription: only its own refreshing means anything.
    pub(super) fn within_subscription(
        &mut self,
        now: Time,
        flow: Flow,
        id: SubscriptionId,
        request: &Message,
    ) {
        if request.method() != Some(Method::Subscribe) {
            return self.refuse(now, request, flow, 405);
        }
        let Some(seconds) = subscription::seconds_of(request) else {
            return self.refuse_too_brief(request, flow);
        };
        match self.serve(request, flow, User::Nobody) {
            Some(transaction) => {
                let asked = (transaction, request, flow);
                self.subscriptions.refresh(&mut self.wire, now, id, asked, seconds);
            }
            None => self.refuse_for_capacity(now, request, flow),
        }
    }

    /// MESSAGE outside of dialogs, from an account or a trunk. Where it goes is for the user to say.
    pub(super) fn text(&mut self, now: Time, flow: Flow, request: Message) {
        let peer = match self.admit(now, flow, &request) {
            Ok(Peer::Open) => return self.refuse(now, &request, flow, 403),
            Ok(peer) => peer,
            Err(denial) => return self.deny(now, &request, flow, denial),
        };
        if let Some(status) = unreadable_text(&request) {
            return self.refuse_text(&request, flow, status);
        }
        if !self.texts.has_room() {
            return self.refuse_for_capacity(now, &request, flow);
        }
        match self.serve(&request, flow, User::Nobody) {
            Some(transaction) => {
                self.texts.arrived(&mut self.wire, now, (transaction, request, flow), peer);
            }
            None => self.refuse_for_capacity(now, &request, flow),
        }
    }

    fn refuse_text(&mut self, request: &Message, flow: Flow, status: u16) {
        let tag = self.wire.tag_for(request);
        let answer = self.wire.answer(request, flow, status, &tag);
        let answer = if status == 415 { answer.header("Accept", "text/plain, text/*") } else { answer };
        self.wire.reply_statelessly(request, flow, answer);
    }

    fn refuse_too_brief(&mut self, request: &Message, flow: Flow) {
        let tag = self.wire.tag_for(request);
        let answer = self.wire.answer(request, flow, 423, &tag).header("Min-Expires", EXPIRES_MIN);
        self.wire.reply_statelessly(request, flow, answer.header("Allow-Events", ALLOW_EVENTS));
    }
}

/// 415 for what is no text, 413 for one that is too long (RFC 3428 §8).
fn unreadable_text(request: &Message) -> Option<u16> {
    let kind = request.content_type().unwrap_or("").to_ascii_lowercase();
    let plain =
        request.header(HeaderName::ContentEncoding).is_none_or(|e| e.eq_ignore_ascii_case("identity"));
    match (kind.starts_with("text/") && plain, request.body().len() > BYTES_MAX) {
        (false, _) => Some(415),
        (true, true) => Some(413),
        (true, false) => None,
    }
}
