"""/query and /queryAll: the first page of an answer, and the next ones by their locator."""

import re
from typing import Any

from deskbridge.simulators.salesforce import aggregates, ids, soql
from deskbridge.simulators.salesforce.call import Call, reply
from deskbridge.simulators.salesforce.errors import ApiError, unsupported
from deskbridge.simulators.salesforce.select import Selection
from deskbridge.simulators.wire import Response

PAGE = 2000
_LEAST_PAGE = 200
_OPEN_CURSORS = 10
_CURSORS = "_cursors"
_LOCATOR = re.compile(r"(\w{18})-(\d{1,9})", re.ASCII)
_BATCH = re.compile(r"\s*batchSize\s*=\s*(\d{1,6})\s*", re.IGNORECASE)


def query(call: Call) -> Response:
    return _first(call, deleted=False)


def query_all(call: Call) -> Response:
    """As `query`, with the records in the recycle bin."""
    return _first(call, deleted=True)


def more(call: Call) -> Response:
    """GET /query/{locator}: the page that begins at the locator's place; a closed cursor is refused."""
    match = _LOCATOR.fullmatch(call.params["locator"])
    cursor = call.org.state.table(_CURSORS).get(match.group(1)) if match else None
    if match is None or cursor is None or int(match.group(2)) > len(cursor["ids"]):
        raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    start = int(match.group(2))
    selection = Selection(call.org, cursor["text"], soql.parse(cursor["text"]), deleted=cursor["deleted"])
    rows = [call.org.table(selection.sobject).get(key) for key in cursor["ids"][start : start + cursor["page"]]]
    shown = [selection.record(row) for row in rows if row is not None]
    return _answer(call, shown, len(cursor["ids"]), _next(match.group(1), start + cursor["page"], len(cursor["ids"])))


def _first(call: Call, *, deleted: bool) -> Response:
    if call.request.param("explain"):
        raise unsupported("query?explain")
    text = call.request.param("q")
    if not text.strip():
        raise ApiError(400, "MALFORMED_QUERY", "A query string has to be specified")
    selection = Selection(call.org, text, soql.parse(text), deleted=deleted)
    rows = selection.rows()
    if aggregates.is_bare_count(selection.query):
        return _answer(call, [], len(rows), None)
    if selection.query.aggregates:
        groups = selection.summarised(rows)
        return _answer(call, groups, len(groups), None)
    page = _page_size(call)
    locator = _open(call, text, deleted, page, [str(row["Id"]) for row in rows]) if len(rows) > page else None
    return _answer(call, [selection.record(row) for row in rows[:page]], len(rows), locator)


def _page_size(call: Call) -> int:
    """What Sforce-Query-Options asks for, between 200 and 2,000."""
    match = _BATCH.fullmatch(call.request.header("sforce-query-options"))
    return min(PAGE, max(_LEAST_PAGE, int(match.group(1)))) if match else PAGE


def _open(call: Call, text: str, deleted: bool, page: int, found: list[str]) -> str:
    """Keep the ids found for the next pages; the eleventh cursor closes the oldest."""
    table = call.org.state.table(_CURSORS)
    for key, _ in table.items()[: max(0, len(table) + 1 - _OPEN_CURSORS)]:
        table.delete(key)
    key = ids.make("01g", call.org.state.next(_CURSORS))
    table.put(key, {"text": text, "deleted": deleted, "page": page, "ids": found})
    return f"{key}-{page}"


def _next(key: str, start: int, total: int) -> str | None:
    return f"{key}-{start}" if start < total else None


def _answer(call: Call, shown: list[dict[str, Any]], total: int, locator: str | None) -> Response:
    body: dict[str, Any] = {"totalSize": total, "done": locator is None}
    if locator:
        body["nextRecordsUrl"] = f"/services/data/v{call.org.version}/query/{locator}"
    return reply(body | {"records": shown})
