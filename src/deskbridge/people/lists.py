"""Reading the people and teams of a desk, for agents."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, Select, func, or_, select

from deskbridge.kit.db import Reader
from deskbridge.kit.errors import Forbidden, NotFound
from deskbridge.kit.paging import Page, decode_cursor, encode_cursor, list_key
from deskbridge.kit.text import clean_line
from deskbridge.people.actor import Actor, Role
from deskbridge.people.directory import AGENT_ROLES, require_sight
from deskbridge.people.model import Dispatch, Team, TeamMember, User, customer_id
from deskbridge.people.queries import NamedThing, Profile, by_identifier, profile


class AgentAnswer(Profile):
    """An agent: a person with skills, availability and capacity (how many open tickets they may be given)."""

    skills: list[str]
    available: bool
    capacity: int


class TeamAnswer(msgspec.Struct):
    """A team with its members. `assignment` says how its tickets find their agent."""

    id: UUID
    name: str
    description: str
    active: bool
    assignment: Dispatch
    members: list[NamedThing]
    version: int


@dataclass(frozen=True)
class PeopleFilter:
    """Which people to list; values of one field are alternatives. `text` is a name's part or an identifier."""

    text: str = ""
    roles: tuple[Role, ...] = ()
    team_ids: tuple[UUID, ...] = ()
    active: bool | None = None
    available: bool | None = None


def get_person(reader: Reader, actor: Actor, user_id: UUID) -> Profile:
    """Return a person: oneself to everybody, anybody to agents."""
    require_sight(actor, user_id)
    return profile(reader, user_id)


def get_agent(reader: Reader, actor: Actor, user_id: UUID) -> AgentAnswer:
    """Return an agent, to agents; raises `NotFound` for somebody who is none."""
    _require_agent(actor)
    rows = _agents(reader, [user_id])
    if not rows:
        raise NotFound("There is no such agent.")
    return rows[0]


def _require_agent(actor: Actor) -> None:
    if not actor.is_agent:
        raise Forbidden("Only agents see the people of the desk.")


def list_people(reader: Reader, actor: Actor, wanted: PeopleFilter, limit: int, cursor: str | None) -> Page[Profile]:
    """Return a page of people, newest first; for agents."""
    _require_agent(actor)
    ids, next_cursor = _page_of_ids(reader, "people", wanted, limit, cursor)
    return Page(_profiles(reader, ids), next_cursor)


def list_agents(
    reader: Reader, actor: Actor, wanted: PeopleFilter, limit: int, cursor: str | None
) -> Page[AgentAnswer]:
    """Return a page of agents, newest first; for agents."""
    _require_agent(actor)
    ids, next_cursor = _page_of_ids(reader, "agents", wanted, limit, cursor)
    return Page(_agents(reader, ids), next_cursor)


def _page_of_ids(
    reader: Reader, kind: str, wanted: PeopleFilter, limit: int, cursor: str | None
) -> tuple[list[UUID], str | None]:
    key = list_key(kind, wanted)
    query = _matching(wanted).order_by(User.customer_number.desc()).limit(limit + 1)
    if cursor is not None:
        (after,) = decode_cursor(key, cursor, [int])
        query = query.where(User.customer_number < min(after, 2**31 - 1))
    rows = reader.execute(query).all()
    more = len(rows) > limit
    return [row.id for row in rows[:limit]], encode_cursor(key, [rows[limit - 1].customer_number]) if more else None


def _matching(wanted: PeopleFilter) -> Select[UUID, int]:
    query = select(User.id, User.customer_number)
    if text := clean_line(wanted.text):
        named = func.lower(User.name).contains(text.lower(), autoescape=True)
        exactly = by_identifier(text)
        query = query.where(named if exactly is None else or_(named, User.id.in_(exactly.with_only_columns(User.id))))
    if wanted.roles:
        query = query.where(User.role.in_(wanted.roles))
    if wanted.active is not None:
        query = query.where(User.active.is_(wanted.active))
    if wanted.available is not None:
        query = query.where(User.available.is_(wanted.available))
    if wanted.team_ids:
        query = query.where(User.id.in_(select(TeamMember.user_id).where(TeamMember.team_id.in_(wanted.team_ids))))
    return query


def _profiles(reader: Reader, ids: list[UUID]) -> list[Profile]:
    teams = _teams_of(reader, ids)
    return [Profile(**_values(row, teams)) for row in _people(reader, ids)]


def _agents(reader: Reader, ids: list[UUID]) -> list[AgentAnswer]:
    teams = _teams_of(reader, ids)
    return [
        AgentAnswer(**_values(row, teams), skills=row.skills, available=row.available, capacity=row.capacity)
        for row in _people(reader, ids)
        if row.role in AGENT_ROLES
    ]


def _people(reader: Reader, ids: list[UUID]) -> list[Row[Any]]:
    people = select(User.__table__).where(User.id.in_(ids)).order_by(User.customer_number.desc())
    return list(reader.execute(people).all())


def _teams_of(reader: Reader, ids: list[UUID]) -> dict[UUID, list[NamedThing]]:
    rows = reader.execute(
        select(TeamMember.user_id, Team.id, Team.name).join(Team).where(TeamMember.user_id.in_(ids)).order_by(Team.name)
    )
    teams: dict[UUID, list[NamedThing]] = {}
    for row in rows:
        teams.setdefault(row.user_id, []).append(NamedThing(row.id, row.name))
    return teams


def _values(row: Row[Any], teams: dict[UUID, list[NamedThing]]) -> dict[str, Any]:
    same = ("id", "name", "email", "phone", "address", "organisation", "locale", "time_zone", "role", "active")
    values = {name: getattr(row, name) for name in (*same, "created_at", "version")}
    return {**values, "customer_id": customer_id(row.customer_number), "teams": teams.get(row.id, [])}


def get_team(reader: Reader, actor: Actor, team_id: UUID) -> TeamAnswer:
    """Return a team with its members, to agents."""
    _require_agent(actor)
    found = _teams(reader, select(Team.__table__).where(Team.id == team_id))
    if not found:
        raise NotFound("There is no such team.")
    return found[0]


def list_teams(reader: Reader, actor: Actor, active: bool | None) -> list[TeamAnswer]:
    """Return the teams by name, to agents."""
    _require_agent(actor)
    teams = select(Team.__table__).order_by(Team.name).limit(1000)
    return _teams(reader, teams if active is None else teams.where(Team.active.is_(active)))


def _teams(reader: Reader, query: Select[Any]) -> list[TeamAnswer]:
    rows = reader.execute(query).all()
    members: dict[UUID, list[NamedThing]] = {row.id: [] for row in rows}
    belonging = (
        select(TeamMember.team_id, User.id, User.name)
        .join(User, User.id == TeamMember.user_id)
        .where(TeamMember.team_id.in_(list(members)), User.active)
    )
    for row in reader.execute(belonging.order_by(User.name, User.id)):
        members[row.team_id].append(NamedThing(row.id, row.name))
    return [
        TeamAnswer(row.id, row.name, row.description, row.active, row.assignment, members[row.id], row.version)
        for row in rows
    ]
