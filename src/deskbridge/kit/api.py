"""What the API's doors share on the way in: bodies, parameters, and how their answers are described in OpenAPI."""

import re
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from typing import Annotated, Any, get_type_hints

import msgspec
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from msgspec import inspect
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from starlette.requests import Request

from deskbridge.kit.errors import DomainError, FieldError, Invalid, Malformed, UnsupportedMedia
from deskbridge.kit.idempotency import KEY_PATTERN, MAX_LENGTH
from deskbridge.kit.links import add_links
from deskbridge.kit.pace import UNCOUNTED

Responses = dict[int | str, dict[str, Any]]


class Body(BaseModel):
    """A JSON body: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class Parameters(BaseModel):
    """The query parameters of a list: unknown ones are refused, so that a misspelt filter never shows everything."""

    model_config = ConfigDict(extra="forbid")


NO_NUL = r"^[^\x00]*$"
Word = Annotated[str, Field(pattern=NO_NUL)]
"""A short text that goes into a query as it is. A field with a pattern of its own is a `str`."""

FilterWord = Annotated[str, Field(max_length=100, pattern=NO_NUL)]
"""One of several values that a list is filtered by; together they fit into an address."""

Cursor = Annotated[str, Field(max_length=400, pattern="^[A-Za-z0-9_-]+$")]
"""Where the next page of a list begins, as the page before it said."""


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be a time that UTC has too") from None


def _written(moment: object) -> object:
    """Let only text through that is a date and a time: pydantic would take seconds since 1970 too."""
    if not isinstance(moment, str) or not MOMENT.match(moment):
        raise ValueError("must be a date and time with its offset, such as 2026-11-20T08:30:00Z")
    return moment


MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")
Moment = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_in_utc)]
"""A point in time, with its offset from UTC."""


class ErrorField(msgspec.Struct):
    """One bad field."""

    field: str
    message: str


class Error(msgspec.Struct, omit_defaults=True):
    """Every error: a sentence, a code (docs/reference/errors.md), and the bad fields where there are any."""

    detail: str
    error_code: str
    errors: list[ErrorField] = []


OPEN: dict[str, Any] = {"security": []}
"""The `openapi_extra` of a route that anybody may call."""

WITH_OR_WITHOUT: dict[str, Any] = {"security": [{}, {"bearer": []}]}
"""The `openapi_extra` of a route that somebody may call by a token in its body instead."""

UNKEYED = "x-idempotency-key"


def unkeyed(reason: str) -> dict[str, Any]:
    """Return the `openapi_extra` of a write that reads no `Idempotency-Key`, and says why."""
    return {UNKEYED: f"Not read: {reason}"}


IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The `ETag` of the version this change was made to; another version answers 412.",
    "schema": {"type": "string"},
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Makes this happen once however often it is sent; kept for 72 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH, "pattern": KEY_PATTERN},
}

ETAG = {"ETag": {"description": "The version, for `If-Match`.", "schema": {"type": "string"}, "required": True}}
RETRY_AFTER = {
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}, "required": True}
}

_described: dict[str, Any] = {}
"""Every type that some route answers with, by the name of its schema; filled while the routes are declared."""


def answers(status: int, body: Any, *errors: int) -> Responses:
    """Return the `responses` of a route: its answer, 401 and 503, and the other errors it can give."""
    refusals: Responses = {code: said(code, Error) for code in sorted({401, 422, 503, *errors})}
    return {status: said(status, body), **refusals}


def said(status: int, body: Any = None) -> dict[str, Any]:
    """Return the description of one answer: what its status means, and its JSON, which may be one of several kinds."""
    described: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if body is None:
        return described
    schema = {"anyOf": [_reference(one) for one in body]} if isinstance(body, tuple) else _reference(body)
    if isinstance(body, type) and get_type_hints(body).get("version") is int:
        described["headers"] = ETAG
    return described | {"content": {"application/json": {"schema": schema}}}


@cache
def _reference(body: Any) -> dict[str, Any]:
    (schema,), _ = msgspec.json.schema_components([body], ref_template="#/components/schemas/{name}")
    _described[repr(body)] = body
    return schema


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document: FastAPI's, with the schemas of what we answer with."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
    )
    for path, ways in document["paths"].items():
        for method, operation in ways.items():
            _complete(method, path, operation)
    _, schemas = msgspec.json.schema_components(_described.values(), ref_template="#/components/schemas/{name}")
    marked: set[str] = set()
    for info in inspect.multi_type_info(_described.values()):
        _mark_times(info, schemas, marked)
    components = document.setdefault("components", {})
    components["schemas"] = dict(sorted({**components.get("schemas", {}), **schemas}.items()))
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "An access token, or a personal API token."},
        "session": {"type": "apiKey", "in": "cookie", "name": "deskbridge_session"},
    }
    add_links(document)
    document["security"] = [{"bearer": []}, {"session": []}]
    for name in _changes(document["paths"]):
        for field in components["schemas"][name].get("properties", {}).values():
            field.pop("default", None)
    return document


def _mark_times(info: inspect.Type, schemas: dict[str, Any], marked: set[str]) -> None:
    """Say which texts of an answer are times: msgspec leaves that out, as a `datetime` need not have a zone."""
    if isinstance(info, inspect.ListType):
        _mark_times(info.item_type, schemas, marked)
    if not isinstance(info, inspect.StructType | inspect.DataclassType) or (name := info.cls.__name__) in marked:
        return
    named = schemas.get(name, {}).get("properties", {})  # a page of something has another name, and no times
    marked |= {name} & schemas.keys()
    for field in info.fields:
        inner = field.type.types if isinstance(field.type, inspect.UnionType) else (field.type,)
        if named and any(isinstance(one, inspect.DateTimeType) for one in inner):
            _text_of(named[field.encode_name])["format"] = "date-time"
        for one in inner:
            _mark_times(one, schemas, marked)


def _text_of(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a property's schema that is about text."""
    ways: list[dict[str, Any]] = schema.get("anyOf", [schema])
    return next(way for way in ways if way.get("type") == "string")


def _complete(method: str, path: str, operation: dict[str, Any]) -> None:
    """Add what the kit does for every operation of a kind: how it refuses what it can't read, and the headers it reads.

    A write happens once per `Idempotency-Key`, unless its route says why not.
    """
    responses, parameters = operation["responses"], operation.get("parameters", [])
    keyed = method != "get" and UNKEYED not in operation
    if not path.startswith(UNCOUNTED):
        responses.setdefault("429", said(429, Error))
    if "429" in responses:
        responses["429"]["headers"] = RETRY_AFTER
    conditions = {
        400: "requestBody" in operation or parameters,
        403: method != "get" and operation.get("security") != [],  # a browser's request from another site
        409: keyed,
        413: "requestBody" in operation,
        415: "requestBody" in operation,
    }
    for status, applies in conditions.items():
        if applies:
            responses.setdefault(str(status), said(status, Error))
    for parameter in parameters:
        parameter["schema"] = _never_null(parameter["schema"])
    headers = [IF_MATCH] * ("412" in responses) + [IDEMPOTENCY_KEY] * bool(keyed)
    if headers:
        operation["parameters"] = [*parameters, *headers]
    operation["responses"] = dict(sorted(responses.items()))


def _never_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter without null: in an address there is none, a parameter is just left out."""
    if {"type": "null"} not in schema.get("anyOf", ()):
        return schema
    rest = [one for one in schema["anyOf"] if one != {"type": "null"}]
    around = {name: value for name, value in schema.items() if name != "anyOf"}
    return around | (rest[0] if len(rest) == 1 else {"anyOf": rest})


def _changes(paths: dict[str, Any]) -> set[str]:
    """Return the names of the bodies that only change things: what they leave out stays, so no default is true."""
    bodies: dict[bool, set[str]] = {True: set(), False: set()}
    for ways in paths.values():
        for method, operation in ways.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {"schema": {}})
            bodies[method in {"put", "patch"}].add(content["schema"].get("$ref", "").rpartition("/")[2])
    return bodies[True] - bodies[False] - {""}


def refusal(request: Request, error: RequestValidationError) -> DomainError:
    """Return what was wrong with a request that FastAPI could not read: 415, 400 or 422, with every bad field."""
    problems = error.errors()
    in_body = [problem for problem in problems if problem["loc"][0] == "body"]
    if in_body and not _is_json(request):
        return UnsupportedMedia("Send the body as application/json.")
    if any(problem["type"] == "json_invalid" for problem in problems):
        return Malformed("The body is not valid JSON.", errors=[FieldError("body", "This is not valid JSON.")])
    fields = [FieldError(_field(problem), _message(problem)) for problem in problems]
    return Invalid(fields) if in_body else Malformed("Some parameters are not right.", errors=fields)


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json") or kind.startswith("multipart/")


def _field(problem: Any) -> str:
    return ".".join(str(part) for part in problem["loc"][1:]) or str(problem["loc"][0])


def _message(problem: Any) -> str:
    if problem["type"] == "extra_forbidden":
        return "There is no such field."
    if problem.get("ctx", {}).get("pattern") == NO_NUL:
        return "This must not contain a NUL character."
    message: str = problem["msg"]
    return message.removeprefix("Value error, ")
