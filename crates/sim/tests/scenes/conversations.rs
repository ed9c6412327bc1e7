//! Conversations by chance: guests come and go, somebody holds, is muted, changes devices or hands the call on, in any order;
//! after each step every ear hears exactly what the facts say that it does.

use crate::support::desk::*;
use crate::support::hall::{Hall, Heard, Weather, assert_ears_after};
use crate::support::stage::*;
use base::{Rng, Seed};
use engine::{Input, Past};
use facts::{CallNow, Command, FactKind, LegRole, SupervisionMode};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const CARLA: u8 = 52;
/// So many parties have a tone of their own.
const LEGS_MAX: u32 = 8;
const STEPS_MAX: u32 = 24;
const MODES: [SupervisionMode; 3] =
    [SupervisionMode::Listen, SupervisionMode::Whisper, SupervisionMode::Barge];

struct Scene {
    stage: Stage,
    rng: Rng,
    /// The devices in the call, by leg: whose, and whether they hold.
    lines: BTreeMap<u32, (Line, &'static str)>,
    legs: u32,
    said: Vec<String>,
}

/// What the log says of who talks.
struct Told {
    pair: (u32, u32),
    guests: BTreeSet<u32>,
    roles: BTreeMap<u32, LegRole>,
    now: CallNow,
}

impl Told {
    fn by(stage: &Stage) -> Told {
        let (mut pair, mut guests, mut roles) = ((0, 0), BTreeSet::new(), BTreeMap::new());
        let mut fold = journal::fold::SnapshotFold::default();
        for fact in &stage.facts {
            fold.apply(fact);
            match &fact.kind {
                FactKind::CallConnected { a, b } => pair = (*a, *b),
                FactKind::LegCreated { leg, role, .. } => drop(roles.insert(*leg, *role)),
                FactKind::ConferenceJoined { leg, .. } | FactKind::SupervisionStarted { leg, .. } => {
                    guests.insert(*leg);
                }
                FactKind::ConferenceLeft { leg } | FactKind::SupervisionEnded { leg, .. } => {
                    guests.remove(leg);
                }
                _ => {}
            }
        }
        assert_eq!(*fold.snapshot(), stage.engine.snapshot());
        let now = fold.snapshot().calls.values().next().unwrap().clone();
        Told { pair, guests, roles, now }
    }

    fn all(&self) -> BTreeSet<u32> {
        self.guests.iter().copied().chain([self.pair.0, self.pair.1]).collect()
    }

    fn is_supervisor(&self, leg: u32) -> bool {
        self.now.legs[&leg].supervision.is_some()
    }

    /// Who of the two has music, because the other one holds and nobody else is there to talk with.
    fn soothed(&self) -> Option<u32> {
        let holds = |leg: u32| self.now.legs[&leg].held;
        let (a, b) = self.pair;
        let company = self.guests.iter().any(|guest| !self.is_supervisor(*guest) && !holds(*guest));
        match (holds(a), holds(b)) {
            (true, false) if !company => Some(b),
            (false, true) if !company => Some(a),
            _ => None,
        }
    }

    fn agent(&self) -> Option<u32> {
        let (a, b) = self.pair;
        [b, a].into_iter().find(|leg| self.roles[leg] == LegRole::Agent)
    }

    fn is_heard_by(&self, speaker: u32, hearer: u32) -> bool {
        let now = &self.now.legs[&speaker];
        let is_silent = now.held || now.muted || self.soothed() == Some(speaker);
        speaker != hearer
            && !is_silent
            && match now.supervision {
                None | Some(SupervisionMode::Barge) => true,
                Some(SupervisionMode::Listen) => false,
                Some(SupervisionMode::Whisper) => self.agent() == Some(hearer),
            }
    }

    fn ears(&self) -> Vec<(u64, Vec<Heard>)> {
        let hears = |hearer: u32| match () {
            () if self.now.legs[&hearer].held => Vec::new(),
            () if self.soothed() == Some(hearer) => vec![Heard::Music],
            () => {
                let speakers = self.all().into_iter().filter(|speaker| self.is_heard_by(*speaker, hearer));
                speakers.map(|speaker| Heard::Party(speaker.into())).collect()
            }
        };
        self.all().into_iter().map(|leg| (leg.into(), hears(leg))).collect()
    }
}

impl Scene {
    fn begin(seed: u64) -> Scene {
        let mut stage = Stage::with(with_trunk(), Past::default());
        stage.hall =
            Some(Hall::new(stage.now, Weather { seed, lost_permille: 0, delay_max: Duration::ZERO }));
        register(&mut stage, "anna", address(ANNA));
        let caller = caller_in_queue(&mut stage, address(9), 1);
        let anna = agent_answers(&mut stage, address(ANNA));
        register(&mut stage, "carla", address(CARLA));
        register(&mut stage, "bruno", address(BRUNO));
        let lines = BTreeMap::from([(1, (caller, "caller")), (2, (anna, "anna"))]);
        Scene { stage, rng: Seed::from_number(seed).rng(), lines, legs: 2, said: Vec::new() }
    }

    fn command(&mut self, command: impl FnOnce(String) -> Command) {
        let call = self.stage.facts.iter().find_map(|fact| fact.call.clone()).unwrap();
        let command = command(call);
        self.said.push(format!("{command:?}"));
        self.stage.input(Input::Command { id: 7, by: "crm".to_owned(), command });
        let (_, result) = self.stage.replies.pop().unwrap();
        assert!(result.is_ok(), "{result:?} after {:#?}", self.said);
    }

    fn answers(&mut self, who: &'static str, at: u8) {
        self.legs += 1;
        let line = answers(&mut self.stage, address(at));
        self.lines.insert(self.legs, (line, who));
    }

    fn leg_of(&self, who: &str) -> Option<u32> {
        self.lines.iter().find(|(_, (_, of))| *of == who).map(|(leg, _)| *leg)
    }

    fn any(&mut self, legs: impl IntoIterator<Item = u32>) -> Option<u32> {
        let legs: Vec<u32> = legs.into_iter().collect();
        (!legs.is_empty()).then(|| legs[self.rng.below(legs.len() as u64) as usize])
    }

    fn is_hung_up_on(&mut self, leg: u32) {
        let (line, _) = self.lines.remove(&leg).unwrap();
        hung_up_on(&mut self.stage, &line);
    }

    /// One thing happens, if it can.
    fn step(&mut self) {
        let told = Told::by(&self.stage);
        match self.rng.below(9) {
            0 | 1 => self.supervises(),
            2 => self.comes(),
            3 => self.goes(&told),
            4 => self.mutes(&told),
            5 | 6 => self.holds(),
            7 => self.changes_device(),
            _ => self.hands_on(&told),
        }
    }

    fn supervises(&mut self) {
        let there = self.leg_of("carla");
        let ends = there.is_some() && self.rng.below(3) == 0;
        let supervisor = "carla".to_owned();
        if ends {
            self.command(|call| Command::EndSupervision { call, supervisor });
            return self.is_hung_up_on(there.unwrap());
        }
        let (mode, basis) = (MODES[self.rng.below(3) as usize], "training".to_owned());
        self.command(|call| Command::Supervise { call, supervisor, mode, basis });
        if there.is_none() {
            self.answers("carla", CARLA);
        }
    }

    fn comes(&mut self) {
        let (who, to, at) = match self.rng.below(2) {
            0 => ("bruno", "bruno", BRUNO),
            _ => ("outside", "0612345678", OUTSIDE),
        };
        if self.leg_of(who).is_none() {
            self.command(|call| Command::AddParty { call, to: to.to_owned() });
            self.answers(who, at);
        }
    }

    fn goes(&mut self, told: &Told) {
        let Some(leg) = self.any(told.guests.iter().copied()) else { return };
        if self.rng.below(2) == 0 && !told.is_supervisor(leg) {
            self.command(|call| Command::DropParty { call, leg });
            return self.is_hung_up_on(leg);
        }
        self.said.push(format!("{leg} hangs up"));
        let (mut line, _) = self.lines.remove(&leg).unwrap();
        hangs_up(&mut self.stage, &mut line);
    }

    fn mutes(&mut self, told: &Told) {
        let parties = told.all().into_iter().filter(|leg| !told.is_supervisor(*leg));
        let Some(leg) = self.any(parties) else { return };
        let muted = !told.now.legs[&leg].muted;
        self.command(|call| Command::MuteParty { call, leg, muted });
    }

    fn holds(&mut self) {
        let Some(leg) = self.any(self.lines.keys().copied().collect::<Vec<u32>>()) else { return };
        let direction = ["sendonly", SENDRECV][self.rng.below(2) as usize];
        self.said.push(format!("{leg} offers {direction}"));
        reoffers(&mut self.stage, &mut self.lines.get_mut(&leg).unwrap().0, direction);
    }

    fn changes_device(&mut self) {
        let accounts = self.lines.iter().filter(|(_, (_, who))| ["anna", "bruno", "carla"].contains(who));
        let Some(leg) = self.any(accounts.map(|(leg, _)| *leg).collect::<Vec<u32>>()) else { return };
        let (line, who) = self.lines.remove(&leg).unwrap();
        let direction = ["sendonly", SENDRECV][self.rng.below(2) as usize];
        self.legs += 1;
        let phone = address(100 + self.legs as u8);
        self.said.push(format!("{who} takes leg {leg} to {}, {direction}", self.legs));
        let (replaces, offer) = (line.in_replaces(), sdp(phone, direction));
        let mut second = Line::ask_as(&mut self.stage, (who, phone), ("INVITE", who), (&replaces, &offer));
        second.connect(&mut self.stage);
        hung_up_on(&mut self.stage, &line);
        self.lines.insert(self.legs, (second, who));
    }

    fn hands_on(&mut self, told: &Told) {
        let Some(agent) = told.agent() else { return };
        let from = self.lines[&agent].1;
        let (to, at) = if from == "anna" { ("bruno", BRUNO) } else { ("anna", ANNA) };
        if self.leg_of(to).is_some() {
            return;
        }
        self.command(|call| Command::Transfer { call, to: to.to_owned() });
        if let Some(carla) = self.leg_of("carla") {
            self.is_hung_up_on(carla);
        }
        self.answers(to, at);
        self.is_hung_up_on(agent);
    }

    fn all_hear_what_is_told(&mut self) {
        let ears = Told::by(&self.stage).ears();
        let ears: Vec<(u64, &[Heard])> = ears.iter().map(|(leg, heard)| (*leg, &heard[..])).collect();
        println!("{} {ears:?}", self.said.last().map_or("", |said| said));
        assert_ears_after(&mut self.stage, Duration::from_millis(400), &ears);
    }

    fn ends(mut self) {
        let (mut caller, _) = self.lines.remove(&1).unwrap();
        hangs_up(&mut self.stage, &mut caller);
        for (line, _) in self.lines.values() {
            hung_up_on(&mut self.stage, line);
        }
        self.stage.wait(seconds(90));
        assert!(self.stage.engine.is_idle());
    }
}

#[test]
fn whatever_happens_in_a_conversation_every_ear_hears_what_the_facts_say() {
    for seed in 0..16 {
        println!("seed {seed}");
        let mut scene = Scene::begin(seed);
        for _ in 0..STEPS_MAX {
            scene.step();
            scene.all_hear_what_is_told();
            if scene.legs == LEGS_MAX {
                break;
            }
        }
        scene.ends();
    }
}
