//! A party that looks for us (ICE): what of its packets is a check, a handshake or media, and where it is spoken to.

use std::net::SocketAddr;

use base::Time;
use media_api::{Event, Security};

use super::{Leg, is_address};
use crate::api::PacketKind;
use crate::ice::{Change, Ice};
use crate::outbox::Outbox;

/// What a packet is by its first byte, on a socket that several protocols share (RFC 7983 §7).
enum Sort {
    Check,
    Handshake,
    Media,
    /// ZRTP, TURN, QUIC: nothing that was agreed.
    Other,
}

impl Sort {
    fn of(bytes: &[u8]) -> Sort {
        match bytes.first() {
            Some(0..=3) => Sort::Check,
            Some(20..=63) => Sort::Handshake,
            Some(128..=191) => Sort::Media,
            _ => Sort::Other,
        }
    }
}

impl Leg {
    /// Lets the party look for us by the names that are agreed, or no longer.
    pub(crate) fn agree_names(&mut self, now: Time, security: &Security) {
        match (security, &mut self.ice) {
            (Security::Handshake(agreed), Some(ice)) => ice.agree(now, agreed),
            (Security::Handshake(agreed), None) => self.ice = Some(Box::new(Ice::new(now, agreed))),
            (Security::Plain | Security::Keyed(_), _) => self.ice = None,
        }
    }

    /// Whether a packet may be the party's media. Of a party that looks for us all else is done with here, and its media are
    /// only taken by a way that was checked.
    pub(crate) fn takes_as_media(
        &mut self,
        now: Time,
        kind: PacketKind,
        from: SocketAddr,
        bytes: &[u8],
        out: &mut Outbox,
    ) -> bool {
        let Some(ice) = &mut self.ice else { return true };
        let id = self.id;
        let is_taken = match Sort::of(bytes) {
            // All comes by the one socket (RFC 8843 §9.3).
            _ if kind == PacketKind::Rtcp => false,
            Sort::Media => {
                let is_media = ice.takes_media(now, from);
                self.rejected += u64::from(!is_media);
                return is_media;
            }
            Sort::Check => {
                let mut is_theirs = false;
                out.send(id, PacketKind::Rtp, from, |answer| is_theirs = ice.take(now, from, bytes, answer));
                self.follow_way(now, out);
                is_theirs
            }
            Sort::Handshake => {
                let is_taken = ice.takes_handshake(now, from);
                if is_taken {
                    self.pass_handshake(bytes, out);
                }
                is_taken
            }
            Sort::Other => false,
        };
        self.rejected += u64::from(!is_taken);
        false
    }

    /// Tells of the way to the party, if it is another one now or none any more.
    pub(super) fn follow_way(&mut self, now: Time, out: &mut Outbox) {
        let leg = self.id;
        match self.ice.as_mut().and_then(|ice| ice.poll_change(now)) {
            Some(Change::Found(at)) => out.event(Event::PathFound { leg, at }),
            Some(Change::Lost(at, silent_for)) => out.event(Event::PathLost { leg, at, silent_for }),
            None => return,
        }
        self.begin_to_play(now);
    }

    /// Where the party can be spoken to as it is protected now; `None` if it cannot.
    pub(super) fn reachable_at(&self) -> Option<SocketAddr> {
        if !self.protection.passes() {
            return None;
        }
        match &self.ice {
            Some(ice) => ice.selected(),
            None => Some(self.agreed.as_ref()?.source.target()).filter(|target| is_address(*target)),
        }
    }
}
