"""The API's door to the live stream."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from deskbridge.kit.api import answers
from deskbridge.notify.live import Live
from deskbridge.people.api import access_of

router = APIRouter(prefix="/api/v1", tags=["live"])

LAST_EVENT_ID: dict[str, Any] = {
    "name": "Last-Event-ID",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "The `id` of the last event that was received.",
}
"""Described here and read from the request, so that the route is a plain one: FastAPI's part would stay in memory."""
STREAM = answers(200, None, 429)
STREAM[200]["content"] = {"text/event-stream": {"schema": {"type": "string"}}}


def live_of(request: Request) -> Live:
    live: Live = request.app.state.live
    return live


@router.get("/stream", responses=STREAM, response_class=Response, openapi_extra={"parameters": [LAST_EVENT_ID]})
async def stream(request: Request) -> Response:
    """Deliver ticket, message and SLA events as Server-Sent Events while the connection lasts; to leads those of sync.

    Each event carries what the reader may see at that moment. `id` is a bookmark: sent back as `Last-Event-ID`, by
    browsers on their own, it brings everything that happened since, for up to seven days; when that is too much, an
    event `reset` asks to load anew. A line that begins with a colon is a heartbeat. Credentials come as a cookie or in
    the header `Authorization`, never in the address; the stream ends with them.
    """
    credential, actor = await access_of(request).admit(request)
    return live_of(request).open(credential, actor, request.headers.get("last-event-id"))
