//! Somebody who guesses ports and sends speech of their own there, from an address of nobody's or of a phone that talks with
//! somebody else: nobody ever hears it.

use super::voices::{STRANGER, Voices};
use super::wheel::{Packet, What};
use crate::phones::Talk;
use base::Rng;
use media::PacketKind;
use std::net::{Ipv4Addr, SocketAddr};

/// Fewer in a row than are believed of an address that nobody has named.
const FEW: u16 = 3;
/// As many as would move a party that is not heard any more, and more.
const MANY: u16 = 100;

pub(super) struct Stranger {
    from: SocketAddr,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    left: u16,
}

impl Stranger {
    /// From there, or from nobody's address. Who sends to a party that may be silent sends a few packets only, for nobody
    /// could tell the two apart.
    pub(super) fn new(rng: &mut Rng, from: Option<SocketAddr>, is_heard: bool) -> Stranger {
        let nobodys = SocketAddr::from((Ipv4Addr::new(198, 51, 100, 66), 10_000 + rng.below(50_000) as u16));
        Stranger {
            from: from.unwrap_or(nobodys),
            ssrc: rng.next_u32(),
            sequence: rng.next_u32() as u16,
            timestamp: rng.next_u32(),
            left: if is_heard { MANY } else { FEW },
        }
    }

    /// The next packet, as the party of this dialog might send it. None when it has sent all, or when the party that was
    /// heard is not any more.
    pub(super) fn speak(&mut self, is_heard: bool, talk: &Talk, voices: &mut Voices) -> Option<Packet> {
        if self.left == 0 || (self.left > FEW && !is_heard) {
            return None;
        }
        self.left -= 1;
        let (payload_type, codec) = talk.speech;
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(codec.clock_rate() / 50);
        let mut bytes = vec![0x80, payload_type];
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.timestamp.to_be_bytes());
        bytes.extend(self.ssrc.to_be_bytes());
        bytes.extend(voices.says(STRANGER, codec, u32::from(self.left)));
        Some(Packet {
            kind: PacketKind::Rtp,
            from: self.from,
            to: talk.remote,
            what: Some(What::Stray),
            bytes,
        })
    }
}
