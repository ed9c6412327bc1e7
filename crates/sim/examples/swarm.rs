//! Many seeds: `swarm FIRST COUNT CALLS FAULTS [-v]`.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::Instant;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [first, count, calls] = [0, 1, 2].map(|at| args[at].parse::<u64>().unwrap());
    let faults = sim::Faults::parse(&args[3]).unwrap();
    let verbose = args.get(4).is_some();
    let script = support::helpdesk();
    let (began, mut bad) = (Instant::now(), 0);
    for seed in first..first + count {
        let options = sim::Options { seed, calls: calls as u32, faults, verbose };
        let report = sim::run(options, script.clone(), &mut |line| println!("{line}"));
        if !report.violations.is_empty() {
            bad += 1;
        }
        if !report.violations.is_empty() || count < 20 {
            println!("seed {seed}: {report}");
        }
    }
    let took = began.elapsed().as_secs_f64();
    println!("{count} seeds, {bad} bad; {:.0} calls a second", (count * calls) as f64 / took);
}
