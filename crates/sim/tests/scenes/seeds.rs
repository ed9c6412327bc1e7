//! Whole worlds from fixed seeds, with every fault allowed. A seed that fails is played again with
//! `cornetta sim --seed N --calls 200 --faults all -v`.

use crate::support;
use sim::{Coverage, Depth, Faults, Options, Report};

fn live(seed: u64, calls: u32, faults: &str) -> Report {
    let faults = Faults::parse(faults).unwrap();
    let options = Options { seed, calls, rate: None, faults, depth: Depth::Signalling, verbose_from: None };
    sim::run(options, support::helpdesk(), &mut |_| {})
}

fn assert_good(seed: u64, calls: u32, faults: &str) -> Report {
    let report = live(seed, calls, faults);
    assert!(report.violations.is_empty(), "seed {seed}: {report}");
    assert_eq!(report.calls, calls);
    report
}

/// In a debug build a tenth of it, so that nobody waits.
const SEEDS: u64 = if cfg!(debug_assertions) { 6 } else { 60 };

#[test]
fn worlds_in_which_anything_goes_wrong_keep_every_rule() {
    for seed in 1..=SEEDS {
        assert_good(seed, 200, "all");
    }
}

#[test]
fn in_a_world_without_faults_every_call_arrives_and_many_talk() {
    let (worlds, mut talked) = (SEEDS / 6, 0);
    for seed in 1..=worlds {
        let report = assert_good(seed, 100, "none");
        // Agents who ask a colleague make calls of their own.
        assert!(report.arrived >= 100, "{report}");
        assert_eq!(report.lost, 0);
        // Who finds an operator's lines full is told so, and answered by nobody.
        let full = report.coverage.count("fact capacity");
        assert!(full <= 30 && u64::from(report.answered) + full > 80, "{report}; {full} lines full");
        talked += u64::from(report.talked);
    }
    assert!(talked > 30 * worlds, "{talked} talked in {worlds} worlds: some desks have few agents, not all");
}

#[test]
fn the_same_seed_gives_the_same_world_and_another_seed_another() {
    let first = live(7, 100, "all");
    assert_eq!(first, live(7, 100, "all"));
    assert_ne!(first.trace_hash, live(8, 100, "all").trace_hash);
}

#[test]
fn every_kind_of_fault_is_met() {
    let (mut lost, mut met) = (0, Faults::NONE);
    for seed in 1..=6 {
        let report = assert_good(seed, 50, "all");
        lost += report.lost;
        let Faults { loss, delay, reorder, duplicate, phones, clock } = report.faults;
        met.loss |= loss;
        met.delay |= delay;
        met.reorder |= reorder;
        met.duplicate |= duplicate;
        met.phones |= phones;
        met.clock |= clock;
    }
    assert_eq!(met, Faults::ALL);
    assert!(lost > 0);
}

/// `SIM_SEEDS=1000..2000 cargo test --release -p sim --test scenes seeds -- --ignored`
#[test]
#[ignore = "as many seeds as SIM_SEEDS=FIRST..LAST asks for"]
fn a_range_of_seeds_keeps_every_rule() {
    let range = std::env::var("SIM_SEEDS").unwrap_or_else(|_| "1000..1200".to_owned());
    let (first, last) = range.split_once("..").unwrap();
    let (first, last): (u64, u64) = (first.parse().unwrap(), last.parse().unwrap());
    let began = std::time::Instant::now();
    let mut met = Coverage::default();
    let mut bad = Vec::new();
    for report in (first..last).map(|seed| live(seed, 200, "all")) {
        met.add(&report.coverage);
        if !report.violations.is_empty() {
            bad.push(format!("seed {}: {report}", report.seed));
        }
    }
    let a_second = (last - first) as f64 * 200.0 / began.elapsed().as_secs_f64();
    println!("{met}{a_second:.0} calls a second");
    assert!(bad.is_empty(), "{} of {} are bad:\n{}", bad.len(), last - first, bad.join("\n"));
}
