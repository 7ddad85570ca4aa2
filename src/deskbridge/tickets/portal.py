"""The portal's pages for customers: their requests, one request with its public conversation, a new one.

On these pages everybody is a customer, agents too: they see what a customer would see of their own requests.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.errors import Conflict, Forbidden, Invalid, Malformed
from deskbridge.people.actor import Actor
from deskbridge.people.front import complaints, front_of, see_other
from deskbridge.tickets import attachments, conversation, queries, reading, service, timeline
from deskbridge.tickets.answers import AttachmentAnswer, CategoryAnswer, TicketAnswer, TicketPage
from deskbridge.tickets.file_queries import loose_files
from deskbridge.tickets.model import Status
from deskbridge.tickets.policy import allowed_targets
from deskbridge.tickets.queries import SortBy, TicketFilter, TicketQuery, as_ref
from deskbridge.tickets.requests import as_customer, file_request
from deskbridge.tickets.shown import category_choices, explained, is_seen, opening, remote_key_of
from deskbridge.tickets.uploads import read_form, uploads_of, with_files
from deskbridge.tickets.workflow import FINISHED
from deskbridge.ui import words

router = APIRouter(prefix="/portal", include_in_schema=False)

Ref = Annotated[str, Path(alias="id", max_length=40)]
Fields = dict[str, str]

PATH = "/portal/tickets"
REQUESTS, ENTRIES = 20, 200
SHOWN = {
    "open": tuple(status for status in Status if status not in FINISHED),
    "finished": tuple(sorted(FINISHED)),
    "all": (),
}


@router.get("")
async def home(request: Request) -> Response:
    front = front_of(request)
    return front.page(request, await front.visitor(request), "portal/home.html", {})


@router.get("/tickets")
async def list_page(request: Request, show: str = "open", cursor: str = "") -> Response:
    """Show somebody's own requests, the most recently changed first."""
    front = front_of(request)
    show = show if show in SHOWN else "open"
    try:
        actor, page = await front.read(request, _requests, show, cursor or None)
    except Malformed:
        return see_other(f"{PATH}?show={show}")
    context = {
        "show": show,
        "tickets": page.tickets.items,
        "unread": page.unread,
        "first": f"{PATH}?show={show}" if cursor else None,
        "next": f"{PATH}?show={show}&cursor={page.tickets.next_cursor}" if page.tickets.next_cursor else None,
    }
    return front.page(request, actor, "portal/list.html", context)


@dataclass(frozen=True)
class Requests:
    """A page of somebody's requests, and in which there is something new."""

    tickets: TicketPage
    unread: set[UUID]


def _requests(reader: Reader, actor: Actor, show: str, cursor: str | None) -> Requests:
    customer = as_customer(actor)
    query = TicketQuery(TicketFilter(status=SHOWN[show]), SortBy.UPDATED_AT, limit=REQUESTS, cursor=cursor)
    tickets = queries.list_tickets(reader, customer, query)
    return Requests(tickets, reading.unread_among(reader, customer, [ticket.id for ticket in tickets.items]))


# A new request


@router.get("/tickets/new")
async def new_page(request: Request) -> Response:
    return await _new_page(request, {})


async def _new_page(request: Request, sent: Fields, errors: Fields | None = None, status: int = 200) -> Response:
    front = front_of(request)
    actor, categories = await front.read(request, _categories)
    choices = {"categories": category_choices(front.language(request, actor), categories)}
    context = {"sent": sent, "errors": errors or {}, "choices": choices}
    return front.page(request, actor, "portal/new.html", context, status)


def _categories(reader: Reader, _actor: Actor) -> list[CategoryAnswer]:
    return queries.active_categories(reader)


@router.post("/tickets/new")
async def create(request: Request) -> Response:
    """Open a request; where one is open that has to do, show that, with what was typed as the answer to it."""
    front = front_of(request)
    form = await front.form(request)
    new = service.NewTicket(form.get("title", ""), form.get("description", ""), form.get("category", ""))
    try:
        filed = await front.write(request, file_request, new, front.access.settings.PORTAL_OPEN_TICKETS)
    except Invalid as error:
        language = front.language(request, await front.visitor(request))
        return await _new_page(request, form, complaints(language, error), 422)
    if filed.created:
        return see_other(f"{PATH}/{filed.number}?created=1")
    typed = {"content": f"{new.title}\n\n{new.description}".strip()}
    return await _ticket_page(request, str(filed.number), typed=typed, already=True)


# One request


@dataclass(frozen=True)
class Shown:
    """What a request's page shows."""

    ticket: TicketAnswer
    unread: bool
    entries: timeline.Timeline
    loose: list[AttachmentAnswer]
    targets: list[Status]
    categories: list[CategoryAnswer]
    remote_key: str | None


@router.get("/tickets/{id}")
async def ticket_page(request: Request, ref: Ref, created: bool = False, sent: bool = False) -> Response:
    return await _ticket_page(request, ref, created=created, arrived=sent)


async def _ticket_page(
    request: Request,
    ref: str,
    *,
    typed: Fields | None = None,
    errors: Fields | None = None,
    problem: str = "",
    created: bool = False,
    already: bool = False,
    arrived: bool = False,
    status: int = 200,
) -> Response:
    front = front_of(request)
    actor, shown = await front.read(request, _ticket, as_ref(ref), remote_key_of(request))
    if shown.unread and is_seen(request):
        await front.access.desk.write(reading.mark_read, as_customer(actor), shown.ticket.id)
    categories = dict(category_choices(front.language(request, actor), shown.categories))
    context = {
        "base": f"{PATH}/{shown.ticket.number}",
        "ticket": shown.ticket,
        "opening": opening(shown.ticket),
        "entries": shown.entries.entries,
        "loose": shown.loose,
        "targets": shown.targets,
        "remote_key": shown.remote_key,
        "category_name": categories.get(shown.ticket.category, words.plain(shown.ticket.category)),
        "draft": f"{actor.id}:{shown.ticket.number}",
        "sent": typed or {},
        "errors": errors or {},
        "problem": problem,
        "created": created,
        "already": already,
        "arrived": arrived,
    }
    return front.page(request, actor, "portal/ticket.html", context, status)


def _ticket(reader: Reader, actor: Actor, ref: UUID | int, remote_key: Callable[[Reader, UUID], str | None]) -> Shown:
    customer = as_customer(actor)
    ticket = queries.get_ticket(reader, customer, ref)
    return Shown(
        ticket,
        bool(reading.unread_among(reader, customer, [ticket.id])),
        timeline.latest(reader, customer, ticket.id, ENTRIES),
        loose_files(reader, customer, ticket.id),
        allowed_targets(customer, queries.facts_of(ticket)),
        queries.active_categories(reader),
        remote_key(reader, ticket.id),
    )


@router.post("/tickets/{id}/messages")
async def reply(request: Request, ref: Ref) -> Response:
    """Answer; that wakes a request that waits or is solved, unless it is just thanks."""
    front, ticket = front_of(request), as_ref(ref)
    await front.require_signed_in(request)
    async with read_form(request) as sent:
        form = front.fields(request, sent)
        await front.read(request, _require_attaching, ticket)

        async def act(files: list[attachments.Received]) -> Response:
            def answer(uow: UnitOfWork, actor: Actor) -> None:
                customer, scanned = as_customer(actor), uploads_of(request).scanned
                ids = attachments.attach_all(uow, customer, ticket, files, internal=False, scanned=scanned)
                content, thanks = form.get("content", ""), "thanks" in form
                conversation.reply(uow, customer, ticket, content, just_thanks=thanks, attachment_ids=ids)

            return await _act(request, ref, form, answer, "?sent=1")

        try:
            return await with_files(request, sent, act)
        except Invalid as error:
            language = front.language(request, await front.visitor(request))
            return await _ticket_page(request, ref, typed=form, errors=complaints(language, error), status=422)


def _require_attaching(reader: Reader, actor: Actor, ref: UUID | int) -> None:
    attachments.require_attaching(reader, as_customer(actor), ref, internal=False)


@router.post("/tickets/{id}/close")
async def close(request: Request, ref: Ref) -> Response:
    """Say that the problem is solved, or take the request back."""
    return await _to_status(request, ref, Status.CLOSED)


@router.post("/tickets/{id}/reopen")
async def reopen(request: Request, ref: Ref) -> Response:
    """Say that the problem is still there."""
    return await _to_status(request, ref, Status.REOPENED)


async def _to_status(request: Request, ref: str, wanted: Status) -> Response:
    front = front_of(request)
    form = await front.form(request)
    window = front.access.settings.TICKET_REOPEN_WINDOW_DAYS

    def change(uow: UnitOfWork, actor: Actor) -> None:
        reason = form.get("reason")
        service.change_status(uow, as_customer(actor), as_ref(ref), wanted, reopen_window_days=window, reason=reason)

    return await _act(request, ref, form, change)


async def _act(
    request: Request, ref: str, form: Fields, use_case: Callable[[UnitOfWork, Actor], None], then: str = ""
) -> Response:
    """Run a use case and come back to the request; what is refused is shown there, with what was typed."""
    front = front_of(request)
    try:
        await front.write(request, use_case)
    except Invalid as error:
        language = front.language(request, await front.visitor(request))
        return await _ticket_page(request, ref, typed=form, errors=complaints(language, error), status=422)
    except (Conflict, Forbidden) as error:
        language = front.language(request, await front.visitor(request))
        problem = explained(language, error, words.CUSTOMER_STATUS)
        status = 403 if isinstance(error, Forbidden) else 409
        return await _ticket_page(request, ref, typed=form, problem=problem, status=status)
    return see_other(f"{PATH}/{ref}{then}")
