"""The portal over the API: a customer files one request at a time, and reads it as a customer."""

from collections import Counter
from typing import Any

import pytest
from tests.conftest import settings_of
from tests.factories import Cast, Factory
from tests.support.http import Api

from deskbridge.tickets.model import Status

NEW = {"title": "No hot water", "description": "Since this morning.", "category": "FACILITY_MANAGEMENT"}


def file(api: Api, **changes: Any) -> tuple[int, dict[str, Any]]:
    answer = api.post("/portal/tickets", NEW | changes)
    return answer.status_code, answer.json()


@pytest.fixture
def rule(api: Api, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let another rule hold for how many requests may be open."""

    def set_rule(one_open: str) -> None:
        settings = settings_of(api.access.settings.DATABASE_URL, PORTAL_OPEN_TICKETS=one_open)
        monkeypatch.setattr(api.access, "settings", settings)

    return set_rule


def test_a_first_request_is_opened_for_its_customer(api: Api, cast: Cast) -> None:
    status, answer = file(api.as_(cast.customer))
    assert (status, answer["created"]) == (201, True)
    ticket = answer["ticket"]
    assert (ticket["title"], ticket["channel"], ticket["requester"]["id"]) == (
        NEW["title"],
        "PORTAL",
        str(cast.customer.id),
    )
    assert (ticket["remote_key"], ticket["response_breached"], ticket["time_spent_minutes"]) == (None, None, None)


def test_whoever_has_an_open_request_is_shown_the_newest_instead(api: Api, make: Factory, cast: Cast) -> None:
    make.ticket(cast.customer)
    newest = make.ticket(cast.customer, status=Status.PENDING_INFO)
    make.ticket(cast.customer, status=Status.RESOLVED)
    make.ticket(cast.stranger)
    status, answer = file(api.as_(cast.customer))
    assert (status, answer["created"], answer["ticket"]["number"]) == (200, False, newest.number)


def test_of_other_categories_there_may_be_others(api: Api, make: Factory, cast: Cast, rule: Any) -> None:
    rule("category")
    customer = api.as_(cast.customer)
    make.ticket(cast.customer, category="INCIDENT")
    status, answer = file(customer)
    assert (status, answer["created"]) == (201, True)
    again, second = file(customer)
    assert (again, second["ticket"]["number"]) == (200, answer["ticket"]["number"])


def test_where_it_is_off_every_request_is_opened(api: Api, cast: Cast, rule: Any) -> None:
    rule("off")
    customer = api.as_(cast.customer)
    assert [file(customer)[0] for _ in range(2)] == [201, 201]


@pytest.mark.database
def test_of_ten_requests_at_once_one_is_opened_and_the_others_are_shown_it(api: Api, cast: Cast) -> None:
    customer = api.as_(cast.customer)
    answers = customer.together([("POST", "/portal/tickets", {"json": NEW})] * 10)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 9}
    assert len({answer.json()["ticket"]["number"] for answer in answers}) == 1


def test_under_one_key_a_request_is_answered_the_same_again(api: Api, cast: Cast) -> None:
    customer = api.as_(cast.customer)
    first, second = (customer.post("/portal/tickets", NEW, headers={"Idempotency-Key": "once"}) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content


def test_an_agent_at_the_portal_is_a_customer(api: Api, make: Factory, cast: Cast) -> None:
    ticket = make.ticket(cast.customer)
    agent = api.as_(cast.agent)
    assert agent.get(f"/portal{ticket.path}").status_code == 404
    status, answer = file(agent)
    assert (status, answer["ticket"]["requester"]["name"]) == (201, cast.agent.name)


@pytest.mark.parametrize("field", sorted(NEW))
def test_a_request_without_one_of_its_fields_is_refused(api: Api, cast: Cast, field: str) -> None:
    body = {name: value for name, value in NEW.items() if name != field}
    answer = api.as_(cast.customer).post("/portal/tickets", body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
