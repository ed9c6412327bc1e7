//! Who a datagram is from, as far as budgets and bans go, and tables of such sources that cannot grow.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The network that one who sends from `ip` has all of: the address itself in IPv4, the /64 in IPv6
/// (RFC 6177 §2: nobody gets less, and hosts change their addresses in it at will).
pub fn source_of(ip: IpAddr) -> IpNet {
    within(ip, 32, 64)
}

/// The network of one customer or hoster: /24 in IPv4, /48 in IPv6.
pub fn prefix_of(ip: IpAddr) -> IpNet {
    within(ip, 24, 48)
}

fn within(ip: IpAddr, v4: u8, v6: u8) -> IpNet {
    match ip.to_canonical() {
        IpAddr::V4(ip) => Ipv4Net::new(ip, v4).map_or(IpNet::from(IpAddr::V4(ip)), |net| net.trunc().into()),
        IpAddr::V6(ip) => Ipv6Net::new(ip, v6).map_or(IpNet::from(IpAddr::V6(ip)), |net| net.trunc().into()),
    }
}

/// A network as one number and a length, which is quick to compare: IPv4 as IPv6 sees it.
pub(super) fn key_of(net: IpNet) -> (u8, u128) {
    match net {
        IpNet::V4(net) => (net.prefix_len().saturating_add(96), mapped(IpAddr::V4(net.network()))),
        IpNet::V6(net) => (net.prefix_len(), mapped(IpAddr::V6(net.network()))),
    }
}

fn mapped(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

/// Something of each source, or of whatever else `K` tells apart, for `2 · capacity` of them at most. When
/// `capacity` new ones have come, those that were not heard of meanwhile are forgotten.
#[derive(Debug)]
pub(super) struct Sources<T, K = (u8, u128)> {
    capacity: usize,
    young: BTreeMap<K, T>,
    old: BTreeMap<K, T>,
}

impl<T: Default, K: Ord + Copy> Sources<T, K> {
    pub(super) fn new(capacity: usize) -> Sources<T, K> {
        Sources { capacity, young: BTreeMap::new(), old: BTreeMap::new() }
    }

    /// That of `key`; a new one if there is none.
    pub(super) fn at(&mut self, key: K) -> &mut T {
        if !self.young.contains_key(&key) {
            let known = self.old.remove(&key).unwrap_or_default();
            if self.young.len() >= self.capacity {
                self.old = std::mem::take(&mut self.young);
            }
            self.young.insert(key, known);
        }
        self.young.entry(key).or_default()
    }

    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

impl<T: Default> Sources<T> {
    /// That of `net`; a new one if there is none.
    pub(super) fn of(&mut self, net: IpNet) -> &mut T {
        self.at(key_of(net))
    }

    pub(super) fn forget(&mut self, net: IpNet) {
        let key = key_of(net);
        self.young.remove(&key);
        self.old.remove(&key);
    }
}

/// Networks, asked by address: one look-up for each length of prefix that is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetSet {
    by_length: BTreeMap<u8, std::collections::BTreeSet<u128>>,
}

impl NetSet {
    /// Whether it was not there before.
    pub fn insert(&mut self, net: IpNet) -> bool {
        let (length, bits) = key_of(net);
        self.by_length.entry(length).or_default().insert(bits)
    }

    /// Takes it out.
    pub fn remove(&mut self, net: IpNet) {
        let (length, bits) = key_of(net);
        if let Some(of_length) = self.by_length.get_mut(&length) {
            of_length.remove(&bits);
            if of_length.is_empty() {
                self.by_length.remove(&length);
            }
        }
    }

    /// Whether one of its networks has the address.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let bits = mapped(ip.to_canonical());
        self.by_length.iter().any(|(length, nets)| {
            let mask = u128::MAX.checked_shl(128 - u32::from(*length)).unwrap_or(0);
            nets.contains(&(bits & mask))
        })
    }
}

impl FromIterator<IpNet> for NetSet {
    fn from_iter<I: IntoIterator<Item = IpNet>>(nets: I) -> NetSet {
        let mut set = NetSet::default();
        nets.into_iter().for_each(|net| {
            set.insert(net);
        });
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    #[test]
    fn a_source_is_an_address_of_ipv4_and_a_64_of_ipv6() {
        for (ip, source, prefix) in [
            ("192.0.2.77", "192.0.2.77/32", "192.0.2.0/24"),
            ("::ffff:192.0.2.77", "192.0.2.77/32", "192.0.2.0/24"),
            ("2001:db8:1:2:3::4", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ] {
            let ip = ip.parse().unwrap();
            assert_eq!((source_of(ip), prefix_of(ip)), (net(source), net(prefix)), "{ip}");
        }
    }

    #[test]
    fn a_set_of_networks_has_the_addresses_of_each() {
        let mut set: NetSet =
            ["192.0.2.0/24", "192.0.2.9/32", "2001:db8::/32", "10.0.0.0/8"].map(net).into_iter().collect();
        let has = |set: &NetSet, ip: &str| set.contains(ip.parse().unwrap());
        for inside in ["192.0.2.9", "::ffff:192.0.2.10", "2001:db8:ffff::1", "10.1.1.1"] {
            assert!(has(&set, inside), "{inside}");
        }
        for outside in ["192.0.3.1", "2001:db9::1", "11.0.0.0", "::c000:209"] {
            assert!(!has(&set, outside), "{outside}");
        }
        assert!(!set.insert(net("10.0.0.0/8")), "it was there");
        set.remove(net("192.0.2.9/32"));
        set.remove(net("10.0.0.0/8"));
        assert!(has(&set, "192.0.2.9") && !has(&set, "10.1.1.1"));
    }

    #[test]
    fn everything_is_a_network_too() {
        let all: NetSet = ["0.0.0.0/0", "::/0"].map(net).into_iter().collect();
        assert!(all.contains("8.8.8.8".parse().unwrap()) && all.contains("2001:db8::1".parse().unwrap()));
    }

    #[test]
    fn a_million_sources_take_no_more_room_than_twice_the_capacity() {
        let mut sources: Sources<u32> = Sources::new(1000);
        for number in 0..1_000_000_u32 {
            *sources.of(source_of(IpAddr::V4(number.into()))) += 1;
            // One that is heard of again and again is never forgotten.
            *sources.of(net("203.0.113.1/32")) += 1;
            assert!(sources.len() <= 2000);
        }
        assert_eq!(*sources.of(net("203.0.113.1/32")), 1_000_000);
        assert_eq!(*sources.of(net("0.0.0.1/32")), 0, "forgotten");
    }
}
