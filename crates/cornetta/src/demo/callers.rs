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
    dial: &'static str,
    language: &'static str,
    keys: &'static str,
}

/// The numbers under which the desks are open at any hour.
const HELP_DESK: &str = "demo";
const STATISTICS: &str = "demo_statistics";

const PLANS: [Plan; 17] = [
    Plan { dial: HELP_DESK, language: "it", keys: "11" },
    Plan { dial: HELP_DESK, language: "en", keys: "22" },
    Plan { dial: HELP_DESK, language: "fr", keys: "33" },
    Plan { dial: HELP_DESK, language: "es", keys: "44" },
    Plan { dial: HELP_DESK, language: "ro", keys: "51" },
    Plan { dial: HELP_DESK, language: "ar", keys: "60" },
    Plan { dial: HELP_DESK, language: "pa", keys: "71" },
    Plan { dial: HELP_DESK, language: "bn", keys: "912" },
    Plan { dial: HELP_DESK, language: "ur", keys: "921" },
    Plan { dial: HELP_DESK, language: "hi", keys: "932" },
    Plan { dial: HELP_DESK, language: "sq", keys: "941" },
    Plan { dial: HELP_DESK, language: "wo", keys: "954" },
    Plan { dial: HELP_DESK, language: "zh", keys: "961" },
    Plan { dial: HELP_DESK, language: "uk", keys: "973" },
    Plan { dial: STATISTICS, language: "it", keys: "11" },
    Plan { dial: STATISTICS, language: "de", keys: "22" },
    Plan { dial: STATISTICS, language: "sl", keys: "34" },
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
    let call = phone.call(plan.dial).await?;
    call.wait_answered(ANSWERED_WITHIN).await?;
    call.play_tone(tones::of_caller(number)).await?;
    call.expect_speech(GREETED_WITHIN).await?;
    summary.with(&caller, |outcome| outcome.greeted = true);
    for key in plan.keys.chars() {
        sleep(BETWEEN_KEYS).await;
        call.send_digits(key.encode_utf8(&mut [0; 4])).await?;
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
