"""How sync reaches trackers without knowing which there are: the composition root brings the connectors in."""

from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from deskbridge.sync.connector import Connector

WAYS = ("basic", "bearer", "client")
"""How a connection may sign in: name and password, a token, or an OAuth client."""


@dataclass(frozen=True)
class Address:
    """Where one connection's tracker is and how to sign in there; `version` changes when any of it does."""

    connection_id: UUID
    version: int
    kind: str
    base_url: str
    scope: str
    way: str
    account: str
    secret: str = field(repr=False)
    webhook_secret: str = field(repr=False)


class Lines(Protocol):
    """The trackers, as whoever composes the desk offers them. A connector belongs to the thread that asked for it."""

    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of trackers there are connectors for."""
        ...

    def shipped_mapping(self, kind: str) -> str:
        """Return the mapping that works with a fresh tracker of this kind."""
        ...

    def open(self, address: Address) -> Connector:
        """Return a connector for this address, the same one as long as the address stays the same."""
        ...
