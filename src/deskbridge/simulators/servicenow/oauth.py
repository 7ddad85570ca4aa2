"""Who is calling: Basic, bearer tokens, and the token endpoint /oauth_token.do."""

from datetime import datetime

from deskbridge.simulators.product import CLIENT_ID, CLIENT_SECRET, SECRET, USER
from deskbridge.simulators.servicenow.errors import not_authenticated
from deskbridge.simulators.store import Record, State
from deskbridge.simulators.wire import Request, Response, credentials, json_response

ACCESS_SECONDS = 1799
REFRESH_SECONDS = 8_640_000
_TABLE = "oauth_credential"


def user(request: Request, now: datetime, state: State) -> Record:
    """The sys_user row of the caller; FailureError 401 when the credentials are missing, wrong or expired."""
    given = credentials(request)
    if given is not None and given.kind == "basic" and (given.user, given.secret) == (USER, SECRET):
        return _integration_user(state)
    if given is not None and given.kind == "bearer":
        if given.secret == SECRET or _is_valid(state, given.secret, "access", now):
            return _integration_user(state)
        raise not_authenticated("Bearer")
    raise not_authenticated()


def token(request: Request, now: datetime, state: State) -> Response:
    """Answer the token endpoint: grants password, client_credentials and refresh_token."""
    form = dict(request.form())
    if not _is_client(request, form):
        return _refused(401, "invalid_client", "The client credentials are invalid")
    grant = form.get("grant_type", "")
    if grant == "client_credentials":
        return _granted(state, now, with_refresh=False)
    if grant == "password":
        known = (form.get("username"), form.get("password")) == (USER, SECRET)
        return _granted(state, now) if known else _refused(401, "server_error", "access_denied")
    if grant == "refresh_token":
        valid = _is_valid(state, form.get("refresh_token", ""), "refresh", now)
        return _granted(state, now) if valid else _refused(401, "server_error", "access_denied")
    return _refused(400, "unsupported_grant_type", f"grant_type {grant or 'missing'} is not supported")


def _is_client(request: Request, form: dict[str, str]) -> bool:
    given = credentials(request)
    if given is not None and given.kind == "basic":
        return (given.user, given.secret) == (CLIENT_ID, CLIENT_SECRET)
    return (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)


def _granted(state: State, now: datetime, *, with_refresh: bool = True) -> Response:
    answer: dict[str, object] = {"access_token": _issue(state, "access", now, ACCESS_SECONDS)}
    if with_refresh:
        answer["refresh_token"] = _issue(state, "refresh", now, REFRESH_SECONDS)
    return json_response(200, {**answer, "scope": "useraccount", "token_type": "Bearer", "expires_in": ACCESS_SECONDS})


def _refused(status: int, error: str, description: str) -> Response:
    return json_response(status, {"error_description": description, "error": error})


def _issue(state: State, kind: str, now: datetime, seconds: int) -> str:
    value = state.hex(64)
    state.table(_TABLE).put(value, {"kind": kind, "expires": now.timestamp() + seconds})
    return value


def _is_valid(state: State, value: str, kind: str, now: datetime) -> bool:
    row = state.table(_TABLE).get(value)
    return row is not None and row["kind"] == kind and now.timestamp() < row["expires"]


def _integration_user(state: State) -> Record:
    return state.table("sys_user").by("user_name", USER)[0]
