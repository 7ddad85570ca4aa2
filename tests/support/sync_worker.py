"""The real worker in a process of its own, and one time for it, the test and the simulators."""

import multiprocessing
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.context import ForkServerContext
from multiprocessing.context import ForkServerProcess as Process
from pathlib import Path

from deskbridge.kit.clock import ManualClock
from deskbridge.settings import Settings
from deskbridge.worker import run_worker


class SharedClock(ManualClock):
    """Real time and how far it was moved on, which is in a file: every process that has this clock has the same."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.write_bytes(struct.pack("<d", 0))

    @property
    def at(self) -> datetime:
        (ahead,) = struct.unpack("<d", self._path.read_bytes())
        return datetime.now(UTC) + timedelta(seconds=ahead)

    @at.setter
    def at(self, at: datetime) -> None:
        with self._path.open("r+b") as file:
            file.write(struct.pack("<d", (at - datetime.now(UTC)).total_seconds()))


def _context() -> ForkServerContext:
    """Processes begin from one that has everything loaded, so that a restart takes no time."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


@contextmanager
def working(settings: Settings, clock: SharedClock) -> Iterator[Process]:
    """Run a worker until the block ends or somebody kills it. Nobody waits for the pace kept with a tracker."""
    process = _context().Process(target=run_worker, args=(settings, clock, clock.advance))
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()
