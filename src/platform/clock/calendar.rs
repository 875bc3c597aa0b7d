//! UTC as a date and a time of day, both ways: the calendar of ISO 8601, without leap seconds.

use std::fmt::{self, Display};

use super::Utc;

const DAY_SECS: u64 = 86_400;
/// From the first of March of the year 0 to 1970. Years that begin in March have their leap day last.
const DAYS_TO_1970: u64 = 719_468;
/// After so many days the calendar is the same again.
const DAYS_OF_400_YEARS: u64 = 146_097;

impl Utc {
    /// The moment of a date (year, month, day) and a time of day (hour, minute, second).
    ///
    /// `None` if there is no such date from the year 1 to 9999, or no such time. What lies before 1970
    /// is taken for the beginning of 1970.
    #[must_use]
    pub const fn from_civil([year, month, day]: [u32; 3], [hour, minute, second]: [u32; 3]) -> Option<Self> {
        if year == 0 || year > 9999 || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        if day == 0 || day > days_in(year, month) {
            return None;
        }
        // Counted from March.
        let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
        let Some(days) = (days as u64).checked_sub(DAYS_TO_1970) else { return Some(Self(0)) };
        let secs = days * DAY_SECS + (hour * 3600 + minute * 60 + second) as u64;
        Some(Self(secs * 1000))
    }

    /// Shows the day alone: `2026-11-25`.
    #[must_use]
    pub const fn date(self) -> Date {
        Date(self)
    }

    /// Year, month and day.
    const fn day(self) -> (u64, u64, u64) {
        let days = self.as_secs() / DAY_SECS + DAYS_TO_1970;
        let (cycles, days) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
        // Without the leap days before today, every year has 365.
        let year = (days - days / 1460 + days / 36_524 - days / 146_096) / 365;
        let days = days - (365 * year + year / 4 - year / 100);
        let month = (5 * days + 2) / 153;
        let day = days - (153 * month + 2) / 5 + 1;
        let year = cycles * 400 + year;
        if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
    }
}

/// The day of a moment, as [`Utc::date`] shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date(Utc);

impl Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.0.day();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// To the second, as RFC 3339 has it: `2026-11-25T17:00:00Z`.
impl Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = self.as_secs() % DAY_SECS;
        write!(f, "{}T{:02}:{:02}:{:02}Z", self.date(), secs / 3600, secs / 60 % 60, secs % 60)
    }
}

/// The days of a month; none if there is no such month.
const fn days_in(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_read_as_everybody_writes_them() {
        for (secs, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_767_225_600, "2026-01-01T00:00:00Z"),
            (2_147_483_648, "2038-01-19T03:14:08Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(Utc::from_millis(secs * 1000 + 999).to_string(), text);
        }
    }

    #[test]
    fn every_day_of_a_whole_cycle_follows_the_one_before_and_is_found_again() {
        let mut millis = 0;
        for year in 1970..=2400 {
            for month in 1..=12 {
                for day in 1..=days_in(year, month) {
                    let utc = Utc::from_civil([year, month, day], [0, 0, 0]).unwrap();
                    assert_eq!(utc, Utc::from_millis(millis), "{year}-{month}-{day}");
                    assert_eq!(utc.date().to_string(), format!("{year}-{month:02}-{day:02}"));
                    millis += DAY_SECS * 1000;
                }
            }
        }
    }

    #[test]
    fn what_is_no_date_or_no_time_is_no_moment() {
        let noon = [12, 0, 0];
        for date in [
            [0, 1, 1],
            [10_000, 1, 1],
            [2026, 0, 1],
            [2026, 13, 1],
            [2026, 1, 0],
            [2026, 4, 31],
            [2026, 2, 29],
            [2100, 2, 29],
            [u32::MAX; 3],
        ] {
            assert_eq!(Utc::from_civil(date, noon), None, "{date:?}");
        }
        for time in [[24, 0, 0], [0, 60, 0], [0, 0, 60], [u32::MAX; 3]] {
            assert_eq!(Utc::from_civil([2026, 1, 1], time), None, "{time:?}");
        }
    }

    #[test]
    fn what_lies_before_1970_is_its_beginning() {
        for date in [[1, 1, 1], [1950, 6, 15], [1969, 12, 31]] {
            assert_eq!(Utc::from_civil(date, [23, 59, 59]), Some(Utc::from_millis(0)), "{date:?}");
        }
    }

    #[test]
    fn the_latest_moment_that_there_is_can_be_shown() {
        assert!(Utc::from_millis(u64::MAX).to_string().ends_with('Z'));
    }
}
