//! With whom media is encrypted, and to whom its keys may be told.

use crate::context::Context;
use facts::KeyFacts;
use media_api::{KeyExchange, KeyTerms, Offerer};
use sip::locate::Place;
use sip::negotiation::MediaSecurity;
use sip::ua::{Flow, Towards, Transport};
use std::collections::BTreeMap;

/// What holds with one peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MediaTerms {
    /// Whether media is encrypted.
    pub security: MediaSecurity,
    /// Its keys may be told to the peer by a way that others can read: any but TLS (RFC 4568 §7).
    pub keys_in_clear: bool,
}

/// What holds with whom.
#[derive(Clone, Debug, Default)]
pub struct PeerTerms {
    /// With everybody else.
    pub usual: MediaTerms,
    /// By trunks' names.
    pub trunks: BTreeMap<String, MediaTerms>,
    /// By agents' names.
    pub agents: BTreeMap<String, MediaTerms>,
}

impl PeerTerms {
    /// Those of a leg of this agent or this trunk.
    pub(crate) fn of(&self, agent: Option<&str>, trunk: Option<&str>) -> MediaTerms {
        let agent = agent.and_then(|agent| self.agents.get(agent));
        agent.or_else(|| self.trunks.get(trunk?)).copied().unwrap_or(self.usual)
    }
}

/// What the ways are like that SIP takes to a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Nobody on them can read it.
    pub(crate) confidential: bool,
    /// It is a browser: no other device speaks SIP by WebSockets.
    pub(crate) browser: bool,
}

impl Reach {
    /// Of a party that came by this way.
    pub(crate) fn by(transport: Transport) -> Reach {
        Reach { confidential: transport.is_secure(), browser: transport.is_websocket() }
    }

    /// Of a party who is called.
    pub(crate) fn towards(ctx: &Context, towards: &Towards, first: Option<Flow>) -> Reach {
        let browser = match towards {
            Towards::Flows(flows) => {
                !flows.is_empty() && flows.iter().all(|flow| flow.transport.is_websocket())
            }
            Towards::Places(_) | Towards::Trunk(_) => false,
        };
        Reach { confidential: is_confidential(ctx, towards, first), browser }
    }
}

/// Whether nobody on any of the ways that a call may take can read it.
fn is_confidential(ctx: &Context, towards: &Towards, first: Option<Flow>) -> bool {
    let by_tls = |place: &Place| place.secure || place.transport.is_some_and(Transport::is_secure);
    let all = match towards {
        Towards::Flows(flows) => flows.iter().all(|flow| flow.transport.is_secure()),
        Towards::Places(places) => places.iter().all(by_tls),
        Towards::Trunk(name) => {
            ctx.config.sip.trunk(name).is_some_and(|trunk| trunk.targets.iter().all(by_tls))
        }
    };
    all && first.is_none_or(|flow| flow.transport.is_secure())
}

/// How keys were agreed, for facts.
pub(crate) fn key_facts(terms: KeyTerms) -> KeyFacts {
    let exchange = match terms.exchange {
        KeyExchange::Sdes => "sdes",
        KeyExchange::Dtls => "dtls",
    };
    let offered_by = match terms.offerer {
        Offerer::Us => "us",
        Offerer::Peer => "peer",
    };
    KeyFacts {
        suite: terms.suite.name().to_owned(),
        exchange: exchange.to_owned(),
        offered_by: offered_by.to_owned(),
    }
}
