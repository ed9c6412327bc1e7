//! The demo help desk, small and on ports of its own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

mod support;

use std::net::TcpListener;
use std::os::unix::fs::symlink;
use support::{Folder, home, run, text};

/// A home with the repository's scripts, sounds and demo, whose ports are the system's choice.
fn own_home(http: &str) -> Folder {
    let folder = Folder::new("");
    for name in ["sounds", "ivr-scripts"] {
        symlink(home().join(name), folder.path().join(name)).unwrap();
    }
    let config = std::fs::read_to_string(home().join("examples/demo/cornetta.toml")).unwrap();
    let moved = config.replace("127.0.0.1:5060", "127.0.0.1:0").replace("127.0.0.1:8080", http);
    assert!(moved.contains("\"udp:127.0.0.1:0\"") && moved.contains(&format!("\"{http}\"")), "{moved}");
    folder.write("examples/demo/cornetta.toml", &moved);
    folder
}

#[test]
fn every_caller_of_the_demo_is_greeted_and_heard_and_hears() {
    let folder = own_home("127.0.0.1:0");
    let output = run(folder.path(), &["demo", "--once", "--calls", "3"]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}\n{}", text(&output.stderr));
    let summary = told.split("\nSummary\n").nth(1).unwrap_or_else(|| panic!("{told}"));
    let figures: Vec<&str> =
        summary.lines().filter_map(|line| line.split_whitespace().next_back()).take(4).collect();
    assert_eq!(figures, ["3", "3", "3", "3"], "{summary}");
    assert!(summary.contains("en 1, fr 1, it 1"), "{summary}");
    let log = text(&run(folder.path(), &["events", "tail", "--data", "data/demo"]).stdout);
    assert!(log.contains("system.stopping"), "it ended in order: {log}");
}

#[test]
fn a_port_that_is_taken_is_told_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = own_home(&address);
    let output = run(folder.path(), &["demo", "--once"]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(told.contains("the demo help desk of ./examples/demo/cornetta.toml cannot start"), "{told}");
    assert!(told.contains(&format!("cannot listen for HTTP on {address}")), "{told}");
    assert!(told.contains("choose a free port, or stop the program that has it"), "{told}");

    let config = std::fs::read_to_string(folder.path().join("examples/demo/cornetta.toml")).unwrap();
    let config = config.replace("tcp:127.0.0.1:0", &format!("tcp:{address}"));
    folder
        .write("examples/demo/cornetta.toml", &config.replace(&format!("\"{address}\""), "\"127.0.0.1:0\""));
    let output = run(folder.path(), &["demo", "--once"]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(told.contains(&format!("{address}: Address already in use")), "{told}");
    assert!(told.contains("stop the program that has it, or write another `listen` under [sip]"), "{told}");
}
