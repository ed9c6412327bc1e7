//! What must hold in a world: at any moment, once nothing has been wrong for long, and at the end.

use super::{PATIENCE, VIOLATIONS_MAX, World};
use crate::town;
use base::Time;

impl World<'_> {
    /// An engine that is woken must have done what it asked to be woken for.
    pub(super) fn check_deadline(&mut self, before: Time) {
        if let Some((at, why)) = self.engine.poll_timeout()
            && at <= before
        {
            self.violation(&format!("the engine asks again to be woken at {at} for {why:?}"));
            self.report.violations.resize(VIOLATIONS_MAX, "the world stood still".to_owned());
        }
    }

    /// Facts, wire and turns, at any moment.
    pub(super) fn check_the_state(&mut self) {
        let (ours, theirs) = (self.log.fold().snapshot(), self.engine.snapshot());
        if *ours != theirs {
            let difference = crate::trace::difference(&format!("{ours:#?}"), &format!("{theirs:#?}"));
            self.violation(&format!("the fold of the facts is not the engine's state: {difference}"));
        }
        self.wire.check(self.now);
        if let Some(idle) = self.reference.idles_beside(self.now) {
            self.violation(&idle);
        }
    }

    /// Nobody is left who should have come to an end long ago.
    pub(super) fn check_liveness(&mut self) {
        let left: Vec<String> =
            self.engine.snapshot().calls.iter().map(|(id, call)| format!("{id} {:?}", call.phase)).collect();
        for call in left {
            self.violation(&format!("{call} goes on although nothing has been wrong for {PATIENCE:?}"));
        }
        let left: Vec<usize> =
            self.phones.keys().copied().filter(|number| self.town.is_caller(*number)).collect();
        for number in left {
            self.violation(&format!("the phone {} never came to an end", town::address_of(number).ip()));
        }
    }

    /// Nothing is left at all.
    pub(super) fn check_the_end(&mut self) {
        self.check_the_state();
        if !self.engine.is_idle() {
            let calls = self.engine.calls();
            self.violation(&format!(
                "something is left in the engine: {calls} calls or what belongs to them"
            ));
        }
        if self.media.open_legs() > 0 {
            let open = self.media.open_legs();
            self.violation(&format!("{open} legs are still open in media"));
        }
        if !self.reference.is_empty() {
            self.violation("by the facts somebody still waits or is asked");
        }
        if self.commands != self.replies {
            self.violation(&format!("{} commands had {} replies", self.commands, self.replies));
        }
    }
}
