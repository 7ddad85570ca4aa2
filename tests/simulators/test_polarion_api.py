"""Polarion's API around the work items: sign-in, errors of each status, paging, rate limit, comments, files, time."""

import json
from typing import Any

import pytest
from tests.simulators.polarion_kit import API, HOST, ITEMS, JSON, TOKEN, Polarion, error, multipart

from deskbridge.simulators.polarion.durations import format_minutes, parse_minutes
from deskbridge.simulators.wire import Request, Response, request


@pytest.fixture
def desk() -> Polarion:
    return Polarion()


@pytest.fixture
def created(desk: Polarion) -> str:
    return desk.create()


# --- sign-in


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        (None, "No access token"),
        ("Bearer wrong", "Invalid access token"),
        ("Bearer", "Invalid access token"),
        ("Basic !!!", "No access token"),
        ("Basic ZGVza0BleGFtcGxlLm9yZzp3cm9uZw==", "Invalid access token"),
        ("Basic b3RoZXJAZXhhbXBsZS5vcmc6ZGVzay10b2tlbg==", "Invalid access token"),
        ("Digest x", "No access token"),
    ],
)
def test_strangers_get_401_as_json(desk: Polarion, header: str | None, detail: str) -> None:
    """Trap: a 401 that is not JSON makes a client raise JSONDecodeError instead of a refusal."""
    headers = [HOST, *([("Authorization", header)] if header else [])]
    refused = desk.send(request("GET", f"{API}/projects", headers=headers))
    assert refused.status == 401
    assert error(refused) == {"status": "401", "title": "Unauthorized", "detail": detail, "source": None}


def test_basic_with_the_token_signs_in(desk: Polarion) -> None:
    basic = ("Authorization", "Basic ZGVza0BleGFtcGxlLm9yZzpkZXNrLXRva2Vu")
    answer = desk.send(request("GET", f"{API}/user", headers=[HOST, basic]))
    assert answer.json()["data"]["attributes"]["email"] == "desk@example.org"


# --- every status in JSON


def sent(method: str, path: str, body: bytes = b"", *headers: tuple[str, str]) -> Request:
    return request(method, f"{API}{path}", headers=[TOKEN, HOST, *headers], body=body)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (sent("POST", ITEMS, b"{not json", JSON), 400),
        (sent("POST", ITEMS, b"[]", JSON), 400),
        (sent("POST", ITEMS, b'{"data": {}}', JSON), 400),
        (sent("POST", ITEMS, b'{"data": []}', JSON), 400),
        (sent("POST", ITEMS, b'{"data": [5]}', JSON), 400),
        (sent("POST", ITEMS, b'{"data": [{"type": "documents"}]}', JSON), 400),
        (sent("POST", ITEMS, b'{"data": [{"type": "workitems", "attributes": []}]}', JSON), 400),
        (sent("POST", ITEMS, b"[" * 100_000, JSON), 400),
        (sent("POST", ITEMS, b"", JSON), 400),
        (sent("PATCH", "/users/jweber", b"{}", JSON), 403),
        (sent("DELETE", "/projects/DESK"), 403),
        (sent("GET", "/nowhere"), 404),
        (sent("GET", ITEMS + "/DESK-1/linkedworkitems"), 404),
        (sent("GET", "/users/nobody"), 404),
        (sent("PUT", ITEMS, b"{}", JSON), 405),
        (sent("GET", ITEMS, b"", ("Accept", "text/html")), 406),
        (sent("POST", ITEMS, b"{}", ("Content-Type", "text/plain")), 415),
        (sent("POST", ITEMS, b"{}"), 415),
        (sent("POST", ITEMS, b'{"data": "' + b"x" * 2**21 + b'"}', JSON), 413),
        (Request("POST", API + ITEMS, (), {"authorization": "Bearer desk-token"}, b"{}", "http", True), 413),
    ],
)
def test_every_refusal_is_json(desk: Polarion, asked: Request, status: int) -> None:
    refused = desk.send(asked)
    assert refused.status == status
    assert refused.header("Content-Type") == "application/json"
    assert error(refused)["status"] == str(status)


def test_the_json_reader_says_what_it_expected(desk: Polarion) -> None:
    refused = desk.call("POST", ITEMS, {"data": {"type": "workitems"}})
    assert error(refused)["detail"] == "Unexpected token, BEGIN_ARRAY expected, but was : BEGIN_OBJECT (at $.data)"
    assert error(refused)["source"] == {"pointer": "$.data"}


def test_a_server_without_its_rest_api_is_503_in_json(desk: Polarion) -> None:
    desk.state.set("option.rest_api", "off")
    refused = desk.call("GET", "/projects/DESK")
    assert refused.status == 503
    assert error(refused)["title"] == "Service Unavailable"


def test_an_accept_header_with_parameters_and_alternatives_is_understood(desk: Polarion) -> None:
    answer = desk.send(sent("GET", "/projects", b"", ("Accept", "text/html;q=0.5, application/json; q=1")))
    assert answer.status == 200


# --- rate limit


def test_the_fourth_request_within_a_second_is_throttled() -> None:
    desk = Polarion(limited=True)
    assert [desk.call("GET", "/projects").status for _ in range(3)] == [200, 200, 200]
    refused = desk.call("POST", ITEMS, {"data": [{"type": "workitems", "attributes": {"type": "task"}}]})
    assert (refused.status, refused.header("Retry-After")) == (429, "1")
    assert error(refused)["title"] == "Too Many Requests"
    desk.clock.advance(1)
    assert desk.find("") == []


def test_the_limit_can_be_set_and_switched_off() -> None:
    desk = Polarion(limited=True)
    desk.state.set("limits", {"enabled": True, "requests": 1, "seconds": 10})
    assert desk.call("GET", "/projects").status == 200
    assert desk.call("GET", "/projects").header("Retry-After") == "10"
    desk.state.set("limits", {"enabled": False})
    assert {desk.call("GET", "/projects").status for _ in range(10)} == {200}


# --- paging


def test_pages_link_to_the_next_one_until_the_last(desk: Polarion) -> None:
    rows = [{"type": "workitems", "attributes": {"type": "task", "title": f"No {n}"}} for n in range(25)]
    assert desk.call("POST", ITEMS, {"data": rows}).status == 201
    seen: list[str] = []
    query = {"page__size": "10", "query": "type:task AND title:no"}
    page = desk.get(ITEMS, **query)
    while True:
        assert page["meta"] == {"totalCount": 25}
        seen += [row["id"] for row in page["data"]]
        if "next" not in page["links"]:
            break
        page = follow(desk, page["links"]["next"])
    assert len(set(seen)) == len(seen) == 25
    assert "page%5Bnumber%5D=2" in page["links"]["prev"]


def follow(desk: Polarion, link: str) -> Any:
    assert link.startswith("http://127.0.0.1:8084/polarion/rest/v1/")
    return desk.send(request("GET", link.removeprefix("http://127.0.0.1:8084"), headers=[TOKEN, HOST])).json()


def test_an_exactly_full_last_page_has_no_next(desk: Polarion) -> None:
    for _ in range(4):
        desk.create()
    assert "next" not in desk.get(ITEMS, page__size="2", page__number="2")["links"]
    beyond = desk.get(ITEMS, page__size="2", page__number="9")
    assert (beyond["data"], beyond["meta"]["totalCount"]) == ([], 4)


@pytest.mark.parametrize(
    ("name", "value"),
    [("page[size]", "0"), ("page[size]", "101"), ("page[size]", "ten"), ("page[number]", "0"), ("page[number]", "-1")],
)
def test_bad_paging_is_refused(desk: Polarion, name: str, value: str) -> None:
    refused = desk.call("GET", ITEMS, **{name.replace("[", "__").replace("]", ""): value})
    assert refused.status == 400
    assert error(refused)["source"] == {"parameter": name}


# --- comments


def listed(desk: Polarion, item_id: str) -> list[Any]:
    rows: list[Any] = desk.get(f"{ITEMS}/{item_id}/comments", fields__workitem_comments="@all")["data"]
    return rows


def test_comments_are_html_with_title_and_author(desk: Polarion, created: str) -> None:
    answer = desk.comment(created, "<p>Hi</p>", title="marker")
    assert answer.status == 201
    assert answer.json()["data"][0]["id"] == f"DESK/{created}/c1"
    (comment,) = listed(desk, created)
    assert comment["attributes"] == {
        "id": "c1",
        "created": "2025-03-10T09:00:00.000Z",
        "resolved": False,
        "text": {"type": "text/html", "value": "<p>Hi</p>"},
        "title": "marker",
    }
    assert comment["relationships"]["author"] == {"data": {"type": "users", "id": "desk"}}


def test_plain_text_comments_are_served_as_escaped_html(desk: Polarion, created: str) -> None:
    """Trap: text/plain never comes back; reading one's own comment back gives another text."""
    desk.comment(created, "a < b\n& more", kind="text/plain")
    assert listed(desk, created)[0]["attributes"]["text"] == {
        "type": "text/html",
        "value": "a &lt; b<br/>&amp; more",
    }


def test_threads_name_parent_and_children(desk: Polarion, created: str) -> None:
    """Trap: a first comment has no parentComment at all, not a null one."""
    desk.comment(created, "root")
    parent = {"parentComment": {"data": {"type": "workitem_comments", "id": f"DESK/{created}/c1"}}}
    reply = {"type": "workitem_comments", "attributes": {"text": {"value": "reply"}}, "relationships": parent}
    assert desk.call("POST", f"{ITEMS}/{created}/comments", {"data": [reply]}).status == 201
    root, answer = listed(desk, created)
    assert "parentComment" not in root["relationships"]
    assert root["relationships"]["childComments"]["data"][0]["id"].endswith("/c2")
    assert answer["relationships"]["parentComment"] == parent["parentComment"]
    reply["relationships"] = {"parentComment": {"data": {"type": "workitem_comments", "id": "DESK/DESK-9/c1"}}}
    assert desk.call("POST", f"{ITEMS}/{created}/comments", {"data": [reply]}).status == 400


def change_comment(desk: Polarion, created: str, number: int, **attributes: object) -> Response:
    data = {"type": "workitem_comments", "id": f"DESK/{created}/c{number}", "attributes": attributes}
    return desk.call("PATCH", f"{ITEMS}/{created}/comments/c{number}", {"data": data})


def test_resolving_the_first_comment_resolves_its_thread(desk: Polarion, created: str) -> None:
    test_threads_name_parent_and_children(desk, created)
    assert change_comment(desk, created, 1, resolved=True).status == 204
    assert [row["attributes"]["resolved"] for row in listed(desk, created)] == [True, True]
    assert "first comment" in error(change_comment(desk, created, 2, resolved=False))["detail"]


def test_comments_cannot_be_edited_or_deleted(desk: Polarion, created: str) -> None:
    """Trap: there is no way to take a comment back over REST."""
    desk.comment(created, "forever")
    refused = change_comment(desk, created, 1, text={"type": "text/html", "value": "changed"})
    assert refused.status == 400
    assert "cannot be changed" in error(refused)["detail"]
    assert desk.call("DELETE", f"{ITEMS}/{created}/comments/c1").status == 405
    assert listed(desk, created)[0]["attributes"]["text"]["value"] == "forever"


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"text": {"type": "text/html", "value": "  "}},
        {"text": "plain"},
        {"text": {"value": "x"}, "visibility": "internal"},
        {"text": {"value": "x"}, "resolved": "yes"},
        {"text": {"value": "x"}, "title": 5},
    ],
)
def test_bad_comments_are_refused(desk: Polarion, created: str, attributes: object) -> None:
    data = {"type": "workitem_comments", "attributes": attributes}
    assert desk.call("POST", f"{ITEMS}/{created}/comments", {"data": [data]}).status == 400
    assert listed(desk, created) == []


def test_a_comment_moves_the_item(desk: Polarion, created: str) -> None:
    before = desk.get(f"{ITEMS}/{created}")["data"]
    desk.clock.advance(5)
    desk.comment(created, "x" * 40_000 + " 🎉 שלום")
    after = desk.get(f"{ITEMS}/{created}")["data"]
    assert after["revision"] != before["revision"]
    assert after["attributes"]["updated"] == "2025-03-10T09:00:05.000Z"
    assert listed(desk, created)[0]["attributes"]["text"]["value"].endswith("🎉 שלום")


# --- attachments


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        b"\r\n",
        bytes(range(256)) * 50,
        b"in the middle --+++ of a line",
        b"first\r\n--+++x at the start of a line\r\n--++",
        "שלום 🎉".encode(),
    ],
)
def test_attachments_come_back_byte_for_byte(desk: Polarion, created: str, raw: bytes) -> None:
    answer = desk.attach(created, ("a file.bin", raw))
    assert answer.status == 201
    assert answer.json()["data"][0]["id"] == f"DESK/{created}/1-a file.bin"
    path = f"{ITEMS}/{created}/attachments/1-a%20file.bin"
    content = desk.call("GET", f"{path}/content")
    assert (content.header("Content-Type"), content.body) == ("application/octet-stream", raw)
    attributes = desk.get(path)["data"]["attributes"]
    assert (attributes["fileName"], attributes["length"]) == ("a file.bin", len(raw))


def test_an_attachment_that_contains_the_boundary_itself_is_refused_as_json(desk: Polarion, created: str) -> None:
    """Trap: the client's boundary is literally +++; content with such a line cannot be sent, and must not be cut."""
    refused = desk.attach(created, ("trap.txt", b"before\r\n--+++\r\nafter"))
    assert refused.status == 400
    assert "multipart" in error(refused)["detail"]
    refused = desk.attach(created, ("trap.txt", b"before\r\n--+++--\r\nafter"))
    assert refused.status == 400
    assert desk.get(f"{ITEMS}/{created}/attachments")["data"] == []


def test_several_files_keep_their_order_and_the_counter_never_goes_back(desk: Polarion, created: str) -> None:
    answer = desk.attach(created, ("same.txt", b"1"), ("same.txt", b"2"))
    assert [row["id"].rsplit("/", 1)[1] for row in answer.json()["data"]] == ["1-same.txt", "2-same.txt"]
    assert desk.call("DELETE", f"{ITEMS}/{created}/attachments/2-same.txt").status == 204
    assert desk.call("GET", f"{ITEMS}/{created}/attachments/2-same.txt/content").status == 404
    assert desk.attach(created, ("same.txt", b"3")).json()["data"][0]["id"].endswith("/3-same.txt")


def test_what_would_end_a_path_segment_is_replaced_in_the_id_only(desk: Polarion, created: str) -> None:
    desk.attach(created, ("50%/what?#.txt", b"x"))
    (row,) = desk.get(f"{ITEMS}/{created}/attachments", fields__workitem_attachments="@all")["data"]
    assert row["id"].endswith("/1-50__what__.txt")
    assert row["attributes"]["fileName"] == "50%/what?#.txt"


def test_a_resource_part_declared_as_json_is_a_500(desk: Polarion, created: str) -> None:
    """Trap: the part must be a plain form field; with Content-Type application/json the server falls over."""
    resource = json.dumps({"data": [{"type": "workitem_attachments", "attributes": {"fileName": "a"}}]})
    body = multipart("b", [("files", "a", b"x")], resource, media="application/json")
    media = ("Content-Type", "multipart/form-data; boundary=b")
    refused = desk.send(sent("POST", f"{ITEMS}/{created}/attachments", body, media))
    assert refused.status == 500
    assert error(refused)["title"] == "Internal Server Error"


@pytest.mark.parametrize(
    ("body", "media", "status"),
    [
        (b"{}", "application/json", 415),
        (b"x", "multipart/form-data", 400),
        (b"--b\r\n", "multipart/form-data; boundary=b", 400),
        (multipart("b", [("files", "a", b"x")], "{"), "multipart/form-data; boundary=b", 400),
        (multipart("b", [("files", "a", b"x")], "[]"), "multipart/form-data; boundary=b", 400),
        (multipart("b", [("files", "a", b"x")], '{"data": []}'), "multipart/form-data; boundary=b", 400),
        (multipart("b", [], '{"data": []}'), "multipart/form-data; boundary=b", 400),
        (multipart("b", [("other", "a", b"x")], '{"data": []}'), "multipart/form-data; boundary=b", 400),
    ],
)
def test_bad_uploads_are_refused(desk: Polarion, created: str, body: bytes, media: str, status: int) -> None:
    refused = desk.send(sent("POST", f"{ITEMS}/{created}/attachments", body, ("Content-Type", media)))
    assert refused.status == status
    assert error(refused)["status"] == str(status)


def test_an_attachment_can_get_another_title_and_content(desk: Polarion, created: str) -> None:
    desk.attach(created, ("a.txt", b"old"))
    resource = json.dumps({"data": {"type": "workitem_attachments", "attributes": {"title": "New"}}})
    body = multipart("b", [("content", "a.txt", b"newer")], resource)
    media = ("Content-Type", "multipart/form-data; boundary=b")
    path = f"{ITEMS}/{created}/attachments/1-a.txt"
    assert desk.send(sent("PATCH", path, body, media)).status == 204
    assert desk.call("GET", f"{path}/content").body == b"newer"
    assert desk.get(path)["data"]["attributes"]["title"] == "New"


def test_a_truncated_relationship_says_how_many_there_are(desk: Polarion, created: str) -> None:
    for _ in range(101):
        desk.attach(created, ("a.txt", b"x"))
    attachments = desk.get(f"{ITEMS}/{created}")["data"]["relationships"]["attachments"]
    assert (len(attachments["data"]), attachments["meta"]) == (100, {"totalCount": 101})


# --- work records


def book(desk: Polarion, created: str, user: str | None = "jweber", **attributes: object) -> Response:
    relationships = {"user": {"data": {"type": "users", "id": user}}} if user else {}
    data = {"type": "workrecords", "attributes": attributes, "relationships": relationships}
    return desk.call("POST", f"{ITEMS}/{created}/workrecords", {"data": [data]})


def test_work_records_add_up_to_the_time_spent(desk: Polarion, created: str) -> None:
    assert book(desk, created, timeSpent="7h 30m", comment="dug", date="2025-03-01", type="work").status == 201
    assert book(desk, created, timeSpent="1/2d").json()["data"][0]["id"] == f"DESK/{created}/2"
    assert desk.attributes(created)["timeSpent"] == "1d 3h 30m"
    first, second = desk.get(f"{ITEMS}/{created}/workrecords", fields__workrecords="@all")["data"]
    assert first["attributes"] == {
        "id": "1",
        "comment": "dug",
        "date": "2025-03-01",
        "timeSpent": "7h 30m",
        "type": "work",
    }
    assert second["attributes"]["date"] == "2025-03-10"
    assert second["relationships"]["user"] == {"data": {"type": "users", "id": "jweber"}}
    assert desk.call("DELETE", f"{ITEMS}/{created}/workrecords/1").status == 204
    assert desk.attributes(created)["timeSpent"] == "4h"
    body = {"data": [{"type": "workrecords", "id": f"DESK/{created}/2"}]}
    assert desk.call("DELETE", f"{ITEMS}/{created}/workrecords", body).status == 204
    assert "timeSpent" not in desk.attributes(created)
    assert desk.call("PATCH", f"{ITEMS}/{created}/workrecords/1", {"data": {}}).status == 405


@pytest.mark.parametrize(
    ("user", "attributes"),
    [
        ("jweber", {}),
        ("jweber", {"timeSpent": "an hour"}),
        ("jweber", {"timeSpent": 60}),
        ("jweber", {"timeSpent": "1h", "date": "yesterday"}),
        ("jweber", {"timeSpent": "1h", "minutes": "60"}),
        ("nobody", {"timeSpent": "1h"}),
        (None, {"timeSpent": "1h"}),
    ],
)
def test_bad_work_records_are_refused(desk: Polarion, created: str, user: str | None, attributes: Any) -> None:
    refused = book(desk, created, user, **attributes)
    assert refused.status == 400
    assert error(refused)["source"]["pointer"].startswith("$.data[0]")


@pytest.mark.parametrize(
    ("text", "minutes", "spelled"),
    [
        ("1h", 60, "1h"),
        ("90m", 90, "1h 30m"),
        ("5 1/2d", 2640, "5d 4h"),
        ("1w2d 3h", 3540, "7d 3h"),
        ("0.25h", 15, "15m"),
        ("0h", 0, "0h"),
        ("1/7h", None, "8 4/7m"),
    ],
)
def test_durations(text: str, minutes: int | None, spelled: str) -> None:
    parsed = parse_minutes(text)
    assert parsed is not None
    assert minutes is None or parsed == minutes
    assert format_minutes(parsed) == spelled


@pytest.mark.parametrize("text", ["", "h", "1", "1x", "-1h", "1/0h", "1 h 2", "1h,2m"])
def test_what_is_no_duration(text: str) -> None:
    assert parse_minutes(text) is None


# --- configuration


def test_the_project_its_users_and_fields_can_be_described(desk: Polarion, created: str) -> None:
    assert desk.get("/projects/DESK")["data"]["attributes"]["trackerPrefix"] == "DESK"
    assert [row["id"] for row in desk.get("/projects")["data"]] == ["DESK"]
    found = desk.get("/users", query='email:"jonas.weber@example.org"')["data"]
    assert [row["id"] for row in found] == ["jweber"]
    assert desk.get("/users/mrossi")["data"]["attributes"]["name"] == "Maria Rossi"
    assert desk.get("/metadata")["data"]["attributes"]["apiProperties"]["maxPageSize"] == 100
    for path in ("/projects/DESK/actions/getFieldsMetadata", f"{ITEMS}/{created}/actions/getFieldsMetadata"):
        fields = desk.get(path)["data"]["attributes"]
        assert fields["deskRef"] == {"label": "Desk Reference", "type": {"kind": "string"}}
        assert fields["status"]["type"]["kind"] == "enumeration"
    assert desk.call("GET", "/actions/getFieldsMetadata", resourceType="plans").status == 400
    custom = desk.get("/projects/DESK/customfields/workitems/task")["data"]["attributes"]["fields"]
    assert [field["id"] for field in custom] == ["deskRef"]
    assert desk.call("GET", "/users", query="name:x~").status == 400
    assert desk.call("GET", "/revisions", query="x").status == 400


def test_the_state_survives_a_dump_and_load(desk: Polarion, created: str) -> None:
    desk.attach(created, ("a.txt", b"bytes"))
    other = Polarion()
    other.state.load(desk.state.dump())
    assert other.call("GET", f"{ITEMS}/{created}/attachments/1-a.txt/content").body == b"bytes"
    assert other.create() == "DESK-2"
