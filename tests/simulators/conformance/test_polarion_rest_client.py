"""E. Mesika's polarion-rest-client, unmodified, against the Polarion simulator."""

import itertools
from collections.abc import Iterator
from datetime import date
from typing import Any

import httpx
import pytest
from polarion_rest_client import PolarionClient
from polarion_rest_client.error import JSONAPIError, NotFound, Unauthorized
from polarion_rest_client.metadata import Metadata
from polarion_rest_client.project import Project
from polarion_rest_client.user import User
from polarion_rest_client.workitem import WorkItem
from polarion_rest_client.workitem_attachment import WorkItemAttachment
from polarion_rest_client.workitem_comment import WorkItemComment
from polarion_rest_client.workitem_workrecord import WorkItemWorkRecord
from tests.simulators.conformance.matrix import conforms

from deskbridge.simulators.server import Running, running

CLIENT = "polarion-rest-client"


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running("polarion") as started:
        yield started


@pytest.fixture
def polarion(server: Running) -> Iterator[PolarionClient]:
    """A signed-in client of a fresh simulator without a rate limit."""
    control(server, "reset", {})
    control(server, "limits", {"enabled": False})
    client = PolarionClient(base_url=server.http, token="desk-token")
    with client.gen:
        yield client


def control(server: Running, name: str, body: object) -> None:
    httpx.post(f"{server.http}/__sim__/{name}", json=body, trust_env=False).raise_for_status()


@pytest.fixture
def items(polarion: PolarionClient) -> WorkItem:
    return WorkItem(polarion)


def make(items: WorkItem, **attributes: object) -> str:
    created = items.create("DESK", wi_type="task", title="Printer on fire", attributes=attributes)
    return str(created["id"]).split("/")[1]


def attributes_of(items: WorkItem, item_id: str) -> dict[str, Any]:
    found: dict[str, Any] = items.get("DESK", item_id)["data"]["attributes"]
    return found


@conforms(client=CLIENT, operation="connect")
def test_connect(polarion: PolarionClient) -> None:
    assert Project(polarion).get("DESK")["data"]["attributes"]["name"] == "Desk"
    assert User(polarion).get("jweber")["data"]["attributes"]["email"] == "jonas.weber@example.org"
    assert Metadata(polarion).get_metadata()["data"]["attributes"]["apiProperties"]["defaultPageSize"] == 100


@conforms(client=CLIENT, operation="create")
def test_create(items: WorkItem) -> None:
    created = items.create(
        "DESK", wi_type="defect", title="ä 🎉 שלום", description="<p>hot</p>", description_type="text/html"
    )
    assert created["id"] == "DESK/DESK-1"
    assert created["links"]["self"].endswith("/polarion/rest/v1/projects/DESK/workitems/DESK-1")


@conforms(client=CLIENT, operation="get")
def test_get(items: WorkItem) -> None:
    created = make(items, deskRef="T-1")
    found = items.get("DESK", created, include="author")
    assert found["data"]["attributes"]["title"] == "Printer on fire"
    assert found["data"]["attributes"]["deskRef"] == "T-1"
    assert found["data"]["relationships"]["author"]["data"]["id"] == "desk"
    assert [row["id"] for row in found["included"]] == ["desk"]


@conforms(client=CLIENT, operation="update")
def test_update(items: WorkItem) -> None:
    created = make(items, deskRef="T-1")
    items.update("DESK", created, title="Fire is out", attributes={"priority": "90.0"})
    assignee = {"assignee": {"data": [{"type": "users", "id": "jweber"}]}}
    items.update("DESK", created, relationships=assignee)
    changed = attributes_of(items, created)
    assert (changed["title"], changed["priority"], changed["deskRef"]) == ("Fire is out", "90.0", "T-1")
    assert items.get("DESK", created)["data"]["relationships"]["assignee"]["data"][0]["id"] == "jweber"


@conforms(client=CLIENT, operation="search changed since")
def test_search_changed_since(server: Running, items: WorkItem) -> None:
    control(server, "clock", {"at": "2025-03-10T23:59:00Z"})
    first = make(items)
    control(server, "clock", {"at": "2025-03-11T00:01:00Z"})
    second = make(items)
    control(server, "clock", {"at": "2025-03-11T00:02:00Z"})
    third = make(items)
    found = items.list("DESK", query="updated:[20250311 TO *]", sort="-updated", fields="@all")
    assert [row["id"] for row in found] == [f"DESK/{third}", f"DESK/{second}"]
    assert found[0]["attributes"]["updated"] == "2025-03-11T00:02:00+00:00"
    (titled,) = items.find_by_title("DESK", "printer on fire", strict_match=True)
    assert titled["id"] == f"DESK/{first}"


@conforms(client=CLIENT, operation="comments")
def test_comments(polarion: PolarionClient, items: WorkItem) -> None:
    created = make(items)
    comments = WorkItemComment(polarion)
    root = comments.create("DESK", created, text="a < b", text_type="text/plain")
    comments.reply("DESK", created, "c1", text="<p>reply</p>", text_type="text/html")
    comments.resolve("DESK", created, "c1")
    first, second = comments.list("DESK", created, fields="@all")
    assert first["id"] == root["id"]
    assert first["attributes"]["text"] == {"type": "text/html", "value": "a &lt; b"}
    assert second["relationships"]["parentComment"]["data"]["id"] == root["id"]
    assert (first["attributes"]["resolved"], second["attributes"]["resolved"]) == (True, True)
    with pytest.raises(JSONAPIError, match="cannot be changed"):
        comments.update("DESK", created, "c1", text="edited")


@conforms(client=CLIENT, operation="transitions")
def test_transitions(items: WorkItem) -> None:
    """Its single update knows no workflow action; its batch update does."""
    created = make(items)
    for extra in ({}, {"resolution": "done"}, {}):
        actions = items.get_workflow_actions("DESK", created)["data"]
        action = next(one for one in actions if set(one["requiredFields"]) == set(extra))
        change = {"id": created, "attributes": {"title": "moved", **extra}}
        items.update_many("DESK", [change], workflow_action=action["nativeActionId"])
    assert attributes_of(items, created)["status"] == "verified"
    options = items.get_available_enum_options_for_type("DESK", "resolution", wi_type="task")["data"]
    assert options[0]["id"] == "done"


@conforms(client=CLIENT, operation="transitions")
def test_a_missing_required_field_is_named(items: WorkItem) -> None:
    created = make(items, status="in_progress")
    change = {"id": created, "attributes": {"title": "x"}}
    with pytest.raises(JSONAPIError, match="required field 'resolution'"):
        items.update_many("DESK", [change], workflow_action="mark_done")


@conforms(client=CLIENT, operation="attachments")
@pytest.mark.parametrize("raw", [b"", b"\n", bytes(range(256)) * 400, b"x\r\n--+++\r\ny", "שלום 🎉".encode()])
def test_attachments(polarion: PolarionClient, items: WorkItem, raw: bytes) -> None:
    """This client draws its boundaries at random, so that even a line of --+++ passes."""
    created = make(items)
    files = WorkItemAttachment(polarion)
    attached = files.create("DESK", created, file_data=raw, file_name="report.bin", title="A title")
    attachment_id = attached["id"].rsplit("/", 1)[1]
    assert files.get_content("DESK", created, attachment_id) == raw
    shown = files.get("DESK", created, attachment_id)["data"]["attributes"]
    assert (shown["title"], shown["length"]) == ("A title", len(raw))
    files.update("DESK", created, attachment_id, title="Another", file_data=raw + b"!")
    assert files.get_content("DESK", created, attachment_id) == raw + b"!"
    files.delete("DESK", created, attachment_id)
    assert files.list("DESK", created) == []


@conforms(client=CLIENT, operation="errors")
def test_a_100_mb_attachment_is_refused(polarion: PolarionClient, items: WorkItem) -> None:
    created = make(items)
    files = WorkItemAttachment(polarion)
    with pytest.raises(JSONAPIError, match="413 Request Entity Too Large: The request body is too large"):
        files.create("DESK", created, file_data=bytes(100 * 1024 * 1024), file_name="huge.bin")
    assert files.list("DESK", created) == []


@conforms(client=CLIENT, operation="worklogs")
def test_worklogs(polarion: PolarionClient, items: WorkItem) -> None:
    created = make(items)
    records = WorkItemWorkRecord(polarion)
    day = date(2025, 3, 10)
    one = records.create("DESK", created, user_id="desk", time_spent="1h", date=day, comment="dug", record_type="work")
    records.create("DESK", created, user_id="jweber", time_spent="1/2d", date=day)
    found = records.list("DESK", created, fields="@all")
    assert [row["attributes"]["timeSpent"] for row in found] == ["1h", "1/2d"]
    assert found[1]["relationships"]["user"]["data"]["id"] == "jweber"
    assert attributes_of(items, created)["timeSpent"] == "5h"
    records.delete("DESK", created, one["id"].rsplit("/", 1)[1])
    records.delete_many("DESK", created, ids=[found[1]["id"]])
    assert records.list("DESK", created) == []


@conforms(client=CLIENT, operation="delete")
def test_delete(items: WorkItem) -> None:
    created = make(items)
    items.delete_one("DESK", created)
    with pytest.raises(NotFound, match=created):
        items.get("DESK", created)


@conforms(client=CLIENT, operation="errors")
def test_errors(polarion: PolarionClient, server: Running, items: WorkItem) -> None:
    with pytest.raises(JSONAPIError, match="not supported by this simulator"):
        items.list("DESK", query="title:x~")
    with pytest.raises(NotFound):
        Project(polarion).get("NONE")
    stranger = PolarionClient(base_url=server.http, token="wrong")
    with stranger.gen, pytest.raises(Unauthorized, match="Invalid access token"):
        WorkItem(stranger).list("DESK")


@conforms(client=CLIENT, operation="errors")
def test_a_user_name_and_password_never_leave_this_client(server: Running) -> None:
    """Trap: it overwrites its own Basic header with `Bearer None`, so the server must refuse it as a bad token."""
    client = PolarionClient(base_url=server.http, username="desk@example.org", password="desk-token")
    with client.gen, pytest.raises(Unauthorized, match="Invalid access token"):
        WorkItem(client).list("DESK")


@conforms(client=CLIENT, operation="paging")
def test_paging_over_250_records(items: WorkItem) -> None:
    for number in range(251):
        items.create("DESK", wi_type="task", title=f"No {number}")
    listed = items.list("DESK", page_size=-1, query="type:task")
    assert len({row["id"] for row in listed}) == len(listed) == 251


@conforms(client=CLIENT, operation="paging")
def test_iter_never_leaves_the_first_page(items: WorkItem) -> None:
    """Trap: this client's `iter` drops the page number, so that a second page makes it repeat the first for ever."""
    for number in range(101):
        items.create("DESK", wi_type="task", title=f"No {number}")
    seen = {row["id"] for row in itertools.islice(items.iter("DESK"), 250)}
    assert len(seen) == 100


@conforms(client=CLIENT, operation="throttling")
def test_throttling(server: Running, items: WorkItem) -> None:
    control(server, "limits", {"requests": 1, "seconds": 60})
    make(items)
    with pytest.raises(JSONAPIError) as throttled:
        make(items)
    assert throttled.value.status == 429
