//! Link-local addresses of IPv6, which mean something only together with a link, their zone (RFC 4007). Nobody above
//! the sockets knows of links: a socket that is bound to such an address is bound to its link too, and tells
//! addresses without one. SIP and SDP have no way to write a zone.

use std::fs;
use std::io;
use std::net::{Ipv6Addr, SocketAddr};

/// The kernel's list of addresses.
const ADDRESSES: &str = "/proc/net/if_inet6";

/// What to bind: a link-local address with the link that has it, unless the link is there already; others as they are.
///
/// # Errors
/// Several links have the address.
pub(crate) fn with_link(address: SocketAddr) -> io::Result<SocketAddr> {
    match address {
        SocketAddr::V6(mut v6) if v6.ip().is_unicast_link_local() && v6.scope_id() == 0 => {
            // Where the list cannot be read, the kernel refuses the address itself.
            let listed = fs::read_to_string(ADDRESSES).unwrap_or_default();
            v6.set_scope_id(link_of(*v6.ip(), &listed)?.unwrap_or_default());
            Ok(v6.into())
        }
        other => Ok(other),
    }
}

/// The same without a link, for a socket that is bound to one.
pub(crate) fn without_link(mut address: SocketAddr) -> SocketAddr {
    if let SocketAddr::V6(v6) = &mut address {
        v6.set_scope_id(0);
    }
    address
}

/// Whether a socket at this address is bound to one link.
pub(crate) fn is_of_link(address: SocketAddr) -> bool {
    matches!(address, SocketAddr::V6(v6) if v6.ip().is_unicast_link_local())
}

/// The number of the link that has this address, in lines such as
/// `fe800000000000000000000000000001 02 40 20 80 eth0`, whose second word is it.
fn link_of(address: Ipv6Addr, listed: &str) -> io::Result<Option<u32>> {
    let mut links = listed.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let is_its = u128::from_str_radix(words.next()?, 16).ok()? == address.to_bits();
        let link = u32::from_str_radix(words.next()?, 16).ok()?;
        is_its.then_some(link)
    });
    let link = links.next();
    if links.next().is_some() {
        let why = format!("{address} is an address of several links; give one of them another");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    Ok(link)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: &str = "00000000000000000000000000000001 01 80 10 80       lo\n\
        fe800000000000000000000000000001 02 40 20 80     eth0\n\
        fe8000000000000000000000000000aa 0b 40 20 80     eth1\n\
        fe8000000000000000000000000000bb 02 40 20 80     eth0\n\
        fe8000000000000000000000000000bb 0b 40 20 80     eth1\n";

    #[test]
    fn a_link_local_address_is_found_on_its_link_and_on_no_other() {
        let link = |address: &str| link_of(address.parse().unwrap(), LISTED);
        assert_eq!(link("fe80::1").unwrap(), Some(2));
        assert_eq!(link("fe80::aa").unwrap(), Some(11));
        assert_eq!(link("fe80::2").unwrap(), None);
        let told = link("fe80::bb").unwrap_err().to_string();
        assert!(told.contains("several links"), "{told}");
    }

    #[test]
    fn only_link_local_addresses_without_a_link_are_looked_for() {
        for address in ["127.0.0.1:5060", "[::1]:5060", "[2001:db8::1]:5060", "[fe80::1%7]:5060"] {
            let address = address.parse().unwrap();
            assert_eq!(with_link(address).unwrap(), address);
        }
        assert_eq!(without_link("[fe80::1%7]:5060".parse().unwrap()), "[fe80::1]:5060".parse().unwrap());
    }
}
