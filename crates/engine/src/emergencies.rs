//! Desks that somebody has closed by command, as facts and over a restart.

use crate::context::Context;
use crate::{CommandRefused, Config, Service};
use facts::{EmergencyClosed, EmergencyNow, EmergencyScope, FactKind};
use ivr::Script;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Closures at a time: whoever needs more closes a script, or all.
const LIVING_MAX: usize = 1000;

#[derive(Debug, Default)]
pub(crate) struct Emergencies {
    /// By scope; [`LIVING_MAX`] at most.
    living: BTreeMap<String, EmergencyNow>,
}

impl Emergencies {
    /// The closures in force, as the fold of the facts must have them too.
    pub(crate) fn now(&self) -> &BTreeMap<String, EmergencyNow> {
        &self.living
    }

    /// Goes on with those of the time before.
    pub(crate) fn restore(&mut self, past: Vec<EmergencyNow>) {
        self.living = past.into_iter().map(|now| (now.closed.scope.clone(), now)).collect();
    }

    /// What closes a call to `number` that `script` of `body` answers: the closure of the number before that of the script
    /// before that of the body before that of all.
    pub(crate) fn of(&self, number: &str, script: &str, body: Option<&str>) -> Option<&EmergencyClosed> {
        let number = EmergencyScope::Number(number.to_owned());
        let script = EmergencyScope::Script(script.to_owned());
        let body = body.map(|body| EmergencyScope::Body(body.to_owned()));
        let scopes = [Some(number), Some(script), body, Some(EmergencyScope::All)];
        scopes.iter().flatten().find_map(|scope| self.living.get(&scope.to_string())).map(|now| &now.closed)
    }
}

impl Context {
    /// A person closes a desk. One that is closed already is closed with the new words.
    pub(crate) fn close_by_emergency(
        &mut self,
        scope: EmergencyScope,
        (message, reason): (String, String),
        by: String,
    ) -> Result<(), CommandRefused> {
        let scope = self.normal(scope);
        let scripts = scripts(&self.config, &scope);
        if scripts.is_empty() {
            return Err(CommandRefused::NotFound);
        }
        let another = !self.emergencies.living.contains_key(&scope.to_string());
        if another && self.emergencies.living.len() >= LIVING_MAX {
            return Err(CommandRefused::InvalidState);
        }
        let knows = |script: &Arc<Script>| script.has_emergency_message(&message);
        if !message.is_empty() && !scripts.iter().any(knows) {
            return Err(CommandRefused::NoMessage);
        }
        let body = self.body_of_scope(&scope);
        let closed = EmergencyClosed { scope: scope.to_string(), message, reason, by };
        let now = EmergencyNow::new(self.wall(), closed.clone(), body.clone());
        self.emergencies.living.insert(closed.scope.clone(), now);
        self.note_of(body, FactKind::EmergencyClosed(closed));
        Ok(())
    }

    /// A person lets a desk go by its calendars again.
    pub(crate) fn open_after_emergency(
        &mut self,
        scope: EmergencyScope,
        by: String,
    ) -> Result<(), CommandRefused> {
        let scope = self.normal(scope).to_string();
        let closed = self.emergencies.living.remove(&scope).ok_or(CommandRefused::NotFound)?;
        self.note_of(closed.body, FactKind::EmergencyOpened { scope, by });
        Ok(())
    }

    /// Whose desk that is.
    pub(crate) fn body_of_scope(&self, scope: &EmergencyScope) -> Option<String> {
        match scope {
            EmergencyScope::Number(number) => {
                let normal = self.config.numbering.home.normal(number);
                self.config.bodies.of_number(normal.as_str()).map(str::to_owned)
            }
            _ => scope.body().map(str::to_owned),
        }
    }

    fn normal(&self, scope: EmergencyScope) -> EmergencyScope {
        match scope {
            EmergencyScope::Number(number) => {
                EmergencyScope::Number(self.config.numbering.home.normal(&number).to_string())
            }
            other => other,
        }
    }
}

/// The scripts that answer within a scope. A number that no service names is answered by the one for all others.
fn scripts(config: &Config, scope: &EmergencyScope) -> Vec<Arc<Script>> {
    let services: Vec<&Service> = match scope {
        EmergencyScope::Number(number) => {
            config.services.get(number).or(config.otherwise.as_ref()).into_iter().collect()
        }
        EmergencyScope::Body(body) => {
            let of_body = config.bodies.numbers.iter().filter(|(_, of)| *of == body);
            of_body.filter_map(|(number, _)| config.services.get(number)).collect()
        }
        EmergencyScope::Script(_) | EmergencyScope::All => {
            config.services.values().chain(&config.otherwise).collect()
        }
    };
    let scripts = services.into_iter().filter_map(|service| match service {
        Service::Script { script, .. } => Some(script.clone()),
        _ => None,
    });
    scripts.filter(|script| !matches!(scope, EmergencyScope::Script(name) if script.name() != name)).collect()
}
