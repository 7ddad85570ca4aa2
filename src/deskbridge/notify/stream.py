"""The hub of a process's live streams: who reads, and what waits for each. Pure: the edge moves the bytes."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from uuid import UUID

from deskbridge.kit.errors import RateLimited
from deskbridge.kit.tail import BEGINNING
from deskbridge.notify.frames import HEARTBEAT, Telling
from deskbridge.people.access import Credential
from deskbridge.people.actor import Actor

MOST_WAITING = 256
MOST_WAITING_BYTES = 1024 * 1024
MOST_STREAMS = 20
"""How many streams one person may read from one web process at a time."""

RETRY_SECONDS = 30


class Stream:
    """One reader, and the frames that wait for it. `ready` is called when there are some, `ended` when it is over."""

    __slots__ = ("_frames", "_size", "actor", "after", "credential", "ended", "ready", "was_cut")

    def __init__(
        self, credential: Credential, actor: Actor, ready: Callable[[], None], ended: Callable[[], None]
    ) -> None:
        self.credential, self.actor, self.ready, self.ended = credential, actor, ready, ended
        self.after = BEGINNING
        self.was_cut = False
        self._frames: list[bytes] = []
        self._size = 0

    def offer(self, place: int, frame: bytes) -> None:
        """Let a frame wait for its reader; one who lets too much wait is cut off, and resumes from its bookmark."""
        if place <= self.after or self.was_cut:
            return
        if len(self._frames) >= MOST_WAITING or self._size + len(frame) > MOST_WAITING_BYTES:
            self.was_cut = True
            self._frames.clear()
            self.ended()
            return
        self._frames.append(frame)
        self._size += len(frame)
        self.ready()

    def beat(self) -> None:
        """Show a reader for whom nothing waits that the stream is alive."""
        if not self._frames and not self.was_cut:
            self._frames.append(HEARTBEAT)
            self._size += len(HEARTBEAT)
            self.ready()

    def take(self) -> bytes:
        """Return everything that waits, and let go of it."""
        taken = b"".join(self._frames)
        self._frames.clear()
        self._size = 0
        return taken


class Hub:
    """The streams of one process, all of which have heard of everything up to `place`."""

    def __init__(self) -> None:
        self.place = BEGINNING
        self._streams: dict[UUID | None, set[Stream]] = defaultdict(set)

    def __iter__(self) -> Iterator[Stream]:
        return iter([stream for streams in self._streams.values() for stream in streams])

    def __bool__(self) -> bool:
        return bool(self._streams)

    def require_room(self, actor: Actor) -> None:
        """Raise `RateLimited` when a person reads as many streams as one may."""
        if len(self._streams.get(actor.id, ())) >= MOST_STREAMS:
            raise RateLimited(RETRY_SECONDS, f"You read {MOST_STREAMS} live streams already. Close one first.")

    def join(self, stream: Stream) -> None:
        """Add a reader, who hears of everything after the hub's place, and after its own `after`."""
        self._streams[stream.actor.id].add(stream)

    def leave(self, stream: Stream) -> None:
        """Remove a reader."""
        readers = self._streams[stream.actor.id]
        readers.discard(stream)
        if not readers:
            del self._streams[stream.actor.id]

    def tell(self, place: int, telling: Telling) -> None:
        """Offer an event to everybody who may hear of it."""
        for stream in self:
            frame = telling.to(stream.actor)
            if frame is not None:
                stream.offer(place, frame)

    def judge(self, asked: AbstractSet[Credential], standing: Mapping[Credential, Actor]) -> None:
        """Give the readers who were asked about the rights they have now; end the streams of those who have none."""
        for stream in self:
            if stream.credential in standing:
                stream.actor = standing[stream.credential]
            elif stream.credential in asked:  # and not somebody who came in the meantime
                stream.ended()

    def beat(self) -> None:
        """Send the heartbeat that all streams share."""
        for stream in self:
            stream.beat()

    def end(self) -> None:
        """End every stream."""
        for stream in self:
            stream.ended()
