//! What goes into a shard and what comes out of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use audio::Clip;
use base::Wall;
use media_api::{Codec, Command, Event, Fingerprint, Keys, LegId, Offerer, Part};

/// What a shard is told at its birth.
#[derive(Clone, Debug)]
pub struct ShardConfig {
    /// How many legs it carries at most; one more is answered with `OpenFailed`.
    pub legs_max: usize,
    /// What people's clocks said at `Time::ZERO`, for the NTP time in sender reports (RFC 3550 §6.4.1).
    pub wall_at_zero: Wall,
    /// After how long without a valid packet a party that should be heard is `Silent`.
    pub silent_after: Duration,
}

impl Default for ShardConfig {
    fn default() -> ShardConfig {
        ShardConfig {
            legs_max: 1000,
            wall_at_zero: Wall::from_unix_micros(0),
            silent_after: Duration::from_millis(2500),
        }
    }
}

/// Which of a leg's two sockets a packet belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketKind {
    /// Speech and keys.
    Rtp,
    /// Reports.
    Rtcp,
}

/// What the shell hands to a shard.
#[derive(Clone, Debug)]
pub enum ShardInput<'a> {
    /// The shell has bound this leg's sockets; the leg exists from now on. Not answered, because the shell
    /// has told call control already, unless the shard is full: then by `OpenFailed`.
    Opened {
        /// The new leg.
        leg: LegId,
        /// Its RTP socket.
        local: SocketAddr,
    },
    /// What call control wants; never `Open`. A command for a leg that is not there does nothing: the two
    /// have crossed.
    Command(Command),
    /// A packet from one of a leg's sockets.
    Packet {
        /// Whose socket.
        leg: LegId,
        /// Which of the two.
        kind: PacketKind,
        /// The sender.
        from: SocketAddr,
        /// What came.
        bytes: &'a [u8],
    },
    /// The answer to `NeedSound`.
    Sound {
        /// What was asked for.
        source: Arc<str>,
        /// In which codec.
        codec: Codec,
        /// The sound; `None` if it cannot be read.
        clip: Option<Arc<Clip>>,
    },
    /// What has become of a leg's handshake.
    Handshake {
        /// Whose.
        leg: LegId,
        /// Which of the leg's, as [`ShardOutput::Handshake`] gave it: what is told of an earlier one is passed over.
        number: u32,
        /// See there.
        told: HandshakeTold<'a>,
    },
}

/// What the shell tells of a handshake.
#[derive(Clone, Debug)]
pub enum HandshakeTold<'a> {
    /// This is to be sent to the peer.
    Datagram(&'a [u8]),
    /// Both sides have proved themselves; these are the keys of SRTP that they have (RFC 5764 §4.2).
    Keys(Box<Keys>),
    /// It came to nothing; why, for people. Nothing more comes of it.
    Failed(String),
    /// The peer has closed it. Nothing more comes of it.
    Closed,
}

/// What a handshake needs of the shell, which has the chance that it is made of.
#[derive(Clone, Debug, PartialEq)]
pub enum HandshakeAct {
    /// There is to be one with this peer, which begins it. The one that the leg had before is void.
    Begin(Arc<HandshakePeer>),
    /// The peer has sent this, by a way that it was found to be at. By [`crate::Shard::packet`].
    Datagram(PacketRef),
    /// It is no longer needed.
    End,
}

/// With whom a handshake is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandshakePeer {
    /// The peer's certificate has one of these; none else is believed.
    pub fingerprints: Vec<Fingerprint>,
    /// By whose offer, for the terms of the keys.
    pub offerer: Offerer,
}

/// What a shard wants done, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum ShardOutput {
    /// Send this packet from one of the leg's sockets. A packet that the socket does not take is dropped.
    Send {
        /// Whose socket.
        leg: LegId,
        /// Which of the two.
        kind: PacketKind,
        /// The receiver.
        to: SocketAddr,
        /// What, by [`crate::Shard::packet`].
        packet: PacketRef,
    },
    /// Tell call control. After `Closed` the leg's sockets are no longer needed.
    Event(Event),
    /// A sound is wanted; asked once until it is answered. What waits for it goes on without it after 2 s.
    NeedSound {
        /// Such as `it/welcome`.
        source: Arc<str>,
        /// What the clip is to be written in.
        codec: Codec,
    },
    /// The next 20 ms of a tapped leg. The two channels keep to each other and, by the number, to the clock.
    Heard {
        /// Which.
        leg: LegId,
        /// The piece of a recording that it belongs to, if it is for one.
        part: Option<Part>,
        /// How many frames of 20 ms lie between the first of the tap, or of the recording, and this one. It jumps where a shard
        /// that was late passed some over.
        number: u64,
        /// Whether the party says anything in it, and whether it is told anything; silence if not.
        is_said: bool,
        /// See above.
        is_told: bool,
        /// Samples of 16 bits, the low byte first: what is said and what is told in turns. By [`crate::Shard::packet`].
        packet: PacketRef,
    },
    /// Something is to be done for a leg's handshake.
    Handshake {
        /// Whose.
        leg: LegId,
        /// Which of the leg's: each `Begin` has a higher one.
        number: u32,
        /// See there.
        act: HandshakeAct,
    },
}

/// Where the bytes of an output lie. Good until the first input after all outputs were taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketRef {
    pub(crate) start: u32,
    pub(crate) length: u32,
}

/// Why a shard wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A packet of a prompt or of music is due, or has waited for its sound long enough.
    Play,
    /// A packet of what another party says, in this one's codec, is due.
    Translate,
    /// A packet of what is said in a room is due.
    Room,
    /// A frame of a tapped leg is due.
    Tap,
    /// A packet of a key that is being sent is due.
    Digits,
    /// Something is to be told of the way to a party that looks for us, or it may be lost.
    Way,
    /// A party has been sent nothing for long.
    Idle,
    /// A report is due (RFC 3550 §6.2).
    Rtcp,
    /// A party may have fallen silent.
    Watchdog,
    /// Ten seconds of a leg are over.
    Quality,
}
