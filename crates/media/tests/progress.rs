//! The tones of a network, on a leg that is asked for them.

mod world;

use std::time::Duration;

use audio::g711::Law;
use audio::tone::Tone;
use media_api::{Command, Event, Progress};
use world::*;

/// Four seconds of the busy tone, in packets of 20 ms.
fn say_busy(world: &mut World, from: u16) {
    let mut tone = Tone::new(425.0, 4000);
    for n in 0..200u16 {
        let is_on = n % 50 < 25;
        let samples = if is_on { tone.take(160) } else { vec![0; 160] };
        let mut rtp = Rtp::speech(from + n, u32::from(from + n) * 160, 77);
        rtp.payload = samples.iter().map(|sample| Law::A.encode_sample(*sample)).collect();
        world.say(A, &rtp);
        world.pass(20);
    }
}

fn heard(world: &World) -> Vec<(base::Time, Progress)> {
    let tone = |(at, event): &(base::Time, Event)| match event {
        Event::Progress { leg: A, tone } => Some((*at, *tone)),
        _ => None,
    };
    world.events.iter().filter_map(tone).collect()
}

#[test]
fn a_busy_tone_is_told_once_on_a_leg_that_is_asked_for_it_even_while_another_hears_it() {
    let mut world = World::bridged();
    say_busy(&mut world, 0);
    assert_eq!(heard(&world), [], "nobody asked");
    world.command(Command::HearProgress { leg: A, on: true });
    let begin = world.now;
    say_busy(&mut world, 200);
    let [(at, Progress::Busy)] = heard(&world)[..] else { panic!("{:?}", heard(&world)) };
    assert!(at - begin <= Duration::from_millis(1600), "{:?}", at - begin);
    world.command(Command::HearProgress { leg: A, on: false });
    say_busy(&mut world, 400);
    assert_eq!(heard(&world).len(), 1);
}
