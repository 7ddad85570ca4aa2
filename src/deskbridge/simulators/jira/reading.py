"""An issue as one asks for it: chosen fields, and whatever `expand` adds."""

from collections.abc import Sequence
from typing import Any

from deskbridge.simulators.jira import catalogue, properties, render, richtext, timing, workflow
from deskbridge.simulators.jira.call import Call
from deskbridge.simulators.jira.catalogue import FIELDS
from deskbridge.simulators.store import Record


def issue(
    call: Call,
    record: Record,
    wanted: Sequence[str] = ("*all",),
    expand: Sequence[str] = (),
    with_properties: Sequence[str] = (),
) -> dict[str, Any]:
    """The issue's JSON; expansions Jira does not know are ignored, as Jira does."""
    shown = render.issue(call, record, wanted)
    if with_properties:
        held = properties.of_issue(call, record)
        chosen = held if "*all" in with_properties else {key: held[key] for key in with_properties if key in held}
        shown["properties"] = chosen
    names = [field.id for field in render.chosen(wanted)] if expand else []
    if "names" in expand:
        shown["names"] = {name: FIELDS[name].name for name in names}
    if "schema" in expand:
        shown["schema"] = {name: catalogue.schema(FIELDS[name]) for name in names}
    if "renderedFields" in expand:
        shown["renderedFields"] = {name: _as_html(call, record, name) for name in names}
    if "changelog" in expand:
        shown["changelog"] = _changelog(call, record)
    if "transitions" in expand:
        shown["transitions"] = [workflow.describe(call, one, with_fields=False) for one in workflow.available(record)]
    if "editmeta" in expand:
        shown["editmeta"] = edit_meta(call)
    return shown


def _as_html(call: Call, record: Record, name: str) -> str | None:
    field = FIELDS[name]
    if field.kind == "rich":
        return str(richtext.as_html(record[name]))
    if field.kind == "datetime" and record[name]:
        return f"{timing.moment(record[name]).astimezone(call.zone):%d/%b/%y %I:%M %p}"
    return None


def _changelog(call: Call, record: Record) -> dict[str, Any]:
    """Newest first, as Cloud expands it."""
    histories = [render.history(call, one) for one in reversed(render.children(call, "histories", record))]
    return {"startAt": 0, "maxResults": len(histories), "total": len(histories), "histories": histories}


def edit_meta(call: Call) -> dict[str, Any]:
    names = [field.id for field in FIELDS.values() if field.is_on_screen]
    return {
        "fields": {name: workflow.field_meta(call, name, required=name in {"summary", "issuetype"}) for name in names}
    }


def create_meta(call: Call) -> list[dict[str, Any]]:
    names = [field.id for field in FIELDS.values() if "create" in field.edit]
    required = {"summary", "issuetype", "project"}
    return [workflow.field_meta(call, name, required=name in required) for name in names]
