//! Who a party outside is shown as calling: one of the body's own numbers, never a number that is not ours
//! to show.

use super::Call;
use crate::context::Context;
use crate::{Forwards, Target};
use numbers::Number;
use sip::identity::{DiversionReason, Shown, shown};

/// From's user, and the header fields that go with it.
pub(super) struct From {
    pub(super) user: String,
    pub(super) headers: Vec<(String, String)>,
}

impl Call {
    /// As whom the party outside is called.
    pub(super) fn shown_to(&self, ctx: &Context, target: &Target) -> From {
        let Target::Trunk { trunk: name, number } = target else {
            return From { user: self.from.clone(), headers: Vec::new() };
        };
        let trunk = ctx.config.sip.trunk(name);
        let credentials =
            trunk.and_then(|trunk| trunk.credentials.as_ref()).map(|account| account.user.as_str());
        let host = trunk.and_then(|trunk| trunk.domain.as_deref()).unwrap_or(&ctx.config.sip.realm);
        let presentation = ctx.config.numbering.presentation(name);
        let rules = ctx.config.numbering.trunk(name);
        let own = self.own_number(ctx, &presentation.numbers);
        let own = own.map(|own| rules.write(&own)).or(credentials.map(str::to_owned));
        let caller = ctx.config.numbering.home.normal(&self.from);
        let caller = caller.e164().is_some().then(|| rules.write(&caller));
        let mut what = Shown { host, withheld: presentation.withholds, ..Shown::default() };
        if presentation.asserts {
            what.asserted = own.as_deref();
        }
        let user = match (presentation.forwards, &own) {
            // What an account of ours begins is put through by nobody.
            (Forwards::Diversion | Forwards::History, Some(by)) if !self.by_account => {
                what.diverted_by = Some((by, DiversionReason::Unconditional));
                what.history_to = (presentation.forwards == Forwards::History).then_some(number.as_str());
                what.withheld |= caller.is_none();
                caller
            }
            _ => own.clone(),
        };
        let user = user.filter(|_| !presentation.withholds).unwrap_or_else(|| "anonymous".to_owned());
        From { user, headers: shown(what) }
    }

    /// The number that the caller dialled if it may be shown, else the first that may; if the configuration
    /// names none, the dialled one if it is a whole number that a service of ours answers: an agent dials
    /// the numbers of others.
    pub(super) fn own_number(&self, ctx: &Context, presentable: &[Number]) -> Option<Number> {
        let dialled = ctx.config.numbering.home.normal(&self.to);
        match presentable.first() {
            Some(_) if presentable.contains(&dialled) => Some(dialled),
            Some(first) => Some(first.clone()),
            None => {
                let ours = dialled.e164().is_some() && ctx.config.services.contains_key(dialled.as_str());
                ours.then_some(dialled)
            }
        }
    }
}
