//! Certificates and keys as the `openssl` command makes them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::tools::openssl_pem;

/// For the tests' own authorities; nothing of the system's `openssl.cnf` counts.
const REQUEST_CONFIG: &str = "\
[req]
distinguished_name = name
x509_extensions = authority
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
";

const SERVER_EXTENSIONS: &str = "\
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1
";

/// What the device certificates that AWS issues have.
const DEVICE_EXTENSIONS: &str = "\
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
";

/// The forms in which private keys come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA-2048 in PKCS#1: what AWS issues.
    RsaPkcs1,
    /// RSA-2048 in PKCS#8.
    RsaPkcs8,
    /// P-256 in SEC1.
    EcSec1,
    /// P-256 in PKCS#8.
    EcPkcs8,
}

impl KeyKind {
    /// A key in PEM. RSA keys take long to make: all devices of a test run share one.
    pub fn key(self) -> String {
        static RSA: OnceLock<String> = OnceLock::new();
        let pem = match self {
            Self::RsaPkcs1 => RSA.get_or_init(rsa_key).clone(),
            Self::RsaPkcs8 => pkcs8(&Self::RsaPkcs1.key()),
            Self::EcSec1 => openssl_pem(&["ecparam", "-name", "prime256v1", "-genkey", "-noout"], ""),
            Self::EcPkcs8 => pkcs8(&Self::EcSec1.key()),
        };
        let label = match self {
            Self::RsaPkcs1 => "-----BEGIN RSA PRIVATE KEY-----\n",
            Self::EcSec1 => "-----BEGIN EC PRIVATE KEY-----\n",
            Self::RsaPkcs8 | Self::EcPkcs8 => "-----BEGIN PRIVATE KEY-----\n",
        };
        assert!(pem.starts_with(label), "{self:?} in another form: {}", pem.lines().next().unwrap_or(""));
        pem
    }
}

fn rsa_key() -> String {
    openssl_pem(&["genrsa", "-traditional", "2048"], "")
}

fn pkcs8(key: &str) -> String {
    openssl_pem(&["pkcs8", "-topk8", "-nocrypt"], key)
}

/// A certificate authority.
#[derive(Debug)]
pub struct Authority {
    folder: PathBuf,
    /// Its own certificate, in PEM.
    pub certificate: String,
}

impl Authority {
    /// The one that the broker takes device certificates from; RSA, as Amazon's.
    pub fn ours(folder: &Path) -> Self {
        static KEY: OnceLock<String> = OnceLock::new();
        Self::new(folder.join("authority"), "/O=pivitals/CN=Test Root CA 1", KEY.get_or_init(rsa_key))
    }

    /// One that nobody here knows.
    pub fn foreign(folder: &Path) -> Self {
        Self::new(folder.join("foreign"), "/O=elsewhere/CN=Foreign Root CA 1", &KeyKind::EcSec1.key())
    }

    fn new(folder: PathBuf, name: &str, key: &str) -> Self {
        fs::create_dir(&folder).expect("a new folder");
        let (config, key_file, ca) = (folder.join("req.cnf"), folder.join("ca.key"), folder.join("ca.pem"));
        fs::write(&config, REQUEST_CONFIG).expect("a new file");
        fs::write(&key_file, key).expect("a new file");
        let mut request = vec!["req", "-x509", "-new", "-days", "2", "-subj", name];
        request.extend(["-config", utf8(&config), "-key", utf8(&key_file)]);
        let certificate = openssl_pem(&request, "");
        fs::write(ca, &certificate).expect("a new file");
        Self { folder, certificate }
    }

    /// A broker's certificate for `key`, in PEM.
    pub fn server_certificate(&self, key: &str) -> String {
        self.certify("server", "/CN=localhost", key, SERVER_EXTENSIONS)
    }

    /// A device's certificate for `key`, in PEM.
    pub fn device_certificate(&self, name: &str, key: &str) -> String {
        self.certify(name, &format!("/O=pivitals/CN={name}"), key, DEVICE_EXTENSIONS)
    }

    fn certify(&self, file: &str, name: &str, key: &str, extensions: &str) -> String {
        let path = |ending: &str| self.folder.join(format!("{file}.{ending}"));
        let (key_file, extensions_file) = (path("key"), path("ext"));
        fs::write(&key_file, key).expect("a file");
        fs::write(&extensions_file, extensions).expect("a file");
        let config = self.folder.join("req.cnf");
        let request = ["req", "-new", "-config", utf8(&config), "-key", utf8(&key_file), "-subj", name];
        let request = openssl_pem(&request, "");
        let (ca, ca_key) = (self.folder.join("ca.pem"), self.folder.join("ca.key"));
        let mut sign = vec!["x509", "-req", "-days", "2", "-CAcreateserial"];
        sign.extend(["-CA", utf8(&ca), "-CAkey", utf8(&ca_key), "-extfile", utf8(&extensions_file)]);
        openssl_pem(&sign, &request)
    }
}

fn utf8(path: &Path) -> &str {
    path.to_str().expect("the folder for temporary files has a name in UTF-8")
}
