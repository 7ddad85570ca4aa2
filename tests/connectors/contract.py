"""The one suite every connector inherits: what the sync engine relies on, over real sockets against its simulator.

A product's test module derives `ContractSuite`, says in `subject` what its records look like, and adds what only that
product has. Numbers in comments are those of the thirty fault cases.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime

import pytest
from tests.connectors.remote import CLIENT, START, TOKEN, USER, Listener, Remote, listening, started

from deskbridge.connectors.registry import shipped_mapping
from deskbridge.connectors.shared import Account, Line, Site, Way
from deskbridge.sync.connector import (
    Attachment,
    Audience,
    Audiences,
    AuthFailed,
    Connector,
    Hit,
    Moved,
    NewAttachment,
    NewComment,
    NewWorklog,
    Record,
    Ref,
    Rejected,
    RetryLater,
    Unknown,
    Value,
    Watermark,
    WorklogKind,
)
from deskbridge.sync.mapping_check import check
from deskbridge.sync.mapping_text import parse

SECOND = timedelta(seconds=1)
SECRET = "hook-secret"
STRANGE = "Grüße 👩‍💻 שלום עולם — a < b & c"
CATEGORIES = [
    *("INCIDENT", "SERVICE_REQUEST", "BUG", "FEATURE_REQUEST"),
    *("SUPPORT", "FACILITY_MANAGEMENT", "TECHNICAL_IT", "SERVICE_COMPLAINT"),
]
TEAMS = ["Support", "Admin", "R&D"]
FILES = {
    "plain.txt": b"one line",
    "boundary.log": b"before\r\n--+++\r\nContent-Type: text/plain\r\n\r\nafter\r\n--+++--\r\n",
    "Rechnung 2026 ü.bin": bytes(range(256)) * 3000,
}


@dataclass(frozen=True)
class Call:
    """A request of the connector, for faults: method and a regular expression for its path."""

    method: str
    path: str


@dataclass(frozen=True)
class Subject:
    """What a product's records look like, in its own names."""

    simulator: str
    connect: Callable[[Site, Line], Connector]
    title: str
    text: str
    create: Call
    fetch: Call
    feed: Call
    update: Call
    far_status: str
    """A status more than one step away where the product has such a one."""
    passed: Sequence[str]
    """The statuses on the way there from a new record, the far one included."""
    minimum: Mapping[str, Value] = field(default_factory=dict)
    """What a new record needs besides its title."""
    demanded: Mapping[str, Value] = field(default_factory=dict)
    """What the way to `far_status` demands."""
    choice: tuple[str, str] | None = None
    """A field with choices, and one of them that is not the default."""
    scope: str = ""
    accounts: Sequence[Account] = (USER, TOKEN, CLIENT)
    options: Mapping[str, str] = field(default_factory=dict)
    """The simulator's own switches that the suite needs (to send webhooks, say)."""
    files: Audience = Audience.INTERNAL
    """An audience that files can have there."""
    is_rich: bool = True
    """Whether `text` keeps formatting."""


class ContractSuite:
    """Derive, set `subject`, and every promise below is checked."""

    subject: Subject

    @pytest.fixture
    def remote(self) -> Iterator[Remote]:
        with started(self.subject.simulator) as remote:
            if self.subject.options:
                remote.post("options", self.subject.options)
            yield remote

    @pytest.fixture
    def connector(self, remote: Remote) -> Connector:
        return self.open(remote)

    @pytest.fixture
    def listener(self) -> Iterator[Listener]:
        with listening() as listener:
            yield listener

    def open(self, remote: Remote, account: Account | None = None, read_seconds: float = 20.0) -> Connector:
        site = remote.site(account or self.subject.accounts[0], self.subject.scope, SECRET)
        return self.subject.connect(site, remote.line(read_seconds))

    def new(self, title: str = "Printer on fire", **more: Value) -> dict[str, Value]:
        return {**self.subject.minimum, self.subject.title: title, **more}

    def made(self, connector: Connector, key: str = "T-1", **more: Value) -> Ref:
        return connector.create(key, self.new(**more))

    def fetched(self, connector: Connector, ref: Ref) -> Record:
        record = connector.fetch(ref.id)
        assert record is not None
        return record

    def retitle(self, connector: Connector, ref: Ref, title: str) -> None:
        connector.update(ref.id, {self.subject.title: title}, self.fetched(connector, ref).version)

    # Signing in

    def test_each_way_to_sign_in_works(self, remote: Remote) -> None:
        for account in self.subject.accounts:
            health = self.open(remote, account).check()
            assert health.account
            assert health.product

    def test_wrong_credentials_fail_as_such_after_at_most_two_tries_and_are_not_repeated_in_the_reason(
        self, remote: Remote
    ) -> None:
        for account in self.subject.accounts:
            remote.forget()
            wrong = Account(account.way, "wr0ng-s3cret", account.name)
            with pytest.raises(AuthFailed) as failure:
                self.open(remote, wrong).check()
            assert len(remote.requests()) <= 2
            assert "wr0ng" not in failure.value.reason

    def test_a_refusal_in_the_middle_is_one_new_token_at_most(self, remote: Remote) -> None:  # 21
        for account in self.subject.accounts:
            connector = self.open(remote, account)
            ref = self.made(connector, f"T-{account.way}")
            remote.fault("status", self.subject.fetch.method, self.subject.fetch.path, status=401, body="{}")
            remote.forget()
            if account.way is Way.CLIENT:
                assert self.fetched(connector, ref).ref.id == ref.id
            else:
                with pytest.raises(AuthFailed):
                    connector.fetch(ref.id)
            assert sum(1 for one in remote.requests() if "authorization" in one["headers"]) <= 3
            remote.heal()

    def test_revoked_credentials_open_at_once(self, remote: Remote, connector: Connector) -> None:  # 21
        ref = self.made(connector)
        remote.fault("status", "", ".*", times=None, status=401, body="{}")
        remote.forget()
        with pytest.raises(AuthFailed):
            connector.fetch(ref.id)
        assert len(remote.requests()) <= 2

    @pytest.mark.parametrize("offset", [timedelta(minutes=10), timedelta(minutes=-10)])
    def test_health_tells_how_far_the_clocks_are_apart(
        self, remote: Remote, connector: Connector, offset: timedelta
    ) -> None:
        remote.clock.advance(-offset)
        assert abs(connector.check().clock_offset - offset) <= SECOND

    # The tracker's set-up

    def test_metadata_has_the_fields_a_mapping_needs(self, connector: Connector) -> None:
        metadata = connector.describe()
        assert metadata.fields[self.subject.title].required
        assert self.subject.text in metadata.fields
        assert metadata.status_field in metadata.fields
        assert {self.subject.far_status, *self.subject.passed} <= set(metadata.statuses)
        for name in self.subject.demanded:
            assert name in metadata.fields
        if self.subject.choice:
            name, value = self.subject.choice
            assert value in metadata.fields[name].choices

    def test_the_shipped_mapping_fits_a_fresh_tracker(self, connector: Connector) -> None:
        mapping = parse(shipped_mapping(self.subject.simulator))
        assert check(mapping, connector.describe(), connector.capabilities, CATEGORIES, TEAMS) == []

    # Records

    def test_a_created_record_reads_back(self, remote: Remote, connector: Connector) -> None:
        ref = self.made(connector, title=STRANGE)
        record = self.fetched(connector, ref)
        assert record.ref == ref
        assert record.ref.url.startswith(remote.url)
        assert record.fields[self.subject.title] == STRANGE
        assert record.created_at == record.updated_at == START
        assert record.fields[connector.describe().status_field] in connector.describe().statuses

    def test_every_field_read_is_described(self, connector: Connector) -> None:
        record = self.fetched(connector, self.made(connector))
        assert set(record.fields) <= set(connector.describe().fields)

    def test_what_is_not_there_is_none(self, connector: Connector) -> None:
        ref = self.made(connector)
        missing = ref.id[:-1] + ("8" if ref.id[-1] == "9" else "9")
        assert connector.fetch(missing) is None

    def test_a_record_is_found_by_its_key_only(self, connector: Connector) -> None:
        ref, _ = self.made(connector, "01J8Z-A"), self.made(connector, "01J8Z-AB")
        assert [one.id for one in connector.find_by_key("01J8Z-A")] == [ref.id]
        assert connector.find_by_key("01J8Z") == []

    def test_creating_again_with_the_same_key_makes_one_record_where_the_tracker_can(
        self, connector: Connector
    ) -> None:
        if not connector.capabilities.unique_key:
            pytest.skip("this tracker has no unique key")
        assert self.made(connector).id == self.made(connector).id
        assert len(connector.find_by_key("T-1")) == 1

    def test_texts_survive_as_they_are_read_back(self, connector: Connector) -> None:
        text = f"First line\n\nSecond paragraph, {STRANGE}"
        ref = self.made(connector, **{self.subject.text: text})
        read = self.fetched(connector, ref)
        assert STRANGE.split()[1] in str(read.fields[self.subject.text])
        connector.update(ref.id, {self.subject.text: read.fields[self.subject.text]}, read.version)
        again = self.fetched(connector, ref)
        assert again.fields[self.subject.text] == read.fields[self.subject.text]  # 13: nothing to push back
        assert again.lossy == frozenset()

    def test_formatting_survives(self, connector: Connector) -> None:
        if not self.subject.is_rich:
            pytest.skip("this tracker keeps plain text")
        text = "Some **bold** and `code`.\n\n- one\n- two\n\n```\nx = 1\n```"
        ref = self.made(connector, **{self.subject.text: text})
        assert self.fetched(connector, ref).fields[self.subject.text] == text

    def test_an_update_writes_its_fields_and_no_other(self, remote: Remote, connector: Connector) -> None:
        ref = self.made(connector, **{self.subject.text: "stays"})
        before = self.fetched(connector, ref)
        remote.tick(SECOND)
        self.retitle(connector, ref, "Smoke only")
        after = self.fetched(connector, ref)
        assert after.fields[self.subject.title] == "Smoke only"
        assert after.fields[self.subject.text] == before.fields[self.subject.text] == "stays"
        assert after.version != before.version
        assert after.updated_at == START + SECOND

    def test_a_field_can_be_emptied(self, connector: Connector) -> None:
        ref = self.made(connector, **{self.subject.text: "soon gone"})
        connector.update(ref.id, {self.subject.text: None}, self.fetched(connector, ref).version)
        assert not self.fetched(connector, ref).fields[self.subject.text]

    def test_a_choice_is_written_and_read_by_its_id(self, connector: Connector) -> None:
        if self.subject.choice is None:
            pytest.skip("this tracker's records have no field with choices that can be written")
        name, value = self.subject.choice
        ref = self.made(connector)
        assert self.fetched(connector, ref).fields[name] != value
        connector.update(ref.id, {name: value}, self.fetched(connector, ref).version)
        assert self.fetched(connector, ref).fields[name] == value

    def test_an_edit_between_our_read_and_our_write_survives(self, remote: Remote, connector: Connector) -> None:  # 18
        ref = self.made(connector)
        read = self.fetched(connector, ref)
        remote.tick(2 * SECOND)
        self.retitle(self.open(remote), ref, "A person's title")
        remote.tick(2 * SECOND)
        with pytest.raises(Moved):
            connector.update(ref.id, {self.subject.title: "Ours"}, read.version)
        assert self.fetched(connector, ref).fields[self.subject.title] == "A person's title"

    def test_a_value_that_is_refused_names_its_field_and_changes_nothing(self, connector: Connector) -> None:
        ref = self.made(connector)
        with pytest.raises(Rejected) as refusal:
            connector.update(ref.id, {self.subject.title: "x" * 5000}, self.fetched(connector, ref).version)
        assert refusal.value.field == self.subject.title
        assert self.fetched(connector, ref).fields[self.subject.title] == "Printer on fire"

    def test_an_unknown_field_or_choice_is_refused_by_name(self, remote: Remote, connector: Connector) -> None:  # 27
        bad: dict[str, Value] = {"no_such_field": "x"}
        if self.subject.choice:
            bad[self.subject.choice[0]] = "no-such-choice"
        for name, value in bad.items():
            with pytest.raises(Rejected) as refusal:
                connector.create("T-2", self.new(**{name: value}))
            assert refusal.value.field == name
        assert connector.find_by_key("T-2") == []

    # Lost answers

    def test_a_lost_answer_to_a_create_is_unknown_and_then_found_once(
        self, remote: Remote, connector: Connector
    ) -> None:  # 1 to 4
        remote.post("lag", {"seconds": 60})
        remote.fault("drop_after_commit", self.subject.create.method, self.subject.create.path)
        with pytest.raises(Unknown):
            self.made(connector)
        remote.tick(connector.capabilities.settle)
        assert len(connector.find_by_key("T-1")) == 1
        assert sum(1 for write in remote.writes() if _is(self.subject.create, write)) == 1

    def test_a_create_that_never_arrived_is_unknown_not_found_and_made_once(
        self, remote: Remote, connector: Connector
    ) -> None:  # 5
        remote.fault("drop_before_commit", self.subject.create.method, self.subject.create.path)
        with pytest.raises(Unknown):
            self.made(connector)
        remote.tick(connector.capabilities.settle)
        assert connector.find_by_key("T-1") == []
        ref = self.made(connector)
        remote.tick(connector.capabilities.settle)
        assert [one.id for one in connector.find_by_key("T-1")] == [ref.id]

    @pytest.mark.parametrize("fault", ["html_200", "truncate", "drop_before_commit"])
    def test_a_create_whose_answer_cannot_be_read_is_unknown_and_sent_once(
        self, remote: Remote, connector: Connector, fault: str
    ) -> None:  # 22
        remote.fault(fault, self.subject.create.method, self.subject.create.path, times=None)
        with pytest.raises(Unknown):
            self.made(connector)
        assert sum(1 for write in remote.writes() if _is(self.subject.create, write)) == 1

    def test_a_server_error_after_sending_is_unknown(self, remote: Remote, connector: Connector) -> None:
        for status in (500, 502, 504):
            remote.fault("status", self.subject.create.method, self.subject.create.path, status=status, body="{}")
            with pytest.raises(Unknown):
                self.made(connector)

    def test_an_update_that_hangs_is_unknown_at_the_time_out(self, remote: Remote, connector: Connector) -> None:  # 23
        ref = self.made(connector)
        version = self.fetched(connector, ref).version
        remote.fault("hang", self.subject.update.method, self.subject.update.path)
        with pytest.raises(Unknown):
            self.open(remote, read_seconds=0.4).update(ref.id, {self.subject.title: "Late"}, version)

    # Outages are never data

    @pytest.mark.parametrize("fault", ["html_200", "truncate", "hang", "drop_before_commit"])
    def test_an_outage_while_reading_is_to_be_waited_out(
        self, remote: Remote, connector: Connector, fault: str
    ) -> None:  # 22, 23
        ref = self.made(connector)
        impatient = self.open(remote, read_seconds=0.4)
        since = Watermark(START - SECOND)
        impatient.fetch(ref.id)  # what it has to learn first is learnt
        impatient.changed_since(since, 10)
        remote.fault(fault, "", ".*", times=None)
        with pytest.raises(RetryLater):
            impatient.fetch(ref.id)
        with pytest.raises(RetryLater):
            impatient.changed_since(since, 10)
        with pytest.raises(RetryLater):
            impatient.find_by_key("T-1")
        with pytest.raises(RetryLater):
            impatient.comments(ref.id)

    @pytest.mark.parametrize("status", [404, 403, 503, 502, 302])
    def test_a_proxys_page_is_no_sign_that_a_record_is_gone(
        self, remote: Remote, connector: Connector, status: int
    ) -> None:  # 22, 29
        ref = self.made(connector)
        page = "<html><h1>Down for maintenance</h1></html>"
        remote.fault("status", self.subject.fetch.method, self.subject.fetch.path, status=status, body=page)
        with pytest.raises(RetryLater):
            connector.fetch(ref.id)

    def test_a_redirect_to_another_host_is_not_followed(
        self, remote: Remote, connector: Connector, listener: Listener
    ) -> None:
        ref = self.made(connector)
        target = {"Location": f"{listener.url}/elsewhere"}
        remote.fault("status", "", ".*", times=None, status=302, headers=target)
        with pytest.raises(RetryLater):
            connector.fetch(ref.id)
        attachment = Attachment("1", "a.txt", 1, "text/plain", None, START)
        with pytest.raises((RetryLater, Rejected)), connector.download(ref.id, attachment) as chunks:
            b"".join(chunks)
        assert listener.is_silent

    @pytest.mark.parametrize("as_date", [False, True])
    def test_when_told_to_wait_nothing_is_sent_before(
        self, remote: Remote, connector: Connector, as_date: bool
    ) -> None:  # 19
        ref = self.made(connector)
        remote.clock.advance(timedelta(minutes=10))  # a date is of the tracker's clock
        asked = format_datetime(remote.now + 45 * SECOND, usegmt=True) if as_date else "45"
        headers = {"Retry-After": asked}
        remote.fault("status", self.subject.fetch.method, self.subject.fetch.path, status=429, headers=headers)
        with pytest.raises(RetryLater) as told:
            connector.fetch(ref.id)
        assert told.value.after == 45 * SECOND
        remote.forget()
        with pytest.raises(RetryLater):
            connector.fetch(ref.id)
        assert remote.requests() == []
        remote.clock.advance(46 * SECOND)
        assert connector.fetch(ref.id) is not None

    def test_a_write_that_is_throttled_changed_nothing(self, remote: Remote, connector: Connector) -> None:  # 19
        for status in (429, 503):
            headers = {"Retry-After": "5"}
            call = self.subject.create
            remote.fault("status", call.method, call.path, status=status, headers=headers, body="{}")
            with pytest.raises(RetryLater) as told:
                self.made(connector)
            assert told.value.after == 5 * SECOND
            remote.clock.advance(6 * SECOND)
        assert connector.find_by_key("T-1") == []

    # Statuses

    def test_a_status_is_reached_along_the_shortest_path(self, connector: Connector) -> None:
        ref = self.made(connector)
        passed = connector.transition(ref.id, self.subject.far_status, self.subject.demanded)
        assert list(passed) == list(self.subject.passed)
        record = self.fetched(connector, ref)
        assert record.fields[connector.describe().status_field] == self.subject.far_status
        for name, value in self.subject.demanded.items():
            assert record.fields[name] == value
        assert list(connector.transition(ref.id, self.subject.far_status, self.subject.demanded)) == []

    def test_a_missing_demand_is_refused_by_name_before_it_is_sent(
        self, remote: Remote, connector: Connector
    ) -> None:  # 27
        if not self.subject.demanded:
            pytest.skip("this tracker's statuses demand nothing")
        first, ref = self.made(connector, "T-0"), self.made(connector)
        connector.transition(first.id, self.subject.far_status, self.subject.demanded)  # it knows the way now
        status = connector.describe().status_field
        before = self.fetched(connector, ref).fields[status]
        remote.forget()
        with pytest.raises(Rejected) as refusal:
            connector.transition(ref.id, self.subject.far_status, {})
        assert refusal.value.field in self.subject.demanded
        assert remote.writes() == []
        assert self.fetched(connector, ref).fields[status] == before

    def test_a_status_that_does_not_exist_is_refused(self, remote: Remote, connector: Connector) -> None:
        ref = self.made(connector)
        remote.forget()
        with pytest.raises(Rejected):
            connector.transition(ref.id, "no-such-status", {})
        assert remote.writes() == []

    # Comments

    def test_comments_keep_text_marker_audience_and_order(self, remote: Remote, connector: Connector) -> None:
        ref = self.made(connector)
        audiences = [Audience.INTERNAL]
        if connector.capabilities.audiences is Audiences.BOTH:
            audiences = [Audience.PUBLIC, Audience.INTERNAL, Audience.PUBLIC]
        for number, audience in enumerate(audiences):
            remote.tick(SECOND)
            connector.add_comment(ref.id, NewComment(f"Text {number}: {STRANGE}", audience, f"M-{number}"))
        read = connector.comments(ref.id)
        assert [comment.body for comment in read] == [f"Text {number}: {STRANGE}" for number in range(len(audiences))]
        assert [comment.audience for comment in read] == audiences  # 30
        assert [comment.marker for comment in read] == [f"M-{number}" for number in range(len(audiences))]
        assert [comment.created_at for comment in read] == [START + n * SECOND for n in range(1, len(audiences) + 1)]
        assert all(comment.author for comment in read)

    def test_a_comments_id_is_the_one_it_is_read_with(self, connector: Connector) -> None:
        ref = self.made(connector)
        added = connector.add_comment(ref.id, NewComment("Hello", Audience.INTERNAL, "M-1"))
        assert [comment.id for comment in connector.comments(ref.id)] == [added]

    def test_a_comment_whose_answer_was_lost_is_found_by_its_marker(self, remote: Remote, connector: Connector) -> None:
        ref = self.made(connector)
        remote.forget()
        connector.add_comment(ref.id, NewComment("First", Audience.INTERNAL, "M-0"))
        method, path = next(write for write in remote.writes()).split(" ")
        remote.tick(SECOND)
        remote.fault("drop_after_commit", method, path)
        with pytest.raises(Unknown):
            connector.add_comment(ref.id, NewComment("Second", Audience.INTERNAL, "M-1"))
        assert [comment.marker for comment in connector.comments(ref.id)] == ["M-0", "M-1"]

    def test_a_long_comment_is_never_cut(self, connector: Connector) -> None:  # 30
        ref = self.made(connector)
        words = [f"word{number:05d}" for number in range(4000)]
        connector.add_comment(ref.id, NewComment(" ".join(words), Audience.INTERNAL, "M-1"))
        read = connector.comments(ref.id)
        found = "\n".join(comment.body for comment in read)
        for attachment in connector.attachments(ref.id):
            with connector.download(ref.id, attachment) as chunks:
                found += b"".join(chunks).decode()
        assert [word for word in words if word not in found] == []
        assert {comment.audience for comment in read} == {Audience.INTERNAL}

    def test_a_comment_can_be_changed_and_removed_where_the_tracker_lets_us(self, connector: Connector) -> None:
        ref = self.made(connector)
        added = connector.add_comment(ref.id, NewComment("Befor", Audience.INTERNAL, "M-1"))
        if connector.capabilities.comment_edit:
            connector.edit_comment(ref.id, added, "Before")
            read = connector.comments(ref.id)[0]
            assert (read.body, read.marker, read.audience) == ("Before", "M-1", Audience.INTERNAL)
        if connector.capabilities.comment_delete:
            connector.delete_comment(ref.id, added)
            assert connector.comments(ref.id) == []

    # Files

    def test_files_come_back_byte_for_byte(self, connector: Connector) -> None:  # 30
        ref = self.made(connector)
        for name, content in FILES.items():
            connector.add_attachment(ref.id, _file(name, content), self.subject.files)
        listed = {attachment.name: attachment for attachment in connector.attachments(ref.id)}
        assert set(listed) == set(FILES)
        for name, content in FILES.items():
            assert listed[name].size == len(content)
            assert listed[name].sha256 in {None, hashlib.sha256(content).hexdigest()}
            with connector.download(ref.id, listed[name]) as chunks:
                assert hashlib.sha256(b"".join(chunks)).digest() == hashlib.sha256(content).digest()

    def test_an_uploads_id_is_the_one_it_is_listed_with(self, connector: Connector) -> None:
        ref = self.made(connector)
        added = connector.add_attachment(ref.id, _file("a.txt", b"text"), self.subject.files)
        assert [attachment.id for attachment in connector.attachments(ref.id)] == [added]

    def test_a_file_of_another_length_than_was_said_is_refused_and_not_kept(self, connector: Connector) -> None:
        ref = self.made(connector)
        for said in (3, 5):
            file = NewAttachment("a.txt", "text/plain", said, iter([b"te", b"xt"]))
            with pytest.raises(Rejected):
                connector.add_attachment(ref.id, file, self.subject.files)
        assert connector.attachments(ref.id) == []

    def test_a_file_over_the_trackers_limit_is_refused_before_it_is_sent(
        self, remote: Remote, connector: Connector
    ) -> None:
        ref = self.made(connector)
        remote.forget()
        huge = NewAttachment(
            "a.bin", "application/octet-stream", connector.capabilities.max_attachment_size + 1, iter([])
        )
        with pytest.raises(Rejected):
            connector.add_attachment(ref.id, huge, self.subject.files)
        assert remote.writes() == []

    def test_a_download_that_breaks_off_is_no_file(self, remote: Remote, connector: Connector) -> None:
        ref = self.made(connector)
        connector.add_attachment(ref.id, _file("a.bin", b"x" * 100_000), self.subject.files)
        listed = connector.attachments(ref.id)[0]
        remote.fault("truncate", "GET", ".*")
        with pytest.raises(RetryLater), connector.download(ref.id, listed) as chunks:
            b"".join(chunks)

    # Time

    def test_time_worked_is_kept_with_note_and_start(self, connector: Connector) -> None:
        ref = self.made(connector)
        if connector.capabilities.worklogs is not WorklogKind.ENTRIES:
            assert connector.worklogs(ref.id) == []
            return
        started_at = START - timedelta(hours=2)
        added = connector.add_worklog(ref.id, NewWorklog(90, "Replaced the fuser", started_at, "W-1"))
        (read,) = connector.worklogs(ref.id)
        assert (read.id, read.minutes, read.note, read.marker) == (added, 90, "Replaced the fuser", "W-1")
        assert read.started_at == started_at
        assert read.author is not None

    # The change feed

    @pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles"])
    @pytest.mark.parametrize("offset", [timedelta(minutes=10), timedelta(minutes=-10)])
    def test_neither_time_zones_nor_our_clock_make_the_feed_miss_anything(
        self, remote: Remote, connector: Connector, zone: str, offset: timedelta
    ) -> None:  # 25
        remote.post("clock", {"time_zone": zone})
        remote.clock.advance(offset)
        old = self.made(connector, "T-0")
        remote.tick(5 * SECOND)
        since = Watermark(connector.now())
        assert abs(since.at - remote.now) <= SECOND
        ref = self.made(connector)
        record = self.fetched(connector, ref)
        assert record.created_at == START + 5 * SECOND
        assert [hit.remote_id for hit in _feed(connector, since, 10)] == [ref.id]
        remote.tick(5 * SECOND)
        self.retitle(connector, old, "Touched")
        assert [hit.remote_id for hit in _feed(connector, since, 10)] == [ref.id, old.id]

    def test_many_changes_of_the_same_second_are_all_seen_once(
        self, remote: Remote, connector: Connector
    ) -> None:  # 24
        made = {self.made(connector, f"T-{number}").id for number in range(250)}
        hits = _feed(connector, Watermark(START), 100)
        assert len(hits) == 250
        assert {hit.remote_id for hit in hits} == made

    def test_a_feed_goes_on_where_it_ended(self, remote: Remote, connector: Connector) -> None:
        first = self.made(connector, "T-1")
        page = connector.changed_since(Watermark(START), 10)
        assert [hit.remote_id for hit in page.hits] == [first.id]
        assert not page.more
        assert page.next.at >= START
        remote.tick(SECOND)
        second = self.made(connector, "T-2")
        assert second.id in {hit.remote_id for hit in _feed(connector, page.next, 10)}

    def test_a_record_seen_again_unchanged_has_the_same_version(self, remote: Remote, connector: Connector) -> None:
        ref = self.made(connector)
        seen = [connector.changed_since(Watermark(START), 10).hits[0].version for _ in range(2)]
        assert seen[0] == seen[1]
        remote.tick(SECOND)
        self.retitle(connector, ref, "Changed")
        assert connector.changed_since(Watermark(START), 10).hits[0].version != seen[0]

    def test_what_the_index_shows_late_is_still_within_the_look_back(
        self, remote: Remote, connector: Connector
    ) -> None:  # 26
        remote.post("lag", {"seconds": 60})
        ref = self.made(connector)
        remote.tick(61 * SECOND)
        back = Watermark(connector.now() - connector.capabilities.lookback)
        assert ref.id in {hit.remote_id for hit in _feed(connector, back, 10)}

    # Webhooks

    def test_a_signed_webhook_hints_at_its_record_and_a_repeated_one_says_so(
        self, remote: Remote, connector: Connector, listener: Listener
    ) -> None:  # 8
        if not connector.capabilities.webhooks:
            pytest.skip("this tracker does not push")
        remote.post("webhooks", {"url": listener.url, "secret": SECRET, "duplicate": True})
        ref = self.made(connector)
        first, second = listener.next(), listener.next()
        hints = connector.hints(first.headers, first.body)
        assert [hint.remote_id for hint in hints] == [ref.id]
        assert [hint.dedupe_key for hint in connector.hints(second.headers, second.body)] == [
            hint.dedupe_key for hint in hints
        ]

    def test_a_webhook_without_the_right_signature_is_refused(
        self, remote: Remote, connector: Connector, listener: Listener
    ) -> None:  # 11
        if not connector.capabilities.webhooks:
            pytest.skip("this tracker does not push")
        remote.post("webhooks", {"url": listener.url, "secret": "not ours"})
        self.made(connector)
        forged = listener.next()
        unsigned = {name: value for name, value in forged.headers.items() if "sign" not in name}
        for headers in (forged.headers, unsigned, {}):
            with pytest.raises(AuthFailed):
                connector.hints(headers, forged.body)


def _is(call: Call, write: str) -> bool:
    method, path = write.split(" ", 1)
    return method == call.method and re.search(call.path, path) is not None


def _file(name: str, content: bytes) -> NewAttachment:
    chunks = (content[at : at + 1000] for at in range(0, len(content), 1000))
    return NewAttachment(name, "application/octet-stream", len(content), chunks)


def _feed(connector: Connector, since: Watermark, limit: int) -> list[Hit]:
    """Everything the feed shows, page by page; an endless one fails."""
    hits: list[Hit] = []
    for _ in range(50):
        page = connector.changed_since(since, limit)
        assert len(page.hits) <= limit
        hits += page.hits
        since = page.next
        if not page.more:
            return hits
    raise AssertionError("the feed does not end")
