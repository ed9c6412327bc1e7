//! The handshake that a leg has its keys from: when there is to be one, and what has become of it.

use std::sync::Arc;

use base::Time;
use media_api::{Event, Handshake, Security};

use super::Leg;
use super::protection::Protection;
use crate::api::{HandshakeAct, HandshakePeer, HandshakeTold, PacketKind};
use crate::outbox::Outbox;

/// Which handshakes a leg had.
#[derive(Debug, Default)]
pub(super) struct Handshaking {
    current: Option<Association>,
    /// How many were begun: the number of the last.
    begun: u32,
}

#[derive(Debug)]
struct Association {
    peer: Arc<HandshakePeer>,
    tls_id: Option<String>,
    /// It has given keys. A leg that moves may be told them twice.
    is_keyed: bool,
    /// It came to nothing, or was closed.
    is_over: bool,
}

impl Association {
    /// RFC 8842 §4: another one is asked for by another name or another certificate.
    fn is_for(&self, agreed: &Handshake) -> bool {
        !self.is_over && self.peer.fingerprints == agreed.fingerprints && self.tls_id == agreed.tls_id
    }
}

impl Handshaking {
    /// Whether there are to be keys and are none yet.
    pub(super) fn awaits(&self, protection: &Protection) -> bool {
        self.current.as_ref().is_some_and(|current| !current.is_over) && !protection.passes()
    }
}

impl Leg {
    /// Begins the handshake that is agreed, if it is another one than before, or ends what is not agreed any more.
    pub(crate) fn agree_handshake(&mut self, security: &Security, out: &mut Outbox) {
        let Security::Handshake(agreed) = security else { return self.end_handshake(out) };
        let handshaking = &mut self.handshaking;
        if handshaking.current.as_ref().is_some_and(|current| current.is_for(agreed)) {
            return;
        }
        let peer = HandshakePeer { fingerprints: agreed.fingerprints.clone(), offerer: agreed.offerer };
        let peer = Arc::new(peer);
        handshaking.begun = handshaking.begun.wrapping_add(1);
        let (with, tls_id) = (Arc::clone(&peer), agreed.tls_id.clone());
        handshaking.current = Some(Association { peer: with, tls_id, is_keyed: false, is_over: false });
        out.handshake(self.id, handshaking.begun, HandshakeAct::Begin(peer));
    }

    /// Passes a datagram of the party on to the handshake that is agreed.
    pub(super) fn pass_handshake(&self, datagram: &[u8], out: &mut Outbox) {
        if self.handshaking.current.as_ref().is_some_and(|current| !current.is_over) {
            out.handshake_datagram(self.id, self.handshaking.begun, datagram);
        }
    }

    /// No handshake is needed any more.
    pub(crate) fn end_handshake(&mut self, out: &mut Outbox) {
        if self.handshaking.current.take().is_some() {
            out.handshake(self.id, self.handshaking.begun, HandshakeAct::End);
        }
    }

    /// Takes what has become of a handshake, if it is the one that is agreed.
    pub(crate) fn handshake_told(
        &mut self,
        now: Time,
        number: u32,
        told: HandshakeTold<'_>,
        out: &mut Outbox,
    ) {
        let current = self.handshaking.current.as_mut().filter(|current| !current.is_over);
        let Some(current) = current.filter(|_| number == self.handshaking.begun) else { return };
        match told {
            HandshakeTold::Datagram(datagram) => {
                let to = self.ice.as_ref().and_then(|ice| ice.shaken(now));
                let Some(to) = to else { return };
                out.send(self.id, PacketKind::Rtp, to, |bytes| bytes.extend_from_slice(datagram));
            }
            HandshakeTold::Keys(_) if current.is_keyed => {}
            HandshakeTold::Keys(keys) => {
                current.is_keyed = true;
                self.protection.take_keys(now, &keys);
                out.event(Event::Secured { leg: self.id, keys: keys.terms() });
            }
            HandshakeTold::Failed(why) => {
                current.is_over = true;
                self.protection.lose_keys();
                out.event(Event::HandshakeFailed { leg: self.id, why });
            }
            HandshakeTold::Closed => {
                current.is_over = true;
                self.protection.lose_keys();
            }
        }
        self.begin_to_play(now);
    }
}
