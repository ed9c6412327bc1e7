use super::{Party, Policy, privacy};
use crate::message::{Elements, HeaderName, Message, NameAddr};

/// The header field that says who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// P-Asserted-Identity: an operator's word (RFC 3325 §9.1).
    Asserted,
    /// Remote-Party-ID: the same, before there was a standard.
    RemoteParty,
    /// P-Preferred-Identity: what a caller asks its operator to assert (RFC 3325 §9.2).
    Preferred,
    /// From: what the caller says.
    From,
}

impl Source {
    /// Its stable name in facts and configurations.
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Asserted => "pai",
            Source::RemoteParty => "rpid",
            Source::Preferred => "ppi",
            Source::From => "from",
        }
    }

    /// Each of them, the best first.
    pub const ALL: [Source; 4] = [Source::Asserted, Source::RemoteParty, Source::Preferred, Source::From];
}

/// How many values of one header field are looked at.
const VALUES_MAX: usize = 4;

/// The caller, by which header field, and whether that one itself says that it is not to be shown.
pub(super) fn caller(request: &Message, policy: Policy) -> (Option<Party>, Source, bool) {
    let from = || (party_of(request.from().ok()), Source::From, false);
    if !policy.trusted {
        return from();
    }
    let wanted = |source: Source| policy.caller_from.is_none_or(|only| only == source);
    for source in Source::ALL.into_iter().filter(|source| wanted(*source)) {
        let found = match source {
            Source::Asserted => best(request, HeaderName::PAssertedIdentity),
            Source::Preferred => best(request, HeaderName::PPreferredIdentity),
            Source::RemoteParty => remote_party(request),
            Source::From => None,
        };
        if let Some((party, hidden)) = found {
            return (Some(party), source, hidden);
        }
    }
    from()
}

fn party_of(address: Option<NameAddr<'_>>) -> Option<Party> {
    let address = address.filter(|address| !privacy::is_anonymous(address))?;
    Party::of(&address)
}

/// Of a SIP and a tel URI that assert the same caller, the one that is a number; the name of either.
fn best(request: &Message, header: HeaderName) -> Option<(Party, bool)> {
    let values = request.list(header).take(VALUES_MAX).filter_map(|value| NameAddr::parse(value).ok());
    let mut parties: Vec<Party> = values.filter_map(|address| party_of(Some(address))).collect();
    let at = parties.iter().position(Party::is_number).unwrap_or(0);
    let named = parties.iter().find_map(|party| party.display.clone());
    if parties.is_empty() {
        return None;
    }
    let mut party = parties.swap_remove(at);
    party.display = party.display.or(named);
    Some((party, false))
}

/// draft-ietf-sip-privacy-04 §6: `party=calling` is the default, and `privacy` belongs to the value.
fn remote_party(request: &Message) -> Option<(Party, bool)> {
    let mut values = request.headers(HeaderName::RemotePartyId).flat_map(Elements::of).take(VALUES_MAX);
    values.find_map(|value| {
        let address = NameAddr::parse(value).ok()?;
        let calling = address.param("party").is_none_or(|party| party.eq_ignore_ascii_case("calling"));
        let mut wishes = address.param("privacy").unwrap_or("off").split('-');
        let hidden = wishes.any(|wish| ["full", "uri"].iter().any(|hides| wish.eq_ignore_ascii_case(hides)));
        let party = party_of(Some(address)).filter(|_| calling)?;
        Some((party, hidden))
    })
}
