//! Finds the certificate files in their folder.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::problem::{CertificateProblem, Role};

impl Role {
    /// The pattern of the file names that AWS uses for this role.
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
            // As for a shell's `*`; macOS leaves such copies.
            _ if name.starts_with('.') => false,
            Self::Ca => {
                let name = name.to_ascii_lowercase();
                name.split_once("root").is_some_and(|(_, rest)| rest.contains("ca"))
            }
            Self::Certificate => name.contains("certificate.pem"),
            Self::Key => name.contains("private.pem"),
        }
    }
}

/// Where to look for the certificate files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificatePaths {
    /// The folder that is searched for every file whose path is not given.
    pub folder: PathBuf,
    /// The certificate authorities to trust.
    pub ca: Option<PathBuf>,
    /// The device's certificate.
    pub certificate: Option<PathBuf>,
    /// The device's private key.
    pub key: Option<PathBuf>,
}

impl CertificatePaths {
    /// Looks in the folder for the files whose paths are not given.
    ///
    /// # Errors
    /// Every problem found.
    pub fn find(&self) -> Result<CertificateFiles, Vec<CertificateProblem>> {
        let [ca, certificate, key] = [&self.ca, &self.certificate, &self.key].map(Option::as_deref);
        CertificateFiles::find(&self.folder, ca, certificate, key)
    }
}

/// The certificate files. Without a CA file, the built-in roots are trusted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CertificateFiles {
    /// The certificate authorities to trust.
    pub ca: Option<PathBuf>,
    /// The device's certificate, followed by its intermediates, if any.
    pub certificate: PathBuf,
    /// The device's private key.
    pub key: PathBuf,
}

impl CertificateFiles {
    /// Looks in `folder` for the files whose paths are not given.
    ///
    /// # Errors
    /// Every problem found.
    pub fn find(
        folder: &Path,
        ca: Option<&Path>,
        certificate: Option<&Path>,
        key: Option<&Path>,
    ) -> Result<Self, Vec<CertificateProblem>> {
        let mut problems = Vec::new();
        let names = match ca.and(certificate).and(key) {
            Some(_) => Vec::new(), // the folder is not needed
            None => list(folder).unwrap_or_else(|error| {
                if certificate.is_none() || key.is_none() {
                    problems.push(CertificateProblem::Folder(folder.to_owned(), error.into()));
                }
                Vec::new()
            }),
        };
        let is_folder_read = problems.is_empty();
        let mut pick = |role: Role, given: Option<&Path>| {
            if given.is_some() {
                return given.map(Path::to_owned);
            }
            let matches: Vec<_> = names.iter().filter(|name| role.matches(name)).collect();
            match matches.as_slice() {
                [name] => return Some(folder.join(name)),
                [] if role == Role::Ca || !is_folder_read => {}
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

    /// Who may read the key file.
    ///
    /// # Errors
    /// The file's mode cannot be read.
    pub fn key_readers(&self) -> Result<KeyReaders, CertificateProblem> {
        let metadata = std::fs::metadata(&self.key)
            .map_err(|error| CertificateProblem::Unreadable(Role::Key, self.key.clone(), error.into()))?;
        Ok(KeyReaders { mode: metadata.permissions().mode() & 0o7777 })
    }
}

/// Who may read the private key, by the file's mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyReaders {
    /// The permission bits, as `chmod` has them.
    pub mode: u32,
}

impl KeyReaders {
    /// Whether the file's group may read it, which is right if the program has a group of its own.
    #[must_use]
    pub const fn group(self) -> bool {
        self.mode & 0o040 != 0
    }

    /// Whether everybody may read it, which is never right.
    #[must_use]
    pub const fn everybody(self) -> bool {
        self.mode & 0o004 != 0
    }
}

/// The names in a folder, sorted.
fn list(folder: &Path) -> io::Result<Vec<String>> {
    let entries = std::fs::read_dir(folder)?;
    let mut names: Vec<_> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use pivitals_broker::TestDir;

    use super::*;

    #[test]
    fn file_names_that_aws_uses_match_one_role_each() {
        for (role, name) in [
            (Role::Ca, "AmazonRootCA1.pem"),
            (Role::Ca, "root-CA.crt"),
            (Role::Ca, "my_root_ca.pem"),
            (Role::Certificate, "0a1b2c-certificate.pem.crt"),
            (Role::Certificate, "device.certificate.pem"),
            (Role::Key, "0a1b2c-private.pem.key"),
        ] {
            assert!(role.matches(name), "{name}");
            let mut others =
                [Role::Ca, Role::Certificate, Role::Key].into_iter().filter(|other| *other != role);
            assert!(others.all(|other| !other.matches(name)), "{name}");
        }
        for name in ["0a1b2c-public.pem.key", "._AmazonRootCA1.pem", ".private.pem", "ca-root.pem", "README"]
        {
            assert!(
                [Role::Ca, Role::Certificate, Role::Key].iter().all(|role| !role.matches(name)),
                "{name}"
            );
        }
    }

    #[test]
    fn missing_and_ambiguous_files_are_reported_together() {
        let dir = TestDir::new("find");
        let folder = dir.path();
        for name in ["AmazonRootCA1.pem", "AmazonRootCA3.pem", "x-private.pem.key"] {
            std::fs::write(folder.join(name), "").unwrap();
        }
        let problems = CertificateFiles::find(folder, None, None, None).unwrap_err();
        let both = vec![folder.join("AmazonRootCA1.pem"), folder.join("AmazonRootCA3.pem")];
        assert_eq!(
            problems,
            [
                CertificateProblem::Ambiguous(Role::Ca, both),
                CertificateProblem::Missing(Role::Certificate, folder.to_owned())
            ]
        );
        let given = CertificateFiles::find(folder, Some(Path::new("/ca")), Some(Path::new("/cert")), None);
        let key = folder.join("x-private.pem.key");
        assert_eq!(given, Ok(CertificateFiles { ca: Some("/ca".into()), certificate: "/cert".into(), key }));
    }

    #[test]
    fn missing_folder_is_an_error_only_if_certificate_or_key_is_not_given() {
        let nowhere = Path::new("/not/there");
        let error = CertificateFiles::find(nowhere, None, None, None).unwrap_err();
        assert!(
            matches!(&error[..], [CertificateProblem::Folder(folder, _)] if folder == nowhere),
            "{error:?}"
        );
        assert!(CertificateFiles::find(nowhere, None, Some(Path::new("/a")), Some(Path::new("/b"))).is_ok());
    }
}
