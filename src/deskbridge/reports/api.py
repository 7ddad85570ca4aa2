"""The API's doors to reports."""

from datetime import datetime
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

import msgspec
from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from deskbridge.kit.api import FilterWord, Moment, Parameters, answers
from deskbridge.kit.db import Reader
from deskbridge.kit.errors import FieldError, Malformed
from deskbridge.kit.http import json_response
from deskbridge.people.actor import Actor
from deskbridge.people.api import access_of
from deskbridge.reports import queries
from deskbridge.reports.periods import Bucket, Period, last_period
from deskbridge.reports.queries import AgeBucket, AgentLine, By, CategoryLine, Chosen, PeriodLine, SlaAdherence, Times
from deskbridge.tickets.model import Priority

router = APIRouter(prefix="/api/v1", tags=["reports"])


class ReportParameters(Parameters):
    """The tickets a report is about: `last` or `from` and `to` bound when they were created; all, without."""

    last: str | None = Field(None, pattern=r"^[1-9][0-9]{0,3}[hd]$", description="For example 48h or 30d.")
    from_: Moment | None = Field(None, alias="from")
    to: Moment | None = None
    tz: str = Field("UTC", max_length=60, pattern="^[A-Za-z0-9_+/-]+$", description="The time zone that days begin in.")
    team: list[UUID] = Field([], max_length=20)
    category: list[FilterWord] = Field([], max_length=20)
    priority: list[Priority] = Field([], max_length=4)


class PeriodParameters(ReportParameters):
    """Without a period, the last 30 days."""

    last: str | None = Field(None, pattern=r"^[1-9][0-9]{0,3}[hd]$", description="30d, unless from or to is given.")
    bucket: Bucket | None = Field(None, description="By default hours for hours, days for days.")


class TimeParameters(ReportParameters):
    """Here the period bounds when tickets were resolved."""

    by: By | None = None


class PeriodReport(msgspec.Struct):
    """Tickets by period."""

    items: list[PeriodLine]


class CategoryReport(msgspec.Struct):
    """Tickets by category."""

    items: list[CategoryLine]


class AgingReport(msgspec.Struct):
    """Open tickets by age."""

    buckets: list[AgeBucket]


class AgentReport(msgspec.Struct):
    """Agents, by name."""

    items: list[AgentLine]


def _chosen(p: ReportParameters, now: datetime) -> Chosen:
    return Chosen(_period(p, now)[0], tuple(p.team), tuple(p.category), tuple(p.priority))


def _period(p: ReportParameters, now: datetime) -> tuple[Period, Bucket]:
    """Return the period asked for, and the bucket that fits it."""
    zone = _zone(p.tz)
    if p.last is not None and (p.from_ or p.to):
        raise _malformed("last", "Use either last, or from and to.")
    if p.from_ is not None and p.to is not None and p.from_ >= p.to:
        raise _malformed("to", "The period ends before it begins.")
    last = "30d" if isinstance(p, PeriodParameters) and not (p.last or p.from_ or p.to) else p.last
    found = last_period(last, now, zone) if last else None
    return found or (Period(p.from_, p.to), Bucket.DAY)


def _zone(name: str) -> ZoneInfo:
    if name not in available_timezones():
        raise _malformed("tz", "Use a time zone such as Europe/Rome.")
    return ZoneInfo(name)


def _malformed(field: str, complaint: str) -> Malformed:
    return Malformed(complaint, errors=[FieldError(field, complaint)])


@router.get("/reports/tickets-by-period", responses=answers(200, PeriodReport, 400, 403), response_class=Response)
async def tickets_by_period(request: Request, parameters: Annotated[PeriodParameters, Query()]) -> Response:
    """Return what was created and resolved in each hour, day, week or month, and the backlog at its end."""

    def report(reader: Reader, actor: Actor) -> PeriodReport:
        period, fitting = _period(parameters, reader.now)
        if period.start is None:
            raise _malformed("from", "Say where the period begins, or use last.")
        which, bucket, zone = _chosen(parameters, reader.now), parameters.bucket or fitting, _zone(parameters.tz)
        end = period.end or reader.now
        return PeriodReport(queries.tickets_by_period(reader, actor, which, period.start, end, bucket, zone))

    return json_response(await access_of(request).scan(request, report))


@router.get("/reports/resolution-time", responses=answers(200, Times, 400, 403), response_class=Response)
async def resolution_time(request: Request, parameters: Annotated[TimeParameters, Query()]) -> Response:
    """Return how long tickets took from creation to resolution, whole or also by priority, category, team or agent."""

    def report(reader: Reader, actor: Actor) -> Times:
        return queries.resolution_time(reader, actor, _chosen(parameters, reader.now), parameters.by)

    return json_response(await access_of(request).scan(request, report))


@router.get("/reports/categories", responses=answers(200, CategoryReport, 400, 403), response_class=Response)
async def categories(request: Request, parameters: Annotated[ReportParameters, Query()]) -> Response:
    """Return how many tickets each category has, and how many of them are open."""

    def report(reader: Reader, actor: Actor) -> CategoryReport:
        return CategoryReport(queries.by_category(reader, actor, _chosen(parameters, reader.now)))

    return json_response(await access_of(request).scan(request, report))


@router.get("/tickets/analytics/sla-adherence", responses=answers(200, SlaAdherence, 400, 403), response_class=Response)
async def sla_adherence(request: Request, parameters: Annotated[ReportParameters, Query()]) -> Response:
    """Return how many response and resolution targets were met and breached."""

    def report(reader: Reader, actor: Actor) -> SlaAdherence:
        return queries.sla_adherence(reader, actor, _chosen(parameters, reader.now))

    return json_response(await access_of(request).scan(request, report))


@router.get("/tickets/analytics/aging", responses=answers(200, AgingReport, 400, 403), response_class=Response)
async def aging(request: Request, parameters: Annotated[ReportParameters, Query()]) -> Response:
    """Return the open tickets by age."""

    def report(reader: Reader, actor: Actor) -> AgingReport:
        return AgingReport(queries.aging(reader, actor, _chosen(parameters, reader.now)))

    return json_response(await access_of(request).scan(request, report))


@router.get("/agents/performance", responses=answers(200, AgentReport, 400, 403), response_class=Response)
async def agents_performance(request: Request, parameters: Annotated[ReportParameters, Query()]) -> Response:
    """Return each agent's figures: oneself for an agent, one's teams for a lead, everybody for a manager."""

    def report(reader: Reader, actor: Actor) -> AgentReport:
        return AgentReport(queries.agents_performance(reader, actor, _chosen(parameters, reader.now)))

    return json_response(await access_of(request).scan(request, report))
