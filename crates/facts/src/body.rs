//! Several bodies in one installation: whose a thing is, by its name.

use crate::{EmergencyScope, FactKind};
use base::body_of;

impl FactKind {
    /// The body whose this is, by the names in it. What happens to a call says nothing here: the call is of a body.
    pub fn body(&self) -> Option<&str> {
        match self {
            FactKind::AgentState { agent, .. }
            | FactKind::EndpointRegistered { agent, .. }
            | FactKind::EndpointUnregistered { agent, .. } => body_of(agent),
            FactKind::OutboundRefused { who, .. }
            | FactKind::OutboundAllowed { who, .. }
            | FactKind::OutboundSettled { who, .. } => body_of(who),
            FactKind::CallerRemembered(told) => body_of(&told.script),
            FactKind::CallerForgotten(told) => body_of(&told.script),
            // Of two bodies it is neither's.
            FactKind::TextSent { from, to, .. } => match (body_of(from), body_of(to)) {
                (Some(from), Some(to)) => Some(from).filter(|from| *from == to),
                (from, to) => from.or(to),
            },
            _ => None,
        }
    }
}

impl EmergencyScope {
    /// The body that it says itself. Whose a number is, the configuration knows.
    pub fn body(&self) -> Option<&str> {
        match self {
            EmergencyScope::Body(body) => Some(body),
            EmergencyScope::Script(script) => body_of(script),
            EmergencyScope::Number(_) | EmergencyScope::All => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_from_one_body_to_another_is_neithers() {
        let text = |from: &str, to: &str| FactKind::TextSent {
            from: from.into(),
            to: to.into(),
            bytes: 1,
            sip: 200,
        };
        for (from, to, body) in [
            ("venezia/anna", "venezia/bruno", Some("venezia")),
            ("venezia/anna", "mestre/carla", None),
            ("venezia/anna", "boss", Some("venezia")),
            ("+39061", "venezia/anna", Some("venezia")),
            ("boss", "chief", None),
        ] {
            assert_eq!(text(from, to).body(), body, "{from} {to}");
        }
    }
}
