//! The early dialogs of an INVITE of ours: one for each fork that said something (RFC 3261 §12.1.2, §13.2.2).
//! Each has numbers of its own for its reliable provisional answers (RFC 3262 §4), its own answer to our
//! offer, and is acknowledged by PRACK.

use super::terms::{RELIABLE, names};
use super::{Dialog, Phase, Session, sdp_of};
use crate::locate::Query;
use crate::message::{HeaderName, Message};
use crate::transaction::{TransactionId, User};
use crate::ua::wire::Wire;
use crate::ua::{Event, early_media};
use base::Time;

/// The forks of one call that are listened to. The others may answer all the same.
const FORKS_MAX: usize = 8;
/// The PRACKs of one fork that may be on their way.
const PRACKS_MAX: usize = 16;

/// The early dialogs of one call.
#[derive(Debug, Default)]
pub(super) struct Forks {
    forks: Vec<Fork>,
    /// The one whose answer was told last: the one that is heard.
    heard: Option<usize>,
    /// It has been agreed anew with the one that is heard, so no other takes its place before the end.
    bound: bool,
}

/// One early dialog.
#[derive(Debug)]
struct Fork {
    dialog: Dialog,
    /// The number of its last reliable answer.
    rseq: Option<u32>,
    answer: Answer,
    pracks: Vec<(TransactionId, String)>,
}

/// How our offer stands with a fork.
#[derive(Debug)]
enum Answer {
    None,
    /// What came in an answer that may be lost: the next one counts, too.
    Preview(Vec<u8>),
    /// Agreed: what comes later is not looked at (RFC 3261 §13.2.1).
    Agreed(Vec<u8>),
}

/// What a reliable answer is to those before it (RFC 3262 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Next,
    /// It came before, or one before it has not come yet: passed over.
    Repeated,
}

impl Forks {
    /// The place of the early dialog that a message of the peer with this tag is of.
    fn place(&self, tag: Option<&str>) -> Option<usize> {
        self.forks.iter().position(|fork| fork.dialog.remote_tag.as_deref() == tag)
    }

    /// The early dialog that a provisional answer is of, made if it is its first. Nothing at the limit.
    fn of(&mut self, wire: &Wire, call: &Dialog, response: &Message) -> Option<usize> {
        let to = response.to().ok()?;
        if let Some(known) = self.place(to.tag()) {
            return Some(known);
        }
        if self.forks.len() >= FORKS_MAX {
            return None;
        }
        let mut dialog = call.clone();
        dialog.establish(wire, response);
        self.forks.push(Fork { dialog, rseq: None, answer: Answer::None, pracks: Vec::new() });
        Some(self.forks.len() - 1)
    }

    /// Tells whether a description of this fork is to be told, and notes that it is.
    fn hears(&mut self, place: usize) -> bool {
        let may = !self.bound || self.heard == Some(place);
        if may {
            self.heard = Some(place);
        }
        may
    }

    /// The early dialog in which the peer has this tag.
    pub(super) fn dialog_with(&mut self, tag: Option<&str>) -> Option<&mut Dialog> {
        let place = self.place(tag)?;
        self.forks.get_mut(place).map(|fork| &mut fork.dialog)
    }

    /// Looks for the servers that the next requests go to; gives the answers that are waited for.
    pub(super) fn locate(&mut self, wire: &mut Wire, now: Time) -> Vec<Query> {
        self.forks.iter_mut().filter_map(|fork| fork.dialog.locate(wire, now)).collect()
    }

    /// Whether the fork that is heard has agreed, so that either side may offer anew. With `request`: whether
    /// it is the one that sends it.
    pub(super) fn may_change(&self, request: Option<&Message>) -> bool {
        let Some(fork) = self.heard.and_then(|place| self.forks.get(place)) else { return false };
        let sender = request.and_then(|request| request.from().ok());
        let is_sender = sender.is_none_or(|from| from.tag() == fork.dialog.remote_tag.as_deref());
        is_sender && matches!(fork.answer, Answer::Agreed(_))
    }

    /// Whether this fork has agreed, heard or not.
    pub(super) fn has_agreed(&self, request: &Message) -> bool {
        let place = request.from().ok().and_then(|from| self.place(from.tag()));
        let fork = place.and_then(|place| self.forks.get(place));
        fork.is_some_and(|fork| matches!(fork.answer, Answer::Agreed(_)))
    }

    /// The dialog of the fork that is heard, to offer anew in it; from then on no other is heard.
    pub(super) fn bind(&mut self) -> Option<&mut Dialog> {
        let fork = self.forks.get_mut(self.heard?)?;
        self.bound = true;
        Some(&mut fork.dialog)
    }

    /// The fork that a 2xx is of: its early dialog, and what is to be told of the answer.
    pub(super) fn chosen(self, success: &Message) -> (Option<Dialog>, Option<Vec<u8>>) {
        let sdp = sdp_of(success);
        let tag = success.to().ok().and_then(|to| to.tag());
        let Some(place) = self.place(tag) else { return (None, Some(sdp.unwrap_or_default())) };
        let heard = self.heard == Some(place);
        let Some(fork) = self.forks.into_iter().nth(place) else { return (None, sdp) };
        let told = match fork.answer {
            Answer::None => Some(sdp.unwrap_or_default()),
            Answer::Preview(early) => Some(sdp.unwrap_or(early)),
            Answer::Agreed(_) if heard => None,
            Answer::Agreed(early) => Some(early),
        };
        (Some(fork.dialog), told)
    }
}

impl Fork {
    fn order(&self, rseq: u32) -> Order {
        match self.rseq {
            None => Order::Next,
            Some(last) if last.checked_add(1) == Some(rseq) => Order::Next,
            Some(_) => Order::Repeated,
        }
    }

    /// Takes a description in. Gives it back if it is to be told.
    fn take(&mut self, sdp: Option<Vec<u8>>, reliable: bool) -> Option<Vec<u8>> {
        let sdp = sdp.filter(|_| !matches!(self.answer, Answer::Agreed(_)))?;
        self.answer = match reliable {
            true => Answer::Agreed(sdp.clone()),
            false => Answer::Preview(sdp.clone()),
        };
        Some(sdp)
    }
}

impl Session {
    /// A provisional answer other than 100.
    pub(super) fn early_progress(&mut self, wire: &mut Wire, now: Time, status: u16, response: &Message) {
        let Phase::Calling(calling) = &mut self.phase else { return };
        let place = calling.forks.of(wire, &self.dialog, response);
        let required = names(response, HeaderName::Require, RELIABLE);
        let rseq = response.number(HeaderName::RSeq).filter(|rseq| required && *rseq > 0);
        if let Some(rseq) = rseq
            && !place.is_some_and(|place| self.prack(wire, now, place, rseq, response))
        {
            return;
        }
        let Phase::Calling(calling) = &mut self.phase else { return };
        let fork = place.and_then(|place| calling.forks.forks.get_mut(place));
        let sdp = fork.and_then(|fork| fork.take(sdp_of(response), rseq.is_some()));
        let sdp = sdp.filter(|_| place.is_some_and(|place| calling.forks.hears(place)));
        self.terms.learn(response);
        let early_media = early_media::read(response).filter(|_| self.terms.p_early_media);
        wire.tell(Event::Progress { session: self.id, status, sdp, early_media });
    }

    /// Acknowledges a reliable answer, if it is the next of its fork. One whose PRACK finds no room is left
    /// to its repetition.
    fn prack(&mut self, wire: &mut Wire, now: Time, place: usize, rseq: u32, response: &Message) -> bool {
        let (Phase::Calling(calling), Ok((cseq, _))) = (&mut self.phase, response.cseq()) else {
            return false;
        };
        let Some(fork) = calling.forks.forks.get_mut(place) else { return false };
        if fork.order(rseq) == Order::Repeated || fork.pracks.len() >= PRACKS_MAX {
            return false;
        }
        fork.dialog.retarget(wire, response);
        let rack = format!("{rseq} {cseq} INVITE");
        let sent = self.send_prack(wire, now, place, rack);
        if let Phase::Calling(calling) = &mut self.phase
            && let Some(fork) = calling.forks.forks.get_mut(place).filter(|_| sent)
        {
            fork.rseq = Some(rseq);
        }
        sent
    }

    fn send_prack(&mut self, wire: &mut Wire, now: Time, place: usize, rack: String) -> bool {
        let Phase::Calling(calling) = &mut self.phase else { return false };
        let Some(fork) = calling.forks.forks.get_mut(place) else { return false };
        let (writer, flow, branch) = fork.dialog.request(wire, "PRACK");
        let writer = self.credentials.write(writer.header("RAck", &rack));
        let Some(id) = wire.request(now, flow, User::Session(self.id), &branch, writer) else { return false };
        fork.pracks.push((id, rack));
        true
    }

    /// An answer to a PRACK of ours, if it is to one. Only a challenge is answered: if the callee knows of no
    /// such provisional answer, its own timer decides.
    pub(super) fn prack_response(
        &mut self,
        wire: &mut Wire,
        now: Time,
        id: TransactionId,
        response: &Message,
    ) -> bool {
        let Phase::Calling(calling) = &mut self.phase else { return false };
        let mut forks = calling.forks.forks.iter_mut().enumerate();
        let found = forks.find_map(|(place, fork)| {
            let at = fork.pracks.iter().position(|(known, _)| *known == id)?;
            Some((place, fork.pracks.remove(at).1, fork.dialog.request_uri().to_owned()))
        });
        let Some((place, rack, uri)) = found else { return false };
        let challenged = matches!(response.status(), Some(401 | 407));
        if challenged && self.credentials.answer(response, "PRACK", &uri, &mut wire.rng) {
            self.send_prack(wire, now, place, rack);
        }
        true
    }

    /// A PRACK of ours came to nothing: the callee's own timer decides what becomes of its answer.
    pub(super) fn prack_failed(&mut self, id: TransactionId) {
        if let Phase::Calling(calling) = &mut self.phase {
            for fork in &mut calling.forks.forks {
                fork.pracks.retain(|(known, _)| *known != id);
            }
        }
    }
}
