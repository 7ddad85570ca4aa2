"""What a client sends for a row, turned into what the columns store."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deskbridge.simulators.servicenow import rows, values
from deskbridge.simulators.servicenow.columns import Column
from deskbridge.simulators.servicenow.context import Context
from deskbridge.simulators.servicenow.errors import aborted, bad_request
from deskbridge.simulators.servicenow.schema import TABLES

RULE = "Validate values"
"""The before business rule of this instance that refuses values which would otherwise be stored as they are."""


_GREATEST = 2**31 - 1


class BadValueError(ValueError):
    """A value that its column cannot hold; the text names both."""


@dataclass(slots=True)
class Input:
    """Stored values by column, and what is to be added to the journals (`comments`, `work_notes`)."""

    values: dict[str, str] = field(default_factory=dict)
    journals: dict[str, str] = field(default_factory=dict)
    sys_id: str = ""


def read(context: Context, table: str, body: object, *, by_display: bool = False) -> Input:
    """The input of a write; FailureError when it cannot be one.

    `by_display` is sysparm_input_display_value: labels, names and local times instead of stored values. Read-only
    columns are ignored without a word, and so are unknown ones unless the instance is set to refuse them.
    """
    given = Input()
    for name, raw in _first_record(body).items():
        column = TABLES[table].by_name.get(name)
        if column is None:
            _unknown(context, table, name)
        elif name == "sys_id":
            given.sys_id = _sys_id(raw)
        elif not column.read_only:
            _put(context, table, given, column, raw, by_display=by_display)
    return given


def _first_record(body: object) -> Mapping[str, Any]:
    """Of several records the API takes the first and forgets the rest."""
    record = body[0] if isinstance(body, list) and body else body
    if not isinstance(record, dict):
        raise bad_request("Exception while reading request", "The payload is not a JSON object")
    return record


def _unknown(context: Context, table: str, name: str) -> None:
    if context.options["unknown_columns"] == "refuse":
        raise bad_request("Invalid field", f"unknown field {name} in table {table}")


def _sys_id(raw: object) -> str:
    """A client may choose the sys_id of a new row."""
    chosen = str(raw or "")
    if chosen and not values.SYS_ID.fullmatch(chosen):
        raise bad_request("Invalid sys_id", "sys_id must be 32 letters and digits")
    return chosen


def _put(context: Context, table: str, given: Input, column: Column, raw: object, *, by_display: bool) -> None:
    value = _text(column, raw)
    if column.is_journal:
        if value:
            given.journals[column.name] = value
        return
    try:
        given.values[column.name] = _stored(context, column, value, by_display=by_display)
    except BadValueError as error:
        if context.options["validation"] == "on":
            raise aborted(table, RULE, f"{column.label}: {error}") from error
        given.values[column.name] = value if column.choices or column.reference else ""


def text(raw: str) -> str:
    """Without half surrogate pairs, which JSON may carry and UTF-8 may not."""
    return raw.encode("utf-8", "replace").decode()


def _text(column: Column, raw: object) -> str:
    if isinstance(raw, bool):
        return str(raw).lower()
    if raw is None:
        return ""
    if isinstance(raw, (str, int, float)):
        return text(str(raw))
    raise bad_request("Exception while reading request", f"{column.name} must be text, not an object or list")


def _stored(context: Context, column: Column, value: str, *, by_display: bool) -> str:
    if not value:
        return ""
    if column.choices:
        return _choice(column, value, by_display=by_display)
    if column.reference:
        return _reference(context, column, value, by_display=by_display)
    if column.type in _TYPED:
        return _TYPED[column.type](value, context.zone if by_display else "UTC")
    return value[: column.max_length] if column.truncates else value


def _choice(column: Column, value: str, *, by_display: bool) -> str:
    if value in column.labels:
        return value
    if by_display:
        for stored, label in column.choices:
            if label.casefold() == value.casefold():
                return stored
    raise BadValueError(f"{value!r} is not a choice of {column.name}")


def _reference(context: Context, column: Column, value: str, *, by_display: bool) -> str:
    if column.reference not in TABLES and values.SYS_ID.fullmatch(value):
        return value
    if rows.find(context.state, column.reference, value) is not None:
        return value
    named = rows.named(context.state, column.reference, value) if by_display else None
    if named is None:
        raise BadValueError(f"{value!r} is no record of {column.reference}")
    return named


def _moment(value: str, zone: str) -> str:
    moment = values.parse_stamp(value, zone)
    if moment is None:
        raise BadValueError(f"{value!r} is not a date and time")
    return values.stamp(moment)


def _day(value: str, _zone: str) -> str:
    if not values.is_day(value):
        raise BadValueError(f"{value!r} is not a date")
    return value


def _integer(value: str, _zone: str) -> str:
    if not values.INTEGER.fullmatch(value) or abs(int(value)) > _GREATEST:
        raise BadValueError(f"{value!r} is not a number of 32 bits")
    return value


def _boolean(value: str, _zone: str) -> str:
    stored = {"1": "true", "0": "false"}.get(value, value.lower())
    if stored not in {"true", "false"}:
        raise BadValueError(f"{value!r} is neither true nor false")
    return stored


def _duration(value: str, _zone: str) -> str:
    length = values.seconds(value)
    if length is None:
        raise BadValueError(f"{value!r} is not a duration")
    return values.duration(length)


_TYPED = {
    "boolean": _boolean,
    "glide_date": _day,
    "glide_date_time": _moment,
    "glide_duration": _duration,
    "integer": _integer,
    "timer": _duration,
}
