"""The time a simulator believes in: the real one, moved, or standing still."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The present as an aware UTC datetime."""
        ...


class SettableClock:
    """Real time plus an offset, or a fixed moment that only `advance` moves."""

    def __init__(self, at: datetime | None = None) -> None:
        self._frozen = at
        self._offset = timedelta()

    def now(self) -> datetime:
        return self._frozen or datetime.now(UTC) + self._offset

    def shift(self, seconds: float) -> None:
        """Run with the real clock, this many seconds ahead (behind when negative)."""
        self._frozen, self._offset = None, timedelta(seconds=seconds)

    def freeze(self, at: datetime) -> None:
        self._frozen = at

    def advance(self, seconds: float) -> None:
        step = timedelta(seconds=seconds)
        if self._frozen is None:
            self._offset += step
        else:
            self._frozen += step
