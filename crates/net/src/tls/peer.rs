//! Whether a server is who it was called as (RFC 5922): a certificate for `sip:DOMAIN`, for the DNS name, or for
//! the address.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{VerifierBuilderError, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::sync::Arc;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// The usual verification; and where the certificate has no such name, its SIP URIs.
#[derive(Debug)]
pub(super) struct PeerVerifier {
    usual: Arc<WebPkiServerVerifier>,
}

impl PeerVerifier {
    pub(super) fn new(
        roots: RootCertStore,
        provider: Arc<CryptoProvider>,
    ) -> Result<PeerVerifier, VerifierBuilderError> {
        let usual = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
        Ok(PeerVerifier { usual })
    }
}

impl ServerCertVerifier for PeerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let usual = self.usual.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match usual {
            // The name is looked at last: the signatures and times are in order.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if has_sip_uri(end_entity, server_name) => Ok(ServerCertVerified::assertion()),
            usual => usual,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// Whether a certificate, whose signatures were verified elsewhere, is of this name.
pub(crate) fn is_named(certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> bool {
    let by_name =
        ParsedCertificate::try_from(certificate).is_ok_and(|read| verify_server_name(&read, name).is_ok());
    by_name || has_sip_uri(certificate, name)
}

/// RFC 5922 §7.1: a SIP URI without a user among the alternative names, whose host is the name (§7.2).
fn has_sip_uri(certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> bool {
    let ServerName::DnsName(name) = name else { return false };
    let Ok((_, read)) = X509Certificate::from_der(certificate) else { return false };
    let Ok(Some(names)) = read.subject_alternative_name() else { return false };
    names.value.general_names.iter().any(|other| match other {
        GeneralName::URI(uri) => uri.split_once(':').is_some_and(|(scheme, host)| {
            scheme.eq_ignore_ascii_case("sip") && host.eq_ignore_ascii_case(name.as_ref())
        }),
        _ => false,
    })
}
