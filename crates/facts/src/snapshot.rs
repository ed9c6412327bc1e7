use crate::{
    AgentState, BanNow, CallbackNow, EmergencyNow, InterpreterNow, LegRole, RecordingNow, SupervisionMode,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is going on after the fact numbered `as_of`. The fold of the log and the engine's own state
/// must give the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The number of the last fact that is in it; 0 before the first.
    pub as_of: u64,
    /// Calls that have not ended, by id.
    pub calls: BTreeMap<String, CallNow>,
    /// Queues in which a call waits, by name.
    pub queues: BTreeMap<String, QueueNow>,
    /// Agents whose device was ever seen, by name.
    pub agents: BTreeMap<String, AgentNow>,
    /// Trunks that said anything, by name.
    pub trunks: BTreeMap<String, TrunkNow>,
    /// Who is kept out, by source.
    #[serde(default)]
    pub bans: BTreeMap<String, BanNow>,
    /// What is closed by command, by scope.
    #[serde(default)]
    pub emergencies: BTreeMap<String, EmergencyNow>,
    /// Who will be called back, by the number of the fact that says so.
    #[serde(default)]
    pub callbacks: BTreeMap<u64, CallbackNow>,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallNow {
    /// The caller.
    pub from: String,
    /// What was dialled.
    pub to: String,
    /// The service that answers for it.
    pub service: String,
    /// The body whose service that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Where it is.
    pub phase: CallPhase,
    /// The latest value of each thing known of it.
    pub classified: BTreeMap<String, String>,
    /// The number of its facts so far.
    pub callseq: u32,
    /// Its legs that have not ended.
    pub legs: BTreeMap<u32, LegNow>,
    /// It is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<RecordingNow>,
    /// An interpreter is sought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interpreter: Option<InterpreterNow>,
}

/// Where a call is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum CallPhase {
    /// Being decided.
    Arriving,
    /// In a script.
    Ivr {
        /// At this node.
        node: String,
    },
    /// Waiting for an agent.
    Queued {
        /// Here.
        queue: String,
    },
    /// Being put through to a number outside.
    Transferring {
        /// There.
        to: String,
    },
    /// Talking.
    Connected,
}

/// One leg.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegNow {
    /// Whose.
    pub role: LegRole,
    /// The party's address.
    pub address: String,
    /// It has been answered.
    pub connected: bool,
    /// It put the other party on hold.
    pub held: bool,
    /// It is beside the two who talk: a third party, or a supervisor.
    #[serde(default)]
    pub guest: bool,
    /// The others do not hear it.
    #[serde(default)]
    pub muted: bool,
    /// Of a supervisor who hears the call: who hears them.
    #[serde(default)]
    pub supervision: Option<SupervisionMode>,
    /// The contributing source by which browsers in a room are told that it speaks, once it is connected.
    #[serde(default)]
    pub csrc: Option<u32>,
}

/// One queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueNow {
    /// The calls that wait in it, in the order in which they entered.
    pub waiting: Vec<String>,
}

/// One agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentNow {
    /// What they do.
    pub state: AgentState,
    /// The reason of a pause.
    pub reason: Option<String>,
}

/// One trunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrunkNow {
    /// It can take and send calls.
    pub up: bool,
}
