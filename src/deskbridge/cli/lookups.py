"""What people say for a person, a team or a ticket, and which one they mean."""

from itertools import islice
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from deskbridge.cli.output import Failed

if TYPE_CHECKING:
    from deskbridge.client import Client
    from deskbridge.client.answers import Profile, TeamAnswer

T = TypeVar("T")
MOST = 50


def ticket_ref(text: str) -> str:
    """Return a ticket's number or id as the API takes it."""
    return text.removeprefix("#")


def ids_of(desk: "Client", people: list[str]) -> list[UUID]:
    """Return the ids of the people named."""
    return [person_named(desk, who).id for who in people]


def person_named(desk: "Client", who: str) -> "Profile":
    """Return the person with this e-mail, phone number, customer ID, id or name; `me` is oneself."""
    if who == "me":
        return desk.people.me()
    if (known := _as_id(who)) is not None:
        return desk.directory.get_user(known)
    found = list(islice(desk.directory.list_users(q=who, limit=MOST), MOST))
    exact = [one for one in found if _same(who, [one.email, one.customer_id, one.name]) or one.phone == _phone(who)]
    names = [f"{one.name} ({one.customer_id})" for one in found]
    return _the_one(exact or found, names, f"There is nobody with the e-mail, phone number or customer ID {who!r}.")


def team_named(desk: "Client", name: str) -> "TeamAnswer":
    """Return the team with this name or id."""
    if (known := _as_id(name)) is not None:
        return desk.directory.get_team(known)
    found = [team for team in desk.directory.list_teams().items if _same(name, [team.name])]
    return _the_one(found, [], f"There is no team {name!r}.")


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _same(text: str, known: list[str | None]) -> bool:
    return text.casefold() in {one.casefold() for one in known if one}


def _phone(text: str) -> str:
    return "+" + "".join(sign for sign in text if sign.isdigit())


def _the_one(found: list[T], names: list[str], nobody: str) -> T:
    if not found:
        raise Failed(nobody)
    if len(found) > 1:
        raise Failed(f"Several could be meant: {', '.join(names)}. Say which by the customer ID.")
    return found[0]
