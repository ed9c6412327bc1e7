//! STUN as keep-alive of SIP over UDP (RFC 5626 §3.5.2) and to learn how the world sees us: Binding requests
//! and their answers without credentials (RFC 5389).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const COOKIE: u32 = 0x2112_A442;
const HEADER: usize = 20;
/// The longest request that is read: keep-alives are 20 to 40 bytes, and who sends more wants something else.
const REQUEST_MAX: usize = 256;
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const MAPPED_ADDRESS: u16 = 0x0001;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
/// Attributes below this must be understood (RFC 5389 §15).
const OPTIONAL: u16 = 0x8000;

/// What names a request and its answer.
pub type TransactionId = [u8; 12];

/// Whether a datagram on a SIP port is STUN and no SIP: the first two bits are zero and the magic cookie is there
/// (RFC 5389 §8). No text begins like that.
pub fn is_stun(datagram: &[u8]) -> bool {
    let first_bits_are_zero = datagram.first().is_some_and(|byte| byte & 0xC0 == 0);
    first_bits_are_zero && datagram.get(4..8) == Some(&COOKIE.to_be_bytes())
}

/// The answer to a Binding request that came from `source`: where we saw it come from. Nothing for whatever else:
/// indications, answers, requests that are broken, long, or want something that we do not know. Errors are not
/// told either, so that a forged request makes no more than one small datagram: 32 bytes over IPv4 and 44 over
/// IPv6, to one of 20 at least.
pub fn answer(request: &[u8], source: SocketAddr) -> Option<Vec<u8>> {
    let read =
        Read::of(request).filter(|read| read.kind == BINDING_REQUEST && request.len() <= REQUEST_MAX)?;
    if read.attributes().any(|(kind, _)| kind < OPTIONAL) {
        return None;
    }
    let id = read.id;
    let mut value = vec![0, if source.is_ipv4() { 1 } else { 2 }];
    value.extend((source.port() ^ (COOKIE >> 16) as u16).to_be_bytes());
    match source.ip() {
        IpAddr::V4(ip) => value.extend(masked(&ip.octets(), &id)),
        IpAddr::V6(ip) => value.extend(masked(&ip.octets(), &id)),
    }
    let mut answer = header(BINDING_SUCCESS, 4 + value.len() as u16, &id);
    answer.extend(XOR_MAPPED_ADDRESS.to_be_bytes());
    answer.extend((value.len() as u16).to_be_bytes());
    answer.extend(value);
    Some(answer)
}

/// A Binding request without attributes.
pub fn binding_request(id: &TransactionId) -> Vec<u8> {
    header(BINDING_REQUEST, 0, id)
}

/// The address in the answer to a Binding request with this id: how the server sees us. Nothing if it is no such
/// answer.
pub fn mapped_address(answer: &[u8], id: &TransactionId) -> Option<SocketAddr> {
    let read = Read::of(answer).filter(|read| read.kind == BINDING_SUCCESS && read.id == *id)?;
    let address_of = |wanted| {
        let (_, value) = read.attributes().find(|(kind, _)| *kind == wanted)?;
        address(value, (wanted == XOR_MAPPED_ADDRESS).then_some(id))
    };
    // Servers of RFC 3489 know only the plain one.
    address_of(XOR_MAPPED_ADDRESS).or_else(|| address_of(MAPPED_ADDRESS))
}

fn header(kind: u16, length: u16, id: &TransactionId) -> Vec<u8> {
    let mut message = Vec::with_capacity(HEADER + usize::from(length));
    message.extend(kind.to_be_bytes());
    message.extend(length.to_be_bytes());
    message.extend(COOKIE.to_be_bytes());
    message.extend(id);
    message
}

/// An address is written over with the cookie and the id, so that no NAT changes it on the way (RFC 5389 §15.2).
fn masked(bytes: &[u8], id: &TransactionId) -> Vec<u8> {
    let mask = COOKIE.to_be_bytes().into_iter().chain(*id);
    bytes.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect()
}

fn address(value: &[u8], masked_with: Option<&TransactionId>) -> Option<SocketAddr> {
    let [_, family, high, low, ip @ ..] = value else { return None };
    let port = u16::from_be_bytes([*high, *low]);
    let (ip, port) = match masked_with {
        Some(id) => (masked(ip, id), port ^ (COOKIE >> 16) as u16),
        None => (ip.to_vec(), port),
    };
    let ip = match family {
        1 => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(ip).ok()?)),
        2 => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(ip).ok()?)),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// A message whose header is sound and whose attributes fill it.
struct Read<'a> {
    kind: u16,
    id: TransactionId,
    attributes: &'a [u8],
}

impl<'a> Read<'a> {
    fn of(message: &'a [u8]) -> Option<Read<'a>> {
        let (head, attributes) = message.split_at_checked(HEADER)?;
        let number = |at: usize| Some(u16::from_be_bytes([*head.get(at)?, *head.get(at + 1)?]));
        let whole = is_stun(message) && usize::from(number(2)?) == attributes.len();
        let read = Read { kind: number(0)?, id: head.get(8..HEADER)?.try_into().ok()?, attributes };
        (whole && read.is_sound()).then_some(read)
    }

    fn is_sound(&self) -> bool {
        let filled: usize = self.attributes().map(|(_, value)| 4 + value.len().next_multiple_of(4)).sum();
        filled == self.attributes.len()
    }

    /// Type and value of each, up to the first that does not fit.
    fn attributes(&self) -> impl Iterator<Item = (u16, &'a [u8])> {
        let mut rest = self.attributes;
        std::iter::from_fn(move || {
            let [k1, k2, l1, l2, after @ ..] = rest else { return None };
            let length = usize::from(u16::from_be_bytes([*l1, *l2]));
            let value = after.get(..length)?;
            rest = after.get(length.next_multiple_of(4)..)?;
            Some((u16::from_be_bytes([*k1, *k2]), value))
        })
    }
}
