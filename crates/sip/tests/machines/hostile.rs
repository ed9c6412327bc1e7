//! Real messages, broken at random: whatever comes, nothing panics, nothing stays, and calls go on.

use crate::world::*;
use proptest::prelude::*;
use sip::ua::*;

/// One way to break a message.
#[derive(Clone, Debug)]
enum Damage {
    Overwrite(usize, u8),
    Cut(usize),
    DropLine(usize),
    DoubleLine(usize),
    SwapLines(usize, usize),
    Insert(usize, &'static str),
}

fn damage() -> impl Strategy<Value = Damage> {
    let morsels = [
        "\r\n",
        ",",
        ";tag=x",
        "\"",
        "<",
        ">",
        ":",
        "\0",
        "\u{fffd}",
        " ",
        "Via: x\r\n",
        "99999999999999999999",
        "Record-Route: <sip:[::1]:1;lr>\r\n",
        "Contact: *\r\n",
        "Expires: 0\r\n",
        "%00",
        "-1",
        "Route: <>\r\n",
    ];
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Damage::Overwrite(at, byte)),
        any::<usize>().prop_map(Damage::Cut),
        any::<usize>().prop_map(Damage::DropLine),
        any::<usize>().prop_map(Damage::DoubleLine),
        (any::<usize>(), any::<usize>()).prop_map(|(a, b)| Damage::SwapLines(a, b)),
        (any::<usize>(), prop::sample::select(morsels.to_vec()))
            .prop_map(|(at, what)| Damage::Insert(at, what)),
    ]
}

fn damaged(message: &[u8], damages: &[Damage]) -> Vec<u8> {
    let mut bytes = message.to_vec();
    for damage in damages.iter().filter(|_| !message.is_empty()) {
        let place = |at: usize, length: usize| at.checked_rem(length).unwrap_or(0);
        let mut lines: Vec<Vec<u8>> =
            bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let (length, count) = (bytes.len(), lines.len());
        match damage {
            _ if count == 0 => continue,
            Damage::Overwrite(at, byte) => bytes[place(*at, length)] = *byte,
            Damage::Cut(at) => bytes.truncate(place(*at, length)),
            Damage::Insert(at, what) => {
                let at = place(*at, length);
                bytes.splice(at..at, what.bytes());
            }
            Damage::DropLine(at) => {
                lines.remove(place(*at, count));
                bytes = lines.concat();
            }
            Damage::DoubleLine(at) => {
                let at = place(*at, count);
                lines.insert(at, lines[at].clone());
                bytes = lines.concat();
            }
            Damage::SwapLines(a, b) => {
                lines.swap(place(*a, count), place(*b, count));
                bytes = lines.concat();
            }
        }
    }
    bytes
}

/// Every kind of message that two of us exchange, and a few more.
fn traffic() -> Vec<Vec<u8>> {
    let mut exchange = open_config(ALICE);
    exchange.accounts = vec![account("maria")];
    let mut world = World::of(vec![exchange, open_config(BOB)], 5);
    let registration = Registration {
        name: "desk".into(),
        towards: world.flow(BOB, ALICE).into(),
        domain: "help.example".into(),
        account: account("maria"),
        expires: std::time::Duration::from_secs(300),
    };
    world.act(BOB, Do::Register { registration });
    let (ours, theirs) = world.established();
    world.act(BOB, Do::Reoffer { session: theirs, sdp: OFFER.to_vec() });
    world.run_for(50);
    world.act(ALICE, Do::AcceptReoffer { session: ours, sdp: ANSWER.to_vec() });
    world.run_for(50);
    world.act(ALICE, Do::HangUp { session: ours, q850: Some(16) });
    let cancelled = world.call(ALICE, BOB);
    world.run_for(50);
    world.act(ALICE, Do::HangUp { session: cancelled, q850: None });
    world.run_for(50);
    let mut messages: Vec<Vec<u8>> = world.sent.iter().map(|packet| packet.bytes.clone()).collect();
    for method in ["OPTIONS", "INFO", "UPDATE", "MESSAGE", "PRACK"] {
        messages.push(
            invite(address(7), "more", "").replace("INVITE", method).replace('\n', "\r\n").into_bytes(),
        );
    }
    messages
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn broken_messages_break_nothing(
        picks in prop::collection::vec((any::<usize>(), prop::collection::vec(damage(), 0..4), 0u64..700), 1..40),
        seed in any::<u64>(),
    ) {
        let messages = traffic();
        let mut config = open_config(ALICE);
        config.accounts = vec![account("maria")];
        let mut world = World::of(vec![config, open_config(BOB)], seed);
        let (ours, theirs) = world.established();
        for (which, damages, pause) in picks {
            let bytes = damaged(&messages[which % messages.len()], &damages);
            let flow = Flow { transport: Transport::Udp, local: address(ALICE), remote: address(7) };
            world.agents[ALICE].ua.handle(world.now, Input::Received { flow, bytes });
            world.drain(ALICE);
            world.run_for(pause);
        }
        prop_assert!(world.endings(ALICE, ours).is_empty(), "the call was ended by a stranger");
        world.act(BOB, Do::HangUp { session: theirs, q850: None });
        world.run_for(50);
        prop_assert_eq!(world.ending(ALICE, ours).how, How::PeerHungUp);
        for session in world.sessions(ALICE) {
            world.act(ALICE, Do::HangUp { session, q850: None });
        }
        world.run_for(3 * 32_000 + 1_000);
        world.assert_idle();
    }
}
