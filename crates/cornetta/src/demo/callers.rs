//! The stream of simulated callers: each listens, chooses a language and a topic with the keys, waits,
//! listens for the agent's tone and speaks their own.

use super::agents::TEAM;
use super::summary::Summary;
use super::tones;
use phone::{Call, Phone, PhoneConfig, PhoneError};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

const ARRIVE_EVERY: Duration = Duration::from_millis(900);
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);
const GREETED_WITHIN: Duration = Duration::from_secs(5);
/// Long enough for the caller to be seen to listen, short enough to interrupt: barge-in is on.
const BETWEEN_KEYS: Duration = Duration::from_millis(1500);
const AGENT_WITHIN: Duration = Duration::from_secs(90);
const TALK: Duration = Duration::from_secs(4);

/// What a caller dials and presses.
struct Plan {
    number: &'static str,
    language: &'static str,
    keys: &'static [&'static str],
}

const PLANS: [Plan; 16] = [
    Plan { number: "800100100", language: "it", keys: &["1", "1"] },
    Plan { number: "800100100", language: "en", keys: &["2", "2"] },
    Plan { number: "800100100", language: "fr", keys: &["3", "3"] },
    Plan { number: "800100100", language: "es", keys: &["4", "4"] },
    Plan { number: "800100100", language: "ro", keys: &["5", "1"] },
    Plan { number: "800100100", language: "ar", keys: &["6", "0"] },
    Plan { number: "800100100", language: "pa", keys: &["7", "1"] },
    Plan { number: "800100100", language: "bn", keys: &["8", "2"] },
    Plan { number: "800100100", language: "ur", keys: &["9", "1", "1"] },
    Plan { number: "800100100", language: "hi", keys: &["9", "2", "2"] },
    Plan { number: "800100100", language: "sq", keys: &["9", "3", "1"] },
    Plan { number: "800100100", language: "wo", keys: &["9", "4", "4"] },
    Plan { number: "800100100", language: "zh", keys: &["9", "5", "1"] },
    Plan { number: "800100100", language: "uk", keys: &["9", "6", "3"] },
    Plan { number: "1510", language: "it", keys: &["1", "1"] },
    Plan { number: "1510", language: "de", keys: &["2", "1"] },
];

/// The number that a caller shows; the agent finds the caller's tone by it.
fn shown(number: u32) -> String {
    format!("+3935100{number:05}")
}

/// The caller's number from what the agent's device shows.
pub(super) fn number_of(shown: &str) -> Option<u32> {
    shown.strip_prefix("+3935100")?.parse().ok()
}

/// Lets `calls` callers call, one after the other but not one at a time, and waits for the last.
pub(super) async fn run(server: SocketAddr, calls: u32, summary: &Arc<Summary>) {
    let mut callers = JoinSet::new();
    for (number, plan) in (0..calls).zip(PLANS.iter().cycle()) {
        let summary = summary.clone();
        callers.spawn(async move {
            let caller = shown(number);
            summary.with(&caller, |outcome| outcome.language = plan.language);
            if let Err(trouble) = call(server, plan, number, &summary).await {
                summary.with(&caller, |outcome| outcome.trouble = Some(trouble.to_string()));
            }
        });
        sleep(ARRIVE_EVERY).await;
    }
    while callers.join_next().await.is_some() {}
}

async fn call(server: SocketAddr, plan: &Plan, number: u32, summary: &Summary) -> Result<(), PhoneError> {
    let caller = shown(number);
    let config = PhoneConfig { server: Some(server), user: caller.clone(), ..PhoneConfig::default() };
    let phone = Phone::start(config)?;
    let call = phone.call(plan.number).await?;
    call.wait_answered(ANSWERED_WITHIN).await?;
    call.play_tone(tones::of_caller(number)).await?;
    call.expect_speech(GREETED_WITHIN).await?;
    summary.with(&caller, |outcome| outcome.greeted = true);
    for key in plan.keys {
        sleep(BETWEEN_KEYS).await;
        call.send_digits(key).await?;
    }
    let asked = Instant::now();
    wait_for_agent(&call, &caller, asked, summary).await;
    sleep(TALK).await;
    call.hang_up().await?;
    phone.close().await;
    Ok(())
}

async fn wait_for_agent(call: &Call, caller: &str, asked: Instant, summary: &Summary) {
    let agents: Vec<u32> = (0..TEAM).map(tones::of_agent).collect();
    let heard = tones::hear_one_of(call, &agents, AGENT_WITHIN).await;
    summary.with(caller, |outcome| {
        outcome.heard_agent = heard.is_some();
        outcome.waited = heard.map(|_| asked.elapsed());
        if heard.is_none() {
            outcome.trouble = Some("no agent was heard in time".to_owned());
        }
    });
}
