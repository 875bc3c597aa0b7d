//! What the scripts have met: a promise about faults that never come is none.

use std::iter::Sum;

use pivitals::message::payload::Format;
use pivitals::mqtt::Version;

/// How many times.
#[derive(Debug, Default, Clone, Copy)]
pub struct Seen {
    pub accepted: usize,
    pub dropped: usize,
    pub duplicates: usize,
    pub strays: usize,
    pub refusals: usize,
    pub denials: usize,
    pub disconnects: usize,
    pub silences: usize,
    pub broken_writes: usize,
    pub full_flights: usize,
    pub batches: usize,
    pub without_clock: usize,
}

impl Sum for Seen {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            accepted: sum.accepted + one.accepted,
            dropped: sum.dropped + one.dropped,
            duplicates: sum.duplicates + one.duplicates,
            strays: sum.strays + one.strays,
            refusals: sum.refusals + one.refusals,
            denials: sum.denials + one.denials,
            disconnects: sum.disconnects + one.disconnects,
            silences: sum.silences + one.silences,
            broken_writes: sum.broken_writes + one.broken_writes,
            full_flights: sum.full_flights + one.full_flights,
            batches: sum.batches + one.batches,
            without_clock: sum.without_clock + one.without_clock,
        })
    }
}

impl Seen {
    pub fn assert_every_fault_was_met(&self, version: Version, format: Format) {
        let mut faults = vec![
            self.accepted - self.dropped,
            self.dropped,
            self.duplicates,
            self.strays,
            self.denials,
            self.silences,
            self.broken_writes,
            self.without_clock,
        ];
        if version == Version::V5 {
            faults.extend([self.refusals, self.disconnects, self.full_flights]);
        }
        // Sixteen messages are four samples in `rule`; in `emf` hardly ever so many wait apart.
        faults.push(if format == Format::Emf { self.batches } else { self.full_flights });
        assert!(faults.iter().all(|&times| times >= 100), "{version:?} {format:?}: too rare: {self:#?}");
    }
}
