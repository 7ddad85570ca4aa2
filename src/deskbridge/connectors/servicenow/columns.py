"""What an instance's incident table consists of, learnt from its dictionary, and its values in the words of the SDK."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from deskbridge.connectors.plaintext import to_markdown, to_plain
from deskbridge.connectors.servicenow.client import STAGING, TABLE, Client, Row, moment_of, stamp
from deskbridge.sync.connector import AuthFailed, FieldInfo, FieldKind, Metadata, Rejected, Value

T = TypeVar("T")

STATUS = "state"
_PARENT = "task"
_JOURNALS = {"comments", "work_notes", "comments_and_work_notes", "approval_history", "sys_tags"}
_OURS = {"correlation_id", "correlation_display"}
_COMPUTED = {"priority", "active", "incident_state", "time_worked", "number", "made_sla", *_OURS}
"""Columns that can be read but that somebody else keeps: the instance, or this connector itself."""
_STEP_FIELDS = {"comments": FieldInfo("comments", "Additional comments", FieldKind.RICH_TEXT, max_length=4000)}
"""What the step to On Hold tells the caller."""
_DURATIONS = {"glide_duration", "timer"}
_KINDS = {
    "boolean": FieldKind.BOOLEAN,
    "decimal": FieldKind.NUMBER,
    "float": FieldKind.NUMBER,
    "glide_date_time": FieldKind.DATE_TIME,
    "glide_list": FieldKind.CHOICES,
    "integer": FieldKind.NUMBER,
    **dict.fromkeys(_DURATIONS, FieldKind.NUMBER),
}
_RICH_FROM = 256
"""Texts of more characters than this have several lines, and are Markdown to us."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WHOLE = re.compile(r"-?\d+")


@dataclass(frozen=True)
class Column:
    """One column: how we describe it, and its type in the instance's dictionary."""

    info: FieldInfo
    type: str


@dataclass(frozen=True)
class Columns:
    """The columns of an incident by name, and which of them the import set's transform map fills."""

    by_name: Mapping[str, Column]
    staged: frozenset[str] = field(default_factory=frozenset)

    def metadata(self) -> Metadata:
        fields = {name: column.info for name, column in self.by_name.items()}
        return Metadata(fields, STATUS, fields[STATUS].choices, _STEP_FIELDS)

    def values(self, row: Row) -> dict[str, Value]:
        """Return a row's values; ValueError when the instance's text is none of its column's type."""
        return {name: _read(column, row.get(name, "")) for name, column in self.by_name.items()}

    def stored(self, fields: Mapping[str, Value], also: Iterable[str] = ()) -> dict[str, str]:
        """Return values as the instance stores them; Rejected names the first that it could not store as it is.

        `also` are columns that can be written here though not by an update.
        """
        return {name: self._written(name, value, name in also) for name, value in fields.items()}

    def _written(self, name: str, value: Value, may: bool) -> str:
        column = self.by_name.get(name)
        if column is None:
            raise Rejected(f"the instance has no column {name}", name)
        if not column.info.writable and not may:
            raise Rejected(f"{name} cannot be written", name)
        if value is None:
            return ""
        try:
            text = _write(column, value)
        except (TypeError, ValueError) as error:
            raise Rejected(f"{value!r} is no {column.info.kind} for {name}", name) from error
        _check(column.info, text)
        return text


def learn(client: Client) -> Columns:
    """Ask the instance what its incidents consist of."""
    order = "^ORDERBYname^ORDERBYelement^ORDERBYsys_id"
    dictionary = client.all(
        "sys_dictionary", f"nameIN{_PARENT},{TABLE},{STAGING}^elementISNOTEMPTY^active=true{order}", _DICTIONARY, dict
    )
    rows = {row["element"]: row for table in (_PARENT, TABLE) for row in dictionary if row["name"] == table}
    if not {"short_description", STATUS} <= rows.keys():
        raise AuthFailed("the account sees no columns of incident: it needs to read sys_dictionary and sys_choice")
    choices = _choices(client)
    choices |= _groups(client, [name for name, row in rows.items() if row["reference"] == "sys_user_group"])
    columns = {name: _column(row, choices.get(name, {})) for name, row in rows.items() if name not in _JOURNALS}
    staged = {row["element"].removeprefix("u_") for row in dictionary if row["name"] == STAGING}
    if "correlation_id" not in staged:
        raise AuthFailed(f"the account sees no table {STAGING}: the update set is missing, or the right to read it")
    return Columns(columns, frozenset(name for name in staged & columns.keys() if _stages(columns[name])))


_DICTIONARY = ("name", "element", "column_label", "internal_type", "max_length", "reference", "read_only", "mandatory")


def _stages(column: Column) -> bool:
    """An import set reads moments in the account's time zone, in which one hour of the year comes twice: not those."""
    return column.info.kind is not FieldKind.DATE_TIME


def _choices(client: Client) -> dict[str, dict[str, str]]:
    """Choices by column, of the incident where it has its own, else of the task it extends; in their order."""
    query = f"nameIN{_PARENT},{TABLE}^language=en^inactive=false^ORDERBYsequence^ORDERBYsys_id"
    rows = client.all("sys_choice", query, ("name", "element", "value", "label"), dict)
    found: dict[str, dict[str, dict[str, str]]] = {_PARENT: {}, TABLE: {}}
    for row in rows:
        if row["value"]:
            found[row["name"]].setdefault(row["element"], {})[row["value"]] = row["label"]
    return {**found[_PARENT], **found[TABLE]}


def _groups(client: Client, columns: Sequence[str]) -> dict[str, dict[str, str]]:
    """The groups that work can be assigned to are choices too, by sys_id."""
    rows = client.all("sys_user_group", "active=true^ORDERBYname^ORDERBYsys_id", ("sys_id", "name"), dict)
    groups = {row["sys_id"]: row["name"] for row in rows}
    return dict.fromkeys(columns, groups)


def _column(row: Row, choices: Mapping[str, str]) -> Column:
    name = row["element"]
    length = int(row["max_length"]) if _WHOLE.fullmatch(row["max_length"]) else None
    kind = _kind(row, length or 0, choices)
    info = FieldInfo(
        name,
        row["column_label"] or name,
        kind,
        required=row["mandatory"] == "true" or name == "short_description",
        writable=row["read_only"] != "true" and name not in {*_COMPUTED, STATUS} and not name.startswith("sys_"),
        max_length=length if kind in {FieldKind.TEXT, FieldKind.RICH_TEXT} else None,
        choices=choices,
    )
    return Column(info, row["internal_type"])


def _kind(row: Row, length: int, choices: Mapping[str, str]) -> FieldKind:
    if row["reference"] == "sys_user":
        return FieldKind.PERSON
    if choices:
        return FieldKind.CHOICE
    if row["internal_type"] in _KINDS:
        return _KINDS[row["internal_type"]]
    if row["element"].endswith("_list"):
        return FieldKind.CHOICES
    is_text = row["internal_type"] == "string" and not row["reference"]
    return FieldKind.RICH_TEXT if is_text and length >= _RICH_FROM else FieldKind.TEXT


def _read(column: Column, text: str) -> Value:
    kind = column.info.kind
    if not text:
        return None
    if kind is FieldKind.RICH_TEXT:
        return to_markdown(text)
    if kind is FieldKind.BOOLEAN:
        return text == "true"
    if kind is FieldKind.DATE_TIME:
        return moment_of(text)
    if kind is FieldKind.CHOICES:
        return tuple(sorted(part.strip() for part in text.split(",") if part.strip()))
    if kind is FieldKind.NUMBER:
        return _number(column, text)
    return text


def _number(column: Column, text: str) -> int | float:
    """A number; a duration, which is stored as a moment after 1970, in seconds."""
    if column.type in _DURATIONS:
        return int((moment_of(text) - _EPOCH).total_seconds())
    return int(text) if _WHOLE.fullmatch(text) else float(text)


def _write(column: Column, value: Value) -> str:
    """The text to store; TypeError or ValueError when the value is of another kind."""
    kind = column.info.kind
    if kind is FieldKind.BOOLEAN:
        return str(_is(bool, value)).lower()
    if kind is FieldKind.DATE_TIME:
        moment = _is(datetime, value)
        if moment.tzinfo is None:
            raise ValueError("naive")
        return stamp(moment)
    if kind is FieldKind.CHOICES:
        return ",".join(_is(tuple, value))
    if kind is FieldKind.NUMBER:
        if column.type in _DURATIONS:
            return stamp(_EPOCH + timedelta(seconds=_is(int, value)))
        return str(value if isinstance(value, float) else _is(int, value))
    text = _is(str, value)
    return to_plain(text) if kind is FieldKind.RICH_TEXT else text


def _is(kind: type[T], value: object) -> T:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(type(value).__name__)
    return value


def _check(info: FieldInfo, text: str) -> None:
    """An instance stores a choice it does not have, and cuts what is too long, without a word: we refuse both."""
    if info.kind is FieldKind.CHOICE and text not in info.choices:
        raise Rejected(f"{text!r} is no choice of {info.name}", info.name)
    if info.max_length and len(text) > info.max_length:
        raise Rejected(f"{info.name} holds {info.max_length} characters, this has {len(text)}", info.name)
