//! The languages of callers who have agreed that they be remembered: by number and script, for as long as the script says,
//! as facts and over a restart.

use crate::CommandRefused;
use crate::context::Context;
use crate::destinations::is_number;
use base::{Time, Wall};
use facts::{CallerForgotten, CallerRemembered, FactKind, MemoryNow, body_of};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Numbers that are remembered, those of each script counted. Of more, the one goes that would go first anyhow.
pub(crate) const REMEMBERED_MAX: usize = 50_000;

/// A number and a script.
type Whose = (String, String);

/// What is remembered.
#[derive(Debug, Default)]
pub(crate) struct Memories {
    list: BTreeMap<Whose, MemoryNow>,
    due: BTreeSet<(i64, Whose)>,
}

impl Memories {
    /// Goes on with those of the time before.
    pub(crate) fn restore(&mut self, past: Vec<(String, String, MemoryNow)>) {
        for (number, script, now) in past {
            self.insert((number, script), now);
        }
    }

    /// The language of this number's caller, as far as the script may know it.
    pub(crate) fn language(&self, number: &str, script: &str, wall: Wall) -> Option<&str> {
        let now = self.list.get(&(number.to_owned(), script.to_owned()))?;
        (now.until > wall).then_some(now.language.as_str())
    }

    /// When the next one is forgotten.
    pub(crate) fn poll_timeout(&self, now: Time, wall: Wall) -> Option<Time> {
        let (until, _) = self.due.first()?;
        let left = u64::try_from(until.saturating_sub(wall.unix_micros())).unwrap_or(0);
        Some(now + Duration::from_micros(left))
    }

    fn insert(&mut self, whose: Whose, now: MemoryNow) {
        self.remove(&whose);
        self.due.insert((now.until.unix_micros(), whose.clone()));
        self.list.insert(whose, now);
    }

    fn remove(&mut self, whose: &Whose) -> Option<MemoryNow> {
        let now = self.list.remove(whose)?;
        self.due.remove(&(now.until.unix_micros(), whose.clone()));
        Some(now)
    }
}

/// Whether anything may be remembered of this caller: one of a number, not an account or somebody withheld.
pub(crate) fn is_known(from: &str) -> bool {
    is_number(from)
}

/// The caller has agreed, for so long, or speaks another language than when they did. What is to be written down; nothing if
/// that is known already, or is no longer to be known.
pub(crate) fn remember(
    ctx: &mut Context,
    (number, script): (&str, &str),
    language: String,
    length: Option<Duration>,
) -> Option<FactKind> {
    let (whose, wall) = ((number.to_owned(), script.to_owned()), ctx.wall());
    let for_s = match length {
        Some(length) => length.as_secs(),
        None => {
            let known = ctx.memories.list.get(&whose).filter(|known| known.language != language)?;
            let left = known.until.unix_micros().saturating_sub(wall.unix_micros());
            u64::try_from(left / 1_000_000).ok().filter(|left| *left > 0)?
        }
    };
    if !ctx.memories.list.contains_key(&whose) && ctx.memories.list.len() >= REMEMBERED_MAX {
        let first = ctx.memories.due.first().map(|(_, whose)| whose.clone());
        if let Some(fact) = first.and_then(|first| forgotten(ctx, &first, "evicted", "")) {
            ctx.note(fact);
        }
    }
    let remembered =
        CallerRemembered { script: script.to_owned(), number: number.to_owned(), language, for_s };
    ctx.memories.insert(whose, MemoryNow::new(wall, &remembered));
    Some(FactKind::CallerRemembered(remembered))
}

/// The caller no longer agrees. What is to be written down, if anything was known.
pub(crate) fn forget(ctx: &mut Context, number: &str, script: &str) -> Option<FactKind> {
    forgotten(ctx, &(number.to_owned(), script.to_owned()), "refused", "")
}

/// Whose time is over is forgotten.
pub(crate) fn handle_timeout(ctx: &mut Context) {
    while let Some((until, whose)) = ctx.memories.due.first().cloned() {
        if until > ctx.wall().unix_micros() {
            return;
        }
        if let Some(fact) = forgotten(ctx, &whose, "expired", "") {
            ctx.note(fact);
        }
    }
}

impl Context {
    /// A person wants a number forgotten, by every script; one who asks for a body, by the body's.
    pub(crate) fn forget_caller(&mut self, number: &str, by: &str) -> Result<(), CommandRefused> {
        let number = self.config.numbering.home.normal(number).to_string();
        let of_number = self.memories.list.range((number.clone(), String::new())..);
        let whose: Vec<Whose> =
            of_number.map(|(whose, _)| whose.clone()).take_while(|(known, _)| *known == number).collect();
        let is_of = |script: &str| body_of(by).is_none_or(|body| body_of(script) == Some(body));
        let whose: Vec<Whose> = whose.into_iter().filter(|(_, script)| is_of(script)).collect();
        for whose in &whose {
            if let Some(fact) = forgotten(self, whose, "erased", by) {
                self.note(fact);
            }
        }
        if whose.is_empty() { Err(CommandRefused::NotFound) } else { Ok(()) }
    }
}

fn forgotten(ctx: &mut Context, whose: &Whose, why: &str, by: &str) -> Option<FactKind> {
    ctx.memories.remove(whose)?;
    let (number, script) = whose.clone();
    Some(FactKind::CallerForgotten(CallerForgotten {
        script,
        number,
        why: why.to_owned(),
        by: by.to_owned(),
    }))
}
