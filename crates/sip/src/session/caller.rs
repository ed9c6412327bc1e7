//! The caller's side: from our INVITE to its final answer, with every race of CANCEL (RFC 3261 §9.1, §13.2).

use super::failover::OtherWays;
use super::forks::Forks;
use super::reoffer::Ours;
use super::stray::reject_fork;
use super::terms::{RELIABLE, Terms};
use super::timer::SessionTimer;
use super::{Dialog, Phase, Session};
use crate::cause;
use crate::message::Message;
use crate::transaction::{Failure, TransactionId, User};
use crate::ua::credentials::Credentials;
use crate::ua::early_media::P_EARLY_MEDIA;
use crate::ua::wire::{ALLOW, ALLOW_EVENTS, Wire};
use crate::ua::{Call, Event, Flow, How, Prack, SessionId};
use base::Time;
use std::collections::VecDeque;

/// An INVITE of ours without a final answer.
#[derive(Debug)]
pub(super) struct Calling {
    pub(super) call: Call,
    pub(super) invite: TransactionId,
    /// Something came: CANCEL may be sent (§9.1).
    pub(super) provisional: bool,
    ring_until: Time,
    pub(super) forks: Forks,
    cancel: Cancel,
    pub(super) other_ways: OtherWays,
}

#[derive(Debug)]
enum Cancel {
    No,
    /// To be sent with the first provisional answer.
    Wanted(Option<u8>),
    /// Sent. If no final answer comes for 64·T1, the INVITE's transaction fails (§9.1).
    Sent(Option<u8>),
}

impl Calling {
    pub(super) fn deadline(&self, told: bool) -> Time {
        match (told, self.provisional) {
            (true, _) => Time::FAR,
            (false, provisional) => self.ring_until.min(self.other_ways.deadline(provisional)),
        }
    }

    /// We want the callee no more.
    pub(super) fn is_cancelled(&self) -> bool {
        !matches!(self.cancel, Cancel::No)
    }
}

impl Session {
    /// Sends the first INVITE. Nothing if there is no room for its transaction.
    pub(super) fn call(
        wire: &mut Wire,
        now: Time,
        id: SessionId,
        call: Call,
        mut ways: VecDeque<Flow>,
        symmetric: bool,
    ) -> Option<Session> {
        let first = ways.pop_front()?;
        let mut dialog = Dialog::of_call(wire, id, &call, first, symmetric);
        let credentials = Credentials::new(call.credentials.clone());
        let terms = Terms::towards(wire, &call.towards);
        let timer = SessionTimer::new(&wire.config.extensions);
        let invite = send_invite(wire, now, id, &mut dialog, &credentials, (terms, &timer), &call)?;
        let ring_until = now + wire.config.timers.ring_max;
        let other_ways = OtherWays::new(wire, now, ways, call.elsewhere, &terms);
        let calling = Calling {
            call,
            invite,
            provisional: false,
            ring_until,
            forks: Forks::default(),
            cancel: Cancel::No,
            other_ways,
        };
        Some(Session {
            id,
            phase: Phase::Calling(Box::new(calling)),
            caller: true,
            invite_cseq: dialog.local_cseq,
            dialog,
            terms,
            timer,
            refresh: None,
            credentials,
            reliable: None,
            ours: Ours::None,
            theirs: None,
            keys: super::Keys::default(),
            unacknowledged: Vec::new(),
            referrals: super::referring::Referrals::default(),
            told: false,
        })
    }

    /// An answer to our first INVITE.
    pub(super) fn calling_response(
        &mut self,
        wire: &mut Wire,
        now: Time,
        id: TransactionId,
        response: &Message,
    ) {
        match response.status().unwrap_or(0) {
            status @ 100..=199 => self.calling_progress(wire, now, status, response),
            200..=299 => self.calling_success(wire, now, id, response),
            status => self.calling_refusal(wire, now, status, response),
        }
    }

    /// Our first INVITE came to nothing.
    pub(super) fn calling_failed(&mut self, wire: &mut Wire, now: Time, failure: Failure) {
        if failure != Failure::TooLarge {
            self.server_failed(wire, now);
        }
        if self.go_on(wire, now, None) {
            return;
        }
        let remote = self.dialog.flow.remote;
        match failure {
            Failure::Timeout => {
                self.end(wire, How::PeerTimeout, None, None, format!("nothing came from {remote}"));
            }
            Failure::Flow => {
                self.end(wire, How::FlowFailed, None, None, format!("no connection to {remote}"));
            }
            Failure::TooLarge => {
                let detail = format!("the INVITE is too large for UDP, and {remote} takes no TCP");
                self.end(wire, How::FlowFailed, None, None, detail);
            }
        }
        self.forget(wire, now);
    }

    /// We do not want the call any more.
    pub(super) fn cancel_call(&mut self, wire: &mut Wire, now: Time, q850: Option<u8>) {
        let Phase::Calling(calling) = &mut self.phase else { return };
        if matches!(calling.cancel, Cancel::Sent(_)) {
            return;
        }
        calling.cancel = Cancel::Wanted(q850);
        if calling.provisional {
            self.send_cancel(wire, now);
        }
    }

    /// The callee rang for too long.
    pub(super) fn calling_timeout(&mut self, wire: &mut Wire, now: Time) {
        let Phase::Calling(calling) = &self.phase else { return };
        if calling.deadline(self.told) > now {
            return;
        }
        if calling.ring_until > now {
            return self.silent_for_too_long(wire, now);
        }
        let seconds = wire.config.timers.ring_max.as_secs();
        self.end(wire, How::NoAnswer, None, None, format!("not answered in {seconds} s"));
        self.cancel_call(wire, now, None);
    }

    fn calling_progress(&mut self, wire: &mut Wire, now: Time, status: u16, response: &Message) {
        let Phase::Calling(calling) = &mut self.phase else { return };
        calling.provisional = true;
        if status > 100 {
            calling.other_ways.has_progressed();
        }
        wire.way_works(self.dialog.flow);
        if let Cancel::Wanted(_) = calling.cancel {
            self.send_cancel(wire, now);
        } else if status > 100 && !self.told {
            self.early_progress(wire, now, status, response);
        }
    }

    /// A 2xx is acknowledged in any case (§13.2.2.4), and ended at once if we had cancelled.
    fn calling_success(&mut self, wire: &mut Wire, now: Time, id: TransactionId, response: &Message) {
        let Phase::Calling(calling) = std::mem::replace(&mut self.phase, Phase::Established) else { return };
        let (early, answer) = calling.forks.chosen(response);
        self.dialog = early.unwrap_or_else(|| self.dialog.clone());
        self.dialog.establish(wire, response);
        self.terms.learn(response);
        self.timer.answered(now, response, true);
        self.credentials.settled();
        self.acknowledge(wire, id, response);
        match calling.cancel {
            Cancel::Wanted(q850) | Cancel::Sent(q850) => self.send_bye(wire, now, q850),
            Cancel::No => {
                if answer.is_some() {
                    self.forget_early_offers(wire, now);
                }
                wire.tell(Event::Answered { session: self.id, sdp: answer });
            }
        }
    }

    fn calling_refusal(&mut self, wire: &mut Wire, now: Time, status: u16, response: &Message) {
        if self.told {
            return self.forget(wire, now);
        }
        if self.may_call_again(wire, status, response) && self.call_again(wire, now) {
            return;
        }
        if status == 503 && self.busy_way(wire, now, response) {
            return;
        }
        let how = if status == 408 { How::NoAnswer } else { How::PeerRefused };
        let detail = super::closing::refusal_detail(response, status);
        self.end(wire, how, Some(status), cause::given(response).q850, detail);
        self.forget(wire, now);
    }

    /// Whether the call may succeed with what this refusal asks for: credentials (§22.2), or a longer session
    /// (RFC 4028 §7.4).
    fn may_call_again(&mut self, wire: &mut Wire, status: u16, response: &Message) -> bool {
        let uri = self.dialog.request_uri().to_owned();
        match status {
            401 | 407 => self.credentials.answer(response, "INVITE", &uri, &mut wire.rng),
            422 => self.timer.learn_least(response),
            _ => false,
        }
    }

    fn call_again(&mut self, wire: &mut Wire, now: Time) -> bool {
        let Phase::Calling(calling) = &mut self.phase else { return false };
        let (dialog, terms) = (&mut self.dialog, (self.terms, &self.timer));
        let sent = send_invite(wire, now, self.id, dialog, &self.credentials, terms, &calling.call);
        let Some(invite) = sent else { return false };
        calling.invite = invite;
        calling.provisional = false;
        calling.forks = Forks::default();
        calling.other_ways.wait(wire, now, &self.terms);
        self.invite_cseq = self.dialog.local_cseq;
        true
    }

    fn send_cancel(&mut self, wire: &mut Wire, now: Time) {
        let Phase::Calling(calling) = &mut self.phase else { return };
        let q850 = if let Cancel::Wanted(q850) = calling.cancel { q850 } else { None };
        let reason = cause::reason_of_cancel(q850.unwrap_or(cause::NORMAL));
        if wire.transactions.cancel(now, calling.invite, &reason, &mut wire.out) {
            calling.cancel = Cancel::Sent(q850);
        } else {
            // No room for a CANCEL: the callee rings on until somebody tires, but we are done.
            wire.transactions.abandon(calling.invite);
            self.forget(wire, now);
        }
    }

    /// Sends the ACK of a 2xx, and leaves it with the transaction for the 2xx's repetitions.
    pub(super) fn acknowledge(&mut self, wire: &mut Wire, id: TransactionId, response: &Message) {
        let Ok((cseq, _)) = response.cseq() else { return };
        let (ack, flow) = self.dialog.ack(wire, cseq, id);
        let tag = response.to().ok().and_then(|to| to.tag()).unwrap_or("");
        wire.transactions.keep_ack(id, tag, flow, ack.clone());
        wire.send(flow, ack);
    }

    /// A response of a transaction that this session does not wait for: a late one, or the 2xx of another
    /// fork, which gets its ACK and a BYE (§13.2.2.4).
    pub(super) fn unexpected_response(
        &mut self,
        wire: &mut Wire,
        now: Time,
        id: TransactionId,
        response: &Message,
        flow: Flow,
    ) {
        let to_tag = response.to().ok().and_then(|to| to.tag());
        let success = response.status().is_some_and(|status| (200..300).contains(&status));
        let invite = response.cseq().is_ok_and(|(_, method)| method == crate::message::Method::Invite);
        match (success && invite, to_tag == self.dialog.remote_tag.as_deref()) {
            (true, true) => self.acknowledge(wire, id, response),
            (true, false) => reject_fork(wire, now, id, response, (flow, self.dialog.is_symmetric())),
            (false, _) => {}
        }
    }
}

pub(super) fn send_invite(
    wire: &mut Wire,
    now: Time,
    id: SessionId,
    dialog: &mut Dialog,
    credentials: &Credentials,
    (terms, timer): (Terms, &SessionTimer),
    call: &Call,
) -> Option<TransactionId> {
    let (mut writer, flow, branch) = dialog.invite(wire, call.max_forwards);
    writer = writer
        .header("Allow", ALLOW)
        .header("Supported", terms.supported())
        .header("Allow-Events", ALLOW_EVENTS);
    writer = timer.ask(writer, true);
    if terms.prack == Prack::Required {
        writer = writer.header("Require", RELIABLE);
    }
    if terms.p_early_media {
        writer = writer.header(P_EARLY_MEDIA, "supported");
    }
    for (name, value) in call.headers.iter() {
        writer = writer.header(name, value);
    }
    writer = credentials.write(writer).body("application/sdp", call.sdp.clone());
    // Whom we call may answer.
    wire.guard.acquaint(now, flow.remote.ip());
    wire.request(now, flow, User::Session(id), &branch, writer)
}
