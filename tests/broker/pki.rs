//! A certificate authority made on the spot, and what it issues: EC P-256, X.509 v3.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The name AWS gives its root certificate; every device's folder holds one.
const ROOT_FILE_NAME: &str = "AmazonRootCA1.pem";
const DAY: Duration = Duration::from_secs(86_400);

/// A certificate authority and what it has issued. Clones are the same authority.
#[derive(Clone)]
pub struct Pki(Arc<Inner>);

struct Inner {
    dir: PathBuf,
    ours: CertifiedIssuer<'static, KeyPair>,
    foreign: CertifiedIssuer<'static, KeyPair>,
    /// Certificate (DER) → common name. Whoever presents a certificate of ours got it here, so
    /// nobody needs to parse one.
    issued: Mutex<HashMap<Vec<u8>, String>>,
}

/// Where a device finds its three files, named as AWS names them.
#[derive(Clone, Debug)]
pub struct DeviceFiles {
    /// The folder that holds the three, and nothing else.
    pub dir: PathBuf,
    /// `AmazonRootCA1.pem`: the authority to trust.
    pub ca: PathBuf,
    /// `<name>-certificate.pem.crt`.
    pub certificate: PathBuf,
    /// `<name>-private.pem.key`: PKCS#8, mode 0600.
    pub key: PathBuf,
}

/// From when to when a certificate is valid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Validity {
    /// 2020 to 2100: after a clock that was never set, and beyond 2038.
    #[default]
    Current,
    /// 2020 to 2021.
    Expired,
    /// From 2090 on.
    NotYet,
    /// From 2020 until so many days and a half from now.
    DaysLeft(u32),
}

/// Who signs a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Issuer {
    /// The authority in `AmazonRootCA1.pem`.
    #[default]
    Ours,
    /// Another one, which nobody trusts.
    Foreign,
}

/// What a server's certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Host names and IP addresses it is good for; `localhost` and 127.0.0.1 by default.
    pub names: Vec<String>,
    /// From when to when.
    pub validity: Validity,
    /// Signed by whom.
    pub issuer: Issuer,
}

impl Default for Leaf {
    fn default() -> Self {
        Self {
            names: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
            validity: Validity::default(),
            issuer: Issuer::default(),
        }
    }
}

impl Pki {
    /// Makes an authority and writes its certificate to `dir/AmazonRootCA1.pem`.
    pub fn new(dir: &Path) -> Self {
        let pki = Self(Arc::new(Inner {
            dir: dir.to_owned(),
            ours: authority("pivitals test root CA"),
            foreign: authority("a stranger's root CA"),
            issued: Mutex::default(),
        }));
        make_dir(dir);
        write(&pki.root_file(), &pki.0.ours.pem(), 0o644);
        pki
    }

    /// `AmazonRootCA1.pem`: the authority's own certificate.
    pub fn root_file(&self) -> PathBuf {
        self.0.dir.join(ROOT_FILE_NAME)
    }

    /// Issues a certificate with the common name `name`, and fills the folder `name` with it.
    pub fn device(&self, name: &str) -> DeviceFiles {
        self.device_with(name, Validity::Current, Issuer::Ours)
    }

    /// The same, with a certificate that may be faulty. Files of that name are replaced.
    pub fn device_with(&self, name: &str, validity: Validity, issuer: Issuer) -> DeviceFiles {
        let (certificate, key) = self.issue(name, &[], validity, issuer, ExtendedKeyUsagePurpose::ClientAuth);
        let dir = self.0.dir.join(name);
        make_dir(&dir);
        let files = DeviceFiles {
            ca: dir.join(ROOT_FILE_NAME),
            certificate: dir.join(format!("{name}-certificate.pem.crt")),
            key: dir.join(format!("{name}-private.pem.key")),
            dir,
        };
        write(&files.ca, &self.0.ours.pem(), 0o644);
        write(&files.certificate, &certificate.pem(), 0o644);
        write(&files.key, &key.serialize_pem(), 0o600);
        files
    }

    /// A server's certificate and its key.
    pub fn server(&self, leaf: &Leaf) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let purpose = ExtendedKeyUsagePurpose::ServerAuth;
        let common_name = "pivitals test broker";
        let (certificate, key) = self.issue(common_name, &leaf.names, leaf.validity, leaf.issuer, purpose);
        (certificate.der().clone(), key.into())
    }

    /// The authority's certificate, for whoever verifies.
    pub(crate) fn root(&self) -> CertificateDer<'static> {
        self.0.ours.der().clone()
    }

    /// The common name of a certificate issued here.
    pub(crate) fn common_name(&self, certificate: &CertificateDer<'_>) -> Option<String> {
        self.issued().get(certificate.as_ref()).cloned()
    }

    fn issue(
        &self,
        common_name: &str,
        names: &[String],
        validity: Validity,
        issuer: Issuer,
        purpose: ExtendedKeyUsagePurpose,
    ) -> (rcgen::Certificate, KeyPair) {
        let mut params = CertificateParams::new(names).expect("names fit a certificate");
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![purpose];
        let from = if validity == Validity::NotYet { 2090 } else { 2020 };
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = match validity {
            Validity::Current | Validity::NotYet => date_time_ymd(2100, 1, 1),
            Validity::Expired => date_time_ymd(2021, 1, 1),
            Validity::DaysLeft(days) => (SystemTime::now() + days * DAY + DAY / 2).into(),
        };
        let key = key_pair();
        let signer = match issuer {
            Issuer::Ours => &self.0.ours,
            Issuer::Foreign => &self.0.foreign,
        };
        let certificate = params.signed_by(&key, signer).expect("a key of ours signs");
        self.issued().insert(certificate.der().to_vec(), common_name.to_owned());
        (certificate, key)
    }

    fn issued(&self) -> std::sync::MutexGuard<'_, HashMap<Vec<u8>, String>> {
        self.0.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn authority(common_name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = date_time_ymd(2015, 1, 1);
    params.not_after = date_time_ymd(2120, 1, 1);
    CertifiedIssuer::self_signed(params, key_pair()).expect("a key of ours signs")
}

fn key_pair() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("the system gives random bytes")
}

fn make_dir(dir: &Path) {
    fs::create_dir_all(dir)
        .unwrap_or_else(|error| panic!("expected to make the folder {}: {error}", dir.display()));
}

fn write(path: &Path, text: &str, mode: u32) {
    OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .unwrap_or_else(|error| panic!("expected to write {}: {error}", path.display()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::pem::PemObject as _;

    #[test]
    fn a_device_gets_three_files_by_aws_names_that_parse() {
        let dir = std::env::temp_dir().join(format!("pivitals-pki-{}", std::process::id()));
        let pki = Pki::new(&dir);
        let files = pki.device("pi-7");
        let mut names: Vec<_> = fs::read_dir(&files.dir)
            .expect("the device's folder exists")
            .map(|entry| entry.expect("an entry reads").file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["AmazonRootCA1.pem", "pi-7-certificate.pem.crt", "pi-7-private.pem.key"]);
        assert!(pki.root_file().ends_with("AmazonRootCA1.pem"));

        let ca = CertificateDer::from_pem_file(&files.ca).expect("the CA file parses");
        assert_eq!(ca, pki.root());
        let certificate = CertificateDer::from_pem_file(&files.certificate).expect("the certificate parses");
        assert_eq!(pki.common_name(&certificate).as_deref(), Some("pi-7"));
        PrivateKeyDer::from_pem_file(&files.key).expect("the key parses");
        fs::remove_dir_all(&dir).expect("the folder goes");
    }
}
