"""The whole way, for each format: the agent on a Pi 4's board, mosquitto with mutual TLS, the rule of the
template, CloudWatch. At its end stand the numbers that `pivitals print` shows.
"""

import json
import tempfile
import time
import unittest
from pathlib import Path

import cloudwatch
from boards import Board, Living
from house import NAME, House
from support import FLEET, NAMESPACE, TOPIC, Cloud, printed, program
from test_template import MEASURED, THINGS

Reading = dict[tuple[str, str], float]


def of_rule(_: Cloud, payload: bytes) -> tuple[int, Reading]:
    """A message's time, and its value by name and unit."""
    message = json.loads(payload)
    return message["timestamp"], {(message["name"], message["unit"]): message["value"]}


def of_emf(_: Cloud, payload: bytes) -> tuple[int, Reading]:
    [event] = json.loads(payload)["batch"]
    document = json.loads(event["message"])
    [directive] = document["_aws"]["CloudWatchMetrics"]
    values = {(one["Name"], one["Unit"]): document[one["Name"]] for one in directive["Metrics"]}
    return event["timestamp"] // 1000, values


def of_flat(cloud: Cloud, payload: bytes) -> tuple[int, Reading]:
    """The keys of a message, by what the template's filters make of them."""
    message, values = json.loads(payload), {}
    for name in cloud.stack.of_type("AWS::Logs::MetricFilter"):
        [metric] = cloud.stack.properties(name)["MetricTransformations"]
        value = message[metric["MetricValue"].removeprefix("$.")]
        values[metric["MetricName"], metric["Unit"]] = value
    assert len(values) == len(message) - 2, "a filter a key"
    return message["timestamp"], values


class WholeWay(unittest.TestCase):
    def test_rule(self):
        self.go("format = rule\n", TOPIC, of_rule, {})

    def test_rule_through_basic_ingest(self):
        self.go("format = rule\nrule = fleet_1\n", f"$aws/rules/fleet_1/{TOPIC}", of_rule, {})

    def test_emf(self):
        self.go("format = emf\n", TOPIC, of_emf, {"device": NAME})

    def test_emf_through_basic_ingest(self):
        self.go("format = emf\nrule = fleet_1\n", f"$aws/rules/fleet_1/{TOPIC}", of_emf, {"device": NAME})

    def test_flat(self):
        self.go("format = flat\n", TOPIC, of_flat, {"device": NAME})

    def test_flat_has_the_names_and_units_of_emf(self):
        with Cloud("format = flat\n" + MEASURED, *THINGS) as cloud, tempfile.TemporaryDirectory() as name:
            with Living(Board(Path(name) / "root")) as board:
                shown = [printed(board, cloud.config, "--set", f"format={way}") for way in ("flat", "emf")]
            flat, emf = (self.merged(cloud, read, one) for read, one in zip((of_flat, of_emf), shown, strict=True))
            self.assertEqual(set(flat), set(emf))

    def go(self, config: str, topic: str, read, dimensions: dict[str, str]) -> None:
        with Cloud(config + MEASURED, *THINGS) as cloud, tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            with Living(Board(folder / "root")) as board, House(folder) as house:
                house.open()
                before = printed(board, cloud.config)
                path = house.write_config(config + MEASURED)
                began = int(time.time())
                agent = house.start(program("PIVITALS"), board.root, path)
                deliveries = [house.message() for _ in before]
                self.assertEqual(agent.end(), 0, agent.seen)
                after = printed(board, cloud.config)
                # The broker knows the device by its certificate.
                self.assertIn(f"u'{NAME}'", house.mosquitto.wait_for(f" as {NAME} ("))
            self.assertEqual({(one.topic, one.qos) for one in deliveries}, {(topic, 1)})
            for delivery in deliveries:
                cloud.engine.publish(delivery.topic, delivery.payload, NAME)
            self.assertEqual((cloud.errors(), cloud.engine.logs_counts.total()), ([], 0))
            shown = [self.merged(cloud, read, payloads) for payloads in (before, after)]
            sent = [read(cloud, delivery.payload) for delivery in deliveries]
            [secs] = {secs for secs, _ in sent}
            self.assertTrue(began <= secs <= time.time())
            self.compare(cloud, secs, *shown, dimensions)

    @staticmethod
    def merged(cloud: Cloud, read, payloads: list[bytes]) -> Reading:
        return {key: value for payload in payloads for key, value in read(cloud, payload)[1].items()}

    def compare(self, cloud: Cloud, secs: int, before: Reading, after: Reading, dimensions: dict[str, str]) -> None:
        """CloudWatch has exactly the metrics that were shown, each with one value of this minute in its unit. Others
        write and delete on this machine's disk between two looks; nothing else changes.
        """
        self.assertEqual(set(before), set(after))
        self.assertGreater(len(before), 25)
        metrics = cloud.metrics()
        self.assertEqual(sorted(one["MetricName"] for one in metrics), sorted(name for name, _ in before))
        client, minute = cloud.client("cloudwatch"), secs // 60 * 60
        for (name, unit), value in before.items():
            found = cloudwatch.get(client, NAMESPACE, name, unit, (secs - 3600, secs + 3600), 60, **dimensions)
            [(begin, average, count)] = found
            self.assertEqual((begin, count), (minute, 1), name)
            others = 1.0 if name.startswith(("disk usage", "disk_usage")) else 0.0
            for shown in (value, after[name, unit]):
                self.assertAlmostEqual(average, shown, msg=name, delta=others)
        cpu = [value for (name, _), value in before.items() if name.startswith(("cpu usage", "cpu_usage"))]
        self.assertEqual(cpu, [100 * Living.LOAD])
        self.compare_fleet(cloud, minute, before)

    def compare_fleet(self, cloud: Cloud, minute: int, shown: Reading) -> None:
        """The alarms' metrics of all devices have the one device's numbers."""
        metrics = [one["MetricName"] for one in cloud.metrics(FLEET)]
        self.assertEqual("cpu_temperature" in metrics, bool(cloud.rule().actions[0].get("cloudwatchLogs")))
        for (name, unit), value in shown.items():
            if name in metrics and "disk" not in name:
                window = (minute - 3600, minute + 3600)
                found = cloudwatch.get(cloud.client("cloudwatch"), FLEET, name, unit, window, 60)
                self.assertEqual(found, [(minute, value, 1)], name)
