//! What call control and media say to each other. Call control sends [`Command`]s down; media sends
//! [`Event`]s up. Neither waits for the other.

mod codec;
mod family;
mod handshake;
mod quality;
mod recording;
mod room;
mod security;
mod sound;
mod stream;

pub use codec::Codec;
pub use family::{Addresses, Family};
pub use handshake::{CertificateHash, Fingerprint, Handshake, IceCredentials};
pub use quality::{Decoded, Quality, Voice};
pub use recording::{MessageEnd, MessageLimits, Part, RecordingId, RecordingOrder, RecordingTold, Tapping};
pub use room::{Heard, RoomId, Seat};
pub use security::{KeyExchange, KeyName, KeyTerms, Keys, MasterKey, Offerer, Security, Suite};
pub use sound::{Sound, speech_of, speech_source};
pub use stream::{COMFORT_NOISE, Digits, Direction, Opus, Payload, SpeakersTold, Stream};

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// One party's media, from `Open` to `Close`. Given by call control and never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LegId(pub u64);

impl LegId {
    /// The source (RFC 3550 §5.1) by which the listeners of a room are told that this party speaks, whatever SSRC it sends by.
    pub fn source(self) -> u32 {
        self.0 as u32
    }
}

/// One `Play` command, so that its end can be told from that of an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlayId(pub u64);

/// What call control tells media.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Bind a pair of ports; answered by `Opened` or `OpenFailed`.
    Open {
        /// The new leg.
        leg: LegId,
        /// What its peer speaks: the ports are there, or at the other family's address if that is all there is.
        family: Family,
    },
    /// Send and receive as agreed from now on. Sent again after each new agreement.
    Configure {
        /// Whose.
        leg: LegId,
        /// The agreement.
        stream: Stream,
    },
    /// Stop what plays, then play these one after the other towards the leg, from when it is configured. It
    /// hears nothing else meanwhile, and nobody hears it. A list of more than 64 is refused by `PlayEnded`.
    Play {
        /// To whom.
        leg: LegId,
        /// The name of this playing.
        play: PlayId,
        /// What.
        sounds: Vec<Sound>,
        /// Begin again at the end, for ever. Music goes on where this leg last heard it.
        repeat: bool,
    },
    /// Stop what plays. Answered by `PlayEnded` if something did.
    Stop {
        /// To whom.
        leg: LegId,
    },
    /// Send these keys after those still being sent, 64 at most: as telephone-events (RFC 4733) where they are agreed,
    /// otherwise as two tones in speech (ITU-T Q.23). The party hears nothing else meanwhile.
    SendDigits {
        /// To whom.
        leg: LegId,
        /// 0-9, *, #, A-D; others are passed over.
        digits: String,
    },
    /// Each leg hears the other from now on, and nothing else.
    Bridge {
        /// One.
        a: LegId,
        /// The other.
        b: LegId,
    },
    /// The leg hears the other from now on, and nothing else; the other hears nothing.
    Listen {
        /// Who hears.
        leg: LegId,
        /// Who is heard.
        to: LegId,
    },
    /// The leg leaves the bridge, the listening or the room that it is in, and hears nothing until told otherwise. Of a
    /// bridge or a listening that holds for the other, too.
    Unbridge {
        /// Who.
        leg: LegId,
    },
    /// The leg is in this room from now on and in nothing else, or has another seat in it.
    Join {
        /// Who.
        leg: LegId,
        /// Where: a room of the same shard.
        room: RoomId,
        /// What it hears, and who hears it.
        seat: Seat,
        /// All who are there hear a chime when it comes and when it leaves.
        chime: bool,
    },
    /// Play these one after the other into a room while its parties talk. Answered by `Announced`; at once if the room is not
    /// open, has 64 announcements already, or the list has more than 64 sounds.
    Announce {
        /// Where: a room that somebody is in.
        room: RoomId,
        /// The name of this playing.
        play: PlayId,
        /// What.
        sounds: Vec<Sound>,
        /// Who of them hears it; all if nobody is named. Who has left does not.
        to: Option<LegId>,
        /// Who hears it hears nothing else meanwhile; otherwise it is heard beside what is said.
        alone: bool,
    },
    /// The leg hears itself, for measuring.
    Echo {
        /// Who.
        leg: LegId,
    },
    /// Hand up what the leg says and what it is told as `ShardOutput::Heard`, for recorders and phones.
    Tap {
        /// Who is listened to.
        leg: LegId,
        /// How, from now on, or no longer.
        tapping: Option<Tapping>,
    },
    /// Listen for the tones by which a network says how a call goes.
    HearProgress {
        /// Who is listened to.
        leg: LegId,
        /// From now on, or no longer.
        on: bool,
    },
    /// Listen for keys as tones wherever the party talks, until it is closed: it may press keys by another way, too. Where
    /// telephone-events are agreed there is nothing to listen for. In a room the others do not hear them.
    HearKeys {
        /// Who is listened to.
        leg: LegId,
        /// For half a second the tones are kept from whom it talks with, who gets a key of it by another way.
        kept: bool,
    },
    /// Hand a copy of every packet of the leg's sockets to whoever captures, both ways, for looking for faults.
    /// Done by the shell, which has the sockets.
    Capture {
        /// Whose.
        leg: LegId,
        /// For which capture; nothing ends it.
        capture: Option<u64>,
    },
    /// Give the ports back; answered by `Closed`.
    Close {
        /// Whose.
        leg: LegId,
    },
}

impl Command {
    /// The leg that it is about, the first of two; that of an announcement is whoever alone is to hear it.
    pub fn leg(&self) -> Option<LegId> {
        match self {
            Command::Announce { to, .. } => *to,
            Command::Open { leg, .. }
            | Command::Configure { leg, .. }
            | Command::Play { leg, .. }
            | Command::Stop { leg }
            | Command::SendDigits { leg, .. }
            | Command::Bridge { a: leg, .. }
            | Command::Listen { leg, .. }
            | Command::Unbridge { leg }
            | Command::Join { leg, .. }
            | Command::Echo { leg }
            | Command::HearProgress { leg, .. }
            | Command::HearKeys { leg, .. }
            | Command::Tap { leg, .. }
            | Command::Capture { leg, .. }
            | Command::Close { leg } => Some(*leg),
        }
    }
}

/// How a party sends keys in its media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeysBy {
    /// As telephone-events (RFC 4733).
    Events,
    /// As two tones in its speech (ITU-T Q.23), of whatever codec: listened for where telephone-events are not agreed, and
    /// nobody is talked with, or somebody who gets keys as telephone-events and is not to hear the tones, or by `HearKeys`.
    Tones,
}

/// What a network's tone says of a call (ITU-T E.180).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The called device rings.
    Ringing,
    /// The called party is busy.
    Busy,
    /// The network has no way to the called party.
    Congestion,
    /// An announcement follows that says why the call failed.
    SpecialInformation,
}

/// What media tells call control.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The leg has ports.
    Opened {
        /// Whose.
        leg: LegId,
        /// The RTP address as seen from this machine; RTCP is on the next port.
        local: SocketAddr,
    },
    /// The leg has no ports and needs no `Close`.
    OpenFailed {
        /// Whose.
        leg: LegId,
        /// For people.
        why: String,
    },
    /// One press of one key, told as soon as it begins.
    Digit {
        /// By whom.
        leg: LegId,
        /// 0-9, *, #, A-D.
        digit: char,
        /// How long it had been held by then, as far as is known.
        held: Duration,
        /// How it came.
        by: KeysBy,
    },
    /// A network's tone was known by its cadence: once until another one comes.
    Progress {
        /// On whose leg.
        leg: LegId,
        /// What it says.
        tone: Progress,
    },
    /// A `Play` came to its end or was stopped. Never sent for one that repeats unless stopped.
    PlayEnded {
        /// To whom.
        leg: LegId,
        /// Which.
        play: PlayId,
        /// The list came to its end; a sound that could not be read was told by `SoundMissing`.
        complete: bool,
    },
    /// An announcement into a room came to its end.
    Announced {
        /// Where.
        room: RoomId,
        /// Which.
        play: PlayId,
        /// All of it was there to be heard.
        complete: bool,
    },
    /// No source of a sound could be read; playing went on with the next.
    SoundMissing {
        /// To whom.
        leg: LegId,
        /// The best source.
        sound: Arc<str>,
    },
    /// The party should be heard but has sent nothing valid for a while.
    Silent {
        /// Who.
        leg: LegId,
        /// What was seen instead.
        evidence: Evidence,
    },
    /// A silent party is heard again.
    Restored {
        /// Who.
        leg: LegId,
        /// How long it was silent.
        after: Duration,
    },
    /// Packets of a secured leg that the party's key did not make, or that were changed: they reach nobody. Told of the
    /// first, and then once a minute at most.
    Unauthenticated {
        /// Whose.
        leg: LegId,
        /// Where the last one came from.
        from: SocketAddr,
        /// It was RTCP.
        report: bool,
        /// How many since the last time.
        packets: u64,
        /// How the keys were agreed that should have made it.
        keys: KeyTerms,
    },
    /// A party that looks for us (ICE) is found there from now on, and spoken to there. Once a second at most, if it moves on.
    PathFound {
        /// Whose.
        leg: LegId,
        /// The address that it has nominated.
        at: SocketAddr,
    },
    /// Such a party is found nowhere: nothing is sent to it until it is found again.
    PathLost {
        /// Whose.
        leg: LegId,
        /// Where it was, if it was found before.
        at: Option<SocketAddr>,
        /// For how long it has not looked for us there, or not found us.
        silent_for: Duration,
    },
    /// The handshake of the leg has given its keys: from now on it can be heard and spoken to.
    Secured {
        /// Whose.
        leg: LegId,
        /// How it is protected.
        keys: KeyTerms,
    },
    /// The handshake of the leg came to nothing: it cannot be heard or spoken to until another one is agreed.
    HandshakeFailed {
        /// Whose.
        leg: LegId,
        /// For people.
        why: String,
    },
    /// A message that is recorded is over, by itself. Its leg is tapped no longer.
    MessageEnded {
        /// Whose.
        leg: LegId,
        /// Which.
        recording: RecordingId,
        /// Why.
        why: MessageEnd,
    },
    /// How the last ten seconds were heard. Told when that changes, and once a minute if it does not.
    Quality {
        /// Whose.
        leg: LegId,
        /// Both directions.
        quality: Quality,
    },
    /// The ports are given back.
    Closed {
        /// Whose.
        leg: LegId,
        /// What went over it.
        stats: Box<Stats>,
    },
}

/// What a silent leg was seen to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Where the peer said that it would send from.
    pub expected: SocketAddr,
    /// The last address that valid RTP came from, if any ever did.
    pub last_source: Option<SocketAddr>,
    /// For how long nothing valid came.
    pub silent_for: Duration,
    /// Valid packets before the silence.
    pub received: u64,
    /// Packets dropped because they came from elsewhere or were not RTP.
    pub rejected: u64,
    /// RTCP came meanwhile: the peer lives, its speech does not arrive.
    pub rtcp_alive: bool,
}

/// What went over a leg.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stats {
    /// RTP packets from the peer that were valid.
    pub received: u64,
    /// RTP packets sent to the peer.
    pub sent: u64,
    /// Packets missing in the peer's sequence.
    pub lost: u64,
    /// Packets dropped: not RTP, of another source, or out of range.
    pub rejected: u64,
    /// Those among them that should have been made with the party's key and were not.
    pub unauthenticated: u64,
    /// Interarrival jitter (RFC 3550 §6.4.1) of what was received.
    pub jitter: Duration,
    /// The loss that the peer reported of what we sent.
    pub remote_lost: Option<u64>,
    /// Round trip by RTCP (RFC 3550 §6.4.1), if the peer reports.
    pub round_trip: Option<Duration>,
    /// The whole call as it came from the peer.
    pub here: Option<Voice>,
    /// The whole call as the peer heard it, by its reports.
    pub there: Option<Voice>,
    /// What those who decoded the peer's speech here made of it, if somebody did.
    pub heard: Option<Decoded>,
    /// Presses received.
    pub digits: u64,
}
