"""Which tickets are filed in a tracker, and which of its records become tickets. Pure; every decision has a reason."""

from collections import abc
from dataclasses import dataclass, field

from deskbridge.sync.connector import Value


@dataclass(frozen=True)
class FilingRule:
    """One rule: it holds when every field it names has one of the values it lists; sets when they share one.

    `files` tells what follows when it holds. `ticket` are values of the ticket that begins (rules for records only).
    """

    when: abc.Mapping[str, frozenset[str]]
    files: bool
    ticket: abc.Mapping[str, Value] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True)
class Filed:
    """A decision: whether, why (a sentence for the ticket's sync timeline), by which line of the mapping.

    `ticket` are the values that a ticket begins with.
    """

    yes: bool
    reason: str
    line: int | None = None
    ticket: abc.Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Filing:
    """The rules of a mapping, in order: the first that holds decides, none means no."""

    outward: tuple[FilingRule, ...] = ()
    inward: tuple[FilingRule, ...] = ()

    def out(self, facts: abc.Mapping[str, Value]) -> Filed:
        """Decide whether a ticket is filed. `facts` are its values by desk field, `channel` and `number` among them."""
        raise NotImplementedError

    def into(self, fields: abc.Mapping[str, Value]) -> Filed:
        """Decide whether a record becomes a ticket, by the tracker's own fields."""
        raise NotImplementedError
