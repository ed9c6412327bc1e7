//! Whatever the network does: no packet is handed out twice or out of order, and none is held that is not found.

use super::*;
use proptest::prelude::*;

const FRAME: u64 = 20_000;
const DELAY: u64 = 50_000;

/// What befalls the next packet, or comes before it.
#[derive(Clone, Debug)]
enum Step {
    /// It comes so many microseconds later than the quickest.
    Comes(u64),
    /// It comes twice, the second time so much later.
    ComesTwice(u64),
    Lost(u64),
    Pause(u64),
    /// So many ticks are added to its timestamp and to those after it.
    Jump(u32),
    /// It is no speech.
    Key(u64),
}

/// A packet on its way.
#[derive(Clone, Copy, Debug)]
struct Sent {
    at: u64,
    number: u32,
    timestamp: u32,
    content: Content,
    /// No packet was quicker.
    is_punctual: bool,
}

fn steps(hard: bool) -> BoxedStrategy<Vec<Step>> {
    let leaps = 12_000u32..u32::MAX - 12_000;
    let mild = prop_oneof![
        30 => Just(Step::Comes(0)),
        5 => (0u64..60_000).prop_map(Step::Comes),
        1 => (0u64..60_000).prop_map(Step::ComesTwice),
        3 => (1u64..5).prop_map(Step::Lost),
        2 => (0u64..300_000).prop_map(Step::Pause),
        1 => leaps.prop_map(Step::Jump),
    ];
    let all = prop_oneof![
        20 => mild.clone(),
        3 => (0u64..800_000).prop_map(Step::Comes),
        1 => (0u64..3_000_000).prop_map(Step::Pause),
        1 => any::<u32>().prop_map(Step::Jump),
        1 => (1u64..50).prop_map(Step::Lost),
        1 => (0u64..60_000).prop_map(Step::Key),
    ];
    let step = if hard { all.boxed() } else { mild.boxed() };
    prop::collection::vec(step, 1..400).boxed()
}

fn send(steps: &[Step]) -> Vec<Sent> {
    let mut sent = Vec::new();
    let (mut made, mut number, mut jumped) = (0, 0u32, 0u32);
    for step in steps {
        let (content, extra, again) = match step {
            Step::Comes(extra) => (Content::Speech, *extra, None),
            Step::ComesTwice(again) => (Content::Speech, 0, Some(*again)),
            Step::Key(extra) => (Content::Other, *extra, None),
            Step::Pause(micros) => {
                made += micros;
                continue;
            }
            Step::Jump(ticks) => {
                jumped = jumped.wrapping_add(*ticks);
                continue;
            }
            Step::Lost(count) => {
                made += count * FRAME;
                number += *count as u32;
                continue;
            }
        };
        let timestamp = ((made * 8 / 1000) as u32).wrapping_add(jumped);
        let first = Sent { at: made + DELAY + extra, number, timestamp, content, is_punctual: extra == 0 };
        sent.push(first);
        sent.extend(again.map(|again| Sent { at: first.at + again, ..first }));
        made += FRAME;
        number += 1;
    }
    sent.sort_by_key(|packet| packet.at);
    sent
}

/// Puts in what comes and takes what is to be heard, every 20 ms from the phase on; gives the numbers that were heard.
fn hear(buffer: &mut JitterBuffer, sent: &[Sent], phase: u64, naps: &[u64]) -> Vec<u32> {
    let end = sent.last().map_or(0, |packet| packet.at) + 2_000_000;
    let (mut coming, mut numbers, mut held) = (sent.iter().peekable(), Vec::new(), 0);
    for tick in 0..end / FRAME {
        let nap = naps.get((tick % 64) as usize).copied().unwrap_or(0);
        let now = phase + tick * FRAME + nap;
        while let Some(packet) = coming.next_if(|packet| packet.at <= now) {
            insert(buffer, packet);
            assert_all_are_found(buffer);
        }
        while held < FRAME {
            held += take(buffer, now, held, &mut numbers);
            assert_all_are_found(buffer);
        }
        held -= FRAME;
    }
    numbers
}

fn insert(buffer: &mut JitterBuffer, packet: &Sent) {
    let arrived = Arrived {
        ssrc: 7,
        sequence: (packet.number as u16).wrapping_sub(100),
        timestamp: packet.timestamp,
        marker: false,
        payload_type: 8,
        content: packet.content,
        payload: &packet.number.to_be_bytes(),
    };
    buffer.insert(Time::from_micros(packet.at), &arrived);
}

/// Gives how much was taken, in microseconds.
fn take(buffer: &mut JitterBuffer, now: u64, held: u64, numbers: &mut Vec<u32>) -> u64 {
    let pitch = match buffer.take(Time::from_micros(now), Duration::from_micros(held)) {
        Taken::Speech { payload, .. } => {
            numbers.push(payload.try_into().map_or(u32::MAX, u32::from_be_bytes));
            5000
        }
        Taken::Lost { span, .. } => return span.as_micros() as u64,
        Taken::Noise { .. } | Taken::Silence | Taken::Filling => return FRAME,
    };
    match buffer.advice() {
        Advice::Normal => FRAME,
        Advice::Faster => FRAME - pitch,
        Advice::Slower => FRAME + pitch,
    }
}

fn assert_all_are_found(buffer: &JitterBuffer) {
    let mut found = 0;
    let mut next = buffer.next;
    while let Some(slot) = buffer.slots.first(next)
        && next.is_none_or(|next| slot.sequence >= next)
    {
        found += 1;
        next = Some(slot.sequence + 1);
    }
    assert_eq!(found, buffer.slots.count(), "held from {:?}", buffer.next);
}

#[test]
fn two_pauses_of_no_whole_number_of_frames_cost_no_packet() {
    let comes = |count| std::iter::repeat_n(Step::Comes(0), count);
    let mut steps = vec![Step::Pause(267_643)];
    steps.extend(comes(27));
    steps.push(Step::Pause(68_787));
    steps.extend(comes(2));
    steps.push(Step::Pause(94_788));
    steps.extend(comes(1));
    let mut buffer = JitterBuffer::new(8000);
    let numbers = hear(&mut buffer, &send(&steps), 0, &[]);
    assert_eq!(numbers, (0..30).collect::<Vec<_>>(), "{:?}", buffer.figures());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_packet_is_accounted_for_once_and_in_order(
        steps in steps(true), phase in 0..FRAME, naps in prop::collection::vec(0u64..60_000, 64),
    ) {
        let (mut buffer, sent) = (JitterBuffer::new(8000), send(&steps));
        let numbers = hear(&mut buffer, &sent, phase, &naps);
        prop_assert!(numbers.is_sorted_by(|a, b| a < b), "{:?}", numbers);
        let figures = buffer.figures();
        let keys = sent.iter().filter(|packet| packet.content == Content::Other).count() as u64;
        let ends = figures.taken + figures.late + figures.early + figures.duplicates;
        prop_assert_eq!(ends + keys, sent.len() as u64, "{:?}", figures);
        prop_assert_eq!((figures.taken, buffer.slots.count()), (numbers.len() as u64, 0));
    }

    #[test]
    fn every_packet_that_comes_before_its_time_is_heard(steps in steps(false), phase in 0..FRAME) {
        let (mut buffer, sent) = (JitterBuffer::new(8000), send(&steps));
        let numbers = hear(&mut buffer, &sent, phase, &[]);
        prop_assert!(numbers.is_sorted_by(|a, b| a < b), "{:?}", numbers);
        let jumps = steps.iter().any(|step| matches!(step, Step::Jump(_)));
        prop_assert!(jumps || buffer.figures().early == 0, "{:?}", buffer.figures());
        // The quickest are never late, and what comes late across a jump costs at most itself.
        for packet in sent.iter().filter(|packet| packet.is_punctual) {
            prop_assert!(numbers.contains(&packet.number), "{:?} {:?}", packet, buffer.figures());
        }
    }
}
