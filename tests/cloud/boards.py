"""Boards for the agent to measure: a copy of one of `tests/roots`, whose values this program sets."""

import math
import random
import shutil
import threading
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PI_4 = REPOSITORY / "tests/roots/pi-4"

TICKS_A_SECOND = 400
MEMORY_KB = 3_884_972


class Board:
    """A Pi 4 in a folder. The agent keeps the files open, so they are written in place, each in one go and at
    the length that it had.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(PI_4, root, ignore=shutil.ignore_patterns("expected", "*.later", "ORIGIN.md"))
        self.busy = self.idle = 0.0
        self.set_memory(600.0)
        self.set_temperature(47.712)
        self.run(1.0, 0.0)

    def run(self, seconds: float, load: float) -> None:
        """Lets so much time pass with the cores busy for this share of it."""
        self.busy += seconds * TICKS_A_SECOND * load
        self.idle += seconds * TICKS_A_SECOND * (1 - load)
        times = f"{round(self.busy):012} 0 0 {round(self.idle):012} 0 0 0 0 0 0"
        write(self.root / "proc/stat", f"cpu  {times}\ncpu0 {times}\n")

    def set_memory(self, used_megabytes: float) -> None:
        """In 10⁶ bytes."""
        available = round(MEMORY_KB - used_megabytes * 1000 / 1.024)
        write(self.root / "proc/meminfo", f"MemTotal: {MEMORY_KB:9} kB\nMemAvailable: {available:9} kB\n")

    def set_temperature(self, celsius: float) -> None:
        write(self.root / "sys/class/thermal/thermal_zone0/temp", f"{round(celsius * 1000):05}\n")


class Living:
    """Lets time pass on a board, a twentieth of a second at a time, with a quarter of its cores busy. Whenever the
    agent looks, and after however long, the share is the same.
    """

    LOAD = 0.25

    def __init__(self, board: Board) -> None:
        self.board = board
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.live)

    def live(self) -> None:
        while not self.is_over.wait(0.05):
            self.board.run(0.05, self.LOAD)

    def __enter__(self) -> Board:
        self.thread.start()
        return self.board

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self.thread.join()


def write(path: Path, text: str) -> None:
    """Replaces a file's content, by one call where the length stays."""
    if path.is_file() and path.stat().st_size == len(text):
        with path.open("r+b", buffering=0) as file:
            file.write(text.encode())
    else:
        path.write_text(text)


class Day:
    """What happens on the board of the chart, by the time of the day in hours: a night, a day's work, a backup,
    a build that runs hot, and a log that fills the disk until it is rotated.
    """

    @staticmethod
    def load(hour: float) -> float:
        """Share of the cores that is busy."""
        # Another one every four minutes, and the same in each run.
        unrest = random.Random(int(hour * 15)).random()
        load = 0.04 + 0.03 * unrest
        if 2.0 <= hour < 2.5:
            load += 0.22
        if 8.0 <= hour < 18.0:
            load += 0.10 + 0.04 * math.sin(hour * 4.1) + 0.12 * unrest
        if 13.5 <= hour < 15.0:
            load += 0.48
        return load

    @staticmethod
    def memory(hour: float) -> float:
        """Megabytes in use: a leak, until the service is restarted at night."""
        return 540 + 28 * ((hour - 3.0) % 24.0) + 22 * math.sin(hour / 24 * 2 * math.pi * 9)

    @staticmethod
    def disk(hour: float) -> float:
        """Percent of the disk: a log, rotated in the evening."""
        return 41 + 1.6 * ((hour + 4.0) % 24.0)


class Warmth:
    """The temperature of a chip that follows its load, and slowly."""

    def __init__(self) -> None:
        self.celsius = 43.0

    def after(self, minutes: float, load: float, hour: float) -> float:
        """What it is so many minutes later."""
        room = 21 + 4 * math.sin((hour - 9) / 24 * 2 * math.pi)
        goal = room + 21 + 38 * load
        self.celsius += (goal - self.celsius) * (1 - math.exp(-minutes / 12))
        return self.celsius
