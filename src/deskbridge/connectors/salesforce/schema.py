"""What a case is in this org: its fields and statuses, and values on their way there and back."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import nh3

from deskbridge.connectors.salesforce import richtext
from deskbridge.connectors.salesforce.client import ROWS, Client, Row, moment
from deskbridge.sync.connector import AuthFailed, FieldInfo, FieldKind, Metadata, Rejected, Value

T = TypeVar("T")

REF, STATUS = "Desk_Ref__c", "Status"
DEMANDED_TO_CLOSE = "Reason"
_KINDS = {
    "id": FieldKind.TEXT,
    "string": FieldKind.TEXT,
    "email": FieldKind.TEXT,
    "phone": FieldKind.TEXT,
    "url": FieldKind.TEXT,
    "combobox": FieldKind.TEXT,
    "date": FieldKind.TEXT,
    "textarea": FieldKind.RICH_TEXT,
    "picklist": FieldKind.CHOICE,
    "multipicklist": FieldKind.CHOICES,
    "boolean": FieldKind.BOOLEAN,
    "double": FieldKind.NUMBER,
    "currency": FieldKind.NUMBER,
    "percent": FieldKind.NUMBER,
    "int": FieldKind.NUMBER,
    "datetime": FieldKind.DATE_TIME,
}
_PEOPLE = {"User", "Group", "Contact"}


@dataclass(frozen=True)
class Schema:
    """The cases of one org. `html` are fields with markup, which are read as text only and never written.

    `columns` are what makes a version: every field somebody may write, and what tells a deletion.
    """

    metadata: Metadata
    columns: tuple[str, ...]
    html: frozenset[str]
    closing: frozenset[str]
    is_ref_unique: bool

    def values(self, row: Row) -> dict[str, Value]:
        """The readable fields of a case."""
        return {name: self._value(info, row[name]) for name, info in self.metadata.fields.items() if name in row}

    def version(self, row: Row) -> str:
        """A stamp is of whole seconds: what was written decides between two changes within one."""
        held = json.dumps([row.get(name) for name in self.columns])
        return f"{row['SystemModstamp']} {hashlib.sha256(held.encode()).hexdigest()[:16]}"

    def body(self, fields: Mapping[str, Value]) -> dict[str, object]:
        """The fields as Salesforce takes them; Rejected, with its name, for one that cannot be written like this."""
        return {name: self._remote(name, value) for name, value in fields.items()}

    def _value(self, info: FieldInfo, held: Any) -> Value:
        if held is None or held == "":
            return None
        if info.name in self.html:
            return richtext.to_markdown(nh3.clean(held, tags=set()))
        if info.kind is FieldKind.RICH_TEXT:
            return richtext.to_markdown(held)
        if info.kind is FieldKind.CHOICES:
            return tuple(sorted(held.split(";")))
        if info.kind is FieldKind.DATE_TIME:
            return moment(held)
        if info.kind is FieldKind.NUMBER and held == int(held):
            return int(held)
        return held  # type: ignore[no-any-return]

    def _remote(self, name: str, value: Value) -> object:
        info = self.metadata.fields.get(name)
        if info is None:
            raise Rejected(f"cases have no field {name}, or this account may not see it", name)
        if not info.writable:
            raise Rejected(_why_not_writable(name), name)
        if value is None:
            return False if info.kind is FieldKind.BOOLEAN else None
        return _WRITERS[info.kind](info, value)


def _why_not_writable(name: str) -> str:
    if name == STATUS:
        return "the status changes by a transition only"
    if name == REF:
        return f"{REF} is the key, which is given when a case is created"
    return f"{name} cannot be written by this account"


def _text(info: FieldInfo, value: Value) -> str:
    return _expected(info, value, str).encode("utf-8", "replace").decode()


def _rich_text(info: FieldInfo, value: Value) -> str:
    return richtext.to_plain(_expected(info, value, str))


def _choice(info: FieldInfo, value: Value) -> str:
    """Checked here: a picklist that is not restricted would keep any value, silently."""
    chosen = _expected(info, value, str)
    if chosen not in info.choices:
        raise Rejected(f"{chosen!r} is not a value of {info.name} ({', '.join(info.choices)})", info.name)
    return chosen


def _choices(info: FieldInfo, value: Value) -> str:
    return ";".join(_choice(info, one) for one in _expected(info, value, tuple))


def _number(info: FieldInfo, value: Value) -> float:
    return value if type(value) is int else _expected(info, value, float)


def _date_time(info: FieldInfo, value: Value) -> str:
    return _expected(info, value, datetime).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _boolean(info: FieldInfo, value: Value) -> bool:
    return _expected(info, value, bool)


def _expected(info: FieldInfo, value: Value, kind: type[T]) -> T:
    if not isinstance(value, kind):
        raise Rejected(f"{info.name} takes {info.kind.value}, not {type(value).__name__}", info.name)
    return value


_WRITERS = {
    FieldKind.TEXT: _text,
    FieldKind.PERSON: _text,
    FieldKind.RICH_TEXT: _rich_text,
    FieldKind.CHOICE: _choice,
    FieldKind.CHOICES: _choices,
    FieldKind.NUMBER: _number,
    FieldKind.DATE_TIME: _date_time,
    FieldKind.BOOLEAN: _boolean,
}


def learn(client: Client) -> Schema:
    """Read the set-up of cases as it is now; AuthFailed when the account lacks what no connection can do without."""
    described = client.read(f"{ROWS}/Case/describe", lambda reply: dict(reply.data))
    statuses = client.query("SELECT ApiName, IsClosed FROM CaseStatus ORDER BY SortOrder")
    fields = {str(field["name"]): field for field in described["fields"] if _kind(field)}
    _require_rights(described, fields)
    return Schema(
        metadata=Metadata(
            {name: _info(field) for name, field in fields.items()}, STATUS, dict(_choices_of(fields[STATUS]))
        ),
        columns=(*sorted(name for name, field in fields.items() if field["updateable"] or name == STATUS), "IsDeleted"),
        html=frozenset(name for name, field in fields.items() if field["htmlFormatted"]),
        closing=frozenset(str(row["ApiName"]) for row in statuses if row["IsClosed"]),
        is_ref_unique=bool(fields[REF]["unique"]),
    )


def _require_rights(described: Row, fields: Mapping[str, Row]) -> None:
    """A wrong set-up is found when the connection is tested, not by the first ticket that is filed."""
    if not (described["createable"] and described["updateable"]):
        raise AuthFailed("the account may not create and change cases")
    if STATUS not in fields:
        raise AuthFailed("the account may not see the status of cases")
    if REF not in fields or not fields[REF]["externalId"]:
        raise AuthFailed(f"cases have no field {REF} marked External ID, or the account may not see it")


def _kind(field: Row) -> FieldKind | None:
    """How a field is compared; None for those that no mapping can use (files, compound addresses)."""
    if field["type"] == "reference":
        return FieldKind.PERSON if _PEOPLE & set(field["referenceTo"]) else FieldKind.TEXT
    return _KINDS.get(field["type"])


def _info(field: Row) -> FieldInfo:
    kind = _kind(field)
    assert kind
    is_writable = field["createable"] and field["updateable"] and not field["htmlFormatted"]
    return FieldInfo(
        name=field["name"],
        label=field["label"],
        kind=kind,
        required=field["createable"] and not field["nillable"] and not field["defaultedOnCreate"],
        writable=is_writable and field["name"] not in {STATUS, REF},
        max_length=field["length"] or None,
        choices=dict(_choices_of(field)) if kind in {FieldKind.CHOICE, FieldKind.CHOICES} else {},
    )


def _choices_of(field: Row) -> list[tuple[str, str]]:
    return [(choice["value"], choice["label"]) for choice in field["picklistValues"] if choice["active"]]
