//! A script puts the call through to one agent, and to nobody else: the distributor asks them as for a call of a queue, if
//! they are ready, and says at once if they are not.

use super::ending::Phase;
use super::{Call, Stage};
use crate::context::Context;
use crate::destinations::account;
use acd::{EntryId, NotAsked};
use facts::{CallPhase, End, FactKind};
use ivr::TransferEnd;
use std::time::Duration;

/// An agent who is wanted by name.
pub(crate) struct ByName {
    entry: EntryId,
    /// As facts name them.
    to: String,
}

impl Call {
    /// The script wants this agent.
    pub(super) fn transfer_to_agent(&mut self, ctx: &mut Context, agent: String, ring: Duration) {
        // Nobody's name is asked for whom the body cannot name.
        let known = account(&ctx.config, self.log.body.as_deref(), &agent);
        let (agent, to) = (known.clone().unwrap_or_default(), known.unwrap_or(agent));
        self.note(ctx, FactKind::TransferStarted { to: to.clone(), by: None });
        self.phase = CallPhase::Transferring { to: to.clone() };
        self.phases.enter(ctx.now, Phase::Other);
        let (entry, queue) = (ctx.new_entry(self.key), self.last_queue.clone());
        self.stage = Stage::ByName(ByName { entry, to });
        ctx.acd(acd::Input::Ask { entry, agent, within: ring, queue });
    }

    /// They cannot be asked now.
    pub(crate) fn not_asked(&mut self, ctx: &mut Context, why: NotAsked) {
        let why = match why {
            NotAsked::Unknown => TransferEnd::Unknown,
            NotAsked::LoggedOff => TransferEnd::LoggedOff,
            NotAsked::Paused => TransferEnd::Paused,
            NotAsked::Busy => TransferEnd::Busy,
        };
        self.not_taken_by_name(ctx, why, None);
    }

    /// They were asked, and did not take it.
    pub(super) fn not_taken_by_name(&mut self, ctx: &mut Context, why: TransferEnd, sip: Option<u16>) {
        if let Some(ByName { to, .. }) = self.leave_by_name(ctx) {
            self.script_transfer_failed(ctx, to, sip, why);
        }
    }

    /// They have it.
    pub(super) fn taken_by_name(&mut self, ctx: &mut Context) {
        if let Some(ByName { to, .. }) = self.leave_by_name(ctx) {
            self.note(ctx, FactKind::TransferCompleted { to });
        }
    }

    /// The call ends while they are asked.
    pub(super) fn give_up_by_name(&mut self, ctx: &mut Context, end: End) {
        if let Some(ByName { entry, .. }) = self.leave_by_name(ctx) {
            self.withdraw_asking(ctx, end);
            ctx.acd(acd::Input::Withdraw(entry));
        }
    }

    fn leave_by_name(&mut self, ctx: &mut Context) -> Option<ByName> {
        match std::mem::replace(&mut self.stage, Stage::Arriving) {
            Stage::ByName(by_name) => {
                ctx.entries.remove(&by_name.entry);
                Some(by_name)
            }
            other => {
                self.stage = other;
                None
            }
        }
    }
}
