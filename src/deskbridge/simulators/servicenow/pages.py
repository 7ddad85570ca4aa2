"""The pages of the instance in a browser: lists, an incident, and what a person can do with it by plain forms."""

from collections.abc import Callable

from deskbridge.simulators import pages as shell
from deskbridge.simulators.routing import Routes
from deskbridge.simulators.servicenow import attachments, encoded, inputs, matching, records, rows, values, views
from deskbridge.simulators.servicenow.context import Context
from deskbridge.simulators.servicenow.encoded import QueryError
from deskbridge.simulators.servicenow.errors import FailureError, bad_request
from deskbridge.simulators.store import Record
from deskbridge.simulators.wire import BadBodyError, Request, Response, multipart, redirect

Door = Callable[[Context, Request], Response]
_NEW = "-1"


def page(request: Request, context: Context) -> Response | None:
    """The page at this path; None when it is none."""
    found = _ROUTES.match("GET" if request.method == "HEAD" else request.method, request.path)
    return found.target(context, request) if found else None


def _incidents(context: Context, request: Request) -> Response:
    text, problem = request.param("sysparm_query"), ""
    found: list[Record] = []
    try:
        found = matching.select(context, "incident", encoded.parse(text or "ORDERBYDESCnumber"))
    except QueryError as error:
        problem = str(error)
    return shell.list_page(views.SKIN, views.incidents(context, found[: views.MOST], text, problem))


def _users(context: Context, _: Request) -> Response:
    return shell.list_page(views.SKIN, views.users(context))


def _worked(context: Context, _: Request) -> Response:
    return shell.list_page(views.SKIN, views.worked(context))


def _incident(context: Context, request: Request) -> Response:
    sys_id = request.param("sys_id")
    if sys_id == _NEW:
        return shell.form_page(views.SKIN, views.new_form(context))
    row = rows.find(context.state, "incident", sys_id)
    if row is None:
        return _missing()
    if request.param("sysparm_view") == "edit":
        return shell.form_page(views.SKIN, views.edit_form(context, row))
    return shell.record_page(views.SKIN, views.incident(context, row))


def _download(context: Context, request: Request) -> Response:
    try:
        return attachments.download(context, request, request.param("sys_id"))
    except FailureError:
        return _missing()


def _missing() -> Response:
    return shell.message_page(views.SKIN, "Record not found", "The record does not exist, or no longer.")


def _save(context: Context, request: Request) -> Response:
    """Create an incident, or do to one what the button says; then show it."""
    if request.param("sys_id") == _NEW:
        return _create(context, request)
    row = rows.find(context.state, "incident", request.param("sys_id"))
    action = _ACTIONS.get(request.param("sysparm_action"))
    if row is None or action is None:
        return _missing()
    try:
        with context.state.transaction():
            action(context, request, row)
    except FailureError as failure:
        return _refused(context, request, row, failure)
    return redirect(views.address(row["sys_id"]))


def _create(context: Context, request: Request) -> Response:
    form = _form(request)
    try:
        with context.state.transaction():
            row = records.insert(context, "incident", inputs.read(context, "incident", form))
    except FailureError as failure:
        problem = failure.detail or failure.message
        return shell.form_page(views.SKIN, views.new_form(context, form, problem), failure.status)
    return redirect(views.address(row["sys_id"]))


def _refused(context: Context, request: Request, row: Record, failure: FailureError) -> Response:
    problem = failure.detail or failure.message
    if request.param("sysparm_action") == "edit":
        form = {**row, **_form(request)}
        return shell.form_page(views.SKIN, views.edit_form(context, form, problem), failure.status)
    return shell.record_page(views.SKIN, views.incident(context, row, problem), failure.status)


def _edit(context: Context, request: Request, row: Record) -> None:
    records.update(context, "incident", row, inputs.read(context, "incident", _form(request)))


def _move(context: Context, request: Request, row: Record) -> None:
    body = {**_form(request), "state": request.param("sysparm_state")}
    records.update(context, "incident", row, inputs.read(context, "incident", body))


def _post(context: Context, request: Request, row: Record) -> None:
    """Add to a journal; the caller may be played too, which is how a waiting incident comes back."""
    form = _form(request)
    element = "work_notes" if form.get("element") == "work_notes" else "comments"
    speaker = rows.find(context.state, "sys_user", row["caller_id"]) if form.get("as_caller") else None
    acting = context.acting(speaker) if speaker else context
    records.update(acting, "incident", row, inputs.read(acting, "incident", {element: form.get("text", "")}))


def _log_time(context: Context, request: Request, row: Record) -> None:
    form = _form(request)
    minutes = form.get("minutes", "")
    if not values.INTEGER.fullmatch(minutes) or not 0 < int(minutes) <= views.MOST_MINUTES:
        raise bad_request("Invalid time worked", "Minutes must be a whole number between 1 and a year")
    body = {"task": row["sys_id"], "time_in_seconds": int(minutes) * 60, "comments": form.get("comments", "")}
    records.insert(context, "task_time_worked", inputs.read(context, "task_time_worked", body))


def _attach(context: Context, request: Request, row: Record) -> None:
    try:
        file = next((part for part in multipart(request) if part.filename), None)
    except BadBodyError as error:
        raise bad_request("Failed to create the attachment", str(error)) from error
    if file is None:
        raise bad_request("Failed to create the attachment", "No file was chosen")
    attachments.check_size(request)
    attachments.attach(context, "incident", row["sys_id"], file.filename or "", file.content_type, file.body)


def _form(request: Request) -> dict[str, str]:
    """The fields of a plain form; browsers end lines with CR LF."""
    return {name: value.replace("\r\n", "\n") for name, value in request.form()}


_ACTIONS: dict[str, Callable[[Context, Request, Record], None]] = {
    "edit": _edit,
    "move": _move,
    "post": _post,
    "time": _log_time,
    "attach": _attach,
}

_ROUTES: Routes[Door] = Routes(
    [
        ("GET", "/", _incidents),
        ("GET", "/incident_list.do", _incidents),
        ("GET", "/incident.do", _incident),
        ("POST", "/incident.do", _save),
        ("GET", "/sys_user_list.do", _users),
        ("GET", "/task_time_worked_list.do", _worked),
        ("GET", "/sys_attachment.do", _download),
    ]
)
