//! `cornetta serve`, and the signals that a server understands.

use super::{FAILED, now, tell_faults, tell_warnings};
use crate::config::{self, Fixed, Installation};
use crate::exchange::{Control, Exchange};
use crate::say::{complain, say};
use anyhow::{Context as _, Result};
use cti::{ReloadRequest, Reloaded};
use document::Fault;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio::signal::unix::{Signal, SignalKind, signal};

pub(super) fn run(path: &Path) -> Result<ExitCode> {
    let installation = match config::load(path) {
        Ok(installation) => installation,
        Err(faults) => return Ok(tell_faults(&faults)),
    };
    tell_warnings(&installation.warnings);
    let proof = config::prove(&installation, now());
    // A restart in the night must not fail because a year has gone by.
    tell_warnings(&proof.faults);
    tell_warnings(&proof.warnings);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let signals = Signals::listen()?;
        let exchange = Exchange::start(installation).await?;
        tell_addresses(&exchange);
        until_told_to_end(exchange, Some(path.to_owned()), signals).await
    })
}

fn tell_addresses(exchange: &Exchange) {
    for (transport, address) in &exchange.listen {
        say!("sip {}:{address}", transport.name());
    }
    say!("http http://{}", exchange.http);
    say!("ready");
}

/// The signals that are understood. Listened to before the exchange is ready: until then one of them ends the
/// program at once.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    pub(crate) fn listen() -> Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }
}

/// Serves until SIGTERM or SIGINT has drained the calls, or a second one has ended them. SIGHUP re-reads
/// the configuration, if there is a file of it.
pub(crate) async fn until_told_to_end(
    mut exchange: Exchange,
    path: Option<PathBuf>,
    mut signals: Signals,
) -> Result<ExitCode> {
    let mut reloads = exchange.reloads.take().context("the exchange is served already")?;
    let mut asked = false;
    loop {
        tokio::select! {
            _ = signals.terminate.recv() => {}
            _ = signals.interrupt.recv() => {}
            _ = signals.hang_up.recv() => {
                // What is wrong has been told.
                let _ = reload(&exchange, path.as_deref()).await;
                continue;
            }
            Some(ReloadRequest { reply }) = reloads.recv() => {
                let done = reload(&exchange, path.as_deref()).await;
                let _ = reply.send(done);
                continue;
            }
            ended = exchange.ended() => {
                return Ok(if ended.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) });
            }
        }
        exchange.tell(if asked { Control::Stop } else { Control::Drain }).await;
        if !asked {
            complain!("ending when the last call has; once more to end now");
        }
        asked = true;
    }
}

/// Reads the configuration again. What is in force then; or every fault, which is told to the log and to people too.
async fn reload(exchange: &Exchange, path: Option<&Path>) -> Result<Reloaded, Vec<String>> {
    let Some(path) = path else { return Err(vec!["there is no file of the configuration".to_owned()]) };
    let loaded = config::load(path).and_then(|installation| {
        let faults = refusals(exchange, &installation, path);
        if faults.is_empty() { Ok(installation) } else { Err(faults) }
    });
    match loaded {
        Ok(installation) => {
            tell_warnings(&installation.warnings);
            let version = installation.engine.version.clone();
            let fact = exchange.reload(installation).await;
            fact.map(|fact| Reloaded { version, fact })
                .ok_or_else(|| vec!["the exchange has ended".to_owned()])
        }
        Err(faults) => {
            tell_faults(&faults);
            let findings: Vec<String> = faults.iter().map(ToString::to_string).collect();
            exchange.tell(Control::ReloadRefused(findings.clone())).await;
            Err(findings)
        }
    }
}

/// Why a configuration that is sound by itself is not swapped in.
fn refusals(exchange: &Exchange, installation: &Installation, path: &Path) -> Vec<Fault> {
    let mut faults = needs_restart(exchange, installation, path);
    let proof = config::prove(installation, now());
    tell_warnings(&proof.warnings);
    faults.extend(proof.faults);
    faults
}

/// A configuration is swapped whole or not at all: what cannot be swapped is a fault.
fn needs_restart(exchange: &Exchange, installation: &Installation, path: &Path) -> Vec<Fault> {
    let fault = |part| Fault {
        file: path.display().to_string(),
        line: 1,
        column: 1,
        what: format!("{part} cannot change while the exchange runs"),
        what_to_do: "write it as it was, or restart".to_owned(),
    };
    exchange.fixed.differences(&Fixed::of(installation)).into_iter().map(fault).collect()
}
