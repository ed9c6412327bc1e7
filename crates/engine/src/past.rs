//! What the log knows of a time before this engine: calls that the last process left open are ended in it.

use crate::Past;
use crate::charges;
use crate::context::Context;
use crate::ledger::CallLog;
use base::Wall;
use facts::{
    CallData, Cause, End, FactKind, InterpreterMiss, NoInterpreter, OfferEnd, OpenCall, QueueLeft, Side,
};

/// Writes the beginning of this engine, and the ends of what was broken off.
pub(crate) fn begin(ctx: &mut Context, past: Past) {
    let version = ctx.config.program_version.clone();
    ctx.note(FactKind::SystemStarted { version, previous_head: past.head });
    let version = ctx.config.version.clone();
    ctx.note(FactKind::ConfigActivated { version });
    for broken in past.broken {
        end_broken(ctx, broken);
    }
    charges::restore(ctx, past.charges);
    for (agent, reason) in past.paused {
        ctx.acd(acd::Input::Pause { agent, reason });
    }
}

fn end_broken(ctx: &mut Context, broken: OpenCall) {
    let now = ctx.wall();
    let total_ms = broken.arrived.map_or(0, |arrived| millis_between(arrived, now));
    let mut log = CallLog { id: broken.call, body: broken.body, callseq: broken.callseq };
    let end = End::new(Side::Engine, Cause::EngineRestarted);
    for (offer, agent) in broken.offers {
        let reason = OfferEnd::Failed;
        ctx.note_call(&mut log, FactKind::OfferEnded { offer, agent, reason, sip: None });
    }
    if let Some((language, since)) = broken.interpreter {
        let (reason, waited_ms) = (NoInterpreter::TooLate, millis_between(since, now));
        let miss = InterpreterMiss { language, reason, waited_ms };
        ctx.note_call(&mut log, FactKind::InterpreterMissed(miss));
    }
    for (queue, since) in broken.waiting {
        let (reason, waited_ms) = (QueueLeft::Ended, millis_between(since, now));
        ctx.note_call(&mut log, FactKind::QueueLeft { queue, reason, waited_ms });
    }
    for leg in broken.legs {
        ctx.note_call(&mut log, FactKind::LegEnded { leg, end: end.clone() });
    }
    if let Some(recording) = broken.recording {
        let why = "the program stopped while it recorded; what the disk has of it can be played".to_owned();
        ctx.note_call(&mut log, FactKind::RecordingFailed { recording, why, length_ms: 0, lost_ms: 0 });
    }
    let data = CallData { total_ms, ..CallData::default() };
    ctx.note_call(&mut log, FactKind::CallEnded { end, data });
}

fn millis_between(from: Wall, to: Wall) -> u64 {
    u64::try_from(to.unix_micros().saturating_sub(from.unix_micros()) / 1000).unwrap_or(0)
}
