"""What the pages of desk and portal show alike."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from starlette.requests import Request

from deskbridge.kit.db import Reader
from deskbridge.kit.errors import Conflict, Forbidden
from deskbridge.people.queries import NamedThing
from deskbridge.tickets.answers import CategoryAnswer, TicketAnswer
from deskbridge.tickets.workflow import InvalidTransition
from deskbridge.ui import words
from deskbridge.ui.languages import N_, said, translations

Choices = list[tuple[str, str]]
"""What a select offers: values with their texts."""


def category_choices(language: str, categories: Sequence[CategoryAnswer]) -> Choices:
    """Return the categories to choose from; the shipped names are translated, an administrator's own are not."""
    return [(category.key, translations(language).gettext(category.name)) for category in categories]


def named(things: Sequence[NamedThing]) -> Choices:
    """Return people or teams to choose from."""
    return [(str(thing.id), thing.name) for thing in things]


def opening(ticket: TicketAnswer) -> dict[str, object]:
    """Return a ticket's description as the first message of its conversation."""
    return {
        "id": "opening",
        "author": ticket.requester,
        "content": ticket.description,
        "created_at": ticket.created_at,
        "is_internal": False,
        "written_by": None,
        "written_in": None,
        "edited_at": None,
        "deleted_at": None,
        "attachments": [],
    }


def remote_key_of(request: Request) -> Callable[[Reader, UUID], str | None]:
    """Return what finds the key by which a ticket is known in a tracker."""
    found: Callable[[Reader, UUID], str | None] = request.app.state.remote_key
    return found


def explained(language: str, error: Conflict | Forbidden, known: Mapping[str, words.Word] = words.STATUS) -> str:
    """Return why something was refused, in a person's words; `known` are those for a status."""
    if not isinstance(error, InvalidTransition):
        return said(language, error.detail)
    _ = translations(language).gettext
    present = _(known[error.present].text)
    return _(N_("This ticket is now “{present}”: that step is not possible any more.")).format(present=present)


def is_seen(request: Request) -> bool:
    """Tell whether somebody looks at the page, which a browser that only loads ahead says of nobody."""
    return not ({"prefetch", "prerender"} & set(request.headers.get("sec-purpose", "").replace(";", " ").split()))
