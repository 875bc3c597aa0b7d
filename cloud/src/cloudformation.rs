//! A stack as a template of CloudFormation: YAML with comments, or JSON.

use crate::json;
use crate::model::{Action, Alarm, Kind, MetricFilter, Parameter, Part, Resource, Rule, Value, Watch};
use crate::stack::{ALARM_EMAIL, RETENTION_DAYS, Stack};
use crate::words::comment;
use crate::yaml;

mod functions;

use functions::{long, tagged};

/// Whether the user gave an address.
const HAS_EMAIL: &str = "HasAlarmEmail";

type Entries = Vec<(String, Value)>;

/// The template with comments, to be read before it is deployed.
#[must_use]
pub fn yaml(stack: &Stack) -> String {
    let mut out = String::new();
    comment(&mut out, &format!("{}.", stack.description), 0);
    comment(
        &mut out,
        "aws cloudformation deploy --template-file FILE --stack-name NAME --capabilities CAPABILITY_IAM",
        0,
    );
    for note in &stack.notes {
        out.push_str("#\n");
        comment(&mut out, note, 0);
    }
    for (section, content) in sections(stack) {
        match content {
            Value::Map(content) => {
                out.extend(["\n", section, ":\n"]);
                for entry in content {
                    if let Some(resource) = stack.resources.iter().find(|resource| resource.id == entry.0)
                        && section == "Resources"
                    {
                        out.push('\n');
                        comment(&mut out, &resource.why, 2);
                    }
                    yaml::entries(&mut out, &[entry], 2, &tagged);
                }
            }
            other => yaml::entries(&mut out, &[(section.to_owned(), other)], 0, &tagged),
        }
    }
    out
}

/// The same as JSON, without comments.
#[must_use]
pub fn json_template(stack: &Stack) -> String {
    let sections = sections(stack).into_iter().map(|(name, content)| (name.to_owned(), content));
    json::document(&long(&Value::Map(sections.collect()))) + "\n"
}

fn sections(stack: &Stack) -> Vec<(&'static str, Value)> {
    let is_not =
        Value::map([("Fn::Equals", Value::list([Value::from(Part::Parameter(ALARM_EMAIL)), "".into()]))]);
    let outputs = stack.outputs.iter().map(|(id, what, name)| {
        (id.clone(), Value::map([("Description", what.as_str().into()), ("Value", name.as_str().into())]))
    });
    vec![
        ("AWSTemplateFormatVersion", "2010-09-09".into()),
        ("Description", stack.description.as_str().into()),
        ("Parameters", Value::Map(stack.parameters.iter().map(parameter).collect())),
        ("Conditions", Value::map([(HAS_EMAIL, Value::map([("Fn::Not", Value::List(vec![is_not]))]))])),
        ("Resources", Value::Map(stack.resources.iter().map(resource).collect())),
        ("Outputs", Value::Map(outputs.collect())),
    ]
}

fn parameter(parameter: &Parameter) -> (String, Value) {
    let kind = if matches!(parameter.default, Value::Number(_)) { "Number" } else { "String" };
    let mut entries = entries([
        ("Type", kind.into()),
        ("Description", parameter.description.into()),
        ("Default", parameter.default.clone()),
    ]);
    if !parameter.allowed.is_empty() {
        entries.push(("AllowedValues".to_owned(), Value::list(parameter.allowed.iter().copied())));
    }
    (parameter.name.to_owned(), Value::Map(entries))
}

fn resource(resource: &Resource) -> (String, Value) {
    let (kind, properties) = match &resource.kind {
        Kind::ThingType { name, description, attributes } => {
            let mut about = entries([("ThingTypeDescription", description.as_str().into())]);
            if !attributes.is_empty() {
                about.push(("SearchableAttributes".to_owned(), Value::list(attributes.iter().copied())));
            }
            let properties = entries([
                ("ThingTypeName", name.as_str().into()),
                ("ThingTypeProperties", Value::Map(about)),
            ]);
            ("AWS::IoT::ThingType", properties)
        }
        Kind::Policy { name, document } => {
            let properties = [("PolicyName", name.as_str().into()), ("PolicyDocument", document.clone())];
            ("AWS::IoT::Policy", entries(properties))
        }
        Kind::LogGroup { name } => {
            let days = Part::Parameter(RETENTION_DAYS).into();
            (
                "AWS::Logs::LogGroup",
                entries([("LogGroupName", name.as_str().into()), ("RetentionInDays", days)]),
            )
        }
        Kind::MetricFilter(filter) => ("AWS::Logs::MetricFilter", metric_filter(filter)),
        Kind::Role { description, trust, permissions } => {
            let policy = Value::map([("PolicyName", "rule".into()), ("PolicyDocument", permissions.clone())]);
            let properties = [
                ("Description", description.as_str().into()),
                ("AssumeRolePolicyDocument", trust.clone()),
                ("Policies", Value::List(vec![policy])),
            ];
            ("AWS::IAM::Role", entries(properties))
        }
        Kind::Topic { name } => ("AWS::SNS::Topic", entries([("TopicName", name.as_str().into())])),
        Kind::Subscription => {
            let properties = [
                ("TopicArn", Part::TopicArn.into()),
                ("Protocol", "email".into()),
                ("Endpoint", Part::Parameter(ALARM_EMAIL).into()),
            ];
            ("AWS::SNS::Subscription", entries(properties))
        }
        Kind::Rule(rule) => ("AWS::IoT::TopicRule", topic_rule(rule)),
        Kind::Alarm(alarm) => ("AWS::CloudWatch::Alarm", metric_alarm(alarm)),
        Kind::Dashboard { name, body } => {
            let body = Value::Json(Box::new(body.clone()));
            (
                "AWS::CloudWatch::Dashboard",
                entries([("DashboardName", name.as_str().into()), ("DashboardBody", body)]),
            )
        }
    };
    let mut whole = entries([("Type", kind.into())]);
    match &resource.kind {
        Kind::Subscription => whole.push(("Condition".to_owned(), HAS_EMAIL.into())),
        // What was measured outlives the stack only if somebody says so.
        Kind::LogGroup { .. } => {
            let delete = |key: &str| (key.to_owned(), Value::from("Delete"));
            whole.extend([delete("DeletionPolicy"), delete("UpdateReplacePolicy")]);
        }
        _ => {}
    }
    whole.push(("Properties".to_owned(), Value::Map(properties)));
    (resource.id.clone(), Value::Map(whole))
}

fn metric_filter(filter: &MetricFilter) -> Entries {
    let mut transformation = entries([
        ("MetricNamespace", filter.namespace.as_str().into()),
        ("MetricName", filter.metric.as_str().into()),
        ("MetricValue", format!("$.{}", filter.key).into()),
        ("Unit", filter.unit.into()),
    ]);
    if let Some(device) = filter.device {
        let dimension = Value::map([("Key", "device".into()), ("Value", format!("$.{device}").into())]);
        transformation.push(("Dimensions".to_owned(), Value::List(vec![dimension])));
    }
    entries([
        ("LogGroupName", Part::LogGroup("Samples").into()),
        ("FilterName", filter.name.as_str().into()),
        ("FilterPattern", filter.pattern().into()),
        ("MetricTransformations", Value::List(vec![Value::Map(transformation)])),
    ])
}

fn topic_rule(rule: &Rule) -> Entries {
    let action = match &rule.action {
        Action::Metric { namespace } => Value::map([(
            "CloudwatchMetric",
            Value::map([
                ("MetricNamespace", namespace.as_str().into()),
                ("MetricName", "${name}".into()),
                ("MetricUnit", "${unit}".into()),
                ("MetricValue", "${value}".into()),
                ("MetricTimestamp", "${timestamp}".into()),
                ("RoleArn", Part::RoleArn("RuleRole").into()),
            ]),
        )]),
        Action::Log { is_batch } => log_action("Samples", "RuleRole", *is_batch),
    };
    let payload = Value::map([
        ("Description", rule.description.as_str().into()),
        ("AwsIotSqlVersion", "2016-03-23".into()),
        ("Sql", rule.sql.as_str().into()),
        ("RuleDisabled", false.into()),
        ("Actions", Value::List(vec![action])),
        ("ErrorAction", log_action("Errors", "ErrorRole", false)),
    ]);
    entries([("RuleName", rule.name.as_str().into()), ("TopicRulePayload", payload)])
}

fn log_action(log_group: &'static str, role: &'static str, is_batch: bool) -> Value {
    let mut action = entries([
        ("LogGroupName", Part::LogGroup(log_group).into()),
        ("RoleArn", Part::RoleArn(role).into()),
    ]);
    if is_batch {
        action.push(("BatchMode".to_owned(), true.into()));
    }
    Value::map([("CloudwatchLogs", Value::Map(action))])
}

fn metric_alarm(alarm: &Alarm) -> Entries {
    let mut properties = entries([
        ("AlarmName", alarm.name.as_str().into()),
        ("AlarmDescription", alarm.description.as_str().into()),
    ]);
    properties.extend(match &alarm.watch {
        Watch::Metric { namespace, name, dimensions, statistic } => {
            let mut metric =
                entries([("Namespace", namespace.as_str().into()), ("MetricName", name.as_str().into())]);
            let dimension = |(key, value): &(&str, Value)| {
                Value::map([("Name", (*key).into()), ("Value", value.clone())])
            };
            if !dimensions.is_empty() {
                metric
                    .push(("Dimensions".to_owned(), Value::List(dimensions.iter().map(dimension).collect())));
            }
            metric.extend(entries([("Statistic", (*statistic).into()), ("Period", alarm.period.into())]));
            metric
        }
        Watch::Query(query) => {
            let query = Value::map([
                ("Id", "q1".into()),
                ("Expression", query.as_str().into()),
                ("Period", alarm.period.into()),
                ("ReturnData", true.into()),
            ]);
            entries([("Metrics", Value::List(vec![query]))])
        }
    });
    let notify = || Value::List(vec![Part::TopicArn.into()]);
    properties.extend(entries([
        ("EvaluationPeriods", alarm.periods.into()),
        ("ComparisonOperator", alarm.comparison.into()),
        ("Threshold", alarm.threshold.clone()),
        ("TreatMissingData", alarm.missing.into()),
        ("AlarmActions", notify()),
        ("OKActions", notify()),
    ]));
    properties
}

fn entries<const N: usize>(entries: [(&str, Value); N]) -> Entries {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
