"""GitHub's REST API: which call does what."""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from deskbridge.simulators import product
from deskbridge.simulators.clock import Clock
from deskbridge.simulators.github import issues, pages
from deskbridge.simulators.github.call import BRANCHES, FULL_NAME, ME, MILESTONES, NAME, OWNER, Call, render, seed
from deskbridge.simulators.github.errors import RefusalError, invalid, not_found, refusal
from deskbridge.simulators.product import SECRET, USER
from deskbridge.simulators.routing import Routes
from deskbridge.simulators.store import Record, State
from deskbridge.simulators.webhooks import RetryPolicy
from deskbridge.simulators.wire import Request, Response, credentials, json_response, url

Params = Mapping[str, str]
Handler = Callable[[Call, Params], Response]
_NEVER_AGAIN = RetryPolicy()  # GitHub sends a webhook once
_MAX_FILE = 100 * 1024 * 1024
_HOUR, _PER_HOUR = 3600.0, 5000
_TERM = re.compile(r'"([^"]*)"|(\w+):(\S+)|(\S+)')


@dataclass(frozen=True, slots=True)
class GitHub:
    """The product. Its one option is whether everybody may see the repository."""

    name: str = "github"
    title: str = "GitHub"
    max_body: int = _MAX_FILE * 4 // 3 + 65536
    retries: RetryPolicy = _NEVER_AGAIN

    @property
    def options(self) -> Mapping[str, Sequence[str]]:
        return {"visibility": ("private", "public")}

    def seed(self, state: State) -> None:
        seed(state)

    def handle(self, request: Request, clock: Clock, state: State) -> Response:
        given = credentials(request)
        if given is None:
            return refusal(401, "Requires authentication")
        if given.secret != SECRET or (given.kind == "basic" and given.user not in {USER, "desk"}):
            return refusal(401, "Bad credentials")
        call = self._call(request, clock, state)
        limited, headers = _limited(call)
        return (limited or _answer(call)).adding(*headers)

    def page(self, request: Request, clock: Clock, state: State) -> Response | None:
        return pages.page(self._call(request, clock, state))

    def _call(self, request: Request, clock: Clock, state: State) -> Call:
        is_public = product.option(state, self, "visibility") == "public"
        return Call(request, clock.now().replace(microsecond=0), state, is_public)


def _limited(call: Call) -> tuple[Response | None, list[tuple[str, str]]]:
    """The hourly limit: 403, told by headers alone when it ends."""
    limits = product.limits(call.state)
    if not limits.enabled:
        return None, []
    most = _PER_HOUR if limits.requests is None else limits.requests
    now, span = call.now.timestamp(), limits.seconds or _HOUR
    row = call.state.table("_throttle").get("core")
    start, used = (row["start"], row["used"]) if row and 0 <= now - row["start"] < span else (now, 0)
    call.state.table("_throttle").put("core", {"start": start, "used": used + 1})
    headers = [("X-RateLimit-Limit", str(most)), ("X-RateLimit-Remaining", str(max(0, most - used - 1)))]
    headers.append(("X-RateLimit-Reset", str(round(start + span))))
    return (refusal(403, f"API rate limit exceeded for user ID {ME}.") if used >= most else None), headers


def _answer(call: Call) -> Response:
    request = call.request
    found = _ROUTES.match(request.method, request.path)
    if found is None or found.params.get("owner", OWNER) != OWNER or found.params.get("name", NAME) != NAME:
        return not_found().response()
    try:
        with call.state.transaction():
            return found.target(call, found.params)
    except RefusalError as error:
        return error.response()


def _user(call: Call, params: Params) -> Response:
    """Oneself, or somebody by id or login; addresses are private."""
    users = call.state.table("users")
    wanted = params.get("user", str(ME))
    found = users.get(wanted) or next(iter(users.by("login", wanted)), None)
    if found is None:
        raise not_found()
    return json_response(200, {**issues.user(call, found["id"]), "name": found["name"], "email": None})


def _repository(call: Call, _: Params) -> Response:
    permissions = {"admin": False, "push": True, "pull": True}
    shown = {"id": 1, "name": NAME, "full_name": FULL_NAME, "private": not call.is_public, "has_issues": True}
    return json_response(200, {**shown, "default_branch": BRANCHES[0], "permissions": permissions})


def _milestones(call: Call, _: Params) -> Response:
    return _paged(call, [issues.milestone(number) for number in MILESTONES])


def _list(call: Call, _: Params) -> Response:
    """By state (open unless asked), label and `since`; sorted by creation or change."""
    param = call.request.param
    found = [one for one in call.state.table("issues").values() if param("state", "open") in {"all", one["state"]}]
    if since := param("since"):
        floor = _moment(since)
        found = [one for one in found if one["updated_at"] >= floor]
    if labels := param("labels"):
        found = [one for one in found if set(labels.split(",")) <= set(one["labels"])]
    field = "updated_at" if param("sort") == "updated" else "created_at"
    found.sort(key=lambda one: (one[field], one["number"]), reverse=param("direction", "desc") != "asc")
    return _paged(call, [issues.shown(call, one) for one in found])


def _moment(text: str) -> str:
    try:
        return render(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as error:
        raise invalid("since", text) from error


def _paged(call: Call, rows: Sequence[Any]) -> Response:
    size, number = call.whole("per_page", 30, 100), call.whole("page", 1, 10**8)
    page = rows[(number - 1) * size : number * size]
    headers = []
    if number * size < len(rows):
        query = [pair for pair in call.request.query if pair[0] != "page"]
        address = url(call.base + call.request.path, [*query, ("page", str(number + 1))])
        headers.append(("Link", f'<{address}>; rel="next"'))
    return json_response(200, page, headers)


def _create(call: Call, _: Params) -> Response:
    return json_response(201, issues.shown(call, issues.create(call, call.body())))


def _get(call: Call, params: Params) -> Response:
    return json_response(200, issues.shown(call, issues.find(call, params["issue"])))


def _update(call: Call, params: Params) -> Response:
    changed = issues.update(call, issues.find(call, params["issue"]), call.body())
    return json_response(200, issues.shown(call, changed))


def _comments(call: Call, params: Params) -> Response:
    held = issues.comments_of(call, issues.find(call, params["issue"]))
    return _paged(call, [issues.shown_comment(call, one) for one in held])


def _add_comment(call: Call, params: Params) -> Response:
    made = issues.add_comment(call, issues.find(call, params["issue"]), call.body())
    return json_response(201, issues.shown_comment(call, made))


def _get_comment(call: Call, params: Params) -> Response:
    return json_response(200, issues.shown_comment(call, issues.comment(call, params["comment"])))


def _edit_comment(call: Call, params: Params) -> Response:
    changed = issues.edit_comment(call, issues.comment(call, params["comment"]), call.body())
    return json_response(200, issues.shown_comment(call, changed))


def _delete_comment(call: Call, params: Params) -> Response:
    issues.delete_comment(call, issues.comment(call, params["comment"]))
    return Response(204)


def _search(call: Call, _: Params) -> Response:
    """Issues by `repo:`, `is:issue` and quoted words `in:body`; other qualifiers are refused. The index lags."""
    words: list[str] = []
    for quoted, name, value, word in _TERM.findall(call.request.param("q")):
        if name and f"{name}:{value}" not in {f"repo:{FULL_NAME}", "is:issue", "in:body"}:
            raise RefusalError(422, "Validation Failed", [{"resource": "Search", "field": "q", "code": "invalid"}])
        words += [quoted or word] if not name else []
    seen = render(call.now - timedelta(seconds=product.lag(call.state)))
    known = [one for one in call.state.table("issues").values() if one["created_at"] <= seen]
    found = [one for one in known if all(word.lower() in (one["body"] or "").lower() for word in words)]
    size, number = call.whole("per_page", 30, 100), call.whole("page", 1, 10)
    items = [issues.shown(call, one) for one in found[(number - 1) * size : number * size]]
    return json_response(200, {"total_count": len(found), "incomplete_results": False, "items": items})


# Files of a branch


def _contents(call: Call, params: Params) -> Response:
    """A folder's list, a file's description, or, where it is asked for raw, its bytes."""
    branch, path = _branch(call.request.param("ref", BRANCHES[0])), params["path"].rstrip("/")
    kept = call.state.table("files").get(f"{branch}:{path}")
    if kept is not None:
        raw = call.state.blobs[f"{branch}:{path}"]
        if call.request.header("accept") == "application/vnd.github.raw+json":
            return Response(200, [("Content-Type", "application/vnd.github.raw+json")], raw)
        return json_response(200, {**_file(kept), "encoding": "base64", "content": base64.b64encode(raw).decode()})
    inside = [one for key, one in call.state.table("files").items() if key.startswith(f"{branch}:{path}/")]
    if not inside:
        raise not_found()
    return json_response(200, [_file(one) for one in inside if "/" not in one["path"][len(path) + 1 :]])


def _put_contents(call: Call, params: Params) -> Response:
    """A new file, or a new content of one whose `sha` is given."""
    body, path = call.body(), params["path"]
    branch = _branch(body.get("branch", BRANCHES[0]))
    key = f"{branch}:{path}"
    if not isinstance(body.get("message"), str):
        raise RefusalError(422, 'Invalid request.\n\n"message" wasn\'t supplied.')
    kept = call.state.table("files").get(key)
    if kept is not None and body.get("sha") != kept["sha"]:
        raise RefusalError(422 if body.get("sha") is None else 409, 'Invalid request.\n\n"sha" wasn\'t supplied.')
    try:
        raw = base64.b64decode(body["content"], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise RefusalError(422, "content is not valid Base64") from error
    sha = hashlib.sha1(b"blob %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()
    file = call.state.table("files").put(key, {"path": path, "sha": sha, "size": len(raw)})
    call.state.blobs.put(key, raw)
    return json_response(200 if kept else 201, {"content": _file(file), "commit": {"sha": call.state.hex(40)}})


def _branch(name: object) -> str:
    if name not in BRANCHES:
        raise RefusalError(404, f"No commit found for the ref {name}")
    return str(name)


def _file(kept: Record) -> dict[str, Any]:
    return {"type": "file", "name": kept["path"].rpartition("/")[2], **kept}


_REPOSITORY = "/repos/{owner}/{name}"
_ISSUE = f"{_REPOSITORY}/issues/{{issue}}"
_COMMENT = f"{_REPOSITORY}/issues/comments/{{comment}}"
_ROUTES: Routes[Handler] = Routes(
    [
        ("GET", "/user", _user),
        ("GET", "/user/{user}", _user),
        ("GET", "/users/{user}", _user),
        ("GET", "/search/issues", _search),
        ("GET", _REPOSITORY, _repository),
        ("GET", f"{_REPOSITORY}/milestones", _milestones),
        ("GET", f"{_REPOSITORY}/issues", _list),
        ("POST", f"{_REPOSITORY}/issues", _create),
        ("GET", _COMMENT, _get_comment),
        ("PATCH", _COMMENT, _edit_comment),
        ("DELETE", _COMMENT, _delete_comment),
        ("GET", _ISSUE, _get),
        ("PATCH", _ISSUE, _update),
        ("GET", f"{_ISSUE}/comments", _comments),
        ("POST", f"{_ISSUE}/comments", _add_comment),
        ("GET", f"{_REPOSITORY}/contents/{{path*}}", _contents),
        ("PUT", f"{_REPOSITORY}/contents/{{path*}}", _put_contents),
    ]
)
