"""The route index: finds a request's route in one step, and calls the plain ones without FastAPI's machinery.

FastAPI declares, describes and checks every route. But to find one it asks each in turn, and to call it it prepares for
dependencies that the doors here do not have, which costs more than what most requests are for. So this layer stands
before it: it asks all the routes with one regular expression, and calls the endpoint itself where that takes nothing
but the request, its path, one model of query parameters and one of a JSON body. Whatever is out of the ordinary
(another route, another method, parameters that are not right) goes on to FastAPI, which answers or says what is wrong.
"""

import re
from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import Any, cast, get_origin, get_type_hints
from urllib.parse import parse_qsl

from fastapi import FastAPI, params
from fastapi.routing import RouteContext, iter_route_contexts
from pydantic import BaseModel, ValidationError
from starlette.convertors import StringConvertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from deskbridge.kit.http import JSON_TYPE
from deskbridge.kit.middleware import replay

NAMED_GROUP = re.compile(r"\(\?P<(\w+)>")
UNUSUAL = (
    "dependencies",
    "header_params",
    "cookie_params",
    "websocket_param_name",
    "http_connection_param_name",
    "response_param_name",
    "background_tasks_param_name",
    "security_scopes_param_name",
    "concurrency",
)
"""What an endpoint may ask of FastAPI that it then has to be called by FastAPI for."""


class Unusual(Exception):
    """A request that FastAPI is to look at."""


class RouteIndex:
    """Answers requests for plain routes, and hands all others to the application inside."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._indexes: dict[str, MethodIndex] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._find(scope) if scope["type"] == "http" and not scope.get("root_path") else None
        if route is None:
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive, send)
        try:
            values = await route.values(request)
        except Unusual:
            await self.app(scope, await _again(request, receive), send)
            return
        response = await _answered(route, request, values)
        await response(scope, receive, send)

    def _find(self, scope: Scope) -> "PlainRoute | None":
        """Return the plain route of a request, with `path_params` set; None if it has none, or another.

        Either way the state's `route` tells the route's template, if the path is one of a route.
        """
        method = scope["method"]
        if method not in self._indexes:
            if method not in {"GET", "POST", "PUT", "PATCH", "DELETE"}:
                return None
            self._indexes[method] = MethodIndex(scope["app"], method)
        found = self._indexes[method].find(scope["path"])
        if found is None:
            return None
        route, template, parameters = found
        scope.setdefault("state", {})["route"] = template
        if route is not None:
            scope["path_params"], scope["endpoint"] = parameters, route.endpoint
        return route


class MethodIndex:
    """The routes of one method as one regular expression: the first that matches counts, as with FastAPI."""

    def __init__(self, app: FastAPI, method: str) -> None:
        alternatives, groups = [], 0
        self._routes: dict[int, tuple[PlainRoute | None, str, list[tuple[str, int]]]] = {}
        for context in iter_route_contexts(app.routes):
            if method in (context.methods or {method}):
                pattern = context.path_regex.pattern
                names = NAMED_GROUP.findall(pattern)
                alternatives.append(f"(?:{NAMED_GROUP.sub('(', pattern)})()")  # the empty group tells which one it was
                places = [(name, groups + place) for place, name in enumerate(names, 1)]
                groups += len(names) + 1
                self._routes[groups] = (plain_route(context), context.path_format or "", places)
        self._regex = re.compile("|".join(alternatives) or "(?!)")

    def find(self, path: str) -> "tuple[PlainRoute | None, str, dict[str, str]] | None":
        """Return the route of a path (None: one that is not plain) with its template and parameters; None if none."""
        match = self._regex.match(path)
        if match is None or match.lastindex is None:
            return None
        route, template, places = self._routes[match.lastindex]
        return route, template, {name: match[place] for name, place in places}


def plain_route(context: RouteContext) -> "PlainRoute | None":
    """Return a route as one that can be called here; None if only FastAPI can."""
    dependant = getattr(context, "dependant", None)
    if dependant is None or not iscoroutinefunction(context.endpoint):
        return None
    answers_itself = get_type_hints(context.endpoint).get("return") is Response
    if not answers_itself or any(getattr(dependant, name) for name in UNUSUAL):
        return None
    if any(type(convertor) is not StringConvertor for convertor in context.param_convertors.values()):
        return None
    query, body = dependant.query_params, dependant.body_params
    if len(query) > 1 or any(not _is_flat_model(field.field_info.annotation) for field in query):
        return None
    if len(body) > 1 or any(type(field.field_info) is not params.Body or field.field_info.embed for field in body):
        return None
    return PlainRoute(cast("Endpoint", context.endpoint), dependant)


def _is_flat_model(annotation: Any) -> bool:
    """Tell whether query parameters are one model whose fields are named as in the address."""
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return False
    return all(field.alias is None and field.validation_alias is None for field in annotation.model_fields.values())


Endpoint = Callable[..., Awaitable[Response]]


class PlainRoute:
    """An endpoint that takes nothing but the request, its path, a model of query parameters and one of a JSON body."""

    def __init__(self, endpoint: Endpoint, dependant: Any) -> None:
        self.endpoint = endpoint
        self._request_name: str | None = dependant.request_param_name
        self._path = [(field.name, field.alias, field.validate) for field in dependant.path_params]
        self._query = [(field.name, field.field_info.annotation) for field in dependant.query_params]
        self._lists = {
            name
            for _, model in self._query
            for name, field in model.model_fields.items()
            if get_origin(field.annotation) is list
        }
        self._body = [(field.name, field.validate) for field in dependant.body_params]

    async def values(self, request: Request) -> dict[str, Any]:
        """Return what the endpoint is to be called with; raises `Unusual` for a request that cannot be read."""
        values: dict[str, Any] = {self._request_name: request} if self._request_name else {}
        for name, alias, validate in self._path:
            values[name] = _valid(validate(request.scope["path_params"][alias], values, loc=("path", alias)))
        for name, model in self._query:
            values[name] = self._parameters(model, request.scope["query_string"])
        for name, validate in self._body:
            given = await _json(request)
            if given is None:
                raise Unusual
            values[name] = _valid(validate(given, values, loc=("body",)))
        return values

    def _parameters(self, model: type[BaseModel], query_string: bytes) -> BaseModel:
        given: dict[str, Any] = {}
        for key, value in parse_qsl(query_string.decode("latin-1"), keep_blank_values=True):
            if key in self._lists:
                given.setdefault(key, []).append(value)
            else:
                given[key] = value
        try:
            return model.model_validate(given)
        except ValidationError:
            raise Unusual from None


def _valid(validated: tuple[Any, Any]) -> Any:
    value, errors = validated
    if errors:
        raise Unusual
    return value


async def _json(request: Request) -> Any:
    """Return the JSON of a body; raises `Unusual` for another kind of body, for none, and for JSON that is broken."""
    if request.headers.get("content-type", "").lower() != JSON_TYPE or not await request.body():
        raise Unusual
    try:
        return await request.json()
    except (ValueError, RecursionError):
        raise Unusual from None


async def _again(request: Request, receive: Receive) -> Receive:
    """Return a `receive` from which FastAPI can read the request once more."""
    return replay(await request.body(), receive) if hasattr(request, "_body") else receive


async def _answered(route: PlainRoute, request: Request, values: dict[str, Any]) -> Response:
    """Return what an endpoint answers, or what the application's handler makes of its error."""
    try:
        return await route.endpoint(**values)
    except Exception as error:
        handlers: dict[Any, Any] = request.app.exception_handlers
        handler = next((handlers[kind] for kind in type(error).__mro__ if kind in handlers), None)
        if handler is None:
            raise
        answer: Response = await handler(request, error)
        return answer
