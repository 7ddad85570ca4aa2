"""Reading people: by what they sign in with, and as actors."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Select, bindparam, select

from deskbridge.kit.db import Reader
from deskbridge.kit.errors import Forbidden, NotFound, Unauthenticated
from deskbridge.kit.statements import Statement
from deskbridge.kit.text import email_key, parse_phone
from deskbridge.people.actor import Actor, Role
from deskbridge.people.model import ApiToken, Team, TeamMember, TokenFamily, User, WebSession, customer_id
from deskbridge.people.tokens import ForeignToken, OwnToken

SESSION_IDLE = timedelta(hours=12)
TOUCH_EVERY = timedelta(minutes=5)
CUSTOMER_ID = re.compile(r"[Cc]-?(\d{1,9})")


def by_identifier(identifier: str) -> Select[User] | None:
    """Return the query for the person with this e-mail, phone number or customer ID; None if it looks like none."""
    identifier = identifier.strip()
    people = select(User).where(User.issuer.is_(None))
    if match := CUSTOMER_ID.fullmatch(identifier):
        return people.where(User.customer_number == int(match[1]))
    if "@" in identifier:
        return people.where(User.email_key == email_key(identifier))
    phone = parse_phone(identifier)
    return people.where(User.phone == phone) if phone else None


@dataclass(frozen=True)
class SignInRecord:
    """What a sign-in needs to know of a person."""

    user_id: UUID
    password_hash: str | None
    active: bool


def sign_in_record(reader: Reader, identifier: str) -> SignInRecord | None:
    """Return the record of the person who signs in with this identifier, if there is one."""
    query = by_identifier(identifier)
    if query is None:
        return None
    row = reader.execute(query.with_only_columns(User.id, User.password_hash, User.active)).one_or_none()
    return SignInRecord(row.id, row.password_hash, row.active) if row else None


@dataclass(frozen=True)
class RecentActor:
    """The actor of a web session or an API token, and whether its time of last use should be written anew."""

    actor: Actor
    stale: bool


class UnknownForeigner(Unauthenticated):
    """A valid token of the external auth service names somebody who is not here yet."""


class _Person(NamedTuple):
    """What an actor is made of, once for each of their teams."""

    id: UUID
    name: str
    role: Role
    active: bool
    locale: str
    time_zone: str
    team_id: UUID | None


_PERSON = (User.id, User.name, User.role, User.active, User.locale, User.time_zone, TeamMember.team_id)
_WITH_TEAMS = TeamMember.user_id == User.id
_OWN = len(_PERSON)  # where in a row begins what a statement reads besides the person

PEOPLE = select(*_PERSON).outerjoin(TeamMember, _WITH_TEAMS)
FAMILIES = (
    select(*_PERSON, TokenFamily.revoked_at)
    .join(TokenFamily, TokenFamily.user_id == User.id)
    .outerjoin(TeamMember, _WITH_TEAMS)
)
SESSIONS = (
    select(*_PERSON, WebSession.seen_at, WebSession.expires_at)
    .join(WebSession, WebSession.user_id == User.id)
    .outerjoin(TeamMember, _WITH_TEAMS)
)
API_TOKENS = (
    select(*_PERSON, ApiToken.scopes, ApiToken.expires_at, ApiToken.used_at)
    .join(ApiToken, ApiToken.user_id == User.id)
    .outerjoin(TeamMember, _WITH_TEAMS)
)
"""People with what they identify themselves by: one row for each of their teams, or one without."""

_BY_TOKEN = Statement(FAMILIES.where(User.id == bindparam("user_id"), TokenFamily.id == bindparam("family_id")))
_BY_SESSION = Statement(SESSIONS.where(WebSession.digest == bindparam("digest")))
_BY_API_TOKEN = Statement(API_TOKENS.where(ApiToken.digest == bindparam("digest")))
_BY_SUBJECT = Statement(PEOPLE.where(User.issuer == bindparam("issuer"), User.subject == bindparam("subject")))
_BY_ID = Statement(PEOPLE.where(User.id == bindparam("user_id")))

Rows = Sequence[Sequence[Any]]


def actor_of_token(reader: Reader, token: OwnToken) -> Actor:
    """Return who an access token of ours speaks for, with the role they have now."""
    return token_actor(reader.rows(_BY_TOKEN, {"user_id": token.user_id, "family_id": token.family_id}))


def token_actor(rows: Rows) -> Actor:
    """Return whom rows of `FAMILIES` speak for; raises `Unauthenticated` when the sign-in has ended."""
    if rows and rows[0][_OWN] is not None:
        raise Unauthenticated("This sign-in has ended. Sign in again.")
    return _actor(rows)


def actor_of_foreign_token(reader: Reader, token: ForeignToken, *, trust_admin: bool) -> Actor:
    """Return who a token of the external auth service speaks for, with the role it names."""
    rows = reader.rows(_BY_SUBJECT, {"issuer": token.issuer, "subject": token.subject})
    return foreign_actor(rows, token, trust_admin=trust_admin)


def foreign_actor(rows: Rows, token: ForeignToken, *, trust_admin: bool) -> Actor:
    """Return whom rows of `PEOPLE` speak for, with the role that the token names.

    An ADMIN token makes an ADMIN only of somebody who is one here too, unless `trust_admin`; else a MANAGER.
    """
    if not rows:
        raise UnknownForeigner
    admin = token.role is not Role.ADMIN or trust_admin or _person(rows[0]).role is Role.ADMIN
    return _actor(rows, role=token.role if admin else Role.MANAGER)


def actor_of_session(reader: Reader, digest: bytes) -> RecentActor:
    """Return who is signed in with a browser session; raises `Unauthenticated` when it is over."""
    return session_actor(reader.rows(_BY_SESSION, {"digest": digest}), reader.now)


def session_actor(rows: Rows, now: datetime) -> RecentActor:
    """Return whom rows of `SESSIONS` speak for; raises `Unauthenticated` when the session is over."""
    seen_at, expires_at = rows[0][_OWN : _OWN + 2] if rows else (now, now)
    if expires_at <= now or seen_at + SESSION_IDLE <= now:
        raise Unauthenticated("Your session has ended. Sign in again.")
    return RecentActor(_actor(rows), stale=seen_at + TOUCH_EVERY <= now)


def actor_of_api_token(reader: Reader, digest: bytes, *, writes: bool) -> RecentActor:
    """Return who a personal API token speaks for."""
    return api_token_actor(reader.rows(_BY_API_TOKEN, {"digest": digest}), reader.now, writes=writes)


def api_token_actor(rows: Rows, now: datetime, *, writes: bool) -> RecentActor:
    """Return whom rows of `API_TOKENS` speak for.

    Without the scope `admin` it has at most a MANAGER's rights. Raises `Unauthenticated` if it is not known or is over,
    `Forbidden` if it lacks the scope `write` for a call that `writes`.
    """
    scopes, expires_at, used_at = rows[0][_OWN : _OWN + 3] if rows else ([], now, None)
    if expires_at is not None and expires_at <= now:
        raise Unauthenticated("This API token is not valid.")
    if writes and "write" not in scopes and "admin" not in scopes:
        raise Forbidden("This API token may only read.")
    held_down = _person(rows[0]).role is Role.ADMIN and "admin" not in scopes
    return RecentActor(
        _actor(rows, role=Role.MANAGER if held_down else None),
        stale=used_at is None or used_at + TOUCH_EVERY <= now,
    )


def actor_of_person(reader: Reader, user_id: UUID) -> Actor:
    """Return the actor for a person by id: for the command line and for jobs."""
    return _actor(reader.rows(_BY_ID, {"user_id": user_id}))


def _actor(rows: Rows, role: Role | None = None) -> Actor:
    """Build an actor from one row per team (or one without)."""
    if not rows or not _person(rows[0]).active:
        raise Unauthenticated("There is no active account for these credentials.")
    first = _person(rows[0])
    return Actor(
        id=first.id,
        name=first.name,
        role=role or first.role,
        team_ids=frozenset(team for row in rows if (team := _person(row).team_id) is not None),
        locale=first.locale,
        time_zone=first.time_zone,
    )


def _person(row: Sequence[Any]) -> _Person:
    return _Person(*row[:_OWN])


class NamedThing(msgspec.Struct, frozen=True):
    """Something with a name: a person, a team."""

    id: UUID
    name: str


def active_teams(reader: Reader) -> list[NamedThing]:
    """Return the teams that tickets can be handed to, by name."""
    rows = reader.execute(select(Team.id, Team.name).where(Team.active).order_by(Team.name).limit(500))
    return [NamedThing(row.id, row.name) for row in rows]


def active_agents(reader: Reader, team_ids: frozenset[UUID] | None = None) -> list[NamedThing]:
    """Return the agents that tickets can be assigned to, by name; of the given teams only, when given."""
    agents = select(User.id, User.name).where(User.active, User.role.in_([r for r in Role if r.at_least(Role.AGENT)]))
    if team_ids is not None:
        agents = agents.where(
            User.id.in_(select(TeamMember.user_id).where(TeamMember.team_id.in_(sorted(team_ids, key=str))))
        )
    rows = reader.execute(agents.order_by(User.name, User.id).limit(500))
    return [NamedThing(row.id, row.name) for row in rows]


class Profile(msgspec.Struct):
    """A person as they see themselves."""

    id: UUID
    customer_id: str
    name: str
    email: str | None
    phone: str | None
    address: str
    organisation: str
    locale: str
    time_zone: str
    role: Role
    teams: list[NamedThing]
    active: bool
    created_at: datetime
    version: int


def profile(reader: Reader, user_id: UUID) -> Profile:
    """Return a person with their teams; raises `NotFound`."""
    user = reader.execute(select(User.__table__).where(User.id == user_id)).one_or_none()
    if user is None:
        raise NotFound("There is no such person.")
    teams = reader.execute(
        select(Team.id, Team.name).join(TeamMember).where(TeamMember.user_id == user_id).order_by(Team.name)
    )
    return Profile(
        id=user.id,
        customer_id=customer_id(user.customer_number),
        name=user.name,
        email=user.email,
        phone=user.phone,
        address=user.address,
        organisation=user.organisation,
        locale=user.locale,
        time_zone=user.time_zone,
        role=user.role,
        teams=[NamedThing(team.id, team.name) for team in teams],
        active=user.active,
        created_at=user.created_at,
        version=user.version,
    )


def password_hash_of(reader: Reader, user_id: UUID) -> str | None:
    """Return the hash of a person's password; None when they have none."""
    return reader.execute(select(User.password_hash).where(User.id == user_id)).scalar_one_or_none()


class PersonLine(msgspec.Struct):
    """A person in a list."""

    id: UUID
    customer_id: str
    name: str
    email: str | None
    phone: str | None
    role: Role
    active: bool


def newest_people(reader: Reader, limit: int) -> list[PersonLine]:
    """Return people, newest first."""
    rows = reader.execute(select(User.__table__).order_by(User.customer_number.desc()).limit(limit))
    return [
        PersonLine(row.id, customer_id(row.customer_number), row.name, row.email, row.phone, row.role, row.active)
        for row in rows
    ]


class TokenInfo(msgspec.Struct):
    """A personal API token, without its secret."""

    id: UUID
    name: str
    scopes: list[str]
    created_at: datetime
    used_at: datetime | None
    expires_at: datetime | None


def api_tokens_of(reader: Reader, user_id: UUID) -> list[TokenInfo]:
    """Return a person's API tokens, newest first."""
    rows = reader.execute(
        select(ApiToken.id, ApiToken.name, ApiToken.scopes, ApiToken.created_at, ApiToken.used_at, ApiToken.expires_at)
        .where(ApiToken.user_id == user_id)
        .order_by(ApiToken.created_at.desc())
        .limit(100)
    )
    return [TokenInfo(r.id, r.name, r.scopes, r.created_at, r.used_at, r.expires_at) for r in rows]


@dataclass(frozen=True)
class SessionInfo:
    """A signed-in browser, as its owner sees it in the list of sessions."""

    id: UUID
    user_agent: str
    address: str
    created_at: datetime
    seen_at: datetime
    current: bool


def sessions_of(reader: Reader, user_id: UUID, current: bytes | None) -> list[SessionInfo]:
    """Return a person's sessions that have not ended, the most recently used first."""
    rows = reader.execute(
        select(WebSession)
        .with_only_columns(
            WebSession.id,
            WebSession.digest,
            WebSession.user_agent,
            WebSession.address,
            WebSession.created_at,
            WebSession.seen_at,
        )
        .where(
            WebSession.user_id == user_id,
            WebSession.expires_at > reader.now,
            WebSession.seen_at > reader.now - SESSION_IDLE,
        )
        .order_by(WebSession.seen_at.desc())
        .limit(100)
    )
    return [
        SessionInfo(row.id, row.user_agent, row.address, row.created_at, row.seen_at, row.digest == current)
        for row in rows
    ]
