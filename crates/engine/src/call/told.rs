//! What is written down of who calls, besides their number.

use super::{Call, Parties};
use crate::context::Context;
use crate::trust::Trust;
use facts::{CallUserData, FactKind};
use numbers::{Certainty, Origins};
use sip::ua::{Invite, Peer};

/// Where the caller is from, who sent the call on, and what came along.
pub(super) fn told(parties: &Parties, invite: &Invite, origins: &Origins) -> Vec<FactKind> {
    let mut facts = vec![origin(parties, invite, origins)];
    facts.extend(parties.diverted_by.iter().map(|(by, diversion)| FactKind::CallDiverted {
        by: by.to_string(),
        reason: diversion.reason.as_str().to_owned(),
        count: diversion.count,
    }));
    facts.extend(invite.identity.user_to_user.clone().map(|sent| {
        let (data, encoding, purpose) = (sent.data, sent.encoding, sent.purpose);
        FactKind::CallUserData(CallUserData { data, encoding, purpose })
    }));
    facts
}

/// How far the caller's number can be believed, by the certificates that are here. What is not is asked for.
pub(super) fn judged(ctx: &mut Context, trust: &mut Trust) -> FactKind {
    let (config, now) = (ctx.config.clone(), ctx.now);
    let store = &config.numbering.trust;
    if let Some(signed) = &mut trust.signed {
        for url in signed.addresses() {
            ctx.certificates.want(now, store, &url, &mut ctx.out);
        }
        let verdict = signed.judge(now, store, &ctx.certificates);
        trust.found(verdict);
    }
    trust.fact()
}

impl Call {
    /// Whether the certificate at this address would say more of who calls.
    pub(crate) fn awaits(&self, url: &str) -> bool {
        self.trust.signed.as_ref().is_some_and(|signed| signed.awaits(url))
    }

    /// A certificate has come that was not here when the call did.
    pub(crate) fn judge_again(&mut self, ctx: &mut Context) {
        let assessed = judged(ctx, &mut self.trust);
        self.note(ctx, assessed);
        if let Some(script) = self.script.as_mut() {
            script.tell("trust", &self.trust.for_scripts());
        }
    }
}

/// Of a caller who is withheld, the operator and the country are told and the place is not: what a report of
/// reachability needs, and nothing that says who or where.
fn origin(parties: &Parties, invite: &Invite, origins: &Origins) -> FactKind {
    let withheld = invite.identity.withheld;
    let source = match invite.peer {
        Peer::Account(_) => "account",
        Peer::Trunk(_) | Peer::Open => invite.identity.source.as_str(),
    };
    let origin = parties.known.as_ref().map(|reading| origins.of(reading));
    let kind = origin.as_ref().map_or(parties.caller.kind(), |origin| origin.kind);
    let certainty = origin.as_ref().map_or(Certainty::Unknown, |origin| origin.certainty);
    let country = origin.as_ref().and_then(|origin| origin.country).unwrap_or_default().to_owned();
    let (operator, place) = origin.map(|origin| (origin.operator, origin.place)).unwrap_or_default();
    FactKind::CallOrigin {
        source: source.to_owned(),
        withheld,
        kind: kind.as_str().to_owned(),
        country,
        operator: operator.unwrap_or_default(),
        place: place.filter(|_| !withheld).unwrap_or_default(),
        certainty: certainty.as_str().to_owned(),
    }
}
