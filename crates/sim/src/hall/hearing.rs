//! The checker of ears: each party hears exactly who it may hear. What it may not is a fault at once, what it may must come
//! through unless the network takes it.

use super::conversations::Ears as Allowed;
use super::voices::Source;
use base::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What is heard counts from so long after it is allowed: sounds are fetched, ways are found.
const SETTLING: Duration = Duration::from_secs(3);
/// Shorter stretches, in packets, say little.
const STRETCH_MIN: u64 = 250;
/// Of a hundred packets that came to the exchange and were not lost on the way from it, so many are heard.
const HEARD_MIN: u64 = 90;
/// A tone splashes at its edges, and so do decoders that go from one speaker to another: what is heard in four frames one after
/// the other, or in every other one of sixteen, is no splash. Each frame of it counts two, each one without it takes one back.
const SPLASH: u32 = 8;

#[derive(Default)]
pub(crate) struct Hearing {
    ears: BTreeMap<u32, Ears>,
    /// Who hears a party.
    hearers: BTreeMap<u32, BTreeSet<u32>>,
    /// How bad the way to the phone at a port is.
    ways: BTreeMap<u32, Way>,
    pub(crate) heard: u64,
    pub(crate) complaints: Vec<String>,
}

/// The way between a port and its phone.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Way {
    /// The longest that a packet takes.
    pub(crate) longest: Duration,
    /// Packets come in order and the phone is where it says: then what is lost on the way is all that is lost.
    pub(crate) is_fair: bool,
}

#[derive(Default)]
struct Ears {
    allowed: BTreeMap<Source, Stretch>,
    /// What was wrongly heard in the frames before, and how much that counts.
    doubtful: Option<(Source, u32)>,
}

/// For how long something may be heard, and what became of it.
struct Stretch {
    /// It must come through.
    must: bool,
    since: Time,
    until: Option<Time>,
    said: u64,
    lost: u64,
    heard: u64,
}

impl Stretch {
    fn counts(&self, now: Time) -> bool {
        self.until.is_none() && now.since(self.since) >= SETTLING
    }
}

impl Hearing {
    pub(crate) fn set_way(&mut self, number: u32, way: Way) {
        self.ways.insert(number, way);
    }

    /// The process ended: nobody may hear anybody any more.
    pub(crate) fn end_all(&mut self, now: Time) {
        let numbers: Vec<u32> = self.ears.keys().copied().collect();
        for number in numbers {
            self.allow(now, number, &Allowed::new());
        }
    }

    /// From now on this and nothing else may be heard there.
    pub(crate) fn allow(&mut self, now: Time, hearer: u32, sources: &Allowed) {
        let ears = self.ears.entry(hearer).or_default();
        let mut ended = Vec::new();
        for (source, stretch) in &mut ears.allowed {
            let must = sources.get(source).copied();
            if stretch.until.is_none() && must.is_none() {
                stretch.until = Some(now);
            }
            // What need not come through any more had to until now.
            if stretch.must && must != Some(true) {
                stretch.must = false;
                ended.push((*source, (stretch.said, stretch.lost, stretch.heard)));
            }
        }
        for (source, must) in sources {
            let known = ears.allowed.get(source);
            if known.is_none_or(|stretch| stretch.until.is_some() || (*must && !stretch.must)) {
                let fresh = Stretch { must: *must, since: now, until: None, said: 0, lost: 0, heard: 0 };
                ears.allowed.insert(*source, fresh);
                if let Source::Party(speaker) = source {
                    self.hearers.entry(*speaker).or_default().insert(hearer);
                }
            }
        }
        for (source, figures) in ended {
            self.judge(hearer, source, figures);
        }
    }

    /// Whether nothing is lost on the way to the phone at this port but what is known to be lost.
    pub(crate) fn is_fair(&self, number: u32) -> bool {
        self.ways.get(&number).is_some_and(|way| way.is_fair)
    }

    /// Who may be heard there now, what is still on its way too: what a decoder makes of the end of somebody's words is
    /// no other's word.
    pub(crate) fn expected(&self, now: Time, hearer: u32) -> Vec<Source> {
        let ears = self.ears.get(&hearer);
        let allowed = ears.into_iter().flat_map(|ears| &ears.allowed);
        let heard = allowed.filter(|(source, stretch)| {
            stretch.until.is_none_or(|until| now <= until + grace(&self.ways, hearer, **source, false))
        });
        heard.map(|(source, _)| *source).collect()
    }

    /// A packet of speech came to the exchange.
    pub(crate) fn said(&mut self, now: Time, speaker: u32) {
        let Some(hearers) = self.hearers.get_mut(&speaker) else { return };
        let (ears, source) = (&mut self.ears, Source::Party(speaker));
        hearers.retain(|hearer| {
            let Some(stretch) = ears.get_mut(hearer).and_then(|ears| ears.allowed.get_mut(&source)) else {
                return false;
            };
            stretch.said += u64::from(stretch.counts(now));
            stretch.until.is_none()
        });
    }

    /// A packet of speech of the exchange's did not get there, or what it says of others than these.
    pub(crate) fn lost(&mut self, now: Time, hearer: u32, heard: &[Source]) {
        let Some(ears) = self.ears.get_mut(&hearer) else { return };
        let others = ears.allowed.iter_mut().filter(|(source, _)| !heard.contains(source));
        for (_, stretch) in others.filter(|(_, stretch)| stretch.counts(now)) {
            stretch.lost += 1;
        }
    }

    /// A frame was heard. `exact` says that the frame says it for sure.
    pub(crate) fn heard(&mut self, now: Time, hearer: u32, sources: &[Source], exact: bool) {
        let Some(ears) = self.ears.get_mut(&hearer) else { return };
        let mut doubtful = None;
        for source in sources {
            let grace = grace(&self.ways, hearer, *source, exact);
            let stretch = ears.allowed.get_mut(source);
            let is_allowed = stretch
                .as_ref()
                .is_some_and(|stretch| stretch.until.is_none_or(|until| now <= until + grace));
            if let Some(stretch) = stretch.filter(|_| is_allowed) {
                stretch.heard += u64::from(stretch.counts(now));
                self.heard += 1;
                continue;
            }
            let before = ears.doubtful.filter(|(before, _)| before == source).map_or(0, |(_, count)| count);
            let count = before + 2;
            if exact || (before < SPLASH && count >= SPLASH) {
                let allowed: Vec<(&Source, Option<Time>)> =
                    ears.allowed.iter().map(|(source, stretch)| (source, stretch.until)).collect();
                self.complaints.push(format!("port {hearer} hears {source:?}; it may hear {allowed:?}"));
            }
            doubtful = Some((*source, count));
        }
        let fading = ears.doubtful.and_then(|(source, count)| Some((source, count.checked_sub(1)?)));
        ears.doubtful = doubtful.or(fading);
        // What ended long ago says nothing any more.
        ears.allowed.retain(|_, stretch| {
            stretch.until.is_none_or(|until| now.since(until) < Duration::from_secs(10))
        });
    }

    fn judge(&mut self, hearer: u32, source: Source, (said, lost, heard): (u64, u64, u64)) {
        let Source::Party(speaker) = source else { return };
        let (Some(there), Some(here)) = (self.ways.get(&speaker), self.ways.get(&hearer)) else { return };
        let due = said.saturating_sub(lost);
        if !there.is_fair || !here.is_fair || due < STRETCH_MIN {
            return;
        }
        // What was on its way at the end.
        let slack = (here.longest.as_millis() as u64 + 300) / 20;
        if heard + slack < due * HEARD_MIN / 100 {
            self.complaints.push(format!(
                "port {hearer} heard {heard} packets of port {speaker}, which said {said} to the exchange; {lost} were \
                 lost on the way"
            ));
        }
    }
}

/// For how long after its end a source may come. `exact` is where no ear of the exchange's holds anything back.
fn grace(ways: &BTreeMap<u32, Way>, hearer: u32, source: Source, exact: bool) -> Duration {
    let longest = |number| ways.get(&number).copied().unwrap_or_default().longest;
    let of_speaker = match source {
        Source::Party(number) => longest(number),
        Source::Sound(_) | Source::Nobody => Duration::ZERO,
    };
    // The longest wait of a jitter buffer, a few frames, and the ticks of both sides.
    longest(hearer) + of_speaker + Duration::from_millis(if exact { 50 } else { 300 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::from_millis(seconds * 1000)
    }

    fn hearing() -> Hearing {
        let mut hearing = Hearing::default();
        for number in [1, 2, 3] {
            hearing.set_way(number, Way { longest: Duration::from_millis(100), is_fair: true });
        }
        hearing.allow(at(1), 1, &[(Source::Party(2), true)].into());
        hearing
    }

    #[test]
    fn who_may_not_be_heard_is_told_and_who_just_fell_silent_is_not() {
        let mut hearing = hearing();
        hearing.heard(at(2), 1, &[Source::Party(2)], true);
        hearing.allow(at(3), 1, &Allowed::new());
        hearing.heard(Time::from_millis(3240), 1, &[Source::Party(2)], true);
        assert_eq!((hearing.heard, hearing.complaints.len()), (2, 0));
        hearing.heard(Time::from_millis(3260), 1, &[Source::Party(2)], true);
        for (frame, faults) in [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2)] {
            hearing.heard(at(2), 1, &[Source::Party(3)], false);
            assert_eq!(hearing.complaints.len(), faults, "frame {frame}: a splash is short");
        }
    }

    #[test]
    fn what_is_still_on_its_way_is_expected_until_it_must_have_come() {
        let mut hearing = hearing();
        hearing.allow(at(3), 1, &[(Source::Party(3), true)].into());
        assert_eq!(hearing.expected(Time::from_millis(3500), 1), [Source::Party(2), Source::Party(3)]);
        assert_eq!(hearing.expected(Time::from_millis(3501), 1), [Source::Party(3)]);
    }

    #[test]
    fn what_may_be_heard_must_come_through_but_for_what_the_network_takes() {
        for (heard, lost, faults) in [(400, 0, 0), (300, 0, 1), (300, 90, 0)] {
            let mut hearing = hearing();
            (0..400).for_each(|_| hearing.said(at(10), 2));
            (0..lost).for_each(|_| hearing.lost(at(10), 1, &[]));
            (0..heard).for_each(|_| hearing.heard(at(10), 1, &[Source::Party(2)], true));
            hearing.allow(at(20), 1, &Allowed::new());
            assert_eq!(hearing.complaints.len(), faults, "{heard} {lost}");
        }
    }
}
