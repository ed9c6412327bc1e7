//! Speech in packets and back, for each codec that a call can speak.

mod decoder;
mod encoder;

pub use decoder::{Decoder, Undecodable};
pub use encoder::{Encoder, EncoderSettings};

/// No packet holds more than 120 ms of speech (RFC 6716 §3.2.5 for Opus; for the others it is what we take).
pub(crate) const PACKET_MILLIS_MAX: usize = 120;
