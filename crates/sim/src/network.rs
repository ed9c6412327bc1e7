//! The network between one phone and the exchange: both ways lose, delay, reorder and repeat as the seed
//! says, until the network is healed.

use crate::Faults;
use crate::phones::between;
use base::{Rng, Time};
use std::time::Duration;

/// Which way a datagram goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    ToEngine,
    ToPhone,
}

/// What a jitter buffer bears without thinking.
const ORDERLY: Duration = Duration::from_millis(60);

/// One phone's path.
pub(crate) struct Path {
    latency: Duration,
    delay: Duration,
    jitter: Duration,
    loss_permille: u32,
    burst_permille: u32,
    duplicate_permille: u32,
    /// Nothing passes between these.
    cut: Option<(Time, Time)>,
    /// In the midst of a burst of losses: so many more are lost.
    burst: [u32; 2],
    /// The last arrival: later datagrams do not come before it unless they are reordered.
    last: [Time; 2],
}

impl Path {
    pub(crate) fn new(faults: Faults, rng: &mut Rng, now: Time) -> Path {
        let latency = between(rng, 1, 40);
        let most = [20, 80, 200][rng.below(3) as usize];
        let loss_permille = if faults.loss { rng.below(most) as u32 } else { 0 };
        let burst_permille = if faults.loss { rng.below(20) as u32 } else { 0 };
        let cut = (faults.loss && rng.chance_permille(100)).then(|| {
            let from = now + between(rng, 0, 60_000);
            (from, from + between(rng, 1_000, 90_000))
        });
        Path {
            latency,
            delay: if faults.delay { between(rng, 0, 700) } else { Duration::ZERO },
            jitter: if faults.reorder { between(rng, 1, 500) } else { Duration::ZERO },
            loss_permille,
            burst_permille,
            duplicate_permille: if faults.duplicate { rng.below(150) as u32 } else { 0 },
            cut,
            burst: [0; 2],
            last: [Time::ZERO; 2],
        }
    }

    /// From now on nothing is lost, late, early or twice.
    pub(crate) fn heal(&mut self) {
        self.delay = Duration::ZERO;
        self.jitter = Duration::ZERO;
        (self.loss_permille, self.burst_permille, self.duplicate_permille) = (0, 0, 0);
        (self.cut, self.burst) = (None, [0; 2]);
    }

    /// When a datagram comes: never, once or twice.
    pub(crate) fn carry(&mut self, now: Time, way: Way, rng: &mut Rng) -> [Option<Time>; 2] {
        if self.loses(now, way, rng) {
            return [None, None];
        }
        let first = self.arrival(now, way, rng);
        let twice = self.duplicate_permille > 0 && rng.chance_permille(self.duplicate_permille);
        let second = twice.then(|| first + between(rng, 0, 400));
        [Some(first), second]
    }

    /// The longest that a datagram takes, if it is not repeated.
    pub(crate) fn longest(&self) -> Duration {
        self.latency + self.delay + self.jitter
    }

    /// Packets of speech come in an order in which they can be heard.
    pub(crate) fn is_orderly(&self) -> bool {
        self.jitter <= ORDERLY
    }

    /// What was lost of a stream comes after this all the same.
    pub(crate) fn again(&self) -> Duration {
        self.latency * 3 + Duration::from_millis(200)
    }

    fn loses(&mut self, now: Time, way: Way, rng: &mut Rng) -> bool {
        if self.cut.is_some_and(|(from, until)| from <= now && now < until) {
            return true;
        }
        let burst = &mut self.burst[way as usize];
        if *burst > 0 {
            *burst -= 1;
            return true;
        }
        if self.burst_permille > 0 && rng.chance_permille(self.burst_permille) {
            *burst = 1 + rng.below(6) as u32;
        }
        self.loss_permille > 0 && rng.chance_permille(self.loss_permille)
    }

    fn arrival(&mut self, now: Time, way: Way, rng: &mut Rng) -> Time {
        let at = now + self.latency + self.delay;
        if !self.jitter.is_zero() {
            let most = u64::try_from(self.jitter.as_micros()).unwrap_or(0);
            return at + Duration::from_micros(rng.below(most));
        }
        let last = &mut self.last[way as usize];
        *last = at.max(*last + Duration::from_micros(1));
        *last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Seed;

    fn arrivals(path: &mut Path, count: u64) -> Vec<Time> {
        let mut rng = Seed::from_number(5).rng();
        let carried = (0..count).flat_map(|at| path.carry(Time::from_millis(at), Way::ToEngine, &mut rng));
        carried.flatten().collect()
    }

    #[test]
    fn a_path_without_faults_keeps_all_in_order() {
        let mut path = Path::new(Faults::NONE, &mut Seed::from_number(1).rng(), Time::ZERO);
        let arrivals = arrivals(&mut path, 1000);
        assert_eq!(arrivals.len(), 1000);
        assert!(arrivals.is_sorted());
    }

    #[test]
    fn a_bad_path_loses_repeats_and_reorders_until_it_is_healed() {
        let mut path = Path::new(Faults::ALL, &mut Seed::from_number(3).rng(), Time::ZERO);
        (path.loss_permille, path.duplicate_permille, path.cut) = (100, 0, None);
        let lossy = arrivals(&mut path, 1000);
        assert!((700..1000).contains(&lossy.len()), "{}", lossy.len());
        assert!(!lossy.is_sorted());
        path.heal();
        let healed = arrivals(&mut path, 1000);
        assert!(healed.len() == 1000 && healed.is_sorted());
    }
}
