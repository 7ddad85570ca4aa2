"""Reading the desk's own events, whose ids come in the order of their commits: none is missed, none read twice."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.events import EventRow
from deskbridge.sync.model import Tail

NAME, BATCH = "filing", 500


def begin(uow: UnitOfWork) -> None:
    """Begin to read from here on, unless reading has begun: what was there before is no news."""
    if uow.session.get(Tail, NAME) is None:
        uow.session.add(Tail(name=NAME, position=_last(uow)))


def is_behind(reader: Reader) -> bool:
    """Tell whether there are events that were not read yet: a look that locks nothing."""
    newer = select(EventRow.id).join(Tail, EventRow.id > Tail.position).where(Tail.name == NAME)
    return reader.execute(newer.limit(1)).first() is not None


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
