//! The period in which CloudWatch counts a device's samples, and how many empty ones mean silence.

use std::time::Duration;

/// Intervals without data after which a device counts as silent.
const SILENT_INTERVALS: i64 = 5;

/// The rhythm of samples that arrive every `interval`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beat {
    /// Seconds, whole minutes: at least one sample falls into each period.
    pub period: i64,
    /// Periods without data after which the device counts as silent: at least [`SILENT_INTERVALS`] intervals.
    pub silent: i64,
}

impl Beat {
    /// The rhythm of this interval.
    pub fn new(interval: Duration) -> Self {
        let secs = i64::try_from(interval.as_secs()).unwrap_or(i64::MAX / 60);
        let period = (secs + 59) / 60 * 60;
        Self { period, silent: (SILENT_INTERVALS * secs + period - 1) / period }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_at_least_five_intervals_in_whole_minutes() {
        for (interval, period, silent) in [
            (1, 60, 1),
            (10, 60, 1),
            (60, 60, 5),
            (61, 120, 3),
            (90, 120, 4),
            (300, 300, 5),
            (86_400, 86_400, 5),
        ] {
            assert_eq!(Beat::new(Duration::from_secs(interval)), Beat { period, silent }, "{interval}");
            // CloudWatch evaluates at most a day of periods below an hour, and a week of longer ones.
            let days = if period < 3600 { 1 } else { 7 };
            assert!(period * silent <= days * 86_400);
        }
    }
}
