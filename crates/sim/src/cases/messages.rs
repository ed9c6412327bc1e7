//! Whoever records messages that callers leave.

use super::agenda::{Agenda, Thing};
use super::given::MessageGiven;
use base::Time;
use engine::Input;
use media_api::{Command, Event, MessageEnd, RecordingOrder, RecordingTold, Tapping};
use std::time::Duration;

/// How long somebody speaks who leaves a message.
const SPEAKS: Duration = Duration::from_secs(8);
const FRAME: Duration = Duration::from_millis(20);

/// A leg is recorded: its message ends as the case says.
pub(super) fn tapped(now: Time, given: MessageGiven, command: &Command, agenda: &mut Agenda) {
    let Command::Tap { leg, tapping: Some(Tapping { part: Some(part), message: Some(limits), .. }) } =
        command
    else {
        return;
    };
    let (after, why) = match given {
        MessageGiven::Kept => (SPEAKS.min(limits.longest), MessageEnd::Silence),
        MessageGiven::Empty => (limits.silence, MessageEnd::NothingSaid),
        MessageGiven::Failed => return,
    };
    let event = Event::MessageEnded { leg: *leg, recording: part.recording, why };
    agenda.plan(now + after, Thing::Told(Box::new(Input::Media(event))));
}

/// What has become of a file.
pub(super) fn recorded(given: MessageGiven, order: &RecordingOrder) -> Option<Input> {
    let told = match (order, given) {
        (RecordingOrder::Begin { recording, .. }, MessageGiven::Failed) => RecordingTold::Failed {
            recording: *recording,
            length: Duration::ZERO,
            lost: Duration::ZERO,
            why: "the case says so".to_owned(),
        },
        (RecordingOrder::Begin { .. }, _) | (RecordingOrder::End { .. }, MessageGiven::Failed) => {
            return None;
        }
        (RecordingOrder::End { recording, frames, .. }, _) => RecordingTold::Ended {
            recording: *recording,
            length: FRAME * u32::try_from(*frames).unwrap_or(u32::MAX),
            lost: Duration::ZERO,
        },
    };
    Some(Input::Recorded(told))
}
