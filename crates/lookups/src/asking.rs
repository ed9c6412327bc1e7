//! The way to all sources: what is known is answered at once, the rest is asked beside the calls.

use crate::breaker::{Breaker, Change, Leave};
use crate::cache::Cache;
use crate::counting::{End, LookUpCounter};
use crate::database::Database;
use crate::http::Service;
use crate::outside::Outside;
use crate::table::FileTable;
use crate::target::leads_elsewhere;
use base::Time;
use ivr::{Answer, LookUp, Source};
use net::{Clock, Tls};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Questions that are open at a time; one more fails.
const AT_ONCE: usize = 128;
/// Of them, those of one look-up.
const AT_ONCE_EACH: usize = 32;
/// Look-ups of which something is kept; the one that was not asked for longest makes room for one more.
const LOOK_UPS_MAX: usize = 1_024;

/// Who asked, and what came of it.
pub type LookedUp<A> = (A, Answer);

/// The way to those who are asked. `A` is what a question is known by.
pub struct LookUps<A> {
    runtime: Handle,
    shared: Arc<Shared>,
    answers: mpsc::UnboundedSender<LookedUp<A>>,
}

struct Shared {
    outside: Outside,
    clock: Clock,
    slots: Arc<Semaphore>,
    counter: LookUpCounter,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    /// By all that they say: a look-up that was changed is another.
    known: HashMap<Arc<LookUp>, Known>,
    cache: Cache,
    numbered: u64,
}

struct Known {
    /// What the cache calls it.
    number: u64,
    asked: Time,
    breaker: Breaker,
    slots: Arc<Semaphore>,
    source: Arc<Asked>,
}

/// What is kept of a source between two questions.
enum Asked {
    Http(Service),
    Csv(FileTable),
    Sql(Database),
}

/// A question that is to be asked.
struct Question {
    look_up: Arc<LookUp>,
    with: Vec<String>,
    number: u64,
    leave: Leave,
    source: Arc<Asked>,
    /// Held until it is answered.
    _slots: (OwnedSemaphorePermit, OwnedSemaphorePermit),
}

impl<A: Send + 'static> LookUps<A> {
    /// Asks on `runtime`, with the authorities of `tls` and these name servers (the system's if there are none).
    /// Answers come by the receiver: one for each question.
    pub fn start(
        runtime: Handle,
        tls: Tls,
        name_servers: Vec<SocketAddr>,
    ) -> (LookUps<A>, mpsc::UnboundedReceiver<LookedUp<A>>) {
        let (answers, told) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            outside: Outside::new(tls, name_servers),
            clock: Clock::start(),
            slots: Arc::new(Semaphore::new(AT_ONCE)),
            counter: LookUpCounter::default(),
            memory: Mutex::default(),
        });
        (LookUps { runtime, shared, answers }, told)
    }

    /// How questions have ended.
    pub fn counter(&self) -> LookUpCounter {
        self.shared.counter.clone()
    }

    /// Trusts these authorities from now on.
    pub fn renew(&self, tls: Tls) {
        self.shared.outside.renew(tls);
    }

    /// Asks. Never waits: the answer comes by the receiver, within the look-up's deadline.
    pub fn ask(&self, asker: A, look_up: Arc<LookUp>, with: Vec<String>) {
        let question = match self.shared.admit(look_up, with) {
            Ok(question) => question,
            Err((end, answer)) => {
                self.shared.counter.count(end);
                // Whoever has gone away does not wait for it.
                let _ = self.answers.send((asker, answer));
                return;
            }
        };
        let (shared, answers) = (self.shared.clone(), self.answers.clone());
        self.runtime.spawn(async move {
            let answer = shared.answer(question).await;
            let _ = answers.send((asker, answer));
        });
    }
}

impl Shared {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The question, if it has to be asked and may be; otherwise its answer.
    fn admit(&self, look_up: Arc<LookUp>, with: Vec<String>) -> Result<Question, (End, Answer)> {
        // Nobody is asked, so that it says nothing of the source; nothing can be there.
        if let Source::Http(http) = &look_up.source
            && leads_elsewhere(&http.url, &look_up.takes, &with)
        {
            return Err((End::Missing, Answer::Missing));
        }
        let now = self.clock.now();
        let mut memory = self.memory();
        let number = memory.know(&look_up, now);
        let key = (number, with);
        if look_up.cache.is_some()
            && let Some(answer) = memory.cache.get(now, &key)
        {
            return Err((End::Cached, answer));
        }
        let Some(known) = memory.known.get_mut(&look_up) else { return Err((End::Refused, Answer::Failed)) };
        // First the room and then the leave: a trial that found no room would never be told of.
        let room = |slots: &Arc<Semaphore>| slots.clone().try_acquire_owned().ok();
        let (Some(one), Some(other)) = (room(&known.slots), room(&self.slots)) else {
            return Err((End::Refused, Answer::Failed));
        };
        let Some(leave) = known.breaker.may_ask(now) else { return Err((End::Spared, Answer::Failed)) };
        let source = known.source.clone();
        Ok(Question { look_up, with: key.1, number, leave, source, _slots: (one, other) })
    }

    async fn answer(&self, question: Question) -> Answer {
        let look_up = &question.look_up;
        let asking = self.ask_source(&question.source, look_up, &question.with);
        let result = tokio::time::timeout(look_up.deadline, asking).await;
        let result = result.unwrap_or_else(|_| Err(format!("nothing came within {:?}", look_up.deadline)));
        let answer = result.unwrap_or_else(|why| {
            tracing::info!(look_up = look_up.name, "a look-up failed: {why}");
            Answer::Failed
        });
        self.counter.count(match answer {
            Answer::Found(_) => End::Found,
            Answer::Missing => End::Missing,
            Answer::Failed => End::Failed,
        });
        self.remember(question, &answer);
        answer
    }

    async fn ask_source(
        &self,
        source: &Asked,
        look_up: &Arc<LookUp>,
        with: &[String],
    ) -> Result<Answer, String> {
        let folder = Path::new(&look_up.file).parent().unwrap_or(Path::new(""));
        match (source, &look_up.source) {
            (Asked::Http(service), Source::Http(http)) => {
                service.ask(&self.outside, (look_up, http, folder), with).await
            }
            (Asked::Csv(table), Source::Csv(csv)) => table.ask((look_up, csv, folder), with).await,
            (Asked::Sql(database), Source::Sql(sql)) => {
                database.ask(&self.outside, (look_up, sql, folder), with).await
            }
            // The source is made of the look-up.
            _ => Err("the source is of another kind".to_owned()),
        }
    }

    fn remember(&self, question: Question, answer: &Answer) {
        let (now, worked) = (self.clock.now(), *answer != Answer::Failed);
        let mut memory = self.memory();
        let known = memory.known.get_mut(&question.look_up).filter(|known| known.number == question.number);
        let Some(known) = known else { return };
        match known.breaker.told(now, question.leave, worked) {
            Some(Change::Opened(span)) => {
                let (look_up, seconds) = (&question.look_up.name, span.as_secs());
                tracing::warn!(look_up, seconds, "a look-up keeps failing and is not asked for a while");
            }
            Some(Change::Closed) => tracing::info!(look_up = question.look_up.name, "a look-up works again"),
            None => {}
        }
        if let Some(span) = question.look_up.cache.filter(|_| worked) {
            memory.cache.put((question.number, question.with), answer.clone(), now + span);
        }
    }
}

impl Memory {
    /// The number of a look-up that is asked now.
    fn know(&mut self, look_up: &Arc<LookUp>, now: Time) -> u64 {
        if let Some(known) = self.known.get_mut(look_up) {
            known.asked = now;
            return known.number;
        }
        if self.known.len() >= LOOK_UPS_MAX {
            self.forget_one();
        }
        self.numbered += 1;
        let source = match &look_up.source {
            Source::Http(_) => Asked::Http(Service::default()),
            Source::Csv(_) => Asked::Csv(FileTable::default()),
            Source::Sql(_) => Asked::Sql(Database::default()),
        };
        let known = Known {
            number: self.numbered,
            asked: now,
            breaker: Breaker::default(),
            slots: Arc::new(Semaphore::new(AT_ONCE_EACH)),
            source: Arc::new(source),
        };
        self.known.insert(look_up.clone(), known);
        self.numbered
    }

    fn forget_one(&mut self) {
        let longest = self.known.iter().min_by_key(|(_, known)| (known.asked, known.number));
        let Some((look_up, number)) = longest.map(|(look_up, known)| (look_up.clone(), known.number)) else {
            return;
        };
        self.known.remove(&look_up);
        self.cache.forget(number);
    }
}
