"""What is to be done so that one ticket and one record agree again. Pure: `sync plan` shows it, the engine does it."""

from collections import abc
from dataclasses import dataclass, field, replace
from datetime import datetime

from email_validator import EmailNotValidError, validate_email

from deskbridge.sync.connector import Record, Value
from deskbridge.sync.mapping import NOBODY, FieldRule, Mapping, Unmapped, WhenUnmapped
from deskbridge.sync.merge import Base, Origin, Outcome, Side, held, merge_field, said_as, same_words
from deskbridge.sync.vocabulary import People, plain, unfit


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
    pushed: frozenset[str] = frozenset()
    files: bool = False

    @property
    def empty(self) -> bool:
        """Nothing is to be written on either side."""
        return not (self.writes or self.transition or self.changes)

    def written_only(self) -> "Plan":
        """Return what is left of it where nothing is taken over: that is all still to be seen by the next plan."""
        return replace(
            self,
            changes={},
            seen={},
            clashes=tuple(clash for clash in self.clashes if clash.field not in self.changes),
            bases={name: base for name, base in self.bases.items() if name not in self.changes},
        )


@dataclass(frozen=True)
class Birth:
    """A ticket to be: its values by desk field, the bases of its link, and what keeps it from beginning."""

    values: abc.Mapping[str, Value]
    bases: abc.Mapping[str, Base]
    refusals: tuple[Refusal, ...]


# Planning


def file(mapping: Mapping, ticket: TicketSide, people: People = NOBODY) -> Plan:
    """Plan a new record: `writes` are what it is created with; the status follows by `plan` once it is there.

    Store `bases` before it is created: after a lost answer they tell what of the record is ours.
    """
    writes: dict[str, Value] = {}
    bases: dict[str, Base] = {}
    reasons: dict[str, str] = {}
    refusals: list[Refusal] = []
    pushed: set[str] = set()
    for name, rule in mapping.fields.items():
        value = plain(ticket.values[name])
        if not rule.direction.outward or name == "status":
            reasons[name] = "it is not written as the record is filed"
            continue
        try:
            written = {remote: one for remote, one in rule.write(value, people).items() if one not in {None, ()}}
        except Unmapped as error:
            reasons[name] = error.reason
            refusals += [Refusal(name, value, error.reason)] if rule.unmapped is WhenUnmapped.REFUSE else []
            continue
        writes |= written
        pushed |= {name} if written else set()
        reasons[name] = "the record is filed with the desk's" if written else "the desk has none yet"
        if not rule.at_create:
            said = said_as(rule, value, people)
            bases[name] = Base(said, said)
    return Plan(writes, None, {}, {}, (), tuple(refusals), bases, reasons, frozenset(pushed), files=True)


def plan(
    mapping: Mapping,
    ticket: TicketSide,
    record: Record,
    bases: abc.Mapping[str, Base],
    people: People = NOBODY,
    origin: Origin = Origin.BY_HAND,
) -> Plan:
    """Plan what brings a ticket and its record together again."""
    outcomes = {
        name: _outcome(rule, ticket, record, bases.get(name), people, origin) for name, rule in mapping.fields.items()
    }
    pushes = {name: one.push[0] for name, one in outcomes.items() if one.push}
    changes = {name: one.pull[0] for name, one in outcomes.items() if one.pull}
    new_bases = {name: one.base for name, one in outcomes.items() if one.base is not None}
    writes: dict[str, Value] = {}
    for name, value in pushes.items():
        writes |= mapping.fields[name].write(value, people) if name != "status" else {}
    transition = None
    if "status" in pushes:
        transition = _transition(mapping, pushes["status"], writes, changes, ticket, record, people)
        demanded = _demanded_bases(mapping, transition, changes, ticket, people)
        new_bases |= demanded
        pushes |= dict.fromkeys(demanded)
        writes = {remote: value for remote, value in writes.items() if remote not in transition.fields}
    return Plan(
        writes,
        transition,
        dict(sorted(changes.items(), key=lambda change: change[0] == "status")),
        {name: ticket.values[name] for name in changes},
        tuple(_clash(mapping, name, one, ticket, record) for name, one in outcomes.items() if one.clash),
        tuple(_refusal(mapping, name, one.refused, record) for name, one in outcomes.items() if one.refused),
        new_bases,
        {name: one.reason for name, one in outcomes.items()},
        frozenset(pushes),
    )


def _outcome(
    rule: FieldRule, ticket: TicketSide, record: Record, base: Base | None, people: People, origin: Origin
) -> Outcome:
    if rule.at_create:
        return Outcome("it is kept in step only as a record is filed or a ticket begins")
    if rule.remote not in record.fields:
        problem = f"{rule.desk}: the tracker does not show {rule.remote}"
        return Outcome(problem, refused=problem)
    desk = Side(ticket.values[rule.desk], ticket.changed_at.get(rule.desk))
    return merge_field(rule, desk, Side(record.fields[rule.remote], record.updated_at), base, people, origin)


def _clash(mapping: Mapping, name: str, outcome: Outcome, ticket: TicketSide, record: Record) -> Clash:
    remote = record.fields[mapping.fields[name].remote]
    return Clash(name, plain(ticket.values[name]), plain(remote), outcome.winner)


def _refusal(mapping: Mapping, name: str, problem: str, record: Record) -> Refusal:
    return Refusal(name, plain(record.fields.get(mapping.fields[name].remote)), problem)


def _transition(
    mapping: Mapping,
    status: Value,
    writes: abc.Mapping[str, Value],
    changes: abc.Mapping[str, Value],
    ticket: TicketSide,
    record: Record,
    people: People,
) -> Transition:
    """What a status demands is given in the step itself: what is to be written, else what is there, else a default."""
    rule = mapping.fields["status"]
    wanted = str(rule.project(status))
    rules = {one.remote: one for one in mapping.fields.values() if one.direction.outward}
    given: dict[str, Value] = {}
    for name, by_default in rule.demands.get(wanted, {}).items():
        there: Value = None
        if name in writes:
            there = writes[name]
        elif name in rules:
            desk = None if rules[name].desk in changes else held(rules[name], ticket.values[rules[name].desk])
            there = said_as(rules[name], desk, people) or plain(record.fields.get(name))
        given[name] = by_default if there is None else there
    return Transition(wanted, given)


def _demanded_bases(
    mapping: Mapping, transition: Transition, changes: abc.Mapping[str, Value], ticket: TicketSide, people: People
) -> dict[str, Base]:
    """The bases of what a step writes beside the status, so that a default of ours is not taken for somebody's word."""
    return {
        name: Base(said_as(rule, ticket.values[name], people), plain(transition.fields[rule.remote]))
        for name, rule in mapping.fields.items()
        if rule.remote in transition.fields and rule.direction.outward and not rule.at_create and name not in changes
    }


# Carried out


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
    bases: dict[str, Base] = {}
    for name, base in done.bases.items():
        rule = mapping.fields[name]
        read = held(rule, record.fields.get(rule.remote))
        remote = base.remote
        if name in done.pushed:
            remote = _as_read(rule, base.remote, read)
        elif done.files:
            remote = read
        after = said_as(rule, ticket.values[name], people)
        bases[name] = Base(_as_read(rule, base.desk, after) if name in done.changes else base.desk, remote)
    status = mapping.fields.get("status")
    if done.files and status is not None and status.direction.outward:
        first = held(status, record.fields.get(status.remote))
        bases["status"] = Base(first, first)
    return bases


def _as_read(rule: FieldRule, written: Value, read: Value) -> Value:
    """What was made of what we wrote; what was written where it says something else, for that is somebody's edit."""
    return read if rule.is_text and same_words(written, read) else written


# Beginning


def birth(mapping: Mapping, record: Record, given: abc.Mapping[str, Value], people: People = NOBODY) -> Birth:
    """Return the ticket a record becomes. `given` are the filing rule's values, used where the record gives none."""
    values: dict[str, Value] = dict(given)
    refusals = validate(mapping, record, people)
    for name, rule in mapping.fields.items():
        heard = _heard(rule, record, people)
        if rule.direction.inward and heard.value not in {None, ()} and not heard.problem:
            values[name] = heard.value
    if not values.get("description") and "title" in values:
        values["description"] = values["title"]
    for name in ("title", "category"):
        if name not in values and not any(refusal.field == name for refusal in refusals):
            refusals.append(Refusal(name, None, f"{name}: a ticket needs one, and there is none"))
    bases = {
        name: Base(said_as(rule, values.get(name), people), held(rule, record.fields.get(rule.remote)))
        for name, rule in mapping.fields.items()
        if rule.direction.inward and not rule.at_create
    }
    return Birth(values, bases, tuple(refusals))


def validate(mapping: Mapping, record: Record, people: People = NOBODY) -> list[Refusal]:
    """Return what of a record a ticket could not hold: too long, no choice of ours, no moment, no address; by field."""
    refusals = []
    for name, rule in mapping.fields.items():
        heard = _heard(rule, record, people)
        value = plain(record.fields.get(rule.remote))
        if rule.direction.inward and value not in {None, ()} and heard.problem:
            refusals.append(Refusal(name, value, heard.problem))
    address = record.reporter.email if record.reporter else None
    if address and not _is_address(address):
        refusals.append(Refusal("requester", address, f"requester: {address!r} is no e-mail address"))
    return refusals


@dataclass(frozen=True)
class _Heard:
    """What the desk hears in a record's field; `problem` tells why it must not be taken over."""

    value: Value
    problem: str | None


def _heard(rule: FieldRule, record: Record, people: People) -> _Heard:
    try:
        value = held(rule, rule.inbound(held(rule, record.fields.get(rule.remote)), None, people))
    except Unmapped as error:
        return _Heard(None, error.reason if rule.unmapped is WhenUnmapped.REFUSE else None)
    return _Heard(value, None if value in {None, ()} else unfit(rule.desk, value))


def _is_address(text: str) -> bool:
    try:
        validate_email(text, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True
