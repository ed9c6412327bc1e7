use crate::Step;
use sip::message::{HeaderName, Message, ParseLimits};
use sip::ua::{Flow, Transport};
use std::net::SocketAddr;

const METHODS: [&str; 16] = [
    "INVITE", "BYE", "OPTIONS", "REGISTER", "INFO", "UPDATE", "PRACK", "REFER", "SUBSCRIBE", "NOTIFY", "MESSAGE",
    "PUBLISH", "ACK", "CANCEL", "invite", "FOO",
];
const STATUSES: [u16; 32] = [
    100, 180, 181, 183, 199, 200, 202, 204, 300, 302, 400, 401, 403, 404, 407, 408, 415, 420, 421, 422, 423, 480, 481,
    486, 487, 488, 491, 500, 503, 600, 603, 606,
];
const USERS: [&str; 8] = ["anna", "echo", "sig", "bridge", "demo", "+39800100100", "nobody", "%00"];
const SDP: &str = "v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\n\
    m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n";
/// Header lines that turn machines on.
const EXTRAS: [&str; 40] = [
    "Supported: 100rel, timer, replaces, path, gruu, outbound, norefersub",
    "Require: 100rel",
    "Require: timer",
    "Require: nothing-known",
    "Require: replaces",
    "RAck: 1 1 INVITE",
    "RSeq: 1",
    "RSeq: 4294967295",
    "Session-Expires: 90;refresher=uac",
    "Session-Expires: 90;refresher=uas",
    "Session-Expires: 1",
    "Min-SE: 4000000",
    "Min-SE: 90",
    "Allow: INVITE, ACK, BYE, CANCEL, UPDATE, PRACK",
    "Refer-To: <sip:anna@10.0.0.1>",
    "Refer-To: <sip:echo@10.0.0.1?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>",
    "Referred-By: <sip:anna@10.0.0.1>",
    "Replaces: a;to-tag=b;from-tag=c",
    "Event: dialog",
    "Event: message-summary",
    "Event: refer",
    "Subscription-State: terminated;reason=noresource",
    "Expires: 0",
    "Expires: 4294967295",
    "Route: <sip:10.0.0.7;lr>",
    "Record-Route: <sip:10.0.0.7;lr>, <sip:10.0.0.8>",
    "Max-Forwards: 0",
    "Reason: Q.850;cause=17;text=\"busy\", SIP;cause=486",
    "Content-Encoding: gzip",
    "Privacy: id",
    "P-Asserted-Identity: \"A\" <sip:+390612345678@10.0.0.9>, <tel:+390612345678>",
    "Diversion: <sip:+39061@10.0.0.9>;reason=unconditional;counter=2",
    "History-Info: <sip:a@10.0.0.9?Reason=SIP%3Bcause%3D302>;index=1, <sip:b@10.0.0.9>;index=1.1",
    "User-to-User: 00ff;encoding=hex",
    "Retry-After: 1",
    "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=MD5, qop=\"auth\"",
    "Authorization: Digest username=\"anna\", realm=\"fuzz\", nonce=\"n\", uri=\"sip:a\", response=\"0\"",
    "Contact: <sip:anna@10.0.0.9:5060>;expires=60",
    "Contact: *",
    "P-Early-Media: sendrecv",
];

/// Three places from which messages come, and what went to and fro.
pub struct Peers {
    local: SocketAddr,
    peers: [Peer; 3],
    number: u32,
}

#[derive(Default)]
struct Peer {
    sent: Option<Vec<u8>>,
    request: Option<Message>,
    response: Option<Message>,
}

impl Peers {
    pub fn new(local: SocketAddr) -> Peers {
        Peers { local, peers: Default::default(), number: 0 }
    }

    /// The first is on UDP and known, the second on TCP, the third is a stranger.
    pub fn flow(&self, peer: u8) -> Flow {
        let number = peer % 3;
        let remote = match number {
            2 => SocketAddr::from(([203, 0, 113, 66], 5060)),
            _ => SocketAddr::from(([10, 0, 0, 9 + number], 5060)),
        };
        let transport = if number == 1 { Transport::Tcp } else { Transport::Udp };
        Flow { transport, local: self.local, remote }
    }

    /// Takes in what was sent to a peer.
    pub fn received(&mut self, flow: Flow, bytes: Vec<u8>) {
        let message = Message::parse(bytes, &ParseLimits::default()).expect("we write what we can read");
        let number = (0..3).find(|number| self.flow(*number).remote.ip() == flow.remote.ip());
        let Some(peer) = number.and_then(|number| self.peers.get_mut(usize::from(number))) else { return };
        match message.is_request() {
            true if message.method().is_some_and(|method| method.as_str() == "ACK") => {}
            true => peer.request = Some(message),
            false => peer.response = Some(message),
        }
    }

    /// The bytes that a step makes arrive, and by which way. Nothing for steps that are about something else, or about
    /// messages that were never sent.
    pub fn arrives(&mut self, step: &Step) -> Option<(Flow, Vec<u8>)> {
        let (peer, bytes) = match step {
            Step::Raw { peer, bytes } => (*peer, bytes.clone()),
            Step::Ask { peer, method, user, sdp, extras } => {
                (*peer, self.ask(*peer, pick(&METHODS, *method), pick(&USERS, *user), *sdp, extras))
            }
            Step::AskWithin { peer, method, step, sdp, extras } => {
                (*peer, self.ask_within(*peer, pick(&METHODS, *method), *step, *sdp, extras)?)
            }
            Step::Answer { peer, status, tag, sdp, extras } => {
                (*peer, self.answer(*peer, *status, *tag, *sdp, extras)?)
            }
            Step::Cancel { peer } => (*peer, self.cancel(*peer)?),
            Step::Acknowledge { peer, sdp } => (*peer, self.ask_within(*peer, "ACK", 0, *sdp, &[])?),
            Step::Again { peer } => (*peer, self.peer(*peer).sent.clone()?),
            Step::Wait { .. } | Step::Break { .. } | Step::Act { .. } => return None,
        };
        if !matches!(step, Step::Cancel { .. } | Step::Acknowledge { .. }) {
            self.peers[usize::from(peer % 3)].sent = Some(bytes.clone());
        }
        Some((self.flow(peer), bytes))
    }

    fn peer(&self, peer: u8) -> &Peer {
        &self.peers[usize::from(peer % 3)]
    }

    fn ask(&mut self, peer: u8, method: &str, user: &str, sdp: bool, extras: &[u8]) -> Vec<u8> {
        self.number += 1;
        let (number, at) = (self.number, self.flow(peer).remote);
        let head = format!(
            "{method} sip:{user}@{local} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{number};rport\r\n\
             From: <sip:f{number}@{at}>;tag=f{number}\r\nTo: <sip:{user}@{local}>\r\nCall-ID: c{number}\r\n\
             CSeq: 1 {method}\r\nMax-Forwards: 70\r\nContact: <sip:f@{at}>\r\n",
            local = self.local,
        );
        finished(head, sdp, extras)
    }

    /// By the last answer that the peer got, or else by the last request that it was sent.
    fn ask_within(&mut self, peer: u8, method: &str, step: i8, sdp: bool, extras: &[u8]) -> Option<Vec<u8>> {
        self.number += 1;
        let (number, at) = (self.number, self.flow(peer).remote);
        let known = self.peer(peer);
        let (from, to, call_id, cseq) = match (&known.response, &known.request) {
            (Some(answer), _) => {
                let cseq = answer.cseq().ok()?.0;
                (answer.header(HeaderName::From)?, answer.header(HeaderName::To)?, answer.call_id().ok()?, cseq)
            }
            (None, Some(asked)) => {
                (asked.header(HeaderName::To)?, asked.header(HeaderName::From)?, asked.call_id().ok()?, 1)
            }
            (None, None) => return None,
        };
        let from = if from.contains(";tag=") { from.to_owned() } else { format!("{from};tag=t0") };
        let cseq = cseq.saturating_add_signed(step.into());
        let head = format!(
            "{method} sip:x@{local} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bKw{number};rport\r\n\
             From: {from}\r\nTo: {to}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\nMax-Forwards: 70\r\n\
             Contact: <sip:f@{at}>\r\n",
            local = self.local,
        );
        Some(finished(head, sdp, extras))
    }

    fn answer(&self, peer: u8, status: u8, tag: u8, sdp: bool, extras: &[u8]) -> Option<Vec<u8>> {
        let asked = self.peer(peer).request.as_ref()?;
        let (status, at) = (STATUSES[usize::from(status) % STATUSES.len()], self.flow(peer).remote);
        let mut head = format!("SIP/2.0 {status} Fuzzed\r\n");
        for (name, value) in asked.all_headers() {
            match name {
                "Via" | "From" | "Call-ID" | "CSeq" | "Record-Route" => head += &format!("{name}: {value}\r\n"),
                "To" if value.contains(";tag=") || status == 100 => head += &format!("To: {value}\r\n"),
                "To" => head += &format!("To: {value};tag=t{}\r\n", tag % 4),
                _ => {}
            }
        }
        head += &format!("Contact: <sip:callee@{at}>\r\n");
        Some(finished(head, sdp, extras))
    }

    fn cancel(&self, peer: u8) -> Option<Vec<u8>> {
        let sent = Message::parse(self.peer(peer).sent.clone()?, &ParseLimits::default()).ok()?;
        let mut head = format!("CANCEL {} SIP/2.0\r\n", sent.uri()?);
        for name in [HeaderName::Via, HeaderName::From, HeaderName::To, HeaderName::CallId] {
            head += &format!("{}: {}\r\n", name.as_str(), sent.header(name)?);
        }
        head += &format!("CSeq: {} CANCEL\r\n", sent.cseq().ok()?.0);
        Some(finished(head, false, &[]))
    }
}

fn finished(mut head: String, sdp: bool, extras: &[u8]) -> Vec<u8> {
    for extra in extras.iter().take(6) {
        head += pick(&EXTRAS, *extra);
        head += "\r\n";
    }
    let body = if sdp { SDP } else { "" };
    if sdp {
        head += "Content-Type: application/sdp\r\n";
    }
    head += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    head.into_bytes()
}

fn pick<'a>(from: &[&'a str], which: u8) -> &'a str {
    from[usize::from(which) % from.len()]
}
