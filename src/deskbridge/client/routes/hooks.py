"""What can be called: hooks. Written by `make docs` from the API's routes; change those instead."""

from uuid import UUID

from deskbridge.client.answers import Received
from deskbridge.client.calls import Call, Calls, once, segment


class HooksRoutes:
    """The routes of the API that are about hooks."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def receive_webhook(self, connection: UUID | int | str, *, idempotency_key: str | None = None) -> Received:
        """Take a webhook of a connection's tracker, signed with the connection's webhook secret over its raw bytes."""
        return self._calls.answer(Call("POST", f"/hooks/{segment(connection)}", key=once(idempotency_key)), Received)
