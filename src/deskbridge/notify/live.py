"""The live stream's asynchronous edge: one task per process that follows the events, one per reader that sends them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from deskbridge.kit.db import Desk, Reader
from deskbridge.kit.errors import DomainError
from deskbridge.kit.listen import Wakes, waking
from deskbridge.kit.tail import events_after, is_kept, newest_place
from deskbridge.notify.bookmarks import Bookmarks
from deskbridge.notify.frames import (
    ConnectionTelling,
    Telling,
    TicketFacts,
    TicketTelling,
    beginning,
    is_about_a_connection,
    is_about_a_ticket,
    reset,
)
from deskbridge.notify.queries import ticket_facts
from deskbridge.notify.stream import Hub, Stream
from deskbridge.people.access import Access, Credential
from deskbridge.people.actor import Actor
from deskbridge.people.standing import standing

BATCH = 200
MOST_CAUGHT_UP = 5000
"""How many events a reader who comes back is told of; one who missed more is told to load anew."""

AFTER_FAILURE_SECONDS = 1.0
GOODBYE_SECONDS = 1.0
CHANGES_RIGHTS = {"RoleChanged", "UserDeactivated", "TeamUpdated", "TokensStolen"}
"""The events after which nobody hears of another one before their rights were read anew."""

HEADERS = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Pace:
    """How often the stream does what no event makes it do, in seconds."""

    heartbeat: float = 15.0
    recheck: float = 2.0


@dataclass(frozen=True)
class News:
    """Some events in order, and the tickets they are about as these now are."""

    events: Sequence[Row[Any]]
    tickets: dict[UUID, TicketFacts]

    def tellings(self, bookmarks: Bookmarks, events: Sequence[Row[Any]]) -> list[tuple[int, Telling]]:
        """Return what can be told of these events."""
        told = ((event.id, self._telling(event, partial(bookmarks.seal, event.id))) for event in events)
        return [(place, telling) for place, telling in told if telling is not None]

    def _telling(self, event: Row[Any], seal: Callable[[], bytes]) -> Telling | None:
        if is_about_a_ticket(event) and event.subject_id in self.tickets:
            return TicketTelling(event, self.tickets[event.subject_id], seal)
        return ConnectionTelling(event, seal) if is_about_a_connection(event) else None


def read_news(reader: Reader, after: int) -> News:
    """Return the next events after a place."""
    events = events_after(reader, after, BATCH)
    subjects = [event.subject_id for event in events if is_about_a_ticket(event)]
    return News(events, ticket_facts(reader, subjects) if subjects else {})


class Live:
    """The live streams of one web process."""

    def __init__(self, access: Access, pace: Pace | None = None) -> None:
        self.access, self.pace = access, pace or Pace()
        self.hub = Hub()
        self.bookmarks = Bookmarks(access.settings.SECRET_KEY.get_secret_value().encode())
        self._readers = 0
        self._wakes: Wakes | None = None
        self._known: asyncio.Future[None] | None = None
        """Done once the events are followed from a known place; None while nobody follows them."""
        self._closing = False

    @property
    def desk(self) -> Desk:
        return self.access.desk

    def open(self, credential: Credential, actor: Actor, last_event_id: str | None) -> "StreamResponse":
        """Return the stream of a reader, from their bookmark on if they have one; raises `RateLimited`."""
        self.hub.require_room(actor)
        return StreamResponse(self, credential, actor, last_event_id)

    def close(self) -> None:
        """End every stream, and take no more: the process is about to end."""
        self._closing = True
        self.hub.end()

    @asynccontextmanager
    async def joined(self, stream: Stream) -> AsyncIterator[int]:
        """Let a reader hear, while the block lasts, of everything that happens after the place that is given."""
        self._readers += 1
        try:
            await self._followed()
            self.hub.join(stream)
            try:
                if self._closing:
                    stream.ended()
                yield self.hub.place
            finally:
                self.hub.leave(stream)
        finally:
            self._readers -= 1
            if not self._readers and self._wakes is not None:
                self._wakes.wake()  # so that nobody follows for nobody

    # Following the events, while anybody reads

    async def _followed(self) -> None:
        """Return once this process follows the events."""
        if self._known is None:
            self._known = asyncio.get_running_loop().create_future()
            self._task = asyncio.create_task(self._follow(self._known))
        known = self._known
        await asyncio.wait({known})
        known.result()

    async def _follow(self, known: asyncio.Future[None]) -> None:
        try:
            self.hub.place = await self.desk.read(newest_place)
            async with waking(self.desk.database) as wakes:
                self._wakes = wakes
                known.set_result(None)
                await self._follow_while_read(wakes)
        except (SQLAlchemyError, DomainError) as error:
            self._known = None
            known.set_exception(error)
        except Exception:
            log.exception("stream.failed")
            self._known = None
            self.hub.end()

    async def _follow_while_read(self, wakes: Wakes) -> None:
        loop = asyncio.get_running_loop()
        beat_at, check_at = loop.time() + self.pace.heartbeat, loop.time() + self.pace.recheck
        lost = False
        while self._readers:
            try:
                await self._tell_news()
                if loop.time() >= check_at:
                    await self._recheck()
                    check_at = loop.time() + self.pace.recheck
                lost = False
            except (SQLAlchemyError, DomainError) as error:
                if not lost:
                    log.warning("stream.database_unavailable", error=str(error))
                lost = True
                await asyncio.sleep(AFTER_FAILURE_SECONDS)
            if loop.time() >= beat_at:
                self.hub.beat()
                beat_at = loop.time() + self.pace.heartbeat
            await wakes.wait(min(beat_at, check_at) - loop.time())
        self._known = None  # whoever comes now starts anew

    async def _tell_news(self) -> None:
        """Tell everybody of what has happened."""
        while True:
            news = await self.desk.read(read_news, self.hub.place)
            for event in news.events:
                if event.name in CHANGES_RIGHTS:
                    await self._recheck()
                for place, telling in news.tellings(self.bookmarks, [event]):
                    self.hub.tell(place, telling)
                self.hub.place = event.id
            if len(news.events) < BATCH:
                return
            await asyncio.sleep(0)

    async def _recheck(self) -> None:
        """Read anew what everybody may see, and end the streams of those who may not be here any more."""
        asked = {stream.credential for stream in self.hub}
        trust_admin = self.access.settings.AUTH_PROVISION_ADMIN
        self.hub.judge(asked, await self.desk.scan(standing, asked, trust_admin=trust_admin))


class StreamResponse(Response):
    """An answer that does not end by itself: what a reader missed, then what happens."""

    def __init__(self, live: Live, credential: Credential, actor: Actor, last_event_id: str | None) -> None:
        self.status_code, self.background = 200, None
        self._live, self._credential, self._actor, self._last_event_id = live, credential, actor, last_event_id

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        ready = Bell()
        try:
            async with asyncio.timeout(None) as lasting:
                stream = Stream(self._credential, self._actor, ready.ring, partial(_end, lasting))
                async with self._live.joined(stream) as joined_at:
                    gone = asyncio.create_task(_when_gone(receive, stream))
                    try:
                        await self._run(stream, joined_at, ready, send)
                    finally:
                        gone.cancel()
        except TimeoutError:
            if stream.was_cut:
                log.info("stream.cut", person=str(self._actor.id))
                return
        await _say_goodbye(send)

    async def _run(self, stream: Stream, joined_at: int, ready: "Bell", send: Send) -> None:
        """Send for as long as the stream lasts; its end comes as a cancellation, also while sending is held up."""
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        async for frame in self._opening(stream, joined_at):
            await _send(send, frame)
        while True:
            await ready.rung()
            await _send(send, stream.take())

    async def _opening(self, stream: Stream, joined_at: int) -> AsyncIterator[bytes]:
        """Yield what comes before the live events: what was missed, or the first bookmark."""
        live = self._live
        if self._last_event_id is None:
            yield beginning(live.bookmarks.seal(joined_at))
            return
        since = live.bookmarks.open(self._last_event_id)
        if since is not None:
            stream.after = since  # another process may have told of what this one has yet to hear of
        if since is None or not await live.desk.read(is_kept, since):
            stream.after = live.hub.place
            yield reset(live.bookmarks.seal(stream.after))
            return
        async for frame in self._missed(stream, since, joined_at):
            yield frame

    async def _missed(self, stream: Stream, since: int, until: int) -> AsyncIterator[bytes]:
        """Yield what happened between two places, as this reader may now see it."""
        live = self._live
        for _ in range(MOST_CAUGHT_UP // BATCH):
            if since >= until:
                return
            news = await live.desk.read(read_news, since)
            events = [event for event in news.events if event.id <= until]
            frames = [telling.to(stream.actor) for _, telling in news.tellings(live.bookmarks, events)]
            yield b"".join(frame for frame in frames if frame)
            if len(events) < BATCH:
                return
            since = events[-1].id
        yield reset(live.bookmarks.seal(until))


class Bell:
    """Rings for the one who waits: an `asyncio.Event` for each of many readers would take more time and memory."""

    __slots__ = ("_rang", "_waiting")

    def __init__(self) -> None:
        self._rang = False
        self._waiting: asyncio.Future[None] | None = None

    def ring(self) -> None:
        self._rang = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def rung(self) -> None:
        """Return once it rang since the last time."""
        if not self._rang:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        self._rang = False


def _end(lasting: asyncio.Timeout) -> None:
    """Let what lasts end now, unless it is ending already."""
    if not lasting.expired():
        lasting.reschedule(asyncio.get_running_loop().time())


async def _send(send: Send, frames: bytes) -> None:
    if frames:
        await send({"type": "http.response.body", "body": frames, "more_body": True})


async def _when_gone(receive: Receive, stream: Stream) -> None:
    """End the stream when its reader hangs up."""
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.ended()


async def _say_goodbye(send: Send) -> None:
    """End the answer as it should; a reader who does not take even that is not waited for."""
    try:
        async with asyncio.timeout(GOODBYE_SECONDS):
            await send({"type": "http.response.body", "body": b"", "more_body": False})
    except TimeoutError:
        return
