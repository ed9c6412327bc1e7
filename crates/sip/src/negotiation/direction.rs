//! Who sends (RFC 3264 §6.1).

use crate::sdp::Media;
use media_api::Direction;

/// What a line of the peer's leaves to us. Hold by the address 0.0.0.0 (RFC 2543) is hold.
pub(super) fn left_by(theirs: &Media) -> Direction {
    let direction = match theirs.direction {
        Direction::SendOnly => Direction::RecvOnly,
        Direction::RecvOnly => Direction::SendOnly,
        same => same,
    };
    if theirs.is_held_by_address() { both(direction, Direction::RecvOnly) } else { direction }
}

/// What both allow.
pub(super) fn both(one: Direction, two: Direction) -> Direction {
    let sends = |direction| matches!(direction, Direction::SendRecv | Direction::SendOnly);
    let receives = |direction| matches!(direction, Direction::SendRecv | Direction::RecvOnly);
    match (sends(one) && sends(two), receives(one) && receives(two)) {
        (true, true) => Direction::SendRecv,
        (true, false) => Direction::SendOnly,
        (false, true) => Direction::RecvOnly,
        (false, false) => Direction::Inactive,
    }
}
