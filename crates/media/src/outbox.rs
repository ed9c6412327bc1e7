//! What a shard has put out and nobody has taken yet, with one buffer for the bytes of all of it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use media_api::{Codec, Event, LegId, Part};

use crate::api::{HandshakeAct, PacketKind, PacketRef, ShardOutput};

/// More speech than this is not kept for a shell that does not take it: the newest is dropped.
const BYTES_MAX: usize = 4 << 20;

#[derive(Debug, Default)]
pub(crate) struct Outbox {
    outputs: VecDeque<ShardOutput>,
    bytes: Vec<u8>,
}

impl Outbox {
    /// To be called before each input: once everything was taken, the bytes are no longer needed.
    pub(crate) fn begin(&mut self) {
        if self.outputs.is_empty() {
            self.bytes.clear();
        }
    }

    pub(crate) fn pop(&mut self) -> Option<ShardOutput> {
        self.outputs.pop_front()
    }

    pub(crate) fn bytes(&self, packet: PacketRef) -> &[u8] {
        let start = packet.start as usize;
        self.bytes.get(start..start + packet.length as usize).unwrap_or(&[])
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.outputs.push_back(ShardOutput::Event(event));
    }

    pub(crate) fn need_sound(&mut self, source: Arc<str>, codec: Codec) {
        self.outputs.push_back(ShardOutput::NeedSound { source, codec });
    }

    /// Puts out a packet of what `write` appends, if it does, unless there is no room.
    pub(crate) fn send(
        &mut self,
        leg: LegId,
        kind: PacketKind,
        to: SocketAddr,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        if let Some(packet) = self.write(write) {
            self.outputs.push_back(ShardOutput::Send { leg, kind, to, packet });
        }
    }

    /// Puts out a frame of a tapped leg, unless there is no room.
    pub(crate) fn heard(
        &mut self,
        leg: LegId,
        (part, number, is_said, is_told): (Option<Part>, u64, bool, bool),
        said: &[i16],
        told: &[i16],
    ) {
        let packet = self.write(|bytes| {
            let samples = said.iter().zip(told).flat_map(|(said, told)| [*said, *told]);
            bytes.extend(samples.flat_map(i16::to_le_bytes));
        });
        if let Some(packet) = packet {
            self.outputs.push_back(ShardOutput::Heard { leg, part, number, is_said, is_told, packet });
        }
    }

    /// Puts out something that a handshake needs.
    pub(crate) fn handshake(&mut self, leg: LegId, number: u32, act: HandshakeAct) {
        self.outputs.push_back(ShardOutput::Handshake { leg, number, act });
    }

    /// Puts out a datagram for a handshake, unless there is no room.
    pub(crate) fn handshake_datagram(&mut self, leg: LegId, number: u32, datagram: &[u8]) {
        if let Some(packet) = self.write(|bytes| bytes.extend_from_slice(datagram)) {
            self.handshake(leg, number, HandshakeAct::Datagram(packet));
        }
    }

    fn write(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Option<PacketRef> {
        let start = self.bytes.len();
        if start >= BYTES_MAX {
            return None;
        }
        write(&mut self.bytes);
        if self.bytes.len() == start {
            return None;
        }
        Some(PacketRef { start: start as u32, length: (self.bytes.len() - start) as u32 })
    }
}
