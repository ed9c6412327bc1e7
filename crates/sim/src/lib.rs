//! The simulated world: time, networks, phones, a reference model, checkers.
//!
//! [`run`] puts a real engine, with its SIP, scripts and distributor, into a world of one thread and
//! virtual time. Everything follows from the seed.

pub mod cases;
mod checkers;
mod company;
mod coverage;
mod depth;
mod due;
mod faults;
mod hall;
mod media;
mod network;
mod phones;
mod plans;
mod reference;
mod report;
mod rows;
mod streams;
mod town;
mod trace;
mod world;

pub use coverage::Coverage;
pub use depth::Depth;
pub use faults::Faults;
pub use report::{Figures, Report};
pub use rows::{ROWS, Row};
pub use town::fixed_lines;

use std::sync::Arc;
use std::time::Duration;

/// What to simulate.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Everything follows from it.
    pub seed: u64,
    /// How many calls are made.
    pub calls: u32,
    /// Calls a second, in the mean; drawn by the seed if nothing is said.
    pub rate: Option<u32>,
    /// What may go wrong.
    pub faults: Faults,
    /// How much of the media there is.
    pub depth: Depth,
    /// Tell every change of state from this virtual time on.
    pub verbose_from: Option<Duration>,
}

/// What a run tells while it lasts.
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
    /// A change of state, if the options ask for those.
    Change(&'a str),
    /// What should never happen, as the report says it at the end.
    Violation(&'a str),
    /// Another simulated hour is over.
    Hour(Progress),
}

/// How far a run is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Simulated hours.
    pub hours: u32,
    /// Calls that phones have made.
    pub calls: u32,
    /// Calls that go on.
    pub going_on: usize,
}

/// Simulates a help desk with this script and says what was found.
pub fn run(options: Options, script: Arc<ivr::Script>, tell: &mut dyn FnMut(Told<'_>)) -> Report {
    world::World::new(options, &script, tell).run()
}
