//! Where speech comes to: the addresses, the ports, and what the world sees of them.

use super::Media;
use super::codecs::codecs;
use super::media_terms::{self, Written};
use super::read::{number, parsed_text};
use document::{Document, Entry, Section};
use media_api::{Addresses, Codec, Family};
use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;

const REACHED: &str = "write the IP address that phones can reach";
const SEEN: &str = "write the IP address that the world sees";

pub(super) struct MediaSection {
    pub(super) media: Media,
    /// What is shown instead of the address of the same family.
    pub(super) public: Addresses,
    /// Those of whoever has no list of their own, if they are written.
    pub(super) codecs: Option<Vec<Codec>>,
    /// How it is encrypted where nothing else is written.
    pub(super) terms: Written,
}

pub(super) fn media(document: &mut Document<'_>, root: &mut Section<'_>) -> Option<MediaSection> {
    let addresses = Addresses::from(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let mut media = Media { addresses, ports: 16384..=32767, threads: 1 };
    let mut public = Addresses::default();
    let Some(entry) = root.take("media") else {
        return Some(MediaSection { media, public, codecs: None, terms: Written::default() });
    };
    let mut section = document.section(&entry)?;
    if let Some(entry) = section.take("address") {
        let found = addresses_of(document, &entry, REACHED, None);
        // What is wrong has been told: nothing is compared with what was meant.
        media.addresses = if found.iter().next().is_some() { found } else { media.addresses };
    }
    if let Some(entry) = section.take("ports")
        && let Some(written) = document.text(&entry)
        && let Some(ports) = ports(document, written, entry.value_at())
    {
        media.ports = ports;
    }
    media.threads = usize::try_from(number(document, &mut section, "threads", 1..=64, 1)).unwrap_or(1);
    if let Some(entry) = section.take("public_address") {
        public = addresses_of(document, &entry, SEEN, Some(&media.addresses));
    }
    let codecs = codecs(document, &mut section);
    let terms = media_terms::written(document, &mut section);
    section.finish(document);
    Some(MediaSection { media, public, codecs, terms })
}

/// One address, or a list with one of each family. Those of the world stand for `own` ones.
fn addresses_of(
    document: &mut Document<'_>,
    entry: &Entry<'_>,
    how: &str,
    own: Option<&Addresses>,
) -> Addresses {
    let mut addresses = Addresses::default();
    if entry.value.get_ref().as_array().is_some_and(|list| list.is_empty()) {
        document.fault(entry.value_at(), format!("`{}` holds no address", entry.name), how);
    }
    for (text, at) in document.texts(entry) {
        let Some(address) = parsed_text::<IpAddr>(document, (text, at), how) else { continue };
        let family = Family::of(address);
        if address.to_canonical().is_unspecified() {
            let what_to_do = "write the IP address of the interface that phones can reach";
            document.fault(at, "the unspecified address would be told to phones", what_to_do);
        } else if address.to_canonical().is_multicast() || address == IpAddr::V4(Ipv4Addr::BROADCAST) {
            document.fault(at, format!("`{text}` is the address of many, not of one"), how);
        } else if own.is_some_and(|own| own.of(family).is_none()) {
            let what = format!("there is no {family} `address` for which `{text}` could be shown");
            document.fault(at, what, format!("write one under [media], or leave `{text}` out"));
        } else if addresses.put(address).is_some() {
            let what = format!("`{text}` is a second {family} address");
            document.fault(at, what, "keep one of each family: one IPv4 address, one IPv6 address");
        }
    }
    addresses
}

fn ports(document: &mut Document<'_>, written: &str, at: usize) -> Option<RangeInclusive<u16>> {
    let range = written.split_once('-').and_then(|(low, high)| {
        let (low, high): (u16, u16) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
        (low >= 1024 && high > low).then_some(low..=high)
    });
    if range.is_none() {
        document.fault(at, format!("`{written}` is not a range of ports"), "write it like \"16384-32767\"");
    }
    range
}
