"""The client `atlassian-python-api`, unmodified, against the Jira simulator: its Cloud and its Server faces."""

import io
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from atlassian import Jira
from atlassian.jira import JiraCloud
from requests import HTTPError
from tests.simulators.conformance.matrix import conforms

from deskbridge.simulators.server import Running, running

CLIENT = "atlassian-python-api"
PROJECT = {"project": {"key": "DESK"}, "issuetype": {"name": "Task"}}

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:atlassian")


@pytest.fixture
def site() -> Iterator[Running]:
    with running("jira") as started:
        yield started


@pytest.fixture
def cloud(site: Running) -> Jira:
    return Jira(site.http, username="desk@example.org", password="desk-token", cloud=True)


@pytest.fixture
def server(site: Running) -> Jira:
    _control(site, "options", {"deployment": "Server"})
    return Jira(site.http, token="desk-token", cloud=False)


@pytest.fixture
def version3(site: Running) -> JiraCloud:
    return JiraCloud(site.http, username="desk@example.org", password="desk-token", api_version=3)


def _control(site: Running, name: str, body: dict[str, Any]) -> None:
    httpx.post(f"{site.http}/__sim__/{name}", json=body, trust_env=False).raise_for_status()


def _create(client: Jira, summary: str = "Printer on fire", **fields: object) -> str:
    key: str = client.issue_create(fields={**PROJECT, "summary": summary, **fields})["key"]
    return key


@conforms(client=CLIENT, operation="connect")
def test_connects_to_either_kind_of_site(cloud: Jira) -> None:
    assert cloud.myself()["accountId"]
    assert [field["name"] for field in cloud.get_all_fields() if field["id"] == "duedate"] == ["Due date"]


@conforms(client=CLIENT, operation="connect")
def test_connects_to_a_server_with_a_token(server: Jira) -> None:
    assert server.myself()["name"] == "desk"


@conforms(client=CLIENT, operation="create")
def test_creates_an_issue(cloud: Jira) -> None:
    key = _create(cloud, "Created", labels=["desk-1"], description="h1. Title")
    assert cloud.issue(key)["fields"]["description"] == "h1. Title"


@conforms(client=CLIENT, operation="create")
def test_creates_in_version_3(version3: JiraCloud) -> None:
    document = {"type": "doc", "version": 1, "content": [{"type": "rule"}]}
    made = version3.create_issue(data={"fields": {**PROJECT, "summary": "Three", "description": document}})
    assert version3.get_issue(made["key"])["fields"]["description"] == document


@conforms(client=CLIENT, operation="get")
def test_gets_an_issue_and_knows_when_there_is_none(cloud: Jira) -> None:
    key = _create(cloud)
    assert set(cloud.get_issue(key, fields=["summary", "status"])["fields"]) == {"summary", "status"}
    assert cloud.issue_exists(key)
    assert not cloud.issue_exists("DESK-99")


@conforms(client=CLIENT, operation="update")
def test_updates_fields_and_labels(cloud: Jira) -> None:
    key = _create(cloud)
    cloud.update_issue_field(key, {"summary": "New"})
    cloud.issue_update(key, fields={"priority": {"name": "Low"}}, update={"labels": [{"add": "late"}]})
    cloud.edit_issue(key, {"labels": [{"add": "later"}]})
    fields = cloud.issue(key)["fields"]
    assert (fields["summary"], fields["priority"]["name"], fields["labels"]) == ("New", "Low", ["late", "later"])


@conforms(client=CLIENT, operation="search changed since")
def test_finds_what_changed_since_on_cloud(cloud: Jira) -> None:
    keys = [_create(cloud, f"Issue {number}") for number in range(3)]
    found = cloud.enhanced_jql("project = DESK AND updated >= -1d ORDER BY updated ASC, key ASC", fields="updated")
    assert [one["key"] for one in found["issues"]] == keys
    assert cloud.approximate_issue_count("project = DESK")["count"] == 3


@conforms(client=CLIENT, operation="search changed since")
def test_finds_what_changed_since_on_a_server(server: Jira) -> None:
    key = _create(server)
    found = server.jql("updated >= startOfDay() ORDER BY updated", fields=["summary"])
    assert (found["total"], found["issues"][0]["key"]) == (1, key)


@conforms(client=CLIENT, operation="comments")
def test_comments_are_added_read_and_edited(cloud: Jira) -> None:
    key = _create(cloud)
    made = cloud.issue_add_comment(key, "first")
    cloud.issue_edit_comment(key, made["id"], "second")
    assert [one["body"] for one in cloud.issue_get_comments(key)["comments"]] == ["second"]


@conforms(client=CLIENT, operation="comments")
def test_comments_are_deleted_in_version_3(version3: JiraCloud, cloud: Jira) -> None:
    key = _create(cloud)
    text = {"type": "paragraph", "content": [{"type": "text", "text": "Hello"}]}
    made = version3.add_comment(key, data={"body": {"type": "doc", "version": 1, "content": [text]}})
    assert cloud.issue_get_comment(key, made["id"])["body"] == "Hello"
    version3.delete_comment(key, made["id"])
    assert version3.get_comments(key)["total"] == 0


@conforms(client=CLIENT, operation="transitions")
def test_walks_the_workflow(cloud: Jira) -> None:
    """This client sends the transition's id as a number."""
    key = _create(cloud)
    for status in ("In Progress", "In Review"):
        cloud.set_issue_status(key, status)
    with pytest.raises(HTTPError, match="Resolution is required"):
        cloud.set_issue_status(key, "Done")
    cloud.set_issue_status(key, "Done", fields={"resolution": {"name": "Done"}})
    assert cloud.get_issue_status(key) == "Done"
    assert [row["to"] for row in cloud.get_issue_status_changelog(key)] == ["Done", "In Review", "In Progress"]


@conforms(client=CLIENT, operation="attachments")
@pytest.mark.parametrize("content", [bytes(range(256)) * 9, b"\r\n--+++\r\n", b"x"])
def test_attachments_come_back_byte_for_byte(cloud: Jira, content: bytes) -> None:
    key = _create(cloud)
    file = io.BytesIO(content)
    file.name = "data.bin"
    made = cloud.add_attachment_object(key, file)[0]
    assert cloud.get_attachments_ids_from_issue(key) == [{"filename": "data.bin", "attachment_id": made["id"]}]
    assert cloud.get_attachment_content(made["id"]) == content
    cloud.remove_attachment(made["id"])
    assert cloud.get_attachments_ids_from_issue(key) == []


@conforms(client=CLIENT, operation="worklogs")
def test_worklogs_are_added_and_read(cloud: Jira) -> None:
    key = _create(cloud)
    cloud.issue_worklog(key, "2026-01-02T03:04:05.000+0100", 3600, comment="Looked")
    read = cloud.issue_get_worklog(key)["worklogs"][0]
    assert (read["timeSpent"], read["started"]) == ("1h", "2026-01-02T02:04:05.000+0000")


@conforms(client=CLIENT, operation="delete")
def test_a_deleted_issue_is_gone(cloud: Jira) -> None:
    key = _create(cloud)
    cloud.delete_issue(key)
    assert cloud.issue_deleted(key)


@conforms(client=CLIENT, operation="errors")
def test_wrong_credentials_are_unauthorized(site: Running) -> None:
    stranger = Jira(site.http, username="desk@example.org", password="wrong", cloud=True)
    with pytest.raises(HTTPError) as failure:
        stranger.myself()
    assert failure.value.response.status_code == 401


@conforms(client=CLIENT, operation="errors")
def test_field_and_query_errors_reach_the_caller(cloud: Jira) -> None:
    with pytest.raises(HTTPError, match="must specify a summary"):
        _create(cloud, "")
    with pytest.raises(HTTPError, match="Unbounded JQL queries are not allowed here"):
        cloud.enhanced_jql("ORDER BY created")
    with pytest.raises(HTTPError, match="Issue does not exist"):
        cloud.issue("DESK-99")


@conforms(client=CLIENT, operation="paging")
def test_pages_through_more_than_250_issues(cloud: Jira, version3: JiraCloud, site: Running) -> None:
    _control(site, "limits", {"enabled": False})
    for start in range(0, 260, 20):
        rows = [{"fields": {**PROJECT, "summary": f"Issue {start + number}"}} for number in range(20)]
        cloud.create_issues([{"fields": row["fields"]} for row in rows])
    found = version3.enhanced_jql_get_list_of_tickets("project = DESK ORDER BY key ASC", fields="summary")
    assert [one["key"] for one in found] == [f"DESK-{number}" for number in range(1, 261)]


@conforms(client=CLIENT, operation="paging")
def test_pages_by_offset_on_a_server(server: Jira) -> None:
    for start in range(0, 260, 20):
        server.create_issues([{"fields": {**PROJECT, "summary": f"Issue {start + number}"}} for number in range(20)])
    found = server.jql_get_list_of_tickets("project = DESK ORDER BY key ASC", fields="summary", limit=1000)
    assert len({one["key"] for one in found}) == 260


@conforms(client=CLIENT, operation="throttling")
@pytest.mark.parametrize("retry_after", ["3", "Wed, 21 Oct 2026 07:28:03 GMT"])
def test_tries_once_more_when_told_how_long_to_wait(
    cloud: Jira, site: Running, monkeypatch: pytest.MonkeyPatch, retry_after: str
) -> None:
    naps: list[float] = []
    monkeypatch.setattr("atlassian.rest_client.time.sleep", naps.append)
    rule = {"match": {"path": "/myself"}, "fault": "status", "status": 429, "headers": {"Retry-After": retry_after}}
    _control(site, "faults", rule)
    assert cloud.myself()["active"]
    assert len(naps) == 1


@conforms(client=CLIENT, operation="throttling")
def test_the_sites_own_limit_is_told_and_kept(cloud: Jira, site: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        _control(site, "clock", {"advance": seconds})

    monkeypatch.setattr("atlassian.rest_client.time.sleep", nap)
    _control(site, "limits", {"requests": 2, "seconds": 10})
    assert [cloud.myself()["active"] for _ in range(3)] == [True] * 3
    assert len(naps) == 1
