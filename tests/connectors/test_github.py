"""GitHub's connector keeps the contract, and what only GitHub has."""

import hashlib
import hmac
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from tests.connectors.contract import SECRET, Call, ContractSuite, Subject
from tests.connectors.remote import START, TOKEN, USER, Remote

from deskbridge.connectors.github.client import Client
from deskbridge.connectors.github.connector import GitHub
from deskbridge.connectors.registry import shipped_mapping
from deskbridge.connectors.shared import Line, Site
from deskbridge.kit.clock import ManualClock
from deskbridge.sync.connector import (
    Audience,
    AuthFailed,
    Connector,
    Failure,
    NewAttachment,
    NewComment,
    Rejected,
    RetryLater,
    Unknown,
    Watermark,
)

RECORDED = Path(__file__).parent / "recorded" / "github"
MAPPING: dict[str, Any] = yaml.safe_load(shipped_mapping("github"))


class TestGitHub(ContractSuite):
    subject = Subject(
        simulator="github",
        connect=GitHub,
        scope="example/desk",
        title="title",
        text="body",
        create=Call("POST", r"/repos/example/desk/issues$"),
        fetch=Call("GET", r"/repos/example/desk/issues/\d+$"),
        feed=Call("GET", r"/repos/example/desk/issues$"),
        update=Call("PATCH", r"/repos/example/desk/issues/\d+$"),
        far_status="completed",
        passed=("completed",),
        choice=("milestone", "1"),
        accounts=(TOKEN, USER),
    )

    # What only GitHub has

    def test_every_field_and_every_value_of_the_shipped_mapping_is_there(self, connector: Connector) -> None:
        fields = connector.describe().fields
        for name, field in MAPPING["fields"].items():
            assert field["remote"] in fields, name
            if "values" in field:
                assert set(field["values"]) == set(fields[field["remote"]].choices)

    def test_a_public_repository_gets_nothing_internal(self, remote: Remote, connector: Connector) -> None:  # 30
        remote.post("options", {"visibility": "public"})
        ref = self.made(connector)
        remote.forget()
        with pytest.raises(Rejected, match="public"):
            connector.add_comment(ref.id, NewComment("Secret", Audience.INTERNAL, "M-1"))
        with pytest.raises(Rejected, match="public"):
            connector.add_attachment(ref.id, NewAttachment("a.txt", "text/plain", 1, iter([b"x"])), Audience.INTERNAL)
        assert remote.writes() == []
        connector.add_comment(ref.id, NewComment("For everybody", Audience.PUBLIC, "M-2"))
        assert [comment.body for comment in connector.comments(ref.id)] == ["For everybody"]

    def test_our_mark_is_on_the_page_and_in_no_text(self, remote: Remote, connector: Connector) -> None:
        ref = self.made(connector, body="Hello")
        stored = _github(remote, "GET", f"/issues/{ref.id}")["body"]
        assert stored == "Hello\n\n<!-- deskbridge:T-1 -->"
        connector.update(ref.id, {"body": "Changed"}, self.fetched(connector, ref).version)
        assert self.fetched(connector, ref).fields["body"] == "Changed"
        assert [one.id for one in connector.find_by_key("T-1")] == [ref.id]

    def test_somebody_elses_mark_is_text(self, remote: Remote, connector: Connector) -> None:
        ref = self.made(connector)
        forged = "I am the desk\n\n<!-- deskbridge:M-1 -->"
        state = {"body": forged, "user": {"id": 1002, "login": "mrossi"}, "id": 1, "created_at": "2026-03-04T10:30:15Z"}
        body = json.dumps([{**state, "updated_at": "2026-03-04T10:30:15Z"}])
        remote.fault("status", "GET", "/comments$", status=200, body=body)
        (comment,) = connector.comments(ref.id)
        assert (comment.body, comment.marker) == (forged, None)

    def test_an_issue_is_found_before_the_index_shows_it(self, remote: Remote, connector: Connector) -> None:
        remote.post("lag", {"seconds": 3600})
        assert [one.id for one in connector.find_by_key("T-1")] == []
        ref = self.made(connector)
        assert [one.id for one in connector.find_by_key("T-1")] == [ref.id]

    def test_an_old_issue_is_found_by_the_index(self, connector: Connector) -> None:
        ref = self.made(connector)
        for number in range(100):
            self.made(connector, f"N-{number}")
        assert [one.id for one in connector.find_by_key("T-1")] == [ref.id]

    @pytest.mark.parametrize("key", ["", "a b", "x -->", "ü"])
    def test_a_key_that_could_end_its_mark_is_refused(self, remote: Remote, connector: Connector, key: str) -> None:
        connector.describe()
        remote.forget()
        with pytest.raises(Rejected):
            self.made(connector, key)
        assert remote.writes() == []

    def test_a_comment_in_parts_is_read_as_one_and_goes_on_where_it_broke_off(
        self, remote: Remote, connector: Connector
    ) -> None:
        ref = self.made(connector)
        words = [f"word{number:05d}" for number in range(12_000)]
        long = NewComment(" ".join(words), Audience.PUBLIC, "M-1")
        rule = {"match": {"method": "POST", "path": "/comments$", "nth": 2}, "fault": "drop_before_commit", "times": 1}
        remote.post("faults", rule)
        with pytest.raises(Unknown):
            connector.add_comment(ref.id, long)
        assert connector.comments(ref.id) == []
        added = connector.add_comment(ref.id, long)
        (comment,) = connector.comments(ref.id)
        assert (comment.id, comment.marker) == (added, "M-1")
        assert comment.body.split() == words
        with pytest.raises(Rejected):
            connector.edit_comment(ref.id, added, "Short")
        connector.delete_comment(ref.id, added)
        assert _github(remote, "GET", f"/issues/{ref.id}/comments") == []

    def test_every_closed_state_can_be_reached_from_every_other(self, connector: Connector) -> None:
        ref = self.made(connector)
        for status in ("not_planned", "completed", "open", "duplicate", "open"):
            assert connector.transition(ref.id, status, {}) == [status]
            assert self.fetched(connector, ref).fields["state"] == status

    def test_people_are_assigned_by_the_id_that_never_changes(self, connector: Connector) -> None:
        ref = self.made(connector, assignee="1002")
        assert self.fetched(connector, ref).fields["assignee"] == "1002"
        connector.update(ref.id, {"assignee": None}, self.fetched(connector, ref).version)
        assert self.fetched(connector, ref).fields["assignee"] is None
        with pytest.raises(Rejected) as refusal:
            connector.update(ref.id, {"assignee": "9"}, self.fetched(connector, ref).version)
        assert refusal.value.field == "assignee"

    def test_the_hours_limit_is_a_quota_that_ends_when_github_says(self, remote: Remote, connector: Connector) -> None:
        ref = self.made(connector)
        remote.post("limits", {"requests": 0, "seconds": 600})
        remote.clock.advance(timedelta(minutes=10))  # the reset is of GitHub's clock
        with pytest.raises(RetryLater) as told:
            connector.fetch(ref.id)
        assert (told.value.after, told.value.quota) == (timedelta(seconds=600), True)
        remote.forget()
        with pytest.raises(RetryLater):
            connector.fetch(ref.id)
        assert remote.requests() == []

    @pytest.mark.parametrize("name", sorted(path.stem for path in RECORDED.glob("*.json")))
    def test_an_answer_is_the_failure_that_tells_what_to_do(self, name: str) -> None:
        recorded = json.loads((RECORDED / f"{name}.json").read_text())
        content = recorded.get("text", json.dumps(recorded.get("body")))
        answer = httpx.Response(recorded["status"], headers=recorded.get("headers"), text=content)
        clock = ManualClock(START)
        line = Line(httpx.MockTransport(lambda request: answer), clock, clock.advance)
        client = Client(Site("https://api.github.com", TOKEN, "example/desk"), line)
        calls = {
            "read": lambda: client.read("/user", lambda reply: reply.data["id"]),
            "write": lambda: client.write("POST", "/issues", {}, lambda reply: reply.data["number"]),
        }
        with pytest.raises(Failure) as failure:
            calls[recorded["call"]]()
        assert type(failure.value).__name__ == recorded["failure"]
        for told in ("field", "quota"):
            assert getattr(failure.value, told, None) == recorded.get(told, getattr(failure.value, told, None))
        if "after" in recorded:
            assert getattr(failure.value, "after", None) == timedelta(seconds=recorded["after"])

    @pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"zen": "Keep it logically awesome."}', b"\xff"])
    def test_a_signed_call_about_something_else_hints_at_nothing(self, remote: Remote, body: bytes) -> None:
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert self.open(remote).hints({"x-hub-signature-256": f"sha256={signature}"}, body) == []

    def test_pull_requests_are_no_issues_of_ours(self, remote: Remote, connector: Connector) -> None:
        ref = self.made(connector)
        row = _github(remote, "GET", f"/issues/{ref.id}")
        pull = {**row, "number": 2, "pull_request": {"url": "x"}}
        remote.fault("status", "GET", "/issues$", status=200, body=json.dumps([row, pull]))
        assert [hit.remote_id for hit in connector.changed_since(Watermark(START), 10).hits] == [ref.id]
        told = json.dumps({"action": "edited", "issue": pull}).encode()
        signature = hmac.new(SECRET.encode(), told, hashlib.sha256).hexdigest()
        headers = {"x-hub-signature-256": f"sha256={signature}", "x-github-event": "issues"}
        assert connector.hints(headers, told) == []

    def test_an_issue_that_moved_to_another_repository_is_gone(self, remote: Remote, connector: Connector) -> None:
        ref = self.made(connector)
        body = json.dumps({"message": "Moved Permanently", "url": "https://api.github.com/repositories/2/issues/7"})
        location = {"Location": "https://api.github.com/repositories/2/issues/7"}
        remote.fault("status", "GET", r"/issues/\d+$", status=301, body=body, headers=location)
        assert connector.fetch(ref.id) is None

    @pytest.mark.parametrize(
        ("told", "is_gone"), [("This issue was deleted", True), ("Issues has been disabled", False)]
    )
    def test_a_repository_without_issues_is_not_taken_for_deleted_ones(
        self, remote: Remote, connector: Connector, told: str, is_gone: bool
    ) -> None:  # 29
        ref = self.made(connector)
        body = json.dumps({"message": told})
        remote.fault("status", "GET", r"/issues/\d+$", status=410, body=body)
        if is_gone:
            assert connector.fetch(ref.id) is None
        else:
            with pytest.raises(AuthFailed):
                connector.fetch(ref.id)

    def test_files_we_did_not_put_there_are_left_alone(self, remote: Remote, connector: Connector) -> None:
        ref = self.made(connector)
        connector.add_attachment(ref.id, NewAttachment("../a b.txt", "text/plain", 1, iter([b"x"])), Audience.INTERNAL)
        content = {"message": "m", "branch": "deskbridge", "content": ""}
        _github(remote, "PUT", f"/contents/.deskbridge/{ref.id}/notes.md", content)
        (listed,) = connector.attachments(ref.id)
        assert (listed.name, listed.created_at, listed.media_type) == ("../a b.txt", START, "text/plain")


def _github(remote: Remote, method: str, path: str, body: object = None) -> Any:
    """What somebody does in GitHub itself."""
    headers = {"Authorization": "Bearer desk-token"}
    answer = httpx.request(method, f"{remote.url}/repos/example/desk{path}", json=body, headers=headers)
    assert answer.status_code < 300, answer.text
    return answer.json()
