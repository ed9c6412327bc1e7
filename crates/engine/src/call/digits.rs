//! Keys: by RTP, by INFO or as tones, each press once.

use super::{Call, Stage};
use crate::context::Context;
use crate::leg::Leg;
use base::Time;
use facts::{FactKind, millis};
use media_api::{Command, KeysBy};
use sip::ua::Do;
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

/// A device that sends one press by several ways sends the last within this time of the first, or of the end of the press:
/// INFO is sent when the key is let go, and once more after 500 ms if it was lost (RFC 3261 §17.1.2.2).
const SAME_PRESS: Duration = Duration::from_millis(700);
/// More presses than this are not awaited by another way, the oldest least.
const PRESSES_MAX: usize = 32;
/// No finger and no dialler presses faster (ITU-T Q.24: 40 ms on, 40 ms off); what comes faster is not keys.
const BETWEEN_PRESSES: Duration = Duration::from_millis(40);
/// So many keys may come at once: those behind a lost INFO wait in the device until it was sent again, and a network
/// that stalled delivers the packets of many presses together.
const BURST: u32 = 16;

/// The way that a key came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

/// What was pressed of late. By each way the presses of a leg come in their order: what comes by one is the oldest that has
/// not come by it yet.
#[derive(Default)]
pub(super) struct Presses {
    recent: VecDeque<Press>,
    /// By whom a key was pressed last, and when that could have been at the earliest, if all before it were pressed as fast
    /// as can be.
    paced: Option<(u32, Time)>,
}

struct Press {
    leg: u32,
    digit: char,
    at: Time,
    /// The ways that it has come by.
    sources: BTreeSet<Source>,
}

impl Presses {
    /// Whether it is another press: none that has come by another way, nor more than a person can press.
    fn take(&mut self, now: Time, (leg, digit): (u32, char), held: Duration, source: Source) -> bool {
        let same = self.recent.iter_mut().find(|press| {
            (press.leg, press.digit) == (leg, digit)
                && !press.sources.contains(&source)
                && now.since(press.at) < SAME_PRESS + held
        });
        if let Some(press) = same {
            press.sources.insert(source);
            return false;
        }
        let paced = self.paced.filter(|(last, _)| *last == leg).map(|(_, paced)| paced);
        if paced.is_some_and(|paced| paced.since(now) > BETWEEN_PRESSES * (BURST - 1)) {
            return false;
        }
        self.paced = Some((leg, paced.map_or(now, |paced| now.max(paced + BETWEEN_PRESSES))));
        if self.recent.len() == PRESSES_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(Press { leg, digit, at: now, sources: [source].into() });
        true
    }
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
        if !self.presses.take(ctx.now, (number, digit), held, source) {
            return;
        }
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
            duration_ms: millis(held),
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

    /// Of the two who press keys for each other from now on, who has no telephone-events may send them by INFO and as tones as
    /// well: those are listened for, so that one press is one key.
    pub(super) fn expect_keys(&self, ctx: &mut Context) {
        let Some((a, b)) = self.pressing_pair() else { return };
        for leg in self.legs.iter().filter(|leg| [a, b].contains(&leg.number)) {
            if !takes_events(leg) {
                ctx.media(Command::HearKeys { leg: leg.media, kept: false });
            }
        }
    }

    /// The other party gets the key by what it can: as a telephone-event, by INFO, or as tones. From RTP to RTP it goes with
    /// the speech, and so do tones to who has no events; but neither goes through a room. Of tones that are pressed on media
    /// lets none through.
    fn pass_on(&mut self, ctx: &mut Context, number: u32, digit: char, source: Source) {
        let Some(to) = self.takes_keys_of(number) else { return };
        let in_room = self.guests.has_room();
        let by_events = takes_events(to);
        // Its tones may follow.
        let may_sound = self.legs.iter().find(|leg| leg.number == number && !takes_events(leg));
        if let (Source::Info, Some(leg)) = (source, may_sound) {
            ctx.media(Command::HearKeys { leg: leg.media, kept: true });
        }
        match (source, by_events) {
            (Source::Rtp, true) if !in_room => {}
            (Source::Tones, false) if !in_room => {}
            (_, false) if ctx.sip.takes_keys(to.session) => {
                ctx.sip(Do::SendKey { session: to.session, key: digit });
            }
            _ => {
                ctx.media(Command::SendDigits { leg: to.media, digits: digit.to_string() });
            }
        }
    }

    /// Who gets the keys of this party: the other of the two. Guests press none for them, nor does who is muted; and nobody
    /// gets any while one of the two holds.
    fn takes_keys_of(&self, number: u32) -> Option<&Leg> {
        let (a, b) = self.pressing_pair()?;
        let to = match number {
            _ if self.guests.is_muted(number) => return None,
            _ if number == a => b,
            _ if number == b => a,
            _ => return None,
        };
        let found = |number| self.legs.iter().find(move |leg| leg.number == number && !leg.held);
        found(number).and(found(to))
    }

    /// The two who press keys for each other: who talk, or whom the network lets talk before the answer.
    fn pressing_pair(&self) -> Option<(u32, u32)> {
        self.pair_numbers().or_else(|| self.early_pair())
    }
}

fn takes_events(leg: &Leg) -> bool {
    leg.negotiation.stream().is_some_and(|stream| stream.digits.is_some())
}
