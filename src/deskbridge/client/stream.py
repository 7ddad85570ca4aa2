"""Server-Sent Events, read as they come."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Frame:
    """One frame of a stream: `id` names where to resume, `event` what happened, `data` what is told of it (JSON)."""

    id: str
    event: str
    data: str


def frames_of(lines: Iterable[str]) -> Iterator[Frame]:
    """Yield the frames in the lines of a stream; comments (heartbeats) and a frame that was cut off yield nothing."""
    last, event, data = "", "", list[str]()
    for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield Frame(last, event or "message", "\n".join(data))
            event, data = "", []
        elif name == "id":
            last = value
        elif name == "event":
            event = value
        elif name == "data":
            data.append(value)
