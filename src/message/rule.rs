//! One message a series, for the IoT rule's `cloudwatchMetric` action:
//! `{"name":"cpu usage (pi-7)","unit":"Percent","value":12.3,"timestamp":1767225600}`

use std::fmt;

use super::{LABEL_LEN_MAX, escaped, thing_len};
use crate::message::json::{self, INTEGER_LEN_MAX, NUMBER_LEN_MAX};
use crate::metric::{Metric, Series};
use crate::platform::clock::Utc;

/// The fixed text, the longest name and unit, and what the configuration adds to it.
pub const LEN_MAX: usize = 46 + longest() + escaped(LABEL_LEN_MAX) + NUMBER_LEN_MAX + INTEGER_LEN_MAX;

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

/// Writes a reading and gives the message's length.
pub fn write(buffer: &mut [u8], label: &str, series: &Series, value: f64, time: Utc) -> Option<usize> {
    json::to_slice(buffer, |message| {
        message.key("name").text_of(&Name { series, label });
        message.key("unit").text(series.metric.description().unit.as_str());
        message.key("value").number(value);
        message.key("timestamp").integer(time.as_secs());
    })
}

/// The series' name in CloudWatch: `disk usage /data (pi-7)`.
struct Name<'a> {
    series: &'a Series,
    label: &'a str,
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.series, self.label)
    }
}
