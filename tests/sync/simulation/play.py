"""A play: people edit on every side while everything goes wrong, then it ends, and what must be true is looked at."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any, Self
from uuid import UUID

from tests.sync.simulation.stage import START, Stage

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.kit.files import Storage
from deskbridge.sync.connector import Audience as ThereAudience
from deskbridge.sync.connector import Failure, Moved, Record, Value
from deskbridge.sync.hints import mapping_of
from deskbridge.sync.leases import mark_dirty
from deskbridge.sync.merge import held, said_as, same_words
from deskbridge.sync.model import FailureState, Link, LinkState, SyncConflict, SyncFailure
from deskbridge.sync.sides import read_desk
from deskbridge.tickets import conversation
from deskbridge.tickets import service as tickets
from deskbridge.tickets.model import Audience, Channel, CommentType, Message, Priority, Status, Ticket
from deskbridge.tickets.service import NewTicket

KINDS = ("jira", "servicenow", "salesforce", "polarion")
REMOTE = {
    "jira": {"title": "summary", "description": "description", "priority": "priority", "status": "status"},
    "servicenow": {"title": "short_description", "description": "description", "status": "state"},
    "salesforce": {"title": "Subject", "description": "Description", "priority": "Priority", "status": "Status"},
    "polarion": {"title": "title", "description": "description", "priority": "priority", "status": "status"},
}
PRIORITIES = {
    "jira": ("1", "2", "3", "4", "5"),
    "salesforce": ("High", "Medium", "Low"),
    "polarion": ("90.0", "70.0", "50.0", "30.0", "10.0"),
}
STATUSES: dict[str, tuple[tuple[str, dict[str, Value]], ...]] = {
    "jira": (("10000", {}), ("3", {}), ("10001", {}), ("10002", {"resolution": "10000"})),
    "servicenow": (
        ("2", {}),
        ("3", {"hold_reason": "1", "comments": "Which floor?"}),
        ("6", {"close_code": "Solution provided", "close_notes": "New toner."}),
    ),
    "salesforce": (("Working", {}), ("On Hold", {}), ("Escalated", {}), ("Closed", {"Reason": "Solved"})),
    "polarion": (("open", {}), ("in_progress", {}), ("done", {"resolution": "fixed"})),
}


MOST_ROUNDS = 25
DULL = ("webhooks delivered: 0", "somebody retries: 0", "worker: feed read: 0 new")


@dataclass(frozen=True)
class Plot:
    """What a play is about, all of it drawn from its seed."""

    seed: int
    kinds: tuple[str, ...]
    tickets: int
    acts: int
    trouble: float
    death: float
    meddling: float
    lag: float
    hooks: str
    skew: timedelta

    @classmethod
    def drawn(cls, seed: int) -> "Plot":
        random = Random(seed)
        return cls(
            seed,
            tuple(sorted(random.sample(KINDS, random.choice((1, 1, 2, 3, 4))))),
            tickets=random.choice((1, 1, 2, 3)),
            acts=random.randint(4, 14),
            trouble=random.choice((0.0, 0.02, 0.1, 0.25)),
            death=random.choice((0.0, 0.0, 0.01, 0.04)),
            meddling=random.choice((0.0, 0.02, 0.1)),
            lag=random.choice((0.0, 0.0, 5.0, 60.0)),
            hooks=random.choice(("all", "none", "lost", "doubled", "reordered")),
            skew=timedelta(seconds=random.choice((0, 0, 600, -600))),
        )


@dataclass
class Edit:
    """What somebody set: the value, and whether somebody who saw it has set another since."""

    ticket_id: UUID
    name: str
    value: str
    superseded: bool = False


@dataclass(frozen=True)
class Said:
    """What somebody said on a ticket or its record, where (`desk` or a tracker), and who may read it."""

    ticket_id: UUID
    where: str
    text: str
    public: bool


@dataclass
class Play:
    """One run. `tell` keeps what happened, in order, for whoever has to find out why it failed.

    `is_over` once all that must be true at its end was found to be.
    """

    plot: Plot
    stage: Stage
    random: Random
    edits: list[Edit] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    tickets: list[UUID] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    is_over: bool = False
    count: int = 0

    @classmethod
    def of(cls, seed: int, database: Database, storage: Storage | None = None, plot: Plot | None = None) -> Self:
        """Set the stage for a seed, or for a plot of one's own; without `storage` no file ever moves."""
        plot, random = plot or Plot.drawn(seed), Random(seed * 7919 + 1)
        clock = ManualClock(START)
        database.clock = clock
        stage = Stage(
            database,
            clock,
            random,
            plot.kinds,
            trouble_often=plot.trouble,
            death_often=plot.death,
            meddling_often=plot.meddling,
            lag=plot.lag,
            hooks=plot.hooks,
            skew=plot.skew,
            storage=storage,
        )
        play = cls(plot, stage, random)
        stage.meddle = play.meddle
        return play

    def tell(self, what: str) -> None:
        if what in DULL:
            return
        self.told.append(f"{self.stage.clock.now():%H:%M:%S.%f} {what}")

    # What happens

    def run(self) -> None:
        """Play all acts, with everything that goes wrong, and then the end, in which nothing does any more."""
        for _ in range(self.plot.tickets):
            self.open_ticket()
        for _ in range(self.plot.acts):
            self.random.choice(self.acts)()
        self.end()

    @property
    def acts(self) -> list[Callable[[], Any]]:
        return [
            self.edit_desk,
            self.edit_desk,
            self.edit_there,
            self.edit_there,
            self.say,
            self.say_there,
            self.work,
            self.work,
            self.work,
            self.deliver,
            self.pause,
            self.retry_parked,
        ]

    def open_ticket(self) -> None:
        title, text = self.word("title"), self.word("text")
        new = NewTicket(title, f"{text} *is* on fire:\n\n- floor two", "INCIDENT", Priority.P3)
        ticket = self.stage.database.write(tickets.open_ticket, self.stage.customer.actor, new, Channel.PORTAL)
        self.tickets.append(ticket.id)
        self.edits += [Edit(ticket.id, "title", title), Edit(ticket.id, "description", new.description)]
        self.tell(f"a customer opens #{ticket.number}: {title}")

    def word(self, what: str) -> str:
        self.count += 1
        return f"{what.title()} {self.count:03}"

    def meddle(self) -> None:
        self.random.choice((self.edit_desk, self.edit_there, self.say, self.say_there))()

    def edit_desk(self) -> None:
        ticket_id = self.random.choice(self.tickets)
        name = self.random.choice(("title", "description", "priority", "status"))
        actor = self.stage.agent.actor
        row = self.stage.rows(Ticket, Ticket.id == ticket_id)[0]
        if name == "status":
            wanted = self.random.choice((Status.OPEN, Status.IN_PROGRESS, Status.PENDING_INFO, Status.RESOLVED))
            self.tell(f"an agent moves #{row.number} to {wanted}")
            self.stage.database.write(tickets.walk, actor, ticket_id, wanted, notes="Put out.")
        elif name == "priority":
            value = self.random.choice(list(Priority))
            self.tell(f"an agent makes #{row.number} {value}")
            self.stage.database.write(tickets.update_ticket, actor, ticket_id, {"priority": value})
        else:
            value = self.word(name)
            self.tell(f"an agent sets {name} of #{row.number}: {value}")
            self.stage.database.write(tickets.update_ticket, actor, ticket_id, {name: value})
            self.note_edit(ticket_id, name, value, getattr(row, name))

    def note_edit(self, ticket_id: UUID, name: str, value: str, before: Value) -> None:
        for edit in self.edits:
            if edit.ticket_id == ticket_id and edit.name == name and same_words(edit.value, before):
                edit.superseded = True
        self.edits.append(Edit(ticket_id, name, value))

    def edit_there(self) -> None:
        ticket_id = self.random.choice(self.tickets)
        links = self.active(ticket_id)
        if not links:
            return
        kind = self.random.choice(sorted(links))
        name = self.random.choice(("title", "description", "priority", "status"))
        remote_id = links[kind].remote_id
        record = self.stage.connector(kind).fetch(remote_id)
        assert record is not None
        if name == "status":
            self.move_there(kind, record)
        elif name != "priority" or kind in PRIORITIES:
            self.write_there(kind, record, ticket_id, name)

    def move_there(self, kind: str, record: Record) -> None:
        status, demanded = self.random.choice(STATUSES[kind])
        try:
            self.stage.connector(kind).transition(record.ref.id, status, demanded)
            self.tell(f"somebody in {kind} moves {record.ref.key} to {status}")
        except Failure as failure:
            self.tell(f"nobody in {kind} can move {record.ref.key} to {status}: {failure.reason}")

    def write_there(self, kind: str, record: Record, ticket_id: UUID, name: str) -> None:
        value = self.random.choice(PRIORITIES[kind]) if name == "priority" else self.word(f"{kind} {name}")
        remote = REMOTE[kind][name]
        try:
            self.stage.connector(kind).update(record.ref.id, {remote: value}, record.version)
        except Moved:
            return
        self.tell(f"somebody in {kind} sets {remote} of {record.ref.key}: {value}")
        if name != "priority":
            self.note_edit(ticket_id, name, value, record.fields[remote])

    def say(self) -> None:
        ticket_id, public = self.random.choice(self.tickets), self.random.random() < 0.5
        text = self.word("reply" if public else "secret")
        actor, database = self.stage.agent.actor, self.stage.database
        if public:
            database.write(conversation.reply, actor, ticket_id, text, CommentType.COMMENT)
        else:
            database.write(conversation.note, actor, ticket_id, text)
        self.said.append(Said(ticket_id, "desk", text, public))
        self.tell(f"an agent says: {text}")

    def say_there(self) -> None:
        ticket_id, public = self.random.choice(self.tickets), self.random.random() < 0.5
        links = self.active(ticket_id)
        if not links:
            return
        kind = self.random.choice(sorted(links))
        public = public and kind != "polarion"
        text = self.word("answer" if public else "secret")
        self.stage.say_there(kind, links[kind].remote_id, text, public=public)
        self.said.append(Said(ticket_id, kind, text, public))
        self.tell(f"somebody in {kind} says on {links[kind].remote_key}: {text}")

    def active(self, ticket_id: UUID) -> dict[str, Any]:
        return {kind: row for kind, row in self.stage.links(ticket_id).items() if row.state is LinkState.ACTIVE}

    def work(self) -> None:
        for _ in range(self.random.randint(1, 6)):
            did = self.stage.step()
            if did is None:
                break
            self.tell(f"worker: {did.what}" + (f" ({did.detail})" if did.detail else ""))

    def deliver(self) -> None:
        self.tell(f"webhooks delivered: {self.stage.deliver()}")

    def pause(self) -> None:
        seconds = self.random.choice((1, 5, 61, 61, 400))
        self.stage.clock.advance(timedelta(seconds=seconds))
        self.tell(f"{seconds} s pass")

    def retry_parked(self) -> None:
        """Somebody looks at the monitor and gives whatever is parked another try."""

        def retry(uow: Any) -> int:
            from sqlalchemy import update

            parked = (Link.attempts > 0) & (Link.leased_by.is_(None))
            return int(uow.execute(update(Link).where(parked).values(attempts=0, due_at=uow.now)).rowcount)

        self.tell(f"somebody retries: {self.stage.database.write(retry)}")

    # The end

    def end(self) -> None:
        """Nothing goes wrong any more, nobody edits, and there is time enough for all that waits."""
        self.stage.trouble.over = True
        self.tell("the end begins")
        for number in range(MOST_ROUNDS):
            self.deliver()
            for what in self.stage.work():
                self.tell(f"worker: {what}")
            if number >= 2 and self.stage.is_at_rest():
                break
            self.stage.clock.advance(timedelta(seconds=70 if number < 5 else 1000))
            self.retry_parked()

    # What must be true

    def check(self) -> None:
        """Everything that must be true at the end of any play, once every index has caught up."""
        self.stage.clock.advance(timedelta(seconds=300))
        for ticket_id in self.tickets:
            self.check_links(ticket_id)
            self.check_edits(ticket_id)
            self.check_talk(ticket_id)
        self.check_quiet()
        self.is_over = True

    def check_links(self, ticket_id: UUID) -> None:
        links = self.stage.links(ticket_id)
        assert set(links) == set(self.plot.kinds)
        for kind, link in links.items():
            assert link.state is LinkState.ACTIVE, (kind, link.state, link.last_error)
            failures = self.stage.rows(
                SyncFailure, SyncFailure.link_id == link.id, SyncFailure.state == FailureState.OPEN
            )
            assert failures == [], (kind, [(one.failure, one.reason) for one in failures])
            refs = self.stage.connector(kind).find_by_key(link.idem_key)
            assert [ref.id for ref in refs] == [link.remote_id], (kind, refs)
            self.check_agreement(ticket_id, kind, link)

    def check_agreement(self, ticket_id: UUID, kind: str, link: Any) -> None:
        """Both sides say the same, in each other's words: the tracker's, where it has one word for several of ours."""
        record = self.stage.connector(kind).fetch(link.remote_id)
        assert record is not None
        mapping = mapping_of(self.mapping_text(kind))
        desk = self.stage.database.read(read_desk, ticket_id)
        for name in ("title", "description", "priority", "status"):
            rule = mapping.fields[name]
            mine, theirs = desk.side.values[name], record.fields[rule.remote]
            heard = rule.inbound(theirs, mine)
            alike = said_as(rule, mine) in {held(rule, theirs), said_as(rule, heard)} or same_words(mine, theirs)
            assert alike or (name == "status" and heard == "NEW"), (kind, name, mine, theirs)

    def mapping_text(self, kind: str) -> str:
        from deskbridge.sync.model import Connection

        text: str = self.stage.rows(Connection, Connection.id == self.stage.ids[kind])[0].mapping
        return text

    def check_edits(self, ticket_id: UUID) -> None:
        """What somebody set is there, or was replaced by somebody who saw it, or stands in a conflict entry."""
        row = self.stage.rows(Ticket, Ticket.id == ticket_id)[0]
        conflicts = self.stage.rows(SyncConflict, SyncConflict.ticket_id == ticket_id)
        kept = [(one.field, value) for one in conflicts for value in (one.desk, one.remote)]
        for edit in self.edits:
            if edit.ticket_id == ticket_id and not edit.superseded:
                there = same_words(edit.value, getattr(row, edit.name))
                entered = any(name == edit.name and same_words(value, edit.value) for name, value in kept)
                assert there or entered, f"lost: {edit.name} {edit.value!r}; it is {getattr(row, edit.name)!r}"

    def check_talk(self, ticket_id: UUID) -> None:
        """What was said is everywhere it may be, once, and nothing internal is where the public reads."""
        links = self.stage.links(ticket_id)
        messages = self.stage.rows(Message, Message.ticket_id == ticket_id)
        heard = {kind: self.stage.connector(kind).comments(link.remote_id) for kind, link in links.items()}
        for said in [one for one in self.said if one.ticket_id == ticket_id]:
            here = [one for one in messages if said.text in one.content]
            assert [one.audience for one in here] == [Audience.PUBLIC if said.public else Audience.INTERNAL], said
            for kind, comments in heard.items():
                there = [one for one in comments if said.text in one.body]
                expected = 0 if kind == "salesforce" and not said.public and said.where != kind else 1
                assert len(there) == expected, (said, kind, [one.body for one in there])
                if not said.public and kind != "polarion":
                    assert all(one.audience is ThereAudience.INTERNAL for one in there), (said, kind)

    def check_quiet(self, cycles: int = 2) -> None:
        """Whatever is hinted at now, and however often, nothing is written any more, on any side."""
        versions = [(row.id, row.version) for row in self.stage.rows(Ticket)]
        self.stage.engine_writes.clear()
        for _ in range(cycles):
            self.stage.database.write(mark_dirty, Link.id.is_not(None))
            self.stage.work()
            self.stage.clock.advance(timedelta(seconds=61))
        assert not self.stage.engine_writes, self.stage.engine_writes
        assert [(row.id, row.version) for row in self.stage.rows(Ticket)] == versions
