//! Pages in browsers: what they say of their audio, how their keys come, and how they are closed.

use super::stage::{Stage, address, by_websocket, flow};
use engine::{Config, Input};
use media_api::{
    CertificateHash, Event, Evidence, Fingerprint, KeyExchange, KeyTerms, LegId, Offerer, Suite,
};
use std::time::Duration;

const HASH: &str =
    "0F:74:31:25:CB:A2:13:EC:28:6F:6D:2C:61:FF:5D:C2:BC:B9:DB:3D:98:14:8D:1A:BB:EA:33:0C:A4:60:A8:8E";

/// The same exchange with a certificate for its handshakes.
pub(crate) fn speaking_with_browsers(config: Config) -> Config {
    let ours = Fingerprint::new(CertificateHash::Sha256, &[7; 32]);
    Config { media_certificate: ours, ..config }
}

/// What a page says of its audio, with this role in the handshake.
pub(crate) fn page(setup: &str, ufrag: &str) -> String {
    format!(
        "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 8 101\r\n\
         c=IN IP4 0.0.0.0\r\na=ice-ufrag:{ufrag}\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\na=fingerprint:sha-256 {HASH}\r\n\
         a=setup:{setup}\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:8 PCMA/8000\r\n\
         a=rtpmap:101 telephone-event/8000\r\n"
    )
}

pub(crate) fn terms(offerer: Offerer) -> KeyTerms {
    KeyTerms { suite: Suite::AesGcm128, exchange: KeyExchange::Dtls, offerer }
}

/// The handshake of a leg has given its keys.
pub(crate) fn keyed(stage: &mut Stage, leg: u64) {
    stage.input(Input::Media(Event::Secured { leg: LegId(leg), keys: terms(Offerer::Us) }));
}

/// The page at this address is closed: its WebSocket breaks, and then nothing is heard of it.
pub(crate) fn closes(stage: &mut Stage, at: u8, leg: u64) {
    stage.input(Input::FlowFailed { flow: flow(by_websocket(at)) });
    let evidence = Evidence {
        expected: address(at),
        last_source: None,
        silent_for: Duration::from_secs(3),
        received: 100,
        rejected: 0,
        rtcp_alive: false,
    };
    stage.input(Input::Media(Event::Silent { leg: LegId(leg), evidence }));
}
