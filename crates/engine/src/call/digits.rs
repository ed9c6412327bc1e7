//! Keys: by RTP or by INFO, each press once.

use super::{CALLER, Call, Stage};
use crate::context::Context;
use base::Time;
use facts::FactKind;
use std::time::Duration;

/// A device that sends one press both ways sends the second within this time of the first.
const SAME_PRESS: Duration = Duration::from_millis(400);

/// The way that a key came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// RFC 4733.
    Rtp,
    /// SIP INFO.
    Info,
}

pub(super) struct LastDigit {
    leg: u32,
    digit: char,
    source: Source,
    at: Time,
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
        if self.is_echo_of_last(ctx.now, number, digit, source) {
            return;
        }
        self.last_digit = Some(LastDigit { leg: number, digit, source, at: ctx.now });
        let name = match source {
            Source::Rtp => "4733",
            Source::Info => "info",
        };
        let kind = FactKind::DtmfReceived {
            leg: number,
            digit: digit.to_string(),
            source: name.to_owned(),
            duration_ms: super::waiting::millis(held),
        };
        self.note(ctx, kind);
        if number == CALLER && matches!(self.stage, Stage::Scripted) {
            self.script_input(ctx, ivr::Input::Digit(digit));
        }
    }

    /// The same press, come by the other way.
    fn is_echo_of_last(&self, now: Time, number: u32, digit: char, source: Source) -> bool {
        self.last_digit.as_ref().is_some_and(|last| {
            last.leg == number
                && last.digit == digit
                && last.source != source
                && now.since(last.at) < SAME_PRESS
        })
    }
}
