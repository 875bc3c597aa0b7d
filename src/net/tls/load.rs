//! From certificate files to the rustls configuration that connections are made with.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::Resumption;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore};

use super::files::CertificateFiles;
use super::fingerprint::Fingerprint;
use super::problem::{CertificateProblem, Role};
use super::provider::provider;
use super::read::Contents;
use super::roots::BUILT_IN;
use super::validity::{Validity, ValidityError};
use crate::platform::clock;

#[cfg(test)]
mod tests;

/// The ALPN protocol by which AWS IoT Core's port 443 tells MQTT from HTTPS.
const ALPN: &[u8] = b"x-amzn-mqtt-ca";

/// Certificate files, read and checked.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The files that were read.
    pub files: CertificateFiles,
    /// The configuration of connections.
    pub tls: Arc<ClientConfig>,
    /// The dates of the device's certificate. Whether they are accepted is up to the broker.
    pub validity: Validity,
    fingerprint: Fingerprint,
}

impl Loaded {
    /// Whether the built-in roots are trusted, because there is no CA file.
    #[must_use]
    pub const fn has_built_in_roots(&self) -> bool {
        self.files.ca.is_none()
    }

    /// Whether this was loaded from files with this fingerprint.
    #[must_use]
    pub fn is_of(&self, fingerprint: Fingerprint) -> bool {
        self.fingerprint == fingerprint
    }

    /// Whether both were loaded from the same files with the same content.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.is_of(other.fingerprint)
    }

    /// The same with or without ALPN, for another port.
    #[must_use]
    pub fn with_alpn(mut self, alpn: bool) -> Self {
        Arc::make_mut(&mut self.tls).alpn_protocols = protocols(alpn);
        self
    }
}

impl CertificateFiles {
    /// Reads, parses and checks the files. `alpn` turns on the extension that AWS's port 443 needs.
    ///
    /// # Errors
    /// Every problem found.
    pub fn load(&self, alpn: bool) -> Result<Loaded, Vec<CertificateProblem>> {
        self.read().load(alpn)
    }

    /// Reads the CA file and returns the dates of each certificate in it; none without a CA file. TLS does
    /// not check the dates of roots.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn authorities(&self) -> Result<Vec<Result<Validity, ValidityError>>, CertificateProblem> {
        let contents = self.read();
        contents.roots()?;
        Ok(contents.authorities()?.iter().map(|certificate| Validity::read(certificate)).collect())
    }

    /// Reads the device's certificate and returns its dates.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn validity(&self) -> Result<Validity, CertificateProblem> {
        let contents = self.read();
        contents.validity(&contents.chain()?)
    }

    /// Checks that the key belongs to the certificate.
    ///
    /// # Errors
    /// Every problem with the two files.
    pub fn check_pair(&self) -> Result<(), Vec<CertificateProblem>> {
        let contents = self.read();
        match (contents.chain(), contents.key()) {
            (Ok(chain), Ok(key)) => contents.pair(chain, key).map(drop).map_err(|problem| vec![problem]),
            (chain, key) => Err([chain.err(), key.err()].into_iter().flatten().collect()),
        }
    }
}

impl Contents<'_> {
    /// Parses and checks the files. `alpn` turns on the extension that AWS's port 443 needs.
    ///
    /// # Errors
    /// Every problem found.
    pub fn load(&self, alpn: bool) -> Result<Loaded, Vec<CertificateProblem>> {
        let (roots, chain, key) = match (self.roots(), self.chain(), self.key()) {
            (Ok(roots), Ok(chain), Ok(key)) => (roots, chain, key),
            (roots, chain, key) => {
                return Err([roots.err(), chain.err(), key.err()].into_iter().flatten().collect());
            }
        };
        let one = |problem| vec![problem];
        let validity = self.validity(&chain);
        let device = self.pair(chain, key).map_err(one)?;
        Ok(Loaded {
            files: self.files().clone(),
            tls: self.client_config(roots, device, alpn).map_err(one)?,
            validity: validity.map_err(one)?,
            fingerprint: self.fingerprint(),
        })
    }

    fn roots(&self) -> Result<RootCertStore, CertificateProblem> {
        let mut roots = RootCertStore::empty();
        let Some(path) = &self.files().ca else {
            roots.extend(BUILT_IN.iter().cloned());
            return Ok(roots);
        };
        for certificate in self.authorities()? {
            roots.add(certificate).map_err(|error| unusable(Role::Ca, path, &error))?;
        }
        Ok(roots)
    }

    fn validity(&self, chain: &[CertificateDer<'_>]) -> Result<Validity, CertificateProblem> {
        let first = chain.first().map_or(&[][..], |certificate| certificate);
        Validity::read(first)
            .map_err(|error| CertificateProblem::Dates(self.files().certificate.clone(), error))
    }

    /// Joins certificate and key, if they belong together.
    fn pair(
        &self,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<CertifiedKey, CertificateProblem> {
        let CertificateFiles { certificate, key: key_file, .. } = self.files();
        CertifiedKey::from_der(chain, key, &provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                CertificateProblem::KeyMismatch { certificate: certificate.clone(), key: key_file.clone() }
            }
            rustls::Error::InvalidCertificate(_) => unusable(Role::Certificate, certificate, &error),
            error => unusable(Role::Key, key_file, &error),
        })
    }

    fn client_config(
        &self,
        roots: RootCertStore,
        device: CertifiedKey,
        alpn: bool,
    ) -> Result<Arc<ClientConfig>, CertificateProblem> {
        let ca = self.files().ca.as_deref().unwrap_or(Path::new(""));
        let mut config = ClientConfig::builder_with_details(Arc::new(provider()), Arc::new(WallClock))
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(Role::Ca, ca, &error))?
            .with_root_certificates(roots)
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

/// The wall clock that rustls checks the dates of certificates with: std's own panics on 32-bit ARM after
/// 2037.
#[derive(Debug)]
struct WallClock;

impl TimeProvider for WallClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(clock::utc().as_secs())))
    }
}
