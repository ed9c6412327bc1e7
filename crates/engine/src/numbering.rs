//! Which rules of numbers hold for whom.

use crate::{Service, TrustStore};
use ivr::Script;
use numbers::{Country, Number, Origins, Rules};
use sip::ua::Peer;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How the installation and each of its trunks write numbers.
#[derive(Clone, Debug)]
pub struct Numbering {
    /// For what people and configurations write, and for whoever is no trunk.
    pub home: Rules,
    /// By the trunk's name.
    pub trunks: BTreeMap<String, Rules>,
    /// Where numbers are from.
    pub origins: Arc<Origins>,
    /// Who we are shown as, by the trunk's name.
    pub shown: BTreeMap<String, Presentation>,
    /// The trunks whose calls come from abroad.
    pub foreign: BTreeSet<String>,
    /// What signed statements about callers are verified with.
    pub trust: Arc<TrustStore>,
}

/// Who we are shown as in calls to a trunk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Presentation {
    /// Our numbers that may be shown; if none is named, what the caller dialled if a service answers it.
    pub numbers: Vec<Number>,
    /// Assert ours in P-Asserted-Identity (RFC 3325).
    pub asserts: bool,
    /// Ask that ours be withheld.
    pub withholds: bool,
    /// Who is shown of a call that is put through.
    pub forwards: Forwards,
}

/// Who is shown of a call that is put through to a party outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Forwards {
    /// We.
    #[default]
    Own,
    /// The caller, with Diversion by us (RFC 5806).
    Diversion,
    /// The caller, with History-Info by us (RFC 7044).
    History,
}

impl Default for Numbering {
    fn default() -> Numbering {
        Numbering {
            home: Rules::of(Country::ITALY),
            trunks: BTreeMap::new(),
            origins: Arc::default(),
            shown: BTreeMap::new(),
            foreign: BTreeSet::new(),
            trust: Arc::default(),
        }
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

    /// Who this trunk is shown that we are.
    pub(crate) fn presentation(&self, trunk: &str) -> Presentation {
        self.shown.get(trunk).cloned().unwrap_or_default()
    }

    /// Calls of this peer come from abroad.
    pub(crate) fn is_foreign(&self, peer: &Peer) -> bool {
        matches!(peer, Peer::Trunk(name) if self.foreign.contains(name))
    }

    /// A dialled number in its normal form, as this script writes it under `[numbers]`, if it does.
    pub fn written_in<'a>(&self, script: &'a Script, dialled: &'a str) -> &'a str {
        let mut written = script.dialled_numbers().into_iter();
        written.find(|written| self.home.normal(written).as_str() == dialled).unwrap_or(dialled)
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
