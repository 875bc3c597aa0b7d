//! What can be wrong with the certificate files. `report::failure` has the words.

use std::path::PathBuf;

use super::validity::ValidityError;
use crate::platform::os_error::OsError;

/// What a certificate file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The certificate authorities to trust.
    Ca,
    /// The device's certificate.
    Certificate,
    /// The device's private key.
    Key,
}

/// One problem with the certificate files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateProblem {
    /// The folder cannot be read.
    Folder(PathBuf, OsError),
    /// No file in the folder has a name for this role.
    Missing(Role, PathBuf),
    /// Several files in the folder have a name for this role.
    Ambiguous(Role, Vec<PathBuf>),
    /// The file cannot be read.
    Unreadable(Role, PathBuf, OsError),
    /// The file is not PEM.
    NotPem(Role, PathBuf),
    /// The file is PEM, but has no section for this role.
    Empty(Role, PathBuf),
    /// The key is encrypted, and there is nobody to ask for a password.
    Encrypted(PathBuf),
    /// The key does not belong to the certificate.
    KeyMismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The certificate's dates cannot be read, or contradict each other.
    Dates(PathBuf, ValidityError),
    /// The file is well-formed, but rustls rejects its content, with these words.
    Unusable(Role, PathBuf, String),
}
