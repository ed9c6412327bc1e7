//! What the demo shows: where to call, and the facts as they reach the disk.

use crate::commands::{short, time_of_day};
use crate::exchange::Exchange;
use crate::say::say;
use facts::{Fact, FactKind};
use journal::Journal;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinHandle;

const READ_AT_ONCE: usize = 200;

pub(super) fn tell_where(exchange: &Exchange, server: SocketAddr, config: &Path) {
    say!("Cornetta {}: the demo help desk, from {}", env!("CARGO_PKG_VERSION"), config.display());
    say!(
        "  SIP   {server} (UDP and TCP): dial demo (open at any hour), 800100100 or 1510, without a password"
    );
    say!("  Agent user guest, password demo-guest, domain {}", server.ip());
    say!("  Web   http://{}/v1/events and /v1/snapshot\n", exchange.http);
}

pub(super) fn tell_serving(exchange: &Exchange, server: SocketAddr) {
    say!("\nServing on. Dial demo at {server} with a softphone of your own, or:");
    say!("  target/release/cornetta phone call demo --server {server} --digits 3s,1,3s,1 --record heard.wav");
    say!("  curl -N http://{}/v1/events?from=1", exchange.http);
    say!("Ctrl-C ends it when the last call has ended.\n");
}

/// Prints each fact as it reaches the disk.
pub(super) fn follow(journal: &Arc<Journal>) -> JoinHandle<()> {
    let (committed, mut head) = watch::channel(journal.durable_head());
    let mut next = journal.durable_head() + 1;
    journal.on_commit(Box::new(move |number| {
        let _ = committed.send(number);
    }));
    let journal = journal.clone();
    let colour = std::io::stdout().is_terminal();
    tokio::spawn(async move {
        while head.changed().await.is_ok() {
            while let Ok(facts) = journal.read(next, READ_AT_ONCE) {
                let Some(last) = facts.last() else { break };
                next = last.number + 1;
                facts.iter().filter_map(told).for_each(|told| print(&told, colour));
            }
        }
    })
}

/// A line of the view.
struct Told {
    at: String,
    call: String,
    mark: &'static str,
    text: String,
}

fn print(told: &Told, colour: bool) {
    let Told { at, call, mark, text } = told;
    let shade = match *mark {
        "+" => "32",
        "=" => "36",
        "-" => "90",
        "!" => "31",
        _ => "0",
    };
    if colour {
        say!("\x1b[90m{at}\x1b[0m {call:<8} \x1b[{shade}m{mark} {text}\x1b[0m");
    } else {
        say!("{at} {call:<8} {mark} {text}");
    }
}

/// What a person wants to see of a fact; nothing of the many small ones.
fn told(fact: &Fact) -> Option<Told> {
    let (mark, text) = match &fact.kind {
        FactKind::EndpointRegistered { agent, .. } => ("·", format!("{agent} is there")),
        FactKind::CallArrived { from, to, .. } => ("+", format!("{from} calls {to}")),
        FactKind::CallClassified { key, value, .. } => ("·", format!("{key} is {value}")),
        FactKind::IvrInput { node, key, choice } => ("·", format!("pressed {key} at {node}: {choice}")),
        FactKind::QueueEntered { queue, position, language, topic, .. } => {
            ("·", format!("waits in {queue}, place {position}, for {language} {topic}"))
        }
        FactKind::OfferMade { agent, .. } => ("·", format!("{agent} is rung")),
        FactKind::OfferEnded { agent, reason, .. } => ("!", format!("{agent} did not take it: {reason:?}")),
        FactKind::OfferAccepted { agent, .. } => ("=", format!("{agent} takes it")),
        FactKind::QueueLeft { reason, waited_ms, .. } => {
            ("·", format!("left the queue after {:.1} s: {reason:?}", *waited_ms as f64 / 1000.0))
        }
        FactKind::MediaSilent { leg, evidence } => {
            ("!", format!("leg {leg} is silent since {} ms", evidence.silent_ms))
        }
        FactKind::IvrPromptMissing { prompt } => ("!", format!("no sound {prompt}")),
        FactKind::CallEnded { end, data } => {
            let total = data.total_ms as f64 / 1000.0;
            ("-", format!("ended after {total:.1} s: {:?} {}", end.by, end.cause.sentence_en()))
        }
        _ => return None,
    };
    let call = fact.call.as_deref().map_or("", short).to_owned();
    Some(Told { at: time_of_day(fact.at), call, mark, text })
}
