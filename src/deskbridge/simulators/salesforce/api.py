"""The API's front: sign-in, the daily allowance, versions, routes; every failure is a JSON list of errors."""

import re
from datetime import datetime

from deskbridge.simulators.clock import Clock
from deskbridge.simulators.routing import Routes
from deskbridge.simulators.salesforce import auth, collections, composite, describe, query, quota, rows
from deskbridge.simulators.salesforce.call import Call, Endpoint, reply
from deskbridge.simulators.salesforce.errors import ApiError, NotFoundError, error_response, unsupported
from deskbridge.simulators.salesforce.org import Org
from deskbridge.simulators.salesforce.records import SeveralError
from deskbridge.simulators.store import State
from deskbridge.simulators.wire import Request, Response

MAX_BODY = 52_428_800
VERSIONS = [f"{number}.0" for number in range(31, 69)]
_VERSIONED = re.compile(r"/services/data/v(\d{2}\.0)(/.*)?", re.ASCII)
_SOAP = re.compile(r"/services/Soap/[uc]/(\d{2}\.0)(?:/\w*)?", re.ASCII)
_CLIENT = re.compile(r"(?:^|,)\s*client\s*=\s*([^,]+)")


def _resources(call: Call) -> Response:
    """GET /services/data/v59.0: where the parts of this API are."""
    base = f"/services/data/v{call.org.version}"
    names = ("sobjects", "query", "queryAll", "limits", "composite")
    return reply({name: f"{base}/{name}" for name in names})


_ROUTES: Routes[Endpoint] = Routes(
    [
        ("GET", "/", _resources),
        ("GET", "/sobjects", describe.list_objects),
        ("GET", "/sobjects/{sobject}", describe.basic),
        ("POST", "/sobjects/{sobject}", rows.create),
        ("GET", "/sobjects/{sobject}/describe", describe.describe),
        ("GET", "/sobjects/{sobject}/updated", rows.updated),
        ("GET", "/sobjects/{sobject}/deleted", rows.deleted),
        ("GET", "/sobjects/{sobject}/{id}", rows.get),
        ("PATCH", "/sobjects/{sobject}/{id}", rows.update),
        ("DELETE", "/sobjects/{sobject}/{id}", rows.delete),
        ("GET", "/sobjects/{sobject}/{field}/{value}", rows.get_below),
        ("PATCH", "/sobjects/{sobject}/{field}/{value}", rows.upsert),
        ("DELETE", "/sobjects/{sobject}/{field}/{value}", rows.delete_below),
        ("GET", "/query", query.query),
        ("GET", "/query/{locator}", query.more),
        ("GET", "/queryAll", query.query_all),
        ("GET", "/queryAll/{locator}", query.more),
        ("GET", "/limits", quota.show),
        ("POST", "/composite", composite.composite),
        ("POST", "/composite/sobjects", collections.create),
        ("PATCH", "/composite/sobjects", collections.update),
        ("DELETE", "/composite/sobjects", collections.delete),
        ("PATCH", "/composite/sobjects/{sobject}/{field}", collections.upsert),
        ("GET", "/composite/sobjects/{sobject}", collections.get),
    ]
)


def handle(request: Request, clock: Clock, state: State) -> Response:
    """Answer one call. A refused call changes nothing but the count of calls."""
    now = clock.now()
    try:
        return _entered(request, state, now)
    except ApiError as error:
        return error_response(error)


def _entered(request: Request, state: State, now: datetime) -> Response:
    if request.path == "/services/oauth2/token" and request.method == "POST":
        return auth.token(request, state, now)
    if request.path == "/services/oauth2/revoke":
        return auth.revoke(request, state)
    if request.path == "/services/oauth2/userinfo":
        return auth.user_info(request, state, now)
    if (soap := _SOAP.fullmatch(request.path)) and request.method == "POST":
        return auth.soap_login(request, state, now, soap.group(1))
    if request.path.rstrip("/") == "/services/data":
        return reply([{"label": f"v{name}", "url": f"/services/data/v{name}", "version": name} for name in VERSIONS])
    return _metered(request, _org(request, state, now))


def _org(request: Request, state: State, now: datetime) -> Org:
    versioned = _VERSIONED.fullmatch(request.path)
    if versioned is None or versioned.group(1) not in VERSIONS:
        raise NotFoundError
    return _acting(request, state, now, auth.authenticate(request, state, now), versioned.group(1))


def _acting(request: Request, state: State, now: datetime, user_id: str, version: str) -> Org:
    client = _CLIENT.search(request.header("sforce-call-options"))
    return Org(
        state,
        now,
        user_id,
        client=client.group(1).strip() if client else "",
        auto_assign=request.header("sforce-auto-assign").upper() != "FALSE",
        version=version,
        base_url=request.base_url,
    )


def _metered(request: Request, org: Org) -> Response:
    usage = quota.count(org)
    return dispatch(request, org).adding(("Sforce-Limit-Info", usage))


def dispatch(request: Request, org: Org) -> Response:
    """Answer a call of the data API whose sender is known; its changes stand together or not at all."""
    try:
        with org.state.transaction():
            return _routed(request, org)
    except SeveralError as several:
        return reply(several.addresses, 300)
    except ApiError as error:
        return error_response(error)


def _routed(request: Request, org: Org) -> Response:
    if request.truncated:
        message = f"The size of the request exceeds the maximum of {MAX_BODY} bytes"
        raise ApiError(413, "EXCEEDED_MAX_SIZE_REQUEST", message)
    versioned = _VERSIONED.fullmatch(request.path)
    if versioned is None or versioned.group(1) not in VERSIONS:
        raise NotFoundError
    path = (versioned.group(2) or "").rstrip("/") or "/"
    method = _method(request)
    found = _ROUTES.match(method, path)
    if found is None:
        raise _unrouted(method, path)
    return found.target(Call(request, org, found.params, dispatch))


def _method(request: Request) -> str:
    """HEAD is a GET without its body; clients that cannot send PATCH may name it in the query."""
    if request.method == "HEAD":
        return "GET"
    override = request.param("_HttpMethod").upper()
    return override if request.method == "POST" and override else request.method


def _unrouted(method: str, path: str) -> ApiError:
    if methods := _ROUTES.methods(path):
        message = f"HTTP Method '{method}' not allowed. Allowed are {','.join(methods)}"
        return ApiError(405, "METHOD_NOT_ALLOWED", message, headers=[("Allow", ", ".join(methods))])
    return unsupported(path[1:81])
