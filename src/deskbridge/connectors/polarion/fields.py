"""What a project's work items look like, learnt from the server; values both ways.

Polarion stores whatever it is sent: a field or a choice nobody configured becomes a ghost that no query finds. So
everything is checked here before it is sent.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from deskbridge.connectors.polarion.client import REFERENCE, Client, Json, NotSetUp, Resource, moment_of
from deskbridge.connectors.polarion.richtext import to_html, to_markdown
from deskbridge.connectors.shared import Reply
from deskbridge.kit.text import INVISIBLE
from deskbridge.sync.connector import AuthFailed, FieldInfo, FieldKind, Metadata, Person, Rejected, Value

STATUS = "status"
_REQUIRED = {"title", "type"}
_OF_THE_SERVER = {"id", "created", "updated", "resolvedOn", "timeSpent", "outlineNumber", "author"}
_LONGEST_LINE = 1000
LONGEST_TEXT = 200_000
"""Characters. No limit of the vendor's is known but the 2 MiB of a request; ours keep a pasted log out of a title."""
_LONGEST = {
    "string": _LONGEST_LINE, "text": LONGEST_TEXT, "text/plain": LONGEST_TEXT, "text/html": LONGEST_TEXT
}  # fmt: skip
_KINDS = {
    "string": FieldKind.TEXT,
    "text": FieldKind.TEXT,
    "text/plain": FieldKind.TEXT,
    "text/html": FieldKind.RICH_TEXT,
    "date": FieldKind.TEXT,
    "duration": FieldKind.TEXT,
    "date-time": FieldKind.DATE_TIME,
    "enumeration": FieldKind.CHOICE,
    "boolean": FieldKind.BOOLEAN,
    "integer": FieldKind.NUMBER,
    "float": FieldKind.NUMBER,
}
_PEOPLE = ("assignee", "author")


@dataclass(frozen=True)
class Fields:
    """A project's set-up. `choices` are by field and work item type, `kinds` the server's own words."""

    infos: Mapping[str, FieldInfo]
    kinds: Mapping[str, str]
    choices: Mapping[tuple[str, str], Mapping[str, str]]
    zone: timezone

    def metadata(self) -> Metadata:
        return Metadata(self.infos, STATUS, self.infos[STATUS].choices)

    # Reading

    def values(self, item: Resource) -> tuple[dict[str, Value], frozenset[str]]:
        """Return an item's values, and the names of those that are less than what the server holds."""
        values: dict[str, Value] = {}
        lossy = set()
        for name in self.infos:
            if name in _PEOPLE:
                values[name] = next(iter(item.targets(name)), None)
            elif self.kinds[name] == "text/html":
                values[name], is_lossy = _rich(item.attributes.get(name))
                lossy |= {name} if is_lossy else set()
            else:
                values[name] = _read(self.kinds[name], item.attributes.get(name))
        return values, frozenset(lossy)

    # Writing

    def written(self, given: Mapping[str, Value], item_type: str) -> Json:
        """Return the attributes and relationships of a request; Rejected names the first value that does not fit."""
        self.require_type(item_type)
        attributes: dict[str, Any] = {}
        relationships: dict[str, Any] = {}
        for name, value in given.items():
            self._check(name, value, item_type)
            if name == "assignee":
                people = [{"type": "users", "id": str(value)}] if value else []
                relationships[name] = {"data": people}
            else:
                attributes[name] = self._attribute(name, value)
        parts = {"attributes": attributes, "relationships": relationships}
        return {name: part for name, part in parts.items() if part}

    def require_type(self, item_type: object) -> str:
        """Return a work item type of the project; Rejected when it is none."""
        if not isinstance(item_type, str) or item_type not in self.infos["type"].choices:
            raise Rejected(f"{item_type!r} is no type of work item of the project", "type")
        return item_type

    def _check(self, name: str, value: Value, item_type: str) -> None:
        info = self.infos.get(name)
        if info is None:
            raise Rejected(f"work items have no field {name}", name)
        if not info.writable:
            reason = "changes by a workflow action" if name == STATUS else "is the server's to set"
            raise Rejected(f"{name} {reason}", name)
        if value in {None, ""} and info.required:
            raise Rejected(f"{name} must not be empty", name)
        if info.max_length is not None and len(str(value)) > info.max_length:
            raise Rejected(f"{name} has {len(str(value))} characters, {info.max_length} are the most", name)
        for choice in value if isinstance(value, tuple) else (value,):
            self._check_choice(name, choice, item_type)

    def _check_choice(self, name: str, value: Value, item_type: str) -> None:
        known = self.choices.get((name, item_type))
        if known is not None and value is not None and value not in known:
            raise Rejected(f"{value!r} is no {name} of a {item_type}", name)

    def _attribute(self, name: str, value: Value) -> Any:
        try:
            return None if value is None or value == "" else _sent(self.kinds[name], value)
        except ValueError as error:
            raise Rejected(f"{value!r} is no value for {name}, a field of kind {self.kinds[name]}", name) from error


def learn(client: Client) -> Fields:
    """Ask the server for its set-up: the project's fields, types and choices, and its time zone.

    AuthFailed when the project has no field for our key: an item without it could never be found again.
    """
    zone = client.read("/metadata", _zone, [("fields[metadata]", "@all")])
    found = client.in_project("/actions/getFieldsMetadata", _fields, [("resourceType", "workitems")])
    kinds = {name: kind for name, (_, kind) in found.items() if kind.removeprefix("list:") in _KINDS or name in _PEOPLE}
    if REFERENCE not in kinds:
        raise AuthFailed(f"the project has no custom field {REFERENCE}: an administrator has to add it, as a string")
    choices = _all_choices(client, [name for name, kind in kinds.items() if kind.endswith("enumeration")])
    infos = {name: _info(name, found[name][0], kind, choices) for name, kind in kinds.items() if name != REFERENCE}
    return Fields(infos, kinds, choices, zone)


def _all_choices(client: Client, names: list[str]) -> dict[tuple[str, str], Mapping[str, str]]:
    types = _choices(client, "type", "")
    choices: dict[tuple[str, str], Mapping[str, str]] = {}
    for name in names:
        for item_type in types:
            with _unless_it_has_none(name):
                choices[name, item_type] = types if name == "type" else _choices(client, name, item_type)
    return choices


@contextmanager
def _unless_it_has_none(name: str) -> Iterator[None]:
    """An enumeration of an extension may have no options to list; it can be read, and is not written."""
    try:
        yield
    except NotSetUp:
        if name in {STATUS, "type"}:
            raise


def _choices(client: Client, name: str, item_type: str) -> Mapping[str, str]:
    params = [("type", item_type)] if item_type else []
    rows = client.actions(f"/workitems/fields/{name}/actions/getAvailableOptions", params)
    return {str(row.get("id")): str(row.get("name")) for row in rows}


def _info(name: str, label: str, kind: str, choices: Mapping[tuple[str, str], Mapping[str, str]]) -> FieldInfo:
    if name in _PEOPLE:
        return FieldInfo(name, label, FieldKind.PERSON, writable=name not in _OF_THE_SERVER)
    listed = not kind.endswith("enumeration") or any(field == name for field, _ in choices)
    known: dict[str, str] = {}
    for (field, _), options in choices.items():
        known |= options if field == name else {}
    return FieldInfo(
        name,
        label,
        FieldKind.CHOICES if kind.startswith("list:") else _KINDS[kind],
        required=name in _REQUIRED,
        writable=listed and name not in _OF_THE_SERVER | {STATUS},
        max_length=_LONGEST.get(kind),
        choices=known,
    )


def _fields(reply: Reply) -> dict[str, tuple[str, str]]:
    """Label and kind of each field by name; a list's kind is `list:` and that of its members."""
    data = reply.data["data"]
    members = {**data["attributes"], **data["relationships"]}
    return {str(name): (str(one["label"]), _kind(one["type"])) for name, one in members.items()}


def _kind(declared: Json) -> str:
    if declared["kind"] != "list":
        return str(declared["kind"])
    inner = str(declared["itemType"]["kind"])
    return f"list:{inner}" if inner == "enumeration" else "list:?"


def _zone(reply: Reply) -> timezone:
    """The server's offset from UTC, `+02:00`; UTC where it does not tell."""
    declared = str(reply.data["data"]["attributes"].get("timezone") or "+00:00")
    offset = datetime.fromisoformat(f"2000-01-01T00:00:00{declared}").utcoffset()
    return timezone(offset or timedelta(0))


# Values


def _rich(stored: object) -> tuple[str | None, bool]:
    if not stored:
        return None, False
    if not isinstance(stored, dict):
        return markdown_of({"type": "text/plain", "value": stored})
    return markdown_of(stored)


def markdown_of(rich: Json) -> tuple[str | None, bool]:
    """Return a rich text `{"type", "value"}` as Markdown, and whether that is less than it holds."""
    text, is_lossy = to_markdown(str(rich.get("value", "")), is_html=rich.get("type") != "text/plain")
    return text or None, is_lossy


def _read(kind: str, stored: object) -> Value:
    if stored is None or stored == "":
        return None
    if kind.startswith("list:"):
        return tuple(sorted(str(one) for one in stored)) if isinstance(stored, list) else (str(stored),)
    if kind == "date-time":
        return moment_of(stored)
    if kind in {"integer", "float"}:
        return stored if isinstance(stored, int | float) else float(str(stored))
    if kind == "boolean":
        return bool(stored)
    return str(stored.get("value", "")) if isinstance(stored, dict) else str(stored)


def _sent(kind: str, value: Value) -> Any:
    """A value as the server takes it; ValueError when it is of another kind."""
    if kind.startswith("list:"):
        return list(value) if isinstance(value, tuple) else [str(value)]
    if kind == "text/html":
        return {"type": "text/html", "value": to_html(str(value))}
    if kind in {"text", "text/plain"}:
        return {"type": "text/plain", "value": clean(str(value))}
    if kind == "date-time":
        if not isinstance(value, datetime) or value.tzinfo is None:
            raise ValueError("not a moment")
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if kind == "date":
        return date.fromisoformat(str(value)).isoformat()
    if kind in {"integer", "float", "boolean"}:
        return _plain(kind, value)
    return clean(str(value))


def _plain(kind: str, value: Value) -> Value:
    fits = isinstance(value, bool) if kind == "boolean" else isinstance(value, int | float)
    if not fits:
        raise ValueError("of another kind")
    return value


def clean(text: str) -> str:
    """Return text that JSON and Polarion's files can hold."""
    return INVISIBLE.sub("", text.encode("utf-8", "replace").decode())


def person(people: Mapping[str, Person], found: Resource, name: str) -> Person | None:
    """Return whom a relationship names; by the bare id where the server does not tell more."""
    user_id = next(iter(found.targets(name)), None)
    return None if user_id is None else people.get(user_id, Person(user_id, user_id))
