//! Certificates, keys and whom to trust: files on the disk that become what TLS is spoken with.

mod peer;

pub(crate) use peer::is_named;

use peer::PeerVerifier;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use x509_parser::prelude::{FromDer, X509Certificate};

/// The files that TLS is made of, all PEM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// Our certificate, then those between it and the authority's, and the file of its key. Listening needs
    /// them; they are also shown to servers that ask for a client's.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// Authorities one of which must have signed every client's certificate. Without any, clients need none.
    pub client_ca: Vec<PathBuf>,
    /// Authorities that the servers which we call are to be signed by. Without any: those that the system trusts.
    pub ca: Vec<PathBuf>,
}

/// Which of the files is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsPart {
    /// Our certificate.
    Certificate,
    /// Its key.
    Key,
    /// An authority of clients.
    ClientCa,
    /// An authority of servers.
    Ca,
}

/// Why the files cannot be used, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFault {
    /// Which.
    pub part: TlsPart,
    /// Why.
    pub what: String,
    /// The next step.
    pub what_to_do: &'static str,
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.what_to_do)
    }
}

impl std::error::Error for TlsFault {}

/// What TLS is spoken with: 1.3 and 1.2, nothing older. The default can neither listen nor call.
#[derive(Clone, Default)]
pub struct Tls {
    pub(crate) server: Option<Arc<ServerConfig>>,
    pub(crate) client: Option<Arc<ClientConfig>>,
    expires_in: Option<Duration>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (listens, calls) = (self.server.is_some(), self.client.is_some());
        f.debug_struct("Tls").field("listens", &listens).field("calls", &calls).finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the files, and checks that they can be used today: the certificate is valid now and belongs to its
    /// key.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn read(files: &TlsFiles) -> Result<Tls, TlsFault> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let identity = match &files.identity {
            Some((certificate, key)) => Some(Identity::read(certificate, key, &provider)?),
            None => None,
        };
        let server = match &identity {
            Some(identity) => Some(server(identity, &files.client_ca, &provider)?),
            None => None,
        };
        let client = client(identity.as_ref(), &files.ca, &provider)?;
        Ok(Tls { server, client, expires_in: identity.map(|identity| identity.expires_in) })
    }

    /// How long our certificate is still valid, if we have one.
    pub fn expires_in(&self) -> Option<Duration> {
        self.expires_in
    }

    /// Whether servers can be called over TLS: somebody is trusted.
    pub fn can_call(&self) -> bool {
        self.client.is_some()
    }

    /// What servers are called with, if anybody is trusted.
    pub fn client(&self) -> Option<Arc<ClientConfig>> {
        self.client.clone()
    }

    /// Whether TLS can be listened on.
    pub fn can_listen(&self) -> bool {
        self.server.is_some()
    }
}

struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    expires_in: Duration,
}

impl Identity {
    fn read(certificate: &Path, key: &Path, provider: &CryptoProvider) -> Result<Identity, TlsFault> {
        let chain = certificates(TlsPart::Certificate, certificate)?;
        let fault = |part, what, what_to_do| Err(TlsFault { part, what, what_to_do });
        let key = match PrivateKeyDer::from_pem_file(key) {
            Ok(key) => key,
            Err(error) => {
                let what = format!("`{}` holds no key: {}", key.display(), plain(&error));
                return fault(TlsPart::Key, what, "name a PEM file with the private key, without a password");
            }
        };
        let expires_in = chain.first().map_or(Err("it is empty".to_owned()), |first| valid_for(first));
        let expires_in = match expires_in {
            Ok(expires_in) => expires_in,
            Err(why) => {
                let what = format!("the certificate `{}` cannot be used: {why}", certificate.display());
                return fault(TlsPart::Certificate, what, "renew it, and name the new file");
            }
        };
        if let Err(error) = CertifiedKey::from_der(chain.clone(), key.clone_key(), provider) {
            let what = format!("the key does not fit `{}`: {error}", certificate.display());
            return fault(TlsPart::Key, what, "name the key that the certificate was made for");
        }
        Ok(Identity { chain, key, expires_in })
    }
}

fn server(
    identity: &Identity,
    client_ca: &[PathBuf],
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<ServerConfig>, TlsFault> {
    let unusable = |part, what: &dyn fmt::Display| TlsFault {
        part,
        what: format!("TLS cannot be listened with it: {what}"),
        what_to_do: "name another certificate",
    };
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|error| unusable(TlsPart::Certificate, &error))?;
    let builder = if client_ca.is_empty() {
        builder.with_no_client_auth()
    } else {
        let roots = Arc::new(roots(TlsPart::ClientCa, client_ca)?);
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider.clone()).build();
        builder.with_client_cert_verifier(verifier.map_err(|error| unusable(TlsPart::ClientCa, &error))?)
    };
    let config = builder.with_single_cert(identity.chain.clone(), identity.key.clone_key());
    Ok(Arc::new(config.map_err(|error| unusable(TlsPart::Certificate, &error))?))
}

/// Nothing if nobody is to be trusted: the system has no authorities.
fn client(
    identity: Option<&Identity>,
    ca: &[PathBuf],
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<ClientConfig>>, TlsFault> {
    let roots = if ca.is_empty() { system_roots() } else { roots(TlsPart::Ca, ca)? };
    if roots.is_empty() {
        return Ok(None);
    }
    let unusable = |part, what: &dyn fmt::Display| TlsFault {
        part,
        what: format!("TLS cannot be spoken with it: {what}"),
        what_to_do: "name other files",
    };
    let verifier =
        PeerVerifier::new(roots, provider.clone()).map_err(|error| unusable(TlsPart::Ca, &error))?;
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|error| unusable(TlsPart::Ca, &error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let config = match identity {
        Some(identity) => builder
            .with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())
            .map_err(|error| unusable(TlsPart::Certificate, &error))?,
        None => builder.with_no_client_auth(),
    };
    Ok(Some(Arc::new(config)))
}

fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

fn roots(part: TlsPart, files: &[PathBuf]) -> Result<RootCertStore, TlsFault> {
    let mut roots = RootCertStore::empty();
    for file in files {
        for certificate in certificates(part, file)? {
            roots.add(certificate).map_err(|error| TlsFault {
                part,
                what: format!("`{}` holds a certificate that cannot be trusted: {error}", file.display()),
                what_to_do: "name a PEM file with authorities' certificates",
            })?;
        }
    }
    Ok(roots)
}

fn certificates(part: TlsPart, file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let fault = |why: String| TlsFault {
        part,
        what: format!("`{}` holds no certificates: {why}", file.display()),
        what_to_do: "name a PEM file that can be read (BEGIN CERTIFICATE)",
    };
    let read: Result<Vec<_>, pem::Error> = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    match read {
        Ok(found) if found.is_empty() => Err(fault("there is none in it".to_owned())),
        Ok(found) => Ok(found),
        Err(error) => Err(fault(plain(&error))),
    }
}

/// What went wrong with a file, as people say it.
fn plain(error: &pem::Error) -> String {
    match error {
        pem::Error::Io(error) => error.to_string(),
        pem::Error::NoItemsFound => "there is none in it".to_owned(),
        other => other.to_string(),
    }
}

/// How long a certificate is valid from now on, or why it is not.
fn valid_for(certificate: &CertificateDer<'_>) -> Result<Duration, String> {
    let (_, read) = X509Certificate::from_der(certificate).map_err(|error| error.to_string())?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().cast_signed();
    let validity = read.validity();
    let (begin, end) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    if end <= now {
        return Err(format!("it expired on {}", validity.not_after));
    }
    if begin > now {
        return Err(format!(
            "it is not valid before {}; this machine's clock may be wrong",
            validity.not_before
        ));
    }
    Ok(Duration::from_secs((end - now).unsigned_abs()))
}
