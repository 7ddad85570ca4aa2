from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from jinja2 import ChoiceLoader, DictLoader, UndefinedError

from deskbridge.ui.assets import Assets
from deskbridge.ui.pages import Pages, View, initials

AT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)


@dataclass
class Entry:
    type: str
    field: str | None = None
    old: str | None = None
    new: str | None = None


@dataclass
class Person:
    is_agent: bool = True


@pytest.fixture(scope="module")
def pages():
    return Pages(Assets())


def show(pages, source, view=None, **context):
    view = view or View()
    return pages.environment(view.language).from_string(source).render(context, view=view)


@pytest.mark.parametrize(
    ("language", "zone", "short", "full"),
    [
        ("en", "Europe/Rome", "20 Nov 2026, 09:30", "Friday, 20 November 2026, 09:30 CET"),
        ("de", "Europe/Rome", "20.11.2026, 09:30", "Freitag, 20. November 2026, 09:30 CET"),
        ("it", "UTC", "20 nov 2026, 08:30", "venerdì 20 novembre 2026, 08:30 UTC"),
    ],
)
def test_times_are_the_readers_own(pages, language, zone, short, full):
    view = View(language=language, time_zone=zone)
    assert show(pages, "{{ at|short_time }}", view, at=AT) == short
    assert show(pages, "{{ at|full_time }}", view, at=AT) == full
    assert show(pages, "{{ at|utc }}", view, at=AT) == "2026-11-20T08:30:00Z"
    assert "2026" not in show(pages, "{{ at|near_time }}", view, at=AT)
    assert show(pages, "{{ at|near_time }}", view, at=AT).endswith(short[-7:])


def test_a_lost_time_zone_shows_utc(pages):
    assert show(pages, "{{ at|short_time }}", View(time_zone="Mars/Olympus"), at=AT) == "20 Nov 2026, 08:30"


@pytest.mark.parametrize(
    ("name", "letters"), [("Anna Müller", "AM"), ("Ödön von Horváth", "ÖH"), ("cher", "C"), ("", "–")]
)
def test_initials(name, letters):
    assert initials(name) == letters


def test_a_missing_name_is_an_error(pages):
    with pytest.raises(UndefinedError):
        show(pages, "{{ missing }}")


def test_text_is_escaped(pages):
    assert show(pages, "{{ text }}", text="<b>&") == "&lt;b&gt;&amp;"
    assert "</script>" not in show(pages, "{{ {'a': text}|to_json }}", text="</script><script>")


def test_history_sentences(pages):
    status = Entry("STATUS_CHANGE", "status", "NEW", "IN_PROGRESS")
    assert show(pages, "{{ e|sentence }}", e=status) == (
        "changed the status from <strong>New</strong> to <strong>In progress</strong>"
    )
    assert show(pages, "{{ e|sentence }}", View(language="de"), e=status) == (
        "hat den Status von <strong>Neu</strong> auf <strong>In Bearbeitung</strong> geändert"
    )
    title = Entry("UPDATE", "title", None, "<script>")
    assert show(pages, "{{ e|sentence }}", e=title) == (
        "changed the title from <em>empty</em> to <strong>&lt;script&gt;</strong>"
    )
    assert show(pages, "{{ e|sentence }}", e=Entry("ASSIGNMENT_CHANGE", "assignee", "Sara", None)) == (
        "took the assignee away"
    )


def test_braces_in_values_are_no_placeholders(pages):
    entry = Entry("UPDATE", "title", "{new.__class__}", "{}")
    assert "{new.__class__}" in show(pages, "{{ e|sentence }}", e=entry)


def test_long_values_are_cut(pages):
    assert len(show(pages, "{{ e|sentence }}", e=Entry("UPDATE", "description", "x" * 5000, "y"))) < 300


def test_words_of_values(pages):
    source = "{{ 'P1'|word('priority') }} {{ 'OFFICE_MOVE'|word('category') }} {{ none|word('environment') }}"
    assert show(pages, source) == "Critical Office move "


@pytest.mark.parametrize(("agent", "base"), [(True, "/desk/tickets/7"), (False, "/portal/tickets/7")])
def test_ticket_links_lead_where_the_reader_may_go(pages, agent, base):
    assert base in show(pages, "{{ '#7'|markdown }}", View(person=Person(agent)))


@pytest.mark.parametrize("language", ["en", "de", "it"])
def test_error_page(pages, language):
    context = {"title": "Not here", "text": "There is nothing.", "reference": "abc-123"}
    html = pages.render("error.html", context, View(language=language)).decode()
    assert f'<html lang="{language}">' in html
    assert "abc-123" in html
    assert " style=" not in html
    assert "<script>" not in html


def test_a_part_is_rendered_once_for_each_language_zone_and_content(pages):
    context = {"text": "first"}
    name, part = "parts/shown.html", "{{ text }} {{ _('Sign in') }}"
    for environment in pages._environments.values():
        environment.loader = ChoiceLoader([DictLoader({name: part}), environment.loader])
    shown = [
        pages.fragment(name, context, View(), key="a"),
        pages.fragment(name, {"text": "never asked for"}, View(), key="a"),
        pages.fragment(name, {"text": "second"}, View(), key="b"),
        pages.fragment(name, context, View(language="de"), key="a"),
    ]
    assert shown == ["first Sign in", "first Sign in", "second Sign in", "first Anmelden"]


def test_parts_that_nobody_asks_for_make_room(monkeypatch):
    monkeypatch.setattr("deskbridge.ui.pages.MOST_FRAGMENTS", 2)
    fresh = Pages(Assets())
    for environment in fresh._environments.values():
        environment.loader = DictLoader({"n": "{{ n }}"})
    for number in (1, 2, 1, 3):
        fresh.fragment("n", {"n": number}, View(), key=number)
    assert [key[1] for key in fresh._fragments] == [1, 3]
