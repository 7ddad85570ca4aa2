"""A wider play: beside fields and talk there are tags, files, time worked, and records that begin in a tracker."""

import hashlib
import io
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from tests.sync.simulation.play import REMOTE, Play
from tests.sync.simulation.stage import START

from deskbridge.sync.connector import Audience as ThereAudience
from deskbridge.sync.connector import Connector, NewAttachment, WorklogKind
from deskbridge.sync.model import Link, LinkState
from deskbridge.tickets import service as tickets
from deskbridge.tickets import time_entries
from deskbridge.tickets.attachments import attach
from deskbridge.tickets.companions import TimeEntry
from deskbridge.tickets.model import Attachment, Audience, Channel, Ticket

PUBLIC_ALONE = ("servicenow", "salesforce")
"""Where whoever sees a record sees its files, so that internal ones stay away."""
BORN = {
    "jira": {"issuetype": "10002"},
    "servicenow": {"category": "hardware"},
    "salesforce": {},
}
"""What a record is given there, beside a title, so that the shipped mapping makes it a ticket."""
WRITES_PER_CHANGE = 2
"""So often one change is written to one tracker at most."""
CHANGES = ("a customer opens", "an agent ", "somebody in ")


@dataclass(frozen=True)
class File:
    """A file somebody added, where (`desk` or a tracker), and whether the public may have it."""

    ticket_id: UUID
    where: str
    digest: str
    public: bool


@dataclass(frozen=True)
class Time:
    """Minutes somebody logged, by a note that nobody else wrote."""

    ticket_id: UUID
    minutes: int
    note: str


@dataclass
class WidePlay(Play):
    files: list[File] = field(default_factory=list)
    times: list[Time] = field(default_factory=list)
    tags: list[tuple[UUID, str]] = field(default_factory=list)
    born: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def acts(self) -> list[Callable[[], Any]]:
        return [
            *super().acts,
            self.tag,
            self.tag_there,
            self.attach,
            self.attach_there,
            self.log_time,
            self.log_time_there,
            self.begin_there,
        ]

    # What happens

    def somewhere(self) -> tuple[UUID, str, Link] | None:
        """A ticket, and one of its records."""
        ticket_id = self.random.choice(self.tickets)
        links = self.active(ticket_id)
        if not links:
            return None
        kind = self.random.choice(sorted(links))
        return ticket_id, kind, links[kind]

    def tag(self) -> None:
        ticket_id, tag = self.random.choice(self.tickets), self.word("tag").replace(" ", "-").lower()
        row = self.stage.rows(Ticket, Ticket.id == ticket_id)[0]
        changes = {"tags": [*row.tags, tag]}
        self.stage.database.write(tickets.update_ticket, self.stage.agent.actor, ticket_id, changes)
        self.tags.append((ticket_id, tag))
        self.tell(f"an agent tags #{row.number}: {tag}")

    def tag_there(self) -> None:
        found = self.somewhere()
        if found is None or found[1] != "jira":
            return
        ticket_id, kind, link = found
        tag, connector = self.word("label").replace(" ", "-").lower(), self.stage.connector(kind)
        record = connector.fetch(str(link.remote_id))
        assert record is not None
        labels = record.fields["labels"]
        assert isinstance(labels, tuple)
        connector.update(record.ref.id, {"labels": (*labels, tag)}, record.version)
        self.tags.append((ticket_id, tag))
        self.tell(f"somebody in {kind} labels {link.remote_key}: {tag}")

    def attach(self) -> None:
        ticket_id, public, content = self.random.choice(self.tickets), self.random.random() < 0.5, self.content()
        assert self.stage.uploads is not None
        received = self.stage.uploads.receive(f"file-{self.count}.txt", io.BytesIO(content))
        self.stage.database.write(attach, self.stage.agent.actor, ticket_id, received, internal=not public)
        self.files.append(File(ticket_id, "desk", _digest(content), public))
        self.tell(f"an agent attaches file-{self.count}.txt")

    def attach_there(self) -> None:
        found = self.somewhere()
        if found is None:
            return
        ticket_id, kind, link = found
        content = self.content()
        new = NewAttachment(f"file-{self.count}.txt", "text/plain", len(content), iter([content]))
        self.stage.connector(kind).add_attachment(str(link.remote_id), new, ThereAudience.PUBLIC)
        self.files.append(File(ticket_id, kind, _digest(content), public=False))
        self.tell(f"somebody in {kind} attaches file-{self.count}.txt to {link.remote_key}")

    def content(self) -> bytes:
        return self.word("content").encode()

    def log_time(self) -> None:
        ticket_id, minutes, note = self.random.choice(self.tickets), self.random.randint(1, 90), self.word("work")
        self.stage.database.write(
            time_entries.log_time, self.stage.agent.actor, ticket_id, minutes, note, START - timedelta(hours=3)
        )
        self.times.append(Time(ticket_id, minutes, note))
        self.tell(f"an agent logs {minutes} minutes: {note}")

    def log_time_there(self) -> None:
        found = self.somewhere()
        if found is None or found[1] == "salesforce":
            return
        ticket_id, kind, link = found
        minutes, note = self.random.randint(1, 90), self.word(f"{kind} work")
        self.stage.log_time_there(kind, str(link.remote_id), minutes, note)
        self.times.append(Time(ticket_id, minutes, note))
        self.tell(f"somebody in {kind} logs {minutes} minutes on {link.remote_key}: {note}")

    def begin_there(self) -> None:
        kinds = [kind for kind in self.plot.kinds if kind in BORN]
        if not kinds:
            return
        kind, title = self.random.choice(kinds), self.word("born")
        fields = {REMOTE[kind]["title"]: title, **BORN[kind]}
        ref = self.stage.connector(kind).create(f"theirs-{self.count}", fields)
        self.born.append((kind, ref.id, title))
        self.tell(f"somebody in {kind} files {ref.key}: {title}")

    # What must be true

    def check(self) -> None:
        assert len(self.stage.engine_writes) <= self.most_writes, (self.stage.engine_writes, self.most_writes)
        super().check()
        self.is_over = False
        for ticket_id in self.tickets:
            self.check_tags(ticket_id)
            self.check_files(ticket_id)
            self.check_times(ticket_id)
        self.check_born()
        self.is_over = True

    @property
    def most_writes(self) -> int:
        """How often the engine may write: a few times for each change, and for all that went wrong."""
        changes = sum(line[16:].startswith(CHANGES) for line in self.told)
        wrong = sum(self.stage.trouble.seen.values()) + self.stage.deaths
        return WRITES_PER_CHANGE * len(self.plot.kinds) * (changes + wrong)

    def check_tags(self, ticket_id: UUID) -> None:
        """Every tag stays, wherever it was added."""
        wanted = {tag for owner, tag in self.tags if owner == ticket_id}
        assert set(self.stage.rows(Ticket, Ticket.id == ticket_id)[0].tags) == wanted
        if "jira" in self.plot.kinds:
            record = self.stage.connector("jira").fetch(self.stage.links(ticket_id)["jira"].remote_id)
            assert record is not None
            assert set(record.fields["labels"]) == wanted  # type: ignore[arg-type]

    def check_files(self, ticket_id: UUID) -> None:
        """Every file is here once, byte for byte, and once wherever it may be, and nothing internal is public."""
        here = self.stage.rows(Attachment, Attachment.ticket_id == ticket_id)
        wanted = [one for one in self.files if one.ticket_id == ticket_id]
        assert sorted(row.sha256 for row in here) == sorted(one.digest for one in wanted)
        for one in wanted:
            (row,) = [row for row in here if row.sha256 == one.digest]
            assert row.audience is (Audience.PUBLIC if one.public else Audience.INTERNAL), one
        for kind, link in self.stage.links(ticket_id).items():
            there = _digests(self.stage.connector(kind), link.remote_id)
            expected = [one.digest for one in wanted if one.public or one.where == kind or kind not in PUBLIC_ALONE]
            assert sorted(there) == sorted(expected), kind

    def check_times(self, ticket_id: UUID) -> None:
        """Time worked is here once, once wherever entries are kept, and in the total where only that is."""
        here = self.stage.rows(TimeEntry, TimeEntry.ticket_id == ticket_id)
        wanted = sorted((one.minutes, one.note) for one in self.times if one.ticket_id == ticket_id)
        assert sorted((row.minutes, row.note) for row in here) == wanted
        for kind, link in self.stage.links(ticket_id).items():
            connector = self.stage.connector(kind)
            if connector.capabilities.worklogs is WorklogKind.ENTRIES:
                there = connector.worklogs(link.remote_id)
                assert sorted(one.minutes for one in there) == [minutes for minutes, _ in wanted], kind
                for _, note in wanted:
                    assert len([one for one in there if one.note.endswith(note)]) == 1, (kind, note)
            elif kind == "salesforce":
                record = connector.fetch(link.remote_id)
                assert record is not None
                assert record.fields["Desk_Minutes__c"] == sum(minutes for minutes, _ in wanted)

    def check_born(self) -> None:
        """What began in a tracker is one ticket, opened when the record was."""
        for kind, remote_id, title in self.born:
            record = self.stage.connector(kind).fetch(remote_id)
            assert record is not None
            (ticket,) = self.stage.rows(Ticket, Ticket.title == title)
            (link,) = self.stage.rows(Link, Link.ticket_id == ticket.id)
            assert (link.remote_id, link.state) == (remote_id, LinkState.ACTIVE)
            assert ticket.channel is Channel.SYNC
            assert abs(ticket.created_at - (record.created_at - self.plot.skew)) <= timedelta(seconds=1)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _digests(connector: Connector, remote_id: str) -> list[str]:
    with ExitStack() as opened:
        return [
            _digest(b"".join(opened.enter_context(connector.download(remote_id, one))))
            for one in connector.attachments(remote_id)
        ]
