//! What is in a stack: what each format needs, and nothing more.

use std::collections::BTreeSet;

use pivitals_cloud::cloudformation;
use pivitals_cloud::fleet::{Fleet, Known};
use pivitals_cloud::policy::{self, Place};
use pivitals_cloud::stack::Stack;
use serde_json::{Value, json};

const FORMATS: [&str; 3] = ["rule", "emf", "flat"];

fn fleet(set: &[&str], devices: &[&str]) -> Fleet {
    let set: Vec<_> = set.iter().map(|&set| set.to_owned()).collect();
    let devices = devices.iter().map(|&device| device.to_owned()).collect();
    Fleet::load(Some("/dev/null".as_ref()), &set, &Known { devices, ..Known::default() }).unwrap()
}

fn template(set: &[&str], devices: &[&str]) -> Value {
    let stack = Stack::new(&fleet(set, devices));
    serde_json::from_str(&cloudformation::json_template(&stack)).unwrap()
}

/// The properties of all resources of a type.
fn properties<'a>(template: &'a Value, kind: &str) -> Vec<&'a Value> {
    let resources = template["Resources"].as_object().unwrap().values();
    resources.filter(|resource| resource["Type"] == kind).map(|resource| &resource["Properties"]).collect()
}

fn rule(template: &Value) -> &Value {
    &properties(template, "AWS::IoT::TopicRule")[0]["TopicRulePayload"]
}

/// The alarms' names, without the rule's before them.
fn alarms(template: &Value) -> BTreeSet<&str> {
    let alarms = properties(template, "AWS::CloudWatch::Alarm");
    alarms.iter().map(|alarm| alarm["AlarmName"].as_str().unwrap().split_once(": ").unwrap().1).collect()
}

fn dashboard(template: &Value) -> Value {
    let body =
        properties(template, "AWS::CloudWatch::Dashboard")[0]["DashboardBody"]["Fn::Sub"].as_str().unwrap();
    serde_json::from_str(body).unwrap()
}

#[test]
fn a_message_of_format_rule_becomes_a_metric_with_its_own_time() {
    let template = template(&[], &[]);
    let action = json!({"CloudwatchMetric": {
        "MetricNamespace": "PiVitals",
        "MetricName": "${name}",
        "MetricUnit": "${unit}",
        "MetricValue": "${value}",
        "MetricTimestamp": "${timestamp}",
        "RoleArn": {"Fn::GetAtt": ["RuleRole", "Arn"]},
    }});
    assert_eq!(rule(&template)["Actions"], json!([action]));
    assert_eq!(rule(&template)["Sql"], "SELECT * FROM 'pivitals/+/metrics'");
}

#[test]
fn a_message_of_format_emf_becomes_a_batch_of_events() {
    let template = template(&["format=emf"], &[]);
    let action = json!({"CloudwatchLogs": {
        "LogGroupName": {"Ref": "Samples"},
        "RoleArn": {"Fn::GetAtt": ["RuleRole", "Arn"]},
        "BatchMode": true,
    }});
    assert_eq!(rule(&template)["Actions"], json!([action]));
    assert_eq!(rule(&template)["Sql"], "SELECT VALUE *.batch FROM 'pivitals/+/metrics'");
}

#[test]
fn a_message_of_format_flat_becomes_an_event_and_filters_make_metrics_with_the_device_of_it() {
    let template = template(&["format=flat", "metrics=cpu wifi_signal"], &[]);
    assert_eq!(rule(&template)["Sql"], "SELECT * FROM 'pivitals/+/metrics'");
    assert!(rule(&template)["Actions"][0]["CloudwatchLogs"]["BatchMode"].is_null());
    let filters = properties(&template, "AWS::Logs::MetricFilter");
    assert_eq!(filters.len(), 2);
    assert_eq!(filters[1]["FilterPattern"], "{ $.wifi_signal_dbm >= 0 || $.wifi_signal_dbm < 0 }");
    let transformation = json!([{
        "MetricNamespace": "PiVitals",
        "MetricName": "wifi_signal",
        "MetricValue": "$.wifi_signal_dbm",
        "Unit": "None",
        "Dimensions": [{"Key": "device", "Value": "$.label"}],
    }]);
    assert_eq!(filters[1]["MetricTransformations"], transformation);
}

#[test]
fn errors_go_to_a_log_group_of_their_own_with_a_role_of_their_own() {
    for format in FORMATS {
        let template = template(&[&format!("format={format}")], &[]);
        let action = json!({"CloudwatchLogs": {
            "LogGroupName": {"Ref": "Errors"},
            "RoleArn": {"Fn::GetAtt": ["ErrorRole", "Arn"]},
        }});
        assert_eq!(rule(&template)["ErrorAction"], action, "{format}");
        assert_eq!(rule(&template)["RuleDisabled"], false);
    }
}

#[test]
fn a_role_is_for_the_one_rule_and_may_do_the_one_thing() {
    let arn = |resource: &str| json!({"Fn::Sub": format!("arn:${{AWS::Partition}}:{resource}")});
    let metrics = json!({
        "Effect": "Allow",
        "Action": "cloudwatch:PutMetricData",
        "Resource": "*",
        "Condition": {"StringEquals": {"cloudwatch:namespace": "PiVitals"}},
    });
    let events = |group: &str| {
        json!({
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            "Resource": arn(&format!("logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:{group}:*")),
        })
    };
    for format in FORMATS {
        let template = template(&[&format!("format={format}"), "rule=pi"], &[]);
        let own = if format == "rule" { metrics.clone() } else { events("/pivitals/pi") };
        for (role, allowed) in [("RuleRole", own), ("ErrorRole", events("/pivitals/pi/errors"))] {
            let role = &template["Resources"][role]["Properties"];
            assert_eq!(role["Policies"][0]["PolicyDocument"]["Statement"], json!([allowed]), "{format}");
            let condition = json!({
                "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
                "ArnLike": {"aws:SourceArn": arn("iot:${AWS::Region}:${AWS::AccountId}:rule/pi")},
            });
            assert_eq!(role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"], condition);
            assert_eq!(role["Policies"].as_array().unwrap().len(), 1);
        }
        assert_eq!(properties(&template, "AWS::IAM::Role").len(), 2);
    }
}

#[test]
fn limits_are_of_the_devices_that_are_named_or_where_devices_are_a_dimension_of_all() {
    let rules = ["its action fails", "messages are no JSON", "it is throttled", "nothing arrives"];
    let with = |more: &[&'static str]| rules.iter().chain(more).copied().collect::<BTreeSet<_>>();
    let set = "metrics=cpu temperature disk throttled";
    assert_eq!(alarms(&template(&[set], &[])), with(&[]));
    let of_pi_7 =
        ["pi-7 is silent", "cpu temperature of pi-7", "disk usage / of pi-7", "under-voltage now of pi-7"];
    assert_eq!(alarms(&template(&[set], &["pi-7"])), with(&of_pi_7));
    assert_eq!(alarms(&template(&[set, "label=pi-7"], &[])), with(&of_pi_7));
    let of_any =
        ["cpu temperature of any device", "disk usage / of any device", "under-voltage now of any device"];
    for format in ["format=emf", "format=flat"] {
        assert_eq!(alarms(&template(&[set, format], &[])), with(&of_any));
        assert_eq!(
            alarms(&template(&[set, format], &["pi-7"])),
            with(&[&of_any[..], &["pi-7 is silent"]].concat())
        );
    }
}

#[test]
fn the_limits_of_a_fleet_are_of_one_metric_that_is_none_of_the_devices() {
    for (format, key) in [("format=emf", "cpu_temperature"), ("format=flat", "temperature_celsius")] {
        let template = template(&[format, "metrics=temperature"], &[]);
        let filter = &template["Resources"]["MetricTemperatureOfAny"]["Properties"];
        let transformation = json!([{
            "MetricNamespace": "PiVitals/Fleet",
            "MetricName": "cpu_temperature",
            "MetricValue": format!("$.{key}"),
            "Unit": "None",
        }]);
        assert_eq!(filter["MetricTransformations"], transformation);
        let alarm = &template["Resources"]["TemperatureOfAny"]["Properties"];
        let watched = ["Namespace", "MetricName", "Statistic", "ComparisonOperator"]
            .map(|key| alarm[key].as_str().unwrap());
        assert_eq!(
            watched,
            ["PiVitals/Fleet", "cpu_temperature", "Maximum", "GreaterThanOrEqualToThreshold"]
        );
        assert_eq!(alarm["Threshold"], json!({"Ref": "TemperatureLimit"}));
    }
}

#[test]
fn silence_is_five_intervals_without_a_sample() {
    for (interval, period, periods) in [(60, 60, 5), (10, 60, 1), (900, 900, 5)] {
        for format in FORMATS {
            let set = [format!("interval={interval}"), format!("format={format}")];
            let template = template(&set.each_ref().map(String::as_str), &["pi-7"]);
            let silent = &template["Resources"]["DevicePi7NoData"]["Properties"];
            assert_eq!((&silent["Period"], &silent["EvaluationPeriods"]), (&json!(period), &json!(periods)));
            assert_eq!((&silent["Statistic"], &silent["Threshold"]), (&json!("SampleCount"), &json!(1)));
            assert_eq!(silent["TreatMissingData"], "breaching");
            let (name, dimensions) = match format {
                "rule" => ("cpu usage (pi-7)", Value::Null),
                _ => ("cpu_usage", json!([{"Name": "device", "Value": "pi-7"}])),
            };
            assert_eq!(
                (&silent["MetricName"], &silent["Dimensions"]),
                (&json!(name), &dimensions),
                "{format}"
            );
        }
    }
}

#[test]
fn every_alarm_is_told_when_it_comes_and_when_it_goes() {
    let template = template(&["metrics=all", "format=emf"], &["pi-7"]);
    for alarm in properties(&template, "AWS::CloudWatch::Alarm") {
        let topic = json!([{"Ref": "Alarms"}]);
        assert_eq!((&alarm["AlarmActions"], &alarm["OKActions"]), (&topic, &topic));
    }
}

#[test]
fn a_parameter_is_there_where_it_is_used() {
    let names = |set: &[&str], devices: &[&str]| -> Vec<String> {
        template(set, devices)["Parameters"].as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(names(&["metrics=cpu"], &["pi-7"]), ["AlarmEmail", "RetentionDays"]);
    let all = ["AlarmEmail", "DiskLimit", "RetentionDays", "TemperatureLimit"];
    assert_eq!(names(&[], &["pi-7"]), all);
    assert_eq!(names(&["format=emf"], &[]), all);
}

#[test]
fn the_dashboard_has_a_graph_a_metric_and_a_table_of_devices() {
    for format in FORMATS {
        for devices in [&[][..], &["pi-7"]] {
            let set = ["metrics=all", &format!("format={format}"), "disk=/ /data"];
            let body = dashboard(&template(&set, devices));
            let widgets = body["widgets"].as_array().unwrap();
            let titles = |view: &str| -> Vec<_> {
                let shown = widgets.iter().filter(|widget| widget["properties"]["view"] == view);
                shown.map(|widget| widget["properties"]["title"].as_str().unwrap().to_owned()).collect()
            };
            let series: Vec<_> = fleet(&set, devices).series.iter().map(ToString::to_string).collect();
            assert_eq!(titles("timeSeries")[1..], series);
            assert!(titles("table")[0].starts_with("Devices"), "{format}");
            let number = |widget: &Value, key: &str| widget[key].as_u64().unwrap();
            let mut cells = BTreeSet::new();
            for widget in widgets {
                assert!(number(widget, "x") + number(widget, "width") <= 24);
                for x in 0..number(widget, "width") {
                    for y in 0..number(widget, "height") {
                        assert!(cells.insert((number(widget, "x") + x, number(widget, "y") + y)), "{widget}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_search_for_a_metric_finds_no_other() {
    let body = dashboard(&template(&["disk=/ /data", "metrics=disk throttled"], &[]));
    let expression = |title: &str| {
        let widgets = body["widgets"].as_array().unwrap();
        let widget = widgets.iter().find(|widget| widget["properties"]["title"] == title).unwrap();
        widget["properties"]["metrics"][0][0]["expression"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        expression("disk usage /"),
        "SEARCH('{PiVitals} MetricName=disk MetricName=usage NOT MetricName=data', 'Average', 60)"
    );
    assert_eq!(
        expression("throttled now"),
        "SEARCH('{PiVitals} MetricName=throttled MetricName=now', 'Average', 60)"
    );
}

#[test]
fn a_policy_that_has_no_room_for_all_topics_is_several() {
    let fleet = fleet(&["metrics=all", "topic=a/fleet/of/devices/{client_id}/{metric}"], &[]);
    let groups = policy::groups(&fleet);
    assert!(groups.len() > 1);
    assert_eq!(groups.concat(), fleet.topics, "each topic in one of them");
    for topics in groups {
        let document = policy::device(topics, &Place::of(Some("ap-southeast-1"), Some("123456789012")));
        assert!(policy::characters(&document) <= policy::LEN_MAX);
    }
}

#[test]
fn attributes_that_a_topic_needs_are_said_and_can_be_searched() {
    let stack = Stack::new(&fleet(&["topic={serial}/{client_id}"], &[]));
    assert!(cloudformation::yaml(&stack).contains("attribute serial"));
    let template: Value = serde_json::from_str(&cloudformation::json_template(&stack)).unwrap();
    let thing_type = properties(&template, "AWS::IoT::ThingType")[0];
    assert_eq!(thing_type["ThingTypeProperties"]["SearchableAttributes"], json!(["serial"]));
}
