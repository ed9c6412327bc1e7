//! Who may call what outside, when, how often and for how much. Nobody may call anything that no rule opens:
//! a stolen password is worth what the rules allow, and no more.
//!
//! What a person wrote into the configuration as a destination, a service of the kind `dial` or a script's transfer,
//! is itself an opening; the rules are for what agents dial and for what is asked by REFER.

use crate::context::Context;
use crate::{NumberSet, Prices};
use base::{Time, Wall};
use calendar::Calendar;
use facts::FactKind;
use numbers::Number;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
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

/// What a call is taken to cost when it begins: so many minutes. Waiting for its end would let a hundred calls
/// begin before the first is counted.
const MINUTES: u64 = 10;
/// The parts of a cent that spending is counted in.
const PARTS: u64 = 1_000;
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Calls that are remembered for a limit: none is set higher.
pub const CALLS_MAX: u32 = 10_000;
/// Help in danger (112 and what leads to it): open to every agent at every hour.
const EMERGENCY: [&str; 5] = ["112", "113", "115", "118", "1530"];

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
    /// By the rule's name: when, by whom, and for how many thousandths of a cent.
    dialled: BTreeMap<String, VecDeque<(Time, String, u64)>>,
}

impl Outbound {
    /// Nothing dialled yet.
    pub fn new(rules: Vec<OutboundRule>) -> Outbound {
        Outbound { rules, dialled: BTreeMap::new() }
    }

    /// New rules. What was dialled by one of the same name still counts.
    pub fn configure(&mut self, rules: Vec<OutboundRule>) {
        self.dialled.retain(|name, _| rules.iter().any(|rule| rule.name == *name));
        self.rules = rules;
    }

    /// Whether somebody may call this number now; if so, it counts as called. The first rule that opens it and
    /// whose limits are not reached decides, in the order of the configuration.
    pub fn may_dial(
        &mut self,
        (now, wall): (Time, Wall),
        who: Who<'_>,
        number: &Number,
    ) -> Result<(), Denied> {
        if matches!(who, Who::Agent(_)) && is_emergency(number) {
            return Ok(());
        }
        let mut denied = None;
        for rule in self.rules.iter().filter(|rule| rule.opens(who, number)) {
            let dialled = self.dialled.entry(rule.name.clone()).or_default();
            dialled.retain(|(at, ..)| now.since(*at) < DAY);
            match rule.limit((now, wall), who.name(), number, dialled) {
                Ok(cost) => {
                    // No limit needs it, or the call would have been denied.
                    if dialled.len() >= CALLS_MAX as usize {
                        dialled.pop_front();
                    }
                    dialled.push_back((now, who.name().to_owned(), cost));
                    return Ok(());
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
    fn opens(&self, who: Who<'_>, number: &Number) -> bool {
        let everybody = self.who.is_empty() && matches!(who, Who::Agent(_));
        (everybody || self.who.contains(who.name())) && self.numbers.has(number)
    }

    /// What the call is taken to cost in thousandths of a cent, or the limit that it would go over.
    fn limit(
        &self,
        (now, wall): (Time, Wall),
        who: &str,
        number: &Number,
        dialled: &VecDeque<(Time, String, u64)>,
    ) -> Result<u64, Denied> {
        let denied = |limit, why| Err(Denied { rule: self.name.clone(), limit, why });
        if self.hours.as_ref().is_some_and(|hours| !hours.at(wall).open) {
            return denied("hours", format!("the rule {} is closed at this hour", self.name));
        }
        let within_hour = |one: Option<&str>| {
            let recent = dialled.iter().filter(|(at, ..)| now.since(*at) < HOUR);
            recent.filter(|(_, by, _)| one.is_none_or(|one| one == by)).count()
        };
        for (most, by) in [(self.calls_per_hour, None), (self.calls_per_hour_each, Some(who))] {
            if most.is_some_and(|most| within_hour(by) >= most as usize) {
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
        let cost = price.unwrap_or(0).saturating_mul(MINUTES);
        let spent: u64 = dialled.iter().map(|(_, _, cost)| cost).sum();
        let goes_over = |most: u64| spent.saturating_add(cost) > most.saturating_mul(PARTS);
        if self.cents_per_day.is_some_and(goes_over) {
            let (spent, name) = (spent / PARTS, &self.name);
            let why = format!("{spent} cents of the rule {name} are taken to be spent in 24 hours");
            return denied("spend", why);
        }
        Ok(cost)
    }

    /// The limit that would not hold if the oldest call made room for another; none while there is room.
    fn forgets(&self, now: Time, dialled: &VecDeque<(Time, String, u64)>) -> Option<&'static str> {
        let (oldest, ..) = dialled.front().filter(|_| dialled.len() >= CALLS_MAX as usize)?;
        let hourly = self.calls_per_hour.is_some() || self.calls_per_hour_each.is_some();
        if self.cents_per_day.is_some() {
            Some("spend")
        } else {
            (hourly && now.since(*oldest) < HOUR).then_some("calls_per_hour")
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
/// What is refused is a fact; the status refuses it.
pub(crate) fn may_dial(ctx: &mut Context, who: Who<'_>, number: &Number) -> Result<(), u16> {
    let at = (ctx.now, ctx.wall());
    ctx.outbound.may_dial(at, who, number).map_err(|denied| {
        let Denied { rule, limit, why } = denied;
        let (who, to) = (who.name().to_owned(), number.as_str().to_owned());
        ctx.note(FactKind::OutboundRefused { who, to, rule, limit: limit.to_owned(), why });
        403
    })
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
            prices: Prices::default(),
        }
    }

    fn priced(prices: &[(&str, u64)]) -> Prices {
        Prices(prices.iter().map(|(prefix, price)| ((*prefix).to_owned(), *price)).collect())
    }

    fn asks(outbound: &mut Outbound, seconds: u64, who: Who<'_>, to: &str) -> Result<(), &'static str> {
        let at = (Time::from_millis(seconds * 1000), TEN + Duration::from_secs(seconds));
        outbound.may_dial(at, who, &number(to)).map_err(|denied| denied.limit)
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
            let dialled = (0..CALLS_MAX).map(|_| (Time::from_millis(0), "bruno".to_owned(), 0)).collect();
            outbound.dialled.insert(limited.name.clone(), dialled);
            assert_eq!(
                asks(&mut outbound, again, Who::Agent("anna"), "0612345678"),
                told,
                "{}",
                limited.name
            );
            assert!(outbound.dialled[&limited.name].len() <= CALLS_MAX as usize);
        }
    }
}
