//! Random words.

use std::hash::{BuildHasher as _, RandomState};

/// A random word. std seeds each `RandomState` with fresh random keys.
pub fn random() -> u64 {
    RandomState::new().hash_one(())
}
