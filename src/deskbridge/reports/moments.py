"""Arithmetic with stored times, in the words of each engine."""

from typing import Any

from sqlalchemy import BigInteger, Float
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

QUARTER = 15 * 60
"""Seconds of the finest stretch that reports count by: every time zone in use is a multiple of it off UTC."""


class quarters(FunctionElement[int]):  # noqa: N801 - reads as the SQL function it is
    """The number of whole quarters of an hour from 1970 to a stored time."""

    name = "quarters"
    type = BigInteger()
    inherit_cache = True


class minutes_between(FunctionElement[float]):  # noqa: N801
    """The minutes from one stored time to another."""

    name = "minutes_between"
    type = Float()
    inherit_cache = True


def _clauses(element: FunctionElement[Any], compiler: Any, **options: Any) -> list[str]:
    return [compiler.process(clause, **options) for clause in element.clauses]


@compiles(quarters, "sqlite")
def _quarters_sqlite(element: quarters, compiler: Any, **options: Any) -> str:
    (at,) = _clauses(element, compiler, **options)
    return f"(CAST(strftime('%s', substr({at}, 1, 19)) AS INTEGER) / {QUARTER})"


@compiles(quarters, "postgresql")
def _quarters_postgresql(element: quarters, compiler: Any, **options: Any) -> str:
    (at,) = _clauses(element, compiler, **options)
    return f"CAST(floor(extract(epoch FROM {at}) / {QUARTER}) AS BIGINT)"


@compiles(quarters, "mysql", "mariadb")
def _quarters_mariadb(element: quarters, compiler: Any, **options: Any) -> str:
    (at,) = _clauses(element, compiler, **options)
    return f"(TIMESTAMPDIFF(SECOND, '1970-01-01', {at}) DIV {QUARTER})"


@compiles(minutes_between, "sqlite")
def _minutes_sqlite(element: minutes_between, compiler: Any, **options: Any) -> str:
    start, end = _clauses(element, compiler, **options)
    seconds = [f"CAST(strftime('%s', substr({at}, 1, 19)) AS INTEGER)" for at in (start, end)]
    parts = [f"CAST(substr({at}, 20, 7) AS REAL)" for at in (start, end)]
    return f"(({seconds[1]} - {seconds[0]} + {parts[1]} - {parts[0]}) / 60.0)"


@compiles(minutes_between, "postgresql")
def _minutes_postgresql(element: minutes_between, compiler: Any, **options: Any) -> str:
    start, end = _clauses(element, compiler, **options)
    return f"CAST(extract(epoch FROM {end} - {start}) / 60.0 AS DOUBLE PRECISION)"


@compiles(minutes_between, "mysql", "mariadb")
def _minutes_mariadb(element: minutes_between, compiler: Any, **options: Any) -> str:
    start, end = _clauses(element, compiler, **options)
    return f"(TIMESTAMPDIFF(MICROSECOND, {start}, {end}) / 60000000e0)"
