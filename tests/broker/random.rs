//! Random numbers for tests, the same in every run.

/// A generator (xorshift64*).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// One that begins at `seed`, which is not zero.
    pub fn new(seed: u64) -> Self {
        assert_ne!(seed, 0, "zero is followed by nothing but zeros");
        Self(seed)
    }

    /// The next word. Its high bits are the better ones.
    pub fn word(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}
