//! Whom to trust where the user names no CA file: Amazon's roots, or with the cargo feature
//! `mozilla-roots` all of Mozilla's, 57 kB more.

#[cfg(not(feature = "mozilla-roots"))]
mod amazon;

#[cfg(not(feature = "mozilla-roots"))]
pub use amazon::BUILT_IN;
#[cfg(feature = "mozilla-roots")]
pub use webpki_roots::TLS_SERVER_ROOTS as BUILT_IN;

/// Whose roots are built in, as it stands in a sentence.
pub const BUILT_IN_NAME: &str = if cfg!(feature = "mozilla-roots") {
    "Mozilla's root certificates"
} else {
    "Amazon's root certificates"
};
