//! What the exchange says on the wire: each request's CSeq rises, and each 2xx is acknowledged.

use crate::phones::Message;
use base::Time;
use std::collections::BTreeMap;
use std::time::Duration;

/// Shorter than the time for which an INVITE's transaction must be remembered (64·T1).
const REMEMBERS: Duration = Duration::from_secs(30);

#[derive(Default)]
pub(crate) struct WireChecker {
    /// By Call-ID and the peer's tag: the last CSeq and its branch.
    dialogs: BTreeMap<String, (u32, String)>,
    /// By Call-ID: when the exchange last sent INVITE, CANCEL or ACK.
    invites: BTreeMap<String, Time>,
    /// A 2xx that was just handed over: Call-ID, tag, number.
    unacknowledged: Option<(String, String, u32)>,
    pub(crate) complaints: Vec<String>,
}

impl WireChecker {
    /// The engine is about to get this.
    pub(crate) fn received(&mut self, now: Time, bytes: &[u8]) {
        self.unacknowledged = None;
        if !bytes.starts_with(b"SIP/2.0 2") {
            return;
        }
        let Some(message) = Message::read(bytes) else { return };
        let (cseq, method) = message.cseq();
        let known = self.invites.get(message.call_id()).is_some_and(|last| now.since(*last) < REMEMBERS);
        if method == "INVITE" && known {
            let (call_id, tag) = (message.call_id().to_owned(), message.to_tag().to_owned());
            self.unacknowledged = Some((call_id, tag, cseq));
        }
    }

    /// All that follows from it has been sent.
    pub(crate) fn settled(&mut self) {
        if let Some((call_id, tag, cseq)) = self.unacknowledged.take() {
            self.complaints.push(format!("the 2xx of {call_id} ({tag}, {cseq}) was not acknowledged"));
        }
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
        if matches!(method, "INVITE" | "CANCEL" | "ACK") {
            self.invites.insert(message.call_id().to_owned(), now);
        }
        match method {
            "ACK" => {
                let tag = message.to_tag();
                self.unacknowledged.take_if(|(call_id, to, number)| {
                    call_id == message.call_id() && to == tag && *number == cseq
                });
            }
            "CANCEL" => {}
            _ => self.counted(&message, cseq),
        }
    }

    fn counted(&mut self, message: &Message<'_>, cseq: u32) {
        let key = format!("{} {}", message.call_id(), message.to_tag());
        let branch = message.branch();
        match self.dialogs.get_mut(&key) {
            Some((_, last)) if last == branch => {}
            Some((before, last)) => {
                if cseq <= *before {
                    self.complaints.push(format!("CSeq {cseq} follows {before} in {key}: {}", message.first));
                }
                (*before, *last) = (cseq, branch.to_owned());
            }
            None => drop(self.dialogs.insert(key, (cseq, branch.to_owned()))),
        }
    }
}
