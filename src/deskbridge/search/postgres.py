"""PostgreSQL's full-text engine: a tsvector per document under a GIN index."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Float, FromClause, bindparam, column, delete, func, insert, literal_column, table

from deskbridge.kit.db import UnitOfWork
from deskbridge.search.query import Term

_TABLE = table("search_vectors", column("document_id"), column("vector"))
WORDS: FromClause = _TABLE
DOCUMENT_ID: ColumnElement[int] = _TABLE.c.document_id
SIMPLE: ColumnElement[str] = literal_column("'simple'::regconfig")


def put(uow: UnitOfWork, rows: Sequence[dict[str, Any]]) -> None:
    vector = func.to_tsvector(SIMPLE, bindparam("tokens"))
    uow.execute(insert(_TABLE).values(document_id=bindparam("document_id"), vector=vector), list(rows))


def drop(uow: UnitOfWork, document_ids: Sequence[int]) -> None:
    uow.execute(delete(_TABLE).where(DOCUMENT_ID.in_(document_ids)))


def expression(terms: Sequence[Term]) -> str:
    return " & ".join(f"({' <-> '.join(term.tokens)}{':*' if term.prefix else ''})" for term in terms)


def matches(asked: ColumnElement[str]) -> ColumnElement[bool]:
    return WORDS.c.vector.op("@@", is_comparison=True)(func.to_tsquery(SIMPLE, asked))


def rank(asked: ColumnElement[str]) -> ColumnElement[float]:
    return func.ts_rank_cd(WORDS.c.vector, func.to_tsquery(SIMPLE, asked), type_=Float)
