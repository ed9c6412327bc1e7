//! When the frames of 20 ms of one leg or one room are due: at once at first, then in a phase of its own, so that not all
//! send in the same tick.

use std::time::Duration;

use base::Time;

/// One packet of speech.
pub(crate) const FRAME_MILLIS: u32 = 20;
pub(crate) const FRAME: Duration = Duration::from_millis(FRAME_MILLIS as u64);

/// A late tick makes up for so many frames at once; the rest of what it missed is passed over, so that nothing comes
/// later from then on.
pub(crate) const CATCH_UP_MAX: usize = 5;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Cadence {
    phase: Duration,
    due: Option<Time>,
    /// The time that the next frame belongs to: `due`, but for the phase.
    nominal: Time,
}

impl Cadence {
    pub(crate) fn new(phase: Duration) -> Cadence {
        Cadence { phase, due: None, nominal: Time::ZERO }
    }

    /// The first frame is due at this time.
    pub(crate) fn start(&mut self, at: Time) {
        (self.due, self.nominal) = (Some(at), at);
    }

    /// To be tried again at this time.
    pub(crate) fn wait(&mut self, until: Time) {
        self.due = Some(until);
    }

    /// Nothing is due any more.
    pub(crate) fn rest(&mut self) {
        self.due = None;
    }

    pub(crate) fn due(&self) -> Option<Time> {
        self.due
    }

    /// If a frame is due, the time that it belongs to.
    pub(crate) fn next(&mut self, now: Time) -> Option<Time> {
        let due = self.due.filter(|due| *due <= now)?;
        let (frame, phase) = (FRAME.as_micros() as u64, self.phase.as_micros() as u64);
        let into_frame = (due.micros() + frame - phase) % frame;
        self.due = Some(Time::from_micros(due.micros() + frame - into_frame));
        let nominal = self.nominal;
        self.nominal = nominal + FRAME;
        Some(nominal)
    }

    /// Passes over what is due; gives how many frames that is.
    pub(crate) fn skip(&mut self, now: Time) -> u64 {
        let Some(due) = self.due.filter(|due| *due <= now) else { return 0 };
        let frames = (now.since(due).as_micros() / FRAME.as_micros()) as u64 + 1;
        let span = FRAME * u32::try_from(frames).unwrap_or(u32::MAX);
        self.due = Some(due + span);
        self.nominal = self.nominal + span;
        frames
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(millis: u64) -> Time {
        Time::from_millis(millis)
    }

    #[test]
    fn the_first_frame_comes_at_once_and_the_others_in_their_phase() {
        let mut cadence = Cadence::new(Duration::from_millis(5));
        assert_eq!(cadence.next(millis(100)), None);
        cadence.start(millis(100));
        assert_eq!((cadence.next(millis(100)), cadence.due()), (Some(millis(100)), Some(millis(105))));
        assert_eq!((cadence.next(millis(104)), cadence.next(millis(105))), (None, Some(millis(120))));
        assert_eq!(cadence.due(), Some(millis(125)));
    }

    #[test]
    fn what_is_passed_over_does_not_come_later() {
        let mut cadence = Cadence::new(Duration::ZERO);
        cadence.start(millis(100));
        assert_eq!((cadence.skip(millis(165)), cadence.due()), (4, Some(millis(180))));
        assert_eq!(cadence.next(millis(180)), Some(millis(180)));
        assert_eq!(cadence.skip(millis(181)), 0);
    }
}
