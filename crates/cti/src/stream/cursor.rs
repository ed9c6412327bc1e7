use super::{Frame, Seat};
use crate::Envelopes;
use crate::access::{Pass, Scope};
use crate::feed::{Feed, FeedError};
use crate::filter::Filter;
use crate::sight::Sight;
use crate::wire::type_name;
use base::Wall;
use facts::Fact;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;
use tokio::time::Instant;

/// What a reader asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The first number; only new facts if it is missing.
    pub(crate) from: Option<u64>,
    /// Which types.
    pub(crate) filter: Filter,
}

/// What every cursor of a server shares.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) feed: Feed,
    pub(crate) envelopes: Arc<Envelopes>,
    pub(crate) shutdown: watch::Receiver<bool>,
    pub(crate) batch: usize,
    pub(crate) heartbeat: Duration,
}

impl Source {
    /// The end is also there when nobody is left to announce it.
    fn is_ending(&self) -> bool {
        *self.shutdown.borrow() || self.shutdown.has_changed().is_err()
    }
}

/// One reader's place in the log. It holds one batch of facts and nothing else, however far it lags.
pub(crate) struct Cursor {
    source: Source,
    seat: Seat,
    filter: Filter,
    sight: Sight,
    clear: bool,
    pass: Pass,
    /// The first number that is neither sent nor skipped.
    next: u64,
    batch: std::iter::Peekable<std::vec::IntoIter<Fact>>,
    /// The last fact of those passed over since the last frame that said so.
    skipped: Option<u64>,
    beat: Instant,
    phase: Phase,
}

enum Phase {
    New,
    Reading,
    Ended,
}

impl Cursor {
    /// Begins at `wanted`; tells what whoever has this pass may see, for as long as it holds.
    pub(crate) fn new(source: Source, seat: Seat, wanted: Wanted, pass: Pass) -> Cursor {
        let next = wanted.from.unwrap_or_else(|| source.feed.head() + 1).max(1);
        seat.stands_at(next - 1);
        Cursor {
            beat: Instant::now() + source.heartbeat,
            source,
            seat,
            filter: wanted.filter,
            sight: pass.grant().sees(),
            clear: pass.grant().has(Scope::PiiClear),
            pass,
            next,
            batch: Vec::new().into_iter().peekable(),
            skipped: None,
            phase: Phase::New,
        }
    }

    /// The next frame; nothing after the last. Dropping the future loses no frame.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        match self.phase {
            Phase::New => Some(self.first().await),
            Phase::Reading => Some(self.go_on().await),
            Phase::Ended => None,
        }
    }

    /// A number that is not in the log is refused here, also one that is still far to come: whoever asks
    /// for it has read another log.
    async fn first(&mut self) -> Frame {
        if let Err(error) = self.read().await {
            return self.fail(error);
        }
        self.phase = Phase::Reading;
        Frame::Subscribed { from: self.next, head: self.source.feed.head() }
    }

    async fn go_on(&mut self) -> Frame {
        loop {
            if !self.pass.holds() {
                return self.end(Frame::Revoked { position: self.next - 1 });
            }
            if Instant::now() >= self.beat {
                return self.heartbeat();
            }
            if let Some(frame) = self.next_wanted() {
                return frame;
            }
            if self.source.is_ending() && !self.nearly_has_all() {
                return self.end(Frame::Closing { position: self.next - 1 });
            }
            if self.next > self.source.feed.head() {
                self.wait().await;
                continue;
            }
            match self.read().await {
                Ok(()) if self.batch.len() > 0 => {}
                Ok(()) => return self.fail(FeedError::Broken(format!("fact {} is not there", self.next))),
                Err(error) => return self.fail(error),
            }
        }
    }

    /// One more batch and the reader has all that there is: who kept up sees the end itself, and the server does not
    /// wait for one who did not.
    fn nearly_has_all(&self) -> bool {
        let left = (self.source.feed.head() + 1).saturating_sub(self.next);
        left > 0 && left <= self.source.batch as u64
    }

    async fn read(&mut self) -> Result<(), FeedError> {
        let facts = self.source.feed.read(self.next, self.source.batch).await?;
        self.batch = facts.into_iter().peekable();
        Ok(())
    }

    async fn wait(&mut self) {
        let (next, beat) = (self.next, self.beat);
        let Source { feed, shutdown, .. } = &mut self.source;
        tokio::select! {
            () = feed.reached(next) => {}
            () = tokio::time::sleep_until(beat) => {}
            () = self.pass.is_revoked() => {}
            _ = shutdown.wait_for(|stop| *stop) => {}
        }
    }

    /// The next wanted fact of the batch; before it, the proof that what lies between was not wanted.
    fn next_wanted(&mut self) -> Option<Frame> {
        while let Some(fact) = self.batch.peek() {
            let wanted = self.sight.has_fact(fact) && self.filter.wants(type_name(&fact.kind));
            if wanted && let Some(number) = self.skipped.take() {
                return Some(Frame::SkippedTo { number });
            }
            let fact = self.batch.next()?;
            let number = fact.number;
            self.next = number + 1;
            self.seat.stands_at(number);
            if wanted {
                let event = Box::new(self.source.envelopes.wrap(fact, self.clear));
                return Some(Frame::Event { number, event });
            }
            self.skipped = Some(number);
        }
        None
    }

    /// What was passed over is told at the latest with a heartbeat, so that the reader's number goes on.
    fn heartbeat(&mut self) -> Frame {
        if let Some(number) = self.skipped.take() {
            return Frame::SkippedTo { number };
        }
        self.beat = Instant::now() + self.source.heartbeat;
        Frame::Heartbeat { head: self.source.feed.head(), time: self.source.envelopes.time(wall_now()) }
    }

    fn fail(&mut self, error: FeedError) -> Frame {
        match error {
            FeedError::Gap { oldest, head } => self.end(Frame::Gap { oldest, head }),
            FeedError::Broken(why) => {
                tracing::warn!(next = self.next, why, "a reader is closed: the log cannot be read");
                self.end(Frame::Broken { position: self.next - 1 })
            }
        }
    }

    fn end(&mut self, last: Frame) -> Frame {
        self.phase = Phase::Ended;
        last
    }
}

fn wall_now() -> Wall {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Wall::from_unix_micros(i64::try_from(since.as_micros()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Access, Peer};
    use crate::stream::Readers;
    use axum::http::{HeaderMap, header};
    use facts::FactKind;
    use journal::Journal;

    /// What a reader from the first of five facts is sent by a server that ends, and reads so many at a time.
    async fn last_frames(batch: usize) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let (journal, _) = Journal::open(&folder.path().join("log"), journal::Config::default()).unwrap();
        let fact = |number| {
            let kind = FactKind::SystemStopping { calls: 0 };
            Fact { number, at: Wall::default(), call: None, callseq: 0, body: None, kind }
        };
        journal.try_append((1..=5).map(fact).collect()).unwrap();
        assert!(journal.wait_durable(5, Duration::from_secs(30)));
        let source = Source {
            feed: Feed::new(Arc::new(journal)),
            envelopes: Arc::new(Envelopes::new("/x", "Europe/Rome").unwrap()),
            shutdown: watch::channel(true).1,
            batch,
            heartbeat: Duration::from_secs(3600),
        };
        let seat = Readers::new(1).sit().unwrap();
        let wanted = Wanted { from: Some(1), filter: Filter::default() };
        let here = HeaderMap::from_iter([(header::HOST, "localhost".parse().unwrap())]);
        let access = Access::new(watch::channel(Arc::default()).1);
        let grant = access.admit(&here, Peer(([127, 0, 0, 1], 1).into())).unwrap();
        let mut cursor = Cursor::new(source, seat, wanted, access.pass(grant));
        let mut told = Vec::new();
        while let Some(frame) = cursor.next().await {
            told.push(match frame {
                Frame::Event { number, .. } => number.to_string(),
                other => other.to_json(),
            });
        }
        told.split_off(1)
    }

    #[tokio::test]
    async fn at_the_end_who_kept_up_gets_the_last_facts_and_who_did_not_is_told_its_position() {
        let all = ["1", "2", "3", "4", "5", r#"{"op":"closing","position":5}"#];
        assert_eq!(last_frames(5).await, all);
        assert_eq!(last_frames(3).await, all);
        assert_eq!(last_frames(2).await, ["1", "2", r#"{"op":"closing","position":2}"#]);
    }
}
