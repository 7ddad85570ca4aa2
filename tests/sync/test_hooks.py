"""Webhooks: what is signed is kept once and hints at a link; what is not leaves nothing."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import ExitStack
from unittest.mock import patch

import pytest
from tests.connectors.remote import listening
from tests.factories import Cast, Factory
from tests.support.http import Api
from tests.sync.test_jira_in_step import portal_ticket
from tests.sync.world import HOOK_SECRET, World, world

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.sync.model import InboxRow, Link, LinkState
from deskbridge.sync.trackers_of import Reach


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


def test_salesforce_is_told_that_its_outbound_message_arrived(
    database: Database, clock: ManualClock, api: Api, make: Factory
) -> None:
    make.team("Support")
    with ExitStack() as until_the_end:
        made = until_the_end.enter_context(world(database, clock, "salesforce"))
        made.connect("salesforce")
        until_the_end.enter_context(patch.object(api.app.state, "trackers", Reach(made.trackers, made.seal)))
        remote = made.remotes["salesforce"]
        remote.post("options", {"push": "outbound_message"})
        with listening() as listener:
            remote.post("webhooks", {"url": f"{listener.url}/hooks/salesforce", "secret": HOOK_SECRET})
            made.connector("salesforce").create("theirs", {"Subject": "Hello"})
            heard = listener.next()
        answer = api.root.request("POST", "/hooks/salesforce", content=heard.body, headers=dict(heard.headers))
        assert answer.status_code == 202
        assert "<Ack>true</Ack>" in answer.text
        assert made.row(InboxRow).event == "Case outbound message"
