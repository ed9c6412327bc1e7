//! How packets that nobody heard lie, lost or discarded: alone, or in bursts (RFC 3611 §4.7.2).

/// So many packets without a loss between two losses end a burst, the value that the RFC recommends.
pub(crate) const GAP_MIN: u32 = 16;

/// A packet is waited for until so many after it have come: more than a jitter buffer holds, which has told by then
/// whether it was heard.
const PATIENCE: u32 = 48;

/// The packets of one party in their order, each heard or not. A loss is one that was not.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Losses {
    /// Bit n: the packet n before the newest has come. Those older than [`PATIENCE`] are counted.
    recent: u64,
    /// The same of those that have come and were discarded.
    discarded: u64,
    /// How many of them there are.
    pending: u32,
    /// Packets since the last loss.
    since: u32,
    /// Losses of the burst that the last loss belongs to.
    burst: u32,
    has_lost: bool,
    missed: Missed,
    chain: Chain,
}

/// How many packets were not heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Missed {
    /// They did not come, or so late that nobody waited for them any more.
    pub(crate) lost: u64,
    /// They came too late, or too many at once, for their hearer here.
    pub(crate) discarded: u64,
    /// How many times one or more in a row were not heard.
    pub(crate) runs: u64,
}

/// How often one state followed on another: 1 came in a gap, 4 lost alone in a gap, 2 came in a burst, 3 lost in one.
#[derive(Clone, Copy, Debug, Default)]
struct Chain {
    c11: u64,
    c13: u64,
    c14: u64,
    c22: u64,
    c23: u64,
    c33: u64,
}

/// Bursts and what is between them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// The share of packets lost within bursts, and outside, in 256ths.
    pub(crate) burst_density: u8,
    pub(crate) gap_density: u8,
    /// How many packets they last on average.
    pub(crate) burst_packets: u64,
    pub(crate) gap_packets: u64,
}

impl Losses {
    /// A packet has come that is so many after the newest one.
    pub(crate) fn advance(&mut self, step: u32) {
        let missing = step.saturating_sub(1);
        for _ in 0..missing.min(PATIENCE) {
            self.push(false);
        }
        // All that was waited for is counted by then; the rest of a long gap is one run of losses.
        if let Some(more) = missing.checked_sub(PATIENCE + 1) {
            self.missed.lost += u64::from(more) + 1;
            self.lose(u64::from(more) + 1);
        }
        self.push(true);
    }

    /// A packet has come that is so many before the newest one.
    pub(crate) fn fill(&mut self, before: u32) {
        if before < self.pending {
            self.recent |= 1u64.checked_shl(before).unwrap_or(0);
        }
    }

    /// Of the packets that have come these were not heard; bit n is the packet n before the newest one.
    pub(crate) fn discard(&mut self, packets: u64) {
        self.discarded |= packets;
    }

    /// Another count begins.
    pub(crate) fn restart(&mut self) {
        while self.pending > 0 {
            self.settle_oldest();
        }
        self.discarded = 0;
    }

    pub(crate) fn missed(&self) -> Missed {
        self.missed
    }

    pub(crate) fn pattern(&self) -> Pattern {
        // The burst, or the lonely loss, that is not over yet counts as it is.
        let Chain { c11, c13, c14, c22, c23, c33 } = match (self.has_lost, self.burst) {
            (false, _) => self.chain,
            (true, 1) => Chain { c14: self.chain.c14 + 1, ..self.chain },
            (true, _) => Chain { c13: self.chain.c13 + 1, ..self.chain },
        };
        // What begins with a loss in a burst ends in one: as many ways lead back.
        let (c31, c32) = (c13, c23);
        let p32 = share(c32, c31 + c32 + c33);
        let p23 = if c22 + c23 == 0 { 1.0 } else { 1.0 - share(c22, c22 + c23) };
        let all = c11 + c14 + c13 + c22 + c23 + c31 + c32 + c33;
        let in_gaps = c11 + c14;
        let gap_packets = (in_gaps + c13).checked_div(c13).unwrap_or(in_gaps + u64::from(self.since));
        let burst_packets = all.checked_div(c13).map_or(0, |both| both.saturating_sub(gap_packets));
        let burst_density = if c13 == 0 { 0 } else { as_256ths(p23 / (p23 + p32)) };
        Pattern { burst_density, gap_density: as_256ths(share(c14, in_gaps)), burst_packets, gap_packets }
    }

    fn push(&mut self, has_come: bool) {
        if self.pending == PATIENCE {
            self.settle_oldest();
        }
        self.recent = self.recent << 1 | u64::from(has_come);
        self.discarded <<= 1;
        self.pending += 1;
    }

    fn settle_oldest(&mut self) {
        self.pending = self.pending.saturating_sub(1);
        let bit = 1u64.checked_shl(self.pending).unwrap_or(0);
        match (self.recent & bit != 0, self.discarded & bit != 0) {
            (true, false) => return self.since = self.since.saturating_add(1),
            (true, true) => self.missed.discarded += 1,
            (false, _) => self.missed.lost += 1,
        }
        self.lose(1);
    }

    fn lose(&mut self, count: u64) {
        self.missed.runs += u64::from(self.since > 0 || !self.has_lost);
        if self.since >= GAP_MIN || !self.has_lost {
            if self.has_lost {
                let was_alone = self.burst == 1;
                self.chain.c14 += u64::from(was_alone);
                self.chain.c13 += u64::from(!was_alone);
            }
            self.chain.c11 += u64::from(self.since);
            self.burst = 1;
        } else {
            self.burst = self.burst.saturating_add(1);
            if self.since == 0 {
                self.chain.c33 += 1;
            } else {
                self.chain.c23 += 1;
                self.chain.c22 += u64::from(self.since - 1);
            }
        }
        self.chain.c33 += count - 1;
        self.burst = self.burst.saturating_add(u32::try_from(count - 1).unwrap_or(u32::MAX));
        (self.since, self.has_lost) = (0, true);
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn as_256ths(share: f64) -> u8 {
    (share * 256.0).clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each letter is a packet: `x` is lost.
    fn losses(packets: &str) -> Losses {
        let mut losses = Losses::default();
        let mut step = 1;
        for packet in packets.chars() {
            if packet == 'x' {
                step += 1;
            } else {
                losses.advance(step);
                step = 1;
            }
        }
        losses.restart();
        losses
    }

    #[test]
    fn losses_far_apart_are_in_gaps_and_close_together_are_a_burst() {
        let alone = format!("{}x", ".".repeat(49)).repeat(20) + ".";
        let pattern = losses(&alone).pattern();
        assert_eq!((pattern.burst_density, pattern.burst_packets), (0, 0));
        assert_eq!(pattern.gap_density, 5, "one in fifty, in 256ths");
        let bursts = format!("{}x.x.x.x", ".".repeat(100)).repeat(20) + &".".repeat(20);
        let pattern = losses(&bursts).pattern();
        assert!((120..=150).contains(&pattern.burst_density), "{pattern:?}");
        assert!(
            (6..=9).contains(&pattern.burst_packets) && (95..=110).contains(&pattern.gap_packets),
            "{pattern:?}"
        );
        assert_eq!(pattern.gap_density, 0);
    }

    #[test]
    fn a_run_of_losses_is_one_run_however_long() {
        for run in [1, 3, 16, 17, 18, 40, 2000] {
            let found = losses(&format!("{0}{1}{0}{1}{0}", ".".repeat(30), "x".repeat(run)));
            let missed = Missed { lost: 2 * run as u64, discarded: 0, runs: 2 };
            assert_eq!(found.missed(), missed, "{run}");
        }
    }

    #[test]
    fn a_packet_that_comes_a_little_later_is_not_lost() {
        let mut found = losses("....................");
        found.advance(3);
        found.fill(1);
        found.fill(2);
        found.fill(40);
        (0..60).for_each(|_| found.advance(1));
        assert_eq!(found.missed(), Missed::default());
    }

    #[test]
    fn what_came_and_was_not_heard_lies_among_the_losses() {
        let mut found = losses(&".".repeat(40));
        // Of the last three packets the first two, then one that never comes: three in a row.
        (0..3).for_each(|_| found.advance(1));
        found.discard(0b110);
        found.fill(1);
        found.discard(0b010);
        found.discard(0b001);
        found.advance(2);
        (0..60).for_each(|_| found.advance(1));
        assert_eq!(found.missed(), Missed { lost: 1, discarded: 3, runs: 1 });
        let pattern = found.pattern();
        assert_eq!((pattern.burst_density, pattern.burst_packets), (255, 4), "{pattern:?}");
        // What nobody waits for any more is lost, whatever is said of it later.
        found.advance(2);
        (0..49).for_each(|_| found.advance(1));
        found.discard(u64::MAX << 48);
        assert_eq!(found.missed().lost, 2);
    }

    #[test]
    fn without_loss_all_is_one_gap() {
        let pattern = losses(&".".repeat(500)).pattern();
        assert_eq!(pattern, Pattern { gap_packets: 500, ..Pattern::default() });
    }
}
