//! How near a human is: from wherever a caller can come to be while the desk is open, an agent or a callback is within so
//! many keys and so much time, whatever calendars, look-ups and what is known decide.

use super::flow::Reader;
use super::kinds::duration;
use super::model::{Choice, Exit, Kind, Line, Node, NodeId, Words};
use super::phrases::Phrases;
use super::words::press;
use document::Entry;
use std::collections::BTreeSet;
use std::time::Duration;

/// What holds for scripts that promise nothing.
pub(super) const PROMISE: Promise = Promise { keys: 10, within: Duration::from_secs(300) };

/// The most keys that can be promised.
pub(super) const KEYS_MAX: u32 = 100;

/// Between one digit and the next, for somebody who reads them off a letter.
const DIGIT: Duration = Duration::from_secs(1);

/// A value that is said: a number, a date.
const VALUE: Duration = Duration::from_secs(3);

/// How far a human is at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Promise {
    pub(crate) keys: u32,
    pub(crate) within: Duration,
}

/// `promise = { keys = 4, within = "90s" }`.
pub(super) fn read(reader: &mut Reader<'_>, entry: Option<&Entry<'_>>) -> Promise {
    let Some(mut section) = entry.and_then(|entry| reader.document.section(entry)) else { return PROMISE };
    let keys = section.take("keys").and_then(|entry| {
        let number = reader.document.number(&entry)?;
        let keys = u32::try_from(number).ok().filter(|keys| (1..=KEYS_MAX).contains(keys));
        if keys.is_none() {
            let what = format!("{number} keys are no promise");
            reader.document.fault(entry.value_at(), what, format!("choose 1 to {KEYS_MAX}"));
        }
        keys
    });
    let within = duration(reader, &mut section, "within");
    section.finish(&mut reader.document);
    Promise { keys: keys.unwrap_or(PROMISE.keys), within: within.unwrap_or(PROMISE.within) }
}

/// Tells each node from which a human is farther than promised. Scripts without humans promise nothing. Only for flows
/// that do not go round without a key.
pub(super) fn check(
    promise: Promise,
    nodes: &[Node],
    starts: &[NodeId],
    phrases: &Phrases,
    reader: &mut Reader<'_>,
) {
    if !nodes.iter().any(|node| is_human(&node.kind)) {
        return;
    }
    let refusals = refusals(nodes);
    let lengths = Lengths { phrases, sounds: reader.sounds };
    let keys = farness(nodes, &refusals, |way| way.keys.saturating_mul(1000));
    let time = farness(nodes, &refusals, |way| millis(way.time(&lengths)));
    for id in while_open(nodes, starts) {
        let (Some(node), Some(keys), Some(time)) = (nodes.get(id), keys.get(id), time.get(id)) else {
            continue;
        };
        let (what, what_to_do) = match (keys, time) {
            (None, _) | (_, None) => (
                format!("from node `{}` no caller comes to a human or a callback for sure", node.name),
                "lead a key of it, or who presses none, to a queue".to_owned(),
            ),
            (Some(keys), _) if keys / 1000 > promise.keys => (
                format!(
                    "from node `{}` a human is {} keys away, and {} are promised",
                    node.name,
                    keys / 1000,
                    promise.keys
                ),
                "shorten the way, or write promise.keys".to_owned(),
            ),
            (_, Some(time)) if u128::from(*time) > promise.within.as_millis() => (
                format!(
                    "from node `{}` a human is {} s away, and {} s are promised",
                    node.name,
                    time.div_ceil(1000),
                    promise.within.as_secs()
                ),
                "shorten the way, or write promise.within".to_owned(),
            ),
            _ => continue,
        };
        reader.fault(node.at, what, what_to_do);
    }
}

/// The ends that are meant for callers who are to get no human.
fn refusals(nodes: &[Node]) -> BTreeSet<NodeId> {
    let is_refusal = |node: &Node| matches!(node.kind, Kind::HangUp { refusal: true, .. });
    nodes.iter().enumerate().filter(|(_, node)| is_refusal(node)).map(|(id, _)| id).collect()
}

fn is_human(kind: &Kind) -> bool {
    matches!(kind, Kind::Queue(_) | Kind::Transfer { .. } | Kind::Callback(_))
}

/// The nodes that a caller can come to while the desk is open and before a human has been tried.
fn while_open(nodes: &[Node], starts: &[NodeId]) -> BTreeSet<NodeId> {
    let mut reached = BTreeSet::new();
    let mut open = starts.to_vec();
    while let Some(id) = open.pop() {
        let Some(node) = nodes.get(id).filter(|node| !is_ending(node) && reached.insert(id)) else {
            continue;
        };
        let ways = ways(node);
        open.extend(ways.iter().filter_map(|way| match way.exit {
            Exit::To(next) => Some(*next),
            Exit::HangUp(_) => None,
        }));
    }
    reached
}

/// The caller chose to end, or gave up: nobody need be near any more.
fn is_ending(node: &Node) -> bool {
    matches!(node.kind, Kind::HangUp { .. })
}

/// A way on from a node while the desk is open.
struct Way<'n> {
    exit: &'n Exit,
    keys: u32,
    /// What is heard before.
    heard: Vec<(&'n Line, Option<char>)>,
    waits: Duration,
}

impl Way<'_> {
    fn time(&self, lengths: &Lengths<'_>) -> Duration {
        self.heard.iter().map(|(line, key)| lengths.line(line, *key)).sum::<Duration>() + self.waits
    }
}

/// How long lines last.
struct Lengths<'s> {
    phrases: &'s Phrases,
    sounds: &'s super::SoundInventory,
}

impl Lengths<'_> {
    fn line(&self, line: &Line, key: Option<char>) -> Duration {
        let language = line.language.as_deref();
        let length = |phrase: &str| self.phrases.length(phrase, language, self.sounds);
        let words = match &line.words {
            Words::Phrase(phrase) => length(phrase),
            Words::Known { .. } | Words::Text(_) => VALUE,
        };
        words + key.map_or(Duration::ZERO, |key| length(&press(key)))
    }
}

/// All ways on but those of a closed desk. None from a human on: then one has been tried.
fn ways(node: &Node) -> Vec<Way<'_>> {
    let said: Vec<(&Line, Option<char>)> = node.say.iter().map(|line| (line, None)).collect();
    let at_once = |exit| Way { exit, keys: 0, heard: said.clone(), waits: Duration::ZERO };
    match &node.kind {
        Kind::Menu { choices, timeout, no_input, .. } => {
            let mut ways: Vec<Way<'_>> = Vec::new();
            let mut heard = said.clone();
            for choice in choices {
                heard.extend(offered(choice));
                let way = Way { exit: &choice.next, keys: 1, heard: heard.clone(), waits: Duration::ZERO };
                ways.push(way);
            }
            let (heard, waits) = (again(&heard, no_input.tries), *timeout * no_input.tries);
            ways.push(Way { exit: &no_input.next, keys: 0, heard, waits });
            ways
        }
        Kind::Collect(collect) => {
            let digits = u32::try_from(collect.least).unwrap_or(u32::MAX);
            let typing = DIGIT.saturating_mul(digits) + collect.between;
            let (tries, timeout) = (collect.no_input.tries, collect.timeout);
            vec![
                Way { exit: &collect.next, keys: digits, heard: said.clone(), waits: typing },
                Way {
                    exit: &collect.no_input.next,
                    keys: 0,
                    heard: again(&said, tries),
                    waits: timeout * tries,
                },
            ]
        }
        Kind::Hours { open, .. } => vec![at_once(open)],
        Kind::LookUp(asked) => {
            let waits = asked.look_up.deadline;
            let exits = [&asked.found, &asked.missing, &asked.failed];
            exits.map(|exit| Way { exit, keys: 0, heard: Vec::new(), waits }).into()
        }
        kind if is_human(kind) => Vec::new(),
        kind => kind.exits().into_iter().map(|(_, exit)| at_once(exit)).collect(),
    }
}

fn offered(choice: &Choice) -> impl Iterator<Item = (&Line, Option<char>)> {
    choice.say.iter().map(|line| (line, Some(choice.key)))
}

fn again<'n>(heard: &[(&'n Line, Option<char>)], tries: u32) -> Vec<(&'n Line, Option<char>)> {
    (0..tries).flat_map(|_| heard.iter().copied()).collect()
}

/// How far a human is from each node: the caller takes the shortest way, all else decides for the longest. `None` if a
/// human is not sure to be reached.
fn farness(nodes: &[Node], refusals: &BTreeSet<NodeId>, cost: impl Fn(&Way<'_>) -> u32) -> Vec<Option<u32>> {
    let meant = |way: &&Way<'_>| !matches!(way.exit, Exit::To(next) if refusals.contains(next));
    let costs: Vec<Vec<(&Exit, u32)>> = nodes
        .iter()
        .map(|node| ways(node).iter().filter(meant).map(|way| (way.exit, cost(way))).collect())
        .collect();
    let mut far: Vec<Option<u32>> = nodes.iter().map(|node| is_human(&node.kind).then_some(0)).collect();
    // Each round makes known what is one node farther.
    for _ in 0..nodes.len() {
        let before = far.clone();
        for (id, node) in nodes.iter().enumerate().filter(|(_, node)| !is_human(&node.kind)) {
            let reached = |exit: &Exit| match exit {
                Exit::To(next) => before.get(*next).copied().flatten(),
                Exit::HangUp(_) => None,
            };
            let ways = costs.get(id).map(Vec::as_slice).unwrap_or_default();
            let far_by = ways.iter().map(|(exit, cost)| reached(exit).map(|far| far.saturating_add(*cost)));
            let found = if is_callers(&node.kind) {
                far_by.flatten().min()
            } else {
                far_by.collect::<Option<Vec<u32>>>().and_then(|all| all.into_iter().max())
            };
            if let Some(place) = far.get_mut(id) {
                *place = found;
            }
        }
        if far == before {
            break;
        }
    }
    far
}

/// Whether the caller decides where it goes on.
fn is_callers(kind: &Kind) -> bool {
    matches!(kind, Kind::Menu { .. } | Kind::Collect(_))
}

fn millis(span: Duration) -> u32 {
    u32::try_from(span.as_millis()).unwrap_or(u32::MAX)
}
