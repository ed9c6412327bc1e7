//! What every transaction user shares: the configuration, the transactions, the outputs and the chance;
//! and how our requests and answers get their Via, Contact and way.

use super::devices::Devices;
use super::ways::Ways;
use super::{Config, Event, Flow, Output, Peer, SessionId, Transport, Trunk};
use crate::gruu::{self, Device, Gruu};
use crate::guard::{Guard, Notice, Standing};
use crate::message::{Message, ParseLimits, Rport};
use crate::registrar::Registrar;
use crate::transaction::{DATAGRAM_MAX, Instead, Table, TransactionId, User, with_via};
use crate::uri::Uri;
use crate::write::{Writer, respond};
use base::{Rng, Seed, Time};
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The methods that we have an answer for (RFC 3261 §20.5).
pub(crate) const ALLOW: &str =
    "INVITE, ACK, CANCEL, BYE, PRACK, UPDATE, INFO, OPTIONS, REGISTER, REFER, NOTIFY, SUBSCRIBE, MESSAGE";
/// The event packages that we have something to tell of (RFC 6665 §8.2.2).
pub(crate) const ALLOW_EVENTS: &str = "refer, dialog, message-summary";
/// The option tags that we understand (RFC 3261 §20.37): what a peer may require of us.
pub(crate) const SUPPORTED: &str = "100rel, timer, replaces, norefersub, path, gruu, outbound";
/// The bodies that we read.
pub(crate) const ACCEPT: &str = "application/sdp, multipart/mixed, application/dtmf-relay, application/dtmf";

/// The common ground of sessions, registrar and registrations.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) config: Config,
    pub(crate) transactions: Table,
    pub(crate) out: VecDeque<Output>,
    pub(crate) rng: Rng,
    pub(crate) guard: Guard,
    pub(crate) devices: Devices,
    pub(crate) registrar: Registrar,
    pub(crate) ways: Ways,
    tags: Seed,
}

impl Wire {
    pub(crate) fn new(config: Config, seed: Seed, now: Time) -> Wire {
        let transactions =
            Table::new(config.limits.transactions, config.timers, seed.named("sip.transactions"));
        let (rng, tags) = (seed.named("sip.tokens").rng(), seed.named("sip.tags"));
        let accounts = config.accounts.iter().map(|account| account.user.clone());
        let guard = Guard::new(config.guard.clone(), config.known_nets(), accounts);
        let (ways, devices) = (Ways::new(&config, seed, now), Devices::default());
        let registrar = Registrar::new(config.limits.contacts, seed.named("sip.gruus"));
        Wire { config, transactions, out: VecDeque::new(), rng, guard, devices, registrar, ways, tags }
    }

    /// The limits that a message of somebody of this standing is read with.
    pub(crate) fn parse_limits(&self, standing: Standing) -> ParseLimits {
        let limits = &self.config.limits;
        let headers = match standing {
            Standing::Known => limits.headers,
            Standing::Stranger | Standing::Suspected | Standing::Banned => {
                limits.headers.min(self.guard.headers_max())
            }
        };
        ParseLimits { message: limits.message, headers, ..ParseLimits::default() }
    }

    /// Whether nothing is known of this address.
    pub(crate) fn is_stranger(&self, address: SocketAddr) -> bool {
        self.guard.standing(address.ip()) != Standing::Known
    }

    /// The trunk that a request came by.
    pub(crate) fn trunk_of(&self, peer: &Peer) -> Option<&Trunk> {
        let Peer::Trunk(name) = peer else { return None };
        self.config.trunk(name)
    }

    /// The trunk that is at the other end of a way.
    pub(crate) fn trunk_at(&self, flow: Flow) -> Option<&Trunk> {
        let mut trunks = self.config.trunks.iter();
        trunks.find(|trunk| self.ways.is_of(trunk, flow))
    }

    /// The device that a Contact by this flow names by a GRUU of ours, if that account has a device there.
    pub(crate) fn device_of(&self, contact: &str, flow: Flow) -> Option<Device> {
        let uri = Uri::parse(contact).ok().filter(|uri| gruu::is_of(uri, &self.config.realm))?;
        let device = self.registrar.device(&Gruu::of(&uri)?)?;
        self.registrar.is_at(&device.user, flow).then_some(device)
    }

    pub(crate) fn tell(&mut self, event: Event) {
        if let Event::Registered { contact, .. } = &event {
            self.devices.registered(contact);
        }
        self.out.push_back(Output::Event(event));
    }

    /// Somebody was refused by a rule.
    pub(crate) fn block(&mut self, source: SocketAddr, rule: &'static str) {
        self.tell(Event::Blocked { source, rule });
    }

    /// Hands on what the guard has to say.
    pub(crate) fn tell_of_guard(&mut self) {
        while let Some(notice) = self.guard.poll_output() {
            self.out.push_back(match notice {
                Notice::Door(change) => Output::Door(change),
                Notice::Banned(ban) => Output::Event(Event::Banned { ban }),
                Notice::Unbanned { source, why } => Output::Event(Event::Unbanned { source, why }),
            });
        }
    }

    pub(crate) fn send(&mut self, flow: Flow, bytes: Vec<u8>) {
        self.out.push_back(Output::Send { flow, bytes });
    }

    /// A branch that no other transaction has (RFC 3261 §8.1.1.7).
    pub(crate) fn branch(&mut self) -> String {
        format!("z9hG4bK{}", self.rng.token(16))
    }

    /// The Call-ID of a call that is made with `session`. It is known before the call is made, so that the log
    /// can name it.
    pub(crate) fn call_id(&self, session: SessionId) -> String {
        self.tags.named("call-id").numbered(session.number()).rng().token(24)
    }

    /// The address that a peer at the other end of `flow` reaches us at. An unspecified address is never
    /// written: whoever gets one would call himself.
    pub(crate) fn address(&self, flow: Flow) -> String {
        let port = flow.local.port();
        let remote = flow.remote.ip().to_canonical();
        let near = self.config.local_nets.iter().any(|net| net.contains(&remote));
        let own = flow.local.ip().to_canonical();
        // Who speaks the other family of addresses could not answer to it.
        let public = self.config.public_address.filter(|public| public.is_ipv4() == remote.is_ipv4());
        let ip = match public {
            Some(public) if !near && !remote.is_loopback() => Some(public),
            _ if !own.is_unspecified() => Some(own),
            _ if remote.is_loopback() && remote.is_ipv4() => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            _ if remote.is_loopback() => Some(IpAddr::V6(Ipv6Addr::LOCALHOST)),
            _ => self.specified(flow.transport, remote.is_ipv4()).or(public),
        };
        match ip {
            Some(ip) => SocketAddr::new(ip, port).to_string(),
            // RFC 2606 keeps this name for nobody: answers come back by `received`.
            None => format!("unknown.invalid:{port}"),
        }
    }

    /// The Via of a request that goes by `flow`.
    pub(crate) fn via(&self, flow: Flow, branch: &str) -> String {
        let transport = flow.transport.via_name();
        // We listen at that port, so requests to it may come by this connection (RFC 5923 §7.1).
        let alias = if matches!(flow.transport, Transport::Tcp | Transport::Tls) { ";alias" } else { "" };
        format!("SIP/2.0/{transport} {};branch={branch};rport{alias}", self.address(flow))
    }

    /// Our Contact towards the peer at the other end of `flow`.
    pub(crate) fn contact(&self, flow: Flow, user: &str) -> String {
        self.contact_by("sip", flow, user)
    }

    /// The same, for those who must reach us by nothing but TLS.
    pub(crate) fn secure_contact(&self, flow: Flow, user: &str) -> String {
        self.contact_by("sips", flow, user)
    }

    fn contact_by(&self, scheme: &str, flow: Flow, user: &str) -> String {
        let transport = match flow.transport {
            Transport::Udp => "",
            // RFC 3261 §26.2.2: in a SIPS URI, the parameter names what TLS runs over.
            Transport::Tls if scheme == "sips" => "",
            Transport::Tcp => ";transport=tcp",
            Transport::Tls => ";transport=tls",
            // RFC 7118 §5.3: the parameter says `ws` for both.
            Transport::Ws | Transport::Wss => ";transport=ws",
        };
        let at = if user.is_empty() { "" } else { "@" };
        format!("<{scheme}:{}{at}{}{transport}>", escaped_user(user), self.address(flow))
    }

    /// Sends a request through the transaction table. Nothing if that is full.
    pub(crate) fn request(
        &mut self,
        now: Time,
        flow: Flow,
        user: User,
        branch: &str,
        writer: Writer,
    ) -> Option<TransactionId> {
        // Where the configuration sends us may answer; where a peer's Contact sends us is anywhere.
        if matches!(user, User::Registration(_) | User::Probe(_)) {
            self.guard.acquaint(now, flow.remote.ip());
        }
        let bytes = writer.header("User-Agent", &self.config.product).finish();
        let Some(by_tcp) = self.instead_of_datagram(now, flow, branch, &bytes) else {
            return self.transactions.request(now, flow, bytes, branch, user, &mut self.out);
        };
        let instead = Instead { flow, via: self.via(flow, branch).into() };
        self.transactions.request_by_tcp(now, by_tcp, instead, branch, user, &mut self.out)
    }

    /// The way by TCP, and the request for it, if it is too large for a datagram (RFC 3261 §18.1.1). Not to
    /// registered devices: they are reached by the flow that they registered by, and by no other.
    fn instead_of_datagram(
        &self,
        now: Time,
        flow: Flow,
        branch: &str,
        bytes: &[u8],
    ) -> Option<(Flow, Vec<u8>)> {
        let is_large = flow.transport == Transport::Udp && bytes.len() > DATAGRAM_MAX;
        if !is_large || self.devices.knows(flow) || !self.transactions.takes_tcp(now, flow.remote) {
            return None;
        }
        let tcp = self.config.listen.iter().find(|(transport, local)| {
            *transport == Transport::Tcp && local.is_ipv4() == flow.local.is_ipv4()
        })?;
        let local = SocketAddr::new(flow.local.ip(), tcp.1.port());
        let flow = Flow { transport: Transport::Tcp, local, remote: flow.remote };
        Some((flow, with_via(bytes, &self.via(flow, branch))?))
    }

    /// Begins the answer to a request that came by `flow`, with Server in it.
    pub(crate) fn answer(&self, request: &Message, flow: Flow, status: u16, to_tag: &str) -> Writer {
        let to_tag = if status == 100 { None } else { Some(to_tag) };
        respond(request, status, flow.remote, to_tag).header("Server", &self.config.product)
    }

    /// Answers through the request's transaction.
    pub(crate) fn reply(&mut self, now: Time, id: TransactionId, status: u16, writer: Writer) {
        self.transactions.reply(now, id, status, writer.finish(), &mut self.out);
    }

    /// Answers without a transaction, so that a stranger costs no memory (RFC 3261 §8.2.7). Repetitions of
    /// the request get the same tag.
    pub(crate) fn reply_statelessly(&mut self, request: &Message, flow: Flow, writer: Writer) {
        self.send(reply_flow(request, flow), writer.finish());
    }

    /// The To tag of an answer outside of dialogs: the same for the same request.
    pub(crate) fn tag_for(&self, request: &Message) -> String {
        let from = request.from().ok().and_then(|from| from.tag()).unwrap_or("");
        let call_id = request.call_id().unwrap_or("");
        // More of a long Call-ID would only cost time.
        let short = |text: &str| text.chars().take(64).collect::<String>();
        self.tags.named(&short(call_id)).named(&short(from)).rng().token(12)
    }

    fn specified(&self, transport: Transport, v4: bool) -> Option<IpAddr> {
        let mut listened = self.config.listen.iter().filter(|(kind, _)| *kind == transport);
        listened.find_map(|(_, address)| {
            Some(address.ip()).filter(|ip| !ip.is_unspecified() && ip.is_ipv4() == v4)
        })
    }
}

/// Where the answer to a request goes: the same stream; or the source, at its port if it asked for that
/// (RFC 3581 §4), else at the port of its Via (RFC 3261 §18.2.2). `maddr` is not followed: it would let
/// anybody aim our answers at a third party.
pub(crate) fn reply_flow(request: &Message, flow: Flow) -> Flow {
    if flow.transport.is_stream() {
        return flow;
    }
    match request.top_via() {
        Ok(via) if via.rport() == Rport::Absent => {
            Flow { remote: SocketAddr::new(flow.remote.ip(), via.port.unwrap_or(5060)), ..flow }
        }
        _ => flow,
    }
}

/// The user part of a URI, with `%HH` for what may not stand there (RFC 3261 §25.1).
pub fn escaped_user(user: &str) -> String {
    let mut escaped = String::with_capacity(user.len());
    for byte in user.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // A String takes whatever is written into it.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}
