"""What a dashboard and alarms look at, and whether CloudWatch would find it.

Follows the CloudWatch API reference, "Dashboard body structure and syntax"; the CloudWatch user guide, "Search
expression syntax" and "Metrics Insights query components and syntax"; and the AWS IoT Core developer guide,
"AWS IoT metrics and dimensions", for the metrics that AWS itself makes.
"""

import re
from typing import Any

# Of AWS/IoT and AWS/Logs, those that are used, with their dimensions.
RULE_METRICS = {"TopicMatch", "ParseError", "RuleMessageThrottled", "RuleNotFound"}
ACTION_METRICS = {"Success", "Failure"}
LOG_METRICS = {"IncomingLogEvents"}

SEARCH = re.compile(r"SEARCH\('\{(?P<schema>[^}]*)\} (?P<terms>.*)', '(?P<stat>\w+)', (?P<period>\d+)\)")
TERM = re.compile(r'(?P<not>NOT )?(?P<key>\w+)=(?:"(?P<exact>[^"]*)"|(?P<word>\w+))(?: |$)')
QUERY = re.compile(
    r'SELECT (?P<function>\w+)\("(?P<name>[^"]+)"\) FROM (?:"(?P<namespace>[^"]+)"|'
    r'SCHEMA\("(?P<schema>[^"]+)", (?P<keys>[\w, ]+)\))(?: WHERE (?P<where>\w+) = \'(?P<value>[^\']*)\')?'
    r"(?: GROUP BY (?P<group>\w+))?(?: ORDER BY \w+\(\) (?:ASC|DESC))?"
)

Metric = tuple[str, str, frozenset[tuple[str, str]]]


def of_aws(rule: str, group: str) -> set[Metric]:
    """The metrics that AWS makes of a rule and its log group."""
    metrics = {("AWS/IoT", name, frozenset({("RuleName", rule)})) for name in RULE_METRICS}
    kinds = [frozenset({("RuleName", rule), ("ActionType", kind)}) for kind in ("CloudwatchMetric", "CloudwatchLogs")]
    metrics |= {("AWS/IoT", name, kind) for name in ACTION_METRICS for kind in kinds}
    return metrics | {("AWS/Logs", name, frozenset({("LogGroupName", group)})) for name in LOG_METRICS}


def listed(metrics: list[dict[str, Any]]) -> set[Metric]:
    """What `list_metrics` gives."""
    return {
        (one["Namespace"], one["MetricName"], frozenset((item["Name"], item["Value"]) for item in one["Dimensions"]))
        for one in metrics
    }


def words(text: str) -> list[str]:
    """A search looks for words of letters and digits, whatever stands between them."""
    return re.findall(r"[a-z0-9]+", text.lower())


def search(expression: str, metrics: set[Metric]) -> set[Metric]:
    """The metrics that a search finds. One that is not understood is an error."""
    whole = SEARCH.fullmatch(expression)
    if whole is None:
        raise ValueError(f"the search {expression} is not understood here")
    namespace, *keys = [part.strip('"') for part in whole["schema"].split(",")]
    terms = list(TERM.finditer(whole["terms"]))
    if "".join(term[0] for term in terms) != whole["terms"]:
        raise ValueError(f"the terms {whole['terms']} are not understood here")
    return {
        one for one in metrics if one[0] == namespace and in_schema(one, keys) and all(holds(t, one) for t in terms)
    }


def in_schema(metric: Metric, keys: list[str]) -> bool:
    """Whether a metric has exactly these dimensions; a search without any takes all."""
    return not keys or {key for key, _ in metric[2]} == set(keys)


def holds(term: re.Match[str], metric: Metric) -> bool:
    value = metric[1] if term["key"] == "MetricName" else dict(metric[2]).get(term["key"])
    if value is None:
        return False
    found = value == term["exact"] if term["word"] is None else term["word"].lower() in words(value)
    return found is not bool(term["not"])


def query(text: str, metrics: set[Metric]) -> set[Metric]:
    """The metrics that a Metrics Insights query aggregates."""
    whole = QUERY.fullmatch(text)
    if whole is None:
        raise ValueError(f"the query {text} is not understood here")
    namespace = whole["namespace"] or whole["schema"]
    keys = [key.strip() for key in (whole["keys"] or "").split(",") if key.strip()]
    found = {one for one in metrics if one[:2] == (namespace, whole["name"]) and in_schema(one, keys)}
    if whole["where"]:
        found = {one for one in found if dict(one[2]).get(whole["where"]) == whole["value"]}
    return found


def of_alarm(alarm: dict[str, Any], metrics: set[Metric]) -> set[Metric]:
    """The metrics that an alarm looks at."""
    if "MetricName" in alarm:
        dimensions = frozenset((item["Name"], item["Value"]) for item in alarm.get("Dimensions", []))
        return {(alarm["Namespace"], alarm["MetricName"], dimensions)} & metrics
    [only] = alarm["Metrics"]
    return query(only["Expression"], metrics)


def of_widget(widget: dict[str, Any], metrics: set[Metric]) -> list[set[Metric]]:
    """For each line of a widget's list, the metrics that it shows."""
    lines = []
    for line in widget["properties"]["metrics"]:
        options = line[-1] if isinstance(line[-1], dict) else {}
        if "expression" in options:
            lines.append(search(options["expression"], metrics))
            continue
        namespace, name, *pairs = [part for part in line if isinstance(part, str)]
        lines.append({(namespace, name, frozenset(zip(pairs[::2], pairs[1::2])))} & metrics)
    return lines
