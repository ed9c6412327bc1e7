//! Sessions with browsers: found by ICE, keyed by a handshake on the media's own path (RFC 8829, RFC 5763). We are
//! ICE-lite and passive: the browser looks for us, and begins.

use super::Refusal;
use crate::sdp::{AUDIO_LEVEL, Candidate, MIXER_LEVEL, Media, Setup, Web};
use crate::ua::WarnCode;
use base::Seed;
use media_api::{Fingerprint, Handshake, IceCredentials, Offerer, Security, SpeakersTold};
use std::net::{IpAddr, SocketAddr};

/// What browsers offer (RFC 8829 §5.1.2), and the same without feedback.
pub(super) const PROTOCOL: &str = "UDP/TLS/RTP/SAVPF";
const WITHOUT_FEEDBACK: &str = "UDP/TLS/RTP/SAVP";
/// The name of our line where the peer has given none.
const MID: &str = "0";
/// The stream that our line is said to belong to, and its track.
const MSID: &str = "cornetta audio";
/// The number that we offer for how loud a packet is.
const AUDIO_LEVEL_NUMBER: u8 = 1;
/// The number that we offer for how loud those are whom a mix is made of.
const MIXER_LEVEL_NUMBER: u8 = 2;
const UFRAG_LENGTH: usize = 8;
/// More than 128 bits of chance (RFC 8445 §5.3).
const PASSWORD_LENGTH: usize = 26;

/// Which of our offers of a session looks for the peer anew, or for the first time: from 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Restart(pub(super) u32);

/// Where we are reached: as the description says, and perhaps at another address too.
pub(super) type Place = (SocketAddr, Option<IpAddr>);

/// How we let browsers find and know us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshaking {
    /// That of our certificate.
    pub fingerprint: Fingerprint,
    /// From which our names are drawn.
    pub seed: Seed,
    /// Our offers are for a browser; otherwise only theirs are answered.
    pub offers: bool,
}

impl Handshaking {
    /// Whether a line that is offered is one of a browser that we can answer.
    pub(super) fn takes(&self, line: &Media) -> bool {
        let may_be_active = matches!(line.web.setup, Some(Setup::ActPass | Setup::Active));
        is_browsers(line) && line.rtcp_mux && may_be_active && theirs(line).is_some()
    }

    /// What is agreed by our answer to such a line, if this is one. Our names change exactly when the peer's do (RFC 8839 §4.4.1).
    pub(super) fn answer(&self, line: &Media, in_force: Option<&Handshake>) -> Option<Handshake> {
        let theirs = theirs(line).filter(|_| self.takes(line))?;
        let known = in_force.filter(|agreed| agreed.theirs == theirs).map(|agreed| agreed.ours.clone());
        let drawn = || self.names(self.seed.named("answer").named(theirs.ufrag()).named(theirs.password()));
        let ours = known.or_else(drawn)?;
        Some(handshake(ours, theirs, line, Offerer::Peer))
    }

    /// What our answer says of it.
    pub(super) fn answered_web(&self, line: &Media, agreed: &Handshake, place: Place) -> Web {
        let theirs = [(line.web.audio_level(), AUDIO_LEVEL), (line.web.mixer_level(), MIXER_LEVEL)];
        let extensions = theirs.into_iter().filter_map(|(number, name)| Some((number?, name.to_owned())));
        Web {
            mid: line.web.mid.clone(),
            setup: Some(Setup::Passive),
            extensions: extensions.collect(),
            ..self.web(&agreed.ours, place)
        }
    }

    /// What our offer says. As long as the session lives its line, which was written `before`, keeps its name and the numbers
    /// of its header extensions (RFC 8285 §5); our names are those in force, or drawn for this restart.
    pub(super) fn offered_web(
        &self,
        ours: Result<&Handshake, Restart>,
        before: Option<&Web>,
        place: Place,
    ) -> Option<Web> {
        let ours = match ours {
            Ok(in_force) => in_force.ours.clone(),
            Err(Restart(number)) => self.names(self.seed.named("offer").numbered(u64::from(number)))?,
        };
        let first = || {
            let ours = [(AUDIO_LEVEL_NUMBER, AUDIO_LEVEL), (MIXER_LEVEL_NUMBER, MIXER_LEVEL)];
            ours.map(|(number, name)| (number, name.to_owned())).to_vec()
        };
        Some(Web {
            mid: Some(before.and_then(|web| web.mid.as_deref()).unwrap_or(MID).to_owned()),
            setup: Some(Setup::ActPass),
            extensions: before.map_or_else(first, |web| web.extensions.clone()),
            ..self.web(&ours, place)
        })
    }

    fn names(&self, seed: Seed) -> Option<IceCredentials> {
        let mut rng = seed.rng();
        let ufrag = rng.token(UFRAG_LENGTH);
        IceCredentials::new(&ufrag, &rng.token(PASSWORD_LENGTH))
    }

    fn web(&self, ours: &IceCredentials, (local, also): Place) -> Web {
        let port = local.port();
        let also = also.filter(|also| *also != local.ip()).map(|also| Candidate::second(also, port));
        let first = Candidate::host(local.ip(), port);
        Web {
            ice_ufrag: Some(ours.ufrag().to_owned()),
            ice_pwd: Some(ours.password().to_owned()),
            ice2: true,
            candidates: [Some(first), also].into_iter().flatten().collect(),
            has_all_candidates: true,
            fingerprints: vec![self.fingerprint.clone()],
            msid: Some(MSID.to_owned()),
            ..Web::default()
        }
    }
}

/// What is agreed by the peer's answer to such a line of ours.
pub(super) fn taken(ours: &Media, line: &Media) -> Result<Handshake, Refusal> {
    let refuse = |why: &str| Refusal::not_acceptable(WarnCode::Attribute, why);
    if !is_browsers(line) {
        return Err(refuse("the answer refuses the audio line, or is of another protocol"));
    }
    if line.web.setup != Some(Setup::Active) {
        return Err(refuse("the answer does not begin the handshake: a=setup must be active"));
    }
    if !line.rtcp_mux {
        return Err(refuse("the answer keeps RTCP apart: there is no a=rtcp-mux"));
    }
    let Some((theirs, ours)) = theirs(line).zip(names_of(&ours.web)) else {
        return Err(refuse(
            "the answer has no a=fingerprint of SHA-256 or better, or no a=ice-ufrag and a=ice-pwd",
        ));
    };
    Ok(handshake(ours, theirs, line, Offerer::Us))
}

/// What a browser is told of who speaks. Each knows contributing sources (`getContributingSources()`).
pub(super) fn speakers(security: &Security, theirs: &Media) -> SpeakersTold {
    match security {
        Security::Handshake(_) => theirs.web.mixer_level().map_or(SpeakersTold::Names, SpeakersTold::Levels),
        Security::Plain | Security::Keyed(_) => SpeakersTold::Nothing,
    }
}

/// Whether a line is of the protocol of browsers.
pub(super) fn is_browsers(line: &Media) -> bool {
    line.kind == "audio" && line.port != 0 && [PROTOCOL, WITHOUT_FEEDBACK].contains(&line.protocol.as_str())
}

/// Why a peer is not taken that is ICE-lite as we are.
pub(super) fn nobody_looks() -> Refusal {
    let why = "the peer only waits to be found (a=ice-lite), as we do: neither would look for the other";
    Refusal::not_acceptable(WarnCode::Attribute, why)
}

/// Why an offer of a browser is not taken.
pub(super) fn refusal(line: &Media, is_spoken: bool) -> Refusal {
    let why = match line.web.setup {
        _ if !is_spoken => {
            "audio as of a browser (UDP/TLS/RTP/SAVPF: ICE and DTLS-SRTP) is offered, and that is not spoken here yet: let \
             the peer offer RTP/AVP or RTP/SAVP"
        }
        _ if !line.rtcp_mux => "the browser's audio keeps RTCP apart: there is no a=rtcp-mux",
        Some(Setup::Passive | Setup::HoldConn) => {
            "the browser's audio waits for our handshake: a=setup must be actpass"
        }
        None => "the browser's audio does not say who begins the handshake: there is no a=setup",
        _ => "the browser's audio has no a=fingerprint of SHA-256 or better, or no a=ice-ufrag and a=ice-pwd",
    };
    Refusal::not_acceptable(WarnCode::Transport, why)
}

fn theirs(line: &Media) -> Option<IceCredentials> {
    names_of(&line.web).filter(|_| !line.web.fingerprints.is_empty())
}

fn names_of(web: &Web) -> Option<IceCredentials> {
    IceCredentials::new(web.ice_ufrag.as_deref()?, web.ice_pwd.as_deref()?)
}

fn handshake(ours: IceCredentials, theirs: IceCredentials, line: &Media, offerer: Offerer) -> Handshake {
    let (fingerprints, tls_id) = (line.web.fingerprints.clone(), line.web.tls_id.clone());
    Handshake { ours, theirs, fingerprints, tls_id, offerer }
}
