//! What agents' calls outside are counted for: thought at the beginning, known at the end, and kept over a restart.

use crate::support::desk::*;
use crate::support::stage::*;
use engine::{OutboundRule, Past, Prices, Service, Target};
use facts::{Cause, FactKind, Side};
use journal::fold::SnapshotFold;

/// Anna may have one call thought to cost 100 cents, and no second, until it is known to have cost less.
fn desk() -> engine::Config {
    let mut config = with_trunk();
    let rule = OutboundRule {
        name: "italy".to_owned(),
        cents_per_day: Some(150),
        prices: Prices([("+39".to_owned(), 10_000)].into()),
        ..config.outbound[0].clone()
    };
    config.outbound = vec![rule];
    config
}

fn with_anna(config: engine::Config) -> Stage {
    let mut stage = Stage::with(config, Past::default());
    register(&mut stage, "anna", address(ANNA));
    stage
}

fn settled(stage: &Stage) -> Vec<(u64, u64)> {
    let told = stage.facts.iter().filter_map(|fact| match fact.kind {
        FactKind::OutboundSettled { seconds, millicents, .. } => Some((seconds, millicents)),
        _ => None,
    });
    told.collect()
}

fn allowed(stage: &Stage) -> usize {
    stage.count(|kind| matches!(kind, FactKind::OutboundAllowed { millicents: 100_000, .. }))
}

/// Anna calls out; her line, ringing.
fn dials(stage: &mut Stage) -> Line {
    Line::dial_as(stage, "anna", address(ANNA), "0612345678")
}

fn is_refused(stage: &mut Stage) {
    let mut refused = dials(stage);
    stage.expect(address(ANNA), "SIP/2.0 403");
    refused.ack(stage, "");
}

fn speaks(stage: &mut Stage) -> (Line, Line) {
    let mut anna = dials(stage);
    let outside = answers(stage, address(OUTSIDE));
    anna.connect(stage);
    (anna, outside)
}

#[test]
fn a_call_has_cost_what_its_conversation_took_when_it_is_over() {
    let mut stage = with_anna(desk());
    let (mut anna, outside) = speaks(&mut stage);
    assert_eq!((allowed(&stage), settled(&stage)), (1, vec![]));
    stage.wait(seconds(66));
    hangs_up(&mut stage, &mut anna);
    hung_up_on(&mut stage, &outside);
    assert_eq!(settled(&stage), [(66, 11_000)], "1.1 minutes of 10 cents");
    let (mut anna, outside) = speaks(&mut stage);
    hangs_up(&mut stage, &mut anna);
    hung_up_on(&mut stage, &outside);
    stage.assert_all_is_over();
}

#[test]
fn a_call_that_nobody_took_has_cost_nothing() {
    let mut stage = with_anna(desk());
    for _ in 0..3 {
        let mut anna = dials(&mut stage);
        refuses(&mut stage, address(OUTSIDE), "486 Busy Here");
        stage.expect(address(ANNA), "SIP/2.0 486");
        anna.ack(&mut stage, "");
    }
    assert_eq!(settled(&stage), [(0, 0); 3]);
    let anna = dials(&mut stage);
    let (outside, invite) = Line::called(&mut stage, address(OUTSIDE));
    outside.answer(&mut stage, &invite, "180 Ringing", "");
    anna.cancel(&mut stage);
    stage.expect(address(ANNA), "SIP/2.0 200");
    assert_eq!(settled(&stage).len(), 4, "given up before an answer");
}

#[test]
fn a_call_that_is_going_on_counts_for_what_was_thought_and_for_more_when_it_takes_longer() {
    let mut stage = with_anna(desk());
    let (mut anna, outside) = speaks(&mut stage);
    is_refused(&mut stage);
    stage.wait(seconds(720));
    hangs_up(&mut stage, &mut anna);
    hung_up_on(&mut stage, &outside);
    assert_eq!(settled(&stage), [(720, 120_000)]);
    is_refused(&mut stage);
}

/// Both parties are hung up on by a rule, and told so.
fn is_broken_off(stage: &mut Stage, anna: &Line, outside: &Line, cause: Cause) {
    for line in [anna, outside] {
        let bye = stage.expect(line.phone, "BYE");
        assert!(header(&bye, "Reason").starts_with("Q.850;cause=31"), "{bye}");
        line.answer(stage, &bye, "200 OK", "");
    }
    stage.wait(seconds(1));
    let mut ends = stage.facts.iter().filter_map(|fact| match &fact.kind {
        FactKind::CallEnded { end, .. } => Some((end.by, end.cause, end.detail.contains("italy"))),
        _ => None,
    });
    assert_eq!(ends.next_back(), Some((Side::Service, cause, true)));
}

fn goes_on(stage: &Stage, calls: usize) {
    assert_eq!(stage.engine.calls(), calls, "{:?}", stage.kinds());
}

#[test]
fn a_conversation_is_broken_off_after_its_longest_time() {
    let mut config = desk();
    config.outbound[0].longest = seconds(90);
    let mut stage = with_anna(config);
    let (anna, outside) = speaks(&mut stage);
    stage.wait(seconds(89));
    goes_on(&stage, 1);
    stage.wait(seconds(1));
    is_broken_off(&mut stage, &anna, &outside, Cause::TooLong);
    assert_eq!(settled(&stage), [(90, 15_000)]);
    stage.assert_all_is_over();
}

#[test]
fn a_conversation_is_broken_off_when_its_rules_cents_are_spent() {
    let mut stage = with_anna(desk());
    let (anna, outside) = speaks(&mut stage);
    stage.wait(seconds(899));
    goes_on(&stage, 1);
    stage.wait(seconds(1));
    is_broken_off(&mut stage, &anna, &outside, Cause::SpendingCeiling);
    assert_eq!(settled(&stage), [(900, 150_000)]);
    is_refused(&mut stage);
}

#[test]
fn what_was_counted_for_a_conversation_at_its_beginning_is_its_own() {
    let mut config = desk();
    config.outbound[0].cents_per_day = Some(220);
    let mut stage = with_anna(config);
    register(&mut stage, "bruno", address(BRUNO));
    let (anna, outside) = speaks(&mut stage);
    stage.wait(seconds(300));
    let mut bruno = Line::dial_as(&mut stage, "bruno", address(BRUNO), "0612345679");
    let other = answers(&mut stage, address(OUTSIDE));
    bruno.connect(&mut stage);
    stage.wait(seconds(420));
    is_broken_off(&mut stage, &anna, &outside, Cause::SpendingCeiling);
    goes_on(&stage, 1);
    stage.wait(seconds(178));
    goes_on(&stage, 1);
    stage.wait(seconds(10));
    is_broken_off(&mut stage, &bruno, &other, Cause::SpendingCeiling);
}

#[test]
fn a_conversation_that_costs_nothing_reaches_no_ceiling() {
    let mut config = desk();
    config.outbound[0].prices = Prices([("+39".to_owned(), 0)].into());
    let mut stage = with_anna(config);
    let (anna, outside) = speaks(&mut stage);
    stage.wait(seconds(4 * 3600 - 1));
    goes_on(&stage, 1);
    stage.wait(seconds(1));
    is_broken_off(&mut stage, &anna, &outside, Cause::TooLong);
}

#[test]
fn help_in_danger_is_never_broken_off() {
    let mut config = desk();
    let rule = &mut config.outbound[0];
    rule.longest = seconds(60);
    rule.who = ["anna".to_owned(), "tim".to_owned()].into();
    rule.numbers.prefixes.push("112".to_owned());
    rule.prices = Prices([("112".to_owned(), 15_000)].into());
    config.referring_trunks.insert("tim".to_owned());
    config.services.insert("200".to_owned(), Service::Dial(Target::Agent("anna".to_owned())));
    let mut stage = with_anna(config);
    let mut help = Line::dial_as(&mut stage, "anna", address(ANNA), "112");
    let operator = answers(&mut stage, address(OUTSIDE));
    help.connect(&mut stage);
    stage.wait(seconds(1200));
    goes_on(&stage, 1);
    hangs_up(&mut stage, &mut help);
    hung_up_on(&mut stage, &operator);

    let mut caller = Line::dial(&mut stage, address(OUTSIDE), "200", &sdp(address(OUTSIDE), SENDRECV));
    let anna = answers(&mut stage, address(ANNA));
    caller.connect(&mut stage);
    assert_eq!(caller.refer(&mut stage, "sip:112@10.0.0.1"), "SIP/2.0 202 Accepted");
    caller.told(&mut stage);
    let mut help = answers(&mut stage, address(OUTSIDE));
    let allowed = stage.count(|kind| matches!(kind, FactKind::OutboundAllowed { .. }));
    assert_eq!(allowed, 1, "asked for by REFER, it needs a rule");
    stage.wait(seconds(1200));
    goes_on(&stage, 1);
    hangs_up(&mut stage, &mut help);
    hung_up_on(&mut stage, &anna);
    assert_eq!(settled(&stage), [(1200, 300_000)]);
}

#[test]
fn a_transfer_outside_is_counted_until_the_party_outside_hangs_up() {
    let mut stage = with_anna(desk());
    let mut caller = caller_in_queue(&mut stage, address(9), 1);
    let mut anna = agent_answers(&mut stage, address(ANNA));
    let outside = puts_through_outside(&mut stage, &mut anna);
    stage.wait(seconds(30));
    assert_eq!((allowed(&stage), settled(&stage)), (1, vec![]), "anna has left, the call goes on");
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &outside);
    assert_eq!(settled(&stage), [(30, 5_000)]);
}

#[test]
fn a_restart_forgets_nothing_of_a_day() {
    let mut stage = with_anna(desk());
    let (mut anna, outside) = speaks(&mut stage);
    stage.wait(seconds(6));
    hangs_up(&mut stage, &mut anna);
    hung_up_on(&mut stage, &outside);
    let (anna, outside) = speaks(&mut stage);
    let mut fold = SnapshotFold::default();
    stage.facts.iter().for_each(|fact| fold.apply(fact));
    let costs: Vec<u64> = fold.charges().iter().map(|(_, charge)| charge.millicents).collect();
    assert_eq!(costs, [1_000, 100_000], "the second was broken off: it cost what was thought");
    drop((anna, outside));

    let past = Past { head: Some(fold.snapshot().as_of), charges: fold.charges(), ..Past::default() };
    let mut stage = Stage::with(desk(), past);
    register(&mut stage, "anna", address(ANNA));
    is_refused(&mut stage);
    stage.wait(seconds(24 * 3600));
    register(&mut stage, "anna", address(ANNA));
    let (mut anna, outside) = speaks(&mut stage);
    hangs_up(&mut stage, &mut anna);
    hung_up_on(&mut stage, &outside);
}

#[test]
fn an_agent_who_steps_out_while_it_rings_takes_the_right_to_call_along() {
    let mut stage = with_anna(desk());
    let mut caller = caller_in_queue(&mut stage, address(9), 1);
    let mut anna = agent_answers(&mut stage, address(ANNA));
    hold(&mut stage, &mut anna);
    let mut second = dials(&mut stage);
    let (rung, invite) = Line::called(&mut stage, address(OUTSIDE));
    rung.answer(&mut stage, &invite, "180 Ringing", "");
    second.follows(&stage.expect(address(ANNA), "SIP/2.0 180"));
    let to = format!("sip:0612345678@10.0.0.1?{}", second.as_replaces());
    assert_eq!(anna.refer(&mut stage, &to), "SIP/2.0 202 Accepted");
    takes_cancel(&mut stage, &rung, &invite);
    let outside = answers(&mut stage, address(OUTSIDE));
    stage.wait(seconds(60));
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &outside);
    assert_eq!((allowed(&stage), settled(&stage)), (1, vec![(60, 10_000)]));
}
