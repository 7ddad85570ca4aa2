"""Public numbers that count up: by a sequence where the database has one, under SQLite's one writer elsewhere."""

from sqlalchemy import Sequence, func, select
from sqlalchemy.orm import InstrumentedAttribute

from deskbridge.kit.db import UnitOfWork


def next_number(uow: UnitOfWork, sequence: Sequence, column: InstrumentedAttribute[int]) -> int:
    """Return the next number of `column`, never given out twice; gaps are possible after a rollback."""
    if uow.dialect != "sqlite":
        return int(uow.connection.scalar(select(sequence.next_value())) or 0)
    highest = uow.execute(select(func.max(column))).scalar()
    return (sequence.start or 1) if highest is None else highest + 1
