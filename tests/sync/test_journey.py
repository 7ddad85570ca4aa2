"""The journey: a customer's Case becomes a ticket in Support, goes to Admin and to R&D, and comes back solved."""

import threading
from collections.abc import Iterator

import httpx
import pytest
from tests.factories import Cast, Factory
from tests.sync.world import MINUTE, World, world

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.people.actor import SYSTEM
from deskbridge.sync import loop, queries
from deskbridge.sync.connector import Audience
from deskbridge.sync.events import TicketLinked
from deskbridge.sync.model import Link, LinkState
from deskbridge.tickets import service as tickets
from deskbridge.tickets.model import Audience as DeskAudience
from deskbridge.tickets.model import Channel, Message, Status, Ticket
from deskbridge.tickets.service import NewTicket

TOKEN = {"Authorization": "Bearer desk-token"}


class Journey:
    """One ticket on its way, with what people in the trackers do to its records."""

    def __init__(self, world: World, make: Factory) -> None:
        self.world = world
        self.teams = {name: make.team(name) for name in ("Support", "Admin", "R&D")}
        for kind in ("salesforce", "servicenow", "polarion"):
            world.connect(kind)

    def post(self, kind: str, path: str, body: object) -> httpx.Response:
        """Do something in a tracker as its own people do."""
        url = self.world.remotes[kind].url + path
        answer = httpx.post(url, json=body, headers=TOKEN, trust_env=False)
        assert answer.status_code < 300, answer.text
        return answer

    def case(self) -> Ticket:
        fields = {
            "Subject": "Invoices are wrong",
            "Description": "Every total is doubled.",
            "Status": "New",
            "Origin": "Web",
            "SuppliedName": "Carla Customer",
            "SuppliedEmail": "carla@example.com",
        }
        self.post("salesforce", "/services/data/v59.0/sobjects/Case/", fields)
        self.world.settle(rounds=2)
        found: Ticket = self.world.row(Ticket)
        return found

    def hand_to(self, ticket: Ticket, team: str) -> None:
        self.world.database.write(tickets.assign, SYSTEM, ticket.id, {"team_id": self.teams[team]})
        self.world.settle(rounds=2)

    def remote(self, ticket: Ticket, kind: str) -> str:
        id_: str = self.world.link(ticket.id, kind).remote_id
        return id_

    def heard(self, ticket: Ticket, kind: str) -> list[tuple[str, Audience]]:
        found = self.world.connector(kind).comments(self.remote(ticket, kind))
        return [(one.body, one.audience) for one in found]

    def status(self, ticket: Ticket) -> Status:
        present: Status = self.world.ticket(ticket.id).status
        return present


@pytest.fixture
def journey(database: Database, clock: ManualClock, make: Factory) -> Iterator[Journey]:
    with world(database, clock, "salesforce", "servicenow", "polarion") as made:
        yield Journey(made, make)


@pytest.mark.database
def test_a_case_goes_through_three_departments_and_comes_back_solved(journey: Journey, cast: Cast) -> None:
    world = journey.world
    # A customer's Case becomes a ticket in Support, and keeps when it was opened.
    ticket = journey.case()
    assert (ticket.title, ticket.channel, ticket.team_id) == (
        "Invoices are wrong",
        Channel.SYNC,
        journey.teams["Support"],
    )
    assert abs((ticket.created_at - world.record(ticket.id, "salesforce").created_at).total_seconds()) < 2

    # Moving it to Admin files an incident; escalating it to R&D files a defect.
    journey.hand_to(ticket, "Admin")
    assert world.record(ticket.id, "servicenow").fields["short_description"] == "Invoices are wrong"
    world.database.write(tickets.walk, SYSTEM, ticket.id, Status.IN_PROGRESS, notes="")
    world.database.write(tickets.escalate, SYSTEM, ticket.id, "A defect.", journey.teams["R&D"])
    world.settle(rounds=3)
    assert world.record(ticket.id, "polarion").fields["title"] == "Invoices are wrong"
    assert [link.state for link in world.rows(Link)] == [LinkState.ACTIVE] * 3

    # A Case comment reaches ServiceNow's comments and Polarion, with author and system named.
    case = journey.remote(ticket, "salesforce")
    new = {"ParentId": case, "CommentBody": "It happens since Monday.", "IsPublished": True}
    journey.post("salesforce", "/services/data/v59.0/sobjects/CaseComment/", new)
    world.settle(rounds=3)
    for kind, audience in (("servicenow", Audience.PUBLIC), ("polarion", Audience.INTERNAL)):
        ((body, seen),) = journey.heard(ticket, kind)
        assert "It happens since Monday." in body
        assert "Salesforce" in body
        assert seen is audience

    # A Polarion comment reaches the desk and ServiceNow's work notes, never the Case.
    item = journey.remote(ticket, "polarion").rpartition("/")[2]
    said = {"type": "workitem_comments", "attributes": {"text": {"type": "text/plain", "value": "A rounding bug."}}}
    journey.post("polarion", f"/polarion/rest/v1/projects/DESK/workitems/{item}/comments", {"data": [said]})
    world.settle(rounds=3)
    assert [(one.content, one.audience) for one in world.rows(Message) if one.written_in == "Polarion"] == [
        ("A rounding bug.", DeskAudience.INTERNAL)
    ]
    notes = [body for body, audience in journey.heard(ticket, "servicenow") if audience is Audience.INTERNAL]
    assert len(notes) == 1
    assert "A rounding bug." in notes[0]
    assert not any("rounding" in body for body, _ in journey.heard(ticket, "salesforce"))

    # Polarion's done ends the escalation, and resolves nothing.
    world.connector("polarion").transition(journey.remote(ticket, "polarion"), "done", {"resolution": "done"})
    world.settle(rounds=3)
    assert journey.status(ticket) is Status.IN_PROGRESS

    # Resolving sets the incident to 6 with its close notes, and the customer reads the resolution on the Case.
    world.database.write(tickets.walk, SYSTEM, ticket.id, Status.RESOLVED, notes="Totals are right again.")
    world.settle(rounds=3)
    incident = world.record(ticket.id, "servicenow").fields
    assert (incident["state"], incident["close_notes"]) == ("6", "Totals are right again.")
    assert incident["close_code"]
    assert world.record(ticket.id, "salesforce").fields["Status"] == "Closed"
    public = [body for body, audience in journey.heard(ticket, "salesforce") if audience is Audience.PUBLIC]
    assert any("Totals are right again." in body for body in public)

    # Reopening the Case reopens ticket and incident; Polarion gets a comment only.
    world.connector("salesforce").transition(case, "Working", {})
    world.settle(rounds=3)
    assert journey.status(ticket) in {Status.REOPENED, Status.IN_PROGRESS}
    assert world.record(ticket.id, "servicenow").fields["state"] == "2"
    assert world.record(ticket.id, "polarion").fields["status"] == "done"
    assert any("opened again" in body for body, _ in journey.heard(ticket, "polarion"))

    # And then everybody rests.
    for remote in world.remotes.values():
        remote.forget()
    world.settle(rounds=10, step=MINUTE)
    assert [write for kind in world.remotes for write in world.writes(kind)] == []


def test_a_portal_ticket_in_two_trackers_carries_what_one_says_to_the_other(
    database: Database, clock: ManualClock, make: Factory, cast: Cast
) -> None:
    """The second journey: hub and spokes."""
    admin = make.team("Admin")
    with world(database, clock, "jira", "servicenow") as made:
        made.connect("jira")
        made.connect("servicenow")
        new = NewTicket("No hot water", "Since this morning.", "FACILITY_MANAGEMENT")
        ticket = database.write(tickets.open_ticket, cast.customer.actor, new, Channel.PORTAL)
        made.run()
        assert database.read(queries.key_of, ticket.id) == made.link(ticket.id, "jira").remote_key
        database.write(tickets.assign, SYSTEM, ticket.id, {"team_id": admin})
        made.settle(rounds=2)
        issue = made.record(ticket.id, "jira").ref.id
        made.connector("jira").transition(issue, "3", {})
        made.edit(ticket.id, "jira", {"summary": "No hot water on floor 2"})
        made.settle(rounds=2)
        incident = made.record(ticket.id, "servicenow").fields
        assert (incident["short_description"], incident["state"]) == ("No hot water on floor 2", "2")
        assert made.ticket(ticket.id).status is Status.IN_PROGRESS


def test_the_loop_of_a_process_does_all_this_by_itself(database: Database, clock: ManualClock, cast: Cast) -> None:
    with world(database, clock, "jira") as made:
        made.connect("jira")
        linked = threading.Event()
        made.database.subscriptions.inside(TicketLinked, lambda _uow, _event: linked.set())
        with loop.in_background([made.engine]):
            new = NewTicket("No hot water", "Since this morning.", "INCIDENT")
            database.write(tickets.open_ticket, cast.customer.actor, new, Channel.PORTAL)
            assert linked.wait(timeout=30)
        assert made.row(Link).state is LinkState.ACTIVE
