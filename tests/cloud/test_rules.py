"""What the rule of each format makes of a message, and of one that is wrong.

An error of an action ends in the error action's log group, told in AWS's form; an error of the payload in a
metric alone.
"""

import base64
import json
import time
import unittest

import cloudwatch
import logs
from support import DEVICE, NAMESPACE, RULE, TOPIC, Cloud

DAY = 86_400


def now() -> int:
    return int(time.time())


def rule_payload(**changes) -> bytes:
    """A message in format `rule`; a change to None takes the key away."""
    payload = {"name": f"cpu usage ({DEVICE})", "unit": "Percent", "value": 12.3, "timestamp": now()} | changes
    return json.dumps({key: value for key, value in payload.items() if value is not None}).encode()


def emf_event(secs: int, value=48.3, unit="None", declared=("cpu_temperature",), **fields) -> dict:
    """An event in format `emf`."""
    metrics = [{"Name": name, "Unit": unit} for name in declared]
    directive = {"Namespace": NAMESPACE, "Dimensions": [["device"]], "Metrics": metrics}
    document = {"_aws": {"Timestamp": secs * 1000, "CloudWatchMetrics": [directive]}, "device": DEVICE}
    document |= {"cpu_temperature": value, **fields}
    return {"timestamp": secs * 1000, "message": json.dumps(document)}


def batch(*events: dict) -> bytes:
    return json.dumps({"batch": events}).encode()


class Strict(unittest.TestCase):
    """What all formats have in common."""

    cloud: Cloud

    def assert_fails(self, payload: bytes, words: str, topic: str = TOPIC) -> None:
        """The message ends in the error action, for this reason, and in no metric."""
        metrics, errors = self.cloud.metrics(), len(self.cloud.errors())
        self.cloud.engine.publish(topic, payload, DEVICE)
        self.assertEqual(self.cloud.metrics(), metrics)
        [error] = self.cloud.errors()[errors:]
        self.assertEqual(
            list(error), ["ruleName", "topic", "cloudwatchTraceId", "clientId", "base64OriginalPayload", "failures"]
        )
        self.assertEqual((error["ruleName"], error["topic"], error["clientId"]), (RULE, TOPIC, DEVICE))
        self.assertEqual(base64.b64decode(error["base64OriginalPayload"]), payload)
        [failure] = error["failures"]
        self.assertEqual(list(failure), ["failedAction", "failedResource", "errorMessage"])
        self.assertIn(words, failure["errorMessage"])

    def assert_arrives(self, payload: bytes, name: str, unit: str, expected: list[tuple[int, float]], **dimensions):
        """The message ends in this metric, and in no error."""
        errors = len(self.cloud.errors())
        self.cloud.engine.publish(TOPIC, payload, DEVICE)
        self.assertEqual(self.cloud.errors()[errors:], [])
        window = (now() - 14 * DAY, now() + 7200)
        client = self.cloud.client("cloudwatch")
        found = cloudwatch.get(client, NAMESPACE, name, unit, window, 3600, **dimensions)
        self.assertEqual([(secs, value) for secs, value, _ in found], [(s // 3600 * 3600, v) for s, v in expected])

    def assert_unauthorized(self, payload: bytes, action: str) -> None:
        """The rule's role without rights: the error action, which has a role of its own, is told."""
        iam = self.cloud.client("iam")
        role = self.cloud.stack.physical["RuleRole"]
        [name] = iam.list_role_policies(RoleName=role)["PolicyNames"]
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        iam.delete_role_policy(RoleName=role, PolicyName=name)
        self.assert_fails(payload, f"is not authorized to perform {action}")
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))
        for old, new in [
            ("iot.amazonaws.com", "ec2.amazonaws.com"),
            (f"rule/{RULE}", "rule/other"),
            ("12345", "99999"),
        ]:
            changed = json.dumps(trust).replace(old, new)
            self.assertNotEqual(json.loads(changed), trust, old)
            iam.update_assume_role_policy(RoleName=role, PolicyDocument=changed)
            self.assert_fails(payload, "AWS IoT may not assume the role")
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))


class Rule(Strict):
    """Format `rule`."""

    def setUp(self):
        self.cloud = self.enterContext(Cloud("format = rule\n"))

    def test_a_message_is_a_metric_with_its_own_time(self):
        then = now() - 3 * DAY
        self.assert_arrives(rule_payload(timestamp=then), f"cpu usage ({DEVICE})", "Percent", [(then, 12.3)])
        self.assert_arrives(rule_payload(name="x", value="48.3", unit="None"), "x", "None", [(now(), 48.3)])

    def test_a_wrong_unit_ends_in_the_error_action(self):
        for unit in ["Celsius", "percent", "°C", "", "%", 7]:
            self.assert_fails(rule_payload(unit=unit), "is none of the 27")

    def test_a_time_that_is_late_or_early_or_in_milliseconds_ends_in_the_error_action(self):
        for timestamp in [now() - 14 * DAY - 60, 0]:
            self.assert_fails(rule_payload(timestamp=timestamp), "within the past two weeks")
        for timestamp in [now() + 7260, now() * 1000]:
            self.assert_fails(rule_payload(timestamp=timestamp), "more than two hours in the future")
        for timestamp in ["", "now", -1, 1.5]:
            self.assert_fails(rule_payload(timestamp=timestamp), "is not in whole seconds")

    def test_a_missing_field_ends_in_the_error_action(self):
        for field in ["name", "unit", "value", "timestamp"]:
            self.assert_fails(rule_payload(**{field: None}), f"${{{field}}} is undefined")

    def test_a_value_that_is_no_number_ends_in_the_error_action(self):
        for value in ["", "warm", "NaN", "Infinity", True, {"a": 1}, "0x10", "1_0"]:
            self.assert_fails(rule_payload(value=value), "is no number")
        self.assert_fails(rule_payload(value="1e400"), "is out of range")

    def test_a_role_without_rights_ends_in_the_error_action(self):
        self.assert_unauthorized(rule_payload(), "cloudwatch:PutMetricData")

    def test_the_role_may_write_into_its_namespace_alone(self):
        cloud, [action] = self.cloud, self.cloud.rule().actions
        action["cloudwatchMetric"]["metricNamespace"] = "Other"
        self.assert_fails(rule_payload(), "is not authorized to perform cloudwatch:PutMetricData")
        self.assertEqual(cloud.metrics("Other"), [])

    def test_what_is_no_json_is_counted_and_the_error_action_is_not_told(self):
        for payload in [b"", b"12.3 %", rule_payload()[:-1], b'{"value": NaN}']:
            parse_errors = self.cloud.counted("ParseError")
            self.cloud.engine.publish(TOPIC, payload, DEVICE)
            self.assertEqual(self.cloud.counted("ParseError"), parse_errors + 1, payload)
        self.assertEqual((self.cloud.errors(), self.cloud.metrics()), ([], []))

    def test_other_topics_are_none_of_the_rules_business(self):
        for topic in ["pivitals/metrics", "pivitals/pi-7/metrics/x", "pivitals/pi-7/status", "$aws/rules"]:
            self.cloud.engine.publish(topic, rule_payload(), DEVICE)
        self.assertEqual((self.cloud.counted("TopicMatch"), self.cloud.metrics()), (0, []))
        self.cloud.engine.publish("pivitals/pi-8/metrics", rule_payload(), "pi-8")
        self.assertEqual(self.cloud.counted("TopicMatch"), 1)

    def test_basic_ingest_calls_the_rule_that_it_names_whatever_that_selects_from(self):
        self.assert_fails(rule_payload(unit="x"), "none of the 27", f"$aws/rules/{RULE}/{TOPIC}")
        self.cloud.engine.publish(f"$aws/rules/{RULE}/some/where/else", rule_payload(), DEVICE)
        self.assertEqual(len(self.cloud.metrics()), 1)
        self.cloud.engine.publish(f"$aws/rules/{RULE}s/{TOPIC}", rule_payload(name="other"), DEVICE)
        self.assertEqual(len(self.cloud.metrics()), 1)
        self.assertEqual(self.cloud.engine.counted("RuleNotFound", RuleName=f"{RULE}s"), 1)

    def test_a_disabled_rule_does_nothing(self):
        self.cloud.client("iot").disable_topic_rule(ruleName=RULE)
        self.cloud.engine.load()
        for topic in [TOPIC, f"$aws/rules/{RULE}/{TOPIC}"]:
            self.cloud.engine.publish(topic, rule_payload(), DEVICE)
        self.assertEqual((self.cloud.metrics(), self.cloud.counted("RuleNotFound")), ([], 1))

    def test_an_error_action_that_fails_itself_is_counted(self):
        role = self.cloud.stack.physical["ErrorRole"]
        [name] = self.cloud.client("iam").list_role_policies(RoleName=role)["PolicyNames"]
        self.cloud.client("iam").delete_role_policy(RoleName=role, PolicyName=name)
        self.cloud.engine.publish(TOPIC, rule_payload(unit="x"), DEVICE)
        self.assertEqual(self.cloud.errors(), [])
        self.assertEqual((self.cloud.counted("ErrorActionFailure"), self.cloud.counted("ErrorActionSuccess")), (1, 0))


class Emf(Strict):
    """Format `emf`."""

    def setUp(self):
        self.cloud = self.enterContext(Cloud("format = emf\n"))

    def test_each_event_of_a_batch_is_a_metric_with_its_own_time(self):
        times = [now() - DAY + 60, now() - 7200, now()]
        events = [emf_event(secs, value=40.0 + index) for index, secs in enumerate(times)]
        expected = [(secs, 40.0 + index) for index, secs in enumerate(times)]
        self.assert_arrives(batch(*events), "cpu_temperature", "None", expected, device=DEVICE)
        group = self.cloud.rule().actions[0]["cloudwatchLogs"]["logGroupName"]
        stored = self.cloud.client("logs").filter_log_events(logGroupName=group)["events"]
        self.assertEqual([event["message"] for event in stored], [event["message"] for event in events])

    def test_a_batch_out_of_order_ends_in_the_error_action(self):
        self.assert_fails(batch(emf_event(now()), emf_event(now() - 1)), "chronological order")

    def test_a_batch_of_a_day_ends_in_the_error_action(self):
        self.assert_fails(batch(emf_event(now() - DAY), emf_event(now())), "more than 24 hours")

    def test_events_that_are_too_old_or_too_new_end_in_the_error_action(self):
        self.assert_fails(batch(emf_event(now() - 14 * DAY - 60)), "within the past two weeks")
        self.assert_fails(batch(emf_event(now() + 7260)), "more than two hours in the future")

    def test_events_that_the_log_group_would_not_keep_end_in_the_error_action(self):
        self.assert_arrives(
            batch(emf_event(now() - 2 * DAY)), "cpu_temperature", "None", [(now() - 2 * DAY, 48.3)], device=DEVICE
        )
        group = self.cloud.rule().actions[0]["cloudwatchLogs"]["logGroupName"]
        self.cloud.client("logs").put_retention_policy(logGroupName=group, retentionInDays=1)
        self.assert_fails(batch(emf_event(now() - 2 * DAY)), "retention of 1 days")

    def test_a_batch_that_is_none_ends_in_the_error_action(self):
        event = emf_event(now())
        for events in [[], {}, "x", None]:
            self.assert_fails(json.dumps({"batch": events}).encode(), "a list of events")
        for wrong in [event | {"timestamp": "now"}, event | {"message": {}}, event | {"message": ""}]:
            self.assert_fails(batch(wrong), "a message a text")
        self.assert_fails(batch(event | {"more": 1}), "and nothing else")
        # More than the broker takes in one message, so that the rule cannot meet it.
        for events, words in [([event] * 10_001, "10001 events"), ([event | {"message": "x" * 262_144}], "262170")]:
            with self.assertRaisesRegex(cloudwatch.Refused, words):
                logs.check_batch(events, now() * 1000, None)

    def test_a_message_without_a_batch_is_none_of_the_actions_business(self):
        self.cloud.engine.publish(TOPIC, b'{"bach": []}', DEVICE)
        self.assertEqual((self.cloud.errors(), self.cloud.metrics()), ([], []))

    def test_a_role_without_rights_ends_in_the_error_action(self):
        self.assert_unauthorized(batch(emf_event(now())), "logs:DescribeLogStreams")

    def test_a_log_group_that_is_not_there_ends_in_the_error_action(self):
        group = self.cloud.rule().actions[0]["cloudwatchLogs"]["logGroupName"]
        self.cloud.client("logs").delete_log_group(logGroupName=group)
        self.assert_fails(batch(emf_event(now())), "does not exist")

    def test_what_does_not_keep_to_the_format_is_a_log_event_without_metrics_and_is_counted(self):
        metadata = {"Timestamp": now() * 1000, "CloudWatchMetrics": []}
        wrong = [
            emf_event(now(), value="48.3"),
            emf_event(now(), value=None),
            emf_event(now(), value=True),
            emf_event(now(), unit="Celsius"),
            emf_event(now(), declared=("cpu_usage",)),
            emf_event(now(), device=7),
            emf_event(now(), device=""),
            {"timestamp": now() * 1000, "message": json.dumps({"_aws": metadata, "device": DEVICE})},
            {"timestamp": now() * 1000, "message": json.dumps({"_aws": 7, "device": DEVICE})},
        ]
        for number, event in enumerate(wrong, 1):
            self.cloud.engine.publish(TOPIC, batch(event), DEVICE)
            self.assertEqual(self.cloud.engine.logs_counts["EMFValidationErrors"], number, event)
        self.assertEqual((self.cloud.metrics(), self.cloud.errors()), ([], []))

    def test_a_field_that_is_not_declared_is_no_metric(self):
        self.cloud.engine.publish(TOPIC, batch(emf_event(now(), cpu_usage=12.3)), DEVICE)
        self.assertEqual([metric["MetricName"] for metric in self.cloud.metrics()], ["cpu_temperature"])
        self.assertEqual(self.cloud.engine.logs_counts.total(), 0)

    def test_a_log_line_is_no_metric_and_no_error_but_broken_json_is(self):
        for text, errors in [("hello", 0), ('{"a": 1}', 0), ('{"_aws": {', 1)]:
            self.cloud.engine.publish(TOPIC, batch({"timestamp": now() * 1000, "message": text}), DEVICE)
            self.assertEqual(self.cloud.engine.logs_counts["EMFParsingErrors"], errors, text)
        self.assertEqual(self.cloud.metrics(), [])


class Flat(Strict):
    """Format `flat`."""

    def setUp(self):
        self.cloud = self.enterContext(Cloud("format = flat\n"))

    @staticmethod
    def payload(**changes) -> bytes:
        document = {"label": DEVICE, "timestamp": now(), "cpu_percent": 12.3, "temperature_celsius": None}
        return json.dumps(document | changes).encode()

    def test_a_message_is_a_metric_a_key_dated_by_its_arrival(self):
        payload = self.payload(timestamp=now() - DAY)
        self.assert_arrives(payload, "cpu_usage", "Percent", [(now(), 12.3)], device=DEVICE)

    def test_null_and_what_is_no_number_are_no_metric_and_no_zero(self):
        self.cloud.engine.publish(TOPIC, self.payload(cpu_percent="12.3"), DEVICE)
        self.assertEqual((self.cloud.metrics(), self.cloud.errors()), ([], []))
        self.cloud.engine.publish(TOPIC, self.payload(cpu_percent=-1, temperature_celsius=0.0), DEVICE)
        names = {metric["MetricName"] for metric in self.cloud.metrics()}
        self.assertEqual(names, {"cpu_usage", "cpu_temperature"})

    def test_a_message_without_a_label_is_no_metric(self):
        self.cloud.engine.publish(TOPIC, self.payload(label=None), DEVICE)
        self.assertEqual(self.cloud.metrics(), [])

    def test_a_role_without_rights_ends_in_the_error_action(self):
        self.assert_unauthorized(self.payload(), "logs:DescribeLogStreams")
