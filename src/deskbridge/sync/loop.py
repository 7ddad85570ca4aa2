"""The loop that drives an engine in a process: it steps while there is something to do, and looks again soon."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import SQLAlchemyError

from deskbridge.kit.errors import DomainError
from deskbridge.sync.engine import Engine

IDLE_SECONDS = 0.25
THREADS = 2

log = structlog.get_logger(__name__)


def run(engine: Engine, stop: threading.Event) -> None:
    """Step until `stop` is set; a failing database is waited for."""
    while not stop.is_set():
        try:
            did = engine.step()
        except (SQLAlchemyError, DomainError) as error:
            log.warning("sync.database_unavailable", error=str(error))
            did = None
        if did is None:
            stop.wait(IDLE_SECONDS)


@contextmanager
def in_background(engines: Sequence[Engine]) -> Iterator[None]:
    """Run each engine on a thread of its own while the block lasts; what is being done at its end is finished."""
    stop = threading.Event()
    threads = [threading.Thread(target=run, args=(engine, stop), name="sync", daemon=True) for engine in engines]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=10)
