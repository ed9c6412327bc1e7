//! How far the number of a caller can be believed: a score with its reasons. It says; it never refuses.

use crate::Numbering;
use crate::call::Parties;
use crate::signed::{Signed, Verdict};
use base::{Time, Wall};
use facts::{FactKind, TrustAssessed};
use numbers::{Kind, Number};
use sip::ua::{Invite, Peer};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// The score of a caller of whom nothing speaks for or against.
pub const NOTHING_KNOWN: i32 = 60;
/// Calls of one number within `WINDOW` that are more than a person makes.
const MANY_CALLS: u32 = 10;
const WINDOW: Duration = Duration::from_secs(600);
/// The most numbers that are counted; the one counted longest makes room.
const NUMBERS_MAX: usize = 10_000;

/// How often each number has called of late.
#[derive(Debug, Default)]
pub(crate) struct Velocity {
    calls: BTreeMap<String, u32>,
    order: VecDeque<(Time, String)>,
}

impl Velocity {
    /// Counts a call; gives how many the number has made within the window.
    fn count(&mut self, now: Time, number: &str) -> u32 {
        while let Some((since, _)) = self.order.front() {
            if self.order.len() < NUMBERS_MAX && now.since(*since) < WINDOW {
                break;
            }
            if let Some((_, number)) = self.order.pop_front() {
                self.calls.remove(&number);
            }
        }
        if let Some(calls) = self.calls.get_mut(number) {
            *calls = calls.saturating_add(1);
            return *calls;
        }
        self.order.push_back((now, number.to_owned()));
        self.calls.insert(number.to_owned(), 1);
        1
    }
}

/// What is thought of a caller's number, and the statements about it that may still be judged again.
#[derive(Debug)]
pub(crate) struct Trust {
    score: i32,
    reasons: Vec<&'static str>,
    pub(crate) signed: Option<Signed>,
    verdict: Verdict,
}

impl Trust {
    /// Judges a caller, but for what was signed about them.
    pub(crate) fn of(
        parties: &Parties,
        invite: &Invite,
        numbering: &Numbering,
        velocity: &mut Velocity,
        (now, wall): (Time, Wall),
    ) -> Trust {
        let signed = Signed::of(parties, invite, numbering, wall);
        let mut trust =
            Trust { score: NOTHING_KNOWN, reasons: Vec::new(), signed, verdict: Verdict::default() };
        let known = parties.known.as_ref().map(|reading| &reading.number);
        trust.weigh(matches!(invite.peer, Peer::Account(_)), 40, "own_account");
        trust.weigh(known.is_none(), 0, "nothing_known");
        if let Some(number) = known {
            trust.judge_number(number, invite, numbering);
            trust.weigh(velocity.count(now, number.as_str()) > MANY_CALLS, -20, "many_calls");
        }
        let operators_word = parties.known.as_ref().and_then(|reading| reading.verified.as_deref());
        let trusted = matches!(invite.peer, Peer::Trunk(_));
        let passed = operators_word.filter(|_| trusted).map(|word| word.to_ascii_lowercase());
        let said = |word: &str| passed.as_deref().is_some_and(|said| said.contains(word));
        trust.weigh(said("passed"), 20, "operator_verified");
        trust.weigh(said("failed"), -30, "operator_verification_failed");
        trust
    }

    /// Of somebody who does not call.
    pub(crate) fn unknown() -> Trust {
        Trust { score: NOTHING_KNOWN, reasons: Vec::new(), signed: None, verdict: Verdict::default() }
    }

    fn weigh(&mut self, holds: bool, weight: i32, reason: &'static str) {
        if holds {
            self.score += weight;
            self.reasons.push(reason);
        }
    }

    fn judge_number(&mut self, number: &Number, invite: &Invite, numbering: &Numbering) {
        let kind = number.kind();
        self.weigh(kind == Kind::Invalid, -40, "number_invalid");
        // Nobody calls from an emergency or a premium number.
        self.weigh(
            matches!(kind, Kind::Short | Kind::PremiumShort | Kind::Premium),
            -30,
            "impossible_caller",
        );
        let from =
            invite.identity.from.as_ref().map(|from| numbering.of(&invite.peer).read(&from.user).number);
        let differs =
            from.is_some_and(|from| from.e164().is_some() && number.e164().is_some() && from != *number);
        self.weigh(differs, -10, "from_differs");
        if numbering.is_foreign(&invite.peer) {
            let italian = number.country() == Some("IT");
            self.weigh(italian && kind == Kind::Mobile, -20, "italian_mobile_from_abroad");
            self.weigh(italian && kind != Kind::Mobile, -40, "italian_number_from_abroad");
        }
    }

    /// What became of the signed statements counts from now on.
    pub(crate) fn found(&mut self, verdict: Verdict) {
        self.verdict = verdict;
    }

    fn score(&self) -> u8 {
        u8::try_from((self.score + self.verdict.weight).clamp(0, 100)).unwrap_or(0)
    }

    /// As it is written down.
    pub(crate) fn fact(&self) -> FactKind {
        let reasons = self.reasons.iter().chain(&self.verdict.reasons);
        FactKind::CallTrustAssessed(TrustAssessed {
            score: self.score(),
            verification: self.verdict.verification.to_owned(),
            attestation: self.verdict.attestation.to_owned(),
            origid: self.verdict.origid.clone(),
            reasons: reasons.map(|reason| (*reason).to_owned()).collect(),
        })
    }

    /// In a header field for agents' devices: `score;verification`.
    pub(crate) fn header(&self) -> String {
        format!("{};{}", self.score(), self.verdict.verification)
    }

    /// More speaks against the number than for it.
    pub(crate) fn is_doubtful(&self) -> bool {
        i32::from(self.score()) < NOTHING_KNOWN
    }

    /// For scripts.
    pub(crate) fn for_scripts(&self) -> String {
        self.score().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_a_number_are_counted_within_a_window_and_the_table_is_bounded() {
        let mut velocity = Velocity::default();
        let start = Time::from_millis(1);
        for call in 1..=12 {
            assert_eq!(velocity.count(start, "+39061"), call);
        }
        assert_eq!(velocity.count(start + WINDOW, "+39061"), 1);
        for number in 0..20_000 {
            velocity.count(start + WINDOW, &format!("+39{number}"));
        }
        assert!(velocity.calls.len() <= NUMBERS_MAX && velocity.order.len() <= NUMBERS_MAX);
        assert_eq!(velocity.calls.len(), velocity.order.len());
    }
}
