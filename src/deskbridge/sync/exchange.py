"""What hangs on a ticket and on its record brought together: comments and time worked, each way, each once.

First what goes out, one call each, noted before it is sent; should an answer be lost, a later round finds it by its
marker, and nothing is sent again before it would be seen. Then, in one transaction, what comes in and every tie.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from deskbridge.kit.db import Database, UnitOfWork
from deskbridge.kit.errors import Invalid, NotFound
from deskbridge.people.actor import Actor
from deskbridge.sync import failures, leases, persons, timeline
from deskbridge.sync.belongings import Belongings, key_of, read_belongings, tie, untie
from deskbridge.sync.children import (
    ChildClash,
    DeleteDesk,
    DeleteRemote,
    EditDesk,
    EditRemote,
    EditTime,
    Retie,
    SendComment,
    SendTime,
    Step,
    TakeComment,
    TakeTime,
    Tie,
    heard,
    logged,
    merge_comments,
    merge_times,
    spoken,
)
from deskbridge.sync.connector import (
    Audience,
    Comment,
    Connector,
    Person,
    Rejected,
    RetryLater,
    Worklog,
    WorklogKind,
)
from deskbridge.sync.mapping import Direction
from deskbridge.sync.model import ChildKind, FailureClass, Link, RemotePerson
from deskbridge.sync.work import Work
from deskbridge.tickets import conversation, history, time_entries
from deskbridge.tickets.history import Elsewhere
from deskbridge.tickets.model import HistoryType, Ticket

T = TypeVar("T")
OUTGOING = (SendComment, EditRemote, DeleteRemote, SendTime)


@dataclass
class Sent:
    """What went out in this round: ties to store, and what the tracker refused."""

    ties: list[tuple[ChildKind, Tie]] = field(default_factory=list)
    refused: list[Rejected] = field(default_factory=list)


def exchange(database: Database, connector: Connector, work: Work) -> Work:
    """Bring comments and time entries together; returns the work with the hints it made itself taken note of.

    Raises what the tracker refused once everything else is done.
    """
    assert work.desk is not None
    assert work.remote_id is not None
    settle = connector.capabilities.settle
    mine = database.read(
        read_belongings, work.desk.id, work.link_id, work.mapping, work.connection, work.linked_at, settle
    )
    theirs = _read(connector, work)
    steps = _steps(connector, work, mine, theirs)
    work = replace(work, unsettled=_is_unsettled(mine, theirs))
    if not steps:
        return work
    database.write(leases.extend, work.taken)
    sent = _send(database, connector, work, mine, steps)
    incoming = [step for step in steps if not isinstance(step, OUTGOING)]
    hints = database.write(_store, work, mine, sent, incoming)
    if sent.refused:
        raise sent.refused[0]
    return replace(work, taken=replace(work.taken, hints=hints))


@dataclass(frozen=True)
class _Theirs:
    """What hangs on the record, of what is kept in step."""

    comments: Sequence[Comment]
    times: Sequence[Worklog]


def _read(connector: Connector, work: Work) -> _Theirs:
    assert work.remote_id is not None
    keeps_time = connector.capabilities.worklogs is WorklogKind.ENTRIES
    with_times = keeps_time and work.mapping.time_entries.direction is not Direction.NONE
    with_comments = work.mapping.comments.direction is not Direction.NONE
    return _Theirs(
        connector.comments(work.remote_id) if with_comments else (),
        connector.worklogs(work.remote_id) if with_times else (),
    )


def _steps(connector: Connector, work: Work, mine: Belongings, theirs: _Theirs) -> list[Step]:
    can, mapping = connector.capabilities, work.mapping
    return [
        *merge_comments(mapping.comments, can, mine.comments, theirs.comments, mine.comment_ties),
        *merge_times(mapping.time_entries, can, mine.times, theirs.times, mine.time_ties),
    ]


def _is_unsettled(mine: Belongings, theirs: _Theirs) -> bool:
    """Whether the tracker may still show something that was sent a short while ago, and does not."""
    shown = {one.id for one in theirs.comments} | {one.id for one in theirs.times}
    ties = (*mine.comment_ties, *mine.time_ties)
    return any(tied.fresh and not tied.dropped and tied.remote_id not in shown for tied in ties)


# Out


def _send(database: Database, connector: Connector, work: Work, mine: Belongings, steps: Sequence[Step]) -> Sent:
    assert work.remote_id is not None
    remote_id, sent = work.remote_id, Sent()
    comments: dict[str, Tie] = {}
    times: dict[str, Tie] = {}
    for step in steps:
        try:
            if isinstance(step, SendComment):
                with _on_its_way(database, work, mine, ChildKind.COMMENT, Tie(step.comment.marker, "", step.desk, "")):
                    id_ = connector.add_comment(remote_id, step.comment)
                comments[id_] = Tie(step.comment.marker, id_, step.desk, "")
            elif isinstance(step, EditRemote):
                connector.edit_comment(remote_id, step.remote_id, step.body)
                comments[step.remote_id] = Tie(step.key, step.remote_id, step.desk, "")
            elif isinstance(step, DeleteRemote):
                connector.delete_comment(remote_id, step.remote_id)
                sent.ties.append((ChildKind.COMMENT, Tie(step.key, step.remote_id, "", "", dropped=True)))
            elif isinstance(step, SendTime):
                with _on_its_way(
                    database, work, mine, ChildKind.TIME_ENTRY, Tie(step.worklog.marker, "", step.desk, "")
                ):
                    id_ = connector.add_worklog(remote_id, step.worklog)
                times[id_] = Tie(step.worklog.marker, id_, step.desk, "")
        except Rejected as refused:
            sent.refused.append(refused)
    sent.ties += _read_back(comments, ChildKind.COMMENT, lambda: connector.comments(remote_id), heard)
    sent.ties += _read_back(times, ChildKind.TIME_ENTRY, lambda: connector.worklogs(remote_id), logged)
    return sent


@contextmanager
def _on_its_way(database: Database, work: Work, mine: Belongings, kind: ChildKind, tied: Tie) -> Iterator[None]:
    """Note that something is sent, and that it was not, where that is certain."""
    database.write(_note_sending, work, kind, tied, mine.local.get(tied.key))
    try:
        yield
    except (Rejected, RetryLater):
        database.write(_note_not_sent, work, kind, tied.key)
        raise


def _note_sending(uow: UnitOfWork, work: Work, kind: ChildKind, tied: Tie, local_id: UUID | None) -> None:
    link = leases.held(uow, work.taken)
    tie(uow, link.id, kind, tied, local_id, from_tracker=False)


def _note_not_sent(uow: UnitOfWork, work: Work, kind: ChildKind, key: str) -> None:
    untie(uow, leases.held(uow, work.taken).id, kind, key)


def _read_back(
    new: dict[str, Tie], kind: ChildKind, read: Callable[[], Sequence[T]], digest: Callable[[T], str]
) -> list[tuple[ChildKind, Tie]]:
    """Complete ties with what the tracker made of what it was given, unless it does not show it yet."""
    if not new:
        return []
    shown = {str(getattr(one, "id", "")): one for one in read()}
    return [(kind, replace(tied, remote=digest(shown[id_])) if id_ in shown else tied) for id_, tied in new.items()]


# In


def _store(uow: UnitOfWork, work: Work, mine: Belongings, sent: Sent, incoming: Sequence[Step]) -> int:
    """Take in what is new and store every tie; returns how many hints the link has, without those made here."""
    link = leases.held(uow, work.taken)
    assert link.ticket_id is not None
    before = link.hints
    for kind, tied in sent.ties:
        tie(uow, link.id, kind, tied, mine.local.get(tied.key), from_tracker=False)
    for step in incoming:
        _take(uow, work, link, mine, step)
    if sent.ties or incoming:
        details = {"sent": len(sent.ties), "taken": len(incoming)}
        timeline.add(uow, link.connection_id, "children", details, link, pushed=len(sent.ties), pulled=len(incoming))
    uow.session.flush()
    uow.session.refresh(link, ["hints"])
    return link.hints if before == work.taken.hints else work.taken.hints


def _take(uow: UnitOfWork, work: Work, link: Link, mine: Belongings, step: Step) -> None:
    if isinstance(step, Retie):
        kind = _kind(mine, step.tie.key)
        tie(uow, link.id, kind, step.tie, mine.local.get(step.tie.key), from_tracker=False)
    elif isinstance(step, ChildClash):
        _tell_clash(uow, work, link, step)
    else:
        try:
            with uow.session.begin_nested():
                _take_in(uow, work, link, mine, step)
        except Invalid as refused:
            _refuse(uow, link, step, refused)


def _kind(mine: Belongings, key: str) -> ChildKind:
    is_time = any(one.key == key for one in mine.times) or any(one.key == key for one in mine.time_ties)
    return ChildKind.TIME_ENTRY if is_time else ChildKind.COMMENT


def _take_in(uow: UnitOfWork, work: Work, link: Link, mine: Belongings, step: Step) -> None:
    assert link.ticket_id is not None
    if isinstance(step, TakeComment):
        actor, elsewhere = _author(uow, work, step.comment.author, step.comment.created_at)
        say = conversation.reply if step.audience is Audience.PUBLIC else conversation.note
        message = say(uow, actor, link.ticket_id, step.comment.body, elsewhere=elsewhere)
        tied = Tie(key_of(message.id, link.id), step.comment.id, spoken(message.content), step.remote)
        tie(uow, link.id, ChildKind.COMMENT, tied, message.id, from_tracker=True)
    elif isinstance(step, TakeTime):
        _take_time(uow, work, link, step)
    elif isinstance(step, EditDesk):
        edited = conversation.edit_message(uow, work.actor, mine.local[step.key], step.comment.body)
        tied = Tie(step.key, step.comment.id, spoken(edited.content), step.remote)
        tie(uow, link.id, ChildKind.COMMENT, tied, edited.id, from_tracker=True)
    elif isinstance(step, EditTime):
        entry = time_entries.change_time(
            uow, work.actor, mine.local[step.key], {"minutes": step.worklog.minutes, "note": step.worklog.note}
        )
        tied = Tie(step.key, step.worklog.id, "", step.remote)
        tie(uow, link.id, ChildKind.TIME_ENTRY, tied, entry.id, from_tracker=True)
    elif isinstance(step, DeleteDesk):
        _delete(uow, work, link, mine, step)


def _take_time(uow: UnitOfWork, work: Work, link: Link, step: TakeTime) -> None:
    assert link.ticket_id is not None
    worklog = step.worklog
    actor, elsewhere = _author(uow, work, worklog.author, worklog.started_at)
    entry = time_entries.log_time(
        uow, actor, link.ticket_id, worklog.minutes, worklog.note, min(elsewhere.at, uow.now), elsewhere=elsewhere
    )
    tied = Tie(key_of(entry.id, link.id), worklog.id, "", step.remote)
    tie(uow, link.id, ChildKind.TIME_ENTRY, tied, entry.id, from_tracker=True)


def _author(uow: UnitOfWork, work: Work, author: Person | None, at: datetime) -> tuple[Actor, Elsewhere]:
    """Return who says it here: whoever that is in the desk, by the map of people, else the name alone."""
    user_id: UUID | None = None
    if author is not None:
        persons.meet(uow, work.connection_id, [author])
        uow.session.flush()
        user_id = uow.session.get_one(RemotePerson, (work.connection_id, author.id)).user_id
    name = author.name if author is not None else work.connection
    actor = replace(work.actor, id=user_id, name=name)
    return actor, Elsewhere(name, work.connection, at - work.clock_offset)


def _delete(uow: UnitOfWork, work: Work, link: Link, mine: Belongings, step: DeleteDesk) -> None:
    kind = _kind(mine, step.key)
    try:
        if kind is ChildKind.TIME_ENTRY:
            time_entries.delete_time(uow, work.actor, mine.local[step.key])
        else:
            conversation.delete_message(uow, work.actor, mine.local[step.key])
    except NotFound:  # somebody here was faster
        pass
    tied = Tie(step.key, step.remote_id, "", "", dropped=True)
    tie(uow, link.id, kind, tied, mine.local.get(step.key), from_tracker=True)


def _refuse(uow: UnitOfWork, link: Link, step: Step, refused: Invalid) -> None:
    """Something of the tracker's that the desk cannot hold: told once, and not tried again."""
    if isinstance(step, TakeComment):
        kind, remote_id, remote = ChildKind.COMMENT, step.comment.id, step.remote
    elif isinstance(step, TakeTime):
        kind, remote_id, remote = ChildKind.TIME_ENTRY, step.worklog.id, step.remote
    else:
        raise refused
    tied = Tie(f"{kind}:{remote_id}"[:100], remote_id, "", remote, dropped=True)
    tie(uow, link.id, kind, tied, None, from_tracker=True)
    field_name = f"{kind} {refused.errors[0].field}"
    failures.note(uow, link, FailureClass.LEFT_OUT, refused.detail, field=field_name, payload={"record": remote_id})


def _tell_clash(uow: UnitOfWork, work: Work, link: Link, step: ChildClash) -> None:
    """Both sides changed one text; the one that did not stay is kept in the ticket's history."""
    assert link.ticket_id is not None
    ticket = uow.session.get_one(Ticket, link.ticket_id)
    details = {"desk": step.desk, "remote": step.remote, "winner": "desk" if step.desk_stays else "remote"}
    history.write(uow, work.actor, ticket, HistoryType.SYNC_CONFLICT, field="comment", details=details)
