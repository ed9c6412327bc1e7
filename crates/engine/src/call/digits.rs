//! Keys: by RTP, by INFO or as tones, each press once.

use super::{Call, Stage};
use crate::context::Context;
use crate::leg::Leg;
use base::Time;
use facts::FactKind;
use media_api::{Command, KeysBy};
use sip::ua::Do;
use std::time::Duration;

/// A device that sends one press two ways sends the second within this time of the first, or of the end
/// of the press: INFO is sent when the key is let go.
const SAME_PRESS: Duration = Duration::from_millis(400);
/// No finger and no dialler presses faster (ITU-T Q.24: 40 ms on, 40 ms off); what comes faster is not keys.
const BETWEEN_PRESSES: Duration = Duration::from_millis(40);
/// So many keys may come at once: those behind a lost INFO wait in the device until it was sent again, and a network
/// that stalled delivers the packets of many presses together.
const BURST: u32 = 16;

/// The way that a key came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// RFC 4733.
    Rtp,
    /// SIP INFO.
    Info,
    /// Two tones in the party's speech.
    Tones,
}

impl From<KeysBy> for Source {
    fn from(by: KeysBy) -> Source {
        match by {
            KeysBy::Events => Source::Rtp,
            KeysBy::Tones => Source::Tones,
        }
    }
}

pub(super) struct LastDigit {
    leg: u32,
    digit: char,
    source: Source,
    at: Time,
    /// When it could have been pressed at the earliest, if all before it were pressed as fast as can be.
    paced: Time,
}

impl Call {
    /// A key was pressed.
    pub(crate) fn digit(
        &mut self,
        ctx: &mut Context,
        number: u32,
        digit: char,
        held: Duration,
        source: Source,
    ) {
        if self.is_no_new_press(ctx.now, number, digit, held, source) {
            return;
        }
        let paced = self.last_digit.as_ref().filter(|last| last.leg == number).map(|last| last.paced);
        let paced = paced.map_or(ctx.now, |last| ctx.now.max(last + BETWEEN_PRESSES));
        self.last_digit = Some(LastDigit { leg: number, digit, source, at: ctx.now, paced });
        let name = match source {
            Source::Rtp => "4733",
            Source::Info => "info",
            Source::Tones => "tones",
        };
        let to_script = number == self.caller && matches!(self.stage, Stage::Scripted);
        let hidden = to_script && self.script.as_ref().is_some_and(ivr::Interpreter::hides_keys);
        let kind = FactKind::DtmfReceived {
            leg: number,
            digit: if hidden { "masked".to_owned() } else { digit.to_string() },
            source: name.to_owned(),
            duration_ms: super::waiting::millis(held),
        };
        self.note(ctx, kind);
        self.ends_message(ctx, number, digit);
        if to_script {
            self.script_input(ctx, ivr::Input::Digit(digit));
        }
        self.pass_on(ctx, number, digit, source);
    }

    /// A party that said that it takes keys by INFO takes none: it gets them as it gets all others.
    pub(crate) fn keys_refused(&mut self, ctx: &mut Context, number: u32, digits: String) {
        if let Some(leg) = self.legs.iter().find(|leg| leg.number == number && leg.connected) {
            ctx.media(Command::SendDigits { leg: leg.media, digits });
        }
    }

    /// The other party gets the key by what it can: as a telephone-event, by INFO, or as tones. From RTP to RTP it goes with
    /// the speech, but not through a room; so do tones to who has no events. Of tones that are pressed on as an event media
    /// lets none through.
    fn pass_on(&mut self, ctx: &mut Context, number: u32, digit: char, source: Source) {
        let Some(to) = self.takes_keys_of(number) else { return };
        let in_room = self.guests.has_room();
        let by_events = to.negotiation.stream().is_some_and(|stream| stream.digits.is_some());
        match (source, by_events) {
            (Source::Rtp, true) if !in_room => {}
            (Source::Tones, false) => {}
            (Source::Rtp | Source::Info, false) if ctx.sip.takes_keys(to.session) => {
                ctx.sip(Do::SendKey { session: to.session, key: digit });
            }
            (Source::Rtp | Source::Info, _) | (Source::Tones, true) => {
                ctx.media(Command::SendDigits { leg: to.media, digits: digit.to_string() });
            }
        }
    }

    /// Who gets the keys of this party: the other of the two who talk, or of whom the network lets talk before the answer.
    /// Guests press none for them, nor does who is muted; and nobody gets any while one of the two holds.
    fn takes_keys_of(&self, number: u32) -> Option<&Leg> {
        let (a, b) = self.pair_numbers().or_else(|| self.early_pair())?;
        let to = match number {
            _ if self.guests.is_muted(number) => return None,
            _ if number == a => b,
            _ if number == b => a,
            _ => return None,
        };
        let found = |number| self.legs.iter().find(move |leg| leg.number == number && !leg.held);
        found(number).and(found(to))
    }

    /// The same press, come by another way; or more than a person can press.
    fn is_no_new_press(&self, now: Time, number: u32, digit: char, held: Duration, source: Source) -> bool {
        let Some(last) = self.last_digit.as_ref().filter(|last| last.leg == number) else { return false };
        let since = now.since(last.at);
        let echo = last.digit == digit && last.source != source && since < SAME_PRESS + held;
        echo || last.paced.since(now) > BETWEEN_PRESSES * (BURST - 1)
    }
}
