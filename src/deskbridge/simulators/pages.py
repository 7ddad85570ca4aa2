"""The shared shell of the record pages: a product fills these shapes, the templates draw them in its colours.

Plain HTML and forms; every action is a POST that ends in a redirect, so nothing needs JavaScript.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

import jinja2

from deskbridge.simulators.wire import Response, html_response

STATIC = "/__sim__/static/"


@dataclass(frozen=True, slots=True)
class Skin:
    """How a product presents itself. `name` is also the class of <body>; links are (text, address)."""

    name: str
    title: str
    links: Sequence[tuple[str, str]]
    user: str = "Desk Agent"


@dataclass(frozen=True, slots=True)
class Cell:
    """A value in a list or a field panel; `tone` colours it as a lozenge (neutral, info, warning, good, bad)."""

    text: str
    tone: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class ListView:
    """A list of records. `query` is shown in a search box named `query_name` (None: no box)."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    create: tuple[str, str] | None = None
    query: str | None = None
    query_name: str = "q"
    query_label: str = "Search"
    error: str = ""
    empty: str = "Nothing here yet."


@dataclass(frozen=True, slots=True)
class Input:
    """One form control: kind text, textarea, select (with options as (value, label)), number, checkbox, file."""

    name: str
    label: str
    kind: str = "text"
    value: str = ""
    options: Sequence[tuple[str, str]] = ()
    required: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """A form that posts to `action`."""

    action: str
    button: str
    inputs: Sequence[Input] = ()
    title: str = ""
    error: str = ""
    cancel: str = ""
    has_file: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A comment, journal entry, work record or history line. `badge` marks it (Internal, Work note, ...).

    `text` is plain, or safe HTML as markupsafe.Markup; so is the body of a record.
    """

    author: str
    at: str
    text: str
    badge: str = ""
    tone: str = "warning"


@dataclass(frozen=True, slots=True)
class RecordView:
    """One record: heading, description, fields beside it, what happened, what can be done."""

    key: str
    title: str
    status: Cell
    fields: Sequence[tuple[str, Cell]]
    body: str = ""
    body_label: str = "Description"
    trail: Sequence[tuple[str, str]] = ()
    transitions: Sequence[Form] = ()
    edit: str = ""
    sections: Sequence[tuple[str, Sequence[Entry]]] = ()
    attachments: Sequence[Cell] = ()
    forms: Sequence[Form] = field(default_factory=tuple)
    error: str = ""


def list_page(skin: Skin, view: ListView, status: int = 200) -> Response:
    return _render("list.html", skin, view.title, status, view=view)


def record_page(skin: Skin, view: RecordView, status: int = 200) -> Response:
    return _render("record.html", skin, f"{view.key} {view.title}", status, view=view)


def form_page(skin: Skin, form: Form, status: int = 200) -> Response:
    return _render("form.html", skin, form.title, status, view=form)


def message_page(skin: Skin, title: str, text: str, status: int = 404) -> Response:
    return _render("message.html", skin, title, status, text=text)


def static(path: str) -> Response | None:
    """The one style sheet, by its path; None for anything else."""
    if path != f"{STATIC}simulators.css":
        return None
    sheet = resources.files(__package__).joinpath("static", "simulators.css").read_bytes()
    return Response(200, [("Content-Type", "text/css; charset=utf-8"), ("Cache-Control", "max-age=60")], sheet)


def _render(template: str, skin: Skin, title: str, status: int, **values: object) -> Response:
    html = _environment().get_template(template).render(skin=skin, title=title, static=STATIC, **values)
    policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'"
    return html_response(status, html, [("Content-Security-Policy", policy)])


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("deskbridge.simulators"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
