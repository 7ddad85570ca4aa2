"""The API's doors to tickets, their comments and their history."""

from dataclasses import replace
from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BeforeValidator, Field
from starlette.requests import Request
from starlette.responses import Response

from deskbridge.kit.api import Body, Cursor, FilterWord, Moment, Parameters, Word, answers
from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.errors import FieldError, Invalid, Malformed
from deskbridge.kit.http import etag, expected_version, json_response
from deskbridge.kit.paging import DEFAULT_LIMIT, MAX_LIMIT, Page
from deskbridge.people.actor import Actor
from deskbridge.people.api import access_of
from deskbridge.search.queries import narrowed
from deskbridge.search.query import LONGEST_QUERY
from deskbridge.tickets import conversation, queries, service
from deskbridge.tickets.answers import HistoryAnswer, MessageAnswer, TicketAnswer, TicketPage
from deskbridge.tickets.fields import CONTENT_LENGTH, DESCRIPTION_LENGTH, NOTES_LENGTH, SERVICE_LENGTH, TITLE_LENGTH
from deskbridge.tickets.model import Channel, CommentType, Environment, ImpactLevel, Priority, Status, Ticket
from deskbridge.tickets.queries import Order, SortBy, TicketFilter, TicketQuery, as_ref

router = APIRouter(prefix="/api/v1", tags=["tickets"])

Ref = Annotated[str, Path(alias="id", max_length=40, description="The ticket's number or its id.")]
MAX_OFFSET = 10_000


class TicketFields(Body):
    """A ticket's fields as a client writes them."""

    title: str = Field(min_length=TITLE_LENGTH[0], max_length=TITLE_LENGTH[1])
    description: str = Field(
        min_length=DESCRIPTION_LENGTH[0], max_length=DESCRIPTION_LENGTH[1], description="Markdown."
    )
    category: Word = Field(max_length=60)
    priority: Priority = Priority.P3
    environment: Environment | None = None
    affected_service: str | None = Field(None, max_length=SERVICE_LENGTH)
    impact_level: ImpactLevel | None = None
    tags: list[str] = Field([], max_length=20)


class TicketCreation(TicketFields):
    """A new ticket; `requester_id` and `channel` are for agents who file on behalf of somebody."""

    requester_id: UUID | None = None
    channel: Channel | None = None


class TicketPatch(Body):
    """Those fields of a ticket that change. Status and assignment have their own addresses."""

    title: str = Field("", min_length=TITLE_LENGTH[0], max_length=TITLE_LENGTH[1])
    description: str = Field("", min_length=DESCRIPTION_LENGTH[0], max_length=DESCRIPTION_LENGTH[1])
    category: Word = Field("", max_length=60)
    priority: Priority = Priority.P3
    environment: Environment | None = None
    affected_service: str | None = Field(None, max_length=SERVICE_LENGTH)
    impact_level: ImpactLevel | None = None
    tags: list[str] = Field([], max_length=20)


class AssignBody(Body):
    """Name a person, a team, or both; null takes the one there is away. Notes become an internal message."""

    assignee_id: UUID | None = None
    team_id: UUID | None = None
    notes: str | None = Field(None, max_length=CONTENT_LENGTH[1])


class StatusBody(Body):
    """The reason stays among agents, but for closing and reopening; resolution notes are public."""

    status: Status
    reason: str | None = Field(None, max_length=NOTES_LENGTH[1])
    resolution_notes: str | None = Field(None, max_length=NOTES_LENGTH[1])


class ResolveBody(Body):
    resolution_notes: str = Field(min_length=1, max_length=NOTES_LENGTH[1], description="Public.")


class ReasonBody(Body):
    reason: str | None = Field(None, max_length=NOTES_LENGTH[1], description="Public.")


class EscalateBody(Body):
    reason: str = Field(min_length=1, max_length=NOTES_LENGTH[1])
    team_id: UUID | None = None


class CommentBody(Body):
    """A comment; a WORK_NOTE is always internal."""

    content: str = Field(min_length=CONTENT_LENGTH[0], max_length=CONTENT_LENGTH[1], description="Markdown.")
    comment_type: CommentType = CommentType.COMMENT
    is_internal: bool | None = None
    attachment_ids: list[UUID] = Field([], max_length=20, description="Files uploaded to the ticket before.")


class CommentEdit(Body):
    content: str = Field(min_length=CONTENT_LENGTH[0], max_length=CONTENT_LENGTH[1])


def _none(value: object) -> object:
    return None if value == "none" else value


Nobody = Annotated[UUID | None, BeforeValidator(_none)]


class TicketListParameters(Parameters):
    """Filters may repeat; values of one are alternatives. `assignee=none` and `team=none` find those without."""

    status: list[Status] = Field([], max_length=20)
    priority: list[Priority] = Field([], max_length=20)
    category: list[FilterWord] = Field([], max_length=20)
    assignee: list[Nobody] = Field([], max_length=20)
    team: list[Nobody] = Field([], max_length=20)
    requester: list[UUID] = Field([], max_length=20)
    tag: list[FilterWord] = Field([], max_length=20)
    external_ref: list[FilterWord] = Field([], max_length=20)
    created_from: Moment | None = None
    created_to: Moment | None = None
    updated_from: Moment | None = None
    updated_to: Moment | None = None
    breached: bool | None = None
    unread: bool | None = Field(None, description="Whether somebody else has said something since one last read it.")
    q: Word = Field("", max_length=LONGEST_QUERY, description="Full text; see /search.")
    sort_by: SortBy = SortBy.CREATED_AT
    order: Order = Order.DESC
    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    cursor: Cursor | None = None
    page: int | None = Field(None, ge=1, description="For small sets; not together with cursor.")
    per_page: int | None = Field(None, ge=1, le=MAX_LIMIT)
    with_total: bool = False


class PageParameters(Parameters):
    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    cursor: Cursor | None = None


@router.get("/tickets", responses=answers(200, TicketPage, 400), response_class=Response)
async def list_tickets(request: Request, parameters: Annotated[TicketListParameters, Query()]) -> Response:
    """Return a page of the tickets one may see."""
    query = _ticket_query(parameters)

    def found(reader: Reader, actor: Actor) -> TicketPage:
        if not parameters.q:
            return queries.list_tickets(reader, actor, query)
        chosen, matching = narrowed(reader, actor, parameters.q, query.filter)
        return queries.list_tickets(reader, actor, replace(query, filter=chosen, matching=matching))

    return json_response(await access_of(request).read(request, found))


def _ticket_query(p: TicketListParameters) -> TicketQuery:
    limit = p.per_page or p.limit
    if p.page is not None and (p.cursor is not None or p.page * limit > MAX_OFFSET):
        complaint = f"Use a cursor instead: pages reach {MAX_OFFSET} rows, and never combine with a cursor."
        raise Malformed(complaint, errors=[FieldError("page", complaint)])
    chosen = TicketFilter(
        status=tuple(p.status),
        priority=tuple(p.priority),
        category=tuple(p.category),
        assignee=tuple(p.assignee),
        team=tuple(p.team),
        requester=tuple(p.requester),
        tag=tuple(p.tag),
        external_ref=tuple(p.external_ref),
        created_from=p.created_from,
        created_to=p.created_to,
        updated_from=p.updated_from,
        updated_to=p.updated_to,
        breached=p.breached,
        unread=p.unread,
    )
    return TicketQuery(chosen, p.sort_by, p.order, limit, p.cursor, p.page, p.with_total)


@router.post("/tickets", status_code=201, responses=answers(201, TicketAnswer, 400, 403, 409), response_class=Response)
async def create_ticket(request: Request, body: TicketCreation) -> Response:
    """Create a ticket."""
    new = service.NewTicket(**body.model_dump())

    def create(uow: UnitOfWork, actor: Actor) -> TicketAnswer:
        return queries.get_ticket(uow, actor, service.open_ticket(uow, actor, new, Channel.API).id)

    return await access_of(request).answer(request, 201, create)


@router.get("/tickets/{id}", responses=answers(200, TicketAnswer, 404), response_class=Response)
async def get_ticket(request: Request, ref: Ref) -> Response:
    """Return one ticket, with its version as `ETag`."""
    ticket = await access_of(request).read(request, queries.get_ticket, as_ref(ref))
    tag = etag(ticket.version)
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"ETag": tag})
    return json_response(ticket, headers={"ETag": tag})


@router.put("/tickets/{id}", responses=answers(200, TicketAnswer, 400, 403, 404, 409, 412), response_class=Response)
async def put_ticket(request: Request, ref: Ref, body: TicketFields) -> Response:
    """Replace a ticket's fields; optional ones that are left out stay as they are."""
    return await _update(request, ref, body.model_dump(exclude_unset=True))


@router.patch("/tickets/{id}", responses=answers(200, TicketAnswer, 400, 403, 404, 409, 412), response_class=Response)
async def patch_ticket(request: Request, ref: Ref, body: TicketPatch) -> Response:
    """Change some of a ticket's fields."""
    return await _update(request, ref, body.model_dump(exclude_unset=True))


async def _update(request: Request, ref: str, changes: dict[str, Any]) -> Response:
    version = expected_version(request)
    return await _act(request, ref, service.update_ticket, changes, version)


async def _act(request: Request, ref: str, use_case: Any, /, *args: Any, **kwargs: Any) -> Response:
    """Run a use case that changes one ticket, and answer with the ticket as it then is."""
    wanted = as_ref(ref)

    def act(uow: UnitOfWork, actor: Actor) -> TicketAnswer:
        changed: Ticket = use_case(uow, actor, wanted, *args, **kwargs)
        return queries.get_ticket(uow, actor, changed.id)

    return await access_of(request).answer(request, 200, act)


@router.delete("/tickets/{id}", status_code=204, responses=answers(204, None, 403, 404, 412), response_class=Response)
async def delete_ticket(request: Request, ref: Ref) -> Response:
    """Hide a ticket from everyone; for administrators."""
    return await access_of(request).answer(request, 204, service.delete_ticket, as_ref(ref), expected_version(request))


@router.put(
    "/tickets/{id}/assign", responses=answers(200, TicketAnswer, 400, 403, 404, 409, 412), response_class=Response
)
async def assign(request: Request, ref: Ref, body: AssignBody) -> Response:
    """Assign a ticket to a person or hand it to a team."""
    wanted = cast("service.Assignment", body.model_dump(include={"assignee_id", "team_id"}, exclude_unset=True))
    version = expected_version(request)

    def assign_with_notes(uow: UnitOfWork, actor: Actor, ticket: UUID | int) -> Ticket:
        assigned = service.assign(uow, actor, ticket, wanted, version)
        if body.notes and body.notes.strip():
            conversation.note(uow, actor, assigned.id, body.notes)
        return assigned

    return await _act(request, ref, assign_with_notes)


@router.patch(
    "/tickets/{id}/status", responses=answers(200, TicketAnswer, 400, 403, 404, 409, 412), response_class=Response
)
async def change_status(request: Request, ref: Ref, body: StatusBody) -> Response:
    """Bring a ticket to another status, in one step of the workflow."""
    return await _to_status(request, ref, body.status, reason=body.reason, resolution_notes=body.resolution_notes)


@router.post(
    "/tickets/{id}/resolve", responses=answers(200, TicketAnswer, 400, 403, 404, 409, 412), response_class=Response
)
async def resolve(request: Request, ref: Ref, body: ResolveBody) -> Response:
    """Resolve a ticket."""
    return await _to_status(request, ref, Status.RESOLVED, resolution_notes=body.resolution_notes)


@router.post(
    "/tickets/{id}/close", responses=answers(200, TicketAnswer, 400, 403, 404, 409, 412), response_class=Response
)
async def close(request: Request, ref: Ref, body: ReasonBody | None = None) -> Response:
    """Close a ticket."""
    return await _to_status(request, ref, Status.CLOSED, reason=body.reason if body else None)


@router.post(
    "/tickets/{id}/reopen", responses=answers(200, TicketAnswer, 400, 403, 404, 409, 412), response_class=Response
)
async def reopen(request: Request, ref: Ref, body: ReasonBody | None = None) -> Response:
    """Reopen a resolved or closed ticket."""
    return await _to_status(request, ref, Status.REOPENED, reason=body.reason if body else None)


async def _to_status(
    request: Request, ref: str, wanted: Status, *, reason: str | None = None, resolution_notes: str | None = None
) -> Response:
    return await _act(
        request,
        ref,
        service.change_status,
        wanted,
        reopen_window_days=access_of(request).settings.TICKET_REOPEN_WINDOW_DAYS,
        reason=reason,
        resolution_notes=resolution_notes,
        version=expected_version(request),
    )


@router.post(
    "/tickets/{id}/escalate", responses=answers(200, TicketAnswer, 400, 403, 404, 409, 412), response_class=Response
)
async def escalate(request: Request, ref: Ref, body: EscalateBody) -> Response:
    """Escalate a ticket that is in progress, if wanted to another team."""
    return await _act(request, ref, service.escalate, body.reason, body.team_id, expected_version(request))


@router.get("/tickets/{id}/history", responses=answers(200, Page[HistoryAnswer], 400, 404), response_class=Response)
async def history(request: Request, ref: Ref, parameters: Annotated[PageParameters, Query()]) -> Response:
    """Return a page of a ticket's history, oldest first."""
    page = await access_of(request).read(
        request, queries.list_history, as_ref(ref), parameters.limit, parameters.cursor
    )
    return json_response(page)


@router.get("/tickets/{id}/comments", responses=answers(200, Page[MessageAnswer], 400, 404), response_class=Response)
async def list_comments(request: Request, ref: Ref, parameters: Annotated[PageParameters, Query()]) -> Response:
    """Return a page of a ticket's conversation, oldest first."""
    page = await access_of(request).read(
        request, queries.list_messages, as_ref(ref), parameters.limit, parameters.cursor
    )
    return json_response(page)


@router.post(
    "/tickets/{id}/comments",
    status_code=201,
    responses=answers(201, MessageAnswer, 400, 403, 404, 409),
    response_class=Response,
)
async def add_comment(request: Request, ref: Ref, body: CommentBody) -> Response:
    """Add a public reply or an internal note to a ticket's conversation."""
    wanted = as_ref(ref)
    internal = _is_internal(body)

    def add(uow: UnitOfWork, actor: Actor) -> MessageAnswer:
        say = conversation.note if internal else conversation.reply
        said = say(uow, actor, wanted, body.content, body.comment_type, attachment_ids=body.attachment_ids)
        return queries.get_message(uow, actor, said.id)

    return await access_of(request).answer(request, 201, add)


def _is_internal(body: CommentBody) -> bool:
    if body.comment_type is CommentType.WORK_NOTE:
        if body.is_internal is False:
            raise Invalid([FieldError("is_internal", "A work note is always internal.")])
        return True
    return body.is_internal or False


CommentId = Annotated[UUID, Path(alias="id")]


@router.put("/comments/{id}", responses=answers(200, MessageAnswer, 400, 403, 404, 409), response_class=Response)
async def edit_comment(request: Request, comment_id: CommentId, body: CommentEdit) -> Response:
    """Change the text of one's own comment."""

    def edit(uow: UnitOfWork, actor: Actor) -> MessageAnswer:
        return queries.get_message(uow, actor, conversation.edit_message(uow, actor, comment_id, body.content).id)

    return await access_of(request).answer(request, 200, edit)


@router.delete("/comments/{id}", status_code=204, responses=answers(204, None, 400, 403, 404), response_class=Response)
async def delete_comment(request: Request, comment_id: CommentId) -> Response:
    """Remove a comment's text; its author or an administrator does this."""
    return await access_of(request).answer(request, 204, conversation.delete_message, comment_id)
