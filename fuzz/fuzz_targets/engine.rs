#![no_main]
//! Sequences of events into a whole engine: calls to services that answer, echo and put through, an agent's device,
//! media that opens and fails, commands. Whatever happened, it stops when it is told to, and nothing is left.

use base::{Seed, Time, Wall};
use engine::{Config, Engine, Input, Output, Past, Service, Target};
use facts::Command;
use fuzz::{Peers, Step};
use libfuzzer_sys::fuzz_target;
use media_api::{Event, KeysBy, LegId};
use sip::ua::{Account, Transport};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

const OUTPUTS_MAX: usize = 8_000;

fuzz_target!(|steps: Vec<Step>| {
    let mut life = Life::new();
    for step in steps.iter().take(64) {
        life.take(step);
    }
    life.end();
});

struct Life {
    now: Time,
    engine: Engine,
    peers: Peers,
    open: BTreeSet<LegId>,
    /// Whether there are ports left.
    ports: bool,
    head: u64,
}

impl Life {
    fn new() -> Life {
        let (now, local) = (Time::from_millis(1_000), SocketAddr::from(([10, 0, 0, 1], 5060)));
        let wall = Wall::from_unix_micros(1_795_000_000_000_000);
        let engine = Engine::new(config(local), Past::default(), Seed::from_number(7), now, wall);
        let mut life = Life { now, engine, peers: Peers::new(local), open: BTreeSet::new(), ports: true, head: 0 };
        life.drain();
        life
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Wait { steps, long } => {
                let unit = if *long { 1_000 } else { 10 };
                self.wait(Duration::from_millis(u64::from(*steps) * unit));
            }
            Step::Break { peer } => {
                let flow = self.peers.flow(*peer);
                self.input(Input::FlowFailed { flow });
            }
            Step::Act { which, .. } => self.act(*which),
            _ => {
                if let Some((flow, bytes)) = self.peers.arrives(step) {
                    self.input(Input::Sip { flow, bytes });
                }
            }
        }
    }

    /// Media and integrators have their say, too.
    fn act(&mut self, which: u8) {
        let leg = self.open.iter().nth(usize::from(which >> 3) % self.open.len().max(1)).copied();
        let agent = "anna".to_owned();
        let command = |command| Input::Command { id: 1, by: "crm".to_owned(), command };
        let input = match (which % 6, leg) {
            (0, _) => command(Command::Ready { agent }),
            (1, _) => command(Command::Pause { agent, reason: "lunch".into() }),
            (2, Some(leg)) => Input::Media(Event::Digit { leg, digit: '1', held: Duration::from_millis(80), by: KeysBy::Tones }),
            (3, _) => return self.ports = !self.ports,
            (4, _) => Input::LogFull(which & 8 == 0),
            (5, _) => Input::ReloadRefused { findings: vec!["a fault".into()] },
            _ => return,
        };
        self.input(input);
    }

    fn input(&mut self, input: Input) {
        self.engine.handle(self.now, input);
        self.drain();
    }

    fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some((at, _)) = self.engine.poll_timeout().filter(|(at, _)| *at <= until) {
            self.now = self.now.max(at);
            self.engine.handle_timeout(self.now);
            self.drain();
        }
        self.now = until;
    }

    fn drain(&mut self) {
        let mut told = Vec::new();
        for count in 0.. {
            assert!(count < OUTPUTS_MAX, "one input has no end");
            let Some(output) = self.engine.poll_output() else { break };
            match output {
                Output::Sip { flow, bytes } => self.peers.received(flow, bytes),
                Output::Media { command, .. } => told.extend(self.media(command)),
                Output::Fact(fact) => {
                    assert!(fact.number > self.head, "facts are numbered in order");
                    self.head = fact.number;
                }
                _ => {}
            }
        }
        for event in told {
            self.input(Input::Media(event));
        }
    }

    /// Ports open at once, if there are any; everything else is believed.
    fn media(&mut self, command: media_api::Command) -> Option<Event> {
        match command {
            media_api::Command::Open { leg, .. } if !self.ports => {
                Some(Event::OpenFailed { leg, why: "no ports are left".into() })
            }
            media_api::Command::Open { leg, .. } => {
                self.open.insert(leg);
                Some(Event::Opened { leg, local: SocketAddr::from(([10, 0, 0, 1], 20_000)) })
            }
            media_api::Command::Close { leg } => {
                self.open.remove(&leg);
                Some(Event::Closed { leg, stats: Box::default() })
            }
            _ => None,
        }
    }

    fn end(mut self) {
        self.input(Input::Stop);
        self.wait(Duration::from_secs(10 * 60));
        assert_eq!(self.engine.calls(), 0);
        assert!(self.engine.is_idle(), "{:?}", self.engine.snapshot());
        assert!(self.open.is_empty(), "every leg's ports are given back");
    }
}

fn config(local: SocketAddr) -> Config {
    let outside = SocketAddr::from(([10, 0, 0, 10], 5060));
    let target = Target::Uri { uri: format!("sip:uas@{outside};transport=tcp") };
    Config {
        node: "fuzz".into(),
        version: "fuzz:1".into(),
        program_version: "0".into(),
        sip: sip::ua::Config {
            listen: vec![(Transport::Udp, local), (Transport::Tcp, local)],
            realm: "fuzz".into(),
            accounts: vec![Account { user: "anna".into(), password: "secret".into() }],
            open_to: vec!["10.0.0.0/8".parse().expect("a network")],
            ..sip::ua::Config::default()
        },
        acd: acd::Config { queues: Vec::new(), agents: Vec::new() },
        numbering: engine::Numbering::default(),
        services: BTreeMap::from([
            ("echo".to_owned(), Service::Echo),
            ("sig".to_owned(), Service::Silence),
            ("bridge".to_owned(), Service::Dial(target)),
        ]),
        referring_trunks: BTreeSet::new(),
        referred_trunks: BTreeSet::new(),
        texting_trunks: BTreeSet::new(),
        bodies: Default::default(),
        otherwise: None,
        hold_music: None,
        supervisors: BTreeSet::from(["anna".to_owned()]),
        media_certificate: None,
        media_terms: engine::PeerTerms::default(),
        codecs: engine::Codecs::default(),
        media_public: media_api::Addresses::default(),
        local_nets: Vec::new(),
        silence_probe: Duration::from_secs(300),
        routing: engine::Routing::default(),
        outbound: Vec::new(),
        calls_max: 100,
    }
}
