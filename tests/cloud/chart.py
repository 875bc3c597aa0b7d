"""The picture of what users will see, drawn from what the emulated CloudWatch returned: a panel a metric.

`tests/cloud/run --chart` writes it to docs/cloudwatch.svg.
"""

import math
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import cloudwatch
import day
from house import NAME
from support import NAMESPACE, Cloud

METRICS = {"cpu_usage": "Percent", "memory_used": "Megabytes", "disk_usage": "Percent", "cpu_temperature": "None"}
# CloudWatch has no unit for a temperature.
WORDS = {"Percent": "percent", "Megabytes": "megabytes", "None": "no unit (°C)"}
PERIOD = 300

WIDTH, HEIGHT = 800, 514
PANEL = (300, 150)
LEFT, TOP = 66, 90
STEP_X, STEP_Y = 386, 206
INK, QUIET, GRID = "#222", "#555", "#ddd"
COLOURS = ["#1f6fb4", "#8a5fb0", "#2b7a3d", "#c4561a"]

Points = list[tuple[int, float, int]]


def series(cloud: Cloud, name: str, unit: str, now: int) -> Points:
    """What `get_metric_data` returns of a metric for the last day."""
    window = (now - day.SPAN_SECS, now)
    return cloudwatch.get(cloud.client("cloudwatch"), NAMESPACE, name, unit, window, PERIOD, device=NAME)


@dataclass
class Axis:
    """Values on the vertical axis: from `low` to `high` by `step`."""

    low: float
    high: float
    step: float

    @classmethod
    def around(cls, values: list[float]) -> "Axis":
        """Round numbers with all values between them, three to six steps; from zero where that is near."""
        low, high = min(values), max(values)
        if 0 <= low < 0.6 * high:
            low = 0.0
        span = max(high - low, 1.0)
        step = 10.0 ** math.floor(math.log10(span / 3))
        step *= next(factor for factor in (1, 2, 5, 10) if span / (step * factor) <= 5)
        first, last = math.floor(low / step), math.ceil(high / step)
        if first == last:
            first, last = first - 1, last + 1
        return cls(first * step, last * step, step)

    def ticks(self) -> list[float]:
        return [self.low + self.step * index for index in range(round((self.high - self.low) / self.step) + 1)]


def text(x: float, y: float, words: str, anchor: str = "start", colour: str = INK, more: str = "") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" fill="{colour}"{more}>{words}</text>\n'


def clock(secs: int, form: str) -> str:
    return datetime.fromtimestamp(secs, timezone.utc).strftime(form)


def line(points: Points, place, colour: str) -> str:
    """One stroke; a period without data is a gap."""
    path, before = "", None
    for secs, value, _ in points:
        x, y = place(secs + PERIOD / 2, value)
        path += f"{'L' if before is not None and secs - before <= PERIOD else 'M'}{x:.1f} {y:.1f}"
        before = secs
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.6" stroke-linejoin="round"/>\n'


def panel(number: int, name: str, unit: str, points: Points, window: tuple[int, int]) -> str:
    """A metric's panel: its title, its axes, its line."""
    if not points:
        raise ValueError(f"{name}: nothing to draw")
    left, top = LEFT + number % 2 * STEP_X, TOP + number // 2 * STEP_Y
    width, height = PANEL
    axis = Axis.around([value for _, value, _ in points])

    def place(secs: float, value: float) -> tuple[float, float]:
        x = left + width * (secs - window[0]) / (window[1] - window[0])
        return x, top + height * (1 - (value - axis.low) / (axis.high - axis.low))

    svg = f'<g class="panel" id="{name}">\n'
    svg += text(left, top - 10, f"{name}, {WORDS[unit]}", more=' font-weight="bold"')
    for tick in axis.ticks():
        y = place(0, tick)[1]
        svg += f'<path d="M{left} {y:.1f}h{width}" stroke="{GRID}"/>\n'
        svg += text(left - 6, y + 4, f"{tick:,g}", "end", QUIET)
    for secs in range(-(-window[0] // 21_600) * 21_600, window[1] + 1, 21_600):
        x = place(secs, 0)[0]
        svg += f'<path d="M{x:.1f} {top + height}v4" stroke="{QUIET}"/>\n'
        svg += text(x, top + height + 17, clock(secs, "%H:%M"), "middle", QUIET)
    svg += f'<path d="M{left} {top}v{height}h{width}" fill="none" stroke="{QUIET}"/>\n'
    return svg + line(points, place, COLOURS[number]) + "</g>\n"


def draw(data: dict[str, Points], window: tuple[int, int], messages: int) -> str:
    """The whole picture."""
    samples = max(sum(count for _, _, count in points) for points in data.values())
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="12">\n<title>{NAMESPACE}: a day of device {NAME} in CloudWatch</title>\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n'
    )
    svg += text(18, 26, f"{NAMESPACE}: device {NAME}", more=' font-size="15" font-weight="bold"')
    begin, end = (clock(secs, "%Y-%m-%d %H:%M") for secs in window)
    svg += text(18, 44, f"{begin} to {end} UTC, average of 5 minutes", colour=QUIET)
    for number, (name, unit) in enumerate(METRICS.items()):
        svg += panel(number, name, unit, data[name], window)
    caption = [
        "Drawn by tests/cloud from the numbers that an emulated CloudWatch returned, of a scripted board "
        "whose time ran fast.",
        f"Its agent had no broker for these 24 hours, and sent the {samples:,} samples after them, "
        f"in {messages:,} messages.",
    ]
    for words, y in zip(caption, (HEIGHT - 26, HEIGHT - 10)):
        svg += text(18, y, words, colour=QUIET)
    return svg + "</svg>\n"


def of_outage(outage: day.Outage) -> str:
    """The picture of the day that an agent has sent."""
    with Cloud(day.CONFIG) as cloud:
        for delivery in outage.deliveries:
            cloud.engine.publish(delivery.topic, delivery.payload, NAME)
        now = outage.ended_millis // 1000
        data = {name: series(cloud, name, unit, now) for name, unit in METRICS.items()}
    return draw(data, (now - day.SPAN_SECS, now), len(outage.deliveries))


def main(path: Path) -> None:
    if not day.has_small_disk():
        sys.exit("tests/cloud/run --chart: unshare (util-linux) may not make a file system for the board here")
    began = time.monotonic()
    path.write_text(of_outage(day.outage()))
    print(f"{path}: {path.stat().st_size} bytes, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
