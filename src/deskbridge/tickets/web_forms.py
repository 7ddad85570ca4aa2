"""The desk's two large forms: a new ticket, mostly on somebody's behalf, and a ticket's fields."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.errors import FieldError, Forbidden, Invalid, NotFound, PreconditionFailed
from deskbridge.people.actor import Actor
from deskbridge.people.front import complaints, front_of, require_agent, see_other
from deskbridge.people.service import find_user
from deskbridge.tickets import queries, service
from deskbridge.tickets.answers import CategoryAnswer, TicketAnswer
from deskbridge.tickets.fields import TicketChanges
from deskbridge.tickets.list_state import PATH
from deskbridge.tickets.model import Channel, Environment, ImpactLevel, Priority
from deskbridge.tickets.policy import Verb, verbs
from deskbridge.tickets.queries import as_ref
from deskbridge.tickets.shown import Choices, category_choices
from deskbridge.ui import words
from deskbridge.ui.languages import translations

router = APIRouter(prefix=PATH, include_in_schema=False)

Ref = Annotated[str, Path(alias="id", max_length=40)]
Fields = dict[str, str]

CHANNELS = (Channel.PHONE, Channel.EMAIL, Channel.PORTAL)
FIELDS = ("title", "description", "category", "priority", "environment", "affected_service", "impact_level", "tags")


def field_choices(language: str, categories: list[CategoryAnswer]) -> dict[str, Choices]:
    """Return what the selects of a ticket's form offer."""
    _ = translations(language).gettext
    return {
        "categories": category_choices(language, categories),
        "priorities": [(value.value, _(words.PRIORITY[value].text)) for value in Priority],
        "environments": [(value.value, _(words.ENVIRONMENT[value].text)) for value in Environment],
        "impacts": [(value.value, _(words.IMPACT[value].text)) for value in ImpactLevel],
        "channels": [(value.value, _(words.CHANNEL[value].text)) for value in CHANNELS],
    }


def changes_of(form: Fields) -> TicketChanges:
    """Return a form's fields as a use case takes them; what no select offers counts as not chosen."""
    return TicketChanges(
        title=form.get("title", ""),
        description=form.get("description", ""),
        category=form.get("category", ""),
        priority=_member(Priority, form.get("priority")) or Priority.P3,
        environment=_member(Environment, form.get("environment")),
        affected_service=form.get("affected_service") or None,
        impact_level=_member(ImpactLevel, form.get("impact_level")),
        tags=[tag.strip() for tag in form.get("tags", "").split(",") if tag.strip()],
    )


def _member(kind: Any, value: str | None) -> Any:
    return next((member for member in kind if member.value == value), None)


# A new ticket


@router.get("/new")
async def new_page(request: Request) -> Response:
    return await _new_page(request, {})


async def _new_page(request: Request, sent: Fields, errors: Fields | None = None, status: int = 200) -> Response:
    front = front_of(request)
    actor, categories = await front.read(request, _categories)
    context = {
        "view_now": "new",
        "sent": sent,
        "errors": errors or {},
        "choices": field_choices(front.language(request, actor), categories),
    }
    return front.page(request, actor, "tickets/new.html", context, status)


def _categories(reader: Reader, actor: Actor) -> list[CategoryAnswer]:
    require_agent(actor)
    return queries.active_categories(reader)


@router.post("/new")
async def create(request: Request) -> Response:
    """Open a ticket for the person who called or wrote, or for oneself."""
    front = front_of(request)
    form = await front.form(request)
    try:
        number = await front.write(request, _open, form)
    except Invalid as error:
        language = front.language(request, await front.visitor(request))
        return await _new_page(request, form, complaints(language, error), 422)
    return see_other(f"{PATH}/{number}")


def _open(uow: UnitOfWork, actor: Actor, form: Fields) -> int:
    require_agent(actor)
    new = service.NewTicket(
        **changes_of(form),
        requester_id=_requester(uow, form.get("requester", "").strip()),
        channel=_member(CHANNELS, form.get("channel")),
    )
    return service.open_ticket(uow, actor, new, Channel.PORTAL).number


def _requester(uow: UnitOfWork, identifier: str) -> UUID | None:
    if not identifier:
        return None
    try:
        return find_user(uow, identifier).id
    except NotFound:
        raise Invalid([FieldError("requester", "There is nobody with this address, number or ID.")]) from None


# A ticket's fields


@router.get("/{id}/edit")
async def edit_page(request: Request, ref: Ref) -> Response:
    return await _edit_page(request, ref)


async def _edit_page(
    request: Request,
    ref: str,
    sent: Fields | None = None,
    errors: Fields | None = None,
    *,
    clashing: bool = False,
    status: int = 200,
) -> Response:
    """Return the form; when what was typed clashes with what somebody else saved, both are shown."""
    front = front_of(request)
    actor, (ticket, categories) = await front.read(request, _editable, as_ref(ref))
    choices = field_choices(front.language(request, actor), categories)
    present = as_form(ticket)
    context = {
        "base": f"{PATH}/{ticket.number}",
        "ticket": ticket,
        "sent": sent or present,
        "errors": errors or {},
        "conflicts": differences(present, sent or {}, choices) if clashing else [],
        "choices": choices,
    }
    return front.page(request, actor, "tickets/edit.html", context, status)


def _editable(reader: Reader, actor: Actor, ref: UUID | int) -> tuple[TicketAnswer, list[CategoryAnswer]]:
    require_agent(actor)
    ticket = queries.get_ticket(reader, actor, ref)
    if not verbs(actor, queries.facts_of(ticket)) & {Verb.EDIT, Verb.EDIT_TEXT, Verb.TRIAGE}:
        raise Forbidden
    return ticket, queries.active_categories(reader)


def as_form(ticket: TicketAnswer) -> Fields:
    """Return a ticket's fields as its form would send them back."""
    values = {name: getattr(ticket, name) for name in FIELDS}
    values["tags"] = ", ".join(ticket.tags)
    return {name: str(value) if value is not None else "" for name, value in values.items()}


def differences(present: Fields, sent: Fields, choices: Mapping[str, Choices]) -> list[dict[str, str]]:
    """Return the fields that were typed otherwise than they are saved now, with both values as people read them."""
    shown = {value: text for offered in choices.values() for value, text in offered}
    return [
        {
            "label": words.LABEL[name],
            "theirs": shown.get(present[name], present[name]),
            "mine": shown.get(sent[name], sent[name]),
        }
        for name in FIELDS
        if name in sent and sent[name].replace("\r\n", "\n").strip() != present[name]
    ]


@router.post("/{id}/edit")
async def edit(request: Request, ref: Ref) -> Response:
    """Save the fields, unless somebody saved others since the form was opened."""
    front = front_of(request)
    form = await front.form(request)
    version = form.get("version", "")
    seen = int(version) if version.isascii() and version.isdigit() else None
    try:
        await front.write(request, service.update_ticket, as_ref(ref), changes_of(form), seen)
    except Invalid as error:
        language = front.language(request, await front.visitor(request))
        return await _edit_page(request, ref, form, complaints(language, error), status=422)
    except PreconditionFailed:
        return await _edit_page(request, ref, form, clashing=True, status=409)
    return see_other(f"{PATH}/{ref}")
