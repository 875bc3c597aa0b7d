//! How many messages a second a session publishes.
//!
//! Messages go out in bursts.

use std::time::Duration;

use super::limits::IN_FLIGHT_MAX;
use crate::platform::clock::BootTime;

/// Messages a second while no quota is exceeded. AWS IoT Core drops what exceeds 100 a second on a connection.
const FULL_PER_SECOND: u64 = 80;
/// Bursts a second, for rates of so many messages a second and more.
const BURSTS_PER_SECOND: u64 = 5;
// A full burst can be in flight.
const _: () = assert!(FULL_PER_SECOND.div_ceil(BURSTS_PER_SECOND) == IN_FLIGHT_MAX as u64);

/// The rate of publishes. It outlives a session: the owner passes it on to the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    per_second: u64,
    /// Messages of the current burst.
    burst: u64,
    next_burst_at: BootTime,
}

impl Default for Pace {
    /// The full rate.
    fn default() -> Self {
        Self { per_second: FULL_PER_SECOND, burst: 0, next_burst_at: BootTime::default() }
    }
}

impl Pace {
    /// When the next message may be published; in the past if now.
    #[must_use]
    pub const fn next_at(&self) -> BootTime {
        if self.burst < self.burst_len() { BootTime::from_millis(0) } else { self.next_burst_at }
    }

    /// Notes that a message is published.
    pub fn published(&mut self, now: BootTime) {
        if self.next_burst_at <= now {
            self.burst = 0;
            self.next_burst_at = now + self.burst_wait();
        }
        self.burst += 1;
    }

    const fn burst_len(&self) -> u64 {
        self.per_second.div_ceil(BURSTS_PER_SECOND)
    }

    const fn burst_wait(&self) -> Duration {
        Duration::from_millis((1_000 * self.burst_len()).div_ceil(self.per_second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> BootTime {
        BootTime::from_millis(millis)
    }

    /// Publishes whenever the pace allows it, from one moment to another; gives when.
    fn publish(pace: &mut Pace, from: u64, until: u64) -> Vec<u64> {
        let mut published = Vec::new();
        let mut now = from;
        while now < until {
            if pace.next_at() <= at(now) {
                pace.published(at(now));
                published.push(now);
            } else {
                now = pace.next_at().as_millis();
            }
        }
        published
    }

    #[test]
    fn full_rate_is_sixteen_messages_every_200_milliseconds() {
        let published = publish(&mut Pace::default(), 1_000, 2_000);
        assert_eq!(published.len(), 80);
        assert!(published.chunks(16).zip((1_000..).step_by(200)).all(|(burst, at)| burst == [at; 16]));
    }
}
