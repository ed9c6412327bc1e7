//! `cornetta demo`: the help desk at work, with agents and callers over real SIP and RTP on loopback.
//! Everyone speaks a tone of their own, so that each ear can say whom it heard.

mod agents;
mod callers;
mod summary;
mod tones;
mod view;

use crate::cli::Demo;
use crate::commands::{FAILED, Signals, tell_faults, until_told_to_end};
use crate::config;
use crate::exchange::{Control, Exchange};
use anyhow::{Context as _, Result};
use sip::ua::Transport;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use summary::Summary;

pub(crate) fn run(demo: &Demo) -> Result<ExitCode> {
    let path = demo.home.join("examples/demo/cornetta.toml");
    let installation = match config::load(&path) {
        Ok(installation) => installation,
        Err(faults) => return Ok(tell_faults(&faults)),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let accounts = installation.engine.sip.accounts.clone();
        let mut exchange = Exchange::start(installation)
            .await
            .with_context(|| format!("the demo help desk of {} cannot start", path.display()))?;
        let server = udp_address(&exchange).context("the demo listens on no UDP address")?;
        view::tell_where(&exchange, server, &path);
        let facts = view::follow(&exchange.journal);
        let summary = Arc::new(Summary::default());
        let team = agents::start(server, &accounts, &summary).await?;
        callers::run(server, demo.calls, &summary).await;
        team.finish().await;
        facts.abort();
        summary.print();
        if demo.once {
            exchange.tell(Control::Drain).await;
            exchange.ended().await?;
            return Ok(if summary.all_heard() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) });
        }
        let team = agents::start(server, &accounts, &summary).await?;
        let facts = view::follow(&exchange.journal);
        view::tell_serving(&exchange, server);
        let code = until_told_to_end(exchange, Some(path), Signals::listen()?).await;
        facts.abort();
        drop(team);
        code
    })
}

fn udp_address(exchange: &Exchange) -> Option<SocketAddr> {
    exchange.listen.iter().find(|(transport, _)| *transport == Transport::Udp).map(|(_, address)| *address)
}
