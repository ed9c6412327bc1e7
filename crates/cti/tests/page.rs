//! The integrator's page is tried: its Python client reads a running desk.

mod support;

use std::process::{Command, Stdio};
use support::samples::{agent, arrived, ended};
use support::{ALL, Desk};

const PAGE: &str = include_str!("../../../docs/cti.md");

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
