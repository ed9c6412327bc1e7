//! Who calls whom, by the rules of numbers of the trunk that the call came by.

use crate::numbering::Numbering;
use numbers::{Number, Reading, Rules};
use sip::identity::{Diversion, Party};
use sip::ua::{Invite, Peer};

/// Who calls whom.
#[derive(Clone, Debug)]
pub(crate) struct Parties {
    /// As they let themselves be known: `anonymous` if they do not.
    pub(crate) caller: Number,
    /// Their name, if they let it be known.
    pub(crate) display: Option<String>,
    /// Who it is as far as we know, with what was told of the number. Never shown if it is withheld: only
    /// what follows from it (an operator, a country) is.
    pub(crate) known: Option<Reading>,
    pub(crate) dialled: Number,
    /// By whom the call was sent here, the first one first; `anonymous` for who does not want to be known.
    pub(crate) diverted_by: Vec<(Number, Diversion)>,
}

impl Parties {
    pub(crate) fn of(numbering: &Numbering, invite: &Invite) -> Parties {
        let rules = numbering.of(&invite.peer);
        let identity = &invite.identity;
        let known = known(rules, &invite.peer, identity.caller.as_ref());
        let caller = match &known {
            Some(reading) if !identity.withheld => reading.number.clone(),
            _ => Number::anonymous(),
        };
        let number = |party: Option<&Party>| {
            party.map_or_else(Number::anonymous, |party| rules.read(&party.user).number)
        };
        let diversions = identity.diversions.iter();
        Parties {
            caller,
            display: identity.shown().and_then(|party| party.display.clone()),
            known,
            dialled: rules.read_dialled(&invite.dialled).number,
            diverted_by: diversions.map(|by| (number(by.by.as_ref()), by.clone())).collect(),
        }
    }
}

/// Who proved to be one of ours is that one, whatever From says.
fn known(rules: &Rules, peer: &Peer, caller: Option<&Party>) -> Option<Reading> {
    match peer {
        Peer::Account(user) => Some(rules.read(user)),
        Peer::Trunk(_) | Peer::Open => caller.map(|party| rules.read(&party.user)),
    }
}
