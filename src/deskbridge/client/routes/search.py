"""What can be called: search. Written by `make docs` from the API's routes; change those instead."""

from msgspec import UNSET, UnsetType

from deskbridge.client.answers import Found
from deskbridge.client.calls import Call, Calls
from deskbridge.client.choices import SearchOrder
from deskbridge.client.pages import Pages
from deskbridge.kit.paging import Page


class SearchRoutes:
    """The routes of the API that are about search."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def search_tickets(
        self, *, q: str, order: SearchOrder | UnsetType = UNSET, limit: int | UnsetType = UNSET
    ) -> Pages[Found, Page[Found]]:
        """Find tickets by what they and their conversations say, with the passages found."""
        return self._calls.pages(
            Call("GET", "/api/v1/search", query={"q": q, "order": order, "limit": limit}), Page[Found]
        )
