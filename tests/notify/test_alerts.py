"""Operators hear of a connection that goes bad, stays so and recovers: real mail, the engine's own events."""

from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import select
from tests.conftest import settings_of
from tests.factories import Cast
from tests.support.mail import Sink, mail_server
from tests.sync.test_jira_in_step import portal_ticket
from tests.sync.test_trouble import set_and_set_back
from tests.sync.world import World, world

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.kit.ids import new_id
from deskbridge.kit.jobs import Worker, parked
from deskbridge.kit.queue import JobRow
from deskbridge.notify.alerts import SEND_MAIL
from deskbridge.people.actor import SYSTEM
from deskbridge.sync import connections
from deskbridge.sync.model import Connection, FailureClass, FailureState, SyncFailure
from deskbridge.tickets import service as tickets
from deskbridge.wiring import wire

HOUR = timedelta(hours=1)
MONITOR = "https://desk.example.org/desk/sync"


@pytest.fixture
def sink() -> Iterator[Sink]:
    with mail_server() as made:
        yield made


@pytest.fixture
def jira(database: Database, clock: ManualClock) -> Iterator[World]:
    with world(database, clock, "jira") as made:
        yield made


def worker_of(world: World, sink: Sink, **changes: Any) -> Worker:
    """Wire the desk as one that mails to the sink, and connect it."""
    values = {
        "SMTP_URL": f"smtp://127.0.0.1:{sink.port}",
        "MAIL_FROM": "desk@example.org",
        "OPERATOR_EMAILS": "ops@example.org,second@example.org",
        "BASE_URL": "https://desk.example.org/",
        **changes,
    }
    wiring = wire(settings_of("sqlite:///unused.db", **values))
    world.database.subscriptions = wiring.subscriptions
    world.connect("jira")
    return Worker(world.database, wiring.jobs, wiring.schedules)


def mails(worker: Worker, sink: Sink) -> list[EmailMessage]:
    """Run what is due; return what arrived since the last time."""
    before = len(sink.mails)
    for _ in range(20):
        if not worker.run_due():
            return sink.mails[before:]
    raise AssertionError("the worker never comes to rest")


def subjects(found: list[EmailMessage]) -> list[tuple[str, str]]:
    return sorted((str(mail["To"]), str(mail["Subject"])) for mail in found)


def to_both(subject: str) -> list[tuple[str, str]]:
    return [("ops@example.org", subject), ("second@example.org", subject)]


def lock_out(world: World, cast: Cast) -> None:
    ticket = portal_ticket(world, cast)
    world.settle()
    body = '{"errorMessages": ["desk-token of desk@example.org is wrong"]}'
    world.remotes["jira"].fault("status", "", ".*", status=401, body=body, times=None)
    world.database.write(tickets.update_ticket, SYSTEM, ticket.id, {"title": "Private words"})
    world.settle(rounds=3)


def test_operators_hear_once_that_it_went_bad_each_hour_that_it_is_and_once_that_it_is_well(
    jira: World, cast: Cast, sink: Sink
) -> None:
    worker = worker_of(jira, sink)
    assert mails(worker, sink) == []
    lock_out(jira, cast)
    told = mails(worker, sink)
    assert subjects(told) == to_both("Jira is not in step any more")
    assert "Enter valid ones" in told[0].get_content()
    jira.settle(rounds=3)
    assert mails(worker, sink) == []

    fail_twice(jira)
    jira.tick(HOUR)
    jira.run()
    still = mails(worker, sink)
    assert subjects(still) == to_both("Jira is still not in step")
    assert "\n  2 x rejected, field summary\n  1 x unmapped\n" in still[0].get_content().replace("\r\n", "\n")
    assert mails(worker, sink) == []

    jira.remotes["jira"].heal()
    jira.settle(rounds=3, step=timedelta(minutes=10))
    well = mails(worker, sink)
    assert subjects(well) == to_both("Jira is well again")
    jira.tick(2 * HOUR)
    assert mails(worker, sink) == []
    for mail in sink.mails:
        text = mail.as_string() + mail.get_content()
        assert MONITOR in text
        assert not [word for word in ("desk-token", "hook-secret", "Private", "Refused") if word in text]


def fail_twice(world: World) -> None:
    """Add open failures of two causes, and one that nobody has to hear of."""
    causes = [
        (FailureClass.REJECTED, "summary", FailureState.OPEN),
        (FailureClass.REJECTED, "summary", FailureState.OPEN),
        (FailureClass.UNMAPPED, None, FailureState.OPEN),
        (FailureClass.GONE, None, FailureState.HEALED),
    ]
    now = world.clock.now()
    row: dict[str, Any] = {"reason": "Refused", "payload": {}, "tries": 1, "parked": True, "first_at": now}
    for failure, field, state in causes:
        made = SyncFailure(
            id=new_id(), connection_id=world.ids["jira"], failure=failure, field=field, state=state, last_at=now, **row
        )
        world.database.write(lambda uow, made=made: uow.session.add(made))


def test_a_connection_that_the_desk_stopped_is_told_of_but_not_one_that_somebody_paused(
    jira: World, cast: Cast, sink: Sink
) -> None:
    worker = worker_of(jira, sink)
    jira.database.write(lambda uow: connections.stop(uow, connections.locked(uow, jira.ids["jira"]), "Why."))
    (told, _) = mails(worker, sink)
    assert "The desk stopped it" in told.get_content()
    jira.tick(HOUR)
    assert subjects(mails(worker, sink)) == to_both("Jira is still not in step")
    jira.database.write(connections.activate, SYSTEM, jira.ids["jira"])
    jira.database.write(connections.pause, SYSTEM, jira.ids["jira"])
    assert jira.row(Connection).bad_since is not None
    jira.tick(HOUR)
    assert mails(worker, sink) == []


@pytest.mark.parametrize("changes", [{"NOTIFICATIONS_ENABLED": False}, {"OPERATOR_EMAILS": ""}])
def test_nobody_is_told_where_nobody_is_to_be(jira: World, cast: Cast, sink: Sink, changes: dict[str, Any]) -> None:
    worker = worker_of(jira, sink, **changes)
    lock_out(jira, cast)
    assert jira.row(Connection).bad_since is not None
    jira.tick(2 * HOUR)
    assert mails(worker, sink) == []
    assert jira.rows(JobRow, JobRow.kind == SEND_MAIL) == []


def test_a_mail_that_is_refused_three_times_is_parked_and_the_others_arrive(
    jira: World, cast: Cast, sink: Sink
) -> None:
    worker = worker_of(jira, sink, OPERATOR_EMAILS="ops@example.org")
    sink.refuse = "450 Later"
    lock_out(jira, cast)
    for _ in range(3):
        assert mails(worker, sink) == []
        jira.tick(timedelta(seconds=40))
    (job,) = jira.database.read(parked)
    assert (job.kind, job.attempts) == (SEND_MAIL, 3)
    assert "Later" in job.last_error
    sink.refuse = ""
    jira.remotes["jira"].heal()
    jira.settle(rounds=3, step=timedelta(minutes=10))
    assert subjects(mails(worker, sink)) == [("ops@example.org", "Jira is well again")]
    assert [row.id for row in jira.rows(JobRow, JobRow.kind == SEND_MAIL)] == [job.id]


@pytest.mark.database
def test_the_digest_reads_alike_on_every_database(
    database: Database, clock: ManualClock, sink: Sink, cast: Cast
) -> None:
    with world(database, clock, "jira") as made:
        worker = worker_of(made, sink)
        made.database.write(lambda uow: connections.stop(uow, connections.locked(uow, made.ids["jira"]), "Why."))
        fail_twice(made)
        made.tick(HOUR)
        found = [mail for mail in mails(worker, sink) if "still" in mail["Subject"]]
        assert len(found) == 2
        assert "2 x rejected, field summary" in found[0].get_content()
        assert made.database.read(lambda reader: reader.execute(select(JobRow.state)).all()) == []


def test_operators_hear_of_a_ticket_that_goes_round_in_circles(jira: World, cast: Cast, sink: Sink) -> None:
    worker = worker_of(jira, sink, OPERATOR_EMAILS="ops@example.org")
    ticket = portal_ticket(jira, cast)
    jira.settle()
    set_and_set_back(jira, ticket, 11)
    (mail,) = mails(worker, sink)
    key = jira.link(ticket.id, "jira").remote_key
    assert subjects([mail]) == [("ops@example.org", f"{key} in Jira goes round in circles")]
    text = mail.get_content()
    assert f"Ticket {ticket.number}" in text
    assert MONITOR in text
