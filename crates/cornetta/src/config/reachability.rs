//! Addresses that nobody outside could answer to.

use super::network::{MediaSection, Sip};
use document::Document;
use sip::locate::{Host, Place};
use sip::ua::Transport;
use std::net::{IpAddr, SocketAddr};

/// An operator outside of a private network would be told to answer to an address inside of it.
pub(super) fn warn_of_private_addresses(document: &mut Document<'_>, sip: &Sip, media: &MediaSection) {
    // Where a name is cannot be known here.
    let outside = |place: &&Place| matches!(place.host, Host::Address(ip) if is_public(ip));
    let trunks = sip.config.trunks.iter();
    let found = trunks.filter_map(|trunk| Some((&trunk.name, trunk.targets.iter().find(outside)?))).next();
    let Some((name, place)) = found else { return };
    let leads =
        |(transport, local): &&(Transport, SocketAddr)| place.is_reachable_from(&[(*transport, *local)]);
    let Some(own) = sip.config.listen.iter().find(leads).map(|(_, local)| local.ip()) else { return };
    if sip.config.public_address.is_none() && is_private(own) {
        let what = format!("the trunk `{name}` is outside, and would be told the private address {own}");
        let what_to_do = "write `public_address` under [sip] and [media]: the address that the world sees";
        document.warn(sip.listen_at, what, what_to_do);
    }
    let own = media.media.address;
    if media.public_address.is_none() && is_private(own) && !own.is_loopback() {
        let what = format!("the trunk `{name}` is outside, and would be told to speak to {own}");
        let what_to_do = "write `public_address` under [media]: the address that the world sees";
        document.warn(sip.listen_at, what, what_to_do);
    }
}

/// Media has one address, and so one version of IP: who has only the other one would hear nothing.
pub(super) fn warn_of_the_other_version(document: &mut Document<'_>, sip: &Sip, media: &MediaSection) {
    let spoken = media.public_address.unwrap_or(media.media.address);
    let other = |(_, local): &&(Transport, SocketAddr)| local.is_ipv4() != spoken.is_ipv4();
    let Some((transport, local)) = sip.config.listen.iter().find(other) else { return };
    let version = if spoken.is_ipv4() { "IPv4" } else { "IPv6" };
    let what = format!(
        "phones that call {}:{local} are told to speak to {spoken}: without {version} they hear nothing",
        transport.name()
    );
    let what_to_do = "listen with the version of `address` under [media], unless all who call have both";
    document.warn(sip.listen_at, what, what_to_do);
}

fn is_public(ip: IpAddr) -> bool {
    !is_private(ip) && !ip.is_loopback() && !ip.is_unspecified()
}

fn is_private(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local() || is_carriers(ip),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// RFC 6598: between a carrier's NAT and its customers.
fn is_carriers(ip: std::net::Ipv4Addr) -> bool {
    let [first, second, ..] = ip.octets();
    first == 100 && (64..128).contains(&second)
}
