"""Sync over HTTP: a connection from its draft to work, with credentials that never come back."""

from collections.abc import Iterator

import pytest
from tests.factories import Cast, Factory
from tests.meta.requests import SECRET
from tests.meta.requests import World as Requests
from tests.support.http import Api
from tests.sync.test_jira_in_step import portal_ticket
from tests.sync.world import World, world

from deskbridge.app import uploads
from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.settings import Settings
from deskbridge.sync.model import LinkState


@pytest.fixture
def requests(make: Factory, cast: Cast, settings: Settings, clock: ManualClock) -> Requests:
    return Requests(make, cast, uploads(settings, clock))


@pytest.fixture
def jira(database: Database, clock: ManualClock) -> Iterator[World]:
    with world(database, clock, "jira") as made:
        made.connect("jira")
        yield made


NEW = {
    "name": "Our Jira",
    "kind": "jira",
    "base_url": "http://127.0.0.1:9",
    "way": "bearer",
    "secret": "hunter2hunter2",
}


def test_credentials_are_taken_and_never_given_back(api: Api, cast: Cast) -> None:
    admin = api.as_(cast.admin)
    made = admin.post("/sync/connections", json=NEW)
    assert (made.status_code, made.json()["slug"], made.json()["state"]) == (201, "our-jira", "DRAFT")
    where = f"/sync/connections/{made.json()['id']}"
    for answer in (made, admin.get(where), admin.get("/sync/connections"), admin.get(f"{where}/mapping")):
        assert "hunter2" not in answer.text


def test_a_new_address_asks_for_its_credentials_again(api: Api, cast: Cast) -> None:
    admin = api.as_(cast.admin)
    where = f"/sync/connections/{admin.post('/sync/connections', json=NEW).json()['id']}"
    refused = admin.patch(where, json={"base_url": "https://elsewhere.example"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "secret")
    sound = {"base_url": "https://elsewhere.example/", "secret": "another"}
    assert admin.patch(where, json=sound).json()["base_url"] == "https://elsewhere.example"


def test_a_name_is_given_once(api: Api, cast: Cast) -> None:
    admin = api.as_(cast.admin)
    admin.post("/sync/connections", json=NEW)
    other = admin.post("/sync/connections", json=NEW | {"name": "Other"}).json()
    refused = admin.patch(f"/sync/connections/{other['id']}", json={"name": " Our  Jira "})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "name")


def test_a_bad_mapping_is_refused_with_the_line_of_each_fault(api: Api, cast: Cast) -> None:
    admin = api.as_(cast.admin)
    where = f"/sync/connections/{admin.post('/sync/connections', json=NEW).json()['id']}/mapping"
    text = admin.get(where).json()["text"]
    refused = admin.put(where, json={"text": f"{text}\nnonsense: 1\n"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["message"].startswith(f"line {text.count(chr(10)) + 2}")
    assert admin.get(where).json()["text"] == text


def test_a_tracker_that_cannot_be_reached_fails_the_test_with_its_reason(api: Api, cast: Cast) -> None:
    admin = api.as_(cast.admin)
    where = f"/sync/connections/{admin.post('/sync/connections', json=NEW).json()['id']}"
    tried = admin.post(f"{where}/test").json()
    assert not tried["passed"]
    assert "not a public one" in tried["failure"]
    assert admin.post(f"{where}/activate").status_code == 409


def test_a_ticket_shows_its_record_and_what_sync_did(jira: World, api: Api, cast: Cast) -> None:
    ticket = portal_ticket(jira, cast)
    jira.settle()
    agent = api.as_(cast.agent)
    (link,) = agent.get(f"/tickets/{ticket.number}/links").json()["items"]
    assert (link["state"], link["kind"], link["number"]) == (LinkState.ACTIVE, "jira", ticket.number)
    assert link["remote_key"].startswith("DESK-")
    told = agent.get(f"/tickets/{ticket.number}/links/timeline").json()
    assert "link.filed" in {entry["what"] for entry in told["items"]}
    assert {"title", "priority"} <= {entry["field"] for entry in told["fields"]}
    (status,) = api.as_(cast.lead).get("/sync/status").json()["items"]
    assert (status["links"], status["dirty"], status["failures"]) == (1, 0, 0)


def test_payloads_are_for_administrators(api: Api, cast: Cast, requests: Requests) -> None:
    requests.failure()
    (seen,) = api.as_(cast.admin).get("/sync/failures").json()["items"]
    assert seen["payload"] == {"summary": SECRET}
    (seen,) = api.as_(cast.manager).get("/sync/failures").json()["items"]
    assert (seen["payload"], seen["reason"]) == ({}, SECRET)


def test_the_monitors_lists_come_in_pages(api: Api, cast: Cast, requests: Requests) -> None:
    for _ in range(3):
        requests.failure()
        requests.conflict()
    lead = api.as_(cast.lead)
    for what, how_many in (("failures", 3), ("conflicts", 3), ("links", 6)):
        ids, cursor = [], None
        while cursor is not None or not ids:
            page = lead.get(f"/sync/{what}", params={"limit": "2"} | ({"cursor": cursor} if cursor else {})).json()
            ids += [one["id"] for one in page["items"]]
            cursor = page["next_cursor"]
        assert len(ids) == len(set(ids)) == how_many


def test_a_failure_is_tried_again_with_the_ticket_edited(api: Api, cast: Cast, requests: Requests) -> None:
    failure = requests.failure()
    manager = api.as_(cast.manager)
    number = manager.get("/sync/failures").json()["items"][0]["number"]
    refused = manager.post(f"/sync/failures/{failure}/retry", json={"title": "x"})
    assert refused.status_code == 422
    assert manager.get("/sync/failures").json()["items"][0]["state"] == "OPEN"
    done = manager.post(f"/sync/failures/{failure}/retry", json={"title": "A title it takes"})
    assert (done.status_code, done.json()["state"], done.json()["closed_by"]) == (200, "RETRIED", cast.manager.name)
    assert manager.get(f"/tickets/{number}").json()["title"] == "A title it takes"
