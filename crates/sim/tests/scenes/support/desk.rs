//! Scenes with parties: a desk with a trunk, a caller, two agents' phones and a party outside, led by hand.

use super::stage::*;
use engine::Past;
use facts::AgentState;
use sip::locate::Place;
use sip::ua::{Transport, Trunk};
use std::net::SocketAddr;
use std::time::Duration;

pub(crate) const ANNA: u8 = 50;
pub(crate) const BRUNO: u8 = 51;
pub(crate) const OUTSIDE: u8 = 90;

pub(crate) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// An operator at this address, whose calls may come from there.
pub(crate) fn trunk(name: &str, at: u8) -> Trunk {
    let ip = address(at).ip();
    Trunk {
        name: name.to_owned(),
        targets: vec![Place::at(ip, Some(5060), Some(Transport::Udp))],
        addresses: vec![ip.into()],
        domain: None,
        credentials: None,
        register: false,
        prack: None,
        p_early_media: false,
        identity: sip::identity::Policy::TRUSTED,
        probe: Duration::ZERO,
        progress_within: None,
    }
}

/// A configuration with the trunk `tim` to the party outside.
pub(crate) fn with_trunk() -> engine::Config {
    let mut config = config();
    config.sip.trunks.push(trunk("tim", OUTSIDE));
    config
}

/// A caller talks with anna; bruno is there, too.
pub(crate) fn talking() -> (Stage, Line, Line) {
    let mut stage = Stage::with(with_trunk(), Past::default());
    register(&mut stage, "anna", address(ANNA));
    let caller = caller_in_queue(&mut stage, address(9), 1);
    let anna = agent_answers(&mut stage, address(ANNA));
    register(&mut stage, "bruno", address(BRUNO));
    (stage, caller, anna)
}

/// A party offers its session anew in this direction.
pub(crate) fn reoffers(stage: &mut Stage, line: &mut Line, direction: &str) -> String {
    line.request(stage, "INVITE", &sdp(line.phone, direction));
    let ok = stage.expect(line.phone, "SIP/2.0 200");
    line.ack(stage, "");
    ok
}

pub(crate) fn hold(stage: &mut Stage, line: &mut Line) {
    reoffers(stage, line, "sendonly");
}

/// The device is called, rings and answers.
pub(crate) fn answers(stage: &mut Stage, phone: SocketAddr) -> Line {
    let (mut line, invite) = Line::called(stage, phone);
    line.answer(stage, &invite, "180 Ringing", "");
    line.answer(stage, &invite, "200 OK", &sdp(phone, SENDRECV));
    stage.expect(phone, "ACK");
    line.starts_counting();
    line
}

pub(crate) fn refuses(stage: &mut Stage, phone: SocketAddr, status: &str) {
    let (line, invite) = Line::called(stage, phone);
    line.answer(stage, &invite, status, "");
    stage.expect(phone, "ACK");
}

/// The agent puts the caller through to the party outside, who answers, and is out of the call.
pub(crate) fn puts_through_outside(stage: &mut Stage, agent: &mut Line) -> Line {
    assert_eq!(agent.refer(stage, "sip:0612345678@pbx.example"), "SIP/2.0 202 Accepted");
    agent.told(stage);
    let outside = answers(stage, address(OUTSIDE));
    agent.told(stage);
    agent.told(stage);
    hung_up_on(stage, agent);
    outside
}

pub(crate) fn hung_up_on(stage: &mut Stage, line: &Line) {
    let bye = stage.expect(line.phone, "BYE");
    line.answer(stage, &bye, "200 OK", "");
}

/// The phone rings and is told that it is over.
pub(crate) fn is_cancelled(stage: &mut Stage, line: &Line, invite: &str) {
    takes_cancel(stage, line, invite);
    stage.expect(line.phone, "ACK");
}

/// The same, of a phone that is called anew at once: that INVITE comes before the ACK.
pub(crate) fn takes_cancel(stage: &mut Stage, line: &Line, invite: &str) {
    let cancel = stage.expect(line.phone, "CANCEL");
    line.answer(stage, &cancel, "200 OK", "");
    line.answer(stage, invite, "487 Request Terminated", "");
}

pub(crate) fn hangs_up(stage: &mut Stage, line: &mut Line) {
    line.request(stage, "BYE", "");
    stage.expect(line.phone, "SIP/2.0 200");
}

pub(crate) fn state_of(stage: &Stage, agent: &str) -> AgentState {
    stage.engine.snapshot().agents.get(agent).unwrap().state
}

/// A script that puts every caller through, and says so if that fails.
pub(crate) fn through() -> ivr::Script {
    let flow = "title = \"Through\"\nlanguages = [\"it\"]\nstart = \"out\"\n[out]\ntransfer = \"0612345678\"\n\
                on.failed = \"failed\"\n[failed]\nhang_up = \"not_there\"\n";
    let files = ivr::ScriptFiles {
        name: "through".to_owned(),
        flow: ("flow.toml".to_owned(), flow.to_owned()),
        phrases: vec![("it".to_owned(), "it.toml".to_owned(), String::new())],
        calendars: Vec::new(),
        parts: Vec::new(),
        look_ups: Vec::new(),
        voices: Default::default(),
        sounds: ivr::SoundInventory::default(),
    };
    ivr::Script::check(&files).unwrap()
}
