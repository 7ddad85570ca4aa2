"""What is to be done so that one ticket and one record agree again. Pure: `sync plan` shows it, the engine does it."""

from collections import abc
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from deskbridge.sync.connector import Record, Value
from deskbridge.sync.mapping import NOBODY, Mapping
from deskbridge.sync.merge import Base
from deskbridge.sync.vocabulary import People


class Origin(StrEnum):
    """Where what is linked began. It decides for fields that never agreed: the desk, the tracker, else the policy."""

    DESK = "desk"
    REMOTE = "remote"
    BY_HAND = "by hand"


@dataclass(frozen=True)
class TicketSide:
    """A ticket as a plan sees it: values by desk field, and when each was last changed by the tracker's clock.

    People are ids as text, team and category are name and key, tags are sorted, moments aware. What a mapping names
    must be there, None where it is empty. `changed_at` need not have all.
    """

    values: abc.Mapping[str, Value]
    changed_at: abc.Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class Transition:
    """A status to bring the record to, and what its steps demand."""

    status: str
    fields: abc.Mapping[str, Value]


@dataclass(frozen=True)
class Clash:
    """Both sides changed a field. `winner` is the side whose value stays, None while a person is asked."""

    field: str
    desk: Value
    remote: Value
    winner: Origin | None


@dataclass(frozen=True)
class Refusal:
    """A value that cannot be taken over, by the desk's field; `message` names both."""

    field: str
    value: Value
    message: str


@dataclass(frozen=True)
class Plan:
    """What is to be done, in the order: `writes`, then `transition`, then `changes`, then `settled(...)` is stored.

    `writes` are by the tracker's field, `changes` by the desk's (status last). `seen` are the ticket's values the plan
    was made of: whoever applies `changes` plans anew when those of them no longer hold. `reasons` say for every field
    of the mapping why it is written, taken over or left.
    """

    writes: abc.Mapping[str, Value]
    transition: Transition | None
    changes: abc.Mapping[str, Value]
    seen: abc.Mapping[str, Value]
    clashes: tuple[Clash, ...]
    refusals: tuple[Refusal, ...]
    bases: abc.Mapping[str, Base]
    reasons: abc.Mapping[str, str]

    @property
    def empty(self) -> bool:
        """Nothing is to be written on either side."""
        return not (self.writes or self.transition or self.changes)


@dataclass(frozen=True)
class Birth:
    """A ticket to be: its values by desk field, the bases of its link, and what keeps it from beginning."""

    values: abc.Mapping[str, Value]
    bases: abc.Mapping[str, Base]
    refusals: tuple[Refusal, ...]


def file(mapping: Mapping, ticket: TicketSide, people: People = NOBODY) -> Plan:
    """Plan a new record: `writes` are what it is created with; the status follows by `plan` once it is there.

    Store `bases` before it is created: after a lost answer they tell what of the record is ours.
    """
    raise NotImplementedError


def plan(
    mapping: Mapping,
    ticket: TicketSide,
    record: Record,
    bases: abc.Mapping[str, Base],
    people: People = NOBODY,
    origin: Origin = Origin.BY_HAND,
) -> Plan:
    """Plan what brings a ticket and its record together again."""
    raise NotImplementedError


def settled(
    mapping: Mapping,
    done: Plan,
    ticket: TicketSide,
    record: Record,
    people: People = NOBODY,
) -> dict[str, Base]:
    """Return the bases to store once a plan is carried out, by desk field; those not named stay as they are.

    `ticket` is as `changes` left it, `record` as read back. What somebody else changed meanwhile is not settled, so
    that the next plan sees it. After `file`, `record` is the new one.
    """
    raise NotImplementedError


def birth(mapping: Mapping, record: Record, given: abc.Mapping[str, Value], people: People = NOBODY) -> Birth:
    """Return the ticket a record becomes. `given` are the filing rule's values, used where the record gives none."""
    raise NotImplementedError


def validate(mapping: Mapping, record: Record, people: People = NOBODY) -> list[Refusal]:
    """Return what of a record the desk could not hold: missing, too long, no choice of ours, no moment; by field."""
    raise NotImplementedError
