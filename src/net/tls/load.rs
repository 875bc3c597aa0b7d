//! PEM files into the TLS side of the connection.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::TimeProvider;
use rustls::{AlertDescription, CertificateError, ClientConfig, RootCertStore};

use crate::platform::clock::{self, Utc};

mod files;
mod provider;
mod roots;
mod validity;
mod verifier;

#[cfg(test)]
mod tests;

pub use files::{CertificateFiles, CertificatePaths, CertificateProblem, KeyReaders, Role};
pub use roots::BUILT_IN_NAME;
use verifier::Verifier;

pub use validity::{DAYS_LEFT_MIN, State, Validity, ValidityError};

/// What AWS IoT Core's port 443 tells MQTT from HTTPS by.
const ALPN: &[u8] = b"x-amzn-mqtt-ca";

/// What the files come to.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The files that were read.
    pub files: CertificateFiles,
    /// What connections are made with.
    pub tls: Arc<ClientConfig>,
    /// From when until when the device's certificate is good. The broker decides, not the program.
    pub validity: Validity,
    fingerprint: u64,
}

impl Loaded {
    /// Whether the built-in roots are trusted, because there is no CA file.
    #[must_use]
    pub const fn has_built_in_roots(&self) -> bool {
        self.files.ca.is_none()
    }

    /// Whether these are the same files with the same content.
    #[must_use]
    pub const fn is_same(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }

    /// The same for another port.
    #[must_use]
    pub fn with_alpn(mut self, alpn: bool) -> Self {
        Arc::make_mut(&mut self.tls).alpn_protocols = protocols(alpn);
        self
    }
}

impl CertificateFiles {
    /// Reads the files. `alpn` turns the extension on that AWS's port 443 wants.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn load(&self, alpn: bool) -> Result<Loaded, Vec<CertificateProblem>> {
        let (roots, chain, key) = match (self.roots(), self.read_chain(), self.read_key()) {
            (Ok(roots), Ok(chain), Ok(key)) => (roots, chain, key),
            (roots, chain, key) => {
                return Err([roots.err(), chain.err(), key.err()].into_iter().flatten().collect());
            }
        };
        let mut fingerprint = DefaultHasher::new();
        (self, &roots.roots, &chain, key.secret_der()).hash(&mut fingerprint);
        let one = |problem| vec![problem];
        let validity = self.validity_in(&chain);
        let device = self.pair(chain, key).map_err(one)?;
        Ok(Loaded {
            files: self.clone(),
            tls: self.client_config(roots, device, alpn).map_err(one)?,
            validity: validity.map_err(one)?,
            fingerprint: fingerprint.finish(),
        })
    }

    /// Reads the CA file alone, and tells the dates of each certificate in it; none if there is no file,
    /// so that the built-in roots are trusted. TLS does not look at these dates.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn authorities(&self) -> Result<Vec<Result<Validity, ValidityError>>, CertificateProblem> {
        self.roots()?;
        Ok(self.read_authorities()?.iter().map(|certificate| Validity::read(certificate)).collect())
    }

    /// Reads the device's certificate alone: from when until when it is good.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn validity(&self) -> Result<Validity, CertificateProblem> {
        self.validity_in(&self.read_chain()?)
    }

    /// Reads certificate and key, and compares them.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn check_pair(&self) -> Result<(), Vec<CertificateProblem>> {
        match (self.read_chain(), self.read_key()) {
            (Ok(chain), Ok(key)) => self.pair(chain, key).map(drop).map_err(|problem| vec![problem]),
            (chain, key) => Err([chain.err(), key.err()].into_iter().flatten().collect()),
        }
    }

    fn roots(&self) -> Result<RootCertStore, CertificateProblem> {
        let mut roots = RootCertStore::empty();
        let Some(path) = &self.ca else {
            roots.extend(roots::BUILT_IN.iter().cloned());
            return Ok(roots);
        };
        for certificate in self.read_authorities()? {
            roots.add(certificate).map_err(|error| unusable(Role::Ca, path, &error))?;
        }
        Ok(roots)
    }

    fn validity_in(&self, chain: &[CertificateDer<'_>]) -> Result<Validity, CertificateProblem> {
        let first = chain.first().map_or(&[][..], |certificate| certificate);
        Validity::read(first).map_err(|error| CertificateProblem::Dates(self.certificate.clone(), error))
    }

    /// Certificate and key together, if they belong together.
    fn pair(
        &self,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<CertifiedKey, CertificateProblem> {
        CertifiedKey::from_der(chain, key, &provider::provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => CertificateProblem::KeyMismatch {
                certificate: self.certificate.clone(),
                key: self.key.clone(),
            },
            rustls::Error::InvalidCertificate(_) => unusable(Role::Certificate, &self.certificate, &error),
            error => unusable(Role::Key, &self.key, &error),
        })
    }

    fn client_config(
        &self,
        roots: RootCertStore,
        device: CertifiedKey,
        alpn: bool,
    ) -> Result<Arc<ClientConfig>, CertificateProblem> {
        let provider = Arc::new(provider::provider());
        let signatures = provider.signature_verification_algorithms;
        let ca = self.ca.as_deref().unwrap_or(Path::new(""));
        let mut config = ClientConfig::builder_with_details(provider, Arc::new(WallClock))
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(Role::Ca, ca, &error))?
            .dangerous() // rustls' word for every verifier that is not the one of its builder
            .with_custom_certificate_verifier(Arc::new(Verifier { roots, signatures }))
            .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(device)));
        config.alpn_protocols = protocols(alpn);
        // One broker, one ticket: the default keeps room for 256 servers.
        config.resumption = Resumption::in_memory_sessions(1);
        Ok(Arc::new(config))
    }
}

fn protocols(alpn: bool) -> Vec<Vec<u8>> {
    if alpn { vec![ALPN.to_vec()] } else { Vec::new() }
}

fn unusable(role: Role, path: &Path, error: &dyn ToString) -> CertificateProblem {
    CertificateProblem::Unusable(role, path.to_owned(), error.to_string())
}

/// The wall clock for the dates in certificates: std's own panics on 32-bit ARM after 2037.
#[derive(Debug)]
struct WallClock;

impl TimeProvider for WallClock {
    fn current_time(&self) -> Option<UnixTime> {
        let now = std::time::Duration::from_secs(clock::utc().as_secs());
        Some(UnixTime::since_unix_epoch(now))
    }
}

/// A certificate's date, and the clock that it was compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfDate {
    /// The certificate's first or last moment.
    pub certificate: Utc,
    /// What this device's clock showed.
    pub clock: Utc,
}

/// What can go wrong between two ends of TLS, by who is to blame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsError {
    /// The broker's certificate is for another name.
    WrongName,
    /// The broker's certificate comes from no authority that is trusted.
    UnknownIssuer,
    /// The broker's certificate is not valid yet, or the clock is slow. The date is its first.
    NotYetValid(Option<OutOfDate>),
    /// The broker's certificate is not valid any more, or the clock is fast. The date is its last.
    Expired(Option<OutOfDate>),
    /// The broker's certificate is wrong in another way; the library's words.
    BadCertificate(String),
    /// The broker does not take the device's certificate; its alert's name.
    ClientRefused(String),
    /// The broker does not speak MQTT on this port.
    NoCommonProtocol,
    /// The other end does not speak TLS.
    NotTls,
    /// Anything else; the library's words.
    Other(String),
}

impl TlsError {
    /// Whether this is what the other one was, but for the time that has passed.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::NotYetValid(Some(one)), Self::NotYetValid(Some(other)))
            | (Self::Expired(Some(one)), Self::Expired(Some(other))) => one.certificate == other.certificate,
            _ => self == other,
        }
    }
}

fn utc(time: UnixTime) -> Utc {
    Utc::from_millis(time.as_secs().saturating_mul(1000))
}

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        use CertificateError as Certificate;
        match error {
            rustls::Error::InvalidCertificate(error) => match error {
                Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => Self::WrongName,
                Certificate::UnknownIssuer => Self::UnknownIssuer,
                Certificate::NotValidYet => Self::NotYetValid(None),
                Certificate::NotValidYetContext { time, not_before } => {
                    Self::NotYetValid(Some(OutOfDate { certificate: utc(not_before), clock: utc(time) }))
                }
                Certificate::Expired => Self::Expired(None),
                Certificate::ExpiredContext { time, not_after } => {
                    Self::Expired(Some(OutOfDate { certificate: utc(not_after), clock: utc(time) }))
                }
                error => Self::BadCertificate(error.to_string()),
            },
            rustls::Error::AlertReceived(alert) => match alert {
                AlertDescription::BadCertificate
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateRevoked
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateUnknown
                | AlertDescription::CertificateRequired
                | AlertDescription::UnknownCA
                | AlertDescription::AccessDenied
                | AlertDescription::DecryptError => Self::ClientRefused(format!("{alert:?}")),
                AlertDescription::NoApplicationProtocol => Self::NoCommonProtocol,
                alert => Self::Other(format!("the broker sent the alert {alert:?}")),
            },
            rustls::Error::InvalidMessage(_) => Self::NotTls,
            error => Self::Other(error.to_string()),
        }
    }
}
