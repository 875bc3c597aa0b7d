//! Finding the certificate files, and reading what is in them.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::validity::ValidityError;

#[cfg(test)]
mod tests;

/// Longer files are no certificates.
const FILE_LEN_MAX: u64 = 1024 * 1024;

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
    /// From when until when the certificate is good cannot be read, or is a contradiction.
    Dates(PathBuf, ValidityError),
    /// The file is as it should be, but its content is of no use; the library's words.
    Unusable(Role, PathBuf, String),
}

/// Where the files are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificatePaths {
    /// The folder that is searched for what is not given.
    pub folder: PathBuf,
    /// The certificate authorities to trust.
    pub ca: Option<PathBuf>,
    /// The device's certificate.
    pub certificate: Option<PathBuf>,
    /// The device's private key.
    pub key: Option<PathBuf>,
}

impl CertificatePaths {
    /// Looks in the folder for those that are not given.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn find(&self) -> Result<CertificateFiles, Vec<CertificateProblem>> {
        let [ca, certificate, key] = [&self.ca, &self.certificate, &self.key].map(Option::as_deref);
        CertificateFiles::find(&self.folder, ca, certificate, key)
    }
}

/// The three files; without one for the authorities, the built-in roots are trusted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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

    /// The certificates to trust; none if no file is named, which stands for the built-in ones.
    pub(super) fn read_authorities(&self) -> Result<Vec<CertificateDer<'static>>, CertificateProblem> {
        self.ca.as_ref().map_or_else(|| Ok(Vec::new()), |path| certificates(Role::Ca, path))
    }

    /// The device's certificate, and those between it and its authority.
    pub(super) fn read_chain(&self) -> Result<Vec<CertificateDer<'static>>, CertificateProblem> {
        certificates(Role::Certificate, &self.certificate)
    }

    pub(super) fn read_key(&self) -> Result<PrivateKeyDer<'static>, CertificateProblem> {
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

    /// Who may read the key.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn key_readers(&self) -> Result<KeyReaders, CertificateProblem> {
        let about = std::fs::metadata(&self.key)
            .map_err(|error| CertificateProblem::Unreadable(Role::Key, self.key.clone(), error.kind()))?;
        Ok(KeyReaders { mode: about.permissions().mode() & 0o7777 })
    }
}

/// Who may read the private key, by the file's mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyReaders {
    /// The permission bits, as `chmod` has them.
    pub mode: u32,
}

impl KeyReaders {
    /// The file's group may, which is right if the program runs in a group of its own.
    #[must_use]
    pub const fn group(self) -> bool {
        self.mode & 0o040 != 0
    }

    /// Everybody may, which is never right.
    #[must_use]
    pub const fn everybody(self) -> bool {
        self.mode & 0o004 != 0
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
