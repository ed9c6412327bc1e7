//! What is known of the packets that come in: order, loss and jitter (RFC 3550 §A.1, §A.3, §A.8).

use std::time::Duration;

use base::Time;

use crate::quality::Losses;
use crate::rtp::{TickRate, ahead};

/// A step forward of more packets than this is a new beginning and no loss.
const DROPOUT_MAX: i16 = 3000;

/// A packet older than this is a new beginning and not late.
const MISORDER_MAX: i16 = 100;

/// How a packet stands to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// The newest so far.
    New,
    /// Overtaken by others, or a duplicate.
    Late,
    /// The first of a new source or of a new count.
    Restarted,
    /// Out of range. If the next one follows on it, the count has begun anew; until then it is dropped.
    Doubtful,
}

#[derive(Debug)]
pub(crate) struct Reception {
    rate: TickRate,
    stream: Option<Stream>,
    /// Of streams that have ended.
    received_before: u64,
    lost_before: u64,
    expected_before: u64,
    losses: Losses,
}

/// One count of one source.
#[derive(Debug)]
struct Stream {
    ssrc: u32,
    first: u32,
    /// The highest sequence number, with the wraps above its 16 bits.
    highest: u32,
    received: u32,
    /// What would show that the sender has begun to count anew.
    restart: Option<u16>,
    expected_reported: u32,
    received_reported: u32,
    /// Arrival less timestamp of the last packet, in ticks.
    transit: Option<u32>,
    /// In sixteenths of a tick.
    jitter: u32,
}

/// What a report block says of a source (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) ssrc: u32,
    pub(crate) fraction_lost: u8,
    /// As on the wire: 24 bits, two's complement.
    pub(crate) lost: u32,
    pub(crate) highest: u32,
    pub(crate) jitter: u32,
}

impl Reception {
    pub(crate) fn new() -> Reception {
        Reception {
            rate: TickRate::TELEPHONE,
            stream: None,
            received_before: 0,
            lost_before: 0,
            expected_before: 0,
            losses: Losses::default(),
        }
    }

    /// The sender's clock from now on.
    pub(crate) fn set_rate(&mut self, rate: TickRate) {
        if std::mem::replace(&mut self.rate, rate) != rate
            && let Some(stream) = &mut self.stream
        {
            (stream.transit, stream.jitter) = (None, 0);
        }
    }

    /// Counts a packet. `timed` says that its timestamp tells when it was made, as that of a key does not.
    pub(crate) fn take(
        &mut self,
        now: Time,
        ssrc: u32,
        sequence: u16,
        timestamp: u32,
        timed: bool,
    ) -> Arrival {
        let (arrival, step) = match &mut self.stream {
            Some(stream) if stream.ssrc == ssrc => {
                let step = ahead(sequence, stream.highest as u16);
                (stream.order(sequence), step)
            }
            _ => (Arrival::Restarted, 1),
        };
        match arrival {
            Arrival::Doubtful => return arrival,
            Arrival::Restarted => self.begin(ssrc, sequence),
            Arrival::New => self.losses.advance(u32::from(step.unsigned_abs())),
            Arrival::Late => self.losses.fill(u32::from(step.unsigned_abs())),
        }
        if let Some(stream) = &mut self.stream {
            stream.received = stream.received.saturating_add(1);
            if timed {
                stream.measure(now, timestamp, self.rate);
            }
        }
        arrival
    }

    /// Whether a packet of this source and number would continue what came before.
    pub(crate) fn continues(&self, ssrc: u32, sequence: u16) -> bool {
        self.stream.as_ref().is_some_and(|stream| {
            let step = ahead(sequence, stream.highest as u16);
            stream.ssrc == ssrc && (-MISORDER_MAX..DROPOUT_MAX).contains(&step)
        })
    }

    /// The source that is heard, if any was.
    pub(crate) fn ssrc(&self) -> Option<u32> {
        self.stream.as_ref().map(|stream| stream.ssrc)
    }

    pub(crate) fn received(&self) -> u64 {
        self.received_before + self.stream.as_ref().map_or(0, |stream| u64::from(stream.received))
    }

    pub(crate) fn lost(&self) -> u64 {
        self.lost_before + self.stream.as_ref().map_or(0, Stream::lost)
    }

    /// Packets that should have come.
    pub(crate) fn expected(&self) -> u64 {
        self.expected_before + self.stream.as_ref().map_or(0, |stream| u64::from(stream.expected()))
    }

    /// Of the packets up to this one of the source these have come and were not heard: bit n is the packet n before it.
    pub(crate) fn discard(&mut self, ssrc: u32, newest: u16, packets: u64) {
        if self.stream.as_ref().is_some_and(|stream| (stream.ssrc, stream.highest as u16) == (ssrc, newest)) {
            self.losses.discard(packets);
        }
    }

    /// How the losses lie.
    pub(crate) fn losses(&self) -> &Losses {
        &self.losses
    }

    pub(crate) fn jitter(&self) -> Duration {
        let ticks = self.stream.as_ref().map_or(0, |stream| stream.jitter >> 4);
        self.rate.span(ticks)
    }

    /// The figures since the last report, which this one is.
    pub(crate) fn report(&mut self) -> Option<Figures> {
        self.stream.as_mut().map(Stream::report)
    }

    fn begin(&mut self, ssrc: u32, sequence: u16) {
        self.received_before = self.received();
        self.lost_before = self.lost();
        self.expected_before = self.expected();
        self.losses.restart();
        self.losses.advance(1);
        let first = u32::from(sequence);
        self.stream = Some(Stream {
            ssrc,
            first,
            highest: first,
            received: 0,
            restart: None,
            expected_reported: 0,
            received_reported: 0,
            transit: None,
            jitter: 0,
        });
    }
}

impl Stream {
    fn order(&mut self, sequence: u16) -> Arrival {
        let step = ahead(sequence, self.highest as u16);
        if (1..DROPOUT_MAX).contains(&step) {
            self.highest = self.highest.wrapping_add(step as u32);
            self.restart = None;
            return Arrival::New;
        }
        if (-MISORDER_MAX..=0).contains(&step) {
            return Arrival::Late;
        }
        if self.restart == Some(sequence) {
            return Arrival::Restarted;
        }
        self.restart = Some(sequence.wrapping_add(1));
        Arrival::Doubtful
    }

    fn measure(&mut self, now: Time, timestamp: u32, rate: TickRate) {
        let arrived = rate.ticks_of_micros(u128::from(now.micros()));
        let transit = arrived.wrapping_sub(timestamp);
        if let Some(before) = self.transit.replace(transit) {
            // A sender that moves its clock is no jitter: more than a second would drown all that is.
            let change = (transit.wrapping_sub(before) as i32).unsigned_abs();
            if change < rate.millis(1000) {
                self.jitter = self.jitter.saturating_add(change).saturating_sub((self.jitter + 8) >> 4);
            }
        }
    }

    fn expected(&self) -> u32 {
        self.highest.wrapping_sub(self.first).wrapping_add(1)
    }

    fn lost(&self) -> u64 {
        u64::from(self.expected().saturating_sub(self.received))
    }

    fn report(&mut self) -> Figures {
        let expected = self.expected();
        let expected_since = expected.wrapping_sub(self.expected_reported);
        let received_since = self.received.wrapping_sub(self.received_reported);
        (self.expected_reported, self.received_reported) = (expected, self.received);
        let lost_since = expected_since.saturating_sub(received_since);
        let fraction = u64::from(lost_since) * 256 / u64::from(expected_since.max(1));
        let lost = i64::from(expected) - i64::from(self.received);
        Figures {
            ssrc: self.ssrc,
            fraction_lost: fraction.min(255) as u8,
            lost: lost.clamp(-0x80_0000, 0x7f_ffff) as u32 & 0xff_ffff,
            highest: self.highest,
            jitter: self.jitter >> 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Arrival::*;

    #[test]
    fn a_sequence_tells_order_loss_and_new_beginnings() {
        for (sequences, arrivals, lost) in [
            (&[10u16, 11, 12][..], &[Restarted, New, New][..], 0),
            (&[10, 12, 11], &[Restarted, New, Late], 0),
            (&[10, 13], &[Restarted, New], 2),
            (&[65534, 65535, 0, 2], &[Restarted, New, New, New], 1),
            (&[10, 30000, 11], &[Restarted, Doubtful, New], 0),
            (&[10, 30000, 30001, 30002], &[Restarted, Doubtful, Restarted, New], 0),
            (&[10, 10, 10], &[Restarted, Late, Late], 0),
        ] {
            let mut reception = Reception::new();
            let got: Vec<_> =
                sequences.iter().map(|sequence| reception.take(Time::ZERO, 1, *sequence, 0, true)).collect();
            assert_eq!(got, arrivals, "{sequences:?}");
            assert_eq!(reception.lost(), lost, "{sequences:?}");
        }
    }

    #[test]
    fn packets_that_come_evenly_have_no_jitter_and_uneven_ones_have() {
        let mut reception = Reception::new();
        for n in 0..100u32 {
            reception.take(Time::from_millis(u64::from(n) * 20), 1, n as u16, n * 160, true);
        }
        assert_eq!(reception.jitter(), Duration::ZERO);
        for n in 100..300u32 {
            let late = u64::from(n % 2) * 10;
            reception.take(Time::from_millis(u64::from(n) * 20 + late), 1, n as u16, n * 160, true);
        }
        let jitter = reception.jitter();
        assert!((Duration::from_millis(9)..=Duration::from_millis(10)).contains(&jitter), "{jitter:?}");
    }

    #[test]
    fn a_report_tells_the_loss_since_the_last_one() {
        let mut reception = Reception::new();
        assert_eq!(reception.report(), None);
        for sequence in [0u16, 1, 2, 4] {
            reception.take(Time::ZERO, 7, sequence, 0, true);
        }
        let first = reception.report().unwrap();
        assert_eq!((first.ssrc, first.fraction_lost, first.lost, first.highest), (7, 51, 1, 4));
        reception.take(Time::ZERO, 7, 5, 0, true);
        let second = reception.report().unwrap();
        assert_eq!((second.fraction_lost, second.lost, second.highest), (0, 1, 5));
        for _ in 0..3 {
            reception.take(Time::ZERO, 7, 5, 0, true);
        }
        assert_eq!(reception.report().unwrap().lost, 0xff_fffe, "duplicates make it negative");
    }
}
