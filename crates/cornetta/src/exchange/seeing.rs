//! What goes over the wire, on its way to where it can be seen afterwards.

use base::Wall;
use facts::{Fact, FactKind};
use net::Clock;
use sip::ua::Flow;
use trace::{Belonging, Trace, Way};

/// Finds the call of each message, and hands it to the trace.
pub(super) struct Seeing {
    trace: Trace,
    belonging: Belonging,
    clock: Clock,
}

impl Seeing {
    pub(super) fn new(trace: Trace, clock: Clock) -> Seeing {
        Seeing { trace, belonging: Belonging::default(), clock }
    }

    /// A message came, or goes out.
    pub(super) fn saw(&mut self, way: Way, flow: Flow, bytes: &[u8]) {
        let at: Wall = self.clock.wall();
        if let Some(message) = self.belonging.saw(at, way, flow, bytes) {
            self.trace.saw(message);
        }
    }

    /// Facts tell which Call-IDs are a call's.
    pub(super) fn learn(&mut self, fact: &Fact) {
        let Some(call) = &fact.call else { return };
        match &fact.kind {
            FactKind::CallArrived { sip_call_id, .. }
            | FactKind::LegCreated { sip_call_id: Some(sip_call_id), .. } => {
                for message in self.belonging.learn(call, sip_call_id) {
                    self.trace.saw(message);
                }
            }
            FactKind::CallEnded { .. } => {
                self.belonging.ended(self.clock.now(), call);
                self.trace.call_ended(call);
            }
            _ => {}
        }
    }
}
