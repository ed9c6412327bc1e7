//! Addresses that nobody outside could answer to.

use super::media::MediaSection;
use super::network::Sip;
use document::Document;
use media_api::Family;
use sip::locate::{Host, Place};
use sip::ua::Transport;
use std::net::{IpAddr, SocketAddr};

/// What of the addresses is hardly meant as it is written.
pub(super) fn warn(document: &mut Document<'_>, sip: &Sip, media: &MediaSection) {
    warn_of_private_addresses(document, sip, media);
    warn_of_the_other_version(document, sip, media);
}

/// An operator outside of a private network would be told to answer to an address inside of it.
fn warn_of_private_addresses(document: &mut Document<'_>, sip: &Sip, media: &MediaSection) {
    let what_to_do = "write `public_address` under [sip] and [media]: the address that the world sees";
    let private =
        |place: &Place| own(sip, place).filter(|own| shown(sip, *own).is_none() && is_private(*own));
    if let Some((name, own)) = outside(sip).find_map(|(name, place)| Some((name, private(place)?))) {
        let what = format!("the trunk `{name}` is outside, and would be told the private address {own}");
        document.warn(sip.listen_at, what, what_to_do);
    }
    let what_to_do = "write `public_address` under [media]: the address that the world sees";
    let private = |place: &Place| {
        let own = media.media.addresses.nearest(Family::of(own(sip, place)?))?;
        let is_told = media.public.of(Family::of(own)).is_none();
        (is_told && is_private(own) && !own.is_loopback()).then_some(own)
    };
    if let Some((name, own)) = outside(sip).find_map(|(name, place)| Some((name, private(place)?))) {
        let what = format!("the trunk `{name}` is outside, and would be told to speak to {own}");
        document.warn(sip.listen_at, what, what_to_do);
    }
}

/// The trunks at public addresses. Where a name is cannot be known here.
fn outside(sip: &Sip) -> impl Iterator<Item = (&str, &Place)> {
    let is_outside = |place: &&Place| matches!(place.host, Host::Address(ip) if is_public(ip));
    let trunks = sip.config.trunks.iter();
    trunks.flat_map(move |trunk| {
        trunk.targets.iter().filter(is_outside).map(|place| (trunk.name.as_str(), place))
    })
}

/// The address from which a place is reached.
fn own(sip: &Sip, place: &Place) -> Option<IpAddr> {
    let leads =
        |(transport, local): &&(Transport, SocketAddr)| place.is_reachable_from(&[(*transport, *local)]);
    sip.config.listen.iter().find(leads).map(|(_, local)| local.ip())
}

/// What SIP shows to the world instead of an address of ours.
fn shown(sip: &Sip, own: IpAddr) -> Option<IpAddr> {
    sip.config.public_address.filter(|public| Family::of(*public) == Family::of(own))
}

/// Who has only a version of IP in which media has no address would hear nothing.
fn warn_of_the_other_version(document: &mut Document<'_>, sip: &Sip, media: &MediaSection) {
    let told = |local: SocketAddr| {
        let family = Family::of(local.ip());
        let own = media.media.addresses.nearest(family).filter(|own| Family::of(*own) != family)?;
        Some(media.public.of(Family::of(own)).unwrap_or(own))
    };
    let told = |(transport, local): &(Transport, SocketAddr)| Some((*transport, *local, told(*local)?));
    let Some((transport, local, told)) = sip.config.listen.iter().find_map(told) else { return };
    let (version, lacking) = (Family::of(told), Family::of(local.ip()));
    let what = format!(
        "phones that call {}:{local} are told to speak to {told}: without {version} they hear nothing",
        transport.name()
    );
    let what_to_do = format!("write an {lacking} address too in `address` under [media]");
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
