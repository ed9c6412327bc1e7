//! Services that put calls through to somebody who sends them back: the circle is broken, with a reason.

use crate::support::desk::*;
use crate::support::stage::*;
use engine::{Forwards, Past, Presentation, Service, Target};
use facts::{Cause, FactKind, Side};
use std::net::SocketAddr;

const DESK: &str = "+390600000001";
const NEXT: &str = "+390600000002";

/// The desk's number is put through to another number by the trunk; the next one, if there is a service for it, too.
fn forwarding(forwards: Forwards) -> engine::Config {
    let mut config = with_trunk();
    let to = |number: &str| Service::Dial(Target::Trunk { trunk: "tim".into(), number: number.into() });
    config.services.insert(DESK.into(), to(NEXT));
    let numbers = vec![numbers::Rules::of(numbers::Country::ITALY).normal(DESK)];
    let shown = Presentation { numbers, forwards, ..Presentation::default() };
    config.numbering.shown.insert("tim".into(), shown);
    config
}

/// The operator as it carries a call that it gets from us back to us.
struct Operator {
    at: SocketAddr,
    passed: u32,
}

impl Operator {
    /// As a proxy: it puts itself on the way and changes nothing else.
    fn proxies(&mut self, invite: &str) -> String {
        self.passed += 1;
        let via = format!("Via: SIP/2.0/UDP {};branch=z9hG4bKback{}\r\nVia: ", self.at, self.passed);
        self.to_the_desk(&invite.replacen("Via: ", &via, 1))
    }

    /// As a back-to-back user agent: a call of its own, of which only the hops and who sent it on remain.
    fn calls_anew(&mut self, invite: &str) -> String {
        self.passed += 1;
        let (at, passed) = (self.at, self.passed);
        let mut text = self.to_the_desk(invite);
        for (name, value) in [
            ("Via", format!("SIP/2.0/UDP {at};branch=z9hG4bKanew{passed}")),
            ("Call-ID", format!("anew{passed}")),
            ("From", format!("<sip:anonymous@{at}>;tag=anew{passed}")),
            ("Contact", format!("<sip:op@{at}>")),
        ] {
            let old = format!("{name}: {}\r\n", header(invite, name));
            text = text.replacen(&old, &format!("{name}: {value}\r\n"), 1);
        }
        text
    }

    /// The number that was dialled is forwarded to the desk again.
    fn to_the_desk(&self, invite: &str) -> String {
        let hops: u8 = header(invite, "Max-Forwards").parse().unwrap();
        let (_, rest) = invite.split_once("\r\n").unwrap();
        let rest = rest.replace(&format!("Max-Forwards: {hops}"), &format!("Max-Forwards: {}", hops - 1));
        format!("INVITE sip:{DESK}@10.0.0.1 SIP/2.0\r\n{rest}")
    }
}

fn causes(stage: &Stage) -> Vec<(Side, Cause, Option<u16>)> {
    stage.call_ends().iter().map(|end| (end.by, end.cause, end.sip)).collect()
}

/// A caller of the desk, and the INVITE that the operator gets for it.
fn begin(stage: &mut Stage) -> (Line, String) {
    let phone = address(9);
    let caller = Line::dial(stage, phone, DESK, &sdp(phone, SENDRECV));
    let invite = stage.expect(address(OUTSIDE), "INVITE");
    (caller, invite)
}

#[test]
fn a_call_that_proxies_send_back_is_refused_with_482_at_once() {
    let mut stage = Stage::with(forwarding(Forwards::Own), Past::default());
    let mut operator = Operator { at: address(OUTSIDE), passed: 0 };
    let (mut caller, first) = begin(&mut stage);
    assert_eq!(header(&first, "Max-Forwards"), "69", "one less than the caller's");
    let back = operator.proxies(&first);
    stage.send(operator.at, &back);
    let refused = stage.expect(operator.at, "SIP/2.0 482");
    let own = refused.lines().find(|line| line.starts_with("Via: ") && line.contains("z9hG4bKback")).unwrap();
    stage.send(operator.at, &refused.replacen(&format!("{own}\r\n"), "", 1));
    stage.expect(address(9), "SIP/2.0 482");
    caller.ack(&mut stage, "");
    stage.assert_all_is_over();
    assert_eq!(
        causes(&stage),
        [(Side::Network, Cause::Looped, Some(482)), (Side::Callee, Cause::Looped, Some(482))]
    );
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::CallArrived { .. })), 2);
}

#[test]
fn a_call_that_comes_back_for_something_else_is_a_detour_and_is_taken() {
    let mut config = forwarding(Forwards::Own);
    config.services.insert(NEXT.into(), Service::Echo);
    let mut stage = Stage::with(config, Past::default());
    let mut operator = Operator { at: address(OUTSIDE), passed: 0 };
    let (mut caller, first) = begin(&mut stage);
    let back =
        operator.proxies(&first).replace(&format!("INVITE sip:{DESK}@"), &format!("INVITE sip:{NEXT}@"));
    stage.send(operator.at, &back);
    let ok = stage.expect(operator.at, "SIP/2.0 200");
    let own = ok.lines().find(|line| line.starts_with("Via: ") && line.contains("z9hG4bKback")).unwrap();
    stage.send(operator.at, &ok.replacen(&format!("{own}\r\n"), "", 1));
    caller.connect(&mut stage);
    // The operator carries what follows, both ways, until nobody says anything more.
    hangs_up(&mut stage, &mut caller);
    for _ in 0..20 {
        let text = stage.next(operator.at);
        if text == "nothing" {
            break;
        }
        stage.send(operator.at, &text);
    }
    stage.wait(seconds(40));
    stage.assert_all_is_over();
    assert!(causes(&stage).iter().all(|(_, cause, _)| *cause != Cause::Looped), "{:?}", causes(&stage));
}

#[test]
fn a_call_that_was_sent_on_from_here_before_is_refused_with_482_even_as_a_new_call() {
    for forwards in [Forwards::Diversion, Forwards::History] {
        let mut stage = Stage::with(forwarding(forwards), Past::default());
        let mut operator = Operator { at: address(OUTSIDE), passed: 0 };
        let (_caller, first) = begin(&mut stage);
        let back = operator.calls_anew(&first);
        stage.send(operator.at, &back);
        let refused = stage.expect(operator.at, "SIP/2.0 482");
        assert_eq!(header(&refused, "Reason"), "Q.850;cause=25;text=\"Exchange routing error\"");
        let end = stage.call_ends().remove(0);
        assert_eq!((end.by, end.cause), (Side::Network, Cause::Looped));
        assert!(end.detail.contains(DESK), "{}", end.detail);
    }
}

#[test]
fn a_circle_of_which_nothing_else_tells_ends_with_max_forwards() {
    let mut stage = Stage::with(forwarding(Forwards::Own), Past::default());
    let mut operator = Operator { at: address(OUTSIDE), passed: 0 };
    let (mut caller, mut invite) = begin(&mut stage);
    let mut carried: Vec<String> = vec![invite.clone()];
    let last = loop {
        let back = operator.calls_anew(&invite);
        stage.send(operator.at, &back);
        let answer = loop {
            let text = stage.next(operator.at);
            if !text.starts_with("SIP/2.0 100") {
                break text;
            }
        };
        if answer.starts_with("SIP/2.0") {
            break answer;
        }
        carried.push(answer.clone());
        invite = answer;
        assert!(carried.len() < 100, "it goes round for ever");
    };
    assert!(last.starts_with("SIP/2.0 483"), "{last}");
    assert_eq!(carried.len(), 35, "each turn takes one hop here and one there");
    // The refusal runs back through every turn.
    let line = Line::called_by(&carried[0], operator.at);
    for invite in carried.iter().rev() {
        line.answer(&mut stage, invite, "483 Too Many Hops", "");
    }
    stage.expect(address(9), "SIP/2.0 483");
    caller.ack(&mut stage, "");
    stage.wait(seconds(40));
    stage.assert_all_is_over();
    let (ends, of_the_last) = (causes(&stage), (Side::Engine, Cause::Looped, Some(483)));
    assert_eq!((ends.len(), ends[0]), (36, of_the_last), "the turn that was not taken is written down, too");
    assert!(ends[1..].iter().all(|end| *end == (Side::Callee, Cause::Looped, Some(483))));
}

#[test]
fn an_agent_who_is_offered_a_call_is_asked_with_one_hop_less() {
    let mut stage = Stage::with(with_trunk(), Past::default());
    register(&mut stage, "anna", address(ANNA));
    let _caller = caller_in_queue(&mut stage, address(9), 1);
    let invite = stage.expect(address(ANNA), "INVITE");
    assert_eq!(header(&invite, "Max-Forwards"), "69");
}
