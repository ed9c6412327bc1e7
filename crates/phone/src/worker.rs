use crate::calls::{Calls, Target};
use crate::phone::IncomingCall;
use crate::voice::Voice;
use crate::{Line, PhoneConfig, PhoneError};
use ipnet::IpNet;
use net::{Clock, PortPairs, SipInbox, SipInput, SipLimits, SipSetup, SipSockets, Tls, TlsFiles};
use sip::ua::{Account, Config, Do, Event, Flow, Input, Limits, Output, Registration, SessionId};
use sip::ua::{Timers, UserAgent};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior};

/// How often the phone's media has its turn: two turns a packet.
const TICK: Duration = Duration::from_millis(10);
/// How long a closing phone waits for its calls to end.
const CLOSING_MAX: Duration = Duration::from_secs(2);
/// How long it stays for the registrar's challenge of what takes the registration back. Nothing tells that
/// it was taken back; if it was not, it runs out by itself.
const UNREGISTERING: Duration = Duration::from_millis(500);
/// What is asked of the registrar.
const EXPIRES: Duration = Duration::from_secs(600);
/// The name of the phone's only registration.
const REGISTRATION: &str = "phone";
/// Calls at a time: one spoken, one on hold, and some that ring.
const CALLS: usize = 8;

/// What the phone's owner wants.
#[derive(Debug)]
pub(crate) enum Order {
    Register { reply: Reply<()> },
    Dial { dial: String, reply: Reply<crate::Call> },
    Act { session: SessionId, act: Act },
    Close { reply: Reply<()> },
}

/// What is to be done with one call.
#[derive(Debug)]
pub(crate) enum Act {
    Answer { reply: Reply<()> },
    Reject { status: u16 },
    HangUp,
    Hold { hold: bool, reply: Reply<()> },
    Digits(String),
    Play { clip: Arc<[i16]>, repeat: bool },
    Stop,
    Join { reply: Reply<Line> },
}

pub(crate) type Reply<T> = oneshot::Sender<Result<T, PhoneError>>;

/// The one owner of a phone's state.
pub(crate) struct Worker {
    config: PhoneConfig,
    clock: Clock,
    sockets: SipSockets,
    sip_inputs: SipInbox,
    orders: mpsc::Receiver<Order>,
    incoming: mpsc::Sender<IncomingCall>,
    ua: UserAgent,
    calls: Calls,
    address: SocketAddr,
    registering: Option<Reply<()>>,
    registered: bool,
    closing: Option<Closing>,
}

struct Closing {
    until: Instant,
    unregistered: Instant,
    reply: Option<Reply<()>>,
}

impl Worker {
    pub(crate) fn new(
        config: PhoneConfig,
        own_orders: mpsc::WeakSender<Order>,
        orders: mpsc::Receiver<Order>,
        incoming: mpsc::Sender<IncomingCall>,
    ) -> Result<Worker, PhoneError> {
        let system = |error: std::io::Error| PhoneError::System(error.to_string());
        let clock = Clock::start();
        let seed = config.seed.map_or_else(net::root_seed, Ok).map_err(system)?;
        let listen = [(config.transport, SocketAddr::new(config.bind, config.port))];
        let limits = SipLimits { connections: 32, inputs: 256, ..SipLimits::default() };
        let setup = SipSetup { limits, tls: tls(&config)?, streams: None };
        let (sockets, sip_inputs) = SipSockets::bind(&listen, setup).map_err(system)?;
        if let Some((server, domain)) = config.server.zip(config.domain.as_deref()) {
            sockets.expect(server, domain);
        }
        let address = sockets.bound().first().map_or(listen[0].1, |(_, address)| *address);
        let ua = UserAgent::new(ua_config(&config, &sockets), seed.named("phone.sip"), clock.now());
        let ports = PortPairs::new(config.bind, config.media_ports.clone(), seed.named("phone.ports"));
        let voice = Voice::new(clock, ports, seed);
        let calls =
            Calls::new(voice, clock, own_orders, config.codecs.clone(), seed.named("phone.sdp").rng());
        Ok(Worker {
            config,
            clock,
            sockets,
            sip_inputs,
            orders,
            incoming,
            ua,
            calls,
            address,
            registering: None,
            registered: false,
            closing: None,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) async fn run(mut self) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        while !self.is_done() {
            let due = self.due();
            tokio::select! {
                Some(input) = self.sip_inputs.recv() => self.sip_input(input),
                order = self.orders.recv(), if self.closing.is_none() => match order {
                    Some(order) => self.order(order),
                    None => self.close(None),
                },
                () = tokio::time::sleep_until(due) => self.ua.handle_timeout(self.clock.now()),
                _ = ticks.tick(), if self.calls.need_turns() => self.calls.turn(),
            }
            self.drain();
        }
        if let Some(Closing { reply: Some(reply), .. }) = self.closing.take() {
            let _ = reply.send(Ok(()));
        }
    }

    fn due(&self) -> Instant {
        let far = Instant::now() + Duration::from_secs(3600);
        let due = self.ua.poll_timeout().map_or(far, |(time, _)| Instant::from_std(self.clock.instant(time)));
        self.closing.as_ref().map_or(due, |closing| due.min(closing.until).min(closing.unregistered))
    }

    fn is_done(&self) -> bool {
        let Some(closing) = &self.closing else { return false };
        let now = Instant::now();
        now >= closing.until || (self.calls.is_empty() && now >= closing.unregistered)
    }

    fn sip_input(&mut self, input: SipInput) {
        let input = match input {
            SipInput::Received { flow, bytes } => Input::Received { flow, bytes },
            SipInput::FlowFailed { flow } => Input::FlowFailed { flow },
            SipInput::TooLarge { bytes, .. } => Input::TooLarge { bytes },
        };
        self.ua.handle(self.clock.now(), input);
    }

    fn order(&mut self, order: Order) {
        match order {
            Order::Register { reply } => self.register(reply),
            Order::Dial { dial, reply } => {
                let call = self.dial(&dial);
                // Nobody waits any more: the call is theirs who hold its handle, so it ends.
                if let Err(Ok(call)) = reply.send(call) {
                    self.calls.act(&mut self.ua, call.session, Act::HangUp);
                }
            }
            Order::Act { session, act } => self.calls.act(&mut self.ua, session, act),
            Order::Close { reply } => self.close(Some(reply)),
        }
    }

    fn register(&mut self, reply: Reply<()>) {
        let server =
            self.config.server.and_then(|server| self.sockets.flow_to(self.config.transport, server));
        let (Some(flow), Some(account)) = (server, self.account()) else {
            let _ = reply.send(Err(PhoneError::NoCredentials));
            return;
        };
        self.registering = Some(reply);
        let registration = Registration {
            name: REGISTRATION.to_owned(),
            towards: flow.into(),
            domain: self.config.domain(),
            account,
            expires: EXPIRES,
        };
        self.ua.handle(self.clock.now(), Input::Do(Do::Register { registration }));
    }

    fn dial(&mut self, dial: &str) -> Result<crate::Call, PhoneError> {
        let target = Target {
            flow: self.flow_for(dial)?,
            uri: if sip::uri::Uri::has_scheme(dial) {
                dial.to_owned()
            } else {
                format!("sip:{dial}@{}", self.config.domain())
            },
            from_user: self.config.user.clone(),
            from_display: self.config.display.clone(),
            credentials: self.account(),
        };
        self.calls.dial(&mut self.ua, target)
    }

    fn flow_for(&self, dial: &str) -> Result<Flow, PhoneError> {
        let no_server = || PhoneError::NoServer(dial.to_owned());
        let remote = match self.config.server {
            Some(server) => server,
            None => address_in(dial).ok_or_else(no_server)?,
        };
        self.sockets.flow_to(self.config.transport, remote).ok_or_else(no_server)
    }

    fn account(&self) -> Option<Account> {
        let password = self.config.password.clone()?;
        Some(Account { user: self.config.user.clone(), password })
    }

    fn close(&mut self, reply: Option<Reply<()>>) {
        let now = Instant::now();
        let unregistered = if self.registered { now + UNREGISTERING } else { now };
        self.closing = Some(Closing { until: now + CLOSING_MAX, unregistered, reply });
        self.calls.hang_up_all(&mut self.ua);
        if self.registered {
            let name = REGISTRATION.to_owned();
            self.ua.handle(self.clock.now(), Input::Do(Do::Unregister { name }));
        }
    }

    fn drain(&mut self) {
        loop {
            while let Some(output) = self.ua.poll_output() {
                match output {
                    Output::Send { flow, bytes } => self.sockets.send(flow, bytes),
                    // A phone calls addresses: its server is one.
                    Output::Resolve { .. } | Output::Expect { .. } => {}
                    Output::Event(event) => self.sip_event(event),
                    Output::Door(change) => self.sockets.apply(&change),
                }
            }
            if !self.calls.drain_voice() {
                return;
            }
        }
    }

    fn sip_event(&mut self, event: Event) {
        match event {
            Event::RegistrationUp { .. } => {
                self.registered = true;
                self.registration_answered(Ok(()));
            }
            Event::RegistrationDown { refused, status, .. } => {
                self.registered = false;
                self.registration_answered(Err(match refused {
                    true => PhoneError::RegistrationRefused(status),
                    false => PhoneError::RegistrarAway(status),
                }));
            }
            Event::Incoming { session, invite } => self.incoming_call(session, *invite),
            event => self.calls.sip_event(&mut self.ua, event),
        }
    }

    fn registration_answered(&mut self, answer: Result<(), PhoneError>) {
        if let Some(reply) = self.registering.take() {
            let _ = reply.send(answer);
        }
    }

    fn incoming_call(&mut self, session: SessionId, invite: sip::ua::Invite) {
        let shown = invite.identity.shown().cloned();
        let from_display = shown.as_ref().and_then(|party| party.display.clone());
        let from = shown.map_or_else(|| "anonymous".to_owned(), |party| party.user);
        let dialled = invite.dialled.clone();
        let Some(call) = self.calls.ring(&mut self.ua, session, invite) else { return };
        let incoming = IncomingCall { from, from_display, dialled, call };
        if self.incoming.try_send(incoming).is_err() {
            self.calls.act(&mut self.ua, session, Act::Reject { status: 486 });
        }
    }
}

fn address_in(dial: &str) -> Option<SocketAddr> {
    let uri = sip::uri::Uri::parse(dial).ok()?;
    Some(SocketAddr::new(uri.host()?.ip()?, uri.port().unwrap_or(5060)))
}

fn tls(config: &PhoneConfig) -> Result<Tls, PhoneError> {
    if !config.transport.is_secure() {
        return Ok(Tls::default());
    }
    let files = TlsFiles { ca: config.ca.clone(), ..TlsFiles::default() };
    Tls::read(&files).map_err(|fault| PhoneError::System(fault.to_string()))
}

fn ua_config(config: &PhoneConfig, sockets: &SipSockets) -> Config {
    let anyone = || {
        let any = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
        any.into_iter().filter_map(|ip| IpNet::new(ip, 0).ok()).collect()
    };
    Config {
        listen: sockets.bound().to_vec(),
        public_address: None,
        local_nets: Vec::new(),
        realm: config.domain(),
        digest: vec![sip::digest::Algorithm::Sha256, sip::digest::Algorithm::Md5],
        product: concat!("Cornetta-phone/", env!("CARGO_PKG_VERSION")).to_owned(),
        accounts: Vec::new(),
        trunks: Vec::new(),
        open_to: config.server.map_or_else(anyone, |server| vec![IpNet::from(server.ip())]),
        guard: sip::guard::GuardConfig::default(),
        extensions: sip::ua::Extensions::default(),
        timers: Timers::default(),
        limits: Limits { transactions: 256, sessions: CALLS, contacts: 0, nonces: 16, ..Limits::default() },
    }
}
