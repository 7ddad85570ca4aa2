"""How the fields of tickets and of one tracker's records correspond. Pure: what a mapping says, not what is done by it.

A table of values sorts the desk's values into classes, one for each of the tracker's. Two laws hold for every mapping
that was accepted: `inbound(project(v), v) == v` for every desk value, and `project(inbound(r, x)) == r` for every value
of the tracker's that is ever written. A one-way rule (`in`) owes neither, since nothing is projected by it.
"""

import re
from collections import abc
from dataclasses import dataclass, field
from enum import StrEnum

from deskbridge.sync.connector import Audience, Value
from deskbridge.sync.filing import Filing
from deskbridge.sync.vocabulary import DESK_FIELDS, DeskField, DeskKind, People, plain, word

NOBODY = People()


class Direction(StrEnum):
    """Which way values go: both ways, out of the desk, into the desk, not at all (only what hangs on a record)."""

    BOTH = "both"
    OUT = "out"
    IN = "in"
    NONE = "none"

    @property
    def outward(self) -> bool:
        return self in {Direction.BOTH, Direction.OUT}

    @property
    def inward(self) -> bool:
        return self in {Direction.BOTH, Direction.IN}


class Policy(StrEnum):
    """Whose value stays when both sides changed a field since they last agreed."""

    DESK = "desk"
    REMOTE = "remote"
    NEWEST = "newest"
    ASK = "ask"


class WhenUnmapped(StrEnum):
    """What becomes of a value the other side has no word for: it is refused, or changes nothing there."""

    REFUSE = "refuse"
    KEEP = "keep"


@dataclass(frozen=True)
class Fault:
    """Something wrong with a mapping: the line of its text (from 1), where in it (`fields.priority.values`), and
    what."""

    line: int
    path: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.path}: {self.message}"


class MappingRefused(Exception):
    """A mapping that cannot be used, with every fault in the order of its lines."""

    def __init__(self, faults: abc.Sequence[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = tuple(faults)


class Unmapped(Exception):
    """A value the other side has no word for. `field` is the desk's; `reason` names field and value."""

    def __init__(self, field: str, value: Value) -> None:
        self.reason = f"{field}: {value!r} is not mapped"
        super().__init__(self.reason)
        self.field = field
        self.value = value


@dataclass(frozen=True)
class Row:
    """What one value of the tracker's stands for.

    `desk` is the class: values that count as this one and are written as it. `inbound` is what a ticket outside of the
    class becomes; a rule `out` has none. `write` is what is written for the class where it is not the value itself, by
    field.
    """

    desk: frozenset[str]
    inbound: str = ""
    write: abc.Mapping[str, Value] | None = None


@dataclass(frozen=True)
class FieldRule:
    """One field of tickets kept in step with one field of records.

    `table` is by the tracker's value. `demands` are what the tracker wants on the way into a status: by status, by
    field. `at_create` rules are used once, as a record is filed or a ticket begins. `announce` is what is said in an
    internal comment when a ticket reaches a status, for trackers whose own status it does not change.
    """

    desk: str
    remote: str
    direction: Direction
    conflict: Policy
    at_create: bool = False
    table: abc.Mapping[str, Row] | None = None
    unmapped: WhenUnmapped = WhenUnmapped.REFUSE
    longest: int | None = None
    demands: abc.Mapping[str, abc.Mapping[str, Value]] = field(default_factory=dict)
    announce: abc.Mapping[str, str] = field(default_factory=dict)

    @property
    def info(self) -> DeskField:
        return DESK_FIELDS[self.desk]

    @property
    def is_text(self) -> bool:
        return self.info.kind in {DeskKind.LINE, DeskKind.TEXT}

    def project(self, value: Value, people: People = NOBODY) -> Value:
        """Return what a desk value is to the tracker; raises `Unmapped`. By a rule `in` it is the desk value itself."""
        if self.direction is Direction.IN:
            return plain(value)
        if self.table is not None:
            return plain(self._remote_of(value))
        if self.info.kind is DeskKind.PERSON:
            return None if value is None else self._known(people.remote, value)
        return plain(self._cut(value) if isinstance(value, str) else value)

    def write(self, value: Value, people: People = NOBODY) -> dict[str, Value]:
        """Return what is written for a desk value, by the tracker's fields; raises `Unmapped`."""
        projected = self.project(value, people)
        row = (self.table or {}).get(word(projected))
        return {self.remote: projected} if row is None or row.write is None else dict(row.write)

    def inbound(self, remote: Value, current: Value, people: People = NOBODY) -> Value:
        """Return the desk value for a value of the tracker's: the current one while it is in the class.

        Raises `Unmapped`. Whether a ticket could hold it is for `unfit` to say.
        """
        remote, current = plain(remote), plain(current)
        if self.table is not None:
            return self._desk_of(remote, current)
        if self.info.kind is DeskKind.PERSON:
            if remote is None:
                return None
            return current if people.remote.get(str(current)) == remote else self._somebody(people, remote)
        return current if isinstance(current, str) and self._cut(current) == remote else remote

    def is_cut(self, value: Value) -> bool:
        """Tell whether the tracker holds only the beginning of this text."""
        return isinstance(value, str) and self._cut(value) != value

    def _cut(self, text: str) -> str:
        return text if self.longest is None or len(text) <= self.longest else f"{text[: self.longest - 1].rstrip()}…"

    def _somebody(self, people: People, remote: Value) -> str:
        """Return who that is here; a customer is nobody a ticket could be assigned to."""
        found = self._known(people.desk, remote)
        if self.desk == "assignee" and found in people.customers:
            raise Unmapped(self.desk, remote)
        return found

    def _known(self, people: abc.Mapping[str, str], value: Value) -> str:
        if (known := people.get(str(value))) is None:
            raise Unmapped(self.desk, value)
        return known

    def _remote_of(self, value: Value) -> str | None:
        for remote, row in (self.table or {}).items():
            if word(value) in row.desk:
                return remote
        if value is None and not self.info.required:
            return None
        raise Unmapped(self.desk, value)

    def _desk_of(self, remote: Value, current: Value) -> Value:
        row = (self.table or {}).get(word(remote))
        if row is None:
            if remote is None and not self.info.required:
                return None
            raise Unmapped(self.desk, remote)
        return current if word(current) in row.desk else plain(row.inbound)


@dataclass(frozen=True)
class ChildRule:
    """Which way comments, files or time entries go. `audiences` are those that leave the desk."""

    direction: Direction = Direction.NONE
    audiences: frozenset[Audience] = frozenset(Audience)


@dataclass(frozen=True)
class Mapping:
    """A whole mapping. `fields` are by desk field, in the order of the text.

    `resolution_comment` tells that resolution notes go out as a public comment, where records have no field for them.
    `lines` tell where in the text each part is, by its path.
    """

    version: int
    product: str
    record: str
    fields: abc.Mapping[str, FieldRule]
    comments: ChildRule
    attachments: ChildRule
    time_entries: ChildRule
    resolution_comment: bool
    filing: Filing
    text: str
    lines: abc.Mapping[str, int]

    def line(self, path: str) -> int:
        """Return the line of a part of the text; of the nearest around it when that part is not there."""
        while path and path not in self.lines:
            path = re.split(r"[.\[](?=[^.\[]*$)", path)[0] if re.search(r"[.\[]", path) else ""
        return self.lines.get(path, 1)
