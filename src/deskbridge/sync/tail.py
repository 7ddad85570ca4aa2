"""Reading the desk's own events, whose ids come in the order of their commits: none is missed, none read twice."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.events import EventRow
from deskbridge.kit.statements import Statement
from deskbridge.sync.model import Tail
from deskbridge.tickets.events import TicketOpened

NAME, BATCH = "filing", 500
OPENED = TicketOpened.__name__
MOST_UNREAD = 100
"""So many events of which none opened a ticket are left unread, rather than noting the place after each."""

_UNREAD = Statement(
    select(EventRow.name)
    .join(Tail, EventRow.id > Tail.position)
    .where(Tail.name == NAME)
    .order_by(EventRow.id)
    .limit(MOST_UNREAD)
)


def begin(uow: UnitOfWork) -> None:
    """Begin to read from here on, unless reading has begun: what was there before is no news."""
    if uow.session.get(Tail, NAME) is None:
        uow.session.add(Tail(name=NAME, position=_last(uow)))


def is_behind(reader: Reader) -> bool:
    """Tell whether it is time to read: for an opened ticket, or for there being much. A look that locks nothing."""
    unread = reader.rows(_UNREAD, {})
    return len(unread) == MOST_UNREAD or (OPENED,) in unread


def read(uow: UnitOfWork) -> Sequence[Row[Any]]:
    """Return the next events (`id`, `name`, `subject_id`), which then count as read; none while another worker does."""
    tail = _locked(uow)
    if tail is None:
        return []
    rows = uow.execute(
        select(EventRow.id, EventRow.name, EventRow.subject_id)
        .where(EventRow.id > tail.position)
        .order_by(EventRow.id)
        .limit(BATCH)
    ).all()
    tail.position = rows[-1].id if rows else tail.position
    return rows


def skip(uow: UnitOfWork) -> None:
    """Let everything there is count as read."""
    tail = _locked(uow)
    if tail is not None:
        tail.position = _last(uow)


def _locked(uow: UnitOfWork) -> Tail | None:
    found: Tail | None = uow.session.execute(
        select(Tail).where(Tail.name == NAME).with_for_update(skip_locked=True)
    ).scalar_one_or_none()
    return found


def _last(reader: Reader) -> int:
    return int(reader.execute(select(func.max(EventRow.id))).scalar_one() or 0)
