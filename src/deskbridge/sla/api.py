"""The API's doors to service levels."""

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Path
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from deskbridge.kit.api import Body, Word, answers
from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.errors import Forbidden
from deskbridge.kit.http import expected_version, json_response, versioned_response
from deskbridge.people.actor import Actor
from deskbridge.people.api import access_of
from deskbridge.sla import admin, queries
from deskbridge.sla.queries import CalendarAnswer, PolicyAnswer, SlaAnswer
from deskbridge.tickets.model import Priority
from deskbridge.tickets.queries import as_ref

router = APIRouter(prefix="/api/v1", tags=["service levels"])

RowId = Annotated[UUID, Path(alias="id")]


class PolicyBody(Body):
    """A policy; null minutes are no target, a null team or category is any, a null calendar is round the clock."""

    name: Word = Field(min_length=1, max_length=100)
    priority: Priority
    team_id: UUID | None = None
    category: Word | None = Field(None, max_length=60)
    response_minutes: int | None = Field(None, ge=1, le=admin.LONGEST)
    resolution_minutes: int | None = Field(None, ge=1, le=admin.LONGEST)
    calendar_id: UUID | None = None


class CalendarBody(Body):
    """A business calendar, for example `{"monday": [["09:00", "13:00"], ["14:00", "24:00"]]}`."""

    name: Word = Field(min_length=1, max_length=100)
    time_zone: Word = Field(max_length=60)
    week: dict[Word, list[Annotated[list[Word], Field(min_length=2, max_length=2)]]] = Field(max_length=7)
    holidays: list[date] = Field([], max_length=2000)


class PolicyList(msgspec.Struct):
    """Every policy."""

    items: list[PolicyAnswer]


class CalendarList(msgspec.Struct):
    """Every calendar."""

    items: list[CalendarAnswer]


@router.get("/tickets/{id}/sla", responses=answers(200, SlaAnswer, 403, 404), response_class=Response)
async def ticket_sla(
    request: Request, ref: Annotated[str, Path(alias="id", max_length=40, description="The ticket's number or id.")]
) -> Response:
    """Explain a ticket's deadlines by the time that counted and the time that did not."""
    return json_response(await access_of(request).read(request, queries.ticket_sla, as_ref(ref)))


@router.get("/sla-policies", responses=answers(200, PolicyList, 403), response_class=Response)
async def list_policies(request: Request) -> Response:
    """Return the SLA policies; for agents."""

    def policies(reader: Reader, actor: Actor) -> PolicyList:
        _require_agent(actor)
        return PolicyList(queries.list_policies(reader))

    return json_response(await access_of(request).read(request, policies))


@router.post(
    "/sla-policies", status_code=201, responses=answers(201, PolicyAnswer, 400, 403, 409), response_class=Response
)
async def add_policy(request: Request, body: PolicyBody) -> Response:
    """Add an SLA policy; for administrators."""
    return await _save_policy(request, 201, body, None, None)


@router.get("/sla-policies/{id}", responses=answers(200, PolicyAnswer, 400, 403, 404), response_class=Response)
async def get_policy(request: Request, policy_id: RowId) -> Response:
    """Return an SLA policy; for agents."""

    def policy(reader: Reader, actor: Actor) -> PolicyAnswer:
        _require_agent(actor)
        return queries.get_policy(reader, policy_id)

    return versioned_response(await access_of(request).read(request, policy))


@router.put(
    "/sla-policies/{id}", responses=answers(200, PolicyAnswer, 400, 403, 404, 409, 412), response_class=Response
)
async def put_policy(request: Request, policy_id: RowId, body: PolicyBody) -> Response:
    """Change an SLA policy; for administrators."""
    return await _save_policy(request, 200, body, policy_id, expected_version(request))


async def _save_policy(
    request: Request, status: int, body: PolicyBody, policy_id: UUID | None, version: int | None
) -> Response:
    draft = admin.PolicyDraft(**body.model_dump())

    def save(uow: UnitOfWork, actor: Actor) -> PolicyAnswer:
        return queries.get_policy(uow, admin.save_policy(uow, actor, draft, policy_id, version).id)

    return await access_of(request).answer(request, status, save)


@router.delete("/sla-policies/{id}", status_code=204, responses=answers(204, None, 403, 404), response_class=Response)
async def delete_policy(request: Request, policy_id: RowId) -> Response:
    """Remove an SLA policy; for administrators."""
    return await access_of(request).answer(request, 204, admin.delete_policy, policy_id)


@router.get("/calendars", responses=answers(200, CalendarList, 403), response_class=Response)
async def list_calendars(request: Request) -> Response:
    """Return the business calendars; for agents."""

    def calendars(reader: Reader, actor: Actor) -> CalendarList:
        _require_agent(actor)
        return CalendarList(queries.list_calendars(reader))

    return json_response(await access_of(request).read(request, calendars))


@router.post(
    "/calendars", status_code=201, responses=answers(201, CalendarAnswer, 400, 403, 409), response_class=Response
)
async def add_calendar(request: Request, body: CalendarBody) -> Response:
    """Add a business calendar; for administrators."""
    return await _save_calendar(request, 201, body, None, None)


@router.get("/calendars/{id}", responses=answers(200, CalendarAnswer, 400, 403, 404), response_class=Response)
async def get_calendar(request: Request, calendar_id: RowId) -> Response:
    """Return a business calendar; for agents."""

    def calendar(reader: Reader, actor: Actor) -> CalendarAnswer:
        _require_agent(actor)
        return queries.get_calendar(reader, calendar_id)

    return versioned_response(await access_of(request).read(request, calendar))


@router.put("/calendars/{id}", responses=answers(200, CalendarAnswer, 400, 403, 404, 409, 412), response_class=Response)
async def put_calendar(request: Request, calendar_id: RowId, body: CalendarBody) -> Response:
    """Change a business calendar; for administrators."""
    return await _save_calendar(request, 200, body, calendar_id, expected_version(request))


async def _save_calendar(
    request: Request, status: int, body: CalendarBody, calendar_id: UUID | None, version: int | None
) -> Response:
    holidays = [day.isoformat() for day in body.holidays]
    draft = admin.CalendarDraft(body.name, body.time_zone, body.week, holidays)

    def save(uow: UnitOfWork, actor: Actor) -> CalendarAnswer:
        return queries.get_calendar(uow, admin.save_calendar(uow, actor, draft, calendar_id, version).id)

    return await access_of(request).answer(request, status, save)


@router.delete("/calendars/{id}", status_code=204, responses=answers(204, None, 403, 404, 409), response_class=Response)
async def delete_calendar(request: Request, calendar_id: RowId) -> Response:
    """Remove a business calendar that nothing counts with; for administrators."""
    return await access_of(request).answer(request, 204, admin.delete_calendar, calendar_id)


def _require_agent(actor: Actor) -> None:
    if not actor.is_agent:
        raise Forbidden("Service levels are set up by agents.")
