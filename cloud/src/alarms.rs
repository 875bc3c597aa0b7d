//! The alarms: silence, limits, and the rule's own failures.

use std::time::Duration;

use pivitals::metric::{Metric, Series};
use pivitals::payload::Format;

use crate::fleet::Fleet;
use crate::model::{Alarm, Kind, Part, Resource, Value, Watch};
use crate::names::{self, capitalized};

/// What the user may set.
pub const TEMPERATURE_LIMIT: &str = "TemperatureLimit";
/// What the user may set.
pub const DISK_LIMIT: &str = "DiskLimit";

/// An alarm on a query looks back three hours, and not further (CloudWatch user guide, "Metrics Insights
/// quotas").
const QUERY_SECS_MAX: i64 = 3 * 60 * 60;
/// The rule's failures are counted in periods of this many seconds.
const RULE_PERIOD_SECS: i64 = 300;
/// Samples in a row that have to be beyond a limit.
const SAMPLES_BEYOND: i64 = 3;
/// Intervals without data until it is told.
const SILENT_INTERVALS: i64 = 5;

/// When a metric's value is an alarm.
struct Limit {
    metric: Metric,
    id: &'static str,
    is_low: bool,
    threshold: fn() -> Value,
    advice: &'static str,
}

const LIMITS: [Limit; 5] = [
    Limit {
        metric: Metric::Temperature,
        id: "Temperature",
        is_low: false,
        threshold: || Part::Parameter(TEMPERATURE_LIMIT).into(),
        advice: "The SoC is hot, and slows down soon: look at its ventilation and its load.",
    },
    Limit {
        metric: Metric::Disk,
        id: "Disk",
        is_low: false,
        threshold: || Part::Parameter(DISK_LIMIT).into(),
        advice: "The file system is nearly full: look for logs that grow.",
    },
    Limit {
        metric: Metric::UnderVoltageNow,
        id: "UnderVoltage",
        is_low: false,
        threshold: || 1.into(),
        advice: "The supply's voltage is too low: look at the power supply and its cable.",
    },
    Limit {
        metric: Metric::ReadonlyRoot,
        id: "ReadOnly",
        is_low: false,
        threshold: || 1.into(),
        advice: "The root file system is read-only, as after an error: look at the SD card.",
    },
    Limit {
        metric: Metric::CertificateDays,
        id: "Certificate",
        is_low: true,
        threshold: || 14.into(),
        advice: "The device's certificate expires soon: give it a new one.",
    },
];

/// How long CloudWatch waits for what a device sends every `interval`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Beat {
    /// At least one sample falls into each; whole minutes.
    period: i64,
    /// So many are five intervals, or a little more.
    silent: i64,
}

impl Beat {
    fn new(interval: Duration) -> Self {
        let secs = i64::try_from(interval.as_secs()).unwrap_or(i64::MAX / 60);
        let period = (secs + 59) / 60 * 60;
        Self { period, silent: (SILENT_INTERVALS * secs + period - 1) / period }
    }
}

/// Seconds that a graph's point stands for.
pub fn period(fleet: &Fleet) -> i64 {
    Beat::new(fleet.config.interval).period
}

/// All alarms, those of the whole fleet first.
pub fn alarms(fleet: &Fleet) -> Vec<Resource> {
    let beat = Beat::new(fleet.config.interval);
    let mut alarms = rule_failures(fleet);
    alarms.extend(nothing_arrives(fleet, beat));
    if fleet.config.format != Format::Rule {
        alarms.extend(of_fleet(fleet, beat));
    }
    let mut ids: Vec<String> = Vec::new();
    for device in &fleet.devices {
        let id = names::unused(&format!("Device{}", capitalized(device)), &ids);
        alarms.extend(of_device(fleet, beat, device, &id));
        ids.push(id);
    }
    alarms
}

fn resource(id: impl Into<String>, why: impl Into<String>, alarm: Alarm) -> Resource {
    Resource { id: id.into(), why: why.into(), kind: Kind::Alarm(alarm) }
}

fn rule_failures(fleet: &Fleet) -> Vec<Resource> {
    let rule = &fleet.rule;
    let alarm = |what: &str, description: &str, watch: Watch| Alarm {
        name: format!("{rule}: {what}"),
        description: description.to_owned(),
        watch,
        comparison: "GreaterThanThreshold",
        threshold: 0.into(),
        period: RULE_PERIOD_SECS,
        periods: 1,
        missing: "notBreaching",
    };
    let metric = |name: &str| Watch::Metric {
        namespace: "AWS/IoT".to_owned(),
        name: name.to_owned(),
        dimensions: vec![("RuleName", rule.as_str().into())],
        statistic: "Sum",
    };
    vec![
        resource(
            "RuleFails",
            "The rule's action failed. The metric has a further dimension, the action's type: a query adds up \
             all of them.",
            alarm(
                "its action fails",
                "The rule cannot do what it should. Why, and the message, stand in the log group of its errors: \
                 most often the role lacks a right, or a unit or a time is none that CloudWatch takes.",
                Watch::Query(format!(r#"SELECT SUM("Failure") FROM "AWS/IoT" WHERE RuleName = '{rule}'"#)),
            ),
        ),
        resource(
            "RuleCannotRead",
            "The rule met a message that is no JSON. The error action is not told of these.",
            alarm(
                "messages are no JSON",
                "Something publishes on the devices' topics that is not JSON: look for another program with the \
                 same topic.",
                metric("ParseError"),
            ),
        ),
        resource(
            "RuleIsThrottled",
            "AWS IoT Core held the rule back: messages are lost.",
            alarm(
                "it is throttled",
                "More messages than the account's quota allows, so that some are dropped: raise the interval or \
                 the quota, or take format emf, which sends one message a sample.",
                metric("RuleMessageThrottled"),
            ),
        ),
    ]
}

/// The whole fleet is silent: the one alarm that needs no device's name.
fn nothing_arrives(fleet: &Fleet, beat: Beat) -> Option<Resource> {
    let rule = &fleet.rule;
    let watch = match fleet.config.format {
        // A query, because the metric has a further dimension; and it cannot look back further.
        Format::Rule if beat.period * beat.silent > QUERY_SECS_MAX => return None,
        Format::Rule => {
            Watch::Query(format!(r#"SELECT SUM("Success") FROM "AWS/IoT" WHERE RuleName = '{rule}'"#))
        }
        Format::Emf | Format::Flat => Watch::Metric {
            namespace: "AWS/Logs".to_owned(),
            name: "IncomingLogEvents".to_owned(),
            dimensions: vec![("LogGroupName", Part::LogGroup("Samples").into())],
            statistic: "Sum",
        },
    };
    Some(resource(
        "NothingArrives",
        "No device at all has sent anything for five intervals.",
        Alarm {
            name: format!("{rule}: nothing arrives"),
            description:
                "No device has sent anything for five intervals: look at `pivitals doctor` on one of them, \
                          and whether the rule is enabled."
                    .to_owned(),
            watch,
            comparison: "LessThanThreshold",
            threshold: 1.into(),
            period: beat.period,
            periods: beat.silent,
            missing: "breaching",
        },
    ))
}

/// Limits of all devices, known or not: a query with a series for each, which the e-mail names.
fn of_fleet(fleet: &Fleet, beat: Beat) -> Vec<Resource> {
    if beat.period * SAMPLES_BEYOND > QUERY_SECS_MAX {
        return Vec::new();
    }
    let namespace = &fleet.config.namespace;
    limits(fleet)
        .map(|(limit, series)| {
            let name = Fleet::dimensional_name(series);
            let (function, order) = if limit.is_low { ("MIN", "ASC") } else { ("MAX", "DESC") };
            let query = format!(
                r#"SELECT {function}("{name}") FROM SCHEMA("{namespace}", device) GROUP BY device ORDER BY {function}() {order}"#
            );
            resource(
                format!("{}{}OfAny", limit.id, capitalized(&series.suffix().to_string())),
                format!("Any device: {series}."),
                limit.alarm(format!("{}: {series} of any device", fleet.rule), Watch::Query(query), beat),
            )
        })
        .collect()
}

fn of_device(fleet: &Fleet, beat: Beat, device: &str, id: &str) -> Vec<Resource> {
    let watch = |series: &Series, statistic| {
        let (name, dimensions) = match fleet.config.format {
            Format::Rule => (format!("{series} ({device})"), Vec::new()),
            Format::Emf | Format::Flat => (Fleet::dimensional_name(series), vec![("device", device.into())]),
        };
        Watch::Metric { namespace: fleet.config.namespace.clone(), name, dimensions, statistic }
    };
    let mut alarms = Vec::new();
    if let Some(series) = heartbeat(&fleet.series) {
        alarms.push(resource(
            format!("{id}NoData"),
            format!("Nothing of {device} for five intervals."),
            Alarm {
                name: format!("{}: {device} is silent", fleet.rule),
                description: format!(
                    "No {series} for five intervals: look at the device's power and network, then at `pivitals doctor`."
                ),
                watch: watch(series, "SampleCount"),
                comparison: "LessThanThreshold",
                threshold: 1.into(),
                period: beat.period,
                periods: beat.silent,
                missing: "breaching",
            },
        ));
    }
    alarms.extend(limits(fleet).map(|(limit, series)| {
        let name = format!("{}: {series} of {device}", fleet.rule);
        let statistic = if limit.is_low { "Minimum" } else { "Maximum" };
        resource(
            format!("{id}{}{}", limit.id, capitalized(&series.suffix().to_string())),
            format!("{device}: {series}."),
            limit.alarm(name, watch(series, statistic), beat),
        )
    }));
    alarms
}

impl Limit {
    fn alarm(&self, name: String, watch: Watch, beat: Beat) -> Alarm {
        Alarm {
            name,
            description: self.advice.to_owned(),
            watch,
            comparison: if self.is_low { "LessThanThreshold" } else { "GreaterThanOrEqualToThreshold" },
            threshold: (self.threshold)(),
            period: beat.period,
            periods: SAMPLES_BEYOND,
            missing: "missing",
        }
    }
}

fn limits(fleet: &Fleet) -> impl Iterator<Item = (&'static Limit, &Series)> {
    LIMITS.iter().flat_map(|limit| {
        let series = fleet.series.iter().filter(|series| series.metric == limit.metric);
        series.map(move |series| (limit, series))
    })
}

/// A series that every board always has.
fn heartbeat(series: &[Series]) -> Option<&Series> {
    let always = [Metric::Cpu, Metric::Memory, Metric::Uptime, Metric::Load1, Metric::Disk];
    let found = always.iter().find_map(|&metric| series.iter().find(|series| series.metric == metric));
    found.or(series.first())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_intervals_are_whole_minutes_with_a_sample_in_each_period() {
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
            // The limits of an alarm: a day for short periods, a week for those of an hour and more.
            let days = if period < 3600 { 1 } else { 7 };
            assert!(period * silent <= days * 86_400);
        }
    }
}
