//! Whether and how a session's media is encrypted: what we offer, what we take (RFC 4568 §5, RFC 8643).
//!
//! Our key in an answer follows from the peer's: it changes exactly when the peer's does, so that both sides begin to
//! count anew together, and a description that says the same again is answered by the same.

use super::Refusal;
use super::lines::PLAIN_RTP;
use crate::sdp::{Crypto, Media};
use crate::ua::WarnCode;
use base::Seed;
use media_api::{KeyExchange, Keys, MasterKey, Offerer, Security, Stream, Suite};
use zeroize::Zeroizing;

/// With feedback (RFC 4585).
const PLAIN_RTP_WITH_FEEDBACK: &str = "RTP/AVPF";
const SECURE_RTP: &str = "RTP/SAVP";
/// With feedback that nobody must send (RFC 5124).
const SECURE_RTP_WITH_FEEDBACK: &str = "RTP/SAVPF";

/// The suites that we offer, what most know first. Others are taken, not offered.
const OFFERED: [Suite; 4] =
    [Suite::AesCm128HmacSha1Tag80, Suite::AesGcm128, Suite::AesGcm256, Suite::AesCm256HmacSha1Tag80];

/// Whether media is to be encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MediaSecurity {
    /// Never: keys that are offered are passed over, and who offers nothing else is refused.
    #[default]
    Off,
    /// If the peer does so, too.
    Optional,
    /// A peer that does not is refused.
    Required,
}

/// How the media of one session is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keying {
    /// Whether.
    pub policy: MediaSecurity,
    /// Keys may stand in our descriptions: nobody on the way can read them, or that was said not to matter.
    pub may_tell: bool,
    /// From which our keys are drawn.
    pub seed: Seed,
}

impl Keying {
    /// Nothing is encrypted.
    pub fn off() -> Keying {
        Keying { policy: MediaSecurity::Off, may_tell: false, seed: Seed::from_number(0) }
    }

    /// The protocol of our offer and the keys in it. What is in force is offered again.
    pub(super) fn offer(&self, in_force: Option<&Stream>, line: Option<&Media>) -> (String, Vec<Crypto>) {
        match in_force.map(|stream| &stream.security) {
            Some(Security::Keyed(keys)) => {
                let protocol = line.map_or(SECURE_RTP, |line| &line.protocol).to_owned();
                (protocol, vec![Crypto { tag: 1, key: keys.ours.clone(), name: None }])
            }
            Some(Security::Plain) if self.policy != MediaSecurity::Required => {
                let spoken = line.map(|line| line.protocol.as_str()).filter(|protocol| is_plain(protocol));
                (spoken.unwrap_or(PLAIN_RTP).to_owned(), Vec::new())
            }
            _ => match self.policy {
                MediaSecurity::Required => (SECURE_RTP.to_owned(), self.offered()),
                MediaSecurity::Optional if self.may_tell => (PLAIN_RTP.to_owned(), self.offered()),
                MediaSecurity::Optional | MediaSecurity::Off => (PLAIN_RTP.to_owned(), Vec::new()),
            },
        }
    }

    /// Whether an offer can be made at all: keys that are required and may not be told cannot.
    pub fn can_offer(&self) -> bool {
        self.policy != MediaSecurity::Required || self.may_tell
    }

    /// How good an offered line of audio is for us: the less the better; nothing if we cannot take it.
    pub(super) fn rank(&self, line: &Media) -> Option<u8> {
        if line.kind != "audio" || line.port == 0 {
            return None;
        }
        let plain = is_plain(&line.protocol) && self.policy != MediaSecurity::Required;
        match self.chosen(line) {
            Some(_) => Some(0),
            None => plain.then_some(1),
        }
    }

    /// What is agreed by our answer to a line that we can take, and the key in that answer.
    pub(super) fn answer(
        &self,
        line: &Media,
        in_force: Option<&Stream>,
    ) -> Option<(Security, Option<Crypto>)> {
        let Some(theirs) = self.chosen(line) else { return Some((Security::Plain, None)) };
        let known = match in_force.map(|stream| &stream.security) {
            Some(Security::Keyed(keys)) if keys.theirs == theirs.key => Some(keys.ours.clone()),
            _ => None,
        };
        let ours = known.or_else(|| self.answering(&theirs.key))?;
        let crypto = Crypto { tag: theirs.tag, key: ours.clone(), name: None };
        Some((keyed(ours, theirs, Offerer::Peer), Some(crypto)))
    }

    /// What is agreed by the peer's answer to our line.
    pub(super) fn answered(&self, ours: &Media, theirs: &Media) -> Result<Security, Refusal> {
        if theirs.port == 0 || theirs.kind != ours.kind {
            return Err(Refusal::not_acceptable(WarnCode::MediaType, "the answer refuses the audio line"));
        }
        let agreed = theirs.crypto.iter().filter(|_| is_known(theirs)).find_map(|theirs| {
            let ours = ours.crypto.iter().find(|ours| ours.tag == theirs.tag)?;
            (ours.key.suite() == theirs.key.suite()).then(|| (ours.key.clone(), theirs))
        });
        if let Some((ours, theirs)) = agreed {
            return Ok(keyed(ours, theirs, Offerer::Us));
        }
        if ours.protocol != theirs.protocol {
            let why = format!("the answer is of {} where {} was offered", theirs.protocol, ours.protocol);
            return Err(Refusal::not_acceptable(WarnCode::Transport, why));
        }
        // Who takes none of the keys, where that is allowed, says so by not naming any.
        let took_one = theirs.mentions_crypto && !ours.crypto.is_empty();
        if took_one || !is_plain(&ours.protocol) {
            let why = "the answer takes none of the keys (a=crypto) that were offered";
            return Err(Refusal::not_acceptable(WarnCode::Attribute, why));
        }
        Ok(Security::Plain)
    }

    /// Why none of the audio lines of an offer could be taken, if it is for their security.
    pub(super) fn refusal(&self, lines: &[Media]) -> Refusal {
        let audio = || lines.iter().filter(|line| line.kind == "audio" && line.port != 0);
        let encrypted = audio().any(Media::is_encrypted_audio);
        let told = audio().any(|line| !line.crypto.is_empty());
        let why = match self.policy {
            MediaSecurity::Off if encrypted => {
                "only encrypted audio (SRTP: RTP/SAVP) is offered, and media_security is off for this peer: set it to \
                 \"optional\", or let the peer offer RTP/AVP, too"
            }
            MediaSecurity::Required if told && !self.may_tell => {
                "media is to be encrypted, and its keys (a=crypto) came by a way that others can read: call by TLS"
            }
            MediaSecurity::Required => {
                "media is to be encrypted (SRTP: RTP/SAVP with a=crypto), and no line of audio offers that"
            }
            _ if encrypted => "the encrypted audio that is offered has no key (a=crypto) of a suite of ours",
            _ => {
                let why = "no line of audio over RTP (RTP/AVP, RTP/SAVP) is offered";
                return Refusal::not_acceptable(WarnCode::MediaType, why);
            }
        };
        Refusal::not_acceptable(WarnCode::Transport, why)
    }

    /// The first of a line's keys that we take.
    fn chosen<'l>(&self, line: &'l Media) -> Option<&'l Crypto> {
        let allowed = match self.policy {
            MediaSecurity::Off => false,
            // Keys that others can read are better than none, where none would do.
            MediaSecurity::Optional => true,
            MediaSecurity::Required => self.may_tell,
        };
        line.crypto.first().filter(|_| allowed && is_known(line))
    }

    fn offered(&self) -> Vec<Crypto> {
        let key = |suite: Suite| drawn(self.seed.named("offer").named(suite.name()), suite);
        let keys = OFFERED.into_iter().filter_map(key);
        keys.zip(1..).map(|(key, tag)| Crypto { tag, key, name: None }).collect()
    }

    fn answering(&self, theirs: &MasterKey) -> Option<MasterKey> {
        let words = theirs
            .as_bytes()
            .chunks(8)
            .map(|chunk| chunk.iter().fold(0u64, |word, byte| word << 8 | u64::from(*byte)));
        let seed = words.fold(self.seed.named("answer"), |seed, word| seed.numbered(word));
        drawn(seed, theirs.suite())
    }
}

/// Whether keys mean something in a line of this protocol: some write them beside plain RTP (RFC 8643).
fn is_known(line: &Media) -> bool {
    is_plain(&line.protocol) || [SECURE_RTP, SECURE_RTP_WITH_FEEDBACK].contains(&line.protocol.as_str())
}

/// Feedback is something that nobody must send.
fn is_plain(protocol: &str) -> bool {
    [PLAIN_RTP, PLAIN_RTP_WITH_FEEDBACK].contains(&protocol)
}

fn drawn(seed: Seed, suite: Suite) -> Option<MasterKey> {
    let mut rng = seed.rng();
    let mut bytes = Zeroizing::new([0; 64]);
    for chunk in bytes.chunks_mut(4) {
        let word = rng.next_u32().to_be_bytes();
        chunk.iter_mut().zip(word).for_each(|(byte, drawn)| *byte = drawn);
    }
    MasterKey::from_bytes(suite, bytes.get(..suite.master_length())?)
}

fn keyed(ours: MasterKey, theirs: &Crypto, offerer: Offerer) -> Security {
    Security::Keyed(Box::new(Keys {
        ours,
        theirs: theirs.key.clone(),
        their_name: theirs.name,
        exchange: KeyExchange::Sdes,
        offerer,
    }))
}
