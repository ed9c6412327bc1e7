use crate::ear::Ear;
use crate::worker::{Act, Order};
use crate::{Line, PhoneError};
use audio::tone;
use net::Clock;
use sip::ua::{Ending, SessionId};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// How long the phone's own worker, and a peer that is asked to hold, may take.
const REPLY_MAX: Duration = Duration::from_secs(32);
/// The shortest tone that a loop plays without a click: one second holds whole waves of every whole frequency.
const TONE_SAMPLES: usize = 8000;
/// A quarter of full scale, as loud as speech.
const TONE_LEVEL: i16 = 8000;
/// What is taken for speech rather than for line noise.
const SPEECH_LEVEL_MIN: f64 = 0.01;

/// Where a call stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// The call was placed; nobody rings yet.
    Dialling,
    /// The callee is alerted; we are, if the call came in.
    Ringing,
    /// Answered.
    Up,
    /// Over.
    Ended(Ending),
}

/// What is known of a call; watched by everybody who waits for something.
#[derive(Clone, Debug, PartialEq)]
pub struct CallState {
    /// Where it stands.
    pub phase: Phase,
    /// The last keys that the peer pressed, 64 at most.
    pub digits: String,
    /// How many clips were played to their end or replaced.
    pub plays_ended: u64,
    /// The peer has put us on hold.
    pub held_by_peer: bool,
}

/// One call of a phone. Clones are the same call. Dropping it does not hang up.
#[derive(Clone, Debug)]
pub struct Call {
    pub(crate) session: SessionId,
    pub(crate) orders: mpsc::Sender<Order>,
    pub(crate) state: watch::Receiver<CallState>,
    pub(crate) ear: Arc<Ear>,
    pub(crate) clock: Clock,
}

impl Call {
    /// What is known now.
    pub fn state(&self) -> CallState {
        self.state.borrow().clone()
    }

    /// Waits until the call is answered.
    ///
    /// # Errors
    /// It ended instead (a refusal tells its status), or the time is over; then it still rings.
    pub async fn wait_answered(&self, within: Duration) -> Result<(), PhoneError> {
        self.wait("answer", within, |state| state.phase == Phase::Up).await
    }

    /// Waits until the call is over and says how it ended.
    ///
    /// # Errors
    /// The time is over.
    pub async fn wait_ended(&self, within: Duration) -> Result<Ending, PhoneError> {
        match self.wait("end of the call", within, |_| false).await {
            Err(PhoneError::Ended(ending)) => Ok(ending),
            Err(error) => Err(error),
            Ok(()) => Err(PhoneError::Closed),
        }
    }

    /// Waits until the peer has pressed these keys one after the other, and says all that it pressed.
    ///
    /// # Errors
    /// The call ended, or the time is over.
    pub async fn expect_digits(&self, digits: &str, within: Duration) -> Result<String, PhoneError> {
        let what = format!("keys {digits} (heard {:?})", self.state.borrow().digits);
        self.wait(&what, within, |state| state.digits.contains(digits)).await?;
        Ok(self.state.borrow().digits.clone())
    }

    /// Sends these keys (RFC 4733), 100 ms each. 0-9, *, #, A-D; others are passed over.
    ///
    /// # Errors
    /// The phone is closed.
    pub async fn send_digits(&self, digits: &str) -> Result<(), PhoneError> {
        self.act(Act::Digits(digits.to_owned())).await
    }

    /// Plays a tone of this frequency until something else is played.
    ///
    /// # Errors
    /// The phone is closed.
    pub async fn play_tone(&self, hertz: u32) -> Result<(), PhoneError> {
        let samples = tone::Tone::new(f64::from(hertz), TONE_LEVEL).take(TONE_SAMPLES);
        self.act(Act::Play { clip: Arc::from(samples), repeat: true }).await
    }

    /// Plays a clip once, samples at 8 kHz, instead of what was playing.
    ///
    /// # Errors
    /// The phone is closed.
    pub async fn play_clip(&self, clip: Arc<[i16]>) -> Result<(), PhoneError> {
        self.act(Act::Play { clip, repeat: false }).await
    }

    /// Waits until a clip that was played has come to its end; `before` is what
    /// [`CallState::plays_ended`] was when it was begun.
    ///
    /// # Errors
    /// The call ended, or the time is over.
    pub async fn wait_played(&self, before: u64, within: Duration) -> Result<(), PhoneError> {
        self.wait("end of the clip", within, |state| state.plays_ended > before).await
    }

    /// Falls silent.
    ///
    /// # Errors
    /// The phone is closed.
    pub async fn stop_playing(&self) -> Result<(), PhoneError> {
        self.act(Act::Stop).await
    }

    /// Waits until 100 ms of the tone were heard from now on.
    ///
    /// # Errors
    /// The call ended, or the time is over; it tells what was heard instead.
    pub async fn expect_tone(&self, hertz: f64, within: Duration) -> Result<(), PhoneError> {
        let heard = |window: &[i16]| !tone::heard(window, &[hertz]).is_empty();
        self.expect_sound(format!("tone of {hertz} Hz"), within, heard).await
    }

    /// Waits until 100 ms louder than line noise were heard from now on.
    ///
    /// # Errors
    /// The call ended, or the time is over.
    pub async fn expect_speech(&self, within: Duration) -> Result<(), PhoneError> {
        let heard = |window: &[i16]| tone::loudness(window) > SPEECH_LEVEL_MIN;
        self.expect_sound("speech".to_owned(), within, heard).await
    }

    /// The levels of these frequencies in the last 100 ms that came, full scale being 1.
    pub fn heard_levels(&self, hertz: &[f64]) -> Vec<f64> {
        self.ear.levels(hertz)
    }

    /// The loudness (root mean square) of the last 100 ms that came, full scale being 1.
    pub fn speech_level(&self) -> f64 {
        self.ear.loudness()
    }

    /// How much was heard since the call began.
    pub fn heard(&self) -> Duration {
        Duration::from_micros(self.ear.total() * 125)
    }

    /// Records what is heard from now on, ten minutes at most.
    pub fn record(&self) {
        self.ear.start_recording(self.clock.now());
    }

    /// Ends the recording: samples at 8 kHz, pauses as silence.
    pub fn take_recording(&self) -> Vec<i16> {
        self.ear.take_recording()
    }

    /// Puts the peer on hold.
    ///
    /// # Errors
    /// The peer refused, or the call ended.
    pub async fn hold(&self) -> Result<(), PhoneError> {
        self.asked(|reply| Act::Hold { hold: true, reply }).await
    }

    /// Takes the peer back from hold.
    ///
    /// # Errors
    /// The peer refused, or the call ended.
    pub async fn resume(&self) -> Result<(), PhoneError> {
        self.asked(|reply| Act::Hold { hold: false, reply }).await
    }

    /// Live speech both ways instead of clips, for a sound card.
    ///
    /// # Errors
    /// The call ended.
    pub async fn line(&self) -> Result<Line, PhoneError> {
        self.asked(|reply| Act::Join { reply }).await
    }

    /// Ends the call, whatever its state.
    ///
    /// # Errors
    /// The phone is closed.
    pub async fn hang_up(&self) -> Result<(), PhoneError> {
        self.act(Act::HangUp).await
    }

    pub(crate) async fn act(&self, act: Act) -> Result<(), PhoneError> {
        let order = Order::Act { session: self.session, act };
        self.orders.send(order).await.map_err(|_| PhoneError::Closed)
    }

    pub(crate) async fn asked<T>(
        &self,
        act: impl FnOnce(oneshot::Sender<Result<T, PhoneError>>) -> Act,
    ) -> Result<T, PhoneError> {
        let (reply, answer) = oneshot::channel();
        self.act(act(reply)).await?;
        match tokio::time::timeout(REPLY_MAX, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(self.ended().unwrap_or(PhoneError::Closed)),
            Err(_) => Err(PhoneError::TimedOut { what: "answer of the peer".to_owned(), within: REPLY_MAX }),
        }
    }

    async fn expect_sound(
        &self,
        what: String,
        within: Duration,
        heard: impl Fn(&[i16]) -> bool,
    ) -> Result<(), PhoneError> {
        tokio::select! {
            is_heard = self.ear.wait(within, heard) => match is_heard {
                true => Ok(()),
                false => Err(PhoneError::TimedOut { what, within }),
            },
            ended = self.wait_ended(within + Duration::from_secs(1)) => match ended {
                Ok(ending) => Err(PhoneError::Ended(ending)),
                Err(error) => Err(error),
            },
        }
    }

    async fn wait(
        &self,
        what: &str,
        within: Duration,
        is_so: impl Fn(&CallState) -> bool,
    ) -> Result<(), PhoneError> {
        let mut state = self.state.clone();
        let over = |state: &CallState| is_so(state) || matches!(state.phase, Phase::Ended(_));
        match tokio::time::timeout(within, state.wait_for(over)).await {
            Ok(Ok(state)) if is_so(&state) => Ok(()),
            Ok(Ok(_) | Err(_)) => Err(self.ended().unwrap_or(PhoneError::Closed)),
            Err(_) => Err(PhoneError::TimedOut { what: what.to_owned(), within }),
        }
    }

    fn ended(&self) -> Option<PhoneError> {
        match &self.state.borrow().phase {
            Phase::Ended(ending) => Some(PhoneError::Ended(ending.clone())),
            _ => None,
        }
    }
}
