"""The web application: settings, database, wiring and routes, composed into one ASGI app."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from deskbridge import __version__, api_docs, figures, health
from deskbridge.kit.api import describe, refusal
from deskbridge.kit.clock import Clock
from deskbridge.kit.db import Database, Desk, unreachable
from deskbridge.kit.ending import before_ending
from deskbridge.kit.errors import DomainError, Malformed, NotFound, Unavailable
from deskbridge.kit.http import error_response, json_response, not_allowed, wants_html
from deskbridge.kit.methods import Methods, OwnMethods
from deskbridge.kit.middleware import AccessLog, BodyLimit, Catch, ExtraHeaders, RewritePaths
from deskbridge.kit.pace import AddressPace
from deskbridge.kit.routing import RouteIndex
from deskbridge.kit.sealed import Seal
from deskbridge.notify import api as notify_api
from deskbridge.notify.live import Live
from deskbridge.people import api as people_api
from deskbridge.people import directory_api
from deskbridge.people import web as people_web
from deskbridge.people.access import Access
from deskbridge.people.front import Front, front_of
from deskbridge.reports import api as reports_api
from deskbridge.search import api as search_api
from deskbridge.settings import Settings
from deskbridge.sla import api as sla_api
from deskbridge.sync import api as sync_api
from deskbridge.sync import hooks_api
from deskbridge.sync import web as sync_web
from deskbridge.sync import web_links as sync_web_links
from deskbridge.sync import web_setup as sync_web_setup
from deskbridge.sync.queries import key_of
from deskbridge.sync.trackers_of import Reach
from deskbridge.tickets import api as tickets_api
from deskbridge.tickets import attachments_api, categories_api, companions_api, conversation_api, portal_api
from deskbridge.tickets import portal as tickets_portal
from deskbridge.tickets import web as tickets_web
from deskbridge.tickets import web_forms as tickets_web_forms
from deskbridge.trackers import Trackers
from deskbridge.ui.assets import Assets
from deskbridge.wiring import uploads, wire

MAX_BODY = 1024 * 1024
WITH_FILES = r"/api/v1/tickets/[^/]+/attachments|/(desk|portal)/tickets/[^/]+/messages"
"""What takes files, and bounds them while they arrive."""

READ_HEADERS = [
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "X-Request-ID",
]
"""What a page of another origin may send besides what every page may."""

SHOWN_HEADERS = ["Content-Disposition", "ETag", "Idempotency-Replayed", "Retry-After", "X-Request-ID"]
"""What such a page may read of an answer besides what every page may."""

API = (
    health.router,
    people_api.router,
    reports_api.router,  # before tickets and people: `/tickets/analytics/…` and `/agents/performance` name no id
    directory_api.router,
    tickets_api.router,
    conversation_api.router,
    attachments_api.router,
    categories_api.router,
    companions_api.router,
    portal_api.router,
    sla_api.router,
    search_api.router,
    notify_api.router,
    hooks_api.router,
    sync_api.router,
)
WEB = (
    people_web.router,
    tickets_web_forms.router,
    tickets_web.router,
    tickets_portal.router,
    sync_web_setup.router,
    sync_web_links.router,
    sync_web.router,
)
METHODS = Methods((*API, *WEB))

log = structlog.get_logger(__name__)


def create_app(settings: Settings, database: Database | None = None, tour: APIRouter | None = None) -> FastAPI:
    """Return the application. A `database` given keeps its own clock and followers, and stays the caller's to close.

    `tour` is a door of its own at /desk/tour, which the desk's navigation then leads to.
    """
    owned = database is None
    database = database or Database(settings.DATABASE_URL, subscriptions=wire(settings).subscriptions)
    desk = Desk(database)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        with before_ending(live.close):
            yield
        if owned:
            desk.close()

    app = FastAPI(
        title="Deskbridge",
        version=__version__,
        summary="A service desk that keeps every tracker in step.",
        lifespan=lifespan,
        openapi_url="/openapi.json" if settings.api_docs else None,
        docs_url=None,
        redoc_url=None,
        middleware=_middleware(settings, database.clock),
        redirect_slashes=False,
    )
    app.state.uploads = uploads(settings, database.clock)
    assets = Assets()
    app.state.access = Access(desk, settings)
    app.state.figures = figures.Kept()
    app.state.live = live = Live(app.state.access)
    app.state.trackers = Reach(Trackers(settings.OUTBOUND_ALLOW), Seal(settings.SECRET_KEY.get_secret_value()))
    app.state.remote_key = key_of
    app.state.front = Front(app.state.access, assets, guided=tour is not None)
    for router in (*API, *WEB, *([tour] if tour is not None else [])):
        app.include_router(router)
    if settings.api_docs:
        app.include_router(api_docs.router)
    app.mount("/static", assets)
    _handle_errors(app)
    app.openapi = lambda: _described_once(app)  # type: ignore[method-assign]  # FastAPI's documented way to extend it
    return app


def _described_once(app: FastAPI) -> dict[str, object]:
    if app.openapi_schema is None:
        app.openapi_schema = describe(app)
    return app.openapi_schema


def _middleware(settings: Settings, clock: Clock) -> list[Middleware]:
    layers = [
        Middleware(AccessLog),
        Middleware(ExtraHeaders, headers=_security_headers(settings)),
        Middleware(AddressPace, a_minute=settings.address_limit, clock=clock),
        Middleware(RewritePaths),
        Middleware(BodyLimit, limit=MAX_BODY, larger=WITH_FILES),
        Middleware(Catch, answer=_unexpected),
        Middleware(OwnMethods, methods=METHODS),
        Middleware(RouteIndex),
    ]
    if settings.CORS_ORIGINS:
        cors = Middleware(
            CORSMiddleware,
            allow_origins=list(settings.CORS_ORIGINS),
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=READ_HEADERS,
            expose_headers=SHOWN_HEADERS,
        )
        layers.insert(1, cors)
    return layers


def _security_headers(settings: Settings) -> list[tuple[str, str]]:
    headers = [
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        ("Cache-Control", "no-store"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
        ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
    ]
    if settings.production:
        headers.append(("Strict-Transport-Security", "max-age=63072000; includeSubDomains"))
    return headers


def _handle_errors(app: FastAPI) -> None:
    """Render every error, wherever it comes from, in the one shape: as a page for a person's browser, else as JSON."""

    async def refuse(request: Request, error: DomainError) -> Response:
        return await front_of(request).refuse(request, error) if wants_html(request) else error_response(error)

    async def domain(request: Request, error: Exception) -> Response:
        assert isinstance(error, DomainError)
        return await refuse(request, error)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return await refuse(request, refusal(request, error))

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 404:
            return await refuse(request, NotFound())
        if error.status_code == 400:
            return await refuse(request, Malformed("The body could not be read."))
        if error.status_code == 405:
            return not_allowed(request.method, METHODS.of(request.url.path))
        return json_response({"detail": error.detail, "error_code": "ERROR"}, error.status_code, error.headers)

    async def database(request: Request, error: Exception) -> Response:
        assert isinstance(error, DBAPIError)
        if unreachable(error):
            return await refuse(request, Unavailable())
        return await _unexpected(request, error)

    app.add_exception_handler(DomainError, domain)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(DBAPIError, database)


async def _unexpected(request: Request, error: Exception) -> Response:
    """Log a fault of ours, and answer with the number that finds it in the log."""
    request_id = request.scope.get("state", {}).get("request_id", "")
    log.error("request.failed", request_id=request_id, exc_info=error)
    if wants_html(request):
        return front_of(request).failed(request, request_id)
    body = {
        "detail": f"Something went wrong on our side. If it happens again, quote {request_id}.",
        "error_code": "INTERNAL_ERROR",
    }
    return json_response(body, 500)


def app_from_environment() -> ASGIApp:
    """Return the application for the settings of this process: the factory that uvicorn's workers call."""
    from deskbridge.settings import load_settings  # noqa: PLC0415 - only where the environment decides

    return create_app(load_settings())
