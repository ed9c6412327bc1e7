//! The integrator's page is tried: its Python client reads a running desk.

use crate::support::samples::{agent, arrived, ended};
use crate::support::{ALL, Desk};
use cti::Scope;
use std::collections::BTreeSet;
use std::process::{Command, Stdio};

const PAGE: &str = include_str!("../../../../docs/cti.md");

/// Prints the numbers of as many events as it is told, then leaves.
const DRIVER: &str = "
import itertools, sys
base, token, position, count = sys.argv[1:]
for event in itertools.islice(events(base, token, int(position)), int(count)):
    print(int(event['sequence']))
";

#[tokio::test(flavor = "multi_thread")]
async fn the_python_client_of_the_page_reads_on_from_its_position() {
    if Command::new("python3").arg("--version").stdout(Stdio::null()).status().is_err() {
        println!("skipped: there is no python3 on this machine");
        return;
    }
    let client = PAGE.split("```python\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let desk = Desk::open().await;
    desk.write(Some("c1"), [arrived()]);
    desk.write(None, [agent("anna", facts::AgentState::Ready)]);
    desk.write(Some("c2"), [arrived(), ended()]);
    let mut python = Command::new("python3");
    python.args(["-c", &format!("{client}{DRIVER}"), &format!("http://{}", desk.addr), ALL, "1", "2"]);
    let output = tokio::task::spawn_blocking(move || python.output()).await.unwrap().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "3\n4\n", "{error}");
}

/// The cells of the table that begins so.
fn table(head: &str) -> Vec<Vec<&'static str>> {
    let rows = PAGE.lines().skip_while(|line| *line != head).skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

fn quoted(cell: &str) -> BTreeSet<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_scope_is_told_and_every_address_names_what_it_needs() {
    let known: BTreeSet<&str> = Scope::ALL.into_iter().map(Scope::name).collect();
    let mut told = BTreeSet::new();
    for row in table("| scope | allows |") {
        assert_eq!(row.len(), 2, "{row:?}");
        told.extend(quoted(row[0]));
    }
    assert_eq!(told, known);
    let mut needed = BTreeSet::new();
    for row in table("| address | what | scope |") {
        assert_eq!(row.len(), 3, "{row:?}");
        let needs = quoted(row[2]);
        assert!(needs.is_subset(&known), "{row:?}");
        assert!(row[2].starts_with("none") || !needs.is_empty(), "{row:?}");
        needed.extend(needs);
    }
    assert_eq!(needed, known);
}
