//! When a leg reports by RTCP, and what the peer's reports tell.

use std::net::SocketAddr;
use std::time::Duration;

use audio::EncoderSettings;
use base::{Rng, Time, Wall};

use crate::line::Line;
use crate::reception::Reception;
use crate::rtcp::{self, Extended, ReceivedExtended, ReceptionInfo, Report, SenderInfo, VoiceMetrics};

/// RFC 3550 §6.2: five seconds, between half and one and a half of it by chance. Two parties never send so
/// much that it would have to be more.
const INTERVAL_MICROS: u64 = 5_000_000;

/// A longer round trip is a peer that counts wrongly.
const ROUND_TRIP_MAX: Duration = Duration::from_secs(60);

const CNAME_LENGTH: usize = 16;

#[derive(Debug)]
pub(crate) struct Reports {
    rng: Rng,
    wall_at_zero: Wall,
    cname: String,
    due: Option<Time>,
    packets_reported: u64,
    has_reported: bool,
    /// The middle of the NTP time in the peer's last sender report, and when it came.
    last_report: Option<(u32, Time)>,
    /// The same of the peer's last receiver's time (RFC 3611 §4.4), and its SSRC.
    receiver_time: Option<(u32, u32, Time)>,
    /// Where the peer's reports come from, once they were found to be the peer's.
    learned: Option<SocketAddr>,
    pub(crate) heard_at: Option<Time>,
    /// How many reports of us have come.
    pub(crate) blocks: u64,
    pub(crate) remote_lost: Option<u64>,
    /// Of the last report's time, in packets of a hundred; where none has come, what a usual network loses.
    pub(crate) remote_loss: u8,
    pub(crate) remote_jitter: Option<Duration>,
    /// The shares of our packets that the peer lost and discarded, in 256ths, by its extended report.
    pub(crate) remote_shares: Option<(u8, u8)>,
    pub(crate) round_trip: Option<Duration>,
}

impl Reports {
    pub(crate) fn new(mut rng: Rng, wall_at_zero: Wall) -> Reports {
        Reports {
            // A name by chance, kept for the whole call, that tells nothing about this machine (RFC 7022).
            cname: rng.token(CNAME_LENGTH),
            rng,
            wall_at_zero,
            due: None,
            packets_reported: 0,
            has_reported: false,
            last_report: None,
            receiver_time: None,
            learned: None,
            heard_at: None,
            blocks: 0,
            remote_lost: None,
            remote_loss: EncoderSettings::default().expected_loss,
            remote_jitter: None,
            remote_shares: None,
            round_trip: None,
        }
    }

    /// Begins to report; the first time after half the interval.
    pub(crate) fn begin(&mut self, now: Time) {
        if self.due.is_none() {
            self.due = Some(now + self.interval() / 2);
        }
    }

    pub(crate) fn due(&self) -> Option<Time> {
        self.due
    }

    /// Where reports go, if the peer negotiated `negotiated`.
    pub(crate) fn target(&self, negotiated: SocketAddr) -> SocketAddr {
        self.learned.unwrap_or(negotiated)
    }

    /// The address that was learned is void.
    pub(crate) fn forget_address(&mut self) {
        self.learned = None;
    }

    /// Whether a goodbye would tell the peer anything.
    pub(crate) fn have_begun(&self) -> bool {
        self.has_reported
    }

    /// There is nowhere to send the report that is due.
    pub(crate) fn postpone(&mut self, now: Time) {
        self.due = Some(now + self.interval());
    }

    /// Writes the report of `now` and sets when the next one is due.
    pub(crate) fn write(
        &mut self,
        now: Time,
        line: &Line,
        reception: &mut Reception,
        metrics: Option<VoiceMetrics>,
        bye: bool,
        bytes: &mut Vec<u8>,
    ) {
        let has_sent = line.packets() > self.packets_reported;
        let sender = has_sent.then(|| SenderInfo {
            ntp: rtcp::ntp(self.wall_at_zero, now),
            timestamp: line.timestamp_at(now),
            packets: line.packets() as u32,
            bytes: line.bytes() as u32,
        });
        let (last_report, since_last_report) =
            self.last_report.map_or((0, 0), |(middle, at)| (middle, rtcp::to_units(now - at)));
        let reception =
            reception.report().map(|figures| ReceptionInfo { figures, last_report, since_last_report });
        let extended = Extended {
            // Who sends nothing has no sender's report that the peer could answer to.
            receiver_time: sender.is_none().then(|| rtcp::ntp(self.wall_at_zero, now)),
            since_receiver_time: self
                .receiver_time
                .take()
                .map(|(peer, middle, at)| (peer, middle, rtcp::to_units(now - at))),
            metrics,
        };
        Report { ssrc: line.ssrc(), sender, reception, cname: &self.cname, extended, bye }.write(bytes);
        self.packets_reported = line.packets();
        self.has_reported = true;
        self.due = Some(now + self.interval());
    }

    /// Takes in the peer's report. False if it is not the peer's or not sound. `speaker` is the source that
    /// is heard; `expected` says whether `from` is an address that the peer is known by.
    pub(crate) fn take(
        &mut self,
        now: Time,
        from: SocketAddr,
        bytes: &[u8],
        line: &Line,
        speaker: Option<u32>,
        expected: bool,
    ) -> bool {
        let Some(received) = rtcp::parse(bytes, line.ssrc()) else { return false };
        let is_speaker = speaker == Some(received.ssrc);
        if !is_speaker && !expected {
            return false;
        }
        if is_speaker {
            self.learned = Some(from);
        }
        self.heard_at = Some(now);
        if let Some(middle) = received.report {
            self.last_report = Some((middle, now));
        }
        if let Some(block) = received.block {
            self.blocks += 1;
            self.remote_lost = Some(block.lost.max(0) as u64);
            self.remote_loss = (u32::from(block.fraction_lost) * 100).div_ceil(256) as u8;
            self.remote_jitter = Some(line.rate().span(block.jitter).min(ROUND_TRIP_MAX));
            if block.last_report != 0 {
                self.measure(now, block.last_report, block.since_last_report);
            }
        }
        self.take_extended(now, received.ssrc, &received.extended);
        true
    }

    fn take_extended(&mut self, now: Time, peer: u32, extended: &ReceivedExtended) {
        if let Some(middle) = extended.receiver_time {
            self.receiver_time = Some((peer, middle, now));
        }
        if let Some((time, since)) = extended.since_receiver_time.filter(|(time, _)| *time != 0) {
            self.measure(now, time, since);
        }
        if extended.metrics.is_some() {
            self.remote_shares = extended.metrics;
        }
    }

    /// RFC 3550 §6.4.1: now − LSR − DLSR.
    fn measure(&mut self, now: Time, last_report: u32, since_last_report: u32) {
        let here = rtcp::middle(rtcp::ntp(self.wall_at_zero, now));
        let units = here.wrapping_sub(last_report).wrapping_sub(since_last_report);
        let span = Duration::from_micros((u64::from(units) * 1_000_000) >> 16);
        if span < ROUND_TRIP_MAX {
            self.round_trip = Some(span);
        }
    }

    fn interval(&mut self) -> Duration {
        Duration::from_micros(INTERVAL_MICROS / 2 + self.rng.below(INTERVAL_MICROS))
    }
}
