import re

import pytest
from starlette.datastructures import QueryParams
from tests.e2e.sample import SETTINGS
from tests.web.conftest import Browser

from deskbridge.app import create_app
from deskbridge.tickets.list_state import ListState, read_state
from deskbridge.tickets.model import Priority, Status
from deskbridge.tickets.queries import Order, SortBy


@pytest.mark.parametrize(
    "path",
    [
        "/desk/tickets/1001/messages", "/desk/tickets/1001/status", "/desk/tickets/1001/priority",
        "/desk/tickets/1001/assign", "/desk/tickets/1001/edit", "/desk/tickets/new", "/desk/tickets/bulk",
        "/portal/tickets/1001/messages", "/portal/tickets/1001/close", "/portal/tickets/1001/reopen",
        "/portal/tickets/new", "/profile",
    ],
)  # fmt: skip
def test_every_form_wants_its_token(as_person, path):
    assert as_person("max").post(path, {"content": "x", "status": "CLOSED"}).status_code == 403


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/desk/tickets/1001/messages", {"content": "x", "audience": "internal"}),
        ("/desk/tickets/1001/assign", {"assignee": "me"}),
        ("/desk/tickets/1001/priority", {"priority": "P1"}),
        ("/desk/tickets/bulk", {"number": "1001"}),
        ("/desk/tickets/new", {"title": "A title", "description": "x", "category": "BUG"}),
        ("/desk/tickets/1001/edit", {"title": "A title", "description": "x", "category": "BUG"}),
    ],
)
def test_the_desks_forms_do_nothing_for_customers(as_person, sample, path, fields):
    before = counts(sample)
    assert as_person("anna").post(path, fields, form="/portal/tickets/new").status_code in {403, 404, 409}
    assert counts(sample) == before


def counts(sample):
    from sqlalchemy import func, select

    from deskbridge.tickets.model import HistoryEntry, Message, Ticket

    def count(reader):
        return [
            reader.execute(select(func.count()).select_from(table)).scalar()
            for table in (Ticket, Message, HistoryEntry)
        ]

    return sample.database.read(count)


@pytest.mark.parametrize("path", ["/portal/tickets/1001", "/portal/tickets?show=all"])
def test_the_portal_shows_no_trace_of_what_agents_say_among_themselves(as_person, path):
    html = as_person("anna").get(path).text
    assert "1001" in html
    for secret in ("Can somebody check the log?", "assigned it", "changed the priority", "P3", "Medium", "internal"):
        assert secret not in html


def test_agents_see_their_own_requests_as_customers_do(as_person, sample):
    from deskbridge.tickets import conversation, service
    from deskbridge.tickets.model import Channel

    new = service.NewTicket("An agent's own request", "My keyboard sticks.", "SUPPORT")
    number = sample.act(service.open_ticket, "sara", new, Channel.PORTAL).number
    sample.act(conversation.note, "max", number, "She drops crumbs on it.")
    browser = as_person("sara")
    assert "She drops crumbs" not in browser.get(f"/portal/tickets/{number}").text
    assert "She drops crumbs" in browser.get(f"/desk/tickets/{number}").text
    assert "#1001" not in browser.get("/portal/tickets?show=all").text


@pytest.mark.parametrize("path", ["/portal/tickets/1002", "/portal/tickets/999999", "/portal/tickets/x'--"])
def test_other_peoples_requests_and_none_at_all_look_alike(as_person, path):
    answer = as_person("anna").get(path)
    assert answer.status_code == 404
    assert "There is no such ticket." in answer.text


def test_customers_are_told_a_refused_step_in_their_own_words(as_person):
    answer = as_person("jonas").post("/portal/tickets/1006/close", form="/portal/tickets/new")
    assert answer.status_code in {403, 409}
    for word in ("ESCALATED", "IN_PROGRESS", "RESOLVED", "Allowed"):
        assert word not in re.sub(r"<[^>]+>", "", answer.text)


def test_text_that_is_markup_is_shown_as_text(as_person):
    browser = as_person("anna")
    fields = {
        "title": "<script>alert(1)</script>", "description": "<img src=x onerror=alert(1)> [x](javascript:alert(1))",
        "category": "BUG",
    }  # fmt: skip
    path = browser.post("/portal/tickets/new", fields, form="/portal/tickets/new").headers["location"].partition("?")[0]
    for html in (browser.get(path).text, as_person("max").get(path.replace("portal", "desk")).text):
        assert "<script>alert" not in html
        assert "<img" not in html
        assert 'href="javascript' not in html


@pytest.mark.parametrize(
    "path",
    [
        "/desk/tickets",
        "/desk/tickets/1001",
        "/desk/tickets/new",
        "/desk/tickets/1001/edit",
        "/profile",
        "/portal",
        "/nowhere",
    ],
)
def test_pages_are_strict_private_and_without_inline_code(as_person, path):
    answer = as_person("max").get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert not re.search(r"<[^>]*\s(style|on\w+)=|href=\"javascript:", answer.text)
    assert set(re.findall(r"<script(?![^>]* src=)([^>]*)>", answer.text)) <= {' type="application/json" id="words"'}


def test_pages_are_compressed(as_person):
    answer = as_person("max").get("/desk/tickets", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert "Cookie" in answer.headers["vary"]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/nowhere", 404), ("/desk/tickets/0", 404), ("/desk/tickets/nonsense", 404), ("/api/v1/nowhere", 404)],
)
def test_people_get_errors_as_pages_and_programs_as_json(as_person, path, status):
    browser = as_person("max")
    assert browser.get(path).status_code == status
    kind = browser.get(path).headers["content-type"]
    assert kind.startswith("application/json" if path.startswith("/api") else "text/html")
    assert browser.get(path, headers={"Accept": "application/json"}).headers["content-type"] == "application/json"


def test_a_fault_of_ours_shows_a_number_and_no_internals(as_person, app, monkeypatch):
    browser = as_person("max")

    def broken(*_):
        raise RuntimeError("the secret reason")

    monkeypatch.setattr("deskbridge.tickets.web._list_context", broken)
    answer = browser.get("/desk/tickets")
    assert answer.status_code == 500
    assert "the secret reason" not in answer.text
    assert answer.headers["x-request-id"] in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_reply_to_a_ticket_that_is_gone_is_not_there(as_person):
    answer = as_person("max").post("/desk/tickets/424242/messages", {"content": "x"}, form="/desk/tickets/new")
    assert answer.status_code == 404


def test_fields_nobody_asked_for_change_nothing(as_person):
    browser = as_person("anna")
    fields = {
        "title": "Only what I may", "description": "x", "category": "BUG", "priority": "P1", "status": "CLOSED",
        "requester_id": "someone", "channel": "PHONE", "number": "7",
    }  # fmt: skip
    path = browser.post("/portal/tickets/new", fields, form="/portal/tickets/new").headers["location"].partition("?")[0]
    html = as_person("max").get(path.replace("portal", "desk")).text
    assert 'data-level="P3"' in html
    assert "New" in html


# The list's address


@pytest.mark.parametrize(
    "state",
    [
        ListState(),
        ListState(view="mine"),
        ListState("all", status=(Status.NEW, Status.OPEN), priority=(Priority.P1,)),
        ListState("all", team="none", assignee="me", category="BUG", q="INC 1&2"),
        ListState("open", sort_by=SortBy.PRIORITY, order=Order.ASC, cursor="abc_-"),
    ],
)
def test_an_address_says_all_of_a_list(state):
    assert read_state(QueryParams(state.address.partition("?")[2])) == state


@pytest.mark.parametrize(
    "query",
    [
        "view=nonsense", "status=MAYBE", "priority=P9", "team=x", "assignee=y", "sort_by=title", "order=up",
        "category=" + "x" * 100, "q=%00", "requester=none", "cursor=" + "x" * 500,
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_left_out(query):
    assert read_state(QueryParams(query)) == ListState()


def test_narrowing_starts_from_the_beginning():
    state = ListState("all", status=(Status.NEW, Status.OPEN), cursor="abc")
    assert state.without("status", "NEW") == ListState("all", status=(Status.OPEN,))
    assert state.narrowing() == [("status", "NEW"), ("status", "OPEN")]


def test_a_field_that_search_does_not_know_is_explained(as_person):
    answer = as_person("max").get("/desk/tickets?view=all&q=status:lost")
    assert answer.status_code == 400
    assert "status:lost is not known." in answer.text
    assert "#1001" in answer.text


@pytest.mark.parametrize("name", ["sara", "max"])
def test_agents_find_what_notes_say(as_person, name):
    html = as_person(name).get("/desk/tickets?view=all&q=%22check+the+log%22").text
    assert "#1001" in html
    assert "#1008" not in html


def test_whoever_has_an_open_request_is_shown_it_with_what_they_typed(sample):
    one_open = create_app(SETTINGS.model_copy(update={"PORTAL_OPEN_TICKETS": "customer"}), sample.database)
    browser = Browser(one_open)
    browser.sign_in("anna")
    before = counts(sample)
    fields = {"title": "Now the scanner", "description": "It eats paper.", "category": "INCIDENT"}
    page = browser.post("/portal/tickets/new", fields, form="/portal/tickets/new").text
    assert "You already have an open request" in page
    assert re.search(r"<textarea[^>]*>\s*Now the scanner\s+It eats paper.</textarea>", page)
    assert counts(sample) == before
