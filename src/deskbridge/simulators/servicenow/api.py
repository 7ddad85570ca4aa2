"""The REST APIs behind one door: who calls, how often, and which function answers."""

from collections.abc import Callable
from functools import partial

from deskbridge.simulators.routing import Routes
from deskbridge.simulators.servicenow import attachments, batch, errors, import_set, limits, table_api
from deskbridge.simulators.servicenow.context import Context
from deskbridge.simulators.servicenow.errors import FailureError
from deskbridge.simulators.wire import Request, Response, html_response

Endpoint = Callable[..., Response]

_LONGEST_URL = 16 * 1024
_LONGEST_BODY = 10 * 1024 * 1024
_BATCH = "/api/now/batch"
_TOKEN = "/oauth_token.do"  # noqa: S105 - a path


def is_token_request(request: Request) -> bool:
    return request.method == "POST" and request.path == _TOKEN


def handle(request: Request, context: Context) -> Response:
    """Answer an authenticated request; failures are the instance's own error answers."""
    if _length(request) > _LONGEST_URL:
        return html_response(414, "<html><head><title>414</title></head><body>Request-URI Too Large</body></html>")
    try:
        headers = limits.count(context)
    except FailureError as failure:
        return failure.response()
    return _answer(request, context).adding(*headers)


def _answer(request: Request, context: Context) -> Response:
    """All of a request's changes, or none when it fails."""
    try:
        with context.state.transaction():
            return _dispatch(request, context)
    except FailureError as failure:
        return failure.response()


def _dispatch(request: Request, context: Context) -> Response:
    _check_form(request)
    path = _unversioned(request.path)
    if (request.method, path) == ("POST", _BATCH):
        return batch.run(request, partial(_inside_batch, context=context))
    found = _ROUTES.match("GET" if request.method == "HEAD" else request.method, path)
    if found is None:
        raise _no_such(path)
    return found.target(context, request, **found.params)


def _inside_batch(request: Request, context: Context) -> Response:
    if _unversioned(request.path) == _BATCH:
        return errors.bad_request("Invalid batch request", "A batch cannot contain a batch").response()
    return _answer(request, context)


def _no_such(path: str) -> FailureError:
    if methods := _ROUTES.methods(path):
        return FailureError(405, "Method not supported", f"supported here: {', '.join(methods)}")
    return errors.no_such_resource()


def _check_form(request: Request) -> None:
    """This instance speaks JSON only, in bodies of a bounded size; files are of any kind and have their own bound."""
    if _unversioned(request.path).startswith("/api/now/attachment"):
        return
    accepted = request.header("accept")
    if accepted and not any(kind in accepted for kind in ("*/*", "application/*", "json")):
        raise FailureError(406, "Not Acceptable", f"Accept {accepted} is not supported, use application/json")
    if request.truncated or len(request.body) > _LONGEST_BODY:
        raise FailureError(413, "Request entity too large", "The body exceeds 10 MB")


def _unversioned(path: str) -> str:
    """`/api/now/v1/table/x` and `/api/now/table/x` are the same resource."""
    for version in ("v1", "v2"):
        if path.startswith(f"/api/now/{version}/"):
            return "/api/now/" + path.removeprefix(f"/api/now/{version}/")
    return path


def _length(request: Request) -> int:
    return len(request.path) + sum(len(name) + len(value) + 2 for name, value in request.query)


_ROUTES: Routes[Endpoint] = Routes(
    [
        ("GET", "/api/now/table/{table}", table_api.find),
        ("POST", "/api/now/table/{table}", table_api.insert),
        ("GET", "/api/now/table/{table}/{sys_id}", table_api.get),
        ("PUT", "/api/now/table/{table}/{sys_id}", table_api.update),
        ("PATCH", "/api/now/table/{table}/{sys_id}", table_api.update),
        ("DELETE", "/api/now/table/{table}/{sys_id}", table_api.delete),
        ("GET", "/api/now/attachment", attachments.find),
        ("POST", "/api/now/attachment/file", attachments.upload),
        ("POST", "/api/now/attachment/upload", attachments.upload_form),
        ("GET", "/api/now/attachment/{sys_id}", attachments.get),
        ("DELETE", "/api/now/attachment/{sys_id}", attachments.delete),
        ("GET", "/api/now/attachment/{sys_id}/file", attachments.download),
        ("POST", "/api/now/import/{table}", import_set.insert),
        ("GET", "/api/now/import/{table}/{sys_id}", import_set.get),
    ]
)
