"""The workflow: status changes only by the transitions that lead out of the present one."""

from collections.abc import Mapping
from typing import Any

from deskbridge.simulators.jira import catalogue, issues, render
from deskbridge.simulators.jira.call import Call
from deskbridge.simulators.jira.catalogue import FIELDS, TRANSITIONS, Transition
from deskbridge.simulators.jira.errors import JiraError, bad
from deskbridge.simulators.store import Record


def available(issue: Record) -> list[Transition]:
    return [one for one in TRANSITIONS if one.source == issue["status"]]


def describe(call: Call, transition: Transition, *, with_fields: bool) -> dict[str, Any]:
    """A transition as the API lists it."""
    shown: dict[str, Any] = {
        "id": transition.id,
        "name": transition.name,
        "to": render.status(call, transition.target),
        "hasScreen": bool(transition.required),
        "isGlobal": False,
        "isInitial": False,
        "isAvailable": True,
        "isConditional": False,
        "isLooped": False,
    }
    if with_fields:
        shown["fields"] = {name: field_meta(call, name, required=True) for name in transition.required}
    return shown


def field_meta(call: Call, name: str, *, required: bool) -> dict[str, Any]:
    """What may be written into a field: schema, operations, allowed values."""
    field = FIELDS[name]
    described: dict[str, Any] = {
        "required": required,
        "schema": catalogue.schema(field),
        "name": field.name,
        "key": name,
        "fieldId": name,
        "hasDefaultValue": name == "priority",
        "operations": ["add", "set", "remove"] if field.kind in {"labels", "components", "versions"} else ["set"],
    }
    if name == "project":
        described["allowedValues"] = [render.project(call)]
    elif field.choices:
        described["allowedValues"] = [render.option(call, field, choice) for choice in field.choices]
    return described


def transition(call: Call, issue: Record, body: Mapping[str, Any]) -> None:
    """Do {"transition": {"id"}, "fields", "update"}: the id may be text or a number, never a name."""
    given = body.get("transition")
    wanted = given.get("id") if isinstance(given, dict) else given
    if wanted is None:
        raise bad("Missing 'transition' identifier")
    found = next((one for one in available(issue) if one.id == str(wanted)), None)
    if found is None:
        raise bad(f"Transition id '{wanted}' is not valid for this issue.")
    changes = issues.changes_of(call, issue, body, lambda field: field.id in found.required)
    missing = {name: f"{FIELDS[name].name} is required." for name in found.required if not changes.get(name)}
    if missing:
        raise JiraError(400, errors=missing)
    issues.apply(call, issue, changes | _effects(call, issue, found), "issue_generic")
    issues.append_children(call, issue, body)


def _effects(call: Call, issue: Record, found: Transition) -> dict[str, Any]:
    """What the workflow itself sets: the status, the stamp of its category, the resolution's date."""
    effects: dict[str, Any] = {"status": found.target, **dict.fromkeys(found.clears)}
    before, after = catalogue.status(issue["status"]).category, catalogue.status(found.target).category
    if before != after:
        effects["statuscategorychangedate"] = call.stamp
        effects["resolutiondate"] = call.stamp if after == "done" else None
    return effects
