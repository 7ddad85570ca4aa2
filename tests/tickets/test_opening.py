"""Creating tickets."""

from datetime import timedelta
from typing import Any

import pytest
from tests.factories import Cast, Factory
from tests.support.http import Api

from deskbridge.kit.clock import ManualClock
from deskbridge.people.actor import Role

NEW = {"title": "VPN drops", "description": "Every *ten* minutes.", "category": "INCIDENT"}


NOTHING_YET = [
    "environment",
    "affected_service",
    "impact_level",
    "assignee",
    "team",
    "external_ref",
    "resolution_notes",
    "time_spent_minutes",
    "first_response_at",
    "resolved_at",
    "closed_at",
    "response_due_at",
    "resolution_due_at",
    "response_breached",
    "resolution_breached",
]


def opened(api: Api, **fields: Any) -> dict[str, Any]:
    answer = api.post("/tickets", NEW | fields)
    assert answer.status_code == 201, answer.text
    ticket: dict[str, Any] = answer.json()
    return ticket


@pytest.mark.database
def test_a_customer_creates_a_ticket_and_reads_it_back(api: Api, cast: Cast, clock: ManualClock) -> None:
    customer = api.as_(cast.customer)
    answer = customer.post("/tickets", NEW)
    assert answer.status_code == 201
    ticket = answer.json()
    assert answer.headers["etag"] == '"1"'
    now = clock.now().isoformat().replace("+00:00", "Z")
    nothing = dict.fromkeys(NOTHING_YET)
    assert ticket == NEW | nothing | {
        "id": ticket["id"],
        "number": ticket["number"],
        "priority": "P3",
        "status": "NEW",
        "tags": [],
        "requester": {"id": str(cast.customer.id), "name": cast.customer.name},
        "channel": "API",
        "created_at": now,
        "updated_at": now,
        "activity_at": now,
        "response_due_at": "2026-11-20T16:30:00.123456Z",
        "resolution_due_at": "2026-11-23T08:30:00.123456Z",
        "version": 1,
    }
    for ref in (ticket["id"], ticket["number"]):
        again = customer.get(f"/tickets/{ref}")
        assert (again.status_code, again.json(), again.headers["etag"]) == (200, ticket, '"1"')


@pytest.mark.database
def test_every_field_is_kept(api: Api, cast: Cast) -> None:
    fields = {
        "priority": "P1",
        "environment": "STAGING",
        "affected_service": "Größter Dienst",
        "impact_level": "HIGH",
        "tags": ["vpn", "Bozen/Bolzano", "VPN", "😀"],
        "description": "𝄞" * 50_000,
        "title": "T" * 200,
    }
    ticket = opened(api.as_(cast.agent), **fields)
    assert {name: ticket[name] for name in fields} == fields
    assert api.as_(cast.agent).get(f"/tickets/{ticket['id']}").json() == ticket


def test_what_is_written_is_tidied(api: Api, cast: Cast) -> None:
    ticket = opened(
        api.as_(cast.customer),
        title="  two \n words\u200b ",
        description="\r\nfirst\r\nsecond\x00\n",
        tags=[" a ", "a", "", "b  c"],
        affected_service="   ",
    )
    assert ticket["title"] == "two words"
    assert ticket["description"] == "first\nsecond"
    assert ticket["tags"] == ["a", "b c"]
    assert ticket["affected_service"] is None


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.END_USER])
def test_agents_create_on_behalf_of_a_customer(api: Api, cast: Cast, role: Role) -> None:
    ticket = opened(api.as_(cast.of(role)), requester_id=str(cast.customer.id), channel="PHONE")
    assert ticket["requester"]["id"] == str(cast.customer.id)
    assert ticket["channel"] == "PHONE"
    assert api.as_(cast.customer).get(f"/tickets/{ticket['number']}").status_code == 200


def test_answering_the_phone_is_the_first_response(api: Api, cast: Cast, clock: ManualClock) -> None:
    by_phone = opened(api.as_(cast.agent), requester_id=str(cast.customer.id), channel="PHONE")
    by_mail = opened(api.as_(cast.agent), requester_id=str(cast.customer.id), channel="EMAIL")
    assert by_phone["first_response_at"] == by_phone["created_at"]
    assert by_mail["first_response_at"] is None


def test_a_customer_files_for_nobody_else_and_over_no_other_channel(api: Api, cast: Cast) -> None:
    customer = api.as_(cast.customer)
    for forbidden in ({"requester_id": str(cast.stranger.id)}, {"channel": "PHONE"}):
        answer = customer.post("/tickets", NEW | forbidden)
        assert (answer.status_code, answer.json()["error_code"]) == (403, "FORBIDDEN")
    assert opened(customer, requester_id=str(cast.customer.id))["requester"]["id"] == str(cast.customer.id)
    assert len(customer.get("/tickets").json()["items"]) == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"title": "ab"}, "title"),
        ({"title": " a \u200b b "}, None),
        ({"title": "  \u200b\u200b\u200b  a"}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"description": ""}, "description"),
        ({"description": " \n "}, "description"),
        ({"description": "x" * 50_001}, "description"),
        ({"category": "NO_SUCH"}, "category"),
        ({"category": "incident"}, "category"),
        ({"category": "INCIDENT "}, "category"),
        ({"priority": "P5"}, "priority"),
        ({"priority": 1}, "priority"),
        ({"priority": None}, "priority"),
        ({"environment": "MOON"}, "environment"),
        ({"impact_level": "HUGE"}, "impact_level"),
        ({"tags": "vpn"}, "tags"),
        ({"tags": ["x" * 51]}, "tags"),
        ({"tags": [str(n) for n in range(21)]}, "tags"),
        ({"tags": [1]}, "tags.0"),
        ({"requester_id": "me"}, "requester_id"),
        ({"requester_id": "00000000-0000-0000-0000-000000000000"}, "requester_id"),
        ({"channel": "SYNC"}, "channel"),
        ({"channel": "IMPORT"}, "channel"),
        ({"status": "OPEN"}, "status"),
        ({"number": 1}, "number"),
        ({"version": 7}, "version"),
        ({"id": "00000000-0000-0000-0000-000000000000"}, "id"),
    ],
)
def test_a_bad_field_is_named_and_nothing_is_created(
    api: Api, cast: Cast, fields: dict[str, Any], field: str | None
) -> None:
    agent = api.as_(cast.agent)
    answer = agent.post("/tickets", NEW | fields)
    if field is None:
        assert answer.status_code == 201
        return
    assert answer.status_code == 422, answer.text
    body = answer.json()
    assert body["error_code"] == "VALIDATION_FAILED"
    assert [error["field"] for error in body["errors"]] == [field]
    assert agent.get("/tickets").json()["items"] == []


def test_all_bad_fields_are_named_at_once(api: Api, cast: Cast) -> None:
    answer = api.as_(cast.agent).post("/tickets", {"title": 7, "priority": "P9", "colour": "red"})
    fields = {error["field"] for error in answer.json()["errors"]}
    assert fields == {"title", "description", "category", "priority", "colour"}
    answer = api.as_(cast.agent).post(
        "/tickets", NEW | {"title": "\u200bab\u200b", "category": "X", "tags": ["x" * 60]}
    )
    assert {error["field"] for error in answer.json()["errors"]} == {"title", "category", "tags"}


def test_a_deactivated_person_gets_no_tickets(api: Api, cast: Cast, make: Factory) -> None:
    from deskbridge.people.actor import SYSTEM
    from deskbridge.people.service import deactivate

    gone = make.person()
    make.database.write(deactivate, SYSTEM, gone.id)
    answer = api.as_(cast.agent).post("/tickets", NEW | {"requester_id": str(gone.id)})
    assert [error["field"] for error in answer.json()["errors"]] == ["requester_id"]


@pytest.mark.database
def test_the_same_key_creates_one_ticket(api: Api, cast: Cast, clock: ManualClock) -> None:
    customer, key = api.as_(cast.customer), {"Idempotency-Key": "once"}
    first = customer.post("/tickets", NEW, headers=key)
    clock.advance(timedelta(minutes=10))
    again = customer.post("/tickets", NEW, headers=key)
    assert (again.status_code, again.json(), again.headers["etag"]) == (201, first.json(), '"1"')
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    other = customer.post("/tickets", NEW | {"title": "Another"}, headers=key)
    assert (other.status_code, other.json()["errors"][0]["field"]) == (422, "Idempotency-Key")
    assert len(customer.get("/tickets").json()["items"]) == 1
    assert api.as_(cast.stranger).post("/tickets", NEW, headers=key).status_code == 201


def test_the_same_key_under_both_addresses_is_one_request(api: Api, cast: Cast) -> None:
    customer, key = api.as_(cast.customer), {"Idempotency-Key": "once"}
    first = customer.post("/tickets", NEW, headers=key)
    again = customer.root.post("/api/tickets", NEW, headers=key)
    assert again.json() == first.json()


def test_a_refused_request_may_use_its_key_again(api: Api, cast: Cast) -> None:
    customer, key = api.as_(cast.customer), {"Idempotency-Key": "once"}
    assert customer.post("/tickets", NEW | {"category": "NO_SUCH"}, headers=key).status_code == 422
    assert customer.post("/tickets", NEW, headers=key).status_code == 201


@pytest.mark.database
def test_the_same_key_at_the_same_instant_creates_one_ticket(api: Api, cast: Cast) -> None:
    customer = api.as_(cast.customer)
    call = ("POST", "/tickets", {"json": NEW, "headers": {"Idempotency-Key": "once"}})
    answers = customer.together([call] * 8)
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert all(a.json()["error_code"] == "IDEMPOTENCY_IN_PROGRESS" for a in answers if a.status_code == 409)
    assert len(customer.get("/tickets").json()["items"]) == 1
