//! The world of one case, from the first ring to the end of the call.

use super::agenda::{Agenda, Thing};
use super::desk::{self, CALLER, OUTSIDE};
use super::expected::Difference;
use super::fingers::Fingers;
use super::given::{AgentDoes, Answers, Does, Given};
use super::led::{Act, Led, News};
use super::messages;
use super::read::Case;
use super::story::Story;
use crate::media::{Lengths, StandIn};
use crate::town;
use base::{Seed, Time};
use engine::{Engine, Input, Output, Question};
use facts::{EmergencyScope, Fact, FactKind};
use ivr::{Answer, Script, SoundInventory};
use media_api::Command;
use sip::locate::{Kind, Query, Record};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// Who is not through by then never will be.
const LONGEST: Duration = Duration::from_secs(3_600);
/// How long somebody takes who is asked a look-up.
const LOOKS_UP: Duration = Duration::from_millis(200);
/// Who gives commands.
const BY: &str = "case";
const TTL: Duration = Duration::from_secs(3_600);

/// A desk at which cases of one script are played.
pub struct Desk {
    script: Arc<Script>,
    lengths: Lengths,
    named: BTreeMap<String, String>,
}

/// What came of a case.
#[derive(Clone, Debug)]
pub struct Played {
    /// How it was otherwise than expected; nothing if it was not.
    pub differences: Vec<Difference>,
    /// From the answer to a human or to the end, in virtual time.
    pub reached: Duration,
    /// All that was told of the call.
    pub facts: Vec<Fact>,
    pub(super) story: Story,
}

impl Desk {
    /// A desk with this script, where sounds last as long as is known.
    pub fn new(script: Arc<Script>, sounds: &SoundInventory) -> Desk {
        let (mut lengths, mut named) = (BTreeMap::new(), BTreeMap::new());
        for spoken in script.spoken(sounds) {
            lengths.insert(spoken.source.clone(), spoken.length);
            named.insert(spoken.source, spoken.name);
        }
        Desk { script, lengths: Arc::new(lengths), named }
    }

    /// Plays one case. The same case always goes the same way.
    pub fn play(&self, case: &Case) -> Played {
        let mut scene = Scene::new(&self.script, &case.given, self.lengths.clone());
        scene.live();
        let story = Story::of(&scene.facts, case.given.remembered.clone());
        let differences = case.expected.differences(&story, &self.named);
        Played { differences, reached: story.reached, facts: scene.facts, story }
    }
}

struct Scene<'c> {
    given: &'c Given,
    now: Time,
    engine: Engine,
    media: StandIn,
    phones: BTreeMap<usize, Led>,
    fingers: Fingers,
    agenda: Agenda,
    /// What the engine is to be told before anything else happens.
    inputs: VecDeque<Input>,
    facts: Vec<Fact>,
    over: bool,
}

impl<'c> Scene<'c> {
    fn new(script: &Arc<Script>, given: &'c Given, lengths: Lengths) -> Scene<'c> {
        let (now, seed) = (Time::from_millis(1), Seed::from_number(1));
        let asking = script.steps().filter(ivr::Step::asks).map(|step| step.name.to_owned()).collect();
        let mut phones = BTreeMap::new();
        let mut add = |number, user: &str, does| {
            phones.insert(number, Led::new(number, user, does, seed.numbered(number as u64).rng()));
        };
        for (number, agent) in given.agents.iter().enumerate().take(OUTSIDE) {
            let does = match agent.does {
                AgentDoes::IsThere(does) => does,
                AgentDoes::Pauses | AgentDoes::IsAway => Does::Rings,
            };
            add(number, &agent.name, does);
        }
        add(OUTSIDE, "outside", given.outside);
        add(CALLER, &given.from, Does::Answers);
        Scene {
            given,
            now,
            engine: Engine::new(desk::config(script, given), desk::past(script, given), seed, now, given.at),
            media: StandIn::new(seed.named("media").rng(), false).lasting(lengths),
            phones,
            fingers: Fingers::new(given.keys.clone(), asking),
            agenda: Agenda::default(),
            inputs: VecDeque::new(),
            facts: Vec::new(),
            over: false,
        }
    }

    fn live(&mut self) {
        self.settle();
        self.people_come();
        if let Some(message) = self.given.emergency.clone() {
            let (scope, reason) = (EmergencyScope::All, BY.to_owned());
            self.command(facts::Command::CloseByEmergency { scope, message, reason });
        }
        let (dialled, from) = (self.given.dialled.clone(), self.given.from.clone());
        self.with_phone(CALLER, |phone| phone.dial(&dialled, &from));
        self.settle();
        let limit = self.now + LONGEST;
        while !self.over {
            let deadline = self.engine.poll_timeout().map_or(Time::FAR, |(at, _)| at);
            let next = self.agenda.next();
            if deadline.min(next) > limit {
                return;
            }
            self.now = self.now.max(deadline.min(next));
            if deadline <= next {
                self.engine.handle_timeout(self.now);
            } else if let Some(thing) = self.agenda.pop() {
                self.happens(thing);
            }
            self.settle();
        }
    }

    /// Agents log on, and some pause.
    fn people_come(&mut self) {
        let given = self.given;
        for (number, agent) in given.agents.iter().enumerate().take(OUTSIDE) {
            if agent.does == AgentDoes::IsAway {
                continue;
            }
            self.with_phone(number, Led::register);
            self.settle();
            if agent.does == AgentDoes::Pauses {
                let (agent, reason) = (agent.name.clone(), BY.to_owned());
                self.command(facts::Command::Pause { agent, reason });
            }
        }
    }

    fn command(&mut self, command: facts::Command) {
        self.inputs.push_back(Input::Command { id: 1, by: BY.to_owned(), command });
        self.settle();
    }

    fn happens(&mut self, thing: Thing) {
        match thing {
            Thing::Media(pending) => {
                self.inputs.extend(self.media.due(pending).map(Input::Media));
            }
            Thing::Told(input) => self.inputs.push_back(*input),
            Thing::Act(phone, act) => {
                let now = self.now;
                self.with_phone(phone, |phone| phone.act(now, act));
            }
            Thing::Press(key) => {
                if let Some(media) = self.phones.get(&CALLER).and_then(Led::media) {
                    self.media.digit(self.now, media, key);
                }
            }
            Thing::Waited => self.fingers.press(self.now, &mut self.agenda),
            Thing::HangUp => {
                let now = self.now;
                self.with_phone(CALLER, |phone| phone.act(now, Act::HangUp));
            }
        }
    }

    /// Acts on a phone, and sends what it wants to send.
    fn with_phone(&mut self, number: usize, act: impl FnOnce(&mut Led)) {
        let Some(phone) = self.phones.get_mut(&number) else { return };
        act(phone);
        let flow = town::flow(town::exchange(), phone.address());
        let messages = phone.take_out();
        self.inputs.extend(messages.into_iter().map(|bytes| Input::Sip { flow, bytes }));
    }

    /// Tells the engine all that there is to tell, and does what it asks for.
    fn settle(&mut self) {
        loop {
            while let Some(output) = self.engine.poll_output() {
                self.does(output);
            }
            for (at, pending) in std::mem::take(&mut self.media.events) {
                self.agenda.plan(at, Thing::Media(pending));
            }
            let Some(input) = self.inputs.pop_front() else { break };
            self.engine.handle(self.now, input);
        }
        self.fingers.settled(self.now, &mut self.agenda);
    }

    fn does(&mut self, output: Output) {
        match output {
            Output::Sip { flow, bytes } => self.reaches_phone(flow.remote.ip(), &bytes),
            Output::Resolve { query } => {
                let answer = resolved(&query);
                self.inputs.push_back(Input::Resolved { query, answer });
            }
            Output::Fetch(fetch) => {
                self.inputs.push_back(Input::Fetched { url: fetch.url, answer: stir::Fetched::Failed });
            }
            Output::LookUp(question) => self.look_up(&question),
            Output::Media { command, .. } => self.media_does(command),
            Output::Record(order) => self.inputs.extend(messages::recorded(self.given.message, &order)),
            Output::Fact(fact) => self.note(fact),
            Output::Expect { .. } | Output::Door(_) | Output::Reply { .. } => {}
        }
    }

    fn reaches_phone(&mut self, at: std::net::IpAddr, bytes: &[u8]) {
        let Some(number) = town::phone_at(at) else { return };
        let (now, mut news) = (self.now, News::Nothing);
        self.with_phone(number, |phone| news = phone.handle(now, bytes));
        match news {
            News::Nothing => {}
            News::Later(after, act) => self.agenda.plan(now + after, Thing::Act(number, act)),
            News::Answered => {
                self.fingers.go_on(now, &mut self.agenda);
                if let Some(after) = self.given.hangs_up_after {
                    self.agenda.plan(now + after, Thing::HangUp);
                }
            }
        }
    }

    fn media_does(&mut self, command: Command) {
        messages::tapped(self.now, self.given.message, &command, &mut self.agenda);
        self.media.command(self.now, command);
        self.media.voices.clear();
        self.media.complaints.clear();
    }

    fn look_up(&mut self, question: &Question) {
        let answer = match self.given.look_ups.get(&question.look_up.name) {
            Some(Answers::Found(values)) => Answer::Found(values.clone()),
            Some(Answers::Missing) => Answer::Missing,
            Some(Answers::Failed) | None => Answer::Failed,
            Some(Answers::Late) => return,
        };
        let input = Input::LookedUp { asker: question.asker, answer };
        self.agenda.plan(self.now + LOOKS_UP, Thing::Told(Box::new(input)));
    }

    /// Of the caller's call alone.
    fn note(&mut self, fact: Fact) {
        let first = self.facts.first().map(|first| &first.call);
        if fact.call.is_none() || first.is_some_and(|first| *first != fact.call) {
            return;
        }
        self.fingers.note(self.now, &fact.kind, &mut self.agenda);
        self.over |= matches!(fact.kind, FactKind::CallEnded { .. });
        self.facts.push(fact);
    }
}

/// Every name is that of the party outside.
fn resolved(query: &Query) -> sip::locate::Answer {
    match query.kind {
        Kind::A => {
            let address = Record::Address { ip: town::address_of(OUTSIDE).ip(), local: None };
            sip::locate::Answer::Found { records: vec![address], ttl: TTL }
        }
        _ => sip::locate::Answer::Nothing { ttl: TTL },
    }
}
