use crate::{Cause, wall_micros};
use base::Wall;
use serde::{Deserialize, Serialize};

/// Somebody who will be called back, and is not yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackNow {
    /// The queue whose agents call.
    pub queue: String,
    /// Whom to call.
    pub number: String,
    /// What they had dialled.
    pub dialled: String,
    /// The skill wanted.
    pub language: String,
    /// The skill wanted; empty for any.
    pub topic: String,
    /// Higher is served first.
    pub priority: u8,
    /// When they began to wait: they keep that place.
    #[serde(with = "wall_micros")]
    pub since: Wall,
    /// How often they are called at most.
    pub tries: u32,
    /// Milliseconds between two tries.
    pub pause_ms: u64,
    /// How often they have been called.
    pub attempts: u32,
    /// When they were put off last; before that, when they asked.
    #[serde(with = "wall_micros")]
    pub at: Wall,
    /// For how many milliseconds from then on they are left alone; nothing once an agent is asked again.
    pub pauses_ms: Option<u64>,
}

impl CallbackNow {
    /// Somebody who has just asked for it.
    pub fn new(at: Wall, request: CallbackRequest) -> CallbackNow {
        let waited = i64::try_from(request.waited_ms.saturating_mul(1000)).unwrap_or(i64::MAX);
        CallbackNow {
            queue: request.queue,
            number: request.number,
            dialled: request.dialled,
            language: request.language,
            topic: request.topic,
            priority: request.priority,
            since: Wall::from_unix_micros(at.unix_micros().saturating_sub(waited)),
            tries: request.tries,
            pause_ms: request.pause_ms,
            attempts: 0,
            at,
            pauses_ms: None,
        }
    }

    /// The same wish again, by somebody who waits already as `callback`.
    pub fn asked_again(&self, callback: u64) -> CallbackRequest {
        CallbackRequest {
            callback,
            queue: self.queue.clone(),
            number: self.number.clone(),
            dialled: self.dialled.clone(),
            language: self.language.clone(),
            topic: self.topic.clone(),
            priority: self.priority,
            tries: self.tries,
            pause_ms: self.pause_ms,
            waited_ms: 0,
        }
    }
}

/// A wish to be called back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackRequest {
    /// The number of the fact that began it.
    pub callback: u64,
    /// The queue whose agents call.
    pub queue: String,
    /// Whom to call.
    pub number: String,
    /// What they had dialled.
    pub dialled: String,
    /// The skill wanted.
    pub language: String,
    /// The skill wanted; empty for any.
    pub topic: String,
    /// Higher is served first.
    pub priority: u8,
    /// How often they are called at most.
    pub tries: u32,
    /// Milliseconds between two tries.
    pub pause_ms: u64,
    /// Milliseconds that they have waited in that queue already: they keep their place.
    pub waited_ms: u64,
}

/// An agent who is asked to call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackOffer {
    /// Which.
    pub callback: u64,
    /// Of which queue.
    pub queue: String,
    /// Whom to call.
    pub number: String,
    /// Who is asked.
    pub agent: String,
}

/// An agent who is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackTry {
    /// Which.
    pub callback: u64,
    /// From 1.
    pub attempt: u32,
    /// Who calls.
    pub agent: String,
}

/// A try that failed and is not the last, or one that could not be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackPause {
    /// Which.
    pub callback: u64,
    /// Which try failed; the last one, if none could be made.
    pub attempt: u32,
    /// Why.
    pub cause: Cause,
    /// The final status, if there was one.
    pub sip: Option<u16>,
    /// Milliseconds until it waits for an agent again.
    pub for_ms: u64,
}

/// The last try has failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackGivenUp {
    /// Which.
    pub callback: u64,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last try failed.
    pub cause: Cause,
    /// The final status, if there was one.
    pub sip: Option<u16>,
}
