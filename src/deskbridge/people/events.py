"""What happens to people."""

from dataclasses import dataclass

from deskbridge.kit.events import Event, catalogued
from deskbridge.people.actor import Role


@catalogued
@dataclass(frozen=True, kw_only=True)
class UserAdded(Event):
    """A person was registered, added or provisioned."""

    role: Role


@catalogued
@dataclass(frozen=True, kw_only=True)
class RoleChanged(Event):
    """A person may from now on do more, or less."""

    old: Role
    new: Role


@catalogued
@dataclass(frozen=True, kw_only=True)
class UserDeactivated(Event):
    """A person can no longer sign in; what they are signed in with is revoked."""


@catalogued
@dataclass(frozen=True, kw_only=True)
class UserReactivated(Event):
    """A person may sign in again."""


@catalogued
@dataclass(frozen=True, kw_only=True)
class UserUpdated(Event):
    """What is known of a person changed; `fields` names it."""

    fields: list[str]


@catalogued
@dataclass(frozen=True, kw_only=True)
class TeamAdded(Event):
    """A team was added."""


@catalogued
@dataclass(frozen=True, kw_only=True)
class TeamUpdated(Event):
    """A team's settings or members changed; `fields` names them."""

    fields: list[str]


@catalogued
@dataclass(frozen=True, kw_only=True)
class TokensStolen(Event):
    """A spent refresh token was used again; its family was revoked."""
