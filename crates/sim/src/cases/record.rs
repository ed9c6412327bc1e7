//! A case of a call that was: what its facts say, as a person would have written it.

use super::read::zone_of;
use super::story::Story;
use facts::{
    Fact, FactKind, LegRole, OfferEnd, QueueRefusal, RecordingEnd, Side, body_of, name_in, without_body,
};
use ivr::Script;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// An agent of a queue in which nobody was asked.
const BUSY: &str = "busy";
/// For the number of somebody who is called back, or remembered, which nobody shall read.
const SOMEBODY: &str = "+390600000000";
/// For a key that nobody shall read.
const MASKED: char = '1';
const TENTH: u64 = 100;

/// The text of a case that expects what happened to a call, or why there can be none. The caller's number is left out
/// unless `clear`. Keys that the log hides stand as `1`: write some that are meant.
pub fn record(script: &Script, facts: &[Fact], clear: bool) -> Result<String, String> {
    let arrived = facts.iter().find_map(|fact| match &fact.kind {
        FactKind::CallArrived { from, to, service, .. } => Some((fact, from, to, service)),
        _ => None,
    });
    let Some((arrival, from, to, service)) = arrived else {
        return Err("the log does not hold the beginning of the call".to_owned());
    };
    if *service != name_in(arrival.body.as_deref(), script.name()) {
        return Err(format!("the call was for `{service}`, not for the script `{}`", script.name()));
    }
    let remembered = remembered(facts);
    let shown = zone_of(script).and_then(|zone| zone.shown(arrival.at));
    let at = shown.as_deref().and_then(|shown| shown.get(..19)).unwrap_or("").to_owned();
    let own: Vec<Fact> = facts.iter().map(as_its_body_says).collect();
    let (facts, story) = (own.as_slice(), Story::of(&own, remembered.clone()));
    let mut text = Lines(String::from("[[case]]\n"));
    text.add("name", quoted(&format!("as call {}", arrival.call.as_deref().unwrap_or(""))));
    text.add("dialled", quoted(to));
    let wished =
        facts.iter().any(|fact| matches!(&fact.kind, FactKind::IvrLeft { to, .. } if to == "callback"));
    let accepted = facts.iter().any(|fact| matches!(fact.kind, FactKind::CallbackRequested(_)));
    if clear && from != "anonymous" {
        text.add("from", quoted(from));
    } else if accepted || remembered.is_some() || script.remembers() && from != "anonymous" {
        text.add("from", quoted(SOMEBODY));
    }
    if let Some(language) = &remembered {
        text.add("remembered", quoted(language));
    }
    text.add("at", quoted(&at));
    if wished && !accepted {
        text.add("callback", quoted("refused"));
    }
    given(&mut text, script, facts);
    expected(&mut text, &story);
    Ok(text.0)
}

/// The names of a body's fact as the body's own script has them.
fn as_its_body_says(fact: &Fact) -> Fact {
    let mut fact = fact.clone();
    let Some(body) = fact.body.clone() else { return fact };
    let name = match &mut fact.kind {
        FactKind::QueueEntered { queue: name, .. }
        | FactKind::QueueRefused { queue: name, .. }
        | FactKind::OfferMade { agent: name, .. }
        | FactKind::OfferAccepted { agent: name, .. }
        | FactKind::OfferEnded { agent: name, .. }
        | FactKind::TransferStarted { to: name, .. }
        | FactKind::TransferCompleted { to: name, .. }
        | FactKind::TransferFailed { to: name, .. } => name,
        FactKind::InterpreterWanted(wish) => &mut wish.queue,
        _ => return fact,
    };
    if body_of(name) == Some(&body) {
        *name = without_body(name).to_owned();
    }
    fact
}

/// The language that was remembered of the caller when the call came.
fn remembered(facts: &[Fact]) -> Option<String> {
    let mut language = None;
    for fact in facts {
        match &fact.kind {
            FactKind::CallClassified { key, value, .. } if key == "language" => {
                language = Some(value.clone())
            }
            FactKind::CallClassified { key, .. } if key == "remembered" => return language,
            _ => {}
        }
    }
    None
}

struct Lines(String);

impl Lines {
    fn add(&mut self, key: &str, value: String) {
        self.0.push_str(&format!("{key} = {value}\n"));
    }
}

fn given(text: &mut Lines, script: &Script, facts: &[Fact]) {
    let keys = keys(facts);
    if !keys.is_empty() {
        text.add("keys", quoted(&keys));
    }
    let look_ups = look_ups(facts);
    if !look_ups.is_empty() {
        let look_ups: Vec<String> =
            look_ups.into_iter().map(|(name, answer)| format!("{name} = {answer}")).collect();
        text.add("look_ups", format!("{{ {} }}", look_ups.join(", ")));
    }
    let (agents, interpreted) = (agents(facts), interpreted(facts));
    if !agents.is_empty() {
        let agents: Vec<String> = agents
            .iter()
            .map(|(name, (queues, does))| {
                let others = |unspoken: &String| {
                    let others = script.languages().filter(|language| language != unspoken);
                    format!("languages = {}, ", list(&Vec::from_iter(others.map(str::to_owned))))
                };
                let languages = interpreted.get(name).map(others).unwrap_or_default();
                let (name, queues) = (quoted(name), list(queues));
                format!("{{ name = {name}, {languages}queues = {queues}, does = \"{does}\" }}")
            })
            .collect();
        text.add("agents", format!("[{}]", agents.join(", ")));
    }
    let full: BTreeSet<String> = facts.iter().filter_map(|fact| full(&fact.kind)).collect();
    if !full.is_empty() {
        text.add("full", list(&full));
    }
    if facts.iter().any(|fact| is_closed_by_command(&fact.kind)) {
        text.add("emergency", quoted(""));
    }
    let by_name = by_name(facts);
    let outside = facts.iter().map(|fact| &fact.kind).find(|kind| match kind {
        FactKind::TransferCompleted { to } | FactKind::TransferFailed { to, .. } => !by_name.contains_key(to),
        _ => false,
    });
    if let Some(FactKind::TransferFailed { sip, .. }) = outside {
        let does = if sip.is_some_and(|sip| sip != 487) { "refuses" } else { "rings" };
        text.add("outside", quoted(does));
    }
    if let Some(message) = facts.iter().find_map(|fact| message(&fact.kind)) {
        text.add("message", quoted(message));
    }
    if let Some(after) = hung_up_after(facts) {
        text.add("hangs_up_after", quoted(&seconds(after)));
    }
}

fn is_closed_by_command(kind: &FactKind) -> bool {
    matches!(kind, FactKind::CalendarDecided { calendar, .. } if calendar == "emergency")
}

/// What became of a message that was not kept.
fn message(kind: &FactKind) -> Option<&'static str> {
    match kind {
        FactKind::RecordingStopped { why: RecordingEnd::NothingSaid, .. } => Some("empty"),
        FactKind::RecordingFailed { .. } => Some("failed"),
        _ => None,
    }
}

/// Who was asked, or was wanted by name and could not be asked, and what they did.
fn by_name(facts: &[Fact]) -> BTreeMap<String, &'static str> {
    let mut wanted = BTreeMap::new();
    for fact in facts {
        match &fact.kind {
            FactKind::OfferMade { agent, .. } => drop(wanted.insert(agent.clone(), "rings")),
            FactKind::TransferFailed { to, reason, .. } if reason == "paused" => {
                wanted.insert(to.clone(), "pauses");
            }
            FactKind::TransferFailed { to, reason, .. } if reason == "logged_off" => {
                wanted.insert(to.clone(), "away");
            }
            _ => {}
        }
    }
    wanted
}

fn full(kind: &FactKind) -> Option<String> {
    match kind {
        FactKind::QueueRefused { queue, reason: QueueRefusal::Full } => Some(queue.clone()),
        _ => None,
    }
}

fn expected(text: &mut Lines, story: &Story) {
    text.add("expect.nodes", list(&story.nodes));
    text.add("expect.language", quoted(&story.language));
    let others = [
        ("expect.queue", story.queue.as_deref()),
        ("expect.topic", Some(story.known("topic"))),
        ("expect.agent", story.agent.as_deref()),
        ("expect.interpreter", story.interpreter.as_deref()),
        ("expect.transfer", story.transfer.as_deref()),
        ("expect.ends", story.ends.as_deref()),
    ];
    for (key, value) in others {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            text.add(key, quoted(value));
        }
    }
}

/// When the caller could hear, and by which leg.
fn answered(facts: &[Fact]) -> Option<(&Fact, u32)> {
    facts.iter().find_map(|fact| match &fact.kind {
        FactKind::LegConnected { leg, .. } => Some((fact, *leg)),
        _ => None,
    })
}

/// The keys that the caller pressed, each with the wait before it.
fn keys(facts: &[Fact]) -> String {
    let Some((answer, caller)) = answered(facts) else { return String::new() };
    let mut before = answer.at.unix_micros();
    let mut moves = Vec::new();
    for fact in facts {
        let FactKind::DtmfReceived { leg, digit, .. } = &fact.kind else { continue };
        if *leg != caller {
            continue;
        }
        let at = fact.at.unix_micros();
        let wait = Duration::from_micros(u64::try_from(at - before).unwrap_or(0));
        // Tenths of a second are written: what is rounded off here must not add up.
        let tenths = (wait.as_millis() as u64).div_ceil(TENTH).max(1);
        before += (tenths * TENTH * 1000) as i64;
        moves.push(format!("wait {}", seconds(Duration::from_millis(tenths * TENTH))));
        let key = if digit == "masked" { None } else { digit.chars().next() };
        moves.push(key.unwrap_or(MASKED).to_string());
    }
    moves.join(", ")
}

/// What each look-up answered last.
fn look_ups(facts: &[Fact]) -> BTreeMap<String, String> {
    let mut answers = BTreeMap::new();
    for (place, fact) in facts.iter().enumerate() {
        let FactKind::LookupAnswered { lookup, outcome, .. } = &fact.kind else { continue };
        let answer = if outcome == "found" { found(facts.get(place + 1..)) } else { quoted(outcome) };
        answers.insert(lookup.clone(), answer);
    }
    answers
}

/// What became known at once.
fn found(after: Option<&[Fact]>) -> String {
    let beside =
        |fact: &&Fact| matches!(fact.kind, FactKind::CallerRemembered(_) | FactKind::CallerForgotten(_));
    let known = after.unwrap_or_default().iter().filter(|fact| !beside(fact));
    let after = known.map_while(|fact| match &fact.kind {
        FactKind::CallClassified { key, value, .. } => Some(format!("{key} = {}", quoted(value))),
        _ => None,
    });
    format!("{{ found = {{ {} }} }}", after.collect::<Vec<_>>().join(", "))
}

/// Who was asked to take the call, in which queues, and what they did in the end.
fn agents(facts: &[Fact]) -> BTreeMap<String, (BTreeSet<String>, &'static str)> {
    let mut agents: BTreeMap<String, (BTreeSet<String>, &'static str)> = BTreeMap::new();
    let mut waits: Vec<(String, bool)> = Vec::new();
    let (mut wanted, mut interpret) = (None, None);
    for (agent, does) in by_name(facts).into_iter().filter(|(_, does)| *does != "rings") {
        agents.insert(agent, (BTreeSet::new(), does));
    }
    for fact in facts {
        match &fact.kind {
            FactKind::QueueEntered { queue, .. } => {
                wanted = None;
                waits.push((queue.clone(), false));
            }
            FactKind::TransferStarted { to, by: None } => wanted = Some(to.clone()),
            FactKind::InterpreterWanted(wish) => interpret = Some(wish.queue.clone()),
            FactKind::OfferMade { agent, role: LegRole::Interpreter, .. } => {
                let queues = &mut agents.entry(agent.clone()).or_insert((BTreeSet::new(), "rings")).0;
                queues.extend(interpret.clone());
            }
            FactKind::OfferMade { agent, .. } => {
                let queues = &mut agents.entry(agent.clone()).or_insert((BTreeSet::new(), "rings")).0;
                if let Some((queue, asked)) = waits.last_mut().filter(|_| wanted.as_ref() != Some(agent)) {
                    *asked = true;
                    queues.insert(queue.clone());
                }
            }
            FactKind::OfferAccepted { agent, .. } => does(&mut agents, agent, "answers"),
            FactKind::OfferEnded { agent, reason: OfferEnd::Rejected, .. } => {
                does(&mut agents, agent, "refuses")
            }
            _ => {}
        }
    }
    // Somebody was there all the same: nobody waits in a queue without agents.
    let unasked: BTreeSet<String> =
        waits.into_iter().filter(|(_, asked)| !asked).map(|(queue, _)| queue).collect();
    if !unasked.is_empty() {
        agents.insert(BUSY.to_owned(), (unasked, "rings"));
    }
    agents
}

/// The agents who did not speak the language of the call, and which that is.
fn interpreted(facts: &[Fact]) -> BTreeMap<String, String> {
    let mut last = None;
    let mut interpreted = BTreeMap::new();
    for fact in facts {
        match &fact.kind {
            FactKind::OfferAccepted { agent, role: LegRole::Agent, .. } => last = Some(agent.clone()),
            FactKind::InterpreterWanted(wish) if wish.parted => {
                interpreted.extend(last.take().map(|agent| (agent, wish.language.clone())));
            }
            _ => {}
        }
    }
    interpreted
}

fn does(agents: &mut BTreeMap<String, (BTreeSet<String>, &'static str)>, agent: &str, what: &'static str) {
    if let Some((_, does)) = agents.get_mut(agent) {
        *does = what;
    }
}

/// After the answer, if it was the caller who ended the call.
fn hung_up_after(facts: &[Fact]) -> Option<Duration> {
    let (answer, _) = answered(facts)?;
    let end = facts
        .iter()
        .find(|fact| matches!(&fact.kind, FactKind::CallEnded { end, .. } if end.by == Side::Caller))?;
    let micros = u64::try_from(end.at.unix_micros() - answer.at.unix_micros()).ok()?;
    Some(Duration::from_millis((micros / 1000).div_ceil(TENTH) * TENTH))
}

fn seconds(span: Duration) -> String {
    format!("{:.1}s", span.as_secs_f64())
}

fn list<'t>(texts: impl IntoIterator<Item = &'t String>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}

/// As TOML writes a text.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars().filter(|letter| !letter.is_control()) {
        if matches!(letter, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted + "\""
}
