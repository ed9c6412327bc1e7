//! How much speech is in a packet (RFC 8866 §6.4).

use crate::sdp::Media;
use std::time::Duration;

/// What we ask for, in milliseconds.
pub(super) const OURS_MS: u16 = 20;

/// Whole tens of milliseconds from 10 to 60, what telephones send: as the peer wants it, and never more than it takes.
pub(super) fn asked_by(theirs: &Media) -> Duration {
    let most = theirs.packet_time_max_ms.unwrap_or(u16::MAX);
    let tens = theirs.packet_time_ms.unwrap_or(OURS_MS).min(most) / 10;
    Duration::from_millis(u64::from(tens.clamp(1, 6)) * 10)
}
