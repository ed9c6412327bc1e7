//! Agents with several devices, each called by the URIs that name it alone (RFC 5627): dialled, transferred to, written to.

use crate::support::desk::*;
use crate::support::stage::*;
use facts::{AgentState, Cause, FactKind};

/// Two devices of bruno's.
const DESK: u8 = 61;
const SOFT: u8 = 62;

/// What a device was told: its public GRUU and a temporary one, without `sip:`.
struct Names {
    public: String,
    temporary: String,
}

fn registers(stage: &mut Stage, user: &str, at: u8) -> Names {
    let params = format!(";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-0000000000{at}>\"");
    let call_id = format!("register-{user}-{at}");
    let ok = register_with(stage, user, address(at), (&call_id, &params), "Supported: gruu\r\n");
    let its = ok
        .lines()
        .find(|line| line.starts_with("Contact: ") && line.contains(&format!("0000{at}>")))
        .unwrap();
    let told = |kind: &str| {
        let value = its.split(&format!("{kind}=\"sip:")).nth(1).unwrap();
        value.split('"').next().unwrap().replace("@stage", "@10.0.0.1")
    };
    Names { public: told("pub-gruu"), temporary: told("temp-gruu") }
}

/// Anna, and bruno with two devices.
fn desk() -> (Stage, Names, Names) {
    let mut stage = Stage::new();
    register(&mut stage, "anna", address(ANNA));
    let (first, second) = (registers(&mut stage, "bruno", DESK), registers(&mut stage, "bruno", SOFT));
    (stage, first, second)
}

fn dials(stage: &mut Stage, gruu: &str) -> Line {
    Line::dial_as(stage, "anna", address(ANNA), gruu)
}

#[test]
fn each_device_is_rung_by_its_own_uris_and_the_other_is_not() {
    let (mut stage, first, second) = desk();
    for (names, at, other) in [(&first, DESK, SOFT), (&second, SOFT, DESK)] {
        for gruu in [&names.public, &names.temporary] {
            let mut anna = dials(&mut stage, gruu);
            let bruno = answers(&mut stage, address(at));
            anna.connect(&mut stage);
            assert_eq!(stage.next(address(other)), "nothing", "{gruu}");
            assert_eq!(state_of(&stage, "bruno"), AgentState::Talking);
            hangs_up(&mut stage, &mut anna);
            hung_up_on(&mut stage, &bruno);
            stage.wait(seconds(3));
        }
    }
    stage.assert_all_is_over();
    let legs = stage.count(|kind| matches!(kind, FactKind::LegCreated { address, .. } if address == "bruno"));
    assert_eq!(legs, 4, "facts name the agent, whatever was dialled");
}

#[test]
fn a_device_that_is_not_there_is_480_though_the_agents_other_one_is() {
    let (mut stage, first, _) = desk();
    let gone = first.public.replace("0000000061", "0000000063");
    let never = first.temporary.replace("tgruu.", "tgruu.A");
    for (uri, status, cause) in [(&gone, "480", Cause::Unreachable), (&never, "404", Cause::NotFound)] {
        let anna = dials(&mut stage, uri);
        let refused = stage.expect(anna.phone, &format!("SIP/2.0 {status}"));
        assert!(header(&refused, "CSeq").ends_with("INVITE"), "{refused}");
        assert_eq!(stage.call_ends().last().unwrap().cause, cause);
    }
    assert_eq!((stage.next(address(DESK)), stage.next(address(SOFT))), ("nothing".into(), "nothing".into()));
    stage.assert_all_is_over();
}

#[test]
fn a_call_is_handed_over_to_the_one_device_that_refer_names() {
    let (mut stage, mut caller, mut anna) = talking();
    let names = registers(&mut stage, "bruno", SOFT);
    let old = names.public.replace("0000000062", "0000000061");
    assert_eq!(anna.refer(&mut stage, &format!("sip:{old}")), "SIP/2.0 480 Temporarily Unavailable");
    assert_eq!(anna.refer(&mut stage, &format!("sip:{}", names.temporary)), "SIP/2.0 202 Accepted");
    let bruno = answers(&mut stage, address(SOFT));
    for status in ["100 Trying", "200 OK"] {
        assert_eq!(anna.told(&mut stage), format!("SIP/2.0 {status}"));
    }
    hung_up_on(&mut stage, &anna);
    assert_eq!(stage.next(address(BRUNO)), "nothing", "his first phone is not rung");
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &bruno);
    stage.assert_all_is_over();
    assert_eq!(stage.count(|kind| *kind == FactKind::TransferCompleted { to: "bruno".into() }), 1);
}

#[test]
fn a_text_reaches_the_one_device_that_it_names() {
    let (mut stage, first, _) = desk();
    let to = first.temporary.clone();
    let mut anna = Line::writes(&mut stage, "anna", address(ANNA), &to, "ciao");
    let text = stage.expect(address(DESK), "MESSAGE");
    assert!(text.ends_with("ciao"), "{text}");
    anna.phone = address(DESK);
    anna.answer(&mut stage, &text, "200 OK", "");
    stage.expect(address(ANNA), "SIP/2.0 200");
    assert_eq!(stage.next(address(SOFT)), "nothing");
    let gone = first.public.replace("0000000061", "0000000063");
    Line::writes(&mut stage, "anna", address(ANNA), &gone, "ciao");
    stage.expect(address(ANNA), "SIP/2.0 480");
    stage.assert_all_is_over();
}

#[test]
fn strangers_and_operators_do_not_ring_a_device_by_its_gruu() {
    let (mut stage, first, _) = desk();
    for gruu in [first.public, first.temporary] {
        let phone = address(9);
        Line::dial(&mut stage, phone, &gruu, &sdp(phone, SENDRECV));
        stage.expect(phone, "SIP/2.0 404");
    }
    assert_eq!(stage.next(address(DESK)), "nothing");
}
