//! Who may call what outside, when, how often and for how much. Nobody may call anything that no rule opens:
//! a stolen password is worth what the rules allow, and no more.
//!
//! What a person wrote into the configuration as a destination, a service of the kind `dial` or a script's transfer,
//! is itself an opening; the rules are for what agents dial and for what is asked by REFER.

use crate::charges::{CALLS_MAX, Charge, Dialled, Made24h, estimate};
use crate::context::Context;
use crate::{NumberSet, Prices};
use base::{Time, Wall};
use calendar::Calendar;
use facts::FactKind;
use numbers::Number;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// An opening.
#[derive(Clone, Debug)]
pub struct OutboundRule {
    /// Its name in facts.
    pub name: String,
    /// The agents who may, and the trunks whose operators may by REFER; empty: every agent, and no trunk.
    pub who: BTreeSet<String>,
    /// The numbers that it opens.
    pub numbers: NumberSet,
    /// When; always if there is none.
    pub hours: Option<Arc<Calendar>>,
    /// Calls within an hour, of all together.
    pub calls_per_hour: Option<u32>,
    /// Calls within an hour, of one agent.
    pub calls_per_hour_each: Option<u32>,
    /// Cents within 24 hours, by the estimate below. With it, no number is opened that has no price.
    pub cents_per_day: Option<u64>,
    /// A conversation that takes longer is broken off, unless it is help in danger.
    pub longest: Duration,
    /// What calls are taken to cost.
    pub prices: Prices,
}

/// Who wants a number called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who<'a> {
    /// An account of ours.
    Agent(&'a str),
    /// The operator of a trunk, by REFER.
    Trunk(&'a str),
}

impl Who<'_> {
    fn name(&self) -> &str {
        match self {
            Who::Agent(name) | Who::Trunk(name) => name,
        }
    }
}

/// The parts of a cent that spending is counted in.
const PARTS: u64 = 1_000;
/// Help in danger (112 and what leads to it): open to every agent at every hour.
const EMERGENCY: [&str; 5] = ["112", "113", "115", "118", "1530"];

/// A call outside that may be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// The rule that lets it through.
    pub rule: String,
    /// What it is taken to cost, in thousandths of a cent.
    pub millicents: u64,
}

/// Why a call outside is not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// The rule that came nearest; empty if none opens the number.
    pub rule: String,
    /// `no_rule`, `hours`, `calls_per_hour` or `spend`.
    pub limit: &'static str,
    /// For people.
    pub why: String,
}

/// The rules, and what was dialled by each.
#[derive(Clone, Debug, Default)]
pub struct Outbound {
    rules: Vec<OutboundRule>,
    pub(crate) dialled: Dialled,
}

impl Outbound {
    /// Nothing dialled yet.
    pub fn new(rules: Vec<OutboundRule>) -> Outbound {
        Outbound { rules, dialled: BTreeMap::new() }
    }

    /// The rule of this name, if it is still there.
    pub(crate) fn rule(&self, name: &str) -> Option<&OutboundRule> {
        self.rules.iter().find(|rule| rule.name == name)
    }

    /// New rules. What was dialled by one of the same name still counts.
    pub fn configure(&mut self, rules: Vec<OutboundRule>) {
        self.dialled.retain(|name, _| rules.iter().any(|rule| rule.name == *name));
        self.rules = rules;
    }

    /// Whether some rule lets them call this number, now or at another time.
    pub(crate) fn opens(&self, who: Who<'_>, number: &Number) -> bool {
        self.rules.iter().any(|rule| rule.opens(who, number))
    }

    /// Whether somebody may call this number now; if so, it counts as called by the fact of the number
    /// `allowed`. The first rule that opens it and whose limits are not reached decides, in the order of the
    /// configuration. Nothing is counted for help in danger.
    pub fn may_dial(
        &mut self,
        (now, wall): (Time, Wall),
        who: Who<'_>,
        number: &Number,
        allowed: u64,
    ) -> Result<Option<Allowed>, Denied> {
        if matches!(who, Who::Agent(_)) && is_emergency(number) {
            return Ok(None);
        }
        let mut denied = None;
        for rule in self.rules.iter().filter(|rule| rule.opens(who, number)) {
            let dialled = self.dialled.entry(rule.name.clone()).or_default();
            dialled.forget(now);
            match rule.limit((now, wall), who.name(), number, dialled) {
                Ok(price) => {
                    let millicents = dialled.count(now, allowed, who.name(), price);
                    return Ok(Some(Allowed { rule: rule.name.clone(), millicents }));
                }
                Err(why) => {
                    denied.get_or_insert(why);
                }
            }
        }
        Err(denied.unwrap_or_else(|| nothing_opens(number)))
    }
}

impl OutboundRule {
    /// What may be spent within 24 hours, in thousandths of a cent.
    pub(crate) fn ceiling(&self) -> Option<u64> {
        self.cents_per_day.map(|cents| cents.saturating_mul(PARTS))
    }

    fn opens(&self, who: Who<'_>, number: &Number) -> bool {
        let everybody = self.who.is_empty() && matches!(who, Who::Agent(_));
        (everybody || self.who.contains(who.name())) && self.numbers.has(number)
    }

    /// What the call costs a minute in thousandths of a cent, or the limit that it would go over.
    fn limit(
        &self,
        (now, wall): (Time, Wall),
        who: &str,
        number: &Number,
        dialled: &Made24h,
    ) -> Result<u64, Denied> {
        let denied = |limit, why| Err(Denied { rule: self.name.clone(), limit, why });
        if self.hours.as_ref().is_some_and(|hours| !hours.at(wall).open) {
            return denied("hours", format!("the rule {} is closed at this hour", self.name));
        }
        for (most, by) in [(self.calls_per_hour, None), (self.calls_per_hour_each, Some(who))] {
            if most.is_some_and(|most| dialled.within_hour(now, by) >= most as usize) {
                let of = by.unwrap_or("all together");
                let why = format!("the calls an hour of the rule {} are made, by {of}", self.name);
                return denied("calls_per_hour", why);
            }
        }
        if let Some(limit) = self.forgets(now, dialled) {
            let why = format!("the rule {} can count no more than {CALLS_MAX} calls", self.name);
            return denied(limit, why);
        }
        let price = self.prices.of(number);
        if self.cents_per_day.is_some() && price.is_none() {
            let why = format!("the rule {} has a ceiling of cents, and no price for this number", self.name);
            return denied("spend", why);
        }
        let price = price.unwrap_or(0);
        let (cost, spent) = (estimate(price), dialled.spent(now));
        if self.ceiling().is_some_and(|most| spent.saturating_add(cost) > most) {
            let (spent, name) = (spent / PARTS, &self.name);
            let why = format!("{spent} cents of the rule {name} are taken to be spent in 24 hours");
            return denied("spend", why);
        }
        Ok(price)
    }

    /// The limit that would not hold if the oldest call made room for another; none while there is room.
    fn forgets(&self, now: Time, dialled: &Made24h) -> Option<&'static str> {
        if !dialled.is_full() {
            return None;
        }
        let hourly = self.calls_per_hour.is_some() || self.calls_per_hour_each.is_some();
        if self.cents_per_day.is_some() {
            Some("spend")
        } else {
            (hourly && dialled.first_is_recent(now)).then_some("calls_per_hour")
        }
    }
}

/// Help in danger.
pub(crate) fn is_emergency(number: &Number) -> bool {
    EMERGENCY.contains(&number.as_str())
}

fn nothing_opens(number: &Number) -> Denied {
    let country = number.country().unwrap_or("no known country");
    let why =
        format!("no [[outbound]] rule opens numbers of the kind {} in {country}", number.kind().as_str());
    Denied { rule: String::new(), limit: "no_rule", why }
}

/// Whether this account, or the trunk whose operator asks for a transfer, may have the outside number called.
/// What is refused is a fact, and the status refuses it; what is allowed is one too, and is to be settled.
pub(crate) fn may_dial(ctx: &mut Context, who: Who<'_>, number: &Number) -> Result<Option<Charge>, u16> {
    let at = (ctx.now, ctx.wall());
    let allowed = ctx.ledger.head() + 1;
    let (name, to) = (who.name().to_owned(), number.as_str().to_owned());
    match ctx.outbound.may_dial(at, who, number, allowed) {
        Ok(None) => Ok(None),
        Ok(Some(Allowed { rule, millicents })) => {
            ctx.note(FactKind::OutboundAllowed { who: name, to, rule: rule.clone(), millicents });
            Ok(Some(Charge::new(rule, allowed, is_emergency(number))))
        }
        Err(Denied { rule, limit, why }) => {
            ctx.note(FactKind::OutboundRefused { who: name, to, rule, limit: limit.to_owned(), why });
            Err(403)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use numbers::{Country, Kind, Rules};

    const TEN: Wall = Wall::from_unix_micros(1_781_000_000_000_000);

    fn number(text: &str) -> Number {
        Rules::of(Country::ITALY).read_dialled(text).number
    }

    fn rule(name: &str) -> OutboundRule {
        OutboundRule {
            name: name.to_owned(),
            who: BTreeSet::new(),
            numbers: NumberSet {
                kinds: [Kind::Fixed, Kind::Mobile].into(),
                countries: ["IT".to_owned()].into(),
                prefixes: Vec::new(),
            },
            hours: None,
            calls_per_hour: None,
            calls_per_hour_each: None,
            cents_per_day: None,
            longest: Duration::from_secs(3600),
            prices: Prices::default(),
        }
    }

    fn priced(prices: &[(&str, u64)]) -> Prices {
        Prices(prices.iter().map(|(prefix, price)| ((*prefix).to_owned(), *price)).collect())
    }

    fn asks(outbound: &mut Outbound, seconds: u64, who: Who<'_>, to: &str) -> Result<(), &'static str> {
        let at = (Time::from_millis(seconds * 1000), TEN + Duration::from_secs(seconds));
        let allowed = seconds;
        outbound.may_dial(at, who, &number(to), allowed).map(|_| ()).map_err(|denied| denied.limit)
    }

    #[test]
    fn nobody_calls_anything_that_no_rule_opens_but_for_help() {
        let mut outbound = Outbound::new(Vec::new());
        for to in ["0612345678", "3471234567", "800100100", "899123456", "00447911123456", "1510"] {
            assert_eq!(asks(&mut outbound, 0, Who::Agent("anna"), to), Err("no_rule"), "{to}");
        }
        for to in ["112", "113", "115", "118", "1530"] {
            assert_eq!(asks(&mut outbound, 0, Who::Agent("anna"), to), Ok(()), "{to}");
            assert_eq!(asks(&mut outbound, 0, Who::Trunk("operator"), to), Err("no_rule"), "{to}");
        }
    }

    #[test]
    fn a_rule_opens_its_kinds_countries_and_prefixes_to_whom_it_names() {
        let named = OutboundRule { who: ["bruno".into(), "operator".into()].into(), ..rule("named") };
        let numbers = NumberSet {
            kinds: BTreeSet::new(),
            countries: ["FR".to_owned()].into(),
            prefixes: vec!["+4420".to_owned()],
        };
        let abroad = OutboundRule { numbers, ..rule("abroad") };
        let mut outbound = Outbound::new(vec![named, abroad]);
        for (who, to, allowed) in [
            (Who::Agent("bruno"), "0612345678", true),
            (Who::Agent("bruno"), "3471234567", true),
            (Who::Agent("bruno"), "899123456", false),
            (Who::Agent("bruno"), "199123456", false),
            (Who::Agent("anna"), "0612345678", false),
            (Who::Trunk("operator"), "0612345678", true),
            (Who::Trunk("operator"), "0033145678901", false),
            (Who::Agent("anna"), "0033145678901", true),
            (Who::Agent("anna"), "00442079460000", true),
            (Who::Agent("anna"), "00447911123456", false),
        ] {
            assert_eq!(asks(&mut outbound, 0, who, to).is_ok(), allowed, "{who:?} {to}");
        }
    }

    #[test]
    fn who_may_call_short_codes_may_not_call_those_that_cost() {
        let numbers = |kind| NumberSet { kinds: [kind].into(), ..rule("short").numbers };
        let anna = Who::Agent("anna");
        for (to, kind) in [
            ("1522", Kind::Short),
            ("116111", Kind::Short),
            ("1240", Kind::PremiumShort),
            ("48000", Kind::PremiumShort),
        ] {
            for opened in [Kind::Short, Kind::PremiumShort] {
                let rule = OutboundRule { numbers: numbers(opened), ..rule("short") };
                let told = asks(&mut Outbound::new(vec![rule]), 0, anna, to);
                assert_eq!(told.is_ok(), opened == kind, "{to} {opened:?}");
            }
        }
    }

    #[test]
    fn calls_an_hour_are_counted_for_all_and_for_each() {
        let limited =
            OutboundRule { calls_per_hour: Some(3), calls_per_hour_each: Some(2), ..rule("limited") };
        let mut outbound = Outbound::new(vec![limited.clone()]);
        let (anna, bruno) = (Who::Agent("anna"), Who::Agent("bruno"));
        let to = "0612345678";
        assert_eq!(asks(&mut outbound, 0, anna, to), Ok(()));
        assert_eq!(asks(&mut outbound, 1, anna, to), Ok(()));
        assert_eq!(asks(&mut outbound, 2, anna, to), Err("calls_per_hour"));
        assert_eq!(asks(&mut outbound, 3, bruno, to), Ok(()));
        assert_eq!(asks(&mut outbound, 4, bruno, to), Err("calls_per_hour"));
        outbound.configure(vec![limited]);
        assert_eq!(asks(&mut outbound, 5, bruno, to), Err("calls_per_hour"), "a reload forgets nothing");
        assert_eq!(asks(&mut outbound, 3600, bruno, to), Ok(()));
    }

    #[test]
    fn no_more_is_spent_in_a_day_than_the_ceiling() {
        let prices = priced(&[("+39", 1_000), ("+393", 10_000)]);
        let dear = OutboundRule { cents_per_day: Some(250), prices, ..rule("dear") };
        let mut outbound = Outbound::new(vec![dear]);
        let anna = Who::Agent("anna");
        assert_eq!(asks(&mut outbound, 0, anna, "3471234567"), Ok(()), "100 cents for ten minutes");
        assert_eq!(asks(&mut outbound, 1, anna, "3471234567"), Ok(()));
        assert_eq!(asks(&mut outbound, 2, anna, "3471234567"), Err("spend"));
        assert_eq!(asks(&mut outbound, 3, anna, "0612345678"), Ok(()), "10 cents are left for");
        assert_eq!(asks(&mut outbound, 24 * 3600 + 1, anna, "3471234567"), Ok(()));
    }

    #[test]
    fn under_a_ceiling_a_number_without_a_price_is_denied() {
        let free = OutboundRule { prices: priced(&[("+393", 10_000)]), ..rule("free") };
        let ceiling = OutboundRule { cents_per_day: Some(1000), ..free.clone() };
        let anna = Who::Agent("anna");
        assert_eq!(asks(&mut Outbound::new(vec![ceiling]), 0, anna, "0612345678"), Err("spend"));
        assert_eq!(
            asks(&mut Outbound::new(vec![free]), 0, anna, "0612345678"),
            Ok(()),
            "no ceiling, no price"
        );
    }

    #[test]
    fn calls_that_a_limit_still_needs_are_never_forgotten() {
        let prices = priced(&[("+39", 0)]);
        let spending = OutboundRule { cents_per_day: Some(1), prices, ..rule("spending") };
        let hourly = OutboundRule { calls_per_hour_each: Some(CALLS_MAX), ..rule("hourly") };
        for (limited, again, told) in [
            (spending, 7200, Err("spend")),
            (hourly.clone(), 3599, Err("calls_per_hour")),
            (hourly, 3601, Ok(())),
        ] {
            let mut outbound = Outbound::new(vec![limited.clone()]);
            let mut made = Made24h::default();
            for call in 0..u64::from(CALLS_MAX) {
                made.count(Time::from_millis(0), call, "bruno", 0);
            }
            outbound.dialled.insert(limited.name.clone(), made);
            assert_eq!(
                asks(&mut outbound, again, Who::Agent("anna"), "0612345678"),
                told,
                "{}",
                limited.name
            );
            assert!(outbound.dialled[&limited.name].is_full());
        }
    }
}
