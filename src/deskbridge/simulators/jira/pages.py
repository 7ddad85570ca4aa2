"""Jira's pages for people: the issue list, an issue, and the forms that create and change it."""

from collections.abc import Callable, Sequence
from datetime import datetime

from deskbridge.simulators.jira import (
    attachments,
    catalogue,
    comments,
    issues,
    render,
    richtext,
    search,
    timing,
    workflow,
    worklogs,
)
from deskbridge.simulators.jira.call import Call
from deskbridge.simulators.jira.catalogue import FIELDS
from deskbridge.simulators.jira.errors import JiraError
from deskbridge.simulators.pages import (
    Cell,
    Entry,
    Form,
    Input,
    ListView,
    RecordView,
    Skin,
    form_page,
    list_page,
    message_page,
    record_page,
)
from deskbridge.simulators.routing import Routes
from deskbridge.simulators.store import Record, State
from deskbridge.simulators.wire import BadBodyError, Part, Request, Response, multipart, redirect

SKIN = Skin("jira", "Jira", [("Issues", "/issues"), ("Create", "/issues/create")])
Page = Callable[[Call, str], Response]
_DEFAULT_JQL = "ORDER BY created DESC"
_SHOWN = 200
_TONES = {"new": "neutral", "indeterminate": "info", "done": "good"}


def page(request: Request, now: datetime, state: State) -> Response | None:
    """The page at this path, or what a form there does; None when there is none."""
    found = _ROUTES.match(request.method, request.path)
    if found is None:
        return None
    call = Call(request, now, state, 2, state.setting("option.deployment", "Cloud") == "Cloud")
    key = found.params.get("key", "")
    try:
        with state.transaction():
            return found.target(call, key)
    except JiraError as error:
        return _refused(call, key, error)


def _refused(call: Call, key: str, error: JiraError) -> Response:
    """The issue with the reason on it; where there is no issue, the reason alone."""
    try:
        return _record(call, issues.find(call, key), error=str(error), status=error.status)
    except JiraError:
        return message_page(SKIN, "We couldn't do that", str(error), error.status)


def _home(_: Call, __: str) -> Response:
    return redirect("/issues")


def _list(call: Call, _: str) -> Response:
    text = call.request.param("jql", _DEFAULT_JQL)
    try:
        found, error = search.find(call, text), ""
    except JiraError as problem:
        found, error = [], str(problem)
    columns = ("Key", "Type", "Summary", "Status", "Priority", "Assignee", "Updated")
    rows = [_row(call, issue) for issue in found[:_SHOWN]]
    view = ListView(
        "Issues", columns, rows, ("Create", "/issues/create"), text, "jql", "JQL", error, "No issues match this search."
    )
    return list_page(SKIN, view)


def _row(call: Call, issue: Record) -> Sequence[Cell]:
    return (
        Cell(issue["key"], href=f"/browse/{issue['key']}"),
        Cell(_name(issue, "issuetype")),
        Cell(issue["summary"], href=f"/browse/{issue['key']}"),
        _status(issue),
        Cell(_name(issue, "priority")),
        Cell(_person(call, issue["assignee"]) or "Unassigned"),
        Cell(_time(call, issue["updated"])),
    )


def _show(call: Call, key: str) -> Response:
    return _record(call, issues.find(call, key))


def _record(call: Call, issue: Record, error: str = "", status: int = 200) -> Response:
    base = f"/browse/{issue['key']}"
    view = RecordView(
        key=issue["key"],
        title=issue["summary"],
        status=_status(issue),
        fields=_details(call, issue),
        body=richtext.as_html(issue["description"]),
        trail=[("Projects", "/issues"), (catalogue.PROJECT_NAME, f"/issues?jql=project+%3D+{catalogue.PROJECT_KEY}")],
        transitions=[_transition_form(base, one) for one in workflow.available(issue)],
        edit=f"{base}/edit",
        sections=[
            ("Comments", [_comment(call, one) for one in render.children(call, "comments", issue)]),
            ("Work log", [_worklog(call, one) for one in render.children(call, "worklogs", issue)]),
            ("History", [_history(call, one) for one in render.children(call, "histories", issue)]),
        ],
        attachments=[_file(base, one) for one in render.children(call, "attachments", issue)],
        forms=_forms(base),
        error=error,
    )
    return record_page(SKIN, view, status)


def _details(call: Call, issue: Record) -> list[tuple[str, Cell]]:
    shown = [
        ("Type", _name(issue, "issuetype")),
        ("Priority", _name(issue, "priority")),
        ("Resolution", _name(issue, "resolution") or "Unresolved"),
        ("Assignee", _person(call, issue["assignee"]) or "Unassigned"),
        ("Reporter", _person(call, issue["reporter"])),
        ("Labels", " ".join(issue["labels"]) or "None"),
        ("Due date", issue["duedate"] or "None"),
        ("Impact", _name(issue, catalogue.IMPACT) or "None"),
        ("Desk Ref", issue[catalogue.DESK_REF] or "None"),
        ("Time spent", timing.render_duration(issue["timespent"]) if issue["timespent"] else "None"),
        ("Created", _time(call, issue["created"])),
        ("Updated", _time(call, issue["updated"])),
    ]
    return [(label, Cell(text)) for label, text in shown]


def _transition_form(base: str, transition: catalogue.Transition) -> Form:
    choices = [(choice.id, choice.name) for choice in catalogue.RESOLUTIONS]
    inputs = (
        [Input("resolution", "Resolution", "select", options=choices, required=True)] if transition.required else []
    )
    return Form(f"{base}/transition/{transition.id}", transition.name, inputs)


def _forms(base: str) -> list[Form]:
    spent = Input("spent", "Time spent", required=True, hint="For example 1h 30m")
    return [
        Form(
            f"{base}/comment",
            "Save",
            [Input("body", "Comment", "textarea", required=True), Input("internal", "Internal note", "checkbox")],
            "Add a comment",
        ),
        Form(f"{base}/worklog", "Log work", [spent, Input("comment", "Work description")], "Log work"),
        Form(
            f"{base}/attach", "Attach", [Input("file", "File", "file", required=True)], "Attach a file", has_file=True
        ),
    ]


def _comment(call: Call, comment: Record) -> Entry:
    badge = "" if render.is_public(comment) else "Internal note"
    return _entry(call, comment, richtext.as_html(comment["body"]), badge)


def _worklog(call: Call, worklog: Record) -> Entry:
    spent = timing.render_duration(worklog["seconds"])
    return _entry(call, worklog, richtext.as_html(worklog["comment"]), spent, "neutral")


def _history(call: Call, history: Record) -> Entry:
    lines = [
        f"{item['field']}: {item['fromString'] or 'None'} → {item['toString'] or 'None'}" for item in history["items"]
    ]
    return _entry(call, history, "\n".join(lines), "")


def _entry(call: Call, row: Record, text: str, badge: str, tone: str = "warning") -> Entry:
    return Entry(_person(call, row["author"]), _time(call, row["created"]), text, badge, tone)


def _file(base: str, attachment: Record) -> Cell:
    return Cell(f"{attachment['filename']} ({attachment['size']} B)", href=f"{base}/attachment/{attachment['id']}")


def _status(issue: Record) -> Cell:
    status = catalogue.status(issue["status"])
    return Cell(status.name, _TONES[status.category])


def _name(issue: Record, field: str) -> str:
    found = catalogue.find(FIELDS[field].choices, id=issue[field]) if issue[field] else None
    return found.name if found else ""


def _person(call: Call, account: str | None) -> str:
    user = call.state.table("users").get(account) if account else None
    return str(user["displayName"]) if user else ""


def _time(call: Call, stamp: int) -> str:
    return f"{timing.moment(stamp).astimezone(call.zone):%d %b %Y, %H:%M}"


def _new(call: Call, _: str) -> Response:
    return form_page(SKIN, _issue_form(call, "/issues/create", "Create issue", "Create", "/issues", {}))


def _edit(call: Call, key: str) -> Response:
    issue = issues.find(call, key)
    back = f"/browse/{issue['key']}"
    held = {name: issue[name] or "" for name in ("summary", "issuetype", "priority", "assignee", "duedate")}
    held |= {"description": richtext.wiki_text(issue["description"]), "labels": " ".join(issue["labels"])}
    return form_page(SKIN, _issue_form(call, f"{back}/edit", f"Edit {issue['key']}", "Save", back, held))


def _issue_form(
    call: Call, action: str, title: str, button: str, cancel: str, held: dict[str, str], error: str = ""
) -> Form:
    people = [("", "Unassigned")] + [
        (row["accountId"], row["displayName"]) for row in call.state.table("users").values()
    ]
    inputs = [
        Input("issuetype", "Issue type", "select", held.get("issuetype", ""), _choices("issuetype")),
        Input("summary", "Summary", "text", held.get("summary", ""), required=True),
        Input("description", "Description", "textarea", held.get("description", "")),
        Input("priority", "Priority", "select", held.get("priority", catalogue.DEFAULT_PRIORITY), _choices("priority")),
        Input("assignee", "Assignee", "select", held.get("assignee", ""), people),
        Input("labels", "Labels", "text", held.get("labels", ""), hint="Separated by spaces"),
        Input("duedate", "Due date", "date", held.get("duedate", "")),
    ]
    return Form(action, button, inputs, title, error, cancel)


def _choices(field: str) -> list[tuple[str, str]]:
    return [(choice.id, choice.name) for choice in FIELDS[field].choices]


def _do_create(call: Call, _: str) -> Response:
    form = _form(call)
    try:
        with call.state.transaction():
            issue = issues.create(call, {"fields": {"project": {"key": catalogue.PROJECT_KEY}, **_fields(call, form)}})
    except JiraError as error:
        again = _issue_form(call, "/issues/create", "Create issue", "Create", "/issues", form, str(error))
        return form_page(SKIN, again, error.status)
    return redirect(f"/browse/{issue['key']}")


def _do_edit(call: Call, key: str) -> Response:
    form = _form(call)
    issue = issues.find(call, key)
    back = f"/browse/{issue['key']}"
    try:
        with call.state.transaction():
            issues.update(call, issue, {"fields": _fields(call, form)})
    except JiraError as error:
        again = _issue_form(call, f"{back}/edit", f"Edit {issue['key']}", "Save", back, form, str(error))
        return form_page(SKIN, again, error.status)
    return redirect(back)


def _fields(call: Call, form: dict[str, str]) -> dict[str, object]:
    """The form as the API's fields."""
    assignee = form.get("assignee")
    user = call.state.table("users").get(assignee) if assignee else None
    person = {"accountId": assignee, "name": user["name"] if user else ""} if assignee else None
    return {
        "issuetype": {"id": form.get("issuetype", "")},
        "summary": form.get("summary", ""),
        "description": form.get("description", "").replace("\r\n", "\n"),
        "priority": {"id": form.get("priority", "")},
        "assignee": person,
        "labels": form.get("labels", "").split(),
        "duedate": form.get("duedate") or None,
    }


def _do_comment(call: Call, key: str) -> Response:
    form = _form(call)
    body: dict[str, object] = {"body": form.get("body", "")}
    if form.get("internal"):
        body["properties"] = [{"key": "sd.public.comment", "value": {"internal": True}}]
    issue = issues.find(call, key)
    comments.add(call, issue, body)
    return redirect(f"/browse/{issue['key']}")


def _do_transition(call: Call, key: str) -> Response:
    form = _form(call)
    wanted = call.request.path.rpartition("/")[2]
    fields = {"resolution": {"id": form["resolution"]}} if form.get("resolution") else {}
    issue = issues.find(call, key)
    workflow.transition(call, issue, {"transition": {"id": wanted}, "fields": fields})
    return redirect(f"/browse/{issue['key']}")


def _do_worklog(call: Call, key: str) -> Response:
    form = _form(call)
    issue = issues.find(call, key)
    worklogs.add(call, issue, {"timeSpent": form.get("spent", ""), "comment": form.get("comment", "")})
    return redirect(f"/browse/{issue['key']}")


def _do_attach(call: Call, key: str) -> Response:
    if call.request.truncated:
        raise attachments.too_large()
    try:
        parts: list[Part] = [part for part in multipart(call.request) if part.filename]
    except BadBodyError as error:
        raise JiraError(400, [str(error)]) from error
    if not parts:
        raise JiraError(400, ["Choose a file first."])
    issue = issues.find(call, key)
    attachments.add(call, issue, parts[0])
    return redirect(f"/browse/{issue['key']}")


def _download(call: Call, _: str) -> Response:
    return attachments.content(call, attachments.find(call, call.request.path.rpartition("/")[2]))


def _form(call: Call) -> dict[str, str]:
    return dict(call.request.form())


_ROUTES: Routes[Page] = Routes(
    [
        ("GET", "/", _home),
        ("GET", "/issues", _list),
        ("GET", "/issues/", _list),
        ("GET", "/issues/create", _new),
        ("POST", "/issues/create", _do_create),
        ("GET", "/browse/{key}", _show),
        ("GET", "/browse/{key}/edit", _edit),
        ("POST", "/browse/{key}/edit", _do_edit),
        ("POST", "/browse/{key}/comment", _do_comment),
        ("POST", "/browse/{key}/transition/{transition}", _do_transition),
        ("POST", "/browse/{key}/worklog", _do_worklog),
        ("POST", "/browse/{key}/attach", _do_attach),
        ("GET", "/browse/{key}/attachment/{attachment}", _download),
    ]
)
