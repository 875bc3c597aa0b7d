"""A day in half a minute: an agent that has no broker for 24 hours, on a board on which something happens, and
then all that it publishes when the broker is there.

Its clock is that of the feature `test-clock`: it runs fast until a day has passed, which is the day before now,
and is the true one from then on, so that TLS and every deadline are as ever.
"""

import functools
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from boards import Board, Day, Warmth
from house import Delivery, House
from support import program

SPAN_SECS = 86_400
FACTOR = 2880
CONFIG = "format = emf\n"
DISK_BYTES = 64 << 20
# A file system of its own for the board, so that its disk can fill, and the agent in it.
IN_A_SMALL_DISK = (
    f'mount -t tmpfs -o size={DISK_BYTES} none "$1" && cp -R "$2/." "$1" && head -c "$3" /dev/zero >"$1/log" && '
    'shift 3 && exec "$@"'
)
UNSHARE = ["unshare", "--user", "--map-root-user", "--mount"]


@dataclass
class Outage:
    """What came after the day. `waiting` samples were in the queue at `ended_millis`."""

    deliveries: list[Delivery]
    waiting: int
    ended_millis: int

    def events(self) -> list[dict]:
        """All events of all batches, in the order in which they came."""
        return [event for delivery in self.deliveries for event in json.loads(delivery.payload)["batch"]]


@functools.cache
def has_small_disk() -> bool:
    """Whether this user may mount a file system in a name space of its own."""
    if shutil.which("unshare") is None:
        return False
    done = subprocess.run([*UNSHARE, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False)
    return done.returncode == 0


@functools.cache
def outage() -> Outage:
    """The day, once for all who ask."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with House(folder) as house:
            return live_through(folder, house)


class Play:
    """What happens on the board. At first nothing has passed."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.begin_hour = (time.time() - SPAN_SECS) / 3600
        self.warmth = Warmth()
        self.passed = 0.0
        self.log: Path | None = None
        self.go_on(0.0)

    def hour(self) -> float:
        return (self.begin_hour + self.passed / 3600) % 24

    def log_bytes(self) -> int:
        """What fills the disk so far."""
        return round(DISK_BYTES * Day.disk(self.hour()) / 100)

    def go_on(self, passed: float) -> None:
        """Brings the board to so many seconds after the day's begin."""
        seconds, self.passed = passed - self.passed, passed
        load = Day.load(self.hour())
        self.board.run(seconds, load)
        self.board.set_temperature(self.warmth.after(seconds / 60, load, self.hour()))
        self.board.set_memory(Day.memory(self.hour()))
        if self.log is not None:
            with self.log.open("r+b") as file:
                size = self.log_bytes()
                file.truncate(min(size, os.fstat(file.fileno()).st_size))
                os.posix_fallocate(file.fileno(), 0, size)


def live_through(folder: Path, house: House) -> Outage:
    """Lets the day pass, and then the broker be there."""
    board, status = Board(folder / "board"), folder / "status"
    play, root = Play(board), board.root
    prefix: list[str] = []
    if has_small_disk():
        root = folder / "root"
        root.mkdir()
        prefix = [*UNSHARE, "sh", "-c", IN_A_SMALL_DISK, "sh", str(root), str(board.root), str(play.log_bytes())]
    config = house.write_config(f"{CONFIG}status_file = {status}\n")
    fast = {"PIVITALS_TIME_SCALE": str(FACTOR), "PIVITALS_TIME_SCALE_FOR": str(SPAN_SECS)}
    agent = house.start(program("PIVITALS_FAST"), root, config, fast, prefix)
    agent.wait_for(" samples every ")
    if prefix:
        # As the agent sees it.
        board.root = Path(f"/proc/{agent.process.pid}/root{root}")
        play.log = board.root / "log"
    # The agent's fast time ends no later than this one.
    begin = time.monotonic()
    while (passed := (time.monotonic() - begin) * FACTOR) < SPAN_SECS:
        play.go_on(passed)
        time.sleep(0.004)  # so much time is the event
    waiting, ended_millis = json.loads(status.read_text())["queue"], int(time.time() * 1000)
    house.open()
    # It cuts the wait for the next attempt short.
    agent.process.send_signal(signal.SIGHUP)
    deliveries, events = [], 0
    while events < waiting:
        deliveries.append(house.message())
        events += len(json.loads(deliveries[-1].payload)["batch"])
    code = agent.end()
    while not house.inbox.empty():
        deliveries.append(house.inbox.get())
    assert code == 0, agent.seen
    return Outage(deliveries, waiting, ended_millis)
