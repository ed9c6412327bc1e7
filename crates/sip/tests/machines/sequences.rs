//! Random acts of two user agents over a link that loses, doubles and reorders, with a written oracle:
//! whatever happens, every session ends once, every INVITE has one final answer, and nothing is left.

use crate::world::*;
use base::Time;
use proptest::prelude::*;
use sip::ua::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

#[derive(Clone, Copy, Debug)]
enum Act {
    Call,
    Ring,
    Accept,
    Refuse,
    HangUp,
    Reoffer,
    AcceptReoffer,
    RefuseReoffer,
    Replay,
}

/// One turn: how long nothing is done, then who does what with which of the last sessions.
#[derive(Clone, Debug)]
struct Turn {
    pause: u64,
    agent: usize,
    act: Act,
    which: usize,
}

#[derive(Clone, Debug)]
struct Plan {
    seed: u64,
    link: Link,
    transport: Transport,
    turns: Vec<Turn>,
}

fn turn() -> impl Strategy<Value = Turn> {
    let act = prop_oneof![
        2 => Just(Act::Call),
        1 => Just(Act::Ring),
        4 => Just(Act::Accept),
        1 => Just(Act::Refuse),
        2 => Just(Act::HangUp),
        3 => Just(Act::Reoffer),
        3 => Just(Act::AcceptReoffer),
        1 => Just(Act::RefuseReoffer),
        1 => Just(Act::Replay),
    ];
    let pause = prop_oneof![3 => 0u64..60, 1 => 0u64..4_000, 1 => Just(40_000u64)];
    (pause, 0..2usize, act, 0..4usize).prop_map(|(pause, agent, act, which)| Turn {
        pause,
        agent,
        act,
        which,
    })
}

fn plan() -> impl Strategy<Value = Plan> {
    let link =
        (0u32..350, 0u32..350, 0u64..400).prop_map(|(loss_permille, duplicate_permille, jitter)| Link {
            delay: Duration::from_millis(5),
            jitter: Duration::from_millis(jitter),
            loss_permille,
            duplicate_permille,
        });
    let transport = prop_oneof![3 => Just(Transport::Udp), 1 => Just(Transport::Tcp)];
    (any::<u64>(), link, transport, prop::collection::vec(turn(), 1..40))
        .prop_map(|(seed, link, transport, turns)| Plan { seed, link, transport, turns })
}

fn play(plan: &Plan) -> World {
    let mut world = World::of(vec![open_config(ALICE), open_config(BOB)], plan.seed);
    (world.link, world.transport) = (plan.link, plan.transport);
    for turn in &plan.turns {
        world.run_for(turn.pause);
        take(&mut world, turn);
    }
    // The network heals, and both sides have had enough.
    world.link =
        Link { delay: plan.link.delay, jitter: Duration::ZERO, loss_permille: 0, duplicate_permille: 0 };
    world.run_for(500);
    for agent in [ALICE, BOB] {
        for session in world.sessions(agent) {
            world.act(agent, Do::HangUp { session, q850: None });
        }
    }
    // Three times 64·T1: an INVITE or 200 that waits, the BYE after it, and what lingers after that. A call
    // that was on its way when the others hung up is answered by nobody: it is hung up in between.
    for _ in 0..2 {
        world.run_for(1_000);
        for agent in [ALICE, BOB] {
            for session in world.sessions(agent) {
                world.act(agent, Do::HangUp { session, q850: None });
            }
        }
    }
    world.run_for(3 * 32_000 + 1_000);
    world
}

fn take(world: &mut World, Turn { agent, act, which, .. }: &Turn) {
    let agent = *agent;
    match act {
        Act::Call => {
            world.call(agent, 1 - agent);
        }
        Act::Replay => world.replay(*which),
        _ => {
            let Some(session) = pick(world, agent, *act, *which) else { return };
            let sdp = ANSWER.to_vec();
            let act = match act {
                Act::Ring => Do::ring(session),
                Act::Accept => Do::Accept { session, sdp },
                Act::Refuse => Do::Refuse { session, status: 486, q850: Some(17), warning: None },
                Act::HangUp => Do::HangUp { session, q850: Some(16) },
                Act::Reoffer => Do::Reoffer { session, sdp },
                Act::AcceptReoffer => Do::AcceptReoffer { session, sdp },
                _ => Do::RefuseReoffer { session, status: 488, warning: None },
            };
            world.act(agent, act);
        }
    }
}

/// A living session that the act can mean something to.
fn pick(world: &World, agent: usize, act: Act, which: usize) -> Option<SessionId> {
    let incoming =
        |id: &SessionId| world.has(agent, |e| matches!(e, Event::Incoming { session, .. } if session == id));
    let mut living = world.sessions(agent);
    living.retain(|id| world.endings(agent, *id).is_empty());
    if matches!(act, Act::Ring | Act::Accept | Act::Refuse) {
        living.retain(incoming);
    }
    living.get(which.checked_rem(living.len())?).copied()
}

fn session_of(event: &Event) -> Option<SessionId> {
    match event {
        Event::Incoming { session, .. }
        | Event::Progress { session, .. }
        | Event::Answered { session, .. }
        | Event::Confirmed { session, .. }
        | Event::Reoffered { session, .. }
        | Event::Reanswered { session, .. }
        | Event::ReofferRefused { session, .. }
        | Event::InfoDigit { session, .. }
        | Event::KeysRefused { session, .. }
        | Event::Ended { session, .. } => Some(*session),
        _ => None,
    }
}

/// Every session ends, once, and nothing is told of it after that.
fn check_ends(world: &World) {
    for agent in [ALICE, BOB] {
        for session in world.sessions(agent) {
            world.ending(agent, session);
        }
        let mut ended: BTreeMap<SessionId, Time> = BTreeMap::new();
        for (at, event) in &world.agents[agent].events {
            let Some(session) = session_of(event) else { continue };
            assert!(!ended.contains_key(&session), "{event:?} after the end");
            if let Event::Ended { .. } = event {
                ended.insert(session, *at);
            }
        }
    }
}

fn text(packet: &Packet) -> String {
    String::from_utf8_lossy(&packet.bytes).into_owned()
}

fn branch(message: &str) -> String {
    let via = header(message, "Via").unwrap();
    via.split(';').find_map(|param| param.strip_prefix("branch=")).unwrap().to_owned()
}

/// Every INVITE that was answered at all got one final answer, and the same one each time.
fn check_answers(world: &World) {
    let mut finals: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut provisional = BTreeSet::new();
    for message in world.sent.iter().map(text).filter(|message| message.starts_with("SIP/2.0")) {
        if !header(&message, "CSeq").unwrap().ends_with("INVITE") {
            continue;
        }
        if message.starts_with("SIP/2.0 1") {
            provisional.insert(branch(&message));
        } else {
            finals.entry(branch(&message)).or_default().insert(message[8..11].to_owned());
        }
    }
    for (branch, statuses) in &finals {
        assert_eq!(statuses.len(), 1, "{branch} was answered with {statuses:?}");
    }
    let unanswered: Vec<&String> =
        provisional.iter().filter(|branch| !finals.contains_key(*branch)).collect();
    assert!(unanswered.is_empty(), "no final answer to {unanswered:?}");
}

/// Within a dialog the numbers of each side's new requests rise (RFC 3261 §12.2.1.1).
fn check_numbers(world: &World) {
    let mut highest: BTreeMap<(String, String), (u32, String)> = BTreeMap::new();
    for message in world.sent.iter().map(text).filter(|message| !message.starts_with("SIP/2.0")) {
        let (number, method) = header(&message, "CSeq").unwrap().split_once(' ').unwrap();
        if matches!(method, "ACK" | "CANCEL") {
            continue;
        }
        let dialog =
            (header(&message, "Call-ID").unwrap().to_owned(), header(&message, "From").unwrap().to_owned());
        let (number, branch) = (number.parse::<u32>().unwrap(), branch(&message));
        match highest.get(&dialog) {
            Some((last, same)) if *last >= number => {
                let earlier = world
                    .sent
                    .iter()
                    .map(text)
                    .any(|m| m.contains(&branch) && m.contains(&format!("{number} {method}")));
                assert!(*same == branch || earlier, "CSeq {number} after {last}");
            }
            _ => {
                highest.insert(dialog, (number, branch));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_every_session_ends_once_and_nothing_is_left(plan in plan()) {
        let world = play(&plan);
        check_ends(&world);
        check_answers(&world);
        check_numbers(&world);
        world.assert_idle();
    }
}

#[test]
fn the_same_seed_gives_the_same_messages() {
    let acts = [Act::Call, Act::Accept, Act::Reoffer, Act::AcceptReoffer, Act::Ring, Act::HangUp];
    let turns = (0..60).map(|n| Turn { pause: 400, agent: n % 2, act: acts[n % 6], which: n % 3 });
    let link = Link {
        delay: Duration::from_millis(5),
        jitter: Duration::from_millis(300),
        loss_permille: 300,
        duplicate_permille: 300,
    };
    let plan = Plan { seed: 42, link, transport: Transport::Udp, turns: turns.collect() };
    let traces = [play(&plan), play(&plan)].map(|world| world.sent.iter().map(text).collect::<Vec<_>>());
    assert!(traces[0].len() > 100);
    assert_eq!(traces[0], traces[1]);
}
