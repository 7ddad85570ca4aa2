"""The Import Set API with the staging table u_desk_incident and its transform map, which coalesces on correlation_id.

A row whose correlation ID is known updates that incident instead of making another, so a repeated request is safe; the
journal columns are filled on insert only, so that it does not repeat a comment either. Staging columns are `u_<name>`;
the API takes `<name>` as well. The answer is 201 whatever the transformation did: each result says its own status.
"""

from typing import Any

from deskbridge.simulators.servicenow import errors, inputs, records, rendering, rows
from deskbridge.simulators.servicenow.context import Context
from deskbridge.simulators.servicenow.errors import FailureError
from deskbridge.simulators.servicenow.inputs import Input
from deskbridge.simulators.servicenow.rendering import Output
from deskbridge.simulators.servicenow.schema import IMPORT_TABLE, STAGED
from deskbridge.simulators.servicenow.table_api import json_body
from deskbridge.simulators.store import Record
from deskbridge.simulators.wire import Request, Response, json_response

_MAP = "Desk incident"
_TARGET = "incident"
_FIRST_SET = 10001


def insert(context: Context, request: Request, table: str) -> Response:
    """Stage one row and transform it."""
    _require_staging(table)
    staged = _staged(context, json_body(request))
    import_set = f"ISET{context.state.next('ISET', _FIRST_SET):07d}"
    outcome = _transform(context, staged)
    _keep(context, staged, import_set, outcome)
    return json_response(201, {"import_set": import_set, "staging_table": table, "result": [outcome]})


def get(context: Context, _: Request, table: str, sys_id: str) -> Response:
    """A staged row with what became of it."""
    _require_staging(table)
    row = context.state.table(IMPORT_TABLE).get(sys_id)
    if row is None:
        raise errors.not_found()
    return json_response(200, {"result": rendering.render(context, IMPORT_TABLE, row, Output())})


def _require_staging(table: str) -> None:
    if table != IMPORT_TABLE:
        raise errors.invalid_table(table)


def _staged(context: Context, body: object) -> dict[str, Any]:
    """The values given, by incident column."""
    if not isinstance(body, dict):
        raise errors.bad_request("Exception while reading request", "The payload is not a JSON object")
    staged = {}
    for name, value in body.items():
        plain = name.removeprefix("u_")
        if plain in STAGED:
            staged[plain] = value
        elif context.options["unknown_columns"] == "refuse":
            raise errors.bad_request("Invalid field", f"unknown field {name} in table {IMPORT_TABLE}")
    return staged


def _transform(context: Context, staged: dict[str, Any]) -> dict[str, str]:
    """One result: inserted, updated, ignored (nothing to change) or error."""
    key = str(staged.get("correlation_id") or "")
    if not key:
        return _failed("correlation_id is required by the transform map")
    try:
        with context.state.transaction():
            given = inputs.read(context, _TARGET, staged, by_display=True)
            known = rows.related(context.state, _TARGET, "correlation_id", given.values["correlation_id"])
            if not known:
                return _done(context, records.insert(context, _TARGET, given), "inserted")
            return _coalesced(context, known[0], Input(given.values))
    except FailureError as failure:
        return _failed(failure.detail or failure.message)


def _coalesced(context: Context, old: Record, given: Input) -> dict[str, str]:
    new = records.update(context, _TARGET, old, given)
    if new is old:
        return {**_done(context, old, "ignored"), "status_message": "No field values changed"}
    return _done(context, new, "updated")


def _done(context: Context, row: Record, status: str) -> dict[str, str]:
    return {
        "transform_map": _MAP,
        "table": _TARGET,
        "display_name": "number",
        "display_value": row["number"],
        "record_link": context.link(_TARGET, row["sys_id"]),
        "status": status,
        "sys_id": row["sys_id"],
    }


def _failed(reason: str) -> dict[str, str]:
    return {"transform_map": _MAP, "table": _TARGET, "status": "error", "error_message": reason}


def _keep(context: Context, staged: dict[str, Any], import_set: str, outcome: dict[str, str]) -> None:
    row = {f"u_{name}": inputs.text("" if value is None else str(value)) for name, value in staged.items()}
    row |= {
        "sys_import_set": import_set,
        "sys_import_state": outcome["status"],
        "sys_import_state_comment": outcome.get("error_message", ""),
        "sys_target_table": _TARGET,
        "sys_target_sys_id": outcome.get("sys_id", ""),
        "sys_transform_map": _MAP,
    }
    records.create(context, IMPORT_TABLE, row)
