//! Calls outside by the trunks of a route: which is tried, which is passed over, which failure sends a call to the next,
//! and what the caller hears of it.

use crate::support::desk::*;
use crate::support::stage::*;
use engine::{Choose, Line as Carries, NumberSet, Past, Prices, Route, Routing, Service, Target};
use facts::{Cause, FactKind, PassedOver};
use sip::locate::{Answer, Kind, Place, Query, Record};
use sip::ua::Trunk;
use std::net::SocketAddr;
use std::time::Duration;

const TIM: u8 = 90;
const WIND: u8 = 91;
const FASTWEB: u8 = 92;
const CALLER: u8 = 9;

/// The number of the service that puts through to a number outside.
const OUT: &str = "0699990000";

/// Three trunks, and a service that puts through to 06 12345678.
fn three_trunks() -> engine::Config {
    let mut config = config();
    for (name, at) in [("tim", TIM), ("wind", WIND), ("fastweb", FASTWEB)] {
        config.sip.trunks.push(trunk(name, at));
    }
    let target = Target::Number { number: "0612345678".to_owned() };
    config.services.insert(OUT.to_owned(), Service::Dial(target));
    config.services.insert("800100100".to_owned(), Service::Echo);
    config
}

fn route(trunks: &[&str], choose: Choose) -> Route {
    let trunks = trunks.iter().map(|trunk| (*trunk).to_owned()).collect();
    Route { name: "all".to_owned(), numbers: None, trunks, choose }
}

/// Every number goes by these trunks, in this order.
fn routed(trunks: &[&str]) -> engine::Config {
    let mut config = three_trunks();
    config.routing.routes = vec![route(trunks, Choose::Order)];
    config
}

fn carries(config: &mut engine::Config, trunk: &str, channels: Option<u32>, calls_per_second: Option<u32>) {
    let line = Carries { channels, calls_per_second, ..Carries::default() };
    config.routing.lines.insert(trunk.to_owned(), line);
}

fn dials(stage: &mut Stage, last: u8, number: &str) -> Line {
    Line::dial(stage, address(last), number, &sdp(address(last), SENDRECV))
}

/// A trunk refuses the call that it gets, perhaps with a Reason.
fn fails(stage: &mut Stage, trunk: u8, status: &str) {
    refuses(stage, address(trunk), status);
}

/// The final answer that a phone has got to its INVITE.
fn final_answer(stage: &mut Stage, last: u8) -> String {
    loop {
        let answer = stage.next(address(last));
        assert_ne!(answer, "nothing", "no final answer");
        if !answer.starts_with("SIP/2.0 1") {
            return answer;
        }
    }
}

fn first_line(message: &str) -> &str {
    message.lines().next().unwrap_or("")
}

/// The trunks that calls were sent by, each with those that were passed over and why.
fn tried(stage: &Stage) -> Vec<String> {
    let facts = stage.facts.iter();
    facts
        .filter_map(|fact| match &fact.kind {
            FactKind::LegRouted { trunk, passed_over, .. } => Some(format!("{trunk}{}", listed(passed_over))),
            FactKind::CallCongested { passed_over, .. } => Some(format!("none{}", listed(passed_over))),
            _ => None,
        })
        .collect()
}

fn listed(passed_over: &[PassedOver]) -> String {
    passed_over.iter().map(|over| format!(" {}:{}", over.trunk, over.why)).collect()
}

fn is_put_through(stage: &mut Stage, caller: &mut Line, trunk: u8) -> Line {
    let outside = answers(stage, address(trunk));
    caller.connect(stage);
    outside
}

/// The caller hangs up, and so is whoever they talk with.
fn ends(stage: &mut Stage, caller: &mut Line, outside: &Line) {
    hangs_up(stage, caller);
    hung_up_on(stage, outside);
}

#[test]
fn a_call_goes_to_the_next_trunk_and_the_caller_hears_nothing_of_it() {
    let mut stage = Stage::with(routed(&["wind", "tim", "fastweb"]), Past::default());
    let mut caller = dials(&mut stage, CALLER, OUT);
    assert_eq!(first_line(&stage.next(address(CALLER))), "SIP/2.0 100 Trying");
    fails(&mut stage, WIND, "503 Service Unavailable");
    fails(&mut stage, TIM, "500 Server Internal Error");
    assert_eq!(stage.next(address(CALLER)), "nothing");
    let outside = is_put_through(&mut stage, &mut caller, FASTWEB);
    assert_eq!(tried(&stage), ["wind", "tim", "fastweb"]);
    ends(&mut stage, &mut caller, &outside);
    stage.assert_all_is_over();
    let routed = |kind: &FactKind| matches!(kind, FactKind::LegRouted { route, .. } if route == "all");
    assert_eq!(stage.count(routed), 3);
    let ended = |kind: &FactKind| matches!(kind, FactKind::LegEnded { leg, .. } if *leg > 1);
    assert_eq!(stage.count(ended), 3, "each attempt is a leg with an end of its own");
}

#[test]
fn only_a_failure_that_another_trunk_might_not_have_sends_the_call_on() {
    for (status, goes_on) in [
        ("408 Request Timeout", true),
        ("500 Server Internal Error", true),
        ("502 Bad Gateway", true),
        ("503 Service Unavailable", true),
        ("504 Server Time-out", true),
        ("480 Temporarily Unavailable\r\nReason: Q.850;cause=34", true),
        ("480 Temporarily Unavailable\r\nReason: Q.850;cause=38", true),
        ("404 Not Found\r\nReason: Q.850;cause=3", true),
        ("486 Busy Here", false),
        ("600 Busy Everywhere", false),
        ("603 Decline", false),
        ("404 Not Found", false),
        ("410 Gone", false),
        ("484 Address Incomplete", false),
        ("480 Temporarily Unavailable", false),
        ("403 Forbidden", false),
        ("503 Service Unavailable\r\nReason: Q.850;cause=17", false),
        ("500 Server Internal Error\r\nReason: Q.850;cause=1", false),
    ] {
        let mut stage = Stage::with(routed(&["tim", "wind"]), Past::default());
        dials(&mut stage, CALLER, OUT);
        fails(&mut stage, TIM, status);
        if goes_on {
            fails(&mut stage, WIND, "486 Busy Here");
            assert_eq!(first_line(&final_answer(&mut stage, CALLER)), "SIP/2.0 486 Busy Here", "{status}");
        } else {
            assert_eq!(stage.next(address(WIND)), "nothing", "{status}");
            let told = final_answer(&mut stage, CALLER);
            assert_eq!(first_line(&told)[..11], format!("SIP/2.0 {status}")[..11]);
        }
        stage.assert_all_is_over();
    }
}

#[test]
fn when_every_trunk_has_failed_the_caller_is_told_what_the_last_one_said() {
    let mut stage = Stage::with(routed(&["tim", "wind"]), Past::default());
    dials(&mut stage, CALLER, OUT);
    fails(&mut stage, TIM, "500 Server Internal Error");
    fails(&mut stage, WIND, "504 Server Time-out\r\nReason: Q.850;cause=38");
    let told = final_answer(&mut stage, CALLER);
    assert_eq!(first_line(&told)[..11], *"SIP/2.0 504");
    assert!(header(&told, "Reason").starts_with("Q.850;cause=38"), "{told}");
    stage.assert_all_is_over();
    assert_eq!(tried(&stage), ["tim", "wind"]);
}

#[test]
fn a_dead_trunk_costs_four_seconds_and_what_it_says_late_is_ended() {
    let mut stage = Stage::with(routed(&["tim", "wind"]), Past::default());
    let mut caller = dials(&mut stage, CALLER, OUT);
    let (late, invite) = Line::called(&mut stage, address(TIM));
    stage.wait(Duration::from_millis(3_900));
    assert_eq!(stage.next(address(WIND)), "nothing");
    stage.wait(Duration::from_millis(200));
    let outside = is_put_through(&mut stage, &mut caller, WIND);
    late.answer(&mut stage, &invite, "200 OK", &sdp(address(TIM), SENDRECV));
    stage.expect(address(TIM), "ACK");
    hung_up_on(&mut stage, &late);
    ends(&mut stage, &mut caller, &outside);
    stage.assert_all_is_over();
}

#[test]
fn a_trunk_that_says_100_and_nothing_else_is_left_for_the_next_that_has_room() {
    for room in [true, false] {
        let mut config = routed(&["tim", "wind"]);
        for trunk in &mut config.sip.trunks {
            trunk.progress_within = Some(Duration::from_secs(12));
        }
        carries(&mut config, "wind", Some(u32::from(room)), None);
        let mut stage = Stage::with(config, Past::default());
        let mut caller = dials(&mut stage, CALLER, OUT);
        let (tim, invite) = Line::called(&mut stage, address(TIM));
        tim.answer(&mut stage, &invite, "100 Trying", "");
        stage.wait(Duration::from_secs(13));
        let outside = if room {
            takes_cancel(&mut stage, &tim, &invite);
            is_put_through(&mut stage, &mut caller, WIND)
        } else {
            tim.answer(&mut stage, &invite, "180 Ringing", "");
            tim.answer(&mut stage, &invite, "200 OK", &sdp(address(TIM), SENDRECV));
            stage.expect(address(TIM), "ACK");
            caller.connect(&mut stage);
            let mut tim = tim;
            tim.starts_counting();
            tim
        };
        ends(&mut stage, &mut caller, &outside);
        assert_eq!(tried(&stage).len(), if room { 2 } else { 1 });
    }
}

#[test]
fn a_trunk_that_was_silent_is_passed_over_for_a_minute() {
    let mut stage = Stage::with(routed(&["tim", "wind"]), Past::default());
    for silent_for in [5, 0, 5] {
        dials(&mut stage, CALLER, OUT);
        stage.wait(seconds(silent_for));
        fails(&mut stage, WIND, "486 Busy Here");
        stage.wait(seconds(35));
    }
    assert_eq!(tried(&stage), ["tim", "wind", "wind tim:down", "tim", "wind"]);
    stage.assert_all_is_over();
}

#[test]
fn the_last_trunk_is_given_all_the_time_that_there_is() {
    let mut stage = Stage::with(routed(&["tim"]), Past::default());
    let mut caller = dials(&mut stage, CALLER, OUT);
    stage.wait(seconds(20));
    let outside = is_put_through(&mut stage, &mut caller, TIM);
    ends(&mut stage, &mut caller, &outside);
    stage.assert_all_is_over();
}

#[test]
fn whoever_has_rung_is_not_rung_by_another_trunk() {
    let mut stage = Stage::with(routed(&["tim", "wind"]), Past::default());
    dials(&mut stage, CALLER, OUT);
    let (tim, invite) = Line::called(&mut stage, address(TIM));
    tim.answer(&mut stage, &invite, "180 Ringing", "");
    stage.expect(address(CALLER), "SIP/2.0 180");
    tim.answer(&mut stage, &invite, "503 Service Unavailable", "");
    assert_eq!(stage.next(address(WIND)), "nothing");
    assert_eq!(first_line(&final_answer(&mut stage, CALLER))[..11], *"SIP/2.0 503");
    stage.assert_all_is_over();
}

#[test]
fn an_announcement_of_the_first_trunk_ends_when_the_second_is_tried() {
    let mut stage = Stage::with(routed(&["tim", "wind"]), Past::default());
    let mut caller = dials(&mut stage, CALLER, OUT);
    let (tim, invite) = Line::called(&mut stage, address(TIM));
    tim.answer(&mut stage, &invite, "183 Session Progress", &sdp(address(TIM), SENDRECV));
    let early = stage.expect(address(CALLER), "SIP/2.0 183");
    tim.answer(&mut stage, &invite, "503 Service Unavailable", "");
    let outside = answers(&mut stage, address(WIND));
    let ok = caller.connect(&mut stage);
    let body = |message: &str| message.split("\r\n\r\n").nth(1).unwrap().to_owned();
    assert_eq!(body(&early), body(&ok), "the caller was answered once");
    let bridged: Vec<bool> = stage
        .commands
        .iter()
        .filter_map(|command| match command {
            media_api::Command::Listen { .. } | media_api::Command::Bridge { .. } => Some(true),
            media_api::Command::Unbridge { .. } => Some(false),
            _ => None,
        })
        .collect();
    assert_eq!(bridged[..3], [true, false, true]);
    ends(&mut stage, &mut caller, &outside);
    stage.assert_all_is_over();
}

#[test]
fn a_caller_who_gives_up_cancels_the_trunk_that_is_being_tried() {
    let mut stage = Stage::with(routed(&["tim", "wind", "fastweb"]), Past::default());
    let caller = dials(&mut stage, CALLER, OUT);
    fails(&mut stage, TIM, "503 Service Unavailable");
    let (wind, invite) = Line::called(&mut stage, address(WIND));
    wind.answer(&mut stage, &invite, "100 Trying", "");
    caller.cancel(&mut stage);
    is_cancelled(&mut stage, &wind, &invite);
    assert_eq!(stage.next(address(TIM)), "nothing");
    assert_eq!(stage.next(address(FASTWEB)), "nothing", "whoever gave up is not put through");
    stage.assert_all_is_over();
}

#[test]
fn a_service_that_names_its_trunk_goes_by_no_other_and_without_routes_the_first_trunk_is_taken() {
    let mut config = routed(&["tim", "wind"]);
    let target = Target::Trunk { trunk: "fastweb".to_owned(), number: "0612345678".to_owned() };
    config.services.insert("0699991111".to_owned(), Service::Dial(target));
    let mut stage = Stage::with(config, Past::default());
    dials(&mut stage, CALLER, "0699991111");
    fails(&mut stage, FASTWEB, "503 Service Unavailable");
    assert_eq!(first_line(&final_answer(&mut stage, CALLER))[..11], *"SIP/2.0 503");
    stage.assert_all_is_over();
    assert_eq!(tried(&stage), ["fastweb"]);

    let mut stage = Stage::with(three_trunks(), Past::default());
    dials(&mut stage, CALLER, OUT);
    fails(&mut stage, TIM, "503 Service Unavailable");
    assert_eq!(first_line(&final_answer(&mut stage, CALLER))[..11], *"SIP/2.0 503");
    assert_eq!(tried(&stage), ["tim"]);
    let named = |kind: &FactKind| matches!(kind, FactKind::LegRouted { route, .. } if route.is_empty());
    assert_eq!(stage.count(named), 1);
}

#[test]
fn each_trunk_is_called_in_its_own_way() {
    let mut config = routed(&["tim", "wind"]);
    let wind = config.sip.trunks.iter_mut().find(|trunk| trunk.name == "wind").unwrap();
    *wind = Trunk { domain: Some("wind.example".to_owned()), ..wind.clone() };
    let mut rules = config.numbering.home.clone();
    rules.sends = numbers::Sends::National;
    config.numbering.trunks.insert("wind".to_owned(), rules);
    let mut stage = Stage::with(config, Past::default());
    dials(&mut stage, CALLER, OUT);
    let (tim, invite) = Line::called(&mut stage, address(TIM));
    assert_eq!(first_line(&invite), "INVITE sip:+390612345678@10.0.0.90:5060 SIP/2.0");
    tim.answer(&mut stage, &invite, "503 Service Unavailable", "");
    let (wind, invite) = Line::called(&mut stage, address(WIND));
    assert_eq!(first_line(&invite), "INVITE sip:0612345678@wind.example SIP/2.0");
    wind.answer(&mut stage, &invite, "486 Busy Here", "");
    stage.assert_all_is_over();
}

#[test]
fn the_cheapest_trunk_is_tried_first() {
    let mut config = three_trunks();
    for (trunk, price) in [("tim", 900), ("wind", 450), ("fastweb", 700)] {
        let prices = Prices([("+39".to_owned(), price)].into());
        config.routing.lines.insert(trunk.to_owned(), Carries { prices, ..Carries::default() });
    }
    config.routing.routes = vec![route(&["tim", "wind", "fastweb"], Choose::Cost)];
    let mut stage = Stage::with(config, Past::default());
    dials(&mut stage, CALLER, OUT);
    fails(&mut stage, WIND, "503 Service Unavailable");
    fails(&mut stage, FASTWEB, "503 Service Unavailable");
    fails(&mut stage, TIM, "486 Busy Here");
    assert_eq!(tried(&stage), ["wind", "fastweb", "tim"]);
    stage.assert_all_is_over();
}

// Limits ---------------------------------------------------------------------------------------------------------

#[test]
fn a_trunk_carries_no_more_than_its_channels_and_a_call_without_one_hears_of_congestion() {
    let mut config = routed(&["tim", "wind"]);
    carries(&mut config, "tim", Some(1), None);
    carries(&mut config, "wind", Some(1), None);
    let mut stage = Stage::with(config, Past::default());
    let mut first = dials(&mut stage, CALLER, OUT);
    let outside = is_put_through(&mut stage, &mut first, TIM);
    let mut second = dials(&mut stage, CALLER + 1, OUT);
    let other = is_put_through(&mut stage, &mut second, WIND);
    dials(&mut stage, CALLER + 2, OUT);
    let told = final_answer(&mut stage, CALLER + 2);
    assert_eq!(first_line(&told), "SIP/2.0 503 Service Unavailable");
    assert!(header(&told, "Reason").starts_with("Q.850;cause=34;"), "{told}");
    let end = stage.call_ends().pop().unwrap();
    assert_eq!((end.cause, end.sip, end.q850), (Cause::Capacity, Some(503), Some(34)));
    assert_eq!(end.detail, "no trunk has room: tim (channels), wind (channels)");
    ends(&mut stage, &mut first, &outside);
    let mut third = dials(&mut stage, CALLER + 3, OUT);
    let again = is_put_through(&mut stage, &mut third, TIM);
    ends(&mut stage, &mut third, &again);
    ends(&mut stage, &mut second, &other);
    stage.assert_all_is_over();
    assert_eq!(tried(&stage), ["tim", "wind tim:channels", "none tim:channels wind:channels", "tim"]);
}

#[test]
fn calls_of_both_directions_take_channels_and_one_too_many_from_outside_is_refused() {
    let mut config = routed(&["tim"]);
    carries(&mut config, "tim", Some(2), None);
    let mut stage = Stage::with(config, Past::default());
    let mut inward = dials(&mut stage, TIM, "800100100");
    inward.connect(&mut stage);
    let mut outward = dials(&mut stage, CALLER, OUT);
    let outside = is_put_through(&mut stage, &mut outward, TIM);
    let third = Line::dial(&mut stage, address(TIM), OUT, &sdp(address(TIM), SENDRECV));
    let told = final_answer(&mut stage, TIM);
    assert_eq!(first_line(&told), "SIP/2.0 503 Service Unavailable");
    assert!(header(&told, "Reason").starts_with("Q.850;cause=34;"), "{told}");
    drop(third);
    assert_eq!(tried(&stage), ["tim", "none tim:channels"]);
    hangs_up(&mut stage, &mut inward);
    ends(&mut stage, &mut outward, &outside);
    let mut again = dials(&mut stage, TIM, "echo");
    again.connect(&mut stage);
    hangs_up(&mut stage, &mut again);
    stage.assert_all_is_over();
}

#[test]
fn no_more_calls_are_begun_in_a_second_than_a_trunk_takes() {
    let mut config = routed(&["tim", "wind"]);
    carries(&mut config, "tim", None, Some(2));
    carries(&mut config, "wind", None, Some(1));
    let mut stage = Stage::with(config, Past::default());
    for last in 0..4 {
        dials(&mut stage, CALLER + last, OUT);
    }
    let told = final_answer(&mut stage, CALLER + 3);
    assert_eq!(first_line(&told), "SIP/2.0 503 Service Unavailable");
    assert!(header(&told, "Reason").starts_with("Q.850;cause=42;"), "{told}");
    stage.wait(Duration::from_millis(1_001));
    dials(&mut stage, CALLER + 4, OUT);
    let (rate, both) = ("wind tim:calls_per_second", "none tim:calls_per_second wind:calls_per_second");
    assert_eq!(tried(&stage), ["tim", "tim", rate, both, "tim"]);
}

#[test]
fn a_call_that_failed_takes_no_channel_any_more() {
    let mut config = routed(&["tim", "wind"]);
    carries(&mut config, "tim", Some(1), None);
    let mut stage = Stage::with(config, Past::default());
    for _ in 0..5 {
        dials(&mut stage, CALLER, OUT);
        fails(&mut stage, TIM, "503 Service Unavailable");
        fails(&mut stage, WIND, "486 Busy Here");
        stage.wait(seconds(40));
    }
    stage.no_ports = true;
    dials(&mut stage, CALLER, OUT);
    stage.no_ports = false;
    dials(&mut stage, CALLER + 1, OUT);
    fails(&mut stage, TIM, "486 Busy Here");
    stage.assert_all_is_over();
}

#[test]
fn a_call_for_help_is_tried_on_a_full_trunk() {
    let mut config = routed(&["tim"]);
    carries(&mut config, "tim", Some(1), Some(1));
    let mut stage = Stage::with(config, Past::default());
    register(&mut stage, "anna", address(ANNA));
    let mut first = dials(&mut stage, CALLER, OUT);
    let outside = is_put_through(&mut stage, &mut first, TIM);
    let mut help = Line::dial_as(&mut stage, "anna", address(ANNA), "112");
    let rescue = is_put_through(&mut stage, &mut help, TIM);
    ends(&mut stage, &mut help, &rescue);
    ends(&mut stage, &mut first, &outside);
    assert_eq!(tried(&stage), ["tim", "tim"]);
}

#[test]
fn a_call_for_help_is_tried_on_a_trunk_that_asked_to_be_left_alone() {
    let mut stage = Stage::with(routed(&["tim"]), Past::default());
    register(&mut stage, "anna", address(ANNA));
    dials(&mut stage, CALLER, OUT);
    fails(&mut stage, TIM, "503 Service Unavailable\r\nRetry-After: 120");
    dials(&mut stage, CALLER + 1, OUT);
    assert_eq!(stage.next(address(TIM)), "nothing", "whoever can wait is not sent there");
    let mut help = Line::dial_as(&mut stage, "anna", address(ANNA), "112");
    let rescue = is_put_through(&mut stage, &mut help, TIM);
    ends(&mut stage, &mut help, &rescue);
    assert_eq!(tried(&stage), ["tim", "none tim:retry_after", "tim"]);
}

// Trunks that are down -------------------------------------------------------------------------------------------

/// Answers every OPTIONS that waits at a trunk.
fn is_there(stage: &mut Stage, trunk: u8, status: &str) {
    loop {
        let request = stage.next(address(trunk));
        if request == "nothing" {
            return;
        }
        if request.starts_with("OPTIONS") {
            let copied: String = ["Via", "From", "To", "Call-ID", "CSeq"]
                .map(|name| format!("{name}: {}\r\n", header(&request, name)))
                .concat();
            let answer = format!("SIP/2.0 {status}\r\n{copied}Content-Length: 0\r\n\r\n");
            stage.send(address(trunk), &answer);
        }
    }
}

#[test]
fn a_trunk_that_does_not_answer_options_is_passed_over_until_it_does_and_tried_when_nothing_else_is_left() {
    let mut config = routed(&["tim", "wind"]);
    for trunk in &mut config.sip.trunks {
        trunk.probe = seconds(30);
    }
    carries(&mut config, "wind", Some(1), None);
    let mut stage = Stage::with(config, Past::default());
    for _ in 0..20 {
        stage.wait(seconds(1));
        is_there(&mut stage, WIND, "200 OK");
        is_there(&mut stage, FASTWEB, "200 OK");
    }
    let up = |kind: &FactKind, name: &str| matches!(kind, FactKind::TrunkUp { trunk } if trunk == name);
    let down = |kind: &FactKind| matches!(kind, FactKind::TrunkDown { trunk, .. } if trunk == "tim");
    assert_eq!((stage.count(|kind| up(kind, "wind")), stage.count(down)), (1, 1));

    let mut first = dials(&mut stage, CALLER, OUT);
    let outside = is_put_through(&mut stage, &mut first, WIND);
    let mut second = dials(&mut stage, CALLER + 1, OUT);
    let last_resort = is_put_through(&mut stage, &mut second, TIM);
    ends(&mut stage, &mut second, &last_resort);
    ends(&mut stage, &mut first, &outside);

    for _ in 0..40 {
        stage.wait(seconds(1));
        for trunk in [TIM, WIND, FASTWEB] {
            is_there(&mut stage, trunk, "200 OK");
        }
    }
    assert_eq!(stage.count(|kind| up(kind, "tim")), 1);
    let mut third = dials(&mut stage, CALLER + 2, OUT);
    let outside = is_put_through(&mut stage, &mut third, TIM);
    ends(&mut stage, &mut third, &outside);
    assert_eq!(tried(&stage), ["wind tim:down", "tim wind:channels", "tim"]);
}

#[test]
fn a_trunk_that_asks_to_be_left_alone_gets_nothing_for_so_long() {
    let mut stage = Stage::with(routed(&["tim", "wind"]), Past::default());
    dials(&mut stage, CALLER, OUT);
    fails(&mut stage, TIM, "503 Service Unavailable\r\nRetry-After: 120");
    fails(&mut stage, WIND, "503 Service Unavailable\r\nRetry-After: 60");
    assert_eq!(first_line(&final_answer(&mut stage, CALLER))[..11], *"SIP/2.0 503");

    dials(&mut stage, CALLER + 1, OUT);
    let told = final_answer(&mut stage, CALLER + 1);
    assert!(header(&told, "Reason").starts_with("Q.850;cause=42;"), "{told}");
    assert_eq!((stage.next(address(TIM)), stage.next(address(WIND))), ("nothing".into(), "nothing".into()));

    stage.wait(seconds(61));
    dials(&mut stage, CALLER + 2, OUT);
    fails(&mut stage, WIND, "486 Busy Here");
    stage.wait(seconds(60));
    dials(&mut stage, CALLER + 3, OUT);
    fails(&mut stage, TIM, "486 Busy Here");
    let closed = "none tim:retry_after wind:retry_after";
    assert_eq!(tried(&stage), ["tim", "wind", closed, "wind tim:retry_after", "tim"]);
    stage.assert_all_is_over();
}

#[test]
fn a_trunk_that_we_are_not_registered_with_is_passed_over() {
    let mut config = routed(&["tim", "wind"]);
    let tim = config.sip.trunks.iter_mut().find(|trunk| trunk.name == "tim").unwrap();
    let credentials = Some(sip::ua::Account { user: "line1".into(), password: "pw".into() });
    *tim = Trunk { register: true, credentials, ..tim.clone() };
    let mut stage = Stage::with(config, Past::default());
    let register: SocketAddr = address(TIM);
    let asked = stage.expect(register, "REGISTER");
    dials(&mut stage, CALLER, OUT);
    fails(&mut stage, WIND, "486 Busy Here");
    let copied: String = ["Via", "From", "To", "Call-ID", "CSeq", "Contact"]
        .map(|name| format!("{name}: {}\r\n", header(&asked, name)))
        .concat();
    let answer = format!("SIP/2.0 200 OK\r\n{copied}Expires: 600\r\nContent-Length: 0\r\n\r\n");
    stage.send(register, &answer);
    dials(&mut stage, CALLER + 1, OUT);
    fails(&mut stage, TIM, "486 Busy Here");
    assert_eq!(tried(&stage), ["wind tim:down", "tim"]);
}

#[test]
fn a_trunk_that_is_a_name_is_called_as_soon_as_it_is_found_and_through_an_outage_of_name_servers() {
    let mut config = routed(&["wind", "tim"]);
    let wind = config.sip.trunks.iter_mut().find(|trunk| trunk.name == "wind").unwrap();
    *wind = Trunk {
        targets: vec![Place::parse("udp:sip.wind.example").unwrap()],
        addresses: vec![],
        ..wind.clone()
    };
    let mut stage = Stage::with(config, Past::default());
    dials(&mut stage, CALLER, OUT);
    fails(&mut stage, TIM, "486 Busy Here");

    let ask = |kind, name: &str| Query { kind, name: name.to_owned() };
    let found = |record| Answer::Found { records: vec![record], ttl: seconds(300) };
    let server = Record::Srv { priority: 1, weight: 1, port: 5060, target: "a.wind.example".to_owned() };
    let at = Record::Address { ip: address(WIND).ip(), local: None };
    stage.names.insert(ask(Kind::Srv, "_sip._udp.sip.wind.example"), found(server));
    stage.names.insert(ask(Kind::A, "a.wind.example"), found(at));
    stage.wait(seconds(60));
    dials(&mut stage, CALLER + 1, OUT);
    fails(&mut stage, WIND, "486 Busy Here");

    stage.names.clear();
    stage.wait(seconds(5 * 3_600));
    dials(&mut stage, CALLER + 2, OUT);
    fails(&mut stage, WIND, "486 Busy Here");
    stage.assert_all_is_over();
    assert_eq!(tried(&stage), ["tim wind:down", "wind", "wind"]);
}

#[test]
fn a_trunk_that_refuses_our_password_does_not_end_the_call() {
    let mut config = routed(&["tim", "wind"]);
    let tim = config.sip.trunks.iter_mut().find(|trunk| trunk.name == "tim").unwrap();
    tim.credentials = Some(sip::ua::Account { user: "line1".into(), password: "wrong".into() });
    let mut stage = Stage::with(config, Past::default());
    let mut caller = dials(&mut stage, CALLER, OUT);
    let challenge =
        "407 Proxy Authentication Required\r\nProxy-Authenticate: Digest realm=\"tim\", nonce=\"n\"";
    fails(&mut stage, TIM, challenge);
    fails(&mut stage, TIM, challenge);
    let outside = is_put_through(&mut stage, &mut caller, WIND);
    ends(&mut stage, &mut caller, &outside);
    assert_eq!(tried(&stage), ["tim", "wind"]);
    stage.assert_all_is_over();
}

// Whoever calls outside goes by the same routes ------------------------------------------------------------------

#[test]
fn what_an_agent_dials_goes_by_its_route() {
    let mut config = routed(&["wind", "tim"]);
    let prefixes = vec!["+3902".to_owned()];
    let milan = Route {
        name: "milan".to_owned(),
        numbers: Some(NumberSet { prefixes, ..NumberSet::default() }),
        ..route(&["fastweb"], Choose::Order)
    };
    config.routing.routes.insert(0, milan);
    let mut stage = Stage::with(config, Past::default());
    register(&mut stage, "anna", address(ANNA));
    let mut anna = Line::dial_as(&mut stage, "anna", address(ANNA), "0212345678");
    let outside = is_put_through(&mut stage, &mut anna, FASTWEB);
    ends(&mut stage, &mut anna, &outside);
    let mut anna = Line::dial_as(&mut stage, "anna", address(ANNA), "0612345678");
    fails(&mut stage, WIND, "503 Service Unavailable");
    let outside = is_put_through(&mut stage, &mut anna, TIM);
    ends(&mut stage, &mut anna, &outside);
    stage.assert_all_is_over();
    assert_eq!(tried(&stage), ["fastweb", "wind", "tim"]);
}

#[test]
fn an_agents_transfer_to_a_number_goes_by_its_route_and_tells_only_the_end() {
    let mut stage = Stage::with(routed(&["wind", "tim"]), Past::default());
    register(&mut stage, "anna", address(ANNA));
    let mut caller = caller_in_queue(&mut stage, address(CALLER), 1);
    let mut anna = agent_answers(&mut stage, address(ANNA));
    assert_eq!(anna.refer(&mut stage, "sip:0612345678@10.0.0.1"), "SIP/2.0 202 Accepted");
    fails(&mut stage, WIND, "503 Service Unavailable");
    let outside = answers(&mut stage, address(TIM));
    let mut told = Vec::new();
    while told.last().is_none_or(|status| status != "SIP/2.0 200 OK") {
        told.push(anna.told(&mut stage));
    }
    assert_eq!(told, ["SIP/2.0 100 Trying", "SIP/2.0 200 OK"]);
    hung_up_on(&mut stage, &anna);
    ends(&mut stage, &mut caller, &outside);
    let failed = |kind: &FactKind| matches!(kind, FactKind::TransferFailed { .. });
    assert_eq!(stage.count(failed), 0);
    assert_eq!(tried(&stage), ["wind", "tim"]);
}

#[test]
fn a_scripts_transfer_goes_by_its_route_and_the_script_goes_on_when_none_is_left() {
    let mut config = routed(&["tim", "wind"]);
    let script = std::sync::Arc::new(through());
    config.services.insert("800200200".to_owned(), Service::Script { script, language: None });
    carries(&mut config, "wind", Some(1), None);
    let mut stage = Stage::with(config, Past::default());
    let mut caller = dials(&mut stage, CALLER, "800200200");
    caller.connect(&mut stage);
    fails(&mut stage, TIM, "503 Service Unavailable");
    let outside = answers(&mut stage, address(WIND));
    let completed = |kind: &FactKind| matches!(kind, FactKind::TransferCompleted { .. });
    assert_eq!(stage.count(completed), 1);

    let mut second = dials(&mut stage, CALLER + 1, "800200200");
    second.connect(&mut stage);
    fails(&mut stage, TIM, "503 Service Unavailable");
    let bye = stage.expect(address(CALLER + 1), "BYE");
    second.answer(&mut stage, &bye, "200 OK", "");
    let failed: Option<u16> = stage.fact(|kind| match kind {
        FactKind::TransferFailed { sip, .. } => Some(*sip),
        _ => None,
    });
    assert_eq!(failed, Some(503));
    ends(&mut stage, &mut caller, &outside);
    stage.assert_all_is_over();
    assert_eq!(tried(&stage), ["tim", "wind", "tim", "none wind:channels"]);
}

#[test]
fn limits_and_routes_are_changed_by_a_reload_and_calls_in_progress_go_on() {
    let mut config = routed(&["tim"]);
    carries(&mut config, "tim", Some(1), None);
    let mut stage = Stage::with(config, Past::default());
    let mut first = dials(&mut stage, CALLER, OUT);
    let outside = is_put_through(&mut stage, &mut first, TIM);
    let mut config = routed(&["wind"]);
    config.routing = Routing { routes: vec![route(&["tim", "wind"], Choose::Order)], ..Routing::default() };
    stage.input(engine::Input::Reload(Box::new(config)));
    let mut second = dials(&mut stage, CALLER + 1, OUT);
    let other = is_put_through(&mut stage, &mut second, TIM);
    ends(&mut stage, &mut second, &other);
    ends(&mut stage, &mut first, &outside);
    stage.assert_all_is_over();
}
