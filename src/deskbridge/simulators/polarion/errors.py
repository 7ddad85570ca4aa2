"""Polarion's errors: always JSON:API's `{"errors": [{"status", "title", "detail", "source"}]}`, whatever the status."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from deskbridge.simulators.wire import Pairs, Response, json_response

_LONGEST_DETAIL = 1000
"""Characters: a detail quotes what it refuses, which may be a whole file."""


class ApiError(Exception):
    """One refusal. `pointer` is the place in the body (`$.data[0].attributes.title`), `parameter` a query parameter."""

    def __init__(
        self, status: int, detail: str | None = None, *, pointer: str = "", parameter: str = "", headers: Pairs = ()
    ) -> None:
        super().__init__(detail or HTTPStatus(status).phrase)
        self.status = status
        self.detail = detail
        self.pointer = pointer
        self.parameter = parameter
        self.headers = headers


class BadRequestError(ApiError):
    def __init__(self, detail: str, *, pointer: str = "", parameter: str = "") -> None:
        super().__init__(400, detail, pointer=pointer, parameter=parameter)


class NotFoundError(ApiError):
    def __init__(self, detail: str, *, pointer: str = "") -> None:
        super().__init__(404, detail, pointer=pointer)


def error_response(error: ApiError) -> Response:
    return json_response(error.status, {"errors": [_as_json(error)]}, error.headers)


def _as_json(error: ApiError) -> dict[str, Any]:
    source = {key: value for key, value in (("pointer", error.pointer), ("parameter", error.parameter)) if value}
    body: dict[str, Any] = {"status": str(error.status), "title": HTTPStatus(error.status).phrase}
    if error.detail is not None:
        body["detail"] = error.detail[:_LONGEST_DETAIL]
    return body | {"source": source or None}


def wrong_type(expected: str, value: object, pointer: str) -> BadRequestError:
    """What Polarion's JSON reader says when it finds another kind of value than it expects."""
    return BadRequestError(
        f"Unexpected token, {expected} expected, but was : {_token(value)} (at {pointer})", pointer=pointer
    )


_TOKENS: Sequence[tuple[type | tuple[type, ...], str]] = (
    (dict, "BEGIN_OBJECT"),
    (list, "BEGIN_ARRAY"),
    (str, "STRING"),
    (bool, "BOOLEAN"),
    ((int, float), "NUMBER"),
)


def _token(value: object) -> str:
    return next((name for kinds, name in _TOKENS if isinstance(value, kinds)), "NULL")
