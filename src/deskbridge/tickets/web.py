"""The desk's pages for agents: the list of tickets, and one ticket with what may be done to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter, Path
from markupsafe import Markup
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.errors import Conflict, DomainError, FieldError, Forbidden, Invalid, Malformed
from deskbridge.people import queries as people
from deskbridge.people.actor import Actor
from deskbridge.people.front import complaints, front_of, require_agent, see_other
from deskbridge.search.queries import narrowed
from deskbridge.sync import queries as sync
from deskbridge.tickets import attachments, conversation, queries, reading, service, timeline
from deskbridge.tickets.answers import AttachmentAnswer, CategoryAnswer, TicketAnswer, TicketPage
from deskbridge.tickets.file_queries import loose_files
from deskbridge.tickets.list_state import PATH, VIEWS, ListState, read_state
from deskbridge.tickets.model import Audience, Priority, Status
from deskbridge.tickets.policy import Verb, allowed_targets, verbs
from deskbridge.tickets.queries import as_ref
from deskbridge.tickets.service import Assignment
from deskbridge.tickets.shown import Choices, category_choices, explained, is_seen, named, opening
from deskbridge.tickets.targets import next_target, targets
from deskbridge.tickets.uploads import read_form, uploads_of, with_files
from deskbridge.ui import words
from deskbridge.ui.languages import said, translations
from deskbridge.ui.pages import Pages, View

router = APIRouter(prefix=PATH, include_in_schema=False)

Ref = Annotated[str, Path(alias="id", max_length=40)]
Fields = dict[str, str]

ROWS = 50
SHOWN_ENTRIES, MOST_ENTRIES = 40, 1000
MOST_AT_ONCE = 200
SYNC_ENTRIES = 30


# The list


@dataclass(frozen=True)
class ListPage:
    """What the list's page shows."""

    now: datetime
    tickets: TicketPage
    unread: set[UUID]
    categories: list[CategoryAnswer]
    teams: list[people.NamedThing]
    agents: list[people.NamedThing]


@router.get("")
async def list_page(request: Request) -> Response:
    """Show a list; a number that is looked for leads straight to its ticket."""
    front, state = front_of(request), read_state(request.query_params)
    number = _number(state.q)
    if number and "hx-request" not in request.headers:
        return see_other(f"{PATH}/{number}")
    problem = ""
    try:
        actor, found = await front.read(request, _list, state)
    except Malformed as error:
        if state.cursor:
            return see_other(state.with_().address)
        problem = error.detail
        actor, found = await front.read(request, _list, replace(state, q=""))
    language = front.language(request, actor)
    context = {
        **_list_context(language, state, found),
        **{name: _count(request.query_params.get(name, "")) for name in ("taken", "left")},
        "rows": _rows(front.pages, front.view(request, actor), found),
        "problem": said(language, problem) if problem else "",
    }
    return front.page(request, actor, "tickets/list.html", context, 400 if problem else 200)


def _rows(pages: Pages, view: View, found: ListPage) -> list[Markup]:
    """Return the rendered rows; a row that shows the same as before comes from the cache."""
    rows = []
    for ticket in found.tickets.items:
        target = next_target(ticket, found.now)
        mark = replace(target, share=round(target.share, 2)) if target else None
        shown = (
            ticket.number,
            ticket.version,
            ticket.activity_at,
            ticket.requester,
            ticket.assignee,
            ticket.team,
            mark,
            ticket.id in found.unread,
        )
        context = {"ticket": ticket, "target": mark, "unread": ticket.id in found.unread}
        rows.append(pages.fragment("tickets/row.html", context, view, shown))
    return rows


def _number(text: str) -> int | None:
    digits = text.strip().removeprefix("#")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else None


def _count(text: str) -> int:
    return min(_number(text) or 0, MOST_AT_ONCE)


def _list(reader: Reader, actor: Actor, state: ListState) -> ListPage:
    require_agent(actor)
    query = state.query(actor, ROWS)
    if state.q:
        chosen, matching = narrowed(reader, actor, state.q, query.filter)
        query = replace(query, filter=chosen, matching=matching)
    tickets = queries.list_tickets(reader, actor, query)
    return ListPage(
        reader.now,
        tickets,
        reading.unread_among(reader, actor, [ticket.id for ticket in tickets.items]),
        queries.active_categories(reader),
        people.active_teams(reader),
        people.active_agents(reader),
    )


def _list_context(language: str, state: ListState, found: ListPage) -> dict[str, object]:
    choices: dict[str, Choices] = {
        "categories": category_choices(language, found.categories),
        "teams": named(found.teams),
        "agents": named(found.agents),
    }
    next_cursor = found.tickets.next_cursor
    return {
        "view_now": state.view,
        "heading": translations(language).gettext(VIEWS[state.view]),
        "state": state,
        "choices": choices,
        "chips": _chips(language, state, choices),
        "total": found.tickets.total,
        "total_capped": found.tickets.total_capped,
        "first": state.with_().address if state.cursor else None,
        "next": state.with_(cursor=next_cursor).address if next_cursor else None,
    }


def _chips(language: str, state: ListState, choices: dict[str, Choices]) -> list[dict[str, str]]:
    """Return what narrows the view, each with the address of the list without it."""
    _ = translations(language).gettext
    special = {"none": _(words.NOBODY), "me": _(words.ME)}
    texts: dict[str, dict[str, str]] = {
        "status": {value: _(word.text) for value, word in words.STATUS.items()},
        "priority": {value: _(word.text) for value, word in words.PRIORITY.items()},
        "team": dict(choices["teams"]) | special,
        "assignee": dict(choices["agents"]) | special,
        "category": dict(choices["categories"]),
    }
    return [
        {
            "label": _(words.LABEL[name]),
            "text": texts.get(name, {}).get(value, value),
            "href": state.without(name, value).address,
        }
        for name, value in state.narrowing()
    ]


@router.post("/bulk")
async def take_many(request: Request) -> Response:
    """Assign the selected tickets to oneself; those that are not to be had are left alone and counted."""
    front = front_of(request)
    form = await front.form(request)
    numbers = [number for text in await front.many(request, "number") if (number := _number(text))]
    taken = await front.write(request, _take_many, numbers[:MOST_AT_ONCE])
    state = read_state(QueryParams(urlsplit(form.get("back", "")).query))
    return see_other(f"{state.address}&taken={taken}&left={len(numbers[:MOST_AT_ONCE]) - taken}")


def _take_many(uow: UnitOfWork, actor: Actor, numbers: Sequence[int]) -> int:
    require_agent(actor)
    taken = 0
    for number in numbers:
        try:
            service.assign(uow, actor, number, Assignment(assignee_id=actor.id))
        except DomainError:
            continue
        taken += 1
    return taken


# One ticket


@dataclass(frozen=True)
class Shown:
    """What a ticket's page shows."""

    now: datetime
    ticket: TicketAnswer
    unread: bool
    entries: timeline.Timeline
    loose: list[AttachmentAnswer]
    requester: people.Profile
    may: set[Verb]
    targets: list[Status]
    categories: list[CategoryAnswer]
    teams: list[people.NamedThing]
    assignees: list[people.NamedThing]
    links: list[sync.LinkAnswer]
    trackers: list[people.NamedThing]
    synced: list[sync.SyncEntry]


@router.get("/{id}")
async def ticket_page(request: Request, ref: Ref, all: bool = False) -> Response:  # noqa: A002 - as addresses say it
    return await show_ticket(request, ref, whole=all)


async def show_ticket(
    request: Request,
    ref: str,
    *,
    sent: Fields | None = None,
    errors: Fields | None = None,
    problem: str = "",
    status: int = 200,
    whole: bool = False,
) -> Response:
    """Return a ticket's page; `sent`, `errors` and `problem` are what a form that was refused leaves to mend."""
    front = front_of(request)
    actor, shown = await front.read(request, _ticket, as_ref(ref), MOST_ENTRIES if whole else SHOWN_ENTRIES)
    if shown.unread and is_seen(request):
        await front.access.desk.write(reading.mark_read, actor, shown.ticket.id)
    context = {
        **_ticket_context(front.language(request, actor), actor, shown),
        "sent": sent or {},
        "errors": errors or {},
        "problem": problem,
    }
    return front.page(request, actor, "tickets/ticket.html", context, status)


def _ticket(reader: Reader, actor: Actor, ref: UUID | int, entries: int) -> Shown:
    require_agent(actor)
    ticket = queries.get_ticket(reader, actor, ref)
    facts = queries.facts_of(ticket)
    may = verbs(actor, facts)
    return Shown(
        now=reader.now,
        ticket=ticket,
        unread=bool(reading.unread_among(reader, actor, [ticket.id])),
        entries=timeline.latest(reader, actor, ticket.id, entries),
        loose=loose_files(reader, actor, ticket.id),
        requester=people.profile(reader, ticket.requester.id),
        may=may,
        targets=allowed_targets(actor, facts),
        categories=queries.active_categories(reader),
        teams=people.active_teams(reader),
        assignees=_assignees(reader, actor, ticket, may),
        links=sync.links_of(reader, actor, ticket.id),
        trackers=sync.named_connections(reader, ticket.id) if Verb.EDIT in may else [],
        synced=sync.timeline_of(reader, actor, ticket.id, SYNC_ENTRIES),
    )


def _assignees(reader: Reader, actor: Actor, ticket: TicketAnswer, may: set[Verb]) -> list[people.NamedThing]:
    """Return whom the actor may give this ticket to, with whoever has it now."""
    assert actor.id is not None
    if Verb.ASSIGN in may:
        found = people.active_agents(reader)
    elif Verb.ASSIGN_IN_TEAMS in may:
        found = people.active_agents(reader, actor.team_ids)
    elif Verb.RELEASE in may:
        found = []
    else:
        return []
    possible = {thing.id: thing for thing in found}
    if Verb.TAKE in may:
        possible[actor.id] = people.NamedThing(actor.id, actor.name)
    if ticket.assignee is not None:
        possible[ticket.assignee.id] = ticket.assignee
    return sorted(possible.values(), key=lambda thing: thing.name)


def _ticket_context(language: str, actor: Actor, shown: Shown) -> dict[str, object]:
    ticket, entries = shown.ticket, shown.entries
    categories = category_choices(language, shown.categories)
    return {
        "base": f"{PATH}/{ticket.number}",
        "ticket": ticket,
        "opening": opening(ticket),
        "entries": entries.entries,
        "older": entries.older,
        "loose": shown.loose,
        "requester": shown.requester,
        "links": shown.links,
        "synced": shown.synced,
        "may": {verb.name for verb in shown.may},
        "mine": ticket.assignee is not None and ticket.assignee.id == actor.id,
        "targets": shown.targets,
        "targets_due": targets(ticket, shown.now),
        "category_name": dict(categories).get(ticket.category, words.plain(ticket.category)),
        "choices": {
            "teams": named(shown.teams),
            "assignees": named(shown.assignees),
            "trackers": named(shown.trackers),
        },
        "draft": f"{actor.id}:{ticket.number}",
    }


# What is done to a ticket: each form posts to one address and comes back to the ticket


@router.post("/{id}/messages")
async def say(request: Request, ref: Ref) -> Response:
    """Reply to the customer, or leave a note for colleagues."""
    front, ticket = front_of(request), as_ref(ref)
    await front.require_signed_in(request)
    async with read_form(request) as sent:
        form = front.fields(request, sent)
        await front.read(request, attachments.require_attaching, ticket, internal=False)
        internal = form.get("audience") == Audience.INTERNAL
        speak = conversation.note if internal else conversation.reply

        async def act(files: list[attachments.Received]) -> Response:
            def say_with(uow: UnitOfWork, actor: Actor) -> None:
                scanned = uploads_of(request).scanned
                ids = attachments.attach_all(uow, actor, ticket, files, internal=internal, scanned=scanned)
                speak(uow, actor, ticket, form.get("content", ""), attachment_ids=ids)

            return await _act(request, ref, form, say_with)

        try:
            return await with_files(request, sent, act)
        except Invalid as error:
            language = front.language(request, await front.visitor(request))
            return await show_ticket(request, ref, sent=form, errors=complaints(language, error), status=422)


@router.post("/{id}/unread")
async def mark_unread(request: Request, ref: Ref) -> Response:
    """Keep the ticket for later: it is new again, and the list comes back."""
    front = front_of(request)
    await front.form(request)
    await front.write(request, reading.mark_unread, as_ref(ref))
    return see_other(PATH)


@router.post("/{id}/status")
async def change_status(request: Request, ref: Ref) -> Response:
    """Bring the ticket a step further in the workflow, with what that step asks for."""
    front = front_of(request)
    form = await front.form(request)
    wanted = next((status for status in Status if status == form.get("status")), None)
    if wanted is None:
        return see_other(f"{PATH}/{ref}")
    reason_field = f"{wanted.lower()}_reason"

    def change(uow: UnitOfWork, actor: Actor) -> object:
        if wanted is Status.ESCALATED:
            return service.escalate(uow, actor, as_ref(ref), form.get(reason_field, ""), _id(form.get("team")))
        return service.change_status(
            uow,
            actor,
            as_ref(ref),
            wanted,
            reopen_window_days=front.access.settings.TICKET_REOPEN_WINDOW_DAYS,
            reason=form.get(reason_field),
            resolution_notes=form.get("resolution_notes"),
        )

    return await _act(request, ref, form, change, {"reason": reason_field})


@router.post("/{id}/priority")
async def change_priority(request: Request, ref: Ref) -> Response:
    form = await front_of(request).form(request)
    wanted = next((priority for priority in Priority if priority == form.get("priority")), None)
    if wanted is None:
        return see_other(f"{PATH}/{ref}")
    return await _act(
        request, ref, form, lambda uow, actor: service.update_ticket(uow, actor, as_ref(ref), {"priority": wanted})
    )


@router.post("/{id}/assign")
async def assign(request: Request, ref: Ref) -> Response:
    """Take the ticket, give it to somebody, hand it to a team, or release it."""
    form = await front_of(request).form(request)
    named_otherwise = {"assignee_id": "assignee", "team_id": "team", "content": "notes"}
    return await _act(request, ref, form, lambda uow, actor: _assign(uow, actor, as_ref(ref), form), named_otherwise)


def _assign(uow: UnitOfWork, actor: Actor, ref: UUID | int, form: Fields) -> None:
    """Assign as a form says. A part it leaves as it was is no wish: a team's new ticket may lose its assignee."""
    require_agent(actor)
    ticket = queries.get_ticket(uow, actor, ref)
    wanted = Assignment()
    if "assignee" in form:
        assignee_id = actor.id if form["assignee"] == "me" else _id(form["assignee"])
        if assignee_id != (ticket.assignee.id if ticket.assignee else None):
            wanted["assignee_id"] = assignee_id
    if "team" in form and _id(form["team"]) != (ticket.team.id if ticket.team else None):
        wanted["team_id"] = _id(form["team"])
    if wanted:
        service.assign(uow, actor, ticket.id, wanted)
    if form.get("notes", "").strip():
        conversation.note(uow, actor, ticket.id, form["notes"])


def _id(value: str | None) -> UUID | None:
    """Return the id that a select sent; None for its blank choice."""
    if not value:
        return None
    try:
        return UUID(value)
    except ValueError:
        raise Invalid([FieldError("team", "Choose from the list.")]) from None


async def _act(
    request: Request,
    ref: str,
    form: Fields,
    use_case: Callable[[UnitOfWork, Actor], object],
    named_otherwise: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    """Run a use case and come back to the ticket; what is refused is shown there, with everything that was typed.

    `named_otherwise` gives the form's names of fields that the use case calls otherwise.
    """
    front = front_of(request)
    try:
        await front.write(request, use_case)
    except Invalid as error:
        language = front.language(request, await front.visitor(request))
        errors = {named_otherwise.get(field, field): text for field, text in complaints(language, error).items()}
        return await show_ticket(request, ref, sent=form, errors=errors, status=422)
    except (Conflict, Forbidden) as error:
        problem = explained(front.language(request, await front.visitor(request)), error)
        status = 403 if isinstance(error, Forbidden) else 409
        return await show_ticket(request, ref, sent=form, problem=problem, status=status)
    return see_other(f"{PATH}/{ref}")
