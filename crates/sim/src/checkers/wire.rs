//! What the exchange says on the wire: each request's CSeq rises, and each 2xx is acknowledged.

use crate::phones::{LIFETIME, Message};
use base::Time;
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Requests of a dialog that may still be repeated.
const REPEATABLE: usize = 8;
/// A response that comes at the last moment may come too late.
const MARGIN: Duration = Duration::from_secs(1);

/// No dialog is silent for longer: whoever says nothing is asked, and whoever has nothing to say hangs up.
const SILENT_MAX: Duration = Duration::from_secs(3_600);

/// T2 and a margin: no pause between two repetitions is longer, even if the exchange is woken late.
const REPEATS_WITHIN: Duration = Duration::from_millis(4_300);

#[derive(Default)]
pub(crate) struct WireChecker {
    /// By Call-ID, our tag and the peer's: an INVITE that comes again after its transaction's end is another call.
    dialogs: BTreeMap<String, Counted>,
    /// By Call-ID and number: until when the exchange must remember its INVITE.
    invites: BTreeMap<(String, u32), Invite>,
    /// A 2xx that was just handed over: Call-ID, tag, number.
    unacknowledged: Option<(String, String, u32)>,
    /// 2xx of the exchange that wait for their ACK, by Call-ID and number: first and last sent.
    awaiting: BTreeMap<(String, u32), (Time, Time)>,
    pub(crate) complaints: Vec<String>,
}

#[derive(Default)]
struct Counted {
    used: Time,
    last: u32,
    branches: VecDeque<String>,
}

struct Invite {
    /// Where it went.
    peer: SocketAddr,
    until: Time,
    /// It was answered, refused or cancelled: `until` moves no more.
    settled: bool,
}

impl WireChecker {
    /// The engine is about to get this.
    pub(crate) fn received(&mut self, now: Time, bytes: &[u8]) {
        self.unacknowledged = None;
        let Some(message) = Message::read(bytes) else { return };
        let (cseq, method) = message.cseq();
        match message.method() {
            Some("ACK") => {
                self.awaiting.remove(&(message.call_id().to_owned(), cseq));
                return;
            }
            // Whoever hangs up need not be told any more that they were answered.
            Some("BYE") => {
                return self.awaiting.retain(|(call_id, _), _| call_id.as_str() != message.call_id());
            }
            Some(_) => return,
            None => {}
        }
        let known = self.invites.get_mut(&(message.call_id().to_owned(), cseq));
        let Some(invite) = known.filter(|invite| method == "INVITE" && invite.until > now) else { return };
        match message.status() {
            // Provisional answers stop timer B (RFC 3261 §17.1.1.2).
            Some(..200) if !invite.settled => invite.until = Time::FAR,
            Some(200..300) => {
                let (call_id, tag) = (message.call_id().to_owned(), message.tag_of_to().to_owned());
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

    /// Every 2xx of ours is repeated until its ACK comes, for 64·T1 (RFC 3261 §13.3.1.4).
    pub(crate) fn check(&mut self, now: Time) {
        self.dialogs.retain(|_, dialog| now.since(dialog.used) < SILENT_MAX);
        // An INVITE may be repeated until the last moment, and is to be known then.
        self.invites.retain(|_, invite| now.since(invite.until) < LIFETIME);
        self.awaiting.retain(|_, (first, _)| now.since(*first) < LIFETIME);
        let tired = |(_, last): &(Time, Time)| now.since(*last) > REPEATS_WITHIN;
        for ((call_id, cseq), _) in self.awaiting.iter().filter(|(_, times)| tired(times)) {
            self.complaints.push(format!("the 2xx of {call_id} ({cseq}) is not repeated"));
        }
        self.awaiting.retain(|_, times| !tired(times));
    }

    /// The connection to this peer broke, and its transactions are over (RFC 3261 §18.4): a 2xx that comes by another
    /// connection is nobody's.
    pub(crate) fn broken(&mut self, peer: IpAddr) {
        self.invites.retain(|_, invite| invite.peer.ip() != peer);
        self.awaiting.clear();
    }

    /// The process ended with all that it remembered.
    pub(crate) fn restarted(&mut self) {
        self.awaiting.clear();
        self.invites.clear();
    }

    /// The engine sends this.
    pub(crate) fn sent(&mut self, now: Time, peer: SocketAddr, bytes: &[u8]) {
        let Some(message) = Message::read(bytes) else {
            return self.complaints.push("the exchange sent something that is no message".to_owned());
        };
        let (cseq, method) = message.cseq();
        if let Some(status) = message.status() {
            if method == "INVITE" && (200..300).contains(&status) {
                let key = (message.call_id().to_owned(), cseq);
                self.awaiting.entry(key).or_insert((now, now)).1 = now;
            }
            return;
        }
        self.remember(now, peer, &message, method, cseq);
        match method {
            "ACK" => {
                let tag = message.tag_of_to();
                self.unacknowledged.take_if(|(call_id, to, number)| {
                    call_id == message.call_id() && to == tag && *number == cseq
                });
            }
            "CANCEL" => {}
            "BYE" => {
                self.awaiting.retain(|(call_id, _), _| call_id.as_str() != message.call_id());
                self.count(now, &message, cseq);
            }
            _ => self.count(now, &message, cseq),
        }
    }

    fn remember(&mut self, now: Time, peer: SocketAddr, message: &Message<'_>, method: &str, cseq: u32) {
        let key = (message.call_id().to_owned(), cseq);
        let until = now + LIFETIME.saturating_sub(MARGIN);
        match method {
            "INVITE" => drop(self.invites.entry(key).or_insert(Invite { peer, until, settled: false })),
            "ACK" | "CANCEL" => {
                if let Some(invite) = self.invites.get_mut(&key).filter(|invite| !invite.settled) {
                    (invite.until, invite.settled) = (until, true);
                }
            }
            _ => {}
        }
    }

    fn count(&mut self, now: Time, message: &Message<'_>, cseq: u32) {
        let key = format!("{} {} {}", message.call_id(), message.tag_of_from(), message.tag_of_to());
        let branch = message.branch();
        let counted = self.dialogs.entry(key).or_default();
        counted.used = now;
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
