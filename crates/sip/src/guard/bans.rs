//! Who is kept out, since when, until when and why; and how the second time is longer than the first.

use super::{ADMINISTRATOR, Whom};
use base::Time;
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Bans at a time. One more takes the place of the one that would have ended first.
pub const BANS_MAX: usize = 16_384;
/// How long it is remembered that somebody was banned: the next ban is longer.
const REMEMBERED: Duration = Duration::from_secs(7 * 24 * 3600);

/// Somebody who is kept out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// An address, or a network.
    pub source: IpNet,
    /// Since when.
    pub since: Time,
    /// Until when.
    pub until: Time,
    /// `scanner`, `guessing`, `enumeration`, `malformed`, `flood`, or `administrator`.
    pub rule: String,
    /// How often the source was banned for something that it cannot deny, this time included: the higher, the
    /// longer. 0 for what may be forged.
    pub level: u8,
    /// What it did.
    pub evidence: Evidence,
}

impl Ban {
    /// Whom it keeps out. What a rule saw in datagrams alone anybody may have sent.
    pub fn whom(&self) -> Whom {
        match self.level {
            _ if self.rule == ADMINISTRATOR => Whom::Everybody,
            0 => Whom::Suspects,
            _ => Whom::Strangers,
        }
    }
}

/// What somebody did to be banned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Messages that counted against it.
    pub messages: u64,
    /// The method of the last one.
    pub method: String,
    /// The account or number that it tried last.
    pub user: String,
    /// The tool that it says it is, as the guard knows it; or, for an administrator's ban, the reason.
    pub detail: String,
}

/// The living bans, and the memory of those before.
#[derive(Debug, Default)]
pub(super) struct Bans {
    living: BTreeMap<IpNet, Ban>,
    ends: BTreeSet<(Time, IpNet)>,
    levels: BTreeMap<IpNet, (u8, Time)>,
    forgets: BTreeSet<(Time, IpNet)>,
}

impl Bans {
    pub(super) fn living(&self) -> impl Iterator<Item = &Ban> {
        self.living.values()
    }

    /// The level of the next ban of this source.
    pub(super) fn next_level(&self, source: IpNet) -> u8 {
        self.levels.get(&source).map_or(1, |(level, _)| level.saturating_add(1))
    }

    /// Begins a ban, in the place of one that may be there. Gives the one that had to make room.
    pub(super) fn begin(&mut self, ban: Ban) -> Option<IpNet> {
        let source = ban.source;
        self.end(source);
        let full = self.living.len() >= BANS_MAX;
        let evicted = full.then(|| self.ends.first().map(|(_, source)| *source)).flatten();
        if let Some(evicted) = evicted {
            self.end(evicted);
        }
        if ban.level > 0 {
            self.remember(source, ban.level, ban.until + REMEMBERED);
        }
        self.ends.insert((ban.until, source));
        self.living.insert(source, ban);
        evicted
    }

    /// Ends a ban. False if there is none.
    pub(super) fn end(&mut self, source: IpNet) -> bool {
        let Some(ban) = self.living.remove(&source) else { return false };
        self.ends.remove(&(ban.until, source));
        true
    }

    /// Forgets that a source was ever banned.
    pub(super) fn forgive(&mut self, source: IpNet) {
        if let Some((_, at)) = self.levels.remove(&source) {
            self.forgets.remove(&(at, source));
        }
    }

    /// Ends the next ban whose time is over.
    pub(super) fn expire(&mut self, now: Time) -> Option<IpNet> {
        while let Some((at, source)) = self.forgets.first().copied()
            && at <= now
        {
            self.forgets.remove(&(at, source));
            self.levels.remove(&source);
        }
        let (at, source) = self.ends.first().copied()?;
        (at <= now && self.end(source)).then_some(source)
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.ends.first().map(|(at, _)| *at)
    }

    fn remember(&mut self, source: IpNet, level: u8, until: Time) {
        self.forgive(source);
        if self.levels.len() >= BANS_MAX
            && let Some((at, earliest)) = self.forgets.pop_first()
        {
            debug_assert_eq!(self.levels.get(&earliest).map(|(_, at)| *at), Some(at));
            self.levels.remove(&earliest);
        }
        self.levels.insert(source, (level, until));
        self.forgets.insert((until, source));
    }
}
