//! Every arm of the state tables of RFC 3261 §17 and RFC 6026, in virtual time.

use super::client_invite::ClientInvite;
use super::client_non_invite::ClientNonInvite;
use super::server_invite::ServerInvite;
use super::server_non_invite::ServerNonInvite;
use super::*;
use crate::ua::Timers;

const UDP: bool = false;
const TCP: bool = true;

fn intervals(reliable: bool) -> Intervals {
    Intervals::new(&Timers::default(), reliable)
}

fn at(millis: u64) -> Time {
    Time::from_millis(millis)
}

/// The deadlines of a machine, each with whether it sends and tells, until `rest` says that it is over.
fn lives<M>(
    machine: &mut M,
    deadline: impl Fn(&M) -> Time,
    mut timeout: impl FnMut(&mut M, Time) -> Step,
) -> Vec<(u64, Step)> {
    let mut lived = Vec::new();
    while deadline(machine) < Time::FAR {
        let now = deadline(machine);
        lived.push((now.micros() / 1000, timeout(machine, now)));
        assert!(lived.len() < 100, "it never ends");
    }
    lived
}

fn sends(at: &[u64]) -> Vec<(u64, Step)> {
    at.iter().map(|at| (*at, Step::SEND)).collect()
}

#[test]
fn an_invite_that_nobody_answers_is_repeated_by_timer_a_and_given_up_by_timer_b() {
    let mut machine = ClientInvite::new(at(0), &intervals(UDP));
    let lived = lives(&mut machine, ClientInvite::deadline, |m, now| m.handle_timeout(now, &intervals(UDP)));
    let mut expected = sends(&[500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    expected.extend([(32_000, Step::TELL), (64_000, Step::NOTHING)]);
    assert_eq!(lived, expected);
    assert!(matches!(machine, ClientInvite::Terminated));
}

#[test]
fn an_invite_on_a_stream_is_not_repeated_but_given_up() {
    let mut machine = ClientInvite::new(at(0), &intervals(TCP));
    let lived = lives(&mut machine, ClientInvite::deadline, |m, now| m.handle_timeout(now, &intervals(TCP)));
    assert_eq!(lived, [(32_000, Step::TELL), (64_000, Step::NOTHING)]);
}

#[test]
fn an_answer_that_comes_after_timer_b_is_told_or_acknowledged() {
    for (status, step) in [(180, Step::TELL), (200, Step::TELL), (486, Step::SEND_AND_TELL)] {
        let udp = intervals(UDP);
        let mut machine = ClientInvite::new(at(0), &udp);
        while !matches!(machine, ClientInvite::Late { .. }) {
            machine.handle_timeout(machine.deadline(), &udp);
        }
        assert_eq!(machine.response(at(40_000), status, &udp), step);
        let lived = lives(&mut machine, ClientInvite::deadline, |m, now| m.handle_timeout(now, &udp));
        assert!(lived.iter().all(|(when, _)| *when <= 104_000), "{lived:?}");
        assert!(matches!(machine, ClientInvite::Terminated));
    }
}

#[test]
fn a_provisional_answer_stops_timers_a_and_b_for_good() {
    let mut machine = ClientInvite::new(at(0), &intervals(UDP));
    for status in [100, 180, 183, 199] {
        assert_eq!(machine.response(at(100), status, &intervals(UDP)), Step::TELL);
        assert!(matches!(machine, ClientInvite::Proceeding { .. }));
        assert_eq!(machine.deadline(), Time::FAR);
        assert_eq!(machine.handle_timeout(at(999_999), &intervals(UDP)), Step::NOTHING);
    }
}

#[test]
fn a_refusal_is_acknowledged_told_once_and_acknowledged_again_until_timer_d() {
    for (reliable, d) in [(UDP, 32_100), (TCP, 100)] {
        for before in [None, Some(180)] {
            let intervals = intervals(reliable);
            let mut machine = ClientInvite::new(at(0), &intervals);
            before.map(|status| machine.response(at(50), status, &intervals));
            assert_eq!(machine.response(at(100), 486, &intervals), Step::SEND_AND_TELL);
            assert_eq!(machine.response(at(100), 486, &intervals), Step::SEND);
            assert_eq!(machine.response(at(100), 180, &intervals), Step::NOTHING);
            assert_eq!(machine.response(at(100), 200, &intervals), Step::NOTHING);
            let lived =
                lives(&mut machine, ClientInvite::deadline, |m, now| m.handle_timeout(now, &intervals));
            assert_eq!(lived, [(d, Step::NOTHING)]);
            assert_eq!(machine.response(at(d), 486, &intervals), Step::NOTHING);
        }
    }
}

#[test]
fn every_2xx_is_told_until_timer_m_on_any_transport() {
    for reliable in [UDP, TCP] {
        let intervals = intervals(reliable);
        let mut machine = ClientInvite::new(at(0), &intervals);
        assert_eq!(machine.response(at(100), 200, &intervals), Step::TELL);
        assert_eq!(machine.response(at(200), 202, &intervals), Step::TELL);
        assert_eq!(machine.response(at(200), 180, &intervals), Step::NOTHING);
        assert_eq!(machine.response(at(200), 486, &intervals), Step::NOTHING);
        let lived = lives(&mut machine, ClientInvite::deadline, |m, now| m.handle_timeout(now, &intervals));
        assert_eq!(lived, [(32_100, Step::NOTHING)]);
    }
}

#[test]
fn a_broken_transport_is_told_by_those_who_wait_only() {
    let udp = intervals(UDP);
    let mut calling = ClientInvite::new(at(0), &udp);
    assert_eq!(calling.fail(), Step::TELL);
    let mut completed = ClientInvite::new(at(0), &udp);
    completed.response(at(1), 486, &udp);
    assert_eq!(completed.fail(), Step::NOTHING);
    let mut trying = ClientNonInvite::new(at(0), &udp);
    assert_eq!(trying.fail(), Step::TELL);
    let mut done = ClientNonInvite::new(at(0), &udp);
    done.response(at(1), 200, &udp);
    assert_eq!(done.fail(), Step::NOTHING);
}

#[test]
fn another_request_is_repeated_by_timer_e_up_to_t2_and_given_up_by_timer_f() {
    let udp = intervals(UDP);
    let mut machine = ClientNonInvite::new(at(0), &udp);
    let lived = lives(&mut machine, ClientNonInvite::deadline, |m, now| m.handle_timeout(now, &udp));
    let mut expected = sends(&[500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    expected.push((32_000, Step::TELL));
    assert_eq!(lived, expected);
    let tcp = intervals(TCP);
    let mut machine = ClientNonInvite::new(at(0), &tcp);
    let lived = lives(&mut machine, ClientNonInvite::deadline, |m, now| m.handle_timeout(now, &tcp));
    assert_eq!(lived, [(32_000, Step::TELL)]);
}

#[test]
fn after_a_provisional_answer_another_request_is_repeated_every_t2_and_still_given_up() {
    let udp = intervals(UDP);
    let mut machine = ClientNonInvite::new(at(0), &udp);
    assert_eq!(machine.response(at(100), 100, &udp), Step::TELL);
    assert_eq!(machine.response(at(100), 100, &udp), Step::TELL);
    let lived = lives(&mut machine, ClientNonInvite::deadline, |m, now| m.handle_timeout(now, &udp));
    let mut expected = sends(&[500, 4_500, 8_500, 12_500, 16_500, 20_500, 24_500, 28_500]);
    expected.push((32_000, Step::TELL));
    assert_eq!(lived, expected);
}

#[test]
fn a_final_answer_is_told_once_and_absorbed_until_timer_k() {
    for (reliable, k) in [(UDP, 5_100), (TCP, 100)] {
        for (before, status) in [(None, 200), (Some(100), 481), (None, 699)] {
            let intervals = intervals(reliable);
            let mut machine = ClientNonInvite::new(at(0), &intervals);
            before.map(|status| machine.response(at(50), status, &intervals));
            assert_eq!(machine.response(at(100), status, &intervals), Step::TELL);
            assert_eq!(machine.response(at(100), status, &intervals), Step::NOTHING);
            assert_eq!(machine.response(at(100), 100, &intervals), Step::NOTHING);
            let lived =
                lives(&mut machine, ClientNonInvite::deadline, |m, now| m.handle_timeout(now, &intervals));
            assert_eq!(lived, [(k, Step::NOTHING)]);
        }
    }
}

#[test]
fn an_invite_that_comes_again_gets_the_last_answer() {
    let udp = intervals(UDP);
    let mut machine = ServerInvite::Proceeding;
    assert_eq!(machine.reply(at(0), 100, &udp), Step::SEND);
    assert_eq!(machine.repeated(), Step::SEND);
    assert_eq!(machine.reply(at(0), 180, &udp), Step::SEND);
    assert_eq!(machine.deadline(), Time::FAR);
    assert_eq!(machine.reply(at(0), 486, &udp), Step::SEND);
    assert_eq!(machine.repeated(), Step::SEND);
    assert_eq!(machine.reply(at(0), 200, &udp), Step::NOTHING);
    assert_eq!(machine.reply(at(0), 180, &udp), Step::NOTHING);
}

#[test]
fn a_refusal_is_repeated_by_timer_g_and_given_up_by_timer_h() {
    let udp = intervals(UDP);
    let mut machine = ServerInvite::Proceeding;
    machine.reply(at(0), 486, &udp);
    let lived = lives(&mut machine, ServerInvite::deadline, |m, now| m.handle_timeout(now, &udp));
    let mut expected = sends(&[500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    expected.push((32_000, Step::NOTHING));
    assert_eq!(lived, expected);
    let tcp = intervals(TCP);
    let mut machine = ServerInvite::Proceeding;
    machine.reply(at(0), 486, &tcp);
    let lived = lives(&mut machine, ServerInvite::deadline, |m, now| m.handle_timeout(now, &tcp));
    assert_eq!(lived, [(32_000, Step::NOTHING)]);
}

#[test]
fn an_ack_ends_the_repetition_of_a_refusal_and_its_repetitions_are_absorbed_until_timer_i() {
    for (reliable, i) in [(UDP, 5_100), (TCP, 100)] {
        let intervals = intervals(reliable);
        let mut machine = ServerInvite::Proceeding;
        assert_eq!(machine.acknowledged(at(0), &intervals), Step::NOTHING);
        machine.reply(at(0), 486, &intervals);
        assert_eq!(machine.acknowledged(at(100), &intervals), Step::NOTHING);
        assert!(matches!(machine, ServerInvite::Confirmed { .. }));
        assert_eq!(machine.acknowledged(at(100), &intervals), Step::NOTHING);
        assert_eq!(machine.repeated(), Step::NOTHING);
        let lived = lives(&mut machine, ServerInvite::deadline, |m, now| m.handle_timeout(now, &intervals));
        assert_eq!(lived, [(i, Step::NOTHING)]);
    }
}

#[test]
fn a_2xx_is_the_sessions_and_the_invite_is_absorbed_until_timer_l() {
    for reliable in [UDP, TCP] {
        let intervals = intervals(reliable);
        let mut machine = ServerInvite::Proceeding;
        assert_eq!(machine.reply(at(0), 200, &intervals), Step::SEND);
        assert_eq!(machine.repeated(), Step::NOTHING);
        assert_eq!(machine.acknowledged(at(100), &intervals), Step::TELL);
        assert_eq!(machine.reply(at(100), 486, &intervals), Step::NOTHING);
        let lived = lives(&mut machine, ServerInvite::deadline, |m, now| m.handle_timeout(now, &intervals));
        assert_eq!(lived, [(32_000, Step::NOTHING)]);
    }
}

#[test]
fn another_request_that_comes_again_is_silent_at_first_then_gets_its_answer_until_timer_j() {
    let intervals = intervals(UDP);
    let mut machine = ServerNonInvite::Trying;
    assert_eq!((machine.repeated(), machine.deadline()), (Step::NOTHING, Time::FAR));
    assert_eq!(machine.reply(at(50), 100, &intervals), Step::SEND);
    assert_eq!(machine.repeated(), Step::SEND);
    assert_eq!(machine.reply(at(100), 200, &intervals), Step::SEND);
    assert_eq!(machine.repeated(), Step::SEND);
    assert_eq!(machine.reply(at(100), 486, &intervals), Step::NOTHING);
    assert_eq!(machine.deadline(), at(32_100));
    machine.handle_timeout(at(32_100));
    assert!(matches!(machine, ServerNonInvite::Terminated));
    assert_eq!(machine.repeated(), Step::NOTHING);
}

#[test]
fn an_answer_on_a_stream_ends_its_transaction_without_another_deadline() {
    let mut machine = ServerNonInvite::Trying;
    assert_eq!(machine.reply(at(100), 504, &intervals(TCP)), Step::SEND);
    assert!(matches!(machine, ServerNonInvite::Terminated));
    assert_eq!((machine.repeated(), machine.deadline()), (Step::NOTHING, Time::FAR));
}

#[test]
fn an_invite_that_nobody_cares_for_any_more_ends_after_64_t1_whenever_its_100_comes() {
    let udp = intervals(UDP);
    for late in [false, true] {
        let mut machine = ClientInvite::new(at(0), &udp);
        if late {
            machine.limit(at(1_000), &udp);
            assert_eq!(machine.response(at(1_000), 100, &udp), Step::TELL);
        } else {
            machine.response(at(0), 100, &udp);
            machine.limit(at(1_000), &udp);
        }
        let lived = lives(&mut machine, ClientInvite::deadline, |m, now| m.handle_timeout(now, &udp));
        assert_eq!(lived, [(33_000, Step::TELL), (65_000, Step::NOTHING)]);
    }
}
