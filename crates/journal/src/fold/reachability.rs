use super::csv::{code, csv_line, local_time};
use base::Wall;
use facts::{Fact, FactKind, LegRole};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What became of the calls of one origin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Calls that came to us.
    pub arrived: u64,
    /// Of them, those whose callers were withheld.
    pub withheld: u64,
    /// Those whose operator is only assumed: nobody who assigns prefixes confirmed it.
    pub assumed: u64,
    /// Those that we answered.
    pub answered: u64,
    /// Those that we refused, by the cause of their end.
    pub refused: BTreeMap<String, u64>,
    /// Those whose callers came to speak with a person.
    pub reached_person: u64,
    /// Of the answered ones, those in which every party could be heard to the end.
    pub heard: u64,
    /// When the last one arrived.
    pub last_seen: Option<Wall>,
    /// When the last one was answered.
    pub last_answered: Option<Wall>,
}

/// Reachability by origin, folded from the log: an operator's name; `fixed lines`; `foreign` and a country;
/// `withheld` if nothing is known; `other`. Calls of our own accounts do not count.
#[derive(Clone, Debug, Default)]
pub struct ReachabilityFold {
    open: BTreeMap<String, OpenCall>,
    origins: BTreeMap<String, Reach>,
    newest: Option<Wall>,
}

#[derive(Clone, Debug, Default)]
struct OpenCall {
    origin: String,
    caller: Option<u32>,
    answered: bool,
    reached_person: bool,
    silent: BTreeSet<u32>,
}

/// The columns of [`ReachabilityFold::csv_rows`], in order. Times are those of Rome; `quiet_h` is the number
/// of whole hours from the last call to the newest fact of the log; `refused_why` is `cause:calls` with `;`
/// between.
pub const REACHABILITY_HEADER: &str = "origin,arrived,withheld,assumed,answered,refused,refused_why,reached_person,heard,last_seen,last_answered,quiet_h";

impl ReachabilityFold {
    /// A fold that also tells of these operators if nothing comes from them.
    pub fn expecting(operators: impl IntoIterator<Item = String>) -> ReachabilityFold {
        let origins = operators.into_iter().map(|operator| (operator, Reach::default())).collect();
        ReachabilityFold { origins, ..ReachabilityFold::default() }
    }

    /// Takes the next fact.
    pub fn apply(&mut self, fact: &Fact) {
        self.newest = self.newest.max(Some(fact.at));
        let Some(id) = &fact.call else { return };
        match &fact.kind {
            FactKind::CallOrigin { source, .. } if source != "account" => self.begins(id, fact),
            FactKind::CallEnded { end, .. } => {
                if let Some(call) = self.open.remove(id) {
                    self.ends(&call, &code(&end.cause));
                }
            }
            kind => self.open.get_mut(id).into_iter().for_each(|call| call.apply(kind)),
        }
        let answered = self.open.get(id).filter(|call| call.answered).map(|call| call.origin.clone());
        if let (Some(origin), FactKind::LegConnected { .. }) = (answered, &fact.kind) {
            self.origins.entry(origin).or_default().last_answered = Some(fact.at);
        }
    }

    /// What became of the calls of each origin; calls that have not ended count as arrived only.
    pub fn origins(&self) -> &BTreeMap<String, Reach> {
        &self.origins
    }

    fn begins(&mut self, id: &str, fact: &Fact) {
        let FactKind::CallOrigin { withheld, certainty, .. } = &fact.kind else { return };
        let origin = origin_of(&fact.kind);
        let reach = self.origins.entry(origin.clone()).or_default();
        reach.arrived += 1;
        reach.withheld += u64::from(*withheld);
        reach.assumed += u64::from(certainty == "assumed");
        reach.last_seen = reach.last_seen.max(Some(fact.at));
        self.open.insert(id.to_owned(), OpenCall { origin, ..OpenCall::default() });
    }

    fn ends(&mut self, call: &OpenCall, cause: &str) {
        let reach = self.origins.entry(call.origin.clone()).or_default();
        if call.answered {
            reach.answered += 1;
            reach.reached_person += u64::from(call.reached_person);
            reach.heard += u64::from(call.silent.is_empty());
        } else if cause != "cancelled" && cause != "hung_up" {
            *reach.refused.entry(cause.to_owned()).or_default() += 1;
        }
    }

    /// Each origin as a line of CSV (RFC 4180) without its line end, by the columns of [`REACHABILITY_HEADER`].
    pub fn csv_rows(&self) -> Vec<String> {
        self.rows().into_iter().map(csv_line).collect()
    }

    /// Each origin as a JSON object with the names of [`REACHABILITY_HEADER`]; `refused_why` is an object.
    pub fn json_rows(&self) -> Vec<Value> {
        let names = || REACHABILITY_HEADER.split(',').map(str::to_owned);
        let objects = self.rows().into_iter().zip(self.origins.values()).map(|(row, reach)| {
            let mut object: Value = names().zip(row).collect();
            if let Some(why) = object.get_mut("refused_why") {
                *why = json!(reach.refused);
            }
            object
        });
        objects.collect()
    }

    fn rows(&self) -> Vec<Vec<Value>> {
        let zone = jiff::tz::TimeZoneDatabase::bundled().get("Europe/Rome").unwrap_or(TimeZone::UTC);
        let time = |wall: Option<Wall>| Value::from(wall.map(|wall| local_time(wall, &zone)));
        let rows = self.origins.iter().map(|(origin, reach)| {
            let why: Vec<String> =
                reach.refused.iter().map(|(cause, calls)| format!("{cause}:{calls}")).collect();
            vec![
                origin.as_str().into(),
                reach.arrived.into(),
                reach.withheld.into(),
                reach.assumed.into(),
                reach.answered.into(),
                reach.refused.values().sum::<u64>().into(),
                why.join(";").into(),
                reach.reached_person.into(),
                reach.heard.into(),
                time(reach.last_seen),
                time(reach.last_answered),
                self.quiet_hours(reach).into(),
            ]
        });
        rows.collect()
    }

    fn quiet_hours(&self, reach: &Reach) -> Option<i64> {
        const MICROS_PER_HOUR: i64 = 3_600_000_000;
        let (newest, last) = (self.newest?, reach.last_seen?);
        Some(newest.unix_micros().saturating_sub(last.unix_micros()) / MICROS_PER_HOUR)
    }
}

impl OpenCall {
    fn apply(&mut self, kind: &FactKind) {
        match kind {
            FactKind::LegCreated { leg, role: LegRole::Caller, .. } => self.caller = Some(*leg),
            FactKind::LegConnected { leg, .. } if self.caller == Some(*leg) => self.answered = true,
            FactKind::CallConnected { .. } => self.reached_person = true,
            FactKind::MediaSilent { leg, .. } => drop(self.silent.insert(*leg)),
            FactKind::MediaRestored { leg, .. } => drop(self.silent.remove(leg)),
            _ => {}
        }
    }
}

fn origin_of(kind: &FactKind) -> String {
    let FactKind::CallOrigin { withheld, kind, country, operator, .. } = kind else { return String::new() };
    match kind.as_str() {
        _ if !operator.is_empty() => operator.clone(),
        "fixed" => "fixed lines".to_owned(),
        "foreign" => format!("foreign {country}"),
        _ if *withheld => "withheld".to_owned(),
        _ => "other".to_owned(),
    }
}
