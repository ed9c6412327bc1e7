//! The sockets and threads that the pure crates are run on: SIP on tokio in each of its transports, media shards on
//! their own operating system threads, prompts from disk, the clock and the chance. Nothing here knows what
//! a call is.

mod certificate_fetcher;
mod clock;
mod entropy;
pub mod handshakes;
mod media_ports;
mod media_threads;
mod open_files;
mod recorder;
mod resolver;
mod sip_sockets;
mod sounds;
mod stun_client;
mod tls;
mod zone;

pub use certificate_fetcher::{CertificateFetcher, FetchedCertificate};
pub use clock::Clock;
pub use entropy::root_seed;
pub use handshakes::MediaCertificate;
pub use media_ports::{PortPair, PortPairs};
pub use media_threads::{MediaConfig, MediaCounter, MediaCounts, MediaThreads, Tap, TappedPacket};
pub use open_files::allow_many_open_files;
pub use recorder::{Recorder, Recordings, RecordingsFolder};
pub use resolver::{Resolved, Resolver, lookup_addresses};
pub use sip_sockets::{SipCounter, SipCounts, SipInbox, SipInput, SipLimits, SipSetup, SipSockets};
pub use sounds::{SOUND_KINDS, SoundStore, Voice, Wish};
pub use stun_client::ask_stun;
pub use tls::{Tls, TlsFault, TlsFiles, TlsPart};
