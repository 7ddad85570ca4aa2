"""The API's doors to the people and teams of a desk."""

from typing import Annotated, Any, cast
from uuid import UUID

import msgspec
from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from deskbridge.kit.api import Body, Cursor, Parameters, Word, answers
from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.errors import FieldError, Invalid
from deskbridge.kit.http import expected_version, json_response, versioned_response
from deskbridge.kit.paging import DEFAULT_LIMIT, MAX_LIMIT, Page
from deskbridge.people import directory, lists, passwords
from deskbridge.people.actor import Actor, Role
from deskbridge.people.api import access_of
from deskbridge.people.directory import AGENT_ROLES, PersonChanges, TeamChanges
from deskbridge.people.lists import AgentAnswer, PeopleFilter, TeamAnswer
from deskbridge.people.model import Dispatch
from deskbridge.people.queries import Profile, password_hash_of
from deskbridge.people.service import NewUser, deactivate

router = APIRouter(prefix="/api/v1", tags=["people"])

RowId = Annotated[UUID, Path(alias="id")]
Password = Annotated[str, Field(min_length=passwords.MIN_LENGTH, max_length=passwords.MAX_LENGTH)]


class PersonFields(Body):
    """What can be said of a person; only an ADMIN gives roles and passwords to others."""

    email: Word | None = Field(None, max_length=254)
    phone: Word | None = Field(None, max_length=40)
    address: Word = Field("", max_length=500)
    organisation: Word = Field("", max_length=200)
    locale: Word = Field("en", max_length=10)
    time_zone: Word = Field("UTC", max_length=60)
    password: Password | None = None


class PersonBody(PersonFields):
    """A new person."""

    name: Word = Field(min_length=1, max_length=200)
    role: Role = Role.END_USER


class AgentFields(PersonFields):
    """What an agent is besides: `capacity` is how many open tickets they may be given by themselves."""

    skills: list[Word] = Field([], max_length=directory.MAX_SKILLS)
    available: bool = True
    capacity: int = Field(20, ge=0, le=directory.MAX_CAPACITY)
    team_ids: list[UUID] = Field([], max_length=200)


class AgentBody(AgentFields):
    """A new agent."""

    name: Word = Field(min_length=1, max_length=200)
    role: Role = Role.AGENT


class PersonPatch(PersonFields):
    """What changes of a person. To change one's own password, send the present one along."""

    name: Word = Field("", min_length=1, max_length=200)
    role: Role = Role.END_USER
    active: bool = True
    current_password: str = Field("", max_length=passwords.MAX_LENGTH)


class PersonPut(PersonPatch):
    """A person anew; optional fields that are left out stay as they are."""

    name: Word = Field(min_length=1, max_length=200)


class AgentPatch(AgentFields, PersonPatch):
    """What changes of an agent."""


class AgentPut(AgentFields, PersonPut):
    """An agent anew; optional fields that are left out stay as they are."""


class TeamFields(Body):
    """What changes of a team; `member_ids` replaces all its members."""

    name: Word = Field("", min_length=1, max_length=100)
    description: Word = Field("", max_length=500)
    active: bool = True
    assignment: Dispatch = Dispatch.MANUAL
    member_ids: list[UUID] = Field([], max_length=1000)


class TeamBody(TeamFields):
    """A team."""

    name: Word = Field(min_length=1, max_length=100)


class PeopleParameters(Parameters):
    """Filters may repeat; `q` finds a part of the name, or exactly an e-mail, phone number or customer ID."""

    q: Word = Field("", max_length=254)
    role: list[Role] = Field([], max_length=10)
    team: list[UUID] = Field([], max_length=20)
    active: bool | None = None
    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    cursor: Cursor | None = None


class AgentParameters(PeopleParameters):
    available: bool | None = None


class TeamList(msgspec.Struct):
    """Teams, by name."""

    items: list[TeamAnswer]


# Users


@router.get("/users", responses=answers(200, Page[Profile], 400, 403), response_class=Response)
async def list_users(request: Request, parameters: Annotated[PeopleParameters, Query()]) -> Response:
    """Return a page of people, newest first; for agents."""
    wanted = PeopleFilter(parameters.q, tuple(parameters.role), tuple(parameters.team), parameters.active)
    page = await access_of(request).read(request, lists.list_people, wanted, parameters.limit, parameters.cursor)
    return json_response(page)


@router.post("/users", status_code=201, responses=answers(201, Profile, 400, 403, 409), response_class=Response)
async def add_user(request: Request, body: PersonBody) -> Response:
    """Add a person: agents add customers, administrators anybody."""
    new = await _new_user(body)

    def add(uow: UnitOfWork, actor: Actor) -> Profile:
        return lists.get_person(uow, actor, directory.add_person(uow, actor, new, {}).id)

    return await access_of(request).answer(request, 201, add)


async def _new_user(body: PersonBody | AgentBody) -> NewUser:
    known = body.model_dump(include=set(NewUser.__annotations__))
    password_hash = await passwords.hash_in_background(body.password) if body.password else None
    return NewUser(**known, password_hash=password_hash)


@router.get("/users/{id}", responses=answers(200, Profile, 400, 404), response_class=Response)
async def get_user(request: Request, user_id: RowId) -> Response:
    """Return a person: oneself, or anybody to agents."""
    return versioned_response(await access_of(request).read(request, lists.get_person, user_id))


@router.put("/users/{id}", responses=answers(200, Profile, 400, 403, 404, 409, 412), response_class=Response)
async def put_user(request: Request, user_id: RowId, body: PersonPut) -> Response:
    """Change a person: one's own name, phone, address, language, time zone and password, an ADMIN everything."""
    return await _update(request, user_id, body, lists.get_person)


@router.patch("/users/{id}", responses=answers(200, Profile, 400, 403, 404, 409, 412), response_class=Response)
async def patch_user(request: Request, user_id: RowId, body: PersonPatch) -> Response:
    """Change some of what is known of a person."""
    return await _update(request, user_id, body, lists.get_person)


async def _update(
    request: Request, user_id: UUID, body: PersonPatch, read_back: Any, *, agents_only: bool = False
) -> Response:
    values = body.model_dump(exclude_unset=True, exclude={"password", "current_password"})
    if body.password:
        await _require_own_password(request, user_id, body.current_password)
        values["password_hash"] = await passwords.hash_in_background(body.password)
    changes, version = cast("PersonChanges", values), expected_version(request)

    def update(uow: UnitOfWork, actor: Actor) -> Profile:
        directory.update_person(uow, actor, user_id, changes, agents_only=agents_only, version=version)
        profile: Profile = read_back(uow, actor, user_id)
        return profile

    return await access_of(request).answer(request, 200, update)


async def _require_own_password(request: Request, user_id: UUID, password: str) -> None:
    """Raise `Invalid` when somebody changes their own password without knowing the present one."""

    def own_hash(reader: Reader, actor: Actor) -> str | None:
        return password_hash_of(reader, user_id) if actor.id == user_id else None

    present = await access_of(request).read(request, own_hash)
    if present is not None and not await passwords.check_in_background(present, password):
        raise Invalid([FieldError("current_password", "This is not your present password.")])


@router.delete(
    "/users/{id}", status_code=204, responses=answers(204, None, 400, 403, 404, 409), response_class=Response
)
async def delete_user(request: Request, user_id: RowId) -> Response:
    """Lock a person out and hand back their open tickets; for administrators."""
    return await access_of(request).answer(request, 204, _deactivate, user_id)


def _deactivate(uow: UnitOfWork, actor: Actor, user_id: UUID) -> None:
    deactivate(uow, actor, user_id)


# Agents


@router.get("/agents", responses=answers(200, Page[AgentAnswer], 400, 403), response_class=Response)
async def list_agents(request: Request, parameters: Annotated[AgentParameters, Query()]) -> Response:
    """Return a page of agents, newest first; for agents."""
    roles = tuple(role for role in parameters.role or AGENT_ROLES if role in AGENT_ROLES) or AGENT_ROLES
    wanted = PeopleFilter(parameters.q, roles, tuple(parameters.team), parameters.active, parameters.available)
    page = await access_of(request).read(request, lists.list_agents, wanted, parameters.limit, parameters.cursor)
    return json_response(page)


@router.post("/agents", status_code=201, responses=answers(201, AgentAnswer, 400, 403, 409), response_class=Response)
async def add_agent(request: Request, body: AgentBody) -> Response:
    """Add an agent; for administrators."""
    if body.role not in AGENT_ROLES:
        raise Invalid([FieldError("role", f"Choose one of {', '.join(AGENT_ROLES)}.")])
    new = await _new_user(body)
    besides = cast("PersonChanges", body.model_dump(include={"skills", "available", "capacity", "team_ids"}))

    def add(uow: UnitOfWork, actor: Actor) -> AgentAnswer:
        return lists.get_agent(uow, actor, directory.add_person(uow, actor, new, besides).id)

    return await access_of(request).answer(request, 201, add)


@router.get("/agents/{id}", responses=answers(200, AgentAnswer, 400, 403, 404), response_class=Response)
async def get_agent(request: Request, user_id: RowId) -> Response:
    """Return an agent; for agents."""
    return versioned_response(await access_of(request).read(request, lists.get_agent, user_id))


@router.put("/agents/{id}", responses=answers(200, AgentAnswer, 400, 403, 404, 409, 412), response_class=Response)
async def put_agent(request: Request, user_id: RowId, body: AgentPut) -> Response:
    """Change an agent: one's own profile and availability, an ADMIN everything."""
    return await _update(request, user_id, body, lists.get_agent, agents_only=True)


@router.patch("/agents/{id}", responses=answers(200, AgentAnswer, 400, 403, 404, 409, 412), response_class=Response)
async def patch_agent(request: Request, user_id: RowId, body: AgentPatch) -> Response:
    """Change some of what is known of an agent."""
    return await _update(request, user_id, body, lists.get_agent, agents_only=True)


@router.delete(
    "/agents/{id}", status_code=204, responses=answers(204, None, 400, 403, 404, 409), response_class=Response
)
async def delete_agent(request: Request, user_id: RowId) -> Response:
    """Lock an agent out and hand back their open tickets; for administrators."""
    return await access_of(request).answer(request, 204, directory.deactivate_agent, user_id)


# Teams


class TeamParameters(Parameters):
    active: bool | None = None


@router.get("/teams", responses=answers(200, TeamList, 400, 403), response_class=Response)
async def list_teams(request: Request, parameters: Annotated[TeamParameters, Query()]) -> Response:
    """Return the teams with their members; for agents."""

    def teams(reader: Reader, actor: Actor) -> TeamList:
        return TeamList(lists.list_teams(reader, actor, parameters.active))

    return json_response(await access_of(request).read(request, teams))


@router.post("/teams", status_code=201, responses=answers(201, TeamAnswer, 400, 403, 409), response_class=Response)
async def add_team(request: Request, body: TeamBody) -> Response:
    """Add a team; for administrators."""
    return await _save_team(request, 201, body, None, None)


@router.get("/teams/{id}", responses=answers(200, TeamAnswer, 400, 403, 404), response_class=Response)
async def get_team(request: Request, team_id: RowId) -> Response:
    """Return a team with its members; for agents."""
    return versioned_response(await access_of(request).read(request, lists.get_team, team_id))


@router.put("/teams/{id}", responses=answers(200, TeamAnswer, 400, 403, 404, 409, 412), response_class=Response)
async def put_team(request: Request, team_id: RowId, body: TeamBody) -> Response:
    """Change a team; for administrators. Optional fields that are left out stay as they are."""
    return await _save_team(request, 200, body, team_id, expected_version(request))


@router.patch("/teams/{id}", responses=answers(200, TeamAnswer, 400, 403, 404, 409, 412), response_class=Response)
async def patch_team(request: Request, team_id: RowId, body: TeamFields) -> Response:
    """Change some of a team's settings; for administrators."""
    return await _save_team(request, 200, body, team_id, expected_version(request))


async def _save_team(
    request: Request, status: int, body: TeamFields, team_id: UUID | None, version: int | None
) -> Response:
    changes = cast("TeamChanges", body.model_dump(exclude_unset=True))

    def save(uow: UnitOfWork, actor: Actor) -> TeamAnswer:
        return lists.get_team(uow, actor, directory.save_team(uow, actor, changes, team_id, version).id)

    return await access_of(request).answer(request, status, save)


@router.delete("/teams/{id}", status_code=204, responses=answers(204, None, 400, 403, 404), response_class=Response)
async def delete_team(request: Request, team_id: RowId) -> Response:
    """Take a team out of use; for administrators. The tickets it has stay with it."""
    return await access_of(request).answer(request, 204, directory.deactivate_team, team_id)
