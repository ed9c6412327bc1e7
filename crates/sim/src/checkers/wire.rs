//! What the exchange says on the wire: each request's CSeq rises, and each 2xx is acknowledged.

use crate::phones::{LIFETIME, Message};
use base::Time;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Requests of a dialog that may still be repeated.
const REPEATABLE: usize = 8;
/// A response that comes at the last moment may come too late.
const MARGIN: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(crate) struct WireChecker {
    /// By Call-ID and the peer's tag.
    dialogs: BTreeMap<String, Counted>,
    /// By Call-ID and number: until when the exchange must remember its INVITE.
    invites: BTreeMap<(String, u32), Invite>,
    /// A 2xx that was just handed over: Call-ID, tag, number.
    unacknowledged: Option<(String, String, u32)>,
    pub(crate) complaints: Vec<String>,
}

#[derive(Default)]
struct Counted {
    last: u32,
    branches: VecDeque<String>,
}

struct Invite {
    until: Time,
    /// It was answered, refused or cancelled: `until` moves no more.
    settled: bool,
}

impl WireChecker {
    /// The engine is about to get this.
    pub(crate) fn received(&mut self, now: Time, bytes: &[u8]) {
        self.unacknowledged = None;
        if !bytes.starts_with(b"SIP/2.0 ") {
            return;
        }
        let Some(message) = Message::read(bytes) else { return };
        let (cseq, method) = message.cseq();
        let known = self.invites.get_mut(&(message.call_id().to_owned(), cseq));
        let Some(invite) = known.filter(|invite| method == "INVITE" && invite.until > now) else { return };
        match message.status() {
            // Provisional answers stop timer B (RFC 3261 §17.1.1.2).
            Some(..200) if !invite.settled => invite.until = Time::FAR,
            Some(200..300) => {
                let (call_id, tag) = (message.call_id().to_owned(), message.to_tag().to_owned());
                self.unacknowledged = Some((call_id, tag, cseq));
            }
            _ => {}
        }
    }

    /// All that follows from it has been sent.
    pub(crate) fn settled(&mut self) {
        if let Some((call_id, tag, cseq)) = self.unacknowledged.take() {
            self.complaints.push(format!("the 2xx of {call_id} ({tag}, {cseq}) was not acknowledged"));
        }
    }

    /// The process ended with all that it remembered.
    pub(crate) fn restarted(&mut self) {
        self.invites.clear();
    }

    /// The engine sends this.
    pub(crate) fn sent(&mut self, now: Time, bytes: &[u8]) {
        if bytes.starts_with(b"SIP/2.0 ") {
            return;
        }
        let Some(message) = Message::read(bytes) else {
            return self.complaints.push("the exchange sent something that is no message".to_owned());
        };
        let (cseq, method) = message.cseq();
        self.remember(now, &message, method, cseq);
        match method {
            "ACK" => {
                let tag = message.to_tag();
                self.unacknowledged.take_if(|(call_id, to, number)| {
                    call_id == message.call_id() && to == tag && *number == cseq
                });
            }
            "CANCEL" => {}
            _ => self.count(&message, cseq),
        }
    }

    fn remember(&mut self, now: Time, message: &Message<'_>, method: &str, cseq: u32) {
        let key = (message.call_id().to_owned(), cseq);
        let until = now + LIFETIME.saturating_sub(MARGIN);
        match method {
            "INVITE" => drop(self.invites.entry(key).or_insert(Invite { until, settled: false })),
            "ACK" | "CANCEL" => {
                if let Some(invite) = self.invites.get_mut(&key).filter(|invite| !invite.settled) {
                    *invite = Invite { until, settled: true };
                }
            }
            _ => {}
        }
    }

    fn count(&mut self, message: &Message<'_>, cseq: u32) {
        let key = format!("{} {}", message.call_id(), message.to_tag());
        let branch = message.branch();
        let counted = self.dialogs.entry(key).or_default();
        if counted.branches.iter().any(|known| known == branch) {
            return;
        }
        if cseq <= counted.last {
            let (call_id, first) = (message.call_id(), message.first);
            self.complaints.push(format!("CSeq {cseq} follows {} in {call_id}: {first}", counted.last));
        }
        counted.last = cseq;
        if counted.branches.len() == REPEATABLE {
            counted.branches.pop_front();
        }
        counted.branches.push_back(branch.to_owned());
    }
}
