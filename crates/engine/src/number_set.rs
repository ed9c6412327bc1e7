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
        // The name of a SIP user may begin as a number does.
        let is_number = number.kind() != Kind::Name;
        let begins = || self.prefixes.iter().any(|prefix| number.as_str().starts_with(prefix.as_str()));
        by_kind || (is_number && begins())
    }

    /// Whether no number can be in it.
    pub fn is_empty(&self) -> bool {
        let abroad = self.countries.iter().any(|country| country != "IT");
        self.kinds.is_empty() && self.prefixes.is_empty() && !abroad
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use numbers::{Country, Rules};

    #[test]
    fn a_name_that_begins_as_an_open_prefix_does_is_not_open() {
        let set = NumberSet { prefixes: vec!["+41".to_owned()], ..NumberSet::default() };
        let rules = Rules::of(Country::ITALY);
        assert!(set.has(&rules.normal("+41445554433")));
        assert!(!set.has(&rules.normal("+41x445554433")));
    }
}
