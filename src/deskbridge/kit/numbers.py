"""Public numbers that count up: by a sequence where the database has one, under SQLite's one writer elsewhere."""

from sqlalchemy import Sequence, SQLColumnExpression, func, select
from sqlalchemy.orm import InstrumentedAttribute

from deskbridge.kit.db import UnitOfWork


def next_number(uow: UnitOfWork, sequence: Sequence, column: InstrumentedAttribute[int]) -> int:
    """Return the next number of `column`, never given out twice; gaps are possible after a rollback."""
    return int(uow.execute(select(number_on_insert(uow, sequence, column))).scalar_one())


def number_on_insert(
    uow: UnitOfWork, sequence: Sequence, column: InstrumentedAttribute[int]
) -> SQLColumnExpression[int]:
    """Return the next number as part of the INSERT that takes it and reads it back: one statement less."""
    if uow.dialect != "sqlite":
        return sequence.next_value()
    return select(func.coalesce(func.max(column) + 1, sequence.start or 1)).scalar_subquery()
