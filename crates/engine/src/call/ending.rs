//! How a call and its legs end, and why: every end has a reason, and every call one end.

use super::{Call, Stage};
use crate::context::{Context, Errand};
use base::Time;
use facts::{CallData, Cause, End, FactKind, LegRole, QueueLeft, Side, millis};
use ivr::{Input, QueueEnd};
use sip::cause;
use sip::ua::{Ending, How};
use std::time::Duration;

/// How long the legs of a call that ends may take to do so. SIP tells an end of ours at once, and media
/// within its next tick.
const OVER_MAX: Duration = Duration::from_secs(5);

/// What a call's time is spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Being decided, dialled, taken down.
    Other,
    Ivr,
    Queue,
    Talk,
}

/// How long a call has been in each phase.
pub(super) struct Phases {
    began: Time,
    phase: Phase,
    since: Time,
    ivr: Duration,
    queue: Duration,
    talk: Duration,
}

impl Phases {
    pub(super) fn new(now: Time) -> Phases {
        let zero = Duration::ZERO;
        Phases { began: now, phase: Phase::Other, since: now, ivr: zero, queue: zero, talk: zero }
    }

    pub(super) fn enter(&mut self, now: Time, phase: Phase) {
        let spent = now.since(self.since);
        match self.phase {
            Phase::Other => {}
            Phase::Ivr => self.ivr += spent,
            Phase::Queue => self.queue += spent,
            Phase::Talk => self.talk += spent,
        }
        (self.phase, self.since) = (phase, now);
    }

    fn total(&self, now: Time) -> CallData {
        CallData {
            total_ms: millis(now.since(self.began)),
            ivr_ms: millis(self.ivr),
            queue_ms: millis(self.queue),
            talk_ms: millis(self.talk),
        }
    }
}

impl Call {
    /// Ends the call for this reason, once: leaves the queue, and ends every leg.
    pub(crate) fn finish(&mut self, ctx: &mut Context, mut end: End) {
        if self.end.is_some() {
            return;
        }
        if end.place.is_empty() {
            end.place = self.place();
        }
        end.q850 = Some(q850_of(&end));
        let reason = if end.by == Side::Caller { QueueLeft::Abandoned } else { QueueLeft::Ended };
        self.lost.clear();
        self.warming = None;
        self.cancel_transfer(ctx);
        self.part_from_guests(ctx);
        self.settle_unanswered(ctx);
        self.give_up_callback(ctx, &end);
        self.leave_queue(ctx, reason, seen_from_the_other_side(&end));
        self.give_up_by_name(ctx, seen_from_the_other_side(&end));
        self.phases.enter(ctx.now, Phase::Other);
        self.stage = Stage::Over { until: ctx.now + OVER_MAX };
        let (status, q850) = (refusal_for(&end), end.q850);
        self.end = Some(end);
        for leg in &mut self.legs {
            if leg.number == self.caller && !leg.connected {
                leg.refuse(ctx, status, q850, None);
            }
            leg.hang_up(ctx, q850);
        }
        self.bury(ctx);
    }

    /// A leg's session is over.
    pub(crate) fn session_ended(&mut self, ctx: &mut Context, number: u32, ending: &Ending) {
        let Some(leg) = self.legs.iter().find(|leg| leg.number == number) else { return };
        let role = leg.role;
        let end = match (ending.how, &leg.dismissed) {
            (How::Ours, Some(end)) => end.clone(),
            (How::Ours, None) => self.our_end(),
            _ => self.their_end(role, ending),
        };
        let transferred = self.hangs_up_transferred(number, ending.how);
        let end = if transferred { End { cause: Cause::Transferred, ..end } } else { end };
        let end = self.leaves_with(ctx, number, ending.how).unwrap_or(end);
        self.guest_ended(ctx, number);
        self.lost.forget(number);
        let waits_on = self.waits_for_interpreter(number);
        let goes_on = !waits_on && self.script_goes_on(number, ending.how);
        if goes_on {
            self.leave_talk(ctx);
        }
        if let Some((leg, log)) = self.leg_and_log(number) {
            leg.session_over(ctx, log, end.clone());
        }
        if waits_on {
            self.wait_on(ctx);
        } else if goes_on {
            self.back_to_script(ctx, Input::QueueEnded(QueueEnd::Ended));
        } else if self.stage_is_talking_with(number) || number == self.caller {
            self.finish(ctx, end);
        } else if self.end.is_none() {
            self.other_over(ctx, number, end);
        }
        self.bury(ctx);
    }

    /// Ends the call if it has a conversation that may not go on for its length or its cost.
    pub(super) fn break_off(&mut self, ctx: &mut Context) {
        let ends = self.legs.iter_mut().filter_map(|leg| Some((leg.number, leg.is_broken_off(ctx)?)));
        for (number, end) in ends.collect::<Vec<(u32, End)>>() {
            if self.guests.is_one(number) {
                self.dismiss_guest(ctx, number, end);
            } else {
                self.finish(ctx, end);
            }
        }
    }

    fn stage_is_talking_with(&self, number: u32) -> bool {
        matches!(self.stage, Stage::Talking { other } if other == number)
    }

    /// What has not answered by now never will: its leg ends without its word.
    pub(super) fn over_timeout(&mut self, ctx: &mut Context) {
        if !matches!(self.stage, Stage::Over { until } if until <= ctx.now) {
            return;
        }
        let end = self.our_end();
        let numbers: Vec<u32> = self.legs.iter().map(|leg| leg.number).collect();
        for number in numbers {
            let Some((leg, log)) = self.leg_and_log(number) else { continue };
            if !leg.session_is_over() {
                leg.session_over(ctx, log, end.clone());
            }
            leg.media_gone(ctx);
        }
        self.give_up_recording(ctx);
        self.bury(ctx);
    }

    /// Forgets the legs that are over; writes the call's end after the last one, and after that of its recording.
    pub(super) fn bury(&mut self, ctx: &mut Context) {
        self.legs.retain(|leg| !leg.is_over());
        if !self.legs.is_empty() || self.recording.is_some() || self.ended {
            return;
        }
        let Some(end) = self.end.clone() else { return };
        self.ended = true;
        if let Some(call) = self.consults_for {
            ctx.errands.push_back(Errand::Consulted { call, to: self.to.clone() });
        }
        let data = self.phases.total(ctx.now);
        self.note(ctx, FactKind::CallEnded { end, data });
    }

    /// The reason for which we are ending the call, as a leg's end.
    fn our_end(&self) -> End {
        match &self.end {
            Some(end) => seen_from_the_other_side(end),
            None => End::new(Side::Engine, Cause::HungUp).place(self.place()),
        }
    }

    fn their_end(&self, role: LegRole, ending: &Ending) -> End {
        let party = if role == LegRole::Caller { Side::Caller } else { Side::Callee };
        let (by, cause) = match ending.how {
            How::PeerHungUp => (party, Cause::HungUp),
            How::PeerCancelled => (party, Cause::Cancelled),
            How::PeerRefused => (party, classify(ending.status)),
            How::NoAnswer => (party, Cause::NoAnswer),
            How::PeerTimeout => (Side::Network, Cause::PeerTimeout),
            How::SessionExpired => (Side::Network, Cause::SessionExpired),
            How::FlowFailed => (Side::Network, Cause::Unreachable),
            How::NotAcknowledged => (Side::Network, Cause::NotAcknowledged),
            How::Capacity => (Side::Engine, Cause::Capacity),
            How::Ours => (Side::Engine, Cause::HungUp),
        };
        let mut end = End::new(by, cause).q850(ending.q850).place(self.place()).detail(ending.detail.clone());
        end.sip = ending.status;
        end.q850 = Some(q850_of(&end));
        end
    }

    /// Where in the flow the call is, for the reason of an end.
    pub(super) fn place(&self) -> String {
        match &self.stage {
            Stage::Scripted => {
                format!("ivr:{}", self.script.as_ref().map_or("", ivr::Interpreter::node))
            }
            Stage::Queued(queued) => format!("queue:{}", queued.wait.queue),
            Stage::Talking { other } => {
                let other = self.legs.iter().find(|leg| leg.number == *other);
                other.map_or(String::new(), |leg| format!("with:{}", leg.address))
            }
            Stage::ByName(_) | Stage::Dialling(_) => "dialling".to_owned(),
            Stage::Leaving(_) => "leaving".to_owned(),
            Stage::Arriving | Stage::Measured | Stage::Over { .. } => String::new(),
        }
    }
}

/// What the end of one party's leg is to the other party's.
fn seen_from_the_other_side(end: &End) -> End {
    match end.by {
        Side::Caller | Side::Callee => End { cause: Cause::OtherSideLeft, ..end.clone() },
        Side::Service | Side::Network | Side::Engine => end.clone(),
    }
}

/// The status that tells a caller who was not answered why. What the other party said is passed on, but no
/// challenge, which was for us, and no redirection, which would need its Contact.
pub(super) fn refusal_for(end: &End) -> u16 {
    let passed_on = end.sip.filter(|status| (400..700).contains(status) && !matches!(status, 401 | 407));
    passed_on.unwrap_or(match end.cause {
        Cause::Busy => 486,
        Cause::Declined => 603,
        Cause::NotFound => 404,
        Cause::PeerTimeout => 408,
        Cause::NoCommonMedia | Cause::NotSecured => 488,
        Cause::BadMedia | Cause::Inadmissible => 400,
        Cause::Looped => 482,
        Cause::Unreachable | Cause::Capacity | Cause::ShuttingDown => 503,
        _ => 480,
    })
}

/// The Q.850 cause of an end: what a party gave, otherwise what its status or our reason means.
pub(crate) fn q850_of(end: &End) -> u8 {
    end.q850.unwrap_or(match (end.sip, end.cause) {
        (Some(status @ 300..), _) => cause::of_status(status),
        (_, Cause::TakenElsewhere) => cause::ELSEWHERE,
        (_, Cause::Busy) => 17,
        (_, Cause::NoAnswer) => 19,
        (_, Cause::Declined | Cause::Refused) => 21,
        (_, Cause::NotFound) => 1,
        (_, Cause::Looped) => 25,
        (_, Cause::NoCommonMedia | Cause::NotSecured) => 65,
        (_, Cause::BadMedia | Cause::Inadmissible) => 111,
        (_, Cause::Unreachable) => 27,
        (_, Cause::PeerTimeout | Cause::NotAcknowledged | Cause::SessionExpired) => 102,
        (_, Cause::Capacity) => 42,
        (_, Cause::TooLong | Cause::SpendingCeiling) => cause::NORMAL_UNSPECIFIED,
        (_, Cause::ShuttingDown | Cause::EngineRestarted) => 41,
        _ => cause::NORMAL,
    })
}

/// What a party's final refusal means.
pub(super) fn classify(status: Option<u16>) -> Cause {
    match status {
        Some(486 | 600) => Cause::Busy,
        Some(603 | 607) => Cause::Declined,
        Some(404 | 410 | 484 | 485 | 604) => Cause::NotFound,
        Some(408 | 480 | 487) => Cause::NoAnswer,
        Some(482 | 483) => Cause::Looped,
        Some(488 | 606) => Cause::NoCommonMedia,
        _ => Cause::Refused,
    }
}
