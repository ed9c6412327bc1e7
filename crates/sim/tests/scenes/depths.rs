//! Whole worlds with real media: packets that are counted, and real sound. A seed that fails is played again with
//! `cornetta sim --depth audio --seed N --calls 40 --faults all -v`.

use crate::support;
use sim::{Coverage, Depth, Faults, Options, Report};

/// In a debug build a few calls, so that nobody waits.
const CALLS: u32 = if cfg!(debug_assertions) { 2 } else { 30 };
const SEEDS: u64 = if cfg!(debug_assertions) { 1 } else { 4 };

fn live(depth: Depth, seed: u64, calls: u32, faults: Faults) -> Report {
    let options = Options { seed, calls, rate: None, faults, depth, verbose_from: None };
    sim::run(options, support::helpdesk(), &mut |_| {})
}

fn assert_good(depth: Depth, seed: u64, faults: Faults) -> Report {
    let report = live(depth, seed, CALLS, faults);
    assert!(report.violations.is_empty(), "{depth} seed {seed}: {report}");
    report
}

#[test]
fn whoever_is_heard_may_be_heard_in_every_depth_and_weather() {
    for depth in [Depth::Packets, Depth::Audio] {
        for seed in 1..=SEEDS {
            let report = assert_good(depth, seed, Faults::ALL);
            assert!(report.media.heard > 1000, "{report}");
        }
    }
}

#[test]
fn where_nothing_goes_wrong_every_key_is_told() {
    for depth in [Depth::Packets, Depth::Audio] {
        let report = assert_good(depth, 5, Faults::NONE);
        assert!(report.talked > 0 || cfg!(debug_assertions), "{report}");
        assert!(report.media.pressed > 0 && report.media.told <= report.media.pressed, "{report}");
    }
}

#[test]
fn the_same_seed_sends_the_same_packets_and_another_seed_others() {
    for depth in [Depth::Packets, Depth::Audio] {
        let first = live(depth, 7, CALLS / 2, Faults::ALL);
        assert_eq!(first, live(depth, 7, CALLS / 2, Faults::ALL));
        assert_ne!(first.trace_hash, live(depth, 8, CALLS / 2, Faults::ALL).trace_hash);
    }
}

/// `SIM_DEPTH=audio SIM_SEEDS=1000..1100 cargo test --release -p sim --test scenes depths -- --ignored --nocapture`
#[test]
#[ignore = "as many seeds as SIM_SEEDS=FIRST..LAST asks for"]
fn a_range_of_seeds_is_heard_rightly() {
    let range = std::env::var("SIM_SEEDS").unwrap_or_else(|_| "1000..1020".to_owned());
    let depth = Depth::parse(&std::env::var("SIM_DEPTH").unwrap_or_else(|_| "packets".to_owned())).unwrap();
    let (first, last) = range.split_once("..").unwrap();
    let (first, last): (u64, u64) = (first.parse().unwrap(), last.parse().unwrap());
    let began = std::time::Instant::now();
    let mut met = Coverage::default();
    let mut bad = 0;
    for seed in first..last {
        let report = live(depth, seed, 60, Faults::ALL);
        met.add(&report.coverage);
        if !report.violations.is_empty() {
            println!("seed {seed}: {report}");
            bad += 1;
        }
    }
    println!("{met}{:.1} calls a second", (last - first) as f64 * 60.0 / began.elapsed().as_secs_f64());
    assert_eq!(bad, 0, "so many seeds are bad");
}
