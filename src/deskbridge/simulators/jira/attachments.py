"""Files on issues."""

import mimetypes
import re

from deskbridge.simulators.jira import events, index
from deskbridge.simulators.jira.call import Call
from deskbridge.simulators.jira.errors import JSON, JiraError, bad, not_found
from deskbridge.simulators.store import Record
from deskbridge.simulators.wire import BadBodyError, Part, Response, json_response, multipart

UPLOAD_LIMIT = 64 * 1024 * 1024  # bytes of one file
_MEDIA = re.compile(r"[A-Za-z0-9.+-]{1,60}/[A-Za-z0-9.+-]{1,80}")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\]")


def upload(call: Call, issue: Record) -> list[Record]:
    """The files of a multipart body (parts named `file`); 403 without X-Atlassian-Token, 413 when one is too large."""
    if call.request.header("x-atlassian-token") not in {"no-check", "nocheck"}:
        raise _XsrfError
    if call.request.truncated:
        raise too_large()
    try:
        parts = [part for part in multipart(call.request) if part.name == "file" and part.filename]
    except BadBodyError as error:
        raise bad(f"The request could not be read as a multipart body: {error}") from error
    if not parts:
        raise bad("No files were attached: send each in a part named 'file' with a file name.")
    if any(len(part.body) > UPLOAD_LIMIT for part in parts):
        raise too_large()
    return [add(call, issue, part) for part in parts]


class _XsrfError(JiraError):
    """Refused before anything is read: not a JSON answer."""

    def __init__(self) -> None:
        super().__init__(403, ["XSRF check failed"])

    def response(self) -> Response:
        return Response(403, [("Content-Type", "text/html;charset=UTF-8")], b"XSRF check failed")


def too_large() -> JiraError:
    return JiraError(413, [f"The attachment is too large. The maximum size of a file is {UPLOAD_LIMIT} bytes."])


def add(call: Call, issue: Record, part: Part) -> Record:
    attachment_id = str(call.state.next("attachment.id", 10000))
    filename = _UNSAFE.sub("_", part.filename or "file")[:255]
    attachment = {
        "id": attachment_id,
        "issue": issue["id"],
        "filename": filename,
        "author": call.account,
        "created": call.stamp,
        "size": len(part.body),
        "media": _media(part, filename),
    }
    call.state.blobs.put(f"attachment/{attachment_id}", part.body)
    call.state.table("attachments").put(attachment_id, attachment)
    events.attachment_event(call, "attachment_created", attachment)
    _touch(call, issue["id"])
    return attachment


def _media(part: Part, filename: str) -> str:
    """Jira trusts the file's name where the client only said "bytes"."""
    said = part.content_type.split(";")[0].strip()
    if _MEDIA.fullmatch(said) and said != "application/octet-stream":
        return said
    return mimetypes.guess_type(filename)[0] or "application/octet-stream"


def find(call: Call, attachment_id: str) -> Record:
    attachment = call.state.table("attachments").get(attachment_id)
    if attachment is None:
        raise not_found(f"The attachment with id '{attachment_id}' does not exist")
    return attachment


def content(call: Call, attachment: Record) -> Response:
    """The bytes, as a download, or the part of them that a Range header names."""
    raw = call.state.blobs[f"attachment/{attachment['id']}"]
    headers = [
        ("Content-Type", attachment["media"]),
        ("Content-Disposition", "attachment"),
        ("X-Content-Type-Options", "nosniff"),
        ("Accept-Ranges", "bytes"),
    ]
    found = re.fullmatch(r"bytes=([0-9]{1,15})-([0-9]{0,15})", call.request.header("range"))
    if not found:
        return Response(200, headers, raw)
    start, end = int(found[1]), min(int(found[2] or len(raw)), len(raw) - 1)
    if start > end:
        return json_response(416, {"errorMessages": ["Range not satisfiable"], "errors": {}}, media=JSON)
    return Response(206, [*headers, ("Content-Range", f"bytes {start}-{end}/{len(raw)}")], raw[start : end + 1])


def delete(call: Call, attachment: Record) -> None:
    call.state.table("attachments").delete(attachment["id"])
    call.state.blobs.delete(f"attachment/{attachment['id']}")
    events.attachment_event(call, "attachment_deleted", attachment)
    _touch(call, attachment["issue"])


def _touch(call: Call, issue_id: str) -> None:
    issue = call.state.table("issues")[issue_id]
    changed = call.state.table("issues").put(issue_id, {**issue, "updated": call.stamp})
    index.outdate(call, issue_id, issue)
    events.issue_event(call, "issue_updated", "issue_updated", changed)
