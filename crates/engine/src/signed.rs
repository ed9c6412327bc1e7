//! What callers' operators signed (STIR/SHAKEN), held against the call that it came with. A certificate that is
//! not here yet holds up no call: the statements are judged again when it has come.

use crate::Numbering;
use crate::call::Parties;
use crate::certificates::{AWAITED, Certificates, TrustStore};
use base::{Time, Wall};
use numbers::Number;
use sip::ua::Invite;
use std::collections::BTreeSet;
use stir::{About, Asked, Attestation, Fault, Passport, Statement, Verified, canonical};

/// The most keys of media that an offer is searched for.
const KEYS_MAX: usize = 16;

/// Statements about a caller, and what they are held against: the call as it was when it came.
#[derive(Debug)]
pub(crate) struct Signed {
    /// The values of Identity.
    values: Vec<String>,
    orig: String,
    /// Who is called: in the request line, and in To.
    dest: Vec<String>,
    /// Who says, unsigned, that the call was sent on by them.
    diverted_by: Vec<String>,
    keys: Vec<(String, String)>,
    /// What Date says, in seconds since 1970: the time of the compact form.
    date: Option<i64>,
    /// When the call came, in seconds since 1970.
    came: i64,
    /// Where the certificates are that are on their way.
    awaited: BTreeSet<String>,
}

/// What became of the statements about a caller.
#[derive(Debug)]
pub(crate) struct Verdict {
    /// `none`, `passed`, or why the first one does not hold.
    pub(crate) verification: &'static str,
    /// The letter of the attestation, if there is one.
    pub(crate) attestation: &'static str,
    /// The operator's name for where the call began.
    pub(crate) origid: String,
    pub(crate) weight: i32,
    pub(crate) reasons: Vec<&'static str>,
}

/// Why a statement says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Silent {
    Unreadable,
    /// There is no certificate, for this reason.
    Missing(&'static str),
    Fault(Fault),
}

impl Default for Verdict {
    fn default() -> Verdict {
        Verdict {
            verification: "none",
            attestation: "",
            origid: String::new(),
            weight: 0,
            reasons: Vec::new(),
        }
    }
}

impl Signed {
    /// The statements that came with a call; nothing if there are none, or nobody whom they could be about.
    pub(crate) fn of(
        parties: &Parties,
        invite: &Invite,
        numbering: &Numbering,
        wall: Wall,
    ) -> Option<Signed> {
        let values = invite.identity.passports.clone();
        let orig = parties.known.as_ref().and_then(|reading| reading.number.e164())?.to_owned();
        let rules = numbering.of(&invite.peer);
        let to = invite.identity.to.as_ref().map(|to| digits(&rules.read(&to.user).number));
        let mut dest = vec![digits(&parties.dialled)];
        dest.extend(to.filter(|to| *to != dest[0]));
        let keys = invite.sdp.as_deref().map(keys).unwrap_or_default();
        (!values.is_empty()).then(|| Signed {
            values,
            orig,
            dest,
            diverted_by: parties.diverted_by.iter().map(|(by, _)| digits(by)).collect(),
            keys,
            date: invite.identity.date,
            came: wall.unix_micros() / 1_000_000,
            awaited: BTreeSet::new(),
        })
    }

    /// Where the certificates of the statements are.
    pub(crate) fn addresses(&self) -> BTreeSet<String> {
        self.values.iter().filter_map(|value| Some(address(&self.read(value, "")?).to_owned())).collect()
    }

    /// Whether it is to be judged again when what is at this address has come.
    pub(crate) fn awaits(&self, url: &str) -> bool {
        self.awaited.contains(url)
    }

    /// Judges the statements with the certificates that are here.
    pub(crate) fn judge(&mut self, now: Time, store: &TrustStore, certificates: &Certificates) -> Verdict {
        let addresses = self.addresses().into_iter();
        self.awaited = addresses.filter(|url| certificates.of(now, store, url) == Err(AWAITED)).collect();
        let judge = Judge { signed: self, now, store, certificates };
        let mut verdict = Verdict::default();
        let meant = judge.sent_on(&mut verdict);
        judge.caller(&meant, &mut verdict);
        verdict
    }

    fn read(&self, value: &str, dest: &str) -> Option<Statement> {
        Statement::read(value, &self.orig, dest, self.date)
    }
}

struct Judge<'a> {
    signed: &'a Signed,
    now: Time,
    store: &'a TrustStore,
    certificates: &'a Certificates,
}

impl Judge<'_> {
    /// Who may be meant by who is called: those who are called here, and those who sent the call on and had
    /// it signed, back to the first (RFC 8946 §5).
    fn sent_on(&self, verdict: &mut Verdict) -> Vec<String> {
        let mut meant = self.signed.dest.clone();
        for _ in &self.signed.values {
            for value in &self.signed.values {
                let Ok((Verified { about: About::Diversion, .. }, passport)) = self.verified(value, &meant)
                else {
                    continue;
                };
                let from = passport.diverted_from.as_deref().map(canonical).unwrap_or_default();
                if !meant.contains(&from) {
                    verdict.note("diversion_signed");
                    meant.push(from);
                }
            }
        }
        meant
    }

    /// Judges the statements about who began the call: the first that holds counts, or the first that does not.
    fn caller(&self, meant: &[String], verdict: &mut Verdict) {
        let mut silent = None;
        for value in &self.signed.values {
            match self.verified(value, meant) {
                Ok((Verified { about: About::Diversion, .. }, _)) => {}
                Ok((Verified { about: About::Priority, .. }, _)) => verdict.note("priority_signed"),
                Ok((Verified { attestation, .. }, passport)) => {
                    return verdict.passed(attestation, passport.origid);
                }
                // It is a pity about an extension that we do not know, and says nothing of the others.
                Err(Silent::Fault(Fault::Unsupported)) if self.signed.values.len() > 1 => {}
                Err(why) => {
                    silent.get_or_insert((value, why));
                }
            }
        }
        if let Some((value, why)) = silent {
            let explained = why == Silent::Fault(Fault::OtherCalled)
                && self.verified(value, &self.signed.diverted_by).is_ok();
            verdict.failed(why, explained);
        }
    }

    /// Whether a statement holds for one of those who are called. The compact form leaves out whom it is about:
    /// it is tried with who is called here.
    fn verified(&self, value: &str, meant: &[String]) -> Result<(Verified, Passport), Silent> {
        let is_compact = Statement::is_compact(value);
        let tries = if is_compact { self.signed.dest.len() } else { 1 };
        let mut last = Silent::Unreadable;
        for dest in self.signed.dest.iter().take(tries) {
            match self.verified_as(value, dest, meant) {
                Ok(found) => return Ok(found),
                Err(why) => last = why,
            }
        }
        Err(last)
    }

    fn verified_as(&self, value: &str, dest: &str, meant: &[String]) -> Result<(Verified, Passport), Silent> {
        let statement = self.signed.read(value, dest).ok_or(Silent::Unreadable)?;
        let certificates =
            self.certificates.of(self.now, self.store, address(&statement)).map_err(Silent::Missing)?;
        let meant: Vec<&str> = meant.iter().map(String::as_str).collect();
        let asked = Asked {
            orig: &self.signed.orig,
            dest: &meant,
            keys: &self.signed.keys,
            certificates,
            roots: &self.store.roots,
            now: self.signed.came,
        };
        let verified = stir::verify(&statement, &asked).map_err(Silent::Fault)?;
        Ok((verified, statement.passport))
    }
}

impl Verdict {
    fn note(&mut self, reason: &'static str) {
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }

    fn passed(&mut self, attestation: Option<Attestation>, origid: String) {
        self.verification = "passed";
        self.weight = match attestation {
            Some(Attestation::Full) => 40,
            Some(Attestation::Partial) | None => 20,
            Some(Attestation::Gateway) => 0,
        };
        self.attestation = attestation.map_or("", Attestation::as_str);
        self.origid = origid;
        self.note("signed");
    }

    /// Nobody can be blamed for what could not be verified, nor for a statement about who sent the call on, as
    /// far as that is said without a signature.
    fn failed(&mut self, why: Silent, explained: bool) {
        match why {
            Silent::Unreadable => self.verification = "unreadable",
            Silent::Missing(reason) => {
                self.verification = Fault::NoCertificate.as_str();
                self.note(reason);
            }
            Silent::Fault(fault) => {
                self.verification = fault.as_str();
                let blamed = !explained && fault != Fault::Unsupported;
                self.weight = if blamed { -40 } else { 0 };
                self.note(if explained { "diversion_unsigned" } else { fault.as_str() });
            }
        }
    }
}

fn address(statement: &Statement) -> &str {
    let passport = &statement.passport;
    if passport.x5u.is_empty() { &statement.info } else { &passport.x5u }
}

fn digits(number: &Number) -> String {
    number.e164().unwrap_or(number.as_str()).to_owned()
}

/// The keys of the media that an offer names (RFC 8122 §5), as statements write them.
fn keys(sdp: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(sdp);
    let lines = text.lines().filter_map(|line| line.strip_prefix("a=fingerprint:"));
    let keys = lines.filter_map(|line| line.trim().split_once(' '));
    let read = keys.map(|(algorithm, key)| (algorithm.to_lowercase(), key.replace(':', "").to_uppercase()));
    read.take(KEYS_MAX).collect()
}
