//! What a run found.

use crate::{Coverage, Faults, Options};
use std::fmt;
use std::time::Duration;

/// What a run found. The same options give the same report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The seed that gives all this again.
    pub seed: u64,
    /// What was on, drawn by the seed from what was allowed.
    pub faults: Faults,
    /// Calls that phones made.
    pub calls: u32,
    /// Calls that the engine wrote down (`call.arrived`).
    pub arrived: u32,
    /// Callers who were answered.
    pub answered: u32,
    /// Callers who talked with an agent.
    pub talked: u32,
    /// Facts written.
    pub facts: u64,
    /// Messages that the engine received.
    pub received: u64,
    /// Messages that it sent.
    pub sent: u64,
    /// Datagrams that the network lost.
    pub lost: u64,
    /// From the first event to the last.
    pub virtual_time: Duration,
    /// What went through media; nothing in a world of signalling.
    pub media: Figures,
    /// A hash of every output in order.
    pub trace_hash: u64,
    /// What was met, and how often.
    pub coverage: Coverage,
    /// What should never happen: virtual time, call, what. Empty in a good world.
    pub violations: Vec<String>,
}

/// What went through media.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Packets that came to the exchange.
    pub received: u64,
    /// Packets that it sent.
    pub sent: u64,
    /// Packets that the network lost or that reached nobody.
    pub lost: u64,
    /// Frames in which somebody heard what they may hear.
    pub heard: u64,
    /// Keys that were pressed.
    pub pressed: u64,
    /// Keys that the exchange told of.
    pub told: u64,
    /// A hash of every packet that it sent, in order.
    pub hash: u64,
}

impl Report {
    pub(crate) fn new(options: Options, faults: Faults) -> Report {
        Report {
            seed: options.seed,
            faults,
            calls: 0,
            arrived: 0,
            answered: 0,
            talked: 0,
            facts: 0,
            received: 0,
            sent: 0,
            lost: 0,
            virtual_time: Duration::ZERO,
            media: Figures::default(),
            trace_hash: 0,
            coverage: Coverage::default(),
            violations: Vec::new(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for violation in &self.violations {
            writeln!(f, "VIOLATION {violation}")?;
        }
        let Figures { received, sent, lost, heard, pressed, told, .. } = self.media;
        if received + sent > 0 {
            writeln!(
                f,
                "media: {received} packets in, {sent} out, {lost} lost; {heard} frames heard; {pressed} keys pressed, {told} \
                 told"
            )?;
        }
        write!(
            f,
            "faults {}; {} calls, {} arrived, {} answered, {} talked; {} facts, {} messages in, {} out, {} lost; \
             {:.1} virtual hours; trace {:016x}; {} violations",
            self.faults,
            self.calls,
            self.arrived,
            self.answered,
            self.talked,
            self.facts,
            self.received,
            self.sent,
            self.lost,
            self.virtual_time.as_secs_f64() / 3600.0,
            self.trace_hash,
            self.violations.len(),
        )
    }
}
