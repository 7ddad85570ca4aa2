"""Polarion's pages: a person lists, creates, edits, moves, comments, books time and attaches, without JavaScript."""

import re
from urllib.parse import urlencode

import pytest
from tests.simulators.polarion_kit import Polarion, error

from deskbridge.simulators.polarion.portal import as_text
from deskbridge.simulators.wire import Response, request

BASE = "/polarion/project/DESK"


@pytest.fixture
def desk() -> Polarion:
    return Polarion()


def get(desk: Polarion, path: str) -> Response:
    return page(desk, "GET", path)


def post(desk: Polarion, path: str, **fields: str) -> Response:
    return page(desk, "POST", path, urlencode(fields).encode())


def page(desk: Polarion, method: str, path: str, body: bytes = b"", media: str = "") -> Response:
    headers = [("Content-Type", media)] if media else []
    answer = desk.simulator.page(request(method, path, headers=headers, body=body))
    assert answer is not None, f"{path} is no page"
    return answer


def text(response: Response) -> str:
    return response.body.decode()


def test_a_person_takes_a_work_item_through_its_life(desk: Polarion) -> None:
    made = post(
        desk, f"{BASE}/new", type="defect", title="Printer <b>", description="Hot\n\nvery & hot", priority="90.0"
    )
    item = f"{BASE}/workitem/DESK-1"
    assert (made.status, made.header("Location")) == (303, item)
    shown = text(get(desk, item))
    assert "DESK-1 - Printer &lt;b&gt;" in shown
    assert "very &amp; hot" in shown
    assert "Highest" in shown
    assert post(desk, f"{item}/edit", title="Printer", assignee="jweber", description="Hot\n\nvery & hot").status == 303
    assert post(desk, f"{item}/action/start_progress").status == 303
    assert post(desk, f"{item}/comment", text="On my way\nnow").status == 303
    assert post(desk, f"{item}/work", user="jweber", timeSpent="1h 30m", date="2025-03-10", comment="dug").status == 303
    assert post(desk, f"{item}/action/mark_done", resolution="fixed").status == 303
    done = text(get(desk, item))
    for expected in ("Jonas Weber", "<p>On my way<br>now</p>", "1h 30m - dug", "Fixed", "Done", "Verify"):
        assert expected in done


def test_what_a_person_does_is_what_the_api_shows(desk: Polarion) -> None:
    post(desk, f"{BASE}/new", type="task", title="From the portal", description="one\ntwo", assignee="atanaka")
    found = desk.get("/projects/DESK/workitems/DESK-1")["data"]
    assert found["attributes"]["description"] == {"type": "text/html", "value": "<p>one<br/>two</p>"}
    assert found["relationships"]["assignee"]["data"] == [{"type": "users", "id": "atanaka"}]
    assert get(desk, found["links"]["portal"].removeprefix("http://127.0.0.1:8084")).status == 303


def test_an_edit_keeps_markup_that_it_did_not_touch(desk: Polarion) -> None:
    rich = {"type": "text/html", "value": "<p>a <b>bold</b> word</p>"}
    created = desk.create(description=rich)
    post(desk, f"{BASE}/workitem/{created}/edit", title="Other title", description="a bold word", priority="50.0")
    assert desk.attributes(created)["description"] == rich
    assert desk.attributes(created)["title"] == "Other title"


def test_an_edit_keeps_the_other_assignees(desk: Polarion) -> None:
    created = desk.create()
    people = {"data": [{"type": "users", "id": "jweber"}, {"type": "users", "id": "atanaka"}]}
    desk.call("PATCH", f"/projects/DESK/workitems/{created}/relationships/assignee", people)
    post(desk, f"{BASE}/workitem/{created}/edit", title="Other title", assignee="jweber")
    shown = desk.get(f"/projects/DESK/workitems/{created}")["data"]["relationships"]["assignee"]
    assert shown == people
    post(desk, f"{BASE}/workitem/{created}/edit", title="Other title", assignee="")
    assert "assignee" not in desk.get(f"/projects/DESK/workitems/{created}")["data"]["relationships"]


def test_markup_is_shown_but_nothing_of_it_runs(desk: Polarion) -> None:
    hostile = "<p>a <b>bold</b> <img src=x onerror=alert(1)> word</p><script>alert(2)</script>"
    created = desk.create(description={"type": "text/html", "value": hostile})
    desk.comment(created, hostile, title="<i>mark</i>")
    shown = text(get(desk, f"{BASE}/workitem/{created}"))
    assert shown.count("a <b>bold</b>") == 2
    assert "&lt;i&gt;mark" in shown
    assert "alert" not in shown


def test_a_missing_required_field_is_shown_on_the_page(desk: Polarion) -> None:
    created = desk.create(status="in_progress")
    refused = post(desk, f"{BASE}/workitem/{created}/action/mark_done", resolution="")
    assert refused.status == 400
    assert "required field &#39;resolution&#39;" in text(refused)
    assert desk.attributes(created)["status"] == "in_progress"


def test_files_go_up_and_come_down(desk: Polarion) -> None:
    created = desk.create()
    raw = bytes(range(256))
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a b.bin"\r\n\r\n' + raw + b"\r\n--b--\r\n"
    path = f"{BASE}/workitem/{created}/attachment"
    assert page(desk, "POST", path, body, "multipart/form-data; boundary=b").status == 303
    assert page(desk, "POST", path, b"junk", "multipart/form-data; boundary=b").status == 400
    (href,) = re.findall(r'href="([^"]*/attachment/[^"]*)"', text(get(desk, f"{BASE}/workitem/{created}")))
    download = get(desk, href)
    assert (download.body, download.header("Content-Disposition")) == (raw, "attachment")


def test_the_list_takes_lucene_and_explains_what_it_cannot_do(desk: Polarion) -> None:
    desk.create(title="Wanted")
    desk.create(title="Other", severity="phantom")
    assert "Wanted" in text(get(desk, f"{BASE}/workitems?query=title:wanted"))
    assert "Other" not in text(get(desk, f"{BASE}/workitems?query=title:wanted"))
    refused = get(desk, f"{BASE}/workitems?query=title:x~")
    assert refused.status == 400
    assert "Fuzzy" in text(refused)


def test_ghosts_are_marked_as_not_configured(desk: Polarion) -> None:
    created = desk.create(deskReff="T-1")
    assert "deskReff (not configured)" in text(get(desk, f"{BASE}/workitem/{created}"))
    assert "phantom (not configured)" in text(get(desk, f"{BASE}/workitem/{desk.create(priority='phantom')}/edit"))


def test_the_home_page_leads_to_the_list_and_unknown_paths_are_the_apis(desk: Polarion) -> None:
    assert get(desk, "/").header("Location") == f"{BASE}/workitems"
    assert get(desk, f"{BASE}/new?type=defect").status == 200
    assert get(desk, f"{BASE}/workitem/DESK-9").status == 404
    assert desk.simulator.page(request("GET", "/nowhere")) is None
    assert error(desk.call("GET", "/nowhere"))["status"] == "404"


@pytest.mark.parametrize(
    ("html", "plain"),
    [
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("a<br/>b", "a\nb"),
        ("<ul><li>x</li><li>y</li></ul>", "- x\n- y"),
        ("1 &lt; 2 &amp; 3", "1 < 2 & 3"),
        ("<script>alert(1)</script>", "alert(1)"),
    ],
)
def test_rich_text_is_shown_as_plain_text(html: str, plain: str) -> None:
    assert as_text({"type": "text/html", "value": html}) == plain
    assert as_text({"type": "text/plain", "value": html}) == html
    assert as_text(None) == ""
