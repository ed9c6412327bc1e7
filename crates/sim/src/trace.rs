//! The trace: a hash of every output in order, and lines for people.

use crate::Told;
use base::Time;
use engine::Output;
use std::fmt::Write as _;

pub(crate) struct Trace<'a> {
    hash: Fnv,
    verbose_from: Time,
    tell: &'a mut dyn FnMut(Told<'_>),
}

/// FNV-1a by words of 64 bits: the trace is compared with itself only.
pub(crate) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    pub(crate) fn value(&self) -> u64 {
        self.0
    }

    pub(crate) fn add(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        let words = words.iter().map(|word| u64::from_le_bytes(*word));
        for word in words.chain(rest.iter().map(|byte| u64::from(*byte))) {
            self.0 = (self.0 ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(29);
        }
    }
}

impl std::fmt::Write for Fnv {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.add(text.as_bytes());
        Ok(())
    }
}

impl<'a> Trace<'a> {
    pub(crate) fn new(verbose_from: Time, tell: &'a mut dyn FnMut(Told<'_>)) -> Trace<'a> {
        Trace { hash: Fnv::default(), verbose_from, tell }
    }

    /// Of all outputs, and of what media has sent.
    pub(crate) fn hash(&mut self, media: u64) -> u64 {
        self.hash.add(&media.to_le_bytes());
        self.hash.value()
    }

    pub(crate) fn tell(&mut self, told: Told<'_>) {
        (self.tell)(told);
    }

    /// An output of the engine.
    pub(crate) fn output(&mut self, now: Time, output: &Output) {
        self.hash.add(&now.micros().to_le_bytes());
        // The hash takes whatever is written into it.
        let _ = match output {
            Output::Sip { flow, bytes } => {
                self.hash.add(bytes);
                write!(self.hash, "{}", flow.remote)
            }
            Output::Resolve { query } => write!(self.hash, "{query}"),
            Output::Fetch(fetch) => write!(self.hash, "{}", fetch.url),
            Output::LookUp(question) => write!(self.hash, "{}{:?}", question.look_up.name, question.with),
            Output::Expect { remote, name } => write!(self.hash, "{remote}{name}"),
            Output::Media { command, beside } => write!(self.hash, "{command:?}{beside:?}"),
            Output::Door(change) => write!(self.hash, "{change:?}"),
            Output::Record(order) => write!(self.hash, "{order:?}"),
            Output::Fact(fact) => write!(self.hash, "{fact:?}"),
            Output::Reply { id, result } => write!(self.hash, "{id}{result:?}"),
        };
        if now >= self.verbose_from {
            self.describe(now, output);
        }
    }

    /// What a phone sends.
    pub(crate) fn phone(&mut self, now: Time, number: usize, bytes: &[u8]) {
        if now >= self.verbose_from {
            let text = format!("{now:>16} {:<10} -> {}", format!("phone{number}"), summary(bytes));
            self.tell(Told::Change(&text));
        }
    }

    fn describe(&mut self, now: Time, output: &Output) {
        let text = match output {
            Output::Sip { flow, bytes } => {
                let to = crate::town::phone_at(flow.remote.ip()).unwrap_or(0);
                format!("{now:>16} {:<10} <- {}", format!("phone{to}"), summary(bytes))
            }
            Output::Resolve { query } => format!("{now:>16} {:<10} {query}", "names"),
            Output::Fetch(fetch) => format!("{now:>16} {:<10} {}", "fetch", fetch.url),
            Output::LookUp(question) => format!("{now:>16} {:<10} {}", "look-up", question.look_up.name),
            Output::Expect { remote, name } => format!("{now:>16} {:<10} {name} at {remote}", "names"),
            Output::Media { command, .. } => format!("{now:>16} {:<10} {command:?}", "media"),
            Output::Record(order) => format!("{now:>16} {:<10} {order:?}", "recorder"),
            Output::Door(change) => format!("{now:>16} {:<10} {change:?}", "door"),
            Output::Fact(fact) => {
                let call =
                    fact.call.as_deref().map_or("-", |id| id.get(id.len().saturating_sub(8)..).unwrap_or(id));
                format!("{now:>16} {call:<10} {:>7} {:?}", fact.number, fact.kind)
            }
            Output::Reply { id, result } => format!("{now:>16} {:<10} {id} {result:?}", "reply"),
        };
        self.tell(Told::Change(&text));
    }
}

/// The first line of a message, its Call-ID and CSeq.
fn summary(bytes: &[u8]) -> String {
    match crate::phones::Message::read(bytes) {
        Some(message) => {
            let (number, method) = message.cseq();
            format!("{} [{} {number} {method}]", message.first, message.call_id())
        }
        None => format!("{} bytes that are no message", bytes.len()),
    }
}

/// The lines in which two texts differ, a few of them.
pub(crate) fn difference(ours: &str, theirs: &str) -> String {
    let (ours, theirs): (Vec<&str>, Vec<&str>) = (ours.lines().collect(), theirs.lines().collect());
    let first = ours.iter().zip(&theirs).position(|(a, b)| a != b).unwrap_or(ours.len().min(theirs.len()));
    let some = |lines: &[&str]| {
        let few = lines.iter().skip(first.saturating_sub(4)).take(10).map(|line| line.trim());
        few.collect::<Vec<_>>().join(" ")
    };
    format!("facts say `{}`, the engine says `{}`", some(&ours), some(&theirs))
}
