"""The API's doors to what goes with tickets: time, relations, merging, watchers, ratings, views, bulk changes."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from deskbridge.kit.api import Body, Moment, Word, answers
from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.errors import DomainError, FieldError, Invalid
from deskbridge.kit.http import expected_version, json_response, versioned_response
from deskbridge.people.actor import Actor
from deskbridge.people.api import access_of
from deskbridge.people.queries import NamedThing
from deskbridge.tickets import queries, relations, saved_views, service, time_entries
from deskbridge.tickets.answers import TicketAnswer
from deskbridge.tickets.companions import RelationType
from deskbridge.tickets.fields import MAX_TAGS, NOTES_LENGTH
from deskbridge.tickets.model import Priority, Status, Ticket
from deskbridge.tickets.queries import as_ref
from deskbridge.tickets.relations import RelationAnswer
from deskbridge.tickets.saved_views import ViewAnswer
from deskbridge.tickets.time_entries import TimeEntryAnswer

router = APIRouter(prefix="/api/v1", tags=["tickets"])

Ref = Annotated[str, Path(alias="id", max_length=40, description="The ticket's number or its id.")]
RowId = Annotated[UUID, Path(alias="id")]
MOST_IN_BULK = 500


# Time


class TimeBody(Body):
    minutes: int = Field(ge=time_entries.LEAST, le=time_entries.MOST)
    note: str = Field("", max_length=time_entries.NOTE_LENGTH)
    started_at: Moment | None = None


class TimePatch(Body):
    minutes: int = Field(1, ge=time_entries.LEAST, le=time_entries.MOST)
    note: str = Field("", max_length=time_entries.NOTE_LENGTH)
    started_at: Moment | None = None


class TimeEntryList(msgspec.Struct):
    """A ticket's time entries, oldest work first."""

    items: list[TimeEntryAnswer]


@router.get("/tickets/{id}/time-entries", responses=answers(200, TimeEntryList, 403, 404), response_class=Response)
async def list_time(request: Request, ref: Ref) -> Response:
    """Return the time worked on a ticket; for agents."""

    def entries(reader: Reader, actor: Actor) -> TimeEntryList:
        return TimeEntryList(time_entries.list_time_entries(reader, actor, as_ref(ref)))

    return json_response(await access_of(request).read(request, entries))


@router.post(
    "/tickets/{id}/time-entries",
    status_code=201,
    responses=answers(201, TimeEntryAnswer, 400, 403, 404, 409),
    response_class=Response,
)
async def log_time(request: Request, ref: Ref, body: TimeBody) -> Response:
    """Log time worked on a ticket; for agents."""
    wanted = as_ref(ref)

    def log(uow: UnitOfWork, actor: Actor) -> TimeEntryAnswer:
        entry = time_entries.log_time(uow, actor, wanted, body.minutes, body.note, body.started_at)
        return time_entries.get_time_entry(uow, entry.id)

    return await access_of(request).answer(request, 201, log)


@router.patch(
    "/time-entries/{id}", responses=answers(200, TimeEntryAnswer, 400, 403, 404, 409), response_class=Response
)
async def change_time(request: Request, entry_id: RowId, body: TimePatch) -> Response:
    """Correct a time entry; its author or a manager does this."""
    changes = {name: value for name, value in body.model_dump(exclude_unset=True).items() if value is not None}

    def change(uow: UnitOfWork, actor: Actor) -> TimeEntryAnswer:
        return time_entries.get_time_entry(uow, time_entries.change_time(uow, actor, entry_id, _typed(changes)).id)

    return await access_of(request).answer(request, 200, change)


def _typed(changes: Any) -> time_entries.TimeChanges:
    typed: time_entries.TimeChanges = changes
    return typed


@router.delete(
    "/time-entries/{id}", status_code=204, responses=answers(204, None, 400, 403, 404), response_class=Response
)
async def delete_time(request: Request, entry_id: RowId) -> Response:
    """Remove a time entry; its author or a manager does this."""
    return await access_of(request).answer(request, 204, time_entries.delete_time, entry_id)


# Relations and merging


class RelationBody(Body):
    type: RelationType
    ticket: Word = Field(max_length=40, description="The other ticket's number or id.")


class MergeBody(Body):
    into: Word = Field(max_length=40, description="The number or id of the ticket that stays.")


class RelationList(msgspec.Struct):
    """A ticket's relations."""

    items: list[RelationAnswer]


@router.get("/tickets/{id}/relations", responses=answers(200, RelationList, 403, 404), response_class=Response)
async def list_relations(request: Request, ref: Ref) -> Response:
    """Return a ticket's relations; for agents."""

    def related(reader: Reader, actor: Actor) -> RelationList:
        return RelationList(relations.list_relations(reader, actor, as_ref(ref)))

    return json_response(await access_of(request).read(request, related))


@router.post(
    "/tickets/{id}/relations",
    status_code=201,
    responses=answers(201, RelationList, 400, 403, 404, 409),
    response_class=Response,
)
async def relate(request: Request, ref: Ref, body: RelationBody) -> Response:
    """Relate a ticket to another and return its relations; for agents."""
    wanted, other = as_ref(ref), as_ref(body.ticket)

    def add(uow: UnitOfWork, actor: Actor) -> RelationList:
        relations.relate(uow, actor, wanted, body.type, other)
        return RelationList(relations.list_relations(uow, actor, wanted))

    return await access_of(request).answer(request, 201, add)


@router.delete(
    "/tickets/{id}/relations", status_code=204, responses=answers(204, None, 400, 403, 404), response_class=Response
)
async def unrelate(request: Request, ref: Ref, relation_id: Annotated[UUID, Query()]) -> Response:
    """Remove one of a ticket's relations; for agents."""
    return await access_of(request).answer(request, 204, relations.unrelate, as_ref(ref), relation_id)


@router.post(
    "/tickets/{id}/merge", responses=answers(200, TicketAnswer, 400, 403, 404, 409, 412), response_class=Response
)
async def merge(request: Request, ref: Ref, body: MergeBody) -> Response:
    """Merge a ticket into another one of the same requester, and return it."""
    wanted, into, version = as_ref(ref), as_ref(body.into), expected_version(request)

    def merge_into(uow: UnitOfWork, actor: Actor) -> TicketAnswer:
        return queries.get_ticket(uow, actor, relations.merge(uow, actor, wanted, into, version).id)

    return await access_of(request).answer(request, 200, merge_into)


@router.post("/tickets/{id}/unmerge", responses=answers(200, TicketAnswer, 403, 404, 409, 412), response_class=Response)
async def unmerge(request: Request, ref: Ref) -> Response:
    """Undo a merge, and return the ticket as it was before."""
    wanted, version = as_ref(ref), expected_version(request)

    def undo(uow: UnitOfWork, actor: Actor) -> TicketAnswer:
        return queries.get_ticket(uow, actor, relations.unmerge(uow, actor, wanted, version).id)

    return await access_of(request).answer(request, 200, undo)


# Watchers


class WatcherBody(Body):
    user_id: UUID | None = Field(None, description="An agent; oneself when left out.")


class WatcherList(msgspec.Struct):
    """Who watches a ticket, by name."""

    items: list[NamedThing]


@router.get("/tickets/{id}/watchers", responses=answers(200, WatcherList, 403, 404), response_class=Response)
async def list_watchers(request: Request, ref: Ref) -> Response:
    """Return who watches a ticket; for agents."""

    def watching(reader: Reader, actor: Actor) -> WatcherList:
        return WatcherList(relations.list_watchers(reader, actor, as_ref(ref)))

    return json_response(await access_of(request).read(request, watching))


@router.post(
    "/tickets/{id}/watchers",
    status_code=201,
    responses=answers(201, WatcherList, 400, 403, 404, 409),
    response_class=Response,
)
async def watch(request: Request, ref: Ref, body: WatcherBody | None = None) -> Response:
    """Watch a ticket, or let another agent watch it, and return who does."""
    wanted, user_id = as_ref(ref), body.user_id if body else None

    def add(uow: UnitOfWork, actor: Actor) -> WatcherList:
        relations.watch(uow, actor, wanted, user_id)
        return WatcherList(relations.list_watchers(uow, actor, wanted))

    return await access_of(request).answer(request, 201, add)


@router.delete(
    "/tickets/{id}/watchers", status_code=204, responses=answers(204, None, 400, 403, 404), response_class=Response
)
async def unwatch(request: Request, ref: Ref, user_id: Annotated[UUID | None, Query()] = None) -> Response:
    """Stop watching a ticket, or let another agent stop."""
    return await access_of(request).answer(request, 204, relations.unwatch, as_ref(ref), user_id)


# Rating


class RatingBody(Body):
    score: int = Field(ge=1, le=5)
    comment: str = Field("", max_length=NOTES_LENGTH[1])


@router.post("/tickets/{id}/rating", responses=answers(200, TicketAnswer, 400, 403, 404, 409), response_class=Response)
async def rate(request: Request, ref: Ref, body: RatingBody) -> Response:
    """Say how it went; for the requester, once the ticket is resolved."""
    wanted = as_ref(ref)

    def give(uow: UnitOfWork, actor: Actor) -> TicketAnswer:
        return queries.get_ticket(uow, actor, service.rate(uow, actor, wanted, body.score, body.comment).id)

    return await access_of(request).answer(request, 200, give)


# Views


class ViewBody(Body):
    name: Word = Field(min_length=1, max_length=100)
    query: Word = Field(max_length=2000, description="The query part of the list's address.")
    shared: bool = False


class ViewList(msgspec.Struct):
    """Saved views, by name."""

    items: list[ViewAnswer]


@router.get("/views", responses=answers(200, ViewList), response_class=Response)
async def list_views(request: Request) -> Response:
    """Return one's own views and, for agents, the shared ones."""

    def views(reader: Reader, actor: Actor) -> ViewList:
        return ViewList(saved_views.list_views(reader, actor))

    return json_response(await access_of(request).read(request, views))


@router.post("/views", status_code=201, responses=answers(201, ViewAnswer, 400, 403, 409), response_class=Response)
async def add_view(request: Request, body: ViewBody) -> Response:
    """Save a view."""
    return await _save_view(request, 201, body, None, None)


@router.get("/views/{id}", responses=answers(200, ViewAnswer, 400, 404), response_class=Response)
async def get_view(request: Request, view_id: RowId) -> Response:
    """Return a view of one's own or, for agents, a shared one."""
    return versioned_response(await access_of(request).read(request, saved_views.get_view, view_id))


@router.put("/views/{id}", responses=answers(200, ViewAnswer, 400, 403, 404, 409, 412), response_class=Response)
async def put_view(request: Request, view_id: RowId, body: ViewBody) -> Response:
    """Change a view."""
    return await _save_view(request, 200, body, view_id, expected_version(request))


async def _save_view(
    request: Request, status: int, body: ViewBody, view_id: UUID | None, version: int | None
) -> Response:
    def save(uow: UnitOfWork, actor: Actor) -> ViewAnswer:
        saved = saved_views.save_view(
            uow, actor, body.name, body.query, shared=body.shared, view_id=view_id, version=version
        )
        return saved_views.get_view(uow, actor, saved.id)

    return await access_of(request).answer(request, status, save)


@router.delete("/views/{id}", status_code=204, responses=answers(204, None, 400, 403, 404), response_class=Response)
async def delete_view(request: Request, view_id: RowId) -> Response:
    """Remove a view."""
    return await access_of(request).answer(request, 204, saved_views.delete_view, view_id)


# Bulk


class BulkBody(Body):
    """The same change of many tickets; the parts given are made in this order, each ticket by itself."""

    tickets: list[Word] = Field(min_length=1, max_length=MOST_IN_BULK, description="Numbers or ids.")
    priority: Priority | None = None
    add_tags: list[str] = Field([], max_length=MAX_TAGS)
    remove_tags: list[str] = Field([], max_length=MAX_TAGS)
    assignee_id: UUID | None = Field(None, description="null releases.")
    team_id: UUID | None = Field(None, description="null takes it away.")
    status: Status | None = None
    reason: str | None = Field(None, max_length=NOTES_LENGTH[1])
    resolution_notes: str | None = Field(None, max_length=NOTES_LENGTH[1])


class BulkResult(msgspec.Struct, omit_defaults=True):
    """What became of one ticket."""

    ticket: str
    ok: bool
    error_code: str | None = None
    detail: str | None = None


class BulkAnswer(msgspec.Struct):
    """What became of each ticket, in the order asked."""

    changed: int
    failed: int
    results: list[BulkResult]


@router.post("/tickets/bulk", responses=answers(200, BulkAnswer, 400, 403, 409), response_class=Response)
async def change_many(request: Request, body: BulkBody) -> Response:
    """Change up to 500 tickets, each in a transaction of its own, and tell of each how it went."""
    if not body.model_fields_set - {"tickets", "reason", "resolution_notes"}:
        raise Invalid([FieldError("status", "Say what to change.")])
    access = access_of(request)
    await access.read(request, _whoever)

    async def change() -> BulkAnswer:
        results = [await _changed(request, ref, body) for ref in dict.fromkeys(body.tickets)]
        changed = sum(result.ok for result in results)
        return BulkAnswer(changed, len(results) - changed, results)

    return await access.answer_in_parts(request, change)


def _whoever(_reader: Reader, _actor: Actor) -> None:
    """Find out that somebody is signed in at all, before the first ticket."""


async def _changed(request: Request, ref: str, body: BulkBody) -> BulkResult:
    access = access_of(request)
    try:
        await access.write(request, _change_one, ref, body, access.settings.TICKET_REOPEN_WINDOW_DAYS)
    except DomainError as error:
        return BulkResult(ref, ok=False, error_code=error.code, detail=error.detail)
    return BulkResult(ref, ok=True)


def _change_one(uow: UnitOfWork, actor: Actor, ref: str, body: BulkBody, reopen_window_days: int) -> Ticket:
    """Make the parts of a bulk change to one ticket, all or none."""
    wanted = as_ref(ref)
    ticket = service.locked(uow, actor, wanted)
    given = body.model_fields_set
    if body.priority is not None:
        service.update_ticket(uow, actor, wanted, {"priority": body.priority})
    if body.add_tags or body.remove_tags:
        service.change_tags(uow, actor, wanted, body.add_tags, body.remove_tags)
    if given & {"assignee_id", "team_id"}:
        assignment: Any = body.model_dump(include={"assignee_id", "team_id"} & given)
        service.assign(uow, actor, wanted, assignment)
    if body.status is not None and body.status is not ticket.status:
        service.change_status(
            uow,
            actor,
            wanted,
            body.status,
            reopen_window_days=reopen_window_days,
            reason=body.reason,
            resolution_notes=body.resolution_notes,
        )
    return ticket
