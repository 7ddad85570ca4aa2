"""Tries are counted in the database, within a window, and forgotten after success."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from tests.support.threads import at_once

from deskbridge.kit import limits
from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.kit.errors import RateLimited
from deskbridge.kit.limits import Tries

pytestmark = pytest.mark.database
WINDOW = timedelta(minutes=15)


def try_often(database: Database, times: int, what: str = "door") -> None:
    for _ in range(times):
        database.write(limits.count_try, what, WINDOW)


def test_tries_run_out(database: Database) -> None:
    try_often(database, 2)
    database.read(limits.require_tries_left, "door", 3)
    try_often(database, 1)
    with pytest.raises(RateLimited) as refused:
        database.read(limits.require_tries_left, "door", 3)
    assert refused.value.retry_after == WINDOW.total_seconds()


def test_the_window_begins_with_the_first_try_and_ends(database: Database, clock: ManualClock) -> None:
    try_often(database, 1)
    clock.advance(WINDOW - timedelta(seconds=1))
    try_often(database, 2)
    with pytest.raises(RateLimited) as refused:
        database.read(limits.require_tries_left, "door", 3)
    assert refused.value.retry_after == 1
    clock.advance(timedelta(seconds=1))
    database.read(limits.require_tries_left, "door", 3)
    try_often(database, 1)
    database.read(limits.require_tries_left, "door", 2)


def test_each_thing_has_its_own_count(database: Database) -> None:
    try_often(database, 3, "door")
    database.read(limits.require_tries_left, "Door", 3)
    database.read(limits.require_tries_left, "door ", 3)


def test_success_forgets(database: Database) -> None:
    try_often(database, 3)
    database.write(limits.forget_tries, "door")
    database.read(limits.require_tries_left, "door", 1)


def test_tries_at_the_same_instant_all_count(database: Database) -> None:
    at_once(12, lambda: database.write(limits.count_try, "door", WINDOW))
    counted = database.read(lambda reader: reader.execute(select(Tries.tried)).scalars().all())
    assert counted == [12]


def test_windows_that_are_over_are_swept(database: Database, clock: ManualClock) -> None:
    try_often(database, 1, "old")
    clock.advance(WINDOW)
    try_often(database, 1, "new")
    database.write(limits.sweep_tries)
    assert database.read(lambda reader: reader.execute(select(func.count(Tries.what))).scalar_one()) == 1
    with pytest.raises(RateLimited):
        database.read(limits.require_tries_left, "new", 1)
