//! The guard alone: its memory and what a message costs it.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use base::{Rng, Seed, Time};
use sip::guard::{Attempt, BANS_MAX, Belief, Dropped, Guard, GuardConfig, KNOWN_MAX, Notice, Standing};
use sip::ua::{Flow, Transport};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

fn from(ip: IpAddr) -> Flow {
    let local = SocketAddr::from(([192, 0, 2, 1], 5060));
    Flow { transport: Transport::Udp, local, remote: SocketAddr::new(ip, 5060) }
}

fn guard() -> Guard {
    Guard::new(GuardConfig::default(), vec!["198.51.100.0/24".parse().unwrap()], ["maria".to_owned()])
}

fn wrong(user: &str) -> Attempt<'_> {
    Attempt { user, method: "REGISTER", right: false, fresh: false, returned: true, there: false }
}

fn any_ip(rng: &mut Rng) -> IpAddr {
    let high = (u128::from(rng.next_u32()) << 96) | (u128::from(rng.next_u32()) << 64);
    match rng.next_u32() % 2 {
        0 => IpAddr::V4(rng.next_u32().into()),
        _ => IpAddr::V6(Ipv6Addr::from_bits(high | 1)),
    }
}

const SCAN: &[u8] = b"OPTIONS sip:100@192.0.2.1 SIP/2.0\r\nUser-Agent: friendly-scanner\r\n\r\n";
const PLAIN: &[u8] = b"OPTIONS sip:100@192.0.2.1 SIP/2.0\r\nUser-Agent: phone\r\n\r\n";

#[test]
fn a_million_sources_that_scan_flood_and_prove_themselves_leave_memory_bounded() {
    let mut guard = guard();
    let mut rng = Seed::from_number(1).rng();
    let (mut most, mut banned, mut living) = (0, 0_u64, 0_i64);
    for number in 0..1_000_000_u64 {
        let now = Time::from_micros(number * 200);
        let ip = any_ip(&mut rng);
        let _ = guard.ask(now, from(ip), if number % 2 == 0 { SCAN } else { PLAIN });
        if number % 16 == 0 {
            guard.acquaint(now, ip);
        }
        guard.handle_timeout(now);
        while let Some(notice) = guard.poll_output() {
            match notice {
                Notice::Banned(_) => (banned, living) = (banned + 1, living + 1),
                Notice::Unbanned { .. } => living -= 1,
                Notice::Door(_) => {}
            }
        }
        most = most.max(guard.remembered());
    }
    assert!(most <= 2 * (3 * 32_768 + 4096) + KNOWN_MAX, "{most}");
    assert_eq!(guard.bans().count() as i64, living);
    assert!(living as usize <= BANS_MAX);
    // 200 s at five new bans a second, after a hundred at once.
    assert!((1000..=1101).contains(&banned), "{banned}");
}

#[test]
fn strangers_share_a_budget_and_who_is_known_has_their_own() {
    let mut guard = guard();
    let mut rng = Seed::from_number(2).rng();
    let known: IpAddr = "198.51.100.7".parse().unwrap();
    let (mut strangers, mut known_heard) = (0, 0);
    for number in 0..50_000_u64 {
        // Ten seconds at 5 000 strangers a second, and a thousand messages of a trunk.
        let now = Time::from_micros(number * 200);
        strangers += u64::from(guard.ask(now, from(any_ip(&mut rng)), PLAIN) == Ok(Standing::Stranger));
        if number % 5 == 0 {
            known_heard += u64::from(guard.ask(now, from(known), PLAIN) == Ok(Standing::Known));
        }
    }
    assert_eq!(known_heard, 10_000);
    assert!((11_990..=12_010).contains(&strangers), "{strangers}");
}

#[test]
fn one_network_cannot_use_up_what_all_strangers_share() {
    let mut guard = guard();
    let heard = (0..50_000_u64).filter(|number| {
        let ip = IpAddr::from([203, 0, 113, (number % 256) as u8]);
        guard.ask(Time::from_micros(number * 200), from(ip), PLAIN).is_ok()
    });
    assert!((1390..=1410).contains(&heard.count()));
    let elsewhere = IpAddr::from([203, 0, 114, 1]);
    assert!(guard.ask(Time::from_millis(10_000), from(elsewhere), PLAIN).is_ok());
}

#[test]
fn one_source_that_goes_on_beyond_its_budget_is_kept_out() {
    let mut guard = guard();
    let source = IpAddr::from([203, 0, 113, 9]);
    let answers: Vec<_> =
        (0..5000_u64).map(|number| guard.ask(Time::from_micros(number * 200), from(source), PLAIN)).collect();
    assert!(answers.contains(&Err(Dropped("source_rate"))));
    assert_eq!(answers.last(), Some(&Err(Dropped("banned"))));
    let ban = guard.bans().next().unwrap();
    assert_eq!((ban.rule.as_str(), ban.source), ("flood", "203.0.113.9/32".parse().unwrap()));
    assert!(ban.evidence.messages >= 1000);
}

#[test]
fn a_new_configuration_gives_no_new_guesses_at_an_account_that_stays() {
    let mut guard = guard();
    for number in 0..40 {
        let source = IpAddr::from([203, 0, number, 9]);
        guard.attempted(Time::ZERO, from(source), wrong("maria"));
    }
    guard.configure(GuardConfig::default(), vec![], ["maria".to_owned(), "paolo".to_owned()]);
    let right = |user| Attempt { right: true, fresh: true, ..wrong(user) };
    let source = IpAddr::from([203, 0, 113, 9]);
    assert_eq!(guard.attempted(Time::ZERO, from(source), right("maria")), Belief::Challenge);
    assert_eq!(guard.attempted(Time::ZERO, from(source), right("paolo")), Belief::Take);
}

#[test]
fn a_host_of_ipv6_does_not_get_away_by_changing_its_address() {
    let mut guard = guard();
    let host = |last: u64| IpAddr::V6(Ipv6Addr::from_bits((0x2001_0db8_0001_0002 << 64) | u128::from(last)));
    assert_eq!(guard.ask(Time::ZERO, from(host(1)), SCAN), Err(Dropped("scanner")));
    assert_eq!(guard.ask(Time::ZERO, from(host(2)), PLAIN), Err(Dropped("banned")));
    let next_door = IpAddr::V6(Ipv6Addr::from_bits(0x2001_0db8_0001_0003 << 64));
    assert!(guard.ask(Time::ZERO, from(next_door), PLAIN).is_ok());
}

#[test]
fn who_was_known_is_a_stranger_again_when_their_time_is_over() {
    let mut guard = guard();
    let ip = IpAddr::from([203, 0, 113, 9]);
    guard.acquaint_until(ip, Time::from_millis(60_000));
    assert_eq!(guard.ask(Time::ZERO, from(ip), SCAN), Ok(Standing::Known), "not even looked through");
    let at = guard.poll_timeout().unwrap();
    assert_eq!(at, Time::from_millis(60_000));
    guard.handle_timeout(at);
    assert_eq!(guard.standing(ip), Standing::Stranger);
    assert_eq!(guard.poll_timeout(), None);
}

#[test]
fn a_network_that_changes_its_addresses_does_not_use_up_what_an_account_has() {
    let networks: [fn(u64) -> IpAddr; 2] = [
        |number| IpAddr::V6(Ipv6Addr::from_bits((0x2001_0db8_0001_u128 << 80) | u128::from(number) << 64)),
        |number| IpAddr::from([203, 0, 113, number as u8]),
    ];
    let right = Attempt { right: true, fresh: true, ..wrong("maria") };
    for host in networks {
        let mut guard = guard();
        for second in 0..3600 {
            for number in 0..4 {
                let now = Time::from_millis(second * 1000);
                let _ = guard.attempted(now, from(host(second * 4 + number)), wrong("maria"));
                guard.handle_timeout(now);
            }
            if second % 60 == 0 {
                let late = IpAddr::from([198, 18, (second / 60) as u8, 9]);
                let now = Time::from_millis(second * 1000);
                assert_eq!(guard.attempted(now, from(late), right), Belief::Take, "after {second} s");
            }
        }
    }
}
