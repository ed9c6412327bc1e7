//! What the tests of SIP's sockets share: waiting for messages, and a certificate authority of their own.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails panics")]

use net::{SipInbox, SipInput, SipLimits, SipSetup, SipSockets, Tls, TlsFault, TlsFiles};
use rcgen::string::Ia5String;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType, date_time_ymd};
use sip::ua::{Flow, Transport};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::timeout;

pub(crate) const SOON: Duration = Duration::from_secs(5);
pub(crate) const ANY_V4: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
pub(crate) const ANY_V6: SocketAddr = SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 0);

pub(crate) type Bound = (SipSockets, SipInbox);

pub(crate) fn bind(transport: Transport, address: SocketAddr, limits: SipLimits) -> Bound {
    SipSockets::bind(&[(transport, address)], SipSetup { limits, ..SipSetup::default() }).unwrap()
}

/// Everybody on this machine is known, and may be silent for as long as they like.
pub(crate) fn know_everybody(sockets: &SipSockets) {
    let networks = ["127.0.0.0/8", "::1/128"].map(|net| net.parse().unwrap());
    sockets.apply(&sip::guard::Change::Networks(networks.to_vec()));
}

pub(crate) fn bind_tls(transport: Transport, address: SocketAddr, tls: Tls) -> Bound {
    SipSockets::bind(&[(transport, address)], SipSetup { tls, ..SipSetup::default() }).unwrap()
}

pub(crate) fn local(sockets: &SipSockets) -> SocketAddr {
    sockets.bound()[0].1
}

/// The way from one to the other.
pub(crate) fn way(from: &SipSockets, to: &SipSockets) -> Flow {
    let (transport, remote) = to.bound()[0];
    from.flow_to(transport, remote).unwrap()
}

pub(crate) async fn next(inputs: &mut SipInbox) -> SipInput {
    timeout(SOON, inputs.recv()).await.expect("nothing came in time").unwrap()
}

pub(crate) async fn received(inputs: &mut SipInbox) -> (Flow, Vec<u8>) {
    match next(inputs).await {
        SipInput::Received { flow, bytes } => (flow, bytes),
        SipInput::FlowFailed { flow } | SipInput::TooLarge { flow, .. } => panic!("{flow:?} failed"),
    }
}

pub(crate) async fn failed(inputs: &mut SipInbox) -> Flow {
    match next(inputs).await {
        SipInput::FlowFailed { flow } => flow,
        SipInput::Received { bytes, .. } | SipInput::TooLarge { bytes, .. } => {
            panic!("{:?} came", String::from_utf8_lossy(&bytes))
        }
    }
}

/// Waits until it is so.
pub(crate) async fn until(what: impl Fn() -> bool) {
    let wait = async {
        while !what() {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, wait).await.expect("it did not become so in time");
}

pub(crate) fn message(body: &str) -> Vec<u8> {
    format!("MESSAGE sip:a@b SIP/2.0\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// An authority, and a folder for what it signs.
pub(crate) struct Authority {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Authority {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "a test's authority");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Authority { folder, issuer }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.path("ca.pem")
    }

    /// Signs a certificate for these names, which are domains, addresses or SIP URIs; gives its file and that of
    /// its key.
    pub(crate) fn sign(&self, file: &str, names: &[&str]) -> (PathBuf, PathBuf) {
        self.sign_until(file, names, 2099)
    }

    /// The same, valid to the first day of a year.
    pub(crate) fn sign_until(&self, file: &str, names: &[&str], year: i32) -> (PathBuf, PathBuf) {
        let mut params = CertificateParams::new([]).unwrap();
        params.not_after = date_time_ymd(year, 1, 1);
        params.subject_alt_names = names.iter().map(|name| san(name)).collect();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let (pem, secret) = (self.path(&format!("{file}.pem")), self.path(&format!("{file}.key")));
        std::fs::write(&pem, certificate.pem()).unwrap();
        std::fs::write(&secret, key.serialize_pem()).unwrap();
        (pem, secret)
    }

    /// What a server of these names speaks TLS with.
    pub(crate) fn server(&self, names: &[&str]) -> Tls {
        read(Some(self.sign("server", names)), &[], &[]).unwrap()
    }

    /// What a client without a certificate, who trusts this authority, speaks TLS with.
    pub(crate) fn client(&self) -> Tls {
        read(None, &[], &[&self.ca()]).unwrap()
    }
}

fn san(name: &str) -> SanType {
    match name.parse() {
        Ok(address) => SanType::IpAddress(address),
        Err(_) if name.contains(':') => SanType::URI(Ia5String::try_from(name).unwrap()),
        Err(_) => SanType::DnsName(Ia5String::try_from(name).unwrap()),
    }
}

pub(crate) fn read(
    identity: Option<(PathBuf, PathBuf)>,
    client_ca: &[&Path],
    ca: &[&Path],
) -> Result<Tls, TlsFault> {
    let owned = |paths: &[&Path]| paths.iter().map(|path| path.to_path_buf()).collect();
    Tls::read(&TlsFiles { identity, client_ca: owned(client_ca), ca: owned(ca) })
}
