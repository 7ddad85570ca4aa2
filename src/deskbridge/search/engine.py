"""The port to the databases' full-text engines: one small adapter for each, all given the same tokens."""

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import ColumnElement, FromClause

from deskbridge.kit.db import UnitOfWork
from deskbridge.search import mariadb, postgres, sqlite
from deskbridge.search.query import Term


class SearchEngine(Protocol):
    """What an engine's module has."""

    WORDS: FromClause
    """The engine's table."""

    DOCUMENT_ID: ColumnElement[int]
    """Its column that joins `documents.id`."""

    def put(self, uow: UnitOfWork, rows: Sequence[dict[str, Any]]) -> None:
        """Store the tokens of new documents, as {"document_id", "tokens"}."""
        ...

    def drop(self, uow: UnitOfWork, document_ids: Sequence[int]) -> None:
        """Forget documents."""
        ...

    def expression(self, terms: Sequence[Term]) -> str:
        """Return the terms in the engine's own query language; every one must match."""
        ...

    def matches(self, asked: ColumnElement[str]) -> ColumnElement[bool]:
        """Return the condition that a document matches."""
        ...

    def rank(self, asked: ColumnElement[str]) -> ColumnElement[float]:
        """Return how well a matching document fits: more is better, comparable within one engine only."""
        ...


ENGINES: dict[str, SearchEngine] = {"sqlite": sqlite, "postgresql": postgres, "mariadb": mariadb}


def engine_for(dialect: str) -> SearchEngine:
    """Return the adapter of a database."""
    return ENGINES[dialect]
