"""The actor: on whose behalf something is done. Every query and every use case gets one; there is no ambient user."""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What a person may do; each role may all that the ones before it may."""

    END_USER = "END_USER"
    AGENT = "AGENT"
    TEAM_LEAD = "TEAM_LEAD"
    MANAGER = "MANAGER"
    ADMIN = "ADMIN"

    @property
    def rank(self) -> int:
        return _RANKS[self]

    def at_least(self, other: "Role") -> bool:
        return self.rank >= other.rank


_RANKS = {role: rank for rank, role in enumerate(Role)}


class ActorKind(StrEnum):
    """A person, a tracker's connection, or the desk itself (schedules, imports)."""

    PERSON = "PERSON"
    CONNECTION = "CONNECTION"
    SYSTEM = "SYSTEM"


@dataclass(frozen=True)
class Actor:
    """Somebody acting: `id` is None only for the desk itself."""

    id: UUID | None
    name: str
    role: Role
    kind: ActorKind = ActorKind.PERSON
    team_ids: frozenset[UUID] = field(default_factory=frozenset)
    locale: str = "en"
    time_zone: str = "UTC"

    @property
    def is_agent(self) -> bool:
        return self.role.at_least(Role.AGENT)


SYSTEM = Actor(id=None, name="Deskbridge", role=Role.ADMIN, kind=ActorKind.SYSTEM)
