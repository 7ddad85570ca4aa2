"""Jira's fields: what they are, and their values in the SDK's terms and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from deskbridge.connectors.jira.client import Client, Json, moment, segment, stamp
from deskbridge.connectors.jira.richtext import from_remote, to_remote
from deskbridge.connectors.shared import Reply
from deskbridge.sync.connector import FieldInfo, FieldKind, Metadata, Rejected, Value

STATUS, LABELS = "status", "labels"
_RICH = {"description", "environment"}
_UNREAD = {"comment", "worklog", "attachment", "timetracking", "project", "watches", "votes", "progress"}
_BY_TYPE = {
    "string": FieldKind.TEXT,
    "date": FieldKind.TEXT,
    "number": FieldKind.NUMBER,
    "datetime": FieldKind.DATE_TIME,
    "user": FieldKind.PERSON,
    "priority": FieldKind.CHOICE,
    "status": FieldKind.CHOICE,
    "resolution": FieldKind.CHOICE,
    "issuetype": FieldKind.CHOICE,
    "option": FieldKind.CHOICE,
}
_ITEMS = {
    "string": FieldKind.LABELS,
    "component": FieldKind.CHOICES,
    "version": FieldKind.CHOICES,
    "option": FieldKind.CHOICES,
}
_LONGEST = {"summary": 255}
_LONGEST_TEXT, _LONGEST_RICH = 255, 32767


@dataclass(frozen=True)
class Catalogue:
    """The project's set-up: its fields and statuses, the latter per issue type in the order Jira lists them."""

    metadata: Metadata
    statuses_of: Mapping[str, Sequence[str]]

    def field(self, name: str) -> FieldInfo:
        """Return a field; Rejected, naming it, when there is none that could be written."""
        info = self.metadata.fields.get(name)
        if info is None:
            raise Rejected(f"the project has no field {name}", name)
        if name == STATUS:
            raise Rejected("a status changes only by its transitions", name)
        return info


def kind_of(name: str, schema: Mapping[str, Any]) -> FieldKind | None:
    """Return a field's kind; None for what is no plain value."""
    if name in _UNREAD:
        return None
    if name in _RICH or str(schema.get("custom", "")).endswith(":textarea"):
        return FieldKind.RICH_TEXT
    if schema.get("type") == "array":
        return _ITEMS.get(str(schema.get("items")))
    return _BY_TYPE.get(str(schema.get("type")))


def read_catalogue(client: Client, project: str) -> Catalogue:
    """Ask Jira for fields, choices and statuses of a project."""
    plain = client.read("/field", lambda reply: [info for row in reply.data if (info := _described(row))])
    fields = {info.name: info for info in plain}
    for kind in _issue_types(client, project):
        for row in _create_fields(client, project, kind):
            name = str(row.get("fieldId") or row.get("key"))
            if name in fields:
                fields[name] = _with_meta(fields[name], row)
    fields["resolution"] = replace(fields["resolution"], choices=client.read("/resolution", _choices))
    statuses_of, statuses = client.read(f"/project/{segment(project)}/statuses", _statuses)
    fields[STATUS] = replace(fields[STATUS], choices=statuses)
    return Catalogue(Metadata(fields, STATUS, statuses), statuses_of)


def _described(row: Json) -> FieldInfo | None:
    name = str(row["id"])
    kind = kind_of(name, row.get("schema") or {})
    if kind is None:
        return None
    longest = {FieldKind.TEXT: _LONGEST_TEXT, FieldKind.RICH_TEXT: _LONGEST_RICH}.get(kind)
    return FieldInfo(name, str(row["name"]), kind, writable=False, max_length=_LONGEST.get(name, longest))


def _issue_types(client: Client, project: str) -> list[str]:
    path = f"/issue/createmeta/{segment(project)}/issuetypes"
    return client.read(
        path, lambda reply: [str(row["id"]) for row in reply.data.get("issueTypes") or reply.data["values"]]
    )


def _create_fields(client: Client, project: str, kind: str) -> list[Json]:
    name = "fields" if client.is_cloud else "values"
    return client.all_of(f"/issue/createmeta/{segment(project)}/issuetypes/{segment(kind)}", name)


def _with_meta(info: FieldInfo, row: Json) -> FieldInfo:
    choices = {str(one["id"]): label(one) for one in row.get("allowedValues") or []}
    is_required = info.required or bool(row.get("required") and not row.get("hasDefaultValue"))
    return replace(info, writable=True, required=is_required, choices={**info.choices, **choices})


def label(choice: Json) -> str:
    return str(choice.get("name") or choice.get("value") or choice["id"])


def _choices(reply: Reply) -> dict[str, str]:
    return {str(row["id"]): label(row) for row in reply.data}


def _statuses(reply: Reply) -> tuple[dict[str, list[str]], dict[str, str]]:
    per_type = {str(kind["id"]): [str(one["id"]) for one in kind["statuses"]] for kind in reply.data}
    return per_type, {str(one["id"]): str(one["name"]) for kind in reply.data for one in kind["statuses"]}


# Values


def read_values(fields: Mapping[str, Any], known: Mapping[str, FieldInfo]) -> tuple[dict[str, Value], frozenset[str]]:
    """Return an issue's values by field, and the names of the rich texts that hold more than their Markdown."""
    values: dict[str, Value] = {}
    lossy: set[str] = set()
    for name, info in known.items():
        if name not in fields:
            continue
        if info.kind is FieldKind.RICH_TEXT:
            values[name], is_lossy = from_remote(fields[name])
            if is_lossy:
                lossy.add(name)
        else:
            values[name] = _value(info.kind, fields[name])
    return values, frozenset(lossy)


def _value(kind: FieldKind, raw: Any) -> Value:
    if raw is None:
        return () if kind in {FieldKind.LABELS, FieldKind.CHOICES} else None
    match kind:
        case FieldKind.CHOICE:
            return str(raw["id"])
        case FieldKind.CHOICES:
            return tuple(sorted(str(one["id"]) for one in raw))
        case FieldKind.LABELS:
            return tuple(sorted(str(one) for one in raw))
        case FieldKind.PERSON:
            return person_id(raw)
        case FieldKind.DATE_TIME:
            return moment(raw)
        case FieldKind.NUMBER:
            return float(raw)
        case _:
            return str(raw)


def person_id(raw: Json) -> str:
    """The id that never changes: of the account on Cloud, else the user's key."""
    return str(raw.get("accountId") or raw.get("name") or raw["key"])


def write_value(info: FieldInfo, value: Value, *, is_cloud: bool) -> Any:
    """Return a value as Jira takes it; Rejected, naming the field, when it is of no use there."""
    if info.kind in {FieldKind.LABELS, FieldKind.CHOICES}:
        if value is not None and not isinstance(value, tuple):
            raise Rejected(f"{info.name} takes several values", info.name)
        return [{"id": one} if info.kind is FieldKind.CHOICES else one for one in value or ()]
    if value is None or value == "":
        return None
    match info.kind:
        case FieldKind.RICH_TEXT:
            return to_remote(str(value), is_cloud=is_cloud)
        case FieldKind.CHOICE:
            return {"id": str(value)}
        case FieldKind.PERSON:
            return {"accountId" if is_cloud else "name": str(value)}
        case FieldKind.DATE_TIME if not isinstance(value, str | int | float | tuple):
            return stamp(value)
        case _:
            return value
