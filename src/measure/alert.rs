//! Thresholds on series: when a value has crossed one, and when it is back. Values come in, changes go
//! out; no clock is asked here, and no probe.
//!
//! A value is compared as it is published, in tenths: what arrives is beyond the threshold whenever an
//! alert says so.

use std::time::Duration;

use crate::metric::Series;
use crate::metric::sample::Reading;
use crate::platform::clock::BootTime;

/// Alerts that there can be at once.
pub const ALERTS_MAX: usize = 8;

/// Changes that can follow each other without a wait, for a source that flaps is not to make a bill, nor to
/// fill the log…
pub const BURST: u32 = 20;
/// …and the time after which there is room for one more.
pub const WAIT: Duration = Duration::from_secs(180);

/// A number with one decimal, as all numbers are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tenths(pub i64);

impl Tenths {
    /// Digits before the point that are understood.
    const DIGITS_MAX: usize = 12;

    /// The nearest to `value`.
    #[must_use]
    pub fn of(value: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "it saturates, far beyond any reading")]
        Self((10.0 * value).round() as i64)
    }

    /// Reads `80`, `-67.5`: up to twelve digits, and one behind a point. `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (sign, number) = match text.as_bytes() {
            [b'-', number @ ..] => (-1, number),
            number => (1, number),
        };
        let (whole, tenth) = match number {
            [whole @ .., b'.', tenth] => (whole, *tenth),
            whole => (whole, b'0'),
        };
        if !(1..=Self::DIGITS_MAX).contains(&whole.len()) {
            return None;
        }
        let mut tenths = 0;
        for byte in whole.iter().chain(&[tenth]) {
            if !byte.is_ascii_digit() {
                return None;
            }
            tenths = 10 * tenths + i64::from(byte - b'0');
        }
        Some(Self(sign * tenths))
    }
}

/// On which side of a threshold a value is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// When it is greater.
    Above,
    /// When it is less.
    Below,
}

/// What is watched, and the threshold that it is not to cross.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// As it stands in the configuration, and in the log: `temperature > 80`.
    pub text: String,
    /// What is watched.
    pub series: Series,
    /// Where it is told of.
    pub side: Side,
    /// In the series' unit.
    pub threshold: Tenths,
}

impl Alert {
    /// Whether it says the same as another one, in whatever words.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.series == other.series && self.side == other.side && self.threshold == other.threshold
    }

    /// Whether a value has crossed the threshold, or is back: on the other side by 5 % of it, cut to a
    /// tenth, at the least. `None` in between, where it is as it was.
    #[must_use]
    pub fn judge(&self, value: f64) -> Option<bool> {
        let (mut value, mut threshold) = (Tenths::of(value).0, self.threshold.0);
        if self.side == Side::Below {
            // What is below a threshold is above it when both have the other sign.
            (value, threshold) = (value.saturating_neg(), -threshold);
        }
        if value > threshold {
            Some(true)
        } else if value <= threshold - threshold.abs() / 20 {
            Some(false)
        } else {
            None
        }
    }
}

/// What the series of an alert has done so far. A value that is beyond the threshold from the first counts
/// as one that crosses it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Watched {
    is_crossed: bool,
    /// What was told last: whether it is crossed.
    told: bool,
    /// The last reading, if it was one.
    value: Option<f64>,
}

impl Watched {
    /// Takes a reading. One that is not to be had changes nothing.
    pub fn take(&mut self, alert: &Alert, reading: Reading) {
        self.value = reading.ok();
        if let Some(is_crossed) = self.value.and_then(|value| alert.judge(value)) {
            self.is_crossed = is_crossed;
        }
    }

    /// Whether there is something to tell: another state than was told last, with a value that is known.
    #[must_use]
    pub const fn is_news(&self) -> bool {
        self.is_crossed != self.told && self.value.is_some()
    }

    /// What there is to tell, once: whether the threshold is crossed, or else the value is back; and the
    /// value.
    pub fn tell(&mut self) -> Option<(bool, f64)> {
        let value = self.value.filter(|_| self.is_news())?;
        self.told = self.is_crossed;
        Some((self.is_crossed, value))
    }
}

/// How many changes may still be told, each with a sample: [`BURST`], and one more each [`WAIT`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Limit {
    /// When all of them may be taken again.
    full_at: BootTime,
    is_told: bool,
}

impl Limit {
    /// Takes one at the moment `now`, if there is one.
    pub fn take(&mut self, now: BootTime) -> bool {
        self.is_told &= self.full_at > now;
        let full_at = self.full_at.max(now) + WAIT;
        let is_there = full_at <= now + WAIT.saturating_mul(BURST);
        if is_there {
            self.full_at = full_at;
        }
        is_there
    }

    /// Whether it is news that there is none; it is once, until all are there again.
    pub const fn is_news(&mut self) -> bool {
        !std::mem::replace(&mut self.is_told, true)
    }
}

#[cfg(test)]
mod tests;
