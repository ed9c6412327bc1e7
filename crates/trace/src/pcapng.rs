//! A capture as pcapng (draft-ietf-opsawg-pcapng), which Wireshark, tshark and sngrep read. Each message or
//! media packet becomes an IP packet with a UDP header, whatever it came by.

use base::Wall;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Packets that begin with an IP header.
const LINKTYPE_RAW: u16 = 101;
const SECTION: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const STATISTICS: u32 = 5;
const PACKET: u32 = 6;
const UDP: u8 = 17;
/// What an IP packet can hold beside its headers.
const PAYLOAD_MAX: usize = 65_535 - 40 - 8;

/// The beginning of a file, with a remark for whoever opens it.
pub fn begin(program: &str, remark: &str) -> Vec<u8> {
    let mut section = Vec::new();
    section.extend_from_slice(&0x1A2B_3C4D_u32.to_le_bytes());
    section.extend_from_slice(&[1, 0, 0, 0]);
    section.extend_from_slice(&u64::MAX.to_le_bytes());
    option(&mut section, 1, remark.as_bytes());
    option(&mut section, 4, program.as_bytes());
    end_options(&mut section);
    let mut interface = Vec::new();
    interface.extend_from_slice(&LINKTYPE_RAW.to_le_bytes());
    interface.extend_from_slice(&[0; 6]);
    option(&mut interface, 2, b"cornetta");
    end_options(&mut interface);
    let mut file = block(SECTION, &section);
    file.extend(block(INTERFACE, &interface));
    file
}

/// One packet. `inbound` is Wireshark's direction.
pub fn packet(at: Wall, from: SocketAddr, to: SocketAddr, inbound: bool, payload: &[u8]) -> Vec<u8> {
    let packet = ip_packet(from, to, payload);
    let length = u32::try_from(packet.len()).unwrap_or(u32::MAX).to_le_bytes();
    let mut body = Vec::with_capacity(packet.len() + 40);
    body.extend_from_slice(&[0; 4]);
    body.extend(stamp(at));
    body.extend_from_slice(&length);
    body.extend_from_slice(&length);
    body.extend_from_slice(&packet);
    pad(&mut body);
    option(&mut body, 2, &(if inbound { 1_u32 } else { 2 }).to_le_bytes());
    end_options(&mut body);
    block(PACKET, &body)
}

/// The end of a file: how many packets came too fast to be written.
pub fn end(at: Wall, dropped: u64) -> Vec<u8> {
    let mut body = vec![0; 4];
    body.extend(stamp(at));
    option(&mut body, 5, &dropped.to_le_bytes());
    end_options(&mut body);
    block(STATISTICS, &body)
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 12).unwrap_or(u32::MAX).to_le_bytes();
    [&kind.to_le_bytes(), &length, body, &length].concat()
}

fn option(into: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = value.get(..value.len().min(4096)).unwrap_or_default();
    into.extend_from_slice(&code.to_le_bytes());
    into.extend_from_slice(&u16::try_from(value.len()).unwrap_or(0).to_le_bytes());
    into.extend_from_slice(value);
    pad(into);
}

fn end_options(into: &mut Vec<u8>) {
    into.extend_from_slice(&[0; 4]);
}

fn pad(into: &mut Vec<u8>) {
    into.resize(into.len().next_multiple_of(4), 0);
}

/// Microseconds since 1970 as two words, the high one first.
fn stamp(at: Wall) -> [u8; 8] {
    let micros = at.unix_micros().max(0).unsigned_abs();
    let (high, low) = ((micros >> 32) as u32, micros as u32);
    let ([a, b, c, d], [e, f, g, h]) = (high.to_le_bytes(), low.to_le_bytes());
    [a, b, c, d, e, f, g, h]
}

fn ip_packet(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let payload = payload.get(..payload.len().min(PAYLOAD_MAX)).unwrap_or_default();
    let length = u16::try_from(payload.len() + 8).unwrap_or(u16::MAX);
    let mut udp = Vec::with_capacity(payload.len() + 8);
    udp.extend_from_slice(&from.port().to_be_bytes());
    udp.extend_from_slice(&to.port().to_be_bytes());
    udp.extend_from_slice(&length.to_be_bytes());
    udp.extend_from_slice(&[0, 0]);
    udp.extend_from_slice(payload);
    match (from.ip().to_canonical(), to.ip().to_canonical()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let addresses = [from.octets(), to.octets()].concat();
            let mut head = vec![0x45, 0];
            head.extend_from_slice(&length.saturating_add(20).to_be_bytes());
            head.extend_from_slice(&[0, 0, 0x40, 0, 64, UDP, 0, 0]);
            head.extend_from_slice(&addresses);
            let sum = checksum(&[&head]);
            set(&mut head, 10, sum);
            let sum = checksum(&[&addresses, &[0, UDP], &length.to_be_bytes(), &udp]);
            set(&mut udp, 6, if sum == 0 { u16::MAX } else { sum });
            [head, udp].concat()
        }
        (from, to) => {
            let addresses = [v6(from).octets(), v6(to).octets()].concat();
            let mut head = vec![0x60, 0, 0, 0];
            head.extend_from_slice(&length.to_be_bytes());
            head.extend_from_slice(&[UDP, 64]);
            head.extend_from_slice(&addresses);
            let sum = checksum(&[&addresses, &[0, UDP], &length.to_be_bytes(), &udp]);
            set(&mut udp, 6, if sum == 0 { u16::MAX } else { sum });
            [head, udp].concat()
        }
    }
}

fn v6(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    }
}

fn set(bytes: &mut [u8], at: usize, value: u16) {
    if let Some(place) = bytes.get_mut(at..at + 2) {
        place.copy_from_slice(&value.to_be_bytes());
    }
}

/// RFC 1071, over parts of which only the last may be odd.
fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u64;
    for pair in parts.iter().flat_map(|part| part.chunks(2)) {
        let low = pair.get(1).copied().unwrap_or(0);
        sum += u64::from(u16::from_be_bytes([pair.first().copied().unwrap_or(0), low]));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}
