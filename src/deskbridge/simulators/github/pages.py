"""The repository's pages in a browser: its issues, one of them, and what a person can do with it by plain forms."""

from collections.abc import Callable, Mapping

from deskbridge.simulators import pages as shell
from deskbridge.simulators.github import issues
from deskbridge.simulators.github.call import FULL_NAME, Call
from deskbridge.simulators.github.errors import RefusalError
from deskbridge.simulators.pages import Cell, Entry, Form, Input, ListView, RecordView, Skin
from deskbridge.simulators.routing import Routes
from deskbridge.simulators.store import Record
from deskbridge.simulators.wire import Response, redirect

Params = Mapping[str, str]
Door = Callable[[Call, Params], Response]
_ISSUES = f"/{FULL_NAME}/issues"
_SKIN = Skin("github", "GitHub", (("Issues", _ISSUES), ("New issue", f"{_ISSUES}/new")), "desk")
_MOST = 200


def page(call: Call) -> Response | None:
    """The page at this path; None when it is none."""
    method = "GET" if call.request.method == "HEAD" else call.request.method
    found = _ROUTES.match(method, call.request.path)
    if found is None:
        return None
    try:
        with call.state.transaction():
            return found.target(call, found.params)
    except RefusalError as error:
        told = "; ".join(str(one.get("message") or f"{one['field']}: {one['code']}") for one in error.errors or [])
        return shell.message_page(_SKIN, error.message, told, error.status)


def _home(_: Call, __: Params) -> Response:
    return redirect(_ISSUES)


def _list(call: Call, _: Params) -> Response:
    newest = sorted(call.state.table("issues").values(), key=lambda one: int(one["number"]), reverse=True)[:_MOST]
    columns = ["Issue", "Title", "State", "Labels", "Updated"]
    rows = [
        [_link(one), Cell(one["title"]), _state(one), Cell(", ".join(one["labels"])), Cell(one["updated_at"])]
        for one in newest
    ]
    view = ListView(f"{FULL_NAME}: issues", columns, rows, create=("New issue", f"{_ISSUES}/new"))
    return shell.list_page(_SKIN, view)


def _link(issue: Record) -> Cell:
    return Cell(f"#{issue['number']}", href=f"{_ISSUES}/{issue['number']}")


def _state(issue: Record) -> Cell:
    words = {"completed": "Closed as completed", "not_planned": "Closed as not planned"}
    if issue["state"] == "open":
        return Cell("Open", "good")
    return Cell(words.get(issue["state_reason"], "Closed as duplicate"), "info")


def _new(_: Call, __: Params) -> Response:
    inputs = (Input("title", "Title", required=True), Input("body", "Description (Markdown)", "textarea"))
    return shell.form_page(_SKIN, Form(_ISSUES, "Submit new issue", inputs, "New issue", cancel=_ISSUES))


def _create(call: Call, _: Params) -> Response:
    made = issues.create(call, dict(call.request.form()))
    return redirect(f"{_ISSUES}/{made['number']}")


def _issue(call: Call, params: Params) -> Response:
    issue = issues.find(call, params["issue"])
    address = f"{_ISSUES}/{issue['number']}"
    fields = (
        ("Author", Cell(_login(call, issue["user"]))),
        ("Assignees", Cell(", ".join(_login(call, one) for one in issue["assignees"]))),
        ("Labels", Cell(", ".join(issue["labels"]))),
        ("Milestone", Cell(issues.milestone(issue["milestone"])["title"] if issue["milestone"] else "")),
        ("Opened", Cell(issue["created_at"])),
        ("Updated", Cell(issue["updated_at"])),
    )
    said = [Entry(_login(call, one["user"]), one["created_at"], one["body"]) for one in issues.comments_of(call, issue)]
    view = RecordView(
        f"#{issue['number']}",
        issue["title"],
        _state(issue),
        fields,
        body=issue["body"] or "",
        trail=((FULL_NAME, _ISSUES),),
        transitions=tuple(_moves(issue, address)),
        sections=(("Comments", said),),
        forms=_forms(issue, address),
    )
    return shell.record_page(_SKIN, view)


def _login(call: Call, user_id: int) -> str:
    return str(issues.user(call, user_id)["login"])


def _moves(issue: Record, address: str) -> list[Form]:
    if issue["state"] == "closed":
        return [Form(f"{address}/open", "Reopen")]
    return [Form(f"{address}/completed", "Close as completed"), Form(f"{address}/not_planned", "Close as not planned")]


def _forms(issue: Record, address: str) -> tuple[Form, ...]:
    comment = Form(
        f"{address}/comments", "Comment", (Input("body", "Comment", "textarea", required=True),), "Add a comment"
    )
    fields = (
        Input("title", "Title", value=issue["title"], required=True),
        Input("body", "Description (Markdown)", "textarea", issue["body"] or ""),
    )
    return comment, Form(f"{address}/edit", "Save", fields, "Edit")


def _edit(call: Call, params: Params) -> Response:
    issues.update(call, issues.find(call, params["issue"]), dict(call.request.form()))
    return redirect(f"{_ISSUES}/{params['issue']}")


def _comment(call: Call, params: Params) -> Response:
    issues.add_comment(call, issues.find(call, params["issue"]), dict(call.request.form()))
    return redirect(f"{_ISSUES}/{params['issue']}")


def _move(call: Call, params: Params) -> Response:
    reason = call.request.path.rpartition("/")[2]
    wanted = {"state": "open"} if reason == "open" else {"state": "closed", "state_reason": reason}
    issues.update(call, issues.find(call, params["issue"]), wanted)
    return redirect(f"{_ISSUES}/{params['issue']}")


_ROUTES: Routes[Door] = Routes(
    [
        ("GET", "/", _home),
        ("GET", _ISSUES, _list),
        ("POST", _ISSUES, _create),
        ("GET", f"{_ISSUES}/new", _new),
        ("GET", f"{_ISSUES}/{{issue}}", _issue),
        ("POST", f"{_ISSUES}/{{issue}}/edit", _edit),
        ("POST", f"{_ISSUES}/{{issue}}/comments", _comment),
        ("POST", f"{_ISSUES}/{{issue}}/open", _move),
        ("POST", f"{_ISSUES}/{{issue}}/completed", _move),
        ("POST", f"{_ISSUES}/{{issue}}/not_planned", _move),
    ]
)
