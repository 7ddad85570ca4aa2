"""DB InfraGO's polarion-rest-api-client, unmodified, against the Polarion simulator.

Its high-level part knows no comments, workflow actions or work records: those run through the low-level functions
that it ships, generated from the vendor's schema, so the schema checks our answers.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import httpx
import pytest
from polarion_rest_api_client import PolarionClient, TextContent, WorkItem, WorkItemAttachment
from polarion_rest_api_client.clients.projects import ProjectClient
from polarion_rest_api_client.errors import PolarionApiException, PolarionApiUnexpectedException
from polarion_rest_api_client.open_api_client import models
from polarion_rest_api_client.open_api_client.api.users import get_user
from polarion_rest_api_client.open_api_client.api.work_item_comments import (
    get_comments,
    patch_comment,
    post_comments,
)
from polarion_rest_api_client.open_api_client.api.work_item_work_records import (
    delete_work_record,
    get_work_records,
    post_work_records,
)
from polarion_rest_api_client.open_api_client.api.work_items import (
    get_available_enum_options_for_work_item_type,
    get_work_item,
    get_workflow_actions_for_work_item,
    patch_work_item,
)
from polarion_rest_api_client.open_api_client.types import Response
from tests.simulators.conformance.matrix import conforms

from deskbridge.simulators.server import Running, running

CLIENT = "polarion-rest-api-client"


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running("polarion") as started:
        yield started


@pytest.fixture
def polarion(server: Running) -> Iterator[PolarionClient]:
    """A signed-in client of a fresh simulator without a rate limit."""
    control(server, "reset", {})
    control(server, "limits", {"enabled": False})
    client = PolarionClient(f"{server.http}/polarion/rest/v1", "desk-token")
    with client.client:
        yield client


def control(server: Running, name: str, body: object) -> None:
    httpx.post(f"{server.http}/__sim__/{name}", json=body, trust_env=False).raise_for_status()


def received(server: Running, method: str) -> list[str]:
    """The paths of the requests of one method, in order."""
    rows = httpx.get(f"{server.http}/__sim__/requests", trust_env=False).json()["requests"]
    return [row["path"] for row in rows if row["method"] == method]


@pytest.fixture
def project(polarion: PolarionClient) -> ProjectClient:
    return polarion.generate_project_client("DESK")


def make(project: ProjectClient, **more: object) -> WorkItem:
    item = WorkItem(title="Printer on fire", type="task", **more)
    project.work_items.create(item)
    return item


def id_of(item: WorkItem) -> str:
    assert item.id is not None
    return item.id


def ok(response: Response[Any], status: int) -> Any:
    """What an answer of the expected status was parsed into."""
    assert response.status_code == status, response.content
    return response.parsed


@conforms(client=CLIENT, operation="connect")
def test_connect(polarion: PolarionClient, project: ProjectClient) -> None:
    assert project.exists()
    assert not polarion.generate_project_client("NONE").exists()
    user = ok(get_user.sync_detailed("desk", client=polarion.client), 200)
    assert user.data.attributes.email == "desk@example.org"


@conforms(client=CLIENT, operation="create")
def test_create(project: ProjectClient) -> None:
    items = [
        WorkItem(title="one", type="task", status="open", description=TextContent("text/html", "<p>ä 🎉</p>")),
        WorkItem(title="two", type="defect", deskRef="T-1"),
    ]
    project.work_items.create(items)
    assert [item.id for item in items] == ["DESK-1", "DESK-2"]


@conforms(client=CLIENT, operation="get")
def test_get(project: ProjectClient) -> None:
    created = make(project, description=TextContent("text/html", "<p>hot</p>"), deskRef="T-1")
    found = project.work_items.get(id_of(created))
    assert found is not None
    assert (found.title, found.type, found.status) == ("Printer on fire", "task", "open")
    assert found.description == TextContent("text/html", "<p>hot</p>")
    assert found.additional_attributes["deskRef"] == "T-1"
    assert not found.attachments_truncated or not found.attachments


@conforms(client=CLIENT, operation="update")
def test_update(project: ProjectClient) -> None:
    created = id_of(make(project, deskRef="T-1"))
    project.work_items.update(WorkItem(created, title="Fire is out", severity="nice_to_have"))
    found = project.work_items.get(created)
    assert found is not None
    assert (found.title, found.additional_attributes["deskRef"]) == ("Fire is out", "T-1")
    project.work_items.update(WorkItem(created, type="defect"))
    found = project.work_items.get(created)
    assert found is not None
    assert found.type == "defect"


@conforms(client=CLIENT, operation="search changed since")
def test_search_changed_since(server: Running, project: ProjectClient) -> None:
    control(server, "clock", {"at": "2025-03-10T23:59:00Z"})
    make(project)
    control(server, "clock", {"at": "2025-03-11T00:01:00Z"})
    later = make(project, deskRef="T-2")
    found, more = project.work_items.get_multi("updated:[20250311 TO *]", fields={"workitems": "@basic,deskRef"})
    assert [(item.id, item.additional_attributes["deskRef"]) for item in found] == [(later.id, "T-2")]
    assert not more


@conforms(client=CLIENT, operation="comments")
def test_comments(polarion: PolarionClient, project: ProjectClient) -> None:
    created = id_of(make(project))
    text = models.WorkitemCommentsListPostRequestDataItemAttributesText(
        type_=models.WorkitemCommentsListPostRequestDataItemAttributesTextType.TEXTHTML, value="<p>On my way</p>"
    )
    attributes = models.WorkitemCommentsListPostRequestDataItemAttributes(text=text, title="mark", resolved=False)
    kind = models.WorkitemCommentsListPostRequestDataItemType.WORKITEM_COMMENTS
    body = models.WorkitemCommentsListPostRequest(
        data=[models.WorkitemCommentsListPostRequestDataItem(type_=kind, attributes=attributes)]
    )
    ok(post_comments.sync_detailed("DESK", created, client=polarion.client, body=body), 201)
    fields = models.SparseFields.from_dict({"fields[workitem_comments]": "@all"})
    found = ok(get_comments.sync_detailed("DESK", created, client=polarion.client, fields=fields), 200)
    (comment,) = found.data
    assert (comment.attributes.text.value, comment.attributes.title) == ("<p>On my way</p>", "mark")
    assert not comment.relationships.parent_comment
    change = models.WorkitemCommentsSinglePatchRequest(
        data=models.WorkitemCommentsSinglePatchRequestData(
            type_=models.WorkitemCommentsSinglePatchRequestDataType.WORKITEM_COMMENTS,
            id=comment.id,
            attributes=models.WorkitemCommentsSinglePatchRequestDataAttributes(resolved=True),
        )
    )
    ok(patch_comment.sync_detailed("DESK", created, "c1", client=polarion.client, body=change), 204)


@conforms(client=CLIENT, operation="transitions")
def test_transitions(polarion: PolarionClient, project: ProjectClient) -> None:
    created = id_of(make(project))
    for resolution in ({}, {"resolution": "done"}, {}):
        offered = ok(get_workflow_actions_for_work_item.sync_detailed("DESK", created, client=polarion.client), 200)
        action = offered.data[-1] if resolution else offered.data[0]
        assert action.available
        assert set(action.required_fields) == set(resolution)
        attributes = models.WorkitemsSinglePatchRequestDataAttributes.from_dict({"title": "moved", **resolution})
        kind = models.WorkitemsSinglePatchRequestDataType.WORKITEMS
        data = models.WorkitemsSinglePatchRequestData(type_=kind, id=f"DESK/{created}", attributes=attributes)
        body = models.WorkitemsSinglePatchRequest(data=data)
        ok(
            patch_work_item.sync_detailed(
                "DESK", created, client=polarion.client, body=body, workflow_action=action.native_action_id
            ),
            204,
        )
    found = project.work_items.get(created)
    assert found is not None
    assert found.status == "verified"
    options = get_available_enum_options_for_work_item_type.sync_detailed("DESK", "status", client=polarion.client)
    assert [option.id for option in ok(options, 200).data] == ["open", "in_progress", "done", "verified"]


@conforms(client=CLIENT, operation="attachments")
@pytest.mark.parametrize("raw", [b"\n", bytes(range(256)) * 400, b"half --+++ way\r\n--++", "שלום 🎉".encode()])
def test_attachments(polarion: PolarionClient, project: ProjectClient, raw: bytes) -> None:
    created = id_of(make(project))
    file = WorkItemAttachment(
        created, "", "A title", content_bytes=raw, file_name="report.bin", mime_type="application/octet-stream"
    )
    project.work_items.attachments.create(file)
    assert file.id == "1-report.bin"
    (found,), more = project.work_items.attachments.get_multi(created, fields={"workitem_attachments": "@all"})
    assert (found.id, found.title, found.file_name, more) == ("1-report.bin", "A title", "report.bin", False)
    path = f"/projects/DESK/workitems/{created}/attachments/{file.id}/content"
    assert polarion.client.get_httpx_client().get(path).content == raw
    item = project.work_items.get(created)
    assert item is not None
    assert [attachment.id for attachment in item.attachments] == ["1-report.bin"]
    assert not item.attachments_truncated
    project.work_items.attachments.delete(file)
    assert project.work_items.attachments.get_multi(created) == ([], False)


@conforms(client=CLIENT, operation="worklogs")
def test_worklogs(polarion: PolarionClient, project: ProjectClient) -> None:
    created = id_of(make(project))
    user = models.WorkrecordsListPostRequestDataItemRelationshipsUserData(
        type_=models.WorkrecordsListPostRequestDataItemRelationshipsUserDataType.USERS, id="desk"
    )
    item = models.WorkrecordsListPostRequestDataItem(
        type_=models.WorkrecordsListPostRequestDataItemType.WORKRECORDS,
        attributes=models.WorkrecordsListPostRequestDataItemAttributes(
            time_spent="1h 30m", date=date(2025, 3, 10), comment="dug"
        ),
        relationships=models.WorkrecordsListPostRequestDataItemRelationships(
            user=models.WorkrecordsListPostRequestDataItemRelationshipsUser(data=user)
        ),
    )
    body = models.WorkrecordsListPostRequest(data=[item])
    ok(post_work_records.sync_detailed("DESK", created, client=polarion.client, body=body), 201)
    fields = models.SparseFields.from_dict({"fields[workrecords]": "@all"})
    found = ok(get_work_records.sync_detailed("DESK", created, client=polarion.client, fields=fields), 200)
    (record,) = found.data
    assert (record.attributes.time_spent, record.attributes.date) == ("1h 30m", date(2025, 3, 10))
    assert record.relationships.user.data.id == "desk"
    shown = ok(get_work_item.sync_detailed("DESK", created, client=polarion.client), 200)
    assert shown.data.attributes.time_spent == "1h 30m"
    ok(delete_work_record.sync_detailed("DESK", created, "1", client=polarion.client), 204)


@conforms(client=CLIENT, operation="delete")
def test_delete(project: ProjectClient) -> None:
    created = make(project)
    project.work_items.delete(created)
    with pytest.raises(PolarionApiException) as missing:
        project.work_items.get(id_of(created))
    assert missing.value.args[0] == 404


@conforms(client=CLIENT, operation="errors")
def test_errors(server: Running, project: ProjectClient) -> None:
    """The pointer of a 400 arrives; a wrong token is a 401 that the client can read."""
    with pytest.raises(PolarionApiException) as refused:
        project.work_items.create(WorkItem(title="x", type="task", priority=5))
    assert refused.value.args[0] == 400
    assert refused.value.args[1][2] == "$.data[0].attributes.priority"
    stranger = PolarionClient(f"{server.http}/polarion/rest/v1", "wrong")
    with stranger.client:
        answer = get_work_item.sync_detailed("DESK", "DESK-1", client=stranger.client)
    assert isinstance(answer.parsed, models.Errors)
    assert (answer.status_code, answer.parsed.errors[0].detail) == (401, "Invalid access token")


@conforms(client=CLIENT, operation="errors")
def test_html_instead_of_json(server: Running, project: ProjectClient) -> None:
    """Trap: the Apache in front answers HTML while Polarion is down, and this client fails to decode it."""
    control(server, "faults", {"fault": "status", "status": 503, "body": "<html>Down</html>"})
    with pytest.raises(ValueError, match="Expecting value"):
        project.work_items.get("DESK-1")


@conforms(client=CLIENT, operation="paging")
def test_paging_over_250_records(project: ProjectClient) -> None:
    project.work_items.create([WorkItem(title=f"No {number}", type="task") for number in range(251)])
    found = project.work_items.get_all("type:task")
    assert len({item.id for item in found}) == len(found) == 251


@conforms(client=CLIENT, operation="throttling")
def test_throttling(server: Running, project: ProjectClient) -> None:
    """Trap: a throttled create is sent again after a pause of its own, whatever Retry-After says."""
    control(server, "limits", {"requests": 1, "seconds": 0.3})
    assert project.exists()
    make(project)
    posts = received(server, "POST")
    assert posts.count("/polarion/rest/v1/projects/DESK/workitems") == 2


@conforms(client=CLIENT, operation="throttling")
def test_throttling_on_the_low_level(server: Running, polarion: PolarionClient, project: ProjectClient) -> None:
    control(server, "limits", {"requests": 0, "seconds": 60})
    answer = get_work_item.sync_detailed("DESK", "DESK-1", client=polarion.client)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
    with pytest.raises(PolarionApiUnexpectedException):
        project.work_items._raise_on_error(answer)
