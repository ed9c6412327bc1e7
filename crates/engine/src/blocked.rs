//! Refused messages, summed up: the first of a source is a fact at once, the others are counted.

use crate::context::Context;
use base::Time;
use facts::FactKind;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

const SUM_UP_EVERY: Duration = Duration::from_secs(60);
/// Sources beyond this many in one minute are counted together.
const SOURCES_MAX: usize = 256;

#[derive(Debug, Default)]
pub(crate) struct Blocked {
    counts: BTreeMap<(Option<IpAddr>, &'static str), u64>,
    sum_up_at: Option<Time>,
}

impl Blocked {
    pub(crate) fn count(&mut self, ctx: &mut Context, source: IpAddr, rule: &'static str) {
        self.sum_up_at.get_or_insert(ctx.now + SUM_UP_EVERY);
        let room = self.counts.len() < SOURCES_MAX || self.counts.contains_key(&(Some(source), rule));
        let key = (room.then_some(source), rule);
        match self.counts.get_mut(&key) {
            Some(count) => *count += 1,
            None => {
                self.counts.insert(key, 0);
                note(ctx, key, 1);
            }
        }
    }

    pub(crate) fn handle_timeout(&mut self, ctx: &mut Context) {
        if self.sum_up_at.is_none_or(|at| at > ctx.now) {
            return;
        }
        self.sum_up_at = None;
        for (key, count) in std::mem::take(&mut self.counts) {
            if count > 0 {
                note(ctx, key, count);
            }
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        self.sum_up_at
    }
}

fn note(ctx: &mut Context, (source, rule): (Option<IpAddr>, &'static str), count: u64) {
    let source = source.map_or("others".to_owned(), |source| source.to_string());
    ctx.note(FactKind::SecurityBlocked { source, rule: rule.to_owned(), count });
}
