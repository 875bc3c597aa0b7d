//! What a device may do, and what the rule's roles may: nothing more than they need.

use crate::fleet::{Fleet, THING_NAME};
use crate::json;
use crate::model::{Part, Text, Value};

/// AWS IoT's limit of a policy document, in characters, blanks not counted.
pub const LEN_MAX: usize = 2048;

/// Where a policy stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    partition: Part,
    region: Part,
    account: Part,
}

impl Place {
    /// Wherever the stack is deployed.
    #[must_use]
    pub const fn of_stack() -> Self {
        Self { partition: Part::Partition, region: Part::Region, account: Part::Account }
    }

    /// A region and an account; what is not known is `*`. A policy holds in its own region and account
    /// only, so that this allows nothing more.
    #[must_use]
    pub fn of(region: Option<&str>, account: Option<&str>) -> Self {
        let partition = match region {
            Some(region) if region.starts_with("cn-") => "aws-cn",
            Some(region) if region.starts_with("us-gov-") => "aws-us-gov",
            Some(region) if region.starts_with("eusc-") => "aws-eusc",
            _ => "aws",
        };
        let part = |part: Option<&str>| Part::from(part.unwrap_or("*"));
        Self { partition: partition.into(), region: part(region), account: part(account) }
    }

    fn arn(&self, resource: &str) -> Value {
        let text = Text::from("arn:")
            .and(self.partition.clone())
            .and(":iot:")
            .and(self.region.clone())
            .and(":")
            .and(self.account.clone())
            .and(format!(":{resource}").as_str());
        Value::Text(text)
    }
}

/// The policy of the fleet's devices: to connect as the thing that the certificate belongs to, and to
/// publish on exactly these topics.
#[must_use]
pub fn device(topics: &[String], place: &Place) -> Value {
    let topics: Vec<_> = topics.iter().map(|topic| place.arn(&format!("topic/{topic}"))).collect();
    document(vec![
        Value::map([
            ("Sid", "ConnectAsTheThing".into()),
            ("Effect", "Allow".into()),
            ("Action", "iot:Connect".into()),
            ("Resource", place.arn(&format!("client/{THING_NAME}"))),
            (
                "Condition",
                Value::map([("Bool", Value::map([("iot:Connection.Thing.IsAttached", "true".into())]))]),
            ),
        ]),
        Value::map([
            ("Sid", "PublishItsMetrics".into()),
            ("Effect", "Allow".into()),
            ("Action", "iot:Publish".into()),
            ("Resource", one_or_list(topics)),
        ]),
    ])
}

/// The fleet's topics in as many groups as AWS IoT's limit of a policy makes necessary: nearly always one.
#[must_use]
pub fn groups(fleet: &Fleet) -> Vec<&[String]> {
    // As long as any region and account can make it.
    let longest = Place::of(Some("us-gov-east-1xx"), Some("123456789012"));
    let fits = |topics: &[String]| characters(&device(topics, &longest)) <= LEN_MAX;
    let mut groups = Vec::new();
    let mut rest = fleet.topics.as_slice();
    while !rest.is_empty() {
        let count = (1..=rest.len()).rev().find(|&count| fits(&rest[..count])).unwrap_or(1);
        let (group, others) = rest.split_at(count);
        groups.push(group);
        rest = others;
    }
    groups
}

/// The text of a document for a [`Place`] that is known.
#[must_use]
pub fn text(document: &Value) -> String {
    json::document(document)
}

/// What AWS IoT counts of a document.
#[must_use]
pub fn characters(document: &Value) -> usize {
    text(document).chars().filter(|char| !char.is_whitespace()).count()
}

/// Who may take a role: the rule of this name, and nobody else.
#[must_use]
pub fn trust(rule: &str) -> Value {
    document(vec![Value::map([
        ("Effect", "Allow".into()),
        ("Principal", Value::map([("Service", "iot.amazonaws.com".into())])),
        ("Action", "sts:AssumeRole".into()),
        (
            "Condition",
            Value::map([
                ("StringEquals", Value::map([("aws:SourceAccount", Part::Account.into())])),
                (
                    "ArnLike",
                    Value::map([("aws:SourceArn", Text::arn("iot", &format!("rule/{rule}")).into())]),
                ),
            ]),
        ),
    ])])
}

/// Metrics in one namespace. CloudWatch has no resource to name, but a condition.
#[must_use]
pub fn put_metrics(namespace: &str) -> Value {
    document(vec![Value::map([
        ("Effect", "Allow".into()),
        ("Action", "cloudwatch:PutMetricData".into()),
        ("Resource", "*".into()),
        (
            "Condition",
            Value::map([("StringEquals", Value::map([("cloudwatch:namespace", namespace.into())]))]),
        ),
    ])])
}

/// Events of one log group, in whatever streams.
#[must_use]
pub fn put_events(log_group: &str) -> Value {
    let actions = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"];
    document(vec![Value::map([
        ("Effect", "Allow".into()),
        ("Action", Value::list(actions)),
        ("Resource", Text::arn("logs", &format!("log-group:{log_group}:*")).into()),
    ])])
}

fn document(statements: Vec<Value>) -> Value {
    Value::map([("Version", "2012-10-17".into()), ("Statement", Value::List(statements))])
}

fn one_or_list(mut values: Vec<Value>) -> Value {
    if values.len() == 1 { values.remove(0) } else { Value::List(values) }
}
