//! From a name to addresses (RFC 3263, RFC 2782): what is asked of name servers, in which order the answers are tried,
//! and what becomes of calls while no name server answers.

use crate::world::*;
use base::{Seed, Time};
use sip::locate::{self, Answer, Kind, Located, Locator, Place, Query, Record};
use sip::ua::*;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

const HOUR: u64 = 3_600_000;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn address_of(text: &str) -> Record {
    Record::Address { ip: ip(text), local: None }
}

fn srv(priority: u16, weight: u16, target: &str) -> Record {
    Record::Srv { priority, weight, port: 5070, target: target.to_owned() }
}

fn naptr(order: u16, preference: u16, service: &str, replacement: &str) -> Record {
    let (service, replacement) = (service.to_owned(), replacement.to_owned());
    Record::Naptr { order, preference, flags: "s".to_owned(), service, replacement }
}

fn found(ttl_s: u64, records: &[Record]) -> Answer {
    Answer::Found { records: records.to_vec(), ttl: Duration::from_secs(ttl_s) }
}

fn nothing(ttl_s: u64) -> Answer {
    Answer::Nothing { ttl: Duration::from_secs(ttl_s) }
}

/// What name servers know, by question as people write it. They say of all else that there is nothing.
#[derive(Clone, Default)]
struct Zone(BTreeMap<String, Answer>);

impl Zone {
    fn of(known: &[(&str, Answer)]) -> Zone {
        Zone(known.iter().map(|(question, answer)| ((*question).to_owned(), answer.clone())).collect())
    }

    fn answer(&self, query: &Query) -> Answer {
        self.0.get(&query.to_string()).cloned().unwrap_or(nothing(60))
    }

    /// The zone while its servers fail.
    fn failing(&self) -> Zone {
        Zone(self.0.keys().map(|question| (question.clone(), Answer::Failed)).collect())
    }
}

fn listen() -> Vec<(Transport, SocketAddr)> {
    [(Transport::Udp, "10.0.0.1:5060"), (Transport::Tcp, "10.0.0.1:5060"), (Transport::Tls, "10.0.0.1:5061")]
        .map(|(transport, at)| (transport, at.parse().unwrap()))
        .into()
}

/// A locator by itself, with what it has asked.
struct Map {
    locator: Locator,
    now: Time,
    asked: Vec<String>,
}

impl Map {
    fn with(listen: Vec<(Transport, SocketAddr)>, keep: &[&str]) -> Map {
        let now = Time::from_millis(1_000);
        let keep = keep.iter().map(|place| Place::parse(place).unwrap()).collect();
        let config = locate::Config { listen, keep, answers_max: 8 };
        Map { locator: Locator::new(config, Seed::from_number(1), now), now, asked: vec![] }
    }

    fn new() -> Map {
        Map::with(listen(), &[])
    }

    /// Answers whatever is asked.
    fn serve(&mut self, zone: &Zone) {
        while let Some(locate::Output::Resolve { query }) = self.locator.poll_output() {
            self.asked.push(query.to_string());
            let answer = zone.answer(&query);
            self.locator.handle(self.now, locate::Input::Resolved { query, answer });
        }
    }

    /// Time goes by, with these name servers.
    fn pass(&mut self, millis: u64, zone: &Zone) {
        let until = self.now + Duration::from_millis(millis);
        while let Some(at) = self.locator.poll_timeout().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            assert_eq!(self.locator.handle_timeout(self.now), [], "every question is answered here");
            self.serve(zone);
        }
        self.now = until;
    }

    /// Where a place is, whatever has to be asked for it.
    fn find(&mut self, place: &str, zone: &Zone) -> Vec<String> {
        let place = Place::parse(place).unwrap();
        for _ in 0..64 {
            match self.locator.locate(self.now, &place) {
                Located::At(ways) => {
                    self.serve(zone);
                    let written =
                        |way: &locate::Way| format!("{}:{}", way.flow.transport.name(), way.flow.remote);
                    return ways.iter().map(written).collect();
                }
                Located::Nowhere => return vec![],
                Located::WaitsFor(query) => {
                    self.serve(zone);
                    assert!(self.asked.contains(&query.to_string()), "it waits for what it has asked");
                }
            }
        }
        panic!("{place} is never found");
    }
}

#[test]
fn naptr_says_which_transport_and_only_its_lowest_order_counts() {
    let zone = Zone::of(&[
        (
            "NAPTR operator.example",
            found(
                60,
                &[
                    naptr(20, 1, "SIP+D2U", "_sip._udp.operator.example"),
                    naptr(10, 20, "SIP+D2T", "_sip._tcp.operator.example"),
                    naptr(10, 10, "sips+d2t", "_sips._tcp.other.example"),
                    naptr(5, 1, "SIP+D2S", "_sip._sctp.operator.example"),
                    naptr(1, 1, "E2U+sip", "enum.operator.example"),
                ],
            ),
        ),
        ("SRV _sips._tcp.other.example", found(60, &[srv(1, 0, "a.example")])),
        ("SRV _sip._tcp.operator.example", found(60, &[srv(1, 0, "b.example")])),
        ("SRV _sip._udp.operator.example", found(60, &[srv(1, 0, "c.example")])),
        ("A a.example", found(60, &[address_of("192.0.2.1")])),
        ("A b.example", found(60, &[address_of("192.0.2.2")])),
        ("A c.example", found(60, &[address_of("192.0.2.3")])),
    ]);
    let mut map = Map::new();
    assert_eq!(map.find("operator.example", &zone), ["tls:192.0.2.1:5070", "tcp:192.0.2.2:5070"]);
    assert!(!map.asked.iter().any(|question| question.contains("c.example")), "{:?}", map.asked);
}

#[test]
fn without_naptr_the_servers_of_each_transport_are_asked_for_in_the_order_of_our_sockets() {
    let zone = Zone::of(&[
        ("SRV _sip._tcp.operator.example", found(60, &[srv(20, 0, "b.example"), srv(10, 0, "a.example")])),
        ("A a.example", found(60, &[address_of("192.0.2.1"), address_of("192.0.2.11")])),
        ("A b.example", found(60, &[address_of("192.0.2.2")])),
    ]);
    let mut map = Map::new();
    let ways = map.find("operator.example", &zone);
    assert_eq!(ways, ["tcp:192.0.2.1:5070", "tcp:192.0.2.11:5070", "tcp:192.0.2.2:5070"]);
    let asked =
        ["NAPTR operator.example", "SRV _sip._udp.operator.example", "SRV _sip._tcp.operator.example"];
    assert_eq!(map.asked[..3], asked);
}

#[test]
fn a_name_without_servers_is_its_own_and_a_dot_says_that_there_is_none() {
    let alone = Zone::of(&[("A operator.example", found(60, &[address_of("192.0.2.9")]))]);
    assert_eq!(Map::new().find("operator.example", &alone), ["udp:192.0.2.9:5060"]);
    assert_eq!(Map::new().find("tls:operator.example", &alone), ["tls:192.0.2.9:5061"]);
    assert_eq!(Map::new().find("sips:operator.example", &alone), ["tls:192.0.2.9:5061"]);
    let mut none = alone;
    none.0.insert("SRV _sip._udp.operator.example".to_owned(), found(60, &[srv(0, 0, ".")]));
    assert!(Map::new().find("udp:operator.example", &none).is_empty());
}

#[test]
fn what_is_written_is_not_asked_for() {
    let zone = Zone::of(&[("A operator.example", found(60, &[address_of("192.0.2.9")]))]);
    for (place, way, asked) in [
        ("operator.example:5080", "udp:192.0.2.9:5080", &["A operator.example"][..]),
        ("tcp:operator.example:5080", "tcp:192.0.2.9:5080", &["A operator.example"]),
        ("udp:192.0.2.9", "udp:192.0.2.9:5060", &[]),
        ("tls:192.0.2.9", "tls:192.0.2.9:5061", &[]),
        ("192.0.2.9", "udp:192.0.2.9:5060", &[]),
        (
            "tcp:operator.example",
            "tcp:192.0.2.9:5060",
            &["SRV _sip._tcp.operator.example", "A operator.example"],
        ),
    ] {
        let mut map = Map::new();
        assert_eq!(map.find(place, &zone), [way], "{place}");
        assert_eq!(map.asked, asked, "{place}");
    }
}

#[test]
fn both_families_are_used_and_nobody_waits_for_one_if_the_other_is_known() {
    let mut sockets = listen();
    sockets.push((Transport::Udp, "[2001:db8::1]:5060".parse().unwrap()));
    let zone = Zone::of(&[
        ("A operator.example", found(60, &[address_of("192.0.2.9")])),
        ("AAAA operator.example", found(60, &[address_of("2001:db8::9")])),
    ]);
    let mut map = Map::with(sockets.clone(), &[]);
    let both = ["udp:[2001:db8::9]:5080", "udp:192.0.2.9:5080"];
    assert_eq!(map.find("udp:operator.example:5080", &zone), both);
    assert_eq!(map.find("tcp:operator.example:5080", &zone), ["tcp:192.0.2.9:5080"], "no socket of IPv6");

    let mut map = Map::with(sockets, &[]);
    let place = Place::parse("udp:operator.example:5080").unwrap();
    assert!(matches!(map.locator.locate(map.now, &place), Located::WaitsFor(_)));
    let query = Query { kind: Kind::A, name: "operator.example".to_owned() };
    let answer = zone.answer(&query);
    map.locator.handle(map.now, locate::Input::Resolved { query, answer });
    let Located::At(ways) = map.locator.locate(map.now, &place) else { panic!("it waits for AAAA") };
    assert_eq!(ways[0].flow.remote, "192.0.2.9:5080".parse().unwrap());
}

#[test]
fn of_one_priority_each_server_is_first_as_often_as_its_weight_says() {
    let servers = [
        srv(10, 60, "a.example"),
        srv(10, 30, "b.example"),
        srv(10, 10, "c.example"),
        srv(20, 99, "d.example"),
    ];
    let mut known = vec![("SRV _sip._udp.operator.example", found(86_400, &servers))];
    let addresses =
        ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"].map(|ip| found(86_400, &[address_of(ip)]));
    let names = ["A a.example", "A b.example", "A c.example", "A d.example"];
    known.extend(names.into_iter().zip(addresses));
    let zone = Zone::of(&known);
    let mut map = Map::new();
    map.find("udp:operator.example", &zone);
    let mut firsts: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..10_000 {
        let ways = map.find("udp:operator.example", &zone);
        assert_eq!(
            (ways.len(), ways[3].as_str()),
            (4, "udp:192.0.2.4:5070"),
            "the higher priority number is last"
        );
        *firsts.entry(ways[0].clone()).or_default() += 1;
    }
    let shares = ["udp:192.0.2.1:5070", "udp:192.0.2.2:5070", "udp:192.0.2.3:5070"].map(|way| firsts[way]);
    for (share, wanted) in shares.into_iter().zip([6_000, 3_000, 1_000]) {
        assert!(share.abs_diff(wanted) < 200, "{shares:?}");
    }
    assert_eq!(map.asked.len(), 5, "a burst of calls asks once: {:?}", map.asked);
}

#[test]
fn nobody_waits_again_for_name_servers_that_failed_and_they_are_asked_ever_more_rarely() {
    let dead = Zone::of(&[("A operator.example", Answer::Failed)]);
    let mut map = Map::with(listen(), &["operator.example:5060"]);
    map.serve(&dead);
    let place = Place::parse("operator.example:5060").unwrap();
    assert_eq!(map.locator.locate(map.now, &place), Located::Nowhere);
    map.pass(120_000, &dead);
    assert!((5..=6).contains(&map.asked.len()), "at once, then after 5, 10, 20, 40 s: {}", map.asked.len());
    map.asked.clear();
    map.pass(HOUR, &dead);
    assert!((60..=82).contains(&map.asked.len()), "at least every minute: {}", map.asked.len());
    let alive = Zone::of(&[("A operator.example", found(300, &[address_of("192.0.2.9")]))]);
    map.pass(61_000, &alive);
    assert_eq!(map.find("operator.example:5060", &alive), ["udp:192.0.2.9:5060"]);
}

#[test]
fn what_is_kept_is_asked_for_before_it_ends_and_what_is_not_kept_is_not() {
    let zone = Zone::of(&[
        ("A kept.example", found(100, &[address_of("192.0.2.1")])),
        ("A other.example", found(100, &[address_of("192.0.2.2")])),
    ]);
    let mut map = Map::with(listen(), &["kept.example:5060"]);
    map.serve(&zone);
    map.find("other.example:5060", &zone);
    map.asked.clear();
    map.pass(1_000_000, &zone);
    assert!((10..=13).contains(&map.asked.len()), "{:?}", map.asked);
    assert!(map.asked.iter().all(|question| question == "A kept.example"));
}

#[test]
fn old_answers_hold_through_an_outage_of_hours_and_not_for_ever() {
    let zone = Zone::of(&[("A operator.example", found(300, &[address_of("192.0.2.9")]))]);
    let outage = zone.failing();
    let mut map = Map::with(listen(), &["operator.example:5060"]);
    map.serve(&zone);
    let place = Place::parse("operator.example:5060").unwrap();
    for hour in 0..24 {
        assert_eq!(map.find("operator.example:5060", &outage), ["udp:192.0.2.9:5060"], "hour {hour}");
        assert!(map.locator.is_at(&place, ip("192.0.2.9")));
        map.pass(HOUR, &outage);
    }
    map.pass(HOUR, &outage);
    assert!(map.find("operator.example:5060", &outage).is_empty(), "a day is enough");
    map.pass(61_000, &zone);
    assert_eq!(map.find("operator.example:5060", &zone), ["udp:192.0.2.9:5060"]);
}

#[test]
fn a_name_that_is_gone_is_gone_although_it_was_known_before() {
    let zone = Zone::of(&[("A operator.example", found(60, &[address_of("192.0.2.9")]))]);
    let mut map = Map::with(listen(), &["operator.example:5060"]);
    map.serve(&zone);
    map.pass(30_000, &zone);
    map.pass(61_000, &Zone::default());
    assert!(map.find("operator.example:5060", &Zone::default()).is_empty());
}

#[test]
fn no_more_names_are_remembered_than_the_limit_and_those_that_are_kept_stay() {
    let zone = Zone::of(&[("A kept.example", found(86_400, &[address_of("192.0.2.1")]))]);
    let mut map = Map::with(listen(), &["kept.example:5060"]);
    map.serve(&zone);
    for number in 0..100 {
        map.find(&format!("other{number}.example:5060"), &zone);
        assert!(map.locator.len() <= 8);
    }
    map.asked.clear();
    assert_eq!(map.find("kept.example:5060", &zone), ["udp:192.0.2.1:5060"]);
    assert_eq!(map.asked, [""; 0]);
}

// With a whole user agent ----------------------------------------------------------------------------------------

fn named_trunk() -> Trunk {
    Trunk {
        targets: vec![Place::parse("udp:sip.operator.example").unwrap()],
        domain: Some("operator.example".into()),
        ..trunk("operator", 0)
    }
}

/// Alice with a trunk that is a name.
fn world() -> World {
    let mut config = open_config(ALICE);
    config.trunks = vec![named_trunk()];
    config.open_to = vec![];
    World::of(vec![config], 5)
}

fn operators_zone() -> Zone {
    Zone::of(&[
        (
            "SRV _sip._udp.sip.operator.example",
            found(
                300,
                &[
                    Record::Srv { priority: 1, weight: 0, port: 5060, target: "a.operator.example".into() },
                    Record::Srv { priority: 2, weight: 0, port: 5060, target: "b.operator.example".into() },
                ],
            ),
        ),
        ("A a.operator.example", found(300, &[address_of("10.0.0.7")])),
        ("A b.operator.example", found(300, &[address_of("10.0.0.8")])),
    ])
}

/// Name servers answer what was asked.
fn serve(world: &mut World, zone: &Zone) {
    while let Some(query) = world.asked.pop() {
        let answer = zone.answer(&query);
        world.agents[ALICE].ua.handle(world.now, Input::Resolved { query, answer });
        world.drain(ALICE);
    }
}

fn pass(world: &mut World, seconds: u64, zone: &Zone) {
    for _ in 0..seconds {
        world.run_for(1_000);
        serve(world, zone);
    }
}

fn call(world: &mut World) -> SessionId {
    world.call_towards(ALICE, Towards::Trunk("operator".into()), "operator.example", None)
}

#[test]
fn a_call_before_the_first_answer_waits_for_it_and_is_made_then() {
    let mut world = world();
    let session = call(&mut world);
    world.run_for(500);
    assert_eq!(world.sent_by(ALICE, "INVITE"), 0);
    serve(&mut world, &operators_zone());
    world.run_for(20);
    let invite = world.take(address(6)).pop().expect("an INVITE at 10.0.0.7");
    assert!(invite.starts_with("INVITE sip:help@operator.example SIP/2.0"), "{invite}");
    world.inject(address(6), ALICE, &answer_to(&invite, "486 Busy Here", ""));
    assert_eq!(world.ending(ALICE, session).status, Some(486));
}

#[test]
fn a_caller_who_hangs_up_while_a_name_is_asked_for_is_let_go_at_once() {
    let mut world = world();
    let session = call(&mut world);
    world.act(ALICE, Do::HangUp { session, q850: None });
    assert_eq!(world.agents[ALICE].ua.load().sessions, 0);
    serve(&mut world, &operators_zone());
    world.run_for(60_000);
    assert_eq!(world.sent_by(ALICE, "INVITE"), 0);
    world.assert_idle();
}

#[test]
fn a_call_to_a_name_that_no_server_answers_for_ends_and_says_why() {
    let mut world = world();
    let session = call(&mut world);
    // The shell itself says nothing: neither of the servers nor, after 15 s, of the name's own address.
    world.run_for(30_100);
    let ending = world.ending(ALICE, session);
    assert_eq!(ending.how, How::FlowFailed);
    assert!(ending.detail.contains("sip.operator.example"), "{}", ending.detail);
    let next = call(&mut world);
    assert_eq!(world.ending(ALICE, next).how, How::FlowFailed, "the next one does not wait");
    world.assert_idle();
}

#[test]
fn calls_go_and_come_through_an_outage_of_name_servers() {
    let (mut world, zone) = (world(), operators_zone());
    serve(&mut world, &zone);
    pass(&mut world, 5 * 3_600, &zone.failing());
    let session = call(&mut world);
    world.run_for(20);
    let invite = world.take(address(6)).pop().expect("an INVITE after five hours");
    world.inject(address(6), ALICE, &answer_to(&invite, "486 Busy Here", ""));
    assert_eq!(world.ending(ALICE, session).status, Some(486));
    world.inject(address(7), ALICE, &invite_of(address(7)));
    let from = world.agents[ALICE].events.iter().find_map(|(_, event)| match event {
        Event::Incoming { invite, .. } => Some(invite.peer.clone()),
        _ => None,
    });
    assert_eq!(from, Some(Peer::Trunk("operator".into())), "its second server is still known");
}

fn invite_of(from: SocketAddr) -> String {
    with_body(&invite(from, "incoming", ""), OFFER)
}

#[test]
fn a_new_address_of_a_name_is_used_by_the_next_call() {
    let (mut world, mut zone) = (world(), operators_zone());
    serve(&mut world, &zone);
    zone.0.insert("A a.operator.example".into(), found(300, &[address_of("10.0.0.9")]));
    pass(&mut world, 301, &zone);
    call(&mut world);
    world.run_for(20);
    assert_eq!(world.take(address(8)).len(), 1);
    assert!(world.take_nothing(address(6)));
}

#[test]
fn the_certificate_must_bear_the_name_that_was_written_and_not_that_of_a_server() {
    let mut config = open_config(ALICE);
    config.listen.push((Transport::Tls, SocketAddr::from(([10, 0, 0, 1], 5061))));
    let targets = vec![Place::parse("tls:sip.operator.example").unwrap()];
    config.trunks = vec![Trunk { targets, ..named_trunk() }];
    let mut world = World::of(vec![config], 5);
    let zone = Zone::of(&[
        (
            "SRV _sips._tcp.sip.operator.example",
            found(
                300,
                &[Record::Srv {
                    priority: 1,
                    weight: 0,
                    port: 5061,
                    target: "cloud7.elsewhere.example".into(),
                }],
            ),
        ),
        ("A cloud7.elsewhere.example", found(300, &[address_of("10.0.0.7")])),
    ]);
    serve(&mut world, &zone);
    call(&mut world);
    let at = SocketAddr::from(([10, 0, 0, 7], 5061));
    let told = (at, "sip.operator.example".to_owned());
    assert!(world.expected.contains(&told) && world.expected.iter().all(|other| *other == told));
    world.expected.clear();
    call(&mut world);
    assert!(world.expected.contains(&told), "the shell may have forgotten it: it is told for each call");
}

#[test]
fn a_trunk_that_is_not_found_yet_is_not_the_first_to_be_called() {
    let mut world = world();
    let reach = |world: &mut World| {
        let now = world.now;
        world.agents[ALICE].ua.reach(now, "operator")
    };
    assert_eq!(reach(&mut world), Reach::Down);
    serve(&mut world, &operators_zone());
    assert_eq!(reach(&mut world), Reach::Ready);
}
