"""The API's door to search."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from deskbridge.kit.api import Cursor, Parameters, Word, answers
from deskbridge.kit.http import json_response
from deskbridge.kit.paging import DEFAULT_LIMIT, MAX_LIMIT, Page
from deskbridge.people.api import access_of
from deskbridge.search.queries import Found, Order, search
from deskbridge.search.query import LONGEST_QUERY

router = APIRouter(prefix="/api/v1", tags=["tickets"])


class SearchParameters(Parameters):
    """Words, "phrases", beginnings*, and status: priority: assignee: requester: team: category: tag: is:breached."""

    q: Word = Field(min_length=1, max_length=LONGEST_QUERY)
    order: Order = Order.RECENCY
    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    cursor: Cursor | None = None


@router.get("/search", responses=answers(200, Page[Found], 400), response_class=Response)
async def search_tickets(request: Request, parameters: Annotated[SearchParameters, Query()]) -> Response:
    """Find tickets by what they and their conversations say, with the passages found."""
    page = await access_of(request).read(
        request, search, parameters.q, parameters.order, parameters.limit, parameters.cursor
    )
    return json_response(page)
