"""The template of each format, really created: every resource is there, and is what the template says."""

import json
import re
import tempfile
import unittest
from pathlib import Path

import dashboards
import template
from boards import Board, Living
from support import ACCOUNT, DEVICE, FLEET, NAMESPACE, REGION, TOPIC, Cloud, printed

FORMATS = [f"format = {name}\n{ingest}" for name in ("rule", "emf", "flat") for ingest in ("", "rule = fleet_1\n")]
# All that a Pi 4 without firmware and eMMC can measure with its first sample.
MEASURED = (
    "metrics = cpu memory disk temperature load uptime swap network disk_io pressure wifi_signal readonly_root "
    "oom_kills processes\ndisk = / /proc\n"
)
# Its interfaces and disks.
THINGS = ("--interface", "eth0", "--interface", "wlan0", "--drive", "mmcblk0", "--drive", "sda")


class Template(unittest.TestCase):
    def test_every_resource_is_there_and_is_what_the_template_says(self):
        for way in FORMATS:
            with self.subTest(way), Cloud(way + "metrics = all\n", AlarmEmail="a@example.com") as cloud:
                self.check_rule(cloud, "fleet_1" if "fleet_1" in way else NAMESPACE)
                self.check_alarms(cloud)
                self.check_roles(cloud)
                self.check_registry(cloud)
                self.check_logs(cloud)
                self.check_topic(cloud)

    def test_nobody_is_subscribed_whose_address_is_not_given(self):
        with Cloud("format = emf\n") as cloud:
            self.assertEqual(cloud.client("sns").list_subscriptions()["Subscriptions"], [])

    def test_every_alarm_and_every_graph_finds_its_metric_and_every_metric_its_graph(self):
        for way in FORMATS:
            with self.subTest(way), Cloud(way + MEASURED, *THINGS) as cloud:
                for payload in self.payloads(cloud.config):
                    cloud.engine.publish(
                        TOPIC if "fleet_1" not in way else f"$aws/rules/fleet_1/{TOPIC}", payload, DEVICE
                    )
                self.assertEqual(cloud.errors(), [])
                self.check_what_is_looked_at(cloud)

    def test_a_graph_of_another_name_finds_nothing(self):
        metrics = {("PiVitals", "cpu_usage", frozenset({("device", DEVICE)}))}
        for search, expected in [
            ("SEARCH('{PiVitals,device} MetricName=\"cpu_usage\"', 'Average', 60)", metrics),
            ("SEARCH('{PiVitals,device} MetricName=\"cpu usage\"', 'Average', 60)", set()),
            ("SEARCH('{PiVitals,thing} MetricName=\"cpu_usage\"', 'Average', 60)", set()),
            ("SEARCH('{Vitals,device} MetricName=\"cpu_usage\"', 'Average', 60)", set()),
            ("SEARCH('{PiVitals} MetricName=cpu NOT MetricName=usage', 'Average', 60)", set()),
            ("SEARCH('{PiVitals} MetricName=cpu NOT MetricName=load', 'Average', 60)", metrics),
        ]:
            self.assertEqual(dashboards.search(search, metrics), expected, search)
        for query, expected in [
            ('SELECT MAX("cpu_usage") FROM SCHEMA("PiVitals", device) GROUP BY device ORDER BY MAX() DESC', metrics),
            ('SELECT MAX("cpu_usage") FROM "PiVitals" WHERE device = \'pi-7\'', metrics),
            ('SELECT MAX("cpu_usage") FROM "PiVitals" WHERE device = \'pi-8\'', set()),
            ('SELECT MAX("cpu") FROM "PiVitals"', set()),
        ]:
            self.assertEqual(dashboards.query(query, metrics), expected, query)

    @staticmethod
    def payloads(config: str) -> list[bytes]:
        """What a Pi 4 would publish."""
        with tempfile.TemporaryDirectory() as folder, Living(Board(Path(folder) / "root")) as board:
            return printed(board, config)

    def check_rule(self, cloud: Cloud, name: str) -> None:
        [logical] = cloud.stack.of_type("AWS::IoT::TopicRule")
        wanted = cloud.stack.properties(logical)
        self.assertEqual(wanted["RuleName"], name)
        rule = cloud.client("iot").get_topic_rule(ruleName=name)["rule"]
        payload = template.decapitalised(wanted["TopicRulePayload"])
        self.assertEqual({key: rule[key] for key in payload}, payload)
        self.assertFalse(rule["ruleDisabled"])

    def check_alarms(self, cloud: Cloud) -> None:
        alarms = {alarm["AlarmName"]: alarm for alarm in cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]}
        logical = cloud.stack.of_type("AWS::CloudWatch::Alarm")
        self.assertEqual(len(alarms), len(logical))
        for name in logical:
            wanted = cloud.stack.properties(name)
            alarm = alarms[wanted["AlarmName"]]
            # A parameter is a text in the template, and a number in CloudWatch.
            wanted["Threshold"] = float(wanted["Threshold"])
            self.assertEqual({key: alarm[key] for key in wanted}, wanted)
            topics = [topic["TopicArn"] for topic in cloud.client("sns").list_topics()["Topics"]]
            self.assertEqual(alarm["AlarmActions"], topics)

    def check_roles(self, cloud: Cloud) -> None:
        iam = cloud.client("iam")
        self.assertEqual(len(iam.list_roles()["Roles"]), len(cloud.stack.of_type("AWS::IAM::Role")))
        for name in cloud.stack.of_type("AWS::IAM::Role"):
            role = iam.get_role(RoleName=cloud.stack.physical[name])["Role"]
            wanted = cloud.stack.properties(name)
            self.assertEqual(role["AssumeRolePolicyDocument"], wanted["AssumeRolePolicyDocument"])
            documents = [policy["PolicyDocument"] for policy in wanted["Policies"]]
            self.assertEqual(cloud.engine.roles.documents(cloud.stack.physical[name]), documents)

    def check_registry(self, cloud: Cloud) -> None:
        iot = cloud.client("iot")
        [thing_type] = iot.list_thing_types()["thingTypes"]
        wanted = cloud.stack.properties("ThingType")
        self.assertEqual(thing_type["thingTypeName"], wanted["ThingTypeName"])
        for name in cloud.stack.of_type("AWS::IoT::Policy"):
            wanted = cloud.stack.properties(name)
            policy = iot.get_policy(policyName=wanted["PolicyName"])
            document = json.loads(policy["policyDocument"])
            self.assertEqual(document, wanted["PolicyDocument"])
            for statement in document["Statement"]:
                self.assertEqual(statement["Effect"], "Allow")
                for arn in (
                    statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
                ):
                    self.assertTrue(arn.startswith(f"arn:aws:iot:{REGION}:{ACCOUNT}:"), arn)

    def check_logs(self, cloud: Cloud) -> None:
        groups = {group["logGroupName"]: group for group in cloud.client("logs").describe_log_groups()["logGroups"]}
        logical = cloud.stack.of_type("AWS::Logs::LogGroup")
        self.assertEqual(len(groups), len(logical))
        for name in logical:
            wanted = cloud.stack.properties(name)
            self.assertEqual(groups[wanted["LogGroupName"]]["retentionInDays"], int(wanted["RetentionInDays"]))
        for name in cloud.stack.of_type("AWS::Logs::MetricFilter"):
            wanted = cloud.stack.properties(name)
            found = cloud.client("logs").describe_metric_filters(logGroupName=wanted["LogGroupName"])["metricFilters"]
            [metric_filter] = [one for one in found if one["filterName"] == cloud.stack.physical[name]]
            self.assertEqual(metric_filter["filterPattern"], wanted["FilterPattern"])
            [made], [transformation] = metric_filter["metricTransformations"], wanted["MetricTransformations"]
            for key in ("MetricName", "MetricNamespace", "MetricValue", "Unit"):
                self.assertEqual(made[key[0].lower() + key[1:]], transformation[key])

    def check_topic(self, cloud: Cloud) -> None:
        [topic] = cloud.client("sns").list_topics()["Topics"]
        self.assertEqual(topic["TopicArn"], cloud.stack.physical["Alarms"])
        subscriptions = cloud.client("sns").list_subscriptions()["Subscriptions"]
        self.assertEqual([one["Endpoint"] for one in subscriptions], ["a@example.com"])

    def check_what_is_looked_at(self, cloud: Cloud) -> None:
        rule, own = cloud.rule(), dashboards.listed(cloud.metrics())
        metrics = own | dashboards.listed(cloud.metrics(FLEET)) | dashboards.of_aws(rule.name, f"/pivitals/{rule.name}")
        for name in cloud.stack.of_type("AWS::CloudWatch::Alarm"):
            self.assertNotEqual(dashboards.of_alarm(cloud.stack.properties(name), metrics), set(), name)
        groups = {group["logGroupName"] for group in cloud.client("logs").describe_log_groups()["logGroups"]}
        graphed: set[dashboards.Metric] = set()
        for widget in cloud.stack.dashboard()["widgets"]:
            properties = widget["properties"]
            if widget["type"] == "log":
                self.check_table(cloud, properties["query"], groups)
                continue
            lines = dashboards.of_widget(widget, metrics)
            self.assertNotIn(set(), lines, properties["title"])
            if properties["view"] == "timeSeries" and not properties["title"].startswith("Rule "):
                # A device has one line in a graph.
                self.assertEqual([len(line) for line in lines], [1], properties["title"])
                graphed |= lines[0]
        self.assertEqual(graphed, own)

    def check_table(self, cloud: Cloud, query: str, groups: set[str]) -> None:
        """A table's columns are keys of the log's events."""
        _, group, rest = query.split("'")
        self.assertIn(group, groups)
        [event] = cloud.client("logs").filter_log_events(logGroupName=group)["events"]
        columns = [*re.findall(r"latest\(`(\w+)`\)", rest), *re.findall(r" by (\w+)", rest)]
        self.assertGreater(len(columns), 4)
        self.assertLessEqual(set(columns), set(json.loads(event["message"])))
