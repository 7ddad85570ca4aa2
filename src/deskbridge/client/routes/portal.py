"""What can be called: portal. Written by `make docs` from the API's routes; change those instead."""

from uuid import UUID

from deskbridge.client.answers import FiledAnswer, PortalTicketAnswer
from deskbridge.client.calls import Call, Calls, once, segment


class PortalRoutes:
    """The routes of the API that are about portal."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def file(self, *, title: str, description: str, category: str, idempotency_key: str | None = None) -> FiledAnswer:
        """File a request; a customer who has an open one gets that instead, as PORTAL_OPEN_TICKETS has it."""
        return self._calls.answer(
            Call(
                "POST",
                "/api/v1/portal/tickets",
                body={"title": title, "description": description, "category": category},
                key=once(idempotency_key),
            ),
            FiledAnswer,
        )

    def get_ticket(self, number: UUID | int | str) -> PortalTicketAnswer:
        """Return one of one's own requests, with its key in the tracker it is filed in."""
        return self._calls.answer(Call("GET", f"/api/v1/portal/tickets/{segment(number)}"), PortalTicketAnswer)
