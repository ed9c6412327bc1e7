//! How one message lies in a segment: its length, a checksum, and the rest. A record that was cut by a crash is
//! found by either.

use crate::{Traced, Way};
use base::Wall;
use sip::ua::{Flow, Transport};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// The length and the checksum.
pub(crate) const HEAD: usize = 8;
/// More than the longest message with its addresses.
pub(crate) const RECORD_MAX: usize = 128 * 1024;

/// A record's bytes, with its head.
pub(crate) fn encode(message: &Traced) -> Vec<u8> {
    let mut payload = Vec::with_capacity(message.bytes.len() + 96);
    payload.extend_from_slice(&message.at.unix_micros().to_le_bytes());
    payload.push(u8::from(message.way == Way::Out));
    let transport = Transport::ALL.iter().position(|known| *known == message.flow.transport);
    payload.push(transport.and_then(|at| u8::try_from(at).ok()).unwrap_or(0));
    put_address(&mut payload, message.flow.local);
    put_address(&mut payload, message.flow.remote);
    let call = message.call.as_bytes();
    let call = call.get(..call.len().min(255)).unwrap_or_default();
    payload.push(u8::try_from(call.len()).unwrap_or(u8::MAX));
    payload.extend_from_slice(call);
    payload.extend_from_slice(&message.bytes);
    let mut record = Vec::with_capacity(HEAD + payload.len());
    record.extend_from_slice(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
    record.extend_from_slice(&crc32fast::hash(&payload).to_le_bytes());
    record.extend_from_slice(&payload);
    record
}

/// The length of the payload and its checksum; nothing if the length cannot be.
pub(crate) fn head(bytes: [u8; HEAD]) -> Option<(usize, u32)> {
    let [a, b, c, d, e, f, g, h] = bytes;
    let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).ok()?;
    (length <= RECORD_MAX).then_some((length, u32::from_le_bytes([e, f, g, h])))
}

/// The call that a payload names, without looking at the rest.
pub(crate) fn call_of(payload: &[u8]) -> Option<&[u8]> {
    let mut rest = payload.get(10..)?;
    take_address(&mut rest)?;
    take_address(&mut rest)?;
    let (length, rest) = rest.split_first()?;
    rest.get(..usize::from(*length))
}

/// The message of a payload whose checksum is this.
pub(crate) fn decode(payload: &[u8], checksum: u32) -> Option<Traced> {
    if crc32fast::hash(payload) != checksum {
        return None;
    }
    let (at, rest) = payload.split_first_chunk::<8>()?;
    let ([way, transport], mut rest) = rest.split_first_chunk::<2>()?;
    let transport = *Transport::ALL.get(usize::from(*transport))?;
    let local = take_address(&mut rest)?;
    let remote = take_address(&mut rest)?;
    let (length, rest) = rest.split_first()?;
    let (call, bytes) = rest.split_at_checked(usize::from(*length))?;
    Some(Traced {
        at: Wall::from_unix_micros(i64::from_le_bytes(*at)),
        call: Arc::from(std::str::from_utf8(call).ok()?),
        way: if *way == 1 { Way::Out } else { Way::In },
        flow: Flow { transport, local, remote },
        bytes: bytes.to_vec(),
    })
}

fn put_address(into: &mut Vec<u8>, address: SocketAddr) {
    match address.ip() {
        IpAddr::V4(ip) => {
            into.push(4);
            into.extend_from_slice(&ip.octets());
        }
        IpAddr::V6(ip) => {
            into.push(6);
            into.extend_from_slice(&ip.octets());
        }
    }
    into.extend_from_slice(&address.port().to_le_bytes());
}

fn take_address(from: &mut &[u8]) -> Option<SocketAddr> {
    let (family, rest) = from.split_first()?;
    let (ip, rest) = match family {
        4 => rest.split_first_chunk::<4>().map(|(ip, rest)| (IpAddr::from(*ip), rest))?,
        6 => rest.split_first_chunk::<16>().map(|(ip, rest)| (IpAddr::from(*ip), rest))?,
        _ => return None,
    };
    let (port, rest) = rest.split_first_chunk::<2>()?;
    *from = rest;
    Some(SocketAddr::new(ip, u16::from_le_bytes(*port)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_message_is_read_as_it_was_written(
            at in any::<i64>(), out in any::<bool>(), transport in 0_usize..5,
            local in any::<std::net::IpAddr>(), remote in any::<std::net::IpAddr>(), port in any::<u16>(),
            call in "[a-zA-Z0-9-]{0,40}", bytes in prop::collection::vec(any::<u8>(), 0..200)
        ) {
            let flow = Flow {
                transport: Transport::ALL[transport],
                local: SocketAddr::new(local, port),
                remote: SocketAddr::new(remote, port),
            };
            let way = if out { Way::Out } else { Way::In };
            let message = Traced { at: Wall::from_unix_micros(at), call: call.as_str().into(), way, flow, bytes };
            let record = encode(&message);
            let (length, checksum) = head(*record.first_chunk().unwrap()).unwrap();
            let payload = &record[HEAD..];
            prop_assert_eq!(length, payload.len());
            prop_assert_eq!(call_of(payload), Some(call.as_bytes()));
            prop_assert_eq!(decode(payload, checksum), Some(message));
        }

        #[test]
        fn whatever_lies_on_the_disk_nothing_panics(payload in prop::collection::vec(any::<u8>(), 0..100)) {
            call_of(&payload);
            decode(&payload, crc32fast::hash(&payload));
        }
    }
}
