"""What a connection's failures and successes do to it: how long nothing is sent, how fast it may go, who is told."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.sync import timeline
from deskbridge.sync.connector import AuthFailed, Failure, RetryLater
from deskbridge.sync.events import ConnectionRecovered, ConnectionWentBad
from deskbridge.sync.model import Breaker, Connection

OUTAGES = 3
"""So many in a row open the breaker; a single one only makes its own link wait."""
SHORTEST, LONGEST = timedelta(seconds=5), timedelta(minutes=10)
PROBE_AUTH = timedelta(minutes=15)
QUOTA_WAIT = timedelta(hours=1)
SLOWEST = 0.05
NOTED_EVERY = timedelta(seconds=15)


def is_news(reader: Reader, connection_id: UUID) -> bool:
    """Tell whether a success changes what is known of a connection: it had failed, or the last one is long ago."""
    row = reader.execute(
        select(Connection.breaker, Connection.failures, Connection.pace, Connection.last_success_at).where(
            Connection.id == connection_id
        )
    ).one()
    was_well = row.breaker is Breaker.CLOSED and not row.failures and row.pace >= 1
    return not was_well or row.last_success_at is None or row.last_success_at + NOTED_EVERY <= reader.now


def succeeded(uow: UnitOfWork, row: Connection) -> None:
    """A round reached the tracker: the breaker closes, and the pace comes back bit by bit."""
    row.last_success_at = uow.now
    row.pace = min(1.0, row.pace + 0.05)
    was_bad = row.bad_since is not None
    row.breaker, row.open_until, row.failures, row.bad_since, row.last_error = Breaker.CLOSED, None, 0, None, None
    if was_bad:
        timeline.add(uow, row.id, "connection.recovered")
        uow.record(ConnectionRecovered(subject_id=row.id, actor_id=None, name=row.name))


def failed(uow: UnitOfWork, row: Connection, failure: Failure) -> None:
    """A round could not reach the tracker: hold the connection up for as long as its failure asks."""
    row.last_error = failure.reason[:2000]
    timeline.add(uow, row.id, "held.up", {"reason": row.last_error})
    if isinstance(failure, AuthFailed):
        _open(uow, row, Breaker.AUTH, PROBE_AUTH)
    elif isinstance(failure, RetryLater) and failure.quota:
        _open(uow, row, Breaker.QUOTA, failure.after or QUOTA_WAIT)
    elif isinstance(failure, RetryLater) and failure.after is not None:
        row.pace = max(SLOWEST, row.pace / 2)
        row.breaker, row.open_until = Breaker.THROTTLED, uow.now + failure.after
    else:
        row.failures += 1
        if row.failures >= OUTAGES:
            _open(uow, row, Breaker.OUTAGE, min(LONGEST, SHORTEST * 2 ** min(row.failures - OUTAGES, 10)))


def _open(uow: UnitOfWork, row: Connection, breaker: Breaker, wait: timedelta) -> None:
    row.breaker, row.open_until = breaker, uow.now + wait
    if row.bad_since is None:
        row.bad_since = uow.now
        timeline.add(uow, row.id, "connection.went_bad", {"because": breaker, "reason": row.last_error})
        uow.record(
            ConnectionWentBad(
                subject_id=row.id, actor_id=None, name=row.name, because=breaker, reason=row.last_error or ""
            )
        )
