"""MariaDB's full-text engine: the tokens in a column under a FULLTEXT index, asked in boolean mode."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, column, delete, insert, table
from sqlalchemy.dialects.mysql import match

from deskbridge.kit.db import UnitOfWork
from deskbridge.search.query import Term

_TABLE = table("search_texts", column("document_id"), column("tokens"))
WORDS: FromClause = _TABLE
DOCUMENT_ID: ColumnElement[int] = _TABLE.c.document_id


def put(uow: UnitOfWork, rows: Sequence[dict[str, Any]]) -> None:
    uow.execute(insert(_TABLE), list(rows))


def drop(uow: UnitOfWork, document_ids: Sequence[int]) -> None:
    uow.execute(delete(_TABLE).where(DOCUMENT_ID.in_(document_ids)))


def expression(terms: Sequence[Term]) -> str:
    return " ".join(_required(term) for term in terms)


def _required(term: Term) -> str:
    """A phrase, or one word; a phrase whose last word may go on is its beginning as a phrase, and that word apart."""
    *before, last = term.tokens
    if not before:
        return f"+{last}{'*' if term.prefix else ''}"
    if not term.prefix:
        return f'+"{" ".join(term.tokens)}"'
    return f'+"{" ".join(before)}" +{last}*' if len(before) > 1 else f"+{before[0]} +{last}*"


def matches(asked: ColumnElement[str]) -> ColumnElement[bool]:
    return match(WORDS.c.tokens, against=asked).in_boolean_mode()


def rank(asked: ColumnElement[str]) -> ColumnElement[float]:
    return match(WORDS.c.tokens, against=asked).in_boolean_mode()
