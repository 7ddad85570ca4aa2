"""Tries are counted in the database, within a window, and forgotten after success."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from tests.support.threads import outcomes_of

from deskbridge.kit import limits
from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.kit.errors import RateLimited
from deskbridge.kit.limits import Tries

pytestmark = pytest.mark.database
WINDOW = timedelta(minutes=15)


def take(database: Database, allowed: int = 3, what: str = "door", times: int = 1) -> None:
    for _ in range(times):
        database.write(limits.take_try, what, allowed, WINDOW)


def test_tries_run_out(database: Database) -> None:
    take(database, times=3)
    for _ in range(2):
        with pytest.raises(RateLimited) as refused:
            take(database)
        assert refused.value.retry_after == WINDOW.total_seconds()


def test_the_window_begins_with_the_first_try_and_ends(database: Database, clock: ManualClock) -> None:
    take(database)
    clock.advance(WINDOW - timedelta(seconds=1))
    take(database, times=2)
    with pytest.raises(RateLimited) as refused:
        take(database)
    assert refused.value.retry_after == 1
    clock.advance(timedelta(seconds=1))
    take(database, times=3)
    with pytest.raises(RateLimited):
        take(database)


def test_each_thing_has_its_own_count(database: Database) -> None:
    for what in ("door", "Door", "door ", "d\u00f6\u00f6r"):
        take(database, what=what, times=3)
        with pytest.raises(RateLimited):
            take(database, what=what)


def test_success_forgets(database: Database) -> None:
    take(database, times=3)
    database.write(limits.forget_tries, "door")
    take(database, times=3)
    with pytest.raises(RateLimited):
        take(database)


def test_a_try_that_turned_out_well_is_given_back(database: Database) -> None:
    take(database, times=3)
    database.write(limits.give_try_back, "door")
    take(database)
    with pytest.raises(RateLimited):
        take(database)
    database.write(limits.give_try_back, "window")
    take(database, what="window", times=3)


def test_of_tries_at_the_same_instant_none_is_free(database: Database) -> None:
    outcomes = outcomes_of([lambda: take(database, allowed=4)] * 12)
    assert outcomes.count(None) == 4
    assert sum(isinstance(outcome, RateLimited) for outcome in outcomes) == 8


def test_windows_that_are_over_are_swept(database: Database, clock: ManualClock) -> None:
    take(database, what="old")
    clock.advance(WINDOW)
    take(database, what="new", times=3)
    database.write(limits.sweep_tries)
    assert database.read(lambda reader: reader.execute(select(func.count(Tries.what))).scalar_one()) == 1
    with pytest.raises(RateLimited):
        take(database, what="new")
