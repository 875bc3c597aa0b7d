//! One message a series, for the IoT rule's `cloudwatchMetric` action:
//! `{"name":"cpu usage (pi-7)","unit":"Percent","value":12.3,"timestamp":1767225600}`

use std::fmt;

use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::{LABEL_LEN_MAX, NUMBER_LEN_MAX, TIME_LEN_MAX, Text, escaped, rounded, thing_len};
use crate::clock::Utc;
use crate::metric::{Metric, Series};

/// The fixed text, the longest name and unit, and what the configuration adds to it.
pub const LEN_MAX: usize = 46 + longest() + escaped(LABEL_LEN_MAX) + NUMBER_LEN_MAX + TIME_LEN_MAX;

const fn longest() -> usize {
    let mut metrics: &[Metric] = &Metric::ALL;
    let mut longest = 0;
    while let [metric, rest @ ..] = metrics {
        let about = metric.description();
        let length = about.rule_name.len() + thing_len(about.scope) + about.unit.as_str().len();
        if length > longest {
            longest = length;
        }
        metrics = rest;
    }
    longest
}

struct Reading<'a> {
    label: &'a str,
    series: &'a Series,
    value: f64,
    time: Utc,
}

/// Writes a reading and gives the message's length.
pub fn write(buffer: &mut [u8], label: &str, series: &Series, value: f64, time: Utc) -> Option<usize> {
    serde_json_core::to_slice(&Reading { label, series, value, time }, buffer).ok()
}

impl Serialize for Reading<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut message = serializer.serialize_map(None)?;
        message.serialize_entry("name", &Text(Name(self)))?;
        message.serialize_entry("unit", self.series.metric.description().unit.as_str())?;
        message.serialize_entry("value", &rounded(self.value))?;
        message.serialize_entry("timestamp", &self.time.as_secs())?;
        message.end()
    }
}

/// The series' name in CloudWatch: `disk usage /data (pi-7)`.
struct Name<'a>(&'a Reading<'a>);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Reading { label, series, .. } = self.0;
        fmt::Display::fmt(series, f)?;
        write!(f, " ({label})")
    }
}
