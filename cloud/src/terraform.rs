//! A stack as a configuration of Terraform, for its AWS provider.

use crate::hcl::{self, Block, Item};
use crate::json;
use crate::model::{Action, Alarm, Kind, MetricFilter, Parameter, Part, Resource, Rule, Value, Watch};
use crate::names::snake_case;
use crate::stack::{ALARM_EMAIL, RETENTION_DAYS, Stack};
use crate::words::comment;

/// The configuration with comments, to be read before it is applied.
#[must_use]
pub fn hcl(stack: &Stack) -> String {
    let mut out = String::new();
    comment(&mut out, &format!("{}.", stack.description), 0);
    comment(&mut out, "terraform init && terraform apply -var alarm_email=ADDRESS", 0);
    for note in &stack.notes {
        out.push_str("#\n");
        comment(&mut out, note, 0);
    }
    for block in blocks(stack) {
        out.push('\n');
        hcl::hcl(&mut out, &block, 0, &reference);
    }
    out
}

/// The same in Terraform's JSON syntax, without comments: for a file `*.tf.json`.
#[must_use]
pub fn json(stack: &Stack) -> String {
    json::document(&hcl::json_syntax(&blocks(stack), &reference)) + "\n"
}

fn blocks(stack: &Stack) -> Vec<Block> {
    let mut blocks = vec![settings()];
    blocks.extend(["aws_partition", "aws_region", "aws_caller_identity"].map(|data| Block {
        kind: "data",
        labels: vec![data.to_owned(), "current".to_owned()],
        why: String::new(),
        body: Vec::new(),
    }));
    blocks.extend(stack.parameters.iter().map(variable));
    blocks.extend(stack.resources.iter().flat_map(resource));
    blocks.extend(stack.outputs.iter().map(|(id, what, name)| Block {
        kind: "output",
        labels: vec![snake_case(id)],
        why: String::new(),
        body: vec![
            Item::Argument("description", what.as_str().into()),
            Item::Argument("value", name.as_str().into()),
        ],
    }));
    blocks
}

/// The provider from the summer of 2024 on: earlier ones do not know `batch_mode`.
fn settings() -> Block {
    let aws = Value::map([("source", "hashicorp/aws".into()), ("version", ">= 5.60".into())]);
    let providers = Block::inner("required_providers", vec![Item::Argument("aws", aws)]);
    Block { kind: "terraform", labels: Vec::new(), why: String::new(), body: vec![providers] }
}

fn variable(parameter: &Parameter) -> Block {
    let name = snake_case(parameter.name);
    let kind = if matches!(parameter.default, Value::Number(_)) { "number" } else { "string" };
    let mut body = vec![
        Item::Keyword("type", kind),
        Item::Argument("description", parameter.description.into()),
        Item::Argument("default", parameter.default.clone()),
    ];
    if !parameter.allowed.is_empty() {
        let allowed: Vec<_> = parameter.allowed.iter().map(ToString::to_string).collect();
        let allowed = allowed.join(", ");
        let check = vec![
            Item::Expression("condition", format!("contains([{allowed}], var.{name})")),
            Item::Argument("error_message", format!("Allowed: {allowed}.").into()),
        ];
        body.push(Block::inner("validation", check));
    }
    Block { kind: "variable", labels: vec![name], why: String::new(), body }
}

/// Nearly always one; a role and its permissions are two.
fn resource(resource: &Resource) -> Vec<Block> {
    let name = snake_case(&resource.id);
    let block = |kind: &str, why: &str, body| Block {
        kind: "resource",
        labels: vec![kind.to_owned(), name.clone()],
        why: why.to_owned(),
        body,
    };
    let one = |kind, body| vec![block(kind, &resource.why, body)];
    match &resource.kind {
        Kind::ThingType { name, description, attributes } => {
            let mut about = vec![text("description", description)];
            if !attributes.is_empty() {
                about.push(Item::Argument("searchable_attributes", Value::list(attributes.iter().copied())));
            }
            one("aws_iot_thing_type", vec![text("name", name), Block::inner("properties", about)])
        }
        Kind::Policy { name, document } => {
            one("aws_iot_policy", vec![text("name", name), json_text("policy", document)])
        }
        Kind::LogGroup { name } => {
            let days = Item::Argument("retention_in_days", Part::Parameter(RETENTION_DAYS).into());
            one("aws_cloudwatch_log_group", vec![text("name", name), days])
        }
        Kind::MetricFilter(filter) => one("aws_cloudwatch_log_metric_filter", metric_filter(filter)),
        Kind::Role { description, trust, permissions } => {
            let role = vec![
                text("name_prefix", "pivitals-"),
                text("description", description),
                json_text("assume_role_policy", trust),
            ];
            let policy = vec![
                text("name", "rule"),
                Item::Expression("role", format!("aws_iam_role.{name}.id")),
                json_text("policy", permissions),
            ];
            vec![block("aws_iam_role", &resource.why, role), block("aws_iam_role_policy", "", policy)]
        }
        Kind::Topic { name } => one("aws_sns_topic", vec![text("name", name)]),
        Kind::Subscription => {
            let email = reference(&Part::Parameter(ALARM_EMAIL));
            let body = vec![
                Item::Expression("count", format!("{email} == \"\" ? 0 : 1")),
                Item::Argument("topic_arn", Part::TopicArn.into()),
                text("protocol", "email"),
                Item::Expression("endpoint", email),
            ];
            one("aws_sns_topic_subscription", body)
        }
        Kind::Rule(rule) => one("aws_iot_topic_rule", topic_rule(rule)),
        Kind::Alarm(alarm) => one("aws_cloudwatch_metric_alarm", metric_alarm(alarm)),
        Kind::Dashboard { name, body } => one(
            "aws_cloudwatch_dashboard",
            vec![text("dashboard_name", name), json_text("dashboard_body", body)],
        ),
    }
}

fn text(name: &'static str, text: &str) -> Item {
    Item::Argument(name, text.into())
}

fn json_text(name: &'static str, document: &Value) -> Item {
    Item::Argument(name, Value::Json(Box::new(document.clone())))
}

fn metric_filter(filter: &MetricFilter) -> Vec<Item> {
    let mut transformation = vec![
        text("namespace", &filter.namespace),
        text("name", &filter.metric),
        text("value", &format!("$.{}", filter.key)),
        text("unit", filter.unit),
    ];
    if let Some(device) = filter.device {
        let dimensions = Value::map([("device", format!("$.{device}").into())]);
        transformation.push(Item::Argument("dimensions", dimensions));
    }
    vec![
        text("name", &filter.name),
        Item::Argument("log_group_name", Part::LogGroup("Samples").into()),
        text("pattern", &filter.pattern()),
        Block::inner("metric_transformation", transformation),
    ]
}

fn topic_rule(rule: &Rule) -> Vec<Item> {
    let action = match &rule.action {
        Action::Metric { namespace } => {
            let metric = vec![
                text("metric_namespace", namespace),
                text("metric_name", "${name}"),
                text("metric_unit", "${unit}"),
                text("metric_value", "${value}"),
                text("metric_timestamp", "${timestamp}"),
                Item::Argument("role_arn", Part::RoleArn("RuleRole").into()),
            ];
            Block::inner("cloudwatch_metric", metric)
        }
        Action::Log { is_batch } => log_action("Samples", "RuleRole", *is_batch),
    };
    vec![
        text("name", &rule.name),
        text("description", &rule.description),
        Item::Argument("enabled", true.into()),
        text("sql", &rule.sql),
        text("sql_version", "2016-03-23"),
        action,
        Block::inner("error_action", vec![log_action("Errors", "ErrorRole", false)]),
    ]
}

fn log_action(log_group: &'static str, role: &'static str, is_batch: bool) -> Item {
    let mut action = vec![
        Item::Argument("log_group_name", Part::LogGroup(log_group).into()),
        Item::Argument("role_arn", Part::RoleArn(role).into()),
    ];
    if is_batch {
        action.push(Item::Argument("batch_mode", true.into()));
    }
    Block::inner("cloudwatch_logs", action)
}

fn metric_alarm(alarm: &Alarm) -> Vec<Item> {
    let notify = || Value::List(vec![Part::TopicArn.into()]);
    let mut body = vec![
        text("alarm_name", &alarm.name),
        text("alarm_description", &alarm.description),
        Item::Argument("evaluation_periods", alarm.periods.into()),
        text("comparison_operator", alarm.comparison),
        Item::Argument("threshold", alarm.threshold.clone()),
        text("treat_missing_data", alarm.missing),
        Item::Argument("alarm_actions", notify()),
        Item::Argument("ok_actions", notify()),
    ];
    match &alarm.watch {
        Watch::Metric { namespace, name, dimensions, statistic } => {
            body.extend([
                text("namespace", namespace),
                text("metric_name", name),
                text("statistic", statistic),
                Item::Argument("period", alarm.period.into()),
            ]);
            if !dimensions.is_empty() {
                let dimensions = dimensions.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
                body.push(Item::Argument("dimensions", Value::Map(dimensions.collect())));
            }
        }
        Watch::Query(query) => {
            let query = vec![
                text("id", "q1"),
                text("expression", query),
                Item::Argument("period", alarm.period.into()),
                Item::Argument("return_data", true.into()),
            ];
            body.push(Block::inner("metric_query", query));
        }
    }
    body
}

fn reference(part: &Part) -> String {
    match part {
        Part::Literal(text) => text.clone(),
        Part::Partition => "data.aws_partition.current.partition".to_owned(),
        // The name of the region, in every version of the provider.
        Part::Region => "data.aws_region.current.id".to_owned(),
        Part::Account => "data.aws_caller_identity.current.account_id".to_owned(),
        Part::Parameter(name) => format!("var.{}", snake_case(name)),
        Part::RoleArn(role) => format!("aws_iam_role.{}.arn", snake_case(role)),
        Part::TopicArn => "aws_sns_topic.alarms.arn".to_owned(),
        Part::LogGroup(id) => format!("aws_cloudwatch_log_group.{}.name", snake_case(id)),
    }
}
