//! How many messages a second a session publishes.
//!
//! Messages go out in bursts. When the broker says that a quota is exceeded, the rate halves and the next burst
//! waits until the second is over in which the quota was used up. The rate recovers by one message a second for
//! each minute in which it was used in full and not exceeded: about 70 minutes from 10 a second to the full
//! rate. A minute, because a broker that answers an exceeded quota with DISCONNECT must not be provoked before
//! the connection has proved itself; otherwise the waits between connections grow with each of them.

use std::time::Duration;

use super::limits::IN_FLIGHT_MAX;
use crate::platform::clock::BootTime;

/// Messages a second while no quota is exceeded. AWS IoT Core drops what exceeds 100 a second on a connection.
const FULL_PER_SECOND: u64 = 80;
/// Bursts a second, for rates of so many messages a second and more.
const BURSTS_PER_SECOND: u64 = 5;
/// From the last message of a burst that exceeded a quota to the next message: a quota is a number of messages
/// in a second, and the half second more is for messages that are delayed on the way.
const QUOTA_WAIT: Duration = Duration::from_millis(1_500);
/// Between two steps of the recovery.
const RECOVERY_WAIT: Duration = Duration::from_secs(60);

// A full burst can be in flight.
const _: () = assert!(FULL_PER_SECOND.div_ceil(BURSTS_PER_SECOND) == IN_FLIGHT_MAX as u64);

/// The rate of publishes. It outlives a session: the owner passes it on to the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    per_second: u64,
    /// When the rate changed last.
    changed_at: BootTime,
    /// When the last message was published before the rate was halved. Refusals of earlier messages are about
    /// the rate before.
    halved_at: Option<BootTime>,
    last_published_at: BootTime,
    /// Messages of the current burst.
    burst: u64,
    next_burst_at: BootTime,
}

impl Default for Pace {
    /// The full rate.
    fn default() -> Self {
        Self {
            per_second: FULL_PER_SECOND,
            changed_at: BootTime::default(),
            halved_at: None,
            last_published_at: BootTime::default(),
            burst: 0,
            next_burst_at: BootTime::default(),
        }
    }
}

impl Pace {
    /// Messages a second at most.
    #[must_use]
    pub const fn per_second(&self) -> u64 {
        self.per_second
    }

    /// Whether the rate cannot be halved any more. A broker that refuses messages even so has another reason than
    /// the rate, and sending them again and again is of no use.
    #[must_use]
    pub const fn is_slowest(&self) -> bool {
        self.per_second == 1
    }

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
        self.last_published_at = now;
        let is_used = self.burst >= self.burst_len();
        if is_used && self.per_second < FULL_PER_SECOND && now.since(self.changed_at) >= RECOVERY_WAIT {
            self.per_second += 1;
            self.changed_at = now;
        }
    }

    /// Halves the rate, down to one message a second, because a message published at `sent_at` exceeded a
    /// quota. Messages that were published before the rate was last halved change nothing.
    pub fn quota_exceeded(&mut self, sent_at: BootTime) {
        if self.halved_at.is_some_and(|halved_at| sent_at <= halved_at) {
            return;
        }
        self.per_second = self.per_second.div_ceil(2);
        self.halved_at = Some(self.last_published_at);
        self.changed_at = self.last_published_at;
        self.burst = self.burst_len();
        self.next_burst_at = self.last_published_at + QUOTA_WAIT;
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

    const MINUTE: u64 = 60_000;

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

    /// A pace that was halved so many times.
    fn halved(times: usize) -> Pace {
        let mut pace = Pace::default();
        for time in 1..=times as u64 {
            pace.published(at(time));
            pace.quota_exceeded(at(time));
        }
        pace
    }

    #[test]
    fn full_rate_is_sixteen_messages_every_200_milliseconds() {
        let published = publish(&mut Pace::default(), 1_000, 2_000);
        assert_eq!(published.len(), 80);
        assert!(published.chunks(16).zip((1_000..).step_by(200)).all(|(burst, at)| burst == [at; 16]));
    }

    #[test]
    fn rate_halves_down_to_one_message_a_second() {
        assert_eq!([6, 7].map(|times| halved(times).is_slowest()), [false, true]);
        assert_eq!(
            (0..9).map(|times| halved(times).per_second()).collect::<Vec<_>>(),
            [80, 40, 20, 10, 5, 3, 2, 1, 1]
        );
    }

    #[test]
    fn no_rate_publishes_more_in_a_second_than_its_bursts_allow() {
        for times in 0..8 {
            let mut pace = halved(times);
            let per_second = usize::try_from(pace.per_second()).unwrap();
            // Shorter than the time to the first step of the recovery.
            let published = publish(&mut pace, 10_000, 60_000);
            let most = published
                .iter()
                .map(|&from| published.iter().filter(|&&at| (from..from + 1_000).contains(&at)).count())
                .max();
            assert_eq!(most, Some(per_second), "{published:?}");
            assert!(published.len() >= per_second * 49, "{} at {per_second}", published.len());
        }
    }

    #[test]
    fn messages_of_one_burst_halve_the_rate_once() {
        let mut pace = Pace::default();
        publish(&mut pace, 1_000, 1_001);
        let mut refused = pace;
        for _ in 0..16 {
            refused.quota_exceeded(at(1_000));
        }
        assert_eq!(refused.per_second(), 40);
        // The refusal of a burst comes after the next burst was published.
        publish(&mut pace, 1_200, 1_201);
        for sent_at in [1_000, 1_200] {
            pace.quota_exceeded(at(sent_at));
        }
        assert_eq!(pace.per_second(), 40);
        publish(&mut pace, 3_000, 3_001);
        pace.quota_exceeded(at(3_000));
        assert_eq!(pace.per_second(), 20);
    }

    #[test]
    fn burst_after_a_quota_answer_waits_until_the_second_is_over() {
        let mut pace = Pace::default();
        publish(&mut pace, 1_000, 1_001);
        pace.quota_exceeded(at(1_000));
        assert_eq!(pace.next_at(), at(2_500));
    }

    #[test]
    fn rate_recovers_by_one_message_a_second_for_each_minute_of_use() {
        let mut pace = halved(3);
        publish(&mut pace, 10_000, 10_000 + 5 * MINUTE);
        assert_eq!(pace.per_second(), 15);
        publish(&mut pace, 10_000 + 5 * MINUTE, 10_000 + 200 * MINUTE);
        assert_eq!(pace.per_second(), FULL_PER_SECOND);
    }

    #[test]
    fn rate_that_is_not_used_in_full_stays() {
        let mut pace = halved(3);
        for minute in 1..60 {
            pace.published(at(minute * MINUTE));
        }
        assert_eq!(pace.per_second(), 10, "one message of two");
    }
}
