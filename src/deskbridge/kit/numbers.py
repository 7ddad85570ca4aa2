"""Public numbers that count up: by a sequence where the database has one, under SQLite's one writer elsewhere."""

from sqlalchemy import Sequence, SQLColumnExpression, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute

from deskbridge.kit.db import UnitOfWork

AT_ONCE = 1000  # as many steps as MariaDB lets a recursive query take


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


def next_numbers(uow: UnitOfWork, sequence: Sequence, column: InstrumentedAttribute[int], count: int) -> list[int]:
    """Return the next `count` numbers of `column`, ascending; for bulk inserts, where `next_number` says the rest."""
    if not count:
        return []
    if uow.dialect == "sqlite":
        first = next_number(uow, sequence, column)
        return list(range(first, first + count))
    numbers: list[int] = []
    for done in range(0, count, AT_ONCE):
        steps = select(literal(1).label("step")).cte("steps", recursive=True)
        steps = steps.union_all(select(steps.c.step + 1).where(steps.c.step < min(AT_ONCE, count - done)))
        numbers += uow.connection.scalars(select(sequence.next_value()).select_from(steps))
    return sorted(numbers)
