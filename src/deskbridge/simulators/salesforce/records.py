"""Creating, changing and deleting records: every door (REST rows, collections, pages) comes through here."""

from collections.abc import Mapping
from typing import Any

from deskbridge.simulators.salesforce import files, objects, push, rules, values
from deskbridge.simulators.salesforce.errors import ApiError, NotFoundError, SaveError
from deskbridge.simulators.salesforce.objects import ATTACHMENT, CASE, CONTENT_DOCUMENT_LINK, CONTENT_VERSION, GROUP
from deskbridge.simulators.salesforce.org import Org, Row
from deskbridge.simulators.salesforce.schema import Field, SObject


def create(org: Org, sobject: SObject, body: Mapping[str, Any]) -> Row:
    """Store a new record; SaveError (or a parser's error) says what is wrong with it."""
    if not sobject.create:
        raise _forbidden("inserted", sobject)
    _refuse_id(body)
    given = _given(sobject, body, creating=True)
    if sobject is CASE:
        given = rules.prepare_case(org, None, given)
    _require(sobject, given, creating=True)
    _check_references(org, sobject, given)
    _check_unique(org, sobject, given, None)
    row = _insert(org, sobject, given)
    _finish(org, sobject, "CREATE", None, row)
    return row


def update(org: Org, sobject: SObject, record_id: str, body: Mapping[str, Any]) -> Row:
    """Change a record; fields that are not named stay as they are."""
    old = org.require(sobject, record_id)
    if not sobject.update:
        raise _forbidden("updated", sobject)
    _refuse_id(body)
    changes = _given(sobject, body, creating=False)
    if sobject is CASE:
        changes = rules.prepare_case(org, old, changes)
    _require(sobject, changes, creating=False)
    _check_references(org, sobject, changes)
    _check_unique(org, sobject, changes, old)
    new = _change(org, sobject, old, changes)
    _finish(org, sobject, "UPDATE", old, new)
    return new


def upsert(
    org: Org, sobject: SObject, field: Field, value: str, body: Mapping[str, Any], *, update_only: bool = False
) -> tuple[Row, bool]:
    """Update the record with this external id, or create it; with whether it was created. 300 when several have it."""
    if any(name.lower() == field.name.lower() for name in body):
        message = f"The {field.name} field should not be specified in the sobject data."
        raise ApiError(400, "INVALID_FIELD", message, [field.name])
    if old := by_external_id(org, sobject, field, value):
        return update(org, sobject, str(old["Id"]), body), False
    if update_only:
        raise NotFoundError
    return create(org, sobject, {**body, field.name: value}), True


def delete(org: Org, sobject: SObject, record_id: str) -> None:
    """Move a record, and what hangs on it, to the recycle bin."""
    old = org.require(sobject, record_id)
    if not sobject.delete:
        raise _forbidden("deleted", sobject)
    _bury(org, sobject, old)


def by_external_id(org: Org, sobject: SObject, field: Field, value: str) -> Row | None:
    """The one record with this external id; a 300 error listing them when there are several."""
    found = org.same_key(sobject, field.name, value)
    if len(found) > 1:
        raise SeveralError([f"/services/data/v{org.version}/sobjects/{sobject.name}/{row['Id']}" for row in found])
    return found[0] if found else None


class SeveralError(ApiError):
    """An external id that is not unique: the answer is 300 with the addresses of the records, and no error code."""

    def __init__(self, addresses: list[str]) -> None:
        super().__init__(300, "MULTIPLE_CHOICES", "An external id exists in more than one record")
        self.addresses = addresses


def _refuse_id(body: Mapping[str, Any]) -> None:
    if any(name.lower() == "id" for name in body):
        raise ApiError(400, "INVALID_FIELD", "The Id field should not be specified in the sobject data.", ["Id"])


def _given(sobject: SObject, body: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
    """The body as stored values by the fields' own names; every field that may not be written is named at once."""
    fields = [(_writable_name(sobject, name), value) for name, value in body.items() if name != "attributes"]
    fixed = [field.name for field, _ in fields if not (field.create if creating else field.update)]
    if fixed:
        message = (
            f"Unable to create/update fields: {', '.join(fixed)}. Please check the security settings of this field "
            "and verify that it is read/write for your profile or permission set."
        )
        raise SaveError("INVALID_FIELD_FOR_INSERT_UPDATE", message, *fixed)
    return {field.name: values.stored(field, value) for field, value in fields}


def _writable_name(sobject: SObject, name: str) -> Field:
    field = sobject.field(name)
    if field is None:
        raise ApiError(400, "INVALID_FIELD", f"No such column '{name[:80]}' on sobject of type {sobject.name}")
    return field


def _require(sobject: SObject, given: Mapping[str, Any], *, creating: bool) -> None:
    """Required fields must be there when creating, and must not be emptied later. Empty files count as missing."""
    names = [field.name for field in sobject.fields if field.required]
    missing = [name for name in names if (creating or name in given) and not given.get(name)]
    if missing:
        raise SaveError("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", *missing)


def _check_references(org: Org, sobject: SObject, given: Mapping[str, Any]) -> None:
    for name, record_id in given.items():
        field = sobject.field(name)
        if field is not None and field.type == "reference" and record_id is not None:
            _check_reference(org, field, record_id)


def _check_reference(org: Org, field: Field, record_id: str) -> None:
    target = objects.of_id(record_id)
    if target is None or target.name not in field.references:
        raise SaveError("MALFORMED_ID", f"{field.title}: id value of incorrect type: {record_id}", field.name)
    row = org.table(target).get(record_id)
    if row is None:
        raise SaveError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", field.name)
    if row.get("IsDeleted"):
        raise SaveError("ENTITY_IS_DELETED", "entity is deleted", field.name)
    if field.name == "OwnerId" and target is not GROUP and not row["IsActive"]:
        message = f"operation performed with inactive user [{record_id[:15]}] as owner of {field.title.lower()}"
        raise SaveError("INACTIVE_OWNER_OR_USER", message, field.name)


def _check_unique(org: Org, sobject: SObject, given: Mapping[str, Any], old: Row | None) -> None:
    if org.option("desk_ref", "unique") == "not_unique":
        return
    for field in sobject.unique_fields:
        value = given.get(field.name)
        others = org.same_key(sobject, field.name, value) if value is not None else []
        for other in others:
            if old is None or other["Id"] != old["Id"]:
                message = f"duplicate value found: {field.name} duplicates value on record with id: {other['Id'][:15]}"
                raise SaveError("DUPLICATE_VALUE", message)


def _insert(org: Org, sobject: SObject, given: dict[str, Any]) -> Row:
    if sobject is CONTENT_VERSION:
        return files.create_version(org, given)
    if sobject is ATTACHMENT:
        return files.create_attachment(org, given)
    if sobject is CONTENT_DOCUMENT_LINK:
        return files.create_link(org, given)
    return org.insert(sobject, given)


def _change(org: Org, sobject: SObject, old: Row, changes: dict[str, Any]) -> Row:
    if sobject is ATTACHMENT:
        return files.update_attachment(org, old, changes)
    if sobject is CONTENT_VERSION:
        return files.rename_version(org, old, changes)
    return org.change(sobject, old, changes)


def _finish(org: Org, sobject: SObject, kind: str, old: Row | None, new: Row) -> None:
    if sobject is CASE:
        rules.track(org, old, new)
    push.announce(org, sobject, kind, old, new)
    if sobject is CONTENT_VERSION and old is None:
        for link in org.children(CONTENT_DOCUMENT_LINK, "ContentDocumentId", new["ContentDocumentId"]):
            push.announce(org, CONTENT_DOCUMENT_LINK, kind, old, link)


def _bury(org: Org, sobject: SObject, row: Row) -> None:
    """Children first, so that nobody meets a child without its parent."""
    for name in sobject.cascades:
        child = objects.find(name)
        for field in child.fields if child else ():
            if child and field.type == "reference" and sobject.name in field.references:
                for orphan in org.children(child, field.name, str(row["Id"])):
                    _bury(org, child, orphan)
    org.state.blobs.delete(files.blob_key(sobject, str(row["Id"])))
    buried = org.change(sobject, row, {"IsDeleted": True})
    push.announce(org, sobject, "DELETE", row, buried)


def _forbidden(verb: str, sobject: SObject) -> ApiError:
    message = f"entity type cannot be {verb}: {sobject.label}"
    return ApiError(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message, [])
