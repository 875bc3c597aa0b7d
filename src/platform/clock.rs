//! The boot clock and UTC, as moments to the millisecond.
//!
//! `CLOCK_BOOTTIME` schedules, times out and dates the samples: it is monotonic and counts a suspend, as the
//! broker does while it waits for a keep-alive. The wall clock, which on a Pi without a battery starts wrong,
//! only turns a sample's time into UTC when it is sent ([`wall_clock`](super::wall_clock)).

use std::ops::Add;
use std::time::Duration;

use super::time;

mod calendar;

pub use calendar::Date;

/// The day of this version's release, 2026-11-23, in seconds since 1970.
pub const RELEASED_SECS: u64 = 1_795_392_000;

/// The earliest time that a set clock can show, in seconds since 1970: the release, or `SOURCE_DATE_EPOCH` of
/// the build where that is later. Yocto and Debian set it to the date of the sources, which may be years
/// before the release.
pub const EARLIEST_SECS: u64 = earliest_secs(option_env!("SOURCE_DATE_EPOCH"));

#[expect(clippy::panic, reason = "it ends the compilation, not the program")]
const fn earliest_secs(source_date_epoch: Option<&str>) -> u64 {
    let Some(epoch) = source_date_epoch else { return RELEASED_SECS };
    match u64::from_str_radix(epoch, 10) {
        Ok(secs) if secs > RELEASED_SECS => secs,
        Ok(_) => RELEASED_SECS,
        Err(_) => panic!("SOURCE_DATE_EPOCH is not a number of seconds"),
    }
}

/// A moment on the boot clock, to the millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct BootTime(u64);

impl BootTime {
    /// Later than any other moment: "no deadline".
    pub const NEVER: Self = Self(u64::MAX);

    /// The moment `millis` milliseconds after boot.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since boot.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Time since `earlier`; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for BootTime {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }
}

/// A moment in UTC, to the millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Utc(u64);

impl Utc {
    /// The moment `millis` milliseconds after 1970.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }
}

/// The boot clock now.
#[must_use]
pub fn boot_time() -> BootTime {
    BootTime(millis(time::since_boot()))
}

/// The wall clock now, whether it is set or not.
#[must_use]
pub fn utc() -> Utc {
    Utc(millis(time::since_1970()))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOT: BootTime = BootTime::from_millis(5_000);

    #[test]
    fn boot_clock_runs_and_build_machine_shows_time_after_release() {
        let (earlier, later) = (boot_time(), boot_time());
        assert!(later >= earlier && earlier > BootTime::default());
        assert!(utc().as_secs() >= EARLIEST_SECS, "this machine's clock is before {EARLIEST_SECS}");
    }

    #[test]
    fn release_is_the_floor_even_if_source_date_epoch_is_older() {
        assert_eq!(earliest_secs(None), RELEASED_SECS);
        assert_eq!(earliest_secs(Some("1600000000")), RELEASED_SECS);
        assert_eq!(earliest_secs(Some("4000000000")), 4_000_000_000);
    }

    #[test]
    fn time_does_not_overflow() {
        assert_eq!(BootTime::NEVER + Duration::MAX, BootTime::NEVER);
        assert_eq!(BOOT.since(BootTime::NEVER), Duration::ZERO);
    }
}
