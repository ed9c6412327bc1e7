//! Whose tone is whose. No two are within 30 Hz of each other, nor a multiple of another's.

use phone::Call;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A tone is heard if it has this share of full scale.
const HEARD: f64 = 0.05;
const LOOK_EVERY: Duration = Duration::from_millis(60);

/// The tone of the agent at this place of the team.
pub(super) fn of_agent(place: usize) -> u32 {
    410 + 37 * u32::try_from(place).unwrap_or(0)
}

/// The tone of the caller with this number.
pub(super) fn of_caller(number: u32) -> u32 {
    1010 + 41 * (number % 40)
}

/// Waits until one of these tones is heard, and says which.
pub(super) async fn hear_one_of(call: &Call, tones: &[u32], within: Duration) -> Option<usize> {
    let hertz: Vec<f64> = tones.iter().map(|tone| f64::from(*tone)).collect();
    let deadline = Instant::now() + within;
    let mut before = None;
    while Instant::now() < deadline && !call.state().is_over() {
        let levels = call.heard_levels(&hertz);
        let loudest = levels.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        let now = loudest.filter(|(_, level)| **level > HEARD).map(|(place, _)| place);
        if now.is_some() && now == before {
            return now;
        }
        before = now;
        sleep(LOOK_EVERY).await;
    }
    None
}
