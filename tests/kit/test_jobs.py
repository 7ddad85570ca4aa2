"""Queued work is done once, again after a failure, by another worker after a death, and never silently dropped."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from tests.support.threads import at_once

from deskbridge.kit import jobs
from deskbridge.kit.clock import ManualClock, SystemClock
from deskbridge.kit.db import Database, UnitOfWork
from deskbridge.kit.errors import NotFound, Unavailable
from deskbridge.kit.ids import new_id
from deskbridge.kit.jobs import LEASE, Job, Schedule, Worker
from deskbridge.kit.queue import JobRow
from deskbridge.people.model import Team

pytestmark = pytest.mark.database
BACKOFF = timedelta(seconds=40)
"""Longer than any wait before the fifth try: 2, 4, 8, 16 seconds, a fifth more or less."""


def leave_row(uow: UnitOfWork, payload: dict[str, Any]) -> None:
    uow.session.add(Team(id=new_id(), name=f"{payload} {new_id()}", description=str(payload.get("n", "")), active=True))


def rows(database: Database) -> list[str]:
    return list(database.read(lambda r: r.execute(select(Team.description).order_by(Team.id)).scalars().all()))


def queue(database: Database) -> list[JobRow]:
    return list(database.write(lambda uow: uow.session.execute(select(JobRow)).scalars().all()))


def enqueue(database: Database, kind: str, *numbers: int, delay_seconds: float = 0) -> None:
    database.write(lambda uow: [uow.enqueue(kind, {"n": n}, delay_seconds=delay_seconds) for n in numbers] and None)


def test_a_job_is_done_once_and_gone(database: Database) -> None:
    enqueue(database, "row", 1)
    worker = Worker(database, [Job("row", run=leave_row)])
    assert worker.run_due() == 1
    assert worker.run_due() == 0
    assert rows(database) == ["1"]
    assert queue(database) == []


def test_jobs_come_in_the_order_they_fall_due(database: Database, clock: ManualClock) -> None:
    enqueue(database, "row", 3, delay_seconds=2)
    enqueue(database, "row", 2, delay_seconds=1)
    enqueue(database, "row", 1)
    clock.advance(timedelta(seconds=2))
    Worker(database, [Job("row", run=leave_row)]).run_due()
    assert rows(database) == ["1", "2", "3"]


def test_a_delayed_job_waits(database: Database, clock: ManualClock) -> None:
    enqueue(database, "row", 1, delay_seconds=30)
    worker = Worker(database, [Job("row", run=leave_row)])
    clock.advance(timedelta(seconds=29))
    assert worker.run_due() == 0
    clock.advance(timedelta(seconds=1))
    assert worker.run_due() == 1


def test_a_worker_leaves_kinds_it_does_not_know_to_others(database: Database) -> None:
    enqueue(database, "newer kind", 1)
    assert Worker(database, [Job("row", run=leave_row)]).run_due() == 0
    assert [job.attempts for job in queue(database)] == [0]


def test_a_failing_job_leaves_nothing_and_waits_longer_each_time(database: Database, clock: ManualClock) -> None:
    def fail(uow: UnitOfWork, payload: dict[str, Any]) -> None:
        leave_row(uow, payload)
        raise LookupError("no tea left")

    enqueue(database, "tea", 1)
    worker, waits = Worker(database, [Job("tea", run=fail)]), []
    for _ in range(4):
        assert worker.run_due() == 1
        (job,) = queue(database)
        waits.append((job.run_at - clock.now()).total_seconds())
        assert worker.run_due() == 0
        clock.at = job.run_at
    assert rows(database) == []
    for wait, middle in zip(waits, (2, 4, 8, 16), strict=True):
        assert 0.8 * middle <= wait <= 1.2 * middle


def test_after_its_last_try_a_job_is_parked_with_its_reason_and_can_be_replayed(
    database: Database, clock: ManualClock
) -> None:
    broken = True

    def perhaps(uow: UnitOfWork, payload: dict[str, Any]) -> None:
        if broken:
            raise LookupError("no tea left")
        leave_row(uow, payload)

    enqueue(database, "tea", 1)
    enqueue(database, "row", 2)
    worker = Worker(database, [Job("tea", run=perhaps, tries=3), Job("row", run=leave_row)])
    for _ in range(6):
        worker.run_due()
        clock.advance(BACKOFF)
    (parked,) = database.read(jobs.parked)
    assert (parked.kind, parked.attempts) == ("tea", 3)
    assert parked.last_error == "LookupError: no tea left"
    assert rows(database) == ["2"]
    broken = False
    database.write(jobs.replay, parked.id)
    worker.run_due()
    assert rows(database) == ["2", "1"]
    assert queue(database) == []


def test_only_a_parked_job_can_be_replayed(database: Database) -> None:
    enqueue(database, "tea", 1)
    (job,) = queue(database)
    for unknown in (job.id, new_id()):
        with pytest.raises(NotFound):
            database.write(jobs.replay, unknown)


def test_a_job_under_lease_is_nobody_elses_until_the_lease_ends(database: Database, clock: ManualClock) -> None:
    enqueue(database, "row", 1)
    (held,) = database.write(jobs.lease, new_id(), ["row"], 10)
    other = Worker(database, [Job("row", run=leave_row)])
    clock.advance(LEASE - timedelta(microseconds=1))
    assert other.run_due() == 0
    clock.advance(timedelta(microseconds=1))
    assert other.run_due() == 1
    assert held.attempts == 1
    assert rows(database) == ["1"]


def test_a_worker_that_lost_its_lease_commits_nothing(database: Database, clock: ManualClock) -> None:
    """It was thought dead, and wakes up in the middle of the work that another one has done by then."""
    enqueue(database, "row", 1)
    late, quick = new_id(), Worker(database, [Job("row", run=leave_row)])
    (held,) = database.write(jobs.lease, late, ["row"], 10)
    clock.advance(LEASE)
    assert quick.run_due() == 1
    with pytest.raises(jobs.LeaseLost):
        database.write(jobs._run_and_remove, leave_row, held, late)
    for use_case in (jobs.extend, jobs.remove):
        with pytest.raises(jobs.LeaseLost):
            database.write(use_case, held.id, late)
    assert rows(database) == ["1"]


def test_a_slow_effect_keeps_its_lease(database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The renewing thread moves the lease on while the effect still runs."""
    monkeypatch.setattr(jobs, "RENEW_EVERY", timedelta(milliseconds=5))
    renewed = threading.Event()
    extend = jobs.extend

    def extend_and_tell(uow: UnitOfWork, job_id: UUID, worker: UUID) -> None:
        extend(uow, job_id, worker)
        if uow.now > started:
            renewed.set()

    monkeypatch.setattr(jobs, "extend", extend_and_tell)
    others: list[int] = []

    def slow(database: Database, _payload: dict[str, Any]) -> None:
        clock.advance(LEASE - timedelta(seconds=1))
        assert renewed.wait(20)
        clock.advance(timedelta(seconds=2))
        others.append(Worker(database, [Job("slow", run=leave_row)]).run_due())

    started = clock.now()
    enqueue(database, "slow", 1)
    Worker(database, [Job("slow", effect=slow)]).run_due()
    assert others == [0]
    assert queue(database) == []


def test_an_effect_that_fails_comes_again(database: Database, clock: ManualClock) -> None:
    calls: list[int] = []

    def send(_database: Database, _payload: dict[str, Any]) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise ConnectionError("refused")

    enqueue(database, "send", 1)
    worker = Worker(database, [Job("send", effect=send)])
    worker.run_due()
    (job,) = queue(database)
    assert job.last_error == "ConnectionError: refused"
    clock.advance(BACKOFF)
    worker.run_due()
    assert len(calls) == 2
    assert queue(database) == []


def test_a_job_is_declared_with_exactly_one_way_to_run() -> None:
    with pytest.raises(ValueError, match="either run or effect"):
        Job("neither")
    with pytest.raises(ValueError, match="either run or effect"):
        Job("both", run=leave_row, effect=lambda _database, _payload: None)


def test_a_schedule_queues_once_per_turn_whoever_looks(database: Database, clock: ManualClock) -> None:
    schedule = [Schedule("row", timedelta(hours=1))]
    workers = [Worker(database, [Job("row", run=leave_row)], schedule) for _ in range(3)]

    def everybody_looks() -> int:
        for worker in workers:
            worker.run_due()
        return len(rows(database))

    assert everybody_looks() == 1
    clock.advance(timedelta(minutes=59))
    assert everybody_looks() == 1
    clock.advance(timedelta(minutes=1))
    assert everybody_looks() == 2


def test_a_schedule_missed_for_days_is_caught_up_once(database: Database, clock: ManualClock) -> None:
    worker = Worker(database, [Job("row", run=leave_row)], [Schedule("row", timedelta(hours=1))])
    worker.run_due()
    clock.advance(timedelta(days=3))
    for _ in range(5):
        worker.run_due()
    assert len(rows(database)) == 2


def test_workers_that_look_at_the_same_instant_queue_a_schedule_once(database: Database, clock: ManualClock) -> None:
    schedules = [Schedule(f"kind {n}", timedelta(hours=1)) for n in range(5)]
    for turn in (1, 2):
        at_once(8, lambda: database.write(jobs.queue_schedules, schedules))
        assert len(queue(database)) == 5 * turn
        clock.advance(timedelta(hours=1))


def test_a_worker_loop_survives_a_failing_database_and_stops_when_told(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, worker = threading.Event(), Worker(database, [Job("row", run=leave_row)])
    run_due, calls = worker.run_due, []

    def first_away() -> int:
        calls.append(1)
        worker.wake.set()
        if len(calls) == 1:
            raise Unavailable
        done = run_due()
        if not done:
            stop.set()
        return done

    monkeypatch.setattr(worker, "run_due", first_away)
    enqueue(database, "row", 1)
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    thread.join(timeout=20)
    assert not thread.is_alive()
    assert rows(database) == ["1"]


# Two real processes


class Process:
    """A worker in a process of its own, that runs a batch when told to."""

    def __init__(self, url: str) -> None:
        command = [sys.executable, "-m", "tests.support.worker_process", url]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    @property
    def pid(self) -> int:
        return self.process.pid

    def run_batch(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def says(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@contextmanager
def worker_processes(url: str, number: int) -> Iterator[list[Process]]:
    processes = [Process(url) for _ in range(number)]
    try:
        assert [process.says() for process in processes] == ["ready"] * number
        yield processes
    finally:
        for process in processes:
            process.kill()


def test_two_processes_share_one_queue_without_doing_anything_twice(database: Database, database_url: str) -> None:
    """Both run a batch at the same time, over and over, until neither finds anything."""
    database.clock = SystemClock()
    numbers = range(150)
    database.write(lambda uow: [uow.enqueue("count", {"number": n}) for n in numbers] and None)
    found = [""]
    with worker_processes(database_url, 2) as processes:
        while any(number != "0" for number in found):
            for process in processes:
                process.run_batch()
            found = [process.says() for process in processes]
    done = [row.split() for row in rows(database)]
    assert sorted(int(number) for number, _ in done) == list(numbers)
    assert {int(process) for _, process in done} == {process.pid for process in processes}
    assert queue(database) == []


def test_the_job_of_a_killed_worker_is_taken_over_and_done_once(database: Database, database_url: str) -> None:
    database.clock = SystemClock()
    database.write(lambda uow: uow.enqueue("hang", {"number": 7}))
    with worker_processes(database_url, 1) as (process,):
        process.run_batch()
        assert process.says() == "started"
        process.kill()
    assert rows(database) == []
    (job,) = queue(database)
    assert job.attempts == 1
    survivor = Worker(database, [Job("hang", run=leave_row)])
    assert survivor.run_due() == 0
    database.clock = ManualClock(job.run_at)
    # The server may take a moment to notice the death and to let go of the row.
    assert any(survivor.run_due() for _ in range(500))
    assert len(rows(database)) == 1
    assert queue(database) == []
