use crate::line::Frame;
use audio::tone;
use base::Time;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// What is kept for analysis: the last second.
const RECENT: usize = 8000;
/// The stretch that is judged: 100 ms tell tones 10 Hz apart.
const WINDOW: usize = 800;
/// A recording ends after ten minutes.
const RECORDING: usize = 10 * 60 * 8000;
/// A pause in what comes that is longer than this is silence in the recording; a shorter one is jitter.
const PAUSE: usize = 60 * 8;

/// What one party hears: analysed as it comes, recorded if wanted.
#[derive(Debug)]
pub(crate) struct Ear {
    state: Mutex<State>,
    /// The samples heard so far.
    heard: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    recent: VecDeque<i16>,
    recording: Option<Recording>,
}

#[derive(Debug)]
struct Recording {
    began: Time,
    samples: Vec<i16>,
}

impl Ear {
    pub(crate) fn new() -> Ear {
        Ear { state: Mutex::default(), heard: watch::Sender::new(0) }
    }

    pub(crate) fn hear(&self, now: Time, frame: &Frame) {
        let mut state = self.lock();
        let too_many = (state.recent.len() + frame.len()).saturating_sub(RECENT);
        state.recent.drain(..too_many);
        state.recent.extend(frame);
        if let Some(recording) = &mut state.recording {
            recording.add(now, frame);
        }
        drop(state);
        self.heard.send_modify(|heard| *heard += frame.len() as u64);
    }

    /// Samples heard since the call began.
    pub(crate) fn total(&self) -> u64 {
        *self.heard.borrow()
    }

    /// The levels of these frequencies in the last 100 ms, full scale being 1.
    pub(crate) fn levels(&self, hertz: &[f64]) -> Vec<f64> {
        let window = self.window();
        hertz.iter().map(|hertz| tone::level(&window, *hertz)).collect()
    }

    /// The loudness of the last 100 ms, full scale being 1.
    pub(crate) fn loudness(&self) -> f64 {
        tone::loudness(&self.window())
    }

    /// Waits until 100 ms that came after the call of this satisfy `is_so`.
    pub(crate) async fn wait(&self, within: Duration, is_so: impl Fn(&[i16]) -> bool) -> bool {
        let mut heard = self.heard.subscribe();
        let from = *heard.borrow_and_update() + WINDOW as u64;
        let waiting = async {
            loop {
                if heard.changed().await.is_err() {
                    return std::future::pending().await;
                }
                if *heard.borrow_and_update() >= from && is_so(&self.window()) {
                    return;
                }
            }
        };
        tokio::time::timeout(within, waiting).await.is_ok()
    }

    pub(crate) fn start_recording(&self, now: Time) {
        self.lock().recording = Some(Recording { began: now, samples: Vec::new() });
    }

    /// What was recorded; recording ends.
    pub(crate) fn take_recording(&self) -> Vec<i16> {
        self.lock().recording.take().map(|recording| recording.samples).unwrap_or_default()
    }

    fn window(&self) -> Vec<i16> {
        let state = self.lock();
        let first = state.recent.len().saturating_sub(WINDOW);
        state.recent.range(first..).copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recording {
    fn add(&mut self, now: Time, frame: &Frame) {
        let elapsed = usize::try_from((now - self.began).as_micros() / 125).unwrap_or(usize::MAX);
        let silent = elapsed.saturating_sub(self.samples.len() + frame.len());
        if silent > PAUSE {
            self.samples.resize((self.samples.len() + silent).min(RECORDING), 0);
        }
        let room = RECORDING.saturating_sub(self.samples.len());
        self.samples.extend(frame.iter().take(room));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use audio::tone::Tone;

    fn frame(tone: &mut Tone) -> Frame {
        let mut frame = [0; crate::FRAME];
        tone.fill(&mut frame);
        frame
    }

    #[test]
    fn a_pause_in_what_comes_is_silence_in_the_recording_and_jitter_is_not() {
        let ear = Ear::new();
        ear.start_recording(Time::ZERO);
        let mut tone = Tone::new(440.0, 8000);
        for at in [20, 55, 60, 1060] {
            ear.hear(Time::from_millis(at), &frame(&mut tone));
        }
        let recording = ear.take_recording();
        assert_eq!(recording.len(), 1060 * 8);
        assert!(recording[3 * 160..1040 * 8].iter().all(|sample| *sample == 0));
        assert!(ear.take_recording().is_empty());
    }

    #[test]
    fn the_last_stretch_is_what_is_judged() {
        let ear = Ear::new();
        let (mut low, mut high) = (Tone::new(440.0, 8000), Tone::new(880.0, 8000));
        (0..50).for_each(|_| ear.hear(Time::ZERO, &frame(&mut low)));
        (0..5).for_each(|_| ear.hear(Time::ZERO, &frame(&mut high)));
        let levels = ear.levels(&[440.0, 880.0]);
        assert!(levels[0] < 0.01 && levels[1] > 0.2, "{levels:?}");
        assert!((ear.loudness() - 8000.0 / 32768.0 / 2f64.sqrt()).abs() < 0.01);
        assert_eq!(ear.total(), 55 * 160);
    }
}
