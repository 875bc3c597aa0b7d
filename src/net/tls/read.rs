//! Reads the certificate files: bytes, then PEM.
//!
//! The program's allocator wipes what is freed ([`platform::allocator`](crate::platform::allocator)), on every
//! path: the key's text, its base64 and DER within rustls, and what they left behind as they grew.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::files::CertificateFiles;
use super::fingerprint::Fingerprint;
use super::problem::{CertificateProblem, Role};
use crate::platform::allocator::WIPED_LEN_MAX;
use crate::platform::os_error::OsError;

/// Longest file of certificates, in bytes. Mozilla's whole list is 230 kB.
const FILE_LEN_MAX: usize = 1024 * 1024;
/// Longest key file, in bytes. A key of 16,384 bits is 13 kB.
const KEY_LEN_MAX: usize = 32 * 1024;

// What a key is read into is wiped, also after it has doubled to make room for the last byte.
const _: () = assert!(2 * KEY_LEN_MAX <= WIPED_LEN_MAX);

/// The bytes of a file, or why it cannot be read.
type Bytes = Result<Vec<u8>, OsError>;

/// The content of the certificate files, not parsed yet.
pub struct Contents<'a> {
    files: &'a CertificateFiles,
    /// `None` without a CA file.
    ca: Option<Bytes>,
    certificate: Bytes,
    key: Bytes,
}

impl CertificateFiles {
    /// Reads the files without parsing them.
    #[must_use]
    pub fn read(&self) -> Contents<'_> {
        Contents {
            files: self,
            ca: self.ca.as_deref().map(|path| read_file(path, FILE_LEN_MAX)),
            certificate: read_file(&self.certificate, FILE_LEN_MAX),
            key: read_file(&self.key, KEY_LEN_MAX),
        }
    }
}

impl<'a> Contents<'a> {
    /// The files that were read.
    pub(super) const fn files(&self) -> &'a CertificateFiles {
        self.files
    }

    /// The fingerprint of the files' names and content, errors included.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of((self.files, &self.ca, &self.certificate, &self.key))
    }

    /// Parses the certificates to trust. Empty without a CA file, which stands for the built-in roots.
    ///
    /// # Errors
    /// What is wrong with the CA file.
    pub(super) fn authorities(&self) -> Result<Vec<CertificateDer<'static>>, CertificateProblem> {
        match (&self.files.ca, &self.ca) {
            (Some(path), Some(bytes)) => certificates(Role::Ca, path, bytes),
            _ => Ok(Vec::new()),
        }
    }

    /// Parses the device's certificate and its intermediates.
    ///
    /// # Errors
    /// What is wrong with the certificate file.
    pub(super) fn chain(&self) -> Result<Vec<CertificateDer<'static>>, CertificateProblem> {
        certificates(Role::Certificate, &self.files.certificate, &self.certificate)
    }

    /// Parses the device's private key.
    ///
    /// # Errors
    /// What is wrong with the key file.
    pub(super) fn key(&self) -> Result<PrivateKeyDer<'static>, CertificateProblem> {
        let path = &self.files.key;
        let text = pem_text(Role::Key, path, &self.key)?;
        // PKCS#8 says so in its label, the older form in a header of its own.
        if contains(text, b"ENCRYPTED") {
            return Err(CertificateProblem::Encrypted(path.clone()));
        }
        PrivateKeyDer::from_pem_slice(text).map_err(|error| match error {
            pem::Error::NoItemsFound => CertificateProblem::Empty(Role::Key, path.clone()),
            _ => CertificateProblem::NotPem(Role::Key, path.clone()),
        })
    }
}

fn read_file(path: &Path, len_max: usize) -> Bytes {
    let mut bytes = Vec::new();
    File::open(path)?.take(len_max as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > len_max { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

/// The bytes, if they look like PEM.
fn pem_text<'a>(role: Role, path: &Path, bytes: &'a Bytes) -> Result<&'a [u8], CertificateProblem> {
    match bytes {
        Ok(text) if contains(text, b"-----BEGIN ") => Ok(text),
        Ok(_) => Err(CertificateProblem::NotPem(role, path.to_owned())),
        Err(error) => Err(CertificateProblem::Unreadable(role, path.to_owned(), *error)),
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn certificates(
    role: Role,
    path: &Path,
    bytes: &Bytes,
) -> Result<Vec<CertificateDer<'static>>, CertificateProblem> {
    let text = pem_text(role, path, bytes)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err(CertificateProblem::Empty(role, path.to_owned())),
        Ok(certificates) => Ok(certificates),
        Err(_) => Err(CertificateProblem::NotPem(role, path.to_owned())),
    }
}
