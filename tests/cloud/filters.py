"""Metrics out of log events by metric filters.

Follows the CloudWatch Logs user guide, "Filter pattern syntax for metric filters" (JSON log events) and
"Creating metric filters". A metric is dated by its event, and in the `cloudwatchLogs` action without
`batchMode` that is the message's arrival.
"""

import json
import operator
import re
from typing import Any

import cloudwatch

TERM = re.compile(r"\$\.([\w-]+)\s*(>=|<=|!=|>|<|=)\s*(-?\d+(?:\.\d+)?)")
COMPARISONS = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "=": operator.eq, "!=": operator.ne,
}  # fmt: skip
SELECTOR = re.compile(r"\$\.([\w-]+)")
DIMENSIONS_MAX = 3


def is_number(value: Any) -> bool:
    """What JSON calls a number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def matches(pattern: str, document: Any) -> bool:
    """Whether an event is what `{ $.key >= 0 || … }` looks for. A comparison with what is no number is false."""
    inner = re.fullmatch(r"\s*\{(.*)\}\s*", pattern)
    if inner is None:
        raise ValueError(f"the filter pattern {pattern!r} is not understood here")
    found = False
    for text in inner[1].split("||"):
        term = TERM.fullmatch(text.strip())
        if term is None:
            raise ValueError(f"{text!r} in a filter pattern is not understood here")
        value = document.get(term[1]) if isinstance(document, dict) else None
        found |= is_number(value) and COMPARISONS[term[2]](value, float(term[3]))
    return found


def metrics(
    metric_filter: dict[str, Any], event: dict[str, Any], now_millis: int
) -> list[tuple[str, dict[str, Any]]]:
    """A filter's metrics of one event, each with its namespace."""
    try:
        document = json.loads(event["message"])
    except ValueError:
        return []
    if not matches(metric_filter["filterPattern"], document):
        return []
    found = []
    for transformation in metric_filter["metricTransformations"]:
        value = document[selected(transformation["metricValue"])]
        dimensions = {
            name: document.get(selected(selector)) for name, selector in transformation.get("dimensions", {}).items()
        }
        # An event that lacks a dimension, or has no number, makes no metric.
        if not is_number(value) or not all(isinstance(text, str) for text in dimensions.values()):
            continue
        if len(dimensions) > DIMENSIONS_MAX:
            raise ValueError(f"{metric_filter['filterName']}: more than three dimensions")
        unit = transformation.get("unit", "None")
        datum = cloudwatch.datum(
            transformation["metricName"], value, unit, event["timestamp"], now_millis, **dimensions
        )
        found.append((transformation["metricNamespace"], datum))
    return found


def selected(selector: str) -> str:
    """The key that `$.key` selects."""
    match = SELECTOR.fullmatch(selector)
    if match is None:
        raise ValueError(f"the selector {selector!r} is not understood here")
    return match[1]
