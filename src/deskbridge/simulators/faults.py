"""Faults on demand: which of the coming requests go wrong, and how."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deskbridge.simulators.wire import Request, Response

KINDS = ("drop_before_commit", "drop_after_commit", "hang", "status", "html_200", "truncate", "slow")
_HTML = "<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Please sign in</h1></body></html>"


class InvalidSettingError(ValueError):
    """A control request with a key or value that means nothing; `field` names it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one request.

    drop_before_commit, drop_after_commit: the connection closes without an answer, without or with the effect.
    hang: nothing happens for `seconds` (0: until the client gives up), then the connection closes without effect.
    status, html_200: this answer instead of the product's, without effect. slow: answered after `seconds`.
    truncate: the answer ends half way through its body, under the full Content-Length.
    """

    kind: str
    status: int = 500
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    seconds: float = 0

    def canned(self) -> Response | None:
        """The answer that replaces the product's; None when the product answers (or nobody does)."""
        if self.kind == "html_200":
            return Response(200, [("Content-Type", "text/html"), *self.headers], (self.body or _HTML).encode())
        if self.kind == "status":
            return Response(self.status, self.headers, self.body.encode())
        return None


@dataclass(slots=True)
class Rule:
    """From the `nth` matching request on, `times` of them suffer the fault (None: all of them)."""

    fault: Fault
    method: str | None = None
    path: re.Pattern[str] | None = None
    nth: int = 1
    times: int | None = 1
    seen: int = 0
    fired: int = 0

    def matches(self, request: Request) -> bool:
        fits_method = self.method is None or self.method == request.method
        return fits_method and (self.path is None or self.path.search(request.path) is not None)

    def is_due(self) -> bool:
        return self.seen >= self.nth and (self.times is None or self.fired < self.times)


@dataclass(slots=True)
class FaultBook:
    """The rules in force, in the order they were set."""

    rules: list[Rule] = field(default_factory=list)

    def decide(self, request: Request) -> Fault | None:
        """The fault for this request: every matching rule counts it, the first that is due strikes."""
        matching = [rule for rule in self.rules if rule.matches(request)]
        for rule in matching:
            rule.seen += 1
        due = next((rule for rule in matching if rule.is_due()), None)
        if due is None:
            return None
        due.fired += 1
        return due.fault


def parse_rule(body: object) -> Rule:
    """A rule from the control API's JSON; InvalidSettingError names the bad field."""
    settings = mapping("body", body)
    known("", settings, {"match", "fault", "status", "headers", "body", "seconds", "times"})
    match = mapping("match", settings.get("match", {}))
    known("match.", match, {"method", "path", "nth"})
    times = settings.get("times", 1)
    return Rule(
        _fault(settings),
        method=text("match.method", match["method"]).upper() if "method" in match else None,
        path=_pattern(match["path"]) if "path" in match else None,
        nth=whole("match.nth", match.get("nth", 1), 1),
        times=None if times is None else whole("times", times, 1),
    )


def _fault(settings: Mapping[str, Any]) -> Fault:
    kind = settings.get("fault")
    if kind not in KINDS:
        raise InvalidSettingError("fault", f"must be one of {', '.join(KINDS)}")
    headers = mapping("headers", settings.get("headers", {}))
    return Fault(
        kind,
        status=whole("status", settings.get("status", 500), 200, 599),
        headers=tuple((name, text(f"headers.{name}", value)) for name, value in headers.items()),
        body=text("body", settings.get("body", "")),
        seconds=number("seconds", settings.get("seconds", 0), 0),
    )


def _pattern(value: object) -> re.Pattern[str]:
    try:
        return re.compile(text("match.path", value))
    except re.error as error:
        raise InvalidSettingError("match.path", f"is not a regular expression: {error}") from error


def known(prefix: str, settings: Mapping[str, Any], names: set[str]) -> None:
    """Refuse the first key that is not one of `names`."""
    for key in settings:
        if key not in names:
            raise InvalidSettingError(f"{prefix}{key}", f"unknown; known are {', '.join(sorted(names))}")


def mapping(field: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InvalidSettingError(field, "must be an object")
    return value


def text(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidSettingError(field, "must be text")
    return value


def flag(field: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidSettingError(field, "must be true or false")
    return value


def number(field: str, value: object, least: float | None = None) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidSettingError(field, "must be a number")
    if least is not None and value < least:
        raise InvalidSettingError(field, f"must be at least {least}")
    return float(value)


def whole(field: str, value: object, least: int, most: int | None = None) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidSettingError(field, "must be a whole number")
    if value < least or (most is not None and value > most):
        raise InvalidSettingError(field, f"must be at least {least}" + (f" and at most {most}" if most else ""))
    return value
