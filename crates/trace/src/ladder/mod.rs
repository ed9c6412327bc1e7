//! A call's messages as a ladder: a column for each party, an arrow for each message, and the call's facts
//! between them at their times.

mod summary;
mod svg;
mod text;

use crate::{Traced, Way};
use base::Wall;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use summary::Summary;

/// The column of the exchange.
const US: usize = 1;

/// Something that happened beside the messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// When.
    pub at: Wall,
    /// For people, on one line.
    pub text: String,
}

/// A picture of a call, to be drawn as text or as SVG.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// Column by column: the first party, the exchange, the others in the order in which they came.
    parties: Vec<Party>,
    rows: Vec<Row>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Party {
    name: String,
    address: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    /// Microseconds since the first row.
    after: i64,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Arrow(Arrow),
    Note(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Arrow {
    from: usize,
    to: usize,
    label: String,
    details: Vec<String>,
    /// The same bytes went the same way before.
    again: bool,
    /// The whole message, line by line.
    lines: Vec<String>,
}

impl Ladder {
    /// Of a call's messages. `names` are the parties' by the Call-IDs of their legs.
    pub fn new(messages: &[Traced], names: &BTreeMap<String, String>, notes: &[Note]) -> Ladder {
        let mut columns = Columns::new(names);
        let mut rows: Vec<(Wall, What)> =
            notes.iter().map(|note| (note.at, What::Note(printable(&note.text)))).collect();
        let mut messages: Vec<&Traced> = messages.iter().collect();
        messages.sort_by_key(|message| message.at);
        for (place, message) in messages.iter().enumerate() {
            let summary = Summary::of(&message.bytes);
            let party = columns.of(message, summary.call_id.as_deref());
            let (from, to) = if message.way == Way::In { (party, US) } else { (US, party) };
            let same = |other: &&&Traced| {
                (other.way, other.flow) == (message.way, message.flow) && other.bytes == message.bytes
            };
            let again = messages.iter().take(place).rev().take(200).any(|other| same(&other));
            let text = String::from_utf8_lossy(&message.bytes);
            let lines = text.trim_end().lines().map(printable).collect();
            let Summary { label, details, .. } = summary;
            rows.push((message.at, What::Arrow(Arrow { from, to, label, details, again, lines })));
        }
        rows.sort_by_key(|(at, _)| *at);
        let first = rows.first().map_or(0, |(at, _)| at.unix_micros());
        let row = |(at, what): (Wall, What)| Row { after: at.unix_micros().saturating_sub(first), what };
        Ladder { parties: columns.parties(), rows: rows.into_iter().map(row).collect() }
    }

    /// As text. With `full` each message is printed whole under its arrow.
    pub fn text(&self, full: bool) -> String {
        text::draw(self, full)
    }

    /// As a picture for browsers.
    pub fn svg(&self, title: &str) -> String {
        svg::draw(self, &printable(title))
    }
}

/// The parties as they appear. Two legs of a call may come from one address, and a leg may go to several.
struct Columns<'a> {
    names: &'a BTreeMap<String, String>,
    peers: Vec<(Option<String>, SocketAddr, Party)>,
    us: Vec<String>,
}

impl<'a> Columns<'a> {
    fn new(names: &'a BTreeMap<String, String>) -> Columns<'a> {
        Columns { names, peers: Vec::new(), us: Vec::new() }
    }

    fn of(&mut self, message: &Traced, call_id: Option<&str>) -> usize {
        let transport = message.flow.transport.name();
        let ours = format!("{transport} {}", message.flow.local);
        if !self.us.contains(&ours) {
            self.us.push(ours);
        }
        let remote = message.flow.remote;
        let known = self.peers.iter().position(|(its, at, _)| its.as_deref() == call_id && *at == remote);
        let place = known.unwrap_or_else(|| {
            let name = call_id.and_then(|call_id| self.names.get(call_id));
            let name = printable(name.map_or("?", |name| name.as_str()));
            let party = Party { name, address: format!("{transport} {remote}") };
            self.peers.push((call_id.map(str::to_owned), remote, party));
            self.peers.len() - 1
        });
        if place == 0 { 0 } else { place + US }
    }

    fn parties(self) -> Vec<Party> {
        let mut parties: Vec<Party> = self.peers.into_iter().map(|(_, _, party)| party).collect();
        let more = if self.us.len() > 1 { " …" } else { "" };
        let address = self.us.first().map_or(String::new(), |first| format!("{first}{more}"));
        let us = Party { name: "Cornetta".to_owned(), address };
        parties.insert(US.min(parties.len()), us);
        parties
    }
}

/// Text from outside cannot move the cursor of whoever reads it, or end a line.
fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{FFFD}' } else { letter }).collect()
}
