"""Who asks: an API token (Basic), a bearer token, or one issued to the OAuth client for an hour."""

from datetime import datetime, timedelta

from deskbridge.simulators.jira.errors import JSON, captcha, unauthorized
from deskbridge.simulators.product import CLIENT_ID, CLIENT_SECRET, SECRET, USER
from deskbridge.simulators.store import State
from deskbridge.simulators.wire import BadBodyError, Request, Response, credentials, json_response

TOKEN_PATHS = ("/oauth/token", "/rest/oauth2/latest/token")
_LIFETIME = 3600  # seconds
_FAILURES = 3


def check(request: Request, now: datetime, state: State, *, is_cloud: bool) -> Response | None:
    """The refusal for a request without good credentials (an issued token that has expired is none); else None.

    A Server site asks for a CAPTCHA after three wrong passwords and then refuses even the right one.
    """
    if is_cloud:
        return None if _is_known(request, now, state) else unauthorized()
    given = credentials(request)
    user = given.user if given and given.kind == "basic" else None
    failed = state.setting("failed_logins", 0)
    if user is not None and failed >= _FAILURES:
        return captcha(request.base_url)
    is_known = _is_known(request, now, state)
    if user is not None and failed != (kept := 0 if is_known else failed + 1):
        state.set("failed_logins", kept)
    return None if is_known else unauthorized()


def _is_known(request: Request, now: datetime, state: State) -> bool:
    given = credentials(request)
    if given is None:
        return False
    if given.kind == "basic":
        return given.user in {USER, "desk"} and given.secret == SECRET
    if given.secret == SECRET:
        return True
    issued = state.table("tokens").get(given.secret)
    return issued is not None and issued["kind"] == "access" and issued["until"] > now.timestamp()


def is_app(request: Request) -> bool:
    """Whether the request comes from an OAuth app rather than with an API token."""
    given = credentials(request)
    return given is not None and given.kind == "bearer" and given.secret != SECRET


def issue_token(request: Request, now: datetime, state: State) -> Response:
    """The token endpoint: client_credentials and refresh_token, from a form or from JSON."""
    form = _form(request)
    basic = credentials(request)
    client = (basic.user, basic.secret) if basic else (form.get("client_id"), form.get("client_secret"))
    if client != (CLIENT_ID, CLIENT_SECRET):
        return _refused(401, "access_denied", "Unauthorized")
    grant = form.get("grant_type")
    if grant == "client_credentials":
        return _issued(now, state)
    if grant != "refresh_token":
        return _refused(400, "unsupported_grant_type", f"Unsupported grant_type: {grant}")
    held = state.table("tokens").get(form.get("refresh_token", ""))
    if held is None or held["kind"] != "refresh":
        return _refused(403, "invalid_grant", "Unknown or invalid refresh token.")
    state.table("tokens").delete(form["refresh_token"])
    return _issued(now, state)


def _form(request: Request) -> dict[str, str]:
    if "json" not in request.header("content-type"):
        return dict(request.form())
    try:
        body = request.json()
    except BadBodyError:
        return {}
    return {key: value for key, value in body.items() if isinstance(value, str)} if isinstance(body, dict) else {}


def _issued(now: datetime, state: State) -> Response:
    access, refresh = state.hex(48), state.hex(48)
    until = (now + timedelta(seconds=_LIFETIME)).timestamp()
    state.table("tokens").put(access, {"kind": "access", "until": until})
    state.table("tokens").put(refresh, {"kind": "refresh", "until": None})
    body = {"access_token": access, "refresh_token": refresh, "expires_in": _LIFETIME, "token_type": "Bearer"}
    return json_response(200, {**body, "scope": "read:jira-work write:jira-work offline_access"}, media=JSON)


def _refused(status: int, error: str, text: str) -> Response:
    return json_response(status, {"error": error, "error_description": text}, media=JSON)
