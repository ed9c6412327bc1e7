//! HEP3, the encapsulation in which Homer takes messages: <https://github.com/sipcapture/HEP>.

use crate::Traced;
use std::net::IpAddr;

/// The protocol type of SIP.
const SIP: u8 = 1;
const UDP: u8 = 17;
const TCP: u8 = 6;

/// Who sends, to Homer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The capture agent's id.
    pub id: u32,
    /// The capture password; none if it is empty.
    pub password: String,
}

/// One message as one HEP3 packet; nothing if it is longer than a packet can say.
pub fn encode(message: &Traced, identity: &Identity) -> Option<Vec<u8>> {
    let (from, to) = message.ends();
    let mut packet = Packet(b"HEP3\0\0".to_vec());
    let micros = message.at.unix_micros().max(0).unsigned_abs();
    let v4 = from.is_ipv4() && to.is_ipv4();
    packet.chunk(1, &[if v4 { 2 } else { 10 }])?;
    packet.chunk(2, &[if message.flow.transport.is_stream() { TCP } else { UDP }])?;
    for (kind, address) in [(3, from.ip()), (4, to.ip())] {
        match (v4, address) {
            (true, IpAddr::V4(ip)) => packet.chunk(kind, &ip.octets())?,
            (_, IpAddr::V4(ip)) => packet.chunk(kind + 2, &ip.to_ipv6_mapped().octets())?,
            (_, IpAddr::V6(ip)) => packet.chunk(kind + 2, &ip.octets())?,
        }
    }
    packet.chunk(7, &from.port().to_be_bytes())?;
    packet.chunk(8, &to.port().to_be_bytes())?;
    packet.chunk(9, &u32::try_from(micros / 1_000_000).unwrap_or(u32::MAX).to_be_bytes())?;
    packet.chunk(10, &u32::try_from(micros % 1_000_000).unwrap_or(0).to_be_bytes())?;
    packet.chunk(11, &[SIP])?;
    packet.chunk(12, &identity.id.to_be_bytes())?;
    if !identity.password.is_empty() {
        packet.chunk(14, identity.password.as_bytes())?;
    }
    packet.chunk(17, message.call.as_bytes())?;
    packet.chunk(15, &message.bytes)?;
    packet.finish()
}

struct Packet(Vec<u8>);

impl Packet {
    /// A chunk of the vendor 0.
    fn chunk(&mut self, kind: u16, value: &[u8]) -> Option<()> {
        let length = u16::try_from(value.len() + 6).ok()?;
        self.0.extend_from_slice(&[0, 0]);
        self.0.extend_from_slice(&kind.to_be_bytes());
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(value);
        Some(())
    }

    fn finish(mut self) -> Option<Vec<u8>> {
        let length = u16::try_from(self.0.len()).ok()?;
        self.0.get_mut(4..6)?.copy_from_slice(&length.to_be_bytes());
        Some(self.0)
    }
}
