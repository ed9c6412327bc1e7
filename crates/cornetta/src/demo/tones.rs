//! Whose tone is whose. No two are within 30 Hz of each other, nor a multiple of another's.

use phone::{Call, Phase};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A tone is heard if it has this share of full scale ...
const HEARD: f64 = 0.05;
/// ... and this share of all that is heard: a voice or music has one tone at this share for a moment only ...
const PURE: f64 = 0.85;
/// ... for this many looks on end.
const LOOKS: u32 = 8;
const LOOK_EVERY: Duration = Duration::from_millis(50);

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
    let (mut before, mut looks) = (None, 0);
    while Instant::now() < deadline && !matches!(call.state().phase, Phase::Ended(_)) {
        let levels = call.heard_levels(&hertz);
        let loudest = levels.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        // A sine's root mean square is its amplitude by the root of two.
        let all = call.speech_level() * std::f64::consts::SQRT_2;
        let pure = |level: f64| level > HEARD && level > PURE * all;
        let now = loudest.filter(|(_, level)| pure(**level)).map(|(place, _)| place);
        looks = if now == before { looks + 1 } else { 0 };
        if now.is_some() && looks >= LOOKS {
            return now;
        }
        before = now;
        sleep(LOOK_EVERY).await;
    }
    None
}
