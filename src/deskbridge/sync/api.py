"""The API's doors to sync: connections, links, what failed, what both sides changed."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from deskbridge.kit.api import Body, Parameters, Word, answers
from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.http import expected_version, json_response, versioned_response
from deskbridge.kit.paging import DEFAULT_LIMIT, MAX_LIMIT, Page
from deskbridge.people.actor import Actor
from deskbridge.people.api import access_of
from deskbridge.sync import checks, connections, keeping, lists, queries, rehearsal, service
from deskbridge.sync.checks import Check, Outcome
from deskbridge.sync.connections import ToTry, Trial
from deskbridge.sync.lists import ConflictAnswer, FailureAnswer, FailureFilter, LinkFilter
from deskbridge.sync.model import ConflictState, Connection, FailureClass, FailureState, Link, LinkState, SyncFailure
from deskbridge.sync.queries import (
    ConnectionAnswer,
    ConnectionStatus,
    FieldExplained,
    LinkAnswer,
    MappingAnswer,
    SyncEntry,
)
from deskbridge.sync.rehearsal import Rehearsal
from deskbridge.sync.service import Choice
from deskbridge.sync.trackers_of import trackers_of
from deskbridge.tickets.model import Environment, ImpactLevel, Priority
from deskbridge.tickets.queries import as_ref

router = APIRouter(prefix="/api/v1", tags=["sync"])

RowId = Annotated[UUID, Path(alias="id")]
Ref = Annotated[str, Path(alias="id", max_length=40, description="The ticket's number or its id.")]
Secret = Annotated[Word, Field(min_length=1, max_length=5000, description="Never shown again.")]


# Connections


class ConnectionBody(Body):
    """A new connection. Without a mapping it gets the one shipped for its kind."""

    name: Word = Field(min_length=1, max_length=100)
    kind: Word = Field(max_length=30)
    base_url: Word = Field(max_length=500)
    way: Word = Field(max_length=10, description="How it signs in: basic, bearer or client.")
    secret: Secret
    account: Word = Field("", max_length=254)
    scope: Word = Field("", max_length=200)
    webhook_secret: Word = Field("", max_length=5000, description="Never shown again.")
    mapping: Word | None = Field(None, max_length=connections.MAX_MAPPING)
    slug: Word = Field("", max_length=60)


class ConnectionPatch(Body):
    """What changes of a connection; a new address asks for its credentials again."""

    name: Word = Field("", min_length=1, max_length=100)
    base_url: Word = Field("", max_length=500)
    way: Word = Field("", max_length=10)
    account: Word = Field("", max_length=254)
    secret: Secret = ""
    scope: Word = Field("", max_length=200)
    webhook_secret: Word = Field("", min_length=1, max_length=5000, description="Never shown again.")


class MappingBody(Body):
    text: Word = Field(max_length=connections.MAX_MAPPING)


class ConnectionList(msgspec.Struct):
    """Every connection, by name."""

    items: list[ConnectionAnswer]


class MappingFault(msgspec.Struct):
    """Something wrong with a mapping: its line (from 1), where in it, and what."""

    line: int
    path: str
    message: str


class CheckAnswer(msgspec.Struct):
    """One line of a test: `what` is auth, permissions, fields, clock or webhook."""

    what: str
    outcome: Outcome
    message: str


class TestBody(Body):
    """With a record's id, an internal comment is left on it, to see whether its webhook comes back."""

    round_trip: Word = Field("", max_length=200)


class TrialAnswer(msgspec.Struct):
    """What a test found. `clock_offset` is the tracker's clock minus the desk's, in seconds.

    `checks` say it line by line. A connection passes without webhooks: its changes are then found once a minute.
    """

    passed: bool
    account: str | None
    product: str | None
    time_zone: str | None
    clock_offset: float | None
    failure: str | None
    faults: list[MappingFault]
    checks: list[CheckAnswer]


@router.get("/sync/connections", responses=answers(200, ConnectionList, 403), response_class=Response)
async def list_connections(request: Request) -> Response:
    """Return the connections as they are set up; for whoever sees the monitor."""

    def every(reader: Reader, actor: Actor) -> ConnectionList:
        return ConnectionList(queries.list_connections(reader, actor))

    return json_response(await access_of(request).read(request, every))


@router.post(
    "/sync/connections", status_code=201, responses=answers(201, ConnectionAnswer, 400, 403), response_class=Response
)
async def add_connection(request: Request, body: ConnectionBody) -> Response:
    """Add a connection, as a draft; for administrators."""
    reach, new = trackers_of(request), connections.NewConnection(**body.model_dump())

    def add(uow: UnitOfWork, actor: Actor) -> ConnectionAnswer:
        row = connections.add_connection(uow, actor, reach.seal, reach.lines, new)
        return _shown(uow, actor, row)

    return await access_of(request).answer(request, 201, add)


def _shown(uow: UnitOfWork, actor: Actor, row: Connection) -> ConnectionAnswer:
    uow.session.flush()
    return queries.get_connection(uow, actor, row.id)


@router.get("/sync/connections/{id}", responses=answers(200, ConnectionAnswer, 400, 403, 404), response_class=Response)
async def get_connection(request: Request, connection_id: RowId) -> Response:
    """Return a connection as it is set up; for whoever sees the monitor."""
    return versioned_response(await access_of(request).read(request, queries.get_connection, connection_id))


@router.patch(
    "/sync/connections/{id}", responses=answers(200, ConnectionAnswer, 400, 403, 404, 412), response_class=Response
)
async def change_connection(request: Request, connection_id: RowId, body: ConnectionPatch) -> Response:
    """Change a connection; for administrators."""
    return await _change(request, connection_id, body.model_dump(exclude_unset=True), _shown)


async def _change(
    request: Request, connection_id: UUID, changes: Any, shown: Callable[[UnitOfWork, Actor, Connection], Any]
) -> Response:
    seal, version = trackers_of(request).seal, expected_version(request)

    def change(uow: UnitOfWork, actor: Actor) -> Any:
        return shown(uow, actor, connections.change_connection(uow, actor, seal, connection_id, changes, version))

    return await access_of(request).answer(request, 200, change)


@router.delete(
    "/sync/connections/{id}", status_code=204, responses=answers(204, None, 400, 403, 404, 409), response_class=Response
)
async def remove_connection(request: Request, connection_id: RowId) -> Response:
    """Forget a connection and its links; nothing is deleted in the tracker. For administrators."""
    return await access_of(request).answer(request, 204, connections.remove, connection_id)


@router.get(
    "/sync/connections/{id}/mapping", responses=answers(200, MappingAnswer, 400, 403, 404), response_class=Response
)
async def get_mapping(request: Request, connection_id: RowId) -> Response:
    """Return a connection's mapping; for whoever sees the monitor."""
    return versioned_response(await access_of(request).read(request, queries.get_mapping, connection_id))


@router.put(
    "/sync/connections/{id}/mapping", responses=answers(200, MappingAnswer, 400, 403, 404, 412), response_class=Response
)
async def put_mapping(request: Request, connection_id: RowId, body: MappingBody) -> Response:
    """Replace a connection's mapping; every fault is named with its line. For administrators."""

    def shown(uow: UnitOfWork, actor: Actor, row: Connection) -> MappingAnswer:
        uow.session.flush()
        return queries.get_mapping(uow, actor, row.id)

    return await _change(request, connection_id, {"mapping": body.text}, shown)


@router.post(
    "/sync/connections/{id}/test", responses=answers(200, TrialAnswer, 400, 403, 404, 409), response_class=Response
)
async def test_connection(
    request: Request,
    connection_id: RowId,
    body: TestBody | None = None,  # noqa: PT028 - a route, not a test
) -> Response:
    """Sign in and hold the mapping against the tracker's set-up; a draft that passes is rehearsed. For admins.

    Webhooks are judged by what came; with `round_trip` a record gets an internal comment whose webhook is awaited.
    """
    access, reach = access_of(request), trackers_of(request)
    record = body.round_trip.strip() if body else ""

    async def sent_round(wanted: ToTry) -> Check:
        after = await access.desk.read(checks.last_heard, connection_id)
        sent = await asyncio.to_thread(checks.send, reach.lines, wanted, record, after)
        if isinstance(sent, Check):
            return sent
        database = access.desk.database
        return await asyncio.to_thread(
            checks.await_hook, lambda: database.read(checks.is_heard, connection_id, sent), sent
        )

    async def test() -> TrialAnswer:
        wanted = await access.read(request, connections.to_try, reach.seal, connection_id)
        trial = await asyncio.to_thread(connections.try_out, reach.lines, wanted)
        await access.write(request, connections.record_trial, connection_id, trial)
        round_trip = await sent_round(wanted) if record and trial.health is not None else None
        hooks = await access.read(request, checks.hooks_of, connection_id)
        return _trial(trial, checks.checks_of(trial, hooks, round_trip))

    return await access.answer_in_parts(request, test)


def _trial(trial: Trial, found: Sequence[Check]) -> TrialAnswer:
    health = trial.health
    return TrialAnswer(
        trial.passed,
        health.account if health else None,
        health.product if health else None,
        health.time_zone if health else None,
        health.clock_offset.total_seconds() if health else None,
        trial.failure,
        [MappingFault(fault.line, fault.path, fault.message) for fault in trial.faults],
        [CheckAnswer(check.what, check.outcome, check.message) for check in found],
    )


@router.post(
    "/sync/connections/{id}/rehearsal", responses=answers(200, Rehearsal, 400, 403, 404, 409), response_class=Response
)
async def rehearse(request: Request, connection_id: RowId) -> Response:
    """Tell what the mapping would do with the latest records and tickets; changes nothing. For administrators."""
    access, reach = access_of(request), trackers_of(request)

    async def run() -> Rehearsal:
        wanted = await access.read(request, connections.to_try, reach.seal, connection_id)
        tickets = await access.read(request, rehearsal.rehearse_tickets, wanted.mapping, connection_id)
        records, failure = await asyncio.to_thread(rehearsal.rehearse_records, reach.lines, wanted)
        return Rehearsal(records, tickets, failure)

    return await access.answer_in_parts(request, run)


Steer = Callable[[UnitOfWork, Actor, UUID], Connection]


async def _steer(request: Request, connection_id: UUID, steer: Steer) -> Response:
    def done(uow: UnitOfWork, actor: Actor) -> ConnectionAnswer:
        return _shown(uow, actor, steer(uow, actor, connection_id))

    return await access_of(request).answer(request, 200, done)


@router.post(
    "/sync/connections/{id}/activate",
    responses=answers(200, ConnectionAnswer, 400, 403, 404, 409),
    response_class=Response,
)
async def activate(request: Request, connection_id: RowId) -> Response:
    """Let a rehearsed connection work for the first time; for administrators."""
    return await _steer(request, connection_id, connections.activate)


@router.post(
    "/sync/connections/{id}/pause",
    responses=answers(200, ConnectionAnswer, 400, 403, 404, 409),
    response_class=Response,
)
async def pause(request: Request, connection_id: RowId) -> Response:
    """Hold a connection up; what happens meanwhile is caught up later. For managers."""
    return await _steer(request, connection_id, connections.pause)


@router.post(
    "/sync/connections/{id}/resume",
    responses=answers(200, ConnectionAnswer, 400, 403, 404, 409),
    response_class=Response,
)
async def resume(request: Request, connection_id: RowId) -> Response:
    """Let a connection that was paused or stopped go on; for managers."""
    return await _steer(request, connection_id, connections.activate)


# How it does


class StatusList(msgspec.Struct):
    """How every connection does, by name."""

    items: list[ConnectionStatus]


@router.get("/sync/status", responses=answers(200, StatusList, 403), response_class=Response)
async def sync_status(request: Request) -> Response:
    """Return how every connection does: what waits, since when, what failed. For team leads."""

    def found(reader: Reader, actor: Actor) -> StatusList:
        return StatusList(queries.status(reader, actor))

    return json_response(await access_of(request).read(request, found))


# Links


class LinkBody(Body):
    ticket: Word = Field(max_length=40, description="The ticket's number or id.")
    connection_id: UUID
    remote_id: Word = Field(min_length=1, max_length=200, description="The record's id in its tracker.")


class LinkList(msgspec.Struct):
    """A ticket's links, by connection."""

    items: list[LinkAnswer]


class SyncTimeline(msgspec.Struct):
    """What sync did with a ticket, latest first, and why each field has its value towards each of its records."""

    items: list[SyncEntry]
    fields: list[FieldExplained]


class Paged(Parameters):
    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    cursor: Word | None = Field(None, max_length=1000)


class LinkParameters(Paged):
    connection_id: UUID | None = None
    state: LinkState | None = None
    waiting: bool | None = None


@router.get("/sync/links", responses=answers(200, Page[LinkAnswer], 400, 403), response_class=Response)
async def list_links(request: Request, parameters: Annotated[LinkParameters, Query()]) -> Response:
    """Return a page of links, newest first; for team leads."""
    wanted = LinkFilter(parameters.connection_id, parameters.state, parameters.waiting)
    page = await access_of(request).read(request, lists.list_links, wanted, parameters.limit, parameters.cursor)
    return json_response(page)


@router.get("/tickets/{id}/links", responses=answers(200, LinkList, 403, 404), response_class=Response)
async def ticket_links(request: Request, ref: Ref) -> Response:
    """Return a ticket's links; for agents."""

    def found(reader: Reader, actor: Actor) -> LinkList:
        return LinkList(queries.links_of(reader, actor, as_ref(ref)))

    return json_response(await access_of(request).read(request, found))


@router.get("/tickets/{id}/links/timeline", responses=answers(200, SyncTimeline, 403, 404), response_class=Response)
async def ticket_sync_timeline(request: Request, ref: Ref) -> Response:
    """Return what sync did with a ticket, and why its fields have the values they have; for agents."""

    def found(reader: Reader, actor: Actor) -> SyncTimeline:
        wanted = as_ref(ref)
        return SyncTimeline(queries.timeline_of(reader, actor, wanted), queries.explain(reader, actor, wanted))

    return json_response(await access_of(request).read(request, found))


@router.post(
    "/sync/links", status_code=201, responses=answers(201, LinkAnswer, 400, 403, 404, 409), response_class=Response
)
async def add_link(request: Request, body: LinkBody) -> Response:
    """Link a ticket to a record that is there already; for whoever may edit the ticket."""
    wanted = as_ref(body.ticket)

    def link(uow: UnitOfWork, actor: Actor) -> LinkAnswer:
        return _link(uow, service.link_by_hand(uow, actor, wanted, body.connection_id, body.remote_id))

    return await access_of(request).answer(request, 201, link)


def _link(uow: UnitOfWork, link: Link) -> LinkAnswer:
    uow.session.flush()
    return lists.get_link(uow, link.id)


async def _change_link(
    request: Request, link_id: UUID, use_case: Callable[[UnitOfWork, Actor, UUID], Link]
) -> Response:
    def change(uow: UnitOfWork, actor: Actor) -> LinkAnswer:
        return _link(uow, use_case(uow, actor, link_id))

    return await access_of(request).answer(request, 200, change)


@router.delete("/sync/links/{id}", responses=answers(200, LinkAnswer, 400, 403, 404), response_class=Response)
async def unlink(request: Request, link_id: RowId) -> Response:
    """Let go of a record; both sides stay as they are. For whoever may edit the ticket."""
    return await _change_link(request, link_id, service.unlink)


@router.post("/sync/links/{id}/relink", responses=answers(200, LinkAnswer, 400, 403, 404, 409), response_class=Response)
async def relink(request: Request, link_id: RowId) -> Response:
    """Tie a link again that was let go of or paused; for whoever may edit the ticket."""
    return await _change_link(request, link_id, service.relink)


@router.post("/sync/links/{id}/pause", responses=answers(200, LinkAnswer, 400, 403, 404, 409), response_class=Response)
async def pause_link(request: Request, link_id: RowId) -> Response:
    """Hold one link up until it is linked again; for whoever may edit the ticket."""
    return await _change_link(request, link_id, service.pause_link)


# Conflicts


class ConflictParameters(Paged):
    state: ConflictState = ConflictState.OPEN


class SettleBody(Body):
    """Whose value stays: the desk's, the tracker's, or of a text both."""

    choice: Choice


@router.get("/sync/conflicts", responses=answers(200, Page[ConflictAnswer], 400, 403), response_class=Response)
async def list_conflicts(request: Request, parameters: Annotated[ConflictParameters, Query()]) -> Response:
    """Return a page of what both sides changed, latest first; for agents."""
    page = await access_of(request).read(
        request, lists.list_conflicts, parameters.state, parameters.limit, parameters.cursor
    )
    return json_response(page)


@router.post(
    "/sync/conflicts/{id}/settle", responses=answers(200, ConflictAnswer, 400, 403, 404, 409), response_class=Response
)
async def settle_conflict(request: Request, conflict_id: RowId, body: SettleBody) -> Response:
    """Decide whose value stays; for whoever may edit the ticket."""

    def settle(uow: UnitOfWork, actor: Actor) -> ConflictAnswer:
        row = service.settle_conflict(uow, actor, conflict_id, body.choice)
        uow.session.flush()
        return lists.get_conflict(uow, row.id)

    return await access_of(request).answer(request, 200, settle)


# Failures


class FailureParameters(Paged):
    connection_id: UUID | None = None
    failure: FailureClass | None = None
    state: FailureState = FailureState.OPEN


class EditBody(Body):
    """Those fields of the ticket that change before it is tried again."""

    title: Word = Field("", max_length=200)
    description: Word = Field("", max_length=50_000)
    category: Word = Field("", max_length=60)
    priority: Priority = Priority.P3
    environment: Environment | None = None
    affected_service: Word | None = Field(None, max_length=200)
    impact_level: ImpactLevel | None = None
    tags: list[Word] = Field([], max_length=20)


class DiscardBody(Body):
    reason: Word = Field(min_length=1, max_length=1000)


@router.get("/sync/failures", responses=answers(200, Page[FailureAnswer], 400, 403), response_class=Response)
async def list_failures(request: Request, parameters: Annotated[FailureParameters, Query()]) -> Response:
    """Return a page of what failed, latest first; for team leads. Payloads are for administrators."""
    wanted = FailureFilter(parameters.connection_id, parameters.failure, parameters.state)
    page = await access_of(request).read(request, lists.list_failures, wanted, parameters.limit, parameters.cursor)
    return json_response(page)


@router.post(
    "/sync/failures/{id}/retry", responses=answers(200, FailureAnswer, 400, 403, 404, 409), response_class=Response
)
async def retry_failure(request: Request, failure_id: RowId, body: EditBody | None = None) -> Response:
    """Try again, with the ticket edited first if the body says how; for managers."""
    changes: Any = body.model_dump(exclude_unset=True) if body else {}

    def retry(uow: UnitOfWork, actor: Actor) -> FailureAnswer:
        return _failure(uow, actor, service.edit_and_retry(uow, actor, failure_id, changes))

    return await access_of(request).answer(request, 200, retry)


@router.post(
    "/sync/failures/{id}/discard", responses=answers(200, FailureAnswer, 400, 403, 404, 409), response_class=Response
)
async def discard_failure(request: Request, failure_id: RowId, body: DiscardBody) -> Response:
    """Let a failure be, and say why; its link rests until something changes again. For managers."""

    def discard(uow: UnitOfWork, actor: Actor) -> FailureAnswer:
        return _failure(uow, actor, service.discard_failure(uow, actor, failure_id, body.reason))

    return await access_of(request).answer(request, 200, discard)


class KeepBody(Body):
    record: Word = Field(min_length=1, max_length=200, description="The key of the record that stays linked.")


@router.post(
    "/sync/failures/{id}/keep", responses=answers(200, FailureAnswer, 400, 403, 404, 409), response_class=Response
)
async def keep_record(request: Request, failure_id: RowId, body: KeepBody) -> Response:
    """Of suspected duplicates keep one: the others get a note in the tracker and are let go of. For managers."""
    access, reach = access_of(request), trackers_of(request)

    def keep(uow: UnitOfWork, actor: Actor) -> FailureAnswer:
        return _failure(uow, actor, keeping.keep_record(uow, actor, failure_id, body.record))

    async def run() -> FailureAnswer:
        said = await access.read(request, keeping.farewell, reach.seal, failure_id, body.record)
        await asyncio.to_thread(keeping.bid_farewell, reach.lines, said)
        return await access.write(request, keep)

    return await access.answer_in_parts(request, run)


def _failure(uow: UnitOfWork, actor: Actor, row: SyncFailure) -> FailureAnswer:
    uow.session.flush()
    return lists.get_failure(uow, actor, row.id)
