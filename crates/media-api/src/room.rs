use crate::LegId;

/// Parties who hear each other, from the first `Join` to the last leave. Given by call control and never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomId(pub u64);

/// What a party has of a room. To listen in, to whisper and to be muted are seats, and no rooms of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Whether it hears the others.
    pub hears: bool,
    /// Who hears it.
    pub heard: Heard,
}

/// Who hears a party of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Everyone who hears.
    ByAll,
    /// Nobody: it is muted, or listens in.
    ByNobody,
    /// Only these: it whispers to them. 16 at most; the rest is passed over.
    By(Vec<LegId>),
}

impl Seat {
    /// Hears all and is heard by all.
    pub const OPEN: Seat = Seat { hears: true, heard: Heard::ByAll };
    /// Hears all, and nobody knows.
    pub const LISTENING: Seat = Seat { hears: true, heard: Heard::ByNobody };
}
