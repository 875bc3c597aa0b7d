//! Certificate files into the TLS side of a connection.
//!
//! [`CertificatePaths::find`] finds the files, [`CertificateFiles::read`] reads them, [`Contents::load`] parses
//! them and makes the rustls configuration. rustls decides whether a broker is trusted.

mod error;
mod files;
mod fingerprint;
mod load;
mod problem;
mod provider;
mod read;
mod roots;
mod validity;

pub use error::{OutOfDate, TlsError};
pub use files::{CertificateFiles, CertificatePaths, KeyReaders};
pub use fingerprint::Fingerprint;
pub use load::Loaded;
pub use problem::{CertificateProblem, Role};
pub use read::Contents;
pub use roots::BUILT_IN_NAME;
pub use validity::{DAYS_LEFT_MIN, State, Validity, ValidityError};
