"""People, agents, teams and categories over the API, by role."""

from typing import Any

import pytest
from tests.factories import PASSWORD, Cast, Factory
from tests.support.http import Api

from deskbridge.kit.db import Database
from deskbridge.people.actor import Role
from deskbridge.tickets.model import Status

pytestmark = pytest.mark.database


def test_an_administrator_adds_changes_finds_and_locks_out_people(api: Api, cast: Cast) -> None:
    admin = api.as_(cast.admin)
    body = {"name": "Nina New", "email": "nina@example.org", "role": "MANAGER", "password": PASSWORD}
    made = admin.post("/users", body)
    assert (made.status_code, made.json()["role"]) == (201, "MANAGER")
    path = f"/users/{made.json()['id']}"
    changed = admin.patch(path, {"organisation": "Works", "email": "n.new@example.org", "role": "AGENT"}).json()
    assert (changed["organisation"], changed["email"], changed["role"]) == ("Works", "n.new@example.org", "AGENT")
    for text in ("nina", "N.NEW@example.org", changed["customer_id"]):
        assert [person["name"] for person in admin.get("/users", params={"q": text}).json()["items"]] == ["Nina New"]
    assert admin.delete(path).status_code == 204
    assert admin.get(path).json()["active"] is False
    assert admin.patch(path, {"active": True}).json()["active"] is True
    login = {"username": "n.new@example.org", "password": PASSWORD}
    assert api.post("/auth/login", login).status_code == 200


def test_lists_of_people_come_in_pages_and_are_for_agents(api: Api, make: Factory, cast: Cast) -> None:
    names = [make.person(name=f"Customer {n}").name for n in range(5)]
    agent, seen, cursor = api.as_(cast.agent), [], None
    while cursor is not None or not seen:
        page = agent.get("/users", params={"limit": 2, "role": "END_USER"} | ({"cursor": cursor} if cursor else {}))
        seen += [person["name"] for person in page.json()["items"]]
        cursor = page.json()["next_cursor"]
    assert seen == names[::-1]
    customer = api.as_(cast.customer)
    assert [customer.get(path).status_code for path in ("/users", "/agents", "/teams")] == [403] * 3
    assert customer.get(f"/agents/{cast.agent.id}").status_code == 403


def test_people_change_their_own_profile_and_nothing_that_gives_rights(api: Api, cast: Cast) -> None:
    customer, path = api.as_(cast.customer), f"/users/{cast.customer.id}"
    own = {
        "name": "Carla C.",
        "phone": "+39 0471 999999",
        "address": "Bozen",
        "locale": "it",
        "time_zone": "Europe/Rome",
    }
    changed = customer.patch(path, own).json()
    assert {name: changed[name] for name in own} == own | {"phone": "+390471999999"}
    for forbidden in ({"role": "ADMIN"}, {"email": "c@example.org"}, {"organisation": "X"}, {"active": False}):
        assert customer.patch(path, forbidden).status_code == 403
    assert customer.patch(path, {"time_zone": "Mars/Olympus"}).json()["errors"][0]["field"] == "time_zone"
    assert customer.patch(path, {"name": None}).status_code == 422
    assert customer.get(f"/users/{cast.stranger.id}").status_code == 404
    assert customer.patch(f"/users/{cast.stranger.id}", {"name": "Me"}).status_code == 404
    assert api.as_(cast.agent).patch(path, {"name": "You"}).status_code == 403
    assert customer.delete(path).status_code == 403


def test_a_new_password_needs_the_present_one_and_ends_every_sign_in(api: Api, cast: Cast) -> None:
    customer, path = api.as_(cast.customer), f"/users/{cast.customer.id}"
    new = {"password": "another horse battery"}
    for wrong in (new, new | {"current_password": "not this one"}):
        assert customer.patch(path, wrong).json()["errors"][0]["field"] == "current_password"
    assert customer.patch(path, new | {"current_password": PASSWORD}).status_code == 200
    assert customer.get("/auth/me").status_code == 401
    login = {"username": cast.customer.email, "password": new["password"]}
    assert api.post("/auth/login", login).status_code == 200
    assert api.post("/auth/login", login | {"password": PASSWORD}).status_code == 401


def test_agents_add_customers_only_and_without_passwords(api: Api, cast: Cast) -> None:
    agent, body = api.as_(cast.agent), {"name": "Kurt", "email": "kurt@example.org"}
    assert agent.post("/users", body | {"role": "AGENT"}).status_code == 403
    assert agent.post("/users", body | {"password": PASSWORD}).status_code == 403
    assert agent.post("/users", body).status_code == 201
    assert agent.post("/users", body).json()["error_code"] == "EMAIL_TAKEN"
    assert api.as_(cast.customer).post("/users", body).status_code == 403
    assert agent.post("/agents", {"name": "A", "email": "a@example.org"}).status_code == 403


def test_agents_have_skills_teams_availability_and_capacity(api: Api, cast: Cast) -> None:
    admin = api.as_(cast.admin)
    body = {
        "name": "Petra",
        "email": "p@example.org",
        "skills": ["SAP ", "sap", "VPN"],
        "team_ids": [str(cast.support)],
    }
    made = admin.post("/agents", body).json()
    assert (made["role"], made["skills"], made["available"], made["capacity"]) == ("AGENT", ["sap", "vpn"], True, 20)
    assert [team["name"] for team in made["teams"]] == ["Support"]
    path = f"/agents/{made['id']}"
    changed = admin.patch(path, {"capacity": 3, "available": False, "team_ids": []}).json()
    assert (changed["capacity"], changed["available"], changed["teams"]) == (3, False, [])
    assert [agent["name"] for agent in admin.get("/agents", params={"available": False}).json()["items"]] == ["Petra"]
    agent = api.as_(cast.agent)
    assert agent.patch(f"/agents/{cast.agent.id}", {"available": False}).json()["available"] is False
    assert agent.patch(f"/agents/{cast.agent.id}", {"capacity": 1}).status_code == 403
    assert admin.get(f"/agents/{cast.customer.id}").status_code == 404
    assert admin.patch(f"/agents/{cast.customer.id}", {"capacity": 1}).status_code == 404
    assert admin.delete(f"/agents/{cast.customer.id}").status_code == 404
    assert admin.delete(path).status_code == 204


def test_administrators_keep_teams(api: Api, cast: Cast) -> None:
    admin = api.as_(cast.admin)
    body = {"name": "Network", "member_ids": [str(cast.agent.id)], "assignment": "ROUND_ROBIN"}
    made = admin.post("/teams", body).json()
    path = f"/teams/{made['id']}"
    assert made["members"] == [{"id": str(cast.agent.id), "name": cast.agent.name}]
    assert admin.post("/teams", body).status_code == 409
    assert admin.patch(path, {"member_ids": [str(cast.customer.id)]}).json()["errors"][0]["field"] == "member_ids"
    changed = admin.put(path, {"name": "Networks", "member_ids": []}).json()
    assert (changed["name"], changed["members"], changed["assignment"]) == ("Networks", [], "ROUND_ROBIN")
    manager = api.as_(cast.manager)
    assert [manager.post("/teams", body).status_code, manager.delete(path).status_code] == [403, 403]
    assert admin.delete(path).status_code == 204
    assert "Networks" not in {team["name"] for team in manager.get("/teams", params={"active": True}).json()["items"]}


def test_administrators_keep_the_categories(api: Api, cast: Cast) -> None:
    admin, customer = api.as_(cast.admin), api.as_(cast.customer)
    body = {"key": "HARDWARE", "name": "Hardware", "team_id": str(cast.support), "skill": "Soldering"}
    assert admin.post("/categories", body).status_code == 201
    assert [admin.post("/categories", body).status_code, customer.post("/categories", body).status_code] == [409, 403]
    seen = {category["key"]: category for category in customer.get("/categories").json()["items"]}
    assert (seen["HARDWARE"]["name"], seen["HARDWARE"]["team_id"]) == ("Hardware", None)
    new = {"title": "A lamp", "description": "Broken", "category": "HARDWARE"}
    assert customer.post("/tickets", new).json()["team"]["name"] == "Support"
    assert admin.patch("/categories/HARDWARE", {"name": "Things"}).json()["skill"] == "soldering"
    assert admin.delete("/categories/HARDWARE").status_code == 204
    assert customer.post("/tickets", new).status_code == 422
    assert customer.get("/categories/HARDWARE").status_code == 404
    assert admin.get("/categories/HARDWARE").json()["active"] is False
    assert admin.patch("/categories/NOTHING", {"name": "No"}).status_code == 404


def test_who_is_deactivated_hands_back_what_is_open(api: Api, make: Factory, cast: Cast) -> None:
    held: dict[str, Any] = {"assignee_id": cast.agent.id, "team_id": cast.support}
    tickets = [make.ticket(cast.customer, status=status, **held) for status in (Status.OPEN, Status.RESOLVED)]
    admin = api.as_(cast.admin)
    assert admin.delete(f"/agents/{cast.agent.id}").status_code == 204
    open_, resolved = (admin.get(ticket.path).json() for ticket in tickets)
    assert (open_["assignee"], open_["team"]["name"], resolved["assignee"]["name"]) == (
        None,
        "Support",
        cast.agent.name,
    )
    (entry,) = [e for e in admin.get(f"{tickets[0].path}/history").json()["items"] if e["type"] == "ASSIGNMENT_CHANGE"]
    assert (entry["field"], entry["old"], entry["new"]) == ("assignee", cast.agent.name, None)
    assert admin.put(f"{tickets[0].path}/assign", {"assignee_id": str(cast.agent.id)}).status_code == 422


def test_who_becomes_a_customer_hands_back_too(api: Api, make: Factory, cast: Cast, database: Database) -> None:
    ticket = make.ticket(cast.customer, status=Status.OPEN, assignee_id=cast.agent.id)
    assert api.as_(cast.admin).patch(f"/users/{cast.agent.id}", {"role": Role.END_USER}).status_code == 200
    assert make.row(ticket).assignee_id is None


def test_a_membership_counts_up_the_versions_at_both_ends(api: Api, cast: Cast) -> None:
    """Whoever shows a team or a member that is not there any more has seen an old version."""
    admin, agent, team = api.as_(cast.admin), f"/agents/{cast.agent.id}", f"/teams/{cast.support}"
    assert cast.colleague.team_ids == {cast.support}
    before = {path: admin.get(path).headers["etag"] for path in (agent, team, f"/agents/{cast.colleague.id}")}
    assert admin.patch(agent, {"team_ids": []}).status_code == 200
    stale = admin.patch(team, {"name": "Help"}, headers={"If-Match": before[team]})
    assert (stale.status_code, stale.json()["version"]) == (412, 2)
    assert admin.patch(team, {"member_ids": [str(cast.agent.id), str(cast.colleague.id)]}).status_code == 200
    assert admin.get(agent).json()["version"] == 3
    assert admin.get(f"/agents/{cast.colleague.id}").headers["etag"] == before[f"/agents/{cast.colleague.id}"]


def test_what_others_do_to_a_person_is_a_new_version_too(api: Api, make: Factory, cast: Cast) -> None:
    admin, path = api.as_(cast.admin), f"/users/{make.person(Role.AGENT).id}"
    seen = [admin.get(path).json()["version"]]
    changes = ({"role": "TEAM_LEAD"}, {"active": False}, {"active": True}, {"address": "Bolzano"})
    seen += [admin.patch(path, change).json()["version"] for change in changes]
    assert admin.delete(path).status_code == 204
    seen.append(admin.get(path).json()["version"])
    assert seen == sorted(set(seen)), seen
    refused = admin.patch(path, {"active": True}, headers={"If-Match": f'"{seen[0]}"'})
    assert refused.status_code == 412
    assert admin.get(path).json()["active"] is False
