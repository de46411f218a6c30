//! libpq's six sslmodes on rustls.
//!
//! Encryption without verification is what `require` means to PostgreSQL's users; the verifiers that make it so are
//! here and nowhere else.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::postgres::settings::SettingsError;

/// Where the bundles of the usual systems lie, for `sslrootcert=system`.
const SYSTEM_BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The certificates that a server's chain must lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootCertificates {
    File(PathBuf),
    System,
}

/// How a session is encrypted and what is verified, each variant with libpq's meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsMode {
    Disable,
    /// In the clear, and encrypted only where the server insists.
    Allow,
    /// Encrypted where the server can, else in the clear.
    Prefer,
    /// Encrypted, with whomever.
    Require,
    /// Encrypted, with a certificate of this authority; its name is not looked at.
    VerifyCa(RootCertificates),
    /// Encrypted, with a certificate of this authority for this host.
    VerifyFull(RootCertificates),
}

/// What the client shows of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// PEM, the client's own certificate first.
    pub certificate: PathBuf,
    /// PEM, not encrypted.
    pub key: PathBuf,
}

/// Why the TLS settings of a connection could not be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("could not read root certificate file \"{path}\"")]
    Read { path: PathBuf, source: rustls::pki_types::pem::Error },
    #[error("could not read client certificate file \"{path}\"")]
    Client { path: PathBuf, source: rustls::pki_types::pem::Error },
    #[error("root certificate file \"{0}\" has no certificate")]
    Empty(PathBuf),
    #[error("no system certificate bundle found\nhint: set sslrootcert to a PEM file")]
    NoSystemBundle,
    #[error("could not use the root certificates")]
    Roots(#[source] rustls::client::VerifierBuilderError),
    #[error("could not set up TLS")]
    Config(#[source] rustls::Error),
}

/// Makes aws-lc-rs the process's cryptography; a second call changes nothing.
pub fn install_crypto_provider() {
    // An error means that a provider is there already, which is what was wanted.
    let _ = aws_lc_rs::default_provider().install_default();
}

/// Settles the mode from what was written, with libpq's defaults for what was not.
pub fn mode(
    sslmode: Option<String>,
    rootcert: Option<String>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<TlsMode, SettingsError> {
    let system = rootcert.as_deref() == Some("system");
    let sslmode = sslmode.unwrap_or_else(|| if system { "verify-full" } else { "prefer" }.to_owned());
    if system && sslmode != "verify-full" {
        return Err(SettingsError::WeakSystemRoots { sslmode });
    }
    let file = rootcert
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env("HOME").unwrap_or_default()).join(".postgresql/root.crt"));
    match sslmode.as_str() {
        "disable" => Ok(TlsMode::Disable),
        "allow" => Ok(TlsMode::Allow),
        "prefer" => Ok(TlsMode::Prefer),
        // For the sake of old set-ups libpq verifies the chain as soon as a root certificate is there.
        "require" if file.is_file() => Ok(TlsMode::VerifyCa(RootCertificates::File(file))),
        "require" => Ok(TlsMode::Require),
        "verify-full" if system => Ok(TlsMode::VerifyFull(RootCertificates::System)),
        "verify-ca" | "verify-full" if !file.is_file() => Err(SettingsError::NoRootCertificate { sslmode, path: file }),
        "verify-ca" => Ok(TlsMode::VerifyCa(RootCertificates::File(file))),
        "verify-full" => Ok(TlsMode::VerifyFull(RootCertificates::File(file))),
        _ => Err(SettingsError::SslMode(sslmode)),
    }
}

/// The connector of a mode; for those without verification any certificate will do.
pub fn connector(mode: &TlsMode, client: Option<&ClientCertificate>) -> Result<MakeRustlsConnect, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match mode {
        TlsMode::Disable | TlsMode::Allow | TlsMode::Prefer | TlsMode::Require => {
            Arc::new(AnyCertificate { provider: Arc::clone(&provider) })
        }
        TlsMode::VerifyCa(roots) => Arc::new(ChainVerifier::new(roots, NameCheck::Skip, &provider)?),
        TlsMode::VerifyFull(roots) => Arc::new(ChainVerifier::new(roots, NameCheck::Host, &provider)?),
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Config)?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let config = match client {
        None => config.with_no_client_auth(),
        Some(client) => {
            let chain = load_certificates(&client.certificate, |source| TlsError::Client {
                path: client.certificate.clone(),
                source,
            })?;
            let key = PrivateKeyDer::from_pem_file(&client.key)
                .map_err(|source| TlsError::Client { path: client.key.clone(), source })?;
            config.with_client_auth_cert(chain, key).map_err(TlsError::Config)?
        }
    };
    Ok(MakeRustlsConnect::new(config))
}

fn load_certificates(
    path: &Path,
    failed: impl Fn(rustls::pki_types::pem::Error) -> TlsError,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_file_iter(path).map_err(&failed)?.collect::<Result<_, _>>().map_err(&failed)
}

fn load_roots(roots: &RootCertificates) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let path = match roots {
        RootCertificates::File(path) => path.clone(),
        RootCertificates::System => {
            SYSTEM_BUNDLES.into_iter().map(PathBuf::from).find(|path| path.is_file()).ok_or(TlsError::NoSystemBundle)?
        }
    };
    let certificates = load_certificates(&path, |source| TlsError::Read { path: path.clone(), source })?;
    if certificates.is_empty() { Err(TlsError::Empty(path)) } else { Ok(certificates) }
}

/// Whether the certificate's name must be the host's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NameCheck {
    Host,
    Skip,
}

/// Accepts a chain to one of the given roots, or one of those certificates itself, as OpenSSL does.
#[derive(Debug)]
struct ChainVerifier {
    webpki: Arc<WebPkiServerVerifier>,
    pinned: Vec<CertificateDer<'static>>,
    name_check: NameCheck,
}

impl ChainVerifier {
    fn new(roots: &RootCertificates, name_check: NameCheck, provider: &Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let pinned = load_roots(roots)?;
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(pinned.iter().cloned());
        let webpki = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider))
            .build()
            .map_err(TlsError::Roots)?;
        Ok(Self { webpki, pinned, name_check })
    }

    /// A self-signed certificate that was given as its own root; webpki has checked its dates by then.
    fn accept_pinned(
        &self,
        end_entity: &CertificateDer<'_>,
        server_name: &ServerName<'_>,
        error: rustls::Error,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if !self.pinned.iter().any(|pinned| pinned == end_entity) {
            return Err(error);
        }
        if self.name_check == NameCheck::Host {
            verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }
}

impl ServerCertVerifier for ChainVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.webpki.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            // webpki looks at the name last, so the chain has passed.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.name_check == NameCheck::Skip => Ok(ServerCertVerified::assertion()),
            Err(error) if is_ca_as_end_entity(&error) => self.accept_pinned(end_entity, server_name, error),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.webpki.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.webpki.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}

/// rustls passes webpki's `CaUsedAsEndEntity` on as an opaque error, so that its name is all there is to go by.
fn is_ca_as_end_entity(error: &rustls::Error) -> bool {
    matches!(error, rustls::Error::InvalidCertificate(CertificateError::Other(other)) if other.to_string().contains("CaUsedAsEndEntity"))
}

/// Encryption without knowing with whom.
#[derive(Debug)]
struct AnyCertificate {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests;
