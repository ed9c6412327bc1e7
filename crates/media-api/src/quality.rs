//! How well the two sides of a leg are heard.

use std::time::Duration;

/// A span of ten seconds of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quality {
    /// How many spans this one tells of: those before it were like the one told before them.
    pub spans: u32,
    /// What the party said, as it came here; `None` if nothing came.
    pub here: Option<Voice>,
    /// What the party heard of us, as it reports; `None` if it does not, or nothing was sent.
    pub there: Option<Voice>,
    /// By RTCP, if the party reports.
    pub round_trip: Option<Duration>,
    /// What those who decode the party's speech here made of it; `None` if nobody has.
    pub heard: Option<Decoded>,
}

/// What came of a party's speech where it was decoded: for a party with another codec, in a room, or for a tap. A speech
/// that is passed on as it comes is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// How much was made up for, because it was lost or late.
    pub concealed: Duration,
    /// How much was left out or said longer, to follow the sender's clock and the way's length.
    pub stretched: Duration,
    /// The longest that speech waited for what is later, since the leg was there.
    pub longest_wait: Duration,
}

/// How the speech of one direction fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Voice {
    /// Packets that should have come.
    pub packets: u32,
    /// Packets that did not.
    pub lost: u32,
    /// Packets that came too late or too many at once to be heard. Known only where the speech is decoded here.
    pub discarded: u32,
    /// Interarrival jitter (RFC 3550 §6.4.1) at the end of the span.
    pub jitter: Duration,
    /// The mean opinion score, 100 to 450 hundredths, reckoned by the E-model from codec, loss, its bursts, the jitter that is
    /// waited for and half the round trip: G.711 on the scale of the telephone band (ITU-T G.107), all others on that of the
    /// wide band (G.107.1).
    pub mos: u16,
}
