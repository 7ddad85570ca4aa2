"""The root's doors for machines: alive, ready, and metrics."""

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from deskbridge import __version__
from deskbridge.kit.errors import DomainError
from deskbridge.kit.http import error_body, json_response
from deskbridge.kit.schema import require_current
from deskbridge.people.api import access_of

router = APIRouter(tags=["root"])


@router.get("/health", response_class=Response)
async def health(request: Request) -> Response:
    """Tell that the process is alive."""
    settings = access_of(request).settings
    return json_response(
        {
            "status": "healthy",
            "service": "deskbridge",
            "version": __version__,
            "environment": settings.ENVIRONMENT,
        }
    )


@router.get("/ready", response_class=Response)
async def ready(request: Request) -> Response:
    """Tell whether the database answers and its schema is this version's; 503 until then."""
    try:
        await access_of(request).desk.scan(require_current)
    except DomainError as error:
        return json_response({"status": "unavailable", **error_body(error)}, 503)
    return json_response({"status": "ready"})


@router.get("/metrics", response_class=Response)
async def metrics() -> Response:
    """Return the metrics of this process for Prometheus."""
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)
