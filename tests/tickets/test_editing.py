"""Changing a ticket's fields, and deleting it."""

from datetime import timedelta
from typing import Any

import pytest
from tests.factories import Cast, Factory, MadeTicket
from tests.support.http import Api

from deskbridge.kit.clock import ManualClock
from deskbridge.people.actor import Role
from deskbridge.tickets.model import Status

FULL = {"title": "New title", "description": "New text", "category": "BUG"}


@pytest.mark.database
def test_patching_changes_only_what_is_named(api: Api, cast: Cast, make: Factory, clock: ManualClock) -> None:
    ticket = make.ticket(cast.customer, assignee_id=cast.agent.id, tags=["old"])
    agent = api.as_(cast.agent)
    before = agent.get(ticket.path).json()
    clock.advance(timedelta(minutes=1))
    changes = {"title": "New title", "impact_level": "LOW", "tags": ["new", "old"], "environment": "TEST"}
    answer = agent.patch(ticket.path, changes)
    assert answer.status_code == 200
    moved = {"version": 2, "updated_at": "2026-11-20T08:31:00.123456Z", "activity_at": "2026-11-20T08:31:00.123456Z"}
    assert answer.json() == before | changes | moved
    assert answer.headers["etag"] == '"2"'
    assert [t["number"] for t in agent.get("/tickets?tag=new").json()["items"]] == [ticket.number]


def test_putting_keeps_optional_fields_that_are_left_out(api: Api, cast: Cast, make: Factory) -> None:
    ticket = make.ticket(cast.customer, assignee_id=cast.agent.id, tags=["kept"], affected_service="Mail")
    answer = api.as_(cast.agent).put(ticket.path, FULL)
    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in FULL} == FULL
    assert (answer.json()["tags"], answer.json()["affected_service"]) == (["kept"], "Mail")


def test_null_takes_an_optional_field_away(api: Api, cast: Cast, make: Factory) -> None:
    ticket = make.ticket(cast.customer, assignee_id=cast.agent.id, affected_service="Mail", environment="TEST")
    answer = api.as_(cast.agent).patch(ticket.path, {"affected_service": None, "environment": None})
    assert (answer.json()["affected_service"], answer.json()["environment"]) == (None, None)


@pytest.mark.parametrize("missing", ["title", "description", "category"])
def test_putting_needs_all_required_fields(api: Api, cast: Cast, make: Factory, missing: str) -> None:
    ticket = make.ticket(cast.customer)
    body = {name: value for name, value in FULL.items() if name != missing}
    answer = api.as_(cast.manager).put(ticket.path, body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, missing)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("field", ["status", "assignee_id", "requester_id", "number", "version", "nonsense"])
def test_what_has_its_own_address_cannot_be_written(
    api: Api, cast: Cast, make: Factory, method: str, field: str
) -> None:
    ticket = make.ticket(cast.customer)
    answer = api.as_(cast.admin).request(method, ticket.path, json=FULL | {field: "OPEN"})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert make.row(ticket).version == 1


@pytest.mark.parametrize("changes", [{}, {"title": "The printer is on fire"}, {"tags": [], "priority": "P3"}])
def test_what_changes_nothing_leaves_no_trace(
    api: Api, cast: Cast, make: Factory, clock: ManualClock, changes: dict[str, Any]
) -> None:
    ticket = make.ticket(cast.customer)
    clock.advance(timedelta(minutes=1))
    agent = api.as_(cast.agent)
    before = agent.get(ticket.path)
    answer = agent.patch(ticket.path, changes)
    assert (answer.status_code, answer.json()) == (200, before.json())
    assert len(agent.get(f"{ticket.path}/history").json()["items"]) == 1


TEXT, TRIAGE, OTHER = {"title": "New title"}, {"priority": "P1"}, {"affected_service": "Mail"}


def may_edit(api: Api, ticket: MadeTicket) -> list[bool]:
    """Tell whether the caller may change text, triage and everything else."""
    answers = [api.patch(ticket.path, changes) for changes in (TEXT, TRIAGE, OTHER)]
    assert {answer.status_code for answer in answers} <= {200, 403}
    return [answer.status_code == 200 for answer in answers]


@pytest.mark.parametrize("status", list(Status))
def test_a_customer_edits_title_and_description_while_new(api: Api, cast: Cast, make: Factory, status: Status) -> None:
    ticket = make.ticket(cast.customer, status=status)
    assert may_edit(api.as_(cast.customer), ticket) == [status is Status.NEW, False, False]


def test_agents_triage_what_is_unassigned_and_edit_what_is_theirs(api: Api, cast: Cast, make: Factory) -> None:
    agent = api.as_(cast.agent)
    assert may_edit(agent, make.ticket(cast.customer)) == [False, True, False]
    assert may_edit(agent, make.ticket(cast.customer, assignee_id=cast.agent.id)) == [True, True, True]
    assert may_edit(agent, make.ticket(cast.customer, assignee_id=cast.colleague.id)) == [False, False, False]


def test_leads_edit_what_is_their_teams_and_managers_everything(api: Api, cast: Cast, make: Factory) -> None:
    ours = make.ticket(cast.customer, assignee_id=cast.colleague.id, team_id=cast.support)
    theirs = make.ticket(cast.customer, assignee_id=cast.outsider.id, team_id=cast.research)
    assert may_edit(api.as_(cast.lead), theirs) == [False, False, False]
    assert may_edit(api.as_(cast.lead), ours) == [True, True, True]
    assert may_edit(api.as_(cast.manager), theirs) == [True, True, True]


def test_a_refused_part_refuses_the_whole(api: Api, cast: Cast, make: Factory) -> None:
    ticket = make.ticket(cast.customer)
    assert api.as_(cast.agent).patch(ticket.path, TRIAGE | OTHER).status_code == 403
    assert make.row(ticket).priority == "P3"


def test_a_ticket_keeps_a_category_that_is_no_longer_offered(api: Api, cast: Cast, make: Factory) -> None:
    from sqlalchemy import update

    from deskbridge.tickets.model import Category

    ticket = make.ticket(cast.customer, assignee_id=cast.agent.id, category="BUG")
    make.database.write(
        lambda uow: uow.execute(update(Category).where(Category.key == "BUG").values(active=False)) and None
    )
    agent = api.as_(cast.agent)
    assert agent.put(ticket.path, FULL).status_code == 200
    assert agent.patch(ticket.path, {"category": "INCIDENT"}).status_code == 200
    answer = agent.patch(ticket.path, {"category": "BUG"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "category")


# Versions


@pytest.mark.database
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "", {"priority": "P1"}),
        ("PUT", "", FULL),
        ("PATCH", "/status", {"status": "OPEN"}),
        ("PUT", "/assign", {"team_id": None}),
        ("POST", "/close", {}),
    ],
)
def test_a_stale_version_is_refused_and_told(
    api: Api, cast: Cast, make: Factory, method: str, path: str, body: dict[str, Any]
) -> None:
    ticket = make.ticket(cast.customer, team_id=cast.support)
    manager = api.as_(cast.manager)
    manager.patch(ticket.path, {"title": "Somebody was faster"})
    answer = manager.request(method, ticket.path + path, json=body, headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.json()["error_code"], answer.json()["version"]) == (
        412,
        "PRECONDITION_FAILED",
        2,
    )
    assert make.row(ticket).version == 2
    answer = manager.request(method, ticket.path + path, json=body, headers={"If-Match": '"2"'})
    assert (answer.status_code, answer.headers["etag"]) == (200, '"3"')


@pytest.mark.parametrize("tag", ["1", "''", '"1', '"1",', '"1" "2"', 'w/"1"', '"a b"'])
def test_what_is_no_entity_tag_is_malformed(api: Api, cast: Cast, make: Factory, tag: str) -> None:
    ticket = make.ticket(cast.customer)
    answer = api.as_(cast.manager).patch(ticket.path, TRIAGE, headers={"If-Match": tag.encode()})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "If-Match")


@pytest.mark.parametrize("tag", ["", 'W/"1"', '""', '"one"', '"1", "2"', '"²"', '"9999999999999999999999"', '"-1"'])
def test_a_tag_that_is_none_of_ours_matches_nothing(api: Api, cast: Cast, make: Factory, tag: str) -> None:
    ticket = make.ticket(cast.customer)
    answer = api.as_(cast.manager).patch(ticket.path, TRIAGE, headers={"If-Match": tag.encode()})
    assert (answer.status_code, answer.json()["version"]) == (412, 1)
    assert make.row(ticket).version == 1


def test_a_star_matches_any_version(api: Api, cast: Cast, make: Factory) -> None:
    ticket = make.ticket(cast.customer)
    assert api.as_(cast.manager).patch(ticket.path, TRIAGE, headers={"If-Match": "*"}).status_code == 200


def test_what_has_not_changed_is_not_sent_again(api: Api, cast: Cast, make: Factory) -> None:
    ticket, manager = make.ticket(cast.customer), api.as_(cast.manager)
    answer = manager.get(ticket.path, headers={"If-None-Match": '"1"'})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"1"')
    manager.patch(ticket.path, TRIAGE)
    assert manager.get(ticket.path, headers={"If-None-Match": '"1"'}).status_code == 200


# Deleting


@pytest.mark.database
def test_a_deleted_ticket_is_gone_for_everyone_and_kept_for_the_audit(api: Api, cast: Cast, make: Factory) -> None:
    ticket, other = make.ticket(cast.customer), make.ticket(cast.customer)
    message = make.message(cast.customer, ticket, "Hello?")
    answer = api.as_(cast.admin).delete(ticket.path)
    assert (answer.status_code, answer.content) == (204, b"")
    for person in (cast.customer, cast.agent, cast.admin):
        caller = api.as_(person)
        for ref in (ticket.number, ticket.id):
            assert caller.get(f"/tickets/{ref}").status_code == 404
        for part in ("history", "comments"):
            assert caller.get(f"{ticket.path}/{part}").status_code == 404
        assert caller.post(f"{ticket.path}/comments", {"content": "x"}).status_code == 404
        assert caller.put(f"/comments/{message}", {"content": "x"}).status_code == 404
        assert caller.delete(ticket.path).status_code == 404
        listed = caller.get("/tickets?with_total=true").json()
        assert ([item["number"] for item in listed["items"]], listed["total"]) == ([other.number], 1)
    assert make.row(ticket).deleted_at is not None


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_only_administrators_delete(api: Api, cast: Cast, make: Factory, role: Role) -> None:
    ticket = make.ticket(cast.customer, assignee_id=cast.agent.id, team_id=cast.support)
    assert api.as_(cast.of(role)).delete(ticket.path).status_code == 403
    assert make.row(ticket).deleted_at is None


@pytest.mark.parametrize(
    "ref",
    ["0", "999999", "99999999999", "999999999999999999", "-1", "1.5", "x", "01a1fbfa-3e96-75c5-8c61-7372fe553800"],
)
@pytest.mark.database
def test_an_unknown_ticket_is_not_found(api: Api, cast: Cast, ref: str) -> None:
    answer = api.as_(cast.admin).get(f"/tickets/{ref}")
    assert (answer.status_code, answer.json()["error_code"]) == (404, "NOT_FOUND")
    assert api.as_(cast.admin).patch(f"/tickets/{ref}", {"title": "New title"}).status_code == 404
