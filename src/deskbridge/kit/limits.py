"""Limits on tries, counted in the database so that restarts and several processes share them."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.errors import RateLimited
from deskbridge.kit.ids import fingerprint
from deskbridge.kit.model import Base, Digest


class Tries(Base):
    """How often something was tried in the window that ends at `until`; what was tried is kept only as a digest."""

    __tablename__ = "tries"

    what: Mapped[bytes] = mapped_column(Digest, primary_key=True)
    tried: Mapped[int]
    until: Mapped[datetime]


def require_tries_left(reader: Reader, what: str, allowed: int) -> None:
    """Raise `RateLimited` when `what` was already tried `allowed` times in its window."""
    row = reader.execute(select(Tries.tried, Tries.until).where(Tries.what == fingerprint(what))).one_or_none()
    if row is not None and row.until > reader.now and row.tried >= allowed:
        raise RateLimited(max(1, round((row.until - reader.now).total_seconds())))


def count_try(uow: UnitOfWork, what: str, window: timedelta) -> None:
    """Count one try; the first one opens the window, and of two first ones the slower runs again and finds it open."""
    key = fingerprint(what)
    counted = uow.execute(update(Tries).where(Tries.what == key, Tries.until > uow.now).values(tried=Tries.tried + 1))
    if not counted.rowcount:
        uow.execute(delete(Tries).where(Tries.what == key, Tries.until <= uow.now))
        uow.session.add(Tries(what=key, tried=1, until=uow.now + window))


def forget_tries(uow: UnitOfWork, what: str) -> None:
    """Forget the tries, after one that succeeded."""
    uow.execute(delete(Tries).where(Tries.what == fingerprint(what)))


def sweep_tries(uow: UnitOfWork) -> None:
    """Remove the windows that are over."""
    uow.execute(delete(Tries).where(Tries.until <= uow.now))
