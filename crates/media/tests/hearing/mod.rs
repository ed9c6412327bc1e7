//! A sender, a network and a hearer for the jitter buffer, in virtual time.

// Each test file is a crate of its own, to which nothing here is public, and uses only a part of it; and
// what is no test itself counts as production code for the lints.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use base::Time;
use media::jitter::{
    Advice, Arrived, Content, Figures, JitterBuffer, Taken, WAIT_FIRST, WAIT_MARGIN, WAIT_SHORTEST,
    WAIT_SLACK,
};

/// How finely the delays are counted.
const DELAYS_COUNTED_BY: Duration = Duration::from_millis(5);

/// The network takes so long by default, in microseconds.
const DELAY: u64 = 50_000;
const TICK: u64 = 20_000;
/// What a time stretch takes away or adds.
const PITCH: u64 = 5000;
/// When the hearer's first tick is: its ticks are not those of the sender.
const FIRST_TICK: u64 = 7000;

#[derive(Clone, Copy, Debug)]
pub struct Packet {
    /// When it comes, in microseconds.
    pub at: u64,
    pub number: u32,
    pub ssrc: u32,
    pub sequence: u16,
    pub timestamp: u32,
    pub marker: bool,
    pub payload_type: u8,
    pub content: Content,
    pub millis: u64,
}

impl Packet {
    /// One that is sent so many packets of 20 ms at 8 kHz later.
    pub fn after(self, count: u32) -> Packet {
        Packet {
            at: self.at + u64::from(count) * 20_000,
            sequence: self.sequence.wrapping_add(count as u16),
            timestamp: self.timestamp.wrapping_add(count * 160),
            ..self
        }
    }

    fn payload(&self) -> [u8; 8] {
        let [a, b, c, d] = self.number.to_be_bytes();
        [a, b, c, d, self.millis as u8, 0, 0, 0]
    }
}

/// Someone talks without a pause.
#[derive(Clone, Copy, Debug)]
pub struct Talk {
    pub first: u32,
    pub count: u32,
    pub from_ms: u64,
    pub millis: u64,
    pub clock: u32,
    pub payload_type: u8,
    pub marked: bool,
    pub delay: u64,
}

impl Talk {
    pub fn plain(count: u32) -> Talk {
        Talk {
            first: 0,
            count,
            from_ms: 0,
            millis: 20,
            clock: 8000,
            payload_type: 8,
            marked: false,
            delay: DELAY,
        }
    }

    pub fn packets(self) -> Vec<Packet> {
        let packet = |n: u32| {
            let made = self.from_ms + u64::from(n) * self.millis;
            Packet {
                at: made * 1000 + self.delay,
                number: self.first + n,
                ssrc: 7,
                sequence: (self.first + n) as u16,
                timestamp: (made * u64::from(self.clock) / 1000) as u32,
                marker: self.marked && n == 0,
                payload_type: self.payload_type,
                content: Content::Speech,
                millis: self.millis,
            }
        };
        (0..self.count).map(packet).collect()
    }
}

pub fn talk(count: u32) -> Vec<Packet> {
    Talk::plain(count).packets()
}

/// When the packet of this number comes if nothing delays it.
pub fn packets_at(number: u64) -> u64 {
    number * 20_000 + DELAY
}

/// How long speech waits in the end where every packet is equally long on its way.
pub fn steady_wait() -> Duration {
    steady_wait_after(WAIT_FIRST)
}

/// The same, where speech begins when it should wait so long. It does at the hearer's first tick at which there is nothing left
/// to wait for, and is shortened, a pitch at a time, while that is more than the slack.
pub fn steady_wait_after(target: Duration) -> Duration {
    let micros = |wait: Duration| wait.as_micros() as u64;
    let mut wait = (FIRST_TICK + TICK - DELAY % TICK) % TICK;
    while wait + micros(WAIT_MARGIN) < micros(target) {
        wait += TICK;
    }
    while wait > micros(WAIT_SHORTEST + WAIT_SLACK) {
        wait -= PITCH;
    }
    Duration::from_micros(wait)
}

/// How long speech may wait where packets are on their way up to so much longer than the quickest: as long as all but a few of
/// them need, the margin and the slack, and what the hearer still holds when it takes the next packet.
pub fn longest_wait(jitter: Duration) -> Duration {
    (jitter.div_duration_f64(DELAYS_COUNTED_BY).ceil() as u32 * DELAYS_COUNTED_BY + WAIT_MARGIN)
        .max(WAIT_SHORTEST)
        + WAIT_SLACK
        + Duration::from_micros(TICK)
}

pub fn hear(clock: u32, packets: &[Packet]) -> Heard {
    Hearer::new(clock).hear(packets)
}

/// What was heard, and when.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    spoken: Vec<u32>,
    losses: Vec<u64>,
    pub lost_time: Duration,
    pub followers: Vec<u32>,
    pub noises: u32,
    silences: Vec<u64>,
    pub begun: Vec<u32>,
    pub payload_types: Vec<u8>,
    waits: Vec<(u64, Duration)>,
    pub faster: u32,
    pub slower: u32,
    pub figures: Figures,
}

impl Heard {
    pub fn numbers(&self) -> Vec<u32> {
        self.spoken.clone()
    }

    pub fn lost(&self) -> usize {
        self.losses.len()
    }

    /// Ticks without speech between these seconds.
    pub fn silences_between(&self, from: u64, to: u64) -> usize {
        self.silences.iter().filter(|at| (from * 1_000_000..to * 1_000_000).contains(*at)).count()
    }

    pub fn wait_at_end(&self) -> Duration {
        self.waits.last().unwrap().1
    }

    pub fn wait_at(&self, second: u64) -> Duration {
        self.waits.iter().find(|(at, _)| *at >= second * 1_000_000).unwrap().1
    }

    pub fn longest_wait_after(&self, second: u64) -> Duration {
        self.waits.iter().filter(|(at, _)| *at >= second * 1_000_000).map(|(_, wait)| *wait).max().unwrap()
    }
}

pub struct Hearer {
    pub buffer: JitterBuffer,
    now: u64,
    /// Decoded and not yet heard, in microseconds.
    held: u64,
    heard: Heard,
}

impl Hearer {
    pub fn new(clock: u32) -> Hearer {
        Hearer { buffer: JitterBuffer::new(clock), now: FIRST_TICK, held: 0, heard: Heard::default() }
    }

    /// Takes these as they come, until a quarter of a second before the last one's time is over.
    pub fn hear(&mut self, packets: &[Packet]) -> Heard {
        let mut packets = packets.to_vec();
        packets.sort_by_key(|packet| packet.at);
        let mut coming = packets.iter().peekable();
        while coming.peek().is_some() || self.is_playing() {
            while let Some(packet) = coming.next_if(|packet| packet.at <= self.now) {
                self.insert(packet);
            }
            self.tick(coming.peek().is_some());
        }
        self.heard.figures = *self.buffer.figures();
        self.heard.clone()
    }

    fn insert(&mut self, packet: &Packet) {
        let payload = packet.payload();
        self.buffer.insert(
            Time::from_micros(packet.at),
            &Arrived {
                ssrc: packet.ssrc,
                sequence: packet.sequence,
                timestamp: packet.timestamp,
                marker: packet.marker,
                payload_type: packet.payload_type,
                content: packet.content,
                payload: &payload,
            },
        );
    }

    fn is_playing(&self) -> bool {
        self.buffer.wait().is_some()
    }

    fn tick(&mut self, more_is_coming: bool) {
        while self.held < TICK {
            self.take(more_is_coming);
        }
        self.held -= TICK;
        self.now += TICK;
    }

    fn take(&mut self, more_is_coming: bool) {
        let heard = &mut self.heard;
        match self.buffer.take(Time::from_micros(self.now), Duration::from_micros(self.held)) {
            Taken::Speech { payload_type, payload, begins } => {
                let number = u32::from_be_bytes(payload[..4].try_into().unwrap());
                heard.spoken.push(number);
                if begins {
                    heard.begun.push(number);
                }
                if heard.payload_types.last() != Some(&payload_type) {
                    heard.payload_types.push(payload_type);
                }
                self.held += u64::from(payload[4]) * 1000;
                self.stretch();
            }
            Taken::Lost { span, next } => {
                assert!(
                    span >= Duration::from_micros(2500) && span <= Duration::from_millis(120),
                    "{span:?}"
                );
                // What is missing after the end is nobody's loss.
                if more_is_coming {
                    heard.losses.push(self.now);
                    heard.lost_time += span;
                }
                heard.followers.extend(next.map(|next| u32::from_be_bytes(next[..4].try_into().unwrap())));
                self.held += span.as_micros() as u64;
            }
            Taken::Noise { .. } => {
                heard.noises += 1;
                self.held = TICK;
            }
            Taken::Silence | Taken::Filling => {
                heard.silences.push(self.now);
                self.held = TICK;
            }
        }
    }

    fn stretch(&mut self) {
        match self.buffer.advice() {
            Advice::Normal => {}
            Advice::Faster => {
                self.held -= PITCH;
                self.heard.faster += 1;
            }
            Advice::Slower => {
                self.held += PITCH;
                self.heard.slower += 1;
            }
        }
        if let Some(wait) = self.buffer.wait() {
            self.heard.waits.push((self.now, wait));
        }
    }
}
