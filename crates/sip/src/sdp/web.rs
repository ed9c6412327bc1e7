//! What browsers say of a media line (RFC 8829): how it is found, who they are, and which lines go together.

use super::fingerprint::fingerprint;
use super::{Candidate, Setup};
use media_api::Fingerprint;
use std::fmt::Write as _;

/// What is kept of one line; more is passed over.
const CANDIDATES_MAX: usize = 32;
const FINGERPRINTS_MAX: usize = 8;
const EXTENSIONS_MAX: usize = 16;
/// The longest name that is kept: of a line, a stream, a handshake, a header extension.
const NAME_MAX: usize = 256;

/// A header extension that says how loud a packet is (RFC 6464).
pub const AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";

/// A header extension that says how loud each of those is whom a mix is made of (RFC 6465).
pub const MIXER_LEVEL: &str = "urn:ietf:params:rtp-hdrext:csrc-audio-level";

/// What a description says of a line in the words of browsers, each as it stands there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Web {
    /// `a=mid`: the line's name (RFC 5888).
    pub mid: Option<String>,
    /// `a=ice-ufrag`.
    pub ice_ufrag: Option<String>,
    /// `a=ice-pwd`.
    pub ice_pwd: Option<String>,
    /// `a=ice-options:trickle`: more ways may come later.
    pub trickles: bool,
    /// `a=ice-options:ice2`: it is of RFC 8445, which nominates one way at a time.
    pub ice2: bool,
    /// `a=candidate`, as far as it is RTP over UDP and an address.
    pub candidates: Vec<Candidate>,
    /// `a=end-of-candidates`.
    pub has_all_candidates: bool,
    /// `a=fingerprint`, of the hashes that are a proof.
    pub fingerprints: Vec<Fingerprint>,
    /// `a=setup`.
    pub setup: Option<Setup>,
    /// `a=tls-id` (RFC 8842).
    pub tls_id: Option<String>,
    /// `a=extmap`: header extensions of RTP, by number and name (RFC 8285).
    pub extensions: Vec<(u8, String)>,
    /// `a=msid`: the stream and the track that the line belongs to (RFC 8830).
    pub msid: Option<String>,
}

impl Web {
    /// Takes an attribute. Of what stands for all lines and again at one, that of the line holds.
    pub(super) fn read(&mut self, name: &str, value: &str) {
        let value = value.trim();
        let named = || (!value.is_empty() && value.len() <= NAME_MAX).then(|| value.to_owned());
        match name {
            "mid" => self.mid = named(),
            "ice-ufrag" => self.ice_ufrag = named(),
            "ice-pwd" => self.ice_pwd = named(),
            "ice-options" => {
                let has = |option| value.split_ascii_whitespace().any(|word| word == option);
                (self.trickles, self.ice2) = (has("trickle"), has("ice2"));
            }
            "candidate" if self.candidates.len() < CANDIDATES_MAX => {
                self.candidates.extend(Candidate::parse(value));
            }
            "fingerprint" if self.fingerprints.len() < FINGERPRINTS_MAX => {
                self.fingerprints.extend(fingerprint(value));
            }
            "setup" => self.setup = Setup::named(value),
            "tls-id" => self.tls_id = named(),
            "extmap" if self.extensions.len() < EXTENSIONS_MAX => self.extensions.extend(extension(value)),
            "msid" => self.msid = named(),
            _ => {}
        }
    }

    /// Takes an attribute without a value.
    pub(super) fn read_flag(&mut self, name: &str) {
        self.has_all_candidates |= name == "end-of-candidates";
    }

    /// What the session says for all its lines holds for this one, as far as it says nothing itself.
    pub(super) fn inherit(&mut self, session: &Web) {
        if self.ice_ufrag.is_none() && self.ice_pwd.is_none() {
            (self.ice_ufrag, self.ice_pwd) = (session.ice_ufrag.clone(), session.ice_pwd.clone());
        }
        if self.fingerprints.is_empty() {
            self.fingerprints.clone_from(&session.fingerprints);
        }
        self.trickles |= session.trickles;
        self.ice2 |= session.ice2;
        self.setup = self.setup.or(session.setup);
        self.tls_id = self.tls_id.take().or_else(|| session.tls_id.clone());
    }

    /// The number by which packets say how loud they are.
    pub fn audio_level(&self) -> Option<u8> {
        self.extensions.iter().find(|(_, name)| name == AUDIO_LEVEL).map(|(number, _)| *number)
    }

    /// The number by which packets say how loud those are whom they are mixed of.
    pub fn mixer_level(&self) -> Option<u8> {
        self.extensions.iter().find(|(_, name)| name == MIXER_LEVEL).map(|(number, _)| *number)
    }

    pub(super) fn push_to(&self, text: &mut String) {
        let mut push = |name: &str, value: &Option<String>| {
            if let Some(value) = value {
                let _ = write!(text, "a={name}:{value}\r\n");
            }
        };
        push("mid", &self.mid);
        push("msid", &self.msid);
        push("ice-ufrag", &self.ice_ufrag);
        push("ice-pwd", &self.ice_pwd);
        push("tls-id", &self.tls_id);
        let options = [(self.trickles, "trickle"), (self.ice2, "ice2")];
        let options: Vec<&str> = options.into_iter().filter_map(|(has, word)| has.then_some(word)).collect();
        if !options.is_empty() {
            let _ = write!(text, "a=ice-options:{}\r\n", options.join(" "));
        }
        self.candidates.iter().for_each(|candidate| candidate.push_to(text));
        if self.has_all_candidates {
            text.push_str("a=end-of-candidates\r\n");
        }
        for fingerprint in &self.fingerprints {
            let _ = write!(text, "a=fingerprint:{fingerprint}\r\n");
        }
        if let Some(setup) = self.setup {
            let _ = write!(text, "a=setup:{}\r\n", setup.word());
        }
        for (number, name) in &self.extensions {
            // Mixes are ours, and never theirs.
            let direction = if name == MIXER_LEVEL { "/sendonly" } else { "" };
            let _ = write!(text, "a=extmap:{number}{direction} {name}\r\n");
        }
    }
}

/// `1 urn:…` or `2/recvonly urn:…`, and perhaps what the extension itself says.
fn extension(value: &str) -> Option<(u8, String)> {
    let mut words = value.split_ascii_whitespace();
    let mut place = words.next()?.split('/');
    let number = place.next()?.parse().ok().filter(|number| (1..=255).contains(number))?;
    let name = words.next().filter(|name| name.len() <= NAME_MAX)?;
    // Who does not want to be told how loud others are need not be answered.
    if name == MIXER_LEVEL && matches!(place.next(), Some("sendonly" | "inactive")) {
        return None;
    }
    Some((number, name.to_owned()))
}
