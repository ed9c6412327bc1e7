//! The loop: the earliest of what is to happen is delivered, all that follows from it is carried out, and
//! what must hold is checked.

mod checks;
mod media;

use crate::checkers::{AskedChecker, LogChecker, WireChecker};
use crate::due::{Due, Happening};
use crate::network::{Path, Way};
use crate::phones::{Callee, Caller, LIFETIME, Phone, Role, Sessions, Stack, between};
use crate::plans::Plan;
use crate::reference::Reference;
use crate::streams::Streams;
use crate::town::Town;
use crate::trace::Trace;
use crate::{Depth, Faults, Options, Progress, Report, Told, town};
use base::{Rng, Seed, Time, Wall};
use engine::{Config, Engine, Input, Output, Past};
use facts::Command;
use sip::ua::Flow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use media::{Media, Touched};

/// After this long without trouble everything pending must have ended: the longest wait of the script, the
/// silence probe, and the callers' patience.
const PATIENCE: Duration = Duration::from_secs(45 * 60);
/// 64·T1, the minute in which refusals are summed up, and a margin.
const AFTERGLOW: Duration = Duration::from_secs(100);
const VIOLATIONS_MAX: usize = 40;
const HOUR: Duration = Duration::from_secs(3_600);

pub(crate) struct World<'a> {
    options: Options,
    pub(crate) faults: Faults,
    pub(crate) now: Time,
    pub(crate) rng: Rng,
    seed: Seed,
    pub(crate) town: Town,
    engine: Engine,
    pub(crate) config: Config,
    heap: BinaryHeap<Reverse<Due>>,
    order: u64,
    pub(crate) phones: BTreeMap<usize, Phone>,
    pub(crate) paths: BTreeMap<usize, Path>,
    pub(crate) streams: Streams,
    /// The number of the next phone.
    next_phone: usize,
    pub(crate) network: Rng,
    pub(crate) media: Media,
    pub(crate) reference: Reference,
    pub(crate) log: LogChecker,
    asked: AskedChecker,
    pub(crate) wire: WireChecker,
    trace: Trace<'a>,
    pub(crate) report: Report,
    interval: u64,
    pub(crate) healed: bool,
    pub(crate) restarts: u64,
    commands: u64,
    replies: u64,
    /// The exchange's thread does nothing until then.
    asleep_until: Time,
    /// Simulated hours that have been told.
    hours: u32,
}

impl<'a> World<'a> {
    pub(crate) fn new(
        options: Options,
        script: &Arc<ivr::Script>,
        tell: &'a mut dyn FnMut(Told<'_>),
    ) -> World<'a> {
        let seed = Seed::from_number(options.seed).named("sim");
        let mut rng = seed.named("world").rng();
        let faults = options.faults.swarm(&mut rng);
        let town = Town::for_rate(options.rate);
        let mut config = town::config(town, &mut seed.named("town").rng(), script);
        if options.depth != Depth::Signalling {
            config.media_terms = town::media_terms();
        }
        // A day of June 2026, at any hour: the desk is open or not.
        let wall = 1_781_000_000_000_000 + rng.below(7 * 86_400) as i64 * 1_000_000;
        let now = Time::from_millis(1_000);
        let engine_seed = seed.named("engine");
        let engine =
            Engine::new(config.clone(), Past::default(), engine_seed, now, Wall::from_unix_micros(wall));
        let drawn = 300 + rng.below(9_000);
        let interval = options.rate.map_or(drawn, |rate| 1_000 / u64::from(rate.clamp(1, 1_000)));
        World {
            options,
            faults,
            now,
            seed,
            town,
            engine,
            heap: BinaryHeap::new(),
            order: 0,
            phones: BTreeMap::new(),
            paths: BTreeMap::new(),
            streams: Streams::new(),
            next_phone: 0,
            network: seed.named("network").rng(),
            media: Media::new(options.depth, &seed.named("media"), now, &config, faults.phones),
            reference: Reference::new(&config.acd),
            log: LogChecker::default(),
            asked: AskedChecker::default(),
            wire: WireChecker::default(),
            trace: Trace::new(options.verbose_from.map_or(Time::FAR, |from| Time::ZERO + from), tell),
            report: Report::new(options, faults),
            config,
            rng,
            interval,
            healed: false,
            restarts: 0,
            commands: 0,
            replies: 0,
            asleep_until: Time::ZERO,
            hours: 0,
        }
    }

    /// Lives through it all.
    pub(crate) fn run(mut self) -> Report {
        self.settle();
        self.people_the_town();
        self.make_plans();
        let first = self.now + Duration::from_secs(5);
        self.schedule(first, Happening::CallIsMade);
        while self.report.calls < self.options.calls && self.step(Time::FAR) {}
        let heal_at = self.now + Duration::from_secs(60);
        while self.step(heal_at) {}
        self.now = self.now.max(heal_at);
        self.heal();
        let limit = self.now + PATIENCE;
        while self.somebody_is_left() && self.step(limit) {}
        self.check_liveness();
        self.send_agents_home();
        let end = self.now + AFTERGLOW;
        while self.step(end) {}
        self.now = self.now.max(end);
        self.check_the_end();
        self.finish()
    }

    /// Does the next thing, if it comes before the limit. Gives whether there was one.
    fn step(&mut self, limit: Time) -> bool {
        let asked = self.engine.poll_timeout().map_or(Time::FAR, |(at, _)| at);
        let deadline = if asked < Time::FAR { asked.max(self.asleep_until) } else { asked };
        let next = self.heap.peek().map_or(Time::FAR, |Reverse(due)| due.at);
        let tick = self.media.poll_timeout().unwrap_or(Time::FAR);
        let at = deadline.min(next).min(tick);
        if at >= limit || self.report.violations.len() >= VIOLATIONS_MAX {
            return false;
        }
        self.now = self.now.max(at);
        self.strike();
        if tick < deadline.min(next) {
            self.media_tick();
            return true;
        }
        if deadline <= next {
            self.engine.handle_timeout(self.now);
            self.settle();
            self.check_deadline(asked);
            self.oversleeps();
        } else if let Some(Reverse(due)) = self.heap.pop() {
            self.happens(due.happening);
        }
        // It costs as much as there are calls; of a busy town it is asked more seldom.
        if self.rng.below(100 + 8 * (self.town.agents + self.engine.calls()) as u64) == 0 {
            self.check_the_state();
        }
        true
    }

    /// Tells each hour that is over.
    fn strike(&mut self) {
        if self.now < Time::ZERO + HOUR * (self.hours + 1) {
            return;
        }
        self.hours += 1;
        let (calls, going_on) = (self.report.calls, self.engine.calls());
        self.trace.tell(Told::Hour(Progress { hours: self.hours, calls, going_on }));
    }

    /// Now and then the exchange's thread gets no time of its machine's: it is woken a few ticks late.
    fn oversleeps(&mut self) {
        if self.faults.clock && !self.healed && self.rng.chance_permille(20) {
            self.report.coverage.met("woken late");
            self.asleep_until = self.now + between(&mut self.rng, 20, 100);
        }
    }

    fn happens(&mut self, happening: Happening) {
        match happening {
            Happening::Arrives { way: Way::ToEngine, addresses, bytes, .. } => {
                let [local, remote] = addresses;
                self.reaches_engine(town::flow(local, remote), bytes);
            }
            Happening::Arrives { way: Way::ToPhone, phone, addresses, bytes } => {
                let now = self.now;
                self.with_phone(phone, |phone| phone.handle(now, addresses, &bytes));
            }
            Happening::Streams(piece) => self.streams(piece),
            Happening::Breaks { phone, addresses } => self.breaks(phone, addresses),
            Happening::NoConnection(addresses) => self.no_connection(addresses),
            Happening::Wake(phone) => self.wake(phone),
            Happening::Media(pending) => self.media_happens(pending),
            Happening::CallIsMade => self.call_is_made(),
            Happening::Planned(plan) => self.carry_out(plan),
        }
    }

    pub(crate) fn plan(&mut self, at: Time, plan: Plan) {
        self.schedule(at, Happening::Planned(plan));
    }

    pub(crate) fn schedule(&mut self, at: Time, happening: Happening) {
        self.order += 1;
        self.heap.push(Reverse(Due { at, order: self.order, happening }));
    }

    pub(crate) fn reaches_engine(&mut self, flow: Flow, bytes: Vec<u8>) {
        self.report.received += 1;
        self.wire.received(self.now, &bytes);
        self.input(Input::Sip { flow, bytes });
        self.wire.settled();
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.engine.handle(self.now, input);
        self.settle();
    }

    pub(crate) fn command(&mut self, command: Command) {
        self.commands += 1;
        let id = self.commands;
        self.asked.asks(&command);
        self.input(Input::Command { id, by: "crm".to_owned(), command });
    }

    /// Carries out what the engine asks for.
    fn settle(&mut self) {
        while let Some(output) = self.engine.poll_output() {
            self.trace.output(self.now, &output);
            match output {
                Output::Sip { flow, bytes } => {
                    self.report.sent += 1;
                    self.wire.sent(self.now, flow.remote, &bytes);
                    if let Some(phone) = town::phone_at(flow.remote.ip()) {
                        let addresses = [flow.local, flow.remote];
                        match flow.transport.is_stream() {
                            true => self.send_by_stream(Way::ToPhone, phone, addresses, bytes),
                            false => self.send(Way::ToPhone, phone, addresses, bytes),
                        }
                    }
                }
                // The town has no name servers: nobody there is known by a name.
                Output::Resolve { query } => {
                    let answer = sip::locate::Answer::Failed;
                    self.engine.handle(self.now, Input::Resolved { query, answer });
                }
                Output::Fetch(fetch) => {
                    let answer = stir::Fetched::Failed;
                    self.engine.handle(self.now, Input::Fetched { url: fetch.url, answer });
                }
                // Nobody in the town answers questions.
                Output::LookUp(question) => {
                    let (asker, answer) = (question.asker, ivr::Answer::Failed);
                    self.engine.handle(self.now, Input::LookedUp { asker, answer });
                }
                Output::Expect { .. } => {}
                Output::Media { command, .. } => self.media.command(self.now, command),
                // Nobody in the town asks for a recording.
                Output::Record(_) => {}
                // There are no sockets that could drop anything.
                Output::Door(_) => {}
                Output::Fact(fact) => {
                    self.report.coverage.fact(&fact);
                    self.media.fact(&fact);
                    self.asked.apply(&fact);
                    self.log.apply(self.now, &fact, &mut self.reference);
                }
                Output::Reply { id, result } => {
                    self.replies += 1;
                    self.asked.answered(result.is_ok());
                    if id != self.commands {
                        self.violation(&format!("a reply to command {id}, not to {}", self.commands));
                    }
                }
            }
        }
        self.carry_media();
        self.collect_complaints();
    }

    fn collect_complaints(&mut self) {
        let lists = [
            &mut self.reference.complaints,
            &mut self.log.complaints,
            &mut self.asked.complaints,
            &mut self.wire.complaints,
            self.media.complaints(),
        ];
        let complaints: Vec<String> = lists.into_iter().flat_map(std::mem::take).collect();
        complaints.iter().for_each(|complaint| self.violation(complaint));
    }

    pub(crate) fn violation(&mut self, what: &str) {
        let text = format!("{} {what}", self.now);
        self.trace.tell(Told::Violation(&text));
        if self.report.violations.len() < VIOLATIONS_MAX {
            self.report.violations.push(text);
        }
    }

    fn send(&mut self, way: Way, phone: usize, addresses: [SocketAddr; 2], bytes: Vec<u8>) {
        let Some(path) = self.paths.get_mut(&phone) else { return };
        let arrivals = path.carry(self.now, way, &mut self.network);
        match arrivals {
            [None, _] => self.report.lost += 1,
            [Some(at), None] => self.schedule(at, Happening::Arrives { way, phone, addresses, bytes }),
            [Some(at), Some(again)] => {
                self.schedule(at, Happening::Arrives { way, phone, addresses, bytes: bytes.clone() });
                self.schedule(again, Happening::Arrives { way, phone, addresses, bytes });
            }
        }
    }
}

/// Phones.
impl World<'_> {
    /// Acts on a phone, and carries out what it wants.
    pub(crate) fn with_phone(&mut self, number: usize, act: impl FnOnce(&mut Phone)) {
        let Some(phone) = self.phones.get_mut(&number) else { return };
        let was_there = !phone.stack.vanished;
        phone.stack.now = self.now;
        act(phone);
        let out = std::mem::take(&mut phone.stack.out);
        let complaints = std::mem::take(&mut phone.stack.complaints);
        let (addresses, stream) = ([phone.stack.server, phone.stack.me], phone.stack.stream);
        phone.stack.met.drain(..).for_each(|what| self.report.coverage.met(what));
        let touched = Touched {
            digits: std::mem::take(&mut phone.stack.digits),
            talks: phone.stack.sessions.take_changes(),
            falls_silent: std::mem::take(&mut phone.stack.falls_silent),
            vanishes: was_there && phone.stack.vanished,
        };
        let wake_at = phone.poll_timeout().map(|at| at.max(self.now));
        let asked = phone.wake_at;
        if let Some(at) = wake_at.filter(|at| asked.is_none_or(|asked| *at < asked)) {
            phone.wake_at = Some(at);
            self.schedule(at, Happening::Wake(number));
        }
        for bytes in out {
            self.trace.phone(self.now, number, &bytes);
            match stream {
                true => self.send_by_stream(Way::ToEngine, number, addresses, bytes),
                false => self.send(Way::ToEngine, number, addresses, bytes),
            }
        }
        self.touches_media(number, touched);
        for complaint in complaints {
            self.violation(&format!("{}: {complaint}", town::address_of(number).ip()));
        }
    }

    fn wake(&mut self, number: usize) {
        let now = self.now;
        let Some(phone) = self.phones.get_mut(&number) else { return };
        // It asked for an earlier hour since: that this one is struck, too, would go on for ever.
        if phone.wake_at.take_if(|at| *at <= now).is_none() {
            return;
        }
        self.with_phone(number, |phone| {
            if phone.poll_timeout().is_some_and(|at| at <= now) {
                phone.handle_timeout(now);
            }
        });
        if self.phones.get(&number).is_some_and(Phone::is_done) {
            self.bury(number);
        }
    }

    fn bury(&mut self, number: usize) {
        self.paths.remove(&number);
        self.close_streams(number);
        if let Some(phone) = self.phones.remove(&number)
            && let Role::Caller(caller) = phone.role
        {
            self.report.answered += u32::from(caller.answered);
            self.report.talked += u32::from(caller.talked);
        }
    }

    fn new_stack(&mut self, number: usize, user: String) -> Stack {
        self.next_phone += 1;
        let mut rng = self.seed.named("phone").numbered(number as u64).rng();
        let faults = if self.healed { Faults::NONE } else { self.faults };
        self.paths.insert(number, Path::new(faults, &mut rng, self.now));
        let server = if rng.chance_permille(200) { town::other_exchange() } else { town::exchange() };
        let me = town::address_of(number);
        let voice = self.seed.named("phone's media").numbered(number as u64).rng();
        let sessions = Sessions::new(self.options.depth, me.ip(), voice);
        let mut stack = Stack::new(rng, me, server, user, sessions);
        stack.now = self.now;
        stack.strict_from = if faults.loss { Time::FAR } else { self.now };
        stack
    }

    fn people_the_town(&mut self) {
        // Some desks are short of staff: calls overflow, and queues are full.
        let at_work =
            if self.rng.chance_permille(300) { 1 + self.rng.below(3) as usize } else { self.town.agents };
        for number in self.town.residents() {
            let agent = number < self.town.agents;
            let (name, account) = match self.town.account(number) {
                Some((name, password)) => (name, Some(password)),
                None => ("uas".to_owned(), None),
            };
            let mut stack = self.new_stack(number, name);
            let way = self.rng.below(1_000);
            if agent && way < 120 {
                stack.by_stream();
            }
            let late = if number < at_work || !agent { 4_000 } else { 4_000_000 };
            let first = self.now + between(&mut self.rng, 0, late);
            let expires = Duration::from_secs(60 + self.rng.below(600));
            let mut callee = Callee::new(&stack, account, self.faults.phones, first, expires);
            callee.sure = agent && !self.faults.loss && !self.faults.delay && !self.faults.reorder;
            if agent && (120..270).contains(&way) {
                callee.registers_by_path(&mut stack);
            }
            if self.town.servers().contains(&number) {
                callee.serves(&stack, self.faults.phones);
            }
            self.phones.insert(number, Phone { stack, role: Role::Callee(callee), wake_at: None });
            self.with_phone(number, |_| {});
        }
    }

    fn call_is_made(&mut self) {
        self.report.calls += 1;
        let user = format!("{:09}", 300_000_000 + self.next_phone);
        let by_line = if self.rng.chance_permille(250) { town::BY_LINE } else { 0 };
        let number = self.next_phone | by_line;
        let mut stack = self.new_stack(number, user);
        if self.rng.chance_permille(120) {
            stack.by_stream();
        }
        let dialled = town::number_to_dial(&mut self.rng);
        let caller = Caller::dial(&mut stack, dialled, self.faults.phones, number);
        self.phones.insert(number, Phone { stack, role: Role::Caller(caller), wake_at: None });
        self.with_phone(number, |_| {});
        if self.report.calls < self.options.calls {
            let pause = between(&mut self.rng, 0, 2 * self.interval);
            let at = self.now + pause;
            self.schedule(at, Happening::CallIsMade);
        }
    }

    fn somebody_is_left(&self) -> bool {
        self.engine.calls() > 0 || self.phones.keys().any(|number| self.town.is_caller(*number))
    }

    /// The agents' phones unregister, and the operators' lines are given up: nothing is left that asks anybody anything.
    fn send_agents_home(&mut self) {
        self.config.sip.trunks.clear();
        self.input(Input::Reload(Box::new(self.config.clone())));
        for number in self.town.residents() {
            self.with_phone(number, |phone| {
                let Phone { stack, role, .. } = phone;
                if let Role::Callee(callee) = role {
                    callee.leave(stack);
                }
            });
        }
    }
}

/// Disasters.
impl World<'_> {
    fn heal(&mut self) {
        self.healed = true;
        self.paths.values_mut().for_each(Path::heal);
        let now = self.now;
        // What was under way may still fail; what begins a moment later may not.
        let strict = now + LIFETIME;
        for phone in self.phones.values_mut() {
            phone.stack.strict_from = phone.stack.strict_from.min(strict);
        }
        for server in self.town.servers() {
            self.with_phone(server, |phone| {
                let Phone { stack, role, .. } = phone;
                if let Role::Callee(callee) = role {
                    callee.cheer_up(stack);
                }
            });
        }
    }

    /// The process ends and another takes over with what the log says.
    pub(crate) fn restart(&mut self, broken: bool) {
        self.restarts += 1;
        let fold = self.log.fold();
        let past = Past {
            head: Some(self.log.facts()),
            broken: if broken { fold.open_calls() } else { Vec::new() },
            paused: fold.paused(),
            charges: fold.charges(),
            bans: fold.snapshot().bans.values().cloned().collect(),
            emergencies: fold.snapshot().emergencies.values().cloned().collect(),
            callbacks: fold.snapshot().callbacks.clone(),
            memories: fold.memories(),
        };
        self.media.forget_all(self.now);
        self.streams.clear();
        self.wire.restarted();
        let wall = Wall::from_unix_micros(1_781_000_000_000_000) + self.now.since(Time::ZERO);
        let seed = self.seed.named("engine").numbered(self.restarts);
        self.engine = Engine::new(self.config.clone(), past, seed, self.now, wall);
        self.settle();
        let numbers: Vec<usize> = self.phones.keys().copied().collect();
        for number in numbers {
            let at = self.now + between(&mut self.rng, 0, 20_000);
            let strict = self.now + LIFETIME * 3;
            self.with_phone(number, |phone| {
                phone.stack.strict_from = phone.stack.strict_from.max(strict);
                if let Role::Callee(callee) = &mut phone.role {
                    callee.sure = false;
                    callee.register_again(at);
                }
            });
        }
    }

    /// Calls that go on, by id.
    pub(crate) fn calls_going_on(&self) -> Vec<String> {
        self.log.fold().snapshot().calls.keys().cloned().collect()
    }

    fn finish(mut self) -> Report {
        self.report.arrived = self.log.arrived;
        self.report.facts = self.log.facts();
        self.report.virtual_time = self.now.since(Time::ZERO);
        if let Media::Hall(hall) = &self.media {
            self.report.media = hall.figures();
        }
        self.report.trace_hash = self.trace.hash(self.report.media.hash);
        self.report
    }
}
