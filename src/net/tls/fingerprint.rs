//! A short stand-in for the content of the certificate files, to compare it without parsing it.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::LazyLock;

/// The hash of certificate files: names and content.
///
/// It is keyed with a random number of this process, so it tells nothing about the private key. The hash is
/// SipHash with 64 bits: different files are mistaken for the same once in 2⁶⁴ times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// Hashes `content`.
    pub fn of(content: impl Hash) -> Self {
        static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        Self(KEY.hash_one(content))
    }
}
