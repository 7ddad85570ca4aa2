"""Whoever runs commands on the desk's own machine: they hold its database, so nothing is asked of them."""

from datetime import UTC, datetime
from uuid import UUID

from starlette.requests import Request

from deskbridge.kit.db import Desk, Reader
from deskbridge.people import queries
from deskbridge.people.access import Access, Credential
from deskbridge.people.actor import SYSTEM, Actor
from deskbridge.people.tokens import OwnToken
from deskbridge.settings import Settings

NOBODY = UUID(int=0)
NEVER = datetime.max.replace(tzinfo=UTC)


class OperatorAccess(Access):
    """Runs use cases for the person named, with that person's rights, or for the desk itself.

    It never serves a socket: only an application in the command's own process is given one.
    """

    def __init__(self, desk: Desk, settings: Settings, person_id: UUID | None) -> None:
        super().__init__(desk, settings)
        self._person_id = person_id

    def credential(self, _request: Request) -> Credential:
        """Return a sign-in that no token was made for."""
        return OwnToken(self._person_id or NOBODY, NOBODY, NEVER)

    def _actor(self, reader: Reader, _credential: Credential) -> Actor:
        return queries.actor_of_person(reader, self._person_id) if self._person_id else SYSTEM
