//! One message a sample, one key a series; what is not known is `null`:
//! `{"label":"pi-7","timestamp":1767225600,"cpu_percent":12.3,"temperature_celsius":null}`

use std::fmt;

use super::{LABEL_LEN_MAX, escaped, known, thing_len};
use crate::message::json::{self, INTEGER_LEN_MAX, NUMBER_LEN_MAX, Value};
use crate::metric::sample::Kept;
use crate::metric::{Metric, Series};
use crate::platform::clock::Utc;

/// The head, and every series with the longest names of its things.
pub const LEN_MAX: usize = 32 + escaped(LABEL_LEN_MAX) + INTEGER_LEN_MAX + members_len();

/// `"disk_percent…":…,` for each series.
const fn members_len() -> usize {
    let mut metrics: &[Metric] = &Metric::ALL;
    let mut length = 0;
    while let [metric, rest @ ..] = metrics {
        let about = metric.description();
        let member = 4 + about.flat_key.len() + thing_len(about.scope) + NUMBER_LEN_MAX;
        length += about.scope.things_max() * member;
        metrics = rest;
    }
    length
}

/// Writes a sample and gives the message's length.
pub fn write(
    buffer: &mut [u8],
    label: &str,
    series: &[Series],
    sample: Kept<'_>,
    time: Utc,
) -> Option<usize> {
    json::to_slice(buffer, |message| {
        message.key("label").text(label);
        message.key("timestamp").integer(time.as_secs());
        for (series, &reading) in series.iter().zip(sample.readings) {
            message.key_of(&Key(series)).optional(known(reading), Value::number);
        }
    })
}

/// The series' key: `disk_percent_data`.
pub struct Key<'a>(pub &'a Series);

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.0.metric.description().flat_key, self.0.suffix())
    }
}
