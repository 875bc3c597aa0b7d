//! All resources of a configuration, in the order in which they are best read.

use pivitals::message::payload::Format;
use pivitals::metric::Metric;

use crate::alarms::{self, DISK_LIMIT, TEMPERATURE_LIMIT, alert_threshold};
use crate::fleet::Fleet;
use crate::model::{Kind, MetricFilter, Parameter, Resource, Value};
use crate::names::{self, capitalized};
use crate::policy::{self, Place};
use crate::{dashboard, rule};

#[cfg(test)]
mod tests;

/// The address that alarms go to.
pub const ALARM_EMAIL: &str = "AlarmEmail";
/// How long logs are kept.
pub const RETENTION_DAYS: &str = "RetentionDays";

/// The days that CloudWatch Logs knows (API reference, `PutRetentionPolicy`), but for 1: an outage of a day is
/// what the queue of a device has room for, and CloudWatch Logs takes no event that it would not keep.
const RETENTIONS: [i64; 13] = [3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 731, 3653];

/// All that there is to be made, and what the user may choose.
#[derive(Debug, Clone)]
pub struct Stack {
    /// What it is, in words.
    pub description: String,
    /// What is good to know before it is deployed, a paragraph each.
    pub notes: Vec<String>,
    /// What the user may choose.
    pub parameters: Vec<Parameter>,
    /// What is made.
    pub resources: Vec<Resource>,
    /// What the user has to know of it: the names of the thing type, the policies and the dashboard.
    pub outputs: Vec<(String, String, String)>,
}

/// Attributes of a thing type by which things can be found.
const SEARCHABLE_MAX: usize = 3;

impl Stack {
    /// The stack of a fleet.
    #[must_use]
    pub fn new(fleet: &Fleet) -> Self {
        let resources = with_own_ids(resources(fleet));
        Self {
            description: format!("The AWS side of pivitals: {} devices to CloudWatch", fleet.rule),
            notes: notes(fleet, &resources),
            parameters: parameters(fleet, &resources),
            outputs: outputs(&resources),
            resources,
        }
    }
}

fn resource(id: impl Into<String>, why: impl Into<String>, kind: Kind) -> Resource {
    Resource { id: id.into(), why: why.into(), kind }
}

/// `/a-b` and `/a/b` are the same where only letters and digits count: the second one gets a number. What
/// others refer to comes first, and keeps its id.
fn with_own_ids(mut resources: Vec<Resource>) -> Vec<Resource> {
    let mut ids: Vec<String> = Vec::new();
    for resource in &mut resources {
        resource.id = names::unused(&resource.id, &ids);
        ids.push(resource.id.clone());
    }
    resources
}

fn resources(fleet: &Fleet) -> Vec<Resource> {
    let mut resources = devices(fleet);
    resources.extend(ingestion(fleet));
    resources.push(resource(
        "Alarms",
        "Where alarms go. Subscribe to it what you like.",
        Kind::Topic { name: format!("{}-alarms", fleet.rule) },
    ));
    resources.push(resource(
        "AlarmsByEmail",
        "An e-mail for each alarm, after its receiver has confirmed the first one.",
        Kind::Subscription,
    ));
    resources.extend(alarms::alarms(fleet));
    let body = dashboard::body(fleet);
    let why = "A table of the devices, the rule's own health, and a graph a metric.";
    resources.push(resource("Dashboard", why, Kind::Dashboard { name: fleet.rule.clone(), body }));
    resources
}

/// What the registry and the broker know of devices.
fn devices(fleet: &Fleet) -> Vec<Resource> {
    let thing_type = Kind::ThingType {
        name: fleet.rule.clone(),
        description: "A Raspberry Pi that runs pivitals".to_owned(),
        attributes: fleet.attributes.iter().copied().take(SEARCHABLE_MAX).collect(),
    };
    let mut resources = vec![resource("ThingType", "Name it when you create a thing.", thing_type)];
    let groups = policy::groups(fleet);
    for (number, topics) in (1..).zip(&groups) {
        let (id, name) = match number {
            1 => ("DevicePolicy".to_owned(), format!("{}-device", fleet.rule)),
            _ => (format!("DevicePolicy{number}"), format!("{}-device-{number}", fleet.rule)),
        };
        let why = if groups.len() == 1 {
            "Attach it to each device's certificate. It lets a device connect under the name of the thing that the \
             certificate is attached to, and publish on its own topics; nothing else."
        } else {
            "Attach all of the device's policies to each certificate: one document of AWS IoT has room for 2,048 \
             characters, and these topics need more."
        };
        let document = policy::device(topics, &Place::of_stack());
        resources.push(resource(id, why, Kind::Policy { name, document }));
    }
    resources
}

/// From a topic into CloudWatch.
fn ingestion(fleet: &Fleet) -> Vec<Resource> {
    let format = fleet.config.format;
    let (errors, samples) = (format!("{}/errors", fleet.log_group()), fleet.log_group());
    let mut resources = Vec::new();
    let permissions = match format {
        Format::Rule => policy::put_metrics(&fleet.config.namespace),
        Format::Emf | Format::Flat => {
            let why = "The devices' messages.";
            resources.push(resource("Samples", why, Kind::LogGroup { name: samples.clone() }));
            policy::put_events(&samples)
        }
    };
    let role = |description: &str, permissions| Kind::Role {
        description: description.to_owned(),
        trust: policy::trust(&fleet.rule),
        permissions,
    };
    resources.extend([
        resource(
            "Errors",
            "What the rule could not do: one event a message, with the reason and the message itself.",
            Kind::LogGroup { name: errors.clone() },
        ),
        resource(
            "RuleRole",
            "What the rule may do, and only for this rule of this account.",
            role("The rule of pivitals into CloudWatch", permissions),
        ),
        resource(
            "ErrorRole",
            "The error action has a role of its own, so that it also tells that the other one lacks a right.",
            role("The errors of pivitals' rule into CloudWatch Logs", policy::put_events(&errors)),
        ),
        resource("Rule", rule::why(format), Kind::Rule(rule::rule(fleet))),
    ]);
    resources.extend(rule::filters(fleet).into_iter().map(filter));
    resources
}

fn filter(filter: MetricFilter) -> Resource {
    let why = format!("{} as the metric {}.", filter.key, filter.metric);
    resource(format!("Metric{}", capitalized(&filter.metric)), why, Kind::MetricFilter(filter))
}

fn parameters(fleet: &Fleet, resources: &[Resource]) -> Vec<Parameter> {
    let parameter = |name, description, default, allowed| Parameter { name, description, default, allowed };
    let all = [
        parameter(
            ALARM_EMAIL,
            "The e-mail address that alarms go to; nobody if it is empty",
            "".into(),
            &[][..],
        ),
        parameter(
            RETENTION_DAYS,
            match fleet.config.format {
                Format::Emf => {
                    "Days for which logs are kept; samples of an outage that are older come too late"
                }
                Format::Rule | Format::Flat => "Days for which logs are kept",
            },
            30.into(),
            &RETENTIONS,
        ),
        parameter(
            TEMPERATURE_LIMIT,
            "°C from which on a SoC is too hot; it slows down at 80 to 85",
            alert_threshold(fleet, Metric::Temperature).unwrap_or(80).into(),
            &[],
        ),
        parameter(
            DISK_LIMIT,
            "Percent from which on a file system is too full",
            alert_threshold(fleet, Metric::Disk).unwrap_or(90).into(),
            &[],
        ),
    ];
    let is_used = |parameter: &Parameter| {
        parameter.name == ALARM_EMAIL
            || parameter.name == RETENTION_DAYS
            || resources.iter().any(|resource| {
                matches!(&resource.kind, Kind::Alarm(alarm) if alarm.threshold == Value::from(
                    crate::model::Part::Parameter(parameter.name)
                ))
            })
    };
    all.into_iter().filter(is_used).collect()
}

fn outputs(resources: &[Resource]) -> Vec<(String, String, String)> {
    let output = |resource: &Resource| {
        let (what, name) = match &resource.kind {
            Kind::ThingType { name, .. } => ("Of things that are created", name),
            Kind::Policy { name, .. } => ("To be attached to each certificate", name),
            Kind::Dashboard { name, .. } => ("In CloudWatch", name),
            _ => return None,
        };
        Some((resource.id.clone(), what.to_owned(), name.clone()))
    };
    resources.iter().filter_map(output).collect()
}

fn notes(fleet: &Fleet, resources: &[Resource]) -> Vec<String> {
    let mut notes = Vec::new();
    if fleet.config.format == Format::Rule && fleet.devices.is_empty() {
        notes.push(
            "In format rule a device is part of its metrics' names, so that CloudWatch can watch no device that it is \
             not told of: pivitals-cloud makes alarms for those named by --device. Format emf needs no names for its \
             limits."
                .to_owned(),
        );
    }
    if fleet.config.format != Format::Rule && fleet.devices.is_empty() {
        notes.push(
            "The limits hold for every device; which of them it is, the dashboard shows. That one among many is silent is told only of devices that are named \
             by --device; the dashboard's table has the longest silent ones on top."
                .to_owned(),
        );
    }
    if !resources.iter().any(|resource| resource.id == alarms::NOTHING_ARRIVES) {
        notes.push(
            "With this interval no alarm tells that nothing arrives at all: in format rule it would need a query, which \
             looks back three hours. Take format emf, or name devices by --device."
                .to_owned(),
        );
    }
    let unwatched = alarms::unwatched(fleet);
    if !unwatched.is_empty() {
        notes.push(format!(
            "There is no limit of {}: a filter of CloudWatch Logs takes no `:` in a namespace, no more than 255 bytes \
             with /Fleet behind them, and in a key only letters, digits, - and _.",
            unwatched.join(", ")
        ));
    }
    if fleet.config.format == Format::Flat {
        notes.push(
            "CloudWatch Logs may switch a filter off that sees a thousand devices within an hour. Take format emf for \
             a fleet."
                .to_owned(),
        );
    }
    if !fleet.attributes.is_empty() {
        notes.push(format!(
            "The topic names what only the device knows: give each thing the attribute {}, or it may not publish.",
            fleet.attributes.join(" and ")
        ));
    }
    notes
}
