//! What is wrong with the certificate files, in words.

use std::fmt::{self, Display};
use std::io;

use crate::tls::{CertificateProblem, Role};

/// What the system says of a file, in the words of a user: std's are "entity not found".
#[must_use]
pub fn file_error(kind: io::ErrorKind) -> String {
    match kind {
        io::ErrorKind::NotFound => "it is not there".to_owned(),
        other => other.to_string(),
    }
}

impl Display for CertificateProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |role: &Role| match role {
            Role::Ca => "CA",
            Role::Certificate => "certificate",
            Role::Key => "private key",
        };
        let key = |role: &Role| match role {
            Role::Ca => "ca_file",
            Role::Certificate => "cert_file",
            Role::Key => "key_file",
        };
        match self {
            Self::Folder(folder, kind) => write!(
                f,
                "{}: the folder of the certificates cannot be read: {}; set `certs`, or `cert_file` and `key_file`",
                folder.display(),
                file_error(*kind)
            ),
            Self::Missing(role, folder) => write!(
                f,
                "{}: no {} here: no file is named {}; put it there, or set `{}`",
                folder.display(),
                name(role),
                role.pattern(),
                key(role)
            ),
            Self::Ambiguous(role, paths) => {
                write!(f, "more than one {} is named {}:", name(role), role.pattern())?;
                for path in paths {
                    write!(f, " {}", path.display())?;
                }
                write!(f, "; leave one, or set `{}`", key(role))
            }
            Self::Unreadable(role, path, kind) => {
                write!(f, "{}: the {} cannot be read: {}", path.display(), name(role), file_error(*kind))?;
                match kind {
                    io::ErrorKind::PermissionDenied => {
                        f.write_str("; it must belong to the user that pivitals runs as")
                    }
                    _ => Ok(()),
                }
            }
            Self::NotPem(role, path) => write!(
                f,
                "{}: the {} is not PEM; a PEM file has a line -----BEGIN …-----, and is whole",
                path.display(),
                name(role)
            ),
            Self::Empty(role, path) => {
                write!(f, "{}: there is no {} in this PEM file", path.display(), name(role))
            }
            Self::Encrypted(path) => write!(
                f,
                "{}: the private key is encrypted, and nobody is there to give a password; decrypt it with `openssl \
                 pkey -in FILE -out NEW`",
                path.display()
            ),
            Self::KeyMismatch { certificate, key } => write!(
                f,
                "{}: this private key does not belong to the certificate {}; take both from the same download",
                key.display(),
                certificate.display()
            ),
            Self::Dates(path, _) => write!(
                f,
                "{}: from when until when this certificate is valid cannot be read; download it again",
                path.display()
            ),
            Self::Unusable(role, path, why) => {
                write!(f, "{}: this {} cannot be used: {why}", path.display(), name(role))
            }
        }
    }
}
