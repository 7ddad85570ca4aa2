"""The Attachment API: rows of sys_attachment and the bytes that belong to them."""

import hashlib
import json
import re
from urllib.parse import quote

from deskbridge.simulators.servicenow import errors, matching, parameters, records, rendering, rows
from deskbridge.simulators.servicenow.context import Context
from deskbridge.simulators.servicenow.encoded import QueryError
from deskbridge.simulators.servicenow.rendering import Output
from deskbridge.simulators.servicenow.schema import TABLES
from deskbridge.simulators.servicenow.table_api import page_headers
from deskbridge.simulators.store import Record
from deskbridge.simulators.wire import BadBodyError, Request, Response, json_response, multipart

TABLE = "sys_attachment"
MAX_SIZE = 32 * 1024 * 1024
"""Bytes; the system property com.glide.attachment.max_size of this instance."""
_MEDIA = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,200}")


def find(context: Context, request: Request) -> Response:
    page = parameters.page(request)
    try:
        found = matching.select(context, TABLE, parameters.query(request, TABLE))
    except QueryError as error:
        raise parameters.invalid_query(error) from error
    shown = found[page.offset : page.offset + page.limit]
    result = [described(context, row) for row in shown]
    return json_response(200, {"result": result}, page_headers(request, page, len(found)))


def get(context: Context, _: Request, sys_id: str) -> Response:
    return json_response(200, {"result": described(context, _row(context, sys_id))})


def download(context: Context, _: Request, sys_id: str) -> Response:
    """The bytes as they came, under their own media type, never to be shown in place."""
    row = _row(context, sys_id)
    plain = re.sub(r'[^\x20-\x7e]|["\\]', "_", row["file_name"])
    name = quote(row["file_name"], safe="", errors="replace")
    headers = [
        ("Content-Type", row["content_type"]),
        ("Content-Disposition", f"attachment; filename=\"{plain}\"; filename*=UTF-8''{name}"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Attachment-Metadata", json.dumps(described(context, row))),
    ]
    return Response(200, headers, context.state.blobs[sys_id])


def upload(context: Context, request: Request) -> Response:
    """POST the bytes as the body; the query says whose they are."""
    check_size(request)
    media = request.header("content-type")
    names = ("file_name", "table_name", "table_sys_id")
    file_name, table, sys_id = (request.param(name) for name in names)
    if missing := [name for name in names if not request.param(name)]:
        raise errors.bad_request("Missing parameter", f"{missing[0]} is required")
    return _created(context, attach(context, table, sys_id, file_name, media, request.body))


def upload_form(context: Context, request: Request) -> Response:
    """POST a form with the fields table_name, table_sys_id and one file, which must come last."""
    check_size(request)
    try:
        parts = multipart(request)
    except BadBodyError as error:
        raise errors.bad_request("Failed to create the attachment", str(error)) from error
    fields = {part.name: part.body.decode("utf-8", "replace") for part in parts if part.filename is None}
    file = next((part for part in parts if part.filename is not None), None)
    if file is None:
        raise errors.bad_request("Failed to create the attachment", "File part might be missing in the request")
    table, sys_id = fields.get("table_name", ""), fields.get("table_sys_id", "")
    row = attach(context, table, sys_id, file.filename or "file", file.content_type, file.body)
    return _created(context, row)


def delete(context: Context, _: Request, sys_id: str) -> Response:
    records.delete(context, TABLE, _row(context, sys_id))
    return Response(204)


def attach(context: Context, table: str, sys_id: str, file_name: str, media: str, body: bytes) -> Record:
    """Store a file at a record; FailureError when there is no such record."""
    if table not in TABLES:
        raise errors.invalid_table(table)
    if rows.find(context.state, table, sys_id) is None:
        raise errors.not_found()
    row = {
        "file_name": file_name[:255],
        "content_type": media if _MEDIA.fullmatch(media) else "application/octet-stream",
        "size_bytes": str(len(body)),
        "size_compressed": str(len(body)),
        "hash": hashlib.sha256(body).hexdigest(),
        "table_name": table,
        "table_sys_id": sys_id,
    }
    stored = records.create(context, TABLE, row)
    context.state.blobs.put(stored["sys_id"], body)
    return stored


def check_size(request: Request) -> None:
    """FailureError 413 when the file of this request is larger than the instance allows."""
    if request.truncated or len(request.body) > MAX_SIZE:
        detail = f"The file exceeds com.glide.attachment.max_size ({MAX_SIZE // 1024 // 1024} MB)"
        raise errors.FailureError(413, "Request entity too large", detail)


def described(context: Context, row: Record) -> dict[str, str]:
    """A row as the Attachment API shows it: stored values, and where to get the bytes."""
    link = f"{context.base_url}/api/now/attachment/{row['sys_id']}/file"
    return {**rendering.render(context, TABLE, row, Output()), "download_link": link}


def _created(context: Context, row: Record) -> Response:
    location = f"{context.base_url}/api/now/attachment/{row['sys_id']}"
    return json_response(201, {"result": described(context, row)}, [("Location", location)])


def _row(context: Context, sys_id: str) -> Record:
    row = context.state.table(TABLE).get(sys_id)
    if row is None:
        raise errors.not_found()
    return row
