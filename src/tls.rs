//! PEM files into the TLS side of the connection.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{AlertDescription, CertificateError, ClientConfig, RootCertStore};

use crate::clock;

mod roots;

#[cfg(test)]
mod tests;

pub use roots::BUILT_IN_NAME;

/// Longer files are no certificates.
const FILE_LEN_MAX: u64 = 1024 * 1024;

/// What AWS IoT Core's port 443 tells MQTT from HTTPS by.
const ALPN: &[u8] = b"x-amzn-mqtt-ca";

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The certificate authorities to trust.
    Ca,
    /// The device's certificate.
    Certificate,
    /// The device's private key.
    Key,
}

impl Role {
    /// The pattern of the names that AWS gives to such files.
    #[must_use]
    pub const fn pattern(self) -> &'static str {
        match self {
            Self::Ca => "*root*ca*",
            Self::Certificate => "*certificate.pem*",
            Self::Key => "*private.pem*",
        }
    }

    fn matches(self, name: &str) -> bool {
        match self {
            _ if name.starts_with('.') => false, // as for a shell's *; macOS leaves such copies
            Self::Ca => {
                let name = name.to_ascii_lowercase();
                name.split_once("root").is_some_and(|(_, rest)| rest.contains("ca"))
            }
            Self::Certificate => name.contains("certificate.pem"),
            Self::Key => name.contains("private.pem"),
        }
    }
}

/// What is wrong with the certificate files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateProblem {
    /// The folder cannot be read.
    Folder(PathBuf, io::ErrorKind),
    /// No file in the folder has a name of this role's.
    Missing(Role, PathBuf),
    /// Several files have, and which is meant cannot be told.
    Ambiguous(Role, Vec<PathBuf>),
    /// The file cannot be read.
    Unreadable(Role, PathBuf, io::ErrorKind),
    /// The file is not PEM.
    NotPem(Role, PathBuf),
    /// The file is PEM, but nothing of this role is in it.
    Empty(Role, PathBuf),
    /// The key is encrypted, and there is nobody to ask for a password.
    Encrypted(PathBuf),
    /// The key is not that of the certificate.
    KeyMismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The file is as it should be, but its content is of no use; the library's words.
    Unusable(Role, PathBuf, String),
}

/// The three files; without one for the authorities, the built-in roots are trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate authorities to trust.
    pub ca: Option<PathBuf>,
    /// The device's certificate, with those between it and its authority behind it, if any.
    pub certificate: PathBuf,
    /// The device's private key.
    pub key: PathBuf,
}

impl CertificateFiles {
    /// Looks in `folder` for those that are not given.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn find(
        folder: &Path,
        ca: Option<&Path>,
        certificate: Option<&Path>,
        key: Option<&Path>,
    ) -> Result<Self, Vec<CertificateProblem>> {
        let mut problems = Vec::new();
        let names = match ca.and(certificate).and(key) {
            Some(_) => Vec::new(), // the folder is not needed
            None => list(folder).unwrap_or_else(|kind| {
                if certificate.is_none() || key.is_none() {
                    problems.push(CertificateProblem::Folder(folder.to_owned(), kind));
                }
                Vec::new()
            }),
        };
        let folder_is_read = problems.is_empty();
        let mut pick = |role: Role, given: Option<&Path>| {
            if given.is_some() {
                return given.map(Path::to_owned);
            }
            let matches: Vec<_> = names.iter().filter(|name| role.matches(name)).collect();
            match matches.as_slice() {
                [name] => return Some(folder.join(name)),
                [] if role == Role::Ca || !folder_is_read => {}
                [] => problems.push(CertificateProblem::Missing(role, folder.to_owned())),
                several => problems.push(CertificateProblem::Ambiguous(
                    role,
                    several.iter().map(|name| folder.join(name)).collect(),
                )),
            }
            None
        };
        let ca = pick(Role::Ca, ca);
        let certificate = pick(Role::Certificate, certificate);
        let key = pick(Role::Key, key);
        match (certificate, key) {
            (Some(certificate), Some(key)) if problems.is_empty() => Ok(Self { ca, certificate, key }),
            _ => Err(problems),
        }
    }

    /// Reads the files. `alpn` turns the extension on that AWS's port 443 wants.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn load(&self, alpn: bool) -> Result<Arc<ClientConfig>, Vec<CertificateProblem>> {
        let roots = self.load_roots();
        let certificate = self.load_certificate();
        let key = self.load_key();
        let (roots, certificate, key) = match (roots, certificate, key) {
            (Ok(roots), Ok(certificate), Ok(key)) => (roots, certificate, key),
            (roots, certificate, key) => {
                return Err([roots.err(), certificate.err(), key.err()].into_iter().flatten().collect());
            }
        };
        self.client_config(roots, certificate, key, alpn).map_err(|problem| vec![problem])
    }

    fn client_config(
        &self,
        roots: RootCertStore,
        certificate: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        alpn: bool,
    ) -> Result<Arc<ClientConfig>, CertificateProblem> {
        let provider = Arc::new(ring::default_provider());
        let unusable = |role, path: &PathBuf, error: &dyn ToString| {
            CertificateProblem::Unusable(role, path.clone(), error.to_string())
        };
        let ca = || self.ca.clone().unwrap_or_default();
        let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider.clone())
            .build()
            .map_err(|error| unusable(Role::Ca, &ca(), &error))?;
        let mut config = ClientConfig::builder_with_details(provider, Arc::new(WallClock))
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(Role::Ca, &ca(), &error))?
            .with_webpki_verifier(verifier)
            .with_client_auth_cert(certificate, key)
            .map_err(|error| match error {
                rustls::Error::InconsistentKeys(_) => CertificateProblem::KeyMismatch {
                    certificate: self.certificate.clone(),
                    key: self.key.clone(),
                },
                rustls::Error::InvalidCertificate(_) => {
                    unusable(Role::Certificate, &self.certificate, &error)
                }
                error => unusable(Role::Key, &self.key, &error),
            })?;
        if alpn {
            config.alpn_protocols = vec![ALPN.to_vec()];
        }
        // One broker, one ticket: the default keeps room for 256 servers.
        config.resumption = Resumption::in_memory_sessions(1);
        Ok(Arc::new(config))
    }

    fn load_roots(&self) -> Result<RootCertStore, CertificateProblem> {
        let mut roots = RootCertStore::empty();
        let Some(path) = &self.ca else {
            roots.extend(roots::BUILT_IN.iter().cloned());
            return Ok(roots);
        };
        for certificate in certificates(Role::Ca, path)? {
            roots
                .add(certificate)
                .map_err(|error| CertificateProblem::Unusable(Role::Ca, path.clone(), error.to_string()))?;
        }
        Ok(roots)
    }

    fn load_certificate(&self) -> Result<Vec<CertificateDer<'static>>, CertificateProblem> {
        certificates(Role::Certificate, &self.certificate)
    }

    fn load_key(&self) -> Result<PrivateKeyDer<'static>, CertificateProblem> {
        let text = read(Role::Key, &self.key)?;
        // PKCS#8 says it in its label, the older form in a header of its own.
        if contains(&text, b"ENCRYPTED") {
            return Err(CertificateProblem::Encrypted(self.key.clone()));
        }
        PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
            pem::Error::NoItemsFound => CertificateProblem::Empty(Role::Key, self.key.clone()),
            _ => CertificateProblem::NotPem(Role::Key, self.key.clone()),
        })
    }
}

fn list(folder: &Path) -> Result<Vec<String>, io::ErrorKind> {
    let entries = std::fs::read_dir(folder).map_err(|error| error.kind())?;
    let mut names: Vec<_> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

/// Reads a file that has to be PEM.
fn read(role: Role, path: &Path) -> Result<Vec<u8>, CertificateProblem> {
    let mut text = Vec::new();
    let length = File::open(path)
        .and_then(|file| file.take(FILE_LEN_MAX + 1).read_to_end(&mut text))
        .map_err(|error| CertificateProblem::Unreadable(role, path.to_owned(), error.kind()))?;
    if length as u64 > FILE_LEN_MAX {
        return Err(CertificateProblem::Unreadable(role, path.to_owned(), io::ErrorKind::FileTooLarge));
    }
    if contains(&text, b"-----BEGIN ") {
        Ok(text)
    } else {
        Err(CertificateProblem::NotPem(role, path.to_owned()))
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn certificates(role: Role, path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateProblem> {
    let text = read(role, path)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err(CertificateProblem::Empty(role, path.to_owned())),
        Ok(certificates) => Ok(certificates),
        Err(_) => Err(CertificateProblem::NotPem(role, path.to_owned())),
    }
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

/// What can go wrong between two ends of TLS, by who is to blame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsError {
    /// The broker's certificate is for another name.
    WrongName,
    /// The broker's certificate comes from no authority that is trusted.
    UnknownIssuer,
    /// The broker's certificate is not valid yet, or the clock is slow.
    NotYetValid,
    /// The broker's certificate is not valid any more, or the clock is fast.
    Expired,
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

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        use CertificateError as Certificate;
        match error {
            rustls::Error::InvalidCertificate(error) => match error {
                Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => Self::WrongName,
                Certificate::UnknownIssuer => Self::UnknownIssuer,
                Certificate::NotValidYet | Certificate::NotValidYetContext { .. } => Self::NotYetValid,
                Certificate::Expired | Certificate::ExpiredContext { .. } => Self::Expired,
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
