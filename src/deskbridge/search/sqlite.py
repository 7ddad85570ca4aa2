"""SQLite's full-text engine, FTS5: an index that keeps no copy of the text."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Float, FromClause, column, delete, func, insert, literal_column, table

from deskbridge.kit.db import UnitOfWork
from deskbridge.search.query import Term

_TABLE = table("search_fts", column("rowid"), column("tokens"))
WORDS: FromClause = _TABLE
DOCUMENT_ID: ColumnElement[int] = _TABLE.c.rowid


def put(uow: UnitOfWork, rows: Sequence[dict[str, Any]]) -> None:
    uow.execute(insert(_TABLE), [{"rowid": row["document_id"], "tokens": row["tokens"]} for row in rows])


def drop(uow: UnitOfWork, document_ids: Sequence[int]) -> None:
    uow.execute(delete(_TABLE).where(DOCUMENT_ID.in_(document_ids)))


def expression(terms: Sequence[Term]) -> str:
    return " AND ".join(f'"{" ".join(term.tokens)}"{"*" if term.prefix else ""}' for term in terms)


def matches(asked: ColumnElement[str]) -> ColumnElement[bool]:
    return literal_column("search_fts", Boolean).op("MATCH", is_comparison=True)(asked)


def rank(asked: ColumnElement[str]) -> ColumnElement[float]:
    del asked  # FTS5 ranks by the query of the statement
    return -func.bm25(literal_column("search_fts"), type_=Float)
