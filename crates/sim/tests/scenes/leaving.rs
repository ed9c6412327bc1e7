//! Transfers that leave the exchange: the operator of the caller is asked by REFER to connect it with a number of its own
//! (`refer_out`), does so or does not, and the caller never loses the call for it.

use crate::support::desk::*;
use crate::support::handing::*;
use crate::support::stage::*;
use engine::{Config, Input, Past, Service};
use facts::Command as Ask;
use facts::{Cause, FactKind, Side};
use sip::ua::Account;

/// A number that agents may call.
const FIXED: &str = "sip:0612345678@pbx.example";
const ELSEWHERE: u8 = 91;

/// The operator is asked.
fn referred() -> Config {
    let mut config = with_trunk();
    config.referred_trunks.insert("tim".to_owned());
    config
}

/// A caller of the operator talks with anna.
fn talking_by(config: Config) -> (Stage, Line, Line) {
    let mut stage = Stage::with(config, Past::default());
    register(&mut stage, "anna", address(ANNA));
    let caller = caller_in_queue(&mut stage, address(OUTSIDE), 1);
    let anna = agent_answers(&mut stage, address(ANNA));
    (stage, caller, anna)
}

/// The same; anna transfers, and the operator has the REFER.
fn asked_by(config: Config) -> (Stage, Line, Line, String) {
    let (mut stage, caller, mut anna) = talking_by(config);
    assert_eq!(anna.refer(&mut stage, FIXED), "SIP/2.0 202 Accepted");
    assert_eq!(anna.told(&mut stage), "SIP/2.0 100 Trying");
    let refer = stage.expect(caller.phone, "REFER");
    (stage, caller, anna, refer)
}

/// The operator tells how far it is.
fn tells(stage: &mut Stage, operator: &mut Line, status: &str) {
    let state = if status < "2" { "active;expires=60" } else { "terminated;reason=noresource" };
    let more = format!("Event: refer\r\nSubscription-State: {state}\r\n");
    operator.request_with(stage, "NOTIFY", &more, &format!("SIP/2.0 {status}\r\n"));
    let answer = stage.expect(operator.phone, "SIP/2.0 200");
    assert!(header(&answer, "CSeq").ends_with("NOTIFY"), "{answer}");
}

/// The exchange connects the two itself, as it does without `refer_out`.
fn is_bridged(stage: &mut Stage, caller: &mut Line, anna: &mut Line) {
    let outside = answers(stage, address(OUTSIDE));
    talk_through_us(stage, caller, anna, &outside);
}

fn talk_through_us(stage: &mut Stage, caller: &mut Line, anna: &mut Line, outside: &Line) {
    while anna.told(stage) != "SIP/2.0 200 OK" {}
    hung_up_on(stage, anna);
    assert_eq!(stage.count(|kind| *kind == FactKind::CallConnected { a: 1, b: 3 }), 1);
    hangs_up(stage, caller);
    hung_up_on(stage, outside);
    assert_all_is_well(stage);
    assert_eq!(stage.call_ends()[0].cause, Cause::HungUp);
}

fn kept(stage: &Stage) -> Option<u16> {
    stage.fact(|kind| match kind {
        FactKind::TransferKept { sip, trunk, .. } if trunk == "tim" => Some(*sip),
        _ => None,
    })
}

#[test]
fn a_transfer_to_a_number_of_the_callers_operator_leaves_the_exchange() {
    let (mut stage, mut operator, anna, refer) = asked_by(referred());
    assert_eq!(header(&refer, "Refer-To"), "<sip:+390612345678@10.0.0.90:5060>");
    assert!(header(&refer, "Referred-By").starts_with("<sip:"), "{refer}");
    operator.answer(&mut stage, &refer, "202 Accepted", "");
    tells(&mut stage, &mut operator, "100 Trying");
    tells(&mut stage, &mut operator, "180 Ringing");
    assert_eq!(anna.told(&mut stage), "SIP/2.0 180 Ringing");
    tells(&mut stage, &mut operator, "200 OK");
    assert_eq!(anna.told(&mut stage), "SIP/2.0 200 OK");
    hung_up_on(&mut stage, &anna);
    hung_up_on(&mut stage, &operator);
    assert_all_is_well(&mut stage);
    assert_eq!(stage.next(address(OUTSIDE)), "nothing", "nobody is called by us");
    assert_eq!(transfers(&stage), ["started 0612345678", "referred 0612345678", "completed 0612345678"]);
    assert_eq!(leg_end(&stage, 1), (Side::Service, Cause::TransferredOutwards));
    assert_eq!(leg_end(&stage, 2).1, Cause::Transferred);
    assert_eq!(stage.call_ends()[0].cause, Cause::TransferredOutwards);
}

#[test]
fn who_refers_is_a_number_of_ours_that_the_operator_knows_unless_it_is_withheld() {
    let own = numbers::Rules::of(numbers::Country::ITALY).normal("0699990000");
    for withholds in [false, true] {
        let mut config = referred();
        let shown =
            engine::Presentation { numbers: vec![own.clone()], withholds, ..engine::Presentation::default() };
        config.numbering.shown.insert("tim".to_owned(), shown);
        let (_, _, _, refer) = asked_by(config);
        let by = refer.lines().find_map(|line| line.strip_prefix("Referred-By: "));
        let number = "<sip:+390699990000@10.0.0.90:5060>";
        assert_eq!(by, (!withholds).then_some(number), "{refer}");
    }
}

#[test]
fn what_leaves_costs_what_was_thought_for_its_end_is_out_of_sight() {
    let mut config = referred();
    config.outbound[0].prices = engine::Prices([("+39".to_owned(), 1_000)].into());
    let (mut stage, mut operator, _, refer) = asked_by(config);
    operator.answer(&mut stage, &refer, "202 Accepted", "");
    tells(&mut stage, &mut operator, "200 OK");
    let (allowed, thought) = stage.fact(|kind| match kind {
        FactKind::OutboundSettled { allowed, millicents, .. } => Some((*allowed, *millicents)),
        _ => None,
    });
    assert_eq!(thought, 10_000, "ten minutes");
    assert!(stage.facts.iter().any(|fact| fact.number == allowed), "of the fact that let it through");
}

#[test]
fn an_operator_that_refuses_leaves_the_call_to_us() {
    for status in ["403 Forbidden", "405 Method Not Allowed", "481 Gone", "501 No", "503 No", "603 Decline"] {
        let (mut stage, mut caller, mut anna, refer) = asked_by(referred());
        caller.answer(&mut stage, &refer, status, "");
        is_bridged(&mut stage, &mut caller, &mut anna);
        assert_eq!(kept(&stage).unwrap().to_string(), status[..3]);
        assert_eq!(
            transfers(&stage),
            ["started 0612345678", "referred 0612345678", "kept 0612345678", "completed 0612345678"]
        );
    }
}

#[test]
fn an_operator_that_accepts_and_fails_leaves_the_call_to_us() {
    let (mut stage, mut caller, mut anna, refer) = asked_by(referred());
    caller.answer(&mut stage, &refer, "202 Accepted", "");
    tells(&mut stage, &mut caller, "100 Trying");
    tells(&mut stage, &mut caller, "503 Service Unavailable");
    is_bridged(&mut stage, &mut caller, &mut anna);
    assert_eq!(kept(&stage), Some(503));
}

#[test]
fn an_operator_that_is_not_heard_of_leaves_the_call_to_us_in_a_stated_time() {
    for (answers, progress, patience) in [(false, false, 33), (true, false, 11), (true, true, 61)] {
        let (mut stage, mut caller, mut anna, refer) = asked_by(referred());
        if answers {
            caller.answer(&mut stage, &refer, "202 Accepted", "");
        }
        if progress {
            tells(&mut stage, &mut caller, "100 Trying");
        }
        stage.wait(seconds(patience - 3));
        let invites = |stage: &Stage| stage.count(|kind| matches!(kind, FactKind::TransferKept { .. }));
        assert_eq!(invites(&stage), 0, "too soon: {answers} {progress}");
        stage.wait(seconds(3));
        assert_eq!(kept(&stage), (!answers).then_some(408));
        is_bridged(&mut stage, &mut caller, &mut anna);
    }
}

#[test]
fn what_an_operator_tells_too_late_changes_nothing() {
    let (mut stage, mut caller, mut anna, refer) = asked_by(referred());
    caller.answer(&mut stage, &refer, "202 Accepted", "");
    stage.wait(seconds(11));
    assert_eq!(kept(&stage), None);
    let outside = answers(&mut stage, address(OUTSIDE));
    tells(&mut stage, &mut caller, "200 OK");
    talk_through_us(&mut stage, &mut caller, &mut anna, &outside);
}

#[test]
fn a_challenged_refer_is_sent_again_with_the_trunks_credentials() {
    let mut config = referred();
    config.sip.trunks[0].credentials = Some(Account { user: "desk".into(), password: "secret".into() });
    let (mut stage, mut operator, anna, refer) = asked_by(config);
    let challenge = "407 Proxy Authentication Required\r\nProxy-Authenticate: Digest realm=\"tim\", nonce=\"n\", \
                     algorithm=MD5, qop=\"auth\"";
    operator.answer(&mut stage, &refer, challenge, "");
    let again = stage.expect(operator.phone, "REFER");
    assert!(header(&again, "Proxy-Authorization").contains("username=\"desk\""), "{again}");
    assert_eq!(header(&again, "Refer-To"), header(&refer, "Refer-To"));
    operator.answer(&mut stage, &again, "202 Accepted", "");
    tells(&mut stage, &mut operator, "200 OK");
    while anna.told(&mut stage) != "SIP/2.0 200 OK" {}
    hung_up_on(&mut stage, &anna);
    hung_up_on(&mut stage, &operator);
    assert_all_is_well(&mut stage);
}

#[test]
fn what_no_rule_opens_is_not_asked_of_the_operator_either() {
    let (mut stage, mut caller, mut anna) = talking_by(referred());
    assert_eq!(anna.refer(&mut stage, "sip:+442079460000@pbx.example"), "SIP/2.0 403 Forbidden");
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &anna);
    assert_all_is_well(&mut stage);
    assert!(transfers(&stage).is_empty());
}

/// Anna transfers to this; no REFER goes out, but an INVITE to the trunk at this address.
fn stays(config: Config, from: u8, to: &str, trunk: u8) {
    let mut stage = Stage::with(config, Past::default());
    register(&mut stage, "anna", address(ANNA));
    let mut caller = caller_in_queue(&mut stage, address(from), 1);
    let mut anna = agent_answers(&mut stage, address(ANNA));
    assert_eq!(anna.refer(&mut stage, to), "SIP/2.0 202 Accepted");
    let outside = answers(&mut stage, address(trunk));
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &outside);
    stage.assert_all_is_over();
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::TransferReferred { .. })), 0, "{to}");
}

#[test]
fn a_transfer_stays_here_where_it_should() {
    stays(with_trunk(), OUTSIDE, FIXED, OUTSIDE);
    // A caller of nobody's trunk.
    stays(referred(), 9, FIXED, OUTSIDE);
    // Help in danger waits for no refusal.
    stays(referred(), OUTSIDE, "sip:112@pbx.example", OUTSIDE);
    // What is out of our hands cannot be broken off.
    let mut config = referred();
    config.outbound[0].cents_per_day = Some(100_000);
    config.outbound[0].prices = engine::Prices([("+39".to_owned(), 1)].into());
    stays(config, OUTSIDE, FIXED, OUTSIDE);
    // The number would be called by another operator.
    let mut config = referred();
    config.sip.trunks.push(trunk("wind", ELSEWHERE));
    config.routing.routes = vec![engine::Route {
        name: "all".to_owned(),
        numbers: None,
        trunks: vec!["wind".to_owned(), "tim".to_owned()],
        choose: engine::Choose::Order,
    }];
    stays(config, OUTSIDE, FIXED, ELSEWHERE);
}

/// Mobile phones cost, and how much of it is bounded; landlines cost nothing.
fn dear_mobiles(cents_per_day: Option<u64>) -> Config {
    let mut config = referred();
    let fixed = config.outbound[0].clone();
    let numbers =
        engine::NumberSet { kinds: [numbers::Kind::Mobile].into(), ..config.outbound[0].numbers.clone() };
    let prices = engine::Prices([("+393".to_owned(), 1_000)].into());
    let name = "mobiles".to_owned();
    config.outbound.push(engine::OutboundRule { name, numbers, cents_per_day, prices, ..fixed });
    config
}

/// Anna has called this number at the operator, and hands whom she called to a landline there.
fn called_and_handed(config: Config, called: &str) -> (Stage, Line, Line) {
    let mut stage = Stage::with(config, Past::default());
    register(&mut stage, "anna", address(ANNA));
    let mut anna = Line::dial_as(&mut stage, "anna", address(ANNA), called);
    let first = answers(&mut stage, address(OUTSIDE));
    anna.connect(&mut stage);
    assert_eq!(anna.refer(&mut stage, FIXED), "SIP/2.0 202 Accepted");
    (stage, anna, first)
}

#[test]
fn who_was_called_and_is_paid_for_or_is_the_help_does_not_leave() {
    for (config, called) in [(dear_mobiles(Some(1_000)), "3331234567"), (referred(), "112")] {
        let (mut stage, anna, mut first) = called_and_handed(config, called);
        let second = answers(&mut stage, address(OUTSIDE));
        while anna.told(&mut stage) != "SIP/2.0 200 OK" {}
        hung_up_on(&mut stage, &anna);
        hangs_up(&mut stage, &mut first);
        hung_up_on(&mut stage, &second);
        stage.assert_all_is_over();
        assert_eq!(stage.count(|kind| matches!(kind, FactKind::TransferReferred { .. })), 0, "{called}");
    }
}

#[test]
fn who_was_called_and_leaves_costs_what_was_thought_too() {
    let (mut stage, _, mut first) = called_and_handed(dear_mobiles(None), "3331234567");
    let refer = stage.expect(first.phone, "REFER");
    first.answer(&mut stage, &refer, "202 Accepted", "");
    tells(&mut stage, &mut first, "200 OK");
    let mut costs: Vec<u64> = stage
        .kinds()
        .iter()
        .filter_map(|kind| match kind {
            FactKind::OutboundSettled { millicents, .. } => Some(*millicents),
            _ => None,
        })
        .collect();
    costs.sort_unstable();
    assert_eq!(costs, [0, 10_000], "ten minutes, not a moment");
}

#[test]
fn the_help_is_not_left_to_its_operator_when_another_is_brought_in() {
    for help_first in [true, false] {
        let mut stage = Stage::with(referred(), Past::default());
        register(&mut stage, "anna", address(ANNA));
        let numbers = if help_first { ["112", "0612345678"] } else { ["0612345678", "112"] };
        let mut one = Line::dial_as(&mut stage, "anna", address(ANNA), numbers[0]);
        let mut first = answers(&mut stage, address(OUTSIDE));
        one.connect(&mut stage);
        hold(&mut stage, &mut one);
        let mut two = Line::dial_as(&mut stage, "anna", address(ANNA), numbers[1]);
        let second = answers(&mut stage, address(OUTSIDE));
        two.connect(&mut stage);
        let to = format!("sip:{}@10.0.0.1?{}", numbers[1], two.as_replaces());
        assert_eq!(one.refer(&mut stage, &to), "SIP/2.0 202 Accepted");
        while one.told(&mut stage) != "SIP/2.0 200 OK" {}
        stage.wait(seconds(1));
        assert_eq!(stage.count(|kind| matches!(kind, FactKind::TransferReferred { .. })), 0, "{numbers:?}");
        hangs_up(&mut stage, &mut first);
        hung_up_on(&mut stage, &second);
    }
}

#[test]
fn a_caller_who_hangs_up_while_the_operator_is_asked_ends_everything() {
    let (mut stage, mut caller, anna, refer) = asked_by(referred());
    caller.answer(&mut stage, &refer, "202 Accepted", "");
    tells(&mut stage, &mut caller, "180 Ringing");
    anna.told(&mut stage);
    hangs_up(&mut stage, &mut caller);
    assert_eq!(anna.told(&mut stage), "SIP/2.0 487 Request Terminated");
    hung_up_on(&mut stage, &anna);
    assert_all_is_well(&mut stage);
    assert_eq!(transfers(&stage), ["started 0612345678", "referred 0612345678", "cancelled 0612345678"]);
    let end = &stage.call_ends()[0];
    assert_eq!((end.by, end.cause), (Side::Caller, Cause::HungUp));
    assert_eq!(stage.next(address(OUTSIDE)), "nothing", "nobody is called for nobody");
}

#[test]
fn an_operator_that_will_tell_nothing_has_connected_the_two_when_it_hangs_up() {
    let (mut stage, mut operator, anna, refer) = asked_by(referred());
    operator.answer(&mut stage, &refer, "202 Accepted\r\nRefer-Sub: false", "");
    stage.wait(seconds(20));
    hangs_up(&mut stage, &mut operator);
    assert_eq!(anna.told(&mut stage), "SIP/2.0 200 OK");
    hung_up_on(&mut stage, &anna);
    assert_all_is_well(&mut stage);
    assert_eq!(stage.call_ends()[0].cause, Cause::TransferredOutwards);
    assert_eq!(leg_end(&stage, 1).1, Cause::TransferredOutwards);

    let (mut stage, mut caller, mut anna, refer) = asked_by(referred());
    caller.answer(&mut stage, &refer, "202 Accepted\r\nRefer-Sub: false", "");
    stage.wait(seconds(61));
    is_bridged(&mut stage, &mut caller, &mut anna);
}

#[test]
fn an_agent_who_hung_up_is_called_back_when_neither_the_operator_nor_we_find_anybody() {
    let (mut stage, mut caller, mut anna, refer) = asked_by(referred());
    hangs_up(&mut stage, &mut anna);
    caller.answer(&mut stage, &refer, "603 Decline", "");
    refuses(&mut stage, address(OUTSIDE), "486 Busy Here");
    stage.wait(seconds(3));
    let anna = answers(&mut stage, address(ANNA));
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &anna);
    assert_all_is_well(&mut stage);
    assert_eq!(leg_end(&stage, 2).1, Cause::Transferred);
}

#[test]
fn a_command_and_a_script_leave_as_an_agent_does() {
    let (mut stage, mut operator, anna) = talking_by(referred());
    let call = stage.facts.iter().find_map(|fact| fact.call.clone()).unwrap();
    let command = Ask::Transfer { call, to: "0612345678".to_owned() };
    stage.input(Input::Command { id: 1, by: "crm".to_owned(), command });
    let refer = stage.expect(operator.phone, "REFER");
    operator.answer(&mut stage, &refer, "202 Accepted", "");
    tells(&mut stage, &mut operator, "200 OK");
    hung_up_on(&mut stage, &anna);
    hung_up_on(&mut stage, &operator);
    assert_all_is_well(&mut stage);
    assert_eq!(stage.call_ends()[0].cause, Cause::TransferredOutwards);

    for leaves in [true, false] {
        let mut config = referred();
        let script = std::sync::Arc::new(through());
        config.services.insert("800200200".to_owned(), Service::Script { script, language: None });
        let mut stage = Stage::with(config, Past::default());
        let mut operator =
            Line::dial(&mut stage, address(OUTSIDE), "800200200", &sdp(address(OUTSIDE), SENDRECV));
        operator.connect(&mut stage);
        let refer = stage.expect(operator.phone, "REFER");
        if leaves {
            operator.answer(&mut stage, &refer, "202 Accepted", "");
            tells(&mut stage, &mut operator, "200 OK");
            hung_up_on(&mut stage, &operator);
        } else {
            operator.answer(&mut stage, &refer, "405 Method Not Allowed", "");
            refuses(&mut stage, address(OUTSIDE), "486 Busy Here");
            // The script has the call back, and says goodbye.
            hung_up_on(&mut stage, &operator);
        }
        assert_all_is_well(&mut stage);
        let cause = if leaves { Cause::TransferredOutwards } else { Cause::ScriptEnded };
        assert_eq!(stage.call_ends()[0].cause, cause);
    }
}

/// A caller of the operator talks with anna, who has called a number of the same operator and brings the two together. The REFER that
/// is to take us out of between them, and who was called.
fn brought_together() -> (Stage, Line, Line, String) {
    let (mut stage, caller, mut anna) = talking_by(referred());
    hold(&mut stage, &mut anna);
    let mut second = Line::dial_as(&mut stage, "anna", address(ANNA), "0612345678");
    let outside = answers(&mut stage, address(OUTSIDE));
    second.connect(&mut stage);
    let to = format!("sip:0612345678@10.0.0.1?{}", second.as_replaces());
    assert_eq!(anna.refer(&mut stage, &to), "SIP/2.0 202 Accepted");
    while anna.told(&mut stage) != "SIP/2.0 200 OK" {}
    hung_up_on(&mut stage, &anna);
    let refer = stage.expect(caller.phone, "REFER");
    (stage, caller, outside, refer)
}

#[test]
fn two_at_one_operator_are_connected_by_it_and_talk_meanwhile() {
    // The operator takes our dialog with the second out by a BYE of its own, or leaves both to us.
    for replaces_first in [true, false] {
        let (mut stage, mut caller, mut outside, refer) = brought_together();
        let to = header(&refer, "Refer-To").to_owned();
        assert!(to.starts_with("<sip:me@10.0.0.90:5060?Replaces="), "{to}");
        assert!(
            to.contains("%3Bto-tag%3Dtheirs%3Bfrom-tag%3D"),
            "as the second party knows the dialog: {to}"
        );
        assert_eq!(stage.count(|kind| *kind == FactKind::CallConnected { a: 1, b: 3 }), 1, "they talk");
        caller.answer(&mut stage, &refer, "202 Accepted", "");
        if replaces_first {
            hangs_up(&mut stage, &mut outside);
        } else {
            tells(&mut stage, &mut caller, "200 OK");
            hung_up_on(&mut stage, &outside);
        }
        hung_up_on(&mut stage, &caller);
        assert_all_is_well(&mut stage);
        let causes: Vec<Cause> = stage.call_ends().iter().map(|end| end.cause).collect();
        assert_eq!(causes, [Cause::Transferred, Cause::TransferredOutwards]);
    }
}

#[test]
fn two_at_one_operator_that_refuses_go_on_talking_through_us() {
    for accepts in [true, false] {
        let (mut stage, mut caller, outside, refer) = brought_together();
        if accepts {
            caller.answer(&mut stage, &refer, "202 Accepted", "");
            tells(&mut stage, &mut caller, "503 Service Unavailable");
        } else {
            caller.answer(&mut stage, &refer, "405 Method Not Allowed", "");
        }
        assert_eq!(kept(&stage), Some(if accepts { 503 } else { 405 }));
        stage.wait(seconds(60));
        assert_eq!(stage.engine.calls(), 1);
        hangs_up(&mut stage, &mut caller);
        hung_up_on(&mut stage, &outside);
        assert_all_is_well(&mut stage);
        assert_eq!(stage.call_ends().last().unwrap().cause, Cause::HungUp);
    }
}
