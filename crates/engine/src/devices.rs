//! Agents' devices and trunks: who is there.

use crate::context::Context;
use facts::{AgentNow, AgentState, FactKind, TrunkNow};
use sip::ua::{Contact, Do, Gone, Occupation};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

/// What is known of agents and trunks.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    pub(crate) agents: BTreeMap<String, AgentNow>,
    pub(crate) trunks: BTreeMap<String, TrunkNow>,
    /// The last trouble of each trunk, so that the same is not written at each try.
    troubles: BTreeMap<String, (bool, Option<u16>)>,
    /// Trunks of which some servers answer and others do not.
    degraded: BTreeSet<String>,
}

impl Devices {
    pub(crate) fn registered(&mut self, ctx: &mut Context, user: String, contact: Contact, new: bool) {
        if !new {
            return;
        }
        let (uri, user_agent) = (contact.uri, contact.user_agent);
        ctx.note(FactKind::EndpointRegistered { agent: user.clone(), contact: uri, user_agent });
        ctx.acd(acd::Input::LogOn(user));
    }

    pub(crate) fn unregistered(&mut self, ctx: &mut Context, user: String, why: Gone) {
        let why = match why {
            Gone::Expired => "expired",
            Gone::ByDevice => "by_device",
            Gone::FlowLost => "flow_lost",
        };
        ctx.note(FactKind::EndpointUnregistered { agent: user.clone(), why: why.to_owned() });
        ctx.acd(acd::Input::LogOff(user));
    }

    pub(crate) fn agent_state(
        &mut self,
        ctx: &mut Context,
        agent: String,
        (state, by): (acd::State, acd::By),
        reason: Option<String>,
    ) {
        let occupation = match state {
            acd::State::Offered => Occupation::Rung,
            acd::State::Talking => Occupation::Talking,
            _ => Occupation::None,
        };
        ctx.sip(Do::Occupation { user: agent.clone(), occupation });
        let state = public(state);
        let by = match by {
            acd::By::Device => "device",
            acd::By::Request => "api",
            acd::By::Course => "engine",
        };
        self.agents.insert(agent.clone(), AgentNow { state, reason: reason.clone() });
        ctx.note(FactKind::AgentState { agent, state, reason, by: by.to_owned() });
    }

    /// Forgets the trunks that the configuration no longer names.
    pub(crate) fn keep_trunks(&mut self, ctx: &mut Context) {
        let config = ctx.config.clone();
        let named = |name: &String| config.sip.trunks.iter().any(|trunk| trunk.name == *name);
        let gone: Vec<String> = self.trunks.keys().filter(|name| !named(name)).cloned().collect();
        for trunk in gone {
            self.trunks.remove(&trunk);
            self.troubles.remove(&trunk);
            self.degraded.remove(&trunk);
            ctx.note(FactKind::TrunkRemoved { trunk });
        }
    }

    /// What OPTIONS found of a trunk's servers.
    pub(crate) fn trunk_health(
        &mut self,
        ctx: &mut Context,
        trunk: String,
        up: usize,
        down: Vec<(SocketAddr, Option<u16>)>,
    ) {
        let was_degraded = self.degraded.remove(&trunk);
        if up == 0 {
            self.trunks.insert(trunk.clone(), TrunkNow { up: false });
            let sip = down.iter().find_map(|(_, status)| *status);
            let why = match (down.is_empty(), sip) {
                (true, _) => "name servers know no address of the operator's server",
                (false, Some(_)) => "the operator's servers answer that they cannot serve",
                (false, None) => "the operator's servers do not answer",
            };
            return ctx.note(FactKind::TrunkDown { trunk, sip, why: why.to_owned() });
        }
        // A registration that was refused outweighs servers that answer.
        if self.troubles.contains_key(&trunk) {
            return;
        }
        let was_up = self.trunks.insert(trunk.clone(), TrunkNow { up: true }).is_some_and(|trunk| trunk.up);
        if down.is_empty() {
            if !was_up || was_degraded {
                ctx.note(FactKind::TrunkUp { trunk });
            }
            return;
        }
        self.degraded.insert(trunk.clone());
        let down = down.into_iter().map(|(server, _)| server.to_string()).collect();
        ctx.note(FactKind::TrunkDegraded { trunk, up, down });
    }

    pub(crate) fn trunk_up(&mut self, ctx: &mut Context, trunk: String) {
        self.troubles.remove(&trunk);
        let before = self.trunks.insert(trunk.clone(), TrunkNow { up: true });
        if before.is_none_or(|trunk| !trunk.up) {
            ctx.note(FactKind::TrunkUp { trunk });
        }
    }

    pub(crate) fn trunk_down(
        &mut self,
        ctx: &mut Context,
        trunk: String,
        trouble: (bool, Option<u16>),
        next_try: Duration,
    ) {
        self.trunks.insert(trunk.clone(), TrunkNow { up: false });
        if self.troubles.insert(trunk.clone(), trouble) == Some(trouble) {
            return;
        }
        let (refused, sip) = trouble;
        let why = match (refused, sip) {
            (true, _) => "the operator refuses our user or password; correct them in the configuration",
            (false, Some(_)) => "the operator's server answers with a fault of its own; it is tried again",
            (false, None) => "the operator's server does not answer; it is tried again",
        };
        ctx.note(FactKind::TrunkRegistrationFailed {
            trunk,
            refused,
            sip,
            next_try_s: next_try.as_secs(),
            why: why.to_owned(),
        });
    }
}

fn public(state: acd::State) -> AgentState {
    match state {
        acd::State::LoggedOff => AgentState::LoggedOff,
        acd::State::Ready => AgentState::Ready,
        acd::State::Offered => AgentState::Offered,
        acd::State::Talking => AgentState::Talking,
        acd::State::Wrapup => AgentState::Wrapup,
        acd::State::Paused => AgentState::Paused,
    }
}
