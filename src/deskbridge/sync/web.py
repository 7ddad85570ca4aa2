"""The sync monitor's page: how connections do, what failed, what both sides changed; works without scripts."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from deskbridge.kit.db import Reader
from deskbridge.kit.errors import Conflict, Invalid, Malformed
from deskbridge.people.actor import Actor, Role
from deskbridge.people.front import front_of, see_other
from deskbridge.sync import connections, queries, service
from deskbridge.sync.lists import ConflictAnswer, FailureAnswer, FailureFilter, list_conflicts, list_failures
from deskbridge.sync.model import ConflictState
from deskbridge.sync.queries import ConnectionStatus
from deskbridge.sync.service import Choice

router = APIRouter(prefix="/desk/sync", include_in_schema=False)

RowId = Annotated[UUID, Path(alias="id")]
PATH = "/desk/sync"
SHOWN = 50
STEERS = {"pause": connections.pause, "resume": connections.activate}


@dataclass(frozen=True)
class Monitor:
    """What the page shows: the latest of each."""

    connections: list[ConnectionStatus]
    failures: list[FailureAnswer]
    conflicts: list[ConflictAnswer]


def _monitor(reader: Reader, actor: Actor) -> Monitor:
    return Monitor(
        queries.status(reader, actor),
        list_failures(reader, actor, FailureFilter(), SHOWN, None).items,
        list_conflicts(reader, actor, ConflictState.OPEN, SHOWN, None).items,
    )


@router.get("")
async def monitor_page(request: Request) -> Response:
    return await _page(request)


async def _page(request: Request, problem: str = "", status: int = 200) -> Response:
    front = front_of(request)
    actor, seen = await front.read(request, _monitor)
    context = {
        "connections": seen.connections,
        "failures": seen.failures,
        "conflicts": seen.conflicts,
        "steers": actor.role.at_least(Role.MANAGER),
        "problem": problem,
        "view_now": "sync",
    }
    return front.page(request, actor, "sync/monitor.html", context, status)


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
