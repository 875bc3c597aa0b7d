//! A fleet in normal work: when its publishes fall.

use std::time::Duration;

use pivitals::measure::schedule::Schedule;
use pivitals::platform::clock::BootTime;

use crate::LARGE;
use crate::rate::{Moments, Random, per_second};

/// The interval between two samples, and what is looked at.
pub const MINUTE: u64 = 60_000;
/// What is looked at begins here: every device has been up for longer than its first samples.
pub const FROM: u64 = 10 * MINUTE;
/// From power to the agent's start.
const STARTED_AFTER: u64 = 12_000;

/// When the devices of the fleet were switched on.
#[derive(Debug, Clone, Copy)]
pub enum Boot {
    /// Anywhere in the minutes before.
    AnyTime,
    /// In the same second, as after a power cut: the worst case.
    Together,
}

/// The fleet's publishes in two minutes from [`FROM`]: a second may lie across the end of the first.
pub fn publishes(boot: Boot) -> Moments {
    let mut random = Random::seeded(0);
    let mut published = Vec::new();
    for number in 1..=LARGE {
        let booted_at = match boot {
            Boot::AnyTime => random.below(FROM - 2 * MINUTE),
            Boot::Together => random.below(1000),
        };
        let interval = Duration::from_millis(MINUTE);
        let started_at = BootTime::from_millis(STARTED_AFTER);
        let mut schedule = Schedule::new(interval, &format!("pi-{number:06}"), started_at);
        loop {
            let now = schedule.next();
            let due = schedule.due(now).expect("the schedule said so");
            // The device counts from its own boot, the world does not.
            match booted_at + due.as_millis() {
                at if at < FROM => {}
                at if at < FROM + 2 * MINUTE => published.push(at),
                _ => break,
            }
        }
    }
    Moments::new(published)
}

/// The same samples by cron: everything in the first second of the minute.
pub fn publishes_by_cron() -> Moments {
    Moments::new([FROM, FROM + MINUTE].repeat(LARGE))
}

/// Publishes a second in the mean.
pub fn mean() -> f64 {
    per_second(LARGE, MINUTE)
}

/// The most publishes in any second.
pub fn peak(published: &Moments) -> f64 {
    per_second(published.peak(FROM, FROM + 2 * MINUTE), 1000)
}
