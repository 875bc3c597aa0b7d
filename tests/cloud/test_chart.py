"""The committed picture is whole, and one that is drawn now is like it."""

import re
import unittest
from xml.etree import ElementTree

import chart
import day
from boards import REPOSITORY

SVG = "{http://www.w3.org/2000/svg}"
BYTES_MAX = 40_000
PERIODS = day.SPAN_SECS // chart.PERIOD
POINTS = [(secs, 20.0 + secs / 1000, 5) for secs in range(0, 3000, chart.PERIOD)]


def points(panel: ElementTree.Element) -> int:
    """Of a panel's line."""
    return len(re.findall("[ML]", panel.findall(f"{SVG}path")[-1].attrib["d"]))


class Chart(unittest.TestCase):
    def assert_whole(self, svg: str) -> None:
        """Well-formed, small, and with a panel a metric that has a day's points."""
        root = ElementTree.fromstring(svg)
        self.assertEqual(root.tag, f"{SVG}svg")
        self.assertLess(len(svg.encode()), BYTES_MAX)
        panels = root.findall(f"{SVG}g[@class='panel']")
        self.assertEqual([panel.attrib["id"] for panel in panels], list(chart.METRICS))
        for panel in panels:
            self.assertTrue(PERIODS / 2 < points(panel) <= PERIODS + 1, panel.attrib["id"])
        self.assertIn("from the numbers that an emulated CloudWatch returned", svg)

    def test_the_committed_one_is_whole(self):
        self.assert_whole((REPOSITORY / "docs/cloudwatch.svg").read_text())

    def test_one_that_is_drawn_now_is_whole(self):
        self.assert_whole(chart.of_outage(day.outage()))

    def test_a_period_without_data_is_a_gap(self):
        place = lambda secs, value: (secs, value)
        self.assertEqual(chart.line(POINTS, place, "#000").count("M"), 1)
        self.assertEqual(chart.line(POINTS[:3] + POINTS[4:], place, "#000").count("M"), 2)

    def test_a_metric_without_data_is_an_error(self):
        data = {name: POINTS for name in chart.METRICS}
        chart.draw(data, (0, 3000), 1)
        with self.assertRaisesRegex(ValueError, "disk_usage"):
            chart.draw(data | {"disk_usage": []}, (0, 3000), 1)

    def test_an_axis_has_round_numbers_around_all_values(self):
        for values, ticks in [
            ([3.0, 71.0], [0, 20, 40, 60, 80]),
            ([41.1, 63.9], [40, 45, 50, 55, 60, 65]),
            ([40.0, 40.0], [39.8, 40.0, 40.2]),
            ([560.0, 1180.0], [0, 500, 1000, 1500]),
        ]:
            axis = chart.Axis.around(values)
            self.assertTrue(axis.low <= min(values) and max(values) <= axis.high, values)
            self.assertEqual([round(tick, 6) for tick in axis.ticks()], ticks)
