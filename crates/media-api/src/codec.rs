/// How speech is written in a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// G.711 A-law, the law of European telephone networks.
    Pcma,
    /// G.711 µ-law.
    Pcmu,
    /// G.722 at 64 kbit/s: the wide band of desk phones.
    G722,
    /// Opus (RFC 6716, RFC 7587): browsers and soft phones.
    Opus,
    /// Samples of 16 bits, the high byte first (RFC 3551 §4.5.11): for machines that listen.
    L16,
}

impl Codec {
    /// All of them.
    pub const ALL: [Codec; 5] = [Codec::Opus, Codec::G722, Codec::Pcma, Codec::Pcmu, Codec::L16];

    /// The name of the encoding in `a=rtpmap`, as it is registered.
    pub const fn encoding(self) -> &'static str {
        match self {
            Codec::Pcma => "PCMA",
            Codec::Pcmu => "PCMU",
            Codec::G722 => "G722",
            Codec::Opus => "opus",
            Codec::L16 => "L16",
        }
    }

    /// Samples a second of the speech that it carries.
    pub const fn sample_rate(self) -> u32 {
        match self {
            Codec::Pcma | Codec::Pcmu => 8000,
            Codec::G722 | Codec::L16 => 16_000,
            Codec::Opus => 48_000,
        }
    }

    /// Ticks a second of its RTP timestamps: G.722 says 8 000, an old mistake that is now the rule (RFC 3551 §4.5.2).
    pub const fn clock_rate(self) -> u32 {
        match self {
            Codec::Pcma | Codec::Pcmu | Codec::G722 => 8000,
            Codec::L16 => 16_000,
            Codec::Opus => 48_000,
        }
    }

    /// Channels as `a=rtpmap` says them: Opus always says two (RFC 7587 §7), whatever is in its packets.
    pub const fn channels(self) -> u8 {
        match self {
            Codec::Opus => 2,
            Codec::Pcma | Codec::Pcmu | Codec::G722 | Codec::L16 => 1,
        }
    }

    /// The payload type that stands for it without being said (RFC 3551 §6).
    pub const fn static_payload_type(self) -> Option<u8> {
        match self {
            Codec::Pcmu => Some(0),
            Codec::Pcma => Some(8),
            Codec::G722 => Some(9),
            Codec::Opus | Codec::L16 => None,
        }
    }

    /// What it costs to make this of another: 0 nothing, 1 a table (the two laws of G.711), 2 decoding and encoding.
    pub fn distance(self, other: Codec) -> u8 {
        let is_law = |codec| matches!(codec, Codec::Pcma | Codec::Pcmu);
        match self == other {
            true => 0,
            false if is_law(self) && is_law(other) => 1,
            false => 2,
        }
    }

    /// Whether speech has to be decoded and encoded again to go from the one to the other.
    pub fn is_transcoded_to(self, other: Codec) -> bool {
        self.distance(other) > 1
    }
}
