"""The ServiceNow connector keeps the contract, and what only ServiceNow has."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.connectors.contract import SECOND, SECRET, Call, ContractSuite, Listener, Remote, Subject
from tests.connectors.remote import CLIENT, START

from deskbridge.connectors.servicenow.connector import ServiceNow
from deskbridge.connectors.servicenow.journal import entries
from deskbridge.sync.connector import (
    Attachment,
    Audience,
    AuthFailed,
    Connector,
    NewAttachment,
    NewComment,
    NewWorklog,
    Rejected,
    RetryLater,
    Unknown,
    Watermark,
)

DEMANDED = {"close_code": "Solution provided", "close_notes": "Restarted the service"}
JSON = "application/json"


class TestServiceNow(ContractSuite):
    subject = Subject(
        simulator="servicenow",
        connect=ServiceNow,
        title="short_description",
        text="description",
        create=Call("POST", "/api/now/import/u_desk_incident"),
        fetch=Call("GET", r"/api/now/table/incident/\w{32}"),
        feed=Call("GET", r"/api/now/table/incident$"),
        update=Call("PATCH", "/api/now/table/incident/"),
        far_status="6",
        passed=["6"],
        demanded=DEMANDED,
        choice=("category", "network"),
        files=Audience.PUBLIC,
    )

    # Signing in

    def test_an_access_token_that_ran_out_is_renewed_once(self, remote: Remote) -> None:  # 21
        connector = self.open(remote, CLIENT)
        connector.check()
        remote.tick(timedelta(seconds=1800))
        remote.forget()
        assert connector.check().account == "desk@example.org"
        assert [one["path"] for one in remote.requests("POST")] == ["/oauth_token.do"]

    @pytest.mark.parametrize(("zone", "shown"), [("Asia/Tokyo", "UTC+09:00"), ("America/Los_Angeles", "UTC-08:00")])
    def test_health_tells_the_time_zone_in_which_the_account_is_shown_times(
        self, remote: Remote, connector: Connector, zone: str, shown: str
    ) -> None:
        remote.post("clock", {"time_zone": zone})
        assert connector.check().time_zone == shown

    def test_an_instance_without_the_update_set_says_so(self, remote: Remote, connector: Connector) -> None:
        columns = [{"name": "task", "element": name} for name in ("short_description", "state")]
        blank = dict.fromkeys(
            ("column_label", "internal_type", "max_length", "reference", "read_only", "mandatory"), ""
        )
        body = json.dumps({"result": [{**blank, **column} for column in columns]})
        remote.fault("status", "GET", "/sys_dictionary", status=200, body=body)
        with pytest.raises(AuthFailed, match="update set"):
            connector.describe()

    # Creating

    def test_an_import_sent_again_after_a_lost_answer_makes_no_second_incident(
        self, remote: Remote, connector: Connector
    ) -> None:  # 2
        remote.fault("drop_after_commit", "POST", "/api/now/import/")
        with pytest.raises(Unknown):
            self.made(connector)
        ref = self.made(connector)
        assert [one.id for one in connector.find_by_key("T-1")] == [ref.id]

    def test_two_workers_that_import_at_once_make_one_incident(self, remote: Remote, connector: Connector) -> None:  # 6
        ref = self.made(connector)
        remote.fault("status", "GET", "/table/incident$", status=200, body='{"result": []}')
        assert self.made(self.open(remote)).id == ref.id
        assert len(connector.find_by_key("T-1")) == 1

    def test_creating_again_undoes_nothing_that_people_changed(self, remote: Remote, connector: Connector) -> None:
        ref = self.made(connector, opened_at=START - timedelta(days=3))
        self.retitle(connector, ref, "A person's title")
        assert self.made(connector, opened_at=START) == ref
        record = self.fetched(connector, ref)
        assert record.fields["short_description"] == "A person's title"
        assert record.fields["opened_at"] == START - timedelta(days=3)

    @pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles"])
    def test_a_moment_is_the_same_whatever_the_accounts_time_zone(
        self, remote: Remote, connector: Connector, zone: str
    ) -> None:  # 25
        remote.post("clock", {"time_zone": zone})
        opened = START - timedelta(days=30, hours=5)
        assert self.fetched(connector, self.made(connector, opened_at=opened)).fields["opened_at"] == opened

    def test_a_create_that_broke_off_half_way_is_completed_by_the_next(
        self, remote: Remote, connector: Connector
    ) -> None:
        opened = START - timedelta(days=3)
        remote.fault("drop_before_commit", "PATCH", ".*")
        with pytest.raises(Unknown):
            self.made(connector, opened_at=opened)
        assert self.fetched(connector, self.made(connector, opened_at=opened)).fields["opened_at"] == opened
        assert len(connector.find_by_key("T-1")) == 1

    @pytest.mark.parametrize("status", [401, 429, 503])
    def test_a_create_that_is_held_up_half_way_may_have_made_something(
        self, remote: Remote, connector: Connector, status: int
    ) -> None:
        remote.fault("status", "PATCH", ".*", status=status, body="{}")
        with pytest.raises(Unknown):
            self.made(connector, opened_at=START - timedelta(days=3))
        remote.clock.advance(10 * SECOND)
        assert len(connector.find_by_key("T-1")) == 1

    def test_a_data_policy_that_refuses_an_import_names_the_column(self, connector: Connector) -> None:  # 27
        with pytest.raises(Rejected) as refusal:
            self.made(connector, state="6")
        assert refusal.value.field == "close_code"
        assert connector.find_by_key("T-1") == []
        assert self.made(connector, "T-2").id  # and the next one is not concerned

    def test_incidents_that_share_a_key_are_all_shown(self, remote: Remote, connector: Connector) -> None:
        ref = self.made(connector)
        _table(remote, "POST", "incident", {"short_description": "Copied", "correlation_id": "T-1"})
        assert [one.key for one in connector.find_by_key("T-1")] == [ref.key, "INC0010002"]

    @pytest.mark.parametrize("key", ["", "a^ORactive=true", "a b", "x" * 101])
    def test_a_key_that_the_query_language_could_misread_is_refused(self, connector: Connector, key: str) -> None:
        for call in (lambda: self.made(connector, key), lambda: connector.find_by_key(key)):
            with pytest.raises(Rejected):
                call()

    # Values

    def test_what_an_instance_would_store_amiss_is_refused_unsent(self, remote: Remote, connector: Connector) -> None:
        record = self.fetched(connector, self.made(connector))
        remote.forget()
        wrong = {
            "priority": "1",
            "state": "2",
            "sys_created_on": START,
            "correlation_id": "T-9",
            "impact": "4",
            "due_date": START.replace(tzinfo=None),
            "knowledge": "yes",
            "business_stc": True,
        }
        for name, value in wrong.items():
            with pytest.raises(Rejected) as refusal:
                connector.update(record.ref.id, {name: value}, record.version)
            assert refusal.value.field == name
        assert remote.writes() == []

    def test_priority_follows_from_impact_and_urgency(self, connector: Connector) -> None:
        ref = self.made(connector, impact="2", urgency="1")
        assert self.fetched(connector, ref).fields["priority"] == "2"

    def test_values_are_of_their_kinds(self, remote: Remote, connector: Connector) -> None:
        people = _table(remote, "GET", "sys_user", query="user_name=grace.okafor")
        grace = people[0]["sys_id"]
        ref = self.made(connector, caller_id=grace, due_date=START, watch_list=("b", "a"), business_stc=90)
        connector.update(ref.id, {"business_duration": 5400}, self.fetched(connector, ref).version)
        record = self.fetched(connector, ref)
        assert record.reporter is not None
        assert (record.reporter.id, record.reporter.name, record.reporter.email) == (
            grace,
            "Grace Okafor",
            "grace.okafor@example.org",
        )
        assert record.fields["caller_id"] == grace
        assert record.fields["due_date"] == START
        assert record.fields["watch_list"] == ("a", "b")
        assert record.fields["business_stc"] == 90
        assert record.fields["business_duration"] == 5400
        assert record.fields["active"] is True
        assert record.fields["close_notes"] is None

    def test_groups_can_be_chosen(self, connector: Connector) -> None:
        groups = connector.describe().fields["assignment_group"].choices
        network = next(sys_id for sys_id, name in groups.items() if name == "Network")
        ref = self.made(connector, assignment_group=network)
        assert self.fetched(connector, ref).fields["assignment_group"] == network

    # States

    def test_waiting_for_the_caller_demands_a_reason_and_a_comment(
        self, remote: Remote, connector: Connector
    ) -> None:  # 27
        ref = self.made(connector)
        remote.forget()
        for given, missing in (({}, "hold_reason"), ({"hold_reason": "1"}, "comments")):
            with pytest.raises(Rejected) as refusal:
                connector.transition(ref.id, "3", given)
            assert refusal.value.field == missing
        assert remote.writes() == []
        assert connector.transition(ref.id, "3", {"hold_reason": "1", "comments": "Which **printer**?"}) == ["3"]
        (comment,) = connector.comments(ref.id)
        assert (comment.body, comment.audience, comment.marker) == (
            "Which **printer**?",
            Audience.PUBLIC,
            "transition",
        )
        assert connector.transition(ref.id, "2", {}) == ["2"]

    def test_a_closed_incident_cannot_be_moved(self, remote: Remote, connector: Connector) -> None:
        ref = self.made(connector)
        assert connector.transition(ref.id, "7", DEMANDED) == ["7"]
        remote.forget()
        with pytest.raises(Rejected) as refusal:
            connector.transition(ref.id, "2", {})
        assert refusal.value.field == "state"
        assert remote.writes() == []

    def test_what_another_data_policy_demands_is_named(self, remote: Remote, connector: Connector) -> None:  # 27
        ref = self.made(connector)
        detail = "Data Policy Exception: The following fields are mandatory: Caller"
        body = json.dumps({"error": {"message": "Operation Failed", "detail": detail}, "status": "failure"})
        remote.fault("status", "PATCH", ".*", status=403, body=body)
        with pytest.raises(Rejected) as refusal:
            connector.transition(ref.id, "6", DEMANDED)
        assert refusal.value.field == "caller_id"

    # Comments

    def test_a_long_comment_that_broke_off_goes_on_where_it_ended(self, remote: Remote, connector: Connector) -> None:
        ref = self.made(connector)
        body = " ".join(f"word{number:05d}" for number in range(4000))
        long = NewComment(body, Audience.PUBLIC, "M-1")
        remote.post(
            "faults",
            {"match": {"method": "PATCH", "path": ".*", "nth": 3}, "fault": "status", "status": 429, "times": 1},
        )
        with pytest.raises(Unknown):
            connector.add_comment(ref.id, long)
        remote.clock.advance(10 * SECOND)
        assert connector.comments(ref.id) == []  # half a comment is none
        remote.forget()
        added = connector.add_comment(ref.id, long)
        (comment,) = connector.comments(ref.id)
        assert (comment.id, comment.body, comment.marker) == (added, body, "M-1")
        parts = len(entries(body, "M-1"))
        assert len(remote.writes()) == parts - 2
        assert len(_table(remote, "GET", "sys_journal_field", query="elementISNOTEMPTY")) == parts

    def test_internal_text_is_in_no_public_journal(self, remote: Remote, connector: Connector) -> None:  # 30
        ref = self.made(connector)
        connector.add_comment(ref.id, NewComment("the secret " * 900, Audience.INTERNAL, "M-1"))
        rows = _table(remote, "GET", "sys_journal_field", query="valueLIKEsecret")
        assert len(rows) > 1
        assert {row["element"] for row in rows} == {"work_notes"}

    def test_nobody_else_can_pass_for_us(self, remote: Remote, connector: Connector) -> None:
        grace = _table(remote, "GET", "sys_user", query="user_name=grace.okafor")[0]["sys_id"]
        ref = self.made(connector, caller_id=grace)
        form = {"element": "comments", "text": "I am the desk\n\n[desk:M-1]"}
        _post(remote, ref.id, {**form, "as_caller": "1"})
        (comment,) = connector.comments(ref.id)
        assert comment.marker is None
        assert comment.author is not None
        assert comment.author.id == grace
        assert "desk:M-1" in comment.body

    # Files and time

    def test_an_internal_file_is_not_sent_where_the_caller_would_see_it(
        self, remote: Remote, connector: Connector
    ) -> None:  # 30
        ref = self.made(connector)
        remote.forget()
        with pytest.raises(Rejected, match="caller"):
            connector.add_attachment(ref.id, _file("a.txt", b"secret"), Audience.INTERNAL)
        assert remote.requests() == []

    def test_a_sign_in_page_is_not_taken_for_a_file(self, remote: Remote, connector: Connector) -> None:  # 22
        ref = self.made(connector)
        connector.add_attachment(ref.id, _file("a.txt", b"text"), Audience.PUBLIC)
        (listed,) = connector.attachments(ref.id)
        assert listed.author is not None
        remote.fault("html_200", "GET", "/file$")
        with pytest.raises(RetryLater), connector.download(ref.id, listed) as chunks:
            b"".join(chunks)

    def test_credentials_go_to_no_host_that_a_file_names(
        self, remote: Remote, connector: Connector, listener: Listener
    ) -> None:
        ref = self.made(connector)
        connector.add_attachment(ref.id, _file("a.txt", b"text"), Audience.PUBLIC)
        (row,) = _get(remote, "/api/now/attachment")
        body = json.dumps({"result": [{**row, "download_link": f"{listener.url}/file"}]})
        remote.fault("status", "GET", "/api/now/attachment$", status=200, body=body)
        (listed,) = connector.attachments(ref.id)
        with connector.download(ref.id, listed) as chunks:
            assert b"".join(chunks) == b"text"
        assert listener.is_silent

    @pytest.mark.parametrize("forged", ["../../table/sys_user", "x" * 31, "a/b"])
    def test_an_id_that_is_none_reaches_no_path(self, remote: Remote, connector: Connector, forged: str) -> None:
        self.made(connector)
        remote.forget()
        assert connector.fetch(forged) is None
        with (
            pytest.raises(Rejected),
            connector.download(forged, Attachment(forged, "a", 1, "text/plain", None, START)) as chunks,
        ):
            b"".join(chunks)
        with pytest.raises(Rejected):
            connector.comments(forged)
        assert remote.requests() == []

    def test_time_logged_with_a_lost_answer_is_found_by_its_marker(self, remote: Remote, connector: Connector) -> None:
        ref = self.made(connector)
        remote.fault("drop_after_commit", "POST", "/task_time_worked")
        with pytest.raises(Unknown):
            connector.add_worklog(ref.id, NewWorklog(15, "Call", START, "W-1"))
        assert [worklog.marker for worklog in connector.worklogs(ref.id)] == ["W-1"]

    def test_time_that_people_log_ends_when_it_is_entered(self, remote: Remote, connector: Connector) -> None:
        ref = self.made(connector)
        entry = {"task": ref.id, "time_in_seconds": "1810", "comments": "On site"}
        _table(remote, "POST", "task_time_worked", entry)
        _table(remote, "POST", "task_time_worked", {**entry, "work_date": "2026-03-01"})
        today, another = sorted(connector.worklogs(ref.id), key=lambda one: one.started_at, reverse=True)
        assert (today.minutes, today.note, today.marker) == (30, "On site", None)
        assert today.started_at == START - timedelta(seconds=1810)
        assert f"{another.started_at:%Y-%m-%d}" == "2026-03-01"

    # The change feed

    def test_the_next_page_is_asked_for_in_alternatives(self, remote: Remote, connector: Connector) -> None:
        made = [self.made(connector, f"T-{number}").id for number in range(3)]
        remote.forget()
        page = connector.changed_since(Watermark(START), 2)
        connector.changed_since(page.next, 2)
        asked = [dict(one["query"])["sysparm_query"] for one in remote.requests("GET")]
        first, last = sorted(made)[1], "2026-03-04 10:30:15"
        order = "^ORDERBYsys_updated_on^ORDERBYsys_id"
        assert asked[0] == f"sys_updated_on>={last}{order}"
        assert asked[3] == f"sys_updated_on>{last}^NQsys_updated_on={last}^sys_id>{first}{order}"

    def test_files_and_worked_time_are_changes_of_their_incident(self, remote: Remote, connector: Connector) -> None:
        ref, other = self.made(connector), self.made(connector, "T-2")
        remote.tick(10 * SECOND)
        since = Watermark(connector.now())
        connector.add_attachment(ref.id, _file("a.txt", b"text"), Audience.PUBLIC)
        connector.add_worklog(other.id, NewWorklog(15, "Call", START, "W-1"))
        page = connector.changed_since(since, 10)
        assert {hit.remote_id for hit in page.hits} == {ref.id, other.id}
        assert len({hit.version for hit in page.hits}) == 2
        assert connector.changed_since(page.next, 10).hits == []

    def test_no_row_is_passed_over_between_the_feeds(self, connector: Connector) -> None:  # 24
        refs = [self.made(connector, f"T-{number}") for number in range(4)]
        for ref in refs:
            connector.add_attachment(ref.id, _file("a.txt", b"text"), Audience.PUBLIC)
            connector.add_worklog(ref.id, NewWorklog(15, "Call", START, "W-1"))
        seen: list[tuple[str, str]] = []
        since, more = Watermark(START), True
        while more:
            page = connector.changed_since(since, 5)
            seen += [(hit.remote_id, hit.version) for hit in page.hits]
            since, more = page.next, page.more
        assert len(seen) == len(set(seen)) == 12

    def test_the_instances_own_limit_is_obeyed(self, remote: Remote, connector: Connector) -> None:  # 19
        ref = self.made(connector)
        remote.post("limits", {"requests": 0, "seconds": 60})
        with pytest.raises(RetryLater) as told:
            connector.fetch(ref.id)
        assert told.value.after == timedelta(seconds=45)  # the minute ends then
        remote.forget()
        with pytest.raises(RetryLater):
            connector.find_by_key("T-1")
        assert remote.requests() == []

    # Webhooks

    def test_whatever_hangs_on_an_incident_hints_at_it(
        self, remote: Remote, connector: Connector, listener: Listener
    ) -> None:  # 8
        ref = self.made(connector)
        remote.post("webhooks", {"url": listener.url, "secret": SECRET})
        connector.add_attachment(ref.id, _file("a.txt", b"text"), Audience.PUBLIC)
        added = listener.next()
        _table(remote, "DELETE", f"incident/{ref.id}")
        deleted = listener.next()
        hints = [connector.hints(one.headers, one.body)[0] for one in (added, deleted)]
        assert {hint.remote_id for hint in hints} == {ref.id}
        assert [hint.event for hint in hints] == ["sys_attachment.insert", "incident.delete"]
        assert [hint.dedupe_key for hint in hints] == [one.headers["x-desk-delivery"] for one in (added, deleted)]

    @pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"task": "x"}', b"\xff"])
    def test_a_signed_call_about_something_else_hints_at_nothing(self, connector: Connector, body: bytes) -> None:
        assert connector.hints({"x-desk-signature": f"sha256={_signature(body)}"}, body) == []


def _signature(body: bytes) -> str:
    return hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


def _file(name: str, content: bytes) -> NewAttachment:
    return NewAttachment(name, "text/plain", len(content), iter([content]))


def _table(remote: Remote, method: str, path: str, body: Mapping[str, str] | None = None, query: str = "") -> Any:
    """What an administrator of the instance does, or looks up."""
    return _get(remote, f"/api/now/table/{path}", method, body, query)


def _get(remote: Remote, path: str, method: str = "GET", body: Mapping[str, str] | None = None, query: str = "") -> Any:
    headers = {"Authorization": "Bearer desk-token", "Accept": JSON, "Content-Type": JSON}
    params = {"sysparm_query": query} if query else None
    content = json.dumps(body) if body else None
    answer = httpx.request(method, f"{remote.url}{path}", headers=headers, params=params, content=content)
    assert answer.status_code < 300, answer.text
    return answer.json()["result"] if answer.content else None


def _post(remote: Remote, sys_id: str, form: Mapping[str, str]) -> None:
    """What somebody writes in the instance's own pages."""
    address = f"{remote.url}/incident.do?sysparm_action=post&sys_id={sys_id}"
    answer = httpx.post(address, data=form)
    assert answer.status_code == 303, answer.text
