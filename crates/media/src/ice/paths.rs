//! The ways by which a party was found, and which of them is the one.

use std::net::SocketAddr;
use std::time::Duration;

use base::Time;

use crate::source::same;

/// A browser has so many at most: one for each of its addresses and relays. Another one takes the place of that which was
/// checked longest ago.
const PATHS_MAX: usize = 8;

/// How long a check says that the party wants to be sent something there (RFC 7675 §5.1).
const CONSENT: Duration = Duration::from_secs(30);

/// Who nominates every way that it tries means the best of them, and nominates them within such a time. Who has changed its
/// mind does it later.
const BURST: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(super) struct Paths {
    places: [Option<Path>; PATHS_MAX],
    selected: Option<Path>,
    /// Since when a way is awaited.
    since: Time,
    /// When it is to be looked whether there is one; not after it was told that there is none.
    check_at: Option<Time>,
}

#[derive(Clone, Copy, Debug)]
struct Path {
    at: SocketAddr,
    round: u32,
    priority: u32,
    checked_at: Time,
    nominated_at: Option<Time>,
}

/// A check that was signed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Checked {
    pub(super) from: SocketAddr,
    /// By the names of which agreement.
    pub(super) round: u32,
    pub(super) priority: u32,
    pub(super) nominates: bool,
}

impl Paths {
    pub(super) fn new(now: Time) -> Paths {
        Paths { places: [None; PATHS_MAX], selected: None, since: now, check_at: Some(now + CONSENT) }
    }

    /// The party is looked for anew.
    pub(super) fn await_more(&mut self, now: Time) {
        if self.check_at.is_none() {
            (self.since, self.check_at) = (now, Some(now + CONSENT));
        }
    }

    pub(super) fn selected(&self) -> Option<SocketAddr> {
        self.selected.map(|path| path.at)
    }

    /// By the names of which agreement the way that is used was nominated.
    pub(super) fn selected_in(&self) -> Option<u32> {
        self.selected.map(|path| path.round)
    }

    /// Whether the party was found there, and not too long ago.
    pub(super) fn are_at(&self, now: Time, at: SocketAddr) -> bool {
        let known = self.places.iter().flatten().find(|path| same(path.at, at));
        known.is_some_and(|path| path.is_wanted(now))
    }

    /// Takes a check.
    pub(super) fn check(&mut self, now: Time, checked: Checked) {
        let path = self.enter(now, checked);
        match &mut self.selected {
            Some(selected) if same(selected.at, path.at) => {
                // What is used goes on by the names by which it was nominated.
                let round = if checked.nominates { path.round } else { selected.round };
                *selected = Path { round, ..path };
            }
            Some(selected) if checked.nominates && path.takes_the_place_of(now, selected) => *selected = path,
            None if checked.nominates => {
                self.selected = Some(path);
                self.check_at.get_or_insert(now + CONSENT);
            }
            _ => {}
        }
    }

    pub(super) fn due(&self) -> Option<Time> {
        self.check_at
    }

    /// Gives up the way that is not checked any more, for another that was nominated if there is one. If there is none: for
    /// how long there was not.
    pub(super) fn expire(&mut self, now: Time) -> Option<Duration> {
        self.check_at.filter(|check_at| *check_at <= now)?;
        let before = self.selected;
        if before.is_some_and(|path| !path.is_wanted(now)) {
            let others = self.places.iter().flatten().filter(|path| path.is_wanted(now));
            let nominated = others.filter(|path| path.nominated_at.is_some());
            self.selected = nominated.max_by_key(|path| path.priority).copied();
        }
        let since = self.selected.or(before).map_or(self.since, |path| path.checked_at);
        let is_lost = now - since >= CONSENT;
        self.check_at = (!is_lost).then_some(since + CONSENT);
        is_lost.then_some(now - since)
    }

    /// Enters what a check says of its way.
    fn enter(&mut self, now: Time, checked: Checked) -> Path {
        let Checked { from, round, priority, nominates } = checked;
        let known = self.places.iter().flatten().find(|path| same(path.at, from));
        let nominated_before = known.filter(|path| path.round == round).and_then(|path| path.nominated_at);
        let nominated_at = if nominates { Some(now) } else { nominated_before };
        let path = Path { at: from, round, priority, checked_at: now, nominated_at };
        let is_known = |place: &Option<Path>| place.is_some_and(|path| same(path.at, from));
        let at = self.places.iter().position(is_known).or_else(|| self.spare());
        if let Some(place) = at.and_then(|at| self.places.get_mut(at)) {
            *place = Some(path);
        }
        path
    }

    /// An empty place, or that of the way which was checked longest ago. The one that is used keeps its own.
    fn spare(&self) -> Option<usize> {
        let selected = self.selected();
        let is_used = |path: &Path| selected.is_some_and(|selected| same(selected, path.at));
        let places = self.places.iter().enumerate();
        let free = places.filter(|(_, place)| !place.as_ref().is_some_and(is_used));
        free.min_by_key(|(_, place)| place.map(|path| path.checked_at)).map(|(at, _)| at)
    }
}

impl Path {
    fn is_wanted(&self, now: Time) -> bool {
        now - self.checked_at < CONSENT
    }

    /// Whether the nomination of this way moves the party there from the other one.
    fn takes_the_place_of(&self, now: Time, other: &Path) -> bool {
        let is_burst = other.nominated_at.is_some_and(|at| now - at < BURST);
        self.round != other.round || self.priority >= other.priority || !is_burst
    }
}
