//! What those who hear a party here have told of it: its ear in another leg or in a room, or its tap.

use std::time::Duration;

use media_api::Decoded;

/// How an ear has heard since it was asked last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    /// Source and number of its newest packet, and which of those up to it came and were not heard: bit n is the packet n
    /// before it.
    pub(crate) discarded: Option<(u32, u16, u64)>,
    /// Speech that was made up for.
    pub(crate) concealed: Duration,
    /// Speech that was left out or said longer, to follow the sender's clock and the way's length.
    pub(crate) stretched: Duration,
    /// `None` in silence.
    pub(crate) waits: Option<Waits>,
}

/// How long speech waits for what is later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Waits {
    /// By now.
    pub(crate) now: Duration,
    /// So long the earliest packet would wait that is not discarded.
    pub(crate) longest: Duration,
}

/// All that was heard of one party.
#[derive(Debug, Default)]
pub(crate) struct Hearings {
    all: Option<Decoded>,
    waits: Option<Waits>,
    /// Another leg or a room has heard the newest packet. What a tap hears beside it is heard twice.
    by_another: bool,
}

impl Hearings {
    /// A packet has come, and the tap has heard so.
    pub(crate) fn by_tap(&mut self, heard: Option<Heard>) {
        if !std::mem::take(&mut self.by_another) {
            self.waits = None;
            heard.iter().for_each(|heard| self.add(heard));
        }
    }

    /// Another leg or a room has heard the packet.
    pub(crate) fn by_another(&mut self, heard: &Heard) {
        self.by_another = true;
        self.add(heard);
    }

    /// Nobody hears the party any more.
    pub(crate) fn end(&mut self) {
        (self.waits, self.by_another) = (None, false);
    }

    /// `None` if nobody has heard the party here.
    pub(crate) fn all(&self) -> Option<Decoded> {
        self.all
    }

    pub(crate) fn waits(&self) -> Option<Waits> {
        self.waits
    }

    fn add(&mut self, heard: &Heard) {
        let all = self.all.get_or_insert_default();
        all.concealed += heard.concealed;
        all.stretched += heard.stretched;
        all.longest_wait = all.longest_wait.max(heard.waits.unwrap_or_default().now);
        self.waits = heard.waits;
    }
}
