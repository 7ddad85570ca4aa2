"""The API's doors to the portal: a customer files a request and reads it, with the key it has in a tracker.

At these addresses everybody is a customer, agents too.
"""

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Path
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from deskbridge.kit.api import Body, Word, answers, said
from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.http import versioned_response
from deskbridge.people.actor import Actor
from deskbridge.people.api import access_of
from deskbridge.tickets import queries
from deskbridge.tickets.answers import TicketAnswer
from deskbridge.tickets.fields import DESCRIPTION_LENGTH, TITLE_LENGTH
from deskbridge.tickets.queries import as_ref
from deskbridge.tickets.requests import as_customer, file_request
from deskbridge.tickets.service import NewTicket
from deskbridge.tickets.shown import remote_key_of

router = APIRouter(prefix="/api/v1/portal", tags=["portal"])

Ref = Annotated[str, Path(alias="number", max_length=40, description="The ticket's number or its id.")]


class RequestBody(Body):
    title: str = Field(min_length=TITLE_LENGTH[0], max_length=TITLE_LENGTH[1])
    description: str = Field(
        min_length=DESCRIPTION_LENGTH[0], max_length=DESCRIPTION_LENGTH[1], description="Markdown."
    )
    category: Word = Field(max_length=60)


class PortalTicketAnswer(TicketAnswer):
    """A ticket as its requester sees it; `remote_key` is what a tracker calls it, null until it is there."""

    remote_key: str | None


class FiledAnswer(msgspec.Struct):
    """The request that was opened; or, not `created`, the open one that its customer has instead."""

    created: bool
    ticket: PortalTicketAnswer


FILED = answers(201, FiledAnswer, 400) | {200: said(200, FiledAnswer)}


@router.post("/tickets", status_code=201, responses=FILED, response_class=Response)
async def file(request: Request, body: RequestBody) -> Response:
    """File a request; a customer who has an open one gets that instead, as PORTAL_OPEN_TICKETS has it."""
    access, remote_key = access_of(request), remote_key_of(request)
    new = NewTicket(**body.model_dump())

    def filed(uow: UnitOfWork, actor: Actor) -> FiledAnswer:
        found = file_request(uow, actor, new, access.settings.PORTAL_OPEN_TICKETS)
        return FiledAnswer(found.created, _ticket(uow, actor, found.number, remote_key))

    return await access.answer(request, lambda answer: 201 if answer.created else 200, filed)


@router.get("/tickets/{number}", responses=answers(200, PortalTicketAnswer, 404), response_class=Response)
async def get_ticket(request: Request, ref: Ref) -> Response:
    """Return one of one's own requests, with its key in the tracker it is filed in."""
    return versioned_response(await access_of(request).read(request, _ticket, as_ref(ref), remote_key_of(request)))


def _ticket(
    reader: Reader, actor: Actor, ref: UUID | int, remote_key: Callable[[Reader, UUID], str | None]
) -> PortalTicketAnswer:
    ticket = queries.get_ticket(reader, as_customer(actor), ref)
    return PortalTicketAnswer(**msgspec.structs.asdict(ticket), remote_key=remote_key(reader, ticket.id))
