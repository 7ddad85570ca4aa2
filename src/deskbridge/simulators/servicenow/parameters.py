"""The sysparm_ parameters of the REST APIs, read once and refused by name when they mean nothing here."""

from dataclasses import dataclass

from deskbridge.simulators.servicenow import encoded
from deskbridge.simulators.servicenow.encoded import AnyOf, Condition, Query, QueryError
from deskbridge.simulators.servicenow.errors import FailureError, bad_request
from deskbridge.simulators.servicenow.rendering import Output
from deskbridge.simulators.servicenow.schema import TABLES
from deskbridge.simulators.wire import Request

DEFAULT_LIMIT = 10_000
_FLAGS = {
    "sysparm_exclude_reference_link",
    "sysparm_suppress_pagination_header",
    "sysparm_no_count",
    "sysparm_input_display_value",
    "sysparm_query_no_domain",
}
_KNOWN = _FLAGS | {
    "sysparm_query",
    "sysparm_fields",
    "sysparm_limit",
    "sysparm_offset",
    "sysparm_display_value",
}


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of the found rows is wanted, and what the headers tell about the rest."""

    limit: int
    offset: int
    counted: bool
    linked: bool


def check(request: Request) -> None:
    """Refuse the first sysparm_ parameter that is not supported."""
    for name, value in request.query:
        if name.startswith("sysparm_") and name not in _KNOWN:
            raise bad_request("Invalid parameter", f"{name} is not supported")
        if name in _FLAGS and value.lower() not in {"true", "false", ""}:
            raise bad_request("Invalid parameter", f"{name} must be true or false")


def flag(request: Request, name: str) -> bool:
    return request.param(name).lower() == "true"


def output(request: Request) -> Output:
    mode = request.param("sysparm_display_value").lower() or "false"
    if mode not in {"true", "false", "all"}:
        raise bad_request("Invalid parameter", "sysparm_display_value must be true, false or all")
    fields = tuple(field.strip() for field in request.param("sysparm_fields").split(",") if field.strip())
    return Output(mode, not flag(request, "sysparm_exclude_reference_link"), fields or None)


def page(request: Request) -> Page:
    return Page(
        limit=_number(request, "sysparm_limit", DEFAULT_LIMIT),
        offset=_number(request, "sysparm_offset", 0),
        counted=not flag(request, "sysparm_no_count"),
        linked=not flag(request, "sysparm_suppress_pagination_header"),
    )


def query(request: Request, table: str) -> Query:
    """sysparm_query and whatever parameters are named like columns, which are conditions too."""
    try:
        parsed = encoded.parse(request.param("sysparm_query"))
    except QueryError as error:
        raise invalid_query(error) from error
    known = TABLES[table].by_name
    more = tuple(AnyOf((Condition(name, "=", value),)) for name, value in request.query if name in known)
    return Query(tuple((*group, *more) for group in parsed.groups), parsed.order)


def invalid_query(error: QueryError) -> FailureError:
    return bad_request("Invalid query", str(error))


def _number(request: Request, name: str, default: int) -> int:
    text = request.param(name)
    if not text:
        return default
    if not text.lstrip("-").isascii() or not text.lstrip("-").isdigit() or len(text) > 9:
        raise bad_request("Invalid parameter", f"{name} must be a number")
    if int(text) < 0:
        short = name.removeprefix("sysparm_")
        raise bad_request(f"{short} is {text}", f"Negative {short} is not supported")
    return int(text)
