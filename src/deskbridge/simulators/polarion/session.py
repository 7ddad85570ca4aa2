"""One request's view of the repository: who acts, when, and the one revision that all its changes become."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from deskbridge.simulators.polarion import model
from deskbridge.simulators.store import State

Record = Mapping[str, Any]


class Session:
    """As in a Subversion commit, everything one request changes carries the same revision; reading makes none."""

    def __init__(self, state: State, now: datetime, user: str = model.INTEGRATION_USER) -> None:
        self.state = state
        self.moment = now
        self.user = user
        self._changes: list[str] = []

    @cached_property
    def now(self) -> str:
        return stamp(self.moment)

    @cached_property
    def revision(self) -> str:
        return str(self.state.next("revision"))

    def record(self, message: str) -> None:
        """Note a change in this request's revision."""
        self._changes.append(message)
        more = len(self._changes) - 1
        text = f"{self._changes[0]} and {more} more" if more else message
        revision = {"id": self.revision, "created": self.now, "author": self.user, "message": text}
        self.state.table("revisions").put(self.revision, revision)


def stamp(moment: datetime) -> str:
    """A moment as Polarion writes it: UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
