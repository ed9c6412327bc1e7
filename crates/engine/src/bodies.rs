//! Several bodies in one installation: whose a number is, and so whose a call is; and where scripts send callers within the house.

use crate::{Config, Service};
use facts::body_of;
use sip::ua::Peer;
use std::collections::BTreeMap;

/// A caller is sent on so often and no more: scripts could send each other's callers for ever.
pub const HOPS_MAX: u32 = 5;

/// The bodies of an installation. What is nobody's is the installation's own.
#[derive(Clone, Debug, Default)]
pub struct Bodies {
    /// The body of each number that is a body's, in its normal form.
    pub numbers: BTreeMap<String, String>,
    /// What people call each.
    pub titles: BTreeMap<String, String>,
    /// The number at which a body takes calls from another one.
    pub doors: BTreeMap<String, String>,
}

impl Bodies {
    /// Whose a number is.
    pub fn of_number(&self, number: &str) -> Option<&str> {
        self.numbers.get(number).map(String::as_str)
    }

    /// Whose a call is: that of the number that is dialled, or else of the account that dials.
    pub(crate) fn of_call(&self, dialled: &str, peer: &Peer) -> Option<String> {
        let account = || if let Peer::Account(account) = peer { body_of(account) } else { None };
        self.of_number(dialled).or_else(account).map(str::to_owned)
    }
}

impl Config {
    /// The script, and the number that it answers, to which `service:NUMBER` or `body:NAME` leads in a call of this body;
    /// none where nothing of the kind is there. Callers from elsewhere come to a body by its door alone.
    pub fn sent_to(&self, body: Option<&str>, to: &str) -> Option<(Service, String)> {
        let number = match to.split_once(':')? {
            ("service", number) => {
                Some(self.numbering.home.normal(number).as_str().to_owned()).filter(|number| {
                    let whose = self.bodies.of_number(number);
                    body.is_none() || whose.is_none() || whose == body
                })?
            }
            ("body", name) => self.bodies.doors.get(name)?.clone(),
            _ => return None,
        };
        let service =
            self.services.get(&number).filter(|service| matches!(service, Service::Script { .. }))?;
        Some((service.clone(), number))
    }
}
