"""The control API under /__sim__/: faults, clock, lag, limits, webhooks, options, what was received, snapshots.

Open to whoever reaches the port: simulators listen on 127.0.0.1 and hold nobody's data.
"""

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from deskbridge.simulators import faults, product, webhooks
from deskbridge.simulators.clock import SettableClock
from deskbridge.simulators.faults import InvalidSettingError
from deskbridge.simulators.product import Simulator
from deskbridge.simulators.routing import Routes
from deskbridge.simulators.wire import BadBodyError, Request, Response, json_response

PREFIX = "/__sim__/"
Action = Callable[[Simulator, Request], Response]


def handle(simulator: Simulator, request: Request) -> Response:
    """Answer a control request: 200 with the setting now in force, 400 naming the bad field, 404, 405."""
    found = _ROUTES.match(request.method, request.path)
    if found is None:
        methods = _ROUTES.methods(request.path)
        return json_response(405 if methods else 404, {"error": "no such control", "allowed": methods})
    try:
        with simulator.state.transaction():
            return found.target(simulator, request)
    except InvalidSettingError as error:
        return json_response(400, {"error": str(error), "field": error.field, "message": error.message})
    except BadBodyError as error:
        return json_response(400, {"error": str(error), "field": "body", "message": str(error)})


def _add_fault(simulator: Simulator, request: Request) -> Response:
    simulator.faults.rules.append(faults.parse_rule(request.json()))
    return _list_faults(simulator, request)


def _list_faults(simulator: Simulator, _: Request) -> Response:
    rules = [
        {"fault": rule.fault.kind, "method": rule.method, "seen": rule.seen, "fired": rule.fired, "times": rule.times}
        | {"path": rule.path.pattern if rule.path else None, "nth": rule.nth}
        for rule in simulator.faults.rules
    ]
    return json_response(200, {"faults": rules})


def _clear_faults(simulator: Simulator, _: Request) -> Response:
    simulator.faults.rules.clear()
    return Response(204)


def _reset(simulator: Simulator, request: Request) -> Response:
    faults.known("", _body(request), set())
    if isinstance(simulator.clock, SettableClock):
        simulator.clock.shift(0)
    simulator.reset()
    return json_response(200, {"reset": True})


def _set_clock(simulator: Simulator, request: Request) -> Response:
    """{"offset": seconds} | {"at": ISO time or null (runs again)} | {"advance": seconds}, and {"time_zone": IANA}."""
    settings = _body(request)
    faults.known("", settings, {"offset", "at", "advance", "time_zone"})
    clock = simulator.clock
    if not isinstance(clock, SettableClock):
        raise InvalidSettingError("clock", "is driven by its test")
    if "time_zone" in settings:
        simulator.state.set("time_zone", _zone(settings["time_zone"]))
    if "at" in settings:
        clock.freeze(_moment(settings["at"])) if settings["at"] is not None else clock.shift(0)
    if "offset" in settings:
        clock.shift(faults.number("offset", settings["offset"]))
    if "advance" in settings:
        clock.advance(faults.number("advance", settings["advance"]))
    return _show_clock(simulator, request)


def _show_clock(simulator: Simulator, _: Request) -> Response:
    now = simulator.clock.now().isoformat()
    return json_response(200, {"now": now, "time_zone": product.time_zone(simulator.state)})


def _set_lag(simulator: Simulator, request: Request) -> Response:
    settings = _body(request)
    faults.known("", settings, {"seconds"})
    simulator.state.set("lag", faults.number("seconds", settings.get("seconds"), 0))
    return _show_lag(simulator, request)


def _show_lag(simulator: Simulator, _: Request) -> Response:
    return json_response(200, {"seconds": product.lag(simulator.state)})


def _set_limits(simulator: Simulator, request: Request) -> Response:
    """{"enabled": bool, "requests": n or null, "seconds": n or null}: null means the product's own."""
    settings = _body(request)
    faults.known("", settings, {"enabled", "requests", "seconds"})
    faults.flag("enabled", settings.get("enabled", True))
    if settings.get("requests") is not None:
        faults.whole("requests", settings["requests"], 0)
    if settings.get("seconds") is not None:
        faults.number("seconds", settings["seconds"], 0.001)
    simulator.state.set("limits", dict(settings))
    return json_response(200, settings)


def _set_webhooks(simulator: Simulator, request: Request) -> Response:
    simulator.state.set("webhooks", webhooks.parse_settings(request.json()))
    return _show_webhooks(simulator, request)


def _show_webhooks(simulator: Simulator, _: Request) -> Response:
    settings = simulator.state.setting("webhooks", {})
    return json_response(200, {**settings, "waiting": len(simulator.state.table("_outbox"))})


def _set_options(simulator: Simulator, request: Request) -> Response:
    """The product's own switches, by name."""
    known = simulator.product.options
    settings = _body(request)
    faults.known("", settings, set(known))
    for name, value in settings.items():
        if value not in known[name]:
            raise InvalidSettingError(name, f"must be one of {', '.join(known[name])}")
    for name, value in settings.items():
        simulator.state.set(f"option.{name}", value)
    return _show_options(simulator, request)


def _show_options(simulator: Simulator, _: Request) -> Response:
    names = simulator.product.options
    return json_response(200, {name: product.option(simulator.state, simulator.product, name) for name in names})


def _list_requests(simulator: Simulator, _: Request) -> Response:
    return json_response(200, {"requests": [_described(request) for request in simulator.received]})


def _forget_requests(simulator: Simulator, _: Request) -> Response:
    simulator.received.clear()
    return Response(204)


def _snapshot(simulator: Simulator, _: Request) -> Response:
    return json_response(200, simulator.state.dump())


def _restore(simulator: Simulator, request: Request) -> Response:
    """Put back what GET /__sim__/snapshot gave; a value of another shape is refused and changes nothing."""
    try:
        simulator.state.load(request.json())
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidSettingError("body", f"is no snapshot: {error!r}") from error
    return json_response(200, {"restored": True})


def _described(request: Request) -> dict[str, Any]:
    described = {
        "method": request.method,
        "path": request.path,
        "query": [list(pair) for pair in request.query],
        "headers": request.headers,
    }
    try:
        return {**described, "body": request.body.decode()}
    except UnicodeDecodeError:
        return {**described, "body_base64": base64.b64encode(request.body).decode()}


def _body(request: Request) -> Mapping[str, Any]:
    body = request.json()
    return faults.mapping("body", {} if body is None else body)


def _moment(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(faults.text("at", value))
    except ValueError as error:
        raise InvalidSettingError("at", "must be an ISO 8601 time or null") from error
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _zone(value: object) -> str:
    name = faults.text("time_zone", value)
    try:
        return ZoneInfo(name).key
    except (ValueError, OSError, LookupError) as error:
        raise InvalidSettingError("time_zone", "must be an IANA time zone") from error


_ROUTES: Routes[Action] = Routes(
    [
        ("POST", PREFIX + "faults", _add_fault),
        ("GET", PREFIX + "faults", _list_faults),
        ("DELETE", PREFIX + "faults", _clear_faults),
        ("POST", PREFIX + "reset", _reset),
        ("POST", PREFIX + "clock", _set_clock),
        ("GET", PREFIX + "clock", _show_clock),
        ("POST", PREFIX + "lag", _set_lag),
        ("GET", PREFIX + "lag", _show_lag),
        ("POST", PREFIX + "limits", _set_limits),
        ("POST", PREFIX + "webhooks", _set_webhooks),
        ("GET", PREFIX + "webhooks", _show_webhooks),
        ("POST", PREFIX + "options", _set_options),
        ("GET", PREFIX + "options", _show_options),
        ("GET", PREFIX + "requests", _list_requests),
        ("DELETE", PREFIX + "requests", _forget_requests),
        ("GET", PREFIX + "snapshot", _snapshot),
        ("POST", PREFIX + "snapshot", _restore),
    ]
)
