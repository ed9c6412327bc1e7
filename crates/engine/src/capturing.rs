//! Captures of single calls: whose media is copied to whoever looks for a fault. That somebody does is a fact.

use crate::CommandRefused;
use crate::call::Call;
use crate::context::{CallKey, Context};
use crate::engine::Engine;
use facts::FactKind;
use media_api::Command;
use std::collections::BTreeMap;

/// Captures that wait for their calls. The shell allows fewer at a time.
const WAITING_MAX: usize = 16;

/// Calls that are captured, and captures that wait for a call.
#[derive(Debug, Default)]
pub(crate) struct Captures {
    calls: BTreeMap<CallKey, u64>,
    waiting: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    number: String,
    capture: u64,
    by: String,
}

impl Captures {
    /// The capture of a call.
    pub(crate) fn of(&self, call: CallKey) -> Option<u64> {
        self.calls.get(&call).copied()
    }

    /// The call is over.
    pub(crate) fn forget(&mut self, call: CallKey) {
        self.calls.remove(&call);
    }

    fn take_for(&mut self, numbers: [&str; 2]) -> Option<Waiting> {
        let place = self.waiting.iter().position(|waiting| numbers.contains(&waiting.number.as_str()))?;
        Some(self.waiting.remove(place))
    }
}

impl Engine {
    pub(crate) fn capture(&mut self, id: &str, capture: u64, by: String) -> Result<(), CommandRefused> {
        let (key, call) = self.call_of(id)?;
        if call.is_ending() {
            return Err(CommandRefused::InvalidState);
        }
        self.with_call(key, |call, ctx| call.capture(ctx, capture, by));
        Ok(())
    }

    pub(crate) fn capture_next(
        &mut self,
        number: String,
        capture: u64,
        by: String,
    ) -> Result<(), CommandRefused> {
        let waiting = &mut self.ctx.captures.waiting;
        if waiting.len() >= WAITING_MAX {
            return Err(CommandRefused::InvalidState);
        }
        waiting.push(Waiting { number, capture, by });
        Ok(())
    }

    /// One that has ended already, or whose place another has taken, is passed over.
    pub(crate) fn end_capture(&mut self, capture: u64) {
        let captures = &mut self.ctx.captures;
        captures.waiting.retain(|waiting| waiting.capture != capture);
        let captured = captures.calls.iter().find(|(_, known)| **known == capture);
        let Some(key) = captured.map(|(key, _)| *key) else { return };
        captures.calls.remove(&key);
        self.with_call(key, |call, ctx| call.tell_media_of_capture(ctx, None));
    }
}

impl Call {
    fn capture(&mut self, ctx: &mut Context, capture: u64, by: String) {
        ctx.captures.calls.insert(self.key, capture);
        ctx.note_call(&mut self.log, FactKind::CaptureStarted { capture, by });
        self.tell_media_of_capture(ctx, Some(capture));
    }

    /// A capture may have waited for this call.
    pub(crate) fn begin_awaited_capture(&mut self, ctx: &mut Context) {
        if self.is_ending() {
            return;
        }
        if let Some(Waiting { capture, by, .. }) = ctx.captures.take_for(self.numbers()) {
            self.capture(ctx, capture, by);
        }
    }

    fn tell_media_of_capture(&self, ctx: &mut Context, capture: Option<u64>) {
        for leg in self.media_legs() {
            ctx.media(Command::Capture { leg, capture });
        }
    }
}
