"""The use cases about the people and teams of a desk: adding, changing, locking out."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any, TypedDict
from uuid import UUID

from sqlalchemy import delete, select, update

from deskbridge.kit.db import UnitOfWork
from deskbridge.kit.errors import Conflict, FieldError, Forbidden, Invalid, NotFound, require_version
from deskbridge.kit.ids import new_id
from deskbridge.kit.text import clean_line, clean_text, email_key
from deskbridge.people.actor import Actor, Role
from deskbridge.people.events import TeamAdded, TeamUpdated, UserReactivated, UserUpdated
from deskbridge.people.model import Dispatch, Team, TeamMember, User
from deskbridge.people.service import (
    NewUser,
    add_user,
    checked_contact,
    deactivate,
    end_all_sign_ins,
    locked_user,
    require_admin,
    require_unused,
    set_role,
    touch_user,
)

MAX_CAPACITY, MAX_SKILLS, SKILL_LENGTH = 1000, 50, 60
AGENT_ROLES = tuple(role for role in Role if role.at_least(Role.AGENT))
OWN_FIELDS = {"name", "phone", "address", "locale", "time_zone", "password_hash"}
OWN_AGENT_FIELDS = OWN_FIELDS | {"available"}


class PersonChanges(TypedDict, total=False):
    """New values of what is known of a person; those left out stay as they are. `team_ids` replaces all their teams."""

    name: str
    email: str | None
    phone: str | None
    address: str
    organisation: str
    locale: str
    time_zone: str
    password_hash: str
    role: Role
    active: bool
    skills: list[str]
    available: bool
    capacity: int
    team_ids: list[UUID]


def add_person(uow: UnitOfWork, actor: Actor, new: NewUser, changes: PersonChanges) -> User:
    """Add a person with what an agent is besides. An AGENT adds customers, without a password; an ADMIN anybody."""
    if not actor.is_agent:
        raise Forbidden("Only agents add people.")
    if new.password_hash is not None or changes:
        require_admin(actor)
    user = add_user(uow, actor, new)
    _write_agent(uow, user, changes)
    return user


def update_person(
    uow: UnitOfWork,
    actor: Actor,
    user_id: UUID,
    changes: PersonChanges,
    *,
    agents_only: bool = False,
    version: int | None = None,
) -> User:
    """Change a person: an ADMIN anything, everybody their own `OWN_FIELDS`.

    A new password ends every sign-in. Raises `NotFound` for customers asking about others, `Forbidden`, `Invalid`,
    and `PreconditionFailed` when the actor has seen another `version`.
    """
    require_sight(actor, user_id)
    user = locked_user(uow, user_id)
    if agents_only and not user.role.at_least(Role.AGENT):
        raise NotFound("There is no such agent.")
    _require_allowed(actor, user, set(changes))
    require_version(version, user.version)
    if "role" in changes:
        set_role(uow, actor, user_id, changes["role"])
    if "active" in changes and changes["active"] != user.active:
        (_reactivate if changes["active"] else deactivate)(uow, actor, user_id)
    _write_person(uow, user, changes)
    _write_agent(uow, user, changes)
    if "password_hash" in changes:
        end_all_sign_ins(uow, user.id)
    if told := sorted(set(changes) - {"role", "active"}):
        touch_user(uow, user)
        uow.record(UserUpdated(subject_id=user.id, actor_id=actor.id, fields=told))
    return user


def require_sight(actor: Actor, user_id: UUID) -> None:
    """Raise `NotFound` when somebody who is no agent asks about anybody else."""
    if not actor.is_agent and user_id != actor.id:
        raise NotFound("There is no such person.")


def _require_allowed(actor: Actor, user: User, names: set[str]) -> None:
    if actor.role is Role.ADMIN:
        return
    own = OWN_AGENT_FIELDS if user.role.at_least(Role.AGENT) else OWN_FIELDS
    if user.id != actor.id or names - own:
        raise Forbidden("Only an administrator changes this.")


def _reactivate(uow: UnitOfWork, actor: Actor, user_id: UUID) -> None:
    user = locked_user(uow, user_id)
    user.active = True
    touch_user(uow, user)
    uow.record(UserReactivated(subject_id=user.id, actor_id=actor.id))


def _write_person(uow: UnitOfWork, user: User, changes: PersonChanges) -> None:
    wanted = _as_wanted(user, changes)
    email, phone = checked_contact(wanted)
    foreign = user.issuer is not None
    if foreign and "password_hash" in changes:
        raise Invalid([FieldError("password", "This person signs in elsewhere and has no password here.")])
    require_unused(uow, None if foreign else email, phone, by_other_than=user.id)
    user.name, user.email, user.phone = clean_line(wanted.name), email, phone
    user.email_key = email_key(email) if email and not foreign else None
    user.address, user.organisation = clean_text(wanted.address), clean_line(wanted.organisation)
    user.locale, user.time_zone = wanted.locale, wanted.time_zone
    user.password_hash = wanted.password_hash


def _as_wanted(user: User, changes: PersonChanges) -> NewUser:
    """Return a person as they are to be, for the same checks as of a new one."""
    present = NewUser(
        user.name,
        user.email,
        user.phone,
        user.address,
        user.organisation,
        user.locale,
        user.time_zone,
        password_hash=user.password_hash,
    )
    fields: dict[str, Any] = {name: value for name, value in changes.items() if name in NewUser.__annotations__}
    return replace(present, **{name: value for name, value in fields.items() if name != "role"})


def _write_agent(uow: UnitOfWork, user: User, changes: PersonChanges) -> None:
    """Write what only agents have: skills, availability, capacity, teams."""
    if "skills" in changes:
        user.skills = _checked_skills(changes["skills"])
    if "available" in changes:
        user.available = changes["available"]
    if "capacity" in changes:
        if not 0 <= changes["capacity"] <= MAX_CAPACITY:
            raise Invalid([FieldError("capacity", f"Use 0 to {MAX_CAPACITY} open tickets.")])
        user.capacity = changes["capacity"]
    if "team_ids" in changes:
        teams = _existing_teams(uow, changes["team_ids"])
        if teams and not user.role.at_least(Role.AGENT):
            raise Invalid([FieldError("team_ids", "Only agents are in teams.")])
        before = set(uow.execute(select(TeamMember.team_id).where(TeamMember.user_id == user.id)).scalars())
        uow.execute(delete(TeamMember).where(TeamMember.user_id == user.id))
        uow.session.add_all(TeamMember(team_id=team, user_id=user.id) for team in teams)
        _count_up(uow, Team, before ^ set(teams))


def _count_up(uow: UnitOfWork, kind: type[User | Team], ids: AbstractSet[UUID]) -> None:
    """Give a new version to those who show a membership that has changed at its other end."""
    if ids:
        uow.execute(update(kind).where(kind.id.in_(sorted(ids))).values(version=kind.version + 1))


def _checked_skills(skills: Sequence[str]) -> list[str]:
    cleaned = sorted({skill for skill in (clean_line(skill).lower() for skill in skills) if skill})
    if len(cleaned) > MAX_SKILLS or any(len(skill) > SKILL_LENGTH for skill in cleaned):
        raise Invalid([FieldError("skills", f"Use at most {MAX_SKILLS} skills of up to {SKILL_LENGTH} characters.")])
    return cleaned


def _existing_teams(uow: UnitOfWork, team_ids: Sequence[UUID]) -> list[UUID]:
    wanted = sorted(set(team_ids), key=str)
    found = set(uow.execute(select(Team.id).where(Team.id.in_(wanted))).scalars())
    if found != set(wanted):
        raise Invalid([FieldError("team_ids", "There is no team with one of these ids.")])
    return wanted


def deactivate_agent(uow: UnitOfWork, actor: Actor, user_id: UUID) -> None:
    """Lock an agent out; `NotFound` for somebody who is none."""
    require_admin(actor)
    role = uow.execute(select(User.role).where(User.id == user_id)).scalar_one_or_none()
    if role not in AGENT_ROLES:
        raise NotFound("There is no such agent.")
    deactivate(uow, actor, user_id)


# Teams


class TeamChanges(TypedDict, total=False):
    """New values of a team; those left out stay as they are. `member_ids` replaces all its members."""

    name: str
    description: str
    active: bool
    assignment: Dispatch
    member_ids: list[UUID]


def save_team(
    uow: UnitOfWork, actor: Actor, changes: TeamChanges, team_id: UUID | None = None, version: int | None = None
) -> Team:
    """Add a team, or change the one with this id; ADMIN only. Its members are active agents."""
    require_admin(actor)
    team = _next_version(uow, team_id, version) if team_id else Team(id=new_id(), description="", active=True)
    if "name" in changes:
        team.name = _free_name(uow, changes["name"], team.id)
    if "description" in changes:
        team.description = clean_text(changes["description"])
    team.active = changes.get("active", team.active)
    team.assignment = changes.get("assignment", team.assignment or Dispatch.MANUAL)
    uow.session.add(team)
    uow.session.flush()
    if "member_ids" in changes:
        _write_members(uow, team, changes["member_ids"])
    if team_id is None:
        uow.record(TeamAdded(subject_id=team.id, actor_id=actor.id))
    elif changes:
        uow.record(TeamUpdated(subject_id=team.id, actor_id=actor.id, fields=sorted(changes)))
    return team


def _next_version(uow: UnitOfWork, team_id: UUID, version: int | None) -> Team:
    team = uow.session.get(Team, team_id, with_for_update=True)
    if team is None:
        raise NotFound("There is no such team.")
    require_version(version, team.version)
    team.version += 1
    return team


def _free_name(uow: UnitOfWork, name: str, team_id: UUID) -> str:
    name = clean_line(name)
    if not name:
        raise Invalid([FieldError("name", "Give the team a name.")])
    if uow.execute(select(Team.id).where(Team.name == name, Team.id != team_id)).first():
        raise Conflict("There is already a team with this name.")
    return name


def _write_members(uow: UnitOfWork, team: Team, member_ids: Sequence[UUID]) -> None:
    wanted = sorted(set(member_ids), key=str)
    agents = select(User.id).where(User.id.in_(wanted), User.active, User.role.in_(AGENT_ROLES))
    if len(uow.execute(agents).all()) != len(wanted):
        raise Invalid([FieldError("member_ids", "The members of a team are active agents; one of these is none.")])
    before = set(uow.execute(select(TeamMember.user_id).where(TeamMember.team_id == team.id)).scalars())
    uow.execute(delete(TeamMember).where(TeamMember.team_id == team.id))
    uow.session.add_all(TeamMember(team_id=team.id, user_id=member) for member in wanted)
    _count_up(uow, User, before ^ set(wanted))


def deactivate_team(uow: UnitOfWork, actor: Actor, team_id: UUID) -> None:
    """Take a team out of use: tickets are not handed to it any more, those it has stay."""
    save_team(uow, actor, {"active": False}, team_id)
