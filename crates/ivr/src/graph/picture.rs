//! What is to be drawn of a script, however it is drawn.

use crate::Script;
use crate::script::{Assignment, Choice, CollectNode, Exit, Kind, Line, Node, Purpose, Words, span};
use std::collections::BTreeMap;

/// More lines of one node would hide the flow behind the words.
const LINES_MAX: usize = 10;
/// In characters.
const LINE_MAX: usize = 56;

pub(super) struct Picture {
    pub(super) boxes: Vec<Box>,
    /// One for each pair of boxes.
    pub(super) arrows: Vec<Arrow>,
}

pub(super) struct Box {
    pub(super) shape: Shape,
    pub(super) title: String,
    /// What kind of node it is; empty if it is none.
    pub(super) kind: &'static str,
    pub(super) lines: Vec<String>,
    /// What is going on there now; empty if nothing is told.
    pub(super) note: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Where calls come from.
    Entry,
    Node,
    /// An end that the script does not name.
    End,
}

pub(super) struct Arrow {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) label: String,
}

pub(super) fn picture(script: &Script) -> Picture {
    let mut drawing = Drawing { boxes: Vec::new(), arrows: BTreeMap::new() };
    drawing.boxes.extend(script.flow().nodes.iter().map(|node| node_box(script, node)));
    for (id, node) in script.flow().nodes.iter().enumerate() {
        for (key, exit) in node.kind.key_exits() {
            drawing.arrow(id, exit, &key);
        }
        for (outcome, exit) in node.kind.exits() {
            drawing.arrow(id, exit, outcome);
        }
    }
    drawing.entries(script);
    let arrows = drawing.arrows.into_iter();
    let arrows = arrows.map(|((from, to), labels)| Arrow { from, to, label: folded(&labels) });
    Picture { boxes: drawing.boxes, arrows: arrows.collect() }
}

/// `1, 2, 3, no input` as `1–3, no input`.
fn folded(labels: &[String]) -> String {
    let digit = |label: &String| label.parse::<u8>().ok().filter(|digit| *digit < 10);
    let mut parts = Vec::new();
    let mut rest = labels;
    while let Some((first, after)) = rest.split_first() {
        let follows = |(place, label): (usize, &String)| {
            digit(label)
                .zip(digit(first))
                .is_some_and(|(one, first)| usize::from(one) == usize::from(first) + place + 1)
        };
        let run = after.iter().enumerate().take_while(|next| follows(*next)).count();
        match after.get(run.saturating_sub(1)).filter(|_| run >= 2) {
            Some(last) => {
                parts.push(format!("{first}–{last}"));
                rest = after.get(run..).unwrap_or_default();
            }
            None => {
                parts.push(first.clone());
                rest = after;
            }
        }
    }
    parts.join(", ")
}

struct Drawing {
    boxes: Vec<Box>,
    arrows: BTreeMap<(usize, usize), Vec<String>>,
}

impl Drawing {
    fn arrow(&mut self, from: usize, exit: &Exit, label: &str) {
        let to = match exit {
            Exit::To(id) => *id,
            Exit::HangUp(reason) => self.end(reason),
        };
        let labels = self.arrows.entry((from, to)).or_default();
        if !label.is_empty() {
            labels.push(label.to_owned());
        }
    }

    fn end(&mut self, reason: &str) -> usize {
        let found = self.boxes.iter().position(|one| one.shape == Shape::End && one.title == reason);
        found.unwrap_or_else(|| {
            let (title, kind) = (reason.to_owned(), "hang_up");
            self.boxes.push(Box { shape: Shape::End, title, kind, lines: Vec::new(), note: String::new() });
            self.boxes.len() - 1
        })
    }

    /// One for each node that calls begin in, with the numbers that lead there.
    fn entries(&mut self, script: &Script) {
        let mut starts: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for (number, preset) in &script.flow().numbers {
            let set = assignments(&preset.set);
            let line = if set.is_empty() { number.clone() } else { format!("{number}: {set}") };
            starts.entry(preset.start).or_default().push(line);
        }
        let others = starts.entry(script.flow().start).or_default();
        others.push(if others.is_empty() { "any number".to_owned() } else { "other numbers".to_owned() });
        for (start, lines) in starts {
            self.boxes.push(Box {
                shape: Shape::Entry,
                title: "call".to_owned(),
                kind: "",
                lines: short(lines),
                note: String::new(),
            });
            self.arrows.insert((self.boxes.len() - 1, start), Vec::new());
        }
    }
}

fn node_box(script: &Script, node: &Node) -> Box {
    let mut lines: Vec<String> = node.say.iter().map(|line| said(script, line)).collect();
    match &node.kind {
        Kind::Menu { choices, timeout, .. } => {
            lines.extend(choices.iter().map(|choice| offered(script, choice)));
            lines.push(format!("waits {}", span(*timeout)));
        }
        Kind::Set { values, .. } => lines.push(assignments(values)),
        Kind::Hours { calendar, .. } => lines.push(format!("calendar {calendar}")),
        Kind::Case { known, .. } => lines.push(format!("by ${known}")),
        Kind::Queue(queue) => {
            lines.push(format!("queue {}", queue.queue));
            lines.extend(queue.overflow_after.map(|after| format!("overflows after {}", span(after))));
            let interpreter = queue.interpreter.as_ref();
            lines.extend(
                interpreter
                    .map(|wanted| format!("interpreter of {} after {}", wanted.queue, span(wanted.after))),
            );
        }
        Kind::Transfer { to, .. } if to.is_service() => lines.push(format!("goes on in {to}")),
        Kind::Transfer { to, ring, .. } => {
            lines.push(format!("to {to}, rings {}", span(*ring)));
        }
        Kind::Collect(collect) => lines.push(typed(collect)),
        Kind::LookUp(asked) => {
            lines.push(format!("asks {}, {} at most", asked.look_up.name, span(asked.look_up.deadline)));
        }
        Kind::Callback(callback) => lines.push(format!("queue {}", callback.queue)),
        Kind::Message(message) => {
            lines.push(format!("for {}, {} at most", message.mailbox, span(message.longest)));
        }
        Kind::Part { part, .. } => lines.push(format!("part {part}")),
        Kind::HangUp { reason, .. } => lines.push(format!("reason {reason}")),
        Kind::Say { .. } => {}
    }
    let (title, kind) = (node.name.clone(), node.kind.word());
    Box { shape: Shape::Node, title, kind, lines: short(lines), note: String::new() }
}

fn typed(collect: &CollectNode) -> String {
    let (least, most) = (collect.least, collect.most);
    let count = if least == most { most.to_string() } else { format!("{least} to {most}") };
    match &collect.purpose {
        Purpose::Known(name) => format!("types {name}: {count} digits"),
        Purpose::Survey(question) => format!("answers {question}"),
    }
}

/// The words of a line in its own language, or in the script's first.
fn said(script: &Script, line: &Line) -> String {
    let first = script.languages().next().unwrap_or_default();
    let language = line.language.as_deref().unwrap_or(first);
    let words = match &line.words {
        Words::Phrase(phrase) => script.text(phrase, language).unwrap_or(phrase).to_owned(),
        Words::Known { value, .. } | Words::Text(value) => value.to_string(),
    };
    match &line.language {
        Some(language) => format!("{language}: {words}"),
        None => words,
    }
}

fn offered(script: &Script, choice: &Choice) -> String {
    let first = choice.say.first().map_or(String::new(), |line| said(script, line));
    let more = if choice.say.len() > 1 { " …" } else { "" };
    format!("{}  {}{more}", choice.key, first.trim_end_matches([',', '،', '，']))
}

fn assignments(values: &[Assignment]) -> String {
    let values: Vec<String> = values.iter().map(|set| format!("{} = {}", set.key, set.value)).collect();
    values.join(", ")
}

fn short(mut lines: Vec<String>) -> Vec<String> {
    if lines.len() > LINES_MAX {
        lines.truncate(LINES_MAX - 1);
        lines.push("…".to_owned());
    }
    for line in &mut lines {
        if line.chars().count() > LINE_MAX {
            *line = line.chars().take(LINE_MAX - 1).chain(['…']).collect();
        }
    }
    lines
}
