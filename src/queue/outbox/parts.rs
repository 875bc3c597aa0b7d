//! Sets of the parts of a sample.

/// A set of parts of one sample, numbered from 0.
///
/// Two words instead of an u128: a sample in the ring has two sets, and u128's alignment would make its
/// entry a fifth larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parts {
    low: u64,
    high: u64,
}

impl Parts {
    /// Parts that a sample can have.
    pub const MAX: usize = 128;

    /// The set of these parts. A number of [`MAX`](Self::MAX) or more is left out.
    pub fn of(parts: impl IntoIterator<Item = usize>) -> Self {
        parts.into_iter().fold(Self::default(), |set, part| set.with(Self::one(part)))
    }

    /// The set of this part alone, or the empty set for a number of [`MAX`](Self::MAX) or more.
    #[must_use]
    pub const fn one(part: usize) -> Self {
        Self::new(if part < Self::MAX { 1 << part } else { 0 })
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.bits() == 0
    }

    /// Whether the part is in the set.
    #[must_use]
    pub const fn contains(self, part: usize) -> bool {
        self.bits() & Self::one(part).bits() != 0
    }

    /// The part with the lowest number, if there is any.
    #[must_use]
    pub const fn first(self) -> Option<usize> {
        if self.is_empty() { None } else { Some(self.bits().trailing_zeros() as usize) }
    }

    /// The parts of this set that are not in the other one.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self::new(self.bits() & !other.bits())
    }

    /// The parts of both sets.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self::new(self.bits() | other.bits())
    }

    #[expect(clippy::cast_possible_truncation, reason = "the low half")]
    const fn new(bits: u128) -> Self {
        Self { low: bits as u64, high: (bits >> 64) as u64 }
    }

    const fn bits(self) -> u128 {
        (self.high as u128) << 64 | self.low as u128
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn part_beyond_the_last_is_left_out() {
        assert!(Parts::of([Parts::MAX, usize::MAX]).is_empty());
        assert!(!Parts::of(0..Parts::MAX).contains(Parts::MAX));
    }

    #[test]
    fn set_holds_parts_of_both_words() {
        for part in [0, 1, 63, 64, 65, Parts::MAX - 1] {
            let set = Parts::of([part]);
            assert_eq!((set.first(), set, set.is_empty()), (Some(part), Parts::one(part), false));
            assert!((0..Parts::MAX).all(|other| set.contains(other) == (other == part)), "{part}");
        }
        let all = Parts::of(0..Parts::MAX);
        assert_eq!(all.without(Parts::of(0..100)), Parts::of(100..Parts::MAX));
        assert_eq!(Parts::of(0..64).with(Parts::of(64..Parts::MAX)), all);
        assert_eq!(Parts::default().first(), None);
    }
}
