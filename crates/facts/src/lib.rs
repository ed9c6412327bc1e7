//! The vocabulary of the log. A [`Fact`] says that something happened to a call, an agent, a trunk or the
//! system itself. Everything that anyone outside learns of Cornetta is a fact or a fold of facts.
//!
//! The shapes here are stored and published: within a version they only grow.

mod ban;
mod body;
mod callback;
mod charge;
mod command;
mod details;
mod emergency;
mod end;
mod fact;
mod interpreter;
mod memory;
mod millis;
mod open_call;
mod recording;
mod scripted;
mod snapshot;
mod stamped;
mod wall_micros;

pub use ban::{BanNow, Banned};
pub use base::{BODY_MARK, body_of, name_in, without_body};
pub use callback::{
    CallbackGivenUp, CallbackNow, CallbackOffer, CallbackPause, CallbackRequest, CallbackTry,
};
pub use charge::ChargeNow;
pub use command::Command;
pub use details::{
    AgentState, CallData, HeardSpeech, KeyFacts, LegRole, OfferEnd, PassedOver, PlayedPrompt, QueueLeft,
    QueueRefusal, SilenceEvidence, SupervisionMode, TrustAssessed, WrongKey,
};
pub use emergency::{EmergencyClosed, EmergencyNow, EmergencyScope};
pub use end::{Cause, End, Side};
pub use fact::FactKind;
pub use interpreter::{InterpreterMiss, InterpreterNow, InterpreterWish, NoInterpreter, QueueWidened};
pub use memory::{CallerForgotten, CallerRemembered, MemoryNow};
pub use millis::millis;
pub use open_call::OpenCall;
pub use recording::{Recorded, RecordingEnd, RecordingNow};
pub use scripted::{CallUserData, ScriptStarted, SurveyAnswer};
pub use snapshot::{AgentNow, CallNow, CallPhase, LegNow, QueueNow, Snapshot, TrunkNow};
pub use stamped::Fact;
