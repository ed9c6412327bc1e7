//! Calls that go in circles: put through to somebody who sends them back here, to be put through again.
//!
//! Three things tell: the INVITE is one of ours come back and would go where it has been; whoever sent it on says
//! that it has been at this number before; and where all else was changed on the way, Max-Forwards, which each
//! exchange lowers (RFC 7332). A call that comes back for something else is a detour and is taken.

use super::{Call, Parties, Stage};
use crate::Target;
use facts::{Cause, End, Side};
use sip::ua::{Invite, MAX_FORWARDS};

/// The way that a call has come.
#[derive(Debug)]
pub(crate) struct Way {
    /// The hops that it may still take.
    hops: u8,
    /// Where we have sent it already, if it has come back.
    behind: Vec<Target>,
    /// The number that it dials, if that has sent it on before.
    sent_on_by: Option<String>,
}

impl Way {
    /// The way of an INVITE, and of the call of ours that it is if it has come back.
    pub(crate) fn of(invite: &Invite, parties: &Parties, before: Option<&Call>) -> Way {
        let dialled = &parties.dialled;
        let known = parties.diverted_by.iter().any(|(by, _)| by == dialled && by.e164().is_some());
        Way {
            hops: invite.max_forwards,
            behind: before.map(Call::sent_to).unwrap_or_default(),
            sent_on_by: known.then(|| dialled.to_string()),
        }
    }

    /// Of a call that begins with us.
    pub(super) fn from_here() -> Way {
        Way { hops: MAX_FORWARDS, behind: Vec::new(), sent_on_by: None }
    }

    /// The Max-Forwards of what is put through.
    pub(super) fn hops_left(&self) -> u8 {
        self.hops.saturating_sub(1)
    }

    /// Why the call is not put through to this target, if it would go in a circle.
    pub(super) fn refuses(&self, target: &Target) -> Option<End> {
        let looped = |detail: String| End::new(Side::Network, Cause::Looped).sip(482).detail(detail);
        if self.behind.iter().any(|before| is_same(before, target)) {
            return Some(looped("our own INVITE came back and would go to the same target again".to_owned()));
        }
        let by = self.sent_on_by.as_ref().filter(|_| target.agent().is_none())?;
        Some(looped(format!("{by} has sent this call on before, as its Diversion or History-Info says")))
    }
}

/// Whether two targets are the same party, by whatever trunk.
fn is_same(one: &Target, other: &Target) -> bool {
    let number = |target: &Target| match target {
        Target::Number { number } | Target::Trunk { number, .. } => Some(number.clone()),
        Target::Agent(_) | Target::Device(_) | Target::Uri { .. } => None,
    };
    one == other || number(one).is_some_and(|one| number(other) == Some(one))
}

impl Call {
    /// Where it has been sent, and those before it that it came of.
    fn sent_to(&self) -> Vec<Target> {
        let now = match &self.stage {
            Stage::Dialling(dialling) => Some(dialling.target()),
            _ => None,
        };
        self.way.behind.iter().chain(now).cloned().collect()
    }
}
