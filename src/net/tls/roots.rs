//! The built-in roots, which are trusted without a CA file: Mozilla's, or with `--no-default-features` the
//! five of AWS. Mozilla's are 57 kB.

#[cfg(any(test, not(feature = "mozilla-roots")))]
mod amazon;

#[cfg(not(feature = "mozilla-roots"))]
pub use amazon::ROOTS as BUILT_IN;
#[cfg(feature = "mozilla-roots")]
pub use webpki_roots::TLS_SERVER_ROOTS as BUILT_IN;

/// Whose roots are built in, for use in a sentence.
pub const BUILT_IN_NAME: &str = if cfg!(feature = "mozilla-roots") {
    "Mozilla's root certificates"
} else {
    "Amazon's root certificates"
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_roots_are_mozillas_unless_the_feature_is_off() {
        let all = webpki_roots::TLS_SERVER_ROOTS;
        assert!(all.len() > amazon::ROOTS.len());
        if cfg!(feature = "mozilla-roots") {
            assert_eq!(BUILT_IN, all);
        } else {
            assert_eq!(BUILT_IN, &amazon::ROOTS[..]);
        }
    }
}
