//! Terraform's configuration, held against what the AWS provider documents of each resource.

use std::collections::BTreeSet;

use pivitals_cloud::cloudformation;
use pivitals_cloud::fleet::{Fleet, Known};
use pivitals_cloud::stack::Stack;
use pivitals_cloud::terraform;
use serde_json::{Map, Value};

/// A block, the arguments that it has to have, and those that it may have. Nested blocks are named with the
/// one around them. From the provider's documentation (registry.terraform.io, hashicorp/aws, resources).
const DOCUMENTED: [(&str, &[&str], &[&str]); 20] = [
    ("aws_iot_thing_type", &["name"], &["deprecated", "properties", "tags"]),
    ("aws_iot_thing_type.properties", &[], &["description", "searchable_attributes"]),
    ("aws_iot_policy", &["policy"], &["name", "tags"]),
    (
        "aws_iot_topic_rule",
        &["name", "enabled", "sql", "sql_version"],
        &["description", "error_action", "cloudwatch_logs", "cloudwatch_metric", "tags"],
    ),
    (
        "aws_iot_topic_rule.cloudwatch_metric",
        &["metric_name", "metric_namespace", "metric_unit", "metric_value", "role_arn"],
        &["metric_timestamp"],
    ),
    ("aws_iot_topic_rule.cloudwatch_logs", &["log_group_name", "role_arn"], &["batch_mode"]),
    ("aws_iot_topic_rule.error_action", &[], &["cloudwatch_logs", "cloudwatch_metric", "sns"]),
    ("aws_iot_topic_rule.error_action.cloudwatch_logs", &["log_group_name", "role_arn"], &["batch_mode"]),
    (
        "aws_iam_role",
        &["assume_role_policy"],
        &["name", "name_prefix", "description", "path", "max_session_duration", "tags"],
    ),
    ("aws_iam_role_policy", &["policy", "role"], &["name", "name_prefix"]),
    ("aws_sns_topic", &[], &["name", "name_prefix", "display_name", "policy", "tags"]),
    ("aws_sns_topic_subscription", &["endpoint", "protocol", "topic_arn"], &["count", "filter_policy"]),
    (
        "aws_cloudwatch_log_group",
        &[],
        &["name", "name_prefix", "retention_in_days", "skip_destroy", "kms_key_id", "tags"],
    ),
    (
        "aws_cloudwatch_log_metric_filter",
        &["name", "pattern", "log_group_name", "metric_transformation"],
        &[],
    ),
    (
        "aws_cloudwatch_log_metric_filter.metric_transformation",
        &["name", "namespace", "value"],
        &["default_value", "dimensions", "unit"],
    ),
    (
        "aws_cloudwatch_metric_alarm",
        &["alarm_name", "comparison_operator", "evaluation_periods"],
        &[
            "threshold",
            "metric_name",
            "namespace",
            "period",
            "statistic",
            "dimensions",
            "alarm_description",
            "alarm_actions",
            "ok_actions",
            "treat_missing_data",
            "datapoints_to_alarm",
            "metric_query",
            "tags",
        ],
    ),
    (
        "aws_cloudwatch_metric_alarm.metric_query",
        &["id"],
        &["account_id", "expression", "label", "metric", "period", "return_data"],
    ),
    ("aws_cloudwatch_dashboard", &["dashboard_name", "dashboard_body"], &[]),
    ("variable", &[], &["type", "description", "default", "validation"]),
    ("variable.validation", &["condition", "error_message"], &[]),
];

/// What of a resource is a map of the user's own, and no block.
const MAPS: [&str; 2] = ["dimensions", "tags"];

fn stacks() -> Vec<(String, Stack)> {
    let mut stacks = Vec::new();
    for format in ["rule", "emf", "flat"] {
        for metrics in ["cpu memory disk temperature", "all"] {
            for devices in [vec![], vec!["pi-7".to_owned(), "pi 7".to_owned()]] {
                let set =
                    [format!("format={format}"), format!("metrics={metrics}"), "disk=/ /data".to_owned()];
                let name = format!("{format}, {metrics}, {} devices", devices.len());
                let known = Known { devices, ..Known::default() };
                let fleet = Fleet::load(Some("/dev/null".as_ref()), &set, &known).unwrap();
                stacks.push((name, Stack::new(&fleet)));
            }
        }
    }
    stacks
}

fn configuration(stack: &Stack) -> Value {
    serde_json::from_str(&terraform::json(stack)).unwrap()
}

/// Every resource: its type, its name, what stands in it.
fn resources(configuration: &Value) -> Vec<(&str, &str, &Map<String, Value>)> {
    let types = configuration["resource"].as_object().unwrap();
    let named = types.iter().flat_map(|(kind, named)| {
        named.as_object().unwrap().iter().map(move |(name, body)| (kind.as_str(), name.as_str(), body))
    });
    named.map(|(kind, name, body)| (kind, name, body.as_object().unwrap())).collect()
}

fn assert_documented(place: &str, body: &Map<String, Value>) {
    let found = DOCUMENTED.iter().find(|(name, ..)| *name == place);
    let (_, required, optional) = found.unwrap_or_else(|| panic!("{place} is not in the table"));
    for argument in *required {
        assert!(body.contains_key(*argument), "{place} has to have {argument}");
    }
    for (argument, value) in body {
        let is_known = required.contains(&argument.as_str()) || optional.contains(&argument.as_str());
        assert!(is_known, "{place} has no argument {argument}");
        let blocks = value.as_array().into_iter().flatten().filter_map(Value::as_object);
        for block in blocks.filter(|_| !MAPS.contains(&argument.as_str())) {
            assert_documented(&format!("{place}.{argument}"), block);
        }
    }
}

#[test]
fn every_argument_is_one_that_the_provider_documents() {
    for (name, stack) in stacks() {
        let configuration = configuration(&stack);
        let resources = resources(&configuration);
        assert!(resources.len() > 10, "{name}");
        for (kind, _, body) in resources {
            assert_documented(kind, body);
        }
    }
}

#[test]
fn a_variables_type_is_a_keyword_and_no_template() {
    for (name, stack) in stacks() {
        for (variable, body) in configuration(&stack)["variable"].as_object().unwrap() {
            let kind = if variable == "alarm_email" { "string" } else { "number" };
            assert_eq!(body["type"], kind, "{name}: {variable}");
            assert_documented("variable", body.as_object().unwrap());
        }
        assert!(terraform::hcl(&stack).contains("\n  type        = number\n"), "{name}");
    }
}

/// `batch_mode` of `cloudwatch_logs` came in the spring of 2024 (hashicorp/terraform-provider-aws, #36772).
#[test]
fn the_provider_is_one_that_knows_batches() {
    for (name, stack) in stacks() {
        let providers = &configuration(&stack)["terraform"]["required_providers"][0];
        assert_eq!(providers["aws"]["version"], ">= 5.60", "{name}");
    }
}

#[test]
fn an_alarm_is_on_a_metric_or_on_a_query() {
    for (name, stack) in stacks() {
        for (kind, id, body) in resources(&configuration(&stack)) {
            if kind == "aws_cloudwatch_metric_alarm" {
                let has = |argument: &str| body.contains_key(argument);
                let metric = ["metric_name", "namespace", "period", "statistic"].map(has);
                assert!(metric == [!has("metric_query"); 4], "{name}: {id}");
            }
        }
    }
}

/// `aws_iam_role.rule_role.arn` and the like, in all texts.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            for (start, _) in text.match_indices("${").filter(|(at, _)| !text[..*at].ends_with('$')) {
                let inside = &text[start + 2..];
                found.insert(inside[..inside.find('}').unwrap()].to_owned());
            }
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        Value::Object(entries) => entries.values().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn what_is_referred_to_is_there() {
    for (name, stack) in stacks() {
        let configuration = configuration(&stack);
        let mut found = BTreeSet::new();
        references(&configuration["resource"], &mut found);
        assert!(found.contains("aws_sns_topic.alarms.arn"), "{found:?}");
        for reference in found {
            let path: Vec<_> = reference.split([' ', '.']).collect();
            let target = match path[..] {
                ["var", variable, ..] => &configuration["variable"][variable],
                ["data", kind, name, _] => &configuration["data"][kind][name],
                [kind, name, "arn" | "id" | "name"] => &configuration["resource"][kind][name],
                _ => panic!("{reference}"),
            };
            assert!(target.is_object(), "{name}: {reference}");
        }
    }
}

#[test]
fn terraform_and_cloudformation_make_the_same_things() {
    const SAME: [(&str, &str); 11] = [
        ("AWS::IoT::ThingType", "aws_iot_thing_type"),
        ("AWS::IoT::Policy", "aws_iot_policy"),
        ("AWS::IoT::TopicRule", "aws_iot_topic_rule"),
        ("AWS::IAM::Role", "aws_iam_role"),
        ("AWS::SNS::Topic", "aws_sns_topic"),
        ("AWS::SNS::Subscription", "aws_sns_topic_subscription"),
        ("AWS::Logs::LogGroup", "aws_cloudwatch_log_group"),
        ("AWS::Logs::MetricFilter", "aws_cloudwatch_log_metric_filter"),
        ("AWS::CloudWatch::Alarm", "aws_cloudwatch_metric_alarm"),
        ("AWS::CloudWatch::Dashboard", "aws_cloudwatch_dashboard"),
        // Within the role, in CloudFormation.
        ("", "aws_iam_role_policy"),
    ];
    for (name, stack) in stacks() {
        let configuration = configuration(&stack);
        let template: Value = serde_json::from_str(&cloudformation::json_template(&stack)).unwrap();
        let templates = template["Resources"].as_object().unwrap();
        let resources = resources(&configuration);
        for (in_template, in_terraform) in SAME {
            let made = templates.values().filter(|resource| resource["Type"] == in_template).count();
            let also = resources.iter().filter(|(kind, ..)| *kind == in_terraform).count();
            assert!(
                in_template.is_empty() || made == also,
                "{name}: {made} {in_template}, {also} {in_terraform}"
            );
        }
        assert!(resources.iter().all(|(kind, ..)| SAME.iter().any(|(_, known)| kind == known)));
        assert!(templates.values().all(|it| SAME.iter().any(|(known, _)| it["Type"] == *known)));
    }
}
