//! A dialog: what two user agents know of each other between an INVITE and a BYE (RFC 3261 §12).

use super::hop::Hop;
use crate::gruu::Device;
use crate::locate::Query;
use crate::message::{HeaderName, Message, Via};
use crate::referral::Replaces;
use crate::transaction::TransactionId;
use crate::ua::wire::{Wire, escaped_user};
use crate::ua::{Call, Flow, MAX_FORWARDS, SessionId, Towards, Transport};
use crate::uri::{Host, Uri};
use crate::write::Writer;
use base::Time;
use std::net::{IpAddr, SocketAddr};

/// The most Record-Route entries that are kept; the whole message is limited too.
const ROUTES_MAX: usize = 32;
/// RFC 3261 §8.1.1.5 wants CSeq below 2^31; a low beginning leaves room for the longest dialog.
const FIRST_CSEQ_BELOW: u64 = 1 << 16;

/// The state of a dialog, early or confirmed.
#[derive(Clone, Debug)]
pub(crate) struct Dialog {
    pub(crate) call_id: Box<str>,
    pub(crate) local_tag: Box<str>,
    /// Nothing until the peer of a call of ours answered.
    pub(crate) remote_tag: Option<Box<str>>,
    /// Our From or To, with the tag.
    local: Box<str>,
    /// The peer's From or To, with its tag if known.
    remote: Box<str>,
    pub(crate) local_cseq: u32,
    /// The highest that the peer used.
    remote_cseq: Option<u32>,
    routes: Vec<Box<str>>,
    remote_target: Box<str>,
    /// The first route, or the target, if its host is a name.
    hop: Option<Hop>,
    /// Whom the peer's Contact names, if that is a GRUU of ours: requests go wherever that device is by then.
    device: Option<Device>,
    /// The user part of our Contact.
    contact_user: Box<str>,
    /// The call is to go by TLS on every hop, so our Contact is a SIPS URI (§8.1.1.8, §12.1.1).
    secure: bool,
    pub(crate) flow: Flow,
    /// Requests go back by `flow` whatever Contact says: the peer is a registered device or behind a NAT.
    symmetric: bool,
}

impl Dialog {
    /// Of a call that we make.
    pub(crate) fn of_call(
        wire: &mut Wire,
        id: SessionId,
        call: &Call,
        flow: Flow,
        symmetric: bool,
    ) -> Dialog {
        let local_tag: Box<str> = wire.rng.token(16).into();
        let domain = from_domain(wire, call, flow);
        let name = match call.from_display.as_deref() {
            Some(name) => format!("\"{}\" ", name.replace('\\', "\\\\").replace('"', "\\\"")),
            None => String::new(),
        };
        let user = escaped_user(&call.from_user);
        let local = format!("{name}<sip:{user}@{domain}>;tag={local_tag}");
        let remote = format!("<{}>", call.to.as_deref().unwrap_or(&call.uri).replace(['<', '>'], ""));
        let routes = wire.service_routes(&call.towards);
        let secure = is_secure(&call.uri) || routes.first().is_some_and(|route| is_secure(route));
        Dialog {
            call_id: wire.call_id(id).into(),
            local_tag,
            remote_tag: None,
            local: local.into(),
            remote: remote.into(),
            local_cseq: wire.rng.below(FIRST_CSEQ_BELOW) as u32,
            remote_cseq: None,
            secure,
            routes,
            remote_target: without_headers(&call.uri).into(),
            hop: None,
            device: None,
            contact_user: call.from_user.as_str().into(),
            flow,
            symmetric: symmetric || flow.transport.is_stream(),
        }
    }

    /// Of an INVITE that came (§12.1.1). Nothing if it has no Contact to answer to, or too many routes.
    pub(crate) fn of_invite(
        wire: &mut Wire,
        invite: &Message,
        flow: Flow,
        symmetric: bool,
    ) -> Option<Dialog> {
        let local_tag: Box<str> = wire.rng.token(16).into();
        let dialled = invite.uri().and_then(|uri| Uri::parse(uri).ok()).and_then(|uri| uri.user_decoded());
        let via = invite.top_via().ok()?;
        let (routes, remote_target) = (routes_of(invite)?, contact_of(invite)?);
        let next = routes.first().unwrap_or(&remote_target);
        let mut dialog = Dialog {
            secure: is_secure(next) || invite.uri().is_some_and(is_secure),
            call_id: invite.call_id().ok()?.into(),
            local: format!("{};tag={local_tag}", invite.header(HeaderName::To)?).into(),
            local_tag,
            remote_tag: invite.from().ok()?.tag().map(Into::into),
            remote: invite.header(HeaderName::From)?.into(),
            local_cseq: wire.rng.below(FIRST_CSEQ_BELOW) as u32,
            remote_cseq: Some(invite.cseq().ok()?.0),
            routes,
            remote_target,
            hop: None,
            device: None,
            contact_user: dialled.unwrap_or_default().into(),
            flow,
            symmetric: symmetric || flow.transport.is_stream() || came_through_nat(via, flow),
        };
        dialog.find_device(wire);
        dialog.find_hop();
        Some(dialog)
    }

    /// The peer's Contact.
    pub(crate) fn remote_target(&self) -> &str {
        &self.remote_target
    }

    /// Whether all that is sent goes the way that the peer's messages came.
    pub(crate) fn is_symmetric(&self) -> bool {
        self.symmetric
    }

    /// Of a 2xx alone, for one that no session waits for (§13.2.2.4): enough to acknowledge it and to end it.
    pub(crate) fn of_stray(wire: &Wire, response: &Message, flow: Flow, symmetric: bool) -> Option<Dialog> {
        let from = response.from().ok()?;
        let mut dialog = Dialog {
            call_id: response.call_id().ok()?.into(),
            local_tag: from.tag()?.into(),
            remote_tag: None,
            local: response.header(HeaderName::From)?.into(),
            remote: "".into(),
            local_cseq: response.cseq().ok()?.0,
            remote_cseq: None,
            routes: Vec::new(),
            remote_target: response.to().ok()?.uri.into(),
            hop: None,
            device: None,
            contact_user: "".into(),
            secure: false,
            flow,
            symmetric: symmetric || flow.transport.is_stream(),
        };
        dialog.establish(wire, response);
        Some(dialog)
    }

    /// An INVITE that was too large for a datagram went by TCP (§18.1.1), and so does all that follows it.
    pub(crate) fn answered_by(&mut self, flow: Flow) {
        if flow.transport.is_stream() && !self.flow.transport.is_stream() {
            self.flow = flow;
            self.symmetric = true;
        }
    }

    /// Takes the peer's side of a dialog from its answer to our INVITE (§12.1.2).
    pub(crate) fn establish(&mut self, wire: &Wire, response: &Message) {
        if let Ok(to) = response.to() {
            self.remote_tag = to.tag().map(Into::into);
        }
        if let Some(to) = response.header(HeaderName::To) {
            self.remote = to.into();
        }
        if let Some(mut routes) = routes_of(response) {
            routes.reverse();
            self.routes = routes;
        }
        self.retarget(wire, response);
    }

    /// Takes a new Contact in (target refresh, §12.2).
    pub(crate) fn retarget(&mut self, wire: &Wire, message: &Message) {
        if let Some(contact) = contact_of(message) {
            self.remote_target = contact;
            self.find_device(wire);
        }
        self.find_hop();
    }

    /// Reads whose name is to be asked for. What is known of the same name stays known.
    fn find_hop(&mut self) {
        let uri = self.routes.first().unwrap_or(&self.remote_target);
        let hop = Hop::of(uri).filter(|_| self.device.is_none());
        let same = self.hop.as_ref().zip(hop.as_ref()).is_some_and(|(old, new)| old.is(new));
        if !same {
            self.hop = hop;
        }
    }

    /// Finds out where a name is that the next request is for; gives the answer that is waited for. What was said by TLS
    /// does not go on in the clear, and the ways of a name that only a peer has written are none of TLS.
    pub(super) fn locate(&mut self, wire: &mut Wire, now: Time) -> Option<Query> {
        if self.symmetric || self.remote_tag.is_none() || self.secure || self.flow.transport.is_secure() {
            return None;
        }
        let near = self.flow;
        let believes = |way: Flow| is_plausible(way.remote.ip(), near.remote.ip());
        self.hop.as_mut()?.find(wire, now, near, believes)
    }

    /// Nobody answers where requests go. False if that is not by a name, so that there is nowhere else to go.
    pub(super) fn give_up_hop(&mut self) -> bool {
        let way = self.way();
        let Some(hop) = self.hop.as_mut().filter(|hop| hop.way() == Some(way)) else { return false };
        hop.give_up();
        self.way() != way
    }

    /// Whether the Contact is a GRUU of ours (RFC 5627 §4.4). Only where that account has a device is it believed:
    /// anybody else would have our requests sent to one.
    fn find_device(&mut self, wire: &Wire) {
        self.device = wire.device_of(&self.remote_target, self.flow);
        // It is a registered one: nothing but its flow leads there.
        self.symmetric |= self.device.is_some();
        self.follow_device(wire);
    }

    /// Requests to a GRUU go where the device is now, under the address that it has there (RFC 5627 §6.1): by the
    /// flow of the dialog while it has that. To one that has gone they go where it was.
    fn follow_device(&mut self, wire: &Wire) {
        let flow = Some(self.flow);
        if let Some(contact) = self.device.as_ref().and_then(|it| wire.registrar.contact_of(it, flow)) {
            self.remote_target = without_headers(&contact.uri).into();
            self.flow = contact.flow;
        }
    }

    /// Whether a request with these tags is of this dialog. A caller's peer has no tag before it answers.
    pub(crate) fn is_of(&self, request: &Message) -> bool {
        let from = request.from().ok().and_then(|from| from.tag());
        request.call_id() == Ok(&self.call_id)
            && (self.remote_tag.is_none() || self.remote_tag.as_deref() == from)
    }

    /// Whether this is the dialog of that Call-ID in which the peer has this tag. A Call-ID is compared with
    /// its case (RFC 3261 §20.8).
    pub(crate) fn is_named(&self, call_id: &str, remote_tag: &str) -> bool {
        *self.call_id == *call_id && self.remote_tag.as_deref() == Some(remote_tag)
    }

    /// What takes the place of this dialog at the peer's (RFC 3891 §3). Nothing before the peer has a tag.
    pub(crate) fn as_replaces(&self) -> Option<Replaces> {
        Some(Replaces {
            call_id: self.call_id.to_string(),
            to_tag: self.remote_tag.as_ref()?.to_string(),
            from_tag: self.local_tag.to_string(),
            early_only: false,
        })
    }

    /// Counts a request of the peer (§12.2.2). False if a higher one came before.
    pub(crate) fn counts(&mut self, request: &Message) -> bool {
        let Ok((number, _)) = request.cseq() else { return false };
        let rises = self.remote_cseq.is_none_or(|highest| number > highest);
        if rises {
            self.remote_cseq = Some(number);
        }
        rises
    }

    /// Begins a new request: the next CSeq, a new branch, Contact for those that refresh the target. Gives
    /// the way that it goes and its branch with it.
    pub(crate) fn request(&mut self, wire: &mut Wire, method: &str) -> (Writer, Flow, String) {
        self.local_cseq += 1;
        self.follow_device(wire);
        self.request_numbered(wire, method, self.local_cseq, MAX_FORWARDS)
    }

    /// Begins the INVITE that makes the dialog.
    pub(crate) fn invite(&mut self, wire: &mut Wire, max_forwards: u8) -> (Writer, Flow, String) {
        self.local_cseq += 1;
        self.request_numbered(wire, "INVITE", self.local_cseq, max_forwards)
    }

    /// The ACK of a 2xx to our INVITE with this CSeq (§13.2.2.4): its own branch, no transaction, and the
    /// credentials of the INVITE.
    pub(crate) fn ack(&self, wire: &mut Wire, cseq: u32, invite: TransactionId) -> (Vec<u8>, Flow) {
        let (writer, flow, _) = self.request_numbered(wire, "ACK", cseq, MAX_FORWARDS);
        (wire.transactions.prove(invite, writer).finish(), flow)
    }

    /// Our Contact in this dialog.
    pub(crate) fn contact(&self, wire: &Wire) -> String {
        self.contact_by(wire, self.flow)
    }

    fn contact_by(&self, wire: &Wire, flow: Flow) -> String {
        match self.secure {
            true => wire.secure_contact(flow, &self.contact_user),
            false => wire.contact(flow, &self.contact_user),
        }
    }

    /// The request URI of the next request, which digest is made over.
    pub(crate) fn request_uri(&self) -> &str {
        match self.strict_router() {
            Some(router) => router,
            None => &self.remote_target,
        }
    }

    /// Goes by another way before there is a dialog.
    pub(crate) fn reroute(&mut self, flow: Flow, symmetric: bool) {
        self.flow = flow;
        self.symmetric = symmetric || flow.transport.is_stream();
    }

    /// The way broke: go where Contact or Record-Route point. A listening port outlives a connection.
    pub(crate) fn flow_failed(&mut self) {
        if self.remote_tag.is_none() {
            return;
        }
        match self.hop_address() {
            Some(remote) => self.flow.remote = remote,
            // A name is looked for from now on.
            None => self.symmetric &= self.hop.is_none(),
        }
    }

    fn request_numbered(
        &self,
        wire: &mut Wire,
        method: &str,
        cseq: u32,
        max_forwards: u8,
    ) -> (Writer, Flow, String) {
        let (flow, branch) = (self.way(), wire.branch());
        let mut writer = Writer::request(method, self.request_uri()).header("Via", wire.via(flow, &branch));
        let strict = self.strict_router().is_some();
        for route in self.routes.iter().skip(usize::from(strict)) {
            writer = writer.header("Route", format_args!("<{route}>"));
        }
        if strict {
            writer = writer.header("Route", format_args!("<{}>", self.remote_target));
        }
        writer = writer
            .header("Max-Forwards", max_forwards)
            .header("From", &self.local)
            .header("To", &self.remote)
            .header("Call-ID", &self.call_id)
            .header("CSeq", format_args!("{cseq} {method}"));
        if matches!(method, "INVITE" | "UPDATE") {
            writer = writer.header("Contact", self.contact_by(wire, flow));
        }
        (writer, flow, branch)
    }

    /// RFC 2543's routers have no `lr` and want to stand in the request URI (§12.2.1.1).
    fn strict_router(&self) -> Option<&str> {
        let first = self.routes.first()?;
        Uri::parse(first).is_ok_and(|uri| uri.param("lr").is_none()).then_some(first)
    }

    /// By which way the next request goes: to the first route or Contact if it is an address that we can
    /// believe in, or a name that has been located, otherwise back by the way that the peer's messages came.
    /// Before there is a dialog it goes where whoever calls says: a number at an operator is asked of the
    /// operator's server, wherever the URI's host is.
    fn way(&self) -> Flow {
        match self.hop_address() {
            _ if self.remote_tag.is_none() => self.flow,
            Some(remote) if !self.symmetric && is_plausible(remote.ip(), self.flow.remote.ip()) => {
                Flow { remote, ..self.flow }
            }
            _ if self.symmetric => self.flow,
            _ => self.hop.as_ref().and_then(Hop::way).unwrap_or(self.flow),
        }
    }

    /// The same, of a request that would be made now.
    pub(crate) fn way_now(&self, wire: &Wire) -> Flow {
        let flow = Some(self.flow);
        let device = self.device.as_ref().and_then(|it| wire.registrar.contact_of(it, flow));
        device.map_or_else(|| self.way(), |contact| contact.flow)
    }

    fn hop_address(&self) -> Option<SocketAddr> {
        let uri = Uri::parse(self.routes.first().unwrap_or(&self.remote_target)).ok()?;
        let same = uri.param("transport").is_none_or(|wanted| {
            Transport::by_name(wanted).is_some_and(|wanted| wanted == self.flow.transport)
        });
        let ip = uri.host()?.ip().filter(|ip| same && !ip.is_unspecified())?;
        (ip.is_ipv4() == self.flow.local.is_ipv4())
            .then(|| SocketAddr::new(ip, uri.port().unwrap_or(self.flow.transport.default_port())))
    }
}

fn is_secure(uri: &str) -> bool {
    uri.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("sips:"))
}

/// A private address written by a peer that we reach at a public one is of the wrong side of a NAT.
fn is_plausible(written: IpAddr, seen: IpAddr) -> bool {
    written == seen || !is_private(written) || is_private(seen)
}

fn is_private(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_loopback() || ip.is_unicast_link_local(),
    }
}

fn came_through_nat(via: Via<'_>, flow: Flow) -> bool {
    let written = Host::parse(via.host).and_then(|host| host.ip());
    written.is_some_and(|ip| ip != flow.remote.ip().to_canonical())
}

fn from_domain(wire: &Wire, call: &Call, flow: Flow) -> String {
    if call.from_user.eq_ignore_ascii_case("anonymous") {
        return "anonymous.invalid".into();
    }
    let trunk = match &call.towards {
        Towards::Trunk(name) => wire.config.trunk(name),
        Towards::Flows(_) | Towards::Places(_) => None,
    };
    match trunk.and_then(|trunk| trunk.domain.clone()) {
        Some(domain) => domain,
        None if wire.config.realm.is_empty() || wire.config.realm.contains([' ', '@', '<', '>']) => {
            wire.address(flow)
        }
        None => wire.config.realm.clone(),
    }
}

fn contact_of(message: &Message) -> Option<Box<str>> {
    let contact = message.contacts().next()?.ok()?;
    Uri::parse(contact.uri).is_ok().then(|| without_headers(contact.uri).into())
}

/// A request URI has no header fields in it (RFC 3261 §19.1.1).
fn without_headers(uri: &str) -> &str {
    uri.split_once('?').map_or(uri, |(uri, _)| uri)
}

fn routes_of(message: &Message) -> Option<Vec<Box<str>>> {
    let routes: Vec<Box<str>> =
        message.record_routes().filter_map(|route| route.ok().map(Into::into)).take(ROUTES_MAX + 1).collect();
    (routes.len() <= ROUTES_MAX).then_some(routes)
}
