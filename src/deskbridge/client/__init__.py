"""A typed client of Deskbridge's API.

    with Client.sign_in("https://desk.example.org", "anna@example.org", password) as desk:
        for ticket in desk.tickets.list_tickets(status=[Status.OPEN]):
            print(ticket.number, ticket.title)

Every route of the API is a method of `desk.tickets`, `desk.directory` and so on. Writes happen once, however often the
network makes the client repeat them. Errors are `ClientError`s; what the desk refuses is a `Refused`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deskbridge.client.calls import Upload
    from deskbridge.client.desk import Client
    from deskbridge.client.errors import AnswerLost, ClientError, NotReached, Refused, UnreadableAnswer
    from deskbridge.client.pages import Pages
    from deskbridge.client.stream import Frame

__all__ = [
    "AnswerLost",
    "Client",
    "ClientError",
    "Frame",
    "NotReached",
    "Pages",
    "Refused",
    "UnreadableAnswer",
    "Upload",
]
_HOMES = {"Client": "desk", "Frame": "stream", "Pages": "pages", "Upload": "calls"}


def __getattr__(name: str) -> object:
    """Load what is asked for, when it is: the command line's words come from here, and its help must not wait."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'errors')}"), name)
