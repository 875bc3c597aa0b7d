//! The readings of the samples in the ring: rows as wide as the samples are, not as wide as they could be.

use crate::metric::sample::{NoData, Reading};

/// A table of readings with one row per sample. A row is written only when it is needed, so that untouched
/// rows take no memory.
#[derive(Debug, Default)]
pub struct Shelf {
    width: usize,
    readings: Vec<Reading>,
}

impl Shelf {
    /// A table of so many rows of `width` readings.
    #[must_use]
    pub fn new(rows: usize, width: usize) -> Self {
        Self { width, readings: Vec::with_capacity(rows.saturating_mul(width)) }
    }

    /// Readings in a row.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Writes a row. Readings beyond the width are left out; missing ones become [`NoData::NotYet`].
    pub fn put(&mut self, row: usize, readings: &[Reading]) {
        let from = row * self.width;
        if self.readings.len() < from + self.width {
            self.readings.resize(from + self.width, Err(NoData::NotYet));
        }
        let places = self.readings.iter_mut().skip(from).take(self.width);
        for (place, reading) in places.zip(readings.iter().chain(std::iter::repeat(&Err(NoData::NotYet)))) {
            *place = *reading;
        }
    }

    /// A row; empty if it was never written.
    pub fn row(&self, row: usize) -> &[Reading] {
        let from = row * self.width;
        self.readings.get(from..from + self.width).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_holds_what_was_written_cut_or_filled_to_the_width() {
        let mut shelf = Shelf::new(3, 2);
        shelf.put(1, &[Ok(1.0), Ok(2.0), Ok(3.0)]);
        shelf.put(0, &[Ok(4.0)]);
        assert_eq!(shelf.row(1), [Ok(1.0), Ok(2.0)]);
        assert_eq!(shelf.row(0), [Ok(4.0), Err(NoData::NotYet)]);
        assert_eq!(shelf.row(2), [], "never written");
    }

    #[test]
    fn all_memory_is_allocated_at_the_beginning() {
        let mut shelf = Shelf::new(3, 2);
        let capacity = shelf.readings.capacity();
        for row in [2, 0, 1] {
            shelf.put(row, &[Ok(0.0); 2]);
        }
        assert_eq!(shelf.readings.capacity(), capacity);
    }
}
