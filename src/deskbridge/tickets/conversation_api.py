"""The API's doors to a ticket's conversation as a chat, to its line of time, and to its work record."""

import csv
import io
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from deskbridge.kit.api import Body, Cursor, Parameters, Word, answers
from deskbridge.kit.db import UnitOfWork
from deskbridge.kit.http import json_response
from deskbridge.kit.paging import DEFAULT_LIMIT, MAX_LIMIT, Page
from deskbridge.people.actor import Actor
from deskbridge.people.api import access_of
from deskbridge.tickets import conversation, queries, reading, timeline
from deskbridge.tickets.answers import MessageAnswer, TimelineEntry, WorkEntry
from deskbridge.tickets.fields import CONTENT_LENGTH
from deskbridge.tickets.queries import as_ref

router = APIRouter(prefix="/api/v1", tags=["conversation"])

Ref = Annotated[str, Path(alias="id", max_length=40, description="The ticket's number or its id.")]
MessageId = Annotated[UUID, Path(alias="id")]
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would take for the beginning of a formula."""


class MessageBody(Body):
    """A message; `ticket_id` is the ticket's id or number."""

    ticket_id: Word = Field(max_length=40)
    content: str = Field(min_length=CONTENT_LENGTH[0], max_length=CONTENT_LENGTH[1], description="Markdown.")
    is_internal: bool = False
    attachment_ids: list[UUID] = Field([], max_length=20, description="Files uploaded to the ticket before.")


class MessageEdit(Body):
    content: str = Field(min_length=CONTENT_LENGTH[0], max_length=CONTENT_LENGTH[1])


class PageParameters(Parameters):
    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    cursor: Cursor | None = None


class Kind(StrEnum):
    """Everything, or the work record: status, assignment, escalation, notes, time, resolution."""

    ALL = "all"
    WORK = "work"


class Format(StrEnum):
    JSON = "json"
    CSV = "csv"


class TimelineParameters(PageParameters):
    kind: Kind = Kind.ALL
    format: Format = Field(Format.JSON, description="csv is for the work record.")


class WorkRecord(msgspec.Struct):
    """The work record, oldest first."""

    items: list[WorkEntry]


@router.get("/messages/ticket/{id}", responses=answers(200, Page[MessageAnswer], 400, 404), response_class=Response)
async def list_messages(request: Request, ref: Ref, parameters: Annotated[PageParameters, Query()]) -> Response:
    """Return a page of a ticket's messages, oldest first."""
    page = await access_of(request).read(
        request, queries.list_messages, as_ref(ref), parameters.limit, parameters.cursor
    )
    return json_response(page)


@router.post(
    "/messages", status_code=201, responses=answers(201, MessageAnswer, 400, 403, 404, 409), response_class=Response
)
async def say(request: Request, body: MessageBody) -> Response:
    """Add a public reply or an internal note to a ticket's conversation."""
    wanted = as_ref(body.ticket_id)

    def add(uow: UnitOfWork, actor: Actor) -> MessageAnswer:
        use_case = conversation.note if body.is_internal else conversation.reply
        said = use_case(uow, actor, wanted, body.content, attachment_ids=body.attachment_ids)
        return queries.get_message(uow, actor, said.id)

    return await access_of(request).answer(request, 201, add)


@router.put("/messages/{id}", responses=answers(200, MessageAnswer, 400, 403, 404, 409), response_class=Response)
async def edit(request: Request, message_id: MessageId, body: MessageEdit) -> Response:
    """Change the text of one's own message."""

    def change(uow: UnitOfWork, actor: Actor) -> MessageAnswer:
        return queries.get_message(uow, actor, conversation.edit_message(uow, actor, message_id, body.content).id)

    return await access_of(request).answer(request, 200, change)


@router.delete("/messages/{id}", status_code=204, responses=answers(204, None, 400, 403, 404), response_class=Response)
async def remove(request: Request, message_id: MessageId) -> Response:
    """Remove a message's text; its author or an administrator does this."""
    return await access_of(request).answer(request, 204, conversation.delete_message, message_id)


@router.get(
    "/messages/ticket/{id}/timeline", responses=answers(200, Page[TimelineEntry], 400, 404), response_class=Response
)
async def chat_timeline(request: Request, ref: Ref, parameters: Annotated[PageParameters, Query()]) -> Response:
    """Return a page of messages and events in one line of time, oldest first."""
    page = await access_of(request).read(
        request, timeline.timeline_page, as_ref(ref), parameters.limit, parameters.cursor
    )
    return json_response(page)


@router.put("/tickets/{id}/read", status_code=204, responses=answers(204, None, 400, 404), response_class=Response)
async def mark_read(request: Request, ref: Ref) -> Response:
    """Note that one has read a ticket up to its last message."""
    return await access_of(request).answer(request, 204, reading.mark_read, as_ref(ref))


@router.delete("/tickets/{id}/read", status_code=204, responses=answers(204, None, 400, 404), response_class=Response)
async def mark_unread(request: Request, ref: Ref) -> Response:
    """Make a ticket new to oneself again."""
    return await access_of(request).answer(request, 204, reading.mark_unread, as_ref(ref))


TIMELINE = answers(200, (Page[TimelineEntry], WorkRecord), 400, 403, 404)
TIMELINE[200]["content"]["text/csv"] = {"schema": {"type": "string"}}


@router.get("/tickets/{id}/timeline", responses=TIMELINE, response_class=Response)
async def ticket_timeline(request: Request, ref: Ref, parameters: Annotated[TimelineParameters, Query()]) -> Response:
    """Return a page of messages and events in one line of time, or the whole work record (`kind=work`) for agents."""
    access = access_of(request)
    if parameters.kind is Kind.ALL:
        page = await access.read(request, timeline.timeline_page, as_ref(ref), parameters.limit, parameters.cursor)
        return json_response(page)
    lines = await access.read(request, timeline.work_record, as_ref(ref))
    if parameters.format is Format.JSON:
        return json_response(WorkRecord(lines))
    headers = {"Content-Disposition": f'attachment; filename="work-record-{as_ref(ref)}.csv"'}
    return Response(_csv(lines), headers=headers, media_type="text/csv; charset=utf-8")


def _csv(lines: list[WorkEntry]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["at", "who", "system", "what", "text", "minutes"])
    for line in lines:
        minutes = "" if line.minutes is None else line.minutes
        at = line.at.isoformat().replace("+00:00", "Z")
        writer.writerow([at, _harmless(line.who), line.system, line.what, _harmless(line.text), minutes])
    return text.getvalue()


def _harmless(text: str) -> str:
    """Keep a spreadsheet from running what somebody wrote as a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text
