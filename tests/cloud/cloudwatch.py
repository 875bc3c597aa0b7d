"""CloudWatch as strict as the real one, before an emulated one that takes anything.

Follows the CloudWatch API reference: PutMetricData, MetricDatum and Dimension (names, units, values, and
times from two weeks ago to two hours ahead), and GetMetricData.
"""

import math
import re
from datetime import datetime, timezone
from typing import Any

# API reference, MetricDatum, Unit: 27 of them, case-sensitive.
SCALES = ("Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes")
SCALES += ("Bits", "Kilobits", "Megabits", "Gigabits", "Terabits", "Count")
UNITS = {
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Percent",
    "None",
    *SCALES,
    *(f"{unit}/Second" for unit in SCALES),
}

PAST_SECS = 14 * 86_400
FUTURE_SECS = 2 * 3600
VALUE_MAX = 2.0**360
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
NAMESPACE = re.compile(r"[0-9A-Za-z.\-_/#: ]{1,255}")
DATA_MAX = 1000


class Refused(Exception):
    """What the service would not take, in words like its own."""


def check_time(millis: int, now_millis: int) -> None:
    """A time must lie in the window that the service takes."""
    age = (now_millis - millis) / 1000
    if age > PAST_SECS:
        raise Refused(f"the timestamp {millis} must specify a time within the past two weeks")
    if age < -FUTURE_SECS:
        raise Refused(f"the timestamp {millis} is more than two hours in the future")


def number(text: str) -> float:
    """A finite number from a text."""
    if not NUMBER.fullmatch(text):
        raise Refused(f"the value {text!r} is no number")
    value = float(text)
    if not math.isfinite(value) or abs(value) > VALUE_MAX:
        raise Refused(f"the value {text!r} is out of range")
    return value


def datum(name: str, value: float, unit: str, millis: int, now_millis: int, **dimensions: str) -> dict[str, Any]:
    """A checked MetricDatum."""
    if not 1 <= len(name) <= 255 or not name.isprintable() or not name.isascii():
        raise Refused(f"the metric name {name!r} is not from 1 to 255 ASCII characters")
    if unit not in UNITS:
        raise Refused(f"the unit {unit!r} is none of the 27")
    if isinstance(value, bool) or not math.isfinite(value) or abs(value) > VALUE_MAX:
        raise Refused(f"the value {value!r} is out of range")
    if len(dimensions) > 30:
        raise Refused("more than 30 dimensions")
    for key, text in dimensions.items():
        if not 1 <= len(key) <= 255 or key.startswith(":") or not 1 <= len(text) <= 1024 or not text.strip():
            raise Refused(f"the dimension {key!r} = {text!r} is too short or too long")
    check_time(millis, now_millis)
    return {
        "MetricName": name,
        "Value": float(value),
        "Unit": unit,
        "Timestamp": utc(millis),
        "Dimensions": [{"Name": key, "Value": text} for key, text in dimensions.items()],
    }


def put(client: Any, namespace: str, data: list[dict[str, Any]]) -> None:
    """Hands checked data over."""
    if not NAMESPACE.fullmatch(namespace) or namespace.startswith(":"):
        raise Refused(f"the namespace {namespace!r} has other characters, or is too long")
    if namespace.startswith("AWS/"):
        raise Refused("namespaces that begin with AWS/ are AWS's own")
    for begin in range(0, len(data), DATA_MAX):
        client.put_metric_data(Namespace=namespace, MetricData=data[begin : begin + DATA_MAX])


def get(
    client: Any, namespace: str, name: str, unit: str, window: tuple[int, int], period: int, **dimensions: str
) -> list[tuple[int, float, int]]:
    """What `get_metric_data` returns of the seconds from `window[0]` to `window[1]`: the begin of each period that
    has data, its average, and of how many.
    """
    begin, end = (secs // period * period for secs in (window[0], window[1] + period))
    metric = {
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": text} for key, text in dimensions.items()],
    }
    queries = [
        {"Id": stat.lower(), "MetricStat": {"Metric": metric, "Period": period, "Stat": stat, "Unit": unit}}
        for stat in ("Average", "SampleCount")
    ]
    answer = client.get_metric_data(
        MetricDataQueries=queries, StartTime=utc(begin * 1000), EndTime=utc(end * 1000), ScanBy="TimestampAscending"
    )
    results = {result["Id"]: result for result in answer["MetricDataResults"]}
    average, count = results["average"], results["samplecount"]
    if average["Timestamps"] != count["Timestamps"]:
        raise AssertionError(f"{name}: two statistics of other periods")
    rows = zip(average["Timestamps"], average["Values"], count["Values"])
    return [(int(time.timestamp()), value, round(samples)) for time, value, samples in rows]


def utc(millis: int) -> datetime:
    """A moment as boto3 wants it."""
    return datetime.fromtimestamp(millis / 1000, timezone.utc)
