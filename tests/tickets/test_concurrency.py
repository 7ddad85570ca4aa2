"""Many at once: each version is won by one, each number given to one, and no change is lost."""

from collections import Counter

import pytest
from tests.factories import Cast, Factory
from tests.support.http import Api
from tests.support.threads import at_once

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.people.actor import SYSTEM, Role
from deskbridge.people.service import provision
from deskbridge.people.tokens import ForeignToken
from deskbridge.tickets.model import Status

pytestmark = pytest.mark.database


def test_of_fifty_changes_to_one_version_exactly_one_wins(api: Api, make: Factory, cast: Cast) -> None:
    """Over and over: all send the version they saw, one is done, the others are told the new one."""
    ticket, manager = make.ticket(cast.customer, status=Status.OPEN), api.as_(cast.manager)
    steps = {"OPEN": "IN_PROGRESS", "IN_PROGRESS": "OPEN"}
    for version in (1, 2):
        wanted = {"status": steps[manager.get(ticket.path).json()["status"]]}
        call = ("PATCH", f"{ticket.path}/status", {"json": wanted, "headers": {"If-Match": f'"{version}"'}})
        answers = manager.together([call] * 50)
        assert Counter(answer.status_code for answer in answers) == {200: 1, 412: 49}
        assert {answer.json()["version"] for answer in answers} == {version + 1}
    changes = [e for e in manager.get(f"{ticket.path}/history").json()["items"] if e["type"] == "STATUS_CHANGE"]
    assert [entry["new"] for entry in changes] == ["IN_PROGRESS", "OPEN"]


def test_changes_without_a_version_all_happen_one_after_the_other(api: Api, make: Factory, cast: Cast) -> None:
    ticket, manager = make.ticket(cast.customer), api.as_(cast.manager)
    calls = [("PATCH", ticket.path, {"json": {"title": f"Title {n}"}}) for n in range(20)]
    answers = manager.together(calls)
    assert [answer.status_code for answer in answers] == [200] * 20
    assert sorted(answer.json()["version"] for answer in answers) == list(range(2, 22))
    entries = manager.get(f"{ticket.path}/history").json()["items"]
    edits = {(entry["old"], entry["new"]) for entry in entries if entry["type"] == "UPDATE"}
    assert len(edits) == 20
    assert {old for old, _ in edits} - {new for _, new in edits} == {"The printer is on fire"}


def test_tickets_created_at_once_get_numbers_of_their_own(api: Api, make: Factory, cast: Cast) -> None:
    people = [make.person() for _ in range(4)]
    new = {"title": "VPN drops", "description": "Often", "category": "INCIDENT"}
    callers = [api.as_(person) for person in people]
    answers = [a for caller in callers for a in caller.together([("POST", "/tickets", {"json": new})] * 8)]
    assert [answer.status_code for answer in answers] == [201] * 32
    assert len({answer.json()["number"] for answer in answers}) == 32


def test_an_unassigned_ticket_is_taken_by_one(api: Api, make: Factory, cast: Cast) -> None:
    """Two agents of no common team press the button together; the second finds it taken."""
    ticket = make.ticket(cast.customer)
    takers = [(api.as_(person), person) for person in (cast.agent, cast.outsider)]
    outcomes = iter(takers)

    def take() -> int:
        caller, person = next(outcomes)
        return caller.put(f"{ticket.path}/assign", {"assignee_id": str(person.id)}).status_code

    assert sorted(at_once(2, take)) == [200, 403]


def test_replies_and_status_changes_at_once_lose_nothing(api: Api, make: Factory, cast: Cast) -> None:
    ticket = make.ticket(cast.customer, status=Status.OPEN)
    manager = api.as_(cast.manager)
    replies = [("POST", f"{ticket.path}/comments", {"json": {"content": f"Reply {n}"}}) for n in range(10)]
    notes = [
        ("POST", f"{ticket.path}/comments", {"json": {"content": f"Note {n}", "is_internal": True}}) for n in range(10)
    ]
    steps = [("PATCH", f"{ticket.path}/status", {"json": {"status": "IN_PROGRESS"}})]
    answers = manager.together([*replies, *notes, *steps])
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len(manager.get(f"{ticket.path}/comments").json()["items"]) == 20
    assert make.row(ticket).version == 1 + len(replies) + len(steps)


def test_somebody_from_the_auth_service_who_comes_twice_at_once_is_added_once(
    database: Database, clock: ManualClock
) -> None:
    token = ForeignToken(
        "https://auth.example.org", "subject-1", "Nina New", "nina@example.org", Role.AGENT, clock.now()
    )
    at_once(6, lambda: database.write(provision, token, trust_admin=False))
    from deskbridge.people.queries import actor_of_foreign_token

    assert database.read(actor_of_foreign_token, token, trust_admin=False).name == "Nina New"


def test_the_last_two_administrators_cannot_both_step_down(database: Database, make: Factory) -> None:
    from tests.support.threads import outcomes_of

    from deskbridge.kit.errors import Conflict
    from deskbridge.people.service import set_role

    admins = [make.person(Role.ADMIN) for _ in range(2)]
    outcomes = outcomes_of(
        [lambda admin=admin: database.write(set_role, SYSTEM, admin.id, Role.AGENT) for admin in admins]
    )
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 1, outcomes
