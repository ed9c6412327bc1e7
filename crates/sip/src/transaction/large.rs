//! Requests that are too large for a datagram go by TCP, and by UDP after all where nobody takes that
//! (RFC 3261 §18.1.1).

use crate::ua::Flow;
use base::Time;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// The largest request that goes by UDP while the path's MTU is not known.
pub(crate) const DATAGRAM_MAX: usize = 1_300;
/// How long somebody is not tried by TCP again.
const REFUSED_FOR: Duration = Duration::from_secs(600);
/// The most of them that are remembered; one more forgets the one that may be tried again first.
const REFUSERS_MAX: usize = 1_024;

/// The way that a request would have gone but for its size.
#[derive(Debug)]
pub(crate) struct Instead {
    /// By UDP.
    pub(crate) flow: Flow,
    /// Its Via on that way.
    pub(crate) via: Box<str>,
}

/// Who did not take TCP lately.
#[derive(Debug, Default)]
pub(super) struct Refusers {
    until: BTreeMap<SocketAddr, Time>,
}

impl Refusers {
    pub(super) fn has(&self, now: Time, remote: SocketAddr) -> bool {
        self.until.get(&remote).is_some_and(|until| *until > now)
    }

    pub(super) fn add(&mut self, now: Time, remote: SocketAddr) {
        if self.until.len() >= REFUSERS_MAX {
            self.until.retain(|_, until| *until > now);
        }
        if self.until.len() >= REFUSERS_MAX
            && let Some(first) = self.until.iter().min_by_key(|(_, until)| **until).map(|(remote, _)| *remote)
        {
            self.until.remove(&first);
        }
        self.until.insert(remote, now + REFUSED_FOR);
    }
}

/// A request of ours with another Via, which is its first header field.
pub(crate) fn with_via(request: &[u8], via: &str) -> Option<Vec<u8>> {
    let line_end = |from: usize| {
        let rest = request.get(from..)?;
        Some(from + rest.windows(2).position(|two| two == b"\r\n")? + 2)
    };
    let begin = line_end(0)?;
    let end = line_end(begin)?;
    let name = b"Via: ";
    request.get(begin..end)?.starts_with(name).then_some(())?;
    Some([request.get(..begin)?, name, via.as_bytes(), b"\r\n", request.get(end..)?].concat())
}
