//! Keys to a peer that takes them by INFO (RFC 6086, `application/dtmf-relay`): one after the other, so that they
//! arrive in the order in which they were pressed.

use super::{Phase, Session};
use crate::cause;
use crate::message::Message;
use crate::transaction::{TransactionId, User};
use crate::ua::credentials::Credentials;
use crate::ua::wire::Wire;
use crate::ua::{Event, How};
use base::Time;
use std::collections::VecDeque;

/// Keys that wait: more than anybody presses while a message is under way.
const WAITING_MAX: usize = 64;
/// What is said of their length, in milliseconds: whoever pressed is heard when the key goes down.
const HELD_MS: u32 = 160;

/// What is to be sent, and what is under way.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// The first is under way if something is.
    waiting: VecDeque<char>,
    sent: Option<TransactionId>,
    credentials: Option<Credentials>,
}

impl Keys {
    /// Whether this is the transaction of a key.
    pub(super) fn knows(&self, id: TransactionId) -> bool {
        self.sent == Some(id)
    }

    fn forget(&mut self) {
        *self = Keys::default();
    }
}

impl Session {
    /// Whether the peer says that it takes INFO, and has refused none.
    pub(super) fn takes_keys(&self) -> bool {
        matches!(self.phase, Phase::Established) && !self.told && self.terms.takes_info
    }

    /// Sends a key, if the peer takes it. One too many is passed over.
    pub(super) fn send_key(&mut self, wire: &mut Wire, now: Time, key: char) {
        let is_key = matches!(key, '0'..='9' | '*' | '#' | 'A'..='D');
        if !self.takes_keys() || !is_key || self.keys.waiting.len() >= WAITING_MAX {
            return;
        }
        self.keys.waiting.push_back(key);
        if self.keys.sent.is_none() {
            self.transmit_key(wire, now);
        }
    }

    /// The peer answered.
    pub(super) fn key_response(&mut self, wire: &mut Wire, now: Time, response: &Message) {
        let status = response.status().unwrap_or(0);
        if status < 200 {
            return;
        }
        self.keys.sent = None;
        if !matches!(self.phase, Phase::Established) {
            return self.keys.forget();
        }
        let uri = self.dialog.request_uri().to_owned();
        let credentials = self.keys.credentials.get_or_insert_with(|| self.credentials.afresh());
        if matches!(status, 401 | 407) && credentials.answer(response, "INFO", &uri, &mut wire.rng) {
            return self.transmit_key(wire, now);
        }
        match status {
            200..=299 | 500.. => {
                self.keys.credentials = None;
                self.keys.waiting.pop_front();
                self.transmit_key(wire, now);
            }
            _ if super::reoffer::says_that_it_is_gone(status) => {
                self.keys.forget();
                let detail = "the peer does not know the session any more".to_owned();
                self.end(wire, How::PeerRefused, Some(status), cause::given(response).q850, detail);
                self.send_bye(wire, now, None);
            }
            // It said that it takes INFO, but not these.
            _ => {
                self.terms.takes_info = false;
                let keys = self.keys.waiting.drain(..).collect();
                self.keys.forget();
                wire.tell(Event::KeysRefused { session: self.id, keys });
            }
        }
    }

    /// A key came to nothing, and those behind it would come too late.
    pub(super) fn key_failed(&mut self) {
        self.keys.forget();
    }

    fn transmit_key(&mut self, wire: &mut Wire, now: Time) {
        let Some(key) = self.keys.waiting.front() else { return };
        let body = format!("Signal={key}\r\nDuration={HELD_MS}\r\n");
        let (mut writer, flow, branch) = self.dialog.request(wire, "INFO");
        if let Some(credentials) = &self.keys.credentials {
            writer = credentials.write(writer);
        }
        let writer = writer.body("application/dtmf-relay", body);
        self.keys.sent = wire.request(now, flow, User::Session(self.id), &branch, writer);
        if self.keys.sent.is_none() {
            self.keys.forget();
        }
    }
}
