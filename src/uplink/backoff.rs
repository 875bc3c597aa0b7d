//! The waits between attempts to connect, chosen so that a fleet does not return in the same second.
//!
//! # The rule
//!
//! - The first wait of an outage is random between [`FLOOR`] and the *spread*: the sampling interval, at
//!   most [`SPREAD_MAX`] (full jitter). Devices that lose their broker in the same second come back evenly
//!   over the spread.
//! - Every later wait is random between half the *ceiling* and the ceiling. The ceiling begins at the
//!   spread, and each failure raises it by 1/32 until it reaches [`CAP`].
//! - After a refusal no wait is shorter than [`REFUSED_FLOOR`], and the ceiling is at least twice that.
//! - An alert that waits to be sent cuts the first wait, and no other, to 1–5 s ([`Backoff::urgent`]).
//! - Waits start over only after a publish was acknowledged on a connection that is [`PROOF`] old. A broker
//!   that accepts and then closes gives no such proof.
//!
//! # The reason for the numbers
//!
//! A later wait takes three quarters of the ceiling on average, so a growth of 1/32 makes the ceiling
//! `spread + 1/24 of the outage`. With a spread of 60 s this is 62 s after one minute, 85 s after ten minutes
//! and the cap after about 95 minutes. The ceiling is also the time in which the fleet comes back: it
//! grows with the length of the outage and is never longer than five minutes.
//!
//! A ceiling that doubles reaches the cap within ten minutes. The last device is then back five minutes
//! after the broker, and 1,000 devices come at 3 a second, few enough that chance alone makes seconds of
//! 10 and more. Waits that may be as short as the floor (full jitter) send most devices early: the
//! first second after the broker's return then sees twice the mean. `tests/fleet` simulates all of this.

use std::time::Duration;

use crate::platform::clock::BootTime;

/// The shortest wait.
pub const FLOOR: Duration = Duration::from_secs(1);
/// The highest ceiling, and so the longest wait.
pub const CAP: Duration = Duration::from_secs(300);
/// The longest spread of the first wait.
pub const SPREAD_MAX: Duration = Duration::from_secs(60);
/// The shortest wait after the broker refused the device: the next answer will hardly differ.
pub const REFUSED_FLOOR: Duration = Duration::from_secs(30);
/// The age at which a connection on which a publish is acknowledged has proved itself.
pub const PROOF: Duration = Duration::from_secs(60);
/// The longest first wait while an alert waits to be sent.
pub const URGENT_MAX: Duration = Duration::from_secs(5);
/// The time after boot during which a start of the agent counts as part of the boot.
pub const BOOT: Duration = Duration::from_secs(300);
/// The spread of the first attempts after a boot.
pub const BOOT_SPREAD: Duration = Duration::from_secs(10);

/// Each failure raises the ceiling by one part in this many.
const GROWTH_PARTS: u32 = 32;

const _: () = assert!(SPREAD_MAX.as_secs() <= CAP.as_secs() && 2 * REFUSED_FLOOR.as_secs() <= CAP.as_secs());
const _: () = assert!(FLOOR.as_secs() < URGENT_MAX.as_secs());

/// The state of the waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backoff {
    spread: Duration,
    /// The ceiling of the next wait; `None` before the first wait of an outage.
    ceiling: Option<Duration>,
    /// The current wait is the first of an outage, and the broker did not refuse the device.
    may_be_cut: bool,
}

impl Backoff {
    /// Waits of a device that samples every `interval`.
    #[must_use]
    pub fn new(interval: Duration) -> Self {
        Self { spread: interval.min(SPREAD_MAX), ..Self::default() }
    }

    /// Changes the interval. A ceiling that failures have raised stays.
    pub fn set_interval(&mut self, interval: Duration) {
        self.spread = interval.min(SPREAD_MAX);
    }

    /// The wait after a failure: at least `floor`, at most [`CAP`], chosen by a `random` word.
    pub fn next(&mut self, floor: Duration, random: u64) -> Duration {
        let (shortest, ceiling) = match self.ceiling {
            None => (floor, self.spread),
            Some(ceiling) => (floor.max(ceiling / 2), ceiling),
        };
        // At least twice the floor: devices that wait the floor together would come back together.
        let longest = ceiling.max(2 * floor).min(CAP);
        self.may_be_cut = self.ceiling.is_none() && floor < REFUSED_FLOOR;
        self.ceiling = Some((longest + longest / GROWTH_PARTS).min(CAP));
        between(shortest, longest, random)
    }

    /// The longest that an alert should wait from now: 1–5 s, chosen by a `random` word. `None` when the
    /// current wait must not be cut: it is not the first of the outage, or the broker refused the device.
    #[must_use]
    pub fn urgent(&self, random: u64) -> Option<Duration> {
        self.may_be_cut.then(|| between(FLOOR, URGENT_MAX, random))
    }

    /// Starts over, and returns true, if a publish was acknowledged on a connection that has lived for
    /// [`PROOF`].
    pub fn acknowledged(&mut self, connected_at: BootTime, now: BootTime) -> bool {
        let is_proof = now.since(connected_at) >= PROOF;
        if is_proof {
            (self.ceiling, self.may_be_cut) = (None, false);
        }
        is_proof
    }
}

/// The wait before the first attempt of an agent that starts `uptime` after boot, chosen by a `random`
/// word: within the first ten seconds if it starts with the device, so that a fleet that is switched on
/// together does not connect together; none if it is started later.
#[must_use]
pub fn first_attempt(uptime: Duration, random: u64) -> Duration {
    if uptime < BOOT { between(Duration::ZERO, BOOT_SPREAD, random) } else { Duration::ZERO }
}

/// A time from `shortest` to `longest`, each millisecond as likely as another.
fn between(shortest: Duration, longest: Duration, random: u64) -> Duration {
    let [first, last] = [shortest, longest].map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    Duration::from_millis(first + random % last.saturating_sub(first).saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// The shortest and the longest wait that `backoff` may choose next.
    fn bounds(backoff: Backoff, floor: Duration) -> (Duration, Duration) {
        let waits = (0..300_000).map(|word| { backoff }.next(floor, word));
        waits.fold((CAP, Duration::ZERO), |(low, high), wait| (low.min(wait), high.max(wait)))
    }

    fn after_failures(mut backoff: Backoff, failures: u32) -> Backoff {
        for _ in 0..failures {
            backoff.next(FLOOR, 0);
        }
        backoff
    }

    #[test]
    fn first_wait_is_spread_over_the_interval_up_to_a_minute() {
        for (interval_secs, longest_secs) in
            [(1, 2), (2, 2), (10, 10), (60, 60), (61, 60), (300, 60), (86_400, 60)]
        {
            let backoff = Backoff::new(Duration::from_secs(interval_secs));
            let expected = (FLOOR, Duration::from_secs(longest_secs));
            assert_eq!(bounds(backoff, FLOOR), expected, "interval of {interval_secs} s");
        }
    }

    #[test]
    fn later_waits_lie_between_half_the_ceiling_and_the_ceiling_which_grows_by_a_32nd() {
        let ceilings_millis = [61_875, 63_808, 65_802];
        for (failures, millis) in (1..).zip(ceilings_millis) {
            let (shortest, longest) = bounds(after_failures(Backoff::new(MINUTE), failures), FLOOR);
            assert_eq!((shortest.as_millis(), longest.as_millis()), (millis / 2, millis));
        }
    }

    #[test]
    fn ceiling_reaches_the_cap_from_every_interval() {
        for interval_secs in [1, 10, 60, 3_600] {
            let backoff = Backoff::new(Duration::from_secs(interval_secs));
            assert_eq!(bounds(after_failures(backoff, 200), FLOOR), (CAP / 2, CAP));
        }
    }

    #[test]
    fn no_wait_leaves_its_bounds() {
        for floor in [FLOOR, REFUSED_FLOOR] {
            let mut backoff = Backoff::new(MINUTE);
            for word in [0, 1, u64::MAX, u64::MAX / 2].into_iter().cycle().take(400) {
                let wait = backoff.next(floor, word);
                assert!(wait >= floor && wait <= CAP, "{wait:?}");
            }
        }
    }

    #[test]
    fn refused_device_waits_at_least_30_s_and_twice_that_at_most_at_first() {
        for interval_secs in [1, 60] {
            let backoff = Backoff::new(Duration::from_secs(interval_secs));
            assert_eq!(bounds(backoff, REFUSED_FLOOR), (REFUSED_FLOOR, 2 * REFUSED_FLOOR));
        }
    }

    #[test]
    fn alert_cuts_only_the_first_wait_of_an_outage() {
        let mut backoff = Backoff::new(MINUTE);
        assert_eq!(backoff.urgent(0), None, "there is no wait yet");
        backoff.next(FLOOR, u64::MAX);
        assert_eq!(backoff.urgent(0), Some(FLOOR));
        assert_eq!(backoff.urgent(4_000), Some(URGENT_MAX));
        backoff.next(FLOOR, 0);
        assert_eq!(backoff.urgent(0), None, "a second attempt failed");
        assert!(backoff.acknowledged(BootTime::default(), BootTime::default() + PROOF));
        backoff.next(FLOOR, 0);
        assert!(backoff.urgent(0).is_some(), "another outage");
    }

    #[test]
    fn alert_does_not_cut_the_wait_after_a_refusal() {
        let mut backoff = Backoff::new(MINUTE);
        backoff.next(REFUSED_FLOOR, 0);
        assert_eq!(backoff.urgent(0), None);
    }

    #[test]
    fn waits_start_over_only_after_an_acknowledgement_on_a_connection_a_minute_old() {
        let connected_at = BootTime::from_millis(5_000);
        let mut backoff = after_failures(Backoff::new(MINUTE), 5);
        let failed = backoff;
        assert!(!backoff.acknowledged(connected_at, connected_at + Duration::from_secs(59)));
        assert_eq!(backoff, failed);
        assert!(backoff.acknowledged(connected_at, connected_at + Duration::from_secs(60)));
        assert_eq!(backoff, Backoff::new(MINUTE));
    }

    #[test]
    fn another_interval_does_not_shorten_the_waits_of_an_outage() {
        let mut backoff = after_failures(Backoff::new(MINUTE), 5);
        let before = bounds(backoff, FLOOR);
        backoff.set_interval(FLOOR);
        assert_eq!(bounds(backoff, FLOOR), before);
        backoff.acknowledged(BootTime::default(), BootTime::default() + PROOF);
        assert_eq!(backoff, Backoff::new(FLOOR));
    }

    #[test]
    fn first_attempt_after_a_boot_falls_into_the_first_ten_seconds() {
        let waits = (0..20_000).map(|word| first_attempt(Duration::from_secs(299), word));
        let (first, last) =
            waits.fold((CAP, Duration::ZERO), |(low, high), wait| (low.min(wait), high.max(wait)));
        assert_eq!((first, last), (Duration::ZERO, BOOT_SPREAD));
        assert_eq!(first_attempt(BOOT, u64::MAX), Duration::ZERO, "the agent alone was restarted");
    }
}
