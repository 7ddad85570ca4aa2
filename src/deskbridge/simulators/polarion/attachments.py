"""Work item attachments: multipart up, bytes down.

The stored id is `{counter}-{fileName}`; the counter of a work item never goes back.
"""

import re
from typing import Any

from deskbridge.simulators.polarion import items
from deskbridge.simulators.polarion.errors import ApiError, BadRequestError, NotFoundError, wrong_type
from deskbridge.simulators.polarion.jsonapi import Json, data_of, member, resource_object
from deskbridge.simulators.polarion.session import Record, Session
from deskbridge.simulators.wire import BadBodyError, Part, Request, multipart

KIND = "workitem_attachments"


def of_item(session: Session, item: Record) -> list[Record]:
    """The attachments of an item in the order they came."""
    return sorted(session.state.table("attachments").by("item", item["key"]), key=lambda one: one["number"])


def require(session: Session, item: Record, attachment_id: str) -> Record:
    attachment = session.state.table("attachments").get(f"{item['key']}/{attachment_id}")
    if attachment is None:
        raise NotFoundError(f"Attachment id {attachment_id} of Work Item {item['id']} does not exist.")
    return attachment


def content(session: Session, attachment: Record) -> bytes:
    return session.state.blobs[attachment["key"]]


def create(session: Session, item: Record, request: Request) -> list[Record]:
    """Store the files of a multipart POST: `files` parts in the order of `resource`'s `data`."""
    parts = _parts(request)
    described = _resource(parts)
    files = [part for part in parts if part.name == "files"]
    if not isinstance(described, list):
        raise wrong_type("BEGIN_ARRAY", described, "$.data")
    if len(files) != len(described) or not files:
        raise BadRequestError(
            f"{len(described)} attachments are described but {len(files)} 'files' parts were sent.", pointer="$.data"
        )
    given = [
        _attributes(resource_object(data, KIND, f"$.data[{index}]"), f"$.data[{index}]")
        for index, data in enumerate(described)
    ]
    return store(session, item, list(zip(given, files, strict=True)))


def store(session: Session, item: Record, files: list[tuple[Json, Part]]) -> list[Record]:
    """Attach files, each with its attributes (`fileName` wins over the name that the part carries, `title`)."""
    added = [_add(session, item, given, file, f"$.data[{index}]") for index, (given, file) in enumerate(files)]
    items.save(session, items.current(session, item), f"Attached to {item['id']}", "workitem.attached")
    return added


def _parts(request: Request) -> list[Part]:
    if not request.header("content-type").lower().startswith("multipart/form-data"):
        raise ApiError(415)
    try:
        parts = multipart(request)
    except BadBodyError as error:
        raise BadRequestError(f"Malformed multipart request: {error}") from error
    for part in parts:
        if part.name not in ("files", "content", "resource"):
            raise BadRequestError(f"Unexpected part '{part.name}' in the multipart request.")
    return parts


def _resource(parts: list[Part]) -> Any:
    """`data` of the JSON in the part `resource`: a plain form field, declared as JSON it makes Polarion fail."""
    found = [part for part in parts if part.name == "resource"]
    if len(found) != 1:
        raise BadRequestError("Exactly one part 'resource' is required in the multipart request.")
    if found[0].content_type.lower().startswith("application/json"):
        raise ApiError(500, "Internal server error.")
    return data_of(found[0].body)


def _add(session: Session, item: Record, given: Json, file: Part, pointer: str) -> Record:
    name = given.get("fileName") or file.filename
    if not name:
        raise BadRequestError("The file name is required.", pointer=f"{pointer}.attributes.fileName")
    number = session.state.next(f"attachment:{item['key']}")
    attachment_id = f"{number}-{_in_a_path(name)}"
    attachment = {
        "key": f"{item['key']}/{attachment_id}",
        "item": item["key"],
        "id": attachment_id,
        "number": number,
        "fileName": name,
        "title": given.get("title", ""),
        "length": len(file.body),
        "updated": session.now,
        "author": session.user,
        "revision": session.revision,
    }
    session.state.blobs.put(attachment["key"], file.body)
    session.state.table("attachments").put(attachment["key"], attachment)
    return attachment


def _attributes(data: Json, pointer: str) -> Json:
    given = member(data, "attributes", pointer)
    for name, value in given.items():
        where = f"{pointer}.attributes.{name}"
        if name not in ("fileName", "title"):
            raise BadRequestError(f"Unknown attribute '{name}' of an attachment.", pointer=where)
        if not isinstance(value, str):
            raise wrong_type("STRING", value, where)
    return given


def _in_a_path(name: str) -> str:
    """The name as part of an id: clients put ids into URLs as they are, so what would end a path segment goes."""
    return re.sub(r"[\x00-\x1f/\\?#%]", "_", name)


def change(session: Session, item: Record, attachment: Record, request: Request) -> None:
    """A multipart PATCH: another title, other content (part `content`), or both."""
    parts = _parts(request)
    data = resource_object(_resource(parts), KIND, "$.data")
    given = _attributes(data, "$.data")
    if "fileName" in given:
        raise BadRequestError("The file name cannot be changed.", pointer="$.data.attributes.fileName")
    files = [part for part in parts if part.name == "content"]
    if len(files) > 1 or not (files or given):
        raise BadRequestError("A title, one part 'content', or both are required.")
    changed = {**attachment, **given, "updated": session.now, "revision": session.revision}
    if files:
        session.state.blobs.put(attachment["key"], files[0].body)
        changed["length"] = len(files[0].body)
    session.state.table("attachments").put(attachment["key"], changed)
    items.save(session, items.current(session, item), f"Changed an attachment of {item['id']}", "workitem.attached")


def delete(session: Session, item: Record, attachment: Record) -> None:
    session.state.table("attachments").delete(attachment["key"])
    session.state.blobs.delete(attachment["key"])
    items.save(session, items.current(session, item), f"Removed an attachment of {item['id']}", "workitem.attached")
