"""Changing status: who may take which step, what it asks for, and what it leaves behind."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from tests.factories import Cast, Factory, MadeTicket, Person
from tests.support.http import Api

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database, UnitOfWork
from deskbridge.kit.errors import Forbidden
from deskbridge.tickets.model import Status
from deskbridge.tickets.service import change_status
from deskbridge.tickets.workflow import TRANSITIONS, InvalidTransition

NEW, OPEN, IN_PROGRESS, PENDING_INFO = Status.NEW, Status.OPEN, Status.IN_PROGRESS, Status.PENDING_INFO
RESOLVED, CLOSED, REOPENED, ESCALATED = Status.RESOLVED, Status.CLOSED, Status.REOPENED, Status.ESCALATED
NOTES = {"resolution_notes": "Turned it off and on."}

CUSTOMER_STEPS = {
    (NEW, CLOSED),
    (OPEN, CLOSED),
    (PENDING_INFO, CLOSED),
    (RESOLVED, CLOSED),
    (RESOLVED, REOPENED),
    (CLOSED, REOPENED),
}


def promised(who: str, present: Status, wanted: Status) -> str:
    """Return what happens when somebody tries this: done, 409 or 403, as product.md has it."""
    step = wanted in TRANSITIONS[present]
    if who == "requester":
        if wanted not in {CLOSED, REOPENED}:
            return "403"
        return "done" if (present, wanted) in CUSTOMER_STEPS else "403" if step else "409"
    if who == "agent of nobody's ticket":
        return "403" if wanted not in {RESOLVED, CLOSED} else "done" if step else "409"
    if who in {"agent of a colleague's ticket", "lead of another team"}:
        return "403"
    return "done" if step else "409"


@dataclass
class Scene:
    """Somebody before a ticket of the customer's."""

    who: Person
    state: dict[str, Any]


def scenes(cast: Cast) -> dict[str, Scene]:
    theirs = {"assignee_id": cast.outsider.id, "team_id": cast.research}
    return {
        "requester": Scene(cast.customer, {}),
        "agent of nobody's ticket": Scene(cast.agent, {}),
        "agent of a colleague's ticket": Scene(cast.agent, {"assignee_id": cast.colleague.id, "team_id": cast.support}),
        "assigned agent": Scene(cast.agent, {"assignee_id": cast.agent.id}),
        "lead of the team": Scene(cast.lead, {"assignee_id": cast.colleague.id, "team_id": cast.support}),
        "lead of another team": Scene(cast.lead, theirs),
        "manager": Scene(cast.manager, theirs),
        "administrator": Scene(cast.admin, theirs),
    }


SCENES = [
    "requester",
    "agent of nobody's ticket",
    "agent of a colleague's ticket",
    "assigned agent",
    "lead of the team",
    "lead of another team",
    "manager",
    "administrator",
]


@pytest.mark.parametrize("scene", SCENES)
def test_every_pair_of_statuses_does_what_is_promised(
    database: Database, make: Factory, cast: Cast, scene: str
) -> None:
    here = scenes(cast)[scene]
    tried = {}
    for present in Status:
        ticket = make.ticket(cast.customer, status=present, **here.state)
        for wanted in Status:
            tried[present, wanted] = attempt(database, here.who, ticket, wanted)
    assert tried == {(present, wanted): promised(scene, present, wanted) for present in Status for wanted in Status}


class Undone(Exception):
    """Takes an attempt back, so that the next one begins where it did."""


def attempt(database: Database, who: Person, ticket: MadeTicket, wanted: Status) -> str:
    def take_and_undo(uow: UnitOfWork) -> None:
        change_status(uow, who.actor, ticket.id, wanted, reopen_window_days=7, **NOTES)
        uow.finish()
        raise Undone

    try:
        database.write(take_and_undo)
    except Undone:
        return "done"
    except Forbidden:
        return "403"
    except InvalidTransition:
        return "409"
    raise AssertionError("neither done nor refused")


def test_strangers_see_no_difference_between_a_ticket_and_none(api: Api, make: Factory, cast: Cast) -> None:
    ticket, stranger = make.ticket(cast.customer), api.as_(cast.stranger)
    calls = [
        ("GET", "", None),
        ("PUT", "", {"title": "New title", "description": "x", "category": "BUG"}),
        ("PATCH", "", {"title": "New title"}),
        ("DELETE", "", None),
        ("PUT", "/assign", {"assignee_id": str(cast.stranger.id)}),
        ("PATCH", "/status", {"status": "CLOSED"}),
        ("POST", "/resolve", NOTES),
        ("POST", "/close", None),
        ("POST", "/reopen", None),
        ("POST", "/escalate", {"reason": "now"}),
        ("GET", "/history", None),
        ("GET", "/comments", None),
        ("POST", "/comments", {"content": "Hello"}),
    ]
    for method, path, body in calls:
        options = {"json": body} if body is not None else {}
        theirs, none = (
            stranger.request(method, f"/tickets/{ref}{path}", **options) for ref in (ticket.number, 999_999)
        )
        assert (theirs.status_code, theirs.json()) == (404, none.json())
    assert make.row(ticket).version == 1


# What a step leaves behind


@pytest.mark.database
def test_a_ticket_goes_all_the_way(api: Api, make: Factory, cast: Cast, clock: ManualClock) -> None:
    """From creation to its second closing, over the doors that agents and customers use."""
    ticket = make.ticket(cast.customer)
    agent, customer = api.as_(cast.agent), api.as_(cast.customer)

    def step(caller: Api, method: str, path: str, body: Any = None) -> dict[str, Any]:
        clock.advance(timedelta(minutes=1))
        answer = caller.request(method, ticket.path + path, **({"json": body} if body is not None else {}))
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        assert shown["activity_at"] == shown["updated_at"] == clock.now().isoformat().replace("+00:00", "Z")
        return shown

    assert step(agent, "PUT", "/assign", {"assignee_id": str(cast.agent.id)})["status"] == "OPEN"
    assert step(agent, "PATCH", "/status", {"status": "IN_PROGRESS"})["status"] == "IN_PROGRESS"
    assert step(agent, "POST", "/escalate", {"reason": "Too hot"})["status"] == "ESCALATED"
    resolved = step(agent, "POST", "/resolve", NOTES)
    assert (resolved["status"], resolved["resolution_notes"]) == ("RESOLVED", NOTES["resolution_notes"])
    assert resolved["resolved_at"] == resolved["first_response_at"] == resolved["updated_at"]
    closed = step(customer, "POST", "/close", {"reason": "Thank you"})
    assert (closed["status"], closed["closed_at"]) == ("CLOSED", closed["updated_at"])
    reopened = step(customer, "POST", "/reopen", {"reason": "Burns again"})
    assert (reopened["status"], reopened["resolved_at"], reopened["closed_at"]) == ("REOPENED", None, None)
    assert reopened["resolution_notes"] == NOTES["resolution_notes"]
    again = step(agent, "PATCH", "/status", {"status": "RESOLVED", **NOTES})
    assert again["first_response_at"] == resolved["first_response_at"]
    assert again["resolved_at"] == again["updated_at"]
    assert step(agent, "POST", "/close")["version"] == 9


@pytest.mark.parametrize("notes", [None, "", "  \n ", "\u200b"])
def test_resolving_needs_notes(api: Api, make: Factory, cast: Cast, notes: str | None) -> None:
    ticket = make.ticket(cast.customer, status=OPEN, assignee_id=cast.agent.id)
    agent = api.as_(cast.agent)
    body = {} if notes is None else {"resolution_notes": notes}
    for answer in (
        agent.post(f"{ticket.path}/resolve", body),
        agent.patch(f"{ticket.path}/status", {"status": "RESOLVED"} | body),
    ):
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "resolution_notes")
    assert make.row(ticket).status is OPEN


def test_escalating_needs_a_reason_and_may_hand_over(api: Api, make: Factory, cast: Cast) -> None:
    mine = {"status": IN_PROGRESS, "assignee_id": cast.agent.id, "team_id": cast.support}
    ticket, agent = make.ticket(cast.customer, **mine), api.as_(cast.agent)
    for body in ({}, {"reason": ""}, {"reason": " "}):
        assert agent.post(f"{ticket.path}/escalate", body).json()["errors"][0]["field"] == "reason"
    nowhere = agent.post(f"{ticket.path}/escalate", {"reason": "Hot", "team_id": str(cast.agent.id)})
    assert (nowhere.status_code, nowhere.json()["errors"][0]["field"]) == (422, "team_id")
    assert make.row(ticket).status is IN_PROGRESS
    moved = agent.post(f"{ticket.path}/escalate", {"reason": "Hot", "team_id": str(cast.research)}).json()
    assert (moved["status"], moved["team"]["id"], moved["assignee"]) == ("ESCALATED", str(cast.research), None)
    stays = make.ticket(cast.customer, **mine)
    kept = agent.post(f"{stays.path}/escalate", {"reason": "Hot"}).json()
    assert (kept["team"]["id"], kept["assignee"]["id"]) == (str(cast.support), str(cast.agent.id))


def test_an_invalid_step_names_what_is_allowed_to_this_caller(api: Api, make: Factory, cast: Cast) -> None:
    ticket = make.ticket(cast.customer, status=RESOLVED, assignee_id=cast.agent.id)
    answer = api.as_(cast.agent).patch(f"{ticket.path}/status", {"status": "OPEN"})
    assert answer.status_code == 409
    body = answer.json()
    assert body["error_code"] == "INVALID_TRANSITION"
    assert (body["status"], body["allowed"]) == ("RESOLVED", ["CLOSED", "REOPENED"])
    assert "CLOSED, REOPENED" in body["detail"]
    new = make.ticket(cast.customer)
    theirs = api.as_(cast.customer).post(f"{new.path}/reopen").json()
    assert (theirs["error_code"], theirs["allowed"]) == ("INVALID_TRANSITION", ["CLOSED"])


@pytest.mark.parametrize(("door", "body"), [("resolve", NOTES), ("close", {})])
def test_who_finishes_an_unassigned_ticket_becomes_its_assignee(
    api: Api, make: Factory, cast: Cast, door: str, body: dict[str, str]
) -> None:
    ticket = make.ticket(cast.customer, status=OPEN)
    done = api.as_(cast.agent).post(f"{ticket.path}/{door}", body).json()
    assert done["assignee"]["id"] == str(cast.agent.id)
    own = make.ticket(cast.agent, status=OPEN)
    assert api.as_(cast.agent).post(f"{own.path}/close").json()["assignee"] is None
    withdrawn = make.ticket(cast.customer)
    assert api.as_(cast.customer).post(f"{withdrawn.path}/close").json()["assignee"] is None


# Reopening


@pytest.mark.database
def test_a_closed_ticket_reopens_within_the_window(api: Api, make: Factory, cast: Cast, clock: ManualClock) -> None:
    ticket, late = make.ticket(cast.customer, status=CLOSED), make.ticket(cast.customer, status=CLOSED)
    clock.advance(timedelta(days=7))
    customer = api.as_(cast.customer)
    assert customer.post(f"{ticket.path}/reopen").status_code == 200
    clock.advance(timedelta(microseconds=1))
    for caller in (customer, api.as_(cast.manager)):
        answer = caller.post(f"{late.path}/reopen")
        assert (answer.status_code, answer.json()["error_code"]) == (409, "REOPEN_WINDOW_EXPIRED")
        assert answer.json()["related_to"] == late.number
    assert make.row(late).status is CLOSED


def test_a_resolved_ticket_reopens_any_time(api: Api, make: Factory, cast: Cast, clock: ManualClock) -> None:
    ticket = make.ticket(cast.customer, status=RESOLVED)
    clock.advance(timedelta(days=700))
    assert api.as_(cast.customer).post(f"{ticket.path}/reopen").json()["status"] == "REOPENED"


# Closing by itself


def run_schedules(database: Database, days: int = 7) -> None:
    from tests.conftest import settings_of

    from deskbridge.worker import build_worker

    worker = build_worker(settings_of("sqlite:///unused.db", TICKET_AUTO_CLOSE_DAYS=days), database)
    while worker.run_due():
        pass


@pytest.mark.database
def test_resolved_tickets_close_by_themselves(
    database: Database, api: Api, make: Factory, cast: Cast, clock: ManualClock
) -> None:
    due = [make.ticket(cast.customer, status=RESOLVED) for _ in range(3)]
    reopened, deleted = (
        make.ticket(cast.customer, status=REOPENED),
        make.ticket(cast.customer, status=RESOLVED, deleted_at=clock.now()),
    )
    clock.advance(timedelta(microseconds=1))
    later = make.ticket(cast.customer, status=RESOLVED)
    clock.advance(timedelta(days=7) - timedelta(microseconds=1))
    run_schedules(database)
    assert [make.row(ticket).status for ticket in due] == [CLOSED] * 3
    assert [make.row(ticket).status for ticket in (reopened, deleted, later)] == [REOPENED, RESOLVED, RESOLVED]
    row = make.row(due[0])
    assert (row.closed_at, row.version) == (clock.now(), 2)
    *_, change, milestone = api.as_(cast.customer).get(f"{due[0].path}/history").json()["items"]
    assert (change["type"], change["new"], change["actor"]) == (
        "STATUS_CHANGE",
        "Closed",
        {"id": None, "name": "Deskbridge"},
    )
    assert milestone["type"] == "CLOSED"


def test_zero_days_is_never(database: Database, make: Factory, cast: Cast, clock: ManualClock) -> None:
    ticket = make.ticket(cast.customer, status=RESOLVED)
    clock.advance(timedelta(days=1000))
    run_schedules(database, days=0)
    assert make.row(ticket).status is RESOLVED


def test_many_due_tickets_are_closed_in_several_turns(
    database: Database, make: Factory, cast: Cast, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deskbridge.tickets import jobs

    monkeypatch.setattr(jobs, "BATCH", 2)
    due = [make.ticket(cast.customer, status=RESOLVED) for _ in range(5)]
    clock.advance(timedelta(days=8))
    run_schedules(database)
    assert [make.row(ticket).status for ticket in due] == [CLOSED] * 5
