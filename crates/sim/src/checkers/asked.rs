//! Who is put beside a conversation, or silenced in it, is who an integrator has asked for, and as it was asked for last.

use base::Wall;
use facts::{Command, Fact, FactKind, LegRole, SupervisionMode};
use std::collections::BTreeMap;

#[derive(Default)]
pub(crate) struct AskedChecker {
    /// What is being asked for.
    now: Option<Command>,
    /// How a supervisor is to hear a call, by both.
    modes: BTreeMap<(String, String), SupervisionMode>,
    /// How many third parties a call was to have.
    parties: BTreeMap<String, u32>,
    /// Who came although nobody had asked for them: another device of a party that goes in the same moment, or a fault.
    uninvited: Vec<(Wall, String, String)>,
    /// Who is there by call and leg: as what, and who had asked for them.
    there: BTreeMap<(String, u32), (LegRole, String)>,
    /// Whose coming in this moment was one that had been asked for.
    came: Vec<(Wall, String, (LegRole, String))>,
    pub(crate) complaints: Vec<String>,
}

impl AskedChecker {
    /// An integrator asks for something.
    pub(crate) fn asks(&mut self, command: &Command) {
        self.now = Some(command.clone());
    }

    /// It was done, or refused.
    pub(crate) fn answered(&mut self, done: bool) {
        match self.now.take().filter(|_| done) {
            Some(Command::Supervise { call, supervisor, mode, .. }) => {
                self.modes.insert((call, supervisor), mode);
            }
            Some(Command::AddParty { call, .. }) => *self.parties.entry(call).or_default() += 1,
            _ => {}
        }
    }

    pub(crate) fn apply(&mut self, fact: &Fact) {
        let over = self.uninvited.iter().filter(|(at, ..)| *at < fact.at).map(|(.., what)| what.clone());
        self.complaints.extend(over);
        self.uninvited.retain(|(at, ..)| *at >= fact.at);
        self.came.retain(|(at, ..)| *at >= fact.at);
        let Some(id) = &fact.call else { return };
        let is_right = match &fact.kind {
            FactKind::SupervisionStarted { supervisor, mode, .. } => {
                self.modes.get(&(id.clone(), supervisor.clone())) == Some(mode)
            }
            FactKind::SupervisionModeChanged { supervisor, mode, .. } => matches!(
                &self.now,
                Some(Command::Supervise { call, supervisor: whom, mode: wanted, .. })
                    if call == id && whom == supervisor && wanted == mode
            ),
            FactKind::ConferenceMuted { leg, muted, by } => {
                by.is_empty()
                    || matches!(
                        &self.now,
                        Some(Command::MuteParty { call, leg: whose, muted: wanted })
                            if call == id && whose == leg && wanted == muted
                    )
            }
            // Whom the distributor has found: `reference.rs` knows whom it may.
            FactKind::OfferAccepted { role: LegRole::Interpreter, .. } => {
                *self.parties.entry(id.clone()).or_default() += 1;
                true
            }
            FactKind::ConferenceJoined { leg, role, by } => {
                self.joins(fact, id, (*leg, *role, by));
                true
            }
            FactKind::ConferenceLeft { leg } => {
                self.leaves(id, *leg);
                true
            }
            FactKind::CallEnded { .. } => {
                self.modes.retain(|(call, _), _| call != id);
                self.parties.remove(id);
                self.there.retain(|(call, _), _| call != id);
                true
            }
            _ => true,
        };
        if !is_right {
            self.complaints.push(format!("{id}: {:?}, which nobody has asked for", fact.kind));
        }
    }

    fn joins(&mut self, fact: &Fact, id: &str, (leg, role, by): (u32, LegRole, &str)) {
        let who = (role, by.to_owned());
        self.there.insert((id.to_owned(), leg), who.clone());
        if let Some(left) = self.parties.get_mut(id).filter(|left| **left > 0) {
            *left -= 1;
            self.came.push((fact.at, id.to_owned(), who));
        } else {
            let what = format!("{id}: {:?}, which nobody has asked for", fact.kind);
            self.uninvited.push((fact.at, id.to_owned(), what));
        }
    }

    /// Who goes as another of theirs comes has changed the device: whoever else was asked for is still to come.
    fn leaves(&mut self, id: &str, leg: u32) {
        let who = self.there.remove(&(id.to_owned(), leg));
        if let Some(place) = self.uninvited.iter().position(|(_, call, _)| call == id) {
            self.uninvited.remove(place);
        } else if let Some(who) = who
            && let Some(place) = self.came.iter().position(|(_, call, came)| call == id && *came == who)
        {
            self.came.remove(place);
            *self.parties.entry(id.to_owned()).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(mode: SupervisionMode) -> Fact {
        let kind = FactKind::SupervisionStarted {
            leg: 3,
            supervisor: "carla".to_owned(),
            agent: "anna".to_owned(),
            mode,
            basis: String::new(),
            by: "crm".to_owned(),
        };
        Fact {
            number: 1,
            at: Wall::from_unix_micros(0),
            call: Some("c".to_owned()),
            callseq: 1,
            body: None,
            kind,
        }
    }

    #[test]
    fn a_supervisor_hears_a_call_only_as_was_asked_for_last() {
        use SupervisionMode::{Barge, Listen, Whisper};
        let mut checker = AskedChecker::default();
        let mut asks = |mode, done| {
            let (call, supervisor, basis) = ("c".to_owned(), "carla".to_owned(), String::new());
            checker.asks(&Command::Supervise { call, supervisor, mode, basis });
            checker.answered(done);
        };
        asks(Listen, true);
        asks(Whisper, true);
        asks(Barge, false);
        checker.apply(&started(Whisper));
        assert_eq!(checker.complaints.len(), 0);
        checker.apply(&started(Listen));
        checker.apply(&started(Barge));
        assert_eq!(checker.complaints.len(), 2);
    }

    #[test]
    fn a_party_may_change_its_device_but_nobody_comes_unasked() {
        let fact = |at, kind| {
            let at = Wall::from_unix_micros(at);
            Fact { number: 1, at, call: Some("c".to_owned()), callseq: 1, body: None, kind }
        };
        let joined = |leg| FactKind::ConferenceJoined { leg, role: LegRole::External, by: "crm".to_owned() };
        let mut checker = AskedChecker::default();
        checker.asks(&Command::AddParty { call: "c".to_owned(), to: "dario".to_owned() });
        checker.answered(true);
        checker.apply(&fact(1, joined(3)));
        checker.apply(&fact(2, joined(4)));
        checker.apply(&fact(2, FactKind::ConferenceLeft { leg: 3 }));
        checker.apply(&fact(3, joined(5)));
        assert_eq!(checker.complaints.len(), 0, "its old device may still go");
        checker.apply(&fact(4, FactKind::ConferenceLeft { leg: 4 }));
        assert_eq!(checker.complaints.len(), 1);
    }
    #[test]
    fn a_device_that_is_changed_takes_nobody_elses_place() {
        let fact = |at, kind| {
            let at = Wall::from_unix_micros(at);
            Fact { number: 1, at, call: Some("c".to_owned()), callseq: 1, body: None, kind }
        };
        let joined = |leg| FactKind::ConferenceJoined { leg, role: LegRole::External, by: "crm".to_owned() };
        let mut checker = AskedChecker::default();
        for to in ["dario", "elena"] {
            checker.asks(&Command::AddParty { call: "c".to_owned(), to: to.to_owned() });
            checker.answered(true);
        }
        checker.apply(&fact(1, joined(3)));
        checker.apply(&fact(2, joined(4)));
        checker.apply(&fact(2, FactKind::ConferenceLeft { leg: 3 }));
        checker.apply(&fact(3, joined(5)));
        checker.apply(&fact(4, joined(6)));
        checker.apply(&fact(5, FactKind::ConferenceLeft { leg: 5 }));
        assert_eq!(checker.complaints.len(), 1, "two were asked for");
    }
}
