"""/composite/sobjects: up to 200 records in one call, each with its own outcome."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from deskbridge.simulators.salesforce import ids, objects, records
from deskbridge.simulators.salesforce.call import Call, mapping, reply
from deskbridge.simulators.salesforce.errors import ApiError, NotFoundError, UnparsableError
from deskbridge.simulators.salesforce.org import Row
from deskbridge.simulators.salesforce.schema import SObject
from deskbridge.simulators.salesforce.select import attributes, shown_value
from deskbridge.simulators.wire import Response

MAX_RECORDS = 200
_ROLLED_BACK = {
    "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "message": "Record rolled back because not all records were valid and the request was using AllOrNone header",
    "fields": [],
}
Save = Callable[[], "tuple[str, bool | None]"]


class _RolledBackError(Exception):
    def __init__(self, outcomes: list[dict[str, Any]]) -> None:
        super().__init__("rolled back")
        self.outcomes = outcomes


def create(call: Call) -> Response:
    def save(record: Mapping[str, Any]) -> tuple[str, bool | None]:
        return _id(records.create(call.org, _type_of(record), record)), None

    return _each(call, [partial(save, record) for record in _records(call)])


def update(call: Call) -> Response:
    def save(record: Mapping[str, Any]) -> tuple[str, bool | None]:
        record_id = _given_id(record)
        body = {name: value for name, value in record.items() if name.lower() != "id"}
        return _id(records.update(call.org, _type_of(record), record_id, body)), None

    return _each(call, [partial(save, record) for record in _records(call)])


def upsert(call: Call) -> Response:
    """PATCH /composite/sobjects/{sobject}/{field}: each record carries its external id."""
    sobject = call.sobject
    field = sobject.field(call.params["field"])
    if field is None or not field.external_id:
        name = call.params["field"][:80]
        raise NotFoundError(f"Provided external ID field does not exist or is not accessible: {name}")

    def save(record: Mapping[str, Any]) -> tuple[str, bool | None]:
        body = {name: value for name, value in record.items() if name.lower() != field.name.lower()}
        value = next((value for name, value in record.items() if name.lower() == field.name.lower()), None)
        if not isinstance(value, str) or not value:
            raise ApiError(400, "MISSING_ARGUMENT", f"{field.name} not specified", [field.name])
        row, created = records.upsert(call.org, sobject, field, value, body)
        return _id(row), created

    return _each(call, [partial(save, record) for record in _records(call)])


def delete(call: Call) -> Response:
    """DELETE /composite/sobjects?ids=a,b&allOrNone=."""

    def remove(text: str) -> tuple[str, bool | None]:
        record_id, sobject = _known(text)
        records.delete(call.org, sobject, record_id)
        return record_id, None

    wanted = _limited([text for text in call.request.param("ids").split(",") if text])
    all_or_none = call.request.param("allOrNone").lower() == "true"
    return reply(_outcomes(call, [partial(remove, text) for text in wanted], all_or_none=all_or_none))


def get(call: Call) -> Response:
    """GET /composite/sobjects/{sobject}?ids=a,b&fields=x,y: null for each record that is not there."""
    sobject = call.sobject
    names = [name.strip() for name in call.request.param("fields").split(",") if name.strip()]
    unknown = next((name for name in names if sobject.field(name) is None), None)
    if unknown or not names:
        text = f"No such column '{unknown}' on sobject of type {sobject.name}" if unknown else "fields is required"
        raise ApiError(400, "INVALID_FIELD" if unknown else "MISSING_ARGUMENT", text)
    wanted = _limited([text for text in call.request.param("ids").split(",") if text])
    found = [call.org.get(sobject, ids.normalise(text) or "") for text in wanted]
    return reply([_shown(call, sobject, names, row) if row else None for row in found])


def _records(call: Call) -> list[dict[str, Any]]:
    wanted = call.body().get("records")
    if not isinstance(wanted, list):
        raise UnparsableError("records: a list is required")
    return [mapping(record) for record in _limited(wanted)]


def _limited(wanted: list[Any]) -> list[Any]:
    if len(wanted) > MAX_RECORDS:
        message = f"record limit reached. cannot submit more than {MAX_RECORDS} records into this call"
        raise ApiError(400, "EXCEEDED_ID_LIMIT", message)
    return wanted


def _each(call: Call, saves: Sequence[Save]) -> Response:
    return reply(_outcomes(call, saves, all_or_none=call.body().get("allOrNone") is True))


def _outcomes(call: Call, saves: Sequence[Save], *, all_or_none: bool) -> list[dict[str, Any]]:
    try:
        with call.org.state.transaction():
            outcomes = [_outcome(call, save) for save in saves]
            if all_or_none and not all(outcome["success"] for outcome in outcomes):
                raise _RolledBackError(outcomes)
    except _RolledBackError as error:
        undone = {"success": False, "errors": [_ROLLED_BACK]}
        return [undone if outcome["success"] else outcome for outcome in error.outcomes]
    return outcomes


def _outcome(call: Call, save: Save) -> dict[str, Any]:
    try:
        with call.org.state.transaction():
            record_id, created = save()
    except ApiError as error:
        return {"success": False, "errors": [error.as_save_error()]}
    saved = {"id": record_id, "success": True, "errors": []}
    return saved if created is None else saved | {"created": created}


def _type_of(record: Mapping[str, Any]) -> SObject:
    named = record.get("attributes")
    name = named.get("type") if isinstance(named, dict) else None
    sobject = objects.find(name) if isinstance(name, str) else None
    if sobject is None:
        raise ApiError(400, "INVALID_TYPE", f"sObject type '{str(name)[:80]}' is not supported.", [])
    return sobject


def _given_id(record: Mapping[str, Any]) -> str:
    value = next((value for name, value in record.items() if name.lower() == "id"), None)
    record_id = ids.normalise(value) if isinstance(value, str) else None
    if record_id is None:
        raise ApiError(400, "MISSING_ARGUMENT", "Id not specified in an update call", ["Id"])
    return record_id


def _known(text: str) -> tuple[str, SObject]:
    record_id = ids.normalise(text)
    sobject = objects.of_id(record_id) if record_id else None
    if record_id is None or sobject is None:
        raise ApiError(400, "MALFORMED_ID", f"malformed id {text[:80]}", [])
    return record_id, sobject


def _shown(call: Call, sobject: SObject, names: Sequence[str], row: Row) -> dict[str, Any]:
    fields = [field for name in names if (field := sobject.field(name))]
    shown = {field.name: shown_value(call.org, sobject, field, row) for field in fields}
    return {"attributes": attributes(call.org, sobject, row)} | shown


def _id(row: Row) -> str:
    return str(row["Id"])
