//! What can be watched, and how it is written.

use crate::message::{HeaderName, Message};
use crate::ua::Occupation;
use base::xml::escaped;

/// An event package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Package {
    /// Whether an account is in a call (RFC 4235).
    Dialog,
    /// How many messages wait for an account (RFC 3842).
    MessageSummary,
}

/// What is to be told of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Of `dialog`.
    Occupied(Occupation),
    /// Of `message-summary`: new and old ones.
    Messages { new: u32, old: u32 },
}

impl Package {
    /// That of a SUBSCRIBE; nothing if it names none that we have.
    pub(crate) fn of(request: &Message) -> Option<Package> {
        let event = request.header(HeaderName::Event)?;
        let name = event.split(';').next().unwrap_or("").trim();
        [Package::Dialog, Package::MessageSummary].into_iter().find(|known| known.name() == name)
    }

    /// As it stands in Event. Packages are compared with their case (RFC 6665 §8.2.1).
    pub(crate) fn name(self) -> &'static str {
        match self {
            Package::Dialog => "dialog",
            Package::MessageSummary => "message-summary",
        }
    }

    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Package::Dialog => "application/dialog-info+xml",
            Package::MessageSummary => "application/simple-message-summary",
        }
    }

    /// The whole state of `entity`, a SIP URI.
    pub(crate) fn body(self, state: Option<State>, entity: &str, version: u32) -> String {
        match self {
            Package::Dialog => dialog_info(state, &escaped(entity), version),
            Package::MessageSummary => message_summary(state, entity),
        }
    }
}

impl State {
    pub(crate) fn package(self) -> Package {
        match self {
            State::Occupied(_) => Package::Dialog,
            State::Messages { .. } => Package::MessageSummary,
        }
    }

    /// Whether it is what holds of those of whom nothing was said.
    pub(crate) fn is_nothing(self) -> bool {
        matches!(self, State::Occupied(Occupation::None) | State::Messages { new: 0, old: 0 })
    }
}

/// RFC 4235 §4. Whom the account talks with is nobody's business who only watches a lamp.
fn dialog_info(state: Option<State>, entity: &str, version: u32) -> String {
    let word = match state {
        Some(State::Occupied(Occupation::Rung)) => "early",
        Some(State::Occupied(Occupation::Talking)) => "confirmed",
        _ => "terminated",
    };
    format!(
        "<?xml version=\"1.0\"?>\r\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"{version}\" \
         state=\"full\" entity=\"{entity}\">\r\n<dialog id=\"line\" direction=\"recipient\"><state>{word}</state></dialog>\r\n\
         </dialog-info>\r\n"
    )
}

/// RFC 3842 §3.5.
fn message_summary(state: Option<State>, entity: &str) -> String {
    let (new, old) = if let Some(State::Messages { new, old }) = state { (new, old) } else { (0, 0) };
    let waiting = if new > 0 { "yes" } else { "no" };
    format!(
        "Messages-Waiting: {waiting}\r\nMessage-Account: {entity}\r\nVoice-Message: {new}/{old} (0/0)\r\n"
    )
}
