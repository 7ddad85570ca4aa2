"""Rehearsing a policy tells what it would have done, and changes nothing."""

from datetime import timedelta

import pytest
from tests.factories import Cast, Factory

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.sla.rehearsal import Proposal, rehearse
from deskbridge.tickets import service
from deskbridge.tickets.model import Priority, Status

pytestmark = pytest.mark.database


def test_a_stricter_policy_breaches_what_todays_meets(
    make: Factory, cast: Cast, clock: ManualClock, database: Database
) -> None:
    begin = clock.at
    ticket = make.ticket(cast.customer, priority=Priority.P1)
    other = make.ticket(cast.customer, priority=Priority.P4)
    database.write(service.assign, cast.manager.actor, ticket.id, {"assignee_id": cast.manager.id})
    clock.advance(timedelta(minutes=50))
    database.write(
        service.change_status,
        cast.manager.actor,
        ticket.id,
        Status.RESOLVED,
        reopen_window_days=7,
        resolution_notes="Done.",
    )
    before = make.row(ticket), make.row(other)
    stricter = {Priority.P1: Proposal(30, 60)}
    lines = database.read(rehearse, begin, begin + timedelta(days=1), stricter, None)
    told = {line.priority: line for line in lines}
    assert (told[Priority.P1].response_today.met, told[Priority.P1].response_proposed.breached) == (1, 1)
    assert told[Priority.P1].resolution_proposed.met == 1
    assert told[Priority.P4].resolution_proposed.running == 1
    assert [(row.version, row.response_breached) for row in (make.row(ticket), make.row(other))] == [
        (row.version, row.response_breached) for row in before
    ]


def test_only_the_period_counts(make: Factory, cast: Cast, clock: ManualClock, database: Database) -> None:
    make.ticket(cast.customer)
    later = clock.at + timedelta(days=1)
    assert database.read(rehearse, later, later + timedelta(days=1), {}, None) == []
