"""What a mapping can speak of on the desk's side: the fields of a ticket, what each may hold, and who is who."""

from collections import abc
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from deskbridge.sync.connector import Value
from deskbridge.tickets.fields import (
    DESCRIPTION_LENGTH,
    MAX_TAGS,
    NOTES_LENGTH,
    SERVICE_LENGTH,
    TAG_LENGTH,
    TITLE_LENGTH,
)
from deskbridge.tickets.model import Channel, Environment, ImpactLevel, Priority, Status


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
    """Who is who on both sides: `remote` are the tracker's ids by the desk's, `desk` the desk's by the tracker's.

    `customers` are those of the desk's that no ticket can be assigned to.
    """

    remote: abc.Mapping[str, str] = field(default_factory=dict)
    desk: abc.Mapping[str, str] = field(default_factory=dict)
    customers: frozenset[str] = frozenset()


FACTS: abc.Mapping[str, frozenset[str]] = {
    **{name: info.choices for name, info in DESK_FIELDS.items()},
    "channel": frozenset(Channel),
    "organisation": frozenset(),
}
"""What filing rules may ask about a ticket, with the values it may have; empty where they are not known beforehand."""


def plain(value: Value) -> Value:
    """Return a value in the one form it is compared in: nothing is None, sets are sorted."""
    if isinstance(value, tuple):
        return tuple(sorted(set(value)))
    return None if value == "" else value


def word(value: Value) -> str:
    """Return a single value as a mapping's text would have it: `true`, `3`, nothing as an empty text."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def unfit(name: str, value: Value) -> str | None:
    """Return why a ticket could not hold this in that field, naming field and value; None when it could."""
    info = DESK_FIELDS[name]
    if value is None or value == ():
        return f"{name}: a ticket needs one, and there is none" if info.required else None
    problem = _unfit_kind(info, value)
    return None if problem is None else f"{name}: {_shown(value)} {problem}"


def _unfit_kind(info: DeskField, value: Value) -> str | None:
    match info.kind:
        case DeskKind.LINE | DeskKind.TEXT:
            return _unfit_text(info, value)
        case DeskKind.CHOICE:
            fits = isinstance(value, str) and (not info.choices or value in info.choices)
            return None if fits else f"is none of {', '.join(sorted(info.choices)) or 'the texts'}"
        case DeskKind.TAGS:
            return _unfit_tags(value)
        case DeskKind.MOMENT:
            fits = isinstance(value, datetime) and value.tzinfo is not None
            return None if fits else "is no date with a time"
        case DeskKind.NUMBER:
            return None if isinstance(value, int) and value >= 0 else "is no whole number"
        case DeskKind.PERSON:
            return None if isinstance(value, str) else "is nobody"


def _unfit_text(info: DeskField, value: Value) -> str | None:
    if not isinstance(value, str):
        return "is no text"
    least, most = info.length
    text = value.strip()
    if len(text) < least:
        return f"has {len(text)} characters, {least} are the fewest"
    return f"has {len(text)} characters, {most} are the most" if len(text) > most else None


def _unfit_tags(value: Value) -> str | None:
    if not isinstance(value, tuple):
        return "is no list of tags"
    if len(value) > MAX_TAGS:
        return f"has {len(value)} tags, {MAX_TAGS} are the most"
    longest = max(value, key=len)
    return f"has a tag of {len(longest)} characters, {TAG_LENGTH} are the most" if len(longest) > TAG_LENGTH else None


def _shown(value: Value) -> str:
    text = ", ".join(value) if isinstance(value, tuple) else word(value)
    return repr(text if len(text) <= 80 else f"{text[:79]}…")
