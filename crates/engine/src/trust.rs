//! How far the number of a caller can be believed: a score with its reasons. It says; it never refuses.

use crate::Numbering;
use crate::call::Parties;
use base::{Time, Wall};
use facts::FactKind;
use numbers::{Kind, Number};
use sip::ua::{Invite, Peer};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use stir::{Asked, Attestation, Certificate, Fault, Statement, Verified};

/// What signed statements about callers are verified with.
#[derive(Clone, Debug, Default)]
pub struct TrustStore {
    /// The authorities that are trusted.
    pub roots: Vec<Certificate>,
    /// By the address (`x5u`) at which operators say that their certificates are: their own first.
    pub certificates: BTreeMap<String, Vec<Certificate>>,
}

/// The score of a caller of whom nothing speaks for or against.
const NOTHING_KNOWN: i32 = 60;
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

struct Assessment {
    score: i32,
    reasons: Vec<String>,
}

impl Assessment {
    fn weigh(&mut self, holds: bool, weight: i32, reason: &str) {
        if holds {
            self.score += weight;
            self.reasons.push(reason.to_owned());
        }
    }
}

/// Judges a caller of whom something is known.
pub(crate) fn assess(
    parties: &Parties,
    invite: &Invite,
    numbering: &Numbering,
    velocity: &mut Velocity,
    (now, wall): (Time, Wall),
) -> FactKind {
    let mut assessment = Assessment { score: NOTHING_KNOWN, reasons: Vec::new() };
    let known = parties.known.as_ref().map(|reading| &reading.number);
    assessment.weigh(matches!(invite.peer, Peer::Account(_)), 40, "own_account");
    assessment.weigh(known.is_none(), 0, "nothing_known");
    if let Some(number) = known {
        judge_number(&mut assessment, number, invite, numbering);
        assessment.weigh(velocity.count(now, number.as_str()) > MANY_CALLS, -20, "many_calls");
    }
    let operators_word = parties.known.as_ref().and_then(|reading| reading.verified.as_deref());
    let trusted = matches!(invite.peer, Peer::Trunk(_));
    let passed = operators_word.filter(|_| trusted).map(|word| word.to_ascii_lowercase());
    let said = |word: &str| passed.as_deref().is_some_and(|said| said.contains(word));
    assessment.weigh(said("passed"), 20, "operator_verified");
    assessment.weigh(said("failed"), -30, "operator_verification_failed");
    let (verification, attestation) = judge_statements(&mut assessment, parties, invite, (numbering, wall));
    FactKind::CallTrustAssessed {
        score: u8::try_from(assessment.score.clamp(0, 100)).unwrap_or(0),
        verification,
        attestation,
        reasons: assessment.reasons,
    }
}

fn judge_number(assessment: &mut Assessment, number: &Number, invite: &Invite, numbering: &Numbering) {
    let kind = number.kind();
    assessment.weigh(kind == Kind::Invalid, -40, "number_invalid");
    // Nobody calls from an emergency or a premium number.
    assessment.weigh(matches!(kind, Kind::Short | Kind::Premium), -30, "impossible_caller");
    let from = invite.identity.from.as_ref().map(|from| numbering.of(&invite.peer).read(&from.user).number);
    let differs =
        from.is_some_and(|from| from.e164().is_some() && number.e164().is_some() && from != *number);
    assessment.weigh(differs, -10, "from_differs");
    if numbering.is_foreign(&invite.peer) {
        let italian = number.country() == Some("IT");
        assessment.weigh(italian && kind == Kind::Mobile, -20, "italian_mobile_from_abroad");
        assessment.weigh(italian && kind != Kind::Mobile, -40, "italian_number_from_abroad");
    }
}

/// `none`, `passed`, or why the first statement does not hold; and the letter of the attestation.
fn judge_statements(
    assessment: &mut Assessment,
    parties: &Parties,
    invite: &Invite,
    (numbering, wall): (&Numbering, Wall),
) -> (String, String) {
    let Some(orig) = parties.known.as_ref().and_then(|reading| reading.number.e164()) else {
        return ("none".to_owned(), String::new());
    };
    let mut failed = None;
    for value in &invite.identity.passports {
        match verified(value, orig, parties, (numbering, wall)) {
            Ok(Verified { diversion: true, .. }) => assessment.weigh(true, 0, "diversion_signed"),
            Ok(Verified { attestation, .. }) => {
                let attestation = attestation.unwrap_or(Attestation::Gateway);
                let weight = match attestation {
                    Attestation::Full => 40,
                    Attestation::Partial => 20,
                    Attestation::Gateway => 0,
                };
                assessment.weigh(true, weight, "signed");
                return ("passed".to_owned(), attestation.as_str().to_owned());
            }
            Err(why) => failed = failed.or(Some(why)),
        }
    }
    match failed {
        // Nobody can be blamed for a certificate that we do not have.
        Some(why @ (None | Some(Fault::NoCertificate))) => {
            (why.map_or("unreadable", Fault::as_str).to_owned(), String::new())
        }
        Some(Some(why)) => {
            assessment.weigh(true, -40, why.as_str());
            (why.as_str().to_owned(), String::new())
        }
        None => ("none".to_owned(), String::new()),
    }
}

fn verified(
    value: &str,
    orig: &str,
    parties: &Parties,
    (numbering, wall): (&Numbering, Wall),
) -> Result<Verified, Option<Fault>> {
    let dialled = digits(&parties.dialled);
    let statement = Statement::read(value, orig, dialled, None).ok_or(None)?;
    let x5u = if statement.passport.x5u.is_empty() { &statement.info } else { &statement.passport.x5u };
    let certificates = numbering.trust.certificates.get(x5u).map(Vec::as_slice).unwrap_or_default();
    // Who sent the call on was called first: the statement was made for that call.
    let dest: Vec<&str> =
        std::iter::once(dialled).chain(parties.diverted_by.iter().map(|(by, _)| digits(by))).collect();
    let now = wall.unix_micros() / 1_000_000;
    let asked = Asked { orig, dest: &dest, certificates, roots: &numbering.trust.roots, now };
    stir::verify(&statement, &asked).map_err(Some)
}

fn digits(number: &Number) -> &str {
    number.e164().unwrap_or(number.as_str())
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
