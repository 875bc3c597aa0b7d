//! Time since boot, UTC, and whether UTC can be believed.
//!
//! One clock schedules, times out and dates the samples: `CLOCK_BOOTTIME`, which is monotonic and
//! also counts a suspend (as the broker does while it waits for a keep-alive). The wall clock, which
//! a Pi without a battery has to be told, only turns a sample's time into UTC when it is sent.

use std::ops::Add;
use std::time::Duration;

use super::time;

mod calendar;

pub use calendar::Date;

/// The day of this version's release, 2026-11-23, seconds since 1970. A clock before it is not set.
pub const RELEASED_SECS: u64 = 1_795_392_000;

/// When the program was built, seconds since 1970: `SOURCE_DATE_EPOCH` of the build where it is set
/// (Yocto and reproducible Buildroot builds do), else the day of the release.
pub const BUILT_SECS: u64 = match option_env!("SOURCE_DATE_EPOCH") {
    Some(epoch) => parse_secs(epoch),
    None => RELEASED_SECS,
};

/// How far wall clock and boot clock may drift apart before their difference is taken anew. The NTP
/// daemon's small corrections would otherwise let two samples of a one-second grid share a second.
const DRIFT_MAX_MILLIS: u64 = 250;

#[expect(clippy::panic, reason = "it ends the compilation, not the program")]
const fn parse_secs(text: &str) -> u64 {
    match u64::from_str_radix(text, 10) {
        Ok(secs) => secs,
        Err(_) => panic!("SOURCE_DATE_EPOCH is not a number of seconds"),
    }
}

/// A moment on the boot clock, to the millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct BootTime(u64);

impl BootTime {
    /// Later than anything: for "no deadline".
    pub const NEVER: Self = Self(u64::MAX);

    /// The moment so many milliseconds after boot.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since boot.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// What has passed since `earlier`; zero if that is later.
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
    /// The moment so many milliseconds after 1970.
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

/// The wall clock now, believable or not.
#[must_use]
pub fn utc() -> Utc {
    Utc(millis(time::since_1970()))
}

/// Whether a wall clock that shows `now` has been set since the device was switched on.
#[must_use]
pub const fn is_believable(now: Utc) -> bool {
    now.as_secs() >= BUILT_SECS
}

/// The boot clock's relation to UTC, held still against small corrections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WallClock {
    /// UTC minus boot time, once the wall clock could be believed.
    offset_millis: Option<u64>,
}

impl WallClock {
    /// Compares the clocks: `boot` and `utc` are the same moment.
    pub fn update(&mut self, boot: BootTime, utc: Utc) {
        if !is_believable(utc) {
            self.offset_millis = None;
            return;
        }
        let offset = utc.0.saturating_sub(boot.0);
        match self.offset_millis {
            Some(held) if held.abs_diff(offset) <= DRIFT_MAX_MILLIS => {}
            _ => self.offset_millis = Some(offset),
        }
    }

    /// Whether the wall clock can be believed.
    #[must_use]
    pub const fn is_set(&self) -> bool {
        self.offset_millis.is_some()
    }

    /// What UTC was at `time`; `None` while the wall clock cannot be believed.
    #[must_use]
    pub fn utc_of(&self, time: BootTime) -> Option<Utc> {
        self.offset_millis.map(|offset| Utc(time.0.saturating_add(offset)))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOT: BootTime = BootTime::from_millis(5_000);
    const NOW: Utc = Utc::from_millis((BUILT_SECS + 1_000_000) * 1000);

    fn at(boot: BootTime, utc: Utc) -> WallClock {
        let mut clock = WallClock::default();
        clock.update(boot, utc);
        clock
    }

    #[test]
    fn the_boot_clock_runs_and_the_wall_clock_is_after_the_build() {
        let (earlier, later) = (boot_time(), boot_time());
        assert!(later >= earlier && earlier > BootTime::default());
        assert!(is_believable(utc()), "the build machine's clock is before {BUILT_SECS}");
    }

    #[test]
    fn a_clock_before_the_build_is_not_believed() {
        assert_eq!(at(BOOT, Utc::from_millis(1_000)).utc_of(BOOT), None);
        assert_eq!(at(BOOT, Utc::from_millis(BUILT_SECS * 1000 - 1)).utc_of(BOOT), None);
        assert!(at(BOOT, Utc::from_millis(BUILT_SECS * 1000)).utc_of(BOOT).is_some());
    }

    #[test]
    fn a_sample_from_before_the_clock_was_set_gets_its_true_time() {
        let mut clock = at(BOOT, Utc::from_millis(7));
        let taken = BOOT + Duration::from_secs(1);
        clock.update(BOOT + Duration::from_secs(31), NOW);
        assert_eq!(clock.utc_of(taken).unwrap().as_millis(), NOW.as_millis() - 30_000);
    }

    #[test]
    fn a_small_correction_moves_no_sample_and_a_step_moves_all() {
        let mut clock = at(BOOT, NOW);
        clock.update(BOOT, Utc::from_millis(NOW.as_millis() + DRIFT_MAX_MILLIS));
        assert_eq!(clock.utc_of(BOOT), Some(NOW));
        for step in [3_600_000, -3_600_000] {
            let stepped = Utc::from_millis(NOW.as_millis().saturating_add_signed(step));
            clock.update(BOOT, stepped);
            assert_eq!(clock.utc_of(BOOT), Some(stepped));
        }
    }

    #[test]
    fn a_clock_that_is_set_back_before_the_build_is_believed_no_more() {
        let mut clock = at(BOOT, NOW);
        clock.update(BOOT, Utc::from_millis(0));
        assert_eq!(clock.utc_of(BOOT), None);
    }

    #[test]
    fn time_does_not_overflow() {
        assert_eq!(BootTime::NEVER + Duration::MAX, BootTime::NEVER);
        assert_eq!(BOOT.since(BootTime::NEVER), Duration::ZERO);
    }
}
