//! Somebody who guesses ports and sends speech of their own there: nobody ever hears it.

use super::voices::{STRANGER, Voices};
use super::wheel::{Packet, What};
use crate::phones::Talk;
use base::Rng;
use media::PacketKind;
use std::net::{Ipv4Addr, SocketAddr};

/// Fewer in a row than are believed of an address that nobody has named.
const IN_A_ROW: u16 = 3;

/// A few packets as the party of this dialog might send them, by another source and from elsewhere.
pub(super) fn packets(rng: &mut Rng, talk: &Talk, voices: &mut Voices) -> Vec<Packet> {
    let from = SocketAddr::from((Ipv4Addr::new(198, 51, 100, 66), 10_000 + rng.below(50_000) as u16));
    let (ssrc, first) = (rng.next_u32(), rng.next_u32() as u16);
    let (payload_type, codec) = talk.speech;
    let packet = |nth: u16| {
        let mut bytes = vec![0x80, payload_type];
        bytes.extend(first.wrapping_add(nth).to_be_bytes());
        bytes.extend((u32::from(nth) * codec.clock_rate() / 50).to_be_bytes());
        bytes.extend(ssrc.to_be_bytes());
        bytes.extend(voices.says(STRANGER, codec, u32::from(nth)));
        Packet { kind: PacketKind::Rtp, from, to: talk.remote, what: Some(What::Stray), bytes }
    };
    (0..IN_A_ROW).map(packet).collect()
}
