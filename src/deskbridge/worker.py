"""The worker: jobs and schedules, without HTTP. Any number may share one database."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from deskbridge.kit.clock import Clock
from deskbridge.kit.db import Database
from deskbridge.kit.jobs import Worker
from deskbridge.kit.sealed import Seal
from deskbridge.settings import Settings
from deskbridge.sync import loop
from deskbridge.sync.engine import Engine
from deskbridge.trackers import Trackers, sleep
from deskbridge.wiring import uploads, wire


def build_worker(settings: Settings, database: Database) -> Worker:
    """Return a worker for a desk with these settings, on a database the caller closes."""
    wiring = wire(settings)
    return Worker(database, wiring.jobs, wiring.schedules)


def build_engines(settings: Settings, database: Database, wait: Callable[[timedelta], None] = sleep) -> list[Engine]:
    """Return the sync engines of one process: a tracker that does not answer holds up one of them, not the others."""
    trackers = Trackers(settings.OUTBOUND_ALLOW, clock=database.clock, wait=wait)
    seal = Seal(settings.SECRET_KEY.get_secret_value())
    files = uploads(settings, database.clock)
    return [Engine(database, trackers, seal, uploads=files) for _ in range(loop.THREADS)]


def run_worker(settings: Settings, clock: Clock | None = None, wait: Callable[[timedelta], None] = sleep) -> None:
    """Work until SIGTERM or Ctrl-C; what is being done is finished first."""
    stop = threading.Event()
    database = Database(settings.DATABASE_URL, clock, wire(settings).subscriptions)
    worker = build_worker(settings, database)

    def finish(_signal: int, _frame: object) -> None:
        stop.set()
        worker.wake.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, finish)
    try:
        with loop.in_background(build_engines(settings, database, wait)):
            worker.run(stop)
    finally:
        database.close()


@contextmanager
def worker_in_background(settings: Settings, database: Database) -> Iterator[Worker]:
    """Run a worker on a thread of this process while the block lasts: on SQLite, `serve` is all there is to run."""
    stop = threading.Event()
    worker = build_worker(settings, database)
    thread = threading.Thread(target=worker.run, args=(stop,), name="worker", daemon=True)
    thread.start()
    try:
        with loop.in_background(build_engines(settings, database)):
            yield worker
    finally:
        stop.set()
        worker.wake.set()
        thread.join(timeout=10)
