"""Jira's connector keeps the contract on Cloud and on Server, and what only Jira has."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.connectors.contract import SECOND, SECRET, Call, ContractSuite, Listener, Remote, Subject
from tests.connectors.remote import START, TOKEN, USER, listening, started

from deskbridge.connectors.jira.connector import Jira
from deskbridge.sync.connector import (
    Audience,
    AuthFailed,
    NewAttachment,
    NewComment,
    NewWorklog,
    Rejected,
    RetryLater,
    Unknown,
    Watermark,
)

PROGRESS, REVIEW, DONE = "3", "10001", "10002"
RESOLVED = {"resolution": "10000"}
CLOUD = Subject(
    simulator="jira",
    connect=Jira,
    scope="DESK",
    title="summary",
    text="description",
    create=Call("POST", r"/rest/api/\d/issue$"),
    fetch=Call("GET", r"/rest/api/\d/issue/\d+$"),
    feed=Call("GET", r"/rest/api/\d/search"),
    update=Call("PUT", r"/rest/api/\d/issue/\d+$"),
    far_status=DONE,
    passed=(PROGRESS, REVIEW, DONE),
    minimum={"issuetype": "10002"},
    demanded=RESOLVED,
    choice=("priority", "2"),
)


class TestJiraCloud(ContractSuite):
    subject = CLOUD


class TestJiraServer(ContractSuite):
    subject = replace(CLOUD, options={"deployment": "Server"}, accounts=(USER, TOKEN))


# What only Jira has


@pytest.fixture
def remote() -> Iterator[Remote]:
    with started("jira") as remote:
        yield remote


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


@pytest.fixture
def jira(remote: Remote) -> Jira:
    return _open(remote)


def _open(remote: Remote) -> Jira:
    return Jira(remote.site(scope="DESK", webhook_secret=SECRET), remote.line())


def _made(jira: Jira, key: str = "T-1", **fields: Any) -> str:
    return jira.create(key, {"summary": "Printer on fire", "issuetype": "10002", **fields}).id


def _person(remote: Remote, method: str, path: str, body: object = None, **params: str) -> Any:
    """What somebody does in Jira itself."""
    headers = {"Authorization": "Bearer desk-token"}
    answer = httpx.request(method, f"{remote.url}/rest/api/3{path}", json=body, params=params, headers=headers)
    assert answer.status_code < 300, answer.text
    return answer.json() if answer.content else None


def _fields(jira: Jira, issue: str) -> Any:
    record = jira.fetch(issue)
    assert record is not None
    return record.fields


# Rights and refusals


def test_a_missing_right_is_named(remote: Remote, jira: Jira) -> None:
    granted = {"permissions": {"BROWSE_PROJECTS": {"havePermission": True}, "EDIT_ISSUES": {"havePermission": False}}}
    remote.fault("status", "GET", "/mypermissions", status=200, body=json.dumps(granted))
    with pytest.raises(AuthFailed, match="EDIT_ISSUES"):
        jira.check()


def test_a_project_that_is_not_there_is_said_to_be_so(remote: Remote) -> None:
    with pytest.raises(Rejected, match="NOPE"):
        Jira(remote.site(scope="NOPE"), remote.line()).describe()


def test_the_sites_own_limit_is_obeyed(remote: Remote, jira: Jira) -> None:  # 19
    issue = _made(jira)
    remote.post("limits", {"enabled": True, "requests": 0, "seconds": 60})
    with pytest.raises(RetryLater) as told:
        jira.fetch(issue)
    assert told.value.after == timedelta(seconds=60)
    remote.forget()
    with pytest.raises(RetryLater):
        jira.find_by_key("T-1")
    assert remote.requests() == []


def test_our_own_pace_is_kept_by_waiting(remote: Remote, jira: Jira) -> None:
    issue = _made(jira)
    before = remote.clock.now()
    for _ in range(60):
        jira.fetch(issue)
    assert remote.clock.now() - before >= timedelta(seconds=2)


def test_an_id_that_is_none_reaches_no_other_path(remote: Remote, jira: Jira) -> None:
    _made(jira)
    remote.forget()
    assert jira.fetch("../myself") is None
    assert [one["path"] for one in remote.requests()] == ["/rest/api/3/issue/..%2Fmyself"]


# Records


def test_our_mark_is_no_tag_and_survives_when_tags_are_written(remote: Remote, jira: Jira) -> None:
    issue = _made(jira, labels=("printer",))
    record = jira.fetch(issue)
    assert record is not None
    assert record.fields["labels"] == ("printer",)
    jira.update(issue, {"labels": ("b", "a")}, record.version)
    assert _fields(jira, issue)["labels"] == ("a", "b")
    assert [ref.id for ref in jira.find_by_key("T-1")] == [issue]


def test_people_are_known_by_the_id_that_never_changes(jira: Jira) -> None:
    maria = "5b10ac8d82e05b22cc7d4ef5"
    record = jira.fetch(_made(jira, reporter=maria, assignee=maria))
    assert record is not None
    assert record.reporter is not None
    assert (record.reporter.id, record.reporter.name) == (maria, "Maria Rossi")
    assert record.fields["assignee"] == maria


def test_what_a_rich_text_cannot_say_in_markdown_makes_it_lossy(remote: Remote, jira: Jira) -> None:
    issue = _made(jira)
    mention = {"type": "mention", "attrs": {"id": "5b10ac8d82e05b22cc7d4ef5", "text": "@Maria"}}
    document = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [mention]}]}
    _person(remote, "PUT", f"/issue/{issue}", {"fields": {"description": document}})
    record = jira.fetch(issue)
    assert record is not None
    assert record.fields["description"] == "@Maria"
    assert record.lossy == {"description"}


def test_a_status_is_not_written_as_a_field(remote: Remote, jira: Jira) -> None:
    record = jira.fetch(_made(jira))
    assert record is not None
    remote.forget()
    with pytest.raises(Rejected) as refusal:
        jira.update(record.ref.id, {"status": DONE}, record.version)
    assert refusal.value.field == "status"
    assert remote.writes() == []


def test_issues_that_share_a_key_are_all_shown(remote: Remote, jira: Jira) -> None:
    issue = _made(jira)
    fields = {"project": {"key": "DESK"}, "issuetype": {"id": "10002"}, "summary": "Copied", "labels": ["deskref-T-1"]}
    copied = _person(remote, "POST", "/issue", {"fields": fields})
    assert [ref.id for ref in jira.find_by_key("T-1")] == [issue, copied["id"]]


def test_an_issue_the_index_does_not_show_yet_is_found_within_the_settling_time(
    remote: Remote, jira: Jira
) -> None:  # 3
    remote.post("lag", {"seconds": 60})
    remote.fault("drop_after_commit", "POST", "/issue$")
    with pytest.raises(Unknown):
        _made(jira)
    assert jira.find_by_key("T-1") == []
    remote.tick(61 * SECOND)
    assert len(jira.find_by_key("T-1")) == 1
    assert len([write for write in remote.writes() if write.endswith("/issue")]) == 1


# Statuses


def test_the_way_is_learnt_from_other_issues_so_that_nothing_moves_when_a_field_is_missing(
    remote: Remote,
) -> None:  # 27
    for key, steps in (("T-2", 1), ("T-3", 2)):
        issue = _made(_open(remote), key)
        for step in ("11", "21")[:steps]:
            _person(remote, "POST", f"/issue/{issue}/transitions", {"transition": {"id": step}})
    fresh = _open(remote)
    issue = _made(fresh)
    remote.forget()
    with pytest.raises(Rejected) as refusal:
        fresh.transition(issue, DONE, {})
    assert refusal.value.field == "resolution"
    assert remote.writes() == []
    assert list(fresh.transition(issue, DONE, RESOLVED)) == [PROGRESS, REVIEW, DONE]


def test_a_missing_field_on_a_way_nobody_went_is_named_at_its_step(remote: Remote, jira: Jira) -> None:  # 27
    issue, other = _made(jira), _made(jira, "T-2")
    with pytest.raises(Rejected) as refusal:
        jira.transition(issue, DONE, {})
    assert refusal.value.field == "resolution"
    assert _fields(jira, issue)["status"] == REVIEW
    assert list(jira.transition(other, PROGRESS, {})) == [PROGRESS]  # the next one is not concerned


def test_the_way_back_is_found_too(jira: Jira) -> None:
    issue = _made(jira)
    jira.transition(issue, DONE, RESOLVED)
    assert list(jira.transition(issue, PROGRESS, {})) == ["10000", PROGRESS]
    assert _fields(jira, issue)["resolution"] is None


def test_a_step_that_somebody_else_took_first_is_refused_not_forced(remote: Remote, jira: Jira) -> None:
    issue = _made(jira)
    transitions = json.dumps({"transitions": [{"id": "31", "to": {"id": DONE}, "fields": {}}]})
    remote.fault("status", "GET", "/transitions$", status=200, body=transitions)
    with pytest.raises(Rejected):
        jira.transition(issue, DONE, {})


# Comments and time


def test_a_comment_restricted_to_a_role_is_internal(remote: Remote, jira: Jira) -> None:  # 30
    issue = _made(jira)
    text = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": "x"}]}]}
    visibility = {"type": "role", "value": "Administrators"}
    _person(remote, "POST", f"/issue/{issue}/comment", {"body": text, "visibility": visibility})
    (comment,) = jira.comments(issue)
    assert (comment.audience, comment.marker) == (Audience.INTERNAL, None)


def test_internal_text_is_marked_so_in_every_part(remote: Remote, jira: Jira) -> None:  # 30
    issue = _made(jira)
    jira.add_comment(issue, NewComment("the secret " * 6000, Audience.INTERNAL, "M-1"))
    rows = _person(remote, "GET", f"/issue/{issue}/comment", expand="properties")["comments"]
    assert len(rows) == 3
    assert not any(row["jsdPublic"] for row in rows)


def test_a_long_comment_is_read_as_one_and_goes_on_where_it_broke_off(remote: Remote, jira: Jira) -> None:
    issue = _made(jira)
    log = "\n".join(f"{number:05d} GET /portal/tickets/{number} 200" for number in range(2000))
    long = NewComment(f"The log:\n\n```\n{log}\n```\n\nThat is all.", Audience.PUBLIC, "M-1")
    rule = {"match": {"method": "POST", "path": "/comment$", "nth": 2}, "fault": "drop_before_commit", "times": 1}
    remote.post("faults", rule)
    with pytest.raises(Unknown):
        jira.add_comment(issue, long)
    assert jira.comments(issue) == []  # half a comment is none
    added = jira.add_comment(issue, long)
    (comment,) = jira.comments(issue)
    assert (comment.id, comment.marker, comment.audience) == (added, "M-1", Audience.PUBLIC)
    assert [line for line in log.split("\n") if line not in comment.body] == []
    assert len(_person(remote, "GET", f"/issue/{issue}/comment")["comments"]) == 3
    jira.delete_comment(issue, added)
    assert _person(remote, "GET", f"/issue/{issue}/comment")["comments"] == []


def test_time_logged_with_a_lost_answer_is_found_by_its_marker(remote: Remote, jira: Jira) -> None:
    issue = _made(jira)
    remote.fault("drop_after_commit", "POST", "/worklog$")
    with pytest.raises(Unknown):
        jira.add_worklog(issue, NewWorklog(15, "Call", START, "W-1"))
    assert [worklog.marker for worklog in jira.worklogs(issue)] == ["W-1"]


def test_more_comments_than_one_page_are_all_read(jira: Jira) -> None:
    issue = _made(jira)
    for number in range(105):
        jira.add_comment(issue, NewComment(f"No. {number}", Audience.PUBLIC, f"M-{number}"))
    assert [comment.marker for comment in jira.comments(issue)] == [f"M-{number}" for number in range(105)]


# Files


def test_files_come_from_the_site_itself_whatever_address_it_names(
    remote: Remote, jira: Jira, listener: Listener
) -> None:
    issue = _made(jira)
    added = jira.add_attachment(issue, NewAttachment("a.txt", "text/plain", 4, iter([b"text"])), Audience.PUBLIC)
    row = _person(remote, "GET", f"/attachment/{added}")
    body = json.dumps({"fields": {"attachment": [{**row, "content": f"{listener.url}/file"}]}})
    remote.fault("status", "GET", rf"/issue/{issue}$", status=200, body=body)
    remote.post("options", {"media": "redirect"})
    (listed,) = jira.attachments(issue)
    with jira.download(issue, listed) as chunks:
        assert b"".join(chunks) == b"text"
    assert listener.is_silent


def test_a_file_over_the_sites_own_limit_is_refused_unsent(remote: Remote, jira: Jira) -> None:
    issue = _made(jira)
    remote.forget()
    with pytest.raises(Rejected, match="67108864"):
        jira.add_attachment(issue, NewAttachment("a", "text/plain", 100 * 2**20, iter([])), Audience.PUBLIC)
    assert remote.writes() == []


# Webhooks


def test_whatever_hangs_on_an_issue_hints_at_it(remote: Remote, jira: Jira, listener: Listener) -> None:  # 8
    issue = _made(jira)
    remote.post("webhooks", {"url": listener.url, "secret": SECRET})
    jira.add_comment(issue, NewComment("Hello", Audience.PUBLIC, "M-1"))
    jira.add_worklog(issue, NewWorklog(15, "Call", START, "W-1"))
    _person(remote, "DELETE", f"/issue/{issue}")
    heard = [listener.next() for _ in range(5)]
    hints = [hint for one in heard for hint in jira.hints(one.headers, one.body)]
    assert {hint.remote_id for hint in hints} == {issue}
    assert [hint.event for hint in hints] == [
        *("comment_created", "jira:issue_updated", "worklog_created", "jira:issue_updated", "jira:issue_deleted"),
    ]
    assert len({hint.dedupe_key for hint in hints}) == 5


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"webhookEvent": "project_updated"}', b"\xff"])
def test_a_signed_call_about_something_else_hints_at_nothing(jira: Jira, body: bytes) -> None:
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert jira.hints({"x-hub-signature": f"sha256={signature}"}, body) == []


def test_without_a_webhook_secret_nothing_is_believed(remote: Remote) -> None:  # 11
    signature = hmac.new(b"", b"{}", hashlib.sha256).hexdigest()
    with pytest.raises(AuthFailed, match="no webhook secret"):
        Jira(remote.site(scope="DESK"), remote.line()).hints({"x-hub-signature": f"sha256={signature}"}, b"{}")


# The feed


def test_issues_of_one_moment_are_told_apart_by_their_number(jira: Jira) -> None:  # 24
    made = [_made(jira, f"T-{number}") for number in range(12)]
    page = jira.changed_since(Watermark(START), 10)
    assert ([hit.remote_id for hit in page.hits], page.more) == (made[:10], True)
    assert page.next == Watermark(START, "10")
    rest = jira.changed_since(page.next, 10)
    assert ([hit.remote_id for hit in rest.hits], rest.more) == (made[10:], False)
