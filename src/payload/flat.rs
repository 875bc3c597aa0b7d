//! One message a sample, one key a series; what is not known is `null`:
//! `{"label":"pi-7","timestamp":1767225600,"cpu_percent":12.3,"temperature_celsius":null}`

use std::fmt;

use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::{LABEL_LEN_MAX, NUMBER_LEN_MAX, TIME_LEN_MAX, Text, escaped, rounded, thing_len};
use crate::clock::Utc;
use crate::metric::{Metric, Series};
use crate::sample::Kept;

/// The head, and every series with the longest names of its things.
pub const LEN_MAX: usize = 32 + escaped(LABEL_LEN_MAX) + TIME_LEN_MAX + members_len();

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

struct Message<'a> {
    label: &'a str,
    series: &'a [Series],
    sample: Kept<'a>,
    time: Utc,
}

/// Writes a sample and gives the message's length.
pub fn write(
    buffer: &mut [u8],
    label: &str,
    series: &[Series],
    sample: Kept<'_>,
    time: Utc,
) -> Option<usize> {
    serde_json_core::to_slice(&Message { label, series, sample, time }, buffer).ok()
}

impl Serialize for Message<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut message = serializer.serialize_map(None)?;
        message.serialize_entry("label", self.label)?;
        message.serialize_entry("timestamp", &self.time.as_secs())?;
        for (series, reading) in self.series.iter().zip(self.sample.readings) {
            message.serialize_entry(&Text(Key(series)), &reading.ok().map(rounded))?;
        }
        message.end()
    }
}

/// The series' key: `disk_percent_data`.
struct Key<'a>(&'a Series);

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.0.metric.description().flat_key, self.0.suffix())
    }
}
