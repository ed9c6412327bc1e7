use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::{COOKIE, FINGERPRINT_MASK, HEADER, Key, TransactionId, attribute};

/// Whether a datagram that may be of another protocol is STUN: the first two bits are zero and the magic cookie is there
/// (RFC 8489 §5). No text, RTP or DTLS begins like that.
pub fn is_stun(datagram: &[u8]) -> bool {
    let first_bits_are_zero = datagram.first().is_some_and(|byte| byte & 0xC0 == 0);
    first_bits_are_zero && datagram.get(4..8) == Some(&COOKIE.to_be_bytes())
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It wants an answer.
    Request,
    /// It wants none.
    Indication,
    /// The answer to a request.
    Success,
    /// A request was not done.
    Error,
}

impl Kind {
    const ALL: [Kind; 4] = [Kind::Request, Kind::Indication, Kind::Success, Kind::Error];

    /// How a message of the method Binding begins.
    pub(crate) const fn number(self) -> u16 {
        match self {
            Kind::Request => 0x0001,
            Kind::Indication => 0x0011,
            Kind::Success => 0x0101,
            Kind::Error => 0x0111,
        }
    }
}

/// Who of two ICE agents decides (RFC 8445 §7.1.3), with what breaks a tie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The one that nominates.
    Controlling(u64),
    /// The other.
    Controlled(u64),
}

/// A Binding message whose header is sound and whose attributes fill it. What it says is believed up to its
/// MESSAGE-INTEGRITY; after that only FINGERPRINT counts (RFC 8489 §14.5).
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    bytes: &'a [u8],
    kind: Kind,
    id: TransactionId,
    /// Where MESSAGE-INTEGRITY begins, or FINGERPRINT, or the end.
    said_until: usize,
    integrity: Option<&'a [u8]>,
    fingerprint: Option<(usize, &'a [u8])>,
}

impl<'a> Message<'a> {
    /// Reads a datagram. Nothing if it is broken, or of another method than Binding.
    pub fn parse(bytes: &'a [u8]) -> Option<Message<'a>> {
        let number = |at: usize| Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?));
        let (kind, length) = (number(0)?, usize::from(number(2)?));
        if !is_stun(bytes) || bytes.len() != HEADER + length {
            return None;
        }
        let kind = Kind::ALL.into_iter().find(|known| known.number() == kind)?;
        let id = bytes.get(8..HEADER)?.try_into().ok()?;
        let whole = Message { bytes, kind, id, said_until: bytes.len(), integrity: None, fingerprint: None };
        whole.divided()
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its name.
    pub fn id(&self) -> &TransactionId {
        &self.id
    }

    /// USERNAME, for ICE the receiver's and the sender's name fragment with a colon between.
    pub fn username(&self) -> Option<&'a [u8]> {
        self.value(attribute::USERNAME)
    }

    /// PRIORITY.
    pub fn priority(&self) -> Option<u32> {
        Some(u32::from_be_bytes(self.value(attribute::PRIORITY)?.try_into().ok()?))
    }

    /// USE-CANDIDATE: the sender wants this way to be the one.
    pub fn nominates(&self) -> bool {
        self.value(attribute::USE_CANDIDATE).is_some()
    }

    /// ICE-CONTROLLING or ICE-CONTROLLED.
    pub fn role(&self) -> Option<Role> {
        let number = |kind| Some(u64::from_be_bytes(self.value(kind)?.try_into().ok()?));
        let controlling = number(attribute::ICE_CONTROLLING).map(Role::Controlling);
        controlling.or_else(|| number(attribute::ICE_CONTROLLED).map(Role::Controlled))
    }

    /// The number in ERROR-CODE, 300 to 699.
    pub fn error(&self) -> Option<u16> {
        let [_, _, class, number, ..] = *self.value(attribute::ERROR_CODE)? else { return None };
        let code = u16::from(class & 7) * 100 + u16::from(number);
        (300..=699).contains(&code).then_some(code)
    }

    /// XOR-MAPPED-ADDRESS, or the MAPPED-ADDRESS of servers that know only RFC 3489.
    pub fn mapped_address(&self) -> Option<SocketAddr> {
        let xored = self.value(attribute::XOR_MAPPED_ADDRESS);
        xored
            .and_then(|value| address(value, mask(&self.id)))
            .or_else(|| address(self.value(attribute::MAPPED_ADDRESS)?, [0; 16]))
    }

    /// The attributes that would have to be understood and are not known here, in their order.
    pub fn unknown(&self) -> impl Iterator<Item = u16> + use<'a> {
        const KNOWN: [u16; 7] = [
            attribute::MAPPED_ADDRESS,
            attribute::USERNAME,
            attribute::ERROR_CODE,
            attribute::UNKNOWN_ATTRIBUTES,
            attribute::XOR_MAPPED_ADDRESS,
            attribute::PRIORITY,
            attribute::USE_CANDIDATE,
        ];
        self.required().filter(|kind| !KNOWN.contains(kind))
    }

    /// All attributes that must be understood, in their order, but for MESSAGE-INTEGRITY.
    pub(crate) fn required(&self) -> impl Iterator<Item = u16> + use<'a> {
        self.said().map(|(_, kind, _)| kind).filter(|kind| *kind < attribute::OPTIONAL)
    }

    /// Whether it is signed, by whatever key.
    pub fn is_signed(&self) -> bool {
        self.integrity.is_some()
    }

    /// Whether this key has signed it.
    pub fn is_signed_by(&self, key: &Key) -> bool {
        let signed = self.bytes.get(..self.said_until);
        signed.zip(self.integrity).is_some_and(|(signed, tag)| key.has_made(signed, tag))
    }

    /// Whether it ends with the FINGERPRINT of what is before (RFC 8489 §14.7).
    pub fn has_fingerprint(&self) -> bool {
        let Some((at, value)) = self.fingerprint.filter(|(at, _)| at + 8 == self.bytes.len()) else {
            return false;
        };
        let sum = self.bytes.get(..at).map(crc32fast::hash);
        sum.is_some_and(|sum| (sum ^ FINGERPRINT_MASK).to_be_bytes() == *value)
    }

    /// Finds what divides it. Nothing if its attributes do not fill it.
    fn divided(mut self) -> Option<Message<'a>> {
        let mut filled = HEADER;
        for (at, kind, value) in attributes(self.bytes, HEADER) {
            filled = at + 4 + value.len().next_multiple_of(4);
            let is_first = self.said_until == self.bytes.len();
            match kind {
                attribute::MESSAGE_INTEGRITY if is_first => {
                    (self.said_until, self.integrity) = (at, Some(value));
                }
                attribute::FINGERPRINT => {
                    self.fingerprint = Some((at, value));
                    if is_first {
                        self.said_until = at;
                    }
                }
                _ => {}
            }
        }
        (filled == self.bytes.len()).then_some(self)
    }

    fn value(&self, wanted: u16) -> Option<&'a [u8]> {
        self.said().find(|(_, kind, _)| *kind == wanted).map(|(_, _, value)| value)
    }

    fn said(&self) -> impl Iterator<Item = (usize, u16, &'a [u8])> + use<'a> {
        let until = self.said_until;
        attributes(self.bytes, HEADER).take_while(move |(at, ..)| *at < until)
    }
}

/// Place, type and value of each attribute, up to the first that does not fit.
fn attributes(bytes: &[u8], first: usize) -> impl Iterator<Item = (usize, u16, &[u8])> {
    let mut at = first;
    std::iter::from_fn(move || {
        let [k1, k2, l1, l2, after @ ..] = bytes.get(at..)? else { return None };
        let length = usize::from(u16::from_be_bytes([*l1, *l2]));
        let value = after.get(..length)?;
        let padded = length.next_multiple_of(4);
        after.get(..padded)?;
        let place = at;
        at += 4 + padded;
        Some((place, u16::from_be_bytes([*k1, *k2]), value))
    })
}

/// With which an address is written over, so that no NAT changes it on the way (RFC 8489 §14.2).
pub(crate) fn mask(id: &TransactionId) -> [u8; 16] {
    let mut mask = [0; 16];
    let bytes = COOKIE.to_be_bytes().into_iter().chain(*id);
    mask.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
    mask
}

fn address(value: &[u8], mask: [u8; 16]) -> Option<SocketAddr> {
    let [_, family, high, low, ip @ ..] = value else { return None };
    let [m0, m1, m2, m3, ..] = mask;
    let port = u16::from_be_bytes([high ^ m0, low ^ m1]);
    let ip = match family {
        1 => {
            let bytes = <[u8; 4]>::try_from(ip).ok()?;
            IpAddr::V4(Ipv4Addr::from(u32::from_be_bytes(bytes) ^ u32::from_be_bytes([m0, m1, m2, m3])))
        }
        2 => {
            let bytes = <[u8; 16]>::try_from(ip).ok()?;
            IpAddr::V6(Ipv6Addr::from(u128::from_be_bytes(bytes) ^ u128::from_be_bytes(mask)))
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}
