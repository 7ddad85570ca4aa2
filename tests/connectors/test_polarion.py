"""The Polarion connector keeps the contract, and what only Polarion has."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from tests.connectors.contract import SECOND, SECRET, Call, ContractSuite, Subject
from tests.connectors.remote import START, TOKEN, USER, Listener, Remote

from deskbridge.connectors.polarion.connector import Polarion
from deskbridge.connectors.shared import UNTOLD, Line
from deskbridge.simulators.webhooks import sign
from deskbridge.sync.connector import (
    Audience,
    AuthFailed,
    Connector,
    Moved,
    NewAttachment,
    NewComment,
    NewWorklog,
    Rejected,
    RetryLater,
    Unknown,
    Watermark,
)

API = "/polarion/rest/v1"
ITEMS = "/projects/DESK/workitems"


class TestPolarion(ContractSuite):
    subject = Subject(
        simulator="polarion",
        connect=Polarion,
        title="title",
        text="description",
        create=Call("POST", "/projects/DESK/workitems$"),
        fetch=Call("GET", r"/workitems/DESK-\d+$"),
        feed=Call("GET", "/projects/DESK/workitems$"),
        update=Call("PATCH", r"/workitems/DESK-\d+$"),
        far_status="done",
        passed=("in_progress", "done"),
        minimum={"type": "defect"},
        demanded={"resolution": "fixed"},
        choice=("severity", "critical"),
        scope="DESK",
        accounts=(USER, TOKEN),
    )

    # The connection

    def test_the_servers_limit_is_kept_by_ourselves(self, remote: Remote) -> None:
        line = remote.line()
        paced = Polarion(remote.site(scope="DESK"), Line(line.transport, line.clock, remote.tick))
        remote.post("limits", {"enabled": True})
        paced.check()
        ref = paced.create("T-1", self.new())
        for _ in range(5):
            assert paced.fetch(ref.id) is not None

    def test_a_server_without_its_rest_api_is_away_and_nothing_was_changed(
        self, remote: Remote, connector: Connector
    ) -> None:
        ref = self.made(connector)
        version = self.fetched(connector, ref).version
        remote.post("options", {"rest_api": "off"})
        with pytest.raises(RetryLater):
            connector.fetch(ref.id)
        with pytest.raises(RetryLater):
            connector.create("T-2", self.new())
        remote.post("options", {"rest_api": "on"})
        assert connector.find_by_key("T-2") == []
        assert self.fetched(connector, ref).version == version

    def test_a_project_without_a_field_for_our_key_says_so(self, remote: Remote, connector: Connector) -> None:
        attributes = {name: {"label": name, "type": {"kind": "string"}} for name in ("title", "status", "type")}
        body = json.dumps({"data": {"attributes": attributes, "relationships": {}}})
        remote.fault("status", "GET", "/actions/getFieldsMetadata$", status=200, body=body)
        with pytest.raises(AuthFailed, match="deskRef"):
            connector.check()

    def test_a_project_that_is_not_there_says_so(self, remote: Remote) -> None:
        lost = Polarion(remote.site(scope="NOPE"), remote.line())
        with pytest.raises(AuthFailed, match="NOPE"):
            lost.check()

    # What Polarion would store without a word

    def test_a_ghost_is_refused_before_it_is_sent(self, remote: Remote, connector: Connector) -> None:  # 27
        ref = self.made(connector)
        version = self.fetched(connector, ref).version
        remote.forget()
        ghosts: dict[str, Any] = {"severity": "must_have", "priority": "1", "resolution": "gone", "colour": "red"}
        for name, value in ghosts.items():
            for write in (
                lambda fields: connector.create("T-2", self.new(**fields)),
                lambda fields: connector.update(ref.id, fields, version),
                lambda fields: connector.transition(ref.id, "done", fields),
            ):
                with pytest.raises(Rejected) as refusal:
                    write({name: value})
                assert refusal.value.field == name
        assert remote.writes() == []

    def test_an_enumeration_without_options_is_read_and_not_written(self, remote: Remote, connector: Connector) -> None:
        error = {"status": "404", "title": "Not Found", "detail": "no such enumeration", "source": None}
        body = json.dumps({"errors": [error]})
        remote.fault("status", "GET", "/fields/resolution/", times=None, status=404, body=body)
        ref = self.made(connector)
        assert not connector.describe().fields["resolution"].writable
        with pytest.raises(Rejected) as refusal:
            connector.update(ref.id, {"resolution": "fixed"}, self.fetched(connector, ref).version)
        assert refusal.value.field == "resolution"

    @pytest.mark.parametrize("item_type", ["story", "", None])
    def test_a_type_the_project_has_not_is_refused(
        self, remote: Remote, connector: Connector, item_type: str | None
    ) -> None:
        remote.forget()
        with pytest.raises(Rejected) as refusal:
            connector.create("T-1", {"type": item_type, "title": "Printer on fire"})
        assert refusal.value.field == "type"
        assert remote.writes() == []

    def test_a_status_and_a_type_are_never_written_past_the_workflow(
        self, remote: Remote, connector: Connector
    ) -> None:
        ref = self.made(connector)
        version = self.fetched(connector, ref).version
        remote.forget()
        for name, value in {"status": "done", "type": "task"}.items():
            with pytest.raises(Rejected) as refusal:
                connector.update(ref.id, {name: value}, version)
            assert refusal.value.field == name
        assert remote.writes() == []

    def test_an_assignee_is_written_by_id_and_an_unknown_one_is_refused_by_name(self, connector: Connector) -> None:
        ref = self.made(connector, assignee="jweber")
        assert self.fetched(connector, ref).fields["assignee"] == "jweber"
        connector.update(ref.id, {"assignee": None}, self.fetched(connector, ref).version)
        assert self.fetched(connector, ref).fields["assignee"] is None
        with pytest.raises(Rejected) as refusal:
            connector.update(ref.id, {"assignee": "nobody"}, self.fetched(connector, ref).version)
        assert refusal.value.field == "assignee"

    @pytest.mark.parametrize("key", ["", 'a"b', "a b", "a*", "x" * 101])
    def test_a_key_the_query_could_misread_is_refused(self, connector: Connector, key: str) -> None:
        with pytest.raises(Rejected):
            connector.create(key, self.new())
        with pytest.raises(Rejected):
            connector.find_by_key(key)

    def test_a_record_that_the_query_misses_is_found_among_the_newest(
        self, remote: Remote, connector: Connector
    ) -> None:
        ref = self.made(connector)
        empty = json.dumps({"data": [], "links": {}, "meta": {"totalCount": 0}})
        remote.fault("status", "GET", "/workitems$", status=200, body=empty)
        assert [one.id for one in connector.find_by_key("T-1")] == [ref.id]

    # What people wrote

    def test_what_markdown_cannot_say_is_lossy_and_stays_until_somebody_edits_it(
        self, remote: Remote, connector: Connector
    ) -> None:
        ref = self.made(connector)
        html = '<p>See <span style="color: red;">red</span> <img src="workitemimg:1-shot.png"/></p>'
        _patch(remote, ref.id, {"description": {"type": "text/html", "value": html}})
        read = self.fetched(connector, ref)
        assert read.fields["description"] == "See red [1-shot.png]"
        assert read.lossy == {"description"}
        connector.update(ref.id, {"title": "Smoke only"}, read.version)
        stored = _get(remote, f"{ITEMS}/{ref.id}")["data"]["attributes"]["description"]["value"]
        assert stored == html

    def test_a_ghost_that_somebody_else_stored_is_read_as_it_is(self, remote: Remote, connector: Connector) -> None:
        ref = self.made(connector)
        plain = {"type": "text/plain", "value": "<b>\nx"}
        _patch(remote, ref.id, {"severity": "apocalyptic", "colour": "red", "description": plain})
        read = self.fetched(connector, ref)
        assert read.fields["severity"] == "apocalyptic"
        assert "colour" not in read.fields
        assert read.fields["description"] == "<b>\nx"

    def test_a_persons_comment_has_no_marker_and_keeps_its_title(self, remote: Remote, connector: Connector) -> None:
        ref = self.made(connector)
        _comment(
            remote, ref.id, {"title": "Deskbridge says", "text": {"type": "text/html", "value": "Not <u>ours</u>"}}
        )
        (read,) = connector.comments(ref.id)
        assert (read.body, read.marker, read.lossy) == ("**Deskbridge says**\n\nNot ours", None, True)
        assert read.audience is Audience.INTERNAL

    def test_a_marker_counts_only_in_what_our_own_account_wrote(self, remote: Remote, connector: Connector) -> None:
        ref = self.made(connector)
        connector.add_comment(ref.id, NewComment("Ours", Audience.INTERNAL, "M-1"))
        title = _get(remote, f"{ITEMS}/{ref.id}/comments")["data"][0]["attributes"]["title"]
        who = {"author": {"data": {"type": "users", "id": "mrossi"}}}
        _comment(remote, ref.id, {"title": title, "text": {"type": "text/html", "value": "A copy"}}, who)
        _work(remote, ref.id, {"timeSpent": "1h", "comment": "x [desk:W-1 2026-03-04T08:30:15Z]"}, "mrossi")
        assert [comment.marker for comment in connector.comments(ref.id)] == ["M-1", None]
        assert [worklog.marker for worklog in connector.worklogs(ref.id)] == [None]

    def test_a_comment_too_long_to_be_one_is_attached_once(self, remote: Remote, connector: Connector) -> None:  # 30
        ref = self.made(connector)
        text = "".join(f"word{number:06d} " for number in range(30_000)).strip()
        remote.fault("drop_after_commit", "POST", "/comments$")
        with pytest.raises(Unknown):
            connector.add_comment(ref.id, NewComment(text, Audience.INTERNAL, "M-1"))
        assert [comment.marker for comment in connector.comments(ref.id)] == ["M-1"]
        connector.add_comment(ref.id, NewComment(text, Audience.INTERNAL, "M-1"))
        (attached,) = connector.attachments(ref.id)
        assert attached.name in connector.comments(ref.id)[0].body
        with connector.download(ref.id, attached) as chunks:
            assert b"".join(chunks).decode() == text

    def test_many_comments_are_all_read(self, connector: Connector) -> None:
        ref = self.made(connector)
        for number in range(130):
            connector.add_comment(ref.id, NewComment(f"Text {number}", Audience.INTERNAL, f"M-{number}"))
        assert [one.marker for one in connector.comments(ref.id)] == [f"M-{number}" for number in range(130)]

    @pytest.mark.parametrize("name", ["a/b?c#d%.txt", "..", 'quo"te\n.txt', "報告 👩‍💻.bin", ""])
    def test_a_file_of_any_name_is_found_again(self, connector: Connector, name: str) -> None:
        ref = self.made(connector)
        added = connector.add_attachment(ref.id, NewAttachment(name, "", 3, iter([b"abc"])), Audience.PUBLIC)
        (listed,) = connector.attachments(ref.id)
        assert listed.id == added
        with connector.download(ref.id, listed) as chunks:
            assert b"".join(chunks) == b"abc"

    # Time

    def test_a_persons_work_record_starts_with_its_day(self, remote: Remote, connector: Connector) -> None:
        ref = self.made(connector)
        _work(remote, ref.id, {"date": "2026-03-02", "timeSpent": "1d 1/2h", "comment": "On site [desk: no]"}, "jweber")
        (read,) = connector.worklogs(ref.id)
        assert (read.minutes, read.note, read.marker) == (510, "On site [desk: no]", None)
        assert read.started_at == datetime(2026, 3, 2, tzinfo=UTC)
        assert read.author is not None
        assert (read.author.id, read.author.email) == ("jweber", "jonas.weber@example.org")

    def test_a_work_record_has_the_day_of_the_servers_time_zone(self, remote: Remote, connector: Connector) -> None:
        ref = self.made(connector)
        body = json.dumps({"data": {"type": "metadata", "id": "metadata", "attributes": {"timezone": "+09:00"}}})
        remote.fault("status", "GET", "/metadata$", status=200, body=body)
        assert connector.check().time_zone == "UTC+09:00"
        started_at = datetime(2026, 3, 3, 20, 0, tzinfo=UTC)
        connector.add_worklog(ref.id, NewWorklog(5, "", started_at, "W-1"))
        (stored,) = _get(remote, f"{ITEMS}/{ref.id}/workrecords")["data"]
        assert stored["attributes"]["date"] == "2026-03-04"
        assert connector.worklogs(ref.id)[0].started_at == started_at

    # The workflow

    def test_a_way_nobody_has_gone_before_is_found(self, remote: Remote, connector: Connector) -> None:
        ref = self.made(connector)
        remote.forget()
        passed = connector.transition(ref.id, "verified", {"resolution": "fixed"})
        assert passed == ["in_progress", "done", "verified"]
        assert len(remote.writes()) == 3

    def test_another_item_on_the_way_tells_what_will_be_demanded(self, remote: Remote, connector: Connector) -> None:
        other, ref = self.made(connector, "T-0"), self.made(connector)
        connector.transition(other.id, "in_progress", {})
        fresh = self.open(remote)
        remote.forget()
        with pytest.raises(Rejected) as refusal:
            fresh.transition(ref.id, "done", {})
        assert refusal.value.field == "resolution"
        assert remote.writes() == []

    def test_a_demand_that_is_filled_already_is_met(self, connector: Connector) -> None:
        ref = self.made(connector, resolution="duplicate")
        assert connector.transition(ref.id, "done", {}) == ["in_progress", "done"]
        assert self.fetched(connector, ref).fields["resolution"] == "duplicate"

    def test_a_step_writes_nothing_but_the_status_and_what_it_demands(
        self, remote: Remote, connector: Connector
    ) -> None:
        ref = self.made(connector, description="stays")
        before = self.fetched(connector, ref).fields
        connector.transition(ref.id, "in_progress", {})
        after = self.fetched(connector, ref).fields
        assert {name for name in after if after[name] != before[name]} == {"status"}
        assert len(connector.find_by_key("T-1")) == 1

    def test_a_record_born_there_can_be_moved_too(self, remote: Remote, connector: Connector) -> None:
        item_id = _born_there(remote)
        assert connector.transition(item_id, "in_progress", {}) == ["in_progress"]
        record = connector.fetch(item_id)
        assert record is not None
        assert record.fields["title"] == "Born there"

    def test_a_step_somebody_else_took_first_is_moved(self, remote: Remote, connector: Connector) -> None:  # 18
        ref = self.made(connector)
        source = {"parameter": "workflowAction"}
        error = {"status": "400", "title": "Bad Request", "detail": "is not available", "source": source}
        remote.fault("status", "PATCH", "/workitems/", status=400, body=json.dumps({"errors": [error]}))
        with pytest.raises(Moved):
            connector.transition(ref.id, "in_progress", {})

    @pytest.mark.parametrize("fault", ["status", "drop_before_commit"])
    def test_a_way_that_breaks_off_is_unknown_and_goes_on_from_where_it_is(
        self, remote: Remote, connector: Connector, fault: str
    ) -> None:
        ref = self.made(connector)
        remote.post("faults", {"match": {"method": "PATCH", "path": ".*", "nth": 2}, "fault": fault, "status": 429})
        with pytest.raises(Unknown):
            connector.transition(ref.id, "done", {"resolution": "fixed"})
        remote.tick(UNTOLD)
        assert connector.transition(ref.id, "done", {"resolution": "fixed"}) == ["done"]

    # The change feed

    def test_comments_files_and_work_show_in_the_feed(self, remote: Remote, connector: Connector) -> None:
        ref = self.made(connector)
        text = NewAttachment("a.txt", "text/plain", 1, iter([b"a"]))
        for happens in (
            lambda: connector.add_comment(ref.id, NewComment("Hello", Audience.INTERNAL, "M-1")),
            lambda: connector.add_attachment(ref.id, text, Audience.INTERNAL),
            lambda: connector.add_worklog(ref.id, NewWorklog(5, "", START, "W-1")),
        ):
            remote.tick(SECOND)
            since = Watermark(remote.now)
            happens()
            assert [hit.remote_id for hit in connector.changed_since(since, 10).hits] == [ref.id]

    def test_a_long_pause_is_caught_up_in_order(self, remote: Remote, connector: Connector) -> None:
        since = Watermark(connector.now() - timedelta(days=30))
        made = []
        for number in range(4):
            remote.tick(timedelta(days=100))
            made.append(self.made(connector, f"T-{number}").id)
        found: list[str] = []
        more = True
        while more:
            page = connector.changed_since(since, 2)
            found += [hit.remote_id for hit in page.hits]
            since, more = page.next, page.more
        assert found == made

    def test_a_poll_that_finds_little_asks_once(self, remote: Remote, connector: Connector) -> None:
        for number in range(120):
            self.made(connector, f"T-{number}")
        remote.tick(SECOND)
        since = Watermark(remote.now)
        ref = self.made(connector, "T-new")
        remote.forget()
        assert [hit.remote_id for hit in connector.changed_since(since, 100).hits] == [ref.id]
        assert len(remote.requests()) == 1

    def test_what_changes_while_the_feed_is_read_hides_nothing(self, remote: Remote, connector: Connector) -> None:
        made = {self.made(connector, f"T-{number}").id for number in range(150)}
        remote.tick(SECOND)

        def touch() -> None:
            _patch(remote, "DESK-1", {"title": "Touched"})

        feed = Polarion(remote.site(scope="DESK"), _between(remote, "/workitems?", touch))
        page = feed.changed_since(Watermark(START), 1000)
        assert {hit.remote_id for hit in page.hits} == made

    def test_what_leaves_the_days_that_are_read_hides_nothing(self, remote: Remote, connector: Connector) -> None:
        made = {self.made(connector, f"T-{number}").id for number in range(150)}
        remote.tick(timedelta(days=30))

        def touch() -> None:
            _patch(remote, "DESK-1", {"title": "Touched"})

        feed = Polarion(remote.site(scope="DESK"), _between(remote, "/workitems?", touch))
        page = feed.changed_since(Watermark(START), 1000)
        assert {hit.remote_id for hit in page.hits} >= made - {"DESK-1"}
        assert page.more
        assert {hit.remote_id for hit in feed.changed_since(page.next, 1000).hits} >= {"DESK-1"}

    # Webhooks

    def test_a_removed_item_is_hinted_at(self, remote: Remote, connector: Connector, listener: Listener) -> None:
        ref = self.made(connector)
        remote.post("webhooks", {"url": listener.url, "secret": SECRET})
        _call(remote, "DELETE", ITEMS, {"data": [{"type": "workitems", "id": f"DESK/{ref.id}"}]})
        heard = listener.next()
        (hint,) = connector.hints(heard.headers, heard.body)
        assert (hint.remote_id, hint.event) == (ref.id, "workitem.deleted")
        assert connector.fetch(ref.id) is None
        assert connector.comments(ref.id) == []

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"not json",
            b"[]",
            b'{"event": "workitem.updated"}',
            b'{"event": "workitem.updated", "projectId": "OTHER", "workItemId": "OTHER-1"}',
        ],
    )
    def test_what_does_not_concern_our_records_gives_no_hint(self, connector: Connector, body: bytes) -> None:
        assert connector.hints({"x-polarion-hook-signature": f"sha256={sign(SECRET, body)}"}, body) == []


def _call(remote: Remote, method: str, path: str, body: object, **params: str) -> Any:
    """Do as a person does who works in Polarion itself."""
    headers = {"Authorization": "Bearer desk-token", "Content-Type": "application/json"}
    content = json.dumps(body).encode()
    with httpx.Client(base_url=remote.url + API, headers=headers, trust_env=False) as client:
        answer = client.request(method, path, content=content, params=params)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def _get(remote: Remote, path: str) -> Any:
    headers = {"Authorization": "Bearer desk-token"}
    kinds = {f"fields[{kind}]": "@all" for kind in ("workitems", "workrecords", "workitem_comments")}
    with httpx.Client(base_url=remote.url + API, headers=headers, trust_env=False) as client:
        return client.get(path, params=kinds).json()


def _patch(remote: Remote, item_id: str, attributes: dict[str, Any]) -> None:
    data = {"type": "workitems", "id": f"DESK/{item_id}", "attributes": attributes}
    _call(remote, "PATCH", f"{ITEMS}/{item_id}", {"data": data})


def _comment(remote: Remote, item_id: str, attributes: dict[str, Any], who: dict[str, Any] | None = None) -> None:
    data = {"type": "workitem_comments", "attributes": attributes, "relationships": who or {}}
    _call(remote, "POST", f"{ITEMS}/{item_id}/comments", {"data": [data]})


def _work(remote: Remote, item_id: str, attributes: dict[str, Any], user: str) -> None:
    who = {"user": {"data": {"type": "users", "id": user}}}
    data = {"type": "workrecords", "attributes": attributes, "relationships": who}
    _call(remote, "POST", f"{ITEMS}/{item_id}/workrecords", {"data": [data]})


def _born_there(remote: Remote) -> str:
    data = {"type": "workitems", "attributes": {"type": "defect", "title": "Born there"}}
    made = _call(remote, "POST", ITEMS, {"data": [data]})
    return str(made["data"][0]["id"]).split("/")[1]


class _Interrupted(httpx.BaseTransport):
    """Lets something happen once, right after the first answer to a request whose address fits."""

    def __init__(self, inner: httpx.BaseTransport, part: str, happens: Callable[[], None]) -> None:
        self._inner, self._part, self._happens = inner, part, happens
        self._is_due = True

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        is_meant = self._is_due and self._part in str(request.url)
        response = self._inner.handle_request(request)
        if is_meant:
            self._is_due = False
            response.read()
            self._happens()
        return response


def _between(remote: Remote, part: str, happens: Callable[[], None]) -> Line:
    line = remote.line()
    return Line(_Interrupted(line.transport, part, happens), line.clock, line.wait)
