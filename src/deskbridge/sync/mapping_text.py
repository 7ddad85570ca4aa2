"""A mapping's YAML text read into a `Mapping`, every fault named with its line."""

from collections import abc
from functools import lru_cache

import yaml

from deskbridge.sync.connector import Audience, Value
from deskbridge.sync.filing import Filing, FilingRule
from deskbridge.sync.mapping import (
    ChildRule,
    Direction,
    FieldRule,
    Mapping,
    MappingRefused,
    Policy,
    Row,
    WhenUnmapped,
)
from deskbridge.sync.vocabulary import DESK_FIELDS, FACTS, DeskKind, unfit
from deskbridge.sync.yaml_text import Place, Reading, compose

VERSION = 1
CHILDREN = ("comments", "attachments", "time_entries")
_LONGEST_NAME = 200


@lru_cache(maxsize=64)
def parse(text: str) -> Mapping:
    """Return the mapping a text describes; raises `MappingRefused` with every fault there is."""
    root, reading = compose(text), Reading()
    parts = reading.known(root, ("version", "product", "record", "fields"), (*CHILDREN, "resolution_notes", "filing"))
    mapping = Mapping(
        version=_version(reading, parts.get("version")),
        product=_name(reading, parts.get("product")),
        record=_name(reading, parts.get("record")),
        fields=_fields(reading, parts["fields"]) if "fields" in parts else {},
        comments=_child(reading, parts.get("comments")),
        attachments=_child(reading, parts.get("attachments")),
        time_entries=_child(reading, parts.get("time_entries")),
        resolution_comment=_resolution(reading, parts.get("resolution_notes")),
        filing=_filing(reading, parts["filing"]) if "filing" in parts else Filing(),
        text=text,
        lines=reading.lines,
    )
    if reading.faults:
        raise MappingRefused(sorted(reading.faults, key=lambda fault: fault.line))
    return mapping


def _version(reading: Reading, at: Place | None) -> int:
    return VERSION if at is None else reading.number(at, VERSION, VERSION)


def _name(reading: Reading, at: Place | None) -> str:
    if at is None:
        return ""
    name = reading.text(at)
    if len(name) > _LONGEST_NAME:
        reading.fault(at, f"must have at most {_LONGEST_NAME} characters")
    return name


def _resolution(reading: Reading, at: Place | None) -> bool:
    if at is not None and reading.word(at) != "comment":
        reading.fault(at, "must be comment; a field for them goes under fields")
    return at is not None


# Fields


def _fields(reading: Reading, at: Place) -> dict[str, FieldRule]:
    rules: dict[str, FieldRule] = {}
    written: dict[str, str] = {}
    for name, place in reading.table(at).items():
        if name not in DESK_FIELDS:
            reading.fault(place, f"a ticket has no field {name}; it has {', '.join(DESK_FIELDS)}")
            continue
        rules[name] = rule = _rule(reading, name, place)
        for remote in _targets(rule) if rule.direction.outward else ():
            if other := written.get(remote):
                reading.fault(place, f"{other} writes {remote} already")
            written[remote] = name
    return rules


def _targets(rule: FieldRule) -> set[str]:
    """The tracker's fields that a rule writes."""
    rows = [row.write for row in (rule.table or {}).values() if row.write is not None]
    return {remote for write in rows for remote in write} or {rule.remote}


def _rule(reading: Reading, name: str, at: Place) -> FieldRule:
    known = ("direction", "at", "conflict", "values", "unmapped", "longest", "demands", "announce")
    parts = reading.known(at, ("remote",), known)
    direction = _direction(reading, name, parts.get("direction"))
    rule = FieldRule(
        desk=name,
        remote=_name(reading, parts.get("remote")),
        direction=direction,
        conflict=_conflict(reading, direction, parts.get("conflict")),
        at_create=_at_create(reading, name, parts.get("at")) or DESK_FIELDS[name].born,
        table=_table(reading, name, direction, parts["values"]) if "values" in parts else None,
        unmapped=_unmapped(reading, parts.get("unmapped")),
        longest=_longest(reading, name, parts.get("longest")),
        demands=_demands(reading, parts["demands"]) if "demands" in parts else {},
        announce=_announce(reading, parts["announce"]) if "announce" in parts else {},
    )
    _require_sense(reading, rule, parts, at)
    return rule


def _direction(reading: Reading, name: str, at: Place | None) -> Direction:
    direction = Direction.BOTH if at is None else reading.one_of(at, Direction, Direction.BOTH)
    if at is not None and direction is Direction.NONE:
        reading.fault(at, "must be both, out or in; leave the field out to keep it apart")
    if at is not None and direction.inward and DESK_FIELDS[name].keeps:
        reading.fault(at, f"must be out: the desk counts {name} itself")
    return direction


def _conflict(reading: Reading, direction: Direction, at: Place | None) -> Policy:
    by_default = {Direction.OUT: Policy.DESK, Direction.IN: Policy.REMOTE}.get(direction, Policy.NEWEST)
    return by_default if at is None else reading.one_of(at, Policy, by_default)


def _at_create(reading: Reading, name: str, at: Place | None) -> bool:
    if at is not None and reading.word(at) != "create":
        reading.fault(at, "must be create")
    if at is not None and name == "status":
        reading.fault(at, "a status is brought about once the record is there; leave this out")
    return at is not None


def _unmapped(reading: Reading, at: Place | None) -> WhenUnmapped:
    return WhenUnmapped.REFUSE if at is None else reading.one_of(at, WhenUnmapped, WhenUnmapped.REFUSE)


def _longest(reading: Reading, name: str, at: Place | None) -> int | None:
    if at is None:
        return None
    if DESK_FIELDS[name].kind not in {DeskKind.LINE, DeskKind.TEXT}:
        reading.fault(at, f"{name} is no text")
    return reading.number(at, 20, 1_000_000)


def _require_sense(reading: Reading, rule: FieldRule, parts: abc.Mapping[str, Place], at: Place) -> None:
    for part in ("demands", "announce"):
        if part in parts and rule.desk != "status":
            reading.fault(parts[part], "goes with status only")
    if rule.table is None and rule.desk in {"status", "priority", "category", "environment", "impact_level"}:
        reading.fault(at, "values is missing")
    if rule.table is not None and rule.info.kind is not DeskKind.CHOICE:
        reading.fault(parts["values"], f"{rule.desk} has no values of a fixed choice")


# Values


def _table(reading: Reading, name: str, direction: Direction, at: Place) -> dict[str, Row]:
    table: dict[str, Row] = {}
    classes: dict[str, str] = {}
    for remote, place in reading.table(at).items():
        table[remote] = row = _row(reading, name, direction, place)
        for value in sorted(row.desk) if direction.outward else ():
            if other := classes.get(value):
                reading.fault(place, f"{value} is in the class of {other} already")
            classes[value] = remote
        if direction is Direction.BOTH and row.desk and row.inbound and row.inbound not in row.desk:
            reading.fault(place, f"inbound must be of the class: {row.inbound} would be written back as another value")
    if direction.outward and DESK_FIELDS[name].choices:
        missing = sorted(DESK_FIELDS[name].choices - set(classes))
        if missing:
            reading.fault(at, f"not mapped: {', '.join(missing)}")
    return table


def _row(reading: Reading, name: str, direction: Direction, at: Place) -> Row:
    needed = ("desk", "inbound") if direction.inward else ("desk",)
    parts = reading.known(at, needed, ("inbound", "write") if "inbound" not in needed else ("write",))
    desk = [] if "desk" not in parts else [reading.word(place) for place in reading.items(parts["desk"])]
    inbound = reading.word(parts["inbound"]) if "inbound" in parts else ""
    for value in desk:
        _require_value(reading, parts["desk"], name, value)
    if "inbound" in parts:
        _require_value(reading, parts["inbound"], name, inbound)
    write = _values(reading, parts["write"]) if "write" in parts else None
    return Row(frozenset(desk), inbound, write)


def _require_value(reading: Reading, at: Place, name: str, value: str) -> None:
    if problem := unfit(name, value or None):
        reading.fault(at, problem)


def _values(reading: Reading, at: Place) -> dict[str, Value]:
    return {name: reading.value(place) for name, place in reading.table(at).items()}


def _demands(reading: Reading, at: Place) -> dict[str, abc.Mapping[str, Value]]:
    return {status: _values(reading, place) for status, place in reading.table(at).items()}


def _announce(reading: Reading, at: Place) -> dict[str, str]:
    said = {}
    for status, place in reading.table(at).items():
        _require_value(reading, place, "status", status)
        said[status] = reading.text(place)
    return said


# What hangs on a record, and filing


def _child(reading: Reading, at: Place | None) -> ChildRule:
    if at is None:
        return ChildRule()
    if isinstance(at.node, yaml.ScalarNode):
        return ChildRule(reading.one_of(at, Direction, Direction.NONE))
    parts = reading.known(at, ("direction",), ("audiences",))
    direction = reading.one_of(parts["direction"], Direction, Direction.NONE) if "direction" in parts else None
    places = reading.items(parts["audiences"]) if "audiences" in parts else None
    audiences = Audience if places is None else [reading.one_of(one, Audience, Audience.PUBLIC) for one in places]
    return ChildRule(direction or Direction.NONE, frozenset(audiences))


def _filing(reading: Reading, at: Place) -> Filing:
    parts = reading.known(at, (), ("out", "in"))
    outward = reading.items(parts["out"]) if "out" in parts else []
    inward = reading.items(parts["in"]) if "in" in parts else []
    return Filing(
        tuple(_rule_out(reading, place) for place in outward),
        tuple(_rule_in(reading, place) for place in inward),
    )


def _rule_out(reading: Reading, at: Place) -> FilingRule:
    parts = reading.known(at, ("when", "file"), ())
    when = _when(reading, parts.get("when"))
    for name, wanted in when.items():
        known = FACTS.get(name)
        if known is None:
            reading.fault(parts["when"], f"a ticket has no {name}; a rule may ask for {', '.join(FACTS)}")
        elif known and not wanted - {""} <= known:
            unknown = ", ".join(sorted(wanted - known))
            reading.fault(parts["when"], f"{name} is never {unknown}; it is one of {', '.join(sorted(known))}")
    return FilingRule(when, "file" in parts and reading.yes(parts["file"]), line=at.line)


def _rule_in(reading: Reading, at: Place) -> FilingRule:
    parts = reading.known(at, ("when", "ticket"), ())
    when = _when(reading, parts.get("when"))
    if "ticket" not in parts:
        return FilingRule(when, True, line=at.line)
    place = parts["ticket"]
    if isinstance(place.node, yaml.ScalarNode) and place.node.tag == "tag:yaml.org,2002:bool":
        if reading.yes(place):
            reading.fault(place, "must be a table of the ticket's values ({} for none), or false")
        return FilingRule(when, False, line=at.line)
    return FilingRule(when, True, _ticket(reading, place), at.line)


def _ticket(reading: Reading, at: Place) -> dict[str, Value]:
    """The values a ticket begins with; who it is for and by whom is told by the record."""
    values: dict[str, Value] = {}
    for name, place in reading.table(at).items():
        if name not in DESK_FIELDS or DESK_FIELDS[name].kind in {DeskKind.PERSON, DeskKind.MOMENT, DeskKind.NUMBER}:
            reading.fault(place, f"{name} is no field to begin a ticket with")
            continue
        value = tuple(sorted(reading.words(place))) if name == "tags" else reading.word(place)
        values[name] = value
        if problem := unfit(name, value):
            reading.fault(place, problem)
    return values


def _when(reading: Reading, at: Place | None) -> dict[str, frozenset[str]]:
    if at is None:
        return {}
    return {name: frozenset(reading.words(place)) for name, place in reading.table(at).items()}
