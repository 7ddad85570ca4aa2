"""Which tickets are filed in a tracker, and which of its records become tickets. Pure; every decision has a reason."""

from collections import abc
from dataclasses import dataclass, field

from deskbridge.sync.connector import Value
from deskbridge.sync.vocabulary import word


@dataclass(frozen=True)
class FilingRule:
    """One rule: it holds when every field it names has one of the values it lists; sets when they share one.

    `files` tells what follows when it holds. `ticket` are values of the ticket that begins (rules for records only).
    """

    when: abc.Mapping[str, frozenset[str]]
    files: bool
    ticket: abc.Mapping[str, Value] = field(default_factory=dict)
    line: int = 0

    def holds(self, facts: abc.Mapping[str, Value]) -> bool:
        return all(_words(facts.get(name)) & wanted for name, wanted in self.when.items())

    def reason(self, facts: abc.Mapping[str, Value]) -> str:
        """Return what made it hold, in words."""
        found = {name: ", ".join(sorted(_words(facts.get(name)) & wanted)) for name, wanted in self.when.items()}
        asked = " and ".join(f"{name} is {value or 'empty'}" for name, value in found.items())
        return f"{asked or 'always'} (line {self.line} of the mapping)"


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
        """Decide whether a ticket is filed. `facts` are its values by desk field, with `channel` and `organisation`."""
        return _decided(self.outward, facts)

    def into(self, fields: abc.Mapping[str, Value]) -> Filed:
        """Decide whether a record becomes a ticket, by the tracker's own fields."""
        return _decided(self.inward, fields)


def _decided(rules: abc.Sequence[FilingRule], facts: abc.Mapping[str, Value]) -> Filed:
    for rule in rules:
        if rule.holds(facts):
            return Filed(rule.files, rule.reason(facts), rule.line, rule.ticket)
    return Filed(False, "no filing rule holds")


def _words(value: Value) -> frozenset[str]:
    """Return what a field holds as a mapping's text would have it: each of a set, or the one."""
    many = value if isinstance(value, tuple) and value else (None if isinstance(value, tuple) else value,)
    return frozenset(word(one) for one in many)
