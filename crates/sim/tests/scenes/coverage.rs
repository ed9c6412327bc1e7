//! What the phones of a swarm of worlds do is what the acceptance rows ask for, and `README.md` says so.

use crate::support;
use sim::{Coverage, Depth, Faults, Options, ROWS};
use std::fmt::Write as _;

/// As many as it takes until everything is met, and no more than these.
const WORLDS_MAX: u64 = 60;

fn live(seed: u64) -> Coverage {
    let options = Options {
        seed,
        calls: 200,
        rate: None,
        faults: Faults::ALL,
        depth: Depth::Signalling,
        verbose_from: None,
    };
    sim::run(options, support::helpdesk(), &mut |_| {}).coverage
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes without optimisation")]
fn every_row_is_met_in_a_few_worlds() {
    let mut met = Coverage::default();
    for seed in 2000..2000 + WORLDS_MAX {
        met.add(&live(seed));
        if met.missing().is_empty() {
            break;
        }
    }
    assert!(met.missing().is_empty(), "never met: {:?}", met.missing());
}

#[test]
fn the_readme_is_the_table_of_rows() {
    let mut table = String::from("| list | row | what is met | by | judged by |\n|---|---|---|---|---|\n");
    for row in ROWS {
        let met = row.met.join("; ");
        writeln!(table, "| {} | {} | {met} | {} | {} |", row.list, row.row, row.by, row.judged_by).unwrap();
    }
    let readme = include_str!("../../README.md");
    let start = readme.find("| list |").unwrap();
    let told: String = readme[start..].lines().take_while(|line| line.starts_with('|')).fold(
        String::new(),
        |mut told, line| {
            writeln!(told, "{line}").unwrap();
            told
        },
    );
    assert!(told == table, "crates/sim/README.md must have this table:\n{table}");
}
