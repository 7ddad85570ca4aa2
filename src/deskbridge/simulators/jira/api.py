"""Jira's REST API: which call does what."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deskbridge.simulators.clock import Clock
from deskbridge.simulators.jira import (
    attachments,
    auth,
    catalogue,
    comments,
    directory,
    events,
    issues,
    limits,
    pages,
    properties,
    reading,
    render,
    search,
    workflow,
    worklogs,
)
from deskbridge.simulators.jira.call import Call
from deskbridge.simulators.jira.directory import Params, answer
from deskbridge.simulators.jira.errors import JSON, JiraError, bad, not_found
from deskbridge.simulators.routing import Routes
from deskbridge.simulators.store import Record, State
from deskbridge.simulators.webhooks import RetryPolicy
from deskbridge.simulators.wire import Request, Response, json_response, redirect

Handler = Callable[[Call, Params], Response]
_EMPTY = Response(204)
_MOST_BULK = 50


@dataclass(frozen=True, slots=True)
class Jira:
    """The product. Options: which kind of site it is, whether a Cloud site still has the old /search (real ones
    answer 410 since 2025), and whether attachments come directly or by a redirect as from the real media service."""

    name: str = "jira"
    title: str = "Jira"
    max_body: int = attachments.UPLOAD_LIMIT + 65536
    retries: RetryPolicy = events.RETRIES

    @property
    def options(self) -> Mapping[str, Sequence[str]]:
        return {
            "deployment": ("Cloud", "Server"),
            "legacy_search": ("served", "gone"),
            "media": ("direct", "redirect"),
        }

    def seed(self, state: State) -> None:
        catalogue.seed(state)

    def handle(self, request: Request, clock: Clock, state: State) -> Response:
        now = clock.now()
        if request.path in auth.TOKEN_PATHS and request.method == "POST":
            return auth.issue_token(request, now, state)
        call = Call(request, now, state, 2, state.setting("option.deployment", "Cloud") == "Cloud")
        if not _is_public(request, state) and (refusal := auth.check(request, now, state, is_cloud=call.is_cloud)):
            return refusal
        throttled, headers = limits.check(call)
        return throttled or _answer(call).adding(*headers)

    def page(self, request: Request, clock: Clock, state: State) -> Response | None:
        return pages.page(request, clock.now(), state)


def _is_public(request: Request, state: State) -> bool:
    """Server information needs no credentials (wrong ones are refused even there); media links carry their own."""
    if request.header("authorization"):
        return False
    if request.path.startswith("/media/"):
        link = state.table("media").get(request.param("token"))
        return link is not None and request.path == f"/media/{link['attachment']}"
    return request.path.startswith("/rest/api/") and request.path.endswith("/serverInfo")


def _answer(call: Call) -> Response:
    try:
        with call.state.transaction():
            return _dispatch(call)
    except JiraError as error:
        return error.response()


def _dispatch(call: Call) -> Response:
    request = call.request
    parts = request.path.split("/")
    if parts[1:3] == ["rest", "api"] and len(parts) > 3:
        version = {"2": 2, "latest": 2, "3": 3}.get(parts[3])
        if version is None or (version == 3 and not call.is_cloud):
            raise not_found(f"There is no version '{parts[3]}' of the API.")
        call = Call(request, call.now, call.state, version, call.is_cloud, call.account)
        path = "/" + "/".join(parts[4:])
    else:
        path = request.path
    found = _ROUTES.match(request.method, path.rstrip("/") or "/")
    if found:
        return found.target(call, found.params)
    methods = _ROUTES.methods(path.rstrip("/"))
    if not methods:
        raise not_found("null for uri: " + request.base_url + request.path)
    refused = {"errorMessages": ["Method Not Allowed"], "errors": {}}
    return json_response(405, refused, [("Allow", ", ".join(methods))], JSON)


def _create(call: Call, _: Params) -> Response:
    return answer(render.address(call, issues.create(call, call.body())), 201)


def _create_bulk(call: Call, _: Params) -> Response:
    """Several at once: the good ones are made, the others are told by their number."""
    given = call.body().get("issueUpdates")
    if not isinstance(given, list) or not 0 < len(given) <= _MOST_BULK:
        raise bad(f"issueUpdates must be an array of 1 to {_MOST_BULK} issues.")
    made: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for number, body in enumerate(given):
        try:
            with call.state.transaction():
                made.append(render.address(call, issues.create(call, body if isinstance(body, dict) else {})))
        except JiraError as error:
            shown = {"errorMessages": error.messages, "errors": error.errors}
            failed.append({"status": error.status, "elementErrors": shown, "failedElementNumber": number})
    return answer({"issues": made, "errors": failed}, 201 if made else 400)


def _get(call: Call, params: Params) -> Response:
    issue = issues.find(call, params["issue"])
    wanted = call.listed("fields") or ["*all"]
    return answer(reading.issue(call, issue, wanted, call.listed("expand"), call.listed("properties")))


def _bulk_fetch(call: Call, _: Params) -> Response:
    """Consistent reads by id or key, at most 100; those that do not exist are left out."""
    body = call.body()
    wanted = body.get("issueIdsOrKeys")
    if not isinstance(wanted, list) or len(wanted) > 100 or not all(isinstance(one, str) for one in wanted):
        raise bad("issueIdsOrKeys must be an array of at most 100 ids or keys.")
    found: list[dict[str, Any]] = []
    for one in wanted:
        try:
            issue = issues.find(call, one)
        except JiraError:
            continue
        found.append(reading.issue(call, issue, body.get("fields") or ["*navigable"], body.get("expand") or []))
    return answer({"issues": found, "issueErrors": []})


def _update(call: Call, params: Params) -> Response:
    issues.update(call, issues.find(call, params["issue"]), call.body())
    if call.request.param("returnIssue") == "true":
        return answer(reading.issue(call, issues.find(call, params["issue"])))
    return _EMPTY


def _delete(call: Call, params: Params) -> Response:
    issues.delete(call, issues.find(call, params["issue"]))
    return _EMPTY


def _assign(call: Call, params: Params) -> Response:
    issues.update(call, issues.find(call, params["issue"]), {"fields": {"assignee": call.body()}})
    return _EMPTY


def _edit_meta(call: Call, params: Params) -> Response:
    issues.find(call, params["issue"])
    return answer(reading.edit_meta(call))


def _changelog(call: Call, params: Params) -> Response:
    histories = render.children(call, "histories", issues.find(call, params["issue"]))
    start, most = call.number("startAt", 0), call.number("maxResults", 100, 100)
    page = [render.history(call, one) for one in histories[start : start + most]]
    is_last = start + most >= len(histories)
    body = {"startAt": start, "maxResults": most, "total": len(histories), "isLast": is_last, "values": page}
    return answer({"self": f"{call.base}{call.request.path}", **body})


def _transitions(call: Call, params: Params) -> Response:
    issue = issues.find(call, params["issue"])
    wanted = call.request.param("transitionId")
    with_fields = "transitions.fields" in call.listed("expand")
    listed = [one for one in workflow.available(issue) if wanted in {"", one.id}]
    shown = [workflow.describe(call, one, with_fields=with_fields) for one in listed]
    return answer({"expand": "transitions", "transitions": shown})


def _transition(call: Call, params: Params) -> Response:
    workflow.transition(call, issues.find(call, params["issue"]), call.body())
    return _EMPTY


def _comments(call: Call, params: Params) -> Response:
    held = render.children(call, "comments", issues.find(call, params["issue"]))
    order = call.request.param("orderBy")
    if order not in {"", "created", "+created", "-created"}:
        raise bad(f"The orderBy field '{order}' is not supported.")
    if order == "-created":
        held.reverse()
    start, most = call.number("startAt", 0), call.number("maxResults", 5000, 5000)
    page = [_comment_shown(call, one) for one in held[start : start + most]]
    return answer({"startAt": start, "maxResults": most, "total": len(held), "comments": page})


def _comment_shown(call: Call, comment: Record) -> dict[str, Any]:
    return _with_properties(call, render.comment(call, comment), comment)


def _with_properties(call: Call, shown: dict[str, Any], kept: Record) -> dict[str, Any]:
    if "properties" in call.listed("expand"):
        shown["properties"] = [{"key": key, "value": value} for key, value in kept["properties"].items()]
    return shown


def _add_comment(call: Call, params: Params) -> Response:
    return answer(render.comment(call, comments.add(call, issues.find(call, params["issue"]), call.body())), 201)


def _get_comment(call: Call, params: Params) -> Response:
    issue = issues.find(call, params["issue"])
    return answer(_comment_shown(call, comments.find(call, issue, params["comment"])))


def _update_comment(call: Call, params: Params) -> Response:
    issue = issues.find(call, params["issue"])
    comment = comments.find(call, issue, params["comment"])
    return answer(render.comment(call, comments.update(call, issue, comment, call.body())))


def _delete_comment(call: Call, params: Params) -> Response:
    issue = issues.find(call, params["issue"])
    comments.delete(call, issue, comments.find(call, issue, params["comment"]))
    return _EMPTY


def _comment_list(call: Call, _: Params) -> Response:
    ids = call.body().get("ids")
    if not isinstance(ids, list) or len(ids) > 1000:
        raise bad("ids must be an array of at most 1000 comment ids.")
    found = [row for one in ids if (row := call.state.table("comments").get(str(one)))]
    body = {"startAt": 0, "maxResults": 1000, "total": len(found), "isLast": True}
    return answer({**body, "values": [_comment_shown(call, one) for one in found]})


def _comment_properties(call: Call, params: Params) -> Response:
    comment = comments.by_id(call, params["comment"])
    return answer(properties.keys(f"{call.base}{call.request.path}", comment["properties"]))


def _get_comment_property(call: Call, params: Params) -> Response:
    value = properties.of_comment(comments.by_id(call, params["comment"]), params["key"])
    return answer({"key": params["key"], "value": value})


def _put_comment_property(call: Call, params: Params) -> Response:
    comment = comments.by_id(call, params["comment"])
    return Response(201 if comments.set_property(call, comment, params["key"], call.json()) else 200)


def _delete_comment_property(call: Call, params: Params) -> Response:
    comments.delete_property(call, comments.by_id(call, params["comment"]), params["key"])
    return _EMPTY


def _properties(call: Call, params: Params) -> Response:
    held = properties.of_issue(call, issues.find(call, params["issue"]))
    return answer(properties.keys(f"{call.base}{call.request.path}", held))


def _get_property(call: Call, params: Params) -> Response:
    row = properties.get(call, issues.find(call, params["issue"]), params["key"])
    return answer({"key": row["key"], "value": row["value"]})


def _put_property(call: Call, params: Params) -> Response:
    issue = issues.find(call, params["issue"])
    return Response(201 if properties.put(call, issue, params["key"], call.json()) else 200)


def _delete_property(call: Call, params: Params) -> Response:
    properties.delete(call, issues.find(call, params["issue"]), params["key"])
    return _EMPTY


def _attach(call: Call, params: Params) -> Response:
    added = attachments.upload(call, issues.find(call, params["issue"]))
    return answer([render.attachment(call, one) for one in added])


def _get_attachment(call: Call, params: Params) -> Response:
    return answer(render.attachment(call, attachments.find(call, params["attachment"])))


def _attachment_content(call: Call, params: Params) -> Response:
    attachment = attachments.find(call, params["attachment"])
    if call.state.setting("option.media", "direct") == "direct" or call.request.param("redirect") == "false":
        return attachments.content(call, attachment)
    token = call.state.hex(32)
    call.state.table("media").put(token, {"attachment": attachment["id"]})
    return redirect(f"{call.base}/media/{attachment['id']}?token={token}")


def _delete_attachment(call: Call, params: Params) -> Response:
    attachments.delete(call, attachments.find(call, params["attachment"]))
    return _EMPTY


def _media(call: Call, params: Params) -> Response:
    return attachments.content(call, attachments.find(call, params["attachment"]))


def _worklogs(call: Call, params: Params) -> Response:
    held = render.children(call, "worklogs", issues.find(call, params["issue"]))
    start, most = call.number("startAt", 0), call.number("maxResults", 5000, 5000)
    page = [_with_properties(call, render.worklog(call, one), one) for one in held[start : start + most]]
    return answer({"startAt": start, "maxResults": most, "total": len(held), "worklogs": page})


def _add_worklog(call: Call, params: Params) -> Response:
    return answer(render.worklog(call, worklogs.add(call, issues.find(call, params["issue"]), call.body())), 201)


def _get_worklog(call: Call, params: Params) -> Response:
    worklog = worklogs.find(call, issues.find(call, params["issue"]), params["worklog"])
    return answer(_with_properties(call, render.worklog(call, worklog), worklog))


def _update_worklog(call: Call, params: Params) -> Response:
    issue = issues.find(call, params["issue"])
    worklog = worklogs.find(call, issue, params["worklog"])
    return answer(render.worklog(call, worklogs.update(call, issue, worklog, call.body())))


def _delete_worklog(call: Call, params: Params) -> Response:
    issue = issues.find(call, params["issue"])
    worklogs.delete(call, issue, worklogs.find(call, issue, params["worklog"]))
    return _EMPTY


def _search(call: Call, _: Params) -> Response:
    if call.is_cloud and call.state.setting("option.legacy_search", "served") == "gone":
        text = "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API."
        raise JiraError(410, [text])
    return search.by_offset(call)


def _search_jql(call: Call, _: Params) -> Response:
    if not call.is_cloud:
        raise not_found("null for uri: " + call.base + call.request.path)
    return search.by_token(call)


def _count(call: Call, _: Params) -> Response:
    return search.count(call)


_ISSUE = "/issue/{issue}"
_ROUTES: Routes[Handler] = Routes(
    [
        ("GET", "/serverInfo", directory.server_info),
        ("GET", "/myself", directory.myself),
        ("GET", "/mypermissions", directory.permissions),
        ("GET", "/configuration", directory.configuration),
        ("GET", "/rest/auth/1/session", directory.session),
        ("GET", "/field", directory.fields),
        ("GET", "/project", directory.projects),
        ("GET", "/project/search", directory.project_search),
        ("GET", "/project/{project}", directory.project),
        ("GET", "/project/{project}/statuses", directory.project_statuses),
        ("GET", "/issuetype", directory.issue_types),
        ("GET", "/priority", directory.priorities),
        ("GET", "/priority/search", directory.priority_search),
        ("GET", "/resolution", directory.resolutions),
        ("GET", "/status", directory.statuses),
        ("GET", "/status/{id}", directory.status),
        ("GET", "/user", directory.user),
        ("GET", "/user/search", directory.user_search),
        ("GET", "/user/assignable/search", directory.user_search),
        ("GET", "/issue/createmeta", directory.create_meta),
        ("GET", "/issue/createmeta/{project}/issuetypes", directory.create_meta_types),
        ("GET", "/issue/createmeta/{project}/issuetypes/{type}", directory.create_meta_fields),
        ("GET", "/search", _search),
        ("POST", "/search", _search),
        ("GET", "/search/jql", _search_jql),
        ("POST", "/search/jql", _search_jql),
        ("POST", "/search/approximate-count", _count),
        ("POST", "/issue", _create),
        ("POST", "/issue/bulk", _create_bulk),
        ("POST", "/issue/bulkfetch", _bulk_fetch),
        ("GET", _ISSUE, _get),
        ("PUT", _ISSUE, _update),
        ("DELETE", _ISSUE, _delete),
        ("PUT", f"{_ISSUE}/assignee", _assign),
        ("GET", f"{_ISSUE}/editmeta", _edit_meta),
        ("GET", f"{_ISSUE}/changelog", _changelog),
        ("GET", f"{_ISSUE}/transitions", _transitions),
        ("POST", f"{_ISSUE}/transitions", _transition),
        ("GET", f"{_ISSUE}/comment", _comments),
        ("POST", f"{_ISSUE}/comment", _add_comment),
        ("GET", f"{_ISSUE}/comment/{{comment}}", _get_comment),
        ("PUT", f"{_ISSUE}/comment/{{comment}}", _update_comment),
        ("DELETE", f"{_ISSUE}/comment/{{comment}}", _delete_comment),
        ("POST", "/comment/list", _comment_list),
        ("GET", "/comment/{comment}/properties", _comment_properties),
        ("GET", "/comment/{comment}/properties/{key}", _get_comment_property),
        ("PUT", "/comment/{comment}/properties/{key}", _put_comment_property),
        ("DELETE", "/comment/{comment}/properties/{key}", _delete_comment_property),
        ("GET", f"{_ISSUE}/properties", _properties),
        ("GET", f"{_ISSUE}/properties/{{key}}", _get_property),
        ("PUT", f"{_ISSUE}/properties/{{key}}", _put_property),
        ("DELETE", f"{_ISSUE}/properties/{{key}}", _delete_property),
        ("POST", f"{_ISSUE}/attachments", _attach),
        ("GET", "/attachment/meta", directory.attachment_meta),
        ("GET", "/attachment/content/{attachment}", _attachment_content),
        ("GET", "/attachment/{attachment}", _get_attachment),
        ("DELETE", "/attachment/{attachment}", _delete_attachment),
        ("GET", "/secure/attachment/{attachment}/{name}", _media),
        ("GET", "/media/{attachment}", _media),
        ("GET", f"{_ISSUE}/worklog", _worklogs),
        ("POST", f"{_ISSUE}/worklog", _add_worklog),
        ("GET", f"{_ISSUE}/worklog/{{worklog}}", _get_worklog),
        ("PUT", f"{_ISSUE}/worklog/{{worklog}}", _update_worklog),
        ("DELETE", f"{_ISSUE}/worklog/{{worklog}}", _delete_worklog),
    ]
)
