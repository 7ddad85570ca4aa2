"""The API's doors to a ticket's files."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Path, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from deskbridge.kit.api import Parameters, answers
from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.errors import DomainError, FieldError, Invalid, Unavailable
from deskbridge.kit.filetypes import TYPES
from deskbridge.kit.http import json_response
from deskbridge.people.actor import Actor
from deskbridge.people.api import access_of
from deskbridge.tickets import attachments, file_queries
from deskbridge.tickets.answers import AttachmentAnswer
from deskbridge.tickets.queries import as_ref, require_visible
from deskbridge.tickets.uploads import discard, download, files_in, form_with_files, receive, uploads_of

router = APIRouter(prefix="/api/v1", tags=["attachments"])

Ref = Annotated[str, Path(alias="id", max_length=40, description="The ticket's number or its id.")]
AttachmentId = Annotated[UUID, Path(alias="id")]
MEANT = {"true": True, "false": False}
UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "is_internal": {
                            "type": "boolean",
                            "default": False,
                            "description": "Only agents see it. Once a message carries it, the message decides.",
                        },
                    },
                }
            }
        },
    }
}


class AttachmentList(msgspec.Struct):
    """A ticket's files, oldest first; there are at most 500."""

    items: list[AttachmentAnswer]


class DownloadParameters(Parameters):
    inline: bool = False
    """Show a picture instead of downloading it; other kinds are downloads always."""


@router.get("/tickets/{id}/attachments", responses=answers(200, AttachmentList, 400, 404), response_class=Response)
async def list_attachments(request: Request, ref: Ref) -> Response:
    """Return a ticket's files."""

    def listed(reader: Reader, actor: Actor, ticket: UUID | int) -> AttachmentList:
        return AttachmentList(file_queries.files_of(reader, actor, require_visible(reader, actor, ticket)))

    return json_response(await access_of(request).read(request, listed, as_ref(ref)))


@router.post(
    "/tickets/{id}/attachments",
    status_code=201,
    responses=answers(201, AttachmentAnswer, 400, 403, 404, 409, 413, 415, 422),
    response_class=Response,
    openapi_extra=UPLOAD,
)
async def add_attachment(request: Request, ref: Ref) -> Response:
    """Add a file to a ticket. Its kind is told by its name and its content, which have to agree."""
    access, uploads, ticket = access_of(request), uploads_of(request), as_ref(ref)
    await access.read(request, attachments.require_attaching, ticket, internal=False)
    async with form_with_files(request, most=1) as form:
        if set(form) - {"file", "is_internal"}:
            raise Invalid([FieldError(name, "There is no such field.") for name in form if name not in PARTS])
        internal = MEANT.get(str(form.get("is_internal", "false")).lower())
        files = files_in(form)
        if internal is None or not files:
            raise Invalid(_missing(has_file=bool(files), has_audience=internal is not None))
        received = await receive(request, files[0])

    def add(uow: UnitOfWork, actor: Actor) -> AttachmentAnswer:
        added = attachments.attach(uow, actor, ticket, received, internal=internal, scanned=uploads.scanned)
        return file_queries.file_answer(file_queries.file_row(uow, actor, added.id))

    same = f"{received.sha256} {received.name} {internal}".encode()
    try:
        response = await access.answer_to(request, same, 201, add)
    except Unavailable:  # it may have been saved all the same; if not, the sweep finds the bytes
        raise
    except DomainError:
        await discard(request, received)
        raise
    if "Idempotency-Replayed" in response.headers:
        await discard(request, received)
    return response


PARTS = ("file", "is_internal")


def _missing(*, has_file: bool, has_audience: bool) -> list[FieldError]:
    errors = [] if has_file else [FieldError("file", "Send the file in a part called `file`.")]
    return errors if has_audience else [*errors, FieldError("is_internal", "This is true or false.")]


FILE = answers(200, None, 400, 404, 409, 416)
FILE[200] = {
    "description": "The file, or with 206 the part of it that was asked for.",
    "content": {
        kind.media_type: {"schema": {"type": "string", "format": "binary"}} for _, kind in sorted(TYPES.items())
    },
}
FILE |= {
    206: FILE[200] | {"description": "The part that `Range` asked for."},
    304: {"description": "The caller has this file."},
}


@router.get("/attachments/{id}", responses=FILE, response_class=Response)
async def get_attachment(
    request: Request, attachment_id: AttachmentId, parameters: Annotated[DownloadParameters, Query()]
) -> Response:
    """Return a file's bytes; `Range` returns a part, so that a broken download goes on where it stopped."""
    opened = await access_of(request).read(request, attachments.open_attachment, attachment_id)
    return await run_in_threadpool(download, request, opened, inline=parameters.inline)


@router.delete(
    "/attachments/{id}", status_code=204, responses=answers(204, None, 400, 403, 404), response_class=Response
)
async def remove_attachment(request: Request, attachment_id: AttachmentId) -> Response:
    """Remove a file; whoever uploaded it or an administrator does this."""
    return await access_of(request).answer(request, 204, attachments.delete_attachment, attachment_id)
