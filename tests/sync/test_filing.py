"""A ticket gets its record once, and what is edited while that takes several tries stays edited."""

from tests.factories import Cast
from tests.sync.every_tracker import connect_for_portal, records_of
from tests.sync.test_jira_in_step import portal_ticket
from tests.sync.world import world

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.people.actor import SYSTEM
from deskbridge.tickets import service as tickets

REFUSED = '{"error": {"message": "Operation Failed", "detail": "Not today."}}'


def test_a_record_of_an_earlier_try_undoes_nothing_that_was_edited_since(
    database: Database, clock: ManualClock, cast: Cast
) -> None:
    with world(database, clock, "servicenow") as desk:
        connect_for_portal(desk, "servicenow")
        desk.remotes["servicenow"].fault("status", "PATCH", "/table/incident/", status=403, body=REFUSED)
        ticket = portal_ticket(desk, cast)
        assert any(what.startswith("refused") for what in desk.run())
        database.write(tickets.update_ticket, SYSTEM, ticket.id, {"title": "Edited"})
        desk.settle()
        assert desk.ticket(ticket.id).title == "Edited"
        assert desk.record(ticket.id, "servicenow").fields["short_description"] == "Edited"
        assert len(records_of(desk, ticket, "servicenow")) == 1
