"""The portal: the work item list with its query box, one work item with its workflow, and the forms to change it."""

import re
from collections.abc import Callable
from html import escape
from html.parser import HTMLParser

import nh3
from markupsafe import Markup

from deskbridge.simulators import pages
from deskbridge.simulators.clock import Clock
from deskbridge.simulators.pages import Cell, Entry, Form, Input, ListView, RecordView, Skin
from deskbridge.simulators.polarion import attachments, comments, items, model, workrecords
from deskbridge.simulators.polarion.errors import ApiError
from deskbridge.simulators.polarion.jsonapi import Json, path_of
from deskbridge.simulators.polarion.session import Record, Session
from deskbridge.simulators.routing import Routes
from deskbridge.simulators.store import State
from deskbridge.simulators.wire import BadBodyError, Request, Response, multipart, redirect

_BASE = f"/polarion/project/{model.PROJECT}"
_LIST = f"{_BASE}/workitems"
_NEW = f"{_BASE}/new"
_TONES = {"open": "neutral", "in_progress": "info", "done": "good", "verified": "good"}


def page(request: Request, clock: Clock, state: State) -> Response | None:
    """The page at the request's path; None when it is none of the portal's."""
    found = _ROUTES.match(request.method, request.path)
    if found is None:
        return None
    session = Session(state, clock.now())
    try:
        with state.transaction():
            return found.target(request, session, found.params)
    except ApiError as error:
        return pages.message_page(_skin(session), "Not possible", str(error), error.status)


def _skin(session: Session) -> Skin:
    links = (("Work Items", _LIST), ("New Task", f"{_NEW}?type=task"), ("New Defect", f"{_NEW}?type=defect"))
    return Skin("polarion", "Polarion", links, _name(session, session.user))


def _name(session: Session, user_id: str) -> str:
    user = session.state.table("users").get(user_id)
    return user["name"] if user else user_id


def _address(item: Record) -> str:
    return f"{_BASE}{path_of('workitem', item['id'])}"


# --- the list

_COLUMNS = ("ID", "Title", "Type", "Status", "Severity", "Priority", "Assignee", "Updated")


def _home(_request: Request, _session: Session, _params: dict[str, str]) -> Response:
    return redirect(_LIST)


def _list(request: Request, session: Session, _params: dict[str, str]) -> Response:
    query, error = request.param("query"), ""
    found: list[Record] = []
    try:
        found = items.search(session, query, "-updated", model.PROJECT)
    except ApiError as refused:
        error = str(refused)
    view = ListView(
        title=f"Work Items ({len(found)})",
        columns=_COLUMNS,
        rows=[_row(session, item) for item in found[:200]],
        create=("Create Work Item", _NEW),
        query=query,
        query_name="query",
        query_label="Query (Lucene)",
        error=error,
        empty="No work items found.",
    )
    return pages.list_page(_skin(session), view, 400 if error else 200)


def _row(session: Session, item: Record) -> list[Cell]:
    stored = item["attributes"]
    return [
        Cell(item["id"], href=_address(item)),
        Cell(stored.get("title", "")),
        Cell(_option(item, "type")),
        _status(item),
        Cell(_option(item, "severity")),
        Cell(_option(item, "priority")),
        Cell(_assignees(session, item)),
        Cell(_moment(item["updated"])),
    ]


def _option(item: Record, field: str) -> str:
    stored = item["attributes"]
    return model.option_name(field, stored["type"], stored.get(field, ""))


def _status(item: Record) -> Cell:
    return Cell(_option(item, "status"), tone=_TONES.get(item["attributes"]["status"], "bad"))


def _assignees(session: Session, item: Record) -> str:
    return ", ".join(_name(session, user) for user in item["assignee"])


def _moment(text: str) -> str:
    return f"{text[:10]} {text[11:16]}"


# --- one work item


def _show(_request: Request, session: Session, params: dict[str, str]) -> Response:
    return pages.record_page(_skin(session), _record(session, _item(session, params)))


def _item(session: Session, params: dict[str, str]) -> Record:
    return items.require(session, model.PROJECT, params["item"])


def _record(session: Session, item: Record, error: str = "") -> RecordView:
    stored = item["attributes"]
    return RecordView(
        key=item["id"],
        title=f"{item['id']} - {stored.get('title', '')}",
        status=_status(item),
        fields=_fields(session, item),
        body=_shown(stored.get("description")),
        trail=(("Work Items", _LIST),),
        transitions=[_action_form(item, action) for action in model.actions(stored["type"], stored["status"])],
        edit=f"{_address(item)}/edit",
        sections=[("Comments", _comments(session, item)), ("Work Records", _work_records(session, item))],
        attachments=[_file(item, one) for one in attachments.of_item(session, item)],
        forms=[_comment_form(item), _work_form(session, item), _file_form(item)],
        error=error,
    )


def _fields(session: Session, item: Record) -> list[tuple[str, Cell]]:
    stored = item["attributes"]
    enums = [(model.FIELDS[name].label, Cell(_option(item, name))) for name in model.ENUMS if name in stored]
    plain = ("dueDate", "plannedStart", "plannedEnd", "initialEstimate", "remainingEstimate", "timeSpent", "resolvedOn")
    ghosts = sorted(name for name in stored if name not in model.FIELDS and name not in model.CUSTOM_FIELDS)
    return [
        *enums,
        ("Assignee", Cell(_assignees(session, item) or "Nobody")),
        ("Author", Cell(_name(session, item["author"]))),
        *((model.FIELDS[name].label, Cell(str(stored[name]))) for name in plain if name in stored),
        *((label, Cell(stored[name])) for name, label in model.CUSTOM_FIELDS.items() if name in stored),
        *((f"{name} (not configured)", Cell(str(stored[name]))) for name in ghosts),
        ("Created", Cell(_moment(item["created"]))),
        ("Updated", Cell(_moment(item["updated"]))),
        ("Revision", Cell(item["revision"])),
    ]


def _action_form(item: Record, action: model.Action) -> Form:
    inputs = [_select(item, name, model.FIELDS[name].label, required=True) for name in action.required]
    return Form(f"{_address(item)}/action/{action.id}", action.name, inputs)


def _select(item: Record, field: str, label: str, *, required: bool = False) -> Input:
    stored = item["attributes"]
    options = [(option.id, option.name) for option in model.options(field, stored["type"])]
    value = stored.get(field, "")
    if value and value not in dict(options):
        options.insert(0, (value, f"{value} (not configured)"))
    if not (value and required):
        options.insert(0, ("", ""))
    return Input(field, label, "select", value, options, required)


def _comments(session: Session, item: Record) -> list[Entry]:
    return [
        Entry(
            _name(session, comment["author"]),
            _moment(comment["created"]),
            _shown(comment["text"], comment["title"]),
            "Resolved" if comment["resolved"] else "",
        )
        for comment in comments.of_item(session, item)
    ]


def _work_records(session: Session, item: Record) -> list[Entry]:
    return [
        Entry(
            _name(session, record["user"]),
            record["date"],
            " - ".join(filter(None, (record["timeSpent"], record["comment"]))),
        )
        for record in workrecords.of_item(session, item)
    ]


def _file(item: Record, attachment: Record) -> Cell:
    address = f"{_address(item)}{path_of('attachment', attachment['id'])}"
    return Cell(f"{attachment['fileName']} ({attachment['length']} bytes)", href=address)


def _comment_form(item: Record) -> Form:
    text = Input("text", "Comment", "textarea", required=True)
    return Form(f"{_address(item)}/comment", "Add Comment", [text], "Add a comment")


def _work_form(session: Session, item: Record) -> Form:
    people = [(user["id"], user["name"]) for user in session.state.table("users").values()]
    inputs = [
        Input("user", "User", "select", session.user, people, required=True),
        Input("timeSpent", "Time Spent", required=True, hint="For example 1h, 2h 30m or 1/2d"),
        Input("date", "Date", "date", session.now[:10], required=True),
        Input("comment", "Comment"),
    ]
    return Form(f"{_address(item)}/work", "Add Work Record", inputs, "Book time")


def _file_form(item: Record) -> Form:
    file = Input("file", "File", "file", required=True)
    return Form(f"{_address(item)}/attachment", "Attach", [file], "Attach a file", has_file=True)


def _download(_request: Request, session: Session, params: dict[str, str]) -> Response:
    attachment = attachments.require(session, _item(session, params), params["attachment"])
    headers = [("Content-Type", "application/octet-stream"), ("Content-Disposition", "attachment")]
    return Response(200, headers, attachments.content(session, attachment))


# --- changing it


def _new(request: Request, session: Session, _params: dict[str, str]) -> Response:
    item_type = request.param("type") if request.param("type") in model.TYPES else "task"
    priority = model.default_option("priority", item_type)
    blank: Record = {"attributes": {"type": item_type, "priority": priority}, "assignee": []}
    inputs = [_select(blank, "type", "Type", required=True), *_inputs(session, blank, ("priority",))]
    return pages.form_page(_skin(session), Form(_NEW, "Create", inputs, "Create Work Item", cancel=_LIST))


def _edit(_request: Request, session: Session, params: dict[str, str]) -> Response:
    item = _item(session, params)
    inputs = _inputs(session, item, ("severity", "priority", "resolution"))
    form = Form(f"{_address(item)}/edit", "Save", inputs, f"Edit {item['id']}", cancel=_address(item))
    return pages.form_page(_skin(session), form)


def _inputs(session: Session, item: Record, enums: tuple[str, ...]) -> list[Input]:
    stored = item["attributes"]
    people = [("", "Nobody"), *((user["id"], user["name"]) for user in session.state.table("users").values())]
    return [
        Input("title", "Title", value=stored.get("title", ""), required=True),
        Input("description", "Description", "textarea", as_text(stored.get("description"))),
        *(_select(item, name, model.FIELDS[name].label) for name in enums),
        Input("assignee", "Assignee", "select", next(iter(item["assignee"]), ""), people),
    ]


def _create(request: Request, session: Session, _params: dict[str, str]) -> Response:
    data = _data(dict(request.form()), {"attributes": {}, "assignee": []})
    item = items.create(session, model.PROJECT, data, "$.data")
    return redirect(_address(item))


def _save(request: Request, session: Session, params: dict[str, str]) -> Response:
    item = _item(session, params)
    items.change(session, item, _data(dict(request.form()), item), "$.data")
    return redirect(_address(item))


def _data(given: dict[str, str], item: Record) -> Json:
    """A form as the resource object that the API would be sent; what was not touched is left out."""
    attributes: Json = {name: given[name] or None for name in ("type", "title", *model.ENUMS[2:]) if name in given}
    if given.get("description", "") != as_text(item["attributes"].get("description")):
        attributes["description"] = {"type": "text/html", "value": _as_html(given.get("description", ""))}
    assignee = given.get("assignee", "")
    if assignee == next(iter(item["assignee"]), ""):
        return {"attributes": attributes}  # the form shows one; others stay unless a person chose anew
    people = [{"type": "users", "id": assignee}] if assignee else []
    return {"attributes": attributes, "relationships": {"assignee": {"data": people}}}


def _perform(request: Request, session: Session, params: dict[str, str]) -> Response:
    item = _item(session, params)
    # The workflow only acts with a field in the body, as over the API: the form's, or the title unchanged
    attributes = dict(request.form()) or {"title": item["attributes"].get("title", "")}
    return _attempt(
        session,
        item,
        lambda: items.change(session, item, {"attributes": attributes}, "$.data", action=params["action"]),
    )


def _comment(request: Request, session: Session, params: dict[str, str]) -> Response:
    item = _item(session, params)
    text = {"type": "text/html", "value": _as_html(dict(request.form()).get("text", ""))}
    return _attempt(session, item, lambda: comments.create(session, item, {"attributes": {"text": text}}, "$.data"))


def _work(request: Request, session: Session, params: dict[str, str]) -> Response:
    item = _item(session, params)
    given = dict(request.form())
    user = {"data": {"type": "users", "id": given.pop("user", "")}}
    data = {"attributes": given, "relationships": {"user": user}}
    return _attempt(session, item, lambda: workrecords.create(session, item, data, "$.data"))


def _attach(request: Request, session: Session, params: dict[str, str]) -> Response:
    item = _item(session, params)
    try:
        files = [part for part in multipart(request) if part.filename]
    except BadBodyError as error:
        return pages.record_page(_skin(session), _record(session, item, f"The upload cannot be read: {error}"), 400)
    return _attempt(session, item, lambda: attachments.store(session, item, [({}, file) for file in files]))


def _attempt(session: Session, item: Record, change: Callable[[], object]) -> Response:
    """Back to the work item after a change; the same page with the reason when it is refused."""
    try:
        with session.state.transaction():
            change()
    except ApiError as error:
        return pages.record_page(_skin(session), _record(session, item, str(error)), error.status)
    return redirect(_address(item))


def _redirected(request: Request, session: Session, _params: dict[str, str]) -> Response:
    """The `portal` links of the API."""
    return redirect(_address(items.require(session, model.PROJECT, request.param("id"))))


# --- rich text on a plain page


def _shown(rich: Json | None, heading: str = "") -> str:
    """A rich text value for reading: its own markup without anything that could run, below a heading if it has one."""
    if not rich or rich["type"] == "text/plain":
        return as_text(rich)
    title = f"<p><b>{escape(heading)}</b></p>" if heading else ""
    return Markup(title + nh3.clean(rich["value"]))  # noqa: S704 - cleaned and escaped right here


def as_text(rich: Json | None) -> str:
    """A rich text value as plain text with its line breaks."""
    if not rich:
        return ""
    if rich["type"] == "text/plain":
        return str(rich["value"])
    reader = _TextReader()
    reader.feed(rich["value"])
    reader.close()
    return re.sub(r"\n{3,}", "\n\n", "".join(reader.pieces)).strip()


class _TextReader(HTMLParser):
    """Collects the text of HTML, a line for each block."""

    _BREAKS = frozenset({"br", "p", "div", "li", "tr", "pre", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6"})

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the parser's
        if tag == "li":
            self.pieces.append("\n- ")
        elif tag in self._BREAKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)


def _as_html(text: str) -> str:
    lines = text.replace("\r\n", "\n").strip()
    return "".join(
        f"<p>{escape(part, quote=False).replace(chr(10), '<br/>')}</p>" for part in lines.split("\n\n") if part
    )


_Page = Callable[[Request, Session, dict[str, str]], Response]
_ROUTES: Routes[_Page] = Routes(
    [
        ("GET", "/", _home),
        ("GET", "/polarion", _home),
        ("GET", "/polarion/", _home),
        ("GET", _LIST, _list),
        ("GET", _NEW, _new),
        ("POST", _NEW, _create),
        ("GET", f"/polarion/redirect/project/{model.PROJECT}/workitem", _redirected),
        ("GET", _BASE + "/workitem/{item}", _show),
        ("GET", _BASE + "/workitem/{item}/edit", _edit),
        ("POST", _BASE + "/workitem/{item}/edit", _save),
        ("POST", _BASE + "/workitem/{item}/action/{action}", _perform),
        ("POST", _BASE + "/workitem/{item}/comment", _comment),
        ("POST", _BASE + "/workitem/{item}/work", _work),
        ("POST", _BASE + "/workitem/{item}/attachment", _attach),
        ("GET", _BASE + "/workitem/{item}/attachment/{attachment}", _download),
    ]
)
