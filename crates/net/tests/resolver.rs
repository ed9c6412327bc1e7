//! The resolver against name servers on loopback: what they say is read, and whoever asks never waits, whatever they do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails panics")]

#[path = "support/name_server.rs"]
mod name_server;

use name_server::{A, AAAA, CNAME, NAPTR, NameServer, Reply, SRV, a, aaaa, domain, naptr, srv};
use net::{Resolved, Resolver};
use sip::locate::{Answer, Kind, Query, Record};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedReceiver;

/// What no look-up may take, with some room for a machine that is busy.
const LONGEST: Duration = Duration::from_secs(8);

struct Asking {
    resolver: Resolver,
    told: UnboundedReceiver<Resolved>,
}

impl Asking {
    fn of(servers: &[SocketAddr]) -> Asking {
        let (resolver, told) = Resolver::start(servers.to_vec()).unwrap();
        Asking { resolver, told }
    }

    /// Asks; that takes no time.
    fn ask(&self, kind: Kind, name: &str) {
        let began = Instant::now();
        self.resolver.ask(Query { kind, name: name.to_owned() });
        assert!(began.elapsed() < Duration::from_millis(500), "whoever asks waited {:?}", began.elapsed());
    }

    fn next(&mut self) -> Resolved {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let told = runtime.block_on(async { tokio::time::timeout(LONGEST, self.told.recv()).await });
        told.expect("an answer in time").expect("the resolver lives")
    }

    fn answer(&mut self, kind: Kind, name: &str) -> Answer {
        self.ask(kind, name);
        let (query, answer) = self.next();
        assert_eq!(query, Query { kind, name: name.to_owned() });
        answer
    }
}

/// The addresses of an answer, and how long they hold.
fn addresses(answer: Answer) -> (Vec<IpAddr>, u64) {
    let Answer::Found { records, ttl } = answer else { panic!("{answer:?}") };
    let ip = |record: Record| match record {
        Record::Address { ip, .. } => ip,
        other => panic!("{other:?}"),
    };
    (records.into_iter().map(ip).collect(), ttl.as_secs())
}

fn nothing(seconds: u64) -> Answer {
    Answer::Nothing { ttl: Duration::from_secs(seconds) }
}

#[test]
fn what_a_name_server_says_is_read() {
    let v6 = "::1".parse().unwrap();
    let server = NameServer::start(&[
        (
            "operator.example",
            NAPTR,
            Reply::Records(vec![
                ("", NAPTR, 300, naptr(10, 20, "SIP+D2U", "_sip._udp.operator.example")),
                ("", NAPTR, 200, naptr(20, 5, "SIPS+D2T", "_sips._tcp.operator.example")),
            ]),
        ),
        (
            "_sip._udp.operator.example",
            SRV,
            Reply::Records(vec![("", SRV, 90, srv(1, 2, 5070, "A.operator.example"))]),
        ),
        (
            "a.operator.example",
            A,
            Reply::Records(vec![
                ("", A, 60, a([127, 0, 0, 2].into())),
                ("", A, 30, a([127, 0, 0, 3].into())),
            ]),
        ),
        ("a.operator.example", AAAA, Reply::Records(vec![("", AAAA, 60, aaaa(v6))])),
    ]);
    let mut asking = Asking::of(&[server.address]);
    let Answer::Found { records, ttl } = asking.answer(Kind::Naptr, "operator.example") else { panic!() };
    let one = |order, preference, service: &str, replacement: &str| Record::Naptr {
        order,
        preference,
        flags: "s".to_owned(),
        service: service.to_owned(),
        replacement: replacement.to_owned(),
    };
    assert_eq!(ttl, Duration::from_secs(200), "the shortest of all");
    assert_eq!(
        records,
        [
            one(10, 20, "SIP+D2U", "_sip._udp.operator.example."),
            one(20, 5, "SIPS+D2T", "_sips._tcp.operator.example.")
        ]
    );
    let Answer::Found { records, .. } = asking.answer(Kind::Srv, "_sip._udp.operator.example") else {
        panic!()
    };
    let target = "A.operator.example.".to_owned();
    assert_eq!(records, [Record::Srv { priority: 1, weight: 2, port: 5070, target }]);
    let both = [[127, 0, 0, 2], [127, 0, 0, 3]].map(IpAddr::from);
    assert_eq!(addresses(asking.answer(Kind::A, "a.operator.example")), (both.to_vec(), 30));
    assert_eq!(addresses(asking.answer(Kind::Aaaa, "a.operator.example")), (vec![v6.into()], 60));
}

#[test]
fn the_address_from_which_the_kernel_would_go_there_is_told() {
    let server = NameServer::start(&[(
        "near.example",
        A,
        Reply::Records(vec![("", A, 60, a([127, 0, 0, 9].into()))]),
    )]);
    let Answer::Found { records, .. } = Asking::of(&[server.address]).answer(Kind::A, "near.example") else {
        panic!()
    };
    let near = Record::Address { ip: [127, 0, 0, 9].into(), local: Some([127, 0, 0, 1].into()) };
    assert_eq!(records, [near]);
}

#[test]
fn an_alias_is_followed_and_not_taken_for_a_record() {
    let alias =
        vec![("", CNAME, 600, domain("real.example")), ("real.example", A, 60, a([127, 0, 0, 2].into()))];
    let server = NameServer::start(&[("alias.example", A, Reply::Records(alias))]);
    let (found, ttl) = addresses(Asking::of(&[server.address]).answer(Kind::A, "alias.example"));
    assert_eq!((found, ttl), (vec![IpAddr::from([127, 0, 0, 2])], 60));
}

#[test]
fn a_long_answer_comes_by_tcp() {
    let many = (1..=200).map(|last| ("", A, 60, a([127, 0, 1, last].into()))).collect();
    let server = NameServer::start(&[("many.example", A, Reply::TooLong(many))]);
    assert_eq!(addresses(Asking::of(&[server.address]).answer(Kind::A, "many.example")).0.len(), 200);
}

#[test]
fn that_there_is_nothing_is_told_from_that_nobody_can_say() {
    let server = NameServer::start(&[
        ("gone.example", A, Reply::NoName(45)),
        ("bare.example", A, Reply::NoData(50)),
        ("broken.example", A, Reply::Failure),
    ]);
    let mut asking = Asking::of(&[server.address]);
    assert_eq!(asking.answer(Kind::A, "gone.example"), nothing(45));
    assert_eq!(asking.answer(Kind::A, "bare.example"), nothing(50));
    assert_eq!(asking.answer(Kind::A, "broken.example"), Answer::Failed);
    server.say("broken.example", A, Reply::Records(vec![("", A, 60, a([127, 0, 0, 2].into()))]));
    assert_eq!(
        addresses(asking.answer(Kind::A, "broken.example")).0.len(),
        1,
        "a failure is not remembered here"
    );
}

#[test]
fn nothing_is_remembered_here_what_is_asked_is_asked_of_the_server() {
    let server = NameServer::start(&[(
        "a.example",
        A,
        Reply::Records(vec![("", A, 86_400, a([127, 0, 0, 2].into()))]),
    )]);
    let mut asking = Asking::of(&[server.address]);
    for _ in 0..3 {
        asking.answer(Kind::A, "a.example");
    }
    assert!(server.asked.load(Ordering::Relaxed) >= 3);
}

#[test]
fn a_name_server_that_never_answers_delays_neither_whoever_asks_nor_what_others_answer() {
    let server = NameServer::start(&[
        ("silent.example", A, Reply::Silence),
        ("quick.example", A, Reply::Records(vec![("", A, 60, a([127, 0, 0, 2].into()))])),
    ]);
    let mut asking = Asking::of(&[server.address]);
    for number in 0..20 {
        server.say(&format!("silent{number}.example"), A, Reply::Silence);
        asking.ask(Kind::A, &format!("silent{number}.example"));
    }
    let began = Instant::now();
    asking.ask(Kind::A, "quick.example");
    let (query, answer) = asking.next();
    assert_eq!((query.name.as_str(), addresses(answer).0.len()), ("quick.example", 1));
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    for _ in 0..20 {
        assert_eq!(asking.next().1, Answer::Failed);
    }
    assert!(began.elapsed() < LONGEST, "all are given up within a stated time: {:?}", began.elapsed());
}

#[test]
fn the_next_name_server_is_asked_when_the_first_is_silent_or_not_there() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let gone = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server =
        NameServer::start(&[("a.example", A, Reply::Records(vec![("", A, 60, a([127, 0, 0, 2].into()))]))]);
    for first in [silent.local_addr().unwrap(), gone] {
        let mut asking = Asking::of(&[first, server.address]);
        assert_eq!(addresses(asking.answer(Kind::A, "a.example")).0.len(), 1, "{first}");
    }
}

#[test]
fn more_questions_than_can_wait_are_answered_at_once_that_nobody_can_say() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut asking = Asking::of(&[silent.local_addr().unwrap()]);
    let began = Instant::now();
    for number in 0..20_000 {
        asking.ask(Kind::A, &format!("n{number}.example"));
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    for _ in 0..20_000 {
        assert_eq!(asking.next().1, Answer::Failed, "each gets an answer");
    }
}

#[test]
fn the_thread_ends_with_whoever_asks() {
    let server = NameServer::start(&[]);
    let mut asking = Asking::of(&[server.address]);
    assert_eq!(asking.answer(Kind::A, "none.example"), nothing(60));
    let Asking { resolver, mut told } = asking;
    drop(resolver);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let end = runtime.block_on(async { tokio::time::timeout(LONGEST, told.recv()).await });
    assert_eq!(end.expect("the thread ends"), None);
}
