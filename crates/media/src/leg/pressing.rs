//! Keys that are pressed for the party: as telephone-events where they are agreed, otherwise as two tones in what it hears.

use audio::dtmf::Press;
use base::Time;

use super::Leg;
use crate::cadence::FRAME_MILLIS;
use crate::keys::{PRESS_MILLIS, Step};
use crate::line::{Entry, Talker};
use crate::outbox::Outbox;
use crate::rtp::TickRate;
use crate::voice::{Format, Voice};

/// All that tones need.
const SAMPLE_RATE: u32 = 8000;

/// Keys as tones, from the first until none waits any more.
#[derive(Debug)]
pub(super) struct Tones {
    voice: Voice,
    press: Option<Press>,
    frame: Vec<i16>,
}

impl Tones {
    fn new(format: Format) -> Tones {
        Tones { voice: Voice::new(format, SAMPLE_RATE), press: None, frame: Vec::new() }
    }

    /// The packet of this step. The press is one step late: what begins with silence does not click, whatever was heard
    /// before it.
    fn write(&mut self, step: Step) -> &[u8] {
        let length = (SAMPLE_RATE / 1000 * FRAME_MILLIS) as usize;
        self.frame.clear();
        if let Some(press) = self.press.as_mut().filter(|_| !step.is_first()) {
            press.fill(length, &mut self.frame);
        } else {
            self.press = Press::new(step.key, PRESS_MILLIS as usize, SAMPLE_RATE);
            self.frame.resize(length, 0);
        }
        self.voice.write(&self.frame)
    }
}

impl Leg {
    /// The clock of the keys that the party takes (RFC 4733 §2.1: that of its codec, but some have only the one of telephones).
    pub(super) fn digits_rate(&self) -> TickRate {
        let digits = self.agreed.as_ref().and_then(|agreed| agreed.stream.digits);
        digits.map_or(self.line.rate(), |digits| TickRate::hz(digits.clock_rate))
    }

    /// Sends these keys after those that are being sent.
    pub(crate) fn push_keys(&mut self, now: Time, digits: &str) {
        if self.agreed.is_some() {
            self.keys.push(now, digits);
        }
    }

    pub(super) fn send_keys(&mut self, now: Time, out: &mut Outbox) {
        while let Some(step) = self.keys.next(now) {
            match self.takes_events() {
                true => self.send_event(now, step, out),
                false => self.send_tones(now, step, out),
            }
        }
        if !self.keys.are_sending() && self.tones.take().is_some() {
            self.line.fall_silent(Talker::Keys);
        }
    }

    fn send_event(&mut self, now: Time, step: Step, out: &mut Outbox) {
        let Some(payload) = step.event(self.digits_rate()) else { return };
        // The rest of a press whose beginning could not be sent would be a key without a time.
        let has_begun = self.line.talker() == Some(Talker::Keys);
        let position = match (step.is_first(), has_begun) {
            (true, _) => self.line.resume(now),
            (false, true) => self.line.newest(),
            (false, false) => return,
        };
        let digits = self.agreed.as_ref().and_then(|agreed| agreed.stream.digits);
        let (Some(to), Some(digits)) = (self.target(), digits) else { return };
        self.relay.forget();
        let payload_type = digits.payload_type;
        let span = self.line.rate().millis(PRESS_MILLIS);
        let entry = Entry { talker: Talker::Keys, position, span, payload_type, marker: step.is_first() };
        self.send(now, to, entry, &payload, out);
    }

    fn send_tones(&mut self, now: Time, step: Step, out: &mut Outbox) {
        let Some(format) = self.format() else { return };
        self.relay.forget();
        let known = self.tones.take().filter(|tones| tones.voice.format() == format);
        let mut tones = known.unwrap_or_else(|| Box::new(Tones::new(format)));
        self.say(now, Talker::Keys, tones.write(step), out);
        self.tones = Some(tones);
    }
}
