//! A stage for small scenes: an engine in virtual time, phones led by hand, a network that loses nothing,
//! and media that opens at once and plays every list for a second.

use super::hall::Hall;
use base::{Seed, Time, Wall};
use engine::{Config, Engine, Input, Output, Past, Service, Target};
use facts::{Fact, FactKind};
use media_api::{Command, Event, Family, KeysBy, LegId, PlayId, RecordingOrder, Stream};
use sip::locate::{Answer, Query};
use sip::ua::{Flow, Transport};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// How long every list of prompts lasts.
const PLAY: Duration = Duration::from_secs(1);

/// Where media is by IPv6.
pub(crate) const OWN_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);

pub(crate) struct Stage {
    pub(crate) now: Time,
    pub(crate) engine: Engine,
    pub(crate) facts: Vec<Fact>,
    pub(crate) commands: Vec<Command>,
    pub(crate) replies: Vec<(u64, Result<u64, engine::CommandRefused>)>,
    /// The agreement of each open leg.
    pub(crate) streams: BTreeMap<LegId, Stream>,
    open: BTreeSet<LegId>,
    /// Each leg that was opened, and beside which.
    pub(crate) beside: Vec<(LegId, Option<LegId>)>,
    plays: Vec<(Time, LegId, PlayId)>,
    /// The next ports do not open.
    pub(crate) no_ports: bool,
    inboxes: BTreeMap<SocketAddr, VecDeque<String>>,
    branches: u32,
    /// What name servers know; they fail for all else.
    pub(crate) names: BTreeMap<Query, Answer>,
    /// Real media instead of the stand-in.
    pub(crate) hall: Option<Hall>,
    /// What whoever records was told; a test answers, or nobody does.
    pub(crate) orders: Vec<RecordingOrder>,
    /// Certificates that were asked for; a test answers, or nobody does.
    pub(crate) fetches: Vec<stir::Fetch>,
    /// What scripts asked, to be answered by the test.
    pub(crate) questions: Vec<engine::Question>,
}

pub(crate) fn exchange() -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], 5060))
}

pub(crate) fn address(last: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, last], 5060))
}

pub(crate) fn exchange_v6() -> SocketAddr {
    SocketAddr::from((OWN_V6, 5060))
}

pub(crate) fn flow(remote: SocketAddr) -> Flow {
    let local = if remote.is_ipv4() { exchange() } else { exchange_v6() };
    let transport = match remote.port() {
        BY_STREAM => Transport::Tcp,
        BY_WEBSOCKET => Transport::Wss,
        _ => Transport::Udp,
    };
    Flow { transport, local, remote }
}

/// The port of whoever speaks by a stream of TCP.
const BY_STREAM: u16 = 5061;

/// That of a page in a browser.
const BY_WEBSOCKET: u16 = 8443;

pub(crate) fn by_websocket(last: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, last], BY_WEBSOCKET))
}

pub(crate) fn by_stream(last: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, last], BY_STREAM))
}

/// Two agents, anna and bruno; carla, who supervises; the shipped help desk as `demo`; `bridge` puts through to 10.0.0.90.
pub(crate) fn config() -> Config {
    let accounts =
        ["anna", "bruno", "carla"].map(|user| sip::ua::Account { user: user.into(), password: "pw".into() });
    let agent = |name: &str| acd::Agent {
        name: name.to_owned(),
        queues: ["helpdesk".to_owned()].into(),
        languages: ["it".to_owned()].into(),
        topics: BTreeSet::new(),
    };
    let queue = |name: &str| acd::Queue {
        name: name.to_owned(),
        waiting_max: 10,
        offer_deadline: Duration::from_secs(15),
        wrapup: Duration::from_secs(2),
    };
    let target = Target::Uri { uri: "sip:uas@10.0.0.90:5060".to_owned() };
    let desk = Service::Script { script: super::helpdesk(), language: None };
    Config {
        node: "stage".to_owned(),
        version: "stage:1".to_owned(),
        program_version: "0".to_owned(),
        sip: sip::ua::Config {
            listen: vec![(Transport::Udp, exchange()), (Transport::Wss, exchange())],
            public_address: None,
            local_nets: Vec::new(),
            realm: "stage".to_owned(),
            digest: vec![sip::digest::Algorithm::Md5],
            product: "Cornetta".to_owned(),
            accounts: accounts.into(),
            trunks: Vec::new(),
            open_to: vec!["10.0.0.0/8".parse().unwrap()],
            guard: sip::guard::GuardConfig::default(),
            extensions: sip::ua::Extensions::default(),
            timers: sip::ua::Timers::default(),
            limits: sip::ua::Limits::default(),
        },
        acd: acd::Config {
            queues: vec![queue("helpdesk"), queue("second_level")],
            agents: vec![
                agent("anna"),
                agent("bruno"),
                acd::Agent { queues: BTreeSet::new(), ..agent("carla") },
            ],
        },
        numbering: engine::Numbering::default(),
        services: BTreeMap::from([
            ("demo".to_owned(), desk),
            ("echo".to_owned(), Service::Echo),
            ("sig".to_owned(), Service::Silence),
            ("bridge".to_owned(), Service::Dial(target)),
        ]),
        referring_trunks: BTreeSet::new(),
        referred_trunks: BTreeSet::new(),
        supervisors: BTreeSet::from(["carla".to_owned()]),
        texting_trunks: BTreeSet::new(),
        bodies: Default::default(),
        otherwise: None,
        hold_music: Some(Arc::from([Arc::from("moh/calm")])),
        media_certificate: None,
        codecs: engine::Codecs::default(),
        media_terms: engine::PeerTerms::default(),
        media_public: media_api::Addresses::default(),
        local_nets: Vec::new(),
        silence_probe: Duration::from_secs(300),
        routing: engine::Routing::default(),
        outbound: vec![engine::OutboundRule { calls_per_hour: None, ..sim::fixed_lines() }],
        calls_max: 100,
    }
}

impl Stage {
    pub(crate) fn new() -> Stage {
        Stage::with(config(), Past::default())
    }

    pub(crate) fn with(config: Config, past: Past) -> Stage {
        let now = Time::from_millis(1);
        let wall = Wall::from_unix_micros(1_781_000_000_000_000);
        let engine = Engine::new(config, past, Seed::from_number(1), now, wall);
        let mut stage = Stage {
            now,
            engine,
            facts: Vec::new(),
            commands: Vec::new(),
            replies: Vec::new(),
            names: BTreeMap::new(),
            streams: BTreeMap::new(),
            open: BTreeSet::new(),
            beside: Vec::new(),
            plays: Vec::new(),
            no_ports: false,
            inboxes: BTreeMap::new(),
            branches: 0,
            hall: None,
            orders: Vec::new(),
            fetches: Vec::new(),
            questions: Vec::new(),
        };
        stage.settle();
        stage
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.engine.handle(self.now, input);
        self.settle();
    }

    /// Everything that the engine asks for, until it asks for nothing.
    fn settle(&mut self) {
        let mut told = VecDeque::new();
        loop {
            while let Some(output) = self.engine.poll_output() {
                match output {
                    Output::Sip { flow, bytes } => {
                        let text = String::from_utf8(bytes).unwrap();
                        self.inboxes.entry(flow.remote).or_default().push_back(text);
                    }
                    Output::Resolve { query } => told.push_back(self.resolved(query)),
                    Output::Fetch(fetch) => self.fetches.push(*fetch),
                    Output::LookUp(question) => self.questions.push(question),
                    Output::Expect { .. } => {}
                    Output::Media { command, beside } => {
                        if let Command::Open { leg, .. } = command {
                            self.beside.push((leg, beside));
                        }
                        told.extend(self.play_media(command).into_iter().map(Input::Media));
                    }
                    Output::Fact(fact) => self.facts.push(fact),
                    Output::Record(order) => self.orders.push(order),
                    Output::Door(_) => {}
                    Output::Reply { id, result } => self.replies.push((id, result)),
                }
            }
            match told.pop_front() {
                Some(input) => self.engine.handle(self.now, input),
                None => return,
            }
        }
    }

    fn resolved(&self, query: Query) -> Input {
        let answer = self.names.get(&query).cloned().unwrap_or(Answer::Failed);
        Input::Resolved { query, answer }
    }

    fn play_media(&mut self, command: Command) -> Vec<Event> {
        self.commands.push(command.clone());
        match (&mut self.hall, &command) {
            (Some(hall), Command::Configure { leg, stream }) => {
                self.streams.insert(*leg, stream.clone());
                hall.command(self.now, command)
            }
            (Some(hall), _) => hall.command(self.now, command),
            (None, _) => self.stand_in(command).into_iter().collect(),
        }
    }

    fn stand_in(&mut self, command: Command) -> Option<Event> {
        match command {
            Command::Open { leg, .. } if self.no_ports => {
                return Some(Event::OpenFailed { leg, why: "no port was free".to_owned() });
            }
            Command::Open { leg, family } => {
                self.open.insert(leg);
                let port = 20_000 + 2 * leg.0 as u16;
                let local = match family {
                    Family::V4 => SocketAddr::from(([10, 0, 0, 1], port)),
                    Family::V6 => SocketAddr::from((OWN_V6, port)),
                };
                return Some(Event::Opened { leg, local });
            }
            Command::Configure { leg, stream } => drop(self.streams.insert(leg, stream)),
            Command::Play { leg, play, repeat, .. } => {
                self.plays.retain(|(_, playing, _)| *playing != leg);
                if !repeat {
                    self.plays.push((self.now + PLAY, leg, play));
                }
            }
            Command::Stop { leg } => self.plays.retain(|(_, playing, _)| *playing != leg),
            Command::Close { leg } => {
                self.open.remove(&leg);
                self.plays.retain(|(_, playing, _)| *playing != leg);
                return Some(Event::Closed { leg, stats: Box::default() });
            }
            _ => {}
        }
        None
    }

    /// Lets time go by.
    pub(crate) fn wait(&mut self, span: Duration) {
        let until = self.now + span;
        loop {
            let engine = self.engine.poll_timeout().map_or(Time::FAR, |(at, _)| at);
            let play = self.plays.iter().map(|(at, _, _)| *at).min().unwrap_or(Time::FAR);
            let tick = self.hall.as_ref().map_or(Time::FAR, Hall::next_tick);
            let next = engine.min(play).min(tick);
            if next > until {
                break;
            }
            self.now = self.now.max(next);
            if tick == next {
                let told = self.hall.as_mut().map(Hall::tick).unwrap_or_default();
                for event in told {
                    self.engine.handle(self.now, Input::Media(event));
                    self.settle();
                }
                continue;
            }
            if play <= engine {
                let at = self.plays.iter().position(|(at, _, _)| *at == play).unwrap();
                let (_, leg, play) = self.plays.remove(at);
                self.engine.handle(self.now, Input::Media(Event::PlayEnded { leg, play, complete: true }));
            } else {
                self.engine.handle_timeout(self.now);
            }
            self.settle();
        }
        self.now = until;
    }

    /// The machine stands still for so long: what fell due meanwhile is all seen to at once.
    pub(crate) fn oversleep(&mut self, span: Duration) {
        self.now = self.now + span;
        self.engine.handle_timeout(self.now);
        self.settle();
    }

    /// A phone sends a message.
    pub(crate) fn send(&mut self, from: SocketAddr, text: &str) {
        self.input(Input::Sip { flow: flow(from), bytes: text.as_bytes().to_vec() });
    }

    /// The next message to this phone; `nothing` if there is none.
    pub(crate) fn next(&mut self, phone: SocketAddr) -> String {
        let next = self.inboxes.entry(phone).or_default().pop_front();
        next.unwrap_or_else(|| "nothing".to_owned())
    }

    /// The next message to this phone that begins so; those before it are passed over.
    pub(crate) fn expect(&mut self, phone: SocketAddr, begins: &str) -> String {
        let mut passed = Vec::new();
        while let Some(text) = self.inboxes.entry(phone).or_default().pop_front() {
            if text.starts_with(begins) {
                return text;
            }
            passed.push(text.lines().next().unwrap_or("").to_owned());
        }
        panic!("{phone} waits for `{begins}`, but there was only {passed:?}; facts: {:#?}", self.kinds());
    }

    pub(crate) fn kinds(&self) -> Vec<&FactKind> {
        self.facts.iter().map(|fact| &fact.kind).collect()
    }

    /// The first fact of which `pick` makes something.
    pub(crate) fn fact<T>(&self, pick: impl FnMut(&FactKind) -> Option<T>) -> T {
        let found = self.facts.iter().map(|fact| &fact.kind).find_map(pick);
        found.unwrap_or_else(|| panic!("there is no such fact in {:#?}", self.kinds()))
    }

    pub(crate) fn count(&self, pick: impl Fn(&FactKind) -> bool) -> usize {
        self.facts.iter().filter(|fact| pick(&fact.kind)).count()
    }

    /// The ends of calls: by whom and why.
    pub(crate) fn call_ends(&self) -> Vec<facts::End> {
        let ends = self.facts.iter().filter_map(|fact| match &fact.kind {
            FactKind::CallEnded { end, .. } => Some(end.clone()),
            _ => None,
        });
        ends.collect()
    }

    /// A caller's key, by RTP.
    pub(crate) fn press(&mut self, leg: u64, digit: char) {
        if let Some(hall) = &mut self.hall {
            hall.press(LegId(leg), digit);
            return self.wait(Duration::from_millis(400));
        }
        let held = Duration::from_millis(40);
        self.input(Input::Media(Event::Digit { leg: LegId(leg), digit, held, by: KeysBy::Events }));
    }

    /// After all timers nothing is left, the log is whole, and its fold is the engine's state.
    pub(crate) fn assert_all_is_over(&mut self) {
        self.wait(Duration::from_secs(90));
        assert_eq!(self.engine.calls(), 0);
        assert!(self.engine.is_idle(), "something is left in the engine");
        assert!(self.open.is_empty(), "legs are still open in media: {:?}", self.open);
        let mut fold = journal::fold::SnapshotFold::default();
        for (before, fact) in (0..).zip(&self.facts) {
            assert_eq!(fact.number, self.facts[0].number + before);
            fold.apply(fact);
        }
        assert_eq!(*fold.snapshot(), self.engine.snapshot());
    }

    fn branch(&mut self) -> String {
        self.branches += 1;
        format!("z9hG4bK{}", self.branches)
    }
}

/// One dialog of a phone that is led by hand.
pub(crate) struct Line {
    pub(crate) phone: SocketAddr,
    call_id: String,
    local: String,
    remote: String,
    target: String,
    cseq: u32,
    branch: String,
}

pub(crate) const SENDRECV: &str = "sendrecv";

pub(crate) fn sdp(phone: SocketAddr, direction: &str) -> String {
    let (ip, family) = (phone.ip(), if phone.is_ipv4() { "IP4" } else { "IP6" });
    format!(
        "v=0\r\no=- 1 1 IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 101\r\n\
         a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
    )
}

/// The same of a phone that knows no keys by RTP.
pub(crate) fn sdp_without_keys(phone: SocketAddr) -> String {
    let sdp = sdp(phone, SENDRECV).replace("RTP/AVP 8 101", "RTP/AVP 8");
    sdp.replace("a=rtpmap:101 telephone-event/8000\r\n", "")
}

/// An address as it stands in a URI.
fn host(phone: SocketAddr) -> String {
    if phone.is_ipv4() { phone.ip().to_string() } else { format!("[{}]", phone.ip()) }
}

pub(crate) fn header<'a>(text: &'a str, name: &str) -> &'a str {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    value.unwrap_or_else(|| panic!("no {name} in {text}"))
}

impl Line {
    /// A caller dials.
    pub(crate) fn dial(stage: &mut Stage, phone: SocketAddr, dialled: &str, body: &str) -> Line {
        Line::dial_from(stage, ("caller", phone), dialled, body)
    }

    /// The same, of somebody who has this number, or says so.
    pub(crate) fn dial_from(
        stage: &mut Stage,
        (number, phone): (&str, SocketAddr),
        dialled: &str,
        body: &str,
    ) -> Line {
        let at = if dialled.contains('@') { "" } else { "@10.0.0.1" };
        let mut line = Line {
            phone,
            call_id: format!("call-{dialled}-{}@{}", stage.branch(), phone.ip()),
            local: format!("<sip:{number}@{}>;tag=mine", host(phone)),
            remote: format!("<sip:{dialled}{at}>"),
            target: format!("sip:{dialled}{at}"),
            cseq: 0,
            branch: String::new(),
        };
        line.request(stage, "INVITE", body);
        line
    }

    /// An agent dials, and proves who they are.
    pub(crate) fn dial_as(stage: &mut Stage, user: &str, phone: SocketAddr, dialled: &str) -> Line {
        Line::dial_with(stage, user, phone, dialled, "")
    }

    /// The same, with more header fields.
    pub(crate) fn dial_with(
        stage: &mut Stage,
        user: &str,
        phone: SocketAddr,
        dialled: &str,
        more: &str,
    ) -> Line {
        Line::ask_as(stage, (user, phone), ("INVITE", dialled), (more, &sdp(phone, SENDRECV)))
    }

    /// An agent sends a text, and proves who they are.
    pub(crate) fn writes(stage: &mut Stage, user: &str, phone: SocketAddr, to: &str, text: &str) -> Line {
        Line::ask_as(stage, (user, phone), ("MESSAGE", to), ("", text))
    }

    /// An agent begins a dialog, or asks something outside of one, and proves who they are. Whom: a user of ours, or a
    /// URI's user, host and parameters.
    pub(crate) fn ask_as(
        stage: &mut Stage,
        (user, phone): (&str, SocketAddr),
        (method, to): (&str, &str),
        (more, body): (&str, &str),
    ) -> Line {
        let at = if to.contains('@') { "" } else { "@10.0.0.1" };
        let mut line = Line {
            phone,
            call_id: format!("{user}-{to}-{}", stage.branch()),
            local: format!("<sip:{user}@10.0.0.1>;tag=mine"),
            remote: format!("<sip:{to}{at}>"),
            target: format!("sip:{to}{at}"),
            cseq: 0,
            branch: String::new(),
        };
        line.request_with(stage, method, more, body);
        let refusal = stage.expect(phone, "SIP/2.0 401");
        if method == "INVITE" {
            line.write(stage, "ACK", "", "");
        }
        let proof = proof(&refusal, user, method, &line.target.clone());
        line.request_with(stage, method, &format!("{proof}{more}"), body);
        line
    }

    /// How this dialog is named in the Refer-To of an attended transfer.
    pub(crate) fn as_replaces(&self) -> String {
        let tag = |side: &str| side.split(";tag=").nth(1).unwrap().to_owned();
        let call_id = self.call_id.replace('@', "%40");
        format!("Replaces={call_id}%3Bto-tag%3D{}%3Bfrom-tag%3D{}", tag(&self.remote), tag(&self.local))
    }

    /// The same as a header field of an INVITE.
    pub(crate) fn in_replaces(&self) -> String {
        let name = self.as_replaces().replace("%3B", ";").replace("%3D", "=").replace("%40", "@");
        name.replacen("Replaces=", "Replaces: ", 1) + "\r\n"
    }

    /// Takes the other side's tag from a provisional answer.
    pub(crate) fn follows(&mut self, answer: &str) {
        self.remote = header(answer, "To").to_owned();
    }

    /// A phone that was called counts its own requests from a number of its own.
    pub(crate) fn starts_counting(&mut self) {
        self.cseq = 100;
    }

    /// Asks for a transfer to this URI, and takes the answer.
    pub(crate) fn refer(&mut self, stage: &mut Stage, to: &str) -> String {
        self.request_with(stage, "REFER", &format!("Refer-To: <{to}>\r\n"), "");
        loop {
            let answer = stage.expect(self.phone, "SIP/2.0");
            if header(&answer, "CSeq").ends_with("REFER") {
                return answer.lines().next().unwrap_or("").to_owned();
            }
        }
    }

    /// The status that the next NOTIFY tells; it is taken with 200.
    pub(crate) fn told(&self, stage: &mut Stage) -> String {
        let notify = stage.expect(self.phone, "NOTIFY");
        self.answer(stage, &notify, "200 OK", "");
        notify.split("\r\n\r\n").nth(1).unwrap().trim().to_owned()
    }

    /// A phone is called: waits for the INVITE and takes its dialog up.
    pub(crate) fn called(stage: &mut Stage, phone: SocketAddr) -> (Line, String) {
        let invite = stage.expect(phone, "INVITE");
        (Line::called_by(&invite, phone), invite)
    }

    /// The dialog that an INVITE to this phone begins.
    pub(crate) fn called_by(invite: &str, phone: SocketAddr) -> Line {
        let contact = header(invite, "Contact");
        Line {
            phone,
            call_id: header(invite, "Call-ID").to_owned(),
            local: format!("{};tag=theirs", header(invite, "To")),
            remote: header(invite, "From").to_owned(),
            target: contact.split(['<', '>']).nth(1).unwrap().to_owned(),
            cseq: 0,
            branch: String::new(),
        }
    }

    pub(crate) fn request(&mut self, stage: &mut Stage, method: &str, body: &str) {
        self.request_with(stage, method, "", body);
    }

    /// A request with more header fields.
    pub(crate) fn request_with(&mut self, stage: &mut Stage, method: &str, more: &str, body: &str) {
        self.cseq += 1;
        self.branch = stage.branch();
        self.write(stage, method, more, body);
    }

    /// CANCEL and ACK carry the number of what they are about.
    pub(crate) fn cancel(&self, stage: &mut Stage) {
        self.write(stage, "CANCEL", "", "");
    }

    pub(crate) fn ack(&mut self, stage: &mut Stage, body: &str) {
        self.branch = stage.branch();
        self.write(stage, "ACK", "", body);
    }

    fn write(&self, stage: &mut Stage, method: &str, more: &str, body: &str) {
        let kind = match (body, method) {
            ("", _) => "",
            (_, "MESSAGE") => "Content-Type: text/plain\r\n",
            (_, "NOTIFY") => "Content-Type: message/sipfrag\r\n",
            (_, "INFO") => "Content-Type: application/dtmf-relay\r\n",
            _ => "Content-Type: application/sdp\r\n",
        };
        let text = format!(
            "{method} {} SIP/2.0\r\nVia: SIP/2.0/UDP {};rport;branch={}\r\nMax-Forwards: 70\r\nFrom: {}\r\n\
             To: {}\r\nCall-ID: {}\r\nCSeq: {} {method}\r\nContact: <sip:me@{}>\r\n{more}{kind}Content-Length: {}\r\n\r\n{body}",
            self.target,
            self.phone,
            self.branch,
            self.local,
            self.remote,
            self.call_id,
            self.cseq,
            self.phone,
            body.len(),
        );
        stage.send(self.phone, &text);
    }

    /// Waits for 200 to the INVITE, takes up the dialog, acknowledges.
    pub(crate) fn connect(&mut self, stage: &mut Stage) -> String {
        let ok = self.accepted(stage);
        self.ack(stage, "");
        ok
    }

    pub(crate) fn accepted(&mut self, stage: &mut Stage) -> String {
        let ok = stage.expect(self.phone, "SIP/2.0 200");
        assert!(header(&ok, "CSeq").ends_with("INVITE"), "{ok}");
        self.remote = header(&ok, "To").to_owned();
        self.target = header(&ok, "Contact").split(['<', '>']).nth(1).unwrap().to_owned();
        ok
    }

    /// Answers a request.
    pub(crate) fn answer(&self, stage: &mut Stage, request: &str, status: &str, body: &str) {
        let to = header(request, "To");
        let tag = if to.contains(";tag=") { "" } else { ";tag=theirs" };
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let text = format!(
            "SIP/2.0 {status}\r\nVia: {}\r\nFrom: {}\r\nTo: {to}{tag}\r\nCall-ID: {}\r\nCSeq: {}\r\n\
             Contact: <sip:me@{}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            header(request, "Via"),
            header(request, "From"),
            header(request, "Call-ID"),
            header(request, "CSeq"),
            self.phone,
            body.len(),
        );
        stage.send(self.phone, &text);
    }
}

/// Registers an agent's phone by digest (MD5, without qop: the oldest phones' way is tested elsewhere).
pub(crate) fn register(stage: &mut Stage, user: &str, phone: SocketAddr) {
    let ok = register_with(stage, user, phone, (&format!("register-{user}"), ""), "");
    assert!(ok.starts_with("SIP/2.0 200"), "{ok}");
}

/// The same with this Call-ID, these parameters of Contact, and more header fields. Gives the answer.
pub(crate) fn register_with(
    stage: &mut Stage,
    user: &str,
    phone: SocketAddr,
    (call_id, params): (&str, &str),
    other: &str,
) -> String {
    let request = |stage: &mut Stage, number: u32, more: &str| {
        let branch = stage.branch();
        let text = format!(
            "REGISTER sip:10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {phone};rport;branch={branch}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{user}@10.0.0.1>;tag=r\r\nTo: <sip:{user}@10.0.0.1>\r\n\
             Call-ID: {call_id}\r\nCSeq: {number} REGISTER\r\nContact: <sip:{user}@{phone}>{params}\r\n\
             Expires: 3600\r\n{other}{more}Content-Length: 0\r\n\r\n"
        );
        stage.send(phone, &text);
    };
    let number = 2 * stage.branches + 1;
    request(stage, number, "");
    let refusal = stage.expect(phone, "SIP/2.0 401");
    let proof = proof(&refusal, user, "REGISTER", "sip:10.0.0.1");
    request(stage, number + 1, &proof);
    stage.expect(phone, "SIP/2.0")
}

/// The answer to a challenge.
fn proof(refusal: &str, user: &str, method: &str, uri: &str) -> String {
    let nonce = header(refusal, "WWW-Authenticate").split("nonce=\"").nth(1).unwrap();
    let nonce = nonce.split('"').next().unwrap();
    let secret = md5(&format!("{user}:stage:pw"));
    let asked = md5(&format!("{method}:{uri}"));
    let response = md5(&format!("{secret}:{nonce}:00000001:c:auth:{asked}"));
    format!(
        "Authorization: Digest username=\"{user}\", realm=\"stage\", nonce=\"{nonce}\", uri=\"{uri}\", \
         response=\"{response}\", algorithm=MD5, cnonce=\"c\", qop=auth, nc=00000001\r\n"
    )
}

fn md5(text: &str) -> String {
    use md5::Digest;
    md5::Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Lets half seconds go by until there is such a fact.
pub(crate) fn until(stage: &mut Stage, what: &str, found: impl Fn(&FactKind) -> bool) {
    let from = stage.facts.len();
    for _ in 0..400 {
        if stage.facts.iter().skip(from).any(|fact| found(&fact.kind)) {
            return;
        }
        stage.wait(Duration::from_millis(500));
    }
    panic!("{what} never came in {:#?}", stage.kinds());
}

pub(crate) fn entered(node: &'static str) -> impl Fn(&FactKind) -> bool {
    move |kind| matches!(kind, FactKind::IvrEntered { node: found, .. } if found == node)
}

/// A caller dials the desk and walks the menu to the queue, in Italian. The caller's media leg is `leg`.
pub(crate) fn caller_in_queue(stage: &mut Stage, phone: SocketAddr, leg: u64) -> Line {
    let mut caller = Line::dial(stage, phone, "demo", &sdp(phone, SENDRECV));
    caller.connect(stage);
    chooses_queue(stage, leg);
    caller
}

/// A caller who hears the first menu presses the keys that lead to the queue.
pub(crate) fn chooses_queue(stage: &mut Stage, leg: u64) {
    until(stage, "the menu of languages", entered("language"));
    stage.press(leg, '1');
    until(stage, "the menu of topics", entered("topic"));
    stage.press(leg, '0');
    until(stage, "the queue", |kind| matches!(kind, FactKind::QueueEntered { .. }));
}

/// The agent's phone rings and answers: the caller and the agent talk.
pub(crate) fn agent_answers(stage: &mut Stage, phone: SocketAddr) -> Line {
    let (mut agent, invite) = Line::called(stage, phone);
    agent.answer(stage, &invite, "180 Ringing", "");
    agent.answer(stage, &invite, "200 OK", &sdp(phone, SENDRECV));
    stage.expect(phone, "ACK");
    agent.cseq = 100;
    agent
}
