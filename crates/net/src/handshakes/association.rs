use super::certificate::{described, is_one_of};
use super::{MediaCertificate, Told};
use dimpl::{Config, Dtls, Error, KeyingMaterial, Output, SrtpProfile};
use media::HandshakePeer;
use media_api::{KeyExchange, Keys, MasterKey, Suite};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a peer may take until both sides have proved themselves. Its checks of the way come first.
pub(super) const TIME_TO_SHAKE: Duration = Duration::from_secs(30);
/// More than a datagram of ours, and than what a peer may send as data.
const BUFFER: usize = 2048;
/// The longest that a record of DTLS can be.
const BUFFER_MAX: usize = 1 << 16;

/// One peer's handshake, and what is kept of it afterwards: a close, and the last flight again if it was lost.
pub(super) struct Association {
    dtls: Dtls,
    peer: Arc<HandshakePeer>,
    stage: Stage,
    begun: Instant,
    due: Instant,
    buffer: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The peer has sent nothing.
    Awaited,
    /// It has.
    Shaking,
    /// Its certificate is the one that SIP told.
    Known,
    /// It has the key of it, and we have the keys of SRTP.
    Keyed,
}

impl Association {
    /// We wait: the peer begins (`a=setup:active`).
    pub(super) fn new(
        config: &Arc<Config>,
        certificate: &MediaCertificate,
        peer: Arc<HandshakePeer>,
        now: Instant,
    ) -> Association {
        let dtls = Dtls::new_12(Arc::clone(config), certificate.to_dtls(), now);
        let due = now + TIME_TO_SHAKE;
        Association { dtls, peer, stage: Stage::Awaited, begun: now, due, buffer: vec![0; BUFFER] }
    }

    /// When it wants to be woken.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// The peer has sent this. False if nothing more comes of the association.
    pub(super) fn datagram(&mut self, now: Instant, bytes: &[u8], told: &mut dyn FnMut(Told)) -> bool {
        if self.stage == Stage::Awaited {
            self.stage = Stage::Shaking;
        }
        self.go_on(now, Some(bytes), told)
    }

    /// Its time has come. False if nothing more comes of the association.
    pub(super) fn timeout(&mut self, now: Instant, told: &mut dyn FnMut(Told)) -> bool {
        if self.stage != Stage::Keyed && now >= self.begun + TIME_TO_SHAKE {
            told(Told::Failed(self.too_late()));
            return false;
        }
        self.go_on(now, None, told)
    }

    /// A library that breaks off takes this association with it and no other.
    fn go_on(&mut self, now: Instant, bytes: Option<&[u8]>, told: &mut dyn FnMut(Told)) -> bool {
        let gone_on = catch_unwind(AssertUnwindSafe(|| {
            self.dtls.handle_timeout(now).map_err(|error| explained(&error))?;
            if let Some(bytes) = bytes {
                self.dtls.handle_packet(bytes).map_err(|error| explained(&error))?;
            }
            self.drain(told)
        }));
        match gone_on {
            Ok(Ok(goes_on)) => goes_on,
            Ok(Err(why)) => {
                told(Told::Failed(why));
                false
            }
            Err(_) => {
                let why = "the library of DTLS broke off over what the peer sent; its message is in the log: \
                           please report it";
                told(Told::Failed(why.to_owned()));
                false
            }
        }
    }

    fn drain(&mut self, told: &mut dyn FnMut(Told)) -> Result<bool, String> {
        let mut is_connected = false;
        let mut is_open = true;
        loop {
            let room = self.buffer.len();
            match self.dtls.poll_output(&mut self.buffer) {
                Output::Packet(bytes) => told(Told::Datagram(bytes.into())),
                Output::PeerCert(certificate) => {
                    if !is_one_of(&self.peer.fingerprints, certificate) {
                        return Err(unknown(certificate));
                    }
                    self.stage = Stage::Known;
                }
                Output::Connected => is_connected = true,
                Output::KeyingMaterial(material, profile) if self.stage == Stage::Known => {
                    let keys = cut(&material, profile, &self.peer).ok_or_else(no_profile)?;
                    self.stage = Stage::Keyed;
                    told(Told::Keys(Box::new(keys)));
                }
                Output::CloseNotify => is_open = false,
                Output::BufferTooSmall { needed } if needed > room && needed <= BUFFER_MAX => {
                    self.buffer.resize(needed, 0);
                }
                Output::BufferTooSmall { .. } => {
                    return Err("a record of DTLS of no possible length".to_owned());
                }
                Output::Timeout(at) => {
                    self.due = match self.stage {
                        Stage::Keyed => at,
                        _ => at.min(self.begun + TIME_TO_SHAKE),
                    };
                    break;
                }
                // There are no channels for data here.
                _ => {}
            }
        }
        if is_connected && self.stage != Stage::Keyed {
            return Err(no_profile());
        }
        if !is_open {
            told(Told::Closed);
        }
        Ok(is_open)
    }

    fn too_late(&self) -> String {
        let seconds = TIME_TO_SHAKE.as_secs();
        match self.stage {
            Stage::Awaited => format!(
                "no DTLS handshake came from the peer within {seconds} s: its packets do not reach the media ports, or it \
                 found no way to them; look at the address that is offered to it and at the firewall before it, or give \
                 the peer a TURN server"
            ),
            _ => format!(
                "the DTLS handshake came to no end within {seconds} s: packets of it are lost on the way in one direction; \
                 look at the firewall, and whether packets of 1200 bytes pass"
            ),
        }
    }
}

fn unknown(certificate: &[u8]) -> String {
    format!(
        "the peer's certificate ({}) is none of those that SIP told: something on the way of SIP has changed \
         a=fingerprint, or somebody else sits on the media's way; connect the peer to SIP by TLS or secure WebSockets \
         without a server in between",
        described(certificate)
    )
}

fn no_profile() -> String {
    "the peer's DTLS offers no SRTP that is spoken here: let it offer SRTP_AES128_CM_HMAC_SHA1_80 or AES-GCM"
        .to_owned()
}

fn explained(error: &Error) -> String {
    match error {
        Error::Timeout(_) => {
            "the peer's answers in the DTLS handshake did not come: packets are lost on the way in one direction; look at \
             the firewall, and whether packets of 1200 bytes pass"
                .to_owned()
        }
        Error::SecurityError(what) => format!(
            "the DTLS handshake failed: {what}; the peer must speak DTLS 1.2 with an ECDSA certificate, as every browser \
             of today does"
        ),
        other => format!("the DTLS handshake failed: {other}; look at what the peer says of it (chrome://webrtc-internals)"),
    }
}

/// RFC 5764 §4.2: the client's key, the server's, the client's salt, the server's. We are the server.
fn cut(material: &KeyingMaterial, profile: SrtpProfile, peer: &HandshakePeer) -> Option<Keys> {
    let suite = match profile {
        SrtpProfile::AES128_CM_SHA1_80 => Suite::AesCm128HmacSha1Tag80,
        SrtpProfile::AEAD_AES_128_GCM => Suite::AesGcm128,
        SrtpProfile::AEAD_AES_256_GCM => Suite::AesGcm256,
        _ => return None,
    };
    let (keys, salts) = material.split_at_checked(2 * suite.key_length())?;
    let (their_key, our_key) = keys.split_at_checked(suite.key_length())?;
    let (their_salt, our_salt) = salts.split_at_checked(suite.salt_length())?;
    let master = |key: &[u8], salt: &[u8]| {
        let whole = zeroize::Zeroizing::new([key, salt].concat());
        MasterKey::from_bytes(suite, &whole)
    };
    Some(Keys {
        ours: master(our_key, our_salt)?,
        theirs: master(their_key, their_salt)?,
        their_name: None,
        exchange: KeyExchange::Dtls,
        offerer: peer.offerer,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use media_api::Offerer;

    #[test]
    fn keys_are_cut_in_the_order_of_rfc_5764_and_ours_are_the_servers() {
        for (profile, key, salt) in [
            (SrtpProfile::AES128_CM_SHA1_80, 16, 14),
            (SrtpProfile::AEAD_AES_128_GCM, 16, 12),
            (SrtpProfile::AEAD_AES_256_GCM, 32, 12),
        ] {
            let bytes = [vec![1; key], vec![2; key], vec![3; salt], vec![4; salt]].concat();
            let peer = HandshakePeer { fingerprints: Vec::new(), offerer: Offerer::Us };
            let keys = cut(&KeyingMaterial::new(&bytes), profile, &peer).unwrap();
            assert_eq!((keys.theirs.key(), keys.theirs.salt()), (&vec![1; key][..], &vec![3; salt][..]));
            assert_eq!((keys.ours.key(), keys.ours.salt()), (&vec![2; key][..], &vec![4; salt][..]));
            assert_eq!((keys.exchange, keys.offerer), (KeyExchange::Dtls, Offerer::Us));
            assert!(cut(&KeyingMaterial::new(&bytes[1..]), profile, &peer).is_none());
        }
    }
}
