"""Webhooks: what is signed is kept once and hints at a link; what is not leaves nothing."""

import hashlib
import hmac
import json
from collections.abc import Iterator

import pytest
from tests.factories import Cast
from tests.support.http import Api
from tests.sync.test_jira_in_step import portal_ticket
from tests.sync.world import HOOK_SECRET, World, world

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.sync.model import InboxRow, Link, LinkState


@pytest.fixture
def jira(database: Database, clock: ManualClock) -> Iterator[World]:
    with world(database, clock, "jira") as made:
        made.connect("jira")
        yield made


def told(remote_id: str) -> bytes:
    return json.dumps({"webhookEvent": "jira:issue_updated", "issue": {"id": remote_id}}).encode()


def signed(body: bytes, key: str = "delivery-1", secret: str = HOOK_SECRET) -> dict[str, str]:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"x-hub-signature": f"sha256={signature}", "x-atlassian-webhook-identifier": key}


def test_a_webhook_makes_its_link_dirty_and_the_change_is_taken_over(jira: World, api: Api, cast: Cast) -> None:
    ticket = portal_ticket(jira, cast)
    jira.settle()
    jira.edit(ticket.id, "jira", {"summary": "Changed there"})
    body = told(jira.link(ticket.id, "jira").remote_id)
    answer = api.root.request("POST", "/hooks/jira", content=body, headers=signed(body))
    assert (answer.status_code, answer.json()) == (202, {"received": 1})
    jira.run()
    assert jira.ticket(ticket.id).title == "Changed there"


def test_a_webhook_that_comes_three_times_is_kept_once(jira: World, api: Api, cast: Cast) -> None:
    """Case 8."""
    ticket = portal_ticket(jira, cast)
    jira.settle()
    body = told(jira.link(ticket.id, "jira").remote_id)
    received = [
        api.root.request("POST", "/hooks/jira", content=body, headers=signed(body)).json()["received"] for _ in range(3)
    ]
    assert received == [1, 0, 0]
    assert len(jira.rows(InboxRow)) == 1


@pytest.mark.parametrize(
    "headers", [{}, {"x-hub-signature": "sha256=00"}, signed(b"another body"), signed(b"", "k", "x")]
)
def test_a_missing_or_wrong_signature_is_401_and_nothing_is_stored(
    jira: World, api: Api, headers: dict[str, str]
) -> None:
    """Case 11."""
    answer = api.root.request("POST", "/hooks/jira", content=told("10000"), headers=headers)
    assert answer.status_code == 401
    assert jira.rows(InboxRow) == []
    assert jira.rows(Link) == []


def test_a_webhook_beyond_measure_is_refused(jira: World, api: Api) -> None:
    body = b"x" * (1024 * 1024 + 1)
    assert api.root.request("POST", "/hooks/jira", content=body, headers=signed(body)).status_code == 413
    assert jira.rows(InboxRow) == []


def test_there_is_no_door_for_a_connection_that_is_not_there(jira: World, api: Api) -> None:
    body = told("1")
    assert api.root.request("POST", "/hooks/nobody", content=body, headers=signed(body)).status_code == 404


def test_a_record_nobody_knew_becomes_a_candidate_and_is_decided_on(jira: World, api: Api) -> None:
    ref = jira.connector("jira").create("theirs", {"summary": "Not ours", "issuetype": "10001"})
    body = told(ref.id)
    api.root.request("POST", "/hooks/jira", content=body, headers=signed(body))
    assert jira.row(Link).state is LinkState.CANDIDATE
    jira.run()
    link = jira.row(Link)
    assert (link.state, link.ticket_id) == (LinkState.IGNORED, None)
    assert link.reason
