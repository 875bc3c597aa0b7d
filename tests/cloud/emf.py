"""Metrics out of log events.

Follows the CloudWatch user guide, "Specification: Embedded metric format". What does not keep to it stays a log
event without metrics, and is counted as the namespace AWS/Logs counts it; nobody is told.
"""

import json
from collections import Counter
from decimal import Decimal
from typing import Any

import cloudwatch

METRICS_MAX = 100
DIMENSIONS_MAX = 30
VALUES_MAX = 100


class Extraction:
    """The metrics of some events, by namespace, and how many errors there were."""

    def __init__(self) -> None:
        self.data: dict[str, list[dict[str, Any]]] = {}
        self.errors: Counter[str] = Counter()

    def add(self, text: str, now_millis: int) -> None:
        """Takes one event's message."""
        try:
            document = json.loads(text, parse_constant=lambda name: Decimal(name))
        except ValueError:
            # Most log lines are no JSON, and mean no metric.
            self.errors["EMFParsingErrors"] += '"_aws"' in text
            return
        if not isinstance(document, dict) or "_aws" not in document:
            return
        try:
            for directive in self.directives(document):
                self.directive(document, directive, now_millis)
        except (cloudwatch.Refused, KeyError, TypeError, AttributeError):
            self.errors["EMFValidationErrors"] += 1

    @staticmethod
    def directives(document: dict[str, Any]) -> list[dict[str, Any]]:
        metadata = document["_aws"]
        if type(metadata["Timestamp"]) is not int or not metadata["CloudWatchMetrics"]:
            raise cloudwatch.Refused("no Timestamp, or no CloudWatchMetrics")
        return metadata["CloudWatchMetrics"]

    def directive(self, document: dict[str, Any], directive: dict[str, Any], now_millis: int) -> None:
        namespace, metrics = directive["Namespace"], directive["Metrics"]
        if not isinstance(namespace, str) or len(metrics) > METRICS_MAX:
            raise cloudwatch.Refused("no namespace, or more than 100 metrics")
        sets = [self.dimensions(document, names) for names in directive["Dimensions"]]
        found = []
        for metric in metrics:
            unit = metric.get("Unit", "None")
            if unit not in cloudwatch.UNITS:
                raise cloudwatch.Refused(f"the unit {unit!r} is none of the 27")
            for value in self.values(document, metric["Name"]):
                for dimensions in sets:
                    millis = document["_aws"]["Timestamp"]
                    found.append(cloudwatch.datum(metric["Name"], value, unit, millis, now_millis, **dimensions))
        self.data.setdefault(namespace, []).extend(found)

    @staticmethod
    def dimensions(document: dict[str, Any], names: list[str]) -> dict[str, str]:
        dimensions = {name: document[name] for name in names}
        if len(names) > DIMENSIONS_MAX or not all(isinstance(text, str) for text in dimensions.values()):
            raise cloudwatch.Refused("a dimension that is no text, or too many")
        return dimensions

    @staticmethod
    def values(document: dict[str, Any], name: str) -> list[float]:
        """The metric's target. None, or one that is no number, ends the whole document."""
        target = document[name]
        values = target if isinstance(target, list) else [target]
        if len(values) > VALUES_MAX or any(type(value) not in (int, float) for value in values):
            raise cloudwatch.Refused(f"{name} is no number")
        return values
