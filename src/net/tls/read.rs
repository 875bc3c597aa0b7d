//! Reads the certificate files: bytes, then PEM.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::files::CertificateFiles;
use super::problem::{CertificateProblem, Role};

/// A longer file is rejected.
const FILE_LEN_MAX: u64 = 1024 * 1024;

impl CertificateFiles {
    /// Reads the certificates to trust. Empty without a CA file, which stands for the built-in roots.
    ///
    /// # Errors
    /// What is wrong with the CA file.
    pub(super) fn read_authorities(&self) -> Result<Vec<CertificateDer<'static>>, CertificateProblem> {
        self.ca.as_ref().map_or_else(|| Ok(Vec::new()), |path| certificates(Role::Ca, path))
    }

    /// Reads the device's certificate and its intermediates.
    ///
    /// # Errors
    /// What is wrong with the certificate file.
    pub(super) fn read_chain(&self) -> Result<Vec<CertificateDer<'static>>, CertificateProblem> {
        certificates(Role::Certificate, &self.certificate)
    }

    /// Reads the device's private key.
    ///
    /// # Errors
    /// What is wrong with the key file.
    pub(super) fn read_key(&self) -> Result<PrivateKeyDer<'static>, CertificateProblem> {
        let text = read(Role::Key, &self.key)?;
        // PKCS#8 says so in its label, the older form in a header of its own.
        if contains(&text, b"ENCRYPTED") {
            return Err(CertificateProblem::Encrypted(self.key.clone()));
        }
        PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
            pem::Error::NoItemsFound => CertificateProblem::Empty(Role::Key, self.key.clone()),
            _ => CertificateProblem::NotPem(Role::Key, self.key.clone()),
        })
    }
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
