"""The sync monitor's page: how connections do, what failed, what both sides changed; works without scripts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from deskbridge.kit.db import Reader
from deskbridge.kit.errors import Conflict, Invalid, Malformed, NotFound, PreconditionFailed
from deskbridge.people.actor import Actor, Role
from deskbridge.people.front import complaints, front_of, see_other
from deskbridge.sync import connections, queries, service
from deskbridge.sync.lists import (
    ConflictAnswer,
    FailureAnswer,
    FailureFilter,
    LinkFilter,
    get_failure,
    list_conflicts,
    list_failures,
    list_links,
    may_settle,
)
from deskbridge.sync.model import Breaker, ConflictState, FailureClass, LinkState
from deskbridge.sync.queries import ConnectionStatus, LinkAnswer
from deskbridge.sync.service import Choice
from deskbridge.tickets.answers import CategoryAnswer, TicketAnswer
from deskbridge.tickets.queries import active_categories, get_ticket
from deskbridge.tickets.web_forms import as_form, changes_of, field_choices
from deskbridge.ui.languages import said

router = APIRouter(prefix="/desk/sync", include_in_schema=False)

RowId = Annotated[UUID, Path(alias="id")]
Fields = dict[str, str]
PATH = "/desk/sync"
SHOWN, FIRST_FEW = 50, 10
STEERS = {"pause": connections.pause, "resume": connections.activate}


@dataclass(frozen=True)
class Monitor:
    """What the page shows: the latest of each. `settleable` are the conflicts this reader may settle."""

    connections: list[ConnectionStatus]
    failures: list[FailureAnswer]
    conflicts: list[ConflictAnswer]
    settleable: set[UUID]
    unknown: list[LinkAnswer]
    waiting: list[LinkAnswer]


def _monitor(reader: Reader, actor: Actor) -> Monitor:
    conflicts = list_conflicts(reader, actor, ConflictState.OPEN, SHOWN, None).items
    return Monitor(
        queries.status(reader, actor),
        list_failures(reader, actor, FailureFilter(), SHOWN, None).items,
        conflicts,
        may_settle(reader, actor, conflicts),
        list_links(reader, actor, LinkFilter(state=LinkState.UNKNOWN), SHOWN, None).items,
        list_links(reader, actor, LinkFilter(waiting=True), FIRST_FEW, None).items,
    )


@router.get("")
async def monitor_page(request: Request) -> Response:
    return await _page(request)


async def _page(request: Request, problem: str = "", status: int = 200) -> Response:
    front = front_of(request)
    actor, seen = await front.read(request, _monitor)
    context = {
        "connections": seen.connections,
        "causes": _by_cause([one for one in seen.failures if one.failure is not FailureClass.DUPLICATE]),
        "duplicates": _by_cause([one for one in seen.failures if one.failure is FailureClass.DUPLICATE]),
        "waiting": seen.waiting,
        "goes_on": any(one.dirty or one.unknown or one.breaker is not Breaker.CLOSED for one in seen.connections),
        "conflicts": seen.conflicts,
        "settleable": seen.settleable,
        "unknown": seen.unknown,
        "sets_up": actor.role.at_least(Role.ADMIN),
        "steers": actor.role.at_least(Role.MANAGER),
        "problem": said(front.language(request, actor), problem),
        "view_now": "sync",
    }
    return front.page(request, actor, "sync/monitor.html", context, status)


def _by_cause(failures: Sequence[FailureAnswer]) -> list[list[FailureAnswer]]:
    """Return failures that have their cause in common together, the latest cause first."""
    causes: dict[tuple[str, ...], list[FailureAnswer]] = {}
    for one in failures:
        causes.setdefault((one.failure, one.connection, one.field or "", one.reason), []).append(one)
    return list(causes.values())


@router.post("/connections/{id}/{steer}")
async def steer(
    request: Request, connection_id: RowId, steer: Annotated[str, Path(pattern="^(pause|resume)$")]
) -> Response:
    front = front_of(request)
    await front.form(request)
    try:
        await front.write(request, STEERS[steer], connection_id)
    except Conflict as refused:
        return await _page(request, refused.detail, 409)
    return see_other(PATH)


@router.post("/failures/{id}/retry")
async def retry(request: Request, failure_id: RowId) -> Response:
    front = front_of(request)
    await front.form(request)
    try:
        await front.write(request, service.retry_failure, failure_id)
    except Conflict as refused:
        return await _page(request, refused.detail, 409)
    return see_other(PATH)


@router.get("/failures/{id}/edit")
async def edit_page(request: Request, failure_id: RowId) -> Response:
    """Show what failed, with the ticket's fields to mend it."""
    return await _edit_page(request, failure_id)


async def _edit_page(
    request: Request,
    failure_id: UUID,
    sent: Fields | None = None,
    errors: Fields | None = None,
    problem: str = "",
    status: int = 200,
) -> Response:
    front = front_of(request)
    actor, (failure, ticket, categories) = await front.read(request, _editable, failure_id)
    language = front.language(request, actor)
    context = {
        "failure": failure,
        "ticket": ticket,
        "sent": sent or as_form(ticket),
        "errors": errors or {},
        "problem": said(language, problem),
        "choices": field_choices(language, categories),
        "view_now": "sync",
    }
    return front.page(request, actor, "sync/failure.html", context, status)


def _editable(
    reader: Reader, actor: Actor, failure_id: UUID
) -> tuple[FailureAnswer, TicketAnswer, list[CategoryAnswer]]:
    connections.require_manager(actor)
    failure = get_failure(reader, actor, failure_id)
    if failure.number is None:
        raise NotFound("This failure has no ticket to edit.")
    return failure, get_ticket(reader, actor, failure.number), active_categories(reader)


@router.post("/failures/{id}/edit")
async def edit_and_retry(request: Request, failure_id: RowId) -> Response:
    """Save the ticket's fields and have it tried again, both or neither."""
    front = front_of(request)
    form = await front.form(request)
    version = form.get("version", "")
    seen = int(version) if version.isascii() and version.isdigit() else None
    try:
        await front.write(request, service.edit_and_retry, failure_id, changes_of(form), seen)
    except Invalid as refused:
        language = front.language(request, await front.visitor(request))
        return await _edit_page(request, failure_id, form, complaints(language, refused), status=422)
    except (Conflict, PreconditionFailed) as refused:
        return await _edit_page(request, failure_id, form, problem=refused.detail, status=409)
    return see_other(PATH)


@router.post("/failures/{id}/discard")
async def discard(request: Request, failure_id: RowId) -> Response:
    front = front_of(request)
    reason = (await front.form(request)).get("reason", "")
    try:
        await front.write(request, service.discard_failure, failure_id, reason)
    except (Conflict, Invalid) as refused:
        return await _page(request, refused.detail, 409)
    return see_other(PATH)


@router.post("/conflicts/{id}/settle")
async def settle(request: Request, conflict_id: RowId) -> Response:
    front = front_of(request)
    wanted = (await front.form(request)).get("choice", "")
    choice = _chosen(wanted)
    try:
        await front.write(request, service.settle_conflict, conflict_id, choice)
    except (Conflict, Invalid) as refused:
        return await _page(request, refused.detail, 409)
    return see_other(PATH)


def _chosen(word: str) -> Choice:
    try:
        return Choice(word)
    except ValueError:
        raise Malformed("Say whose value stays.") from None
