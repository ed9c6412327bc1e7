#![allow(dead_code, reason = "each test file uses its part")]

use base::Wall;
use sip::ua::{Flow, Transport};
use std::path::Path;
use std::time::{Duration, Instant};
use trace::{Config, Limits, Traced, Way};

/// Bounds a failure; no test waits for it to pass.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn config(folder: &Path) -> Config {
    let limits = Limits { keep: Duration::from_secs(3600), size_max: 1_000_000_000 };
    Config { folder: folder.to_owned(), limits, hep: None, program: "Cornetta 0".to_owned() }
}

/// A message between 192.0.2.1:5060, which is us, and 192.0.2.2:40000.
pub(crate) fn message(call: &str, millis: i64, way: Way, text: &str) -> Traced {
    let flow = Flow {
        transport: Transport::Udp,
        local: "192.0.2.1:5060".parse().unwrap(),
        remote: "192.0.2.2:40000".parse().unwrap(),
    };
    let at = Wall::from_unix_micros(1_700_000_000_000_000 + millis * 1000);
    Traced { at, call: call.into(), way, flow, bytes: text.as_bytes().to_vec() }
}

pub(crate) fn invite(more: &str) -> String {
    format!("INVITE sip:800@192.0.2.1 SIP/2.0\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n{more}\r\n")
}

/// Looks again and again until there is something to give.
pub(crate) fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "it did not come");
        std::thread::yield_now();
    }
}
