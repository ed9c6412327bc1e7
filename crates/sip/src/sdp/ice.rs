//! ICE in descriptions (RFC 8839): the ways by which a side can perhaps be reached.

use std::fmt::Write as _;
use std::net::IpAddr;

/// Of RTP; RTCP's own component is never needed where both share a port.
const RTP_COMPONENT: u16 = 1;
/// The preference of a host's own address above those learned of others (RFC 8445 §5.1.2.2).
const HOST_PREFERENCE: u32 = 126;
/// Of the only address of its kind (RFC 8445 §5.1.2.1).
const ONLY_ADDRESS: u32 = 65_535;

/// Where an address is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CandidateKind {
    /// It is the side's own.
    Host,
    /// A server outside of its NAT saw it.
    ServerReflexive,
    /// The other side saw it.
    PeerReflexive,
    /// A server passes on what comes there.
    Relayed,
}

impl CandidateKind {
    const ALL: [CandidateKind; 4] = [
        CandidateKind::Host,
        CandidateKind::ServerReflexive,
        CandidateKind::PeerReflexive,
        CandidateKind::Relayed,
    ];

    const fn word(self) -> &'static str {
        match self {
            CandidateKind::Host => "host",
            CandidateKind::ServerReflexive => "srflx",
            CandidateKind::PeerReflexive => "prflx",
            CandidateKind::Relayed => "relay",
        }
    }
}

/// A way by which RTP over UDP can perhaps reach a side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The same for those of one kind from one base.
    pub foundation: String,
    /// The higher, the sooner it is tried.
    pub priority: u32,
    /// The address.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
    /// Where it is known from.
    pub kind: CandidateKind,
}

impl Candidate {
    /// An address of our own, the only one of its family: IPv6 is tried first (RFC 8421).
    pub fn host(address: IpAddr, port: u16) -> Candidate {
        let is_v6 = address.is_ipv6();
        let local = if is_v6 { ONLY_ADDRESS } else { ONLY_ADDRESS - 1 };
        Candidate {
            foundation: if is_v6 { "2" } else { "1" }.to_owned(),
            priority: HOST_PREFERENCE << 24 | local << 8 | (256 - u32::from(RTP_COMPONENT)),
            address,
            port,
            kind: CandidateKind::Host,
        }
    }

    /// A second address of our own, by which the same socket is reached: tried after the first.
    pub fn second(address: IpAddr, port: u16) -> Candidate {
        let first = Candidate::host(address, port);
        Candidate {
            foundation: format!("{}0", first.foundation),
            priority: first.priority - (2 << 8),
            ..first
        }
    }

    /// Reads what follows `a=candidate:`. Nothing if it is broken, of another component or transport, or a name: browsers
    /// hide their own addresses behind names that only their own network knows (`….local`).
    pub(super) fn parse(value: &str) -> Option<Candidate> {
        let mut words = value.split_ascii_whitespace();
        let foundation = words.next().filter(|text| text.len() <= 32)?;
        let component: u16 = words.next()?.parse().ok()?;
        let transport = words.next()?;
        let priority = words.next()?.parse().ok()?;
        let address = words.next()?.parse().ok()?;
        let port = words.next()?.parse().ok().filter(|port| *port != 0)?;
        let typ = words.next()?;
        let word = words.next()?;
        let kind = CandidateKind::ALL.into_iter().find(|kind| kind.word() == word)?;
        let is_ours = component == RTP_COMPONENT && transport.eq_ignore_ascii_case("udp") && typ == "typ";
        is_ours.then(|| Candidate { foundation: foundation.to_owned(), priority, address, port, kind })
    }

    pub(super) fn push_to(&self, text: &mut String) {
        let Candidate { foundation, priority, address, port, kind } = self;
        let _ = write!(
            text,
            "a=candidate:{foundation} {RTP_COMPONENT} udp {priority} {address} {port} typ {}\r\n",
            kind.word()
        );
    }
}
