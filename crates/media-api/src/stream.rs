//! What offer and answer agreed for one party's speech.

use crate::{Codec, Security};
use std::net::SocketAddr;
use std::time::Duration;

/// Who may send on a stream, seen from our side (RFC 3264 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both sides send.
    SendRecv,
    /// Only we send.
    SendOnly,
    /// Only the peer sends.
    RecvOnly,
    /// Nobody sends.
    Inactive,
}

/// What offer and answer agreed for one leg.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Where the peer asked for its RTP. Packets from elsewhere move it only after validation.
    pub remote: SocketAddr,
    /// Where the peer asked for its RTCP (RFC 3605; the port after RTP's unless said otherwise). The same as
    /// `remote` where `rtcp_mux` is agreed.
    pub remote_rtcp: SocketAddr,
    /// RTCP comes and goes by the socket of RTP (RFC 5761).
    pub rtcp_mux: bool,
    /// What we send.
    pub codec: Codec,
    /// The payload type by which we send it.
    pub payload_type: u8,
    /// How the peer wants to be sent Opus; without meaning for other codecs.
    pub opus: Opus,
    /// Telephone-events (RFC 4733), if both sides have them.
    pub digits: Option<Digits>,
    /// Both sides know comfort noise (RFC 3389) as payload type 13: silence may be left out.
    pub comfort_noise: bool,
    /// What the peer may send besides `codec` and `digits` by their numbers: other codecs of its answer to us, and
    /// the same ones by the numbers that we gave them, where the peer has given its own.
    pub also: Vec<(u8, Payload)>,
    /// Who sends.
    pub direction: Direction,
    /// The speech in one packet that the peer asked for. What is relayed keeps its sender's; what we write lasts 20 ms.
    pub packet_time: Duration,
    /// The number of the header extension in which the peer may say how loud it speaks (RFC 6464).
    pub audio_level: Option<u8>,
    /// What the peer is told of who speaks, where it hears several at once.
    pub speakers: SpeakersTold,
    /// What protects it.
    pub security: Security,
}

/// What a listener of a room is told, in each packet, of those whose speech is in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SpeakersTold {
    /// Nothing: the header of RTP has its shortest form, which every device reads.
    #[default]
    Nothing,
    /// Who they are: the list of contributing sources (RFC 3550 §5.1), each by [`crate::LegId::source`].
    Names,
    /// Also how loud each of them is (RFC 6465), in the header extension of this number.
    Levels(u8),
}

/// Telephone-events of one clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digits {
    /// By which they are sent, and received.
    pub payload_type: u8,
    /// Ticks a second of what they call a duration. That of the codec's clock, but for peers that have only the one
    /// of 8 000 beside another codec.
    pub clock_rate: u32,
}

/// How a party wants to be sent Opus (RFC 7587 §6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opus {
    /// `useinbandfec`: it makes use of forward error correction.
    pub fec: bool,
    /// `usedtx`: what is silent may be left out.
    pub dtx: bool,
    /// `stereo`: it would rather have two channels; it gets one.
    pub stereo: bool,
    /// `cbr`: every packet is to be of the same size. What we write is; what is passed on is as its sender writes it.
    pub constant_bit_rate: bool,
    /// `maxaveragebitrate` in bits a second, 6 000 to 510 000.
    pub bit_rate_max: Option<u32>,
    /// `maxplaybackrate` in Hz, 8 000 to 48 000: more than that is not heard there.
    pub playback_rate_max: u32,
}

impl Default for Opus {
    /// What holds where nothing is said.
    fn default() -> Opus {
        Opus {
            fec: false,
            dtx: false,
            stereo: false,
            constant_bit_rate: false,
            bit_rate_max: None,
            playback_rate_max: 48_000,
        }
    }
}

/// What a payload type stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Speech.
    Speech(Codec),
    /// A telephone-event whose durations are of this many ticks a second.
    Digits {
        /// Ticks a second.
        clock_rate: u32,
    },
    /// Comfort noise in the place of speech.
    ComfortNoise,
}

/// The payload type of comfort noise at 8 kHz (RFC 3551 §6).
pub const COMFORT_NOISE: u8 = 13;

impl Stream {
    /// One codec both ways and nothing else, packets of 20 ms, RTCP on the next port.
    pub fn plain(remote: SocketAddr, codec: Codec, payload_type: u8) -> Stream {
        Stream {
            remote,
            remote_rtcp: SocketAddr::new(remote.ip(), remote.port().saturating_add(1)),
            rtcp_mux: false,
            codec,
            payload_type,
            opus: Opus::default(),
            digits: None,
            comfort_noise: false,
            also: Vec::new(),
            direction: Direction::SendRecv,
            packet_time: Duration::from_millis(20),
            audio_level: None,
            speakers: SpeakersTold::Nothing,
            security: Security::Plain,
        }
    }

    /// The same with telephone-events of the codec's clock.
    #[must_use]
    pub fn with_digits(self, payload_type: u8) -> Stream {
        let digits = Some(Digits { payload_type, clock_rate: self.codec.clock_rate() });
        Stream { digits, ..self }
    }

    /// What the peer means by a payload type. Comfort noise is understood even where it is not agreed: many send it
    /// all the same.
    pub fn payload(&self, payload_type: u8) -> Option<Payload> {
        // What we have said ourselves goes before what the peer calls its own.
        if let Some((_, payload)) = self.also.iter().find(|(number, _)| *number == payload_type) {
            return Some(*payload);
        }
        if payload_type == self.payload_type {
            return Some(Payload::Speech(self.codec));
        }
        match self.digits {
            Some(digits) if digits.payload_type == payload_type => {
                Some(Payload::Digits { clock_rate: digits.clock_rate })
            }
            _ => (payload_type == COMFORT_NOISE).then_some(Payload::ComfortNoise),
        }
    }

    /// Whether we may send.
    pub fn may_send(&self) -> bool {
        matches!(self.direction, Direction::SendRecv | Direction::SendOnly)
    }

    /// Whether the peer may send.
    pub fn may_receive(&self) -> bool {
        matches!(self.direction, Direction::SendRecv | Direction::RecvOnly)
    }
}
