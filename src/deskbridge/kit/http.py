"""What every door over HTTP shares: ready answers, errors as JSON, entity tags."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from deskbridge.kit import errors
from deskbridge.kit.errors import DomainError, FieldError, Malformed

STATUS: Mapping[type[DomainError], int] = {
    errors.Malformed: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.PreconditionFailed: 412,
    errors.TooLarge: 413,
    errors.UnsupportedMedia: 415,
    errors.Invalid: 422,
    errors.RateLimited: 429,
    errors.Unavailable: 503,
}
JSON_TYPE = "application/json"
NO_VERSION = -1
OUR_TAG = re.compile(r'"([0-9]{1,18})"')
ENTITY_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
ENTITY_TAGS = re.compile(rf"(?:{ENTITY_TAG}(?:[ \t]*,[ \t]*{ENTITY_TAG})*)?")

encode = msgspec.json.Encoder().encode


def status_of(error: DomainError) -> int:
    """Return the HTTP status of an error: that of the nearest of its classes that has one."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def error_body(error: DomainError) -> dict[str, Any]:
    """Return the JSON of an error: `detail`, `error_code`, the bad fields, and the error's own data."""
    body: dict[str, Any] = {"detail": error.detail, "error_code": error.code, **error.data}
    fields: list[FieldError] = getattr(error, "errors", [])
    if fields:
        body["errors"] = [{"field": field, "message": message} for field, message in fields]
    return body


def error_headers(error: DomainError) -> dict[str, str]:
    """Return the headers that go with an error."""
    if isinstance(error, errors.RateLimited):
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, errors.Unavailable):
        return {"Retry-After": "2"}
    if isinstance(error, errors.Unauthenticated):
        return {"WWW-Authenticate": "Bearer"}
    return {}


def error_response(error: DomainError) -> Response:
    """Return an error as the API answers it."""
    return json_response(error_body(error), status_of(error), error_headers(error))


def not_allowed(method: str, allowed: Iterable[str]) -> Response:
    """Return the answer to a method that an address does not take, with those that it does."""
    body = {"detail": f"This address does not take {method}.", "error_code": "METHOD_NOT_ALLOWED"}
    return json_response(body, 405, {"Allow": ", ".join(sorted(allowed))})


def json_response(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return any msgspec-encodable value as JSON."""
    return Response(encode(body), status, headers, JSON_TYPE)


class Versioned(Protocol):
    """What can be read one at a time, and has a version that each change of it counts up."""

    version: int


def versioned_response(thing: Versioned, status: int = 200) -> Response:
    """Return one thing as JSON with its version as `ETag`."""
    return json_response(thing, status, {"ETag": etag(thing.version)})


def etag(version: int) -> str:
    """Return the entity tag of a version."""
    return f'"{version}"'


def expected_version(request: Request) -> int | None:
    """Return the version that `If-Match` asks for; None without the header, or for `*`.

    Tags that are none of ours, weak ones, several at once and none ask for `NO_VERSION`: nobody has seen such a one.
    """
    header = request.headers.get("if-match")
    if header is None or header.strip() == "*":
        return None
    if not ENTITY_TAGS.fullmatch(header.strip()):
        raise Malformed(errors=[FieldError("If-Match", 'Send one entity tag as it was given, for example "3".')])
    ours = OUR_TAG.fullmatch(header.strip())
    return int(ours[1]) if ours else NO_VERSION


def wants_html(request: Request) -> bool:
    """Tell whether a person's browser is asking, rather than a program."""
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")
