//! The services of RFC 5359, each by its section: what the whole exchange does for phones that are led by hand.
//! `docs/call-flows.md` says of every section of it, and of RFC 3665, which test holds it or why none does.

use crate::support::desk::*;
use crate::support::stage::*;
use engine::{Past, Service, Target};
use facts::{AgentState, FactKind};
use media_api::{Command, LegId};
use std::sync::Arc;

/// Who hears what: the last that media was told of the leg.
fn hears(stage: &Stage, leg: LegId) -> &'static str {
    let last = stage.commands.iter().rev().find_map(|command| match command {
        Command::Bridge { a, b } if *a == leg || *b == leg => Some("the other"),
        Command::Play { leg: told, sounds, repeat: true, .. }
            if *told == leg && &*sounds[0][0] == "moh/calm" =>
        {
            Some("music")
        }
        Command::Unbridge { leg: told } | Command::Stop { leg: told } if *told == leg => Some("nothing"),
        _ => None,
    });
    last.unwrap_or("nothing")
}

const CALLER: LegId = LegId(1);
const AGENT: LegId = LegId(2);

/// The caller, then whom they talk with, hang up.
fn ends(mut stage: Stage, caller: &mut Line, other: &Line) {
    hangs_up(&mut stage, caller);
    hung_up_on(&mut stage, other);
    stage.assert_all_is_over();
}

/// A service `desk` with this flow of nodes.
fn scripted(nodes: &str) -> Stage {
    Stage::with(scripted_config(nodes), Past::default())
}

fn scripted_config(nodes: &str) -> engine::Config {
    let files = ivr::ScriptFiles {
        name: "desk".to_owned(),
        flow: (
            "flow.toml".to_owned(),
            format!("title = \"t\"\nlanguages = [\"it\"]\nstart = \"one\"\n{nodes}"),
        ),
        phrases: vec![("it".to_owned(), "it.toml".to_owned(), String::new())],
        ..ivr::ScriptFiles::default()
    };
    let script = Arc::new(ivr::Script::check(&files).unwrap());
    let mut config = with_trunk();
    config.services.insert("desk".to_owned(), Service::Script { script, language: None });
    config
}

fn calls_desk(stage: &mut Stage) -> Line {
    let mut caller = Line::dial(stage, address(9), "desk", &sdp(address(9), SENDRECV));
    caller.connect(stage);
    caller
}

#[test]
fn section_2_1_call_hold_is_answered_in_kind_and_the_other_party_is_asked_nothing() {
    let (mut stage, mut caller, mut anna) = talking();
    for party in [&mut anna, &mut caller] {
        let held = reoffers(&mut stage, party, "sendonly");
        assert!(held.contains("a=recvonly"), "{held}");
        let resumed = reoffers(&mut stage, party, SENDRECV);
        assert!(resumed.contains("a=sendrecv"), "{resumed}");
        assert_eq!(hears(&stage, CALLER), "the other");
    }
    assert_eq!((stage.next(caller.phone).as_str(), stage.next(anna.phone).as_str()), ("nothing", "nothing"));
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::LegHeld { .. })), 2);
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::LegResumed { .. })), 2);
    ends(stage, &mut caller, &anna);
}

#[test]
fn section_2_2_consultation_hold_leaves_the_first_call_as_it_was() {
    let (mut stage, mut caller, mut anna) = talking();
    hold(&mut stage, &mut anna);
    let mut second = Line::dial_as(&mut stage, "anna", address(ANNA), "bruno");
    let bruno = answers(&mut stage, address(BRUNO));
    second.connect(&mut stage);
    assert_eq!(hears(&stage, CALLER), "music", "while anna asks bruno");
    hangs_up(&mut stage, &mut second);
    hung_up_on(&mut stage, &bruno);
    reoffers(&mut stage, &mut anna, SENDRECV);
    assert_eq!((hears(&stage, CALLER), hears(&stage, AGENT)), ("the other", "the other"));
    assert_eq!(stage.next(caller.phone), "nothing");
    ends(stage, &mut caller, &anna);
}

#[test]
fn section_2_3_music_on_hold_is_played_to_whoever_waits_and_to_nobody_else() {
    for direction in ["sendonly", "inactive"] {
        let (mut stage, mut caller, mut anna) = talking();
        reoffers(&mut stage, &mut anna, direction);
        assert_eq!((hears(&stage, CALLER), hears(&stage, AGENT)), ("music", "nothing"));
        reoffers(&mut stage, &mut anna, SENDRECV);
        assert_eq!((hears(&stage, CALLER), hears(&stage, AGENT)), ("the other", "the other"));
        ends(stage, &mut caller, &anna);
    }
}

#[test]
fn section_2_4_an_unattended_transfer_is_told_step_by_step_and_moves_the_other_party() {
    let (mut stage, mut caller, mut anna) = talking();
    assert_eq!(anna.refer(&mut stage, "sip:bruno@10.0.0.1"), "SIP/2.0 202 Accepted");
    assert_eq!(anna.told(&mut stage), "SIP/2.0 100 Trying");
    let bruno = answers(&mut stage, address(BRUNO));
    assert_eq!(anna.told(&mut stage), "SIP/2.0 180 Ringing");
    assert_eq!(anna.told(&mut stage), "SIP/2.0 200 OK");
    hung_up_on(&mut stage, &anna);
    assert_eq!((hears(&stage, CALLER), hears(&stage, LegId(3))), ("the other", "the other"));
    assert_eq!(stage.next(caller.phone), "nothing", "the caller's phone hears nothing of it");
    ends(stage, &mut caller, &bruno);
}

#[test]
fn section_2_5_an_attended_transfer_joins_the_two_calls_by_replaces() {
    let (mut stage, mut caller, mut anna) = talking();
    hold(&mut stage, &mut anna);
    let mut second = Line::dial_as(&mut stage, "anna", address(ANNA), "bruno");
    let bruno = answers(&mut stage, address(BRUNO));
    second.connect(&mut stage);
    hold(&mut stage, &mut second);
    let to = format!("sip:bruno@10.0.0.1?{}", second.as_replaces());
    assert_eq!(anna.refer(&mut stage, &to), "SIP/2.0 202 Accepted");
    assert_eq!(anna.told(&mut stage), "SIP/2.0 100 Trying");
    hung_up_on(&mut stage, &second);
    assert_eq!(anna.told(&mut stage), "SIP/2.0 200 OK");
    hung_up_on(&mut stage, &anna);
    assert_eq!(hears(&stage, CALLER), "the other");
    assert_eq!(state_of(&stage, "bruno"), AgentState::Talking);
    ends(stage, &mut caller, &bruno);
}

#[test]
fn section_2_6_a_transfer_is_agreed_on_by_instant_message_first() {
    let (mut stage, mut caller, mut anna) = talking();
    let ask = Line::writes(&mut stage, "anna", address(ANNA), "bruno", "una pratica per te?");
    let text = stage.expect(address(BRUNO), "MESSAGE");
    assert!(text.ends_with("una pratica per te?"), "{text}");
    ask.answer(&mut stage, &text, "200 OK", "");
    stage.expect(address(ANNA), "SIP/2.0 200");
    let reply = Line::writes(&mut stage, "bruno", address(BRUNO), "anna", "si, passamela");
    let text = stage.expect(address(ANNA), "MESSAGE");
    assert!(text.ends_with("si, passamela"), "{text}");
    reply.answer(&mut stage, &text.replace("10.0.0.51", "10.0.0.50"), "200 OK", "");
    assert_eq!(anna.refer(&mut stage, "sip:bruno@10.0.0.1"), "SIP/2.0 202 Accepted");
    anna.told(&mut stage);
    let bruno = answers(&mut stage, address(BRUNO));
    anna.told(&mut stage);
    anna.told(&mut stage);
    hung_up_on(&mut stage, &anna);
    ends(stage, &mut caller, &bruno);
}

#[test]
fn section_2_7_a_number_forwarded_unconditionally_rings_only_where_it_is_sent() {
    let mut config = with_trunk();
    let to = Target::Trunk { trunk: "tim".into(), number: "0612345678".into() };
    config.services.insert("boss".into(), Service::Dial(to));
    let mut stage = Stage::with(config, Past::default());
    let mut caller = Line::dial(&mut stage, address(9), "boss", &sdp(address(9), SENDRECV));
    let outside = answers(&mut stage, address(OUTSIDE));
    stage.expect(address(9), "SIP/2.0 180");
    caller.connect(&mut stage);
    assert_eq!((hears(&stage, CALLER), hears(&stage, AGENT)), ("the other", "the other"));
    ends(stage, &mut caller, &outside);
}

#[test]
fn section_2_8_a_call_is_forwarded_when_the_first_party_is_busy() {
    let mut stage = scripted(
        "[one]\ntransfer = \"sip:one@10.0.0.90:5060\"\non.failed = \"two\"\n\
         [two]\ntransfer = \"sip:two@10.0.0.91:5060\"\n",
    );
    let mut caller = calls_desk(&mut stage);
    refuses(&mut stage, address(90), "486 Busy Here");
    let second = answers(&mut stage, address(91));
    assert_eq!(hears(&stage, CALLER), "the other");
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::TransferFailed { sip: Some(486), .. })), 1);
    ends(stage, &mut caller, &second);
}

/// Whatever the checker of scripts takes as a target is called as it is meant, and never as a number of its letters.
#[test]
fn each_target_that_a_script_may_name_is_called_as_it_is_meant() {
    let targets = [
        ("sip:desk@10.0.0.91", "10.0.0.91:5060", "INVITE sip:desk@10.0.0.91 SIP/2.0", "<sip:"),
        (
            "sip:desk@10.0.0.91:5070;user=phone",
            "10.0.0.91:5070",
            "INVITE sip:desk@10.0.0.91:5070;user=phone",
            "<sip:",
        ),
        ("sips:desk@10.0.0.91", "10.0.0.91:5061", "INVITE sips:desk@10.0.0.91 SIP/2.0", "<sips:"),
        (
            "sips:desk@10.0.0.91:7000;transport=tcp",
            "10.0.0.91:7000",
            "INVITE sips:desk@10.0.0.91:7000",
            "<sips:",
        ),
        ("0612345678", "10.0.0.90:5060", "INVITE sip:+390612345678@10.0.0.90", "<sip:"),
    ];
    for (target, place, request, contact) in targets {
        let mut config = scripted_config(&format!("[one]\ntransfer = \"{target}\"\n"));
        config.sip.listen.push((sip::ua::Transport::Tls, "10.0.0.1:5061".parse().unwrap()));
        let mut stage = Stage::with(config, Past::default());
        calls_desk(&mut stage);
        let invite = stage.expect(place.parse().unwrap(), "INVITE");
        assert!(invite.starts_with(request), "{target}: {invite}");
        assert!(header(&invite, "Contact").starts_with(contact), "{target}: {invite}");
    }
}

#[test]
fn section_2_9_a_call_is_forwarded_when_nobody_answers_in_time() {
    let mut stage = scripted(
        "[one]\ntransfer = \"sip:one@10.0.0.90:5060\"\nring = \"15s\"\non.failed = \"two\"\n\
         [two]\ntransfer = \"sip:two@10.0.0.91:5060\"\n",
    );
    let mut caller = calls_desk(&mut stage);
    let (first, invite) = Line::called(&mut stage, address(90));
    first.answer(&mut stage, &invite, "180 Ringing", "");
    stage.wait(seconds(14));
    assert_eq!(stage.next(address(90)), "nothing");
    stage.wait(seconds(2));
    is_cancelled(&mut stage, &first, &invite);
    let second = answers(&mut stage, address(91));
    assert_eq!(hears(&stage, CALLER), "the other");
    ends(stage, &mut caller, &second);
}

#[test]
fn section_2_12_a_caller_is_found_somebody_one_after_the_other() {
    let mut stage = Stage::with(with_trunk(), Past::default());
    register(&mut stage, "anna", address(ANNA));
    register(&mut stage, "bruno", address(BRUNO));
    let mut caller = caller_in_queue(&mut stage, address(9), 1);
    let first = stage.fact(|kind| match kind {
        FactKind::OfferMade { agent, .. } => Some(agent.clone()),
        _ => None,
    });
    let (first, next) = if first == "anna" { (ANNA, BRUNO) } else { (BRUNO, ANNA) };
    let (rung, invite) = Line::called(&mut stage, address(first));
    rung.answer(&mut stage, &invite, "180 Ringing", "");
    assert_eq!(stage.next(address(next)), "nothing", "one at a time");
    stage.wait(seconds(16));
    is_cancelled(&mut stage, &rung, &invite);
    let found = answers(&mut stage, address(next));
    assert_eq!(hears(&stage, CALLER), "the other");
    ends(stage, &mut caller, &found);
}

#[test]
fn section_2_13_of_incoming_calls_only_those_of_known_networks_and_accounts_are_taken() {
    let mut config = with_trunk();
    config.sip.open_to.clear();
    let mut stage = Stage::with(config, Past::default());
    let stranger = Line::dial(&mut stage, address(9), "sig", &sdp(address(9), SENDRECV));
    stage.expect(stranger.phone, "SIP/2.0 401");
    assert_eq!(stage.engine.calls(), 0, "who proves nothing costs nothing");
    let mut operator = Line::dial(&mut stage, address(OUTSIDE), "sig", &sdp(address(OUTSIDE), SENDRECV));
    operator.connect(&mut stage);
    hangs_up(&mut stage, &mut operator);
    stage.assert_all_is_over();
}

#[test]
fn section_2_14_of_outgoing_calls_only_those_that_a_rule_opens_are_made() {
    let mut stage = Stage::with(with_trunk(), Past::default());
    register(&mut stage, "anna", address(ANNA));
    let mut dear = Line::dial_as(&mut stage, "anna", address(ANNA), "+442079460000");
    stage.expect(dear.phone, "SIP/2.0 403");
    dear.ack(&mut stage, "");
    assert_eq!(stage.next(address(OUTSIDE)), "nothing");
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::OutboundRefused { .. })), 1);
    let mut open = Line::dial_as(&mut stage, "anna", address(ANNA), "0612345678");
    let outside = answers(&mut stage, address(OUTSIDE));
    open.connect(&mut stage);
    ends(stage, &mut open, &outside);
}

#[test]
fn section_2_17_a_phone_that_watches_a_busy_colleague_is_told_when_to_call_again() {
    let (mut stage, mut caller, anna) = talking();
    let bruno = address(BRUNO);
    let mut busy = Line::dial_as(&mut stage, "bruno", bruno, "anna");
    stage.expect(bruno, "SIP/2.0 486");
    busy.ack(&mut stage, "");
    let watch = ("Event: dialog\r\nExpires: 3600\r\n", "");
    let watcher = Line::ask_as(&mut stage, ("bruno", bruno), ("SUBSCRIBE", "anna"), watch);
    stage.expect(bruno, "SIP/2.0 200");
    let notify = stage.expect(bruno, "NOTIFY");
    assert!(notify.contains("<state>confirmed</state>"), "{notify}");
    watcher.answer(&mut stage, &notify, "200 OK", "");
    hangs_up(&mut stage, &mut caller);
    hung_up_on(&mut stage, &anna);
    let notify = stage.expect(bruno, "NOTIFY");
    assert!(!notify.contains("<state>confirmed</state>"), "{notify}");
    watcher.answer(&mut stage, &notify, "200 OK", "");
    stage.wait(seconds(3));
    let mut again = Line::dial_as(&mut stage, "bruno", bruno, "anna");
    let found = answers(&mut stage, address(ANNA));
    again.connect(&mut stage);
    hangs_up(&mut stage, &mut again);
    hung_up_on(&mut stage, &found);
    stage.assert_all_is_over();
}

#[test]
fn section_2_18_a_refer_outside_of_a_call_dials_nobody() {
    let mut stage = Stage::with(with_trunk(), Past::default());
    register(&mut stage, "anna", address(ANNA));
    register(&mut stage, "bruno", address(BRUNO));
    let mut click = Line::dial(&mut stage, address(9), "anna", "");
    stage.expect(address(9), "SIP/2.0 404");
    click.ack(&mut stage, "");
    click.request_with(&mut stage, "REFER", "Refer-To: <sip:bruno@10.0.0.1>\r\n", "");
    stage.expect(address(9), "SIP/2.0 403");
    assert_eq!(
        (stage.next(address(ANNA)).as_str(), stage.next(address(BRUNO)).as_str()),
        ("nothing", "nothing")
    );
    stage.assert_all_is_over();
}

/// The table says what is so: each test that it names is there, and every section of the two RFCs has a row.
#[test]
fn the_table_of_flows_names_tests_that_are_there_and_leaves_no_section_out() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let table = std::fs::read_to_string(root.join("docs/call-flows.md")).unwrap();
    let mut sections: Vec<String> = Vec::new();
    for row in table.lines().filter(|row| row.starts_with("| 3665 §") || row.starts_with("| 5359 §")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        sections.push(cells[1].to_owned());
        let named: Vec<&str> = cells[3].split('`').skip(1).step_by(2).collect();
        assert!(!cells[3].is_empty(), "a row says nothing: {row}");
        for test in named.iter().filter(|name| name.contains("::")) {
            let (file, name) = test.split_once("::").unwrap();
            let path = root.join(format!("crates/{file}.rs"));
            let text =
                std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("no file {}", path.display()));
            assert!(text.contains(&format!("fn {name}(")), "there is no test {test}");
        }
    }
    let numbers = |rfc: &str, chapter: u8, last: u8| -> Vec<String> {
        (1..=last).map(|section| format!("{rfc} §{chapter}.{section}")).collect()
    };
    let all = [numbers("3665", 2, 5), numbers("3665", 3, 11), numbers("5359", 2, 18)].concat();
    assert_eq!(sections, all);
}
