//! Readings into samples, and samples into one series a metric, each a line with a sparkline.

use std::collections::VecDeque;

use pivitals::metric::{Metric, Unit};

use crate::message::Part;

/// Values a series keeps.
const VALUES_MAX: usize = 60;
/// The least that a scale spans, so that noise does not look like a mountain range.
const SPAN_MIN: f64 = 5.0;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// All of a line but the sparkline: name, value and unit, and the scale on both sides.
const FIXED_WIDTH: usize = 43;

/// What has come so far.
#[derive(Default)]
pub struct Board {
    series: Vec<Series>,
    /// The sample whose messages are coming in.
    current: Option<Part>,
    samples: u64,
}

impl Board {
    /// Adds what a message tells. A sample is complete when every metric is there, or when the next
    /// one begins: a reading that is not to be had has no message.
    pub fn add(&mut self, part: Part) {
        if self.current.as_ref().is_some_and(|current| current.timestamp != part.timestamp) {
            self.complete();
        }
        match &mut self.current {
            Some(current) => current.readings.extend(part.readings),
            None => self.current = Some(part),
        }
        if self.current.as_ref().is_some_and(|current| current.readings.len() >= Metric::DEFAULT.len()) {
            self.complete();
        }
    }

    /// Completes the sample whose messages are coming in, if there is one.
    pub fn complete(&mut self) {
        let Some(sample) = self.current.take() else { return };
        self.samples += 1;
        for (metric, value) in sample.readings {
            match self.series.iter_mut().find(|series| series.metric == metric) {
                Some(series) => series.push(value),
                None => self.series.push(Series { metric, values: [value].into() }),
            }
        }
    }

    /// Complete samples.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// In the order in which they first came.
    pub fn series(&self) -> &[Series] {
        &self.series
    }

    /// The last value of a metric.
    pub fn last(&self, metric: Metric) -> Option<f64> {
        self.series.iter().find(|series| series.metric == metric)?.values.back().copied()
    }
}

/// The last values of a metric.
pub struct Series {
    metric: Metric,
    values: VecDeque<f64>,
}

impl Series {
    fn push(&mut self, value: f64) {
        if self.values.len() == VALUES_MAX {
            self.values.pop_front();
        }
        self.values.push_back(value);
    }

    /// Name, last value, and as much of the past as there is room for between the ends of its scale:
    /// `cpu usage           12.3 %       0 ▁▂▁▁▃▁ 100`
    pub fn line(&self, width: usize) -> String {
        let description = self.metric.description();
        let unit = match (self.metric, description.unit) {
            (Metric::Temperature, _) => "°C",
            (_, Unit::Percent) => "%",
            (_, Unit::Megabytes) => "MB",
            (_, Unit::BytesPerSecond) => "B/s",
            (_, Unit::Seconds) => "s",
            (_, Unit::Milliseconds) => "ms",
            (_, Unit::Count | Unit::None) => "",
        };
        let room = width.saturating_sub(FIXED_WIDTH).max(BARS.len());
        let shown = self.values.range(self.values.len().saturating_sub(room)..);
        let (low, high) = self.scale();
        let bars: String = shown.map(|value| bar((value - low) / (high - low))).collect();
        let last = self.values.back().copied().unwrap_or_default();
        format!("{:<16}{last:>8.1} {unit:<2} {low:>6.0} {bars} {high:.0}", description.rule_name)
    }

    /// 0 to 100 for a percentage, else whole numbers around all values.
    fn scale(&self) -> (f64, f64) {
        if self.metric.description().unit == Unit::Percent {
            return (0.0, 100.0);
        }
        let low = self.values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = self.values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let margin = (SPAN_MIN - (high - low)).max(0.0) / 2.0;
        ((low - margin).floor(), (high + margin).ceil())
    }
}

/// The bar for a part of the scale, 0 to 1.
fn bar(part: f64) -> char {
    let steps = [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875];
    BARS[steps.iter().filter(|&&step| part >= step).count()]
}
