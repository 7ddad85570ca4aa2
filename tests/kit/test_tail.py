"""Events are read in the order they commit in and none is passed over, whatever ids they were given."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import text

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database, UnitOfWork
from deskbridge.kit.events import Event
from deskbridge.kit.ids import new_id
from deskbridge.kit.tail import (
    BEGINNING,
    KEPT,
    SWEPT_AT_ONCE,
    events_after,
    is_kept,
    newest_place,
    sweep_events,
)

pytestmark = pytest.mark.database
servers = pytest.mark.database("postgresql", "mariadb")
PATIENCE_SECONDS = 20


@dataclass(frozen=True, kw_only=True)
class BellRung(Event):
    """Somebody rang."""

    times: int


def ring(uow: UnitOfWork, times: int) -> None:
    uow.record(BellRung(subject_id=new_id(), actor_id=None, times=times))


class Follower:
    """Reads on from where it was, as the live stream does."""

    def __init__(self, database: Database) -> None:
        self.database, self.heard = database, list[int]()
        self.place = database.read(newest_place)

    def catch_up(self) -> list[int]:
        """Return everything heard so far."""
        for event in self.database.read(events_after, self.place, 1000):
            assert event.id > self.place
            self.place = event.id
            self.heard.append(event.payload["times"])
        return self.heard


@contextmanager
def held_open(database: Database, use_case: Callable[[UnitOfWork], None]) -> Iterator[None]:
    """Run a use case in a transaction of its own connection, up to right before its commit; commit after the block."""
    done, commit = threading.Event(), threading.Event()

    def work(uow: UnitOfWork) -> None:
        use_case(uow)
        uow.finish()
        uow._events.clear()
        done.set()
        assert commit.wait(PATIENCE_SECONDS)

    thread = threading.Thread(target=database.write, args=(work,))
    thread.start()
    try:
        assert done.wait(PATIENCE_SECONDS)
        yield
    finally:
        commit.set()
        thread.join()


def somebody_waits(database: Database) -> bool:
    """Tell whether a connection of this database waits for a lock."""
    waiting = {
        "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock'",
        "mariadb": "SELECT count(*) FROM information_schema.processlist WHERE db = database()"
        " AND command = 'Query' AND info LIKE 'SELECT event_gate%' AND time_ms > 50",
    }
    found: int = database.read(lambda reader: reader.execute(text(waiting[reader.dialect])).scalar_one())
    return found > 0


@servers
def test_an_event_that_commits_late_is_not_passed_over(database: Database) -> None:
    """Two connections, the first of which holds its transaction open: the second one is heard of after it."""
    follower = Follower(database)
    second = threading.Thread(target=database.write, args=(ring, 2))
    with held_open(database, lambda uow: ring(uow, 1)):
        second.start()
        while second.is_alive() and not somebody_waits(database):
            pass
        assert follower.catch_up() == []
    second.join()
    assert follower.catch_up() == [1, 2]


@servers
def test_who_starts_while_a_transaction_is_open_hears_of_it_once(database: Database) -> None:
    database.write(ring, 0)
    with held_open(database, lambda uow: ring(uow, 1)):
        follower = Follower(database)
    assert follower.catch_up() == [1]


@servers
def test_many_writers_at_once_and_a_reader_who_never_stops(database: Database) -> None:
    """Eight connections; whoever reads all the while hears every event once, those of one writer in order."""
    follower = Follower(database)
    writers, each = 8, 12

    def write(writer: int) -> None:
        for number in range(each):
            database.write(ring, writer * 100 + number)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(writers)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        follower.catch_up()
    heard = follower.catch_up()
    assert len(heard) == len(set(heard)) == writers * each
    for writer in range(writers):
        assert [one for one in heard if one // 100 == writer] == [writer * 100 + number for number in range(each)]


def test_what_is_rolled_back_is_not_heard_of(database: Database) -> None:
    follower = Follower(database)

    def fail(uow: UnitOfWork) -> None:
        ring(uow, 1)
        uow.finish()
        raise LookupError

    with pytest.raises(LookupError):
        database.write(fail)
    database.write(ring, 2)
    assert follower.catch_up() == [2]


def test_a_process_is_woken_by_what_it_commits_and_by_nothing_else(database: Database) -> None:
    woken: list[int] = []

    def wake() -> None:
        woken.append(len(database.read(events_after, BEGINNING, 10)))

    database.wakes.add(wake)
    try:
        database.write(lambda uow: uow.enqueue("nothing", {}))
        assert woken == []
        database.write(ring, 1)
    finally:
        database.wakes.discard(wake)
    assert woken == [1]


def test_places_are_kept_until_what_comes_after_them_is_swept(database: Database, clock: ManualClock) -> None:
    assert database.read(is_kept, BEGINNING)
    database.write(ring, 1)
    first = database.read(newest_place)
    clock.advance(KEPT)
    database.write(ring, 2)
    second = database.read(newest_place)
    assert database.read(is_kept, first)
    assert not database.read(is_kept, second + 1)
    assert database.write(sweep_events) is False
    assert not database.read(is_kept, first)
    assert not database.read(is_kept, BEGINNING)
    assert database.read(is_kept, second)


def test_sweeping_goes_on_where_there_is_more(
    database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert SWEPT_AT_ONCE > 2
    monkeypatch.setattr("deskbridge.kit.tail.SWEPT_AT_ONCE", 2)
    for number in range(5):
        database.write(ring, number)
    clock.advance(KEPT + timedelta(seconds=1))
    assert [database.write(sweep_events) for _ in range(3)] == [True, True, False]
    assert database.read(newest_place) == BEGINNING
