#![no_main]
//! Packets in any order, of any number and time, into a jitter buffer whose hearer asks every tick: each is handed out
//! once at most, every tick ends, and nothing that is made up for is longer than a packet can be.

use std::collections::BTreeSet;
use std::time::Duration;

use base::Time;
use libfuzzer_sys::fuzz_target;
use media::jitter::{Arrived, Content, JitterBuffer, Taken};

const TICK: Duration = Duration::from_millis(20);

// Events of five bytes: what happens, and four bytes that say how.
fuzz_target!(|bytes: &[u8]| {
    let mut buffer = JitterBuffer::new(8000);
    let (mut now, mut held) = (Time::from_millis(1000), Duration::ZERO);
    let (mut sequence, mut timestamp, mut ssrc) = (0u16, 0u32, 0u32);
    let (mut number, mut heard) = (0u32, BTreeSet::new());
    for event in bytes.chunks_exact(5) {
        let [kind, a, b, c, d] = *event else { return };
        match kind % 8 {
            // The next packet, or one a few places away.
            0..=2 => {
                sequence = sequence.wrapping_add_signed(i16::from(a as i8) / 32 + 1);
                timestamp = timestamp.wrapping_add_signed((i32::from(b as i8) / 32 + 1) * 160);
            }
            // One from anywhere.
            3 => (sequence, timestamp) = (u16::from_be_bytes([a, b]), u32::from_be_bytes([a, b, c, d])),
            4 => ssrc = u32::from(a % 3),
            5 => now = now + Duration::from_millis(u64::from(a) * u64::from(b % 8)),
            6 => {
                buffer.set_clock_rate([8000, 16_000, 48_000][usize::from(a % 3)]);
                buffer.expect_recovery(b % 2 == 1);
            }
            _ => {}
        }
        if kind % 8 < 5 {
            number += 1;
            let content = [Content::Speech, Content::Speech, Content::Speech, Content::Noise, Content::Other]
                [usize::from(c % 5)];
            let payload = number.to_be_bytes();
            let (marker, payload_type) = (d & 1 == 1, d >> 1);
            buffer.insert(
                now,
                &Arrived { ssrc, sequence, timestamp, marker, payload_type, content, payload: &payload },
            );
        }
        if kind >= 128 {
            now = now + TICK;
            for asked in 0.. {
                assert!(asked < 100, "a tick ends");
                if held >= TICK {
                    held -= TICK;
                    break;
                }
                match buffer.take(now, held) {
                    Taken::Speech { payload, .. } => {
                        assert!(heard.insert(payload.to_vec()), "handed out once");
                        held += TICK;
                    }
                    Taken::Noise { payload, .. } => {
                        assert!(heard.insert(payload.to_vec()), "handed out once");
                        held = TICK;
                    }
                    Taken::Lost { span, .. } => {
                        assert!((Duration::from_micros(2500)..=Duration::from_millis(120)).contains(&span));
                        held += span;
                    }
                    Taken::Silence | Taken::Filling => held = TICK,
                }
            }
            let _ = (buffer.advice(), buffer.wait(), buffer.target_wait());
        }
    }
    let figures = buffer.figures();
    assert_eq!(figures.taken, heard.len() as u64);
    assert!(figures.taken + figures.late + figures.early + figures.duplicates <= u64::from(number));
});
