//! How well the two sides of a leg are heard: reckoned every ten seconds, and told when it changes.

mod e_model;
mod hearing;
mod losses;

use std::time::Duration;

use base::Time;
use media_api::{Codec, Decoded, Quality, Voice};

use crate::reception::Reception;
use crate::reports::Reports;
use crate::rtcp::VoiceMetrics;

pub(crate) use e_model::{Faults, opinion};
pub(crate) use hearing::{Heard, Hearings, Waits};
use losses::Missed;
pub(crate) use losses::{GAP_MIN, Losses, Pattern};

/// So long a span is.
pub(crate) const SPAN: Duration = Duration::from_secs(10);

/// Spans that are like the last one told are told together, so many at most.
const TOGETHER_MAX: u32 = 6;
/// Two scores are alike if they differ by no more, in hundredths.
const ALIKE: u16 = 15;

/// What a hearer who is not known waits for jitter, and how often the jitter: what most devices do.
const WAIT_MIN: Duration = Duration::from_millis(20);
const WAIT_MAX: Duration = Duration::from_millis(200);
const WAIT_PER_JITTER: u32 = 3;

/// What is known of a leg when its quality is reckoned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Evidence<'a> {
    pub(crate) codec: Codec,
    /// The speech in a packet.
    pub(crate) packet_time: Duration,
    pub(crate) reception: &'a Reception,
    /// By those who decode here what the party says.
    pub(crate) hearings: &'a Hearings,
    pub(crate) reports: &'a Reports,
    /// Packets sent.
    pub(crate) sent: u64,
}

/// Reckons the quality of one leg.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    due: Option<Time>,
    since: Counts,
    told: Option<Quality>,
    /// Spans that were like the one told last.
    untold: u32,
}

/// What was counted when a span began.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    expected: u64,
    missed: Missed,
    concealed: Duration,
    stretched: Duration,
    /// As of the peer's last report.
    reported: Reported,
}

/// What the peer had told when its last report of us came.
#[derive(Clone, Copy, Debug, Default)]
struct Reported {
    /// How many reports had come.
    blocks: u64,
    /// Packets sent by then.
    sent: u64,
    lost: u64,
    /// The share that it discarded of all that it was sent so far, in 256ths, rounded down.
    discarded_share: u64,
}

impl Meter {
    /// Begins to reckon.
    pub(crate) fn begin(&mut self, now: Time) {
        self.due.get_or_insert(now + SPAN);
    }

    pub(crate) fn due(&self) -> Option<Time> {
        self.due
    }

    /// A span is over: its quality, if that is to be told.
    pub(crate) fn check(&mut self, now: Time, evidence: &Evidence<'_>) -> Option<Quality> {
        let due = self.due.filter(|due| *due <= now)?;
        // What was overslept is part of this span.
        self.due = Some((due + SPAN).max(now + SPAN / 2));
        let counts = Counts::of(evidence);
        let quality = Quality {
            spans: self.untold + 1,
            here: evidence.here(&self.since, &counts),
            there: evidence.there(&self.since, &counts),
            round_trip: evidence.reports.round_trip,
            heard: evidence.heard(&self.since, &counts),
        };
        // What is reported next is told as of the last report.
        let reported = if quality.there.is_some() { counts.reported } else { self.since.reported };
        self.since = Counts { reported, ..counts };
        let is_alike = self.told.as_ref().is_some_and(|told| are_alike(told, &quality));
        self.untold += 1;
        if is_alike && self.untold < TOGETHER_MAX {
            return None;
        }
        self.untold = 0;
        // A leg on which nothing is said has nothing to tell, again and again.
        if quality.here.is_none() && quality.there.is_none() && self.told.as_ref().is_none_or(is_empty) {
            return None;
        }
        self.told = Some(quality);
        Some(quality)
    }
}

/// What came of the party's packets between two counts.
#[derive(Clone, Copy, Debug)]
struct Came {
    /// Not 0.
    expected: u64,
    lost: u64,
    discarded: u64,
    /// How many times one or more in a row were not heard.
    runs: u64,
}

impl Came {
    fn between(from: &Counts, to: &Counts) -> Option<Came> {
        let expected = to.expected.saturating_sub(from.expected);
        let (from, to) = (from.missed, to.missed);
        let lost = to.lost.saturating_sub(from.lost).min(expected);
        let discarded = to.discarded.saturating_sub(from.discarded).min(expected - lost);
        let runs = to.runs.saturating_sub(from.runs);
        (expected > 0).then_some(Came { expected, lost, discarded, runs })
    }
}

impl Evidence<'_> {
    /// That of the whole call: in both directions, and by those who heard it here.
    pub(crate) fn whole(&self) -> (Option<Voice>, Option<Voice>, Option<Decoded>) {
        let (none, all) = (Counts::default(), Counts::at_the_end(self));
        (self.here(&none, &all), self.there(&none, &all), self.hearings.all())
    }

    /// What an extended report says of the party's speech; `None` if none has come.
    pub(crate) fn metrics(&self) -> Option<VoiceMetrics> {
        let ssrc = self.reception.ssrc()?;
        let came = Came::between(&Counts::default(), &Counts::of(self))?;
        let share = |packets: u64| packets as f64 / came.expected as f64;
        let faults = self.faults(&came);
        let rating = faults.rating();
        Some(VoiceMetrics {
            ssrc,
            lost: share(came.lost),
            discarded: share(came.discarded),
            pattern: self.reception.losses().pattern(),
            packet_time: self.packet_time,
            round_trip: self.reports.round_trip,
            rating,
            opinions: (opinion(Faults { delay: Duration::ZERO, ..faults }.rating()), opinion(rating)),
            waits: self.hearings.waits(),
        })
    }

    /// What the party said, as it came.
    fn here(&self, from: &Counts, to: &Counts) -> Option<Voice> {
        let came = Came::between(from, to)?;
        let mos = opinion(self.faults(&came).rating());
        let Came { expected, lost, discarded, .. } = came;
        Some(voice(expected, (lost, discarded), self.reception.jitter(), mos))
    }

    /// How it was heard here; the longest wait is that of the whole call.
    fn heard(&self, from: &Counts, to: &Counts) -> Option<Decoded> {
        let concealed = to.concealed.saturating_sub(from.concealed);
        let stretched = to.stretched.saturating_sub(from.stretched);
        self.hearings.all().map(|all| Decoded { concealed, stretched, ..all })
    }

    fn faults(&self, came: &Came) -> Faults {
        let loss = (came.lost + came.discarded) as f64 / came.expected as f64;
        let in_a_row =
            if came.runs == 0 { 1.0 } else { (came.lost + came.discarded) as f64 / came.runs as f64 };
        let burst_ratio = in_a_row * (1.0 - loss);
        let wait = self.hearings.waits().map_or_else(|| wait_for(self.reception.jitter()), |waits| waits.now);
        Faults { codec: self.codec, loss, burst_ratio, delay: self.delay(wait) }
    }

    /// What the party heard of us, as it reports; `None` if it has not reported since.
    fn there(&self, from: &Counts, to: &Counts) -> Option<Voice> {
        let (from, to) = (from.reported, to.reported);
        let jitter = self.reports.remote_jitter.filter(|_| to.blocks > from.blocks)?;
        let packets = to.sent.saturating_sub(from.sent);
        if packets == 0 {
            return None;
        }
        let lost = to.lost.saturating_sub(from.lost).min(packets);
        let discarded = to.discarded_since(from).min(packets - lost);
        let loss = (lost + discarded) as f64 / packets as f64;
        let faults =
            Faults { codec: self.codec, loss, burst_ratio: 1.0, delay: self.delay(wait_for(jitter)) };
        let mos = opinion(faults.rating());
        Some(voice(packets, (lost, discarded), jitter, mos))
    }

    /// From the speaker's mouth to the hearer's ear, as far as this leg goes.
    fn delay(&self, wait: Duration) -> Duration {
        self.reports.round_trip.unwrap_or_default() / 2 + self.packet_time + wait
    }
}

impl Counts {
    fn of(evidence: &Evidence<'_>) -> Counts {
        let heard = evidence.hearings.all().unwrap_or_default();
        let reports = evidence.reports;
        Counts {
            expected: evidence.reception.expected(),
            missed: evidence.reception.losses().missed(),
            concealed: heard.concealed,
            stretched: heard.stretched,
            reported: Reported {
                blocks: reports.blocks,
                sent: evidence.sent,
                lost: reports.remote_lost.unwrap_or(0),
                discarded_share: reports.remote_shares.map_or(0, |(_, share)| u64::from(share)),
            },
        }
    }

    /// Nothing that is missing is waited for any more.
    fn at_the_end(evidence: &Evidence<'_>) -> Counts {
        let mut losses = *evidence.reception.losses();
        losses.restart();
        Counts { missed: losses.missed(), ..Counts::of(evidence) }
    }
}

impl Reported {
    /// The least that was discarded between two reports: the share is of all so far (RFC 3611 §4.7.1), and rounded.
    fn discarded_since(self, from: Reported) -> u64 {
        let before = if from.blocks == 0 { 0 } else { (from.discarded_share + 1) * from.sent };
        (self.discarded_share * self.sent).saturating_sub(before) / 256
    }
}

fn wait_for(jitter: Duration) -> Duration {
    (jitter * WAIT_PER_JITTER).clamp(WAIT_MIN, WAIT_MAX)
}

fn voice(packets: u64, (lost, discarded): (u64, u64), jitter: Duration, mos: u16) -> Voice {
    let few = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    Voice { packets: few(packets), lost: few(lost), discarded: few(discarded), jitter, mos }
}

fn is_empty(quality: &Quality) -> bool {
    quality.here.is_none() && quality.there.is_none()
}

fn are_alike(told: &Quality, quality: &Quality) -> bool {
    let alike = |a: &Option<Voice>, b: &Option<Voice>| match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => a.mos.abs_diff(b.mos) <= ALIKE,
        _ => false,
    };
    alike(&told.here, &quality.here) && alike(&told.there, &quality.there)
}
