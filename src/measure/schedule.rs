//! The sampling grid: every `interval` on the boot clock, shifted by a phase that is the device's own,
//! so that a fleet that was switched on together does not speak together.

use std::time::Duration;

use crate::platform::clock::BootTime;

/// Before the first sample, and at the least between it and the second: a CPU reading needs time.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// When samples are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    interval_millis: u64,
    phase_millis: u64,
    next: BootTime,
}

impl Schedule {
    /// A grid of `interval`, at least a second, with the phase of `client_id`. The first sample is due
    /// one second after `now`, the others fall on the grid.
    #[must_use]
    pub fn new(interval: Duration, client_id: &str, now: BootTime) -> Self {
        let interval_millis = u64::try_from(interval.as_millis()).unwrap_or(u64::MAX).max(1000);
        let phase_millis = fnv1a(client_id.as_bytes()) % interval_millis;
        Self { interval_millis, phase_millis, next: now + FIRST_WAIT }
    }

    /// The grid of seconds that this one's moments are among, from the next of them on.
    #[must_use]
    pub const fn of_seconds(&self) -> Self {
        Self { interval_millis: 1000, phase_millis: self.phase_millis % 1000, next: self.next }
    }

    /// When the next sample is due.
    #[must_use]
    pub const fn next(&self) -> BootTime {
        self.next
    }

    /// The moment to date a sample with if one is due: the grid's own, not that of the wake-up, so
    /// that samples are apart by exactly the interval. A sample that is late by more than a second (the
    /// process was stopped, a disk hung) has the moment at which it is taken.
    pub fn due(&mut self, now: BootTime) -> Option<BootTime> {
        if now < self.next {
            return None;
        }
        let due = if now.since(self.next) < FIRST_WAIT { self.next } else { now };
        self.next = self.on_grid_from(now.max(due + FIRST_WAIT));
        Some(due)
    }

    /// The first moment of the grid that is not before `time`.
    #[must_use]
    pub const fn on_grid_from(&self, time: BootTime) -> BootTime {
        let since_phase = time.as_millis().saturating_sub(self.phase_millis);
        let periods = since_phase.div_ceil(self.interval_millis);
        BootTime::from_millis(self.phase_millis + periods * self.interval_millis)
    }
}

/// FNV-1a, 64 bits: spreads client ids that differ in one character.
fn fnv1a(bytes: &[u8]) -> u64 {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3_u64)
    });
    hash ^ (hash >> 32) // the low bits alone are the weakest, and the remainder looks at them
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const MINUTE: Duration = Duration::from_secs(60);

    fn at(secs: u64) -> BootTime {
        BootTime::from_millis(secs * 1000)
    }

    #[test]
    fn the_first_sample_is_due_after_a_second_and_the_rest_on_the_grid() {
        let mut schedule = Schedule::new(MINUTE, "pi-7", at(100));
        assert_eq!(schedule.due(at(100)), None);
        assert_eq!(schedule.due(at(101)), Some(at(101)));
        let second = schedule.next();
        assert!(second.since(at(101)) >= SECOND && second.since(at(101)) < MINUTE + SECOND);
        assert_eq!(second.as_millis() % 60_000, schedule.phase_millis);
        assert_eq!(schedule.due(second), Some(second));
        assert_eq!(schedule.next(), second + MINUTE);
    }

    #[test]
    fn a_late_wake_up_does_not_shift_the_grid() {
        let mut schedule = Schedule::new(MINUTE, "pi-7", at(0));
        schedule.due(at(1));
        let due = schedule.next();
        assert_eq!(schedule.due(due + Duration::from_millis(700)), Some(due));
        assert_eq!(schedule.next(), due + MINUTE);
    }

    #[test]
    fn a_delay_of_hours_gives_one_sample_and_no_burst() {
        let mut schedule = Schedule::new(MINUTE, "pi-7", at(0));
        schedule.due(at(1));
        let late = schedule.next() + Duration::from_secs(3 * 3600 + 30);
        let due = schedule.due(late).unwrap();
        assert_eq!(due, late);
        assert_eq!(schedule.due(late), None);
        assert_eq!(schedule.next(), late + Duration::from_secs(30), "back on the grid");
    }

    #[test]
    fn a_grid_of_one_second_gives_a_sample_each_second() {
        let mut schedule = Schedule::new(SECOND, "pi-7", at(10));
        let mut last = schedule.due(at(11)).unwrap();
        for _ in 0..100 {
            let due = schedule.next();
            let gap = due.since(last);
            assert!(gap >= SECOND && gap < 2 * SECOND, "{gap:?}");
            last = schedule.due(due).unwrap();
        }
        assert_eq!(schedule.next().since(last), SECOND);
    }

    #[test]
    fn every_moment_of_a_grid_is_one_of_its_seconds() {
        for interval in [1, 7, 60, 86_400] {
            let mut schedule = Schedule::new(Duration::from_secs(interval), "pi-7", at(10));
            let mut seconds = schedule.of_seconds();
            for _ in 0..2 {
                let due = schedule.next();
                let mut second = seconds.next();
                while second < due {
                    assert_eq!(seconds.due(second), Some(second));
                    second = seconds.next();
                }
                assert_eq!((second, seconds.due(due), schedule.due(due)), (due, Some(due), Some(due)));
            }
        }
    }

    #[test]
    fn a_device_that_just_booted_waits_for_its_phase() {
        let mut schedule = Schedule::new(Duration::from_secs(86_400), "pi-7", at(0));
        assert_eq!(schedule.due(at(1)), Some(at(1)));
        assert_eq!(schedule.next().as_millis() % 86_400_000, schedule.phase_millis);
        assert!(schedule.next() > at(1));
    }

    #[test]
    fn a_fleet_is_spread_over_the_interval() {
        let mut devices = [0_u32; 60];
        for number in 0..6_000 {
            let schedule = Schedule::new(MINUTE, &format!("pi-{number:04}"), at(0));
            devices[usize::try_from(schedule.phase_millis / 1000).unwrap()] += 1;
        }
        // 100 are expected in each second, with a standard deviation of 10.
        assert!(devices.iter().all(|&devices| (50..=150).contains(&devices)), "{devices:?}");
    }
}
