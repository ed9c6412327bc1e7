use std::net::{IpAddr, SocketAddr};

use crate::message::mask;
use crate::{COOKIE, FINGERPRINT_MASK, HEADER, INTEGRITY, Key, Kind, Role, TransactionId, attribute};

/// The longest value that is written; what is longer is cut (RFC 8489 §14.8).
const VALUE_MAX: usize = 763;

/// Why a request is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// Something is missing that must be there.
    BadRequest,
    /// It is not signed by whom it says.
    Unauthenticated,
    /// It has attributes that would have to be understood.
    UnknownAttribute,
    /// Both sides want to be the same (RFC 8445 §7.3.1.1).
    RoleConflict,
}

impl Error {
    /// Its number.
    pub const fn code(self) -> u16 {
        match self {
            Error::BadRequest => 400,
            Error::Unauthenticated => 401,
            Error::UnknownAttribute => 420,
            Error::RoleConflict => 487,
        }
    }
}

/// A message that is being written at the end of a buffer. What is written so far is always a whole message.
#[derive(Debug)]
pub struct Writer<'v> {
    bytes: &'v mut Vec<u8>,
    start: usize,
}

impl<'v> Writer<'v> {
    /// A message without attributes.
    pub fn new(bytes: &'v mut Vec<u8>, kind: Kind, id: &TransactionId) -> Writer<'v> {
        let start = bytes.len();
        bytes.extend(kind.number().to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(COOKIE.to_be_bytes());
        bytes.extend(id);
        Writer { bytes, start }
    }

    /// USERNAME.
    #[must_use]
    pub fn username(self, name: &str) -> Writer<'v> {
        self.attribute(attribute::USERNAME, name.as_bytes())
    }

    /// PRIORITY.
    #[must_use]
    pub fn priority(self, priority: u32) -> Writer<'v> {
        self.attribute(attribute::PRIORITY, &priority.to_be_bytes())
    }

    /// USE-CANDIDATE.
    #[must_use]
    pub fn nominating(self) -> Writer<'v> {
        self.attribute(attribute::USE_CANDIDATE, &[])
    }

    /// ICE-CONTROLLING or ICE-CONTROLLED.
    #[must_use]
    pub fn role(self, role: Role) -> Writer<'v> {
        match role {
            Role::Controlling(tie) => self.attribute(attribute::ICE_CONTROLLING, &tie.to_be_bytes()),
            Role::Controlled(tie) => self.attribute(attribute::ICE_CONTROLLED, &tie.to_be_bytes()),
        }
    }

    /// XOR-MAPPED-ADDRESS.
    #[must_use]
    pub fn mapped_address(self, address: SocketAddr) -> Writer<'v> {
        let mask = self.mask();
        let [m0, m1, ..] = mask;
        let [high, low] = address.port().to_be_bytes();
        let mut value = [0; 20];
        let octets: (u8, &[u8]) = match address.ip() {
            IpAddr::V4(ip) => (1, &ip.octets()),
            IpAddr::V6(ip) => (2, &ip.octets()),
        };
        let head = [0, octets.0, high ^ m0, low ^ m1];
        let ip = octets.1.iter().zip(mask).map(|(byte, mask)| byte ^ mask);
        let mut length = 0;
        for (place, byte) in value.iter_mut().zip(head.into_iter().chain(ip)) {
            *place = byte;
            length += 1;
        }
        self.attribute(attribute::XOR_MAPPED_ADDRESS, value.get(..length).unwrap_or(&[]))
    }

    /// ERROR-CODE without a reason for people: the answer is not to be longer than what it answers.
    #[must_use]
    pub fn error(self, error: Error) -> Writer<'v> {
        let code = error.code();
        self.attribute(attribute::ERROR_CODE, &[0, 0, (code / 100) as u8, (code % 100) as u8])
    }

    /// UNKNOWN-ATTRIBUTES, the first eight of these.
    #[must_use]
    pub fn unknown(self, kinds: impl Iterator<Item = u16>) -> Writer<'v> {
        let (mut value, mut length) = ([0; 16], 0);
        for (place, kind) in value.chunks_exact_mut(2).zip(kinds) {
            place.copy_from_slice(&kind.to_be_bytes());
            length += 2;
        }
        self.attribute(attribute::UNKNOWN_ATTRIBUTES, value.get(..length).unwrap_or(&[]))
    }

    /// MESSAGE-INTEGRITY over all that is written so far.
    #[must_use]
    pub fn sign(self, key: &Key) -> Writer<'v> {
        match self.bytes.get(self.start..).and_then(|message| key.tag(message)) {
            Some(tag) => self.attribute(attribute::MESSAGE_INTEGRITY, &tag),
            None => self.attribute(attribute::MESSAGE_INTEGRITY, &[0; INTEGRITY]),
        }
    }

    /// FINGERPRINT over all that is written so far; nothing may follow.
    pub fn fingerprint(self) {
        let Writer { bytes, start } = self.attribute(attribute::FINGERPRINT, &[0; 4]);
        let at = bytes.len().saturating_sub(8);
        let sum = bytes.get(start..at).map_or(0, crc32fast::hash) ^ FINGERPRINT_MASK;
        if let Some(value) = bytes.get_mut(at + 4..) {
            value.copy_from_slice(&sum.to_be_bytes());
        }
    }

    /// One more attribute. The header counts it in.
    fn attribute(self, kind: u16, value: &[u8]) -> Writer<'v> {
        let value = value.get(..VALUE_MAX).unwrap_or(value);
        self.bytes.extend(kind.to_be_bytes());
        self.bytes.extend((value.len() as u16).to_be_bytes());
        self.bytes.extend_from_slice(value);
        self.bytes.resize(self.bytes.len() + value.len().next_multiple_of(4) - value.len(), 0);
        let length = (self.bytes.len() - self.start - HEADER) as u16;
        if let Some(place) = self.bytes.get_mut(self.start + 2..self.start + 4) {
            place.copy_from_slice(&length.to_be_bytes());
        }
        self
    }

    fn mask(&self) -> [u8; 16] {
        let id = self.bytes.get(self.start + 8..self.start + HEADER).and_then(|id| id.try_into().ok());
        mask(&id.unwrap_or([0; 12]))
    }
}
