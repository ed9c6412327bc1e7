//! What integrators ask of conversations: that a supervisor hears them, that one more joins, that somebody is not heard.

use crate::phones::one_of;
use crate::town;
use crate::world::World;
use facts::{CallPhase, Command, SupervisionMode};

impl World<'_> {
    /// One of them asks something of a conversation that goes on, or of one that is over.
    pub(crate) fn change_company(&mut self) {
        let call = self.conversation();
        let leg = 1 + self.rng.below(4) as u32;
        let command = match self.rng.below(20) {
            0..7 => {
                use SupervisionMode::{Barge, Listen, Whisper};
                let mode = one_of(&mut self.rng, &[Listen, Whisper, Whisper, Barge]);
                let who = one_of(&mut self.rng, &[town::SUPERVISOR, town::SUPERVISOR, town::COLLEAGUE]);
                let (supervisor, basis) = (who.to_owned(), "training".to_owned());
                Command::Supervise { call, supervisor, mode, basis }
            }
            7..9 => Command::EndSupervision { call, supervisor: town::SUPERVISOR.to_owned() },
            9..13 => {
                let to = one_of(&mut self.rng, &[town::COLLEAGUE, "0612345678", town::ROOM]);
                Command::AddParty { call, to: to.to_owned() }
            }
            13 => {
                let language = one_of(&mut self.rng, &["ar", "ro", "it"]).to_owned();
                Command::AddInterpreter { call, language, queue: town::INTERPRETERS.to_owned() }
            }
            14..18 => Command::MuteParty { call, leg, muted: self.rng.chance_permille(500) },
            18 => Command::DropParty { call, leg },
            _ => {
                let to = one_of(&mut self.rng, &["agent01", town::COLLEAGUE, town::ROOM, "0612345678"]);
                Command::Transfer { call, to: to.to_owned() }
            }
        };
        self.command(command);
    }

    /// One that more than two are in, rather than one of two.
    fn conversation(&mut self) -> String {
        let calls = self.log.fold().snapshot().calls.iter();
        let talking: Vec<(&String, usize)> = calls
            .filter(|(_, call)| call.phase == CallPhase::Connected)
            .map(|(id, call)| (id, call.legs.values().filter(|leg| leg.connected).count()))
            .collect();
        let many: Vec<&String> = talking.iter().filter(|(_, legs)| *legs > 2).map(|(id, _)| *id).collect();
        let few: Vec<&String> = talking.iter().map(|(id, _)| *id).collect();
        let chosen = if many.is_empty() || self.rng.chance_permille(300) { few } else { many };
        match chosen.len() as u64 {
            0 => "sim-nobody".to_owned(),
            some => chosen[self.rng.below(some) as usize].clone(),
        }
    }
}
