"""The web pages, at the addresses that Lightning uses; whoever comes acts as the desk's user."""

from collections.abc import Callable
from urllib.parse import quote

from deskbridge.simulators import pages
from deskbridge.simulators.clock import Clock
from deskbridge.simulators.pages import Skin
from deskbridge.simulators.routing import Routes
from deskbridge.simulators.salesforce import files, ids, records, views
from deskbridge.simulators.salesforce.errors import ApiError
from deskbridge.simulators.salesforce.objects import ATTACHMENT, CASE, CASE_COMMENT, CONTENT_VERSION, FEED_ITEM
from deskbridge.simulators.salesforce.org import Org, Row
from deskbridge.simulators.salesforce.seed import AGENT_ID
from deskbridge.simulators.store import State
from deskbridge.simulators.wire import BadBodyError, Request, Response, multipart, redirect

_SKIN = Skin("salesforce", "Service Console", (("Cases", views.LIST), ("New Case", views.NEW)))
_CASE = "/lightning/r/Case/{id}"


def page(request: Request, clock: Clock, state: State) -> Response | None:
    """The page at the request's path; None when it is none of them."""
    method = "GET" if request.method == "HEAD" else request.method
    found = _ROUTES.match(method, request.path)
    if found is None:
        return None
    org = Org(state, clock.now(), AGENT_ID, base_url=request.base_url)
    try:
        with state.transaction():
            return found.target(request, org, found.params)
    except (ApiError, BadBodyError) as error:
        status = error.status if isinstance(error, ApiError) else 400
        return pages.message_page(_SKIN, "Something went wrong", str(error), status)


def _home(_request: Request, _org: Org, _params: dict[str, str]) -> Response:
    return redirect(views.LIST)


def _list(request: Request, org: Org, _params: dict[str, str]) -> Response:
    return pages.list_page(_SKIN, views.list_view(org, request.param("q")))


def _view(_request: Request, org: Org, params: dict[str, str]) -> Response:
    return pages.record_page(_SKIN, views.case_view(org, _case(org, params)))


def _short(_request: Request, org: Org, params: dict[str, str]) -> Response:
    """The address every record has: the bare id."""
    return redirect(views.address(_case(org, {"id": f"500{params['rest']}"})))


def _new(_request: Request, _org: Org, _params: dict[str, str]) -> Response:
    return pages.form_page(_SKIN, views.edit_form(None))


def _create(request: Request, org: Org, _params: dict[str, str]) -> Response:
    form = dict(request.form())
    try:
        with org.state.transaction():
            case = records.create(org, CASE, views.edited(form))
    except ApiError as error:
        return pages.form_page(_SKIN, views.edit_form(None, form, error.message), 400)
    return redirect(views.address(case))


def _edit(_request: Request, org: Org, params: dict[str, str]) -> Response:
    return pages.form_page(_SKIN, views.edit_form(_case(org, params)))


def _save(request: Request, org: Org, params: dict[str, str]) -> Response:
    case, form = _case(org, params), dict(request.form())
    try:
        with org.state.transaction():
            records.update(org, CASE, case["Id"], views.edited(form, case))
    except ApiError as error:
        return pages.form_page(_SKIN, views.edit_form(case, form, error.message), 400)
    return redirect(views.address(case))


def _mark(request: Request, org: Org, params: dict[str, str]) -> Response:
    body = {name: value for name, value in request.form() if name == "Reason"} | {"Status": params["status"]}
    return _act(org, params, lambda case: records.update(org, CASE, case["Id"], body))


def _comment(request: Request, org: Org, params: dict[str, str]) -> Response:
    form = dict(request.form())
    body = {"CommentBody": form.get("CommentBody"), "IsPublished": bool(form.get("IsPublished"))}
    return _act(org, params, lambda case: records.create(org, CASE_COMMENT, body | {"ParentId": case["Id"]}))


def _post(request: Request, org: Org, params: dict[str, str]) -> Response:
    form = dict(request.form())
    body = {"Body": form.get("Body"), "Visibility": form.get("Visibility")}
    return _act(org, params, lambda case: records.create(org, FEED_ITEM, body | {"ParentId": case["Id"]}))


def _upload(request: Request, org: Org, params: dict[str, str]) -> Response:
    part = next((part for part in multipart(request) if part.name == "VersionData" and part.filename), None)
    body = {"PathOnClient": part.filename, "VersionData": part.body} if part else {}
    place = "FirstPublishLocationId"
    return _act(org, params, lambda case: records.create(org, CONTENT_VERSION, body | {place: case["Id"]}))


def _act(org: Org, params: dict[str, str], change: Callable[[Row], Row]) -> Response:
    """Change something about the case and show it again, with the reason when it is refused."""
    case = _case(org, params)
    try:
        with org.state.transaction():
            change(case)
    except ApiError as error:
        return pages.record_page(_SKIN, views.case_view(org, case, error.message), 400)
    return redirect(views.address(case))


def _download(_request: Request, org: Org, params: dict[str, str]) -> Response:
    version = org.require(CONTENT_VERSION, ids.normalise(params["id"]) or "")
    return _file(files.content(org, CONTENT_VERSION, version["Id"]), version["PathOnClient"])


def _download_attachment(_request: Request, org: Org, params: dict[str, str]) -> Response:
    attachment = org.require(ATTACHMENT, ids.normalise(params["id"]) or "")
    return _file(files.content(org, ATTACHMENT, attachment["Id"]), attachment["Name"])


def _file(data: bytes, name: str) -> Response:
    """Always a download, never shown: what people upload must not run in this page's name."""
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    headers = [("Content-Type", "application/octet-stream"), ("Content-Disposition", disposition)]
    return Response(200, [*headers, ("X-Content-Type-Options", "nosniff")], data)


def _case(org: Org, params: dict[str, str]) -> Row:
    return org.require(CASE, ids.normalise(params["id"]) or "")


_ROUTES: Routes[Callable[[Request, Org, dict[str, str]], Response]] = Routes(
    [
        ("GET", "/", _home),
        ("GET", views.LIST, _list),
        ("GET", views.NEW, _new),
        ("POST", views.NEW, _create),
        ("GET", _CASE + "/view", _view),
        ("GET", _CASE + "/edit", _edit),
        ("POST", _CASE + "/edit", _save),
        ("POST", _CASE + "/status/{status}", _mark),
        ("POST", _CASE + "/comment", _comment),
        ("POST", _CASE + "/post", _post),
        ("POST", _CASE + "/file", _upload),
        ("GET", "/sfc/servlet.shepherd/version/download/{id}", _download),
        ("GET", "/servlet/servlet.FileDownload/{id}", _download_attachment),
        ("GET", "/500{rest}", _short),
    ]
)
