"""The Table API: /api/now/table/{table} and /api/now/table/{table}/{sys_id}."""

import json
from typing import Any

from deskbridge.simulators.servicenow import errors, inputs, matching, parameters, records, rendering, rows
from deskbridge.simulators.servicenow.columns import TableDefinition
from deskbridge.simulators.servicenow.context import Context
from deskbridge.simulators.servicenow.encoded import QueryError
from deskbridge.simulators.servicenow.parameters import Page
from deskbridge.simulators.servicenow.schema import TABLES
from deskbridge.simulators.store import Record
from deskbridge.simulators.wire import Request, Response, json_response, url


def find(context: Context, request: Request, table: str) -> Response:
    """GET a list: one page of rows, with the count of all of them in X-Total-Count."""
    _definition(table)
    parameters.check(request)
    page, output = parameters.page(request), parameters.output(request)
    try:
        found = matching.select(context, table, parameters.query(request, table))
    except QueryError as error:
        raise parameters.invalid_query(error) from error
    shown = found[page.offset : page.offset + page.limit]
    result = [rendering.render(context, table, row, output) for row in shown]
    return json_response(200, {"result": result}, page_headers(request, page, len(found)))


def get(context: Context, request: Request, table: str, sys_id: str) -> Response:
    _definition(table)
    parameters.check(request)
    return _shown(context, request, table, _row(context, table, sys_id), 200)


def insert(context: Context, request: Request, table: str) -> Response:
    _permit(table, "insert")
    given = _input(context, request, table)
    row = records.insert(context, table, given)
    return _shown(context, request, table, row, 201).adding(("Location", context.link(table, row["sys_id"])))


def update(context: Context, request: Request, table: str, sys_id: str) -> Response:
    """PUT and PATCH do the same: what is not sent stays as it is."""
    _permit(table, "update")
    row = _row(context, table, sys_id)
    changed = records.update(context, table, row, _input(context, request, table))
    return _shown(context, request, table, changed, 200)


def delete(context: Context, _: Request, table: str, sys_id: str) -> Response:
    _permit(table, "delete")
    records.delete(context, table, _row(context, table, sys_id))
    return Response(204)


def page_headers(request: Request, page: Page, total: int) -> list[tuple[str, str]]:
    """X-Total-Count and, unless they are suppressed, links to the other pages."""
    headers = [("X-Total-Count", str(total))] if page.counted else []
    if not page.linked or not page.limit:
        return headers
    offsets = {"first": 0}
    if page.offset > 0:
        offsets["prev"] = max(0, page.offset - page.limit)
    if page.offset + page.limit < total:
        offsets["next"] = page.offset + page.limit
    offsets["last"] = max(0, (total - 1) // page.limit * page.limit)
    links = [f'<{_page_url(request, offset)}>;rel="{name}"' for name, offset in offsets.items()]
    return [*headers, ("Link", ",".join(links))]


def json_body(request: Request) -> Any:
    """The JSON body; FailureError when it is of another kind or cannot be read."""
    media = request.header("content-type").partition(";")[0].strip().lower()
    if media not in {"application/json", "text/json"}:
        raise errors.FailureError(415, "Unsupported Media Type", f"Content-Type {media or 'missing'} is not supported")
    try:
        return json.loads(request.body or b"{}")
    except (ValueError, RecursionError) as error:
        raise errors.bad_request(
            "Exception while reading request", f"The payload is not valid JSON: {error}"
        ) from error


def _page_url(request: Request, offset: int) -> str:
    others = [(name, value) for name, value in request.query if name != "sysparm_offset"]
    return request.base_url + url(request.path, [*others, ("sysparm_offset", str(offset))])


def _definition(table: str) -> TableDefinition:
    if table not in TABLES:
        raise errors.invalid_table(table)
    return TABLES[table]


def _permit(table: str, operation: str) -> None:
    if operation not in _definition(table).operations:
        raise errors.acl(operation.capitalize())


def _row(context: Context, table: str, sys_id: str) -> Record:
    row = rows.find(context.state, table, sys_id)
    if row is None:
        raise errors.not_found()
    return row


def _input(context: Context, request: Request, table: str) -> inputs.Input:
    parameters.check(request)
    by_display = parameters.flag(request, "sysparm_input_display_value")
    return inputs.read(context, table, json_body(request), by_display=by_display)


def _shown(context: Context, request: Request, table: str, row: Record, status: int) -> Response:
    result = rendering.render(context, table, row, parameters.output(request))
    return json_response(status, {"result": result})
