//! Moments in simulated time, counted by the second, and the source of random words.

/// The generator of the random words: SplitMix64 with fixed seeds, so that every run is the same.
pub struct Random(u64);

impl Random {
    /// The words of simulation `number`.
    pub const fn seeded(number: u64) -> Self {
        Self(0x7069_7669_7461_6c73 ^ (number << 32)) // "pivitals"
    }

    /// The next 64 bits.
    pub const fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub const fn below(&mut self, end: u64) -> u64 {
        self.word() % end
    }
}

/// Moments at which something happened, in milliseconds, earliest first.
pub struct Moments(Vec<u64>);

impl Moments {
    pub fn new(mut millis: Vec<u64>) -> Self {
        millis.sort_unstable();
        Self(millis)
    }

    /// The last moment.
    pub fn last(&self) -> u64 {
        *self.0.last().unwrap()
    }

    /// The moments in `from..until`.
    pub fn within(&self, from: u64, until: u64) -> &[u64] {
        let index = |millis| self.0.partition_point(|&moment| moment < millis);
        &self.0[index(from)..index(until)]
    }

    /// Counts for `seconds` seconds, the first of which begins at `from`.
    pub fn per_second(&self, from: u64, seconds: u64) -> Vec<usize> {
        let second = |number| from + number * 1000;
        (0..seconds).map(|number| self.within(second(number), second(number + 1)).len()).collect()
    }

    /// The most moments in any one second of `from..until`. A second may begin anywhere: counts by the
    /// clock's seconds would divide a burst between two of them.
    pub fn peak(&self, from: u64, until: u64) -> usize {
        let moments = self.within(from, until);
        let mut first = 0;
        let mut peak = 0;
        for (last, moment) in moments.iter().enumerate() {
            while moments[first] + 1000 <= *moment {
                first += 1;
            }
            peak = peak.max(last + 1 - first);
        }
        peak
    }
}

/// A count in a time, as a rate per second.
pub fn per_second(count: usize, millis: u64) -> f64 {
    number(count) * 1000.0 / number(usize::try_from(millis).unwrap())
}

/// A count or a time in milliseconds, for calculations.
#[expect(clippy::cast_precision_loss, reason = "a fleet and an hour in milliseconds are far below 2^52")]
pub const fn number(count: usize) -> f64 {
    count as f64
}

#[test]
fn peak_is_found_wherever_its_second_begins() {
    let moments = Moments::new(vec![3_500, 900, 1_100, 1_899, 1_900]);
    assert_eq!(moments.peak(0, 10_000), 3);
    assert_eq!(moments.peak(1_000, 10_000), 3);
    assert_eq!(moments.peak(1_101, 10_000), 2);
    assert_eq!(moments.per_second(0, 4), [1, 3, 0, 1]);
}
