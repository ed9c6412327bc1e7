//! Whether the exchange's word that a party is silent is true, and whether it says so where it must.

use base::Time;
use media_api::{Evidence, Stream};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// What the shard is told, and a tick or two.
const SILENT_AFTER: Duration = Duration::from_millis(2500);
const MARGIN: Duration = Duration::from_millis(20);
/// Who has been heard for so long is known to be where it is.
const STEADY: Duration = Duration::from_secs(2);

#[derive(Default)]
pub(crate) struct Watch {
    ports: BTreeMap<u32, Port>,
}

#[derive(Clone, Copy)]
struct Port {
    expected: SocketAddr,
    /// Since when the party should be heard without a break, if it should.
    since: Option<Time>,
    first: Option<Time>,
    last: Option<Time>,
    /// The last one, be it a repetition.
    touched: Option<Time>,
    packets: u64,
    is_silent: bool,
}

impl Watch {
    /// What was agreed anew.
    pub(crate) fn expects(&mut self, now: Time, number: u32, stream: &Stream) {
        let fresh = Port {
            expected: stream.remote,
            since: None,
            first: None,
            last: None,
            touched: None,
            packets: 0,
            is_silent: false,
        };
        let port = self.ports.entry(number).or_insert(fresh);
        if port.expected != stream.remote {
            (port.expected, port.first) = (stream.remote, None);
        }
        if !stream.may_receive() {
            (port.since, port.is_silent, port.first) = (None, false, None);
        } else if port.since.is_none() {
            port.since = Some(now);
        }
    }

    /// A packet came to this port, perhaps once more.
    pub(crate) fn heard(&mut self, now: Time, number: u32, again: bool) {
        if let Some(port) = self.ports.get_mut(&number) {
            (port.touched, port.packets) = (Some(now), port.packets + 1);
            if again {
                return;
            }
            if port.last.is_none_or(|last| now.since(last) > SILENT_AFTER / 2) {
                port.first = None;
            }
            port.first.get_or_insert(now);
            port.last = Some(now);
        }
    }

    /// Whether the party was heard there for long enough to be known by now.
    pub(crate) fn is_steady(&self, now: Time, number: u32) -> bool {
        let port = self.ports.get(&number);
        port.is_some_and(|port| port.first.is_some_and(|first| now.since(first) >= STEADY))
    }

    /// Whether it is known, and was heard so lately that nobody else can take its place.
    pub(crate) fn is_held(&self, now: Time, number: u32) -> bool {
        let last = self.ports.get(&number).and_then(|port| port.last);
        self.is_steady(now, number) && last.is_some_and(|last| now.since(last) < SILENT_AFTER / 2)
    }

    /// What is wrong with the word that a party is silent.
    pub(crate) fn silent(&mut self, now: Time, number: u32, evidence: &Evidence) -> Option<String> {
        let port = self.ports.get_mut(&number)?;
        port.is_silent = true;
        let told = |what: &str| Some(format!("port {number} is told to be silent ({what}): {evidence:?}"));
        match (port.since, port.last) {
            (None, _) => told("although it need not be heard"),
            _ if evidence.silent_for < SILENT_AFTER => told("too early"),
            _ if evidence.expected != port.expected => told("at another address"),
            _ if evidence.received > port.packets => told("after more packets than came"),
            (_, Some(last)) if is_known(port) && now.since(last) + MARGIN < evidence.silent_for => {
                told("although a packet came later")
            }
            _ => None,
        }
    }

    pub(crate) fn restored(&mut self, number: u32) {
        if let Some(port) = self.ports.get_mut(&number) {
            port.is_silent = false;
        }
    }

    /// Who is silent and was not said to be.
    pub(crate) fn check(&self, now: Time) -> Vec<String> {
        let late = self.ports.iter().filter(|(_, port)| {
            let since = port.since.map(|since| since.max(port.touched.unwrap_or(since)));
            !port.is_silent && since.is_some_and(|since| now.since(since) > SILENT_AFTER + MARGIN)
        });
        late.map(|(number, port)| {
            format!("port {number} is silent since {:?}, and nobody was told", port.last)
        })
        .collect()
    }

    pub(crate) fn forget(&mut self, number: u32) {
        self.ports.remove(&number);
    }
}

/// Whether what came to the port was the party's beyond doubt.
fn is_known(port: &Port) -> bool {
    port.first.zip(port.last).is_some_and(|(first, last)| last.since(first) >= STEADY)
}
