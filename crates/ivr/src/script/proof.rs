//! What holds for a flow as a whole: every node can be reached, no question announces a key that it does not take, and a caller who does
//! nothing comes to an end.

use super::flow::Reader;
use super::model::{Exit, Kind, Line, Node, NodeId, Words};
use super::words::press;
use std::collections::BTreeSet;

/// Tells which nodes cannot be reached and which go round for ever, and marks those that lead to a menu
/// whatever happens. False if some go round.
pub(super) fn prove(nodes: &mut [Node], starts: &[NodeId], reader: &mut Reader<'_>) -> bool {
    report_unreachable(nodes, starts, reader);
    report_announced(nodes, reader);
    if report_circles(nodes, reader) {
        return false;
    }
    let asks: Vec<bool> = (0..nodes.len()).map(|id| leads_to_menu(nodes, id)).collect();
    for (node, asks) in nodes.iter_mut().zip(asks) {
        node.asks = asks;
    }
    true
}

fn report_unreachable(nodes: &[Node], starts: &[NodeId], reader: &mut Reader<'_>) {
    let mut reached = BTreeSet::new();
    let mut open: Vec<NodeId> = starts.to_vec();
    while let Some(id) = open.pop() {
        let Some(node) = nodes.get(id).filter(|_| reached.insert(id)) else { continue };
        let keys = node.kind.key_exits();
        let exits =
            node.kind.exits().into_iter().map(|(_, exit)| exit).chain(keys.iter().map(|(_, exit)| *exit));
        open.extend(exits.filter_map(target));
    }
    for (_, node) in nodes.iter().enumerate().filter(|(id, _)| !reached.contains(id)) {
        let what = format!("no call comes to node `{}`", node.name);
        reader.fault(node.at, what, "lead some node there, or take it out");
    }
}

/// Each choice is followed by its key by itself. What a script has said beside that must not name a key that is for nothing.
fn report_announced(nodes: &[Node], reader: &mut Reader<'_>) {
    for node in nodes {
        let Some((taken, lines)) = asked(node) else { continue };
        let said: BTreeSet<&str> = lines.into_iter().filter_map(phrase).collect();
        let keys = "0123456789*#".chars().filter(|key| !taken.contains(key));
        for key in keys.filter(|key| said.contains(press(*key).as_str())) {
            let what = format!("node `{}` announces key {key} and does not take it", node.name);
            let what_to_do = format!("take the key, or `{}` out of what is said", press(key));
            reader.fault(node.at, what, what_to_do);
        }
    }
}

/// The keys that a node takes that asks for one, and what is said in it.
fn asked(node: &Node) -> Option<(BTreeSet<char>, Vec<&Line>)> {
    let (taken, choices, retries) = match &node.kind {
        Kind::Menu { choices, no_input, no_match, .. } => {
            (choices.iter().map(|choice| choice.key).collect(), choices.as_slice(), [no_input, no_match])
        }
        Kind::Collect(collect) if !collect.allowed.is_empty() => {
            (collect.allowed.clone(), [].as_slice(), [&collect.no_input, &collect.no_match])
        }
        _ => return None,
    };
    let own = node.say.iter().chain(choices.iter().flat_map(|choice| &choice.say));
    Some((taken, own.chain(retries.into_iter().flat_map(|retry| &retry.say)).collect()))
}

fn phrase(line: &Line) -> Option<&str> {
    match &line.words {
        Words::Phrase(phrase) => Some(phrase),
        Words::Known { .. } | Words::Text(_) => None,
    }
}

fn target(exit: &Exit) -> Option<NodeId> {
    match exit {
        Exit::To(id) => Some(*id),
        Exit::HangUp(_) => None,
    }
}

/// The nodes that come after `id` without a key of the caller.
fn unasked(nodes: &[Node], id: NodeId) -> Vec<NodeId> {
    let exits = nodes.get(id).map(|node| node.kind.exits()).unwrap_or_default();
    exits.into_iter().filter_map(|(_, exit)| target(exit)).collect()
}

/// Depth first; a way back to a node still on the path is a circle, told once at its first node in the file.
fn report_circles(nodes: &[Node], reader: &mut Reader<'_>) -> bool {
    let mut done = vec![false; nodes.len()];
    let mut circles = BTreeSet::new();
    for start in 0..nodes.len() {
        let mut path: Vec<(NodeId, Vec<NodeId>)> = vec![(start, unasked(nodes, start))];
        while let Some((id, ways)) = path.last_mut() {
            let Some(next) = ways.pop() else {
                if let Some(done) = done.get_mut(*id) {
                    *done = true;
                }
                path.pop();
                continue;
            };
            if let Some(from) = path.iter().position(|(id, _)| *id == next) {
                circles.insert(circle(path.iter().skip(from).map(|(id, _)| *id).collect()));
            } else if !done.get(next).copied().unwrap_or(true) {
                path.push((next, unasked(nodes, next)));
            }
        }
    }
    for circle in &circles {
        report_circle(nodes, circle, reader);
    }
    !circles.is_empty()
}

/// The circle, turned so that its first node in the file stands first.
fn circle(mut ids: Vec<NodeId>) -> Vec<NodeId> {
    let first = ids.iter().enumerate().min_by_key(|(_, id)| **id).map_or(0, |(place, _)| place);
    ids.rotate_left(first);
    ids
}

fn report_circle(nodes: &[Node], circle: &[NodeId], reader: &mut Reader<'_>) {
    let Some(first) = circle.first().and_then(|id| nodes.get(*id)) else { return };
    let round = circle.iter().chain(circle.first()).filter_map(|id| nodes.get(*id));
    let names: Vec<String> = round.map(|node| format!("`{}`", node.name)).collect();
    let what = format!("a caller who does nothing never comes out of {}", names.join(" → "));
    reader.fault(first.at, what, "lead one of them on to an end");
}

/// Whether every way on from `id` without a key comes to a menu. Where there are no circles.
fn leads_to_menu(nodes: &[Node], id: NodeId) -> bool {
    let mut open = vec![id];
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        let Some(node) = nodes.get(id).filter(|_| seen.insert(id)) else { continue };
        match &node.kind {
            Kind::Menu { .. } | Kind::Collect(_) => {}
            Kind::Say { .. } | Kind::Set { .. } | Kind::Hours { .. } | Kind::Case { .. } => {
                open.extend(unasked(nodes, id))
            }
            Kind::Part { .. } | Kind::LookUp(_) => open.extend(unasked(nodes, id)),
            Kind::Queue(_)
            | Kind::Transfer { .. }
            | Kind::Callback(_)
            | Kind::Message(_)
            | Kind::HangUp { .. } => return false,
        }
    }
    true
}
