//! More than two in a call: a supervisor who listens, whispers and barges in, third parties, and whoever is muted. Each says
//! a tone of its own, through networks that lose and delay, and each ear hears exactly what it may.

use crate::support::desk::*;
use crate::support::hall::Heard::{self, Music, Party};
use crate::support::hall::{Hall, Weather, assert_ears, assert_ears_after};
use crate::support::stage::*;
use engine::{CommandRefused, Input, Past};
use facts::{Command, FactKind, LegRole, SupervisionMode};
use media_api::{Event, LegId};
use std::time::Duration;

const CARLA: u8 = 52;
const WEATHERS: [(u64, u32, u64); 3] = [(1, 0, 0), (2, 5, 30), (3, 50, 120)];

fn in_all_weathers(scene: fn(Stage, Line, Line)) {
    for (seed, lost_permille, delay_millis) in WEATHERS {
        println!("{lost_permille} ‰ lost, up to {delay_millis} ms late");
        let mut stage = Stage::with(with_trunk(), Past::default());
        let weather = Weather { seed, lost_permille, delay_max: Duration::from_millis(delay_millis) };
        stage.hall = Some(Hall::new(stage.now, weather));
        let (caller, anna) = begin(&mut stage);
        scene(stage, caller, anna);
    }
}

/// The same without sound.
fn talking_beside() -> (Stage, Line, Line) {
    let mut stage = Stage::with(with_trunk(), Past::default());
    let (caller, anna) = begin(&mut stage);
    (stage, caller, anna)
}

/// The caller hangs up, these are hung up on, and nothing is left.
fn ends(stage: &mut Stage, mut caller: Line, others: &[&Line]) {
    hangs_up(stage, &mut caller);
    others.iter().for_each(|line| hung_up_on(stage, line));
    stage.assert_all_is_over();
}

/// A caller (leg 1) talks with anna (leg 2); carla and bruno are there.
fn begin(stage: &mut Stage) -> (Line, Line) {
    register(stage, "anna", address(ANNA));
    let caller = caller_in_queue(stage, address(9), 1);
    let anna = agent_answers(stage, address(ANNA));
    register(stage, "carla", address(CARLA));
    register(stage, "bruno", address(BRUNO));
    (caller, anna)
}

fn id(stage: &Stage) -> String {
    stage.facts.iter().find_map(|fact| fact.call.clone()).unwrap()
}

fn command(stage: &mut Stage, command: Command) -> Result<u64, CommandRefused> {
    command_by(stage, "crm", command)
}

fn command_by(stage: &mut Stage, by: &str, command: Command) -> Result<u64, CommandRefused> {
    stage.input(Input::Command { id: 7, by: by.to_owned(), command });
    stage.replies.pop().unwrap().1
}

fn supervise(stage: &mut Stage, mode: SupervisionMode) -> Result<u64, CommandRefused> {
    supervise_as(stage, "carla", mode)
}

fn supervise_as(stage: &mut Stage, who: &str, mode: SupervisionMode) -> Result<u64, CommandRefused> {
    let (call, supervisor, basis) = (id(stage), who.to_owned(), "training".to_owned());
    command(stage, Command::Supervise { call, supervisor, mode, basis })
}

fn end_supervision(stage: &mut Stage) -> Result<u64, CommandRefused> {
    let call = id(stage);
    command(stage, Command::EndSupervision { call, supervisor: "carla".to_owned() })
}

fn add(stage: &mut Stage, to: &str) -> Result<u64, CommandRefused> {
    let (call, to) = (id(stage), to.to_owned());
    command(stage, Command::AddParty { call, to })
}

fn drop_out(stage: &mut Stage, leg: u32) -> Result<u64, CommandRefused> {
    let call = id(stage);
    command(stage, Command::DropParty { call, leg })
}

fn mute(stage: &mut Stage, leg: u32, muted: bool) -> Result<u64, CommandRefused> {
    let call = id(stage);
    command(stage, Command::MuteParty { call, leg, muted })
}

fn transfer(stage: &mut Stage, to: &str) -> Result<u64, CommandRefused> {
    let (call, to) = (id(stage), to.to_owned());
    command(stage, Command::Transfer { call, to })
}

/// Another device of anna's takes the call from the one that she has it on.
fn changes_device(stage: &mut Stage, anna: &Line) -> Line {
    let name = anna.in_replaces();
    let mut second = Line::dial_with(stage, "anna", address(54), "anna", &name);
    second.connect(stage);
    assert_folded(stage);
    hung_up_on(stage, anna);
    second
}

/// The snapshot and its fold are one, as after every fact.
fn assert_folded(stage: &Stage) {
    let mut fold = journal::fold::SnapshotFold::default();
    stage.facts.iter().for_each(|fact| fold.apply(fact));
    assert_eq!(*fold.snapshot(), stage.engine.snapshot());
}

const ONE: Heard = Party(1);
const TWO: Heard = Party(2);
const THREE: Heard = Party(3);

#[test]
fn the_two_get_each_others_keys_while_a_supervisor_listens_and_never_the_supervisors_or_those_of_who_is_muted()
 {
    let (mut stage, caller, anna) = talking_beside();
    assert!(supervise(&mut stage, SupervisionMode::Listen).is_ok());
    let mut carla = answers(&mut stage, address(CARLA));
    stage.press(3, '9');
    carla.request(&mut stage, "INFO", "Signal=8\r\nDuration=160\r\n");
    stage.expect(carla.phone, "SIP/2.0 200");
    stage.wait(seconds(1));
    stage.press(2, '1');
    stage.press(1, '2');
    assert!(mute(&mut stage, 2, true).is_ok());
    stage.wait(seconds(1));
    stage.press(2, '3');
    let sent: Vec<(u64, &str)> = stage
        .commands
        .iter()
        .filter_map(|command| match command {
            media_api::Command::SendDigits { leg, digits } => Some((leg.0, digits.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(sent, [(1, "1"), (2, "2")]);
    ends(&mut stage, caller, &[&anna, &carla]);
}

#[test]
fn a_supervisor_listens_whispers_barges_in_and_leaves_and_the_caller_never_hears_a_whisper() {
    in_all_weathers(|mut stage, caller, anna| {
        assert!(supervise(&mut stage, SupervisionMode::Listen).is_ok());
        let carla = answers(&mut stage, address(CARLA));
        assert_ears(&mut stage, &[(1, &[TWO]), (2, &[ONE]), (3, &[ONE, TWO])]);
        assert_eq!(state_of(&stage, "carla"), facts::AgentState::Talking);
        // Nothing of a whisper is let through on the way either; what was said aloud before it is heard to its end.
        for on_the_way in [Duration::ZERO, Duration::from_millis(400)] {
            assert!(supervise(&mut stage, SupervisionMode::Whisper).is_ok());
            assert_ears_after(&mut stage, on_the_way, &[(1, &[TWO]), (3, &[ONE, TWO])]);
            assert_ears(&mut stage, &[(1, &[TWO]), (2, &[ONE, THREE]), (3, &[ONE, TWO])]);
            assert_folded(&stage);
            assert!(supervise(&mut stage, SupervisionMode::Barge).is_ok());
            assert_ears(&mut stage, &[(1, &[TWO, THREE]), (2, &[ONE, THREE]), (3, &[ONE, TWO])]);
        }
        assert!(supervise(&mut stage, SupervisionMode::Listen).is_ok());
        assert_ears(&mut stage, &[(1, &[TWO]), (2, &[ONE]), (3, &[ONE, TWO])]);
        assert!(end_supervision(&mut stage).is_ok());
        hung_up_on(&mut stage, &carla);
        assert_ears(&mut stage, &[(1, &[TWO]), (2, &[ONE])]);
        assert_folded(&stage);
        ends(&mut stage, caller, &[&anna]);
        let told: Vec<(&str, SupervisionMode)> = stage
            .kinds()
            .into_iter()
            .filter_map(|kind| match kind {
                FactKind::SupervisionStarted { agent, mode, leg: 3, .. } if agent == "anna" => {
                    Some(("started", *mode))
                }
                FactKind::SupervisionModeChanged { mode, leg: 3, basis, .. } if basis == "training" => {
                    Some(("now", *mode))
                }
                FactKind::SupervisionEnded { supervisor, leg: 3 } if supervisor == "carla" => {
                    Some(("ended", SupervisionMode::Listen))
                }
                _ => None,
            })
            .collect();
        use SupervisionMode::{Barge, Listen, Whisper};
        assert_eq!(
            told,
            [
                ("started", Listen),
                ("now", Whisper),
                ("now", Barge),
                ("now", Whisper),
                ("now", Barge),
                ("now", Listen),
                ("ended", Listen)
            ]
        );
    });
}

#[test]
fn the_two_notice_nothing_of_who_comes_and_goes_and_changes_seats() {
    let mut stage = Stage::with(with_trunk(), Past::default());
    stage.hall = Some(Hall::new(stage.now, Weather { seed: 1, lost_permille: 0, delay_max: Duration::ZERO }));
    begin(&mut stage);
    stage.wait(seconds(1));
    let notices = |stage: &mut Stage, at_most: u64| {
        stage.wait(seconds(1));
        let hall = stage.hall.as_ref().unwrap();
        for leg in [1, 2] {
            let gap = hall.longest_gap(LegId(leg));
            assert!(gap <= Duration::from_millis(at_most), "leg {leg} at {:?}: {gap:?}", stage.now);
        }
    };
    notices(&mut stage, 1);
    assert!(supervise(&mut stage, SupervisionMode::Listen).is_ok());
    let carla = answers(&mut stage, address(CARLA));
    // What was passed on at once waits in a jitter buffer from now on: so much is between two words, once.
    notices(&mut stage, 65);
    for mode in [SupervisionMode::Whisper, SupervisionMode::Barge, SupervisionMode::Listen] {
        assert!(supervise(&mut stage, mode).is_ok());
        notices(&mut stage, 1);
    }
    assert!(add(&mut stage, "bruno").is_ok());
    let _bruno = answers(&mut stage, address(BRUNO));
    notices(&mut stage, 1);
    assert!(drop_out(&mut stage, 4).is_ok());
    notices(&mut stage, 1);
    assert!(end_supervision(&mut stage).is_ok());
    hung_up_on(&mut stage, &carla);
    notices(&mut stage, 1);
}

#[test]
fn nobody_but_whom_the_configuration_names_hears_calls_of_others() {
    let (mut stage, mut caller, mut anna) = talking_beside();
    let listen = SupervisionMode::Listen;
    assert_eq!(supervise_as(&mut stage, "bruno", listen), Err(CommandRefused::NoSupervisor));
    assert_eq!(supervise_as(&mut stage, "nobody", listen), Err(CommandRefused::NotFound));
    assert_eq!(end_supervision(&mut stage), Err(CommandRefused::NotFound));
    assert!(stage.next(address(BRUNO)).starts_with("nothing"));
    let other = Command::Supervise {
        call: "no-such".to_owned(),
        supervisor: "carla".to_owned(),
        mode: listen,
        basis: "training".to_owned(),
    };
    assert_eq!(command(&mut stage, other), Err(CommandRefused::NotFound));
    hangs_up(&mut stage, &mut caller);
    assert_eq!(supervise(&mut stage, listen), Err(CommandRefused::NotFound), "the call has ended");
    hung_up_on(&mut stage, &anna);
    anna.starts_counting();
    stage.assert_all_is_over();
}

#[test]
fn a_supervisor_who_does_not_answer_or_is_told_to_leave_while_ringing_leaves_no_trace_of_listening() {
    let (mut stage, caller, anna) = talking_beside();
    assert!(supervise(&mut stage, SupervisionMode::Listen).is_ok());
    refuses(&mut stage, address(CARLA), "486 Busy Here");
    assert!(supervise(&mut stage, SupervisionMode::Whisper).is_ok(), "may be asked again");
    let (carla, invite) = Line::called(&mut stage, address(CARLA));
    carla.answer(&mut stage, &invite, "180 Ringing", "");
    assert!(end_supervision(&mut stage).is_ok());
    is_cancelled(&mut stage, &carla, &invite);
    assert!(supervise(&mut stage, SupervisionMode::Listen).is_ok());
    let (carla, invite) = Line::called(&mut stage, address(CARLA));
    carla.answer(&mut stage, &invite, "180 Ringing", "");
    stage.wait(seconds(61));
    is_cancelled(&mut stage, &carla, &invite);
    assert!(!stage.kinds().iter().any(|kind| matches!(kind, FactKind::SupervisionStarted { .. })));
    ends(&mut stage, caller, &[&anna]);
}

#[test]
fn a_supervisor_who_hangs_up_ends_nothing_but_the_listening() {
    in_all_weathers(|mut stage, caller, anna| {
        assert!(supervise(&mut stage, SupervisionMode::Barge).is_ok());
        let mut carla = answers(&mut stage, address(CARLA));
        assert_ears(&mut stage, &[(1, &[TWO, THREE]), (2, &[ONE, THREE])]);
        hangs_up(&mut stage, &mut carla);
        assert_ears(&mut stage, &[(1, &[TWO]), (2, &[ONE])]);
        assert_folded(&stage);
        ends(&mut stage, caller, &[&anna]);
    });
}

#[test]
fn a_guest_whose_handshake_fails_has_left_and_may_be_asked_again() {
    let (mut stage, caller, anna) = talking_beside();
    let fails = |stage: &mut Stage, leg, line: &Line| {
        let why = "no datagram came".to_owned();
        stage.input(Input::Media(Event::HandshakeFailed { leg: LegId(leg), why }));
        hung_up_on(stage, line);
        assert_folded(stage);
    };
    assert!(supervise(&mut stage, SupervisionMode::Listen).is_ok());
    let carla = answers(&mut stage, address(CARLA));
    fails(&mut stage, 3, &carla);
    assert_eq!(stage.count(|kind| matches!(kind, FactKind::SupervisionEnded { leg: 3, .. })), 1);
    assert_eq!(end_supervision(&mut stage), Err(CommandRefused::NotFound));
    assert!(add(&mut stage, "bruno").is_ok());
    let bruno = answers(&mut stage, address(BRUNO));
    fails(&mut stage, 4, &bruno);
    assert_eq!(stage.count(|kind| *kind == FactKind::ConferenceLeft { leg: 4 }), 1);
    assert!(supervise(&mut stage, SupervisionMode::Listen).is_ok());
    let carla = answers(&mut stage, address(CARLA));
    ends(&mut stage, caller, &[&anna, &carla]);
}

#[test]
fn who_asked_last_before_a_supervisor_answers_is_whom_the_fact_names() {
    let (mut stage, caller, anna) = talking_beside();
    let asks = |stage: &mut Stage, by: &str, mode, basis: &str| {
        let (call, supervisor, basis) = (id(stage), "carla".to_owned(), basis.to_owned());
        assert!(command_by(stage, by, Command::Supervise { call, supervisor, mode, basis }).is_ok());
    };
    asks(&mut stage, "crm", SupervisionMode::Listen, "training");
    asks(&mut stage, "wallboard", SupervisionMode::Barge, "complaint");
    // It asks for what is to be anyway: that is not by its right.
    asks(&mut stage, "script", SupervisionMode::Barge, "complaint");
    let carla = answers(&mut stage, address(CARLA));
    let told = stage.fact(|kind| match kind {
        FactKind::SupervisionStarted { mode, basis, by, .. } => Some((*mode, basis.clone(), by.clone())),
        _ => None,
    });
    assert_eq!(told, (SupervisionMode::Barge, "complaint".to_owned(), "wallboard".to_owned()));
    ends(&mut stage, caller, &[&anna, &carla]);
}

#[test]
fn who_transfers_is_not_supervised_any_more_and_the_next_one_is_not_either() {
    in_all_weathers(|mut stage, caller, mut anna| {
        assert!(supervise(&mut stage, SupervisionMode::Listen).is_ok());
        let carla = answers(&mut stage, address(CARLA));
        assert_ears(&mut stage, &[(3, &[ONE, TWO])]);
        let outside = puts_through_outside(&mut stage, &mut anna);
        hung_up_on(&mut stage, &carla);
        assert_ears(&mut stage, &[(1, &[Party(4)]), (4, &[ONE])]);
        assert_folded(&stage);
        ends(&mut stage, caller, &[&outside]);
        assert_eq!(stage.count(|kind| matches!(kind, FactKind::SupervisionEnded { leg: 3, .. })), 1);
    });
}

#[test]
fn while_one_of_the_two_holds_the_other_has_music_and_the_supervisor_hears_neither() {
    in_all_weathers(|mut stage, caller, mut anna| {
        assert!(supervise(&mut stage, SupervisionMode::Listen).is_ok());
        let carla = answers(&mut stage, address(CARLA));
        hold(&mut stage, &mut anna);
        assert_ears(&mut stage, &[(1, &[Music]), (2, &[]), (3, &[])]);
        reoffers(&mut stage, &mut anna, SENDRECV);
        assert_ears(&mut stage, &[(1, &[TWO]), (2, &[ONE]), (3, &[ONE, TWO])]);
        ends(&mut stage, caller, &[&anna, &carla]);
    });
}

#[test]
fn an_interpreter_is_added_muted_heard_again_and_dropped() {
    in_all_weathers(|mut stage, caller, anna| {
        assert!(add(&mut stage, "0612345678").is_ok());
        let interpreter = answers(&mut stage, address(OUTSIDE));
        assert_ears(&mut stage, &[(1, &[TWO, THREE]), (2, &[ONE, THREE]), (3, &[ONE, TWO])]);
        assert!(mute(&mut stage, 3, true).is_ok());
        assert_ears(&mut stage, &[(1, &[TWO]), (2, &[ONE]), (3, &[ONE, TWO])]);
        assert_folded(&stage);
        assert!(mute(&mut stage, 3, false).is_ok());
        assert!(mute(&mut stage, 1, true).is_ok());
        assert_ears(&mut stage, &[(1, &[TWO, THREE]), (2, &[THREE]), (3, &[TWO])]);
        assert!(mute(&mut stage, 1, false).is_ok());
        assert_ears(&mut stage, &[(1, &[TWO, THREE]), (2, &[ONE, THREE]), (3, &[ONE, TWO])]);
        assert_eq!(mute(&mut stage, 9, true), Err(CommandRefused::InvalidState));
        assert_eq!(drop_out(&mut stage, 1), Err(CommandRefused::NotFound), "the two are ended, not dropped");
        assert!(drop_out(&mut stage, 3).is_ok());
        hung_up_on(&mut stage, &interpreter);
        assert_ears(&mut stage, &[(1, &[TWO]), (2, &[ONE])]);
        assert_folded(&stage);
        ends(&mut stage, caller, &[&anna]);
    });
}

#[test]
fn an_interpreter_goes_along_with_the_caller_to_the_next_agent() {
    in_all_weathers(|mut stage, caller, mut anna| {
        assert!(add(&mut stage, "0612345678").is_ok());
        let interpreter = answers(&mut stage, address(OUTSIDE));
        assert!(mute(&mut stage, 1, true).is_ok());
        assert!(anna.refer(&mut stage, "sip:bruno@10.0.0.1").contains("202"));
        anna.told(&mut stage);
        let bruno = answers(&mut stage, address(BRUNO));
        anna.told(&mut stage);
        anna.told(&mut stage);
        hung_up_on(&mut stage, &anna);
        assert_ears(&mut stage, &[(1, &[THREE, Party(4)]), (3, &[ONE, Party(4)]), (4, &[ONE, THREE])]);
        assert_folded(&stage);
        ends(&mut stage, caller, &[&bruno, &interpreter]);
    });
}

#[test]
fn beside_a_colleague_who_interprets_a_command_transfers_from_the_agent_of_the_two_again_and_again() {
    let (mut stage, caller, anna) = talking_beside();
    assert!(add(&mut stage, "carla").is_ok());
    let carla = answers(&mut stage, address(CARLA));
    assert!(transfer(&mut stage, "bruno").is_ok());
    let bruno = answers(&mut stage, address(BRUNO));
    hung_up_on(&mut stage, &anna);
    assert!(transfer(&mut stage, "anna").is_ok());
    let anna = answers(&mut stage, address(ANNA));
    hung_up_on(&mut stage, &bruno);
    assert_folded(&stage);
    ends(&mut stage, caller, &[&anna, &carla]);
}

#[test]
fn a_supervised_agent_who_has_changed_devices_is_whom_a_command_transfers_from() {
    let (mut stage, caller, anna) = talking_beside();
    assert!(supervise(&mut stage, SupervisionMode::Listen).is_ok());
    let carla = answers(&mut stage, address(CARLA));
    let second = changes_device(&mut stage, &anna);
    assert!(transfer(&mut stage, "bruno").is_ok());
    hung_up_on(&mut stage, &carla);
    let bruno = answers(&mut stage, address(BRUNO));
    hung_up_on(&mut stage, &second);
    assert_folded(&stage);
    ends(&mut stage, caller, &[&bruno]);
}

#[test]
fn who_is_muted_stays_so_on_another_device() {
    in_all_weathers(|mut stage, caller, anna| {
        assert!(mute(&mut stage, 2, true).is_ok());
        assert_ears(&mut stage, &[(1, &[]), (2, &[ONE])]);
        let second = changes_device(&mut stage, &anna);
        assert_ears(&mut stage, &[(1, &[]), (3, &[ONE])]);
        assert_folded(&stage);
        assert!(mute(&mut stage, 3, false).is_ok());
        assert_ears(&mut stage, &[(1, &[THREE]), (3, &[ONE])]);
        let told: Vec<(u32, bool, &str)> = stage
            .kinds()
            .into_iter()
            .filter_map(|kind| match kind {
                FactKind::ConferenceMuted { leg, muted, by } => Some((*leg, *muted, by.as_str())),
                _ => None,
            })
            .collect();
        assert_eq!(told, [(2, true, "crm"), (3, true, ""), (3, false, "crm")]);
        ends(&mut stage, caller, &[&second]);
    });
}

#[test]
fn beside_an_interpreter_who_holds_is_not_heard_and_the_others_talk_on() {
    in_all_weathers(|mut stage, caller, mut anna| {
        assert!(add(&mut stage, "bruno").is_ok());
        let bruno = answers(&mut stage, address(BRUNO));
        hold(&mut stage, &mut anna);
        assert_ears(&mut stage, &[(1, &[THREE]), (2, &[]), (3, &[ONE])]);
        reoffers(&mut stage, &mut anna, SENDRECV);
        assert_ears(&mut stage, &[(1, &[TWO, THREE]), (2, &[ONE, THREE]), (3, &[ONE, TWO])]);
        ends(&mut stage, caller, &[&anna, &bruno]);
    });
}

#[test]
fn a_third_party_is_dialled_by_the_agents_right_and_by_the_next_trunk_if_one_fails() {
    let mut config = with_trunk();
    config.sip.trunks.push(trunk("second", 91));
    config.routing = both_trunks();
    let mut stage = Stage::with(config, Past::default());
    let (caller, anna) = begin(&mut stage);
    assert_eq!(add(&mut stage, "+447911123456"), Err(CommandRefused::NotPermitted));
    assert_eq!(add(&mut stage, "echo"), Err(CommandRefused::InvalidState), "a service talks with nobody");
    assert!(add(&mut stage, "0612345678").is_ok());
    refuses(&mut stage, address(OUTSIDE), "503 Service Unavailable");
    let third = answers(&mut stage, address(91));
    let joined = stage.fact(|kind| match kind {
        FactKind::ConferenceJoined { leg, role, by } => Some((*leg, *role, by.clone())),
        _ => None,
    });
    assert_eq!(joined, (4, LegRole::External, "crm".to_owned()));
    assert_folded(&stage);
    ends(&mut stage, caller, &[&anna, &third]);
    let settled = stage.count(|kind| matches!(kind, FactKind::OutboundSettled { .. }));
    assert_eq!(settled, stage.count(|kind| matches!(kind, FactKind::OutboundAllowed { .. })));
}

fn both_trunks() -> engine::Routing {
    engine::Routing {
        routes: vec![engine::Route {
            name: "all".to_owned(),
            numbers: None,
            trunks: vec!["tim".to_owned(), "second".to_owned()],
            choose: engine::Choose::Order,
        }],
        ..Default::default()
    }
}
