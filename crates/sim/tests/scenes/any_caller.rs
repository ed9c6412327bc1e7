//! Callers who press nothing, too early, too much, two keys at once, and who hang up anywhere, in every script that is shipped,
//! while agents, look-ups and recorders do what they please: every call comes to one end, with its reason, and leaves nothing.

use crate::support;
use crate::support::desk::*;
use crate::support::stage::*;
use base::{Rng, Seed, Wall};
use engine::{Config, Input, Past, Service};
use facts::{Cause, FactKind};
use ivr::{Answer, Script};
use media_api::{Event, LegId, MessageEnd, RecordingId, RecordingOrder, RecordingTold};
use std::sync::Arc;
use std::time::Duration;

const SCRIPTS: [&str; 4] = ["city", "helpdesk", "municipal", "statistics"];
/// In a debug build a tenth of it, so that nobody waits.
const SEEDS: u64 = if cfg!(debug_assertions) { 4 } else { 40 };
const MOVES_MAX: u64 = 60;
const CALLER: u8 = 9;
/// The queue of those who interpret, in a script that has one.
const INTERPRETERS: &str = "interpreters";
/// Whoever does nothing more is through, or spoken with, within this.
const PATIENCE: Duration = Duration::from_secs(2 * 3600);
/// A Tuesday, 12:13 in Rome, and the hours after it at which the call comes: by day, in the evening, at night, on Saturday.
const TUESDAY: i64 = 1_781_000_000;
const HOURS_LATER: [i64; 4] = [0, 6, 12, 94];

fn desk(script: &Arc<Script>, dialled: &str) -> Config {
    let mut config = with_trunk();
    let service = Service::Script { script: script.clone(), language: None };
    config.services.insert(dialled.to_owned(), service);
    let (usual, anna) = (config.acd.queues[0].clone(), config.acd.agents[0].clone());
    let queue = |name: &str| acd::Queue { name: name.to_owned(), ..usual.clone() };
    let (interpreters, desks): (Vec<&str>, Vec<&str>) =
        script.queues().into_iter().partition(|queue| *queue == INTERPRETERS);
    let agent = |name: &str, queues: &[&str], languages: usize| acd::Agent {
        name: name.to_owned(),
        queues: queues.iter().map(|queue| (*queue).to_owned()).collect(),
        languages: script.languages().take(languages).map(str::to_owned).collect(),
        ..anna.clone()
    };
    // Where somebody interprets, anna needs it.
    let hers = if interpreters.is_empty() { usize::MAX } else { 1 };
    let agents = vec![agent("anna", &desks, hers), agent("bruno", &interpreters, usize::MAX)];
    config.acd = acd::Config { queues: script.queues().into_iter().map(queue).collect(), agents };
    config
}

/// A phone that is called, whoever's it is.
#[derive(Default)]
struct Called {
    line: Option<Line>,
    /// The INVITE that rings.
    rings: Option<String>,
    talks: bool,
}

struct Scene {
    stage: Stage,
    rng: Rng,
    caller: Line,
    over: bool,
    anna: Called,
    bruno: Called,
    outside: Called,
    /// A message that goes on.
    message: Option<RecordingId>,
}

impl Scene {
    fn begin(script: &Arc<Script>, seed: u64) -> Scene {
        let mut rng = Seed::from_number(seed).rng();
        let dialled: Vec<&str> = script.dialled_numbers().into_iter().chain(["800000000"]).collect();
        let dialled = dialled[rng.below(dialled.len() as u64) as usize];
        let mut stage = Stage::with(desk(script, dialled), Past::default());
        let later = HOURS_LATER[rng.below(4) as usize];
        stage.input(Input::Wall(Wall::from_unix_micros((TUESDAY + later * 3600) * 1_000_000)));
        for (agent, phone) in [("anna", ANNA), ("bruno", BRUNO)] {
            if rng.chance_permille(700) {
                register(&mut stage, agent, address(phone));
            }
        }
        let mut caller = Line::dial(&mut stage, address(CALLER), dialled, &sdp(address(CALLER), SENDRECV));
        if rng.chance_permille(300) {
            stage.press(1, '1');
        }
        caller.connect(&mut stage);
        let [anna, bruno, outside] = Default::default();
        Scene { stage, rng, caller, over: false, anna, bruno, outside, message: None }
    }

    fn press(&mut self) {
        let key = char::from(b"0123456789*#"[self.rng.below(12) as usize]);
        self.stage.press(1, key);
    }

    /// The caller does something.
    fn moves(&mut self) {
        match self.rng.below(100) {
            0..45 => self.press(),
            45..55 => (0..2).for_each(|_| self.press()),
            55..60 => (0..20).for_each(|_| {
                self.press();
                self.stage.wait(Duration::from_millis(50));
            }),
            60..97 => {
                let span = Duration::from_millis(self.rng.below(12_000));
                self.stage.wait(span);
            }
            _ => self.hang_up(),
        }
        self.world_goes_on();
    }

    fn hang_up(&mut self) {
        if !self.over {
            hangs_up(&mut self.stage, &mut self.caller);
            self.over = true;
        }
    }

    /// All others do what it is for them to do, until nothing comes of it.
    fn world_goes_on(&mut self) {
        while self.answer_questions() | self.record() | self.phones_ring() {}
    }

    fn answer_questions(&mut self) -> bool {
        let Some(question) = self.stage.questions.pop() else { return false };
        let answer = match self.rng.below(4) {
            0 => Answer::Missing,
            1 => Answer::Failed,
            2 => Answer::Found(Default::default()),
            // It comes too late, or never.
            _ => return true,
        };
        self.stage.input(Input::LookedUp { asker: question.asker, answer });
        true
    }

    fn record(&mut self) -> bool {
        if self.stage.orders.is_empty() {
            return false;
        }
        let told = match self.stage.orders.remove(0) {
            RecordingOrder::Begin { recording, .. } => {
                self.message = Some(recording);
                let (why, lost) = ("the disk is full".to_owned(), Duration::ZERO);
                self.rng.chance_permille(200).then_some(RecordingTold::Failed {
                    recording,
                    length: lost,
                    lost,
                    why,
                })
            }
            RecordingOrder::End { recording, .. } => {
                self.message = None;
                let (length, lost) = (Duration::from_secs(1), Duration::ZERO);
                Some(RecordingTold::Ended { recording, length, lost })
            }
        };
        told.into_iter().for_each(|told| self.stage.input(Input::Recorded(told)));
        true
    }

    /// As media does by itself.
    fn end_message(&mut self) {
        if let Some(recording) = self.message.take() {
            let why = [MessageEnd::Silence, MessageEnd::NothingSaid, MessageEnd::Longest]
                [self.rng.below(3) as usize];
            self.stage.input(Input::Media(Event::MessageEnded { leg: LegId(1), recording, why }));
        }
    }

    fn phones_ring(&mut self) -> bool {
        let to_caller = self.stage.next(address(CALLER));
        if to_caller.starts_with("BYE") {
            self.caller.answer(&mut self.stage, &to_caller, "200 OK", "");
            self.over = true;
        }
        let Scene { stage, rng, anna, bruno, outside, .. } = self;
        let rang = anna.rings_on(stage, rng, ANNA)
            | bruno.rings_on(stage, rng, BRUNO)
            | outside.rings_on(stage, rng, OUTSIDE);
        rang || to_caller != "nothing"
    }
}

impl Called {
    fn rings_on(&mut self, stage: &mut Stage, rng: &mut Rng, at: u8) -> bool {
        let phone = address(at);
        let message = stage.next(phone);
        if message == "nothing" {
            return false;
        }
        if message.starts_with("INVITE") {
            self.line = Some(Line::called_by(&message, phone));
        }
        let Some(line) = &self.line else { return true };
        match message.split(' ').next().unwrap_or("") {
            "INVITE" => match rng.below(3) {
                0 => {
                    self.talks = true;
                    line.answer(stage, &message, "200 OK", &sdp(phone, SENDRECV));
                }
                1 => line.answer(stage, &message, "486 Busy Here", ""),
                _ => {
                    line.answer(stage, &message, "180 Ringing", "");
                    self.rings = Some(message);
                }
            },
            "CANCEL" => {
                line.answer(stage, &message, "200 OK", "");
                if let Some(invite) = self.rings.take() {
                    line.answer(stage, &invite, "487 Request Terminated", "");
                }
            }
            "BYE" => {
                self.talks = false;
                line.answer(stage, &message, "200 OK", "");
            }
            _ => {}
        }
        true
    }
}

/// The caller's call, until nothing is left of it. Gives all that was told of it.
fn plays_to_its_end(script: &Arc<Script>, seed: u64) -> Stage {
    let mut scene = Scene::begin(script, seed);
    let moves = scene.rng.below(MOVES_MAX);
    for _ in 0..moves {
        scene.world_goes_on();
        if scene.over {
            break;
        }
        scene.moves();
    }
    let until = scene.stage.now + PATIENCE;
    while !scene.over && scene.stage.now < until {
        scene.world_goes_on();
        if (scene.anna.talks || scene.outside.talks) && scene.rng.chance_permille(300) {
            scene.hang_up();
        }
        scene.end_message();
        scene.stage.wait(Duration::from_secs(5));
        scene.world_goes_on();
    }
    let who = format!("{} {seed}", script.name());
    assert!(scene.over, "{who}: it goes on for ever: {:#?}", scene.stage.kinds().iter().rev().take(9));
    for _ in 0..20 {
        scene.stage.wait(Duration::from_secs(2));
        scene.world_goes_on();
    }
    scene.stage.assert_all_is_over();
    let ends = scene.stage.call_ends();
    assert_eq!(ends.len(), 1, "{who}: {ends:?}");
    let last = scene.stage.facts.iter().rev().find(|fact| fact.call.is_some()).unwrap();
    assert!(matches!(last.kind, FactKind::CallEnded { .. }), "{who}: something follows its end: {last:?}");
    assert!(ends[0].cause != Cause::ScriptEnded || !ends[0].place.is_empty(), "{who}: no reason is told");
    scene.stage
}

#[test]
fn every_call_comes_to_one_end_with_its_reason_whatever_the_caller_does() {
    for name in SCRIPTS {
        let script = Arc::new(support::shipped(name));
        let played: Vec<Stage> = (1..=SEEDS).map(|seed| plays_to_its_end(&script, seed)).collect();
        let causes: Vec<Cause> = played.iter().map(|stage| stage.call_ends()[0].cause).collect();
        let met = |cause: Cause| causes.contains(&cause);
        assert!(
            met(Cause::ScriptEnded) && met(Cause::HungUp),
            "{name}: one kind of caller alone: {causes:?}"
        );
        let wanted = |stage: &Stage| stage.count(|kind| matches!(kind, FactKind::InterpreterWanted(_))) > 0;
        let interpreted = played.iter().any(wanted);
        let interprets = script.queues().into_iter().any(|queue| queue == INTERPRETERS);
        assert!(interpreted || !interprets || cfg!(debug_assertions), "{name}: nobody needed an interpreter");
    }
}
