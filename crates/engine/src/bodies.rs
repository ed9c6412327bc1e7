//! Several bodies in one installation: whose a number is, and so whose a call is.

use facts::body_of;
use sip::ua::Peer;
use std::collections::BTreeMap;

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
