"""One field of a ticket merged with one field of a record, against what both held when they last agreed. Pure.

Each side is compared with its own half of the base: the desk's value as the tracker would hear it, and what the tracker
said when it was read back. So what a tracker makes of a text is never taken for an edit.
"""

import re
from collections import abc
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from deskbridge.sync.connector import Value
from deskbridge.sync.mapping import NOBODY, Direction, FieldRule, Policy, Unmapped, WhenUnmapped
from deskbridge.sync.vocabulary import DeskKind, People, plain, unfit

_SYNTAX = re.compile(r"[\s\\*_`~#>|-]+")


class Origin(StrEnum):
    """A side; of a link, where it began, which decides for fields that never agreed (by hand: the policy does)."""

    DESK = "desk"
    REMOTE = "remote"
    BY_HAND = "by hand"


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

    `push` is the desk value to write to the tracker, `pull` the value the ticket takes over, each in a tuple of one; a
    merged set may be both. `base` is what is stored when that is done, None to leave what is stored. `clash` tells that
    both sides had changed it, so that the loser is kept for people to see; `winner` is then the side that stays, None
    while a person is asked. `refused` names what cannot be taken over.
    """

    reason: str
    base: Base | None = None
    push: tuple[Value] | None = None
    pull: tuple[Value] | None = None
    clash: bool = False
    winner: Origin | None = None
    refused: str | None = None


@dataclass(frozen=True)
class _Field:
    """One field as both sides have it.

    `said` is the desk's value as the tracker would hear it, `heard` the tracker's as the desk would; `unsayable` and
    `unhearable` tell why there is no such thing.
    """

    rule: FieldRule
    desk: Side
    remote: Side
    base: Base | None
    people: People
    said: Value
    heard: Value
    unsayable: str | None
    unhearable: str | None

    @property
    def together(self) -> Base:
        """The base of a field whose sides are left as they are."""
        return Base(self.said, self.remote.value)

    @property
    def is_understood(self) -> bool:
        """The tracker's value means what the ticket has, though it may not be how the desk would put it."""
        return self.unhearable is None and self.heard == self.desk.value

    @property
    def has_same_words(self) -> bool:
        return self.rule.is_text and same_words(self.said, self.remote.value)


def merge_field(
    rule: FieldRule,
    desk: Side,
    remote: Side,
    base: Base | None,
    people: People = NOBODY,
    origin: Origin = Origin.BY_HAND,
) -> Outcome:
    """Merge one field. `desk` is the ticket's own value; `base` is None where the two never agreed."""
    one = _seen(rule, desk, remote, base, people)
    if base is None:
        return _first(one, origin)
    desk_changed, remote_changed = one.said != base.desk, one.remote.value != base.remote
    if not desk_changed and not remote_changed:
        return Outcome("nobody changed it since both agreed")
    if one.said == one.remote.value or (remote_changed and one.is_understood):
        return Outcome("both have the same", one.together)
    if rule.info.kind is DeskKind.TAGS and rule.direction is Direction.BOTH:
        return _united(one, base)
    if not remote_changed:
        return _push(one, "it was changed on the desk")
    if not desk_changed:
        return _pull(one, "it was changed in the tracker")
    if one.has_same_words:
        return Outcome("both say the same in other typography", one.together)
    return _clash(one)


def said_as(rule: FieldRule, value: Value, people: People = NOBODY) -> Value:
    """Return a desk value as the tracker would hear it; one it has no word for as a word of our own, never sent."""
    try:
        return held(rule, rule.project(value, people))
    except Unmapped:
        return f"unmapped:{value}"


def held(rule: FieldRule, value: Value) -> Value:
    """Return a value as a base holds it."""
    value = plain(value)
    return () if value is None and rule.info.kind is DeskKind.TAGS else value


def same_words(one: Value, other: Value) -> bool:
    """Tell whether two texts differ in no more than space and Markdown's signs."""
    return _SYNTAX.sub("", str(one or "")) == _SYNTAX.sub("", str(other or ""))


def _seen(rule: FieldRule, desk: Side, remote: Side, base: Base | None, people: People) -> _Field:
    desk = Side(held(rule, desk.value), desk.changed_at)
    remote = Side(held(rule, remote.value), remote.changed_at)
    unsayable = unhearable = None
    heard: Value = None
    try:
        rule.project(desk.value, people)
    except Unmapped as error:
        unsayable = error.reason
    try:
        heard = _reachable(rule, rule.inbound(remote.value, desk.value, people), desk.value)
        unhearable = unfit(rule.desk, heard)
    except Unmapped as error:
        unhearable = error.reason
    return _Field(rule, desk, remote, base, people, said_as(rule, desk.value, people), heard, unsayable, unhearable)


def _reachable(rule: FieldRule, heard: Value, current: Value) -> Value:
    """No way leads back to NEW: a record that is new again is a ticket that is open."""
    return "OPEN" if rule.desk == "status" and heard == "NEW" and current not in {"NEW", None} else heard


# Never agreed


def _first(one: _Field, origin: Origin) -> Outcome:
    if one.said == one.remote.value or one.has_same_words or (origin is not Origin.DESK and one.is_understood):
        return Outcome("both have the same", one.together)
    empty_desk, empty_remote = one.desk.value in {None, ()}, one.remote.value in {None, ()}
    match one.rule.direction:
        case Direction.OUT:
            return _left(one, "the desk has none yet") if empty_desk else _push(one, "it goes from the desk")
        case Direction.IN:
            return _left(one, "the tracker has none yet") if empty_remote else _pull(one, "it comes from the tracker")
    if empty_remote or (origin is Origin.DESK and not empty_desk):
        return _push(one, "the tracker has none yet" if empty_remote else "the record was filed from the ticket")
    if empty_desk or origin is Origin.REMOTE:
        return _pull(one, "the desk has none yet" if empty_desk else "the ticket came from the record")
    if one.rule.info.kind is DeskKind.TAGS:
        return _united(one, Base((), ()))
    return _clash(one)


# One side


def _push(one: _Field, why: str) -> Outcome:
    if one.rule.direction is Direction.IN:
        return _left(one, f"{why}, and only the tracker's changes are taken over")
    if one.unsayable:
        return _impossible(one, one.unsayable, "the tracker's stays")
    return Outcome(f"{why}: the tracker gets the desk's", Base(one.said, one.said), push=(one.desk.value,))


def _pull(one: _Field, why: str) -> Outcome:
    if one.rule.direction is Direction.OUT:
        return Outcome(f"{why}, and only the desk's changes are taken over: both stay as they are")
    if one.unhearable:
        return _impossible(one, one.unhearable, "the desk's stays")
    if one.rule.is_cut(one.desk.value):
        return Outcome("the tracker's text was changed, and it is only the beginning of the desk's", clash=True)
    base = Base(said_as(one.rule, one.heard, one.people), one.remote.value)
    return Outcome(f"{why}: the desk gets the tracker's", base, pull=(one.heard,))


def _left(one: _Field, why: str) -> Outcome:
    return Outcome(f"{why}: both stay as they are", one.together)


def _impossible(one: _Field, problem: str, what_stays: str) -> Outcome:
    if one.rule.unmapped is WhenUnmapped.KEEP:
        return Outcome(f"{problem}: {what_stays}", one.together)
    return Outcome(f"{problem}: refused", refused=problem)


# Both sides


def _united(one: _Field, base: Base) -> Outcome:
    """Merge sets member by member: what either side added or removed is added and removed on the other."""
    if one.unhearable:
        return _impossible(one, one.unhearable, "the desk's stays")
    desk, remote = _members(one.desk.value), _members(one.remote.value)
    desk_before, remote_before = _members(base.desk), _members(base.remote)
    for_remote = (remote | (desk - desk_before)) - (desk_before - desk)
    for_desk = (desk | (remote - remote_before)) - (remote_before - remote)
    pushed, pulled = tuple(sorted(for_remote)), tuple(sorted(for_desk))
    if problem := unfit(one.rule.desk, pulled):
        return _impossible(one, problem, "both stay")
    return Outcome(
        "what either side added or removed was added and removed on the other",
        Base(pulled, pushed),
        push=(pushed,) if for_remote != remote else None,
        pull=(pulled,) if for_desk != desk else None,
    )


def _members(value: Value) -> set[str]:
    return set(value) if isinstance(value, tuple) else set()


def _clash(one: _Field) -> Outcome:
    winner = _winner(one)
    if winner is None:
        return Outcome("both sides changed it: a person decides", clash=True)
    if winner is Origin.DESK:
        return _won(_push(one, "both sides changed it, the desk's stays"), winner)
    return _won(_pull(one, "both sides changed it, the tracker's stays"), winner)


def _won(outcome: Outcome, winner: Origin) -> Outcome:
    if outcome.refused or outcome.clash:
        return outcome
    return Outcome(outcome.reason, outcome.base, outcome.push, outcome.pull, clash=True, winner=winner)


def _winner(one: _Field) -> Origin | None:
    if one.rule.direction is Direction.OUT:
        return Origin.DESK
    by_policy: abc.Mapping[Policy, Origin | None] = {
        Policy.DESK: Origin.DESK,
        Policy.REMOTE: Origin.REMOTE,
        Policy.ASK: None,
    }
    return _newest(one) if one.rule.conflict is Policy.NEWEST else by_policy[one.rule.conflict]


def _newest(one: _Field) -> Origin:
    """The side that changed last; one that does not know when counts as the older, the desk as the newer of equals."""
    desk_at, remote_at = one.desk.changed_at, one.remote.changed_at
    if desk_at is None:
        return Origin.REMOTE
    return Origin.DESK if remote_at is None or desk_at >= remote_at else Origin.REMOTE
