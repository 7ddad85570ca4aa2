"""The client `jira` (pycontribs), unmodified, against the Jira simulator: Cloud and Server."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import requests
from jira import JIRA, JIRAError
from jira.resources import Issue
from tests.simulators.conformance.matrix import conforms

from deskbridge.simulators.server import Running, running

CLIENT = "jira"
DONE = {"resolution": {"name": "Done"}}
FILES = {
    "binary": bytes(range(256)) * 300,
    "boundary-like": b"--+++\r\n--+++--\r\n\r\n",
    "one-byte": b"\0",
    "line-ends": b"\r\n\n\r",
}


@pytest.fixture
def site() -> Iterator[Running]:
    with running("jira") as started:
        yield started


@pytest.fixture
def client(site: Running) -> JIRA:
    return _client(site)


@pytest.fixture
def issue(client: JIRA) -> Issue:
    return _create(client, "Printer on fire")


@pytest.fixture(params=["Cloud", "Server"])
def either(site: Running, request: pytest.FixtureRequest) -> JIRA:
    """A client of each kind of site in turn."""
    httpx.post(f"{site.http}/__sim__/options", json={"deployment": request.param}, trust_env=False)
    return _client(site)


def _client(site: Running, secret: str = "desk-token", retries: int = 0) -> JIRA:
    return JIRA(site.http, basic_auth=("desk@example.org", secret), max_retries=retries, timeout=20)


def _create(client: JIRA, summary: str, **fields: object) -> Issue:
    base = {"project": {"key": "DESK"}, "issuetype": {"name": "Bug"}, "summary": summary}
    return client.create_issue(fields=base | fields)


@conforms(client=CLIENT, operation="connect")
def test_connects_and_knows_who_it_is(either: JIRA) -> None:
    assert either.myself()["emailAddress"] == "desk@example.org"
    assert either.server_info()["deploymentType"] in {"Cloud", "Server"}
    assert [field["id"] for field in either.fields() if field["name"] == "Summary"] == ["summary"]
    assert {kind.name for kind in either.project("DESK").issueTypes} == {"Task", "Bug", "Story"}


@conforms(client=CLIENT, operation="connect")
def test_connects_with_a_bearer_token_and_validates_a_session(site: Running) -> None:
    assert JIRA(site.http, token_auth="desk-token", max_retries=0).myself()["active"]
    validated = JIRA(site.http, basic_auth=("desk@example.org", "desk-token"), validate=True, max_retries=0)
    assert validated.session().name == "desk"


@conforms(client=CLIENT, operation="create")
def test_creates_by_project_and_type_names(either: JIRA) -> None:
    created = either.create_issue(project="DESK", summary="By name", issuetype="Task", labels=["desk-01J"])
    assert (created.key, created.fields.issuetype.name, created.fields.labels) == ("DESK-1", "Task", ["desk-01J"])
    assert created.fields.status.name == "To Do"


@conforms(client=CLIENT, operation="create")
def test_creates_in_version_3_with_a_document(site: Running) -> None:
    options = {"rest_api_version": "3"}
    client = JIRA(site.http, basic_auth=("desk@example.org", "desk-token"), options=options, max_retries=0)
    text = {"type": "text", "text": "Smoke", "marks": [{"type": "strong"}]}
    document = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [text]}]}
    created = _create(client, "A document", description=document)
    assert created.raw["fields"]["description"] == document
    assert _client(site).issue(created.key).fields.description == "*Smoke*"


@conforms(client=CLIENT, operation="create")
def test_creates_several_and_tells_which_failed(client: JIRA) -> None:
    base = {"project": {"key": "DESK"}, "issuetype": {"name": "Task"}}
    made = client.create_issues([{**base, "summary": "One"}, {**base, "summary": ""}])
    assert [row["status"] for row in made] == ["Success", "Error"]


@conforms(client=CLIENT, operation="get")
def test_gets_with_chosen_fields_and_history(client: JIRA, issue: Issue) -> None:
    issue.update(fields={"summary": "Printer is out"})
    read = client.issue(issue.key, fields="summary,status", expand="changelog")
    assert set(read.raw["fields"]) == {"summary", "status"}
    assert read.changelog.histories[0].items[0].toString == "Printer is out"


@conforms(client=CLIENT, operation="update")
def test_updates_fields_and_labels(client: JIRA, issue: Issue) -> None:
    issue.update(fields={"summary": "New", "priority": {"name": "High"}}, notify=False)
    issue.add_field_value("labels", "urgent")
    read = client.issue(issue.key)
    assert (read.fields.summary, read.fields.priority.name, read.fields.labels) == ("New", "High", ["urgent"])


@conforms(client=CLIENT, operation="update")
def test_assigns_a_person(either: JIRA) -> None:
    made = _create(either, "Assign me")
    assert either.assign_issue(made.key, "jonas.weber@example.org")
    assert either.issue(made.key).fields.assignee.displayName == "Jonas Weber"


@conforms(client=CLIENT, operation="update")
def test_keeps_an_entity_property(client: JIRA, issue: Issue) -> None:
    client.add_issue_property(issue.key, "desk", {"ticket": 1042})
    assert client.issue_property(issue.key, "desk").value.ticket == 1042


@conforms(client=CLIENT, operation="search changed since")
def test_finds_what_changed_since(either: JIRA, site: Running) -> None:
    start = datetime.now(UTC)
    old = _create(either, "Old")
    httpx.post(f"{site.http}/__sim__/clock", json={"offset": 3600}, trust_env=False)
    new = _create(either, "New")
    millis = int((start + timedelta(minutes=30)).timestamp() * 1000)
    found = either.search_issues(f"project = DESK AND updated >= {millis} ORDER BY updated ASC, key ASC")
    assert [one.key for one in found] == [new.key]
    both = either.search_issues("labels is EMPTY ORDER BY created ASC", fields=["summary"])
    assert [one.key for one in both] == [old.key, new.key]


@conforms(client=CLIENT, operation="comments")
def test_comments_are_added_edited_and_deleted(either: JIRA) -> None:
    made = _create(either, "Talk")
    comment = either.add_comment(made.key, "Höchste Zeit 🔥 שלום")
    comment.update(body="changed")
    assert [one.body for one in either.comments(made.key)] == ["changed"]
    comment.delete()
    assert either.comments(made.key) == []


@conforms(client=CLIENT, operation="comments")
def test_an_internal_comment_is_marked_in_its_properties(client: JIRA, issue: Issue) -> None:
    client.add_comment(issue.key, "Not for the customer", is_internal=True)
    assert client.comments(issue.key)[0].raw["jsdPublic"] is False


@conforms(client=CLIENT, operation="transitions")
def test_walks_the_workflow_with_its_required_field(either: JIRA) -> None:
    made = _create(either, "Walk")
    for name in ("Start Progress", "Request Review"):
        either.transition_issue(made, name)
    with pytest.raises(JIRAError, match="Resolution is required"):
        either.transition_issue(made, "Done")
    needed = either.transitions(made, expand="transitions.fields")[0]["fields"]
    assert needed["resolution"]["required"]
    either.transition_issue(made, "Done", fields=DONE, comment="Fixed")
    read = either.issue(made.key)
    assert (read.fields.status.name, read.fields.resolution.name) == ("Done", "Done")
    assert either.comments(made.key)[0].body == "Fixed"


@conforms(client=CLIENT, operation="attachments")
@pytest.mark.parametrize("name", FILES)
def test_attachments_come_back_byte_for_byte(either: JIRA, name: str) -> None:
    made = _create(either, "Files")
    added = either.add_attachment(made.key, io.BytesIO(FILES[name]), filename=f"{name} ü.bin")
    assert added.size == len(FILES[name])
    read = either.attachment(added.id)
    assert (read.filename, read.get()) == (f"{name} ü.bin", FILES[name])
    added.delete()
    assert either.issue(made.key).fields.attachment == []


@conforms(client=CLIENT, operation="attachments")
def test_follows_the_redirect_to_the_media_service(client: JIRA, issue: Issue, site: Running) -> None:
    httpx.post(f"{site.http}/__sim__/options", json={"media": "redirect"}, trust_env=False)
    added = client.add_attachment(issue.key, io.BytesIO(b"bytes"), filename="a.txt")
    assert client.attachment(added.id).get() == b"bytes"


@conforms(client=CLIENT, operation="worklogs")
def test_worklogs_are_added_changed_and_deleted(client: JIRA, issue: Issue) -> None:
    started = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    worklog = client.add_worklog(issue.key, timeSpent="1h 30m", comment="Looked", started=started)
    assert (worklog.timeSpentSeconds, worklog.started) == (5400, "2026-01-02T03:04:05.000+0000")
    worklog.update(timeSpentSeconds=600)
    assert client.issue(issue.key).fields.timespent == 600
    client.worklogs(issue.key)[0].delete()
    assert client.worklogs(issue.key) == []


@conforms(client=CLIENT, operation="delete")
def test_a_deleted_issue_is_gone(client: JIRA, issue: Issue) -> None:
    issue.delete()
    with pytest.raises(JIRAError, match="Issue does not exist") as failure:
        client.issue(issue.key)
    assert failure.value.status_code == 404


@conforms(client=CLIENT, operation="errors")
def test_wrong_credentials_are_unauthorized(site: Running) -> None:
    with pytest.raises(JIRAError) as failure:
        _client(site, secret="wrong")
    assert failure.value.status_code == 401


@conforms(client=CLIENT, operation="errors")
def test_field_errors_reach_the_caller(client: JIRA) -> None:
    with pytest.raises(JIRAError, match="must specify a summary"):
        _create(client, " ")
    with pytest.raises(JIRAError, match="'customfield_1' cannot be set"):
        _create(client, "x", customfield_1="y")
    with pytest.raises(JIRAError, match="Field 'colour' does not exist"):
        client.search_issues("colour = red")


@conforms(client=CLIENT, operation="errors")
def test_a_sign_in_page_instead_of_an_answer_is_an_error(client: JIRA, issue: Issue, site: Running) -> None:
    httpx.post(f"{site.http}/__sim__/faults", json={"fault": "html_200"}, trust_env=False)
    with pytest.raises(requests.exceptions.JSONDecodeError):
        client.comments(issue.key)


@conforms(client=CLIENT, operation="errors")
def test_a_lost_answer_is_sent_again_by_this_client(site: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client repeats a POST whose answer was lost: the simulator shows the duplicate it makes."""
    monkeypatch.setattr("jira.resilientsession.time.sleep", lambda _: None)
    client = _client(site, retries=1)
    rule = {"match": {"method": "POST", "path": "/issue$"}, "fault": "drop_after_commit"}
    httpx.post(f"{site.http}/__sim__/faults", json=rule, trust_env=False)
    _create(client, "Twice")
    assert len(client.search_issues('summary ~ "Twice"')) == 2


@conforms(client=CLIENT, operation="paging")
def test_pages_through_more_than_250_issues(either: JIRA, site: Running) -> None:
    httpx.post(f"{site.http}/__sim__/limits", json={"enabled": False}, trust_env=False)
    for number in range(260):
        client_fields = {"project": {"key": "DESK"}, "issuetype": {"name": "Task"}, "summary": f"Issue {number}"}
        either.create_issue(fields=client_fields, prefetch=False)
    found = either.search_issues("project = DESK ORDER BY key ASC", maxResults=False, fields="summary")
    assert [one.key for one in found] == [f"DESK-{number}" for number in range(1, 261)]


@conforms(client=CLIENT, operation="throttling")
def test_waits_as_told_when_throttled(site: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        httpx.post(f"{site.http}/__sim__/clock", json={"advance": 60}, trust_env=False)

    client = _client(site, retries=2)
    made = _create(client, "Busy")
    monkeypatch.setattr("jira.resilientsession.time.sleep", nap)
    httpx.post(f"{site.http}/__sim__/limits", json={"requests": 1, "seconds": 30}, trust_env=False)
    client.issue(made.key)
    assert client.issue(made.key).key == made.key
    assert len(naps) == 1
    assert naps[0] > 20
