"""The thirty cases that two systems in step have to get right, 19 to 30; `test_thirty_cases.py` has the others."""

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from tests.factories import Cast, MadeTicket
from tests.sync.every_tracker import connect_for_portal, filed
from tests.sync.test_files import LOG, SAME, attached, here, there, uploaded_there
from tests.sync.test_jira_in_step import portal_ticket
from tests.sync.test_trouble import connection, retitle
from tests.sync.world import MINUTE, World, world

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.kit.errors import Forbidden
from deskbridge.kit.events import EventRow
from deskbridge.people.actor import SYSTEM
from deskbridge.sync import connections, service
from deskbridge.sync.connector import Audience
from deskbridge.sync.engine import Engine
from deskbridge.sync.model import (
    Breaker,
    Connection,
    ConnectionState,
    FailureClass,
    FailureState,
    Link,
    LinkState,
    SyncFailure,
)
from deskbridge.tickets import conversation
from deskbridge.tickets.model import Message


@pytest.fixture
def jira(database: Database, clock: ManualClock) -> Iterator[World]:
    with world(database, clock, "jira") as made:
        made.connect("jira")
        yield made


@pytest.fixture
def ticket(jira: World, cast: Cast) -> MadeTicket:
    made = filed(jira, cast)
    jira.remotes["jira"].forget()
    return made


@pytest.mark.parametrize("headers", [{"Retry-After": "120"}, {"Retry-After": "Fri, 20 Nov 2026 08:37:00 GMT"}])
def test_case_19_a_throttled_connection_waits_as_long_as_it_was_told(
    jira: World, cast: Cast, headers: dict[str, str]
) -> None:
    ticket = portal_ticket(jira, cast)
    jira.settle()
    assert jira.clock.now().strftime("%H:%M") == "08:35"
    jira.remotes["jira"].fault("status", "", ".*", status=429, headers=headers)
    retitle(jira, ticket, "Slowly")
    jira.run()
    assert connection(jira).breaker is Breaker.THROTTLED
    jira.remotes["jira"].forget()
    jira.tick(MINUTE)
    jira.run()
    assert jira.remotes["jira"].requests() == []
    jira.settle(rounds=2)
    assert jira.record(ticket.id, "jira").fields["summary"] == "Slowly"


def test_case_20_an_exhausted_allowance_holds_up_one_tracker_and_loses_nothing(
    database: Database, clock: ManualClock, cast: Cast
) -> None:
    with world(database, clock, "salesforce", "jira") as both:
        connect_for_portal(both, "salesforce")
        connect_for_portal(both, "jira")
        ticket = filed(both, cast)
        exhausted = '[{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]'
        both.remotes["salesforce"].fault("status", "", "/services/data/", status=403, body=exhausted, times=None)
        retitle(both, ticket, "Patience")
        both.settle(rounds=2)
        assert both.record(ticket.id, "jira").fields["summary"] == "Patience"
        row = both.row(Connection, Connection.id == both.ids["salesforce"])
        assert row.breaker is Breaker.QUOTA
        both.remotes["salesforce"].forget()
        both.settle(rounds=3)
        assert both.remotes["salesforce"].requests() == []
        both.remotes["salesforce"].heal()
        both.settle(rounds=25, step=timedelta(hours=1))
        assert both.record(ticket.id, "salesforce").fields["Subject"] == "Patience"


def test_case_21_wrong_credentials_open_the_breaker_at_once_and_are_told_once(jira: World, cast: Cast) -> None:
    """Not one call more until somebody or a quarter of an hour says so; and what waited goes on then."""
    ticket = portal_ticket(jira, cast)
    jira.settle()
    jira.remotes["jira"].fault("status", "", ".*", status=401, times=None)
    retitle(jira, ticket, "Changed while locked out")
    jira.settle(rounds=3)
    row = connection(jira)
    assert (row.breaker, row.state) == (Breaker.AUTH, ConnectionState.ACTIVE)
    jira.remotes["jira"].forget()
    jira.settle(rounds=5)
    assert jira.remotes["jira"].requests() == []
    jira.remotes["jira"].heal()
    jira.settle(rounds=3, step=timedelta(minutes=10))
    assert connection(jira).breaker is Breaker.CLOSED
    assert jira.record(ticket.id, "jira").fields["summary"] == "Changed while locked out"
    news = {"ConnectionWentBad", "ConnectionRecovered"}
    assert [row.name for row in jira.rows(EventRow) if row.name in news] == ["ConnectionWentBad", "ConnectionRecovered"]


@pytest.mark.parametrize("fault", ["html_200", "truncate"])
def test_case_22_an_answer_that_is_none_is_an_outage_and_never_data(jira: World, cast: Cast, fault: str) -> None:
    ticket = portal_ticket(jira, cast)
    jira.settle()
    jira.remotes["jira"].fault(fault, "GET", ".*", times=None)
    retitle(jira, ticket, "Meanwhile")
    jira.settle(rounds=5)
    assert connection(jira).breaker is Breaker.OUTAGE
    assert jira.link(ticket.id, "jira").state is LinkState.ACTIVE
    assert jira.rows(Message) == []
    jira.remotes["jira"].heal()
    jira.settle(rounds=12)
    assert jira.record(ticket.id, "jira").fields["summary"] == "Meanwhile"


def test_case_23_a_tracker_that_hangs_frees_its_worker_and_gets_it_once(jira: World, ticket: MadeTicket) -> None:
    jira.remotes["jira"].fault("hang", "PUT", r"/issue/\d+$")
    retitle(jira, ticket, "After a while")
    impatient = Engine(jira.database, jira.new_trackers(read_seconds=0.3), jira.seal)
    assert any(did.what.startswith("unknown") for did in impatient.run(most=50))
    jira.settle()
    assert jira.record(ticket.id, "jira").fields["summary"] == "After a while"
    assert len(jira.writes("jira")) == 2


def test_case_26_what_the_index_shows_behind_the_watermark_is_taken_over(jira: World, ticket: MadeTicket) -> None:
    jira.remotes["jira"].post("lag", {"seconds": 90})
    jira.edit(ticket.id, "jira", {"summary": "Shown late"})
    jira.tick(MINUTE)
    jira.run()
    assert jira.ticket(ticket.id).title != "Shown late"
    jira.settle(rounds=2)
    assert jira.ticket(ticket.id).title == "Shown late"


def test_case_27_28_a_poisoned_ticket_is_parked_and_a_retry_applies_the_latest(jira: World, cast: Cast) -> None:
    bad, good = portal_ticket(jira, cast), portal_ticket(jira, cast)
    jira.settle()
    id_ = jira.link(bad.id, "jira").remote_id
    refusal = '{"errorMessages": [], "errors": {"summary": "Not this word."}}'
    jira.remotes["jira"].fault("status", "PUT", f"/issue/{id_}", status=400, body=refusal, times=None)
    retitle(jira, bad, "A forbidden word")
    jira.settle(rounds=5)
    retitle(jira, good, "Fine")
    retitle(jira, bad, "A better word")
    jira.settle(rounds=3)
    (failure,) = jira.rows(SyncFailure)
    assert (failure.failure, failure.field, failure.parked) == (FailureClass.REJECTED, "summary", True)
    assert "Not this word." in failure.reason
    assert jira.record(good.id, "jira").fields["summary"] == "Fine"
    jira.remotes["jira"].heal()
    jira.remotes["jira"].forget()
    with pytest.raises(Forbidden):
        jira.database.write(service.retry_failure, cast.agent.actor, failure.id)
    jira.database.write(service.retry_failure, SYSTEM, failure.id)
    jira.settle()
    assert jira.record(bad.id, "jira").fields["summary"] == "A better word"
    assert len(jira.writes("jira")) == 1
    assert jira.row(SyncFailure).state is FailureState.RETRIED


def delete_issue(world: World, ticket: MadeTicket) -> None:
    url = f"{world.remotes['jira'].url}/rest/api/2/issue/{world.link(ticket.id, 'jira').remote_id}"
    assert httpx.delete(url, auth=("desk@example.org", "desk-token"), trust_env=False).status_code == 204


def test_case_29_a_record_that_is_deleted_closes_its_link_with_a_note(jira: World, cast: Cast) -> None:
    ticket = portal_ticket(jira, cast)
    jira.settle()
    delete_issue(jira, ticket)
    jira.database.write(service.sync_now, SYSTEM, ticket.id)
    jira.run()
    assert jira.link(ticket.id, "jira").state is LinkState.ACTIVE
    jira.settle(rounds=3)
    assert jira.link(ticket.id, "jira").state is LinkState.TOMBSTONE
    (message,) = jira.rows(Message)
    assert "was deleted in Jira" in message.content
    assert jira.ticket(ticket.id).deleted_at is None


def test_case_29_when_many_records_disappear_the_connection_stops_and_closes_none(jira: World, cast: Cast) -> None:
    made = [portal_ticket(jira, cast) for _ in range(6)]
    jira.settle()
    refusal = '{"errorMessages": ["Issue does not exist or you do not have permission to see it."], "errors": {}}'
    jira.remotes["jira"].fault("status", "GET", r"/issue/\d+$", status=404, body=refusal, times=None)
    for ticket in made:
        retitle(jira, ticket, "Gone?")
    jira.settle(rounds=5)
    row = connection(jira)
    assert row.state is ConnectionState.STOPPED
    assert "disappeared" in (row.stopped_because or "")
    assert {link.state for link in jira.rows(Link)} == {LinkState.ACTIVE}
    jira.database.write(connections.activate, SYSTEM, row.id)
    jira.settle()
    assert connection(jira).state is ConnectionState.ACTIVE
    assert {link.state for link in jira.rows(Link)} == {LinkState.TOMBSTONE}


def test_case_30_the_same_file_on_both_sides_is_one(jira: World, ticket: MadeTicket, cast: Cast) -> None:
    uploaded_there(jira, ticket, "error.log", LOG)
    attached(jira, ticket, cast)
    jira.settle()
    assert there(jira, ticket) == SAME
    assert here(jira) == SAME


def test_case_30_an_internal_note_is_public_nowhere(jira: World, ticket: MadeTicket, cast: Cast) -> None:
    jira.database.write(conversation.note, cast.agent.actor, ticket.id, "The customer is difficult.")
    jira.settle()
    comments = jira.connector("jira").comments(jira.link(ticket.id, "jira").remote_id)
    assert [one.audience for one in comments] == [Audience.INTERNAL]
