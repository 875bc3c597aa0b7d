//! How long to wait before the next attempt to connect.
//!
//! Full jitter: any time up to a ceiling that doubles with each attempt, so that a fleet that lost
//! its broker in one second does not come back in one second. Only
//! [`acknowledged`](Backoff::acknowledged) makes the waits short again: proof that a connection serves,
//! not that there is one.

use std::time::Duration;

use crate::platform::clock::BootTime;

/// No wait is shorter.
pub const FLOOR: Duration = Duration::from_secs(1);
/// The ceiling of the first wait.
const BASE: Duration = Duration::from_secs(2);
/// No ceiling is higher.
pub const CAP: Duration = Duration::from_secs(300);
/// No wait is shorter when the broker said no: asking again at once does not make it a yes.
pub const REFUSED_FLOOR: Duration = Duration::from_secs(30);
/// A connection that lived so long, with a publish acknowledged, has proved itself.
pub const PROOF: Duration = Duration::from_secs(60);

/// The state of the waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backoff {
    attempt: u32,
}

impl Backoff {
    /// The next wait: at least `floor`, at the most [`CAP`], by a `random` word.
    pub fn next(&mut self, floor: Duration, random: u64) -> Duration {
        // Twice the floor at the least: a fleet that is refused in one second must not come back in one.
        let ceiling = BASE.saturating_mul(2_u32.saturating_pow(self.attempt)).max(2 * floor).min(CAP);
        self.attempt = self.attempt.saturating_add(1);
        let span_millis = u64::try_from(ceiling.saturating_sub(floor).as_millis()).unwrap_or(0);
        floor + Duration::from_millis(random % (span_millis + 1))
    }

    /// Begins anew if a publish was acknowledged on a connection that has lived long enough, and tells
    /// whether it has: one that accepts and then kicks gives no such proof.
    pub fn acknowledged(&mut self, connected_at: BootTime, now: BootTime) -> bool {
        let is_proof = now.since(connected_at) >= PROOF;
        if is_proof {
            self.attempt = 0;
        }
        is_proof
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ceilings_double_up_to_the_cap() {
        let mut backoff = Backoff::default();
        let longest =
            |backoff: Backoff| (0..300_000).map(|word| { backoff }.next(FLOOR, word)).max().unwrap();
        let ceilings: Vec<_> = (0..10)
            .map(|_| {
                let ceiling = longest(backoff).as_secs();
                backoff.next(FLOOR, 0);
                ceiling
            })
            .collect();
        assert_eq!(ceilings, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    }

    #[test]
    fn no_wait_leaves_its_bounds() {
        for floor in [FLOOR, REFUSED_FLOOR] {
            let mut backoff = Backoff::default();
            for word in [0, 1, u64::MAX, u64::MAX / 2].into_iter().cycle().take(200) {
                let wait = backoff.next(floor, word);
                assert!(wait >= floor && wait <= CAP, "{wait:?}");
            }
        }
    }

    #[test]
    fn devices_that_are_refused_together_come_back_apart() {
        let waits = (0..60_000).map(|word| Backoff::default().next(REFUSED_FLOOR, word).as_secs());
        let (shortest, longest) =
            waits.fold((u64::MAX, 0), |(low, high), wait| (low.min(wait), high.max(wait)));
        assert_eq!((shortest, longest), (30, 60));
    }

    #[test]
    fn only_an_acknowledgement_after_a_minute_online_is_proof() {
        let connected_at = BootTime::from_millis(5_000);
        let mut backoff = Backoff::default();
        backoff.next(FLOOR, 0);
        let tried = backoff;
        assert!(!backoff.acknowledged(connected_at, connected_at + Duration::from_secs(59)));
        assert_eq!(backoff, tried);
        assert!(backoff.acknowledged(connected_at, connected_at + Duration::from_secs(60)));
        assert_eq!(backoff, Backoff::default());
    }
}
