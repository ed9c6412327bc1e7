use crate::zone::with_link;
use base::{Rng, Seed};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;

/// How many pairs are tried before a leg is refused: enough to pass over those in use and what other
/// programs hold, few enough not to stall the caller.
const TRIES: usize = 64;

/// Two bound, non-blocking sockets: RTP on an even port and RTCP on the next (RFC 3550 §11).
#[derive(Debug)]
pub struct PortPair {
    /// For RTP.
    pub rtp: UdpSocket,
    /// For RTCP.
    pub rtcp: UdpSocket,
    /// The address of `rtp`.
    pub local: SocketAddr,
}

/// Gives out port pairs of a range in turn, so that a port rests as long as possible before another leg
/// gets it and stray packets of the last call find nobody.
#[derive(Debug)]
pub struct PortPairs {
    address: IpAddr,
    first: u16,
    pairs: u32,
    next: u32,
}

impl PortPairs {
    /// Pairs on `address` whose ports lie in `ports`, beginning at a place drawn from `seed`.
    pub fn new(address: IpAddr, ports: RangeInclusive<u16>, seed: Seed) -> PortPairs {
        let first = u32::from(*ports.start()).next_multiple_of(2);
        let pairs = (u32::from(*ports.end()) + 1).saturating_sub(first) / 2;
        let mut rng: Rng = seed.rng();
        let next = rng.below(u64::from(pairs)) as u32;
        PortPairs { address, first: u16::try_from(first).unwrap_or(u16::MAX), pairs, next }
    }

    /// Binds the next free pair.
    ///
    /// # Errors
    /// None of the next 64 pairs is free, the range holds no pair, or the address is not this machine's.
    pub fn bind(&mut self) -> io::Result<PortPair> {
        let mut last = io::Error::new(io::ErrorKind::InvalidInput, "the port range holds no even port");
        for _ in 0..TRIES.min(self.pairs as usize) {
            let port = u32::from(self.first) + self.next * 2;
            self.next = (self.next + 1) % self.pairs;
            match bind_pair(self.address, port as u16) {
                Ok(pair) => return Ok(pair),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }
}

fn bind_pair(address: IpAddr, port: u16) -> io::Result<PortPair> {
    let local = SocketAddr::new(address, port);
    let rtp = UdpSocket::bind(with_link(local)?)?;
    let rtcp = UdpSocket::bind(with_link(SocketAddr::new(address, port + 1))?)?;
    rtp.set_nonblocking(true)?;
    rtcp.set_nonblocking(true)?;
    Ok(PortPair { rtp, rtcp, local })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn pairs_are_even_and_odd_and_differ_until_the_range_is_used_up() {
        let localhost = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let mut ports = PortPairs::new(localhost, 23_001..=23_006, Seed::from_number(1));
        let held: Vec<PortPair> = (0..2).map(|_| ports.bind().unwrap()).collect();
        let mut numbers: Vec<u16> = held.iter().map(|pair| pair.local.port()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [23_002, 23_004]);
        for pair in &held {
            assert_eq!(pair.rtcp.local_addr().unwrap().port(), pair.local.port() + 1);
        }
        assert_eq!(ports.bind().unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(held);
        ports.bind().unwrap();
    }

    #[test]
    fn a_range_without_a_pair_is_refused_and_the_top_of_the_range_is_usable() {
        let localhost = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let seed = Seed::from_number(1);
        assert!(PortPairs::new(localhost, 23_011..=23_012, seed).bind().is_err());
        assert!(PortPairs::new(localhost, 65_535..=65_535, seed).bind().is_err());
        assert_eq!(PortPairs::new(localhost, 65_534..=65_535, seed).bind().unwrap().local.port(), 65_534);
    }
}
