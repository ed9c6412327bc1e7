//! What is recorded, from whose leg, and what becomes of it.

use std::time::Duration;

/// One recording, from its begin to its end: it may be made from several legs, one after the other. Given by call control and
/// never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordingId(pub u64);

/// How a leg is listened to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tapping {
    /// Samples a second: 8 000, 16 000 or 48 000.
    pub sample_rate: u32,
    /// For which recording, if for any.
    pub part: Option<Part>,
    /// It is a message, which ends by itself.
    pub message: Option<MessageLimits>,
}

impl Tapping {
    /// For whoever listens here, and for no recording.
    pub fn at(sample_rate: u32) -> Tapping {
        Tapping { sample_rate, part: None, message: None }
    }
}

/// A piece of a recording that comes from one leg without a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Whose.
    pub recording: RecordingId,
    /// From 0. What comes of an earlier part after a later one has begun is passed over.
    pub number: u32,
    /// So many frames of 20 ms of the recording lie before it.
    pub first: u64,
}

/// When a message is over: what one party alone says, such as to a voicemail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageLimits {
    /// Nothing was said for so long, from the begin or since the last word.
    pub silence: Duration,
    /// It has taken so long.
    pub longest: Duration,
}

/// Why a message is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageEnd {
    /// Nothing was said for long.
    Silence,
    /// Nothing was said at all.
    NothingSaid,
    /// It has taken as long as it may.
    Longest,
}

/// What call control wants of whoever writes recordings. The leg is tapped afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordingOrder {
    /// Begin a file.
    Begin {
        /// For which recording.
        recording: RecordingId,
        /// The file's name without its ending: letters, digits and `-`, and never used before.
        name: String,
        /// Samples a second.
        sample_rate: u32,
        /// Only what the party says is written, in one channel; otherwise that is the left one, and what it is told the right one.
        only_said: bool,
    },
    /// Nothing more comes: the file is closed. Answered by [`RecordingTold`], unless it was before.
    End {
        /// Which recording.
        recording: RecordingId,
        /// It lasts so many frames of 20 ms at least: what is missing at its end is silence that was wanted.
        frames: u64,
        /// Otherwise there is nothing in it, and no file is left.
        keep: bool,
    },
}

/// What has become of a recording: told once of each that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordingTold {
    /// It was ended, and the file is closed.
    Ended {
        /// Which.
        recording: RecordingId,
        /// How long it is.
        length: Duration,
        /// So much of it is silence that stands for what was lost.
        lost: Duration,
    },
    /// The file cannot be written, or no more; what was written before can be played.
    Failed {
        /// Which.
        recording: RecordingId,
        /// How much there is of it.
        length: Duration,
        /// So much of that is silence that stands for what was lost.
        lost: Duration,
        /// For people: the cause and the next step.
        why: String,
    },
}
