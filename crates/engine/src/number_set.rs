//! Which numbers a rule is about.

use numbers::{Kind, Number};
use std::collections::BTreeSet;

/// Numbers of these kinds in these countries, and those that begin so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NumberSet {
    /// Kinds of Italian numbers, if Italy is among the countries.
    pub kinds: BTreeSet<Kind>,
    /// Two letters each (ISO 3166). Of other countries than Italy every kind, for their plans are not known here.
    pub countries: BTreeSet<String>,
    /// Beginnings in the normal form, of whatever kind and country.
    pub prefixes: Vec<String>,
}

impl NumberSet {
    /// Whether the number is in it.
    pub fn has(&self, number: &Number) -> bool {
        let by_kind = match number.kind() {
            Kind::Foreign => number.country().is_some_and(|country| self.countries.contains(country)),
            kind => self.kinds.contains(&kind) && self.countries.contains("IT"),
        };
        by_kind || self.prefixes.iter().any(|prefix| number.as_str().starts_with(prefix.as_str()))
    }

    /// Whether no number can be in it.
    pub fn is_empty(&self) -> bool {
        let abroad = self.countries.iter().any(|country| country != "IT");
        self.kinds.is_empty() && self.prefixes.is_empty() && !abroad
    }
}
