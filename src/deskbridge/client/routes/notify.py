"""What can be called: notify. Written by `make docs` from the API's routes; change those instead."""

from collections.abc import Iterator
from typing import TypeVar

from deskbridge.client.calls import Call, Calls
from deskbridge.client.stream import Frame

A = TypeVar("A")


class NotifyRoutes:
    """The routes of the API that are about notify."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def stream(self) -> Iterator[Frame]:
        """Deliver ticket, message and SLA events as Server-Sent Events while the connection lasts; to leads those
        of sync.

        Each event carries what the reader may see at that moment. `id` is a bookmark: sent back as
        `Last-Event-ID`, by browsers on their own, it brings everything that happened since, for up to seven
        days; when that is too much, an event `reset` asks to load anew. A line that begins with a colon is a
        heartbeat. Credentials come as a cookie or in the header `Authorization`, never in the address; the
        stream ends with them.
        """
        return self._calls.frames(Call("GET", "/api/v1/stream"))
