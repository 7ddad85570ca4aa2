"""HTTP as plain values: what a product's handler is given and what it gives back. No sockets, no framework."""

import base64
import binascii
import email.message
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.utils import collapse_rfc2231_value
from typing import Any
from urllib.parse import parse_qsl, urlencode

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError

Pairs = Sequence[tuple[str, str]]


class BadBodyError(ValueError):
    """The body cannot be read as what its Content-Type (or the operation) says; the text says why."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `path` is percent-encoded as it came, without the query; header names are lower case.

    `truncated` says that the body was longer than the product's `max_body`: only its head is in `body`.
    """

    method: str
    path: str
    query: Pairs = ()
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    scheme: str = "http"
    truncated: bool = False

    @property
    def base_url(self) -> str:
        """Scheme and authority as the client addressed us, for absolute links; no trailing slash."""
        return f"{self.scheme}://{self.header('host') or 'localhost'}"

    def header(self, name: str) -> str:
        return self.headers.get(name.lower(), "")

    def param(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return next((value for key, value in self.query if key == name), default)

    def params(self, name: str) -> list[str]:
        """Every value of a repeated query parameter, in order."""
        return [value for key, value in self.query if key == name]

    def json(self) -> Any:
        """The body as JSON (None when empty); BadBodyError when it is not JSON or nested beyond reason."""
        if not self.body.strip():
            return None
        try:
            return json.loads(self.body, parse_constant=_refuse_number, parse_float=_finite)
        except (ValueError, RecursionError) as error:
            raise BadBodyError(f"not JSON: {error}") from error

    def form(self) -> list[tuple[str, str]]:
        """The body as application/x-www-form-urlencoded pairs, blanks kept."""
        return parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)


def _refuse_number(text: str) -> float:
    raise ValueError(f"{text} is not a number in JSON")


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _refuse_number(text)


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer. The server adds Content-Length and Date."""

    status: int
    headers: Pairs = ()
    body: bytes = b""

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def json(self) -> Any:
        return json.loads(self.body)

    def adding(self, *headers: tuple[str, str]) -> "Response":
        """The same answer with more headers."""
        return Response(self.status, [*self.headers, *headers], self.body)


def request(method: str, url: str, *, headers: Pairs = (), body: bytes = b"", scheme: str = "http") -> Request:
    """A request from a target such as `/a/b?x=1` (tests and the in-process transport use this)."""
    path, _, query = url.partition("?")
    lowered = {name.lower(): value for name, value in headers}
    return Request(method, path, parse_qsl(query, keep_blank_values=True), lowered, body, scheme)


def json_response(status: int, value: object, headers: Pairs = (), media: str = "application/json") -> Response:
    """JSON in UTF-8; halves of surrogate pairs, which UTF-8 cannot say, become question marks."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return Response(status, [("Content-Type", media), *headers], body)


def html_response(status: int, html: str, headers: Pairs = ()) -> Response:
    return Response(status, [("Content-Type", "text/html; charset=utf-8"), *headers], html.encode("utf-8", "replace"))


def redirect(location: str) -> Response:
    """303: the browser fetches `location` with GET (after a form post)."""
    return Response(303, [("Location", location)])


def url(path: str, query: Pairs = ()) -> str:
    return f"{path}?{urlencode(query)}" if query else path


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the Authorization header carries: kind `basic` (user and password) or `bearer` (token in `secret`)."""

    kind: str
    user: str
    secret: str


def credentials(request: Request) -> Credentials | None:
    """The credentials of the request; None when there are none, or none that can be read."""
    kind, _, rest = request.header("authorization").partition(" ")
    if kind.lower() == "bearer":
        return Credentials("bearer", "", rest.strip())
    if kind.lower() != "basic":
        return None
    try:
        user, _, secret = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return Credentials("basic", user, secret)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart body; `filename` is None for a plain field."""

    name: str
    filename: str | None
    content_type: str
    body: bytes


def multipart(request: Request) -> list[Part]:
    """The parts of a multipart/form-data body, bytes untouched; BadBodyError when it is not one.

    A body whose content contains its own boundary is cut there by any parser: that surfaces as a BadBodyError.
    """
    kind, options = _parameters("content-type", request.header("content-type"))
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise BadBodyError("not multipart/form-data with a boundary")
    reader = _PartReader()
    try:
        parser = MultipartParser(options["boundary"].encode(), reader.callbacks())
        parser.write(request.body)
        parser.finalize()
    except (FormParserError, UnicodeEncodeError) as error:
        raise BadBodyError(f"malformed multipart body: {error}") from error
    if not reader.ended:
        raise BadBodyError("multipart body without its closing boundary")
    return reader.parts


class _PartReader:
    """Collects the parser's callbacks into parts."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.ended = False
        self._headers: dict[str, str] = {}
        self._name = bytearray()
        self._value = bytearray()
        self._body = bytearray()

    def callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header,
            "on_part_data": lambda data, start, end: self._body.extend(data[start:end]),
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def _begin(self) -> None:
        self._headers, self._body = {}, bytearray()

    def _header(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value.decode("utf-8", "replace")
        self._name, self._value = bytearray(), bytearray()

    def _end(self) -> None:
        _, options = _parameters("content-disposition", self._headers.get("content-disposition", ""))
        media = self._headers.get("content-type", "")
        self.parts.append(Part(options.get("name", ""), options.get("filename"), media, bytes(self._body)))

    def _finish(self) -> None:
        self.ended = True


def _parameters(name: str, value: str) -> tuple[str, dict[str, str]]:
    """A header such as `form-data; name="file"; filename*=utf-8''a.txt` as its value and decoded parameters."""
    message = email.message.Message()
    message[name] = value.replace("\r", " ").replace("\n", " ") or "x"
    pairs: list[tuple[str, Any]] = message.get_params(failobj=[], header=name) or []
    options: dict[str, str] = {}
    for key, raw in pairs[1:]:
        options[key.lower()] = collapse_rfc2231_value(raw)
    return (pairs[0][0].lower() if pairs else ""), options
