//! What can be asked of an exchange from outside. What follows from it is told by facts.

use crate::EmergencyScope;
use crate::{Recorded, SupervisionMode};
use ipnet::IpNet;
use std::time::Duration;

/// What can be asked from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// An agent takes no calls for a while.
    Pause {
        /// Who.
        agent: String,
        /// Why.
        reason: String,
    },
    /// An agent takes calls again.
    Ready {
        /// Who.
        agent: String,
    },
    /// End a call.
    HangUp {
        /// Its id.
        call: String,
    },
    /// Copy a call's media to whoever captures. A later capture takes the place of an earlier one.
    Capture {
        /// Its id.
        call: String,
        /// The number of the capture.
        capture: u64,
    },
    /// The same for the next call from or to this number, as facts write it.
    CaptureNext {
        /// The number.
        number: String,
        /// The number of the capture.
        capture: u64,
    },
    /// The capture has ended, or waits no longer.
    EndCapture {
        /// Its number.
        capture: u64,
    },
    /// Keep an address or a network out of SIP, even if it is known.
    Ban {
        /// Whom.
        source: IpNet,
        /// How long.
        length: Duration,
        /// Why, for people.
        reason: String,
    },
    /// Let somebody in again.
    LiftBan {
        /// As the ban says.
        source: IpNet,
    },
    /// Close a desk at once, whatever its calendars say. One that is closed already is closed with the new words.
    CloseByEmergency {
        /// What.
        scope: EmergencyScope,
        /// The phrase that callers hear first; empty for none.
        message: String,
        /// Why, for people.
        reason: String,
    },
    /// Let a desk go by its calendars again.
    OpenAfterEmergency {
        /// As the closure says.
        scope: EmergencyScope,
    },
    /// Hand a call from the agent who has it to somebody else, without asking them first.
    Transfer {
        /// Its id.
        call: String,
        /// The name of an account, the number of a service, or a number outside.
        to: String,
    },
    /// Have a supervisor hear a call: their device is called. One who hears it already is heard by others from now on.
    Supervise {
        /// Its id.
        call: String,
        /// The account.
        supervisor: String,
        /// Who hears the supervisor.
        mode: SupervisionMode,
        /// By what right.
        basis: String,
    },
    /// A supervisor is to hear a call no longer.
    EndSupervision {
        /// Its id.
        call: String,
        /// The account.
        supervisor: String,
    },
    /// Add a party to the two of a call, by the right of its agent.
    AddParty {
        /// Its id.
        call: String,
        /// The name of an account, or a number outside.
        to: String,
    },
    /// A party that was added is to leave.
    DropParty {
        /// Its call's id.
        call: String,
        /// Its leg.
        leg: u32,
    },
    /// Seek an interpreter for a call.
    AddInterpreter {
        /// Its id.
        call: String,
        /// Of this language.
        language: String,
        /// Among the agents of this queue.
        queue: String,
    },
    /// Seek no interpreter for a call any more. One who has come leaves as any party does.
    CancelInterpreter {
        /// Its id.
        call: String,
    },
    /// Record a call from now on.
    Record {
        /// Its id.
        call: String,
        /// What of it.
        what: Recorded,
        /// By what right.
        basis: String,
    },
    /// Record nothing of a call for a while: what is said is for nobody's ears later, such as the number of a card. Or go on.
    PauseRecording {
        /// Its id.
        call: String,
        /// Whether it pauses.
        paused: bool,
    },
    /// Record a call no longer.
    StopRecording {
        /// Its id.
        call: String,
    },
    /// Somebody is not to be called back any more.
    CancelCallback {
        /// The callback's number.
        callback: u64,
    },
    /// Whatever is remembered of a caller is to be forgotten, whichever script it is of.
    ForgetCaller {
        /// The caller's number, in any form.
        number: String,
    },
    /// The others are not to hear a party, or are to hear it again.
    MuteParty {
        /// Its call's id.
        call: String,
        /// Its leg.
        leg: u32,
        /// Whether it is muted.
        muted: bool,
    },
}
