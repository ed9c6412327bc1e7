use media_api::Event;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

/// Takes an event, or gives it back if it has no room now.
pub(super) type Sink = Arc<dyn Fn(Event) -> Option<Event> + Send + Sync>;

/// Events that wait because the sink was full. Beyond this many, only those stay that are as few as the
/// commands which they answer, or that would leave a party silent for ever if they were lost.
const BACKLOG: usize = 8192;

/// The way up for one shard's events, in their order.
pub(super) struct Events {
    sink: Sink,
    backlog: VecDeque<Event>,
    dropped: u64,
}

impl Events {
    pub(super) fn new(sink: Sink) -> Events {
        Events { sink, backlog: VecDeque::new(), dropped: 0 }
    }

    /// Hands `event` up, after those that wait.
    pub(super) fn push(&mut self, event: Event) {
        if !self.backlog.is_empty() {
            return self.keep(event);
        }
        if let Some(event) = (self.sink)(event) {
            self.keep(event);
        }
    }

    /// Offers what waits again.
    pub(super) fn flush(&mut self) {
        while let Some(event) = self.backlog.pop_front() {
            if let Some(event) = (self.sink)(event) {
                self.backlog.push_front(event);
                return;
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.backlog.is_empty()
    }

    /// The events dropped since this was last asked.
    pub(super) fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    fn keep(&mut self, event: Event) {
        let answers_a_command = matches!(
            event,
            Event::Closed { .. }
                | Event::PlayEnded { .. }
                | Event::Announced { .. }
                | Event::MessageEnded { .. }
        );
        // The watchdog's patience lies between two of a leg's.
        let is_watch = matches!(event, Event::Silent { .. } | Event::Restored { .. });
        if answers_a_command || is_watch || self.backlog.len() < BACKLOG {
            self.backlog.push_back(event);
        } else {
            self.dropped += 1;
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Events({} waiting)", self.backlog.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media_api::{LegId, PlayId, RoomId};
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    #[test]
    fn a_full_sink_loses_no_end_and_no_order() {
        let taken = Arc::new(Mutex::new(Vec::new()));
        let full = Arc::new(AtomicBool::new(true));
        let (into, is_full) = (taken.clone(), full.clone());
        let mut events = Events::new(Arc::new(move |event| {
            if is_full.load(Ordering::Relaxed) {
                return Some(event);
            }
            into.lock().unwrap().push(event);
            None
        }));
        let leg = LegId(1);
        let digit = Event::Digit { leg, digit: '1', held: Duration::ZERO, by: media_api::KeysBy::Events };
        (0..BACKLOG + 3).for_each(|_| events.push(digit.clone()));
        let ended = Event::PlayEnded { leg, play: PlayId(1), complete: true };
        let restored = Event::Restored { leg, after: Duration::ZERO };
        events.push(ended.clone());
        let announced = Event::Announced { room: RoomId(1), play: PlayId(2), complete: true };
        events.push(announced.clone());
        events.push(restored.clone());
        events.flush();
        assert_eq!((taken.lock().unwrap().len(), events.take_dropped()), (0, 3));
        full.store(false, Ordering::Relaxed);
        events.flush();
        events.push(digit.clone());
        let taken = taken.lock().unwrap();
        assert_eq!(taken[BACKLOG..], [ended, announced, restored, digit]);
        assert!(events.is_empty());
    }
}
