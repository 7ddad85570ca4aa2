"""A ticket's links, on its page and in one list: tie it to a record, let go of one, hold one up, take it up again."""

import asyncio
from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.errors import Conflict, FieldError, Forbidden, Invalid, Malformed
from deskbridge.kit.paging import Page
from deskbridge.people.actor import Actor
from deskbridge.people.front import complaints, front_of, see_other
from deskbridge.people.queries import NamedThing
from deskbridge.sync import queries, service
from deskbridge.sync.lists import LinkFilter, list_links
from deskbridge.sync.model import Link, LinkState
from deskbridge.sync.queries import LinkAnswer
from deskbridge.sync.trackers_of import trackers_of
from deskbridge.tickets.queries import as_ref
from deskbridge.tickets.shown import explained
from deskbridge.tickets.web import show_ticket

router = APIRouter(prefix="/desk", include_in_schema=False)

Ref = Annotated[str, Path(alias="id", max_length=40)]
Act = Annotated[str, Path(pattern="^(unlink|pause|relink)$")]
ACTS: dict[str, Callable[[UnitOfWork, Actor, UUID], Link]] = {
    "unlink": service.unlink,
    "pause": service.pause_link,
    "relink": service.relink,
}
PATH = "/desk/sync/links"
SHOWN = 50


# On a ticket's page


@router.post("/tickets/{id}/links")
async def link(request: Request, ref: Ref) -> Response:
    """Tie a ticket to the record that somebody names by its key or id, once the tracker has shown it."""
    front, reach = front_of(request), trackers_of(request)
    form = await front.form(request)
    try:
        connection_id = _id(form.get("connection", ""))
        name = form.get("record", "")
        _, wanted = await front.read(request, service.to_find, reach.seal, as_ref(ref), connection_id, name)
        found = await asyncio.to_thread(service.find, reach.lines, wanted)
        await front.write(request, service.link_by_hand, as_ref(ref), connection_id, found.id, found.key, found.url)
    except Invalid as error:
        language = front.language(request, await front.visitor(request))
        return await show_ticket(request, ref, sent=form, errors=complaints(language, error), status=422)
    except (Conflict, Forbidden) as error:
        return await _refused(request, ref, error, form)
    return see_other(f"/desk/tickets/{ref}")


def _id(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise Invalid([FieldError("connection", "Choose from the list.")]) from None


@router.post("/tickets/{id}/links/{link_id}/{act}")
async def act(request: Request, ref: Ref, link_id: UUID, act: Act) -> Response:
    """Let go of a record, hold its link up or take it up again; nothing is deleted on either side."""
    front = front_of(request)
    await front.form(request)
    try:
        await front.write(request, ACTS[act], link_id)
    except (Conflict, Forbidden) as error:
        return await _refused(request, ref, error, {})
    return see_other(f"/desk/tickets/{ref}")


async def _refused(request: Request, ref: str, error: Conflict | Forbidden, form: dict[str, str]) -> Response:
    front = front_of(request)
    problem = explained(front.language(request, await front.visitor(request)), error)
    return await show_ticket(
        request, ref, sent=form, problem=problem, status=403 if isinstance(error, Forbidden) else 409
    )


# All of them


@router.get("/sync/links")
async def links_page(
    request: Request, connection: str = "", state: str = "", waiting: bool = False, cursor: str = ""
) -> Response:
    """Show the links, newest first, a page at a time: all, those of a connection or in a state, those that wait."""
    front = front_of(request)
    wanted = LinkFilter(_uuid(connection), _state(state), waiting or None)
    try:
        actor, (names, page) = await front.read(request, _links, wanted, cursor or None)
    except Malformed:
        return see_other(PATH)
    chosen = {"connection": connection, "state": state, "waiting": "1" if waiting else ""}
    here = {name: value for name, value in chosen.items() if value}
    context = {
        "links": page.items,
        "connections": [(str(one.id), one.name) for one in names],
        "states": list(LinkState),
        "chosen": chosen,
        "first": f"{PATH}?{urlencode(here)}" if cursor else None,
        "next": f"{PATH}?{urlencode(here | {'cursor': page.next_cursor})}" if page.next_cursor else None,
        "view_now": "sync",
    }
    return front.page(request, actor, "sync/links.html", context)


def _links(
    reader: Reader, actor: Actor, wanted: LinkFilter, cursor: str | None
) -> tuple[list[NamedThing], Page[LinkAnswer]]:
    page = list_links(reader, actor, wanted, SHOWN, cursor)
    return queries.named_connections(reader), page


def _uuid(value: str) -> UUID | None:
    """Return the id that an address names; None where it names none, as for a connection that is gone."""
    try:
        return UUID(value)
    except ValueError:
        return None


def _state(value: str) -> LinkState | None:
    return LinkState(value) if value in set(LinkState) else None
