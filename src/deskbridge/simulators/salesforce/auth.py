"""Signing in: OAuth tokens, the SOAP login of older clients, and who a call's session belongs to."""

import xml.etree.ElementTree as ET
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from deskbridge.simulators.product import CLIENT_ID, CLIENT_SECRET, SECRET, USER, time_zone
from deskbridge.simulators.salesforce.call import reply
from deskbridge.simulators.salesforce.errors import ApiError
from deskbridge.simulators.salesforce.seed import AGENT_ID, ORGANIZATION_ID
from deskbridge.simulators.store import State
from deskbridge.simulators.wire import Request, Response, credentials

SESSION_SECONDS = 7200
_SESSIONS = "_sessions"
_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"{namespaces}>'
    "<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
)


def authenticate(request: Request, state: State, now: datetime) -> str:
    """The id of the user whose session the call carries; 401 INVALID_SESSION_ID when it carries none that holds."""
    given = credentials(request)
    if given is not None and given.kind == "basic" and (given.user, given.secret) == (USER, SECRET):
        return AGENT_ID
    if given is not None and given.kind == "bearer" and _is_open(given.secret, state, now):
        return AGENT_ID
    headers = [("WWW-Authenticate", "Token")]
    raise ApiError(401, "INVALID_SESSION_ID", "Session expired or invalid", headers=headers)


def token(request: Request, state: State, now: datetime) -> Response:
    """POST /services/oauth2/token: the password and client_credentials grants."""
    form = dict(request.form())
    if (refusal := _refuse_client(request, form)) is not None:
        return refusal
    grant = form.get("grant_type", "")
    if grant not in {"password", "client_credentials"}:
        return _oauth_error("unsupported_grant_type", f"grant type not supported: {grant[:80]}")
    if grant == "password" and not _is_desk(form.get("username", ""), form.get("password", "")):
        return _oauth_error("invalid_grant", "authentication failure")
    answer = {
        "access_token": _open_session(state, now),
        "instance_url": request.base_url,
        "id": f"{request.base_url}/id/{ORGANIZATION_ID}/{AGENT_ID}",
        "token_type": "Bearer",
        "issued_at": str(int(now.timestamp() * 1000)),
        "signature": state.hex(44),
    }
    return reply(answer)


def revoke(request: Request, state: State) -> Response:
    """POST /services/oauth2/revoke: close a session that `token` or the SOAP login opened."""
    given = dict(request.form()).get("token") or request.param("token")
    if given not in state.table(_SESSIONS):
        return _oauth_error("invalid_token", "invalid token")
    state.table(_SESSIONS).delete(given)
    return Response(200)


def user_info(request: Request, state: State, now: datetime) -> Response:
    """GET /services/oauth2/userinfo: who the session belongs to."""
    authenticate(request, state, now)
    row = state.table("User")[AGENT_ID]
    answer = {
        "sub": f"{request.base_url}/id/{ORGANIZATION_ID}/{AGENT_ID}",
        "user_id": AGENT_ID,
        "organization_id": ORGANIZATION_ID,
        "preferred_username": row["Username"],
        "name": row["Name"],
        "email": row["Email"],
        "email_verified": True,
        "active": True,
        "zoneinfo": time_zone(state),
        "locale": "en_US",
    }
    return reply(answer)


def soap_login(request: Request, state: State, now: datetime, version: str) -> Response:
    """POST /services/Soap/u/{version}: the login call; the password may be followed by the security token."""
    found = _login_of(request.body)
    if found is None:
        return _fault("soapenv", "UNKNOWN_EXCEPTION", "only the login call is part of this simulated org")
    if not _is_desk(*found):
        text = "Invalid username, password, security token; or user locked out."
        return _fault("sf", "INVALID_LOGIN", text)
    address = f"{request.base_url}/services/Soap/u/{version}/{ORGANIZATION_ID[:15]}"
    user = f"<userEmail>{USER}</userEmail><userFullName>Desk Agent</userFullName><userId>{AGENT_ID}</userId>"
    result = (
        f"<metadataServerUrl>{escape(address)}</metadataServerUrl><passwordExpired>false</passwordExpired>"
        f"<sandbox>true</sandbox><serverUrl>{escape(address)}</serverUrl>"
        f"<sessionId>{_open_session(state, now)}</sessionId><userId>{AGENT_ID}</userId>"
        f"<userInfo><organizationId>{ORGANIZATION_ID}</organizationId>"
        f"<sessionSecondsValid>{SESSION_SECONDS}</sessionSecondsValid>{user}</userInfo>"
    )
    body = f"<loginResponse><result>{result}</result></loginResponse>"
    return _xml(200, body, ' xmlns="urn:partner.soap.sforce.com"')


def _is_open(given: str, state: State, now: datetime) -> bool:
    if given == SECRET:
        return True
    session = state.table(_SESSIONS).get(given)
    return session is not None and now.timestamp() < session["expires"]


def _open_session(state: State, now: datetime) -> str:
    session = f"{ORGANIZATION_ID[:15]}!{state.hex(64)}"
    state.table(_SESSIONS).put(session, {"expires": now.timestamp() + SESSION_SECONDS})
    return session


def _is_desk(user: str, password: str) -> bool:
    return user.lower() == USER and password in {SECRET, SECRET + SECRET}


def _refuse_client(request: Request, form: dict[str, str]) -> Response | None:
    given = credentials(request)
    client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    if given is not None and given.kind == "basic":
        client_id, secret = given.user, given.secret
    if client_id != CLIENT_ID:
        return _oauth_error("invalid_client_id", "client identifier invalid")
    if secret != CLIENT_SECRET:
        return _oauth_error("invalid_client", "invalid client credentials")
    return None


def _oauth_error(code: str, description: str) -> Response:
    return reply({"error": code, "error_description": description}, 400)


def _login_of(body: bytes) -> tuple[str, str] | None:
    """User name and password of a login envelope. SOAP knows no document types, so none is let near the parser."""
    if b"<!" in body:
        return None
    try:
        root = ET.fromstring(body)  # noqa: S314 - no document type, hence no entities
    except (ET.ParseError, ValueError, LookupError):
        return None
    login = next((element for element in root.iter() if _local(element.tag) == "login"), None)
    if login is None:
        return None
    given: dict[str, Any] = {_local(element.tag): element.text or "" for element in login}
    return given.get("username", ""), given.get("password", "")


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _fault(prefix: str, code: str, text: str) -> Response:
    detail = (
        f'<sf:LoginFault xsi:type="sf:LoginFault"><sf:exceptionCode>{code}</sf:exceptionCode>'
        f"<sf:exceptionMessage>{escape(text)}</sf:exceptionMessage></sf:LoginFault>"
    )
    body = (
        f"<soapenv:Fault><faultcode>{prefix}:{code}</faultcode><faultstring>{code}: {escape(text)}</faultstring>"
        f"<detail>{detail}</detail></soapenv:Fault>"
    )
    return _xml(500, body, ' xmlns:sf="urn:fault.partner.soap.sforce.com"')


def _xml(status: int, body: str, namespaces: str) -> Response:
    envelope = _ENVELOPE.format(namespaces=namespaces, body=body)
    return Response(status, [("Content-Type", "text/xml;charset=UTF-8")], envelope.encode())
