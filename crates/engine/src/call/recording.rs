//! A call that is recorded: what the party says that the call is about, and all that it hears. Whoever that is (after a
//! transfer by it, the other one) and whatever device it goes on at, the recording follows, by the one clock of its begin.

use super::{Call, Stage};
use crate::context::{CallKey, Context};
use crate::{CommandRefused, Output};
use base::Time;
use facts::{FactKind, Recorded, RecordingEnd, RecordingNow, millis};
use media_api::{
    Codec, Command, LegId, MessageEnd, MessageLimits, Part, RecordingId, RecordingOrder, RecordingTold,
    Tapping,
};
use std::collections::BTreeMap;
use std::time::Duration;

/// The key that ends the message of whoever is asked for one by a script.
const END_OF_MESSAGE: char = '#';
const FRAME_MICROS: u64 = 20_000;
/// Of speech that a telephone line carries, and of all that is better.
const SAMPLE_RATES: (u32, u32) = (8_000, 16_000);

/// Which call each recording is of, until its file is closed.
#[derive(Debug, Default)]
pub(crate) struct Recordings {
    calls: BTreeMap<RecordingId, CallKey>,
    last: u64,
}

impl Recordings {
    fn begin(&mut self, call: CallKey) -> RecordingId {
        self.last += 1;
        let id = RecordingId(self.last);
        self.calls.insert(id, call);
        id
    }

    /// The call of a recording of which this is told, which is told once.
    pub(crate) fn take(&mut self, told: &RecordingTold) -> Option<CallKey> {
        self.calls.remove(&id_of(told))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }
}

pub(super) struct Recording {
    id: RecordingId,
    /// In facts, and of the file.
    name: String,
    began: Time,
    sample_rate: u32,
    message: Option<Message>,
    /// Which leg is tapped, unless it pauses or has ended, and as which part.
    tapped: Option<LegId>,
    parts: u32,
    paused: bool,
    /// Why it is being ended, and who asked for that.
    ending: Option<(RecordingEnd, String)>,
}

#[derive(Clone, Copy)]
struct Message {
    limits: MessageLimits,
    key: Option<char>,
    /// The script waits for its end.
    for_script: bool,
}

impl Message {
    fn of(what: Recorded) -> Option<Message> {
        let Recorded::Message { silence, longest, key } = what else { return None };
        Some(Message { limits: MessageLimits { silence, longest }, key, for_script: false })
    }
}

impl Recording {
    pub(super) fn now(&self) -> RecordingNow {
        RecordingNow { recording: self.name.clone(), paused: self.paused }
    }

    /// The number of the frame that is said now.
    fn frames(&self, now: Time) -> u64 {
        let micros = now.since(self.began).as_micros() as u64;
        (micros + FRAME_MICROS / 2) / FRAME_MICROS
    }

    fn tap(&mut self, ctx: &mut Context, leg: LegId) {
        let first = self.frames(ctx.now);
        let part = Part { recording: self.id, number: self.parts, first };
        self.parts += 1;
        self.tapped = Some(leg);
        // Media begins to count anew with each part.
        let gone = Duration::from_micros(first.saturating_mul(FRAME_MICROS));
        let message = self.message.map(|Message { limits: MessageLimits { silence, longest }, .. }| {
            MessageLimits { silence, longest: longest.saturating_sub(gone) }
        });
        let tapping = Tapping { sample_rate: self.sample_rate, part: Some(part), message };
        ctx.media(Command::Tap { leg, tapping: Some(tapping) });
    }
}

impl Call {
    /// Somebody asks that it be recorded.
    pub(crate) fn record(
        &mut self,
        ctx: &mut Context,
        what: Recorded,
        (basis, by): (String, String),
    ) -> Result<(), CommandRefused> {
        let message = Message::of(what);
        self.begin_recording(ctx, message, (what.as_str().to_owned(), basis, by))
    }

    /// The script has the party leave a message. Refused if that cannot be: it is recorded otherwise, or not there.
    pub(super) fn take_message(
        &mut self,
        ctx: &mut Context,
        mailbox: String,
        limits: MessageLimits,
    ) -> Result<(), CommandRefused> {
        let message = Message { limits, key: Some(END_OF_MESSAGE), for_script: true };
        self.begin_recording(ctx, Some(message), ("message".to_owned(), mailbox, self.service_name.clone()))
    }

    fn begin_recording(
        &mut self,
        ctx: &mut Context,
        message: Option<Message>,
        (of, basis, by): (String, String, String),
    ) -> Result<(), CommandRefused> {
        let leg = self.recorded_leg().filter(|_| self.recording.is_none() && self.end.is_none());
        let (media, codec) = leg.ok_or(CommandRefused::InvalidState)?;
        let (narrow, wide) = SAMPLE_RATES;
        let sample_rate = if matches!(codec, Codec::Pcma | Codec::Pcmu) { narrow } else { wide };
        let id = ctx.recordings.begin(self.key);
        self.recordings += 1;
        let name = self.log.name_of(&format!("{}-{}", self.log.id, self.recordings));
        let only_said = message.is_some();
        let begin = RecordingOrder::Begin { recording: id, name: name.clone(), sample_rate, only_said };
        ctx.out.push_back(Output::Record(begin));
        let language = self.language().to_owned();
        self.note(ctx, FactKind::RecordingStarted { recording: name.clone(), of, basis, by, language });
        let mut recording = Recording {
            id,
            name,
            began: ctx.now,
            sample_rate,
            message,
            tapped: None,
            parts: 0,
            paused: false,
            ending: None,
        };
        recording.tap(ctx, media);
        self.recording = Some(recording);
        Ok(())
    }

    /// Somebody asks that nothing be recorded for a while, or that it go on.
    pub(crate) fn pause_recording(
        &mut self,
        ctx: &mut Context,
        paused: bool,
        by: String,
    ) -> Result<(), CommandRefused> {
        let running = self.recording.as_mut().filter(|recording| recording.ending.is_none());
        let recording =
            running.filter(|recording| recording.paused != paused).ok_or(CommandRefused::InvalidState)?;
        recording.paused = paused;
        let name = recording.name.clone();
        if paused {
            self.tap_no_more(ctx);
            self.note(ctx, FactKind::RecordingPaused { recording: name, by });
        } else {
            // Its leg is tapped when the call is at rest.
            self.note(ctx, FactKind::RecordingResumed { recording: name, by });
        }
        Ok(())
    }

    /// Somebody asks that it be recorded no longer.
    pub(crate) fn stop_recording(&mut self, ctx: &mut Context, by: String) -> Result<(), CommandRefused> {
        let runs = self.recording.as_ref().is_some_and(|recording| recording.ending.is_none());
        if !runs {
            return Err(CommandRefused::InvalidState);
        }
        self.end_recording(ctx, RecordingEnd::Asked, by);
        Ok(())
    }

    /// Something has happened to the call: its recording is of the party that the call is about now, and ends with the call.
    pub(crate) fn follow_recording(&mut self, ctx: &mut Context) {
        let running = self.recording.as_ref().filter(|recording| recording.ending.is_none());
        let Some(recording) = running else { return };
        if self.end.is_some() {
            return self.end_recording(ctx, RecordingEnd::CallEnded, String::new());
        }
        let before = recording.tapped;
        let leg = self.recorded_leg().map(|(leg, _)| leg).filter(|_| !recording.paused);
        let Some(leg) = leg.filter(|leg| Some(*leg) != before) else { return };
        self.tap_no_more(ctx);
        if let Some(recording) = &mut self.recording {
            recording.tap(ctx, leg);
        }
    }

    /// A message ended by itself; media taps its leg no longer.
    pub(crate) fn message_ended(&mut self, ctx: &mut Context, id: RecordingId, why: MessageEnd) {
        let Some(recording) = self.recording.as_mut().filter(|recording| recording.id == id) else { return };
        recording.tapped = None;
        let why = match why {
            MessageEnd::Silence => RecordingEnd::Silence,
            // Media knows the last part alone: something may have been said before.
            MessageEnd::NothingSaid if recording.parts > 1 => RecordingEnd::Silence,
            MessageEnd::NothingSaid => RecordingEnd::NothingSaid,
            MessageEnd::Longest => RecordingEnd::Longest,
        };
        self.end_recording(ctx, why, String::new());
    }

    /// The party has pressed this key, which may be the end of its message.
    pub(super) fn ends_message(&mut self, ctx: &mut Context, number: u32, digit: char) {
        let message = self.recording.as_ref().and_then(|recording| recording.message);
        if number == self.caller && message.is_some_and(|message| message.key == Some(digit)) {
            self.end_recording(ctx, RecordingEnd::Key, String::new());
        }
    }

    /// What has become of its recording is known: the file is closed.
    pub(crate) fn recording_told(&mut self, ctx: &mut Context, told: RecordingTold) {
        let id = id_of(&told);
        if self.recording.as_ref().is_none_or(|recording| recording.id != id) {
            return;
        }
        self.tap_no_more(ctx);
        let Some(Recording { name: recording, ending, message, .. }) = self.recording.take() else { return };
        let came_of_it = match (&told, &ending) {
            (RecordingTold::Failed { .. }, _) => ivr::MessageEnd::Failed,
            (_, Some((RecordingEnd::NothingSaid, _))) => ivr::MessageEnd::Empty,
            _ => ivr::MessageEnd::Kept,
        };
        self.note(
            ctx,
            match told {
                RecordingTold::Ended { length, lost, .. } => {
                    let (why, by) = ending.unwrap_or((RecordingEnd::CallEnded, String::new()));
                    let (length_ms, lost_ms) = (millis(length), millis(lost));
                    FactKind::RecordingStopped { recording, why, by, length_ms, lost_ms }
                }
                RecordingTold::Failed { length, lost, why, .. } => {
                    let (length_ms, lost_ms) = (millis(length), millis(lost));
                    FactKind::RecordingFailed { recording, why, length_ms, lost_ms }
                }
            },
        );
        self.bury(ctx);
        let awaited = message.is_some_and(|message| message.for_script);
        if awaited && self.end.is_none() && matches!(self.stage, Stage::Scripted) {
            self.script_input(ctx, ivr::Input::MessageEnded(came_of_it));
        }
    }

    /// The call waits for its recording's end no longer.
    pub(super) fn give_up_recording(&mut self, ctx: &mut Context) {
        let Some(Recording { id, name: recording, .. }) = self.recording.take() else { return };
        ctx.recordings.calls.remove(&id);
        let why =
            "the disk has not taken the recording's end in time; look whether it stands still".to_owned();
        self.note(ctx, FactKind::RecordingFailed { recording, why, length_ms: 0, lost_ms: 0 });
    }

    fn end_recording(&mut self, ctx: &mut Context, why: RecordingEnd, by: String) {
        self.tap_no_more(ctx);
        let Some(recording) = self.recording.as_mut().filter(|recording| recording.ending.is_none()) else {
            return;
        };
        // What is said in a pause is silence to its end; otherwise the last frame that comes is the last.
        let frames = if recording.paused { recording.frames(ctx.now) } else { 0 };
        let keep = why != RecordingEnd::NothingSaid;
        recording.ending = Some((why, by));
        let recording = recording.id;
        ctx.out.push_back(Output::Record(RecordingOrder::End { recording, frames, keep }));
    }

    fn tap_no_more(&mut self, ctx: &mut Context) {
        let Some(leg) = self.recording.as_mut().and_then(|recording| recording.tapped.take()) else { return };
        // Nothing is ordered for ports that have been given back.
        let mine = self.legs.iter().find(|own| own.media == leg);
        if ctx.media.contains_key(&leg) && mine.is_none_or(|leg| !leg.session_is_over()) {
            ctx.media(Command::Tap { leg, tapping: None });
        }
    }

    /// The media of the party that the call is about, and what it speaks.
    fn recorded_leg(&self) -> Option<(LegId, Codec)> {
        let leg = self.legs.iter().find(|leg| leg.number == self.caller)?;
        if !leg.connected || leg.session_is_over() {
            return None;
        }
        Some((leg.media, leg.codec()?))
    }
}

fn id_of(told: &RecordingTold) -> RecordingId {
    let (RecordingTold::Ended { recording, .. } | RecordingTold::Failed { recording, .. }) = told;
    *recording
}
