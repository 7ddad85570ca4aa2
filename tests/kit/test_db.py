"""The unit of work commits all or nothing, and the runner retries what may be retried and nothing else."""

import threading
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError
from tests.support.databases import TestDatabases
from tests.support.threads import at_once, together
from tools.servers import free_port

from deskbridge.kit.clock import SystemClock
from deskbridge.kit.db import Database, Reader, UnitOfWork
from deskbridge.kit.errors import Unavailable
from deskbridge.kit.events import Event, EventRow, Subscriptions
from deskbridge.kit.ids import new_id
from deskbridge.kit.queue import JobRow
from deskbridge.people.model import Team

pytestmark = pytest.mark.database
servers = pytest.mark.database("postgresql", "mariadb")
"""SQLite has one writer in this process: nobody waits in a circle there, and there is no line to lose."""


@dataclass(frozen=True, kw_only=True)
class TeaMade(Event):
    """Somebody made tea."""

    cups: int


def add_team(uow: UnitOfWork, name: str) -> None:
    uow.session.add(Team(id=new_id(), name=name, description="", active=True))


def make_tea(uow: UnitOfWork, cups: int = 1) -> None:
    add_team(uow, f"tea {cups}")
    uow.record(TeaMade(subject_id=new_id(), actor_id=None, cups=cups))
    uow.enqueue("wash", {"cups": cups})


def kept(database: Database) -> tuple[int, int, int]:
    """Return how many teams, events and jobs there are."""

    def count(column: Any) -> int:
        return database.read(lambda reader: reader.execute(select(func.count(column))).scalar_one())

    return count(Team.id), count(EventRow.id), count(JobRow.id)


def test_a_change_its_event_and_its_jobs_commit_together(database: Database) -> None:
    database.write(make_tea)
    assert kept(database) == (1, 1, 1)


def test_a_failing_use_case_leaves_nothing(database: Database) -> None:
    def fail(uow: UnitOfWork) -> None:
        make_tea(uow)
        uow.session.flush()
        raise LookupError("no milk")

    with pytest.raises(LookupError):
        database.write(fail)
    assert kept(database) == (0, 0, 0)


def test_events_keep_the_order_they_were_recorded_in(database: Database) -> None:
    database.write(lambda uow: [make_tea(uow, cups) for cups in range(1, 30)] and None)
    in_order = select(EventRow.payload).order_by(EventRow.id)
    payloads = database.read(lambda reader: reader.execute(in_order).scalars().all())
    assert [payload["cups"] for payload in payloads] == list(range(1, 30))


def test_a_follower_inside_the_transaction_sees_and_stops_it(database: Database) -> None:
    seen: list[int] = []

    def refuse_the_third(uow: UnitOfWork, tea: TeaMade) -> None:
        seen.append(tea.cups)
        if tea.cups == 3:
            raise LookupError("too much tea")

    database.subscriptions = Subscriptions()
    database.subscriptions.inside(TeaMade, refuse_the_third)
    database.write(make_tea, 2)
    with pytest.raises(LookupError):
        database.write(make_tea, 3)
    assert seen == [2, 3]
    assert kept(database) == (1, 1, 1)


def test_a_job_that_follows_an_event_is_written_with_it(database: Database) -> None:
    database.subscriptions = Subscriptions()
    database.subscriptions.after(TeaMade, "tidy")
    database.write(make_tea, 4)
    jobs = database.read(lambda reader: reader.execute(select(JobRow.kind, JobRow.payload)).all())
    (payload,) = [job.payload for job in jobs if job.kind == "tidy"]
    assert payload["event"] == "TeaMade"
    assert payload["payload"]["cups"] == 4


@servers
def test_the_loser_of_a_deadlock_runs_again(database: Database) -> None:
    database.write(lambda uow: [add_team(uow, name) for name in "ab"] and None)
    both_hold_one, runs = threading.Barrier(2), []

    def take(uow: UnitOfWork, first: str, second: str) -> None:
        runs.append(first)
        describe(uow, first)
        if len(runs) <= 2:
            both_hold_one.wait(timeout=20)
        describe(uow, second)

    outcomes = together([lambda: database.write(take, "a", "b"), lambda: database.write(take, "b", "a")])
    assert outcomes == [None, None]
    assert len(runs) == 3
    described = database.read(lambda reader: reader.execute(select(Team.description)).scalars().all())
    assert described == ["xx", "xx"]


def describe(uow: UnitOfWork, name: str) -> None:
    uow.execute(update(Team).where(Team.name == name).values(description=Team.description.concat("x")))


def test_who_loses_the_race_for_a_unique_name_sees_the_winner(database: Database) -> None:
    """The loser is run again, and then finds the row that was faster."""

    def add_unless_there(uow: UnitOfWork) -> str:
        if uow.execute(select(Team.id).where(Team.name == "one")).first():
            return "was there"
        add_team(uow, "one")
        return "added"

    outcomes = at_once(8, lambda: database.write(add_unless_there))
    assert sorted(outcomes) == ["added"] + ["was there"] * 7


def test_a_rule_that_stays_broken_is_an_error_in_the_end(database: Database) -> None:
    database.write(add_team, "one")
    runs = []

    def add_again(uow: UnitOfWork) -> None:
        runs.append(1)
        add_team(uow, "one")

    with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
        database.write(add_again)
    assert 1 < len(runs) <= 10


@servers
def test_a_connection_that_died_in_the_pool_is_replaced(database: Database, engine_name: str) -> None:
    database.write(add_team, "before")
    end_other_connections(database, engine_name)
    database.write(add_team, "after")
    assert kept(database)[0] == 2


def end_other_connections(database: Database, engine_name: str) -> None:
    """Do what a restart of the server does to the connections in the pool."""
    with database.read_engine.connect() as connection:
        if engine_name == "postgresql":
            others = "pid <> pg_backend_pid() AND datname = current_database()"
            connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
            return
        others = "id <> connection_id() AND db = database()"
        for (number,) in connection.execute(text(f"SELECT id FROM information_schema.processlist WHERE {others}")):
            connection.execute(text(f"KILL {number}"))


@servers
def test_a_commit_whose_outcome_is_unknown_is_not_repeated(database: Database, engine_name: str) -> None:
    """The connection breaks after the server committed: running it again would do it twice."""
    commit, broken = database.engine.dialect.do_commit, []

    def commit_and_lose_the_line(connection: Any) -> None:
        commit(connection)
        if not broken:
            broken.append(connection)
            end_other_connections(database, engine_name)
            connection.cursor().execute("SELECT 1")

    database.engine.dialect.do_commit = commit_and_lose_the_line
    try:
        with pytest.raises(Unavailable):
            database.write(lambda uow: add_team(uow, f"team {new_id()}"))
    finally:
        del database.engine.dialect.do_commit
    assert kept(database)[0] == 1


def test_a_database_that_is_away_is_unavailable(engine_name: str, databases: TestDatabases) -> None:
    databases.shared(engine_name)
    port = free_port()
    url = {
        "sqlite": "sqlite:////nowhere/at/all.db",
        "postgresql": f"postgresql://postgres@127.0.0.1:{port}/desk",
        "mariadb": f"mysql://root@127.0.0.1:{port}/desk",
    }[engine_name]
    away = Database(url)
    try:
        with pytest.raises(Unavailable):
            away.write(add_team, "x")
        with pytest.raises(Unavailable):
            away.read(lambda reader: reader.execute(select(Team.id)).all())
    finally:
        away.close()


def test_a_statement_that_is_wrong_is_not_retried(database: Database) -> None:
    runs = []

    def wrong(uow: UnitOfWork) -> None:
        runs.append(1)
        uow.execute(text("SELECT nothing FROM nowhere"))

    with pytest.raises(Exception, match="nowhere"):
        database.write(wrong)
    assert len(runs) == 1


@pytest.mark.database("sqlite")
def test_reading_on_sqlite_cannot_write(database: Database) -> None:
    with pytest.raises(Unavailable):
        database.read(lambda reader: reader.execute(update(Team).values(name="x")))


def test_all_of_one_unit_of_work_happens_at_one_instant(database: Database) -> None:
    database.clock = SystemClock()
    first, second = database.write(lambda uow: (uow.now, uow.now))
    assert first == second
    assert database.read(lambda reader: reader.now) > first


# Connections kept


def test_a_reading_that_failed_leaves_nothing_to_the_next(database: Database) -> None:
    def fail(reader: Reader) -> None:
        reader.execute(text("SELECT nothing FROM nowhere"))

    def one(reader: Reader) -> int:
        return int(reader.execute(text("SELECT 1")).scalar_one())

    for _ in range(3):
        assert database.read(one) == 1
        with pytest.raises((DBAPIError, Unavailable)):
            database.read(fail)
    assert database.read(one) == 1


def test_a_reading_sees_what_was_committed_since_the_last(database: Database) -> None:
    """Whatever a reading before has left unread on the connection that is kept."""

    def count(reader: Reader) -> int:
        return int(reader.execute(text("SELECT COUNT(*) FROM teams")).scalar_one())

    def begin_to_read(reader: Reader) -> None:
        reader.execute(text("SELECT * FROM teams")).fetchone()

    for number in range(3):
        before = database.read(count)
        database.write(add_team, f"team {number}")
        assert database.read(count) == before + 1
        database.read(begin_to_read)


def test_readings_at_the_same_time_each_have_a_connection(database: Database) -> None:
    inside = threading.Barrier(3, timeout=10)

    def meet(reader: Reader) -> int:
        inside.wait()
        return int(reader.execute(text("SELECT 1")).scalar_one())

    assert at_once(3, lambda: database.read(meet)) == [1, 1, 1]
    assert database.read(lambda reader: reader.execute(text("SELECT 1")).scalar_one()) == 1
