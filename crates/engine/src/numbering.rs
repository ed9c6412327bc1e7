//! Which rules of numbers hold for whom.

use crate::Service;
use numbers::{Country, Rules};
use sip::ua::Peer;
use std::collections::BTreeMap;

/// How the installation and each of its trunks write numbers.
#[derive(Clone, Debug)]
pub struct Numbering {
    /// For what people and configurations write, and for whoever is no trunk.
    pub home: Rules,
    /// By the trunk's name.
    pub trunks: BTreeMap<String, Rules>,
}

impl Default for Numbering {
    fn default() -> Numbering {
        Numbering { home: Rules::of(Country::ITALY), trunks: BTreeMap::new() }
    }
}

impl Numbering {
    /// The rules for what this peer sends.
    pub(crate) fn of(&self, peer: &Peer) -> &Rules {
        match peer {
            Peer::Trunk(name) => self.trunk(name),
            Peer::Account(_) | Peer::Open => &self.home,
        }
    }

    /// The rules for what is sent to this trunk.
    pub(crate) fn trunk(&self, name: &str) -> &Rules {
        self.trunks.get(name).unwrap_or(&self.home)
    }

    /// A number that a configuration writes in any form, as this trunk wants it.
    pub(crate) fn for_trunk(&self, trunk: &str, number: &str) -> String {
        self.trunk(trunk).write(&self.home.normal(number))
    }

    /// Services by the normal form of their numbers, whichever form they are written in.
    pub(crate) fn by_normal_form(&self, services: BTreeMap<String, Service>) -> BTreeMap<String, Service> {
        let normal = |number: &str| self.home.normal(number).as_str().to_owned();
        services.into_iter().map(|(number, service)| (normal(&number), service)).collect()
    }
}
