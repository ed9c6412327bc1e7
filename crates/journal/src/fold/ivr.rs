use super::csv::local_day;
use base::Wall;
use facts::{Fact, FactKind, Side};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// Open calls that are followed; one more is not counted, nor is anything in one node too many.
const CALLS_MAX: usize = 100_000;
const NODES_MAX: usize = 20_000;

/// Where the callers of each script are, and where they left today.
///
/// A caller is in the node that `ivr.entered` told last, until another, `call.connected` or `call.ended`: in a queue's node
/// while she waits, too.
#[derive(Clone, Debug)]
pub struct IvrFold {
    zone: TimeZone,
    day: Option<Date>,
    /// By call: script and node.
    calls: BTreeMap<String, Place>,
    nodes: BTreeMap<Place, NodeCounts>,
}

/// Script and node.
type Place = (String, String);

/// What happened in one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeCounts {
    /// Callers who are there now.
    pub here: u64,
    /// How often one came there today.
    pub entered: u64,
    /// How often one left the script there today: `queue`, `transfer`, `callback`, `message` and `hang_up` as the script
    /// wanted, `hung_up` if the caller gave up, there or while the node had her wait; `ended` for all other ends.
    pub left: BTreeMap<String, u64>,
}

impl IvrFold {
    /// A fold whose days begin at midnight in `zone`.
    pub fn new(zone: TimeZone) -> IvrFold {
        IvrFold { zone, day: None, calls: BTreeMap::new(), nodes: BTreeMap::new() }
    }

    /// Takes the next fact.
    pub fn apply(&mut self, fact: &Fact) {
        self.roll_on(fact.at);
        let Some(call) = &fact.call else { return };
        match &fact.kind {
            FactKind::IvrEntered { script, node, .. } => self.enter(call, script, node),
            FactKind::IvrLeft { to, .. } => {
                self.count(call, to);
                if to == "hang_up" {
                    self.leave(call);
                }
            }
            FactKind::CallConnected { .. } => self.leave(call),
            FactKind::CallEnded { end, .. } => {
                self.count(call, if end.by == Side::Caller { "hung_up" } else { "ended" });
                self.leave(call);
            }
            _ => {}
        }
    }

    /// Today's counts of a script, by node, as of `now`.
    pub fn counts(&mut self, script: &str, now: Wall) -> BTreeMap<String, NodeCounts> {
        self.roll_on(now);
        let of_script = self.nodes.iter().filter(|((name, _), _)| name == script);
        of_script.map(|((_, node), counts)| (node.clone(), counts.clone())).collect()
    }

    /// At midnight all but those who are there is forgotten. Clocks that are set back change nothing.
    fn roll_on(&mut self, at: Wall) {
        let day = local_day(at, &self.zone);
        if day <= self.day {
            return;
        }
        self.day = day;
        self.nodes.retain(|_, counts| {
            (counts.entered, counts.left) = (0, BTreeMap::new());
            counts.here > 0
        });
    }

    fn enter(&mut self, call: &str, script: &str, node: &str) {
        self.leave(call);
        let place = (script.to_owned(), node.to_owned());
        let room = self.calls.len() < CALLS_MAX && self.nodes.len() < NODES_MAX;
        if !room {
            return;
        }
        self.calls.insert(call.to_owned(), place.clone());
        let counts = self.nodes.entry(place).or_default();
        counts.here += 1;
        counts.entered += 1;
    }

    fn leave(&mut self, call: &str) {
        let place = self.calls.remove(call);
        if let Some(counts) = place.and_then(|place| self.nodes.get_mut(&place)) {
            counts.here = counts.here.saturating_sub(1);
        }
    }

    fn count(&mut self, call: &str, how: &str) {
        if let Some(counts) = self.calls.get(call).and_then(|place| self.nodes.get_mut(place)) {
            *counts.left.entry(how.to_owned()).or_insert(0) += 1;
        }
    }
}
