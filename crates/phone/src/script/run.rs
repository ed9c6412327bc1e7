use super::plan::{Deed, Expectation, Key, Plan, Speech};
use crate::{Call, Phone, PhoneError};
use audio::{prompt, wav};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

#[cfg(feature = "soundcard")]
type Speaking = Option<crate::soundcard::SoundCard>;
#[cfg(not(feature = "soundcard"))]
type Speaking = Option<std::convert::Infallible>;

/// How long a call may last for which nothing else is said.
const STAY_MAX: Duration = Duration::from_secs(3600);

/// Runs the plan in a tokio runtime and tells each step to `say`. The last line begins with `passed` or
/// `failed`.
///
/// # Errors
/// A step failed; it has been told.
pub async fn run(plan: Plan, say: &(dyn Fn(&str) + Sync)) -> Result<(), ()> {
    let done = steps(&plan, say).await;
    match &done {
        Ok(()) => say("passed"),
        Err(why) => say(&format!("failed: {why}")),
    }
    done.map_err(|_| ())
}

async fn steps(plan: &Plan, say: &(dyn Fn(&str) + Sync)) -> Result<(), String> {
    let phone = Phone::start(plan.phone.clone()).map_err(text)?;
    say(&format!("the phone of {} is at {}", plan.phone.user, phone.address()));
    let done = deed(plan, &phone, say).await;
    phone.close().await;
    done
}

async fn deed(plan: &Plan, phone: &Phone, say: &(dyn Fn(&str) + Sync)) -> Result<(), String> {
    match &plan.deed {
        Deed::Register => {
            register(phone, say).await?;
            tokio::time::sleep(plan.hang_up_after.unwrap_or_default()).await;
            Ok(())
        }
        Deed::Call(dial) => {
            let call = phone.call(dial).await.map_err(text)?;
            say(&format!("calling {dial}"));
            call.wait_answered(plan.within).await.map_err(text)?;
            say("answered");
            talk(plan, &call, say).await
        }
        Deed::Answer(after) => {
            if plan.phone.password.is_some() {
                register(phone, say).await?;
            }
            let incoming = phone.incoming(plan.within).await.map_err(text)?;
            say(&format!("{} calls {}", incoming.from, incoming.dialled));
            tokio::time::sleep(*after).await;
            let call = incoming.answer().await.map_err(text)?;
            say("answered");
            talk(plan, &call, say).await
        }
    }
}

async fn register(phone: &Phone, say: &(dyn Fn(&str) + Sync)) -> Result<(), String> {
    phone.register().await.map_err(text)?;
    say("registered");
    Ok(())
}

async fn talk(plan: &Plan, call: &Call, say: &(dyn Fn(&str) + Sync)) -> Result<(), String> {
    let answered = Instant::now();
    if plan.record.is_some() {
        call.record();
    }
    let plays_before = call.state().plays_ended;
    let _speaking = speak(plan, call).await?;
    let (pressed, heard) = tokio::join!(press(plan, call, say), listen(plan, call, say));
    let done = match pressed.and(heard) {
        Ok(()) => stay(plan, call, answered, plays_before).await,
        failed => failed,
    };
    say(&format!("heard {:.1} s in all", call.heard().as_secs_f64()));
    if let Some(path) = &plan.record {
        keep(path, &call.take_recording()).await?;
        say(&format!("what was heard is in {}", path.display()));
    }
    // The peer may have hung up in the meantime, and the phone's end would do it too.
    let _ = call.hang_up().await;
    let ending = call.wait_ended(plan.within).await.map_err(text)?;
    say(&format!("the call ended: {:?}", ending.how));
    done
}

/// Begins to speak. What is returned is to be held as long as the sound card shall speak.
async fn speak(plan: &Plan, call: &Call) -> Result<Speaking, String> {
    match &plan.speech {
        None => Ok(None),
        Some(Speech::Tone(hertz)) => call.play_tone(*hertz).await.map(|()| None).map_err(text),
        Some(Speech::File(path)) => {
            let failed =
                |error: &dyn std::fmt::Display| format!("{} cannot be played: {error}", path.display());
            let bytes = tokio::fs::read(path).await.map_err(|error| failed(&error))?;
            let clip = prompt::read_samples(&bytes, 8000).map_err(|error| failed(&error))?;
            call.play_clip(Arc::from(clip)).await.map(|()| None).map_err(text)
        }
        #[cfg(feature = "soundcard")]
        Some(Speech::SoundCard) => {
            let line = call.line().await.map_err(text)?;
            crate::soundcard::join(line).map(Some)
        }
        #[cfg(not(feature = "soundcard"))]
        Some(Speech::SoundCard) => {
            Err("this program was built without sound card; build it with --features soundcard".to_owned())
        }
    }
}

async fn press(plan: &Plan, call: &Call, say: &(dyn Fn(&str) + Sync)) -> Result<(), String> {
    for step in &plan.keys.0 {
        match step {
            Key::Pause(span) => tokio::time::sleep(*span).await,
            Key::Press(keys) => {
                call.send_digits(keys).await.map_err(text)?;
                say(&format!("pressed {keys}"));
            }
        }
    }
    Ok(())
}

async fn listen(plan: &Plan, call: &Call, say: &(dyn Fn(&str) + Sync)) -> Result<(), String> {
    for expected in &plan.expect {
        match expected {
            Expectation::Tone(hertz) => call.expect_tone(*hertz, plan.within).await,
            Expectation::Speech => call.expect_speech(plan.within).await,
            Expectation::Digits(digits) => call.expect_digits(digits, plan.within).await.map(drop),
            Expectation::End => call.wait_ended(plan.within).await.map(drop),
        }
        .map_err(text)?;
        say(&format!("heard {expected}"));
    }
    Ok(())
}

/// Stays in the call as long as the plan wants. A peer that hangs up first is no failure.
async fn stay(plan: &Plan, call: &Call, answered: Instant, plays_before: u64) -> Result<(), String> {
    let more = match plan.hang_up_after {
        Some(after) => after.saturating_sub(answered.elapsed()),
        None if matches!(plan.speech, Some(Speech::File(_))) => {
            return over(call.wait_played(plays_before, STAY_MAX).await);
        }
        None if plan.expect.is_empty() => STAY_MAX,
        None => return Ok(()),
    };
    match call.wait_ended(more).await {
        Ok(_) | Err(PhoneError::TimedOut { .. }) => Ok(()),
        Err(error) => Err(text(error)),
    }
}

fn over(played: Result<(), PhoneError>) -> Result<(), String> {
    match played {
        Ok(()) | Err(PhoneError::Ended(_)) => Ok(()),
        Err(error) => Err(text(error)),
    }
}

async fn keep(path: &Path, samples: &[i16]) -> Result<(), String> {
    let failed = |error| format!("{} cannot be written: {error}", path.display());
    tokio::fs::write(path, wav::write(samples)).await.map_err(failed)
}

fn text(error: PhoneError) -> String {
    error.to_string()
}
