use base::Seed;
use media_api::Codec;
use sip::ua::Transport;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;

/// What a phone is started with.
#[derive(Clone, Debug)]
pub struct PhoneConfig {
    /// The address that SIP and media are bound to.
    pub bind: IpAddr,
    /// The SIP port; 0 for any.
    pub port: u16,
    /// The exchange: dialled numbers go to it, and only it may call. Without one, what is dialled must name an
    /// address (`sip:anna@127.0.0.1:5062`), and anyone may call.
    pub server: Option<SocketAddr>,
    /// How SIP travels.
    pub transport: Transport,
    /// Authorities one of which must have signed the server's certificate, for TLS; those that the system trusts
    /// if there are none. The certificate must be of `domain`, or of the server's address if that is not given.
    pub ca: Vec<PathBuf>,
    /// The user part of our address, and the digest's user name.
    pub user: String,
    /// For registering and for calls that are challenged.
    pub password: Option<String>,
    /// The domain of our address; the server's address if it is not given.
    pub domain: Option<String>,
    /// The name to show.
    pub display: Option<String>,
    /// What we can speak, best first.
    pub codecs: Vec<Codec>,
    /// Where media ports are taken from.
    pub media_ports: RangeInclusive<u16>,
    /// The chance of tags, ports and the like; from the system if it is not given.
    pub seed: Option<Seed>,
}

impl Default for PhoneConfig {
    fn default() -> Self {
        PhoneConfig {
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            server: None,
            transport: Transport::Udp,
            ca: Vec::new(),
            user: "phone".to_owned(),
            password: None,
            domain: None,
            display: None,
            codecs: vec![Codec::Pcma, Codec::Pcmu],
            media_ports: 36_000..=59_999,
            seed: None,
        }
    }
}

impl PhoneConfig {
    /// The domain of our address.
    pub(crate) fn domain(&self) -> String {
        match (&self.domain, self.server) {
            (Some(domain), _) => domain.clone(),
            (None, Some(SocketAddr::V6(server))) => format!("[{}]", server.ip()),
            (None, Some(SocketAddr::V4(server))) => server.ip().to_string(),
            (None, None) if self.bind.is_ipv6() => format!("[{}]", self.bind),
            (None, None) => self.bind.to_string(),
        }
    }
}
