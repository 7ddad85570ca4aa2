"""Limits on tries, counted in the database so that restarts and several processes share them."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from deskbridge.kit.db import UnitOfWork
from deskbridge.kit.errors import RateLimited
from deskbridge.kit.ids import fingerprint
from deskbridge.kit.model import Base, Digest


class Tries(Base):
    """How often something was tried in the window that ends at `until`; what was tried is kept only as a digest."""

    __tablename__ = "tries"

    what: Mapped[bytes] = mapped_column(Digest, primary_key=True)
    tried: Mapped[int]
    until: Mapped[datetime]


def take_try(uow: UnitOfWork, what: str, allowed: int, window: timedelta) -> None:
    """Count one try, before it is made; raises `RateLimited`, and counts nothing, after `allowed` in the window.

    The first one opens the window. Tries at the same instant wait for one another here, so that none goes uncounted.
    """
    key = fingerprint(what)
    open_window = (Tries.what == key, Tries.until > uow.now)
    counted = uow.execute(update(Tries).where(*open_window, Tries.tried < allowed).values(tried=Tries.tried + 1))
    if counted.rowcount:
        return
    row = uow.execute(select(Tries.tried, Tries.until).where(*open_window)).one_or_none()
    if row is not None and row.tried >= allowed:
        raise RateLimited(max(1, round((row.until - uow.now).total_seconds())))
    uow.execute(delete(Tries).where(Tries.what == key, Tries.until <= uow.now))
    uow.session.add(Tries(what=key, tried=1, until=uow.now + window))  # the slower of two first ones runs again


def give_try_back(uow: UnitOfWork, what: str) -> None:
    """Take back one try that turned out well, of a thing that others try too."""
    uow.execute(update(Tries).where(Tries.what == fingerprint(what), Tries.tried > 0).values(tried=Tries.tried - 1))


def forget_tries(uow: UnitOfWork, what: str) -> None:
    """Forget the tries, after one that succeeded."""
    uow.execute(delete(Tries).where(Tries.what == fingerprint(what)))


def sweep_tries(uow: UnitOfWork) -> None:
    """Remove the windows that are over."""
    uow.execute(delete(Tries).where(Tries.until <= uow.now))
