"""Setting a connection up, on pages for administrators: address, credentials, test, mapping, rehearsal, removal."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.errors import Conflict, Invalid, PreconditionFailed
from deskbridge.people.actor import Actor
from deskbridge.people.front import complaints, front_of, see_other
from deskbridge.sync import checks, connections, queries, rehearsal
from deskbridge.sync.checks import Hooks
from deskbridge.sync.connections import ConnectionChanges, NewConnection, Trial
from deskbridge.sync.queries import ConnectionAnswer, MappingAnswer
from deskbridge.sync.rehearsal import Rehearsal
from deskbridge.sync.trackers_of import trackers_of
from deskbridge.ui.languages import said

router = APIRouter(prefix="/desk/sync/connections", include_in_schema=False)

RowId = Annotated[UUID, Path(alias="id")]
Fields = dict[str, str]
PATH = "/desk/sync/connections"


# A new connection


@router.get("/new")
async def new_page(request: Request) -> Response:
    return await _new_page(request, {})


async def _new_page(request: Request, sent: Fields, errors: Fields | None = None, status: int = 200) -> Response:
    front = front_of(request)
    actor, _ = await front.read(request, _admitted)
    context = {
        "sent": sent,
        "errors": errors or {},
        "kinds": trackers_of(request).lines.kinds(),
        "view_now": "sync",
    }
    return front.page(request, actor, "sync/new.html", context, status)


def _admitted(_reader: Reader, actor: Actor) -> None:
    connections.require_admin(actor)


@router.post("/new")
async def add(request: Request) -> Response:
    """Add a connection as a draft, with the mapping that is shipped for its kind."""
    front = front_of(request)
    form = await front.form(request)
    try:
        added = await front.write(request, _add, request, form)
    except Invalid as error:
        language = front.language(request, await front.visitor(request))
        return await _new_page(request, form, complaints(language, error), 422)
    return see_other(f"{PATH}/{added}")


def _add(uow: UnitOfWork, actor: Actor, request: Request, form: Fields) -> UUID:
    reach = trackers_of(request)
    new = NewConnection(
        name=form.get("name", ""),
        kind=form.get("kind", ""),
        base_url=form.get("base_url", "").strip(),
        way=form.get("way", ""),
        secret=form.get("secret", ""),
        account=form.get("account", ""),
        scope=form.get("scope", ""),
        webhook_secret=form.get("webhook_secret", ""),
    )
    return connections.add_connection(uow, actor, reach.seal, reach.lines, new).id


# One connection


@dataclass(frozen=True)
class Told:
    """What the page tells besides the connection: what was sent and refused, and what a test or rehearsal found."""

    sent: Fields | None = None
    errors: Fields | None = None
    faults: Sequence[str] = ()
    problem: str = ""
    trial: Trial | None = None
    hooks: Hooks | None = None
    rehearsal: Rehearsal | None = None


@router.get("/{id}")
async def connection_page(request: Request, connection_id: RowId) -> Response:
    return await _page(request, connection_id, Told())


async def _page(request: Request, connection_id: UUID, told: Told, status: int = 200) -> Response:
    front = front_of(request)
    actor, (connection, mapping) = await front.read(request, _set_up, connection_id)
    present = {name: getattr(connection, name) for name in ("name", "base_url", "way", "account", "scope")}
    context = {
        "connection": connection,
        "mapping": mapping.text,
        "sent": present | (told.sent or {}),
        "errors": told.errors or {},
        "faults": told.faults,
        "problem": said(front.language(request, actor), told.problem),
        "trial": told.trial,
        "hooks": told.hooks,
        "rehearsal": told.rehearsal,
        "view_now": "sync",
    }
    return front.page(request, actor, "sync/connection.html", context, status)


def _set_up(reader: Reader, actor: Actor, connection_id: UUID) -> tuple[ConnectionAnswer, MappingAnswer]:
    connections.require_admin(actor)
    found = queries.get_connection(reader, actor, connection_id)
    return found, queries.get_mapping(reader, actor, connection_id)


@router.post("/{id}/settings")
async def change(request: Request, connection_id: RowId) -> Response:
    """Save address and credentials; credentials that are left empty stay."""
    form = await front_of(request).form(request)
    changes = ConnectionChanges(
        name=form.get("name", ""),
        base_url=form.get("base_url", "").strip(),
        way=form.get("way", ""),
        account=form.get("account", ""),
        scope=form.get("scope", ""),
    )
    if form.get("secret"):
        changes["secret"] = form["secret"]
    if form.get("webhook_secret"):
        changes["webhook_secret"] = form["webhook_secret"]
    return await _change(request, connection_id, changes, form)


@router.post("/{id}/mapping")
async def change_mapping(request: Request, connection_id: RowId) -> Response:
    """Save the mapping, unless it has faults; each is told with its line."""
    form = await front_of(request).form(request)
    changes = ConnectionChanges(mapping=form.get("mapping", "").replace("\r\n", "\n"))
    return await _change(request, connection_id, changes, form)


async def _change(request: Request, connection_id: UUID, changes: ConnectionChanges, form: Fields) -> Response:
    front, seal = front_of(request), trackers_of(request).seal
    version = form.get("version", "")
    seen = int(version) if version.isascii() and version.isdigit() else None
    try:
        await front.write(request, connections.change_connection, seal, connection_id, changes, seen)
    except Invalid as error:
        language = front.language(request, await front.visitor(request))
        faults = [message for field, message in error.errors if field == "mapping"]
        told = Told(form, complaints(language, error), faults)
        return await _page(request, connection_id, told, 422)
    except PreconditionFailed as error:
        return await _page(request, connection_id, Told(form, problem=error.detail), 409)
    return see_other(f"{PATH}/{connection_id}")


@router.post("/{id}/test")
async def test(request: Request, connection_id: RowId) -> Response:
    """Sign in and hold the mapping against the tracker's set-up, and show what was found."""
    front, reach = front_of(request), trackers_of(request)
    await front.form(request)
    _, wanted = await front.read(request, connections.to_try, reach.seal, connection_id)
    trial = await asyncio.to_thread(connections.try_out, reach.lines, wanted)
    await front.write(request, connections.record_trial, connection_id, trial)
    _, hooks = await front.read(request, checks.hooks_of, connection_id)
    return await _page(request, connection_id, Told(trial=trial, hooks=hooks))


@router.post("/{id}/rehearsal")
async def rehearse(request: Request, connection_id: RowId) -> Response:
    """Show what the mapping would do with the latest records and tickets; nothing is changed anywhere."""
    front, reach = front_of(request), trackers_of(request)
    await front.form(request)
    _, wanted = await front.read(request, connections.to_try, reach.seal, connection_id)
    _, tickets = await front.read(request, rehearsal.rehearse_tickets, wanted.mapping, connection_id)
    records, failure = await asyncio.to_thread(rehearsal.rehearse_records, reach.lines, wanted)
    return await _page(request, connection_id, Told(rehearsal=Rehearsal(records, tickets, failure)))


@router.post("/{id}/remove")
async def remove(request: Request, connection_id: RowId) -> Response:
    """Forget a connection and its links, once its name was typed."""
    front = front_of(request)
    typed = (await front.form(request)).get("confirm", "")
    try:
        await front.write(request, _remove, connection_id, typed)
    except Conflict as refused:
        return await _page(request, connection_id, Told(problem=refused.detail), 409)
    return see_other("/desk/sync")


def _remove(uow: UnitOfWork, actor: Actor, connection_id: UUID, typed: str) -> None:
    connections.require_admin(actor)
    if connections.locked(uow, connection_id).name != typed.strip():
        raise Conflict("Type the connection's name to remove it.")
    connections.remove(uow, actor, connection_id)
