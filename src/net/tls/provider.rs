//! The cryptography that TLS is made of: ring's, as far as brokers use it.
//!
//! rustls' own choice of ring's has everything; what is named here alone is linked. Left out are ChaCha20
//! (every server has AES-GCM: RFC 8446, section 9.1; what the other saves a Pi without AES instructions
//! is not felt at a few hundred bytes a minute) and the Edwards curve (every server has P-256, by the same
//! section, and AWS issues no such keys). Together they are 80 kB of an x86_64 binary.

use std::sync::Arc;

use ring::rand::{SecureRandom as _, SystemRandom};
use rustls::crypto::ring::sign::{RsaSigningKey, any_ecdsa_type};
use rustls::crypto::ring::{cipher_suite as suite, kx_group};
use rustls::crypto::{CryptoProvider, GetRandomFailed, KeyProvider, SecureRandom, WebPkiSupportedAlgorithms};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::SigningKey;
use rustls::{Error, SignatureScheme};
use webpki::ring as algorithm;

/// What a connection is made with, and a key read.
pub fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![
            suite::TLS13_AES_256_GCM_SHA384,
            suite::TLS13_AES_128_GCM_SHA256,
            suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
            suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        ],
        kx_groups: vec![kx_group::SECP256R1, kx_group::SECP384R1],
        signature_verification_algorithms: SIGNATURES,
        secure_random: &Ring,
        key_provider: &Ring,
    }
}

/// How a broker's certificate, and its side of the handshake, may be signed.
static SIGNATURES: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[
        algorithm::ECDSA_P256_SHA256,
        algorithm::ECDSA_P256_SHA384,
        algorithm::ECDSA_P384_SHA256,
        algorithm::ECDSA_P384_SHA384,
        algorithm::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
        algorithm::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
        algorithm::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
        algorithm::RSA_PKCS1_2048_8192_SHA256,
        algorithm::RSA_PKCS1_2048_8192_SHA384,
        algorithm::RSA_PKCS1_2048_8192_SHA512,
    ],
    // In TLS 1.3 the first of each counts; in 1.2 the curve is not part of the scheme.
    mapping: &[
        (
            SignatureScheme::ECDSA_NISTP384_SHA384,
            &[algorithm::ECDSA_P384_SHA384, algorithm::ECDSA_P256_SHA384],
        ),
        (
            SignatureScheme::ECDSA_NISTP256_SHA256,
            &[algorithm::ECDSA_P256_SHA256, algorithm::ECDSA_P384_SHA256],
        ),
        (SignatureScheme::RSA_PSS_SHA512, &[algorithm::RSA_PSS_2048_8192_SHA512_LEGACY_KEY]),
        (SignatureScheme::RSA_PSS_SHA384, &[algorithm::RSA_PSS_2048_8192_SHA384_LEGACY_KEY]),
        (SignatureScheme::RSA_PSS_SHA256, &[algorithm::RSA_PSS_2048_8192_SHA256_LEGACY_KEY]),
        (SignatureScheme::RSA_PKCS1_SHA512, &[algorithm::RSA_PKCS1_2048_8192_SHA512]),
        (SignatureScheme::RSA_PKCS1_SHA384, &[algorithm::RSA_PKCS1_2048_8192_SHA384]),
        (SignatureScheme::RSA_PKCS1_SHA256, &[algorithm::RSA_PKCS1_2048_8192_SHA256]),
    ],
};

/// ring's random numbers, and its keys.
#[derive(Debug)]
struct Ring;

impl SecureRandom for Ring {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        SystemRandom::new().fill(bytes).map_err(|_| GetRandomFailed)
    }
}

impl KeyProvider for Ring {
    fn load_private_key(&self, key: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        match RsaSigningKey::new(&key) {
            Ok(key) => Ok(Arc::new(key)),
            Err(_) => any_ecdsa_type(&key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_is_what_rustls_knows_without_the_edwards_curve_and_chacha20() {
        let (ours, all) = (provider(), rustls::crypto::ring::default_provider());
        let suites = |provider: &CryptoProvider| -> Vec<_> {
            let names = provider.cipher_suites.iter().map(|suite| format!("{:?}", suite.suite()));
            names.filter(|name| !name.contains("CHACHA20")).collect()
        };
        assert_eq!(suites(&ours), suites(&all));
        assert_eq!(ours.cipher_suites.len(), suites(&ours).len());
        let groups = |provider: &CryptoProvider| -> Vec<_> {
            let names = provider.kx_groups.iter().map(|group| format!("{:?}", group.name()));
            names.filter(|name| name != "X25519").collect()
        };
        assert_eq!(groups(&ours), groups(&all));
        let schemes = |provider: &CryptoProvider| -> Vec<_> {
            let mapping = provider.signature_verification_algorithms.mapping;
            let scheme = |&(scheme, algorithms): &(SignatureScheme, &[_])| (scheme, algorithms.len());
            mapping.iter().map(scheme).filter(|(scheme, _)| *scheme != SignatureScheme::ED25519).collect()
        };
        assert_eq!(schemes(&ours), schemes(&all));
    }
}
