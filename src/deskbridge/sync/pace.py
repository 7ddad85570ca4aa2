"""How fast a connection's tracker is called, by every thread of every process: the database tells whose turn it is."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import bindparam, select

from deskbridge.kit.db import Database, Reader, UnitOfWork
from deskbridge.kit.statements import Statement
from deskbridge.sync import breaker
from deskbridge.sync.connections import locked
from deskbridge.sync.connector import RetryLater
from deskbridge.sync.model import Breaker, Connection, PaceRow

SLOWEST_RATE = 0.5
"""Calls a second, however often a tracker wanted fewer: with less, a round would outlive its lease."""
KEPT, LONG_AGO = timedelta(seconds=1), timedelta(days=1)

_STATE = Statement(
    select(Connection.breaker, Connection.open_until, Connection.last_error, Connection.pace).where(
        Connection.id == bindparam("connection_id")
    )
)


@dataclass(frozen=True)
class Turns:
    """So many calls that may be made now, or how long it is until there is one."""

    count: int
    wait: timedelta


class SharedPace:
    """One thread's part in the pace of a connection.

    It takes the turns of up to a second at once, and those it does not use in that second are lost. Before each call it
    looks whether the tracker wants none: what one thread was told holds for all, at once.
    """

    def __init__(self, database: Database, connection_id: UUID, rate: float, burst: float) -> None:
        self._database, self._connection_id, self._rate, self._burst = database, connection_id, rate, burst
        self._turns, self._until = 0, database.clock.now()

    def take(self) -> timedelta:
        """Take a turn and return zero, or return how long until there may be one; raises `RetryLater` while held."""
        if self._turns and self._database.clock.now() < self._until:
            self._database.read(require_open, self._connection_id)
        else:
            turns = self._database.write(take_turns, self._connection_id, self._rate, self._burst)
            self._turns, self._until = turns.count, self._database.clock.now() + KEPT
        if not self._turns:
            return turns.wait
        self._turns -= 1
        return timedelta(0)

    def hold(self, failure: RetryLater) -> None:
        """Let nobody call for as long as the tracker asked, and everybody less often after that."""
        self._turns = 0
        self._database.write(_hold, self._connection_id, failure)


def speed(rate: float, share: float) -> float:
    """Return how many calls a second a connection makes that its tracker lets have this share of its rate."""
    return max(rate * share, min(rate, SLOWEST_RATE))


def require_open(reader: Reader, connection_id: UUID) -> float:
    """Return the share of its rate that a connection has just now; raises `RetryLater` while it is held up."""
    rows = reader.named(_STATE, {"connection_id": connection_id})
    if not rows:
        raise RetryLater("the connection was removed")
    (row,) = rows
    if until := breaker.held_until(row.breaker, row.open_until, reader.now):
        reason = row.last_error or "the tracker asked us to wait"
        raise RetryLater(reason, until - reader.now, quota=row.breaker is Breaker.QUOTA)
    share: float = row.pace
    return share


def take_turns(uow: UnitOfWork, connection_id: UUID, rate: float, burst: float) -> Turns:
    """Take the turns there are, up to a second's; raises `RetryLater` while the connection is held up.

    `free_at` is when all turns so far are paid for: it is never further back than `burst` calls take.
    """
    calls_a_second = speed(rate, require_open(uow, connection_id))
    step = max(timedelta(seconds=1 / calls_a_second), timedelta.resolution)
    row = _locked_row(uow, connection_id)
    free_at = max(row.free_at, uow.now - burst * step)
    ready = (uow.now - free_at) // step
    count = min(ready, max(1, int(calls_a_second)))
    row.rate, row.free_at = rate, free_at + count * step
    return Turns(count, timedelta(0) if count else free_at + step - uow.now)


def _locked_row(uow: UnitOfWork, connection_id: UUID) -> PaceRow:
    row: PaceRow | None = uow.session.get(PaceRow, connection_id, with_for_update=True)
    if row is None:
        locked(uow, connection_id)  # one at a time makes the row
        row = uow.session.get(PaceRow, connection_id, with_for_update=True)
    if row is None:
        row = PaceRow(connection_id=connection_id, free_at=uow.now - LONG_AGO)
        uow.session.add(row)
    return row


def _hold(uow: UnitOfWork, connection_id: UUID, failure: RetryLater) -> None:
    breaker.failed(uow, locked(uow, connection_id), failure)
