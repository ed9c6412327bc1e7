//! Calls: the sans-IO root of Cornetta. Inputs come in, outputs and facts go out; nothing here reads a
//! clock, opens a socket or draws from the system's randomness.
//!
//! A [`Engine`] routes between calls. A call routes between its legs, its script and its place in the queue.
//! SIP, the script's interpreter and the distributor are machines of their own, in crates of their own.

mod api;
mod bans;
mod blocked;
mod bodies;
mod call;
mod callbacks;
mod capturing;
mod certificates;
mod charges;
mod codecs;
mod commands;
mod context;
mod destinations;
mod devices;
mod emergencies;
mod engine;
mod errands;
mod ledger;
mod leg;
mod lines;
mod media_terms;
mod memories;
mod number_set;
mod numbering;
mod outbound;
mod past;
mod prices;
mod quality;
mod rooms;
mod routes;
mod seeking;
mod signed;
mod targets;
mod texts;
mod trust;

pub use api::*;
pub use bodies::{Bodies, HOPS_MAX};
pub use certificates::TrustStore;
pub use charges::CALLS_MAX as OUTBOUND_CALLS_MAX;
pub use codecs::Codecs;
pub use engine::Engine;
pub use media_terms::{MediaTerms, PeerTerms};
pub use number_set::NumberSet;
pub use numbering::{Forwards, Numbering, Presentation};
pub use outbound::{Denied, Outbound, OutboundRule, Who};
pub use prices::Prices;
pub use routes::{Choose, Line, Route, Routing};
pub use targets::place_of;
pub use trust::NOTHING_KNOWN as TRUST_UNKNOWN;
