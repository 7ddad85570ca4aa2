"""Files: versions, their documents and where those are linked; and the older attachments. Bytes live in the blobs."""

import hashlib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from deskbridge.simulators.salesforce.errors import ApiError, NotFoundError, SaveError
from deskbridge.simulators.salesforce.objects import (
    ATTACHMENT,
    CONTENT_DOCUMENT,
    CONTENT_DOCUMENT_LINK,
    CONTENT_VERSION,
    USER,
    of_id,
)
from deskbridge.simulators.salesforce.org import Org, Row
from deskbridge.simulators.salesforce.schema import SObject

MAX_JSON_FILE = 37_500_000
"""Bytes of a file that came as base64 inside JSON; more needs a multipart request."""
MAX_ATTACHMENT = 25 * 1024 * 1024
_TYPES = {
    "txt": "TEXT", "log": "TEXT", "csv": "CSV", "pdf": "PDF", "png": "PNG", "jpg": "JPG", "jpeg": "JPG", "gif": "GIF",
    "doc": "WORD", "docx": "WORD_X", "xls": "EXCEL", "xlsx": "EXCEL_X", "zip": "ZIP", "json": "JSON", "xml": "XML",
    "html": "HTML",
}  # fmt: skip


def blob_key(sobject: SObject, record_id: str) -> str:
    return f"{sobject.name}/{record_id}"


def content(org: Org, sobject: SObject, record_id: str) -> bytes:
    """The bytes of a version or an attachment."""
    held = org.state.blobs.get(blob_key(sobject, record_id))
    if held is None:
        raise NotFoundError
    return held


def create_version(org: Org, given: Mapping[str, Any]) -> Row:
    """A new version: of a new document, linked to its author and place, or of the document it names."""
    data: bytes = given["VersionData"]
    document_id = given.get("ContentDocumentId")
    if document_id and given.get("FirstPublishLocationId"):
        message = "Cannot set the first publish location of a new version of an existing document."
        raise SaveError("INVALID_FIELD_FOR_INSERT_UPDATE", message, "FirstPublishLocationId")
    older = _supersede(org, document_id) if document_id else []
    described = _described(given, data) | {"VersionNumber": str(len(older) + 1), "IsLatest": True}
    version = org.insert(CONTENT_VERSION, described)
    org.state.blobs.put(blob_key(CONTENT_VERSION, version["Id"]), data)
    if document_id:
        _refresh_document(org, org.require(CONTENT_DOCUMENT, document_id), version)
        return version
    return _with_document(org, version)


def create_attachment(org: Org, given: Mapping[str, Any]) -> Row:
    body: bytes = given["Body"]
    _limit_attachment(body)
    values = {name: value for name, value in given.items() if name != "Body"}
    row = org.insert(ATTACHMENT, values | {"BodyLength": len(body)})
    org.state.blobs.put(blob_key(ATTACHMENT, row["Id"]), body)
    return row


def update_attachment(org: Org, row: Row, changes: Mapping[str, Any]) -> Row:
    changed = dict(changes)
    if (body := changed.pop("Body", None)) is not None:
        _limit_attachment(body)
        org.state.blobs.put(blob_key(ATTACHMENT, row["Id"]), body)
        changed["BodyLength"] = len(body)
    return org.change(ATTACHMENT, row, changed)


def create_link(org: Org, given: Mapping[str, Any]) -> Row:
    """Show a document at one more record; a second link to the same record is refused."""
    linked = org.children(CONTENT_DOCUMENT_LINK, "ContentDocumentId", given["ContentDocumentId"])
    if any(link["LinkedEntityId"] == given["LinkedEntityId"] for link in linked):
        message = "Document with ID: {} is already linked with the entity with ID: {}"
        raise SaveError("DUPLICATE_VALUE", message.format(given["ContentDocumentId"], given["LinkedEntityId"]))
    return org.insert(CONTENT_DOCUMENT_LINK, given)


def rename_version(org: Org, version: Row, changes: Mapping[str, Any]) -> Row:
    """A version with other metadata; the title of the latest is the title of its document."""
    new = org.change(CONTENT_VERSION, version, changes)
    if new["IsLatest"] and (document := org.get(CONTENT_DOCUMENT, new["ContentDocumentId"])):
        org.change(CONTENT_DOCUMENT, document, {"Title": new["Title"]})
    return new


def limit_json_file(data: bytes) -> None:
    """Refuse a file that is too big for a base64 field."""
    if len(data) > MAX_JSON_FILE:
        message = f"Maximum size of a base64-encoded file is {MAX_JSON_FILE} bytes; use a multipart request"
        raise ApiError(400, "FILE_SIZE_LIMIT_EXCEEDED", message, [])


def _limit_attachment(body: bytes) -> None:
    if len(body) > MAX_ATTACHMENT:
        message = f"Attachment Body: data value too large (max length={MAX_ATTACHMENT})"
        raise SaveError("STRING_TOO_LONG", message, "Body")


def _described(given: Mapping[str, Any], data: bytes) -> dict[str, Any]:
    path = PurePosixPath(given["PathOnClient"].replace("\\", "/"))
    extension = path.suffix.removeprefix(".").lower()
    return {name: value for name, value in given.items() if name != "VersionData"} | {
        "Title": given.get("Title") or path.stem or path.name,
        "FileExtension": extension or None,
        "FileType": _TYPES.get(extension, "UNKNOWN"),
        "ContentSize": len(data),
        "Checksum": hashlib.md5(data, usedforsecurity=False).hexdigest(),
    }


def _supersede(org: Org, document_id: str) -> list[Row]:
    older = org.children(CONTENT_VERSION, "ContentDocumentId", document_id)
    for version in older:
        if version["IsLatest"]:
            org.change(CONTENT_VERSION, version, {"IsLatest": False})
    return older


def _with_document(org: Org, version: Row) -> Row:
    document = org.insert(CONTENT_DOCUMENT, _mirrored(version))
    version = org.put(CONTENT_VERSION, {**version, "ContentDocumentId": document["Id"]})
    _link(org, document, org.user_id, "I")
    place = version["FirstPublishLocationId"]
    if place and of_id(place) is not USER:
        _link(org, document, place, "V")
    return version


def _refresh_document(org: Org, document: Row, version: Row) -> None:
    org.change(CONTENT_DOCUMENT, document, _mirrored(version))


def _mirrored(version: Row) -> dict[str, Any]:
    same = {name: version[name] for name in ("Title", "FileType", "FileExtension", "ContentSize")}
    return same | {"LatestPublishedVersionId": version["Id"]}


def _link(org: Org, document: Row, entity_id: str, share: str) -> None:
    values = {"ContentDocumentId": document["Id"], "LinkedEntityId": entity_id, "ShareType": share}
    org.insert(CONTENT_DOCUMENT_LINK, values | {"Visibility": "AllUsers"})
