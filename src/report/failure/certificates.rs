//! What is wrong with the certificate files, in words.

use std::fmt;
use std::io;
use std::path::Path;

use super::Words;
use super::system::file_error;
use crate::net::tls::{CertificateProblem, Role, State, Validity};
use crate::platform::clock::Utc;

/// What is wrong with a device's certificate at a time at which it is not good; `None` while it is.
#[must_use]
pub fn out_of_date(certificate: &Path, validity: Validity, now: Utc) -> Option<Words> {
    let remedy = remedy_of_date(validity.state(now))?;
    let cause = format!(
        "{}: this certificate is valid from {} to {}; this device's clock shows {now}",
        certificate.display(),
        validity.from,
        validity.until
    );
    Some(Words::new(cause, remedy))
}

/// What to do about a device's certificate that is not good now.
pub(super) const fn remedy_of_date(state: State) -> Option<&'static str> {
    match state {
        State::Expired => Some("it has expired: put a new one and its key in its place"),
        State::NotYet => Some("it is not valid yet: check the clock, here and where it was issued"),
        State::Current => None,
    }
}

impl CertificateProblem {
    /// What is wrong, and what to do about it.
    #[must_use]
    pub fn explain(&self) -> Words {
        match self {
            Self::Folder(folder, error) => file_error(
                &format!("{}: the folder of the certificates cannot be read", folder.display()),
                *error,
                "set `certs`, or `cert_file` and `key_file`",
            ),
            Self::Missing(role, folder) => Words::new(
                format!("{}: no {} here: no file is named {}", folder.display(), name(*role), role.pattern()),
                format!("put it there, or set `{}`", key(*role)),
            ),
            Self::Ambiguous(role, paths) => {
                let paths: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
                Words::new(
                    format!("more than one {} is named {}: {}", name(*role), role.pattern(), paths.join(" ")),
                    format!("leave one, or set `{}`", key(*role)),
                )
            }
            Self::Unreadable(role, path, error) => {
                let what = format!("{}: the {} cannot be read", path.display(), name(*role));
                let check = format!("check `{}`", key(*role));
                let is_denied = error.kind() == io::ErrorKind::PermissionDenied;
                let remedy = if is_denied {
                    "it must belong to the user that pivitals runs as"
                } else {
                    check.as_str()
                };
                file_error(&what, *error, remedy)
            }
            Self::NotPem(role, path) => Words::new(
                format!("{}: the {} is not PEM", path.display(), name(*role)),
                "a PEM file has a line -----BEGIN …-----, and is whole",
            ),
            Self::Empty(role, path) => Words::new(
                format!("{}: there is no {} in this PEM file", path.display(), name(*role)),
                format!("check which file is which, or set `{}`", key(*role)),
            ),
            Self::Encrypted(path) => Words::new(
                format!(
                    "{}: the private key is encrypted, and nobody is there to give a password",
                    path.display()
                ),
                "decrypt it with `openssl pkey -in FILE -out NEW`",
            ),
            Self::KeyMismatch { certificate, key } => Words::new(
                format!(
                    "{}: this private key does not belong to the certificate {}",
                    key.display(),
                    certificate.display()
                ),
                "take both from the same download",
            ),
            Self::Dates(path, _) => Words::new(
                format!("{}: from when until when this certificate is valid cannot be read", path.display()),
                "download it again",
            ),
            Self::Unusable(role, path, why) => Words::new(
                format!("{}: this {} cannot be used: {why}", path.display(), name(*role)),
                "download it again",
            ),
        }
    }
}

/// Both in one line, as the log has them.
impl fmt::Display for CertificateProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.explain().fmt(f)
    }
}

const fn name(role: Role) -> &'static str {
    match role {
        Role::Ca => "CA",
        Role::Certificate => "certificate",
        Role::Key => "private key",
    }
}

/// The key of the configuration that names the file.
const fn key(role: Role) -> &'static str {
    match role {
        Role::Ca => "ca_file",
        Role::Certificate => "cert_file",
        Role::Key => "key_file",
    }
}
