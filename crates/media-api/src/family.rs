//! The two versions of IP, and what each of them is spoken from.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A version of IP. Nothing goes from an address of the one to an address of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// That of an address. An IPv4 address written as an IPv6 one (RFC 4291 §2.5.5.2) is IPv4.
    pub fn of(address: IpAddr) -> Family {
        if address.to_canonical().is_ipv4() { Family::V4 } else { Family::V6 }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Family::V4 => "IPv4",
            Family::V6 => "IPv6",
        })
    }
}

/// At most one address of each family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// That of IPv4.
    pub v4: Option<Ipv4Addr>,
    /// That of IPv6.
    pub v6: Option<Ipv6Addr>,
}

impl Addresses {
    /// The address of this family, if there is one.
    pub fn of(&self, family: Family) -> Option<IpAddr> {
        match family {
            Family::V4 => self.v4.map(IpAddr::V4),
            Family::V6 => self.v6.map(IpAddr::V6),
        }
    }

    /// The address of this family, or else that of the other.
    pub fn nearest(&self, family: Family) -> Option<IpAddr> {
        self.of(family).or(self.of(Family::V4)).or(self.of(Family::V6))
    }

    /// Puts an address in the place of its family. Gives the one that had it.
    pub fn put(&mut self, address: IpAddr) -> Option<IpAddr> {
        match address.to_canonical() {
            IpAddr::V4(address) => self.v4.replace(address).map(IpAddr::V4),
            IpAddr::V6(address) => self.v6.replace(address).map(IpAddr::V6),
        }
    }

    /// All that there are, IPv4 first.
    pub fn iter(&self) -> impl Iterator<Item = IpAddr> {
        [Family::V4, Family::V6].into_iter().filter_map(|family| self.of(family))
    }
}

impl From<IpAddr> for Addresses {
    fn from(address: IpAddr) -> Addresses {
        let mut addresses = Addresses::default();
        addresses.put(address);
        addresses
    }
}
