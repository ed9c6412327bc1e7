//! What becomes of a call in bad networks: loss × jitter, by codec, frozen as a table. What a hearer says quicker to catch up
//! is counted as not audible.
//!
//! The table is `lossy.txt`. Where a change is meant to change it, `RENEW_TABLE=1 cargo test -p media --test lossy` writes it
//! anew, and the difference belongs into the change.

// A helper of a test may fail it.
#![allow(clippy::unwrap_used)]

mod world;

use std::fmt::Write;
use std::path::Path;

use audio::tone::Tone;
use audio::{Decoder, Encoder, EncoderSettings};
use base::Seed;
use media_api::{Codec, Command, Stream};
use world::*;

/// Of 20 ms. In every second the party presses a key, is silent, and then says a tone.
const FRAMES: u32 = 500;
const SECOND: u32 = 50;
const KEY_FRAMES: u32 = 8;
const SILENT_FRAMES: u32 = 10;
const LOUD: i16 = 8000;

const LOSSES: [u32; 6] = [0, 1, 2, 5, 10, 20];
const JITTERS: [u64; 4] = [0, 20, 60, 120];
/// How many packets are lost in a row, in bursts.
const BURST: u32 = 3;

/// What the party speaks, and what whoever hears it.
const WAYS: [(&str, Codec, Codec); 4] = [
    ("A-law, passed on", Codec::Pcma, Codec::Pcma),
    ("A-law, heard here", Codec::Pcma, Codec::G722),
    ("Opus with its own copies, heard here", Codec::Opus, Codec::Pcma),
    ("G.722, heard here", Codec::G722, Codec::Pcma),
];

/// A network: packets lost of a hundred, how many in a row, and by how many milliseconds each is later at most.
#[derive(Clone, Copy, Debug)]
struct Network {
    loss: u32,
    in_a_row: u32,
    jitter: u64,
}

fn payload_type(codec: Codec) -> u8 {
    codec.static_payload_type().unwrap_or(111)
}

/// What the party sends, in packets of 20 ms.
fn said(codec: Codec) -> Vec<Rtp> {
    let settings = EncoderSettings { expected_loss: 20, ..EncoderSettings::default() };
    let (mut encoder, rate) = (Encoder::new(codec, &settings), codec.sample_rate());
    let mut tone = Tone::at_rate(400.0, LOUD, rate);
    let packet = |n: u32| {
        let (second, at) = (n / SECOND, n % SECOND);
        let frame = tone.take(rate as usize / 50);
        let frame = if at < SILENT_FRAMES { vec![0; frame.len()] } else { frame };
        let mut payload = Vec::new();
        encoder.encode(&frame, &mut payload);
        if at < KEY_FRAMES {
            let (code, is_end) = ((second % 10) as u8, at >= KEY_FRAMES - 3);
            let held = (codec.clock_rate() / 50 * (at + 1).min(KEY_FRAMES - 2)) as u16;
            return Rtp::key(n as u16, second * SECOND * codec.clock_rate() / 50, 77, code, is_end, held);
        }
        let timestamp = n * codec.clock_rate() / 50;
        Rtp { payload_type: payload_type(codec), payload, ..Rtp::speech(n as u16, timestamp, 77) }
    };
    (0..FRAMES).map(packet).collect()
}

/// The call, and what came of it: audible frames and digits of a hundred, the delay in milliseconds, and the score.
fn call(packets: &[Rtp], (spoken, heard): (Codec, Codec), network: Network) -> String {
    let mut world = World::new();
    for (leg, codec) in [(A, spoken), (B, heard)] {
        world.open(leg, Stream::plain(party(leg), codec, payload_type(codec)).with_digits(KEYS));
    }
    world.command(Command::Bridge { a: A, b: B });
    let mut coming = through(packets, network);
    while world.now.micros() < u64::from(FRAMES + 25) * 20_000 {
        while coming.last().is_some_and(|(at, _)| *at <= world.now.micros()) {
            let (_, rtp) = coming.pop().unwrap();
            world.say(A, &rtp);
        }
        world.pass(5);
    }
    let (audible, delay) = listen(&world, heard);
    let digits: String = (0..FRAMES / SECOND).map(|second| char::from(b'0' + (second % 10) as u8)).collect();
    let right = alike(&digits, &world.digits()) * 100 / digits.len();
    let mos = world.stats(A).here.map_or(0, |here| here.mos);
    format!("{audible:>3} %  {delay:>3} ms  {right:>3} %  {}.{:02}", mos / 100, mos % 100)
}

/// What comes through, the last first, with its time in microseconds.
fn through(packets: &[Rtp], network: Network) -> Vec<(u64, Rtp)> {
    let seed = Seed::from_number(u64::from(network.loss)).numbered(network.jitter);
    let mut rng = seed.numbered(u64::from(network.in_a_row)).rng();
    let (mut left, mut coming) = (0, Vec::new());
    for (n, rtp) in packets.iter().enumerate() {
        let later = rng.below(network.jitter * 1000 + 1);
        if left == 0 && rng.chance_permille(network.loss * 10 / network.in_a_row) {
            left = network.in_a_row;
        }
        if left > 0 {
            left -= 1;
        } else {
            coming.push((n as u64 * 20_000 + later, rtp.clone()));
        }
    }
    coming.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    coming
}

/// How many of the frames that were said can be heard at the other end, in percent: at half their loudness or more. And how
/// long it is in the middle from a tone's beginning here to its beginning there.
fn listen(world: &World, codec: Codec) -> (usize, u64) {
    let (mut decoder, mut audible, mut delays) = (Decoder::new(codec), 0, Vec::new());
    let mut last_at = 0;
    for sent in world.sent.iter().filter(|sent| sent.leg == B && sent.rtp.payload_type == payload_type(codec))
    {
        let mut frame = Vec::new();
        decoder.decode(&sent.rtp.payload, &mut frame).unwrap();
        let power = frame.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / frame.len() as f64;
        if power < f64::from(LOUD).powi(2) / 8.0 {
            continue;
        }
        audible += 1;
        let at = sent.at.micros() / 1000;
        if at - last_at > 120 {
            delays.push((at - u64::from(SILENT_FRAMES) * 20) % 1000);
        }
        last_at = at;
    }
    delays.sort_unstable();
    let spoken = (FRAMES / SECOND * (SECOND - SILENT_FRAMES)) as usize;
    (audible * 100 / spoken, delays.get(delays.len() / 2).copied().unwrap_or(0))
}

/// How many letters the two have in common, in the same order.
fn alike(one: &str, other: &str) -> usize {
    let mut best = vec![0; other.len() + 1];
    for a in one.chars() {
        let mut before = 0;
        for (place, b) in other.chars().enumerate() {
            let above = best[place + 1];
            best[place + 1] = if a == b { before + 1 } else { above.max(best[place]) };
            before = above;
        }
    }
    best[other.len()]
}

fn table() -> String {
    let mut table = String::from(
        "Loss x jitter: audible frames, delay from mouth to wire, keys that were understood, MOS (G.711: narrow band, else wide).\n",
    );
    for (name, spoken, heard) in WAYS {
        writeln!(table, "\n{name}").unwrap();
        let heads = JITTERS.map(|jitter| format!("{:<28}", format!("jitter {jitter} ms")));
        writeln!(table, "{:<22}{}", "lost", heads.join("").trim_end()).unwrap();
        let packets = said(spoken);
        for (loss, in_a_row) in LOSSES.into_iter().flat_map(|loss| [(loss, 1), (loss, BURST)]) {
            if loss == 0 && in_a_row > 1 {
                continue;
            }
            let cells = JITTERS.map(|jitter| {
                let cell = call(&packets, (spoken, heard), Network { loss, in_a_row, jitter });
                format!("{cell:<28}")
            });
            let how = if in_a_row > 1 { "in threes" } else { "by chance" };
            writeln!(table, "{:<22}{}", format!("{loss:>2} % {how}"), cells.join("").trim_end()).unwrap();
        }
    }
    table
}

#[test]
fn calls_in_bad_networks_are_as_good_as_the_table_says() {
    let (path, found) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lossy.txt"), table());
    if std::env::var_os("RENEW_TABLE").is_some() {
        return std::fs::write(path, found).unwrap();
    }
    let expected = std::fs::read_to_string(path).unwrap();
    for (expected, found) in expected.lines().zip(found.lines()) {
        assert_eq!(expected, found, "renew the table if that is meant: see the head of this file");
    }
    assert_eq!(expected.lines().count(), found.lines().count());
}
