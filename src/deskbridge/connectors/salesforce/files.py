"""Files of a case: content versions and their links, and the attachments that older set-ups still have.

A file goes up unlinked, and is then shown at the case with the audience it is meant for: at no time can more people see
it than should.
"""

import contextlib
import json
import mimetypes
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import PurePosixPath

from deskbridge.connectors.salesforce.client import (
    ROWS,
    Client,
    Row,
    literal,
    moment,
    row_of,
    row_path,
    saved_id,
    soql,
)
from deskbridge.connectors.salesforce.comments import author_of
from deskbridge.connectors.shared import exactly, nothing
from deskbridge.sync.connector import Attachment, Audience, Failure, NewAttachment, Rejected

MAX_FILE = 2 * 1024**3
_IN_ONE_QUERY = 200
_OLD_PREFIX = "00P"
_AUTHOR = "CreatedDate, CreatedById, CreatedBy.Name, CreatedBy.Email"


def list_attachments(client: Client, case_id: str) -> list[Attachment]:
    """Return a case's files, the latest version of each, oldest first."""
    where = f"WHERE LinkedEntityId = {literal(case_id)}"
    links = client.query(soql("ContentDocumentId", "ContentDocumentLink", where))
    documents = [str(link["ContentDocumentId"]) for link in links]
    batches = [documents[start : start + _IN_ONE_QUERY] for start in range(0, len(documents), _IN_ONE_QUERY)]
    files = [_file(row) for batch in batches for row in _versions(client, batch)]
    columns = f"Id, Name, BodyLength, ContentType, {_AUTHOR}"
    old = client.query(soql(columns, "Attachment", f"WHERE ParentId = {literal(case_id)}"))
    return sorted([*files, *map(_old_file, old)], key=lambda file: (file.created_at, file.id))


def open_attachment(client: Client, attachment: Attachment, most: int) -> AbstractContextManager[Iterator[bytes]]:
    """Open a file, by its id alone: no address that a record names is ever followed."""
    is_old = attachment.id.startswith(_OLD_PREFIX)
    path = row_path("Attachment", attachment.id) if is_old else row_path("ContentVersion", attachment.id)
    return client.open(f"{path}/{'Body' if is_old else 'VersionData'}", most)


def add(client: Client, case_id: str, file: NewAttachment, audience: Audience) -> str:
    """Send a file up, show it at the case, and return the id of its version."""
    if file.size > MAX_FILE:
        raise Rejected(f"{file.name} has {file.size} bytes, and Salesforce takes {MAX_FILE}", "VersionData")
    headers, content = _form({"Title": PurePosixPath(file.name).stem or file.name, "PathOnClient": file.name}, file)
    version_id = client.write("POST", f"{ROWS}/ContentVersion", saved_id, content=content, headers=headers)
    version = client.read(row_path("ContentVersion", version_id), row_of, params=[("fields", "ContentDocumentId")])
    _show(client, case_id, str(version["ContentDocumentId"]), audience)
    return version_id


def _show(client: Client, case_id: str, document_id: str, audience: Audience) -> None:
    visibility = "AllUsers" if audience is Audience.PUBLIC else "InternalUsers"
    link = {"ContentDocumentId": document_id, "LinkedEntityId": case_id, "ShareType": "V", "Visibility": visibility}
    try:
        client.write("POST", f"{ROWS}/ContentDocumentLink", saved_id, json=link)
    except Rejected:
        with contextlib.suppress(Failure):  # nobody would ever find the file again
            client.write("DELETE", row_path("ContentDocument", document_id), nothing)
        raise


def _versions(client: Client, documents: Sequence[str]) -> list[Row]:
    within = ", ".join(literal(one) for one in documents)
    columns = f"Id, Title, PathOnClient, FileExtension, ContentSize, {_AUTHOR}"
    where = f"WHERE ContentDocumentId IN ({within}) AND IsLatest = true"
    return client.query(soql(columns, "ContentVersion", where))


def _file(row: Row) -> Attachment:
    name = _name(str(row["Title"] or ""), str(row["PathOnClient"] or ""), str(row["FileExtension"] or ""))
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    size = int(row["ContentSize"])
    return Attachment(str(row["Id"]), name, size, media_type, author_of(row), moment(row["CreatedDate"]))


def _name(title: str, path: str, extension: str) -> str:
    """The name a file came with, or the one somebody gave it later."""
    original = PurePosixPath(path.replace("\\", "/")).name
    if title in {original, PurePosixPath(original).stem}:
        return original
    return f"{title}.{extension}" if extension and not title.lower().endswith(f".{extension.lower()}") else title


def _old_file(row: Row) -> Attachment:
    media_type = str(row["ContentType"] or "application/octet-stream")
    size = int(row["BodyLength"])
    return Attachment(str(row["Id"]), str(row["Name"]), size, media_type, author_of(row), moment(row["CreatedDate"]))


def _form(fields: Mapping[str, str], file: NewAttachment) -> tuple[dict[str, str], Iterator[bytes]]:
    """Headers and streamed body: Salesforce wants the fields as a part of JSON, and says so of its type."""
    boundary = secrets.token_hex(16)
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="entity_content"\r\n'
        f"Content-Type: application/json\r\n\r\n{json.dumps(fields)}\r\n"
        f'--{boundary}\r\nContent-Disposition: form-data; name="VersionData"; filename="file"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()
    tail = f"\r\n--{boundary}--\r\n".encode()

    def body() -> Iterator[bytes]:
        yield head
        yield from exactly(file)
        yield tail

    length = len(head) + file.size + len(tail)
    return {"Content-Type": f"multipart/form-data; boundary={boundary}", "Content-Length": str(length)}, body()
