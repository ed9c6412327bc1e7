//! What is to happen in a world, in the order in which it does.

use crate::media::Pending;
use crate::network::Way;
use crate::plans::Plan;
use crate::streams::Piece;
use base::Time;
use std::net::SocketAddr;

/// Something that is to happen.
pub(crate) enum Happening {
    /// A datagram, with the exchange's address and the phone's.
    Arrives {
        way: Way,
        phone: usize,
        addresses: [SocketAddr; 2],
        bytes: Vec<u8>,
    },
    Streams(Piece),
    Breaks {
        phone: usize,
        addresses: [SocketAddr; 2],
    },
    NoConnection([SocketAddr; 2]),
    Wake(usize),
    Media(Pending),
    CallIsMade,
    Planned(Plan),
}

/// When. What is due at once comes in the order in which it was planned.
pub(crate) struct Due {
    pub(crate) at: Time,
    pub(crate) order: u64,
    pub(crate) happening: Happening,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}
impl Eq for Due {}
impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}
