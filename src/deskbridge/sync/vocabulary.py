"""What a mapping can speak of on the desk's side: the fields of a ticket, what each may hold, and who is who."""

from collections import abc
from dataclasses import dataclass, field
from enum import StrEnum

from deskbridge.tickets.fields import DESCRIPTION_LENGTH, NOTES_LENGTH, SERVICE_LENGTH, TITLE_LENGTH
from deskbridge.tickets.model import Environment, ImpactLevel, Priority, Status


class DeskKind(StrEnum):
    """What a desk field holds. People are ids as text, a team is its name, moments are aware."""

    LINE = "line"
    TEXT = "text"
    CHOICE = "choice"
    TAGS = "tags"
    PERSON = "person"
    NUMBER = "number"
    MOMENT = "moment"


@dataclass(frozen=True)
class DeskField:
    """One field of a ticket. `length` in characters; `choices` is empty where the administrator defines them.

    `keeps` tells that the desk alone keeps it, so that nothing comes in; `born` that it is taken only as a ticket
    begins.
    """

    kind: DeskKind
    required: bool = False
    length: tuple[int, int] = (0, 200)
    choices: frozenset[str] = frozenset()
    keeps: bool = False
    born: bool = False


DESK_FIELDS: abc.Mapping[str, DeskField] = {
    "title": DeskField(DeskKind.LINE, required=True, length=TITLE_LENGTH),
    "description": DeskField(DeskKind.TEXT, required=True, length=DESCRIPTION_LENGTH),
    "status": DeskField(DeskKind.CHOICE, required=True, choices=frozenset(Status)),
    "priority": DeskField(DeskKind.CHOICE, required=True, choices=frozenset(Priority)),
    "category": DeskField(DeskKind.CHOICE, required=True),
    "tags": DeskField(DeskKind.TAGS),
    "assignee": DeskField(DeskKind.PERSON),
    "requester": DeskField(DeskKind.PERSON, required=True),
    "team": DeskField(DeskKind.CHOICE),
    "environment": DeskField(DeskKind.CHOICE, choices=frozenset(Environment)),
    "affected_service": DeskField(DeskKind.LINE, length=(0, SERVICE_LENGTH)),
    "impact_level": DeskField(DeskKind.CHOICE, choices=frozenset(ImpactLevel)),
    "external_ref": DeskField(DeskKind.LINE),
    "resolution_notes": DeskField(DeskKind.TEXT, length=(0, NOTES_LENGTH[1])),
    "time_spent_minutes": DeskField(DeskKind.NUMBER, keeps=True),
    "created_at": DeskField(DeskKind.MOMENT, required=True, born=True),
}


@dataclass(frozen=True)
class People:
    """Who is who on both sides: `remote` are the tracker's ids by the desk's, `desk` the desk's by the tracker's."""

    remote: abc.Mapping[str, str] = field(default_factory=dict)
    desk: abc.Mapping[str, str] = field(default_factory=dict)
