//! So many a second, and no more.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(1);

/// When the last ones were let through.
#[derive(Debug, Default)]
pub(crate) struct Rate(VecDeque<Instant>);

impl Rate {
    /// Lets another one through, if fewer than `per_second` were in the second before `now`. What is
    /// not let through does not count: who goes on trying is let through again after a second.
    pub(crate) fn admit(&mut self, per_second: u32, now: Instant) -> bool {
        while self.0.front().is_some_and(|&first| now.saturating_duration_since(first) >= WINDOW) {
            self.0.pop_front();
        }
        let has_room = self.0.len() < usize::try_from(per_second).expect("usize has 32 bits");
        if has_room {
            self.0.push_back(now);
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(per_second: u32, millis: &[u64]) -> Vec<bool> {
        let start = Instant::now();
        let mut rate = Rate::default();
        millis.iter().map(|&at| rate.admit(per_second, start + Duration::from_millis(at))).collect()
    }

    #[test]
    fn one_a_second_is_let_through_and_no_second_one() {
        assert_eq!(admitted(1, &[0, 1, 999, 1000, 1999, 2000]), [true, false, false, true, false, true]);
    }

    #[test]
    fn no_second_holds_more_than_allowed_wherever_it_begins() {
        assert_eq!(admitted(2, &[0, 900, 950, 1000, 1100, 1900]), [true, true, false, true, false, true]);
    }

    #[test]
    fn none_is_let_through_at_a_rate_of_none() {
        assert_eq!(admitted(0, &[0, 5000]), [false, false]);
    }
}
