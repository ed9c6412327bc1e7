//! Ten agents: each registers a softphone, takes calls, listens for the caller's tone and answers with
//! their own.

use super::summary::Summary;
use super::tones;
use anyhow::{Context as _, Result};
use phone::{IncomingCall, Phone, PhoneConfig};
use sip::ua::Account;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub(super) const TEAM: usize = 10;
const HOUR: Duration = Duration::from_secs(3600);
const HEAR_WITHIN: Duration = Duration::from_secs(6);

/// Agents at work. Dropping it sends them home.
pub(super) struct Team {
    at_work: JoinSet<()>,
    go_home: watch::Sender<bool>,
}

impl Team {
    /// Lets the agents finish, unregister and go.
    pub(super) async fn finish(mut self) {
        let _ = self.go_home.send(true);
        while self.at_work.join_next().await.is_some() {}
    }
}

/// Registers the first ten accounts and lets them take calls.
pub(super) async fn start(server: SocketAddr, accounts: &[Account], summary: &Arc<Summary>) -> Result<Team> {
    let (go_home, home) = watch::channel(false);
    let mut at_work = JoinSet::new();
    for (place, account) in accounts.iter().take(TEAM).enumerate() {
        let phone = Phone::start(PhoneConfig {
            server: Some(server),
            user: account.user.clone(),
            password: Some(account.password.clone()),
            ..PhoneConfig::default()
        })?;
        phone.register().await.with_context(|| format!("the agent {} cannot register", account.user))?;
        at_work.spawn(work(phone, place, summary.clone(), home.clone()));
    }
    Ok(Team { at_work, go_home })
}

async fn work(phone: Phone, place: usize, summary: Arc<Summary>, mut home: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = home.changed() => break,
            call = phone.incoming(HOUR) => match call {
                Ok(call) => take(call, place, &summary).await,
                Err(_) => continue,
            },
        }
    }
    phone.close().await;
}

/// Answers after a moment, as people do; says the own tone and listens for the caller's.
async fn take(incoming: IncomingCall, place: usize, summary: &Summary) {
    tokio::time::sleep(Duration::from_millis(400 + 90 * place as u64)).await;
    let caller = incoming.from.clone();
    let Ok(call) = incoming.answer().await else { return };
    let expected = super::callers::number_of(&caller).map(tones::of_caller);
    if call.play_tone(tones::of_agent(place)).await.is_err() {
        return;
    }
    if let Some(tone) = expected {
        let heard = call.expect_tone(f64::from(tone), HEAR_WITHIN).await.is_ok();
        summary.agent_heard(&caller, heard);
    }
    // A caller who stays is a person with a softphone of their own; they hang up when they like.
    let _ = call.wait_ended(HOUR).await;
}
