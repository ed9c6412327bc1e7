//! Parties by IPv4 and by IPv6: each is given ports of the family that it speaks, and they talk with each other.

use crate::support::desk::*;
use crate::support::stage::*;
use engine::Past;
use media_api::{Addresses, Command, Family, LegId};
use std::net::{IpAddr, SocketAddr};

/// The exchange at both families, open to phones of both.
fn both() -> engine::Config {
    let mut config = with_trunk();
    config.sip.listen.push((sip::ua::Transport::Udp, exchange_v6()));
    config.sip.open_to.push("2001:db8::/32".parse().unwrap());
    config
}

/// A phone by IPv6.
fn six(last: u16) -> SocketAddr {
    SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, last], 5060))
}

/// For which families ports were asked, in the order of the legs.
fn opened(stage: &Stage) -> Vec<Family> {
    let families = stage.commands.iter().filter_map(|command| match command {
        Command::Open { family, .. } => Some(*family),
        _ => None,
    });
    families.collect()
}

/// The lines of a description that say where: the origin's and the connection's addresses.
fn said(message: &str) -> (String, String) {
    let line = |kind: &str| {
        let line = message.lines().find_map(|line| line.strip_prefix(kind)).unwrap();
        line.split("IN ").nth(1).unwrap().to_owned()
    };
    (line("o="), line("c="))
}

fn pair(address: &str) -> (String, String) {
    (address.to_owned(), address.to_owned())
}

#[test]
fn a_caller_by_ipv6_is_put_through_to_an_agent_by_ipv4_and_keeps_its_ports_in_a_new_offer() {
    let mut stage = Stage::with(both(), Past::default());
    register(&mut stage, "anna", address(ANNA));
    let mut caller = caller_in_queue(&mut stage, six(9), 1);
    let (mut anna, invite) = Line::called(&mut stage, address(ANNA));
    assert_eq!(said(&invite), pair("IP4 10.0.0.1"));
    anna.answer(&mut stage, &invite, "200 OK", &sdp(address(ANNA), SENDRECV));
    stage.expect(address(ANNA), "ACK");
    anna.starts_counting();
    assert_eq!(opened(&stage), [Family::V6, Family::V4]);
    assert!(stage.commands.contains(&Command::Bridge { a: LegId(1), b: LegId(2) }));
    assert_eq!(stage.streams[&LegId(1)].remote.ip(), six(9).ip());
    assert_eq!(stage.streams[&LegId(2)].remote.ip(), address(ANNA).ip());
    let held = reoffers(&mut stage, &mut caller, "sendonly");
    assert_eq!(said(&held), pair("IP6 2001:db8::1"));
    assert_eq!(opened(&stage).len(), 2);
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &anna);
    stage.assert_all_is_over();
}

#[test]
fn a_caller_by_ipv4_reaches_a_device_that_registered_by_ipv6() {
    let mut stage = Stage::with(both(), Past::default());
    register(&mut stage, "anna", address(ANNA));
    register(&mut stage, "bruno", six(51));
    let mut anna = Line::dial_as(&mut stage, "anna", address(ANNA), "bruno");
    let (mut bruno, invite) = Line::called(&mut stage, six(51));
    assert_eq!(said(&invite), pair("IP6 2001:db8::1"));
    bruno.answer(&mut stage, &invite, "200 OK", &sdp(six(51), SENDRECV));
    stage.expect(six(51), "ACK");
    bruno.starts_counting();
    assert_eq!(said(&anna.connect(&mut stage)), pair("IP4 10.0.0.1"));
    assert_eq!(opened(&stage), [Family::V4, Family::V6]);
    hangs_up(&mut stage, &mut anna);
    hung_up_on(&mut stage, &bruno);
    stage.assert_all_is_over();
}

#[test]
fn the_offers_address_says_the_family_and_without_one_the_way_of_sip_does() {
    let held_by_address = sdp(six(9), SENDRECV).replace("c=IN IP6 2001:db8::9", "c=IN IP4 0.0.0.0");
    let mapped = sdp(address(9), SENDRECV).replace("c=IN IP4 10.0.0.9", "c=IN IP6 ::ffff:10.0.0.9");
    let of_the_line =
        sdp(address(9), SENDRECV).replace("101\r\na=rtp", "101\r\nc=IN IP6 2001:db8::9\r\na=rtp");
    let cases = [
        (address(9), sdp(six(9), SENDRECV), Family::V6),
        (six(9), sdp(address(9), SENDRECV), Family::V4),
        (address(9), of_the_line, Family::V6),
        (six(9), mapped, Family::V4),
        (six(9), held_by_address, Family::V6),
        (six(9), String::new(), Family::V6),
        (address(9), String::new(), Family::V4),
        (six(9), "v=0\r\nnonsense".to_owned(), Family::V6),
    ];
    for (phone, offer, family) in cases {
        let mut stage = Stage::with(both(), Past::default());
        Line::dial(&mut stage, phone, "echo", &offer);
        assert_eq!(opened(&stage), [family], "{offer}");
    }
}

#[test]
fn the_public_address_is_shown_in_the_place_of_the_one_of_its_family_alone() {
    let mut config = both();
    config.media_public = Addresses::from("203.0.113.5".parse::<IpAddr>().unwrap());
    for (phone, shown) in [(address(9), "IP4 203.0.113.5"), (six(9), "IP6 2001:db8::1")] {
        let mut stage = Stage::with(config.clone(), Past::default());
        let mut caller = Line::dial(&mut stage, phone, "echo", &sdp(phone, SENDRECV));
        assert_eq!(said(&caller.connect(&mut stage)), pair(shown));
    }
}
