//! Desks that somebody has closed by command, whatever their calendars say.

use base::Wall;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What is closed. In words: `all`, `body:venezia`, `number:+390612345`, `script:helpdesk`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EmergencyScope {
    /// Every service that has a script.
    All,
    /// Every service of this body that has a script.
    Body(String),
    /// What answers this number, in its normal form.
    Number(String),
    /// Whatever this script answers.
    Script(String),
}

impl EmergencyScope {
    /// Reads what [`fmt::Display`] writes.
    pub fn parse(text: &str) -> Option<EmergencyScope> {
        match text.split_once(':') {
            None => (text == "all").then_some(EmergencyScope::All),
            Some((_, "")) => None,
            Some(("body", body)) => Some(EmergencyScope::Body(body.to_owned())),
            Some(("number", number)) => Some(EmergencyScope::Number(number.to_owned())),
            Some(("script", script)) => Some(EmergencyScope::Script(script.to_owned())),
            Some(_) => None,
        }
    }
}

impl fmt::Display for EmergencyScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EmergencyScope::All => f.write_str("all"),
            EmergencyScope::Body(body) => write!(f, "body:{body}"),
            EmergencyScope::Number(number) => write!(f, "number:{number}"),
            EmergencyScope::Script(script) => write!(f, "script:{script}"),
        }
    }
}

/// A closure by command, as the log has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmergencyClosed {
    /// `all`, `body:venezia`, `number:+390612345` or `script:helpdesk`.
    pub scope: String,
    /// The phrase that callers hear first; empty for none.
    pub message: String,
    /// Why, for people.
    pub reason: String,
    /// The client that asked for it.
    pub by: String,
}

/// A closure that has not been lifted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmergencyNow {
    /// Since when, in microseconds since the Unix epoch.
    pub since: i64,
    /// What, and why.
    pub closed: EmergencyClosed,
    /// The body whose desk it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

impl EmergencyNow {
    /// One that began at this time.
    pub fn new(since: Wall, closed: EmergencyClosed, body: Option<String>) -> EmergencyNow {
        EmergencyNow { since: since.unix_micros(), closed, body }
    }

    /// When it began.
    pub fn since(&self) -> Wall {
        Wall::from_unix_micros(self.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_read_as_it_is_written() {
        let number = EmergencyScope::Number("+390612345".into());
        let (script, body) =
            (EmergencyScope::Script("helpdesk".into()), EmergencyScope::Body("venezia".into()));
        for scope in [EmergencyScope::All, body, number, script] {
            assert_eq!(EmergencyScope::parse(&scope.to_string()), Some(scope));
        }
        for wrong in ["", "number", "number:", "script:", "body:", "queue:x", "All"] {
            assert_eq!(EmergencyScope::parse(wrong), None, "{wrong}");
        }
    }
}
