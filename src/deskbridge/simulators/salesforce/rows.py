"""/sobjects: single records by id or external id, their files, and what changed or was deleted in a span of time."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from deskbridge.simulators import product
from deskbridge.simulators.salesforce import files, ids, records, values
from deskbridge.simulators.salesforce.call import Call, mapping, reply
from deskbridge.simulators.salesforce.errors import ApiError, NotFoundError, UnparsableError, unsupported
from deskbridge.simulators.salesforce.org import Row
from deskbridge.simulators.salesforce.schema import Field, SObject
from deskbridge.simulators.salesforce.select import attributes, shown_value
from deskbridge.simulators.wire import BadBodyError, Part, Response, multipart

REPLICATION_REACH = timedelta(days=30)
_UPSERT_ANSWERS_SINCE = 46.0


def create(call: Call) -> Response:
    """POST /sobjects/{sobject}: JSON, or multipart with the fields in one part and the file in another."""
    is_multipart = call.request.header("content-type").lower().startswith("multipart/form-data")
    row = records.create(call.org, call.sobject, _multipart_body(call) if is_multipart else _json_body(call))
    return _saved(row, 201, created=None)


def get(call: Call) -> Response:
    """GET /sobjects/{sobject}/{id}: 304 when it is not newer than If-Modified-Since."""
    row = call.org.require(call.sobject, _record_id(call.params["id"]))
    return _shown(call, row)


def update(call: Call) -> Response:
    """PATCH /sobjects/{sobject}/{id}: 412 when it changed after If-Unmodified-Since."""
    record_id = _record_id(call.params["id"])
    if _is_stale(call, call.org.get(call.sobject, record_id)):
        return Response(412)
    records.update(call.org, call.sobject, record_id, _json_body(call))
    return Response(204)


def delete(call: Call) -> Response:
    records.delete(call.org, call.sobject, _record_id(call.params["id"]))
    return Response(204)


def get_below(call: Call) -> Response:
    """GET /sobjects/{sobject}/{a}/{b}: a record by external id, or the bytes of a file field of a record."""
    blob = next((field for field in call.sobject.blobs if field.name.lower() == call.params["value"].lower()), None)
    if blob is not None and call.sobject.field(call.params["field"]) is None:
        return _content(call, blob)
    return _shown(call, _by_external_id(call))


def upsert(call: Call) -> Response:
    """PATCH /sobjects/{sobject}/{field}/{value}: the same call again finds the record it created."""
    field = _external_field(call)
    body = _json_body(call)
    if field.type == "id":
        return _update_by_id(call, body)
    if _is_stale(call, records.by_external_id(call.org, call.sobject, field, call.params["value"])):
        return Response(412)
    only = call.request.param("updateOnly").lower() == "true"
    row, created = records.upsert(call.org, call.sobject, field, call.params["value"], body, update_only=only)
    if not created and float(call.org.version) < _UPSERT_ANSWERS_SINCE:
        return Response(204)
    return _saved(row, 201 if created else 200, created=created)


def delete_below(call: Call) -> Response:
    records.delete(call.org, call.sobject, str(_by_external_id(call)["Id"]))
    return Response(204)


def updated(call: Call) -> Response:
    """GET /sobjects/{sobject}/updated?start=&end=: ids changed within whole minutes, and how far that is complete."""
    start, end = _span(call)
    lower, upper = values.stamp(start), values.stamp(end)
    rows = [row for row in call.org.rows(call.sobject) if not row.get("IsDeleted")]
    found = [row["Id"] for row in rows if lower <= row["SystemModstamp"] < upper]
    return reply({"ids": sorted(found), "latestDateCovered": _covered(call, end)})


def deleted(call: Call) -> Response:
    """GET /sobjects/{sobject}/deleted?start=&end=: what went to the recycle bin within whole minutes."""
    start, end = _span(call)
    lower, upper = values.stamp(start), values.stamp(end)
    rows = [
        row for row in call.org.rows(call.sobject) if row.get("IsDeleted") and lower <= row["SystemModstamp"] < upper
    ]
    rows.sort(key=lambda row: (row["SystemModstamp"], row["Id"]))
    return reply(
        {
            "deletedRecords": [{"deletedDate": row["SystemModstamp"], "id": row["Id"]} for row in rows],
            "earliestDateAvailable": values.stamp(call.org.moment - REPLICATION_REACH),
            "latestDateCovered": _covered(call, end),
        }
    )


def _json_body(call: Call) -> dict[str, Any]:
    body = call.body()
    for field in call.sobject.blobs:
        if isinstance(data := body.get(field.name), str):
            body[field.name] = content = values.stored(field, data)
            files.limit_json_file(content)
    return body


def _multipart_body(call: Call) -> dict[str, Any]:
    """The fields from the part with JSON, and the bytes from the part named after the file field."""
    try:
        parts = multipart(call.request)
    except BadBodyError as error:
        raise UnparsableError(str(error)) from error
    described = next((part for part in parts if part.name.startswith("entity_")), None)
    body = _parsed(described) if described else {}
    blobs = {field.name for field in call.sobject.blobs}
    return body | {part.name: part.body for part in parts if part.name in blobs}


def _parsed(part: Part) -> dict[str, Any]:
    try:
        return mapping(json.loads(part.body))
    except (ValueError, RecursionError) as error:
        raise UnparsableError(f"{part.name}: not JSON: {error}") from error


def _saved(row: Row, status: int, *, created: bool | None) -> Response:
    body = {"id": row["Id"], "success": True, "errors": []}
    return reply(body if created is None else body | {"created": created}, status)


def _record_id(text: str) -> str:
    record_id = ids.normalise(text)
    if record_id is None:
        raise NotFoundError(f"Provided external ID field does not exist or is not accessible: {text[:80]}")
    return record_id


def _shown(call: Call, row: Row) -> Response:
    stamp = row.get("LastModifiedDate") or row.get("SystemModstamp")
    modified = values.moment(stamp) if stamp else call.org.moment
    since = _http_date(call, "if-modified-since")
    if since is not None and modified <= since:
        return Response(304)
    sobject = call.sobject
    wanted = _wanted(call, sobject)
    body = {"attributes": attributes(call.org, sobject, row)}
    shown = {field.name: shown_value(call.org, sobject, field, row) for field in wanted}
    return reply(body | shown, headers=[("Last-Modified", format_datetime(modified.astimezone(UTC), usegmt=True))])


def _wanted(call: Call, sobject: SObject) -> list[Field]:
    """The fields named in `fields=`, the id always among them; all of them when none are named."""
    names = [name.strip() for name in call.request.param("fields").split(",") if name.strip()]
    if not names:
        return list(sobject.fields)
    chosen = [sobject.fields[0], *(_named(sobject, name) for name in names)]
    return list({field.name: field for field in chosen}.values())


def _named(sobject: SObject, name: str) -> Field:
    field = sobject.field(name)
    if field is None:
        raise ApiError(400, "INVALID_FIELD", f"No such column '{name[:80]}' on sobject of type {sobject.name}")
    return field


def _content(call: Call, blob: Field) -> Response:
    row = call.org.require(call.sobject, _record_id(call.params["field"]))
    data = files.content(call.org, call.sobject, str(row["Id"]))
    if blob.name == "Body" and row.get("ContentType"):
        return Response(200, [("Content-Type", str(row["ContentType"]).encode("ascii", "replace").decode())], data)
    return Response(200, [("Content-Type", "application/octet-stream")], data)


def _external_field(call: Call) -> Field:
    name = call.params["field"]
    if ids.normalise(name) is not None and call.sobject.field(name) is None:
        raise unsupported(f"{call.sobject.name}/{{id}}/{call.params['value'][:80]}")
    field = call.sobject.field(name)
    if field is None or not (field.external_id or field.type == "id"):
        raise NotFoundError(f"Provided external ID field does not exist or is not accessible: {name[:80]}")
    return field


def _by_external_id(call: Call) -> Row:
    field = _external_field(call)
    if field.type == "id":
        return call.org.require(call.sobject, _record_id(call.params["value"]))
    row = records.by_external_id(call.org, call.sobject, field, call.params["value"])
    if row is None:
        raise NotFoundError
    return row


def _update_by_id(call: Call, body: dict[str, Any]) -> Response:
    row = records.update(call.org, call.sobject, _record_id(call.params["value"]), body)
    return _saved(row, 200, created=False)


def _is_stale(call: Call, row: Row | None) -> bool:
    """Whether the record changed after the moment in If-Unmodified-Since: to the second, like the header."""
    moment = _http_date(call, "if-unmodified-since")
    return moment is not None and row is not None and values.moment(row["LastModifiedDate"]) > moment


def _http_date(call: Call, header: str) -> datetime | None:
    text = call.request.header(header)
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        raise ApiError(400, "INVALID_HEADER", f"Invalid value of the header {header}: {text[:80]}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _span(call: Call) -> tuple[datetime, datetime]:
    """The asked span, cut to whole minutes on both ends; INVALID_REPLICATION_DATE where Salesforce says so."""
    if not call.sobject.replicates:
        message = f"Object type {call.sobject.name} is not replicable"
        raise ApiError(400, "INVALID_OPERATION", message)
    start, end = _moment(call, "start"), _moment(call, "end")
    if end <= start:
        raise _bad_span("endDate must be at least one minute after startDate")
    if start < call.org.moment - REPLICATION_REACH - timedelta(minutes=1):
        raise _bad_span("startDate must be within the last 30 days")
    return start, end


def _moment(call: Call, name: str) -> datetime:
    text = call.request.param(name)
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC).replace(second=0, microsecond=0)
    except (ValueError, OverflowError):
        raise _bad_span(f"{name}: not an ISO 8601 date and time: {text[:80]}") from None


def _bad_span(message: str) -> ApiError:
    return ApiError(400, "INVALID_REPLICATION_DATE", message)


def _covered(call: Call, end: datetime) -> str:
    """Up to where every change is known: changes of long transactions may still come behind the present."""
    known = call.org.moment - timedelta(seconds=product.lag(call.org.state))
    return values.stamp(min(end, known.replace(second=0, microsecond=0)))
