"""Lists that come in pages, read as one."""

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from deskbridge.client.errors import UnreadableAnswer
from deskbridge.kit.paging import Page

T = TypeVar("T")
P = TypeVar("P", bound=Page[Any])


class Pages(Generic[T, P]):
    """A list of `T`, read a page at a time: iterate over it for every item there is, or ask for one page."""

    def __init__(self, fetch: Callable[[str | None], P]) -> None:
        self._fetch = fetch

    def page(self, cursor: str | None = None) -> P:
        """Return the first page, or the one that a page's `next_cursor` names."""
        return self._fetch(cursor)

    def __iter__(self) -> Iterator[T]:
        """Yield every item; a page is fetched when its first item is asked for."""
        cursor: str | None = None
        while True:
            page = self._fetch(cursor)
            yield from page.items
            if page.next_cursor is None:
                return
            if page.next_cursor == cursor:
                raise UnreadableAnswer("The desk answered the same page again.")
            cursor = page.next_cursor
