#![no_main]
//! Sequences of events into the transactions and sessions of a whole user agent. Whatever happened, every session
//! ends once, and after the last hang-up nothing is left.

use base::{Seed, Time};
use fuzz::{Act, Peers, Step};
use libfuzzer_sys::fuzz_target;
use sip::ua::{Account, Call, Config, Do, Event, Input, Output, SessionId, Transport, UserAgent};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// More than one input can cause: an answer, its retransmissions in a long wait, and events.
const OUTPUTS_MAX: usize = 4_000;
const SDP: &[u8] = b"v=0\r\no=- 2 2 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 5000 RTP/AVP 8\r\n";

fuzz_target!(|steps: Vec<Step>| {
    let mut life = Life::new();
    for step in steps.iter().take(64) {
        life.take(step);
    }
    life.end();
});

struct Life {
    now: Time,
    agent: UserAgent,
    peers: Peers,
    /// Those that have begun, and how often each ended.
    sessions: BTreeMap<SessionId, u32>,
}

impl Life {
    fn new() -> Life {
        let (now, local) = (Time::from_millis(1_000), SocketAddr::from(([10, 0, 0, 1], 5060)));
        let config = Config {
            listen: vec![(Transport::Udp, local), (Transport::Tcp, local)],
            realm: "fuzz".into(),
            accounts: vec![Account { user: "anna".into(), password: "secret".into() }],
            open_to: vec!["10.0.0.0/8".parse().expect("a network")],
            ..Config::default()
        };
        let agent = UserAgent::new(config, Seed::from_number(7), now);
        Life { now, agent, peers: Peers::new(local), sessions: BTreeMap::new() }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Wait { steps, long } => {
                let unit = if *long { 1_000 } else { 10 };
                self.wait(Duration::from_millis(u64::from(*steps) * unit));
            }
            Step::Break { peer } => {
                let flow = self.peers.flow(*peer);
                self.agent.handle(self.now, Input::FlowFailed { flow });
            }
            Step::Act { act, which } => self.act(*act, *which),
            _ => {
                let Some((flow, bytes)) = self.peers.arrives(step) else { return };
                self.agent.handle(self.now, Input::Received { flow, bytes });
            }
        }
        self.drain();
    }

    fn act(&mut self, act: Act, which: u8) {
        if matches!(act, Act::Call) {
            let Some(session) = self.agent.reserve() else { return };
            self.sessions.insert(session, 0);
            let call = self.call(which);
            return self.agent.handle(self.now, Input::Do(Do::Call { session, call }));
        }
        let living: Vec<SessionId> =
            self.sessions.iter().filter(|(_, ended)| **ended == 0).map(|(id, _)| *id).collect();
        let Some(session) = usize::from(which).checked_rem(living.len()).map(|at| living[at]) else { return };
        let sdp = SDP.to_vec();
        let act = match act {
            Act::Ring => Do::ring(session),
            Act::Accept => Do::Accept { session, sdp },
            Act::Refuse => Do::Refuse { session, status: 486, q850: Some(17), warning: None },
            Act::Call | Act::HangUp => Do::HangUp { session, q850: Some(16) },
            Act::Reoffer => Do::Reoffer { session, sdp },
            Act::AcceptReoffer => Do::AcceptReoffer { session, sdp },
            Act::RefuseReoffer => Do::RefuseReoffer { session, status: 488, warning: None },
        };
        self.agent.handle(self.now, Input::Do(act));
    }

    fn call(&self, which: u8) -> Call {
        let flow = self.peers.flow(which);
        Call {
            towards: flow.into(),
            uri: format!("sip:callee@{}", flow.remote),
            to: None,
            from_user: "desk".into(),
            from_display: None,
            sdp: SDP.to_vec(),
            credentials: Some(Account { user: "desk".into(), password: "secret".into() }),
            headers: Vec::new(),
            elsewhere: sip::ua::Elsewhere::Nowhere,
            max_forwards: sip::ua::MAX_FORWARDS,
            urgent: false,
        }
    }

    fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some((at, _)) = self.agent.poll_timeout().filter(|(at, _)| *at <= until) {
            assert!(at > self.now || self.now == at, "deadlines do not go back");
            self.now = self.now.max(at);
            self.agent.handle_timeout(self.now);
            self.drain();
        }
        self.now = until;
    }

    fn drain(&mut self) {
        for count in 0.. {
            assert!(count < OUTPUTS_MAX, "one input has no end");
            match self.agent.poll_output() {
                None => return,
                Some(Output::Send { flow, bytes }) => self.peers.received(flow, bytes),
                Some(Output::Event(Event::Incoming { session, .. })) => {
                    assert!(self.sessions.insert(session, 0).is_none(), "a session begins once");
                }
                Some(Output::Event(Event::Ended { session, .. })) => {
                    *self.sessions.get_mut(&session).expect("it began") += 1;
                }
                Some(_) => {}
            }
        }
    }

    /// Everybody hangs up; then nobody answers any more for longer than every timer.
    fn end(mut self) {
        let living: Vec<SessionId> = self.sessions.keys().copied().collect();
        for session in living {
            self.agent.handle(self.now, Input::Do(Do::HangUp { session, q850: None }));
            self.drain();
        }
        self.wait(Duration::from_secs(10 * 60));
        assert!(self.agent.is_idle(), "left: {:?}", self.agent.load());
        assert!(self.sessions.values().all(|ended| *ended == 1), "{:?}", self.sessions);
    }
}
