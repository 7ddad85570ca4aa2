"""The route index: plain routes are answered without FastAPI, and nobody can tell from the answers."""

import asyncio
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Path, Query
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from deskbridge.app import create_app
from deskbridge.kit.routing import MethodIndex, RouteIndex
from deskbridge.settings import Settings

router = APIRouter(prefix="/v1")


class Filter(BaseModel):
    model_config = ConfigDict(extra="forbid")
    tag: list[str] = Field([], max_length=2)
    limit: int = Field(50, ge=1)


class Thing(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    size: int = 1


class Wrong(Exception):
    """An error with a handler."""


def echoed(**values: Any) -> Response:
    return JSONResponse(values)


@router.get("/things/first")
async def before() -> Response:
    return echoed(route="first")


@router.get("/things/{id}")
async def one(request: Request, ref: Annotated[str, Path(alias="id", max_length=5)]) -> Response:
    return echoed(route="one", ref=ref, params=request.path_params, asked=request.headers.get("x-asked"))


@router.get("/things/late")
async def never(request: Request) -> Response:
    return echoed(route="never")


@router.get("/things")
async def many(parameters: Annotated[Filter, Query()]) -> Response:
    return echoed(route="many", tag=parameters.tag, limit=parameters.limit)


@router.post("/things", status_code=201)
async def add(request: Request, body: Thing) -> Response:
    return echoed(route="add", name=body.name, size=body.size, raw=(await request.body()).decode("latin-1"))


@router.post("/things/{id}/close")
async def close(ref: Annotated[str, Path(alias="id")], body: Thing | None = None) -> Response:
    return echoed(route="close", ref=ref, name=body and body.name)


@router.get("/wrong")
async def wrong() -> Response:
    raise Wrong("known")


@router.get("/fault")
async def fault() -> Response:
    raise ZeroDivisionError


def who(request: Request) -> str:
    return request.headers.get("x-asked", "nobody")


@router.get("/dependent")
async def dependent(name: Annotated[str, Depends(who)]) -> Response:
    return echoed(route="dependent", name=name)


@router.get("/model")
async def model() -> Thing:
    return Thing(name="modelled")


@router.get("/files/{path:path}")
async def files(path: str) -> Response:
    return echoed(route="files", path=path)


class Reached:
    """Notes which requests come as far as FastAPI."""

    def __init__(self, app: ASGIApp, paths: list[str]) -> None:
        self.app, self.paths = app, paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.paths.append(scope["path"])
        await self.app(scope, receive, send)


def application(*layers: Middleware) -> FastAPI:
    app = FastAPI(middleware=list(layers), redirect_slashes=False)
    app.include_router(router)

    async def known(_request: Request, error: Exception) -> Response:
        return JSONResponse({"known": str(error)}, 409)

    async def invalid(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return JSONResponse({"errors": [[problem["type"], problem["loc"]] for problem in error.errors()]}, 422)

    app.add_exception_handler(Wrong, known)
    app.add_exception_handler(RequestValidationError, invalid)
    return app


PLAIN: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/v1/things/first", {}),
    ("GET", "/v1/things/12", {}),
    ("GET", "/v1/things/late", {}),
    ("GET", "/v1/things/%C3%A4%0A", {}),
    ("GET", "/v1/things", {}),
    ("GET", "/v1/things?tag=a&tag=%C3%BC&limit=3", {}),
    ("GET", "/v1/things?limit=2&limit=3", {}),
    ("GET", "/v1/things?tag=%ff", {}),
    ("GET", "/v1/wrong", {}),
    ("POST", "/v1/things", {"json": {"name": "a", "size": 2}}),
    ("POST", "/v1/things/7/close", {"json": {"name": "a"}}),
]
UNUSUAL: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/v1/things/123456", {}),
    ("GET", "/v1/things?limit=0", {}),
    ("GET", "/v1/things?limit=", {}),
    ("GET", "/v1/things?tag=a&tag=b&tag=c", {}),
    ("GET", "/v1/things?tagg=a", {}),
    ("GET", "/v1/things/", {}),
    ("GET", "/v2/things", {}),
    ("GET", "/v1/dependent", {}),
    ("GET", "/v1/model", {}),
    ("GET", "/v1/files/a/b", {}),
    ("HEAD", "/v1/things", {}),
    ("PUT", "/v1/things", {"json": {"name": "a"}}),
    ("POST", "/v1/things", {}),
    ("POST", "/v1/things", {"json": {"size": "x", "more": 1}}),
    ("POST", "/v1/things", {"json": None}),
    ("POST", "/v1/things", {"json": []}),
    ("POST", "/v1/things", {"content": b"{", "headers": {"Content-Type": "application/json"}}),
    ("POST", "/v1/things", {"content": b"[" * 5000, "headers": {"Content-Type": "application/json"}}),
    ("POST", "/v1/things", {"data": {"name": "a"}}),
    ("POST", "/v1/things/7/close", {}),
]


def sent(app: FastAPI, method: str, path: str, options: dict[str, Any]) -> tuple[int, bytes]:
    options = dict(options)
    headers = options.pop("headers", {})

    async def call() -> tuple[int, bytes]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://desk.test") as client:
            answer = await client.request(method, path, headers={"X-Asked": "Nina", **headers}, **options)
            return answer.status_code, answer.content

    return asyncio.run(call())


@pytest.mark.parametrize(("method", "path", "options"), PLAIN)
def test_a_plain_route_is_answered_alike_without_fastapi(method: str, path: str, options: dict[str, Any]) -> None:
    reached: list[str] = []
    indexed = application(Middleware(RouteIndex), Middleware(Reached, paths=reached))
    assert sent(indexed, method, path, options) == sent(application(), method, path, options)
    assert reached == []


@pytest.mark.parametrize(("method", "path", "options"), UNUSUAL)
def test_whatever_else_is_answered_by_fastapi(method: str, path: str, options: dict[str, Any]) -> None:
    reached: list[str] = []
    indexed = application(Middleware(RouteIndex), Middleware(Reached, paths=reached))
    assert sent(indexed, method, path, options) == sent(application(), method, path, options)
    assert len(reached) == 1


def test_the_first_route_that_matches_counts() -> None:
    index = MethodIndex(application(), "GET")
    found = {path: index.find(f"/v1/things/{path}") for path in ("first", "late", "12")}
    assert {path: plain and plain[0].endpoint for path, plain in found.items()} == {
        "first": before,
        "late": one,
        "12": one,
    }


def test_a_fault_goes_to_the_layers_around() -> None:
    with pytest.raises(ZeroDivisionError):
        sent(application(Middleware(RouteIndex)), "GET", "/v1/fault", {})


def test_the_hot_routes_of_the_desk_are_plain(settings: Settings) -> None:
    app = create_app(settings)
    for method, path in (
        ("GET", "/api/v1/tickets"),
        ("GET", "/api/v1/tickets/1042"),
        ("GET", "/api/v1/tickets/1042/comments"),
        ("POST", "/api/v1/tickets"),
        ("POST", "/api/v1/tickets/1042/comments"),
        ("GET", "/desk/tickets"),
    ):
        found = MethodIndex(app, method).find(path)
        assert found is not None, path
        assert found[0] is not None, path
