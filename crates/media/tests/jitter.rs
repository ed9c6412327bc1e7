//! The jitter buffer in virtual time: a sender, a network and a hearer who asks every 20 ms.

mod hearing;

use base::Time;
use hearing::*;
use media::jitter::{Advice, Arrived, Content, JitterBuffer, PAYLOAD_MAX, Taken, WAIT_MAX, WAIT_SHORTEST};
use std::time::Duration;

#[test]
fn on_a_steady_way_every_packet_is_heard_in_order_after_a_short_wait() {
    let heard = hear(8000, &talk(500));
    assert_eq!(heard.numbers(), (0..500).collect::<Vec<_>>());
    assert_eq!(heard.lost(), 0);
    assert_eq!(heard.wait_at_end(), steady_wait());
}

#[test]
fn packets_of_ten_to_sixty_milliseconds_are_heard_without_a_gap() {
    for millis in [10, 20, 30, 40, 60] {
        let heard = hear(8000, &Talk { millis, ..Talk::plain(300) }.packets());
        assert_eq!(heard.numbers(), (0..300).collect::<Vec<_>>(), "{millis} ms");
        assert_eq!(heard.lost(), 0, "{millis} ms");
        assert_eq!(heard.wait_at_end(), steady_wait(), "{millis} ms");
    }
}

#[test]
fn packets_that_become_longer_in_mid_call_are_heard_without_a_gap() {
    let mut packets = talk(300);
    let after = Talk { millis: 60, first: 300, from_ms: 6000 + 40, ..Talk::plain(100) }.packets();
    packets.extend(after.into_iter().map(|mut packet| {
        packet.timestamp = 300 * 160 + (packet.number - 300) * 480;
        packet
    }));
    let heard = hear(8000, &packets);
    assert_eq!(heard.numbers(), (0..400).collect::<Vec<_>>());
    assert!(heard.lost() <= 2, "{}", heard.lost());
}

#[test]
fn a_packet_that_is_missing_is_lost_once_and_costs_no_delay() {
    let mut packets = talk(500);
    packets.retain(|packet| packet.number % 50 != 49);
    let heard = hear(8000, &packets);
    assert_eq!(heard.numbers().len(), 490);
    assert_eq!(heard.lost(), 9, "the last one is the end");
    assert_eq!(heard.wait_at_end(), steady_wait());
}

#[test]
fn a_lost_packet_is_told_with_its_follower_where_the_codec_can_use_it() {
    let mut packets = talk(1000);
    packets.retain(|packet| packet.number % 20 != 7);
    let mut hearer = Hearer::new(8000);
    hearer.buffer.expect_recovery(true);
    let heard = hearer.hear(&packets);
    let followed = heard.followers.iter().filter(|number| *number % 20 == 8).count();
    assert!(followed >= 48, "{followed} of 50");
    assert_eq!(heard.lost(), 50);
}

#[test]
fn three_packets_lost_in_a_row_are_three_losses() {
    let mut packets = talk(300);
    packets.retain(|packet| !(100..103).contains(&packet.number));
    let heard = hear(8000, &packets);
    assert_eq!(heard.lost(), 3);
    assert_eq!(heard.lost_time, Duration::from_millis(60));
}

#[test]
fn jitter_is_waited_for_and_the_wait_shrinks_when_it_is_over() {
    let mut packets = talk(4000);
    for packet in packets.iter_mut().filter(|packet| (500..2000).contains(&packet.number)) {
        packet.at += u64::from(packet.number * 7919 % 61) * 1000;
    }
    let heard = hear(8000, &packets);
    let missed = 4000 - heard.numbers().len();
    assert!(missed <= 15, "{missed} not heard");
    assert!(heard.lost() <= 40, "{}", heard.lost());
    let [before, during, after] = [9, 39, 75].map(|second| heard.wait_at(second));
    assert_eq!(before, steady_wait());
    let jitter = Duration::from_millis(61);
    assert!((jitter..=longest_wait(jitter)).contains(&during), "{during:?}");
    assert_eq!(after, steady_wait());
}

#[test]
fn a_stray_late_packet_is_passed_over_and_moves_nothing() {
    let mut packets = talk(1000);
    packets[600].at += 45_000;
    let heard = hear(8000, &packets);
    assert_eq!(heard.numbers().len(), 999);
    assert_eq!((heard.figures.late, heard.lost()), (1, 1));
    assert_eq!(heard.wait_at_end(), steady_wait());
}

#[test]
fn packets_of_a_stall_are_heard_and_caught_up_by_advice() {
    let mut packets = talk(1000);
    for packet in &mut packets[600..604] {
        packet.at = packets_at(604);
    }
    let heard = hear(8000, &packets);
    assert_eq!(heard.numbers().len(), 1000);
    assert!((2..=4).contains(&heard.lost()), "{}", heard.lost());
    assert!(heard.faster > 3, "{}", heard.faster);
    assert_eq!(heard.wait_at_end(), steady_wait());
}

#[test]
fn packets_out_of_order_are_put_in_order() {
    let mut packets = talk(500);
    for packet in packets.iter_mut().filter(|packet| packet.number % 5 == 0) {
        packet.at += 25_000;
    }
    let heard = hear(8000, &packets);
    assert_eq!(heard.numbers(), (0..500).collect::<Vec<_>>());
}

#[test]
fn a_packet_that_comes_twice_is_heard_once() {
    let packets: Vec<Packet> = talk(300).into_iter().flat_map(|packet| [packet, packet]).collect();
    let heard = hear(8000, &packets);
    assert_eq!(heard.numbers(), (0..300).collect::<Vec<_>>());
    assert_eq!((heard.figures.duplicates, heard.figures.late), (300, 0));
    let mut again = talk(300);
    again.push(Packet { at: again[299].at, ..again[250] });
    let heard = hear(8000, &again);
    assert_eq!((heard.figures.duplicates, heard.figures.late), (1, 0));
}

#[test]
fn two_packets_or_none_in_a_tick_are_heard_without_a_loss() {
    let mut packets = talk(500);
    for packet in packets.iter_mut().filter(|packet| packet.number % 2 == 0) {
        packet.at += 20_000;
    }
    let heard = hear(8000, &packets);
    assert_eq!((heard.numbers(), heard.lost()), ((0..500).collect::<Vec<_>>(), 0));
}

#[test]
fn of_a_burst_of_64_the_newest_are_heard_at_the_usual_wait() {
    let mut packets = talk(1000);
    for packet in &mut packets[400..464] {
        packet.at = packets_at(464);
    }
    let heard = hear(8000, &packets);
    assert!(heard.numbers().is_sorted());
    assert!(heard.numbers().len() >= 1000 - 64, "{}", heard.numbers().len());
    let missing = 1000 - heard.numbers().len() as u64;
    assert_eq!(heard.figures.early + heard.figures.late, missing, "{:?}", heard.figures);
    assert_eq!(heard.wait_at_end(), steady_wait());
    assert!(heard.numbers().contains(&463));
}

#[test]
fn a_burst_of_64_at_the_very_beginning_is_survived() {
    let mut packets = talk(500);
    packets[..64].iter_mut().for_each(|packet| packet.at = packets_at(64));
    let heard = hear(8000, &packets);
    assert!(heard.numbers().is_sorted() && heard.numbers().len() >= 436);
    assert_eq!(heard.wait_at_end(), steady_wait());
}

#[test]
fn a_clock_that_drifts_for_three_hours_adds_no_delay() {
    for ppm in [200i64, -200] {
        let mut packets = talk(540_000);
        for packet in &mut packets {
            packet.at = (packet.at as i64 - packet.at as i64 * ppm / 1_000_000) as u64;
        }
        let heard = hear(8000, &packets);
        assert_eq!(
            heard.numbers().len(),
            540_000,
            "{ppm} ppm {:?} {} {}",
            heard.figures,
            heard.slower,
            heard.faster
        );
        assert_eq!(heard.lost(), 0, "{ppm} ppm");
        assert!(heard.longest_wait_after(10) <= longest_wait(Duration::ZERO), "{ppm} ppm");
        let (many, few) = (heard.faster.max(heard.slower), heard.faster.min(heard.slower));
        // 2.16 s too many or too few, 5 ms at a time.
        assert!((400..480).contains(&many) && few <= 12, "{ppm} ppm: {} {}", heard.faster, heard.slower);
    }
}

#[test]
fn drift_together_with_jitter_and_loss_adds_no_delay_either() {
    for ppm in [200i64, -200] {
        let mut packets = talk(50_000);
        for packet in &mut packets {
            packet.at = (packet.at as i64 - packet.at as i64 * ppm / 1_000_000) as u64;
            packet.at += u64::from(packet.number.wrapping_mul(2_654_435_761) >> 16) % 40_000;
        }
        packets.retain(|packet| packet.number.wrapping_mul(40_503) % 100 != 0);
        let heard = hear(8000, &packets);
        let longest = heard.longest_wait_after(10);
        assert!(longest <= longest_wait(Duration::from_millis(40)), "{ppm}: {longest:?}");
        let unheard = packets.len() - heard.numbers().len();
        assert!(unheard * 100 <= packets.len() * 2, "{ppm} ppm: {unheard}");
    }
}

#[test]
fn a_pause_without_packets_is_no_loss_and_the_next_talk_spurt_begins_at_the_right_wait() {
    let mut packets = talk(200);
    packets.extend(Talk { first: 200, from_ms: 4000 + 2500, marked: true, ..Talk::plain(200) }.packets());
    let later = packets[200..].iter().map(|packet| packet.timestamp).next();
    assert_eq!(later, Some(6500 * 8), "the timestamps go with the time");
    let heard = hear(8000, &packets);
    assert_eq!(heard.numbers(), (0..400).collect::<Vec<_>>());
    assert_eq!((heard.figures.concealed, heard.figures.pauses), (Duration::ZERO, 1));
    assert!(heard.lost() <= 5, "{}", heard.lost());
    assert_eq!(heard.wait_at_end(), steady_wait_after(WAIT_SHORTEST));
}

#[test]
fn a_loss_next_to_a_short_pause_costs_no_packet_after_it() {
    // Where in the hearer's tick the packets come.
    for phase in (0..20_000).step_by(5000) {
        for pause in (0..=200).step_by(10) {
            for missing in 0..=4 {
                let delay = 50_000 + phase;
                let mut packets = Talk { delay, ..Talk::plain(100) }.packets();
                let first = 100 + missing;
                let from_ms = u64::from(first) * 20 + pause;
                packets.extend(Talk { first, from_ms, delay, ..Talk::plain(100) }.packets());
                let expected: Vec<u32> = packets.iter().map(|packet| packet.number).collect();
                let heard = hear(8000, &packets);
                assert_eq!(heard.numbers(), expected, "{missing} missing, {pause} ms, {phase} us");
            }
        }
    }
}

#[test]
fn a_pause_is_no_length_of_a_packet() {
    for pause in [15, 40, 80] {
        let mut packets = talk(100);
        packets.extend(Talk { first: 100, from_ms: 2000 + pause, ..Talk::plain(100) }.packets());
        let heard = hear(8000, &packets);
        assert_eq!(heard.figures.spoken, Duration::from_secs(4), "{pause} ms");
    }
    // One lost packet right after the pause is as long as all others.
    let mut packets = talk(100);
    packets.extend(Talk { first: 100, from_ms: 2060, ..Talk::plain(100) }.packets());
    packets.retain(|packet| packet.number != 101);
    let heard = hear(8000, &packets);
    let before = hear(8000, &packets[..100]);
    assert_eq!(heard.lost(), before.lost() + 1 + 3, "{:?}", heard.figures);
}

#[test]
fn a_sender_whose_timestamps_stand_still_in_a_pause_loses_nothing_and_a_stall_does() {
    for pause in [150, 300, 700, 900] {
        let mut packets = talk(400);
        packets[200..].iter_mut().for_each(|packet| packet.at += pause * 1000);
        let heard = hear(8000, &packets);
        assert_eq!((heard.figures.concealed, heard.figures.pauses), (Duration::ZERO, 1), "{pause} ms");
        let mut packets = talk(400);
        let stalled = 200..200 + pause as usize / 20;
        let until = packets[stalled.end].at;
        packets[stalled].iter_mut().for_each(|packet| packet.at = until);
        let heard = hear(8000, &packets);
        let concealed = heard.figures.concealed;
        assert!(concealed >= Duration::from_millis(80), "{pause} ms: {:?}", heard.figures);
    }
}

#[test]
fn a_sender_whose_timestamps_stand_still_in_a_pause_is_heard_at_once_again() {
    let mut packets = talk(200);
    let mut after = Talk { first: 200, from_ms: 4000 + 700, marked: true, ..Talk::plain(200) }.packets();
    after.iter_mut().for_each(|packet| packet.timestamp = packet.number * 160);
    packets.extend(after);
    for pause in [700u64, 1500, 60_000] {
        let mut packets = packets.clone();
        packets[200..].iter_mut().for_each(|packet| packet.at += (pause - 700) * 1000);
        let heard = hear(8000, &packets);
        assert_eq!(heard.numbers(), (0..400).collect::<Vec<_>>(), "{pause} ms");
        assert_eq!(heard.wait_at_end(), steady_wait_after(WAIT_SHORTEST), "{pause} ms");
    }
}

#[test]
fn comfort_noise_and_dtx_are_handed_on_and_nothing_is_made_up_for() {
    let mut packets = talk(100);
    packets.push(Packet { number: 100, content: Content::Noise, ..packets[99].after(1) });
    packets.push(Packet { number: 101, content: Content::Noise, sequence: 101, ..packets[99].after(20) });
    packets.extend(Talk { first: 102, from_ms: 3000, marked: true, ..Talk::plain(100) }.packets());
    let heard = hear(8000, &packets);
    assert_eq!((heard.lost(), heard.noises), (0, 2));
    assert_eq!(heard.numbers().len(), 200);
    assert_eq!(heard.figures.concealed, Duration::ZERO);
}

#[test]
fn keys_take_numbers_but_nothing_is_missing_because_of_them() {
    let mut packets = talk(100);
    for n in 0..8u32 {
        let mut key = Packet { number: 100 + n, content: Content::Other, ..packets[99].after(1 + n) };
        key.timestamp = 100 * 160;
        packets.push(key);
    }
    packets.extend(Talk { first: 108, from_ms: 2160, ..Talk::plain(100) }.packets());
    let heard = hear(8000, &packets);
    assert_eq!((heard.lost(), heard.numbers().len()), (0, 200));
}

/// What changes in mid-call.
type Change = (&'static str, fn(&mut Packet));

#[test]
fn another_source_another_count_and_other_timestamps_go_on_without_a_gap() {
    let table: [Change; 5] = [
        ("another source", |packet| packet.ssrc = 8),
        ("another source and count", |packet| {
            (packet.ssrc, packet.sequence, packet.timestamp) =
                (9, packet.sequence.wrapping_add(31_000), packet.timestamp.wrapping_add(1 << 31));
        }),
        ("another count", |packet| packet.sequence = packet.sequence.wrapping_add(20_000)),
        ("timestamps an hour ahead", |packet| packet.timestamp = packet.timestamp.wrapping_add(3600 * 8000)),
        ("timestamps five seconds back", |packet| packet.timestamp = packet.timestamp.wrapping_sub(40_000)),
    ];
    for (name, change) in table {
        let mut packets = talk(600);
        packets[300..].iter_mut().for_each(change);
        let heard = hear(8000, &packets);
        assert_eq!((heard.numbers(), heard.lost()), ((0..600).collect::<Vec<_>>(), 0), "{name}");
        assert!(heard.silences_between(2, 11) <= 3, "{name}: {}", heard.silences_between(2, 11));
        assert_eq!(heard.wait_at_end(), steady_wait(), "{name}");
    }
}

#[test]
fn a_packet_that_comes_late_across_a_jump_costs_at_most_itself() {
    for (jump, late_by) in [(-40_000i32, 21_000), (-40_000, 45_000), (400_000, 21_000), (400_000, 45_000)] {
        let mut packets = talk(600);
        packets[300..]
            .iter_mut()
            .for_each(|packet| packet.timestamp = packet.timestamp.wrapping_add_signed(jump));
        packets[299].at += late_by;
        let heard = hear(8000, &packets);
        assert!(heard.numbers().is_sorted());
        assert!(
            heard.numbers().len() >= 599,
            "{jump} {late_by}: {} {:?}",
            heard.numbers().len(),
            heard.figures
        );
        assert!(heard.silences_between(2, 11) <= 1, "{jump} {late_by}: {}", heard.silences_between(2, 11));
    }
}

#[test]
fn a_late_packet_with_a_forged_timestamp_costs_at_most_the_one_that_it_replaces() {
    for forged in [1, 100, 4000, 7900, 40_000, 1 << 30, 1 << 31, u32::MAX - 40_000] {
        let mut packets = talk(600);
        packets[300].timestamp = packets[300].timestamp.wrapping_add(forged);
        packets[300].at += 21_000;
        let heard = hear(8000, &packets);
        assert!(heard.numbers().len() >= 599, "{forged}: {} {:?}", heard.numbers().len(), heard.figures);
        assert!(heard.silences_between(2, 11) <= 1, "{forged}: {}", heard.silences_between(2, 11));
    }
}

#[test]
fn timestamps_that_leap_with_every_packet_for_minutes_cost_nothing_but_their_own_sound() {
    for (clock, step) in [
        (8000, 0x7fff_ffffu32),
        (8000, 0xa000_0000),
        (48_000, 0x7fff_ffff),
        (8000, 160 + 7900),
        (48_000, 48_500),
    ] {
        let mut packets = talk(20_000);
        for (packet, number) in packets.iter_mut().zip(0u32..) {
            let step = if number < 15_000 { step } else { clock / 50 };
            packet.timestamp = number.wrapping_mul(step);
        }
        let heard = hear(clock, &packets);
        assert!(heard.numbers().len() > 4000, "{step:x}: {}", heard.numbers().len());
        assert!(heard.wait_at_end() <= WAIT_MAX, "{step:x}: {:?}", heard.wait_at_end());
    }
}

#[test]
fn a_decoder_with_a_memory_is_told_when_another_source_begins() {
    let mut packets = talk(200);
    packets[100..].iter_mut().for_each(|packet| packet.ssrc = 8);
    assert_eq!(hear(8000, &packets).begun, [0, 100]);
}

#[test]
fn another_clock_rate_and_payload_type_are_heard_at_once() {
    let mut hearer = Hearer::new(8000);
    let before = talk(200);
    hearer.hear(&before);
    hearer.buffer.set_clock_rate(48_000);
    let after =
        Talk { first: 200, from_ms: 4000, clock: 48_000, payload_type: 111, ..Talk::plain(200) }.packets();
    let heard = hearer.hear(&after);
    assert_eq!(heard.payload_types, [8, 111]);
    assert_eq!(heard.numbers(), (0..400).collect::<Vec<_>>());
    assert_eq!(heard.wait_at_end(), steady_wait());
}

#[test]
fn both_counters_may_wrap() {
    for clock in [8000, 16_000, 48_000] {
        let mut packets = Talk { clock, ..Talk::plain(1000) }.packets();
        for packet in &mut packets {
            packet.sequence = packet.sequence.wrapping_sub(500);
            packet.timestamp = packet.timestamp.wrapping_sub(400 * clock / 50);
        }
        packets.retain(|packet| packet.number != 499 && packet.number != 501);
        let heard = hear(clock, &packets);
        assert_eq!((heard.numbers().len(), heard.lost()), (998, 2), "{clock}");
    }
}

#[test]
fn the_network_finds_a_longer_or_a_shorter_way() {
    for (by, missed) in
        [(60_000i64, 3), (150_000, 1), (400_000, 1), (2_000_000, 1), (-60_000, 1), (-100_000, 6)]
    {
        let mut packets = Talk { delay: 500_000, ..Talk::plain(2000) }.packets();
        packets[1000..].iter_mut().for_each(|packet| packet.at = (packet.at as i64 + by) as u64);
        packets.sort_by_key(|packet| packet.at);
        let heard = hear(8000, &packets);
        let unheard = 2000 - heard.numbers().len();
        assert!(unheard <= missed, "{by}: {unheard} {:?}", heard.figures);
        let wait = heard.wait_at_end();
        assert!(wait <= longest_wait(Duration::ZERO), "{by}: {wait:?}");
    }
}

#[test]
fn a_payload_that_no_path_carries_is_refused() {
    let mut buffer = JitterBuffer::new(8000);
    let payload = vec![0; PAYLOAD_MAX + 1];
    let packet = Arrived {
        ssrc: 1,
        sequence: 1,
        timestamp: 1,
        marker: false,
        payload_type: 8,
        content: Content::Speech,
        payload: &payload,
    };
    buffer.insert(Time::ZERO, &packet);
    assert_eq!(buffer.figures().refused, 1);
    assert_eq!(buffer.take(Time::ZERO, Duration::ZERO), Taken::Silence);
    buffer.insert(Time::ZERO, &Arrived { payload: &payload[1..], ..packet });
    assert!(matches!(buffer.take(Time::from_millis(100), Duration::ZERO), Taken::Speech { .. }));
}

#[test]
fn before_anything_came_there_is_silence_and_no_advice() {
    let mut buffer = JitterBuffer::new(8000);
    assert_eq!(buffer.take(Time::ZERO, Duration::ZERO), Taken::Silence);
    assert_eq!((buffer.advice(), buffer.wait()), (Advice::Normal, None));
}
