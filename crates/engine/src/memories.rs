//! The languages of callers who have agreed that they be remembered: by number and script, for as long as the script says,
//! as facts and over a restart.

use crate::context::Context;
use crate::{CommandRefused, Service};
use base::{Time, Wall};
use facts::{CallerForgotten, CallerRemembered, FactKind, MemoryNow, body_of};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Numbers that are remembered, those of each script counted. Of more, one goes of the script that has the most: the one that
/// would go first anyhow.
const REMEMBERED_MAX: usize = 50_000;
/// As many are forgotten at once, however many are due: each is a fact, and calls wait for none of them.
const FORGOTTEN_AT_ONCE: usize = 100;

/// A number and a script.
type Whose = (String, String);

/// What is remembered.
#[derive(Debug, Default)]
pub(crate) struct Memories {
    list: BTreeMap<Whose, MemoryNow>,
    /// When each is forgotten, and its number, by script.
    due: BTreeMap<String, BTreeSet<(i64, String)>>,
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
        let (until, _) = self.first_due()?;
        let left = u64::try_from(until.saturating_sub(wall.unix_micros())).unwrap_or(0);
        Some(now + Duration::from_micros(left))
    }

    fn first_due(&self) -> Option<(i64, Whose)> {
        let first = self.due.iter().filter_map(|(script, due)| Some((due.first()?, script)));
        let ((until, number), script) = first.min()?;
        Some((*until, (number.clone(), script.clone())))
    }

    /// Who makes room.
    fn first_of_the_most(&self) -> Option<Whose> {
        let (script, due) = self.due.iter().max_by_key(|(_, due)| due.len())?;
        due.first().map(|(_, number)| (number.clone(), script.clone()))
    }

    fn insert(&mut self, whose: Whose, now: MemoryNow) {
        self.remove(&whose);
        let (number, script) = whose.clone();
        self.due.entry(script).or_default().insert((now.until.unix_micros(), number));
        self.list.insert(whose, now);
    }

    fn remove(&mut self, whose: &Whose) -> Option<MemoryNow> {
        let now = self.list.remove(whose)?;
        let (number, script) = whose;
        if let Some(due) = self.due.get_mut(script) {
            due.remove(&(now.until.unix_micros(), number.clone()));
            if due.is_empty() {
                self.due.remove(script);
            }
        }
        Some(now)
    }
}

/// The configuration is another one, or the log is of another one: what no script remembers any more is over now.
pub(crate) fn keep_scripts(ctx: &mut Context) {
    let services = ctx.config.services.values().chain(&ctx.config.otherwise);
    let remembering: BTreeSet<&str> = services
        .filter_map(|service| match service {
            Service::Script { script, .. } if script.remembers() => Some(script.name()),
            _ => None,
        })
        .collect();
    let gone = ctx.memories.list.keys().filter(|(_, script)| !remembering.contains(script.as_str()));
    let gone: Vec<Whose> = gone.cloned().collect();
    let until = ctx.wall();
    for whose in gone {
        if let Some(now) = ctx.memories.remove(&whose) {
            ctx.memories.insert(whose, MemoryNow { until, ..now });
        }
    }
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
        let first = ctx.memories.first_of_the_most();
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
    for _ in 0..FORGOTTEN_AT_ONCE {
        let Some((until, whose)) = ctx.memories.first_due() else { return };
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
