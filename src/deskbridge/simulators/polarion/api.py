"""The REST API's front: availability, sign-in, rate limit, content negotiation, routes; every failure is JSON."""

import math
from collections.abc import Iterable

from deskbridge.simulators.clock import Clock
from deskbridge.simulators.polarion import configuration as conf
from deskbridge.simulators.polarion import endpoints as on
from deskbridge.simulators.polarion.configuration import BODY_SIZE_LIMIT
from deskbridge.simulators.polarion.errors import ApiError, error_response
from deskbridge.simulators.polarion.jsonapi import API
from deskbridge.simulators.polarion.resources import Resources
from deskbridge.simulators.polarion.session import Session
from deskbridge.simulators.product import SECRET, USER, limits
from deskbridge.simulators.routing import Routes
from deskbridge.simulators.store import State
from deskbridge.simulators.wire import Request, Response, credentials

RATE = (3, 1.0)
"""Requests in seconds that a server lets through; nobody documents it, integrators measured it."""

_PROJECT = "/projects/{project}"
_ITEMS = _PROJECT + "/workitems"
_ITEM = _ITEMS + "/{item}"
_COMMENTS = _ITEM + "/comments"
_ATTACHMENTS = _ITEM + "/attachments"
_ATTACHMENT = _ATTACHMENTS + "/{attachment}"
_RECORDS = _ITEM + "/workrecords"
_RELATIONSHIP = _ITEM + "/relationships/{relationship}"
_CUSTOM_FIELDS = _PROJECT + "/customfields/{resource}/{target}"

_TABLE: Iterable[tuple[str, str, on.Endpoint]] = [
    ("GET", "/all/workitems", on.list_work_items),
    ("PATCH", "/all/workitems", on.patch_work_items),
    ("DELETE", "/all/workitems", on.delete_work_items),
    ("GET", _ITEMS, on.list_work_items),
    ("POST", _ITEMS, on.post_work_items),
    ("PATCH", _ITEMS, on.patch_work_items),
    ("DELETE", _ITEMS, on.delete_work_items),
    ("GET", _ITEMS + "/fields/{field}/actions/getAvailableOptions", on.available_options),
    ("GET", _ITEM, on.get_work_item),
    ("PATCH", _ITEM, on.patch_work_item),
    ("GET", _ITEM + "/actions/getWorkflowActions", on.get_workflow_actions),
    ("GET", _ITEM + "/actions/getFieldsMetadata", conf.fields_metadata),
    ("GET", _ITEM + "/fields/{field}/actions/getAvailableOptions", on.available_options),
    ("GET", _ITEM + "/fields/{field}/actions/getCurrentOptions", on.current_options),
    ("GET", _RELATIONSHIP, on.get_relationship),
    ("POST", _RELATIONSHIP, on.change_relationship),
    ("PATCH", _RELATIONSHIP, on.change_relationship),
    ("DELETE", _RELATIONSHIP, on.change_relationship),
    ("GET", _COMMENTS, on.list_comments),
    ("POST", _COMMENTS, on.post_comments),
    ("GET", _COMMENTS + "/{comment}", on.get_comment),
    ("PATCH", _COMMENTS + "/{comment}", on.patch_comment),
    ("GET", _ATTACHMENTS, on.list_attachments),
    ("POST", _ATTACHMENTS, on.post_attachments),
    ("GET", _ATTACHMENT, on.get_attachment),
    ("PATCH", _ATTACHMENT, on.patch_attachment),
    ("DELETE", _ATTACHMENT, on.delete_attachment),
    ("GET", _ATTACHMENT + "/content", on.get_attachment_content),
    ("GET", _RECORDS, on.list_work_records),
    ("POST", _RECORDS, on.post_work_records),
    ("DELETE", _RECORDS, on.delete_work_records),
    ("GET", _RECORDS + "/{record}", on.get_work_record),
    ("DELETE", _RECORDS + "/{record}", on.delete_work_record),
    ("GET", "/projects", conf.list_projects),
    ("GET", _PROJECT, conf.get_project),
    ("PATCH", _PROJECT, conf.forbidden),
    ("DELETE", _PROJECT, conf.forbidden),
    ("POST", "/projects/actions/createProject", conf.forbidden),
    ("GET", _PROJECT + "/actions/getFieldsMetadata", conf.fields_metadata),
    ("GET", "/actions/getFieldsMetadata", conf.fields_metadata),
    ("GET", _CUSTOM_FIELDS, conf.get_custom_fields),
    ("PATCH", _CUSTOM_FIELDS, conf.forbidden),
    ("DELETE", _CUSTOM_FIELDS, conf.forbidden),
    ("GET", "/user", conf.get_user),
    ("GET", "/users", conf.list_users),
    ("POST", "/users", conf.forbidden),
    ("GET", "/users/{user}", conf.get_user),
    ("PATCH", "/users/{user}", conf.forbidden),
    ("GET", "/revisions", conf.list_revisions),
    ("GET", "/revisions/{repository}/{revision}", conf.get_revision),
    ("GET", "/metadata", conf.get_metadata),
]
_ROUTES = Routes((method, API + pattern, endpoint) for method, pattern, endpoint in _TABLE)
_MULTIPART = {on.post_attachments, on.patch_attachment}


def handle(request: Request, clock: Clock, state: State, *, available: bool) -> Response:
    """Answer one call. A refused call leaves no trace but the one in the rate limit's count."""
    session = Session(state, clock.now())
    try:
        _admit(request, session, available=available)
        with state.transaction():
            return _dispatch(request, session)
    except ApiError as error:
        return error_response(error)


def _admit(request: Request, session: Session, *, available: bool) -> None:
    if not available:
        raise ApiError(503, "The REST API is disabled on this server.")
    _sign_in(request)
    _throttle(session)
    if request.truncated:
        raise ApiError(413, "The request body is too large.")


def _sign_in(request: Request) -> None:
    given = credentials(request)
    if given is None:
        raise ApiError(401, "No access token")
    if given.secret != SECRET or (given.kind == "basic" and given.user != USER):
        raise ApiError(401, "Invalid access token")


def _throttle(session: Session) -> None:
    """At most so many requests within a moving window, whoever sends them."""
    chosen = limits(session.state)
    if not chosen.enabled:
        return
    most = RATE[0] if chosen.requests is None else chosen.requests
    seconds = RATE[1] if chosen.seconds is None else chosen.seconds
    now = session.moment.timestamp()
    row = session.state.table("_rate").get("window")
    recent = [at for at in (row["at"] if row else []) if 0 <= now - at < seconds]
    if len(recent) >= most:
        oldest = recent[0] if recent else now
        wait = max(1, math.ceil(oldest + seconds - now))
        headers = [("Retry-After", str(wait))]
        raise ApiError(429, f"More than {most} requests in {seconds:g} s.", headers=headers)
    session.state.table("_rate").put("window", {"at": [*recent, now]})


def _dispatch(request: Request, session: Session) -> Response:
    found = _ROUTES.match(request.method, request.path)
    if found is None:
        raise _unrouted(request)
    _negotiate(request, found.target)
    return found.target(on.Call(request, session, found.params, Resources(session, request.base_url)))


def _unrouted(request: Request) -> ApiError:
    if methods := _ROUTES.methods(request.path):
        headers = [("Allow", ", ".join(methods))]
        return ApiError(405, f"{request.method} is not allowed for this resource.", headers=headers)
    return ApiError(404, f"There is no resource at {request.path}.")


def _negotiate(request: Request, endpoint: on.Endpoint) -> None:
    """406 for an Accept header that Polarion cannot serve, 415 for a body of another type, 413 for a long one."""
    if not _accepts(request.header("accept") or "*/*", binary=endpoint is on.get_attachment_content):
        raise ApiError(406)
    if request.method == "GET" or endpoint in _MULTIPART or not request.body:
        return
    if request.header("content-type").split(";")[0].strip().lower() != "application/json":
        raise ApiError(415)
    if len(request.body) > BODY_SIZE_LIMIT:
        raise ApiError(413, f"The request body is larger than {BODY_SIZE_LIMIT} bytes.")


def _accepts(header: str, *, binary: bool) -> bool:
    offered = {"*/*", "application/*", "application/json"} | ({"application/octet-stream"} if binary else set())
    return any(media.split(";")[0].strip().lower() in offered for media in header.split(","))
