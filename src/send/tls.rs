//! What TLS connections trust: the machine's certificate authorities, and those in the operator's own file.
//!
//! A certificate that stands in that file itself is trusted as it is, for its own names and in its own time, also when
//! it says that it is an authority: `openssl req -x509` makes such, and they are meant to be used by a server.

pub(super) mod chain;
pub(super) mod unverified;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, ProtocolVersion, RootCertStore,
    SignatureScheme,
};
use tokio_rustls::TlsConnector;

use super::certificate;

/// What is offered to receivers.
const HTTP: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Why a file of certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CaFileError {
    /// It cannot be read, or is not PEM.
    #[error("tls_ca_file: {} cannot be read as PEM certificates: {reason}", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It has none.
    #[error("tls_ca_file: {} has no certificate", .0.display())]
    Empty(PathBuf),
}

/// Makes ring the process's TLS provider. Calling it again does nothing.
pub fn install_tls_provider() {
    // It fails when there is a provider already, which is then the same one: it is the only one built in.
    rustls::crypto::ring::default_provider().install_default().ok();
}

/// The certificates in a PEM file.
///
/// # Errors
/// When it has none, or cannot be read.
pub(super) fn certificates_in(file: &Path) -> Result<Vec<CertificateDer<'static>>, CaFileError> {
    let unreadable = |error: &dyn std::fmt::Display| CaFileError::Unreadable {
        file: file.to_owned(),
        reason: error.to_string(),
    };
    let text = std::fs::read(file).map_err(|error| unreadable(&error))?;
    let found = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|error| unreadable(&error))?;
    if found.is_empty() {
        return Err(CaFileError::Empty(file.to_owned()));
    }
    Ok(found)
}

/// What makes TLS connections to receivers. `own` are trusted along with the machine's.
pub(super) fn connector(own: Vec<CertificateDer<'static>>) -> TlsConnector {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Arc::new(Verifier::new(own, &provider));
    connector_with(provider, verifier, &HTTP)
}

/// What makes TLS connections to the operator's own servers that do not speak HTTP, and are trusted as receivers are. The
/// certificates in this file are trusted along with the machine's.
///
/// # Errors
/// When the file has none, or cannot be read.
pub(super) fn operators_connector(file: Option<&Path>) -> Result<TlsConnector, CaFileError> {
    let own = file.map_or_else(|| Ok(Vec::new()), certificates_in)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Arc::new(Verifier::new(own, &provider));
    Ok(connector_with(provider, verifier, &[]))
}

fn connector_with(
    provider: Arc<CryptoProvider>,
    verifier: Arc<dyn ServerCertVerifier>,
    protocols: &[&[u8]],
) -> TlsConnector {
    // ring has both versions, so that this cannot fail; if it did, there would be no configuration to go on with.
    let builder = match ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions() {
        Ok(builder) => builder,
        Err(error) => {
            tracing::error!(%error, "the TLS provider has no TLS version");
            ClientConfig::builder()
        }
    };
    let mut config = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

/// A certificate of an authority that is not trusted, and who that is.
#[derive(Debug, thiserror::Error)]
#[error("issued by {0}")]
pub(super) struct UntrustedIssuer(pub(super) String);

#[derive(Debug)]
struct Verifier {
    /// `None` where no authority is known at all.
    authorities: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
    own: Vec<CertificateDer<'static>>,
}

impl Verifier {
    fn new(own: Vec<CertificateDer<'static>>, provider: &Arc<CryptoProvider>) -> Self {
        let system = rustls_native_certs::load_native_certs();
        for error in &system.errors {
            tracing::warn!(%error, "certificate authorities of this machine cannot be read");
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(system.certs);
        if roots.is_empty() {
            tracing::warn!(
                "no certificate authorities were found on this machine: https endpoints will fail until they are \
                 installed (Debian: ca-certificates) and Postrider is restarted, or named by `tls_ca_file`"
            );
        }
        roots.add_parsable_certificates(own.iter().cloned());
        let authorities =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().ok();
        Self { authorities, provider: provider.clone(), own }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        chain::check(end_entity, intermediates)
            .map_err(|error| CertificateError::Other(OtherError(Arc::new(error))))?;
        let verified = match &self.authorities {
            Some(authorities) => authorities.verify_server_cert(end_entity, intermediates, name, ocsp, now),
            None => Err(CertificateError::UnknownIssuer.into()),
        };
        match verified {
            // Its time was looked at before this was found, and its signature is its own.
            Err(error) if says_it_is_an_authority(&error) && self.own.iter().any(|own| own == end_entity) => {
                let certificate = ParsedCertificate::try_from(end_entity)?;
                rustls::client::verify_server_name(&certificate, name)?;
                Ok(ServerCertVerified::assertion())
            }
            Err(error) if says_it_is_an_authority(&error) || is_unknown_issuer(&error) => {
                let issuer = UntrustedIssuer(certificate::issuer(end_entity));
                Err(CertificateError::Other(OtherError(Arc::new(issuer))).into())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn is_unknown_issuer(error: &rustls::Error) -> bool {
    matches!(error, rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer))
}

fn says_it_is_an_authority(error: &rustls::Error) -> bool {
    let rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(error))) = error else {
        return false;
    };
    matches!(error.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}

/// A version as people write it.
pub(super) fn version_name(version: ProtocolVersion) -> Option<&'static str> {
    match version {
        ProtocolVersion::TLSv1_2 => Some("TLS 1.2"),
        ProtocolVersion::TLSv1_3 => Some("TLS 1.3"),
        _ => None,
    }
}

/// The TLS error behind an error of the stream.
pub(super) fn error_within(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}
