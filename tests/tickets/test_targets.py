from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from deskbridge.tickets.model import Status
from deskbridge.tickets.targets import FIRST_REPLY, SOLUTION, Standing, next_target, targets

START = datetime(2026, 11, 20, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass
class Ticket:
    """Of a ticket, what its targets depend on; by default one hour to reply, four to solve."""

    status: Status = Status.OPEN
    created_at: datetime = START
    first_response_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    response_due_at: datetime | None = START + HOUR
    resolution_due_at: datetime | None = START + 4 * HOUR
    response_breached: bool | None = False
    resolution_breached: bool | None = False


@pytest.mark.parametrize(
    ("minutes", "standing"),
    [
        (0, Standing.OK),
        (29, Standing.OK),
        (31, Standing.SOON),
        (59, Standing.SOON),
        (60, Standing.BREACHED),
        (90, Standing.BREACHED),
    ],
)
def test_time_runs_out(minutes, standing):
    target = next_target(Ticket(), START + timedelta(minutes=minutes))
    assert (target.what, target.standing) == (FIRST_REPLY, standing)


def test_a_long_target_is_soon_in_its_last_quarter():
    ticket = Ticket(first_response_at=START, resolution_due_at=START + 100 * HOUR)
    assert next_target(ticket, START + 74 * HOUR).standing is Standing.OK
    assert next_target(ticket, START + 76 * HOUR).standing is Standing.SOON


def test_after_the_reply_the_solution_counts():
    ticket = Ticket(first_response_at=START + HOUR / 2)
    assert [(t.what, t.standing) for t in targets(ticket, START + HOUR)] == [
        (FIRST_REPLY, Standing.MET),
        (SOLUTION, Standing.OK),
    ]
    assert next_target(ticket, START + HOUR).share == 0.75


@pytest.mark.parametrize(("breached", "standing"), [(False, Standing.MET), (True, Standing.MISSED)])
def test_a_solved_ticket_says_how_it_ended(breached, standing):
    ticket = Ticket(Status.RESOLVED, first_response_at=START, resolved_at=START + HOUR, resolution_breached=breached)
    assert next_target(ticket, START + 9 * HOUR).standing is standing


def test_waiting_for_the_customer_counts_no_time():
    ticket = Ticket(Status.PENDING_INFO, response_due_at=None, resolution_due_at=None)
    assert {target.standing for target in targets(ticket, START + 9 * HOUR)} == {Standing.PAUSED}


@pytest.mark.parametrize("solved_at", [None, START])
def test_a_ticket_without_a_service_level_has_no_targets(solved_at):
    ticket = Ticket(response_due_at=None, resolution_due_at=None, first_response_at=solved_at, resolved_at=solved_at)
    assert targets(ticket, START) == []
    assert next_target(ticket, START) is None
