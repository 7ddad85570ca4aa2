"""A customer reads on the portal by which key their request is known in a tracker, once it is there."""

from tests.factories import Cast, Factory
from tests.support.http import Api
from tests.sync.every_tracker import CREATES, TEAMS
from tests.sync.world import world

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.people.actor import SYSTEM
from deskbridge.sync import service as sync
from deskbridge.sync.model import Link
from deskbridge.tickets import service as tickets

NEW = {"title": "No hot water", "description": "Since this morning.", "category": "FACILITY_MANAGEMENT"}


def filed(api: Api) -> int:
    answer = api.post("/portal/tickets", NEW)
    assert (answer.status_code, answer.json()["ticket"]["remote_key"]) == (201, None)
    number: int = answer.json()["ticket"]["number"]
    return number


def key(api: Api, cast: Cast, number: int) -> str | None:
    """Return what the customer is shown; signed in anew, for time passes between."""
    shown: str | None = api.as_(cast.customer).get(f"/portal/tickets/{number}").json()["remote_key"]
    return shown


def test_a_request_filed_while_jira_is_down_is_there_at_once_and_gets_one_key_later(
    api: Api, cast: Cast, database: Database, clock: ManualClock
) -> None:
    """Jira is away, then takes the issue and loses its answer, then works."""
    with world(database, clock, "jira") as made:
        made.connect("jira")
        jira = made.remotes["jira"]
        jira.fault("status", "", ".*", status=503, times=None)
        number = filed(api.as_(cast.customer))
        made.settle()
        assert key(api, cast, number) is None
        jira.heal()
        jira.fault("drop_after_commit", *CREATES["jira"])
        made.settle(rounds=30)
        link = made.row(Link)
        assert key(api, cast, number) == link.remote_key != ""
        assert len(made.connector("jira").find_by_key(link.idem_key)) == 1


def test_the_key_is_that_of_the_record_it_was_tied_to_first(
    api: Api, cast: Cast, make: Factory, database: Database, clock: ManualClock
) -> None:
    team = make.team(TEAMS["servicenow"])
    with world(database, clock, "jira", "servicenow") as made:
        made.connect("jira")
        made.connect("servicenow")
        number = filed(api.as_(cast.customer))
        made.settle(rounds=2)
        issue = made.row(Link)
        database.write(tickets.assign, SYSTEM, number, {"team_id": team})
        made.settle(rounds=2)
        assert key(api, cast, number) == issue.remote_key
        database.write(sync.unlink, SYSTEM, issue.id)
        assert key(api, cast, number) == made.link(issue.ticket_id, "servicenow").remote_key
