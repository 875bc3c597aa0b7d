//! Counters into rates: what passed between two readings, by the time between them.

use std::mem;

use crate::metric::sample::{NoData, Reading};
use crate::platform::clock::BootTime;

/// Where a 32-bit kernel's counters of network and disk begin again.
const WRAP: Option<u64> = if cfg!(target_pointer_width = "32") { Some(1 << 32) } else { None };

/// A counter's change a second.
#[derive(Debug)]
pub struct Rate {
    last: Option<(u64, BootTime)>,
    per_second: Reading,
}

/// That of a counter that was not read yet.
impl Default for Rate {
    fn default() -> Self {
        Self { last: None, per_second: Err(NoData::NotYet) }
    }
}

impl Rate {
    /// Takes what the counter shows at a moment. After a reading that failed, the next one has nothing to
    /// be compared with.
    pub fn update(&mut self, count: Result<u64, NoData>, at: BootTime) {
        let last = mem::replace(&mut self.last, count.ok().map(|count| (count, at)));
        self.per_second = count.and_then(|count| {
            let (last, since) = last.ok_or(NoData::NotYet)?;
            per_second(passed(last, count, WRAP)?, since, at)
        });
    }

    /// The change a second between the last two readings.
    ///
    /// # Errors
    /// `NotYet`, if there is one only or no time between them; `Backwards` after a reset; else why the
    /// last one is not to be had.
    pub const fn per_second(&self) -> Reading {
        self.per_second
    }
}

/// What a counter has counted between two readings. One that has gone backwards was reset, or has begun
/// again at `wrap`: where it can, it has if what passed then is less than half of all it can count.
///
/// # Errors
/// `Backwards` after a reset.
pub fn passed(last: u64, now: u64, wrap: Option<u64>) -> Result<u64, NoData> {
    now.checked_sub(last)
        .or_else(|| {
            let passed = wrap?.checked_sub(last)?.checked_add(now)?;
            (passed < wrap? / 2).then_some(passed)
        })
        .ok_or(NoData::Backwards)
}

/// # Errors
/// `NotYet`, if no time lies between the two moments.
fn per_second(passed: u64, since: BootTime, at: BootTime) -> Reading {
    let secs = at.since(since).as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no more than f64 has")]
    if secs > 0.0 { Ok(passed as f64 / secs) } else { Err(NoData::NotYet) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> BootTime {
        BootTime::from_millis(1000 * secs)
    }

    #[test]
    fn a_rate_needs_two_readings_and_time_between_them() {
        let mut rate = Rate::default();
        assert_eq!(rate.per_second(), Err(NoData::NotYet));
        rate.update(Ok(1000), at(10));
        assert_eq!(rate.per_second(), Err(NoData::NotYet));
        rate.update(Ok(1500), at(10));
        assert_eq!(rate.per_second(), Err(NoData::NotYet), "no time between them");
        rate.update(Ok(1700), at(12));
        assert_eq!(rate.per_second(), Ok(100.0));
        rate.update(Ok(1700), at(13));
        assert_eq!(rate.per_second(), Ok(0.0), "nothing passed, and that is known");
    }

    #[test]
    fn a_reading_that_failed_is_not_compared_with() {
        let mut rate = Rate::default();
        rate.update(Ok(1000), at(1));
        rate.update(Err(NoData::Malformed), at(2));
        assert_eq!(rate.per_second(), Err(NoData::Malformed));
        rate.update(Ok(5000), at(3));
        assert_eq!(rate.per_second(), Err(NoData::NotYet));
        rate.update(Ok(5010), at(4));
        assert_eq!(rate.per_second(), Ok(10.0));
    }

    #[test]
    fn a_counter_that_was_reset_is_named_and_counted_anew() {
        let mut rate = Rate::default();
        rate.update(Ok(1000), at(1));
        rate.update(Ok(10), at(2));
        assert_eq!(rate.per_second(), Err(NoData::Backwards));
        rate.update(Ok(15), at(3));
        assert_eq!(rate.per_second(), Ok(5.0));
    }

    #[test]
    fn time_that_goes_backwards_gives_no_rate() {
        let mut rate = Rate::default();
        rate.update(Ok(1), at(5));
        rate.update(Ok(2), at(4));
        assert_eq!(rate.per_second(), Err(NoData::NotYet));
    }

    #[test]
    fn a_counter_of_32_bits_begins_again_and_is_told_from_a_reset() {
        const WRAP: Option<u64> = Some(1 << 32);
        assert_eq!(passed(4_294_967_290, 4, WRAP), Ok(10));
        assert_eq!(passed(4_294_967_290, 4, None), Err(NoData::Backwards), "64 bits do not run over");
        assert_eq!(passed(1000, 10, WRAP), Err(NoData::Backwards));
        assert_eq!(passed(1 << 33, 4, WRAP), Err(NoData::Backwards), "it is one of 64 bits");
        assert_eq!(passed(4_294_967_295, 1 << 40, WRAP), Ok((1 << 40) - 4_294_967_295));
    }

    #[test]
    fn the_largest_counters_do_not_overflow() {
        assert_eq!(passed(0, u64::MAX, Some(1 << 32)), Ok(u64::MAX));
        assert_eq!(passed(u64::MAX, u64::MAX - 1, Some(1 << 32)), Err(NoData::Backwards));
    }
}
