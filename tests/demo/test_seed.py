"""Seeding: tickets that could be real, as many as asked for, in a desk that goes on afterwards."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import func, select

from deskbridge.demo.seed import seed_tickets
from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.kit.events import EventRow
from deskbridge.kit.queue import JobRow
from deskbridge.kit.schema import upgrade
from deskbridge.people.actor import SYSTEM
from deskbridge.people.model import User
from deskbridge.search.queries import Order, search
from deskbridge.sla.model import SlaClock
from deskbridge.tickets.model import Audience, HistoryEntry, HistoryType, Message, Priority, Status, Ticket, TicketTag
from deskbridge.tickets.workflow import FINISHED, is_step
from deskbridge.worker import build_worker

COUNT = 1200
FEW = 60
NOW = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
TABLES = (User, Ticket, TicketTag, Message, HistoryEntry, SlaClock)


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One seeded desk for all tests that only look at it."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('seed')}/desk.db", ManualClock(NOW))
    upgrade(database.engine)
    seed_tickets(database, COUNT, 1, quiet)
    yield database
    database.close()


def quiet(_done: int, _total: int) -> None:
    """Nobody watches."""


def rows(database: Database, query):
    return database.read(lambda reader: reader.execute(query).all())


def count(database: Database, table) -> int:
    return rows(database, select(func.count()).select_from(table))[0][0]


@pytest.mark.database
def test_as_many_as_asked_for_and_the_desk_goes_on_numbering_after_them(database, make):
    told = seed_tickets(database, FEW, 1, quiet)
    assert count(database, Ticket) == told.tickets == FEW
    assert count(database, Message) == told.messages
    assert count(database, HistoryEntry) == told.history_entries
    assert count(database, User) == told.people
    highest = rows(database, select(func.max(Ticket.number)))[0][0]
    highest_customer = rows(database, select(func.max(User.customer_number)))[0][0]
    person = make.person()
    assert int(person.customer_id.removeprefix("C-")) > highest_customer
    assert make.ticket(person).number > highest
    assert seed_tickets(database, 10, 1, quiet).people == 0
    assert count(database, Ticket) == FEW + 11


def test_about_three_messages_each(seeded):
    assert 2.5 < count(seeded, Message) / COUNT < 3.5


def test_the_same_number_and_seed_make_the_same_tickets(databases, engine_name, database):
    def everything():
        return {table.__tablename__: sorted(map(str, rows(database, select(table.__table__)))) for table in TABLES}

    seed_tickets(database, FEW, 7, quiet)
    first = everything()
    databases.emptied(engine_name)
    seed_tickets(database, FEW, 7, quiet)
    assert everything() == first
    databases.emptied(engine_name)
    seed_tickets(database, FEW, 8, quiet)
    assert everything() != first


def test_every_status_and_priority_and_three_languages(seeded):
    assert {row[0] for row in rows(seeded, select(Ticket.status).distinct())} == set(Status)
    assert {row[0] for row in rows(seeded, select(Ticket.priority).distinct())} == set(Priority)
    writers = select(User.locale).join(Message, Message.author_id == User.id).distinct()
    assert {row[0] for row in rows(seeded, writers)} == {"en", "de", "it"}
    assert {row[0] for row in rows(seeded, select(Message.audience).distinct())} == set(Audience)
    words = [text for row in rows(seeded, select(Ticket.title, Ticket.description)) for text in row]
    assert not [text for text in words if "{" in text]


def test_tickets_are_numbered_in_the_order_of_time_and_lie_in_the_past(seeded):
    created = [row[0] for row in rows(seeded, select(Ticket.created_at).order_by(Ticket.number))]
    assert created == sorted(created)
    assert created[-1] < NOW < created[0] + timedelta(weeks=80)
    assert rows(seeded, select(func.max(HistoryEntry.at)))[0][0] <= NOW


def test_more_happens_on_workdays_by_day(seeded):
    hours = Counter((at.weekday() < 5 and 7 <= at.hour < 19) for [at] in rows(seeded, select(Ticket.created_at)))
    assert hours[True] > 5 * hours[False]


def test_every_life_keeps_the_workflow_and_ends_as_its_ticket_is(seeded):
    changes: dict = {}
    query = select(HistoryEntry.ticket_id, HistoryEntry.old, HistoryEntry.new)
    query = query.where(HistoryEntry.type == HistoryType.STATUS_CHANGE)
    for ticket_id, old, new in rows(seeded, query.order_by(HistoryEntry.at, HistoryEntry.id)):
        changes.setdefault(ticket_id, [Status.NEW]).append(Status(new))
        assert changes[ticket_id][-2] == old
    for ticket in rows(seeded, select(Ticket.__table__)):
        walked = changes.get(ticket.id, [Status.NEW])
        assert walked[-1] is ticket.status
        assert all(is_step(old, new) for old, new in pairwise(walked))
        assert (ticket.assignee_id is None) == (ticket.status is Status.NEW)
        assert (ticket.resolved_at is not None) == (ticket.status in FINISHED)
        assert (ticket.closed_at is not None) == (ticket.status is Status.CLOSED)


def test_a_worker_finds_nothing_to_put_right(settings, database, clock):
    seed_tickets(database, COUNT, 1, quiet)
    before = rows(database, select(Ticket.__table__).order_by(Ticket.number))
    worker = build_worker(settings, database)
    while worker.run_due():
        pass
    assert rows(database, select(Ticket.__table__).order_by(Ticket.number)) == before
    assert rows(database, select(func.count()).where(SlaClock.next_check_at <= clock.now()))[0][0] == 0


def test_breaches_are_flagged_and_written_down(seeded):
    query = select(HistoryEntry.ticket_id, HistoryEntry.field).where(HistoryEntry.type == HistoryType.SLA_BREACH)
    written = set(map(tuple, rows(seeded, query)))
    flagged = {(row[0], "response") for row in rows(seeded, select(Ticket.id).where(Ticket.response_breached))}
    flagged |= {(row[0], "resolution") for row in rows(seeded, select(Ticket.id).where(Ticket.resolution_breached))}
    assert written == flagged
    assert 0 < len(flagged) < COUNT


@pytest.mark.database
def test_seeded_tickets_are_found_and_nobody_hears_of_them(database):
    seed_tickets(database, FEW, 1, quiet)
    assert (count(database, EventRow), count(database, JobRow)) == (0, 0)
    ticket = rows(database, select(Ticket.__table__).order_by(Ticket.number.desc()).limit(1))[0]
    found = database.read(search, SYSTEM, f'"{ticket.title}"', Order.RECENCY).items
    assert ticket.number in [item.ticket.number for item in found]


def test_interrupted_it_leaves_whole_tickets(database: Database, clock: ManualClock):
    def interrupt(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        seed_tickets(database, 1500, 1, interrupt)
    assert count(database, Ticket) == 1000
    created = select(func.count()).where(HistoryEntry.type == HistoryType.CREATED)
    assert rows(database, created)[0][0] == 1000
