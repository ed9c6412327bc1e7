//! What the distributor is told and what it tells: the seam between `acd` and whoever runs calls with it.

use base::Time;
use std::collections::BTreeSet;
use std::time::Duration;

/// One call's wait, named by the engine and never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub u64);

/// One asking of one agent; numbered from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfferId(pub u64);

/// Queues and agents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// By name.
    pub queues: Vec<Queue>,
    /// By name.
    pub agents: Vec<Agent>,
}

/// A queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// The most calls that may wait in it.
    pub waiting_max: usize,
    /// How long an agent may be asked.
    pub offer_deadline: Duration,
    /// How long an agent writes up a call of this queue before the next.
    pub wrapup: Duration,
}

/// Someone who takes calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// Their name: also the user that their device registers.
    pub name: String,
    /// The queues that they serve.
    pub queues: BTreeSet<String>,
    /// The languages that they speak; a call without one of them is never offered.
    pub languages: BTreeSet<String>,
    /// The topics that they know; none named means all.
    pub topics: BTreeSet<String>,
}

/// A call that wants an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub id: EntryId,
    /// Where it waits.
    pub queue: String,
    /// The skill wanted.
    pub language: String,
    /// The skill wanted; empty for any.
    pub topic: String,
    /// Higher is served first.
    pub priority: u8,
    /// When it began to wait: of two of one priority, the one that has waited longer is served first.
    pub arrived: Time,
    /// Nobody is on the line: it enters even while nobody is there who could take it.
    pub is_callback: bool,
    /// After this wait agents without its language may be asked too, for somebody will interpret; at once while nobody who
    /// speaks it is there. Never, if nothing is said.
    pub any_language_after: Option<Duration>,
    /// Give it back after this wait.
    pub overflow_after: Option<Duration>,
    /// Say the position this often, the first time at once.
    pub position_every: Option<Duration>,
}

/// What can be told to the distributor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A call wants an agent.
    Enqueue(Entry),
    /// The caller left, or the call was taken elsewhere.
    Withdraw(EntryId),
    /// The agent's device is there. Ready, unless a pause was kept.
    LogOn(String),
    /// The agent's device is gone.
    LogOff(String),
    /// Take no calls, for this reason. In a call, it holds from its end.
    Pause {
        /// Who.
        agent: String,
        /// Why.
        reason: String,
    },
    /// Take calls; also ends a wrap-up early.
    Ready(String),
    /// Somebody wants this agent and nobody else. Who is not ready is not asked: `NotAsked` says why. Ended by an answer,
    /// by a refusal, by the deadline, or by `Withdraw`.
    Ask {
        /// The wait, which is in no queue.
        entry: EntryId,
        /// Who.
        agent: String,
        /// How long they may be asked.
        within: Duration,
        /// The queue whose wrap-up follows; that of the agent's own with the longest if it came from none.
        queue: Option<String>,
    },
    /// The agent's device answered.
    Answered(OfferId),
    /// The agent's device refused or failed. Busy and refusing devices rest for a moment.
    Refused(OfferId),
    /// The agent's device answered, and nothing passes between it and the exchange.
    Unheard(OfferId),
    /// The agent has, or makes, a call that nobody offered them: a colleague's, one of their own, or one that was
    /// handed to them. They are asked for nothing until `Released`.
    Engaged {
        /// Who.
        agent: String,
        /// The queue that the call came from, if from any: its wrap-up follows.
        queue: Option<String>,
    },
    /// The agent's call is over.
    Released(String),
    /// New queues and agents. Calls that wait keep their place; an agent who is gone is logged off after the call.
    Reconfigure(Config),
}

/// What the distributor asks for and tells, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// The call waits.
    Entered {
        /// Which.
        entry: EntryId,
        /// From 1.
        position: usize,
    },
    /// The call cannot wait here.
    NotEntered {
        /// Which.
        entry: EntryId,
        /// Why.
        why: NotEntered,
    },
    /// The one agent who was wanted cannot be asked.
    NotAsked {
        /// For which wait.
        entry: EntryId,
        /// Why.
        why: NotAsked,
    },
    /// Tell the caller the place. Also tells a better place than that told last at the next announcement only.
    Announce {
        /// Which.
        entry: EntryId,
        /// From 1.
        position: usize,
    },
    /// From now on agents without the call's language may be asked too.
    Widened {
        /// Which.
        entry: EntryId,
    },
    /// The call has waited long enough and is no longer in the queue.
    Overflowed {
        /// Which.
        entry: EntryId,
        /// How long.
        waited: Duration,
    },
    /// Ask this agent. The call stays at its place until someone wins it.
    Offer {
        /// The asking.
        offer: OfferId,
        /// The call.
        entry: EntryId,
        /// The agent.
        agent: String,
        /// When it is taken back.
        deadline: Time,
    },
    /// Stop asking.
    Retract {
        /// The asking.
        offer: OfferId,
        /// The agent.
        agent: String,
        /// Why.
        why: Retracted,
    },
    /// This agent has the call: the only one ever told so of it. It is no longer in the queue.
    Won {
        /// The asking.
        offer: OfferId,
        /// The call.
        entry: EntryId,
        /// The agent.
        agent: String,
        /// How long the call waited.
        waited: Duration,
    },
    /// An answer came too late: hang up on the agent.
    TooLate {
        /// The asking.
        offer: OfferId,
    },
    /// An agent's state changed.
    State {
        /// Who.
        agent: String,
        /// To what.
        state: State,
        /// Of a pause, in force or, while offered or talking, to come.
        reason: Option<String>,
        /// Whose doing it is.
        by: By,
    },
}

/// Whose doing a change of an agent's state is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Their device came or went.
    Device,
    /// Somebody asked for it.
    Request,
    /// It follows from what happened to calls.
    Course,
}

/// Why a call cannot wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotEntered {
    /// No such queue.
    NoSuchQueue,
    /// It is full.
    Full,
    /// Nobody who is logged on could ever take it.
    NobodyThere,
}

/// Why one agent cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAsked {
    /// The configuration names nobody so.
    Unknown,
    /// Their device is not there.
    LoggedOff,
    /// They take no calls.
    Paused,
    /// They talk, are being asked, or write up the last call.
    Busy,
}

/// Why an asking ended without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retracted {
    /// The deadline passed.
    Expired,
    /// The call left.
    Withdrawn,
    /// The agent's device went away.
    LoggedOff,
    /// The agent makes another call.
    Engaged,
}

/// What an agent does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// No device.
    LoggedOff,
    /// May be asked.
    Ready,
    /// Is being asked.
    Offered,
    /// Talks.
    Talking,
    /// Writes up the last call.
    Wrapup,
    /// Takes no calls.
    Paused,
}

/// The deadlines of the distributor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// An agent has been asked long enough.
    Offer,
    /// A wrap-up is over.
    Wrapup,
    /// An agent who refused may be asked again.
    Rest,
    /// A call has waited long enough.
    Overflow,
    /// A call has waited long enough for its language.
    Widen,
    /// A caller is to be told the place.
    Announce,
}
