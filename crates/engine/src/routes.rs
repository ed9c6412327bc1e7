//! By which trunks a number outside is called: the first `[[route]]` that takes the number says so, in its own order
//! or by what the call costs.

use crate::{NumberSet, Prices};
use numbers::Number;
use std::collections::BTreeMap;

/// The routes, and what each trunk can carry.
#[derive(Clone, Debug, Default)]
pub struct Routing {
    /// In the order of the configuration: the first that takes the number decides.
    pub routes: Vec<Route>,
    /// By the trunk's name; who is not named has no limit and no price.
    pub lines: BTreeMap<String, Line>,
}

/// A route.
#[derive(Clone, Debug)]
pub struct Route {
    /// Its name in facts.
    pub name: String,
    /// The numbers that it takes; every number if there is none.
    pub numbers: Option<NumberSet>,
    /// The trunks, at least one.
    pub trunks: Vec<String>,
    /// In which order they are tried.
    pub choose: Choose,
}

/// In which order the trunks of a route are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choose {
    /// As they are written.
    #[default]
    Order,
    /// The cheapest first, of equals as they are written; those without a price for the number last.
    Cost,
}

/// What a trunk can carry, and for how much.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Calls at a time, in both directions together.
    pub channels: Option<u32>,
    /// Calls that may be begun within any second, by us.
    pub calls_per_second: Option<u32>,
    /// What a call by it costs.
    pub prices: Prices,
}

impl Routing {
    /// The name of the route that takes a number, and its trunks in the order in which they are to be tried. Without
    /// such a route the name is empty, and the trunk is `otherwise`.
    pub fn trunks_for(&self, number: &Number, otherwise: Option<&str>) -> (String, Vec<String>) {
        let takes = |route: &&Route| route.numbers.as_ref().is_none_or(|numbers| numbers.has(number));
        let Some(route) = self.routes.iter().find(takes) else {
            return (String::new(), otherwise.map(str::to_owned).into_iter().collect());
        };
        let mut trunks = route.trunks.clone();
        if route.choose == Choose::Cost {
            let price = |trunk: &String| self.lines.get(trunk).and_then(|line| line.prices.of(number));
            trunks.sort_by_key(|trunk| price(trunk).unwrap_or(u64::MAX));
        }
        (route.name.clone(), trunks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use numbers::{Country, Kind, Rules};

    fn number(text: &str) -> Number {
        Rules::of(Country::ITALY).normal(text)
    }

    fn route(name: &str, numbers: Option<NumberSet>, trunks: &[&str], choose: Choose) -> Route {
        let trunks = trunks.iter().map(|trunk| (*trunk).to_owned()).collect();
        Route { name: name.to_owned(), numbers, trunks, choose }
    }

    fn priced(prices: &[(&str, u64)]) -> Line {
        let prices = prices.iter().map(|(prefix, price)| ((*prefix).to_owned(), *price));
        Line { prices: Prices(prices.collect()), ..Line::default() }
    }

    #[test]
    fn the_first_route_that_takes_a_number_decides() {
        let mobiles = NumberSet {
            kinds: [Kind::Mobile].into(),
            countries: ["IT".to_owned()].into(),
            ..NumberSet::default()
        };
        let abroad = NumberSet { prefixes: vec!["+44".to_owned()], ..NumberSet::default() };
        let routing = Routing {
            routes: vec![
                route("mobiles", Some(mobiles), &["b", "a"], Choose::Order),
                route("abroad", Some(abroad), &["c"], Choose::Order),
                route("rest", None, &["a"], Choose::Order),
                route("never", None, &["b"], Choose::Order),
            ],
            lines: BTreeMap::new(),
        };
        for (to, name, trunks) in [
            ("3471234567", "mobiles", &["b", "a"][..]),
            ("0612345678", "rest", &["a"]),
            ("+442079460000", "abroad", &["c"]),
            ("112", "rest", &["a"]),
        ] {
            let (route, chosen) = routing.trunks_for(&number(to), Some("z"));
            assert_eq!(
                (route.as_str(), chosen),
                (name, trunks.iter().map(|t| (*t).to_owned()).collect()),
                "{to}"
            );
        }
    }

    #[test]
    fn a_number_that_no_route_takes_goes_by_the_trunk_that_is_there() {
        let abroad = NumberSet { prefixes: vec!["+44".to_owned()], ..NumberSet::default() };
        let routes = vec![route("abroad", Some(abroad), &["c"], Choose::Order)];
        let routing = Routing { routes, lines: BTreeMap::new() };
        let chosen = routing.trunks_for(&number("0612345678"), Some("first"));
        assert_eq!(chosen, (String::new(), vec!["first".to_owned()]));
        assert_eq!(routing.trunks_for(&number("0612345678"), None).1, Vec::<String>::new());
    }

    #[test]
    fn the_cheapest_is_tried_first_and_who_has_no_price_last() {
        let lines = [
            ("dear", priced(&[("+39", 900), ("+393", 9_000)])),
            ("cheap", priced(&[("+39", 850), ("+393", 12_000), ("+39347", 7_000)])),
            ("same", priced(&[("+39", 900)])),
            ("silent", Line::default()),
        ];
        let routing = Routing {
            routes: vec![route("all", None, &["silent", "dear", "same", "cheap"], Choose::Cost)],
            lines: lines.into_iter().map(|(name, line)| (name.to_owned(), line)).collect(),
        };
        for (to, order) in [
            ("0612345678", ["cheap", "dear", "same", "silent"]),
            ("3401234567", ["same", "dear", "cheap", "silent"]),
            ("3471234567", ["same", "cheap", "dear", "silent"]),
            ("+442079460000", ["silent", "dear", "same", "cheap"]),
        ] {
            assert_eq!(routing.trunks_for(&number(to), None).1, order, "{to}");
        }
    }
}
