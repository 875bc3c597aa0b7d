"""After a day without a broker: few messages, in order, none twice, none lost, and all of it accepted."""

import json
import time
import unittest

import chart
import day
from house import NAME
from logs import SPAN_MILLIS
from support import TOPIC, Cloud

BATCH_BYTES_MAX = 5 * 1024


class Outage(unittest.TestCase):
    def setUp(self):
        self.outage = day.outage()

    def test_a_day_of_samples_waits(self):
        # A machine that stands still for a moment skips minutes, and that is all that it does.
        self.assertTrue(720 <= self.outage.waiting <= 1442, self.outage.waiting)
        times = [event["timestamp"] for event in self.outage.events()]
        self.assertGreater(times[self.outage.waiting - 1] - times[0], SPAN_MILLIS - 600_000)
        # The day's end is now.
        self.assertLess(self.outage.ended_millis - times[self.outage.waiting - 1], 600_000)

    def test_every_sample_arrives_once_and_in_order(self):
        times = [event["timestamp"] for event in self.outage.events()]
        self.assertEqual(sorted(set(times)), times)
        self.assertEqual(sum(millis <= self.outage.ended_millis for millis in times), self.outage.waiting)

    def test_the_messages_are_few_and_small_and_none_spans_a_day(self):
        deliveries = self.outage.deliveries
        for delivery in deliveries:
            batch = json.loads(delivery.payload)["batch"]
            self.assertLess(len(delivery.payload), BATCH_BYTES_MAX)
            self.assertLess(batch[-1]["timestamp"] - batch[0]["timestamp"], SPAN_MILLIS)
        # Ten samples of four metrics fit into the unit that AWS bills.
        self.assertLessEqual(len(deliveries), self.outage.waiting / 9 + 3)

    def test_the_rule_accepts_all_of_it_and_cloudwatch_has_every_minute(self):
        with Cloud(day.CONFIG) as cloud:
            for delivery in self.outage.deliveries:
                cloud.engine.publish(delivery.topic, delivery.payload, NAME)
            self.assertEqual((cloud.errors(), cloud.engine.logs_counts.total()), ([], 0))
            action = {"RuleName": cloud.rule().name, "ActionType": "CloudwatchLogs"}
            self.assertEqual(cloud.engine.counted("Success", **action), len(self.outage.deliveries))
            now = int(time.time())
            for name, unit in chart.METRICS.items():
                found = chart.series(cloud, name, unit, now)
                sent = [json.loads(event["message"]).get(name) for event in self.outage.events()]
                values = [value for value in sent if value is not None]
                self.assertEqual(sum(count for _, _, count in found), len(values))
                self.assertAlmostEqual(sum(mean * count for _, mean, count in found), sum(values), 3)
                # The first sample has nothing to compare the processor's counters with; nor has one before
                # which this program, which lets the board's time pass, was not called upon.
                least = len(sent) if name != "cpu_usage" else 0.5 * len(sent)
                self.assertGreaterEqual(len(values), least, name)

    def test_the_same_in_another_order_would_end_in_the_error_action(self):
        with Cloud(day.CONFIG) as cloud:
            batch = json.loads(self.outage.deliveries[0].payload)["batch"]
            payload = json.dumps({"batch": batch[::-1]}).encode()
            cloud.engine.publish(TOPIC, payload, NAME)
            self.assertIn("chronological order", cloud.errors()[0]["failures"][0]["errorMessage"])
