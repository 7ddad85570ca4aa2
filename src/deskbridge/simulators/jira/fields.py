"""Field values as they are written: checked, and turned into what a record keeps."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from deskbridge.simulators.jira import catalogue, richtext, timing
from deskbridge.simulators.jira.call import Call
from deskbridge.simulators.jira.catalogue import FIELDS, Field, Named
from deskbridge.simulators.jira.errors import JiraError, bad_field, not_settable
from deskbridge.simulators.store import Record

MAX_SUMMARY = 255
MAX_LABEL = 255
MAX_NUMBER = 1e14
Changes = dict[str, Any]


def parse_all(call: Call, values: object, settable: Callable[[Field], bool]) -> Changes:
    """The changes a `fields` object asks for; one error for all that is wrong with it."""
    if not isinstance(values, dict):
        raise JiraError(400, ["Invalid request payload. Refer to the REST API documentation and try again."])
    changes: Changes = {}
    errors: dict[str, str] = {}
    for name, value in values.items():
        try:
            changes |= parse(call, _field(name, settable), value)
        except JiraError as error:
            errors |= error.errors
    if errors:
        raise JiraError(400, errors=errors)
    return changes


def _field(name: str, settable: Callable[[Field], bool]) -> Field:
    field = FIELDS.get(name)
    if field is None or not settable(field):
        raise not_settable(name)
    return field


def parse(call: Call, field: Field, value: object) -> Changes:
    """One field's new value in the record's terms."""
    if field.kind == "timetracking":
        return _timetracking(value)
    return {field.id: _PARSERS[field.kind](call, field, value)}


def _summary(_: Call, field: Field, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise bad_field(field.id, "You must specify a summary of the issue.")
    if "\n" in value or "\r" in value:
        raise bad_field(field.id, "The summary is invalid because it contains newline characters.")
    if len(value.strip()) > MAX_SUMMARY:
        raise bad_field(field.id, f"Summary must be less than {MAX_SUMMARY} characters.")
    return value.strip()


def _rich(call: Call, field: Field, value: object) -> dict[str, Any] | None:
    return richtext.parse(call, field.id, value)


def _text(_: Call, field: Field, value: object) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise bad_field(field.id, "Operation value must be a string")
    if len(value) > MAX_SUMMARY:
        raise bad_field(
            field.id, f"The entered text is too long. It exceeds the allowed limit of {MAX_SUMMARY} characters."
        )
    return value


def _number(_: Call, field: Field, value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise bad_field(field.id, "Operation value must be a number")
    if abs(value) >= MAX_NUMBER:
        raise bad_field(field.id, f"The number must be less than {MAX_NUMBER:.0f}.")
    return float(value)


def _date(_: Call, field: Field, value: object) -> str | None:
    if value is None or value == "":
        return None
    if (parsed := timing.parse_date(value)) is None:
        raise bad_field(field.id, f"Error parsing date string: {value}")
    return parsed


def _choice(_: Call, field: Field, value: object) -> str | None:
    """A picklist value by id, or by name (`value` for custom ones)."""
    if value is None:
        return None
    key = "value" if field.kind == "option" else "name"
    if not isinstance(value, dict):
        raise bad_field(field.id, f"Could not find valid 'id' or '{key}' in the {field.name} object.")
    found = catalogue.find(field.choices, id=value.get("id"), name=value.get(key))
    if found is None:
        shown = value.get("id", value.get(key))
        raise bad_field(field.id, f"{field.name} '{shown}' is not valid. Allowed are {_names(field.choices)}.")
    return found.id


def _issue_type(call: Call, field: Field, value: object) -> str | None:
    try:
        found = _choice(call, field, value)
    except JiraError as error:
        raise bad_field(field.id, "Specify a valid issue type") from error
    if found is None:
        raise bad_field(field.id, "Specify an issue type")
    return found


def _project(_: Call, field: Field, value: object) -> str:
    given = value if isinstance(value, dict) else {}
    if str(given.get("id", "")) == catalogue.PROJECT_ID or given.get("key") == catalogue.PROJECT_KEY:
        return catalogue.PROJECT_ID
    raise bad_field(field.id, "Specify a valid project ID or key")


def _user(call: Call, field: Field, value: object) -> str | None:
    """An account by `accountId` (Cloud) or `name` (Server)."""
    if value is None:
        return None
    key = "accountId" if call.is_cloud else "name"
    wanted = value.get(key, value.get("id")) if isinstance(value, dict) else None
    if isinstance(value, dict) and key in value and wanted is None:
        return None
    if call.is_cloud and wanted == "-1":
        return None  # "automatic": this project has no default assignee
    user = catalogue.user_by(call.state, key, wanted) if isinstance(wanted, str) else None
    if user is None:
        raise bad_field(field.id, f"User '{wanted}' does not exist.")
    return str(user["accountId"])


def _labels(_: Call, field: Field, value: object) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(label, str) for label in value):
        raise bad_field(field.id, "Operation value must be an array of strings")
    return list(dict.fromkeys(check_label(field, label) for label in value))


def check_label(field: Field, label: str) -> str:
    if not label or any(character.isspace() for character in label):
        raise bad_field(field.id, f"The label '{label}' contains spaces which is invalid.")
    if len(label) > MAX_LABEL:
        raise bad_field(field.id, f"The label '{label}' exceeds the maximum length for a single label of {MAX_LABEL}.")
    return label


def _choices(call: Call, field: Field, value: object) -> list[str]:
    """Several picklist values by id or name (components, versions)."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise bad_field(field.id, "data was not an array")
    chosen = [_choice(call, field, one) for one in value]
    return list(dict.fromkeys(one for one in chosen if one is not None))


def _timetracking(value: object) -> Changes:
    """{"originalEstimate": "3h", "remainingEstimate": "1h"} as seconds."""
    if not isinstance(value, dict):
        raise bad_field("timetracking", "Operation value must be an object")
    changes: Changes = {}
    for name, kept in (("originalEstimate", "timeoriginalestimate"), ("remainingEstimate", "timeestimate")):
        if value.get(name) is not None:
            seconds = timing.parse_duration(value[name])
            if seconds is None:
                raise bad_field("timetracking", f"'{value[name]}' is not a valid duration for {name}.")
            changes[kept] = seconds
    if "timeoriginalestimate" in changes:
        changes.setdefault("timeestimate", changes["timeoriginalestimate"])
    return changes


def _names(choices: Sequence[Named]) -> str:
    return ", ".join(choice.name for choice in choices)


_PARSERS: Mapping[str, Callable[[Call, Field, object], Any]] = {
    "summary": _summary,
    "rich": _rich,
    "text": _text,
    "number": _number,
    "date": _date,
    "option": _choice,
    "priority": _choice,
    "resolution": _choice,
    "issuetype": _issue_type,
    "project": _project,
    "user": _user,
    "labels": _labels,
    "components": _choices,
    "versions": _choices,
}


def apply_operations(call: Call, issue: Record, field: Field, operations: object) -> Changes:
    """The outcome of an `update` list such as [{"add": "x"}, {"remove": "y"}] for one field."""
    if not isinstance(operations, list):
        raise bad_field(field.id, "Operations must be an array")
    changes: Changes = {}
    for operation in operations:
        if not isinstance(operation, dict) or len(operation) != 1:
            raise bad_field(field.id, "Each operation must be an object with one verb")
        verb, value = next(iter(operation.items()))
        changes |= _operate(call, {**issue, **changes}, field, verb, value)
    return changes


def _operate(call: Call, issue: Record, field: Field, verb: str, value: object) -> Changes:
    if verb == "set" or (verb == "edit" and field.kind == "timetracking"):
        return parse(call, field, value)
    if verb not in {"add", "remove"} or field.kind not in {"labels", "components", "versions"}:
        raise bad_field(
            field.id, f"Field with id '{field.id}' and name '{field.name}' does not support operation '{verb}'."
        )
    held: list[str] = issue[field.id]
    named = _PARSERS[field.kind](call, field, [value])
    if verb == "add":
        return {field.id: list(dict.fromkeys([*held, *named]))}
    return {field.id: [one for one in held if one not in named]}
