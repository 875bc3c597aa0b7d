//! Where the readings of the samples in the ring are kept: as many a sample as are asked for, and not as
//! many as there can be.

use crate::metric::sample::{NoData, Reading};

/// Places for readings, a row a sample. Rows are touched from the first on, as they are needed.
#[derive(Debug, Default)]
pub struct Shelf {
    width: usize,
    readings: Vec<Reading>,
}

impl Shelf {
    /// Room for so many rows of so many readings.
    pub fn new(rows: usize, width: usize) -> Self {
        Self { width, readings: Vec::with_capacity(rows.saturating_mul(width)) }
    }

    /// Readings in a row.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Fills a row; what it has no room for is left out, and what is missing is not there yet.
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

    /// A row.
    pub fn row(&self, row: usize) -> &[Reading] {
        let from = row * self.width;
        self.readings.get(from..from + self.width).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_what_was_put_there_and_no_more_than_it_has_room_for() {
        let mut shelf = Shelf::new(3, 2);
        shelf.put(1, &[Ok(1.0), Ok(2.0), Ok(3.0)]);
        shelf.put(0, &[Ok(4.0)]);
        assert_eq!(shelf.row(1), [Ok(1.0), Ok(2.0)]);
        assert_eq!(shelf.row(0), [Ok(4.0), Err(NoData::NotYet)]);
        assert_eq!(shelf.row(2), [], "it is not touched before it is filled");
    }

    #[test]
    fn its_room_is_all_taken_at_the_beginning() {
        let mut shelf = Shelf::new(3, 2);
        let capacity = shelf.readings.capacity();
        for row in [2, 0, 1] {
            shelf.put(row, &[Ok(0.0); 2]);
        }
        assert_eq!(shelf.readings.capacity(), capacity);
    }
}
