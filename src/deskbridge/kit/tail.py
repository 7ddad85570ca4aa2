"""Reading events in the order they committed in, without a gap: whoever inserts events does so alone up to the commit.

PostgreSQL and MariaDB would let transactions commit in another order than they took their ids in, and a reader who is
past the higher id would never see the lower one. So events are inserted last, and under a lock (`UnitOfWork.finish`).
PostgreSQL's own order of transactions would do without, but it waits for every writer of the whole cluster.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, delete, func, select

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.events import EventRow

KEPT = timedelta(days=7)
"""How long events are kept: a reader that was away for longer starts anew."""

SWEPT_AT_ONCE = 5000
BEGINNING = 0
"""The place before the first event; any other place is after the event of that id."""


def newest_place(reader: Reader) -> int:
    """Return the place after the last event."""
    newest: int | None = reader.execute(select(func.max(EventRow.id))).scalar_one()
    return newest or BEGINNING


def events_after(reader: Reader, place: int, limit: int) -> Sequence[Row[Any]]:
    """Return the next events after a place, rows of `EventRow`, at most `limit`."""
    events = select(EventRow.__table__).where(EventRow.id > place).order_by(EventRow.id).limit(limit)
    return reader.execute(events).all()


def is_kept(reader: Reader, place: int) -> bool:
    """Tell whether every event after a place is still there."""
    if place == BEGINNING:
        return reader.execute(select(func.min(EventRow.id))).scalar_one() in {None, 1}
    return reader.execute(select(EventRow.id).where(EventRow.id == place)).one_or_none() is not None


def sweep_events(uow: UnitOfWork) -> bool:
    """Remove events older than `KEPT`, one batch of the oldest; return whether there may be more."""
    oldest = select(EventRow.id, EventRow.at).order_by(EventRow.id).limit(SWEPT_AT_ONCE)
    old = [row.id for row in uow.execute(oldest) if row.at <= uow.now - KEPT]
    if old:
        uow.execute(delete(EventRow).where(EventRow.id <= old[-1], EventRow.at <= uow.now - KEPT))
    return len(old) == SWEPT_AT_ONCE
