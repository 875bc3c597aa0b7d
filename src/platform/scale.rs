//! Time that runs faster, for the soak test and the days of `tests/cloud`: hours in minutes.
//!
//! In a build with the feature `test-clock`, `PIVITALS_TIME_SCALE=100` makes the boot clock and the wall
//! clock run a hundred times as fast and waits end after a hundredth of their time. Anything that is no
//! whole number from 1 on counts as 1.
//!
//! With `PIVITALS_TIME_SCALE_FOR=86400` they do so until a day has passed, which is the day before now: the
//! wall clock begins in the past, and comes to the true time when it runs as fast as that again.

use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const VARIABLE: &str = "PIVITALS_TIME_SCALE";
const SPAN_VARIABLE: &str = "PIVITALS_TIME_SCALE_FOR";

/// What the boot clock showed when it was read last, nanoseconds: in this time, and truly.
static BOOT_NANOS: AtomicU64 = AtomicU64::new(0);
static TRUE_BOOT_NANOS: AtomicU64 = AtomicU64::new(0);

/// How fast time runs.
struct Scale {
    factor: u32,
    /// For how long, in true time.
    lasts: Option<Duration>,
    /// What the boot clock showed when it was read first.
    start: Duration,
}

impl Scale {
    /// That of this process. `now` is the true time since boot.
    fn get(now: Duration) -> &'static Self {
        static SCALE: OnceLock<Scale> = OnceLock::new();
        SCALE.get_or_init(|| {
            let factor = variable(VARIABLE).filter(|&factor| factor > 0).unwrap_or(1);
            let lasts = variable(SPAN_VARIABLE).map(|secs| Duration::from_secs(secs) / factor);
            Self { factor, lasts, start: now }
        })
    }

    /// By how much this time has run ahead.
    fn gained(&self, now: Duration) -> Duration {
        let passed = now.saturating_sub(self.start);
        self.lasts.map_or(passed, |lasts| passed.min(lasts)) * (self.factor - 1)
    }

    /// By how much the wall clock has to begin in the past, to show the true time in the end.
    fn lead(&self, now: Duration) -> Duration {
        let whole = self.lasts.unwrap_or_default() * (self.factor - 1);
        whole.saturating_sub(self.gained(now))
    }

    fn factor(&self, now: Duration) -> u32 {
        let is_over = self.lasts.is_some_and(|lasts| now.saturating_sub(self.start) >= lasts);
        if is_over { 1 } else { self.factor }
    }
}

fn variable<T: FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}

/// What the boot clock shows in a time that runs faster.
pub fn boot(time: Duration) -> Duration {
    TRUE_BOOT_NANOS.store(nanos(time), Ordering::Relaxed);
    let time = time + Scale::get(time).gained(time);
    BOOT_NANOS.store(nanos(time), Ordering::Relaxed);
    time
}

/// What the wall clock shows: from its time when it is asked for the first time on, as much later as the
/// boot clock was when that was read last.
///
/// The two are read one after the other. Between the two readings the process may stand still for a
/// moment, and that, many times as long, would look like a step of the wall clock. `since_boot` reads the boot
/// clock.
pub fn wall(time: Duration, since_boot: impl FnOnce() -> Duration) -> Duration {
    static START: OnceLock<(Duration, Duration)> = OnceLock::new();
    let (wall_start, boot_start) = *START.get_or_init(|| {
        let boot = since_boot();
        let now = last(&TRUE_BOOT_NANOS);
        (time.saturating_sub(Scale::get(now).lead(now)), boot)
    });
    wall_start + last(&BOOT_NANOS).saturating_sub(boot_start)
}

/// How long to wait for as much to pass.
pub fn shrunk(timeout: Duration) -> Duration {
    let now = last(&TRUE_BOOT_NANOS);
    timeout / Scale::get(now).factor(now)
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn last(clock: &AtomicU64) -> Duration {
    Duration::from_nanos(clock.load(Ordering::Relaxed))
}
