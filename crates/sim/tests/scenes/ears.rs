//! Who hears whom, from the INVITE to the ear: the whole engine with real media, and networks that lose packets and delay
//! each of them anew, so that they overtake each other. Each party says a tone of its own; prompts and music have theirs.

use crate::support::desk::*;
use crate::support::hall::{Hall, Heard, Weather, assert_ears};
use crate::support::stage::*;
use engine::{Past, Service};
use media_api::LegId;
use std::time::Duration;

/// Plays a scene in a good network, in a home's, and in two bad ones.
fn in_all_weathers(scene: fn(Weather)) {
    for (seed, lost_permille, delay_millis) in [(1, 0, 0), (2, 5, 30), (3, 30, 60), (4, 50, 120)] {
        println!("{lost_permille} ‰ lost, up to {delay_millis} ms late");
        scene(Weather { seed, lost_permille, delay_max: Duration::from_millis(delay_millis) });
    }
}

fn stage_with(config: engine::Config, weather: Weather) -> Stage {
    let mut stage = Stage::with(config, Past::default());
    stage.hall = Some(Hall::new(stage.now, weather));
    stage
}

use Heard::{Music, Party, Prompt};

/// A caller (leg 1) talks with anna (leg 2).
fn talking(weather: Weather) -> (Stage, Line, Line) {
    let mut stage = stage_with(with_trunk(), weather);
    register(&mut stage, "anna", address(ANNA));
    let caller = caller_in_queue(&mut stage, address(9), 1);
    let anna = agent_answers(&mut stage, address(ANNA));
    assert_ears(&mut stage, &[(1, &[Party(2)]), (2, &[Party(1)])]);
    (stage, caller, anna)
}

/// Everyone hangs up, and nothing is left.
fn ends(mut stage: Stage, lines: &mut [&mut Line]) {
    lines.iter_mut().for_each(|line| hangs_up(&mut stage, line));
    stage.wait(seconds(90));
    assert!(stage.engine.is_idle());
}

#[test]
fn a_caller_hears_the_menu_then_music_then_the_agent_and_nobody_else_ever() {
    in_all_weathers(|weather| {
        let mut stage = stage_with(with_trunk(), weather);
        let mut caller = Line::dial(&mut stage, address(9), "demo", &sdp(address(9), SENDRECV));
        caller.connect(&mut stage);
        assert_ears(&mut stage, &[(1, &[Prompt])]);
        register(&mut stage, "anna", address(ANNA));
        let mut waiting = caller_in_queue(&mut stage, address(10), 2);
        let (mut anna, invite) = Line::called(&mut stage, address(ANNA));
        anna.answer(&mut stage, &invite, "180 Ringing", "");
        until_hears(&mut stage, 2, Music);
        assert_ears(&mut stage, &[(2, &[Music])]);
        anna.answer(&mut stage, &invite, "200 OK", &sdp(address(ANNA), SENDRECV));
        stage.expect(address(ANNA), "ACK");
        assert_ears(&mut stage, &[(2, &[Party(3)]), (3, &[Party(2)])]);
        hangs_up(&mut stage, &mut waiting);
        hung_up_on(&mut stage, &anna);
        anna.starts_counting();
        ends(stage, &mut [&mut caller]);
    });
}

#[test]
fn who_hangs_up_in_an_announcement_is_played_nothing_more() {
    in_all_weathers(|weather| {
        let mut stage = stage_with(with_trunk(), weather);
        register(&mut stage, "anna", address(ANNA));
        caller_in_queue(&mut stage, address(9), 1);
        let mut caller = caller_in_queue(&mut stage, address(10), 3);
        hangs_up(&mut stage, &mut caller);
        stage.wait(seconds(1));
        let mut orders = stage.commands.iter().map(|command| format!("{command:?}"));
        let last = orders.rfind(|order| order.contains("LegId(3)")).unwrap();
        assert!(last.starts_with("Close"), "{last}");
    });
}

fn until_hears(stage: &mut Stage, leg: u64, what: Heard) {
    for _ in 0..100 {
        stage.wait(Duration::from_millis(200));
        if stage.hall.as_ref().unwrap().heard_by(LegId(leg)).contains(&what) {
            return;
        }
    }
    panic!("leg {leg} never heard {what:?}");
}

#[test]
fn whoever_is_held_hears_music_and_is_not_heard_and_so_both_ways() {
    in_all_weathers(|weather| {
        let (mut stage, mut caller, mut anna) = talking(weather);
        hold(&mut stage, &mut anna);
        assert_ears(&mut stage, &[(1, &[Music]), (2, &[])]);
        reoffers(&mut stage, &mut anna, SENDRECV);
        assert_ears(&mut stage, &[(1, &[Party(2)]), (2, &[Party(1)])]);
        reoffers(&mut stage, &mut caller, "inactive");
        assert_ears(&mut stage, &[(1, &[]), (2, &[Music])]);
        reoffers(&mut stage, &mut caller, SENDRECV);
        assert_ears(&mut stage, &[(1, &[Party(2)]), (2, &[Party(1)])]);
        hangs_up(&mut stage, &mut caller);
        hung_up_on(&mut stage, &anna);
        ends(stage, &mut []);
    });
}

#[test]
fn a_caller_who_is_transferred_hears_the_next_one_and_never_both() {
    in_all_weathers(|weather| {
        let (mut stage, mut caller, mut anna) = talking(weather);
        let mut outside = puts_through_outside(&mut stage, &mut anna);
        assert_ears(&mut stage, &[(1, &[Party(3)]), (3, &[Party(1)])]);
        hangs_up(&mut stage, &mut caller);
        hung_up_on(&mut stage, &outside);
        outside.starts_counting();
        ends(stage, &mut []);
    });
}

#[test]
fn an_agent_who_asks_a_colleague_is_not_heard_by_the_caller_who_hears_music() {
    in_all_weathers(|weather| {
        let (mut stage, mut caller, mut anna) = talking(weather);
        register(&mut stage, "bruno", address(BRUNO));
        hold(&mut stage, &mut anna);
        let mut second = Line::dial_as(&mut stage, "anna", address(ANNA), "bruno");
        let bruno = answers(&mut stage, address(BRUNO));
        second.connect(&mut stage);
        assert_ears(&mut stage, &[(1, &[Music]), (3, &[Party(4)]), (4, &[Party(3)])]);
        let to = format!("sip:bruno@10.0.0.1?{}", second.as_replaces());
        assert!(anna.refer(&mut stage, &to).contains("202"));
        stage.wait(seconds(1));
        assert_ears(&mut stage, &[(1, &[Party(4)]), (4, &[Party(1)])]);
        hangs_up(&mut stage, &mut caller);
        hung_up_on(&mut stage, &bruno);
        stage.wait(seconds(90));
    });
}

#[test]
fn keys_are_heard_once_each_through_loss_and_disorder() {
    in_all_weathers(|weather| {
        let mut stage = stage_with(with_trunk(), weather);
        register(&mut stage, "anna", address(ANNA));
        // The two keys of the menu come as packets: without them the caller would not get to the queue.
        caller_in_queue(&mut stage, address(9), 1);
        let keys = stage.facts.iter().filter_map(|fact| match &fact.kind {
            facts::FactKind::DtmfReceived { digit, .. } => Some(digit.clone()),
            _ => None,
        });
        assert_eq!(keys.collect::<Vec<_>>(), ["1", "0"]);
    });
}

#[test]
fn in_a_room_all_hear_all_others() {
    in_all_weathers(|weather| {
        let mut config = with_trunk();
        config.services.insert(
            "meeting".to_owned(),
            Service::Room { name: "meeting".to_owned(), chime: false, announce: Vec::new() },
        );
        let mut stage = stage_with(config, weather);
        let mut lines: Vec<Line> = (1..=4)
            .map(|number| {
                let phone = address(10 + number);
                let mut line = Line::dial(&mut stage, phone, "meeting", &sdp(phone, SENDRECV));
                line.connect(&mut stage);
                line
            })
            .collect();
        let [one, two, three, four] = [1, 2, 3, 4].map(Party);
        assert_ears(
            &mut stage,
            &[
                (1, &[two, three, four]),
                (2, &[one, three, four]),
                (3, &[one, two, four]),
                (4, &[one, two, three]),
            ],
        );
        hangs_up(&mut stage, &mut lines[1]);
        hold(&mut stage, &mut lines[0]);
        assert_ears(&mut stage, &[(1, &[]), (3, &[four]), (4, &[three])]);
        let mut others: Vec<&mut Line> =
            lines.iter_mut().enumerate().filter(|(at, _)| *at != 1).map(|(_, line)| line).collect();
        ends(stage, &mut others);
    });
}
