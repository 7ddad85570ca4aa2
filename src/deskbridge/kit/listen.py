"""Being woken when events have committed: by this process itself, and on PostgreSQL by any other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import structlog
from psycopg import sql

from deskbridge.kit.db import Database
from deskbridge.kit.events import CHANNEL

POLL_SECONDS = 0.25
"""How often to look where nobody tells of the events of other processes."""

LISTENING_SECONDS = 2.0
"""How often to look all the same where the server tells: a lost line is noticed late."""

RETRY_SECONDS = 5.0

log = structlog.get_logger(__name__)


class Wakes:
    """Waits for the next events."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()
        self.poll_seconds = POLL_SECONDS

    def wake(self) -> None:
        """Wake who waits; on the event loop's own thread."""
        self._woken.set()

    async def wait(self, seconds: float) -> None:
        """Wait until there may be events, no longer than `seconds` and until it is time to look."""
        try:
            async with asyncio.timeout(min(seconds, self.poll_seconds)):
                await self._woken.wait()
        except TimeoutError:
            return
        self._woken.clear()


@asynccontextmanager
async def waking(database: Database) -> AsyncIterator[Wakes]:
    """Give what waits for events while the block lasts."""
    loop, wakes = asyncio.get_running_loop(), Wakes()

    def wake_from_any_thread() -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(wakes.wake)

    database.wakes.add(wake_from_any_thread)
    listening = asyncio.create_task(_listen(database, wakes)) if database.dialect == "postgresql" else None
    try:
        yield wakes
    finally:
        database.wakes.discard(wake_from_any_thread)
        if listening is not None:
            listening.cancel()
            await asyncio.wait({listening})


async def _listen(database: Database, wakes: Wakes) -> None:
    """Keep a line to PostgreSQL on which it tells of events; without one they are polled for."""
    _, options = database.engine.dialect.create_connect_args(database.engine.url)
    lost = False
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(**options, autocommit=True, connect_timeout=5) as line:
                await line.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
                if lost:
                    log.info("events.listening_again")
                lost, wakes.poll_seconds = False, LISTENING_SECONDS
                wakes.wake()
                async for _notice in line.notifies():
                    wakes.wake()
        except psycopg.Error as error:
            wakes.poll_seconds = POLL_SECONDS
            if not lost:
                log.warning("events.not_listening", error=str(error))
            lost = True
        await asyncio.sleep(RETRY_SECONDS)
