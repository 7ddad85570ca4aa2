"""Hot statements: the same rows and errors as SQLAlchemy's own way, on every engine, without its work for each run."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Select, bindparam, event, select, text
from sqlalchemy.exc import DBAPIError
from tests.factories import Cast, Factory

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database, UnitOfWork
from deskbridge.kit.errors import Unavailable
from deskbridge.kit.statements import MAX_TEXTS, Statement
from deskbridge.people.model import User
from deskbridge.tickets.model import Audience, Message, Status, Ticket

pytestmark = pytest.mark.database

TICKETS = select(Ticket.__table__).order_by(Ticket.number)
BY_STATUS = TICKETS.where(Ticket.status.in_(bindparam("status", expanding=True)))
BY_ID = TICKETS.where(Ticket.id.in_(bindparam("ids", expanding=True)), Ticket.created_at <= bindparam("at"))


@contextmanager
def only_on_the_driver(database: Database) -> Iterator[None]:
    """Fail when a statement takes SQLAlchemy's way while the block lasts."""
    taken: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        taken.append(statement)

    event.listen(database.read_engine, "before_cursor_execute", note)
    yield
    event.remove(database.read_engine, "before_cursor_execute", note)
    assert taken == []


def both(database: Database, query: Select[Any], parameters: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """Return the rows of a statement, and the same ones by SQLAlchemy."""
    statement = Statement(query)
    with only_on_the_driver(database):
        rows = database.read(lambda reader: reader.rows(statement, parameters))
    return rows, database.read(lambda reader: [tuple(row) for row in reader.execute(query, parameters)])


@pytest.fixture
def filled(make: Factory, cast: Cast, clock: ManualClock) -> list[UUID]:
    """Tickets with and without what they may be without."""
    first = make.ticket(cast.customer, tags=["ä", '"'], assignee_id=cast.agent.id, team_id=cast.support)
    clock.advance(timedelta(microseconds=1))
    second = make.ticket(cast.stranger, status=Status.PENDING_INFO)
    return [first.id, second.id]


def test_values_are_those_of_the_column_types(database: Database, filled: list[UUID]) -> None:
    rows, expected = both(database, TICKETS, {})
    assert rows == expected
    assert len(rows) == 2
    assert [[type(value) for value in row] for row in rows] == [[type(value) for value in row] for row in expected]


def test_lists_of_any_length_are_taken(database: Database, filled: list[UUID], clock: ManualClock) -> None:
    statement = Statement(BY_ID)

    def found(ids: list[UUID]) -> list[UUID]:
        with only_on_the_driver(database):
            return [row[0] for row in database.read(lambda r: r.rows(statement, {"ids": ids, "at": clock.now()}))]

    assert [found(ids) for ids in (filled, [], filled[1:], filled[::-1])] == [filled, [], filled[1:], filled]


def test_values_of_the_statement_itself_are_kept(database: Database, make: Factory, cast: Cast) -> None:
    ticket = make.ticket(cast.customer)
    make.message(cast.customer, ticket, "Public")
    query = select(Message.content).where(Message.ticket_id == bindparam("ticket"), Message.audience == Audience.PUBLIC)
    rows, expected = both(database, query, {"ticket": ticket.id})
    assert rows == expected == [("Public",)]


def test_the_same_text_serves_other_values(database: Database, filled: list[UUID]) -> None:
    statement = Statement(BY_STATUS)

    def numbers(*statuses: Status) -> int:
        with only_on_the_driver(database):
            return len(database.read(lambda reader: reader.rows(statement, {"status": list(statuses)})))

    assert [numbers(Status.PENDING_INFO), numbers(Status.CLOSED), numbers(Status.PENDING_INFO)] == [1, 0, 1]


def test_the_texts_kept_are_bounded(database: Database) -> None:
    statement = Statement(BY_STATUS)
    for length in range(1, MAX_TEXTS + 20):
        database.read(lambda reader, n=length: reader.rows(statement, {"status": [Status.NEW] * n}))
    assert len(statement._texts) <= MAX_TEXTS


def test_errors_are_sqlalchemys(database: Database) -> None:
    broken = Statement(select(text("nothing")).select_from(text("nowhere")))
    with pytest.raises((DBAPIError, Unavailable)) as theirs:
        database.read(lambda reader: reader.execute(broken._select))
    with pytest.raises(type(theirs.value)) as ours:
        database.read(lambda reader: reader.rows(broken, {}))
    assert str(ours.value) == str(theirs.value)


def test_a_unit_of_work_sees_what_it_has_not_written_yet(database: Database, make: Factory, cast: Cast) -> None:
    ticket = make.ticket(cast.customer)
    statement = Statement(select(Ticket.title).where(Ticket.id == bindparam("id")))

    def rename(uow: UnitOfWork) -> list[Any]:
        uow.session.get_one(Ticket, ticket.id).title = "Another"
        return uow.rows(statement, {"id": ticket.id})

    assert database.write(rename) == [("Another",)]


def test_an_unknown_value_of_an_enum_is_refused(database: Database, cast: Cast) -> None:
    assert cast.agent.id
    database.write(lambda uow: uow.execute(text("UPDATE users SET role = 'EMPEROR'")))
    with pytest.raises(LookupError, match="EMPEROR"):
        database.read(lambda reader: reader.rows(Statement(select(User.role)), {}))
