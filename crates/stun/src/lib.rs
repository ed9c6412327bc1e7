//! STUN (RFC 8489): Binding requests and what is answered to them. As a keep-alive of SIP over UDP, to learn how the world
//! sees us, and as the checks of ICE (RFC 8445).
//!
//! Nothing here allocates for a message that is read; what is written goes into the caller's buffer.

mod keep_alive;
mod key;
mod message;
mod write;

pub use keep_alive::{answer, binding_request, mapped_address};
pub use key::Key;
pub use message::{Kind, Message, Role, is_stun};
pub use write::{Error, Writer};

/// What names a request and its answer.
pub type TransactionId = [u8; 12];

const COOKIE: u32 = 0x2112_A442;
const HEADER: usize = 20;
/// HMAC-SHA1's length.
const INTEGRITY: usize = 20;
/// What the check sum is mixed with, so that it is no other protocol's (RFC 8489 §14.7).
const FINGERPRINT_MASK: u32 = 0x5354_554E;

/// The attributes that are known, by their numbers (RFC 8489 §18.3, RFC 8445 §16.1).
mod attribute {
    pub(crate) const MAPPED_ADDRESS: u16 = 0x0001;
    pub(crate) const USERNAME: u16 = 0x0006;
    pub(crate) const MESSAGE_INTEGRITY: u16 = 0x0008;
    pub(crate) const ERROR_CODE: u16 = 0x0009;
    pub(crate) const UNKNOWN_ATTRIBUTES: u16 = 0x000A;
    pub(crate) const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    pub(crate) const PRIORITY: u16 = 0x0024;
    pub(crate) const USE_CANDIDATE: u16 = 0x0025;
    pub(crate) const FINGERPRINT: u16 = 0x8028;
    pub(crate) const ICE_CONTROLLED: u16 = 0x8029;
    pub(crate) const ICE_CONTROLLING: u16 = 0x802A;

    /// Those below it must be understood by whoever reads them (RFC 8489 §14).
    pub(crate) const OPTIONAL: u16 = 0x8000;
}
