"""One field of a ticket merged with one field of a record, against what both held when they last agreed. Pure.

Each side is compared with its own half of the base: the desk's value as the tracker would hear it, and what the tracker
said when it was read back. So what a tracker makes of a text is never taken for an edit.
"""

from dataclasses import dataclass
from datetime import datetime

from deskbridge.sync.connector import Value
from deskbridge.sync.mapping import NOBODY, FieldRule
from deskbridge.sync.vocabulary import People


@dataclass(frozen=True)
class Base:
    """What both sides held when they last agreed: the desk's projected value, and the tracker's as it was read."""

    desk: Value
    remote: Value


@dataclass(frozen=True)
class Side:
    """A side's present value, and when it was last changed where that is known (by the tracker's clock)."""

    value: Value
    changed_at: datetime | None = None


@dataclass(frozen=True)
class Outcome:
    """What becomes of a field, and why in a sentence.

    `push` is the desk value to write to the tracker, `pull` the value the ticket takes over; a merged set may be both.
    `base` is what is stored when that is done, None to leave what is stored. `conflict` tells that both sides had
    changed it, so that the loser is kept for people to see; without push and pull a person is asked. `refused` names
    what cannot be taken over.
    """

    reason: str
    base: Base | None = None
    push: tuple[Value] | None = None
    pull: tuple[Value] | None = None
    conflict: bool = False
    refused: str | None = None


def merge_field(
    rule: FieldRule,
    desk: Side,
    remote: Side,
    base: Base | None,
    people: People = NOBODY,
    *,
    lossy: bool = False,
) -> Outcome:
    """Merge one field. `desk` is the ticket's own value; `base` is None where the two never agreed."""
    raise NotImplementedError
