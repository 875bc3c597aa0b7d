"""CloudWatch Logs as strict as the real one, before an emulated one that takes anything.

Follows the CloudWatch Logs API reference, PutLogEvents: order, span, number, size and age of a batch's events;
and the AWS IoT Core developer guide, "CloudWatch Logs" action, `batchMode`. In one thing it is stricter: of
events that are too old or too new the real one drops just those, and says so in an answer that nobody reads.
"""

from typing import Any

from cloudwatch import Refused, check_time

EVENTS_MAX = 10_000
BATCH_BYTES_MAX = 1_048_576
EVENT_OVERHEAD = 26
# The limit until 2025, and the one that the IoT action was written for. The API takes 1 MB today.
EVENT_BYTES_MAX = 256 * 1024
SPAN_MILLIS = 24 * 3600 * 1000


def retention_days(client: Any, group: str) -> int | None:
    """How long a log group keeps its events; None if for ever."""
    for found in client.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        if found["logGroupName"] == group:
            return found.get("retentionInDays")
    raise Refused(f"the log group {group} does not exist")


def check_batch(events: Any, now_millis: int, days: int | None) -> list[dict[str, Any]]:
    """A batch as the `cloudwatchLogs` action wants it: `[{"timestamp": <ms>, "message": "<text>"}]`, for a log
    group that keeps events for so many days.
    """
    if not isinstance(events, list) or not events:
        raise Refused("batchMode needs a list of events")
    if len(events) > EVENTS_MAX:
        raise Refused(f"{len(events)} events in one batch")
    size = 0
    for event in events:
        if not isinstance(event, dict) or set(event) != {"timestamp", "message"}:
            raise Refused("an event is a timestamp and a message, and nothing else")
        if type(event["timestamp"]) is not int or not isinstance(event["message"], str) or not event["message"]:
            raise Refused("a timestamp is a whole number, and a message a text")
        length = len(event["message"].encode()) + EVENT_OVERHEAD
        if length > EVENT_BYTES_MAX:
            raise Refused(f"an event of {length} bytes")
        size += length
        check_time(event["timestamp"], now_millis)
        if days is not None and now_millis - event["timestamp"] > days * 24 * 3600 * 1000:
            raise Refused(f"an event older than the log group's retention of {days} days")
    if size > BATCH_BYTES_MAX:
        raise Refused(f"a batch of {size} bytes")
    times = [event["timestamp"] for event in events]
    if times != sorted(times):
        raise Refused("log events in a single PutLogEvents request must be in chronological order")
    if times[-1] - times[0] >= SPAN_MILLIS:
        raise Refused("the batch of log events in a single PutLogEvents request cannot span more than 24 hours")
    return events


def put(client: Any, group: str, stream: str, events: list[dict[str, Any]]) -> None:
    """Stores checked events, in a stream that is made when it is not there."""
    try:
        client.create_log_stream(logGroupName=group, logStreamName=stream)
    except client.exceptions.ResourceAlreadyExistsException:
        pass
    client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
