"""Checking and normalising the attributes a client writes into a work item.

Wrong kinds of values are refused; unknown fields and unknown enumeration ids are stored as they are ("ghosts"), as real
Polarion does without a word.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from deskbridge.simulators.polarion import model
from deskbridge.simulators.polarion.durations import parse_minutes
from deskbridge.simulators.polarion.errors import BadRequestError, wrong_type
from deskbridge.simulators.polarion.jsonapi import Json
from deskbridge.simulators.polarion.session import stamp

_MAX_DEPTH = 32
RELATIONSHIPS = (
    "approvals", "assignee", "attachments", "author", "backlinkedWorkItems", "categories", "comments",
    "externallyLinkedWorkItems", "linkedOslcResources", "linkedRevisions", "linkedWorkItems", "module", "plannedIn",
    "project", "testSteps", "votes", "watches", "workRecords",
)  # fmt: skip
"""The names that are relationships of a work item and therefore never attributes."""


def cleaned(attributes: Mapping[str, Any], pointer: str) -> Json:
    """The attributes to store by name, None for those to clear. Raises BadRequestError for the first bad one."""
    return {name: _cleaned(name, value, f"{pointer}.{name}") for name, value in attributes.items()}


def _cleaned(name: str, value: object, pointer: str) -> Any:
    if name in RELATIONSHIPS:
        raise BadRequestError(f"'{name}' is a relationship, not an attribute.", pointer=pointer)
    field = model.FIELDS.get(name)
    if field is not None and not field.writable:
        raise BadRequestError(f"Field '{name}' is read-only.", pointer=pointer)
    if value is None:
        return None
    if name in model.CUSTOM_FIELDS:
        return _string(value, pointer)
    if field is None:
        return _ghost(value, pointer)
    return _KINDS[field.kind](value, pointer) if name != "priority" else _priority(value, pointer)


def _ghost(value: object, pointer: str) -> object:
    """Any JSON of a sane depth."""
    level, depth = [value], 0
    while level:
        if depth > _MAX_DEPTH:
            raise BadRequestError(f"The value is nested more than {_MAX_DEPTH} levels deep.", pointer=pointer)
        level = [inner for outer in level for inner in _inside(outer)]
        depth += 1
    return value


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _string(value: object, pointer: str) -> str:
    if not isinstance(value, str):
        raise wrong_type("STRING", value, pointer)
    return value


def _enumeration(value: object, pointer: str) -> str | None:
    return _string(value, pointer) or None


def _priority(value: object, pointer: str) -> str | None:
    """Priorities are floats in text: `50` is stored as `50.0`; what is no number stays a ghost."""
    text = _string(value, pointer)
    return str(float(text)) if re.fullmatch(r"\d{1,3}(\.\d{1,6})?", text) else text or None


def rich_text(value: object, pointer: str) -> Json:
    """`{"type": "text/html" | "text/plain", "value": text}`."""
    if not isinstance(value, dict):
        raise wrong_type("BEGIN_OBJECT", value, pointer)
    kind = value.get("type", "text/html")
    if kind not in ("text/html", "text/plain"):
        raise BadRequestError(f"Unknown text type '{kind}'.", pointer=f"{pointer}.type")
    return {"type": kind, "value": _string(value.get("value", ""), f"{pointer}.value")}


def day(value: object, pointer: str) -> str:
    text = _string(value, pointer)
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise BadRequestError(f"'{text}' is not a date in the form yyyy-mm-dd.", pointer=pointer) from error


def _moment(value: object, pointer: str) -> str:
    text = _string(value, pointer)
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise BadRequestError(f"The date-time '{text}' has no time zone.", pointer=pointer)
        return stamp(moment)
    except (ValueError, OverflowError) as error:
        raise BadRequestError(f"'{text}' is not a date-time in ISO 8601.", pointer=pointer) from error


def duration(value: object, pointer: str) -> str:
    text = _string(value, pointer)
    if parse_minutes(text) is None:
        raise BadRequestError(f"Not a duration such as '1d 2h' or '5 1/2d': '{text}'.", pointer=pointer)
    return text


def _hyperlinks(value: object, pointer: str) -> list[Json]:
    if not isinstance(value, list):
        raise wrong_type("BEGIN_ARRAY", value, pointer)
    for index, link in enumerate(value):
        if not isinstance(link, dict):
            raise wrong_type("BEGIN_OBJECT", link, f"{pointer}[{index}]")
        if unknown := set(link) - {"role", "title", "uri"}:
            raise BadRequestError(f"Unknown member '{min(unknown)}' of a hyperlink.", pointer=f"{pointer}[{index}]")
        for name, text in link.items():
            _string(text, f"{pointer}[{index}].{name}")
    return value


_KINDS: Mapping[str, Callable[[object, str], Any]] = {
    "string": _string,
    "enumeration": _enumeration,
    "text/html": rich_text,
    "date": day,
    "date-time": _moment,
    "duration": duration,
    "structure": _hyperlinks,
}
