//! The SIP messages of a call, drawn.

use super::lines::fact_fields;
use crate::say::complain;
use anyhow::{Context as _, Result, bail};
use facts::{Fact, FactKind, LegRole};
use std::collections::BTreeMap;
use std::io::{Write as _, stdout};
use std::path::Path;
use trace::Found;
use trace::ladder::{Ladder, Note};

/// How the messages are to be shown.
pub(super) struct Shown<'a> {
    pub(super) json: bool,
    pub(super) full: bool,
    pub(super) svg: Option<&'a Path>,
}

pub(super) fn show(facts: &[Fact], found: &Found, shown: &Shown<'_>) -> Result<()> {
    let mut out = stdout().lock();
    if shown.json {
        for message in &found.messages {
            writeln!(out, "{}", serde_json::to_string(message)?)?;
        }
        return Ok(());
    }
    if found.messages.is_empty() {
        bail!(
            "no SIP messages of this call are kept; `keep` and `size_max` under [trace] say how long they are"
        );
    }
    let notes: Vec<Note> =
        facts.iter().map(|fact| Note { at: fact.at, text: fact_fields(&fact.kind) }).collect();
    let ladder = Ladder::new(&found.messages, &names(facts), &notes);
    match shown.svg {
        Some(path) => {
            let call = facts.iter().find_map(|fact| fact.call.as_deref()).unwrap_or_default();
            std::fs::write(path, ladder.svg(call))
                .with_context(|| format!("{} cannot be written", path.display()))?;
        }
        None => write!(out, "{}", ladder.text(shown.full))?,
    }
    if found.more {
        complain!("there are more messages than can be shown");
    }
    Ok(())
}

/// The parties' names by the Call-IDs of their legs.
fn names(facts: &[Fact]) -> BTreeMap<String, String> {
    let name = |fact: &Fact| match &fact.kind {
        FactKind::LegCreated { role, address, sip_call_id: Some(sip_call_id), .. } => {
            let role = match role {
                LegRole::Caller => "caller",
                LegRole::Agent => "agent",
                LegRole::External => "external",
                LegRole::Interpreter => "interpreter",
                LegRole::Supervisor => "supervisor",
            };
            Some((sip_call_id.clone(), format!("{role} {address}")))
        }
        _ => None,
    };
    facts.iter().filter_map(name).collect()
}
