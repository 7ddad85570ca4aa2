"""Every component on one page of the desk and one of the portal, looked at by a browser."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import UUID

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route
from tests.e2e.browser import NARROW, WIDE, ThreadServer, complaints, overflow, violations

from deskbridge.kit.http_headers import PAGE_POLICY
from deskbridge.people.queries import NamedThing
from deskbridge.tickets.answers import ActorAnswer, HistoryAnswer, MessageAnswer
from deskbridge.tickets.model import CommentType, HistoryType
from deskbridge.ui.assets import Assets
from deskbridge.ui.pages import Pages, View

pytestmark = pytest.mark.browser

NOW = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
SHELL = """
{% extends shell %}
{% import "parts/marks.html" as m with context %}
{% import "parts/forms.html" as f with context %}
{% import "parts/lists.html" as l with context %}
{% import "parts/thread.html" as t with context %}
{% block title %}Components{% endblock %}
{% block main %}
"""
PORTAL = (
    SHELL
    + """
<h1>Components</h1>
{{ f.error_summary(errors) }}
<form class="stack" novalidate>
{{ f.input("title", "Title", "Old title", errors, hint="A short sentence", maxlength=200) }}
{{ f.textarea("description", "What happened?", "", errors) }}
{{ f.select("category", "Kind", [("BUG", "Bug"), ("INCIDENT", "Incident")], "BUG", errors, blank="Choose") }}
{{ f.input("phone", "Phone", optional=true, autocomplete="tel") }}
<div class="row"><button class="btn btn-primary btn-lg">Send</button> <button class="btn btn-lg">Solved</button></div>
</form>
{{ f.both_values("Title", "Mine", "Theirs") }}
{{ f.notice("Saved.", "ok", "check") }}
{% for status in words.STATUS %}<p>{{ m.status(status, customer=true) }}</p>{% endfor %}
{{ l.empty("No open requests.", "/portal/new", "New request") }}
{% endblock %}
"""
)
DESK = (
    SHELL
    + """
<header class="bar"><h1>Components</h1></header>
<div class="pad stack">
<p class="row">{% for status in words.STATUS %}{{ m.status(status) }}{% endfor %}</p>
<p class="row">{% for level in words.PRIORITY %}{{ m.priority(level, true) }}{{ m.priority(level) }}{% endfor %}</p>
<p class="row">{% for target in targets %}{{ m.sla(target) }}{% endfor %}</p>
<p class="row">{{ m.tag("vpn") }} <span class="pill pill-warn">warn</span> <span class="pill pill-danger">danger</span>
<span class="pill pill-ok">ok</span> <span class="pill pill-info">info</span></p>
<button class="btn btn-danger">Delete</button>
</div>
{{ l.pager("/a", "/b") }}
<div class="thread">
{% for message in messages %}{{ t.message(message) }}{% endfor %}
{{ t.happened(entry) }}
</div>
{{ t.composer("/send", "u1:t1", "Anna", errors=errors) }}
{% endblock %}
"""
)


@dataclass
class Person:
    name: str = "Sara Vogel"
    is_agent: bool = True
    role: str = "AGENT"


def target(standing, due=None):
    return SimpleNamespace(what="First reply", standing=standing, due=due, share=0.4)


def message(number, content, **more):
    """A message as the queries answer it, so that the sample cannot lack what the real ones have."""
    plain = MessageAnswer(
        UUID(int=number), UUID(int=0), content, CommentType.COMMENT, False, NamedThing(UUID(int=1), "Anna Müller"),
        NOW - timedelta(minutes=number), None, None, [],
    )  # fmt: skip
    return msgspec.structs.replace(plain, **more)


LONG = "Hello **there**\n\n```\ncode " + "x" * 200 + "\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> quoted #1042"
CONTEXT = {
    "errors": {"title": "Enter a title", "description": "Say what happened", "content": "Write something first"},
    "targets": [
        *[target(standing, NOW) for standing in ("ok", "soon", "breached")],
        *[target(standing) for standing in ("paused", "met", "missed")],
    ],
    "messages": [
        message(1, LONG),
        message(2, "Only us", is_internal=True, edited_at=NOW),
        message(3, "", deleted_at=NOW, author=None, written_by="Tom Berger", written_in="Jira"),
    ],
    "entry": HistoryAnswer(
        UUID(int=9), HistoryType.STATUS_CHANGE, "status", "NEW", "OPEN", ActorAnswer(UUID(int=1), "Sara"), NOW, {}
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def server():
    assets = Assets()
    pages = Pages(assets)

    def answer(request):
        name = request.path_params["name"]
        view = View(request.query_params.get("lang", "en"), "Europe/Rome", request.url.path, "token", Person())
        template = pages.environment(view.language).from_string({"desk": DESK, "portal": PORTAL}[name])
        html = template.render(CONTEXT, shell=f"{name}.html", view=view)
        return HTMLResponse(html, headers={"Content-Security-Policy": PAGE_POLICY})

    app = Starlette(routes=[Route("/{name:str}", answer), Mount("/", assets)])
    with ThreadServer(app) as running:
        yield running


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["desk", "portal"])
def test_components_are_accessible(server, context_of, name, scheme, viewport):
    page = context_of(viewport=viewport, color_scheme=scheme).new_page()
    said = complaints(page)
    page.goto(f"{server.address}/{name}")
    assert violations(page) == []
    assert overflow(page) == 0
    assert said == []


@pytest.mark.parametrize("language", ["en", "de", "it"])
@pytest.mark.parametrize("name", ["desk", "portal"])
def test_reflow_at_320_pixels(server, context_of, name, language):
    page = context_of(viewport={"width": 320, "height": 640}).new_page()
    page.goto(f"{server.address}/{name}?lang={language}")
    assert overflow(page) == 0


def test_the_theme_is_kept_and_shown_at_once(server, context_of):
    page = context_of(color_scheme="light").new_page()
    page.goto(f"{server.address}/portal")
    page.get_by_text("Dark", exact=True).click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    page.get_by_text("Auto", exact=True).click()
    assert page.evaluate("document.documentElement.dataset.theme") is None


def test_drafts_of_reply_and_note_never_mix(server, context_of):
    page = context_of().new_page()
    page.goto(f"{server.address}/desk")
    page.get_by_label("Message", exact=True).fill("for the customer")
    page.get_by_text("Note", exact=True).click()
    assert page.get_by_label("Message", exact=True).input_value() == ""
    page.get_by_label("Message", exact=True).fill("among us")
    page.get_by_text("Draft saved").wait_for()
    page.reload()
    assert page.get_by_label("Message", exact=True).input_value() == "for the customer"
    page.get_by_text("Note", exact=True).click()
    assert page.get_by_label("Message", exact=True).input_value() == "among us"


def test_help_lists_the_keys_and_can_turn_them_off(server, context_of):
    page = context_of().new_page()
    page.goto(f"{server.address}/desk")
    page.locator("h1").click()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    assert dialog.get_by_role("row", name="Reply r").is_visible()
    assert violations(page) == []
    dialog.get_by_label("Single keys are on").uncheck()
    dialog.get_by_role("button", name="Close").click()
    page.keyboard.press("?")
    assert not dialog.is_visible()


def test_keys_leave_typing_and_other_shortcuts_alone(server, context_of):
    page = context_of().new_page()
    page.goto(f"{server.address}/desk")
    page.locator("h1").click()
    page.keyboard.press("n")
    box = page.get_by_label("Message", exact=True)
    page.keyboard.type("c r n ?")
    assert box.input_value() == "c r n ?"
    assert page.url.endswith("/desk")


def test_errors_take_the_focus_and_lead_to_their_fields(server, context_of):
    page = context_of().new_page()
    page.goto(f"{server.address}/portal")
    assert page.evaluate("document.activeElement.className").startswith("error-summary")
    page.get_by_role("link", name="Enter a title").click()
    assert page.evaluate("document.activeElement.id") == "title"
    assert page.get_by_label("Title").get_attribute("aria-invalid") == "true"


def test_times_are_relative_with_the_absolute_time_in_the_title(server, context_of):
    page = context_of().new_page()
    page.clock.set_fixed_time(NOW)
    page.goto(f"{server.address}/desk")
    time = page.locator(f"#m-{UUID(int=2)} time")
    assert "min" in time.inner_text()
    assert time.get_attribute("title") == "Friday, 20 November 2026, 09:28 CET"


def test_without_script_the_page_is_complete(server, context_of):
    page = context_of(java_script_enabled=False).new_page()
    page.goto(f"{server.address}/desk")
    assert page.locator(f"#m-{UUID(int=2)} time").inner_text() == "20 Nov 2026, 09:28"
    assert page.get_by_role("button", name="Keyboard shortcuts").count() == 0
    page.get_by_text("Note", exact=True).click()
    assert page.get_by_role("button", name="Add note").is_visible()
