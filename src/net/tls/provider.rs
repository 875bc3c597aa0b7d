//! The cryptography of TLS: ring's, with our own list of cipher suites.
//!
//! Only AES-GCM is offered: every TLS 1.3 server has it (RFC 8446, section 9.1), and so does every server of
//! TLS 1.2 that rustls can talk to without ChaCha20-Poly1305. A cipher that is faster without AES
//! instructions gains a Pi nothing at a few hundred bytes a minute.

use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::{cipher_suite as suite, default_provider};

/// ring's provider with our cipher suites.
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
        ..default_provider()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cipher_suites_are_those_of_rustls_without_chacha20() {
        let names = |provider: CryptoProvider| -> Vec<_> {
            provider.cipher_suites.iter().map(|suite| format!("{:?}", suite.suite())).collect()
        };
        let mut expected = names(default_provider());
        expected.retain(|name| !name.contains("CHACHA20"));
        assert_eq!(names(provider()), expected);
        assert_eq!(expected.len(), 6);
    }
}
