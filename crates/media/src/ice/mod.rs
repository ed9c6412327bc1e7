//! ICE of a side that is found and does not look itself (ICE-lite, RFC 8445 §2.5).
//!
//! The party sends checks; each that is signed with our password is answered, and shows a way to the party. The way that it
//! nominates is the one by which it is spoken to. What stops being checked is given up (RFC 7675): who does not want to
//! be sent anything must not be.
//!
//! What is not signed so changes nothing. No answer is longer than what it answers, errors are few, and nothing here
//! grows with what comes.

mod allowance;
mod paths;

use std::net::SocketAddr;
use std::time::Duration;

use base::Time;
use media_api::{Handshake, IceCredentials};
use stun::{Error, Key, Kind, Message, Role, Writer};

use allowance::Allowance;
use paths::{Checked, Paths};

/// So many requests a second that are none of the party's are told why.
const REFUSALS_PER_SECOND: u32 = 10;
/// So many datagrams of a handshake are taken in a second: a handshake has about ten.
const DATAGRAMS_PER_SECOND: u32 = 64;
/// The longest check: two names of 256 letters, and all else.
const CHECK_MAX: usize = 1024;
/// A way that changes more often is told of this often.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// How one party is found.
#[derive(Debug)]
pub(crate) struct Ice {
    current: Names,
    /// Those before a restart, as long as the party is not found by the new ones: media go on meanwhile.
    before: Option<Names>,
    paths: Paths,
    refusals: Allowance,
    datagrams: Allowance,
    /// The way by which a handshake came last.
    shaken: Option<SocketAddr>,
    /// The way by which the party was heard last.
    heard: Option<SocketAddr>,
    told: Option<SocketAddr>,
    told_at: Option<Time>,
}

/// By what the checks of one agreement are known.
#[derive(Debug)]
struct Names {
    ours: IceCredentials,
    theirs: IceCredentials,
    key: Key,
    /// Agreements in the order in which they were made.
    round: u32,
}

impl Names {
    fn of(agreed: &Handshake, round: u32) -> Names {
        let key = Key::of(agreed.ours.password());
        Names { ours: agreed.ours.clone(), theirs: agreed.theirs.clone(), key, round }
    }

    fn are(&self, agreed: &Handshake) -> bool {
        self.ours == agreed.ours && self.theirs == agreed.theirs
    }

    /// Whether a check with this USERNAME is the party's to us (RFC 8445 §7.2.2).
    fn are_in(&self, username: &[u8]) -> bool {
        let after_ours = username.strip_prefix(self.ours.ufrag().as_bytes());
        let theirs = after_ours.and_then(|rest| rest.strip_prefix(b":"));
        theirs == Some(self.theirs.ufrag().as_bytes())
    }
}

/// What has become of the way to the party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is found there.
    Found(SocketAddr),
    /// It was not found, or where it was last it has not asked for anything, for so long.
    Lost(Option<SocketAddr>, Duration),
}

impl Ice {
    /// A party with these names, not found yet.
    pub(crate) fn new(now: Time, agreed: &Handshake) -> Ice {
        Ice {
            current: Names::of(agreed, 0),
            before: None,
            paths: Paths::new(now),
            refusals: Allowance::of(REFUSALS_PER_SECOND),
            datagrams: Allowance::of(DATAGRAMS_PER_SECOND),
            shaken: None,
            heard: None,
            told: None,
            told_at: None,
        }
    }

    /// A new agreement. Other names mean a restart (RFC 8445 §9): by them the party is looked for anew, and stays where it is
    /// until it is found so.
    pub(crate) fn agree(&mut self, now: Time, agreed: &Handshake) {
        if self.current.are(agreed) {
            return;
        }
        let names = Names::of(agreed, self.current.round.wrapping_add(1));
        let replaced = std::mem::replace(&mut self.current, names);
        let in_use = self.before.take().filter(|before| self.paths.selected_in() == Some(before.round));
        self.before = Some(in_use.unwrap_or(replaced));
        self.paths.await_more(now);
    }

    /// Takes a STUN message and appends what is to be answered. False if it is none of the party's.
    pub(crate) fn take(
        &mut self,
        now: Time,
        from: SocketAddr,
        datagram: &[u8],
        answer: &mut Vec<u8>,
    ) -> bool {
        let message = Some(datagram).filter(|datagram| datagram.len() <= CHECK_MAX).and_then(Message::parse);
        let Some(message) = message.filter(Message::has_fingerprint) else { return false };
        match message.kind() {
            Kind::Request => {}
            // A keep-alive.
            Kind::Indication => return true,
            // Nothing was asked.
            Kind::Success | Kind::Error => return false,
        }
        let start = answer.len();
        let is_theirs = match self.signed_by(&message) {
            Ok(is_current) => {
                self.check(now, (from, &message), is_current, answer);
                true
            }
            Err(error) => {
                if self.refusals.take(now) {
                    Writer::new(answer, Kind::Error, message.id()).error(error).fingerprint();
                }
                false
            }
        };
        if answer.len() - start > datagram.len() {
            answer.truncate(start);
        }
        is_theirs
    }

    /// Whether a datagram of a handshake that comes from there is taken.
    pub(crate) fn takes_handshake(&mut self, now: Time, from: SocketAddr) -> bool {
        let is_taken = self.paths.are_at(now, from) && self.datagrams.take(now);
        if is_taken {
            self.shaken = Some(from);
        }
        is_taken
    }

    /// Whether media that come from there are by a way that was checked.
    pub(crate) fn takes_media(&self, now: Time, from: SocketAddr) -> bool {
        self.paths.are_at(now, from)
    }

    /// Media that came from there were the party's.
    pub(crate) fn hear(&mut self, from: SocketAddr) {
        self.heard = Some(from);
    }

    /// Whether the party is to be found yet: it was not, and that is not told.
    pub(crate) fn awaits(&self) -> bool {
        self.selected().is_none() && self.paths.due().is_some()
    }

    /// Where the party is spoken to.
    pub(crate) fn selected(&self) -> Option<SocketAddr> {
        self.paths.selected()
    }

    /// Where its handshake is answered: there may be one before it has nominated a way.
    pub(crate) fn shaken(&self, now: Time) -> Option<SocketAddr> {
        self.selected().or_else(|| self.shaken.filter(|at| self.paths.are_at(now, *at)))
    }

    /// Where it was heard last.
    pub(crate) fn heard(&self) -> Option<SocketAddr> {
        self.heard
    }

    /// When to call [`Ice::poll_change`] at the latest.
    pub(crate) fn due(&self) -> Option<Time> {
        let untold = self.selected().filter(|selected| self.told != Some(*selected));
        let tell = untold.and(self.told_at).map(|told_at| told_at + TELL_EVERY);
        [tell, self.paths.due()].into_iter().flatten().min()
    }

    /// What is to be told of the way to the party.
    pub(crate) fn poll_change(&mut self, now: Time) -> Option<Change> {
        let lost = self.paths.expire(now);
        if let Some(span) = lost {
            self.told_at = None;
            return Some(Change::Lost(self.told.take(), span));
        }
        let selected = self.selected().filter(|selected| self.told != Some(*selected))?;
        if self.told_at.is_some_and(|told_at| now - told_at < TELL_EVERY) {
            return None;
        }
        (self.told, self.told_at) = (Some(selected), Some(now));
        Some(Change::Found(selected))
    }

    /// By which names it is signed: the current ones, or those before (RFC 8489 §9.1.3).
    fn signed_by(&self, message: &Message<'_>) -> Result<bool, Error> {
        let Some(username) = message.username().filter(|_| message.is_signed()) else {
            return Err(Error::BadRequest);
        };
        let known = [Some(&self.current), self.before.as_ref()];
        let mut known = known.into_iter().flatten().zip([true, false]);
        let (names, is_current) =
            known.find(|(names, _)| names.are_in(username)).ok_or(Error::Unauthenticated)?;
        message.is_signed_by(&names.key).then_some(is_current).ok_or(Error::Unauthenticated)
    }

    /// Takes a check of the party (RFC 8445 §7.3).
    fn check(
        &mut self,
        now: Time,
        (from, message): (SocketAddr, &Message<'_>),
        is_current: bool,
        answer: &mut Vec<u8>,
    ) {
        let names = self.before.as_ref().filter(|_| !is_current).unwrap_or(&self.current);
        let refuse = |answer: &mut Vec<u8>, error| {
            let writer = Writer::new(answer, Kind::Error, message.id()).error(error);
            let writer =
                if error == Error::UnknownAttribute { writer.unknown(message.unknown()) } else { writer };
            writer.sign(&names.key).fingerprint();
        };
        if message.unknown().next().is_some() {
            return refuse(answer, Error::UnknownAttribute);
        }
        let Some((priority, role)) = message.priority().zip(message.role()) else {
            return refuse(answer, Error::BadRequest);
        };
        if let Role::Controlled(_) = role {
            // Who is only found never controls.
            return refuse(answer, Error::RoleConflict);
        }
        let seen = SocketAddr::new(from.ip().to_canonical(), from.port());
        let writer = Writer::new(answer, Kind::Success, message.id()).mapped_address(seen);
        writer.sign(&names.key).fingerprint();
        let checked = Checked { from, round: names.round, priority, nominates: message.nominates() };
        self.paths.check(now, checked);
        if is_current && self.paths.selected_in() == Some(self.current.round) {
            self.before = None;
        }
    }
}
