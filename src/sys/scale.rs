//! Time that runs faster, for the soak test: hours of waits and deadlines in minutes.
//!
//! In a build with the feature `test-clock`, `PIVITALS_TIME_SCALE=100` makes the boot clock and the wall
//! clock run a hundred times as fast and waits end after a hundredth of their time. Anything that is no
//! whole number from 1 on counts as 1.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const VARIABLE: &str = "PIVITALS_TIME_SCALE";

/// What the boot clock showed when it was read last, nanoseconds.
static BOOT_NANOS: AtomicU64 = AtomicU64::new(0);

fn factor() -> u32 {
    static FACTOR: OnceLock<u32> = OnceLock::new();
    *FACTOR.get_or_init(|| {
        let value = std::env::var(VARIABLE).ok().and_then(|text| text.parse().ok());
        value.filter(|&factor| factor > 0).unwrap_or(1)
    })
}

/// What the boot clock shows in a time that runs faster.
pub fn boot(time: Duration) -> Duration {
    let time = time * factor();
    BOOT_NANOS.store(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    time
}

/// What the wall clock shows: from its true time on, when it is asked for the first time, as much later
/// as the boot clock was when that was read last.
///
/// The two are read one after the other. Between the two readings the process may stand still for a
/// moment, and that, many times as long, would look like a step of the wall clock.
pub fn wall(time: Duration) -> Duration {
    static START: OnceLock<(Duration, Duration)> = OnceLock::new();
    let (wall_start, boot_start) = *START.get_or_init(|| (time, super::time::since_boot()));
    let boot = Duration::from_nanos(BOOT_NANOS.load(Ordering::Relaxed));
    wall_start + boot.saturating_sub(boot_start)
}

/// How long to wait for as much to pass.
pub fn shrunk(timeout: Duration) -> Duration {
    timeout / factor()
}
