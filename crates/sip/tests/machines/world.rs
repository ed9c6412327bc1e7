//! Two or more user agents over a seeded link in virtual time, and addresses where the test itself is the
//! peer.
use base::{Rng, Seed, Time};
use sip::locate::{Place, Query};
use sip::ua::*;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

pub(crate) const ALICE: usize = 0;
pub(crate) const BOB: usize = 1;
pub(crate) const OFFER: &[u8] =
    b"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";
pub(crate) const ANSWER: &[u8] =
    b"v=0\r\no=- 2 2 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 5000 RTP/AVP 8\r\n";

/// What the network does to a datagram. A stream's messages are never lost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    pub(crate) delay: Duration,
    pub(crate) jitter: Duration,
    pub(crate) loss_permille: u32,
    pub(crate) duplicate_permille: u32,
}

pub(crate) struct Agent {
    pub(crate) ua: UserAgent,
    pub(crate) address: SocketAddr,
    pub(crate) events: Vec<(Time, Event)>,
    called: Vec<SessionId>,
}

/// One message on its way, or once seen.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    pub(crate) at: Time,
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) transport: Transport,
    pub(crate) bytes: Vec<u8>,
}

type Filter = Box<dyn FnMut(&Packet) -> bool>;

pub(crate) struct World {
    pub(crate) now: Time,
    pub(crate) agents: Vec<Agent>,
    pub(crate) link: Link,
    /// Everything that was sent, lost or not.
    pub(crate) sent: Vec<Packet>,
    /// Drops what it says true of.
    pub(crate) loses: Option<Filter>,
    pub(crate) transport: Transport,
    /// What name servers were asked, and the test has not answered.
    pub(crate) asked: Vec<Query>,
    /// The names that certificates must bear.
    pub(crate) expected: Vec<(SocketAddr, String)>,
    /// What arrived where no agent lives.
    arrived: Vec<Packet>,
    flying: BTreeMap<(Time, u64), Packet>,
    serial: u64,
    rng: Rng,
}

pub(crate) fn address(number: usize) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1 + number as u8], 5060))
}

/// The configuration of an agent that is open to the whole test network.
pub(crate) fn open_config(number: usize) -> Config {
    Config {
        listen: vec![(Transport::Udp, address(number)), (Transport::Tcp, address(number))],
        public_address: None,
        local_nets: vec!["10.0.0.0/8".parse().unwrap()],
        realm: "help.example".into(),
        digest: vec![sip::digest::Algorithm::Sha256, sip::digest::Algorithm::Md5],
        product: "Cornetta/test".into(),
        accounts: vec![],
        trunks: vec![],
        open_to: vec!["10.0.0.0/8".parse().unwrap()],
        guard: sip::guard::GuardConfig::default(),
        extensions: Extensions::default(),
        timers: Timers::default(),
        limits: Limits::default(),
    }
}

/// The place of an address of the test network.
pub(crate) fn place(number: usize, transport: Transport) -> Place {
    Place::at(address(number).ip(), Some(address(number).port()), Some(transport))
}

/// An operator's server at that address, by UDP.
pub(crate) fn trunk(name: &str, number: usize) -> Trunk {
    Trunk {
        name: name.into(),
        targets: vec![place(number, Transport::Udp)],
        addresses: vec![],
        domain: None,
        credentials: None,
        register: false,
        prack: None,
        p_early_media: false,
        identity: sip::identity::Policy::TRUSTED,
        probe: Duration::ZERO,
        progress_within: None,
    }
}

pub(crate) fn account(user: &str) -> Account {
    Account { user: user.into(), password: format!("secret of {user}") }
}

/// A call with an offer and nothing else worth saying.
pub(crate) fn plain_call(towards: Towards, uri: &str) -> Call {
    Call {
        towards,
        uri: uri.to_owned(),
        to: None,
        from_user: "caller".into(),
        from_display: None,
        sdp: OFFER.to_vec(),
        credentials: None,
        headers: Vec::new(),
        elsewhere: Elsewhere::Nowhere,
        urgent: false,
        max_forwards: MAX_FORWARDS,
    }
}

impl World {
    /// Alice and Bob, both open, 10 ms apart.
    pub(crate) fn pair() -> World {
        World::of(vec![open_config(ALICE), open_config(BOB)], 1)
    }

    pub(crate) fn of(configs: Vec<Config>, seed: u64) -> World {
        let root = Seed::from_number(seed);
        let now = Time::from_millis(1_000);
        let agents = configs.into_iter().enumerate().map(|(number, config)| Agent {
            ua: UserAgent::new(config, root.numbered(number as u64), now),
            address: address(number),
            events: vec![],
            called: vec![],
        });
        let link = Link {
            delay: Duration::from_millis(10),
            jitter: Duration::ZERO,
            loss_permille: 0,
            duplicate_permille: 0,
        };
        let mut world = World {
            now,
            agents: agents.collect(),
            link,
            sent: vec![],
            loses: None,
            transport: Transport::Udp,
            asked: vec![],
            expected: vec![],
            arrived: vec![],
            flying: BTreeMap::new(),
            serial: 0,
            rng: root.named("network").rng(),
        };
        (0..world.agents.len()).for_each(|agent| world.drain(agent));
        world
    }

    /// From now on messages of this kind, sent by whomever, are lost this many times.
    pub(crate) fn lose(&mut self, beginning: &'static str, mut times: usize) {
        self.loses = Some(Box::new(move |packet| {
            let hit = times > 0 && packet.bytes.starts_with(beginning.as_bytes());
            times -= usize::from(hit);
            hit
        }));
    }

    pub(crate) fn act(&mut self, agent: usize, act: Do) {
        self.agents[agent].ua.handle(self.now, Input::Do(act));
        self.drain(agent);
    }

    pub(crate) fn flow(&self, from: usize, to: usize) -> Flow {
        Flow { transport: self.transport, local: address(from), remote: address(to) }
    }

    /// A call from one to the other.
    pub(crate) fn call(&mut self, from: usize, to: usize) -> SessionId {
        let flow = self.flow(from, to);
        self.call_as(from, flow, None)
    }

    pub(crate) fn call_as(&mut self, from: usize, flow: Flow, credentials: Option<Account>) -> SessionId {
        self.call_towards(from, flow.into(), &flow.remote.to_string(), credentials)
    }

    /// A call to `help` at this domain.
    pub(crate) fn call_towards(
        &mut self,
        from: usize,
        towards: Towards,
        domain: &str,
        credentials: Option<Account>,
    ) -> SessionId {
        let session = self.agents[from].ua.reserve().expect("a place for a call");
        let call = Call {
            from_display: Some("A \"caller\"".into()),
            credentials,
            headers: vec![("X-Cornetta-Call".into(), "7".into())],
            ..plain_call(towards, &format!("sip:help@{domain}"))
        };
        self.agents[from].called.push(session);
        self.act(from, Do::Call { session, call });
        session
    }

    /// A call that has been answered and confirmed: the sessions on both sides.
    pub(crate) fn established(&mut self) -> (SessionId, SessionId) {
        let ours = self.call(ALICE, BOB);
        self.run_for(50);
        let theirs = self.incoming(BOB);
        self.act(BOB, Do::Accept { session: theirs, sdp: ANSWER.to_vec() });
        self.run_for(50);
        assert!(self.has(ALICE, |e| matches!(e, Event::Answered { session, .. } if *session == ours)));
        assert!(self.has(BOB, |e| matches!(e, Event::Confirmed { session, .. } if *session == theirs)));
        (ours, theirs)
    }

    /// The last incoming session.
    pub(crate) fn incoming(&self, agent: usize) -> SessionId {
        let mut sessions = self.agents[agent].events.iter().rev().filter_map(|(_, event)| match event {
            Event::Incoming { session, .. } => Some(*session),
            _ => None,
        });
        sessions.next().expect("an incoming call")
    }

    pub(crate) fn has(&self, agent: usize, what: impl Fn(&Event) -> bool) -> bool {
        self.count(agent, what) > 0
    }

    pub(crate) fn count(&self, agent: usize, what: impl Fn(&Event) -> bool) -> usize {
        self.agents[agent].events.iter().filter(|(_, event)| what(event)).count()
    }

    /// How a session ended; there must be exactly one end.
    pub(crate) fn ending(&self, agent: usize, id: SessionId) -> Ending {
        let endings: Vec<Ending> = self.endings(agent, id);
        assert_eq!(endings.len(), 1, "ends of {id:?}: {endings:?}");
        endings[0].clone()
    }

    pub(crate) fn endings(&self, agent: usize, id: SessionId) -> Vec<Ending> {
        let ends = self.agents[agent].events.iter().filter_map(|(_, event)| match event {
            Event::Ended { session, ending } if *session == id => Some(ending.clone()),
            _ => None,
        });
        ends.collect()
    }

    /// The test itself sends something to an agent.
    pub(crate) fn inject(&mut self, from: SocketAddr, to: usize, text: &str) {
        let transport = self.transport;
        let bytes = text.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes();
        self.deliver(Packet { at: self.now, from, to: address(to), transport, bytes });
    }

    /// What arrived at an address of the test, and was not taken before.
    pub(crate) fn take(&mut self, at: SocketAddr) -> Vec<String> {
        let (taken, left) = self.arrived.drain(..).partition(|packet| packet.to == at);
        self.arrived = left;
        let taken: Vec<Packet> = taken;
        taken.into_iter().map(|packet| String::from_utf8(packet.bytes).expect("text")).collect()
    }

    /// How many messages that begin so were sent from an address.
    pub(crate) fn sent_by(&self, agent: usize, beginning: &str) -> usize {
        let ours = |packet: &&Packet| packet.from == address(agent);
        self.sent.iter().filter(ours).filter(|p| p.bytes.starts_with(beginning.as_bytes())).count()
    }

    /// The messages that begin so, as text.
    pub(crate) fn seen(&self, beginning: &str) -> Vec<String> {
        let those = self.sent.iter().filter(|packet| packet.bytes.starts_with(beginning.as_bytes()));
        those.map(|packet| String::from_utf8_lossy(&packet.bytes).into_owned()).collect()
    }

    pub(crate) fn run_for(&mut self, millis: u64) {
        self.run_until(self.now + Duration::from_millis(millis));
    }

    /// A datagram that was sent within the last two seconds comes once more.
    pub(crate) fn replay(&mut self, which: usize) {
        let young = |packet: &&Packet| self.now.since(packet.at) <= Duration::from_secs(2);
        let datagram = |packet: &&Packet| packet.transport == Transport::Udp;
        let recent: Vec<Packet> =
            self.sent.iter().rev().take_while(young).filter(datagram).cloned().collect();
        if !recent.is_empty() {
            self.deliver(recent[which % recent.len()].clone());
        }
    }

    /// The sessions that an agent made or was told of.
    pub(crate) fn sessions(&self, agent: usize) -> Vec<SessionId> {
        let incoming = self.agents[agent].events.iter().filter_map(|(_, event)| match event {
            Event::Incoming { session, .. } => Some(*session),
            _ => None,
        });
        incoming.chain(self.agents[agent].called.iter().copied()).collect()
    }

    /// Everything that happens until then, in order of time.
    pub(crate) fn run_until(&mut self, until: Time) {
        let mut turns = 0u64;
        loop {
            let arrival = self.flying.keys().next().map(|(at, _)| *at);
            let deadline = self.agents.iter().filter_map(|a| a.ua.poll_timeout().map(|(at, _)| at)).min();
            let next = arrival.into_iter().chain(deadline).min().unwrap_or(Time::FAR);
            if next > until {
                break;
            }
            self.now = self.now.max(next);
            turns += 1;
            assert!(turns < 5_000_000, "time stands still at {}", self.now);
            self.turn(arrival.is_some_and(|at| at <= self.now));
        }
        self.now = until;
    }

    /// Until nothing is on its way and nobody waits for anything but contacts and refreshes.
    pub(crate) fn run_to_rest(&mut self) {
        self.run_for(600_000);
    }

    /// Nothing is left anywhere.
    pub(crate) fn assert_idle(&self) {
        for agent in &self.agents {
            assert!(agent.ua.is_idle(), "{} holds {:?}", agent.address, agent.ua.load());
        }
    }

    fn turn(&mut self, arrived: bool) {
        if arrived && let Some((_, packet)) = self.flying.pop_first() {
            self.deliver(packet);
            return;
        }
        for agent in 0..self.agents.len() {
            if self.agents[agent].ua.poll_timeout().is_some_and(|(at, _)| at <= self.now) {
                self.agents[agent].ua.handle_timeout(self.now);
                self.drain(agent);
                let next = self.agents[agent].ua.poll_timeout();
                assert!(next.is_none_or(|(at, _)| at > self.now), "due at once again: {next:?}");
            }
        }
    }

    fn deliver(&mut self, packet: Packet) {
        let Some(agent) = self.agents.iter().position(|agent| agent.address == packet.to) else {
            return self.arrived.push(packet);
        };
        let flow = Flow { transport: packet.transport, local: packet.to, remote: packet.from };
        self.agents[agent].ua.handle(self.now, Input::Received { flow, bytes: packet.bytes });
        self.drain(agent);
    }

    pub(crate) fn drain(&mut self, agent: usize) {
        while let Some(output) = self.agents[agent].ua.poll_output() {
            match output {
                Output::Event(event) => self.agents[agent].events.push((self.now, event)),
                Output::Door(_) => {}
                Output::Resolve { query } => self.asked.push(query),
                Output::Expect { remote, name } => self.expected.push((remote, name)),
                Output::Send { flow, bytes } => {
                    assert!(!flow.remote.ip().is_unspecified(), "a message to nobody");
                    let (from, to) = (flow.local, flow.remote);
                    self.send(Packet { at: self.now, from, to, transport: flow.transport, bytes });
                }
            }
        }
    }

    fn send(&mut self, packet: Packet) {
        self.sent.push(packet.clone());
        if self.loses.as_mut().is_some_and(|lose| lose(&packet)) {
            return;
        }
        let unreliable = packet.transport == Transport::Udp;
        if unreliable && self.rng.chance_permille(self.link.loss_permille) {
            return;
        }
        let twice = unreliable && self.rng.chance_permille(self.link.duplicate_permille);
        for _ in 0..=usize::from(twice) {
            let jitter = Duration::from_micros(self.rng.below(self.link.jitter.as_micros() as u64 + 1));
            let at = self.now + self.link.delay + jitter;
            self.serial += 1;
            self.flying.insert((at, self.serial), packet.clone());
        }
    }
}

/// The value of a header field of a message that we wrote.
pub(crate) fn header<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    message.lines().find_map(|line| line.split_once(": ").filter(|(n, _)| *n == name).map(|(_, v)| v))
}

/// An INVITE as another program would write it.
pub(crate) fn invite(from: std::net::SocketAddr, call_id: &str, more: &str) -> String {
    format!(
        "INVITE sip:help@10.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{call_id}\nFrom: <sip:x@y>;tag=f\n\
         To: <sip:help@10.0.0.1>\nCall-ID: {call_id}\nCSeq: 1 INVITE\nContact: <sip:x@{from}>\n{more}\
         Max-Forwards: 70\nContent-Length: 0\n\n"
    )
}

/// An SDP body with its header fields, to stand at the end of a head that `invite`, `answer_to` and their like
/// wrote.
pub(crate) fn with_body(message: &str, body: &[u8]) -> String {
    let body = String::from_utf8(body.to_vec()).unwrap();
    let described = format!("Content-Type: application/sdp\nContent-Length: {}\n\n{body}", body.len());
    message.replace("Content-Length: 0\n\n", &described)
}

/// A request in the dialog that an answer to [`invite`] began.
pub(crate) fn request_in(answer: &str, method: &str, cseq: u32, more: &str) -> String {
    let at = address(7);
    let (call_id, to) = (header(answer, "Call-ID").unwrap(), header(answer, "To").unwrap());
    format!(
        "{method} sip:help@10.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{method}{cseq}\n\
         From: <sip:x@y>;tag=f\nTo: {to}\nCall-ID: {call_id}\nCSeq: {cseq} {method}\n\
         Contact: <sip:x@{at}>\n{more}Max-Forwards: 70\nContent-Length: 0\n\n"
    )
}

/// The answer to a request that was sent, from a peer with the tag `peer`.
pub(crate) fn answer_to(sent: &str, status: &str, more: &str) -> String {
    let names = ["Via", "From", "Call-ID", "CSeq"];
    let copied: Vec<String> =
        names.iter().map(|name| format!("{name}: {}\n", header(sent, name).unwrap())).collect();
    let to = header(sent, "To").unwrap();
    let tag = if to.contains(";tag=") { "" } else { ";tag=peer" };
    format!("SIP/2.0 {status}\n{}To: {to}{tag}\n{more}Content-Length: 0\n\n", copied.concat())
}

/// A 200 to an INVITE that was sent, from one of its forks.
pub(crate) fn fork(sent: &str, tag: &str, contact: SocketAddr) -> String {
    let contact = format!("Contact: <sip:{tag}@{contact}>\n");
    answer_to(sent, "200 OK", &contact).replace(";tag=peer", &format!(";tag={tag}"))
}

impl World {
    /// Whether nothing waits to be taken at an address of the test.
    pub(crate) fn take_nothing(&self, at: SocketAddr) -> bool {
        !self.arrived.iter().any(|packet| packet.to == at)
    }
}
