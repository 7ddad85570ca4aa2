"""Entity properties: JSON values under keys, of issues and of comments."""

import json
from collections.abc import Mapping
from typing import Any

from deskbridge.simulators.jira.call import Call
from deskbridge.simulators.jira.errors import bad, not_found
from deskbridge.simulators.store import Record

_MAX_KEY = 255
_MAX_VALUE = 32768


def check(key: object, value: object) -> tuple[str, Any]:
    """A property fit to be kept; 400 for an empty or long key, or a value beyond 32,768 characters of JSON."""
    if not isinstance(key, str) or not key or len(key) > _MAX_KEY:
        raise bad(f"The property key must be between 1 and {_MAX_KEY} characters long.")
    if len(json.dumps(value)) > _MAX_VALUE:
        raise bad(f"The property value is too long. The maximum is {_MAX_VALUE} characters.")
    return key, value


def parse_list(given: object) -> dict[str, Any]:
    """[{"key", "value"}] as it comes with a new issue or comment."""
    if given is None:
        return {}
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise bad("'properties' must be an array of objects with a key and a value.")
    return dict(check(one.get("key"), one.get("value")) for one in given)


def set_all(call: Call, issue: Record, given: object) -> None:
    for key, value in parse_list(given).items():
        put(call, issue, key, value)


def put(call: Call, issue: Record, key: str, value: object) -> bool:
    """Set an issue's property; whether it is new. Neither `updated` nor the history notice."""
    check(key, value)
    row_id = f"{issue['id']}/{key}"
    is_new = row_id not in call.state.table("properties")
    call.state.table("properties").put(row_id, {"id": row_id, "issue": issue["id"], "key": key, "value": value})
    return is_new


def get(call: Call, issue: Record, key: str) -> Record:
    row = call.state.table("properties").get(f"{issue['id']}/{key}")
    if row is None:
        raise _unknown(key)
    return row


def delete(call: Call, issue: Record, key: str) -> None:
    call.state.table("properties").delete(get(call, issue, key)["id"])


def of_issue(call: Call, issue: Record) -> dict[str, Any]:
    return {row["key"]: row["value"] for row in call.state.table("properties").by("issue", issue["id"])}


def keys(address: str, held: Mapping[str, object]) -> dict[str, Any]:
    return {"keys": [{"self": f"{address}/{key}", "key": key} for key in held]}


def of_comment(comment: Record, key: str) -> Any:
    if key not in comment["properties"]:
        raise _unknown(key)
    return comment["properties"][key]


def _unknown(key: str) -> Exception:
    return not_found(f"The property with key '{key}' does not exist.")
