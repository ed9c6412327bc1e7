//! What the hearer gets next.

use super::{
    Content, EXCESS_MAX, JitterBuffer, MARGIN, PATIENCE, PAUSE_MIN, Playing, SPAN_MAX, SPAN_MIN, STRAY_ONCE,
    TICK,
};

/// An answer, or what must be done before there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// The packet of this number, of speech or noise.
    Give(i64),
    /// So many microseconds are missing before a packet that is there; the number that is next after them, and that
    /// packet's if it follows on them.
    Lost(i64, i64, Option<i64>),
    /// Nothing is there; so many microseconds are to be made up for.
    Dry(i64),
    Silence,
    Filling,
    /// This packet comes after its time.
    TooLate(i64),
    /// This packet would be heard far too late.
    TooMany(i64),
    /// This packet is nothing to be heard.
    PassOver(i64),
    /// The sender paused before what is there.
    Pause,
}

/// The first packet that is held.
#[derive(Clone, Copy, Debug)]
struct Head {
    sequence: i64,
    made: i64,
    came: i64,
    content: Content,
    has_jumped: bool,
    /// How many packets are missing before it.
    missing: i64,
}

impl JitterBuffer {
    /// What is to be heard at this time, in microseconds.
    pub(super) fn decide(&self, at: i64) -> Decision {
        let Some(slot) = self.slots.first(self.next) else { return self.run_dry(at) };
        let head = Head {
            sequence: slot.sequence,
            made: slot.made,
            came: slot.came,
            content: slot.content,
            has_jumped: slot.has_jumped,
            missing: self.next.map_or(0, |next| slot.sequence - next),
        };
        match (head.content, &self.playing) {
            (Content::Other, None) => Decision::PassOver(head.sequence),
            (Content::Noise, None) => Decision::Give(head.sequence),
            (Content::Speech, None) => self.begin(at, head),
            (_, Some(playing)) => self.go_on(at, head, playing),
        }
    }

    /// Nothing is heard: whether what has come is due.
    fn begin(&self, at: i64, head: Head) -> Decision {
        // Where the way is not known any more, it has waited long enough.
        let target = self.target();
        let wait = self.delay.floor(self.now).map_or(target, |floor| at - head.made - floor);
        if wait > target + EXCESS_MAX && self.slots.count() > 1 {
            Decision::TooMany(head.sequence)
        } else if wait + MARGIN < target {
            Decision::Filling
        } else {
            Decision::Give(head.sequence)
        }
    }

    fn go_on(&self, at: i64, head: Head, playing: &Playing) -> Decision {
        // How long it is until its time, by that of the last packet.
        let shift = at - head.made;
        let early = playing.shift - shift;
        if head.has_jumped {
            return Decision::Give(head.sequence);
        }
        if head.missing > 0 && early > self.span.micros / 2 && head.content != Content::Other {
            return self.make_up(early, head, playing);
        }
        match head.content {
            Content::Other => return Decision::PassOver(head.sequence),
            Content::Noise => return Decision::Give(head.sequence),
            Content::Speech => {}
        }
        if early > PAUSE_MIN {
            return Decision::Pause;
        }
        let excess = self.delay.floor(self.now).map_or(0, |floor| shift - floor - self.target());
        let late = -early;
        // What is late because a pause was made up for by whole frames came in time.
        let is_stray = playing.made_up > 0
            && head.came - head.made > playing.shift
            && late > self.span.micros / 4
            && late <= self.span.micros * 3 / 2
            && excess > MARGIN
            && self.now - self.passed_at > STRAY_ONCE;
        if is_stray {
            Decision::TooLate(head.sequence)
        } else if excess > EXCESS_MAX && self.slots.count() > 1 {
            Decision::TooMany(head.sequence)
        } else {
            Decision::Give(head.sequence)
        }
    }

    /// Packets are missing before one that is there.
    fn make_up(&self, early: i64, head: Head, playing: &Playing) -> Decision {
        let missing = (head.missing - playing.made_up / self.span.micros).max(1);
        let share = early / missing;
        // More than that is a pause of the sender's beside the loss.
        let span = if share > self.span.micros * 3 / 2 { self.span.micros } else { share };
        let follows = missing == 1 && head.content == Content::Speech;
        // What was made up for while nothing was there counts, but for no more than what is missing: the rest was a pause.
        let next = head.sequence - missing + 1;
        Decision::Lost(span.clamp(SPAN_MIN, SPAN_MAX), next, follows.then_some(head.sequence))
    }

    /// There is nothing to hand out: the sender is late, or has paused.
    fn run_dry(&self, at: i64) -> Decision {
        let Some(playing) = &self.playing else { return Decision::Silence };
        let dry_for = playing.empty_since.map_or(0, |since| at - since);
        if playing.is_excused || dry_for >= PATIENCE {
            return Decision::Silence;
        }
        Decision::Dry(self.span.micros.min(TICK))
    }
}
