"""The root's doors for machines: alive, ready, and metrics."""

from typing import Literal

import msgspec
import structlog
from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from deskbridge import __version__, figures
from deskbridge.kit.api import OPEN, said
from deskbridge.kit.errors import DomainError
from deskbridge.kit.http import json_response
from deskbridge.kit.schema import require_current
from deskbridge.people.api import access_of

router = APIRouter(tags=["root"])
log = structlog.get_logger(__name__)


class Health(msgspec.Struct):
    """The process is alive."""

    status: Literal["healthy"]
    service: Literal["deskbridge"]
    version: str
    environment: str


class Readiness(msgspec.Struct, omit_defaults=True):
    """Whether requests can be answered; if not, why."""

    status: Literal["ready", "unavailable"]
    detail: str = ""
    error_code: str = ""


METRICS = {"description": "Prometheus's text format.", "content": {"text/plain": {"schema": {"type": "string"}}}}


@router.get("/health", responses={200: said(200, Health)}, response_class=Response, openapi_extra=OPEN)
async def health(request: Request) -> Response:
    """Tell that the process is alive."""
    environment = access_of(request).settings.ENVIRONMENT
    return json_response(Health("healthy", "deskbridge", __version__, environment))


@router.get(
    "/ready",
    responses={200: said(200, Readiness), 503: said(503, Readiness)},
    response_class=Response,
    openapi_extra=OPEN,
)
async def ready(request: Request) -> Response:
    """Tell whether the database answers and its schema is this version's; 503 until then."""
    try:
        await access_of(request).desk.scan(require_current)
    except DomainError as error:
        return json_response(Readiness("unavailable", error.detail, error.code), 503)
    return json_response(Readiness("ready"))


@router.get("/metrics", responses={200: METRICS}, response_class=Response, openapi_extra=OPEN)
async def metrics(request: Request) -> Response:
    """Return the metrics of this process for Prometheus, with the desk's jobs and connections.

    Those are left out while the database cannot be read.
    """
    text = generate_latest(REGISTRY)
    try:
        text += generate_latest(await _figures(request))
    except DomainError:
        log.warning("metrics.database_unavailable")
    return Response(text, media_type=CONTENT_TYPE_LATEST)


async def _figures(request: Request) -> CollectorRegistry:
    kept: figures.Kept = request.app.state.figures
    desk = access_of(request).desk
    now = desk.database.clock.now()
    found = kept.fresh(now) or kept.keep(await desk.scan(figures.read), now)
    registry = CollectorRegistry()
    registry.register(found)
    return registry
