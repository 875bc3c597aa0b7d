"""AWS IoT's rules engine, for the actions that the templates of `pivitals-cloud` use.

Follows the AWS IoT Core developer guide: "Rules for AWS IoT", "Reducing messaging costs with Basic Ingest",
"Error handling (error action)", "CloudWatch metrics" and "CloudWatch Logs" (actions), "AWS IoT metrics and
dimensions". It is strict where the emulated services behind it are not: what the real ones would refuse is
refused here, and ends in the error action.
"""

import base64
import json
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import Any

import cloudwatch
import emf
import filters
import iot_sql
import logs
from cloudwatch import Refused
from iam import Roles
from iot_sql import UNDEFINED, Message, SqlError, substitute, to_json

BASIC_INGEST = "$aws/rules/"
SQL_VERSION = "2016-03-23"
# Of a topic rule's payload, and of each action: all that is known here.
PAYLOAD_KEYS = {"sql", "actions", "errorAction", "awsIotSqlVersion", "ruleDisabled", "description"}
ACTION_KEYS = {
    "cloudwatchMetric": {
        "metricNamespace", "metricName", "metricValue", "metricUnit", "metricTimestamp", "roleArn",
    },
    "cloudwatchLogs": {"logGroupName", "roleArn", "batchMode"},
}  # fmt: skip
OPTIONAL_KEYS = {"metricTimestamp", "batchMode"}


def topic_matches(topic_filter: str, topic: str) -> bool:
    """MQTT's wildcards (MQTT 3.1.1, 4.7): `+` one level, `#` the rest; neither finds a topic with `$` first."""
    pattern, levels = topic_filter.split("/"), topic.split("/")
    if topic.startswith("$") and pattern[0] in ("+", "#"):
        return False
    for index, wanted in enumerate(pattern):
        if wanted == "#":
            return True
        if index >= len(levels) or wanted not in ("+", levels[index]):
            return False
    return len(pattern) == len(levels)


@dataclass
class Rule:
    """A topic rule as the IoT API gives it back."""

    name: str
    arn: str
    statement: iot_sql.Statement
    actions: list[dict[str, Any]]
    error_action: dict[str, Any] | None
    is_disabled: bool

    @classmethod
    def new(cls, name: str, arn: str, payload: dict[str, Any]) -> "Rule":
        """Checks what the API would check, and what it would not."""
        unknown = {key for key in payload if key not in PAYLOAD_KEYS | {"ruleName", "createdAt"}}
        if unknown or payload.get("awsIotSqlVersion") != SQL_VERSION:
            raise ValueError(f"{name}: unknown {unknown}, or another SQL version than {SQL_VERSION}")
        actions, error_action = payload["actions"], payload.get("errorAction")
        if not 1 <= len(actions) <= 10:
            raise ValueError(f"{name}: {len(actions)} actions")
        for action in [*actions, *filter(None, [error_action])]:
            check_action(name, action)
        statement = iot_sql.parse(payload["sql"])
        return cls(name, arn, statement, actions, error_action, payload.get("ruleDisabled", False))


def check_action(rule: str, action: dict[str, Any]) -> None:
    """One known kind, with its parameters and no others."""
    [(kind, parameters)] = action.items()
    known = ACTION_KEYS[kind]
    if not known - OPTIONAL_KEYS <= set(parameters) <= known:
        raise ValueError(f"{rule}: {kind} with {sorted(parameters)}")


class Engine:
    """The rules of an account. `counts` are the metrics of the namespace AWS/IoT, with their dimensions."""

    def __init__(self, session: Any, account: str) -> None:
        self.iot = session.client("iot")
        self.cloudwatch = session.client("cloudwatch")
        self.logs = session.client("logs")
        self.roles = Roles(session.client("iam"), account)
        self.account = account
        self.region = session.region_name
        self.rules: dict[str, Rule] = {}
        self.counts: Counter[tuple[str, frozenset[tuple[str, str]]]] = Counter()
        self.logs_counts: Counter[str] = Counter()
        self.load()

    def load(self) -> None:
        """Reads the rules that the IoT API has."""
        self.rules = {}
        for listed in self.iot.list_topic_rules()["rules"]:
            rule = self.iot.get_topic_rule(ruleName=listed["ruleName"])
            self.rules[listed["ruleName"]] = Rule.new(listed["ruleName"], rule["ruleArn"], rule["rule"])

    def count(self, metric: str, **dimensions: str) -> None:
        self.counts[metric, frozenset(dimensions.items())] += 1

    def counted(self, metric: str, **dimensions: str) -> int:
        """How often a metric was counted with exactly these dimensions."""
        return self.counts[metric, frozenset(dimensions.items())]

    def publish(self, topic: str, payload: bytes, client_id: str, now_millis: int | None = None) -> None:
        """Takes a message as the broker hands it over."""
        now_millis = int(time.time() * 1000) if now_millis is None else now_millis
        if topic.startswith(BASIC_INGEST):
            name, _, rest = topic.removeprefix(BASIC_INGEST).partition("/")
            rule = self.rules.get(name)
            if rule is None or rule.is_disabled:
                self.count("RuleNotFound", RuleName=name)
                return
            self.execute(rule, Message(rest, payload, client_id, now_millis))
            return
        for rule in self.rules.values():
            topic_filter = rule.statement.topic_filter
            if not rule.is_disabled and topic_filter is not None and topic_matches(topic_filter, topic):
                self.execute(rule, Message(topic, payload, client_id, now_millis))

    def execute(self, rule: Rule, message: Message) -> None:
        """Runs a rule's statement and its actions. An error of the statement is counted, and no more."""
        self.count("TopicMatch", RuleName=rule.name)
        try:
            selected = rule.statement.apply(message)
        except SqlError:
            self.count("ParseError", RuleName=rule.name)
            return
        if selected is UNDEFINED:
            return
        failures = []
        for action in rule.actions:
            [(kind, parameters)] = action.items()
            name = kind[0].upper() + kind[1:]
            try:
                getattr(self, f"do_{kind}")(rule, parameters, message, selected)
                self.count("Success", RuleName=rule.name, ActionType=name)
            except (Refused, SqlError) as error:
                self.count("Failure", RuleName=rule.name, ActionType=name)
                resource = parameters.get("metricName") or parameters.get("logGroupName") or str(parameters)
                failures.append(
                    {"failedAction": f"{name}Action", "failedResource": resource, "errorMessage": str(error)}
                )
        if failures:
            self.report(rule, message, failures)

    def report(self, rule: Rule, message: Message, failures: list[dict[str, str]]) -> None:
        """Gives the error action one message for all actions that failed."""
        if rule.error_action is None:
            return
        [(kind, parameters)] = rule.error_action.items()
        document = {
            "ruleName": rule.name,
            "topic": message.topic,
            "cloudwatchTraceId": str(uuid.uuid4()),
            "clientId": message.client_id,
            "base64OriginalPayload": base64.b64encode(message.payload).decode(),
            "failures": failures,
        }
        try:
            getattr(self, f"do_{kind}")(rule, parameters, message, document)
            self.count("ErrorActionSuccess", RuleName=rule.name)
        except (Refused, SqlError):
            self.count("ErrorActionFailure", RuleName=rule.name)

    def authorize(self, rule: Rule, role_arn: str, action: str, resource: str, **context: str) -> None:
        refusal = self.roles.refusal(role_arn, rule.arn, action, resource, **context)
        if refusal is not None:
            raise Refused(refusal)

    def do_cloudwatchMetric(self, rule: Rule, parameters: dict[str, str], message: Message, _: Any) -> None:
        given = {key: substitute(text, message) for key, text in parameters.items() if key != "roleArn"}
        millis = message.arrived_millis // 1000 * 1000
        if "metricTimestamp" in given:
            if not given["metricTimestamp"].isascii() or not given["metricTimestamp"].isdigit():
                raise Refused(f"the timestamp {given['metricTimestamp']!r} is not in whole seconds")
            millis = int(given["metricTimestamp"]) * 1000
        value = cloudwatch.number(given["metricValue"])
        datum = cloudwatch.datum(given["metricName"], value, given["metricUnit"], millis, message.arrived_millis)
        namespace = given["metricNamespace"]
        self.authorize(
            rule, parameters["roleArn"], "cloudwatch:PutMetricData", "*", **{"cloudwatch:namespace": namespace}
        )
        cloudwatch.put(self.cloudwatch, namespace, [datum])

    def do_cloudwatchLogs(self, rule: Rule, parameters: dict[str, Any], message: Message, selected: Any) -> None:
        group = parameters["logGroupName"]
        events = [{"timestamp": message.arrived_millis, "message": to_json(selected)}]
        if parameters.get("batchMode", False):
            events = selected
        arn = f"arn:aws:logs:{self.region}:{self.account}:log-group:{group}"
        stream = f"{rule.name}-{message.client_id}"
        self.authorize(rule, parameters["roleArn"], "logs:DescribeLogStreams", f"{arn}:log-stream:")
        self.authorize(rule, parameters["roleArn"], "logs:CreateLogStream", f"{arn}:log-stream:{stream}")
        self.authorize(rule, parameters["roleArn"], "logs:PutLogEvents", f"{arn}:log-stream:{stream}")
        events = logs.check_batch(events, message.arrived_millis, logs.retention_days(self.logs, group))
        logs.put(self.logs, group, stream, events)
        self.make_metrics(group, events, message.arrived_millis)

    def make_metrics(self, group: str, events: list[dict[str, Any]], now_millis: int) -> None:
        """What CloudWatch Logs makes of new events: by their embedded metrics, and by the group's filters."""
        extraction = emf.Extraction()
        for event in events:
            extraction.add(event["message"], now_millis)
        self.logs_counts.update(extraction.errors)
        data = extraction.data
        for metric_filter in self.logs.describe_metric_filters(logGroupName=group)["metricFilters"]:
            for event in events:
                for namespace, datum in filters.metrics(metric_filter, event, now_millis):
                    data.setdefault(namespace, []).append(datum)
        for namespace, found in data.items():
            cloudwatch.put(self.cloudwatch, namespace, found)


def error_messages(client: Any, group: str) -> list[dict[str, Any]]:
    """What the error action has left in its log group, in order."""
    return [json.loads(event["message"]) for event in client.filter_log_events(logGroupName=group)["events"]]
