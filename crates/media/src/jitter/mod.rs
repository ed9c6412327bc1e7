//! Speech as it comes from the network, handed to its hearer in order and in time.
//!
//! A [`JitterBuffer`] is one party's. What comes is put in by [`JitterBuffer::insert`]; the hearer asks by
//! [`JitterBuffer::take`] whenever it holds less decoded speech than the tick of 20 ms that it has to fill. It knows no
//! codec: a packet may hold 10 to 60 ms, and the hearer keeps what it does not need yet.
//!
//! What it promises:
//!
//! * Each packet is handed out at most once, in the sender's order.
//! * Speech waits as long as all but one packet in a hundred of the last seconds needed, 20 to 200 ms after the quickest
//!   of them. The wait grows with the next few packets that are later and shrinks in seconds ([`JitterBuffer::advice`]).
//! * A missing packet is [`Taken::Lost`] when its time comes, with its follower if that is there. What comes after its
//!   time is late: one packet alone in a second is passed over, and for more the conversation moves back and is caught up
//!   by advice, so that nothing is lost to a stall that the longest wait can hold.
//! * A sender that pauses is no loss, whether it says so (comfort noise, DTX), jumps with its timestamps, or stops them:
//!   at most 100 ms are made up for before it is known. Each talk-spurt begins at the wait that is right by then.
//! * Clocks that differ do not add up: the wait is measured against the quickest packets of the last four seconds.
//! * A new source, a sequence that begins anew and timestamps that jump go on without a gap.
//! * 32 packets are held at most, each of 1 500 bytes at most. Of a burst the newest are heard. Once every place has held
//!   a packet of the usual size, nothing allocates.

mod count;
mod decide;
mod delay;
mod figures;
mod slots;
#[cfg(test)]
mod tests;

use std::time::Duration;

use base::Time;

pub use figures::Figures;

use count::{Count, Place};
use decide::Decision;
use delay::{Delay, FIRST, LONGEST, MARGIN, SHORTEST};
use slots::Slots;

/// Longer payloads are refused: no path of usual size carries them.
pub const PAYLOAD_MAX: usize = 1500;

/// How much the hearer needs at a time.
const TICK: i64 = 20_000;
/// How much speech a packet may hold (RFC 6716 §2.1.4).
const SPAN_MIN: i64 = 2500;
const SPAN_MAX: i64 = 120_000;
/// A packet that is late alone in so long a time is passed over.
const STRAY_ONCE: u64 = 1_000_000;
/// So long a sender may be missing before it counts as silent.
const PATIENCE: i64 = 100_000;
/// Speech that would be heard so much earlier than what came before it has a pause before it.
const PAUSE_MIN: i64 = 30_000;
/// A wait that is so much longer than it must be is advised to be shortened.
const SLACK: i64 = 12_000;
/// What is so much later than it must be is passed over: to catch up by advice would take seconds.
const EXCESS_MAX: i64 = 200_000;
/// A way that is so much longer after a silence is another one, or the sender's clock stood.
const DETOUR_MIN: i64 = 100_000;
/// No packet can wait longer than this before it is handed out.
pub const WAIT_MAX: Duration = Duration::from_micros((LONGEST + EXCESS_MAX) as u64);
/// How long speech waits before anything is known of the way.
pub const WAIT_FIRST: Duration = Duration::from_micros(FIRST as u64);
/// How long it waits on a way on which all packets take equally long.
pub const WAIT_SHORTEST: Duration = Duration::from_micros(SHORTEST as u64);
/// It begins, and is not drawn out, where so much less is left of its wait.
pub const WAIT_MARGIN: Duration = Duration::from_micros(MARGIN as u64);
/// It is shortened only where it waits so much longer than it must.
pub const WAIT_SLACK: Duration = Duration::from_micros(SLACK as u64);
/// What was on its way so much longer than what came after it was late.
const STALL_MIN: i64 = 50_000;
/// How long after a silence packets tell whether it was one.
const DOUBT: u64 = 1_000_000;
/// Two losses in this time, and for as long the wait includes the packet that recovers them.
const LOSSY: i64 = 10_000_000;

/// What a packet holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Content {
    /// Speech of a codec.
    #[default]
    Speech,
    /// The sender falls silent or remains so: comfort noise (RFC 3389), an Opus packet of DTX.
    Noise,
    /// Nothing to be heard, such as a telephone-event (RFC 4733); only its place in the sequence counts.
    Other,
}

/// A packet as it comes, checked to be the party's.
#[derive(Clone, Copy, Debug)]
pub struct Arrived<'a> {
    /// The source: another one begins anew.
    pub ssrc: u32,
    /// Its number.
    pub sequence: u16,
    /// Its timestamp, at the buffer's clock rate.
    pub timestamp: u32,
    /// A talk-spurt begins, as its sender says.
    pub marker: bool,
    /// Handed on, so that the hearer knows the decoder.
    pub payload_type: u8,
    /// What it holds.
    pub content: Content,
    /// Its bytes.
    pub payload: &'a [u8],
}

/// What the hearer gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken<'a> {
    /// The next packet of speech: decode all of it.
    Speech {
        /// By which decoder.
        payload_type: u8,
        /// The packet's bytes.
        payload: &'a [u8],
        /// The first packet of another source or count: a decoder with a memory begins anew.
        begins: bool,
    },
    /// A packet is missing: make up for it.
    Lost {
        /// How much speech is missing.
        span: Duration,
        /// The packet that follows on the missing one and may tell of it (Opus). It is handed out as speech next.
        next: Option<&'a [u8]>,
    },
    /// The sender says how its silence sounds: fill the tick with that.
    Noise {
        /// The payload type of the packet.
        payload_type: u8,
        /// The packet's bytes.
        payload: &'a [u8],
    },
    /// The sender is silent, which is no loss: fill the tick with silence, or with noise as it was last told.
    Silence,
    /// Speech has come and waits for its time, at the beginning and after each silence: fill the tick as in silence.
    Filling,
}

/// How the hearer should play what it takes, so that the wait becomes as it should be. One pitch period a tick is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// As it is.
    Normal,
    /// Shorten it.
    Faster,
    /// Lengthen it.
    Slower,
}

/// Holds one party's packets until their time.
#[derive(Debug)]
pub struct JitterBuffer {
    clock_rate: u32,
    count: Option<Count>,
    slots: Slots,
    delay: Delay,
    playing: Option<Playing>,
    /// The next packet to hand out; `None` until the first of a count was.
    next: Option<i64>,
    /// The next speech is of a count that begins.
    begins: bool,
    /// What was heard last before silence, if a loss may be the reason for it.
    unresolved: Option<Unresolved>,
    span: Span,
    now: u64,
    /// When a packet was passed over last.
    passed_at: u64,
    recovery: Recovery,
    figures: Figures,
}

/// Speech is being heard.
#[derive(Clone, Copy, Debug)]
struct Playing {
    /// From when it was made to when it is heard, by the last packet.
    shift: i64,
    /// How much before it was heard that packet had to be there.
    ahead: i64,
    /// When that packet was made.
    made: i64,
    /// Since when there is nothing to hand out.
    empty_since: Option<i64>,
    /// What was made up for meanwhile: a loss, unless a pause of the sender is the reason.
    made_up: i64,
    /// Something that is no speech came last, so that nothing is missing.
    is_excused: bool,
}

/// A silence, or a stall of the way.
#[derive(Clone, Copy, Debug)]
struct Unresolved {
    /// When the last packet before it was made, and how much was made up for after it.
    made: i64,
    made_up: i64,
    /// How long the first packet after it and the quickest since were on their way.
    transits: Option<(i64, i64)>,
    /// Speech goes on, and until then packets may show that the first one was late.
    until: Option<u64>,
}

/// How long a packet lasts, as far as is known.
#[derive(Clone, Copy, Debug)]
struct Span {
    micros: i64,
    is_known: bool,
    /// A step to the next packet that was longer: packets that last longer, or a pause.
    longer: Option<i64>,
}

/// Whether the wait should hold the packet that recovers a lost one.
#[derive(Debug, Default)]
struct Recovery {
    wanted: bool,
    last_loss: Option<i64>,
    until: i64,
}

impl JitterBuffer {
    /// An empty buffer for packets whose timestamps count so many ticks a second.
    pub fn new(clock_rate: u32) -> JitterBuffer {
        JitterBuffer {
            clock_rate,
            count: None,
            slots: Slots::new(),
            delay: Delay::new(),
            playing: None,
            next: None,
            begins: true,
            unresolved: None,
            span: Span::default(),
            now: 0,
            passed_at: 0,
            recovery: Recovery::default(),
            figures: Figures::default(),
        }
    }

    /// The packets that come from now on count at this rate. What is held of another rate is dropped.
    pub fn set_clock_rate(&mut self, clock_rate: u32) {
        if self.clock_rate != clock_rate {
            self.clock_rate = clock_rate;
            self.restart();
        }
    }

    /// The codec can recover a lost packet from the next one: where packets get lost, wait for that one too.
    pub fn expect_recovery(&mut self, on: bool) {
        self.recovery.wanted = on;
    }

    /// Takes in a packet that has come. Every packet of the source is to be put in, also those that are not heard
    /// ([`Content::Other`]), or they would be missing.
    pub fn insert(&mut self, now: Time, arrived: &Arrived<'_>) {
        if arrived.payload.len() > PAYLOAD_MAX {
            self.figures.refused += 1;
            return;
        }
        self.now = self.now.max(now.micros());
        if !self.count.as_ref().is_some_and(|count| count.holds(arrived.ssrc, arrived.sequence)) {
            self.restart();
            self.count = Some(Count::new(arrived.ssrc, self.clock_rate, arrived.sequence, arrived.timestamp));
        }
        let is_timed = arrived.content != Content::Other;
        let Some(count) = &mut self.count else { return };
        let Some(place) =
            count.enter(self.now, arrived.sequence, arrived.timestamp, is_timed, self.span.micros)
        else {
            self.figures.duplicates += 1;
            return;
        };
        if is_timed && !place.is_guess {
            self.measure(place);
        }
        if self.next.is_some_and(|next| place.sequence < next) || !self.make_room(place.sequence) {
            if is_timed {
                self.figures.late += 1;
                count_discard(&mut self.count, place.sequence);
            }
            return;
        }
        self.slots.put(self.now, place, arrived);
    }

    /// What is to be heard next. `held` is how much decoded speech the hearer still holds, which is heard before. To be
    /// asked again as long as the hearer holds less than its tick needs.
    pub fn take(&mut self, now: Time, held: Duration) -> Taken<'_> {
        self.now = self.now.max(now.micros());
        let held = i64::try_from(held.as_micros()).unwrap_or(0).min(SPAN_MAX);
        let at = self.now as i64 + held;
        loop {
            match self.decide(at) {
                Decision::Give(sequence) => return self.give(at, held, sequence),
                Decision::Lost(span, next, follower) => return self.make_up_for(at, span, next, follower),
                Decision::Dry(span) => return self.wait_for(at, span),
                Decision::Silence => {
                    self.fall_silent();
                    return Taken::Silence;
                }
                Decision::Filling => return Taken::Filling,
                Decision::Pause => self.pause(),
                Decision::TooLate(sequence) => {
                    self.figures.late += 1;
                    count_discard(&mut self.count, sequence);
                    self.pass(sequence);
                }
                Decision::TooMany(sequence) => {
                    self.figures.early += 1;
                    count_discard(&mut self.count, sequence);
                    self.pass(sequence);
                }
                Decision::PassOver(sequence) => {
                    self.playing.iter_mut().for_each(|playing| playing.is_excused = true);
                    self.pass(sequence);
                }
            }
        }
    }

    /// How to play what was taken last.
    pub fn advice(&self) -> Advice {
        let Some((wait, playing)) = self.wait_micros().zip(self.playing) else { return Advice::Normal };
        let (wait, target) = (wait - playing.ahead, self.target());
        if wait > target + SLACK {
            Advice::Faster
        } else if wait < target - MARGIN {
            Advice::Slower
        } else {
            Advice::Normal
        }
    }

    /// How long speech waits after the quickest packets would have let it be heard; `None` in silence.
    pub fn wait(&self) -> Option<Duration> {
        self.wait_micros().map(micros)
    }

    /// How long it should wait.
    pub fn target_wait(&self) -> Duration {
        micros(self.target())
    }

    /// The earliest packet that would be handed out now waits so long.
    pub fn longest_wait(&self) -> Duration {
        micros(self.target() + EXCESS_MAX)
    }

    /// The source and number of the newest packet, and which of those up to it have come and were not handed out: bit n is
    /// the packet n before it. `None` before the first packet.
    pub fn discarded(&self) -> Option<(u32, u16, u64)> {
        self.count.as_ref().map(Count::discarded)
    }

    /// What has happened so far.
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    fn target(&self) -> i64 {
        let is_recovering = self.recovery.wanted && (self.now as i64) < self.recovery.until;
        (self.delay.target() + if is_recovering { self.span.micros } else { 0 }).min(LONGEST)
    }

    fn wait_micros(&self) -> Option<i64> {
        Some(self.playing?.shift - self.delay.floor(self.now)?)
    }

    fn restart(&mut self) {
        let early = &mut self.figures.early;
        self.slots.release_before(i64::MAX, |_| *early += 1);
        (self.count, self.playing, self.unresolved) = (None, None, None);
        (self.next, self.begins) = (None, true);
        self.delay.forget_floor();
    }

    fn measure(&mut self, place: Place) {
        let transit = self.now as i64 - place.made;
        let floor = self.delay.floor(self.now);
        let is_detour = floor.is_some_and(|floor| transit - floor > DETOUR_MIN);
        if self.playing.is_none() && self.slots.count() == 0 && is_detour {
            self.delay.forget_floor();
        }
        self.delay.measure(self.now, transit);
        self.doubt(transit);
    }

    /// Drops what is too old to be held together with the newest packet. False if this one is.
    fn make_room(&mut self, sequence: i64) -> bool {
        let highest = self.count.as_ref().map_or(sequence, Count::highest);
        let oldest = highest + 1 - slots::PLACES;
        if sequence < oldest {
            return false;
        }
        let (early, count, mut has_dropped) = (&mut self.figures.early, &mut self.count, false);
        self.slots.release_before(oldest, |sequence| {
            *early += 1;
            has_dropped = true;
            count_discard(count, sequence);
        });
        if let Some(made) = self.unresolved.filter(|_| has_dropped).map(|last| last.made) {
            self.end_silence(0, made, false);
        }
        self.next = self.next.map(|next| next.max(oldest));
        true
    }

    /// The hearer does not get this packet.
    fn pass(&mut self, sequence: i64) {
        if let Some(slot) = self.slots.get(sequence)
            && slot.content == Content::Speech
        {
            let (made, marker, next) = (slot.made, slot.marker, self.next);
            if let Some(playing) = &mut self.playing {
                playing.made = made;
                self.passed_at = self.now;
                self.figures.concealed += playing.settle();
            }
            self.end_silence(next.map_or(0, |next| sequence - next), made, marker);
        }
        self.slots.release(sequence);
        self.next = Some(sequence + 1);
    }

    /// Nothing comes any more. Whether that is a loss is known when something does.
    fn fall_silent(&mut self) {
        if let Some(Playing { made, made_up, .. }) = self.playing.take() {
            self.resolve_doubt(false);
            self.unresolved = Some(Unresolved { made, made_up, transits: None, until: None });
        }
    }

    /// The first speech after a silence, whether it is handed out or not.
    fn end_silence(&mut self, missing: i64, made: i64, marker: bool) {
        let Some(last) = self.unresolved.as_mut().filter(|last| last.until.is_none()) else { return };
        last.until = Some(self.now + DOUBT);
        let is_stall = last.transits.is_some_and(|(first, quickest)| first - quickest > STALL_MIN);
        if missing == 0 && (marker || made - last.made >= PATIENCE) {
            self.resolve_doubt(false);
        } else if missing > 0 || is_stall {
            self.resolve_doubt(true);
        }
    }

    /// After a silence, packets that were quicker than the first one tell that it came late: the way had stalled. A sender
    /// whose timestamps stand still while it pauses sends all that follows as late as that.
    fn doubt(&mut self, transit: i64) {
        let Some(unresolved) = &mut self.unresolved else { return };
        let (first, quickest) = unresolved.transits.unwrap_or((transit, transit));
        let quickest = quickest.min(transit);
        unresolved.transits = Some((first, quickest));
        let Some(until) = unresolved.until else { return };
        if first - quickest > STALL_MIN {
            self.resolve_doubt(true);
        } else if self.now >= until {
            self.resolve_doubt(false);
        }
    }

    /// Whether it was a loss is known now, if it was in doubt.
    fn resolve_doubt(&mut self, is_loss: bool) {
        let Some(last) = self.unresolved.take_if(|unresolved| unresolved.until.is_some()) else { return };
        if is_loss {
            self.figures.concealed += micros(last.made_up);
        } else {
            self.figures.pauses += 1;
        }
    }

    /// The sender had nothing to say: what was made up for was no loss.
    fn pause(&mut self) {
        self.resolve_doubt(false);
        self.figures.pauses += 1;
        (self.playing, self.unresolved) = (None, None);
    }

    fn make_up_for(&mut self, at: i64, span: i64, next: i64, follower: Option<i64>) -> Taken<'_> {
        self.next = Some(next);
        self.figures.concealed +=
            micros(span) + self.playing.as_mut().map_or(Duration::ZERO, Playing::settle);
        self.recovery.note_loss(at);
        let follower = follower.and_then(|sequence| self.slots.get(sequence));
        Taken::Lost { span: micros(span), next: follower.map(|slot| slot.payload.as_slice()) }
    }

    fn wait_for(&mut self, at: i64, span: i64) -> Taken<'_> {
        if let Some(playing) = &mut self.playing {
            playing.empty_since.get_or_insert(at);
            playing.made_up += span;
        }
        Taken::Lost { span: micros(span), next: None }
    }

    fn give(&mut self, at: i64, held: i64, sequence: i64) -> Taken<'_> {
        let Some(slot) = self.slots.get(sequence) else { return Taken::Silence };
        let (payload_type, content) = (slot.payload_type, slot.content);
        let (made, marker, has_jumped) = (slot.made, slot.marker, slot.has_jumped);
        let missing = self.next.map_or(0, |next| sequence - next);
        self.figures.taken += 1;
        self.next = Some(sequence + 1);
        self.slots.release(sequence);
        if content == Content::Noise {
            self.pause();
            return Taken::Noise { payload_type, payload: self.slots.bytes(sequence) };
        }
        self.resolve(at, missing, made, marker);
        if let Some(playing) = &self.playing
            && (missing, has_jumped) == (0, false)
        {
            self.span.note(made - playing.made);
        }
        let shift = at - made;
        self.playing =
            Some(Playing { shift, ahead: held, made, empty_since: None, made_up: 0, is_excused: false });
        self.figures.spoken += micros(self.span.micros);
        self.figures.longest_wait = self.figures.longest_wait.max(self.wait().unwrap_or_default());
        let begins = std::mem::take(&mut self.begins);
        Taken::Speech { payload_type, payload: self.slots.bytes(sequence), begins }
    }

    /// Speech comes: what was made up for meanwhile was lost or late, unless the sender had paused.
    fn resolve(&mut self, at: i64, missing: i64, made: i64, marker: bool) {
        self.end_silence(missing, made, marker);
        self.figures.concealed += self.playing.as_mut().map_or(Duration::ZERO, Playing::settle);
        if missing > 0 {
            self.recovery.note_loss(at);
        }
    }
}

impl Default for Span {
    fn default() -> Span {
        Span { micros: TICK, is_known: false, longer: None }
    }
}

impl Span {
    /// From a packet to the next one it takes so long. Packets do not overlap, so that a shorter step is believed at once,
    /// and a longer one when it comes again.
    fn note(&mut self, step: i64) {
        if !(SPAN_MIN..=SPAN_MAX).contains(&step) {
            return;
        }
        if step <= self.micros || !self.is_known {
            (self.micros, self.is_known, self.longer) = (step, true, None);
        } else if self.longer.replace(step) == Some(step) {
            (self.micros, self.longer) = (step, None);
        }
    }
}

impl Playing {
    /// What was made up for was lost or late; gives how much.
    fn settle(&mut self) -> Duration {
        self.empty_since = None;
        micros(std::mem::take(&mut self.made_up))
    }
}

impl Recovery {
    fn note_loss(&mut self, at: i64) {
        if self.last_loss.replace(at).is_some_and(|last| at - last < LOSSY) {
            self.until = at + LOSSY;
        }
    }
}

fn count_discard(count: &mut Option<Count>, sequence: i64) {
    if let Some(count) = count {
        count.discard(sequence);
    }
}

fn micros(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}
