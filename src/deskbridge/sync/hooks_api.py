"""The door for webhooks: verified, kept, answered; what they hint at is looked at later."""

import asyncio

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from deskbridge.kit.api import OPEN, Error, Word, said
from deskbridge.kit.errors import Malformed
from deskbridge.kit.http import json_response
from deskbridge.people.api import access_of
from deskbridge.sync import inbox
from deskbridge.sync.trackers_of import trackers_of

router = APIRouter(tags=["sync"])

XML = {"text/xml", "application/xml"}


class Received(msgspec.Struct):
    """How many hints were new; one that was sent again counts as none."""

    received: int


@router.post(
    "/hooks/{connection}",
    responses={202: said(202, Received), **{status: said(status, Error) for status in (400, 401, 404, 413, 422, 503)}},
    status_code=202,
    response_class=Response,
    openapi_extra=OPEN,
)
async def receive_webhook(request: Request, connection: Word) -> Response:
    """Take a webhook of a connection's tracker, signed with the connection's webhook secret over its raw bytes."""
    desk, trackers = access_of(request).desk, trackers_of(request)
    address = await desk.read(inbox.address_for_hook, trackers.seal, connection)
    body = await request.body()
    if not body:
        raise Malformed("A webhook has a body.")
    headers = {name.lower(): value for name, value in request.headers.items()}
    hints = await asyncio.to_thread(inbox.verified, trackers.lines, address, headers, body)
    received = await desk.write(inbox.receive, address.connection_id, hints)
    return json_response(Received(received), 202)
