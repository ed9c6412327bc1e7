//! What goes over the wire, on its way to where it can be seen afterwards.

use base::Wall;
use facts::{Fact, FactKind};
use net::{Clock, Tap, TappedPacket};
use sip::ua::Flow;
use trace::{Belonging, MediaPacket, Trace, Way};

/// Where copies of a captured call's packets go.
pub(super) fn tap(trace: &Trace) -> Tap {
    let trace = trace.clone();
    Tap::new(move |packet| {
        let TappedPacket { capture, at, inbound, from, to, bytes } = packet;
        let way = if inbound { Way::In } else { Way::Out };
        trace.saw_media(MediaPacket { capture, at, from, to, way, bytes });
    })
}

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

    /// Forgets what ended long enough ago. Called at least every second, so that quiet hours forget busy ones.
    pub(super) fn forget(&mut self) {
        self.belonging.forget(self.clock.now());
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
                self.trace.refused_legs(self.belonging.refused());
            }
            FactKind::CaptureStarted { capture, .. } => self.trace.captures(*capture, call),
            FactKind::CallEnded { .. } => {
                self.belonging.ended(self.clock.now(), call);
                self.trace.call_ended(call);
            }
            _ => {}
        }
    }
}
