//! What a run really met: every habit of a phone, every disaster and every turn of a call is counted when it
//! happens, and [`ROWS`] says which of the field's acceptance rows it stands for and who judges it.

use crate::ROWS;
use facts::{AgentState, Cause, Fact, FactKind, LegRole, OfferEnd, QueueRefusal, SupervisionMode};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How often each thing happened, by the names in [`ROWS`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    counts: BTreeMap<&'static str, u64>,
}

impl Coverage {
    pub(crate) fn met(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// How often this happened.
    pub fn count(&self, what: &str) -> u64 {
        self.counts.get(what).copied().unwrap_or(0)
    }

    /// Everything that happened at all.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.counts.keys().copied()
    }

    /// Adds what another run met.
    pub fn add(&mut self, other: &Coverage) {
        for (what, count) in &other.counts {
            *self.counts.entry(what).or_default() += count;
        }
    }

    /// What never happened although a row asks for it.
    pub fn missing(&self) -> Vec<&'static str> {
        let asked = ROWS.iter().flat_map(|row| row.met).copied();
        let missing: BTreeSet<&str> = asked.filter(|what| self.count(what) == 0).collect();
        missing.into_iter().collect()
    }

    /// What a fact tells of.
    pub(crate) fn fact(&mut self, fact: &Fact) {
        if let Some(what) = told_by(&fact.kind) {
            self.met(what);
        }
    }
}

fn told_by(kind: &FactKind) -> Option<&'static str> {
    let what = match kind {
        FactKind::QueuePosition { .. } => "fact queue position",
        FactKind::QueueEntered { priority, .. } if *priority > 0 => "fact queue priority",
        FactKind::QueueRefused { reason: QueueRefusal::Full, .. } => "fact queue full",
        FactKind::QueueRefused { reason: QueueRefusal::NobodyThere, .. } => "fact nobody there",
        FactKind::QueueOverflowed { .. } => "fact queue overflowed",
        FactKind::OfferEnded { reason: OfferEnd::Expired, .. } => "fact offer expired",
        FactKind::OfferEnded { reason: OfferEnd::Rejected, .. } => "fact offer rejected",
        FactKind::OfferEnded { reason: OfferEnd::Failed, .. } => "fact offer failed",
        FactKind::OfferEnded { reason: OfferEnd::Withdrawn, .. } => "fact offer withdrawn",
        FactKind::AgentState { state: AgentState::Paused, reason: Some(_), .. } => "fact paused with reason",
        FactKind::AgentState { state: AgentState::Wrapup, .. } => "fact wrap-up",
        FactKind::DtmfReceived { source, .. } if source == "info" => "fact digit by INFO",
        FactKind::DtmfReceived { .. } => "fact digit by RTP",
        FactKind::CallArrived { service, .. } if service == "room" => "fact call to a room",
        FactKind::ConferenceJoined { role: LegRole::Interpreter, .. } => "fact interpreter",
        FactKind::InterpreterMissed(_) => "fact interpreter missed",
        FactKind::ConferenceJoined { .. } => "fact third party",
        FactKind::ConferenceLeft { .. } => "fact third party left",
        FactKind::ConferenceMuted { muted: true, .. } => "fact muted",
        FactKind::SupervisionStarted { mode, .. } | FactKind::SupervisionModeChanged { mode, .. } => {
            match mode {
                SupervisionMode::Listen => "fact listening",
                SupervisionMode::Whisper => "fact whispering",
                SupervisionMode::Barge => "fact barging in",
            }
        }
        FactKind::LegCodec { .. } => "fact leg codec",
        FactKind::CallTranscoded { .. } => "fact call transcoded",
        FactKind::LegHeld { .. } => "fact leg held",
        FactKind::LegResumed { .. } => "fact leg resumed",
        FactKind::LegEarlyMedia { .. } => "fact early media",
        FactKind::LegRerouted { .. } => "fact leg rerouted",
        FactKind::LegRefreshFailed { .. } => "fact refresh failed",
        FactKind::MediaSilent { .. } => "fact media silent",
        FactKind::TransferConsulting { .. } => "fact transfer consulting",
        FactKind::TransferCompleted { .. } => "fact transfer completed",
        FactKind::TransferFailed { .. } => "fact transfer failed",
        FactKind::TransferCancelled { .. } => "fact transfer cancelled",
        FactKind::TrunkDown { .. } => "fact trunk down",
        FactKind::TrunkDegraded { .. } => "fact trunk degraded",
        FactKind::TrunkUp { .. } => "fact trunk up",
        FactKind::CallDiverted { .. } => "fact call diverted",
        FactKind::CallUserData(_) => "fact user data",
        FactKind::OutboundRefused { .. } => "fact outbound refused",
        FactKind::CallEnded { end, .. } => return ended_by(end.cause),
        FactKind::LegEnded { end, .. } => match end.cause {
            Cause::SessionExpired => "fact session expired",
            Cause::NotAcknowledged => "fact not acknowledged",
            Cause::BadMedia => "fact bad media",
            _ => return None,
        },
        _ => return None,
    };
    Some(what)
}

fn ended_by(cause: Cause) -> Option<&'static str> {
    match cause {
        Cause::Cancelled => Some("fact call cancelled"),
        Cause::NotFound => Some("fact call not found"),
        Cause::EngineRestarted => Some("fact engine restarted"),
        Cause::Capacity => Some("fact capacity"),
        _ => None,
    }
}

impl fmt::Display for Coverage {
    /// One line for each thing: how often, what.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.counts.iter().try_for_each(|(what, count)| writeln!(f, "{count:>9}  {what}"))
    }
}
