//! The alarms: silence, limits, and the rule's own failures.

use pivitals::message::payload::Format;
use pivitals::metric::{Metric, Series};

use crate::fleet::Fleet;
use crate::model::{Alarm, Kind, Part, Resource, Watch};
use crate::names::{self, capitalized};
use crate::rule;

mod beat;
mod limit;

use beat::Beat;
use limit::limits;
pub use limit::{DISK_LIMIT, TEMPERATURE_LIMIT, alert_threshold};

/// An alarm on a query looks back three hours, and not further (CloudWatch user guide, "Metrics Insights
/// quotas").
const QUERY_SECS_MAX: i64 = 3 * 60 * 60;
/// The rule's failures are counted in periods of this many seconds.
const RULE_PERIOD_SECS: i64 = 300;

/// What the alarm is called that the whole fleet is silent.
pub const NOTHING_ARRIVES: &str = "NothingArrives";

/// Seconds that a graph's point stands for.
pub fn period(fleet: &Fleet) -> i64 {
    Beat::new(fleet.config.interval).period
}

/// What has a limit that nothing watches, because no filter can make a metric of all devices of it.
pub fn unwatched(fleet: &Fleet) -> Vec<String> {
    let has_filters = fleet.config.format != Format::Rule;
    let unwatched =
        limits(fleet).filter(|(_, series)| has_filters && rule::filter_of_all(fleet, series).is_none());
    unwatched.map(|(_, series)| series.to_string()).collect()
}

/// All alarms, those of the whole fleet first, and what they need.
pub fn alarms(fleet: &Fleet) -> Vec<Resource> {
    let beat = Beat::new(fleet.config.interval);
    let mut alarms = rule_failures(fleet);
    alarms.extend(nothing_arrives(fleet, beat));
    alarms.extend(of_fleet(fleet, beat));
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
        NOTHING_ARRIVES,
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

/// Limits of all devices, known or not, by the highest or the lowest of them. A query over the devices' own
/// metrics could name the one in question, but is billed for each of them.
fn of_fleet(fleet: &Fleet, beat: Beat) -> Vec<Resource> {
    let mut resources = Vec::new();
    for (limit, series) in limits(fleet) {
        let Some(filter) = rule::filter_of_all(fleet, series) else { continue };
        let id = format!("{}{}OfAny", limit.id, capitalized(&series.suffix().to_string()));
        let watch = Watch::Metric {
            namespace: filter.namespace.clone(),
            name: filter.metric.clone(),
            dimensions: Vec::new(),
            statistic: limit.statistic(),
        };
        resources.push(Resource {
            id: format!("Metric{id}"),
            why: format!("{} of all devices in one metric, for the alarm.", filter.key),
            kind: Kind::MetricFilter(filter),
        });
        let name = format!("{}: {series} of any device", fleet.rule);
        resources.push(resource(
            id,
            format!("Any device: {series}."),
            limit.alarm(name, watch, beat, limit.periods(fleet, series)),
        ));
    }
    resources
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
    // In the other formats they hold for all devices.
    let limits = limits(fleet).filter(|_| fleet.config.format == Format::Rule);
    alarms.extend(limits.map(|(limit, series)| {
        let name = format!("{}: {series} of {device}", fleet.rule);
        resource(
            format!("{id}{}{}", limit.id, capitalized(&series.suffix().to_string())),
            format!("{device}: {series}."),
            limit.alarm(name, watch(series, limit.statistic()), beat, limit.periods(fleet, series)),
        )
    }));
    alarms
}

/// A series that every board always has.
fn heartbeat(series: &[Series]) -> Option<&Series> {
    let always = [Metric::Cpu, Metric::Memory, Metric::Uptime, Metric::Load1, Metric::Disk];
    let found = always.iter().find_map(|&metric| series.iter().find(|series| series.metric == metric));
    found.or(series.first())
}
