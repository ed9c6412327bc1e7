//! `cornetta ivr when`: what would happen to a call at an instant, node by node, and which rule decides. The real
//! interpreter walks the script that answers the number; time passes as fast as it can.

mod walk;

use super::{WRONG, now, tell_faults};
use crate::cli::When;
use crate::config;
use crate::exchange::ZONE;
use crate::say::{complain, say};
use base::Wall;
use calendar::Zone;
use engine::Service;
use ivr::Entry;
use serde_json::json;
use std::process::ExitCode;
use walk::{Step, Walk};

pub(super) fn run(when: &When) -> ExitCode {
    let installation = match config::load(&when.config.config) {
        Ok(installation) => installation,
        Err(faults) => return tell_faults(&faults),
    };
    let engine = &installation.engine;
    let normal = engine.numbering.home.normal(&when.number).to_string();
    let Some(service) = engine.services.get(&normal).or(engine.otherwise.as_ref()) else {
        return wrong(&format!("nothing answers {}; the numbers stand under [[service]]", when.number));
    };
    let Service::Script { script, language } = service else {
        say!("al {} risponde il servizio «{}», senza script e senza calendario", when.number, service.name());
        return ExitCode::SUCCESS;
    };
    let Some(zone) = script.zone().cloned().or_else(|| Zone::named(ZONE)) else {
        return wrong("no zone is known");
    };
    let (at, note) = match instant(when.at.as_deref(), &zone) {
        Ok(instant) => instant,
        Err(why) => return wrong(&why),
    };
    let from = when.from.as_deref().map(|from| engine.numbering.home.normal(from).to_string());
    let from = from.unwrap_or_else(|| "anonymous".to_owned());
    if let Some(language) = &when.remembered {
        let known: Vec<&str> = script.languages().collect();
        if !script.remembers() {
            return wrong(&format!("the script {} remembers nobody; leave --remembered out", script.name()));
        }
        if !known.contains(&language.as_str()) {
            return wrong(&format!("the script has no language `{language}`; it has {}", known.join(", ")));
        }
        if when.from.is_none() {
            return wrong("nobody is remembered who is anonymous; say who calls: --from +393471234567");
        }
    }
    let entry = Entry {
        written: engine.numbering.written_in(script, &normal).to_owned(),
        dialled: normal.clone(),
        caller: from.clone(),
        trust: engine::TRUST_UNKNOWN.to_string(),
        language: language.clone(),
        brought: Default::default(),
        remembered: when.remembered.clone(),
    };
    let mut walk = Walk::new(engine, (script, entry), at, &when.keys);
    walk.go();
    let shown = zone.shown(at).unwrap_or_default();
    match when.json {
        true => say!(
            "{}",
            json!({
                "number": when.number, "from": from, "at": shown, "zone": zone.name(), "note": note,
                "script": script.name(), "steps": walk.steps.iter().map(Step::json).collect::<Vec<_>>(),
            })
        ),
        false => tell(
            &walk.steps,
            &format!("{shown} ({})", zone.name()),
            (&from, &when.number, script.name()),
            &note,
        ),
    }
    ExitCode::SUCCESS
}

fn wrong(why: &str) -> ExitCode {
    complain!("{why}");
    ExitCode::from(WRONG)
}

fn tell(steps: &[Step], at: &str, (from, number, script): (&str, &str, &str), note: &str) {
    say!("{at}, chiama {from}: al {number} risponde lo script «{script}»");
    if !note.is_empty() {
        say!("{note}");
    }
    for step in steps {
        say!("  {:<20} {}", step.node, step.italian);
    }
}

/// The instant that the clock of the zone shows so, and a word where that is not clear.
fn instant(shown: Option<&str>, zone: &Zone) -> Result<(Wall, String), String> {
    let Some(shown) = shown else { return Ok((now(), String::new())) };
    let instants = zone.instants(shown).ok_or_else(|| {
        format!("`{shown}` is no time; write it like \"2027-04-25 10:00\", by the clocks of {}", zone.name())
    })?;
    match instants.as_slice() {
        [] => Err(format!("`{shown}` does not come in {}: the clocks go forward over it", zone.name())),
        [only] => Ok((*only, String::new())),
        [first, second, ..] => {
            let later = zone.shown(*second).unwrap_or_default();
            Ok((*first, format!("l'orologio mostra quest'ora due volte: qui la prima, la seconda è {later}")))
        }
    }
}
